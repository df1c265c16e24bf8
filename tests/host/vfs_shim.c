/* SPDX-License-Identifier: MIT */
/*
 * What path walk and tmpfs need of the rooms around them, on the host: memory from the C library,
 * locks that check that they are not taken twice, one task that is root, and two mounts of which
 * the second can be put onto a directory of the first.
 */
#include "vfs_shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../fs/tmpfs/tmpfs_internal.h"
#include "../../fs/vfs/vfs_internal.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "fs/tmpfs/tmpfs.h"
#include "mm/reclaim.h"
#include "uapi/mount.h"

u32 preempt_count = PREEMPT_NO_RESCHED, cpu_number;
u32 cpu_count = 1;
uintptr_t percpu_offset[MAX_CPUS];
struct thread *current_thread;
struct fs_context root_fs_context;
struct mount_ns *root_mount_ns;
struct seqcount mount_seq;
void (*vfs_notify)(struct inode *inode, struct dentry *dentry, u32 mask, u32 cookie);

static struct task task;
static struct cred cred = { .cap_effective = ~0ull };
static struct mount mounts[2];
static struct rcu_head *rcu_pending;

/* --- core, sched --- */

void
spin_lock_contended(struct spinlock *lock)
{
	panic("lock taken twice");
}

void
sched_preempt(void)
{
}

void
rcu_call(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = rcu_pending;
	rcu_pending = head;
}

void
shim_grace_period(void)
{
	while (rcu_pending) {
		struct rcu_head *head = rcu_pending;

		rcu_pending = head->next;
		head->func(head);
	}
}

void
mutex_init(struct mutex *m, enum lock_rank rank)
{
	atomic64_set(&m->owner, 0);
}

void
mutex_lock(struct mutex *m)
{
	if (atomic64_read(&m->owner))
		panic("mutex taken twice");
	atomic64_set(&m->owner, 1);
}

void
mutex_unlock(struct mutex *m)
{
	atomic64_set(&m->owner, 0);
}

void
rwsem_init(struct rwsem *s, enum lock_rank rank)
{
	atomic64_set(&s->state, 0);
}

void
rwsem_read_lock(struct rwsem *s)
{
	if (atomic64_read(&s->state) < 0)
		panic("read lock under a write lock");
	atomic64_inc(&s->state);
}

void
rwsem_read_unlock(struct rwsem *s)
{
	atomic64_dec(&s->state);
}

void
rwsem_write_lock(struct rwsem *s)
{
	if (atomic64_read(&s->state))
		panic("rwsem taken twice");
	atomic64_set(&s->state, -1);
}

void
rwsem_write_unlock(struct rwsem *s)
{
	atomic64_set(&s->state, 0);
}

void
wait_queue_init(struct wait_queue *wq)
{
	list_init(&wq->waiters);
}

bool
wake_up_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key)
{
	return false;
}

void
wait_entry_init(struct wait_entry *we, u32 flags)
{
	panic("would wait");
}

int
wait_prepare(struct wait_queue *wq, struct wait_entry *we, u32 state)
{
	return 0;
}

void
wait_finish(struct wait_queue *wq, struct wait_entry *we)
{
}

int
schedule_until(u64 deadline_ns)
{
	panic("would sleep");
}

u64
time_coarse_real_ns(void)
{
	static u64 now = 1700000000ull * NSEC_PER_SEC;

	return now++;
}

/* --- mm --- */

struct kmem_cache {
	size_t size;
};

struct kmem_cache *
kmem_cache_create(const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *))
{
	static struct kmem_cache caches[8];
	static u32 used;

	caches[used].size = size;
	return &caches[used++];
}

void *
kmem_cache_alloc(struct kmem_cache *c, u32 gfp)
{
	return malloc(c->size);
}

void *
kmem_cache_zalloc(struct kmem_cache *c, u32 gfp)
{
	return calloc(1, c->size);
}

void
kmem_cache_free(struct kmem_cache *c, void *obj)
{
	free(obj);
}

void *
kmalloc(size_t size, u32 gfp)
{
	return malloc(size);
}

void *
kzalloc(size_t size, u32 gfp)
{
	return calloc(1, size);
}

void *
kvmalloc(size_t size, u32 gfp)
{
	return calloc(1, size);
}

void
kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

void
kvfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

void *
kmemdup(const void *p, size_t n, u32 gfp)
{
	return memcpy(malloc(n), p, n);
}

char *
kstrdup(const char *s, u32 gfp)
{
	return kmemdup(s, strlen(s) + 1, gfp);
}

void
kfree_rcu_at(void *obj, struct rcu_head *head)
{
	free(obj);
}

void *
pages_alloc(u32 order, u32 gfp)
{
	return calloc(1, PAGE_SIZE << order);
}

void
mem_stats(struct mem_stats *out)
{
	*out = (struct mem_stats){ .total = 4096 };
}

void
shrinker_register(struct shrinker *s)
{
}

void
mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host)
{
}

void
mapping_fini(struct mapping *m)
{
}

void
mapping_truncate(struct mapping *m, u64 new_size)
{
}

ssize_t
strncpy_from_user(char *dst, user_ptr src, size_t max)
{
	return -EFAULT;
}

/* --- task --- */

const struct cred *
current_cred(void)
{
	return &cred;
}

bool
ids_capable(u32 uid, u32 gid, int cap)
{
	return true;
}

u32
uid_from_user(const struct user_ns *ns, u32 id)
{
	return id;
}

u32
gid_from_user(const struct user_ns *ns, u32 id)
{
	return id;
}

bool
capable(int cap)
{
	return true;
}

bool
cred_in_group(const struct cred *c, u32 gid)
{
	return false;
}

/* --- the rest of fs/vfs --- */

void
fs_context_paths(struct fs_context *fs, struct path *root, struct path *cwd)
{
	*root = fs->root;
	path_get(root);
	if (cwd) {
		*cwd = fs->cwd;
		path_get(cwd);
	}
}

struct fd_ref
fd_lookup_path(int fd)
{
	return (struct fd_ref){ NULL, false };
}

void
file_put(struct file *f)
{
}

s64
file_seek_pos(struct file *f, s64 offset, int whence)
{
	return -EINVAL;
}

void
locks_free(struct inode *i)
{
}

const struct inode_ops tmpfs_file_inode_ops, tmpfs_special_inode_ops;
const struct inode_ops tmpfs_file_acl_ops, tmpfs_special_acl_ops;

int
tmpfs_setattr(struct inode *i, const struct attr_change *c)
{
	return setattr_generic(i, c);
}

const struct file_ops tmpfs_file_ops;
const struct mapping_ops tmpfs_mapping_ops;

/* --- mounts --- */

struct mount *
mount_find_rcu(struct mount *parent, struct dentry *point)
{
	return parent == &mounts[0] && point == mounts[1].point ? &mounts[1] : NULL;
}

int
mount_legitimize(struct mount *m, u32 seq)
{
	return 1;
}

void
mount_get(struct mount *m)
{
}

void
mount_put(struct mount *m)
{
}

bool
path_up_mount(struct path *p)
{
	if (p->mnt == &mounts[0])
		return false;
	dentry_get(mounts[1].point);
	dentry_put(p->dentry);
	*p = (struct path){ &mounts[0], mounts[1].point };
	return true;
}

void
path_down_mounts(struct path *p)
{
	if (mount_find_rcu(p->mnt, p->dentry)) {
		dentry_get(mounts[1].root);
		dentry_put(p->dentry);
		*p = (struct path){ &mounts[1], mounts[1].root };
	}
}

struct dentry *
shim_root(bool inner)
{
	return mounts[inner].root;
}

struct mount *
shim_mount(bool inner)
{
	return &mounts[inner];
}

/* Hold a reference on the point, as mounts do. */
void
shim_mount_on(struct dentry *point)
{
	point->flags |= DENTRY_MOUNTED;
	mounts[1].parent = &mounts[0];
	mounts[1].point = point;
}

void
shim_create(void)
{
	current_thread = &task.thread;
	task.fs = &root_fs_context;
	dentry_init();
	inode_init();
	tmpfs_register();
	for (u32 i = 0; i < 2; i++) {
		const struct fs_type *type = fs_find("tmpfs");

		if (type->mount(type, "none", 0, NULL, &mounts[i].super))
			panic("no tmpfs");
		mounts[i].root = mounts[i].super->root;
		mounts[i].parent = &mounts[i];
		mounts[i].flags = MS_NOATIME; /* else each link would leave RCU mode */
	}
	root_fs_context.root = root_fs_context.cwd = (struct path){ &mounts[0], mounts[0].root };
}

/* --- writeback: nothing here is on a disk --- */

void (*vfs_unmounted)(struct super *s);

void
inode_mark_dirty(struct inode *i, u32 flags)
{
}

int
inode_write_now(struct inode *i, bool sync)
{
	return 0;
}

void
inode_forget_dirty(struct inode *i)
{
}

bool
mapping_in_writeback(const struct mapping *m)
{
	return false;
}

int
super_sync(struct super *s, bool wait)
{
	return 0;
}

void
log_printf(enum log_level level, const char *fmt, ...)
{
}
