/* SPDX-License-Identifier: MIT */
/* The options of a TCP header, parsed and built: segopt.c. RFC 9293 3.1, RFC 7323, RFC 2018. */
#ifndef TCP_SEGOPT_H
#define TCP_SEGOPT_H

#include "lib/types.h"

#define TCP_SEGOPT_MAX	 40 /* bytes that a header has room for */
#define TCP_WSCALE_MAX	 14
#define TCP_SACK_MAX	 4
#define TCP_TS_OPT_SPACE 12 /* timestamps, padded to words */
#define TCP_SACK_HEAD	 4  /* the SACK option without its blocks, padded */
#define TCP_SACK_BLOCK	 8

struct tcp_sack_range {
	u32 start, end;
};

/* What a segment brought. */
struct tcp_segopt {
	u32 ts_val, ts_ecr;
	u16 mss; /* 0: none */
	u8 wscale;
	bool has_ts, has_wscale, has_sack_ok;
	u8 nr_sacks;
	struct tcp_sack_range sacks[TCP_SACK_MAX];
};

/* length: bytes of options. syn: MSS, window scale and SACK-permitted count only there. Malformed
 * options end the parse; what came before counts. */
void tcp_segopt_parse(const u8 *options, u32 length, bool syn, struct tcp_segopt *out);

/* The only option of nearly every segment, in the form nearly everybody sends. */
bool tcp_segopt_parse_fast(const u8 *options, u32 length, struct tcp_segopt *out);

/* The builders return bytes written, always a multiple of four. */
struct tcp_segopt_syn {
	u16 mss;
	bool sack_ok, has_ts, has_wscale;
	u8 wscale;
	u32 ts_val, ts_ecr;
};
u32 tcp_segopt_build_syn(u8 *to, const struct tcp_segopt_syn *o);
u32 tcp_segopt_build_ts(u8 *to, u32 ts_val, u32 ts_ecr);
u32 tcp_segopt_build_sacks(u8 *to, const struct tcp_sack_range *ranges, u32 count);

#endif
