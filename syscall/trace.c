/* SPDX-License-Identifier: MIT */
/*
 * The traced way into system calls: taken when the thread has a flag of TF_ENTRY_WORK. Today that
 * is ptrace(2) alone; seccomp(2) is not built.
 */
#include "core/arch_upcalls.h"
#include "proc/ptrace.h"
#include "sched/thread.h"

long
syscall_trace_enter(struct regs *regs, long nr)
{
	if (thread_flag_test(thread_current(), TF_SYSCALL_TRACE))
		return ptrace_syscall_enter(regs, nr);
	return nr;
}

void
syscall_trace_exit(struct regs *regs)
{
	if (thread_flag_test(thread_current(), TF_SYSCALL_TRACE))
		ptrace_syscall_exit(regs);
}
