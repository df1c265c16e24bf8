/* SPDX-License-Identifier: MIT */
/*
 * syslog(2) and /proc/kmsg: the kernel log for klogctl(3), dmesg(1) and log daemons.
 *
 * READ consumes, and so does reading /proc/kmsg: the position is one for the whole system. READ_ALL
 * shows what the buffer holds since the last CLEAR. A record becomes a line
 * "<level>[time] text", continued lines of a record get the same prefix.
 */
#include "syscall/syslog.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "drivers/mem/mem.h"
#include "fs/proc/proc.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "fs/vfs/pseudo.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "task/cred.h"
#include "uapi/epoll.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/stat.h"
#include "uapi/sysinfo.h"

#define CONSOLE_LEVEL_MIN 1
#define CONSOLE_LEVEL_MAX 8

/* All under syslog_lock. */
static struct mutex syslog_lock = MUTEX_INIT(syslog_lock, RANK_PIPE);
static u64 read_seq;	   /* next record of READ */
static size_t read_offset; /* bytes of its text already given out */
static u64 clear_seq;
static int saved_console_level = -1; /* before CONSOLE_OFF */

#define LINE_MAX (sizeof(((struct log_record *)0)->text) + 64)

static size_t
record_format(const struct log_record *rec, char *out, size_t size)
{
	struct strbuf sb;
	const char *p = rec->text, *end = rec->text + rec->len;

	strbuf_init(&sb, out, size);
	do {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		strbuf_printf(&sb, "<%u>[%5lu.%06lu] ", rec->facility << 3 | rec->level,
			      rec->time_us / 1000000, rec->time_us % 1000000);
		strbuf_write(&sb, p, (size_t)(stop - p));
		strbuf_putc(&sb, '\n');
		p = stop + 1;
	} while (p < end);
	return sb.len;
}

/* The record at or after *seq; what was overwritten is skipped. False: there is none yet. */
static bool
record_next(u64 *seq, struct log_record *rec)
{
	int r;

	do {
		r = log_read(seq, rec);
	} while (r == -EPIPE);
	return r == 0;
}

struct syslog_buffers {
	struct log_record rec;
	char line[2 * LINE_MAX];
};

/* SYSLOG_ACTION_READ: whole lines as far as they fit, a long line in parts; at least something. */
static long
syslog_read(struct iov_iter *it, struct syslog_buffers *b)
{
	size_t done = 0;

	while (iter_count(it)) {
		u64 seq = read_seq;

		if (!record_next(&seq, &b->rec))
			break;
		if (b->rec.seq != read_seq)
			read_offset = 0;
		size_t n = record_format(&b->rec, b->line, sizeof(b->line)), part;

		read_offset = MIN(read_offset, n);
		part = MIN(n - read_offset, iter_count(it));
		if (part < n - read_offset && done)
			break;
		if (iter_copy_to(it, b->line + read_offset, part) != part)
			return done ? (long)done : -EFAULT;
		done += part;
		read_offset += part;
		read_seq = b->rec.seq;
		if (read_offset < n)
			break;
		read_seq++;
		read_offset = 0;
	}
	return (long)done;
}

/* The last lines that fit into len bytes. */
static long
syslog_read_all(user_ptr buf, size_t len, bool clear, struct syslog_buffers *b)
{
	u64 end = log_next_seq(), seq = MAX(clear_seq, log_oldest_seq()), first = seq;
	size_t total = 0, done = 0;

	while (seq < end && record_next(&seq, &b->rec) && b->rec.seq < end) {
		total += record_format(&b->rec, b->line, sizeof(b->line));
		seq = b->rec.seq + 1;
	}
	for (seq = first; seq < end && record_next(&seq, &b->rec) && b->rec.seq < end;
	     seq = b->rec.seq + 1) {
		size_t n = record_format(&b->rec, b->line, sizeof(b->line));

		if (total > len) {
			total -= n;
			continue;
		}
		if (done + n > len)
			break;
		if (copy_to_user(user_ptr_add(buf, done), b->line, n))
			return -EFAULT;
		done += n;
	}
	if (clear)
		clear_seq = end;
	return (long)done;
}

static long
syslog_size_unread(struct syslog_buffers *b)
{
	u64 seq = read_seq;
	size_t n = 0;

	while (record_next(&seq, &b->rec)) {
		n += record_format(&b->rec, b->line, sizeof(b->line));
		if (b->rec.seq == read_seq)
			n -= MIN(n, read_offset);
		seq = b->rec.seq + 1;
	}
	return (long)n;
}

static bool
syslog_has_unread(void)
{
	return READ_ONCE(read_seq) < log_next_seq();
}

static long
syslog_with_buffers(int action, struct iov_iter *it, user_ptr buf, size_t len)
{
	struct syslog_buffers *b = kmalloc(sizeof(*b), GFP_KERNEL);
	long r;

	if (!b)
		return -ENOMEM;
	mutex_lock(&syslog_lock);
	if (action == SYSLOG_ACTION_READ)
		r = syslog_read(it, b);
	else if (action == SYSLOG_ACTION_SIZE_UNREAD)
		r = syslog_size_unread(b);
	else
		r = syslog_read_all(buf, len, action == SYSLOG_ACTION_READ_CLEAR, b);
	mutex_unlock(&syslog_lock);
	kfree(b);
	return r;
}

static long
syslog_wait_and_read(struct iov_iter *it)
{
	long r;

	do {
		r = wait_event_interruptible(&kmsg_wait, syslog_has_unread());
		if (r)
			return r;
		r = syslog_with_buffers(SYSLOG_ACTION_READ, it, user_ptr_of(0), 0);
	} while (r == 0); /* another reader was faster */
	return r;
}

static long
syslog_console(int action, int level)
{
	long r = 0;

	mutex_lock(&syslog_lock);
	switch (action) {
	case SYSLOG_ACTION_CONSOLE_OFF:
		if (saved_console_level < 0)
			saved_console_level = log_console_level();
		log_set_console_level(CONSOLE_LEVEL_MIN);
		break;
	case SYSLOG_ACTION_CONSOLE_ON:
		if (saved_console_level >= 0)
			log_set_console_level(saved_console_level);
		saved_console_level = -1;
		break;
	default:
		if (level < CONSOLE_LEVEL_MIN || level > CONSOLE_LEVEL_MAX) {
			r = -EINVAL;
			break;
		}
		log_set_console_level(level);
		saved_console_level = -1;
	}
	mutex_unlock(&syslog_lock);
	return r;
}

long
sys_syslog(int action, user_ptr buf, int len)
{
	struct iov_iter it;

	if (action != SYSLOG_ACTION_READ_ALL && action != SYSLOG_ACTION_SIZE_BUFFER &&
	    !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (action) {
	case SYSLOG_ACTION_CLOSE:
	case SYSLOG_ACTION_OPEN: return 0;
	case SYSLOG_ACTION_READ:
	case SYSLOG_ACTION_READ_ALL:
	case SYSLOG_ACTION_READ_CLEAR:
		if (user_ptr_null(buf) || len < 0)
			return -EINVAL;
		if (!len)
			return 0;
		if (!user_range_ok(buf, (size_t)len))
			return -EFAULT;
		if (action != SYSLOG_ACTION_READ)
			return syslog_with_buffers(action, NULL, buf, (size_t)len);
		iter_init_user(&it, true, buf, (size_t)len);
		return syslog_wait_and_read(&it);
	case SYSLOG_ACTION_CLEAR:
		mutex_lock(&syslog_lock);
		clear_seq = log_next_seq();
		mutex_unlock(&syslog_lock);
		return 0;
	case SYSLOG_ACTION_CONSOLE_OFF:
	case SYSLOG_ACTION_CONSOLE_ON:
	case SYSLOG_ACTION_CONSOLE_LEVEL: return syslog_console(action, len);
	case SYSLOG_ACTION_SIZE_UNREAD: return syslog_with_buffers(action, NULL, buf, 0);
	case SYSLOG_ACTION_SIZE_BUFFER: return (long)log_buffer_size();
	default: return -EINVAL;
	}
}

/* ---- /proc/kmsg ---- */

static int
kmsg_open(struct file *f)
{
	return capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static ssize_t
kmsg_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	long r;

	if ((f->flags & O_NONBLOCK) && !syslog_has_unread())
		return -EAGAIN;
	if (!iter_count(it))
		return 0;
	if (!(f->flags & O_NONBLOCK))
		return syslog_wait_and_read(it);
	r = syslog_with_buffers(SYSLOG_ACTION_READ, it, user_ptr_of(0), 0);
	return r ? r : -EAGAIN; /* another reader was faster */
}

static u32
kmsg_poll(struct file *f, struct poll_table *pt)
{
	poll_wait(f, &kmsg_wait, pt);
	return syslog_has_unread() ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_ops kmsg_file_ops = {
	.open = kmsg_open,
	.read = kmsg_read,
	.poll = kmsg_poll,
};

static const struct pseudo_entry kmsg_entries[] = {
	{ .name = "kmsg", .mode = S_IFREG | 0400, .fops = &kmsg_file_ops },
	{ .name = NULL },
};

void
syslog_init(void)
{
	if (pseudo_extend(&proc_fs_type, "", kmsg_entries, NULL))
		log_warn("proc: no memory for kmsg\n");
}
