/* SPDX-License-Identifier: MIT */
/*
 * Scheduling parameters of a thread: policy, nice value, priority, boost, affinity. sched(7).
 *
 * Everything is changed under the thread's run-queue lock, with the thread taken off its queue and
 * put back, so that the queues never hold an entity whose key has changed under them.
 */
#include "sched_internal.h"

#include "core/cpumask.h"
#include "uapi/errno.h"

u32
thread_weight(const struct thread *t)
{
	return t->policy == SCHED_P_IDLE ? FAIR_WEIGHT_IDLE : fair_weight(t->nice);
}

static struct run_queue *
change_begin(struct thread *t, unsigned long *flags)
{
	struct run_queue *rq;

	*flags = arch_irq_save();
	rq = thread_rq_lock(t);
	rq_change_begin(rq, t);
	return rq;
}

static void
change_end(struct run_queue *rq, struct thread *t, unsigned long flags)
{
	t->se.weight = thread_weight(t);
	t->effective_rt = MAX(t->rt_priority, t->boost_priority);
	rq_change_end(rq, t);
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
}

void
sched_get_params(struct thread *t, struct sched_params *out)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = thread_rq_lock(t);

	*out = (struct sched_params){ t->policy, t->nice, t->rt_priority, t->reset_on_fork };
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
}

int
sched_set_params(struct thread *t, const struct sched_params *p)
{
	bool rt = p->policy == SCHED_P_FIFO || p->policy == SCHED_P_RR;
	struct run_queue *rq;
	unsigned long flags;

	if (p->policy > SCHED_P_IDLE || p->nice < -20 || p->nice > 19)
		return -EINVAL;
	if (rt ? p->rt_priority < 1 || p->rt_priority > 99 : p->rt_priority != 0)
		return -EINVAL;
	rq = change_begin(t, &flags);
	t->policy = p->policy;
	t->nice = p->nice;
	t->rt_priority = p->rt_priority;
	t->reset_on_fork = p->reset_on_fork;
	t->rt_slice_left = RT_RR_SLICE_NS;
	change_end(rq, t, flags);
	return 0;
}

void
sched_set_nice(struct thread *t, int nice)
{
	unsigned long flags;
	struct run_queue *rq = change_begin(t, &flags);

	t->nice = (s8)CLAMP(nice, -20, 19);
	change_end(rq, t, flags);
}

void
sched_boost(struct thread *t, u8 rt_priority)
{
	unsigned long flags;
	struct run_queue *rq;

	if (READ_ONCE(t->boost_priority) == rt_priority)
		return;
	rq = change_begin(t, &flags);
	t->boost_priority = rt_priority;
	change_end(rq, t, flags);
}

u64
sched_rr_interval_ns(struct thread *t)
{
	switch (t->policy) {
	case SCHED_P_FIFO: return 0;
	case SCHED_P_RR: return RT_RR_SLICE_NS;
	default: return READ_ONCE(t->se.slice);
	}
}

/* The caller has seen t on the wrong CPU: wait until it is somewhere else. */
static void
affinity_settle(struct thread *t)
{
	for (;;) {
		unsigned long flags = arch_irq_save();
		struct run_queue *rq = thread_rq_lock(t);
		bool wrong = rq->curr == t && !cpumask_test(&t->affinity, rq->cpu);

		if (wrong)
			rq_resched(rq);
		spin_unlock(&rq->lock);
		arch_irq_restore(flags);
		if (!wrong)
			return;
		if (t == thread_current())
			sched_cond_resched();
		else
			sched_yield();
	}
}

int
sched_set_affinity(struct thread *t, const struct cpumask *mask)
{
	struct run_queue *rq;
	unsigned long flags;
	bool moving = false;

	if (find_next_and_bit(mask->bits, cpu_online.bits, MAX_CPUS, 0) >= MAX_CPUS)
		return -EINVAL;
	flags = arch_irq_save();
	rq = thread_rq_lock(t);
	t->affinity = *mask;
	if (t->on_rq == ON_RQ && t != rq->curr && !cpumask_test(mask, rq->cpu)) {
		rq_take_moving(rq, t, balance_allowed_cpu(t));
		moving = true;
	}
	spin_unlock(&rq->lock);
	if (moving)
		rq_insert_moving(t, FAIR_MOVE, true);
	arch_irq_restore(flags);
	affinity_settle(t);
	return 0;
}

void
sched_get_affinity(struct thread *t, struct cpumask *out)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = thread_rq_lock(t);

	for (u32 i = 0; i < ARRAY_SIZE(out->bits); i++)
		out->bits[i] = t->affinity.bits[i] & cpu_online.bits[i];
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
}
