/* SPDX-License-Identifier: MIT */
/*
 * Cyclic redundancy checks: table-driven, and folded without tables where data is long.
 *
 * crc32 is zlib's: start with 0, feed the result back in to go on. crc32c and crc16 are the bare
 * registers that ext4 chains through its seeds: start with what the format says (~0 mostly), no
 * final inversion.
 */
#ifndef LIB_CRC_H
#define LIB_CRC_H

#include "lib/types.h"

u32 crc32(u32 crc, const void *data, size_t size);
u32 crc32c(u32 state, const void *data, size_t size);
u16 crc16(u16 state, const void *data, size_t size);

/* From now on crc32c is this function of the architecture: once, before other CPUs run. */
void crc32c_use(u32 (*function)(u32 state, const void *data, size_t size));

#endif
