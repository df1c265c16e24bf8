/* SPDX-License-Identifier: MIT */
/* Where the kernel spends its time: profile=HZ on the command line, /proc/profile. */
#ifndef SYSCALL_PROFILE_H
#define SYSCALL_PROFILE_H

#include "lib/types.h"

/* Once, when all CPUs are up. Never called: nothing is allocated, nothing runs. */
void profile_start(u32 hz);

#endif
