/* SPDX-License-Identifier: MIT */
/*
 * Taking mappings away: munmap(2), and the clearing of page-table ranges that it, exit, madvise and
 * truncation share.
 *
 * munmap: the vmas leave the tree and the reverse map, their entries are cleared into a gather,
 * page tables that serve nothing any more follow, and one shoot-down later everything is freed.
 */
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "swap.h"
#include "vma.h"

/*
 * Entries [addr, end) of one leaf table. Returns where it had to stop because the gather is full.
 */
static u64
zap_leaf(struct gather *g, struct vma *v, pte_t *pte, u64 addr, u64 end, enum zap_what what)
{
	struct spinlock *lock = table_lock_of(pte);
	/* Only a shared page that is written back somewhere must not lose its dirty bit. */
	bool keep_dirty = (v->flags & VM_SHARED) && v->mapping && mapping_writes(v->mapping);
	bool careful = keep_dirty || what == ZAP_FILE_ONLY, full = false;
	u64 first = 0, last = 0;
	s64 swapped = 0;

	spin_lock(lock);
	for (; addr < end && !full; addr += PAGE_SIZE, pte++) {
		pte_t e = pte_get(pte);
		struct page *page;

		if (pte_none(e))
			continue;
		if (unlikely(!pte_present(e))) {
			if (what == ZAP_FILE_ONLY)
				continue;
			pte_set(pte, (pte_t){ 0 });
			swap_put(pte_swap_value(e));
			swapped++;
			continue;
		}
		page = pte_soft(e, PTE_SOFT_SPECIAL) ? NULL : phys_to_page(pte_paddr(e));
		if (unlikely(careful)) {
			if (what == ZAP_FILE_ONLY && page && page_flag(page, PG_ANON))
				continue;
			e = pte_xchg(pte, (pte_t){ 0 });
			if (keep_dirty && page && pte_dirty(e) &&
			    READ_ONCE(page->mapping) == v->mapping)
				mapping_mark_dirty(v->mapping, page);
		} else {
			pte_set(pte, (pte_t){ 0 });
		}
		last = addr + PAGE_SIZE;
		first = first ? first : addr;
		if (likely(page))
			full = gather_page(g, page);
	}
	spin_unlock(lock);
	if (swapped)
		atomic64_sub(&v->mm->swap, swapped);
	if (last)
		gather_range(g, first, last);
	return addr;
}

void
zap_range(struct gather *g, struct vma *v, u64 start, u64 end, enum zap_what what)
{
	u64 addr = start;
	pte_t *level1;

	while ((level1 = mm_level1_next(v->mm, &addr, end))) {
		u64 stop = MIN(end, ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE);
		pte_t e = pte_get(level1);

		if (!pte_none(e) && pte_leaf(e)) {
			if (what == ZAP_FILE_ONLY) {
				addr = stop;
				continue;
			}
			if (stop - addr == HUGE_SIZE && huge_zap(g, level1, addr)) {
				addr = stop;
				continue;
			}
			huge_split(v, level1, addr);
			e = pte_get(level1);
		}
		if (pte_none(e)) {
			addr = stop;
			continue;
		}
		addr = zap_leaf(g, v, pte_table(e) + pte_index(addr, 0), addr, stop, what);
		if (gather_full(g))
			gather_flush(g);
	}
}

/* Take [start, end), a proper part of v at one of its ends, off it. */
static void
vma_trim(struct mm *mm, struct vma *v, u64 start, u64 end)
{
	struct gather g;
	struct vma *prev, *next;
	u64 floor, ceiling;

	gather_init(&g, mm);
	mm_account(mm, v->flags, (end - start) >> PAGE_SHIFT, -1);
	if (start == v->start)
		vma_set_bounds(mm, v, end, v->end);
	else
		vma_set_bounds(mm, v, v->start, start);
	zap_range(&g, v, start, end, ZAP_ALL);
	if (start < v->start) {
		prev = vma_prev(v);
		floor = prev ? prev->end : 0;
		ceiling = v->start;
	} else {
		next = vma_next(v);
		floor = v->end;
		ceiling = next ? next->start : UINT64_MAX;
	}
	mm_tables_free(&g, start, end, floor, ceiling);
	gather_finish(&g);
}

int
mm_unmap_locked(struct mm *mm, u64 addr, u64 len)
{
	u64 start = addr, end;
	struct vma *v, *next, *prev, *dead = NULL;
	struct gather g;
	int err;

	len = ALIGN_UP(len, PAGE_SIZE);
	if ((addr & ~PAGE_MASK) || !len || len > USER_END || addr > USER_END - len)
		return -EINVAL;
	end = addr + len;
	v = vma_find(mm, addr);
	if (!v || v->start >= end)
		return 0;

	if (v->start < start || v->end > end) {
		/* The common partial case: one end of one mapping, nothing to split. */
		if (v->start == start || (v->end == end && v->start < start)) {
			vma_trim(mm, v, start, end);
			return 0;
		}
		if (v->start < start) {
			err = vma_split(mm, v, start, &v);
			if (err)
				return err;
		}
	}
	if (v->end < end) {
		struct vma *last = vma_find(mm, end - 1);

		if (last && last->start < end && last->end > end) {
			err = vma_split(mm, last, end, NULL);
			if (err)
				return err;
		}
	} else if (v->end > end) {
		err = vma_split(mm, v, end, NULL);
		if (err)
			return err;
	}

	gather_init(&g, mm);
	prev = vma_prev(v);
	for (; v && v->start < end; v = next) {
		next = vma_next(v);
		vma_tree_erase(mm, v);
		mm_account(mm, v->flags, vma_pages(v), -1);
		zap_range(&g, v, v->start, v->end, ZAP_ALL);
		if (v->mapping) {
			/* Tables go after this: no walk of the reverse map may be in them. */
			rmap_lock(v->mapping);
			rmap_remove_locked(v);
			rmap_unlock(v->mapping);
		}
		/* v->node may still be walked through by a fault: its links stay what they are. */
		v->rmap_node.left = (struct rb_node *)dead;
		dead = v;
	}
	mm_tables_free(&g, start, end, prev ? prev->end : 0, v ? v->start : UINT64_MAX);
	gather_finish(&g);
	while (dead) {
		v = dead;
		dead = (struct vma *)v->rmap_node.left;
		if (v->ops && v->ops->close)
			v->ops->close(v);
		vma_free(v);
	}
	return 0;
}

int
mm_unmap(struct mm *mm, u64 addr, u64 len)
{
	int err;

	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	err = mm_unmap_locked(mm, addr, len);
	mm_write_unlock(mm);
	return err;
}

int
mm_unmap_object(struct mm *mm, u64 addr, const struct vma_ops *ops)
{
	void *owner = NULL;
	u64 end = addr;
	int r = -EINVAL;

	rwsem_write_lock(&mm->mmap_lock);
	for (struct vma *v = vma_find(mm, addr), *next; v; v = next) {
		next = vma_next(v);
		if (owner && v->start >= end)
			break;
		if (v->ops != ops || v->start - (v->pgoff << PAGE_SHIFT) != addr ||
		    (owner && v->owner != owner))
			continue;
		if (!owner) {
			owner = v->owner;
			end = addr + *v->mapping->size;
		}
		r = mm_unmap_locked(mm, v->start, v->end - v->start);
		if (r)
			break;
	}
	mm_write_unlock(mm);
	return r;
}

long
sys_munmap(u64 addr, size_t len)
{
	return mm_unmap(thread_current()->mm, addr, len);
}
