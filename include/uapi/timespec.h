/* SPDX-License-Identifier: MIT */
/*
 * The two time structures that most other headers need; everything else about time is in time.h.
 */
#ifndef UAPI_TIMESPEC_H
#define UAPI_TIMESPEC_H

#include "lib/types.h"

struct linux_timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

struct linux_timeval {
	s64 tv_sec;
	s64 tv_usec;
};

#endif /* UAPI_TIMESPEC_H */
