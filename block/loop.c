/* SPDX-License-Identifier: MIT */
/*
 * Loop devices, loop(4): disks whose medium is a file.
 *
 * A thread for each device that has a file carries the requests out, one after the other, by the
 * file's own read and write: so whatever the file is on, it sees what any writer does to it. It is
 * a thread of its own, so that a loop on a loop cannot wait for itself. Flush is fsync, discard and
 * zeroing are holes where the file system has them.
 *
 * Disks are made by LOOP_CTL_ADD and LOOP_CTL_GET_FREE, and stay until LOOP_CTL_REMOVE.
 *
 * Locking: what a device is set to is guarded by its disk's open_lock (letter O); the requests that
 * wait by the queue's lock (Q); the set of devices by control_lock, which comes before both.
 */
#include "block/loop.h"
#include "block_internal.h"
#include "core/log.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/xarray.h"
#include "mm/iter.h"
#include "mm/mapping.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sched/wait.h"
#include "task/cred.h"
#include "uapi/capability.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/loop.h"
#include "uapi/major.h"
#include "uapi/stat.h"

#define DEPTH	     64
#define SEGMENTS     64
#define NUMBER_MAX   (1u << 20)
#define CONTROL	     237 /* minor of misc */
#define DISCARD_MAX  (UINT32_MAX >> SECTOR_SHIFT)
#define NESTING_MAX  8
#define FLAGS_SET    (LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN)
#define FLAGS_CONFIG (LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN)

struct loop {
	u32 number; /* [I] */
	struct disk *disk;
	struct file *file;	     /* [O] NULL: not bound */
	u64 offset, sizelimit;	     /* [O] bytes */
	u32 flags;		     /* [O] LO_FLAGS_* */
	u8 name[LO_NAME_SIZE];	     /* [O] */
	struct request *head, *tail; /* [Q] */
	bool stop;		     /* [Q] */
	struct wait_queue wait;
	struct completion ended;
	struct iov_seg segs[SEGMENTS]; /* the thread's */
};

static struct mutex control_lock = MUTEX_INIT(control_lock, RANK_LOOP);
static struct xarray loops = XARRAY_INIT; /* control_lock; struct loop by number */

static const struct disk_ops loop_disk_ops;

static bool
is_loop(const struct block_device *dev)
{
	return dev->disk->ops == &loop_disk_ops;
}

/* ---- carrying out requests ---- */

/* All of the request's memory to or from the file. A file that has become shorter reads as zeroes.
 */
static int
transfer(struct loop *lo, const struct request *rq)
{
	bool read = rq->op == BIO_READ;
	u64 pos = lo->offset + (rq->sector << SECTOR_SHIFT);
	struct iov_iter it = { .kernel = true, .to_iter = read, .segs = lo->segs };
	struct request_iter from;
	struct bio_vec vec;

	request_iter_init(&from, rq);
	while (it.nr_segs < SEGMENTS && request_next_vec(&from, &vec)) {
		char *base = (char *)page_to_virt(vec.page) + vec.offset;

		lo->segs[it.nr_segs++] = (struct iov_seg){ (u64)(uintptr_t)base, vec.len };
		it.count += vec.len;
	}
	while (iter_count(&it)) {
		ssize_t n = read ? vfs_read(lo->file, &it, &pos) : vfs_write(lo->file, &it, &pos);

		if (n < 0)
			return n == -ENOSPC ? -ENOSPC : -EIO;
		if (n == 0) {
			if (!read)
				return -EIO;
			(void)iter_zero(&it, iter_count(&it));
		}
	}
	return 0;
}

static int
punch(struct loop *lo, const struct request *rq)
{
	struct file *f = lo->file;
	int mode = FALLOC_FL_KEEP_SIZE, err;

	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	mode |= rq->op == BIO_DISCARD || !rq->no_unmap ? FALLOC_FL_PUNCH_HOLE
						       : FALLOC_FL_ZERO_RANGE;
	err = f->ops->fallocate(f, mode, lo->offset + (rq->sector << SECTOR_SHIFT), rq->bytes);
	return err && err != -EOPNOTSUPP && err != -ENOSPC ? -EIO : err;
}

static int
carry_out(struct loop *lo, const struct request *rq)
{
	switch (rq->op) {
	case BIO_READ:
	case BIO_WRITE: return transfer(lo, rq);
	case BIO_FLUSH: return file_sync_range(lo->file, 0, INT64_MAX, false) ? -EIO : 0;
	default: return punch(lo, rq);
	}
}

/* Requests taken off the queue; *stop: there are none, and there will be no more. */
static struct request *
requests_take(struct loop *lo, bool *stop)
{
	struct disk_queue *q = &lo->disk->queues[0];
	unsigned long flags = spin_lock_irqsave(&q->lock);
	struct request *rq = lo->head;

	if (rq) {
		lo->head = rq->next;
		if (!lo->head)
			lo->tail = NULL;
	}
	*stop = !rq && lo->stop;
	spin_unlock_irqrestore(&q->lock, flags);
	return rq;
}

static void
loop_thread(void *arg)
{
	struct loop *lo = arg;
	struct disk_queue *q = &lo->disk->queues[0];
	struct file *f = lo->file;
	bool stop = false;

	while (!stop) {
		struct request_batch done = { NULL, NULL };
		struct request *rq;
		unsigned long flags;
		int err;

		wait_event(&lo->wait, (rq = requests_take(lo, &stop)) || stop);
		if (!rq)
			break;
		err = carry_out(lo, rq);
		flags = spin_lock_irqsave(&q->lock);
		request_done(&done, rq, err);
		disk_queue_run(q, &done);
		spin_unlock_irqrestore(&q->lock, flags);
		request_batch_end(&done);
	}
	file_put(f);
	complete(&lo->ended);
}

static int
loop_queue(struct disk_queue *q, struct request *rq)
{
	struct loop *lo = q->disk->private;

	if (lo->stop)
		return -EIO;
	rq->next = NULL;
	if (lo->tail)
		lo->tail->next = rq;
	else
		lo->head = rq;
	lo->tail = rq;
	return 0;
}

static void
loop_commit(struct disk_queue *q)
{
	struct loop *lo = q->disk->private;

	wake_up(&lo->wait);
}

/* ---- binding: open_lock held ---- */

/* The bytes behind the device; file pages know the size of block devices too. */
static u64
sectors_of(const struct loop *lo)
{
	u64 size = READ_ONCE(*lo->file->mapping->size);

	size = size > lo->offset ? size - lo->offset : 0;
	if (lo->sizelimit)
		size = MIN(size, lo->sizelimit);
	return size >> SECTOR_SHIFT;
}

/* A device may not be its own medium, directly or through others. */
static bool
would_recurse(const struct loop *lo, const struct file *f)
{
	for (u32 depth = 0; depth < NESTING_MAX; depth++) {
		const struct block_device *dev;
		const struct loop *under;

		if (!S_ISBLK(f->inode->mode))
			return false;
		dev = f->private;
		if (!is_loop(dev))
			return false;
		under = dev->disk->private;
		if (under == lo || !under->file)
			return true;
		f = under->file;
	}
	return true;
}

static int
file_check(const struct loop *lo, const struct file *f)
{
	if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		return -EINVAL;
	if (!(f->mode & FMODE_READ) || !f->mapping || !f->mapping->size)
		return -EBADF;
	return would_recurse(lo, f) ? -EBADF : 0;
}

static void
limits_set(struct loop *lo, u32 block_size)
{
	struct disk_limits *l = &lo->disk->limits;
	bool holes = lo->file->ops->fallocate != NULL && !(lo->flags & LO_FLAGS_READ_ONLY);

	l->logical_size = l->physical_size = l->io_min = block_size;
	l->max_segments = SEGMENTS;
	l->max_discard_sectors = l->max_zeroes_sectors = holes ? DISCARD_MAX : 0;
	l->discard_granularity = holes ? MAX(lo->file->inode->super->block_size, block_size) : 0;
	l->write_cache = lo->file->ops->fsync != NULL;
}

static void
read_only_set(struct loop *lo, bool on)
{
	lo->disk->read_only = on;
	WRITE_ONCE(lo->disk->device->read_only, on);
}

static void
rescan_if_asked(struct loop *lo)
{
	lo->disk->no_partitions = !(lo->flags & LO_FLAGS_PARTSCAN);
	if (lo->flags & LO_FLAGS_PARTSCAN)
		(void)disk_rescan_locked(lo->disk);
}

/* Takes over the reference on f if it succeeds. */
static int
bind(struct loop *lo, struct file *f, const struct linux_loop_info64 *info, u32 block_size)
{
	struct thread *t;
	int err;

	if (lo->file)
		return -EBUSY;
	err = file_check(lo, f);
	if (err)
		return err;
	lo->file = f;
	lo->offset = info->lo_offset;
	lo->sizelimit = info->lo_sizelimit;
	lo->flags = info->lo_flags;
	if (!(f->mode & FMODE_WRITE) || !f->ops->write)
		lo->flags |= LO_FLAGS_READ_ONLY;
	memcpy(lo->name, info->lo_file_name, LO_NAME_SIZE);
	lo->name[LO_NAME_SIZE - 1] = '\0';
	lo->stop = false;
	completion_init(&lo->ended);
	t = thread_create(loop_thread, lo, "loop%u", lo->number);
	if (!t) {
		lo->file = NULL;
		return -ENOMEM;
	}
	limits_set(lo, block_size);
	read_only_set(lo, lo->flags & LO_FLAGS_READ_ONLY);
	thread_wake(t);
	disk_set_capacity(lo->disk, sectors_of(lo));
	device_changed(&lo->disk->device->entry);
	rescan_if_asked(lo);
	return 0;
}

/* Nobody has it open but, maybe, the caller. */
static void
unbind(struct loop *lo)
{
	struct disk_queue *q = &lo->disk->queues[0];
	unsigned long flags;

	(void)block_device_sync(lo->disk->device);
	mapping_truncate(lo->disk->device->mapping, 0);
	lo->disk->no_partitions = true;
	if (disk_rescan_locked(lo->disk))
		log_warn("%s: a partition is in use\n", lo->disk->name);
	disk_set_capacity(lo->disk, 0);
	flags = spin_lock_irqsave(&q->lock);
	lo->stop = true;
	spin_unlock_irqrestore(&q->lock, flags);
	wake_up_all(&lo->wait);
	completion_wait(&lo->ended); /* it has put the file */
	lo->file = NULL;
	lo->offset = lo->sizelimit = 0;
	lo->flags = 0;
	memset(lo->name, 0, sizeof(lo->name));
	read_only_set(lo, false);
	device_changed(&lo->disk->device->entry);
}

/* Last close of the disk and its partitions. */
static void
loop_close(struct disk *disk)
{
	struct loop *lo = disk->private;

	if (lo->file && (lo->flags & LO_FLAGS_AUTOCLEAR))
		unbind(lo);
}

/* ---- ioctl(2) ---- */

static bool
block_size_valid(u32 size)
{
	return size >= SECTOR_SIZE && size <= PAGE_SIZE && !(size & (size - 1));
}

static int
info_check(const struct linux_loop_info64 *info)
{
	if (info->lo_encrypt_type || info->lo_encrypt_key_size)
		return -EINVAL;
	return info->lo_offset > INT64_MAX || info->lo_sizelimit > INT64_MAX ? -EOVERFLOW : 0;
}

static int
do_bind(struct loop *lo, u32 fd, const struct linux_loop_info64 *info, u32 block_size)
{
	struct file *f = fd_find((int)fd);
	int err;

	if (!f)
		return -EBADF;
	err = bind(lo, f, info, block_size);
	if (err)
		file_put(f);
	return err;
}

static int
configure(struct loop *lo, user_ptr from)
{
	struct linux_loop_config c;
	int err = copy_from_user(&c, from, sizeof(c));

	if (!err)
		err = info_check(&c.info);
	if (err)
		return err;
	for (u32 i = 0; i < ARRAY_SIZE(c.__reserved); i++)
		if (c.__reserved[i])
			return -EINVAL;
	/* LO_FLAGS_DIRECT_IO is a wish: the page cache of the file is used. */
	if (c.info.lo_flags & ~(u32)(FLAGS_CONFIG | LO_FLAGS_DIRECT_IO))
		return -EINVAL;
	c.info.lo_flags &= FLAGS_CONFIG;
	if (c.block_size && !block_size_valid(c.block_size))
		return -EINVAL;
	return do_bind(lo, c.fd, &c.info, c.block_size ? c.block_size : SECTOR_SIZE);
}

static int
clear(struct loop *lo)
{
	if (!lo->file)
		return -ENXIO;
	/* Others have it open: when they are done. */
	if (lo->disk->open_count > 1) {
		lo->flags |= LO_FLAGS_AUTOCLEAR;
		return 0;
	}
	unbind(lo);
	return 0;
}

static int
set_status(struct loop *lo, const struct linux_loop_info64 *info)
{
	bool scan = (info->lo_flags & LO_FLAGS_PARTSCAN) && !(lo->flags & LO_FLAGS_PARTSCAN);
	int err = info_check(info);

	if (!lo->file)
		return -ENXIO;
	if (err)
		return err;
	if (info->lo_offset != lo->offset || info->lo_sizelimit != lo->sizelimit) {
		/* The pages are those of other bytes. */
		(void)block_device_sync(lo->disk->device);
		mapping_truncate(lo->disk->device->mapping, 0);
	}
	lo->offset = info->lo_offset;
	lo->sizelimit = info->lo_sizelimit;
	lo->flags = (lo->flags & ~(u32)LO_FLAGS_AUTOCLEAR) | (info->lo_flags & FLAGS_SET);
	memcpy(lo->name, info->lo_file_name, LO_NAME_SIZE);
	lo->name[LO_NAME_SIZE - 1] = '\0';
	disk_set_capacity(lo->disk, sectors_of(lo));
	if (scan)
		rescan_if_asked(lo);
	return 0;
}

static int
get_status(struct loop *lo, struct linux_loop_info64 *info)
{
	const struct inode *i;

	if (!lo->file)
		return -ENXIO;
	i = lo->file->inode;
	*info = (struct linux_loop_info64){
		.lo_device = dev_to_user(i->super->dev),
		.lo_inode = i->ino,
		.lo_rdevice = dev_to_user(S_ISBLK(i->mode) ? i->rdev : i->super->dev),
		.lo_offset = lo->offset,
		.lo_sizelimit = lo->sizelimit,
		.lo_number = lo->number,
		.lo_flags = lo->flags,
	};
	memcpy(info->lo_file_name, lo->name, LO_NAME_SIZE);
	return 0;
}

static int
set_status_old(struct loop *lo, user_ptr from)
{
	struct linux_loop_info64 info = { 0 };
	struct linux_loop_info old;
	int err = copy_from_user(&old, from, sizeof(old));

	if (err)
		return err;
	info.lo_offset = (u64)(s64)old.lo_offset;
	info.lo_encrypt_type = (u32)old.lo_encrypt_type;
	info.lo_encrypt_key_size = (u32)old.lo_encrypt_key_size;
	info.lo_flags = (u32)old.lo_flags;
	memcpy(info.lo_file_name, old.lo_name, LO_NAME_SIZE);
	return set_status(lo, &info);
}

static int
get_status_old(struct loop *lo, user_ptr to)
{
	struct linux_loop_info64 info;
	struct linux_loop_info old = { 0 };
	int err = get_status(lo, &info);

	if (err)
		return err;
	old.lo_number = (s32)info.lo_number;
	old.lo_device = info.lo_device;
	old.lo_inode = info.lo_inode;
	old.lo_rdevice = info.lo_rdevice;
	old.lo_offset = (s32)info.lo_offset;
	old.lo_flags = (s32)info.lo_flags;
	memcpy(old.lo_name, info.lo_file_name, LO_NAME_SIZE);
	if ((u64)(s64)old.lo_offset != info.lo_offset)
		return -EOVERFLOW;
	return copy_to_user(to, &old, sizeof(old));
}

static int
set_block_size(struct loop *lo, u64 size)
{
	if (!lo->file)
		return -ENXIO;
	if (!block_size_valid((u32)MIN(size, (u64)UINT32_MAX)))
		return -EINVAL;
	(void)block_device_sync(lo->disk->device);
	mapping_truncate(lo->disk->device->mapping, 0);
	limits_set(lo, (u32)size);
	return 0;
}

/* Read-only devices may have their file exchanged for one of the same size. */
static int
change_file(struct loop *lo, u32 fd)
{
	return lo->file ? -EINVAL : -ENXIO;
}

static long
ioctl_locked(struct loop *lo, u32 cmd, u64 arg)
{
	static const struct linux_loop_info64 none;
	struct linux_loop_info64 info;
	user_ptr p = user_ptr_of(arg);
	int err;

	switch (cmd) {
	case LOOP_SET_FD: return do_bind(lo, (u32)arg, &none, SECTOR_SIZE);
	case LOOP_CONFIGURE: return configure(lo, p);
	case LOOP_CLR_FD: return clear(lo);
	case LOOP_CHANGE_FD: return change_file(lo, (u32)arg);
	case LOOP_SET_STATUS: return set_status_old(lo, p);
	case LOOP_SET_STATUS64:
		err = copy_from_user(&info, p, sizeof(info));
		return err ? err : set_status(lo, &info);
	case LOOP_GET_STATUS: return get_status_old(lo, p);
	case LOOP_GET_STATUS64:
		err = get_status(lo, &info);
		return err ? err : copy_to_user(p, &info, sizeof(info));
	case LOOP_SET_CAPACITY:
		if (!lo->file)
			return -ENXIO;
		disk_set_capacity(lo->disk, sectors_of(lo));
		return 0;
	case LOOP_SET_DIRECT_IO:
		if (!lo->file)
			return -ENXIO;
		return arg ? -EINVAL : 0;
	case LOOP_SET_BLOCK_SIZE: return set_block_size(lo, arg);
	default: return -EINVAL;
	}
}

static bool
needs_write(u32 cmd)
{
	return cmd == LOOP_SET_STATUS || cmd == LOOP_SET_STATUS64 || cmd == LOOP_SET_CAPACITY ||
	       cmd == LOOP_SET_DIRECT_IO || cmd == LOOP_SET_BLOCK_SIZE;
}

/* Commands that give or take the file: one at a time, for would_recurse looks at others' files. */
static bool
binds(u32 cmd)
{
	return cmd == LOOP_SET_FD || cmd == LOOP_CONFIGURE || cmd == LOOP_CLR_FD;
}

static long
loop_ioctl(struct block_device *dev, struct file *f, u32 cmd, u64 arg)
{
	struct loop *lo = dev->disk->private;
	long ret;

	if (needs_write(cmd) && !(f->mode & FMODE_WRITE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (binds(cmd))
		mutex_lock(&control_lock);
	mutex_lock(&dev->disk->open_lock);
	ret = dev == dev->whole ? ioctl_locked(lo, cmd, arg) : -EINVAL;
	mutex_unlock(&dev->disk->open_lock);
	if (binds(cmd))
		mutex_unlock(&control_lock);
	return ret;
}

/* ---- for /sys ---- */

bool
loop_is_bound(struct block_device *dev)
{
	const struct loop *lo = dev->disk->private;

	return is_loop(dev) && READ_ONCE(lo->file);
}

static void
show_path(const struct loop *lo, struct strbuf *sb)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	const char *text = buf ? path_text(&lo->file->path, NULL, buf, PATH_MAX) : NULL;

	strbuf_printf(sb, "%s\n", text ? text : (const char *)lo->name);
	kfree(buf);
}

int
loop_show(struct block_device *dev, const char *what, struct strbuf *sb)
{
	struct loop *lo = dev->disk->private;
	int err = -ENODEV;

	mutex_lock(&dev->disk->open_lock);
	if (is_loop(dev) && lo->file) {
		err = 0;
		if (!strcmp(what, "backing_file"))
			show_path(lo, sb);
		else if (!strcmp(what, "offset"))
			strbuf_printf(sb, "%lu\n", lo->offset);
		else if (!strcmp(what, "sizelimit"))
			strbuf_printf(sb, "%lu\n", lo->sizelimit);
		else if (!strcmp(what, "autoclear"))
			strbuf_printf(sb, "%u\n", !!(lo->flags & LO_FLAGS_AUTOCLEAR));
		else if (!strcmp(what, "partscan"))
			strbuf_printf(sb, "%u\n", !!(lo->flags & LO_FLAGS_PARTSCAN));
		else
			strbuf_puts(sb, "0\n");
	}
	mutex_unlock(&dev->disk->open_lock);
	return err;
}

/* ---- /dev/loop-control: control_lock held ---- */

static void
loop_release(struct disk *disk)
{
	kfree(disk->private);
}

static int
loop_create(u32 number)
{
	struct loop *lo = kzalloc(sizeof(*lo), GFP_KERNEL);
	struct disk *disk = lo ? disk_create(1, DEPTH, 0) : NULL;
	int err;

	if (!disk) {
		kfree(lo);
		return -ENOMEM;
	}
	lo->number = number;
	lo->disk = disk;
	lo->stop = true;
	wait_queue_init(&lo->wait);
	disk->ops = &loop_disk_ops;
	disk->private = lo;
	disk->major = LOOP_MAJOR;
	disk->first_minor = number;
	disk->minors = 1;
	disk->no_partitions = true;
	snprintf(disk->name, sizeof(disk->name), "loop%u", number);
	err = xa_insert(&loops, number, lo);
	if (err == -EBUSY)
		err = -EEXIST;
	if (!err) {
		err = disk_register(disk);
		if (err)
			xa_erase(&loops, number);
	}
	if (err)
		disk_put(disk);
	return err ? err : (int)number;
}

static int
loop_remove(u32 number)
{
	struct loop *lo = xa_load(&loops, number);
	struct disk *disk;
	bool busy;

	if (!lo)
		return -ENODEV;
	disk = lo->disk;
	mutex_lock(&disk->open_lock);
	busy = disk->open_count || lo->file;
	if (!busy)
		disk->live = false;
	mutex_unlock(&disk->open_lock);
	if (busy)
		return -EBUSY;
	xa_erase(&loops, number);
	disk_unregister(disk);
	disk_put(disk);
	return 0;
}

static int
loop_get_free(void)
{
	struct loop *lo;
	u64 number, next = 0;

	xa_for_each(&loops, number, lo)
	{
		if (!READ_ONCE(lo->file) && !READ_ONCE(lo->disk->open_count))
			return (int)number;
	}
	return xa_find_free(&loops, &next, NUMBER_MAX - 1) ? loop_create((u32)next) : -ENOSPC;
}

static int
loop_add(s32 number)
{
	u64 next = 0;

	if (number >= (s32)NUMBER_MAX)
		return -EINVAL;
	if (number >= 0)
		return loop_create((u32)number);
	return xa_find_free(&loops, &next, NUMBER_MAX - 1) ? loop_create((u32)next) : -ENOSPC;
}

static long
control_ioctl(struct file *f, u32 cmd, u64 arg)
{
	long ret = -ENOSYS;

	mutex_lock(&control_lock);
	switch (cmd) {
	case LOOP_CTL_ADD: ret = loop_add((s32)arg); break;
	case LOOP_CTL_REMOVE: ret = (s32)arg < 0 ? -EINVAL : loop_remove((u32)arg); break;
	case LOOP_CTL_GET_FREE: ret = loop_get_free(); break;
	default: break;
	}
	mutex_unlock(&control_lock);
	return ret;
}

static const struct file_ops control_file_ops = {
	.ioctl = control_ioctl,
	.seek = file_seek_fixed_none,
};

static struct device control = {
	.name = "loop-control",
	.class_name = "misc",
	.dev = DEV_MAKE(MISC_MAJOR, CONTROL),
	.mode = S_IFCHR | 0660,
	.ops = &control_file_ops,
};

void
loop_init(void)
{
	(void)device_add(&control);
}

static const struct disk_ops loop_disk_ops = {
	.queue = loop_queue,
	.commit = loop_commit,
	.release = loop_release,
	.close = loop_close,
	.ioctl = loop_ioctl,
};
