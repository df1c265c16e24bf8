/* SOURCES: lib/string.c */
/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings. The functions with the C library's names are compiled here under other names
 * and compared with the C library's.
 */
#include "lib/types.h"
#include "test.h"
#include "uapi/errno.h"
#include <string.h>
#include <strings.h>

#define memcpy	    kernel_memcpy
#define memmove	    kernel_memmove
#define memset	    kernel_memset
#define memcmp	    kernel_memcmp
#define memchr	    kernel_memchr
#define strlen	    kernel_strlen
#define strnlen	    kernel_strnlen
#define strcmp	    kernel_strcmp
#define strncmp	    kernel_strncmp
#define strcasecmp  kernel_strcasecmp
#define strncasecmp kernel_strncasecmp
#define strchr	    kernel_strchr
#define strrchr	    kernel_strrchr
#define strchrnul   kernel_strchrnul
#define strstr	    kernel_strstr
#define strspn	    kernel_strspn
#define strcspn	    kernel_strcspn
#include "../../lib/string_mem.c"
#include "../../lib/string_std.c"
#include "lib/string.h"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strcasecmp
#undef strncasecmp
#undef strchr
#undef strrchr
#undef strchrnul
#undef strstr
#undef strspn
#undef strcspn

static int
sign(int x)
{
	return (x > 0) - (x < 0);
}

static void
memory_functions_equal_the_host(void)
{
	u8 a[700], b[700], start[700];

	for (int step = 0; step < 60000; step++) {
		size_t size = test_random_below(step % 3 ? 80 : 300);
		size_t to = test_random_below(300), from = test_random_below(300);
		int byte = (int)test_random_below(256);

		for (size_t i = 0; i < sizeof(start); i++)
			start[i] = (u8)(i * 7 + (size_t)step);
		memcpy(a, start, sizeof(a));
		memcpy(b, start, sizeof(b));
		memmove(a + to, a + from, size);
		EXPECT(kernel_memmove(b + to, b + from, size) == b + to);
		EXPECT(memcmp(a, b, sizeof(a)) == 0);
		memcpy(a + to, start + from, size);
		EXPECT(kernel_memcpy(b + to, start + from, size) == b + to);
		EXPECT(memcmp(a, b, sizeof(a)) == 0);
		memset(a + to, byte, size);
		EXPECT(kernel_memset(b + to, byte + 256, size) == b + to);
		EXPECT(memcmp(a, b, sizeof(a)) == 0);
		if (size) {
			size_t at = test_random_below(size);

			memcpy(b + to, a + from, size);
			EXPECT(kernel_memcmp(a + from, b + to, size) == 0);
			b[to + at] ^= (u8)(1 + test_random_below(255));
			EXPECT(sign(kernel_memcmp(a + from, b + to, size)) ==
			       sign(memcmp(a + from, b + to, size)));
			EXPECT(kernel_memcmp(a + from, b + to, at) == 0);
		}
	}
}

/* Exactly allocated, so that the sanitizer sees a byte too far. */
static void
memory_functions_stay_inside(void)
{
	for (size_t size = 0; size < 200; size++) {
		u8 *a = malloc(size), *b = malloc(size);

		kernel_memset(a, 1, size);
		kernel_memcpy(b, a, size);
		kernel_memmove(a, b, size);
		EXPECT(kernel_memcmp(a, b, size) == 0);
		free(a);
		free(b);
	}
}

static char *
random_text(char *text, size_t max)
{
	size_t length = test_random_below(max);

	for (size_t i = 0; i < length; i++)
		text[i] = "abcABC\xe9"[test_random_below(7)];
	text[length] = '\0';
	return text;
}

static void
string_functions_equal_the_host(void)
{
	for (int step = 0; step < 100000; step++) {
		char left[64], right[64], part[4], *a, *b;
		size_t n = test_random_below(70);
		int c = "abcABC\0z"[test_random_below(8)];

		a = random_text(left + test_random_below(9), 50);
		b = random_text(right + test_random_below(9), step % 2 ? 3 : 50);
		random_text(part, sizeof(part));
		EXPECT(kernel_strlen(a) == strlen(a));
		EXPECT(kernel_strnlen(a, n) == strnlen(a, n));
		EXPECT(sign(kernel_strcmp(a, b)) == sign(strcmp(a, b)));
		EXPECT(kernel_strcmp(a, a) == 0);
		EXPECT(sign(kernel_strncmp(a, b, n)) == sign(strncmp(a, b, n)));
		EXPECT(sign(kernel_strcasecmp(a, b)) == sign(strcasecmp(a, b)));
		EXPECT(sign(kernel_strncasecmp(a, b, n)) == sign(strncasecmp(a, b, n)));
		EXPECT(kernel_strchr(a, c) == strchr(a, c));
		EXPECT(kernel_strrchr(a, c) == strrchr(a, c));
		EXPECT(kernel_strchrnul(a, c) == (strchr(a, c) ? strchr(a, c) : a + strlen(a)));
		EXPECT(kernel_strstr(a, part) == strstr(a, part));
		EXPECT(kernel_strspn(a, part) == strspn(a, part));
		EXPECT(kernel_strcspn(a, part) == strcspn(a, part));
		n = MIN(n, strlen(a) + 1);
		EXPECT(kernel_memchr(a, c, n) == memchr(a, c, n));
	}
}

static void
strscpy_and_strlcat_cut_and_terminate(void)
{
	char buf[8];

	EXPECT(strscpy(buf, "1234567", 8) == 7 && strcmp(buf, "1234567") == 0);
	EXPECT(strscpy(buf, "12345678", 8) == -E2BIG && strcmp(buf, "1234567") == 0);
	EXPECT(strscpy(buf, "", 1) == 0 && buf[0] == '\0');
	EXPECT(strscpy(buf, "x", 1) == -E2BIG && buf[0] == '\0');
	EXPECT(strscpy(buf, "x", 0) == -E2BIG);
	EXPECT(strscpy(buf, "abc", 8) == 3);
	EXPECT(strlcat(buf, "def", 8) == 6 && strcmp(buf, "abcdef") == 0);
	EXPECT(strlcat(buf, "ghi", 8) == 9 && strcmp(buf, "abcdefg") == 0);
}

static void
strings_are_cut_into_tokens(void)
{
	char text[] = "a,b;;c", blank[] = " \t x y \n", *rest = text;

	EXPECT(strcmp(str_token(&rest, ",;"), "a") == 0);
	EXPECT(strcmp(str_token(&rest, ",;"), "b") == 0);
	EXPECT(strcmp(str_token(&rest, ",;"), "") == 0);
	EXPECT(strcmp(str_token(&rest, ",;"), "c") == 0);
	EXPECT(str_token(&rest, ",;") == NULL);
	EXPECT(strcmp(skip_spaces(blank), "x y \n") == 0);
	EXPECT(strcmp(str_strip(blank), "x y") == 0);
	EXPECT(str_starts_with("root=/dev", "root=") && !str_starts_with("roo", "root="));
}

static void
numbers_are_read_with_their_limits(void)
{
	static const struct {
		const char *text;
		unsigned int base;
		int error;
		u64 value;
		size_t length;
	} cases[] = {
		{ "0", 0, 0, 0, 1 },
		{ "10", 10, 0, 10, 2 },
		{ "010", 0, 0, 8, 3 },
		{ "0x1fG", 0, 0, 0x1f, 4 },
		{ "0XfF", 16, 0, 0xff, 4 },
		{ "0x", 0, 0, 0, 1 },
		{ "0xg", 16, 0, 0, 1 },
		{ "089", 0, 0, 0, 1 },
		{ "zz", 36, 0, 35 * 36 + 35, 2 },
		{ "18446744073709551615", 10, 0, UINT64_MAX, 20 },
		{ "18446744073709551616", 10, -ERANGE, 0, 20 },
		{ "99999999999999999999999x", 10, -ERANGE, 0, 23 },
		{ "0xffffffffffffffff", 0, 0, UINT64_MAX, 18 },
		{ "0x10000000000000000", 0, -ERANGE, 0, 19 },
		{ "", 0, -EINVAL, 0, 0 },
		{ "-1", 10, -EINVAL, 0, 0 },
		{ "x", 10, -EINVAL, 0, 0 },
	};
	s64 number;
	u64 value;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *end;

		value = 0;
		EXPECT(str_to_u64(cases[i].text, &end, cases[i].base, &value) == cases[i].error);
		EXPECT(value == cases[i].value && end == cases[i].text + cases[i].length);
	}
	EXPECT(str_to_s64("-9223372036854775808", NULL, 10, &number) == 0 && number == INT64_MIN);
	EXPECT(str_to_s64("-9223372036854775809", NULL, 10, &number) == -ERANGE);
	EXPECT(str_to_s64("9223372036854775808", NULL, 10, &number) == -ERANGE);
	EXPECT(str_to_s64("+5", NULL, 10, &number) == 0 && number == 5);
	EXPECT(str_to_s64("--5", NULL, 10, &number) == -EINVAL);
	EXPECT(parse_u64("12\n", 0, &value) == 0 && value == 12);
	EXPECT(parse_u64("12 ", 0, &value) == -EINVAL);
	EXPECT(parse_u64("12\n\n", 0, &value) == -EINVAL);
	EXPECT(parse_u64("\n", 0, &value) == -EINVAL);
	EXPECT(parse_s64("-0x10\n", 0, &number) == 0 && number == -16);
}

static void
sizes_and_switches_are_read(void)
{
	const char *end, *text = "64Mx";
	bool on = false;

	EXPECT(parse_size(text, &end) == 64UL << 20 && *end == 'x');
	EXPECT(parse_size("0x10k", NULL) == 16384);
	EXPECT(parse_size("2G", NULL) == 2UL << 30);
	EXPECT(parse_size("1e", NULL) == 1UL << 60);
	EXPECT(parse_size("16E", NULL) == UINT64_MAX);
	EXPECT(parse_size("99999999999999999999999", NULL) == UINT64_MAX);
	text = "K";
	EXPECT(parse_size(text, &end) == 0 && end == text);
	EXPECT(parse_bool("1", &on) == 0 && on);
	EXPECT(parse_bool("off", &on) == 0 && !on);
	EXPECT(parse_bool("on\n", &on) == 0 && on);
	EXPECT(parse_bool("No", &on) == 0 && !on);
	EXPECT(parse_bool("Yes", &on) == 0 && on);
	EXPECT(parse_bool("f", &on) == 0 && !on);
	EXPECT(parse_bool("", &on) == -EINVAL);
	EXPECT(parse_bool("o", &on) == -EINVAL);
	EXPECT(parse_bool("2", &on) == -EINVAL);
}

static void
memory_is_searched_and_wiped(void)
{
	u8 key[40];

	memset(key, 7, sizeof(key));
	EXPECT(memchr_inv(key, 7, sizeof(key)) == NULL);
	key[33] = 8;
	EXPECT(memchr_inv(key, 7, sizeof(key)) == key + 33);
	memzero_explicit(key, sizeof(key));
	EXPECT(memchr_inv(key, 0, sizeof(key)) == NULL);
}

int
main(void)
{
	TEST(memory_functions_equal_the_host);
	TEST(memory_functions_stay_inside);
	TEST(string_functions_equal_the_host);
	TEST(strscpy_and_strlcat_cut_and_terminate);
	TEST(strings_are_cut_into_tokens);
	TEST(numbers_are_read_with_their_limits);
	TEST(sizes_and_switches_are_read);
	TEST(memory_is_searched_and_wiped);
	return test_done();
}
