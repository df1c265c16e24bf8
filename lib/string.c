/* SPDX-License-Identifier: MIT */
/*
 * Strings: bounded copies, tokens, numbers.
 */
#include "lib/string.h"
#include "uapi/errno.h"

void
memzero_explicit(void *memory, size_t size)
{
	memset(memory, 0, size);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

void *
memchr_inv(const void *memory, int byte, size_t size)
{
	const u8 *p = memory;

	for (; size; size--, p++) {
		if (*p != (u8)byte)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

ssize_t
strscpy(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (length < size) {
		memcpy(to, from, length + 1);
		return (ssize_t)length;
	}
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
	return -E2BIG;
}

size_t
strlcat(char *to, const char *from, size_t size)
{
	size_t used = strnlen(to, size), length = strlen(from);

	if (used < size)
		strscpy(to + used, from, size - used);
	return used + length;
}

bool
str_starts_with(const char *s, const char *prefix)
{
	while (*prefix) {
		if (*s++ != *prefix++)
			return false;
	}
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *
skip_spaces(const char *s)
{
	while (is_space(*s))
		s++;
	return (char *)(uintptr_t)s;
}

char *
str_strip(char *s)
{
	char *end = s + strlen(s);

	while (end > s && is_space(end[-1]))
		end--;
	*end = '\0';
	return skip_spaces(s);
}

char *
str_token(char **s, const char *delimiters)
{
	char *token = *s, *end;

	if (!token)
		return NULL;
	end = token + strcspn(token, delimiters);
	if (*end) {
		*end = '\0';
		*s = end + 1;
	} else {
		*s = NULL;
	}
	return token;
}

/* The value of a digit of any base up to 36, else something larger. */
static unsigned int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A') + 10;
	return 99;
}

int
str_to_u64(const char *s, const char **end, unsigned int base, u64 *out)
{
	bool overflow = false;
	const char *digits;
	u64 value = 0;

	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' &&
	    digit_value(s[2]) < 16) {
		s += 2;
		base = 16;
	} else if (base == 0) {
		base = s[0] == '0' ? 8 : 10;
	}
	for (digits = s; digit_value(*s) < base; s++) {
		if (__builtin_mul_overflow(value, (u64)base, &value) ||
		    __builtin_add_overflow(value, (u64)digit_value(*s), &value))
			overflow = true;
	}
	if (end)
		*end = s;
	if (s == digits)
		return -EINVAL;
	if (overflow)
		return -ERANGE;
	*out = value;
	return 0;
}

int
str_to_s64(const char *s, const char **end, unsigned int base, s64 *out)
{
	bool negative = *s == '-';
	u64 value;
	int error;

	error = str_to_u64(s + (*s == '-' || *s == '+'), end, base, &value);
	if (error)
		return error;
	if (value > (u64)INT64_MAX + negative)
		return -ERANGE;
	*out = (s64)(negative ? -value : value);
	return 0;
}

static int
expect_end(const char *s)
{
	if (*s == '\n')
		s++;
	return *s ? -EINVAL : 0;
}

int
parse_u64(const char *s, unsigned int base, u64 *out)
{
	u64 value;
	int error;

	error = str_to_u64(s + (*s == '+'), &s, base, &value);
	if (error || (error = expect_end(s)))
		return error;
	*out = value;
	return 0;
}

int
parse_s64(const char *s, unsigned int base, s64 *out)
{
	s64 value;
	int error;

	error = str_to_s64(s, &s, base, &value);
	if (error || (error = expect_end(s)))
		return error;
	*out = value;
	return 0;
}

u64
parse_size(const char *s, const char **end)
{
	static const char suffixes[] = "kmgtpe";
	const char *after = s, *suffix;
	u64 value = 0;
	int error;

	error = str_to_u64(s, &after, 0, &value);
	if (error == -ERANGE)
		value = UINT64_MAX;
	if (error == -EINVAL) {
		after = s;
	} else if (*after && (suffix = strchr(suffixes, *after | 0x20))) {
		unsigned int shift = 10 * (unsigned int)(suffix - suffixes + 1);

		value = value > UINT64_MAX >> shift ? UINT64_MAX : value << shift;
		after++;
	}
	if (end)
		*end = after;
	return value;
}

int
parse_bool(const char *s, bool *out)
{
	char c = *s;

	/* "on" and "off" are told apart by their second letter. */
	if (c == 'o' || c == 'O')
		c = (s[1] | 0x20) == 'n' ? '1' : (s[1] | 0x20) == 'f' ? '0' : '\0';
	if (c == '\0' || !strchr("yYtT1nNfF0", c))
		return -EINVAL;
	*out = strchr("yYtT1", c) != NULL;
	return 0;
}
