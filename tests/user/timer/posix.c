/* SPDX-License-Identifier: MIT */
/* POSIX timers: clocks, notification, intervals, overrun, absolute time, CPU clocks, errors. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

#define MS 1000000L

static volatile int count, sig_tid, value, overrun, code;

static void
on(int s, siginfo_t *si, void *uc)
{
	(void)s, (void)uc;
	sig_tid = kt_gettid();
	value = si->si_value.sival_int;
	overrun += si->si_overrun;
	code = si->si_code;
	count++;
}

static timer_t
make(clockid_t c, int notify, int sig, int tid)
{
	struct sigevent ev = { .sigev_notify = notify, .sigev_signo = sig };
	timer_t t = 0;

	ev.sigev_value.sival_int = 4711;
	if (notify == SIGEV_THREAD_ID)
		ev.sigev_notify_thread_id = tid;
	must(timer_create(c, &ev, &t));
	return t;
}

static int
arm(timer_t t, int flags, long first_ms, long every_ms)
{
	struct itimerspec it = { { every_ms / 1000, every_ms % 1000 * MS },
				 { first_ms / 1000, first_ms % 1000 * MS } };

	return timer_settime(t, flags, &it, NULL);
}

static void
wait_count(int n)
{
	for (int i = 0; i < 2500 && count < n; i++)
		sleep_ms(2);
}

static volatile int thread_tid, quit;

static void *
thread(void *arg)
{
	thread_tid = kt_gettid();
	while (!quit)
		usleep(1000);
	return arg;
}

static long
raw_create(clockid_t c, void *ev, void *id)
{
	return syscall(SYS_timer_create, c, ev, id);
}

int
main(void)
{
	struct itimerspec it, old;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 };
	struct timespec now;
	pthread_t th;
	long long t0;
	timer_t t;
	int id;
	pid_t pid;

	handle_info(SIGRTMIN + 2, on, 0);
	handle_info(SIGALRM, on, 0);
	t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 2, 0);
	sys_ok(timer_gettime(t, &it), "gettime");
	ok(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0, "disarmed");
	t0 = now_ns(CLOCK_MONOTONIC);
	sys_ok(arm(t, 0, 30, 0), "arm 30 ms");
	timer_gettime(t, &it);
	ok(it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 30 * MS, "the time left");
	wait_count(1);
	ok(now_ns(CLOCK_MONOTONIC) - t0 >= 30 * MS, "not before its time");
	ok(count == 1 && value == 4711 && code == SI_TIMER, "one signal with its value, SI_TIMER");
	timer_gettime(t, &it);
	ok(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0, "disarmed after");
	count = 0;
	sys_ok(arm(t, 0, 10, 10), "periodic");
	wait_count(5);
	ok(count >= 5, "fires again and again");
	memset(&it, 0, sizeof(it));
	sys_ok(timer_settime(t, 0, &it, &old), "disarm");
	ok(old.it_interval.tv_nsec == 10 * MS, "the old setting");
	count = 0;
	sleep_ms(30);
	is_int(count, 0, "silent");

	block(SIGRTMIN + 2);
	count = overrun = 0;
	must(arm(t, 0, 5, 5));
	sleep_ms(80);
	memset(&it, 0, sizeof(it));
	unblock(SIGRTMIN + 2);
	wait_count(1);
	ok(count >= 1 && overrun >= 10, "blocked: one signal is queued, the rest is overrun");
	timer_settime(t, 0, &it, NULL);
	ok(timer_getoverrun(t) >= 0, "timer_getoverrun");
	clock_gettime(CLOCK_MONOTONIC, &now);
	it.it_value = now;
	it.it_value.tv_nsec += 20 * MS;
	if (it.it_value.tv_nsec >= 1000 * MS)
		it.it_value.tv_sec++, it.it_value.tv_nsec -= 1000 * MS;
	count = 0;
	sys_ok(timer_settime(t, TIMER_ABSTIME, &it, NULL), "absolute");
	wait_count(1);
	ok(now_ns(CLOCK_MONOTONIC) >= it.it_value.tv_sec * 1000 * MS + it.it_value.tv_nsec,
	   "not before its time");
	sys_ok(timer_delete(t), "delete");
	sys_err(timer_gettime(t, &it), EINVAL, "it is gone");
	sys_err(syscall(SYS_timer_delete, 12345), EINVAL, "delete of no such timer");

	must(pthread_create(&th, NULL, thread, NULL) ? -1 : 0);
	while (!thread_tid)
		sleep_ms(1);
	t = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN + 2, thread_tid);
	count = 0;
	must(arm(t, 0, 10, 0));
	wait_count(1);
	is_int(sig_tid, thread_tid, "SIGEV_THREAD_ID signals that thread");
	timer_delete(t);
	quit = 1;
	pthread_join(th, NULL);
	t = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	must(arm(t, 0, 10, 0));
	sleep_ms(20);
	timer_gettime(t, &it);
	ok(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0, "SIGEV_NONE runs off silently");
	timer_delete(t);
	count = 0;
	must(raw_create(CLOCK_REALTIME, NULL, &id));
	it = (struct itimerspec){ { 0, 0 }, { 0, 10 * MS } };
	must(syscall(SYS_timer_settime, id, 0, &it, NULL));
	wait_count(1);
	is_int(count, 1, "without sigevent it is SIGALRM");
	is_int(value, id, "whose value is the timer's id");
	syscall(SYS_timer_delete, id);
	t = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGRTMIN + 2, 0);
	count = 0;
	must(arm(t, 0, 30, 0));
	sleep_ms(60);
	is_int(count, 0, "a CPU timer stands still while sleeping");
	t0 = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (!count && now_ns(CLOCK_PROCESS_CPUTIME_ID) - t0 < 5000 * MS)
		;
	is_int(count, 1, "and fires while working");
	timer_delete(t);
	t = make(CLOCK_BOOTTIME, SIGEV_SIGNAL, SIGRTMIN + 2, 0);
	must(arm(t, 0, 1, 0));
	wait_count(2);
	is_int(count, 2, "CLOCK_BOOTTIME");
	must(arm(t, 0, 40, 0));
	count = 0;
	if ((pid = fork()) == 0) {
		sleep_ms(60);
		_exit(count == 0 && timer_gettime(t, &it) == -1 && errno == EINVAL ? 0 : 1);
	}
	is_exit(pid, 0, "a child does not inherit timers");

	sys_err(raw_create(99, NULL, &id), EINVAL, "unknown clock");
	sys_err(raw_create(CLOCK_MONOTONIC, &ev, &id), EINVAL, "bad signal");
	sys_err(raw_create(CLOCK_MONOTONIC, at(8), &id), EFAULT, "bad sigevent pointer");
	sys_err(raw_create(CLOCK_MONOTONIC, NULL, at(8)), EFAULT, "bad id pointer");
	it = (struct itimerspec){ { 0, 0 }, { 0, 1000 * MS } };
	sys_err(timer_settime(t, 0, &it, NULL), EINVAL, "bad nanoseconds");
	sys_err(syscall(SYS_timer_settime, 12345, 0, &old, NULL), EINVAL, "no such timer");
	sys_err(syscall(SYS_timer_getoverrun, 12345), EINVAL, "overrun of no such timer");
	return done();
}
