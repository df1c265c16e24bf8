/* SPDX-License-Identifier: MIT */
/*
 * RCU: the part that sleeps. Waiting for grace periods, and the threads that run callbacks. Grace
 * periods themselves are core/rcu.c.
 *
 * Each CPU has a thread, bound to it, that the timer interrupt wakes when callbacks are due; it
 * starts to run at the first such wake-up, on its CPU.
 */
#include "sched_internal.h"

#include "arch/smp.h"
#include "core/cpumask.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "sched/mutex.h"
#include "sched/wait.h"

struct rcu_waiter {
	struct rcu_head head;
	struct completion done;
};

static void
rcu_waiter_done(struct rcu_head *head)
{
	complete(&container_of(head, struct rcu_waiter, head)->done);
}

void
rcu_synchronize(void)
{
	struct rcu_waiter w;

	completion_init(&w.done);
	rcu_call(&w.head, rcu_waiter_done);
	completion_wait(&w.done);
}

/* One callback behind all others on every CPU; one barrier at a time, for the heads are static. */
static DEFINE_PERCPU(struct rcu_head, barrier_head);
static struct mutex barrier_lock = MUTEX_INIT(barrier_lock, RANK_SLEEP_LEAF);
static struct atomic32 barrier_left;
static struct completion barrier_done;

static void
barrier_callback(struct rcu_head *head)
{
	if (atomic_dec_and_test(&barrier_left))
		complete(&barrier_done);
}

static void
barrier_queue(void *arg)
{
	rcu_call(this_cpu_ptr(barrier_head), barrier_callback);
}

void
rcu_barrier(void)
{
	u32 cpu, cpus = 0;

	mutex_lock(&barrier_lock);
	completion_init(&barrier_done);
	cpumask_for_each(cpu, &cpu_online) cpus++;
	atomic_set(&barrier_left, (int)cpus);
	preempt_disable();
	barrier_queue(NULL);
	if (cpus > 1)
		arch_ipi_call(&cpu_online, barrier_queue, NULL, true);
	preempt_enable();
	completion_wait(&barrier_done);
	mutex_unlock(&barrier_lock);
}

/* ---- callbacks ---- */

static DEFINE_PERCPU(struct thread *, rcu_thread);

static void
rcu_thread_main(void *arg)
{
	for (;;) {
		thread_set_state(THREAD_INTERRUPTIBLE);
		if (rcu_callbacks_ready()) {
			thread_set_state(THREAD_RUNNABLE);
			rcu_run_callbacks();
		} else {
			schedule();
		}
	}
}

static void
rcu_thread_wake(void)
{
	thread_wake(this_cpu_read(rcu_thread));
}

void
rcu_threads_start(void)
{
	for (u32 cpu = 0; cpu < cpu_count; cpu++) {
		struct thread *t = thread_create(rcu_thread_main, NULL, "rcu/%u", cpu);

		if (!t)
			panic("no memory for the RCU threads");
		thread_bind(t, cpu);
		*percpu_ptr(rcu_thread, cpu) = t;
	}
	smp_store_release(&rcu_wake_worker, rcu_thread_wake);
}
