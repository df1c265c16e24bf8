/* SPDX-License-Identifier: MIT */
/*
 * The slow way into system calls: taken when the thread has a flag of TF_ENTRY_WORK. A tracer comes
 * first, so that filters see what it made of the call.
 */
#include "arch/regs.h"
#include "core/arch_upcalls.h"
#include "proc/ptrace.h"
#include "proc/seccomp.h"
#include "sched/thread.h"
#include "syscall/profile.h"

long
syscall_trace_enter(struct regs *regs, long nr)
{
	if (thread_flag_test(thread_current(), TF_SYSCALL_PROFILE))
		profile_call_enter();
	if (thread_flag_test(thread_current(), TF_SYSCALL_TRACE))
		nr = ptrace_syscall_enter(regs, nr);
	if (thread_flag_test(thread_current(), TF_SECCOMP))
		nr = seccomp_enter(regs, nr);
	return nr;
}

void
syscall_trace_exit(struct regs *regs)
{
	if (thread_flag_test(thread_current(), TF_SYSCALL_PROFILE))
		profile_call_exit(regs_syscall_nr(regs));
	if (thread_flag_test(thread_current(), TF_SYSCALL_TRACE))
		ptrace_syscall_exit(regs);
}
