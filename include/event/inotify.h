/* SPDX-License-Identifier: MIT */
/* Limits of inotify(7), which are those of /proc/sys/fs/inotify. */
#ifndef EVENT_INOTIFY_H
#define EVENT_INOTIFY_H

#include "lib/types.h"

extern u32 inotify_max_queued_events, inotify_max_user_instances;
/* As set; until then by the size of memory. */
u32 inotify_max_user_watches(void);
void inotify_set_max_user_watches(u32 n);

#endif
