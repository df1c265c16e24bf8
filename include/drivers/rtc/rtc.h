/* SPDX-License-Identifier: MIT */
/* /dev/rtc0, the battery clock: rtc(4). */
#ifndef DRIVERS_RTC_RTC_H
#define DRIVERS_RTC_RTC_H

void rtc_device_init(void); /* boot, after vfs_init */

#endif
