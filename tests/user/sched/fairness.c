/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Sharing a CPU: equal halves, weights by nice, FIFO before OTHER, sleepers wake promptly. */
#include "../compat.h"
#include "../tap.h"

static volatile unsigned long *m;
static int cpu;

static pid_t
spinner(int slot, int nice_, int policy)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		struct sched_param sp = { .sched_priority = policy ? 10 : 0 };

		setpriority(PRIO_PROCESS, 0, nice_);
		if (policy && syscall(SYS_sched_setscheduler, 0, policy, &sp))
			_exit(1);
		while (!m[99])
			if (policy)
				break;
			else
				sleep_ms(1);
		for (;;) {
			struct timespec ts;

			syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts);
			m[slot] = ts.tv_sec * 1000000UL + ts.tv_nsec / 1000;
			if (policy && m[slot] > 100000)
				_exit(0);
		}
	}
	return pid;
}

int
main(void)
{
	cpu_set_t set;
	pid_t a, b;
	long worst = 0;

	m = shared_alloc(4096);
	CPU_ZERO(&set);
	cpu = sched_getcpu();
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set));

	a = spinner(0, 0, 0), b = spinner(1, 0, 0);
	m[99] = 1;
	sleep_ms(1500);
	kill(a, SIGKILL), kill(b, SIGKILL);
	reap(a), reap(b);
	ok(m[0] > 100000 && m[1] > 100000, "both of two spinners run");
	ok(m[0] < m[1] * 3 && m[1] < m[0] * 3, "about equally");
	m[0] = m[1] = m[99] = 0;
	a = spinner(0, 0, 0), b = spinner(1, 10, 0);
	m[99] = 1;
	sleep_ms(2000);
	kill(a, SIGKILL), kill(b, SIGKILL);
	reap(a), reap(b);
	ok(m[1] > 0, "nice 10 is not starved");
	ok(m[0] > m[1] * 3, "nice 0 gets several times as much as nice 10");

	/* a spinner in the background, a sleeper that must wake */
	m[0] = m[99] = 0;
	a = spinner(0, 0, 0);
	m[99] = 1;
	while (!m[0])
		sleep_ms(1);
	for (int i = 0; i < 30; i++) {
		long long t0 = now_ns(CLOCK_MONOTONIC);

		sleep_ms(2);
		long late = (now_ns(CLOCK_MONOTONIC) - t0) / 1000000 - 2;

		worst = late > worst ? late : worst;
	}
	ok(worst < 500, "a sleeper beside a spinner wakes within half a second");

	/* a real-time task takes the CPU from the spinner */
	m[1] = 0;
	long long t0 = now_ms();
	b = spinner(1, 0, SCHED_FIFO);
	is_exit(b, 0, "a FIFO task runs to its end beside a spinner");
	ok(now_ms() - t0 < 5000, "without much waiting");
	kill(a, SIGKILL);
	reap(a);
	return done();
}
