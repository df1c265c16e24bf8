/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs: pipe(7), fifo(7).
 *
 * A pipe is a ring of page-sized buffers. A writer appends to the newest buffer while it has room
 * and then adds buffers; a reader consumes the oldest. A write of at most PIPE_BUF (one page) bytes
 * goes into one buffer in one piece under the lock, which is what makes it atomic. In packet mode
 * (O_DIRECT) each write makes buffers of its own and a read takes one.
 *
 * Lifetime: the inode's pipe lives as long as files are open on it (pipe->files, under
 * inode->spin); an anonymous pipe's inode lives on pipefs and has no name.
 *
 * Locking: pipe->lock (sleeping, RANK_PIPE) guards the ring and the counts of ends; user memory is
 * copied under it. Waiters look at the ring without the lock: each changes the ring before it looks
 * for waiters, waiters queue before they look at the ring, and the mutex's unlock and the queue's
 * lock are full barriers, so one of the two sees the other.
 *
 * Wake-ups: readers when the ring stops being empty, writers when it stops being full; one
 * exclusive waiter at a time, who passes the turn on if something is left. Once somebody has
 * polled, every write wakes (edge-triggered epoll).
 */
#include "ipc/pipe.h"

#include "core/panic.h"
#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/math.h"
#include "lib/string.h"
#include "mm/iter.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "task/task.h"
#include "uapi/epoll.h"
#include "uapi/errno.h"
#include "uapi/ioctl.h"
#include "uapi/magic.h"
#include "uapi/uio.h"

#define PIPE_MIN_PAGES 2 /* what a new pipe gets whose owner is over the soft limit */

u32 pipe_max_size = 1u << 20, pipe_user_pages_soft = 16384, pipe_user_pages_hard;

static const struct file_ops pipe_file_ops, fifo_ops;
static struct mount *pipe_mount;

/* ---- who pays: pipe(7), "/proc/sys/fs/pipe-user-pages-soft" ---- */

/* Charge `pages` more, or do not: false. Limits are for those without privileges. */
static bool
pipe_charge(struct user_account *user, u32 pages, u32 soft)
{
	u32 hard = READ_ONCE(pipe_user_pages_hard);
	u64 limit = MIN(soft ? soft : UINT64_MAX, hard ? hard : UINT64_MAX);

	if (limit != UINT64_MAX && (capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN)))
		limit = UINT64_MAX;
	return user_count_pipe_pages(user, (int)pages, limit);
}

static void
pipe_uncharge(struct user_account *user, u32 pages)
{
	(void)user_count_pipe_pages(user, -(int)pages, 0);
}

/* ---- the ring ---- */

struct pipe *
pipe_create(void)
{
	struct pipe *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	p->user = user_account_get(current_cred()->user);
	p->slots = PIPE_DEF_PAGES;
	if (!pipe_charge(p->user, p->slots, READ_ONCE(pipe_user_pages_soft))) {
		p->slots = PIPE_MIN_PAGES;
		if (!pipe_charge(p->user, p->slots, 0))
			goto out_free;
	}
	p->bufs = kmalloc_array(p->slots, sizeof(*p->bufs), GFP_KERNEL);
	if (!p->bufs)
		goto out_uncharge;
	mutex_init(&p->lock, RANK_PIPE);
	wait_queue_init(&p->rd_wait);
	wait_queue_init(&p->wr_wait);
	return p;

out_uncharge:
	pipe_uncharge(p->user, p->slots);
out_free:
	user_account_put(p->user);
	kfree(p);
	return NULL;
}

void
pipe_destroy(struct pipe *p)
{
	for (; p->tail != p->head; p->tail++)
		page_put(p->bufs[p->tail & (p->slots - 1)].page);
	if (p->spare)
		page_put(p->spare);
	pipe_uncharge(p->user, p->slots);
	user_account_put(p->user);
	kvfree(p->bufs);
	kfree(p);
}

bool
pipe_full(const struct pipe *p)
{
	return READ_ONCE(p->head) - READ_ONCE(p->tail) >= p->slots;
}

bool
pipe_empty(const struct pipe *p)
{
	return READ_ONCE(p->head) == READ_ONCE(p->tail);
}

void
pipe_push(struct pipe *p, struct page *page, u32 offset, u32 len, u32 flags)
{
	p->bufs[p->head & (p->slots - 1)] = (struct pipe_buffer){ page, offset, len, flags };
	WRITE_ONCE(p->head, p->head + 1);
}

/* The oldest buffer is used up. A page that was ours alone serves the next write. */
void
pipe_pop(struct pipe *p)
{
	struct pipe_buffer *b = &p->bufs[p->tail & (p->slots - 1)];

	if ((b->flags & PIPE_BUF_OWN) && !p->spare && ref_read(&b->page->ref) == 1)
		p->spare = b->page;
	else
		page_put(b->page);
	WRITE_ONCE(p->tail, p->tail + 1);
}

static void
wake_readers(struct pipe *p)
{
	if (wait_queue_active(&p->rd_wait))
		wake_up_sync_poll(&p->rd_wait, EPOLLIN | EPOLLRDNORM);
}

static void
wake_writers(struct pipe *p)
{
	if (wait_queue_active(&p->wr_wait))
		wake_up_sync_poll(&p->wr_wait, EPOLLOUT | EPOLLWRNORM);
}

void
pipe_wake_readers(struct pipe *p)
{
	wake_readers(p);
}

void
pipe_wake_writers(struct pipe *p)
{
	wake_writers(p);
}

/* ---- read ---- */

/* Move what there is into the iterator: bytes, or -EFAULT. */
static ssize_t
pipe_take(struct pipe *p, struct iov_iter *it)
{
	size_t done = 0;

	while (!pipe_empty(p) && !p->tail_busy && iter_count(it)) {
		struct pipe_buffer *b = &p->bufs[p->tail & (p->slots - 1)];
		bool packet = b->flags & PIPE_BUF_PACKET;
		size_t want = MIN((size_t)b->len, iter_count(it));
		size_t n = iter_copy_to(it, (u8 *)page_to_virt(b->page) + b->offset, want);

		done += n;
		if (n < want && !n)
			return done ? (ssize_t)done : -EFAULT;
		b->offset += (u32)n;
		b->len -= (u32)n;
		if (!b->len || packet) /* what a short read leaves of a packet is lost */
			pipe_pop(p);
		if (packet || n < want)
			break;
	}
	return (ssize_t)done;
}

static ssize_t
pipe_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct pipe *p = f->private;
	bool slept = false; /* we took a wake-up that another reader may need as well */
	ssize_t done = 0;

	if (!iter_count(it))
		return 0;
	mutex_lock(&p->lock);
	for (;;) {
		bool was_full = pipe_full(p);

		done = pipe_take(p, it);
		if (done || (!p->writers && !p->tail_busy)) {
			bool more = slept && !pipe_empty(p), room = was_full && !pipe_full(p);

			mutex_unlock(&p->lock);
			if (room)
				wake_writers(p);
			if (more)
				wake_readers(p);
			break;
		}
		mutex_unlock(&p->lock);
		if ((f->flags & O_NONBLOCK) || (it->rw_flags & RWF_NOWAIT))
			return -EAGAIN;
		int r = wait_event_interruptible_exclusive(
			&p->rd_wait,
			!READ_ONCE(p->tail_busy) && (!pipe_empty(p) || !READ_ONCE(p->writers)));
		if (r) {
			/* A wake-up meant for one reader may have been ours: it must not end here.
			 */
			if (!pipe_empty(p))
				wake_readers(p);
			return r;
		}
		slept = true;
		mutex_lock(&p->lock);
	}
	if (done > 0)
		inode_touch(f->inode, ATTR_ATIME);
	return done;
}

/* ---- write ---- */

static ssize_t
pipe_broken(void)
{
	struct linux_siginfo info;

	siginfo_from_current(&info, SIGPIPE, SI_USER);
	signal_send_task(current, SIGPIPE, &info);
	return -EPIPE;
}

/* Append to the newest buffer what makes the rest whole pages, if it fits there: bytes or -EFAULT.
 */
static ssize_t
pipe_merge(struct pipe *p, struct iov_iter *it)
{
	size_t part = iter_count(it) & (PAGE_SIZE - 1);

	if (pipe_empty(p) || !part)
		return 0;
	struct pipe_buffer *b = &p->bufs[(p->head - 1) & (p->slots - 1)];
	u32 end = b->offset + b->len;

	if (!(b->flags & PIPE_BUF_MERGEABLE) || end + part > PAGE_SIZE)
		return 0;
	size_t n = iter_copy_from(it, (u8 *)page_to_virt(b->page) + end, part);
	if (n < part)
		return -EFAULT;
	b->len += (u32)n;
	return (ssize_t)n;
}

/* One new buffer: bytes, -EFAULT or -ENOMEM. */
static ssize_t
pipe_add(struct pipe *p, struct iov_iter *it, bool packet)
{
	struct page *page = p->spare;
	size_t want = MIN(iter_count(it), PAGE_SIZE);

	if (page)
		p->spare = NULL;
	else
		page = page_alloc(0, GFP_USER);
	if (!page)
		return -ENOMEM;
	size_t n = iter_copy_from(it, page_to_virt(page), want);
	if (n < want) {
		p->spare = page;
		return -EFAULT;
	}
	pipe_push(p, page, 0, (u32)n,
		  PIPE_BUF_OWN | (packet ? PIPE_BUF_PACKET : PIPE_BUF_MERGEABLE));
	return (ssize_t)n;
}

static ssize_t
pipe_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct pipe *p = f->private;
	bool packet = f->flags & O_DIRECT, slept = false;
	ssize_t done = 0, n;

	if (!iter_count(it))
		return 0;
	mutex_lock(&p->lock);
	bool was_empty = pipe_empty(p);

	if (p->readers && !packet) {
		n = pipe_merge(p, it);
		if (n < 0) {
			mutex_unlock(&p->lock);
			return n;
		}
		done = n;
	}
	for (;;) {
		if (!p->readers) {
			n = done ? 0 : pipe_broken();
			break;
		}
		if (!iter_count(it)) {
			n = 0;
			break;
		}
		if (!pipe_full(p)) {
			n = pipe_add(p, it, packet);
			if (n < 0)
				break;
			done += n;
			continue;
		}
		if ((f->flags & O_NONBLOCK) || (it->rw_flags & RWF_NOWAIT)) {
			n = -EAGAIN;
			break;
		}
		mutex_unlock(&p->lock);
		if (was_empty || p->poll_usage)
			wake_readers(p);
		n = wait_event_interruptible_exclusive(&p->wr_wait,
						       !pipe_full(p) || !READ_ONCE(p->readers));
		slept = true;
		mutex_lock(&p->lock);
		was_empty = pipe_empty(p);
		if (n)
			break;
	}
	bool room = slept && !pipe_full(p);
	mutex_unlock(&p->lock);
	if ((was_empty && done) || (done && p->poll_usage))
		wake_readers(p);
	if (room)
		wake_writers(p);
	if (done > 0)
		inode_touch(f->inode, ATTR_MTIME | ATTR_MODE);
	return done ? done : n;
}

/* ---- the rest of the file ---- */

static u32
pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	u32 mask = 0;

	if (pt && !READ_ONCE(p->poll_usage))
		WRITE_ONCE(p->poll_usage, true);
	if (f->mode & FMODE_READ) {
		poll_wait(f, &p->rd_wait, pt);
		if (!pipe_empty(p))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (!READ_ONCE(p->writers) && f->version != p->w_opens)
			mask |= EPOLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		poll_wait(f, &p->wr_wait, pt);
		if (!pipe_full(p))
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (!READ_ONCE(p->readers))
			mask |= EPOLLERR;
	}
	return mask;
}

static long
pipe_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct pipe *p = f->private;
	s32 bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (u32 i = p->tail; i != p->head; i++)
		bytes += (s32)p->bufs[i & (p->slots - 1)].len;
	mutex_unlock(&p->lock);
	return put_user(user_ptr_of(arg), bytes);
}

/* A file on inode's pipe is gone; the last one takes the pipe with it. */
static void
pipe_leave(struct inode *i, struct pipe *p)
{
	spin_lock(&i->spin);
	bool last = --p->files == 0;
	if (last)
		i->pipe = NULL;
	spin_unlock(&i->spin);
	if (last)
		pipe_destroy(p);
}

static void
pipe_close_end(struct pipe *p, u32 mode)
{
	mutex_lock(&p->lock);
	if (mode & FMODE_READ)
		p->readers--;
	if (mode & FMODE_WRITE)
		p->writers--;
	bool alone = !p->readers != !p->writers;
	mutex_unlock(&p->lock);
	if (alone) {
		wake_up_key(&p->rd_wait, THREAD_NORMAL, INT32_MAX,
			    EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR);
		wake_up_key(&p->wr_wait, THREAD_NORMAL, INT32_MAX,
			    EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR);
	}
}

static void
pipe_release(struct file *f)
{
	struct pipe *p = f->private;

	pipe_close_end(p, f->mode);
	pipe_leave(f->inode, p);
}

struct pipe *
pipe_of(struct file *f)
{
	return f->ops == &pipe_file_ops ? f->private : NULL;
}

long
pipe_set_size(struct pipe *p, u64 bytes)
{
	if (bytes > (1ull << 31))
		return -EINVAL;
	u32 slots = bytes <= PAGE_SIZE ? 1 : (u32)(roundup_pow2(bytes) / PAGE_SIZE);

	if (slots > p->slots && (u64)slots * PAGE_SIZE > pipe_max_size &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	struct pipe_buffer *bufs = kvmalloc(slots * sizeof(*bufs), GFP_KERNEL);
	if (!bufs)
		return -ENOMEM;

	mutex_lock(&p->lock);
	u32 used = p->head - p->tail;
	long r = used > slots ? -EBUSY : 0;
	if (!r && slots > p->slots &&
	    !pipe_charge(p->user, slots - p->slots, READ_ONCE(pipe_user_pages_soft)))
		r = -EPERM;
	if (r) {
		mutex_unlock(&p->lock);
		kvfree(bufs);
		return r;
	}
	if (slots < p->slots)
		pipe_uncharge(p->user, p->slots - slots);
	for (u32 i = 0; i < used; i++)
		bufs[i] = p->bufs[(p->tail + i) & (p->slots - 1)];
	bool was_full = used == p->slots;
	struct pipe_buffer *old = p->bufs;
	p->bufs = bufs;
	p->slots = slots;
	p->tail = 0;
	p->head = used;
	mutex_unlock(&p->lock);
	kvfree(old);
	if (was_full && used < slots)
		wake_writers(p);
	return (long)slots * (long)PAGE_SIZE;
}

/* ---- FIFOs ---- */

static struct pipe *
pipe_join(struct inode *i)
{
	struct pipe *fresh = NULL, *p;

	if (!READ_ONCE(i->pipe)) {
		fresh = pipe_create();
		if (!fresh)
			return NULL;
	}
	for (;;) {
		spin_lock(&i->spin);
		p = i->pipe;
		if (!p && fresh) {
			p = i->pipe = fresh;
			fresh = NULL;
		}
		if (p)
			p->files++;
		spin_unlock(&i->spin);
		if (p)
			break;
		/* Its last file closed between our two looks. */
		fresh = pipe_create();
		if (!fresh)
			return NULL;
	}
	if (fresh)
		pipe_destroy(fresh);
	return p;
}

int
fifo_open(struct file *f)
{
	struct pipe *p = pipe_join(f->inode);
	u32 mode = f->mode & (FMODE_READ | FMODE_WRITE), seen;
	int r = 0;
	/* A pipe(2) reopened through /proc/PID/fd never waits for its other end. */
	bool unnamed = f->inode->super == pipe_mount->super;

	if (!p)
		return -ENOMEM;
	mutex_lock(&p->lock);
	if (mode == FMODE_WRITE && (f->flags & O_NONBLOCK) && !p->readers && !unnamed) {
		mutex_unlock(&p->lock);
		pipe_leave(f->inode, p);
		return -ENXIO;
	}
	if (mode & FMODE_READ) {
		p->r_opens++;
		p->readers++;
	}
	if (mode & FMODE_WRITE) {
		p->w_opens++;
		p->writers++;
	}
	bool alone = mode == FMODE_READ ? !p->writers : mode == FMODE_WRITE ? !p->readers : false;
	seen = mode == FMODE_READ ? p->w_opens : p->r_opens;
	if (mode == FMODE_READ && !p->writers && !unnamed)
		f->version = p->w_opens; /* no hang-up is told before a writer has come and gone */
	mutex_unlock(&p->lock);
	wake_up_all(&p->rd_wait);
	wake_up_all(&p->wr_wait);

	if (alone && !unnamed && !(f->flags & O_NONBLOCK)) {
		if (mode == FMODE_READ)
			r = wait_event_interruptible(&p->rd_wait, READ_ONCE(p->w_opens) != seen);
		else
			r = wait_event_interruptible(&p->wr_wait, READ_ONCE(p->r_opens) != seen);
	}
	if (r) {
		pipe_close_end(p, mode);
		pipe_leave(f->inode, p);
		return r;
	}
	f->private = p;
	f->ops = &pipe_file_ops;
	f->mode |= FMODE_STREAM | FMODE_NO_SYNC | FMODE_NOWAIT_OK;
	return 0;
}

/* ---- pipe(2) ---- */

static const struct fs_type pipe_fs_type = {
	.name = "pipefs",
	.magic = PIPEFS_MAGIC,
	.mount = anon_fs_mount,
};

void
pipe_init(void)
{
	pipe_mount = mount_internal(&pipe_fs_type);
	fifo_file_ops = &fifo_ops;
	if (!pipe_mount)
		panic("ipc: no memory for pipefs");
}

/* Both ends, as files. */
static int
pipe_files(u32 flags, struct file **rd, struct file **wr)
{
	struct super *s = pipe_mount->super;
	struct inode *i = inode_create(s, &anon_inode_ops, &pipe_file_ops, S_IFIFO | 0600,
				       inode_next_number(s));
	struct dentry *d;
	char name[32];
	int r = -ENFILE;

	if (!i)
		return r;
	inode_init_owner(i, NULL, i->mode);
	struct pipe *p = pipe_create();
	if (!p)
		goto out_put_inode;
	scnprintf(name, sizeof(name), "pipe:[%lu]", i->ino);
	d = dentry_create_anon(s, name, i);
	if (!d)
		goto out_destroy;
	p->files = 2;
	p->readers = p->writers = p->r_opens = p->w_opens = 1;
	i->pipe = p;

	u32 stream = FMODE_STREAM | FMODE_NO_SYNC | FMODE_NOWAIT_OK;
	r = file_create_on(d, &pipe_file_ops, p, O_RDONLY | (flags & O_NONBLOCK),
			   FMODE_READ | stream, rd);
	if (r == 0) {
		r = file_create_on(d, &pipe_file_ops, p,
				   O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)),
				   FMODE_WRITE | stream, wr);
		if (r) {
			p->files = p->readers = 1;
			p->writers = 0;
			file_put(*rd); /* takes the pipe with it */
			dentry_put(d);
			return r;
		}
	} else {
		i->pipe = NULL;
		pipe_destroy(p);
	}
	dentry_put(d);
	return r;

out_destroy:
	pipe_destroy(p);
out_put_inode:
	inode_put(i);
	return r;
}

long
sys_pipe2(user_ptr ufds, int flags)
{
	struct file *rd, *wr;
	bool cloexec = flags & O_CLOEXEC;
	int fds[2], r;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	r = pipe_files((u32)flags, &rd, &wr);
	if (r)
		return r;
	fds[0] = r = fd_reserve(0, cloexec);
	if (r < 0)
		goto out_put_files;
	fds[1] = r = fd_reserve(0, cloexec);
	if (r < 0)
		goto out_cancel_first;
	r = copy_to_user(ufds, fds, sizeof(fds));
	if (r)
		goto out_cancel_both;
	fd_install(fds[0], rd);
	fd_install(fds[1], wr);
	return 0;

out_cancel_both:
	fd_cancel(fds[1]);
out_cancel_first:
	fd_cancel(fds[0]);
out_put_files:
	file_put(rd);
	file_put(wr);
	return r;
}

long
sys_pipe(user_ptr ufds)
{
	return sys_pipe2(ufds, 0);
}

/* fcntl(2): F_GETPIPE_SZ, F_SETPIPE_SZ. */
static long
pipe_size(struct file *f, const unsigned long *bytes)
{
	struct pipe *p = f->private;

	return bytes ? pipe_set_size(p, *bytes) : (long)(p->slots * PAGE_SIZE);
}

/* Until fifo_open has put the others in their place. */
static const struct file_ops fifo_ops = {
	.open = fifo_open,
};

static const struct file_ops pipe_file_ops = {
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.pipe_size = pipe_size,
};
