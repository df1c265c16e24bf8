/* SPDX-License-Identifier: MIT */
/* SOURCES: mm/iter.c tests/host/core_shim.c tests/host/mm_shim.c */
/*
 * iov_iter against a flat copy: random segments, random pieces, going back, and faults in the
 * middle. "User memory" is an array whose tail cannot be reached.
 */
#include "arch/uaccess.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm_shim.h"
#include "test.h"
#include <string.h>

#define USER_SIZE 8192u
#define GOOD	  6000u /* what lies beyond faults */

static u8 user[USER_SIZE];

/* Addresses below USER_END that stand for the array. */
#define USER_AT(offset) (0x10000ul + (offset))

static size_t
reachable(const void *p, size_t len)
{
	u64 offset = (u64)(uintptr_t)p - USER_AT(0);

	return offset >= GOOD ? 0 : MIN(len, GOOD - offset);
}

static u8 *
host(const void *p)
{
	return user + ((uintptr_t)p - USER_AT(0));
}

size_t
arch_copy_from_user(void *dst, const void *src, size_t len)
{
	size_t n = reachable(src, len);

	memcpy(dst, host(src), n);
	return len - n;
}

size_t
arch_copy_to_user(void *dst, const void *src, size_t len)
{
	size_t n = reachable(dst, len);

	memcpy(host(dst), src, n);
	return len - n;
}

size_t
arch_clear_user(void *dst, size_t len)
{
	size_t n = reachable(dst, len);

	memset(host(dst), 0, n);
	return len - n;
}

u64
arch_get_user(const void *src, size_t size, bool *fault)
{
	*fault = reachable(src, size) < size;
	return *fault ? 0 : *host(src);
}

int
copy_from_user(void *dst, user_ptr src, size_t len)
{
	if (len)
		memcpy(dst, (void *)(uintptr_t)src.addr, len);
	return 0;
}

bool
user_range_ok(user_ptr p, size_t len)
{
	return p.addr < 1ul << 47 && len < 1ul << 47;
}

void *
kmalloc_array(size_t n, size_t size, u32 gfp)
{
	return malloc(n * size);
}

void
kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

static void
pieces_add_up(void)
{
	for (u32 round = 0; round < 3000; round++) {
		struct iov_seg segs[20], fast[8], *heap;
		u8 flat[USER_SIZE], out[USER_SIZE];
		u32 nr = test_random() % 20 + 1, at = 0, total = 0;
		struct iov_iter it;
		size_t done = 0;

		for (u32 i = 0; i < USER_SIZE; i++)
			user[i] = (u8)test_random();
		/* Segments one after the other, some empty, all reachable. */
		for (u32 i = 0; i < nr; i++) {
			u32 len = test_random() % 4 ? test_random() % 250 : 0;

			segs[i] = (struct iov_seg){ USER_AT(at), len };
			memcpy(flat + total, user + at, len);
			at += len + test_random() % 20;
			total += len;
		}
		EXPECT(iter_import(&it, false, user_ptr_of((uintptr_t)segs), nr, fast, &heap) == 0);
		EXPECT(it.count == total);
		while (iter_count(&it)) {
			size_t want = test_random() % 300 + 1, back;
			size_t got = iter_copy_from(&it, out + done, want);

			EXPECT(got == MIN(want, total - done));
			done += got;
			back = test_random() % 3 ? 0 : test_random() % (done + 1);
			iter_revert(&it, back);
			done -= back;
			if (test_random() % 8 == 0) {
				size_t skip = MIN((size_t)(test_random() % 50), total - done);

				memcpy(out + done, flat + done, skip);
				iter_advance(&it, skip);
				done += skip;
			}
			EXPECT(it.count == total - done);
		}
		EXPECT(memcmp(out, flat, total) == 0);
		kfree(heap);
	}
}

static void
a_fault_ends_the_copy(void)
{
	struct iov_iter it;
	u8 buf[200];

	iter_init_user(&it, false, user_ptr_of(USER_AT(GOOD - 100)), 200);
	EXPECT(iter_copy_from(&it, buf, 200) == 100);
	EXPECT(it.count == 100);
	EXPECT(iter_copy_from(&it, buf, 100) == 0);
	EXPECT(iter_fault_in(&it, 100) == -EFAULT);
	iter_init_user(&it, true, user_ptr_of(USER_AT(GOOD - 100)), 200);
	EXPECT(iter_zero(&it, 200) == 100);
	/* No address of a program at all. */
	iter_init_user(&it, true, user_ptr_of(~0ul - 50), 200);
	EXPECT(iter_copy_to(&it, buf, 200) == 0);
}

static void
lengths_are_checked(void)
{
	struct iov_seg segs[3] = { { USER_AT(0), 10 },
				   { USER_AT(0), 1ul << 63 },
				   { USER_AT(0), 1 } };
	struct iov_seg fast[8], *heap;
	struct iov_iter it;

	EXPECT(iter_import(&it, true, user_ptr_of((uintptr_t)segs), 3, fast, &heap) == -EINVAL);
	EXPECT(iter_import(&it, true, user_ptr_of((uintptr_t)segs), IOV_MAX + 1, fast, &heap) ==
	       -EINVAL);
	segs[1].len = MAX_RW_COUNT;
	EXPECT(iter_import(&it, true, user_ptr_of((uintptr_t)segs), 3, fast, &heap) == 0);
	EXPECT(it.count == MAX_RW_COUNT);
	EXPECT(iter_import(&it, true, user_ptr_of(0), 0, fast, &heap) == 0 && it.count == 0);
}

int
main(void)
{
	TEST(pieces_add_up);
	TEST(a_fault_ends_the_copy);
	TEST(lengths_are_checked);
	return test_done();
}
