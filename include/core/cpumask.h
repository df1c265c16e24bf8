/* SPDX-License-Identifier: MIT */
/* Sets of CPUs. */
#ifndef CORE_CPUMASK_H
#define CORE_CPUMASK_H

#include "core/percpu.h"
#include "lib/atomic.h"
#include "lib/bitmap.h"

struct cpumask {
	unsigned long bits[MAX_CPUS / 64];
};

extern struct cpumask cpu_possible; /* found by the firmware tables, within maxcpus= */
extern struct cpumask cpu_online;   /* scheduling */
extern u32 cpu_count;		    /* number of possible CPUs: ids are 0 .. cpu_count - 1 */

static inline bool
cpumask_test(const struct cpumask *m, u32 cpu)
{
	return test_bit(cpu, m->bits);
}

/* Atomic. */
static inline void
cpumask_set(struct cpumask *m, u32 cpu)
{
	set_bit(cpu, m->bits);
}

static inline void
cpumask_clear(struct cpumask *m, u32 cpu)
{
	clear_bit(cpu, m->bits);
}

static inline void
cpumask_zero(struct cpumask *m)
{
	for (u32 i = 0; i < ARRAY_SIZE(m->bits); i++)
		m->bits[i] = 0;
}

static inline bool
cpumask_empty(const struct cpumask *m)
{
	for (u32 i = 0; i < ARRAY_SIZE(m->bits); i++)
		if (m->bits[i])
			return false;
	return true;
}

/* The first CPU of the set at or after `from`, or MAX_CPUS. */
static inline u32
cpumask_next(const struct cpumask *m, u32 from)
{
	return find_next_bit(m->bits, MAX_CPUS, from);
}

#define cpumask_for_each(cpu, m) \
	for ((cpu) = cpumask_next(m, 0); (cpu) < MAX_CPUS; (cpu) = cpumask_next(m, (cpu) + 1))

#endif
