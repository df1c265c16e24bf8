/* SPDX-License-Identifier: MIT */
/* SOURCES: lib/bitmap.c */
/* The two-level bitmap of descriptors against a plain array. */
#include "../../fs/vfs/fd_bitmap.h"
#include "test.h"

#define SIZE (64u * 70) /* more than one word of "full" bits */

static unsigned long open_words[SIZE / 64], full_words[2];
static struct fd_bitmap map = { SIZE, open_words, full_words };
static bool taken[SIZE];

static u32
model_find(u32 from)
{
	while (from < SIZE && taken[from])
		from++;
	return from;
}

static void
take(u32 fd)
{
	taken[fd] = true;
	fd_bitmap_set(&map, fd);
}

static void
release(u32 fd)
{
	taken[fd] = false;
	fd_bitmap_clear(&map, fd);
}

static void
an_empty_map_gives_what_is_asked_for(void)
{
	for (u32 fd = 0; fd < SIZE; fd += 13)
		EXPECT(fd_bitmap_find_free(&map, fd) == fd);
	EXPECT(fd_bitmap_find_free(&map, SIZE) == SIZE);
	EXPECT(fd_bitmap_find_free(&map, SIZE + 100) == SIZE + 100);
}

static void
filling_gives_each_once_in_order(void)
{
	for (u32 fd = 0; fd < SIZE; fd++) {
		EXPECT(fd_bitmap_find_free(&map, 0) == fd);
		take(fd);
	}
	EXPECT(fd_bitmap_find_free(&map, 0) == SIZE);
	EXPECT(fd_bitmap_find_free(&map, 65) == SIZE);
}

static void
holes_are_found_from_any_start(void)
{
	release(64 * 69 + 63);
	EXPECT(fd_bitmap_find_free(&map, 0) == 64 * 69 + 63);
	release(1);
	EXPECT(fd_bitmap_find_free(&map, 0) == 1);
	EXPECT(fd_bitmap_find_free(&map, 2) == 64 * 69 + 63);
}

static void
random_changes_agree_with_the_model(void)
{
	for (u32 i = 0; i < 200000; i++) {
		u32 fd = (u32)test_random_below(SIZE), from = (u32)test_random_below(SIZE + 10);

		/* Mostly full, so that whole words are. */
		if (test_random_below(8) == 0)
			release(fd);
		else
			take(fd);
		EXPECT(fd_bitmap_find_free(&map, from) == model_find(from));
	}
}

int
main(void)
{
	TEST(an_empty_map_gives_what_is_asked_for);
	TEST(filling_gives_each_once_in_order);
	TEST(holes_are_found_from_any_start);
	TEST(random_changes_agree_with_the_model);
	return test_done();
}
