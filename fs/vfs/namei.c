/* SPDX-License-Identifier: MIT */
/*
 * Operations on names: mkdir(2), mknod(2), link(2), symlink(2), unlink(2), rmdir(2), rename(2).
 *
 * Order of locks: write access to the mount; for a rename across directories the super block's
 * rename_lock, which freezes who is an ancestor of whom; directories, ancestor before descendant,
 * else by address; then the inodes that are removed, replaced or get a name, directories before
 * files, files by address. Under these the names are looked up (again), permission is checked, the
 * file system acts and the dentry follows.
 */
#include "fs/vfs/device.h"
#include "generated/syscalls.h"
#include "uapi/major.h"
#include "vfs_internal.h"

/* --- creating --- */

/* 0: mount writable, parent locked, *pc filled with a negative dentry. */
static int
create_in(const struct path *dir, const struct qname *name, bool slash, struct path_create *pc)
{
	struct inode *i = dir->dentry->inode;
	struct dentry *d;
	int ro = mount_want_write(dir->mnt), err;

	rwsem_write_lock(&i->lock);
	err = dentry_lookup_locked(dir->dentry, name, &d);
	if (!err) {
		if (d->inode)
			err = -EEXIST;
		else if (slash)
			err = -ENOENT;
		else
			err = ro;
		if (err)
			dentry_put(d);
	}
	if (err) {
		rwsem_write_unlock(&i->lock);
		if (!ro)
			mount_drop_write(dir->mnt);
		return err;
	}
	pc->parent = *dir;
	path_get(&pc->parent);
	pc->dentry = d;
	return 0;
}

static int
create_begin(int dirfd, const char *path, u32 walk, bool directory, struct path_create *pc)
{
	struct walk w;
	int err = walk_begin(&w, dirfd, path, walk, false);

	if (!err)
		err = walk_parent(&w);
	if (!err && w.last_type != LAST_NORMAL)
		err = -EEXIST;
	if (!err && w.last.len > NAME_MAX)
		err = -ENAMETOOLONG;
	if (!err)
		err = create_in(&w.at, &w.last, w.trailing_slash && !directory, pc);
	walk_end(&w);
	return err;
}

int
path_create_at(const struct path *dir, const char *name, struct path_create *pc)
{
	struct qname n;

	qname_init(&n, name, (u32)strlen(name));
	return create_in(dir, &n, false, pc);
}

int
path_create_begin(int dirfd, const char *path, bool directory, struct path_create *pc)
{
	return create_begin(dirfd, path, 0, directory, pc);
}

umode_t
path_create_mode(const struct path_create *pc, umode_t mode)
{
	return create_mode(pc->parent.dentry->inode, mode);
}

void
path_create_done(struct path_create *pc)
{
	dentry_put(pc->dentry);
	rwsem_write_unlock(&pc->parent.dentry->inode->lock);
	mount_drop_write(pc->parent.mnt);
	path_put(&pc->parent);
}

int
vfs_mkdir(struct path_create *pc, umode_t mode)
{
	struct inode *dir = pc->parent.dentry->inode;
	int err = inode_may_create(dir);

	if (err)
		return err;
	if (!dir->ops->mkdir)
		return -EPERM;
	err = dir->ops->mkdir(dir, pc->dentry, S_IFDIR | (mode & (S_IRWXUGO | S_ISVTX)));
	if (!err)
		notify(dir, pc->dentry, IN_CREATE | IN_ISDIR);
	return err;
}

int
vfs_mknod(struct path_create *pc, umode_t mode, devnum_t dev)
{
	struct inode *dir = pc->parent.dentry->inode;
	bool whiteout = S_ISCHR(mode) && dev == 0;
	int err = inode_may_create(dir);

	if (err)
		return err;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !whiteout && !capable(CAP_MKNOD))
		return -EPERM;
	if (S_ISREG(mode))
		err = dir->ops->create ? dir->ops->create(dir, pc->dentry, mode) : -EACCES;
	else
		err = dir->ops->mknod ? dir->ops->mknod(dir, pc->dentry, mode, dev) : -EPERM;
	if (!err)
		notify(dir, pc->dentry, IN_CREATE);
	return err;
}

int
vfs_symlink(struct path_create *pc, const char *target)
{
	struct inode *dir = pc->parent.dentry->inode;
	int err = inode_may_create(dir);

	if (err)
		return err;
	if (!dir->ops->symlink)
		return -EPERM;
	err = dir->ops->symlink(dir, pc->dentry, target);
	if (!err)
		notify(dir, pc->dentry, IN_CREATE);
	return err;
}

static int
create_begin_user(int dirfd, user_ptr path, bool directory, struct path_create *pc)
{
	struct path_name n;
	int err = path_name_get(&n, path, false);

	if (err)
		return err;
	err = create_begin(dirfd, n.text, 0, directory, pc);
	path_name_put(&n);
	return err;
}

long
sys_mkdirat(int dirfd, user_ptr path, umode_t mode)
{
	struct path_create pc;
	int err = create_begin_user(dirfd, path, true, &pc);

	if (err)
		return err;
	err = vfs_mkdir(&pc, path_create_mode(&pc, mode));
	path_create_done(&pc);
	return err;
}

long
sys_mkdir(user_ptr path, umode_t mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long
sys_mknodat(int dirfd, user_ptr path, umode_t mode, u32 dev)
{
	struct path_create pc;
	int err;

	switch (mode & S_IFMT) {
	case 0: mode |= S_IFREG; break;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK: break;
	case S_IFDIR: return -EPERM;
	default: return -EINVAL;
	}
	err = create_begin_user(dirfd, path, false, &pc);
	if (err)
		return err;
	mode = path_create_mode(&pc, mode & (S_IFMT | S_IALLUGO));
	err = vfs_mknod(&pc, mode, S_ISCHR(mode) || S_ISBLK(mode) ? dev_from_user(dev) : 0);
	path_create_done(&pc);
	return err;
}

long
sys_mknod(user_ptr path, umode_t mode, u32 dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long
sys_symlinkat(user_ptr target, int dirfd, user_ptr path)
{
	struct path_create pc;
	char *text;
	int err = strdup_user(target, PATH_MAX, &text);

	if (err)
		return err;
	err = -ENOENT;
	if (!*text)
		goto out;
	err = create_begin_user(dirfd, path, false, &pc);
	if (err)
		goto out;
	err = vfs_symlink(&pc, text);
	path_create_done(&pc);
out:
	kfree(text);
	return err;
}

long
sys_symlink(user_ptr target, user_ptr path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

int
vfs_link(const struct path *old, struct path_create *pc)
{
	struct inode *i = old->dentry->inode, *dir = pc->parent.dentry->inode;
	int err;

	if (old->mnt != pc->parent.mnt)
		return -EXDEV;
	err = inode_may_create(dir);
	if (err)
		return err;
	if (i->flags & (INODE_APPEND | INODE_IMMUTABLE))
		return -EPERM;
	if (!dir->ops->link || S_ISDIR(i->mode))
		return -EPERM;
	rwsem_write_lock(&i->lock);
	if (i->nlink == 0 && !(i->flags & INODE_LINKABLE))
		err = -ENOENT;
	else
		err = dir->ops->link(old->dentry, dir, pc->dentry);
	if (!err)
		i->flags &= ~INODE_LINKABLE;
	rwsem_write_unlock(&i->lock);
	if (!err) {
		notify(i, NULL, IN_ATTRIB);
		notify(dir, pc->dentry, IN_CREATE);
	}
	return err;
}

int
vfs_link_kernel(const char *old_path, struct path_create *pc)
{
	struct path old;
	int err = path_lookup(AT_FDCWD, old_path, 0, &old);

	if (err)
		return err;
	err = vfs_link(&old, pc);
	path_put(&old);
	return err;
}

long
sys_linkat(int old_dirfd, user_ptr old_path, int new_dirfd, user_ptr new_path, int flags)
{
	u32 walk = (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
		   (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct path_create pc;
	struct path old;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) && !capable(CAP_DAC_READ_SEARCH))
		return -ENOENT;
	err = path_lookup_user(old_dirfd, old_path, walk, &old);
	if (err)
		return err;
	err = create_begin_user(new_dirfd, new_path, false, &pc);
	if (!err) {
		err = vfs_link(&old, &pc);
		path_create_done(&pc);
	}
	path_put(&old);
	return err;
}

long
sys_link(user_ptr old, user_ptr new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

/* --- removing --- */

/* Directory locked. The victim's inode is referenced by the caller. */
static int
remove_file(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	int err = inode_may_delete(dir, i, false);

	if (err)
		return err;
	if (!dir->ops->unlink)
		return -EPERM;
	rwsem_write_lock(&i->lock);
	err = dentry_mountpoint(d) ? -EBUSY : dir->ops->unlink(dir, d);
	rwsem_write_unlock(&i->lock);
	if (err)
		return err;
	notify(i, NULL, IN_ATTRIB);
	dentry_delete(d);
	notify(dir, d, IN_DELETE);
	return 0;
}

static int
remove_dir(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	int err = inode_may_delete(dir, i, true);

	if (err)
		return err;
	if (!dir->ops->rmdir)
		return -EPERM;
	rwsem_write_lock_nested(&i->lock); /* parent before child */
	err = dentry_mountpoint(d) ? -EBUSY : dir->ops->rmdir(dir, d);
	if (!err)
		i->flags |= INODE_DELETED;
	rwsem_write_unlock(&i->lock);
	if (err)
		return err;
	dentry_prune(d);
	dentry_delete(d);
	notify(dir, d, IN_DELETE | IN_ISDIR);
	return 0;
}

static int
remove_in(const struct path *dir, const struct qname *name, bool directory, bool slash)
{
	struct inode *parent = dir->dentry->inode, *i;
	struct dentry *d;
	int err = mount_want_write(dir->mnt);

	if (err)
		return err;
	rwsem_write_lock(&parent->lock);
	err = dentry_lookup_locked(dir->dentry, name, &d);
	if (err) {
		rwsem_write_unlock(&parent->lock);
		goto out_write;
	}
	i = d->inode;
	if (!i) {
		err = -ENOENT;
	} else {
		inode_get(i);
		if (directory)
			err = remove_dir(parent, d);
		else if (slash)
			err = S_ISDIR(i->mode) ? -EISDIR : -ENOTDIR;
		else
			err = remove_file(parent, d);
	}
	rwsem_write_unlock(&parent->lock);
	if (!err)
		mount_detach_from(d);
	dentry_put(d);
	if (i)
		inode_put(i); /* its pages go here, with no lock held */
out_write:
	mount_drop_write(dir->mnt);
	return err;
}

static int
remove_name(int dirfd, const char *path, bool directory)
{
	struct walk w;
	int err = walk_begin(&w, dirfd, path, 0, false);

	if (!err)
		err = walk_parent(&w);
	if (err)
		goto out;
	if (w.last_type != LAST_NORMAL) {
		if (!directory)
			err = -EISDIR;
		else
			err = w.last_type == LAST_DOT	   ? -EINVAL
			      : w.last_type == LAST_DOTDOT ? -ENOTEMPTY
							   : -EBUSY;
		goto out;
	}
	err = w.last.len > NAME_MAX ? -ENAMETOOLONG
				    : remove_in(&w.at, &w.last, directory, w.trailing_slash);
out:
	walk_end(&w);
	return err;
}

int
vfs_remove_at(const struct path *dir, const char *name, bool directory)
{
	struct qname n;

	qname_init(&n, name, (u32)strlen(name));
	return remove_in(dir, &n, directory, false);
}

int
vfs_remove_kernel(const char *path)
{
	int err = remove_name(AT_FDCWD, path, false);

	return err == -EISDIR ? remove_name(AT_FDCWD, path, true) : err;
}

long
sys_unlinkat(int dirfd, user_ptr path, int flags)
{
	struct path_name n;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = path_name_get(&n, path, false);
	if (err)
		return err;
	err = remove_name(dirfd, n.text, flags & AT_REMOVEDIR);
	path_name_put(&n);
	return err;
}

long
sys_unlink(user_ptr path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long
sys_rmdir(user_ptr path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* --- renaming --- */

/* The child of `top` on the way down to d (d itself at the least), or NULL if top is not above it.
 */
static struct dentry *
child_towards(struct dentry *top, struct dentry *d)
{
	while (!dentry_is_root(d)) {
		if (d->parent == top)
			return d;
		d = d->parent;
	}
	return NULL;
}

/* Lock both directories; *trap: the one name that must not move into, or be replaced by, the other.
 */
static void
lock_dirs(struct dentry *a, struct dentry *b, struct dentry **trap)
{
	struct dentry *first = a, *second = b;

	*trap = NULL;
	if (a == b) {
		rwsem_write_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&a->super->rename_lock);
	if ((*trap = child_towards(b, a)))
		SWAP(first, second);
	else if (!(*trap = child_towards(a, b)) && a > b)
		SWAP(first, second);
	rwsem_write_lock(&first->inode->lock);
	rwsem_write_lock_nested(&second->inode->lock);
}

static void
unlock_dirs(struct dentry *a, struct dentry *b)
{
	rwsem_write_unlock(&a->inode->lock);
	if (a == b)
		return;
	rwsem_write_unlock(&b->inode->lock);
	mutex_unlock(&a->super->rename_lock);
}

/* The inodes that change besides the directories: a replaced directory, and files, in their order.
 */
static u32
lock_victims(struct inode *source, struct inode *target, u32 flags, struct inode *locked[2])
{
	u32 n = 0;

	if (target && S_ISDIR(target->mode) && !(flags & RENAME_EXCHANGE)) {
		rwsem_write_lock_nested(&target->lock);
		locked[n++] = target;
		target = NULL;
	}
	if (S_ISDIR(source->mode))
		source = NULL;
	if (target && S_ISDIR(target->mode))
		target = NULL;
	if (source && target && source > target)
		SWAP(source, target);
	if (source) {
		rwsem_write_lock(&source->lock);
		locked[n++] = source;
	}
	if (target) {
		if (source)
			rwsem_write_lock_nested(&target->lock);
		else
			rwsem_write_lock(&target->lock);
		locked[n++] = target;
	}
	return n;
}

static void
notify_rename(struct inode *od, struct dentry *o, u32 mask, u32 cookie)
{
	if (unlikely(READ_ONCE(vfs_notify)))
		vfs_notify(od, o, mask, cookie);
}

/* Directories locked, names looked up, target's inode referenced by the caller. */
static int
rename_locked(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags)
{
	static struct atomic32 cookies;
	struct inode *source = o->inode, *target = n->inode, *locked[2];
	bool is_dir = S_ISDIR(source->mode);
	u32 nr, isdir_mask = is_dir ? IN_ISDIR : 0, cookie;
	int err;

	if (source == target)
		return 0;
	err = inode_may_delete(od, source, is_dir);
	if (err)
		return err;
	if (!target)
		err = inode_may_create(nd);
	else
		err = inode_may_delete(nd, target,
				       flags & RENAME_EXCHANGE ? S_ISDIR(target->mode) : is_dir);
	if (err)
		return err;
	if (!od->ops->rename)
		return -EPERM;
	/* A directory that gets a new parent has its ".." written. */
	if (od != nd) {
		if (is_dir)
			err = inode_permission(source, MAY_WRITE);
		if (!err && (flags & RENAME_EXCHANGE) && S_ISDIR(target->mode))
			err = inode_permission(target, MAY_WRITE);
		if (err)
			return err;
	}
	nr = lock_victims(source, target, flags, locked);
	if (dentry_mountpoint(o) || dentry_mountpoint(n))
		err = -EBUSY;
	else
		err = od->ops->rename(od, o, nd, n, flags);
	if (!err && target && is_dir && !(flags & RENAME_EXCHANGE))
		target->flags |= INODE_DELETED;
	while (nr)
		rwsem_write_unlock(&locked[--nr]->lock);
	if (err)
		return err;
	if (target && is_dir && !(flags & RENAME_EXCHANGE))
		dentry_prune(n);
	cookie = (u32)atomic_inc_return(&cookies);
	notify_rename(od, o, IN_MOVED_FROM | isdir_mask | (od == nd ? VFS_RENAMED : 0), cookie);
	if (target && !(flags & RENAME_EXCHANGE))
		notify(target, NULL, IN_ATTRIB);
	dentry_move(o, n, flags & RENAME_EXCHANGE);
	notify_rename(nd, o, IN_MOVED_TO | isdir_mask, cookie);
	notify(source, NULL, IN_MOVE_SELF);
	return 0;
}

static int
rename_in(struct walk *from, struct walk *to, u32 flags)
{
	struct dentry *od = from->at.dentry, *nd = to->at.dentry, *o, *n, *trap;
	struct inode *target = NULL;
	int err;

	lock_dirs(od, nd, &trap);
	err = dentry_lookup_locked(od, &from->last, &o);
	if (err)
		goto out_unlock;
	err = -ENOENT;
	if (!o->inode)
		goto out_old;
	err = dentry_lookup_locked(nd, &to->last, &n);
	if (err)
		goto out_old;
	target = n->inode;
	if (target)
		inode_get(target);
	err = -EEXIST;
	if ((flags & RENAME_NOREPLACE) && target)
		goto out_new;
	if (flags & RENAME_EXCHANGE) {
		err = -ENOENT;
		if (!target)
			goto out_new;
		err = -ENOTDIR;
		if (!S_ISDIR(target->mode) && to->trailing_slash)
			goto out_new;
	}
	err = -ENOTDIR;
	if (!S_ISDIR(o->inode->mode) &&
	    (from->trailing_slash || (!(flags & RENAME_EXCHANGE) && to->trailing_slash)))
		goto out_new;
	err = -EINVAL;
	if (o == trap)
		goto out_new;
	err = flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (n == trap)
		goto out_new;
	err = rename_locked(od->inode, o, nd->inode, n, flags);
out_new:
	unlock_dirs(od, nd);
	if (!err && target && !(flags & RENAME_EXCHANGE))
		mount_detach_from(n);
	dentry_put(n);
	dentry_put(o);
	if (target)
		inode_put(target);
	return err;
out_old:
	dentry_put(o);
out_unlock:
	unlock_dirs(od, nd);
	return err;
}

static int
rename_names(int old_dirfd, const char *old, int new_dirfd, const char *new, u32 flags)
{
	struct walk from, to;
	int err = walk_begin(&from, old_dirfd, old, 0, false);

	if (!err)
		err = walk_parent(&from);
	if (err)
		goto out_from;
	err = walk_begin(&to, new_dirfd, new, 0, false);
	if (!err)
		err = walk_parent(&to);
	if (err)
		goto out_to;
	err = -EXDEV;
	if (from.at.mnt != to.at.mnt)
		goto out_to;
	err = -EBUSY;
	if (from.last_type != LAST_NORMAL)
		goto out_to;
	if (flags & RENAME_NOREPLACE)
		err = -EEXIST;
	if (to.last_type != LAST_NORMAL)
		goto out_to;
	err = -ENAMETOOLONG;
	if (from.last.len > NAME_MAX || to.last.len > NAME_MAX)
		goto out_to;
	err = mount_want_write(from.at.mnt);
	if (err)
		goto out_to;
	err = rename_in(&from, &to, flags);
	mount_drop_write(from.at.mnt);
out_to:
	walk_end(&to);
out_from:
	walk_end(&from);
	return err;
}

int
vfs_rename_at(const struct path *from_dir, const char *old, const struct path *to_dir,
	      const char *new, u32 flags)
{
	struct walk from = { .at = *from_dir }, to = { .at = *to_dir };
	int err = mount_want_write(from_dir->mnt);

	if (err)
		return err;
	qname_init(&from.last, old, (u32)strlen(old));
	qname_init(&to.last, new, (u32)strlen(new));
	err = rename_in(&from, &to, flags);
	mount_drop_write(from_dir->mnt);
	return err;
}

long
sys_renameat2(int old_dirfd, user_ptr old_user, int new_dirfd, user_ptr new_user,
	      unsigned int flags)
{
	struct path_name old, new;
	int err;

	if (flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		return -EINVAL;
	err = path_name_get(&old, old_user, false);
	if (err)
		return err;
	err = path_name_get(&new, new_user, false);
	if (!err) {
		err = rename_names(old_dirfd, old.text, new_dirfd, new.text, flags);
		path_name_put(&new);
	}
	path_name_put(&old);
	return err;
}

long
sys_renameat(int old_dirfd, user_ptr old, int new_dirfd, user_ptr new)
{
	return sys_renameat2(old_dirfd, old, new_dirfd, new, 0);
}

long
sys_rename(user_ptr old, user_ptr new)
{
	return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}
