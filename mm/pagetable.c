/* SPDX-License-Identifier: MIT */
/*
 * Page tables.
 *
 * Four levels; an entry of level 1 is a huge page or points to a leaf table, an entry of a leaf
 * table maps a 4 KiB page.
 *
 * Upper tables are installed by compare-and-swap into an empty entry: no lock, the loser frees his.
 * An entry that points to a table keeps doing so until the table is freed, which happens only with
 * mmap_lock held for writing and no mapping left in its range; so a walk that holds mmap_lock (or a
 * vma) needs no lock to go down. Leaf entries are changed under the lock of their table's page
 * (table_lock), huge entries under the lock of the level 1 table. The one change that walks may
 * meet is huge page -> leaf table (a split): who finds a huge page takes the lock and looks again.
 *
 * The kernel half of the root is shared by all spaces: its root entries are filled at boot and
 * never change.
 */
#include "pagetable.h"

#include "mm_internal.h"

pte_t *
kernel_pte_create(uintptr_t va, u32 level, void *(*alloc)(void))
{
	pte_t *table = arch_kernel_root;

	for (u32 l = 3; l > level; l--) {
		pte_t *entry = table + pte_index(va, l);

		if (pte_none(pte_get(entry))) {
			void *new = alloc();

			if (!new)
				return NULL;
			if (!pte_cmpxchg(entry, (pte_t){ 0 }, pte_make_table(virt_to_phys(new))))
				pages_free(new, 0);
		}
		table = pte_table(pte_get(entry));
	}
	return table + pte_index(va, level);
}

pte_t *
kernel_pte_find(uintptr_t va)
{
	pte_t *table = arch_kernel_root;

	for (u32 l = 3; l > 0; l--) {
		pte_t e = pte_get(table + pte_index(va, l));

		if (pte_none(e) || pte_leaf(e))
			return NULL;
		table = pte_table(e);
	}
	return table + pte_index(va, 0);
}

void
kernel_tables_init(void *(*alloc)(void))
{
	for (uintptr_t va = VMALLOC_START; va < VMALLOC_END; va += 1ul << LEVEL_SHIFT(3))
		kernel_pte_create(va, 2, alloc);
}

/* ---- table pages ---- */

struct page *
table_page_alloc(struct mm *mm)
{
	struct page *page = page_alloc(0, GFP_USER | GFP_ZERO);

	if (!page)
		return NULL;
	spin_init(&page->table_lock, RANK_PAGE_TABLE);
	atomic64_inc(&mm->page_tables);
	mem_count(MC_PAGE_TABLES, 1);
	return page;
}

/* Tables are empty when they go, so their memory is zeroed memory. */
void
table_page_free(struct mm *mm, struct page *page)
{
	atomic64_dec(&mm->page_tables);
	mem_count(MC_PAGE_TABLES, -1);
	page_free_zeroed(page);
}

static __noinline pte_t *
table_create_below(struct mm *mm, pte_t *entry)
{
	struct page *page = table_page_alloc(mm);

	if (!page)
		return NULL;
	if (!pte_cmpxchg(entry, (pte_t){ 0 }, pte_make_table(page_to_phys(page))))
		table_page_free(mm, page);
	return pte_table(pte_get(entry));
}

/* The table below an entry, made if there is none. */
static __always_inline pte_t *
table_below(struct mm *mm, pte_t *entry)
{
	pte_t e = pte_get(entry);

	return likely(!pte_none(e)) ? pte_table(e) : table_create_below(mm, entry);
}

/* ---- walks ---- */

pte_t *
mm_level1_create(struct mm *mm, u64 addr)
{
	pte_t *table = table_below(mm, mm_root(mm) + pte_index(addr, 3));

	if (likely(table))
		table = table_below(mm, table + pte_index(addr, 2));
	return likely(table) ? table + pte_index(addr, 1) : NULL;
}

pte_t *
mm_level1_find(struct mm *mm, u64 addr)
{
	pte_t e = pte_get(mm_root(mm) + pte_index(addr, 3));

	if (pte_none(e))
		return NULL;
	e = pte_get(pte_table(e) + pte_index(addr, 2));
	if (pte_none(e))
		return NULL;
	return pte_table(e) + pte_index(addr, 1);
}

pte_t *
mm_level1_next(struct mm *mm, u64 *addr, u64 end)
{
	while (*addr < end) {
		u32 level = 3;
		pte_t e = pte_get(mm_root(mm) + pte_index(*addr, 3));

		if (!pte_none(e)) {
			level = 2;
			e = pte_get(pte_table(e) + pte_index(*addr, 2));
			if (!pte_none(e))
				return pte_table(e) + pte_index(*addr, 1);
		}
		*addr = ALIGN_DOWN(*addr, 1ul << LEVEL_SHIFT(level)) + (1ul << LEVEL_SHIFT(level));
	}
	return NULL;
}

bool
mm_leaf_create(struct mm *mm, pte_t *level1)
{
	return table_below(mm, level1);
}

/*
 * Entries of `table`, whose level is `level` and whose first address is `base`, that lead to
 * [start, end).
 */
static void
tables_free_level(struct gather *g, pte_t *table, u32 level, u64 base, u64 start, u64 end,
		  u64 floor, u64 ceiling)
{
	u64 span = 1ul << LEVEL_SHIFT(level);

	for (u64 i = (start - base) / span; i < PTE_PER_TABLE && base + i * span < end; i++) {
		u64 low = base + i * span;
		pte_t e = pte_get(table + i);

		if (pte_none(e) || (level == 1 && pte_leaf(e)))
			continue;
		if (level > 1)
			tables_free_level(g, pte_table(e), level - 1, low, MAX(start, low),
					  MIN(end, low + span), floor, ceiling);
		if (low >= floor && low + span <= ceiling) {
			pte_set(table + i, (pte_t){ 0 });
			gather_table(g, phys_to_page(pte_paddr(e)));
		}
	}
}

void
mm_tables_free(struct gather *g, u64 start, u64 end, u64 floor, u64 ceiling)
{
	/* Mostly a neighbour uses the same leaf table, and there is nothing to do. */
	u64 low = MAX(ALIGN_UP(floor, HUGE_SIZE), ALIGN_DOWN(start, HUGE_SIZE));
	u64 high = MIN(ALIGN_DOWN(ceiling, HUGE_SIZE), ALIGN_UP(end, HUGE_SIZE));

	if (low < high)
		tables_free_level(g, mm_root(g->mm), 3, 0, start, end, floor, ceiling);
}
