/* SPDX-License-Identifier: MIT */
/*
 * The wait of poll(2) and select(2): one thread, many wait queues.
 *
 *	poll_set_init(&set);
 *	for (;;) {
 *		count = look at every file with poll_set_table(&set) (registers the first time
 *only); if (count || expired || signal) break; expired = !poll_set_sleep(&set, deadline);
 *	}
 *	poll_set_fini(&set);
 */
#ifndef EVENT_POLL_SET_H
#define EVENT_POLL_SET_H

#include "fs/vfs/poll.h"
#include "sched/wait.h"

struct file;
struct poll_set;

struct poll_entry {
	struct wait_entry wait;
	struct wait_queue *wq;
	struct file *file; /* referenced: the queue lives in it */
	struct poll_set *set;
	u32 events; /* what this waiter wants to hear of */
};

#define POLL_INLINE 6

struct poll_chunk;

struct poll_set {
	struct poll_table table;
	struct thread *thread;
	bool registered; /* the first round is over */
	bool triggered;	 /* a queue has called since the last look */
	int error;	 /* -ENOMEM: a queue could not be watched */
	u32 used;	 /* inline entries */
	struct poll_chunk *chunks;
	struct poll_entry entries[POLL_INLINE];
};

void poll_set_init(struct poll_set *set);
void poll_set_fini(struct poll_set *set);
/* For vfs_poll of one file and what is wanted of it; NULL once every file has been asked. */
struct poll_table *poll_set_table(struct poll_set *set, u32 events);
/* Sleep until a queue calls, a signal or the deadline. False: the deadline passed. */
bool poll_set_sleep(struct poll_set *set, u64 deadline_ns);

#endif
