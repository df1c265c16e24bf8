/* SPDX-License-Identifier: MIT */
/* SIGPIPE: default, ignored, blocked, sockets and MSG_NOSIGNAL. */
#include "../tap.h"
#include <sys/socket.h>
#include <sys/uio.h>

int
main(void)
{
	struct iovec iov = { "abc", 3 };
	sigset_t pend;
	int p[2], s[2];
	pid_t pid;

	must(pipe(p));
	close(p[0]);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	close(s[0]);
	if ((pid = fork()) == 0) {
		signal(SIGPIPE, SIG_DFL);
		_exit(write(p[1], "x", 1) == 1);
	}
	is_killed(pid, SIGPIPE, "the default kills");
	if ((pid = fork()) == 0) {
		signal(SIGPIPE, SIG_DFL);
		_exit(send(s[1], "x", 1, 0) == 1);
	}
	is_killed(pid, SIGPIPE, "also for a stream socket");
	signal(SIGPIPE, SIG_IGN);
	sys_err(write(p[1], "x", 1), EPIPE, "ignored: EPIPE");
	sys_err(writev(p[1], &iov, 1), EPIPE, "writev too");
	is_int(write(p[1], "x", 0), 0, "an empty write gives no error");
	sys_err(send(s[1], "x", 1, 0), EPIPE, "send: EPIPE");
	signal(SIGPIPE, SIG_DFL);
	sys_err(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE, "MSG_NOSIGNAL: EPIPE and no signal");
	block(SIGPIPE);
	sys_err(write(p[1], "x", 1), EPIPE, "blocked: EPIPE");
	sigpending(&pend);
	ok(sigismember(&pend, SIGPIPE), "and pending");
	return done();
}
