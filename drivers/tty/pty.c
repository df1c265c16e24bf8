/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals: pty(7), pts(4). The slave is a terminal like any other, whose driver is the
 * master's file.
 *
 * Slave to master: a ring, filled by the slave's output and emptied by reads of the master, both
 * under the terminal's lock. Master to slave: the terminal's raw input ring; a master that finds it
 * full waits until the line discipline has taken something. Nothing is ever dropped on the way.
 *
 * Lifetime: the master's file holds one reference on the terminal, each slave file one. The node in
 * devpts goes with the master; the slave is hung up then. Once every slave file is closed the
 * master reads EIO, until a slave is opened again.
 *
 * Packet mode: each read of the master is a status byte, or a zero and data.
 */
#include "core/panic.h"
#include "fs/devpts/devpts.h"
#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "fs/vfs/poll.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/task.h"
#include "tty_internal.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"
#include "uapi/major.h"
#include "uapi/stat.h"

#define CHUNK 256

struct pty {
	struct tty slave;	/* first: a file of the master has the slave as its private, too */
	struct super *instance; /* [I] referenced */
	struct dentry *node;	/* [I] while the master is open */
	u32 index;		/* [I] */
	bool locked;		/* TIOCSPTLCK: the slave cannot be opened yet */
	bool slave_gone;	/* every slave file was closed */
	bool packet;		/* L: slave.lock */
	u8 status;		/* [L] TIOCPKT_* not yet told */
	struct ringbuf out;	/* [L] */
	u8 out_bytes[TTY_BUF];
	struct mutex read_lock, write_lock; /* of the master */
	struct wait_queue master_wait;
};

static const struct file_ops master_file_ops;

static struct pty *
pty_of(struct tty *t)
{
	return container_of(t, struct pty, slave);
}

static void
wake_master(struct pty *p, u32 key)
{
	smp_mb(); /* what it waits for was done before; it queues itself, then looks */
	if (wait_queue_active(&p->master_wait))
		wake_up_key(&p->master_wait, THREAD_NORMAL, INT32_MAX, key);
}

/* ---- the slave's driver ---- */

static u32
slave_write(struct tty *t, const u8 *data, u32 len)
{
	struct pty *p = pty_of(t);
	u32 n = ringbuf_write(&p->out, data, len);

	wake_master(p, EPOLLIN | EPOLLRDNORM);
	return n;
}

static u32
slave_write_room(struct tty *t)
{
	return ringbuf_space(&pty_of(t)->out);
}

static void
slave_discard_output(struct tty *t)
{
	struct pty *p = pty_of(t);

	ringbuf_skip(&p->out, ringbuf_used(&p->out));
}

static void
slave_status(struct tty *t, u8 bits)
{
	struct pty *p = pty_of(t);

	if (!p->packet)
		return;
	if (bits & TIOCPKT_STOP)
		p->status &= (u8)~TIOCPKT_START;
	if (bits & TIOCPKT_START)
		p->status &= (u8)~TIOCPKT_STOP;
	if (bits & TIOCPKT_DOSTOP)
		p->status &= (u8)~TIOCPKT_NOSTOP;
	if (bits & TIOCPKT_NOSTOP)
		p->status &= (u8)~TIOCPKT_DOSTOP;
	p->status |= bits;
	wake_master(p, EPOLLIN | EPOLLPRI | EPOLLRDNORM);
}

static void
slave_input_drained(struct tty *t)
{
	wake_master(pty_of(t), EPOLLOUT | EPOLLWRNORM);
}

static int
slave_open(struct tty *t)
{
	WRITE_ONCE(pty_of(t)->slave_gone, false);
	return 0;
}

static void
slave_close(struct tty *t)
{
	struct pty *p = pty_of(t);

	/* What it wrote is in the ring before the master sees that it is gone. */
	smp_store_release(&p->slave_gone, true);
	wake_master(p, EPOLLIN | EPOLLHUP | EPOLLRDNORM);
}

static void
pty_free(struct tty *t)
{
	struct pty *p = pty_of(t);

	super_put(p->instance);
	kvfree(p);
}

static const struct tty_driver pty_slave_driver = {
	.name = "pty_slave",
	.pseudo = true,
	.open = slave_open,
	.close = slave_close,
	.write = slave_write,
	.write_room = slave_write_room,
	.discard_output = slave_discard_output,
	.status = slave_status,
	.input_drained = slave_input_drained,
	.release = pty_free,
};

/* Open of /dev/pts/N. */
static int
slave_file_open(struct file *f)
{
	rcu_read_lock();
	struct pty *p = devpts_private(f->inode);
	if (p && !ref_try_get(&p->slave.ref))
		p = NULL;
	rcu_read_unlock();
	if (!p)
		return -EIO;
	if (READ_ONCE(p->locked) || READ_ONCE(p->slave.closed_other)) {
		tty_put(&p->slave);
		return -EIO;
	}
	return tty_open_file(f, &p->slave);
}

static const struct file_ops slave_node_ops = {
	.open = slave_file_open,
};

/* ---- the master's file ---- */

static int
master_open(struct file *f)
{
	struct pty *p = kvmalloc(sizeof(*p), GFP_KERNEL | GFP_ZERO);
	int r;

	if (!p)
		return -ENOMEM;
	r = devpts_instance(f, &p->instance);
	if (r)
		goto out_free;
	tty_init_common(&p->slave, &pty_slave_driver, NULL, "", 0);
	ringbuf_init(&p->out, p->out_bytes, sizeof(p->out_bytes));
	mutex_init(&p->read_lock, RANK_TTY);
	mutex_init(&p->write_lock, RANK_TTY);
	wait_queue_init(&p->master_wait);
	p->locked = true;
	/* From here on it can be found, but not opened: it is locked, and only we could unlock it.
	 */
	r = devpts_add(p->instance, p, &p->index, &p->node);
	if (r)
		goto out_put_instance;
	snprintf(p->slave.name, sizeof(p->slave.name), "pts/%u", p->index);
	p->slave.dev = DEV_MAKE(UNIX98_PTY_SLAVE_MAJOR, p->index);
	f->private = &p->slave;
	f->ops = &master_file_ops;
	f->mode |= FMODE_STREAM | FMODE_NO_SYNC;
	return 0;

out_put_instance:
	super_put(p->instance);
out_free:
	kvfree(p);
	return r;
}

static void
master_release(struct file *f)
{
	struct pty *p = pty_of(f->private);

	WRITE_ONCE(p->slave.closed_other, true);
	devpts_remove(p->instance, p->index, p->node);
	rcu_synchronize(); /* an open that found p in the inode has its reference, or none, by now
			    */
	tty_hangup(&p->slave, false);
	tty_put(&p->slave);
}

/* Something to tell: data or, in packet mode, a status. */
static bool
master_readable(struct pty *p)
{
	return !ringbuf_empty(&p->out) || (READ_ONCE(p->packet) && READ_ONCE(p->status));
}

/* Every slave file was closed: what is not readable after this was true will never be. */
static bool
master_at_end(struct pty *p)
{
	return smp_load_acquire(&p->slave_gone);
}

static ssize_t
master_read_some(struct pty *p, struct iov_iter *it)
{
	u8 chunk[CHUNK + 1];
	size_t done = 0;
	u32 head = 0;

	if (READ_ONCE(p->packet)) {
		spin_lock(&p->slave.lock);
		u8 status = p->status;
		p->status = 0;
		spin_unlock(&p->slave.lock);
		if (status)
			return iter_copy_to(it, &status, 1) == 1 ? 1 : -EFAULT;
		head = 1;
		chunk[0] = TIOCPKT_DATA;
	}
	while (iter_count(it) > head) {
		u32 want = (u32)MIN(iter_count(it) - head, (size_t)CHUNK);

		spin_lock(&p->slave.lock);
		u32 n = ringbuf_read(&p->out, chunk + head, want);
		spin_unlock(&p->slave.lock);
		if (!n)
			break;
		size_t copied = iter_copy_to(it, chunk, n + head);
		done += copied;
		if (copied < n + head)
			return done ? (ssize_t)done : -EFAULT;
		head = 0;
	}
	return (ssize_t)done;
}

static ssize_t
master_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct pty *p = pty_of(f->private);
	ssize_t done;

	if (!iter_count(it))
		return 0;
	if (mutex_lock_interruptible(&p->read_lock))
		return -ERESTARTSYS;
	for (;;) {
		bool at_end = master_at_end(p);

		done = master_readable(p) ? master_read_some(p, it) : 0;
		if (done)
			break;
		if (at_end) {
			done = -EIO;
			break;
		}
		if (f->flags & O_NONBLOCK) {
			done = -EAGAIN;
			break;
		}
		done = wait_event_interruptible(&p->master_wait,
						master_at_end(p) || master_readable(p));
		if (done)
			break;
	}
	mutex_unlock(&p->read_lock);
	if (done > 0)
		tty_write_wakeup(&p->slave);
	return done;
}

static ssize_t
master_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct pty *p = pty_of(f->private);
	u8 chunk[CHUNK];
	ssize_t done = 0, r = 0;

	if (mutex_lock_interruptible(&p->write_lock))
		return -ERESTARTSYS;
	while (iter_count(it) && !r) {
		u32 len = (u32)iter_copy_from(it, chunk, MIN(iter_count(it), sizeof(chunk))),
		    at = 0;

		if (!len) {
			r = -EFAULT;
			break;
		}
		while (at < len && !r) {
			u32 n = tty_receive(&p->slave, chunk + at, len - at);

			at += n;
			done += n;
			tty_receive_kick(&p->slave);
			if (at == len)
				break;
			if (f->flags & O_NONBLOCK)
				r = -EAGAIN;
			else
				r = wait_event_interruptible(&p->master_wait,
							     ringbuf_space(&p->slave.raw) > 0);
		}
		if (at < len)
			iter_revert(it, len - at);
	}
	mutex_unlock(&p->write_lock);
	return done ? done : r;
}

static u32
master_poll(struct file *f, struct poll_table *pt)
{
	struct pty *p = pty_of(f->private);
	u32 mask = 0;

	poll_wait(f, &p->master_wait, pt);
	if (master_at_end(p))
		mask |= EPOLLHUP;
	if (master_readable(p))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(p->packet) && READ_ONCE(p->status))
		mask |= EPOLLPRI;
	if (ringbuf_space(&p->slave.raw) > 0)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

/* TIOCGPTPEER: open the slave without a path, for a program whose /dev/pts is another one. */
static long
peer_open(struct pty *p, u64 flags)
{
	struct path place;
	struct file *f;
	int r;

	if (flags & ~(u64)(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	r = path_lookup(AT_FDCWD, "/dev/pts", WALK_FOLLOW | WALK_DIRECTORY, &place);
	if (r)
		return r;
	struct path at = { place.mnt, p->node };
	r = p->node->super == place.dentry->super
		    ? file_open_path(&at, (u32)flags & ~(u32)O_CLOEXEC, &f)
		    : -EIO;
	path_put(&place);
	return r ? r : fd_add(f, flags & O_CLOEXEC);
}

static long
master_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct pty *p = pty_of(f->private);
	user_ptr u = user_ptr_of(arg);
	s32 n;

	switch (cmd) {
	case TIOCGPTN: return put_user(u, p->index);
	case TIOCSPTLCK:
		if (get_user(&n, u))
			return -EFAULT;
		WRITE_ONCE(p->locked, n != 0);
		return 0;
	case TIOCGPTLCK: return put_user(u, (s32)READ_ONCE(p->locked));
	case TIOCPKT:
		if (get_user(&n, u))
			return -EFAULT;
		spin_lock(&p->slave.lock);
		WRITE_ONCE(p->packet, n != 0);
		p->status = 0;
		spin_unlock(&p->slave.lock);
		return 0;
	case TIOCGPKT: return put_user(u, (s32)p->packet);
	case TIOCSIG:
		if (arg < 1 || arg > 64)
			return -EINVAL;
		tty_signal_pgrp(&p->slave, (int)arg);
		return 0;
	case TIOCGPTPEER: return peer_open(p, arg);
	case FIONREAD: return put_user(u, (s32)ringbuf_used(&p->out));
	case TIOCOUTQ: return put_user(u, (s32)ringbuf_used(&p->slave.raw));
	case TIOCSCTTY:
	case TIOCNOTTY: return -ENOTTY;
	}
	return tty_ioctl_common(&p->slave, f, cmd, arg);
}

static const struct file_ops master_node_ops = {
	.open = master_open,
};

bool
pty_is_master(const struct file *f)
{
	return f->ops == &master_file_ops;
}

static struct device ptmx_device = {
	.name = "ptmx",
	.class_name = "tty",
	.dev = DEV_MAKE(TTYAUX_MAJOR, 2),
	.mode = S_IFCHR | 0666,
	.ops = &master_node_ops,
};

void
pty_init(void)
{
	(void)device_add(&ptmx_device);
	(void)chrdev_register(UNIX98_PTY_SLAVE_MAJOR, 0, 1u << 20, &slave_node_ops);
}

static const struct file_ops master_file_ops = {
	.release = master_release,
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
};
