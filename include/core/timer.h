/* SPDX-License-Identifier: MIT */
/*
 * High-resolution timers: one tree per CPU keyed by expiry on CLOCK_MONOTONIC, the CPU's event
 * timer is programmed for the earliest. Callbacks run in interrupt context with interrupts off.
 * Tickless: a CPU has a scheduling tick only while it needs one (sched owns that timer).
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "lib/rbtree.h"
#include "lib/types.h"

struct timer {
	struct rb_node node;
	u64 expires; /* monotonic ns */
	void (*func)(struct timer *t);
	u32 cpu;  /* whose tree; valid while queued */
	u8 state; /* core/timer.c */
};

void timer_init(struct timer *t, void (*func)(struct timer *t));
/* Arm or re-arm, on this CPU. Callable from the callback itself and from any context. */
void timer_start(struct timer *t, u64 expires_mono_ns);
/* True if it was queued and now is not. The callback may still be running on another CPU. */
bool timer_cancel(struct timer *t);
/* As timer_cancel, and waits for a running callback. Never from the callback or under a lock that
 * it takes. */
bool timer_cancel_sync(struct timer *t);
bool timer_pending(const struct timer *t);

/* From arch's timer interrupt. */
void timer_interrupt(void);
/* Earliest expiry on this CPU or TIME_NEVER. */
u64 timer_next_expiry(void);

#endif
