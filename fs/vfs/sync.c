/* SPDX-License-Identifier: MIT */
/* sync(2), fsync(2), fdatasync(2), sync_file_range(2): hand what is only in memory to the file
 * systems. */
#include "generated/syscalls.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

static int
sync_super(struct super *s, void *ctx)
{
	(void)super_sync(s, *(bool *)ctx);
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

/*
 * Errors of writeback since the file was opened, or since the last call, are told once for each
 * open file: by fsync those of the file, by syncfs those of any on its file system.
 */
static int
told_once(u32 *errors, u32 *since, int err)
{
	int err2 = errseq_check(errors, since);

	return err ? err : err2;
}

long
sys_syncfs(int fd)
{
	struct fd_ref r = fd_lookup(fd);
	struct super *s;
	int err;

	if (!r.file)
		return -EBADF;
	s = r.file->inode->super;
	err = told_once(&s->wb_error, &r.file->wb_error_super, super_sync(s, true));
	fd_release(r);
	return err;
}

int
file_sync_range(struct file *f, u64 start, u64 end, bool datasync)
{
	int err = -EINVAL;

	if (f->ops->fsync)
		err = f->ops->fsync(f, start, end, datasync);
	else if ((S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)) && !(f->mode & FMODE_NO_SYNC))
		err = 0;
	else
		return err;
	return f->mapping ? told_once(&f->mapping->wb_error, &f->wb_error_seen, err) : err;
}

static long
sync_file(int fd, bool datasync)
{
	struct fd_ref r = fd_lookup(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = file_sync_range(r.file, 0, UINT64_MAX, datasync);
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

static int
sync_range(struct file *f, u64 start, u64 end, u32 flags)
{
	struct mapping *m = f->mapping;
	int err = 0;

	if (!m->ops)
		return 0;
	if (flags & SYNC_FILE_RANGE_WAIT_BEFORE)
		mapping_wait_writeback(m, start, end);
	if (flags & SYNC_FILE_RANGE_WRITE)
		err = mapping_writeback(m, start, end, false);
	if (!err && (flags & SYNC_FILE_RANGE_WAIT_AFTER))
		mapping_wait_writeback(m, start, end);
	if (flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER))
		err = told_once(&m->wb_error, &f->wb_error_seen, err);
	return err;
}

long
sys_sync_file_range(int fd, loff_t offset, loff_t count, unsigned int flags)
{
	struct fd_ref r;
	umode_t mode;
	s64 end;
	int err;

	if (flags & ~(u32)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			   SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (offset < 0 || count < 0 || __builtin_add_overflow(offset, count, &end))
		return -EINVAL;
	r = fd_lookup(fd);
	if (!r.file)
		return -EBADF;
	mode = r.file->inode->mode;
	if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		err = -ESPIPE;
	else
		err = sync_range(r.file, (u64)offset, count ? (u64)end : UINT64_MAX, flags);
	fd_release(r);
	return err;
}
