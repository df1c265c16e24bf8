/* SPDX-License-Identifier: MIT */
/* kill, tkill, tgkill, sigqueue: targets, probes, permissions, errors. */
#include "../compat.h"
#include "../tap.h"

static pid_t
sleeper(pid_t pgrp)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		setpgid(0, pgrp);
		for (;;)
			pause();
	}
	setpgid(pid, pgrp);
	return pid;
}

static long
queueinfo(pid_t pid, int sig, int code)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_code = code;
	return syscall(SYS_rt_sigqueueinfo, pid, sig, &si);
}

int
main(void)
{
	pid_t a = sleeper(0), b = sleeper(a), c, gone, pid;
	siginfo_t si;

	sys_ok(kill(a, 0), "signal 0 probes");
	sys_ok(kill(-a, 0), "signal 0 probes a group");
	sys_err(kill(a, 65), EINVAL, "signal 65");
	sys_err(kill(a, -1), EINVAL, "signal -1");
	sys_err(kill(0x3fffffff, SIGTERM), ESRCH, "no such process");
	sys_err(kill(-0x3fffffff, SIGTERM), ESRCH, "no such group");
	sys_err(kill(INT_MIN, SIGTERM), ESRCH, "the most negative number");
	if ((gone = fork()) == 0)
		_exit(0);
	wait_state(gone, 'Z');
	sys_ok(kill(gone, SIGTERM), "a zombie can be signalled");
	is_exit(gone, 0, "without effect");
	sys_err(kill(gone, 0), ESRCH, "a reaped one cannot");

	sys_ok(kill(-a, SIGTERM), "kill a group");
	is_killed(a, SIGTERM, "its leader dies");
	is_killed(b, SIGTERM, "its member dies");
	if ((pid = fork()) == 0) {
		setpgid(0, 0);
		a = sleeper(getpid());
		signal(SIGUSR1, SIG_IGN);
		kill(0, SIGUSR1);
		_exit(WTERMSIG(reap(a)) == SIGUSR1 ? 0 : 1);
	}
	is_exit(pid, 0, "kill 0 reaches the own group, itself included");

	/* permissions: a user against root, against itself */
	a = sleeper(0);
	if ((pid = fork()) == 0) {
		int bad = 0;

		if (setgid(1000) || setuid(1000))
			_exit(100);
		bad |= kill(a, SIGTERM) == 0 || errno != EPERM;
		bad |= (kill(a, 0) == 0 || errno != EPERM) << 1;
		bad |= (kill(-a, SIGTERM) == 0 || errno != EPERM) << 2;
		bad |= (kill(a, SIGCONT) != 0) << 3; /* same session */
		bad |= (syscall(SYS_tgkill, a, a, SIGTERM) == 0 || errno != EPERM) << 4;
		c = sleeper(0);
		bad |= (kill(c, SIGTERM) != 0) << 5;
		bad |= (WTERMSIG(reap(c)) != SIGTERM) << 6;
		_exit(bad);
	}
	is_exit(pid, 0, "a user may not signal root's processes except SIGCONT in its session");
	c = fork();
	if (c == 0) {
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		for (;;)
			pause();
	}
	if ((pid = fork()) == 0) {
		while (task_state(c) != 'S')
			sleep_ms(1);
		if (setresuid(1000, 2000, 2000))
			_exit(100);
		_exit(kill(c, SIGTERM) == 0 ? 0 : 1);
	}
	is_exit(pid, 0, "a matching real uid is enough");
	is_killed(c, SIGTERM, "the target dies");

	sys_err(syscall(SYS_tgkill, a, a + 1, SIGTERM), ESRCH,
		"tgkill of a thread of another group");
	sys_err(syscall(SYS_tgkill, -1, a, SIGTERM), EINVAL, "tgkill bad group");
	sys_err(syscall(SYS_tgkill, a, 0, SIGTERM), EINVAL, "tgkill bad thread");
	sys_err(syscall(SYS_tgkill, getpid(), a, SIGTERM), ESRCH, "tgkill with the wrong group");
	sys_err(syscall(SYS_tkill, 0, SIGTERM), EINVAL, "tkill 0");
	sys_err(syscall(SYS_tkill, a, 65), EINVAL, "tkill bad signal");
	sys_ok(syscall(SYS_tgkill, a, a, 0), "tgkill 0 probes");
	sys_ok(syscall(SYS_tkill, a, 0), "tkill 0 probes");

	sys_err(queueinfo(a, SIGUSR1, SI_USER), EPERM,
		"rt_sigqueueinfo may not pretend to be kill");
	sys_err(queueinfo(a, SIGUSR1, SI_KERNEL), EPERM, "nor the kernel");
	sys_err(queueinfo(a, SIGUSR1, SI_TKILL), EPERM, "nor tkill");
	block(SIGUSR1);
	sys_ok(queueinfo(getpid(), SIGUSR1, SI_USER), "but to oneself anything goes");
	ok(sigwaitinfo(&(sigset_t){ { 1 << (SIGUSR1 - 1) } }, &si) == SIGUSR1 &&
		   si.si_code == SI_USER,
	   "and arrives");
	sys_err(sigqueue(0x3fffffff, SIGUSR1, (union sigval){ 0 }), ESRCH, "sigqueue to nobody");
	sys_err(sigqueue(a, 65, (union sigval){ 0 }), EINVAL, "sigqueue bad signal");
	sys_err(syscall(SYS_rt_sigqueueinfo, a, SIGUSR1, at(8)), EFAULT,
		"rt_sigqueueinfo bad pointer");
	sys_ok(sigqueue(a, 0, (union sigval){ 0 }), "sigqueue 0 probes");
	kill(a, SIGKILL);
	is_killed(a, SIGKILL, "the sleeper is still there to be killed");
	return done();
}
