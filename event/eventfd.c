/* SPDX-License-Identifier: MIT */
/*
 * eventfd(2): a 64-bit counter as a file.
 *
 * Locking: the queue's spinlock guards the count, so that changing it and waking are one step.
 */
#include "uapi/eventfd.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct wait_queue wait;
	u64 count;
	bool semaphore;
};

static const struct file_ops eventfd_file_ops;

/* Take what a read takes, if there is anything. */
static bool
eventfd_take(struct eventfd *e, u64 *value)
{
	unsigned long flags = spin_lock_irqsave(&e->wait.lock);
	bool some = e->count != 0;

	if (some) {
		*value = e->semaphore ? 1 : e->count;
		e->count -= *value;
		if (!list_empty(&e->wait.waiters))
			wake_up_locked_key(&e->wait, THREAD_NORMAL, 1, EPOLLOUT);
	}
	spin_unlock_irqrestore(&e->wait.lock, flags);
	return some;
}

static bool
eventfd_add(struct eventfd *e, u64 value)
{
	unsigned long flags = spin_lock_irqsave(&e->wait.lock);
	bool fits = value <= COUNT_MAX - e->count;

	if (fits) {
		e->count += value;
		if (!list_empty(&e->wait.waiters))
			wake_up_locked_key(&e->wait, THREAD_NORMAL, 1, EPOLLIN);
	}
	spin_unlock_irqrestore(&e->wait.lock, flags);
	return fits;
}

static ssize_t
eventfd_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 value;

	if (iter_count(it) < sizeof(value))
		return -EINVAL;
	if (!eventfd_take(e, &value)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		int r = wait_event_interruptible_exclusive(&e->wait, eventfd_take(e, &value));
		if (r)
			return r;
	}
	return iter_copy_to(it, &value, sizeof(value)) == sizeof(value) ? (ssize_t)sizeof(value)
									: -EFAULT;
}

static ssize_t
eventfd_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 value;

	if (iter_count(it) < sizeof(value))
		return -EINVAL;
	if (iter_copy_from(it, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	if (!eventfd_add(e, value)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		int r = wait_event_interruptible_exclusive(&e->wait, eventfd_add(e, value));
		if (r)
			return r;
	}
	return sizeof(value);
}

static u32
eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->private;
	u32 mask = 0;

	poll_wait(f, &e->wait, pt);
	u64 count = READ_ONCE(e->count);
	if (count > 0)
		mask |= EPOLLIN;
	if (count == UINT64_MAX)
		mask |= EPOLLERR;
	if (count < COUNT_MAX)
		mask |= EPOLLOUT;
	return mask;
}

static void
eventfd_release(struct file *f)
{
	struct eventfd *e = f->private;

	wake_up_key(&e->wait, THREAD_NORMAL, INT32_MAX, EPOLLHUP);
	kfree(e);
}

static void
eventfd_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct eventfd *e = f->private;

	strbuf_printf(sb, "eventfd-count: %16lx\n", READ_ONCE(e->count));
}

long
sys_eventfd2(u32 count, int flags)
{
	struct eventfd *e;
	struct file *f;

	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	wait_queue_init(&e->wait);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	int r = file_create_anon("[eventfd]", &eventfd_file_ops, e,
				 O_RDWR | ((u32)flags & EFD_NONBLOCK), FMODE_READ | FMODE_WRITE,
				 &f);
	if (r) {
		kfree(e);
		return r;
	}
	return fd_add(f, flags & EFD_CLOEXEC);
}

long
sys_eventfd(u32 count)
{
	return sys_eventfd2(count, 0);
}

static const struct file_ops eventfd_file_ops = {
	.release = eventfd_release,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.show_fdinfo = eventfd_show_fdinfo,
};
