/* SPDX-License-Identifier: MIT */
/* ioctl(2): what every descriptor answers itself; the rest goes to the file. */
#include "uapi/ioctl.h"
#include "generated/syscalls.h"
#include "vfs_internal.h"

static long
set_flag(int fd, struct file *f, u32 flag, user_ptr arg)
{
	int on;

	if (get_user(&on, arg))
		return -EFAULT;
	return file_set_flags(fd, f, on ? f->flags | flag : f->flags & ~flag);
}

static long
ioctl_regular(struct file *f, u32 request, user_ptr arg)
{
	struct inode *i = f->inode;

	switch (request) {
	case FIONREAD: {
		s64 left = (s64)(READ_ONCE(i->size) - f->pos);

		return put_user(arg, (int)left);
	}
	case FIBMAP: return capable(CAP_SYS_RAWIO) ? -EINVAL : -EPERM;
	default: return f->ops->ioctl ? f->ops->ioctl(f, request, arg.addr) : -ENOTTY;
	}
}

long
sys_ioctl(int fd, unsigned int request, unsigned long arg)
{
	struct fd_ref r = fd_lookup(fd);
	struct file *f = r.file;
	umode_t type;
	long ret;

	if (unlikely(!f))
		return -EBADF;
	type = f->inode->mode & S_IFMT;
	switch (request) {
	case FIOCLEX:
	case FIONCLEX: ret = fd_set_cloexec(fd, request == FIOCLEX); break;
	case FIONBIO: ret = set_flag(fd, f, O_NONBLOCK, user_ptr_of(arg)); break;
	case FIOASYNC: ret = set_flag(fd, f, FASYNC, user_ptr_of(arg)); break;
	case FIOQSIZE:
		if (type == S_IFREG || type == S_IFDIR || type == S_IFLNK)
			ret = put_user(user_ptr_of(arg), (s64)(f->inode->blocks * 512));
		else
			ret = -ENOTTY;
		break;
	case FIGETBSZ:
		ret = f->inode->super->block_size
			      ? put_user(user_ptr_of(arg), (int)f->inode->super->block_size)
			      : -EINVAL;
		break;
	default:
		if (type == S_IFREG)
			ret = ioctl_regular(f, request, user_ptr_of(arg));
		else
			ret = f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -ENOTTY;
	}
	fd_release(r);
	return ret;
}
