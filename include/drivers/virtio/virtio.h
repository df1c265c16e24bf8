/* SPDX-License-Identifier: MIT */
/*
 * Virtio devices, version 1.2 of the OASIS specification, without legacy: a transport (PCI or MMIO)
 * finds a device, a driver is matched by device id, and they talk through virtqueues.
 *
 * A virtqueue is a ring of buffers, each a list of memory pieces: first those the device reads,
 * then those it writes. It has no lock: whoever uses it brings one (taken in the interrupt, so with
 * interrupts off). The other side is not trusted: a ring that makes no sense is marked broken and
 * gives nothing any more; no memory is ever reached by a number of the device's.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include "arch/mmu.h"
#include "lib/types.h"

struct virtio_device;
struct virtio_transport;
struct virtqueue;

#define VIRTIO_ID_NET	  1
#define VIRTIO_ID_BLOCK	  2
#define VIRTIO_ID_CONSOLE 3
#define VIRTIO_ID_RNG	  4
#define VIRTIO_ID_9P	  9
#define VIRTIO_ID_FS	  26

#define VIRTIO_F_INDIRECT_DESC	 28
#define VIRTIO_F_EVENT_IDX	 29
#define VIRTIO_F_VERSION_1	 32
#define VIRTIO_F_ACCESS_PLATFORM 33
#define VIRTIO_F_RING_PACKED	 34

struct virtio_driver {
	const char *name;
	u32 id;	      /* VIRTIO_ID_* */
	u64 features; /* bits it knows; the ring's own are added */
	/* Of what both sides have, what it takes: for features that need others. NULL: all. */
	u64 (*choose)(u64 features);
	/*
	 * Features are negotiated; sets its queues up (virtio_find_vqs), then calls virtio_ready,
	 * after which the device may be used. May sleep. 0, or an error: the device is reset.
	 */
	int (*probe)(struct virtio_device *dev);
	/* The configuration changed, interrupt context. NULL: nobody cares. */
	void (*config_changed)(struct virtio_device *dev);
};

struct virtio_device {
	const struct virtio_transport *transport; /* [I] */
	void *transport_private;		  /* [I] */
	const struct virtio_driver *driver;
	u32 id;
	u64 features;  /* negotiated */
	void *private; /* the driver's */
	char name[16]; /* "virtio0" */
	char bus_path[48];
	bool broken;
	struct virtqueue **vqs;
	u32 nr_vqs;
};

static inline bool
virtio_has(const struct virtio_device *dev, u32 feature)
{
	return dev->features >> feature & 1;
}

/* Configuration space: read again if it changed meanwhile. Fields of 1, 2, 4 and 8 bytes. */
void virtio_config_read(struct virtio_device *dev, u32 offset, void *to, u32 len);
u8 virtio_config_read8(struct virtio_device *dev, u32 offset);
u16 virtio_config_read16(struct virtio_device *dev, u32 offset);
u32 virtio_config_read32(struct virtio_device *dev, u32 offset);
u64 virtio_config_read64(struct virtio_device *dev, u32 offset);

typedef void virtqueue_callback(struct virtqueue *vq);

struct virtqueue_setup {
	const char *name;	      /* for /proc/interrupts: must stay */
	virtqueue_callback *callback; /* interrupt context; NULL: the queue is polled */
	u32 cpu;		      /* where its interrupt goes, if it has one of its own */
	u32 max_size;		      /* 0: what the device offers, at most 1024 */
	void *private;
};

/* Makes the queues 0 .. count - 1; out has room for them. 0, -ENOENT (the device has fewer),
 * -ENOMEM, -ENOSPC. All or none. */
int virtio_find_vqs(struct virtio_device *dev, u32 count, const struct virtqueue_setup *setup,
		    struct virtqueue **out);
/* DRIVER_OK. */
void virtio_ready(struct virtio_device *dev);
/* Stops the device: it forgets its queues. Their memory stays until virtio_del_vqs. */
void virtio_reset(struct virtio_device *dev);
void virtio_del_vqs(struct virtio_device *dev);

struct virtq_piece {
	paddr_t addr;
	u32 len;
};

struct virtq_desc { /* little endian, as the device sees it */
	u64 addr;
	u32 len;
	u16 flags, next;
};

/*
 * Hand a buffer to the device: n_out pieces that it reads, then n_in that it writes. cookie (not
 * NULL) comes back by virtqueue_get. 0, -ENOSPC (the ring is full), -EIO (broken). The device sees
 * it, but is told by virtqueue_kick only.
 */
int virtqueue_add(struct virtqueue *vq, const struct virtq_piece *pieces, u32 n_out, u32 n_in,
		  void *cookie);
/*
 * The same through a table of the caller's (n_out + n_in entries in the direct map, its own until
 * the cookie is back): takes one slot of the ring. Only with VIRTIO_F_INDIRECT_DESC.
 */
int virtqueue_add_indirect(struct virtqueue *vq, struct virtq_desc *table,
			   const struct virtq_piece *pieces, u32 n_out, u32 n_in, void *cookie);
/* Tell the device, unless it is looking anyway. */
void virtqueue_kick(struct virtqueue *vq);
/* A buffer that the device is done with, and how many bytes it wrote (never more than there was
 * room for). NULL: none. */
void *virtqueue_get(struct virtqueue *vq, u32 *len);
/* No more callbacks (a hint: one may still come). */
void virtqueue_disable_cb(struct virtqueue *vq);
/* Callbacks again: true if there is nothing to get. False: there is; look first, then try again. */
bool virtqueue_enable_cb(struct virtqueue *vq);
bool virtqueue_more(const struct virtqueue *vq);
/* After a reset: the buffers that were never used, one at a time. */
void *virtqueue_detach(struct virtqueue *vq);

u32 virtqueue_size(const struct virtqueue *vq);
u32 virtqueue_free(const struct virtqueue *vq); /* slots */
bool virtqueue_broken(const struct virtqueue *vq);
void *virtqueue_private(const struct virtqueue *vq);

/* The drivers of drivers/drivers.c, before the buses are searched. */
void virtio_init(const struct virtio_driver *const *drivers, u32 count);
/* virtio_mmio.device= on the command line (microvm). */
void virtio_mmio_init(void);
extern const struct pci_driver virtio_pci_driver;

#endif
