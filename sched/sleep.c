/* SPDX-License-Identifier: MIT */
/* Sleeping with a deadline: a timer on the sleeper's stack that wakes it. */
#include "sched_internal.h"

#include "core/panic.h"
#include "sched/wait.h"

struct sleep_timer {
	struct timer timer;
	struct thread *thread;
	bool fired;
};

static void
sleep_timer_fired(struct timer *timer)
{
	struct sleep_timer *st = container_of(timer, struct sleep_timer, timer);

	WRITE_ONCE(st->fired, true);
	thread_wake(st->thread);
}

int
schedule_until(u64 deadline_ns)
{
	struct sleep_timer st;

	if (deadline_ns == TIME_NEVER) {
		schedule();
		return 1;
	}
	if (deadline_ns <= time_mono_ns()) {
		WRITE_ONCE(thread_current()->state, THREAD_RUNNABLE);
		return 0;
	}
	timer_init(&st.timer, sleep_timer_fired);
	st.thread = thread_current();
	st.fired = false;
	timer_start(&st.timer, deadline_ns);
	schedule();
	timer_cancel_sync(&st.timer);
	return !st.fired;
}

void
sleep_ns(u64 ns)
{
	u64 deadline = time_mono_ns() + ns;

	do {
		thread_set_state(THREAD_UNINTERRUPTIBLE);
	} while (schedule_until(deadline));
}
