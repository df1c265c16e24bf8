/* SPDX-License-Identifier: MIT */
/*
 * Page tables. Both our architectures use four levels of 512 entries and 4 KiB pages, so walking is
 * done by mm/pagetable.c; arch says what an entry means. Level 0 is the leaf table (4 KiB pages),
 * 1 has 2 MiB entries, 2 has 1 GiB entries, 3 is the root.
 *
 *	pte_t				struct { u64 v; }
 *	pte_none(e), pte_present(e)
 *	pte_leaf(e)			at level > 0: a large page
 *	pte_paddr(e)
 *	pte_write(e), pte_dirty(e), pte_young(e), pte_user(e), pte_exec(e)
 *	pte_make(paddr, prot)		prot: PTE_P_* below
 *	pte_make_table(paddr)		for upper levels
 *	pte_wrprotect(e), pte_mkwrite(e), pte_mkdirty(e), pte_mkclean(e), pte_mkold(e),
 *	pte_mkyoung(e)
 *	pte_split(e, i)			the i-th small page of a level 1 leaf, with the same rights
 *	pte_get(p)			reads an entry that others may change
 *	pte_soft(e, n), pte_set_soft(e, n, on)
 *					software bits, kept by the hardware: n = 0..2
 *	pte_make_swap(value), pte_is_swap(e), pte_swap_value(e)
 *					entries that are not present (swap, markers): 56 bits
 *	pte_set(p, e), pte_xchg(p, e), pte_cmpxchg(p, old, new)
 *					the latter two are atomic against the hardware, which sets
 *					accessed and dirty bits
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H
#include "lib/types.h"

#define PAGE_SHIFT	   12
#define PAGE_SIZE	   (1ul << PAGE_SHIFT)
#define PAGE_MASK	   (~(PAGE_SIZE - 1))
#define PTE_PER_TABLE	   512
#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))
#define HUGE_SHIFT	   21
#define HUGE_SIZE	   (1ul << HUGE_SHIFT)

typedef u64 paddr_t;

#define PTE_P_READ	    BIT(0)
#define PTE_P_WRITE	    BIT(1)
#define PTE_P_EXEC	    BIT(2)
#define PTE_P_USER	    BIT(3)
#define PTE_P_GLOBAL	    BIT(4)
#define PTE_P_UNCACHED	    BIT(5)
#define PTE_P_HUGE	    BIT(6) /* a leaf at level 1 */
#define PTE_P_DIRTY	    BIT(7) /* born dirty and young: saves the hardware an update */
#define PTE_P_YOUNG	    BIT(8)
#define PTE_P_WRITE_COMBINE BIT(9)

#include "arch_impl/mmu.h"
/* arch_impl/mmu.h also defines: USER_END (first address above user space), DIRECT_MAP_BASE (all RAM
 * is mapped there), KERNEL_BASE (image), VMALLOC_START/VMALLOC_END, MMIO in vmalloc,
 * PAGE_ARRAY_BASE (struct page array, mapped by mm at boot). */

#define phys_to_virt(pa) ((void *)(DIRECT_MAP_BASE + (paddr_t)(pa)))
#define virt_to_phys(va) \
	((paddr_t)((uintptr_t)(va)-DIRECT_MAP_BASE)) /* direct map addresses only */
/* Physical address of a pointer into the kernel image. */
paddr_t arch_image_to_phys(const void *va);

struct arch_space;
/* New root table with the kernel half filled in. `root` is a zeroed page (direct map address). */
void arch_space_init(struct arch_space *space, void *root);
void arch_space_fini(struct arch_space *space);
extern pte_t *arch_kernel_root; /* the kernel's own table, shared upper half */

/* Load `next`'s tables on this CPU (interrupts off); tracks space->cpus and PCID. NULL = kernel
 * only (lazy: keeps the old one). */
void arch_space_switch(struct arch_space *prev, struct arch_space *next);

/* Translate a direct-map/boot address range while mm is not up: early allocations and mapping for
 * arch and mm_init. */
void *arch_early_alloc(size_t size, size_t align); /* zeroed; panics when there is none */
void arch_early_alloc_close(void);		   /* mm owns memory from now on */
/* After boot memory is in the buddy: map [pa, pa+len) uncached at a vmalloc address the caller owns
 * is mm's vmalloc.c. */

/* Kernel text/rodata/data permissions (W^X), after mm is up. */
void arch_protect_kernel(void);
#endif
