/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Many signals: counted exactly when queued, never lost when coalesced, while working and sleeping.
 */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static volatile int rt, usr;
static int total;

static void
on(int s)
{
	if (s == SIGUSR1)
		usr++;
	else
		rt++;
}

static void
counter(int s)
{
	(void)s;
	__atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
}

static void *
storm(void *arg)
{
	for (int i = 0; i < 500; i++)
		pthread_kill(*(pthread_t *)arg, SIGUSR2);
	return NULL;
}

int
main(void)
{
	pthread_t self = pthread_self(), t[3];
	volatile double x = 1.0, y = 0;
	sigset_t s, old;
	int bad = 0;
	pid_t pid[4];

	handle(SIGUSR1, on, 0);
	handle(SIGRTMIN + 1, on, 0);
	for (int i = 0; i < 1000; i++)
		kill(getpid(), SIGUSR1);
	is_int(usr, 1000, "1000 signals to oneself");
	/* queued by four processes; taken while computing with floating point */
	for (int i = 0; i < 4; i++)
		if ((pid[i] = fork()) == 0) {
			for (int k = 0; k < 250; k++)
				while (sigqueue(getppid(), SIGRTMIN + 1,
						(union sigval){ .sival_int = k }))
					sched_yield();
			_exit(0);
		}
	long long end = now_ms() + 8000;
	while (rt < 1000 && now_ms() < end)
		for (int i = 1; i < 1000; i++) {
			y = x * i;
			bad += y / i != x;
		}
	is_int(rt, 1000, "1000 queued signals by four processes: each arrives");
	is_int(bad, 0, "floating point is not disturbed");
	for (int i = 0; i < 4; i++)
		bad += reap(pid[i]) != 0;
	/* threads signal one thread that makes system calls */
	handle(SIGUSR2, counter, SA_RESTART);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	for (int i = 0; i < 3; i++) {
		sigprocmask(SIG_BLOCK, &s, &old);
		must(pthread_create(&t[i], NULL, storm, &self) ? -1 : 0);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	int p[2];
	must(pipe(p));
	char c;
	for (int i = 0; i < 2000; i++)
		bad += write(p[1], "x", 1) != 1 || read(p[0], &c, 1) != 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	ok(total >= 1 && total <= 1500, "1500 standard signals coalesce at will");
	is_int(bad, 0, "system calls under fire all succeed");
	/* ping-pong of signals between two processes */
	handle(SIGUSR1, on, 0);
	usr = 0;
	block(SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &old);
	sigdelset(&old, SIGUSR1);
	if ((pid[0] = fork()) == 0) {
		for (int i = 0; i < 200; i++) {
			while (usr <= i)
				sigsuspend(&old);
			kill(getppid(), SIGUSR1);
		}
		_exit(0);
	}
	for (int i = 0; i < 200; i++) {
		kill(pid[0], SIGUSR1);
		while (usr <= i)
			sigsuspend(&old);
	}
	is_int(usr, 200, "200 signals there and back by sigsuspend");
	is_exit(pid[0], 0, "the other side agrees");
	return done();
}
