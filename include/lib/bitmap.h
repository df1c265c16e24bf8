/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps: arrays of unsigned long of any number of bits.
 *
 * Nothing here is atomic: single atomic bits are in lib/atomic.h, on the same arrays. Bits past
 * the given size in the last word are neither read as content nor promised to survive
 * bitmap_zero, bitmap_fill, bitmap_copy and the logic operations. The find functions return the
 * size when nothing is found.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/atomic.h"
#include "lib/types.h"

#define BITMAP_WORDS(bits)	   DIV_ROUND_UP(bits, BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITMAP_WORDS(bits)]

/* The bits of a word from n up, and those below n (n of 1..64). */
#define BITMAP_FROM(n)	(~0UL << ((n) % BITS_PER_LONG))
#define BITMAP_BELOW(n) (~0UL >> (-(n) % BITS_PER_LONG))

static inline void
bitmap_set_bit(unsigned long n, unsigned long *words)
{
	words[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline void
bitmap_clear_bit(unsigned long n, unsigned long *words)
{
	words[n / BITS_PER_LONG] &= ~BIT(n % BITS_PER_LONG);
}

void bitmap_set(unsigned long *map, size_t start, size_t count);
void bitmap_clear(unsigned long *map, size_t start, size_t count);
void bitmap_zero(unsigned long *map, size_t bits);
void bitmap_fill(unsigned long *map, size_t bits);
void bitmap_copy(unsigned long *map, const unsigned long *from, size_t bits);

/* and, andnot: true if the result has any bit. */
bool bitmap_and(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits);
bool bitmap_andnot(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits);
void bitmap_or(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits);
void bitmap_xor(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits);
void bitmap_not(unsigned long *map, const unsigned long *a, size_t bits);

bool bitmap_empty(const unsigned long *map, size_t bits);
bool bitmap_full(const unsigned long *map, size_t bits);
bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t bits);
bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t bits);
/* Whether a lies within b. */
bool bitmap_subset(const unsigned long *a, const unsigned long *b, size_t bits);

size_t bitmap_weight(const unsigned long *map, size_t bits);

size_t find_next_bit(const unsigned long *map, size_t size, size_t start);
size_t find_next_zero_bit(const unsigned long *map, size_t size, size_t start);
size_t find_next_and_bit(const unsigned long *a, const unsigned long *b, size_t size, size_t start);
size_t find_last_bit(const unsigned long *map, size_t size);

/* The first run of count zero bits at or after start. */
size_t find_zero_area(const unsigned long *map, size_t size, size_t start, size_t count);

static inline size_t
find_first_bit(const unsigned long *map, size_t size)
{
	return find_next_bit(map, size, 0);
}

static inline size_t
find_first_zero_bit(const unsigned long *map, size_t size)
{
	return find_next_zero_bit(map, size, 0);
}

#define for_each_set_bit(bit, map, size)                          \
	for ((bit) = find_next_bit(map, size, 0); (bit) < (size); \
	     (bit) = find_next_bit(map, size, (bit) + 1))

#endif
