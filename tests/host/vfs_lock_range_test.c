/* SPDX-License-Identifier: MIT */
/* SOURCES: fs/vfs/lock_range.c */
/* Ranges of record locks against a table of bytes. */
#include "../../fs/vfs/lock_range.h"
#include "test.h"

#define OWNERS 3
#define BYTES  48 /* the last stands for all that follow */

static LIST_HEAD(ranges);
static u8 model[OWNERS][BYTES]; /* RANGE_* of each byte */
static int owners[OWNERS];

static void
clear(void)
{
	struct lock_range *r, *following;

	list_for_each_entry_safe(r, following, &ranges, node)
	{
		list_del(&r->node);
		free(r);
	}
	for (u32 o = 0; o < OWNERS; o++)
		for (u32 b = 0; b < BYTES; b++)
			model[o][b] = RANGE_NONE;
}

/* The kernel's way: refuse on a conflict, else set. True if it was set. */
static bool
apply(u32 owner, u64 start, u64 end, u8 type)
{
	struct lock_range want = {
		.owner = &owners[owner], .start = start, .end = end, .type = type
	};
	struct lock_range *spare[2] = { calloc(1, sizeof(want)), calloc(1, sizeof(want)) }, *r;
	LIST_HEAD(freed);
	bool conflict = type != RANGE_NONE && lock_range_conflict(&ranges, &want);

	if (!conflict)
		lock_range_set(&ranges, &want, spare, &freed);
	free(spare[0]);
	free(spare[1]);
	while ((r = list_first_entry_or_null(&freed, struct lock_range, node))) {
		list_del(&r->node);
		free(r);
	}
	return !conflict;
}

static bool
model_conflict(u32 owner, u64 start, u64 end, u8 type)
{
	for (u32 o = 0; o < OWNERS; o++)
		for (u64 b = start; b <= end && b < BYTES; b++)
			if (o != owner && model[o][b] != RANGE_NONE &&
			    (model[o][b] == RANGE_WRITE || type == RANGE_WRITE))
				return type != RANGE_NONE;
	return false;
}

/* Sorted; of one owner neither overlapping nor to be merged; every byte as the model says. */
static bool
agrees(void)
{
	u8 seen[OWNERS][BYTES];
	struct lock_range *r, *other;
	u64 last = 0;

	for (u32 o = 0; o < OWNERS; o++)
		for (u32 b = 0; b < BYTES; b++)
			seen[o][b] = RANGE_NONE;
	list_for_each_entry(r, &ranges, node)
	{
		u32 o = (u32)((const int *)r->owner - owners);

		if (r->start < last || r->end < r->start)
			return false;
		last = r->start;
		for (u64 b = r->start; b <= r->end && b < BYTES; b++) {
			if (seen[o][b] != RANGE_NONE)
				return false;
			seen[o][b] = r->type;
		}
		list_for_each_entry(other, &ranges,
				    node) if (other != r && other->owner == r->owner &&
					      other->type == r->type && r->end != UINT64_MAX &&
					      other->start == r->end + 1) return false;
	}
	return __builtin_memcmp(seen, model, sizeof(model)) == 0;
}

static void
a_lock_in_the_middle_splits(void)
{
	clear();
	EXPECT(apply(0, 0, 29, RANGE_READ));
	EXPECT(apply(0, 10, 19, RANGE_WRITE));
	EXPECT(list_first_entry(&ranges, struct lock_range, node)->end == 9);
	EXPECT(list_last_entry(&ranges, struct lock_range, node)->start == 20);
	EXPECT(apply(0, 10, 19, RANGE_READ));
	EXPECT(list_is_singular(&ranges));
}

static void
to_the_end_of_the_file(void)
{
	clear();
	EXPECT(apply(0, 10, UINT64_MAX, RANGE_WRITE));
	EXPECT(!apply(1, 1000, 2000, RANGE_READ));
	EXPECT(apply(1, 0, 9, RANGE_READ));
	EXPECT(apply(0, 100, UINT64_MAX, RANGE_NONE));
	EXPECT(apply(1, 1000, 2000, RANGE_READ));
}

static void
readers_share_and_writers_do_not(void)
{
	clear();
	EXPECT(apply(0, 0, 9, RANGE_READ));
	EXPECT(apply(1, 5, 14, RANGE_READ));
	EXPECT(!apply(2, 9, 9, RANGE_WRITE));
	EXPECT(!apply(0, 0, 9, RANGE_WRITE));
	EXPECT(apply(0, 0, 4, RANGE_WRITE));
}

static void
random_locks_agree_with_the_model(void)
{
	clear();
	for (u32 i = 0; i < 100000; i++) {
		u32 owner = (u32)test_random_below(OWNERS);
		u64 start = test_random_below(BYTES - 1);
		u64 end = test_random_below(20) ? start + test_random_below(BYTES - 1 - start)
						: UINT64_MAX;
		u8 type = (u8)test_random_below(3);
		bool refused = model_conflict(owner, start, end, type);

		EXPECT(apply(owner, start, end, type) == !refused);
		for (u64 b = start; !refused && b <= end && b < BYTES; b++)
			model[owner][b] = type;
		EXPECT(agrees());
	}
	clear();
}

int
main(void)
{
	TEST(a_lock_in_the_middle_splits);
	TEST(to_the_end_of_the_file);
	TEST(readers_share_and_writers_do_not);
	TEST(random_locks_agree_with_the_model);
	return test_done();
}
