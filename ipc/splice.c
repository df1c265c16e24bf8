/* SPDX-License-Identifier: MIT */
/*
 * Moving bytes without a user buffer: splice(2), tee(2), vmsplice(2), sendfile(2),
 * copy_file_range(2).
 *
 * A pipe is a ring of page pieces. From a file in the page cache its very pages go into the pipe,
 * by reference; from other files bytes are read into fresh pages. From the pipe a file gets each
 * piece by its write operation. sendfile and copy_file_range need no pipe: they write from the
 * page, or from a bounce buffer if the source is not in the page cache.
 *
 * Locks: a pipe's lock is not held while the other file works, because that takes locks that rank
 * before it. Into a pipe: read first, from a seekable file, then push what fits and take back
 * nothing but the position. Streams cannot be un-read: there the lock is held (their locks rank
 * behind). Out of a pipe: tail_busy keeps other readers away from the piece meanwhile. Two pipes:
 * by address.
 */
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "ipc/pipe.h"
#include "mm/mapping.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/task.h"
#include "uapi/epoll.h"
#include "uapi/errno.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)
#define BOUNCE_ORDER 3

/* --- pipes --- */

static void
pipe_filled(struct pipe *p)
{
	wake_up_poll(&p->rd_wait, EPOLLIN | EPOLLRDNORM);
}

static void
pipe_drained(struct pipe *p)
{
	wake_up_poll(&p->wr_wait, EPOLLOUT | EPOLLWRNORM);
}

/* Lock held, also afterwards. 0: there is room. */
static int
wait_room(struct pipe *p, bool nonblock)
{
	for (;;) {
		int err;

		if (!p->readers) {
			(void)signal_send_task(current, SIGPIPE, NULL);
			return -EPIPE;
		}
		if (!pipe_full(p))
			return 0;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		err = wait_event_interruptible(&p->wr_wait,
					       !pipe_full(p) || !READ_ONCE(p->readers));
		mutex_lock(&p->lock);
		if (err)
			return err;
	}
}

/* 1: there is a piece that is nobody's; 0: the end. */
static int
wait_data(struct pipe *p, bool nonblock)
{
	for (;;) {
		int err;

		if (!pipe_empty(p) && !p->tail_busy)
			return 1;
		if (pipe_empty(p) && !p->writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		err = wait_event_interruptible(&p->rd_wait,
					       (!pipe_empty(p) && !READ_ONCE(p->tail_busy)) ||
						       !READ_ONCE(p->writers));
		mutex_lock(&p->lock);
		if (err)
			return err;
	}
}

static struct pipe_buffer *
tail_of(struct pipe *p)
{
	return &p->bufs[p->tail & (p->slots - 1)];
}

static void
consume(struct pipe *p, u32 n)
{
	struct pipe_buffer *b = tail_of(p);

	b->offset += n;
	b->len -= n;
	if (b->len)
		return;
	page_put(b->page);
	*b = (struct pipe_buffer){ 0 };
	WRITE_ONCE(p->tail, p->tail + 1);
}

/* --- from files --- */

static bool
is_cached(const struct file *f)
{
	return f->ops->read == file_read_cached;
}

/*
 * A referenced page with up to max bytes of f at pos, starting in the page at *offset: number of
 * bytes, 0 at the end, or an error.
 */
static ssize_t
take_page(struct file *f, u64 pos, size_t max, struct page **out, u32 *offset)
{
	struct inode *i = f->inode;
	u64 size = READ_ONCE(i->size);
	struct page *page;
	struct iov_iter it;
	ssize_t n;
	int err = 0;

	*offset = pos & (PAGE_SIZE - 1);
	max = MIN(max, PAGE_SIZE - *offset);
	if (is_cached(f)) {
		if (pos >= size)
			return 0;
		max = MIN(max, size - pos);
		if (i->mapping.ops->read_page)
			err = mapping_read(&i->mapping, pos >> PAGE_SHIFT, &page);
		else
			err = mapping_find_memory(&i->mapping, pos >> PAGE_SHIFT, &page);
		if (err)
			return err;
		if (page) {
			*out = page;
			return (ssize_t)max;
		}
		/* A hole. */
		*out = page_alloc(0, GFP_USER | GFP_ZERO);
		return *out ? (ssize_t)max : -ENOMEM;
	}
	page = page_alloc(0, GFP_USER);
	if (!page)
		return -ENOMEM;
	*offset = 0;
	iter_init_kernel(&it, true, page_to_virt(page), max);
	n = vfs_read(f, &it, &pos);
	if (n <= 0)
		page_put(page);
	else
		*out = page;
	return n;
}

static ssize_t
stream_to_pipe(struct file *f, struct pipe *p, size_t len, bool nonblock)
{
	struct page *page;
	ssize_t done = 0, n = 0;
	u32 offset;

	mutex_lock(&p->lock);
	n = wait_room(p, nonblock);
	while (!n && len && !pipe_full(p)) {
		/* More only if it is there at once: what came so far must not wait. */
		if (done && !(vfs_poll(f, NULL) & EPOLLIN))
			break;
		n = take_page(f, 0, len, &page, &offset);
		if (n <= 0)
			break;
		pipe_push(p, page, offset, (u32)n, 0);
		done += n;
		len -= (size_t)n;
		n = 0;
	}
	mutex_unlock(&p->lock);
	if (done)
		pipe_filled(p);
	return done ? done : n;
}

static ssize_t
file_to_pipe(struct file *f, u64 *pos, struct pipe *p, size_t len, bool nonblock)
{
	ssize_t done = 0, n = 0;

	if (f->ops->splice_read)
		return f->ops->splice_read(f, pos, p, len, nonblock ? SPLICE_F_NONBLOCK : 0);
	if (f->mode & FMODE_STREAM)
		return stream_to_pipe(f, p, len, nonblock);
	while (len) {
		struct page *page;
		u32 offset;

		/* Room first; after the first piece only what is there. */
		mutex_lock(&p->lock);
		n = wait_room(p, nonblock || done);
		mutex_unlock(&p->lock);
		if (n)
			break;
		n = take_page(f, *pos, len, &page, &offset);
		if (n <= 0)
			break;
		mutex_lock(&p->lock);
		if (pipe_full(p) || !p->readers) {
			/* Somebody else was faster: the position has not moved, read it again. */
			mutex_unlock(&p->lock);
			page_put(page);
			continue;
		}
		pipe_push(p, page, offset, (u32)n, 0);
		mutex_unlock(&p->lock);
		pipe_filled(p);
		*pos += (u64)n;
		done += n;
		len -= (size_t)n;
	}
	return done ? done : n;
}

/* --- to files --- */

static ssize_t
pipe_to_file(struct pipe *p, struct file *f, u64 *pos, size_t len, bool nonblock)
{
	ssize_t done = 0, n = 0;

	if (f->ops->splice_write)
		return f->ops->splice_write(p, f, pos, len, nonblock ? SPLICE_F_NONBLOCK : 0);
	while (len) {
		struct pipe_buffer b;
		struct iov_iter it;

		mutex_lock(&p->lock);
		n = wait_data(p, nonblock || done);
		if (n <= 0) {
			mutex_unlock(&p->lock);
			break;
		}
		b = *tail_of(p);
		page_get(b.page);
		p->tail_busy = true;
		mutex_unlock(&p->lock);

		iter_init_kernel(&it, false, (char *)page_to_virt(b.page) + b.offset,
				 MIN(len, (size_t)b.len));
		n = vfs_write(f, &it, pos);

		mutex_lock(&p->lock);
		p->tail_busy = false;
		if (n > 0)
			consume(p, (u32)n);
		mutex_unlock(&p->lock);
		page_put(b.page);
		pipe_filled(p); /* those who waited for tail_busy */
		if (n <= 0)
			break;
		pipe_drained(p);
		done += n;
		len -= (size_t)n;
	}
	return done ? done : n;
}

/* --- pipe to pipe --- */

static void
lock_two(struct pipe *a, struct pipe *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock_nested(a < b ? &b->lock : &a->lock);
}

static void
unlock_two(struct pipe *a, struct pipe *b)
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* Wait until `in` has something and `out` has room, both locked. 1: so it is; 0: the end of the
 * input. */
static int
lock_ready(struct pipe *in, struct pipe *out, bool nonblock)
{
	for (;;) {
		int n;

		mutex_lock(&out->lock);
		n = wait_room(out, nonblock);
		mutex_unlock(&out->lock);
		if (n)
			return n;
		mutex_lock(&in->lock);
		n = wait_data(in, nonblock);
		mutex_unlock(&in->lock);
		if (n <= 0)
			return n;
		lock_two(in, out);
		if (!pipe_empty(in) && !in->tail_busy && !pipe_full(out) && out->readers)
			return 1;
		unlock_two(in, out);
	}
}

/* Moves pieces, or with `copy` (tee) lets both have them. */
static ssize_t
pipe_to_pipe(struct pipe *in, struct pipe *out, size_t len, bool nonblock, bool copy)
{
	ssize_t done = 0;
	int n = lock_ready(in, out, nonblock);
	u32 at;

	if (n <= 0)
		return n;
	at = in->tail;
	while (len && at != in->head && !pipe_full(out)) {
		struct pipe_buffer *b = &in->bufs[at & (in->slots - 1)];
		u32 part = (u32)MIN(len, (size_t)b->len), flags = b->flags & PIPE_BUF_PACKET;

		page_get(b->page);
		/* Shared now: nobody may append to it. */
		b->flags &= ~(u32)PIPE_BUF_MERGEABLE;
		pipe_push(out, b->page, b->offset, part, flags);
		done += part;
		len -= part;
		if (copy) {
			at++;
		} else {
			consume(in, part);
			at = in->tail;
		}
	}
	unlock_two(in, out);
	pipe_filled(out);
	if (!copy)
		pipe_drained(in);
	return done;
}

/* --- positions --- */

/* Where a side of the call reads or writes: the caller's offset, or the file's position, which is
 * not locked, as on Linux. */
struct side {
	struct file *file;
	user_ptr user;
	u64 pos;
};

static int
side_begin(struct side *s, struct file *f, user_ptr offset)
{
	*s = (struct side){ .file = f, .user = offset };
	if (!user_ptr_null(offset)) {
		if (f->mode & FMODE_STREAM)
			return -ESPIPE;
		if (get_user(&s->pos, offset))
			return -EFAULT;
		return (s64)s->pos < 0 ? -EINVAL : 0;
	}
	if (!(f->mode & FMODE_STREAM))
		s->pos = f->pos;
	return 0;
}

static long
side_end(struct side *s, long ret)
{
	if (!user_ptr_null(s->user)) {
		if (ret > 0 && put_user(s->user, s->pos))
			ret = -EFAULT;
	} else if (!(s->file->mode & FMODE_STREAM) && ret > 0) {
		s->file->pos = s->pos;
	}
	return ret;
}

/* --- splice(2), tee(2) --- */

static long
do_splice(struct file *in, user_ptr off_in, struct file *out, user_ptr off_out, size_t count,
	  u32 flags)
{
	struct pipe *from = pipe_of(in), *to = pipe_of(out);
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	struct side s;
	long ret;

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if ((from && !user_ptr_null(off_in)) || (to && !user_ptr_null(off_out)))
		return -ESPIPE;
	if (from && to) {
		if (from == to)
			return -EINVAL;
		return pipe_to_pipe(from, to, count,
				    nonblock || ((in->flags | out->flags) & O_NONBLOCK), false);
	}
	if (from) {
		if ((out->flags & O_APPEND) || !out->ops->write)
			return -EINVAL;
		ret = side_begin(&s, out, off_out);
		if (!ret)
			ret = pipe_to_file(from, out, &s.pos, count,
					   nonblock || (in->flags & O_NONBLOCK));
		return side_end(&s, ret);
	}
	if (to) {
		if (!in->ops->read)
			return -EINVAL;
		ret = side_begin(&s, in, off_in);
		if (!ret)
			ret = file_to_pipe(in, &s.pos, to, count,
					   nonblock || (out->flags & O_NONBLOCK));
		return side_end(&s, ret);
	}
	return -EINVAL;
}

long
sys_splice(int in_fd, user_ptr off_in, int out_fd, user_ptr off_out, size_t count,
	   unsigned int flags)
{
	struct fd_ref in, out;
	long ret = -EBADF;

	if (!count)
		return 0;
	if (flags & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	in = fd_lookup(in_fd);
	if (!in.file)
		return -EBADF;
	out = fd_lookup(out_fd);
	if (out.file) {
		ret = do_splice(in.file, off_in, out.file, off_out, MIN(count, MAX_RW_COUNT),
				flags);
		fd_release(out);
	}
	fd_release(in);
	return ret;
}

long
sys_tee(int in_fd, int out_fd, size_t count, unsigned int flags)
{
	struct pipe *from, *to;
	struct fd_ref in, out;
	long ret = -EBADF;

	if (flags & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	if (!count)
		return 0;
	in = fd_lookup(in_fd);
	if (!in.file)
		return -EBADF;
	out = fd_lookup(out_fd);
	if (!out.file)
		goto out_in;
	if (!(in.file->mode & FMODE_READ) || !(out.file->mode & FMODE_WRITE))
		goto out_out;
	from = pipe_of(in.file);
	to = pipe_of(out.file);
	ret = -EINVAL;
	if (from && to && from != to)
		ret = pipe_to_pipe(from, to, count,
				   (flags & SPLICE_F_NONBLOCK) ||
					   ((in.file->flags | out.file->flags) & O_NONBLOCK),
				   true);
out_out:
	fd_release(out);
out_in:
	fd_release(in);
	return ret;
}

/* --- vmsplice(2) --- */

static ssize_t
user_to_pipe(struct pipe *p, struct iov_iter *it, bool nonblock)
{
	ssize_t done = 0;
	int err = 0;

	while (iter_count(it)) {
		size_t n = MIN(iter_count(it), PAGE_SIZE), got;
		struct page *page = page_alloc(0, GFP_USER);

		if (!page) {
			err = -ENOMEM;
			break;
		}
		got = iter_copy_from(it, page_to_virt(page), n);
		if (!got) {
			page_put(page);
			err = -EFAULT;
			break;
		}
		mutex_lock(&p->lock);
		err = wait_room(p, nonblock || done);
		if (!err)
			pipe_push(p, page, 0, (u32)got, 0);
		mutex_unlock(&p->lock);
		if (err) {
			page_put(page);
			break;
		}
		pipe_filled(p);
		done += (ssize_t)got;
	}
	return done ? done : err;
}

static ssize_t
pipe_to_user(struct file *f, struct iov_iter *it)
{
	u64 pos = 0;

	return vfs_read(f, it, &pos);
}

long
sys_vmsplice(int fd, user_ptr iov, unsigned long count, unsigned int flags)
{
	struct iov_seg fast[8], *heap = NULL;
	struct fd_ref r;
	struct iov_iter it;
	struct pipe *p;
	long ret;

	if (flags & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	r = fd_lookup(fd);
	if (!r.file)
		return -EBADF;
	p = pipe_of(r.file);
	ret = -EBADF;
	if (!p || !(r.file->mode & (FMODE_READ | FMODE_WRITE)))
		goto out;
	ret = iter_import(&it, !(r.file->mode & FMODE_WRITE), iov, count, fast, &heap);
	if (!ret && iter_count(&it))
		ret = r.file->mode & FMODE_WRITE
			      ? user_to_pipe(p, &it,
					     (flags & SPLICE_F_NONBLOCK) ||
						     (r.file->flags & O_NONBLOCK))
			      : pipe_to_user(r.file, &it);
	kfree(heap);
out:
	fd_release(r);
	return ret;
}

/* --- file to file --- */

static ssize_t
copy_cached(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, size_t count)
{
	ssize_t done = 0, n = 0;

	while (count) {
		struct page *page;
		struct iov_iter it;
		u32 offset;

		n = take_page(in, *in_pos, count, &page, &offset);
		if (n <= 0)
			break;
		iter_init_kernel(&it, false, (char *)page_to_virt(page) + offset, (size_t)n);
		n = vfs_write(out, &it, out_pos);
		page_put(page);
		if (n <= 0)
			break;
		*in_pos += (u64)n;
		done += n;
		count -= (size_t)n;
		if (thread_signal_pending(thread_current()) && count) {
			n = -ERESTARTSYS;
			break;
		}
	}
	return done ? done : n;
}

static ssize_t
copy_bounce(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, size_t count)
{
	void *buf = pages_alloc(BOUNCE_ORDER, GFP_KERNEL);
	ssize_t done = 0, n = 0;

	if (!buf)
		return -ENOMEM;
	while (count) {
		u64 pos = *in_pos;
		struct iov_iter it;
		ssize_t got;

		iter_init_kernel(&it, true, buf, MIN(count, PAGE_SIZE << BOUNCE_ORDER));
		got = n = vfs_read(in, &it, &pos);
		if (n <= 0)
			break;
		iter_init_kernel(&it, false, buf, (size_t)got);
		n = vfs_write(out, &it, out_pos);
		if (n <= 0)
			break;
		*in_pos += (u64)n;
		done += n;
		count -= (size_t)n;
		if (n < got)
			break;
		if (thread_signal_pending(thread_current()) && count) {
			n = -ERESTARTSYS;
			break;
		}
	}
	pages_free(buf, BOUNCE_ORDER);
	return done ? done : n;
}

static ssize_t
copy_file(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, size_t count)
{
	struct pipe *to = pipe_of(out);

	if (to) {
		ssize_t done = 0, n = 0;

		/* All of it, waiting for the reader; unlike splice. */
		while (count) {
			n = file_to_pipe(in, in_pos, to, count, out->flags & O_NONBLOCK);
			if (n <= 0)
				break;
			done += n;
			count -= (size_t)n;
		}
		return done ? done : n;
	}
	return is_cached(in) ? copy_cached(in, in_pos, out, out_pos, count)
			     : copy_bounce(in, in_pos, out, out_pos, count);
}

long
sys_sendfile(int out_fd, int in_fd, user_ptr offset, size_t count)
{
	struct fd_ref in, out;
	struct side from, to;
	long ret = -EBADF, n;

	in = fd_lookup(in_fd);
	if (!in.file)
		return -EBADF;
	out = fd_lookup(out_fd);
	if (!out.file)
		goto out_in;
	if (!(in.file->mode & FMODE_READ) || !(out.file->mode & FMODE_WRITE))
		goto out_out;
	ret = -ESPIPE;
	if (!user_ptr_null(offset) && (in.file->mode & FMODE_STREAM))
		goto out_out;
	ret = -EINVAL;
	if ((in.file->mode & FMODE_STREAM) || !in.file->ops->read || !out.file->ops->write ||
	    (out.file->flags & O_APPEND))
		goto out_out;
	ret = side_begin(&from, in.file, offset);
	if (ret) {
		side_end(&from, ret);
		goto out_out;
	}
	ret = side_begin(&to, out.file, user_ptr_of(0));
	n = copy_file(in.file, &from.pos, out.file, &to.pos, MIN(count, MAX_RW_COUNT));
	side_end(&to, n);
	ret = side_end(&from, n);
out_out:
	fd_release(out);
out_in:
	fd_release(in);
	return ret;
}

static int
check_copy(const struct file *in, const struct file *out)
{
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE) || (out->flags & O_APPEND))
		return -EBADF;
	if (out->inode->flags & INODE_IMMUTABLE)
		return -EPERM;
	return in->ops->read && out->ops->write ? 0 : -EINVAL;
}

long
sys_copy_file_range(int in_fd, user_ptr off_in, int out_fd, user_ptr off_out, size_t count,
		    unsigned int flags)
{
	struct fd_ref in, out;
	struct side from, to;
	long ret = -EBADF;
	u64 end;

	if (flags)
		return -EINVAL;
	in = fd_lookup(in_fd);
	if (!in.file)
		return -EBADF;
	out = fd_lookup(out_fd);
	if (!out.file)
		goto out_in;
	ret = check_copy(in.file, out.file);
	if (ret)
		goto out_out;
	ret = side_begin(&from, in.file, off_in);
	if (ret) {
		side_end(&from, ret);
		goto out_out;
	}
	if (in.file == out.file && user_ptr_null(off_in) && user_ptr_null(off_out)) {
		/* One position for both: they overlap by definition, unless there is nothing. */
		ret = count ? -EINVAL : 0;
		side_end(&from, ret);
		goto out_out;
	}
	ret = side_begin(&to, out.file, off_out);
	if (!ret && (__builtin_add_overflow(from.pos, count, &end) ||
		     __builtin_add_overflow(to.pos, count, &end)))
		ret = -EOVERFLOW;
	count = MIN(count, MAX_RW_COUNT);
	if (!ret && in.file->inode == out.file->inode && from.pos < to.pos + count &&
	    to.pos < from.pos + count)
		ret = -EINVAL;
	if (!ret && count)
		ret = copy_file(in.file, &from.pos, out.file, &to.pos, count);
	ret = side_end(&to, ret);
	ret = side_end(&from, ret);
out_out:
	fd_release(out);
out_in:
	fd_release(in);
	return ret;
}
