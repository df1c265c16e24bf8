/* SPDX-License-Identifier: MIT */
/* SOURCES: fs/ext4/hash.c */
/* Hashes of names as e2fsprogs has them (debugfs: dx_hash). */
#include "../../fs/ext4/ext4_internal.h"
#include "test.h"

#define LONG "a_much_longer_name_that_needs_more_than_one_round_of_the_hash"

static const u32 no_seed[4];
/* The UUID 00112233-4455-6677-8899-aabbccddeeff as it lies on the disk. */
static const u32 seed[4] = { 0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc };

static const struct vector {
	u32 version;
	const u32 *seed;
	const char *name;
	u32 hash, minor;
} vectors[] = {
	{ DX_HASH_LEGACY, no_seed, "a", 0xe74b53e2, 0 },
	{ DX_HASH_LEGACY, no_seed, "hello_world", 0xf42d112e, 0 },
	{ DX_HASH_LEGACY, no_seed, LONG, 0x44961fa2, 0 },
	{ DX_HASH_HALF_MD4, no_seed, "a", 0xd5fa7d7a, 0xacb48187 },
	{ DX_HASH_HALF_MD4, no_seed, "hello_world", 0x657dfe96, 0x640376d8 },
	{ DX_HASH_HALF_MD4, no_seed, LONG, 0x090d8a86, 0x2109610c },
	{ DX_HASH_HALF_MD4, seed, "hello_world", 0xd8619ce8, 0xef88f250 },
	{ DX_HASH_TEA, no_seed, "a", 0x6d0ea4c0, 0xc18922df },
	{ DX_HASH_TEA, no_seed, "hello_world", 0x6cf0d90e, 0x5fc3632a },
	{ DX_HASH_TEA, no_seed, LONG, 0x87ddee3a, 0x8e295d0b },
};

static void
hashes_are_those_of_e2fsprogs(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct ext4_hash h = { .version = v->version, .seed = v->seed };

		EXPECT(!ext4_dirhash(v->name, strlen(v->name), &h));
		EXPECT(h.hash == v->hash && h.minor == v->minor);
	}
}

static void
unsigned_characters_differ_only_above_127(void)
{
	for (u32 version = DX_HASH_LEGACY; version <= DX_HASH_TEA; version++) {
		struct ext4_hash a = { .version = version, .seed = no_seed };
		struct ext4_hash b = { .version = version + 3, .seed = no_seed };

		EXPECT(!ext4_dirhash("plain", 5, &a) && !ext4_dirhash("plain", 5, &b));
		EXPECT(a.hash == b.hash);
		EXPECT(!ext4_dirhash("\xc3\xa4", 2, &a) && !ext4_dirhash("\xc3\xa4", 2, &b));
		EXPECT(a.hash != b.hash);
	}
}

static void
an_unknown_version_is_an_error(void)
{
	struct ext4_hash h = { .version = 6, .seed = no_seed };

	EXPECT(ext4_dirhash("x", 1, &h) == -EINVAL);
}

int
main(void)
{
	TEST(hashes_are_those_of_e2fsprogs);
	TEST(unsigned_characters_differ_only_above_127);
	TEST(an_unknown_version_is_an_error);
	return test_done();
}
