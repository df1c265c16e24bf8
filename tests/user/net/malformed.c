/* SPDX-License-Identifier: MIT */
/*
 * Malformed packets by AF_PACKET on lo: valid ones of every protocol with a few bytes changed, cut
 * or repeated, fragments at random places. Nothing may happen but that UDP still works afterwards.
 * In a network namespace of its own where there are some. The seed is fixed.
 */
#include "net.h"
#include <sched.h>

#ifndef CLONE_NEWNET
#define CLONE_NEWNET 0x40000000
#endif

struct sockaddr_ll_ {
	uint16_t family, protocol;
	int32_t ifindex;
	uint16_t hatype;
	uint8_t pkttype, halen, addr[8];
};

static uint64_t seed = 12345;
static int udp_port;

static unsigned
rnd(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static uint16_t
sum(const uint8_t *p, int len, uint32_t s)
{
	for (; len > 1; len -= 2, p += 2)
		s += (uint32_t)(p[0] << 8 | p[1]);
	if (len)
		s += (uint32_t)p[0] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The transport part: its length. */
static int
transport(uint8_t *p, int protocol, int v6)
{
	int len = 20 + (int)rnd(100);

	for (int i = 0; i < len; i++)
		p[i] = (uint8_t)rnd(256);
	switch (protocol) {
	case IPPROTO_UDP:
		put16(p, rnd(65536));
		put16(p + 2, rnd(2) ? (unsigned)udp_port : rnd(65536));
		put16(p + 4, rnd(8) ? (unsigned)len : rnd(65536));
		put16(p + 6, v6 ? rnd(65536) : 0);
		break;
	case IPPROTO_TCP:
		put16(p + 2, rnd(2) ? (unsigned)udp_port : rnd(65536));
		p[12] = (uint8_t)(rnd(8) ? 0x50 : rnd(256));
		break;
	case IPPROTO_ICMP:
		p[0] = (uint8_t)(rnd(3) ? rnd(20) : 3);
		put16(p + 2, 0);
		if (rnd(8))
			put16(p + 2, sum(p, len, 0));
		break;
	case IPPROTO_IGMP:
		p[0] = 0x11;
		put16(p + 2, 0);
		put16(p + 2, sum(p, len, 0));
		break;
	}
	return len;
}

static int
packet4(uint8_t *p)
{
	static const uint8_t protocols[] = { 1, 2, 6, 17, 58, 255, 41, 136 };
	int protocol = protocols[rnd(sizeof(protocols))],
	    header = 20 + 4 * (rnd(4) ? 0 : (int)rnd(11));
	int len = header + transport(p + header, protocol, 0);

	memset(p, 0, 20);
	for (int i = 20; i < header; i++)
		p[i] = (uint8_t)rnd(256);
	p[0] = (uint8_t)(0x40 | header / 4);
	put16(p + 2, (unsigned)len);
	put16(p + 4, rnd(3));
	if (!rnd(3)) /* a fragment */
		put16(p + 6, (rnd(2) ? 0x2000 : 0) | (rnd(2) ? rnd(8) : rnd(0x2000)));
	p[8] = (uint8_t)rnd(256);
	p[9] = (uint8_t)protocol;
	memcpy(p + 12, "\x7f\0\0\1\x7f\0\0\1", 8);
	if (!rnd(6))
		p[12 + rnd(8)] = (uint8_t)rnd(256);
	if (!rnd(8)) /* changes behind the checksum */
		p[rnd((unsigned)len)] = (uint8_t)rnd(256);
	put16(p + 10, 0);
	put16(p + 10, sum(p, header, 0));
	return rnd(10) ? len : (int)rnd((unsigned)len + 1);
}

static int
packet6(uint8_t *p)
{
	static const uint8_t headers[] = { 0, 43, 44, 60, 59, 17, 6, 58, 1, 255 };
	uint8_t *at = p + 40, *next = p + 6;
	int len;

	memset(p, 0, 40);
	p[0] = 0x60;
	p[7] = rnd(2) ? 255 : (uint8_t)rnd(256);
	p[23] = p[39] = 1;
	for (int i = 0; i < 4 && rnd(2); i++) {
		*next = headers[rnd(5)];
		next = at;
		for (int k = 0; k < 16; k++)
			at[k] = (uint8_t)(rnd(2) ? 0 : rnd(256));
		at[1] = (uint8_t)rnd(3);
		at += rnd(4) ? (at[1] + 1) * 8 : 8;
	}
	*next = headers[rnd(sizeof(headers))];
	len = (int)(at - p) + transport(at, *next, 1);
	if (*next == 58) { /* right checksum, so that it is looked at */
		static const uint8_t types[] = {
			1, 2, 3, 4, 128, 129, 130, 133, 134, 135, 136, 137
		};
		int n = (int)(p + len - at);
		uint32_t s = 58 + (uint32_t)n + 2;

		at[0] = types[rnd(sizeof(types))];
		at[1] = 0;
		put16(at + 2, 0);
		put16(at + 2, sum(at, n, s));
	}
	put16(p + 4, rnd(10) ? (unsigned)len - 40 : rnd(65536));
	return rnd(10) ? len : (int)rnd((unsigned)len + 1);
}

static int
still_works(void)
{
	int r = must(socket(AF_INET, SOCK_DGRAM, 0)), s = must(socket(AF_INET, SOCK_DGRAM, 0)),
	    good;
	struct sockaddr_in to = in4("127.0.0.1", bind4(r, "127.0.0.1"));
	char buf[10];

	must(sendto(s, "alive", 5, 0, (void *)&to, sizeof(to)));
	good = readable(r) && recv(r, buf, sizeof(buf), 0) == 5;
	close(s);
	close(r);
	return good;
}

int
main(void)
{
	uint8_t frame[4096] = { 0 };
	struct sockaddr_ll_ to = { .family = 17, .ifindex = 1, .halen = 6 };
	int raw, r, sent = 0;

	(void)!unshare(CLONE_NEWNET);
	raw = socket(17 /* AF_PACKET */, SOCK_RAW, 0);
	lo_up();
	if (raw < 0) {
		skip("no AF_PACKET", "malformed packets");
		return done();
	}
	r = must(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	struct sockaddr_in6 any = in6("::", 0);
	socklen_t len = sizeof(any);
	must(bind(r, (void *)&any, sizeof(any)));
	must(getsockname(r, (void *)&any, &len));
	udp_port = ntohs(any.sin6_port);
	for (int i = 0; i < 20000; i++) {
		int v6 = rnd(2), n = v6 ? packet6(frame + 14) : packet4(frame + 14);

		put16(frame + 12, rnd(50) ? v6 ? 0x86dd : 0x0800 : rnd(2) ? 0x0806 : rnd(65536));
		to.protocol = 0;
		sent += sendto(raw, frame, 14 + (size_t)n, 0, (void *)&to, sizeof(to)) > 0;
		while (recv(r, frame + 2048, 1000, 0) >= 0)
			;
	}
	ok(sent > 15000, "packets were sent");
	ok(still_works(), "and loopback works as before");
	close(raw);
	close(r);
	return done();
}
