/* SPDX-License-Identifier: MIT */
/* IPv6 over loopback: UDP, dual-stack sockets, options, fragments, ICMPv6. */
#include "net.h"
#include <netinet/icmp6.h>

static char big[65000], buf[70000];

static int
have_ipv6(void)
{
	int s = socket(AF_INET6, SOCK_DGRAM, 0), r;
	struct sockaddr_in6 a = in6("::1", 0);

	if (s < 0)
		return 0;
	r = bind(s, (void *)&a, sizeof(a));
	close(s);
	return r == 0;
}

static int
bind6(int s, const char *ip)
{
	struct sockaddr_in6 a = in6(ip, 0);
	socklen_t len = sizeof(a);

	must(bind(s, (void *)&a, sizeof(a)));
	must(getsockname(s, (void *)&a, &len));
	return ntohs(a.sin6_port);
}

static void
datagrams(void)
{
	int r = must(socket(AF_INET6, SOCK_DGRAM, 0)), s = must(socket(AF_INET6, SOCK_DGRAM, 0));
	struct sockaddr_in6 to = in6("::1", bind6(r, "::1")), from;
	socklen_t len = sizeof(from);
	char text[64];

	is_int(sendto(s, "six", 3, 0, (void *)&to, sizeof(to)), 3, "sendto ::1");
	is_int(recvfrom(r, buf, 100, 0, (void *)&from, &len), 3, "recvfrom");
	inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
	is_str(text, "::1", "the sender's address");
	is_int(len, sizeof(from), "its length");
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 11);
	is_int(sendto(s, big, sizeof(big), 0, (void *)&to, sizeof(to)), sizeof(big), "a large one");
	ok(recv(r, buf, sizeof(buf), 0) == sizeof(big) && !memcmp(buf, big, sizeof(big)),
	   "arrives");
	sys_ok(connect(s, (void *)&to, sizeof(to)), "connect");
	close(r);
	is_int(send(s, "x", 1, 0), 1, "to nobody");
	sys_err(recv(s, buf, 1, 0), ECONNREFUSED, "is refused");
	close(s);
}

static void
dual_stack(void)
{
	int r = must(socket(AF_INET6, SOCK_DGRAM, 0)), s = must(socket(AF_INET, SOCK_DGRAM, 0));
	int x = must(socket(AF_INET, SOCK_DGRAM, 0)), y = must(socket(AF_INET6, SOCK_DGRAM, 0)),
	    port;
	struct sockaddr_in6 from, mapped;
	struct sockaddr_in to, any;
	socklen_t len = sizeof(from);
	char text[64];

	port = bind6(r, "::");
	to = in4("127.0.0.1", port);
	must(sendto(s, "four", 4, 0, (void *)&to, sizeof(to)));
	is_int(recvfrom(r, buf, 100, 0, (void *)&from, &len), 4, "IPv4 reaches an IPv6 socket");
	inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
	is_str(text, "::ffff:127.0.0.1", "from a mapped address");
	is_int(sendto(r, "back", 4, 0, (void *)&from, sizeof(from)), 4, "an answer to it");
	is_int(recv(s, buf, 100, 0), 4, "arrives");
	any = in4("0.0.0.0", port);
	sys_err(bind(x, (void *)&any, sizeof(any)), EADDRINUSE, "the port is taken for IPv4 too");
	close(r);
	must(opt_set(y, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	mapped = in6("::", port);
	sys_ok(bind(y, (void *)&mapped, sizeof(mapped)), "IPV6_V6ONLY");
	sys_ok(bind(x, (void *)&any, sizeof(any)), "leaves IPv4's to others");
	must(sendto(s, "only", 4, 0, (void *)&to, sizeof(to)));
	ok(recv(x, buf, 100, 0) == 4 && recv(y, buf, 100, MSG_DONTWAIT) == -1,
	   "who get their datagrams");
	mapped = in6("::ffff:127.0.0.1", port);
	sys_err(sendto(y, "x", 1, 0, (void *)&mapped, sizeof(mapped)), ENETUNREACH,
		"a mapped destination is out of reach then");
	close(s);
	close(x);
	close(y);
}

static void
options(void)
{
	int s = must(socket(AF_INET6, SOCK_DGRAM, 0)), r = must(socket(AF_INET6, SOCK_DGRAM, 0));
	struct sockaddr_in6 to = in6("::1", bind6(r, "::1"));
	char control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int info = 0, hops = 0, class = -1;

	is_int(opt_get(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64, "IPV6_UNICAST_HOPS by default");
	is_int(opt_get(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 1, "IPV6_MULTICAST_HOPS");
	is_int(opt_get(s, IPPROTO_IPV6, IPV6_V6ONLY), 0, "IPV6_V6ONLY is off");
	must(opt_set(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7));
	must(opt_set(s, IPPROTO_IPV6, IPV6_TCLASS, 0x20));
	sys_err(opt_set(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL, "too many hops");
	must(opt_set(r, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
	must(opt_set(r, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
	must(opt_set(r, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
	sys_err(opt_set(r, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL, "too late when bound");
	must(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)));
	is_int(recvmsg(r, &m, 0), 1, "recvmsg");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo i;

			memcpy(&i, CMSG_DATA(c), sizeof(i));
			info = IN6_IS_ADDR_LOOPBACK(&i.ipi6_addr) &&
			       i.ipi6_ifindex == if_nametoindex("lo");
		}
		if (c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
		if (c->cmsg_type == IPV6_TCLASS)
			memcpy(&class, CMSG_DATA(c), sizeof(class));
	}
	ok(info, "IPV6_PKTINFO");
	is_int(hops, 7, "IPV6_HOPLIMIT");
	is_int(class, 0x20, "IPV6_TCLASS");
	close(s);
	close(r);
}

static void
echo(void)
{
	int s = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	struct sockaddr_in6 to = in6("::1", 0);
	struct icmp6_filter f;
	struct icmp6_hdr h = { .icmp6_type = ICMP6_ECHO_REQUEST }, in;

	if (s < 0) {
		skip("no CAP_NET_RAW", "ICMPv6 echo");
		return;
	}
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	sys_ok(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f)), "ICMP6_FILTER");
	h.icmp6_id = htons(4242);
	is_int(sendto(s, &h, sizeof(h), 0, (void *)&to, sizeof(to)), sizeof(h), "an echo request");
	ok(readable(s), "is answered");
	is_int(recv(s, &in, sizeof(in), 0), sizeof(in), "without a network header");
	ok(in.icmp6_type == ICMP6_ECHO_REPLY && in.icmp6_id == h.icmp6_id, "by the reply");
	close(s);
}

int
main(void)
{
	lo_up();
	if (!have_ipv6()) {
		skip("no IPv6 here", "all of it");
		return done();
	}
	datagrams();
	dual_stack();
	options();
	echo();
	return done();
}
