/* SPDX-License-Identifier: MIT */
/* With several CPUs, several runnable tasks use several of them; wakers and sleepers make progress.
 */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static volatile int quit;
static unsigned long long seen[4];

static void *
spin(void *arg)
{
	while (!quit) {
		int c = sched_getcpu();

		if (c >= 0 && c < 64)
			seen[(long)arg] |= 1ULL << c;
	}
	return NULL;
}

int
main(void)
{
	cpu_set_t set;
	pthread_t t[4];
	unsigned long long all = 0;
	int cpus, p[2], q[2], n = 0;
	char c = 'x';
	pid_t pid;

	must(sched_getaffinity(0, sizeof(set), &set));
	cpus = CPU_COUNT(&set);
	for (long i = 0; i < 4; i++)
		must(pthread_create(&t[i], NULL, spin, (void *)i) ? -1 : 0);
	for (int i = 0; i < 40; i++) { /* a busy machine may take a while */
		sleep_ms(200);
		all = seen[0] | seen[1] | seen[2] | seen[3];
		if (seen[0] && seen[1] && seen[2] && seen[3] && (all & (all - 1) || cpus < 2))
			break;
	}
	quit = 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		all |= seen[i];
	}
	ok(seen[0] && seen[1] && seen[2] && seen[3], "four spinning threads all run");
	ok(__builtin_popcountll(all) >= (cpus < 2 ? 1 : 2),
	   "on more than one CPU where there are more");

	must(pipe(p));
	must(pipe(q));
	if ((pid = fork()) == 0) {
		for (;;) {
			if (read(p[0], &c, 1) != 1 || write(q[1], &c, 1) != 1)
				_exit(0);
		}
	}
	long long end = now_ms() + 500;
	while (now_ms() < end) {
		must(write(p[1], &c, 1));
		must(read(q[0], &c, 1));
		n++;
	}
	ok(n > 100, "a ping-pong makes progress");
	kill(pid, SIGKILL);
	reap(pid);
	/* an affinity change moves a sleeping and a running task */
	int first = -1, last = -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set)) {
			first = first < 0 ? i : first;
			last = i;
		}
	int bad = 0;
	for (int i = 0; i < 20; i++) {
		int want = i % 2 ? first : last;
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(want, &one);
		bad += sched_setaffinity(0, sizeof(one), &one) != 0;
		bad += sched_getcpu() != want;
		sleep_ms(1);
		bad += sched_getcpu() != want;
	}
	is_int(bad, 0, "a task bound to a CPU is there at once and stays");
	return done();
}
