/* SPDX-License-Identifier: MIT */
/* /dev/rtc0, rtc(4): reading and setting the battery clock. Machines without one have no device. */
#include "../tap.h"

#include <linux/rtc.h>
#include <sys/ioctl.h>

static long long
seconds_of(const struct rtc_time *t)
{
	struct tm tm = { .tm_sec = t->tm_sec,
			 .tm_min = t->tm_min,
			 .tm_hour = t->tm_hour,
			 .tm_mday = t->tm_mday,
			 .tm_mon = t->tm_mon,
			 .tm_year = t->tm_year };

	return (long long)timegm(&tm);
}

static void
check_set(int fd, int year, int month, int day, int hour)
{
	struct rtc_time t = { .tm_year = year - 1900,
			      .tm_mon = month - 1,
			      .tm_mday = day,
			      .tm_hour = hour,
			      .tm_min = 59,
			      .tm_sec = 30 };
	struct rtc_time got;
	long long want = seconds_of(&t);

	sys_ok(ioctl(fd, RTC_SET_TIME, &t), "set to %d-%d-%d", year, month, day);
	sys_ok(ioctl(fd, RTC_RD_TIME, &got), "and read");
	long long late = seconds_of(&got) - want;
	ok(late >= 0 && late < 20, "%d-%d-%d came back", year, month, day);
}

int
main(void)
{
	int fd = open("/dev/rtc0", O_RDONLY);
	struct rtc_time now, bad;

	if (fd < 0) {
		is_int(errno, ENOENT, "no clock, no device");
		return done();
	}
	sys_ok(ioctl(fd, RTC_RD_TIME, &now), "RTC_RD_TIME");
	ok(llabs(seconds_of(&now) - (long long)time(NULL)) < 60, "agrees with the machine's clock");
	sys_err(ioctl(fd, RTC_RD_TIME, (void *)8), EFAULT, "a bad address");
	sys_err(ioctl(fd, 0x7099, 0), ENOTTY, "an unknown request");
	bad = now;
	bad.tm_mon = 12;
	sys_err(ioctl(fd, RTC_SET_TIME, &bad), EINVAL, "a thirteenth month");
	bad.tm_mon = 1;
	bad.tm_mday = 30;
	sys_err(ioctl(fd, RTC_SET_TIME, &bad), EINVAL, "the 30th of February");
	check_set(fd, 2024, 2, 29, 23);
	check_set(fd, 2026, 12, 31, 12);
	check_set(fd, 2038, 3, 1, 0);
	sys_ok(ioctl(fd, RTC_SET_TIME, &now), "set back");
	close(fd);
	return done();
}
