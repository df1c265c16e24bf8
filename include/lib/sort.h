/* SPDX-License-Identifier: MIT */
/*
 * Heap sort: in place, no recursion, n log n at worst, not stable.
 */
#ifndef LIB_SORT_H
#define LIB_SORT_H

#include "lib/types.h"

/* compare: negative, zero or positive as a sorts before, with or after b. */
void sort(void *base, size_t count, size_t size,
	  int (*compare)(const void *a, const void *b, void *context), void *context);

#endif
