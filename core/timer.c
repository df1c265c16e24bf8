/* SPDX-License-Identifier: MIT */
/*
 * High-resolution timers.
 *
 * Each CPU has a tree of timers by expiry; its event timer is set for the first. A timer belongs to
 * the CPU that started it last. Its callback runs on that CPU, in the timer interrupt, without the
 * base lock.
 *
 * Locking: base->lock. timer->cpu tells which base a queued timer is on; it changes only while the
 * timer is on none, under the lock of the new base, so whoever locked a base looks again whether it
 * is the one.
 */
#include "core/timer.h"

#include "arch/clock.h"
#include "arch/cpu.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/preempt.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "lib/atomic.h"

enum timer_state {
	TIMER_IDLE = 0,
	TIMER_QUEUED = 1, /* in the tree of base timer->cpu */
};

struct timer_base {
	struct spinlock lock;
	struct rb_root_cached tree;
	struct timer *running; /* whose callback is being run */
};

static DEFINE_PERCPU(struct timer_base, timer_base) = {
	.lock = SPINLOCK_INIT(RANK_TIMER_BASE),
};

static bool
timer_before(const struct rb_node *a, const struct rb_node *b)
{
	const struct timer *first = rb_entry(a, struct timer, node);
	const struct timer *second = rb_entry(b, struct timer, node);

	return first->expires < second->expires;
}

static struct timer *
base_first(const struct timer_base *base)
{
	struct rb_node *node = rb_first_cached(&base->tree);

	return node ? rb_entry(node, struct timer, node) : NULL;
}

void
timer_init(struct timer *t, void (*func)(struct timer *t))
{
	*t = (struct timer){ .func = func };
}

/* The base of a timer, locked. Interrupts are off. */
static struct timer_base *
base_lock(struct timer *t)
{
	for (;;) {
		u32 cpu = READ_ONCE(t->cpu);
		struct timer_base *base = percpu_ptr(timer_base, cpu);

		spin_lock(&base->lock);
		if (READ_ONCE(t->cpu) == cpu)
			return base;
		spin_unlock(&base->lock);
	}
}

static bool
timer_dequeue(struct timer_base *base, struct timer *t)
{
	if (t->state != TIMER_QUEUED)
		return false;
	rb_erase_cached(&t->node, &base->tree);
	t->state = TIMER_IDLE;
	return true;
}

/*
 * Two CPUs may start the same timer at once: each takes it off where it is, then names its own base
 * and looks again under that base's lock. While its callback runs it stays with that CPU, where
 * timer_cancel_sync looks for it; the loop there sees what was queued.
 */
void
timer_start(struct timer *t, u64 expires_mono_ns)
{
	unsigned long flags = arch_irq_save();
	struct timer_base *here = this_cpu_ptr(timer_base), *base;

	for (;;) {
		base = base_lock(t);
		timer_dequeue(base, t);
		if (base == here || base->running == t)
			break;
		WRITE_ONCE(t->cpu, cpu_id());
		spin_unlock(&base->lock);
	}
	t->expires = expires_mono_ns;
	t->state = TIMER_QUEUED;
	if (rb_add_cached(&t->node, &base->tree, timer_before) && !base->running)
		arch_timer_set(expires_mono_ns);
	spin_unlock_irqrestore(&base->lock, flags);
}

bool
timer_cancel(struct timer *t)
{
	unsigned long flags = arch_irq_save();
	struct timer_base *base = base_lock(t);
	bool queued = timer_dequeue(base, t);

	/* The event timer stays set: one interrupt too many is cheaper than setting it again. */
	spin_unlock_irqrestore(&base->lock, flags);
	return queued;
}

bool
timer_cancel_sync(struct timer *t)
{
	bool queued = false;

	for (;;) {
		unsigned long flags = arch_irq_save();
		struct timer_base *base = base_lock(t);
		bool running;

		queued |= timer_dequeue(base, t);
		running = base->running == t;
		spin_unlock_irqrestore(&base->lock, flags);
		if (!running)
			return queued;
		arch_cpu_relax();
	}
}

bool
timer_pending(const struct timer *t)
{
	return READ_ONCE(t->state) == TIMER_QUEUED;
}

void
timer_interrupt(void)
{
	struct timer_base *base = this_cpu_ptr(timer_base);
	struct timer *t;
	u64 now;

	log_wake_deferred();
	spin_lock(&base->lock);
	now = time_mono_ns();
	while ((t = base_first(base)) && t->expires <= now) {
		timer_dequeue(base, t);
		base->running = t;
		spin_unlock(&base->lock);
		t->func(t);
		spin_lock(&base->lock);
		base->running = NULL;
		if (!(t = base_first(base)) || t->expires > now)
			now = time_mono_ns();
	}
	if (t)
		arch_timer_set(t->expires);
	spin_unlock(&base->lock);
}

u64
timer_next_expiry(void)
{
	struct timer_base *base;
	const struct timer *t;
	unsigned long flags;
	u64 expires;

	flags = arch_irq_save();
	base = this_cpu_ptr(timer_base);
	spin_lock(&base->lock);
	t = base_first(base);
	expires = t ? t->expires : TIME_NEVER;
	spin_unlock_irqrestore(&base->lock, flags);
	return expires;
}
