/* SPDX-License-Identifier: MIT */
/* What the files of this room share and nobody else sees. */
#ifndef MM_MM_INTERNAL_H
#define MM_MM_INTERNAL_H

#include "core/panic.h"
#include "mm/mm.h"
#include "mm/page.h"

/* ---- buddy.c: free blocks of 2^order pages ---- */

#define BUDDY_ORDERS 11			/* up to 4 MiB */
#define BUDDY_MAX_PAGES (1ul << (BUDDY_ORDERS - 1))

struct buddy {
	struct spinlock lock;
	u64 free;			/* pages on the lists */
	struct {
		struct list list;
		u64 count;
	} area[BUDDY_ORDERS];
};

void buddy_init(struct buddy *b);
/* Pages [pfn, pfn + count) become free; used at boot and for whole blocks. Lock held, or single-threaded. */
void buddy_add_range(struct buddy *b, u64 pfn, u64 count);
void buddy_free_locked(struct buddy *b, struct page *page, u32 order);
struct page *buddy_take_locked(struct buddy *b, u32 order);
/* Up to `want` single pages chained through lru.next; returns how many. */
u32 buddy_take_batch_locked(struct buddy *b, u32 want, struct page **chain);

/* ---- page_alloc.c ---- */

void page_alloc_init(u64 total);	/* after the first buddy_add_range calls */
extern struct buddy page_buddy;
/* Frames that are in use or reserved become free. */
void page_add_range(u64 pfn, u64 count);
extern u64 page_total;			/* pages managed */
u64 page_count_free(void);
/* Free a chain (lru.next, NULL at the end) of single pages whose last reference is gone. */
void page_free_chain(struct page *chain);
/* Is memory so plentiful that a 2 MiB block for one touched page is no waste? */
bool page_huge_allowed(void);
void page_drain_cpu(void);		/* this CPU's list back to the buddy */
/* After a process was killed for its memory: wait until some came back, or a moment; and the teller. */
void oom_wait(void);
void oom_memory_freed(void);

/* ---- page.c ---- */

void page_queues_init(void);
void page_release(struct page *page);	/* the last reference is gone */
void page_wait_unlocked(struct page *page);

/* ---- reclaim.c ---- */

/* Try to free n pages: the number freed. May sleep. */
u64 reclaim_pages(u64 n, u32 gfp);

u64 kstack_reclaim(void);		/* kstack.c: pages freed */

/* ---- slab.c, commit.c ---- */

void slab_init(void);
u64 mm_commit_limit(void);

/* ---- boot_memory.c ---- */

/* For mm's own use before the buddy runs: zeroed pages. */
void *boot_pages_alloc(u64 count);

/* ---- statistics: per CPU, summed by readers ---- */

enum mem_counter {
	MC_FILE,			/* pages in the page cache, shmem included */
	MC_SHMEM,
	MC_ANON,
	MC_HUGE_ANON,			/* 4 KiB pages in 2 MiB blocks */
	MC_MAPPED,			/* file pages with a page-table entry */
	MC_SLAB_RECLAIMABLE,
	MC_SLAB_UNRECLAIMABLE,
	MC_KSTACK,
	MC_PAGE_TABLES,
	MC_VMALLOC,
	MC_MLOCKED,
	MC_DIRTY,
	MC_WRITEBACK,
	MC_LRU_ACTIVE,
	MC_LRU_INACTIVE,
	MC_COMMITTED,
	MC_PGFAULT,
	MC_PGMAJFAULT,
	MC_PGALLOC,
	MC_PGFREE,
	MC_COUNT
};
DECLARE_PERCPU(s64, mem_counters[MC_COUNT]);

static inline void
mem_count(enum mem_counter which, s64 delta)
{
	this_cpu_add(mem_counters[which], delta);
}

s64 mem_counter_sum(enum mem_counter which);

#endif
