/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory: shmget(2), shmop(2), shmctl(2).
 *
 * A segment is a mapping of pages without a file, charged in full when it is made. Each vma of it
 * counts as attached and holds the segment and its namespace. One that is removed while attached
 * (SHM_DEST) loses its key, and goes with its last vma.
 *
 * Limits: no huge pages (SHM_HUGETLB: EINVAL). As nothing is ever swapped out, SHM_LOCK is but a
 * mark.
 */
#include "generated/syscalls.h"
#include "lib/format.h"
#include "mm/mapping.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "sched/work.h"
#include "sysv_internal.h"
#include "task/cred.h"
#include "task/nsset.h"
#include "task/pid.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/mman.h"
#include "uapi/resource.h"

struct segment {
	struct sysv_object base;
	struct ipc_ns *ns; /* [I] held by each vma */
	struct mapping mapping;
	u64 size, asked; /* [I] in whole pages; as shmget was told */
	u64 attached;	 /* [P], as all below */
	s64 atime, dtime, ctime;
	s32 creator, last; /* pids */
	struct work free;
};

static const struct mapping_ops segment_mapping_ops = { .read_page = NULL };
static const struct vma_ops segment_vma_ops;

static struct segment *
segment_of(const struct sysv_object *o)
{
	return container_of(o, struct segment, base);
}

static int
segment_create(struct ipc_ns *ns, const struct sysv_get *get, struct sysv_object **out)
{
	u64 pages = get->size / PAGE_SIZE + (get->size % PAGE_SIZE != 0);
	struct segment *s;

	if (get->size < SHMMIN || get->size > READ_ONCE(ns->limits.shmmax) ||
	    (get->flags & SHM_HUGETLB))
		return -EINVAL;
	if ((u64)atomic64_read(&ns->shm_pages) + pages > READ_ONCE(ns->limits.shmall))
		return -ENOSPC;
	if (commit_charge(pages))
		return -ENOMEM;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s) {
		commit_release(pages);
		return -ENOMEM;
	}
	sysv_object_init(&s->base, &shm_ops, get);
	s->ns = ns;
	s->asked = get->size;
	s->size = pages * PAGE_SIZE;
	mapping_init(&s->mapping, &segment_mapping_ops, s);
	s->mapping.flags = MAPPING_SHMEM;
	s->mapping.size = &s->size;
	s->ctime = sysv_now();
	s->creator = sysv_pid();
	atomic64_add(&ns->shm_pages, (s64)pages);
	*out = &s->base;
	return 0;
}

static int
segment_check(const struct sysv_object *o, const struct sysv_get *get)
{
	return get->size > segment_of(o)->asked ? -EINVAL : 0;
}

static void
segment_removed(struct ipc_ns *ns, struct sysv_object *o)
{
	atomic64_sub(&ns->shm_pages, (s64)(segment_of(o)->size / PAGE_SIZE));
}

static void
free_work(struct work *w)
{
	struct segment *s = container_of(w, struct segment, free);

	mapping_fini(&s->mapping);
	commit_release(s->size / PAGE_SIZE);
	kfree(s);
}

/* Pages are given back where that may sleep. */
static void
segment_free(struct sysv_object *o)
{
	struct segment *s = segment_of(o);

	work_init(&s->free, free_work);
	work_queue(&s->free);
}

static void
segment_show(struct strbuf *sb, struct sysv_object *o)
{
	const struct segment *s = segment_of(o);

	strbuf_printf(sb, "%10d %10d  %4o %21lu %5d %5d  %5lu", o->key, o->id, o->mode, s->asked,
		      s->creator, s->last, s->attached);
	sysv_show_perm(sb, o, " %5u %5u %5u %5u");
	strbuf_printf(sb, " %10ld %10ld %10ld %21lu %21lu\n", s->atime, s->dtime, s->ctime,
		      s->mapping.nr_pages * PAGE_SIZE, 0ul);
}

long
sys_shmget(int key, size_t length, int flags)
{
	struct sysv_get get = { .key = key, .size = length, .flags = flags };

	return sysv_get(&shm_ops, &get);
}

/* ---- mappings ---- */

/* One more is attached, unless it was removed meanwhile. */
static int
attach(struct segment *s)
{
	int r = 0;

	spin_lock(&s->base.lock);
	if (s->base.removed && !s->attached) {
		r = -EIDRM;
	} else {
		s->attached++;
		s->atime = sysv_now();
		s->last = sysv_pid();
	}
	spin_unlock(&s->base.lock);
	if (r)
		return r;
	ref_get(&s->base.ref);
	(void)ipc_ns_get(s->ns);
	return 0;
}

static void
detach(struct segment *s)
{
	struct ipc_ns *ns = s->ns;

	spin_lock(&s->base.lock);
	s->last = sysv_pid();
	s->dtime = sysv_now();
	bool goes = --s->attached == 0 && (s->base.mode & SHM_DEST);
	spin_unlock(&s->base.lock);
	if (goes)
		(void)sysv_remove(ns, &s->base);
	sysv_put(&s->base);
	ipc_ns_put(ns);
}

static void
segment_vma_open(struct vma *v)
{
	(void)attach(v->owner); /* the vma that it is a copy of is attached */
}

static void
segment_vma_close(struct vma *v)
{
	detach(v->owner);
}

static void
segment_vma_describe(struct vma *v, struct strbuf *path, u64 *dev, u64 *ino)
{
	const struct segment *s = v->owner;

	strbuf_printf(path, "/SYSV%08x (deleted)", (u32)s->base.key);
	*dev = 1;
	*ino = (u64)s->base.id;
}

/* Where: the address to ask mm for. */
static int
attach_address(u64 *addr, int flags, u32 *map_flags)
{
	*map_flags = MAP_SHARED;
	if (*addr & (PAGE_SIZE - 1)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*addr &= ~(u64)(PAGE_SIZE - 1);
		if (!*addr && (flags & SHM_REMAP))
			return -EINVAL;
	}
	if (*addr)
		*map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	else if (flags & SHM_REMAP)
		return -EINVAL;
	return 0;
}

long
sys_shmat(int id, unsigned long addr, int flags)
{
	struct mm_map_request rq = {
		.prot = PROT_READ,
		.vm_extra = VM_MAYREAD | VM_MAYEXEC,
		.ops = &segment_vma_ops,
	};
	u32 want = 0444;
	struct sysv_object *o;
	long r;

	if (id < 0)
		return -EINVAL;
	r = attach_address(&addr, flags, &rq.map_flags);
	if (r)
		return r;
	rq.addr = addr;
	if (!(flags & SHM_RDONLY)) {
		want |= 0222;
		rq.prot |= PROT_WRITE;
		rq.vm_extra |= VM_MAYWRITE;
	}
	if (flags & SHM_EXEC) {
		want |= 0111;
		rq.prot |= PROT_EXEC;
	}
	r = sysv_find(&shm_ops, id, &o);
	if (r)
		return r;
	struct segment *s = segment_of(o);
	spin_lock(&o->lock);
	r = o->removed ? -EIDRM : sysv_permission(o, want);
	spin_unlock(&o->lock);
	if (!r)
		r = attach(s);
	if (!r) {
		rq.len = s->size;
		rq.mapping = &s->mapping;
		rq.owner = s;
		r = mm_map(current->thread.mm, &rq);
		if (r < 0)
			detach(s);
		if (r == -EEXIST)
			r = -EINVAL;
	}
	sysv_put(o);
	return r;
}

long
sys_shmdt(unsigned long addr)
{
	return addr & (PAGE_SIZE - 1) ? -EINVAL
				      : mm_unmap_object(current->thread.mm, addr, &segment_vma_ops);
}

/* ---- shmctl(2) ---- */

static long
shm_limits(user_ptr buf)
{
	const struct ipc_limits *l = ipc_limits_current();
	struct linux_shminfo info = {
		.shmmax = l->shmmax,
		.shmmin = SHMMIN,
		.shmmni = l->shmmni,
		.shmseg = l->shmmni,
		.shmall = l->shmall,
	};
	u32 count;
	int highest = sysv_highest(&shm_ops, &count);

	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : highest;
}

static long
shm_info(user_ptr buf)
{
	struct sysv_table *t = &ipc_ns_current()->tables[SYSV_SHM];
	struct linux_shm_info info = { 0 };
	struct segment *s;
	u64 index = 0;
	u32 count;
	int highest = sysv_highest(&shm_ops, &count);

	info.used_ids = (s32)count;
	info.shm_tot = (u64)atomic64_read(&ipc_ns_current()->shm_pages);
	mutex_lock(&t->lock);
	for (void *o = xa_find(&t->objects, &index, XA_MAX, XA_ANY); o;
	     o = xa_find_after(&t->objects, &index, XA_MAX, XA_ANY)) {
		s = segment_of(o);
		info.shm_rss += READ_ONCE(s->mapping.nr_pages);
	}
	mutex_unlock(&t->lock);
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : highest;
}

static long
shm_stat(int id, int command, user_ptr buf)
{
	struct linux_shmid_ds ds = { 0 };
	struct sysv_stat st = { .by_index = command != IPC_STAT,
				.anybody = command == SHM_STAT_ANY };
	int r = sysv_stat_begin(&shm_ops, id, &st, &ds.shm_perm);

	if (r)
		return r;
	struct segment *s = segment_of(st.object);
	ds.shm_segsz = s->asked;
	ds.shm_atime = s->atime;
	ds.shm_dtime = s->dtime;
	ds.shm_ctime = s->ctime;
	ds.shm_cpid = s->creator;
	ds.shm_lpid = s->last;
	ds.shm_nattch = s->attached;
	return sysv_stat_end(&st, buf, &ds, sizeof(ds));
}

static long
shm_remove(struct sysv_object *o)
{
	struct segment *s = segment_of(o);

	spin_lock(&o->lock);
	int r = o->removed ? -EIDRM : sysv_may_change(o);
	if (!r)
		o->mode |= SHM_DEST;
	bool attached = s->attached;
	spin_unlock(&o->lock);
	if (r)
		return r;
	if (attached)
		sysv_forget_key(ipc_ns_current(), o);
	/* Its last detacher sees SHM_DEST, or has been before us. */
	spin_lock(&o->lock);
	attached = s->attached;
	spin_unlock(&o->lock);
	if (!attached)
		(void)sysv_remove(ipc_ns_current(), o);
	return 0;
}

static long
shm_change(struct sysv_object *o, int command, const struct linux_shmid_ds *ds)
{
	struct segment *s = segment_of(o);
	int r;

	if (command == IPC_RMID)
		return shm_remove(o);
	spin_lock(&o->lock);
	r = o->removed ? -EIDRM : 0;
	if (!r && command == IPC_SET) {
		r = sysv_may_change(o);
		if (!r) {
			sysv_set(o, &ds->shm_perm);
			s->ctime = sysv_now();
		}
	} else if (!r) {
		u32 euid = current_cred()->euid;

		if (!capable(CAP_IPC_LOCK)) {
			if (euid != o->uid && euid != o->cuid)
				r = -EPERM;
			else if (command == SHM_LOCK && !rlimit_current(RLIMIT_MEMLOCK))
				r = -EPERM;
		}
		if (!r)
			o->mode = command == SHM_LOCK ? o->mode | SHM_LOCKED
						      : o->mode & ~(u32)SHM_LOCKED;
	}
	spin_unlock(&o->lock);
	return r;
}

long
sys_shmctl(int id, int command, user_ptr buf)
{
	struct linux_shmid_ds ds;
	struct sysv_object *o;
	long r;

	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO: return shm_limits(buf);
	case SHM_INFO: return shm_info(buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY: return shm_stat(id, command, buf);
	case IPC_SET:
		if (copy_from_user(&ds, buf, sizeof(ds)))
			return -EFAULT;
		__fallthrough;
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		r = sysv_find(&shm_ops, id, &o);
		if (r)
			return r;
		r = shm_change(o, command, &ds);
		sysv_put(o);
		return r;
	default: return -EINVAL;
	}
}

static const struct vma_ops segment_vma_ops = {
	.open = segment_vma_open,
	.close = segment_vma_close,
	.describe = segment_vma_describe,
};

const struct sysv_ops shm_ops = {
	.kind = SYSV_SHM,
	.create = segment_create,
	.check = segment_check,
	.removed = segment_removed,
	.free = segment_free,
	.show = segment_show,
};
