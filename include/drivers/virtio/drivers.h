/* SPDX-License-Identifier: MIT */
/* The drivers of this room, for the inventory in drivers/drivers.c. */
#ifndef DRIVERS_VIRTIO_DRIVERS_H
#define DRIVERS_VIRTIO_DRIVERS_H

#include "drivers/virtio/virtio.h"

extern const struct virtio_driver virtio_blk_driver;
extern const struct virtio_driver virtio_net_driver;
extern const struct virtio_driver virtio_rng_driver;
extern const struct virtio_driver virtio_console_driver;
extern const struct virtio_driver virtio_9p_driver;

#endif
