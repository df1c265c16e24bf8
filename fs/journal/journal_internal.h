/* SPDX-License-Identifier: MIT */
/*
 * The journal's insides: the format on the disk, and what is in memory.
 *
 * The log is a ring of blocks, [first, last) of the journal's inode; block 0 has the superblock. A
 * transaction is a row of blocks with its number (sequence, tid): revoke blocks; descriptor blocks,
 * each with tags that say where the data blocks behind it belong; one commit block. The next
 * transaction follows at once. All numbers are big-endian. A data block that begins with the magic
 * number has it zeroed in the log (TAG_ESCAPE).
 */
#ifndef FS_JOURNAL_INTERNAL_H
#define FS_JOURNAL_INTERNAL_H

#include "block/block.h"
#include "block/buffer.h"
#include "core/spinlock.h"
#include "fs/journal/journal.h"
#include "lib/crc.h"
#include "lib/list.h"
#include "sched/mutex.h"
#include "sched/wait.h"

/* ---- on the disk ---- */

static inline u16
be16(u16 v)
{
	return __builtin_bswap16(v);
}
static inline u32
be32(u32 v)
{
	return __builtin_bswap32(v);
}
static inline u64
be64(u64 v)
{
	return __builtin_bswap64(v);
}

#define JOURNAL_MAGIC 0xc03b3998u

enum log_block_type {
	LOG_DESCRIPTOR = 1,
	LOG_COMMIT = 2,
	LOG_SUPERBLOCK_V1 = 3,
	LOG_SUPERBLOCK_V2 = 4,
	LOG_REVOKE = 5,
};

struct log_header {
	u32 magic, type, sequence;
};

struct log_superblock { /* 1024 bytes, in block 0 of the log */
	struct log_header header;
	u32 block_size, max_len, first;
	u32 sequence; /* of the first transaction that is expected in the log */
	u32 start;    /* its block; 0: the log is empty */
	s32 error;
	/* version 2 only, from here */
	u32 compat, incompat, ro_compat;
	u8 uuid[16];
	u32 nr_users, dyn_super, max_transaction, max_trans_data;
	u8 checksum_type, pad2[3];
	u32 fast_commit_blocks, head, pad[40];
	u32 checksum;
	u8 users[768];
};
STATIC_ASSERT(sizeof(struct log_superblock) == 1024);

#define LOG_COMPAT_CHECKSUM	  0x1u /* crc32 of the whole transaction in its commit block */
#define LOG_INCOMPAT_REVOKE	  0x1u
#define LOG_INCOMPAT_64BIT	  0x2u
#define LOG_INCOMPAT_ASYNC_COMMIT 0x4u
#define LOG_INCOMPAT_CSUM_V2	  0x8u
#define LOG_INCOMPAT_CSUM_V3	  0x10u
#define LOG_INCOMPAT_FAST_COMMIT  0x20u
#define LOG_INCOMPAT_KNOWN	  0x3fu

#define LOG_CHECKSUM_CRC32  1
#define LOG_CHECKSUM_CRC32C 4

struct log_tag { /* with csum_v3; without it some fields are missing or narrower: replay.c */
	u32 block, flags, block_high, checksum;
};
#define TAG_ESCAPE    1u
#define TAG_SAME_UUID 2u /* no 16 bytes of UUID behind this tag */
#define TAG_DELETED   4u
#define TAG_LAST      8u

struct log_commit {
	struct log_header header;
	u8 checksum_type, checksum_size, pad[2];
	u32 checksum[8];
	u64 seconds;
	u32 nanoseconds;
} __packed;

struct log_revoke {
	struct log_header header;
	u32 bytes; /* in use, with this header */
};

/* ---- in memory ---- */

enum transaction_state {
	T_RUNNING,  /* takes handles */
	T_LOCKED,   /* waits for its open handles, takes no new ones */
	T_WRITING,  /* data and log */
	T_FLUSHING, /* the commit block, with a flush before it, is on its way */
};

#define REVOKE_BUCKETS 64

/* buffer->jflags: on which of its transaction's lists it is, and what next_transaction wants. */
#define J_LIST_MASK   0xfu
#define J_RESERVED    1u /* write access, not changed yet */
#define J_METADATA    2u /* to be logged */
#define J_LOGGED      3u /* written to the log, or on its way */
#define J_FORGET      4u /* was freed: leaves its checkpoint when the transaction commits */
#define J_NEXT_DIRTY  0x10u
#define J_NEXT_FORGET 0x20u

/*
 * Letters: [I] fixed, [J] journal->lock, [C] the commit thread only.
 */
struct transaction {
	struct journal *journal; /* [I] */
	u32 tid;		 /* [I] */
	u32 state;		 /* [J] enum transaction_state */
	u32 updates;		 /* [J] open handles */
	u32 credits;		 /* [J] blocks it may come to: changed ones, and open handles' */
	u32 nr_metadata;	 /* [J] */
	u32 nr_revokes;		 /* [J] */
	u32 log_start;		 /* [C] its first block in the log */
	u64 expires;		 /* [I] when it is committed at the latest, monotonic ns */
	struct list reserved, metadata, logged, forget; /* [J] buffers, by journal_node */
	struct list checkpoint;				/* [J] buffers, by checkpoint_node */
	struct list inodes, inodes_started;		/* [J] struct journal_inode */
	struct list callbacks;				/* [J] */
	struct list node;				/* [J] in journal->checkpoints */
	struct hlist_head revokes[REVOKE_BUCKETS];	/* [J] struct revoke */
};

struct log_run { /* blocks of the log that lie in a row on the disk */
	u32 logical, count;
	u64 disk;
};

struct journal {
	struct journal_config config; /* [I] */
	struct buffer_cache *cache;   /* [I] */
	struct block_device *dev;     /* [I] */
	u32 block_size;		      /* [I] */
	u32 first, last;	      /* [I] the ring: [first, last) */
	struct log_run *runs;	      /* [I] */
	u32 nr_runs;		      /* [I] */

	u8 *superblock;		   /* [superblock_lock] block 0 */
	struct log_superblock *sb; /* the same */
	bool empty_on_disk;	   /* sb->start is 0 there [superblock_lock] */
	u32 incompat;		   /* [I] once it runs */
	bool checksums, wide;	   /* [I] csum_v2 or _v3; 64-bit block numbers */
	u32 tag_bytes;		   /* [I] */
	u32 checksum_seed;	   /* [I] */

	struct spinlock lock;			  /* J */
	struct transaction *running, *committing; /* [J] */
	struct list checkpoints;    /* [J] committed ones with buffers not in place, oldest first */
	u32 next_tid;		    /* [J] */
	u32 head;		    /* [C] next block of the log to be written */
	u32 tail, tail_tid;	    /* [J] the oldest block that is needed, and whose it is */
	u32 free;		    /* [J] blocks from head to tail */
	u32 commit_space;	    /* [J] blocks that the committing transaction may still write */
	u32 max_credits;	    /* [I] */
	int error;		    /* [J] of the abort */
	bool stopping, want_commit; /* [J] want_commit: the running one */
	u64 interval_ns;
	struct thread *thread; /* [I] */
	bool thread_done;      /* [J] */
	bool error_noted;      /* [C] */

	struct mutex checkpoint_lock;	/* one advances the tail at a time; not held over commits */
	struct mutex superblock_lock;	/* what it says fits with what is in the log */
	struct wait_queue thread_wait;	/* the commit thread: there is work */
	struct wait_queue updates_wait; /* the commit thread: the last handle was closed */
	struct wait_queue start_wait;	/* a new running transaction is possible */
	struct wait_queue commit_wait;	/* a transaction has committed */
	struct wait_queue inode_wait;	/* the commit thread has left an inode alone */
	struct wait_queue io_wait;	/* [C] */
	struct atomic32 io_count;	/* [C] log writes in flight, plus one while they are made */
	int io_error;
	struct buffer **group; /* [C] room for one descriptor's buffers and their data */
};

static inline bool
tid_after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

/* Blocks of the log that a transaction of so many credits may take: descriptors and revokes too. */
static inline u32
log_space(u32 credits)
{
	return credits + credits / 8 + 32;
}

static inline u32
log_next(const struct journal *j, u32 block)
{
	return block + 1 == j->last ? j->first : block + 1;
}

static inline u32
buffer_list(const struct buffer *b)
{
	return READ_ONCE(b->jflags) & J_LIST_MASK;
}

/* journal.c */
/* Where a block of the log is on the disk; false: it is no block of the log. */
bool log_map(const struct journal *j, u32 logical, u64 *disk, u32 *run);
int log_read_blocks(struct journal *j, u32 logical, u32 count, void *buf);
void journal_set_features(struct journal *j, u32 incompat);
/* superblock_lock held, or there is no thread. */
int superblock_write(struct journal *j, u32 start, u32 sequence, bool flush_first);
u32 block_tail_checksum(const struct journal *j, const void *block);
static inline u32 *
block_tail(const struct journal *j, void *block)
{
	return (u32 *)((u8 *)block + j->block_size - 4);
}
u32 data_checksum(const struct journal *j, u32 tid, const void *data);
u32 commit_checksum(const struct journal *j, const struct log_commit *commit);

/* transaction.c */
void buffer_file_locked(struct buffer *b, struct transaction *t, u32 list);
/* Off its transaction's list; the journal's hold ends unless a checkpoint needs it. */
void buffer_unfile_locked(struct buffer *b);
void buffer_hold_locked(struct buffer *b);
void buffer_unhold_locked(struct buffer *b); /* if nothing of the journal is left */
void transaction_free(struct transaction *t);

/* revoke.c */
void revoke_cancel_locked(struct transaction *t, u64 block);
struct revoke {
	struct hlist_node node;
	u64 block;
};
void revokes_free(struct transaction *t);

/* commit.c */
void commit_thread(void *arg);

/* checkpoint.c */
/* Buffers that have been written leave their checkpoints. True: the tail may move. */
bool checkpoint_clean(struct journal *j);
/* Waits until the log has room for `blocks` more than it has now promised. */
void checkpoint_make_room(struct journal *j, u32 blocks);
/* Everything that has been committed is written in place, the tail moves to the head. */
int checkpoint_all(struct journal *j);
/* Moves the tail as far as the checkpoints allow. checkpoint_lock held. */
int tail_advance_locked(struct journal *j);
void buffer_leave_checkpoint_locked(struct buffer *b);

/* ordered.c */
int ordered_start(struct journal *j, struct transaction *t);
int ordered_wait(struct journal *j, struct transaction *t);

#endif
