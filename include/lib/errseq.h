/* SPDX-License-Identifier: MIT */
/*
 * An error that many may have to hear of, each once: the last error of a file's writeback, and a
 * number that grows with each. Whoever opens the file remembers the value; fsync compares. An error
 * that nobody has been told yet is also told to those who open later.
 *
 *	bits 0..11 errno, bit 12 somebody has seen it, the rest a counter
 */
#ifndef LIB_ERRSEQ_H
#define LIB_ERRSEQ_H

#include "lib/types.h"

#define ERRSEQ_ERRNO 0xfffu
#define ERRSEQ_SEEN  0x1000u
#define ERRSEQ_ONE   0x2000u

/* err: negative. */
static inline void
errseq_set(u32 *seq, int err)
{
	u32 old = __atomic_load_n(seq, __ATOMIC_RELAXED), new;

	do {
		new = (old & ~(ERRSEQ_ERRNO | ERRSEQ_SEEN)) | ((u32)-err & ERRSEQ_ERRNO);
		if (old & ERRSEQ_SEEN)
			new += ERRSEQ_ONE;
		if (new == old)
			return;
	} while (!__atomic_compare_exchange_n(seq, &old, new, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
}

/* What to remember at open. */
static inline u32
errseq_sample(const u32 *seq)
{
	u32 now = __atomic_load_n(seq, __ATOMIC_SEQ_CST);

	return now & ERRSEQ_SEEN || !now ? now : 0;
}

/* The error since *since, once: 0 or -errno. Callers of one *since exclude each other, or one of
 * them may be told twice. */
static inline int
errseq_check(u32 *seq, u32 *since)
{
	u32 now = __atomic_load_n(seq, __ATOMIC_SEQ_CST), seen;

	if (now == __atomic_load_n(since, __ATOMIC_RELAXED))
		return 0;
	seen = now | ERRSEQ_SEEN;
	if (seen != now)
		(void)__atomic_compare_exchange_n(seq, &now, seen, false, __ATOMIC_SEQ_CST,
						  __ATOMIC_RELAXED);
	__atomic_store_n(since, seen, __ATOMIC_RELAXED);
	return -(int)(seen & ERRSEQ_ERRNO);
}

#endif
