/* SPDX-License-Identifier: MIT */
/*
 * Sockets under way in sockets under way: closing the outermost closes them all, one after the
 * other and not one within the other.
 */
#include "../tap.h"
#include <sys/socket.h>

#define DEPTH 400

static int
send_fd(int to, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return (int)sendmsg(to, &msg, 0);
}

/* A chain of sockets with the write end of a pipe innermost; the outermost is returned. */
static int
chain(int inner, int depth)
{
	int pair[2];

	for (int i = 0; i < depth; i++) {
		must(socketpair(AF_UNIX, i & 1 ? SOCK_DGRAM : SOCK_STREAM, 0, pair));
		if (send_fd(pair[0], inner) != 1) {
			close(pair[0]);
			close(pair[1]);
			return inner;
		}
		close(inner);
		close(pair[0]);
		inner = pair[1];
	}
	return inner;
}

int
main(void)
{
	struct rlimit files = { 1024, 1024 };
	struct pollfd p;
	int fds[2], last;

	setrlimit(RLIMIT_NOFILE, &files);
	must(pipe(fds));
	last = chain(fds[1], DEPTH);
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	is_int(poll(&p, 1, 0), 0, "the pipe is held open by a socket in a socket in a ...");
	close(last);
	p.revents = 0;
	is_int(poll(&p, 1, 10000), 1, "closing the outermost lets go of it");
	ok(p.revents & POLLHUP, "and it hangs up");

	/* The same by the death of a process. */
	close(fds[0]);
	must(pipe(fds));
	pid_t pid = must(fork());
	if (!pid) {
		close(fds[0]);
		chain(fds[1], DEPTH);
		_exit(0);
	}
	close(fds[1]);
	is_exit(pid, 0, "a process dies with its chain");
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	is_int(poll(&p, 1, 10000), 1, "which is let go");
	return done();
}
