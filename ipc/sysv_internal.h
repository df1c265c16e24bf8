/* SPDX-License-Identifier: MIT */
/* What semaphores, message queues and shared memory have in common: ipc/sysv.c. */
#ifndef SYSV_INTERNAL_H
#define SYSV_INTERNAL_H

#include "core/rcu.h"
#include "core/ref.h"
#include "core/spinlock.h"
#include "ipc/sysv.h"
#include "lib/xarray.h"
#include "mm/user.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "uapi/ipc.h"

struct sysv_get;

/* Letters: P the object's lock, T its table's lock, I never changes. */
struct sysv_object {
	struct ref ref; /* one is the table's, until it is removed */
	struct spinlock lock;
	const struct sysv_ops *ops; /* [I] */
	struct rcu_head rcu;
	s32 id;				/* [I] */
	s32 key;			/* [T, P] */
	u32 uid, gid, cuid, cgid, mode; /* [P] */
	bool removed;			/* [P] nobody finds it any more; sleepers give up */
};

struct sysv_ops {
	enum sysv_kind kind;
	/* A new object, with one reference; table locked. 0, -ENOSPC, -EINVAL, -ENOMEM. */
	int (*create)(struct ipc_ns *ns, const struct sysv_get *get, struct sysv_object **out);
	/* May get use an existing one? -EINVAL: it is too small. NULL: yes. */
	int (*check)(const struct sysv_object *o, const struct sysv_get *get);
	/* Taken from the namespace: wake who sleeps, undo the accounting. Not locked; may sleep. */
	void (*removed)(struct ipc_ns *ns, struct sysv_object *o);
	void (*free)(struct sysv_object *o); /* the last reference is gone, and its RCU readers */
	void (*show)(struct strbuf *sb, struct sysv_object *o); /* a line of /proc/sysvipc */
};

/* The arguments of a get call. */
struct sysv_get {
	s32 key;
	u64 size; /* bytes of shared memory, number of semaphores */
	int flags;
};

struct sysv_table {
	struct mutex lock;
	struct xarray objects, keys; /* [T] by index in the id; by key */
	u32 count;		     /* [T] */
	u32 next, seq; /* [T] index after the last one given; grows when indices come again */
};

struct ipc_ns {
	struct ref ref;
	struct user_ns *owner; /* [I] referenced */
	u64 inum;
	struct ipc_limits limits;
	struct sysv_table tables[SYSV_KINDS];
	struct atomic64 shm_pages, sems; /* in use */
	struct atomic64 msg_bytes, msgs;
	struct mount *mq_mount; /* mqueue.c: the tree of queues; NULL until it is needed */
};

extern const struct sysv_ops sem_ops, msg_ops, shm_ops;

struct ipc_ns *ipc_ns_current(void);

/* The id, or -errno. */
long sysv_get(const struct sysv_ops *ops, const struct sysv_get *get);
void
sysv_object_init(struct sysv_object *o, const struct sysv_ops *ops, const struct sysv_get *get);
/* By id; referenced. -EINVAL. */
int sysv_find(const struct sysv_ops *ops, int id, struct sysv_object **out);
void sysv_put(struct sysv_object *o);
/* With mode bits as in open(2)'s: 0444 to read, 0222 to write. 0 or -EACCES. Locked. */
int sysv_permission(const struct sysv_object *o, u32 want);
/* IPC_SET, IPC_RMID: the owner's. 0 or -EPERM. Locked. */
int sysv_may_change(const struct sysv_object *o);
void sysv_set(struct sysv_object *o, const struct linux_ipc_perm *perm); /* locked */
/*
 * IPC_STAT and its kin: begin finds the object, locks it and fills in *perm; the caller adds the
 * rest while it is locked; end unlocks, and copies `size` bytes out unless begin found that the
 * caller may not know. begin: 0 or -EINVAL (then no end). end: 0, the id (by_index), -EIDRM,
 * -EACCES, -EFAULT.
 */
struct sysv_stat {
	bool by_index; /* id is an index: the *_STAT calls */
	bool anybody;  /* *_STAT_ANY: permission is not asked for */
	int result;
	struct sysv_object *object;
};
int sysv_stat_begin(const struct sysv_ops *ops, int id, struct sysv_stat *st,
		    struct linux_ipc_perm *perm);
long sysv_stat_end(struct sysv_stat *st, user_ptr buf, const void *ds, size_t size);
/* Once: takes it out of its namespace. False: somebody else did. May sleep. */
bool sysv_remove(struct ipc_ns *ns, struct sysv_object *o);
void sysv_forget_key(struct ipc_ns *ns, struct sysv_object *o);
/* The highest index in use, which the *_INFO calls return; how many there are. */
int sysv_highest(const struct sysv_ops *ops, u32 *count);
void sysv_show_perm(struct strbuf *sb, const struct sysv_object *o, const char *ids);

s32 sysv_pid(void); /* of the current process, as it knows itself */
s64 sysv_now(void); /* seconds */

#endif
