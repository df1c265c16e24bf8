/* SPDX-License-Identifier: MIT */
/*
 * Numbers that a stranger must not guess, each from SipHash with a key of its own.
 *
 * A SYN cookie is
 *	hash1(flow) + their_isn + (minutes << 24) + ((hash2(flow, minutes) + class) & 0xffffff)
 * so the minute is in the high byte, the class of the MSS in the low 24 bits, both hidden. It holds
 * for two minutes. Options beyond the MSS travel in the low six bits of the timestamp: four of
 * window scale (15: none offered), one of SACK, one spare.
 */
#include "secret.h"

#include "core/random.h"
#include "lib/hash.h"

#define ISN_TICK_NS    4000u
#define COOKIE_BITS    24
#define COOKIE_MASK    ((1u << COOKIE_BITS) - 1)
#define COOKIE_MINUTES 2
#define TS_BITS	       6
#define TS_MASK	       ((1u << TS_BITS) - 1)
#define TS_NO_WSCALE   15u
#define TS_SACK	       BIT(4)

static struct siphash_key isn_key, ts_key, cookie_key[2];

/* Falling sizes that are common on links, least first. */
static const u16 mss_classes[] = { 536, 1220, 1300, 1360, 1400, 1440, 1460, 8960 };

void
tcp_secret_init(void)
{
	random_bytes(&isn_key, sizeof(isn_key));
	random_bytes(&ts_key, sizeof(ts_key));
	random_bytes(cookie_key, sizeof(cookie_key));
}

static u64
flow_hash(const struct siphash_key *key, const struct tcp_flow *f, u64 more)
{
	u64 words[6] = {
		f->saddr[0], f->saddr[1], f->daddr[0], f->daddr[1], (u64)f->sport << 16 | f->dport,
		more
	};

	return siphash24_words(key, words, ARRAY_SIZE(words));
}

u32
tcp_secret_isn(const struct tcp_flow *f, u64 now_ns)
{
	return (u32)flow_hash(&isn_key, f, 0) + (u32)(now_ns / ISN_TICK_NS);
}

u32
tcp_secret_ts_offset(const struct tcp_flow *f)
{
	/* Not by port: TIME-WAIT is reused by comparing the timestamps of two connections. */
	u64 words[4] = { f->saddr[0], f->saddr[1], f->daddr[0], f->daddr[1] };

	return (u32)siphash24_words(&ts_key, words, ARRAY_SIZE(words));
}

static u32
minute_hash(const struct tcp_flow *f, u32 minutes)
{
	return (u32)flow_hash(&cookie_key[1], f, minutes);
}

u32
tcp_cookie_make(const struct tcp_flow *f, u32 their_isn, u16 mss, u32 minutes)
{
	u32 kind = 0;

	while (kind + 1 < ARRAY_SIZE(mss_classes) && mss_classes[kind + 1] <= mss)
		kind++;
	return (u32)flow_hash(&cookie_key[0], f, 0) + their_isn + (minutes << COOKIE_BITS) +
	       ((minute_hash(f, minutes) + kind) & COOKIE_MASK);
}

u16
tcp_cookie_check(const struct tcp_flow *f, u32 their_isn, u32 cookie, u32 minutes)
{
	cookie -= (u32)flow_hash(&cookie_key[0], f, 0) + their_isn;
	u32 age = (minutes - (cookie >> COOKIE_BITS)) & (UINT32_MAX >> COOKIE_BITS);
	if (age >= COOKIE_MINUTES)
		return 0;
	u32 kind = (cookie - minute_hash(f, minutes - age)) & COOKIE_MASK;
	return kind < ARRAY_SIZE(mss_classes) ? mss_classes[kind] : 0;
}

u32
tcp_cookie_ts_encode(u32 ts_now, const struct tcp_cookie_options *o)
{
	u32 bits = o->has_wscale ? o->wscale : TS_NO_WSCALE;

	if (o->sack_ok)
		bits |= TS_SACK;
	u32 ts = (ts_now & ~TS_MASK) | bits;
	/* Never ahead of the clock: later segments must not look older. */
	return (s32)(ts - ts_now) > 0 ? ts - (TS_MASK + 1) : ts;
}

void
tcp_cookie_ts_decode(u32 ts_ecr, struct tcp_cookie_options *o)
{
	u32 wscale = ts_ecr & 15;

	o->has_wscale = wscale != TS_NO_WSCALE;
	o->wscale = o->has_wscale ? (u8)wscale : 0;
	o->sack_ok = ts_ecr & TS_SACK;
}
