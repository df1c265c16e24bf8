/* SPDX-License-Identifier: MIT */
/*
 * Tests on the host: each is a function named by the behaviour it checks; TAP on standard output.
 *
 *	static void
 *	list_del_leaves_the_others(void)
 *	{
 *		...
 *		EXPECT(list_empty(&head));
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		TEST(list_del_leaves_the_others);
 *		return test_done();
 *	}
 *
 * A failed EXPECT says where and leaves the function. Random tests take their numbers from
 * test_random, whose seed is fixed unless TEST_SEED is set.
 */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int test_count, test_failures;
static bool test_failed;
static uint64_t test_seed;

static inline bool
test_expect(bool condition, const char *file, int line, const char *text)
{
	if (!condition) {
		test_failed = true;
		printf("# %s:%d: not true: %s\n", file, line, text);
	}
	return condition;
}

#define EXPECT(condition)                                                    \
	do {                                                                 \
		if (!test_expect(condition, __FILE__, __LINE__, #condition)) \
			return;                                              \
	} while (0)

static inline void
test_run(const char *name, void (*function)(void))
{
	const char *seed = getenv("TEST_SEED");

	test_seed = seed ? strtoull(seed, NULL, 0) : 1;
	test_failed = false;
	function();
	test_count++;
	test_failures += test_failed;
	printf("%sok %u - %s\n", test_failed ? "not " : "", test_count, name);
	fflush(stdout);
}

#define TEST(function) test_run(#function, function)

static inline int
test_done(void)
{
	printf("1..%u\n", test_count);
	return test_failures != 0;
}

/* SplitMix64. */
static inline uint64_t
test_random(void)
{
	uint64_t z = test_seed += 0x9e3779b97f4a7c15UL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

static inline uint64_t
test_random_below(uint64_t n)
{
	return test_random() % n;
}

#endif
