/* SPDX-License-Identifier: MIT */
/*
 * String functions under the C library's names and with its meaning.
 *
 * strlen and memchr look at aligned words: such a word never crosses a page, so reading beyond the
 * end of the string within its last word cannot fault, though the address sanitizer would object.
 */
#include "lib/string.h"

#define ONES  0x0101010101010101UL
#define HIGHS 0x8080808080808080UL

typedef u64 __attribute__((may_alias)) aligned_word_t;

#define __no_asan __attribute__((no_sanitize("address")))

/* High bits of the zero bytes: exact up to and including the first one in memory. */
static __always_inline u64
word_zeroes(u64 word)
{
	return (word - ONES) & ~word & HIGHS;
}

static __always_inline size_t
word_first(u64 highs)
{
	return (size_t)__builtin_ctzl(highs) / 8;
}

__no_asan
size_t(strlen)(const char *s)
{
	const aligned_word_t *word = (const void *)((uintptr_t)s & ~7UL);
	unsigned int before = ((uintptr_t)s & 7) * 8;
	u64 zeroes = word_zeroes(*word | ~(~0UL << before));

	while (!zeroes)
		zeroes = word_zeroes(*++word);
	return (size_t)((const char *)word - s) + word_first(zeroes);
}

__no_asan void *
memchr(const void *memory, int byte, size_t size)
{
	const u8 *start = memory;
	const aligned_word_t *word = (const void *)((uintptr_t)memory & ~7UL);
	unsigned int before = ((uintptr_t)memory & 7) * 8;
	u64 pattern = (u8)byte * ONES;
	u64 zeroes;
	size_t at;

	if (!size)
		return NULL;
	zeroes = word_zeroes((*word ^ pattern) | ~(~0UL << before));
	while (!zeroes) {
		if ((size_t)((const u8 *)++word - start) >= size)
			return NULL;
		zeroes = word_zeroes(*word ^ pattern);
	}
	at = (size_t)((const u8 *)word - start) + word_first(zeroes);
	return at < size ? (void *)(uintptr_t)(start + at) : NULL;
}

size_t
strnlen(const char *s, size_t max)
{
	const char *end = memchr(s, 0, max);

	return end ? (size_t)(end - s) : max;
}

int
strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int
strncmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

static int
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : (u8)c;
}

int
strncasecmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++) {
		int order = to_lower(*a) - to_lower(*b);

		if (order || !*a)
			return order;
	}
	return 0;
}

int
strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, SIZE_MAX);
}

char *
strchrnul(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return (char *)(uintptr_t)s;
}

char *
strchr(const char *s, int c)
{
	char *found = strchrnul(s, c);

	return *found == (char)c ? found : NULL;
}

char *
strrchr(const char *s, int c)
{
	const char *found = NULL;

	do {
		if (*s == (char)c)
			found = s;
	} while (*s++);
	return (char *)(uintptr_t)found;
}

char *
strstr(const char *s, const char *part)
{
	size_t size = strlen(part);

	for (; strncmp(s, part, size) != 0; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)(uintptr_t)s;
}

size_t
strspn(const char *s, const char *accept)
{
	size_t n = 0;

	while (s[n] && strchr(accept, s[n]))
		n++;
	return n;
}

size_t
strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	while (s[n] && !strchr(reject, s[n]))
		n++;
	return n;
}
