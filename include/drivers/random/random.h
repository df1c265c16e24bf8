/* SPDX-License-Identifier: MIT */
/* /dev/random and /dev/urandom. */
#ifndef DRIVERS_RANDOM_H
#define DRIVERS_RANDOM_H

void random_devices_init(void);

#endif
