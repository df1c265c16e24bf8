/* SPDX-License-Identifier: MIT */
/* Memory pressure: caches above this room that can give memory back register a shrinker. */
#ifndef MM_RECLAIM_H
#define MM_RECLAIM_H
#include "lib/types.h"
#include "sched/thread.h"

struct shrinker {
	/*
	 * Free about n objects; returns how many pages that may have freed (an estimate; 0: nothing
	 * to give). May sleep; gfp as of page.h.
	 */
	u64 (*shrink)(struct shrinker *s, u64 n, u32 gfp);
	const char *name;
	struct shrinker *next;
};
void shrinker_register(struct shrinker *s); /* at start-up; for ever */

/* Boot: the thread that keeps memory free. */
void reclaim_start(void);

/*
 * While a thread holds what a file system may wait for (a journal handle), its allocations must not
 * enter file systems. Nests.
 */
static inline void
memory_nofs_begin(void)
{
	thread_current()->nofs++;
}
static inline void
memory_nofs_end(void)
{
	thread_current()->nofs--;
}

/* /proc/sys/vm/drop_caches: clean pages of files; names and inodes. Pages freed (roughly). */
u64 reclaim_drop_pages(void);
u64 reclaim_drop_objects(void);
#endif
