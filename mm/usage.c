/* SPDX-License-Identifier: MIT */
/*
 * What a mapping has in memory. Each leaf table is looked through under its lock, one after the
 * other, so the sum is of no single moment while others fault; mmap_lock keeps the tables there.
 */
#include "mm/usage.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/sched.h"
#include "swap.h"

/* An entry for size bytes at page. Its table's lock is held: the page stays. */
static void
count_entry(struct vma *v, struct mem_usage *u, pte_t e, struct page *page, u64 size)
{
	u32 flags = (u32)atomic_read(&page->flags);
	bool anon = flags & PG_ANON, dirty = pte_dirty(e) || (flags & PG_DIRTY);
	u64 both = (u64)atomic64_read(&page->ref_and_map);
	u64 entries = MAX(both >> 32, 1ul);
	u64 share = (size << USAGE_SHARE_SHIFT) / entries;

	u->resident += size;
	u->share += share;
	if (dirty)
		u->share_dirty += share;
	if (v->flags & VM_LOCKED)
		u->share_locked += share;
	if (entries > 1)
		*(dirty ? &u->shared_dirty : &u->shared_clean) += size;
	else
		*(dirty ? &u->private_dirty : &u->private_clean) += size;
	if (pte_young(e) || (flags & PG_REFERENCED))
		u->referenced += size;
	if (anon) {
		u->anonymous += size;
		u->share_anon += share;
	} else {
		*(flags & PG_SWAPBACKED ? &u->share_shmem : &u->share_file) += share;
	}
	if (size == HUGE_SIZE)
		u->anon_huge += size;
}

static bool
has_page(pte_t e)
{
	return pte_present(e) && !pte_soft(e, PTE_SOFT_SPECIAL);
}

/* A 2 MiB page. False: it was split in the meantime, or is gone. */
static bool
count_huge(struct vma *v, struct mem_usage *u, pte_t *level1)
{
	struct spinlock *lock = table_lock_of(level1);
	pte_t e;
	bool huge;

	spin_lock(lock);
	e = pte_get(level1);
	huge = pte_present(e) && pte_leaf(e);
	if (huge)
		count_entry(v, u, e, phys_to_page(pte_paddr(e)), HUGE_SIZE);
	spin_unlock(lock);
	return huge;
}

static void
count_leaf(struct vma *v, struct mem_usage *u, pte_t *pte, u64 addr, u64 end)
{
	struct spinlock *lock = table_lock_of(pte);

	spin_lock(lock);
	for (; addr < end; addr += PAGE_SIZE, pte++) {
		pte_t e = pte_get(pte);

		if (!pte_none(e) && !pte_present(e)) {
			u->swap += PAGE_SIZE;
			u->share_swap += (PAGE_SIZE << USAGE_SHARE_SHIFT) /
					 MAX(swap_count(pte_swap_value(e)), 1u);
		}
		if (has_page(e))
			count_entry(v, u, e, phys_to_page(pte_paddr(e)), PAGE_SIZE);
	}
	spin_unlock(lock);
}

void
vma_usage_add(struct vma *v, struct mem_usage *u)
{
	u64 addr = v->start, stop;
	pte_t *level1;

	while ((level1 = mm_level1_next(v->mm, &addr, v->end)) != NULL) {
		pte_t e = pte_get(level1);

		stop = MIN(v->end, ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE);
		if (!pte_none(e) && pte_leaf(e) && !count_huge(v, u, level1))
			e = pte_get(level1);
		if (!pte_none(e) && !pte_leaf(e))
			count_leaf(v, u, pte_table(e) + pte_index(addr, 0), addr, stop);
		addr = stop;
		sched_cond_resched();
	}
}

bool
vma_huge_eligible(const struct vma *v)
{
	u64 base = ALIGN_DOWN(v->start + HUGE_SIZE - 1, HUGE_SIZE);

	return !v->mapping && !v->ops && base >= v->start && base < v->end &&
	       v->end - base >= HUGE_SIZE &&
	       !(v->flags &
		 (VM_NOHUGEPAGE | VM_GROWSDOWN | VM_STACK | VM_SHARED | VM_SPECIAL | VM_IO));
}
