/* SPDX-License-Identifier: MIT */
/*
 * Inodes of an overlay: a copy of the attributes of what is really there, and where that is.
 *
 * Numbers. If all layers are one file system, st_dev is the overlay's and st_ino the real one's.
 * Otherwise only directories are so; a file shows the real number and a device number of its own
 * file system, which for lower layers is one made up.
 *
 * An inode is found by the real one, so that names of one upper file share it. A lower file with
 * several names is not: each is copied up by itself. Copying up keeps the inode and its number, for
 * as long as it is in memory.
 */
#include "fs/vfs/device.h"
#include "lib/hash.h"
#include "overlayfs_internal.h"
#include "uapi/xattr.h"

static struct hlist_head *
bucket_of(struct ovl_mount *m, const struct inode *key)
{
	return &m->table[hash_ptr(key, OVL_TABLE_BITS)];
}

/* --- attributes --- */

void
ovl_copy_attributes(struct inode *i)
{
	const struct inode *real = ovl_real(i);

	WRITE_ONCE(i->mode, real->mode);
	WRITE_ONCE(i->uid, real->uid);
	WRITE_ONCE(i->gid, real->gid);
	WRITE_ONCE(i->size, READ_ONCE(real->size));
	WRITE_ONCE(i->blocks, READ_ONCE(real->blocks));
	i->times = real->times;
	i->flags = (i->flags & ~(u32)(INODE_APPEND | INODE_IMMUTABLE)) |
		   (real->flags & (INODE_APPEND | INODE_IMMUTABLE));
	if (S_ISDIR(i->mode))
		i->nlink = i->nlink ? MAX(real->nlink, 1u) : 0;
	else
		i->nlink = real->nlink;
}

static int
ovl_getattr(struct inode *i, struct linux_statx *st)
{
	const struct ovl_inode *oi = ovl_inode_of(i);
	struct inode *real = ovl_real(i);
	struct cred *saved = ovl_cred_begin(i->super);
	int err = 0;

	inode_stat(real, st);
	if (real->ops->getattr)
		err = real->ops->getattr(real, st);
	ovl_cred_end(saved);
	if (err)
		return err;
	st->stx_ino = oi->ino;
	st->stx_dev_major = DEV_MAJOR(oi->dev);
	st->stx_dev_minor = DEV_MINOR(oi->dev);
	if (S_ISDIR(i->mode) && oi->nr_lowers && (ovl_upper(i) || oi->nr_lowers > 1))
		st->stx_nlink = 1; /* merged: nobody has counted */
	return 0;
}

static int
ovl_setattr(struct inode *i, const struct attr_change *change)
{
	struct attr_change c = *change;
	bool cut = (c.valid & ATTR_SIZE) && !c.size;
	struct cred *saved;
	struct path p;
	int err;

	/* The layer's file system would ask the mounter's groups. */
	if ((c.valid & ATTR_MODE) && (c.mode & S_ISGID) && !S_ISDIR(i->mode) &&
	    !(c.valid & (ATTR_UID | ATTR_GID)) && !cred_in_group(current_cred(), i->gid) &&
	    !capable(CAP_FSETID))
		c.mode &= ~S_ISGID;
	c.file = NULL;
	saved = ovl_cred_begin(i->super);
	err = ovl_copy_up_inode(i, !cut);
	if (!err) {
		p = ovl_upper_path(i);
		err = inode_set_attr(&p, &c);
	}
	if (!err)
		ovl_copy_attributes(i);
	ovl_cred_end(saved);
	return err;
}

static int
ovl_permission(struct inode *i, int mask)
{
	struct inode *real = ovl_real(i);

	return real->ops->permission ? real->ops->permission(real, mask)
				     : inode_permission_generic(i, mask);
}

static int
ovl_get_link(struct inode *i, char *buf, size_t size)
{
	struct inode *real = ovl_real(i);
	size_t len;

	if (!real->link)
		return real->ops->get_link ? real->ops->get_link(real, buf, size) : -EINVAL;
	len = MIN(strlen(real->link), size);
	memcpy(buf, real->link, len);
	return (int)len;
}

/* --- extended attributes: those of the overlay itself are nobody's --- */

static bool
is_own(const char *name)
{
	return str_starts_with(name, OVL_XATTR_PREFIX);
}

static ssize_t
ovl_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	struct inode *real = ovl_real(i);
	struct cred *saved;
	ssize_t ret;

	if (is_own(name) || !real->ops->getxattr)
		return -EOPNOTSUPP;
	saved = ovl_cred_begin(i->super);
	ret = real->ops->getxattr(real, name, value, size);
	ovl_cred_end(saved);
	return ret;
}

/* value NULL: it is removed. */
static int
change_xattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct cred *saved;
	struct inode *real;
	struct path p;
	int err;

	if (is_own(name))
		return -EOPNOTSUPP;
	saved = ovl_cred_begin(i->super);
	err = ovl_copy_up_inode(i, true);
	if (err)
		goto out;
	p = ovl_upper_path(i);
	real = p.dentry->inode;
	err = mount_want_write(p.mnt);
	if (err)
		goto out;
	rwsem_write_lock(&real->lock);
	if (value)
		err = real->ops->setxattr ? real->ops->setxattr(real, name, value, size, flags)
					  : -EOPNOTSUPP;
	else
		err = real->ops->removexattr ? real->ops->removexattr(real, name) : -EOPNOTSUPP;
	rwsem_write_unlock(&real->lock);
	mount_drop_write(p.mnt);
	ovl_copy_attributes(i);
out:
	ovl_cred_end(saved);
	return err;
}

static int
ovl_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	return change_xattr(i, name, size ? value : "", size, flags);
}

static int
ovl_removexattr(struct inode *i, const char *name)
{
	ssize_t n = ovl_getxattr(i, name, NULL, 0);

	/* What is not there is no reason to copy the file. */
	return n < 0 ? (int)n : change_xattr(i, name, NULL, 0, 0);
}

static ssize_t
ovl_listxattr(struct inode *i, char *list, size_t size)
{
	struct inode *real = ovl_real(i);
	bool all = capable(CAP_SYS_ADMIN);
	ssize_t len, kept = 0;
	struct cred *saved;
	char *text;

	if (!real->ops->listxattr)
		return 0;
	text = kvmalloc(XATTR_LIST_MAX, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	saved = ovl_cred_begin(i->super);
	len = real->ops->listxattr(real, text, XATTR_LIST_MAX);
	ovl_cred_end(saved);
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(text + at) + 1) {
		size_t n = strlen(text + at) + 1;

		if (is_own(text + at) || (!all && str_starts_with(text + at, XATTR_TRUSTED_PREFIX)))
			continue;
		if (size && (size_t)kept + n > size) {
			kept = -ERANGE;
			break;
		}
		if (size)
			memcpy(list + kept, text + at, n);
		kept += (ssize_t)n;
	}
	kvfree(text);
	return len < 0 ? len : kept;
}

/* --- life --- */

static void
put_real(struct dentry *upper, struct ovl_lower *lowers, u32 n)
{
	if (upper)
		dentry_put(upper);
	while (n)
		dentry_put(lowers[--n].dentry);
	kfree(lowers);
}

static struct inode *
table_find(struct ovl_mount *m, const struct inode *key)
{
	struct ovl_inode *oi;

	hlist_for_each_entry(oi, bucket_of(m, key), in_table)
	{
		if (oi->key == key && ref_try_get(&oi->inode->ref))
			return oi->inode;
	}
	return NULL;
}

void
ovl_inode_rekey(struct inode *i)
{
	struct ovl_mount *m = ovl_mount_of(i->super);
	struct ovl_inode *oi = ovl_inode_of(i);

	spin_lock(&m->lock);
	if (oi->key)
		hlist_del_init(&oi->in_table);
	oi->key = oi->upper->inode;
	hlist_add_head(&oi->in_table, bucket_of(m, oi->key));
	spin_unlock(&m->lock);
}

static void
set_number(struct ovl_inode *oi, const struct inode *real)
{
	struct super *s = oi->inode->super;
	const struct ovl_mount *m = ovl_mount_of(s);

	oi->dev = s->dev;
	oi->ino = oi->inode->ino;
	if (m->same_fs || S_ISDIR(real->mode))
		return;
	oi->dev = oi->upper ? real->super->dev : m->lowers[oi->lowers[0].layer].dev;
}

static int
inode_make(struct super *s, const struct inode *real, struct inode **out)
{
	const struct ovl_mount *m = ovl_mount_of(s);
	struct ovl_inode *oi = kzalloc(sizeof(*oi), GFP_KERNEL);
	bool dir = S_ISDIR(real->mode), acl = real->ops->permission != NULL;
	u32 inner = m->depth ? 0 : 4;
	const struct inode_ops *ops = dir   ? acl ? &ovl_dir_acl_ops : &ovl_dir_ops
				      : acl ? &ovl_file_acl_ops
					    : &ovl_file_ops;
	const struct file_ops *fops = dir		    ? &ovl_dir_file_ops
				      : S_ISREG(real->mode) ? &ovl_regular_file_ops
							    : NULL;
	struct inode *i;

	if (!oi)
		return -ENOMEM;
	i = inode_create(s, ops, fops, real->mode,
			 m->same_fs || !dir ? real->ino : inode_next_number(s));
	if (!i) {
		kfree(oi);
		return -ENOMEM;
	}
	rwsem_init(&i->lock, (dir ? RANK_OVERLAY_DIR : RANK_OVERLAY_INODE) + inner);
	mutex_init(&oi->copy_lock, RANK_OVERLAY_COPY + inner);
	oi->inode = i;
	i->private = oi;
	i->rdev = real->rdev;
	i->flags |= INODE_NOATIME; /* the real file has one */
	if (real->link)
		i->link = kstrdup(real->link, GFP_KERNEL);
	*out = i;
	return 0;
}

int
ovl_inode_get(struct super *s, struct dentry *upper, struct ovl_lower *lowers, u32 nr_lowers,
	      struct inode **out)
{
	struct ovl_mount *m = ovl_mount_of(s);
	const struct inode *real = upper ? upper->inode : lowers[0].dentry->inode, *key = real;
	struct inode *i = NULL, *fresh = NULL;
	struct ovl_inode *oi;
	int err;

	if (!upper && !S_ISDIR(real->mode) && real->nlink > 1)
		key = NULL;
	if (key) {
		spin_lock(&m->lock);
		i = table_find(m, key);
		spin_unlock(&m->lock);
	}
	if (!i) {
		err = inode_make(s, real, &fresh);
		if (err) {
			put_real(upper, lowers, nr_lowers);
			return err;
		}
		oi = ovl_inode_of(fresh);
		oi->upper = upper;
		oi->lowers = lowers;
		oi->nr_lowers = nr_lowers;
		set_number(oi, real);
		ovl_copy_attributes(fresh);
		spin_lock(&m->lock);
		i = key ? table_find(m, key) : NULL;
		if (!i && key) {
			oi->key = key;
			hlist_add_head(&oi->in_table, bucket_of(m, key));
		}
		spin_unlock(&m->lock);
		if (!i) {
			*out = fresh;
			return 0;
		}
		inode_put(fresh); /* with what it holds */
	} else {
		put_real(upper, lowers, nr_lowers);
	}
	*out = i;
	return 0;
}

void
ovl_evict(struct inode *i)
{
	struct ovl_mount *m = ovl_mount_of(i->super);
	struct ovl_inode *oi = ovl_inode_of(i);

	spin_lock(&m->lock);
	if (oi->key)
		hlist_del_init(&oi->in_table);
	spin_unlock(&m->lock);
	put_real(oi->upper, oi->lowers, oi->nr_lowers);
	i->private = NULL;
	kfree(oi);
}

#define ATTRIBUTE_SLOTS                                                           \
	.setattr = ovl_setattr, .getattr = ovl_getattr, .getxattr = ovl_getxattr, \
	.setxattr = ovl_setxattr, .listxattr = ovl_listxattr, .removexattr = ovl_removexattr
#define NAME_SLOTS                                                                          \
	.lookup = ovl_lookup, .create = ovl_create, .mkdir = ovl_mkdir, .mknod = ovl_mknod, \
	.symlink = ovl_symlink, .link = ovl_link, .unlink = ovl_unlink, .rmdir = ovl_rmdir, \
	.rename = ovl_rename

/* A slot for permission costs path walks their fast way: only where layers have it. */
const struct inode_ops ovl_dir_ops = { NAME_SLOTS, ATTRIBUTE_SLOTS };
const struct inode_ops ovl_dir_acl_ops = { NAME_SLOTS, ATTRIBUTE_SLOTS,
					   .permission = ovl_permission };
const struct inode_ops ovl_file_ops = { ATTRIBUTE_SLOTS, .get_link = ovl_get_link };
const struct inode_ops ovl_file_acl_ops = { ATTRIBUTE_SLOTS, .get_link = ovl_get_link,
					    .permission = ovl_permission };
