/* SPDX-License-Identifier: MIT */
/*
 * Real-time scheduling: fixed priorities, sched(7).
 *
 * A list per priority and a bitmap of the lists that are not empty: every operation is a few
 * instructions whatever the number of threads. FIFO threads run until they sleep, yield or
 * something higher comes; round-robin ones go to the tail of their list every 100 ms.
 *
 * A runaway real-time thread must not lock out the machine: in each second of a CPU these threads
 * get at most 950 ms while fair threads wait (Linux's sched_rt_runtime_us and sched_rt_period_us).
 *
 * Locking: the caller's run-queue lock.
 */
#include "rt.h"

static u32
level_of(const struct thread *t)
{
	return RT_LEVELS - 1 - t->effective_rt;
}

void
rt_queue_init(struct rt_queue *q)
{
	bitmap_zero(q->active, RT_LEVELS);
	for (u32 i = 0; i < RT_LEVELS; i++)
		list_init(&q->level[i]);
	q->count = 0;
	q->throttled = false;
	q->period_start = 0;
	q->used_ns = 0;
}

void
rt_enqueue(struct rt_queue *q, struct thread *t, bool at_head)
{
	u32 level = level_of(t);

	if (at_head)
		list_add(&t->rt_node, &q->level[level]);
	else
		list_add_tail(&t->rt_node, &q->level[level]);
	bitmap_set_bit(level, q->active);
	q->count++;
}

void
rt_dequeue(struct rt_queue *q, struct thread *t)
{
	u32 level = level_of(t);

	list_del(&t->rt_node);
	if (list_empty(&q->level[level]))
		bitmap_clear_bit(level, q->active);
	q->count--;
}

struct thread *
rt_pick(const struct rt_queue *q)
{
	u32 level = (u32)find_first_bit(q->active, RT_LEVELS);

	return level < RT_LEVELS ? list_first_entry(&q->level[level], struct thread, rt_node)
				 : NULL;
}

bool
rt_charge(struct rt_queue *q, struct thread *t, u64 ns, u64 now)
{
	bool resched = false;

	rt_refresh(q, now);
	q->used_ns += ns;
	if (q->used_ns >= RT_RUNTIME_NS && !q->throttled) {
		q->throttled = true;
		resched = true;
	}
	if (t->policy != SCHED_P_RR)
		return resched;
	if (t->rt_slice_left > ns) {
		t->rt_slice_left -= (u32)ns;
		return resched;
	}
	t->rt_slice_left = RT_RR_SLICE_NS;
	if (list_is_singular(&q->level[level_of(t)]))
		return resched;
	list_move_tail(&t->rt_node, &q->level[level_of(t)]);
	return true;
}

bool
rt_refresh(struct rt_queue *q, u64 now)
{
	bool was = q->throttled;

	if (now - q->period_start < RT_PERIOD_NS)
		return false;
	q->period_start = now;
	q->used_ns = 0;
	q->throttled = false;
	return was;
}

void
rt_yield(struct rt_queue *q, struct thread *t)
{
	list_move_tail(&t->rt_node, &q->level[level_of(t)]);
}
