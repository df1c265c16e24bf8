/* SPDX-License-Identifier: MIT */
/*
 * fork: a copy of an address space.
 *
 * Only private pages that exist are copied, as references: both sides lose write access and the
 * first writer gets a page of his own. What can be faulted in again from the page cache or as the
 * zero page is left out, so a mapping that never had a private page costs its vma and nothing else.
 *
 * The child's mappings of files are in the reverse map before their entries are filled: truncation
 * that comes in between finds them. A 2 MiB page is copied as one reference too (huge.c).
 */
#include "arch/tlb.h"
#include "lib/string.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "swap.h"
#include "vma.h"

/*
 * Entries [addr, end) of one leaf table. Returns the pages copied; *swapped grows by those that are
 * out; *changed if the parent lost write access.
 */
static u64
copy_leaf(pte_t *from, pte_t *to, u32 count, bool *changed, u64 *swapped)
{
	struct spinlock *to_lock = table_lock_of(to), *from_lock = table_lock_of(from);
	u64 copied = 0;

	/* Parent before child. */
	spin_lock(from_lock);
	spin_lock_nested(to_lock);
	for (u32 i = 0; i < count; i++) {
		pte_t e = pte_get(from + i);
		struct page *page;

		if (pte_none(e))
			continue;
		if (!pte_present(e)) {
			swap_get(pte_swap_value(e));
			pte_set(to + i, e);
			(*swapped)++;
			continue;
		}
		if (pte_soft(e, PTE_SOFT_SPECIAL))
			continue;
		page = phys_to_page(pte_paddr(e));
		if (!page_flag(page, PG_ANON))
			continue;
		if (pte_write(e)) {
			/*
			 * The dirty bit that the processor may set meanwhile means nothing for
			 * private pages.
			 */
			e = pte_wrprotect(e);
			pte_set(from + i, e);
			*changed = true;
		}
		atomic64_add(&page->ref_and_map, PAGE_MAPPED_ONCE);
		pte_set(to + i, e);
		copied++;
	}
	spin_unlock(to_lock);
	spin_unlock(from_lock);
	return copied;
}

static int
copy_pages(struct vma *from, struct vma *to, bool *changed)
{
	u64 addr = from->start, copied = 0, swapped = 0;
	pte_t *level1;
	int err = 0;

	while ((level1 = mm_level1_next(from->mm, &addr, from->end))) {
		u64 stop = MIN(from->end, ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE);
		pte_t e = pte_get(level1), *other;

		if (!pte_none(e)) {
			other = mm_level1_create(to->mm, addr);
			if (!other) {
				err = -ENOMEM;
				break;
			}
			if (pte_leaf(e)) {
				err = stop - addr == HUGE_SIZE
					      ? huge_copy(to->mm, level1, other, changed)
					      : -EAGAIN;
				if (!err) {
					copied += PTE_PER_TABLE;
					addr = stop;
					continue;
				}
				if (err != -EAGAIN)
					break;
				err = 0;
				huge_split(from, level1, addr);
				e = pte_get(level1);
			}
			if (!mm_leaf_create(to->mm, other)) {
				err = -ENOMEM;
				break;
			}
			copied += copy_leaf(pte_table(e) + pte_index(addr, 0),
					    pte_table(pte_get(other)) + pte_index(addr, 0),
					    (u32)((stop - addr) >> PAGE_SHIFT), changed, &swapped);
		}
		addr = stop;
	}
	if (copied)
		atomic64_add(&to->mm->rss_anon, (s64)copied);
	if (swapped)
		atomic64_add(&to->mm->swap, (s64)swapped);
	return err;
}

/* *charged: the pages of v count as committed for the child; its teardown releases them. */
static int
copy_vma(struct mm *mm, struct vma *from, bool *changed)
{
	struct vma *v;

	/* No fault of another thread while its pages are looked at. */
	vma_write_begin(from);
	if ((from->flags & VM_ACCOUNT) && commit_charge(vma_pages(from)))
		return -ENOMEM;
	v = vma_alloc(mm);
	if (!v) {
		if (from->flags & VM_ACCOUNT)
			commit_release(vma_pages(from));
		return -ENOMEM;
	}
	v->start = from->start;
	v->end = from->end;
	v->flags = from->flags & ~(u32)(VM_LOCKED | VM_LOCKONFAULT);
	v->pgoff = from->pgoff;
	v->mapping = from->mapping;
	v->owner = from->owner;
	v->ops = from->ops;
	vma_tree_insert(mm, v);
	mm_account(mm, v->flags, vma_pages(v), 1);
	if (v->mapping) {
		rmap_lock(v->mapping);
		rmap_add_locked(v);
		rmap_unlock(v->mapping);
	}
	if (v->ops && v->ops->open)
		v->ops->open(v);
	if (!from->has_anon || (from->flags & (VM_SHARED | VM_WIPEONFORK)))
		return 0;
	v->has_anon = true;
	return copy_pages(from, v, changed);
}

int
mm_fork(struct mm *parent, struct mm **out)
{
	struct mm *mm = mm_create();
	bool changed = false;
	struct vma *v;
	int err = 0;

	if (!mm)
		return -ENOMEM;
	if (rwsem_write_lock_killable(&parent->mmap_lock)) {
		mm_users_put(mm);
		return -EINTR;
	}
	mm->mmap_base = parent->mmap_base;
	mm->start_code = parent->start_code;
	mm->end_code = parent->end_code;
	mm->start_data = parent->start_data;
	mm->end_data = parent->end_data;
	mm->start_brk = parent->start_brk;
	mm->brk = parent->brk;
	mm->start_stack = parent->start_stack;
	mm->arg_start = parent->arg_start;
	mm->arg_end = parent->arg_end;
	mm->env_start = parent->env_start;
	mm->env_end = parent->env_end;
	mm->vdso_base = parent->vdso_base;
	mm->auxv_len = parent->auxv_len;
	memcpy(mm->auxv, parent->auxv, sizeof(mm->auxv));
	mm->dumpable = parent->dumpable;

	parent->forker = mm->forker = thread_current();
	rb_for_each_entry(v, &parent->vmas, node)
	{
		if (v->flags & VM_DONTCOPY)
			continue;
		err = copy_vma(mm, v, &changed);
		if (err)
			break;
	}
	/* Before anyone runs in the child: no CPU may still write to what both see now. */
	if (changed)
		arch_tlb_shootdown(&parent->space, 0, USER_END, PAGE_SIZE);
	parent->forker = mm->forker = NULL;
	mm_write_unlock(parent);
	mm->write_seq++;
	if (err) {
		mm_users_put(mm);
		return err;
	}
	*out = mm;
	return 0;
}
