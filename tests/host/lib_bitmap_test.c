/* SOURCES: lib/bitmap.c lib/math.c */
/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps against an array of booleans; atomic bits; powers of two.
 */
#include "lib/bitmap.h"
#include "lib/math.h"
#include "test.h"
#include <string.h>

#define BITS 517

static bool model_a[BITS], model_b[BITS];

static size_t
model_next(bool value, size_t size, size_t start)
{
	while (start < size && model_a[start] != value)
		start++;
	return MIN(start, size);
}

static bool
equals(const unsigned long *map, const bool *model, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (test_bit(i, map) != model[i])
			return false;
	}
	return true;
}

static void
bitmap_equals_its_model(void)
{
	DECLARE_BITMAP(a, BITS) = { 0 };
	DECLARE_BITMAP(b, BITS) = { 0 };
	DECLARE_BITMAP(c, BITS);
	bool model[BITS];

	for (int step = 0; step < 20000; step++) {
		size_t size = 1 + test_random_below(BITS), start = test_random_below(BITS);
		size_t count = test_random_below(BITS + 1 - start) >> test_random_below(6), at;
		size_t weight = 0, last = size, both = 0, run;
		bool any = false, subset = true;

		memset(model_a + start, step & 1, count);
		if (step & 1)
			bitmap_set(a, start, count);
		else
			bitmap_clear(a, start, count);
		EXPECT(equals(a, model_a, BITS));
		at = test_random_below(BITS);
		model_b[at] = !model_b[at];
		if (model_b[at])
			bitmap_set_bit(at, b);
		else
			bitmap_clear_bit(at, b);
		EXPECT(equals(b, model_b, BITS));

		EXPECT(find_next_bit(a, size, start) ==
		       (start < size ? model_next(true, size, start) : size));
		EXPECT(find_next_zero_bit(a, size, start) ==
		       (start < size ? model_next(false, size, start) : size));
		for (size_t i = 0; i < size; i++) {
			weight += model_a[i];
			last = model_a[i] ? i : last;
			any |= model_a[i] && model_b[i];
			subset &= !model_a[i] || model_b[i];
			both += model_a[i] && model_b[i];
		}
		EXPECT(bitmap_weight(a, size) == weight);
		EXPECT(find_last_bit(a, size) == last);
		EXPECT(bitmap_empty(a, size) == (weight == 0) &&
		       bitmap_full(a, size) == (weight == size));
		EXPECT(bitmap_intersects(a, b, size) == any && bitmap_subset(a, b, size) == subset);

		memset(c, 0xff, sizeof(c));
		EXPECT(bitmap_and(c, a, b, size) == any && bitmap_weight(c, size) == both);
		for (size_t i = 0; i < size; i++)
			model[i] = model_a[i] && !model_b[i];
		EXPECT(bitmap_andnot(c, a, b, size) == !subset && equals(c, model, size));
		for (size_t i = 0; i < size; i++)
			model[i] = model_a[i] || model_b[i];
		bitmap_or(c, a, b, size);
		EXPECT(equals(c, model, size));
		bitmap_xor(c, a, b, size);
		EXPECT(bitmap_equal(c, a, size) == bitmap_empty(b, size));
		bitmap_xor(c, c, b, size);
		EXPECT(bitmap_equal(c, a, size));
		bitmap_not(c, a, size);
		EXPECT(bitmap_weight(c, size) == size - weight);
		bitmap_copy(c, a, size);
		EXPECT(bitmap_equal(c, a, size));

		count = 1 + test_random_below(100);
		for (at = start, run = 0; at < size && run < count; at++)
			run = model_a[at] ? 0 : run + 1;
		EXPECT(find_zero_area(a, size, start, count) == (run == count ? at - count : size));
	}
}

static void
bitmap_walk_visits_each_bit(void)
{
	DECLARE_BITMAP(map, 200);
	size_t bit, sum = 0;

	bitmap_fill(map, 200);
	bitmap_clear(map, 10, 180);
	for_each_set_bit(bit, map, 200) sum += bit;
	EXPECT(sum == 45 + 1945);
	bitmap_zero(map, 200);
	EXPECT(find_first_bit(map, 200) == 200 && find_first_zero_bit(map, 200) == 0);
}

static void
atomics_return_what_they_promise(void)
{
	struct atomic32 a = ATOMIC_INIT(1);
	struct atomic64 b = ATOMIC_INIT(1L << 40);
	unsigned long word[2] = { 0 };
	int old = 5;

	EXPECT(atomic_inc_not_zero(&a) && atomic_read(&a) == 2);
	EXPECT(!atomic_dec_and_test(&a) && atomic_dec_and_test(&a) && !atomic_inc_not_zero(&a));
	EXPECT(atomic_add_return(&a, 7) == 7 && atomic_fetch_or(&a, 8) == 7 &&
	       atomic_read(&a) == 15);
	EXPECT(atomic_cmpxchg(&a, 14, 0) == 15 && atomic_cmpxchg(&a, 15, 4) == 15);
	EXPECT(!atomic_try_cmpxchg(&a, &old, 9) && old == 4 && atomic_try_cmpxchg(&a, &old, 9));
	EXPECT(atomic_xchg(&a, 3) == 9 && !atomic_add_unless(&a, 1, 3) &&
	       atomic_sub_and_test(&a, 3));
	EXPECT(atomic64_add_return(&b, -1) == (1L << 40) - 1);
	EXPECT(!test_and_set_bit(70, word) && test_and_set_bit(70, word) && word[1] == 64);
	EXPECT(test_and_clear_bit(70, word) && !test_and_clear_bit(70, word));
	set_bit(3, word);
	clear_bit(2, word);
	EXPECT(test_bit(3, word) && word[0] == 8);
}

static void
powers_of_two_and_wide_products(void)
{
	EXPECT(ilog2(1) == 0 && ilog2(4095) == 11 && ilog2(4096) == 12 && ilog2(UINT64_MAX) == 63);
	EXPECT(ilog2_up(1) == 0 && ilog2_up(4095) == 12 && ilog2_up(4096) == 12 &&
	       ilog2_up(4097) == 13);
	EXPECT(roundup_pow2(0) == 1 && roundup_pow2(5) == 8 &&
	       roundup_pow2(1UL << 63) == 1UL << 63);
	EXPECT(rounddown_pow2(5) == 4 && is_pow2(64) && !is_pow2(0) && !is_pow2(65));
	EXPECT(bits_set(UINT64_MAX) == 64 && bits_set(0x8001) == 2);
	EXPECT(add_u64_sat(UINT64_MAX, 1) == UINT64_MAX &&
	       mul_u64_sat(1UL << 32, 1UL << 32) == UINT64_MAX);
	EXPECT(MIN(3UL, 5) == 3 && MAX(-1, 2) == 2 && CLAMP(17U, 1, 10) == 10);
	EXPECT(ALIGN_UP(4097UL, 4096) == 8192 && ALIGN_DOWN(4097UL, 4096) == 4096 &&
	       IS_ALIGNED(8192, 4096));
	EXPECT(mul_div_u64(10, 10, 0xffffffffffffffffUL) == 0);
	EXPECT(mul_div_u64(UINT64_MAX, UINT64_MAX, 3) == UINT64_MAX);
	for (int i = 0; i < 100000; i++) {
		u64 a = test_random() >> test_random_below(64),
		    b = test_random() >> test_random_below(64);
		u64 divisor = (test_random() >> test_random_below(64)) | 1, root = int_sqrt(a);
		unsigned __int128 product = (unsigned __int128)a * b, quotient = product / divisor;

		EXPECT(mul_div_u64(a, b, divisor) == (quotient >> 64 ? UINT64_MAX : (u64)quotient));
		EXPECT(mul_u64_u64_shift(a, b, 32) == (u64)(product >> 32));
		EXPECT(root * root <= a && (unsigned __int128)(root + 1) * (root + 1) > a);
		EXPECT(bits_set(a) == (unsigned int)__builtin_popcountl(a));
	}
}

int
main(void)
{
	TEST(bitmap_equals_its_model);
	TEST(bitmap_walk_visits_each_bit);
	TEST(atomics_return_what_they_promise);
	TEST(powers_of_two_and_wide_products);
	return test_done();
}
