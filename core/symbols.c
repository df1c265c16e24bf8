/* SPDX-License-Identifier: MIT */
/* Names of kernel addresses, from the table that tools/gen-symbols puts into the image; backtraces.
 */
#include "core/panic.h"

#include "core/image.h"
#include "core/log.h"
#include "lib/format.h"

/* Weak: the first of the two links has no table yet. */
extern const u64 symbols_base __weak;
extern const u32 symbols_count __weak, symbols_offsets[] __weak, symbols_name_offsets[] __weak;
extern const char symbols_names[] __weak;

bool
symbol_find(uintptr_t addr, const char **name, size_t *offset)
{
	u32 low = 0, high;
	u64 relative;

	if (!&symbols_count || !symbols_count || addr < (uintptr_t)text_start ||
	    addr >= (uintptr_t)text_end)
		return false;
	relative = addr - symbols_base;
	high = symbols_count;
	if (relative < symbols_offsets[0])
		return false;
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (symbols_offsets[middle] <= relative)
			low = middle;
		else
			high = middle;
	}
	*name = symbols_names + symbols_name_offsets[low];
	*offset = relative - symbols_offsets[low];
	return true;
}

bool
symbol_at(u32 n, uintptr_t *addr, const char **name)
{
	if (!&symbols_count || n >= symbols_count)
		return false;
	*addr = symbols_base + symbols_offsets[n];
	*name = symbols_names + symbols_name_offsets[n];
	return true;
}

static void
backtrace_line(uintptr_t address)
{
	const char *name;
	size_t offset;

	/* A return address may lie behind the last instruction of its function. */
	if (symbol_find(address - 1, &name, &offset))
		log_emerg("  %016lx %s+0x%lx\n", address, name, offset + 1);
	else
		log_emerg("  %016lx\n", address);
}

/* Frames are linked through saved frame pointers, upwards within one kernel stack. */
u32
backtrace_take(uintptr_t frame_pointer, uintptr_t *addresses, u32 max)
{
	u32 depth = 0;

	while (depth < max) {
		const uintptr_t *frame = (const uintptr_t *)frame_pointer;

		if (frame_pointer < (1ul << 63) || frame_pointer & 7 || !frame[1])
			break;
		addresses[depth++] = frame[1];
		if (frame[0] <= frame_pointer || frame[0] - frame_pointer > 0x4000)
			break;
		frame_pointer = frame[0];
	}
	return depth;
}

void
backtrace_print(uintptr_t frame_pointer)
{
	uintptr_t addresses[32];
	u32 depth = backtrace_take(frame_pointer, addresses, ARRAY_SIZE(addresses));

	for (u32 i = 0; i < depth; i++)
		backtrace_line(addresses[i]);
}
