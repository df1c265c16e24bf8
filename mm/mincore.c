/* SPDX-License-Identifier: MIT */
/*
 * mincore(2): which pages would be there without reading a device: those mapped, and those of a
 * file in the page cache.
 */
#include "generated/syscalls.h"
#include "mm/slab.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "swap.h"
#include "vma.h"

#define CHUNK 512u

static u8
page_resident(struct vma *v, u64 addr)
{
	pte_t *level1 = mm_level1_find(v->mm, addr), e;
	struct page *page;
	u8 resident;

	e = level1 ? pte_get(level1) : (pte_t){ 0 };
	if (!pte_none(e) && !pte_leaf(e))
		e = pte_get(pte_table(e) + pte_index(addr, 0));
	if (!pte_none(e)) {
		if (pte_present(e))
			return 1;
		page = swap_cache_find(pte_swap_value(e));
		goto out;
	}
	if (!v->mapping)
		return 0;
	page = mapping_find(v->mapping, v->pgoff + ((addr - v->start) >> PAGE_SHIFT));
out:
	if (!page)
		return 0;
	resident = page_flag(page, PG_UPTODATE);
	page_put(page);
	return resident;
}

static int
resident_chunk(struct mm *mm, u64 addr, u32 pages, u8 *out)
{
	struct vma *v;
	int err = 0;

	rwsem_read_lock(&mm->mmap_lock);
	v = vma_find(mm, addr);
	for (u32 i = 0; i < pages; i++, addr += PAGE_SIZE) {
		if (v && v->end <= addr)
			v = vma_next(v);
		if (!v || v->start > addr) {
			err = -ENOMEM;
			break;
		}
		out[i] = page_resident(v, addr);
	}
	rwsem_read_unlock(&mm->mmap_lock);
	return err;
}

long
sys_mincore(unsigned long addr, size_t len, user_ptr vec)
{
	struct mm *mm = thread_current()->mm;
	u64 pages = DIV_ROUND_UP(len, PAGE_SIZE);
	u8 out[CHUNK];

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!user_range_ok(user_ptr_of(addr), len))
		return -ENOMEM;
	if (!user_range_ok(vec, pages))
		return -EFAULT;
	while (pages) {
		u32 n = (u32)MIN(pages, (u64)CHUNK);
		int err = resident_chunk(mm, addr, n, out);

		if (err)
			return err;
		if (copy_to_user(vec, out, n))
			return -EFAULT;
		vec = user_ptr_add(vec, n);
		addr += (u64)n << PAGE_SHIFT;
		pages -= n;
	}
	return 0;
}
