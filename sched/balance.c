/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a thread runs on.
 *
 * At wake-up, the cheap decision that matters most:
 *	- two threads that wake each other in turn (a pipe, a socket pair) share the waker's
 *	  CPU, for the waker is about to sleep: no interrupt, no cold cache, no halted CPU;
 *	- otherwise the CPU it ran on last, if that is idle; the waker's, if that is idle; a few
 *	  neighbours, if idle; else the less crowded of the first two.
 * A new thread looks further, for it has no cache to lose; but the child of a parent that has
 * waited for its last children starts where the parent is (a shell and its commands).
 *
 * Later, against what has become uneven: a CPU whose tick finds more than one runnable thread notes
 * itself in `crowded` and wakes an idle CPU, which pulls one over; a CPU with something to do, but
 * less, pulls from time to time as well. With three threads on two CPUs no pull makes it even: then
 * one is passed around, so that in the long run each gets its two thirds.
 *
 * The mask is written by ticks only, never at a switch or a wake-up.
 *
 * Locking: one run-queue lock at a time; counts of other queues are read without, as hints.
 */
#include "sched_internal.h"

#include "arch/smp.h"
#include "core/cpumask.h"

#define SCAN_NEAR  8	     /* CPUs looked at for an idle one at a wake-up */
#define HOT_NS	   500000ull /* ran or was queued just now: its cache is worth more than the wait */
#define BALANCE_NS (16 * TICK_NS)
#define ROTATE_NS  (32 * TICK_NS)
#define PULL_TRIES 16

#define FORK_WAITS_SURE 2
#define FORK_WAIT_NS	500000ull

static struct cpumask crowded;

static bool
cpu_usable(const struct thread *t, u32 cpu)
{
	return cpumask_test(&t->affinity, cpu) && cpumask_test(&cpu_online, cpu);
}

u32
balance_allowed_cpu(struct thread *t)
{
	u32 best = MAX_CPUS, best_count = ~0u;
	u32 cpu = (u32)find_next_and_bit(t->affinity.bits, cpu_online.bits, MAX_CPUS, 0);

	while (cpu < MAX_CPUS) {
		u32 count = READ_ONCE(rq_of(cpu)->count);

		if (count < best_count) {
			best = cpu;
			best_count = count;
		}
		if (!count)
			break;
		cpu = (u32)find_next_and_bit(t->affinity.bits, cpu_online.bits, MAX_CPUS, cpu + 1);
	}
	/* set_affinity lets no mask in without an online CPU; bound threads of CPUs not yet started
	 * wait on theirs. */
	return best < MAX_CPUS ? best : t->cpu;
}

/* A real-time thread does not wait where something less urgent runs elsewhere. */
static u32
rt_wake_cpu(struct thread *t)
{
	u32 cpu, best = t->cpu, best_rt = MAX_CPUS;

	if (cpu_usable(t, best))
		best_rt = READ_ONCE(rq_of(best)->curr)->effective_rt;
	if (best_rt < t->effective_rt)
		return best;
	cpumask_for_each(cpu, &cpu_online)
	{
		u32 rt;

		if (!cpumask_test(&t->affinity, cpu))
			continue;
		rt = READ_ONCE(rq_of(cpu)->curr)->effective_rt;
		if (rt < best_rt) {
			best = cpu;
			best_rt = rt;
		}
		if (rq_is_idle(rq_of(cpu)))
			return cpu;
	}
	return best;
}

/*
 * t->cpu's run queue is locked. *sync in: the waker says that it will sleep. Out: t waits on this
 * CPU until it does.
 */
u32
balance_wake_cpu(struct thread *t, bool *sync)
{
	struct thread *waker = thread_current();
	u32 this = cpu_id(), prev = t->cpu, probe;
	bool partners = *sync;

	*sync = false;
	if (unlikely(t->effective_rt))
		return rt_wake_cpu(t);
	if (!in_irq() && !waker->is_idle) {
		partners |= t->waker == waker && waker->waker == t;
		WRITE_ONCE(t->waker, waker);
		if (partners && rq_this()->count == 1 && cpu_usable(t, this) &&
		    !waker->effective_rt) {
			*sync = true;
			return this;
		}
	}
	if (cpu_count == 1)
		return prev;
	if (cpu_usable(t, prev) && rq_is_idle(rq_of(prev)))
		return prev;
	if (this != prev && rq_is_idle(rq_this()) && cpu_usable(t, this))
		return this;
	probe = prev;
	for (u32 i = 0; i < SCAN_NEAR; i++) {
		probe = probe + 1 < cpu_count ? probe + 1 : 0;
		if (probe == prev)
			break;
		if (cpu_usable(t, probe) && rq_is_idle(rq_of(probe)))
			return probe;
	}
	if (!cpu_usable(t, prev))
		return cpu_usable(t, this) ? this : balance_allowed_cpu(t);
	if (cpu_usable(t, this) && READ_ONCE(rq_this()->count) + 1 < READ_ONCE(rq_of(prev)->count))
		return this;
	return prev;
}

/*
 * Will the parent wait for its new child? A shell does, make -j and servers with many threads do
 * not: they start the next one first.
 */
static bool
fork_will_wait(struct thread *parent)
{
	bool waits = !parent->fork_pending && parent->fork_waits >= FORK_WAITS_SURE;

	if (parent->fork_pending)
		parent->fork_waits = 0;
	parent->fork_pending = true;
	parent->forked_at = time_mono_ns();
	return waits;
}

void
balance_fork_slept(struct thread *parent, u64 now)
{
	parent->fork_pending = false;
	if (now - parent->forked_at > FORK_WAIT_NS)
		parent->fork_waits = 0;
	else if (parent->fork_waits < FORK_WAITS_SURE)
		parent->fork_waits++;
}

u32
balance_new_cpu(struct thread *t, bool *sync)
{
	u32 this = cpu_id();

	if (!in_irq() && !thread_current()->is_kernel)
		*sync |= fork_will_wait(thread_current());
	*sync &= rq_this()->count == 1;
	if (cpu_usable(t, this) && (*sync || cpu_count == 1 || rq_is_idle(rq_this())))
		return this;
	*sync = false;
	return balance_allowed_cpu(t);
}

/* ---- pulling ---- */

static bool
may_pull(const struct run_queue *from, const struct thread *t, u32 to_cpu, bool hot_too)
{
	if (t == from->curr || !cpumask_test(&t->affinity, to_cpu))
		return false;
	return hot_too || (s64)(from->clock - t->queued_at) > (s64)HOT_NS;
}

static struct thread *
pick_victim(struct run_queue *from, u32 to_cpu, bool hot_too)
{
	struct rb_node *node;
	u32 level, tries = PULL_TRIES;

	/* A waiting real-time thread first. */
	for_each_set_bit(level, from->rt.active, RT_LEVELS)
	{
		struct thread *t;

		list_for_each_entry(t, &from->rt.level[level], rt_node)
		{
			if (may_pull(from, t, to_cpu, true))
				return t;
			if (!--tries)
				return NULL;
		}
	}
	for (node = rb_first_cached(&from->fair.tree); node && tries--; node = rb_next(node)) {
		struct thread *t = container_of(container_of(node, struct sched_entity, node),
						struct thread, se);

		if (may_pull(from, t, to_cpu, hot_too))
			return t;
	}
	return NULL;
}

/* Interrupts on or off; no run-queue lock held. */
static bool
pull_from(struct run_queue *from, struct run_queue *to, u32 min_count, bool hot_too)
{
	unsigned long flags = arch_irq_save();
	struct thread *t = NULL;

	spin_lock(&from->lock);
	if (from->count >= min_count)
		t = pick_victim(from, to->cpu, hot_too);
	if (t)
		rq_take_moving(from, t, to->cpu);
	spin_unlock(&from->lock);
	if (t)
		rq_insert_moving(t, FAIR_MOVE, true);
	arch_irq_restore(flags);
	return t;
}

static struct run_queue *
find_crowded(struct run_queue *to, u32 min_count)
{
	struct run_queue *best = NULL;
	u32 cpu, best_count = min_count - 1;

	cpumask_for_each(cpu, &crowded)
	{
		struct run_queue *rq = rq_of(cpu);
		u32 count = READ_ONCE(rq->count);

		if (rq != to && count > best_count) {
			best = rq;
			best_count = count;
		}
	}
	return best;
}

bool
balance_pull_idle(void)
{
	struct run_queue *to, *from;
	bool pulled = false;

	if (likely(cpumask_empty(&crowded)))
		return false;
	preempt_disable();
	to = rq_this();
	from = find_crowded(to, 2);
	if (from)
		pulled = pull_from(from, to, 2, from->count > 2);
	preempt_enable();
	return pulled;
}

static void
kick_idle_cpu(const struct run_queue *rq)
{
	u32 cpu = rq->cpu;

	for (u32 i = 1; i < cpu_count; i++) {
		cpu = cpu + 1 < cpu_count ? cpu + 1 : 0;
		if (cpumask_test(&cpu_online, cpu) && rq_is_idle(rq_of(cpu))) {
			arch_ipi_reschedule(cpu); /* its idle loop looks around when woken */
			return;
		}
	}
}

void
balance_tick(struct run_queue *rq)
{
	struct run_queue *from;
	u64 now = rq->clock;
	bool rotate;

	if (rq->count > 1) {
		if (!cpumask_test(&crowded, rq->cpu))
			cpumask_set(&crowded, rq->cpu);
		kick_idle_cpu(rq);
	} else if (cpumask_test(&crowded, rq->cpu)) {
		cpumask_clear(&crowded, rq->cpu);
	}
	if (now < rq->balance_next)
		return;
	/* CPUs take turns, each at its own time. */
	rq->balance_next = now + BALANCE_NS + rq->cpu % 16 * TICK_NS;
	rotate = now >= rq->rotate_next;
	from = find_crowded(rq, rq->count + (rotate ? 1 : 2));
	if (!from)
		return;
	rq->rotate_next = now + ROTATE_NS;
	pull_from(from, rq, rq->count + (rotate ? 1 : 2), true);
}
