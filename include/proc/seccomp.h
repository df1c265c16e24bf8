/* SPDX-License-Identifier: MIT */
/* seccomp(2), as the system call entry and others see it. */
#ifndef PROC_SECCOMP_H
#define PROC_SECCOMP_H

#include "lib/types.h"

struct regs;

/* The current thread has TF_SECCOMP: the number to run, or -1: none, the result is in regs. May not
 * return. */
long seccomp_enter(struct regs *regs, long nr);

#endif
