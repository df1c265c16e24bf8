/* SPDX-License-Identifier: MIT */
/*
 * /proc: a directory for each process of the reader's pid namespace beside the system's files.
 *
 * The tree is tables of the pseudo-file library. What is below a process's directory has a struct
 * proc_ref as context, which holds a reference on the task; process names are looked up again at
 * each use, so a recycled number never shows an old process.
 */
#include "fs/proc/proc.h"

#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc_internal.h"
#include "task/access.h"
#include "task/task.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"
#include "uapi/magic.h"

#define FIRST_PID_INO 0x10000

struct proc_ref *
proc_ref_create(struct task *t, int fd, bool thread)
{
	struct proc_ref *r = kmalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	ref_init(&r->ref);
	task_get(t);
	r->task = t;
	r->fd = fd;
	r->thread = thread;
	return r;
}

void
proc_ref_put(struct proc_ref *r)
{
	if (ref_put(&r->ref)) {
		task_put(r->task);
		kfree(r);
	}
}

static void
ctx_get(void *ctx)
{
	struct proc_ref *r = ctx;

	if (r)
		ref_get(&r->ref);
}

static void
ctx_put(void *ctx)
{
	if (ctx)
		proc_ref_put(ctx);
}

static const struct pseudo_ctx_ops ctx_ops = { .get = ctx_get, .put = ctx_put };

bool
proc_ref_alive(const struct proc_ref *r)
{
	rcu_read_lock();
	const struct pid *pid = READ_ONCE(r->task->pid);
	bool alive = pid && READ_ONCE(pid->task) == r->task;
	rcu_read_unlock();
	return alive;
}

int
proc_ref_access(const struct proc_ref *r)
{
	if (!proc_ref_alive(r))
		return -ESRCH;
	return task_may_access(r->task, false) ? -EACCES : 0;
}

int
proc_ref_mm(const struct proc_ref *r, struct mm **mm)
{
	*mm = NULL;
	if (!proc_ref_alive(r))
		return -ESRCH;
	return task_access_mm(r->task, false, mm) ? -EACCES : 0;
}

int
proc_number(const char *name, size_t len)
{
	u64 n = 0;

	if (!len || len > 10 || (name[0] == '0' && len > 1))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + (u64)(name[i] - '0');
	}
	return n > INT32_MAX ? -1 : (int)n;
}

/* ---- the directories of processes ---- */

static int
fill_node(struct task *t, bool thread, struct pseudo_node *out)
{
	struct proc_ref *r = proc_ref_create(t, -1, thread);

	if (!r)
		return -ENOMEM;
	rcu_read_lock();
	const struct cred *c = rcu_dereference(t->cred);
	out->uid = c ? c->euid : 0;
	out->gid = c ? c->egid : 0;
	rcu_read_unlock();
	out->entry = thread ? &thread_dir : &pid_dir;
	out->ctx = r;
	out->ino = FIRST_PID_INO + (u64)task_tid(t) * 2 + thread;
	out->volatile_name = true;
	return 0;
}

static int
root_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	int nr = proc_number(name, len), r;

	if (nr <= 0)
		return -ENOENT;
	/* Any thread's number opens its own directory, though only processes are listed. */
	struct task *t = task_find(nr);
	if (!t)
		return -ENOENT;
	r = fill_node(t, false, out);
	task_put(t);
	return r;
}

static int
root_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	int nr = (int)(dc->pos - first);
	struct process *p;
	char name[12];

	for (; (p = process_next(&nr)) != NULL; nr++) {
		size_t len = format_u64(name, (u64)nr);

		process_put(p);
		if (!dc->emit(dc, name, len, FIRST_PID_INO + (u64)nr * 2, DT_DIR,
			      first + (u64)nr + 1))
			return 0;
		dc->pos = first + (u64)nr + 1;
	}
	return 0;
}

static int
self_link(char *buf, size_t size, void *ctx)
{
	int pid = current_pid();

	return pid ? (int)scnprintf(buf, size, "%d", pid) : -ENOENT;
}

static int
thread_self_link(char *buf, size_t size, void *ctx)
{
	int pid = current_pid();

	return pid ? (int)scnprintf(buf, size, "%d/task/%d", pid, task_tid(current)) : -ENOENT;
}

static int
self_mounts(char *buf, size_t size, void *ctx)
{
	return scnprintf(buf, size, "self/mounts");
}

static int
self_net(char *buf, size_t size, void *ctx)
{
	return scnprintf(buf, size, "self/net");
}

static struct pseudo_entry root_entries[64] = {
	{ .name = "self", .mode = S_IFLNK | 0777, .link = self_link },
	{ .name = "thread-self", .mode = S_IFLNK | 0777, .link = thread_self_link },
	{ .name = "mounts", .mode = S_IFLNK | 0777, .link = self_mounts },
	{ .name = "net", .mode = S_IFLNK | 0777, .link = self_net },
	{ .name = "sys", .mode = S_IFDIR | 0555, .children = sys_entries },
};

static const struct pseudo_entry root_dir = {
	.name = "",
	.mode = S_IFDIR | 0555,
	.children = root_entries,
	.lookup_dynamic = root_lookup,
	.readdir_dynamic = root_readdir,
};

static int
proc_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	   struct super **out)
{
	if (!ns_capable(current_pid_ns()->owner, CAP_SYS_ADMIN))
		return -EPERM;
	return pseudo_super_create(type, PROC_SUPER_MAGIC, &root_dir, NULL, &ctx_ops, out);
}

struct fs_type proc_fs_type = {
	.name = "proc",
	.flags = FS_USER_MOUNT | FS_NO_NEW_NAMES,
	.magic = PROC_SUPER_MAGIC,
	.mount = proc_mount,
};

void
proc_fs_register(void)
{
	u32 n = 5;

	proc_pid_tables_init();
	for (const struct pseudo_entry *e = system_entries;
	     e->name && n < ARRAY_SIZE(root_entries) - 1; e++)
		root_entries[n++] = *e;
	fs_register(&proc_fs_type);
	(void)pseudo_declare(&proc_fs_type, &root_dir);
}
