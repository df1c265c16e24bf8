/* SPDX-License-Identifier: MIT */
/* F_SETOWN: a signal goes to those only whom the owner may signal, also in a group. */
#include "../tap.h"
#include <sys/ioctl.h>

/* As a user: SIGTERM to that process or (negative) group when a pipe of ours becomes readable. */
static int
aim(int target)
{
	int fds[2];

	if (setgid(1000) || setuid(1000))
		return 1;
	if (pipe(fds) || fcntl(fds[0], F_SETSIG, SIGTERM) || fcntl(fds[0], F_SETOWN, target))
		return 2;
	if (fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK))
		return 3;
	if (write(fds[1], "x", 1) != 1)
		return 4;
	usleep(200000);
	return 0;
}

static pid_t
victim(uid_t uid)
{
	pid_t pid = must(fork());

	if (!pid) {
		if (setpgid(0, 0) || (uid && (setgid(uid) || setuid(uid))))
			_exit(1);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	usleep(100000);
	return pid;
}

static void
test(uid_t uid, int group, int dies)
{
	pid_t target = victim(uid), pid = must(fork());
	int st;

	if (!pid)
		_exit(aim(group ? -target : target));
	is_exit(pid, 0, "user 1000 asks for a signal to a %s of user %d",
		group ? "group" : "process", (int)uid);
	usleep(100000);
	st = 0;
	is_int(waitpid(target, &st, WNOHANG) == target, dies, "which %s",
	       dies ? "gets it" : "does not get it");
	if (!st) {
		kill(target, SIGKILL);
		waitpid(target, &st, 0);
	}
}

int
main(void)
{
	if (geteuid()) {
		diag("not root");
		ok(1, "nothing to try");
		return done();
	}
	test(0, 0, 0);
	test(0, 1, 0);
	test(1000, 0, 1);
	test(1000, 1, 1);
	return done();
}
