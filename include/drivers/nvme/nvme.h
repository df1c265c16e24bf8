/* SPDX-License-Identifier: MIT */
/* NVM Express controllers on PCI, for the inventory in drivers/drivers.c. */
#ifndef DRIVERS_NVME_NVME_H
#define DRIVERS_NVME_NVME_H

#include "drivers/pci/pci.h"

extern const struct pci_driver nvme_pci_driver;

#endif
