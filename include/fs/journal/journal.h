/* SPDX-License-Identifier: MIT */
/*
 * The journal: changes of many blocks that happen altogether or not at all.
 *
 * A file system opens a handle, changes buffers in it, closes it. The handles of about five seconds
 * make up one transaction, which a thread commits: it writes the new contents of all changed blocks
 * to the log, then a commit block. Only then may they be written in place, which happens at leisure
 * (checkpoint). After a crash journal_replay copies what has a commit block to its place. The
 * format is that of jbd2, as Linux and e2fsprogs read and write it.
 *
 *	journal_start(j, credits, &h)		credits: blocks that may be changed at most
 *	  buffer_read(...)
 *	  journal_get_write_access(h, b)	before the first change of b in this handle
 *	  change b->data
 *	  journal_dirty_metadata(h, b)		after each change
 *	journal_stop(h)
 *
 * A block that is newly allocated (contents do not matter): buffer_get, journal_get_create_access,
 * fill all of it, buffer_set_uptodate, journal_dirty_metadata. A metadata block that is freed:
 * journal_revoke (which forgets the buffer, too).
 *
 * Transactions are numbered (tid). At most one is running (takes handles) and one is committing.
 * fsync writes the file's pages, then waits for the tid of the last handle that changed the inode:
 * journal_commit_wait.
 *
 * Order of locks. A handle counts as a lock of rank RANK_JOURNAL: it is started inside
 * RANK_INODE, RANK_MMAP and RANK_INVALIDATE, and outside of page locks, RANK_FS_MAP and buffer
 * locks. So writeback starts its handle before it locks pages; write(2) starts it before it locks
 * the page; a fault (page_mkwrite) starts it with mmap_lock held, before the page lock. Therefore
 * user memory is never touched inside a handle (the fault would want mmap_lock). Allocations
 * inside a handle do not enter file systems (memory_nofs_begin: journal_start does it). Nobody
 *waits for a commit while he holds a handle or a page lock.
 *
 * A thread has one handle at a time: journal_start inside another returns the same one, one deeper.
 *
 * Errors: an I/O error of the log, or a checksum that is wrong, aborts the journal: config.aborted
 * is told (the file system becomes read-only), journal_start is -EROFS from then on, and the
 * superblock of the log keeps the error for the next mount.
 */
#ifndef FS_JOURNAL_JOURNAL_H
#define FS_JOURNAL_JOURNAL_H

#include "lib/list.h"
#include "lib/types.h"

struct block_device;
struct buffer;
struct buffer_cache;
struct journal;
struct journal_inode;
struct transaction;

struct journal_config {
	struct buffer_cache *cache; /* of the file system; the log is on the same device, in blocks
				       of the same size */
	u64 fs_blocks;		    /* blocks of the file system: what replay may write to */
	u32 log_blocks;		    /* blocks of the journal's inode */
	u32 commit_seconds;	    /* 0: 5 */
	bool no_barrier;	    /* barrier=0: no flushes */
	/* Features that this mount wants the log to have; set when the log is empty. */
	bool want_checksums; /* csum_v3: the file system has metadata_csum */
	bool want_64bit;
	/*
	 * Where logical block `logical` of the log lies: *disk is its block, *run how many follow
	 * it there (at least 1). 0 or an error (a hole is -EUCLEAN). Called by journal_open only.
	 */
	int (*map)(void *ctx, u32 logical, u64 *disk, u32 *run);
	/* The journal has been aborted with -errno: called once. May not sleep. NULL: nothing. */
	void (*aborted)(void *ctx, int error);
	/*
	 * Ordered data: start writing [start, end] (bytes) of the inode's dirty pages that have
	 * blocks already; then wait for them. Called by the commit thread: may not start a handle
	 * nor wait for one. 0 or an error, which aborts the journal.
	 */
	int (*write_data)(void *ctx, struct journal_inode *ji, u64 start, u64 end);
	int (*wait_data)(void *ctx, struct journal_inode *ji, u64 start, u64 end);
	void *ctx;
};

/* ---- life of a journal: open, replay, run; close ---- */

/*
 * Reads the log's superblock; *config is copied. 0, -EIO, -ENOMEM, -EUCLEAN (not a journal, or
 * impossible numbers), -EFSBADCRC, -EOPNOTSUPP (external, or a feature that is not known: the log
 * says its name).
 */
int __must_check journal_open(const struct journal_config *config, struct journal **out);
/* The log has transactions that may be missing in place. */
bool journal_needs_replay(const struct journal *j);
/*
 * Copies what was committed to its place, and empties the log. Nothing to do: 0. -EFSBADCRC: some
 * block of the log was damaged, what could be was replayed and the log is kept for e2fsck; -EIO,
 * -ENOMEM, -EUCLEAN. Buffers of the cache that are in memory must not be in use (journal_open's
 * caller may hold the superblock's; it reads it anew afterwards).
 */
int __must_check journal_replay(struct journal *j);
/* Handles may be started: starts the commit thread. 0, -ENOMEM, -EUCLEAN: needs replay. */
int __must_check journal_run(struct journal *j);
/*
 * Commits, writes everything in place, marks the log empty. No handles any more. 0 or the error: it
 * stays for the next replay.
 */
int journal_close(struct journal *j);
/* Instead of close: a mount that failed, or was read-only. Nothing is written. */
void journal_discard(struct journal *j);

/* The errno of an abort in an earlier life (negative), 0: none. And forget it (written at once). */
int journal_old_error(const struct journal *j);
int journal_clear_error(struct journal *j);

/* ---- handles ---- */

struct journal_handle {
	struct journal *journal;
	struct transaction *transaction; /* NULL: restart failed */
	u32 credits;			 /* blocks that may still be changed */
	u32 nesting;
	bool sync;  /* set by the user: journal_stop waits for the commit */
	bool error; /* the journal was aborted */
};

/*
 * 0, -EROFS (aborted), -ENOMEM, -ENOSPC: more credits than the log can ever give. Waits while the
 * log is full or a commit collects its handles.
 */
int __must_check journal_start(struct journal *j, u32 credits, struct journal_handle **out);
/*
 * Ends it. With h->sync waits until the transaction has committed. 0; -EROFS or the error of the
 * abort when the journal is dead.
 */
int journal_stop(struct journal_handle *h);
/* The thread's open handle of this journal, NULL: none. */
struct journal_handle *journal_current(struct journal *j);
/* More credits if there is room now. 0, or -ENOSPC: restart instead. -EROFS. */
int __must_check journal_extend(struct journal_handle *h, u32 credits);
/* At least `credits` left: nothing to do (true), or journal_extend did it. False: restart. */
bool journal_ensure(struct journal_handle *h, u32 credits);
/*
 * Ends the handle's part in its transaction and goes on in the next one, with so many credits: what
 * was done so far must be consistent by itself. Locks that are taken inside handles may not be
 * held; write access must be asked for anew. 0, -EROFS, -ENOSPC: the handle then only can be
 * stopped.
 */
int __must_check journal_restart(struct journal_handle *h, u32 credits);
u32 journal_handle_tid(const struct journal_handle *h);
/* The largest number of credits that a handle may ask for. */
u32 journal_max_credits(const struct journal *j);

/*
 * Before changing b. Waits for writes in flight; keeps a copy for a transaction that is being
 * committed. 0, -ENOMEM, -EROFS.
 */
int __must_check journal_get_write_access(struct journal_handle *h, struct buffer *b);
/* The same for a block that was just allocated: its contents on the disk do not matter. */
int __must_check journal_get_create_access(struct journal_handle *h, struct buffer *b);
/* b has been changed: it is part of the transaction. 0; -ENOSPC (no credits left), -EROFS. */
int __must_check journal_dirty_metadata(struct journal_handle *h, struct buffer *b);
/*
 * The block was freed (in this handle): its contents need not be logged nor written. Only for
 * blocks that no earlier transaction has logged; others are revoked. b is up to date no more.
 */
int journal_forget(struct journal_handle *h, struct buffer *b);
/*
 * The metadata block was freed: replay must not write older copies of it over what it will be used
 * for. The buffer, if there is one in memory, is forgotten. 0, -ENOMEM, -EROFS.
 */
int __must_check journal_revoke(struct journal_handle *h, u64 block);

/* ---- after the commit ---- */

struct journal_callback {
	struct list node;
	/* In the commit thread once the transaction is on the disk (error: it is not, the journal
	 * was aborted). May sleep, may not start a handle. Owns cb again. */
	void (*fn)(struct journal_callback *cb, int error);
	u32 tid; /* of its transaction */
};
/* Blocks that were freed may be used again and discarded only then. */
void journal_add_callback(struct journal_handle *h, struct journal_callback *cb,
			  void (*fn)(struct journal_callback *cb, int error));

/* ---- ordered mode: data before the metadata that points to it ---- */

struct journal_inode { /* part of the file system's inode */
	struct list node;
	struct transaction *transaction, *next; /* committing or running; running */
	u64 start, end, next_start, next_end;	/* bytes, end included */
	u32 flags;
};
void journal_inode_init(struct journal_inode *ji);
/* The pages of [start, end] are written before the handle's transaction commits. */
void journal_add_ordered(struct journal_handle *h, struct journal_inode *ji, u64 start, u64 end);
/* The inode goes away: waits until no commit uses it. Not inside a handle. */
void journal_release_inode(struct journal *j, struct journal_inode *ji);
/*
 * Before a truncation to `size`, outside or inside of a handle and before pages are dropped: data
 * beyond it that a committing transaction counts on is written first. 0 or -EIO.
 */
int journal_truncate_ordered(struct journal *j, struct journal_inode *ji, u64 size);

/* ---- commits ---- */

/* True: on the disk. Tids wrap around; ones of the far past count as committed. */
bool journal_tid_committed(struct journal *j, u32 tid);
/* Commits the transaction if it is not under way, and waits. 0, or the error of an abort. */
int journal_commit_wait(struct journal *j, u32 tid);
/* Asks for a commit, does not wait. */
void journal_commit_start(struct journal *j, u32 tid);
/*
 * The commit of tid will still flush the disk's cache after now: fsync need not do it. False: it
 * may have done so already; flush with block_flush.
 */
bool journal_commit_will_flush(struct journal *j, u32 tid);
/* Commits everything so far and waits; all that was written before is on the medium: sync(2). */
int journal_force_commit(struct journal *j);
/* And writes it in place and empties the log: remount read-only, freeze. No handles in between. */
int journal_flush(struct journal *j);
void journal_set_commit_interval(struct journal *j, u32 seconds);

void journal_abort(struct journal *j, int error);
/* 0, or the error (negative) of the abort. */
int journal_error(const struct journal *j);

#endif
