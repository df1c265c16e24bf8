/* SOURCES: lib/crc.c lib/hash.c lib/chacha20.c lib/sha256.c lib/string.c */
/* SPDX-License-Identifier: MIT */
/*
 * Checksums, hashes and ciphers: published vectors, bitwise models, and any split of the input.
 */
#include "lib/chacha20.h"
#include "lib/crc.h"
#include "lib/hash.h"
#include "lib/sha256.h"
#include "lib/string.h"
#include "test.h"
#include <string.h>

static u8 data[16384];

static void
fill_data(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)test_random();
}

static u32
crc_bitwise(u32 polynomial, u32 state, const u8 *p, size_t size)
{
	while (size--) {
		state ^= *p++;
		for (int i = 0; i < 8; i++)
			state = state >> 1 ^ (state & 1 ? polynomial : 0);
	}
	return state;
}

static void
crcs_have_their_check_values(void)
{
	EXPECT(crc32(0, "123456789", 9) == 0xcbf43926);
	EXPECT(~crc32c(~0U, "123456789", 9) == 0xe3069283);
	EXPECT(crc16(0, "123456789", 9) == 0xbb3d);
	EXPECT(crc16(0xffff, "123456789", 9) == 0x4b37);
	EXPECT(crc32(0, NULL, 0) == 0);
}

static void
crcs_equal_the_bitwise_model(void)
{
	fill_data();
	for (int step = 0; step < 3000; step++) {
		size_t start = test_random_below(64),
		       size = test_random_below(sizeof(data) - start);
		size_t split;
		u32 state = (u32)test_random();
		const u8 *p = data + start;

		if (step % 8)
			size %= 64;
		split = test_random_below(size + 1);
		EXPECT(crc32(state, p, size) == ~crc_bitwise(0xedb88320, ~state, p, size));
		EXPECT(crc32c(state, p, size) == crc_bitwise(0x82f63b78, state, p, size));
		EXPECT(crc16((u16)state, p, size) == crc_bitwise(0xa001, (u16)state, p, size));
		EXPECT(crc32(state, p, size) ==
		       crc32(crc32(state, p, split), p + split, size - split));
		EXPECT(crc32c(state, p, size) ==
		       crc32c(crc32c(state, p, split), p + split, size - split));
	}
}

static bool
digest_is(const u8 *digest, const char *hex)
{
	char text[2 * SHA256_SIZE + 1];

	for (int i = 0; i < SHA256_SIZE; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return strcmp(text, hex) == 0;
}

/* FIPS 180-4 examples. */
static void
sha256_has_its_published_digests(void)
{
	struct sha256 s;
	u8 digest[SHA256_SIZE];

	sha256_init(&s);
	sha256_final(&s, digest);
	EXPECT(digest_is(digest,
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	sha256_init(&s);
	sha256_update(&s, "abc", 3);
	sha256_final(&s, digest);
	EXPECT(digest_is(digest,
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	sha256_init(&s);
	sha256_update(&s, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
	sha256_final(&s, digest);
	EXPECT(digest_is(digest,
			 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
	sha256_init(&s);
	for (int i = 0; i < 10000; i++)
		sha256_update(&s,
			      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			      100);
	sha256_final(&s, digest);
	EXPECT(digest_is(digest,
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

static void
sha256_does_not_see_how_the_input_is_split(void)
{
	fill_data();
	for (int step = 0; step < 500; step++) {
		size_t size = test_random_below(400), at = 0;
		u8 whole[SHA256_SIZE], parts[SHA256_SIZE];
		struct sha256 s;

		sha256_init(&s);
		sha256_update(&s, data, size);
		sha256_final(&s, whole);
		sha256_init(&s);
		while (at < size) {
			size_t part = 1 + test_random_below(size - at);

			sha256_update(&s, data + at, part);
			at += part;
		}
		sha256_final(&s, parts);
		EXPECT(memcmp(whole, parts, SHA256_SIZE) == 0);
	}
}

/* The reference implementation's vectors: key 00..0f, input 00..n-1. */
static void
siphash_has_its_published_values(void)
{
	static const u64 expected[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
		0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
	};
	struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	u8 input[16];
	u64 words[2];

	for (u8 i = 0; i < 16; i++)
		input[i] = i;
	for (size_t size = 0; size < ARRAY_SIZE(expected); size++)
		EXPECT(siphash24(&key, input, size) == expected[size]);
	EXPECT(siphash24(&key, input, 15) == 0xa129ca6149be45e5);
	memcpy(words, input, 16);
	EXPECT(siphash24_words(&key, words, 2) == siphash24(&key, input, 16));
}

/* RFC 8439, 2.3.2 and 2.4.2. */
static void
chacha20_has_its_published_blocks(void)
{
	static const u8 nonce[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a },
			nonce2[12] = { 0, 0, 0, 0, 0, 0, 0, 0x4a };
	static const u8 block[64] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
		0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
		0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
		0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
		0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	static const u8 cipher[16] = {
		0x6e, 0x2e, 0x35, 0x9a, 0x25, 0x68, 0xf9, 0x80,
		0x41, 0xba, 0x07, 0x28, 0xdd, 0x0d, 0x69, 0x81,
	};
	static const char plain[] = "Ladies and Gentl";
	u8 key[32], out[64], stream[150];
	struct chacha20 c;

	for (u8 i = 0; i < 32; i++)
		key[i] = i;
	chacha20_init(&c, key, nonce, 1);
	chacha20_block(&c, out);
	EXPECT(memcmp(out, block, 64) == 0);
	EXPECT(c.state[12] == 2);
	chacha20_init(&c, key, nonce2, 1);
	chacha20_block(&c, out);
	for (int i = 0; i < 16; i++)
		EXPECT((plain[i] ^ out[i]) == cipher[i]);
	chacha20_init(&c, key, nonce, 1);
	chacha20_stream(&c, stream, sizeof(stream));
	EXPECT(memcmp(stream, block, 64) == 0 && c.state[12] == 4);
	chacha20_init(&c, key, nonce, 3);
	chacha20_block(&c, out);
	EXPECT(memcmp(stream + 128, out, 22) == 0);
	chacha20_init(&c, key, nonce, ~0U);
	chacha20_block(&c, out);
	EXPECT(c.state[12] == 0 && c.state[13] == 0x09000001);
}

/* Each bit of the input changes about half of the bits of the hash. */
static void
hash_bytes_spreads_every_bit(void)
{
	fill_data();
	for (size_t size = 1; size < 40; size++) {
		u64 hash = hash_bytes(data, size, 1);

		EXPECT(hash == hash_bytes(data, size, 1) && hash != hash_bytes(data, size, 2));
		EXPECT(hash != hash_bytes(data, size - 1, 1));
		for (size_t bit = 0; bit < size * 8; bit++) {
			int changed;

			data[bit / 8] ^= (u8)(1 << bit % 8);
			changed = __builtin_popcountl(hash ^ hash_bytes(data, size, 1));
			data[bit / 8] ^= (u8)(1 << bit % 8);
			EXPECT(changed > 8 && changed < 56);
		}
	}
}

/* Pointers and small numbers, which have few different bits, fill a table evenly. */
static void
hash_u64_spreads_neighbours(void)
{
	unsigned int slots[1024] = { 0 }, texts[1024] = { 0 }, most = 0;

	for (u64 i = 0; i < 4096; i++) {
		char text[16];
		int length = sprintf(text, "file%lu", i);

		slots[hash_u64(0xffff888000000000UL + i * 192, 10)]++;
		texts[hash_bytes(text, (size_t)length, 0) & 1023]++;
	}
	for (int i = 0; i < 1024; i++)
		most = MAX(most, MAX(slots[i], texts[i]));
	EXPECT(most < 20);
}

int
main(void)
{
	TEST(crcs_have_their_check_values);
	TEST(crcs_equal_the_bitwise_model);
	TEST(sha256_has_its_published_digests);
	TEST(sha256_does_not_see_how_the_input_is_split);
	TEST(siphash_has_its_published_values);
	TEST(chacha20_has_its_published_blocks);
	TEST(hash_bytes_spreads_every_bit);
	TEST(hash_u64_spreads_neighbours);
	return test_done();
}
