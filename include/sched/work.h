/* SPDX-License-Identifier: MIT */
/* Work queues: run a function in a kernel thread, now or later. Functions may sleep. A work item is
 * queued at most once at a time. */
#ifndef SCHED_WORK_H
#define SCHED_WORK_H

#include "core/timer.h"
#include "lib/list.h"

struct work {
	struct list node;
	void (*func)(struct work *w);
	u32 state;
};

struct delayed_work {
	struct work work;
	struct timer timer;
};

void work_init(struct work *w, void (*func)(struct work *w));
bool work_queue(struct work *w);       /* any context; false if already queued */
void work_cancel_sync(struct work *w); /* sleeps */
void work_flush(struct work *w);       /* wait until a queued or running item is done */
void delayed_work_init(struct delayed_work *dw, void (*func)(struct work *w));
bool delayed_work_queue(struct delayed_work *dw, u64 delay_ns);
void delayed_work_cancel_sync(struct delayed_work *dw);
void
work_system_init(void); /* starts the pool of worker threads, and those that run RCU callbacks */

#endif
