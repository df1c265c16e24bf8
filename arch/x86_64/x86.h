/* SPDX-License-Identifier: MIT */
/*
 * The machine as the files of this port see it: instructions, model-specific registers, CPU
 * features, and the few functions that they call in each other. Names from the Intel and AMD
 * manuals.
 */
#ifndef ARCH_X86_64_X86_H
#define ARCH_X86_64_X86_H

#include "arch/mmu.h"
#include "arch/thread.h"
#include "core/image.h"
#include "core/percpu.h"
#include "lib/types.h"

#define MSR_APIC_BASE	   0x1bu
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_X2APIC	   0x800u
#define MSR_PAT		   0x277u
#define MSR_SYSENTER_CS	   0x174u
#define MSR_EFER	   0xc0000080u
#define MSR_STAR	   0xc0000081u
#define MSR_LSTAR	   0xc0000082u
#define MSR_CSTAR	   0xc0000083u
#define MSR_FMASK	   0xc0000084u
#define MSR_FS_BASE	   0xc0000100u
#define MSR_GS_BASE	   0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_NXE BIT(11)

#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)

#define CR4_TSD	       BIT(2)
#define CR4_DE	       BIT(3)
#define CR4_PGE	       BIT(7)
#define CR4_MCE	       BIT(6)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define FLAGS_CF   BIT(0)
#define FLAGS_TF   BIT(8)
#define FLAGS_IF   BIT(9)
#define FLAGS_DF   BIT(10)
#define FLAGS_IOPL (3ul << 12)
#define FLAGS_NT   BIT(14)
#define FLAGS_RF   BIT(16)
#define FLAGS_AC   BIT(18)
#define FLAGS_ID   BIT(21)
/* What a program may change: CF PF AF ZF SF TF DF OF NT RF AC. */
#define FLAGS_USER (FLAGS_CF | 0x8d4ul | FLAGS_TF | FLAGS_DF | FLAGS_NT | FLAGS_RF | FLAGS_AC)

/* Segment selectors, at the places where Linux has them: programs see CS and SS. */
#define KERNEL_CS    0x10
#define KERNEL_DS    0x18
#define USER_DS	     0x2b
#define USER_CS	     0x33
#define TSS_SELECTOR 0x40
#define CPU_SELECTOR 0x7b /* a segment whose limit is the CPU number, for getcpu by lsl */

/* Interrupt vectors. */
#define VECTOR_FIRST_DEVICE 0x20
#define VECTOR_LAST_DEVICE  0xef
#define VECTOR_TIMER	    0xf0
#define VECTOR_RESCHEDULE   0xf1
#define VECTOR_CALL	    0xf2
#define VECTOR_TLB	    0xf3
#define VECTOR_ERROR	    0xfe
#define VECTOR_SPURIOUS	    0xff

/* What the CPUs can do: the boot CPU's answer, which all others are taken to share. */
enum cpu_feature {
	CPU_NX,
	CPU_PGE,
	CPU_1G_PAGES,
	CPU_PCID,
	CPU_INVPCID,
	CPU_SMEP,
	CPU_SMAP,
	CPU_UMIP,
	CPU_FSGSBASE,
	CPU_ERMS,
	CPU_FSRM,
	CPU_SSE42,
	CPU_XSAVE,
	CPU_XSAVEOPT,
	CPU_XSAVEC,
	CPU_X2APIC,
	CPU_TSC_DEADLINE,
	CPU_RDTSCP,
	CPU_RDPID,
	CPU_RDRAND,
	CPU_RDSEED,
	CPU_TSC_INVARIANT,
	CPU_HYPERVISOR,
	CPU_ARAT,
	CPU_FEATURES
};

extern u64 cpu_features;

static inline bool
cpu_has(enum cpu_feature feature)
{
	return cpu_features >> feature & 1;
}

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid
cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64
rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void
wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

#define X86_CR_ACCESSORS(name)                                                \
	static inline u64 read_##name(void)                                   \
	{                                                                     \
		u64 value;                                                    \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));        \
		return value;                                                 \
	}                                                                     \
	static inline void write_##name(u64 value)                            \
	{                                                                     \
		__asm__ volatile("mov %0, %%" #name ::"r"(value) : "memory"); \
	}

X86_CR_ACCESSORS(cr0)
X86_CR_ACCESSORS(cr2)
X86_CR_ACCESSORS(cr3)
X86_CR_ACCESSORS(cr4)

/* cpu.c: entry code takes its stack from sp[0], exceptions theirs from ist[]. */
struct tss {
	u32 reserved0;
	u64 sp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_map;
} __packed;

DECLARE_PERCPU(struct tss, cpu_tss);
DECLARE_PERCPU(u64, cpu_user_sp);
void cpu_detect_features(void);
void cpu_patch_code(void);
/* crc.c: the CRC instruction for lib/crc.h. */
void crc_detect(void);
/* Descriptor tables, control registers, system call entry of this CPU; its per-CPU base is set. */
void cpu_setup(u32 cpu);

extern u64 boot_cycles; /* clock.c: the TSC at the first C instruction */

/* traps.c */
struct regs;
void traps_init(void);
void traps_load_idt(void);

/* mmu.c: addresses fixed at boot, in a slot of their own. */
#define FIXED_BASE 0xffffff0000000000ul /* exception stacks, then device registers */
extern bool mmu_ready;
void mmu_init(void);
/* Device registers, uncached; usable until mm_init has run. Never unmapped. */
volatile void *mmu_map_device(paddr_t pa, size_t len);
/* Makes firmware's tables visible in the direct map. */
void *mmu_map_firmware(paddr_t pa, size_t len);
/* Exception stacks of a CPU, each with a guard page below: returns the top of stack n. */
void *mmu_exception_stack(u32 cpu, u32 n);
void mmu_map_exception_stacks(u32 cpu);
bool mmu_is_guard(uintptr_t address);
/* The address of a low page for the code that starts other CPUs, and the tables it runs on. */
paddr_t mmu_boot_root(void);
void mmu_cpu_init(void);

/* fpu.c; more in fpu.h */
void fpu_init(void);
void fpu_setup_cpu(void);

/* tlb.c, smp.c: interrupts between CPUs. */
void tlb_ipi(void);
void smp_call_ipi(void);
bool smp_stopping(void);

/* irq.c: what an interrupt vector is for. */
void irq_dispatch_arch(struct regs *regs, u32 vector);

#endif
