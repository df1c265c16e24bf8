/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum: RFC 1071, and RFC 1624 for changes (packet.h). Pure; tested on the host.
 *
 * The sum of 16-bit words is the same whether added 16 or 64 bits at a time, if every carry out of
 * the top comes back in at the bottom; so the loop adds eight bytes per step. The carries are
 * counted, an addition and an addition with carry a step, and come back in at the end.
 */
#include "net/core/packet.h"

static inline u64
word_at(const u8 *p)
{
	u64 w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline u64
add_carry(u64 a, u64 b)
{
	u64 s;

	return __builtin_add_overflow(a, b, &s) ? s + 1 : s;
}

/* Up to seven bytes as they would lie in a word that is zero behind them. */
static inline u64
tail_word(const u8 *p, size_t n)
{
	u64 w = 0;

	memcpy(&w, p, n & 7);
	return w;
}

static inline u32
fold64(u64 s)
{
	s = (s & 0xffffffff) + (s >> 32);
	s += s >> 32;
	return (u32)s;
}

u32
csum_bytes(const void *data, size_t len, u32 sum)
{
	const u8 *p = data;
	u64 s = sum, carries = 0;

	for (; len >= 64; p += 64, len -= 64) {
#pragma GCC unroll 8
		for (u32 i = 0; i < 8; i++)
			carries += __builtin_add_overflow(s, word_at(p + 8 * i), &s);
	}
	for (; len >= 8; p += 8, len -= 8)
		carries += __builtin_add_overflow(s, word_at(p), &s);
	s = add_carry(s, carries);
	if (len)
		s = add_carry(s, tail_word(p, len));
	return fold64(s);
}

u32
csum_copy(void *to, const void *from, size_t len, u32 sum)
{
	const u8 *p = from;
	u8 *q = to;
	u64 s = sum, w;

	for (; len >= 8; p += 8, q += 8, len -= 8) {
		w = word_at(p);
		memcpy(q, &w, sizeof(w));
		s = add_carry(s, w);
	}
	if (len) {
		w = tail_word(p, len);
		memcpy(q, &w, len & 7);
		s = add_carry(s, w);
	}
	return fold64(s);
}

u32
csum_pseudo4(u32 src_be, u32 dst_be, u8 protocol, u32 len)
{
	return fold64((u64)src_be + dst_be + htons(protocol) + htonl(len));
}

u32
csum_pseudo6(const void *src, const void *dst, u8 protocol, u32 len)
{
	return csum_bytes(dst, 16, csum_bytes(src, 16, fold64((u64)htonl(len) + htonl(protocol))));
}
