/* SPDX-License-Identifier: MIT */
/* What transports, rings and the core of virtio tell each other. */
#ifndef DRIVERS_VIRTIO_INTERNAL_H
#define DRIVERS_VIRTIO_INTERNAL_H

#include "drivers/virtio/virtio.h"
#include "lib/atomic.h"

#define STATUS_ACKNOWLEDGE 0x01
#define STATUS_DRIVER	   0x02
#define STATUS_DRIVER_OK   0x04
#define STATUS_FEATURES_OK 0x08
#define STATUS_FAILED	   0x80

struct virtio_transport {
	u8 (*get_status)(struct virtio_device *dev);
	void (*set_status)(struct virtio_device *dev, u8 status);
	u64 (*get_features)(struct virtio_device *dev);
	void (*set_features)(struct virtio_device *dev, u64 features);
	u32 (*generation)(struct virtio_device *dev);
	/* size: 1, 2 or 4 */
	u32 (*read)(struct virtio_device *dev, u32 offset, u32 size);
	/* Makes dev->vqs[0 .. count - 1] from setup; on failure delete undoes what was made. */
	int (*find)(struct virtio_device *dev, u32 count, const struct virtqueue_setup *setup);
	void (*delete)(struct virtio_device *dev);
};

struct virtq_state {  /* of a descriptor, where the device cannot write */
	void *cookie; /* of the head of a buffer in flight */
	u32 room;     /* bytes the device may write */
	u16 next;
	u16 count; /* descriptors of the buffer */
};

struct virtqueue {
	struct virtio_device *dev; /* [I] */
	u16 index, size;	   /* [I] size: a power of two */
	u16 free_head, free_count;
	u16 avail_index; /* next to publish */
	u16 unannounced; /* published since the last kick */
	u16 used_index;	 /* next to get */
	bool event_index, broken;
	bool packed, avail_wrap, used_wrap; /* packed.c */
	struct virtq_desc *desc;
	volatile u16 *avail; /* flags, index, ring, used_event */
	volatile u16 *used;  /* flags, index, ring of {u32 id, len}, avail_event */
	struct virtq_state *state;
	virtqueue_callback *callback;
	void *private;
	volatile void *doorbell;
	u32 vector;
	const char *name;
	void (*notify)(struct virtqueue *vq);
	void *memory;
	u32 order;
};

/* One read of 1, 2 or 4 bytes of device registers. */
static inline u32
register_read(const volatile u8 *p, u32 size)
{
	if (size == 1)
		return *p;
	return size == 2 ? *(const volatile u16 *)p : *(const volatile u32 *)p;
}

/* virtqueue.c: rings of `size` entries, or NULL. */
struct virtqueue *virtqueue_create(struct virtio_device *dev, u32 index, u32 size,
				   const struct virtqueue_setup *setup);
void virtqueue_destroy(struct virtqueue *vq);
paddr_t virtqueue_desc_addr(const struct virtqueue *vq);
paddr_t virtqueue_avail_addr(const struct virtqueue *vq);
paddr_t virtqueue_used_addr(const struct virtqueue *vq);
/* The size to use of what the device offers and the driver wants: a power of two; 0: none. */
u32 virtqueue_choose_size(u32 offered, const struct virtqueue_setup *setup);
void virtqueue_interrupt(struct virtqueue *vq);
/* The device does what it may not: nothing comes of the queue any more. Returns NULL. */
void *virtqueue_break(struct virtqueue *vq, const char *what, u32 value);

/* packed.c: the same as virtqueue_*, for rings of the other form. */
int packed_add(struct virtqueue *vq, const struct virtq_piece *pieces, u32 n_out, u32 n_in,
	       u32 room, void *cookie);
int
packed_add_indirect(struct virtqueue *vq, struct virtq_desc *table,
		    const struct virtq_piece *pieces, u32 n_out, u32 n_in, u32 room, void *cookie);
bool packed_kick_prepare(struct virtqueue *vq);
bool packed_more(const struct virtqueue *vq);
void *packed_get(struct virtqueue *vq, u32 *len);
void packed_reclaim(struct virtqueue *vq, u16 id);
void packed_disable_cb(struct virtqueue *vq);
void packed_enable_cb(struct virtqueue *vq);

/* virtio.c: a transport found a device; it stays for ever. */
void virtio_device_found(struct virtio_device *dev);
void virtio_config_interrupt(struct virtio_device *dev);

#endif
