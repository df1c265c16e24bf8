/* SPDX-License-Identifier: MIT */
/*
 * clock_gettime(2), timer_create(2), setitimer(2), timerfd_create(2), adjtimex(2), times(2).
 */
#ifndef UAPI_TIME_H
#define UAPI_TIME_H

#include "lib/types.h"
#include "uapi/timespec.h"

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_BOOTTIME		 7
#define CLOCK_REALTIME_ALARM	 8
#define CLOCK_BOOTTIME_ALARM	 9
#define CLOCK_TAI		 11

#define TIMER_ABSTIME 0x01

/*
 * A negative clock id names a process, a thread or a device: the complement of its number, shifted
 * by three, over which clock it is and whether the number is a thread's.
 */
#define CPUCLOCK_PERTHREAD_MASK 4
#define CPUCLOCK_CLOCK_MASK	3
#define CPUCLOCK_PROF		0 /* user and system time */
#define CPUCLOCK_VIRT		1 /* user time */
#define CPUCLOCK_SCHED		2 /* what the scheduler counted */
#define CLOCKFD			3 /* an open device with a clock */

struct linux_itimerspec {
	struct linux_timespec it_interval;
	struct linux_timespec it_value;
};

struct linux_itimerval {
	struct linux_timeval it_interval;
	struct linux_timeval it_value;
};

struct linux_timezone {
	s32 tz_minuteswest;
	s32 tz_dsttime;
};

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

/* timerfd_create(2), timerfd_settime(2), timerfd's ioctl */
#define TFD_TIMER_ABSTIME	(1 << 0)
#define TFD_TIMER_CANCEL_ON_SET (1 << 1)
#define TFD_CLOEXEC		02000000
#define TFD_NONBLOCK		00004000
#define TFD_IOC_SET_TICKS	0x40085400

/* times(2), in clock ticks */
#define USER_HZ 100

struct linux_tms {
	s64 tms_utime;
	s64 tms_stime;
	s64 tms_cutime;
	s64 tms_cstime;
};

/* adjtimex(2) */
struct linux_timex {
	u32 modes;
	u32 pad0;
	s64 offset;
	s64 freq;
	s64 maxerror;
	s64 esterror;
	s32 status;
	u32 pad1;
	s64 constant;
	s64 precision;
	s64 tolerance;
	struct linux_timeval time;
	s64 tick;
	s64 ppsfreq;
	s64 jitter;
	s32 shift;
	u32 pad2;
	s64 stabil;
	s64 jitcnt;
	s64 calcnt;
	s64 errcnt;
	s64 stbcnt;
	s32 tai;
	u32 reserved[11];
};

#define ADJ_OFFSET	      0x0001
#define ADJ_FREQUENCY	      0x0002
#define ADJ_MAXERROR	      0x0004
#define ADJ_ESTERROR	      0x0008
#define ADJ_STATUS	      0x0010
#define ADJ_TIMECONST	      0x0020
#define ADJ_TAI		      0x0080
#define ADJ_SETOFFSET	      0x0100
#define ADJ_MICRO	      0x1000
#define ADJ_NANO	      0x2000
#define ADJ_TICK	      0x4000
#define ADJ_OFFSET_SINGLESHOT 0x8001
#define ADJ_OFFSET_SS_READ    0xa001

#define STA_PLL	      0x0001
#define STA_PPSFREQ   0x0002
#define STA_PPSTIME   0x0004
#define STA_FLL	      0x0008
#define STA_INS	      0x0010
#define STA_DEL	      0x0020
#define STA_UNSYNC    0x0040
#define STA_FREQHOLD  0x0080
#define STA_PPSSIGNAL 0x0100
#define STA_PPSJITTER 0x0200
#define STA_PPSWANDER 0x0400
#define STA_PPSERROR  0x0800
#define STA_CLOCKERR  0x1000
#define STA_NANO      0x2000
#define STA_MODE      0x4000
#define STA_CLK	      0x8000

/* results of adjtimex(2) */
#define TIME_OK	   0
#define TIME_INS   1
#define TIME_DEL   2
#define TIME_OOP   3
#define TIME_WAIT  4
#define TIME_ERROR 5

#endif /* UAPI_TIME_H */
