/* SPDX-License-Identifier: MIT */
/*
 * unshare(2). Everything new is made first, then installed under task->lock, so a failure changes
 * nothing. A new pid namespace is for the children.
 */
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "ipc/sysv.h"
#include "mm/mm.h"
#include "ns/ns.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

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
	struct cred *cred = NULL;
	int r;

	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	r = unshare_check(flags);
	if (r == 0 && (flags & CLONE_FS) && ref_read(&current->fs->ref) > 1)
		r = fs_context_dup(current->fs, &fs);
	if (r)
		return r;
	if (flags & CLONE_NEWUSER) {
		cred = cred_dup(current->cred);
		r = cred ? nsset_new_user(cred) : -ENOMEM;
	}
	if (r == 0 && (flags & UNSHARE_NEW))
		r = nsset_copy(current->ns, flags & (UNSHARE_NEW & ~CLONE_NEWUSER),
			       cred ? cred : current->cred, &ns);
	if (r == 0 && (flags & CLONE_FILES))
		r = fd_table_unshare();
	if (r) {
		if (fs)
			fs_context_put(fs);
		if (ns)
			nsset_put(ns);
		if (cred)
			cred_put(cred);
		return r;
	}
	if (fs)
		fs_commit(fs);
	if (flags & (CLONE_SYSVSEM | CLONE_NEWIPC))
		sem_exit(current);
	if (ns) {
		if (flags & CLONE_NEWNS)
			mount_ns_move_fs(ns->mnt, current->fs);
		nsset_commit(ns);
	}
	if (cred)
		cred_commit(cred);
	return 0;
}
