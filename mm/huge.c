/* SPDX-License-Identifier: MIT */
/*
 * 2 MiB pages of anonymous memory.
 *
 * A write to an empty, aligned 2 MiB of a private anonymous mapping gets one block instead of 512
 * pages, if memory is plentiful. The block is mapped by an entry of level 1, and after fork by one
 * in each address space, none of them writable.
 *
 * A block is whole (PG_COMPOUND: its head counts the entries), and at some time falls into pieces:
 * 512 ordinary pages, each of which counts every entry for itself. That happens when any of the
 * owners needs small pages: for copy on write, as Linux does it, a partial munmap or mprotect, for
 * pinning or swapping. His entry becomes a leaf table; the others keep showing the same 2 MiB until
 * the same happens to them, or they drop one reference to each piece. So memory that one owner
 * gives up is free as soon as the others have copied it, and a page is "ours alone" by the same
 * test everywhere.
 *
 *	entry		block		a store			fork
 *	the only one	whole		made writable		one more entry
 *	one of several	whole		split, then fault.c	one more entry
 *	any		in pieces	split, then fault.c	split, then copied page by page
 *
 * A split cannot fail: with each huge entry a leaf table is put by, in a list of the level 1 table
 * that the entry is in (table_page(level1)->private).
 *
 * Locking: the lock of the level 1 table for the entry and the tables put by; within it, the
 * table_lock of the block's first page for the step from whole to pieces against counting.
 */
#include "arch/tlb.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "vma.h"

#define HUGE_ORDER (HUGE_SHIFT - PAGE_SHIFT)

/* ---- leaf tables put by; level 1 lock held ---- */

static void
deposit_put(pte_t *level1, struct page *table)
{
	struct page *upper = table_page(level1);

	table->lru.next = (struct list *)(uintptr_t)upper->private;
	upper->private = (u64)(uintptr_t)table;
}

static struct page *
deposit_take(pte_t *level1)
{
	struct page *upper = table_page(level1), *table = (struct page *)(uintptr_t)upper->private;

	upper->private = (u64)(uintptr_t)table->lru.next;
	return table;
}

/* ---- blocks ---- */

/* Is the block behind an entry, whose level 1 lock is held, whole and without another entry? */
bool
huge_sole(struct page *block)
{
	/* Whoever could change that has an entry of his own. */
	return page_flag(block, PG_COMPOUND) &&
	       atomic64_read(&block->ref_and_map) == PAGE_MAPPED_ONCE;
}

/* False: it is in pieces. */
static bool
block_get(struct page *block)
{
	bool whole;

	spin_lock(&block->table_lock);
	whole = page_flag(block, PG_COMPOUND);
	if (whole)
		atomic64_add(&block->ref_and_map, PAGE_MAPPED_ONCE);
	spin_unlock(&block->table_lock);
	return whole;
}

/* An entry that showed the block has gone, and no CPU remembers it. */
void
huge_drop(struct page *block)
{
	bool whole, last = false;

	spin_lock(&block->table_lock);
	whole = page_flag(block, PG_COMPOUND);
	if (whole)
		last = !atomic64_sub_return(&block->ref_and_map, PAGE_MAPPED_ONCE);
	spin_unlock(&block->table_lock);
	if (last) {
		mem_count(MC_ANON, -(s64)PTE_PER_TABLE);
		mem_count(MC_HUGE_ANON, -(s64)PTE_PER_TABLE);
		page_release(block);
	} else if (!whole) {
		for (u32 i = 0; i < PTE_PER_TABLE; i++)
			page_drop_entry(block + i);
	}
}

static void
block_to_pieces(struct page *block)
{
	spin_lock(&block->table_lock);
	if (page_flag(block, PG_COMPOUND)) {
		s64 entries = atomic64_read(&block->ref_and_map);

		block->order = 0;
		for (u32 i = 0; i < PTE_PER_TABLE; i++) {
			block[i].mapping = NULL;
			atomic64_set(&block[i].ref_and_map, entries);
			atomic_set(&block[i].flags, PG_ANON | PG_UPTODATE);
		}
		mem_count(MC_HUGE_ANON, -(s64)PTE_PER_TABLE);
	}
	spin_unlock(&block->table_lock);
}

/* ---- entries ---- */

bool
huge_fault(struct vma *v, pte_t *level1, u64 addr)
{
	struct spinlock *lock = table_lock_of(level1);
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
	page_set_flag(page, PG_ANON | PG_UPTODATE);
	atomic64_set(&page->ref_and_map, PAGE_MAPPED_ONCE);
	spin_init(&page->table_lock, RANK_HUGE_PAGE);
	v->has_anon = true;
	e = pte_make(page_to_phys(page),
		     vma_pte_prot(v->flags) | PTE_P_HUGE | PTE_P_DIRTY | PTE_P_YOUNG);
	spin_lock(lock);
	if (!pte_cmpxchg(level1, (pte_t){ 0 }, e)) {
		/* Another thread was faster, perhaps with a leaf table. */
		bool huge = pte_leaf(pte_get(level1));

		spin_unlock(lock);
		table_page_free(v->mm, table);
		atomic_set(&page->mapcount, 0);
		page_free(page, HUGE_ORDER);
		return huge;
	}
	deposit_put(level1, table);
	spin_unlock(lock);
	atomic64_add(&v->mm->rss_anon, PTE_PER_TABLE);
	mem_count(MC_ANON, PTE_PER_TABLE);
	mem_count(MC_HUGE_ANON, PTE_PER_TABLE);
	return true;
}

bool
huge_write(struct vma *v, pte_t *level1)
{
	struct spinlock *lock = table_lock_of(level1);
	bool done;
	pte_t e;

	spin_lock(lock);
	e = pte_get(level1);
	done = pte_leaf(e) && (v->flags & VM_WRITE) && huge_sole(phys_to_page(pte_paddr(e)));
	if (done)
		pte_set(level1, pte_mkyoung(pte_mkdirty(pte_mkwrite(e))));
	spin_unlock(lock);
	return done;
}

int
huge_copy(struct mm *mm, pte_t *from, pte_t *to, bool *changed)
{
	struct page *table = table_page_alloc(mm);
	bool copied = false;
	pte_t e;

	if (!table)
		return -ENOMEM;
	/* Parent before child. */
	spin_lock(table_lock_of(from));
	spin_lock_nested(table_lock_of(to));
	e = pte_get(from);
	if (pte_leaf(e) && pte_none(pte_get(to)) && block_get(phys_to_page(pte_paddr(e)))) {
		if (pte_write(e)) {
			e = pte_wrprotect(e);
			pte_set(from, e);
			*changed = true;
		}
		pte_set(to, e);
		deposit_put(to, table);
		copied = true;
	}
	spin_unlock(table_lock_of(to));
	spin_unlock(table_lock_of(from));
	if (!copied) {
		table_page_free(mm, table);
		return -EAGAIN;
	}
	return 0;
}

bool
huge_move(pte_t *from, pte_t *to)
{
	struct page *table;
	bool moved = false;
	pte_t e;

	spin_lock(table_lock_of(from));
	e = pte_get(from);
	if (pte_leaf(e) && pte_none(pte_get(to))) {
		table = deposit_take(from);
		pte_set(from, (pte_t){ 0 });
		moved = true;
	}
	spin_unlock(table_lock_of(from));
	if (moved) {
		/* Both vmas are being changed: in between, nobody sees that it is in neither. */
		spin_lock(table_lock_of(to));
		pte_set(to, e);
		deposit_put(to, table);
		spin_unlock(table_lock_of(to));
	}
	return moved;
}

void
huge_split(struct vma *v, pte_t *level1, u64 addr)
{
	struct spinlock *lock = table_lock_of(level1);
	u64 base = ALIGN_DOWN(addr, HUGE_SIZE);
	struct page *table;
	pte_t e, *leaf;

	spin_lock(lock);
	e = pte_get(level1);
	if (pte_none(e) || !pte_leaf(e)) {
		spin_unlock(lock);
		return;
	}
	block_to_pieces(phys_to_page(pte_paddr(e)));
	table = deposit_take(level1);
	leaf = page_to_virt(table);
	/* The entry's own rights: the vma may cover, and be about to change, a part of it only. */
	for (u32 i = 0; i < PTE_PER_TABLE; i++)
		pte_set(leaf + i, pte_split(e, i));
	smp_wmb();
	pte_set(level1, pte_make_table(page_to_phys(table)));
	spin_unlock(lock);
	/* Old and new translations agree; still no CPU should hold both. */
	arch_tlb_shootdown(&v->mm->space, base, base + HUGE_SIZE, HUGE_SIZE);
}

bool
huge_zap(struct gather *g, pte_t *level1, u64 addr)
{
	struct spinlock *lock = table_lock_of(level1);
	struct page *table;
	pte_t e;

	spin_lock(lock);
	e = pte_get(level1);
	if (pte_none(e) || !pte_leaf(e)) {
		spin_unlock(lock);
		return false;
	}
	pte_set(level1, (pte_t){ 0 });
	table = deposit_take(level1);
	spin_unlock(lock);
	table_page_free(g->mm, table);
	gather_range(g, addr, addr + HUGE_SIZE);
	if (gather_block(g, phys_to_page(pte_paddr(e))))
		gather_flush(g);
	return true;
}
