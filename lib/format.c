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

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static inline void
put(struct output *o, const char *s, size_t count)
{
	if (o->len < o->size)
		memcpy(o->buf + o->len, s, MIN(count, o->size - o->len));
	o->len += count;
}

static inline void
put_fill(struct output *o, char c, size_t count)
{
	if (o->len < o->size)
		memset(o->buf + o->len, c, MIN(count, o->size - o->len));
	o->len += count;
}

/* Digits of value before end; returns their start. */
static char *
digits_before(char *end, u64 value, unsigned int base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

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
	do {
		*--end = digits[value & (base - 1)];
		value >>= base == 16 ? 4 : 3;
	} while (value);
	return end;
}

size_t
format_u64(char *buf, u64 value)
{
	char scratch[20], *start = digits_before(scratch + sizeof(scratch), value, 10, false);
	size_t count = (size_t)(scratch + sizeof(scratch) - start);

	memcpy(buf, start, count);
	return count;
}

size_t
format_hex(char *buf, u64 value, unsigned int min_digits)
{
	char scratch[16], *start = digits_before(scratch + sizeof(scratch), value, 16, false);
	size_t count = (size_t)(scratch + sizeof(scratch) - start);
	size_t zeroes = min_digits > count ? min_digits - count : 0;

	memset(buf, '0', zeroes);
	memcpy(buf + zeroes, start, count);
	return zeroes + count;
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

static void
put_number(struct output *o, const struct directive *d, u64 value, unsigned int base, bool upper,
	   const char *prefix)
{
	char scratch[24], *end = scratch + sizeof(scratch), *start = end;
	size_t count, zeroes, prefix_size = strlen(prefix), total, pad;

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
	put(o, prefix, prefix_size);
	put_fill(o, '0', zeroes);
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
		const char *percent = strchrnul(f, '%'), *s;
		struct directive d = { 0 };
		enum length length;
		u64 value;
		char c;

		put(o, f, (size_t)(percent - f));
		if (!*percent)
			return;
		f = read_flags(percent + 1, &d);
		if (*f == '*') {
			int width = va_arg(args, int);

			d.left |= width < 0;
			d.width = width < 0 ? -(size_t)width : (size_t)width;
			f++;
		} else {
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
			put_text(o, &d, &c, 1);
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
	strbuf_write(sb, &c, 1);
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
