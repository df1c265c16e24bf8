/* SPDX-License-Identifier: MIT */
/*
 * System V IPC, sysvipc(7): names, permissions and namespaces, common to its three kinds.
 *
 * An id is an index into the namespace's table and a sequence number, so that the id of a removed
 * object stays invalid for long. Objects are found by id under RCU, by key under the table's lock.
 *
 * Lifetime: the table holds one reference until the object is removed, each call one more. Removal
 * happens once, by whoever sets `removed`; those who sleep on the object see that and give up with
 * EIDRM. A namespace that goes removes all that is in it.
 *
 * Limits: the pids of last users are those by which they knew themselves, also to other pid
 * namespaces.
 *
 * Locking: the table's lock, then an object's.
 */
#include "fs/vfs/mount.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sysv_internal.h"
#include "task/clock.h"
#include "task/cred.h"
#include "task/nsset.h"
#include "task/pid.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"

#define INDEX_BITS 15
#define INDEX_MAX  ((1u << INDEX_BITS) - 1)
#define SEQ_MAX	   0xffffu

static const struct sysv_ops *const kinds[SYSV_KINDS] = { &sem_ops, &msg_ops, &shm_ops };

/* ---- namespaces ---- */

#define LIMITS                                                                                   \
	{                                                                                        \
		.shmmax = ~0ul - (1ul << 24), .shmall = ~0ul - (1ul << 24), .shmmni = SHMMNI,    \
		.semmsl = SEMMSL, .semmns = SEMMNI * SEMMSL, .semopm = SEMOPM, .semmni = SEMMNI, \
		.msgmax = MSGMAX, .msgmnb = MSGMNB, .msgmni = MSGMNI, .mq_queues_max = 256,      \
		.mq_msg_max = 10, .mq_msgsize_max = 8192, .mq_msg_default = 10,                  \
		.mq_msgsize_default = 8192,                                                      \
	}
#define TABLE_INIT(kind) [kind] = { .lock = MUTEX_INIT(root_ns.tables[kind].lock, RANK_SLEEP_LEAF) }

static struct ipc_ns root_ns = {
	.ref = REF_INIT,
	.owner = &root_user_ns,
	.inum = 0xefffffffu,
	.limits = LIMITS,
	.tables = { TABLE_INIT(SYSV_SEM), TABLE_INIT(SYSV_MSG), TABLE_INIT(SYSV_SHM) },
};

struct user_ns *
ipc_ns_owner(const struct ipc_ns *ns)
{
	return ns->owner;
}

struct ipc_ns *
ipc_ns_root(void)
{
	return &root_ns;
}

struct ipc_ns *
ipc_ns_current(void)
{
	return current->ns->ipc;
}

struct ipc_limits *
ipc_limits_current(void)
{
	return &ipc_ns_current()->limits;
}

u64
ipc_ns_inum(const struct ipc_ns *ns)
{
	return ns->inum;
}

struct ipc_ns *
ipc_ns_create(struct user_ns *owner)
{
	static const struct ipc_limits limits = LIMITS;
	static u64 last_inum = 0xf0000000u + (1u << 20);
	struct ipc_ns *ns = kzalloc(sizeof(*ns), GFP_KERNEL);

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	ns->owner = user_ns_get(owner);
	ns->inum = __atomic_add_fetch(&last_inum, 1, __ATOMIC_RELAXED);
	ns->limits = limits;
	for (u32 i = 0; i < SYSV_KINDS; i++) {
		mutex_init(&ns->tables[i].lock, RANK_SLEEP_LEAF);
		xa_init(&ns->tables[i].objects);
		xa_init(&ns->tables[i].keys);
	}
	return ns;
}

struct ipc_ns *
ipc_ns_get(struct ipc_ns *ns)
{
	ref_get(&ns->ref);
	return ns;
}

void
ipc_ns_put(struct ipc_ns *ns)
{
	if (!ref_put(&ns->ref))
		return;
	for (u32 i = 0; i < SYSV_KINDS; i++) {
		struct sysv_object *o;
		u64 index = 0;

		while ((o = xa_find(&ns->tables[i].objects, &index, XA_MAX, XA_ANY)) != NULL)
			(void)sysv_remove(ns, o);
		xa_destroy(&ns->tables[i].objects);
		xa_destroy(&ns->tables[i].keys);
	}
	if (ns->mq_mount)
		mount_put(ns->mq_mount);
	user_ns_put(ns->owner);
	kfree(ns);
}

/* ---- objects ---- */

void
sysv_object_init(struct sysv_object *o, const struct sysv_ops *ops, const struct sysv_get *get)
{
	const struct cred *c = current_cred();

	ref_init(&o->ref);
	spin_init(&o->lock, RANK_SYSV);
	o->ops = ops;
	o->key = get->key;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	o->mode = (u32)get->flags & 0777;
}

static void
free_rcu(struct rcu_head *head)
{
	struct sysv_object *o = container_of(head, struct sysv_object, rcu);

	o->ops->free(o);
}

void
sysv_put(struct sysv_object *o)
{
	if (ref_put(&o->ref))
		rcu_call(&o->rcu, free_rcu);
}

static struct sysv_object *
find(struct sysv_table *t, u32 index)
{
	rcu_read_lock();
	struct sysv_object *o = xa_load(&t->objects, index);
	if (o && !ref_try_get(&o->ref))
		o = NULL;
	rcu_read_unlock();
	return o;
}

static int
find_index(const struct sysv_ops *ops, int index, struct sysv_object **out)
{
	if (index < 0)
		return -EINVAL;
	*out = find(&ipc_ns_current()->tables[ops->kind], (u32)index & INDEX_MAX);
	return *out ? 0 : -EINVAL;
}

int
sysv_find(const struct sysv_ops *ops, int id, struct sysv_object **out)
{
	int r = find_index(ops, id, out);

	if (r == 0 && (*out)->id != id) {
		sysv_put(*out);
		r = -EINVAL;
	}
	return r;
}

int
sysv_permission(const struct sysv_object *o, u32 want)
{
	const struct cred *c = current_cred();
	u32 asked = want >> 6 | want >> 3 | want, granted = o->mode;

	if (c->euid == o->cuid || c->euid == o->uid)
		granted >>= 6;
	else if (cred_in_group(c, o->cgid) || cred_in_group(c, o->gid))
		granted >>= 3;
	return (asked & ~granted & 7) && !ns_capable(ipc_ns_current()->owner, CAP_IPC_OWNER)
		       ? -EACCES
		       : 0;
}

int
sysv_may_change(const struct sysv_object *o)
{
	u32 euid = current_cred()->euid;

	return euid == o->cuid || euid == o->uid ||
			       ns_capable(ipc_ns_current()->owner, CAP_SYS_ADMIN)
		       ? 0
		       : -EPERM;
}

void
sysv_set(struct sysv_object *o, const struct linux_ipc_perm *perm)
{
	const struct user_ns *ns = current_cred()->user_ns;

	o->uid = uid_from_user(ns, perm->uid);
	o->gid = gid_from_user(ns, perm->gid);
	o->mode = (o->mode & ~0777u) | (perm->mode & 0777);
}

static void
perm_fill(const struct sysv_object *o, struct linux_ipc_perm *out)
{
	*out = (struct linux_ipc_perm){
		.key = o->key,
		.uid = uid_shown(o->uid),
		.gid = gid_shown(o->gid),
		.cuid = uid_shown(o->cuid),
		.cgid = gid_shown(o->cgid),
		.mode = o->mode,
		.seq = (u16)((u32)o->id >> INDEX_BITS),
	};
}

int
sysv_stat_begin(const struct sysv_ops *ops, int id, struct sysv_stat *st,
		struct linux_ipc_perm *perm)
{
	int r = st->by_index ? find_index(ops, id, &st->object) : sysv_find(ops, id, &st->object);

	if (r)
		return r;
	spin_lock(&st->object->lock);
	st->result = st->object->removed ? -EIDRM
		     : st->anybody	 ? 0
					 : sysv_permission(st->object, 0444);
	perm_fill(st->object, perm);
	return 0;
}

long
sysv_stat_end(struct sysv_stat *st, user_ptr buf, const void *ds, size_t size)
{
	long r = st->result;

	spin_unlock(&st->object->lock);
	if (!r && copy_to_user(buf, ds, size))
		r = -EFAULT;
	if (!r && st->by_index)
		r = st->object->id;
	sysv_put(st->object);
	return r;
}

/* ---- tables ---- */

static u32
count_max(const struct ipc_ns *ns, enum sysv_kind kind)
{
	const struct ipc_limits *l = &ns->limits;
	u32 max = kind == SYSV_SEM ? l->semmni : kind == SYSV_MSG ? l->msgmni : l->shmmni;

	return MIN(READ_ONCE(max), INDEX_MAX + 1);
}

/* Table locked. */
static int
insert(struct sysv_table *t, struct sysv_object *o)
{
	u64 index;
	int r = xa_alloc(&t->objects, &index, o, 0, INDEX_MAX);

	if (r)
		return r == -EBUSY ? -ENOSPC : r;
	if (o->key != IPC_PRIVATE) {
		r = xa_insert(&t->keys, (u32)o->key, o);
		if (r) {
			xa_erase(&t->objects, index);
			return r;
		}
	}
	t->count++;
	if (index < t->next)
		t->seq = (t->seq + 1) & SEQ_MAX;
	t->next = (u32)index + 1;
	WRITE_ONCE(o->id, (s32)(t->seq << INDEX_BITS | (u32)index));
	return 0;
}

static int
create(struct ipc_ns *ns, struct sysv_table *t, const struct sysv_ops *ops,
       const struct sysv_get *get)
{
	struct sysv_object *o;
	int r;

	if (t->count >= count_max(ns, ops->kind))
		return -ENOSPC;
	r = ops->create(ns, get, &o);
	if (r)
		return r;
	r = insert(t, o);
	if (r) {
		ops->removed(ns, o);
		sysv_put(o);
		return r;
	}
	return o->id;
}

long
sysv_get(const struct sysv_ops *ops, const struct sysv_get *get)
{
	struct ipc_ns *ns = ipc_ns_current();
	struct sysv_table *t = &ns->tables[ops->kind];
	struct sysv_object *o = NULL;
	int r;

	mutex_lock(&t->lock);
	if (get->key != IPC_PRIVATE)
		o = xa_load(&t->keys, (u32)get->key);
	if (!o) {
		r = get->key == IPC_PRIVATE || (get->flags & IPC_CREAT) ? create(ns, t, ops, get)
									: -ENOENT;
	} else if ((get->flags & IPC_CREAT) && (get->flags & IPC_EXCL)) {
		r = -EEXIST;
	} else {
		r = ops->check ? ops->check(o, get) : 0;
		spin_lock(&o->lock);
		if (!r)
			r = sysv_permission(o, (u32)get->flags & 0777);
		spin_unlock(&o->lock);
		if (!r)
			r = o->id;
	}
	mutex_unlock(&t->lock);
	return r;
}

bool
sysv_remove(struct ipc_ns *ns, struct sysv_object *o)
{
	struct sysv_table *t = &ns->tables[o->ops->kind];

	mutex_lock(&t->lock);
	spin_lock(&o->lock);
	bool first = !o->removed;
	WRITE_ONCE(o->removed, true);
	spin_unlock(&o->lock);
	if (first) {
		xa_erase(&t->objects, (u32)o->id & INDEX_MAX);
		if (o->key != IPC_PRIVATE)
			xa_erase(&t->keys, (u32)o->key);
		t->count--;
	}
	mutex_unlock(&t->lock);
	if (first) {
		o->ops->removed(ns, o);
		sysv_put(o);
	}
	return first;
}

/* It keeps its id, but get makes another one for its key. */
void
sysv_forget_key(struct ipc_ns *ns, struct sysv_object *o)
{
	struct sysv_table *t = &ns->tables[o->ops->kind];

	mutex_lock(&t->lock);
	spin_lock(&o->lock);
	if (o->key != IPC_PRIVATE && !o->removed)
		xa_erase(&t->keys, (u32)o->key);
	o->key = IPC_PRIVATE;
	spin_unlock(&o->lock);
	mutex_unlock(&t->lock);
}

int
sysv_highest(const struct sysv_ops *ops, u32 *count)
{
	struct sysv_table *t = &ipc_ns_current()->tables[ops->kind];
	u64 index = 0, highest = 0;

	mutex_lock(&t->lock);
	*count = t->count;
	for (void *o = xa_find(&t->objects, &index, XA_MAX, XA_ANY); o;
	     o = xa_find_after(&t->objects, &index, XA_MAX, XA_ANY))
		highest = index;
	mutex_unlock(&t->lock);
	return (int)highest;
}

void
sysv_show_perm(struct strbuf *sb, const struct sysv_object *o, const char *ids)
{
	strbuf_printf(sb, ids, uid_shown(o->uid), gid_shown(o->gid), uid_shown(o->cuid),
		      gid_shown(o->cgid));
}

void
sysv_show(enum sysv_kind kind, struct strbuf *sb)
{
	static const char *const heads[SYSV_KINDS] = {
		[SYSV_SEM] = "       key      semid perms      nsems   uid   gid  cuid  cgid      "
			     "otime      ctime\n",
		[SYSV_MSG] =
			"       key      msqid perms      cbytes       qnum lspid lrpid   uid   "
			"gid  cuid  cgid      stime      rtime      ctime\n",
		[SYSV_SHM] =
			"       key      shmid perms                  size  cpid  lpid nattch   "
			"uid   gid  cuid  cgid      atime      dtime      ctime              "
			"     rss                  swap\n",
	};
	struct sysv_table *t = &ipc_ns_current()->tables[kind];
	u64 index = 0;

	strbuf_puts(sb, heads[kind]);
	mutex_lock(&t->lock);
	for (struct sysv_object *o = xa_find(&t->objects, &index, XA_MAX, XA_ANY); o;
	     o = xa_find_after(&t->objects, &index, XA_MAX, XA_ANY)) {
		spin_lock(&o->lock);
		kinds[kind]->show(sb, o);
		spin_unlock(&o->lock);
	}
	mutex_unlock(&t->lock);
}

/* ---- small things ---- */

s32
sysv_pid(void)
{
	return pid_nr(current->process->pid, current_pid_ns());
}

s64
sysv_now(void)
{
	return (s64)(time_real_ns() / NSEC_PER_SEC);
}
