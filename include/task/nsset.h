/* SPDX-License-Identifier: MIT */
/* The namespaces a task is in. Objects of rooms above are opaque here; each owner registers how to
 * get and put its kind. namespaces(7). */
#ifndef TASK_NSSET_H
#define TASK_NSSET_H

#include "core/ref.h"
#include "lib/types.h"

struct mount_ns;
struct user_ns;
struct uts_ns;
struct ipc_ns;
struct net_ns;
struct pid_ns;
struct cgroup_ns;
struct cred;
struct time_ns;

/* Immutable after creation; replaced as a whole. */
struct nsset {
	struct ref ref;
	struct uts_ns *uts;
	struct ipc_ns *ipc;
	struct mount_ns *mnt;
	struct net_ns *net;
	struct pid_ns *pid_for_children;
	struct cgroup_ns *cgroup;
};

extern struct nsset root_nsset; /* of pid 1 */
struct nsset *nsset_get(struct nsset *n);
void nsset_put(struct nsset *n);
/* ns/nsset.c: a copy with the namespaces of `clone_flags` (CLONE_NEW*) made new, which belong to
 * cred's user namespace. 0, -EINVAL, -EPERM, -ENOMEM, -ENOSPC. */
int nsset_copy(struct nsset *old, u64 clone_flags, const struct cred *cred, struct nsset **out);
/* CLONE_NEWUSER: a user namespace for cred, if the caller may make one. 0, -EPERM, -ENOSPC,
 * -ENOMEM. */
int nsset_new_user(struct cred *cred);

struct uts_ns {
	struct ref ref;
	struct user_ns *owner; /* [I] referenced; so in every kind */
	u64 inum;
	char nodename[65], domainname[65]; /* under uts_lock, ns/uts.c */
};
extern struct uts_ns root_uts_ns;
#endif
