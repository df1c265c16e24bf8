/* SPDX-License-Identifier: MIT */
/*
 * /dev/random, /dev/urandom and getrandom(2): user space's doors to core/random.c, random(4).
 *
 * The generator is seeded before the first program runs, so nothing here ever blocks and the two
 * devices are the same.
 */
#include "core/random.h"
#include "drivers/random/random.h"
#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/chacha20.h"
#include "lib/string.h"
#include "mm/iter.h"
#include "sched/sched.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/major.h"
#include "uapi/random.h"
#include "uapi/stat.h"

#define ENTROPY_BITS 256

/* Long requests stop at a signal, but the first 256 bytes always come whole: getrandom(2). */
static ssize_t
random_fill(struct iov_iter *it)
{
	size_t want = iter_count(it), done = 0;
	struct chacha20 c;
	u8 buf[256];

	if (want == 0)
		return 0;
	if (want <= 32) {
		random_bytes(buf, want);
		done = iter_copy_to(it, buf, want);
		memset(buf, 0, want);
		barrier();
		return done ? (ssize_t)done : -EFAULT;
	}
	random_stream_init(&c);
	while (done < want) {
		size_t n = MIN(want - done, sizeof(buf));

		chacha20_stream(&c, buf, sizeof(buf));
		size_t copied = iter_copy_to(it, buf, n);
		done += copied;
		if (copied < n)
			break;
		if (done >= 256 && (done & 4095) == 0) {
			sched_cond_resched();
			if (thread_signal_pending(thread_current()))
				break;
		}
	}
	memset(&c, 0, sizeof(c));
	memset(buf, 0, sizeof(buf));
	barrier();
	return done ? (ssize_t)done : -EFAULT;
}

long
sys_getrandom(user_ptr buf, size_t count, u32 flags)
{
	struct iov_iter it;

	if (flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
		return -EINVAL;
	if (!user_range_ok(buf, count))
		return -EFAULT;
	iter_init_user(&it, true, buf, MIN(count, (size_t)INT32_MAX));
	return random_fill(&it);
}

static ssize_t
random_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	return random_fill(it);
}

static ssize_t
random_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	size_t done = 0;
	u8 buf[256];

	while (iter_count(it)) {
		size_t n = iter_copy_from(it, buf, MIN(iter_count(it), sizeof(buf)));

		if (n == 0)
			return done ? (ssize_t)done : -EFAULT;
		random_add(buf, n);
		done += n;
		sched_cond_resched();
	}
	return (ssize_t)done;
}

/* struct rand_pool_info: entropy bits, buffer size, then the bytes. */
static long
random_add_entropy(user_ptr arg)
{
	s32 head[2];
	u8 buf[256];
	int r = copy_from_user(head, arg, sizeof(head));

	if (r)
		return r;
	if (head[0] < 0 || head[1] < 0)
		return -EINVAL;
	for (size_t done = 0; done < (size_t)head[1];) {
		size_t n = MIN((size_t)head[1] - done, sizeof(buf));

		r = copy_from_user(buf, user_ptr_add(arg, sizeof(head) + done), n);
		if (r)
			return r;
		random_add(buf, n);
		done += n;
		sched_cond_resched();
		if (signal_fatal_pending(current))
			return -EINTR;
	}
	random_reseed();
	return 0;
}

static long
random_ioctl(struct file *f, u32 cmd, u64 arg)
{
	user_ptr p = user_ptr_of(arg);
	s32 bits;
	int r;

	switch (cmd) {
	case RNDGETENTCNT: return put_user(p, (s32)ENTROPY_BITS);
	case RNDADDTOENTCNT:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		r = get_user(&bits, p);
		if (r)
			return r;
		return bits < 0 ? -EINVAL : 0; /* the pool's credit is full already */
	case RNDADDENTROPY:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		return random_add_entropy(p);
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
		/* Linux too only resets the credit, which is never below full once seeded. */
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	case RNDRESEEDCRNG:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		random_reseed();
		return 0;
	}
	return -ENOTTY;
}

static const struct file_ops random_file_ops = {
	.read = random_read,
	.write = random_write,
	.ioctl = random_ioctl,
	.seek = file_seek_fixed_none,
};

static struct device random_devices[] = {
	{ .name = "random",
	  .class_name = "mem",
	  .dev = DEV_MAKE(MEM_MAJOR, 8),
	  .mode = S_IFCHR | 0666,
	  .ops = &random_file_ops },
	{ .name = "urandom",
	  .class_name = "mem",
	  .dev = DEV_MAKE(MEM_MAJOR, 9),
	  .mode = S_IFCHR | 0666,
	  .ops = &random_file_ops },
};

void
random_devices_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(random_devices); i++)
		(void)device_add(&random_devices[i]);
}
