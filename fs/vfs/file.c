/* SPDX-License-Identifier: MIT */
/*
 * Open files: life and death.
 *
 * A file is found through descriptor tables under RCU. Its memory is type-stable for a grace period
 * instead of being freed through one: whoever takes a reference under RCU checks afterwards that
 * the slot still holds this file (fdtable.c), and close and open reuse warm memory at once.
 *
 * The last put may come where nobody may sleep (a socket buffer with a descriptor inside dies in an
 * interrupt): then a work item does it.
 */
#include "core/cpumask.h"
#include "core/percpu.h"
#include "sched/work.h"
#include "vfs_internal.h"

static struct kmem_cache *file_cache;
static DEFINE_PERCPU(s64, files_open);

static struct file *deferred;
static struct work deferred_work;

void (*file_epoll_release)(struct file *f);
void (*vfs_notify)(struct inode *inode, struct dentry *dentry, u32 mask, u32 cookie);
void (*vfs_unmounted)(struct super *s);

/* Once per piece of memory: a released file has an unlocked mutex and no references. */
static void
file_construct(void *memory)
{
	struct file *f = memory;

	memset(f, 0, sizeof(*f));
	mutex_init(&f->pos_lock, RANK_FILE_POS);
}

struct file *
file_alloc(u32 flags, u32 mode)
{
	struct file *f = kmem_cache_alloc(file_cache, GFP_KERNEL);

	if (unlikely(!f))
		return NULL;
	f->ops = NULL;
	f->flags = flags;
	f->mode = mode;
	f->inode = NULL;
	f->mapping = NULL;
	f->path = (struct path){ NULL, NULL };
	f->private = NULL;
	f->pos = 0;
	f->owner = NULL;
	f->epoll_items = NULL;
	f->ra = (struct file_readahead){ 0 };
	f->version = 0;
	f->cred = cred_get((struct cred *)current_cred());
	this_cpu_inc(files_open);
	/* From here on RCU finds it alive: see fdtable.c. */
	atomic_set_release(&f->ref.count, 1);
	return f;
}

u64
file_count(void)
{
	s64 n = 0;

	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		n += *percpu_ptr(files_open, cpu);
	return n > 0 ? (u64)n : 0;
}

void
file_get(struct file *f)
{
	ref_get(&f->ref);
}

static void
file_free(struct file *f)
{
	struct path p = f->path;
	u32 mode = f->mode;

	if (mode & FMODE_OPENED) {
		if (!(mode & FMODE_PATH))
			notify_file(f, mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
		if (unlikely(f->epoll_items) && file_epoll_release)
			file_epoll_release(f);
		if (unlikely(f->inode->locks))
			locks_release_file(f);
		if (unlikely(f->owner))
			fasync_release(f);
		if (f->ops->release)
			f->ops->release(f);
	}
	if (mode & FMODE_EXEC)
		atomic_inc(&f->inode->writers);
	if (mode & FMODE_WRITER) {
		atomic_dec(&f->inode->writers);
		mount_drop_write(p.mnt);
	}
	cred_put(f->cred);
	this_cpu_dec(files_open);
	kmem_cache_free(file_cache, f);
	if (p.dentry)
		dentry_put(p.dentry);
	if (p.mnt)
		mount_put(p.mnt);
}

static void
free_deferred(struct work *work)
{
	struct file *f = xchg(&deferred, NULL);

	while (f) {
		struct file *next = (struct file *)f->work.node.next;

		file_free(f);
		f = next;
	}
}

/* To be released by a worker. */
static void
file_defer(struct file *f)
{
	f->work.node.next = (struct list *)READ_ONCE(deferred);
	while (!try_cmpxchg(&deferred, (struct file **)&f->work.node.next, f))
		;
	work_queue(&deferred_work);
}

void
file_put(struct file *f)
{
	if (likely(!ref_put(&f->ref)))
		return;
	if (likely(!in_atomic()))
		file_free(f);
	else
		file_defer(f);
}

static void
free_on_return(struct task_work *work)
{
	file_free(container_of(work, struct file, work));
}

void
file_put_late(struct file *f)
{
	if (!ref_put(&f->ref))
		return;
	f->work.func = free_on_return;
	if (thread_current()->is_kernel || task_work_add(current, &f->work))
		file_defer(f);
}

void
file_init(void)
{
	file_cache = kmem_cache_create("filp", sizeof(struct file), 64, SLAB_RCU_TYPESAFE,
				       file_construct);
	work_init(&deferred_work, free_deferred);
	anon_init();
}
