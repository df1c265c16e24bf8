/* SPDX-License-Identifier: MIT */
/* The list of all drivers that are matched to devices on a bus. */
#include "drivers/drivers.h"

#include "drivers/nvme/nvme.h"
#include "drivers/pci/pci.h"
#include "drivers/virtio/drivers.h"

static const struct virtio_driver *const virtio_drivers[] = {
	&virtio_blk_driver,	&virtio_net_driver, &virtio_rng_driver,
	&virtio_console_driver, &virtio_9p_driver,
};

static const struct pci_driver *const pci_drivers[] = {
	&virtio_pci_driver,
	&nvme_pci_driver,
};

void
drivers_init(void)
{
	virtio_init(virtio_drivers, ARRAY_SIZE(virtio_drivers));
	pci_init(pci_drivers, ARRAY_SIZE(pci_drivers));
	virtio_mmio_init();
}
