/* SPDX-License-Identifier: MIT */
/*
 * The processor itself.
 *
 *	void arch_cpu_relax(void)		spin-wait hint
 *	bool arch_irqs_enabled(void)
 *	void arch_irq_enable(void)
 *	void arch_irq_disable(void)
 *	unsigned long arch_irq_save(void)	disables, returns the former state
 *	void arch_irq_restore(unsigned long)
 *	void arch_cpu_idle(void)		with interrupts off: enables them and halts in one
 *						step, until one comes; returns with them on
 *	void arch_cpu_halt(void)		for ever, interrupts off
 *	u64 arch_cycles(void)			time-stamp counter, unordered
 *	void arch_prefetch(const void *)
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H
#include "arch_impl/cpu.h"
#include "lib/types.h"

/* One CPU's text for /proc/cpuinfo, in Linux's format for this architecture. */
struct strbuf;
void arch_cpuinfo(struct strbuf *sb, u32 cpu);
/* AT_HWCAP, AT_HWCAP2, AT_PLATFORM ("x86_64"), AT_MINSIGSTKSZ. */
u64 arch_elf_hwcap(void);
u64 arch_elf_hwcap2(void);
const char *arch_elf_platform(void);
size_t arch_min_sigstack(void);
/* Hardware random: true and *out filled if the CPU has such an instruction and it worked. */
bool arch_random(u64 *out);
/* Machine name for uname(2): "x86_64". */
extern const char arch_machine_name[];
#endif
