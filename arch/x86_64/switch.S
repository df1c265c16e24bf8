/* SPDX-License-Identifier: MIT */
/* The bottom of a context switch: callee-saved registers and the stack pointer; see thread.c. */
#include "asm.h"

	.text

/* struct thread *switch_stacks(prev, next, u64 *prev_sp, u64 next_sp): returns prev, on next's stack. */
	.globl switch_stacks
switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdx)
	movq %rcx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	movq %rdi, %rax
	ret

/* A new thread's first switch comes here, with prev in RAX, fn in RBX, arg in R12 (thread.c). */
	.globl kernel_thread_start, user_thread_start
kernel_thread_start:
	movq %rax, %rdi
	xorl %ebp, %ebp
	call sched_thread_start
	movq %r12, %rdi
	call *%rbx
	ud2				/* fn ends its thread and does not return */

user_thread_start:
	movq %rax, %rdi
	xorl %ebp, %ebp
	call sched_thread_start
	jmp fork_return
