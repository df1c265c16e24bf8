/* SPDX-License-Identifier: MIT */
/*
 * virtio-9p, device 9 of virtio 1.2, which leaves the rest to QEMU: a channel for fs/9p, one queue,
 * a tag.
 *
 * Packets go on the ring as they come, in pieces: the message, its payload, room for the answer,
 * its payload. What finds the ring full waits in a list, in order, for the next interrupt.
 *
 * Locking: channel lock, taken in interrupts, for the queue and the list. Packets end with no lock
 * held. A device that breaks the rules of the ring is stopped, and answers nothing any more.
 */
#include "fs/9p/9p.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "drivers/virtio/drivers.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define F_MOUNT_TAG 0

#define CFG_TAG_LEN 0
#define CFG_TAG	    2
#define TAG_MAX	    255u

#define PAGES_MAX 124u /* of a payload: 496 KiB, as much as fits a ring of 128 */

struct p9_virtio {
	struct p9_channel channel;
	struct virtqueue *vq;
	struct spinlock lock;
	struct list waiting;
	bool dead;
	struct work broken;
	struct virtio_device *dev;
	struct virtq_piece pieces[PAGES_MAX + 3];
	char tag[TAG_MAX + 1];
};

static u32
add_pages(struct virtq_piece *piece, const struct p9_packet *p)
{
	u32 n = 0, offset = p->offset;

	for (u32 left = p->len; left; n++) {
		u32 len = MIN(left, (u32)PAGE_SIZE - offset);

		piece[n] = (struct virtq_piece){ page_to_phys(p->pages[n]) + offset, len };
		left -= len;
		offset = 0;
	}
	return n;
}

/* Locked. 0, -ENOSPC, -EIO. */
static int
send(struct p9_virtio *v, struct p9_packet *p)
{
	u32 n = 0, out;

	v->pieces[n++] = (struct virtq_piece){ virt_to_phys((void *)(uintptr_t)p->tx), p->tx_len };
	if (p->pages_out)
		n += add_pages(v->pieces + n, p);
	out = n;
	v->pieces[n++] = (struct virtq_piece){ virt_to_phys(p->rx), p->rx_size };
	if (!p->pages_out)
		n += add_pages(v->pieces + n, p);
	return virtqueue_add(v->vq, v->pieces, out, n - out, p);
}

/* As many of those that wait as there is room for. Locked. */
static void
send_waiting(struct p9_virtio *v)
{
	struct p9_packet *p;

	while ((p = list_first_entry_or_null(&v->waiting, struct p9_packet, node)) && !send(v, p))
		list_del(&p->node);
	virtqueue_kick(v->vq);
}

/* Stopped, so that nothing is written any more to what it had: all that is lost. */
static void
p9_virtio_broken(struct work *w)
{
	struct p9_virtio *v = container_of(w, struct p9_virtio, broken);
	struct p9_packet *p;
	LIST_HEAD(lost);
	unsigned long flags;

	log_err("9p: %s: the device is broken\n", v->tag);
	virtio_reset(v->dev);
	flags = spin_lock_irqsave(&v->lock);
	v->dead = true;
	while ((p = list_first_entry_or_null(&v->waiting, struct p9_packet, node)))
		list_move(&p->node, &lost);
	while ((p = virtqueue_detach(v->vq)))
		list_add(&p->node, &lost);
	spin_unlock_irqrestore(&v->lock, flags);
	while ((p = list_first_entry_or_null(&lost, struct p9_packet, node))) {
		list_del(&p->node);
		p->done(p, 0);
	}
}

static void
p9_virtio_submit(struct p9_channel *c, struct p9_packet *p)
{
	struct p9_virtio *v = c->private;
	unsigned long flags = spin_lock_irqsave(&v->lock);
	bool dead = v->dead;

	if (!dead) {
		list_add_tail(&p->node, &v->waiting);
		send_waiting(v);
		if (unlikely(virtqueue_broken(v->vq)))
			(void)work_queue(&v->broken);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	if (dead)
		p->done(p, 0);
}

static void
p9_virtio_interrupt(struct virtqueue *vq)
{
	struct p9_virtio *v = virtqueue_private(vq);
	struct p9_packet *p;
	unsigned long flags = spin_lock_irqsave(&v->lock);
	u32 written;

	do {
		virtqueue_disable_cb(vq);
		while ((p = virtqueue_get(vq, &written))) {
			spin_unlock_irqrestore(&v->lock, flags);
			p->done(p, written);
			flags = spin_lock_irqsave(&v->lock);
		}
	} while (!virtqueue_enable_cb(vq));
	if (!list_empty(&v->waiting))
		send_waiting(v);
	if (unlikely(virtqueue_broken(vq)))
		(void)work_queue(&v->broken);
	spin_unlock_irqrestore(&v->lock, flags);
}

static int
p9_virtio_probe(struct virtio_device *dev)
{
	struct p9_virtio *v = kzalloc(sizeof(*v), GFP_KERNEL);
	struct virtqueue_setup setup = { .name = "virtio-9p",
					 .callback = p9_virtio_interrupt,
					 .private = v };
	u16 len = virtio_config_read16(dev, CFG_TAG_LEN);
	int err;

	if (!v)
		return -ENOMEM;
	err = -EINVAL;
	if (!virtio_has(dev, F_MOUNT_TAG) || !len || len > TAG_MAX)
		goto out;
	virtio_config_read(dev, CFG_TAG, v->tag, len);
	spin_init(&v->lock, RANK_DEVICE);
	list_init(&v->waiting);
	work_init(&v->broken, p9_virtio_broken);
	v->dev = dev;
	err = virtio_find_vqs(dev, 1, &setup, &v->vq);
	if (err)
		goto out;
	err = -ENOSPC;
	if (virtqueue_size(v->vq) < 8)
		goto out;
	v->channel = (struct p9_channel){
		.tag = v->tag,
		.max_pages = MIN(PAGES_MAX, virtqueue_size(v->vq) - 4),
		.submit = p9_virtio_submit,
		.private = v,
	};
	dev->private = v;
	virtio_ready(dev);
	p9_channel_add(&v->channel);
	return 0;
out:
	kfree(v);
	return err;
}

const struct virtio_driver virtio_9p_driver = {
	.name = "virtio-9p",
	.id = VIRTIO_ID_9P,
	.features = BIT(F_MOUNT_TAG),
	.probe = p9_virtio_probe,
};
