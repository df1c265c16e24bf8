/* SPDX-License-Identifier: MIT */
/*
 * memcpy, memmove, memset, memcmp in general registers.
 *
 * Words of 8 bytes, unaligned, 64 bytes a turn. What is left over at an end is done with words
 * that overlap those already done, so there is no loop over single bytes. A copy loads the
 * overlapping words of its far end before the first store, which makes the same code right for
 * overlapping memory: memcpy is the forward half of memmove.
 *
 * The compiler likes to recognise such loops and to replace them with calls of the very function
 * they implement; hiding a loaded or stored word from it prevents that. The names stand in
 * parentheses because lib/string.h has macros for them. A port may link its own versions in place
 * of this file.
 */
#include "lib/string.h"

typedef u64 __attribute__((aligned(1), may_alias)) word64_t;
typedef u32 __attribute__((aligned(1), may_alias)) word32_t;

#define WORD(p, offset)	      (*(word64_t *)((p) + (offset)))
#define WORD_CONST(p, offset) (*(const word64_t *)((p) + (offset)))

/* Up to 32 bytes; everything is loaded before anything is stored. */
static __always_inline void
copy_short(u8 *to, const u8 *from, size_t size)
{
	if (size >= 16) {
		u64 a = WORD_CONST(from, 0), b = WORD_CONST(from, 8);
		u64 c = WORD_CONST(from, size - 16), d = WORD_CONST(from, size - 8);

		WORD(to, 0) = a;
		WORD(to, 8) = b;
		WORD(to, size - 16) = c;
		WORD(to, size - 8) = d;
	} else if (size >= 8) {
		u64 a = WORD_CONST(from, 0), b = WORD_CONST(from, size - 8);

		WORD(to, 0) = a;
		WORD(to, size - 8) = b;
	} else if (size >= 4) {
		u32 a = *(const word32_t *)from, b = *(const word32_t *)(from + size - 4);

		*(word32_t *)to = a;
		*(word32_t *)(to + size - 4) = b;
	} else if (size) {
		u8 a = from[0], b = from[size / 2], c = from[size - 1];

		to[0] = a;
		to[size / 2] = b;
		to[size - 1] = c;
	}
}

/* The four words are read before any is written: to and from may be closer than that. */
static __always_inline void
copy_32(u8 *to, const u8 *from)
{
	u64 a = WORD_CONST(from, 0), b = WORD_CONST(from, 8);
	u64 c = WORD_CONST(from, 16), d = WORD_CONST(from, 24);

	OPTIMIZER_HIDE(a);
	WORD(to, 0) = a;
	WORD(to, 8) = b;
	WORD(to, 16) = c;
	WORD(to, 24) = d;
}

/* More than 32 bytes; memory may overlap if to is below from. */
static __always_inline void
copy_forward(u8 *to, const u8 *from, size_t size)
{
	u8 *end = to + size;
	u64 a = WORD_CONST(from, size - 32), b = WORD_CONST(from, size - 24);
	u64 c = WORD_CONST(from, size - 16), d = WORD_CONST(from, size - 8);

	while (size > 64) {
		copy_32(to, from);
		copy_32(to + 32, from + 32);
		to += 64;
		from += 64;
		size -= 64;
	}
	if (size > 32)
		copy_32(to, from);
	WORD(end, -32) = a;
	WORD(end, -24) = b;
	WORD(end, -16) = c;
	WORD(end, -8) = d;
}

/* More than 32 bytes; memory may overlap if to is above from. */
static void
copy_backward(u8 *to, const u8 *from, size_t size)
{
	u64 a = WORD_CONST(from, 0), b = WORD_CONST(from, 8);
	u64 c = WORD_CONST(from, 16), d = WORD_CONST(from, 24);

	while (size > 64) {
		copy_32(to + size - 32, from + size - 32);
		copy_32(to + size - 64, from + size - 64);
		size -= 64;
	}
	if (size > 32)
		copy_32(to + size - 32, from + size - 32);
	WORD(to, 0) = a;
	WORD(to, 8) = b;
	WORD(to, 16) = c;
	WORD(to, 24) = d;
}

void *(memcpy)(void *restrict to, const void *restrict from, size_t size)
{
	if (size <= 32)
		copy_short(to, from, size);
	else
		copy_forward(to, from, size);
	return to;
}

void *(memmove)(void *to, const void *from, size_t size)
{
	if (size <= 32)
		copy_short(to, from, size);
	else if ((uintptr_t)to - (uintptr_t)from >= size)
		copy_forward(to, from, size);
	else
		copy_backward(to, from, size);
	return to;
}

void *(memset)(void *memory, int byte, size_t size)
{
	u64 word = (u8)byte * 0x0101010101010101UL;
	u8 *to = memory;

	if (size >= 16) {
		u8 *end = to + size;

		while (size > 64) {
			OPTIMIZER_HIDE(word);
			WORD(to, 0) = word;
			WORD(to, 8) = word;
			WORD(to, 16) = word;
			WORD(to, 24) = word;
			WORD(to, 32) = word;
			WORD(to, 40) = word;
			WORD(to, 48) = word;
			WORD(to, 56) = word;
			to += 64;
			size -= 64;
		}
		while (size > 16) {
			OPTIMIZER_HIDE(word);
			WORD(to, 0) = word;
			WORD(to, 8) = word;
			to += 16;
			size -= 16;
		}
		WORD(end, -16) = word;
		WORD(end, -8) = word;
	} else if (size >= 8) {
		WORD(to, 0) = word;
		WORD(to, size - 8) = word;
	} else if (size >= 4) {
		*(word32_t *)to = (u32)word;
		*(word32_t *)(to + size - 4) = (u32)word;
	} else if (size) {
		to[0] = (u8)word;
		to[size / 2] = (u8)word;
		to[size - 1] = (u8)word;
	}
	return memory;
}

/* The order of two different words as strings of bytes. */
static __always_inline int
word_order(u64 a, u64 b)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	a = __builtin_bswap64(a);
	b = __builtin_bswap64(b);
#endif
	return a < b ? -1 : 1;
}

int(memcmp)(const void *memory_a, const void *memory_b, size_t size)
{
	const u8 *a = memory_a, *b = memory_b;

	if (size >= 8) {
		const u8 *last = a + size - 8;
		u64 x, y;

		for (; a < last; a += 8, b += 8) {
			x = WORD_CONST(a, 0);
			y = WORD_CONST(b, 0);
			if (x != y)
				return word_order(x, y);
		}
		b -= a - last;
		x = WORD_CONST(last, 0);
		y = WORD_CONST(b, 0);
		return x == y ? 0 : word_order(x, y);
	}
	for (; size; size--, a++, b++) {
		if (*a != *b)
			return *a - *b;
	}
	return 0;
}
