/* SPDX-License-Identifier: MIT */
/*
 * open(2), openat2(2), creat(2).
 *
 * Opening what exists: one walk in RCU mode, references on the place, permission, a struct file,
 * the object's open. O_CREAT first tries the same, for most opens with O_CREAT find their file;
 * only if that says "no such name" is the directory locked and looked into again. O_EXCL wants it
 * not to exist. O_TMPFILE makes an inode without a name in the directory it opens.
 *
 * Flags: open(2) ignores those it does not know and modes where they make no sense, openat2(2)
 * refuses both.
 */
#include "fs/vfs/device.h"
#include "generated/syscalls.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

#define KNOWN_FLAGS                                                                           \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
	 O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |   \
	 O_CLOEXEC | O_PATH | __O_TMPFILE)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define KNOWN_RESOLVE                                                                      \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)

static const struct file_ops path_file_ops;

/* --- from a place to a file --- */

static u32
mode_of_flags(u32 flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY: return FMODE_READ;
	case O_WRONLY: return FMODE_WRITE;
	case O_RDWR: return FMODE_READ | FMODE_WRITE;
	default: return 0; /* 3: neither, for ioctl; permission for both */
	}
}

static int
may_open(const struct path *p, struct inode *i, u32 *flags, bool created)
{
	u32 acc = *flags & O_ACCMODE;
	int mask = MAY_OPEN, err;

	if (acc != O_WRONLY)
		mask |= MAY_READ;
	if (acc != O_RDONLY || (*flags & O_TRUNC))
		mask |= MAY_WRITE;
	switch (i->mode & S_IFMT) {
	case S_IFLNK: return -ELOOP;
	case S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (p->mnt->flags & MS_NODEV)
			return -EACCES;
		__fallthrough;
	case S_IFIFO:
	case S_IFSOCK:
		*flags &= ~(u32)O_TRUNC;
		if (acc == O_RDONLY)
			mask &= ~MAY_WRITE;
		break;
	}
	if (!created) {
		err = inode_permission(i, mask);
		if (err)
			return err;
	}
	if ((i->flags & INODE_APPEND) &&
	    ((acc != O_RDONLY && !(*flags & O_APPEND)) || (*flags & O_TRUNC)))
		return -EPERM;
	if ((*flags & O_NOATIME) && !inode_owner_or_capable(i))
		return -EPERM;
	return 0;
}

/* Count a writer of mount and inode: read-only mounts and running programs refuse. */
static int
writer_get(struct file *f)
{
	int err = mount_want_write(f->path.mnt), writers;

	if (err)
		return err;
	writers = atomic_read(&f->inode->writers);
	do {
		if (writers < 0) {
			mount_drop_write(f->path.mnt);
			return -ETXTBSY;
		}
	} while (!atomic_try_cmpxchg(&f->inode->writers, &writers, writers + 1));
	f->mode |= FMODE_WRITER;
	return 0;
}

static int
ops_of_special(struct file *f)
{
	struct inode *i = f->inode;
	struct device *d = NULL;

	switch (i->mode & S_IFMT) {
	case S_IFCHR:
		f->ops = i->file_ops;
		if (!f->ops)
			f->ops = chrdev_find(i->rdev, &d);
		f->private = d;
		return f->ops ? 0 : -ENXIO;
	case S_IFBLK: f->ops = READ_ONCE(blkdev_file_ops); return f->ops ? 0 : -ENXIO;
	case S_IFIFO: f->ops = READ_ONCE(fifo_file_ops); return f->ops ? 0 : -ENXIO;
	default: return -ENXIO;
	}
}

static int
truncate_at_open(struct file *f)
{
	struct attr_change c = {
		.valid = ATTR_SIZE | ATTR_MTIME | ATTR_OPEN,
		.file = f,
	};
	struct inode *i = f->inode;
	int err;

	rwsem_write_lock(&i->lock);
	err = inode_remove_privs(i);
	if (!err)
		err = inode_setattr_locked(i, &c);
	rwsem_write_unlock(&i->lock);
	if (!err)
		notify_file(f, IN_MODIFY);
	return err;
}

/* f gets its own references on p. On failure the caller puts f. */
static int
setup(struct file *f, const struct path *p, bool created)
{
	struct inode *i = p->dentry->inode;
	u32 flags = f->flags;
	int err;

	path_get(p);
	f->path = *p;
	f->inode = i;
	if (unlikely(flags & O_PATH)) {
		f->ops = &path_file_ops;
		f->mode = FMODE_PATH | FMODE_OPENED;
		f->flags = flags & (O_DIRECTORY | O_NOFOLLOW | O_PATH);
		return 0;
	}
	err = may_open(p, i, &flags, created);
	if (err)
		return err;
	f->ops = i->file_ops;
	if (S_ISREG(i->mode) || S_ISDIR(i->mode)) {
		f->mode |= FMODE_ATOMIC_POS;
		if (unlikely(!f->ops))
			return -ENXIO;
		if (f->mode & FMODE_WRITE) {
			err = writer_get(f);
			if (err)
				return err;
		}
	} else {
		err = ops_of_special(f);
		if (err)
			return err;
	}
	f->mapping = &i->mapping;
	err = f->ops->open ? f->ops->open(f) : 0;
	if (err)
		return err;
	file_sample_errors(f);
	if (f->mapping->ops && f->mapping->ops->direct_io)
		f->mode |= FMODE_DIRECT_OK;
	f->mode |= FMODE_OPENED;
	if (unlikely(flags & O_TRUNC) && !created) {
		bool writer = f->mode & FMODE_WRITER;

		err = writer ? 0 : mount_want_write(p->mnt);
		if (!err) {
			err = truncate_at_open(f);
			if (!writer)
				mount_drop_write(p->mnt);
		}
		if (err)
			return err;
	}
	f->flags = flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	if (unlikely(flags & O_DIRECT) && file_refuses_direct(f))
		return -EINVAL;
	notify_file(f, IN_OPEN);
	return 0;
}

static int
open_place(const struct path *p, u32 flags, bool created, struct file **out)
{
	struct file *f = file_alloc(flags, mode_of_flags(flags));
	int err;

	if (!f)
		return -ENFILE;
	err = setup(f, p, created);
	if (err) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

int
file_open_path(const struct path *p, u32 flags, struct file **out)
{
	return open_place(p, flags, false, out);
}

/* --- programs --- */

/* Writers and execution exclude each other: i->writers is above zero or below. */
static int
deny_write(struct inode *i)
{
	int writers = atomic_read(&i->writers);

	do {
		if (writers > 0)
			return -ETXTBSY;
	} while (!atomic_try_cmpxchg(&i->writers, &writers, writers - 1));
	return 0;
}

int
file_open_exec(const struct path *p, struct file **out)
{
	struct inode *i = p->dentry->inode;
	struct file *f;
	int err;

	if (!S_ISREG(i->mode) || (p->mnt->flags & MS_NOEXEC))
		return -EACCES;
	err = inode_permission(i, MAY_EXEC | MAY_OPEN);
	if (err)
		return err;
	f = file_alloc(O_RDONLY | O_LARGEFILE, FMODE_READ | FMODE_ATOMIC_POS);
	if (!f)
		return -ENFILE;
	path_get(p);
	f->path = *p;
	f->inode = i;
	f->ops = i->file_ops;
	err = f->ops ? deny_write(i) : -ENOEXEC;
	if (!err) {
		f->mode |= FMODE_EXEC;
		f->mapping = &i->mapping;
		file_sample_errors(f);
		err = f->ops->open ? f->ops->open(f) : 0;
	}
	if (err) {
		file_put(f);
		return err;
	}
	f->mode |= FMODE_OPENED;
	notify_file(f, IN_OPEN);
	*out = f;
	return 0;
}

void
file_allow_write(struct file *f)
{
	if (f->mode & FMODE_EXEC) {
		f->mode &= ~FMODE_EXEC;
		atomic_inc(&f->inode->writers);
	}
}

void
file_uncount_writer(struct file *f)
{
	if (f->mode & FMODE_WRITER) {
		f->mode &= ~FMODE_WRITER;
		atomic_dec(&f->inode->writers);
		mount_drop_write(f->path.mnt);
	}
}

/* --- creating --- */

/*
 * The parent is in w, its directory is locked by us. 0: made or found, *d is it, referenced.
 * The mount's want-write result is given in, for an existing file can be opened on a read-only one.
 */
static int
lookup_or_create(struct walk *w, u32 flags, umode_t mode, int ro, struct dentry **out,
		 bool *created)
{
	struct inode *dir = w->inode;
	struct dentry *d;
	int err;

	if (w->last.len > NAME_MAX)
		return -ENAMETOOLONG;
	err = dentry_lookup_locked(w->at.dentry, &w->last, &d);
	if (err)
		return err;
	if (!d->inode) {
		err = ro;
		if (!err)
			err = inode_may_create(dir);
		if (!err)
			err = dir->ops->create
				      ? dir->ops->create(dir, d, S_IFREG | create_mode(dir, mode))
				      : -EACCES;
		if (err) {
			dentry_put(d);
			return err;
		}
		*created = true;
		notify(dir, d, IN_CREATE);
	} else if (flags & O_EXCL) {
		dentry_put(d);
		return -EEXIST;
	}
	*out = d;
	return 0;
}

static int
create_and_open(int dirfd, const char *name, u32 flags, umode_t mode, u32 walk, struct file **out)
{
	struct walk w;
	int err = walk_begin(&w, dirfd, name, walk, false);

	if (err)
		goto out;
	do {
		struct dentry *d;
		bool created = false;
		int ro;

		err = walk_parent(&w);
		if (err)
			goto out;
		if (w.last_type != LAST_NORMAL || w.trailing_slash) {
			err = -EISDIR;
			goto out;
		}
		ro = mount_want_write(w.at.mnt);
		rwsem_write_lock(&w.inode->lock);
		err = lookup_or_create(&w, flags, mode, ro, &d, &created);
		rwsem_write_unlock(&w.inode->lock);
		if (!err)
			err = walk_into(&w, d, (walk & WALK_FOLLOW) != 0);
		if (!err && S_ISDIR(w.inode->mode))
			err = -EISDIR;
		if (!err)
			err = open_place(&w.at, flags, created, out);
		if (!ro)
			mount_drop_write(w.at.mnt);
	} while (err == 1);
out:
	walk_end(&w);
	return err;
}

static int
open_tmpfile(const struct path *p, u32 flags, umode_t mode, struct file **out)
{
	struct inode *dir = p->dentry->inode;
	struct path place = { p->mnt, NULL };
	struct file *f;
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!err && !dir->ops->tmpfile)
		err = -EOPNOTSUPP;
	if (err)
		goto out_write;
	place.dentry = dentry_alloc(p->dentry->super, "#", 1, 0);
	err = -ENOMEM;
	if (!place.dentry)
		goto out_write;
	f = file_alloc(flags, mode_of_flags(flags));
	err = -ENFILE;
	if (!f)
		goto out_dentry;
	/* The directory tells the file its dentry: it gets the inode by dentry_add. */
	f->path = place;
	err = dir->ops->tmpfile(dir, f, S_IFREG | create_mode(dir, mode));
	f->path = (struct path){ NULL, NULL };
	if (!err)
		err = setup(f, &place, true);
	if (err)
		file_put(f);
	else
		*out = f;
out_dentry:
	dentry_put(place.dentry);
out_write:
	mount_drop_write(p->mnt);
	return err;
}

/* --- by name --- */

int
file_open_how(int dirfd, const char *name, u32 flags, umode_t mode, u32 walk, struct file **out)
{
	struct path p;
	struct walk w;
	int err;

	if ((flags & O_CREAT) && !(flags & O_PATH)) {
		bool slash = *name && name[strlen(name) - 1] == '/';

		mode &= S_IALLUGO;
		if (slash)
			return create_and_open(dirfd, name, flags, mode, walk, out);
		err = walk_lookup_rcu(&w, dirfd, name, walk);
		if (err == -ECHILD || err == -ENOENT)
			return walk & WALK_CACHED
				       ? -EAGAIN
				       : create_and_open(dirfd, name, flags, mode, walk, out);
		if (err)
			return err;
		if (!walk_rcu_to_path(&w, &p))
			return create_and_open(dirfd, name, flags, mode, walk, out);
		if (flags & O_EXCL)
			err = -EEXIST;
		else if (S_ISDIR(p.dentry->inode->mode))
			err = -EISDIR;
		else
			err = open_place(&p, flags, false, out);
	} else {
		err = path_lookup(dirfd, name, walk, &p);
		if (err)
			return err;
		if (unlikely((flags & __O_TMPFILE) && !(flags & O_PATH)))
			err = open_tmpfile(&p, flags, mode & S_IALLUGO, out);
		else
			err = open_place(&p, flags, false, out);
	}
	path_put(&p);
	return err;
}

/* Walk flags of open flags, or an error. */
static int
check_flags(u32 *flags, u32 *walk)
{
	u32 f = *flags;

	if (f & O_PATH) {
		f &= PATH_FLAGS;
	} else if (f & __O_TMPFILE) {
		if (!(f & O_DIRECTORY) || (f & O_CREAT) || !(mode_of_flags(f) & FMODE_WRITE))
			return -EINVAL;
	} else if ((f & O_CREAT) && (f & O_DIRECTORY)) {
		return -EINVAL;
	}
	if (f & __O_SYNC)
		f |= O_DSYNC;
	*walk = f & O_NOFOLLOW ? 0 : WALK_FOLLOW;
	if ((f & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		*walk = 0;
	if (f & O_DIRECTORY)
		*walk |= WALK_DIRECTORY;
	*flags = f;
	return 0;
}

int
file_open(int dirfd, const char *path, u32 flags, umode_t mode, struct file **out)
{
	u32 walk;
	int err = check_flags(&flags, &walk);

	return err ? err : file_open_how(dirfd, path, flags, mode, walk, out);
}

/* --- system calls --- */

static long
open_user(int dirfd, user_ptr path, u32 flags, umode_t mode, u32 walk)
{
	struct path_name n;
	struct file *f;
	int fd, err;

	err = path_name_get(&n, path, false);
	if (unlikely(err))
		return err;
	fd = fd_reserve(0, flags & O_CLOEXEC);
	if (likely(fd >= 0)) {
		err = file_open_how(dirfd, n.text, flags, mode, walk, &f);
		if (likely(!err)) {
			fd_install(fd, f);
		} else {
			fd_cancel(fd);
			fd = err;
		}
	}
	path_name_put(&n);
	return fd;
}

long
sys_openat(int dirfd, user_ptr path, int flags_in, umode_t mode)
{
	u32 flags = (u32)flags_in & KNOWN_FLAGS, walk;
	int err = check_flags(&flags, &walk);

	if (unlikely(err))
		return err;
	if (!(flags & O_PATH))
		flags |= O_LARGEFILE;
	return open_user(dirfd, path, flags, mode, walk);
}

long
sys_open(user_ptr path, int flags, umode_t mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long
sys_creat(user_ptr path, umode_t mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long
sys_openat2(int dirfd, user_ptr path, user_ptr how_user, size_t size)
{
	static const struct {
		u64 resolve;
		u32 walk;
	} map[] = {
		{ RESOLVE_NO_XDEV, WALK_NO_XDEV },
		{ RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC },
		{ RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS | WALK_NO_MAGIC },
		{ RESOLVE_BENEATH, WALK_BENEATH },
		{ RESOLVE_IN_ROOT, WALK_IN_ROOT },
		{ RESOLVE_CACHED, WALK_CACHED },
	};
	struct linux_open_how how;
	u32 flags, walk;
	int err;

	if (size < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&how, sizeof(how), how_user, size);
	if (err)
		return err;
	if ((how.flags & ~(u64)KNOWN_FLAGS) || (how.resolve & ~(u64)KNOWN_RESOLVE))
		return -EINVAL;
	if ((how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) ==
	    (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how.flags & (O_CREAT | __O_TMPFILE)) {
		if (how.mode & ~(u64)S_IALLUGO)
			return -EINVAL;
	} else if (how.mode) {
		return -EINVAL;
	}
	if ((how.flags & O_PATH) && (how.flags & ~(u64)PATH_FLAGS))
		return -EINVAL;
	if ((how.resolve & RESOLVE_CACHED) && (how.flags & (O_TRUNC | O_CREAT | __O_TMPFILE)))
		return -EAGAIN;
	flags = (u32)how.flags;
	err = check_flags(&flags, &walk);
	if (err)
		return err;
	if (!(flags & O_PATH))
		flags |= O_LARGEFILE;
	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		if (how.resolve & map[i].resolve)
			walk |= map[i].walk;
	return open_user(dirfd, path, flags, (umode_t)how.mode, walk);
}

/* O_PATH: a place, nothing more. */
static const struct file_ops path_file_ops = {
	.read = NULL,
};
