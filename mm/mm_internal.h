/* SPDX-License-Identifier: MIT */
/* What the files of this room share and nobody else sees. */
#ifndef MM_MM_INTERNAL_H
#define MM_MM_INTERNAL_H

#include "core/panic.h"
#include "mm/mm.h"
#include "mm/page.h"

/* ---- buddy.c: free blocks of 2^order pages ---- */

#define BUDDY_ORDERS	PAGE_ORDERS /* up to 4 MiB */
#define BUDDY_MAX_PAGES (1ul << (BUDDY_ORDERS - 1))

struct buddy {
	struct spinlock lock;
	u64 free; /* pages on the lists */
	struct {
		struct list list;
		u64 count;
	} area[BUDDY_ORDERS];
};

void buddy_init(struct buddy *b);
/*
 * Pages [pfn, pfn + count) become free; used at boot and for whole blocks. Lock held, or single-
 * threaded.
 */
void buddy_add_range(struct buddy *b, u64 pfn, u64 count);
void buddy_free_locked(struct buddy *b, struct page *page, u32 order);
struct page *buddy_take_locked(struct buddy *b, u32 order);
/* Up to `want` single pages chained through lru.next; returns how many. */
u32 buddy_take_batch_locked(struct buddy *b, u32 want, struct page **chain);

/* ---- page_alloc.c ---- */

void page_alloc_init(u64 total); /* after the first buddy_add_range calls */
extern struct buddy page_buddy;
/* Frames that are in use or reserved become free. */
void page_add_range(u64 pfn, u64 count);
extern u64 page_total; /* pages managed */
/* Free pages below which kswapd starts, and at which it stops. */
extern u64 page_low, page_high;
u64 page_count_free(void);
/* Free a chain (lru.next, NULL at the end) of single pages whose last reference is gone. */
void page_free_chain(struct page *chain);
/* As page_free(page, 0), for a page whose contents are all zero: the next GFP_ZERO has no work. */
void page_free_zeroed(struct page *page);
/* Is memory so plentiful that a 2 MiB block for one touched page is no waste? */
bool page_huge_allowed(void);
void page_drain_cpu(void); /* this CPU's list back to the buddy */
/*
 * After a process was killed for its memory: wait until some came back, or a moment; and the
 * teller.
 */
void oom_wait(void);
void oom_memory_freed(void);

/* ---- page.c ---- */

void page_queues_init(void);
void page_release(struct page *page); /* the last reference is gone */
void page_wait_unlocked(struct page *page);

/* ---- reclaim.c ---- */

/* Try to free n pages: the number freed. May sleep. */
u64 reclaim_pages(u64 n, u32 gfp);
/* More could be had by waiting for pages that are dirty or being written. */
bool reclaim_awaits_disk(u32 gfp);
void kswapd_wake(void); /* any context without the buddy's lock */

u64 kstack_reclaim(void); /* kstack.c: pages freed */

/* ---- slab.c, commit.c ---- */

void slab_init(void);
u64 mm_commit_limit(void);

/* ---- address spaces: mm.c, map.c, munmap.c, fault.c, fork.c ---- */

struct gather;

#define MMAP_MIN_ADDR 65536ul

void mm_caches_init(void);
/*
 * Add a vma's pages to (or with -1, take them off) the totals of its kind. mmap_lock held for
 * writing.
 */
void mm_account(struct mm *mm, u32 vm_flags, u64 pages, s64 sign);
/* The high-water mark is looked at when the water is about to fall. */
void mm_hiwater_update(struct mm *mm);
/* The PTE_P_* rights of a vma's pages; private pages get write access one by one. */
static inline u32
vma_pte_prot(u32 vm_flags)
{
	u32 prot = PTE_P_USER | (vm_flags & (VM_READ | VM_WRITE | VM_EXEC));

	STATIC_ASSERT(VM_READ == PTE_P_READ && VM_WRITE == PTE_P_WRITE && VM_EXEC == PTE_P_EXEC);
	/* What can be written can be read: an entry that loses write access must not become none.
	 */
	return vm_flags & VM_WRITE ? prot | PTE_P_READ : prot;
}
/* Is there room under the limits for `pages` more of this kind? 0, -ENOMEM, -EAGAIN. */
int __must_check mm_limits_check(struct mm *mm, u32 vm_flags, u64 pages);
/* The same for pages that only become private and writable. */
int __must_check mm_data_check(struct mm *mm, u64 pages);
/* Where to put `len` bytes: the hint if it is free, else the highest hole. Address or -ENOMEM. */
enum placement { PLACE_ANYWHERE, PLACE_HUGE /* aligned if large */, PLACE_LOW_2G /* MAP_32BIT */ };
long mm_choose_address(struct mm *mm, u64 hint, u64 len, enum placement placement);

enum zap_what { ZAP_ALL, ZAP_FILE_ONLY }; /* FILE_ONLY: private copies stay */
void zap_range(struct gather *g, struct vma *v, u64 start, u64 end, enum zap_what what);
void protect_range(struct gather *g, struct vma *v, u64 start,
		   u64 end); /* entries take the vma's rights */

enum fault_access { FAULT_READ = 0, FAULT_WRITE = 1, FAULT_EXEC = 2 };
/*
 * Make the page at addr accessible; mmap_lock held for reading or writing, access permitted by the
 * vma's flags. 0; -ENOMEM; -EFAULT: bus error (nothing behind the address), -EAGAIN: look again.
 */
int fault_page(struct vma *v, u64 addr, enum fault_access access, bool *major);
/*
 * The vma at addr for such an access, a stack grown if need be. mmap_lock is held for reading on
 * success and on failure (may have been dropped in between).
 */
int fault_find_vma(struct mm *mm, u64 addr, enum fault_access access, bool force, struct vma **out);
extern struct page *zero_page;

/* mlock.c: fault in [start, end). -ENOMEM for a hole or no memory, -EFAULT for no right, -EINTR. */
enum populate_how { POPULATE_DEFAULT, POPULATE_READ, POPULATE_WRITE };
int populate_range(struct mm *mm, u64 start, u64 end, enum populate_how how);

/* huge.c */
bool huge_fault(struct vma *v, pte_t *level1, u64 addr);
/* Let a store through. False: it takes small pages. */
bool huge_write(struct vma *v, pte_t *level1);
/* *level1 is a huge page: becomes a table of small ones. May be called by several at once. */
void huge_split(struct vma *v, pte_t *level1, u64 addr);
/*
 * fork: an entry of mm for the same page, both without write access; *changed if `from` had it.
 * -EAGAIN: it takes small pages; -ENOMEM.
 */
int huge_copy(struct mm *mm, pte_t *from, pte_t *to, bool *changed);
/* mremap: false if `from` is no huge page (any more) or `to` is taken. */
bool huge_move(pte_t *from, pte_t *to);
bool huge_sole(struct page *block);
void huge_drop(struct page *block);
/* The whole 2 MiB at once; false: it is no huge page any more. */
bool huge_zap(struct gather *g, pte_t *level1, u64 addr);

/* rmap.c: [first, last] are page indices. */
void rmap_unmap(struct mapping *m, u64 first, u64 last, enum zap_what what);
bool
rmap_clean(struct mapping *m, u64 index); /* write-protect shared entries; true if one was dirty */
/* For reclaim. */
enum rmap_verdict {
	RMAP_UNMAPPED, /* no entry shows the page any more */
	RMAP_USED,     /* nothing was done: it was used since the last look */
	RMAP_LOCKED,   /* a vma has it mlocked */
	RMAP_BUSY,     /* somebody holds the lock */
};
enum rmap_verdict rmap_try_unmap(struct mapping *m, u64 index);

/* shared_anon.c: what MAP_SHARED | MAP_ANONYMOUS maps. Fills mapping, owner, ops. */
int __must_check shared_anon_create(struct mm_map_request *rq);

/* reclaim.c: pages of mappings that can be read in again. */
void lru_add(struct page *page);
void lru_remove(struct page *page);

/* mapping.c, truncate.c, readahead.c */
#define MARK_DIRTY     XA_MARK_0
#define MARK_WRITEBACK XA_MARK_1
static inline bool
mapping_writes(const struct mapping *m)
{
	return m->ops->write_page || m->ops->write_pages;
}
/* A new page for index, locked, in the cache, with a reference; NULL: it is there, or no memory. */
struct page *page_create_ahead(struct mapping *m, u64 index);
/* Page `index` is missing and `count` are wanted from there on; invalidate_lock held shared. */
void read_ahead_sync(struct mapping *m, struct file_readahead *ra, u64 index, u64 count);
/* A page with PG_READAHEAD was reached. */
void read_ahead_async(struct mapping *m, struct file_readahead *ra, struct page *page);
/* A fault of v misses page `index`; likewise. */
void read_ahead_fault(struct vma *v, u64 index);
void mapping_detach(struct mapping *m,
		    struct page *page); /* locked page; the tree's reference becomes the caller's */

/* writeback.c */
void dirty_uncount(struct mapping *m);
void dirty_limits(u64 *background, u64 *limit);
void writeback_wake_all(u32 want);
void writeback_wait_some(u64 ns);
void writeback_count_written(void); /* a page is clean: those who wait for that hear of it */

/* ---- boot_memory.c ---- */

/* For mm's own use before the buddy runs: zeroed pages. */
void *boot_pages_alloc(u64 count);

/* ---- statistics: per CPU, summed by readers ---- */

enum mem_counter {
	MC_FILE, /* pages in the page cache, shmem included */
	MC_SHMEM,
	MC_ANON,
	MC_HUGE_ANON, /* 4 KiB pages in 2 MiB blocks */
	MC_MAPPED,    /* file pages with a page-table entry */
	MC_SLAB_RECLAIMABLE,
	MC_SLAB_UNRECLAIMABLE,
	MC_KSTACK,
	MC_PAGE_TABLES,
	MC_VMALLOC,
	MC_MLOCKED,
	MC_DIRTY,
	MC_WRITEBACK,
	MC_DIRTIED,
	MC_WRITTEN,
	MC_THROTTLED,
	MC_PGSTEAL,
	MC_PGSCAN,
	MC_PGSTEAL_BACKGROUND,
	MC_PGSCAN_BACKGROUND,
	MC_PGPGIN,
	MC_SWAP_CACHED,
	MC_PSWPIN,
	MC_PSWPOUT,
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
