/* SPDX-License-Identifier: MIT */
/*
 * struct backing: the device behind mappings, as far as the page cache cares: how far to read
 * ahead, how much is dirty and under way, and the thread that writes.
 *
 * One for each disk (partitions share it), made by the block room, or by a file system without a
 * block device that has something to write. Mappings point to it; tmpfs and the like have none.
 */
#ifndef MM_BACKING_H
#define MM_BACKING_H

#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "sched/wait.h"

struct thread;

#define READAHEAD_DEFAULT 32 /* pages: 128 KiB, /sys/block/X/queue/read_ahead_kb */

struct backing {
	const char *name;		  /* [I] "254:0": the writer is called flush-NAME in ps */
	u32 readahead;			  /* pages; 0: never */
	struct atomic64 dirty, writeback; /* pages */
	struct spinlock lock;
	struct list inodes; /* [lock] dirty ones, by the time they became so: fs/vfs/writeback.c */
	struct wait_queue wait; /* the writer sleeps here */
	struct thread *writer;	/* [lock] NULL: it has ended */
	u32 want;		/* [A] BACKING_* : what the writer is to do */
	struct list node;
};
#define BACKING_BACKGROUND BIT(0) /* there is more dirty memory than is good */
#define BACKING_ALL	   BIT(1) /* memory is short: write all */
#define BACKING_STOP	   BIT(2)

/* Starts the writer. After vfs_init. 0 or -ENOMEM. */
int __must_check backing_init(struct backing *b, const char *name);
/* Nothing is dirty any more, nobody writes: the device goes. Stops the writer. May sleep. */
void backing_fini(struct backing *b);

#endif
