/* SPDX-License-Identifier: MIT */
/*
 * struct regs: the user (or interrupted kernel) register frame at the top of the kernel stack, in
 * the layout of ptrace's user_regs where that exists (x86-64: user_regs_struct up to ss).
 *
 *	regs_ip, regs_set_ip		program counter
 *	regs_sp, regs_set_sp		stack pointer
 *	regs_fp				frame pointer
 *	regs_syscall_nr			number of the call; -1 if not in a system call
 *	regs_set_syscall_nr
 *	regs_arg(regs, 0..5)		arguments of the call
 *	regs_ret, regs_set_ret		and its result
 *	regs_user(regs)			the frame came from user mode
 *	regs_restart_syscall(regs)	back up the pc so that the call is issued again
 *	ARCH_TRAP_PAGE_FAULT		number of a page fault, as a signal frame shows it
 *	arch_fault_error(present, write, exec)
 *					and its error code there, for a fault in user mode
 */
#ifndef ARCH_REGS_H
#define ARCH_REGS_H
#include "arch_impl/regs.h"
#include "lib/types.h"

/* For panics: the registers through log_emerg. */
void arch_regs_print(const struct regs *regs);
#endif
