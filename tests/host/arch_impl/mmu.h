/* SPDX-License-Identifier: MIT */
/*
 * The host as a machine: what arch_impl/mmu.h is for tests. Memory is one arena that the test
 * provides.
 */
#ifndef ARCH_IMPL_MMU_H
#define ARCH_IMPL_MMU_H

#include "lib/types.h"

extern uintptr_t host_arena, host_page_array;

#define USER_END	0x00007ffffffff000ul
#define DIRECT_MAP_BASE host_arena
#define VMALLOC_START	0xffffc90000000000ul
#define VMALLOC_END	0xffffc98000000000ul
#define PAGE_ARRAY_BASE host_page_array
#define KERNEL_BASE	0xffffffff80000000ul

typedef struct {
	u64 v;
} pte_t;

static inline bool
pte_none(pte_t e)
{
	return e.v == 0;
}

static inline bool
pte_present(pte_t e)
{
	return e.v & 1;
}

static inline bool
pte_leaf(pte_t e)
{
	return e.v & 128;
}

static inline u64
pte_paddr(pte_t e)
{
	return e.v & 0x000ffffffffff000ul;
}

static inline bool
pte_write(pte_t e)
{
	return e.v & 2;
}

static inline bool
pte_dirty(pte_t e)
{
	return e.v & 64;
}

static inline pte_t
pte_wrprotect(pte_t e)
{
	return (pte_t){ e.v & ~2ul };
}

static inline pte_t
pte_mkclean(pte_t e)
{
	return (pte_t){ e.v & ~64ul };
}

static inline bool
pte_young(pte_t e)
{
	return e.v & 32;
}

static inline pte_t
pte_mkold(pte_t e)
{
	return (pte_t){ e.v & ~32ul };
}

static inline pte_t
pte_get(const pte_t *p)
{
	return *p;
}

static inline bool
pte_cmpxchg(pte_t *p, pte_t old, pte_t new)
{
	return __atomic_compare_exchange_n(&p->v, &old.v, new.v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

#endif
