/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#include "lib/utf8.h"
#include "uapi/errno.h"

size_t
utf8_last_size(const char *text, size_t size)
{
	size_t n = 1;

	while (n < size && utf8_is_continuation((u8)text[size - n]))
		n++;
	return n;
}

int
utf8_decode(const char *text, size_t size, u32 *character)
{
	static const u32 least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	u8 lead;
	u32 c;
	int n;

	if (!size)
		return -EILSEQ;
	lead = (u8)text[0];
	if (lead < 0x80) {
		*character = lead;
		return 1;
	}
	n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || size < (size_t)n)
		return -EILSEQ;
	c = lead & (0x7f >> n);
	for (int i = 1; i < n; i++) {
		if (!utf8_is_continuation((u8)text[i]))
			return -EILSEQ;
		c = c << 6 | ((u8)text[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -EILSEQ;
	*character = c;
	return n;
}

int
utf8_encode(char text[4], u32 character)
{
	int n;

	if (character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return -EILSEQ;
	if (character < 0x80) {
		text[0] = (char)character;
		return 1;
	}
	n = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	for (int i = n - 1; i > 0; i--, character >>= 6)
		text[i] = (char)(0x80 | (character & 0x3f));
	text[0] = (char)((0xf00 >> n) | character);
	return n;
}
