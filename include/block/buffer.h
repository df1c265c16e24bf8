/* SPDX-License-Identifier: MIT */
/*
 * Buffers: a file system's own blocks (super block, bitmaps, inode tables, directories, extent
 * trees) in memory. File contents are not here: they are in the pages of their inode.
 *
 * A mounted file system has one buffer cache: a device and a block size of 1 KiB up to the page
 * size. A buffer is found by its block number under RCU, without a lock; whoever has it holds a
 * reference (buffer_put). Without references it stays until memory is short.
 *
 *	buffer_read(cache, block, &b)	contents are valid
 *	buffer_get(cache, block, &b)	contents valid only if buffer_uptodate(b): to fill it,
 *					buffer_lock, fill b->data, buffer_set_uptodate,
 *buffer_unlock
 *
 * Who may change b->data: the file system, by locks of its own; with a journal only inside a handle
 * and after journal_get_write_access (fs/journal/journal.h), which keeps the change from reaching
 * its place before the log has it, and journal_dirty_metadata afterwards. Without a journal:
 * change, then buffer_mark_dirty.
 *
 * Dirty buffers are written in the order of their block numbers by buffers_sync, by the journal's
 * checkpoints, and in the background half a minute after the first change.
 *
 * The device's node (/dev/vda) has its own pages. Once buffers are written, the pages over them are
 * dropped there, so readers of the node see what is on the disk. Writes to the node under a mounted
 * file system do not change buffers in memory.
 */
#ifndef BLOCK_BUFFER_H
#define BLOCK_BUFFER_H

#include "core/rcu.h"
#include "lib/atomic.h"
#include "lib/list.h"

struct block_device;
struct transaction;

struct buffer_cache; /* block/buffer.c */

/* buffer->state */
#define BUF_UPTODATE BIT(0) /* data is what the disk has, or newer */
#define BUF_DIRTY    BIT(1) /* to be written in place */
#define BUF_WRITING  BIT(2) /* being written in place: data does not change */
#define BUF_LOCKED   BIT(3) /* buffer_lock: being read or filled */
#define BUF_JOURNALED \
	BIT(4) /* changed in a transaction that has not committed: not written in place */
#define BUF_WRITE_ERROR BIT(5) /* the last write in place failed */
#define BUF_VERIFIED	BIT(6) /* the file system has checked the contents (checksum) */
#define BUF_REFERENCED	BIT(7) /* used since reclaim last looked */
#define BUF_HELD	BIT(8) /* the journal has it, and holds one reference */
#define BUF_FREED	BIT(9) /* journal: the block is free once the running transaction commits */
#define BUF_LOGGING	BIT(10) /* journal: being written to the log from data: wait to change it */

struct buffer {
	u8 *data;		    /* [I] size bytes, physically contiguous */
	u64 block;		    /* [I] in units of the cache's block size */
	struct buffer_cache *cache; /* [I] */
	struct atomic32 refs;	    /* 0: only cached; -1: leaving */
	struct atomic32 state;	    /* BUF_* */
	u32 dirtied;		    /* seconds since boot when it became dirty */
	u32 jflags;		    /* [J] fs/journal */
	/* [J] The journal's, under its lock. All NULL and BUF_HELD clear: it has nothing to do with
	 * this buffer. */
	struct transaction *transaction;      /* running or committing, that it belongs to */
	struct transaction *next_transaction; /* running, while transaction is committing */
	struct transaction *checkpoint; /* committed: its log space needs this buffer written */
	struct list journal_node;	/* of transaction's list */
	struct list checkpoint_node;	/* of checkpoint's list */
	void *frozen; /* what the committing transaction must log, if data went on changing */
	struct rcu_head rcu;
};

/*
 * block_size: a power of two from 1024 (512 if the device allows) to the page size. 0, -EINVAL,
 * -ENOMEM.
 */
int buffer_cache_create(struct block_device *dev, u32 block_size, struct buffer_cache **out);
/*
 * Nobody uses its buffers any more (a debug build says which one leaked). Dirty ones are dropped:
 * buffers_sync first.
 */
void buffer_cache_destroy(struct buffer_cache *cache);

struct block_device *buffer_device(const struct buffer_cache *cache);
u32 buffer_size(const struct buffer_cache *cache);

/*
 * *out referenced and up to date: reads it if needed. 0, -EIO, -ENOMEM. Blocks beyond the device
 * are -EIO. Sleeps.
 */
int __must_check buffer_read(struct buffer_cache *cache, u64 block, struct buffer **out);
/* *out referenced, perhaps not up to date: nothing is read. 0 or -ENOMEM. */
int __must_check buffer_get(struct buffer_cache *cache, u64 block, struct buffer **out);
/* Referenced, if it is in memory (up to date or not); NULL otherwise. Never sleeps. */
struct buffer *buffer_find(struct buffer_cache *cache, u64 block);
/* Starts reading n blocks that are not in memory; failures show when somebody reads them. */
void buffer_readahead(struct buffer_cache *cache, const u64 *blocks, u32 n);
void buffer_ref(struct buffer *b); /* another reference */
void buffer_put(struct buffer *b); /* NULL allowed */

/* A sleeping bit lock around reading and first filling. Inside journal handles. */
void buffer_lock(struct buffer *b);
bool buffer_trylock(struct buffer *b);
void buffer_unlock(struct buffer *b);

static inline u32
buffer_state(const struct buffer *b)
{
	return (u32)atomic_read(&b->state);
}
static inline bool
buffer_uptodate(const struct buffer *b)
{
	return __atomic_load_n(&b->state.value, __ATOMIC_ACQUIRE) & BUF_UPTODATE;
}
static inline void
buffer_set_uptodate(struct buffer *b)
{
	/* Release: whoever sees the flag sees the contents. */
	__atomic_fetch_or(&b->state.value, BUF_UPTODATE, __ATOMIC_RELEASE);
}
/* The file system's note that the contents have been checked; forgotten when they are read anew. */
static inline bool
buffer_verified(const struct buffer *b)
{
	return buffer_state(b) & BUF_VERIFIED;
}
static inline void
buffer_set_verified(struct buffer *b)
{
	atomic_or(&b->state, BUF_VERIFIED);
}

/* Without a journal: it will be written in place. */
void buffer_mark_dirty(struct buffer *b);
/* Writes it in place if it is dirty, and waits. 0 or -EIO. Not for buffers of a transaction. */
int buffer_write_wait(struct buffer *b);
/*
 * The block was freed, or its contents are worthless: not dirty, not up to date; waits for a write
 * in flight, so the block may be used for something else afterwards. Without a journal; with one
 * journal_forget does it.
 */
void buffer_forget(struct buffer *b);
/* The same by number, when it may not be in memory. */
void buffer_forget_block(struct buffer_cache *cache, u64 block);

/*
 * Writes all dirty buffers and waits; no flush of the disk's cache. 0, or -EIO: some write failed
 * since the last call.
 */
int buffers_sync(struct buffer_cache *cache);
/* Drops what is clean and unused (after something else has written to the device). */
void buffers_invalidate(struct buffer_cache *cache);
/* buffers_sync of every cache on the device: sync(2) of a device node. */
int buffers_sync_device(struct block_device *dev);

/* Memory in all caches: Buffers of /proc/meminfo. In pages. */
u64 buffers_pages(void);

/* ---- for the journal ---- */

/*
 * Before the contents change under a transaction: waits until no write in place is in flight, then
 * takes the dirtiness away, with the flags of `instead` in its place. True: it was dirty.
 */
bool buffer_claim(struct buffer *b, u32 instead);
/* The reverse: dirty instead of those flags. Under spinlocks of the journal. */
void buffer_release_dirty(struct buffer *b, u32 instead_of);
/* Starts a write in place if it is dirty and not being written; several are merged by a plug. */
void buffer_write_start(struct buffer *b);
/* Waits while any of the flags is set. */
void buffer_wait(struct buffer *b, u32 flags);
/* Clears flags and wakes who waits for it. Any context. */
void buffer_clear_wake(struct buffer *b, u32 flags);
/* Page-cache pages of the device node over these blocks are stale. Sleeps. */
void buffers_drop_node_pages(struct buffer_cache *cache, u64 block, u64 n);

#endif
