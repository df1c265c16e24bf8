/* SPDX-License-Identifier: MIT */
/*
 * stat(2), statx(2), readlink(2).
 *
 * stat of a cached name on a file system whose inodes say all themselves takes no reference and no
 * lock: the walk in RCU mode ends with the inode in hand, its fields are copied, then the walk is
 * confirmed.
 */
#include "fs/vfs/device.h"
#include "generated/syscalls.h"
#include "uapi/major.h"
#include "vfs_internal.h"

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

static inline struct linux_timespec
timespec_of(s64 time)
{
	u32 nsec;
	s64 sec = inode_time_split(time, &nsec);

	return (struct linux_timespec){ sec, nsec };
}

static void
fill_stat(struct linux_stat *st, struct inode *i)
{
	const struct super *s = i->super;

	*st = (struct linux_stat){
		.st_dev = dev_encode(DEV_MAJOR(s->dev), DEV_MINOR(s->dev)),
		.st_ino = i->ino,
		.st_nlink = READ_ONCE(i->nlink),
		.st_mode = READ_ONCE(i->mode),
		.st_uid = uid_shown(READ_ONCE(i->uid)),
		.st_gid = gid_shown(READ_ONCE(i->gid)),
		.st_rdev = i->rdev ? dev_encode(DEV_MAJOR(i->rdev), DEV_MINOR(i->rdev)) : 0,
		.st_size = (s64)READ_ONCE(i->size),
		.st_blksize = s->block_size,
		.st_blocks = (s64)READ_ONCE(i->blocks),
		.st_atim = timespec_of(READ_ONCE(i->times.atime)),
		.st_mtim = timespec_of(READ_ONCE(i->times.mtime)),
		.st_ctim = timespec_of(READ_ONCE(i->times.ctime)),
	};
}

static struct linux_timespec
timespec_of_statx(struct linux_statx_timestamp t)
{
	return (struct linux_timespec){ .tv_sec = t.tv_sec, .tv_nsec = t.tv_nsec };
}

static void
stat_of_statx(struct linux_stat *st, const struct linux_statx *x)
{
	*st = (struct linux_stat){
		.st_dev = dev_encode(x->stx_dev_major, x->stx_dev_minor),
		.st_ino = x->stx_ino,
		.st_nlink = x->stx_nlink,
		.st_mode = x->stx_mode,
		.st_uid = x->stx_uid,
		.st_gid = x->stx_gid,
		.st_rdev = dev_encode(x->stx_rdev_major, x->stx_rdev_minor),
		.st_size = (s64)x->stx_size,
		.st_blksize = x->stx_blksize,
		.st_blocks = (s64)x->stx_blocks,
		.st_atim = timespec_of_statx(x->stx_atime),
		.st_mtim = timespec_of_statx(x->stx_mtime),
		.st_ctim = timespec_of_statx(x->stx_ctime),
	};
}

static int
stat_inode(struct inode *i, struct linux_stat *st)
{
	struct linux_statx x;
	int err;

	if (likely(!i->ops->getattr)) {
		fill_stat(st, i);
		return 0;
	}
	inode_stat(i, &x);
	err = i->ops->getattr(i, &x);
	if (!err)
		stat_of_statx(st, &x);
	return err;
}

int
path_statx(const struct path *p, struct linux_statx *st)
{
	struct inode *i = p->dentry->inode;
	int err;

	inode_stat(i, st);
	err = i->ops->getattr ? i->ops->getattr(i, st) : 0;
	if (err)
		return err;
	st->stx_mnt_id = p->mnt->id;
	st->stx_mask |= STATX_MNT_ID;
	if (p->dentry == p->mnt->root)
		st->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	st->stx_attributes_mask |= STATX_ATTR_MOUNT_ROOT;
	return 0;
}

static int
stat_name(int dirfd, const char *name, u32 walk, struct linux_stat *st)
{
	struct walk w;
	struct path p;
	int err = walk_lookup_rcu(&w, dirfd, name, walk);

	if (likely(!err)) {
		if (likely(!w.inode->ops->getattr)) {
			fill_stat(st, w.inode);
			if (likely(walk_rcu_done(&w)))
				return 0;
		} else {
			walk_end(&w);
		}
	} else if (err != -ECHILD) {
		return err;
	}
	err = path_lookup(dirfd, name, walk, &p);
	if (err)
		return err;
	err = stat_inode(p.dentry->inode, st);
	path_put(&p);
	return err;
}

static long
stat_user(int dirfd, user_ptr path, u32 walk, user_ptr buf)
{
	struct path_name n;
	struct linux_stat st;
	int err = path_name_get(&n, path, walk & WALK_EMPTY);

	if (unlikely(err))
		return err;
	err = stat_name(dirfd, n.text, walk, &st);
	path_name_put(&n);
	return err ? err : copy_to_user(buf, &st, sizeof(st));
}

long
sys_stat(user_ptr path, user_ptr st)
{
	return stat_user(AT_FDCWD, path, WALK_FOLLOW, st);
}

long
sys_lstat(user_ptr path, user_ptr st)
{
	return stat_user(AT_FDCWD, path, 0, st);
}

long
sys_fstat(int fd, user_ptr buf)
{
	struct fd_ref r = fd_lookup_path(fd);
	struct linux_stat st;
	int err;

	if (unlikely(!r.file))
		return -EBADF;
	err = stat_inode(r.file->inode, &st);
	fd_release(r);
	return err ? err : copy_to_user(buf, &st, sizeof(st));
}

/* With AT_EMPTY_PATH an empty name, or a NULL one, is the descriptor itself. */
static bool
is_empty_name(user_ptr path)
{
	char first;

	return !get_user(&first, path) && !first;
}

long
sys_newfstatat(int dirfd, user_ptr path, user_ptr st, int flags)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	if (flags & ~(STAT_FLAGS | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		walk |= WALK_EMPTY;
		if (dirfd >= 0 && is_empty_name(path))
			return sys_fstat(dirfd, st);
	}
	return stat_user(dirfd, path, walk, st);
}

long
sys_statx(int dirfd, user_ptr path, unsigned int flags, unsigned int mask, user_ptr buf)
{
	u32 walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		   (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct linux_statx st;
	struct path p;
	int err;

	if ((mask & STATX__RESERVED) || (flags & ~(u32)(STAT_FLAGS | AT_STATX_SYNC_TYPE)) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	err = path_lookup_user(dirfd, path, walk, &p);
	if (err)
		return err;
	err = path_statx(&p, &st);
	path_put(&p);
	return err ? err : copy_to_user(buf, &st, sizeof(st));
}

/* --- readlink(2) --- */

/* A magic link reads as the path of where it leads, as seen from the caller's root. */
static ssize_t
read_magic_link(struct inode *i, char *page, const char **text)
{
	struct path to, root;
	int err = i->ops->follow_link(i, &to);

	if (err)
		return err;
	fs_context_paths(current->fs, &root, NULL);
	*text = path_text(&to, &root, page, PATH_MAX);
	path_put(&root);
	path_put(&to);
	return *text ? (ssize_t)strlen(*text) : -ENAMETOOLONG;
}

static long
read_link(struct inode *i, user_ptr buf, size_t size)
{
	const char *text = i->link;
	char *made = NULL;
	ssize_t len;

	if (text) {
		len = (ssize_t)strlen(text);
	} else {
		if (!i->ops->get_link)
			return -EINVAL;
		made = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!made)
			return -ENOMEM;
		text = made;
		len = i->ops->follow_link ? read_magic_link(i, made, &text)
					  : i->ops->get_link(i, made, PATH_MAX);
	}
	if (len >= 0) {
		len = MIN(len, (ssize_t)size);
		if (copy_to_user(buf, text, (size_t)len))
			len = -EFAULT;
	}
	kfree(made);
	return len;
}

long
sys_readlinkat(int dirfd, user_ptr path, user_ptr buf, int size)
{
	struct path_name n;
	struct path p;
	bool empty;
	long ret;

	if (size <= 0)
		return -EINVAL;
	ret = path_name_get(&n, path, true);
	if (ret)
		return ret;
	empty = !n.text[0];
	/* An empty name is the link that an O_PATH descriptor holds. */
	ret = empty && dirfd == AT_FDCWD ? -ENOENT : path_lookup(dirfd, n.text, WALK_EMPTY, &p);
	path_name_put(&n);
	if (ret)
		return ret;
	if (!S_ISLNK(p.dentry->inode->mode)) {
		ret = empty ? -ENOENT : -EINVAL;
	} else {
		inode_touch_atime(p.mnt, p.dentry->inode);
		ret = read_link(p.dentry->inode, buf, (size_t)size);
	}
	path_put(&p);
	return ret;
}

long
sys_readlink(user_ptr path, user_ptr buf, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}
