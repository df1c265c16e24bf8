/* SPDX-License-Identifier: MIT */
/* Ranges of record locks: see lock_range.h. */
#include "lock_range.h"

struct lock_range *
lock_range_conflict(struct list *ranges, const struct lock_range *want)
{
	struct lock_range *r;

	list_for_each_entry(r, ranges, node)
	{
		if (r->start > want->end)
			break;
		if (r->owner != want->owner && r->end >= want->start &&
		    (r->type == RANGE_WRITE || want->type == RANGE_WRITE))
			return r;
	}
	return NULL;
}

static void
insert_sorted(struct list *ranges, struct lock_range *r)
{
	struct lock_range *at;

	list_for_each_entry(at, ranges, node) if (at->start > r->start) break;
	/* Before `at`, or at the end: &at->node is then the head. */
	list_add_tail(&r->node, &at->node);
}

static struct lock_range *
take_spare(struct lock_range *spare[2])
{
	struct lock_range *r = spare[0] ? spare[0] : spare[1];

	if (spare[0])
		spare[0] = NULL;
	else
		spare[1] = NULL;
	return r;
}

bool
lock_range_set(struct list *ranges, const struct lock_range *want, struct lock_range *spare[2],
	       struct list *freed)
{
	struct lock_range *r, *following, *piece;
	u64 start = want->start, end = want->end;
	bool weaker = false;

	list_for_each_entry_safe(r, following, ranges, node)
	{
		if (r->owner != want->owner)
			continue;
		if (r->type == want->type) {
			/* Touching or overlapping: one range. */
			if ((end != UINT64_MAX && r->start > end + 1) ||
			    (r->end != UINT64_MAX && start > r->end + 1))
				continue;
			start = r->start < start ? r->start : start;
			end = r->end > end ? r->end : end;
			list_move(&r->node, freed);
			continue;
		}
		if (r->start > want->end || r->end < want->start)
			continue;
		weaker |= r->type == RANGE_WRITE || want->type == RANGE_NONE;
		if (r->end > want->end) {
			if (r->start < want->start) {
				/* The middle goes: what is behind needs a range of its own. */
				piece = take_spare(spare);
				piece->owner = r->owner;
				piece->holder = r->holder;
				piece->type = r->type;
				piece->start = want->end + 1;
				piece->end = r->end;
				r->end = want->start - 1;
				insert_sorted(ranges, piece);
			} else {
				r->start = want->end + 1;
				list_del(&r->node);
				insert_sorted(ranges, r);
			}
		} else if (r->start < want->start) {
			r->end = want->start - 1;
		} else {
			list_move(&r->node, freed);
		}
	}
	if (want->type != RANGE_NONE) {
		piece = take_spare(spare);
		piece->owner = want->owner;
		piece->holder = want->holder;
		piece->type = want->type;
		piece->start = start;
		piece->end = end;
		insert_sorted(ranges, piece);
	}
	return weaker;
}
