/* SPDX-License-Identifier: MIT */
/*
 * Files: file_ops. Bytes go through the page cache (fs/vfs/cached.c, pages.c); here is what is
 * particular: waiting for freed blocks when the disk is full, fsync, and holes that lseek(2) and
 * fiemap see.
 */
#include "ext4_internal.h"
#include "mm/mapping.h"
#include "mm/mm.h"
#include "uapi/fcntl.h"

/* Inline contents move to a block before they are changed. Inode locked. */
static int
leave_inline(struct inode *i)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	struct journal_handle *h;
	int err = ext4_start(fs, CREDITS_MAP + CREDITS_XATTR, &h), end;

	if (err)
		return err;
	err = ext4_inline_convert(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}

static int
leave_inline_unlocked(struct inode *i)
{
	int err = 0;

	if (likely(!ext4_has_inline(ext4_node_of(i))))
		return 0;
	rwsem_write_lock(&i->lock);
	if (ext4_has_inline(ext4_node_of(i)))
		err = leave_inline(i);
	rwsem_write_unlock(&i->lock);
	return err;
}

static ssize_t
ext4_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct inode *i = f->inode;
	struct ext4_node *n = ext4_node_of(i);
	ssize_t done = 0, got;
	u32 tries = 0;
	int err;

	err = leave_inline_unlocked(i);
	if (err)
		return err;
	if (unlikely(!ext4_has_extents(n))) {
		u64 max = ext4_max_bytes(n->fs, false);

		if (*pos >= max)
			return iter_count(it) ? -EFBIG : 0;
		iter_truncate(it, max - *pos);
	}
	/* When the disk is full, blocks that are being freed may come with the next commit. */
	do {
		got = file_write_cached(f, it, pos);
		if (got > 0)
			done += got;
	} while (unlikely((got == -ENOSPC || (got > 0 && iter_count(it))) &&
			  ext4_wait_for_space(n->fs, &tries)));
	return done ? done : got;
}

static int
ext4_mmap(struct file *f, struct mm_map_request *rq)
{
	int err = leave_inline_unlocked(f->inode);

	return err ? err : file_mmap_cached(f, rq);
}

int
ext4_fsync(struct file *f, u64 start, u64 end, bool datasync)
{
	struct inode *i = f->inode;
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	bool flush = !(fs->options.flags & OPT_NOBARRIER);
	int err = 0, err2;
	u32 tid;

	if (S_ISREG(i->mode))
		err = mapping_writeback(&i->mapping, start, end == UINT64_MAX ? end : end + 1,
					true);
	/* Read-only because it gave up: what was written before is not on the disk. */
	if (ext4_readonly(fs))
		return !err && READ_ONCE(fs->aborted) ? -EROFS : err;
	if (!fs->journal) {
		err2 = buffers_sync(fs->cache);
	} else {
		tid = datasync ? READ_ONCE(n->datasync_tid) : READ_ONCE(n->sync_tid);
		flush = flush && !journal_commit_will_flush(fs->journal, tid);
		err2 = journal_commit_wait(fs->journal, tid);
	}
	err = err ? err : err2;
	if (flush) {
		err2 = block_flush(fs->dev);
		err = err ? err : err2;
	}
	return err;
}

/* --- holes --- */

/* What is only promised has no place yet: give it one, and the map tells all. */
static int
settle(struct inode *i)
{
	if (!READ_ONCE(ext4_node_of(i)->reserved))
		return 0;
	return mapping_writeback(&i->mapping, 0, UINT64_MAX, false);
}

static s64
find_data(struct inode *i, u64 offset, u64 size, bool hole)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u64 at = offset;

	while (at < size) {
		struct ext4_map m;
		int found = ext4_map_next(i, (u32)(at >> fs->block_bits), &m);
		u64 start, end;

		if (found < 0)
			return found;
		start = found ? (u64)m.lblk << fs->block_bits : size;
		end = found ? start + ((u64)m.len << fs->block_bits) : size;
		if (start > at && hole)
			return (s64)at;
		if (!found)
			break;
		if (m.flags == MAP_MAPPED) {
			if (!hole)
				return (s64)MAX(start, at);
			at = end;
		} else if (hole) {
			return (s64)MAX(start, at);
		} else {
			at = end;
		}
	}
	return hole ? (s64)size : -ENXIO;
}

static s64
ext4_seek(struct file *f, s64 offset, int whence)
{
	struct inode *i = f->inode;
	u64 size;
	s64 pos;

	if ((whence != SEEK_DATA && whence != SEEK_HOLE) || ext4_has_inline(ext4_node_of(i)))
		return file_seek_size(f, offset, whence);
	rwsem_read_lock(&i->lock);
	size = i->size;
	if (offset < 0 || (u64)offset >= size) {
		pos = -ENXIO;
	} else {
		pos = settle(i);
		if (!pos)
			pos = find_data(i, (u64)offset, size, whence == SEEK_HOLE);
	}
	rwsem_read_unlock(&i->lock);
	return pos < 0 ? pos : file_seek_size(f, MIN(pos, (s64)size), SEEK_SET);
}

const struct file_ops ext4_file_ops = {
	.read = file_read_cached,
	.write = ext4_write,
	.seek = ext4_seek,
	.mmap = ext4_mmap,
	.fsync = ext4_fsync,
	.fallocate = ext4_fallocate,
	.ioctl = ext4_ioctl,
};
