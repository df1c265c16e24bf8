/* SPDX-License-Identifier: MIT */
/*
 * Packed virtqueues, virtio 1.2 section 2.8: one ring in which the driver writes descriptors and
 * the device writes back, over the first descriptor of a buffer, that it has used it.
 *
 * Two bits of a descriptor say whose it is, by the wrap counter of the side that wrote it: made
 * available if AVAIL is the driver's counter and USED is not, used if both are. A buffer has an
 * identifier of the driver's choice: the index of its vq->state, which keeps what the device may
 * not change, as in virtqueue.c, where the checks of what it writes are explained.
 */
#include "uapi/errno.h"
#include "virtio_internal.h"

#define DESC_NEXT     BIT(0)
#define DESC_WRITE    BIT(1)
#define DESC_INDIRECT BIT(2)
#define DESC_AVAIL    BIT(7)
#define DESC_USED     BIT(15)

#define EVENT_ENABLE  0
#define EVENT_DISABLE 1
#define EVENT_DESC    2 /* when it reaches the descriptor of off_wrap */
#define EVENT_WRAP    BIT(15)

struct packed_desc {
	u64 addr;
	u32 len;
	u16 id, flags;
};
STATIC_ASSERT(sizeof(struct packed_desc) == sizeof(struct virtq_desc));

struct packed_event { /* the driver's is at vq->avail, the device's at vq->used */
	u16 off_wrap, flags;
};

static struct packed_desc *
ring(const struct virtqueue *vq)
{
	return (struct packed_desc *)vq->desc;
}

/* The position after `at`; the counter turns at the end. */
static u16
advance(const struct virtqueue *vq, u16 at, u16 by, bool *wrap)
{
	u32 next = (u32)at + by;

	if (next < vq->size)
		return (u16)next;
	*wrap = !*wrap;
	return (u16)(next - vq->size);
}

static u16
owner_bits(bool wrap)
{
	return wrap ? DESC_AVAIL : DESC_USED;
}

/* A buffer of `count` descriptors from avail_index on; returns its identifier. */
static u16
take_id(struct virtqueue *vq, u16 count, u32 room, void *cookie)
{
	u16 id = vq->free_head;
	struct virtq_state *s = &vq->state[id];

	vq->free_head = s->next;
	vq->free_count = (u16)(vq->free_count - count);
	vq->unannounced = (u16)(vq->unannounced + count);
	s->cookie = cookie;
	s->count = count;
	s->room = room;
	return id;
}

/* The first descriptor's flags hand over the whole buffer: they are written last. */
static void
publish(struct packed_desc *first, u16 flags)
{
	__atomic_store_n(&first->flags, flags, __ATOMIC_RELEASE);
}

int
packed_add(struct virtqueue *vq, const struct virtq_piece *pieces, u32 n_out, u32 n_in, u32 room,
	   void *cookie)
{
	u32 n = n_out + n_in;
	u16 at = vq->avail_index, id, head_flags = 0;
	struct packed_desc *first = &ring(vq)[at];

	if (n > vq->free_count)
		return -ENOSPC;
	id = take_id(vq, (u16)n, room, cookie);
	for (u32 i = 0; i < n; i++) {
		struct packed_desc *d = &ring(vq)[at];
		u16 flags = (u16)(owner_bits(vq->avail_wrap) | (i < n_out ? 0 : DESC_WRITE) |
				  (i + 1 < n ? DESC_NEXT : 0));

		d->addr = pieces[i].addr;
		d->len = pieces[i].len;
		d->id = id;
		if (i)
			d->flags = flags;
		else
			head_flags = flags;
		at = advance(vq, at, 1, &vq->avail_wrap);
	}
	vq->avail_index = at;
	publish(first, head_flags);
	return 0;
}

int
packed_add_indirect(struct virtqueue *vq, struct virtq_desc *table,
		    const struct virtq_piece *pieces, u32 n_out, u32 n_in, u32 room, void *cookie)
{
	struct packed_desc *d = &ring(vq)[vq->avail_index];
	struct packed_desc *entries = (struct packed_desc *)table;
	u32 n = n_out + n_in;
	u16 flags;

	if (!vq->free_count)
		return -ENOSPC;
	for (u32 i = 0; i < n; i++)
		entries[i] = (struct packed_desc){ .addr = pieces[i].addr,
						   .len = pieces[i].len,
						   .flags = i < n_out ? 0 : DESC_WRITE };
	d->addr = virt_to_phys(table);
	d->len = n * (u32)sizeof(*table);
	d->id = take_id(vq, 1, room, cookie);
	flags = (u16)(owner_bits(vq->avail_wrap) | DESC_INDIRECT);
	vq->avail_index = advance(vq, vq->avail_index, 1, &vq->avail_wrap);
	publish(d, flags);
	return 0;
}

bool
packed_kick_prepare(struct virtqueue *vq)
{
	const volatile struct packed_event *device = (const volatile void *)vq->used;
	u16 fresh = vq->unannounced, event, off_wrap, flags;

	vq->unannounced = 0;
	smp_mb(); /* the buffers are out before the device's wish is read */
	off_wrap = device->off_wrap;
	flags = device->flags;
	if (flags != EVENT_DESC)
		return flags != EVENT_DISABLE;
	event = off_wrap & (u16)~EVENT_WRAP;
	if (!!(off_wrap & EVENT_WRAP) != vq->avail_wrap)
		event = (u16)(event - vq->size);
	return (u16)(vq->avail_index - event - 1) < fresh;
}

bool
packed_more(const struct virtqueue *vq)
{
	u16 flags = __atomic_load_n(&ring(vq)[vq->used_index].flags, __ATOMIC_ACQUIRE);

	return !!(flags & DESC_AVAIL) == vq->used_wrap && !!(flags & DESC_USED) == vq->used_wrap;
}

void *
packed_get(struct virtqueue *vq, u32 *len)
{
	const volatile struct packed_desc *d = &ring(vq)[vq->used_index];
	struct virtq_state *s;
	u16 id = d->id;
	u32 written = d->len;
	void *cookie;

	if (unlikely(id >= vq->size || !vq->state[id].cookie))
		return virtqueue_break(vq, "it gives back buffer", id);
	s = &vq->state[id];
	if (len)
		*len = MIN(written, s->room);
	vq->used_index = advance(vq, vq->used_index, s->count, &vq->used_wrap);
	cookie = s->cookie;
	packed_reclaim(vq, id);
	return cookie;
}

void
packed_reclaim(struct virtqueue *vq, u16 id)
{
	struct virtq_state *s = &vq->state[id];

	s->cookie = NULL;
	s->next = vq->free_head;
	vq->free_head = id;
	vq->free_count = (u16)(vq->free_count + s->count);
}

void
packed_disable_cb(struct virtqueue *vq)
{
	((volatile struct packed_event *)(volatile void *)vq->avail)->flags = EVENT_DISABLE;
}

void
packed_enable_cb(struct virtqueue *vq)
{
	volatile struct packed_event *driver = (volatile void *)vq->avail;

	driver->off_wrap = (u16)(vq->used_index | (vq->used_wrap ? EVENT_WRAP : 0));
	smp_wmb(); /* where, before that it counts */
	driver->flags = vq->event_index ? EVENT_DESC : EVENT_ENABLE;
}
