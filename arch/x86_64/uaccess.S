/* SPDX-License-Identifier: MIT */
/*
 * Copies from, to and within user memory.
 *
 * Short copies go word by word. From STRING_MIN bytes on the CPU's string instructions move more
 * than a loop can: rep movsq on every CPU, rep movsb for all but the shortest where it is fast
 * (patched in at boot). A fault in a copy of words goes on in the byte loop, which does again what may
 * have been half done and so stops at the very byte: EDX (RDX) is what is left to do, and the result.
 */
#include "macros.inc"

	.text

#define STRING_MIN	256

/* size_t arch_copy_*_user(void *dst, const void *src, size_t len): the bytes not done. */
	.globl arch_copy_from_user, arch_copy_to_user
arch_copy_from_user:
arch_copy_to_user:
	STAC
	cmpq $64, %rdx
	jb 2f
773:	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00	/* becomes jmp copy_string */
	.pushsection .patch_table, "a"
	.quad 773b
	.byte FEATURE_ERMS, 5, 0xe9
	.long copy_string - 773b - 5
	.byte 0
	.popsection
	cmpq $STRING_MIN, %rdx
	jae copy_words
1:	MAY_FAULT 4f, movq (%rsi), %rax
	MAY_FAULT 4f, movq 8(%rsi), %rcx
	MAY_FAULT 4f, movq 16(%rsi), %r8
	MAY_FAULT 4f, movq 24(%rsi), %r9
	MAY_FAULT 4f, movq %rax, (%rdi)
	MAY_FAULT 4f, movq %rcx, 8(%rdi)
	MAY_FAULT 4f, movq %r8, 16(%rdi)
	MAY_FAULT 4f, movq %r9, 24(%rdi)
	MAY_FAULT 4f, movq 32(%rsi), %rax
	MAY_FAULT 4f, movq 40(%rsi), %rcx
	MAY_FAULT 4f, movq 48(%rsi), %r8
	MAY_FAULT 4f, movq 56(%rsi), %r9
	MAY_FAULT 4f, movq %rax, 32(%rdi)
	MAY_FAULT 4f, movq %rcx, 40(%rdi)
	MAY_FAULT 4f, movq %r8, 48(%rdi)
	MAY_FAULT 4f, movq %r9, 56(%rdi)
	addq $64, %rsi
	addq $64, %rdi
	subq $64, %rdx
	cmpq $64, %rdx
	jae 1b
2:	cmpq $8, %rdx
	jb 4f
3:	MAY_FAULT 4f, movq (%rsi), %rax
	MAY_FAULT 4f, movq %rax, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	subq $8, %rdx
	cmpq $8, %rdx
	jae 3b
4:	testq %rdx, %rdx
	jz 6f
5:	MAY_FAULT 6f, movb (%rsi), %al
	MAY_FAULT 6f, movb %al, (%rdi)
	incq %rsi
	incq %rdi
	decq %rdx
	jnz 5b
6:	CLAC
	movq %rdx, %rax
	ret

copy_string:
	movq %rdx, %rcx
	MAY_FAULT 7f, rep movsb
7:	CLAC
	movq %rcx, %rax
	ret

copy_words:
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
	MAY_FAULT 8f, rep movsq
	jmp 4b
8:	leaq (%rdx, %rcx, 8), %rdx
	jmp 5b

/* size_t arch_clear_user(void *dst, size_t len) */
	.globl arch_clear_user
arch_clear_user:
	STAC
	xorl %eax, %eax
	cmpq $64, %rsi
	jb 2f
	cmpq $STRING_MIN, %rsi
	jae 7f
1:	MAY_FAULT 4f, movq %rax, (%rdi)
	MAY_FAULT 4f, movq %rax, 8(%rdi)
	MAY_FAULT 4f, movq %rax, 16(%rdi)
	MAY_FAULT 4f, movq %rax, 24(%rdi)
	MAY_FAULT 4f, movq %rax, 32(%rdi)
	MAY_FAULT 4f, movq %rax, 40(%rdi)
	MAY_FAULT 4f, movq %rax, 48(%rdi)
	MAY_FAULT 4f, movq %rax, 56(%rdi)
	addq $64, %rdi
	subq $64, %rsi
	cmpq $64, %rsi
	jae 1b
2:	cmpq $8, %rsi
	jb 4f
3:	MAY_FAULT 4f, movq %rax, (%rdi)
	addq $8, %rdi
	subq $8, %rsi
	cmpq $8, %rsi
	jae 3b
4:	testq %rsi, %rsi
	jz 6f
5:	MAY_FAULT 6f, movb %al, (%rdi)
	incq %rdi
	decq %rsi
	jnz 5b
6:	CLAC
	movq %rsi, %rax
	ret
7:	movq %rsi, %rcx
	shrq $3, %rcx
	andl $7, %esi
	MAY_FAULT 8f, rep stosq
	jmp 4b
8:	leaq (%rsi, %rcx, 8), %rsi
	jmp 5b

/* ssize_t arch_strncpy_from_user(char *dst, const char *src, size_t max) */
	.globl arch_strncpy_from_user
arch_strncpy_from_user:
	STAC
	xorl %eax, %eax
	testq %rdx, %rdx
	jz 2f
1:	MAY_FAULT 3f, movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	testb %cl, %cl
	jz 2f
	incq %rax
	cmpq %rdx, %rax
	jb 1b
2:	CLAC
	ret
3:	CLAC
	movq $-14, %rax
	ret

/* u64 arch_get_user(const void *src, size_t size, bool *fault) */
	.globl arch_get_user
arch_get_user:
	STAC
	cmpl $8, %esi
	je 8f
	cmpl $4, %esi
	je 4f
	cmpl $2, %esi
	je 2f
	MAY_FAULT 9f, movzbl (%rdi), %eax
	CLAC
	ret
2:	MAY_FAULT 9f, movzwl (%rdi), %eax
	CLAC
	ret
4:	MAY_FAULT 9f, movl (%rdi), %eax
	CLAC
	ret
8:	MAY_FAULT 9f, movq (%rdi), %rax
	CLAC
	ret
9:	CLAC
	movb $1, (%rdx)
	xorl %eax, %eax
	ret

/* int arch_put_userBITS(void *dst, u64 value): 0 or -EFAULT */
.macro PUT_USER bits, insn, value
	.globl arch_put_user\bits
arch_put_user\bits:
	STAC
	MAY_FAULT put_user_fault, \insn \value, (%rdi)
	CLAC
	xorl %eax, %eax
	ret
.endm

	PUT_USER 8, movb, %sil
	PUT_USER 16, movw, %si
	PUT_USER 32, movl, %esi
	PUT_USER 64, movq, %rsi

put_user_fault:
	CLAC
	movl $-14, %eax
	ret

/* bool arch_user_cmpxchg32(u32 *uaddr, u32 expect, u32 desired, u32 *seen) */
	.globl arch_user_cmpxchg32
arch_user_cmpxchg32:
	STAC
	movl %esi, %eax
	MAY_FAULT user_atomic_fault, lock cmpxchgl %edx, (%rdi)
	CLAC
	movl %eax, (%rcx)
	movl $1, %eax
	ret

/* bool arch_user_xchg32(u32 *uaddr, u32 value, u32 *old), and fetch_add32 */
	.globl arch_user_xchg32
arch_user_xchg32:
	STAC
	MAY_FAULT user_atomic_fault, xchgl %esi, (%rdi)
	CLAC
	movl %esi, (%rdx)
	movl $1, %eax
	ret

	.globl arch_user_fetch_add32
arch_user_fetch_add32:
	STAC
	MAY_FAULT user_atomic_fault, lock xaddl %esi, (%rdi)
	CLAC
	movl %esi, (%rdx)
	movl $1, %eax
	ret

user_atomic_fault:
	CLAC
	xorl %eax, %eax
	ret

/* bool arch_user_fetch_OP32(u32 *uaddr, u32 value, u32 *old) */
.macro USER_FETCH name, insn
	.globl \name
\name:
	STAC
	MAY_FAULT user_atomic_fault, movl (%rdi), %eax
1:	movl %eax, %ecx
	\insn %esi, %ecx
	MAY_FAULT user_atomic_fault, lock cmpxchgl %ecx, (%rdi)
	jne 1b
	CLAC
	movl %eax, (%rdx)
	movl $1, %eax
	ret
.endm

	USER_FETCH arch_user_fetch_or32, orl
	USER_FETCH arch_user_fetch_and32, andl
	USER_FETCH arch_user_fetch_xor32, xorl
