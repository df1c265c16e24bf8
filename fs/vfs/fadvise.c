/* SPDX-License-Identifier: MIT */
/* posix_fadvise(2), readahead(2), fallocate(2): a file's pages and blocks, asked for or given back.
 */
#include "generated/syscalls.h"
#include "lib/math.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

static void
read_ahead(struct file *f, u64 offset, u64 count)
{
	struct mapping *m = f->mapping;
	u64 end = add_u64_sat(offset, count);

	/* As much as there is: those who ask know why. Half of what is free at most. */
	end = MIN(end, m->size ? READ_ONCE(*m->size) : 0);
	if (offset < end)
		mapping_read_ahead(m, offset >> PAGE_SHIFT,
				   MIN(DIV_ROUND_UP(end, PAGE_SIZE) - (offset >> PAGE_SHIFT),
				       mapping_read_ahead_limit()));
}

/* Whole pages only: what the range shares with others is still wanted. */
static void
drop_pages(struct mapping *m, u64 offset, u64 length)
{
	u64 end = length ? add_u64_sat(offset, length) : UINT64_MAX;
	u64 first = (offset >> PAGE_SHIFT) + !!(offset & ~PAGE_MASK);
	u64 past = end == UINT64_MAX ? end : end >> PAGE_SHIFT;

	(void)mapping_writeback(m, offset, end, false);
	if (past > first)
		(void)mapping_invalidate(m, first, past - 1);
}

long
sys_fadvise64(int fd, loff_t offset, size_t length, int advice)
{
	struct fd_ref r = fd_lookup(fd);
	struct file *f = r.file;
	struct mapping *m;
	long ret = 0;

	if (!f)
		return -EBADF;
	m = f->mapping;
	if (S_ISFIFO(f->inode->mode)) {
		ret = -ESPIPE;
		goto out;
	}
	if ((s64)length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE) {
		ret = -EINVAL;
		goto out;
	}
	switch (advice) {
	case POSIX_FADV_WILLNEED:
		read_ahead(f, (u64)offset, length ? length : UINT64_MAX - (u64)offset);
		break;
	case POSIX_FADV_DONTNEED:
		if (m->ops)
			drop_pages(m, (u64)offset, length);
		break;
	case POSIX_FADV_NORMAL: f->ra.mode = READAHEAD_NORMAL; break;
	case POSIX_FADV_RANDOM: f->ra.mode = READAHEAD_RANDOM; break;
	case POSIX_FADV_SEQUENTIAL: f->ra.mode = READAHEAD_SEQUENTIAL; break;
	default: break; /* NOREUSE: as on Linux, nothing */
	}
out:
	fd_release(r);
	return ret;
}

long
sys_readahead(int fd, loff_t offset, size_t count)
{
	struct fd_ref r = fd_lookup(fd);
	struct file *f = r.file;
	long ret = 0;

	if (!f)
		return -EBADF;
	if (!(f->mode & FMODE_READ))
		ret = -EBADF;
	else if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		ret = -EINVAL;
	else
		read_ahead(f, (u64)offset, count);
	fd_release(r);
	return ret;
}

static int
check_fallocate(const struct file *f, int mode, s64 offset, s64 len)
{
	const struct inode *i = f->inode;
	s64 end;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
		     FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE))
		return -EOPNOTSUPP;
	if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) ==
	    (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_COLLAPSE_RANGE) && (mode & ~FALLOC_FL_COLLAPSE_RANGE))
		return -EINVAL;
	if ((mode & FALLOC_FL_INSERT_RANGE) && (mode & ~FALLOC_FL_INSERT_RANGE))
		return -EINVAL;
	if ((mode & FALLOC_FL_UNSHARE_RANGE) &&
	    (mode & ~(FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE)))
		return -EINVAL;
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if ((mode & ~FALLOC_FL_KEEP_SIZE) && (i->flags & INODE_APPEND))
		return -EPERM;
	if (i->flags & INODE_IMMUTABLE)
		return -EPERM;
	if (S_ISFIFO(i->mode))
		return -ESPIPE;
	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode) && !S_ISBLK(i->mode))
		return -ENODEV;
	if (__builtin_add_overflow(offset, len, &end) || (u64)end > i->super->max_bytes)
		return -EFBIG;
	return f->ops->fallocate ? 0 : -EOPNOTSUPP;
}

long
sys_fallocate(int fd, int mode, loff_t offset, loff_t len)
{
	struct fd_ref r = fd_lookup(fd);
	struct file *f = r.file;
	int err;

	if (!f)
		return -EBADF;
	err = check_fallocate(f, mode, offset, len);
	if (!err)
		err = f->ops->fallocate(f, mode, (u64)offset, (u64)len);
	if (!err)
		notify_file(f, IN_MODIFY);
	fd_release(r);
	return err;
}
