/* SPDX-License-Identifier: MIT */
/*
 * Wait queues.
 *
 * Non-exclusive entries stand at the front, exclusive ones at the back in order of arrival, so a
 * wake-up is one walk from the front that ends with the last exclusive entry it may wake.
 *
 * An entry stays queued when it is woken; its owner takes it off (wait_finish). Entries that are
 * callbacks may take themselves off from inside the callback.
 */
#include "sched/wait.h"

#include "sched_internal.h"

void
wait_queue_init(struct wait_queue *wq)
{
	spin_init(&wq->lock, RANK_WAIT_QUEUE);
	list_init(&wq->waiters);
}

static void
wait_add_locked(struct wait_queue *wq, struct wait_entry *we)
{
	if (we->flags & WAIT_EXCLUSIVE)
		list_add_tail(&we->node, &wq->waiters);
	else
		list_add(&we->node, &wq->waiters);
}

void
wait_add(struct wait_queue *wq, struct wait_entry *we)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	wait_add_locked(wq, we);
	spin_unlock_irqrestore(&wq->lock, flags);
	/* Queued before the caller looks at the condition; pairs with the barrier in wake_up_key.
	 */
	smp_mb();
}

void
wait_remove(struct wait_queue *wq, struct wait_entry *we)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	list_del_init(&we->node);
	spin_unlock_irqrestore(&wq->lock, flags);
}

bool
wait_func_wake(struct wait_entry *we, u32 key)
{
	return thread_wake_state(we->thread, THREAD_NORMAL);
}

bool
wait_func_autoremove(struct wait_entry *we, u32 key)
{
	if (!thread_wake_state(we->thread, THREAD_NORMAL))
		return false;
	list_del_init(&we->node);
	return true;
}

bool
wake_up_locked_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key)
{
	struct list *node, *next;
	bool any = false;

	list_for_each_safe(node, next, &wq->waiters)
	{
		struct wait_entry *we = list_entry(node, struct wait_entry, node);
		u32 entry_flags = we->flags; /* the callback may free it */
		bool woke;

		if (we->func == wait_func_wake)
			woke = thread_wake_state(we->thread, states);
		else
			woke = we->func(we, key);
		any |= woke;
		if (woke && (entry_flags & WAIT_EXCLUSIVE) && --nr_exclusive <= 0)
			break;
	}
	return any;
}

void
wait_queue_fini(struct wait_queue *wq)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	wake_up_locked_key(wq, 0, INT32_MAX, WAKE_QUEUE_GONE);
	spin_unlock_irqrestore(&wq->lock, flags);
}

static inline bool
wake_up_any(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key, bool nested)
{
	unsigned long flags;
	bool any;

	/*
	 * waker: condition = true; barrier; queue empty?
	 * sleeper: queue itself; barrier (lock, thread_set_state); condition?
	 * One of the two sees the other.
	 */
	smp_mb();
	if (!wait_queue_active(wq))
		return false;
	flags = arch_irq_save();
	if (nested)
		spin_lock_nested(&wq->lock);
	else
		spin_lock(&wq->lock);
	any = wake_up_locked_key(wq, states, nr_exclusive, key);
	spin_unlock_irqrestore(&wq->lock, flags);
	return any;
}

bool
wake_up_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key)
{
	return wake_up_any(wq, states, nr_exclusive, key, false);
}

bool
wake_up_nested_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key)
{
	return wake_up_any(wq, states, nr_exclusive, key, true);
}

void
wake_up_sync_poll(struct wait_queue *wq, u32 key)
{
	struct thread *t = thread_current();

	if (in_irq()) {
		wake_up_poll(wq, key);
		return;
	}
	t->wake_sync = true;
	wake_up_poll(wq, key);
	t->wake_sync = false;
}

/* ---- for the macros ---- */

void
wait_entry_init(struct wait_entry *we, u32 flags)
{
	list_init(&we->node);
	we->func = wait_func_wake;
	we->thread = thread_current();
	we->flags = flags;
}

int
wait_prepare(struct wait_queue *wq, struct wait_entry *we, u32 state)
{
	struct thread *t = we->thread;

	if (list_empty(&we->node)) {
		unsigned long flags = spin_lock_irqsave(&wq->lock);

		wait_add_locked(wq, we);
		spin_unlock_irqrestore(&wq->lock, flags);
	}
	thread_set_state(state);
	if (likely(!thread_signal_pending(t)))
		return 0;
	if ((state & THREAD_INTERRUPTIBLE) ||
	    ((state & THREAD_KILLABLE) && thread_fatal_pending(t)))
		return -ERESTARTSYS;
	return 0;
}

void
wait_finish(struct wait_queue *wq, struct wait_entry *we)
{
	WRITE_ONCE(thread_current()->state, THREAD_RUNNABLE);
	/* Off the list by a callback? It was done under the lock, which it may still hold: take it
	 * to be sure. */
	wait_remove(wq, we);
}
