/* SPDX-License-Identifier: MIT */
/*
 * Copying up: a file of a lower layer is about to change, so the upper layer gets a copy of it,
 * with the directories above it.
 *
 * The copy is made in the working directory, complete with owner, mode, times and extended
 * attributes, and synced; then it is renamed to its place. So a crash leaves all of it or nothing,
 * and nobody sees half a file. Runs of zeroes are not written: holes stay.
 *
 * Locking: copy_lock of the inode. Names of what is not in the upper layer cannot change, but by
 * unlink, which takes that lock too; and directories that are merged are not renamed (EXDEV).
 */
#include "overlayfs_internal.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/xattr.h"

#define CHUNK_ORDER 4u
#define CHUNK	    (PAGE_SIZE << CHUNK_ORDER)

/* --- data --- */

static int
copy_bytes(struct file *from, struct file *to, u8 *buf)
{
	u64 pos = 0, size = READ_ONCE(from->inode->size);

	while (pos < size) {
		ssize_t n = file_read_kernel(from, buf, MIN(CHUNK, size - pos), pos), done;

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		if (signal_fatal_pending(current))
			return -EINTR;
		if (memchr_inv(buf, 0, (size_t)n)) {
			done = file_write_kernel(to, buf, (size_t)n, pos);
			if (done < n)
				return done < 0 ? (int)done : -EIO;
		}
		pos += (u64)n;
	}
	return 0;
}

static int
copy_data(const struct ovl_mount *m, const struct path *from, const struct path *to)
{
	struct attr_change c = { .valid = ATTR_SIZE, .size = from->dentry->inode->size };
	u8 *buf = pages_alloc(CHUNK_ORDER, GFP_KERNEL);
	struct file *f, *t;
	int err;

	if (!buf)
		return -ENOMEM;
	err = file_open_path(from, O_RDONLY | O_LARGEFILE, &f);
	if (err)
		goto out_buf;
	err = file_open_path(to, O_WRONLY | O_LARGEFILE, &t);
	if (err)
		goto out_from;
	err = copy_bytes(f, t, buf);
	if (!err)
		err = inode_set_attr(to, &c); /* a hole at the end */
	if (!err && !m->is_volatile)
		err = file_sync_range(t, 0, UINT64_MAX, false);
	file_put(t);
out_from:
	file_put(f);
out_buf:
	pages_free(buf, CHUNK_ORDER);
	return err;
}

/* --- attributes --- */

static int
copy_xattr(struct inode *from, struct inode *to, const char *name)
{
	ssize_t n = from->ops->getxattr(from, name, NULL, 0);
	void *value;
	int err;

	if (n < 0)
		return n == -ENODATA ? 0 : (int)n;
	value = kvmalloc((size_t)n + 1, GFP_KERNEL);
	if (!value)
		return -ENOMEM;
	n = from->ops->getxattr(from, name, value, (size_t)n + 1);
	err = n < 0 ? (int)n : 0;
	if (!err) {
		rwsem_write_lock(&to->lock);
		err = to->ops->setxattr ? to->ops->setxattr(to, name, value, (size_t)n, 0)
					: -EOPNOTSUPP;
		rwsem_write_unlock(&to->lock);
	}
	kvfree(value);
	/* What the upper layer cannot keep, and nobody relies on. */
	return err == -EOPNOTSUPP && !str_starts_with(name, XATTR_SECURITY_PREFIX) ? 0 : err;
}

static int
copy_xattrs(struct inode *from, struct inode *to)
{
	ssize_t len;
	char *list;
	int err = 0;

	if (!from->ops->listxattr || !from->ops->getxattr)
		return 0;
	len = from->ops->listxattr(from, NULL, 0);
	if (len <= 0)
		return len == -EOPNOTSUPP ? 0 : (int)len;
	list = kvmalloc(XATTR_LIST_MAX, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	len = from->ops->listxattr(from, list, XATTR_LIST_MAX);
	for (ssize_t at = 0; !err && at < len; at += (ssize_t)strlen(list + at) + 1)
		if (!str_starts_with(list + at, OVL_XATTR_PREFIX))
			err = copy_xattr(from, to, list + at);
	kvfree(list);
	return len < 0 ? (int)len : err;
}

static int
copy_attributes(const struct inode *from, const struct path *to)
{
	struct attr_change c = {
		.valid = ATTR_UID | ATTR_GID | ATTR_MODE | ATTR_ATIME | ATTR_MTIME |
			 ATTR_ATIME_SET | ATTR_MTIME_SET,
		.mode = from->mode & S_IALLUGO,
		.uid = from->uid,
		.gid = from->gid,
		.atime = from->times.atime,
		.mtime = from->times.mtime,
	};

	if (S_ISLNK(from->mode))
		c.valid &= ~(u32)ATTR_MODE;
	return inode_set_attr(to, &c);
}

/* --- one --- */

static int
make_temp(struct ovl_mount *m, const char *name, struct inode *real, struct dentry **out)
{
	struct path_create pc;
	char *text = NULL;
	int err = 0;

	if (S_ISLNK(real->mode)) {
		text = kzalloc(PATH_MAX, GFP_KERNEL);
		if (!text)
			return -ENOMEM;
		if (real->link)
			strscpy(text, real->link, PATH_MAX);
		else
			err = real->ops->get_link(real, text, PATH_MAX - 1);
	}
	if (err >= 0)
		err = path_create_at(&m->work, name, &pc);
	if (!err) {
		if (S_ISDIR(real->mode))
			err = vfs_mkdir(&pc, 0700);
		else if (S_ISLNK(real->mode))
			err = vfs_symlink(&pc, text);
		else
			err = vfs_mknod(&pc, (real->mode & S_IFMT) | 0600, real->rdev);
		if (!err) {
			*out = pc.dentry;
			dentry_get(pc.dentry);
		}
		path_create_done(&pc);
	}
	kfree(text);
	return err;
}

/* copy_lock held, by the mounter's cred. */
static int
copy_up_locked(struct dentry *parent, struct dentry *d, bool data)
{
	struct ovl_mount *m = ovl_mount_of(d->super);
	struct inode *i = d->inode;
	struct path from = ovl_real_path(i), to = { m->upper.mnt, NULL },
		    place = ovl_upper_path(parent->inode);
	struct inode_times times = place.dentry->inode->times;
	struct attr_change restore = {
		.valid = ATTR_ATIME | ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET,
		.atime = times.atime,
		.mtime = times.mtime,
	};
	char name[OVL_TEMP_SIZE];
	int err;

	ovl_temp_name(m, name);
	err = make_temp(m, name, from.dentry->inode, &to.dentry);
	if (err)
		return err;
	err = mount_want_write(to.mnt);
	if (err)
		goto out_temp;
	if (data && S_ISREG(i->mode) && from.dentry->inode->size)
		err = copy_data(m, &from, &to);
	if (!err)
		err = copy_xattrs(from.dentry->inode, to.dentry->inode);
	if (!err)
		err = copy_attributes(from.dentry->inode, &to);
	if (!err)
		err = vfs_rename_at(&m->work, name, &place, d->name, 0);
	mount_drop_write(to.mnt);
	if (err)
		goto out_temp;
	(void)inode_set_attr(&place, &restore);
	smp_store_release(&ovl_inode_of(i)->upper, to.dentry);
	ovl_inode_rekey(i);
	ovl_copy_attributes(i);
	return 0;
out_temp:
	dentry_put(to.dentry);
	(void)ovl_remove_temp(m, name);
	return err;
}

static int
copy_up_one(struct dentry *parent, struct dentry *d, bool data)
{
	struct ovl_inode *oi = ovl_inode_of(d->inode);
	int err = 0;

	mutex_lock(&oi->copy_lock);
	if (!oi->upper)
		err = READ_ONCE(d->flags) & DENTRY_UNHASHED || !d->inode->nlink
			      ? -ENOENT /* its name is gone */
			      : copy_up_locked(parent, d, data);
	mutex_unlock(&oi->copy_lock);
	return err;
}

int
ovl_copy_up(struct dentry *d, bool data)
{
	struct super *s = d->super;
	struct cred *saved;
	int err = 0;

	if (likely(ovl_upper(d->inode)))
		return 0;
	if (!ovl_mount_of(s)->upper.mnt)
		return -EROFS;
	saved = ovl_cred_begin(s);
	/* The topmost directory first: each is put into the one above. */
	while (!err && !ovl_upper(d->inode)) {
		struct dentry *next = d, *parent = READ_ONCE(d->parent);

		while (!ovl_upper(parent->inode)) {
			next = parent;
			parent = READ_ONCE(parent->parent);
		}
		err = copy_up_one(parent, next, next != d || data);
	}
	ovl_cred_end(saved);
	return err;
}

int
ovl_copy_up_inode(struct inode *i, bool data)
{
	struct dentry *d;
	int err;

	if (likely(ovl_upper(i)))
		return 0;
	d = dentry_find_alias(i);
	if (!d)
		return -ENOENT;
	err = ovl_copy_up(d, data);
	dentry_put(d);
	return err;
}
