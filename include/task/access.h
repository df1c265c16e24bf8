/* SPDX-License-Identifier: MIT */
/* Access to another task, ptrace(2). */
#ifndef TASK_ACCESS_H
#define TASK_ACCESS_H

#include "lib/types.h"

struct mm;
struct task;

/* real_ids: PTRACE_MODE_REALCREDS (system calls), else the file system ids (/proc). 0 or -EPERM. */
int task_may_access(struct task *t, bool real_ids);
/*
 * The same for what will be done to t's address space: that which was checked, with a user's
 * reference; NULL if t has none. An execve in between does not slip another one in.
 */
int task_access_mm(struct task *t, bool real_ids, struct mm **mm);
#endif
