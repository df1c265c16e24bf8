/* SPDX-License-Identifier: MIT */
/*
 * Wait queues: threads and callbacks waiting for a condition. One readiness mechanism for sleeping,
 * poll, select and epoll.
 *
 *	wait_event(&wq, cond)				uninterruptible
 *	wait_event_interruptible(&wq, cond)		0 or -ERESTARTSYS
 *	wait_event_killable(&wq, cond)			0 or -ERESTARTSYS, only fatal signals
 *	wait_event_timeout(&wq, cond, deadline)		0, or -ETIMEDOUT
 *	wait_event_interruptible_timeout(...)		0, -ETIMEDOUT or -ERESTARTSYS
 *
 * Wake-ups: all non-exclusive waiters and up to `n` exclusive ones, in the order of queueing.
 */
#ifndef SCHED_WAIT_H
#define SCHED_WAIT_H

#include "core/spinlock.h"
#include "core/time.h"
#include "lib/list.h"
#include "sched/thread.h"
#include "uapi/errno.h"

struct wait_queue {
	struct spinlock lock;
	struct list waiters;
};

struct wait_entry;
/*
 * Called with wq->lock held, interrupts off. Returns true if it woke someone (counts against
 * exclusive). `key`: poll events mask or 0.
 */
typedef bool wait_func(struct wait_entry *we, u32 key);

#define WAIT_EXCLUSIVE BIT(0)

struct wait_entry {
	struct list node;
	wait_func *func;
	struct thread *thread;
	u32 flags;
};

#define WAIT_QUEUE_INIT(name)                                             \
	{                                                                 \
		SPINLOCK_INIT(RANK_WAIT_QUEUE), LIST_INIT((name).waiters) \
	}
void wait_queue_init(struct wait_queue *wq);
/*
 * The queue's memory will go, a grace period later, though callbacks may still be queued: each is
 * called once more with this key, takes itself off and forgets the queue. Nobody sleeps here.
 */
#define WAKE_QUEUE_GONE BIT(30)
void wait_queue_fini(struct wait_queue *wq);

/* Non-exclusive entries go to the front, exclusive ones (WAIT_EXCLUSIVE) to the back. */
void wait_add(struct wait_queue *wq, struct wait_entry *we);
void wait_remove(struct wait_queue *wq, struct wait_entry *we); /* safe if already removed */
/* The default: wakes the thread and leaves the entry queued. The other form takes it off. */
bool wait_func_wake(struct wait_entry *we, u32 key);
bool wait_func_autoremove(struct wait_entry *we, u32 key);

/* True if somebody slept and was woken, or a callback says so. */
bool wake_up_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key);
/*
 * As wake_up_key, for a callback that passes a wake-up on: its caller may hold the lock of another
 * queue. Such queues must form no ring (epoll refuses loops).
 */
bool wake_up_nested_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key);
/* As wake_up_key; the caller holds wq->lock. */
bool wake_up_locked_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key);
static inline bool
wait_queue_active(const struct wait_queue *wq)
{
	/* Callers must have a full barrier between changing the condition and this. */
	return !list_empty(&wq->waiters);
}

static inline void
wake_up(struct wait_queue *wq)
{
	wake_up_key(wq, THREAD_NORMAL, 1, 0);
}
static inline void
wake_up_all(struct wait_queue *wq)
{
	wake_up_key(wq, THREAD_NORMAL, 0x7fffffff, 0);
}
static inline void
wake_up_poll(struct wait_queue *wq, u32 key)
{
	wake_up_key(wq, THREAD_NORMAL, 1, key);
}
/* For a waker who will sleep soon: partners on a pipe or socket then share a CPU. */
void wake_up_sync_poll(struct wait_queue *wq, u32 key);

/* Building blocks of the macros. prepare sets the state and queues; returns -ERESTARTSYS if a
 * signal is pending that ends such a sleep. */
void wait_entry_init(struct wait_entry *we, u32 flags);
int wait_prepare(struct wait_queue *wq, struct wait_entry *we, u32 state);
void wait_finish(struct wait_queue *wq, struct wait_entry *we);

#define WAIT_EVENT_(wq, cond, state, deadline, flags)                         \
	({                                                                    \
		int r_ = 0;                                                   \
		if (!(cond)) {                                                \
			struct wait_entry we_;                                \
			wait_entry_init(&we_, (flags));                       \
			for (;;) {                                            \
				int sig_ = wait_prepare((wq), &we_, (state)); \
				if (cond)                                     \
					break;                                \
				if (sig_) {                                   \
					r_ = sig_;                            \
					break;                                \
				}                                             \
				if (!schedule_until(deadline)) {              \
					if (!(cond))                          \
						r_ = -ETIMEDOUT;              \
					break;                                \
				}                                             \
			}                                                     \
			wait_finish((wq), &we_);                              \
		}                                                             \
		r_;                                                           \
	})

#define wait_event(wq, cond) ((void)WAIT_EVENT_(wq, cond, THREAD_UNINTERRUPTIBLE, TIME_NEVER, 0))
#define wait_event_timeout(wq, cond, deadline) \
	WAIT_EVENT_(wq, cond, THREAD_UNINTERRUPTIBLE, deadline, 0)
#define wait_event_interruptible(wq, cond) \
	WAIT_EVENT_(wq, cond, THREAD_INTERRUPTIBLE, TIME_NEVER, 0)
#define wait_event_interruptible_exclusive(wq, cond) \
	WAIT_EVENT_(wq, cond, THREAD_INTERRUPTIBLE, TIME_NEVER, WAIT_EXCLUSIVE)
#define wait_event_killable(wq, cond) WAIT_EVENT_(wq, cond, THREAD_KILLABLE, TIME_NEVER, 0)
#define wait_event_interruptible_timeout(wq, cond, deadline) \
	WAIT_EVENT_(wq, cond, THREAD_INTERRUPTIBLE, deadline, 0)

/* One-shot event. */
struct completion {
	struct wait_queue wq;
	u32 done;
};
void completion_init(struct completion *c);
void complete(struct completion *c); /* any context */
void complete_all(struct completion *c);
void completion_wait(struct completion *c);
int completion_wait_killable(struct completion *c); /* 0 or -ERESTARTSYS */

/* Sleep uninterruptibly for ns. */
void sleep_ns(u64 ns);

#endif
