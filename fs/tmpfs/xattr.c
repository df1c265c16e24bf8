/* SPDX-License-Identifier: MIT */
/* Extended attributes of tmpfs: a list for each inode, in memory. user.*, trusted.* and security.*
 * are kept; access control lists are in acl.c. What they take counts against the size of the file
 * system. */
#include "uapi/xattr.h"
#include "fs/vfs/posix_acl.h"
#include "lib/string.h"
#include "task/cred.h"
#include "tmpfs_internal.h"

/* 0, -EOPNOTSUPP, or -EINVAL for a class without a name. */
static int
check_name(const char *name)
{
	static const char *const prefixes[] = { XATTR_USER_PREFIX, XATTR_TRUSTED_PREFIX,
						XATTR_SECURITY_PREFIX };

	for (u32 i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts_with(name, prefixes[i]))
			return name[strlen(prefixes[i])] ? 0 : -EINVAL;
	return -EOPNOTSUPP;
}

static struct tmpfs_xattr *
find(struct tmpfs_inode *ti, const char *name)
{
	struct tmpfs_xattr *x;

	list_for_each_entry(x, &ti->xattrs, node) if (!strcmp(x->name, name)) return x;
	return NULL;
}

static u64
cost(const struct tmpfs_xattr *x)
{
	return sizeof(*x) + strlen(x->name) + 1 + x->size;
}

/* xattr_lock held for writing. 0 or -ENOSPC. */
static int
account(struct inode *i, u64 bytes)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	u64 old = DIV_ROUND_UP(ti->xattr_bytes, PAGE_SIZE), now = DIV_ROUND_UP(bytes, PAGE_SIZE);
	int err = 0;

	if (now > old)
		err = tmpfs_charge_blocks(i->super, now - old);
	else if (now < old)
		tmpfs_uncharge_blocks(i->super, old - now);
	if (!err)
		ti->xattr_bytes = bytes;
	return err;
}

static void
free_xattr(struct tmpfs_xattr *x)
{
	kvfree(x->value);
	kfree(x);
}

ssize_t
tmpfs_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	struct tmpfs_xattr *x;
	bool is_default;
	ssize_t ret;
	int err;

	if (posix_acl_is_name(name, &is_default))
		return tmpfs_acl_get(i, is_default, value, size);
	err = check_name(name);
	if (err)
		return err;
	rwsem_read_lock(&ti->xattr_lock);
	x = find(ti, name);
	if (!x) {
		ret = -ENODATA;
	} else if (size && size < x->size) {
		ret = -ERANGE;
	} else {
		if (size && x->size)
			memcpy(value, x->value, x->size);
		ret = (ssize_t)x->size;
	}
	rwsem_read_unlock(&ti->xattr_lock);
	return ret;
}

int
tmpfs_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	struct tmpfs_xattr *x, *old;
	size_t len = strlen(name);
	bool is_default;
	int err;

	if (posix_acl_is_name(name, &is_default))
		return tmpfs_acl_set(i, is_default, value, size);
	err = check_name(name);
	if (err)
		return err;
	x = kmalloc(sizeof(*x) + len + 1, GFP_KERNEL);
	if (!x)
		return -ENOMEM;
	memcpy(x->name, name, len + 1);
	x->size = size;
	x->value = NULL;
	if (size) {
		x->value = kvmalloc(size, GFP_KERNEL);
		if (!x->value) {
			kfree(x);
			return -ENOMEM;
		}
		memcpy(x->value, value, size);
	}
	rwsem_write_lock(&ti->xattr_lock);
	old = find(ti, name);
	if (old && (flags & XATTR_CREATE)) {
		err = -EEXIST;
	} else if (!old && (flags & XATTR_REPLACE)) {
		err = -ENODATA;
	} else {
		err = account(i, ti->xattr_bytes + cost(x) - (old ? cost(old) : 0));
	}
	if (!err) {
		list_add(&x->node, &ti->xattrs);
		if (old)
			list_del(&old->node);
		inode_touch(i, ATTR_MODE);
	}
	rwsem_write_unlock(&ti->xattr_lock);
	if (err)
		free_xattr(x);
	else if (old)
		free_xattr(old);
	return err;
}

/* False: there is no room. size 0: only the length is wanted. */
static bool
list_name(const char *name, char *list, size_t size, size_t *used)
{
	size_t len = strlen(name) + 1;

	if (size && (*used > size || len > size - *used))
		return false;
	if (size)
		memcpy(list + *used, name, len);
	*used += len;
	return true;
}

ssize_t
tmpfs_listxattr(struct inode *i, char *list, size_t size)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	bool all = capable(CAP_SYS_ADMIN);
	struct tmpfs_xattr *x;
	size_t used = 0;
	bool fits = true;

	rwsem_read_lock(&ti->xattr_lock);
	if (ti->acl)
		fits &= list_name(XATTR_NAME_POSIX_ACL_ACCESS, list, size, &used);
	if (ti->default_acl)
		fits &= list_name(XATTR_NAME_POSIX_ACL_DEFAULT, list, size, &used);
	list_for_each_entry(x, &ti->xattrs, node)
	{
		if (all || !str_starts_with(x->name, XATTR_TRUSTED_PREFIX))
			fits &= list_name(x->name, list, size, &used);
	}
	rwsem_read_unlock(&ti->xattr_lock);
	return fits ? (ssize_t)used : -ERANGE;
}

int
tmpfs_removexattr(struct inode *i, const char *name)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	struct tmpfs_xattr *x;
	bool is_default;
	int err;

	if (posix_acl_is_name(name, &is_default))
		return tmpfs_acl_set(i, is_default, NULL, 0);
	err = check_name(name);
	if (err)
		return err;
	rwsem_write_lock(&ti->xattr_lock);
	x = find(ti, name);
	if (x) {
		list_del(&x->node);
		(void)account(i, ti->xattr_bytes - cost(x));
		inode_touch(i, ATTR_MODE);
	}
	rwsem_write_unlock(&ti->xattr_lock);
	if (!x)
		return -ENODATA;
	free_xattr(x);
	return 0;
}

void
tmpfs_xattr_destroy(struct inode *i)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	struct tmpfs_xattr *x, *following;

	list_for_each_entry_safe(x, following, &ti->xattrs, node) free_xattr(x);
	(void)account(i, 0);
	kfree(ti->acl);
	kfree(ti->default_acl);
}
