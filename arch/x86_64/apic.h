/* SPDX-License-Identifier: MIT */
/* Local and I/O interrupt controllers. */
#ifndef ARCH_X86_64_APIC_H
#define ARCH_X86_64_APIC_H

#include "arch/mmu.h"
#include "core/percpu.h"
#include "lib/types.h"

extern u32 apic_id_of_cpu[MAX_CPUS];

void apic_setup_cpu(void);
u32 apic_id(void);
void apic_eoi(void);
u32 apic_errors(void);
void apic_send_ipi(u32 cpu, u8 vector);
void apic_send_nmi_others(void);
void apic_broadcast_init(void);
void apic_broadcast_startup(u8 page);

/* The timer: in deadline mode MSR_TSC_DEADLINE arms it, else a count of apic_timer_hz (clock.c). */
void apic_timer_set_deadline_mode(void);
void apic_timer_set_count_mode(void);
void apic_timer_count(u32 count);
u32 apic_timer_remaining(void);

/* irq.c */
void ioapic_add(paddr_t address, u32 gsi_base);
void ioapic_override(u32 isa_irq, u32 gsi, u16 flags);

#endif
