/* SPDX-License-Identifier: MIT */
/*
 * The order of sleeping locks, checked in debug builds.
 *
 * Sleeping locks are held across switches, so the stack of held ranks belongs to the thread.
 * Spinlocks have a stack per CPU (core/spinlock.c); their ranks are above all of these, and that no
 * sleeping lock is taken under one is checked by in_atomic.
 */
#include "sched_internal.h"

#include "core/panic.h"
#include "sched/mutex.h"

#ifdef KEVLAR_DEBUG

void
sleep_lock_acquire(u32 rank, bool nested, bool try)
{
	struct thread *t = thread_current();
	u32 top = 0;

	if (!try && in_atomic())
		panic("sleeping lock of rank %u taken with preemption off", rank);
	for (u32 i = 0; i < t->held_count; i++)
		top = MAX_T(u32, top, t->held_rank[i]);
	if (!try && (nested ? rank < top : rank <= top))
		panic("sleeping lock of rank %u taken while holding rank %u", rank, top);
	ASSERT(t->held_count < ARRAY_SIZE(t->held_rank));
	t->held_rank[t->held_count++] = (u8)rank;
}

void
sleep_lock_release(u32 rank)
{
	struct thread *t = thread_current();
	u32 i = t->held_count;

	while (i > 0 && t->held_rank[i - 1] != rank)
		i--;
	if (!i)
		panic("sleeping lock of rank %u released by thread %s, which does not hold it",
		      rank, t->comm);
	for (t->held_count--; i <= t->held_count; i++)
		t->held_rank[i - 1] = t->held_rank[i];
}

#endif
