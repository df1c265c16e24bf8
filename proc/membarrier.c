/* SPDX-License-Identifier: MIT */
/*
 * membarrier(2): a memory barrier on every CPU that runs the caller's threads (private) or any
 * program's (global).
 *
 * A CPU that switches into an address space passes full barriers (the run-queue lock, loading the
 * tables), so only the CPUs on which the space is loaded now need to be interrupted, and returning
 * from an interrupt to user mode serializes the instruction stream as well (SYNC_CORE). The global
 * form waits for an RCU grace period, in which every CPU passes the scheduler or user mode.
 */
#include "uapi/membarrier.h"
#include "arch/smp.h"
#include "core/cpumask.h"
#include "core/rcu.h"
#include "generated/syscalls.h"
#include "lib/atomic.h"
#include "mm/mm.h"
#include "task/task.h"
#include "uapi/errno.h"

#define MEMBARRIER_SUPPORTED                                                                      \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |            \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                    \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

static void
barrier_here(void *arg)
{
	smp_mb();
}

/* A critical section that is running there must start over: the thread looks at it on its way to
 * user mode. */
static void
rseq_restart_here(void *arg)
{
	struct thread *t = thread_current();

	smp_mb();
	if (t->mm == arg && t->rseq)
		thread_flag_set(t, TF_NOTIFY);
}

static void
membarrier_private(bool rseq, int cpu)
{
	struct mm *mm = current->thread.mm;
	void (*fn)(void *) = rseq ? rseq_restart_here : barrier_here;
	struct cpumask cpus = mm->space.cpus, one;

	/* The caller's accesses before, those of the others after it; and the other way round at
	 * the end. */
	smp_mb();
	if (cpu >= 0) {
		cpumask_zero(&one);
		if (cpumask_test(&cpus, (u32)cpu))
			cpumask_set(&one, (u32)cpu);
		cpus = one;
	}
	arch_ipi_call(&cpus, fn, mm, true);
	smp_mb();
}

/* The state has the registration commands' own bits. */
static void
membarrier_register(u32 command)
{
	__atomic_fetch_or(&current->thread.mm->membarrier_state, command, __ATOMIC_SEQ_CST);
}

static bool
membarrier_registered(u32 command)
{
	return READ_ONCE(current->thread.mm->membarrier_state) & command;
}

long
sys_membarrier(int command, unsigned int flags, int cpu)
{
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) {
		if (flags & ~MEMBARRIER_CMD_FLAG_CPU)
			return -EINVAL;
	} else if (flags) {
		return -EINVAL;
	}
	if (!(flags & MEMBARRIER_CMD_FLAG_CPU))
		cpu = -1;
	else if (cpu < 0 || (u32)cpu >= cpu_count)
		return 0;

	switch (command) {
	case MEMBARRIER_CMD_QUERY: return MEMBARRIER_SUPPORTED;
	case MEMBARRIER_CMD_GLOBAL: rcu_synchronize(); return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		smp_mb();
		arch_ipi_call(&cpu_online, barrier_here, NULL, true);
		smp_mb();
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		membarrier_register((u32)command);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		if (!membarrier_registered((u32)command << 1))
			return -EPERM;
		membarrier_private(command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, cpu);
		return 0;
	default: return -EINVAL;
	}
}
