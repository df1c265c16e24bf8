/* SPDX-License-Identifier: MIT */
/*
 * Virtio over PCI, virtio 1.2 section 4.1: structures in memory BARs, told by vendor capabilities.
 *
 * Interrupts: vector 0 for the configuration, then one for each queue on the CPU it asks for; when
 * vectors are short, one for all queues; without MSI-X one line for everything, told apart by the
 * ISR byte.
 */
#include "drivers/pci/pci.h"
#include "core/log.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "virtio_internal.h"

#define VENDOR 0x1af4

#define CAP_TYPE       3
#define CAP_BAR	       4
#define CAP_OFFSET     8
#define CAP_LENGTH     12
#define CAP_MULTIPLIER 16

#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_ISR    3
#define TYPE_DEVICE 4

#define VECTOR_NONE 0xffff
#define ISR_QUEUE   1
#define ISR_CONFIG  2

struct common { /* struct virtio_pci_common_cfg */
	u32 device_feature_select, device_feature, driver_feature_select, driver_feature;
	u16 config_vector, num_queues;
	u8 status, generation;
	u16 queue_select, queue_size, queue_vector, queue_enable, queue_notify_off;
	u32 queue_desc[2], queue_driver[2], queue_device[2];
};
STATIC_ASSERT(sizeof(struct common) == 56);

struct virtio_pci {
	struct virtio_device dev;
	struct pci_device *pci;
	volatile struct common *common;
	volatile u8 *isr, *config, *notify;
	u32 config_len, notify_len, multiplier;
	u32 vectors;		  /* requested: 0 .. vectors - 1 */
	irq_handler *handlers[2]; /* of vector 0; of vector 1 if it is shared */
	bool shared;		  /* vector 1 serves all queues */
};

static struct virtio_pci *
to_pci(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_pci, dev);
}

static u8
get_status(struct virtio_device *dev)
{
	return to_pci(dev)->common->status;
}

static void
set_status(struct virtio_device *dev, u8 status)
{
	to_pci(dev)->common->status = status;
}

static u64
get_features(struct virtio_device *dev)
{
	volatile struct common *c = to_pci(dev)->common;
	u64 low;

	c->device_feature_select = 0;
	low = c->device_feature;
	c->device_feature_select = 1;
	return low | (u64)c->device_feature << 32;
}

static void
set_features(struct virtio_device *dev, u64 features)
{
	volatile struct common *c = to_pci(dev)->common;

	c->driver_feature_select = 0;
	c->driver_feature = (u32)features;
	c->driver_feature_select = 1;
	c->driver_feature = (u32)(features >> 32);
}

static u32
generation(struct virtio_device *dev)
{
	return to_pci(dev)->common->generation;
}

static u32
config_read(struct virtio_device *dev, u32 offset, u32 size)
{
	struct virtio_pci *vp = to_pci(dev);
	volatile u8 *p = vp->config + offset;

	if (!vp->config || offset + size > vp->config_len)
		return 0;
	return register_read(p, size);
}

/* ---- interrupts ---- */

static void
on_queue(void *arg)
{
	virtqueue_interrupt(arg);
}

static void
on_any_queue(void *arg)
{
	struct virtio_device *dev = arg;

	for (u32 i = 0; i < dev->nr_vqs; i++)
		if (dev->vqs[i])
			virtqueue_interrupt(dev->vqs[i]);
}

static void
on_config(void *arg)
{
	virtio_config_interrupt(arg);
}

static void
on_line(void *arg)
{
	struct virtio_pci *vp = to_pci(arg);
	u8 isr = *vp->isr; /* reading acknowledges */

	if (isr & ISR_CONFIG)
		virtio_config_interrupt(arg);
	if (isr & ISR_QUEUE)
		on_any_queue(arg);
}

static void
notify(struct virtqueue *vq)
{
	*(volatile u16 *)vq->doorbell = vq->index;
}

/* ---- queues ---- */

static int
queue_make(struct virtio_pci *vp, u32 index, const struct virtqueue_setup *setup)
{
	volatile struct common *c = vp->common;
	struct virtqueue *vq;
	u32 size;
	u64 addr[3], at;

	c->queue_select = (u16)index;
	size = virtqueue_choose_size(c->queue_size, setup);
	if (!size)
		return -ENOENT;
	vq = virtqueue_create(&vp->dev, index, size, setup);
	if (!vq)
		return -ENOMEM;
	vp->dev.vqs[index] = vq;
	vq->notify = notify;
	at = (u64)c->queue_notify_off * vp->multiplier;
	if (at + 2 > vp->notify_len)
		return -EINVAL;
	vq->doorbell = vp->notify + at;
	c->queue_size = (u16)size;
	addr[0] = virtqueue_desc_addr(vq);
	addr[1] = virtqueue_avail_addr(vq);
	addr[2] = virtqueue_used_addr(vq);
	for (u32 half = 0; half < 2; half++) {
		c->queue_desc[half] = (u32)(addr[0] >> 32 * half);
		c->queue_driver[half] = (u32)(addr[1] >> 32 * half);
		c->queue_device[half] = (u32)(addr[2] >> 32 * half);
	}
	return 0;
}

static int
queue_vector(struct virtio_pci *vp, u32 index, u32 vector)
{
	vp->common->queue_select = (u16)index;
	vp->common->queue_vector = (u16)vector;
	vp->dev.vqs[index]->vector = vector;
	return vp->common->queue_vector == vector ? 0 : -EBUSY;
}

/* One vector a queue: queue i has vector i + 1. */
static int
vectors_own(struct virtio_pci *vp, u32 count, const struct virtqueue_setup *setup)
{
	for (u32 i = 0; i < count; i++) {
		int err = pci_irq_request(vp->pci, i + 1, setup[i].cpu, on_queue, vp->dev.vqs[i],
					  setup[i].name);

		if (!err) {
			vp->vectors = i + 2;
			err = queue_vector(vp, i, i + 1);
		}
		if (err)
			return err;
	}
	return 0;
}

static void
vectors_own_free(struct virtio_pci *vp)
{
	for (u32 v = 1; v < vp->vectors; v++)
		pci_irq_free(vp->pci, v, on_queue, vp->dev.vqs[v - 1]);
	vp->vectors = 1;
}

static int
vectors_shared(struct virtio_pci *vp, u32 count)
{
	int err = pci_irq_request(vp->pci, 1, 0, on_any_queue, &vp->dev, vp->dev.name);

	if (err)
		return err;
	vp->shared = true;
	vp->vectors = 2;
	for (u32 i = 0; !err && i < count; i++)
		err = queue_vector(vp, i, 1);
	return err;
}

static int
interrupts_make(struct virtio_pci *vp, u32 count, const struct virtqueue_setup *setup)
{
	u32 have = pci_irq_enable(vp->pci, count + 1);
	int err;

	if (!have)
		return -ENOSPC;
	if (!pci_irq_is_msix(vp->pci) || have < 2) {
		err = pci_irq_request(vp->pci, 0, 0, on_line, &vp->dev, vp->dev.name);
		if (!err)
			vp->handlers[0] = on_line;
		return err;
	}
	err = pci_irq_request(vp->pci, 0, 0, on_config, &vp->dev, vp->dev.name);
	if (err)
		return err;
	vp->handlers[0] = on_config;
	vp->vectors = 1;
	vp->common->config_vector = 0;
	if (vp->common->config_vector != 0)
		return -EBUSY;
	if (have > count && vectors_own(vp, count, setup) == 0)
		return 0;
	vectors_own_free(vp);
	return vectors_shared(vp, count);
}

static int
queues_find(struct virtio_device *dev, u32 count, const struct virtqueue_setup *setup)
{
	struct virtio_pci *vp = to_pci(dev);
	int err = 0;

	if (count > vp->common->num_queues)
		return -ENOENT;
	for (u32 i = 0; !err && i < count; i++)
		err = queue_make(vp, i, &setup[i]);
	if (!err)
		err = interrupts_make(vp, count, setup);
	for (u32 i = 0; !err && i < count; i++) {
		vp->common->queue_select = (u16)i;
		vp->common->queue_enable = 1;
	}
	return err;
}

static void
queues_delete(struct virtio_device *dev)
{
	struct virtio_pci *vp = to_pci(dev);

	if (vp->shared)
		pci_irq_free(vp->pci, 1, on_any_queue, dev);
	else
		vectors_own_free(vp);
	if (vp->handlers[0])
		pci_irq_free(vp->pci, 0, vp->handlers[0], dev);
	vp->handlers[0] = NULL;
	vp->vectors = 0;
	vp->shared = false;
}

/* ---- finding ---- */

static bool
structures_map(struct virtio_pci *vp)
{
	struct pci_device *d = vp->pci;

	for (u32 cap = pci_find_capability(d, PCI_CAP_VENDOR, 0); cap;
	     cap = pci_find_capability(d, PCI_CAP_VENDOR, cap)) {
		u8 type = pci_read8(d, cap + CAP_TYPE), bar = pci_read8(d, cap + CAP_BAR);
		u32 offset = pci_read32(d, cap + CAP_OFFSET), len = pci_read32(d, cap + CAP_LENGTH);

		if (type == TYPE_COMMON && !vp->common && len >= sizeof(struct common)) {
			vp->common = pci_map(d, bar, offset, len);
		} else if (type == TYPE_NOTIFY && !vp->notify && len >= 2) {
			vp->notify = pci_map(d, bar, offset, len);
			vp->notify_len = len;
			vp->multiplier = pci_read32(d, cap + CAP_MULTIPLIER);
		} else if (type == TYPE_ISR && !vp->isr && len) {
			vp->isr = pci_map(d, bar, offset, len);
		} else if (type == TYPE_DEVICE && !vp->config && len) {
			vp->config = pci_map(d, bar, offset, len);
			vp->config_len = len;
		}
	}
	return vp->common && vp->notify && vp->isr;
}

static const struct virtio_transport pci_transport;

static int
probe(struct pci_device *d)
{
	struct virtio_pci *vp;

	if (d->device < 0x1000 || d->device > 0x107f)
		return -ENODEV;
	vp = kzalloc(sizeof(*vp), GFP_KERNEL);
	if (!vp)
		return -ENOMEM;
	vp->pci = d;
	pci_enable(d);
	if (!structures_map(vp)) {
		/* What is mapped stays so: there is no unmapping of a device that never was. */
		kfree(vp);
		return -ENODEV;
	}
	d->private = vp;
	vp->dev.transport = &pci_transport;
	/* Transitional devices have an old number, and their type in the subsystem's. */
	vp->dev.id = d->device >= 0x1040 ? d->device - 0x1040u : d->subsystem;
	snprintf(vp->dev.bus_path, sizeof(vp->dev.bus_path), "pci%04x:%02x/%s", d->segment, d->bus,
		 d->name);
	virtio_device_found(&vp->dev);
	return 0;
}

static const struct virtio_transport pci_transport = {
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.generation = generation,
	.read = config_read,
	.find = queues_find,
	.delete = queues_delete,
};

static const struct pci_id ids[] = {
	{ .vendor = VENDOR, .device = PCI_ANY },
	{ 0 },
};

const struct pci_driver virtio_pci_driver = {
	.name = "virtio-pci",
	.ids = ids,
	.probe = probe,
};
