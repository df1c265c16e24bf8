/* SPDX-License-Identifier: MIT */
/*
 * Read-copy-update. A reader section is a preempt-off section: readers cost one per-CPU increment.
 * A grace period ends when every CPU has passed through the scheduler, user mode or idle.
 * Callbacks run in a kernel thread of the CPU that queued them (they may not sleep).
 */
#ifndef CORE_RCU_H
#define CORE_RCU_H

#include "core/preempt.h"

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

static inline void
rcu_read_lock(void)
{
	preempt_disable();
}

static inline void
rcu_read_unlock(void)
{
	preempt_enable();
}

#define rcu_dereference(p)	 smp_load_acquire(&(p))
#define rcu_assign_pointer(p, v) smp_store_release(&(p), v)

/* Run func(head) after a grace period. Callable from any context. */
void rcu_call(struct rcu_head *head, void (*func)(struct rcu_head *head));

/* Wait for a grace period; sleeps (sched/rcu_wait.c). */
void rcu_synchronize(void);
/* Wait until every callback queued before has run; sleeps (sched/rcu_wait.c). */
void rcu_barrier(void);

/* True when callbacks of this CPU have had their grace period; rcu_run_callbacks runs them,
 * preemption and interrupts on. */
bool rcu_callbacks_ready(void);
void rcu_run_callbacks(void);
/* Set by sched/: makes a thread of this CPU call rcu_run_callbacks soon. Interrupts off. NULL: they
 * run in the timer interrupt. */
extern void (*rcu_wake_worker)(void);

/* Hooks: the scheduler at every switch, the tick when it interrupted user mode or idle. Preemption
 * off. */
void rcu_quiescent(void);
void rcu_idle_enter(void);
void rcu_idle_exit(void);
/* From the timer interrupt: start and note grace periods; cheap when nothing is queued. */
void rcu_tick(void);
/* True while this CPU has callbacks that wait: keeps the tick alive. */
bool rcu_needs_cpu(void);

/* What this CPU owes to RCU; two bytes with different writers, read as one. */
union rcu_cpu_flags {
	struct {
		u8 need_quiescent; /* set by whoever starts a grace period, cleared by this CPU */
		u8 idle;	   /* this CPU's own */
	};
	u16 any;
};
DECLARE_PERCPU(union rcu_cpu_flags, rcu_cpu_flags);
void rcu_irq_enter_slow(bool quiescent);

/* From arch's interrupt entry, before the interrupt is counted: leaves idle, and notes that the
 * interrupted code was no reader. */
static inline void
rcu_irq_enter(void)
{
	if (unlikely(this_cpu_read(rcu_cpu_flags.any)))
		rcu_irq_enter_slow(!in_atomic());
}

#endif
