/* SPDX-License-Identifier: MIT */
/*
 * Everything that arch calls in the rooms above it. arch includes no header of a room above core;
 * it knows these names only.
 */
#ifndef CORE_ARCH_UPCALLS_H
#define CORE_ARCH_UPCALLS_H

#include "lib/types.h"

struct regs;
struct thread;

/* boot/main.c: first C code on the boot CPU, with boot_info filled, on a boot stack, interrupts
 * off. */
void kernel_main(void) __noreturn;
/* sched/: first code of another CPU, with its per-CPU base, GDT/IDT and local interrupt controller
 * set up. */
void cpu_main(void) __noreturn;

/*
 * mm/fault.c: page fault. `write`, `exec`, `user` from the error code. Interrupts are on if they
 * were on in the faulting context. From user mode a failure ends in a signal. From kernel mode
 * returns false when the address is no user address or the fault cannot be resolved: arch then
 * looks into the exception table and panics if that fails.
 */
bool mm_fault(struct regs *regs, uintptr_t addr, bool write, bool exec, bool user);

/* task/signal.c: a CPU exception in user mode: force signal `sig` with `code` and address. */
void task_exception(struct regs *regs, int sig, int code, uintptr_t addr, int trapno, u64 error);

/*
 * proc/sigdelivery.c: on the way back to user mode with pending work (thread flags, see
 * sched/thread.h). Interrupts on at entry and at return; arch loops (with interrupts off) until no
 * flag is left. `syscall_nr` is the number of the system call we return from, or -1 after an
 * interrupt or exception.
 */
void task_return_work(struct regs *regs, long syscall_nr);
/* syscall/: entry and exit of traced system calls (ptrace, seccomp, trace=). Returns the number to
 * run, or -1 to skip. */
long syscall_trace_enter(struct regs *regs, long nr);
void syscall_trace_exit(struct regs *regs);

/* sched/: reschedule interrupt and tick-less accounting of entries are done inside the handlers. */
void sched_ipi(void);	   /* another CPU asked this one to reschedule */
void sched_irq_exit(void); /* after every interrupt that may preempt kernel code: preempt if due */
void sched_thread_start(struct thread *prev); /* first thing a new thread does, on its own stack */

#endif
