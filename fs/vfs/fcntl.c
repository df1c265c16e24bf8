/* SPDX-License-Identifier: MIT */
/*
 * fcntl(2): one descriptor's and one open file's small properties. Locks are in locks.c, signals in
 * fasync.c, seals with the file.
 */
#include "generated/syscalls.h"
#include "vfs_internal.h"

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

int
file_set_flags(int fd, struct file *f, u32 flags)
{
	u32 old = f->flags;
	int err;

	if ((~flags & O_APPEND & old) && (f->inode->flags & INODE_APPEND))
		return -EPERM;
	if ((flags & ~old & O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((flags & ~old & O_DIRECT) && file_refuses_direct(f))
		return -EINVAL;
	if (f->ops->set_flags) {
		err = f->ops->set_flags(f, flags);
		if (err)
			return err;
	}
	if ((flags ^ old) & FASYNC) {
		err = fasync_enable(fd, f, flags & FASYNC);
		if (err)
			return err;
	}
	WRITE_ONCE(f->flags, (old & ~(u32)SETFL_MASK) | (flags & SETFL_MASK));
	return 0;
}

static long
set_lease(struct file *f, unsigned long arg)
{
	if (!S_ISREG(f->inode->mode))
		return -EINVAL;
	if (arg != F_RDLCK && arg != F_WRLCK && arg != F_UNLCK)
		return -EINVAL;
	/* Leases are not kept, as on a file system without them. */
	return arg == F_UNLCK ? -EAGAIN : -EINVAL;
}

/* What works on an O_PATH descriptor, too; -ENOTTY: another command. */
static long
fcntl_descriptor(int fd, struct file *f, u32 cmd, unsigned long arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= rlimit_current(RLIMIT_NOFILE))
			return -EINVAL;
		return fd_dup_above(fd, (int)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD: return fd_table_cloexec(current->files, fd) ? FD_CLOEXEC : 0;
	case F_SETFD: return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	case F_GETFL: return f->flags;
	default: return -ENOTTY;
	}
}

long
sys_fcntl(int fd, unsigned int cmd, unsigned long arg)
{
	struct fd_ref r = fd_lookup_path(fd);
	struct file *f = r.file;
	long ret;

	if (unlikely(!f))
		return -EBADF;
	ret = fcntl_descriptor(fd, f, cmd, arg);
	if (ret != -ENOTTY)
		goto out;
	if (f->mode & FMODE_PATH) {
		ret = -EBADF;
		goto out;
	}
	switch (cmd) {
	case F_SETFL: ret = file_set_flags(fd, f, (u32)arg); break;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW: ret = locks_fcntl(fd, f, cmd, user_ptr_of(arg)); break;
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_SETSIG:
	case F_GETSIG:
	case F_GETOWNER_UIDS: ret = fasync_fcntl(f, cmd, arg); break;
	case F_NOTIFY: ret = dnotify_set(fd, f, (u32)arg); break;
	case F_SETLEASE: ret = set_lease(f, arg); break;
	case F_GETLEASE: ret = F_UNLCK; break;
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		ret = -EBADF;
		if (f->ops->pipe_size)
			ret = arg > UINT32_MAX
				      ? -EINVAL
				      : f->ops->pipe_size(f, cmd == F_SETPIPE_SZ ? &arg : NULL);
		break;
	case F_ADD_SEALS:
	case F_GET_SEALS:
		ret = -EINVAL;
		if (f->ops->seals && arg <= UINT32_MAX)
			ret = f->ops->seals(f, cmd == F_ADD_SEALS, (u32)arg);
		break;
	default: ret = -EINVAL;
	}
out:
	fd_release(r);
	return ret;
}
