/* SPDX-License-Identifier: MIT */
/*
 * struct mapping: the pages of one object (a file, a tmpfs file, a block device): the single data
 * path of read, write, mmap and exec.
 *
 * Pages are found under RCU (mapping_find), created locked. A page that is PG_UPTODATE may be read.
 * PG_DIRTY pages are written by writeback through ops->write_page. Truncation removes from the
 * cache, then unmaps: mm/fault.c says why that order. docs/page-cache.md has the matrix of
 * operation pairs.
 *
 * A mapping without ops->read_page lives in memory alone (tmpfs, memfd, shared anonymous memory):
 * its pages are born zeroed and up to date, an absent page is a hole that reads as zeroes, and
 * nothing is ever written back. MAPPING_SHMEM: pages may go to swap (mm/swap_shmem.c).
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include "core/percpu.h"
#include "core/spinlock.h"
#include "lib/errseq.h"
#include "lib/rbtree.h"
#include "lib/xarray.h"
#include "mm/page.h"
#include "sched/mutex.h"

struct backing;
struct iov_iter;
struct mapping;
struct vma;

enum writeback_reason {
	WRITEBACK_PERIODIC,   /* dirty for long enough */
	WRITEBACK_BACKGROUND, /* too much is dirty */
	WRITEBACK_RECLAIM,    /* memory is short: the allocator may be waiting */
	WRITEBACK_SYNC,	      /* somebody asked: sync, fsync, msync */
};

/* What of a mapping is to be written. */
struct writeback {
	u64 first, last; /* page indices, both included */
	s64 budget;	 /* pages still to be started; stop at 0. Counted by page_writeback_begin */
	/*
	 * For data integrity: what is under writeback and dirty again is waited for and written
	 * once more. Otherwise it is passed over.
	 */
	bool sync;
	enum writeback_reason reason;
};

/*
 * The order of locks: inode lock, journal handle, page locks (ascending). So a slot that is called
 * with a page locked must not start a handle; what it needs of the journal it reserves when it has
 * none locked: in page_mkwrite, write_pages, super_ops.dirty_inode.
 */
struct mapping_ops {
	/*
	 * Fill a locked, not up-to-date page; ends with mapping_read_done, now or from the
	 * completion. NULL: pages are born zeroed and up to date (tmpfs). May sleep. 0 or -EIO...
	 * (then it is unlocked as well).
	 */
	int (*read_page)(struct mapping *m, struct page *page);
	/*
	 * Read-ahead: n locked pages of consecutive indices, none up to date. Each ends with
	 * mapping_read_done, now or from the completion; those that the file system does not care
	 * to read with an error -EAGAIN. The caller does not wait. May sleep. NULL: page by page.
	 */
	void (*read_pages)(struct mapping *m, struct page **pages, u32 n);
	/*
	 * Write a page: locked, clean again and PG_WRITEBACK already. Unlocks it (before it sleeps
	 * for the device), ends with mapping_write_done, now or from the completion. NULL, and
	 * write_pages too: never written (tmpfs).
	 */
	int (*write_page)(struct mapping *m, struct page *page);
	/*
	 * Write dirty pages of the range, many at a time: called with nothing locked. Loop:
	 * mapping_lock_dirty for a run of pages, allocate blocks, page_writeback_begin for each,
	 * submit. 0 or the first error; what could not be allocated stays dirty or is told by
	 * mapping_write_done. NULL: write_page for each.
	 */
	int (*write_pages)(struct mapping *m, struct writeback *wb);
	/*
	 * Mappings with read_page: bytes [offset, offset + len) of the page are about to change, by
	 * write(2) or, the whole page as far as the file goes, through a shared mapping: reserve
	 * blocks (delayed allocation), quota. Called for each change, also if the page is dirty
	 * already, because blocks may be smaller than pages: page->private is the file system's to
	 * remember what it has. The page is locked, and up to date unless all of it that is within
	 * the file will be overwritten. -ENOSPC... ends the write. NULL: nothing to do.
	 * Without read_page: once, before a new page enters the cache (size accounting);
	 * page_removed undoes it.
	 */
	int (*prepare_dirty)(struct mapping *m, struct page *page, u32 offset, u32 len);
	/*
	 * A page is leaving the cache; page locked. May not sleep. NULL: nothing. Without
	 * read_page also for what is in swap: page is NULL then.
	 */
	void (*page_removed)(struct mapping *m, struct page *page);
	/*
	 * Bytes [from, to) of a page that stays were cut off by truncation or punched: what was
	 * reserved for blocks wholly inside may go. Page locked; may not sleep. NULL: nothing.
	 */
	void (*page_trimmed)(struct mapping *m, struct page *page, u32 from, u32 to);
	/*
	 * A shared mapping is about to write to the page: allowed (frozen, read-only, swap file)?
	 * File times. Nothing is locked but mmap_lock or a vma. May sleep, may start a handle.
	 * prepare_dirty follows, with the page locked. NULL: yes, nothing to do.
	 */
	int (*page_mkwrite)(struct mapping *m, struct page *page);
	/*
	 * Copies under I/O must not change (checksums over them, RAID): a store to a page under
	 * writeback waits. NULL: it may.
	 */
	bool stable_pages;
	/*
	 * A swap file: on which sector of the super block's device page `index` begins, and how
	 * many pages follow there; sector 0: the page is in several places. -EINVAL: a hole.
	 * Nothing dirty, nothing locked; it stays so while the inode is INODE_SWAPFILE. NULL: no
	 * swap files.
	 */
	int (*swap_map)(struct mapping *m, u64 index, u64 *sector, u64 *pages);
	/*
	 * O_DIRECT: move the bytes between the iterator's memory and the device, with the cache
	 * written out and dropped already. NULL: no O_DIRECT. Bytes or -errno.
	 */
	ssize_t (*direct_io)(struct mapping *m, u64 pos, struct iov_iter *it, bool write);
};

struct mapping {
	const struct mapping_ops *ops; /* [I] */
	void *host;		       /* [I] the inode */
	struct backing *backing;       /* [I] NULL: memory alone, nothing is written */
	/*
	 * [I] where the owner keeps the size in bytes: faults beyond it are SIGBUS. NULL: no end.
	 * mapping_write_iter raises it page by page (with read_page; otherwise the caller does)
	 */
	u64 *size;
	struct xarray pages;	   /* [T] marks: 0 dirty, 1 writeback, 2 to be written */
	struct spinlock tree_lock; /* T */
	u64 nr_pages;		   /* [T] */
	/* faults and reads that create pages hold it shared; truncation exclusively */
	struct rwsem invalidate_lock;
	struct mutex rmap_lock; /* [M] guards vmas */
	/* [M] interval tree of vmas that map this, for unmapping (mm/rmap.c) */
	struct rb_root vmas;
	struct atomic32 writable_maps; /* shared writable vmas (for seals) */
	struct atomic32 deny_write;    /* > 0: executing text (ETXTBSY) */
	struct list scan_node;	       /* mm/swap_shmem.c: its list_lock */
	u32 scans;		       /* list_lock: looks for pages to send out, under way */
	bool scanned;		       /* list_lock: on the list */
	u64 scan_at;		       /* where the last look ended */
	u32 gfp;
	u32 flags;
	u32 wb_error; /* errseq: the last error of writeback */
};
#define MAPPING_SHMEM BIT(0) /* counted as Shmem; swap-backed, never reclaimed clean */

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host);
void mapping_fini(struct mapping *m); /* drops all pages; nobody maps it any more */

/* Page at index with a reference, or NULL. */
struct page *mapping_find(struct mapping *m, u64 index);
/*
 * For a reader of a mapping in memory: the same, brought back from swap if need be; NULL is a hole.
 * 0, -ENOMEM, -EIO.
 */
int mapping_find_memory(struct mapping *m, u64 index, struct page **out);
/* Find or create; *out referenced and locked. 0 or -ENOMEM. */
int mapping_get_locked(struct mapping *m, u64 index, struct page **out);
/*
 * Up-to-date page with a reference, unlocked: reads it in when needed. 0, -ENOMEM, -EIO. Caller
 * holds nothing or invalidate_lock shared.
 */
int mapping_read(struct mapping *m, u64 index, struct page **out);
void mapping_mark_dirty(struct mapping *m, struct page *page);
/*
 * Finish a page in read_page or write_page: unlock it (read: up to date unless err; write: end of
 * writeback).
 */
void mapping_read_done(struct page *page, int err);
void mapping_write_done(struct mapping *m, struct page *page, int err);
/*
 * Drop clean, unmapped, idle pages of the range (posix_fadvise DONTNEED, drop_caches). Number
 * dropped.
 */
u64 mapping_invalidate(struct mapping *m, u64 first, u64 last);

/*
 * Copy between the pages and an iterator. Reading stops at `size`. Return bytes, or -errno if none.
 */
struct file_readahead;
ssize_t mapping_read_iter(struct mapping *m, u64 pos, u64 size, struct file_readahead *ra,
			  struct iov_iter *it);
/*
 * Writing: caller holds the inode lock and updates the size from the result. May wait until less
 * memory is dirty.
 */
ssize_t mapping_write_iter(struct mapping *m, u64 pos, struct iov_iter *it);

/*
 * Remove pages at and beyond new_size (bytes), zero the tail of the last one, unmap from all
 * address spaces.
 */
void mapping_truncate(struct mapping *m, u64 new_size);
/* Punch a hole [start, end) in bytes: partial pages zeroed. */
void mapping_punch(struct mapping *m, u64 start, u64 end);
/* The same, when more than the pages must go before anybody may read again: invalidate_lock held
 * exclusively. */
void mapping_punch_locked(struct mapping *m, u64 start, u64 end);
/*
 * First page index >= index that is present (data) / absent (hole) below `end`, for
 * SEEK_DATA/SEEK_HOLE.
 */
bool mapping_next_data(struct mapping *m, u64 index, u64 end, u64 *out);
u64 mapping_next_hole(struct mapping *m, u64 index, u64 end);
/*
 * Write dirty pages of the byte range; if asked wait for them, and for those that were under way.
 * The error that this call met; who reports to a program asks the errseq (file_wait_error) as well.
 */
int mapping_writeback(struct mapping *m, u64 start, u64 end, bool wait);
void mapping_wait_writeback(struct mapping *m, u64 start, u64 end);
/* The same by page index and budget: what the writer threads use. */
int mapping_write(struct mapping *m, struct writeback *wb);
bool mapping_has_dirty(const struct mapping *m);
bool mapping_in_writeback(const struct mapping *m);

/*
 * For write_pages. Lock up to max dirty pages of consecutive indices, from *index on and not beyond
 * wb->last; each comes with a reference. None under writeback (wb->sync: waited for). The number,
 * 0 at the end; *index is moved past them. A page that is not to be written after all is just
 * unlocked and put.
 */
u32 mapping_lock_dirty(struct mapping *m, struct writeback *wb, u64 *index, struct page **pages,
		       u32 max);
/*
 * A locked dirty page becomes clean (its entries too, so that the next store is noticed) and
 * PG_WRITEBACK. False: it was clean, or is no longer the mapping's. The caller unlocks in either
 * case. From now until mapping_write_done the page stays, and truncation waits for it.
 */
bool page_writeback_begin(struct mapping *m, struct page *page, struct writeback *wb);

/*
 * Read-ahead. ra: the state of one open file. read_ahead_sync: page `index` is missing and wanted
 * now, with `count` in all; _async: a page with PG_READAHEAD was reached. Nothing is waited for.
 */
struct file_readahead { /* all zero: a new file; races between its users do not matter */
	u64 start;	/* the window that was read last: its first page */
	u32 size;	/* pages; 0: none yet */
	u32 async;	/* the last `async` of them start the next window */
	u64 prev;	/* the page that was read last */
	u32 mode;	/* READAHEAD_*: posix_fadvise */
	u32 misses;	/* of mmap: when most faults miss there is no use */
};
#define READAHEAD_NORMAL     0
#define READAHEAD_RANDOM     1
#define READAHEAD_SEQUENTIAL 2
/* Start reading pages [first, first + count) that are not there and within the size. */
void mapping_read_ahead(struct mapping *m, u64 first, u64 count);
u64 mapping_read_ahead_limit(void); /* pages: more would push out what is useful */

/*
 * After pages became dirty and with nothing locked: if too much memory is dirty, the caller waits
 * for writeback. A killed task does not wait. The sums are looked at for every DIRTY_CHECK pages
 * that became dirty on a CPU.
 */
#define DIRTY_CHECK 32u
DECLARE_PERCPU(u32, dirtied_here);
void dirty_balance_slow(void);
static inline void
dirty_balance(void)
{
	if (unlikely(this_cpu_read(dirtied_here) >= DIRTY_CHECK))
		dirty_balance_slow();
}
/* Set by fs/vfs: a clean page of m became dirty; a table lock may be held, may not sleep. */
extern void (*mapping_dirtied)(struct mapping *m);
/* Set by fs/vfs: writing a page failed; any context. */
extern void (*mapping_write_failed)(struct mapping *m, int err);
/* Is more dirty than the writers should leave so? vm.dirty_background_ratio, vm.dirty_ratio. */
bool dirty_over_background(void);
extern u32 vm_dirty_background_ratio, vm_dirty_ratio;
/* Set by fs/vfs: what the writer of a backing runs; it ends by clearing b->writer. */
extern void (*backing_run)(void *b);
/* Set by fs/vfs: have the writer of b look (BACKING_*); any context that may take b->lock. */
extern void (*backing_wake)(struct backing *b, u32 want);

#endif
