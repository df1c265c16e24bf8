/* SPDX-License-Identifier: MIT */
/* /dev/null, /dev/zero, /dev/full, /dev/kmsg. */
#ifndef DRIVERS_MEM_H
#define DRIVERS_MEM_H

void mem_devices_init(void);

#endif
