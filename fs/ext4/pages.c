/* SPDX-License-Identifier: MIT */
/*
 * Pages of files to and from the disk: mapping_ops.
 *
 * Delayed allocation. When bytes of a page change, blocks for them are only promised
 * (prepare_dirty): the place is chosen when pages are written, in runs as long as the dirty pages
 * are. page->private has two bits a block, under the page's lock:
 *
 *	RESERVED(k)	block k was promised room, and has none yet
 *	MAPPED(k)	block k has a place: no need to look again
 *
 * Writing (write_pages) takes a run of dirty pages inside a handle, gives places to what has none,
 * makes unwritten blocks written, sends the pages off, and then closes the handle. Ordered mode:
 *the transaction commits only after these pages are on the disk, so no crash shows what was in the
 * blocks before.
 *
 * Pages that are one run on the disk go together in large bios. A page in several pieces (blocks
 * smaller than pages, holes between them) is done by itself, and waited for.
 */
#include "ext4_internal.h"
#include "mm/mapping.h"
#include "sched/sched.h"

#define RESERVED(k)  (1ul << (k))
#define MAPPED(k)    (16ul << (k))
#define ALL_RESERVED 0xful
#define BATCH	     256u /* pages a handle */

static u32
blocks_per_page(const struct ext4_fs *fs)
{
	return 1u << (PAGE_SHIFT - fs->block_bits);
}

static u32
first_block(const struct ext4_fs *fs, const struct page *page)
{
	return (u32)(page->index << (PAGE_SHIFT - fs->block_bits));
}

static u64
sector_of(const struct ext4_fs *fs, u64 block)
{
	return block << (fs->block_bits - SECTOR_SHIFT);
}

/*
 * The first block that is wholly behind the end. What is there stays unwritten: e2fsck, too, takes
 * written blocks behind the end for a broken size.
 */
static u64
end_block(const struct inode *i)
{
	const struct ext4_fs *fs = ext4_fs_of_inode(i);

	return (READ_ONCE(i->size) + fs->block_size - 1) >> fs->block_bits;
}

/* Blocks of the page before that. */
static u32
blocks_in(const struct ext4_fs *fs, const struct page *page, u64 end)
{
	u64 first = first_block(fs, page);

	return first < end ? (u32)MIN(end - first, (u64)blocks_per_page(fs)) : 0;
}

/* --- promises --- */

static void
release_reserved(struct inode *i, struct page *page, u64 bits)
{
	struct ext4_node *n = ext4_node_of(i);
	u64 freed = page->private & bits & ALL_RESERVED;
	u32 count = 0;

	for (u32 k = 0; k < 4; k++)
		count += !!(freed & RESERVED(k));
	page->private &= ~(bits | bits << 4);
	if (count) {
		__atomic_fetch_sub(&n->reserved, count, __ATOMIC_RELAXED);
		ext4_unclaim(n->fs, count);
	}
}

static int
ext4_prepare_dirty(struct mapping *m, struct page *page, u32 offset, u32 len)
{
	struct inode *i = m->host;
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	u32 first = offset >> fs->block_bits, last = (offset + len - 1) >> fs->block_bits,
	    how = CLAIM_METADATA;
	u64 before = page->private;
	int err;

	for (u32 k = first; k <= last; k++) {
		struct ext4_map map = { .lblk = first_block(fs, page) + k, .len = 1 };

		if (page->private & (RESERVED(k) | MAPPED(k)))
			continue;
		err = ext4_map(NULL, i, &map, 0);
		if (err)
			goto out_release;
		if (map.flags) {
			page->private |= MAPPED(k);
			continue;
		}
		if (how == CLAIM_METADATA)
			how = ext4_claim_level(fs);
		err = ext4_claim(fs, 1, how);
		if (err)
			goto out_release;
		page->private |= RESERVED(k);
		__atomic_fetch_add(&n->reserved, 1, __ATOMIC_RELAXED);
	}
	return 0;
out_release:
	/* Nothing will be written there: no block of it is kept. */
	release_reserved(i, page, page->private & ~before & ALL_RESERVED);
	return err;
}

static void
ext4_page_removed(struct mapping *m, struct page *page)
{
	release_reserved(m->host, page, ALL_RESERVED);
}

static void
ext4_page_trimmed(struct mapping *m, struct page *page, u32 from, u32 to)
{
	const struct ext4_fs *fs = ext4_fs_of_inode(m->host);
	u32 first = (from + fs->block_size - 1) >> fs->block_bits, end = to >> fs->block_bits;

	for (u32 k = first; k < end; k++)
		release_reserved(m->host, page, RESERVED(k));
}

static int
ext4_page_mkwrite(struct mapping *m, struct page *page)
{
	struct inode *i = m->host;

	if (ext4_readonly(ext4_fs_of_inode(i)))
		return -EROFS;
	if (i->times.mtime != inode_now(i))
		inode_touch(i, ATTR_MTIME);
	return 0;
}

/* --- pieces of one page --- */

/* Reads or writes each mapped piece of the page's first blocks. What has none reads as zeroes. */
static int
transfer_pieces(struct inode *i, struct page *page, enum bio_op op, u32 blocks)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);

	for (u32 k = 0; k < blocks;) {
		struct ext4_map m = { .lblk = first_block(fs, page) + k, .len = blocks - k };
		u32 offset = k << fs->block_bits, bytes;
		struct bio bio;
		int err = ext4_map(NULL, i, &m, 0);

		if (err)
			return err;
		bytes = m.len << fs->block_bits;
		k += m.len;
		if (m.flags != MAP_MAPPED) {
			if (op == BIO_READ)
				memset((u8 *)page_to_virt(page) + offset, 0, bytes);
			continue;
		}
		bio_init(&bio, fs->dev, op, sector_of(fs, m.pblk), NULL, BIO_INLINE_VECS);
		if (!bio_add_page(&bio, page, offset, bytes))
			return -EIO;
		err = bio_submit_wait(&bio);
		if (err)
			return err;
	}
	return 0;
}

/* --- reading --- */

/*
 * Calls fn for each page of a finished bio; pieces are whole pages, perhaps several joined, but for
 * the last one, which may be cut.
 */
static void
each_page(struct bio *bio, void (*fn)(struct page *page, int err))
{
	for (u32 v = 0; v < bio->nr_vecs; v++) {
		struct bio_vec vec = bio->vecs[v];
		struct page *page = vec.page + (vec.offset >> PAGE_SHIFT);

		for (u32 k = 0; k < DIV_ROUND_UP(vec.len, PAGE_SIZE); k++)
			fn(page + k, bio->status);
	}
	bio_put(bio);
}

static void
read_done(struct bio *bio)
{
	each_page(bio, mapping_read_done);
}

static int
read_inline(struct inode *i, struct page *page)
{
	u8 *data;
	size_t len;
	int err = 0;

	memset(page_to_virt(page), 0, PAGE_SIZE);
	if (page->index == 0) {
		err = ext4_inline_read(i, &data, &len);
		if (!err) {
			memcpy(page_to_virt(page), data, MIN(len, (size_t)PAGE_SIZE));
			kfree(data);
		}
	}
	return err;
}

/*
 * The first of n pages with consecutive indices, and those behind it that lie next to it on the
 * disk. How many are done with.
 */
static u32
read_run(struct inode *i, struct page **pages, u32 n, int *err)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u32 shift = PAGE_SHIFT - fs->block_bits, run;
	struct ext4_map m = { .lblk = first_block(fs, pages[0]), .len = n << shift };
	struct bio *bio;

	*err = 0;
	if (unlikely(pages[0]->index >> (32 - shift)) ||
	    unlikely(ext4_has_inline(ext4_node_of(i)))) {
		*err = read_inline(i, pages[0]);
		mapping_read_done(pages[0], *err);
		return 1;
	}
	*err = ext4_map(NULL, i, &m, 0);
	if (*err) {
		mapping_read_done(pages[0], *err);
		return 1;
	}
	run = MIN(m.len >> shift, n);
	if (!run) {
		*err = transfer_pieces(i, pages[0], BIO_READ, blocks_per_page(fs));
		mapping_read_done(pages[0], *err);
		return 1;
	}
	if (m.flags != MAP_MAPPED) {
		for (u32 k = 0; k < run; k++) {
			page_clear(page_to_virt(pages[k]));
			mapping_read_done(pages[k], 0);
		}
		return run;
	}
	run = MIN(run, BIO_MAX_VECS);
	bio = bio_alloc(fs->dev, BIO_READ, sector_of(fs, m.pblk), run, GFP_NOFS);
	bio->done = read_done;
	for (u32 k = 0; k < run; k++) {
		if (!bio_add_page(bio, pages[k], 0, PAGE_SIZE)) {
			run = k;
			break;
		}
	}
	bio_submit(bio);
	return run;
}

static int
ext4_read_page(struct mapping *m, struct page *page)
{
	int err;

	(void)read_run(m->host, &page, 1, &err);
	return err;
}

static void
ext4_read_pages(struct mapping *m, struct page **pages, u32 n)
{
	struct block_plug plug;
	int err;

	block_plug_start(&plug);
	for (u32 k = 0; k < n;)
		k += read_run(m->host, pages + k, n - k, &err);
	block_plug_finish(&plug);
}

/* --- writing --- */

/* Pages on their way, gathered while they are adjacent on the disk. */
struct writer {
	struct inode *inode;
	struct ext4_fs *fs;
	struct writeback *wb;
	struct bio *bio;
	u64 next_sector;
	u64 end; /* end_block */
};

static void
write_page_done(struct page *page, int err)
{
	mapping_write_done(page->mapping, page, err);
}

static void
write_done(struct bio *bio)
{
	each_page(bio, write_page_done);
}

static void
writer_flush(struct writer *w)
{
	if (w->bio)
		bio_submit(w->bio);
	w->bio = NULL;
}

/* A locked dirty page whose `blocks` first blocks have their places: at pblk, or 0 in pieces. */
static void
send_page(struct writer *w, struct page *page, u64 pblk, u32 blocks)
{
	struct mapping *m = &w->inode->mapping;
	u32 bytes = blocks << w->fs->block_bits;
	u64 sector = sector_of(w->fs, pblk);

	if (!page_writeback_begin(m, page, w->wb)) {
		page_unlock(page);
		return;
	}
	if (!pblk) {
		int err;

		page_unlock(page);
		err = transfer_pieces(w->inode, page, BIO_WRITE, blocks);
		mapping_write_done(m, page, err);
		return;
	}
	if (w->bio && (sector != w->next_sector || !bio_add_page(w->bio, page, 0, bytes)))
		writer_flush(w);
	if (!w->bio) {
		w->bio = bio_alloc(w->fs->dev, BIO_WRITE, sector, BIO_MAX_VECS, GFP_NOFS);
		w->bio->done = write_done;
		if (w->wb->sync)
			w->bio->flags |= BIO_SYNC;
		if (!bio_add_page(w->bio, page, 0, bytes)) {
			page_unlock(page);
			mapping_write_done(m, page, -EIO);
			return;
		}
	}
	w->next_sector = sector + (bytes >> SECTOR_SHIFT);
	page_unlock(page);
	if (bytes < PAGE_SIZE)
		writer_flush(w);
}

/* The page cannot be written: its users hear of it, it is clean. */
static void
fail_page(struct mapping *m, struct page *page, struct writeback *wb, int err)
{
	bool begun = page_writeback_begin(m, page, wb);

	release_reserved(m->host, page, ALL_RESERVED);
	page_unlock(page);
	if (begun)
		mapping_write_done(m, page, err);
}

/*
 * Blocks [lblk, lblk + m->len) of which the first is `reserved` or not get places if they were
 * promised some. *m tells about as many as are alike.
 */
static int
place_blocks(struct journal_handle *h, struct inode *i, struct ext4_map *m, bool reserved,
	     bool *changed)
{
	struct ext4_node *n = ext4_node_of(i);
	int err = ext4_map(h, i, m, MAP_CONVERT | (reserved ? MAP_CREATE | MAP_CLAIMED : 0));

	if (err)
		return err;
	if (m->flags & MAP_NEW)
		*changed = true;
	if (reserved) {
		__atomic_fetch_sub(&n->reserved, m->len, __ATOMIC_RELAXED);
		if (!(m->flags & MAP_NEW))
			ext4_unclaim(n->fs, m->len); /* somebody else gave them a place */
	}
	return 0;
}

/* Bits of pages from block k of pages[at] on, for len blocks. */
static void
note_placed(const struct ext4_fs *fs, struct page **pages, u32 at, u32 k, u32 len)
{
	while (len--) {
		pages[at]->private = (pages[at]->private & ~RESERVED(k)) | MAPPED(k);
		if (++k == blocks_per_page(fs)) {
			k = 0;
			at++;
		}
	}
}

/* How many blocks from (at, k) on are before the end and reserved, or not, as the first is. */
static u32
alike(const struct ext4_fs *fs, struct page **pages, u32 n, u32 at, u32 k, u64 end, bool *reserved)
{
	u32 len = 0;

	*reserved = pages[at]->private & RESERVED(k);
	while (at < n && k < blocks_in(fs, pages[at], end) &&
	       !(pages[at]->private & RESERVED(k)) == !*reserved) {
		len++;
		if (++k == blocks_per_page(fs)) {
			k = 0;
			at++;
		}
	}
	return len;
}

/*
 * Places for the n pages, all in a handle. *placed: pages that have theirs. *changed: the disk did
 * not have them before. 1: credits have run out, the rest later.
 */
static int
place_pages(struct journal_handle *h, struct inode *i, struct page **pages, u32 n, u64 end,
	    u32 *placed, bool *changed)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u32 per = blocks_per_page(fs), at = 0, k = 0;

	while (at < n) {
		bool reserved;
		struct ext4_map m = { .lblk = first_block(fs, pages[at]) + k };
		int err;

		*placed = at;
		m.len = alike(fs, pages, n, at, k, end, &reserved);
		if (!m.len)
			break; /* at the end */
		/*
		 * Credits for a page in as many pieces as it may have: one that is begun is
		 * finished, or a crash would find its first blocks in place, without their data.
		 */
		if (!k && !ext4_ensure(h, per * CREDITS_MAP + CREDITS_INODE))
			return 1;
		err = place_blocks(h, i, &m, reserved, changed);
		if (err)
			return err;
		if (m.flags)
			note_placed(fs, pages, at, k, m.len);
		k += m.len;
		at += k / per;
		k %= per;
	}
	*placed = n;
	return 0;
}

/* The size on the disk follows what has been sent. */
static int
extend_disk_size(struct journal_handle *h, struct inode *i, u64 end)
{
	struct ext4_node *n = ext4_node_of(i);

	end = MIN(end, READ_ONCE(i->size));
	if (end <= READ_ONCE(n->disk_size))
		return 0;
	rwsem_write_lock(&n->map_lock);
	if (end > n->disk_size)
		n->disk_size = end;
	rwsem_write_unlock(&n->map_lock);
	return ext4_inode_store(h, i);
}

/* Pages with places go off, those in one piece together. */
static void
send_pages(struct writer *w, struct page **pages, u32 n)
{
	struct ext4_fs *fs = w->fs;

	for (u32 at = 0; at < n;) {
		struct ext4_map m = { .lblk = first_block(fs, pages[at]) };
		u32 blocks = blocks_in(fs, pages[at], w->end);
		int err;

		if (!blocks) {
			/* It has been cut off meanwhile: truncation waits for the lock. */
			page_unlock(pages[at]);
			page_put(pages[at++]);
			continue;
		}
		m.len = (u32)MIN((u64)(n - at) * blocks_per_page(fs), w->end - m.lblk);
		err = ext4_map(NULL, w->inode, &m, 0);
		if (err) {
			fail_page(&w->inode->mapping, pages[at], w->wb, err);
			page_put(pages[at++]);
			continue;
		}
		if (m.flags != MAP_MAPPED || m.len < blocks) {
			send_page(w, pages[at], 0, blocks);
			page_put(pages[at++]);
			continue;
		}
		while (at < n && m.len && (blocks = blocks_in(fs, pages[at], w->end)) <= m.len) {
			send_page(w, pages[at], m.pblk, blocks);
			page_put(pages[at++]);
			m.pblk += blocks;
			m.len -= blocks;
		}
	}
}

static void
unlock_pages(struct page **pages, u32 n)
{
	for (u32 k = 0; k < n; k++) {
		page_unlock(pages[k]);
		page_put(pages[k]);
	}
}

/* A batch in one handle; *index moves on. 1: done, there are no more pages. */
static int
write_batch(struct writer *w, struct page **pages, u64 *index)
{
	struct inode *i = w->inode;
	struct ext4_node *node = ext4_node_of(i);
	struct mapping *m = &i->mapping;
	struct journal_handle *h;
	bool changed = false;
	u32 n, placed = 0;
	u64 start, end;
	int err, stop;

	err = ext4_start_internal(w->fs, CREDITS_MAP + CREDITS_INODE, &h);
	if (err) {
		/* The file system has given up: nothing will be written any more. */
		n = mapping_lock_dirty(m, w->wb, index, pages, BATCH);
		for (u32 k = 0; k < n; k++) {
			fail_page(m, pages[k], w->wb, -EIO);
			page_put(pages[k]);
		}
		return n ? 0 : 1;
	}
	n = mapping_lock_dirty(m, w->wb, index, pages, (u32)MIN((s64)BATCH, w->wb->budget));
	if (!n) {
		(void)ext4_stop(h);
		return 1;
	}
	w->end = end_block(i);
	err = place_pages(h, i, pages, n, w->end, &placed, &changed);
	if (err < 0) {
		log_err("EXT4-fs (%s): inode #%u: no blocks for page %lu: error %d; data is lost\n",
			w->fs->dev->name, node->ino, (unsigned long)pages[placed]->index, err);
		fail_page(m, pages[placed], w->wb, err);
		page_put(pages[placed]);
		unlock_pages(pages + placed + 1, n - placed - 1);
		if (placed + 1 < n)
			*index = pages[placed + 1]->index;
	} else if (err) {
		*index = pages[placed]->index;
		unlock_pages(pages + placed, n - placed);
		err = 0;
	}
	if (placed) {
		start = pages[0]->index << PAGE_SHIFT;
		end = (pages[placed - 1]->index + 1) << PAGE_SHIFT;
		if (MIN(end, READ_ONCE(i->size)) > READ_ONCE(node->disk_size))
			changed = true;
		send_pages(w, pages, placed);
		writer_flush(w);
		stop = extend_disk_size(h, i, end);
		err = err ? err : stop;
		if (changed && w->fs->journal && !(w->fs->options.flags & OPT_WRITEBACK))
			journal_add_ordered(h, &node->jinode, start, end - 1);
	}
	stop = ext4_stop(h);
	return err ? err : MIN(stop, 0);
}

static int
ext4_write_pages(struct mapping *m, struct writeback *wb)
{
	struct inode *i = m->host;
	struct writer w = { .inode = i, .fs = ext4_fs_of_inode(i), .wb = wb };
	struct page **pages = kmalloc_array(BATCH, sizeof(*pages), GFP_NOFS | GFP_NOFAIL);
	struct block_plug plug;
	u64 index = wb->first;
	int err = 0, first_err = 0;

	if (!pages)
		return -ENOMEM;
	block_plug_start(&plug);
	while (wb->budget > 0 && index <= wb->last) {
		err = write_batch(&w, pages, &index);
		if (err > 0)
			break;
		if (err && !first_err)
			first_err = err;
		sched_cond_resched();
	}
	block_plug_finish(&plug);
	kfree(pages);
	return first_err;
}

/* --- ordered data: the commit's side --- */

static struct inode *
inode_of(struct journal_inode *ji)
{
	return container_of(ji, struct ext4_node, jinode)->inode;
}

/*
 * All blocks of the page have places that are not new to the disk, and it does not reach beyond the
 * size on the disk: a page that is clean would not let that follow.
 */
static bool
settled(struct inode *i, const struct page *page)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u32 blocks = blocks_in(fs, page, end_block(i));

	if (MIN((page->index + 1) << PAGE_SHIFT, READ_ONCE(i->size)) >
	    READ_ONCE(ext4_node_of(i)->disk_size))
		return false;
	for (u32 k = 0; k < blocks;) {
		struct ext4_map m = { .lblk = first_block(fs, page) + k, .len = blocks - k };

		if (ext4_map(NULL, i, &m, 0) || (m.flags & MAP_UNWRITTEN))
			return false;
		k += m.len;
	}
	return !(page->private & ALL_RESERVED);
}

int
ext4_ordered_write(void *ctx, struct journal_inode *ji, u64 start, u64 end)
{
	struct inode *i = inode_of(ji);
	struct writeback wb = {
		.first = start >> PAGE_SHIFT,
		.last = end >> PAGE_SHIFT,
		.budget = INT64_MAX,
		.reason = WRITEBACK_SYNC,
	};
	struct writer w = { .inode = i, .fs = ext4_fs_of_inode(i), .wb = &wb };
	struct page *page;
	u64 index = wb.first;

	while (mapping_lock_dirty(&i->mapping, &wb, &index, &page, 1)) {
		w.end = end_block(i);
		if (settled(i, page)) {
			send_pages(&w, &page, 1);
		} else {
			page_unlock(page);
			page_put(page);
		}
	}
	writer_flush(&w);
	return 0;
}

int
ext4_ordered_wait(void *ctx, struct journal_inode *ji, u64 start, u64 end)
{
	mapping_wait_writeback(&inode_of(ji)->mapping, start, end == UINT64_MAX ? end : end + 1);
	return 0;
}

/* --- O_DIRECT --- */

/* A run is on the disk: its blocks are written ones, and the size may grow to `end`. */
static int
direct_written(struct inode *i, struct ext4_map *m, u64 end)
{
	struct ext4_node *n = ext4_node_of(i);
	struct journal_handle *h;
	int err, stop;

	if (m->flags == MAP_MAPPED && end <= READ_ONCE(n->disk_size))
		return 0;
	err = ext4_start(n->fs, CREDITS_MAP + CREDITS_INODE, &h);
	if (err)
		return err;
	if (m->flags & MAP_UNWRITTEN)
		err = ext4_map(h, i, m, MAP_CONVERT);
	if (!err && end > n->disk_size) {
		rwsem_write_lock(&n->map_lock);
		n->disk_size = MAX(n->disk_size, end);
		rwsem_write_unlock(&n->map_lock);
		err = ext4_inode_store(h, i);
	}
	stop = ext4_stop(h);
	return err ? err : stop;
}

/* At most `bytes`, whole blocks, of the run m. Bytes, or -errno. */
static ssize_t
direct_write(struct inode *i, struct ext4_map *m, struct iov_iter *it, size_t bytes)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u64 pos = (u64)m->lblk << fs->block_bits;
	struct journal_handle *h;
	ssize_t got;
	int err, stop;

	if (m->flags != MAP_MAPPED) {
		err = ext4_start(fs, CREDITS_MAP + CREDITS_INODE, &h);
		if (err)
			return err;
		err = ext4_map(h, i, m, MAP_CREATE | MAP_AS_UNWRITTEN);
		stop = ext4_stop(h);
		if (err || stop)
			return err ? err : stop;
		bytes = MIN(bytes, (size_t)m->len << fs->block_bits);
	}
	got = block_direct_transfer(fs->dev, m->pblk << fs->block_bits, it, bytes, true);
	if (got > 0 && (got & (fs->block_size - 1))) {
		/* Of a block that is written in part nothing counts. */
		iter_revert(it, (size_t)got & (fs->block_size - 1));
		got &= ~(ssize_t)(fs->block_size - 1);
		if (!got)
			return -EIO;
	}
	if (got <= 0)
		return got;
	m->len = (u32)(got >> fs->block_bits);
	err = direct_written(i, m, pos + (u64)got);
	if (err)
		iter_revert(it, (size_t)got);
	return err ? err : got;
}

static ssize_t
direct_read(struct ext4_fs *fs, const struct ext4_map *m, u64 pos, struct iov_iter *it,
	    size_t bytes)
{
	u64 skip = pos - ((u64)m->lblk << fs->block_bits);

	if (m->flags == MAP_MAPPED)
		return block_direct_transfer(fs->dev, (m->pblk << fs->block_bits) + skip, it, bytes,
					     false);
	bytes = iter_zero(it, bytes);
	return bytes ? (ssize_t)bytes : -EFAULT;
}

static ssize_t
ext4_direct_io(struct mapping *mapping, u64 pos, struct iov_iter *it, bool write)
{
	struct inode *i = mapping->host;
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u64 size = READ_ONCE(i->size), logical = block_device_logical_size(fs->dev);
	size_t left = iter_count(it);
	ssize_t done = 0, n = 0;

	if (!block_direct_aligned(fs->dev, it, pos))
		return -EINVAL;
	/* Parts of blocks and files without unwritten blocks go through the cache. */
	if (write && (((pos | left) & (fs->block_size - 1)) || !ext4_has_extents(ext4_node_of(i))))
		return 0;
	/* The logical block with the end is read as a whole: vfs does not count what is behind. */
	if (!write)
		left = pos < size ? MIN(left, ALIGN_UP(size - pos, logical)) : 0;
	while (left && pos >> fs->block_bits <= UINT32_MAX) {
		struct ext4_map m = { .lblk = (u32)(pos >> fs->block_bits) };
		u32 skip = (u32)(pos & (fs->block_size - 1));
		size_t bytes;
		int err;

		m.len = (u32)MIN((skip + left + fs->block_size - 1) >> fs->block_bits,
				 (u64)UINT32_MAX - m.lblk);
		err = ext4_map(NULL, i, &m, 0);
		if (err)
			return done ? done : err;
		bytes = MIN(left, ((u64)m.len << fs->block_bits) - skip);
		n = write ? direct_write(i, &m, it, bytes) : direct_read(fs, &m, pos, it, bytes);
		if (n <= 0)
			break;
		done += n;
		pos += (u64)n;
		left -= (size_t)n;
	}
	return done ? done : n;
}

static int
ext4_swap_map(struct mapping *m, u64 index, u64 *sector, u64 *pages)
{
	struct inode *i = m->host;
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u32 bits = PAGE_SHIFT - fs->block_bits;
	u32 first = (u32)(index << bits), per_page = 1u << bits, got;
	struct ext4_map map, next;
	bool in_one_piece = true;
	int found;

	if (index << bits > UINT32_MAX)
		return -EINVAL;
	found = ext4_map_next(i, first, &map);
	if (found <= 0 || map.lblk != first)
		return found < 0 ? found : -EINVAL;
	/* Small blocks: the page may go on elsewhere. */
	for (got = map.len; got < per_page; got += next.len) {
		found = ext4_map_next(i, first + got, &next);
		if (found <= 0 || next.lblk != first + got)
			return found < 0 ? found : -EINVAL;
		in_one_piece &= next.pblk == map.pblk + got;
	}
	*sector = in_one_piece ? map.pblk << (fs->block_bits - SECTOR_SHIFT) : 0;
	*pages = MAX(map.len >> bits, 1u);
	return 0;
}

const struct mapping_ops ext4_mapping_ops = {
	.read_page = ext4_read_page,
	.read_pages = ext4_read_pages,
	.write_pages = ext4_write_pages,
	.prepare_dirty = ext4_prepare_dirty,
	.page_removed = ext4_page_removed,
	.page_trimmed = ext4_page_trimmed,
	.page_mkwrite = ext4_page_mkwrite,
	.swap_map = ext4_swap_map,
	.direct_io = ext4_direct_io,
};
