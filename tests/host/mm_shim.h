/* SPDX-License-Identifier: MIT */
/* See mm_shim.c. */
#ifndef MM_SHIM_H
#define MM_SHIM_H

#include "mm/page.h"

void shim_arena_create(u64 pages);
void shim_arena_destroy(void);
void shim_grace_period(void);

#endif
