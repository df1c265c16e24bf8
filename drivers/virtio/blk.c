/* SPDX-License-Identifier: MIT */
/*
 * virtio-blk, virtio 1.2 section 5.2: disks vda, vdb, ... with one virtqueue for each CPU.
 *
 * A request is a header, the memory, a status byte; header, status and the table of pieces lie with
 * the block room's request, so submitting allocates nothing. The disk queue's lock is the
 * virtqueue's: one lock for a submission, and one for all completions of an interrupt.
 *
 * A queue that breaks, or an answer that makes no sense, ends in EIO for what is in flight: the
 * device is reset first, so that it writes to no memory that is given back.
 */
#include "block/block.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "drivers/virtio/drivers.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define F_SIZE_MAX     1
#define F_SEG_MAX      2
#define F_RO	       5
#define F_BLK_SIZE     6
#define F_FLUSH	       9
#define F_TOPOLOGY     10
#define F_CONFIG_WCE   11
#define F_MQ	       12
#define F_DISCARD      13
#define F_WRITE_ZEROES 14

#define CFG_CAPACITY	      0
#define CFG_SIZE_MAX	      8
#define CFG_SEG_MAX	      12
#define CFG_BLK_SIZE	      20
#define CFG_PHYSICAL_EXP      24
#define CFG_ALIGNMENT	      25
#define CFG_IO_MIN	      26
#define CFG_IO_OPT	      28
#define CFG_WRITEBACK	      32
#define CFG_NUM_QUEUES	      34
#define CFG_DISCARD_SECTORS   36
#define CFG_DISCARD_ALIGNMENT 44
#define CFG_ZEROES_SECTORS    48
#define CFG_ZEROES_MAY_UNMAP  56

#define T_IN	       0
#define T_OUT	       1
#define T_FLUSH	       4
#define T_GET_ID       8
#define T_DISCARD      11
#define T_WRITE_ZEROES 13

#define S_OK	 0
#define S_UNSUPP 2
#define S_NONE	 0xff /* ours: the device has not written it */

#define MAJOR		 254 /* where Linux's first dynamic major number lies */
#define MINORS		 16
#define SEGMENTS_MAX	 116 /* so that a request with its table stays within 2 KiB */
#define SEGMENTS_DEFAULT 1   /* a device that does not say takes one */
#define QUEUES_MAX	 64
#define DEPTH_MAX	 128 /* of a single queue; of several, each has half */
#define DIRECT_PIECES	 4   /* with so few the ring's own descriptors will do */
#define SERIAL_LEN	 20

struct range { /* of discard and write zeroes */
	u64 sector;
	u32 sectors, flags;
};

struct command { /* behind each request */
	struct {
		u32 type, reserved;
		u64 sector;
	} head;
	struct range range;
	u8 status;
	struct virtq_desc table[];
};

STATIC_ASSERT(sizeof(struct request) + sizeof(struct command) +
		      (SEGMENTS_MAX + 2) * sizeof(struct virtq_desc) <=
	      2048);

struct blk_queue {
	struct virtqueue *vq;
	struct disk_queue *queue;
	struct virtq_piece pieces[SEGMENTS_MAX + 2]; /* queue->lock */
	char name[16];
};

struct blk {
	struct virtio_device *dev;
	struct disk *disk;
	u32 nr_queues;
	bool indirect;
	struct work resize, broken;
	struct blk_queue queues[];
};

static struct atomic32 next_index = ATOMIC_INIT(0);

/* ---- requests ---- */

static u32
type_of(const struct request *rq)
{
	switch (rq->op) {
	case BIO_READ: return T_IN;
	case BIO_WRITE: return T_OUT;
	case BIO_FLUSH: return T_FLUSH;
	case BIO_DISCARD: return T_DISCARD;
	default: return T_WRITE_ZEROES;
	}
}

static int
blk_queue(struct disk_queue *q, struct request *rq)
{
	struct blk_queue *bq = q->private;
	const struct blk *blk = q->disk->private;
	struct command *c = request_payload(rq);
	struct virtq_piece *pieces = bq->pieces;
	struct request_iter it;
	struct bio_vec vec;
	u32 n = 1, n_out;
	int err;

	c->head.type = type_of(rq);
	c->head.reserved = 0;
	c->head.sector = rq->op == BIO_READ || rq->op == BIO_WRITE ? rq->sector : 0;
	c->status = S_NONE;
	pieces[0] = (struct virtq_piece){ virt_to_phys(&c->head), sizeof(c->head) };
	if (rq->op == BIO_DISCARD || rq->op == BIO_WRITE_ZEROES) {
		c->range = (struct range){ rq->sector, rq->bytes >> SECTOR_SHIFT,
					   rq->op == BIO_WRITE_ZEROES && !rq->no_unmap };
		pieces[n++] = (struct virtq_piece){ virt_to_phys(&c->range), sizeof(c->range) };
	}
	request_iter_init(&it, rq);
	while (request_next_vec(&it, &vec))
		pieces[n++] = (struct virtq_piece){ page_to_phys(vec.page) + vec.offset, vec.len };
	n_out = rq->op == BIO_READ ? 1 : n;
	pieces[n++] = (struct virtq_piece){ virt_to_phys(&c->status), 1 };
	if (blk->indirect &&
	    (n > DIRECT_PIECES || virtqueue_free(bq->vq) < virtqueue_size(bq->vq) / 2))
		err = virtqueue_add_indirect(bq->vq, c->table, pieces, n_out, n - n_out, rq);
	else
		err = virtqueue_add(bq->vq, pieces, n_out, n - n_out, rq);
	return err == -ENOSPC ? -EBUSY : err;
}

static void
blk_commit(struct disk_queue *q)
{
	struct blk_queue *bq = q->private;

	virtqueue_kick(bq->vq);
}

static int
result_of(const struct request *rq)
{
	const struct command *c = request_payload((struct request *)(uintptr_t)rq);

	if (c->status == S_OK)
		return 0;
	return c->status == S_UNSUPP ? -EOPNOTSUPP : -EIO;
}

static void
blk_interrupt(struct virtqueue *vq)
{
	struct blk_queue *bq = virtqueue_private(vq);
	struct disk_queue *q = bq->queue;
	struct blk *blk = q->disk->private;
	struct request_batch done = { NULL, NULL };
	unsigned long flags = spin_lock_irqsave(&q->lock);
	struct request *rq;

	do {
		virtqueue_disable_cb(vq);
		while ((rq = virtqueue_get(vq, NULL)))
			request_done(&done, rq, result_of(rq));
	} while (!virtqueue_enable_cb(vq));
	disk_queue_run(q, &done);
	spin_unlock_irqrestore(&q->lock, flags);
	request_batch_end(&done);
	if (unlikely(virtqueue_broken(vq)))
		(void)work_queue(&blk->broken);
}

/* The device is beyond belief: stop it, then end what it had. */
static void
blk_broken(struct work *w)
{
	struct blk *blk = container_of(w, struct blk, broken);

	disk_kill(blk->disk);
	virtio_reset(blk->dev);
	for (u32 i = 0; i < blk->nr_queues; i++) {
		struct disk_queue *q = blk->queues[i].queue;
		struct request_batch done = { NULL, NULL };
		unsigned long flags = spin_lock_irqsave(&q->lock);
		struct request *rq;

		while ((rq = virtqueue_detach(blk->queues[i].vq)))
			request_done(&done, rq, -EIO);
		spin_unlock_irqrestore(&q->lock, flags);
		request_batch_end(&done);
	}
}

/* ---- the device ---- */

static void
blk_resize(struct work *w)
{
	struct blk *blk = container_of(w, struct blk, resize);
	u64 sectors = virtio_config_read64(blk->dev, CFG_CAPACITY);

	if (sectors == blk->disk->sectors)
		return;
	log_info("%s: now %lu sectors\n", blk->disk->name, sectors);
	disk_set_capacity(blk->disk, sectors);
}

static void
blk_config_changed(struct virtio_device *dev)
{
	struct blk *blk = dev->private;

	if (blk)
		(void)work_queue(&blk->resize);
}

static u32
power_of_two(u32 value, u32 low, u32 high, u32 otherwise)
{
	return value >= low && value <= high && !(value & (value - 1)) ? value : otherwise;
}

static void
limits_read(struct virtio_device *dev, struct disk_limits *l)
{
	u32 segments = SEGMENTS_DEFAULT;

	if (virtio_has(dev, F_SEG_MAX))
		segments = virtio_config_read32(dev, CFG_SEG_MAX);
	l->max_segments = CLAMP(segments, 1u, (u32)SEGMENTS_MAX);
	if (virtio_has(dev, F_SIZE_MAX))
		l->max_segment_size = ALIGN_DOWN(
			MAX(virtio_config_read32(dev, CFG_SIZE_MAX), SECTOR_SIZE), SECTOR_SIZE);
	if (virtio_has(dev, F_BLK_SIZE))
		l->logical_size = power_of_two(virtio_config_read32(dev, CFG_BLK_SIZE), SECTOR_SIZE,
					       PAGE_SIZE, SECTOR_SIZE);
	l->physical_size = l->logical_size;
	if (virtio_has(dev, F_TOPOLOGY)) {
		u8 exp = virtio_config_read8(dev, CFG_PHYSICAL_EXP);

		if (exp < 12)
			l->physical_size = l->logical_size << exp;
		l->alignment_offset = virtio_config_read8(dev, CFG_ALIGNMENT) * l->logical_size;
		l->io_min = virtio_config_read16(dev, CFG_IO_MIN) * l->logical_size;
		l->io_opt = virtio_config_read32(dev, CFG_IO_OPT) * l->logical_size;
	}
	if (virtio_has(dev, F_DISCARD)) {
		l->max_discard_sectors = virtio_config_read32(dev, CFG_DISCARD_SECTORS);
		l->discard_granularity = virtio_config_read32(dev, CFG_DISCARD_ALIGNMENT)
					 << SECTOR_SHIFT;
		if (!l->discard_granularity)
			l->discard_granularity = l->logical_size;
	}
	if (virtio_has(dev, F_WRITE_ZEROES)) {
		l->max_zeroes_sectors = virtio_config_read32(dev, CFG_ZEROES_SECTORS);
		l->zeroes_unmap = virtio_config_read8(dev, CFG_ZEROES_MAY_UNMAP);
	}
	/* Their length in bytes is a u32 here. */
	l->max_discard_sectors = MIN(l->max_discard_sectors, UINT32_MAX >> SECTOR_SHIFT);
	l->max_zeroes_sectors = MIN(l->max_zeroes_sectors, UINT32_MAX >> SECTOR_SHIFT);
	l->write_cache = virtio_has(dev, F_FLUSH);
	if (virtio_has(dev, F_CONFIG_WCE))
		l->write_cache = virtio_config_read8(dev, CFG_WRITEBACK);
}

static int
queues_find(struct blk *blk)
{
	struct virtqueue_setup *setup = kzalloc(blk->nr_queues * sizeof(*setup), GFP_KERNEL);
	struct virtqueue **vqs = kzalloc(blk->nr_queues * sizeof(*vqs), GFP_KERNEL);
	int err = setup && vqs ? 0 : -ENOMEM;

	for (u32 i = 0; i < blk->nr_queues && !err; i++) {
		struct blk_queue *bq = &blk->queues[i];

		snprintf(bq->name, sizeof(bq->name), "%s-req.%u", blk->dev->name, i);
		setup[i] = (struct virtqueue_setup){ .name = bq->name,
						     .callback = blk_interrupt,
						     .cpu = i % cpu_count,
						     .private = bq };
	}
	if (!err)
		err = virtio_find_vqs(blk->dev, blk->nr_queues, setup, vqs);
	for (u32 i = 0; i < blk->nr_queues && !err; i++)
		blk->queues[i].vq = vqs[i];
	kfree(setup);
	kfree(vqs);
	return err;
}

/* The serial number, which is asked for as a request is, before there are others. */
static void
serial_read(struct blk *blk)
{
	struct virtqueue *vq = blk->queues[0].vq;
	struct disk_queue *q = blk->queues[0].queue;
	struct command *c = kzalloc(sizeof(*c) + SERIAL_LEN, GFP_KERNEL);
	char *id = c ? (char *)(c + 1) : NULL;
	struct virtq_piece pieces[3];
	unsigned long flags;
	void *back = NULL;

	if (!c)
		return;
	c->head.type = T_GET_ID;
	c->status = S_NONE;
	pieces[0] = (struct virtq_piece){ virt_to_phys(&c->head), sizeof(c->head) };
	pieces[1] = (struct virtq_piece){ virt_to_phys(id), SERIAL_LEN };
	pieces[2] = (struct virtq_piece){ virt_to_phys(&c->status), 1 };
	flags = spin_lock_irqsave(&q->lock);
	virtqueue_disable_cb(vq);
	if (virtqueue_add(vq, pieces, 1, 2, c) == 0)
		virtqueue_kick(vq);
	for (u32 i = 0; i < 100000 && !back && !virtqueue_broken(vq); i++) {
		back = virtqueue_get(vq, NULL);
		if (!back)
			udelay(1);
	}
	(void)virtqueue_enable_cb(vq);
	spin_unlock_irqrestore(&q->lock, flags);
	if (!back)
		return; /* it is the device's until the reset: never freed */
	if (c->status == S_OK)
		memcpy(blk->disk->serial, id, SERIAL_LEN);
	kfree(c);
}

static const struct disk_ops blk_disk_ops;

static int
disk_make(struct blk *blk)
{
	u32 segments, depth, index = (u32)atomic_fetch_add(&next_index, 1);
	struct disk_limits limits = { .logical_size = SECTOR_SIZE };
	struct disk *disk;

	limits_read(blk->dev, &limits);
	depth = MIN(virtqueue_size(blk->queues[0].vq),
		    blk->nr_queues > 1 ? (u32)DEPTH_MAX / 2 : (u32)DEPTH_MAX);
	blk->indirect = virtio_has(blk->dev, VIRTIO_F_INDIRECT_DESC);
	/* Without indirect tables a request must fit into the ring. */
	if (!blk->indirect)
		limits.max_segments = MIN(limits.max_segments,
					  virtqueue_size(blk->queues[0].vq) - 2);
	segments = blk->indirect ? limits.max_segments + 2 : 0;
	disk = disk_create(blk->nr_queues, depth,
			   (u32)(sizeof(struct command) + segments * sizeof(struct virtq_desc)));
	if (!disk)
		return -ENOMEM;
	disk->limits = limits;
	disk->ops = &blk_disk_ops;
	disk->private = blk;
	disk->major = MAJOR;
	disk->first_minor = index * MINORS;
	disk->minors = MINORS;
	disk->sectors = virtio_config_read64(blk->dev, CFG_CAPACITY);
	disk->read_only = virtio_has(blk->dev, F_RO);
	disk_name(disk->name, sizeof(disk->name), "vd", index);
	for (u32 i = 0; i < blk->nr_queues; i++) {
		disk->queues[i].private = &blk->queues[i];
		blk->queues[i].queue = &disk->queues[i];
	}
	blk->disk = disk;
	return 0;
}

static int
blk_probe(struct virtio_device *dev)
{
	u32 queues = virtio_has(dev, F_MQ) ? virtio_config_read16(dev, CFG_NUM_QUEUES) : 1;
	struct blk *blk;
	int err;

	queues = CLAMP(queues, 1u, MIN(cpu_count, (u32)QUEUES_MAX));
	blk = kvmalloc(sizeof(*blk) + queues * sizeof(blk->queues[0]), GFP_KERNEL | GFP_ZERO);
	if (!blk)
		return -ENOMEM;
	blk->dev = dev;
	blk->nr_queues = queues;
	work_init(&blk->resize, blk_resize);
	work_init(&blk->broken, blk_broken);
	err = queues_find(blk);
	if (err)
		goto out_free;
	err = disk_make(blk);
	if (err)
		goto out_free;
	virtio_ready(dev);
	serial_read(blk);
	dev->private = blk;
	err = disk_register(blk->disk);
	if (err)
		goto out_disk;
	log_info("%s: %s, %lu sectors, %u queue%s%s\n", blk->disk->name, dev->name,
		 blk->disk->sectors, queues, queues > 1 ? "s" : "",
		 blk->disk->read_only ? ", read-only" : "");
	return 0;
out_disk:
	dev->private = NULL;
	virtio_reset(dev);
	disk_put(blk->disk);
out_free:
	virtio_del_vqs(dev);
	kvfree(blk);
	return err;
}

static const struct disk_ops blk_disk_ops = {
	.queue = blk_queue,
	.commit = blk_commit,
};

const struct virtio_driver virtio_blk_driver = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.features = BIT(F_SIZE_MAX) | BIT(F_SEG_MAX) | BIT(F_RO) | BIT(F_BLK_SIZE) | BIT(F_FLUSH) |
		    BIT(F_TOPOLOGY) | BIT(F_CONFIG_WCE) | BIT(F_MQ) | BIT(F_DISCARD) |
		    BIT(F_WRITE_ZEROES),
	.probe = blk_probe,
	.config_changed = blk_config_changed,
};
