/* SPDX-License-Identifier: MIT */
/* Credentials: immutable once installed, replaced as a whole, read by others under RCU.
 * capabilities(7), credentials(7). */
#ifndef TASK_CRED_H
#define TASK_CRED_H

#include "core/rcu.h"
#include "core/ref.h"
#include "lib/types.h"
#include "uapi/capability.h"

struct user_ns;
struct user_account; /* per-uid counters: processes, pending signals, locked memory, pipes;
			task/cred.c */

struct group_list {
	struct ref ref;
	u32 count;
	u32 gids[]; /* sorted */
};

struct cred {
	struct ref ref;
	u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	u32 securebits;
	u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	struct group_list *groups;
	struct user_account *user;
	struct user_ns *user_ns;
	struct rcu_head rcu;
};

struct task;
extern struct cred init_cred;
extern struct user_ns root_user_ns;

const struct cred *current_cred(void); /* stable for the caller; no reference */
struct cred *cred_get(struct cred *c);
void cred_put(struct cred *c);
struct cred *task_get_cred(struct task *t);    /* referenced */
struct cred *cred_dup(const struct cred *old); /* a private copy to edit; NULL: no memory */
void cred_commit(struct cred *new);	       /* becomes the current task's; takes the reference */
bool cred_in_group(const struct cred *c, u32 gid); /* fsgid/egid + supplementary */
/* In the first user namespace. */
static inline bool
cred_capable(const struct cred *c, int cap)
{
	return (c->cap_effective & (1ull << cap)) && c->user_ns == &root_user_ns;
}
bool capable(int cap); /* of the current task */
/* In any namespace: task/user_ns.h. */
bool cred_ns_capable(const struct cred *c, const struct user_ns *ns, int cap);
bool ns_capable(const struct user_ns *ns, int cap);
/* The current task, towards something that belongs to these ids (an inode): in its own namespace,
 * if that has them. */
bool ids_capable(u32 uid, u32 gid, int cap);
/* exec: new ids and capabilities for a file with set-id bits or file capabilities, by
 * capabilities(7). `secure` out: AT_SECURE. */
int cred_for_exec(struct cred *new, bool setuid, u32 uid, bool setgid, u32 gid, bool has_fcaps,
		  u64 f_permitted, u64 f_inheritable, bool f_effective, bool *secure);

struct user_account *user_account_get(struct user_account *u);
void user_account_put(struct user_account *u);
/* Find or make the account of a uid. NULL: no memory. */
struct user_account *user_account_find(u32 uid);
/* Per-user counters with a limit; false when over the limit. */
bool user_count_processes(struct user_account *u, int delta, u64 limit);
bool user_exceeds_processes(const struct user_account *u, u64 limit); /* root never does */
u32 user_sigpending(const struct user_account *u);		      /* for /proc/PID/status */
bool user_count_sigpending(struct user_account *u, int delta, u64 limit);
bool user_count_mq_bytes(struct user_account *u, s64 delta, u64 limit);
bool user_count_in_flight(struct user_account *u, int delta, u64 limit); /* SCM_RIGHTS */
bool user_count_inotify_groups(struct user_account *u, int delta, u64 limit);
bool user_count_inotify_watches(struct user_account *u, int delta, u64 limit);
bool user_count_epoll_watches(struct user_account *u, int delta, u64 limit);
bool user_count_pipe_pages(struct user_account *u, int delta, u64 limit);
#endif
