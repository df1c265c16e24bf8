/* SPDX-License-Identifier: MIT */
/*
 * Taking mappings down in batches: entries are changed first, then one shoot-down tells all CPUs,
 * and only then pages and tables are freed. The order is the whole point: a page freed earlier
 * could be reached, by now in another program's hands, through a translation that some CPU still
 * remembers. That holds for dropping a reference too, since the other owner may drop the last one
 * in between.
 *
 * Anonymous pages that nobody else refers to are chained through their list node and need no room;
 * for the others there are a few slots, then a page of slots if one can be had.
 */
#include "arch/tlb.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "swap.h"

#define SLOTS_PER_PAGE (PAGE_SIZE / sizeof(struct page *))

void
gather_init(struct gather *g, struct mm *mm)
{
	g->mm = mm;
	g->start = UINT64_MAX;
	g->end = 0;
	g->sole = NULL;
	g->tables = NULL;
	g->count = 0;
	g->max = GATHER_INLINE;
	g->pages = g->inline_pages;
	g->anon = g->file = g->shmem = g->unmapped = 0;
}

bool
gather_slots_grow(struct gather *g)
{
	struct page **more;

	if (g->pages != g->inline_pages)
		return false;
	more = pages_alloc(0, GFP_ATOMIC | GFP_NOWARN);
	if (!more)
		return false;
	for (u32 i = 0; i < g->count; i++)
		more[i] = g->inline_pages[i];
	g->pages = more;
	g->max = SLOTS_PER_PAGE;
	return true;
}

void
gather_table(struct gather *g, struct page *page)
{
	page->lru.next = (struct list *)g->tables;
	g->tables = page;
}

bool
page_drop_entry(struct page *page)
{
	enum mem_counter counter = page_flag(page, PG_ANON) ? MC_ANON : MC_MAPPED;
	s64 now = atomic64_sub_return(&page->ref_and_map, PAGE_MAPPED_ONCE);

	if (now >> 32 == 0)
		mem_count(counter, -1);
	if (unlikely((u32)now == 0))
		page_release(page);
	return now >> 32 == 0;
}

/* The same for many; private pages join the sole ones. */
static inline void
page_drop_mapped(struct gather *g, struct page *page)
{
	s64 now;

	if ((uintptr_t)page & GATHER_BLOCK) {
		huge_drop((struct page *)((uintptr_t)page & ~GATHER_BLOCK));
		return;
	}
	if (!page_flag(page, PG_ANON)) {
		(void)page_drop_entry(page);
		return;
	}
	if (unlikely(page_flag(page, PG_SWAPCACHE)))
		swap_cache_try_drop(page);
	now = atomic64_sub_return(&page->ref_and_map, PAGE_MAPPED_ONCE);
	if (now >> 32 == 0)
		g->unmapped++;
	if ((u32)now == 0) {
		page->lru.next = (struct list *)g->sole;
		g->sole = page;
	}
}

void
mm_hiwater_update(struct mm *mm)
{
	s64 rss = (s64)mm_rss(mm);

	if (rss > atomic64_read(&mm->hiwater_rss))
		atomic64_set(&mm->hiwater_rss, rss);
}

void
gather_flush(struct gather *g)
{
	struct mm *mm = g->mm;

	if (g->start >= g->end && !g->tables)
		return;
	if (g->tables)
		arch_tlb_shootdown_all(&mm->space);
	else if (g->start < g->end)
		arch_tlb_shootdown(&mm->space, g->start, g->end, PAGE_SIZE);
	g->start = UINT64_MAX;
	g->end = 0;

	if (g->anon | g->file | g->shmem)
		mm_hiwater_update(mm);
	if (g->anon)
		atomic64_sub(&mm->rss_anon, g->anon);
	if (g->file)
		atomic64_sub(&mm->rss_file, g->file);
	if (g->shmem)
		atomic64_sub(&mm->rss_shmem, g->shmem);
	g->anon = g->file = g->shmem = 0;

	for (u32 i = 0; i < g->count; i++)
		page_drop_mapped(g, g->pages[i]);
	g->count = 0;
	if (g->unmapped) {
		mem_count(MC_ANON, -g->unmapped);
		g->unmapped = 0;
	}
	if (g->sole) {
		page_free_chain(g->sole);
		g->sole = NULL;
	}
	while (g->tables) {
		struct page *page = g->tables;

		g->tables = (struct page *)page->lru.next;
		table_page_free(mm, page);
	}
}

void
gather_finish(struct gather *g)
{
	gather_flush(g);
	if (g->pages != g->inline_pages)
		pages_free(g->pages, 0);
}
