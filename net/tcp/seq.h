/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers and timestamps: 32-bit circles, compared by the sign of their difference
 * (RFC 9293 3.4, RFC 7323 5.2).
 */
#ifndef TCP_SEQ_H
#define TCP_SEQ_H

#include "lib/types.h"

static inline bool
seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool
seq_before_eq(u32 a, u32 b)
{
	return (s32)(a - b) <= 0;
}

#define seq_after(a, b)	   seq_before((b), (a))
#define seq_after_eq(a, b) seq_before_eq((b), (a))

/* low <= x <= high */
static inline bool
seq_between(u32 x, u32 low, u32 high)
{
	return high - low >= x - low;
}

static inline u32
seq_max(u32 a, u32 b)
{
	return seq_after(a, b) ? a : b;
}

static inline u32
seq_min(u32 a, u32 b)
{
	return seq_before(a, b) ? a : b;
}

#endif
