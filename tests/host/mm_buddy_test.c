/* SPDX-License-Identifier: MIT */
/* SOURCES: mm/buddy.c tests/host/core_shim.c tests/host/mm_shim.c */
/*
 * The buddy allocator against a map of who owns which page: no page twice, none lost, all merged
 * again at the end.
 */
#include "../../mm/mm_internal.h"
#include "mm_shim.h"
#include "test.h"
#include <string.h>

#define PAGES 8192ul
#define SLOTS 600

static struct buddy buddy;
static u8 owned[PAGES];
static struct {
	struct page *page;
	u32 order;
} slots[SLOTS];

static u64
owned_count(void)
{
	u64 n = 0;

	for (u64 i = 0; i < PAGES; i++)
		n += owned[i];
	return n;
}

static bool
claim(u64 pfn, u64 count)
{
	for (u64 i = pfn; i < pfn + count; i++) {
		if (i >= PAGES || owned[i])
			return false;
		owned[i] = 1;
	}
	return true;
}

static void
setup(void)
{
	memset(owned, 0, sizeof(owned));
	memset(slots, 0, sizeof(slots));
	shim_arena_create(PAGES);
	buddy_init(&buddy);
}

static void
whole_ranges_become_the_largest_blocks(void)
{
	setup();
	buddy_add_range(&buddy, 0, PAGES);
	EXPECT(buddy.free == PAGES);
	EXPECT(buddy.area[BUDDY_ORDERS - 1].count == PAGES / BUDDY_MAX_PAGES);
	for (u32 o = 0; o < BUDDY_ORDERS - 1; o++)
		EXPECT(buddy.area[o].count == 0);
	shim_arena_destroy();
}

static void
odd_ranges_lose_no_page(void)
{
	setup();
	buddy_add_range(&buddy, 3, 1021);
	buddy_add_range(&buddy, 2049, 1);
	EXPECT(buddy.free == 1022);
	for (u32 i = 0; i < 1022; i++) {
		struct page *page = buddy_take_locked(&buddy, 0);
		u64 pfn;

		EXPECT(page);
		pfn = page_to_pfn(page);
		EXPECT((pfn >= 3 && pfn < 1024) || pfn == 2049);
		EXPECT(claim(pfn, 1));
	}
	EXPECT(!buddy_take_locked(&buddy, 0));
	EXPECT(buddy.free == 0);
	shim_arena_destroy();
}

static void
random_operations_match_the_map(void)
{
	setup();
	buddy_add_range(&buddy, 0, PAGES);
	for (u32 step = 0; step < 200000; step++) {
		u32 i = test_random() % SLOTS;

		if (slots[i].page) {
			memset(owned + page_to_pfn(slots[i].page), 0, 1ul << slots[i].order);
			buddy_free_locked(&buddy, slots[i].page, slots[i].order);
			slots[i].page = NULL;
		} else {
			u32 order = test_random() % 8 ? test_random() % 4
						      : test_random() % BUDDY_ORDERS;
			struct page *page = buddy_take_locked(&buddy, order);

			if (!page)
				continue;
			EXPECT(page_to_pfn(page) % (1ul << order) == 0);
			EXPECT(claim(page_to_pfn(page), 1ul << order));
			slots[i].page = page;
			slots[i].order = order;
		}
		if (step % 1000 == 0)
			EXPECT(buddy.free + owned_count() == PAGES);
	}
	for (u32 i = 0; i < SLOTS; i++) {
		if (slots[i].page)
			buddy_free_locked(&buddy, slots[i].page, slots[i].order);
	}
	EXPECT(buddy.free == PAGES);
	EXPECT(buddy.area[BUDDY_ORDERS - 1].count == PAGES / BUDDY_MAX_PAGES);
	shim_arena_destroy();
}

static void
batches_are_single_clean_pages(void)
{
	struct page *chain;
	u32 got;

	setup();
	buddy_add_range(&buddy, 5, 100);
	got = buddy_take_batch_locked(&buddy, 64, &chain);
	EXPECT(got == 64);
	for (u32 i = 0; i < got; i++) {
		EXPECT(chain && atomic_read(&chain->flags) == 0 && chain->order == 0);
		EXPECT(claim(page_to_pfn(chain), 1));
		chain = (struct page *)chain->lru.next;
	}
	EXPECT(!chain);
	got = buddy_take_batch_locked(&buddy, 64, &chain);
	EXPECT(got == 36);
	EXPECT(buddy.free == 0);
	EXPECT(buddy_take_batch_locked(&buddy, 1, &chain) == 0 && !chain);
	shim_arena_destroy();
}

int
main(void)
{
	TEST(whole_ranges_become_the_largest_blocks);
	TEST(odd_ranges_lose_no_page);
	TEST(random_operations_match_the_map);
	TEST(batches_are_single_clean_pages);
	return test_done();
}
