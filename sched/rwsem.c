/* SPDX-License-Identifier: MIT */
/*
 * Reader-writer locks that sleep.
 *
 *	state	WRITER		held for writing
 *		WAITERS		the queue is not empty: releases wake its head, and readers
 *				do not join readers
 *		HANDOFF		the head of the queue was woken and lost against a newcomer:
 *				only it may take the lock now, and the release gives it away
 *		bits 3-63	number of readers
 *
 * As with mutexes, a lock that has become free goes to whoever is there first, for handing it to a
 * thread that must be woken would leave it idle for the length of a switch each time; HANDOFF
 * bounds how often. A queued reader that gets the lock takes along the readers behind it, up to the
 * next writer. While a writer waits, readers do not join those that hold the lock: writers do not
 * starve.
 *
 * A thread that meets a running writer spins before it queues.
 *
 * Locking: wait_lock guards the queue and the flags WAITERS and HANDOFF.
 */
#include "sched/mutex.h"

#include "sched_internal.h"

#include "core/panic.h"
#include "core/rcu.h"
#include "uapi/errno.h"

#define RWSEM_WRITER  1l
#define RWSEM_WAITERS 2l
#define RWSEM_HANDOFF 4l
#define RWSEM_READER  8l

struct rwsem_waiter {
	struct list node;
	struct thread *thread;
	bool write;
	bool granted; /* set by the one who grants: the waiter may then return at any moment */
};

static bool
read_try(struct rwsem *s)
{
	s64 state = atomic64_read(&s->state);

	while (!(state & (RWSEM_WRITER | RWSEM_WAITERS)))
		if (atomic64_try_cmpxchg(&s->state, &state, state + RWSEM_READER))
			return true;
	return false;
}

static bool
write_try(struct rwsem *s)
{
	s64 free = 0;

	if (!atomic64_try_cmpxchg(&s->state, &free, RWSEM_WRITER))
		return false;
	WRITE_ONCE(s->owner, thread_current());
	return true;
}

/* Take a lock that nobody holds, past those who queue. */
static bool
steal_try(struct rwsem *s, bool write)
{
	s64 state = atomic64_read(&s->state);

	while (!(state & ~RWSEM_WAITERS))
		if (atomic64_try_cmpxchg(&s->state, &state,
					 state + (write ? RWSEM_WRITER : RWSEM_READER))) {
			if (write)
				WRITE_ONCE(s->owner, thread_current());
			return true;
		}
	return false;
}

/* Spin while a writer holds it and runs, and we need not leave the CPU. */
static bool
rwsem_spin(struct rwsem *s, bool write)
{
	bool taken = false;

	rcu_read_lock();
	while (!preempt_need_resched()) {
		struct thread *owner;
		s64 state;

		taken = steal_try(s, write);
		if (taken)
			break;
		state = atomic64_read(&s->state);
		if (state & RWSEM_HANDOFF)
			break;
		if (state & RWSEM_WRITER) {
			/* Without owner: it has just got it or is just letting go. */
			owner = READ_ONCE(s->owner);
			if (owner && !owner_runs(owner))
				break;
		} else if (state & ~RWSEM_WAITERS) {
			taken = !write && read_try(s);
			break; /* readers: nobody knows for how long */
		}
		arch_cpu_relax();
	}
	rcu_read_unlock();
	return taken;
}

/* ---- the queue; wait_lock held ---- */

static struct rwsem_waiter *
queue_head(struct rwsem *s)
{
	return list_first_entry_or_null(&s->waiters, struct rwsem_waiter, node);
}

static void
queue_remove(struct rwsem *s, struct rwsem_waiter *w)
{
	list_del(&w->node);
	if (list_empty(&s->waiters))
		atomic64_and(&s->state, ~(RWSEM_WAITERS | RWSEM_HANDOFF));
	else
		atomic64_and(&s->state, ~RWSEM_HANDOFF);
}

static void
waiter_grant(struct rwsem *s, struct rwsem_waiter *w)
{
	struct thread *t = w->thread;

	queue_remove(s, w);
	/* Frees w; the thread's memory outlives this RCU section (wait_lock: preemption is off). */
	smp_store_release(&w->granted, true);
	thread_wake(t);
}

/* The lock is held by a reader: those at the head of the queue join. */
static void
grant_readers(struct rwsem *s)
{
	struct rwsem_waiter *w;

	while ((w = queue_head(s)) && !w->write) {
		atomic64_add(&s->state, RWSEM_READER);
		waiter_grant(s, w);
	}
}

/* For the head of the queue: take the lock if it can be had. */
static bool
head_take(struct rwsem *s, struct rwsem_waiter *w)
{
	s64 state = atomic64_read(&s->state);

	do {
		if ((state & RWSEM_WRITER) || (w->write && state >= RWSEM_READER))
			return false;
	} while (!atomic64_try_cmpxchg(&s->state, &state,
				       state + (w->write ? RWSEM_WRITER : RWSEM_READER)));
	if (w->write)
		WRITE_ONCE(s->owner, w->thread);
	return true;
}

static int
rwsem_wait(struct rwsem *s, bool write, u32 state)
{
	struct rwsem_waiter w = { .thread = thread_current(), .write = write }, *head;
	bool woken = false;
	int r = 0;

	if (rwsem_spin(s, write))
		return 0;
	spin_lock_irq(&s->wait_lock);
	list_add_tail(&w.node, &s->waiters);
	for (;;) {
		bool first = queue_head(s) == &w;

		/* Set before the try: a release after a failed try sees the flag and wakes the
		 * head. */
		atomic64_or(&s->state,
			    first && woken ? RWSEM_WAITERS | RWSEM_HANDOFF : RWSEM_WAITERS);
		smp_mb();
		if (first && head_take(s, &w)) {
			queue_remove(s, &w);
			if (!write)
				grant_readers(s);
			break;
		}
		if ((state & THREAD_KILLABLE) && thread_signal_pending(w.thread) &&
		    thread_fatal_pending(w.thread)) {
			queue_remove(s, &w);
			/* A wake-up meant for us, or readers who waited for this writer only. */
			head = queue_head(s);
			if (head)
				thread_wake(head->thread);
			r = -EINTR;
			break;
		}
		thread_set_state(state);
		spin_unlock_irq(&s->wait_lock);
		if (!smp_load_acquire(&w.granted))
			schedule();
		WRITE_ONCE(w.thread->state, THREAD_RUNNABLE);
		woken = true;
		if (smp_load_acquire(&w.granted))
			return 0;
		spin_lock_irq(&s->wait_lock);
		if (w.granted)
			break;
	}
	spin_unlock_irq(&s->wait_lock);
	return r;
}

/* The lock has become free, or a writer has become a reader. */
static void
rwsem_release(struct rwsem *s)
{
	unsigned long flags = spin_lock_irqsave(&s->wait_lock);
	struct rwsem_waiter *head = queue_head(s);

	if (head && !head->write && atomic64_read(&s->state) >= RWSEM_READER) {
		grant_readers(s);
	} else if (head && (atomic64_read(&s->state) & RWSEM_HANDOFF)) {
		if (head_take(s, head)) {
			bool write = head->write;

			waiter_grant(s, head);
			if (!write)
				grant_readers(s);
		}
	} else if (head) {
		thread_wake(head->thread);
	}
	spin_unlock_irqrestore(&s->wait_lock, flags);
}

void
rwsem_init(struct rwsem *s, enum lock_rank rank)
{
	*s = (struct rwsem)RWSEM_INIT(*s, rank);
}

/* 0 or -EINTR; inlined, so that each way in is a place of its own for the statistics. */
static __always_inline int
rwsem_lock_as(struct rwsem *s, bool write, bool nested, u32 state)
{
	u64 asked = 0;
	int r = 0;

	sleep_lock_acquire(s->rank, nested, false);
	if (unlikely(!(write ? write_try(s) : read_try(s)))) {
		asked = lock_stat_clock();
		r = rwsem_wait(s, write, state);
		if (r) {
			sleep_lock_release(s->rank);
			return r;
		}
	}
	lock_stat_taken(&s->stat, write ? LOCK_WRITE : LOCK_READ, asked, LOCK_STAT_CALLER);
	return 0;
}

void
rwsem_read_lock(struct rwsem *s)
{
	(void)rwsem_lock_as(s, false, false, THREAD_UNINTERRUPTIBLE);
}

int
rwsem_read_lock_killable(struct rwsem *s)
{
	return rwsem_lock_as(s, false, false, THREAD_KILLABLE);
}

bool
rwsem_try_read_lock(struct rwsem *s)
{
	if (!read_try(s))
		return false;
	sleep_lock_acquire(s->rank, false, true);
	lock_stat_taken(&s->stat, LOCK_READ, 0, LOCK_STAT_CALLER);
	return true;
}

void
rwsem_read_unlock(struct rwsem *s)
{
	s64 state;

	sleep_lock_release(s->rank);
	state = atomic64_sub_return(&s->state, RWSEM_READER);
	DEBUG_ASSERT(state >= 0);
	if (unlikely((state & RWSEM_WAITERS) && state < RWSEM_READER))
		rwsem_release(s);
}

void
rwsem_write_lock(struct rwsem *s)
{
	(void)rwsem_lock_as(s, true, false, THREAD_UNINTERRUPTIBLE);
}

void
rwsem_write_lock_nested(struct rwsem *s)
{
	(void)rwsem_lock_as(s, true, true, THREAD_UNINTERRUPTIBLE);
}

int
rwsem_write_lock_killable(struct rwsem *s)
{
	return rwsem_lock_as(s, true, false, THREAD_KILLABLE);
}

bool
rwsem_try_write_lock(struct rwsem *s)
{
	if (!write_try(s))
		return false;
	sleep_lock_acquire(s->rank, false, true);
	lock_stat_taken(&s->stat, LOCK_WRITE, 0, LOCK_STAT_CALLER);
	return true;
}

void
rwsem_write_unlock(struct rwsem *s)
{
	DEBUG_ASSERT(s->owner == thread_current());
	sleep_lock_release(s->rank);
	lock_stat_release(&s->stat);
	WRITE_ONCE(s->owner, NULL);
	if (unlikely(atomic64_sub_return(&s->state, RWSEM_WRITER) & RWSEM_WAITERS))
		rwsem_release(s);
}

void
rwsem_downgrade(struct rwsem *s)
{
	DEBUG_ASSERT(s->owner == thread_current());
	lock_stat_release(&s->stat);
	WRITE_ONCE(s->owner, NULL);
	if (unlikely(atomic64_add_return(&s->state, RWSEM_READER - RWSEM_WRITER) & RWSEM_WAITERS))
		rwsem_release(s);
}

void
rwsem_assert_held(const struct rwsem *s)
{
	DEBUG_ASSERT(atomic64_read(&s->state) & ~(RWSEM_WAITERS | RWSEM_HANDOFF));
}
