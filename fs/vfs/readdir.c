/* SPDX-License-Identifier: MIT */
/*
 * getdents64(2), getdents(2).
 *
 * The directory emits entries until the buffer is full; the one that did not fit is not passed
 * over. Each record carries the position of the entry after it, so a reader may seek to any of
 * them. Records go to user memory as they come: a fault ends the list.
 */
#include "generated/syscalls.h"
#include "uapi/dirent.h"
#include "vfs_internal.h"

struct dents {
	struct dir_context ctx;
	user_ptr buf;
	size_t left, done;
	bool old; /* getdents: type behind the name */
	int err;
};

static bool
emit(struct dir_context *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next_pos)
{
	struct dents *d = container_of(ctx, struct dents, ctx);
	size_t header = d->old ? offsetof(struct linux_dirent, d_name)
			       : offsetof(struct linux_dirent64, d_name);
	size_t size = ALIGN_UP(header + len + 1 + (d->old ? 1 : 0), 8ul);
	/* The longest record; names are at most NAME_MAX. */
	u8 record[ALIGN_UP(sizeof(struct linux_dirent64) + NAME_MAX + 2, 8)];

	if (len > NAME_MAX) {
		d->err = -EIO;
		return false;
	}
	if (size > d->left) {
		if (!d->done)
			d->err = -EINVAL;
		return false;
	}
	if (d->done && thread_signal_pending(thread_current())) {
		d->err = -EINTR;
		return false;
	}
	memset(record + size - 8, 0, 8);
	if (d->old) {
		struct linux_dirent *e = (struct linux_dirent *)record;

		e->d_ino = ino;
		e->d_off = next_pos;
		e->d_reclen = (u16)size;
		memcpy(e->d_name, name, len);
		e->d_name[len] = '\0';
		record[size - 1] = type;
	} else {
		struct linux_dirent64 *e = (struct linux_dirent64 *)record;

		e->d_ino = ino;
		e->d_off = (s64)next_pos;
		e->d_reclen = (u16)size;
		e->d_type = type;
		memcpy(e->d_name, name, len);
		e->d_name[len] = '\0';
	}
	if (copy_to_user(d->buf, record, size)) {
		d->err = -EFAULT;
		return false;
	}
	d->buf = user_ptr_add(d->buf, size);
	d->left -= size;
	d->done += size;
	return true;
}

/* Entries of an open directory into ctx, from its position on; the position follows. */
int
file_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode;
	int err;

	if (!f->ops->readdir)
		return -ENOTDIR;
	rwsem_read_lock(&dir->lock);
	if (dir->flags & INODE_DELETED) {
		err = -ENOENT;
	} else {
		ctx->pos = f->pos;
		err = f->ops->readdir(f, ctx);
		f->pos = ctx->pos;
		inode_touch_atime(f->path.mnt, dir);
	}
	rwsem_read_unlock(&dir->lock);
	if (!err)
		notify_file(f, IN_ACCESS);
	return err;
}

static long
getdents(int fd, user_ptr buf, u32 count, bool old)
{
	struct dents d = { .ctx.emit = emit, .buf = buf, .left = count, .old = old };
	struct fd_ref r = fd_lookup(fd);
	bool locked = false;
	int err;

	if (!r.file)
		return -EBADF;
	if (ref_read(&r.file->ref) > 1) {
		mutex_lock(&r.file->pos_lock);
		locked = true;
	}
	err = file_readdir(r.file, &d.ctx);
	if (locked)
		mutex_unlock(&r.file->pos_lock);
	fd_release(r);
	if (d.done)
		return (long)d.done;
	return err ? err : d.err;
}

long
sys_getdents64(int fd, user_ptr buf, unsigned int count)
{
	return getdents(fd, buf, count, false);
}

long
sys_getdents(int fd, user_ptr buf, unsigned int count)
{
	return getdents(fd, buf, count, true);
}
