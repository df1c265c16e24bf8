/* SPDX-License-Identifier: MIT */
/* What becomes of POSIX timers and interval timers when processes end or change. */
#ifndef TASK_TIMERS_H
#define TASK_TIMERS_H

struct process;

void timers_init(void);			     /* called by task_init */
void process_timers_exit(struct process *p); /* its last thread exits: may sleep */
void process_timers_exec(struct process *p); /* POSIX timers go, interval timers stay */

#endif
