/* SPDX-License-Identifier: MIT */
/* Sessions and process groups: setsid, setpgid and their refusals. */
#include "../tap.h"

static pid_t
sleeper(void)
{
	pid_t pid = must(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

int
main(int argc, char **argv)
{
	volatile int *m = shared_alloc(4096);
	pid_t a, b, pid;

	(void)argv;
	if (argc > 1) {
		sleep_ms(1000);
		return 0;
	}
	is_int(getpgrp(), getpgid(0), "getpgrp is getpgid(0)");
	is_int(getpgid(getpid()), getpgrp(), "and getpgid of the own pid");
	is_int(getsid(0), getsid(getpid()), "getsid(0) is that of the own pid");
	if ((pid = fork()) == 0) {
		m[0] = setsid();
		m[1] = getsid(0);
		m[2] = getpgrp();
		m[3] = setsid() == -1 && errno == EPERM;
		m[4] = setpgid(0, 0) == -1 && errno == EPERM;
		if (fork() == 0)
			_exit(getsid(0) == getppid() && getpgrp() == getppid() ? 7 : 8);
		int st;
		wait(&st);
		_exit(WEXITSTATUS(st));
	}
	is_exit(pid, 7, "a child inherits session and group");
	ok(m[0] == pid && m[1] == pid && m[2] == pid,
	   "setsid makes session and group of the caller's pid");
	ok(m[3], "a group leader cannot setsid");
	ok(m[4], "a session leader cannot setpgid");

	a = sleeper(), b = sleeper();
	is_int(getpgid(a), getpgrp(), "a child begins in the parent's group");
	sys_ok(setpgid(a, 0), "a group of its own");
	is_int(getpgid(a), a, "named by its pid");
	sys_ok(setpgid(b, a), "another joins it");
	is_int(getpgid(b), a, "it is in it");
	sys_ok(setpgid(b, getpgrp()), "back to the parent's group");
	is_int(getpgid(b), getpgrp(), "it is back");
	sys_ok(setpgid(a, a), "again is no error");
	sys_err(setpgid(a, 0x3ffffff), EPERM, "a group that does not exist");
	sys_err(setpgid(a, -1), EINVAL, "negative group");
	sys_err(setpgid(0x3ffffff, 0), ESRCH, "no such process");
	sys_err(setpgid(1, 0), ESRCH, "not a child");
	sys_err(getpgid(0x3ffffff), ESRCH, "getpgid of nobody");
	sys_err(getsid(0x3ffffff), ESRCH, "getsid of nobody");
	sys_err(getpgid(-1), ESRCH, "getpgid of -1");
	if ((pid = fork()) == 0) {
		setsid();
		m[5] = 1;
		for (;;)
			pause();
	}
	while (m[5] != 1)
		sleep_ms(1);
	sys_err(setpgid(pid, 0), EPERM, "a child that leads a session");
	sys_err(setpgid(b, pid), EPERM, "a group of another session");
	is_int(getsid(pid), pid, "getsid of another");
	kill(pid, SIGKILL), reap(pid);
	kill(a, SIGKILL), reap(a);
	kill(b, SIGKILL), reap(b);
	int p[2];
	char c;
	must(pipe2(p, O_CLOEXEC));
	if ((pid = fork()) == 0) {
		execl("/proc/self/exe", "session", "child", NULL);
		_exit(1);
	}
	close(p[1]);
	must(read(p[0], &c, 1)); /* closed by exec */
	sys_err(setpgid(pid, 0), EACCES, "a child that has executed");
	kill(pid, SIGKILL), reap(pid);
	return done();
}
