/* SPDX-License-Identifier: MIT */
/* Helpers of the network tests: loopback only, brought up where nobody has. */
#ifndef TEST_NET_H
#define TEST_NET_H

#include "../compat.h"
#include "../tap.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static TAP_UNUSED void
lo_up(void)
{
	struct ifreq r = { 0 };
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	strcpy(r.ifr_name, "lo");
	must(ioctl(s, SIOCGIFFLAGS, &r));
	if (!(r.ifr_flags & IFF_UP)) {
		r.ifr_flags |= IFF_UP;
		must(ioctl(s, SIOCSIFFLAGS, &r));
	}
	close(s);
}

static TAP_UNUSED struct sockaddr_in
in4(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

static TAP_UNUSED struct sockaddr_in6
in6(const char *ip, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, ip, &a.sin6_addr);
	return a;
}

/* Bound to a free port of ip; the port is returned. */
static TAP_UNUSED int
bind4(int s, const char *ip)
{
	struct sockaddr_in a = in4(ip, 0);
	socklen_t len = sizeof(a);

	must(bind(s, (void *)&a, sizeof(a)));
	must(getsockname(s, (void *)&a, &len));
	return ntohs(a.sin_port);
}

static TAP_UNUSED int
opt_get(int s, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	if (getsockopt(s, level, name, &v, &len))
		return -errno;
	return v;
}

static TAP_UNUSED int
opt_set(int s, int level, int name, int v)
{
	return setsockopt(s, level, name, &v, sizeof(v));
}

/* Wait until s is readable, for at most five seconds. */
static TAP_UNUSED int
readable(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	return poll(&p, 1, 5000) == 1 && (p.revents & POLLIN);
}

#endif
