/* SPDX-License-Identifier: MIT */
/*
 * File locks: flock(2), and the record locks of fcntl(2): POSIX (owner: the descriptor table, that
 * is the process) and open file description (owner: the open file).
 *
 * Each inode that was ever locked has one struct file_lock_list with its locks and a wait queue.
 * Who must wait sleeps there until something is released, then tries again from the start. A POSIX
 * waiter tells whom it waits for in one global table, so that a circle of waiters is found before
 * it closes: EDEADLK.
 *
 * POSIX locks of a table go at every close of any descriptor of the file, flock and OFD locks with
 * the open file.
 */
#include "fs/vfs/device.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "lock_range.h"
#include "vfs_internal.h"

#define DEADLOCK_DEPTH 100

struct flock_entry {
	struct list node;
	struct file *file;
	struct pid *holder; /* who asked */
	bool exclusive;
};

struct file_lock_list {
	struct spinlock lock; /* RANK_FILE_LOCKS: both lists */
	struct list ranges;   /* struct lock_range */
	struct list flocks;   /* struct flock_entry */
	struct wait_queue wait;
	u32 generation;	  /* counts releases */
	struct list node; /* all_lists */
	struct inode *inode;
};

/* --- the list of an inode --- */

static struct mutex all_lock = MUTEX_INIT(all_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(all_lists);

static struct file_lock_list *
list_of(struct inode *i)
{
	struct file_lock_list *l = smp_load_acquire(&i->locks), *old = NULL;

	if (l)
		return l;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return NULL;
	spin_init(&l->lock, RANK_FILE_LOCKS);
	list_init(&l->ranges);
	list_init(&l->flocks);
	wait_queue_init(&l->wait);
	l->inode = i;
	if (try_cmpxchg(&i->locks, &old, l)) {
		mutex_lock(&all_lock);
		list_add_tail(&l->node, &all_lists);
		mutex_unlock(&all_lock);
		return l;
	}
	kfree(l);
	return old;
}

void
locks_free(struct inode *i)
{
	mutex_lock(&all_lock);
	list_del(&i->locks->node);
	mutex_unlock(&all_lock);
	kfree(i->locks);
	i->locks = NULL;
}

static void
released(struct file_lock_list *l)
{
	WRITE_ONCE(l->generation, l->generation + 1);
	smp_mb();
	if (wait_queue_active(&l->wait))
		wake_up_all(&l->wait);
}

static void
free_ranges(struct list *freed)
{
	struct lock_range *r;

	while ((r = list_first_entry_or_null(freed, struct lock_range, node))) {
		list_del(&r->node);
		if (r->holder)
			pid_put(r->holder);
		kfree(r);
	}
}

/* --- who waits for whom --- */

struct waiter {
	struct list node;
	const void *owner, *blocked_by;
};

static struct spinlock waiters_lock = SPINLOCK_INIT(RANK_FS);
static LIST_HEAD(waiters);

/* Would waiting for `by` close a circle? If not the waiter is on the list. */
static bool
waiter_add(struct waiter *w, const void *owner, const void *by)
{
	const void *at = by;
	bool circle = false;

	w->owner = owner;
	w->blocked_by = by;
	spin_lock(&waiters_lock);
	for (u32 depth = 0; at && depth < DEADLOCK_DEPTH; depth++) {
		struct waiter *other;
		const void *next = NULL;

		if (at == owner) {
			circle = true;
			break;
		}
		list_for_each_entry(other, &waiters, node) if (other->owner == at)
		{
			next = other->blocked_by;
			break;
		}
		at = next;
	}
	if (!circle)
		list_add(&w->node, &waiters);
	spin_unlock(&waiters_lock);
	return circle;
}

static void
waiter_remove(struct waiter *w)
{
	spin_lock(&waiters_lock);
	list_del(&w->node);
	spin_unlock(&waiters_lock);
}

/* --- record locks --- */

/* -EAGAIN: in the way is *by; *seen is the generation of that answer. */
static int
range_try(struct file_lock_list *l, const struct lock_range *want, const void **by, u32 *seen)
{
	struct lock_range *spare[2], *made[2], *conflict;
	LIST_HEAD(freed);
	bool weaker;
	int err = 0;

	for (u32 i = 0; i < 2; i++) {
		spare[i] = made[i] = kzalloc(sizeof(*spare[i]), GFP_KERNEL);
		if (!spare[i])
			err = -ENOLCK;
	}
	if (err)
		goto out;
	spin_lock(&l->lock);
	conflict = want->type == RANGE_NONE ? NULL : lock_range_conflict(&l->ranges, want);
	if (conflict) {
		*by = conflict->owner;
		*seen = l->generation;
		err = -EAGAIN;
		spin_unlock(&l->lock);
		goto out;
	}
	weaker = lock_range_set(&l->ranges, want, spare, &freed);
	/* Each range holds the pid of its holder. */
	for (u32 i = 0; i < 2; i++)
		if (!spare[i] && made[i]->holder)
			pid_get(made[i]->holder);
	if (weaker)
		released(l);
	spin_unlock(&l->lock);
	free_ranges(&freed);
out:
	kfree(spare[0]);
	kfree(spare[1]);
	return err;
}

static int
range_lock(struct file_lock_list *l, const struct lock_range *want, bool wait, bool posix)
{
	for (;;) {
		struct waiter w;
		const void *by;
		u32 seen;
		int err = range_try(l, want, &by, &seen);

		if (err != -EAGAIN || !wait)
			return err;
		if (posix && waiter_add(&w, want->owner, by))
			return -EDEADLK;
		err = wait_event_interruptible(&l->wait, READ_ONCE(l->generation) != seen);
		if (posix)
			waiter_remove(&w);
		if (err)
			return err;
	}
}

static int
range_from_user(struct file *f, const struct linux_flock *u, struct lock_range *r)
{
	s64 base, start, end;

	switch (u->l_whence) {
	case SEEK_SET: base = 0; break;
	case SEEK_CUR: base = (s64)f->pos; break;
	case SEEK_END: base = (s64)f->inode->size; break;
	default: return -EINVAL;
	}
	if (__builtin_add_overflow(base, u->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (u->l_len > 0) {
		if (__builtin_add_overflow(start, u->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (u->l_len < 0) {
		end = start - 1;
		if (start + u->l_len < 0)
			return -EINVAL;
		start += u->l_len;
	} else {
		end = INT64_MAX;
	}
	r->start = (u64)start;
	r->end = (u64)end;
	r->type = (u8)u->l_type;
	return 0;
}

static int
range_get(struct file_lock_list *l, struct lock_range *want, struct linux_flock *u)
{
	struct lock_range *r;

	spin_lock(&l->lock);
	r = lock_range_conflict(&l->ranges, want);
	if (!r) {
		u->l_type = F_UNLCK;
	} else {
		u->l_type = r->type;
		u->l_whence = SEEK_SET;
		u->l_start = (s64)r->start;
		u->l_len = r->end == INT64_MAX ? 0 : (s64)(r->end - r->start + 1);
		u->l_pid = r->holder ? pid_nr(r->holder, current_pid_ns()) : -1;
	}
	spin_unlock(&l->lock);
	return 0;
}

long
locks_fcntl(int fd, struct file *f, u32 cmd, user_ptr arg)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	struct lock_range want = { .owner = ofd ? (void *)f : current->files };
	struct file_lock_list *l;
	struct linux_flock u;
	int err;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (ofd && u.l_pid)
		return -EINVAL;
	if (u.l_type != F_RDLCK && u.l_type != F_WRLCK && u.l_type != F_UNLCK)
		return -EINVAL;
	err = range_from_user(f, &u, &want);
	if (err)
		return err;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK) {
		if (u.l_type == F_UNLCK)
			return -EINVAL;
		l = list_of(f->inode);
		if (!l)
			return -ENOMEM;
		range_get(l, &want, &u);
		return copy_to_user(arg, &u, sizeof(u));
	}
	if ((u.l_type == F_RDLCK && !(f->mode & FMODE_READ)) ||
	    (u.l_type == F_WRLCK && !(f->mode & FMODE_WRITE)))
		return -EBADF;
	if (u.l_type == F_UNLCK && !READ_ONCE(f->inode->locks))
		return 0;
	l = list_of(f->inode);
	if (!l)
		return -ENOLCK;
	if (!ofd)
		want.holder = current->process->leader->pid;
	err = range_lock(l, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW, !ofd);
	/*
	 * Another thread may have closed the descriptor while we got the lock: its close did not
	 * see it, so it is on us. Ours goes through a reference that close does not wait for.
	 */
	if (!err && !ofd && u.l_type != F_UNLCK && ref_read(&f->ref) > 1) {
		struct file *now = fd_table_find(current->files, fd);

		if (now != f)
			locks_release_posix(f, current->files);
		if (now)
			file_put(now);
	}
	return err;
}

static void
release_owner(struct file_lock_list *l, const void *owner)
{
	struct lock_range *r, *following;
	LIST_HEAD(freed);

	spin_lock(&l->lock);
	list_for_each_entry_safe(r, following, &l->ranges, node) if (r->owner == owner)
		list_move(&r->node, &freed);
	if (!list_empty(&freed))
		released(l);
	spin_unlock(&l->lock);
	free_ranges(&freed);
}

void
locks_release_posix(struct file *f, const void *owner)
{
	release_owner(f->inode->locks, owner);
}

/* --- flock(2) --- */

static void
flock_free(struct flock_entry *e)
{
	if (!e)
		return;
	pid_put(e->holder);
	kfree(e);
}

static void
flock_drop(struct file_lock_list *l, struct file *f)
{
	struct flock_entry *e, *following, *found = NULL;

	spin_lock(&l->lock);
	list_for_each_entry_safe(e, following, &l->flocks, node) if (e->file == f)
	{
		list_del(&e->node);
		found = e;
		released(l);
		break;
	}
	spin_unlock(&l->lock);
	flock_free(found);
}

void
locks_release_file(struct file *f)
{
	struct file_lock_list *l = f->inode->locks;

	flock_drop(l, f);
	release_owner(l, f);
}

/* -EAGAIN: *seen is the generation of that answer. A lock already held is converted, in two steps
 * as on Linux: it may be lost. */
static int
flock_try(struct file_lock_list *l, struct file *f, bool exclusive, u32 *seen)
{
	struct flock_entry *e, *own = NULL, *fresh = kmalloc(sizeof(*fresh), GFP_KERNEL);
	int err = 0;

	if (!fresh)
		return -ENOLCK;
	spin_lock(&l->lock);
	list_for_each_entry(e, &l->flocks, node) if (e->file == f) own = e;
	if (own && own->exclusive == exclusive)
		goto out;
	if (own) {
		list_del(&own->node);
		released(l);
	}
	list_for_each_entry(e, &l->flocks, node) if (e->exclusive || exclusive) err = -EAGAIN;
	if (err) {
		*seen = l->generation;
	} else {
		*fresh = (struct flock_entry){ .file = f, .exclusive = exclusive };
		fresh->holder = current->process->leader->pid;
		pid_get(fresh->holder);
		list_add_tail(&fresh->node, &l->flocks);
		fresh = NULL;
	}
	spin_unlock(&l->lock);
	flock_free(own);
	kfree(fresh);
	return err;
out:
	spin_unlock(&l->lock);
	kfree(fresh);
	return 0;
}

long
sys_flock(int fd, unsigned int operation)
{
	struct fd_ref r;
	struct file *f;
	struct file_lock_list *l;
	u32 seen, op = operation & ~(u32)LOCK_NB;
	int err = 0;

	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return -EINVAL;
	r = fd_lookup(fd);
	f = r.file;
	if (!f)
		return -EBADF;
	if (op != LOCK_UN && !(f->mode & (FMODE_READ | FMODE_WRITE))) {
		err = -EBADF;
		goto out;
	}
	if (op == LOCK_UN) {
		if (READ_ONCE(f->inode->locks))
			flock_drop(f->inode->locks, f);
		goto out;
	}
	l = list_of(f->inode);
	err = -ENOLCK;
	while (l) {
		err = flock_try(l, f, op == LOCK_EX, &seen);
		if (err != -EAGAIN || (operation & LOCK_NB))
			break;
		err = wait_event_interruptible(&l->wait, READ_ONCE(l->generation) != seen);
		if (err)
			break;
	}
out:
	fd_release(r);
	return err;
}

/* --- /proc/locks --- */

static void
show_one(struct strbuf *sb, u32 nr, const char *kind, bool write, int pid, const struct inode *i,
	 u64 start, u64 end)
{
	strbuf_printf(sb, "%u: %s  ADVISORY  %s %d %02x:%02x:%lu %lu ", nr, kind,
		      write ? "WRITE" : "READ ", pid, DEV_MAJOR(i->super->dev),
		      DEV_MINOR(i->super->dev), i->ino, start);
	if (end == INT64_MAX)
		strbuf_puts(sb, "EOF\n");
	else
		strbuf_printf(sb, "%lu\n", end);
}

void
locks_show(struct strbuf *sb)
{
	struct file_lock_list *l;
	struct lock_range *r;
	struct flock_entry *e;
	u32 nr = 0;

	mutex_lock(&all_lock);
	list_for_each_entry(l, &all_lists, node)
	{
		spin_lock(&l->lock);
		list_for_each_entry(r, &l->ranges, node)
			show_one(sb, ++nr, r->holder ? "POSIX " : "OFDLCK", r->type == RANGE_WRITE,
				 r->holder ? pid_nr(r->holder, current_pid_ns()) : -1, l->inode,
				 r->start, r->end);
		list_for_each_entry(e, &l->flocks, node)
			show_one(sb, ++nr, "FLOCK ", e->exclusive,
				 pid_nr(e->holder, current_pid_ns()), l->inode, 0, INT64_MAX);
		spin_unlock(&l->lock);
	}
	mutex_unlock(&all_lock);
}
