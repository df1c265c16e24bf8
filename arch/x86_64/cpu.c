/* SPDX-License-Identifier: MIT */
/*
 * What the processor can do, code chosen by it, and the set-up of each CPU: descriptor tables,
 * control registers, the system call entry.
 *
 * Every CPU has its own GDT and TSS in its per-CPU area. The selectors are Linux's, because
 * programs see CS and SS. There is no 32-bit user segment, so there is no 32-bit user code.
 */
#include "arch/cpu.h"

#include "arch/percpu.h"
#include "arch/thread.h"
#include "asm.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "lib/string.h"
#include "x86.h"

#define GDT_ENTRIES	 16
#define EXCEPTION_STACKS 4

struct table_pointer {
	u16 limit;
	u64 base;
} __packed;

struct patch_site {
	u64 address;
	u8 feature, length;
	u8 bytes[6];
};

extern const struct patch_site patch_table_start[], patch_table_end[];
extern char syscall_entry[], syscall_entry_compat[];

u64 cpu_features;

__section(".percpu.first") __aligned(64) struct tss cpu_tss;
DEFINE_PERCPU(u64, cpu_user_sp);
static DEFINE_PERCPU(u64, cpu_gdt[GDT_ENTRIES]);

static void
feature_set(enum cpu_feature feature, bool present)
{
	if (present)
		cpu_features |= 1ul << feature;
}

void
cpu_detect_features(void)
{
	struct cpuid max = cpuid(0, 0), basic = cpuid(1, 0), extended = cpuid(0x80000001, 0);
	u32 max_extended = cpuid(0x80000000, 0).a;
	struct cpuid structured = max.a >= 7 ? cpuid(7, 0) : (struct cpuid){ 0 };

	feature_set(CPU_PGE, basic.d & BIT(13));
	feature_set(CPU_PCID, basic.c & BIT(17));
	feature_set(CPU_SSE42, basic.c & BIT(20));
	feature_set(CPU_X2APIC, basic.c & BIT(21));
	feature_set(CPU_TSC_DEADLINE, basic.c & BIT(24));
	feature_set(CPU_XSAVE, basic.c & BIT(26));
	feature_set(CPU_RDRAND, basic.c & BIT(30));
	feature_set(CPU_HYPERVISOR, basic.c & BIT(31));
	feature_set(CPU_FSGSBASE, structured.b & BIT(0));
	feature_set(CPU_SMEP, structured.b & BIT(7));
	feature_set(CPU_ERMS, structured.b & BIT(9));
	feature_set(CPU_INVPCID, structured.b & BIT(10));
	feature_set(CPU_RDSEED, structured.b & BIT(18));
	feature_set(CPU_SMAP, structured.b & BIT(20));
	feature_set(CPU_UMIP, structured.c & BIT(2));
	feature_set(CPU_RDPID, structured.c & BIT(22));
	feature_set(CPU_FSRM, structured.d & BIT(4));
	feature_set(CPU_NX, extended.d & BIT(20));
	feature_set(CPU_1G_PAGES, extended.d & BIT(26));
	feature_set(CPU_RDTSCP, extended.d & BIT(27));
	feature_set(CPU_TSC_INVARIANT,
		    max_extended >= 0x80000007 && cpuid(0x80000007, 0).d & BIT(8));
	feature_set(CPU_ARAT, max.a >= 6 && cpuid(6, 0).a & BIT(2));
	if (cpu_has(CPU_XSAVE) && max.a >= 0xd) {
		u32 save = cpuid(0xd, 1).a;

		feature_set(CPU_XSAVEOPT, save & BIT(0));
		feature_set(CPU_XSAVEC, save & BIT(1));
	}
	/* An emulator runs string instructions a byte at a time, whatever its CPU model promises.
	 */
	if (cpu_has(CPU_HYPERVISOR) && cpuid(0x40000000, 0).b == 0x54474354) /* "TCGT" */
		cpu_features &= ~(BIT(CPU_ERMS) | BIT(CPU_FSRM));
	spin_unfair = cpu_has(CPU_HYPERVISOR);
}

/* Once, while the image is still writable and only this CPU runs. */
void
cpu_patch_code(void)
{
	for (size_t i = 0; i < IMAGE_ENTRIES(patch_table_start, patch_table_end); i++) {
		const struct patch_site *p = &patch_table_start[i];

		if (cpu_has(p->feature))
			memcpy((void *)p->address, p->bytes, p->length);
	}
}

static void
gdt_load(u32 cpu)
{
	struct tss *tss = this_cpu_ptr(cpu_tss);
	u64 *gdt = *this_cpu_ptr(cpu_gdt), base = (u64)tss;
	struct table_pointer pointer = { GDT_ENTRIES * 8 - 1, (u64)gdt };

	memset(gdt, 0, GDT_ENTRIES * 8);
	gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
	gdt[USER_DS / 8] = 0x00cff3000000ffff;
	gdt[USER_CS / 8] = 0x00affb000000ffff;
	gdt[TSS_SELECTOR / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 |
				(base >> 24 & 0xff) << 56;
	gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
	gdt[CPU_SELECTOR / 8] = 0x0040f50000000000 | cpu;

	tss->io_map = sizeof(*tss);
	for (u32 n = 0; n < EXCEPTION_STACKS; n++) {
		u64 *top = mmu_exception_stack(cpu, n);

		/* entry.S finds the GS base just above the frame. */
		top[-2] = arch_percpu_base();
		tss->ist[n] = (u64)(top - 2);
	}
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%fs\n\t"
			 "ltr %w3"
			 :
			 : "m"(pointer), "i"(KERNEL_CS), "i"(KERNEL_DS), "r"(TSS_SELECTOR)
			 : "rax", "memory");
}

static void
control_registers_set(void)
{
	u64 cr4 = read_cr4() | CR4_DE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= cpu_has(CPU_UMIP) ? CR4_UMIP : 0;
	cr4 |= cpu_has(CPU_SMEP) ? CR4_SMEP : 0;
	cr4 |= cpu_has(CPU_SMAP) ? CR4_SMAP : 0;
	cr4 |= cpu_has(CPU_FSGSBASE) ? CR4_FSGSBASE : 0;
	cr4 |= cpu_has(CPU_PCID) ? CR4_PCIDE : 0;
	cr4 |= cpu_has(CPU_XSAVE) ? CR4_OSXSAVE : 0;
	write_cr4(cr4);
	write_cr0((read_cr0() | CR0_MP | CR0_NE | CR0_WP) & ~(CR0_EM | CR0_TS));
}

static void
syscall_msrs_set(u32 cpu)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	wrmsr(MSR_STAR, (u64)(USER_DS - 8) << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_entry);
	wrmsr(MSR_CSTAR, (u64)syscall_entry_compat);
	wrmsr(MSR_FMASK, FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_IOPL | FLAGS_NT | FLAGS_RF |
				 FLAGS_AC | FLAGS_CF);
	wrmsr(MSR_SYSENTER_CS, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	if (cpu_has(CPU_RDTSCP))
		wrmsr(0xc0000103, cpu); /* TSC_AUX: getcpu by rdtscp or rdpid */
}

void
cpu_setup(u32 cpu)
{
	gdt_load(cpu);
	traps_load_idt();
	control_registers_set();
	syscall_msrs_set(cpu);
	fpu_setup_cpu();
}

bool
arch_random(u64 *out)
{
	bool ok = false;

	for (u32 i = 0; i < 10 && !ok && cpu_has(CPU_RDSEED); i++)
		__asm__ volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
	for (u32 i = 0; i < 10 && !ok && cpu_has(CPU_RDRAND); i++)
		__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

u64
arch_elf_hwcap(void)
{
	return cpuid(1, 0).d;
}

/* Bit 1: the FSGSBASE instructions may be used. */
u64
arch_elf_hwcap2(void)
{
	return cpu_has(CPU_FSGSBASE) ? 2 : 0;
}

const char *
arch_elf_platform(void)
{
	return arch_machine_name;
}
