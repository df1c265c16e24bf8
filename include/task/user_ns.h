/* SPDX-License-Identifier: MIT */
/*
 * User namespaces: user_namespaces(7).
 *
 * Ids in struct cred, inodes and everywhere else in the kernel are those of the first namespace.
 * Programs see their own: ids that come from one or go to one are translated at the edge, by the
 * functions below. A capability is had in a namespace: capable() asks about the first, ns_capable
 * about another, and nothing else decides.
 */
#ifndef TASK_USER_NS_H
#define TASK_USER_NS_H

#include "core/ref.h"
#include "task/cred.h"

#define ID_NONE	    0xffffffffu
#define ID_OVERFLOW 65534u /* what a program sees of an id that its namespace does not have */

#define ID_EXTENTS_MAX 340

struct id_extent {
	u32 first, lower, count; /* ids here; in the first namespace */
};

/* Set once, never changed. */
struct id_map {
	u32 count;
	struct id_extent extents[];
};

struct user_ns {
	struct ref ref;
	struct user_ns *parent;	   /* [I] referenced; NULL: the first */
	u32 level;		   /* [I] */
	u32 owner, group;	   /* [I] of who made it */
	bool parent_could_setfcap; /* [I] */
	u64 inum;
	struct id_map *uids, *gids; /* NULL: not yet written; read with acquire */
	bool setgroups_denied;	    /* user_ns_lock */
};

struct user_ns *user_ns_get(struct user_ns *ns);
void user_ns_put(struct user_ns *ns);
/* A child of new's namespace becomes new's, with every capability in it. 0, -ENOSPC, -EPERM,
 * -ENOMEM. */
int user_ns_enter_new(struct cred *new);
/* setns(2): all capabilities in ns, which takes a reference. */
void user_ns_enter(struct cred *new, struct user_ns *ns);

/* ID_NONE: the namespace has no such id. */
u32 uid_from_user(const struct user_ns *ns, u32 id);
u32 gid_from_user(const struct user_ns *ns, u32 id);
u32 uid_to_user(const struct user_ns *ns, u32 uid);
u32 gid_to_user(const struct user_ns *ns, u32 gid);
/* As the current task sees it, ID_OVERFLOW if it has none. */
u32 uid_shown(u32 uid);
u32 gid_shown(u32 gid);
/* As the namespace of a receiver sees it. */
u32 uid_shown_to(const struct user_ns *ns, u32 uid);

bool user_ns_is_below(const struct user_ns *ns, const struct user_ns *top); /* or the same */
/* May it use setgroups(2)? */
bool user_ns_may_setgroups(struct user_ns *ns);

/* /proc/PID/setgroups: 0, -EPERM, -EINVAL. */
int user_ns_set_setgroups(struct user_ns *ns, bool allow);
/* /proc/PID/uid_map, gid_map: written by the current task into a file that `opener` opened. */
int user_ns_write_map(struct user_ns *ns, bool gids, const struct cred *opener, const char *text);
struct strbuf;
void user_ns_show_map(const struct user_ns *ns, bool gids, struct strbuf *sb);
#endif
