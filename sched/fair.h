/* SPDX-License-Identifier: MIT */
/*
 * The fair queue: one CPU's threads of the policies other, batch and idle. The arithmetic is in
 * sched/fair.c, which knows neither threads nor clocks, so that it runs in host tests as well.
 */
#ifndef SCHED_FAIR_H
#define SCHED_FAIR_H

#include "lib/rbtree.h"
#include "lib/types.h"
#include "sched/entity.h"

#define FAIR_SLICE_MAX_NS 3000000ull
#define FAIR_SLICE_MIN_NS 300000ull
#define FAIR_WEIGHT_NICE0 1024u
#define FAIR_WEIGHT_IDLE  3u /* SCHED_IDLE: gets what nobody wants */

struct fair_queue {
	struct rb_root_cached tree; /* waiting entities by deadline; knows the least vruntime */
	struct sched_entity *curr;  /* the running one: counted, but in no tree */
	u64 base;		    /* virtual times are summed relative to it; never goes back */
	s64 weighted_sum;	    /* of the tree: sum of weight * (vruntime - base) */
	u64 weight;		    /* of the tree */
	u32 count;		    /* tree and curr */
};

/* Why an entity enters or leaves the queue. */
enum fair_reason {
	FAIR_NEW,   /* first time */
	FAIR_SLEEP, /* wakes up, goes to sleep */
	FAIR_MOVE, /* changes CPU, weight or class: keeps its lag and what is left of its request */
};

void fair_queue_init(struct fair_queue *q);
void fair_entity_init(struct sched_entity *se, u32 weight);
u32 fair_weight(int nice);

void fair_enqueue(struct fair_queue *q, struct sched_entity *se, enum fair_reason why);
void fair_dequeue(struct fair_queue *q, struct sched_entity *se, enum fair_reason why);
/* The entity to run next, the running one included; NULL if the queue is empty. */
struct sched_entity *fair_pick(struct fair_queue *q);
/* Make the picked one the running one; the former one, if there is one, waits again. */
void fair_set_current(struct fair_queue *q, struct sched_entity *se);
void fair_put_current(struct fair_queue *q);
/* The running one has used ns more. True: its request is served and others wait. */
bool fair_charge(struct fair_queue *q, u64 ns);
/* Should se, just queued, run instead of the running one? */
bool fair_preempts(const struct fair_queue *q, const struct sched_entity *se);
/* The running one gives up what it is owed. */
void fair_yield(struct fair_queue *q);
/* The slice of the next requests follows what the last burst of running needed. */
void fair_adapt_slice(struct sched_entity *se, u64 burst_ns);

#endif
