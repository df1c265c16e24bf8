/* SPDX-License-Identifier: MIT */
/* sigtimedwait, sigwaitinfo, sigwait. */
#include "../tap.h"

static volatile int ran;

static void
on(int s)
{
	(void)s;
	ran++;
}

int
main(void)
{
	struct timespec zero = { 0, 0 }, bad = { 0, 1000000000 }, neg = { -1, 0 },
			t = { 0, 50000000 };
	sigset_t s;
	siginfo_t si;
	long long t0;
	int sig;
	pid_t pid;

	handle(SIGUSR1, on, 0);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGUSR2);
	sigaddset(&s, SIGRTMIN + 4);
	sigprocmask(SIG_BLOCK, &s, NULL);
	sys_err(sigtimedwait(&s, &si, &zero), EAGAIN, "nothing pending, no time");
	t0 = now_ms();
	sys_err(sigtimedwait(&s, &si, &t), EAGAIN, "nothing pending, some time");
	ok(now_ms() - t0 >= 50, "it waits that long");
	sys_err(sigtimedwait(&s, &si, &bad), EINVAL, "bad nanoseconds");
	sys_err(sigtimedwait(&s, &si, &neg), EINVAL, "negative time");
	raise(SIGUSR2);
	is_int(sigtimedwait(&s, &si, &zero), SIGUSR2, "takes a pending signal");
	ok(si.si_signo == SIGUSR2 && si.si_pid == getpid(), "with its siginfo");
	sys_err(sigtimedwait(&s, &si, &zero), EAGAIN, "and it is pending no more");
	sigqueue(getpid(), SIGRTMIN + 4, (union sigval){ .sival_int = 11 });
	sigqueue(getpid(), SIGRTMIN + 4, (union sigval){ .sival_int = 12 });
	raise(SIGUSR1);
	is_int(sigwaitinfo(&s, &si), SIGUSR1, "the lowest number comes first");
	is_int(ran, 0, "the handler does not run");
	ok(sigwaitinfo(&s, &si) == SIGRTMIN + 4 && si.si_value.sival_int == 11,
	   "queued ones in order");
	ok(sigwaitinfo(&s, &si) == SIGRTMIN + 4 && si.si_value.sival_int == 12, "and each once");
	pid = poke(SIGUSR1, NULL);
	is_int(sigwaitinfo(&s, &si), SIGUSR1, "a signal arriving during the wait");
	ok(si.si_pid == pid && si.si_code == SI_USER, "its sender is known");
	is_int(ran, 0, "again no handler");
	unpoke(pid);
	raise(SIGUSR1);
	is_int(sigwait(&s, &sig), 0, "sigwait");
	is_int(sig, SIGUSR1, "gives the number");
	is_int(sigtimedwait(&s, NULL, &zero) == -1 && errno == EAGAIN, 1, "a NULL siginfo is fine");
	raise(SIGUSR1);
	sys_err(syscall(SYS_rt_sigtimedwait, &s, at(8), NULL, 8), EFAULT, "bad siginfo pointer");
	sys_err(syscall(SYS_rt_sigtimedwait, at(8), &si, NULL, 8), EFAULT, "bad set pointer");
	sys_err(syscall(SYS_rt_sigtimedwait, &s, &si, NULL, 4), EINVAL, "wrong set size");
	sys_err(syscall(SYS_rt_sigtimedwait, &s, &si, at(8), 8), EFAULT, "bad time pointer");

	/* a signal that is waited for but ignored by default still arrives when blocked */
	sigemptyset(&s);
	sigaddset(&s, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s, NULL);
	if ((pid = fork()) == 0)
		_exit(9);
	is_int(sigwaitinfo(&s, &si), SIGCHLD, "waits for SIGCHLD");
	ok(si.si_pid == pid && si.si_status == 9 && si.si_code == CLD_EXITED,
	   "with pid, code and status");
	reap(pid);
	return done();
}
