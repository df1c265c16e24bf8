/* SPDX-License-Identifier: MIT */
/*
 * The core of virtio: a device that a transport found is reset, its features are negotiated, its
 * driver takes it over; virtio 1.2, section 3.1. Legacy devices are not driven.
 */
#include "core/log.h"
#include "core/time.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "virtio_internal.h"

#define RING_FEATURES                                                                      \
	(BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_VERSION_1) | \
	 BIT(VIRTIO_F_ACCESS_PLATFORM) | BIT(VIRTIO_F_RING_PACKED))

static const struct virtio_driver *const *drivers;
static u32 driver_count, device_count;

void
virtio_init(const struct virtio_driver *const *list, u32 count)
{
	drivers = list;
	driver_count = count;
}

static void
status_add(struct virtio_device *dev, u8 bits)
{
	dev->transport->set_status(dev, dev->transport->get_status(dev) | bits);
}

void
virtio_reset(struct virtio_device *dev)
{
	dev->transport->set_status(dev, 0);
	/* It is done when the status reads 0; a device that never says so is left alone. */
	for (u32 i = 0; i < 10000 && dev->transport->get_status(dev); i++)
		udelay(10);
}

void
virtio_ready(struct virtio_device *dev)
{
	status_add(dev, STATUS_DRIVER_OK);
}

int
virtio_find_vqs(struct virtio_device *dev, u32 count, const struct virtqueue_setup *setup,
		struct virtqueue **out)
{
	int err;

	dev->vqs = kzalloc(count * sizeof(*dev->vqs), GFP_KERNEL);
	if (!dev->vqs)
		return -ENOMEM;
	dev->nr_vqs = count;
	err = dev->transport->find(dev, count, setup);
	if (err) {
		virtio_del_vqs(dev);
		return err;
	}
	memcpy(out, dev->vqs, count * sizeof(*out));
	return 0;
}

void
virtio_del_vqs(struct virtio_device *dev)
{
	if (!dev->vqs)
		return;
	dev->transport->delete (dev);
	for (u32 i = 0; i < dev->nr_vqs; i++)
		if (dev->vqs[i])
			virtqueue_destroy(dev->vqs[i]);
	kfree(dev->vqs);
	dev->vqs = NULL;
	dev->nr_vqs = 0;
}

static int
features_negotiate(struct virtio_device *dev, const struct virtio_driver *driver)
{
	u64 offered = dev->transport->get_features(dev);

	if (!(offered & BIT(VIRTIO_F_VERSION_1))) {
		log_warn("%s: a legacy device\n", dev->name);
		return -ENODEV;
	}
	dev->features = offered & (driver->features | RING_FEATURES);
	if (driver->choose)
		dev->features = driver->choose(dev->features);
	dev->transport->set_features(dev, dev->features);
	status_add(dev, STATUS_FEATURES_OK);
	return dev->transport->get_status(dev) & STATUS_FEATURES_OK ? 0 : -ENODEV;
}

void
virtio_device_found(struct virtio_device *dev)
{
	const struct virtio_driver *driver = NULL;
	int err;

	snprintf(dev->name, sizeof(dev->name), "virtio%u", device_count++);
	for (u32 i = 0; i < driver_count; i++)
		if (drivers[i]->id == dev->id)
			driver = drivers[i];
	virtio_reset(dev);
	if (!driver)
		return;
	status_add(dev, STATUS_ACKNOWLEDGE);
	status_add(dev, STATUS_DRIVER);
	err = features_negotiate(dev, driver);
	dev->driver = driver;
	if (!err)
		err = driver->probe(dev);
	if (err) {
		log_warn("%s: %s: error %d\n", dev->name, driver->name, -err);
		dev->driver = NULL;
		virtio_reset(dev);
		virtio_del_vqs(dev);
		status_add(dev, STATUS_FAILED);
	}
}

void
virtio_config_interrupt(struct virtio_device *dev)
{
	if (dev->driver && dev->driver->config_changed)
		dev->driver->config_changed(dev);
}

/* ---- configuration space: fields are read whole, several of them between two equal generations
 * ---- */

static void
config_copy(struct virtio_device *dev, u32 offset, void *to, u32 len)
{
	u32 unit = (len == 2 || len == 4 || len == 8) ? MIN(len, 4u) : 1;

	for (u32 done = 0; done < len; done += unit) {
		u32 value = dev->transport->read(dev, offset + done, unit);

		memcpy((u8 *)to + done, &value, unit);
	}
}

void
virtio_config_read(struct virtio_device *dev, u32 offset, void *to, u32 len)
{
	u32 before;

	for (u32 tries = 0; tries < 100; tries++) {
		before = dev->transport->generation(dev);
		config_copy(dev, offset, to, len);
		if (dev->transport->generation(dev) == before)
			return;
	}
}

u8
virtio_config_read8(struct virtio_device *dev, u32 offset)
{
	return (u8)dev->transport->read(dev, offset, 1);
}

u16
virtio_config_read16(struct virtio_device *dev, u32 offset)
{
	return (u16)dev->transport->read(dev, offset, 2);
}

u32
virtio_config_read32(struct virtio_device *dev, u32 offset)
{
	return dev->transport->read(dev, offset, 4);
}

u64
virtio_config_read64(struct virtio_device *dev, u32 offset)
{
	u64 value = 0;

	virtio_config_read(dev, offset, &value, sizeof(value));
	return value;
}
