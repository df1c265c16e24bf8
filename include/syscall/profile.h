/* SPDX-License-Identifier: MIT */
/* Where the kernel spends its time: profile= on the command line; docs/performance.md. */
#ifndef SYSCALL_PROFILE_H
#define SYSCALL_PROFILE_H

#include "lib/types.h"

/* Once, when all CPUs are up. Never called: nothing is allocated, nothing runs. */
void profile_start(u32 hz);

/* profile=calls: once, before the first program starts. The others are syscall/trace.c's. */
void profile_calls_start(void);
void profile_call_enter(void);
void profile_call_exit(long nr);

/* Only in a kernel built with LOCKSTAT=1. */
void profile_locks_start(void);

#endif
