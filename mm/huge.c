/* SPDX-License-Identifier: MIT */
/*
 * 2 MiB pages of anonymous memory.
 *
 * A write to an empty, aligned 2 MiB of a private anonymous mapping gets one block instead of 512
 * pages, if memory is plentiful. Such a block has one owner, ever: the level 1 entry that maps it.
 * Everything that would share it or take a part of it (fork, partial munmap and mprotect, mremap,
 * pinning) first splits it into ordinary pages. A leaf table for that is put by when the block is
 * mapped, so that a split cannot fail.
 *
 * Locking: the lock of the level 1 table. A split leaves an entry that points to a table, for good.
 */
#include "arch/tlb.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "vma.h"

#define HUGE_ORDER (HUGE_SHIFT - PAGE_SHIFT)

bool
huge_fault(struct vma *v, pte_t *level1, u64 addr)
{
	u64 base = ALIGN_DOWN(addr, HUGE_SIZE);
	struct page *page, *table;
	pte_t e;

	if (base < v->start || v->end - base < HUGE_SIZE ||
	    v->flags & (VM_NOHUGEPAGE | VM_GROWSDOWN | VM_STACK | VM_SHARED) ||
	    !page_huge_allowed())
		return false;
	page = page_alloc(HUGE_ORDER, GFP_ATOMIC | GFP_NOWARN | GFP_ZERO);
	if (!page)
		return false;
	table = table_page_alloc(v->mm);
	if (!table) {
		page_free(page, HUGE_ORDER);
		return false;
	}
	page->private = (u64)(uintptr_t)table;
	page_set_flag(page, PG_ANON | PG_UPTODATE);
	v->has_anon = true;
	e = pte_make(page_to_phys(page),
		     vma_pte_prot(v->flags) | PTE_P_HUGE | PTE_P_DIRTY | PTE_P_YOUNG);
	if (!pte_cmpxchg(level1, (pte_t){ 0 }, e)) {
		/* Another thread was faster, perhaps with a leaf table. */
		table_page_free(v->mm, table);
		page_free(page, HUGE_ORDER);
		return !pte_none(pte_get(level1)) && pte_leaf(pte_get(level1));
	}
	atomic64_add(&v->mm->rss_anon, PTE_PER_TABLE);
	mem_count(MC_ANON, PTE_PER_TABLE);
	mem_count(MC_HUGE_ANON, PTE_PER_TABLE);
	return true;
}

/* The page is ours alone: a write that the vma allows only has to be let through. */
void
huge_write(struct vma *v, pte_t *level1)
{
	struct spinlock *lock = table_lock_of(level1);
	pte_t e;

	spin_lock(lock);
	e = pte_get(level1);
	if (pte_leaf(e))
		pte_set(level1, pte_mkyoung(pte_mkdirty(pte_mkwrite(e))));
	spin_unlock(lock);
}

void
huge_split(struct vma *v, pte_t *level1, u64 addr)
{
	struct spinlock *lock = table_lock_of(level1);
	u64 base = ALIGN_DOWN(addr, HUGE_SIZE);
	struct page *page, *table;
	pte_t e, *leaf;

	spin_lock(lock);
	e = pte_get(level1);
	if (pte_none(e) || !pte_leaf(e)) {
		spin_unlock(lock);
		return;
	}
	page = phys_to_page(pte_paddr(e));
	table = (struct page *)(uintptr_t)page->private;
	leaf = page_to_virt(table);
	/* The entry's own rights: the vma may cover, and be about to change, a part of it only. */
	for (u32 i = 0; i < PTE_PER_TABLE; i++) {
		atomic_set(&page[i].flags, PG_ANON | PG_UPTODATE);
		page[i].head = NULL;
		atomic64_set(&page[i].ref_and_map, 1);
		pte_set(leaf + i, pte_split(e, i));
	}
	page->order = 0;
	page->private = 0;
	smp_wmb();
	pte_set(level1, pte_make_table(page_to_phys(table)));
	spin_unlock(lock);
	mem_count(MC_HUGE_ANON, -(s64)PTE_PER_TABLE);
	/* Old and new translations agree; still no CPU should hold both. */
	arch_tlb_shootdown(&v->mm->space, base, base + HUGE_SIZE, PAGE_SIZE);
}

bool
huge_zap(struct gather *g, pte_t *level1, u64 addr)
{
	struct spinlock *lock = table_lock_of(level1);
	pte_t e;

	spin_lock(lock);
	e = pte_get(level1);
	if (pte_none(e) || !pte_leaf(e)) {
		spin_unlock(lock);
		return false;
	}
	pte_set(level1, (pte_t){ 0 });
	spin_unlock(lock);
	gather_range(g, addr, addr + HUGE_SIZE);
	if (gather_page(g, phys_to_page(pte_paddr(e))))
		gather_flush(g);
	return true;
}
