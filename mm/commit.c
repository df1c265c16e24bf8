/* SPDX-License-Identifier: MIT */
/*
 * Overcommit accounting: pages that private writable and shared anonymous mappings may come to
 * need.
 *
 * The sum is a per-CPU counter, so that mapping memory writes no shared line; only mode 2 (never
 * overcommit) reads it. Mode 0 refuses what could not be satisfied by an otherwise empty machine.
 */
#include "mm_internal.h"
#include "swap.h"
#include "uapi/mman.h"

u32 mm_overcommit_mode = OVERCOMMIT_GUESS;
u32 mm_overcommit_ratio = 50;

u64
mm_commit_limit(void)
{
	return page_total * mm_overcommit_ratio / 100 + swap_total();
}

int
commit_charge(u64 pages)
{
	u32 mode = READ_ONCE(mm_overcommit_mode);

	if (mode == OVERCOMMIT_GUESS && unlikely(pages > page_total) &&
	    pages > page_total + swap_total())
		return -ENOMEM;
	if (unlikely(mode == OVERCOMMIT_NEVER)) {
		struct mm_limits limits = { 0 };
		u64 limit = mm_commit_limit();

		if (mm_get_limits)
			mm_get_limits(&limits);
		if (!limits.reserve_exempt)
			limit -= limit / 32;
		if ((u64)mem_counter_sum(MC_COMMITTED) + pages > limit)
			return -ENOMEM;
	}
	mem_count(MC_COMMITTED, (s64)pages);
	return 0;
}

void
commit_release(u64 pages)
{
	mem_count(MC_COMMITTED, -(s64)pages);
}
