/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef DRIVERS_PCI_INTERNAL_H
#define DRIVERS_PCI_INTERNAL_H

#include "drivers/pci/pci.h"

/* config.c: how a bus is reached. False: not at all. Called before its first function is read. */
bool config_init(void);
bool config_open_bus(u8 bus);
u32 config_last_bus(void);
bool config_has_windows(void);
u32 config_read(u8 bus, u8 slot, u8 function, u32 offset, u32 size);

#endif
