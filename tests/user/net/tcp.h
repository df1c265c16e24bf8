/* SPDX-License-Identifier: MIT */
/* TCP over loopback, for the tests of this directory. */
#ifndef TEST_TCP_H
#define TEST_TCP_H

#include "../tap.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static TAP_UNUSED void
loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (s >= 0 && ioctl(s, SIOCGIFFLAGS, &ifr) == 0 && !(ifr.ifr_flags & IFF_UP)) {
		ifr.ifr_flags |= IFF_UP;
		(void)!ioctl(s, SIOCSIFFLAGS, &ifr);
	}
	close(s);
}

static TAP_UNUSED struct sockaddr_in
loopback(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static TAP_UNUSED int
port_of(int s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	must(getsockname(s, (void *)&a, &len));
	return ntohs(a.sin_port);
}

static TAP_UNUSED int
tcp_socket(void)
{
	return must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static TAP_UNUSED int
tcp_listener(int port, int backlog)
{
	struct sockaddr_in a = loopback(port);
	int s = tcp_socket(), one = 1;

	must(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(bind(s, (void *)&a, sizeof(a)));
	must(listen(s, backlog));
	return s;
}

static TAP_UNUSED int
tcp_connect_to(int port)
{
	struct sockaddr_in a = loopback(port);
	int s = tcp_socket();

	must(connect(s, (void *)&a, sizeof(a)));
	return s;
}

/* p[0] connected to p[1]. */
static TAP_UNUSED void
tcp_pair(int p[2])
{
	int l = tcp_listener(0, 5);

	p[0] = tcp_connect_to(port_of(l));
	p[1] = must(accept4(l, NULL, NULL, SOCK_CLOEXEC));
	close(l);
}

static TAP_UNUSED void
set_int(int s, int level, int name, int v)
{
	must(setsockopt(s, level, name, &v, sizeof(v)));
}

static TAP_UNUSED int
get_int(int s, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	must(getsockopt(s, level, name, &v, &len));
	return v;
}

static TAP_UNUSED int
poll_now(int s, int events)
{
	struct pollfd p = { .fd = s, .events = (short)events };

	must(poll(&p, 1, 0));
	return p.revents;
}

/* Wait (2 s at most) until poll reports all of `want`; what it reports then. */
static TAP_UNUSED int
poll_for(int s, int events, int want)
{
	long long end = now_ms() + 2000;
	int got;

	do {
		got = poll_now(s, events);
		if ((got & want) == want)
			break;
		sleep_ms(2);
	} while (now_ms() < end);
	return got;
}

static TAP_UNUSED int
tcp_state(int s)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);

	must(getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &len));
	return i.tcpi_state;
}

static TAP_UNUSED int
wait_tcp_state(int s, int state)
{
	long long end = now_ms() + 2000;

	while (now_ms() < end) {
		if (tcp_state(s) == state)
			return 1;
		sleep_ms(2);
	}
	diag("state is %d, want %d", tcp_state(s), state);
	return 0;
}

static TAP_UNUSED void
nonblocking(int s)
{
	must(fcntl(s, F_SETFL, must(fcntl(s, F_GETFL)) | O_NONBLOCK));
}

static TAP_UNUSED void
reset_on_close(int s)
{
	struct linger l = { 1, 0 };

	must(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	close(s);
}

#endif
