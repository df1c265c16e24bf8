/* SPDX-License-Identifier: MIT */
/*
 * Removing pages from a mapping: truncation, hole punching, invalidation, the end of the object.
 *
 * Truncation against
 *	read		the reader holds a reference to the page that he copies from: old data
 *			or zeroes, both are allowed
 *	write		the caller's inode lock
 *	fault		the caller has stored the new size; creating pages takes invalidate_lock
 *			shared, we hold it exclusively; fault.c orders mapping what exists
 *	writeback,
 *	read-in		the page lock; a page under writeback is waited for
 */
#include "lib/string.h"
#include "mm/mapping.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "swap.h"
#include "vma.h"

#define BATCH 16

/* Page locked. Out of the tree; the tree's reference goes to the caller. */
void
mapping_detach(struct mapping *m, struct page *page)
{
	unsigned long flags;

	if (m->ops->page_removed)
		m->ops->page_removed(m, page);
	flags = spin_lock_irqsave(&m->tree_lock);
	xa_erase(&m->pages, page->index);
	m->nr_pages--;
	WRITE_ONCE(page->mapping, NULL);
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (atomic_fetch_and(&page->flags, ~PG_DIRTY) & PG_DIRTY)
		dirty_uncount(m);
	mem_count(MC_FILE, -1);
	if (m->flags & MAPPING_SHMEM)
		mem_count(MC_SHMEM, -1);
	/* Also if it is off the list just now: see lru_putback. */
	if (m->ops->read_page)
		lru_remove(page);
}

/* Pages [first, last]; those that somebody uses too if `all`. */
static u64
remove_range(struct mapping *m, u64 first, u64 last, bool all)
{
	void *entries[BATCH];
	u64 indices[BATCH], index = first, removed = 0;

	for (;;) {
		struct page *pages[BATCH];
		u64 again = XA_MAX;
		u32 n, held = 0;

		if (xa_empty(&m->pages))
			return removed;
		rcu_read_lock();
		n = xa_gather(&m->pages, &index, last, XA_ANY, entries, indices, BATCH);
		for (u32 i = 0; i < n; i++) {
			if (!xa_is_value(entries[i]) && page_try_get(entries[i]))
				pages[held++] = entries[i];
		}
		rcu_read_unlock();
		/* What is in swap. A read may bring it in just now: then it is met as a page. */
		for (u32 i = 0; i < n; i++) {
			if (xa_is_value(entries[i]) && !shmem_drop_value(m, indices[i], entries[i]))
				again = MIN(again, indices[i]);
		}
		for (u32 i = 0; i < held; i++) {
			struct page *page = pages[i];
			bool detach;

			page_lock(page);
			page_wait_writeback(page);
			detach = page->mapping == m && page->index >= first && page->index <= last;
			/* Idle: the tree's reference, ours, nothing dirty. */
			if (detach && !all)
				detach = atomic64_read(&page->ref_and_map) == 2 &&
					 !page_flag(page, PG_DIRTY);
			if (detach) {
				mapping_detach(m, page);
				removed++;
			}
			page_unlock(page);
			if (detach)
				page_put(page);
			page_put(page);
		}
		if (again != XA_MAX)
			index = again;
		else if (n < BATCH)
			return removed;
		sched_cond_resched();
	}
}

/* Zero [start, end) within one page, if it is there. */
static void
zero_part(struct mapping *m, u64 start, u64 end)
{
	struct page *page = NULL;

	if (start >= end)
		return;
	if (m->ops->read_page) {
		/*
		 * What is on the disk must become zero as well: bring it in. An error leaves it to
		 * the next reader.
		 */
		if (mapping_read(m, start >> PAGE_SHIFT, &page))
			return;
	} else {
		page = mapping_find(m, start >> PAGE_SHIFT);
		if (!page)
			return;
	}
	page_lock(page);
	if (page->mapping == m) {
		u32 from = start & ~PAGE_MASK, to = from + (u32)(end - start);

		if (m->ops->stable_pages)
			page_wait_writeback(page);
		memset((char *)page_to_virt(page) + from, 0, to - from);
		if (m->ops->page_trimmed)
			m->ops->page_trimmed(m, page, from, to);
		mapping_mark_dirty(m, page);
	}
	page_unlock(page);
	page_put(page);
}

void
mapping_truncate(struct mapping *m, u64 new_size)
{
	u64 first = (new_size >> PAGE_SHIFT) + !!(new_size & ~PAGE_MASK);

	rwsem_write_lock(&m->invalidate_lock);
	remove_range(m, first, XA_MAX, true);
	rmap_unmap(m, first, XA_MAX, ZAP_ALL);
	if (new_size & ~PAGE_MASK)
		zero_part(m, new_size, first << PAGE_SHIFT);
	rwsem_write_unlock(&m->invalidate_lock);
}

void
mapping_punch_locked(struct mapping *m, u64 start, u64 end)
{
	u64 first = (start >> PAGE_SHIFT) + !!(start & ~PAGE_MASK), past = end >> PAGE_SHIFT;

	if (start >= end)
		return;
	if (past > first) {
		remove_range(m, first, past - 1, true);
		rmap_unmap(m, first, past - 1, ZAP_FILE_ONLY);
	}
	if (first > past) {
		zero_part(m, start, end);
	} else {
		zero_part(m, start, first << PAGE_SHIFT);
		zero_part(m, past << PAGE_SHIFT, end);
	}
}

void
mapping_punch(struct mapping *m, u64 start, u64 end)
{
	rwsem_write_lock(&m->invalidate_lock);
	mapping_punch_locked(m, start, end);
	rwsem_write_unlock(&m->invalidate_lock);
}

u64
mapping_invalidate(struct mapping *m, u64 first, u64 last)
{
	if (!m->ops->read_page)
		return 0;
	return remove_range(m, first, last, false);
}

void
mapping_fini(struct mapping *m)
{
	if (m->scanned)
		shmem_scan_remove(m);
	remove_range(m, 0, XA_MAX, true);
	DEBUG_ASSERT(rb_empty(&m->vmas));
	xa_destroy(&m->pages);
}
