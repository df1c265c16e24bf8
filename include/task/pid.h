/* SPDX-License-Identifier: MIT */
/*
 * Process ids. A struct pid is a number (one per level of pid namespace) that outlives what it
 * names: it is held by its thread, by the process group and by the session of that number, and by
 * pidfds. Lookup is by RCU through the namespace's xarray.
 */
#ifndef TASK_PID_H
#define TASK_PID_H

#include "core/rcu.h"
#include "core/ref.h"
#include "lib/list.h"
#include "lib/xarray.h"
#include "sched/wait.h"

#define PID_MAX_DEFAULT	 32768
#define PID_NS_MAX_LEVEL 32

struct task;
struct process;
struct user_ns;

struct pid_ns {
	struct ref ref;
	struct pid_ns *parent;
	struct user_ns *owner; /* [I] referenced */
	u32 level;
	struct xarray ids; /* number -> struct pid */
	u32 last;	   /* cyclic allocation */
	u32 max;
	struct process *reaper; /* pid 1 of it */
	struct spinlock lock;
	u64 inum; /* /proc/PID/ns/pid */
	bool dying;
};
extern struct pid_ns root_pid_ns;

struct pid_number {
	int nr;
	struct pid_ns *ns;
};

struct pid {
	struct ref ref;
	struct task *task; /* [T, RCU] the thread of this tid; NULL when gone */
	struct process
		*process; /* [T, RCU] the process whose leader's tid this is; stays until reaped */
	struct list pgrp_members;    /* [T] processes of the group of this number */
	struct list session_members; /* [T] processes of the session */
	void *session_tty;	     /* [S of nobody: tty's lock] the session's terminal */
	struct wait_queue pidfd_wait;
	struct rcu_head rcu;
	u32 level;
	struct pid_number numbers[]; /* level + 1 */
};

/* New number in ns and its ancestors. 0, -EAGAIN, -ENOMEM. `want`: exact numbers (clone3 set_tid)
 * or NULL. */
int pid_alloc(struct pid_ns *ns, const int *want, u32 nr_want, struct pid **out);
void pid_get(struct pid *p);
void pid_put(struct pid *p);
/*
 * tasklist_lock held, after a use of the number ended (thread gone, process reaped, group or
 * session left): when no use is left the number becomes free for reuse. The struct itself lives as
 * long as it has references (pidfds).
 */
void pid_release_number(struct pid *p);
struct pid *pid_peek(struct pid_ns *ns, int nr);	  /* RCU */
struct pid *pid_find(struct pid_ns *ns, int nr);	  /* referenced */
int pid_nr(const struct pid *p, const struct pid_ns *ns); /* 0 if not visible there */
struct pid_ns *current_pid_ns(void);
/* A child namespace with one reference. NULL: no memory or too deep. */
struct pid_ns *pid_ns_create(struct pid_ns *parent, struct user_ns *owner);
void pid_ns_get(struct pid_ns *ns);
void pid_ns_put(struct pid_ns *ns);
void pid_ns_free(struct pid_ns *ns);
u64 ns_next_inum(void); /* unique numbers for /proc/PID/ns links, all kinds of namespace */
#endif
