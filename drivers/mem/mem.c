/* SPDX-License-Identifier: MIT */
/* /dev/null, /dev/zero and /dev/full: null(4), full(4). A private mapping of /dev/zero is anonymous
 * memory. */
#include "drivers/mem/mem.h"

#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "mem_internal.h"
#include "mm/iter.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/major.h"
#include "uapi/stat.h"

#define ZERO_CHUNK (256 * 1024)

static ssize_t
null_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	return 0;
}

static ssize_t
null_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	size_t n = iter_count(it);

	iter_advance(it, n);
	return (ssize_t)n;
}

static ssize_t
zero_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	size_t done = 0;

	while (iter_count(it)) {
		size_t want = MIN(iter_count(it), (size_t)ZERO_CHUNK);
		size_t n = iter_zero(it, want);

		done += n;
		if (n < want)
			return done ? (ssize_t)done : -EFAULT;
		if (iter_count(it)) {
			sched_cond_resched();
			if (thread_signal_pending(thread_current()))
				break;
		}
	}
	return (ssize_t)done;
}

static ssize_t
full_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	return iter_count(it) ? -ENOSPC : 0;
}

/* Nothing to add to the request: without a mapping behind it it is anonymous, shared or private as
 * asked. */
static int
zero_mmap(struct file *f, struct mm_map_request *rq)
{
	return 0;
}

static const struct file_ops null_file_ops = {
	.read = null_read,
	.write = null_write,
	.seek = file_seek_fixed_none,
};

static const struct file_ops zero_file_ops = {
	.read = zero_read,
	.write = null_write,
	.seek = file_seek_fixed_none,
	.mmap = zero_mmap,
};

static const struct file_ops full_file_ops = {
	.read = zero_read,
	.write = full_write,
	.seek = file_seek_fixed_none,
};

static struct device mem_devices[] = {
	{ .name = "null",
	  .class_name = "mem",
	  .dev = DEV_MAKE(MEM_MAJOR, 3),
	  .mode = S_IFCHR | 0666,
	  .ops = &null_file_ops },
	{ .name = "zero",
	  .class_name = "mem",
	  .dev = DEV_MAKE(MEM_MAJOR, 5),
	  .mode = S_IFCHR | 0666,
	  .ops = &zero_file_ops },
	{ .name = "full",
	  .class_name = "mem",
	  .dev = DEV_MAKE(MEM_MAJOR, 7),
	  .mode = S_IFCHR | 0666,
	  .ops = &full_file_ops },
	{ .name = "kmsg",
	  .class_name = "mem",
	  .dev = DEV_MAKE(MEM_MAJOR, 11),
	  .mode = S_IFCHR | 0644,
	  .ops = &kmsg_file_ops },
};

void
mem_devices_init(void)
{
	kmsg_init();
	for (u32 i = 0; i < ARRAY_SIZE(mem_devices); i++)
		(void)device_add(&mem_devices[i]);
}
