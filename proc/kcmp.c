/* SPDX-License-Identifier: MIT */
/*
 * kcmp(2): do two tasks share an object? Different ones are told apart by an order of their
 * addresses under a secret that differs by kind, so that the order reveals no address.
 */
#include "core/random.h"
#include "fs/vfs/file.h"
#include "generated/syscalls.h"
#include "task/access.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/pidfd.h"

#define KCMP_KINDS 8

static u64 secrets[KCMP_KINDS][2];

static int
kcmp_order(const void *a, const void *b, int kind)
{
	u64 *secret = secrets[kind];

	/* Filled by the first caller; two at once may disagree about an order, never about
	 * equality. */
	if (!READ_ONCE(secret[1])) {
		WRITE_ONCE(secret[0], random_u64());
		WRITE_ONCE(secret[1], random_u64() | 1);
	}
	u64 x = ((u64)(uintptr_t)a ^ secret[0]) * secret[1],
	    y = ((u64)(uintptr_t)b ^ secret[0]) * secret[1];
	return x == y ? 0 : x < y ? 1 : 2;
}

static struct file *
task_file(struct task *t, unsigned long fd)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct fd_table *files = t->files ? fd_table_get(t->files) : NULL;
	struct file *f;

	spin_unlock_irqrestore(&t->lock, flags);
	if (!files)
		return NULL;
	f = fd > INT32_MAX ? NULL : fd_table_find(files, (int)fd);
	fd_table_put(files);
	return f;
}

static long
kcmp_files(struct task *a, struct task *b, unsigned long fd_a, unsigned long fd_b)
{
	struct file *x = task_file(a, fd_a), *y = task_file(b, fd_b);
	long r = x && y ? kcmp_order(x, y, KCMP_FILE) : -EBADF;

	if (x)
		file_put(x);
	if (y)
		file_put(y);
	return r;
}

static long
kcmp_tasks(struct task *a, struct task *b, int kind, unsigned long index1, unsigned long index2)
{
	switch (kind) {
	case KCMP_FILE: return kcmp_files(a, b, index1, index2);
	case KCMP_VM: return kcmp_order(READ_ONCE(a->thread.mm), READ_ONCE(b->thread.mm), kind);
	case KCMP_FILES: return kcmp_order(READ_ONCE(a->files), READ_ONCE(b->files), kind);
	case KCMP_FS: return kcmp_order(READ_ONCE(a->fs), READ_ONCE(b->fs), kind);
	case KCMP_SIGHAND:
		return kcmp_order(READ_ONCE(a->process->sighand), READ_ONCE(b->process->sighand),
				  kind);
	case KCMP_IO: /* nobody has an I/O context or undo list of his own */
	case KCMP_SYSVSEM: return 0;
	default: return kind == KCMP_EPOLL_TFD ? -EOPNOTSUPP : -EINVAL;
	}
}

long
sys_kcmp(int pid1, int pid2, int kind, unsigned long index1, unsigned long index2)
{
	struct task *a = task_find(pid1), *b = task_find(pid2);
	long r = -ESRCH;

	if (a && b) {
		r = task_may_access(a, true);
		if (r == 0)
			r = task_may_access(b, true);
		if (r == 0)
			r = kcmp_tasks(a, b, kind, index1, index2);
	}
	if (a)
		task_put(a);
	if (b)
		task_put(b);
	return r;
}
