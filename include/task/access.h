/* SPDX-License-Identifier: MIT */
/* Access to another task, ptrace(2). */
#ifndef TASK_ACCESS_H
#define TASK_ACCESS_H

#include "lib/types.h"

struct task;

/* real_ids: PTRACE_MODE_REALCREDS (system calls), else the file system ids (/proc). 0 or -EPERM. */
int task_may_access(struct task *t, bool real_ids);
#endif
