/* SPDX-License-Identifier: MIT */
/*
 * Cyclic redundancy checks.
 *
 * Slicing by eight: table k says what a byte does to the register after 8 * k more zero bits, so
 * eight bytes are eight independent look-ups. The tables are made by the compiler. Look-up is
 * linear: the entry of a byte is the exclusive or of the entries of its bits; and the entry of bit
 * 7 in table 0 is the polynomial itself, that of each lower bit one more step of the register, and
 * so on into the next table. CHAIN names these 8 constants of a table, P_k0 to P_k7.
 *
 * Long data is folded first, without tables. The data is a polynomial whose coefficients are words
 * of 64 bits, in y = x^64; and the polynomial has a multiple with few terms that are powers of y,
 *
 *	y^a + y^b + ... + 1 = 0,	so	y^a = y^b + ... + 1
 *
 * (found by search: with eight terms a is about 100). So the first word is taken away and
 * added instead to a few later words, at lags a - b, ..., and a; then the second word; and so on
 * until only the last a words are not zero. That costs an exclusive or for each lag and word, and
 * no look-ups. The register, which stands for what came before, is added to the first word.
 */
#include "lib/crc.h"
#include "lib/string.h"

#define STEP(P, c) (((c) >> 1) ^ ((c)&1 ? P##_POLYNOMIAL : 0))
#define CHAIN(P, k, before)                                                                        \
	P##_##k##0 = (before), P##_##k##1 = STEP(P, P##_##k##0), P##_##k##2 = STEP(P, P##_##k##1), \
	P##_##k##3 = STEP(P, P##_##k##2), P##_##k##4 = STEP(P, P##_##k##3),                        \
	P##_##k##5 = STEP(P, P##_##k##4), P##_##k##6 = STEP(P, P##_##k##5),                        \
	P##_##k##7 = STEP(P, P##_##k##6)

#define ENTRY(P, k, n)                                                                        \
	(((n)&128 ? P##_##k##0 : 0) ^ ((n)&64 ? P##_##k##1 : 0) ^ ((n)&32 ? P##_##k##2 : 0) ^ \
	 ((n)&16 ? P##_##k##3 : 0) ^ ((n)&8 ? P##_##k##4 : 0) ^ ((n)&4 ? P##_##k##5 : 0) ^    \
	 ((n)&2 ? P##_##k##6 : 0) ^ ((n)&1 ? P##_##k##7 : 0))
#define ENTRIES_4(P, k, n) \
	ENTRY(P, k, n), ENTRY(P, k, (n) + 1), ENTRY(P, k, (n) + 2), ENTRY(P, k, (n) + 3)
#define ENTRIES_16(P, k, n)                                                     \
	ENTRIES_4(P, k, n), ENTRIES_4(P, k, (n) + 4), ENTRIES_4(P, k, (n) + 8), \
		ENTRIES_4(P, k, (n) + 12)
#define ENTRIES_64(P, k, n)                                                          \
	ENTRIES_16(P, k, n), ENTRIES_16(P, k, (n) + 16), ENTRIES_16(P, k, (n) + 32), \
		ENTRIES_16(P, k, (n) + 48)
#define TABLE(P, k)                                                               \
	{                                                                         \
		ENTRIES_64(P, k, 0), ENTRIES_64(P, k, 64), ENTRIES_64(P, k, 128), \
			ENTRIES_64(P, k, 192)                                     \
	}
#define TABLES(P)                                                                             \
	{                                                                                     \
		TABLE(P, 0), TABLE(P, 1), TABLE(P, 2), TABLE(P, 3), TABLE(P, 4), TABLE(P, 5), \
			TABLE(P, 6), TABLE(P, 7)                                              \
	}

/* The polynomials with the highest power in bit 0. */
#define CRC32_POLYNOMIAL  0xedb88320U
#define CRC32C_POLYNOMIAL 0x82f63b78U
#define CRC16_POLYNOMIAL  0xa001U

enum {
	CHAIN(CRC32, 0, CRC32_POLYNOMIAL),
	CHAIN(CRC32, 1, STEP(CRC32, CRC32_07)),
	CHAIN(CRC32, 2, STEP(CRC32, CRC32_17)),
	CHAIN(CRC32, 3, STEP(CRC32, CRC32_27)),
	CHAIN(CRC32, 4, STEP(CRC32, CRC32_37)),
	CHAIN(CRC32, 5, STEP(CRC32, CRC32_47)),
	CHAIN(CRC32, 6, STEP(CRC32, CRC32_57)),
	CHAIN(CRC32, 7, STEP(CRC32, CRC32_67)),
};

enum {
	CHAIN(CRC32C, 0, CRC32C_POLYNOMIAL),
	CHAIN(CRC32C, 1, STEP(CRC32C, CRC32C_07)),
	CHAIN(CRC32C, 2, STEP(CRC32C, CRC32C_17)),
	CHAIN(CRC32C, 3, STEP(CRC32C, CRC32C_27)),
	CHAIN(CRC32C, 4, STEP(CRC32C, CRC32C_37)),
	CHAIN(CRC32C, 5, STEP(CRC32C, CRC32C_47)),
	CHAIN(CRC32C, 6, STEP(CRC32C, CRC32C_57)),
	CHAIN(CRC32C, 7, STEP(CRC32C, CRC32C_67)),
};

enum {
	CHAIN(CRC16, 0, CRC16_POLYNOMIAL),
};

static const u32 crc32_tables[8][256] = TABLES(CRC32);
static const u32 crc32c_tables[8][256] = TABLES(CRC32C);
static const u16 crc16_table[256] = TABLE(CRC16, 0);

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

/* Eight bytes go through the register, which has been added to them. */
static __always_inline u32
crc_word(const u32 (*t)[256], u64 word)
{
	u32 crc = t[7][(u8)word] ^ t[6][(u8)(word >> 8)];

	word >>= 16;
	crc ^= t[5][(u8)word] ^ t[4][(u8)(word >> 8)];
	word >>= 16;
	crc ^= t[3][(u8)word] ^ t[2][(u8)(word >> 8)];
	word >>= 16;
	return crc ^ t[1][(u8)word] ^ t[0][word >> 8];
}

/* Ascending; the last is a. All are at least 4, so that four words in a row are independent. */
struct lags {
	u8 lag[7];
};

#define LAG_MAX 105
#define CHUNK	128 /* words that are folded before the history moves to the front */

/* What earlier words add to the word at w. */
static __always_inline u64
lagging(const u64 *w, struct lags lags)
{
	return w[-lags.lag[0]] ^ w[-lags.lag[1]] ^ w[-lags.lag[2]] ^ w[-lags.lag[3]] ^
	       w[-lags.lag[4]] ^ w[-lags.lag[5]] ^ w[-lags.lag[6]];
}

/* At least a words. The words taken away are remembered as long as they have effects. */
static __always_inline u32
crc_fold(const u32 (*t)[256], struct lags lags, u32 crc, const u8 *p, size_t words)
{
	const size_t a = lags.lag[6];
	u64 taken[LAG_MAX + CHUNK], *const w = taken + a;
	size_t n;

	memset(taken, 0, a * 8);
	taken[0] = crc; /* reaches the first word, at lag a */
	crc = 0;
	for (; words > a; words -= n) {
		n = MIN(words - a, (size_t)CHUNK);
#pragma GCC unroll 4
		for (size_t i = 0; i < n; i++, p += 8)
			w[i] = load_le64(p) ^ lagging(w + i, lags);
		memmove(taken, taken + n, a * 8);
	}
	/* The last words stay: they have no effects on later ones, but go through the tables. */
	for (; words; words -= n) {
		n = MIN(words, (size_t)CHUNK);
		memset(w, 0, n * 8);
		for (size_t i = 0; i < n; i++, p += 8)
			crc = crc_word(t, load_le64(p) ^ lagging(w + i, lags) ^ crc);
		memmove(taken, taken + n, a * 8);
	}
	return crc;
}

static __always_inline u32
crc_bytes(const u32 (*t)[256], struct lags lags, u32 crc, const u8 *p, size_t size)
{
	if (size >= 4 * 8 * LAG_MAX) {
		crc = crc_fold(t, lags, crc, p, size / 8);
		p += size & ~7UL;
		size &= 7;
	}
	for (; size >= 8; size -= 8, p += 8)
		crc = crc_word(t, load_le64(p) ^ crc);
	for (; size; size--)
		crc = crc >> 8 ^ t[0][(u8)(crc ^ *p++)];
	return crc;
}

u32
crc32(u32 crc, const void *data, size_t size)
{
	/* y^105 + y^91 + y^83 + y^75 + y^53 + y^30 + y^7 + 1 */
	const struct lags lags = { { 14, 22, 30, 52, 75, 98, 105 } };

	return ~crc_bytes(crc32_tables, lags, ~crc, data, size);
}

static u32
crc32c_by_tables(u32 state, const void *data, size_t size)
{
	/* y^79 + y^75 + y^71 + y^58 + y^18 + y^12 + y^1 + 1 */
	const struct lags lags = { { 4, 8, 21, 61, 67, 78, 79 } };

	return crc_bytes(crc32c_tables, lags, state, data, size);
}

static u32 (*crc32c_function)(u32 state, const void *data, size_t size) = crc32c_by_tables;

void
crc32c_use(u32 (*function)(u32 state, const void *data, size_t size))
{
	crc32c_function = function;
}

u32
crc32c(u32 state, const void *data, size_t size)
{
	return crc32c_function(state, data, size);
}

u16
crc16(u16 state, const void *data, size_t size)
{
	const u8 *p = data;

	for (; size; size--)
		state = (u16)(state >> 8 ^ crc16_table[(u8)(state ^ *p++)]);
	return state;
}
