/* SPDX-License-Identifier: MIT */
/*
 * Formatted text.
 *
 * The C library's directives without floating point and %n: flags "-+ #0", width and precision
 * (numbers or *), lengths hh h l ll z t j, conversions d i u o x X c s p %. %p prints 0x and hex
 * digits. %pS prints an address as a symbol with its offset, if the hook is set.
 */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include "lib/types.h"

/* Writes the name of address to buf, always terminated; set once by whoever has the symbols. */
extern void (*format_symbol)(char *buf, size_t size, unsigned long address);

/* Return the length the whole text has: cut if that is >= size. Terminated if size is not 0. */
__printf(3, 0) int vsnprintf(char *buf, size_t size, const char *format, va_list args);
__printf(3, 4) int snprintf(char *buf, size_t size, const char *format, ...);

/* Return the length that was written. */
__printf(3, 0) int vscnprintf(char *buf, size_t size, const char *format, va_list args);
__printf(3, 4) int scnprintf(char *buf, size_t size, const char *format, ...);

/*
 * strbuf: text that grows in a buffer of fixed size. What does not fit is cut and overflow is set
 * for good; the text is always terminated.
 */
struct strbuf {
	char *buf;
	size_t size, len; /* size of buf; length of the text in it, less than size */
	bool overflow;
};

void strbuf_init(struct strbuf *sb, char *buf, size_t size);
void strbuf_reset(struct strbuf *sb);
void strbuf_putc(struct strbuf *sb, char c);
void strbuf_puts(struct strbuf *sb, const char *s);
void strbuf_write(struct strbuf *sb, const void *data, size_t size);
void strbuf_pad(struct strbuf *sb, char c, size_t count);
__printf(2, 3) void strbuf_printf(struct strbuf *sb, const char *format, ...);
__printf(2, 0) void strbuf_vprintf(struct strbuf *sb, const char *format, va_list args);

/* Without the directive parser, for files of /proc with many numbers. */
void strbuf_put_u64(struct strbuf *sb, u64 value);
void strbuf_put_s64(struct strbuf *sb, s64 value);

/*
 * Decimal and hexadecimal digits straight into buf, which has room for 20 (16); nothing is
 * terminated. Return how many. format_hex pads with zeroes to at least min_digits.
 */
size_t format_u64(char *buf, u64 value);
size_t format_hex(char *buf, u64 value, unsigned int min_digits);

#endif
