/* SPDX-License-Identifier: MIT */
/*
 * inotify(7): what happens to files, as a stream of events.
 *
 * A watch joins an inode and a group (the file that inotify_init makes). It hangs on the inode's
 * chain and in the group's tree of watch descriptors, always in both or in neither. vfs calls the
 * hook, which walks the chain of the inode, and before it that of the directory it was reached by.
 *
 * Lifetime: being attached is one reference to a watch, each use another. A watch holds its inode
 * and super block. The group goes with its file, whose release detaches every watch: a watch is
 * attached only under the inode's spinlock, so whoever finds one there finds a living group.
 *
 * Locking: inode->spin guards the chain and watch->attached. Taken inside it: supers_lock, for the
 * lists of super blocks, and the lock of the group's wait queue, for the tree, the events and their
 * number.
 *
 * When the last mount of a file system goes, so do its watches, with IN_UNMOUNT: the super block
 * lists them. Groups and watches are counted on the user who made the group.
 */
#include "event/inotify.h"
#include "core/ref.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/inotify.h"
#include "uapi/ioctl.h"

/* What a watch may keep in memory: itself and its inode. */
#define WATCH_COST 1280

/* Of a mask: which events; how they are wanted. Events that nobody has to ask for. */
#define MASK_OPTIONS (IN_EXCL_UNLINK | IN_ONESHOT)
#define MASK_ALWAYS  (IN_UNMOUNT | IN_IGNORED)
#define MASK_KNOWN                                                                               \
	(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW | \
	 IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT)
/* Happened in a directory to a name, rather than to a file. */
#define MASK_NAMES (IN_CREATE | IN_DELETE | IN_MOVE)

struct event {
	struct list node;
	s32 wd;
	u32 mask, cookie;
	u32 name_len; /* without the padding */
	char name[];
};

struct group {
	struct user_account *user; /* [I] referenced: charged for it and its watches */
	struct wait_queue wait;
	struct rb_root watches;
	struct list events;
	u32 nr_events;
	u32 bytes; /* what reading all would give */
	s32 next_wd;
	struct event overflow; /* never changes but for being in the list or not */
};

struct watch {
	struct ref ref;
	struct watch *next; /* chain of the inode, or of those to put */
	struct rb_node node;
	struct list super_node;
	struct group *group;
	struct inode *inode;
	struct super *super;
	s32 wd;
	u32 mask;
	bool attached;
};

static const struct file_ops inotify_file_ops;
static struct spinlock supers_lock = SPINLOCK_INIT(RANK_FS);

/* --- limits --- */

u32 inotify_max_queued_events = 16384, inotify_max_user_instances = 128;
static u32 max_user_watches; /* one more; 0: not yet known */

/* Watches may keep a hundredth of the memory. */
u32
inotify_max_user_watches(void)
{
	struct mem_stats stats;

	if (!READ_ONCE(max_user_watches)) {
		mem_stats(&stats);
		inotify_set_max_user_watches(
			(u32)CLAMP(stats.total * PAGE_SIZE / 100 / WATCH_COST, 8192ul, 1048576ul));
	}
	return READ_ONCE(max_user_watches) - 1;
}

void
inotify_set_max_user_watches(u32 n)
{
	WRITE_ONCE(max_user_watches, n + 1);
}

/* --- events --- */

static u32
event_size(const struct event *e)
{
	u32 unit = sizeof(struct linux_inotify_event);
	u32 name = e->name_len ? (e->name_len / unit + 1) * unit : 0;

	return unit + name;
}

static void
event_free(struct group *g, struct event *e)
{
	if (e != &g->overflow)
		kfree(e);
}

/* The group's lock is held. */
static void
event_queue_locked(struct group *g, s32 wd, u32 mask, u32 cookie, const char *name, u32 len)
{
	struct event *e = NULL;

	if (!list_empty(&g->events)) {
		e = list_last_entry(&g->events, struct event, node);
		if (e->wd == wd && e->mask == mask && e->name_len == len && !(mask & IN_IGNORED) &&
		    (!len || !memcmp(e->name, name, len)))
			return;
		e = NULL;
	}
	if (g->nr_events < READ_ONCE(inotify_max_queued_events))
		e = kmalloc(sizeof(*e) + len, GFP_ATOMIC);
	if (e) {
		e->wd = wd;
		e->mask = mask;
		e->cookie = cookie;
		e->name_len = len;
		if (len)
			memcpy(e->name, name, len);
	} else {
		e = &g->overflow;
		if (!list_empty(&e->node))
			return;
	}
	list_add_tail(&e->node, &g->events);
	g->nr_events++;
	g->bytes += event_size(e);
	if (!list_empty(&g->wait.waiters))
		wake_up_locked_key(&g->wait, THREAD_NORMAL, 1, EPOLLIN);
}

/* --- watches --- */

static void
watch_put(struct watch *w)
{
	if (!ref_put(&w->ref))
		return;
	inode_put(w->inode);
	super_put(w->super);
	kfree(w);
}

/* The first watch of at least this descriptor, referenced; or NULL. */
static struct watch *
watch_find_from(struct group *g, s32 wd)
{
	unsigned long flags = spin_lock_irqsave(&g->wait.lock);
	struct rb_node *n = g->watches.node;
	struct watch *best = NULL;

	while (n) {
		struct watch *w = rb_entry(n, struct watch, node);

		if (w->wd >= wd)
			best = w;
		n = w->wd >= wd ? n->left : n->right;
	}
	if (best)
		ref_get(&best->ref);
	spin_unlock_irqrestore(&g->wait.lock, flags);
	return best;
}

/* inode->spin is held. 0 or -ENOSPC. */
static int
watch_attach_locked(struct group *g, struct watch *w)
{
	unsigned long flags = spin_lock_irqsave(&g->wait.lock);
	struct rb_node **link = &g->watches.node, *parent = NULL;

	/* Descriptors are not used twice. */
	if (g->next_wd == INT32_MAX) {
		spin_unlock_irqrestore(&g->wait.lock, flags);
		return -ENOSPC;
	}
	w->wd = g->next_wd++;
	while (*link) {
		parent = *link;
		link = &parent->right;
	}
	rb_link_node(&w->node, parent, link);
	rb_insert_color(&w->node, &g->watches);
	spin_unlock_irqrestore(&g->wait.lock, flags);
	spin_lock(&supers_lock);
	list_add_tail(&w->super_node, &w->super->watches);
	spin_unlock(&supers_lock);
	w->attached = true;
	w->next = w->inode->watches;
	WRITE_ONCE(w->inode->watches, w);
	return 0;
}

/* inode->spin is held. The reference of being attached is now the caller's. */
static void
watch_detach_locked(struct watch *w)
{
	struct group *g = w->group;
	struct watch *before = w->inode->watches;

	if (before == w) {
		WRITE_ONCE(w->inode->watches, w->next);
	} else {
		while (before->next != w)
			before = before->next;
		before->next = w->next;
	}
	w->attached = false;
	spin_lock(&supers_lock);
	list_del(&w->super_node);
	spin_unlock(&supers_lock);
	(void)user_count_inotify_watches(g->user, -1, 0);
	unsigned long flags = spin_lock_irqsave(&g->wait.lock);
	rb_erase(&w->node, &g->watches);
	event_queue_locked(g, w->wd, IN_IGNORED, 0, NULL, 0);
	spin_unlock_irqrestore(&g->wait.lock, flags);
}

/* False: somebody else did. */
static bool
watch_detach(struct watch *w)
{
	spin_lock(&w->inode->spin);
	bool attached = w->attached;
	if (attached)
		watch_detach_locked(w);
	spin_unlock(&w->inode->spin);
	if (attached)
		watch_put(w);
	return attached;
}

/* --- what vfs tells --- */

/* Tell the watches of i; those that end thereby go to *ended. unlinked: the name is gone. */
static void
deliver(struct inode *i, u32 mask, u32 cookie, const char *name, u32 len, bool unlinked,
	struct watch **ended)
{
	struct watch *w, *next;

	spin_lock(&i->spin);
	for (w = i->watches; w; w = next) {
		next = w->next;
		if (unlinked && w->mask & IN_EXCL_UNLINK)
			continue;
		bool told = mask & (w->mask | MASK_ALWAYS) & ~IN_ISDIR;
		if (told) {
			unsigned long flags = spin_lock_irqsave(&w->group->wait.lock);
			event_queue_locked(w->group, w->wd, mask, cookie, name, len);
			spin_unlock_irqrestore(&w->group->wait.lock, flags);
		}
		if (mask & (IN_DELETE_SELF | IN_UNMOUNT) || (told && w->mask & IN_ONESHOT)) {
			watch_detach_locked(w);
			w->next = *ended;
			*ended = w;
		}
	}
	spin_unlock(&i->spin);
}

static void
inotify_notify(struct inode *i, struct dentry *d, u32 mask, u32 cookie)
{
	dnotify_event(i, d, mask);
	mask &= ~VFS_RENAMED;
	bool names = mask & MASK_NAMES, self = mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT);
	struct watch *ended = NULL, *next;

	if ((mask & IN_UNMOUNT || (!names && !self)) && S_ISDIR(i->mode))
		mask |= IN_ISDIR;
	if (d && !self) {
		/* Its lock keeps name and parent, which has an inode while it has children. */
		spin_lock(&d->lock);
		struct inode *dir = names ? i : d->parent != d ? READ_ONCE(d->parent->inode) : NULL;
		if (dir && READ_ONCE(dir->watches))
			deliver(dir, mask, cookie, d->name, d->name_len,
				!names && d->flags & DENTRY_UNHASHED, &ended);
		spin_unlock(&d->lock);
	}
	if (!names && READ_ONCE(i->watches))
		deliver(i, mask, cookie, NULL, 0, false, &ended);
	for (; ended; ended = next) {
		next = ended->next;
		watch_put(ended);
	}
}

static struct watch *
watch_find_of_super(struct super *s)
{
	spin_lock(&supers_lock);
	struct watch *w = list_first_entry_or_null(&s->watches, struct watch, super_node);
	if (w)
		ref_get(&w->ref);
	spin_unlock(&supers_lock);
	return w;
}

static void
inotify_unmounted(struct super *s)
{
	struct watch *w;

	while ((w = watch_find_of_super(s)) != NULL) {
		inotify_notify(w->inode, NULL, IN_UNMOUNT, 0);
		watch_put(w);
	}
}

/* --- the file --- */

static void
group_free(struct group *g)
{
	(void)user_count_inotify_groups(g->user, -1, 0);
	user_account_put(g->user);
	kfree(g);
}

/* The next event, if it fits; false: there is none. *out NULL: too large. */
static bool
event_take(struct group *g, size_t room, struct event **out)
{
	unsigned long flags = spin_lock_irqsave(&g->wait.lock);
	struct event *e = list_first_entry_or_null(&g->events, struct event, node);
	bool some = e != NULL;

	if (e && event_size(e) > room)
		e = NULL;
	if (e) {
		list_del_init(&e->node);
		g->nr_events--;
		g->bytes -= event_size(e);
	}
	spin_unlock_irqrestore(&g->wait.lock, flags);
	*out = e;
	return some;
}

static bool
event_copy(struct iov_iter *it, const struct event *e)
{
	u32 size = event_size(e), unit = sizeof(struct linux_inotify_event);
	struct linux_inotify_event head = {
		.wd = e->wd,
		.mask = e->mask,
		.cookie = e->cookie,
		.len = size - unit,
	};
	u32 padding = head.len - e->name_len;

	return iter_copy_to(it, &head, unit) == unit &&
	       (!e->name_len || iter_copy_to(it, e->name, e->name_len) == e->name_len) &&
	       (!padding || iter_zero(it, padding) == padding);
}

static ssize_t
inotify_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct group *g = f->private;
	struct event *e;
	size_t done = 0;

	for (;;) {
		if (!event_take(g, iter_count(it), &e)) {
			if (done)
				return (ssize_t)done;
			if (f->flags & O_NONBLOCK)
				return -EAGAIN;
			int r = wait_event_interruptible(&g->wait, READ_ONCE(g->nr_events) != 0);
			if (r)
				return r;
			continue;
		}
		if (!e)
			return done ? (ssize_t)done : -EINVAL;
		u32 size = event_size(e);
		bool copied = event_copy(it, e);
		event_free(g, e);
		if (!copied)
			return -EFAULT;
		done += size;
	}
}

static u32
inotify_poll(struct file *f, struct poll_table *pt)
{
	struct group *g = f->private;

	poll_wait(f, &g->wait, pt);
	return READ_ONCE(g->nr_events) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long
inotify_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct group *g = f->private;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user(user_ptr_of(arg), (s32)READ_ONCE(g->bytes));
}

static void
inotify_release(struct file *f)
{
	struct group *g = f->private;
	struct event *e, *next;
	struct watch *w;

	while ((w = watch_find_from(g, 0)) != NULL) {
		watch_detach(w);
		watch_put(w);
	}
	list_for_each_entry_safe(e, next, &g->events, node) event_free(g, e);
	group_free(g);
}

static void
inotify_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct group *g = f->private;
	struct watch *w;

	for (s32 wd = 0; (w = watch_find_from(g, wd)) != NULL; wd = w->wd + 1, watch_put(w))
		strbuf_printf(sb, "inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0\n", w->wd,
			      w->inode->ino, (u32)w->super->dev, w->mask);
}

/* --- system calls --- */

long
sys_inotify_init1(int flags)
{
	struct group *g;
	struct file *f;
	int r;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return -ENOMEM;
	g->user = user_account_get(current_cred()->user);
	if (!user_count_inotify_groups(g->user, 1, READ_ONCE(inotify_max_user_instances))) {
		user_account_put(g->user);
		kfree(g);
		return -EMFILE;
	}
	wait_queue_init(&g->wait);
	list_init(&g->events);
	list_init(&g->overflow.node);
	g->overflow.wd = -1;
	g->overflow.mask = IN_Q_OVERFLOW;
	g->next_wd = 1;
	r = file_create_anon("inotify", &inotify_file_ops, g, O_RDONLY | ((u32)flags & IN_NONBLOCK),
			     FMODE_READ, &f);
	if (r) {
		group_free(g);
		return r;
	}
	return fd_add(f, flags & IN_CLOEXEC);
}

long
sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

/* The watch descriptor, or -errno. */
static int
group_watch(struct group *g, struct inode *i, u32 mask)
{
	u32 wanted = mask & (IN_ALL_EVENTS | MASK_OPTIONS);
	struct watch *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL), *w;
	int r;

	if (!fresh)
		return -ENOMEM;
	ref_init(&fresh->ref);
	inode_get(i);
	ref_get(&i->super->ref);
	fresh->inode = i;
	fresh->super = i->super;
	fresh->group = g;
	fresh->mask = wanted;
	WRITE_ONCE(vfs_notify, inotify_notify);
	WRITE_ONCE(vfs_unmounted, inotify_unmounted);
	spin_lock(&i->spin);
	for (w = i->watches; w && w->group != g; w = w->next)
		;
	if (!w) {
		r = user_count_inotify_watches(g->user, 1, inotify_max_user_watches()) ? 0
										       : -ENOSPC;
		if (!r) {
			r = watch_attach_locked(g, fresh);
			if (r)
				(void)user_count_inotify_watches(g->user, -1, 0);
			else
				r = fresh->wd;
		}
	} else if (mask & IN_MASK_CREATE) {
		r = -EEXIST;
	} else {
		w->mask = mask & IN_MASK_ADD ? w->mask | wanted : wanted;
		r = w->wd;
	}
	spin_unlock(&i->spin);
	if (w || r < 0)
		watch_put(fresh);
	return r;
}

/* The group behind a descriptor; release *f after use. */
static int
group_lookup(int fd, struct fd_ref *f)
{
	*f = fd_lookup(fd);
	if (!f->file)
		return -EBADF;
	if (f->file->ops == &inotify_file_ops)
		return 0;
	fd_release(*f);
	return -EINVAL;
}

long
sys_inotify_add_watch(int fd, user_ptr name, u32 mask)
{
	u32 walk = mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW;
	struct fd_ref f;
	struct path at;
	int r;

	if (!mask || mask & ~MASK_KNOWN)
		return -EINVAL;
	r = group_lookup(fd, &f);
	if (r)
		return r;
	if ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)) {
		fd_release(f);
		return -EINVAL;
	}
	if (mask & IN_ONLYDIR)
		walk |= WALK_DIRECTORY;
	r = path_lookup_user(AT_FDCWD, name, walk, &at);
	if (!r) {
		r = inode_permission(at.dentry->inode, MAY_READ);
		if (!r)
			r = group_watch(f.file->private, at.dentry->inode, mask);
		path_put(&at);
	}
	fd_release(f);
	return r;
}

long
sys_inotify_rm_watch(int fd, int wd)
{
	struct fd_ref f;
	struct watch *w;
	int r = group_lookup(fd, &f);

	if (r)
		return r;
	w = wd > 0 ? watch_find_from(f.file->private, wd) : NULL;
	r = w && w->wd == wd && watch_detach(w) ? 0 : -EINVAL;
	if (w)
		watch_put(w);
	fd_release(f);
	return r;
}

static const struct file_ops inotify_file_ops = {
	.release = inotify_release,
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.show_fdinfo = inotify_show_fdinfo,
};
