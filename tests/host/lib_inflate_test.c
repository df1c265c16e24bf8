/* SOURCES: lib/inflate.c lib/crc.c */
/* SPDX-License-Identifier: MIT */
/*
 * inflate: streams made by zlib (through Python), streams made bit by bit here, every truncation,
 * and random damage.
 */
#include "lib/crc.h"
#include "lib/inflate.h"
#include "test.h"
#include <string.h>

static struct inflate *decoder;

/* Output is compared as it comes, and never collected. */
struct sink {
	const u8 *expected;
	size_t size, got;
	size_t stop_after;
	bool differs;
};

static int
sink_write(void *context, const void *data, size_t size)
{
	struct sink *sink = context;

	if (size > sink->size - sink->got || memcmp(sink->expected + sink->got, data, size) != 0)
		sink->differs = true;
	else
		sink->got += size;
	return sink->stop_after && sink->got >= sink->stop_after;
}

/* The input is exactly allocated, so that the sanitizer sees a byte too far. */
static enum inflate_result
decode(bool gzip, const u8 *in, size_t size, struct sink *sink, size_t *consumed)
{
	enum inflate_result result;
	u8 *copy = malloc(size ? size : 1);

	memcpy(copy, in, size);
	sink->got = 0;
	sink->differs = false;
	result = (gzip ? inflate_gzip : inflate_raw)(decoder, copy, size, consumed, sink_write,
						     sink);
	free(copy);
	return result;
}

/* ---- streams made by zlib ---- */

static const char generator[] =
	"import random, struct, sys, zlib\n"
	"random.seed(1)\n"
	"rnd = random.randbytes\n"
	"words = [rnd(random.randrange(2, 12)) for i in range(300)]\n"
	"text = b''.join(random.choice(words) for i in range(60000))\n"
	"skewed = bytes(min(255, int(random.expovariate(0.06))) for i in range(200000))\n"
	"far = rnd(32768)\n"
	"datas = [b'', b'a', b'hello, world', bytes(300000), rnd(70000), text, skewed,\n"
	"    far + far + far[:1000] + far, b''.join(rnd(p) * (2000 // p) for p in range(1, 40)),\n"
	"    bytes(range(256)) * 300, rnd(100) + bytes(100000) + text[:5000] + rnd(40000) + "
	"bytes(258)]\n"
	"for data in datas:\n"
	"    for level, strategy in [(0, 0), (1, 0), (6, 0), (9, 0), (6, zlib.Z_HUFFMAN_ONLY),\n"
	"            (6, zlib.Z_RLE), (6, zlib.Z_FIXED)]:\n"
	"        c = zlib.compressobj(level, zlib.DEFLATED, 31, 9, strategy)\n"
	"        packed = c.compress(data[:len(data) // 2])\n"
	"        if level == 1: packed += c.flush(zlib.Z_FULL_FLUSH)\n"
	"        packed += c.compress(data[len(data) // 2:]) + c.flush()\n"
	"        sys.stdout.buffer.write(struct.pack('<II', len(packed), len(data)) + packed + "
	"data)\n";

struct vector {
	u8 *packed, *data;
	size_t packed_size, size;
};

static struct vector vectors[200];
static size_t vector_count;

static void
vectors_make(void)
{
	char script[] = "/tmp/inflate_vectors_XXXXXX", command[64];
	FILE *file = fdopen(mkstemp(script), "w");
	u32 sizes[2];

	fwrite(generator, 1, sizeof(generator) - 1, file);
	fclose(file);
	snprintf(command, sizeof(command), "python3 %s", script);
	file = popen(command, "r");
	while (file && vector_count < ARRAY_SIZE(vectors) && fread(sizes, 1, 8, file) == 8) {
		struct vector *v = &vectors[vector_count];

		v->packed_size = sizes[0];
		v->size = sizes[1];
		v->packed = malloc(v->packed_size);
		v->data = malloc(v->size + 1);
		if (fread(v->packed, 1, v->packed_size, file) != v->packed_size ||
		    fread(v->data, 1, v->size, file) != v->size)
			break;
		vector_count++;
	}
	if (file)
		pclose(file);
	remove(script);
}

static void
inflate_equals_zlib(void)
{
	vectors_make();
	EXPECT(vector_count == 77);
	for (size_t i = 0; i < vector_count; i++) {
		struct vector *v = &vectors[i];
		struct sink sink = { .expected = v->data, .size = v->size };
		size_t consumed;

		EXPECT(inflate_is_gzip(v->packed, v->packed_size));
		EXPECT(decode(true, v->packed, v->packed_size, &sink, &consumed) == INFLATE_OK);
		EXPECT(!sink.differs && sink.got == v->size && consumed == v->packed_size);
		/* What follows is left alone; the stream without its wrapper decodes too. */
		EXPECT(decode(true, v->packed, v->packed_size, &sink, NULL) == INFLATE_OK);
		EXPECT(decode(false, v->packed + 10, v->packed_size - 10, &sink, &consumed) ==
		       INFLATE_OK);
		EXPECT(!sink.differs && sink.got == v->size && consumed == v->packed_size - 18);
	}
}

static void
inflate_says_truncated_for_every_prefix(void)
{
	for (size_t i = 0; i < vector_count; i++) {
		struct vector *v = &vectors[i];
		struct sink sink = { .expected = v->data, .size = v->size };
		size_t step = v->packed_size / 40 + 1, consumed;

		for (size_t size = 3; size < v->packed_size; size += size < 100 ? 1 : step) {
			EXPECT(decode(true, v->packed, size, &sink, &consumed) ==
			       INFLATE_TRUNCATED);
			EXPECT(consumed <= size);
		}
		for (size_t left = 1; left < 30 && left + 3 < v->packed_size; left++) {
			EXPECT(decode(true, v->packed, v->packed_size - left, &sink, NULL) ==
			       INFLATE_TRUNCATED);
			EXPECT(left > 8 || (!sink.differs && sink.got == v->size));
		}
	}
}

static void
inflate_finds_damage(void)
{
	size_t corrupt = 0, crc = 0;

	for (int step = 0; step < 6000; step++) {
		struct vector *v = &vectors[test_random_below(vector_count)];
		struct sink sink = { .expected = v->data, .size = v->size };
		size_t consumed, size = v->packed_size;
		enum inflate_result result;
		u8 *copy;

		/* Big ones now and then only. */
		if (size > 20000 && step % 20)
			continue;
		copy = malloc(size);
		memcpy(copy, v->packed, size);
		for (u64 n = 1 + test_random_below(3); n; n--) {
			size_t at = 10 + test_random_below(size - 10);

			if (test_random() & 1)
				at = 10 + test_random_below(MIN(size - 10, (size_t)80));
			copy[at] ^= (u8)(1 << test_random_below(8));
		}
		result = decode(true, copy, size, &sink, &consumed);
		EXPECT(consumed <= size);
		EXPECT(result != INFLATE_OK || (!sink.differs && sink.got == v->size));
		EXPECT(result != INFLATE_NOT_GZIP && result != INFLATE_STOPPED);
		corrupt += result == INFLATE_CORRUPT;
		crc += result == INFLATE_BAD_CRC;
		free(copy);
	}
	EXPECT(corrupt > 100 && crc > 100);
}

static void
inflate_survives_noise(void)
{
	u8 noise[300];

	for (int step = 0; step < 30000; step++) {
		size_t size = test_random_below(sizeof(noise)), consumed;
		struct sink sink = { 0 };

		for (size_t i = 0; i < size; i++)
			noise[i] = (u8)test_random();
		/* Half of them with dynamic codes. */
		if (size && step & 1)
			noise[0] = (u8)((noise[0] & ~7) | 4);
		decode(false, noise, size, &sink, &consumed);
		EXPECT(consumed <= size);
	}
}

static void
inflate_stops_when_told(void)
{
	struct vector *v = &vectors[3 * 7 + 2]; /* zeroes: many callbacks */
	struct sink sink = { .expected = v->data, .size = v->size, .stop_after = 1 };

	EXPECT(decode(true, v->packed, v->packed_size, &sink, NULL) == INFLATE_STOPPED);
	EXPECT(sink.got < v->size);
}

/* ---- gzip wrapper ---- */

static u8 wrapped[4096];

/* "hello" with the given flags and their fields; returns the size. */
static size_t
wrap(u8 flags, u32 crc, u32 length)
{
	static const u8 hello[] = { 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00 };
	size_t size = 10;

	memcpy(wrapped, "\x1f\x8b\x08\0\1\2\3\4\0\3", 10);
	wrapped[3] = flags;
	if (flags & 4) {
		memcpy(wrapped + size, "\5\0extra", 7);
		size += 7;
	}
	if (flags & 8) {
		memcpy(wrapped + size, "name", 5);
		size += 5;
	}
	if (flags & 16) {
		memcpy(wrapped + size, "a comment", 10);
		size += 10;
	}
	if (flags & 2) {
		u32 header_crc = crc32(0, wrapped, size);

		memcpy(wrapped + size, &header_crc, 2);
		size += 2;
	}
	memcpy(wrapped + size, hello, sizeof(hello));
	size += sizeof(hello);
	memcpy(wrapped + size, &crc, 4);
	memcpy(wrapped + size + 4, &length, 4);
	return size + 8;
}

static void
gzip_header_fields_are_skipped_and_checked(void)
{
	struct sink sink = { .expected = (const u8 *)"hello", .size = 5 };
	size_t size, consumed;

	for (u8 flags = 0; flags < 32; flags++) {
		size = wrap(flags, 0x3610a686, 5);
		EXPECT(decode(true, wrapped, size, &sink, &consumed) == INFLATE_OK);
		EXPECT(sink.got == 5 && consumed == size);
		wrapped[size] = 'x';
		EXPECT(decode(true, wrapped, size + 1, &sink, &consumed) == INFLATE_OK &&
		       consumed == size);
		for (size_t part = 3; part < size; part++)
			EXPECT(decode(true, wrapped, part, &sink, NULL) == INFLATE_TRUNCATED);
		for (size_t part = 0; part < 3; part++)
			EXPECT(decode(true, wrapped, part, &sink, NULL) == INFLATE_NOT_GZIP);
	}
	size = wrap(2, 0x3610a686, 5);
	wrapped[10] ^= 1;
	EXPECT(decode(true, wrapped, size, &sink, NULL) == INFLATE_CORRUPT);
	size = wrap(0x20, 0x3610a686, 5);
	EXPECT(decode(true, wrapped, size, &sink, NULL) == INFLATE_CORRUPT);
	size = wrap(0, 0x3610a687, 5);
	EXPECT(decode(true, wrapped, size, &sink, NULL) == INFLATE_BAD_CRC);
	size = wrap(0, 0x3610a686, 6);
	EXPECT(decode(true, wrapped, size, &sink, NULL) == INFLATE_BAD_LENGTH);
	wrapped[0] = 0;
	EXPECT(decode(true, wrapped, size, &sink, NULL) == INFLATE_NOT_GZIP);
	for (int result = 0; result <= INFLATE_STOPPED; result++)
		EXPECT(inflate_result_name(result)[0]);
}

/* ---- streams made bit by bit ---- */

static u8 stream[2048];
static size_t stream_bits;

static void
bits(u32 value, unsigned int count)
{
	for (; count; count--, value >>= 1, stream_bits++) {
		if (stream_bits % 8 == 0)
			stream[stream_bits / 8] = 0;
		stream[stream_bits / 8] |= (u8)((value & 1) << stream_bits % 8);
	}
}

/* A Huffman code: its first bit first. */
static void
code(u32 value, unsigned int count)
{
	while (count--)
		bits(value >> count & 1, 1);
}

static enum inflate_result
decode_stream(const char *expected)
{
	struct sink sink = { .expected = (const u8 *)expected, .size = strlen(expected) };
	size_t consumed;
	enum inflate_result result;

	result = decode(false, stream, (stream_bits + 7) / 8, &sink, &consumed);
	if (result == INFLATE_OK &&
	    (sink.differs || sink.got != sink.size || consumed != (stream_bits + 7) / 8))
		return INFLATE_BAD_LENGTH;
	return result;
}

/*
 * A dynamic block's header. The code for code lengths has 4 bits for each of 0 to 15, so a code
 * length is written as itself; lengths are given as text, one hexadecimal digit each.
 */
static void
dynamic_header(unsigned int literals, unsigned int distances, const char *lengths)
{
	static const u8 order[19] = { 16, 17, 18, 0, 8,	 7, 9,	6, 10, 5,
				      11, 4,  12, 3, 13, 2, 14, 1, 15 };

	stream_bits = 0;
	bits(1, 1);
	bits(2, 2);
	bits(literals - 257, 5);
	bits(distances - 1, 5);
	bits(15, 4);
	for (int i = 0; i < 19; i++)
		bits(order[i] < 16 ? 4 : 0, 3);
	for (; *lengths; lengths++)
		code((u32)strtoul((char[]){ *lengths, '\0' }, NULL, 16), 4);
}

/* Lengths of the literal symbols: 'a' gets one, 'b' another, the end and the length 3 (257) too. */
static const char *
lengths_text(char a, char b, char end, char length_3, const char *distances)
{
	static char text[400];

	memset(text, '0', 258);
	text['a'] = a;
	text['b'] = b;
	text[256] = end;
	text[257] = length_3;
	strcpy(text + 258, distances);
	return text;
}

static void
inflate_decodes_dynamic_blocks_made_by_hand(void)
{
	/* a 00, b 01, end 10, length 11; one distance, with one bit */
	dynamic_header(258, 1, lengths_text('2', '2', '2', '2', "1"));
	code(0, 2);
	code(1, 2);
	code(3, 2), code(0, 1);
	code(2, 2);
	EXPECT(decode_stream("abbbb") == INFLATE_OK);
	/* the other code of the incomplete distances */
	dynamic_header(258, 1, lengths_text('2', '2', '2', '2', "1"));
	code(0, 2);
	code(3, 2), code(1, 1);
	code(2, 2);
	bits(0, 30);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* no distances at all: fine until one is used */
	dynamic_header(258, 1, lengths_text('2', '2', '2', '2', "0"));
	code(0, 2);
	code(2, 2);
	EXPECT(decode_stream("a") == INFLATE_OK);
	dynamic_header(258, 1, lengths_text('2', '2', '2', '2', "0"));
	code(0, 2);
	code(3, 2), code(0, 1);
	code(2, 2);
	bits(0, 30);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* too far back */
	dynamic_header(258, 2, lengths_text('2', '2', '2', '2', "11"));
	code(0, 2);
	code(3, 2), code(1, 1);
	code(2, 2);
	bits(0, 30);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* end of block alone, with the incomplete code of one bit */
	dynamic_header(258, 1, lengths_text('0', '0', '1', '0', "0"));
	code(0, 1);
	EXPECT(decode_stream("") == INFLATE_OK);
}

/* Codes of 1, 2, ... 15, 15 bits: second tables of every depth. */
static void
inflate_decodes_the_longest_codes(void)
{
	char lengths[400], expected[16];

	memset(lengths, '0', 257);
	for (int i = 0; i < 14; i++)
		lengths['a' + i] = "123456789abcde"[i];
	lengths['o'] = 'f';
	lengths[256] = 'f';
	strcpy(lengths + 257, "0");
	dynamic_header(257, 1, lengths);
	for (unsigned int i = 0; i < 14; i++)
		code((1U << (i + 1)) - 2, i + 1);
	code(0x7ffe, 15);
	code(0x7fff, 15);
	for (int i = 0; i < 15; i++)
		expected[i] = (char)('a' + i);
	expected[15] = '\0';
	EXPECT(decode_stream(expected) == INFLATE_OK);
	/* the same for distances: 30 codes need 15 bits; here a chain of 16 */
	memset(lengths, '0', 258);
	lengths['a'] = '1';
	lengths[256] = '2';
	lengths[257] = '2';
	strcpy(lengths + 258, "123456789abcdeff");
	dynamic_header(258, 16, lengths);
	for (int i = 0; i < 4; i++)
		code(0, 1);
	code(3, 2), code(0xe, 4); /* distance 4 */
	code(2, 2);
	EXPECT(decode_stream("aaaaaaa") == INFLATE_OK);
	dynamic_header(258, 16, lengths);
	code(0, 1);
	code(3, 2), code(0x7fff, 15), bits(0, 6); /* distance 193 */
	code(2, 2);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
}

static void
inflate_refuses_impossible_codes(void)
{
	/* too many codes; too few; no end of block */
	dynamic_header(258, 1, lengths_text('1', '1', '2', '2', "1"));
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	dynamic_header(258, 1, lengths_text('2', '2', '2', '0', "1"));
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	dynamic_header(258, 1, lengths_text('1', '2', '0', '2', "1"));
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	dynamic_header(258, 3, lengths_text('2', '2', '2', '2', "220"));
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* a number of codes that the format does not have */
	dynamic_header(257 + 30, 1, "");
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	dynamic_header(258, 31, "");
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* a repetition with nothing to repeat: code lengths 0 and 16 have one bit */
	stream_bits = 0;
	bits(5, 3);
	bits(0, 14);
	bits(1, 3), bits(0, 3), bits(0, 3), bits(1, 3);
	code(1, 1);
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* a repetition that goes too far */
	stream_bits = 0;
	bits(5, 3);
	bits(0, 14);
	bits(0, 3), bits(0, 3), bits(1, 3), bits(1, 3);
	for (int i = 0; i < 3; i++)
		code(1, 1), bits(127, 7);
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
	/* the block type that does not exist */
	stream_bits = 0;
	bits(7, 3);
	bits(0, 64);
	EXPECT(decode_stream("") == INFLATE_CORRUPT);
}

static void
fixed(u32 symbol)
{
	if (symbol < 144)
		code(0x30 + symbol, 8);
	else if (symbol < 256)
		code(0x190 + symbol - 144, 9);
	else if (symbol < 280)
		code(symbol - 256, 7);
	else
		code(0xc0 + symbol - 280, 8);
}

static void
inflate_decodes_fixed_and_stored_blocks_made_by_hand(void)
{
	char zeroes[260];

	memset(zeroes, 'z', 259);
	zeroes[259] = '\0';
	/* length 258 both ways: symbol 285, and 284 with extra 31 */
	stream_bits = 0;
	bits(3, 3);
	fixed('z'), fixed(285), code(0, 5), fixed(256);
	EXPECT(decode_stream(zeroes) == INFLATE_OK);
	stream_bits = 0;
	bits(3, 3);
	fixed('z'), fixed(284), bits(31, 5), code(0, 5), fixed(256);
	EXPECT(decode_stream(zeroes) == INFLATE_OK);
	for (u32 symbol = 286; symbol < 288; symbol++) {
		stream_bits = 0;
		bits(3, 3);
		fixed('z'), fixed(symbol), bits(0, 64);
		EXPECT(decode_stream("") == INFLATE_CORRUPT);
	}
	for (u32 symbol = 30; symbol < 32; symbol++) {
		stream_bits = 0;
		bits(3, 3);
		fixed('z'), fixed(257), code(symbol, 5), bits(0, 64);
		EXPECT(decode_stream("") == INFLATE_CORRUPT);
	}
	/* stored behind fixed: starts at a byte; its length must match the complement */
	for (int wrong = 0; wrong < 2; wrong++) {
		stream_bits = 0;
		bits(2, 3);
		fixed('a'), fixed(256);
		bits(1, 3);
		bits(0, -(u32)stream_bits & 7);
		bits(2, 16), bits(0xfffd ^ (u32)wrong, 16);
		bits('b', 8), bits('c', 8);
		EXPECT(decode_stream("abc") == (wrong ? INFLATE_CORRUPT : INFLATE_OK));
	}
	/* stored of no bytes, then fixed */
	stream_bits = 0;
	bits(0, 8);
	bits(0, 16), bits(0xffff, 16);
	bits(3, 3);
	fixed('x'), fixed(256);
	EXPECT(decode_stream("x") == INFLATE_OK);
}

int
main(void)
{
	decoder = malloc(sizeof(*decoder));
	TEST(inflate_equals_zlib);
	TEST(inflate_says_truncated_for_every_prefix);
	TEST(inflate_finds_damage);
	TEST(inflate_survives_noise);
	TEST(inflate_stops_when_told);
	TEST(gzip_header_fields_are_skipped_and_checked);
	TEST(inflate_decodes_dynamic_blocks_made_by_hand);
	TEST(inflate_decodes_the_longest_codes);
	TEST(inflate_refuses_impossible_codes);
	TEST(inflate_decodes_fixed_and_stored_blocks_made_by_hand);
	for (size_t i = 0; i < vector_count; i++) {
		free(vectors[i].packed);
		free(vectors[i].data);
	}
	free(decoder);
	return test_done();
}
