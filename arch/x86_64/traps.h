/* SPDX-License-Identifier: MIT */
/* Entry code and the C functions it calls. */
#ifndef ARCH_X86_64_TRAPS_H
#define ARCH_X86_64_TRAPS_H

#include "core/percpu.h"
#include "lib/types.h"

struct regs;
struct thread;
struct arch_thread;

/* struct thread begins with its flags; more of it is not known here. */
DECLARE_PERCPU(struct thread *, current_thread);
DECLARE_PERCPU(struct arch_thread *, arch_current);
void arch_thread_debug_status(u64 status);
#define TF_ARCH_RESCHED	  0x02 /* sched/thread.h: TF_RESCHED */
#define TF_ARCH_USER_WORK 0x15 /* TF_SIGPENDING, TF_NOTIFY, TF_RESTORE_MASK */

void entry_divide(void);
void entry_debug(void);
void entry_nmi(void);
void entry_breakpoint(void);
void entry_overflow(void);
void entry_bounds(void);
void entry_opcode(void);
void entry_no_fpu(void);
void entry_double_fault(void);
void entry_tss(void);
void entry_segment(void);
void entry_stack(void);
void entry_protection(void);
void entry_page_fault(void);
void entry_x87(void);
void entry_alignment(void);
void entry_machine_check(void);
void entry_simd(void);
void entry_unexpected(void);

void trap_divide(struct regs *regs, u64 error);
void trap_debug(struct regs *regs, u64 error);
void trap_nmi(struct regs *regs, u64 error);
void trap_breakpoint(struct regs *regs, u64 error);
void trap_overflow(struct regs *regs, u64 error);
void trap_bounds(struct regs *regs, u64 error);
void trap_opcode(struct regs *regs, u64 error);
void trap_no_fpu(struct regs *regs, u64 error);
void trap_double_fault(struct regs *regs, u64 error);
void trap_tss(struct regs *regs, u64 error);
void trap_segment(struct regs *regs, u64 error);
void trap_stack(struct regs *regs, u64 error);
void trap_protection(struct regs *regs, u64 error);
void trap_page_fault(struct regs *regs, u64 error);
void trap_x87(struct regs *regs, u64 error);
void trap_alignment(struct regs *regs, u64 error);
void trap_machine_check(struct regs *regs, u64 error);
void trap_simd(struct regs *regs, u64 error);
void trap_unexpected(struct regs *regs, u64 error);

void exception_exit_work(struct regs *regs);
bool syscall_exit_work(struct regs *regs);
long syscall_enter_work(struct regs *regs);
void interrupt_handle(struct regs *regs, u32 vector);

#endif
