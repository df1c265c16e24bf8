/* SPDX-License-Identifier: MIT */
/*
 * Files of 9P: bytes.
 *
 * read(2) and write(2) go to the server, past the page cache, unless cache=loose. Pages exist for
 * what is mapped (programs above all): read by the fid of any open file, and kept until an open
 * finds that the file was changed by somebody else. A file that has pages is written through them,
 * and they to the server before write(2) returns, so that mappings see it. Shared mappings may be
 * written with cache=mmap and loose; their pages are at the server after msync(2), fsync(2), and
 * the last close at the latest.
 *
 * Locking: the inode's for writing, as for every file; no lock is held for reading.
 *
 * Limits: flock(2) and fcntl(2) locks hold among this machine's programs; the server is not told.
 */
#include "lib/string.h"
#include "mm/mapping.h"
#include "mm/mm.h"
#include "p9_internal.h"
#include "uapi/mman.h"

#define BATCH	    32u /* pages to or from the cache in one go */
#define BOUNCE_MAX  64u /* pages of a program's data on their way */
#define O_WIRE_MASK (O_ACCMODE | O_LARGEFILE)

/* --- open and close --- */

static int
open_fid(struct inode *i, u32 flags, struct p9_fid **out)
{
	struct p9_fid *base = p9_node_fid(i), *fid;
	int err = p9_walk(base, NULL, 0, NULL, &fid);

	p9_fid_put(base);
	if (err)
		return err;
	err = p9_lopen(fid, flags);
	if (err)
		p9_fid_put(fid);
	else
		*out = fid;
	return err;
}

/* Somebody else has written: what is cached is old. Not while we write ourselves. */
static void
drop_old_pages(struct inode *i)
{
	struct p9_node *n = p9_node_of(i);

	if (p9_is_loose(i) || (n->seen_mtime == i->times.mtime && n->seen_size == i->size))
		return;
	n->seen_mtime = i->times.mtime;
	n->seen_size = i->size;
	if (!i->mapping.nr_pages || atomic_read(&i->mapping.writable_maps) > 0)
		return;
	(void)mapping_writeback(&i->mapping, 0, UINT64_MAX, true);
	mapping_punch(&i->mapping, 0, ALIGN_UP(i->size, PAGE_SIZE));
}

static int
p9_file_open(struct file *f)
{
	struct inode *i = f->inode;
	struct p9_node *n = p9_node_of(i);
	u32 flags = (f->flags & O_WIRE_MASK) | O_LARGEFILE;
	struct p9_fid *fid = __atomic_exchange_n(&n->fresh, NULL, __ATOMIC_SEQ_CST);
	int err = fid ? 0 : -EACCES;

	/* Pages are read for parts of them to be written. */
	if (err && p9_is_loose(i) && (flags & O_ACCMODE) == O_WRONLY)
		err = open_fid(i, (flags & ~(u32)O_ACCMODE) | O_RDWR, &fid);
	if (err)
		err = open_fid(i, flags, &fid);
	if (err)
		return err;
	f->private = fid;
	drop_old_pages(i);
	spin_lock(&n->lock);
	n->opens++;
	if (fid->readable && !n->readable) {
		p9_fid_get(fid);
		n->readable = fid;
	}
	if (fid->writable && !n->writable) {
		p9_fid_get(fid);
		n->writable = fid;
	}
	spin_unlock(&n->lock);
	return 0;
}

static void
p9_file_release(struct file *f)
{
	struct p9_node *n = p9_node_of(f->inode);
	struct p9_fid *readable = NULL, *writable = NULL;

	if ((f->mode & FMODE_WRITE) && mapping_has_dirty(&f->inode->mapping))
		(void)mapping_writeback(&f->inode->mapping, 0, UINT64_MAX, true);
	spin_lock(&n->lock);
	if (--n->opens == 0) {
		SWAP(readable, n->readable);
		SWAP(writable, n->writable);
	}
	spin_unlock(&n->lock);
	p9_fid_put(readable);
	p9_fid_put(writable);
	p9_fid_put(f->private);
}

/* --- past the cache --- */

static void
bounce_free(struct page **pages, u32 n)
{
	while (n)
		page_put(pages[--n]);
}

/* As many pages as there are, up to n; at least one, or -ENOMEM. */
static int
bounce_alloc(struct page **pages, u32 n)
{
	u32 got = 0;

	while (got < n && (pages[got] = page_alloc(0, GFP_KERNEL)))
		got++;
	return got ? (int)got : -ENOMEM;
}

/* Between the pages' first len bytes and the iterator: bytes that could be copied. */
static size_t
bounce_copy(struct page **pages, size_t len, struct iov_iter *it, bool write)
{
	size_t done = 0;

	while (done < len) {
		void *va = page_to_virt(pages[done >> PAGE_SHIFT]);
		size_t n = MIN(len - done, PAGE_SIZE);
		size_t got = write ? iter_copy_from(it, va, n) : iter_copy_to(it, va, n);

		done += got;
		if (got < n)
			break;
	}
	return done;
}

static ssize_t
transfer(struct p9_fid *fid, u64 pos, struct iov_iter *it, bool write)
{
	size_t count = iter_count(it);
	struct page *pages[BOUNCE_MAX];
	ssize_t done = 0, got = 0;
	int n;

	if (!count)
		return 0;
	n = bounce_alloc(pages, (u32)MIN(DIV_ROUND_UP(count, PAGE_SIZE), (size_t)BOUNCE_MAX));
	if (n < 0)
		return n;
	while (iter_count(it)) {
		size_t len = MIN(iter_count(it), (size_t)n << PAGE_SHIFT), copied;

		if (write) {
			copied = bounce_copy(pages, len, it, true);
			if (!copied) {
				got = -EFAULT;
				break;
			}
			got = p9_transfer(fid, pos, pages, copied, true);
			if (got < (ssize_t)copied)
				iter_revert(it, copied - (size_t)MAX(got, (ssize_t)0));
			if (got <= 0)
				break;
			done += got;
			if (got < (ssize_t)len)
				break;
		} else {
			got = p9_transfer(fid, pos, pages, len, false);
			if (got <= 0)
				break;
			copied = bounce_copy(pages, (size_t)got, it, false);
			done += (ssize_t)copied;
			if (copied < (size_t)got) {
				got = -EFAULT;
				break;
			}
			if (got < (ssize_t)len)
				break;
		}
		pos += (u64)got;
	}
	bounce_free(pages, (u32)n);
	return done ? done : MIN(got, (ssize_t)0);
}

static ssize_t
p9_file_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct inode *i = f->inode;
	ssize_t n;

	if (p9_is_loose(i))
		return file_read_cached(f, it, pos);
	if (mapping_has_dirty(&i->mapping)) {
		int err = mapping_writeback(&i->mapping, *pos, *pos + iter_count(it), true);

		if (err)
			return err;
	}
	n = transfer(f->private, *pos, it, false);
	if (n > 0)
		*pos += (u64)n;
	return n;
}

/* Through the pages, and at once to the server. Inode locked; unlocks it. */
static ssize_t
write_through(struct file *f, struct iov_iter *it, u64 *pos)
{
	u64 start = *pos;
	ssize_t n = file_write_end(f, it, pos);
	int err;

	if (n <= 0)
		return n;
	err = mapping_writeback(f->mapping, start, start + (u64)n, true);
	return err ? err : n;
}

static ssize_t
p9_file_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct inode *i = f->inode;
	struct p9_node *n = p9_node_of(i);
	struct p9_fid *fid = f->private;
	ssize_t done;
	int err = 0;

	if (p9_is_loose(i))
		return file_write_cached(f, it, pos);
	if (f->flags & O_APPEND)
		err = p9_refresh(i);
	/* Without a name, at some servers: the size is what we know. */
	if (err && err != -ENOENT)
		return err;
	err = file_write_begin(f, it, pos);
	if (err)
		return err < 0 ? err : 0;
	WRITE_ONCE(n->changes, n->changes + 1);
	if (i->mapping.nr_pages && READ_ONCE(n->readable)) {
		done = write_through(f, it, pos);
	} else {
		done = transfer(fid, *pos, it, true);
		if (done > 0) {
			*pos += (u64)done;
			if (*pos > i->size)
				WRITE_ONCE(i->size, *pos);
		}
		file_write_abort(f);
		if (done > 0 && (f->flags & O_DSYNC))
			err = p9_fsync(fid, !(f->flags & __O_SYNC));
	}
	WRITE_ONCE(n->changes, n->changes + 1);
	return err ? err : done;
}

static s64
p9_file_seek(struct file *f, s64 offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR && !p9_is_loose(f->inode)) {
		int err = p9_refresh(f->inode);

		if (err && err != -ENOENT)
			return err;
	}
	return file_seek_size(f, offset, whence);
}

static int
p9_file_mmap(struct file *f, struct mm_map_request *rq)
{
	if (p9_mount_of(f->inode->super)->cache == CACHE_NONE &&
	    (rq->map_flags & MAP_TYPE) != MAP_PRIVATE && (f->mode & FMODE_WRITE))
		return -EINVAL; /* it could be written */
	return file_mmap_cached(f, rq);
}

static int
p9_file_fsync(struct file *f, u64 start, u64 end, bool datasync)
{
	int err = mapping_writeback(&f->inode->mapping, start, end == UINT64_MAX ? end : end + 1,
				    true),
	    err2 = p9_fsync(f->private, datasync);

	return err ? err : err2;
}

/* --- pages --- */

/* n locked pages of consecutive indices, filled as far as the file goes. */
static void
p9_read_pages(struct mapping *m, struct page **pages, u32 n)
{
	struct p9_fid *fid = p9_node_open(m->host, false);
	u64 len = (u64)n << PAGE_SHIFT;
	ssize_t got = fid ? p9_transfer(fid, pages[0]->index << PAGE_SHIFT, pages, len, false)
			  : -EBADF;

	p9_fid_put(fid);
	for (u32 k = 0; k < n; k++) {
		s64 filled = got - (s64)((u64)k << PAGE_SHIFT);

		if (got >= 0 && filled < (s64)PAGE_SIZE) {
			u32 from = (u32)MAX(filled, (s64)0);

			memset((u8 *)page_to_virt(pages[k]) + from, 0, PAGE_SIZE - from);
		}
		mapping_read_done(pages[k], got < 0 ? (int)got : 0);
	}
}

static int
p9_read_page(struct mapping *m, struct page *page)
{
	struct p9_fid *fid = p9_node_open(m->host, false);
	ssize_t got = fid ? p9_transfer(fid, page->index << PAGE_SHIFT, &page, PAGE_SIZE, false)
			  : -EBADF;

	p9_fid_put(fid);
	if (got >= 0)
		memset((u8 *)page_to_virt(page) + got, 0, PAGE_SIZE - (size_t)got);
	mapping_read_done(page, got < 0 ? (int)got : 0);
	return got < 0 ? (int)got : 0;
}

/* n pages under writeback, consecutive. */
static int
write_run(struct mapping *m, struct page **pages, u32 n)
{
	struct inode *i = m->host;
	struct p9_fid *fid = p9_node_open(i, true);
	u64 pos = pages[0]->index << PAGE_SHIFT, size = READ_ONCE(i->size),
	    len = size > pos ? MIN(size - pos, (u64)n << PAGE_SHIFT) : 0;
	ssize_t got = !len ? 0 : fid ? p9_transfer(fid, pos, pages, len, true) : -EBADF;
	int err = got < 0 ? (int)got : (u64)got < len ? -EIO : 0;

	p9_fid_put(fid);
	for (u32 k = 0; k < n; k++) {
		mapping_write_done(m, pages[k], err);
		page_put(pages[k]);
	}
	return err;
}

static int
p9_write_pages(struct mapping *m, struct writeback *wb)
{
	struct page *pages[BATCH];
	u64 index = wb->first;
	int err = 0;
	u32 n;

	while (wb->budget > 0 && (n = mapping_lock_dirty(m, wb, &index, pages, BATCH))) {
		u32 first = 0, end = 0;
		int err2;

		/* Those that turn out to be clean divide the rest into runs. */
		for (u32 k = 0; k < n; k++) {
			bool begun = page_writeback_begin(m, pages[k], wb);

			page_unlock(pages[k]);
			if (begun) {
				end = k + 1;
				continue;
			}
			if (end > first) {
				err2 = write_run(m, pages + first, end - first);
				err = err ? err : err2;
			}
			page_put(pages[k]);
			first = end = k + 1;
		}
		if (end > first) {
			err2 = write_run(m, pages + first, end - first);
			err = err ? err : err2;
		}
	}
	return err;
}

static ssize_t
p9_direct_io(struct mapping *m, u64 pos, struct iov_iter *it, bool write)
{
	struct p9_fid *fid = p9_node_open(m->host, write);
	ssize_t n;

	if (!fid)
		return -EBADF;
	n = transfer(fid, pos, it, write);
	p9_fid_put(fid);
	return n;
}

const struct mapping_ops p9_mapping_ops = {
	.read_page = p9_read_page,
	.read_pages = p9_read_pages,
	.write_pages = p9_write_pages,
	.direct_io = p9_direct_io,
};

const struct file_ops p9_file_ops = {
	.open = p9_file_open,
	.release = p9_file_release,
	.read = p9_file_read,
	.write = p9_file_write,
	.seek = p9_file_seek,
	.mmap = p9_file_mmap,
	.fsync = p9_file_fsync,
};
