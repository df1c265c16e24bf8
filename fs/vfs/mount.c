/* SPDX-License-Identifier: MIT */
/*
 * Mounts: a tree of (super block, root) pairs for each namespace. mount(2), umount2(2),
 * pivot_root(2).
 *
 * A mount sits on a place, (parent, point); the hash finds it from there, which is how path walk
 * crosses. Several mounts on one place stack: each sits on the root of the one before.
 *
 * References: being in a tree counts as one; every path held (open file, cwd, lookup) as one. A
 * mount out of its tree lives on while paths hold it, with itself as parent. Mounts hold their
 * super block, root and point; children do not hold their parent, because a mount leaves its tree
 * only after its children.
 *
 * Locks: mounts_lock (sleeping) for the shape of all trees; mount_lock with mount_seq around the
 * instant in which a link changes, so that walkers, who use RCU and look at mount_seq, see a tree
 * from before or after. "Busy" is decided inside that instant: a walker who took a reference since
 * sees the new sequence and gives it back.
 */
#include "fs/vfs/mount.h"
#include "core/cpumask.h"
#include "core/panic.h"
#include "generated/syscalls.h"
#include "lib/hash.h"
#include "mount_internal.h"
#include "task/user_ns.h"

#define HASH_BITS 10

struct rwsem mounts_lock = RWSEM_INIT(mounts_lock, RANK_MOUNT_NS);
struct spinlock mount_lock = SPINLOCK_INIT(RANK_MOUNT);
struct seqcount mount_seq;

static struct hlist_head mount_hash[1 << HASH_BITS];
static u32 next_id;

static struct hlist_head *
bucket_of(const struct mount *parent, const struct dentry *point)
{
	return &mount_hash[hash_u64((u64)(uintptr_t)parent ^ (u64)(uintptr_t)point << 5,
				    HASH_BITS)];
}

/* --- finding --- */

struct mount *
mount_find_rcu(struct mount *parent, struct dentry *point)
{
	struct mount *m;

	hlist_for_each_entry_rcu(m, bucket_of(parent, point),
				 hash) if (m->parent == parent && m->point == point) return m;
	return NULL;
}

struct mount *
mount_find(struct mount *parent, struct dentry *point)
{
	struct mount *m;
	u32 seq;
	int got;

	for (;;) {
		seq = seq_read_begin(&mount_seq);
		rcu_read_lock();
		m = mount_find_rcu(parent, point);
		got = m ? mount_legitimize(m, seq) : 0;
		rcu_read_unlock();
		if (got > 0)
			return m;
		if (got < 0)
			mount_put(m);
		else if (!m && !seq_read_retry(&mount_seq, seq))
			return NULL;
	}
}

bool
path_up_mount(struct path *p)
{
	struct mount *parent;
	struct dentry *point;
	u32 seq;
	int got;

	for (;;) {
		bool got_point;

		seq = seq_read_begin(&mount_seq);
		rcu_read_lock();
		parent = READ_ONCE(p->mnt->parent);
		point = READ_ONCE(p->mnt->point);
		if (parent == p->mnt || !point) {
			rcu_read_unlock();
			if (!seq_read_retry(&mount_seq, seq))
				return false;
			continue;
		}
		got_point = dentry_try_get(point);
		got = mount_legitimize(parent, seq);
		rcu_read_unlock();
		if (got > 0 && got_point)
			break;
		if (got_point)
			dentry_put(point);
		if (got)
			mount_put(parent);
	}
	path_put(p);
	*p = (struct path){ parent, point };
	return true;
}

void
path_down_mounts(struct path *p)
{
	struct mount *m;

	while ((READ_ONCE(p->dentry->flags) & DENTRY_MOUNTED) &&
	       (m = mount_find(p->mnt, p->dentry))) {
		dentry_get(m->root);
		path_put(p);
		*p = (struct path){ m, m->root };
	}
}

bool
dentry_mountpoint(struct dentry *d)
{
	struct mount_ns *ns = current_mount_ns();
	struct mount *m;
	bool found = false;

	if (!(READ_ONCE(d->flags) & DENTRY_MOUNTED))
		return false;
	spin_lock(&mount_lock);
	list_for_each_entry(m, &ns->mounts, ns_node) if (m->point == d)
	{
		found = true;
		break;
	}
	spin_unlock(&mount_lock);
	return found;
}

/* --- life --- */

struct mount *
mount_alloc(struct super *s, struct dentry *root, const char *source)
{
	struct mount *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	m->source = kstrdup(source ? source : "none", GFP_KERNEL);
	m->counts = kzalloc(cpu_count * sizeof(*m->counts), GFP_KERNEL);
	if (!m->source || !m->counts) {
		kfree(m->source);
		kfree(m->counts);
		kfree(m);
		return NULL;
	}
	ref_get(&s->ref);
	atomic_add(&s->mounts, 1);
	dentry_get(root);
	m->super = s;
	m->root = root;
	m->parent = m;
	m->id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	m->counts[0].refs = 1;
	list_init(&m->children);
	list_init(&m->child_node);
	list_init(&m->ns_node);
	list_init(&m->peers);
	list_init(&m->slaves);
	list_init(&m->slave_node);
	list_init(&m->work);
	return m;
}

/* A locked instruction on a line of our own CPU: preemption may move us, so it must be atomic. */
static inline void
count_refs(struct mount *m, s32 n)
{
	__atomic_fetch_add(&m->counts[cpu_id()].refs, n, __ATOMIC_SEQ_CST);
}

static s32
sum_refs(const struct mount *m)
{
	s32 sum = 0;

	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		sum += READ_ONCE(m->counts[cpu].refs);
	return sum;
}

static s32
sum_writers(const struct mount *m)
{
	s32 sum = 0;

	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		sum += READ_ONCE(m->counts[cpu].writers);
	return sum;
}

void
mount_get(struct mount *m)
{
	count_refs(m, 1);
}

int
mount_legitimize(struct mount *m, u32 seq)
{
	bool doomed;

	count_refs(m, 1);
	if (likely(!seq_read_retry(&mount_seq, seq)))
		return 1;
	spin_lock(&mount_lock);
	doomed = m->doomed;
	if (doomed)
		count_refs(m, -1);
	spin_unlock(&mount_lock);
	return doomed ? 0 : -1;
}

static void
mount_free_rcu(struct rcu_head *head)
{
	struct mount *m = container_of(head, struct mount, rcu);

	kfree(m->counts);
	kfree(m->source);
	kfree(m);
}

static void
put_detached(struct mount *m)
{
	bool last;

	/* With the sequence odd, so that a walker who still comes by in RCU mode does not trust its
	 * count. */
	spin_lock(&mount_lock);
	seq_write_begin(&mount_seq);
	count_refs(m, -1);
	last = sum_refs(m) == 0;
	if (last)
		m->doomed = true;
	seq_write_end(&mount_seq);
	spin_unlock(&mount_lock);
	if (!last)
		return;
	DEBUG_ASSERT(list_empty(&m->children));
	dentry_put(m->root);
	if (atomic_sub_return(&m->super->mounts, 1) == 0)
		super_unmounted(m->super);
	super_put(m->super);
	rcu_call(&m->rcu, mount_free_rcu);
}

void
mount_put(struct mount *m)
{
	if (unlikely(m->expiring))
		WRITE_ONCE(m->expiring, false);
	/* Detaching waits for the sections that still saw it attached before it drops the tree's
	 * own reference. */
	rcu_read_lock();
	if (likely(READ_ONCE(m->attached))) {
		count_refs(m, -1);
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();
	put_detached(m);
}

/* The same super block from another root, with the same flags; private, in no tree. */
struct mount *
mount_clone(struct mount *old, struct dentry *root)
{
	struct mount *m = mount_alloc(old->super, root, old->source);

	if (!m)
		return NULL;
	m->flags = old->flags;
	m->locked = old->locked;
	m->locked_flags = old->locked_flags;
	return m;
}

void
mount_lock_tree(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next_in_tree(m, top)) {
		m->locked = true;
		m->locked_flags |= m->flags & (MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC);
		m->locked_flags |= MS_NOATIME | MS_NODIRATIME | MS_RELATIME;
	}
}

/* May the current task change the mounts of its namespace? */
static bool
may_mount(void)
{
	return ns_capable(current_mount_ns()->owner, CAP_SYS_ADMIN);
}

static inline void
count_writers(struct mount *m, s32 n)
{
	__atomic_fetch_add(&m->counts[cpu_id()].writers, n, __ATOMIC_SEQ_CST);
}

int
mount_want_write(struct mount *m)
{
	count_writers(m, 1);
	/* Remount sets the flag, then sums the writers: one of the two sees the other. */
	if (likely(!((READ_ONCE(m->flags) | READ_ONCE(m->super->flags)) &
		     (MS_RDONLY | SUPER_CLOSING))))
		return 0;
	count_writers(m, -1);
	return -EROFS;
}

void
mount_drop_write(struct mount *m)
{
	count_writers(m, -1);
}

struct mount *
mount_internal(const struct fs_type *type)
{
	struct super *s;
	struct mount *m;
	int err = type->mount(type, type->name, 0, NULL, &s);

	if (err)
		return NULL;
	m = mount_alloc(s, s->root, type->name);
	super_put(s);
	if (m)
		m->attached = true; /* for ever */
	return m;
}

/* --- links; mount_lock held and mount_seq odd --- */

void
mount_link(struct mount *m, struct mount *parent, struct dentry *point)
{
	dentry_get(point);
	point->mounts++;
	__atomic_fetch_or(&point->flags, DENTRY_MOUNTED, __ATOMIC_SEQ_CST);
	WRITE_ONCE(m->parent, parent);
	WRITE_ONCE(m->point, point);
	list_add_tail(&m->child_node, &parent->children);
	hlist_add_head_rcu(&m->hash, bucket_of(parent, point));
}

/* The reference on the point is the caller's to drop, once mount_lock is released. */
void
mount_unlink(struct mount *m)
{
	struct dentry *point = m->point;

	hlist_del_init_rcu(&m->hash);
	list_del_init(&m->child_node);
	if (--point->mounts == 0)
		__atomic_fetch_and(&point->flags, ~(u32)DENTRY_MOUNTED, __ATOMIC_SEQ_CST);
	WRITE_ONCE(m->parent, m);
	WRITE_ONCE(m->point, NULL);
}

static void
change_begin(void)
{
	spin_lock(&mount_lock);
	seq_write_begin(&mount_seq);
}

static void
change_end(void)
{
	seq_write_end(&mount_seq);
	spin_unlock(&mount_lock);
}

void
mount_join_ns(struct mount *m, struct mount_ns *ns)
{
	m->ns = ns;
	m->attached = true;
	list_add_tail(&m->ns_node, &ns->mounts);
	ns->count++;
}

struct wait_queue mounts_wait = WAIT_QUEUE_INIT(mounts_wait);

static void
ns_changed(struct mount_ns *ns)
{
	if (!ns)
		return;
	WRITE_ONCE(ns->event, ns->event + 1);
	wake_up_key(&mounts_wait, THREAD_NORMAL, INT32_MAX, POLLERR | POLLPRI);
}

/* Pre-order; NULL after the last of the tree. */
struct mount *
mount_next_in_tree(struct mount *m, struct mount *top)
{
	if (!list_empty(&m->children))
		return list_first_entry(&m->children, struct mount, child_node);
	while (m != top) {
		if (!list_is_last(&m->child_node, &m->parent->children))
			return list_next_entry(m, child_node);
		m = m->parent;
	}
	return NULL;
}

void
mount_collect_tree(struct mount *top, struct list *list)
{
	for (struct mount *m = top; m; m = mount_next_in_tree(m, top))
		list_add(&m->work, list);
}

static u32
tree_size(struct mount *top)
{
	u32 n = 0;

	for (struct mount *m = top; m; m = mount_next_in_tree(m, top))
		n++;
	return n;
}

/* --- copies --- */

static struct mount *
copy_one(struct mount *old, struct dentry *root, u32 how)
{
	struct mount *m = mount_clone(old, root);

	if (!m)
		return NULL;
	if ((how & COPY_SLAVE) || ((how & COPY_DEMOTE) && mount_is_shared(old))) {
		propagate_set_master(m, old);
	} else if (!(how & COPY_PRIVATE)) {
		if (mount_is_shared(old))
			propagate_join(m, old);
		if (old->master)
			propagate_set_master(m, old->master);
	}
	if ((how & COPY_SHARED) && !(how & COPY_PRIVATE))
		propagate_make_shared(m);
	return m;
}

int
mount_copy_tree(struct mount *src, struct dentry *root, u32 how, struct mount **out)
{
	struct mount *top, *m, *new, *at;

	if (!(how & COPY_UNBINDABLE) && (src->flags & MS_UNBINDABLE))
		return -EINVAL;
	top = copy_one(src, root, how);
	if (!top)
		return -ENOMEM;
	*out = top;
	if (!(how & COPY_RECURSIVE))
		return 0;
	src->copy = top;
	for (m = mount_next_in_tree(src, src); m;) {
		bool skip = (m->parent == src && root != src->root &&
			     !dentry_is_ancestor(root, m->point)) ||
			    (!(how & COPY_UNBINDABLE) && (m->flags & MS_UNBINDABLE));

		if (skip && m->locked && (m->flags & MS_UNBINDABLE)) {
			mount_drop_tree(top);
			return -EPERM;
		}
		if (skip) {
			/* Past its whole tree. */
			while (m && m != src && list_is_last(&m->child_node, &m->parent->children))
				m = m->parent;
			m = m && m != src ? list_next_entry(m, child_node) : NULL;
			continue;
		}
		new = copy_one(m, m->root, how);
		if (!new) {
			mount_drop_tree(top);
			return -ENOMEM;
		}
		at = m->parent->copy;
		m->copy = new;
		change_begin();
		mount_link(new, at, m->point);
		change_end();
		m = mount_next_in_tree(m, src);
	}
	return 0;
}

/* --- leaving --- */

void
mount_detach_list(struct list *list)
{
	struct mount *m;

	change_begin();
	list_for_each_entry(m, list, work)
	{
		if (m->ns) {
			m->ns->count--;
			list_del_init(&m->ns_node);
		}
		m->was_attached = m->attached;
		m->attached = false;
		m->work_source = NULL;
		if (m->parent != m) {
			m->work_source = (void *)m->point; /* to be put later */
			mount_unlink(m);
		}
	}
	change_end();
	list_for_each_entry(m, list, work)
	{
		propagate_set_type(m, MS_PRIVATE);
		ns_changed(m->ns);
		m->ns = NULL;
	}
}

void
mount_release_list(struct list *list)
{
	struct mount *m;
	bool wait = false;

	list_for_each_entry(m, list, work) wait |= m->was_attached;
	if (wait)
		rcu_synchronize();

	while ((m = list_first_entry_or_null(list, struct mount, work))) {
		struct dentry *point = (void *)m->work_source;

		list_del_init(&m->work);
		m->work_source = NULL;
		if (point)
			dentry_put(point);
		mount_put(m);
	}
}

void
mount_drop_tree(struct mount *top)
{
	LIST_HEAD(list);

	mount_collect_tree(top, &list);
	mount_detach_list(&list);
	mount_release_list(&list);
}

/* --- attaching --- */

/*
 * Lock the topmost place at *p for a mount: p moves onto what is mounted there. mounts_lock and the
 * place's inode are locked, so that it can be neither removed nor covered.
 */
static int
place_lock(struct path *p)
{
	rwsem_write_lock(&mounts_lock);
	path_down_mounts(p);
	rwsem_write_lock(&p->dentry->inode->lock);
	if (p->mnt->ns != current_mount_ns()) {
		rwsem_write_unlock(&p->dentry->inode->lock);
		rwsem_write_unlock(&mounts_lock);
		return -EINVAL;
	}
	if ((p->dentry->flags & DENTRY_UNHASHED) && !dentry_is_root(p->dentry)) {
		rwsem_write_unlock(&p->dentry->inode->lock);
		rwsem_write_unlock(&mounts_lock);
		return -ENOENT;
	}
	return 0;
}

static void
place_unlock(struct path *p)
{
	rwsem_write_unlock(&p->dentry->inode->lock);
	rwsem_write_unlock(&mounts_lock);
}

static void
join_tree(struct mount *top, struct mount_ns *ns)
{
	for (struct mount *m = top; m; m = mount_next_in_tree(m, top))
		if (m->ns != ns)
			mount_join_ns(m, ns);
}

/* Put a copy that propagation made on its place; what sits there already goes on top of it. */
static void
attach_copy(struct mount *copy)
{
	struct mount *parent = copy->parent, *on = mount_find_rcu(parent, copy->point);
	struct dentry *point = copy->point, *moved = NULL;

	change_begin();
	if (on) {
		moved = on->point;
		mount_unlink(on);
	}
	copy->parent = copy;
	mount_link(copy, parent, point);
	if (on)
		mount_link(on, copy, copy->root);
	if (parent->ns)
		join_tree(copy, parent->ns);
	change_end();
	if (moved)
		dentry_put(moved);
}

/* The tree at m, so far in no tree or (moving) already unlinked, goes to p and wherever p's mount
 * propagates to. Place locked. */
static int
tree_attach(struct mount *m, const struct path *p)
{
	struct mount_ns *ns = p->mnt->ns;
	struct mount *copy;
	LIST_HEAD(copies);
	int err;

	u32 size = tree_size(m);

	if (ns->count + size > MOUNTS_MAX)
		return -ENOSPC;
	if (mount_is_shared(p->mnt) || !list_empty(&p->mnt->slaves)) {
		if (mount_is_shared(p->mnt))
			for (copy = m; copy; copy = mount_next_in_tree(copy, m))
				propagate_make_shared(copy);
		err = propagate_attach(p->mnt, p->dentry, m, size, &copies);
		if (err)
			return err;
	}
	change_begin();
	mount_link(m, p->mnt, p->dentry);
	join_tree(m, ns);
	change_end();
	while ((copy = list_first_entry_or_null(&copies, struct mount, work))) {
		struct mount_ns *other = copy->parent->ns;

		list_del_init(&copy->work);
		if (other->owner != ns->owner)
			mount_lock_tree(copy);
		attach_copy(copy);
		ns_changed(other);
	}
	ns_changed(ns);
	return 0;
}

/* A new mount goes on p (whose references stay the caller's). */
static int
mount_add(struct mount *m, struct path *p)
{
	int err = place_lock(p);

	if (err)
		return err;
	if (p->mnt->super == m->super && p->mnt->root == p->dentry && m->root == p->dentry)
		err = -EBUSY;
	else if (S_ISLNK(m->root->inode->mode))
		err = -EINVAL;
	else if (S_ISDIR(m->root->inode->mode) != S_ISDIR(p->dentry->inode->mode))
		err = -ENOTDIR;
	else
		err = tree_attach(m, p);
	place_unlock(p);
	return err;
}

/* --- mount(2) --- */

static u32
mount_flags_of(u64 flags)
{
	u32 m = flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RDONLY |
			 MS_NOSYMFOLLOW);

	if (!(flags & MS_NOATIME))
		m |= MS_RELATIME;
	if (flags & MS_STRICTATIME)
		m &= ~(MS_RELATIME | MS_NOATIME);
	return m;
}

static int
mount_new(struct path *p, const char *type_name, const char *source, u64 flags, const char *data)
{
	const struct fs_type *type;
	struct super *s;
	struct mount *m;
	int err;

	if (!type_name)
		return -EINVAL;
	type = fs_find(type_name);
	if (!type)
		return -ENODEV;
	/* Which of them trust nobody who mounts them; they look further themselves. */
	if (!(type->flags & FS_USER_MOUNT) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = type->mount(type, source,
			  flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC |
				   MS_SILENT | MS_LAZYTIME | MS_I_VERSION),
			  data, &s);
	if (err)
		return err;
	m = mount_alloc(s, s->root, source);
	super_put(s);
	if (!m)
		return -ENOMEM;
	m->flags = mount_flags_of(flags);
	err = mount_add(m, p);
	if (err)
		mount_put(m);
	return err;
}

/* Would a bind without what is mounted below show what that hides? */
static bool
hides_locked(struct mount *m, const struct dentry *root)
{
	struct mount *child;

	list_for_each_entry(child, &m->children, child_node)
	{
		if (child->locked && dentry_is_ancestor(root, child->point))
			return true;
	}
	return false;
}

static int
mount_bind(struct path *p, const char *source, bool recursive)
{
	struct path old;
	struct mount *m;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, source, WALK_FOLLOW, &old);
	if (err)
		return err;
	err = place_lock(p);
	if (err)
		goto out_put;
	err = -EINVAL;
	if (old.mnt->ns != current_mount_ns() || (old.mnt->flags & MS_UNBINDABLE))
		goto out_unlock;
	if (!recursive && hides_locked(old.mnt, old.dentry))
		goto out_unlock;
	err = mount_copy_tree(old.mnt, old.dentry, recursive ? COPY_RECURSIVE : 0, &m);
	if (err)
		goto out_unlock;
	m->locked = false;
	if (S_ISDIR(old.dentry->inode->mode) != S_ISDIR(p->dentry->inode->mode))
		err = -ENOTDIR;
	else
		err = tree_attach(m, p);
	if (err)
		mount_drop_tree(m);
out_unlock:
	place_unlock(p);
out_put:
	path_put(&old);
	return err;
}

static bool
tree_has_unbindable(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next_in_tree(m, top))
		if (m->flags & MS_UNBINDABLE)
			return true;
	return false;
}

static int
mount_move(struct path *p, const char *source)
{
	struct path old, from;
	struct mount *m, *up;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, source, WALK_FOLLOW, &old);
	if (err)
		return err;
	err = place_lock(p);
	if (err)
		goto out_put;
	m = old.mnt;
	err = -EINVAL;
	if (old.dentry != m->root || m->parent == m || m->ns != current_mount_ns() || m->locked ||
	    mount_is_shared(m->parent))
		goto out_unlock;
	if (S_ISDIR(m->root->inode->mode) != S_ISDIR(p->dentry->inode->mode))
		goto out_unlock;
	if (mount_is_shared(p->mnt) && tree_has_unbindable(m))
		goto out_unlock;
	err = -ELOOP;
	for (up = p->mnt;; up = up->parent) {
		if (up == m)
			goto out_unlock;
		if (up->parent == up)
			break;
	}
	from = (struct path){ m->parent, m->point };
	change_begin();
	mount_unlink(m);
	change_end();
	err = tree_attach(m, p);
	if (err) {
		change_begin();
		mount_link(m, from.mnt, from.dentry);
		change_end();
	}
	dentry_put(from.dentry);
out_unlock:
	place_unlock(p);
out_put:
	path_put(&old);
	return err;
}

/* New flags for one mount; read-only only if nobody writes. */
static int
set_flags(struct mount *m, u32 flags)
{
	u32 old = m->flags;

	WRITE_ONCE(m->flags, (old & ~MOUNT_FLAGS) | flags);
	smp_mb();
	if ((flags & ~old & MS_RDONLY) && sum_writers(m) > 0) {
		WRITE_ONCE(m->flags, old);
		return -EBUSY;
	}
	ns_changed(m->ns);
	return 0;
}

/* mounts_lock held for writing. */
static int
remount_super(struct mount *m, u32 flags, const char *data)
{
	struct super *s = m->super;
	bool closing = (flags & ~s->flags) & MS_RDONLY;
	struct mount *other;
	int err = 0;

	if (closing) {
		/* No new writers; then either there are none, or it is not to be. */
		(void)super_sync(s, true);
		WRITE_ONCE(s->flags, s->flags | SUPER_CLOSING);
		smp_mb();
		list_for_each_entry(other, &m->ns->mounts,
				    ns_node) if (other->super == s && sum_writers(other) > 0)
			err = -EBUSY;
		if (!err)
			err = super_sync_all(s, true);
	}
	if (!err && s->ops && s->ops->remount)
		err = s->ops->remount(s, flags, data);
	if (!err)
		WRITE_ONCE(s->flags, flags);
	else if (closing)
		WRITE_ONCE(s->flags, s->flags & ~SUPER_CLOSING);
	return err;
}

/* Do new flags drop one that is locked? Of access times, all stay as they are. */
static bool
unlocks(const struct mount *m, u32 flags)
{
	u32 times = m->locked_flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME);

	return ((m->locked_flags & ~times) & ~flags) || ((m->flags ^ flags) & times);
}

static int
mount_remount(struct path *p, u64 flags, const char *data)
{
	struct mount *m = p->mnt;
	u32 new_flags = mount_flags_of(flags),
	    sb_flags = flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC |
				MS_LAZYTIME | MS_I_VERSION);
	int err = 0;

	if (p->dentry != m->root)
		return -EINVAL;
	/* Nothing said about access times: they stay as they are. */
	if (!(flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
		new_flags = (new_flags & ~(MS_NOATIME | MS_NODIRATIME | MS_RELATIME)) |
			    (m->flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME));
	rwsem_write_lock(&mounts_lock);
	if (m->ns != current_mount_ns()) {
		err = -EINVAL;
	} else if (unlocks(m, new_flags) || (!(flags & MS_BIND) && !capable(CAP_SYS_ADMIN))) {
		err = -EPERM;
	} else if (flags & MS_BIND) {
		err = set_flags(m, new_flags);
	} else {
		err = remount_super(m, sb_flags, data);
		if (!err)
			err = set_flags(m, new_flags);
	}
	rwsem_write_unlock(&mounts_lock);
	return err;
}

static int
mount_change_type(struct path *p, u64 flags)
{
	u32 type = flags & PROPAGATION_FLAGS;
	struct mount *m = p->mnt;
	int err = 0;

	if (p->dentry != m->root || (flags & ~(u64)(MS_REC | MS_SILENT | PROPAGATION_FLAGS)) ||
	    (type & (type - 1)))
		return -EINVAL;
	rwsem_write_lock(&mounts_lock);
	if (m->ns != current_mount_ns()) {
		err = -EINVAL;
	} else {
		struct mount *each = m;

		do {
			propagate_set_type(each, type);
			each = flags & MS_REC ? mount_next_in_tree(each, m) : NULL;
		} while (each);
		ns_changed(m->ns);
	}
	rwsem_write_unlock(&mounts_lock);
	return err;
}

static int
mount_at(struct path *p, const char *source, const char *type, u64 flags, const char *data)
{
	if (flags & MS_REMOUNT)
		return mount_remount(p, flags, data);
	if (flags & MS_BIND)
		return mount_bind(p, source, flags & MS_REC);
	if (flags & PROPAGATION_FLAGS)
		return mount_change_type(p, flags);
	if (flags & MS_MOVE)
		return mount_move(p, source);
	return mount_new(p, type, source, flags, data);
}

static int
string_from_user(user_ptr p, size_t max, char **out)
{
	*out = NULL;
	return user_ptr_null(p) ? 0 : strdup_user(p, max, out);
}

/* A page of options: as much of it as can be read, cut at the NUL by whoever parses. */
static int
data_from_user(user_ptr p, char **out)
{
	char *data;
	size_t missing;

	*out = NULL;
	if (user_ptr_null(p))
		return 0;
	data = kzalloc(PAGE_SIZE + 1, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	missing = copy_from_user_partial(data, p, PAGE_SIZE);
	if (missing == PAGE_SIZE) {
		kfree(data);
		return -EFAULT;
	}
	memset(data + PAGE_SIZE - missing, 0, missing);
	*out = data;
	return 0;
}

long
sys_mount(user_ptr source_user, user_ptr target, user_ptr type_user, unsigned long flags,
	  user_ptr data_user)
{
	char *type, *source, *data;
	struct path p;
	int err;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(unsigned long)MS_MGC_MSK;
	err = string_from_user(type_user, PAGE_SIZE, &type);
	if (err)
		return err == -ENAMETOOLONG ? -EINVAL : err;
	err = string_from_user(source_user, PATH_MAX, &source);
	if (err)
		goto out_type;
	err = data_from_user(data_user, &data);
	if (err)
		goto out_source;
	err = path_lookup_user(AT_FDCWD, target, WALK_FOLLOW, &p);
	if (err)
		goto out_data;
	err = may_mount() ? mount_at(&p, source, type, flags, data) : -EPERM;
	path_put(&p);
out_data:
	kfree(data);
out_source:
	kfree(source);
out_type:
	kfree(type);
	return err;
}

int
vfs_mount_kernel(const char *source, const char *target, const char *type, u32 flags,
		 const char *data)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, target, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = mount_at(&p, source, type, flags, data);
	path_put(&p);
	return err;
}

int
vfs_root_switch(const char *dir)
{
	struct path root, top;
	int err = path_lookup(AT_FDCWD, dir, WALK_FOLLOW, &root);

	if (err)
		return err;
	err = path_lookup(AT_FDCWD, "/", WALK_FOLLOW, &top);
	if (!err) {
		err = mount_move(&top, dir);
		path_put(&top);
	}
	if (!err)
		fs_context_set(&root_fs_context, &root, &root);
	path_put(&root);
	return err;
}

/* --- umount2(2) --- */

/* mounts_lock held for writing. */
static int
umount_locked(struct mount *m, int flags, struct list *list)
{
	int err = 0;

	if (m->ns != current_mount_ns() || m->parent == m)
		return -EINVAL;
	if (flags & MNT_DETACH) {
		mount_collect_tree(m, list);
	} else {
		/* In use by more than its tree and the caller's path? Asked with the sequence odd:
		 * see the head. */
		change_begin();
		if (!list_empty(&m->children) || sum_refs(m) != 2)
			err = -EBUSY;
		change_end();
		if (err)
			return err;
		list_add(&m->work, list);
	}
	propagate_detach(list);
	mount_detach_list(list);
	return 0;
}

static int
umount_path(struct path *p, int flags)
{
	struct mount *m = p->mnt;
	struct path root;
	LIST_HEAD(list);
	bool at_root;
	int err;

	if (!may_mount())
		return -EPERM;
	if (p->dentry != m->root || m->locked || m->ns != current_mount_ns())
		return -EINVAL;
	fs_context_paths(current_fs(), &root, NULL);
	at_root = root.mnt == m && root.dentry == m->root;
	path_put(&root);
	if (flags & MNT_EXPIRE) {
		if (at_root || (flags & (MNT_FORCE | MNT_DETACH)))
			return -EINVAL;
		if (sum_refs(m) != 2)
			return -EBUSY;
		if (!m->expiring) {
			m->expiring = true;
			return -EAGAIN;
		}
	}
	/* umount of the task's own root remounts it read-only, where it can. */
	if (at_root && !(flags & MNT_DETACH)) {
		if (m->parent == m || m->point == NULL || m->super->flags & MS_RDONLY)
			return -EBUSY;
		return mount_remount(p, MS_RDONLY | MS_RELATIME, NULL);
	}
	rwsem_write_lock(&mounts_lock);
	err = umount_locked(m, flags, &list);
	rwsem_write_unlock(&mounts_lock);
	mount_release_list(&list);
	return err;
}

long
sys_umount2(user_ptr target, int flags)
{
	struct path p;
	bool keep_mark;
	int err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
	if (err)
		return err;
	err = umount_path(&p, flags);
	keep_mark = err == -EAGAIN;
	dentry_put(p.dentry);
	if (keep_mark)
		count_refs(p.mnt, -1); /* mount_put would say that it was used */
	else
		mount_put(p.mnt);
	return err;
}

/* A directory (or file) was removed that other namespaces mount on: those mounts go, as MNT_DETACH.
 * No locks held. */
void
mount_detach_from(struct dentry *d)
{
	struct mount *m, *found;
	LIST_HEAD(list);

	if (likely(!(READ_ONCE(d->flags) & DENTRY_MOUNTED)))
		return;
	rwsem_write_lock(&mounts_lock);
	do {
		found = NULL;
		for (u32 i = 0; i < 1u << HASH_BITS && !found; i++)
			hlist_for_each_entry(m, &mount_hash[i], hash) if (m->point == d)
			{
				found = m;
				break;
			}
		if (found) {
			LIST_HEAD(tree);

			mount_collect_tree(found, &tree);
			mount_detach_list(&tree);
			list_splice_tail_init(&tree, &list);
		}
	} while (found);
	rwsem_write_unlock(&mounts_lock);
	mount_release_list(&list);
}

/* --- pivot_root(2) --- */

static bool
mount_below(const struct mount *m, const struct dentry *d, const struct path *top)
{
	/* Is (m, d) at or below top? */
	while (m != top->mnt) {
		if (m->parent == m)
			return false;
		d = m->point;
		m = m->parent;
	}
	return dentry_is_ancestor(top->dentry, d);
}

static int
pivot(struct path *new_root, struct path *put_old, struct path *root)
{
	struct mount *new_mnt = new_root->mnt, *root_mnt = root->mnt,
		     *root_parent = root_mnt->parent;
	struct dentry *root_point, *new_point;

	if (mount_is_shared(put_old->mnt) || mount_is_shared(new_mnt->parent) ||
	    mount_is_shared(root_mnt->parent))
		return -EINVAL;
	if (new_mnt->ns != current_mount_ns() || root_mnt->ns != current_mount_ns())
		return -EINVAL;
	if ((new_root->dentry->flags & DENTRY_UNHASHED) && !dentry_is_root(new_root->dentry))
		return -ENOENT;
	if (new_mnt->locked)
		return -EINVAL;
	if (new_mnt == root_mnt || put_old->mnt == root_mnt)
		return -EBUSY;
	if (root->dentry != root_mnt->root || root_mnt->parent == root_mnt)
		return -EINVAL;
	if (new_root->dentry != new_mnt->root || new_mnt->parent == new_mnt)
		return -EINVAL;
	if (!mount_below(put_old->mnt, put_old->dentry, new_root) ||
	    !mount_below(new_mnt, new_root->dentry, root))
		return -EINVAL;
	root_point = root_mnt->point;
	change_begin();
	new_point = new_mnt->point;
	mount_unlink(new_mnt);
	mount_unlink(root_mnt);
	mount_link(new_mnt, root_parent, root_point);
	mount_link(root_mnt, put_old->mnt, put_old->dentry);
	/* What must stay is the root; the old one may go. */
	if (root_mnt->locked) {
		new_mnt->locked = true;
		root_mnt->locked = false;
	}
	change_end();
	ns_changed(current_mount_ns());
	/* mount_link took references of its own. */
	dentry_put(new_point);
	dentry_put(root_point);
	return 0;
}

long
sys_pivot_root(user_ptr new_root_user, user_ptr put_old_user)
{
	struct path new_root, put_old, root;
	int err;

	if (!may_mount())
		return -EPERM;
	err = path_lookup_user(AT_FDCWD, new_root_user, WALK_FOLLOW | WALK_DIRECTORY, &new_root);
	if (err)
		return err;
	err = path_lookup_user(AT_FDCWD, put_old_user, WALK_FOLLOW | WALK_DIRECTORY, &put_old);
	if (err)
		goto out_new;
	fs_context_paths(current_fs(), &root, NULL);
	err = place_lock(&put_old);
	if (err)
		goto out_root;
	err = pivot(&new_root, &put_old, &root);
	place_unlock(&put_old);
	if (!err)
		fs_context_replace_all(&root, &new_root);
out_root:
	path_put(&root);
	path_put(&put_old);
out_new:
	path_put(&new_root);
	return err;
}
