/* SPDX-License-Identifier: MIT */
/*
 * signalfd(2).
 */
#ifndef UAPI_SIGNALFD_H
#define UAPI_SIGNALFD_H

#include "lib/types.h"

#define SFD_CLOEXEC  02000000
#define SFD_NONBLOCK 00004000

struct linux_signalfd_siginfo {
	u32 ssi_signo;
	s32 ssi_errno;
	s32 ssi_code;
	u32 ssi_pid;
	u32 ssi_uid;
	s32 ssi_fd;
	u32 ssi_tid;
	u32 ssi_band;
	u32 ssi_overrun;
	u32 ssi_trapno;
	s32 ssi_status;
	s32 ssi_int;
	u64 ssi_ptr;
	u64 ssi_utime;
	u64 ssi_stime;
	u64 ssi_addr;
	u16 ssi_addr_lsb;
	u16 pad2;
	s32 ssi_syscall;
	u64 ssi_call_addr;
	u32 ssi_arch;
	u8 pad[28];
};

#endif /* UAPI_SIGNALFD_H */
