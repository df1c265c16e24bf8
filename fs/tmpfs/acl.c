/* SPDX-License-Identifier: MIT */
/*
 * Access control lists of tmpfs: kept with the inode under its xattr_lock; what they mean is in
 * fs/vfs/posix_acl.c. An inode with a list has operations with a permission slot.
 */
#include "fs/vfs/posix_acl.h"
#include "mm/slab.h"
#include "tmpfs_internal.h"

static void
choose_ops(struct inode *i)
{
	bool acl = tmpfs_inode_of(i)->acl;

	if (S_ISDIR(i->mode))
		i->ops = acl ? &tmpfs_dir_acl_ops : &tmpfs_dir_inode_ops;
	else if (S_ISREG(i->mode))
		i->ops = acl ? &tmpfs_file_acl_ops : &tmpfs_file_inode_ops;
	else
		i->ops = acl ? &tmpfs_special_acl_ops : &tmpfs_special_inode_ops;
}

/* Takes over a. */
static void
install(struct inode *i, bool is_default, struct posix_acl *a)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);

	rwsem_write_lock(&ti->xattr_lock);
	SWAP(*(is_default ? &ti->default_acl : &ti->acl), a);
	rwsem_write_unlock(&ti->xattr_lock);
	kfree(a);
	if (ti->default_acl)
		i->flags |= INODE_DEFAULT_ACL;
	else
		i->flags &= ~INODE_DEFAULT_ACL;
	choose_ops(i);
}

int
tmpfs_permission(struct inode *i, int mask)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	int err;

	rwsem_read_lock(&ti->xattr_lock);
	err = ti->acl ? posix_acl_permission(ti->acl, i, mask) : inode_permission_generic(i, mask);
	rwsem_read_unlock(&ti->xattr_lock);
	return err;
}

int
tmpfs_acl_inherit(const struct inode *dir, struct inode *i)
{
	struct tmpfs_inode *parent = tmpfs_inode_of(dir);
	struct posix_acl *access = NULL, *standard = NULL;
	umode_t mode = i->mode;
	int err = 0;

	rwsem_read_lock(&parent->xattr_lock);
	if (parent->default_acl)
		err = posix_acl_inherit(parent->default_acl, &mode, &access, &standard);
	rwsem_read_unlock(&parent->xattr_lock);
	if (err)
		return err;
	i->mode = mode;
	if (access)
		install(i, false, access);
	if (standard)
		install(i, true, standard);
	return 0;
}

int
tmpfs_acl_chmod(struct inode *i)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	umode_t mode = i->mode;

	rwsem_write_lock(&ti->xattr_lock);
	if (ti->acl)
		posix_acl_apply_mode(ti->acl, &mode, false);
	rwsem_write_unlock(&ti->xattr_lock);
	return 0;
}

ssize_t
tmpfs_acl_get(struct inode *i, bool is_default, void *value, size_t size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	ssize_t ret;

	if (S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	rwsem_read_lock(&ti->xattr_lock);
	ret = posix_acl_to_user(is_default ? ti->default_acl : ti->acl, value, size);
	rwsem_read_unlock(&ti->xattr_lock);
	return ret;
}

int
tmpfs_acl_set(struct inode *i, bool is_default, const void *value, size_t size)
{
	struct posix_acl *a;
	umode_t mode;
	int err = posix_acl_from_user(i, is_default, value, size, &a, &mode);

	if (err)
		return err;
	if (!is_default)
		WRITE_ONCE(i->mode, mode);
	install(i, is_default, a);
	inode_touch(i, ATTR_MODE);
	return 0;
}
