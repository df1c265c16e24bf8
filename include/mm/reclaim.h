/* SPDX-License-Identifier: MIT */
/* Memory pressure: caches above this room that can give memory back register a shrinker. */
#ifndef MM_RECLAIM_H
#define MM_RECLAIM_H
#include "lib/types.h"

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
#endif
