/* SPDX-License-Identifier: MIT */
/* The limit of epoll(7), which is that of /proc/sys/fs/epoll. */
#ifndef EVENT_EPOLL_H
#define EVENT_EPOLL_H

#include "lib/types.h"

/* Items of all sets of one user. As set; until then by the size of memory. */
u32 epoll_max_user_watches(void);
void epoll_set_max_user_watches(u32 n);

#endif
