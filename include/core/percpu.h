/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables. The linker gathers them in .percpu; the boot CPU uses that copy, each other
 * CPU gets its own at percpu_offset[cpu] bytes from it. this_cpu_* forms are one instruction on x86
 * (a segment-relative access), so they need no preempt_disable by themselves.
 */
#ifndef CORE_PERCPU_H
#define CORE_PERCPU_H

#include "arch/percpu.h" /* arch_this_cpu_{read,write,add,or,and,dec_and_test}(var, ...), arch_percpu_base() */
#include "lib/types.h"

#define MAX_CPUS 256

#define DEFINE_PERCPU(type, name)  __section(".percpu") __typeof__(type) name
#define DECLARE_PERCPU(type, name) extern __typeof__(type) name

extern uintptr_t percpu_offset[MAX_CPUS];

#define percpu_ptr(name, cpu) ((__typeof__(&(name)))((uintptr_t) & (name) + percpu_offset[cpu]))
/* Valid while preemption is off. */
#define this_cpu_ptr(name) ((__typeof__(&(name)))((uintptr_t) & (name) + arch_percpu_base()))

#define this_cpu_read(name)	    arch_this_cpu_read(name)
#define this_cpu_write(name, v)	    arch_this_cpu_write(name, v)
#define this_cpu_add(name, v)	    arch_this_cpu_add(name, v)
#define this_cpu_sub(name, v)	    arch_this_cpu_add(name, -(v))
#define this_cpu_inc(name)	    arch_this_cpu_add(name, 1)
#define this_cpu_dec(name)	    arch_this_cpu_add(name, -1)
#define this_cpu_or(name, v)	    arch_this_cpu_or(name, v)
#define this_cpu_and(name, v)	    arch_this_cpu_and(name, v)
#define this_cpu_dec_and_test(name) arch_this_cpu_dec_and_test(name)

DECLARE_PERCPU(u32, cpu_number);

/* The CPU we run on; stable only while preemption is off. */
static inline u32
cpu_id(void)
{
	return this_cpu_read(cpu_number);
}

/* Allocate the areas of all CPUs but the first; called once, after mm_init, before the CPUs start.
 */
void percpu_init(u32 cpus);

#endif
