/* SPDX-License-Identifier: MIT */
/*
 * Terminals as files: open and close, read and write, hang-up, /dev/tty and /dev/console.
 *
 * A file on a terminal remembers how many hang-ups the terminal had when it was opened
 * (f->version); once that number has grown the file is dead: reads give end of file, writes EIO,
 * ioctls EIO, poll says hang-up.
 *
 * Locks: open_lock (first open, last close) and read_lock, write_lock (one reader, one writer) are
 * sleeping; tty->lock guards the line discipline and is dropped around every copy to or from user
 * memory. A reader and the worker thus never wait for each other's page faults.
 */
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/string.h"
#include "task/task.h"
#include "tty_internal.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"
#include "uapi/major.h"
#include "uapi/stat.h"

#define CHUNK 256

/* Settings of a new terminal: cooked, echo, 38400 8N1. */
static void
tty_termios_default(struct tty *t)
{
	struct linux_termios2 *tio = &t->termios;
	static const u8 cc[NCCS] = {
		[VINTR] = 3,	 [VQUIT] = 28,	 [VERASE] = 127, [VKILL] = 21, [VEOF] = 4,
		[VMIN] = 1,	 [VSTART] = 17,	 [VSTOP] = 19,	 [VSUSP] = 26, [VREPRINT] = 18,
		[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,
	};

	memset(tio, 0, sizeof(*tio));
	tio->c_iflag = ICRNL | IXON;
	tio->c_oflag = OPOST | ONLCR;
	tio->c_cflag = B38400 | CS8 | CREAD | (t->driver->pseudo ? 0 : HUPCL);
	tio->c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	memcpy(tio->c_cc, cc, sizeof(cc));
	tio->c_ispeed = tio->c_ospeed = 38400;
}

static const struct file_ops tty_file_ops, console_file_ops;
static void tty_rx_work(struct work *w);
static void console_give_back(struct tty *t);

void
tty_init_common(struct tty *t, const struct tty_driver *driver, void *private, const char *name,
		u64 dev)
{
	memset(t, 0, sizeof(*t));
	ref_init(&t->ref);
	t->driver = driver;
	t->private = private;
	strscpy(t->name, name, sizeof(t->name));
	t->dev = dev;
	mutex_init(&t->open_lock, RANK_TTY);
	mutex_init(&t->rx_lock, RANK_SLEEP_LEAF);
	mutex_init(&t->read_lock, RANK_TTY);
	mutex_init(&t->write_lock, RANK_TTY);
	spin_init(&t->lock, RANK_TTY_LINE);
	tty_termios_default(t);
	ringbuf_init(&t->raw, t->raw_bytes, sizeof(t->raw_bytes));
	work_init(&t->rx_work, tty_rx_work);
	wait_queue_init(&t->read_wait);
	wait_queue_init(&t->write_wait);
}

void
tty_put(struct tty *t)
{
	if (!ref_put(&t->ref))
		return;
	work_cancel_sync(&t->rx_work);
	if (t->driver->release)
		t->driver->release(t);
}

/* ---- the driver's side ---- */

static bool
tty_readable(struct tty *t, u32 min)
{
	spin_lock(&t->lock);
	bool r = ldisc_readable(t, min);
	spin_unlock(&t->lock);
	return r;
}

void
tty_input_done(struct tty *t, const struct input_effect *effect)
{
	if (effect->writable)
		tty_write_wakeup(t);
	for (u32 left = effect->signals; left; left &= left - 1)
		tty_signal_pgrp(t, __builtin_ctz(left));
	if (tty_readable(t, 1))
		wake_up_key(&t->read_wait, THREAD_NORMAL, INT32_MAX, EPOLLIN | EPOLLRDNORM);
}

/* Move raw bytes through the line discipline. What does not fit stays in the ring until a reader
 * makes room. */
static void
tty_rx_work(struct work *w)
{
	struct tty *t = container_of(w, struct tty, rx_work);
	u8 chunk[CHUNK];
	u32 n;

	mutex_lock(&t->rx_lock);
	do {
		struct input_effect effect = { 0 };
		/* Looked at first: what the break came behind is in the ring then. */
		bool broken = smp_load_acquire(&t->broken);
		u32 len = ringbuf_peek(&t->raw, 0, chunk, sizeof(chunk));

		spin_lock(&t->lock);
		n = ldisc_input(t, chunk, len, &effect);
		if (broken && n == len && n < sizeof(chunk)) {
			WRITE_ONCE(t->broken, false);
			ldisc_break(t, &effect);
		}
		spin_unlock(&t->lock);

		ringbuf_skip(&t->raw, n);
		tty_input_done(t, &effect);
		if (n && t->driver->input_drained)
			t->driver->input_drained(t);
	} while (n == sizeof(chunk));
	mutex_unlock(&t->rx_lock);
}

void
tty_receive_kick(struct tty *t)
{
	work_queue(&t->rx_work);
}

void
tty_receive_break(struct tty *t)
{
	smp_store_release(&t->broken, true);
	tty_receive_kick(t);
}

void
tty_write_wakeup(struct tty *t)
{
	if (READ_ONCE(t->echo_head) != READ_ONCE(t->echo_tail))
		work_queue(&t->rx_work);
	smp_mb(); /* room was made before; a writer queues itself, then looks for room */
	if (wait_queue_active(&t->write_wait))
		wake_up_key(&t->write_wait, THREAD_NORMAL, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
}

void
tty_hangup(struct tty *t, bool leader_exits)
{
	struct pid *session = NULL, *front = NULL;
	struct process *leader = NULL;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	session = t->session;
	front = leader_exits ? t->pgrp : NULL;
	if (front)
		pid_get(front);
	if (session && session->process && !leader_exits) {
		leader = session->process;
		process_get(leader);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);

	spin_lock(&t->lock);
	WRITE_ONCE(t->hangups, t->hangups + 1);
	ldisc_flush_input(t);
	t->echo_tail = t->echo_head;
	t->stopped = t->held = false;
	if (t->driver->pseudo)
		tty_termios_default(t);
	spin_unlock(&t->lock);
	console_give_back(t);
	tty_disassociate(t);
	wake_up_key(&t->read_wait, THREAD_NORMAL, INT32_MAX,
		    EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDNORM);
	wake_up_key(&t->write_wait, THREAD_NORMAL, INT32_MAX,
		    EPOLLOUT | EPOLLHUP | EPOLLERR | EPOLLWRNORM);
	if (leader) {
		(void)signal_send_process(leader, SIGHUP, NULL);
		(void)signal_send_process(leader, SIGCONT, NULL);
		process_put(leader);
	}
	if (front) {
		(void)signal_send_pgrp(front, SIGHUP, NULL);
		(void)signal_send_pgrp(front, SIGCONT, NULL);
		pid_put(front);
	}
}

/* ---- the file's side ---- */

/* Files of /dev/console outlive hang-ups: init and the kernel's messages go on. */
bool
tty_file_dead(const struct file *f)
{
	const struct tty *t = f->private;

	return f->ops != &console_file_ops && f->version != READ_ONCE(t->hangups);
}

int
tty_open_file(struct file *f, struct tty *t)
{
	int r = 0;

	mutex_lock(&t->open_lock);
	if (t->exclusive && t->opens && !capable(CAP_SYS_ADMIN))
		r = -EBUSY;
	else if (t->opens == 0 && t->driver->open)
		r = t->driver->open(t);
	if (r == 0) {
		t->opens++;
		f->version = READ_ONCE(t->hangups);
		f->private = t;
		f->ops = &tty_file_ops;
		f->mode |= FMODE_STREAM | FMODE_NO_SYNC;
	}
	mutex_unlock(&t->open_lock);
	if (r) {
		tty_put(t);
		return r;
	}
	if (!(f->flags & O_NOCTTY))
		tty_try_ctty(t, f);
	return 0;
}

static void
tty_file_release(struct file *f)
{
	struct tty *t = f->private;

	mutex_lock(&t->open_lock);
	if (--t->opens == 0) {
		t->exclusive = false;
		if (t->driver->close)
			t->driver->close(t);
	}
	mutex_unlock(&t->open_lock);
	tty_put(t);
}

/* ---- reading ---- */

/* VTIME is in tenths of a second. */
static u64
vtime_deadline(u32 tenths)
{
	return time_mono_ns() + (u64)tenths * 100 * NSEC_PER_MSEC;
}

static bool
read_may_end(struct file *f, struct tty *t, u32 min)
{
	return tty_readable(t, min) || tty_file_dead(f) || READ_ONCE(t->closed_other);
}

/*
 * Wait for something to read by ICANON or VMIN and VTIME: 1 something is there (or must be looked
 * at), 0 the time is over, or an error. `got`: bytes read so far by this call.
 */
static int
tty_wait_input(struct file *f, struct tty *t, u32 got, u32 want)
{
	u32 vmin = t->termios.c_cc[VMIN], vtime = t->termios.c_cc[VTIME];
	u64 deadline = TIME_NEVER;
	u32 need = 1;
	int r;

	if (!(t->termios.c_lflag & ICANON)) {
		if (vmin == 0) {
			if (vtime == 0 || got)
				return 0;
			deadline = vtime_deadline(vtime);
		} else if (got >= MIN(vmin, want)) {
			return 0;
		} else if (vtime && got) {
			deadline = vtime_deadline(vtime);
		} else if (!vtime) {
			need = MIN(vmin, want) - got;
		}
	} else if (got) {
		return 0;
	}
	if (f->flags & O_NONBLOCK)
		return got ? 0 : -EAGAIN;
	r = wait_event_interruptible_timeout(&t->read_wait, read_may_end(f, t, need), deadline);
	return r == -ETIMEDOUT ? 0 : r ? r : 1;
}

static ssize_t
tty_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct tty *t = f->private;
	u32 want = (u32)MIN(iter_count(it), (size_t)INT32_MAX), got = 0;
	int r = tty_check_change(t, SIGTTIN);
	u8 chunk[CHUNK];
	bool line_done = false;

	if (tty_file_dead(f) || !want)
		return 0;
	if (r)
		return r;
	if (f->flags & O_NONBLOCK) {
		if (!mutex_trylock(&t->read_lock))
			return -EAGAIN;
	} else {
		r = mutex_lock_interruptible(&t->read_lock);
		if (r)
			return -ERESTARTSYS;
	}
	while (got < want && !line_done) {
		spin_lock(&t->lock);
		bool some = ldisc_readable(t, 1);
		u32 n = some ? ldisc_take(t, chunk, MIN(want - got, (u32)sizeof(chunk)), &line_done)
			     : 0;
		spin_unlock(&t->lock);
		if (some) {
			size_t copied = iter_copy_to(it, chunk, n);

			got += (u32)copied;
			if (copied < n) {
				r = -EFAULT;
				break;
			}
			continue;
		}
		if (tty_file_dead(f))
			break;
		if (READ_ONCE(t->closed_other)) {
			r = -EIO;
			break;
		}
		r = tty_wait_input(f, t, got, want);
		if (r <= 0)
			break;
		r = tty_check_change(t, SIGTTIN);
		if (r)
			break;
	}
	mutex_unlock(&t->read_lock);
	if (!ringbuf_empty(&t->raw))
		work_queue(&t->rx_work); /* room was made for what waits */
	return got ? (ssize_t)got : r;
}

/* ---- writing ---- */

static bool
write_may_go(struct file *f, struct tty *t)
{
	spin_lock(&t->lock);
	bool r = !t->stopped && t->driver->write_room(t) >= 8;
	spin_unlock(&t->lock);
	return r || tty_file_dead(f) || READ_ONCE(t->closed_other);
}

static ssize_t
tty_write_locked(struct file *f, struct tty *t, struct iov_iter *it)
{
	u8 chunk[CHUNK];
	size_t done = 0;

	while (iter_count(it)) {
		u32 len = (u32)iter_copy_from(it, chunk, MIN(iter_count(it), sizeof(chunk))),
		    at = 0;

		if (!len)
			return done ? (ssize_t)done : -EFAULT;
		while (at < len) {
			if (tty_file_dead(f) || READ_ONCE(t->closed_other))
				return done ? (ssize_t)done : -EIO;
			spin_lock(&t->lock);
			u32 n = ldisc_output(t, chunk + at, len - at);
			spin_unlock(&t->lock);
			at += n;
			done += n;
			if (n)
				continue;
			int r = -EAGAIN;
			if (!(f->flags & O_NONBLOCK))
				r = wait_event_interruptible(&t->write_wait, write_may_go(f, t));
			if (r) {
				iter_revert(it, len - at);
				return done ? (ssize_t)done : r;
			}
		}
	}
	return (ssize_t)done;
}

static ssize_t
tty_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct tty *t = f->private;
	int r;

	if (tty_file_dead(f))
		return -EIO;
	if (READ_ONCE(t->termios.c_lflag) & TOSTOP) {
		r = tty_check_change(t, SIGTTOU);
		if (r)
			return r;
	}
	if (f->flags & O_NONBLOCK) {
		if (!mutex_trylock(&t->write_lock))
			return -EAGAIN;
	} else if (mutex_lock_interruptible(&t->write_lock)) {
		return -ERESTARTSYS;
	}
	ssize_t done = tty_write_locked(f, t, it);
	mutex_unlock(&t->write_lock);
	return done;
}

static u32
tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty *t = f->private;
	u32 mask = 0, min = 1;

	poll_wait(f, &t->read_wait, pt);
	poll_wait(f, &t->write_wait, pt);
	spin_lock(&t->lock);
	if (!(t->termios.c_lflag & ICANON) && !t->termios.c_cc[VTIME] && t->termios.c_cc[VMIN])
		min = t->termios.c_cc[VMIN];
	if (ldisc_readable(t, min))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!t->stopped && t->driver->write_room(t) >= 8)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock(&t->lock);
	if (READ_ONCE(t->closed_other))
		mask |= EPOLLHUP;
	if (tty_file_dead(f))
		mask |= EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
	return mask;
}

u64
tty_number(const struct tty *t)
{
	return t ? dev_encode(DEV_MAJOR(t->dev), DEV_MINOR(t->dev)) : 0;
}

/* ---- registry ---- */

#define TTY_MAX 8
static struct tty *ttys[TTY_MAX];
static u32 tty_count;
static char console_name[16];
static struct device tty_nodes[TTY_MAX];

int
tty_register(struct tty *t)
{
	if (tty_count == TTY_MAX)
		return -ENOSPC;
	struct device *d = &tty_nodes[tty_count];

	*d = (struct device){ .name = t->name,
			      .class_name = "tty",
			      .dev = t->dev,
			      .mode = S_IFCHR | 0600,
			      .ops = &tty_file_ops,
			      .private = t };
	ttys[tty_count++] = t;
	return device_add(d);
}

void
tty_set_console(const char *name)
{
	strscpy(console_name, name, sizeof(console_name));
}

static struct tty *
console_find(void)
{
	for (u32 i = 0; i < tty_count; i++) {
		if (strcmp(ttys[i]->name, console_name) == 0)
			return ttys[i];
	}
	return tty_count ? ttys[0] : NULL;
}

/* ---- TIOCCONS: what programs write to /dev/console goes to another terminal ---- */

static struct spinlock redirect_lock = SPINLOCK_INIT(RANK_TTY_LINE);
static struct file *redirect; /* redirect_lock; referenced */

/* Take the console over by f, a terminal's file; or, by a file of the console, give it back. */
long
tty_console_take(struct file *f)
{
	struct file *old = NULL;
	long r = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	spin_lock(&redirect_lock);
	if (f->ops == &console_file_ops) {
		old = redirect;
		redirect = NULL;
	} else if (!pty_is_master(f) && tty_file_dead(f)) {
		r = -EIO;
	} else if (!(f->mode & FMODE_WRITE)) {
		r = -EBADF;
	} else if (redirect) {
		r = -EBUSY;
	} else {
		file_get(f);
		redirect = f;
	}
	spin_unlock(&redirect_lock);
	if (old)
		file_put(old);
	return r;
}

/* A terminal that is hung up is the console no more. */
static void
console_give_back(struct tty *t)
{
	struct file *old = NULL;

	spin_lock(&redirect_lock);
	if (redirect && redirect->private == t) {
		old = redirect;
		redirect = NULL;
	}
	spin_unlock(&redirect_lock);
	if (old)
		file_put(old);
}

static ssize_t
console_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct file *to;
	ssize_t r;

	if (likely(!READ_ONCE(redirect)))
		return tty_write(f, it, pos);
	spin_lock(&redirect_lock);
	to = redirect;
	if (to)
		file_get(to);
	spin_unlock(&redirect_lock);
	if (!to)
		return tty_write(f, it, pos);
	r = to->ops->write(to, it, pos);
	file_put(to);
	return r;
}

/* Open by number: a line, /dev/console (5, 1), or the process's own terminal (5, 0). */
static int
tty_open(struct file *f)
{
	devnum_t dev = f->inode->rdev;
	int r;

	if (dev == DEV_MAKE(TTYAUX_MAJOR, 0)) {
		struct tty *t = tty_of_session();

		f->flags |= O_NOCTTY;
		return t ? tty_open_file(f, t) : -ENXIO;
	}
	if (dev == DEV_MAKE(TTYAUX_MAJOR, 1)) {
		struct tty *t = console_find();

		if (!t)
			return -ENODEV;
		f->flags |= O_NOCTTY;
		tty_get(t);
		r = tty_open_file(f, t);
		if (r == 0)
			f->ops = &console_file_ops;
		return r;
	}
	for (u32 i = 0; i < tty_count; i++) {
		if (ttys[i]->dev == dev) {
			tty_get(ttys[i]);
			return tty_open_file(f, ttys[i]);
		}
	}
	return -ENXIO;
}

/* vhangup(2): of the caller's own terminal. */
long
sys_vhangup(void)
{
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	struct tty *t = tty_of_session();
	if (t) {
		tty_hangup(t, false);
		tty_put(t);
	}
	return 0;
}

static struct device aux_devices[] = {
	{ .name = "tty",
	  .class_name = "tty",
	  .dev = DEV_MAKE(TTYAUX_MAJOR, 0),
	  .mode = S_IFCHR | 0666,
	  .ops = &tty_file_ops },
	{ .name = "console",
	  .class_name = "tty",
	  .dev = DEV_MAKE(TTYAUX_MAJOR, 1),
	  .mode = S_IFCHR | 0600,
	  .ops = &tty_file_ops },
};

void
tty_devices_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(aux_devices); i++)
		(void)device_add(&aux_devices[i]);
	pty_init();
}

/* One line: driver, its nodes without their numbers, major, minors, kind. */
static void
list_driver(struct strbuf *sb, const char *driver, const char *node, u32 major, u32 first, u32 last,
	    const char *kind)
{
	strbuf_printf(sb, "%-20s /dev/%-8s %3u ", driver, node, major);
	if (last > first)
		strbuf_printf(sb, "%u-%u %s\n", first, last, kind);
	else
		strbuf_printf(sb, "%7u %s\n", first, kind);
}

void
tty_list_drivers(struct strbuf *sb)
{
	list_driver(sb, "/dev/tty", "tty", TTYAUX_MAJOR, 0, 0, "system:/dev/tty");
	list_driver(sb, "/dev/console", "console", TTYAUX_MAJOR, 1, 1, "system:console");
	list_driver(sb, "/dev/ptmx", "ptmx", TTYAUX_MAJOR, 2, 2, "system");
	/* Lines of one driver were registered one after the other, in the order of their minors. */
	for (u32 i = 0, next; i < tty_count; i = next) {
		char node[sizeof(ttys[i]->name)];
		size_t len;

		strscpy(node, ttys[i]->name, sizeof(node));
		len = strlen(node);
		for (next = i + 1; next < tty_count && ttys[next]->driver == ttys[i]->driver;)
			next++;
		while (len && node[len - 1] >= '0' && node[len - 1] <= '9')
			node[--len] = 0;
		list_driver(sb, ttys[i]->driver->name, node, DEV_MAJOR(ttys[i]->dev),
			    DEV_MINOR(ttys[i]->dev), DEV_MINOR(ttys[next - 1]->dev), "serial");
	}
	list_driver(sb, "pty_slave", "pts", UNIX98_PTY_SLAVE_MAJOR, 0, (1u << 20) - 1, "pty:slave");
}

static const struct file_ops console_file_ops = {
	.release = tty_file_release,
	.read = tty_read,
	.write = console_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
};

static const struct file_ops tty_file_ops = {
	.open = tty_open,
	.release = tty_file_release,
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
};
