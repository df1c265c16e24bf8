/* SPDX-License-Identifier: MIT */
/* Where traced tasks stop, as the system call entry sees it. */
#ifndef PROC_PTRACE_H
#define PROC_PTRACE_H

struct regs;

/* The current task is traced. The number to run, which the tracer may have changed; -1: none. */
long ptrace_syscall_enter(struct regs *regs, long nr);
void ptrace_syscall_exit(struct regs *regs);

#endif
