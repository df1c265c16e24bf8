/* SPDX-License-Identifier: MIT */
/* SA_RESETHAND, SA_NOCLDWAIT, SA_NOCLDSTOP, SIG_IGN of SIGCHLD, old action, errors of sigaction. */
#include "../tap.h"

static volatile int count;

static void
on(int sig)
{
	(void)sig;
	count++;
}

static long
raw(int sig, void *act, void *old, size_t size)
{
	return syscall(SYS_rt_sigaction, sig, act, old, size);
}

int
main(void)
{
	struct sigaction sa, old;
	long kact[4] = { 0 };
	pid_t pid;
	int st;

	handle(SIGUSR1, on, SA_RESETHAND);
	raise(SIGUSR1);
	is_int(count, 1, "SA_RESETHAND runs once");
	sigaction(SIGUSR1, NULL, &old);
	ok(old.sa_handler == SIG_DFL, "then the action is SIG_DFL");
	if ((pid = fork()) == 0) {
		handle(SIGUSR1, on, SA_RESETHAND);
		raise(SIGUSR1);
		raise(SIGUSR1);
		_exit(0);
	}
	is_killed(pid, SIGUSR1, "the second one kills");

	sa.sa_handler = on;
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGHUP);
	sigaddset(&sa.sa_mask, SIGKILL);
	sa.sa_flags = SA_RESTART | SA_NODEFER;
	sys_ok(sigaction(SIGUSR2, &sa, &old), "sigaction");
	ok(old.sa_handler == SIG_DFL, "the old action was SIG_DFL");
	sys_ok(sigaction(SIGUSR2, NULL, &old), "query");
	ok(old.sa_handler == on, "handler reads back");
	is_int(old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_RESETHAND | SA_ONSTACK),
	       SA_RESTART | SA_NODEFER, "flags read back");
	ok(sigismember(&old.sa_mask, SIGHUP) && !sigismember(&old.sa_mask, SIGKILL),
	   "mask reads back without SIGKILL");

	sys_err(sigaction(SIGKILL, &sa, NULL), EINVAL, "SIGKILL cannot be caught");
	sys_err(sigaction(SIGSTOP, &sa, NULL), EINVAL, "SIGSTOP cannot be caught");
	sys_ok(sigaction(SIGKILL, NULL, &old), "SIGKILL can be queried");
	sys_err(raw(0, kact, NULL, 8), EINVAL, "signal 0");
	sys_err(raw(65, kact, NULL, 8), EINVAL, "signal 65");
	sys_err(raw(-1, kact, NULL, 8), EINVAL, "signal -1");
	sys_err(raw(SIGUSR1, kact, NULL, 4), EINVAL, "wrong set size");
	sys_err(raw(SIGUSR1, at(8), NULL, 8), EFAULT, "bad action pointer");
	sys_err(raw(SIGUSR1, NULL, at(8), 8), EFAULT, "bad old pointer");

	/* children */
	count = 0;
	handle(SIGCHLD, on, SA_NOCLDWAIT);
	if ((pid = fork()) == 0)
		_exit(3);
	sys_err(waitpid(pid, &st, 0), ECHILD, "SA_NOCLDWAIT: wait blocks, then ECHILD");
	is_int(task_state(pid), 0, "no zombie is left");
	is_int(count, 1, "SIGCHLD is still sent");
	handle(SIGCHLD, SIG_IGN, 0);
	if ((pid = fork()) == 0)
		_exit(3);
	sys_err(waitpid(-1, &st, 0), ECHILD, "SIG_IGN: the child is reaped by itself");
	handle(SIGCHLD, SIG_DFL, 0);
	if ((pid = fork()) == 0)
		_exit(3);
	is_exit(pid, 3, "SIG_DFL: the child waits to be reaped");

	count = 0;
	handle(SIGCHLD, on, SA_NOCLDSTOP);
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	wait_state(pid, 'S');
	kill(pid, SIGSTOP);
	is_int(waitpid(pid, &st, WUNTRACED), pid, "SA_NOCLDSTOP: wait still sees the stop");
	ok(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP, "stopped by SIGSTOP");
	kill(pid, SIGCONT);
	is_int(waitpid(pid, &st, WCONTINUED), pid, "and the continue");
	is_int(count, 0, "but no SIGCHLD for either");
	kill(pid, SIGKILL);
	reap(pid);
	is_int(count, 1, "only for the death");
	return done();
}
