/* SPDX-License-Identifier: MIT */
/*
 * The way back: faults on entries that say where their page is, and swapoff, which does the same
 * for all of them.
 *
 * Whoever finds the page in the swap cache needs no disk, even while it is written. A store that
 * finds itself the last to refer to the slot takes the page out of the cache and has it alone;
 * whoever only reads leaves it there, read-only, so that it need not be written again if it goes
 * out unchanged. Otherwise a store copies, like after fork.
 *
 * Locking: page lock, then table lock; the entry is compared under the latter.
 */
#include "pagetable.h"
#include "sched/sched.h"
#include "swap.h"
#include "vma.h"

/* Page locked, in the cache; the caller has a reference. Out of it, if nobody else wants it there.
 */
static void
leave_cache(struct page *page, u64 value, bool store)
{
	if (!store && !swap_scarce(value))
		return;
	if (swap_cache_used(page))
		return;
	page_wait_writeback(page);
	if (!swap_cache_used(page))
		swap_cache_remove(page);
}

int
fault_swap(struct vma *v, pte_t *pte, pte_t e, u64 addr, enum fault_access access, bool *major)
{
	u64 value = pte_swap_value(e);
	struct spinlock *lock = table_lock_of(pte);
	u32 prot = vma_pte_prot(v->flags) & ~PTE_P_WRITE;
	bool store = access == FAULT_WRITE, mapped = false;
	struct page *page;
	int err = swap_get_locked(value, major, &page);

	if (err)
		return err == -EIO ? -EFAULT : err;
	spin_lock(lock);
	if (pte_get(pte).v == e.v) {
		if (atomic64_add_return(&page->ref_and_map, PAGE_MAPPED_ONCE) >> 32 == 1)
			mem_count(MC_ANON, 1);
		pte_set(pte, pte_make(page_to_phys(page), prot | PTE_P_YOUNG));
		mapped = true;
	}
	spin_unlock(lock);
	if (!mapped)
		goto out;
	atomic64_inc(&v->mm->rss_anon);
	atomic64_dec(&v->mm->swap);
	/* Not under the table lock: the page is ours, and so cannot be found by swap_put. */
	swap_put(value);
	leave_cache(page, value, store);
	/* The entry is read-only: fault_write_protected decides whose the page is. */
	if (store)
		err = -EAGAIN;
out:
	page_unlock(page);
	page_put(page);
	return err;
}

bool
swap_take_back(struct page *page)
{
	bool taken;

	/* Our reference, the entry's, the cache's. */
	if (atomic64_read(&page->ref_and_map) != PAGE_MAPPED_ONCE + 2)
		return false;
	page_lock(page);
	page_wait_writeback(page);
	taken = page_flag(page, PG_SWAPCACHE) && !swap_cache_used(page);
	if (taken)
		swap_cache_remove(page);
	page_unlock(page);
	return taken;
}

/* ---- swapoff ---- */

static bool
points_into(pte_t e, u32 area)
{
	return !pte_none(e) && !pte_present(e) && swap_value_area(pte_swap_value(e)) == area;
}

static int
swap_in_leaf(struct vma *v, pte_t *pte, u64 addr, u64 end, u32 area)
{
	for (; addr < end; addr += PAGE_SIZE, pte++) {
		pte_t e = pte_get(pte);

		while (points_into(e, area)) {
			bool major = false;
			int err = fault_swap(v, pte, e, addr, FAULT_READ, &major);

			if (err && err != -EAGAIN)
				return err == -EFAULT ? -EIO : err;
			if (thread_fatal_pending && thread_fatal_pending(thread_current()))
				return -EINTR;
			if (err)
				sched_cond_resched();
			e = pte_get(pte);
		}
	}
	return 0;
}

/* mmap_lock held for reading. */
static int
swap_in_vma(struct vma *v, u32 area)
{
	u64 addr = v->start;
	pte_t *level1;

	while ((level1 = mm_level1_next(v->mm, &addr, v->end))) {
		u64 stop = MIN(v->end, ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE);
		pte_t e = pte_get(level1);

		if (!pte_none(e) && !pte_leaf(e)) {
			int err = swap_in_leaf(v, pte_table(e) + pte_index(addr, 0), addr, stop,
					       area);

			if (err)
				return err;
		}
		addr = stop;
		sched_cond_resched();
	}
	return 0;
}

static int
swap_in_mm(struct mm *mm, u32 area)
{
	int err = 0;

	if (rwsem_read_lock_killable(&mm->mmap_lock))
		return -EINTR;
	for (struct vma *v = vma_first(mm); v && !err; v = vma_next(v))
		err = v->has_anon ? swap_in_vma(v, area) : 0;
	rwsem_read_unlock(&mm->mmap_lock);
	return err;
}

int
swap_in_all(u32 area)
{
	struct mm *mm = NULL;
	int err = 0;

	while ((mm = mm_scan_next(mm))) {
		if (atomic64_read(&mm->swap) <= 0)
			continue;
		err = swap_in_mm(mm, area);
		if (err) {
			mm_users_put(mm);
			return err;
		}
	}
	return 0;
}
