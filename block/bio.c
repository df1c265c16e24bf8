/* SPDX-License-Identifier: MIT */
/*
 * struct bio: making, submitting and ending one.
 *
 * A bio on its way may be carried out by several requests. bio->parts counts them, and one more
 * until the last has been made; whoever takes it to zero ends the bio. A bio with a flush before or
 * after its data passes through here once a stage (flush.c).
 *
 * bio_alloc has a small reserve of bios of full size: when memory is short, one of them is waited
 * for, and as those in flight end without needing memory, it comes.
 */
#include "block_internal.h"
#include "core/panic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/wait.h"
#include "uapi/errno.h"

#define RESERVE 4

/* bio->pool */
#define POOL_INLINE  0
#define POOL_KMALLOC 1
#define POOL_RESERVE 2

static struct kmem_cache *bio_cache;
static struct spinlock reserve_lock = SPINLOCK_INIT(RANK_DEVICE);
static struct bio *reserve;
static struct wait_queue reserve_wait = WAIT_QUEUE_INIT(reserve_wait);

void
bio_init_pools(void)
{
	bio_cache = kmem_cache_create("bio", sizeof(struct bio), 64, 0, NULL);
	for (u32 i = 0; i < RESERVE; i++) {
		struct bio *bio = kmem_cache_alloc(bio_cache, GFP_KERNEL);
		struct bio_vec *vecs = kmalloc_array(BIO_MAX_VECS, sizeof(*vecs), GFP_KERNEL);

		if (!bio || !vecs)
			panic("block: no memory");
		bio->vecs = vecs;
		bio->next = reserve;
		reserve = bio;
	}
}

void
bio_init(struct bio *bio, struct block_device *dev, enum bio_op op, u64 sector,
	 struct bio_vec *vecs, u32 max_vecs)
{
	bio->dev = dev;
	bio->sector = sector;
	bio->bytes = 0;
	bio->flags = 0;
	bio->op = (u8)op;
	bio->stage = STAGE_NONE;
	bio->nr_vecs = 0;
	bio->max_vecs = (u16)(vecs ? max_vecs : BIO_INLINE_VECS);
	bio->status = 0;
	bio->vecs = vecs ? vecs : bio->inline_vecs;
	bio->done = NULL;
	bio->private = NULL;
	bio->next = NULL;
	bio->pool = POOL_INLINE;
}

static struct bio *
reserve_take(void)
{
	unsigned long flags = spin_lock_irqsave(&reserve_lock);
	struct bio *bio = reserve;

	if (bio)
		reserve = bio->next;
	spin_unlock_irqrestore(&reserve_lock, flags);
	return bio;
}

struct bio *
bio_alloc(struct block_device *dev, enum bio_op op, u64 sector, u32 nr_vecs, u32 gfp)
{
	struct bio_vec *vecs = NULL;
	u32 pool = POOL_INLINE;
	struct bio *bio;

	DEBUG_ASSERT(nr_vecs <= BIO_MAX_VECS);
	bio = kmem_cache_alloc(bio_cache, gfp | GFP_NOWARN);
	if (bio && nr_vecs > BIO_INLINE_VECS) {
		vecs = kmalloc_array(nr_vecs, sizeof(*vecs), gfp | GFP_NOWARN);
		pool = POOL_KMALLOC;
		if (!vecs) {
			kmem_cache_free(bio_cache, bio);
			bio = NULL;
		}
	}
	if (unlikely(!bio)) {
		if (gfp & GFP_ATOMIC)
			return NULL;
		wait_event(&reserve_wait, (bio = reserve_take()));
		vecs = bio->vecs;
		nr_vecs = BIO_MAX_VECS;
		pool = POOL_RESERVE;
	}
	bio_init(bio, dev, op, sector, vecs, nr_vecs);
	bio->pool = pool;
	return bio;
}

void
bio_put(struct bio *bio)
{
	unsigned long flags;

	if (likely(bio->pool != POOL_RESERVE)) {
		if (bio->pool == POOL_KMALLOC)
			kfree(bio->vecs);
		kmem_cache_free(bio_cache, bio);
		return;
	}
	flags = spin_lock_irqsave(&reserve_lock);
	bio->next = reserve;
	reserve = bio;
	spin_unlock_irqrestore(&reserve_lock, flags);
	wake_up(&reserve_wait);
}

bool
bio_add_page(struct bio *bio, struct page *page, u32 offset, u32 len)
{
	struct bio_vec *last = bio->vecs + bio->nr_vecs - 1;

	if (bio->nr_vecs &&
	    page_to_phys(last->page) + last->offset + last->len == page_to_phys(page) + offset) {
		last->len += len;
	} else {
		if (bio->nr_vecs == bio->max_vecs)
			return false;
		bio->vecs[bio->nr_vecs++] = (struct bio_vec){ page, offset, len };
	}
	bio->bytes += len;
	return true;
}

/* ---- submitting ---- */

static int
check(const struct bio *bio)
{
	const struct block_device *dev = bio->dev;
	const struct disk *disk = dev->disk;
	u64 sectors = bio->bytes >> SECTOR_SHIFT, end = READ_ONCE(dev->sectors);

	if (unlikely(READ_ONCE(dev->gone)))
		return -EIO;
	if (bio->op == BIO_FLUSH)
		return 0;
	if (unlikely(!sectors || bio->sector > end || sectors > end - bio->sector))
		return -EIO;
	if (unlikely(((bio->sector << SECTOR_SHIFT) | bio->bytes) &
		     (disk->limits.logical_size - 1)))
		return -EINVAL;
	if (bio->op != BIO_READ && unlikely(READ_ONCE(dev->read_only)))
		return -EROFS;
	if ((bio->op == BIO_DISCARD && !disk->limits.max_discard_sectors) ||
	    (bio->op == BIO_WRITE_ZEROES && !disk->limits.max_zeroes_sectors))
		return -EOPNOTSUPP;
	return 0;
}

void
bio_submit(struct bio *bio)
{
	int err = check(bio);

	bio->status = 0;
	bio->stage = STAGE_NONE;
	bio->next = NULL;
	bio->dispatched = 0;
	atomic_set(&bio->parts, 1);
	if (unlikely(err)) {
		bio_fail(bio, err);
		return;
	}
	bio->disk_sector = READ_ONCE(bio->dev->start) + bio->sector;
	if (unlikely(bio->op == BIO_FLUSH || (bio->flags & (BIO_PREFLUSH | BIO_FUA))))
		flush_submit(bio);
	else
		queue_bio(bio);
}

static void
wake_waiter(struct bio *bio)
{
	complete(bio->private);
}

/* The completion is on the waiter's stack, who is there until it is complete. */
static int
submit_and_wait(struct bio *bio, struct completion *done)
{
	completion_init(done);
	bio->done = wake_waiter;
	bio->private = done;
	bio->flags |= BIO_SYNC;
	bio_submit(bio);
	completion_wait(done);
	return bio->status;
}

int
bio_submit_wait(struct bio *bio)
{
	struct completion done;

	return submit_and_wait(bio, &done);
}

void
bio_end(struct bio *bio)
{
	if (unlikely(bio->stage == STAGE_DATA))
		flush_data_done(bio);
	else
		bio->done(bio);
}

void
bio_fail(struct bio *bio, int err)
{
	bio->status = err;
	bio->stage = STAGE_NONE;
	bio_end(bio);
}

/* ---- whole operations that wait ---- */

int
block_flush(struct block_device *dev)
{
	struct bio bio;

	bio_init(&bio, dev, BIO_FLUSH, 0, NULL, 0);
	return bio_submit_wait(&bio);
}

int
block_rw(struct block_device *dev, enum bio_op op, u64 sector, void *buf, u32 bytes)
{
	struct bio bio;

	bio_init(&bio, dev, op, sector, NULL, 0);
	/* The direct map is contiguous: one piece, whatever the length. */
	if (!bio_add_page(&bio, virt_to_page(buf), (u32)((uintptr_t)buf & ~PAGE_MASK), bytes))
		return -EINVAL;
	return bio_submit_wait(&bio);
}

/* In chunks that a bio can say; killable in between, since terabytes may be asked for. */
static int
without_data(struct block_device *dev, enum bio_op op, u64 sector, u64 sectors, bool no_unmap)
{
	while (sectors) {
		u64 n = MIN(sectors, (u64)(1u << 21));
		struct bio bio;
		int err;

		bio_init(&bio, dev, op, sector, NULL, 0);
		bio.bytes = (u32)(n << SECTOR_SHIFT);
		bio.flags = no_unmap ? BIO_NO_UNMAP : 0;
		err = bio_submit_wait(&bio);
		if (err)
			return err;
		if (thread_fatal_pending(thread_current()))
			return -EINTR;
		sector += n;
		sectors -= n;
	}
	return 0;
}

int
block_discard(struct block_device *dev, u64 sector, u64 sectors)
{
	return without_data(dev, BIO_DISCARD, sector, sectors, false);
}

static int
zero_by_pages(struct block_device *dev, u64 sector, u64 sectors)
{
	struct page *page = page_alloc(0, GFP_KERNEL | GFP_ZERO);
	int err = page ? 0 : -ENOMEM;

	while (sectors && !err) {
		struct bio *bio = bio_alloc(dev, BIO_WRITE, sector, BIO_MAX_VECS, GFP_KERNEL);

		while (sectors) {
			u32 n = (u32)MIN(sectors, (u64)(PAGE_SIZE >> SECTOR_SHIFT));

			if (!bio_add_page(bio, page, 0, n << SECTOR_SHIFT))
				break;
			sector += n;
			sectors -= n;
		}
		err = bio_submit_wait(bio);
		bio_put(bio);
		if (!err && thread_fatal_pending(thread_current()))
			err = -EINTR;
	}
	if (page)
		page_put(page);
	return err;
}

int
block_zero(struct block_device *dev, u64 sector, u64 sectors, bool unmap)
{
	if (dev->disk->limits.max_zeroes_sectors) {
		int err = without_data(dev, BIO_WRITE_ZEROES, sector, sectors, !unmap);

		if (err != -EOPNOTSUPP)
			return err;
	}
	return zero_by_pages(dev, sector, sectors);
}
