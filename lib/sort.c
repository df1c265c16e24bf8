/* SPDX-License-Identifier: MIT */
/*
 * Heap sort.
 */
#include "lib/sort.h"
#include "lib/string.h"

static void
element_swap(u8 *a, u8 *b, size_t size)
{
	for (; size >= 8; size -= 8, a += 8, b += 8) {
		u64 x, y;

		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		memcpy(a, &y, 8);
		memcpy(b, &x, 8);
	}
	for (; size; size--, a++, b++)
		SWAP(*a, *b);
}

void
sort(void *base, size_t count, size_t size,
     int (*compare)(const void *a, const void *b, void *context), void *context)
{
	u8 *a = base;
	size_t root = count / 2;

	/* First build the heap from its last parent up, then move its top behind its end. */
	while (count > 1) {
		size_t node, child;

		if (root) {
			root--;
		} else {
			count--;
			element_swap(a, a + count * size, size);
		}
		for (node = root; (child = 2 * node + 1) < count; node = child) {
			if (child + 1 < count &&
			    compare(a + child * size, a + (child + 1) * size, context) < 0)
				child++;
			if (compare(a + node * size, a + child * size, context) >= 0)
				break;
			element_swap(a + node * size, a + child * size, size);
		}
	}
}
