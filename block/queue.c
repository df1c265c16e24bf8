/* SPDX-License-Identifier: MIT */
/*
 * Queues of a disk: from bios to requests that a driver carries out.
 *
 * A disk has as many queues as its hardware has, one for each CPU at best, and nothing is shared
 * between them. Submitting takes the lock of one queue, turns waiting bios into requests as long as
 * there are free ones and the driver takes them, and tells the device once. A bio that finds no
 * free request waits in the queue's list; the completion that frees one goes on with the list.
 * Nothing is allocated: requests live with the queue, with the driver's own part behind each.
 *
 * A request is a run of sectors. It begins with the first waiting bio; those that follow in the
 * list and lie just behind (or in front) are taken along while the disk's limits allow. A bio that
 * is larger than a request may be goes out in parts; it stays at the head of the list until its
 * last part is made.
 *
 * Locking: queue->lock, taken in interrupts, guards the queue, its requests, the driver's ring and
 * the statistics. Bios end outside of it.
 */
#include "block_internal.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "uapi/errno.h"

static bool
has_data(u8 op)
{
	return op == BIO_READ || op == BIO_WRITE;
}

static void
batch_add(struct request_batch *batch, struct bio *bio)
{
	bio->next = NULL;
	if (batch->tail)
		batch->tail->next = bio;
	else
		batch->head = bio;
	batch->tail = bio;
}

void
request_batch_end(struct request_batch *batch)
{
	struct bio *bio = batch->head;

	while (bio) {
		struct bio *next = bio->next;

		bio_end(bio);
		bio = next;
	}
}

/* ---- statistics: of the device, and of its disk ---- */

struct block_stats *
stats_create(const struct disk *disk)
{
	return kzalloc(disk->nr_queues * sizeof(struct block_stats), GFP_KERNEL);
}

static void
stats_start(struct block_stats *s, u64 now)
{
	if (!s->in_flight++)
		s->busy_since = now;
}

static void
stats_end(struct block_stats *s, const struct request *rq, u64 now)
{
	u32 kind = rq->op == BIO_READ ? 0 : rq->op == BIO_DISCARD ? 2 : 1;

	if (rq->op == BIO_FLUSH) {
		s->flushes++;
		s->flush_ns += now - rq->started_ns;
	} else {
		s->ios[kind]++;
		s->merges[kind] += rq->merged;
		s->sectors[kind] += rq->bytes >> SECTOR_SHIFT;
		s->ns[kind] += now - rq->started_ns;
	}
	if (!--s->in_flight)
		s->busy_ns += now - s->busy_since;
}

static void
account_start(struct request *rq, u64 now)
{
	struct block_device *dev = rq->first->dev;
	u32 q = rq->queue->index;

	rq->started_ns = now;
	stats_start(&dev->stats[q], now);
	if (dev != dev->whole)
		stats_start(&dev->whole->stats[q], now);
}

static void
account_end(struct request *rq, u64 now)
{
	struct block_device *dev = rq->first->dev;
	u32 q = rq->queue->index;

	stats_end(&dev->stats[q], rq, now);
	if (dev != dev->whole)
		stats_end(&dev->whole->stats[q], rq, now);
}

/* ---- the memory of a request ---- */

void
request_iter_init(struct request_iter *it, const struct request *rq)
{
	u32 skip = rq->offset;

	*it = (struct request_iter){ .bio = rq->first, .left = has_data(rq->op) ? rq->bytes : 0 };
	it->max = rq->queue->disk->limits.max_segment_size;
	while (skip && skip >= it->bio->vecs[it->vec].len)
		skip -= it->bio->vecs[it->vec++].len;
	it->offset = skip;
}

bool
request_next_vec(struct request_iter *it, struct bio_vec *out)
{
	const struct bio_vec *v;
	u32 n;

	if (!it->left)
		return false;
	while (it->vec == it->bio->nr_vecs) {
		it->bio = it->bio->next;
		it->vec = 0;
	}
	v = &it->bio->vecs[it->vec];
	n = MIN(v->len - it->offset, it->left);
	if (it->max && n > it->max)
		n = it->max;
	*out = (struct bio_vec){ v->page, v->offset + it->offset, n };
	it->left -= n;
	it->offset += n;
	if (it->offset == v->len) {
		it->vec++;
		it->offset = 0;
	}
	return true;
}

/* ---- making requests ---- */

/* Disks that address memory by pages: a request has no gap, that is a piece that ends, or starts,
 * within a page, other than at the request's own end and start. */
static bool
gap_between(const struct bio_vec *a, const struct bio_vec *b)
{
	return ((page_to_phys(a->page) + a->offset + a->len) | b->offset) & ~PAGE_MASK;
}

static bool
has_gap(const struct bio *bio)
{
	for (u32 i = 1; i < bio->nr_vecs; i++)
		if (gap_between(&bio->vecs[i - 1], &bio->vecs[i]))
			return true;
	return false;
}

/* What is left of the first bio, or as much as a request holds; true if that is all of it. */
static bool
take_first(struct request *rq, struct bio *bio)
{
	const struct disk_limits *limits = &rq->queue->disk->limits;
	u32 left = bio->bytes - bio->dispatched, max = left;
	struct bio_vec vec, previous = { 0 };
	struct request_iter it;

	if (bio->op == BIO_DISCARD)
		max = MIN(max, limits->max_discard_sectors << SECTOR_SHIFT);
	else if (bio->op == BIO_WRITE_ZEROES)
		max = MIN(max, limits->max_zeroes_sectors << SECTOR_SHIFT);
	else if (limits->max_bytes)
		max = MIN(max, limits->max_bytes);
	rq->bytes = max;
	rq->offset = bio->dispatched;
	rq->segments = 0;
	if (has_data(bio->op)) {
		u32 bytes = 0;

		request_iter_init(&it, rq);
		while (rq->segments < limits->max_segments && request_next_vec(&it, &vec)) {
			if (limits->whole_pages && rq->segments && gap_between(&previous, &vec))
				break;
			rq->segments++;
			bytes += vec.len;
			previous = vec;
		}
		rq->bytes = bytes;
	}
	if (rq->bytes == left)
		return true;
	rq->bytes = ALIGN_DOWN(rq->bytes, MAX(limits->logical_size, SECTOR_SIZE));
	return false;
}

static u32
count_segments(const struct bio *bio, u32 max)
{
	u32 n = bio->nr_vecs;

	for (u32 i = 0; max && i < bio->nr_vecs; i++)
		n += (bio->vecs[i].len - 1) / max;
	return n;
}

/* May the whole of `bio` join the request? Nothing of it has been sent. */
static bool
fits(const struct request *rq, const struct bio *bio, u32 segments)
{
	const struct disk_limits *limits = &rq->queue->disk->limits;

	return bio->op == rq->op && bio->dev == rq->first->dev && !bio->dispatched &&
	       !((bio->flags ^ rq->first->flags) & BIO_FUA) &&
	       rq->segments + segments <= limits->max_segments &&
	       (!limits->max_bytes ||
		bio->bytes <= limits->max_bytes - MIN(rq->bytes, limits->max_bytes)) &&
	       rq->bytes + bio->bytes > rq->bytes && !(limits->whole_pages && has_gap(bio));
}

static bool
joins(const struct bio *a, const struct bio *b)
{
	return !a->dev->disk->limits.whole_pages ||
	       !gap_between(&a->vecs[a->nr_vecs - 1], &b->vecs[0]);
}

static void
merge_neighbours(struct disk_queue *q, struct request *rq)
{
	u32 max = q->disk->limits.max_segment_size;
	struct bio *bio;

	while ((bio = q->head)) {
		u32 segments = count_segments(bio, max);
		bool behind = bio->disk_sector == rq->sector + (rq->bytes >> SECTOR_SHIFT);
		bool in_front = bio->disk_sector + (bio->bytes >> SECTOR_SHIFT) == rq->sector &&
				!rq->offset;

		if ((!behind && !in_front) || !fits(rq, bio, segments) ||
		    !(behind ? joins(rq->last, bio) : joins(bio, rq->first)))
			return;
		q->head = bio->next;
		if (!q->head)
			q->tail = NULL;
		if (behind) {
			bio->next = NULL;
			rq->last->next = bio;
			rq->last = bio;
		} else {
			bio->next = rq->first;
			rq->first = bio;
			rq->sector = bio->disk_sector;
		}
		rq->bytes += bio->bytes;
		rq->segments += (u16)segments;
		rq->merged++;
	}
}

/* The next request from the list, which is not empty. False: its first bio cannot be carried out.
 */
static bool
request_make(struct disk_queue *q, struct request *rq)
{
	struct bio *bio = q->head;

	rq->op = bio->op;
	rq->fua = bio->flags & BIO_FUA;
	rq->no_unmap = bio->flags & BIO_NO_UNMAP;
	rq->first = rq->last = bio;
	rq->merged = 0;
	rq->sector = bio->disk_sector + (bio->dispatched >> SECTOR_SHIFT);
	if (!take_first(rq, bio)) {
		bio->dispatched += rq->bytes;
		atomic_inc(&bio->parts);
		return rq->bytes != 0;
	}
	q->head = bio->next;
	if (!q->head)
		q->tail = NULL;
	bio->next = NULL;
	if (has_data(bio->op))
		merge_neighbours(q, rq);
	return true;
}

/* The first bio's memory is in pieces smaller than the disk's blocks. */
static void
fail_first(struct disk_queue *q, struct request_batch *batch)
{
	struct bio *bio = q->head;

	q->head = bio->next;
	if (!q->head)
		q->tail = NULL;
	bio->status = -EIO;
	(void)atomic_dec_and_test(&bio->parts); /* the request that was not made */
	if (atomic_dec_and_test(&bio->parts))
		batch_add(batch, bio);
}

static struct request *
request_next(struct disk_queue *q, struct request_batch *batch, u64 *now)
{
	struct request *rq = q->stalled;

	if (rq) {
		q->stalled = NULL;
		return rq;
	}
	rq = q->free;
	if (!rq)
		return NULL;
	do {
		if (!q->head)
			return NULL;
		if (request_make(q, rq))
			break;
		fail_first(q, batch);
	} while (true);
	q->free = rq->next;
	if (!*now)
		*now = time_mono_ns();
	account_start(rq, *now);
	q->in_flight++;
	return rq;
}

/* The queue's disk is dead: what waits fails. */
static void
fail_waiting(struct disk_queue *q, struct request_batch *batch)
{
	struct request *rq = q->stalled;
	struct bio *bio;

	q->stalled = NULL;
	if (rq)
		request_done(batch, rq, -EIO);
	while ((bio = q->head)) {
		q->head = bio->next;
		bio->status = -EIO;
		if (atomic_dec_and_test(&bio->parts))
			batch_add(batch, bio);
	}
	q->tail = NULL;
}

void
disk_queue_run(struct disk_queue *q, struct request_batch *batch)
{
	const struct disk_ops *ops = q->disk->ops;
	bool started = false;
	struct request *rq;
	u64 now = 0;

	if (unlikely(q->dead)) {
		fail_waiting(q, batch);
		return;
	}
	while ((rq = request_next(q, batch, &now))) {
		int err = ops->queue(q, rq);

		if (!err) {
			started = true;
		} else if (err == -EBUSY && q->in_flight > 1) {
			q->stalled = rq;
			break;
		} else {
			/* No other request is out whose end would bring us back. */
			request_done(batch, rq, err == -EBUSY ? -EIO : err);
		}
	}
	if (started && ops->commit)
		ops->commit(q);
}

void
request_done(struct request_batch *batch, struct request *rq, int error)
{
	struct disk_queue *q = rq->queue;
	struct bio *bio = rq->first, *last = rq->last;

	account_end(rq, time_mono_ns());
	for (;;) {
		/* Of a bio that is not whole here, `next` is the waiting list's. */
		struct bio *next = bio == last ? NULL : bio->next;

		if (error)
			bio->status = error;
		if (atomic_dec_and_test(&bio->parts))
			batch_add(batch, bio);
		if (!next)
			break;
		bio = next;
	}
	rq->next = q->free;
	q->free = rq;
	q->in_flight--;
}

/* ---- submitting ---- */

void
queue_bios(struct disk *disk, struct bio *head, struct bio *tail)
{
	/* Any queue is right; the CPU's own is the one whose lock nobody else wants. */
	struct disk_queue *q = &disk->queues[cpu_id() % disk->nr_queues];
	struct request_batch failed = { NULL, NULL };
	unsigned long flags = spin_lock_irqsave(&q->lock);

	if (q->tail)
		q->tail->next = head;
	else
		q->head = head;
	q->tail = tail;
	disk_queue_run(q, &failed);
	spin_unlock_irqrestore(&q->lock, flags);
	if (unlikely(failed.head))
		request_batch_end(&failed);
}

void
queue_bio(struct bio *bio)
{
	if (!plug_add(bio))
		queue_bios(bio->dev->disk, bio, bio);
}

void
disk_kill(struct disk *disk)
{
	for (u32 i = 0; i < disk->nr_queues; i++) {
		struct disk_queue *q = &disk->queues[i];
		struct request_batch failed = { NULL, NULL };
		unsigned long flags = spin_lock_irqsave(&q->lock);

		q->dead = true;
		fail_waiting(q, &failed);
		spin_unlock_irqrestore(&q->lock, flags);
		request_batch_end(&failed);
	}
}

/* ---- making ---- */

static int
queue_init(struct disk_queue *q, u32 payload)
{
	spin_init(&q->lock, RANK_DEVICE);
	q->requests = kzalloc(q->depth * sizeof(*q->requests), GFP_KERNEL);
	if (!q->requests)
		return -ENOMEM;
	for (u32 i = q->depth; i-- > 0;) {
		struct request *rq = kzalloc(sizeof(*rq) + payload, GFP_KERNEL);

		if (!rq)
			return -ENOMEM;
		rq->queue = q;
		rq->tag = i;
		rq->next = q->free;
		q->free = q->requests[i] = rq;
	}
	return 0;
}

int
queues_create(struct disk *disk, u32 count, u32 depth, u32 payload)
{
	int err = 0;

	disk->queues = kzalloc(count * sizeof(*disk->queues), GFP_KERNEL);
	if (!disk->queues)
		return -ENOMEM;
	disk->nr_queues = count;
	disk->depth = depth;
	disk->payload = payload;
	for (u32 i = 0; i < count; i++) {
		disk->queues[i].index = i;
		disk->queues[i].disk = disk;
		disk->queues[i].depth = depth;
	}
	for (u32 i = 0; i < count && !err; i++)
		err = queue_init(&disk->queues[i], payload);
	if (err)
		queues_destroy(disk);
	return err;
}

void
queues_destroy(struct disk *disk)
{
	for (u32 i = 0; i < disk->nr_queues; i++) {
		struct disk_queue *q = &disk->queues[i];

		for (u32 n = 0; q->requests && n < q->depth; n++)
			kfree(q->requests[n]);
		kfree(q->requests);
	}
	kfree(disk->queues);
	disk->queues = NULL;
	disk->nr_queues = 0;
}
