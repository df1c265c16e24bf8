/* SPDX-License-Identifier: MIT */
/*
 * Integer arithmetic that is too long to be inline.
 */
#include "lib/math.h"

u64
div_u128_u64(unsigned __int128 dividend, u64 divisor)
{
	u64 high = (u64)(dividend >> 64), low = (u64)dividend;

	if (high >= divisor)
		return UINT64_MAX;
	/* high is the running remainder, always below the divisor; quotient bits enter low. */
	for (int i = 0; i < 64; i++) {
		bool carry = high >> 63;

		high = high << 1 | low >> 63;
		low <<= 1;
		if (carry || high >= divisor) {
			high -= divisor;
			low |= 1;
		}
	}
	return low;
}

u32
int_sqrt(u64 value)
{
	u64 root = 0;

	for (u64 bit = 1UL << 62; bit; bit >>= 2) {
		if (value >= root + bit) {
			value -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return (u32)root;
}
