/* SPDX-License-Identifier: MIT */
/*
 * Inline part of arch/mmu.h: x86-64 page-table entries and the map of the address space.
 *
 *	0000000000000000 - 00007fffffffefff	programs
 *	ffff888000000000 - ffffc87fffffffff	direct map of all RAM (64 TiB), never executable
 *	ffffc90000000000 - ffffc97fffffffff	vmalloc, kernel stacks, device memory (512 GiB)
 *	ffffea0000000000 - ffffea7fffffffff	struct page array (512 GiB)
 *	ffffff0000000000 - ffffff7fffffffff	exception stacks, device registers mapped at boot
 *	ffffffff80000000 - ffffffffffffffff	kernel image
 *
 * The last page below the non-canonical hole is never given to programs, so that the address after
 * a system call instruction is always canonical and sysret is always safe.
 *
 * An entry without read permission has no present bit, or the kernel could reach it on behalf of
 * the program; bit 8 then says that it is an entry (PROT_NONE) and not a swap value.
 */
#ifndef ARCH_IMPL_MMU_H
#define ARCH_IMPL_MMU_H

#include "lib/types.h"

#define USER_END	0x00007ffffffff000ul
#define DIRECT_MAP_BASE 0xffff888000000000ul
#define DIRECT_MAP_SIZE (1ul << 46)
#define VMALLOC_START	0xffffc90000000000ul
#define VMALLOC_END	0xffffc98000000000ul
#define PAGE_ARRAY_BASE 0xffffea0000000000ul
#define KERNEL_BASE	0xffffffff80000000ul

#define X86_PTE_PRESENT	   (1ul << 0)
#define X86_PTE_WRITE	   (1ul << 1)
#define X86_PTE_USER	   (1ul << 2)
#define X86_PTE_PWT	   (1ul << 3) /* with PCD clear: write-combining, see the PAT set up in cpu.c */
#define X86_PTE_PCD	   (1ul << 4)
#define X86_PTE_YOUNG	   (1ul << 5)
#define X86_PTE_DIRTY	   (1ul << 6)
#define X86_PTE_HUGE	   (1ul << 7)
#define X86_PTE_GLOBAL	   (1ul << 8)
#define X86_PTE_NONE_PROT  (1ul << 8) /* when not present */
#define X86_PTE_SOFT_SHIFT 9
#define X86_PTE_NX	   (1ul << 63)
#define X86_PTE_ADDR	   0x000ffffffffff000ul

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
	return e.v & (X86_PTE_PRESENT | X86_PTE_NONE_PROT);
}

static inline bool
pte_leaf(pte_t e)
{
	return e.v & X86_PTE_HUGE;
}

static inline u64
pte_paddr(pte_t e)
{
	return e.v & X86_PTE_ADDR;
}

static inline bool
pte_write(pte_t e)
{
	return e.v & X86_PTE_WRITE;
}

static inline bool
pte_dirty(pte_t e)
{
	return e.v & X86_PTE_DIRTY;
}

static inline bool
pte_young(pte_t e)
{
	return e.v & X86_PTE_YOUNG;
}

static inline bool
pte_user(pte_t e)
{
	return e.v & X86_PTE_USER;
}

static inline bool
pte_exec(pte_t e)
{
	return !(e.v & X86_PTE_NX);
}

static inline pte_t
pte_make(u64 paddr, u32 prot)
{
	u64 v = paddr;

	if (prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC))
		v |= X86_PTE_PRESENT | (prot & PTE_P_GLOBAL ? X86_PTE_GLOBAL : 0);
	else
		v |= X86_PTE_NONE_PROT;
	if (prot & PTE_P_WRITE)
		v |= X86_PTE_WRITE;
	if (prot & PTE_P_USER)
		v |= X86_PTE_USER;
	if (!(prot & PTE_P_EXEC))
		v |= X86_PTE_NX;
	if (prot & PTE_P_UNCACHED)
		v |= X86_PTE_PCD | X86_PTE_PWT;
	if (prot & PTE_P_WRITE_COMBINE)
		v |= X86_PTE_PWT;
	if (prot & PTE_P_HUGE)
		v |= X86_PTE_HUGE;
	if (prot & (PTE_P_DIRTY | PTE_P_YOUNG))
		v |= X86_PTE_YOUNG;
	if (prot & PTE_P_DIRTY)
		v |= X86_PTE_DIRTY;
	return (pte_t){ v };
}

/* Permissions are the leaves' business. */
static inline pte_t
pte_make_table(u64 paddr)
{
	return (pte_t){ paddr | X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER | X86_PTE_YOUNG };
}

static inline pte_t
pte_wrprotect(pte_t e)
{
	return (pte_t){ e.v & ~X86_PTE_WRITE };
}

static inline pte_t
pte_mkwrite(pte_t e)
{
	return (pte_t){ e.v | X86_PTE_WRITE };
}

static inline pte_t
pte_mkdirty(pte_t e)
{
	return (pte_t){ e.v | X86_PTE_DIRTY };
}

static inline pte_t
pte_mkclean(pte_t e)
{
	return (pte_t){ e.v & ~X86_PTE_DIRTY };
}

static inline pte_t
pte_mkold(pte_t e)
{
	return (pte_t){ e.v & ~X86_PTE_YOUNG };
}

static inline pte_t
pte_mkyoung(pte_t e)
{
	return (pte_t){ e.v | X86_PTE_YOUNG };
}

static inline pte_t
pte_split(pte_t e, u32 i)
{
	return (pte_t){ (e.v & ~X86_PTE_HUGE) + ((u64)i << 12) };
}

static inline bool
pte_soft(pte_t e, u32 n)
{
	return e.v >> (X86_PTE_SOFT_SHIFT + n) & 1;
}

static inline pte_t
pte_set_soft(pte_t e, u32 n, bool on)
{
	u64 bit = 1ul << (X86_PTE_SOFT_SHIFT + n);

	return (pte_t){ on ? e.v | bit : e.v & ~bit };
}

/* A value of 56 bits in bits 1-7 and 9-57; zero would be no entry at all, so bit 58 marks it. */
#define X86_PTE_SWAP (1ul << 58)

static inline pte_t
pte_make_swap(u64 value)
{
	return (pte_t){ (value & 0x7f) << 1 | (value >> 7) << 9 | X86_PTE_SWAP };
}

static inline bool
pte_is_swap(pte_t e)
{
	return !pte_present(e) && e.v & X86_PTE_SWAP;
}

static inline u64
pte_swap_value(pte_t e)
{
	return (e.v >> 1 & 0x7f) | (e.v & ~X86_PTE_SWAP) >> 9 << 7;
}

static inline pte_t
pte_get(const pte_t *p)
{
	return (pte_t){ *(const volatile u64 *)&p->v };
}

static inline void
pte_set(pte_t *p, pte_t e)
{
	*(volatile u64 *)&p->v = e.v;
}

static inline pte_t
pte_xchg(pte_t *p, pte_t e)
{
	return (pte_t){ __atomic_exchange_n(&p->v, e.v, __ATOMIC_SEQ_CST) };
}

static inline bool
pte_cmpxchg(pte_t *p, pte_t old, pte_t new)
{
	return __atomic_compare_exchange_n(&p->v, &old.v, new.v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

#endif
