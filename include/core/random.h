/* SPDX-License-Identifier: MIT */
/* The kernel's random numbers: a ChaCha20 generator with fast key erasure. random(4), getrandom(2).
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include "lib/types.h"

/* Seed from the hardware, or from timing jitter where there is none. Once, before anybody asks. */
void random_init(void);
/* Any context. */
void random_bytes(void *out, size_t len);
u64 random_u64(void);
/* Mix bytes into the pool; they count for the next reseed. Any context. */
void random_add(const void *data, size_t len);
/* Reseed now rather than when the key is old. */
void random_reseed(void);

/* For long outputs: a generator of the caller's own, keyed from the kernel's, so that no lock is
 * held for long. */
struct chacha20;
void random_stream_init(struct chacha20 *c);

#endif
