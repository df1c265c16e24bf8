/* SPDX-License-Identifier: MIT */
/*
 * rtc(4).
 */
#ifndef UAPI_RTC_H
#define UAPI_RTC_H

#include "lib/types.h"

struct linux_rtc_time {
	s32 tm_sec;
	s32 tm_min;
	s32 tm_hour;
	s32 tm_mday;
	s32 tm_mon;  /* January is 0 */
	s32 tm_year; /* since 1900 */
	s32 tm_wday;
	s32 tm_yday;
	s32 tm_isdst;
};

#define RTC_RD_TIME  0x80247009u
#define RTC_SET_TIME 0x4024700au

#endif /* UAPI_RTC_H */
