/* SOURCES: lib/sort.c lib/ringbuf.c lib/utf8.c */
/* SPDX-License-Identifier: MIT */
/*
 * Sorting, byte rings and UTF-8.
 */
#include "lib/ringbuf.h"
#include "lib/sort.h"
#include "lib/utf8.h"
#include "test.h"
#include "uapi/errno.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

static size_t comparisons;

static int
bytes_compare(const void *a, const void *b, void *context)
{
	comparisons++;
	return memcmp(a, b, *(size_t *)context);
}

static int
host_compare(const void *a, const void *b)
{
	return memcmp(a, b, 3);
}

static void
sort_orders_elements_of_any_size(void)
{
	u8 a[900], b[900];

	for (int step = 0; step < 3000; step++) {
		size_t size = 1 + test_random_below(20),
		       count = test_random_below(sizeof(a) / size);

		for (size_t i = 0; i < sizeof(a); i++)
			a[i] = (u8)test_random_below(step % 2 ? 256 : 3);
		memcpy(b, a, sizeof(a));
		sort(a, count, size, bytes_compare, &size);
		for (size_t i = 1; i < count; i++)
			EXPECT(memcmp(a + (i - 1) * size, a + i * size, size) <= 0);
		EXPECT(memcmp(a + count * size, b + count * size, sizeof(a) - count * size) == 0);
		if (size == 3) {
			qsort(b, count, 3, host_compare);
			EXPECT(memcmp(a, b, sizeof(a)) == 0);
		}
	}
}

static void
sort_is_never_quadratic(void)
{
	static u32 numbers[65536];
	size_t size = 4;

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] = __builtin_bswap32(i);
	comparisons = 0;
	sort(numbers, ARRAY_SIZE(numbers), 4, bytes_compare, &size);
	EXPECT(comparisons < 2 * 16 * 65536 && numbers[77] == __builtin_bswap32(77));
}

static void
ringbuf_keeps_order_around_the_end(void)
{
	struct ringbuf rb;
	u8 memory[16], out[20];
	u8 written = 0, read = 0;

	ringbuf_init(&rb, memory, 16);
	rb.head = rb.tail = 0xfffffff0; /* the counters wrap soon */
	EXPECT(ringbuf_empty(&rb) && ringbuf_getc(&rb) == -1);
	for (int step = 0; step < 10000; step++) {
		u8 in[20];
		u32 n = (u32)test_random_below(20), done, space = ringbuf_space(&rb);

		for (u32 i = 0; i < n; i++)
			in[i] = (u8)(written + i);
		done = ringbuf_write(&rb, in, n);
		EXPECT(done == MIN(n, space));
		written = (u8)(written + done);
		if (ringbuf_putc(&rb, written))
			written++;
		else
			EXPECT(ringbuf_used(&rb) == 16);
		n = (u32)test_random_below(20);
		if (ringbuf_used(&rb) > 3) {
			EXPECT(ringbuf_peek(&rb, 3, out, 1) == 1 && out[0] == (u8)(read + 3));
			EXPECT(ringbuf_peek(&rb, ringbuf_used(&rb), out, 1) == 0);
		}
		done = ringbuf_read(&rb, out, n);
		for (u32 i = 0; i < done; i++)
			EXPECT(out[i] == read++);
		if (ringbuf_used(&rb))
			EXPECT(ringbuf_getc(&rb) == read++);
	}
}

static struct ringbuf pipe_ring;

static void *
produce(void *unused)
{
	for (u32 i = 0; i < 300000;) {
		u8 bytes[7];
		u32 n = MIN(7U, 300000 - i);

		for (u32 k = 0; k < n; k++)
			bytes[k] = (u8)((i + k) * 31);
		n = ringbuf_write(&pipe_ring, bytes, n);
		i += n;
		if (!n)
			sched_yield();
	}
	return unused;
}

static void
ringbuf_needs_no_lock_between_two(void)
{
	u8 memory[64], out[11];
	pthread_t producer;
	bool right = true;

	ringbuf_init(&pipe_ring, memory, sizeof(memory));
	pthread_create(&producer, NULL, produce, NULL);
	for (u32 i = 0; i < 300000;) {
		u32 n = ringbuf_read(&pipe_ring, out, sizeof(out));

		for (u32 k = 0; k < n; k++, i++)
			right &= out[k] == (u8)(i * 31);
		if (!n)
			sched_yield();
	}
	pthread_join(producer, NULL);
	EXPECT(right);
}

static void
utf8_encodes_and_decodes_every_character(void)
{
	for (u32 c = 0; c < 0x110000; c++) {
		char text[4];
		u32 back = 0;
		int n = utf8_encode(text, c);

		if (c >= 0xd800 && c < 0xe000) {
			EXPECT(n == -EILSEQ);
			continue;
		}
		EXPECT(n > 0 && utf8_decode(text, (size_t)n, &back) == n && back == c);
		EXPECT(utf8_last_size(text, (size_t)n) == (size_t)n);
		EXPECT(utf8_decode(text, (size_t)n - 1, &back) == -EILSEQ);
	}
}

static void
utf8_refuses_what_is_malformed(void)
{
	static const char *const bad[] = {
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc3(",
		"\xe2\x82(",
	};
	char text[4];
	u32 c;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(utf8_decode(bad[i], strlen(bad[i]), &c) == -EILSEQ);
	EXPECT(utf8_encode(text, 0x110000) == -EILSEQ);
	EXPECT(utf8_last_size("a\xc3\xa4", 3) == 2 && utf8_last_size("\x80\x80", 2) == 2);
	EXPECT(utf8_last_size("ab", 2) == 1);
}

int
main(void)
{
	TEST(sort_orders_elements_of_any_size);
	TEST(sort_is_never_quadratic);
	TEST(ringbuf_keeps_order_around_the_end);
	TEST(ringbuf_needs_no_lock_between_two);
	TEST(utf8_encodes_and_decodes_every_character);
	TEST(utf8_refuses_what_is_malformed);
	return test_done();
}
