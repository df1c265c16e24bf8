/* SPDX-License-Identifier: MIT */
/*
 * Mutexes.
 *
 * The owner word is the owner's address with two flags. Without contention lock and unlock are one
 * compare-and-swap each. A thread that finds the mutex taken first spins, as long as the owner is
 * running: it will most likely be done sooner than a switch there and back would take. Then it
 * queues.
 *
 *	WAITERS		the queue is not empty: unlock must take the slow path
 *	HANDOFF		the first in the queue was woken and lost against a newcomer: the next
 *			unlock gives it the mutex, so that nobody starves
 *
 * Locking: wait_lock guards the queue and the setting of flags; the owner part changes without it.
 * A mutex may not be freed while an unlock is still in it: an object that is freed by the next one
 * to lock its mutex needs a reference count, as everywhere.
 */
#include "sched/mutex.h"

#include "sched_internal.h"

#include "core/panic.h"
#include "core/rcu.h"
#include "uapi/errno.h"

#define MUTEX_WAITERS 1l
#define MUTEX_HANDOFF 2l
#define MUTEX_FLAGS   3l

struct mutex_waiter {
	struct list node;
	struct thread *thread;
};

static struct thread *
owner_of(s64 word)
{
	return (struct thread *)(word & ~MUTEX_FLAGS);
}

static bool
mutex_try_fast(struct mutex *m)
{
	s64 free = 0;

	return atomic64_try_cmpxchg(&m->owner, &free, (s64)thread_current());
}

bool
owner_runs(const struct thread *owner)
{
	/* Its memory stays for a grace period even if it has unlocked and died. */
	return READ_ONCE(owner->on_cpu);
}

/* Take it if it is free, or if it was handed to us. */
static bool
mutex_try_take(struct mutex *m, bool first)
{
	struct thread *me = thread_current();
	s64 word = atomic64_read(&m->owner);

	for (;;) {
		if (owner_of(word) == me)
			return true;
		if (owner_of(word) || ((word & MUTEX_HANDOFF) && !first))
			return false;
		if (atomic64_try_cmpxchg(&m->owner, &word, (s64)me | (word & MUTEX_WAITERS)))
			return true;
	}
}

/* Until we have it (true), or the owner sleeps, or we should leave the CPU to others. */
static bool
mutex_spin(struct mutex *m)
{
	bool taken = false;

	rcu_read_lock();
	while (!preempt_need_resched()) {
		s64 word = atomic64_read(&m->owner);
		struct thread *owner = owner_of(word);

		if (!owner) {
			taken = mutex_try_take(m, false);
			if (taken || (word & MUTEX_HANDOFF))
				break;
		} else if (!owner_runs(owner)) {
			break;
		}
		arch_cpu_relax();
	}
	rcu_read_unlock();
	return taken;
}

static int
mutex_lock_slow(struct mutex *m, u32 state)
{
	struct mutex_waiter w = { .thread = thread_current() };
	bool woken = false;
	int r = 0;

	if (mutex_spin(m))
		return 0;
	spin_lock_irq(&m->wait_lock);
	list_add_tail(&w.node, &m->waiters);
	for (;;) {
		bool first = list_is_first(&w.node, &m->waiters);

		/* Set before the try: an unlock after a failed try sees the flag and wakes us. */
		atomic64_or(&m->owner,
			    first && woken ? MUTEX_WAITERS | MUTEX_HANDOFF : MUTEX_WAITERS);
		smp_mb();
		if (mutex_try_take(m, first))
			break;
		if ((state & THREAD_INTERRUPTIBLE && thread_signal_pending(w.thread)) ||
		    (state & THREAD_KILLABLE && thread_signal_pending(w.thread) &&
		     thread_fatal_pending(w.thread))) {
			r = -EINTR;
			break;
		}
		thread_set_state(state);
		spin_unlock_irq(&m->wait_lock);
		schedule();
		woken = true;
		spin_lock_irq(&m->wait_lock);
	}
	list_del(&w.node);
	if (list_empty(&m->waiters))
		atomic64_and(&m->owner, ~MUTEX_FLAGS);
	else
		atomic64_and(&m->owner, ~MUTEX_HANDOFF);
	/* A wake-up that came with the signal must not be lost for the others. */
	if (r && !list_empty(&m->waiters) && !owner_of(atomic64_read(&m->owner)))
		thread_wake(list_first_entry(&m->waiters, struct mutex_waiter, node)->thread);
	spin_unlock_irq(&m->wait_lock);
	return r;
}

static void
mutex_unlock_slow(struct mutex *m)
{
	struct thread *next = NULL;
	s64 word, free;

	spin_lock_irq(&m->wait_lock);
	if (!list_empty(&m->waiters))
		next = list_first_entry(&m->waiters, struct mutex_waiter, node)->thread;
	word = atomic64_read(&m->owner);
	do {
		free = next ? MUTEX_WAITERS : 0;
		if (next && (word & MUTEX_HANDOFF))
			free |= (s64)next;
	} while (!atomic64_try_cmpxchg(&m->owner, &word, free));
	if (next)
		thread_wake(next);
	spin_unlock_irq(&m->wait_lock);
}

void
mutex_init(struct mutex *m, enum lock_rank rank)
{
	*m = (struct mutex)MUTEX_INIT(*m, rank);
}

/* 0 or -EINTR; inlined, so that each way in is a place of its own for the statistics. */
static __always_inline int
mutex_lock_as(struct mutex *m, bool nested, u32 state)
{
	u64 asked = 0;
	int r = 0;

	sleep_lock_acquire(m->rank, nested, false);
	if (unlikely(!mutex_try_fast(m))) {
		asked = lock_stat_clock();
		r = mutex_lock_slow(m, state);
		if (r) {
			sleep_lock_release(m->rank);
			return r;
		}
	}
	lock_stat_taken(&m->stat, LOCK_MUTEX, asked, LOCK_STAT_CALLER);
	return 0;
}

void
mutex_lock(struct mutex *m)
{
	(void)mutex_lock_as(m, false, THREAD_UNINTERRUPTIBLE);
}

void
mutex_lock_nested(struct mutex *m)
{
	(void)mutex_lock_as(m, true, THREAD_UNINTERRUPTIBLE);
}

int
mutex_lock_interruptible(struct mutex *m)
{
	return mutex_lock_as(m, false, THREAD_INTERRUPTIBLE);
}

int
mutex_lock_killable(struct mutex *m)
{
	return mutex_lock_as(m, false, THREAD_KILLABLE);
}

bool
mutex_trylock(struct mutex *m)
{
	if (!mutex_try_fast(m))
		return false;
	sleep_lock_acquire(m->rank, false, true);
	lock_stat_taken(&m->stat, LOCK_MUTEX, 0, LOCK_STAT_CALLER);
	return true;
}

void
mutex_unlock(struct mutex *m)
{
	s64 me = (s64)thread_current();

	sleep_lock_release(m->rank);
	lock_stat_release(&m->stat);
	if (unlikely(!atomic64_try_cmpxchg(&m->owner, &me, 0))) {
		DEBUG_ASSERT(owner_of(me) == thread_current());
		mutex_unlock_slow(m);
	}
}

bool
mutex_is_locked(const struct mutex *m)
{
	return owner_of(atomic64_read(&m->owner));
}

void
mutex_assert_held(const struct mutex *m)
{
	DEBUG_ASSERT(owner_of(atomic64_read(&m->owner)) == thread_current());
}
