/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps of any size, a word at a time.
 */
#include "lib/bitmap.h"
#include "lib/math.h"
#include "lib/string.h"

/* The bits of word w that lie below size. */
static unsigned long
word_within(size_t w, size_t size)
{
	size_t left = size - w * BITS_PER_LONG;

	return left >= BITS_PER_LONG ? ~0UL : BITMAP_BELOW(left);
}

static void
bitmap_change(unsigned long *map, size_t start, size_t count, bool set)
{
	size_t end = start + count;

	while (start < end) {
		size_t w = start / BITS_PER_LONG;
		unsigned long mask = BITMAP_FROM(start) & word_within(w, end);

		map[w] = set ? map[w] | mask : map[w] & ~mask;
		start = (w + 1) * BITS_PER_LONG;
	}
}

void
bitmap_set(unsigned long *map, size_t start, size_t count)
{
	bitmap_change(map, start, count, true);
}

void
bitmap_clear(unsigned long *map, size_t start, size_t count)
{
	bitmap_change(map, start, count, false);
}

void
bitmap_zero(unsigned long *map, size_t bits)
{
	memset(map, 0, BITMAP_WORDS(bits) * sizeof(*map));
}

void
bitmap_fill(unsigned long *map, size_t bits)
{
	bitmap_zero(map, bits);
	bitmap_set(map, 0, bits);
}

void
bitmap_copy(unsigned long *map, const unsigned long *from, size_t bits)
{
	memcpy(map, from, BITMAP_WORDS(bits) * sizeof(*map));
}

bool
bitmap_and(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits)
{
	unsigned long any = 0;

	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		any |= map[w] = a[w] & b[w] & word_within(w, bits);
	return any;
}

bool
bitmap_andnot(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits)
{
	unsigned long any = 0;

	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		any |= map[w] = a[w] & ~b[w] & word_within(w, bits);
	return any;
}

void
bitmap_or(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits)
{
	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		map[w] = a[w] | b[w];
}

void
bitmap_xor(unsigned long *map, const unsigned long *a, const unsigned long *b, size_t bits)
{
	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		map[w] = a[w] ^ b[w];
}

void
bitmap_not(unsigned long *map, const unsigned long *a, size_t bits)
{
	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		map[w] = ~a[w] & word_within(w, bits);
}

bool
bitmap_empty(const unsigned long *map, size_t bits)
{
	return find_next_bit(map, bits, 0) == bits;
}

bool
bitmap_full(const unsigned long *map, size_t bits)
{
	return find_next_zero_bit(map, bits, 0) == bits;
}

bool
bitmap_equal(const unsigned long *a, const unsigned long *b, size_t bits)
{
	for (size_t w = 0; w < BITMAP_WORDS(bits); w++) {
		if ((a[w] ^ b[w]) & word_within(w, bits))
			return false;
	}
	return true;
}

bool
bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t bits)
{
	return find_next_and_bit(a, b, bits, 0) < bits;
}

bool
bitmap_subset(const unsigned long *a, const unsigned long *b, size_t bits)
{
	for (size_t w = 0; w < BITMAP_WORDS(bits); w++) {
		if (a[w] & ~b[w] & word_within(w, bits))
			return false;
	}
	return true;
}

size_t
bitmap_weight(const unsigned long *map, size_t bits)
{
	size_t weight = 0;

	for (size_t w = 0; w < BITMAP_WORDS(bits); w++)
		weight += bits_set(map[w] & word_within(w, bits));
	return weight;
}

/* One loop serves every search: the words are (a & b) ^ flip. Others may be changing the map. */
static __always_inline size_t
find_next(const unsigned long *a, const unsigned long *b, unsigned long flip, size_t size,
	  size_t start)
{
	unsigned long mask = BITMAP_FROM(start);

	if (start >= size)
		return size;
	for (size_t w = start / BITS_PER_LONG; w < BITMAP_WORDS(size); w++) {
		unsigned long word = READ_ONCE(a[w]);

		if (b)
			word &= READ_ONCE(b[w]);
		word = (word ^ flip) & mask;
		if (word)
			return MIN(w * BITS_PER_LONG + (size_t)__builtin_ctzl(word), size);
		mask = ~0UL;
	}
	return size;
}

size_t
find_next_bit(const unsigned long *map, size_t size, size_t start)
{
	return find_next(map, NULL, 0, size, start);
}

size_t
find_next_zero_bit(const unsigned long *map, size_t size, size_t start)
{
	return find_next(map, NULL, ~0UL, size, start);
}

size_t
find_next_and_bit(const unsigned long *a, const unsigned long *b, size_t size, size_t start)
{
	return find_next(a, b, 0, size, start);
}

size_t
find_last_bit(const unsigned long *map, size_t size)
{
	for (size_t w = BITMAP_WORDS(size); w-- > 0;) {
		unsigned long word = READ_ONCE(map[w]) & word_within(w, size);

		if (word)
			return w * BITS_PER_LONG + ilog2(word);
	}
	return size;
}

size_t
find_zero_area(const unsigned long *map, size_t size, size_t start, size_t count)
{
	for (;;) {
		size_t taken;

		start = find_next_zero_bit(map, size, start);
		if (start >= size || count > size - start)
			return size;
		taken = find_next_bit(map, start + count, start);
		if (taken == start + count)
			return start;
		start = taken + 1;
	}
}
