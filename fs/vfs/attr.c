/* SPDX-License-Identifier: MIT */
/*
 * Attributes: chmod(2), chown(2), utimensat(2), truncate(2), access(2) and their forms.
 */
#include "generated/syscalls.h"
#include "uapi/mount.h"
#include "uapi/resource.h"
#include "uapi/time.h"
#include "vfs_internal.h"

int
inode_set_attr(const struct path *p, struct attr_change *c)
{
	struct inode *i = p->dentry->inode;
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	rwsem_write_lock(&i->lock);
	err = inode_setattr_locked(i, c);
	rwsem_write_unlock(&i->lock);
	mount_drop_write(p->mnt);
	if (!err)
		notify(i, p->dentry, c->valid & ATTR_SIZE ? IN_MODIFY : IN_ATTRIB);
	return err;
}

/* --- chmod(2) --- */

static int
change_mode(const struct path *p, umode_t mode)
{
	struct attr_change c = { .valid = ATTR_MODE, .mode = mode & S_IALLUGO };

	if (S_ISLNK(p->dentry->inode->mode))
		return -EOPNOTSUPP;
	return inode_set_attr(p, &c);
}

long
sys_fchmodat(int dirfd, user_ptr path, umode_t mode)
{
	struct path p;
	int err = path_lookup_user(dirfd, path, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = change_mode(&p, mode);
	path_put(&p);
	return err;
}

long
sys_chmod(user_ptr path, umode_t mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long
sys_fchmod(int fd, umode_t mode)
{
	struct fd_ref r = fd_lookup(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = change_mode(&r.file->path, mode);
	fd_release(r);
	return err;
}

/* --- chown(2) --- */

static int
change_owner(const struct path *p, u32 uid, u32 gid)
{
	const struct user_ns *ns = current_cred()->user_ns;
	struct attr_change c = { .uid = uid_from_user(ns, uid), .gid = gid_from_user(ns, gid) };

	if ((uid != (u32)-1 && c.uid == ID_NONE) || (gid != (u32)-1 && c.gid == ID_NONE))
		return -EINVAL;
	if (uid != (u32)-1)
		c.valid |= ATTR_UID;
	if (gid != (u32)-1)
		c.valid |= ATTR_GID;
	if (!S_ISDIR(p->dentry->inode->mode))
		c.valid |= ATTR_KILL_SUID | ATTR_KILL_SGID;
	return inode_set_attr(p, &c);
}

long
sys_fchownat(int dirfd, user_ptr path, u32 uid, u32 gid, int flags)
{
	u32 walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		   (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct path p;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = path_lookup_user(dirfd, path, walk, &p);
	if (err)
		return err;
	err = change_owner(&p, uid, gid);
	path_put(&p);
	return err;
}

long
sys_chown(user_ptr path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long
sys_lchown(user_ptr path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long
sys_fchown(int fd, u32 uid, u32 gid)
{
	struct fd_ref r = fd_lookup(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = change_owner(&r.file->path, uid, gid);
	fd_release(r);
	return err;
}

/* --- utimensat(2) --- */

/* A time that was asked for, as the file system can keep it. */
static s64
time_for(const struct super *s, const struct linux_timespec *t)
{
	s64 sec = t->tv_sec;
	u32 nsec = (u32)t->tv_nsec;

	if (s->time_last) {
		sec = CLAMP(sec, s->time_first, s->time_last);
		if (sec == s->time_first || sec == s->time_last)
			nsec = 0;
	}
	if (s->time_gran_ns > 1)
		nsec -= nsec % s->time_gran_ns;
	return inode_time_make(sec, nsec);
}

/* times NULL: both now. */
static int
change_times(const struct path *p, const struct linux_timespec *times)
{
	struct attr_change c = { .valid = ATTR_ATIME | ATTR_MTIME };
	struct inode *i = p->dentry->inode;

	if (times && times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW)
		times = NULL;
	if (times) {
		c.valid |= ATTR_TIMES;
		if (times[0].tv_nsec == UTIME_OMIT) {
			c.valid &= ~ATTR_ATIME;
		} else if (times[0].tv_nsec != UTIME_NOW) {
			c.valid |= ATTR_ATIME_SET;
			c.atime = time_for(i->super, &times[0]);
		}
		if (times[1].tv_nsec == UTIME_OMIT) {
			c.valid &= ~ATTR_MTIME;
		} else if (times[1].tv_nsec != UTIME_NOW) {
			c.valid |= ATTR_MTIME_SET;
			c.mtime = time_for(i->super, &times[1]);
		}
	} else {
		if (i->flags & INODE_IMMUTABLE)
			return -EPERM;
		if (!inode_owner_or_capable(i)) {
			int err = inode_permission(i, MAY_WRITE);

			if (err)
				return err;
		}
	}
	return inode_set_attr(p, &c);
}

static bool
nsec_valid(s64 nsec)
{
	return nsec == UTIME_NOW || nsec == UTIME_OMIT || (nsec >= 0 && nsec < (s64)NSEC_PER_SEC);
}

/* path NULL: the descriptor itself. */
static int
set_times(int dirfd, user_ptr path, const struct linux_timespec *times, int flags)
{
	u32 walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		   (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct path p;
	int err;

	if (times && (!nsec_valid(times[0].tv_nsec) || !nsec_valid(times[1].tv_nsec)))
		return -EINVAL;
	if (user_ptr_null(path) && dirfd != AT_FDCWD) {
		struct fd_ref r;

		if (flags)
			return -EINVAL;
		r = fd_lookup(dirfd);
		if (!r.file)
			return -EBADF;
		err = change_times(&r.file->path, times);
		fd_release(r);
		return err;
	}
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = path_lookup_user(dirfd, path, walk, &p);
	if (err)
		return err;
	err = change_times(&p, times);
	path_put(&p);
	return err;
}

long
sys_utimensat(int dirfd, user_ptr path, user_ptr times_user, int flags)
{
	struct linux_timespec times[2];

	if (user_ptr_null(times_user))
		return set_times(dirfd, path, NULL, flags);
	if (copy_from_user(times, times_user, sizeof(times)))
		return -EFAULT;
	if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
		return 0;
	return set_times(dirfd, path, times, flags);
}

long
sys_futimesat(int dirfd, user_ptr path, user_ptr times_user)
{
	struct linux_timeval tv[2];
	struct linux_timespec times[2];

	if (user_ptr_null(times_user))
		return set_times(dirfd, path, NULL, 0);
	if (copy_from_user(tv, times_user, sizeof(tv)))
		return -EFAULT;
	for (u32 i = 0; i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		times[i] = (struct linux_timespec){ tv[i].tv_sec, tv[i].tv_usec * 1000 };
	}
	return set_times(dirfd, path, times, 0);
}

long
sys_utimes(user_ptr path, user_ptr times)
{
	return sys_futimesat(AT_FDCWD, path, times);
}

long
sys_utime(user_ptr path, user_ptr times_user)
{
	struct linux_utimbuf buf;
	struct linux_timespec times[2];

	if (user_ptr_null(times_user))
		return set_times(AT_FDCWD, path, NULL, 0);
	if (copy_from_user(&buf, times_user, sizeof(buf)))
		return -EFAULT;
	times[0] = (struct linux_timespec){ buf.actime, 0 };
	times[1] = (struct linux_timespec){ buf.modtime, 0 };
	return set_times(AT_FDCWD, path, times, 0);
}

/* --- truncate(2) --- */

static int
check_new_size(const struct inode *i, u64 size)
{
	if (size <= i->size)
		return 0;
	if (size > rlimit_current(RLIMIT_FSIZE)) {
		(void)signal_send_task(current, SIGXFSZ, NULL);
		return -EFBIG;
	}
	return size > i->super->max_bytes ? -EFBIG : 0;
}

static int
set_size(struct inode *i, struct dentry *d, u64 size, struct file *f)
{
	struct attr_change c = { .valid = ATTR_SIZE | ATTR_MTIME, .size = size, .file = f };
	int err;

	rwsem_write_lock(&i->lock);
	err = check_new_size(i, size);
	if (!err)
		err = inode_remove_privs(i);
	if (!err)
		err = inode_setattr_locked(i, &c);
	rwsem_write_unlock(&i->lock);
	if (!err)
		notify(i, d, IN_MODIFY);
	return err;
}

long
sys_truncate(user_ptr path, loff_t length)
{
	struct inode *i;
	struct path p;
	int err;

	if (length < 0)
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (err)
		return err;
	i = p.dentry->inode;
	err = S_ISDIR(i->mode) ? -EISDIR : -EINVAL;
	if (!S_ISREG(i->mode))
		goto out_path;
	err = mount_want_write(p.mnt);
	if (err)
		goto out_path;
	err = inode_permission(i, MAY_WRITE);
	if (!err && (i->flags & INODE_APPEND))
		err = -EPERM;
	if (!err && atomic_read(&i->writers) < 0)
		err = -ETXTBSY;
	if (!err)
		err = set_size(i, p.dentry, (u64)length, NULL);
	mount_drop_write(p.mnt);
out_path:
	path_put(&p);
	return err;
}

long
sys_ftruncate(int fd, loff_t length)
{
	struct fd_ref r;
	struct file *f;
	int err;

	if (length < 0)
		return -EINVAL;
	r = fd_lookup(fd);
	f = r.file;
	if (!f)
		return -EBADF;
	if (!S_ISREG(f->inode->mode) || !(f->mode & FMODE_WRITE))
		err = -EINVAL;
	else if (f->inode->flags & INODE_APPEND)
		err = -EPERM;
	else
		err = set_size(f->inode, f->path.dentry, (u64)length, f);
	fd_release(r);
	return err;
}

/* --- access(2) --- */

/* access asks for the real ids: a cred for that, or NULL if the current one says the same. */
static int
real_cred(struct cred **out)
{
	const struct cred *c = current_cred();
	u64 caps = c->uid == uid_from_user(c->user_ns, 0) ? c->cap_permitted : 0;
	struct cred *real;

	*out = NULL;
	if (likely(c->fsuid == c->uid && c->fsgid == c->gid && c->cap_effective == caps))
		return 0;
	real = cred_dup(c);
	if (!real)
		return -ENOMEM;
	real->fsuid = c->uid;
	real->fsgid = c->gid;
	real->cap_effective = caps;
	*out = real;
	return 0;
}

static int
access_inode(const struct mount *m, struct inode *i, int mode)
{
	int err;

	if ((mode & MAY_EXEC) && S_ISREG(i->mode) && (m->flags & MS_NOEXEC))
		return -EACCES;
	err = inode_permission(i, mode);
	if (err || !(mode & MAY_WRITE))
		return err;
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode) || S_ISFIFO(i->mode) || S_ISSOCK(i->mode))
		return 0;
	return m->flags & MS_RDONLY ? -EROFS : 0;
}

static int
access_name(int dirfd, const char *name, u32 walk, int mode)
{
	struct walk w;
	struct path p;
	int err = walk_lookup_rcu(&w, dirfd, name, walk), result;

	if (likely(!err)) {
		if (likely(!mode || !w.inode->ops->permission)) {
			result = mode ? access_inode(w.at.mnt, w.inode, mode) : 0;
			if (likely(walk_rcu_done(&w)))
				return result;
		} else {
			walk_end(&w);
		}
	} else if (err != -ECHILD) {
		return err;
	}
	err = path_lookup(dirfd, name, walk, &p);
	if (err)
		return err;
	err = mode ? access_inode(p.mnt, p.dentry->inode, mode) : 0;
	path_put(&p);
	return err;
}

long
sys_faccessat2(int dirfd, user_ptr path, int mode, int flags)
{
	u32 walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		   (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct cred *real = NULL, *saved = NULL;
	struct path_name n;
	int err;

	if ((mode & ~(R_OK | W_OK | X_OK)) ||
	    (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	err = path_name_get(&n, path, walk & WALK_EMPTY);
	if (err)
		return err;
	if (!(flags & AT_EACCESS)) {
		err = real_cred(&real);
		if (err)
			goto out_name;
	}
	if (unlikely(real)) {
		saved = current->cred;
		rcu_assign_pointer(current->cred, real);
	}
	err = access_name(dirfd, n.text, walk, mode);
	if (unlikely(real)) {
		rcu_assign_pointer(current->cred, saved);
		cred_put(real);
	}
out_name:
	path_name_put(&n);
	return err;
}

long
sys_faccessat(int dirfd, user_ptr path, int mode)
{
	return sys_faccessat2(dirfd, path, mode, 0);
}

long
sys_access(user_ptr path, int mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}
