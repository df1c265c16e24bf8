/* SPDX-License-Identifier: MIT */
/* Namespaces: their sets and the UTS kind. The files behind /proc/PID/ns/ are made by fs/proc with
 * ns_file_open. */
#ifndef NS_NS_H
#define NS_NS_H

#include "task/nsset.h"

struct task;

void ns_init(void); /* after the first mount namespace is there */

/* A private copy to edit; NULL: no memory. */
struct nsset *nsset_dup(const struct nsset *old);
/* The current task moves; takes over the reference. */
void nsset_commit(struct nsset *n);

void uts_init(void);
struct uts_ns *uts_ns_get(struct uts_ns *u);
void uts_ns_put(struct uts_ns *u);
struct uts_ns *uts_ns_copy(struct uts_ns *old, struct user_ns *owner);

/* uname(2)'s constants, for /proc/version and /proc/sys/kernel. */
extern const char uts_sysname[], uts_release[], uts_version[];
/* The host or domain name of a namespace, at most 64 characters. */
void uts_read(struct uts_ns *u, bool domain, char out[65]);
int
uts_write(struct uts_ns *u, bool domain, const char *name, size_t len); /* 0 or -EINVAL: too long */

/*
 * kind: CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC or CLONE_NEWPID, the last also with
 * NS_FOR_CHILDREN. The identity of a task's namespace (0: the task has exited), the name of its
 * kind, and a place that stands for it and can be opened: referenced, or -ENOENT, -ENOMEM.
 */
#define NS_FOR_CHILDREN 1
struct path;
u64 ns_inum(struct task *t, u64 kind);
const char *ns_kind_name(u64 kind);
int ns_path(struct task *t, u64 kind, struct path *out);
#endif
