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
 * nothing is ever written back or reclaimed.
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include "core/spinlock.h"
#include "lib/rbtree.h"
#include "lib/xarray.h"
#include "mm/page.h"
#include "sched/mutex.h"

struct mapping;
struct vma;

struct mapping_ops {
	/*
	 * Fill a locked, not up-to-date page; sets PG_UPTODATE, unlocks when done (maybe later).
	 * NULL: pages are born zeroed and up to date (tmpfs). May sleep. 0 or -EIO...
	 */
	int (*read_page)(struct mapping *m, struct page *page);
	/* Write a locked dirty page; unlocks. NULL: never written (tmpfs). */
	int (*write_page)(struct mapping *m, struct page *page);
	/*
	 * Before a page is first made dirty (block allocation, quota): may fail -ENOSPC. Page
	 * locked. In a mapping without read_page: once, before a new page enters the cache (size
	 * accounting); page_removed undoes it. NULL: nothing to do.
	 */
	int (*prepare_dirty)(struct mapping *m, struct page *page, u32 offset, u32 len);
	/* A page is leaving the cache; page locked. May not sleep. NULL: nothing. */
	void (*page_removed)(struct mapping *m, struct page *page);
	/*
	 * A shared mapping is about to write to the page: allowed (read-only file system)? File
	 * times. May sleep. NULL: yes, nothing to do
	 */
	int (*page_mkwrite)(struct mapping *m, struct page *page);
};

struct mapping {
	const struct mapping_ops *ops; /* [I] */
	void *host;		       /* [I] the inode */
	/* [I] where the owner keeps the size in bytes: faults beyond it are SIGBUS. NULL: no end */
	const u64 *size;
	struct xarray pages;	   /* [T] marks: 0 dirty, 1 writeback */
	struct spinlock tree_lock; /* T */
	u64 nr_pages;		   /* [T] */
	/* faults and reads that create pages hold it shared; truncation exclusively */
	struct rwsem invalidate_lock;
	struct mutex rmap_lock; /* [M] guards vmas */
	/* [M] interval tree of vmas that map this, for unmapping (mm/rmap.c) */
	struct rb_root vmas;
	struct atomic32 writable_maps; /* shared writable vmas (for seals) */
	struct atomic32 deny_write;    /* > 0: executing text (ETXTBSY) */
	u32 gfp;
	u32 flags;
	u32 wb_error; /* errseq-style counter of write errors */
};
#define MAPPING_SHMEM BIT(0) /* counted as Shmem; swap-backed, never reclaimed clean */

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host);
void mapping_fini(struct mapping *m); /* drops all pages; nobody maps it any more */

/* Page at index with a reference, or NULL. */
struct page *mapping_find(struct mapping *m, u64 index);
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
struct iov_iter;
ssize_t mapping_read_iter(struct mapping *m, u64 pos, u64 size, struct iov_iter *it);
/* Writing: caller holds the inode lock and updates the size from the result. */
ssize_t mapping_write_iter(struct mapping *m, u64 pos, struct iov_iter *it);

/*
 * Remove pages at and beyond new_size (bytes), zero the tail of the last one, unmap from all
 * address spaces.
 */
void mapping_truncate(struct mapping *m, u64 new_size);
/* Punch a hole [start, end) in bytes: partial pages zeroed. */
void mapping_punch(struct mapping *m, u64 start, u64 end);
/*
 * First page index >= index that is present (data) / absent (hole) below `end`, for
 * SEEK_DATA/SEEK_HOLE.
 */
bool mapping_next_data(struct mapping *m, u64 index, u64 end, u64 *out);
u64 mapping_next_hole(struct mapping *m, u64 index, u64 end);
/* Write dirty pages of the byte range; wait if asked. */
int mapping_writeback(struct mapping *m, u64 start, u64 end, bool wait);

#endif
