/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 (FIPS 180-4).
 */
#include "lib/sha256.h"
#include "lib/string.h"

static const u32 round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline u32
rotate_right(u32 x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void
sha256_block(u32 hash[8], const u8 *block)
{
	u32 w[64];
	u32 a = hash[0], b = hash[1], c = hash[2], d = hash[3];
	u32 e = hash[4], f = hash[5], g = hash[6], h = hash[7];

	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (u32)block[0] << 24 | (u32)block[1] << 16 | (u32)block[2] << 8 | block[3];
	for (int i = 16; i < 64; i++) {
		u32 x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3) + w[i - 7] +
		       (rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10);
	}
	for (int i = 0; i < 64; i++) {
		u32 s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
		u32 s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
		u32 t1 = h + s1 + ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
		u32 t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));

		h = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	hash[0] += a;
	hash[1] += b;
	hash[2] += c;
	hash[3] += d;
	hash[4] += e;
	hash[5] += f;
	hash[6] += g;
	hash[7] += h;
}

void
sha256_init(struct sha256 *s)
{
	static const u32 start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->hash, start, sizeof(start));
	s->size = 0;
}

void
sha256_update(struct sha256 *s, const void *data, size_t size)
{
	size_t used = s->size % sizeof(s->block);
	const u8 *p = data;

	s->size += size;
	if (used) {
		size_t part = MIN(size, sizeof(s->block) - used);

		memcpy(s->block + used, p, part);
		if (used + part < sizeof(s->block))
			return;
		sha256_block(s->hash, s->block);
		p += part;
		size -= part;
	}
	for (; size >= sizeof(s->block); size -= sizeof(s->block), p += sizeof(s->block))
		sha256_block(s->hash, p);
	memcpy(s->block, p, size);
}

void
sha256_final(struct sha256 *s, u8 digest[SHA256_SIZE])
{
	static const u8 padding[64] = { 0x80 };
	u64 bits = s->size * 8;
	u8 trailer[8];
	size_t used = s->size % sizeof(s->block);

	sha256_update(s, padding, used < 56 ? 56 - used : 120 - used);
	for (int i = 0; i < 8; i++)
		trailer[i] = (u8)(bits >> (56 - 8 * i));
	sha256_update(s, trailer, sizeof(trailer));
	for (int i = 0; i < SHA256_SIZE; i++)
		digest[i] = (u8)(s->hash[i / 4] >> (24 - i % 4 * 8));
	memzero_explicit(s, sizeof(*s));
}
