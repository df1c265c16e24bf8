/* SPDX-License-Identifier: MIT */
/*
 * The run queue and what the files of sched/ share.
 *
 * A thread that is runnable belongs to the queue of thread->cpu. Everything about its scheduling is
 * protected by that queue's lock, also while it sleeps; thread->cpu changes only under the lock of
 * the queue it leaves. No two run-queue locks are ever held together: a thread that changes queues
 * is marked MOVING_RQ under the lock of the old one and inserted under the lock of the new one, and
 * in between everybody leaves it alone (a waker finds it runnable, set_affinity changes the mask
 * and the mover looks at it again).
 *
 * The lock is held across the context switch, by prev before and by next after it. Whoever holds
 * the lock and finds a thread off the queue therefore knows that it has left its CPU and its stack.
 */
#ifndef SCHED_INTERNAL_H
#define SCHED_INTERNAL_H

#include "arch/cpu.h"
#include "core/percpu.h"
#include "core/preempt.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "core/timer.h"
#include "fair.h"
#include "rt.h"
#include "sched/sched.h"
#include "sched/thread.h"

#define TICK_NS 4000000ull

struct run_queue {
	struct spinlock lock;
	u32 cpu;
	u32 count; /* runnable threads, the idle one not counted; others read it without the lock */
	bool resched_sent; /* an interrupt is on its way, or the queue is about to look anyway */
	struct thread *curr, *idle;
	u64 clock; /* when curr was last charged */
	struct fair_queue fair;
	u64 switches;
	s32 uninterruptible; /* sleepers that count for the load average */

	/* tick.c; by this CPU with interrupts off */
	struct timer tick;
	bool tick_active;
	u64 tick_last;
	u64 user_ns, nice_ns, system_ns;

	/* balance.c; by this CPU */
	u64 balance_next, rotate_next;

	struct rt_queue rt;
} __aligned(64);

DECLARE_PERCPU(struct run_queue, run_queue);

static inline struct run_queue *
rq_of(u32 cpu)
{
	return percpu_ptr(run_queue, cpu);
}

/* Preemption off. */
static inline struct run_queue *
rq_this(void)
{
	return this_cpu_ptr(run_queue);
}

static inline bool
rq_is_idle(const struct run_queue *rq)
{
	return READ_ONCE(rq->count) == 0;
}

/* sched.c */

void rq_init(struct run_queue *rq, u32 cpu, struct thread *idle);
/* The locked run queue that t belongs to. Interrupts off. */
struct run_queue *thread_rq_lock(struct thread *t);
/* Bring the running thread's account up to date. */
void rq_charge(struct run_queue *rq);
/* Have rq's CPU choose again. */
void rq_resched(struct run_queue *rq);
/* Insert a runnable thread and see whether it should run at once. `urgent`: not if it would push
 * away a waker who sleeps soon. */
void rq_activate(struct run_queue *rq, struct thread *t, enum fair_reason why, bool urgent);
void rq_remove(struct run_queue *rq, struct thread *t, enum fair_reason why);
/* Take a waiting thread off rq, to be given to rq_insert_moving when rq is unlocked. */
void rq_take_moving(struct run_queue *rq, struct thread *t, u32 to_cpu);
void rq_insert_moving(struct thread *t, enum fair_reason why, bool urgent);
/* Around a change of class, weight or priority of a thread on rq. */
void rq_change_begin(struct run_queue *rq, struct thread *t);
void rq_change_end(struct run_queue *rq, struct thread *t);
/* Preemption off, interrupts in any state; returns with interrupts on. `preempt`: stays runnable
 * whatever its state says. */
void sched_switch(bool preempt);

/* thread.c */
void thread_bury(struct thread *t); /* it is dead and off its stack */
void thread_setup_idle(struct thread *t, u32 cpu, void *kstack);

/* mutex.c: is it worth spinning for a lock of this owner? RCU read lock held. */
bool owner_runs(const struct thread *owner);

/* params.c */
u32 thread_weight(const struct thread *t);

/* balance.c */
u32 balance_wake_cpu(struct thread *t, bool *sync);
u32 balance_new_cpu(struct thread *t, bool *sync);
void balance_fork_slept(struct thread *parent, u64 now);
u32 balance_allowed_cpu(struct thread *t); /* any online one of its affinity */
bool balance_pull_idle(void); /* this CPU has nothing to do: true if it found something */
void balance_tick(struct run_queue *rq); /* interrupt context, rq is this CPU's, not locked */

/* tick.c */
void tick_init(struct run_queue *rq);
void tick_start(struct run_queue *rq); /* leaving idle; rq locked */

/* rcu_wait.c */
void rcu_threads_start(void);

#endif
