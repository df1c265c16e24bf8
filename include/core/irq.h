/* SPDX-License-Identifier: MIT */
/* Device interrupts: legacy lines (GSI) and message-signalled vectors. Handlers run with interrupts
 * off. */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include "core/percpu.h"
#include "lib/types.h"

typedef void irq_handler(void *arg);

#define IRQ_LEVEL      BIT(0)
#define IRQ_ACTIVE_LOW BIT(1)

/* Route a global system interrupt to a CPU and call handler(arg). 0 or -EBUSY/-EINVAL/-ENOSPC.
 * Lines may be shared. */
int irq_request_gsi(u32 gsi, u32 flags, irq_handler *handler, void *arg, const char *name);
void irq_free_gsi(u32 gsi, irq_handler *handler, void *arg);
/* Allocate a vector for MSI/MSI-X on `cpu`; fills what the device must write. */
int irq_request_msi(u32 cpu, irq_handler *handler, void *arg, const char *name, u64 *msg_addr,
		    u32 *msg_data);
void irq_free_msi(irq_handler *handler, void *arg);

/* In a handler: did this interrupt hit user mode? (The tick samples by it.) */
bool irq_from_user(void);
/* In a handler: what was interrupted. NULL outside of one. */
struct regs;
const struct regs *irq_regs(void);

/*
 * Work that a handler leaves for right after the interrupt, with interrupts on if that can be: the
 * network's. irq_after_raise in a handler; irq_after is then called once at the interrupt's end,
 * interrupts off, the interrupt no longer counted. from_user: it hit user mode, so the kernel stack
 * is empty. It may enable interrupts meanwhile and must not be preempted then.
 */
extern void (*irq_after)(bool from_user);
DECLARE_PERCPU(bool, irq_after_pending);
static inline void
irq_after_raise(void)
{
	this_cpu_write(irq_after_pending, true);
}

/* Count an interrupt of arch's own (timer, IPI) on this CPU. */
void irq_count(u32 vector);
/* All of them on one CPU, for /proc/stat. */
u64 irq_count_cpu(u32 cpu);
/* Dispatch from arch's entry: vector to handler, accounting for /proc/interrupts. */
void irq_dispatch(u32 vector);
/*
 * Walk for /proc/interrupts: calls fn for each line in use with its name and per-CPU counts
 * (cpu_count of them). Lines are global system interrupts; message-signalled ones are numbered by
 * vector from 256; arch's own ("LOC Local timer interrupts", ...) have line IRQ_LINE_ARCH.
 */
#define IRQ_LINE_ARCH (~0u)
void
irq_for_each(void (*fn)(void *ctx, u32 line, const char *name, const u32 *count_by_cpu), void *ctx);

#endif
