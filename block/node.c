/* SPDX-License-Identifier: MIT */
/*
 * Block device nodes as files: the device's pages for read, write and mmap; past them with
 * O_DIRECT. The size is the device's; there is no growing: a write at the end gives ENOSPC.
 */
#include "block_internal.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "mm/mapping.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/uio.h"

static u32
mode_of(const struct file *f)
{
	return (f->mode & FMODE_READ ? BLOCK_READ : 0) | (f->mode & FMODE_WRITE ? BLOCK_WRITE : 0);
}

/* O_EXCL without O_CREAT: for this file alone. */
static void *
holder_of(struct file *f)
{
	return f->flags & O_EXCL ? f : NULL;
}

static int
block_open(struct file *f)
{
	struct block_device *dev;
	int err = block_device_open_number(f->inode->rdev, mode_of(f), holder_of(f), &dev);

	if (err)
		return err;
	/* O_EXCL is not kept in the flags of an open file. */
	f->private = dev;
	f->version = holder_of(f) != NULL;
	f->mapping = dev->mapping;
	f->mode |= FMODE_ATOMIC_POS;
	return 0;
}

static void
block_release(struct file *f)
{
	block_device_close(f->private, mode_of(f), f->version ? f : NULL);
}

static ssize_t
block_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct block_device *dev = f->private;
	u64 size = block_device_bytes(dev), start = *pos;
	ssize_t n;

	if (start >= size)
		return 0;
	if (f->flags & O_DIRECT) {
		size_t cut = iter_count(it);

		iter_truncate(it, size - start);
		cut -= iter_count(it);
		n = mapping_writeback(f->mapping, start, start + iter_count(it), true);
		if (!n)
			n = block_direct_io(f->mapping, start, it, false);
		it->count += cut;
	} else {
		n = mapping_read_iter(f->mapping, start, size, &f->ra, it);
	}
	if (n > 0)
		*pos = start + (u64)n;
	return n;
}

static ssize_t
write_direct(struct file *f, struct iov_iter *it, u64 pos)
{
	u64 len = iter_count(it), first = pos >> PAGE_SHIFT, last = (pos + len - 1) >> PAGE_SHIFT;
	ssize_t n = mapping_writeback(f->mapping, pos, pos + len, true);

	if (n)
		return n;
	(void)mapping_invalidate(f->mapping, first, last);
	n = block_direct_io(f->mapping, pos, it, true);
	(void)mapping_invalidate(f->mapping, first, last);
	return n;
}

static ssize_t
block_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct block_device *dev = f->private;
	struct inode *i = dev->inode;
	u64 size = block_device_bytes(dev), start = *pos;
	ssize_t n;

	if (READ_ONCE(dev->read_only))
		return -EPERM;
	if (f->flags & O_APPEND)
		start = size;
	if (!iter_count(it))
		return 0;
	if (start >= size)
		return -ENOSPC;
	iter_truncate(it, size - start);
	rwsem_write_lock(&i->lock);
	n = f->flags & O_DIRECT ? write_direct(f, it, start)
				: mapping_write_iter(f->mapping, start, it);
	rwsem_write_unlock(&i->lock);
	if (n <= 0)
		return n;
	*pos = start + (u64)n;
	if ((f->flags & O_DSYNC) || (it->rw_flags & (RWF_DSYNC | RWF_SYNC))) {
		int err = file_sync_range(f, start, start + (u64)n - 1, true);

		if (err)
			return err;
	}
	return n;
}

static s64
block_seek(struct file *f, s64 offset, int whence)
{
	u64 size = block_device_bytes(f->private);
	s64 pos = offset;

	switch (whence) {
	case SEEK_SET: break;
	case SEEK_CUR:
		if (__builtin_add_overflow((s64)f->pos, offset, &pos))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow((s64)size, offset, &pos))
			return -EINVAL;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		/* All of it is data. */
		if (offset < 0 || (u64)offset >= size)
			return -ENXIO;
		pos = whence == SEEK_DATA ? offset : (s64)size;
		break;
	default: return -EINVAL;
	}
	if (pos < 0 || (u64)pos > size)
		return -EINVAL;
	f->pos = (u64)pos;
	return pos;
}

static int
block_fsync(struct file *f, u64 start, u64 end, bool datasync)
{
	struct block_device *dev = f->private;
	struct block_plug plug;
	int err, flush_err;

	block_plug_start(&plug);
	err = mapping_writeback(f->mapping, start, end == UINT64_MAX ? end : end + 1, true);
	block_plug_finish(&plug);
	flush_err = block_flush(dev);
	return err ? err : flush_err;
}

static int
block_fallocate(struct file *f, int mode, u64 offset, u64 len)
{
	struct block_device *dev = f->private;
	u64 size = block_device_bytes(dev);
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) ||
	    !(mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		return -EOPNOTSUPP;
	if (READ_ONCE(dev->read_only))
		return -EPERM;
	if (offset >= size)
		return -EINVAL;
	if (len > size - offset) {
		if (!(mode & FALLOC_FL_KEEP_SIZE))
			return -EINVAL;
		len = size - offset;
	}
	if ((offset | len) & (block_device_logical_size(dev) - 1))
		return -EINVAL;
	err = block_zero_range(dev, offset, len, mode & FALLOC_FL_PUNCH_HOLE);
	return err;
}

/* Zeroes on the device, with the pages over them dropped. Bytes, in logical blocks. */
int
block_zero_range(struct block_device *dev, u64 offset, u64 len, bool unmap)
{
	int err;

	rwsem_write_lock(&dev->inode->lock);
	mapping_punch(dev->mapping, offset, offset + len);
	err = mapping_writeback(dev->mapping, offset, offset + len, true);
	if (!err)
		err = block_zero(dev, offset >> SECTOR_SHIFT, len >> SECTOR_SHIFT, unmap);
	rwsem_write_unlock(&dev->inode->lock);
	return err;
}

static long
block_file_ioctl(struct file *f, u32 cmd, u64 arg)
{
	return block_ioctl(f->private, f, cmd, arg);
}

const struct file_ops block_file_ops = {
	.open = block_open,
	.release = block_release,
	.read = block_read,
	.write = block_write,
	.seek = block_seek,
	.ioctl = block_file_ioctl,
	.mmap = file_mmap_cached,
	.fsync = block_fsync,
	.fallocate = block_fallocate,
};
