/* SPDX-License-Identifier: MIT */
/*
 * The instruction that SSE 4.2 has for CRC-32C: eight bytes at a time through a general register,
 * so that nothing of a program's state is touched.
 */
#include "x86.h"

#include "lib/crc.h"
#include "lib/string.h"

static u32
crc32c_instruction(u32 state, const void *data, size_t size)
{
	const u8 *p = data;
	u64 crc = state;

	for (; size >= 8; size -= 8, p += 8)
		__asm__("crc32q %1, %0" : "+r"(crc) : "m"(*(const u64 *)p));
	for (; size; size--, p++)
		__asm__("crc32b %1, %k0" : "+r"(crc) : "m"(*p));
	return (u32)crc;
}

void
crc_detect(void)
{
	if (cpu_has(CPU_SSE42))
		crc32c_use(crc32c_instruction);
}
