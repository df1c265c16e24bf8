/* SPDX-License-Identifier: MIT */
/* timerfd: relative, absolute, periodic, disarming, overruns, cancel on clock set, errors. */
#include "../tap.h"
#include <sys/timerfd.h>

#define MS 1000000L

static int
arm(int fd, int flags, long first_ms, long every_ms)
{
	struct itimerspec it = { { every_ms / 1000, every_ms % 1000 * MS },
				 { first_ms / 1000, first_ms % 1000 * MS } };

	return timerfd_settime(fd, flags, &it, NULL);
}

int
main(void)
{
	struct itimerspec it, old;
	struct timespec now;
	struct pollfd pf;
	uint64_t n = 0;
	long long t0;
	int fd, fr;
	pid_t pid;

	fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK), "flags");
	sys_err(read(fd, &n, 8), EAGAIN, "disarmed: EAGAIN");
	sys_ok(timerfd_gettime(fd, &it), "gettime");
	ok(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0, "disarmed: zero");
	t0 = now_ns(CLOCK_MONOTONIC);
	sys_ok(arm(fd, 0, 30, 0), "arm 30 ms");
	timerfd_gettime(fd, &it);
	ok(it.it_value.tv_sec == 0 && it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 30 * MS,
	   "the time left");
	sys_err(read(fd, &n, 8), EAGAIN, "before its time: EAGAIN");
	pf = (struct pollfd){ fd, POLLIN, 0 };
	is_int(poll(&pf, 1, 5000), 1, "poll wakes");
	ok(now_ns(CLOCK_MONOTONIC) - t0 >= 30 * MS, "not before its time");
	is_int(read(fd, &n, 8), 8, "read");
	is_int(n, 1, "one expiration");
	sys_err(read(fd, &n, 8), EAGAIN, "then none");
	is_int(poll(&pf, 1, 0), 0, "poll agrees");
	timerfd_gettime(fd, &it);
	ok(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0, "a one-shot is disarmed after");

	sys_ok(arm(fd, 0, 10, 10), "periodic, 10 ms");
	sleep_ms(105);
	is_int(read(fd, &n, 8), 8, "read");
	ok(n >= 10, "counts all expirations");
	timerfd_gettime(fd, &it);
	ok(it.it_interval.tv_nsec == 10 * MS && it.it_value.tv_nsec > 0, "goes on");
	memset(&it, 0, sizeof(it));
	sys_ok(timerfd_settime(fd, 0, &it, &old), "disarm");
	ok(old.it_interval.tv_nsec == 10 * MS && old.it_value.tv_nsec > 0 &&
		   old.it_value.tv_nsec <= 10 * MS,
	   "the old setting");
	sleep_ms(25);
	sys_err(read(fd, &n, 8), EAGAIN, "no more expirations, pending ones dropped");

	clock_gettime(CLOCK_MONOTONIC, &now);
	it = (struct itimerspec){ { 0, 0 }, now };
	it.it_value.tv_nsec += 20 * MS;
	if (it.it_value.tv_nsec >= 1000 * MS)
		it.it_value.tv_sec++, it.it_value.tv_nsec -= 1000 * MS;
	sys_ok(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL), "absolute");
	is_int(poll(&pf, 1, 5000), 1, "fires");
	ok(now_ns(CLOCK_MONOTONIC) >= it.it_value.tv_sec * 1000 * MS + it.it_value.tv_nsec,
	   "not before its time");
	must(read(fd, &n, 8));
	it.it_value = (struct timespec){ 0, 1 };
	it.it_interval = (struct timespec){ 1000, 0 };
	sys_ok(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL), "absolute in the past");
	is_int(poll(&pf, 1, 5000), 1, "fires at once");
	must(read(fd, &n, 8));
	ok(n >= 1, "at least once");
	fr = must(timerfd_create(CLOCK_REALTIME, 0));
	sys_ok(arm(fr, 0, 20, 0), "CLOCK_REALTIME, blocking");
	t0 = now_ms();
	is_int(read(fr, &n, 8), 8, "read waits");
	ok(n == 1 && now_ms() - t0 >= 19, "until it fires");
	must(timerfd_create(CLOCK_BOOTTIME, 0));
	ok(1, "CLOCK_BOOTTIME");
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += 100;
	it = (struct itimerspec){ { 0, 0 }, now };
	sys_ok(timerfd_settime(fr, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it, NULL),
	       "TFD_TIMER_CANCEL_ON_SET");
	must(arm(fr, 0, 30, 0));
	if ((pid = fork()) == 0)
		_exit(read(fr, &n, 8) == 8 && n == 1 ? 0 : 1);
	is_exit(pid, 0, "a child shares the timer");

	sys_err(timerfd_create(99, 0), EINVAL, "unknown clock");
	sys_err(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL, "unknown flag");
	sys_err(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL, "a CPU clock");
	it = (struct itimerspec){ { 0, 0 }, { 0, 1000 * MS } };
	sys_err(timerfd_settime(fd, 0, &it, NULL), EINVAL, "bad nanoseconds");
	it = (struct itimerspec){ { 0, 0 }, { -1, 0 } };
	sys_err(timerfd_settime(fd, 0, &it, NULL), EINVAL, "negative time");
	sys_err(timerfd_settime(fd, 8, &it, NULL), EINVAL, "unknown settime flag");
	sys_err(timerfd_settime(0, 0, &old, NULL), EINVAL, "not a timerfd");
	sys_err(timerfd_settime(999, 0, &old, NULL), EBADF, "bad descriptor");
	sys_err(timerfd_gettime(0, &it), EINVAL, "gettime of something else");
	sys_err(syscall(SYS_timerfd_settime, fd, 0, at(8), NULL), EFAULT, "bad pointer");
	sys_err(read(fd, &n, 4), EINVAL, "a short read");
	return done();
}
