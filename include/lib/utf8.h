/* SPDX-License-Identifier: MIT */
/*
 * UTF-8, as much as a terminal needs.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include "lib/types.h"

static inline bool
utf8_is_continuation(u8 c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the last character of a text that is not empty: continuation bytes and one before. */
size_t utf8_last_size(const char *text, size_t size);

/* The first character and its size, 1 to 4; -EILSEQ if there is no valid one. */
int utf8_decode(const char *text, size_t size, u32 *character);

/* Writes 1 to 4 bytes and returns how many; -EILSEQ for what is no character. */
int utf8_encode(char text[4], u32 character);

#endif
