/* SPDX-License-Identifier: MIT */
/*
 * Hashes of names, as the tree of a directory's index is sorted by them: three algorithms, each
 * with characters taken as signed or unsigned (by the machine that made the file system).
 */
#include "ext4_internal.h"

static inline u32
rotate(u32 x, u32 by)
{
	return x << by | x >> (32 - by);
}

/* Up to words * 4 characters as numbers; what is missing is filled with the length. */
static void
pack(const char *name, size_t len, u32 *out, u32 words, bool is_unsigned)
{
	u32 pad = (u32)len | (u32)len << 8, value, filled = 0;
	size_t n = MIN(len, (size_t)words * 4);

	pad |= pad << 16;
	value = pad;
	for (size_t i = 0; i < n; i++) {
		int c = is_unsigned ? (int)(u8)name[i] : (int)(s8)name[i];

		value = (u32)c + (value << 8);
		if (i % 4 == 3) {
			out[filled++] = value;
			value = pad;
		}
	}
	if (filled < words)
		out[filled++] = value;
	while (filled < words)
		out[filled++] = pad;
}

static u32
legacy(const char *name, size_t len, bool is_unsigned)
{
	u32 hash = 0x12a3fe2d, before = 0x37abe8f9;

	for (size_t i = 0; i < len; i++) {
		int c = is_unsigned ? (int)(u8)name[i] : (int)(s8)name[i];
		u32 next = before + (hash ^ ((u32)c * 7152373u));

		if (next & 0x80000000u)
			next -= 0x7fffffffu;
		before = hash;
		hash = next;
	}
	return hash << 1;
}

static void
tea(u32 state[4], const u32 in[4])
{
	u32 sum = 0, x = state[0], y = state[1];

	for (u32 i = 0; i < 16; i++) {
		sum += 0x9e3779b9u;
		x += ((y << 4) + in[0]) ^ (y + sum) ^ ((y >> 5) + in[1]);
		y += ((x << 4) + in[2]) ^ (x + sum) ^ ((x >> 5) + in[3]);
	}
	state[0] += x;
	state[1] += y;
}

static u32
choose(u32 x, u32 y, u32 z)
{
	return z ^ (x & (y ^ z));
}

static u32
majority(u32 x, u32 y, u32 z)
{
	return (x & y) + ((x ^ y) & z);
}

static u32
parity(u32 x, u32 y, u32 z)
{
	return x ^ y ^ z;
}

/* The first half of MD4's steps, on eight words. */
static void
half_md4(u32 state[4], const u32 in[8])
{
	static const struct {
		u32 (*f)(u32, u32, u32);
		u32 constant;
		u8 order[8], shift[4];
	} rounds[3] = {
		{ choose, 0, { 0, 1, 2, 3, 4, 5, 6, 7 }, { 3, 7, 11, 19 } },
		{ majority, 0x5a827999u, { 1, 3, 5, 7, 0, 2, 4, 6 }, { 3, 5, 9, 13 } },
		{ parity, 0x6ed9eba1u, { 3, 7, 2, 6, 1, 5, 0, 4 }, { 3, 9, 11, 15 } },
	};
	u32 v[4] = { state[0], state[1], state[2], state[3] };

	for (u32 r = 0; r < 3; r++) {
		for (u32 i = 0; i < 8; i++) {
			u32 a = (0 - i) & 3;

			v[a] += rounds[r].f(v[(a + 1) & 3], v[(a + 2) & 3], v[(a + 3) & 3]) +
				in[rounds[r].order[i]] + rounds[r].constant;
			v[a] = rotate(v[a], rounds[r].shift[i & 3]);
		}
	}
	for (u32 i = 0; i < 4; i++)
		state[i] += v[i];
}

int
ext4_dirhash(const char *name, size_t len, struct ext4_hash *h)
{
	u32 state[4] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u }, in[8];
	bool is_unsigned = h->version >= DX_HASH_LEGACY_UNSIGNED;

	if (h->seed[0] || h->seed[1] || h->seed[2] || h->seed[3])
		memcpy(state, h->seed, sizeof(state));
	h->minor = 0;
	switch (h->version) {
	case DX_HASH_LEGACY:
	case DX_HASH_LEGACY_UNSIGNED: h->hash = legacy(name, len, is_unsigned); break;
	case DX_HASH_HALF_MD4:
	case DX_HASH_HALF_MD4_UNSIGNED:
		for (size_t at = 0; at < len; at += 32) {
			pack(name + at, len - at, in, 8, is_unsigned);
			half_md4(state, in);
		}
		h->hash = state[1];
		h->minor = state[2];
		break;
	case DX_HASH_TEA:
	case DX_HASH_TEA_UNSIGNED:
		for (size_t at = 0; at < len; at += 16) {
			pack(name + at, len - at, in, 4, is_unsigned);
			tea(state, in);
		}
		h->hash = state[0];
		h->minor = state[1];
		break;
	default: return -EINVAL;
	}
	h->hash &= ~1u;
	if (h->hash == HASH_EOF)
		h->hash -= 2;
	return 0;
}
