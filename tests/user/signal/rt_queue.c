/* SPDX-License-Identifier: MIT */
/* Real-time signals queue in order; standard ones coalesce; RLIMIT_SIGPENDING bounds the queue. */
#include "../tap.h"

static volatile int order[64], values[64], n;

static void
on(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	if (n < 64) {
		order[n] = sig;
		values[n++] = si->si_value.sival_int;
	}
}

static void
queue(int sig, int v)
{
	must(sigqueue(getpid(), sig, (union sigval){ .sival_int = v }));
}

int
main(void)
{
	struct sigaction sa = { .sa_sigaction = on, .sa_flags = SA_SIGINFO };
	sigset_t all, old, pend;
	struct rlimit rl = { 5, 5 };
	int i, bad;
	pid_t pid;

	sigfillset(&all);
	sa.sa_mask = all;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	for (i = SIGRTMIN; i <= SIGRTMAX; i++)
		must(sigaction(i, &sa, NULL));
	ok(SIGRTMAX == 64, "signals go up to 64");
	must(sigprocmask(SIG_BLOCK, &all, &old));

	for (i = 0; i < 10; i++)
		queue(SIGRTMIN + 2, i);
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	is_int(n, 10, "ten real-time signals are delivered ten times");
	for (bad = i = 0; i < 10; i++)
		bad += values[i] != i;
	is_int(bad, 0, "in the order they were sent");

	n = 0;
	must(sigprocmask(SIG_BLOCK, &all, NULL));
	for (i = 0; i < 5; i++)
		kill(getpid(), SIGUSR1);
	queue(SIGUSR2, 7);
	queue(SIGUSR2, 8);
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	ok(n == 2 && order[0] == SIGUSR1, "standard signals coalesce to one");
	ok(order[1] == SIGUSR2 && values[1] == 7, "the first one's siginfo is kept");

	n = 0;
	must(sigprocmask(SIG_BLOCK, &all, NULL));
	queue(SIGRTMAX, 1);
	queue(SIGRTMIN + 5, 2);
	queue(SIGRTMIN, 3);
	kill(getpid(), SIGUSR2);
	queue(SIGRTMIN + 5, 4);
	kill(getpid(), SIGUSR1);
	sigpending(&pend);
	ok(sigismember(&pend, SIGRTMAX) && sigismember(&pend, SIGUSR1) &&
		   sigismember(&pend, SIGRTMIN) && !sigismember(&pend, SIGRTMIN + 1),
	   "sigpending shows them");
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	is_int(n, 6, "six deliveries");
	ok(order[0] == SIGUSR1 && order[1] == SIGUSR2 && order[2] == SIGRTMIN &&
		   order[3] == SIGRTMIN + 5 && order[4] == SIGRTMIN + 5 && order[5] == SIGRTMAX,
	   "lowest number first");
	ok(values[2] == 3 && values[3] == 2 && values[4] == 4 && values[5] == 1,
	   "each with its value");

	if ((pid = fork()) == 0) {
		int sent = 0;

		if (setgid(12345) || setuid(12345) || setrlimit(RLIMIT_SIGPENDING, &rl))
			_exit(100);
		sigprocmask(SIG_BLOCK, &all, NULL);
		while (sent < 20 &&
		       sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = sent }) == 0)
			sent++;
		if (errno != EAGAIN || sent > 5)
			_exit(1);
		if (kill(getpid(), SIGUSR1) || kill(getpid(), SIGRTMIN + 1))
			_exit(2);
		sigpending(&pend);
		_exit(sigismember(&pend, SIGUSR1) && sigismember(&pend, SIGRTMIN + 1) ? sent : 101);
	}
	is_exit(pid, 5, "RLIMIT_SIGPENDING: the sixth gives EAGAIN, kill still works");

	/* changing the action to ignore throws pending ones away */
	n = 0;
	must(sigprocmask(SIG_BLOCK, &all, NULL));
	queue(SIGRTMIN + 1, 1);
	queue(SIGRTMIN + 1, 2);
	signal(SIGRTMIN + 1, SIG_IGN);
	sigpending(&pend);
	ok(!sigismember(&pend, SIGRTMIN + 1), "SIG_IGN discards what is pending");
	sigaction(SIGRTMIN + 1, &sa, NULL);
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	is_int(n, 0, "nothing is delivered later");
	return done();
}
