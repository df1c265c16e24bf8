/* SPDX-License-Identifier: MIT */
/* /dev/null, /dev/zero, /dev/full, /dev/kmsg. */
#ifndef DRIVERS_MEM_H
#define DRIVERS_MEM_H

#include "sched/wait.h"

void mem_devices_init(void);

extern struct wait_queue kmsg_wait; /* woken when the log has grown */

#endif
