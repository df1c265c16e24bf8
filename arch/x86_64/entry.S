/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * All entries build struct regs on the thread's kernel stack, swap GS when they come from user mode,
 * clear the direction flag and AC (the gate of SYSCALL does both by its flag mask).
 *
 * A system call returns by sysret with only the registers that C may have changed reloaded, if no
 * work is left: thread->flags and the preemption count are looked at once, with interrupts off. What
 * changes the frame (rt_sigreturn, execve, ptrace) sets a flag and so takes the full way out. sysret
 * needs no check of the address on the short way: the last page of the lower half is never mapped,
 * so the address behind a syscall instruction is canonical.
 *
 * Exceptions that can hit between a switch of mode and swapgs (NMI, machine check, double fault,
 * debug) run on stacks of their own, at whose top lies the GS base of the CPU.
 */
#include "macros.inc"
#include "generated/syscall_nr.h"

	.section .text.entry, "ax"

	.globl syscall_entry, syscall_entry_compat
syscall_entry:
	swapgs
	movq %rsp, %gs:cpu_user_sp
	movq %gs:cpu_tss + TSS_SP0, %rsp
	pushq $SEL_USER_DS
	pushq %gs:cpu_user_sp
	pushq %r11
	pushq $SEL_USER_CS
	pushq %rcx
	pushq %rax
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq $-38			/* ax: -ENOSYS until there is a result */
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %gs:current_thread, %rbx
	xorl %ebp, %ebp			/* backtraces end here */
	sti
	testl $ENTRY_WORK, (%rbx)
	jnz syscall_traced
	cmpl $NR_syscalls, %eax
	jae syscall_unknown
	movl %eax, %eax
	movq %r10, %rcx
	call *syscall_table(, %rax, 8)
syscall_done:
	movq %rax, AX(%rsp)
syscall_exit:
	cli
	testl $EXIT_WORK, (%rbx)
	jnz syscall_exit_slow
	cmpl $NO_RESCHED, %gs:preempt_count
	jne syscall_exit_slow
	movq AX(%rsp), %rax
	movq BX(%rsp), %rbx
	movq BP(%rsp), %rbp
	movq R10(%rsp), %r10
	movq R9(%rsp), %r9
	movq R8(%rsp), %r8
	movq DX(%rsp), %rdx
	movq SI(%rsp), %rsi
	movq DI(%rsp), %rdi
	movq IP(%rsp), %rcx
	movq FLAGS(%rsp), %r11
	movq SP(%rsp), %rsp
	swapgs
	sysretq

syscall_unknown:
	movq $-38, %rax
	jmp syscall_done

syscall_traced:
	movq %rsp, %rdi
	call syscall_enter_work
	cmpq $NR_syscalls, %rax		/* unsigned: -1, skip, is out of range */
	jae syscall_exit
	movq DI(%rsp), %rdi
	movq SI(%rsp), %rsi
	movq DX(%rsp), %rdx
	movq R10(%rsp), %rcx
	movq R8(%rsp), %r8
	movq R9(%rsp), %r9
	call *syscall_table(, %rax, 8)
	jmp syscall_done

/* Interrupts are off. Comes back with them off and no work left; says whether sysret will do. */
syscall_exit_slow:
	movq %rsp, %rdi
	call syscall_exit_work
	testb %al, %al
	jz return_to_user
	RESTORE_REGS
	movq SP - ORIG_AX(%rsp), %rsp
	swapgs
	sysretq

/* From 32-bit code, which no descriptor lets exist. */
syscall_entry_compat:
	movl $-38, %eax
	sysretl

/* First return of a forked thread, see switch.S: the frame is at the top of the stack. */
	.globl fork_return, arch_enter_user
fork_return:
	cli
	movq %gs:current_thread, %rbx
	jmp syscall_exit_slow

arch_enter_user:
	cli
	movq %rdi, %rsp
	movq %gs:current_thread, %rbx
	jmp syscall_exit_slow

/* Ordinary exceptions: `error` is 1 if the CPU pushes an error code. */
.macro EXCEPTION name, handler, error
	.globl \name
\name:
	.if \error == 0
	pushq $0
	.endif
	cld
	testb $3, 16(%rsp)
	jz 1f
	swapgs
1:	SAVE_REGS
	CLAC
	movq ORIG_AX(%rsp), %rsi
	movq $-1, ORIG_AX(%rsp)
	movq %rsp, %rdi
	call \handler
	jmp exception_return
.endm

	EXCEPTION entry_divide, trap_divide, 0
	EXCEPTION entry_breakpoint, trap_breakpoint, 0
	EXCEPTION entry_overflow, trap_overflow, 0
	EXCEPTION entry_bounds, trap_bounds, 0
	EXCEPTION entry_opcode, trap_opcode, 0
	EXCEPTION entry_no_fpu, trap_no_fpu, 0
	EXCEPTION entry_tss, trap_tss, 1
	EXCEPTION entry_segment, trap_segment, 1
	EXCEPTION entry_stack, trap_stack, 1
	EXCEPTION entry_protection, trap_protection, 1
	EXCEPTION entry_page_fault, trap_page_fault, 1
	EXCEPTION entry_x87, trap_x87, 0
	EXCEPTION entry_alignment, trap_alignment, 1
	EXCEPTION entry_simd, trap_simd, 0
	EXCEPTION entry_unexpected, trap_unexpected, 0

exception_return:
	testb $3, CS(%rsp)
	jz return_to_kernel
	cli
	movq %gs:current_thread, %rbx
	testl $EXIT_WORK, (%rbx)
	jnz 1f
	cmpl $NO_RESCHED, %gs:preempt_count
	je return_to_user
1:	movq %rsp, %rdi
	call exception_exit_work
return_to_user:
	RESTORE_REGS
	addq $8, %rsp
	swapgs
	iretq

return_to_kernel:
	RESTORE_REGS
	addq $8, %rsp
	iretq

/* Interrupts: 16 bytes a stub, for vectors from 0x20 up. */
	.balign 16
	.globl interrupt_stubs
interrupt_stubs:
	.set vector, 0x20
	.rept 256 - 0x20
	.balign 16
	pushq $vector - 256		/* in one signed byte or four: always below zero */
	jmp interrupt_entry
	.set vector, vector + 1
	.endr

interrupt_entry:
	cld
	testb $3, 16(%rsp)
	jz 1f
	swapgs
1:	SAVE_REGS
	CLAC
	movl ORIG_AX(%rsp), %esi
	addl $256, %esi
	movq $-1, ORIG_AX(%rsp)
	movq %rsp, %rdi
	call interrupt_handle
	jmp exception_return

/* The four with stacks of their own. */
.macro PARANOID name, handler, error
	.globl \name
\name:
	.if \error == 0
	pushq $0
	.endif
	cld
	SAVE_REGS
	CLAC
	movl $0xc0000101, %ecx		/* GS base: the program's, or ours already? Keep it, load ours. */
	rdmsr
	movl %eax, %r12d
	movl %edx, %r13d
	movl REGS_SIZE(%rsp), %eax
	movl REGS_SIZE + 4(%rsp), %edx
	wrmsr
	movq ORIG_AX(%rsp), %rsi
	movq $-1, ORIG_AX(%rsp)
	movq %rsp, %rdi
	call \handler
	movl $0xc0000101, %ecx
	movl %r12d, %eax
	movl %r13d, %edx
	wrmsr
	jmp return_to_kernel
.endm

	PARANOID entry_nmi, trap_nmi, 0
	PARANOID entry_double_fault, trap_double_fault, 1
	PARANOID entry_machine_check, trap_machine_check, 0
	PARANOID entry_debug_kernel, trap_debug, 0

/* From user mode move to the thread's stack, for the trap ends in a signal. */
	.globl entry_debug
entry_debug:
	testb $3, 8(%rsp)
	jz entry_debug_kernel
	cld
	swapgs
	pushq %rax
	movq %rsp, %rax
	movq %gs:cpu_tss + TSS_SP0, %rsp
	pushq 40(%rax)
	pushq 32(%rax)
	pushq 24(%rax)
	pushq 16(%rax)
	pushq 8(%rax)
	movq (%rax), %rax
	pushq $-1
	SAVE_REGS
	CLAC
	movq %rsp, %rdi
	xorl %esi, %esi
	call trap_debug
	jmp exception_return
