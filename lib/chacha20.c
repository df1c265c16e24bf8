/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20 (RFC 8439).
 */
#include "lib/chacha20.h"
#include "lib/string.h"

static inline u32
load_le32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline void
store_le32(u8 *p, u32 x)
{
	p[0] = (u8)x;
	p[1] = (u8)(x >> 8);
	p[2] = (u8)(x >> 16);
	p[3] = (u8)(x >> 24);
}

static inline u32
rotate_left(u32 x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

static __always_inline void
quarter_round(u32 *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 7);
}

void
chacha20_init(struct chacha20 *c, const u8 key[CHACHA20_KEY_SIZE],
	      const u8 nonce[CHACHA20_NONCE_SIZE], u32 counter)
{
	static const u8 constants[] = "expand 32-byte k";

	for (int i = 0; i < 4; i++)
		c->state[i] = load_le32(constants + 4 * i);
	for (int i = 0; i < 8; i++)
		c->state[4 + i] = load_le32(key + 4 * i);
	c->state[12] = counter;
	for (int i = 0; i < 3; i++)
		c->state[13 + i] = load_le32(nonce + 4 * i);
}

void
chacha20_block(struct chacha20 *c, u8 out[CHACHA20_BLOCK_SIZE])
{
	u32 x[16];

	memcpy(x, c->state, sizeof(x));
	for (int i = 0; i < 10; i++) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		store_le32(out + 4 * i, x[i] + c->state[i]);
	if (++c->state[12] == 0)
		c->state[13]++;
}

void
chacha20_stream(struct chacha20 *c, void *out, size_t size)
{
	u8 block[CHACHA20_BLOCK_SIZE], *p = out;

	for (; size >= CHACHA20_BLOCK_SIZE; size -= CHACHA20_BLOCK_SIZE, p += CHACHA20_BLOCK_SIZE)
		chacha20_block(c, p);
	if (size) {
		chacha20_block(c, block);
		memcpy(p, block, size);
		memzero_explicit(block, sizeof(block));
	}
}
