/* SPDX-License-Identifier: MIT */
/* setitimer and getitimer of all three kinds, alarm. */
#include "../tap.h"

static volatile int alrm, vtalrm, prof;

static void
on(int s)
{
	if (s == SIGALRM)
		alrm++;
	else if (s == SIGVTALRM)
		vtalrm++;
	else
		prof++;
}

static void
burn(volatile int *flag, int n)
{
	long long end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + 5000000000LL;

	while (*flag < n && now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 1000; i++)
			;
}

int
main(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 30000 } }, old;
	struct itimerval bad = { { 0, 0 }, { 0, 1000000 } };
	long long t0;
	pid_t pid;

	handle(SIGALRM, on, 0);
	handle(SIGVTALRM, on, 0);
	handle(SIGPROF, on, 0);
	t0 = now_ms();
	sys_ok(setitimer(ITIMER_REAL, &it, NULL), "ITIMER_REAL");
	sys_ok(getitimer(ITIMER_REAL, &old), "getitimer");
	ok(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 30000, "the time left");
	while (!alrm)
		pause();
	ok(now_ms() - t0 >= 30, "not before its time");
	getitimer(ITIMER_REAL, &old);
	ok(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0, "disarmed after");
	it = (struct itimerval){ { 0, 10000 }, { 0, 10000 } };
	must(setitimer(ITIMER_REAL, &it, NULL));
	while (alrm < 4)
		pause();
	ok(1, "periodic");
	it = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	sys_ok(setitimer(ITIMER_REAL, &it, &old), "disarm");
	ok(old.it_interval.tv_usec == 10000 && old.it_value.tv_usec > 0 &&
		   old.it_value.tv_usec <= 10000,
	   "the old setting");

	is_int(alarm(100), 0, "alarm");
	is_int(alarm(50), 100, "returns what was left");
	getitimer(ITIMER_REAL, &old);
	ok(old.it_value.tv_sec >= 48 && old.it_value.tv_sec <= 50, "is the same timer");
	ok(alarm(0) >= 49, "alarm(0) cancels");
	is_int(alarm(0), 0, "nothing left");
	it = (struct itimerval){ { 0, 0 }, { 0, 400000 } };
	must(setitimer(ITIMER_REAL, &it, NULL));
	is_int(alarm(0), 1, "less than a second is told as 1");
	if ((pid = fork()) == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(1);
		for (;;)
			pause();
	}
	is_killed(pid, SIGALRM, "SIGALRM kills by default");

	it = (struct itimerval){ { 0, 0 }, { 0, 50000 } };
	must(setitimer(ITIMER_VIRTUAL, &it, NULL));
	sleep_ms(100);
	is_int(vtalrm, 0, "ITIMER_VIRTUAL stands still while sleeping");
	burn(&vtalrm, 1);
	is_int(vtalrm, 1, "and counts user time");
	it = (struct itimerval){ { 0, 20000 }, { 0, 20000 } };
	must(setitimer(ITIMER_PROF, &it, NULL));
	burn(&prof, 3);
	ok(prof >= 3, "ITIMER_PROF counts user and system time, periodic");
	getitimer(ITIMER_PROF, &old);
	is_int(old.it_interval.tv_usec, 20000, "its interval");
	memset(&it, 0, sizeof(it));
	must(setitimer(ITIMER_PROF, &it, NULL));
	sys_err(setitimer(3, &it, NULL), EINVAL, "unknown timer");
	sys_err(getitimer(-1, &it), EINVAL, "unknown timer to read");
	sys_err(syscall(SYS_setitimer, ITIMER_REAL, &bad, NULL), EINVAL, "bad microseconds");
	sys_err(syscall(SYS_setitimer, ITIMER_REAL, at(8), NULL), EFAULT, "bad pointer");
	sys_err(syscall(SYS_getitimer, ITIMER_REAL, at(8)), EFAULT, "bad result pointer");
	return done();
}
