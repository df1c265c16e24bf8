/* SPDX-License-Identifier: MIT */
/*
 * Work queues: functions that some kernel thread shall run soon.
 *
 * One pool of workers serves everybody. A worker that takes an item and leaves no idle worker
 * behind starts another one first, so an item that sleeps never delays those after it, up to
 * WORKERS_MAX sleeping at once. Spare workers leave after a while.
 *
 * An item never runs on two workers at a time: if it is queued again while it runs, the worker that
 * runs it runs it again. func may free the item; nothing looks into it afterwards.
 *
 * Locking: pool_lock guards the lists, the state of items and what each worker does;
 * interrupt-safe.
 */
#include "sched/work.h"

#include "sched_internal.h"

#include "core/log.h"
#include "core/panic.h"
#include "sched/wait.h"

#define WORKERS_MAX   64
#define WORKERS_SPARE 4
#define SPARE_NS      (30 * NSEC_PER_SEC)

#define WORK_QUEUED 1u

struct worker {
	struct list node;     /* in workers */
	struct work *current; /* compared only: it may be freed */
	struct list again;    /* items queued while we run them */
};

static struct spinlock pool_lock = SPINLOCK_INIT(RANK_WORK);
static LIST_HEAD(items);
static LIST_HEAD(workers);
static u32 worker_count, idle_count, flusher_count;
static bool pool_ready;
static struct wait_queue more_items = WAIT_QUEUE_INIT(more_items);
static struct wait_queue item_done = WAIT_QUEUE_INIT(item_done);

static struct worker *
worker_running(const struct work *w)
{
	struct worker *worker;

	list_for_each_entry(worker, &workers, node) if (worker->current == w) return worker;
	return NULL;
}

/* The next item for this worker, or NULL. */
static struct work *
worker_take(struct worker *self, bool *last_idle)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	struct work *w;

	while ((w = list_first_entry_or_null(&items, struct work, node))) {
		struct worker *other = worker_running(w);

		if (!other)
			break;
		list_move_tail(&w->node, &other->again);
	}
	if (w) {
		list_del_init(&w->node);
		w->state &= ~WORK_QUEUED;
		self->current = w;
		idle_count--;
		*last_idle = idle_count == 0 && worker_count < WORKERS_MAX;
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	return w;
}

static void
worker_done(struct worker *self)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	bool wake;

	self->current = NULL;
	idle_count++;
	list_splice_init(&self->again, &items);
	wake = flusher_count;
	spin_unlock_irqrestore(&pool_lock, flags);
	if (wake)
		wake_up_all(&item_done);
}

/* True if this worker is to end: it has been idle for long and enough others are. */
static bool
worker_surplus(struct worker *self)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	bool surplus = idle_count > WORKERS_SPARE && list_empty(&items);

	if (surplus) {
		list_del(&self->node);
		idle_count--;
		worker_count--;
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	return surplus;
}

static void worker_main(void *arg);

static bool
worker_start(void)
{
	unsigned long flags;
	struct thread *t;
	static struct atomic32 serial;

	t = thread_create(worker_main, NULL, "worker/%d", atomic_fetch_add(&serial, 1));
	if (!t)
		return false;
	flags = spin_lock_irqsave(&pool_lock);
	worker_count++;
	idle_count++;
	spin_unlock_irqrestore(&pool_lock, flags);
	thread_wake(t);
	return true;
}

static void
worker_main(void *arg)
{
	struct worker self = { .again = LIST_INIT(self.again) };
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	list_add_tail(&self.node, &workers);
	spin_unlock_irqrestore(&pool_lock, flags);
	for (;;) {
		bool last_idle = false;
		struct work *w = worker_take(&self, &last_idle);

		if (w) {
			if (last_idle)
				(void)worker_start(); /* without memory the items wait for us */
			w->func(w);
			DEBUG_ASSERT(!in_atomic());
			worker_done(&self);
			continue;
		}
		/* INTERRUPTIBLE: no signal comes, and it is no load. */
		if (WAIT_EVENT_(&more_items, !list_empty(&items), THREAD_INTERRUPTIBLE,
				time_mono_ns() + SPARE_NS, WAIT_EXCLUSIVE) == -ETIMEDOUT &&
		    worker_surplus(&self))
			return;
	}
}

void
work_init(struct work *w, void (*func)(struct work *w))
{
	list_init(&w->node);
	w->func = func;
	w->state = 0;
}

bool
work_queue(struct work *w)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	bool queued = !(w->state & WORK_QUEUED);

	if (queued) {
		w->state |= WORK_QUEUED;
		list_add_tail(&w->node, &items);
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	if (queued)
		wake_up(&more_items);
	return queued;
}

static bool
work_busy(struct work *w)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);
	bool busy = (w->state & WORK_QUEUED) || worker_running(w);

	spin_unlock_irqrestore(&pool_lock, flags);
	return busy;
}

void
work_flush(struct work *w)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	flusher_count++;
	spin_unlock_irqrestore(&pool_lock, flags);
	wait_event(&item_done, !work_busy(w));
	flags = spin_lock_irqsave(&pool_lock);
	flusher_count--;
	spin_unlock_irqrestore(&pool_lock, flags);
}

static void
work_unqueue(struct work *w)
{
	unsigned long flags = spin_lock_irqsave(&pool_lock);

	if (w->state & WORK_QUEUED) {
		list_del_init(&w->node);
		w->state &= ~WORK_QUEUED;
	}
	spin_unlock_irqrestore(&pool_lock, flags);
}

void
work_cancel_sync(struct work *w)
{
	do {
		work_unqueue(w);
		work_flush(w);
	} while (work_busy(w)); /* it queued itself again */
}

static void
delayed_work_due(struct timer *timer)
{
	work_queue(&container_of(timer, struct delayed_work, timer)->work);
}

void
delayed_work_init(struct delayed_work *dw, void (*func)(struct work *w))
{
	work_init(&dw->work, func);
	timer_init(&dw->timer, delayed_work_due);
}

bool
delayed_work_queue(struct delayed_work *dw, u64 delay_ns)
{
	if (timer_pending(&dw->timer))
		return false;
	timer_start(&dw->timer, time_mono_ns() + delay_ns);
	return true;
}

void
delayed_work_cancel_sync(struct delayed_work *dw)
{
	do {
		timer_cancel_sync(&dw->timer);
		work_cancel_sync(&dw->work);
	} while (timer_pending(&dw->timer)); /* the function armed it again */
}

void
work_system_init(void)
{
	ASSERT(!pool_ready);
	pool_ready = true;
	rcu_threads_start();
	if (!worker_start() || !worker_start())
		panic("no memory for the first kernel threads");
	wake_up(&more_items);
}
