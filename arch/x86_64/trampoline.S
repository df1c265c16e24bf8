/* SPDX-License-Identifier: MIT */
/*
 * Where the other CPUs begin: real mode, at the start of a page below 1 MiB that smp.c copied this to.
 * They all come at once and do the same: to 64-bit mode on the boot tables, then each looks itself up
 * by its APIC id. One that is not in the table (beyond maxcpus=) halts.
 */
#define PAGE 0x8000
#define AT(symbol) (PAGE + (symbol) - trampoline_start)
#define BASE 0xffffffff80000000

	.section .rodata.trampoline, "a"
	.globl trampoline_start, trampoline_end
	.code16
trampoline_start:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl AT(trampoline_gdt_pointer)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $0x08, $AT(trampoline_32)

	.code32
trampoline_32:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %cr4, %eax
	orl $0xa0, %eax			/* PAE, PGE */
	movl %eax, %cr4
	movl $(boot_pml4 - BASE), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x900, %eax		/* EFER: LME, NXE */
	wrmsr
	movl %cr0, %eax
	andl $0x9fffffff, %eax		/* caches on: CD and NW off */
	orl $0x80010021, %eax		/* PG, WP, NE, PE */
	movl %eax, %cr0
	ljmpl $0x10, $AT(trampoline_64)

	.code64
trampoline_64:
	movabsq $cpu_start, %rax
	jmp *%rax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 0x08: 32-bit code */
	.quad 0x00af9b000000ffff	/* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff	/* 0x18: data */
trampoline_gdt_pointer:
	.word . - trampoline_gdt - 1
	.long AT(trampoline_gdt)
trampoline_end:

	.section .text.entry, "ax"
cpu_start:
	movl $0x18, %eax
	movl %eax, %ss
	xorl %eax, %eax
	cpuid
	cmpl $0xb, %eax
	jb 1f
	movl $0xb, %eax
	xorl %ecx, %ecx
	cpuid
	testl %ebx, %ebx
	movl %edx, %esi
	jnz 2f
1:	movl $1, %eax
	cpuid
	shrl $24, %ebx
	movl %ebx, %esi
2:	movl cpu_count, %ecx
	xorl %edi, %edi
3:	incl %edi
	cmpl %ecx, %edi
	jae 4f
	cmpl %esi, apic_id_of_cpu(, %rdi, 4)
	jne 3b
	movq smp_stack_top(, %rdi, 8), %rsp
	testq %rsp, %rsp
	jz 4f
	movq smp_root, %rax
	movq %rax, %cr3
	xorl %ebp, %ebp
	pushq $0
	call smp_cpu_start
4:	cli
	hlt
	jmp 4b
