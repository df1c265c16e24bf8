/* SPDX-License-Identifier: MIT */
/*
 * sysinfo(2), uname(2), syslog(2), getcpu(2).
 */
#ifndef UAPI_SYSINFO_H
#define UAPI_SYSINFO_H

#include "lib/types.h"

#define SI_LOAD_SHIFT 16

struct linux_sysinfo {
	s64 uptime;
	u64 loads[3]; /* fixed point, SI_LOAD_SHIFT bits of fraction */
	u64 totalram;
	u64 freeram;
	u64 sharedram;
	u64 bufferram;
	u64 totalswap;
	u64 freeswap;
	u16 procs;
	u16 pad;
	u32 pad2;
	u64 totalhigh;
	u64 freehigh;
	u32 mem_unit;
	u32 pad3;
};

#define __NEW_UTS_LEN 64

struct linux_utsname {
	char sysname[65];
	char nodename[65];
	char release[65];
	char version[65];
	char machine[65];
	char domainname[65];
};

/* syslog(2) */
#define SYSLOG_ACTION_CLOSE	    0
#define SYSLOG_ACTION_OPEN	    1
#define SYSLOG_ACTION_READ	    2
#define SYSLOG_ACTION_READ_ALL	    3
#define SYSLOG_ACTION_READ_CLEAR    4
#define SYSLOG_ACTION_CLEAR	    5
#define SYSLOG_ACTION_CONSOLE_OFF   6
#define SYSLOG_ACTION_CONSOLE_ON    7
#define SYSLOG_ACTION_CONSOLE_LEVEL 8
#define SYSLOG_ACTION_SIZE_UNREAD   9
#define SYSLOG_ACTION_SIZE_BUFFER   10

#endif /* UAPI_SYSINFO_H */
