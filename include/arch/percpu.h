/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables. The operations take variables of 1, 2, 4 and 8 bytes and are atomic against
 * interrupts and preemption of this CPU.
 *
 *	arch_this_cpu_read(var), arch_this_cpu_write(var, v)
 *	arch_this_cpu_add(var, v), arch_this_cpu_or(var, v), arch_this_cpu_and(var, v)
 *	arch_this_cpu_dec_and_test(var)	decrement; true when the result is zero
 *	arch_this_cpu_read_stable(var)	may be kept in a register: for what is constant to a thread,
 *					like the thread itself
 *	arch_percpu_base()		percpu_offset of this CPU
 *	arch_percpu_set_base(offset)	at CPU start
 */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H
#include "arch_impl/percpu.h"
#endif
