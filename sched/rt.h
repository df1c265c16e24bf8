/* SPDX-License-Identifier: MIT */
/* The real-time queue: one CPU's FIFO and round-robin threads, and those that priority inheritance
 * lifts among them. */
#ifndef SCHED_RT_H
#define SCHED_RT_H

#include "lib/bitmap.h"
#include "lib/list.h"
#include "sched/thread.h"

#define RT_LEVELS      100
#define RT_RR_SLICE_NS 100000000u
#define RT_PERIOD_NS   1000000000ull
#define RT_RUNTIME_NS  950000000ull

struct rt_queue {
	DECLARE_BITMAP(active, RT_LEVELS); /* bit n: level[n] has threads; level = 99 - priority */
	struct list level[RT_LEVELS];
	u32 count;
	bool throttled; /* used its share of the period: others first */
	u64 period_start, used_ns;
};

void rt_queue_init(struct rt_queue *q);
void rt_enqueue(struct rt_queue *q, struct thread *t, bool at_head);
void rt_dequeue(struct rt_queue *q, struct thread *t);
/* The running thread stays in its list. Throttling is the caller's question. */
struct thread *rt_pick(const struct rt_queue *q);
/* The running thread has used ns up to `now`. True: something else may have to run. */
bool rt_charge(struct rt_queue *q, struct thread *t, u64 ns, u64 now);
/* Start a new period if it is time. True if that ended a throttling. */
bool rt_refresh(struct rt_queue *q, u64 now);
void rt_yield(struct rt_queue *q, struct thread *t);

#endif
