/* SPDX-License-Identifier: MIT */
/*
 * CPUs that have nothing to do, and how CPUs join.
 *
 * Each CPU has an idle thread, on no queue, chosen when the queue is empty. It runs with preemption
 * off and switches away by itself whenever something has come; until then the CPU halts, with no
 * tick. Before halting it looks whether a crowded CPU has a thread to spare.
 *
 * The boot CPU's idle thread is the one that has run since the first instruction; the others' start
 * in cpu_main, on a stack that sched_idle_stack made.
 */
#include "sched_internal.h"

#include "core/arch_upcalls.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/rcu.h"
#include "mm/kstack.h"

static DEFINE_PERCPU(struct thread, idle_thread) = { .is_kernel = true, .is_idle = true };
/* Valid from the first instruction of the boot CPU; those of other CPUs are set before they start.
 */
DEFINE_PERCPU(struct thread *, current_thread) = &idle_thread;

struct atomic64 sched_forks;

void
sched_init(void)
{
	struct thread *idle = percpu_ptr(idle_thread, 0);

	thread_setup_idle(idle, 0, NULL);
	rq_init(rq_of(0), 0, idle);
	cpumask_set(&cpu_online, 0);
}

void *
sched_idle_stack(u32 cpu)
{
	struct thread *idle = percpu_ptr(idle_thread, cpu);
	void *stack = kstack_alloc();

	if (!stack) {
		log_err("CPU %u: no memory for its idle thread\n", cpu);
		return NULL;
	}
	thread_setup_idle(idle, cpu, stack);
	*percpu_ptr(current_thread, cpu) = idle;
	rq_init(rq_of(cpu), cpu, idle);
	return stack;
}

static void
idle_halt(void)
{
	arch_irq_disable();
	if (preempt_need_resched() || !rq_is_idle(rq_this())) {
		arch_irq_enable();
		return;
	}
	rcu_idle_enter();
	arch_cpu_idle();
	rcu_idle_exit();
}

void
sched_idle(void)
{
	preempt_disable();
	arch_irq_enable();
	for (;;) {
		if (!balance_pull_idle())
			idle_halt();
		if (preempt_need_resched() || !rq_is_idle(rq_this()))
			sched_switch(true);
	}
}

/* The port has set up the CPU and marked it online. */
void
cpu_main(void)
{
	sched_idle();
}
