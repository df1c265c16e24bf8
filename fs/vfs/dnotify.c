/* SPDX-License-Identifier: MIT */
/*
 * F_NOTIFY, fcntl(2): a signal when something happens in a directory. What came before inotify(7),
 * and hangs on the same hook.
 *
 * A mark joins an open directory, the table of the descriptor it was set by, and the events. It is
 * found by the directory's inode in a hash, and goes with any descriptor of the file that is closed
 * in that table: it holds nothing, for whoever has a file has its inode.
 *
 * Locking: a bucket's lock, in which the signal is sent.
 */
#include "fs/vfs/poll.h"
#include "lib/hash.h"
#include "uapi/epoll.h"
#include "uapi/siginfo.h"
#include "vfs_internal.h"

#define BUCKETS	 64
#define MASK_ALL (DN_ACCESS | DN_MODIFY | DN_CREATE | DN_DELETE | DN_RENAME | DN_ATTRIB)

struct mark {
	struct list node;
	struct file *file;
	const struct fd_table *table;
	int fd;
	u32 mask;
};

static struct bucket {
	struct spinlock lock;
	struct list marks;
} __aligned(64) buckets[BUCKETS];
static struct atomic32 mark_count;

static struct bucket *
bucket_of(const struct inode *dir)
{
	return &buckets[hash_mix((u64)(uintptr_t)dir, 0) % BUCKETS];
}

static void
mark_free(struct mark *m)
{
	list_del(&m->node);
	atomic_dec(&mark_count);
	kfree(m);
}

/* ---- events ---- */

static u32
wanted_by(u32 mask)
{
	return (mask & IN_ACCESS ? DN_ACCESS : 0) | (mask & IN_MODIFY ? DN_MODIFY : 0) |
	       (mask & IN_ATTRIB ? DN_ATTRIB : 0) |
	       (mask & (IN_CREATE | IN_MOVED_TO) ? DN_CREATE : 0) |
	       (mask & (IN_DELETE | IN_MOVED_FROM) ? DN_DELETE : 0) |
	       (mask & VFS_RENAMED ? DN_RENAME : 0);
}

static void
tell(struct inode *dir, u32 events)
{
	struct bucket *b = bucket_of(dir);
	struct mark *m, *next;

	spin_lock(&b->lock);
	list_for_each_entry_safe(m, next, &b->marks, node)
	{
		if (m->file->inode != dir || !(m->mask & events))
			continue;
		file_signal_owner(m->file, m->fd, POLL_MSG, EPOLLIN | EPOLLRDNORM | EPOLLMSG);
		if (!(m->mask & DN_MULTISHOT))
			mark_free(m);
	}
	spin_unlock(&b->lock);
}

void
dnotify_event(struct inode *i, struct dentry *d, u32 mask)
{
	u32 events = wanted_by(mask);

	if (!events || !atomic_read(&mark_count))
		return;
	if (S_ISDIR(i->mode))
		tell(i, events);
	if (d && !(mask & (IN_CREATE | IN_DELETE | IN_MOVE))) {
		spin_lock(&d->lock); /* keeps the parent, which has an inode */
		struct inode *dir = d->parent != d ? READ_ONCE(d->parent->inode) : NULL;
		if (dir)
			tell(dir, events);
		spin_unlock(&d->lock);
	}
}

/* Until there is inotify. */
static void
dnotify_hook(struct inode *i, struct dentry *d, u32 mask, u32 cookie)
{
	dnotify_event(i, d, mask);
}

/* ---- marks ---- */

static struct mark *
mark_peek_locked(struct bucket *b, const struct file *f, const struct fd_table *t)
{
	struct mark *m;

	list_for_each_entry(m, &b->marks, node) if (m->file == f && m->table == t) return m;
	return NULL;
}

void
dnotify_close(struct file *f, const struct fd_table *t)
{
	struct bucket *b = bucket_of(f->inode);

	if (!atomic_read(&mark_count))
		return;
	spin_lock(&b->lock);
	struct mark *m = mark_peek_locked(b, f, t);
	if (m)
		mark_free(m);
	spin_unlock(&b->lock);
}

static void
dnotify_start(void)
{
	void (*none)(struct inode *, struct dentry *, u32, u32) = NULL;

	(void)try_cmpxchg(&vfs_notify, &none, dnotify_hook);
}

int
dnotify_set(int fd, struct file *f, u32 mask)
{
	struct bucket *b = bucket_of(f->inode);
	struct fd_table *t = current->files;
	struct mark *fresh, *m;
	struct file *still;
	int r;

	if (!(mask & ~DN_MULTISHOT)) {
		dnotify_close(f, t);
		return 0;
	}
	if (!S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	fresh = kmalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	r = file_own(f);
	if (r) {
		kfree(fresh);
		return r;
	}
	*fresh = (struct mark){ .file = f, .table = t };
	dnotify_start();
	spin_lock(&b->lock);
	m = mark_peek_locked(b, f, t);
	if (!m) {
		m = fresh;
		fresh = NULL;
		list_add_tail(&m->node, &b->marks);
		atomic_inc(&mark_count);
	}
	m->fd = fd;
	m->mask |= mask & (MASK_ALL | DN_MULTISHOT);
	spin_unlock(&b->lock);
	kfree(fresh);
	/* Closed meanwhile by another thread: it may have come before the mark. */
	still = fd_table_find(t, fd);
	if (still != f)
		dnotify_close(f, t);
	if (still)
		file_put(still);
	return 0;
}

void
dnotify_init(void)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_INODE_HASH);
		list_init(&buckets[i].marks);
	}
}
