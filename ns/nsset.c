/* SPDX-License-Identifier: MIT */
/*
 * The set of namespaces that a task is in. A set never changes once a task has it: unshare, setns
 * and clone make another one. Each kind of namespace lives with its noun (mounts in fs/vfs, pids in
 * task); here they are held together.
 *
 * The user namespace is not in the set but in the credentials: it comes first, and owns the others
 * that are made with it. Network, cgroup and time namespaces are not built: EINVAL, as on such a
 * Linux.
 */
#include "task/nsset.h"

#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "ipc/sysv.h"
#include "mm/slab.h"
#include "ns/ns.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

#define NS_BUILT (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID)

struct nsset root_nsset = {
	.ref = REF_INIT,
	.uts = &root_uts_ns,
	.pid_for_children = &root_pid_ns,
};

void
ns_init(void)
{
	root_nsset.mnt = root_mount_ns;
	root_nsset.ipc = ipc_ns_root();
	uts_init();
}

struct nsset *
nsset_get(struct nsset *n)
{
	ref_get(&n->ref);
	return n;
}

void
nsset_put(struct nsset *n)
{
	if (!ref_put(&n->ref))
		return;
	uts_ns_put(n->uts);
	ipc_ns_put(n->ipc);
	mount_ns_put(n->mnt);
	pid_ns_put(n->pid_for_children);
	kfree(n);
}

struct nsset *
nsset_dup(const struct nsset *old)
{
	struct nsset *n = kzalloc(sizeof(*n), GFP_KERNEL);

	if (!n)
		return NULL;
	ref_init(&n->ref);
	n->uts = uts_ns_get(old->uts);
	n->ipc = ipc_ns_get(old->ipc);
	n->mnt = mount_ns_get(old->mnt);
	n->pid_for_children = old->pid_for_children;
	pid_ns_get(n->pid_for_children);
	return n;
}

int
nsset_new_user(struct cred *cred)
{
	/* Who is locked into a chroot does not become root of another. */
	return fs_is_chrooted() ? -EPERM : user_ns_enter_new(cred);
}

int
nsset_copy(struct nsset *old, u64 flags, const struct cred *cred, struct nsset **out)
{
	struct user_ns *owner = cred->user_ns;
	struct mount_ns *mnt = NULL;
	struct uts_ns *uts = NULL;
	struct pid_ns *pid = NULL;
	struct nsset *n;
	int r;

	if (!flags) {
		*out = nsset_get(old);
		return 0;
	}
	if (!cred_ns_capable(cred, owner, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(u64)NS_BUILT)
		return -EINVAL;
	n = nsset_dup(old);
	if (!n)
		return -ENOMEM;
	r = -ENOSPC;
	if ((flags & CLONE_NEWPID) && old->pid_for_children->level + 1 >= PID_NS_MAX_LEVEL)
		goto out_put;
	r = -ENOMEM;
	if (flags & CLONE_NEWPID) {
		pid = pid_ns_create(old->pid_for_children, owner);
		if (!pid)
			goto out_put;
		pid_ns_put(n->pid_for_children);
		n->pid_for_children = pid;
	}
	if (flags & CLONE_NEWUTS) {
		uts = uts_ns_copy(old->uts, owner);
		if (!uts)
			goto out_put;
		uts_ns_put(n->uts);
		n->uts = uts;
	}
	if (flags & CLONE_NEWIPC) {
		struct ipc_ns *ipc = ipc_ns_create(owner);
		if (!ipc)
			goto out_put;
		ipc_ns_put(n->ipc);
		n->ipc = ipc;
	}
	if (flags & CLONE_NEWNS) {
		r = mount_ns_copy(old->mnt, owner, &mnt);
		if (r)
			goto out_put;
		mount_ns_put(n->mnt);
		n->mnt = mnt;
	}
	*out = n;
	return 0;

out_put:
	nsset_put(n);
	return r;
}
