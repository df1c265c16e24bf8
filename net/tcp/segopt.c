/* SPDX-License-Identifier: MIT */
/* The options of a TCP header. */
#include "segopt.h"

#include "lib/string.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
};

#define TS_LENGTH   10
#define TS_ALIGNED  ((u32)OPT_NOP << 24 | OPT_NOP << 16 | OPT_TS << 8 | TS_LENGTH)
#define MSS_LENGTH  4
#define SACK_OK_LEN 2
#define WSCALE_LEN  3

static u32
get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static u8 *
put32(u8 *p, u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static void
parse_sacks(const u8 *p, u32 length, struct tcp_segopt *out)
{
	out->nr_sacks = 0;
	for (; length >= TCP_SACK_BLOCK && out->nr_sacks < TCP_SACK_MAX; length -= TCP_SACK_BLOCK) {
		out->sacks[out->nr_sacks].start = get32(p);
		out->sacks[out->nr_sacks++].end = get32(p + 4);
		p += TCP_SACK_BLOCK;
	}
}

void
tcp_segopt_parse(const u8 *p, u32 length, bool syn, struct tcp_segopt *out)
{
	*out = (struct tcp_segopt){ 0 };
	while (length) {
		u8 kind = p[0];

		if (kind == OPT_END)
			return;
		if (kind == OPT_NOP) {
			p++;
			length--;
			continue;
		}
		if (length < 2 || p[1] < 2 || p[1] > length)
			return;
		u32 size = p[1];
		switch (kind) {
		case OPT_MSS:
			if (size == MSS_LENGTH && syn)
				out->mss = (u16)(p[2] << 8 | p[3]);
			break;
		case OPT_WSCALE:
			if (size == WSCALE_LEN && syn) {
				out->has_wscale = true;
				/* RFC 7323 2.3: a larger shift counts as 14. */
				out->wscale = MIN_T(u8, p[2], TCP_WSCALE_MAX);
			}
			break;
		case OPT_SACK_OK:
			if (size == SACK_OK_LEN && syn)
				out->has_sack_ok = true;
			break;
		case OPT_SACK:
			if (size >= 2 + TCP_SACK_BLOCK && (size - 2) % TCP_SACK_BLOCK == 0)
				parse_sacks(p + 2, size - 2, out);
			break;
		case OPT_TS:
			if (size == TS_LENGTH) {
				out->has_ts = true;
				out->ts_val = get32(p + 2);
				out->ts_ecr = get32(p + 6);
			}
			break;
		}
		p += size;
		length -= size;
	}
}

bool
tcp_segopt_parse_fast(const u8 *p, u32 length, struct tcp_segopt *out)
{
	if (length != TCP_TS_OPT_SPACE || get32(p) != TS_ALIGNED)
		return false;
	out->has_ts = true;
	out->nr_sacks = 0;
	out->ts_val = get32(p + 4);
	out->ts_ecr = get32(p + 8);
	return true;
}

u32
tcp_segopt_build_ts(u8 *p, u32 ts_val, u32 ts_ecr)
{
	p = put32(p, TS_ALIGNED);
	p = put32(p, ts_val);
	put32(p, ts_ecr);
	return TCP_TS_OPT_SPACE;
}

u32
tcp_segopt_build_syn(u8 *to, const struct tcp_segopt_syn *o)
{
	u8 *p = put32(to, (u32)OPT_MSS << 24 | MSS_LENGTH << 16 | o->mss);

	if (o->has_ts) {
		/* SACK-permitted takes the place of the padding. */
		p = put32(p, o->sack_ok ? (u32)OPT_SACK_OK << 24 | SACK_OK_LEN << 16 | OPT_TS << 8 |
						  TS_LENGTH
					: TS_ALIGNED);
		p = put32(p, o->ts_val);
		p = put32(p, o->ts_ecr);
	} else if (o->sack_ok) {
		p = put32(p, (u32)OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK_OK << 8 | SACK_OK_LEN);
	}
	if (o->has_wscale)
		p = put32(p, (u32)OPT_NOP << 24 | OPT_WSCALE << 16 | WSCALE_LEN << 8 | o->wscale);
	return (u32)(p - to);
}

u32
tcp_segopt_build_sacks(u8 *to, const struct tcp_sack_range *ranges, u32 count)
{
	u8 *p = put32(to, (u32)OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK << 8 |
				  (2 + count * TCP_SACK_BLOCK));

	for (u32 i = 0; i < count; i++) {
		p = put32(p, ranges[i].start);
		p = put32(p, ranges[i].end);
	}
	return (u32)(p - to);
}
