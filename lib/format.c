/* SPDX-License-Identifier: MIT */
/*
 * Formatted text: one engine that writes into a bounded buffer and counts what it would write.
 */
#include "lib/format.h"
#include "lib/string.h"

void (*format_symbol)(char *buf, size_t size, unsigned long address);

struct output {
	char *buf;
	size_t size; /* what may be written, terminator not included */
	size_t len;  /* what the text has so far; may exceed size */
};

struct directive {
	bool left, plus, space, alternate, zero;
	bool has_precision;
	size_t width, precision;
};

#define DIGITS_MAX 24 /* 22 octal digits */
#define ZEROES_FEW 32

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static inline void
put_char(struct output *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

/* Nearly all pieces are short, and not worth a call: two words that may overlap. */
static inline void
put(struct output *o, const char *s, size_t count)
{
	char *to = o->buf + o->len;

	if (unlikely(count > 16 || o->len + count > o->size)) {
		if (o->len < o->size)
			memcpy(to, s, MIN(count, o->size - o->len));
	} else if (count >= 8) {
		memcpy(to, s, 8);
		memcpy(to + count - 8, s + count - 8, 8);
	} else if (count >= 4) {
		memcpy(to, s, 4);
		memcpy(to + count - 4, s + count - 4, 4);
	} else if (count) {
		to[0] = s[0];
		to[count / 2] = s[count / 2];
		to[count - 1] = s[count - 1];
	}
	o->len += count;
}

static inline void
put_fill(struct output *o, char c, size_t count)
{
	if (count <= 8) {
		for (; count; count--) {
			OPTIMIZER_HIDE(c);
			put_char(o, c);
		}
		return;
	}
	if (o->len < o->size)
		memset(o->buf + o->len, c, MIN(count, o->size - o->len));
	o->len += count;
}

/* The eight hexadecimal digits of value, first digit in the lowest byte: all nibbles at once. */
static inline u64
hex_digits(u32 value, bool upper)
{
	u64 x = value;

	x = (x << 16 | x) & 0x0000ffff0000ffff;
	x = (x << 8 | x) & 0x00ff00ff00ff00ff;
	x = (x << 4 | x) & 0x0f0f0f0f0f0f0f0f;
	/* From '9' + 1 on to the letters, for nibbles that carry into bit 4 when 6 is added. */
	x += 0x3030303030303030 + ((x + 0x0606060606060606) >> 4 & 0x0101010101010101) *
					  (upper ? 'A' - '9' - 1 : 'a' - '9' - 1);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

/* Digits of value before end, which has room for DIGITS_MAX; returns their start. */
static char *
digits_before(char *end, u64 value, unsigned int base, bool upper)
{
	if (base == 10) {
		for (; value >= 100; value /= 100) {
			end -= 2;
			memcpy(end, digit_pairs + value % 100 * 2, 2);
		}
		if (value >= 10) {
			end -= 2;
			memcpy(end, digit_pairs + value * 2, 2);
		} else {
			*--end = (char)('0' + value);
		}
		return end;
	}
	if (base == 16) {
		u64 digits = hex_digits((u32)value, upper);

		memcpy(end - 8, &digits, 8);
		if (value >> 32) {
			digits = hex_digits((u32)(value >> 32), upper);
			memcpy(end - 16, &digits, 8);
		}
		return end - (67 - __builtin_clzll(value | 1)) / 4;
	}
	for (; value >= 8; value >>= 3)
		*--end = (char)('0' + (value & 7));
	*--end = (char)('0' + value);
	return end;
}

size_t
format_u64(char *buf, u64 value)
{
	char scratch[DIGITS_MAX], *end = scratch + sizeof(scratch);
	struct output o = { .buf = buf, .size = DIGITS_MAX };
	char *start = digits_before(end, value, 10, false);

	put(&o, start, (size_t)(end - start));
	return o.len;
}

size_t
format_hex(char *buf, u64 value, unsigned int min_digits)
{
	char scratch[DIGITS_MAX], *end = scratch + sizeof(scratch);
	struct output o = { .buf = buf, .size = DIGITS_MAX };
	char *start = digits_before(end, value, 16, false);

	for (; start > end - MIN(min_digits, 16u);)
		*--start = '0';
	put(&o, start, (size_t)(end - start));
	return o.len;
}

static void
put_text(struct output *o, const struct directive *d, const char *s, size_t count)
{
	size_t pad = d->width > count ? d->width - count : 0;

	if (!d->left)
		put_fill(o, ' ', pad);
	put(o, s, count);
	if (d->left)
		put_fill(o, ' ', pad);
}

/* Digits, and zeroes and prefix before them unless there are very many, are put in one piece. */
static void
put_number(struct output *o, const struct directive *d, u64 value, unsigned int base, bool upper,
	   const char *prefix)
{
	char scratch[ZEROES_FEW + 2 + DIGITS_MAX], *end = scratch + sizeof(scratch), *start = end;
	size_t count, zeroes, prefix_size = !prefix[0] ? 0 : !prefix[1] ? 1 : 2, total, pad;

	if (value || !d->has_precision || d->precision)
		start = digits_before(end, value, base, upper);
	count = (size_t)(end - start);
	zeroes = d->has_precision && d->precision > count ? d->precision - count : 0;
	if (base == 8 && d->alternate && !zeroes && (!count || *start != '0'))
		zeroes = 1;
	total = prefix_size + zeroes + count;
	pad = d->width > total ? d->width - total : 0;
	if (d->zero && !d->left && !d->has_precision) {
		zeroes += pad;
		pad = 0;
	}
	if (!d->left)
		put_fill(o, ' ', pad);
	if (likely(zeroes <= ZEROES_FEW)) {
		for (; zeroes; zeroes--)
			*--start = '0';
		while (prefix_size)
			*--start = prefix[--prefix_size];
		count = (size_t)(end - start);
	} else {
		put(o, prefix, prefix_size);
		put_fill(o, '0', zeroes);
	}
	put(o, start, count);
	if (d->left)
		put_fill(o, ' ', pad);
}

static void
put_pointer(struct output *o, struct directive *d, unsigned long address, bool symbolic)
{
	char name[128];

	if (symbolic && format_symbol) {
		format_symbol(name, sizeof(name), address);
		put_text(o, d, name, strnlen(name, sizeof(name)));
	} else {
		put_number(o, d, address, 16, false, "0x");
	}
}

/* Reads a number, or takes it from the arguments; saturates far above anything sensible. */
static const char *
read_count(const char *f, size_t *count)
{
	for (*count = 0; *f >= '0' && *f <= '9'; f++) {
		if (*count < INT32_MAX / 16)
			*count = *count * 10 + (size_t)(*f - '0');
	}
	return f;
}

enum length { LENGTH_CHAR, LENGTH_SHORT, LENGTH_INT, LENGTH_LONG };

static const char *
read_length(const char *f, enum length *length)
{
	*length = LENGTH_INT;
	switch (*f) {
	case 'h':
		*length = LENGTH_SHORT;
		if (*++f == 'h') {
			*length = LENGTH_CHAR;
			f++;
		}
		return f;
	case 'l': *length = LENGTH_LONG; return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
	case 't':
	case 'j': *length = LENGTH_LONG; return f + 1;
	default: return f;
	}
}

static const char *
read_flags(const char *f, struct directive *d)
{
	for (;; f++) {
		switch (*f) {
		case '-': d->left = true; break;
		case '+': d->plus = true; break;
		case ' ': d->space = true; break;
		case '#': d->alternate = true; break;
		case '0': d->zero = true; break;
		default: return f;
		}
	}
}

static s64
sign_extend(u64 value, enum length length)
{
	switch (length) {
	case LENGTH_CHAR: return (s8)value;
	case LENGTH_SHORT: return (s16)value;
	case LENGTH_INT: return (s32)value;
	default: return (s64)value;
	}
}

static u64
zero_extend(u64 value, enum length length)
{
	switch (length) {
	case LENGTH_CHAR: return (u8)value;
	case LENGTH_SHORT: return (u16)value;
	case LENGTH_INT: return (u32)value;
	default: return value;
	}
}

static void
put_integer(struct output *o, const struct directive *d, char conversion, u64 value,
	    enum length length)
{
	bool upper = conversion == 'X', negative = false;
	const char *prefix = "";

	if (conversion == 'd' || conversion == 'i') {
		value = (u64)sign_extend(value, length);
		negative = (s64)value < 0;
		prefix = negative ? "-" : d->plus ? "+" : d->space ? " " : "";
		put_number(o, d, negative ? -value : value, 10, false, prefix);
		return;
	}
	value = zero_extend(value, length);
	if (conversion == 'u') {
		put_number(o, d, value, 10, false, "");
	} else if (conversion == 'o') {
		put_number(o, d, value, 8, false, "");
	} else {
		if (d->alternate && value)
			prefix = upper ? "0X" : "0x";
		put_number(o, d, value, 16, upper, prefix);
	}
}

static void
format_into(struct output *o, const char *f, va_list args)
{
	for (;;) {
		struct directive d = { 0 };
		const char *percent, *s;
		enum length length;
		u64 value;
		char c;

		for (percent = f; *percent && *percent != '%';)
			percent++;
		put(o, f, (size_t)(percent - f));
		if (!*percent)
			return;
		f = percent + 1;
		if (*f < 'A') /* flags, widths and precisions begin with no letter */
			f = read_flags(f, &d);
		if (*f == '*') {
			int width = va_arg(args, int);

			d.left |= width < 0;
			d.width = width < 0 ? -(size_t)width : (size_t)width;
			f++;
		} else if (*f < 'A') {
			f = read_count(f, &d.width);
		}
		if (*f == '.') {
			d.has_precision = true;
			if (*++f == '*') {
				int precision = va_arg(args, int);

				d.has_precision = precision >= 0;
				d.precision = precision >= 0 ? (size_t)precision : 0;
				f++;
			} else {
				f = read_count(f, &d.precision);
			}
		}
		f = read_length(f, &length);
		switch (*f++) {
		case 'd':
		case 'i':
		case 'u':
		case 'o':
		case 'x':
		case 'X':
			if (length == LENGTH_LONG)
				value = va_arg(args, u64);
			else
				value = va_arg(args, unsigned int);
			put_integer(o, &d, f[-1], value, length);
			break;
		case 'c':
			c = (char)va_arg(args, int);
			if (d.width)
				put_text(o, &d, &c, 1);
			else
				put_char(o, c);
			break;
		case 's':
			s = va_arg(args, const char *);
			if (!s)
				s = "(null)";
			put_text(o, &d, s, d.has_precision ? strnlen(s, d.precision) : strlen(s));
			break;
		case 'p':
			put_pointer(o, &d, (unsigned long)va_arg(args, void *), *f == 'S');
			if (*f == 'S')
				f++;
			break;
		case '%': put(o, "%", 1); break;
		default:
			/* Its arguments cannot be skipped, so the rest is shown as it is. */
			put(o, percent, strlen(percent));
			return;
		}
	}
}

int
vsnprintf(char *buf, size_t size, const char *format, va_list args)
{
	struct output o = { .buf = buf, .size = size ? size - 1 : 0 };

	format_into(&o, format, args);
	if (size)
		buf[MIN(o.len, o.size)] = '\0';
	return (int)MIN(o.len, (size_t)INT32_MAX);
}

int
snprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(buf, size, format, args);
	va_end(args);
	return len;
}

int
vscnprintf(char *buf, size_t size, const char *format, va_list args)
{
	int len = vsnprintf(buf, size, format, args);

	if (!size)
		return 0;
	return (size_t)len < size ? len : (int)(size - 1);
}

int
scnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vscnprintf(buf, size, format, args);
	va_end(args);
	return len;
}

void
strbuf_init(struct strbuf *sb, char *buf, size_t size)
{
	sb->buf = buf;
	sb->size = size;
	strbuf_reset(sb);
}

void
strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	sb->overflow = false;
	if (sb->size)
		sb->buf[0] = '\0';
}

/* The engine works on the free rest of the buffer; its terminator is what strbuf promises. */
static void
strbuf_advance(struct strbuf *sb, size_t count)
{
	size_t room = sb->size ? sb->size - 1 - sb->len : 0;

	if (count > room) {
		sb->overflow = true;
		count = room;
	}
	sb->len += count;
	if (sb->size)
		sb->buf[sb->len] = '\0';
}

static struct output
strbuf_rest(const struct strbuf *sb)
{
	if (!sb->size)
		return (struct output){ 0 };
	return (struct output){ .buf = sb->buf + sb->len, .size = sb->size - 1 - sb->len };
}

void
strbuf_write(struct strbuf *sb, const void *data, size_t size)
{
	struct output o = strbuf_rest(sb);

	put(&o, data, size);
	strbuf_advance(sb, o.len);
}

void
strbuf_pad(struct strbuf *sb, char c, size_t count)
{
	struct output o = strbuf_rest(sb);

	put_fill(&o, c, count);
	strbuf_advance(sb, o.len);
}

void
strbuf_putc(struct strbuf *sb, char c)
{
	if (likely(sb->len + 1 < sb->size)) {
		sb->buf[sb->len++] = c;
		sb->buf[sb->len] = '\0';
	} else {
		sb->overflow = true;
	}
}

void
strbuf_puts(struct strbuf *sb, const char *s)
{
	strbuf_write(sb, s, strlen(s));
}

void
strbuf_vprintf(struct strbuf *sb, const char *format, va_list args)
{
	struct output o = strbuf_rest(sb);

	format_into(&o, format, args);
	strbuf_advance(sb, o.len);
}

void
strbuf_printf(struct strbuf *sb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	strbuf_vprintf(sb, format, args);
	va_end(args);
}

void
strbuf_put_u64(struct strbuf *sb, u64 value)
{
	char digits[20];

	strbuf_write(sb, digits, format_u64(digits, value));
}

void
strbuf_put_s64(struct strbuf *sb, s64 value)
{
	char digits[21] = "-";

	if (value >= 0)
		strbuf_put_u64(sb, (u64)value);
	else
		strbuf_write(sb, digits, 1 + format_u64(digits + 1, -(u64)value));
}
