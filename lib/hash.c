/* SPDX-License-Identifier: MIT */
/*
 * Hashes of byte strings. SipHash is Aumasson and Bernstein's, with 2 and 4 rounds.
 */
#include "lib/hash.h"
#include "lib/string.h"

static inline u64
load_le64(const u8 *p)
{
	u64 word;

	memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The last size (0 to 7) bytes as the low part of a word. */
static inline u64
load_tail(const u8 *p, size_t size)
{
	u64 word = 0;

	for (size_t i = 0; i < size; i++)
		word |= (u64)p[i] << (8 * i);
	return word;
}

u64
hash_bytes(const void *data, size_t size, u64 seed)
{
	const u8 *p = data, *end = p + (size & ~7UL);
	u64 hash = hash_mix(seed, size + 1);

	for (; p < end; p += 8)
		hash = hash_mix(hash, load_le64(p));
	if (size & 7)
		hash = hash_mix(hash, load_tail(p, size & 7));
	return hash_mix(hash ^ hash >> 32, HASH_GOLDEN_64);
}

static inline u64
rotate_left(u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static __always_inline void
sip_round(u64 v[4])
{
	v[0] += v[1];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[3];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[2] = rotate_left(v[2], 32);
}

static __always_inline void
sip_init(u64 v[4], const struct siphash_key *key)
{
	v[0] = key->word[0] ^ 0x736f6d6570736575UL;
	v[1] = key->word[1] ^ 0x646f72616e646f6dUL;
	v[2] = key->word[0] ^ 0x6c7967656e657261UL;
	v[3] = key->word[1] ^ 0x7465646279746573UL;
}

static __always_inline void
sip_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static __always_inline u64
sip_final(u64 v[4], u64 last_word)
{
	sip_word(v, last_word);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

u64
siphash24(const struct siphash_key *key, const void *data, size_t size)
{
	const u8 *p = data, *end = p + (size & ~7UL);
	u64 v[4];

	sip_init(v, key);
	for (; p < end; p += 8)
		sip_word(v, load_le64(p));
	return sip_final(v, (u64)size << 56 | load_tail(p, size & 7));
}

u64
siphash24_words(const struct siphash_key *key, const u64 *words, size_t count)
{
	u64 v[4];

	sip_init(v, key);
	for (size_t i = 0; i < count; i++)
		sip_word(v, words[i]);
	return sip_final(v, (u64)count << 59);
}
