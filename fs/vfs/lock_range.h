/* SPDX-License-Identifier: MIT */
/*
 * Record locks as ranges on one list: the arithmetic of fcntl(2) locks, pure
 * (tests/host/vfs_lock_range_test.c).
 *
 * The list is sorted by start. One owner's ranges never overlap and neighbours of one type are
 * merged.
 */
#ifndef LOCK_RANGE_H
#define LOCK_RANGE_H

#include "lib/list.h"
#include "lib/types.h"

#define RANGE_READ  0
#define RANGE_WRITE 1
#define RANGE_NONE  2 /* F_RDLCK, F_WRLCK, F_UNLCK */

struct lock_range {
	struct list node;
	const void *owner;
	void *holder;	/* whom F_GETLK reports: the user's reference */
	u64 start, end; /* inclusive */
	u8 type;
};

/* The first range of another owner that stands in the way, or NULL. */
struct lock_range *lock_range_conflict(struct list *ranges, const struct lock_range *want);

/*
 * Make [want->start, want->end] of want->owner be of want->type. spare[0], spare[1]: memory that
 * may be used up (set to NULL); ranges that are no longer needed go to `freed`. Returns true if
 * anything was taken away from the owner (waiters may go on).
 */
bool lock_range_set(struct list *ranges, const struct lock_range *want, struct lock_range *spare[2],
		    struct list *freed);

#endif
