/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables through GS: its base is the CPU's percpu_offset, so that %gs:variable is this
 * CPU's copy in one instruction, which neither an interrupt nor a migration can split.
 */
#ifndef ARCH_IMPL_PERCPU_H
#define ARCH_IMPL_PERCPU_H

#include "lib/types.h"

extern uintptr_t percpu_this_offset; /* in the per-CPU area itself: this CPU's offset */

#define arch_this_cpu_read(var)                                                \
	({                                                                     \
		__typeof__(var) value_;                                        \
		__asm__ volatile("mov %%gs:%1, %0" : "=r"(value_) : "m"(var)); \
		value_;                                                        \
	})

/* For values that do not change under a running thread (the thread itself): may be kept in a
 * register. */
#define arch_this_cpu_read_stable(var)                                    \
	({                                                                \
		__typeof__(var) value_;                                   \
		__asm__("mov %%gs:%P1, %0" : "=r"(value_) : "p"(&(var))); \
		value_;                                                   \
	})

#define arch_this_cpu_write(var, v)                                          \
	do {                                                                 \
		__typeof__(var) new_ = (v);                                  \
		__asm__ volatile("mov %1, %%gs:%0" : "=m"(var) : "r"(new_)); \
	} while (0)

#define ARCH_THIS_CPU_OP(op, var, v)                                                              \
	do {                                                                                      \
		switch (sizeof(var)) {                                                            \
		case 1:                                                                           \
			__asm__ volatile(op "b %1, %%gs:%0" : "+m"(var) : "qi"((u8)(v)) : "cc");  \
			break;                                                                    \
		case 2:                                                                           \
			__asm__ volatile(op "w %1, %%gs:%0" : "+m"(var) : "ri"((u16)(v)) : "cc"); \
			break;                                                                    \
		case 4:                                                                           \
			__asm__ volatile(op "l %1, %%gs:%0" : "+m"(var) : "ri"((u32)(v)) : "cc"); \
			break;                                                                    \
		default:                                                                          \
			__asm__ volatile(op "q %1, %%gs:%0" : "+m"(var) : "re"((u64)(v)) : "cc"); \
			break;                                                                    \
		}                                                                                 \
	} while (0)

#define arch_this_cpu_add(var, v) ARCH_THIS_CPU_OP("add", var, v)
#define arch_this_cpu_or(var, v)  ARCH_THIS_CPU_OP("or", var, v)
#define arch_this_cpu_and(var, v) ARCH_THIS_CPU_OP("and", var, v)

#define arch_this_cpu_dec_and_test(var)                                               \
	({                                                                            \
		bool zero_;                                                           \
		if (sizeof(var) == 4)                                                 \
			__asm__ volatile("decl %%gs:%0" : "+m"(var), "=@cce"(zero_)); \
		else                                                                  \
			__asm__ volatile("decq %%gs:%0" : "+m"(var), "=@cce"(zero_)); \
		zero_;                                                                \
	})

static inline uintptr_t
arch_percpu_base(void)
{
	return arch_this_cpu_read(percpu_this_offset);
}

/* The GS base of this CPU; percpu_this_offset in the area it points at must hold `offset` already.
 */
static inline void
arch_percpu_set_base(uintptr_t offset)
{
	__asm__ volatile("wrmsr" ::"c"(0xc0000101u), "a"((u32)offset), "d"((u32)(offset >> 32))
			 : "memory");
}

#endif
