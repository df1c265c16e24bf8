/* SPDX-License-Identifier: MIT */
/* The fair class's part of a thread, a header of its own so that sched/fair.c needs nothing else
 * (and runs on the host). */
#ifndef SCHED_ENTITY_H
#define SCHED_ENTITY_H

#include "lib/rbtree.h"
#include "lib/types.h"

/*
 * What the fair class knows of a thread; sched/fair.c. Virtual time runs at 1024 / weight of real
 * time.
 */
struct sched_entity {
	struct rb_node node; /* in the queue's tree, by deadline; not while running */
	u64 vruntime;	     /* virtual time received */
	u64 deadline;	     /* virtual time by which the current request is to be served */
	u64 min_vruntime;    /* least vruntime in the subtree below node */
	s64 lag;	     /* while off the queue: what it was owed when it left, virtual ns */
	u64 slice;	     /* size of a request, real ns */
	u32 weight;
	bool queued;
};

#endif
