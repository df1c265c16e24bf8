/* SPDX-License-Identifier: MIT */
/* The kernel image's layout, as the linker script names it. */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "lib/types.h"

extern char kernel_start[], kernel_end[], text_start[], text_end[], rodata_start[], rodata_end[];
extern char percpu_start[], percpu_end[];
extern char percpu_template[]; /* as big, for a copy of the above as it was linked */

/* Symbols of the linker are no arrays of C's: their distance is one of addresses. */
static inline size_t
image_bytes(const void *start, const void *end)
{
	return (uintptr_t)end - (uintptr_t)start;
}

#define IMAGE_ENTRIES(start, end) (image_bytes(start, end) / sizeof(*(start)))

#endif
