/* SPDX-License-Identifier: MIT */
/* Raw and ping sockets over loopback: ICMP echo, ICMP_FILTER, IP_HDRINCL, unreachable protocols. */
#include "net.h"
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#ifndef ICMP_FILTER
#define ICMP_FILTER 1
#endif
#ifndef SOL_RAW
#define SOL_RAW 255
#endif

static unsigned char buf[2000];

static uint16_t
sum(const void *data, int len)
{
	const uint16_t *p = data;
	uint32_t s = 0;

	for (; len > 1; len -= 2)
		s += *p++;
	if (len)
		s += *(const uint8_t *)p;
	s = (s & 0xffff) + (s >> 16);
	s += s >> 16;
	return (uint16_t)~s;
}

static int
echo_make(unsigned char *out, int id, int seq, int len)
{
	struct icmphdr *h = (void *)out;

	memset(out, 'e', 8 + len);
	memset(h, 0, 8);
	h->type = ICMP_ECHO;
	h->un.echo.id = htons(id);
	h->un.echo.sequence = htons(seq);
	h->checksum = sum(out, 8 + len);
	return 8 + len;
}

static void
raw_echo(void)
{
	int s = must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)), n;
	struct sockaddr_in to = in4("127.0.0.1", 0), from;
	socklen_t len = sizeof(from);
	uint32_t filter = ~(1u << ICMP_ECHOREPLY);
	struct iphdr *ip = (void *)buf;

	sys_ok(setsockopt(s, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)), "ICMP_FILTER");
	filter = 0;
	len = sizeof(filter);
	ok(getsockopt(s, SOL_RAW, ICMP_FILTER, &filter, &len) == 0 && filter == ~1u, "reads back");
	n = echo_make(buf, 77, 1, 100);
	is_int(sendto(s, buf, n, 0, (void *)&to, sizeof(to)), n, "an echo request");
	ok(readable(s), "is answered");
	len = sizeof(from);
	n = recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &len);
	is_int(n, 128, "with its IP header");
	ok(ip->version == 4 && ip->ihl == 5 && ip->protocol == IPPROTO_ICMP && ip->ttl == 64,
	   "which is right");
	is_int(ntohs(ip->tot_len), 128, "total length");
	is_int(sum(buf, 20), 0, "header checksum");
	is_int(buf[20], ICMP_ECHOREPLY, "an echo reply");
	is_int(sum(buf + 20, n - 20), 0, "ICMP checksum");
	ok(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && from.sin_port == 0, "from loopback");
	sys_err(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN, "the request itself is filtered");
	/* In pieces. */
	n = echo_make(buf, 77, 2, 8);
	static unsigned char big[20000];
	n = echo_make(big, 78, 1, 19000);
	is_int(sendto(s, big, n, 0, (void *)&to, sizeof(to)), n, "a large request");
	ok(readable(s) && recv(s, big, sizeof(big), 0) == n + 20, "a large reply");
	close(s);
}

static void
own_header(void)
{
	int s = must(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
	int r = must(socket(AF_INET, SOCK_RAW, 253));
	struct sockaddr_in to = in4("127.0.0.1", 0);
	struct iphdr *ip = (void *)buf;
	int n;

	is_int(opt_get(s, IPPROTO_IP, IP_HDRINCL), 1, "IPPROTO_RAW means IP_HDRINCL");
	memset(buf, 0, sizeof(buf));
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 9;
	ip->protocol = 253;
	ip->daddr = to.sin_addr.s_addr;
	memcpy(buf + 20, "payload", 7);
	is_int(sendto(s, buf, 27, 0, (void *)&to, sizeof(to)), 27, "a packet of our own");
	ok(readable(r), "arrives");
	memset(buf, 0, sizeof(buf));
	n = recv(r, buf, sizeof(buf), 0);
	is_int(n, 27, "whole");
	ok(ip->ttl == 9 && ip->saddr == htonl(INADDR_LOOPBACK) && ip->id &&
		   ntohs(ip->tot_len) == 27,
	   "source, identification and length were filled in");
	is_int(sum(buf, 20), 0, "and the checksum");
	is_mem(buf + 20, "payload", 7, "the payload");
	sys_err(sendto(s, buf, 10, 0, (void *)&to, sizeof(to)), EINVAL, "shorter than a header");
	close(s);
	close(r);
	s = must(socket(AF_INET, SOCK_RAW, 254));
	must(connect(s, (void *)&to, sizeof(to)));
	must(opt_set(s, IPPROTO_IP, IP_RECVERR, 1));
	n = send(s, "x", 1, 0);
	is_int(n, 1, "a protocol that only a raw socket knows");
	sys_err(recv(s, buf, sizeof(buf), MSG_DONTWAIT | MSG_ERRQUEUE), EAGAIN,
		"is not unreachable");
	close(s);
	sys_err(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT, "no protocol");
}

static void
ping(void)
{
	int s, n, id;
	struct sockaddr_in to = in4("127.0.0.1", 0), name;
	socklen_t len = sizeof(name);
	FILE *f = fopen("/proc/sys/net/ipv4/ping_group_range", "r+");
	char old[64] = "";

	if (!f || !fgets(old, sizeof(old), f)) {
		skip("no ping_group_range", "ping sockets");
		return;
	}
	rewind(f);
	if (fputs("0 2147483647\n", f) < 0 || fflush(f)) {
		skip("ping_group_range cannot be set", "ping sockets");
		return;
	}
	s = must(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	n = echo_make(buf, 1, 5, 56);
	is_int(sendto(s, buf, n, 0, (void *)&to, sizeof(to)), n, "a ping");
	must(getsockname(s, (void *)&name, &len));
	id = ntohs(name.sin_port);
	ok(readable(s), "is answered");
	is_int(recv(s, buf, sizeof(buf), 0), n, "without IP header");
	ok(buf[0] == ICMP_ECHOREPLY && (buf[4] << 8 | buf[5]) == id && buf[7] == 5,
	   "the identifier is the socket's port");
	buf[0] = ICMP_TIMESTAMP;
	sys_err(sendto(s, buf, 20, 0, (void *)&to, sizeof(to)), EINVAL, "no other message");
	sys_err(sendto(s, buf, 4, 0, (void *)&to, sizeof(to)), EINVAL, "nor half of one");
	close(s);
	rewind(f);
	fputs("1 0\n", f);
	fflush(f);
	sys_err(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES, "an empty group range");
	rewind(f);
	fputs(old, f);
	fclose(f);
}

int
main(void)
{
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	lo_up();
	if (s < 0) {
		skip("no CAP_NET_RAW", "all of it");
		return done();
	}
	close(s);
	raw_echo();
	own_header();
	ping();
	return done();
}
