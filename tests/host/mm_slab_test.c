/* SPDX-License-Identifier: MIT */
/* SOURCES: mm/slab.c mm/buddy.c lib/string.c tests/host/core_shim.c tests/host/mm_shim.c */
/*
 * The slab allocator over a real buddy: objects do not overlap, keep what is written into them, go
 * back where they came from; RCU caches keep their memory for a grace period.
 */
#include "../../mm/mm_internal.h"
#include "mm/slab.h"
#include "mm_shim.h"
#include "test.h"
#include <string.h>

#define PAGES 16384ul
#define SLOTS 4000

static struct buddy buddy;
static u64 pages_out;
s64 mem_counters[MC_COUNT];

struct page *
page_alloc(u32 order, u32 gfp)
{
	struct page *page = buddy_take_locked(&buddy, order);

	if (!page)
		return NULL;
	pages_out += 1ul << order;
	page->order = (u8)order;
	if (order)
		atomic_set(&page->flags, PG_COMPOUND);
	for (u32 i = 1; i < 1u << order; i++) {
		atomic_set(&page[i].flags, PG_TAIL);
		page[i].head = page;
	}
	return page;
}

void
page_free(struct page *page, u32 order)
{
	pages_out -= 1ul << order;
	for (u32 i = 0; i < 1u << order; i++)
		atomic_set(&page[i].flags, 0);
	buddy_free_locked(&buddy, page, order);
}

void *
pages_alloc(u32 order, u32 gfp)
{
	struct page *page = page_alloc(order, gfp);

	return page ? page_to_virt(page) : NULL;
}

static struct {
	u8 *object;
	size_t size;
	u8 pattern;
} slots[SLOTS];

static bool
filled(const u8 *p, size_t n, u8 pattern)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != pattern)
			return false;
	}
	return true;
}

static void
kmalloc_objects_keep_their_contents(void)
{
	for (u32 step = 0; step < 300000; step++) {
		u32 i = test_random() % SLOTS;

		if (slots[i].object) {
			EXPECT(filled(slots[i].object, slots[i].size, slots[i].pattern));
			kfree(slots[i].object);
			slots[i].object = NULL;
			continue;
		}
		slots[i].size = test_random() % 50 ? test_random() % 600 + 1
						   : test_random() % 20000 + 1;
		slots[i].pattern = (u8)test_random();
		slots[i].object = kmalloc(slots[i].size, GFP_KERNEL);
		if (!slots[i].object)
			continue;
		EXPECT((uintptr_t)slots[i].object % 8 == 0);
		EXPECT(ksize(slots[i].object) >= slots[i].size);
		if ((slots[i].size & (slots[i].size - 1)) == 0 && slots[i].size >= 8)
			EXPECT((uintptr_t)slots[i].object % MIN(slots[i].size, PAGE_SIZE) == 0);
		memset(slots[i].object, slots[i].pattern, slots[i].size);
	}
	for (u32 i = 0; i < SLOTS; i++) {
		kfree(slots[i].object);
		slots[i].object = NULL;
	}
	/* What stays: magazines, and two empty slabs a cache. */
	EXPECT(pages_out < 1200);
}

static void
every_size_gets_its_class(void)
{
	for (size_t size = 1; size <= 9000; size++) {
		void *p = kmalloc(size, GFP_KERNEL);

		EXPECT(p && ksize(p) >= size);
		EXPECT(size < 16 || ksize(p) <= size * 2);
		kfree(p);
	}
	EXPECT(!kmalloc_array(1ul << 40, 1ul << 40, GFP_KERNEL));
	EXPECT(!kmalloc(1ul << 40, GFP_KERNEL));
	kfree(NULL);
}

static int constructed;

static void
construct(void *object)
{
	*(u64 *)object = 0x1234;
	constructed++;
}

static void
constructed_objects_stay_constructed(void)
{
	struct kmem_cache *c = kmem_cache_create("constructed", 40, 8, 0, construct);
	void *objects[500];

	for (u32 round = 0; round < 10; round++) {
		for (u32 i = 0; i < ARRAY_SIZE(objects); i++) {
			objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
			EXPECT(objects[i] && *(u64 *)objects[i] == 0x1234);
		}
		for (u32 i = 0; i < ARRAY_SIZE(objects); i++)
			kmem_cache_free(c, objects[i]);
	}
	EXPECT(constructed >= 500);
}

static void
rcu_slabs_live_for_a_grace_period(void)
{
	struct kmem_cache *c = kmem_cache_create("rcu", 256, 8, SLAB_RCU_TYPESAFE, construct);
	void *objects[2000];
	u64 before;

	for (u32 i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
	before = pages_out;
	for (u32 i = 0; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(c, objects[i]);
	EXPECT(pages_out == before);
	for (u32 i = 0; i < ARRAY_SIZE(objects); i++)
		EXPECT(*(u64 *)objects[i] == 0x1234);
	shim_grace_period();
	EXPECT(pages_out < before);
}

struct with_head {
	u64 payload[3];
	struct rcu_head rcu;
};

static void
kfree_rcu_finds_the_object(void)
{
	struct with_head *first = kmalloc(sizeof(*first), GFP_KERNEL), *again;
	struct slab_info info;

	kfree_rcu(first, rcu);
	shim_grace_period();
	again = kmalloc(sizeof(*again), GFP_KERNEL);
	EXPECT(again == first);
	kfree(again);
	EXPECT(slab_info(0, &info) && !strcmp(info.name, "magazine-14"));
}

int
main(void)
{
	shim_arena_create(PAGES);
	buddy_init(&buddy);
	buddy_add_range(&buddy, 0, PAGES);
	slab_init();
	TEST(every_size_gets_its_class);
	TEST(kmalloc_objects_keep_their_contents);
	TEST(constructed_objects_stay_constructed);
	TEST(rcu_slabs_live_for_a_grace_period);
	TEST(kfree_rcu_finds_the_object);
	shim_arena_destroy();
	return test_done();
}
