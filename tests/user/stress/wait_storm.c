/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Many threads wait for the children of one process; orphans, stops and continues in between. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/prctl.h>

#define CHILDREN 200

static int reaped, sum, bad;
static volatile int made;

static void *
waiter(void *arg)
{
	int st;
	pid_t pid;

	(void)arg;
	for (;;) {
		pid = waitpid(-1, &st, 0);
		if (pid > 0) {
			__atomic_fetch_add(&reaped, 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&sum, WEXITSTATUS(st), __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&bad, !WIFEXITED(st), __ATOMIC_SEQ_CST);
		} else if (errno == ECHILD) {
			if (made)
				return NULL;
			sched_yield();
		}
	}
}

static void *
maker(void *arg)
{
	for (int i = 0; i < CHILDREN / 2; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i % 7);
		if (pid < 0)
			return (void *)1;
	}
	return arg;
}

int
main(void)
{
	pthread_t w[4], k[2];
	int want = 0, st;
	pid_t pid[20];

	for (int i = 0; i < 4; i++)
		must(pthread_create(&w[i], NULL, waiter, NULL) ? -1 : 0);
	for (int i = 0; i < 2; i++)
		must(pthread_create(&k[i], NULL, maker, NULL) ? -1 : 0);
	for (int i = 0; i < 2; i++)
		pthread_join(k[i], NULL);
	made = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(w[i], NULL);
	for (int i = 0; i < CHILDREN / 2; i++)
		want += 2 * (i % 7);
	is_int(reaped, CHILDREN, "four threads reap each of 200 children once");
	ok(sum == want && bad == 0, "with the right codes");

	/* orphans to a subreaper, dying in all orders */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < 20; i++)
		if ((pid[i] = fork()) == 0) {
			for (int n = 0; n < 4; n++)
				if (fork() == 0) {
					usleep(n * i * 100);
					_exit(1);
				}
			usleep(i * 37);
			_exit(2);
		}
	int ones = 0, twos = 0;

	while (waitpid(-1, &st, 0) > 0) {
		ones += WEXITSTATUS(st) == 1;
		twos += WEXITSTATUS(st) == 2;
	}
	ok(twos == 20 && ones <= 80 && ones > 0, "orphans of 20 dead parents are reaped here");

	/* stop and continue storms */
	if ((pid[0] = fork()) == 0)
		for (;;)
			usleep(50);
	int stops = 0, conts = 0;

	for (int i = 0; i < 100; i++) {
		kill(pid[0], SIGSTOP);
		stops += waitpid(pid[0], &st, WUNTRACED) == pid[0] && WIFSTOPPED(st);
		kill(pid[0], SIGCONT);
		conts += waitpid(pid[0], &st, WCONTINUED) == pid[0] && WIFCONTINUED(st);
	}
	ok(stops == 100 && conts == 100, "100 stops and continues, each reported");
	for (int i = 0; i < 300; i++)
		kill(pid[0], i % 2 ? SIGCONT : SIGSTOP);
	kill(pid[0], SIGKILL);
	is_killed(pid[0], SIGKILL, "SIGKILL ends a storm of stops");
	return done();
}
