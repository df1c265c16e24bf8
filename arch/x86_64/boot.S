/* SPDX-License-Identifier: MIT */
/*
 * First instructions.
 *
 * The PVH protocol (Xen's "x86/HVM direct boot ABI", used by QEMU, Cloud Hypervisor and Firecracker)
 * enters at the address in the note: 32-bit protected mode, no paging, flat segments, EBX = physical
 * address of struct hvm_start_info. From there to 64-bit mode on tables that map the first 4 GiB of
 * memory three times: at 0, in the direct map and (1 GiB of it) at the kernel's own address.
 */
#define BASE 0xffffffff80000000
#define PHYS(symbol) ((symbol) - BASE)

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18			/* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long PHYS(pvh_entry)

	.section .text.head, "ax"
	.code32
	.globl pvh_entry
pvh_entry:
	cld
	cli
	movl $PHYS(boot_stack_top), %esp
	movl %ebx, %ebp

	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc no_long_mode

	/* 4 GiB in 2 MiB pages: present, writable, large. */
	movl $PHYS(boot_pd), %edi
	movl $0x83, %eax
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x200000, %eax
	jnc 1b

	movl $PHYS(boot_pdpt), %edi
	movl $PHYS(boot_pd) + 3, %eax
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x1000, %eax
	loop 1b
	movl $PHYS(boot_pd) + 3, PHYS(boot_pdpt_image) + 510 * 8

	movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4)
	movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4) + 0x111 * 8
	movl $PHYS(boot_pdpt_image) + 3, PHYS(boot_pml4) + 511 * 8

	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80010001, %eax		/* PG, WP, PE */
	movl %eax, %cr0
	lgdt PHYS(boot_gdt_pointer)
	ljmp $0x10, $PHYS(enter_64)

no_long_mode:
	movl $PHYS(no_long_mode_text), %esi
	movw $0x3f8, %dx
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	hlt
	jmp 2b
no_long_mode_text:
	.asciz "kevlar: this processor has no 64-bit mode\r\n"

	.code64
enter_64:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movabsq $enter_high, %rax
	jmp *%rax
enter_high:
	movq $boot_stack_top, %rsp
	pushq $2
	popfq
	movl %ebp, %edi
	xorl %ebp, %ebp			/* ends backtraces */
	pushq $0
	call arch_start
	ud2

	.section .rodata.boot, "a"
	.balign 8
boot_gdt:
	.quad 0, 0
	.quad 0x00af9b000000ffff	/* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff	/* 0x18: data */
boot_gdt_pointer:
	.word . - boot_gdt - 1
	.quad PHYS(boot_gdt)

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pdpt_image:
	.skip 4096
boot_pd:
	.skip 4 * 4096
	/* The page below the boot stack is a guard page from mmu_init on. */
	.globl boot_stack_guard, boot_stack, boot_stack_top
boot_stack_guard:
	.skip 4096
boot_stack:
	.skip 16384
boot_stack_top:
