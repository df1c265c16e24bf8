/* SPDX-License-Identifier: MIT */
/*
 * Completions: an event that happens once (or counts), waited for even if it has happened already.
 *
 * `done` is read and written under the queue's lock only: whoever returns from waiting has had the
 * lock after complete() let go of it, so a completion may lie on the waiter's stack.
 */
#include "sched_internal.h"

#include "sched/wait.h"

#define DONE_FOR_EVER (~0u)

void
completion_init(struct completion *c)
{
	wait_queue_init(&c->wq);
	c->done = 0;
}

void
complete(struct completion *c)
{
	unsigned long flags = spin_lock_irqsave(&c->wq.lock);

	if (c->done != DONE_FOR_EVER)
		c->done++;
	wake_up_locked_key(&c->wq, THREAD_NORMAL, 1, 0);
	spin_unlock_irqrestore(&c->wq.lock, flags);
}

void
complete_all(struct completion *c)
{
	unsigned long flags = spin_lock_irqsave(&c->wq.lock);

	c->done = DONE_FOR_EVER;
	wake_up_locked_key(&c->wq, THREAD_NORMAL, 0x7fffffff, 0);
	spin_unlock_irqrestore(&c->wq.lock, flags);
}

static bool
completion_take(struct completion *c)
{
	unsigned long flags = spin_lock_irqsave(&c->wq.lock);
	bool done = c->done;

	if (done && c->done != DONE_FOR_EVER)
		c->done--;
	spin_unlock_irqrestore(&c->wq.lock, flags);
	return done;
}

void
completion_wait(struct completion *c)
{
	(void)WAIT_EVENT_(&c->wq, completion_take(c), THREAD_UNINTERRUPTIBLE, TIME_NEVER,
			  WAIT_EXCLUSIVE);
}

int
completion_wait_killable(struct completion *c)
{
	return WAIT_EVENT_(&c->wq, completion_take(c), THREAD_KILLABLE, TIME_NEVER, WAIT_EXCLUSIVE);
}
