/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's centre: run queues, the switch, wake-ups, preemption.
 *
 * Choosing is two steps: real-time threads first (rt.c), then fair ones (fair.c), else the CPU's
 * idle thread. There are no other classes, so the calls are direct.
 *
 * Sleeping is a protocol between the sleeper and the waker, without a lock of their own:
 *
 *	sleeper					waker
 *	state = INTERRUPTIBLE			condition = true
 *	full barrier (thread_set_state)		full barrier
 *	condition? no				state INTERRUPTIBLE? lock its run queue,
 *	schedule(): lock, off the queue		look again, set RUNNABLE, put on a queue
 *
 * Either the sleeper sees the condition or the waker sees the state. A sleeper that is found still
 * on the queue (before or in schedule(), or preempted there) merely gets its state set back.
 * Preemption ignores the state: a thread preempted between setting it and schedule() must get the
 * chance to look at its condition.
 *
 * The preemption count is 1 when sched_switch is called, and 2 with the run-queue lock, for every
 * thread that switches: so the count need not be saved.
 *
 * Locking: see sched_internal.h. schedule() is called with no lock and interrupts on.
 */
#include "sched_internal.h"

#include "arch/mmu.h"
#include "arch/smp.h"
#include "core/arch_upcalls.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "sched/wait.h"

DEFINE_PERCPU(struct run_queue, run_queue);

static bool
no_fatal_signals(const struct thread *t)
{
	return false;
}

bool (*thread_fatal_pending)(const struct thread *t) = no_fatal_signals;

void
rq_init(struct run_queue *rq, u32 cpu, struct thread *idle)
{
	spin_init(&rq->lock, RANK_RUNQUEUE);
	rq->cpu = cpu;
	rq->curr = rq->idle = idle;
	fair_queue_init(&rq->fair);
	rt_queue_init(&rq->rt);
	rq->clock = time_mono_ns();
	idle->exec_start = rq->clock;
	tick_init(rq);
}

struct run_queue *
thread_rq_lock(struct thread *t)
{
	for (;;) {
		struct run_queue *rq = rq_of(READ_ONCE(t->cpu));

		spin_lock(&rq->lock);
		if (likely(rq->cpu == READ_ONCE(t->cpu)))
			return rq;
		spin_unlock(&rq->lock);
	}
}

/* ---- queues ---- */

void
rq_charge(struct run_queue *rq)
{
	struct thread *t = rq->curr;
	u64 now = time_mono_ns();
	s64 used = (s64)(now - t->exec_start);

	/* Clocks of different CPUs may disagree by a little. */
	if (used <= 0)
		return;
	rq->clock = now;
	t->exec_start = now;
	t->sum_exec_ns += (u64)used;
	if (rq->fair.curr) {
		if (fair_charge(&rq->fair, (u64)used))
			rq_resched(rq);
	} else if (t->effective_rt && t->on_rq == ON_RQ) {
		if (rt_charge(&rq->rt, t, (u64)used, now))
			rq_resched(rq);
	}
}

static void
rq_add(struct run_queue *rq, struct thread *t, enum fair_reason why)
{
	if (unlikely(t->effective_rt))
		rt_enqueue(&rq->rt, t, false);
	else
		fair_enqueue(&rq->fair, &t->se, why);
	t->on_rq = ON_RQ;
	t->queued_at = rq->clock;
	WRITE_ONCE(rq->count, rq->count + 1);
}

void
rq_remove(struct run_queue *rq, struct thread *t, enum fair_reason why)
{
	if (unlikely(t->effective_rt))
		rt_dequeue(&rq->rt, t);
	else
		fair_dequeue(&rq->fair, &t->se, why);
	t->on_rq = OFF_RQ;
	WRITE_ONCE(rq->count, rq->count - 1);
}

static struct thread *
rq_pick(struct run_queue *rq)
{
	struct sched_entity *se;

	if (unlikely(rq->rt.count) && (!rq->rt.throttled || !rq->fair.count)) {
		fair_put_current(&rq->fair);
		return rt_pick(&rq->rt);
	}
	se = fair_pick(&rq->fair);
	if (!se)
		return rq->idle;
	fair_set_current(&rq->fair, se);
	return container_of(se, struct thread, se);
}

void
rq_resched(struct run_queue *rq)
{
	if (rq->cpu == cpu_id()) {
		preempt_set_need_resched();
	} else if (!rq->resched_sent) {
		rq->resched_sent = true;
		arch_ipi_reschedule(rq->cpu);
	}
}

static bool
thread_preempts(struct run_queue *rq, struct thread *t)
{
	struct thread *curr = rq->curr;

	if (curr == rq->idle)
		return true;
	if (unlikely(t->effective_rt || curr->effective_rt))
		return t->effective_rt > curr->effective_rt ||
		       (rq->rt.throttled && !t->effective_rt);
	if (unlikely(t->policy != SCHED_P_FAIR))
		return false;
	if (unlikely(curr->policy == SCHED_P_IDLE))
		return true;
	return fair_preempts(&rq->fair, &t->se);
}

void
rq_activate(struct run_queue *rq, struct thread *t, enum fair_reason why, bool urgent)
{
	if (urgent || rq->curr == rq->idle)
		rq_charge(rq);
	rq_add(rq, t, why);
	if ((urgent || rq->curr == rq->idle) && thread_preempts(rq, t))
		rq_resched(rq);
}

void
rq_take_moving(struct run_queue *rq, struct thread *t, u32 to_cpu)
{
	rq_remove(rq, t, FAIR_MOVE);
	t->on_rq = MOVING_RQ;
	WRITE_ONCE(t->cpu, to_cpu);
}

/* Nobody but us changes t->cpu now. No run-queue lock held. */
void
rq_insert_moving(struct thread *t, enum fair_reason why, bool urgent)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = rq_of(t->cpu);

	spin_lock(&rq->lock);
	while (unlikely(!cpumask_test(&t->affinity, rq->cpu))) {
		WRITE_ONCE(t->cpu, balance_allowed_cpu(t));
		spin_unlock(&rq->lock);
		rq = rq_of(t->cpu);
		spin_lock(&rq->lock);
	}
	rq_activate(rq, t, why, urgent);
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
}

void
rq_change_begin(struct run_queue *rq, struct thread *t)
{
	if (t->on_rq != ON_RQ)
		return;
	if (t == rq->curr)
		rq_charge(rq);
	rq_remove(rq, t, FAIR_MOVE);
	t->on_rq = ON_RQ; /* for rq_change_end */
}

void
rq_change_end(struct run_queue *rq, struct thread *t)
{
	if (t->on_rq != ON_RQ)
		return;
	rq_add(rq, t, FAIR_MOVE);
	if (t == rq->curr) {
		if (!t->effective_rt)
			fair_set_current(&rq->fair, &t->se);
		rq_resched(rq); /* it may have fallen behind another */
	} else if (thread_preempts(rq, t)) {
		rq_resched(rq);
	}
}

/* ---- the switch ---- */

/* Programs that wait for a device count as load; the kernel's own threads wait for work. */
static bool
sleep_is_load(const struct thread *t, u32 state)
{
	return (state & (THREAD_UNINTERRUPTIBLE | THREAD_KILLABLE)) && !t->is_kernel;
}

/* A sleep that a pending signal forbids. The waker of a signal sets the flag before it looks at the
 * state. */
static bool
sleep_refused(const struct thread *t, u32 state)
{
	if (likely(!thread_signal_pending(t)))
		return false;
	if (state & THREAD_INTERRUPTIBLE)
		return true;
	return (state & (THREAD_KILLABLE | THREAD_STOPPED | THREAD_TRACED)) &&
	       thread_fatal_pending(t);
}

/* First thing after the switch, on the stack of the thread that now runs; prev is off its own. */
static void
switch_finish(struct thread *prev)
{
	bool dead = prev->state == THREAD_DEAD, moving = prev->on_rq == MOVING_RQ;

	WRITE_ONCE(prev->on_cpu, false);
	spin_unlock_irq(&rq_this()->lock);
	/* From here prev may run elsewhere, unless it waits for us to move or to bury it. */
	if (unlikely(moving))
		rq_insert_moving(prev, FAIR_MOVE, true);
	if (unlikely(dead))
		thread_bury(prev);
}

/* This CPU's queue, locked and charged; preemption off but for the lock. Unlocks it. */
static void
switch_locked(struct run_queue *rq, bool preempt)
{
	struct thread *prev = thread_current(), *next;
	u32 state;

	/* After the charge, which may ask for what we are doing. */
	preempt_clear_need_resched();
	rq->resched_sent = false;

	state = READ_ONCE(prev->state);
	if (!preempt && state != THREAD_RUNNABLE) {
		if (unlikely(sleep_refused(prev, state))) {
			WRITE_ONCE(prev->state, THREAD_RUNNABLE);
		} else {
			if (unlikely(prev->fork_pending))
				balance_fork_slept(prev, rq->clock);
			fair_adapt_slice(&prev->se, prev->sum_exec_ns - prev->burst_start);
			rq_remove(rq, prev, FAIR_SLEEP);
			if (sleep_is_load(prev, state))
				rq->uninterruptible++;
		}
	} else if (unlikely(!cpumask_test(&prev->affinity, rq->cpu)) && prev != rq->idle) {
		rq_take_moving(rq, prev, balance_allowed_cpu(prev));
	}

	next = rq_pick(rq);
	if (next == prev) {
		spin_unlock_irq(&rq->lock);
		return;
	}
	if (prev->on_rq == OFF_RQ)
		prev->nvcsw++;
	else
		prev->nivcsw++;
	rq->switches++;
	if (prev == rq->idle)
		tick_start(rq);
	if (unlikely(prev->rseq) && !thread_flag_test(prev, TF_NOTIFY))
		thread_flag_set(prev, TF_NOTIFY); /* its critical section is broken off */
	rq->curr = next;
	next->exec_start = rq->clock;
	next->on_cpu = true;
	if (next->space != prev->space)
		arch_space_switch(prev->space, next->space);
	rcu_quiescent();
	this_cpu_write(current_thread, next);
	prev = arch_switch(prev, next, &prev->arch, &next->arch, next->kstack);
	switch_finish(prev);
}

void
sched_switch(bool preempt)
{
	struct run_queue *rq = rq_this();

	arch_irq_disable();
	spin_lock(&rq->lock);
	rq_charge(rq);
	switch_locked(rq, preempt);
}

/* A new thread comes from arch_switch here instead of to the end of sched_switch. */
void
sched_thread_start(struct thread *prev)
{
	switch_finish(prev);
	preempt_enable();
}

void
schedule(void)
{
	struct thread_plug *plug = thread_current()->plug;

	DEBUG_ASSERT(!in_atomic());
	if (unlikely(plug))
		plug->flush(plug);
	do {
		preempt_disable();
		sched_switch(false);
		preempt_enable_no_resched();
	} while (preempt_need_resched());
}

void
sched_preempt(void)
{
	if (!arch_irqs_enabled())
		return;
	do {
		preempt_disable();
		sched_switch(true);
		preempt_enable_no_resched();
	} while (preempt_need_resched());
}

/* Interrupts are off and stay off for the caller. */
void
sched_irq_exit(void)
{
	while (this_cpu_read(preempt_count) == 0) {
		preempt_disable();
		sched_switch(true);
		arch_irq_disable();
		preempt_enable_no_resched();
	}
}

/* Only a request counts: the same interrupt also serves to take a CPU out of user mode. */
void
sched_ipi(void)
{
	if (READ_ONCE(rq_this()->resched_sent))
		preempt_set_need_resched();
}

void
sched_yield(void)
{
	struct run_queue *rq;
	struct thread *t = thread_current();

	preempt_disable();
	rq = rq_this();
	if (READ_ONCE(rq->count) > 1) {
		spin_lock_irq(&rq->lock);
		rq_charge(rq);
		if (t->effective_rt)
			rt_yield(&rq->rt, t);
		else
			fair_yield(&rq->fair);
		switch_locked(rq, true);
	}
	preempt_enable();
}

void
sched_cond_resched(void)
{
	if (preempt_need_resched() && this_cpu_read(preempt_count) == 0)
		sched_preempt();
}

/* ---- wake-ups ---- */

static bool
wake_queued(struct thread *t, u32 state)
{
	/* It may be running and change its state itself at this moment: then it has seen our
	 * condition. */
	return __atomic_compare_exchange_n(&t->state, &state, THREAD_RUNNABLE, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static bool
wake_sleeping(struct thread *t, u32 states, bool sync)
{
	unsigned long flags;
	struct run_queue *rq;
	enum fair_reason why;
	u32 state, cpu;
	bool woken = false;

	smp_mb(); /* the caller's condition before the state: see the head */
	if (!(READ_ONCE(t->state) & states))
		return false;
	flags = arch_irq_save();
	rq = thread_rq_lock(t);
	state = READ_ONCE(t->state);
	if (!(state & states))
		goto out;
	if (t->on_rq != OFF_RQ) {
		woken = wake_queued(t, state);
		goto out;
	}
	woken = true;
	if (sleep_is_load(t, state))
		rq->uninterruptible--;
	WRITE_ONCE(t->state, THREAD_RUNNABLE);
	t->burst_start = t->sum_exec_ns;
	if (unlikely(state == THREAD_NEW)) {
		why = FAIR_NEW;
		cpu = balance_new_cpu(t, &sync);
	} else {
		why = FAIR_SLEEP;
		cpu = balance_wake_cpu(t, &sync);
	}
	if (cpu == rq->cpu) {
		rq_activate(rq, t, why, !sync);
		goto out;
	}
	t->on_rq = MOVING_RQ;
	WRITE_ONCE(t->cpu, cpu);
	spin_unlock(&rq->lock);
	rq_insert_moving(t, why, !sync);
	arch_irq_restore(flags);
	return true;
out:
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
	return woken;
}

bool
thread_wake_state(struct thread *t, u32 states)
{
	return wake_sleeping(t, states, !in_irq() && thread_current()->wake_sync);
}

bool
thread_wake(struct thread *t)
{
	return thread_wake_state(t, THREAD_NORMAL | THREAD_NEW);
}

bool
thread_wake_sync(struct thread *t)
{
	return wake_sleeping(t, THREAD_NORMAL | THREAD_NEW, !in_irq());
}

void
thread_wake_signal(struct thread *t, bool fatal, u32 extra_states)
{
	u32 cpu;

	if (thread_wake_state(t,
			      THREAD_INTERRUPTIBLE | (fatal ? THREAD_KILLABLE : 0) | extra_states))
		return;
	/*
	 * It runs, or will look at its flags before it sleeps or returns to user mode. If it is in
	 * user mode on another CPU, an interrupt makes it look: it checks with interrupts off on
	 * its way out, so either it sees the flag or it is in user mode, on_cpu, when the interrupt
	 * arrives.
	 */
	preempt_disable();
	cpu = READ_ONCE(t->cpu);
	if (READ_ONCE(t->on_cpu) && cpu != cpu_id())
		arch_ipi_reschedule(cpu);
	preempt_enable();
}

void
thread_wake_new(struct thread *t)
{
	atomic64_inc(&sched_forks);
	wake_sleeping(t, THREAD_NEW, false);
}

void
thread_wake_new_sync(struct thread *t)
{
	atomic64_inc(&sched_forks);
	wake_sleeping(t, THREAD_NEW, true);
}

void
thread_wait_inactive(struct thread *t)
{
	for (;;) {
		unsigned long flags = arch_irq_save();
		struct run_queue *rq = thread_rq_lock(t);
		bool active = t->on_rq != OFF_RQ || t->on_cpu, running = t->on_cpu;

		spin_unlock(&rq->lock);
		arch_irq_restore(flags);
		if (!active)
			return;
		if (running) {
			arch_cpu_relax(); /* between setting its state and the switch */
			sched_cond_resched();
		} else {
			sleep_ns(TICK_NS / 4); /* preempted there: it needs a CPU, perhaps ours */
		}
	}
}

static bool
replace_sleep(struct thread *t, u32 from, u32 to)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = thread_rq_lock(t);
	bool asleep = t->on_rq == OFF_RQ && !t->on_cpu && t->state == from;

	if (asleep)
		WRITE_ONCE(t->state, to);
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
	return asleep;
}

bool
thread_freeze(struct thread *t)
{
	return replace_sleep(t, THREAD_TRACED, THREAD_FROZEN);
}

void
thread_thaw(struct thread *t)
{
	replace_sleep(t, THREAD_FROZEN, THREAD_TRACED);
}
