/* SPDX-License-Identifier: MIT */
/* Clock hardware. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H
#include "lib/types.h"

/* Free-running counter chosen at boot (TSC when usable, else HPET/PIT/ACPI PM timer): value and how
 * it scales to ns: ns = (count * mult) >> shift, safe for deltas below 2^32 counts * ...
 * (core/time.c accumulates at least once a second). */
struct arch_clock {
	const char *name; /* "tsc", "hpet" ... shown in /sys/devices/system/clocksource */
	u64 (*read)(void);
	u32 mult, shift;
	u64 hz;
	u64 start; /* its reading when the kernel began, as near as is known: CLOCK_MONOTONIC's zero
		    */
	bool vdso; /* readable from user mode (TSC) */
	u32 rating;
};
extern const struct arch_clock *arch_clock;
void arch_clock_init(void);

/* This CPU's event timer, one shot, at an absolute CLOCK_MONOTONIC time (TSC-deadline or local APIC
 * count). */
void arch_timer_set(u64 mono_ns);
void arch_timer_init_cpu(void);
/* Battery clock: seconds since 1970 UTC, or 0. */
u64 arch_rtc_read(void);
/* Set it; 1970 to 2199. Neither of the two may run twice at a time. */
void arch_rtc_write(u64 seconds);
#endif
