/* SPDX-License-Identifier: MIT */
/* wait4 and waitpid: whom they wait for, options, statuses, errors. */
#include "../compat.h"
#include "../tap.h"

static pid_t
spawn(int code, pid_t pgrp)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		if (pgrp >= 0)
			setpgid(0, pgrp);
		_exit(code);
	}
	if (pgrp >= 0)
		setpgid(pid, pgrp);
	return pid;
}

int
main(void)
{
	struct rusage ru;
	pid_t a, b, c, pid;
	int st = 0x1234, p[2];
	char ch;

	sys_err(waitpid(-1, &st, 0), ECHILD, "no child");
	sys_err(waitpid(1, &st, 0), ECHILD, "somebody else's child");
	sys_err(waitpid(-1, &st, WNOHANG), ECHILD, "no child with WNOHANG");
	must(pipe(p));
	if ((a = fork()) == 0) {
		close(p[1]);
		_exit(read(p[0], &ch, 1) == 0 ? 4 : 5);
	}
	is_int(waitpid(a, &st, WNOHANG), 0, "WNOHANG while it runs");
	is_int(st, 0x1234, "the status is not touched");
	close(p[1]);
	memset(&ru, 0xff, sizeof(ru));
	is_int(wait4(a, &st, 0, &ru), a, "wait4");
	is_int(st, 4 << 8, "status is code << 8");
	ok(ru.ru_maxrss >= 0 && ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 10,
	   "rusage is filled");
	sys_err(waitpid(a, &st, 0), ECHILD, "a child is reaped once");

	a = spawn(1, -1), b = spawn(2, -1), c = spawn(3, -1);
	is_int(waitpid(b, &st, 0), b, "a certain child");
	is_int(WEXITSTATUS(st), 2, "has its status");
	pid = waitpid(-1, &st, 0);
	ok((pid == a && WEXITSTATUS(st) == 1) || (pid == c && WEXITSTATUS(st) == 3), "any child");
	pid_t other = pid == a ? c : a;
	is_int(wait(&st), other, "wait gives the last one");
	a = spawn(1, 0), b = spawn(2, -1);
	c = spawn(3, 0);
	is_int(waitpid(-c, &st, 0), c, "a certain group");
	is_int(waitpid(0, &st, 0), b, "the own group");
	is_int(waitpid(-a, NULL, 0), a, "NULL status");
	sys_err(waitpid(-a, &st, 0), ECHILD, "an empty group");

	sys_err(waitpid(-1, &st, 0x80), EINVAL, "unknown option");
	sys_err(wait4(INT_MIN, &st, 0, NULL), ESRCH, "pid INT_MIN");
	a = spawn(9, -1);
	wait_state(a, 'Z');
	sys_err(wait4(a, at(8), 0, NULL), EFAULT, "bad status pointer");
	sys_err(waitpid(a, &st, WNOHANG), ECHILD, "the child is consumed all the same");

	if ((a = fork()) == 0) {
		raise(SIGSTOP);
		raise(SIGKILL);
	}
	is_int(waitpid(a, &st, WUNTRACED), a, "WUNTRACED");
	is_int(st, SIGSTOP << 8 | 0x7f, "stop status");
	is_int(waitpid(a, &st, WNOHANG | WUNTRACED), 0, "reported once");
	kill(a, SIGCONT);
	is_int(waitpid(a, &st, 0), a, "without WCONTINUED only the end is seen");
	is_int(st, SIGKILL, "signal status");

	/* a blocked SIGCHLD stays pending after wait */
	block(SIGCHLD);
	a = spawn(0, -1);
	reap(a);
	sigset_t s;
	sigpending(&s);
	ok(sigismember(&s, SIGCHLD), "SIGCHLD stays pending after wait");
	/* grandchildren are not ours */
	if ((a = fork()) == 0) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		sleep_ms(20);
		_exit(0);
	}
	is_int(waitpid(-1, &st, 0), a, "only the child is waited for");
	sys_err(waitpid(-1, &st, 0), ECHILD, "not the grandchild");
	return done();
}
