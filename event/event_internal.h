/* SPDX-License-Identifier: MIT */
/* What poll, select and epoll share. */
#ifndef EVENT_INTERNAL_H
#define EVENT_INTERNAL_H

#include "lib/types.h"
#include "lib/user_ptr.h"

/* A timespec of user space to a monotonic deadline: 0 = do not wait, TIME_NEVER = NULL was given.
 * 0, -EFAULT, -EINVAL. */
int poll_deadline_read(user_ptr timeout, u64 *deadline);
u64 poll_time_left(u64 deadline);
/* The result of a call that may have replaced the signal mask for its duration. */
long poll_end_masked(long r, bool masked);

#endif
