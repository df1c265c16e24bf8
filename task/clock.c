/* SPDX-License-Identifier: MIT */
/*
 * Clocks: clock_gettime(2) and its family, gettimeofday(2), adjtimex(2).
 *
 * Every clock of the machine is CLOCK_MONOTONIC plus an offset, so reading, waiting and timers need
 * no more than clock_offset_ns. CPU-time clocks are in cpu_timer.c.
 *
 * adjtimex can set the time (ADJ_SETOFFSET), the TAI offset and the values that it only keeps for
 * others (status, error estimates, time constant). It cannot change the speed of the clock:
 * EOPNOTSUPP.
 */
#include "task/clock.h"

#include "core/time.h"
#include "generated/syscalls.h"
#include "lib/math.h"
#include "mm/user.h"
#include "sched/wait.h"
#include "task/cpu_timer.h"
#include "task/cred.h"
#include "task/signal.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/time.h"

#define TICK_RESOLUTION_NS   4000000ull
#define TIMEZONE_MINUTES_MAX (15 * 60)

static struct linux_timezone system_timezone;
static s32 tai_offset; /* seconds; written by adjtimex */
static struct wait_queue step_sleepers = WAIT_QUEUE_INIT(step_sleepers);

/* ---- time values ---- */

int
timespec_to_ns(const struct linux_timespec *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	*ns = add_u64_sat(mul_u64_sat((u64)ts->tv_sec, NSEC_PER_SEC), (u64)ts->tv_nsec);
	*ns = MIN(*ns, (u64)INT64_MAX);
	return 0;
}

struct linux_timespec
timespec_of_ns(u64 ns)
{
	return (struct linux_timespec){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };
}

int
timeval_to_ns(const struct linux_timeval *tv, u64 *ns)
{
	struct linux_timespec ts = { tv->tv_sec, 0 };

	if (tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EINVAL;
	ts.tv_nsec = tv->tv_usec * 1000;
	return timespec_to_ns(&ts, ns);
}

struct linux_timeval
timeval_of_ns(u64 ns)
{
	return (struct linux_timeval){ (s64)(ns / NSEC_PER_SEC),
				       (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

int
timespec_read_user(user_ptr from, u64 *ns)
{
	struct linux_timespec ts;

	if (copy_from_user(&ts, from, sizeof(ts)))
		return -EFAULT;
	return timespec_to_ns(&ts, ns);
}

int
timespec_write_user(user_ptr to, u64 ns)
{
	struct linux_timespec ts = timespec_of_ns(ns);

	return copy_to_user(to, &ts, sizeof(ts));
}

/* ---- clocks ---- */

int
clock_read(int clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME: *ns = time_real_ns(); return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW: *ns = time_mono_ns(); return 0;
	case CLOCK_REALTIME_COARSE: *ns = time_coarse_real_ns(); return 0;
	case CLOCK_MONOTONIC_COARSE: *ns = time_coarse_mono_ns(); return 0;
	case CLOCK_BOOTTIME: *ns = time_boot_ns(); return 0;
	case CLOCK_TAI:
		*ns = time_real_ns() + (u64)((s64)READ_ONCE(tai_offset) * (s64)NSEC_PER_SEC);
		return 0;
	}
	/* The alarm clocks need a battery clock that can wake a sleeping machine: there is none. */
	return -EINVAL;
}

s64
clock_offset_ns(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME: return time_real_offset_ns();
	case CLOCK_TAI:
		return time_real_offset_ns() + (s64)READ_ONCE(tai_offset) * (s64)NSEC_PER_SEC;
	}
	return 0; /* BOOTTIME too: the machine does not suspend */
}

u64
clock_to_mono(int clock, u64 ns)
{
	s64 mono;

	if (__builtin_sub_overflow((s64)MIN(ns, (u64)INT64_MAX), clock_offset_ns(clock), &mono))
		return TIME_NEVER;
	return mono > 0 ? (u64)mono : 0;
}

static void
clock_stepped(void)
{
	wake_up_all(&step_sleepers);
}

int
clock_sleep_until(int clock, u64 ns)
{
	bool steps = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
	struct wait_entry we;
	int r = 0;

	wait_entry_init(&we, 0);
	for (;;) {
		if (steps)
			(void)wait_prepare(&step_sleepers, &we, THREAD_INTERRUPTIBLE);
		else
			thread_set_state(THREAD_INTERRUPTIBLE);
		if (thread_signal_pending(thread_current())) {
			r = -EINTR;
			break;
		}
		if (!schedule_until(clock_to_mono(clock, ns))) {
			/* The clock may have been set back just now. */
			if (clock_to_mono(clock, ns) <= time_mono_ns())
				break;
		}
	}
	thread_set_state(THREAD_RUNNABLE);
	if (steps)
		wait_finish(&step_sleepers, &we);
	return r;
}

/* Any clock of clock_gettime. */
static int
clock_read_any(int clock, u64 *ns)
{
	struct cpu_clock c;
	int r;

	if (!cpu_clock_is(clock))
		return clock_read(clock, ns);
	r = cpu_clock_find(clock, &c);
	if (r)
		return r;
	*ns = cpu_clock_read(&c);
	cpu_clock_put(&c);
	return 0;
}

long
sys_clock_gettime(int clock, user_ptr time)
{
	u64 ns;
	int r = clock_read_any(clock, &ns);

	return r ? r : timespec_write_user(time, ns);
}

long
sys_clock_getres(int clock, user_ptr resolution)
{
	u64 ns;
	int r = clock_read_any(clock, &ns);

	if (r)
		return r;
	ns = 1;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ||
	    (clock < 0 && (clock & CPUCLOCK_CLOCK_MASK) != CPUCLOCK_SCHED))
		ns = TICK_RESOLUTION_NS;
	return user_ptr_null(resolution) ? 0 : timespec_write_user(resolution, ns);
}

/* ---- setting ---- */

static int
realtime_set(s64 sec, s64 nsec)
{
	struct linux_timespec ts = { sec, nsec };
	u64 ns;

	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	/* The machine was not booted before 1970, and its clocks end in 2262. */
	if (ns < time_mono_ns() || ns >= (u64)INT64_MAX)
		return -EINVAL;
	time_set_real_ns(ns);
	return 0;
}

long
sys_clock_settime(int clock, user_ptr time)
{
	struct linux_timespec ts;
	struct cpu_clock c;
	int r;

	if (cpu_clock_is(clock)) {
		r = cpu_clock_find(clock, &c);
		if (r)
			return r;
		cpu_clock_put(&c);
		return -EPERM;
	}
	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	if (copy_from_user(&ts, time, sizeof(ts)))
		return -EFAULT;
	return realtime_set(ts.tv_sec, ts.tv_nsec);
}

long
sys_settimeofday(user_ptr time, user_ptr zone)
{
	struct linux_timeval tv;
	struct linux_timezone tz;

	if (!user_ptr_null(time)) {
		if (copy_from_user(&tv, time, sizeof(tv)))
			return -EFAULT;
		if (tv.tv_usec < 0 || tv.tv_usec > 1000000)
			return -EINVAL;
		if (tv.tv_usec == 1000000)
			return -EINVAL; /* the next check is of nanoseconds */
	}
	if (!user_ptr_null(zone) && copy_from_user(&tz, zone, sizeof(tz)))
		return -EFAULT;
	if (!user_ptr_null(time) && tv.tv_sec < 0)
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (!user_ptr_null(zone)) {
		if (tz.tz_minuteswest > TIMEZONE_MINUTES_MAX ||
		    tz.tz_minuteswest < -TIMEZONE_MINUTES_MAX)
			return -EINVAL;
		system_timezone = tz;
	}
	return user_ptr_null(time) ? 0 : realtime_set(tv.tv_sec, tv.tv_usec * 1000);
}

long
sys_gettimeofday(user_ptr time, user_ptr zone)
{
	struct linux_timeval tv = timeval_of_ns(time_real_ns());

	if (!user_ptr_null(time) && copy_to_user(time, &tv, sizeof(tv)))
		return -EFAULT;
	if (!user_ptr_null(zone) && copy_to_user(zone, &system_timezone, sizeof(system_timezone)))
		return -EFAULT;
	return 0;
}

long
sys_time(user_ptr time)
{
	s64 now = (s64)(time_real_ns() / NSEC_PER_SEC);

	if (!user_ptr_null(time) && put_user(time, now))
		return -EFAULT;
	return now;
}

/* ---- adjtimex ---- */

#define ADJ_KEPT                                                                              \
	(ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS | ADJ_TIMECONST | ADJ_TAI | ADJ_SETOFFSET | \
	 ADJ_MICRO | ADJ_NANO)

/* What user space keeps here for others to read. */
static struct {
	struct spinlock lock;
	s32 status;
	s64 maxerror, esterror, constant;
} discipline = {
	.lock = SPINLOCK_INIT(RANK_LEAF),
	.status = STA_UNSYNC,
	.maxerror = 16000000,
	.esterror = 16000000,
	.constant = 2,
};

#define STA_READ_ONLY                                                                             \
	(STA_PPSSIGNAL | STA_PPSJITTER | STA_PPSWANDER | STA_PPSERROR | STA_CLOCKERR | STA_NANO | \
	 STA_MODE | STA_CLK)

static int
discipline_step(const struct linux_timex *tx)
{
	s64 fraction = tx->modes & ADJ_NANO ? tx->time.tv_usec : tx->time.tv_usec * 1000;
	s64 limit = tx->modes & ADJ_NANO ? (s64)NSEC_PER_SEC : 1000000;
	s64 now = (s64)time_real_ns(), delta, then;

	if (tx->time.tv_usec < 0 || tx->time.tv_usec >= limit)
		return -EINVAL;
	if (__builtin_mul_overflow(tx->time.tv_sec, (s64)NSEC_PER_SEC, &delta) ||
	    __builtin_add_overflow(delta, fraction, &delta) ||
	    __builtin_add_overflow(now, delta, &then) || then < (s64)time_mono_ns())
		return -EINVAL;
	time_set_real_ns((u64)then);
	return 0;
}

static void
discipline_change(const struct linux_timex *tx)
{
	if (tx->modes & ADJ_STATUS)
		discipline.status = (discipline.status & STA_READ_ONLY) |
				    (tx->status & ~STA_READ_ONLY);
	if (tx->modes & ADJ_NANO)
		discipline.status |= STA_NANO;
	if (tx->modes & ADJ_MICRO)
		discipline.status &= ~STA_NANO;
	if (tx->modes & ADJ_MAXERROR)
		discipline.maxerror = tx->maxerror;
	if (tx->modes & ADJ_ESTERROR)
		discipline.esterror = tx->esterror;
	if (tx->modes & ADJ_TIMECONST)
		discipline.constant = CLAMP(tx->constant, (s64)0, (s64)10);
	if ((tx->modes & ADJ_TAI) && tx->constant >= 0 && tx->constant <= 100000)
		WRITE_ONCE(tai_offset, (s32)tx->constant);
}

static void
discipline_report(struct linux_timex *tx)
{
	u64 now = time_real_ns();

	tx->offset = 0;
	tx->freq = 0;
	tx->maxerror = discipline.maxerror;
	tx->esterror = discipline.esterror;
	tx->status = discipline.status;
	tx->constant = discipline.constant;
	tx->precision = 1;
	tx->tolerance = 32768000;
	tx->tick = 10000;
	tx->ppsfreq = tx->jitter = tx->stabil = tx->jitcnt = tx->calcnt = tx->errcnt = tx->stbcnt =
		0;
	tx->shift = 0;
	tx->tai = READ_ONCE(tai_offset);
	tx->time.tv_sec = (s64)(now / NSEC_PER_SEC);
	tx->time.tv_usec = (s64)(now % NSEC_PER_SEC);
	if (!(discipline.status & STA_NANO))
		tx->time.tv_usec /= 1000;
}

long
sys_adjtimex(user_ptr tx)
{
	struct linux_timex t;
	unsigned long flags;
	bool synchronised;

	if (copy_from_user(&t, tx, sizeof(t)))
		return -EFAULT;
	if (t.modes == ADJ_OFFSET_SS_READ)
		t.modes = 0;
	if (t.modes && !capable(CAP_SYS_TIME))
		return -EPERM;
	if (t.modes & ~ADJ_KEPT)
		return -EOPNOTSUPP;
	if (t.modes & ADJ_SETOFFSET) {
		int r = discipline_step(&t);

		if (r)
			return r;
	}
	flags = spin_lock_irqsave(&discipline.lock);
	discipline_change(&t);
	discipline_report(&t);
	synchronised = !(discipline.status & (STA_UNSYNC | STA_CLOCKERR));
	spin_unlock_irqrestore(&discipline.lock, flags);
	if (copy_to_user(tx, &t, sizeof(t)))
		return -EFAULT;
	return synchronised ? TIME_OK : TIME_ERROR;
}

long
sys_clock_adjtime(int clock, user_ptr tx)
{
	u64 ns;

	if (clock == CLOCK_REALTIME)
		return sys_adjtimex(tx);
	return clock_read_any(clock, &ns) ? -EINVAL : -EOPNOTSUPP;
}

void
clock_init(void)
{
	static struct time_step_hook hook = { .stepped = clock_stepped };

	time_add_step_hook(&hook);
}
