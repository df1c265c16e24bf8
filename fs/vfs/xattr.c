/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: xattr(7), setxattr(2), getxattr(2), listxattr(2), removexattr(2).
 *
 * The prefix of a name says who may: user.* follows the file's permission and exists on files and
 * directories only; trusted.* is for CAP_SYS_ADMIN and invisible to others; security.* may be read
 * by all. What the file system does not keep is EOPNOTSUPP.
 */
#include "uapi/xattr.h"
#include "generated/syscalls.h"
#include "vfs_internal.h"

static bool
has_prefix(const char *name, const char *prefix)
{
	return str_starts_with(name, prefix);
}

static int
may_access(struct inode *i, const char *name, int mask)
{
	if ((mask & MAY_WRITE) && (i->flags & (INODE_IMMUTABLE | INODE_APPEND)))
		return -EPERM;
	if (has_prefix(name, XATTR_SECURITY_PREFIX)) {
		if (!(mask & MAY_WRITE))
			return 0;
		if (!strcmp(name, XATTR_NAME_CAPS))
			return capable(CAP_SETFCAP) ? 0 : -EPERM;
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	}
	if (has_prefix(name, XATTR_SYSTEM_PREFIX))
		return 0;
	if (has_prefix(name, XATTR_TRUSTED_PREFIX)) {
		if (capable(CAP_SYS_ADMIN))
			return 0;
		return mask & MAY_WRITE ? -EPERM : -ENODATA;
	}
	if (has_prefix(name, XATTR_USER_PREFIX)) {
		if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		if (S_ISDIR(i->mode) && (i->mode & S_ISVTX) && (mask & MAY_WRITE) &&
		    !inode_owner_or_capable(i))
			return -EPERM;
	}
	return inode_permission(i, mask);
}

static int
name_from_user(char name[XATTR_NAME_MAX + 1], user_ptr p)
{
	ssize_t len = strncpy_from_user(name, p, XATTR_NAME_MAX + 1);

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

/* --- on a place --- */

static int
set_on(const struct path *p, user_ptr name_user, user_ptr value_user, size_t size, int flags)
{
	struct inode *i = p->dentry->inode;
	char name[XATTR_NAME_MAX + 1];
	void *value = NULL;
	int err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = name_from_user(name, name_user);
	if (err)
		return err;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (size) {
		value = kvmalloc(size, GFP_KERNEL);
		if (!value)
			return -ENOMEM;
		err = copy_from_user(value, value_user, size);
		if (err)
			goto out;
	}
	err = mount_want_write(p->mnt);
	if (err)
		goto out;
	rwsem_write_lock(&i->lock);
	err = may_access(i, name, MAY_WRITE);
	if (!err && !strcmp(name, XATTR_NAME_CAPS))
		i->flags &= ~INODE_NO_CAPS;
	if (!err)
		err = i->ops->setxattr ? i->ops->setxattr(i, name, value, size, flags)
				       : -EOPNOTSUPP;
	rwsem_write_unlock(&i->lock);
	mount_drop_write(p->mnt);
	if (!err)
		notify(i, p->dentry, IN_ATTRIB);
out:
	kvfree(value);
	return err;
}

static long
get_from(const struct path *p, user_ptr name_user, user_ptr value_user, size_t size)
{
	struct inode *i = p->dentry->inode;
	char name[XATTR_NAME_MAX + 1];
	void *value = NULL;
	ssize_t ret = name_from_user(name, name_user);

	if (ret)
		return ret;
	size = MIN(size, (size_t)XATTR_SIZE_MAX);
	if (size) {
		value = kvmalloc(size, GFP_KERNEL | GFP_ZERO);
		if (!value)
			return -ENOMEM;
	}
	ret = may_access(i, name, MAY_READ);
	if (!ret)
		ret = i->ops->getxattr ? i->ops->getxattr(i, name, value, size) : -EOPNOTSUPP;
	if (ret > 0 && size && copy_to_user(value_user, value, (size_t)ret))
		ret = -EFAULT;
	kvfree(value);
	return ret;
}

static long
list_from(const struct path *p, user_ptr list_user, size_t size)
{
	struct inode *i = p->dentry->inode;
	char *list = NULL;
	ssize_t ret;

	size = MIN(size, (size_t)XATTR_LIST_MAX);
	if (size) {
		list = kvmalloc(size, GFP_KERNEL);
		if (!list)
			return -ENOMEM;
	}
	ret = i->ops->listxattr ? i->ops->listxattr(i, list, size) : 0;
	if (ret > 0 && size && copy_to_user(list_user, list, (size_t)ret))
		ret = -EFAULT;
	kvfree(list);
	return ret;
}

static int
remove_from(const struct path *p, user_ptr name_user)
{
	struct inode *i = p->dentry->inode;
	char name[XATTR_NAME_MAX + 1];
	int err = name_from_user(name, name_user);

	if (err)
		return err;
	err = mount_want_write(p->mnt);
	if (err)
		return err;
	rwsem_write_lock(&i->lock);
	err = may_access(i, name, MAY_WRITE);
	if (!err)
		err = i->ops->removexattr ? i->ops->removexattr(i, name) : -EOPNOTSUPP;
	rwsem_write_unlock(&i->lock);
	mount_drop_write(p->mnt);
	if (!err)
		notify(i, p->dentry, IN_ATTRIB);
	return err;
}

/* --- system calls: by name, by name without following, by descriptor --- */

static long
set_named(user_ptr path, u32 walk, user_ptr name, user_ptr value, size_t size, int flags)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, path, walk, &p);

	if (err)
		return err;
	err = set_on(&p, name, value, size, flags);
	path_put(&p);
	return err;
}

long
sys_setxattr(user_ptr path, user_ptr name, user_ptr value, size_t size, int flags)
{
	return set_named(path, WALK_FOLLOW, name, value, size, flags);
}

long
sys_lsetxattr(user_ptr path, user_ptr name, user_ptr value, size_t size, int flags)
{
	return set_named(path, 0, name, value, size, flags);
}

long
sys_fsetxattr(int fd, user_ptr name, user_ptr value, size_t size, int flags)
{
	struct fd_ref r = fd_lookup(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = set_on(&r.file->path, name, value, size, flags);
	fd_release(r);
	return err;
}

static long
get_named(user_ptr path, u32 walk, user_ptr name, user_ptr value, size_t size)
{
	struct path p;
	long ret = path_lookup_user(AT_FDCWD, path, walk, &p);

	if (ret)
		return ret;
	ret = get_from(&p, name, value, size);
	path_put(&p);
	return ret;
}

long
sys_getxattr(user_ptr path, user_ptr name, user_ptr value, size_t size)
{
	return get_named(path, WALK_FOLLOW, name, value, size);
}

long
sys_lgetxattr(user_ptr path, user_ptr name, user_ptr value, size_t size)
{
	return get_named(path, 0, name, value, size);
}

long
sys_fgetxattr(int fd, user_ptr name, user_ptr value, size_t size)
{
	struct fd_ref r = fd_lookup(fd);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = get_from(&r.file->path, name, value, size);
	fd_release(r);
	return ret;
}

static long
list_named(user_ptr path, u32 walk, user_ptr list, size_t size)
{
	struct path p;
	long ret = path_lookup_user(AT_FDCWD, path, walk, &p);

	if (ret)
		return ret;
	ret = list_from(&p, list, size);
	path_put(&p);
	return ret;
}

long
sys_listxattr(user_ptr path, user_ptr list, size_t size)
{
	return list_named(path, WALK_FOLLOW, list, size);
}

long
sys_llistxattr(user_ptr path, user_ptr list, size_t size)
{
	return list_named(path, 0, list, size);
}

long
sys_flistxattr(int fd, user_ptr list, size_t size)
{
	struct fd_ref r = fd_lookup(fd);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = list_from(&r.file->path, list, size);
	fd_release(r);
	return ret;
}

static long
remove_named(user_ptr path, u32 walk, user_ptr name)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, path, walk, &p);

	if (err)
		return err;
	err = remove_from(&p, name);
	path_put(&p);
	return err;
}

long
sys_removexattr(user_ptr path, user_ptr name)
{
	return remove_named(path, WALK_FOLLOW, name);
}

long
sys_lremovexattr(user_ptr path, user_ptr name)
{
	return remove_named(path, 0, name);
}

long
sys_fremovexattr(int fd, user_ptr name)
{
	struct fd_ref r = fd_lookup(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = remove_from(&r.file->path, name);
	fd_release(r);
	return err;
}
