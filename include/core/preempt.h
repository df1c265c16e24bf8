/* SPDX-License-Identifier: MIT */
/*
 * Preemption count: one 32-bit word per CPU, saved in the thread by the context switch.
 *
 *   bits 0-15   preempt_disable depth (spinlocks, RCU readers, per-CPU access)
 *   bits 16-23  hard interrupt depth
 *   bit 31      INVERTED need-resched: cleared when a reschedule is wanted, so that
 *               "count is zero" means "may be preempted now and should be", in one decrement.
 */
#ifndef CORE_PREEMPT_H
#define CORE_PREEMPT_H

#include "core/percpu.h"
#include "lib/types.h"

#define PREEMPT_OFFSET	   1u
#define PREEMPT_IRQ_OFFSET (1u << 16)
#define PREEMPT_IRQ_MASK   (0xffu << 16)
#define PREEMPT_NO_RESCHED (1u << 31)

DECLARE_PERCPU(u32, preempt_count);

/* sched/sched.c: called by preempt_enable when a reschedule is due; returns at once with interrupts
 * off. */
void sched_preempt(void);

static inline void
preempt_disable(void)
{
	this_cpu_inc(preempt_count);
	barrier();
}

/* Drop a level without looking whether a reschedule is due (the caller is about to schedule). */
static inline void
preempt_enable_no_resched(void)
{
	barrier();
	this_cpu_dec(preempt_count);
}

static inline void
preempt_enable(void)
{
	barrier();
	if (unlikely(this_cpu_dec_and_test(preempt_count)))
		sched_preempt();
}

static inline bool
in_irq(void)
{
	return this_cpu_read(preempt_count) & PREEMPT_IRQ_MASK;
}

/* True where sleeping is a bug. */
static inline bool
in_atomic(void)
{
	return (this_cpu_read(preempt_count) & ~PREEMPT_NO_RESCHED) != 0;
}

/* Ask this CPU to reschedule at the next chance (sched/ only; remote CPUs by arch_ipi_reschedule).
 */
static inline void
preempt_set_need_resched(void)
{
	this_cpu_and(preempt_count, ~PREEMPT_NO_RESCHED);
}

static inline void
preempt_clear_need_resched(void)
{
	this_cpu_or(preempt_count, PREEMPT_NO_RESCHED);
}

static inline bool
preempt_need_resched(void)
{
	return !(this_cpu_read(preempt_count) & PREEMPT_NO_RESCHED);
}

#endif
