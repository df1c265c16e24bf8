/* SPDX-License-Identifier: MIT */
/* UDP over loopback: boundaries, addresses, errors, connect, peeking, options. */
#include "net.h"

struct sock_extended_err {
	uint32_t ee_errno;
	uint8_t ee_origin, ee_type, ee_code, ee_pad;
	uint32_t ee_info, ee_data;
};
#define SO_EE_ORIGIN_ICMP 2

static char big[70000], buf[70000];

static void
datagrams(void)
{
	int r = must(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), port = bind4(r, "127.0.0.1"), n;
	struct sockaddr_in to = in4("127.0.0.1", port), from, self;
	socklen_t len = sizeof(from);

	sys_err(recv(r, buf, 10, 0), EAGAIN, "nothing there yet");
	is_int(sendto(s, "hello", 5, 0, (void *)&to, sizeof(to)), 5, "sendto");
	ok(readable(r), "poll says readable");
	ok(ioctl(r, FIONREAD, &n) == 0 && n == 5, "FIONREAD is its size");
	is_int(recv(r, buf, 2, MSG_PEEK), 2, "peek");
	is_int(recv(r, buf, 2, MSG_PEEK | MSG_TRUNC), 5, "peek with the true size");
	is_int(recvfrom(r, buf, sizeof(buf), 0, (void *)&from, &len), 5, "recvfrom");
	ok(!memcmp(buf, "hello", 5) && len == sizeof(from), "the bytes and an address");
	len = sizeof(self);
	must(getsockname(s, (void *)&self, &len));
	ok(from.sin_port == self.sin_port && from.sin_port, "the sender got a port by itself");
	ok(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "and is on loopback");
	ok(self.sin_addr.s_addr == 0, "its own address stays unbound");
	is_int(sendto(s, "", 0, 0, (void *)&to, sizeof(to)), 0, "an empty datagram");
	ok(readable(r), "is readable");
	is_int(recv(r, buf, 10, 0), 0, "and read as 0");
	for (int i = 0; i < 3; i++)
		sendto(s, big, 100 + i, 0, (void *)&to, sizeof(to));
	ok(recv(r, buf, 50, 0) == 50 && recv(r, buf, sizeof(buf), 0) == 101 &&
		   recv(r, buf, sizeof(buf), 0) == 102,
	   "boundaries are kept, the rest of a short read is lost");
	for (int i = 0; i < 65507; i++)
		big[i] = (char)(i * 7);
	is_int(sendto(s, big, 65507, 0, (void *)&to, sizeof(to)), 65507, "the largest");
	ok(recv(r, buf, sizeof(buf), 0) == 65507 && !memcmp(buf, big, 65507), "arrives whole");
	sys_err(sendto(s, big, 65508, 0, (void *)&to, sizeof(to)), EMSGSIZE, "one more does not");
	sys_err(send(s, "x", 1, 0), EDESTADDRREQ, "no destination");
	to.sin_port = 0;
	sys_err(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)), EINVAL, "port 0");
	to.sin_family = AF_UNIX;
	sys_err(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)), EAFNOSUPPORT, "another family");
	sys_err(sendto(s, "x", 1, 0, (void *)&to, 4), EINVAL, "a short address");
	close(s);
	close(r);
}

static void
connected(void)
{
	int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = must(socket(AF_INET, SOCK_DGRAM, 0));
	int c = must(socket(AF_INET, SOCK_DGRAM, 0)), pa = bind4(a, "127.0.0.1"),
	    pb = bind4(b, "127.0.0.1");
	struct sockaddr_in to_a = in4("127.0.0.1", pa), to_b = in4("127.0.0.1", pb), name;
	struct sockaddr un = { .sa_family = AF_UNSPEC };
	struct pollfd p = { .fd = a, .events = POLLIN };
	socklen_t len = sizeof(name);

	sys_err(getpeername(a, (void *)&name, &len), ENOTCONN, "no peer yet");
	sys_ok(connect(a, (void *)&to_b, sizeof(to_b)), "connect");
	sys_ok(getpeername(a, (void *)&name, &len), "the peer");
	is_int(ntohs(name.sin_port), pb, "has that port");
	sys_ok(connect(c, (void *)&to_a, sizeof(to_a)), "a stranger connects");
	is_int(send(c, "stranger", 8, 0), 8, "and sends");
	sys_err(recv(a, buf, 10, MSG_DONTWAIT), EAGAIN, "but is not heard");
	ok(recv(c, buf, 10, MSG_DONTWAIT) == -1 && errno == ECONNREFUSED,
	   "the stranger is refused: the port is taken by a connection");
	is_int(sendto(b, "friend", 6, 0, (void *)&to_a, sizeof(to_a)), 6, "the peer sends");
	ok(readable(a) && recv(a, buf, 10, 0) == 6, "and is heard");
	is_int(sendto(a, "x", 1, 0, (void *)&to_b, sizeof(to_b)), 1, "sendto on a connected one");
	is_int(write(a, "y", 1), 1, "write");
	ok(recv(b, buf, 10, 0) == 1 && recv(b, buf, 10, 0) == 1, "both arrive");
	sys_ok(connect(a, &un, sizeof(un)), "AF_UNSPEC dissolves it");
	sys_err(getpeername(a, (void *)&name, &len), ENOTCONN, "no peer any more");
	sys_err(send(a, "x", 1, 0), EDESTADDRREQ, "nor a destination");
	close(b);
	sys_ok(connect(a, (void *)&to_b, sizeof(to_b)), "connect to nobody");
	is_int(send(a, "x", 1, 0), 1, "the first send goes");
	p.events = POLLIN;
	ok(poll(&p, 1, 5000) == 1 && p.revents & POLLERR, "poll shows the error");
	is_int(opt_get(a, SOL_SOCKET, SO_ERROR), ECONNREFUSED, "SO_ERROR");
	is_int(opt_get(a, SOL_SOCKET, SO_ERROR), 0, "only once");
	send(a, "x", 1, 0);
	sys_err(send(a, "x", 1, 0), ECONNREFUSED, "a later send reports it");
	close(a);
	close(c);
}

static void
binding(void)
{
	int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = must(socket(AF_INET, SOCK_DGRAM, 0));
	int port = bind4(a, "127.0.0.1");
	struct sockaddr_in x = in4("127.0.0.1", port), any = in4("0.0.0.0", port),
			   other = in4("127.0.0.2", port), far = in4("192.0.2.1", 0);

	sys_err(bind(a, (void *)&x, sizeof(x)), EINVAL, "bound already");
	sys_err(bind(b, (void *)&x, sizeof(x)), EADDRINUSE, "the same address");
	sys_err(bind(b, (void *)&any, sizeof(any)), EADDRINUSE, "or the wild card");
	sys_err(bind(b, (void *)&far, sizeof(far)), EADDRNOTAVAIL, "not ours");
	sys_err(bind(b, (void *)&x, 8), EINVAL, "a short address");
	sys_ok(bind(b, (void *)&other, sizeof(other)), "another address of loopback");
	close(b);
	b = must(socket(AF_INET, SOCK_DGRAM, 0));
	opt_set(b, SOL_SOCKET, SO_REUSEADDR, 1);
	sys_err(bind(b, (void *)&x, sizeof(x)), EADDRINUSE, "SO_REUSEADDR on one is not enough");
	opt_set(a, SOL_SOCKET, SO_REUSEADDR, 1);
	sys_ok(bind(b, (void *)&x, sizeof(x)), "on both it is");
	close(a);
	close(b);
	a = must(socket(AF_INET, SOCK_DGRAM, 0));
	b = must(socket(AF_INET, SOCK_DGRAM, 0));
	opt_set(a, SOL_SOCKET, SO_REUSEPORT, 1);
	opt_set(b, SOL_SOCKET, SO_REUSEPORT, 1);
	x = in4("127.0.0.1", bind4(a, "127.0.0.1"));
	sys_ok(bind(b, (void *)&x, sizeof(x)), "SO_REUSEPORT");
	int n[2] = { 0, 0 };
	for (int i = 0; i < 64; i++) {
		int s = must(socket(AF_INET, SOCK_DGRAM, 0));

		must(sendto(s, "x", 1, 0, (void *)&x, sizeof(x)));
		n[0] += recv(a, buf, 1, MSG_DONTWAIT) == 1;
		n[1] += recv(b, buf, 1, MSG_DONTWAIT) == 1;
		close(s);
	}
	ok(n[0] + n[1] == 64 && n[0] && n[1], "shares datagrams among both");
	close(a);
	close(b);
}

static void
options(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), r = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = in4("127.0.0.1", bind4(r, "0.0.0.0")), from;
	char control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int pktinfo = 0, ttl = 0, tos = -1, stamp = 0;
	struct timeval tv;

	is_int(opt_get(s, SOL_SOCKET, SO_TYPE), SOCK_DGRAM, "SO_TYPE");
	is_int(opt_get(s, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP, "SO_PROTOCOL");
	is_int(opt_get(s, SOL_SOCKET, SO_DOMAIN), AF_INET, "SO_DOMAIN");
	is_int(opt_get(s, IPPROTO_IP, IP_TTL), 64, "IP_TTL by default");
	sys_ok(opt_set(s, IPPROTO_IP, IP_TTL, 33), "set it");
	is_int(opt_get(s, IPPROTO_IP, IP_TTL), 33, "and read it");
	sys_err(opt_set(s, IPPROTO_IP, IP_TTL, 256), EINVAL, "too large");
	sys_ok(opt_set(s, IPPROTO_IP, IP_TOS, 0x10), "IP_TOS");
	is_int(opt_get(s, IPPROTO_IP, IP_MULTICAST_TTL), 1, "IP_MULTICAST_TTL");
	is_int(opt_get(s, IPPROTO_IP, IP_MULTICAST_LOOP), 1, "IP_MULTICAST_LOOP");
	is_int(opt_get(s, IPPROTO_IP, 12345), -ENOPROTOOPT, "an unknown one");
	must(opt_set(r, IPPROTO_IP, IP_PKTINFO, 1));
	must(opt_set(r, IPPROTO_IP, IP_RECVTTL, 1));
	must(opt_set(r, IPPROTO_IP, IP_RECVTOS, 1));
	must(opt_set(r, SOL_SOCKET, SO_TIMESTAMP, 1));
	must(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)));
	m.msg_name = &from;
	m.msg_namelen = sizeof(from);
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	is_int(recvmsg(r, &m, 0), 1, "recvmsg");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo i;

			memcpy(&i, CMSG_DATA(c), sizeof(i));
			pktinfo = i.ipi_addr.s_addr == htonl(INADDR_LOOPBACK) &&
				  i.ipi_ifindex == (int)if_nametoindex("lo");
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			tos = *CMSG_DATA(c);
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMP) {
			memcpy(&tv, CMSG_DATA(c), sizeof(tv));
			stamp = labs(tv.tv_sec - time(NULL)) < 60;
		}
	}
	ok(pktinfo, "IP_PKTINFO: address and interface");
	is_int(ttl, 33, "IP_RECVTTL");
	is_int(tos, 0x10, "IP_RECVTOS");
	ok(stamp, "SO_TIMESTAMP");
	m.msg_controllen = 8;
	must(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)));
	must(recvmsg(r, &m, 0));
	ok(m.msg_flags & MSG_CTRUNC, "no room for them: MSG_CTRUNC");
	close(s);
	close(r);
}

static void
error_queue(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), x = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = in4("127.0.0.1", bind4(x, "127.0.0.1")), name;
	char control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_name = &name,
			    .msg_namelen = sizeof(name),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct sock_extended_err e = { 0 };

	close(x);
	must(opt_set(s, IPPROTO_IP, IP_RECVERR, 1));
	sys_err(recvmsg(s, &m, MSG_ERRQUEUE), EAGAIN, "an empty error queue");
	must(sendto(s, "lost", 4, 0, (void *)&to, sizeof(to)));
	struct pollfd p = { .fd = s, .events = 0 };
	ok(poll(&p, 1, 5000) == 1 && p.revents & POLLERR, "POLLERR, unconnected");
	m.msg_controllen = sizeof(control);
	is_int(recvmsg(s, &m, MSG_ERRQUEUE), 4, "the datagram comes back");
	ok(!memcmp(buf, "lost", 4) && name.sin_port == to.sin_port, "with its bytes and target");
	ok(m.msg_flags & MSG_ERRQUEUE, "MSG_ERRQUEUE is set");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
			memcpy(&e, CMSG_DATA(c), sizeof(e));
	ok(e.ee_errno == ECONNREFUSED && e.ee_origin == SO_EE_ORIGIN_ICMP && e.ee_type == 3 &&
		   e.ee_code == 3,
	   "and why: port unreachable");
	close(s);
}

static void
gathering(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), r = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = in4("127.0.0.1", bind4(r, "127.0.0.1"));
	struct mmsghdr mm[3] = { 0 };
	struct iovec iov[3] = { { "a", 1 }, { "bb", 2 }, { "ccc", 3 } };

	must(connect(s, (void *)&to, sizeof(to)));
	is_int(send(s, "one ", 4, MSG_MORE), 4, "MSG_MORE");
	sys_err(recv(r, buf, 100, MSG_DONTWAIT), EAGAIN, "holds it back");
	is_int(send(s, "two", 3, 0), 3, "the rest");
	ok(recv(r, buf, 100, 0) == 7 && !memcmp(buf, "one two", 7), "is one datagram");
	must(opt_set(s, IPPROTO_UDP, 1 /* UDP_CORK */, 1));
	must(send(s, "ab", 2, 0));
	must(send(s, "cd", 2, 0));
	sys_err(recv(r, buf, 100, MSG_DONTWAIT), EAGAIN, "UDP_CORK holds back");
	must(opt_set(s, IPPROTO_UDP, 1, 0));
	ok(recv(r, buf, 100, 0) == 4 && !memcmp(buf, "abcd", 4), "and lets go");
	for (int i = 0; i < 3; i++) {
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	is_int(sendmmsg(s, mm, 3, 0), 3, "sendmmsg");
	char in[3][8];
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){ in[i], 8 };
	is_int(recvmmsg(r, mm, 3, MSG_WAITFORONE, NULL), 3, "recvmmsg");
	ok(mm[0].msg_len == 1 && mm[1].msg_len == 2 && mm[2].msg_len == 3, "lengths");
	close(s);
	close(r);
}

static void
limits(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), r = must(socket(AF_INET, SOCK_DGRAM, 0)),
	    n = 0;
	struct sockaddr_in to = in4("127.0.0.1", bind4(r, "127.0.0.1"));
	struct timeval tv = { 0, 200000 };
	struct timespec t0, t1;

	must(opt_set(r, SOL_SOCKET, SO_RCVBUF, 4096));
	is_int(opt_get(r, SOL_SOCKET, SO_RCVBUF), 8192, "SO_RCVBUF is doubled");
	for (int i = 0; i < 200; i++)
		must(sendto(s, big, 500, 0, (void *)&to, sizeof(to)));
	while (recv(r, buf, sizeof(buf), MSG_DONTWAIT) == 500)
		n++;
	ok(n > 0 && n < 20, "a full receive buffer loses datagrams");
	must(setsockopt(r, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	clock_gettime(CLOCK_MONOTONIC, &t0);
	sys_err(recv(r, buf, 10, 0), EAGAIN, "SO_RCVTIMEO");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ok((t1.tv_sec - t0.tv_sec) * 1000000000L + t1.tv_nsec - t0.tv_nsec >= 199000000,
	   "not too early");
	sys_err(shutdown(r, SHUT_RD), ENOTCONN, "shutdown, unconnected");
	is_int(recv(r, buf, 10, 0), 0, "wakes readers all the same");
	close(s);
	close(r);
}

int
main(void)
{
	int s;

	lo_up();
	datagrams();
	connected();
	binding();
	options();
	error_queue();
	gathering();
	limits();
	sys_err(socket(AF_INET, 77, 0), EINVAL, "a bad type");
	sys_err(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT,
		"type and protocol differ");
	sys_err(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT, "no such type");
	s = must(socket(AF_INET, SOCK_DGRAM, 0));
	sys_err(listen(s, 1), EOPNOTSUPP, "listen");
	sys_err(accept(s, NULL, NULL), EOPNOTSUPP, "accept");
	return done();
}
