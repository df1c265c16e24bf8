/* SPDX-License-Identifier: MIT */
/* Numbers that a stranger must not guess: initial sequence numbers, timestamp offsets, SYN cookies.
 * secret.c. */
#ifndef TCP_SECRET_H
#define TCP_SECRET_H

#include "lib/types.h"

/* A connection's four names, addresses as IPv6 (IPv4 mapped), all in the order of the wire. */
struct tcp_flow {
	u64 saddr[2], daddr[2];
	u16 sport, dport;
};

void tcp_secret_init(void);
/* RFC 6528: a clock of 4 us ticks plus a keyed hash of the flow. */
u32 tcp_secret_isn(const struct tcp_flow *f, u64 now_ns);
/* Where the millisecond clock of timestamps begins for this pair of addresses. */
u32 tcp_secret_ts_offset(const struct tcp_flow *f);

/*
 * SYN cookies: the initial sequence number carries the peer's MSS, rounded down to a class, and a
 * keyed hash of flow, its sequence number and the minute. `minutes` is a clock of minutes.
 */
u32 tcp_cookie_make(const struct tcp_flow *f, u32 their_isn, u16 mss, u32 minutes);
/* The MSS, or 0: no cookie of ours, or too old. */
u16 tcp_cookie_check(const struct tcp_flow *f, u32 their_isn, u32 cookie, u32 minutes);

/* What else a SYN offered travels in the low bits of the timestamp that it will echo. */
struct tcp_cookie_options {
	bool has_wscale, sack_ok;
	u8 wscale;
};
u32 tcp_cookie_ts_encode(u32 ts_now, const struct tcp_cookie_options *o);
void tcp_cookie_ts_decode(u32 ts_ecr, struct tcp_cookie_options *o);

#endif
