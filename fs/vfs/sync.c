/* SPDX-License-Identifier: MIT */
/* sync(2), fsync(2), fdatasync(2), sync_file_range(2): hand what is only in memory to the file
 * systems. */
#include "generated/syscalls.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

static int
sync_super(struct super *s, void *ctx)
{
	if (s->ops && s->ops->sync && !(s->flags & MS_RDONLY))
		(void)s->ops->sync(s, *(bool *)ctx);
	return 0;
}

long
sys_sync(void)
{
	bool wait = false;

	/* All are started before any is waited for. */
	super_for_each(sync_super, &wait);
	wait = true;
	super_for_each(sync_super, &wait);
	return 0;
}

long
sys_syncfs(int fd)
{
	struct fd_ref r = fd_lookup(fd);
	struct super *s;
	int err = 0;

	if (!r.file)
		return -EBADF;
	s = r.file->inode->super;
	if (s->ops && s->ops->sync && !(s->flags & MS_RDONLY))
		err = s->ops->sync(s, true);
	fd_release(r);
	return err;
}

static long
sync_file(int fd, bool datasync)
{
	struct fd_ref r = fd_lookup(fd);
	struct file *f = r.file;
	int err = -EINVAL;

	if (!f)
		return -EBADF;
	if (f->ops->fsync)
		err = f->ops->fsync(f, 0, UINT64_MAX, datasync);
	else if ((S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)) && !(f->mode & FMODE_NO_SYNC))
		err = 0;
	fd_release(r);
	return err;
}

long
sys_fsync(int fd)
{
	return sync_file(fd, false);
}

long
sys_fdatasync(int fd)
{
	return sync_file(fd, true);
}

long
sys_sync_file_range(int fd, loff_t offset, loff_t count, unsigned int flags)
{
	struct fd_ref r;
	struct file *f;
	s64 end;
	int err = 0;

	if (flags & ~(u32)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			   SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (offset < 0 || count < 0 || __builtin_add_overflow(offset, count, &end))
		return -EINVAL;
	r = fd_lookup(fd);
	f = r.file;
	if (!f)
		return -EBADF;
	if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode) && !S_ISDIR(f->inode->mode) &&
	    !S_ISLNK(f->inode->mode))
		err = -ESPIPE;
	else if (f->inode->mapping.ops && f->inode->mapping.ops->write_page)
		err = mapping_writeback(
			&f->inode->mapping, (u64)offset, count ? (u64)end : UINT64_MAX,
			flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER));
	fd_release(r);
	return err;
}
