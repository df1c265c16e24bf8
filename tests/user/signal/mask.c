/* SPDX-License-Identifier: MIT */
/* sigprocmask and sigpending: set arithmetic, KILL and STOP, fork, errors. */
#include "../tap.h"

static volatile int count;

static void
on(int sig)
{
	(void)sig;
	count++;
}

static int
pending(int sig)
{
	sigset_t s;

	sigpending(&s);
	return sigismember(&s, sig);
}

int
main(void)
{
	sigset_t s, old, now;
	unsigned long kset = 0;
	pid_t pid;

	handle(SIGUSR1, on, 0);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGKILL);
	sigaddset(&s, SIGSTOP);
	sys_ok(sigprocmask(SIG_BLOCK, &s, &old), "block");
	ok(!sigismember(&old, SIGUSR1), "the old mask had it open");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGUSR1), "it is blocked");
	ok(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP),
	   "SIGKILL and SIGSTOP never are");
	raise(SIGUSR1);
	is_int(count, 0, "nothing is delivered while blocked");
	ok(pending(SIGUSR1), "it is pending");
	if ((pid = fork()) == 0) {
		sigprocmask(SIG_BLOCK, NULL, &now);
		_exit(sigismember(&now, SIGUSR1) && !pending(SIGUSR1) ? 0 : 1);
	}
	is_exit(pid, 0, "fork inherits the mask, not what is pending");
	sys_ok(sigprocmask(SIG_UNBLOCK, &s, NULL), "unblock");
	is_int(count, 1, "delivered before the call returns");
	ok(!pending(SIGUSR1), "nothing is pending");
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sys_ok(sigprocmask(SIG_SETMASK, &s, NULL), "set");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGUSR2) && !sigismember(&now, SIGUSR1), "it replaces the mask");
	sys_err(sigprocmask(99, &s, NULL), EINVAL, "unknown operation");
	sys_ok(sigprocmask(99, NULL, &now), "the operation is ignored without a set");
	sys_err(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &kset, NULL, 4), EINVAL, "wrong set size");
	sys_err(syscall(SYS_rt_sigprocmask, SIG_BLOCK, at(8), NULL, 8), EFAULT, "bad set pointer");
	sys_err(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, at(8), 8), EFAULT, "bad old pointer");
	sys_err(syscall(SYS_rt_sigpending, &kset, 16), EINVAL, "sigpending size too large");
	sys_ok(syscall(SYS_rt_sigpending, &kset, 4), "sigpending accepts a smaller size");
	sys_err(syscall(SYS_rt_sigpending, at(8), 8), EFAULT, "sigpending bad pointer");

	/* ignored signals are not even pending, default-ignored ones neither */
	sigfillset(&s);
	sigprocmask(SIG_SETMASK, &s, NULL);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);
	ok(pending(SIGUSR2), "an ignored but blocked signal is kept pending");
	signal(SIGUSR2, SIG_IGN);
	ok(!pending(SIGUSR2), "setting SIG_IGN again drops it");
	raise(SIGWINCH);
	ok(pending(SIGWINCH), "a default-ignored blocked signal is pending too");
	handle(SIGWINCH, SIG_DFL, 0);
	ok(!pending(SIGWINCH), "setting SIG_DFL drops a default-ignored one");
	handle(SIGWINCH, on, 0);
	count = 0;
	raise(SIGWINCH);
	sigemptyset(&s);
	sigprocmask(SIG_SETMASK, &s, NULL);
	is_int(count, 1, "a caught one is delivered on unblocking");
	return done();
}
