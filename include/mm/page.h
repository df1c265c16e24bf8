/* SPDX-License-Identifier: MIT */
/*
 * Physical pages: an array of struct page, one for each 4 KiB frame, and the buddy allocator on top
 * with per-CPU lists.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "arch/mmu.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/list.h"

/* Allocation flags. */
#define GFP_KERNEL 0u	  /* may sleep and reclaim */
#define GFP_ATOMIC BIT(0) /* may not sleep; may dip into the reserve */
#define GFP_ZERO   BIT(1)
#define GFP_NOFAIL BIT(2) /* small orders: retry until reclaim or OOM helps */
#define GFP_NOWARN BIT(3)
#define GFP_USER   BIT(4) /* for user memory: counted, may trigger the OOM killer */
#define GFP_NOFS   BIT(5) /* reclaim must not call file systems */

/* page->flags */
#define PG_LOCKED     (1u << 0) /* page lock (sleeping bit lock; page_lock) */
#define PG_UPTODATE   (1u << 1)
#define PG_DIRTY      (1u << 2)
#define PG_WRITEBACK  (1u << 3)
#define PG_LRU	      (1u << 4)
#define PG_ACTIVE     (1u << 5)
#define PG_REFERENCED (1u << 6)
#define PG_SLAB	      (1u << 7)
#define PG_BUDDY      (1u << 8)
#define PG_RESERVED   (1u << 9) /* firmware, kernel image, memory holes */
#define PG_ANON	      (1u << 10)
#define PG_COMPOUND   (1u << 11) /* head of a multi-page block */
#define PG_TAIL	      (1u << 12)
#define PG_ERROR      (1u << 13)
#define PG_MLOCKED    (1u << 14)
#define PG_WAITERS    (1u << 15)
#define PG_SWAPBACKED (1u << 16)
#define PG_READAHEAD  (1u << 17) /* reached by a reader: time to read on */
#define PG_RECLAIM    (1u << 18) /* written in order to be dropped */
#define PG_SWAPCACHE  (1u << 19) /* private says which swap slot: mm/swap.c */

struct mapping;

struct page { /* 64 bytes */
	struct atomic32 flags;
	u8 order; /* of a compound head or free block */
	u8 pad[3];
	union {
		struct {
			struct ref ref;
			struct atomic32 mapcount; /* page-table entries that map it */
		};
		/* both, changed together: a map count in the high half */
		struct atomic64 ref_and_map;
	};
	union {
		struct mapping *mapping; /* page cache; NULL once it has left */
		void *slab_cache;
		struct page *head; /* tail of a compound */
	};
	u64 index; /* page offset in mapping; slab's free list */
	union {
		struct list lru;     /* LRU, buddy lists, slab lists */
		struct rcu_head rcu; /* slab pages on their way out */
	};
	u64 private; /* owner's: file system buffers, slab counters, deposited tables, swap slot */
	struct spinlock table_lock; /* of a page-table page: guards its entries */
};
STATIC_ASSERT(sizeof(struct page) == 64);

/*
 * Early: hand RAM of boot_info to the buddy, build the page array. Panics with a clear message when
 * there is too little memory.
 */
void mm_init(void);
/*
 * Give physical memory that boot needed (the initrd after unpacking) to the allocator. Whole pages
 * inside the range only.
 */
void mm_release_boot(paddr_t start, paddr_t end);

struct page *page_alloc(u32 order, u32 gfp);  /* one reference; NULL: no memory */
void page_free(struct page *page, u32 order); /* the sole owner's way; page_put otherwise */
void page_get(struct page *page);
void page_put(struct page *page); /* frees at zero (compound aware) */
/* For pages found under RCU: false when it is already being freed. */
static inline bool
page_try_get(struct page *p)
{
	return ref_try_get(&p->ref);
}

#define page_array ((struct page *)PAGE_ARRAY_BASE)

static inline u64
page_to_pfn(const struct page *p)
{
	return (u64)(p - page_array);
}
static inline struct page *
pfn_to_page(u64 pfn)
{
	return page_array + pfn;
}
static inline paddr_t
page_to_phys(const struct page *p)
{
	return page_to_pfn(p) << PAGE_SHIFT;
}
static inline void *
page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}
static inline struct page *
phys_to_page(paddr_t pa)
{
	return pfn_to_page(pa >> PAGE_SHIFT);
}
static inline struct page *
virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}
bool pfn_valid(u64 pfn);

static inline bool
page_flag(const struct page *p, u32 f)
{
	return atomic_read(&p->flags) & f;
}
static inline void
page_set_flag(struct page *p, u32 f)
{
	atomic_or(&p->flags, f);
}
static inline void
page_clear_flag(struct page *p, u32 f)
{
	atomic_and(&p->flags, ~f);
}

void page_lock(struct page *page); /* sleeps */
bool page_trylock(struct page *page);
void page_unlock(struct page *page);
void page_wait_writeback(struct page *page);
void page_end_writeback(struct page *page); /* write_page's completion */

void page_clear(void *va); /* zero one page, fast */
void page_copy(void *dst, const void *src);

/* Whole pages by virtual address, for kernel buffers. */
void *pages_alloc(u32 order, u32 gfp);
void pages_free(void *va, u32 order);

struct mem_stats { /* in pages */
	u64 total, free, available, cached, buffers, shmem, anon, mapped, slab_reclaimable,
		slab_unreclaimable, kernel_stack, page_tables, active_anon, inactive_anon,
		active_file, inactive_file, mlocked, dirty, writeback, vmalloc_used, committed,
		commit_limit, swap_total, swap_free, swap_cached, huge_anon;
	u64 pgfault, pgmajfault, pgalloc, pgfree;
	/* since boot: pages dirtied, written, read in; freed and looked at by reclaim */
	u64 dirtied, written, throttled, pgpgin, pgsteal, pgscan, pgsteal_background,
		pgscan_background;
	u64 pswpin, pswpout;
	u64 dirty_limit, dirty_background; /* writers wait, writeback starts */
};
void mem_stats(struct mem_stats *out);
/* Free blocks of 2^n pages, without those that CPUs have put by: /proc/buddyinfo. */
#define PAGE_ORDERS 11
void page_count_free_blocks(u64 out[PAGE_ORDERS]);

#endif
