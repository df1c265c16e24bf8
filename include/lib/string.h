/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings: the C library's names (string_mem.c, string_std.c) and our own (string.c).
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

void *memchr(const void *memory, int byte, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strstr(const char *s, const char *part);
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);

/* Zeroes that the compiler may not drop: for keys. */
void memzero_explicit(void *memory, size_t size);

/* The first byte that differs from byte, or NULL. */
void *memchr_inv(const void *memory, int byte, size_t size);

/* Copies and terminates. Returns the length, or -E2BIG if it was cut (or size is 0). */
ssize_t strscpy(char *to, const char *from, size_t size);

/* Appends what fits. Returns the length it tried to make: cut if that is >= size. */
size_t strlcat(char *to, const char *from, size_t size);

bool str_starts_with(const char *s, const char *prefix);

/* Past the white space that s starts with. */
char *skip_spaces(const char *s);

/* Cuts white space off both ends: writes a NUL, returns the start. */
char *str_strip(char *s);

/*
 * Cuts the next token off *s at any of the delimiters, as strsep does: adjacent delimiters give
 * empty tokens; NULL when the string is used up.
 */
char *str_token(char **s, const char *delimiters);

/*
 * Reads an unsigned number; base 0 takes 0x and 0 prefixes. *end (may be NULL) is set past the
 * last digit. -EINVAL without a digit, -ERANGE on overflow (*end is past all the digits then).
 */
int __must_check str_to_u64(const char *s, const char **end, unsigned int base, u64 *out);
int __must_check str_to_s64(const char *s, const char **end, unsigned int base, s64 *out);

/* The whole string must be the number, but for one newline: what is written to /proc and /sys. */
int __must_check parse_u64(const char *s, unsigned int base, u64 *out);
int __must_check parse_s64(const char *s, unsigned int base, s64 *out);

/* A number with an optional K, M, G, T, P or E (1024s); saturates. *end is past it (s if none). */
u64 parse_size(const char *s, const char **end);

/* y Y 1 t T on / n N 0 f F off, as Linux's kstrtobool; else -EINVAL. */
int __must_check parse_bool(const char *s, bool *out);

/* Lets the compiler expand small constant sizes in place; the rest calls the functions above. */
#if !__STDC_HOSTED__
#define memcpy(to, from, size)	__builtin_memcpy(to, from, size)
#define memmove(to, from, size) __builtin_memmove(to, from, size)
#define memset(to, byte, size)	__builtin_memset(to, byte, size)
#define memcmp(a, b, size)	__builtin_memcmp(a, b, size)
#define strlen(s)		__builtin_strlen(s)
#endif

#endif
