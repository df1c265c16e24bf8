/* SPDX-License-Identifier: MIT */
/* The host as a machine: one CPU, whose variables are the variables. */
#ifndef ARCH_IMPL_PERCPU_H
#define ARCH_IMPL_PERCPU_H

#include "lib/types.h"

#define arch_this_cpu_read(var)		(var)
#define arch_this_cpu_read_stable(var)	(var)
#define arch_this_cpu_write(var, v)	((void)((var) = (v)))
#define arch_this_cpu_add(var, v)	((void)((var) += (v)))
#define arch_this_cpu_or(var, v)	((void)((var) |= (v)))
#define arch_this_cpu_and(var, v)	((void)((var) &= (v)))
#define arch_this_cpu_dec_and_test(var) (--(var) == 0)

static inline uintptr_t
arch_percpu_base(void)
{
	return 0;
}

#endif
