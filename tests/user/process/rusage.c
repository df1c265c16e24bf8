/* SPDX-License-Identifier: MIT */
/* getrusage and times: CPU time, faults, children, maxrss, context switches. */
#include "../tap.h"
#include <sys/times.h>

static long long
us(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

static void
burn(int ms)
{
	long long end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000LL;

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 10000; i++)
			;
}

int
main(void)
{
	struct rusage a, b, c;
	struct tms t;
	char *p;
	pid_t pid;

	sys_ok(getrusage(RUSAGE_SELF, &a), "RUSAGE_SELF");
	burn(200);
	getrusage(RUSAGE_SELF, &b);
	ok(us(b.ru_utime) + us(b.ru_stime) - us(a.ru_utime) - us(a.ru_stime) >= 180000,
	   "200 ms of work are counted");
	ok(us(b.ru_utime) + us(b.ru_stime) < 30000000, "and not invented");
	p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 8 << 20; i += 4096)
		p[i] = 1;
	getrusage(RUSAGE_SELF, &c);
	ok(c.ru_minflt > b.ru_minflt, "faults are counted");
	ok(c.ru_maxrss - b.ru_maxrss >= 7000, "maxrss grows in KiB");
	munmap(p, 8 << 20);
	getrusage(RUSAGE_SELF, &b);
	ok(b.ru_maxrss >= c.ru_maxrss, "and never shrinks");
	getrusage(RUSAGE_SELF, &a);
	sleep_ms(10);
	sleep_ms(10);
	getrusage(RUSAGE_SELF, &b);
	ok(b.ru_nvcsw >= a.ru_nvcsw + 2, "sleeping is a voluntary switch");
	sys_ok(getrusage(RUSAGE_CHILDREN, &a), "RUSAGE_CHILDREN");
	is_int(us(a.ru_utime) + us(a.ru_stime), 0, "no child yet");
	if ((pid = fork()) == 0) {
		p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(p, 1, 8 << 20);
		burn(200);
		_exit(0);
	}
	wait_state(pid, 'Z');
	getrusage(RUSAGE_CHILDREN, &a);
	is_int(us(a.ru_utime) + us(a.ru_stime), 0, "a zombie is not counted");
	wait4(pid, NULL, 0, &b);
	getrusage(RUSAGE_CHILDREN, &c);
	ok(us(c.ru_utime) + us(c.ru_stime) >= 180000, "after the wait it is");
	ok(us(b.ru_utime) == us(c.ru_utime) && us(b.ru_stime) == us(c.ru_stime),
	   "wait4 says the same");
	ok(c.ru_maxrss >= 7000, "children's maxrss");
	ok(times(&t) != (clock_t)-1, "times");
	ok(t.tms_utime + t.tms_stime >= 18 && t.tms_utime + t.tms_stime < 1000,
	   "own time in ticks of 10 ms");
	ok(t.tms_cutime + t.tms_cstime >= 18, "children's time");
	sys_ok(getrusage(RUSAGE_THREAD, &a), "RUSAGE_THREAD");
	ok(us(a.ru_utime) + us(a.ru_stime) >= 180000, "of the only thread");
	sys_err(getrusage(5, &a), EINVAL, "unknown whom");
	sys_err(syscall(SYS_getrusage, RUSAGE_SELF, at(8)), EFAULT, "bad pointer");
	return done();
}
