/* SPDX-License-Identifier: MIT */
/* Interrupt controllers: how core/irq.c routes device interrupts to vectors of CPUs. */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include "lib/types.h"

/* Vectors that devices may be given: [ARCH_IRQ_FIRST, ARCH_IRQ_LAST]; the same on every CPU. */
#define ARCH_IRQ_FIRST	 0x20
#define ARCH_IRQ_LAST	 0xef
#define ARCH_IRQ_VECTORS 256

/* flags: IRQ_* of core/irq.h. -EINVAL: no controller serves that line. Unmasked on return. */
int arch_irq_route(u32 gsi, u32 flags, u32 cpu, u32 vector);
void arch_irq_unroute(u32 gsi);
/* The line and trigger mode of an old ISA interrupt number; firmware may have moved it. */
u32 arch_irq_isa(u32 isa_irq, u32 *flags);
/* What a device must write where to raise `vector` on `cpu`. */
void arch_irq_message(u32 cpu, u32 vector, u64 *address, u32 *data);
/* The interrupts that are not devices': a label of three letters, a space, words ("LOC Local timer
 * interrupts"); NULL for others. */
const char *arch_irq_name(u32 vector);

#endif
