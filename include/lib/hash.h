/* SPDX-License-Identifier: MIT */
/*
 * Hashes. hash_* are fast and predictable: for keys that no enemy chooses. SipHash-2-4 with a
 * secret key is for keys that come from the network or from users who profit from collisions.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include "lib/types.h"

/* 2^64 and 2^32 over the golden ratio: multiplying spreads neighbours over the high bits. */
#define HASH_GOLDEN_64 0x9e3779b97f4a7c15UL
#define HASH_GOLDEN_32 0x9e3779b9U

/* Reduce to bits (1..64, 1..32). */
static __always_inline u64
hash_u64(u64 value, unsigned int bits)
{
	return (value * HASH_GOLDEN_64) >> (64 - bits);
}

static __always_inline u32
hash_u32(u32 value, unsigned int bits)
{
	return (value * HASH_GOLDEN_32) >> (32 - bits);
}

static __always_inline u64
hash_ptr(const void *pointer, unsigned int bits)
{
	return hash_u64((u64)(uintptr_t)pointer, bits);
}

/* Folds one more word into a hash: every input bit reaches every output bit. */
static __always_inline u64
hash_mix(u64 hash, u64 word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * HASH_GOLDEN_64;

	return (u64)product ^ (u64)(product >> 64) ^ word;
}

/* All 64 bits are good; take as many as wanted. */
u64 hash_bytes(const void *data, size_t size, u64 seed);

static inline u32
hash_bytes32(const void *data, size_t size, u64 seed)
{
	return (u32)(hash_bytes(data, size, seed) >> 32);
}

struct siphash_key {
	u64 word[2];
};

u64 siphash24(const struct siphash_key *key, const void *data, size_t size);

/* The same as siphash24 over the words in little-endian order. */
u64 siphash24_words(const struct siphash_key *key, const u64 *words, size_t count);

#endif
