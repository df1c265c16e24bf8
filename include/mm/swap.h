/* SPDX-License-Identifier: MIT */
/*
 * Swap areas, as the block room provides and /proc shows them. How swapping works: docs/swap.md.
 */
#ifndef MM_SWAP_H
#define MM_SWAP_H

#include "lib/types.h"

struct page;

#define SWAP_AREAS 27 /* as on Linux with what it keeps for itself */

struct swap_ops {
	/*
	 * Read or write n pages, whose slots follow each other; each ends with swap_io_done. May
	 * sleep, but not for memory that others must free: it is called in order to free some.
	 */
	void (*transfer)(void *private, u64 slot, struct page **pages, u32 n, bool write);
};

/* A page of transfer is done; any context. */
void swap_io_done(struct page *page, bool write, int err);

struct swap_config {
	const struct swap_ops *ops;
	void *private;
	u64 slots; /* pages, with the header, which is slot 0 */
	const u32 *bad;
	u32 bad_count;
	s32 priority; /* negative: below all others so far */
	bool file;
	const char *name;
};

/* From now on pages may go there. 0, -ENOMEM, -EPERM (too many areas). */
int __must_check swap_add(const struct swap_config *config);
/*
 * Brings all pages back, after which nothing is in flight and nothing refers to the area. -EINVAL:
 * there is none with this private; -EBUSY: somebody else is at it; -ENOMEM: they do not fit;
 * -EINTR; -EIO.
 */
int __must_check swap_remove(const void *private);

struct swap_info {
	char name[256];
	bool file;
	u64 pages, used;
	s32 priority;
};
bool swap_info(u32 index, struct swap_info *out);

extern u32 vm_swappiness; /* 0 to 200: how much rather anonymous pages than those of files */

#endif
