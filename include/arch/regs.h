/* SPDX-License-Identifier: MIT */
/*
 * struct regs: the user (or interrupted kernel) register frame at the top of the kernel stack, in
 *the layout of ptrace's user_regs where that exists (x86-64: struct user_regs_struct up to ss).
 *Accessors:
 *	regs_ip, regs_set_ip, regs_sp, regs_set_sp, regs_fp		program counter, stack, frame
 *pointer regs_syscall_nr (orig_rax; -1 if not in a system call), regs_set_syscall_nr regs_arg(regs,
 *0..5), regs_ret, regs_set_ret				system call arguments and result bool
 *regs_user(regs)						frame came from user mode void
 *regs_restart_syscall(regs)				back up the pc so that the call is issued
 *again ARCH_TRAP_PAGE_FAULT						number of a page fault, as a
 *signal frame shows it u64 arch_fault_error(present, write, exec)			its error
 *code there, for a fault in user mode
 */
#ifndef ARCH_REGS_H
#define ARCH_REGS_H
#include "arch_impl/regs.h"
#include "lib/types.h"

/* For panics: the registers through log_emerg. */
void arch_regs_print(const struct regs *regs);
#endif
