/* SPDX-License-Identifier: MIT */
/*
 * Flushes: what makes finished writes durable on a disk with a volatile cache.
 *
 * Many threads that sync at the same time share flushes. While one is on its way, those who want
 * another wait in a list (the one under way may have passed their data by); when it ends, one more
 * serves them all. So there is at most one flush in flight on a disk, and nobody waits for more
 * than two.
 *
 * A write with BIO_PREFLUSH waits for a flush, then goes out. A write with BIO_FUA on a disk that
 * does not know it goes out, then waits for a flush. On a disk without a cache all of that is
 * nothing.
 *
 * Locking: flush->lock, taken in interrupts; never held while a queue's lock is.
 */
#include "block_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"

struct disk_flush {
	struct spinlock lock;
	struct bio *waiting; /* for the next flush */
	struct bio *running; /* for the one in flight */
	bool busy;
	struct bio bio; /* the flush itself, while busy */
};

int
flush_create(struct disk *disk)
{
	disk->flush = kzalloc(sizeof(*disk->flush), GFP_KERNEL);
	if (!disk->flush)
		return -ENOMEM;
	spin_init(&disk->flush->lock, RANK_DEVICE);
	return 0;
}

void
flush_destroy(struct disk *disk)
{
	kfree(disk->flush);
}

static void flush_finished(struct bio *bio);

static void
flush_start(struct disk *disk)
{
	struct bio *bio = &disk->flush->bio;

	bio_init(bio, disk->device, BIO_FLUSH, 0, NULL, 0);
	bio->done = flush_finished;
	bio->dispatched = 0;
	bio->disk_sector = 0;
	atomic_set(&bio->parts, 1);
	queue_bios(disk, bio, bio);
}

/* Until the next flush that begins from now on has ended. */
static void
flush_wait(struct bio *bio)
{
	struct disk *disk = bio->dev->disk;
	struct disk_flush *fl = disk->flush;
	unsigned long flags = spin_lock_irqsave(&fl->lock);
	bool start = !fl->busy;

	if (start) {
		fl->busy = true;
		bio->next = NULL;
		fl->running = bio;
	} else {
		bio->next = fl->waiting;
		fl->waiting = bio;
	}
	spin_unlock_irqrestore(&fl->lock, flags);
	if (start)
		flush_start(disk);
}

/* The flush that the bio waited for has ended. */
static void
stage_next(struct bio *bio, int status)
{
	bool data_follows = bio->stage == STAGE_PREFLUSH && bio->op != BIO_FLUSH;

	if (status || !data_follows) {
		bio->status = status;
		bio->stage = STAGE_NONE;
		bio->done(bio);
		return;
	}
	bio->next = NULL;
	bio->stage = (bio->flags & BIO_FUA) && !bio->dev->disk->limits.fua ? STAGE_DATA
									   : STAGE_NONE;
	queue_bios(bio->dev->disk, bio, bio);
}

static void
flush_finished(struct bio *flush)
{
	struct disk *disk = flush->dev->disk;
	struct disk_flush *fl = disk->flush;
	int status = flush->status;
	unsigned long flags = spin_lock_irqsave(&fl->lock);
	struct bio *bio = fl->running;
	bool again = fl->waiting != NULL;

	fl->running = fl->waiting;
	fl->waiting = NULL;
	fl->busy = again;
	spin_unlock_irqrestore(&fl->lock, flags);
	if (again)
		flush_start(disk);
	while (bio) {
		struct bio *next = bio->next;

		stage_next(bio, status);
		bio = next;
	}
}

void
flush_submit(struct bio *bio)
{
	const struct disk_limits *limits = &bio->dev->disk->limits;

	if (!limits->write_cache) {
		if (bio->op == BIO_FLUSH) {
			bio->done(bio);
			return;
		}
		queue_bio(bio);
	} else if (bio->op == BIO_FLUSH || (bio->flags & BIO_PREFLUSH)) {
		bio->stage = STAGE_PREFLUSH;
		flush_wait(bio);
	} else {
		bio->stage = limits->fua ? STAGE_NONE : STAGE_DATA;
		queue_bio(bio);
	}
}

void
flush_data_done(struct bio *bio)
{
	if (bio->status) {
		bio->stage = STAGE_NONE;
		bio->done(bio);
		return;
	}
	bio->stage = STAGE_POSTFLUSH;
	flush_wait(bio);
}
