/* SPDX-License-Identifier: MIT */
/* Clocks as system calls name them, and time values from and to user space. */
#ifndef TASK_CLOCK_H
#define TASK_CLOCK_H

#include "core/time.h"
#include "lib/types.h"
#include "lib/user_ptr.h"
#include "uapi/timespec.h"

struct task;

/* A struct timespec of user space as nanoseconds: 0, -EFAULT, -EINVAL (negative, or nanoseconds out
 * of range). Saturates in the year 2262. */
int timespec_read_user(user_ptr from, u64 *ns);
int timespec_write_user(user_ptr to, u64 ns);
int timespec_to_ns(const struct linux_timespec *ts, u64 *ns);
struct linux_timespec timespec_of_ns(u64 ns);
int timeval_to_ns(const struct linux_timeval *tv, u64 *ns);
struct linux_timeval timeval_of_ns(u64 ns);

/* The clocks that tell the time of day or of the machine: current value, or -EINVAL for any other
 * id. */
int clock_read(int clock, u64 *ns);
/* What to add to CLOCK_MONOTONIC to get the clock; changes when CLOCK_REALTIME or the TAI offset is
 * set. */
s64 clock_offset_ns(int clock);
/* The time on CLOCK_MONOTONIC at which such a clock will show `ns`, as things are now. */
u64 clock_to_mono(int clock, u64 ns);

/*
 * Sleep until a time on a clock, whatever happens to that clock meanwhile. 0, or -EINTR for a
 * signal. The clock is one that clock_read knows.
 */
int clock_sleep_until(int clock, u64 ns);

#endif
