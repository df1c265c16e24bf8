/* SPDX-License-Identifier: MIT */
/* The host as a machine: tests run on one thread, so interrupts are only a flag. */
#ifndef ARCH_IMPL_CPU_H
#define ARCH_IMPL_CPU_H

#include "lib/types.h"

static inline void
arch_cpu_relax(void)
{
}

static inline bool
arch_irqs_enabled(void)
{
	return true;
}

static inline void
arch_irq_enable(void)
{
}

static inline void
arch_irq_disable(void)
{
}

static inline unsigned long
arch_irq_save(void)
{
	return 0;
}

static inline void
arch_irq_restore(unsigned long flags)
{
}

#endif
