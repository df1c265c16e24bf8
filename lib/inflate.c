/* SPDX-License-Identifier: MIT */
/*
 * inflate: DEFLATE (RFC 1951) and gzip (RFC 1952).
 *
 * Bits. The next bits of the stream are the low bits of a 64-bit word. A refill reads 8 bytes at
 * once and leaves at least 56 bits, enough for two literals and a length, or for a distance and
 * more. Reading whole words needs 8 readable bytes: for the last bytes of the input the reader
 * moves to a copy of them that is padded with zeroes, so there is one decoding loop and no slow
 * twin. Whether padding was consumed is checked afterwards: then the input was truncated.
 *
 * Codes. A table look-up with the next 11 bits (8 for distances) gives an entry that says all
 * about the symbol; longer codes lead to a second table behind the first.
 *
 *	31       16 15  14   13  12     8 7      0
 *	|  value   | x | end |bad| extra  | length |	length: bits of the code
 *
 *	literal: bit 31 set, bits 16-23 the byte		(one test of the sign finds it)
 *	length, distance: value the base, extra how many bits follow
 *	x (exceptional): the end of the block, a bad code, or else a second table: value its
 *	place and extra the bits of its index
 *
 * The low 8 bits of the bit count are its value: an entry is subtracted from it whole.
 *
 * Output. The window is filled from front to back and given to the callback when it is full; its
 * last 32 KiB then move to the front as history. Matches are copied in words that may write some
 * bytes beyond their end, into bytes that are written later, or into the slack.
 */
#include "lib/inflate.h"
#include "lib/crc.h"
#include "lib/string.h"

#define LITERAL BIT(31)
#define EXCEPTIONAL BIT(15)
#define END_OF_BLOCK BIT(14)
#define BAD_CODE BIT(13)

#define CODE_MAX 15
#define INPUT_MARGIN 16	/* one turn of the loop refills twice, each from at most 7 bytes further */

struct reader {
	u64 bits;
	u32 count;		/* how many are in bits: the low 8 bits of this */
	const u8 *at;		/* the next byte to refill from */
	const u8 *limit;	/* last place where a turn of the decoding loop may start */
	const u8 *end;		/* end of the real input in the current buffer */
	size_t before;		/* input bytes before the current buffer */
	const u8 *base;		/* start of the current buffer */
	bool in_tail;
};

struct decoder {
	struct inflate *z;
	struct reader in;
	u8 *out;		/* next byte of the window to write */
	u8 *flushed;		/* the callback has what is before */
	u32 crc;
	u32 size;		/* modulo 2^32, as in the trailer */
	bool wants_crc;
	inflate_output *output;
	void *context;
};

/* ---- bits ---- */

static inline u64
load_le64(const u8 *p)
{
	u64 word;

	memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* Afterwards there are 56 to 63 bits, and above them the right next ones, which do no harm. */
#define REFILL(bits, count, at)                                                                   \
	do {                                                                                      \
		(bits) |= load_le64(at) << ((count) & 63);                                        \
		(at) += 7 - (((count) >> 3) & 7);                                                 \
		(count) |= 56;                                                                    \
	} while (0)

static void
reader_init(struct reader *r, const u8 *in, size_t size)
{
	*r = (struct reader){ .at = in, .base = in, .end = in + size };
	r->limit = size >= INPUT_MARGIN ? r->end - INPUT_MARGIN : NULL;
}

/* Input bytes used, the bits not yet taken given back. */
static size_t
reader_position(const struct reader *r)
{
	return r->before + (size_t)(r->at - r->base) - (r->count & 0xff) / 8;
}

static bool
reader_is_past_end(const struct reader *r)
{
	return reader_position(r) > r->before + (size_t)(r->end - r->base);
}

/* Makes r->at <= r->limit true, if there is input left at all. */
static bool
reader_ready(struct reader *r, u8 tail[64])
{
	size_t waiting, left;

	if (r->limit && r->at <= r->limit)
		return true;
	if (r->in_tail)
		return false;
	/* The bytes whose bits are still waiting move along: they may be given back. */
	waiting = MIN((size_t)(r->at - r->base), sizeof(r->bits));
	left = (size_t)(r->end - r->at);
	r->before += (size_t)(r->at - r->base) - waiting;
	memset(tail, 0, 64);
	memcpy(tail, r->at - waiting, waiting + left);
	r->at = tail + waiting;
	r->base = tail;
	r->end = r->at + left;
	r->limit = tail + 64 - INPUT_MARGIN - 8;
	r->in_tail = true;
	return true;
}

/* Up to 32 bits, for headers. */
static bool
reader_take(struct decoder *d, unsigned int n, u32 *value)
{
	struct reader *r = &d->in;

	if (!reader_ready(r, d->z->tail))
		return false;
	REFILL(r->bits, r->count, r->at);
	*value = (u32)(r->bits & (BIT(n) - 1));
	r->bits >>= n;
	r->count -= n;
	return !reader_is_past_end(r);
}

/* ---- tables ---- */

/* What an entry says about a symbol, all but the length of its code. */
static const u32 length_entries[31] = {
#define L(base, extra) ((base) << 16 | (extra) << 8)
	L(3, 0), L(4, 0), L(5, 0), L(6, 0), L(7, 0), L(8, 0), L(9, 0), L(10, 0),
	L(11, 1), L(13, 1), L(15, 1), L(17, 1), L(19, 2), L(23, 2), L(27, 2), L(31, 2),
	L(35, 3), L(43, 3), L(51, 3), L(59, 3), L(67, 4), L(83, 4), L(99, 4), L(115, 4),
	L(131, 5), L(163, 5), L(195, 5), L(227, 5), L(258, 0),
	EXCEPTIONAL | BAD_CODE, EXCEPTIONAL | BAD_CODE,
};

static const u32 distance_entries[32] = {
	L(1, 0), L(2, 0), L(3, 0), L(4, 0), L(5, 1), L(7, 1), L(9, 2), L(13, 2),
	L(17, 3), L(25, 3), L(33, 4), L(49, 4), L(65, 5), L(97, 5), L(129, 6), L(193, 6),
	L(257, 7), L(385, 7), L(513, 8), L(769, 8), L(1025, 9), L(1537, 9), L(2049, 10), L(3073, 10),
	L(4097, 11), L(6145, 11), L(8193, 12), L(12289, 12), L(16385, 13), L(24577, 13),
	EXCEPTIONAL | BAD_CODE, EXCEPTIONAL | BAD_CODE,
#undef L
};

enum alphabet { LITERALS, DISTANCES, CODE_LENGTHS };

static inline u32
symbol_entry(enum alphabet alphabet, unsigned int symbol)
{
	switch (alphabet) {
	case LITERALS:
		if (symbol < 256)
			return LITERAL | symbol << 16;
		return symbol == 256 ? EXCEPTIONAL | END_OF_BLOCK : length_entries[symbol - 257];
	case DISTANCES:
		return distance_entries[symbol];
	default:
		return symbol << 16;
	}
}

/* The next code of the same length. Codes are kept as they lie in the stream: first bit lowest. */
static inline u32
code_next(u32 code, unsigned int length)
{
	u32 bit = 1U << (length - 1);

	while (code & bit)
		bit >>= 1;
	return bit ? (code & (bit - 1)) | bit : 0;
}

/*
 * Builds the table of bits index bits, and second tables behind it, from the code lengths. The
 * code must be complete, except that a single code of one bit is a code too, and so is none.
 */
static bool
table_build(u32 *table, size_t capacity, unsigned int bits, enum alphabet alphabet,
	    const u8 *lengths, unsigned int symbols)
{
	u16 counts[CODE_MAX + 1] = { 0 }, starts[CODE_MAX + 2], sorted[288];
	size_t used = BIT(bits);
	u32 code = 0, second = 0, prefix = ~0U;
	unsigned int second_bits = 0, most = CODE_MAX, at = 0;
	int left = 1;

	for (unsigned int i = 0; i < symbols; i++)
		counts[lengths[i]]++;
	while (most && !counts[most])
		most--;
	starts[1] = 0;
	for (unsigned int n = 1; n <= CODE_MAX; n++) {
		left = 2 * left - counts[n];
		if (left < 0)
			return false;
		starts[n + 1] = starts[n] + counts[n];
	}
	if (left && (alphabet == CODE_LENGTHS || most > 1))
		return false;
	if (left) {
		for (size_t i = 0; i < used; i++)
			table[i] = EXCEPTIONAL | BAD_CODE | 1;
	}
	for (unsigned int i = 0; i < symbols; i++) {
		if (lengths[i])
			sorted[starts[lengths[i]]++] = (u16)i;
	}
	for (unsigned int n = 1; n <= most; n++) {
		for (unsigned int i = counts[n]; i; i--, code = code_next(code, n)) {
			u32 entry = symbol_entry(alphabet, sorted[at++]);

			if (n <= bits) {
				for (size_t slot = code; slot < BIT(bits); slot += BIT(n))
					table[slot] = entry | n;
				continue;
			}
			if ((code & (BIT(bits) - 1)) != prefix) {
				/* A new second table: as large as the codes with this prefix need. */
				int room = 0;

				prefix = code & (BIT(bits) - 1);
				second_bits = n - bits;
				room = (1 << second_bits) - (int)i;
				while (room > 0) {
					second_bits++;
					room = 2 * room - counts[bits + second_bits];
				}
				second = (u32)used;
				used += BIT(second_bits);
				if (used > capacity)
					return false;
				table[prefix] = EXCEPTIONAL | second << 16 | second_bits << 8 | bits;
			}
			for (size_t slot = code >> bits; slot < BIT(second_bits); slot += BIT(n - bits))
				table[second + slot] = entry | (n - bits);
		}
	}
	return true;
}

static bool
tables_build(struct inflate *z, const u8 *lengths, unsigned int literals, unsigned int distances)
{
	return table_build(z->literals, ARRAY_SIZE(z->literals), INFLATE_LITERAL_BITS, LITERALS,
			   lengths, literals) &&
	       table_build(z->distances, ARRAY_SIZE(z->distances), INFLATE_DISTANCE_BITS, DISTANCES,
			   lengths + literals, distances);
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
	return tables_build(d->z, lengths, 288, 32) ? INFLATE_OK : INFLATE_CORRUPT;
}

/* RFC 1951, 3.2.7. The code for the code lengths uses the distance table's memory. */
static enum inflate_result
tables_read(struct decoder *d)
{
	static const u8 order[19] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
	};
	unsigned int literals, distances, filled = 0;
	u32 *table = d->z->distances, header, value;
	u8 lengths[288 + 32] = { 0 };

	if (!reader_take(d, 14, &header))
		return INFLATE_TRUNCATED;
	literals = (header & 31) + 257;
	distances = (header >> 5 & 31) + 1;
	if (literals > 286 || distances > 30)
		return INFLATE_CORRUPT;
	for (unsigned int i = 0; i < (header >> 10) + 4; i++) {
		if (!reader_take(d, 3, &value))
			return INFLATE_TRUNCATED;
		lengths[order[i]] = (u8)value;
	}
	if (!table_build(table, ARRAY_SIZE(d->z->distances), 7, CODE_LENGTHS, lengths, 19))
		return INFLATE_CORRUPT;
	while (filled < literals + distances) {
		unsigned int symbol, repeat = 1, more = 0;
		u32 entry;

		if (!reader_take(d, 0, &value))
			return INFLATE_TRUNCATED;
		entry = table[d->in.bits & 127];
		d->in.bits >>= entry & 0xff;
		d->in.count -= entry & 0xff;
		symbol = entry >> 16;
		if (symbol >= 16) {
			static const u8 bits[3] = { 2, 3, 7 }, least[3] = { 3, 3, 11 };

			more = bits[symbol - 16];
			repeat = least[symbol - 16] + (d->in.bits & (BIT(more) - 1));
			d->in.bits >>= more;
			d->in.count -= more;
		}
		if (reader_is_past_end(&d->in))
			return INFLATE_TRUNCATED;
		if ((symbol == 16 && !filled) || filled + repeat > literals + distances)
			return INFLATE_CORRUPT;
		memset(lengths + filled, symbol == 16 ? lengths[filled - 1] : symbol > 16 ? 0 : (int)symbol,
		       repeat);
		filled += repeat;
	}
	if (!lengths[256])
		return INFLATE_CORRUPT;
	return tables_build(d->z, lengths, literals, distances) ? INFLATE_OK : INFLATE_CORRUPT;
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
	size_t position, left, size;
	const u8 *from;
	u32 header;

	/* Up to the next byte; then the length and its complement. */
	r->bits >>= r->count & 7;
	r->count -= r->count & 7;
	if (!reader_take(d, 32, &header))
		return INFLATE_TRUNCATED;
	size = header & 0xffff;
	if (size != (~header >> 16))
		return INFLATE_CORRUPT;
	position = reader_position(r) - r->before;
	from = r->base + position;
	left = (size_t)(r->end - r->base) - position;
	while (size && left) {
		u8 *end = d->z->window + INFLATE_WINDOW;
		size_t part = MIN(MIN(size, left), (size_t)(end - d->out));

		memcpy(d->out, from, part);
		d->out += part;
		from += part;
		left -= part;
		size -= part;
		if (d->out == end) {
			enum inflate_result result = window_turn(d);

			if (result)
				return result;
		}
	}
	r->at = from;
	r->bits = 0;
	r->count = 0;
	return size ? INFLATE_TRUNCATED : INFLATE_OK;
}

/*
 * The loop that all the time is spent in; its state is in registers. Each turn decodes up to two
 * literals and then a literal or a match.
 */
static enum inflate_result
block_coded(struct decoder *d)
{
	struct inflate *z = d->z;
	const u32 *literals = z->literals, *distances = z->distances;
	u8 *const window = z->window, *const out_limit = window + INFLATE_WINDOW;
	const u32 literal_mask = BIT(INFLATE_LITERAL_BITS) - 1;
	const u32 distance_mask = BIT(INFLATE_DISTANCE_BITS) - 1;
	enum inflate_result result = INFLATE_OK;
	const u8 *at, *limit;
	u8 *out = d->out;
	u64 bits = d->in.bits;
	u32 count = d->in.count;

#define TAKE(entry) (bits >>= (entry) & 63, count -= (entry))
#define TAKE_EXTRA(entry)                                                                         \
	({                                                                                        \
		unsigned int extra_ = (entry) >> 8 & 31;                                          \
		u32 value_ = (u32)bits & ((1U << extra_) - 1);                                    \
		bits >>= extra_;                                                                  \
		count -= extra_;                                                                  \
		value_;                                                                           \
	})

	for (;;) {
		if (!reader_ready(&d->in, z->tail)) {
			result = INFLATE_TRUNCATED;
			break;
		}
		at = d->in.at;
		limit = d->in.limit;
		while (at <= limit && out < out_limit) {
			size_t length, distance;
			u32 entry;

			REFILL(bits, count, at);
			entry = literals[bits & literal_mask];
			if (entry & LITERAL) {
				TAKE(entry);
				*out++ = (u8)(entry >> 16);
				entry = literals[bits & literal_mask];
				if (entry & LITERAL) {
					TAKE(entry);
					*out++ = (u8)(entry >> 16);
					entry = literals[bits & literal_mask];
				}
			}
			TAKE(entry);
			if (unlikely(entry & EXCEPTIONAL)) {
				if (entry & (END_OF_BLOCK | BAD_CODE))
					goto out_exceptional;
				entry = literals[(entry >> 16) +
						 (bits & ((1U << (entry >> 8 & 31)) - 1))];
				TAKE(entry);
				if (entry & (END_OF_BLOCK | BAD_CODE))
					goto out_exceptional;
			}
			if (entry & LITERAL) {
				*out++ = (u8)(entry >> 16);
				continue;
			}
			length = (entry >> 16) + TAKE_EXTRA(entry);
			if ((count & 0xff) < 28)
				REFILL(bits, count, at);
			entry = distances[bits & distance_mask];
			TAKE(entry);
			if (unlikely(entry & EXCEPTIONAL)) {
				if (entry & BAD_CODE)
					goto out_exceptional;
				entry = distances[(entry >> 16) +
						  (bits & ((1U << (entry >> 8 & 31)) - 1))];
				TAKE(entry);
				if (entry & BAD_CODE)
					goto out_exceptional;
			}
			distance = (entry >> 16) + TAKE_EXTRA(entry);
			if (unlikely(distance > (size_t)(out - window))) {
				result = INFLATE_CORRUPT;
				goto out_done;
			}
			copy_match(out, distance, length);
			out += length;
			continue;

out_exceptional:
			if (entry & BAD_CODE)
				result = INFLATE_CORRUPT;
			goto out_done;
		}
		d->in.at = at;
		if (out >= out_limit) {
			d->out = out;
			result = window_turn(d);
			out = d->out;
			if (result)
				break;
		}
	}
	at = d->in.at;
out_done:
#undef TAKE
#undef TAKE_EXTRA
	d->in.at = at;
	d->in.bits = bits;
	d->in.count = count;
	d->out = out;
	/* What looks wrong in the padding behind the input is only its end. */
	if (result != INFLATE_STOPPED && reader_is_past_end(&d->in))
		result = INFLATE_TRUNCATED;
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
		case 0:
			result = block_stored(d);
			break;
		case 1:
			result = tables_fixed(d);
			break;
		case 2:
			result = tables_read(d);
			break;
		default:
			return INFLATE_CORRUPT;
		}
		if (header >> 1 && result == INFLATE_OK)
			result = block_coded(d);
	} while (result == INFLATE_OK && !(header & 1));
	return result ? result : window_flush(d);
}

enum inflate_result
inflate_raw(struct inflate *z, const void *in, size_t size, size_t *consumed,
	    inflate_output *output, void *context)
{
	struct decoder d = {
		.z = z, .out = z->window, .flushed = z->window, .output = output, .context = context,
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
		.z = z, .out = z->window, .flushed = z->window, .output = output,
		.context = context, .wants_crc = true,
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
