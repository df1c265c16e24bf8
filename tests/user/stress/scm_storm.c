/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Descriptors in flight between processes that are killed at any moment; cycles; nothing stays
 * open. */
#include "../compat.h"
#include "../tap.h"
#include <sys/socket.h>
#include <sys/uio.h>

static union {
	char buf[256];
	struct cmsghdr align;
} c;

static long
send_fd(int s, int fd)
{
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = CMSG_SPACE(4) };
	struct cmsghdr *h;

	memset(&c, 0, sizeof(c));
	h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(4);
	memcpy(CMSG_DATA(h), &fd, 4);
	return sendmsg(s, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int
recv_fd(int s, int flags)
{
	char b;
	struct iovec iov = { &b, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = sizeof(c.buf) };
	int fd = -1;

	if (recvmsg(s, &m, flags) <= 0)
		return -1;
	if (CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), 4);
	return fd;
}

static long
open_files(void)
{
	char *s = get_file("/proc/sys/fs/file-nr");

	return s ? atol(s) : -1;
}

int
main(void)
{
	int s[2], t[2], p[2], bad = 0, fd;
	char b;
	long before, after = 0;
	pid_t pid;

	/* a pipe's writing end passed along a row of processes still works, and its end is seen */
	must(pipe(p));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(send_fd(s[0], p[1]));
	close(p[1]);
	for (int i = 0; i < 20; i++) {
		if ((pid = fork()) == 0) {
			fd = recv_fd(s[1], 0);
			_exit(fd >= 0 && write(fd, "y", 1) == 1 && send_fd(s[0], fd) == 1 ? 0 : 1);
		}
		bad += reap(pid) != 0;
		bad += read(p[0], &b, 1) != 1;
	}
	is_int(bad, 0, "a descriptor handed on twenty times");
	close(s[0]), close(s[1]);
	is_int(read(p[0], &b, 1), 0, "and closed with the last socket");

	before = open_files();
	for (int i = 0; i < 60; i++) {
		must(socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_SEQPACKET, 0, s));
		if ((pid = fork()) == 0) {
			for (;;) { /* fill and drain until killed */
				if (pipe(t))
					_exit(1);
				send_fd(s[0], t[0]);
				send_fd(s[1], t[1]);
				close(t[0]), close(t[1]);
				fd = recv_fd(s[0], MSG_DONTWAIT);
				if (fd >= 0 && rand() % 2)
					close(fd);
				else if (fd > 500)
					_exit(0);
			}
		}
		usleep(i * 30);
		kill(pid, SIGKILL);
		reap(pid);
		close(s[0]), close(s[1]);
	}
	ok(1, "60 processes killed with descriptors in flight");
	/* cycles: each pair holds itself, rings of pairs hold each other */
	for (int i = 0; i < 1000; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		must(socketpair(AF_UNIX, SOCK_DGRAM, 0, t));
		send_fd(s[0], s[1]);
		send_fd(s[1], t[0]);
		send_fd(t[1], s[0]);
		close(s[0]), close(s[1]), close(t[0]), close(t[1]);
	}
	/* an ordinary socket closed afterwards gives the collector its chance */
	for (int i = 0; i < 300; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		send_fd(s[0], s[1]);
		close(s[0]), close(s[1]);
		after = open_files();
		if (after < before + 1000)
			break;
		sleep_ms(10);
	}
	ok(after < before + 1000, "4000 sockets in cycles are collected");
	return done();
}
