/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20 (RFC 8439): the stream behind the random number generator.
 */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include "lib/types.h"

#define CHACHA20_KEY_SIZE   32
#define CHACHA20_NONCE_SIZE 12
#define CHACHA20_BLOCK_SIZE 64

struct chacha20 {
	u32 state[16]; /* constants 0..3, key 4..11, block counter 12, nonce 13..15 */
};

void chacha20_init(struct chacha20 *c, const u8 key[CHACHA20_KEY_SIZE],
		   const u8 nonce[CHACHA20_NONCE_SIZE], u32 counter);

/* The next block of the stream; the counter carries into the first nonce word. */
void chacha20_block(struct chacha20 *c, u8 out[CHACHA20_BLOCK_SIZE]);

/* Whole blocks and a tail cut off the last one, whose rest is thrown away. */
void chacha20_stream(struct chacha20 *c, void *out, size_t size);

#endif
