/* SPDX-License-Identifier: MIT */
/* sigsuspend and pause: atomic mask change, restoration, what wakes them. */
#include "../tap.h"

static volatile int usr1, usr2, masked_inside;

static void
on(int sig)
{
	sigset_t s;

	sigprocmask(SIG_BLOCK, NULL, &s);
	masked_inside = sigismember(&s, SIGUSR2);
	if (sig == SIGUSR1)
		usr1++;
	else
		usr2++;
}

int
main(void)
{
	sigset_t s, m, now;
	pid_t pid;

	handle(SIGUSR1, on, 0);
	handle(SIGUSR2, on, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	sigemptyset(&s);
	sys_err(sigsuspend(&s), EINTR, "a pending signal ends it at once");
	is_int(usr1, 1, "after its handler");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGUSR1), "the old mask is back");

	sigemptyset(&m);
	sigaddset(&m, SIGUSR2);
	pid = poke(SIGUSR1, NULL);
	sys_err(sigsuspend(&m), EINTR, "a signal from outside ends it");
	is_int(usr1, 2, "the handler ran");
	ok(masked_inside, "with the temporary mask in force");
	unpoke(pid);
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2), "the old mask is back again");

	/* SIGUSR2 blocked during the wait is delivered when the old mask returns */
	if ((pid = fork()) == 0) {
		wait_state(getppid(), 'S');
		kill(getppid(), SIGUSR2);
		sleep_ms(50);
		if (task_state(getppid()) != 'S')
			_exit(1);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	sys_err(sigsuspend(&m), EINTR, "a blocked signal does not end it");
	ok(usr1 == 3 && usr2 == 1, "both handlers have run on return");
	is_exit(pid, 0, "it slept meanwhile");

	/* an ignored signal does not end pause */
	signal(SIGUSR2, SIG_IGN);
	unblock(SIGUSR1);
	if ((pid = fork()) == 0) {
		wait_state(getppid(), 'S');
		kill(getppid(), SIGUSR2);
		kill(getppid(), SIGWINCH);
		sleep_ms(50);
		if (task_state(getppid()) != 'S')
			_exit(1);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	sys_err(pause(), EINTR, "ignored signals do not end pause");
	is_int(usr1, 4, "a caught one does");
	is_exit(pid, 0, "it slept meanwhile too");
	sys_err(syscall(SYS_rt_sigsuspend, &s, 4), EINVAL, "wrong set size");
	sys_err(syscall(SYS_rt_sigsuspend, at(8), 8), EFAULT, "bad pointer");
	return done();
}
