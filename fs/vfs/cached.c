/* SPDX-License-Identifier: MIT */
/*
 * Ready-made file operations: files whose bytes are in the page cache, and the ways to seek.
 *
 * Reading takes no lock: the size is read once, pages beyond it are not looked at. Writing holds
 * the inode's lock, so that appends do not overlap and one write is seen in order by the next.
 *
 * O_DIRECT goes past the pages (mapping_ops.direct_io): those that cover the range are written
 * before, and dropped before and after a write. What the file system does not write directly
 * (holes, odd tails) goes through the cache, and is written and dropped at once, as open(2) allows.
 */
#include "uapi/resource.h"
#include "uapi/uio.h"
#include "vfs_internal.h"

static inline bool
is_direct(const struct file *f)
{
	return unlikely(f->flags & O_DIRECT) && f->mapping->ops->direct_io;
}

static void
drop_range(struct mapping *m, u64 pos, u64 len)
{
	(void)mapping_invalidate(m, pos >> PAGE_SHIFT, (pos + len - 1) >> PAGE_SHIFT);
}

static ssize_t
read_direct(struct file *f, struct iov_iter *it, u64 pos)
{
	struct inode *i = f->inode;
	u64 size = READ_ONCE(i->size);
	size_t len = iter_count(it);
	ssize_t n;
	int err;

	if (pos >= size || !len)
		return 0;
	err = mapping_writeback(f->mapping, pos, pos + len, true);
	if (err)
		return err;
	/* The tail of the last block is read, and not handed out. */
	rwsem_read_lock(&i->lock);
	n = f->mapping->ops->direct_io(f->mapping, pos, it, false);
	rwsem_read_unlock(&i->lock);
	return n > 0 ? MIN(n, (ssize_t)(size - pos)) : n;
}

ssize_t
file_read_cached(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct inode *i = f->inode;
	ssize_t n = is_direct(f)
			    ? read_direct(f, it, *pos)
			    : mapping_read_iter(f->mapping, *pos, READ_ONCE(i->size), &f->ra, it);

	if (n > 0)
		*pos += (u64)n;
	if (n >= 0 && likely(!(f->flags & O_NOATIME)))
		inode_touch_atime(f->path.mnt, i);
	return n;
}

/* RLIMIT_FSIZE and the largest file: cut the count, or refuse. */
static int
limit_size(const struct inode *i, u64 pos, struct iov_iter *it)
{
	u64 limit = rlimit_current(RLIMIT_FSIZE);

	if (unlikely(limit != RLIM_INFINITY)) {
		if (pos >= limit) {
			(void)signal_send_task(current, SIGXFSZ, NULL);
			return -EFBIG;
		}
		iter_truncate(it, limit - pos);
	}
	if (unlikely(pos >= i->super->max_bytes))
		return -EFBIG;
	iter_truncate(it, i->super->max_bytes - pos);
	return 0;
}

int
file_write_begin(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct inode *i = f->inode;
	s64 now;
	int err;

	if (it->rw_flags & RWF_NOWAIT) {
		if (!rwsem_try_write_lock(&i->lock))
			return -EAGAIN;
	} else {
		rwsem_write_lock(&i->lock);
	}
	err = 1;
	if (unlikely(!iter_count(it)))
		goto out_unlock;
	if ((f->flags & O_APPEND) || (it->rw_flags & RWF_APPEND))
		*pos = i->size;
	err = limit_size(i, *pos, it);
	if (unlikely(err))
		goto out_unlock;
	err = inode_remove_privs(i);
	if (unlikely(err))
		goto out_unlock;
	now = inode_now(i);
	if (i->times.mtime != now || i->times.ctime != now)
		inode_touch(i, ATTR_MTIME);
	return 0;
out_unlock:
	rwsem_write_unlock(&i->lock);
	return err;
}

void
file_write_abort(struct file *f)
{
	rwsem_write_unlock(&f->inode->lock);
}

/* Inode locked. */
static ssize_t
write_direct(struct file *f, struct iov_iter *it, u64 pos)
{
	struct mapping *m = f->mapping;
	u64 start = pos, len = iter_count(it);
	ssize_t n;
	int err;

	err = mapping_writeback(m, pos, pos + len, true);
	if (err)
		return err;
	drop_range(m, pos, len);
	n = m->ops->direct_io(m, pos, it, true);
	if (n < 0)
		return n;
	drop_range(m, pos, len);
	pos += (u64)n;
	if (iter_count(it)) {
		ssize_t rest = mapping_write_iter(m, pos, it);

		if (rest <= 0)
			return n ? n : rest;
		err = mapping_writeback(m, pos, pos + (u64)rest, true);
		drop_range(m, pos, (u64)rest);
		if (err)
			return n ? n : err;
		pos += (u64)rest;
	}
	return (ssize_t)(pos - start);
}

ssize_t
file_write_end(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct inode *i = f->inode;
	u64 start = *pos, size = i->size;
	ssize_t n = is_direct(f) ? write_direct(f, it, start)
				 : mapping_write_iter(f->mapping, start, it);

	if (likely(n > 0)) {
		*pos = start + (u64)n;
		if (*pos > i->size)
			WRITE_ONCE(i->size, *pos);
	}
	if (i->size != size && i->super->backing)
		inode_mark_dirty(i, INODE_DIRTY_DATASYNC);
	rwsem_write_unlock(&i->lock);
	if (n > 0 && unlikely((f->flags & O_DSYNC) || (it->rw_flags & (RWF_DSYNC | RWF_SYNC))) &&
	    f->ops->fsync) {
		bool data = !((f->flags & __O_SYNC) || (it->rw_flags & RWF_SYNC));
		int err = file_sync_range(f, start, start + (u64)n - 1, data);

		if (err)
			return err;
	}
	return n;
}

ssize_t
file_write_cached(struct file *f, struct iov_iter *it, u64 *pos)
{
	int err = file_write_begin(f, it, pos);

	if (unlikely(err))
		return err < 0 ? err : 0;
	return file_write_end(f, it, pos);
}

/* --- seeking --- */

static s64
set_pos(struct file *f, s64 pos, u64 max)
{
	if (pos < 0 || (u64)pos > max)
		return -EINVAL;
	if ((u64)pos != f->pos) {
		f->pos = (u64)pos;
		f->version = 0;
	}
	return pos;
}

static s64
seek_data(struct inode *i, u64 offset, u64 size)
{
	u64 index;

	if (!i->mapping.ops || i->mapping.ops->read_page)
		return (s64)offset; /* all of it may be data, as far as the cache knows */
	if (!mapping_next_data(&i->mapping, offset >> PAGE_SHIFT, DIV_ROUND_UP(size, PAGE_SIZE),
			       &index))
		return -ENXIO;
	return (s64)MAX(offset, index << PAGE_SHIFT);
}

static s64
seek_hole(struct inode *i, u64 offset, u64 size)
{
	u64 index, end = DIV_ROUND_UP(size, PAGE_SIZE);

	if (!i->mapping.ops || i->mapping.ops->read_page)
		return (s64)size;
	index = mapping_next_hole(&i->mapping, offset >> PAGE_SHIFT, end);
	if (index >= end)
		return (s64)size;
	return (s64)MAX(offset, index << PAGE_SHIFT);
}

s64
file_seek_size(struct file *f, s64 offset, int whence)
{
	struct inode *i = f->inode;
	u64 size = READ_ONCE(i->size);
	s64 pos = offset;

	switch (whence) {
	case SEEK_SET: break;
	case SEEK_CUR:
		if (offset == 0)
			return (s64)f->pos;
		if (__builtin_add_overflow((s64)f->pos, offset, &pos))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow((s64)size, offset, &pos))
			return -EINVAL;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || (u64)offset >= size)
			return -ENXIO;
		pos = whence == SEEK_DATA ? seek_data(i, (u64)offset, size)
					  : seek_hole(i, (u64)offset, size);
		if (pos < 0)
			return pos;
		break;
	default: return -EINVAL;
	}
	return set_pos(f, pos, i->super->max_bytes);
}

s64
file_seek_fixed_none(struct file *f, s64 offset, int whence)
{
	f->pos = 0;
	return 0;
}

s64
file_seek_pos(struct file *f, s64 offset, int whence)
{
	s64 pos = offset;

	if (whence == SEEK_CUR) {
		if (__builtin_add_overflow((s64)f->pos, offset, &pos))
			return -EINVAL;
	} else if (whence != SEEK_SET) {
		return -EINVAL;
	}
	return set_pos(f, pos, INT64_MAX);
}
