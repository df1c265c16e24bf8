/* SPDX-License-Identifier: MIT */
/*
 * poll(2), select(2).
 */
#ifndef UAPI_POLL_H
#define UAPI_POLL_H

#include "lib/types.h"

#define POLLIN	   0x0001
#define POLLPRI	   0x0002
#define POLLOUT	   0x0004
#define POLLERR	   0x0008
#define POLLHUP	   0x0010
#define POLLNVAL   0x0020
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200
#define POLLMSG	   0x0400
#define POLLREMOVE 0x1000
#define POLLRDHUP  0x2000

struct linux_pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

/* select(2): sets are arrays of 64-bit words, as long as nfds needs. libc's are this long. */
#define __FD_SETSIZE 1024

/* pselect6(2)'s sixth argument points at this. */
struct linux_sigset_argpack {
	u64 sigset;
	u64 size;
};

#endif /* UAPI_POLL_H */
