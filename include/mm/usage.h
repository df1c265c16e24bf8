/* SPDX-License-Identifier: MIT */
/* What a mapping has in memory, found by walking its page tables: /proc/PID/smaps. */
#ifndef MM_USAGE_H
#define MM_USAGE_H

#include "mm/mm.h"

/* Proportional shares are fractions of bytes: a page that n entries map counts 1/n in each. */
#define USAGE_SHARE_SHIFT 12

struct mem_usage { /* bytes; shares shifted left by USAGE_SHARE_SHIFT */
	u64 resident, shared_clean, shared_dirty, private_clean, private_dirty;
	u64 referenced, anonymous, anon_huge, swap;
	u64 share, share_dirty, share_anon, share_file, share_shmem, share_locked, share_swap;
};

/* Adds the pages of v to *u. mmap_lock held for reading. */
void vma_usage_add(struct vma *v, struct mem_usage *u);
/* May it get 2 MiB pages? mmap_lock held for reading. */
bool vma_huge_eligible(const struct vma *v);

#endif
