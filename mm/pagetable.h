/* SPDX-License-Identifier: MIT */
/* Page tables: finding, creating and freeing them. Theory in pagetable.c. */
#ifndef MM_PAGETABLE_H
#define MM_PAGETABLE_H

#include "mm/mm.h"

struct gather;

/* An entry counts in both halves of page->ref_and_map. */
#define PAGE_MAPPED_ONCE ((1l << 32) + 1)

/* Software bits of entries. */
#define PTE_SOFT_SPECIAL 0 /* no reference behind it: zero page, vDSO, device memory */

static inline u32
pte_index(u64 addr, u32 level)
{
	return (addr >> LEVEL_SHIFT(level)) & (PTE_PER_TABLE - 1);
}

static inline pte_t *
mm_root(const struct mm *mm)
{
	return phys_to_virt(mm->space.root);
}

/* The entry for `page` with the attributes of `proto`, which was made for frame 0. */
static inline pte_t
pte_with_page(pte_t proto, const struct page *page)
{
	return (pte_t){ proto.v | page_to_phys(page) };
}

static inline pte_t *
pte_table(pte_t e)
{
	return phys_to_virt(pte_paddr(e));
}

/* The page of the table that an entry lies in; its table_lock guards the entry. */
static inline struct page *
table_page(const pte_t *p)
{
	return virt_to_page((const void *)((uintptr_t)p & PAGE_MASK));
}

static inline struct spinlock *
table_lock_of(const pte_t *p)
{
	return &table_page(p)->table_lock;
}

/* ---- the kernel's own half ---- */

/*
 * The entry of `va` at `level`, with the tables above it created by alloc (zeroed pages). NULL:
 * alloc failed.
 */
pte_t *kernel_pte_create(uintptr_t va, u32 level, void *(*alloc)(void));
/* The leaf entry of a kernel address, or NULL. */
pte_t *kernel_pte_find(uintptr_t va);
/*
 * Tables below the root for all areas that change later, so that every address space shares them.
 */
void kernel_tables_init(void *(*alloc)(void));

/* ---- user half ---- */

/* The level 1 entry of addr with the tables above it created. NULL: no memory. */
pte_t *mm_level1_create(struct mm *mm, u64 addr);
/* The same, or NULL where there is none. */
pte_t *mm_level1_find(struct mm *mm, u64 addr);
/*
 * Walks: as mm_level1_find, but goes on to the first existing level 1 table from *addr up to end
 * and moves *addr there. NULL: none left.
 */
pte_t *mm_level1_next(struct mm *mm, u64 *addr, u64 end);
/*
 * Install a leaf table under a level 1 entry that is none. False: no memory. When true, *level1 is
 * a table or a huge page.
 */
bool mm_leaf_create(struct mm *mm, pte_t *level1);

struct page *table_page_alloc(struct mm *mm); /* zeroed, lock ready, counted */
void table_page_free(struct mm *mm, struct page *page);

/*
 * Free the tables of [start, end) that serve no address outside [floor, ceiling). Nothing in the
 * range is mapped any more, and nobody can map: mmap_lock is held for writing or the space has no
 * user. The pages go through the gather.
 */
void mm_tables_free(struct gather *g, u64 start, u64 end, u64 floor, u64 ceiling);

/* ---- pages that entries refer to ---- */

/*
 * What an entry, which is gone and forgotten by all CPUs, held: a reference and a count. Returns
 * true if no entry shows the page any more.
 */
bool page_drop_entry(struct page *page);

/* ---- gather.c: change entries first, then one shoot-down, then free ---- */

#define GATHER_INLINE 24

struct gather {
	struct mm *mm;
	u64 start, end;	     /* addresses whose translations may be cached */
	struct page *sole;   /* private pages that only we referred to, chained by lru.next */
	struct page *tables; /* page-table pages, chained by lru.next */
	u32 count, max;
	struct page **pages;   /* other pages: an entry's reference each; a tag marks blocks */
	s64 anon, file, shmem; /* what to take off the rss counters */
	s64 unmapped;	       /* private pages whose last entry went */
	struct page *inline_pages[GATHER_INLINE];
};

void gather_init(struct gather *g, struct mm *mm);
/* The entry of addr (PAGE_SIZE or HUGE_SIZE long) was changed: translations must go. */
static inline void
gather_range(struct gather *g, u64 start, u64 end)
{
	if (start < g->start)
		g->start = start;
	if (end > g->end)
		g->end = end;
}
bool gather_slots_grow(struct gather *g);
static inline bool
gather_full(const struct gather *g)
{
	return g->count == g->max;
}

/*
 * The reference of an entry that was cleared. True: call gather_flush soon (outside of the table
 * lock), there is no room left.
 */
static inline bool __must_check
gather_page(struct gather *g, struct page *page)
{
	u32 flags = (u32)atomic_read(&page->flags);

	if (likely(flags & PG_ANON)) {
		g->anon++;
		if (atomic64_read(&page->ref_and_map) == PAGE_MAPPED_ONCE) {
			page->lru.next = (struct list *)g->sole;
			g->sole = page;
			g->unmapped++;
			return false;
		}
	} else if (flags & PG_SWAPBACKED) {
		g->shmem++;
	} else {
		g->file++;
	}
	g->pages[g->count++] = page;
	return unlikely(gather_full(g)) && !gather_slots_grow(g);
}

/* The same for the entry of a 2 MiB page. */
#define GATHER_BLOCK 1ul
static inline bool __must_check
gather_block(struct gather *g, struct page *block)
{
	g->anon += PTE_PER_TABLE;
	g->pages[g->count++] = (struct page *)((uintptr_t)block | GATHER_BLOCK);
	return unlikely(gather_full(g)) && !gather_slots_grow(g);
}

void gather_table(struct gather *g, struct page *page);
void gather_flush(struct gather *g);
void gather_finish(struct gather *g);

#endif
