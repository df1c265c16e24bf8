/* SPDX-License-Identifier: MIT */
/* Socket options, timeouts, MSG_WAITALL, sendmmsg and recvmmsg, SIOCOUTQ. */
#include "../compat.h"
#include "../tap.h"
#include <sys/socket.h>
#include <sys/uio.h>
#ifndef SO_DOMAIN
#define SO_DOMAIN 39
#endif
#ifndef SO_PROTOCOL
#define SO_PROTOCOL 38
#endif

static int
get(int s, int opt)
{
	int v = -12345;
	socklen_t len = sizeof(v);

	return getsockopt(s, SOL_SOCKET, opt, &v, &len) || len != 4 ? -1 : v;
}

static int
set(int s, int opt, int v)
{
	return setsockopt(s, SOL_SOCKET, opt, &v, sizeof(v));
}

int
main(void)
{
	struct timeval tv = { 0, 50000 };
	struct mmsghdr mm[3];
	struct iovec iov[3];
	socklen_t len;
	char buf[100], c = 0;
	int s[2], d, one = 1, n;
	long long t0;
	pid_t pid;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	d = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	is_int(get(s[0], SO_TYPE), SOCK_STREAM, "SO_TYPE stream");
	is_int(get(d, SO_TYPE), SOCK_DGRAM, "SO_TYPE datagram");
	is_int(get(s[0], SO_DOMAIN), AF_UNIX, "SO_DOMAIN");
	is_int(get(s[0], SO_PROTOCOL), 0, "SO_PROTOCOL");
	is_int(get(s[0], SO_ERROR), 0, "SO_ERROR");
	is_int(get(s[0], SO_ACCEPTCONN), 0, "SO_ACCEPTCONN");
	is_int(get(s[0], SO_SNDBUF), 212992, "SO_SNDBUF by default");
	is_int(get(s[0], SO_RCVBUF), 212992, "SO_RCVBUF by default");
	sys_ok(set(s[0], SO_SNDBUF, 10000), "set SO_SNDBUF");
	is_int(get(s[0], SO_SNDBUF), 20000, "is doubled");
	sys_ok(set(s[0], SO_SNDBUF, 1), "a tiny one");
	is_int(get(s[0], SO_SNDBUF), 4608, "has a minimum");
	sys_ok(set(s[0], SO_RCVBUF, 5000), "set SO_RCVBUF");
	is_int(get(s[0], SO_RCVBUF), 10000, "is doubled too");
	sys_ok(set(s[0], SO_REUSEADDR, 1), "SO_REUSEADDR");
	is_int(get(s[0], SO_REUSEADDR), 1, "reads back");
	sys_ok(set(s[0], SO_KEEPALIVE, 5), "SO_KEEPALIVE");
	is_int(get(s[0], SO_KEEPALIVE), 1, "is a boolean");
	is_int(get(s[0], SO_PASSCRED), 0, "SO_PASSCRED off");
	sys_ok(set(s[0], SO_PASSCRED, 1), "on");
	is_int(get(s[0], SO_PASSCRED), 1, "reads back");
	must(set(s[0], SO_PASSCRED, 0));
	sys_ok(set(s[0], SO_PRIORITY, 3), "SO_PRIORITY");
	is_int(get(s[0], SO_PRIORITY), 3, "reads back");
	sys_err(set(s[0], 9999, 1), ENOPROTOOPT, "unknown option");
	sys_err(get(s[0], 9999) == -1 ? -1 : 0, ENOPROTOOPT, "unknown option to read");
	sys_err(setsockopt(s[0], 12345, 1, &one, sizeof(one)), EOPNOTSUPP, "unknown level");
	sys_err(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &one, 1), EINVAL, "a short value");
	sys_err(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, at(8), 4), EFAULT, "bad value pointer");
	sys_err(setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &one, 4), ENOTSOCK, "not a socket");
	n = 0x11223344;
	len = 1;
	sys_ok(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &n, &len), "a short buffer");
	ok(len == 1 && n == 0x11223300 + SOCK_STREAM, "gets just that much");
	len = -1;
	sys_err(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &n, &len), EINVAL, "a negative length");

	sys_ok(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), "SO_RCVTIMEO");
	len = sizeof(tv);
	memset(&tv, 0, sizeof(tv));
	sys_ok(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len), "reads back");
	ok(tv.tv_sec == 0 && tv.tv_usec >= 50000 && tv.tv_usec <= 60000,
	   "rounded up to a tick at most");
	t0 = now_ms();
	sys_err(recv(s[0], buf, 1, 0), EAGAIN, "a receive times out with EAGAIN");
	ok(now_ms() - t0 >= 50, "not before its time");
	tv = (struct timeval){ 0, 30000 };
	must(setsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	must(fcntl(s[1], F_SETFL, O_NONBLOCK));
	while (send(s[1], buf, sizeof(buf), 0) > 0)
		;
	must(fcntl(s[1], F_SETFL, 0));
	t0 = now_ms();
	sys_err(send(s[1], buf, sizeof(buf), 0), EAGAIN, "a send times out with EAGAIN");
	ok(now_ms() - t0 >= 30, "not before its time");
	tv = (struct timeval){ 0, 1000000 };
	sys_err(setsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), EDOM,
		"bad microseconds");
	close(s[0]), close(s[1]);

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	if ((pid = fork()) == 0) {
		for (int i = 0; i < 5; i++) {
			sleep_ms(5);
			c = 'a' + i;
			must(write(s[1], &c, 1));
		}
		_exit(0);
	}
	is_int(recv(s[0], buf, 5, MSG_WAITALL), 5, "MSG_WAITALL waits for all five");
	is_mem(buf, "abcde", 5, "in order");
	is_exit(pid, 0, "sender");
	must(write(s[1], "xy", 2));
	close(s[1]);
	is_int(recv(s[0], buf, 5, MSG_WAITALL), 2, "or for the end");
	close(s[0]);

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (n = 0; n < 3; n++) {
		iov[n] = (struct iovec){ buf + n * 10, n + 1 };
		memset(&mm[n], 0, sizeof(mm[n]));
		mm[n].msg_hdr.msg_iov = &iov[n];
		mm[n].msg_hdr.msg_iovlen = 1;
		memset(buf + n * 10, '1' + n, n + 1);
	}
	is_int(sendmmsg(s[0], mm, 3, 0), 3, "sendmmsg");
	ok(mm[0].msg_len == 1 && mm[2].msg_len == 3, "lengths sent");
	for (n = 0; n < 3; n++)
		iov[n].iov_len = 10;
	is_int(recvmmsg(s[1], mm, 3, MSG_DONTWAIT, NULL), 3, "recvmmsg");
	ok(mm[0].msg_len == 1 && mm[1].msg_len == 2 && mm[2].msg_len == 3 && buf[20] == '3',
	   "lengths received");
	sys_err(recvmmsg(s[1], mm, 3, MSG_DONTWAIT, NULL), EAGAIN, "nothing left");
	must(send(s[0], "q", 1, 0));
	is_int(recvmmsg(s[1], mm, 3, MSG_WAITFORONE, NULL), 1, "MSG_WAITFORONE");
	sys_err(send(s[0], "x", 1, MSG_OOB), EOPNOTSUPP, "MSG_OOB on datagrams");
	return done();
}
