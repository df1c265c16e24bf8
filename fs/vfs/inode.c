/* SPDX-License-Identifier: MIT */
/*
 * Inodes: life, permission, attributes.
 *
 * An inode is held by its dentries, and lives as long as one of them does: open files and working
 * directories hold dentries. File systems that read inodes from somewhere find them by number in
 * one hash (inode_find); those that are nothing but memory keep their own references. When the last
 * reference goes the file system evicts, then the memory waits for a grace period, because path
 * walk looks at inodes under RCU alone.
 *
 * Inodes of a super block with a backing stay when their last user goes, with their pages, as long
 * as they have a link: INODE_CACHED, on the list of unused ones, which then holds the last
 * reference. Whoever finds one there by number just takes another. Reclaim takes clean ones off the
 * list, the oldest first; unmounting takes all.
 *
 * Locking: the hash has a lock per stripe. An inode that is being read in (INODE_NEW) or evicted
 * (no references) stays in the hash; who wants it waits. Times, mode and owner are single words,
 * written under inode->lock, read without.
 */
#include "core/panic.h"
#include "core/time.h"
#include "fs/vfs/device.h"
#include "lib/hash.h"
#include "mm/reclaim.h"
#include "uapi/mount.h"
#include "uapi/xattr.h"
#include "vfs_internal.h"

#define HASH_BITS 14
#define STRIPES	  64

static struct hlist_head inode_hash[1 << HASH_BITS];
static struct spinlock stripe_lock[STRIPES];
static struct wait_queue stripe_wait[STRIPES];
static struct kmem_cache *inode_cache;

static struct spinlock unused_lock = SPINLOCK_INIT(RANK_LRU);
static LIST_HEAD(unused);
static u64 unused_count;

static u64 shrink_inodes(struct shrinker *s, u64 n, u32 gfp);
static struct shrinker inode_shrinker = { .shrink = shrink_inodes, .name = "inodes" };

void
inode_init(void)
{
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 64, SLAB_RECLAIMABLE, NULL);
	for (u32 i = 0; i < STRIPES; i++) {
		spin_init(&stripe_lock[i], RANK_INODE_HASH);
		wait_queue_init(&stripe_wait[i]);
	}
	shrinker_register(&inode_shrinker);
}

static u32
hash_of(const struct super *s, u64 ino)
{
	return hash_u64(hash_mix((u64)(uintptr_t)s, ino), HASH_BITS);
}

static void
stripe_wake(u32 h)
{
	smp_mb();
	if (wait_queue_active(&stripe_wait[h % STRIPES]))
		wake_up_all(&stripe_wait[h % STRIPES]);
}

/* --- life --- */

struct inode *
inode_create(struct super *s, const struct inode_ops *ops, const struct file_ops *fops,
	     umode_t mode, u64 ino)
{
	struct inode *i = kmem_cache_zalloc(inode_cache, GFP_KERNEL);

	if (!i)
		return NULL;
	i->super = s;
	i->ops = ops;
	i->file_ops = fops;
	i->ino = ino;
	i->mode = mode;
	i->nlink = 1;
	ref_init(&i->ref);
	rwsem_init(&i->lock, S_ISDIR(mode) ? RANK_DIR : RANK_INODE);
	spin_init(&i->spin, RANK_INODE_SPIN);
	list_init(&i->dentries);
	list_init(&i->super_node);
	list_init(&i->dirty_node);
	list_init(&i->lru);
	mapping_init(&i->mapping, NULL, i);
	i->mapping.size = &i->size;
	i->mapping.backing = s->backing;
	i->times.atime = i->times.mtime = i->times.ctime = i->times.btime = inode_now(i);
	if (s->backing) {
		spin_lock(&s->lock);
		list_add_tail(&i->super_node, &s->inodes);
		spin_unlock(&s->lock);
	}
	return i;
}

void
inode_init_owner(struct inode *i, const struct inode *dir, umode_t mode)
{
	const struct cred *c = current_cred();

	i->uid = c->fsuid;
	i->gid = c->fsgid;
	if (dir && (dir->mode & S_ISGID)) {
		i->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !cred_in_group(c, i->gid) && !inode_capable(i, CAP_FSETID))
			mode &= ~S_ISGID;
	}
	i->mode = mode;
}

void
inode_get(struct inode *i)
{
	ref_get(&i->ref);
}

static void
inode_free(struct rcu_head *head)
{
	struct inode *i = container_of(head, struct inode, rcu);

	kfree(i->link);
	kmem_cache_free(inode_cache, i);
}

/* Without references: nobody finds it any more, except those who wait for it to be gone. */
static void
inode_evict(struct inode *i)
{
	struct super *s = i->super;

	if (i->mapping.backing) {
		if (i->nlink && (i->dirty & INODE_DIRTY))
			(void)inode_write_now(i, true);
		inode_forget_dirty(i);
	}
	if (s->ops && s->ops->evict)
		s->ops->evict(i);
	mapping_fini(&i->mapping);
	inode_forget_dirty(i);
	if (i->locks)
		locks_free(i);
	if (!list_empty(&i->super_node)) {
		spin_lock(&s->lock);
		list_del_init(&i->super_node);
		spin_unlock(&s->lock);
	}
	if (!hlist_unhashed(&i->hash)) {
		u32 h = hash_of(s, i->ino);

		spin_lock(&stripe_lock[h % STRIPES]);
		hlist_del_init_rcu(&i->hash);
		spin_unlock(&stripe_lock[h % STRIPES]);
		stripe_wake(h);
	}
	rcu_call(&i->rcu, inode_free);
}

/* The caller's reference, the last one so far, passes to the list of unused inodes. */
static bool
unused_add(struct inode *i)
{
	bool added = false;

	if (!i->nlink || hlist_unhashed(&i->hash) || (i->flags & (INODE_DELETED | INODE_NEW)))
		return false;
	if ((i->flags & INODE_FLEETING) && !READ_ONCE(i->mapping.nr_pages))
		return false;
	spin_lock(&unused_lock);
	if (!i->super->dying && !i->cached) {
		i->cached = true;
		list_add_tail(&i->lru, &unused);
		unused_count++;
		added = true;
	}
	spin_unlock(&unused_lock);
	return added;
}

/* The list's reference becomes the caller's, if there is one. */
static bool
unused_remove(struct inode *i)
{
	bool was;

	spin_lock(&unused_lock);
	was = i->cached;
	if (was) {
		i->cached = false;
		list_del_init(&i->lru);
		unused_count--;
	}
	spin_unlock(&unused_lock);
	return was;
}

void
inode_put(struct inode *i)
{
	if (likely(!i->super->backing)) {
		if (ref_put(&i->ref))
			inode_evict(i);
		return;
	}
	/* Without a link it must go with its last user: the list does not count as one. */
	if (unlikely(!i->nlink) && READ_ONCE(i->cached) && unused_remove(i))
		atomic_dec(&i->ref.count); /* the caller's is left */
	if (ref_put_unless_last(&i->ref) || unused_add(i))
		return;
	if (ref_put(&i->ref))
		inode_evict(i);
}

/* --- unused ones --- */

/* Off the list, with its reference: clean and used by nobody, as far as can be seen. */
static struct inode *
unused_take(u64 *scan)
{
	struct inode *i;

	spin_lock(&unused_lock);
	while (*scan) {
		i = list_first_entry_or_null(&unused, struct inode, lru);
		if (!i)
			break;
		--*scan;
		if (ref_read(&i->ref) > 1 || READ_ONCE(i->dirty) ||
		    mapping_in_writeback(&i->mapping)) {
			list_move_tail(&i->lru, &unused);
			continue;
		}
		i->cached = false;
		list_del_init(&i->lru);
		unused_count--;
		spin_unlock(&unused_lock);
		return i;
	}
	spin_unlock(&unused_lock);
	return NULL;
}

/* Gone, unless somebody has found it since: then it stays, and comes back to the list later. */
static bool
unused_evict(struct inode *i)
{
	int one = 1;

	if (!atomic_try_cmpxchg(&i->ref.count, &one, 0)) {
		inode_put(i);
		return false;
	}
	inode_evict(i);
	return true;
}

static u64
shrink_inodes(struct shrinker *s, u64 n, u32 gfp)
{
	u64 freed = 0, scan = MIN(READ_ONCE(unused_count), n * 2);
	struct inode *i;

	if (gfp & GFP_NOFS)
		return 0;
	while (n && (i = unused_take(&scan))) {
		u64 pages = READ_ONCE(i->mapping.nr_pages);

		if (unused_evict(i)) {
			freed += pages + 1;
			n--;
		}
	}
	return freed;
}

void
inodes_evict_unused(struct super *s)
{
	struct inode *i;
	bool found;

	do {
		found = false;
		spin_lock(&s->lock);
		list_for_each_entry(i, &s->inodes, super_node)
		{
			if (READ_ONCE(i->cached) && unused_remove(i)) {
				found = true;
				break;
			}
		}
		spin_unlock(&s->lock);
		if (found)
			inode_put(i);
	} while (found);
}

/* --- by number --- */

static struct inode *
hash_search(struct super *s, u64 ino, u32 h)
{
	struct inode *i;

	hlist_for_each_entry(i, &inode_hash[h], hash) if (i->super == s && i->ino == ino) return i;
	return NULL;
}

/* No dying inode of this number is left. */
static bool
hash_settled(struct super *s, u64 ino, u32 h)
{
	struct inode *i;
	bool settled;

	spin_lock(&stripe_lock[h % STRIPES]);
	i = hash_search(s, ino, h);
	settled = !i || ref_read(&i->ref) > 0;
	spin_unlock(&stripe_lock[h % STRIPES]);
	return settled;
}

int
inode_find(struct super *s, u64 ino, struct inode **out)
{
	u32 h = hash_of(s, ino);
	struct spinlock *lock = &stripe_lock[h % STRIPES];
	struct wait_queue *wq = &stripe_wait[h % STRIPES];
	struct inode *i, *fresh = NULL;

	for (;;) {
		spin_lock(lock);
		i = hash_search(s, ino, h);
		if (!i && fresh) {
			fresh->flags |= INODE_NEW;
			hlist_add_head_rcu(&fresh->hash, &inode_hash[h]);
			spin_unlock(lock);
			*out = fresh;
			return 0;
		}
		if (i && ref_try_get(&i->ref)) {
			spin_unlock(lock);
			break;
		}
		spin_unlock(lock);
		if (i) {
			wait_event(wq, hash_settled(s, ino, h));
			continue;
		}
		fresh = inode_create(s, NULL, NULL, 0, ino);
		if (!fresh)
			return -ENOMEM;
	}
	if (fresh)
		inode_put(fresh);
	wait_event(wq, !(READ_ONCE(i->flags) & INODE_NEW));
	if (READ_ONCE(i->flags) & INODE_DELETED && hlist_unhashed(&i->hash)) {
		inode_put(i);
		return -EIO;
	}
	*out = i;
	return 0;
}

void
inode_ready(struct inode *i)
{
	u32 h = hash_of(i->super, i->ino);

	i->lock.rank = S_ISDIR(i->mode) ? RANK_DIR : RANK_INODE;
	spin_lock(&stripe_lock[h % STRIPES]);
	i->flags &= ~INODE_NEW;
	spin_unlock(&stripe_lock[h % STRIPES]);
	stripe_wake(h);
}

void
inode_failed(struct inode *i)
{
	u32 h = hash_of(i->super, i->ino);

	spin_lock(&stripe_lock[h % STRIPES]);
	i->flags = (i->flags & ~INODE_NEW) | INODE_DELETED;
	hlist_del_init_rcu(&i->hash);
	spin_unlock(&stripe_lock[h % STRIPES]);
	stripe_wake(h);
	inode_put(i);
}

u64
inode_next_number(struct super *s)
{
	/* Blocks of numbers per CPU: pipes and sockets must not meet on one counter. */
	static struct atomic64 next_block = { 1 };
	static DEFINE_PERCPU(u64, next_number);
	u64 n;

	preempt_disable();
	n = this_cpu_read(next_number);
	if ((n & 1023) == 0)
		n = (u64)atomic64_fetch_add(&next_block, 1) << 10 | 1;
	this_cpu_write(next_number, n + 1);
	preempt_enable();
	return n;
}

/* --- times --- */

s64
inode_now(const struct inode *i)
{
	s64 now = (s64)time_coarse_real_ns();
	u32 gran = i->super->time_gran_ns;

	return gran > 1 ? now - now % gran : now;
}

void
inode_touch(struct inode *i, u32 valid)
{
	s64 now = inode_now(i);

	if (valid & ATTR_ATIME)
		WRITE_ONCE(i->times.atime, now);
	if (valid & ATTR_MTIME)
		WRITE_ONCE(i->times.mtime, now);
	if (valid & (ATTR_MTIME | ATTR_MODE)) {
		WRITE_ONCE(i->times.ctime, now);
		i->version++;
	}
	if (i->super->backing)
		inode_mark_dirty(i, INODE_DIRTY_SYNC);
}

static bool
time_is_up_to(s64 a, s64 b)
{
	u64 first = (u64)INODE_TIME_FIRST * NSEC_PER_SEC;

	return (u64)a - first <= (u64)b - first;
}

bool
inode_atime_due(const struct mount *m, const struct inode *i)
{
	u32 off = MS_RDONLY | MS_NOATIME | (S_ISDIR(i->mode) ? MS_NODIRATIME : 0);
	s64 atime, now;

	if (((m->flags | i->super->flags) & off) || (i->flags & INODE_NOATIME))
		return false;
	atime = READ_ONCE(i->times.atime);
	now = inode_now(i);
	if (atime == now)
		return false;
	if (!(m->flags & MS_RELATIME))
		return true;
	return time_is_up_to(atime, READ_ONCE(i->times.mtime)) ||
	       time_is_up_to(atime, READ_ONCE(i->times.ctime)) ||
	       (u64)now - (u64)atime >= 24 * 3600 * NSEC_PER_SEC;
}

void
inode_touch_atime(struct mount *m, struct inode *i)
{
	if (unlikely(inode_atime_due(m, i)))
		inode_touch(i, ATTR_ATIME);
}

/* --- permission --- */

int
inode_permission_generic(struct inode *i, int mask)
{
	const struct cred *c = current_cred();
	umode_t mode = READ_ONCE(i->mode), bits = mode;

	if (c->fsuid == i->uid)
		bits >>= 6;
	else if (((mode >> 3 ^ mode) & 7) && cred_in_group(c, i->gid))
		bits >>= 3;
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (!(mask & ~bits))
		return 0;
	if (S_ISDIR(mode)) {
		if (!(mask & MAY_WRITE) && inode_capable(i, CAP_DAC_READ_SEARCH))
			return 0;
		return inode_capable(i, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (mask == MAY_READ && inode_capable(i, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(mask & MAY_EXEC) || (mode & S_IXUGO)) && inode_capable(i, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int
inode_permission(struct inode *i, int mask)
{
	if (mask & MAY_WRITE) {
		if ((i->super->flags & MS_RDONLY) &&
		    (S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode)))
			return -EROFS;
		if (i->flags & INODE_IMMUTABLE)
			return -EPERM;
	}
	return i->ops->permission ? i->ops->permission(i, mask) : inode_permission_generic(i, mask);
}

bool
inode_owner_or_capable(const struct inode *i)
{
	return current_cred()->fsuid == i->uid || inode_capable(i, CAP_FOWNER);
}

/* In a sticky directory only the owners of the file and of the directory may remove or rename. */
bool
sticky_forbids(const struct inode *dir, const struct inode *victim)
{
	u32 uid = current_cred()->fsuid;

	return (dir->mode & S_ISVTX) && victim->uid != uid && dir->uid != uid &&
	       !inode_capable(victim, CAP_FOWNER);
}

int
inode_may_create(struct inode *dir)
{
	if (dir->nlink == 0 || (dir->flags & INODE_DELETED))
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int
inode_may_delete(struct inode *dir, struct inode *victim, bool is_dir)
{
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if (dir->flags & INODE_APPEND)
		return -EPERM;
	if (sticky_forbids(dir, victim) ||
	    (victim->flags & (INODE_APPEND | INODE_IMMUTABLE | INODE_SWAPFILE)))
		return -EPERM;
	if (is_dir && !S_ISDIR(victim->mode))
		return -ENOTDIR;
	if (!is_dir && S_ISDIR(victim->mode))
		return -EISDIR;
	return dir->flags & INODE_DELETED ? -ENOENT : 0;
}

/* --- attributes --- */

int
setattr_prepare(struct inode *i, const struct attr_change *c)
{
	const struct cred *cred = current_cred();
	bool owner = cred->fsuid == i->uid;

	if ((c->valid & ATTR_UID) && !(owner && c->uid == i->uid) && !inode_capable(i, CAP_CHOWN))
		return -EPERM;
	if ((c->valid & ATTR_GID) &&
	    !(owner && (c->gid == i->gid || cred_in_group(cred, c->gid))) &&
	    !inode_capable(i, CAP_CHOWN))
		return -EPERM;
	if ((c->valid & (ATTR_MODE | ATTR_ATIME_SET | ATTR_MTIME_SET | ATTR_TIMES)) &&
	    !(c->valid & (ATTR_UID | ATTR_GID)) &&
	    !(c->valid & (ATTR_KILL_SUID | ATTR_KILL_SGID)) && !inode_owner_or_capable(i))
		return -EPERM;
	return 0;
}

/* Everything but the size. */
static void
setattr_copy(struct inode *i, const struct attr_change *c)
{
	s64 now = inode_now(i);

	if (c->valid & ATTR_UID)
		i->uid = c->uid;
	if (c->valid & ATTR_GID)
		i->gid = c->gid;
	if (c->valid & ATTR_MODE) {
		umode_t mode = c->mode & S_IALLUGO;

		if ((mode & S_ISGID) && !S_ISDIR(i->mode) && !(c->valid & (ATTR_UID | ATTR_GID)) &&
		    !cred_in_group(current_cred(), i->gid) && !inode_capable(i, CAP_FSETID))
			mode &= ~S_ISGID;
		WRITE_ONCE(i->mode, (i->mode & S_IFMT) | mode);
	}
	if (c->valid & ATTR_ATIME)
		WRITE_ONCE(i->times.atime, c->valid & ATTR_ATIME_SET ? c->atime : now);
	if (c->valid & ATTR_MTIME)
		WRITE_ONCE(i->times.mtime, c->valid & ATTR_MTIME_SET ? c->mtime : now);
	WRITE_ONCE(i->times.ctime, now);
	i->version++;
}

int
setattr_generic(struct inode *i, const struct attr_change *c)
{
	if ((c->valid & ATTR_SIZE) && c->size != i->size) {
		u64 old = i->size;

		WRITE_ONCE(i->size, c->size);
		if (c->size < old)
			mapping_truncate(&i->mapping, c->size);
	}
	setattr_copy(i, c);
	return 0;
}

/* Inode locked. The capabilities of a program go when it is written or gets another owner. */
static int
inode_remove_caps(struct inode *i)
{
	int err = 0;

	if (likely(i->flags & INODE_NO_CAPS) || !S_ISREG(i->mode))
		return 0;
	if (i->ops->getxattr && i->ops->removexattr &&
	    i->ops->getxattr(i, XATTR_NAME_CAPS, NULL, 0) >= 0)
		err = i->ops->removexattr(i, XATTR_NAME_CAPS);
	if (!err)
		i->flags |= INODE_NO_CAPS;
	return err;
}

/* Inode locked. The mode that goes with set-id bits that are to be dropped is worked out here. */
int
inode_setattr_locked(struct inode *i, struct attr_change *c)
{
	int err;

	if (c->valid & (ATTR_KILL_SUID | ATTR_KILL_SGID)) {
		umode_t mode = c->valid & ATTR_MODE ? c->mode : i->mode;

		if (c->valid & ATTR_KILL_SUID)
			mode &= ~S_ISUID;
		if ((c->valid & ATTR_KILL_SGID) && (mode & S_IXGRP))
			mode &= ~S_ISGID;
		if (mode != i->mode) {
			c->mode = mode;
			c->valid |= ATTR_MODE;
		}
	}
	if ((i->flags & (INODE_IMMUTABLE | INODE_APPEND)) &&
	    (c->valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME_SET | ATTR_MTIME_SET)))
		return -EPERM;
	err = setattr_prepare(i, c);
	if (!err && (c->valid & (ATTR_UID | ATTR_GID)))
		err = inode_remove_caps(i);
	if (err)
		return err;
	return i->ops->setattr ? i->ops->setattr(i, c) : setattr_generic(i, c);
}

int
inode_remove_privs(struct inode *i)
{
	struct attr_change c = { 0 };
	int err = inode_remove_caps(i);

	if (err || likely(!(i->mode & (S_ISUID | S_ISGID))) || !S_ISREG(i->mode) ||
	    inode_capable(i, CAP_FSETID))
		return err;
	if (i->mode & S_ISUID)
		c.valid |= ATTR_KILL_SUID;
	if ((i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c.valid |= ATTR_KILL_SGID;
	return c.valid ? inode_setattr_locked(i, &c) : 0;
}

static struct linux_statx_timestamp
stamp_of(s64 time)
{
	struct linux_statx_timestamp t = { 0 };

	t.tv_sec = inode_time_split(time, &t.tv_nsec);
	return t;
}

void
inode_stat(struct inode *i, struct linux_statx *st)
{
	memset(st, 0, sizeof(*st));
	st->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
	st->stx_blksize = i->super->block_size;
	st->stx_nlink = i->nlink;
	st->stx_uid = i->uid;
	st->stx_gid = i->gid;
	st->stx_mode = (u16)i->mode;
	st->stx_ino = i->ino;
	st->stx_size = READ_ONCE(i->size);
	st->stx_blocks = READ_ONCE(i->blocks);
	st->stx_atime = stamp_of(READ_ONCE(i->times.atime));
	st->stx_btime = stamp_of(i->times.btime);
	st->stx_ctime = stamp_of(READ_ONCE(i->times.ctime));
	st->stx_mtime = stamp_of(READ_ONCE(i->times.mtime));
	st->stx_rdev_major = DEV_MAJOR(i->rdev);
	st->stx_rdev_minor = DEV_MINOR(i->rdev);
	st->stx_dev_major = DEV_MAJOR(i->super->dev);
	st->stx_dev_minor = DEV_MINOR(i->super->dev);
	if (i->flags & INODE_APPEND)
		st->stx_attributes |= STATX_ATTR_APPEND;
	if (i->flags & INODE_IMMUTABLE)
		st->stx_attributes |= STATX_ATTR_IMMUTABLE;
	st->stx_attributes_mask = STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
}
