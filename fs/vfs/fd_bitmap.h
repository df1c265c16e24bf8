/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors are taken: a bit each, and above them a bit for each full word, so that the
 * lowest free one among a million is found by looking at a few hundred words. Pure
 * (tests/host/vfs_fd_bitmap_test.c).
 */
#ifndef FD_BITMAP_H
#define FD_BITMAP_H

#include "lib/bitmap.h"

struct fd_bitmap {
	u32 size; /* a multiple of 64 */
	unsigned long *open, *full;
};

static inline void
fd_bitmap_set(struct fd_bitmap *b, u32 fd)
{
	bitmap_set_bit(fd, b->open);
	if (b->open[fd / 64] == ~0ul)
		bitmap_set_bit(fd / 64, b->full);
}

static inline void
fd_bitmap_clear(struct fd_bitmap *b, u32 fd)
{
	bitmap_clear_bit(fd, b->open);
	bitmap_clear_bit(fd / 64, b->full);
}

/* The lowest free descriptor at or above from; size (or from, if it is beyond) when there is none.
 */
static inline u32
fd_bitmap_find_free(const struct fd_bitmap *b, u32 from)
{
	u32 words = b->size / 64, word = from / 64;

	if (from >= b->size)
		return from;
	if (from % 64) {
		unsigned long free = ~b->open[word] & (~0ul << from % 64);

		if (free)
			return word * 64 + (u32)__builtin_ctzl(free);
		word++;
	}
	word = (u32)find_next_zero_bit(b->full, words, word);
	return word >= words ? b->size : word * 64 + (u32)__builtin_ctzl(~b->open[word]);
}

#endif
