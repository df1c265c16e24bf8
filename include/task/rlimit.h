/* SPDX-License-Identifier: MIT */
/* Resource limits, getrlimit(2). */
#ifndef TASK_RLIMIT_H
#define TASK_RLIMIT_H
#include "lib/types.h"
#include "uapi/resource.h"

struct rlimit_set {
	struct {
		u64 cur, max;
	} lim[RLIM_NLIMITS];
};
/* Soft limit of the current process. */
u64 rlimit_current(u32 resource);
void rlimit_defaults(struct rlimit_set *l, u64 max_tasks);
#endif
