/* SPDX-License-Identifier: MIT */
/*
 * inflate: DEFLATE (RFC 1951) and gzip (RFC 1952).
 *
 * Bits. The reader is a byte position and how many bits from there are used. A refill moves to the
 * first byte with unused bits and reads 8 bytes: at least 57 bits, enough for two literals and a
 * length, or for a distance and more. Reading whole words needs 8 readable bytes: for the last
 * bytes of the input the reader moves to a copy of them that is padded with zeroes, so there is one
 * decoding loop and no slow twin. Whether padding was used is checked afterwards: then the input
 * was truncated.
 *
 * Codes. A table look-up with the next 11 bits (8 for distances) gives an entry that says all
 * about the symbol; longer codes lead to a second table behind the first.
 *
 *	31       16 15  14   13  12    8 7      0
 *	|  value   | x | end |bad| code  | total |	code: bits of the code
 *							total: with the extra bits that follow it
 *	literal: bit 31 set, bits 16-23 the byte		(one test of the sign finds it)
 *	length, distance: value the base, to which the extra bits are added
 *	x (exceptional): the end of the block, a bad code, or else a second table: value its
 *	place, code the bits of its index, total the bits of ours
 *
 * The low 8 bits of the count of used bits are its value: an entry is added to it whole.
 *
 * Output. The window is filled from front to back and given to the callback when it is full; its
 * last 32 KiB then move to the front as history. Matches are copied in words that may write some
 * bytes beyond their end, into bytes that are written later, or into the slack.
 */
#include "lib/inflate.h"
#include "lib/crc.h"
#include "lib/string.h"

#define LITERAL	     0x80000000U
#define EXCEPTIONAL  0x8000U
#define END_OF_BLOCK 0x4000U
#define BAD_CODE     0x2000U

#define CODE_MAX 15

/* A turn of the decoding loop refills twice, each from at most 7 bytes further, and 8 are read. */
#define INPUT_MARGIN 24

struct reader {
	const u8 *at;
	u32 used;	      /* bits from at on; the low 8 bits of this */
	const u8 *base, *end; /* of the real input in the current buffer */
	const u8 *limit;      /* last place where a turn of the decoding loop may start */
	size_t before;	      /* input bytes before the current buffer */
	bool in_tail;
};

struct decoder {
	struct inflate *z;
	struct reader in;
	u8 *out;     /* next byte of the window to write */
	u8 *flushed; /* the callback has what is before */
	u32 crc;
	u32 size; /* modulo 2^32, as in the trailer */
	bool wants_crc;
	inflate_output *output;
	void *context;
};

/* ---- bits ---- */

static __always_inline u64
load_le64(const u8 *p)
{
	u64 word;

	memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

#define REFILL(bits, used, at)                    \
	do {                                      \
		(at) += ((used)&0xff) >> 3;       \
		(used) &= 7;                      \
		(bits) = load_le64(at) >> (used); \
	} while (0)

static void
reader_init(struct reader *r, const u8 *in, size_t size)
{
	*r = (struct reader){ .at = in, .base = in, .end = in + size };
	r->limit = size >= INPUT_MARGIN ? r->end - INPUT_MARGIN : NULL;
}

/* Moves to the byte that has the next bit. */
static void
reader_normalize(struct reader *r)
{
	r->at += (r->used & 0xff) >> 3;
	r->used &= 7;
}

/* Input bytes used, the last one perhaps in part. */
static size_t
reader_position(const struct reader *r)
{
	return r->before + (size_t)(r->at - r->base) + ((r->used & 0xff) + 7) / 8;
}

static bool
reader_is_past_end(const struct reader *r)
{
	return reader_position(r) > r->before + (size_t)(r->end - r->base);
}

/* Moves to the padded copy of the last bytes; false if we are there already and through it. */
static bool
reader_enter_tail(struct reader *r, u8 tail[64])
{
	size_t left;

	reader_normalize(r);
	if (r->in_tail || r->at > r->end)
		return false;
	left = (size_t)(r->end - r->at);
	r->before += (size_t)(r->at - r->base);
	memset(tail, 0, 64);
	memcpy(tail, r->at, left);
	r->at = r->base = tail;
	r->end = tail + left;
	r->limit = tail + 64 - INPUT_MARGIN;
	r->in_tail = true;
	return true;
}

/* Makes r->at <= r->limit true, if there is input left at all. */
static __always_inline bool
reader_ready(struct reader *r, u8 tail[64])
{
	return (r->limit && r->at <= r->limit) || reader_enter_tail(r, tail);
}

/* At least 57 bits, which the caller adds to r->used as it takes them. */
static __always_inline bool
reader_peek(struct decoder *d, u64 *bits)
{
	if (!reader_ready(&d->in, d->z->tail))
		return false;
	REFILL(*bits, d->in.used, d->in.at);
	return true;
}

static bool
reader_take(struct decoder *d, unsigned int n, u32 *value)
{
	u64 bits;

	if (!reader_peek(d, &bits))
		return false;
	*value = (u32)(bits & (BIT(n) - 1));
	d->in.used += n;
	return true;
}

/* ---- tables ---- */

/* What entries say about symbols, all but the length of the code. */
#define SYMBOL(base, extra) ((base) << 16 | (extra))

/* From symbol 256 on. */
static const u32 length_symbols[32] = {
	EXCEPTIONAL | END_OF_BLOCK,
	SYMBOL(3, 0),
	SYMBOL(4, 0),
	SYMBOL(5, 0),
	SYMBOL(6, 0),
	SYMBOL(7, 0),
	SYMBOL(8, 0),
	SYMBOL(9, 0),
	SYMBOL(10, 0),
	SYMBOL(11, 1),
	SYMBOL(13, 1),
	SYMBOL(15, 1),
	SYMBOL(17, 1),
	SYMBOL(19, 2),
	SYMBOL(23, 2),
	SYMBOL(27, 2),
	SYMBOL(31, 2),
	SYMBOL(35, 3),
	SYMBOL(43, 3),
	SYMBOL(51, 3),
	SYMBOL(59, 3),
	SYMBOL(67, 4),
	SYMBOL(83, 4),
	SYMBOL(99, 4),
	SYMBOL(115, 4),
	SYMBOL(131, 5),
	SYMBOL(163, 5),
	SYMBOL(195, 5),
	SYMBOL(227, 5),
	SYMBOL(258, 0),
	EXCEPTIONAL | BAD_CODE,
	EXCEPTIONAL | BAD_CODE,
};

static const u32 distance_symbols[32] = {
	SYMBOL(1, 0),	   SYMBOL(2, 0),      SYMBOL(3, 0),	      SYMBOL(4, 0),
	SYMBOL(5, 1),	   SYMBOL(7, 1),      SYMBOL(9, 2),	      SYMBOL(13, 2),
	SYMBOL(17, 3),	   SYMBOL(25, 3),     SYMBOL(33, 4),	      SYMBOL(49, 4),
	SYMBOL(65, 5),	   SYMBOL(97, 5),     SYMBOL(129, 6),	      SYMBOL(193, 6),
	SYMBOL(257, 7),	   SYMBOL(385, 7),    SYMBOL(513, 8),	      SYMBOL(769, 8),
	SYMBOL(1025, 9),   SYMBOL(1537, 9),   SYMBOL(2049, 10),	      SYMBOL(3073, 10),
	SYMBOL(4097, 11),  SYMBOL(6145, 11),  SYMBOL(8193, 12),	      SYMBOL(12289, 12),
	SYMBOL(16385, 13), SYMBOL(24577, 13), EXCEPTIONAL | BAD_CODE, EXCEPTIONAL | BAD_CODE,
};

/* A table to build: symbols below first are literals, the others are described by the array. */
struct code {
	u32 *table;
	size_t capacity;
	unsigned int bits; /* that index the first table */
	unsigned int first;
	const u32 *symbols;
	bool may_be_incomplete; /* a single code of one bit is a code too, and so is none */
};

/* The next code of n bits. Codes are kept as they lie in the stream: their first bit is lowest. */
static inline u32
code_next(u32 code, unsigned int n)
{
	u32 zeroes = ~code & (u32)(BIT(n) - 1), bit;

	if (!zeroes)
		return 0;
	bit = 1U << (31 - __builtin_clz(zeroes));
	return (code & (bit - 1)) | bit;
}

/* Sorts the symbols by the lengths of their codes; false if there can be no such code. */
static bool
code_sort(const struct code *c, const u8 *lengths, unsigned int count, u16 counts[CODE_MAX + 1],
	  u16 *sorted)
{
	u16 starts[CODE_MAX + 1];
	unsigned int start = 0;
	int left = 1;

	memset(counts, 0, (CODE_MAX + 1) * sizeof(*counts));
	for (unsigned int i = 0; i < count; i++)
		counts[lengths[i]]++;
	for (unsigned int n = 1; n <= CODE_MAX; n++) {
		starts[n] = (u16)start;
		start += counts[n];
		left = 2 * left - counts[n];
		if (left < 0)
			return false;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (lengths[i])
			sorted[starts[lengths[i]]++] = (u16)i;
	}
	return left == 0 || (c->may_be_incomplete && start == counts[1]);
}

/*
 * The first table grows with the length of the codes, from a single entry: for each length it is
 * doubled, which repeats the shorter codes, and the codes of that length are put in.
 */
static bool
code_build(const struct code *c, const u8 *lengths, unsigned int count)
{
	u16 counts[CODE_MAX + 1], sorted[288], *symbol = sorted;
	u32 *table = c->table, *second = NULL, code = 0, prefix = ~0U;
	size_t used = BIT(c->bits);
	unsigned int second_bits = 0;

	if (!code_sort(c, lengths, count, counts, sorted))
		return false;
	table[0] = EXCEPTIONAL | BAD_CODE | 1;
	for (unsigned int n = 1; n <= CODE_MAX; n++) {
		if (n <= c->bits)
			memcpy(table + BIT(n - 1), table, BIT(n - 1) * sizeof(*table));
		for (int left = counts[n]; left; left--, symbol++, code = code_next(code, n)) {
			u32 entry = *symbol < c->first ? LITERAL | (u32)*symbol << 16
						       : c->symbols[*symbol - c->first];
			unsigned int rest = n - c->bits;

			if (n <= c->bits) {
				table[code] = entry + n + (n << 8);
				continue;
			}
			if ((code & (BIT(c->bits) - 1)) != prefix) {
				/* A new one, as large as the codes with this prefix need. */
				int room = (1 << rest) - left;

				prefix = code & (BIT(c->bits) - 1);
				for (second_bits = rest; room > 0; second_bits++)
					room = 2 * room - counts[c->bits + second_bits + 1];
				if (used + BIT(second_bits) > c->capacity)
					return false;
				table[prefix] = EXCEPTIONAL | (u32)used << 16 | second_bits << 8 |
						c->bits;
				second = table + used;
				used += BIT(second_bits);
			}
			for (size_t i = code >> c->bits; i < BIT(second_bits); i += BIT(rest))
				second[i] = entry + rest + (rest << 8);
		}
	}
	return true;
}

static enum inflate_result
tables_build(struct inflate *z, const u8 *lengths, unsigned int literals, unsigned int distances)
{
	struct code literal_code = {
		.table = z->literals,
		.capacity = ARRAY_SIZE(z->literals),
		.bits = INFLATE_LITERAL_BITS,
		.first = 256,
		.symbols = length_symbols,
		.may_be_incomplete = true,
	};
	struct code distance_code = {
		.table = z->distances,
		.capacity = ARRAY_SIZE(z->distances),
		.bits = INFLATE_DISTANCE_BITS,
		.symbols = distance_symbols,
		.may_be_incomplete = true,
	};

	if (!code_build(&literal_code, lengths, literals) ||
	    !code_build(&distance_code, lengths + literals, distances))
		return INFLATE_CORRUPT;
	return INFLATE_OK;
}

static enum inflate_result
tables_fixed(struct decoder *d)
{
	u8 lengths[288 + 32];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	memset(lengths + 288, 5, 32);
	return tables_build(d->z, lengths, 288, 32);
}

/* RFC 1951, 3.2.7. The code for the code lengths uses the distance table's memory. */
static enum inflate_result
tables_read(struct decoder *d)
{
	static const u8 order[19] = { 16, 17, 18, 0, 8,	 7, 9,	6, 10, 5,
				      11, 4,  12, 3, 13, 2, 14, 1, 15 };
	static const u8 repeat_bits[3] = { 2, 3, 7 }, repeat_least[3] = { 3, 3, 11 };
	struct code lengths_code = {
		.table = d->z->distances,
		.capacity = 128,
		.bits = 7,
		.first = 19,
	};
	unsigned int literals, distances, count, filled = 0;
	u8 lengths[288 + 32] = { 0 };
	u32 header, value;
	u64 bits;

	if (!reader_take(d, 14, &header))
		return INFLATE_TRUNCATED;
	literals = (header & 31) + 257;
	distances = (header >> 5 & 31) + 1;
	count = literals + distances;
	if (literals > 286 || distances > 30)
		return INFLATE_CORRUPT;
	for (unsigned int i = 0; i < (header >> 10) + 4; i++) {
		if (!reader_take(d, 3, &value))
			return INFLATE_TRUNCATED;
		lengths[order[i]] = (u8)value;
	}
	if (!code_build(&lengths_code, lengths, 19))
		return INFLATE_CORRUPT;
	while (filled < count) {
		unsigned int symbol, repeat;
		u32 entry;

		if (!reader_peek(d, &bits))
			return INFLATE_TRUNCATED;
		entry = lengths_code.table[bits & 127];
		d->in.used += entry & 0xff;
		symbol = entry >> 16 & 0xff;
		if (symbol < 16) {
			lengths[filled++] = (u8)symbol;
			continue;
		}
		repeat = bits >> (entry & 0xff) & (BIT(repeat_bits[symbol - 16]) - 1);
		repeat += repeat_least[symbol - 16];
		d->in.used += repeat_bits[symbol - 16];
		if ((symbol == 16 && !filled) || filled + repeat > count)
			return INFLATE_CORRUPT;
		memset(lengths + filled, symbol == 16 ? lengths[filled - 1] : 0, repeat);
		filled += repeat;
	}
	return lengths[256] ? tables_build(d->z, lengths, literals, distances) : INFLATE_CORRUPT;
}

/* ---- output ---- */

static enum inflate_result
window_flush(struct decoder *d)
{
	size_t size = (size_t)(d->out - d->flushed);

	if (size) {
		if (d->wants_crc)
			d->crc = crc32(d->crc, d->flushed, size);
		d->size += (u32)size;
		if (d->output(d->context, d->flushed, size))
			return INFLATE_STOPPED;
	}
	d->flushed = d->out;
	return INFLATE_OK;
}

/* Makes room: the callback takes what there is, the history moves to the front. */
static enum inflate_result
window_turn(struct decoder *d)
{
	enum inflate_result result = window_flush(d);

	memcpy(d->z->window, d->out - INFLATE_HISTORY, INFLATE_HISTORY);
	d->out = d->flushed = d->z->window + INFLATE_HISTORY;
	return result;
}

static __always_inline void
copy_8(u8 *to, const u8 *from)
{
	u64 word;

	memcpy(&word, from, 8);
	memcpy(to, &word, 8);
}

/* May write up to 15 bytes beyond the end. */
static __always_inline void
copy_match(u8 *to, size_t distance, size_t length)
{
	const u8 *from = to - distance;
	u8 *end = to + length;

	if (distance < 8) {
		/* Each step copies one period and doubles it, until words do not overlap. */
		do {
			copy_8(to, from);
			to += distance;
			if (to >= end)
				return;
			distance *= 2;
		} while (distance < 8);
	}
	copy_8(to, from);
	copy_8(to + 8, from + 8);
	while ((to += 16) < end) {
		from += 16;
		copy_8(to, from);
		copy_8(to + 8, from + 8);
	}
}

/* ---- blocks ---- */

static enum inflate_result
block_stored(struct decoder *d)
{
	struct reader *r = &d->in;
	size_t left, size;
	u32 header;

	/* Up to the next byte; then the length and its complement. */
	r->used = ALIGN_UP(r->used & 0xff, 8);
	if (!reader_take(d, 32, &header) || reader_is_past_end(r))
		return INFLATE_TRUNCATED;
	size = header & 0xffff;
	if (size != (~header >> 16))
		return INFLATE_CORRUPT;
	reader_normalize(r);
	left = MIN(size, (size_t)(r->end - r->at));
	size -= left;
	while (left) {
		u8 *end = d->z->window + INFLATE_WINDOW;
		size_t part = MIN(left, (size_t)(end - d->out));

		memcpy(d->out, r->at, part);
		d->out += part;
		r->at += part;
		left -= part;
		if (d->out == end) {
			enum inflate_result result = window_turn(d);

			if (result)
				return result;
		}
	}
	return size ? INFLATE_TRUNCATED : INFLATE_OK;
}

#define LOW_BITS(n) \
	(u32)(BIT(n) - 1), (u32)(BIT((n) + 1) - 1), (u32)(BIT((n) + 2) - 1), (u32)(BIT((n) + 3) - 1)

static const u32 low_bits[32] = {
	LOW_BITS(0),  LOW_BITS(4),  LOW_BITS(8),  LOW_BITS(12),
	LOW_BITS(16), LOW_BITS(20), LOW_BITS(24), LOW_BITS(28),
};

/*
 * The loop that all the time is spent in; its state is in registers. Each turn decodes up to two
 * literals and then a literal or a match.
 */
static enum inflate_result
block_coded(struct decoder *d)
{
	const u64 literal_mask = BIT(INFLATE_LITERAL_BITS) - 1;
	const u64 distance_mask = BIT(INFLATE_DISTANCE_BITS) - 1;
	struct inflate *z = d->z;
	u8 *const window = z->window, *const out_limit = window + INFLATE_WINDOW;
	enum inflate_result result = INFLATE_OK;
	u8 *out = d->out;
	u32 used = d->in.used, entry = 0;

/* Takes a code with the extra bits behind it, or without: then there are none. */
#define TAKE(entry) (bits >>= (entry)&63, used += (entry))
#define TAKE_VALUE(entry)                                          \
	({                                                         \
		u32 coded_ = (u32)bits & low_bits[(u8)(entry)];    \
		TAKE(entry);                                       \
		((entry) >> 16) + (coded_ >> ((entry) >> 8 & 31)); \
	})
/* Goes on to the second table, if the code is a long one. */
#define FOLLOW(entry, table)                                                              \
	do {                                                                              \
		if (unlikely((entry)&EXCEPTIONAL)) {                                      \
			if (!((entry) & (END_OF_BLOCK | BAD_CODE))) {                     \
				TAKE(entry);                                              \
				entry = table[((entry) >> 16) +                           \
					      ((u32)bits & low_bits[(entry) >> 8 & 31])]; \
			}                                                                 \
			if ((entry) & (END_OF_BLOCK | BAD_CODE)) {                        \
				used += (entry);                                          \
				goto out_exceptional;                                     \
			}                                                                 \
		}                                                                         \
	} while (0)

	while (result == INFLATE_OK) {
		const u8 *at, *limit;

		if (!reader_ready(&d->in, z->tail)) {
			result = INFLATE_TRUNCATED;
			break;
		}
		at = d->in.at;
		limit = d->in.limit;
		used = d->in.used;
		while (at <= limit && out < out_limit) {
			u64 length, distance, bits;

			REFILL(bits, used, at);
			entry = z->literals[bits & literal_mask];
			if (entry & LITERAL) {
				TAKE(entry);
				*out++ = (u8)(entry >> 16);
				entry = z->literals[bits & literal_mask];
				if (entry & LITERAL) {
					TAKE(entry);
					*out++ = (u8)(entry >> 16);
					entry = z->literals[bits & literal_mask];
				}
			}
			FOLLOW(entry, z->literals);
			if (entry & LITERAL) {
				used += entry;
				*out++ = (u8)(entry >> 16);
				continue;
			}
			length = TAKE_VALUE(entry);
			if ((u8)used > 64 - 28)
				REFILL(bits, used, at);
			entry = z->distances[bits & distance_mask];
			FOLLOW(entry, z->distances);
			distance = TAKE_VALUE(entry);
			if (unlikely(distance > (size_t)(out - window))) {
				entry = BAD_CODE;
				goto out_exceptional;
			}
			copy_match(out, distance, length);
			out += length;
			continue;

out_exceptional:
			d->in.at = at;
			d->in.used = used;
			d->out = out;
			return entry & BAD_CODE ? INFLATE_CORRUPT : INFLATE_OK;
		}
		d->in.at = at;
		d->in.used = used;
		d->out = out;
		if (out >= out_limit)
			result = window_turn(d);
		out = d->out;
	}
#undef TAKE
#undef TAKE_VALUE
#undef FOLLOW
	return result;
}

static enum inflate_result
stream(struct decoder *d)
{
	enum inflate_result result;
	u32 header;

	do {
		if (!reader_take(d, 3, &header))
			return INFLATE_TRUNCATED;
		switch (header >> 1) {
		case 0: result = block_stored(d); break;
		case 1: result = tables_fixed(d); break;
		case 2: result = tables_read(d); break;
		default: result = INFLATE_CORRUPT; break;
		}
		if (header >> 1 && result == INFLATE_OK)
			result = block_coded(d);
		/* What looks wrong in the padding behind the input is only its end. */
		if (result != INFLATE_STOPPED && reader_is_past_end(&d->in))
			return INFLATE_TRUNCATED;
	} while (result == INFLATE_OK && !(header & 1));
	return result ? result : window_flush(d);
}

enum inflate_result
inflate_raw(struct inflate *z, const void *in, size_t size, size_t *consumed,
	    inflate_output *output, void *context)
{
	struct decoder d = {
		.z = z,
		.out = z->window,
		.flushed = z->window,
		.output = output,
		.context = context,
	};
	enum inflate_result result;

	reader_init(&d.in, in, size);
	result = stream(&d);
	if (consumed)
		*consumed = MIN(reader_position(&d.in), size);
	return result;
}

/* ---- gzip ---- */

bool
inflate_is_gzip(const void *in, size_t size)
{
	const u8 *p = in;

	return size >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

/* RFC 1952, 2.3. */
static enum inflate_result
gzip_header(const u8 *p, size_t size, size_t *header_size)
{
	enum { HEADER_CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
	size_t at = 10;
	u8 flags;

	*header_size = 0;
	if (!inflate_is_gzip(p, size))
		return INFLATE_NOT_GZIP;
	if (size < at)
		return INFLATE_TRUNCATED;
	flags = p[3];
	if (flags & RESERVED)
		return INFLATE_CORRUPT;
	if (flags & EXTRA) {
		if (size - at < 2)
			return INFLATE_TRUNCATED;
		at += 2U + p[at] + 256U * p[at + 1];
	}
	for (u8 field = NAME; field <= COMMENT; field <<= 1) {
		const u8 *end;

		if (!(flags & field))
			continue;
		end = at < size ? memchr(p + at, 0, size - at) : NULL;
		if (!end)
			return INFLATE_TRUNCATED;
		at = (size_t)(end - p) + 1;
	}
	if (flags & HEADER_CRC) {
		if (at > size || size - at < 2)
			return INFLATE_TRUNCATED;
		if ((crc32(0, p, at) & 0xffff) != p[at] + 256U * p[at + 1])
			return INFLATE_CORRUPT;
		at += 2;
	}
	if (at > size)
		return INFLATE_TRUNCATED;
	*header_size = at;
	return INFLATE_OK;
}

enum inflate_result
inflate_gzip(struct inflate *z, const void *in, size_t size, size_t *consumed,
	     inflate_output *output, void *context)
{
	struct decoder d = {
		.z = z,
		.out = z->window,
		.flushed = z->window,
		.output = output,
		.context = context,
		.wants_crc = true,
	};
	enum inflate_result result;
	const u8 *p = in;
	size_t at;
	u64 trailer;

	result = gzip_header(p, size, &at);
	if (result == INFLATE_OK) {
		reader_init(&d.in, p + at, size - at);
		result = stream(&d);
		at += MIN(reader_position(&d.in), size - at);
	}
	if (consumed)
		*consumed = at;
	if (result)
		return result;
	if (size - at < 8)
		return INFLATE_TRUNCATED;
	if (consumed)
		*consumed = at + 8;
	trailer = load_le64(p + at);
	if ((u32)trailer != d.crc)
		return INFLATE_BAD_CRC;
	return trailer >> 32 == d.size ? INFLATE_OK : INFLATE_BAD_LENGTH;
}

const char *
inflate_result_name(enum inflate_result result)
{
	static const char *const names[] = {
		[INFLATE_OK] = "no error",
		[INFLATE_NOT_GZIP] = "not gzip data",
		[INFLATE_CORRUPT] = "corrupt data",
		[INFLATE_TRUNCATED] = "data ends too early",
		[INFLATE_BAD_CRC] = "wrong checksum",
		[INFLATE_BAD_LENGTH] = "wrong length",
		[INFLATE_STOPPED] = "stopped by the receiver",
	};

	return names[result];
}
