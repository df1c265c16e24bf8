/* SPDX-License-Identifier: MIT */
/*
 * Interval timers and alarm: setitimer(2), getitimer(2), alarm(2).
 *
 * ITIMER_REAL is a core timer of the process. ITIMER_VIRTUAL and ITIMER_PROF are values on the
 * process's CPU-time clocks, looked at by the tick (cpu_timer.c). A very short period of
 * ITIMER_REAL is served no more often than PERIOD_MIN_NS: the signal would coalesce anyway, and
 * interrupts must leave time to run.
 *
 * Locking: sighand->lock. itimer_value is absolute on its clock, 0: not armed.
 */
#include "core/time.h"
#include "generated/syscalls.h"
#include "mm/user.h"
#include "task/clock.h"
#include "task/cpu_timer.h"
#include "task/signal.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/time.h"

#define PERIOD_MIN_NS (100 * NSEC_PER_USEC)
#define TICK_LEFT_NS \
	(4 * NSEC_PER_MSEC) /* what is told of a CPU timer that is due but not yet noticed */

struct itimer_setting {
	u64 value, interval; /* ns; value relative */
};

static void
itimer_real_fired(struct timer *timer)
{
	struct process *p = container_of(timer, struct process, itimer_real);
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 *value = &p->itimer_value[ITIMER_REAL], interval = p->itimer_interval[ITIMER_REAL];
	u64 now = time_mono_ns(), earliest = interval < PERIOD_MIN_NS ? now + PERIOD_MIN_NS : now;
	bool fire = *value && *value <= now;

	if (fire && interval) {
		*value += ((earliest - *value) / interval + 1) * interval;
		timer_start(timer, *value);
	} else if (fire) {
		*value = 0;
	}
	sighand_unlock(sh, flags);
	if (fire)
		signal_send_process(p, SIGALRM, NULL);
}

/* The clock of each. */
static u64
itimer_now(struct process *p, int which)
{
	if (which == ITIMER_REAL)
		return time_mono_ns();
	return cpu_clock_process_locked(p, which == ITIMER_PROF ? CPU_CLOCK_PROF : CPU_CLOCK_VIRT);
}

static struct itimer_setting
itimer_get_locked(struct process *p, int which, u64 now)
{
	u64 value = p->itimer_value[which];

	return (struct itimer_setting){
		.value = !value			? 0
			 : value > now		? value - now
			 : which == ITIMER_REAL ? NSEC_PER_USEC
						: TICK_LEFT_NS,
		.interval = p->itimer_interval[which],
	};
}

/* Returns the former setting. */
static struct itimer_setting
itimer_set(int which, struct itimer_setting new)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 now = itimer_now(p, which);
	struct itimer_setting old = itimer_get_locked(p, which, now);

	p->itimer_value[which] = new.value ? MIN(now + new.value, (u64)INT64_MAX) : 0;
	p->itimer_interval[which] = new.value || which != ITIMER_REAL ? new.interval : 0;
	if (which != ITIMER_REAL) {
		cpu_timers_changed(p);
	} else {
		if (!p->itimer_real.func)
			timer_init(&p->itimer_real, itimer_real_fired);
		if (new.value)
			timer_start(&p->itimer_real, p->itimer_value[which]);
		else
			timer_cancel(&p->itimer_real);
	}
	sighand_unlock(sh, flags);
	return old;
}

static struct linux_itimerval
itimerval_of(struct itimer_setting s)
{
	return (struct linux_itimerval){ timeval_of_ns(s.interval), timeval_of_ns(s.value) };
}

long
sys_getitimer(int which, user_ptr value)
{
	struct process *p = current->process;
	struct linux_itimerval itv;
	struct sighand *sh;
	unsigned long flags;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	sh = sighand_lock(p, &flags);
	itv = itimerval_of(itimer_get_locked(p, which, itimer_now(p, which)));
	sighand_unlock(sh, flags);
	return copy_to_user(value, &itv, sizeof(itv));
}

long
sys_setitimer(int which, user_ptr value, user_ptr old)
{
	struct itimer_setting new = { 0 };
	struct linux_itimerval itv;

	/* A null pointer stops the timer; Linux has always let it pass. */
	if (!user_ptr_null(value)) {
		if (copy_from_user(&itv, value, sizeof(itv)))
			return -EFAULT;
		if (timeval_to_ns(&itv.it_value, &new.value) ||
		    timeval_to_ns(&itv.it_interval, &new.interval))
			return -EINVAL;
	}
	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	itv = itimerval_of(itimer_set(which, new));
	return user_ptr_null(old) ? 0 : copy_to_user(old, &itv, sizeof(itv));
}

long
sys_alarm(unsigned int seconds)
{
	struct itimer_setting new = { .value = seconds * NSEC_PER_SEC };
	u64 left = itimer_set(ITIMER_REAL, new).value;

	/* Rounded to the nearest second, but never to "there was none". */
	return left && left < NSEC_PER_SEC ? 1 : (long)((left + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
}

void
itimers_exit(struct process *p)
{
	if (p->itimer_real.func)
		timer_cancel_sync(&p->itimer_real);
}
