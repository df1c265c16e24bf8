/* SPDX-License-Identifier: MIT */
/*
 * /dev/kmsg: the kernel log as records, one a read: "level,sequence,microseconds,-;text\n". Writing
 * adds a record, with "<level>" in front if wanted. The format is the kernel documentation's
 * Documentation/ABI/testing/dev-kmsg.
 */
#include "core/log.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mem_internal.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "task/task.h"
#include "uapi/epoll.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"

#define KMSG_LINE_MAX	  976
#define LOG_FACILITY_USER 1

struct wait_queue kmsg_wait = WAIT_QUEUE_INIT(kmsg_wait);

/* One reader: where it is, and room to format a record, which is too large for the stack. */
struct kmsg_reader {
	struct mutex lock;
	u64 seq;
	struct log_record record;
	char text[2 * sizeof(struct log_record) + 64];
};

static void
kmsg_wake(void)
{
	/* The log may be written under any spinlock but the log's own, wait queues' included: only
	 * look when somebody waits. */
	if (wait_queue_active(&kmsg_wait))
		wake_up_all(&kmsg_wait);
}

void
kmsg_init(void)
{
	log_wake_readers = kmsg_wake;
}

static int
kmsg_open(struct file *f)
{
	struct kmsg_reader *r;

	f->private = NULL;
	if (!(f->mode & FMODE_READ))
		return 0;
	if (!capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = kmalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock, RANK_PIPE);
	r->seq = log_oldest_seq();
	f->private = r;
	return 0;
}

static void
kmsg_release(struct file *f)
{
	kfree(f->private);
}

/* Control characters and backslashes are escaped as \xHH, so that a record is one line. */
static void
kmsg_format(struct kmsg_reader *r, struct strbuf *sb)
{
	const struct log_record *rec = &r->record;

	strbuf_printf(sb, "%u,%llu,%llu,-;", rec->facility * 8u + rec->level,
		      (unsigned long long)rec->seq, (unsigned long long)rec->time_us);
	for (u16 i = 0; i < rec->len; i++) {
		u8 c = (u8)rec->text[i];

		if (c < 32 || c >= 127 || c == '\\')
			strbuf_printf(sb, "\\x%02x", c);
		else
			strbuf_putc(sb, (char)c);
	}
	strbuf_putc(sb, '\n');
}

static ssize_t
kmsg_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct kmsg_reader *r = f->private;
	struct strbuf sb;
	int err = mutex_lock_interruptible(&r->lock);

	if (err)
		return err;
	while ((err = log_read(&r->seq, &r->record)) == -EAGAIN) {
		if (f->flags & O_NONBLOCK)
			goto out_unlock;
		err = wait_event_interruptible(&kmsg_wait, log_next_seq() > r->seq);
		if (err)
			goto out_unlock;
	}
	if (err)
		goto out_unlock; /* -EPIPE: records were lost, the next read goes on behind them */
	strbuf_init(&sb, r->text, sizeof(r->text));
	kmsg_format(r, &sb);
	if (iter_count(it) < sb.len) {
		err = -EINVAL;
		goto out_unlock;
	}
	r->seq = r->record.seq + 1;
	ssize_t done = iter_copy_to(it, sb.buf, sb.len) == sb.len ? (ssize_t)sb.len : -EFAULT;
	mutex_unlock(&r->lock);
	return done;
out_unlock:
	mutex_unlock(&r->lock);
	return err;
}

static ssize_t
kmsg_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	size_t len = iter_count(it), skip = 0;
	u32 level = LOG_NOTICE, facility = LOG_FACILITY_USER;
	char *text;

	if (len > KMSG_LINE_MAX)
		return -EINVAL;
	text = kmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (iter_copy_from(it, text, len) != len) {
		kfree(text);
		return -EFAULT;
	}
	text[len] = 0;
	if (text[0] == '<') {
		u32 n = 0;
		size_t i = 1;

		while (text[i] >= '0' && text[i] <= '9' && i < 8)
			n = n * 10 + (u32)(text[i++] - '0');
		if (i > 1 && text[i] == '>') {
			level = n & 7;
			/* The kernel's own facility cannot be claimed. */
			if (n >> 3)
				facility = n >> 3;
			skip = i + 1;
		}
	}
	size_t body = len - skip;
	while (body && text[skip + body - 1] == '\n')
		body--;
	log_write_user((u8)level, (u8)facility, text + skip, body);
	kfree(text);
	return (ssize_t)len;
}

static s64
kmsg_seek(struct file *f, s64 offset, int whence)
{
	struct kmsg_reader *r = f->private;

	if (!r)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	mutex_lock(&r->lock);
	s64 err = 0;
	if (whence == SEEK_SET || whence == SEEK_DATA)
		r->seq = log_oldest_seq();
	else if (whence == SEEK_END)
		r->seq = log_next_seq();
	else
		err = -EINVAL;
	mutex_unlock(&r->lock);
	return err;
}

static u32
kmsg_poll(struct file *f, struct poll_table *pt)
{
	struct kmsg_reader *r = f->private;
	u32 mask = EPOLLOUT | EPOLLWRNORM;

	if (!r)
		return EPOLLERR;
	poll_wait(f, &kmsg_wait, pt);
	if (READ_ONCE(r->seq) < log_oldest_seq())
		mask |= EPOLLERR | EPOLLPRI;
	if (READ_ONCE(r->seq) < log_next_seq())
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

const struct file_ops kmsg_file_ops = {
	.open = kmsg_open,
	.release = kmsg_release,
	.read = kmsg_read,
	.write = kmsg_write,
	.seek = kmsg_seek,
	.poll = kmsg_poll,
};
