/* SPDX-License-Identifier: MIT */
/*
 * unshare(2), setns(2), and the files that stand for namespaces (/proc/PID/ns/NAME, or a pidfd).
 *
 * Everything new is made first, then installed under task->lock, so a failure changes nothing. A
 * new pid namespace is for the children.
 */
#include "core/random.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "ns/ns.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

#define NS_KINDS (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID)
#define UNSHARE_NEW                                                                \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP | CLONE_NEWUSER | CLONE_NEWTIME)
#define UNSHARE_KNOWN                                                                     \
	(UNSHARE_NEW | CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | \
	 CLONE_SYSVSEM)

void
nsset_commit(struct nsset *n)
{
	struct task *t = current;

	spin_lock_irq(&t->lock);
	struct nsset *old = t->ns;
	t->ns = n;
	spin_unlock_irq(&t->lock);
	nsset_put(old);
}

static void
fs_commit(struct fs_context *fs)
{
	struct task *t = current;

	spin_lock_irq(&t->lock);
	struct fs_context *old = t->fs;
	t->fs = fs;
	spin_unlock_irq(&t->lock);
	fs_context_put(old);
}

/* Threads of one process, and users of one address space, cannot part. */
static int
unshare_check(u64 flags)
{
	if (flags & ~(u64)UNSHARE_KNOWN)
		return -EINVAL;
	if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) {
		if (READ_ONCE(current->process->nr_threads) > 1)
			return -EINVAL;
	}
	if ((flags & (CLONE_SIGHAND | CLONE_VM)) && ref_read(&current->process->sighand->ref) > 1)
		return -EINVAL;
	if ((flags & CLONE_VM) && atomic_read(&current->thread.mm->users) > 1)
		return -EINVAL;
	return 0;
}

long
sys_unshare(unsigned long flags)
{
	struct fs_context *fs = NULL;
	struct nsset *ns = NULL;
	int r;

	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	r = unshare_check(flags);
	if (r == 0 && (flags & CLONE_FS) && ref_read(&current->fs->ref) > 1)
		r = fs_context_dup(current->fs, &fs);
	if (r)
		return r;
	if (flags & UNSHARE_NEW)
		r = nsset_copy(current->ns, flags & UNSHARE_NEW, &ns);
	if (r == 0 && (flags & CLONE_FILES))
		r = fd_table_unshare();
	if (r) {
		if (fs)
			fs_context_put(fs);
		if (ns)
			nsset_put(ns);
		return r;
	}
	if (fs)
		fs_commit(fs);
	if (ns) {
		if (flags & CLONE_NEWNS)
			mount_ns_move_fs(ns->mnt, current->fs);
		nsset_commit(ns);
	}
	return 0;
}

/* ---- namespaces as files ---- */

struct ns_handle {
	u64 kind;
	struct nsset *set;  /* holds it, whatever else it holds */
	struct pid_ns *pid; /* CLONE_NEWPID: the one the task is in */
};

static const struct file_ops ns_file_ops;

static struct pid_ns *
task_pid_ns(struct task *t)
{
	return t->pid->numbers[t->pid->level].ns;
}

static struct nsset *
task_nsset(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct nsset *n = t->ns ? nsset_get(t->ns) : NULL;

	spin_unlock_irqrestore(&t->lock, flags);
	return n;
}

u64
ns_inum(struct task *t, u64 kind)
{
	struct nsset *n = task_nsset(t);
	u64 inum = 0;

	if (!n)
		return 0;
	switch (kind) {
	case CLONE_NEWNS: inum = mount_ns_inum(n->mnt); break;
	case CLONE_NEWUTS: inum = n->uts->inum; break;
	case CLONE_NEWPID: inum = task_pid_ns(t)->inum; break;
	}
	nsset_put(n);
	return inum;
}

int
ns_file_open(struct task *t, u64 kind, struct file **out)
{
	static const char *const names[] = { "mnt", "uts", "pid" };
	char name[40];
	struct ns_handle *h = kzalloc(sizeof(*h), GFP_KERNEL);
	int r;

	if (!h)
		return -ENOMEM;
	r = -ESRCH;
	h->kind = kind;
	h->set = task_nsset(t);
	if (!h->set)
		goto out_free;
	h->pid = task_pid_ns(t);
	pid_ns_get(h->pid);
	snprintf(name, sizeof(name), "%s:[%lu]",
		 names[kind == CLONE_NEWNS    ? 0
		       : kind == CLONE_NEWUTS ? 1
					      : 2],
		 ns_inum(t, kind));
	r = file_create_anon(name, &ns_file_ops, h, 0, FMODE_READ, out);
	if (r == 0)
		return 0;
	pid_ns_put(h->pid);
	nsset_put(h->set);
out_free:
	kfree(h);
	return r;
}

static void
ns_file_release(struct file *f)
{
	struct ns_handle *h = f->private;

	pid_ns_put(h->pid);
	nsset_put(h->set);
	kfree(h);
}

/* setns(2): one may enter a pid namespace only downwards. */
static bool
pid_ns_is_below(const struct pid_ns *ns, const struct pid_ns *top)
{
	while (ns && ns->level > top->level)
		ns = ns->parent;
	return ns == top;
}

static int
ns_enter(const struct ns_handle *h)
{
	struct nsset *n;
	int r = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (h->kind == CLONE_NEWPID && !pid_ns_is_below(h->pid, current_pid_ns()))
		return -EINVAL;
	/* Others would find themselves elsewhere. */
	if (h->kind == CLONE_NEWNS && (ref_read(&current->fs->ref) > 1 || !capable(CAP_SYS_CHROOT)))
		return ref_read(&current->fs->ref) > 1 ? -EINVAL : -EPERM;
	n = nsset_dup(current->ns);
	if (!n)
		return -ENOMEM;
	switch (h->kind) {
	case CLONE_NEWUTS:
		uts_ns_put(n->uts);
		n->uts = uts_ns_get(h->set->uts);
		break;
	case CLONE_NEWPID:
		pid_ns_put(n->pid_for_children);
		pid_ns_get(h->pid);
		n->pid_for_children = h->pid;
		break;
	case CLONE_NEWNS:
		r = mount_ns_enter(h->set->mnt, current->fs);
		if (r == 0) {
			mount_ns_put(n->mnt);
			n->mnt = mount_ns_get(h->set->mnt);
		}
		break;
	}
	if (r)
		nsset_put(n);
	else
		nsset_commit(n);
	return r;
}

long
sys_setns(int fd, int type)
{
	struct fd_ref ref = fd_lookup(fd);
	int r = -EINVAL;

	if (!ref.file)
		return -EBADF;
	if (ref.file->ops == &ns_file_ops) {
		const struct ns_handle *h = ref.file->private;

		if (type == 0 || (u64)(u32)type == h->kind)
			r = ns_enter(h);
	}
	fd_release(ref);
	return r;
}

static const struct file_ops ns_file_ops = {
	.release = ns_file_release,
};
