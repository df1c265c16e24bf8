/* SPDX-License-Identifier: MIT */
/* Descriptors that name a process, pidfd_open(2). */
#ifndef EVENT_PIDFD_H
#define EVENT_PIDFD_H

#include "lib/types.h"

struct file;
struct pid;

/* flags: O_NONBLOCK or 0. The file holds a reference of its own. 0, -ENOMEM, -ENFILE. */
int pidfd_create(struct pid *pid, u32 flags, struct file **out);
/* The pid behind a file, without a reference of its own; NULL: no pidfd. */
struct pid *pidfd_pid(struct file *f);
/* For pidfd_send_signal, which takes a /proc/PID directory as well: its pid, likewise, or NULL. Set
 * by fs/proc. */
extern struct pid *(*pidfd_proc_pid)(struct file *f);

#endif
