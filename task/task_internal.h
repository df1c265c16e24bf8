/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other only. */
#ifndef TASK_INTERNAL_H
#define TASK_INTERNAL_H

#include "lib/types.h"

struct thread;

void signal_init(void);
void cred_init(void);
void rlimit_init(void);
bool signal_thread_fatal(const struct thread *t);

#endif
