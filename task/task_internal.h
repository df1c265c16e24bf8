/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other only. */
#ifndef TASK_INTERNAL_H
#define TASK_INTERNAL_H

#include "lib/types.h"
#include "uapi/capability.h"

#define CAP_FULL_SET ((2ull << CAP_LAST_CAP) - 1)

struct process;
struct thread;

void signal_init(void);
void cred_init(void);
void rlimit_init(void);
void oom_init(void);
void clock_init(void);
void itimers_exit(struct process *p);
bool signal_thread_fatal(const struct thread *t);

#endif
