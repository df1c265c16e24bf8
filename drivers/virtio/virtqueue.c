/* SPDX-License-Identifier: MIT */
/*
 * Virtqueues, and their split form (virtio 1.2 section 2.7): a table of descriptors, a ring of what
 * is available to the device, a ring of what it has used. The packed form is in packed.c.
 *
 * What the device can write is only ever read as a number to be checked: which descriptors are in
 * flight, how they hang together and how much they hold is kept in vq->state. A used entry that
 * names nothing in flight breaks the queue.
 *
 * Two flags that cross: with the event index each side says at which entry it wants to be told.
 *
 *	driver					device
 *	publish the buffer			read the last available buffer
 *	full barrier				avail_event = next, full barrier
 *	avail_event reached? notify		anything available? go on
 *
 * and likewise the other way round with used_event in virtqueue_enable_cb.
 */
#include "core/log.h"
#include "lib/math.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "virtio_internal.h"

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY	   1

#define SIZE_MAX_ENTRIES 1024u

static inline volatile u16 *
used_event(const struct virtqueue *vq)
{
	return &vq->avail[2 + vq->size];
}

static inline u16
avail_event(const struct virtqueue *vq)
{
	return vq->used[2 + 4 * vq->size];
}

u32
virtqueue_choose_size(u32 offered, const struct virtqueue_setup *setup)
{
	u32 size = MIN(offered, SIZE_MAX_ENTRIES), power = 1;

	if (setup->max_size)
		size = MIN(size, setup->max_size);
	if (!size)
		return 0;
	while (power * 2 <= size)
		power *= 2;
	return power;
}

struct virtqueue *
virtqueue_create(struct virtio_device *dev, u32 index, u32 size,
		 const struct virtqueue_setup *setup)
{
	size_t avail_at = size * sizeof(struct virtq_desc);
	/* The device writes what follows: not in a cache line of ours. */
	size_t used_at = ALIGN_UP(avail_at + 6 + 2 * size, 64ul), bytes = used_at + 6 + 8 * size;
	struct virtqueue *vq = kzalloc(sizeof(*vq), GFP_KERNEL);

	if (!vq)
		return NULL;
	while ((PAGE_SIZE << vq->order) < bytes)
		vq->order++;
	vq->memory = pages_alloc(vq->order, GFP_KERNEL | GFP_ZERO);
	vq->state = kzalloc(size * sizeof(*vq->state), GFP_KERNEL);
	if (!vq->memory || !vq->state) {
		virtqueue_destroy(vq);
		return NULL;
	}
	vq->dev = dev;
	vq->index = (u16)index;
	vq->size = vq->free_count = (u16)size;
	vq->desc = vq->memory;
	vq->avail = (u16 *)((char *)vq->memory + avail_at);
	vq->used = (u16 *)((char *)vq->memory + used_at);
	vq->event_index = virtio_has(dev, VIRTIO_F_EVENT_IDX);
	vq->packed = virtio_has(dev, VIRTIO_F_RING_PACKED);
	vq->avail_wrap = vq->used_wrap = true;
	vq->callback = setup->callback;
	vq->private = setup->private;
	vq->name = setup->name;
	for (u32 i = 0; i < size; i++)
		vq->state[i].next = (u16)(i + 1);
	if (!vq->callback)
		virtqueue_disable_cb(vq);
	return vq;
}

void
virtqueue_destroy(struct virtqueue *vq)
{
	if (vq->memory)
		pages_free(vq->memory, vq->order);
	kfree(vq->state);
	kfree(vq);
}

paddr_t
virtqueue_desc_addr(const struct virtqueue *vq)
{
	return virt_to_phys(vq->memory);
}

paddr_t
virtqueue_avail_addr(const struct virtqueue *vq)
{
	return virt_to_phys((const void *)(uintptr_t)vq->avail);
}

paddr_t
virtqueue_used_addr(const struct virtqueue *vq)
{
	return virt_to_phys((const void *)(uintptr_t)vq->used);
}

/* The buffer that starts at `head` is the device's. */
static void
publish(struct virtqueue *vq, u16 head)
{
	vq->avail[2 + (vq->avail_index & (vq->size - 1))] = head;
	vq->avail_index++;
	vq->unannounced++;
	/* The device must see the buffer before the index: paired with its read of the index. */
	__atomic_store_n((u16 *)(uintptr_t)&vq->avail[1], vq->avail_index, __ATOMIC_RELEASE);
}

static u32
room_of(const struct virtq_piece *pieces, u32 n)
{
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		sum += pieces[i].len;
	return (u32)MIN(sum, (u64)UINT32_MAX);
}

int
virtqueue_add(struct virtqueue *vq, const struct virtq_piece *pieces, u32 n_out, u32 n_in,
	      void *cookie)
{
	u16 head = vq->free_head, at = head;
	u32 n = n_out + n_in;

	if (unlikely(vq->broken || n == 0))
		return -EIO;
	if (vq->packed)
		return packed_add(vq, pieces, n_out, n_in, room_of(pieces + n_out, n_in), cookie);
	if (n > vq->free_count)
		return -ENOSPC;
	for (u32 i = 0; i < n; i++) {
		struct virtq_desc *d = &vq->desc[at];

		d->addr = pieces[i].addr;
		d->len = pieces[i].len;
		d->flags = (u16)((i < n_out ? 0 : DESC_WRITE) | (i + 1 < n ? DESC_NEXT : 0));
		at = vq->state[at].next;
		d->next = at;
	}
	vq->free_head = at;
	vq->free_count = (u16)(vq->free_count - n);
	vq->state[head].cookie = cookie;
	vq->state[head].count = (u16)n;
	vq->state[head].room = room_of(pieces + n_out, n_in);
	publish(vq, head);
	return 0;
}

int
virtqueue_add_indirect(struct virtqueue *vq, struct virtq_desc *table,
		       const struct virtq_piece *pieces, u32 n_out, u32 n_in, void *cookie)
{
	u16 head = vq->free_head;
	u32 n = n_out + n_in;

	if (unlikely(vq->broken || n == 0))
		return -EIO;
	if (vq->packed)
		return packed_add_indirect(vq, table, pieces, n_out, n_in,
					   room_of(pieces + n_out, n_in), cookie);
	if (!vq->free_count)
		return -ENOSPC;
	for (u32 i = 0; i < n; i++)
		table[i] = (struct virtq_desc){
			.addr = pieces[i].addr,
			.len = pieces[i].len,
			.flags = (u16)((i < n_out ? 0 : DESC_WRITE) | (i + 1 < n ? DESC_NEXT : 0)),
			.next = (u16)(i + 1),
		};
	vq->desc[head] = (struct virtq_desc){
		.addr = virt_to_phys(table),
		.len = n * (u32)sizeof(*table),
		.flags = DESC_INDIRECT,
	};
	vq->free_head = vq->state[head].next;
	vq->free_count--;
	vq->state[head].cookie = cookie;
	vq->state[head].count = 1;
	vq->state[head].room = room_of(pieces + n_out, n_in);
	publish(vq, head);
	return 0;
}

/* Has the device asked to be told? What was published counts as announced. */
static bool
kick_due(struct virtqueue *vq)
{
	u16 fresh = vq->unannounced;

	if (!fresh || vq->broken)
		return false;
	if (vq->packed)
		return packed_kick_prepare(vq);
	vq->unannounced = 0;
	smp_mb(); /* the index is out before the device's wish is read: see the head */
	if (vq->event_index)
		return (u16)(vq->avail_index - avail_event(vq) - 1) < fresh;
	return !(vq->used[0] & USED_NO_NOTIFY);
}

void
virtqueue_kick(struct virtqueue *vq)
{
	if (kick_due(vq))
		vq->notify(vq);
}

void *
virtqueue_break(struct virtqueue *vq, const char *what, u32 value)
{
	vq->broken = vq->dev->broken = true;
	log_err("%s: queue %u is broken: %s %u\n", vq->dev->name, vq->index, what, value);
	return NULL;
}

/* Its descriptors are free again. */
static void *
reclaim(struct virtqueue *vq, u16 head)
{
	struct virtq_state *first = &vq->state[head];
	void *cookie = first->cookie;
	u16 last = head;

	for (u32 i = 1; i < first->count; i++)
		last = vq->state[last].next;
	vq->state[last].next = vq->free_head;
	vq->free_head = head;
	vq->free_count = (u16)(vq->free_count + first->count);
	first->cookie = NULL;
	return cookie;
}

bool
virtqueue_more(const struct virtqueue *vq)
{
	if (vq->packed)
		return !vq->broken && packed_more(vq);
	return !vq->broken &&
	       __atomic_load_n((u16 *)(uintptr_t)&vq->used[1], __ATOMIC_ACQUIRE) != vq->used_index;
}

void *
virtqueue_get(struct virtqueue *vq, u32 *len)
{
	const volatile u32 *entry;
	u32 id, written;

	if (!virtqueue_more(vq))
		return NULL;
	if (vq->packed)
		return packed_get(vq, len);
	entry = (const volatile u32 *)&vq->used[2 + 4 * (vq->used_index & (vq->size - 1))];
	id = entry[0];
	written = entry[1];
	if (unlikely(id >= vq->size || !vq->state[id].cookie))
		return virtqueue_break(vq, "it gives back descriptor", id);
	vq->used_index++;
	if (len)
		*len = MIN(written, vq->state[id].room);
	return reclaim(vq, (u16)id);
}

void
virtqueue_disable_cb(struct virtqueue *vq)
{
	/* With the event index an interrupt comes once for each value that is written there: half a
	 * ring away is as good as never. */
	if (vq->packed)
		packed_disable_cb(vq);
	else if (vq->event_index)
		*used_event(vq) = (u16)(vq->used_index - 1);
	else
		vq->avail[0] = AVAIL_NO_INTERRUPT;
}

bool
virtqueue_enable_cb(struct virtqueue *vq)
{
	if (vq->packed)
		packed_enable_cb(vq);
	else if (vq->event_index)
		*used_event(vq) = vq->used_index;
	else
		vq->avail[0] = 0;
	smp_mb(); /* the wish is out before the index is read: see the head */
	return !virtqueue_more(vq);
}

void *
virtqueue_detach(struct virtqueue *vq)
{
	for (u32 i = 0; i < vq->size; i++) {
		void *cookie = vq->state[i].cookie;

		if (!cookie)
			continue;
		if (vq->packed)
			packed_reclaim(vq, (u16)i);
		else
			(void)reclaim(vq, (u16)i);
		return cookie;
	}
	return NULL;
}

void
virtqueue_interrupt(struct virtqueue *vq)
{
	if (vq->callback)
		vq->callback(vq);
}

u32
virtqueue_size(const struct virtqueue *vq)
{
	return vq->size;
}

u32
virtqueue_free(const struct virtqueue *vq)
{
	return vq->free_count;
}

bool
virtqueue_broken(const struct virtqueue *vq)
{
	return vq->broken;
}

void *
virtqueue_private(const struct virtqueue *vq)
{
	return vq->private;
}
