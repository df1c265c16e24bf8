/* SPDX-License-Identifier: MIT */
/*
 * seccomp(2).
 */
#ifndef UAPI_SECCOMP_H
#define UAPI_SECCOMP_H

#include "lib/types.h"

#define SECCOMP_MODE_DISABLED 0
#define SECCOMP_MODE_STRICT   1
#define SECCOMP_MODE_FILTER   2

#define SECCOMP_SET_MODE_STRICT	 0
#define SECCOMP_SET_MODE_FILTER	 1
#define SECCOMP_GET_ACTION_AVAIL 2
#define SECCOMP_GET_NOTIF_SIZES	 3

#define SECCOMP_FILTER_FLAG_TSYNC	       (1ul << 0)
#define SECCOMP_FILTER_FLAG_LOG		       (1ul << 1)
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW	       (1ul << 2)
#define SECCOMP_FILTER_FLAG_NEW_LISTENER       (1ul << 3)
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH	       (1ul << 4)
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)

/* A filter's result: action in the high half, data in the low; the smallest (signed) wins. */
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#define SECCOMP_RET_KILL_THREAD	 0x00000000u
#define SECCOMP_RET_KILL	 SECCOMP_RET_KILL_THREAD
#define SECCOMP_RET_TRAP	 0x00030000u
#define SECCOMP_RET_ERRNO	 0x00050000u
#define SECCOMP_RET_USER_NOTIF	 0x7fc00000u
#define SECCOMP_RET_TRACE	 0x7ff00000u
#define SECCOMP_RET_LOG		 0x7ffc0000u
#define SECCOMP_RET_ALLOW	 0x7fff0000u
#define SECCOMP_RET_ACTION_FULL	 0xffff0000u
#define SECCOMP_RET_ACTION	 0x7fff0000u
#define SECCOMP_RET_DATA	 0x0000ffffu

/* What a filter's BPF_ABS loads read. */
struct linux_seccomp_data {
	s32 nr;
	u32 arch;
	u64 instruction_pointer;
	u64 args[6];
};

#endif /* UAPI_SECCOMP_H */
