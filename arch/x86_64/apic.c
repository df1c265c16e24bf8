/* SPDX-License-Identifier: MIT */
/*
 * The local interrupt controller: x2APIC by MSRs where there is one, xAPIC by its registers in
 * memory otherwise; and the processors of the MADT, whose ids it uses.
 */
#include "apic.h"
#include "acpi.h"
#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/smp.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "lib/string.h"
#include "x86.h"

#define REG_ID		  0x20
#define REG_TPR		  0x80
#define REG_EOI		  0xb0
#define REG_LDR		  0xd0
#define REG_DFR		  0xe0
#define REG_SVR		  0xf0
#define REG_ERROR	  0x280
#define REG_ICR		  0x300
#define REG_ICR_HIGH	  0x310
#define REG_LVT_TIMER	  0x320
#define REG_LVT_LINT0	  0x350
#define REG_LVT_LINT1	  0x360
#define REG_LVT_ERROR	  0x370
#define REG_TIMER_INITIAL 0x380
#define REG_TIMER_CURRENT 0x390
#define REG_TIMER_DIVIDE  0x3e0

#define BASE_ENABLE	 BIT(11)
#define BASE_X2		 BIT(10)
#define SVR_ENABLE	 BIT(8)
#define LVT_MASKED	 BIT(16)
#define LVT_NMI		 (4u << 8)
#define LVT_TSC_DEADLINE (2u << 17)
#define ICR_PENDING	 BIT(12)
#define ICR_ASSERT	 BIT(14)
#define ICR_NMI		 (4u << 8)
#define ICR_INIT	 (5u << 8)
#define ICR_STARTUP	 (6u << 8)
#define ICR_ALL_OTHERS	 (3u << 18)

#define MADT_LAPIC	 0
#define MADT_IOAPIC	 1
#define MADT_OVERRIDE	 2
#define MADT_X2APIC	 9
#define MADT_CPU_ENABLED BIT(0)

struct madt {
	struct acpi_header header;
	u32 lapic_address, flags;
} __packed;

u32 apic_id_of_cpu[MAX_CPUS];

static volatile u8 *registers; /* NULL with x2APIC */

static u32
apic_read(u32 reg)
{
	if (!registers)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile u32 *)(registers + reg);
}

static void
apic_write(u32 reg, u32 value)
{
	if (!registers)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile u32 *)(registers + reg) = value;
}

u32
apic_id(void)
{
	return registers ? apic_read(REG_ID) >> 24 : apic_read(REG_ID);
}

void
apic_eoi(void)
{
	apic_write(REG_EOI, 0);
}

static void
icr_write(u32 destination, u32 command)
{
	unsigned long flags;

	if (!registers) {
		/* Stores of what the receiver is to see must not be overtaken by the MSR write. */
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC + REG_ICR / 16, (u64)destination << 32 | command);
		return;
	}
	flags = arch_irq_save();
	while (apic_read(REG_ICR) & ICR_PENDING)
		arch_cpu_relax();
	apic_write(REG_ICR_HIGH, destination << 24);
	apic_write(REG_ICR, command);
	arch_irq_restore(flags);
}

void
apic_send_ipi(u32 cpu, u8 vector)
{
	icr_write(apic_id_of_cpu[cpu], (u32)ICR_ASSERT | vector);
}

void
apic_send_nmi_others(void)
{
	if (registers || cpu_has(CPU_X2APIC))
		icr_write(0, ICR_ALL_OTHERS | ICR_NMI | (u32)ICR_ASSERT);
}

void
apic_broadcast_init(void)
{
	icr_write(0, ICR_ALL_OTHERS | ICR_INIT | (u32)ICR_ASSERT);
}

void
apic_broadcast_startup(u8 page)
{
	icr_write(0, ICR_ALL_OTHERS | ICR_STARTUP | (u32)ICR_ASSERT | page);
}

void
apic_timer_set_deadline_mode(void)
{
	apic_write(REG_LVT_TIMER, VECTOR_TIMER | LVT_TSC_DEADLINE);
	/* The mode must be in force before the first deadline is written. */
	__asm__ volatile("mfence" ::: "memory");
}

void
apic_timer_set_count_mode(void)
{
	apic_write(REG_TIMER_DIVIDE, 0xb); /* by 1 */
	apic_write(REG_LVT_TIMER, VECTOR_TIMER);
}

void
apic_timer_count(u32 count)
{
	apic_write(REG_TIMER_INITIAL, count);
}

u32
apic_timer_remaining(void)
{
	return apic_read(REG_TIMER_CURRENT);
}

void
apic_setup_cpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	wrmsr(MSR_APIC_BASE, base | BASE_ENABLE | (registers ? 0 : BASE_X2));
	if (registers) {
		apic_write(REG_DFR, 0xffffffff);
		apic_write(REG_LDR, 0);
	}
	apic_write(REG_TPR, 0);
	apic_write(REG_LVT_TIMER, LVT_MASKED);
	apic_write(REG_LVT_LINT0, LVT_MASKED);
	apic_write(REG_LVT_LINT1, cpu_id() == 0 ? LVT_NMI : (u32)LVT_MASKED);
	apic_write(REG_LVT_ERROR, VECTOR_ERROR);
	apic_write(REG_SVR, (u32)SVR_ENABLE | VECTOR_SPURIOUS);
}

u32
apic_errors(void)
{
	apic_write(REG_ERROR, 0);
	return apic_read(REG_ERROR);
}

/* Vectors 0x20-0x2f for what the old controllers might still say; then never hear of them again. */
static void
legacy_pic_disable(void)
{
	static const struct {
		u8 port, value;
	} sequence[] = {
		{ 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 }, { 0xa1, 0x28 }, { 0x21, 0x04 },
		{ 0xa1, 0x02 }, { 0x21, 0x01 }, { 0xa1, 0x01 }, { 0x21, 0xff }, { 0xa1, 0xff },
	};

	for (u32 i = 0; i < ARRAY_SIZE(sequence); i++)
		arch_out8(sequence[i].port, sequence[i].value);
}

static void
cpu_add(u32 id, u32 flags, u32 max_cpus, u32 *ignored)
{
	if (!(flags & MADT_CPU_ENABLED) || id == apic_id_of_cpu[0])
		return;
	if (cpu_count == max_cpus || (registers && id >= 255)) {
		(*ignored)++;
		return;
	}
	apic_id_of_cpu[cpu_count] = id;
	cpumask_set(&cpu_possible, cpu_count++);
}

static void
madt_walk(const struct madt *madt, u32 max_cpus)
{
	const u8 *p = (const u8 *)(madt + 1), *end = (const u8 *)madt + madt->header.length;
	u32 ignored = 0;

	for (; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1]) {
		u32 word[4] = { 0 };

		memcpy(word, p, MIN_T(size_t, p[1], sizeof(word)));
		switch (p[0]) {
		case MADT_LAPIC:
			if (p[1] >= 8)
				cpu_add(p[3], word[1], max_cpus, &ignored);
			break;
		case MADT_X2APIC:
			if (p[1] >= 16)
				cpu_add(word[1], word[2], max_cpus, &ignored);
			break;
		case MADT_IOAPIC:
			if (p[1] >= 12)
				ioapic_add(word[1], word[2]);
			break;
		case MADT_OVERRIDE:
			if (p[1] >= 10)
				ioapic_override(p[3], word[1], (u16)word[2]);
			break;
		default: break;
		}
	}
	if (ignored)
		log_info("smp: %u CPUs more than are used\n", ignored);
}

void
arch_smp_detect(u32 max_cpus)
{
	const struct madt *madt;

	acpi_init();
	if (!cpu_has(CPU_X2APIC))
		registers = mmu_map_device(rdmsr(MSR_APIC_BASE) & X86_PTE_ADDR, PAGE_SIZE);
	legacy_pic_disable();
	apic_setup_cpu();
	apic_id_of_cpu[0] = apic_id();
	cpumask_set(&cpu_possible, 0);
	cpumask_set(&cpu_online, 0);
	cpu_count = 1;
	madt = (const struct madt *)acpi_find("APIC", sizeof(*madt));
	if (madt)
		madt_walk(madt, CLAMP(max_cpus, 1u, (u32)MAX_CPUS));
	else
		ioapic_add(0xfec00000, 0);
	for (u32 cpu = 1; cpu < cpu_count; cpu++)
		mmu_map_exception_stacks(cpu);
}
