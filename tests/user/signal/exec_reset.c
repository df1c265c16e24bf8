/* SPDX-License-Identifier: MIT */
/* What of the signal state survives exec: ignored, mask, pending; not handlers nor the stack. */
#include "../tap.h"

static void
on(int s)
{
	(void)s;
}

static int
after(void)
{
	struct sigaction sa;
	sigset_t m, p;
	stack_t ss;
	int bad = 0;

	sigaction(SIGUSR1, NULL, &sa);
	bad |= sa.sa_handler != SIG_DFL;
	sigaction(SIGUSR2, NULL, &sa);
	bad |= (sa.sa_handler != SIG_IGN) << 1;
	sigprocmask(SIG_BLOCK, NULL, &m);
	bad |= !sigismember(&m, SIGHUP) << 2;
	bad |= sigismember(&m, SIGTERM) << 3;
	sigpending(&p);
	bad |= !sigismember(&p, SIGHUP) << 4;
	sigaltstack(NULL, &ss);
	bad |= (ss.ss_flags != SS_DISABLE) << 5;
	sigaction(SIGRTMIN + 1, NULL, &sa);
	bad |= (sa.sa_handler != SIG_DFL || (sa.sa_flags & SA_SIGINFO)) << 6;
	return bad;
}

int
main(int argc, char **argv)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	int bad;
	pid_t pid;

	(void)argv;
	if (argc > 1)
		return after();
	if ((pid = fork()) == 0) {
		handle(SIGUSR1, on, SA_RESTART);
		handle(SIGUSR2, SIG_IGN, 0);
		handle(SIGRTMIN + 1, on, SA_SIGINFO | SA_ONSTACK);
		block(SIGHUP);
		raise(SIGHUP);
		sigaltstack(&ss, NULL);
		execl("/proc/self/exe", "exec_reset", "after", NULL);
		_exit(127);
	}
	bad = reap(pid);
	ok(WIFEXITED(bad) && WEXITSTATUS(bad) != 127, "exec worked");
	bad = WEXITSTATUS(bad);
	ok(!(bad & 1), "a caught signal is reset to default");
	ok(!(bad & 2), "an ignored signal stays ignored");
	ok(!(bad & 4), "a blocked signal stays blocked");
	ok(!(bad & 8), "no other one is blocked");
	ok(!(bad & 16), "a pending signal stays pending");
	ok(!(bad & 32), "the alternate stack is gone");
	ok(!(bad & 64), "a caught real-time signal is reset with its flags");
	return done();
}
