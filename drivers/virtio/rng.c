/* SPDX-License-Identifier: MIT */
/*
 * virtio-rng, virtio 1.2 section 5.4: the host's entropy for core/random.c. A few bytes at
 * start-up, then again every few minutes; the pool mixes, so the host is not trusted to be random.
 */
#include "core/log.h"
#include "core/random.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "drivers/virtio/drivers.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define BYTES  64
#define PERIOD (300 * NSEC_PER_SEC)

struct rng {
	struct virtqueue *vq;
	struct spinlock lock; /* vq */
	struct delayed_work ask;
	u8 bytes[BYTES] __aligned(64);
};

static void
rng_ask(struct work *w)
{
	struct rng *r = container_of(w, struct rng, ask.work);
	struct virtq_piece piece = { virt_to_phys(r->bytes), BYTES };
	unsigned long flags = spin_lock_irqsave(&r->lock);

	if (virtqueue_add(r->vq, &piece, 0, 1, r) == 0)
		virtqueue_kick(r->vq);
	spin_unlock_irqrestore(&r->lock, flags);
}

static void
rng_answered(struct virtqueue *vq)
{
	struct rng *r = virtqueue_private(vq);
	unsigned long flags = spin_lock_irqsave(&r->lock);
	u32 len, got = 0;

	do {
		while (virtqueue_get(vq, &len))
			got = len;
	} while (!virtqueue_enable_cb(vq));
	spin_unlock_irqrestore(&r->lock, flags);
	if (!got)
		return;
	random_add(r->bytes, MIN(got, (u32)BYTES));
	memzero_explicit(r->bytes, BYTES);
	(void)delayed_work_queue(&r->ask, PERIOD);
}

static int
rng_probe(struct virtio_device *dev)
{
	struct rng *r = kzalloc(sizeof(*r), GFP_KERNEL);
	struct virtqueue_setup setup = { .name = "virtio-rng",
					 .callback = rng_answered,
					 .private = r };
	int err;

	if (!r)
		return -ENOMEM;
	spin_init(&r->lock, RANK_DEVICE);
	delayed_work_init(&r->ask, rng_ask);
	err = virtio_find_vqs(dev, 1, &setup, &r->vq);
	if (err) {
		kfree(r);
		return err;
	}
	dev->private = r;
	virtio_ready(dev);
	rng_ask(&r->ask.work);
	return 0;
}

const struct virtio_driver virtio_rng_driver = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_RNG,
	.probe = rng_probe,
};
