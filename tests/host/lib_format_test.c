/* SOURCES: lib/string.c */
/* SPDX-License-Identifier: MIT */
/*
 * Formatted text against the host's printf, and strbuf. The formatter is compiled here under other
 * names.
 */
#include "lib/types.h"
#include "test.h"
#include <inttypes.h>
#include <string.h>

#define vsnprintf kernel_vsnprintf
#define snprintf  kernel_snprintf
#include "../../lib/format.c"
#undef vsnprintf
#undef snprintf

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-overflow"

static char expected[4096], got[4096];

static void
same(size_t size, int host_len, int len)
{
	if (host_len != len || (size && strcmp(expected, got) != 0))
		printf("# host %d \"%s\", ours %d \"%s\"\n", host_len, expected, len, got);
	EXPECT(host_len == len);
	EXPECT(!size || strcmp(expected, got) == 0);
}

#define SAME(size, ...)                                                       \
	do {                                                                  \
		memset(expected, 'X', sizeof(expected));                      \
		memset(got, 'X', sizeof(got));                                \
		same(size, snprintf(expected, size, __VA_ARGS__),             \
		     kernel_snprintf(got, size, __VA_ARGS__));                \
		EXPECT(memcmp(expected, got, size) == 0 && got[size] == 'X'); \
	} while (0)

static void
integers_are_printed_as_the_host_does(void)
{
	static const char lengths[][3] = { "hh", "h", "", "l", "ll", "z", "j", "t" };

	for (int step = 0; step < 200000; step++) {
		u64 value = test_random() >> test_random_below(64);
		char format[64] = "<%", *f = format + 2;
		size_t size = test_random_below(8) ? 200 : test_random_below(30);
		int length = (int)test_random_below(8), star = (int)test_random_below(40) - 20;

		if (test_random_below(8) == 0)
			value = 0;
		if (test_random_below(4) == 0)
			value = -value;
		for (int i = (int)test_random_below(4); i; i--)
			*f++ = "-+ #0"[test_random_below(5)];
		switch (test_random_below(4)) {
		case 0: f += sprintf(f, "%d", 1 + (int)test_random_below(30)); break;
		case 1: *f++ = '*'; break;
		}
		if (test_random_below(3) == 0)
			f += sprintf(f, ".%d", (int)test_random_below(30));
		f += sprintf(f, "%s%c>", lengths[length], "diuoxX"[test_random_below(6)]);
		if (strchr(format, '*'))
			SAME(size, format, star, value);
		else
			SAME(size, format, value);
		EXPECT(!test_failed);
	}
}

static void
strings_and_characters_are_printed_as_the_host_does(void)
{
	const char *text = "some text", unterminated[3] = { 'a', 'b', 'c' };

	for (int width = -12; width <= 12; width++) {
		SAME(100, "[%*s]", width, text);
		SAME(100, "[%*c]", width, 'x');
		for (int precision = -1; precision < 12; precision++) {
			SAME(100, "[%*.*s]", width, precision, text);
			SAME(100, "[%*.*d]", width, precision, 42);
		}
	}
	SAME(100, "%.3s", unterminated);
	SAME(100, "%s", (char *)NULL);
	SAME(100, "100%% of %s, %5.1s|", text, text);
	SAME(100, "%p", (void *)0x1234);
	SAME(100, "%20p|%-20p|", (void *)0x1234, (void *)&expected);
	SAME(100, "%s %d %s %u %lx", "a", -1, "b", 7U, 0xabcdefUL);
	SAME(0, "%d", 12345);
	SAME(1, "%d", 12345);
	SAME(5, "%d", 12345);
	SAME(6, "%d", 12345);
	SAME(100, "%" PRIu64 " %" PRId64, UINT64_MAX, INT64_MIN);
	SAME(100, "");
}

static void
name_address(char *buf, size_t size, unsigned long address)
{
	kernel_snprintf(buf, size, "symbol_%lu", address);
}

static void
symbols_are_named_by_the_hook(void)
{
	EXPECT(kernel_snprintf(got, sizeof(got), "at %pS.", (void *)0x10) == 8);
	EXPECT(strcmp(got, "at 0x10.") == 0);
	format_symbol = name_address;
	EXPECT(kernel_snprintf(got, sizeof(got), "at %pS, %-12pS|", (void *)16, (void *)17) == 27);
	EXPECT(strcmp(got, "at symbol_16, symbol_17   |") == 0);
	format_symbol = NULL;
}

static void
unknown_directives_are_shown(void)
{
	kernel_snprintf(got, sizeof(got), "a %d %y %d", 1, 2, 3);
	EXPECT(strcmp(got, "a 1 %y %d") == 0);
	kernel_snprintf(got, sizeof(got), "end %");
	EXPECT(strcmp(got, "end %") == 0);
	kernel_snprintf(got, sizeof(got), "end %-5");
	EXPECT(strcmp(got, "end %-5") == 0);
}

static void
scnprintf_returns_what_was_written(void)
{
	EXPECT(scnprintf(got, 4, "123456") == 3 && strcmp(got, "123") == 0);
	EXPECT(scnprintf(got, 40, "123456") == 6);
	EXPECT(scnprintf(got, 0, "123456") == 0);
}

static void
strbuf_fills_cuts_and_remembers(void)
{
	struct strbuf sb;
	char buf[16];

	strbuf_init(&sb, buf, sizeof(buf));
	EXPECT(sb.len == 0 && buf[0] == '\0');
	strbuf_printf(&sb, "%d-", 12);
	strbuf_puts(&sb, "ab");
	strbuf_putc(&sb, 'c');
	strbuf_pad(&sb, '.', 2);
	strbuf_put_s64(&sb, -7);
	EXPECT(strcmp(buf, "12-abc..-7") == 0 && sb.len == 10 && !sb.overflow);
	strbuf_put_u64(&sb, 12345);
	EXPECT(strcmp(buf, "12-abc..-712345") == 0 && sb.len == 15 && !sb.overflow);
	strbuf_puts(&sb, "");
	EXPECT(!sb.overflow);
	strbuf_putc(&sb, 'x');
	EXPECT(strcmp(buf, "12-abc..-712345") == 0 && sb.len == 15 && sb.overflow);
	strbuf_reset(&sb);
	strbuf_printf(&sb, "%030d", 5);
	EXPECT(strcmp(buf, "000000000000000") == 0 && sb.overflow);
	strbuf_init(&sb, NULL, 0);
	strbuf_printf(&sb, "%d", 5);
	EXPECT(sb.len == 0 && sb.overflow);
}

static void
digits_go_straight_into_a_buffer(void)
{
	for (int step = 0; step < 100000; step++) {
		u64 value = test_random() >> test_random_below(64);
		unsigned int digits = (unsigned int)test_random_below(17);

		got[format_u64(got, value)] = '\0';
		snprintf(expected, sizeof(expected), "%" PRIu64, value);
		EXPECT(strcmp(expected, got) == 0);
		got[format_hex(got, value, digits)] = '\0';
		snprintf(expected, sizeof(expected), "%0*" PRIx64, (int)digits, value);
		EXPECT(strcmp(expected, got) == 0);
	}
}

int
main(void)
{
	TEST(integers_are_printed_as_the_host_does);
	TEST(strings_and_characters_are_printed_as_the_host_does);
	TEST(symbols_are_named_by_the_hook);
	TEST(unknown_directives_are_shown);
	TEST(scnprintf_returns_what_was_written);
	TEST(strbuf_fills_cuts_and_remembers);
	TEST(digits_go_straight_into_a_buffer);
	return test_done();
}
