/* SPDX-License-Identifier: MIT */
/*
 * Interrupt vectors: the CPUs' own, and device lines through I/O APICs.
 *
 * Lines are masked until a driver asks for them. Firmware's overrides say where an ISA interrupt
 * really arrives and how it is triggered; a driver that names an ISA number goes through
 * arch_irq_isa.
 */
#include "arch/irq.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/regs.h"
#include "core/arch_upcalls.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "traps.h"
#include "uapi/errno.h"
#include "x86.h"

#define IOAPIC_MAX	8
#define ISA_IRQS	16
#define REG_VERSION	1
#define REG_REDIRECT	0x10
#define REDIRECT_MASKED BIT(16)
#define REDIRECT_LEVEL	BIT(15)
#define REDIRECT_LOW	BIT(13)
#define POLARITY_MASK	3u /* of an override's flags */
#define POLARITY_LOW	3u
#define TRIGGER_MASK	(3u << 2)
#define TRIGGER_LEVEL	(3u << 2)

struct ioapic {
	volatile u32 *registers;
	u32 gsi_base, lines;
};

static struct ioapic ioapics[IOAPIC_MAX];
static u32 ioapic_count;
static struct {
	u32 gsi, flags;
	bool given;
} isa_irqs[ISA_IRQS];
static struct spinlock ioapic_lock = SPINLOCK_INIT(RANK_LEAF);

static u32
ioapic_read(const struct ioapic *io, u32 reg)
{
	io->registers[0] = reg;
	return io->registers[4];
}

static void
ioapic_write(const struct ioapic *io, u32 reg, u32 value)
{
	io->registers[0] = reg;
	io->registers[4] = value;
}

void
ioapic_add(paddr_t address, u32 gsi_base)
{
	struct ioapic *io = &ioapics[ioapic_count];

	if (ioapic_count == IOAPIC_MAX)
		return;
	io->registers = mmu_map_device(address, 0x20);
	io->gsi_base = gsi_base;
	io->lines = (ioapic_read(io, REG_VERSION) >> 16 & 0xff) + 1;
	for (u32 i = 0; i < io->lines; i++)
		ioapic_write(io, REG_REDIRECT + 2 * i, REDIRECT_MASKED);
	ioapic_count++;
}

void
ioapic_override(u32 isa_irq, u32 gsi, u16 flags)
{
	if (isa_irq >= ISA_IRQS)
		return;
	isa_irqs[isa_irq].given = true;
	isa_irqs[isa_irq].gsi = gsi;
	isa_irqs[isa_irq].flags = ((flags & TRIGGER_MASK) == TRIGGER_LEVEL ? IRQ_LEVEL : 0) |
				  ((flags & POLARITY_MASK) == POLARITY_LOW ? IRQ_ACTIVE_LOW : 0);
}

u32
arch_irq_isa(u32 isa_irq, u32 *flags)
{
	if (isa_irq < ISA_IRQS && isa_irqs[isa_irq].given) {
		*flags = isa_irqs[isa_irq].flags;
		return isa_irqs[isa_irq].gsi;
	}
	*flags = 0;
	return isa_irq;
}

static const struct ioapic *
ioapic_of(u32 gsi)
{
	for (u32 i = 0; i < ioapic_count; i++)
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].lines)
			return &ioapics[i];
	return NULL;
}

int
arch_irq_route(u32 gsi, u32 flags, u32 cpu, u32 vector)
{
	const struct ioapic *io = ioapic_of(gsi);
	u32 low = vector, reg;
	unsigned long irq;

	if (!io || apic_id_of_cpu[cpu] > 255)
		return -EINVAL;
	low |= flags & IRQ_LEVEL ? (u32)REDIRECT_LEVEL : 0;
	low |= flags & IRQ_ACTIVE_LOW ? (u32)REDIRECT_LOW : 0;
	reg = REG_REDIRECT + 2 * (gsi - io->gsi_base);
	irq = spin_lock_irqsave(&ioapic_lock);
	ioapic_write(io, reg, REDIRECT_MASKED);
	ioapic_write(io, reg + 1, apic_id_of_cpu[cpu] << 24);
	ioapic_write(io, reg, low);
	spin_unlock_irqrestore(&ioapic_lock, irq);
	return 0;
}

void
arch_irq_unroute(u32 gsi)
{
	const struct ioapic *io = ioapic_of(gsi);
	unsigned long irq = spin_lock_irqsave(&ioapic_lock);

	if (io)
		ioapic_write(io, REG_REDIRECT + 2 * (gsi - io->gsi_base), REDIRECT_MASKED);
	spin_unlock_irqrestore(&ioapic_lock, irq);
}

void
arch_irq_message(u32 cpu, u32 vector, u64 *address, u32 *data)
{
	*address = 0xfee00000ul | (u64)(apic_id_of_cpu[cpu] & 0xff) << 12;
	*data = vector;
}

const char *
arch_irq_name(u32 vector)
{
	switch (vector) {
	case VECTOR_TIMER: return "LOC Local timer interrupts";
	case VECTOR_RESCHEDULE: return "RES Rescheduling interrupts";
	case VECTOR_CALL: return "CAL Function call interrupts";
	case VECTOR_TLB: return "TLB TLB shootdowns";
	case VECTOR_ERROR: return "ERR APIC errors";
	case VECTOR_SPURIOUS: return "SPU Spurious interrupts";
	default: return NULL;
	}
}

void
irq_dispatch_arch(struct regs *regs, u32 vector)
{
	switch (vector) {
	case VECTOR_TIMER:
		apic_eoi();
		irq_count(vector);
		timer_interrupt();
		return;
	case VECTOR_RESCHEDULE:
		apic_eoi();
		irq_count(vector);
		sched_ipi();
		return;
	case VECTOR_CALL:
		apic_eoi();
		irq_count(vector);
		smp_call_ipi();
		return;
	case VECTOR_TLB:
		apic_eoi();
		irq_count(vector);
		tlb_ipi();
		return;
	case VECTOR_ERROR:
		irq_count(vector);
		log_warn("apic: error %02x on CPU %u\n", apic_errors(), cpu_id());
		apic_eoi();
		return;
	case VECTOR_SPURIOUS: irq_count(vector); return;
	default: irq_dispatch(vector); apic_eoi();
	}
}
