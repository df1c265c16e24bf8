/* SPDX-License-Identifier: MIT */
/* The buses and their drivers. */
#ifndef DRIVERS_DRIVERS_H
#define DRIVERS_DRIVERS_H

/* Boot, where one may sleep: finds the devices of every bus and starts their drivers. */
void drivers_init(void);

#endif
