/* SPDX-License-Identifier: MIT */
/* TEST: timeout=30 */
/* CPU-time clocks by number, timers and sleeps on them, virtual interval timers, RLIMIT_CPU. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#define PROCESS_CLOCK(pid) ((clockid_t)((~(unsigned)(pid) << 3) | 2))
#define THREAD_CLOCK(tid)  ((clockid_t)((~(unsigned)(tid) << 3) | 6))

static long long
ns(clockid_t c)
{
	struct timespec ts;

	return clock_gettime(c, &ts) ? -1 : ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void
burn_ms(int ms)
{
	long long end = ns(CLOCK_THREAD_CPUTIME_ID) + ms * 1000000ll;

	/* Mostly in user mode: reading the clock may be a system call. */
	while (ns(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 100000; i++)
			;
}

static volatile int count;

static void
on(int s)
{
	(void)s;
	count++;
}

static void
clocks(void)
{
	long long a, b;
	pid_t child;
	int status;

	a = ns(PROCESS_CLOCK(getpid()));
	b = ns(CLOCK_PROCESS_CPUTIME_ID);
	ok(a > 0 && a <= b, "the process by number is the process");
	ok(ns(PROCESS_CLOCK(0)) >= b, "number 0 is oneself");
	ok(ns(THREAD_CLOCK(kt_gettid())) > 0, "the thread by number");
	sys_err(ns(PROCESS_CLOCK(0x0fffffff)), EINVAL, "nobody's clock");
	sys_err(ns(THREAD_CLOCK(1)), EINVAL, "a thread of another process");
	sys_err(ns((clockid_t)((~(unsigned)getpid() << 3) | 3)), EINVAL, "a descriptor's clock");
	child = must(fork());
	if (!child) {
		burn_ms(30);
		pause();
		_exit(0);
	}
	for (int i = 0; i < 2000 && ns(PROCESS_CLOCK(child)) < 30000000; i++)
		usleep(1000);
	ok(ns(PROCESS_CLOCK(child)) >= 30000000, "another process's time is seen");
	kill(child, SIGKILL);
	must(waitpid(child, &status, 0));
	sys_err(ns(PROCESS_CLOCK(child)), EINVAL, "but not after its end");
}

static void
timers(void)
{
	struct itimerspec it = { .it_value = { 0, 30000000 } }, left;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	long long start = ns(CLOCK_PROCESS_CPUTIME_ID);
	timer_t t;

	signal(SIGUSR1, on);
	count = 0;
	must(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &t));
	must(timer_settime(t, 0, &it, NULL));
	usleep(60000);
	is_int(count, 0, "sleeping does not use it up");
	must(timer_gettime(t, &left));
	ok(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30000000, "what is left");
	while (!count && ns(CLOCK_PROCESS_CPUTIME_ID) - start < 5000000000ll)
		;
	is_int(count, 1, "computing does");
	ok(ns(CLOCK_PROCESS_CPUTIME_ID) - start >= 30000000, "not too early");
	must(timer_delete(t));

	count = 0;
	it.it_interval.tv_nsec = 10000000;
	it.it_value.tv_nsec = 10000000;
	must(timer_create(CLOCK_THREAD_CPUTIME_ID, &ev, &t));
	must(timer_settime(t, 0, &it, NULL));
	burn_ms(200);
	ok(count >= 5 && count <= 21, "a periodic one on the thread's time");
	must(timer_delete(t));
}

static void
intervals(void)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, off = { { 0, 0 }, { 0, 0 } }, old;

	signal(SIGPROF, on);
	signal(SIGVTALRM, on);
	for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
		count = 0;
		must(setitimer(which, &it, NULL));
		usleep(50000);
		is_int(count, 0, "timer %d: nothing while asleep", which);
		burn_ms(300);
		ok(count >= 3 && count <= 100, "timer %d: some while computing", which);
		must(setitimer(which, &off, &old));
		ok(old.it_interval.tv_usec == 20000 && old.it_value.tv_usec <= 24000,
		   "timer %d: the former setting", which);
		must(getitimer(which, &old));
		ok(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0, "timer %d: is off",
		   which);
	}
}

static void *
burner(void *arg)
{
	burn_ms(100);
	return arg;
}

static void
sleeps(void)
{
	struct timespec ts = { 0, 50000000 };
	long long start = ns(CLOCK_PROCESS_CPUTIME_ID);
	pthread_t t;

	must(pthread_create(&t, NULL, burner, NULL));
	is_int(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL), 0,
	       "asleep until the process has computed");
	ok(ns(CLOCK_PROCESS_CPUTIME_ID) - start >= 50000000, "50 ms");
	pthread_join(t, NULL);
	sys_err(syscall(SYS_clock_nanosleep, THREAD_CLOCK(kt_gettid()), 0, &ts, NULL), EINVAL,
		"waiting for oneself");
}

static void
limit(void)
{
	int status;
	pid_t pid = must(fork());

	if (!pid) {
		struct rlimit one = { 1, 2 };

		signal(SIGXCPU, on);
		count = 0;
		must(setrlimit(RLIMIT_CPU, &one));
		while (!count)
			;
		/* The handler came; the hard limit kills. */
		for (;;)
			;
	}
	must(waitpid(pid, &status, 0));
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the hard limit of CPU time kills");
	pid = must(fork());
	if (!pid) {
		struct rlimit one = { 1, RLIM_INFINITY };

		must(setrlimit(RLIMIT_CPU, &one));
		for (;;)
			;
	}
	must(waitpid(pid, &status, 0));
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU, "the soft one signals");
}

int
main(void)
{
	clocks();
	timers();
	intervals();
	sleeps();
	limit();
	return done();
}
