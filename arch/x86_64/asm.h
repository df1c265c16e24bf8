/* SPDX-License-Identifier: MIT */
/* What the assembly files share with C: offsets (checked in traps.c) and macros. */
#ifndef ARCH_X86_64_ASM_H
#define ARCH_X86_64_ASM_H

/* struct regs */
#define R15	  0
#define R14	  8
#define R13	  16
#define R12	  24
#define BP	  32
#define BX	  40
#define R11	  48
#define R10	  56
#define R9	  64
#define R8	  72
#define AX	  80
#define CX	  88
#define DX	  96
#define SI	  104
#define DI	  112
#define ORIG_AX	  120
#define IP	  128
#define CS	  136
#define FLAGS	  144
#define SP	  152
#define SS	  160
#define REGS_SIZE 168

#define TSS_SP0 4

/* thread->flags: see sched/thread.h and arch/thread.h. */
#define ENTRY_WORK 0x300
#define EXIT_WORK  0x30317
#define NO_RESCHED 0x80000000

#define SEL_USER_DS 0x2b
#define SEL_USER_CS 0x33

#ifdef __ASSEMBLY__

/* The rest of struct regs below orig_ax. */
.macro SAVE_REGS pushq % rdi pushq % rsi pushq % rdx pushq % rcx pushq % rax pushq % r8 pushq %
	r9 pushq % r10 pushq % r11 pushq % rbx pushq % rbp pushq % r12 pushq % r13 pushq %
	r14 pushq %
	r15.endm

		.macro RESTORE_REGS popq %
	r15 popq % r14 popq % r13 popq % r12 popq % rbp popq % rbx popq % r11 popq % r10 popq %
	r9 popq % r8 popq % rax popq % rcx popq % rdx popq % rsi popq %
	rdi.endm

		/* An instruction that may fault on user memory, and where to go on then. */
		.macro MAY_FAULT fixup,
	insn : vararg 771 :	\insn.pushsection.exception_table,
	"a".long 771b + 0x80000000, \fixup +
					    0x80000000 /* less the kernel's base */
						    .popsection
						    .endm

/* Numbers in enum cpu_feature, for code that cpu.c replaces at boot if the CPU has the feature. */
#define FEATURE_SMAP 6
#define FEATURE_ERMS 9

						    /* Three-byte no-operations that become stac and clac. */
						    .macro STAC 773 :.byte 0x0f,
	0x1f, 0x00.pushsection.patch_table, "a".quad 773b.byte FEATURE_SMAP, 3, 0x0f, 0x01, 0xcb, 0,
	0,
	0.popsection
		.endm

		.macro CLAC 773 :.byte 0x0f,
	0x1f, 0x00.pushsection.patch_table, "a".quad 773b.byte FEATURE_SMAP, 3, 0x0f, 0x01, 0xca, 0,
	0, 0.popsection.endm

#endif
#endif
