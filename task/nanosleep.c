/* SPDX-License-Identifier: MIT */
/*
 * nanosleep(2), clock_nanosleep(2).
 *
 * A relative sleep on CLOCK_REALTIME is one on CLOCK_MONOTONIC, for setting the clock must not
 * change it. A signal leaves the remaining time with the caller, and the end of the sleep in the
 * restart block, so that stopping and continuing a process does not make it sleep longer.
 */
#include "arch/cpu.h"
#include "generated/syscalls.h"
#include "mm/user.h"
#include "sched/wait.h"
#include "task/clock.h"
#include "task/cpu_timer.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/time.h"

static long sleep_restart(struct restart_block *rb);

static long
sleep_relative(int clock, u64 deadline, user_ptr remain)
{
	struct restart_block *rb = &current->restart;
	u64 now;

	if (!clock_sleep_until(clock, deadline))
		return 0;
	if (clock_read(clock, &now))
		return -EINVAL;
	if (now >= deadline)
		return 0;
	if (!user_ptr_null(remain) && timespec_write_user(remain, deadline - now))
		return -EFAULT;
	rb->func = sleep_restart;
	rb->args[0] = (u64)clock;
	rb->args[1] = deadline;
	rb->args[2] = remain.addr;
	return -ERESTART_RESTARTBLOCK;
}

static long
sleep_restart(struct restart_block *rb)
{
	return sleep_relative((int)rb->args[0], rb->args[1], user_ptr_of(rb->args[2]));
}

long
sys_nanosleep(user_ptr request, user_ptr remain)
{
	u64 ns;
	int r = timespec_read_user(request, &ns);

	return r ? r : sleep_relative(CLOCK_MONOTONIC, time_mono_ns() + ns, remain);
}

/* ---- on CPU-time clocks ---- */

struct cpu_sleep {
	struct cpu_timer timer;
	struct thread *thread;
	bool fired;
};

static void
cpu_sleep_fired(struct cpu_timer *t)
{
	struct cpu_sleep *cs = container_of(t, struct cpu_sleep, timer);
	struct thread *thread =
		cs->thread; /* cs lies on its stack and may go with the next store */

	smp_store_release(&cs->fired, true);
	thread_wake(thread);
}

static long cpu_sleep_restart(struct restart_block *rb);

static long
cpu_sleep(int clock, u64 deadline, bool absolute, user_ptr remain)
{
	struct restart_block *rb = &current->restart;
	struct cpu_sleep cs = { .timer.func = cpu_sleep_fired, .thread = thread_current() };
	struct cpu_clock c;
	u64 now;
	int r = cpu_clock_find(clock, &c);

	if (r)
		return r;
	cpu_timer_arm(&cs.timer, &c, deadline);
	for (;;) {
		thread_set_state(THREAD_INTERRUPTIBLE);
		if (smp_load_acquire(&cs.fired))
			break;
		if (thread_signal_pending(cs.thread))
			break;
		schedule();
	}
	thread_set_state(THREAD_RUNNABLE);
	/* Not on its set any more: the tick that took it off has written here, or is about to. */
	if (!cpu_timer_cancel(&cs.timer, c.task->process))
		while (!smp_load_acquire(&cs.fired))
			arch_cpu_relax();
	now = cpu_clock_read(&c);
	cpu_clock_put(&c);
	if (cs.fired || now >= deadline)
		return 0;
	if (absolute)
		return -ERESTARTNOHAND;
	if (!user_ptr_null(remain) && timespec_write_user(remain, deadline - now))
		return -EFAULT;
	rb->func = cpu_sleep_restart;
	rb->args[0] = (u64)clock;
	rb->args[1] = deadline;
	rb->args[2] = remain.addr;
	return -ERESTART_RESTARTBLOCK;
}

static long
cpu_sleep_restart(struct restart_block *rb)
{
	return cpu_sleep((int)rb->args[0], rb->args[1], false, user_ptr_of(rb->args[2]));
}

static long
cpu_nanosleep(int clock, bool absolute, u64 ns, user_ptr remain)
{
	struct cpu_clock c;
	int r = cpu_clock_find(clock, &c);
	bool own;

	if (r)
		return r;
	/* A thread that waits for its own CPU time would wait for ever. */
	own = c.thread && c.task == current;
	if (!absolute)
		ns += cpu_clock_read(&c);
	cpu_clock_put(&c);
	return own ? -EINVAL : cpu_sleep(clock, ns, absolute, remain);
}

long
sys_clock_nanosleep(int clock, int flags, user_ptr request, user_ptr remain)
{
	bool absolute = flags & TIMER_ABSTIME;
	u64 ns, now;
	int r;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
	case CLOCK_PROCESS_CPUTIME_ID: break;
	case CLOCK_THREAD_CPUTIME_ID:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM: return -EOPNOTSUPP;
	default:
		if (clock >= 0)
			return -EINVAL;
	}
	r = timespec_read_user(request, &ns);
	if (r)
		return r;
	if (cpu_clock_is(clock))
		return cpu_nanosleep(clock, absolute, ns, remain);
	if (absolute)
		return clock_sleep_until(clock, ns) ? -ERESTARTNOHAND : 0;
	if (clock == CLOCK_REALTIME)
		clock = CLOCK_MONOTONIC;
	r = clock_read(clock, &now);
	return r ? r : sleep_relative(clock, MIN(now + ns, (u64)INT64_MAX), remain);
}
