/* SPDX-License-Identifier: MIT */
/*
 * Reader-writer locks that sleep.
 *
 *	state	bit 0		WRITER: held for writing
 *		bit 1		WAITERS: the queue is not empty; new readers and writers queue, releases wake
 *		bits 3-63	number of readers
 *
 * The queue is served in order: when the lock becomes free the release gives it to the first waiter,
 * or, if that is a reader, to all readers up to the next writer. Since newcomers queue behind waiters,
 * neither side starves. A writer that meets a running writer spins before it queues, and so do
 * readers: most holds are short.
 *
 * Locking: wait_lock guards the queue, and the state while WAITERS is set and nobody holds the lock.
 */
#include "sched/mutex.h"

#include "sched_internal.h"

#include "core/panic.h"
#include "core/rcu.h"
#include "uapi/errno.h"

#define RWSEM_WRITER 1l
#define RWSEM_WAITERS 2l
#define RWSEM_READER 8l

struct rwsem_waiter {
	struct list node;
	struct thread *thread;
	bool write;
	bool granted;		/* set by the one who grants: the waiter may then return at any moment */
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

/* Spin while a writer holds it and runs, nobody queues, and we need not leave the CPU. */
static bool
rwsem_spin(struct rwsem *s, bool write)
{
	bool taken = false;

	rcu_read_lock();
	while (!preempt_need_resched()) {
		s64 state;
		struct thread *owner;

		taken = write ? write_try(s) : read_try(s);
		if (taken)
			break;
		state = atomic64_read(&s->state);
		if (state & RWSEM_WAITERS)
			break;
		owner = READ_ONCE(s->owner);
		if (state & RWSEM_WRITER) {
			/* Without owner: it has just got it or is just letting go. */
			if (owner && !owner_runs(owner))
				break;
		} else if (state) {
			break;		/* readers: nobody knows for how long */
		}
		arch_cpu_relax();
	}
	rcu_read_unlock();
	return taken;
}

/* Give the free (or, for readers behind readers, shared) lock to the head of the queue. wait_lock held. */
static void
rwsem_grant(struct rwsem *s)
{
	struct rwsem_waiter *w, *next;

	list_for_each_entry_safe(w, next, &s->waiters, node) {
		struct thread *t = w->thread;
		s64 state = atomic64_read(&s->state);

		if ((state & RWSEM_WRITER) || (w->write && state >= RWSEM_READER))
			break;
		/* With WAITERS set only releases change the state beside us: the sum cannot conflict. */
		if (w->write) {
			WRITE_ONCE(s->owner, t);
			atomic64_add(&s->state, RWSEM_WRITER);
		} else {
			atomic64_add(&s->state, RWSEM_READER);
		}
		list_del(&w->node);
		if (list_empty(&s->waiters))
			atomic64_and(&s->state, ~RWSEM_WAITERS);
		/* Frees w; the thread's memory outlives this RCU section (wait_lock: preemption is off). */
		smp_store_release(&w->granted, true);
		thread_wake(t);
	}
}

static int
rwsem_wait(struct rwsem *s, bool write, u32 state)
{
	struct rwsem_waiter w = { .thread = thread_current(), .write = write };
	int r = 0;

	if (rwsem_spin(s, write))
		return 0;
	spin_lock_irq(&s->wait_lock);
	list_add_tail(&w.node, &s->waiters);
	/*
	 * A release before this sees no waiter, one after it does and comes here for wait_lock; for the
	 * former case look once whether the lock is ours already.
	 */
	atomic64_or(&s->state, RWSEM_WAITERS);
	smp_mb();
	rwsem_grant(s);
	while (!w.granted) {
		if (thread_signal_pending(w.thread) && (state & THREAD_KILLABLE) &&
		    thread_fatal_pending(w.thread)) {
			list_del(&w.node);
			if (list_empty(&s->waiters))
				atomic64_and(&s->state, ~RWSEM_WAITERS);
			else
				rwsem_grant(s);		/* readers behind a writer that gave up */
			r = -EINTR;
			break;
		}
		thread_set_state(state);
		spin_unlock_irq(&s->wait_lock);
		if (!smp_load_acquire(&w.granted))
			schedule();
		spin_lock_irq(&s->wait_lock);
	}
	WRITE_ONCE(w.thread->state, THREAD_RUNNABLE);
	spin_unlock_irq(&s->wait_lock);
	return r;
}

static void
rwsem_release(struct rwsem *s)
{
	unsigned long flags = spin_lock_irqsave(&s->wait_lock);

	rwsem_grant(s);
	spin_unlock_irqrestore(&s->wait_lock, flags);
}

void
rwsem_init(struct rwsem *s, enum lock_rank rank)
{
	*s = (struct rwsem)RWSEM_INIT(*s, rank);
}

void
rwsem_read_lock(struct rwsem *s)
{
	sleep_lock_acquire(s->rank, false, false);
	if (unlikely(!read_try(s)))
		(void)rwsem_wait(s, false, THREAD_UNINTERRUPTIBLE);
}

int
rwsem_read_lock_killable(struct rwsem *s)
{
	int r = 0;

	sleep_lock_acquire(s->rank, false, false);
	if (unlikely(!read_try(s)))
		r = rwsem_wait(s, false, THREAD_KILLABLE);
	if (r)
		sleep_lock_release(s->rank);
	return r;
}

bool
rwsem_try_read_lock(struct rwsem *s)
{
	if (!read_try(s))
		return false;
	sleep_lock_acquire(s->rank, false, true);
	return true;
}

void
rwsem_read_unlock(struct rwsem *s)
{
	s64 state;

	sleep_lock_release(s->rank);
	state = atomic64_sub_return(&s->state, RWSEM_READER);
	DEBUG_ASSERT(state >= 0);
	if (unlikely(state == RWSEM_WAITERS))
		rwsem_release(s);
}

void
rwsem_write_lock(struct rwsem *s)
{
	sleep_lock_acquire(s->rank, false, false);
	if (unlikely(!write_try(s)))
		(void)rwsem_wait(s, true, THREAD_UNINTERRUPTIBLE);
}

void
rwsem_write_lock_nested(struct rwsem *s)
{
	sleep_lock_acquire(s->rank, true, false);
	if (unlikely(!write_try(s)))
		(void)rwsem_wait(s, true, THREAD_UNINTERRUPTIBLE);
}

int
rwsem_write_lock_killable(struct rwsem *s)
{
	int r = 0;

	sleep_lock_acquire(s->rank, false, false);
	if (unlikely(!write_try(s)))
		r = rwsem_wait(s, true, THREAD_KILLABLE);
	if (r)
		sleep_lock_release(s->rank);
	return r;
}

bool
rwsem_try_write_lock(struct rwsem *s)
{
	if (!write_try(s))
		return false;
	sleep_lock_acquire(s->rank, false, true);
	return true;
}

void
rwsem_write_unlock(struct rwsem *s)
{
	DEBUG_ASSERT(s->owner == thread_current());
	sleep_lock_release(s->rank);
	WRITE_ONCE(s->owner, NULL);
	if (unlikely(atomic64_sub_return(&s->state, RWSEM_WRITER) & RWSEM_WAITERS))
		rwsem_release(s);
}

void
rwsem_downgrade(struct rwsem *s)
{
	DEBUG_ASSERT(s->owner == thread_current());
	WRITE_ONCE(s->owner, NULL);
	if (unlikely(atomic64_add_return(&s->state, RWSEM_READER - RWSEM_WRITER) & RWSEM_WAITERS))
		rwsem_release(s);
}

void
rwsem_assert_held(const struct rwsem *s)
{
	DEBUG_ASSERT(atomic64_read(&s->state) & ~RWSEM_WAITERS);
}
