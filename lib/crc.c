/* SPDX-License-Identifier: MIT */
/*
 * Cyclic redundancy checks.
 *
 * Slicing by eight: table k says what a byte does to the register after 8 * k more zero bits, so
 * eight bytes are eight independent look-ups. The tables are made by the compiler. Look-up is
 * linear: the entry of a byte is the exclusive or of the entries of its bits; and the entry of bit
 * 7 in table 0 is the polynomial itself, that of each lower bit one more step of the register, and
 * so on into the next table. CHAIN names these 8 constants of a table, P_k0 to P_k7.
 */
#include "lib/crc.h"
#include "lib/string.h"

#define STEP(P, c) (((c) >> 1) ^ ((c) & 1 ? P##_POLYNOMIAL : 0))
#define CHAIN(P, k, before)                                                                       \
	P##_##k##0 = (before), P##_##k##1 = STEP(P, P##_##k##0),                                  \
	P##_##k##2 = STEP(P, P##_##k##1), P##_##k##3 = STEP(P, P##_##k##2),                       \
	P##_##k##4 = STEP(P, P##_##k##3), P##_##k##5 = STEP(P, P##_##k##4),                       \
	P##_##k##6 = STEP(P, P##_##k##5), P##_##k##7 = STEP(P, P##_##k##6)

#define ENTRY(P, k, n)                                                                            \
	(((n) & 128 ? P##_##k##0 : 0) ^ ((n) & 64 ? P##_##k##1 : 0) ^                             \
	 ((n) & 32 ? P##_##k##2 : 0) ^ ((n) & 16 ? P##_##k##3 : 0) ^                              \
	 ((n) & 8 ? P##_##k##4 : 0) ^ ((n) & 4 ? P##_##k##5 : 0) ^                                \
	 ((n) & 2 ? P##_##k##6 : 0) ^ ((n) & 1 ? P##_##k##7 : 0))
#define ENTRIES_4(P, k, n)                                                                        \
	ENTRY(P, k, n), ENTRY(P, k, (n) + 1), ENTRY(P, k, (n) + 2), ENTRY(P, k, (n) + 3)
#define ENTRIES_16(P, k, n)                                                                       \
	ENTRIES_4(P, k, n), ENTRIES_4(P, k, (n) + 4), ENTRIES_4(P, k, (n) + 8),                   \
	ENTRIES_4(P, k, (n) + 12)
#define ENTRIES_64(P, k, n)                                                                       \
	ENTRIES_16(P, k, n), ENTRIES_16(P, k, (n) + 16), ENTRIES_16(P, k, (n) + 32),              \
	ENTRIES_16(P, k, (n) + 48)
#define TABLE(P, k)                                                                               \
	{                                                                                         \
		ENTRIES_64(P, k, 0), ENTRIES_64(P, k, 64), ENTRIES_64(P, k, 128),                 \
		ENTRIES_64(P, k, 192)                                                             \
	}
#define TABLES(P)                                                                                 \
	{                                                                                         \
		TABLE(P, 0), TABLE(P, 1), TABLE(P, 2), TABLE(P, 3), TABLE(P, 4), TABLE(P, 5),     \
		TABLE(P, 6), TABLE(P, 7)                                                          \
	}

/* The polynomials with the highest power in bit 0. */
#define CRC32_POLYNOMIAL 0xedb88320U
#define CRC32C_POLYNOMIAL 0x82f63b78U
#define CRC16_POLYNOMIAL 0xa001U

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

static __always_inline u32
crc_slices(const u32 (*t)[256], u32 crc, const u8 *p, size_t size)
{
	for (; size >= 8; size -= 8, p += 8) {
		u64 word;

		memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		word ^= crc;
		crc = t[7][(u8)word] ^ t[6][(u8)(word >> 8)];
		word >>= 16;
		crc ^= t[5][(u8)word] ^ t[4][(u8)(word >> 8)];
		word >>= 16;
		crc ^= t[3][(u8)word] ^ t[2][(u8)(word >> 8)];
		word >>= 16;
		crc ^= t[1][(u8)word] ^ t[0][word >> 8];
	}
	for (; size; size--)
		crc = crc >> 8 ^ t[0][(u8)(crc ^ *p++)];
	return crc;
}

u32
crc32(u32 crc, const void *data, size_t size)
{
	return ~crc_slices(crc32_tables, ~crc, data, size);
}

u32
crc32c(u32 state, const void *data, size_t size)
{
	return crc_slices(crc32c_tables, state, data, size);
}

u16
crc16(u16 state, const void *data, size_t size)
{
	const u8 *p = data;

	for (; size; size--)
		state = (u16)(state >> 8 ^ crc16_table[(u8)(state ^ *p++)]);
	return state;
}
