/* SPDX-License-Identifier: MIT */
/*
 * Direct I/O: between a program's pages and a device, for the device itself and for file systems on
 * it. The pages are pinned, a few MiB at a time are sent in one go, then waited for.
 *
 * Memory must be aligned to 512 bytes, positions and lengths to the device's logical blocks:
 * open(2), O_DIRECT; otherwise EINVAL.
 */
#include "block_internal.h"
#include "fs/vfs/inode.h"
#include "mm/iter.h"
#include "mm/mapping.h"
#include "mm/mm.h"
#include "mm/vmalloc.h"
#include "uapi/errno.h"

#define ROUND 8 /* bios in flight, of at most BIO_MAX_VECS pages each */
#define PINS  32

struct direct {
	struct block_device *dev;
	struct iov_iter *it;
	bool write;
	u64 pos;
	int error; /* why it goes no further */
	struct atomic32 pending;
	struct completion done;
};

static void
one_done(struct bio *bio)
{
	struct direct *d = bio->private;

	if (atomic_dec_and_test(&d->pending))
		complete(&d->done);
}

/* Pages of the current segment's next bytes into the bio; the bytes that went in, or -errno. */
static ssize_t
pin_some(struct direct *d, struct bio *bio)
{
	struct iov_iter *it = d->it;
	while (it->nr_segs > 1 && it->offset == it->segs->len) {
		it->segs++;
		it->nr_segs--;
		it->offset = 0;
	}
	u64 addr = it->segs->base + it->offset, len = MIN(it->segs->len - it->offset, it->count);
	u32 offset = addr & ~PAGE_MASK, room = bio->max_vecs - bio->nr_vecs;
	struct page *pages[PINS];
	size_t bytes = 0;
	long n;

	n = (long)MIN(DIV_ROUND_UP(offset + len, PAGE_SIZE), (u64)MIN(room, (u32)PINS));
	if (it->kernel) {
		if (addr < DIRECT_MAP_BASE || is_vmalloc((void *)addr))
			return -EINVAL;
		for (long i = 0; i < n; i++) {
			pages[i] = virt_to_page((void *)(addr + (u64)i * PAGE_SIZE));
			page_get(pages[i]);
		}
	} else {
		n = mm_pin_pages(addr, (u32)n, !d->write, pages);
		if (n < 0)
			return n;
	}
	for (long i = 0; i < n; i++) {
		u32 skip = i ? 0 : offset, part = (u32)MIN(PAGE_SIZE - skip, len - bytes);

		/* Not joined, so that each piece is one reference. */
		bio->vecs[bio->nr_vecs++] = (struct bio_vec){ pages[i], skip, part };
		bio->bytes += part;
		bytes += part;
	}
	return (ssize_t)bytes;
}

static struct bio *
bio_fill(struct direct *d)
{
	struct iov_iter *it = d->it;
	u32 block = block_device_logical_size(d->dev);
	u32 pages = (u32)MIN(DIV_ROUND_UP(it->count, PAGE_SIZE) + it->nr_segs, (u64)BIO_MAX_VECS);
	struct bio *bio = bio_alloc(d->dev, d->write ? BIO_WRITE : BIO_READ, d->pos >> SECTOR_SHIFT,
				    pages, GFP_KERNEL);

	while (it->count && bio->nr_vecs < bio->max_vecs && !d->error) {
		ssize_t n = pin_some(d, bio);

		if (n < 0)
			d->error = (int)n;
		else
			iter_advance(it, (size_t)n);
	}
	/* A segment that ends within a logical block may have been cut off there. */
	while (bio->bytes & (block - 1)) {
		struct bio_vec *last = &bio->vecs[bio->nr_vecs - 1];
		u32 cut = MIN(last->len, bio->bytes & (block - 1));

		iter_revert(it, cut);
		bio->bytes -= cut;
		last->len -= cut;
		if (!last->len) {
			page_put(last->page);
			bio->nr_vecs--;
		}
	}
	d->pos += bio->bytes;
	bio->done = one_done;
	bio->private = d;
	return bio;
}

static void
bio_release(struct direct *d, struct bio *bio)
{
	for (u32 i = 0; i < bio->nr_vecs; i++) {
		struct page *page = bio->vecs[i].page;
		struct mapping *m;

		if (!d->write && !d->it->kernel && !page_flag(page, PG_ANON) &&
		    (m = READ_ONCE(page->mapping)))
			mapping_mark_dirty(m, page);
		page_put(page);
	}
	bio_put(bio);
}

/* Bytes, in order, that were moved before the first error. */
static size_t
round_trip(struct direct *d)
{
	struct bio *bios[ROUND];
	struct block_plug plug;
	size_t bytes = 0;
	bool whole = true;
	u32 n = 0;

	atomic_set(&d->pending, 1);
	completion_init(&d->done);
	block_plug_start(&plug);
	while (n < ROUND && d->it->count && !d->error) {
		struct bio *bio = bio_fill(d);

		if (!bio->bytes) {
			bio_release(d, bio);
			break;
		}
		bios[n++] = bio;
		atomic_inc(&d->pending);
		bio_submit(bio);
	}
	block_plug_finish(&plug);
	if (!atomic_dec_and_test(&d->pending))
		completion_wait(&d->done);
	for (u32 i = 0; i < n; i++) {
		if (bios[i]->status && whole) {
			d->error = bios[i]->status;
			whole = false;
		}
		if (whole)
			bytes += bios[i]->bytes;
		bio_release(d, bios[i]);
	}
	return bytes;
}

bool
block_direct_aligned(const struct block_device *dev, const struct iov_iter *it, u64 pos)
{
	u64 base = it->segs->base + it->offset, left = it->count;

	if ((pos | it->count) & (block_device_logical_size(dev) - 1))
		return false;
	for (u32 i = 0; i < it->nr_segs && left; i++) {
		u64 len = MIN(it->segs[i].len - (i ? 0 : it->offset), left);

		if (i)
			base = it->segs[i].base;
		if ((base | len) & (SECTOR_SIZE - 1))
			return false;
		left -= len;
	}
	return true;
}

ssize_t
block_direct_transfer(struct block_device *dev, u64 pos, struct iov_iter *it, size_t len,
		      bool write)
{
	struct direct d = { .dev = dev, .it = it, .write = write, .pos = pos };
	size_t rest = it->count - len, done = 0;

	it->count = len;
	while (iter_count(it) && !d.error) {
		size_t n = round_trip(&d);

		done += n;
		if (!n)
			break;
		if (thread_fatal_pending(thread_current()))
			break;
	}
	it->count += rest;
	return done ? (ssize_t)done : d.error;
}

ssize_t
block_direct_io(struct mapping *m, u64 pos, struct iov_iter *it, bool write)
{
	const struct inode *i = m->host;
	struct block_device *dev = i->private;

	if (!block_direct_aligned(dev, it, pos))
		return -EINVAL;
	return block_direct_transfer(dev, pos, it, iter_count(it), write);
}
