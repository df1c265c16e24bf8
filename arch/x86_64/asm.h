/* SPDX-License-Identifier: MIT */
/* What the assembly files share with C: offsets, checked in traps.c and cpu.c. */
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
#define ENTRY_WORK 0x700
#define EXIT_WORK  0x30317
#define NO_RESCHED 0x80000000

/* Numbers in enum cpu_feature, for code that cpu.c replaces at boot if the CPU has the feature. */
#define FEATURE_SMAP 6
#define FEATURE_ERMS 9

#define SEL_USER_DS 0x2b
#define SEL_USER_CS 0x33

#endif
