/* SPDX-License-Identifier: MIT */
/* AF_UNIX datagrams and sequenced packets: boundaries, truncation, addresses, queues. */
#include "../compat.h"
#include "../tap.h"
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static struct sockaddr_un
addr(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return a;
}

int
main(void)
{
	struct sockaddr_un a, b = addr("b"), from;
	socklen_t len = sizeof(from);
	struct iovec iov[2];
	struct msghdr m = { 0 };
	static char buf[300000], big[300000];
	int s, r, x, i, p[2], n;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	scratch();
	s = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	r = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	must(bind(r, (void *)&b, sizeof(b)));
	is_int(sendto(s, "one", 3, 0, (void *)&b, sizeof(b)), 3, "sendto");
	is_int(sendto(s, "second", 6, 0, (void *)&b, sizeof(b)), 6, "another");
	is_int(sendto(s, "", 0, 0, (void *)&b, sizeof(b)), 0, "an empty one");
	ok(ioctl(r, FIONREAD, &n) == 0 && n == 3, "FIONREAD is the first one's size");
	is_int(recvfrom(r, buf, 100, 0, (void *)&from, &len), 3, "boundaries are kept");
	ok(len == 0 || len == 2, "an unnamed sender has no address");
	is_int(recv(r, buf, 3, MSG_PEEK), 3, "MSG_PEEK of a part");
	is_int(recv(r, buf, 3, MSG_PEEK | MSG_TRUNC), 6, "MSG_TRUNC tells the true size");
	is_int(recv(r, buf, 3, 0), 3, "a short buffer");
	is_int(recv(r, buf, 3, 0), 0, "loses the rest; then the empty one");
	sys_err(recv(r, buf, 3, 0), EAGAIN, "then nothing");
	a = addr("a");
	must(bind(s, (void *)&a, sizeof(a)));
	must(sendto(s, "named", 5, 0, (void *)&b, sizeof(b)));
	len = sizeof(from);
	must(recvfrom(r, buf, 100, 0, (void *)&from, &len));
	ok(len == 4 && strcmp(from.sun_path, "a") == 0, "a named sender's address");
	sys_ok(connect(s, (void *)&b, sizeof(b)), "connect");
	is_int(send(s, "c", 1, 0), 1, "send");
	must(recv(r, buf, 10, 0));
	x = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	sys_err(send(x, "x", 1, 0), ENOTCONN, "send without a target");
	must(connect(r, (void *)&a, sizeof(a)));
	sys_err(sendto(x, "x", 1, 0, (void *)&b, sizeof(b)), EPERM,
		"a connected receiver takes from its peer only");
	from.sun_family = AF_UNSPEC;
	sys_ok(connect(r, (void *)&from, 2), "connect to AF_UNSPEC dissolves it");
	is_int(sendto(x, "x", 1, 0, (void *)&b, sizeof(b)), 1, "open for all again");
	must(recv(r, buf, 10, 0));
	for (i = 0; send(s, "q", 1, MSG_DONTWAIT) == 1; i++)
		;
	ok(errno == EAGAIN && i >= 2, "a full queue: EAGAIN");
	if ((pid = fork()) == 0)
		_exit(send(s, "w", 1, 0) == 1 ? 0 : 1);
	wait_state(pid, 'S');
	must(recv(r, buf, 10, 0));
	is_exit(pid, 0, "a blocking send waits for room");
	while (recv(r, buf, 10, 0) > 0)
		;
	sys_err(sendto(s, big, sizeof(big), 0, NULL, 0), EMSGSIZE, "larger than the send buffer");
	is_int(send(s, big, 100000, 0), 100000, "100000 bytes in one");
	is_int(recv(r, buf, sizeof(buf), 0), 100000, "arrive in one");
	close(r);
	sys_err(send(s, "x", 1, 0), ECONNREFUSED, "the receiver is gone");
	sys_err(sendto(x, "x", 1, 0, (void *)&b, sizeof(b)), ECONNREFUSED, "its name refuses");
	must(unlink("b"));
	sys_err(sendto(x, "x", 1, 0, (void *)&b, sizeof(b)), ENOENT, "no name");
	sys_err(listen(x, 1), EOPNOTSUPP, "listen");
	sys_err(accept(x, NULL, NULL), EOPNOTSUPP, "accept");

	iov[0] = (struct iovec){ "ab", 2 };
	iov[1] = (struct iovec){ "cde", 3 };
	m.msg_iov = iov, m.msg_iovlen = 2;
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	is_int(sendmsg(p[0], &m, 0), 5, "sendmsg gathers one datagram");
	iov[0] = (struct iovec){ buf, 1 };
	iov[1] = (struct iovec){ buf + 10, 2 };
	is_int(recvmsg(p[1], &m, 0), 3, "recvmsg scatters");
	ok(m.msg_flags & MSG_TRUNC, "MSG_TRUNC in msg_flags");
	ok(buf[0] == 'a' && buf[10] == 'b' && buf[11] == 'c', "the data");
	must(write(p[0], "eof", 3));
	close(p[0]);
	is_int(read(p[1], buf, 10), 3, "data survives the sender");
	sys_err(recv(p[1], buf, 10, MSG_DONTWAIT), EAGAIN, "no end of file for datagrams");
	sys_err(send(p[1], "x", 1, 0), ECONNREFUSED, "the other end is gone");

	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	must(send(p[0], "first", 5, 0));
	must(send(p[0], "2nd", 3, MSG_EOR));
	is_int(recv(p[1], buf, 2, 0), 2, "SEQPACKET: a short read");
	iov[0] = (struct iovec){ buf, 100 };
	m.msg_iovlen = 1;
	is_int(recvmsg(p[1], &m, 0), 3, "loses the rest of the packet");
	is_int(m.msg_flags & MSG_TRUNC, 0, "this one was whole");
	close(p[0]);
	is_int(recv(p[1], buf, 10, 0), 0, "SEQPACKET has an end");
	sys_err(send(p[1], "x", 1, MSG_NOSIGNAL), EPIPE, "and EPIPE");
	s = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	must(bind(s, (void *)&b, sizeof(b)));
	must(listen(s, 3));
	x = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	sys_ok(connect(x, (void *)&b, sizeof(b)), "SEQPACKET connect");
	sys_ok(r = accept(s, NULL, NULL), "and accept");
	must(send(x, "hi", 2, 0));
	is_int(recv(r, buf, 10, 0), 2, "exchange");
	sys_err(connect(must(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&b, sizeof(b)), EPROTOTYPE,
		"another type");
	return done();
}
