/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU areas and the sets of CPUs.
 *
 * Idea: CPU 0 works in the linked copy of .percpu from its first instruction; arch's entry saved a
 * pristine copy as percpu_template before anything was changed, and the areas of the other CPUs are
 * made from that. Each begins on its own cache line.
 */
#include "core/percpu.h"

#include "arch/mmu.h"
#include "arch/percpu.h"
#include "core/cpumask.h"
#include "core/image.h"
#include "core/panic.h"
#include "core/preempt.h"
#include "lib/string.h"

uintptr_t percpu_offset[MAX_CPUS];
struct cpumask cpu_possible, cpu_online;
u32 cpu_count = 1;

DEFINE_PERCPU(u32, cpu_number);
DEFINE_PERCPU(uintptr_t, percpu_this_offset);
DEFINE_PERCPU(u32, preempt_count) = PREEMPT_NO_RESCHED;

void
percpu_init(u32 cpus)
{
	size_t size = ALIGN_UP(image_bytes(percpu_start, percpu_end), 64ul);

	ASSERT(cpus <= MAX_CPUS);
	for (u32 cpu = 1; cpu < cpus; cpu++) {
		char *area = arch_early_alloc(size, 64);

		memcpy(area, percpu_template, image_bytes(percpu_start, percpu_end));
		percpu_offset[cpu] = (uintptr_t)area - (uintptr_t)percpu_start;
		*percpu_ptr(percpu_this_offset, cpu) = percpu_offset[cpu];
		*percpu_ptr(cpu_number, cpu) = cpu;
	}
}
