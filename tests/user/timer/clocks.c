/* SPDX-License-Identifier: MIT */
/* Clocks: vDSO against system call, monotony across threads and CPUs, resolution, CPU clocks,
 * setting. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/times.h>

#define THREADS 4

static long long latest;
static int backwards;

static long long
by_call(clockid_t c)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, c, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Each thread publishes what it read; nobody may read less than what was published before. */
static void *
reader(void *arg)
{
	long cpu = (long)arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (int i = 0; i < 20000; i++) {
		long long before = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
		long long t = i % 8 ? now_ns(CLOCK_MONOTONIC) : by_call(CLOCK_MONOTONIC);

		if (t < before)
			__atomic_fetch_add(&backwards, 1, __ATOMIC_RELAXED);
		else
			__atomic_compare_exchange_n(&latest, &before, t, 0, __ATOMIC_SEQ_CST,
						    __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void *
worker(void *arg)
{
	long long t0 = now_ns(CLOCK_THREAD_CPUTIME_ID),
		  end = now_ns(CLOCK_THREAD_CPUTIME_ID) + 50000000;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
	*(long long *)arg = now_ns(CLOCK_THREAD_CPUTIME_ID) - t0;
	return NULL;
}

int
main(void)
{
	static const struct {
		clockid_t id;
		const char *name;
	} c[] = {
		{ CLOCK_REALTIME, "REALTIME" },
		{ CLOCK_MONOTONIC, "MONOTONIC" },
		{ CLOCK_BOOTTIME, "BOOTTIME" },
		{ CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW" },
		{ CLOCK_REALTIME_COARSE, "REALTIME_COARSE" },
		{ CLOCK_MONOTONIC_COARSE, "MONOTONIC_COARSE" },
		{ 11, "TAI" },
	};
	struct timespec ts, res;
	struct timeval tv;
	pthread_t t[THREADS];
	long long a, b, d, work[2];
	time_t now;
	clockid_t other;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), bad;
	pid_t pid;

	for (unsigned i = 0; i < ARRAY_LEN(c); i++) {
		a = now_ns(c[i].id);
		b = by_call(c[i].id);
		d = now_ns(c[i].id);
		ok(a <= b && b <= d, "%s: vDSO, call, vDSO in order", c[i].name);
		is_int(clock_getres(c[i].id, &res), 0, "%s: resolution", c[i].name);
		ok(res.tv_sec == 0 && (strstr(c[i].name, "COARSE")
					       ? res.tv_nsec >= 1000000 && res.tv_nsec <= 10000000
					       : res.tv_nsec == 1),
		   "%s: 1 ns, or a tick", c[i].name);
	}
	for (bad = 0, a = 0; bad < 100000; bad++, a = b) {
		b = now_ns(CLOCK_MONOTONIC);
		if (b < a)
			break;
	}
	is_int(bad, 100000, "100000 readings never go back");
	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, reader, (void *)(i % (cpus > 0 ? cpus : 1))) ? -1
											      : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	is_int(backwards, 0, "no thread on any CPU reads less than another did before");
	a = now_ns(CLOCK_MONOTONIC_COARSE);
	b = now_ns(CLOCK_MONOTONIC);
	ok(a <= b && b - a < 1000000000, "COARSE is a little behind");
	gettimeofday(&tv, NULL);
	clock_gettime(CLOCK_REALTIME, &ts);
	ok(ts.tv_sec - tv.tv_sec <= 1 && ts.tv_sec >= tv.tv_sec && tv.tv_usec < 1000000,
	   "gettimeofday agrees");
	now = time(NULL);
	clock_gettime(CLOCK_REALTIME, &ts);
	ok(ts.tv_sec - now <= 1 && ts.tv_sec >= now, "time agrees");
	ok(now > 1577836800, "and it is after 2020");
	b = now_ns(CLOCK_BOOTTIME);
	a = now_ns(CLOCK_MONOTONIC);
	ok(a >= 0 && b <= a + 1000000000 * 100000LL, "BOOTTIME is not far from MONOTONIC");

	a = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	sleep_ms(50);
	b = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	ok(b - a < 50000000, "CPU time stands still while sleeping");
	for (int i = 0; i < 2; i++)
		must(pthread_create(&t[i], NULL, worker, &work[i]) ? -1 : 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	d = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	ok(work[0] >= 50000000 && work[1] >= 50000000, "each thread's clock");
	ok(d - b >= 100000000, "the process's clock sums them up");
	ok(now_ns(CLOCK_THREAD_CPUTIME_ID) <= d + 10000000,
	   "the own thread has no more than the process");
	if ((pid = fork()) == 0)
		for (;;)
			;
	is_int(clock_getcpuclockid(pid, &other), 0, "the clock of a child");
	sleep_ms(50);
	for (int i = 0; i < 1000 && now_ns(other) < 5000000; i++)
		sleep_ms(2);
	ok(now_ns(other) >= 5000000, "it runs");
	kill(pid, SIGKILL);
	reap(pid);
	sys_err(syscall(SYS_clock_gettime, other, &ts), EINVAL,
		"a clock of a process that is gone");
	sys_err(syscall(SYS_clock_gettime, 99, &ts), EINVAL, "unknown clock");
	sys_err(syscall(SYS_clock_getres, 99, &ts), EINVAL, "unknown clock's resolution");
	is_int(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL), 0,
	       "clock_getres without a result");
	sys_err(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts), EINVAL,
		"MONOTONIC cannot be set");
	ts.tv_nsec = 1000000000;
	sys_err(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EINVAL, "bad nanoseconds");
	sys_err(syscall(SYS_clock_settime, CLOCK_REALTIME, at(8)), EFAULT, "bad pointer");
	if ((pid = fork()) == 0) {
		clock_gettime(CLOCK_REALTIME, &ts);
		_exit(setuid(1000) || clock_settime(CLOCK_REALTIME, &ts) != -1 || errno != EPERM);
	}
	is_exit(pid, 0, "a user may not set the time");
	unsigned cpu = 999, node = 999;
	is_int(syscall(SYS_getcpu, &cpu, &node, NULL), 0, "getcpu");
	ok((int)cpu < cpus && node < 64, "a CPU that exists");
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	is_int(sched_getcpu(), cpu, "sched_getcpu agrees when bound");
	return done();
}
