/* SPDX-License-Identifier: MIT */
/* TCP: SO_REUSEPORT spreads connections; ports of connections that were closed; IPv6 and dual
 * stack. */
#include "tcp.h"

static int
reuse_listener(int port)
{
	struct sockaddr_in a = loopback(port);
	int s = tcp_socket();

	set_int(s, SOL_SOCKET, SO_REUSEPORT, 1);
	must(bind(s, (void *)&a, sizeof(a)));
	must(listen(s, 100));
	nonblocking(s);
	return s;
}

static void
spread(void)
{
	int a = reuse_listener(0), b = reuse_listener(port_of(a)), c[64], na = 0, nb = 0, s;
	struct sockaddr_in at = loopback(port_of(a));
	int other = tcp_socket();

	sys_err(bind(other, (void *)&at, sizeof(at)), EADDRINUSE,
		"one without SO_REUSEPORT may not join");
	close(other);
	for (int i = 0; i < 64; i++)
		c[i] = tcp_connect_to(port_of(a));
	for (int tries = 0; tries < 200 && na + nb < 64; tries++) {
		while ((s = accept(a, NULL, NULL)) >= 0) {
			na++;
			close(s);
		}
		while ((s = accept(b, NULL, NULL)) >= 0) {
			nb++;
			close(s);
		}
		sleep_ms(2);
	}
	is_int(na + nb, 64, "all connections come to one of the two");
	ok(na > 5 && nb > 5, "neither is left out");
	for (int i = 0; i < 64; i++)
		close(c[i]);
	close(a);
	close(b);
}

static void
restart(void)
{
	int l = tcp_listener(0, 5), port = port_of(l), c = tcp_connect_to(port);
	int s = must(accept(l, NULL, NULL));
	struct sockaddr_in a = loopback(port);
	char buf[4];

	/* The server closes first: TIME_WAIT is on its side. */
	close(s);
	is_int(read(c, buf, 1), 0, "the server closed");
	close(c);
	close(l);
	sleep_ms(20);
	l = tcp_socket();
	set_int(l, SOL_SOCKET, SO_REUSEADDR, 1);
	sys_ok(bind(l, (void *)&a, sizeof(a)), "SO_REUSEADDR binds beside TIME_WAIT");
	sys_ok(listen(l, 5), "and listens");
	c = tcp_connect_to(port);
	close(must(accept(l, NULL, NULL)));
	close(c);
	close(l);
}

static void
dual_stack(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 }, from;
	socklen_t len = sizeof(a);
	int l = socket(AF_INET6, SOCK_STREAM, 0), c, s;

	if (l < 0) {
		skip("no IPv6", "IPv6");
		return;
	}
	must(bind(l, (void *)&a, sizeof(a)));
	must(listen(l, 5));
	must(getsockname(l, (void *)&a, &len));
	is_int(a.sin6_family, AF_INET6, "an IPv6 listener");
	c = tcp_connect_to(ntohs(a.sin6_port));
	len = sizeof(from);
	s = must(accept(l, (void *)&from, &len));
	is_int(len, sizeof(from), "takes IPv4 connections");
	ok(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr), "from mapped addresses");
	char buf[4];
	must(write(c, "abc", 3));
	is_int(read(s, buf, 4), 3, "which carry data");
	close(c);
	close(s);
	a.sin6_addr = in6addr_loopback;
	c = must(socket(AF_INET6, SOCK_STREAM, 0));
	if (connect(c, (void *)&a, sizeof(a))) {
		skip("no ::1", "IPv6 by loopback");
	} else {
		s = must(accept(l, (void *)&from, &len));
		ok(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr), "and IPv6 ones");
		must(write(c, "abc", 3));
		is_int(read(s, buf, 4), 3, "which carry data too");
		close(s);
	}
	close(c);
	close(l);
	l = must(socket(AF_INET6, SOCK_STREAM, 0));
	set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	a = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	must(bind(l, (void *)&a, sizeof(a)));
	must(listen(l, 5));
	len = sizeof(a);
	must(getsockname(l, (void *)&a, &len));
	struct sockaddr_in v4 = loopback(ntohs(a.sin6_port));
	c = tcp_socket();
	sys_err(connect(c, (void *)&v4, sizeof(v4)), ECONNREFUSED, "IPV6_V6ONLY takes no IPv4");
	close(c);
	close(l);
}

static void
outgoing_ports(void)
{
	int l = tcp_listener(0, 200), c[100], same = 0;

	for (int i = 0; i < 100; i++)
		c[i] = tcp_connect_to(port_of(l));
	for (int i = 0; i < 100; i++)
		for (int j = 0; j < i; j++)
			same += port_of(c[i]) == port_of(c[j]);
	is_int(same, 0, "every connection to one place has a port of its own");
	for (int i = 0; i < 100; i++)
		close(c[i]);
	int s = tcp_socket();
	struct sockaddr_in a = loopback(0), to = loopback(port_of(l));
	must(bind(s, (void *)&a, sizeof(a)));
	int port = port_of(s);
	must(connect(s, (void *)&to, sizeof(to)));
	is_int(port_of(s), port, "connect keeps the port of bind");
	close(s);
	close(l);
}

int
main(void)
{
	loopback_up();
	signal(SIGPIPE, SIG_IGN);
	spread();
	restart();
	dual_stack();
	outgoing_ports();
	return done();
}
