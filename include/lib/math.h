/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic: powers of two, and products wider than 64 bits.
 */
#ifndef LIB_MATH_H
#define LIB_MATH_H

#include "lib/types.h"

/* Bit number of the highest set bit; value is not 0. */
static __always_inline unsigned int
ilog2(u64 value)
{
	return 63 - (unsigned int)__builtin_clzl(value);
}

/* The same rounded up: the least n with 2^n >= value. */
static __always_inline unsigned int
ilog2_up(u64 value)
{
	return value <= 1 ? 0 : ilog2(value - 1) + 1;
}

static __always_inline bool
is_pow2(u64 value)
{
	return value && !(value & (value - 1));
}

/* How many bits are set. (The compiler's builtin is a library call on older machines.) */
static __always_inline unsigned int
bits_set(u64 value)
{
	value -= (value >> 1) & 0x5555555555555555UL;
	value = (value & 0x3333333333333333UL) + ((value >> 2) & 0x3333333333333333UL);
	value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (unsigned int)((value * 0x0101010101010101UL) >> 56);
}

/* value is at most 2^63; 0 gives 1. */
static __always_inline u64
roundup_pow2(u64 value)
{
	return 1UL << ilog2_up(value);
}

static __always_inline u64
rounddown_pow2(u64 value)
{
	return 1UL << ilog2(value);
}

/* a * b >> shift, with all 128 bits of the product; shift below 128. */
static __always_inline u64
mul_u64_u64_shift(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

/*
 * 128 by 64 bits, long division bit by bit: a quotient that needs more than 64 bits saturates.
 * (The compiler's own 128-bit division is a library call that a kernel does not have.)
 */
u64 div_u128_u64(unsigned __int128 dividend, u64 divisor);

/* a * b / divisor, rounded down. */
static inline u64
mul_div_u64(u64 a, u64 b, u64 divisor)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	if ((u64)(product >> 64) == 0)
		return (u64)product / divisor;
	return div_u128_u64(product, divisor);
}

/* Integer square root, rounded down. */
u32 int_sqrt(u64 value);

/* Saturating sum and product, for sizes and deadlines. */
static __always_inline u64
add_u64_sat(u64 a, u64 b)
{
	u64 sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static __always_inline u64
mul_u64_sat(u64 a, u64 b)
{
	u64 product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

#endif
