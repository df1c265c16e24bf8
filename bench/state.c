/* SPDX-License-Identifier: MIT */
/* Rows of the machine's state when the first program runs: what the boot took of time and of
 * memory. */
#include "bench.h"

#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/*
 * Ticks of the time stamp counter since the machine was switched on. Under icount they are
 * nanoseconds of the guest's time: its instructions, firmware and loader included, and what it
 * slept; elsewhere the tool takes the time itself.
 */
static void
run_boot_to_init(struct bench *bench)
{
	static uint64_t now;

	if (now == 0)
		now = __builtin_ia32_rdtsc();
	bench->unit = "ticks";
	bench->count = 1;
	bench->amount = now;
}

static void
run_memory_free(struct bench *bench)
{
	struct sysinfo info;

	must(sysinfo(&info), "sysinfo");
	bench->unit = "KiB";
	bench->count = 1;
	bench->amount = (info.freeram * (uint64_t)info.mem_unit) >> 10;
}

const struct row state_rows[] = {
	{ "boot_to_init", run_boot_to_init, 1 },
	{ "memory_free", run_memory_free, 1 },
	{ 0 },
};
