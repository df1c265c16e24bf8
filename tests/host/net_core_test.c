/* SOURCES: net/core/checksum.c */
/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum against the definition of RFC 1071, at every alignment and length.
 */
#include "net/core/packet.h"
#include "test.h"

/* Sixteen bits at a time, in memory order, as the RFC says it. */
static u16
slow_fold(const u8 *p, size_t n, u32 start)
{
	u64 s = start;
	u16 w;

	for (; n > 1; n -= 2, p += 2) {
		memcpy(&w, p, 2);
		s += w;
	}
	if (n) {
		w = 0;
		memcpy(&w, p, 1);
		s += w;
	}
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (u16)~s;
}

static void
sums_are_those_of_the_definition(void)
{
	static u8 a[4096 + 16];

	for (int step = 0; step < 2000; step++) {
		size_t at = test_random_below(9), n = test_random_below(step < 1000 ? 80 : 4096);
		u32 start = (u32)test_random_below(65536);

		for (size_t i = 0; i < sizeof(a); i++)
			a[i] = step % 7 ? (u8)test_random_below(256) : 0xff;
		EXPECT(csum_fold(csum_bytes(a + at, n, start)) == slow_fold(a + at, n, start));
	}
}

static void
copying_sums_as_well(void)
{
	static u8 from[1000], to[1000];

	for (int step = 0; step < 500; step++) {
		size_t n = test_random_below(sizeof(from));

		for (size_t i = 0; i < n; i++)
			from[i] = (u8)test_random_below(256);
		EXPECT(csum_fold(csum_copy(to, from, n, 5)) == slow_fold(from, n, 5));
		EXPECT(memcmp(from, to, n) == 0);
	}
}

static void
parts_add_up_at_odd_places(void)
{
	static u8 a[301];

	for (size_t cut = 0; cut <= sizeof(a); cut++) {
		u32 left, right;

		for (size_t i = 0; i < sizeof(a); i++)
			a[i] = (u8)test_random_below(256);
		left = csum_bytes(a, cut, 0);
		right = csum_bytes(a + cut, sizeof(a) - cut, 0);
		EXPECT(csum_fold(csum_add_at(left, right, cut)) == slow_fold(a, sizeof(a), 0));
	}
}

static void
changes_are_followed(void)
{
	u8 h[20];
	u16 check, old, fresh;

	for (int step = 0; step < 1000; step++) {
		for (size_t i = 0; i < sizeof(h); i++)
			h[i] = (u8)test_random_below(256);
		h[10] = h[11] = 0;
		check = slow_fold(h, sizeof(h), 0);
		memcpy(&old, h + 8, 2);
		fresh = (u16)test_random_below(65536);
		memcpy(h + 8, &fresh, 2);
		csum_replace2(&check, old, fresh);
		memcpy(h + 10, &check, 2);
		EXPECT(csum_fold(csum_bytes(h, sizeof(h), 0)) == 0);
	}
}

static void
pseudo_headers_are_sums_of_their_fields(void)
{
	u8 p4[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0x12, 0x34 };
	u8 p6[40] = { 0xfe, 0x80, [15] = 1, 0xfe, 0x80, [31] = 2, 0, 1, 2, 3, [39] = 58 };
	u32 src, dst;

	memcpy(&src, p4, 4);
	memcpy(&dst, p4 + 4, 4);
	EXPECT(csum_fold(csum_pseudo4(src, dst, 17, 0x1234)) == slow_fold(p4, sizeof(p4), 0));
	EXPECT(csum_fold(csum_pseudo6(p6, p6 + 16, 58, 0x010203)) == slow_fold(p6, sizeof(p6), 0));
}

int
main(void)
{
	TEST(sums_are_those_of_the_definition);
	TEST(copying_sums_as_well);
	TEST(parts_add_up_at_odd_places);
	TEST(changes_are_followed);
	TEST(pseudo_headers_are_sums_of_their_fields);
	return test_done();
}
