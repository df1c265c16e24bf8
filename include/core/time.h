/* SPDX-License-Identifier: MIT */
/*
 * Time keeping: the best clock source (arch_clock_*), scaled to nanoseconds, published to readers
 * and to the vDSO page by a seqcount. All values are nanoseconds in u64 unless a name says
 * otherwise.
 */
#ifndef CORE_TIME_H
#define CORE_TIME_H

#include "lib/types.h"

#define NSEC_PER_SEC  1000000000ul
#define NSEC_PER_MSEC 1000000ul
#define NSEC_PER_USEC 1000ul
#define TIME_NEVER    (~0ul)
#define USER_HZ	      100

u64 time_mono_ns(void); /* CLOCK_MONOTONIC; never steps */
u64 time_log_ns(
	void); /* the same for the log: never waits for a writer, so it may be called anywhere */
u64 time_boot_ns(void);	       /* CLOCK_BOOTTIME */
u64 time_real_ns(void);	       /* CLOCK_REALTIME, since 1970 */
u64 time_coarse_mono_ns(void); /* as of the last tick: file times and the like, no clock read */
u64 time_coarse_real_ns(void);
/* Step CLOCK_REALTIME (settimeofday, RTC at boot); wakes TFD_TIMER_CANCEL_ON_SET users. */
void time_set_real_ns(u64 ns);
/* Offset real = mono + this; changes with each step. */
s64 time_real_offset_ns(void);
/* Called (with no lock held) after each step. Registered by event/timerfd.c and others; list is
 * static. */
struct time_step_hook {
	void (*stepped)(void);
	struct time_step_hook *next;
};
void time_add_step_hook(struct time_step_hook *hook);

void time_init(void); /* early: clock source chosen, RTC read */
void time_tick(void); /* CPU that keeps time: refresh coarse clocks and the vDSO page */
void udelay(u32 us);  /* busy wait, for drivers only */

#endif
