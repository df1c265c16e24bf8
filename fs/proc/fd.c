/* SPDX-License-Identifier: MIT */
/* /proc/PID/fd and fdinfo: a magic link, and a text, for each open descriptor. */
#include "fs/vfs/file.h"
#include "fs/vfs/mount.h"
#include "lib/string.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"

static struct fd_table *
table_of(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct fd_table *ft = t->files ? fd_table_get(t->files) : NULL;

	spin_unlock_irqrestore(&t->lock, flags);
	return ft;
}

static struct file *
file_of(const struct proc_ref *r)
{
	struct fd_table *ft = table_of(r->task);
	struct file *f = ft ? fd_table_find(ft, r->fd) : NULL;

	if (ft)
		fd_table_put(ft);
	return f;
}

static int
fd_follow(void *ctx, struct path *out)
{
	struct proc_ref *r = ctx;
	struct file *f = file_of(r);
	/* After the look: what a set-id program opens that it executes now is not for us. */
	int err = proc_ref_access(r);

	if (!err && !f)
		err = -ENOENT;
	if (!err) {
		*out = f->path;
		path_get(out);
	}
	if (f)
		file_put(f);
	return err;
}

static int
fdinfo_show(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	int err = proc_ref_access(r);

	if (err)
		return err;
	struct fd_table *ft = table_of(r->task);
	struct file *f = ft ? fd_table_find(ft, r->fd) : NULL;
	if (f) {
		u32 flags = f->flags | (fd_table_cloexec(ft, r->fd) ? O_CLOEXEC : 0);

		strbuf_printf(sb, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", f->pos, flags,
			      f->path.mnt->id, f->inode->ino);
		if (f->ops->show_fdinfo)
			f->ops->show_fdinfo(f, sb);
		file_put(f);
	}
	if (ft)
		fd_table_put(ft);
	return f ? 0 : -ENOENT;
}

/* Modes of the links say how the descriptor was opened. */
static const struct pseudo_entry fd_links[4] = {
	{ .name = "fd", .mode = S_IFLNK | 0, .follow = fd_follow },
	{ .name = "fd", .mode = S_IFLNK | 0500, .follow = fd_follow },
	{ .name = "fd", .mode = S_IFLNK | 0300, .follow = fd_follow },
	{ .name = "fd", .mode = S_IFLNK | 0700, .follow = fd_follow },
};
static const struct pseudo_entry fdinfo_file = { .name = "fdinfo",
						 .mode = S_IFREG | 0444,
						 .show = fdinfo_show };

static int
lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out, bool info)
{
	struct proc_ref *r = ctx;
	int fd = proc_number(name, len), err = proc_ref_access(r);

	if (err || fd < 0)
		return err ? err : -ENOENT;
	struct proc_ref *n = proc_ref_create(r->task, fd, r->thread);
	if (!n)
		return -ENOMEM;
	struct file *f = file_of(n);
	if (!f) {
		proc_ref_put(n);
		return -ENOENT;
	}
	u32 way = (f->mode & FMODE_READ ? 1 : 0) | (f->mode & FMODE_WRITE ? 2 : 0);
	file_put(f);
	*out = (struct pseudo_node){ .entry = info ? &fdinfo_file : &fd_links[way],
				     .ctx = n,
				     .volatile_name = true };
	rcu_read_lock();
	out->uid = rcu_dereference(r->task->cred)->euid;
	out->gid = rcu_dereference(r->task->cred)->egid;
	rcu_read_unlock();
	return 0;
}

static int
fd_lookup_name(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return lookup(ctx, name, len, out, false);
}

static int
fdinfo_lookup_name(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return lookup(ctx, name, len, out, true);
}

static int
list(void *ctx, struct dir_context *dc, u64 first, u8 type)
{
	struct proc_ref *r = ctx;
	int err = proc_ref_access(r);

	if (err)
		return err;
	struct fd_table *ft = table_of(r->task);
	if (!ft)
		return 0;
	for (int fd = (int)(dc->pos - first); (fd = fd_table_next(ft, fd)) >= 0; fd++) {
		char name[12];
		size_t len = format_u64(name, (u64)fd);

		if (!dc->emit(dc, name, len, 0x40000 + (u64)fd, type, first + (u64)fd + 1))
			break;
		dc->pos = first + (u64)fd + 1;
	}
	fd_table_put(ft);
	return 0;
}

static int
fd_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	return list(ctx, dc, first, DT_LNK);
}

static int
fdinfo_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	return list(ctx, dc, first, DT_REG);
}

/* One's own descriptors are always to be seen (a set-id program keeps /proc/self/fd). */
static int
fd_permission(void *ctx, int mask)
{
	struct proc_ref *r = ctx;

	if (r->task->process == current->process)
		return 0;
	return proc_ref_access(r);
}

const struct pseudo_entry fd_dir = {
	.name = "fd",
	.mode = S_IFDIR | 0500,
	.lookup_dynamic = fd_lookup_name,
	.readdir_dynamic = fd_readdir,
	.permission = fd_permission,
};

const struct pseudo_entry fdinfo_dir = {
	.name = "fdinfo",
	.mode = S_IFDIR | 0555,
	.lookup_dynamic = fdinfo_lookup_name,
	.readdir_dynamic = fdinfo_readdir,
};
