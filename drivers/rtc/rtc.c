/* SPDX-License-Identifier: MIT */
/*
 * /dev/rtc0: the battery clock, read and set in UTC, rtc(4). The machine's own clock was started
 * from it and runs on without it.
 *
 * Limits: no alarms and no periodic interrupts; those requests answer ENOTTY, as with hardware that
 * has none, and hwclock then polls.
 */
#include "drivers/rtc/rtc.h"

#include "arch/clock.h"
#include "core/panic.h"
#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "mm/user.h"
#include "sched/mutex.h"
#include "task/cred.h"
#include "uapi/capability.h"
#include "uapi/errno.h"
#include "uapi/rtc.h"
#include "uapi/stat.h"

#define RTC_MAJOR   252 /* of the dynamic ones */
#define DAY_SECONDS 86400
#define YEAR_MAX    2100

static struct mutex busy = MUTEX_INIT(busy, RANK_SLEEP_LEAF);

static bool
leap(s32 year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static s32
month_days(s32 year, s32 month)
{
	static const u8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month] + (month == 1 && leap(year));
}

static void
time_split(u64 seconds, struct linux_rtc_time *t)
{
	s32 days = (s32)(seconds / DAY_SECONDS), rest = (s32)(seconds % DAY_SECONDS);
	s32 year = 1970, month = 0;

	*t = (struct linux_rtc_time){ .tm_sec = rest % 60,
				      .tm_min = rest / 60 % 60,
				      .tm_hour = rest / 3600,
				      .tm_wday = (days + 4) % 7 };
	for (; days >= 365 + leap(year); year++)
		days -= 365 + leap(year);
	t->tm_yday = days;
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	t->tm_mday = days + 1;
	t->tm_mon = month;
	t->tm_year = year - 1900;
}

/* 0 or -EINVAL: no such date. */
static int
time_join(const struct linux_rtc_time *t, u64 *seconds)
{
	s32 year = t->tm_year + 1900;
	u64 days = 0;

	if (t->tm_year < 70 || year > YEAR_MAX || t->tm_mon < 0 || t->tm_mon > 11 ||
	    t->tm_mday < 1 || t->tm_mday > month_days(year, t->tm_mon) || t->tm_hour < 0 ||
	    t->tm_hour > 23 || t->tm_min < 0 || t->tm_min > 59 || t->tm_sec < 0 || t->tm_sec > 59)
		return -EINVAL;
	for (s32 y = 1970; y < year; y++)
		days += (u64)(365 + leap(y));
	for (s32 m = 0; m < t->tm_mon; m++)
		days += (u64)month_days(year, m);
	days += (u64)t->tm_mday - 1;
	*seconds = ((days * 24 + (u64)t->tm_hour) * 60 + (u64)t->tm_min) * 60 + (u64)t->tm_sec;
	return 0;
}

static long
rtc_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct linux_rtc_time t;
	u64 seconds;
	int r;

	switch (cmd) {
	case RTC_RD_TIME:
		mutex_lock(&busy);
		seconds = arch_rtc_read();
		mutex_unlock(&busy);
		if (!seconds)
			return -EINVAL;
		time_split(seconds, &t);
		return copy_to_user(user_ptr_of(arg), &t, sizeof(t));
	case RTC_SET_TIME:
		if (!capable(CAP_SYS_TIME))
			return -EACCES;
		r = copy_from_user(&t, user_ptr_of(arg), sizeof(t));
		if (!r)
			r = time_join(&t, &seconds);
		if (r)
			return r;
		mutex_lock(&busy);
		arch_rtc_write(seconds);
		mutex_unlock(&busy);
		return 0;
	}
	return -ENOTTY;
}

static const struct file_ops rtc_file_ops = { .ioctl = rtc_ioctl };

static struct device rtc_device = {
	.name = "rtc0",
	.class_name = "rtc",
	.dev = DEV_MAKE(RTC_MAJOR, 0),
	.mode = S_IFCHR | 0600,
	.ops = &rtc_file_ops,
};

void
rtc_device_init(void)
{
	/* A machine without one: no device. */
	if (arch_rtc_read() && device_add(&rtc_device))
		panic("rtc: device number taken");
}
