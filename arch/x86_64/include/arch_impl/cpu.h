/* SPDX-License-Identifier: MIT */
/* Inline part of arch/cpu.h. */
#ifndef ARCH_IMPL_CPU_H
#define ARCH_IMPL_CPU_H

#include "lib/types.h"

#define X86_FLAGS_IF (1ul << 9)

static inline void
arch_cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline unsigned long
arch_irq_flags(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
	return flags;
}

static inline bool
arch_irqs_enabled(void)
{
	return arch_irq_flags() & X86_FLAGS_IF;
}

static inline void
arch_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void
arch_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline unsigned long
arch_irq_save(void)
{
	unsigned long flags = arch_irq_flags();

	arch_irq_disable();
	return flags;
}

static inline void
arch_irq_restore(unsigned long flags)
{
	if (flags & X86_FLAGS_IF)
		arch_irq_enable();
}

/* sti takes effect after the next instruction, so no interrupt fits between it and hlt. */
static inline void
arch_cpu_idle(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

static inline void __noreturn
arch_cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}

static inline u64
arch_cycles(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

static inline void
arch_prefetch(const void *address)
{
	__builtin_prefetch(address);
}

#endif
