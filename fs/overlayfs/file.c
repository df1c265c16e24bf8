/* SPDX-License-Identifier: MIT */
/*
 * Files of an overlay: an open file has the real one open behind it, which does the work. Pages are
 * the real inode's; there are no others.
 *
 * Opening for writing copies up first. Who has the lower file open for reading reads the copy from
 * then on (ovl_file.upper); mappings made before stay with the lower file, as on Linux.
 */
#include "mm/mm.h"
#include "overlayfs_internal.h"

struct ovl_file {
	struct file *real;  /* [I] as it was opened */
	struct file *upper; /* set once, when real is of a lower layer and has been copied up */
};

#define FLAGS_CHANGEABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static int
open_real(struct file *f, struct file **out)
{
	u32 flags = f->flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_NOFOLLOW);
	struct path p = ovl_real_path(f->inode);
	struct cred *saved = ovl_cred_begin(f->inode->super);
	int err = file_open_path(&p, flags, out);

	ovl_cred_end(saved);
	return err;
}

static int
ovl_open(struct file *f)
{
	struct ovl_file *of;
	int err = 0;

	if ((f->mode & FMODE_WRITE) || (f->flags & O_TRUNC))
		err = ovl_copy_up(f->path.dentry, !(f->flags & O_TRUNC));
	if (err)
		return err;
	of = kzalloc(sizeof(*of), GFP_KERNEL);
	if (!of)
		return -ENOMEM;
	err = open_real(f, &of->real);
	if (err) {
		kfree(of);
		return err;
	}
	f->private = of;
	f->mapping = of->real->mapping;
	return 0;
}

static void
ovl_release(struct file *f)
{
	struct ovl_file *of = f->private;

	file_put(of->real);
	if (of->upper)
		file_put(of->upper);
	kfree(of);
}

/* The file to use now. */
static int
real_of(struct file *f, struct file **out)
{
	struct ovl_file *of = f->private;
	struct file *real = of->real, *made, *old = NULL;
	const struct dentry *upper = ovl_upper(f->inode);
	int err;

	if (unlikely(upper && real->path.dentry != upper)) {
		real = smp_load_acquire(&of->upper);
		if (!real) {
			err = open_real(f, &made);
			if (err)
				return err;
			real = made;
			if (!try_cmpxchg(&of->upper, &old, made)) {
				file_put(made);
				real = old;
			}
		}
	}
	/* F_SETFL on ours is meant for it. */
	if (unlikely((real->flags ^ f->flags) & FLAGS_CHANGEABLE))
		real->flags = (real->flags & ~(u32)FLAGS_CHANGEABLE) |
			      (f->flags & FLAGS_CHANGEABLE);
	*out = real;
	return 0;
}

static ssize_t
ovl_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct file *real;
	ssize_t n = real_of(f, &real);

	if (n)
		return n;
	return real->ops->read ? real->ops->read(real, it, pos) : -EINVAL;
}

static ssize_t
ovl_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct file *real;
	ssize_t n = real_of(f, &real);

	if (n)
		return n;
	n = real->ops->write ? real->ops->write(real, it, pos) : -EINVAL;
	ovl_copy_attributes(f->inode);
	return n;
}

static s64
ovl_seek(struct file *f, s64 offset, int whence)
{
	struct file *real;
	s64 pos = real_of(f, &real);

	if (pos)
		return pos;
	if (!real->ops->seek)
		return -ESPIPE;
	real->pos = f->pos;
	pos = real->ops->seek(real, offset, whence);
	f->pos = real->pos;
	return pos;
}

static int
ovl_mmap(struct file *f, struct mm_map_request *rq)
{
	struct file *real;
	int err = real_of(f, &real);

	if (err)
		return err;
	return real->ops->mmap ? real->ops->mmap(real, rq) : -ENODEV;
}

static int
ovl_fsync(struct file *f, u64 start, u64 end, bool datasync)
{
	struct file *real;
	int err = real_of(f, &real);

	/* Nothing of a lower layer is ever written. */
	if (err || !ovl_upper(f->inode) || ovl_mount_of(f->inode->super)->is_volatile)
		return err;
	return file_sync_range(real, start, end, datasync);
}

static int
ovl_fallocate(struct file *f, int mode, u64 offset, u64 len)
{
	struct file *real;
	int err = real_of(f, &real);

	if (err)
		return err;
	err = real->ops->fallocate ? real->ops->fallocate(real, mode, offset, len) : -EOPNOTSUPP;
	ovl_copy_attributes(f->inode);
	return err;
}

const struct file_ops ovl_regular_file_ops = {
	.open = ovl_open,
	.release = ovl_release,
	.read = ovl_read,
	.write = ovl_write,
	.seek = ovl_seek,
	.mmap = ovl_mmap,
	.fsync = ovl_fsync,
	.fallocate = ovl_fallocate,
};
