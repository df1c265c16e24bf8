/* SPDX-License-Identifier: MIT */
/*
 * read(2), write(2), lseek(2) and their family.
 *
 * One path: find the file, check its mode, describe the user's memory, call the file's read or
 * write, account. Everything else is in the file's operations. The position of a file that others
 * may share is used under its lock; one reference means that nobody does. What a signal, a full
 * pipe or a limit leaves undone is the operation's business, too: the result goes to the caller as
 * it is.
 */
#include "generated/syscalls.h"
#include "uapi/uio.h"
#include "vfs_internal.h"

enum direction { READING, WRITING };

/* The operation may begin: 0 or an error. */
static inline int
may_transfer(const struct file *f, enum direction dir)
{
	if (dir == READING) {
		if (unlikely(!(f->mode & FMODE_READ)))
			return -EBADF;
		return likely(f->ops->read) ? 0 : S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	}
	if (unlikely(!(f->mode & FMODE_WRITE)))
		return -EBADF;
	return likely(f->ops->write) ? 0 : -EINVAL;
}

/* No byte lies behind the largest offset. */
static inline bool
beyond_end(u64 pos, const struct iov_iter *it)
{
	return (s64)(pos + it->count) < 0;
}

static inline ssize_t
transfer(struct file *f, struct iov_iter *it, u64 *pos, enum direction dir)
{
	struct task *t = current;
	ssize_t n;

	if (unlikely(beyond_end(*pos, it)))
		return -EINVAL;
	if (dir == READING) {
		n = f->ops->read(f, it, pos);
		t->io_syscr++;
		if (n > 0)
			t->io_rchar += (u64)n;
	} else {
		n = f->ops->write(f, it, pos);
		t->io_syscw++;
		if (n > 0)
			t->io_wchar += (u64)n;
	}
	if (unlikely(READ_ONCE(vfs_notify)) && n > 0)
		notify_file(f, dir == READING ? IN_ACCESS : IN_MODIFY);
	return n;
}

static inline ssize_t
transfer_at_position(struct file *f, struct iov_iter *it, enum direction dir)
{
	bool locked = false;
	u64 pos = 0;
	ssize_t n;

	if (f->mode & FMODE_STREAM)
		return transfer(f, it, &pos, dir);
	if ((f->mode & FMODE_ATOMIC_POS) && unlikely(ref_read(&f->ref) > 1)) {
		mutex_lock(&f->pos_lock);
		locked = true;
	}
	pos = f->pos;
	n = transfer(f, it, &pos, dir);
	if (n >= 0)
		f->pos = pos;
	if (unlikely(locked))
		mutex_unlock(&f->pos_lock);
	return n;
}

static inline long
rw_simple(int fd, user_ptr buf, size_t count, enum direction dir)
{
	struct fd_ref r = fd_lookup(fd);
	struct iov_iter it;
	long ret;

	if (unlikely(!r.file))
		return -EBADF;
	ret = may_transfer(r.file, dir);
	if (likely(!ret)) {
		if (unlikely(!user_range_ok(buf, count))) {
			ret = (ssize_t)count < 0 ? -EINVAL : -EFAULT;
		} else {
			iter_init_user(&it, dir == READING, buf, MIN(count, MAX_RW_COUNT));
			ret = transfer_at_position(r.file, &it, dir);
		}
	}
	fd_release(r);
	return ret;
}

long
sys_read(int fd, user_ptr buf, size_t count)
{
	return rw_simple(fd, buf, count, READING);
}

long
sys_write(int fd, user_ptr buf, size_t count)
{
	return rw_simple(fd, buf, count, WRITING);
}

static long
rw_at(int fd, user_ptr buf, size_t count, loff_t offset, enum direction dir)
{
	struct iov_iter it;
	struct fd_ref r;
	u64 pos = (u64)offset;
	long ret;

	if (offset < 0)
		return -EINVAL;
	r = fd_lookup(fd);
	if (!r.file)
		return -EBADF;
	ret = r.file->mode & FMODE_STREAM ? -ESPIPE : may_transfer(r.file, dir);
	if (!ret) {
		if (!user_range_ok(buf, count)) {
			ret = (ssize_t)count < 0 ? -EINVAL : -EFAULT;
		} else {
			iter_init_user(&it, dir == READING, buf, MIN(count, MAX_RW_COUNT));
			ret = transfer(r.file, &it, &pos, dir);
		}
	}
	fd_release(r);
	return ret;
}

long
sys_pread64(int fd, user_ptr buf, size_t count, loff_t offset)
{
	return rw_at(fd, buf, count, offset, READING);
}

long
sys_pwrite64(int fd, user_ptr buf, size_t count, loff_t offset)
{
	return rw_at(fd, buf, count, offset, WRITING);
}

/* --- vectors --- */

static int
check_rw_flags(const struct file *f, u32 flags)
{
	if (flags & ~(u32)RWF_SUPPORTED)
		return -EOPNOTSUPP;
	if ((flags & RWF_NOWAIT) && !(f->mode & FMODE_NOWAIT_OK))
		return -EOPNOTSUPP;
	return 0;
}

/* offset -1: at the file's position. */
static long
rw_vector(int fd, user_ptr iov, unsigned long count, s64 offset, bool at_position, u32 flags,
	  enum direction dir)
{
	struct iov_seg fast[8], *heap = NULL;
	struct iov_iter it;
	struct fd_ref r;
	u64 pos = (u64)offset;
	long ret;

	if (!at_position && offset < 0)
		return -EINVAL;
	r = fd_lookup(fd);
	if (!r.file)
		return -EBADF;
	ret = !at_position && (r.file->mode & FMODE_STREAM) ? -ESPIPE : may_transfer(r.file, dir);
	if (!ret)
		ret = iter_import(&it, dir == READING, iov, count, fast, &heap);
	if (!ret && iter_count(&it)) {
		ret = check_rw_flags(r.file, flags);
		it.rw_flags = flags;
		if (!ret)
			ret = at_position ? transfer_at_position(r.file, &it, dir)
					  : transfer(r.file, &it, &pos, dir);
	}
	kfree(heap);
	fd_release(r);
	return ret;
}

long
sys_readv(int fd, user_ptr iov, unsigned long count)
{
	return rw_vector(fd, iov, count, 0, true, 0, READING);
}

long
sys_writev(int fd, user_ptr iov, unsigned long count)
{
	return rw_vector(fd, iov, count, 0, true, 0, WRITING);
}

long
sys_preadv(int fd, user_ptr iov, unsigned long count, loff_t offset, unsigned long offset_high)
{
	return rw_vector(fd, iov, count, offset, false, 0, READING);
}

long
sys_pwritev(int fd, user_ptr iov, unsigned long count, loff_t offset, unsigned long offset_high)
{
	return rw_vector(fd, iov, count, offset, false, 0, WRITING);
}

long
sys_preadv2(int fd, user_ptr iov, unsigned long count, loff_t offset, unsigned long offset_high,
	    int flags)
{
	return rw_vector(fd, iov, count, offset, offset == -1, (u32)flags, READING);
}

long
sys_pwritev2(int fd, user_ptr iov, unsigned long count, loff_t offset, unsigned long offset_high,
	     int flags)
{
	return rw_vector(fd, iov, count, offset, offset == -1, (u32)flags, WRITING);
}

/* --- lseek(2) --- */

long
sys_lseek(int fd, loff_t offset, unsigned int whence)
{
	struct fd_ref r = fd_lookup(fd);
	struct file *f = r.file;
	bool locked = false;
	s64 pos;

	if (unlikely(!f))
		return -EBADF;
	if (unlikely(whence > SEEK_HOLE)) {
		pos = -EINVAL;
	} else if (unlikely((f->mode & FMODE_STREAM) || !f->ops->seek)) {
		pos = -ESPIPE;
	} else {
		if ((f->mode & FMODE_ATOMIC_POS) && unlikely(ref_read(&f->ref) > 1)) {
			mutex_lock(&f->pos_lock);
			locked = true;
		}
		pos = f->ops->seek(f, offset, (int)whence);
		if (unlikely(locked))
			mutex_unlock(&f->pos_lock);
	}
	fd_release(r);
	return pos;
}

/* --- for other rooms --- */

ssize_t
vfs_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	int err = may_transfer(f, READING);
	ssize_t n;

	if (err)
		return err;
	if (beyond_end(*pos, it))
		return -EINVAL;
	n = f->ops->read(f, it, pos);
	if (n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

ssize_t
vfs_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	int err = may_transfer(f, WRITING);
	ssize_t n;

	if (err)
		return err;
	if (beyond_end(*pos, it))
		return -EINVAL;
	n = f->ops->write(f, it, pos);
	if (n > 0)
		notify_file(f, IN_MODIFY);
	return n;
}

ssize_t
file_read_kernel(struct file *f, void *buf, size_t len, u64 pos)
{
	struct iov_iter it;
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		iter_init_kernel(&it, true, (char *)buf + done, len - done);
		n = vfs_read(f, &it, &pos);
		if (n < 0)
			return done ? (ssize_t)done : n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t
file_write_kernel(struct file *f, const void *buf, size_t len, u64 pos)
{
	struct iov_iter it;
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		iter_init_kernel(&it, false, (char *)(uintptr_t)buf + done, len - done);
		n = vfs_write(f, &it, &pos);
		if (n <= 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
