/* SPDX-License-Identifier: MIT */
/*
 * epoll(7): readiness of many files without asking each.
 *
 * 1. Objects. An epoll file has a set of items, one for each (file, descriptor number) added, kept
 * in a tree, and a list of those that may be ready. An item hooks entries on the wait queues of its
 * file; a call from a queue puts the item on the ready list and wakes who waits for the set.
 * epoll_wait takes items off the list, asks each file what is true now, reports it, and puts
 * level-triggered ones back at the end. Nothing is ever scanned.
 *
 * 2. Lifetime. An item does not keep its file alive. A file that is watched has its items on a
 * chain (file->epoll_items); the last put of the file takes them out of their sets
 * (epoll_file_release). Whoever works on an item holds set->lock; items are freed after a grace
 *    period, since a queue may be calling one.
 *
 * 3. Nesting. An epoll file may watch another: adding one takes nest_lock, under which cycles and
 * chains deeper than 5 are refused with ELOOP, and more than a few hundred ways up from a set with
 * EINVAL: a wake-up goes all of them.
 *
 * 4. Memory. Items count on the user who made the set (ENOSPC).
 *
 * Locking: chain_lock (spinlock, global, taken only by ADD, DEL and the release of a watched file)
 * guards the chains of files; set->lock (sleeping) guards the tree and serialises waiters'
 * collection; ready_lock (taken in interrupts) guards the ready list. Order: nest_lock, set->lock,
 * chain_lock; a queue's lock, ready_lock.
 */
#include "event/epoll.h"

#include "core/rcu.h"
#include "core/time.h"
#include "event_internal.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/rbtree.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"

#define EPOLL_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define EPOLL_EXCLUSIVE_OK \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define NESTING_MAX 5
#define EVENTS_MAX  (INT32_MAX / (int)sizeof(struct linux_epoll_event))
#define ITEM_COST   256 /* what an item keeps in memory, with its hook */

/* Most ways that lead one, two, ... sets up from a set. */
static const u32 paths_max[NESTING_MAX - 1] = { 500, 100, 50, 10 };

struct epoll_set {
	struct mutex lock;
	struct rb_root items;
	struct spinlock ready_lock;
	struct list ready;
	struct wait_queue wait;	     /* epoll_wait callers */
	struct wait_queue poll_wait; /* who polls the epoll file itself */
	struct file *file;	     /* its own file: no reference */
	struct user_account *user;   /* [I] referenced: charged for items */
	u32 visit;		     /* nest_lock: seen by this walk of what is below */
	u32 levels;		     /* nest_lock: what it found */
	struct rcu_head rcu;
};

/* A hook on one queue of the file. A file may have two (readers and writers). */
struct epoll_hook {
	struct wait_entry wait;
	struct wait_queue *wq; /* NULL once it is gone: signalfd's is a process's */
	struct epoll_item *item;
	struct epoll_hook *next;
	struct rcu_head rcu;
};

struct epoll_item {
	struct rb_node node;
	struct epoll_set *set;
	struct file *file; /* [chain_lock] no reference */
	int fd;
	u32 events; /* wanted, with flags */
	u64 data;
	bool on_ready;		/* ready_lock */
	struct list ready_node; /* ready_lock */
	struct list file_node;	/* chain_lock: file->epoll_items */
	struct epoll_hook *hooks;
	int hook_error;
	struct rcu_head rcu;
};

/* What hangs on a watched file: allocated with its first item, freed with its last. */
struct epoll_chain {
	struct list items;
};

static struct spinlock chain_lock = SPINLOCK_INIT(RANK_EPOLL_READY);
static struct mutex nest_lock = MUTEX_INIT(nest_lock, RANK_EPOLL);
static const struct file_ops epoll_file_ops;

/* ---- the tree: by file, then descriptor ---- */

static int
item_compare(const struct file *f, int fd, const struct epoll_item *i)
{
	if (f != i->file)
		return f < i->file ? -1 : 1;
	return fd < i->fd ? -1 : fd > i->fd;
}

static struct epoll_item *
item_find(struct epoll_set *set, const struct file *f, int fd)
{
	struct rb_node *n = set->items.node;

	while (n) {
		struct epoll_item *i = rb_entry(n, struct epoll_item, node);
		int c = item_compare(f, fd, i);

		if (c == 0)
			return i;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

static void
item_insert(struct epoll_set *set, struct epoll_item *item)
{
	struct rb_node **link = &set->items.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item_compare(item->file, item->fd,
				    rb_entry(parent, struct epoll_item, node)) < 0
			       ? &parent->left
			       : &parent->right;
	}
	rb_link_node(&item->node, parent, link);
	rb_insert_color(&item->node, &set->items);
}

/* ---- readiness ---- */

/* True if somebody slept for the set and was woken: one who is awake already does not count. */
static bool
set_wake(struct epoll_set *set)
{
	bool woke = wake_up_nested_key(&set->wait, THREAD_NORMAL, 1, 0);

	if (wait_queue_active(&set->poll_wait))
		wake_up_nested_key(&set->poll_wait, THREAD_NORMAL, INT32_MAX,
				   EPOLLIN | EPOLLRDNORM);
	return woke;
}

static bool
item_make_ready(struct epoll_item *item)
{
	struct epoll_set *set = item->set;
	unsigned long flags = spin_lock_irqsave(&set->ready_lock);

	if (!item->on_ready) {
		item->on_ready = true;
		list_add_tail(&item->ready_node, &set->ready);
	}
	spin_unlock_irqrestore(&set->ready_lock, flags);
	smp_mb();
	return set_wake(set);
}

/* A queue of the file calls; its lock is held, maybe in an interrupt. */
static bool
item_called(struct wait_entry *we, u32 key)
{
	struct epoll_hook *h = container_of(we, struct epoll_hook, wait);
	struct epoll_item *item = h->item;
	u32 want = READ_ONCE(item->events);

	if (unlikely(key & WAKE_QUEUE_GONE)) {
		list_del_init(&we->node);
		smp_store_release(&h->wq, NULL);
		return false;
	}
	if (!(want & ~EPOLL_PRIVATE))
		return false; /* EPOLLONESHOT, used up */
	if (key && !(key & want))
		return false;
	/* An exclusive wake-up is used up only by a set where it ends a sleep. */
	return item_make_ready(item) && (want & EPOLLEXCLUSIVE);
}

struct hook_table {
	struct poll_table table;
	struct epoll_item *item;
};

static void
item_hook(struct poll_table *pt, struct file *f, struct wait_queue *wq)
{
	struct epoll_item *item = container_of(pt, struct hook_table, table)->item;
	struct epoll_hook *h = kzalloc(sizeof(*h), GFP_KERNEL);

	if (!h) {
		item->hook_error = -ENOMEM;
		return;
	}
	h->item = item;
	h->wq = wq;
	h->next = item->hooks;
	item->hooks = h;
	wait_entry_init(&h->wait, item->events & EPOLLEXCLUSIVE ? WAIT_EXCLUSIVE : 0);
	h->wait.func = item_called;
	wait_add(wq, &h->wait);
}

static void
hook_free(struct rcu_head *head)
{
	kfree(container_of(head, struct epoll_hook, rcu));
}

static void
item_free(struct rcu_head *head)
{
	kfree(container_of(head, struct epoll_item, rcu));
}

static u32
item_poll(struct epoll_item *item, struct poll_table *pt)
{
	return vfs_poll(item->file, pt) & (item->events | EPOLLERR | EPOLLHUP);
}

/* Take an item out of everything. set->lock held; the file is alive. */
static void
item_remove(struct epoll_item *item)
{
	struct epoll_set *set = item->set;

	while (item->hooks) {
		struct epoll_hook *h = item->hooks;

		item->hooks = h->next;
		rcu_read_lock();
		struct wait_queue *wq = smp_load_acquire(&h->wq);
		if (likely(wq))
			wait_remove(wq, &h->wait);
		rcu_read_unlock();
		rcu_call(&h->rcu, hook_free);
	}
	unsigned long flags = spin_lock_irqsave(&set->ready_lock);
	if (item->on_ready) {
		list_del(&item->ready_node);
		item->on_ready = false;
	}
	spin_unlock_irqrestore(&set->ready_lock, flags);
	rb_erase(&item->node, &set->items);
	(void)user_count_epoll_watches(set->user, -1, 0);
	rcu_call(&item->rcu, item_free);
}

static void
item_unchain(struct epoll_item *item)
{
	struct file *f = item->file;
	struct epoll_chain *dead = NULL;

	spin_lock(&chain_lock);
	struct epoll_chain *c = f->epoll_items;
	list_del_init(&item->file_node);
	if (list_empty(&c->items)) {
		f->epoll_items = NULL;
		dead = c;
	}
	spin_unlock(&chain_lock);
	kfree(dead);
}

/*
 * The last reference of a watched file has gone. Its items go, set by set. A set whose own release
 * runs at the same time does the same with its items under its lock: each item is taken by whoever
 * finds it on the chain under nest_lock.
 */
static void
epoll_file_gone(struct file *f)
{
	mutex_lock(&nest_lock);
	for (;;) {
		spin_lock(&chain_lock);
		struct epoll_chain *c = f->epoll_items;
		struct epoll_item *item = c ? list_first_entry(&c->items, struct epoll_item,
							       file_node)
					    : NULL;
		spin_unlock(&chain_lock);
		if (!item)
			break;
		struct epoll_set *set = item->set;
		mutex_lock_nested(&set->lock);
		item_unchain(item);
		item_remove(item);
		mutex_unlock(&set->lock);
	}
	mutex_unlock(&nest_lock);
}

/* ---- nesting ---- */

static struct epoll_set *
set_of(struct file *f)
{
	return f->ops == &epoll_file_ops ? f->private : NULL;
}

/* Every set below is looked at once a walk, and the depth is bounded, so the recursion is. */
static u32 walk;

/* Levels of sets from this one down; many if `target` is among them. nest_lock held. */
static u32
levels_below(struct epoll_set *set, const struct epoll_set *target)
{
	u32 most = 0;

	if (set == target)
		return NESTING_MAX + 1;
	if (set->visit == walk)
		return set->levels;
	mutex_lock_nested(&set->lock);
	for (struct rb_node *n = rb_first(&set->items); n; n = rb_next(n)) {
		struct epoll_set *below = set_of(rb_entry(n, struct epoll_item, node)->file);

		if (below)
			most = MAX(most, levels_below(below, target));
	}
	mutex_unlock(&set->lock);
	set->visit = walk;
	set->levels = most + 1;
	return most + 1;
}

/* The ways up from a set, by their length; false: too many. nest_lock and chain_lock held. */
static bool
paths_count_up(const struct epoll_set *set, u32 *count, u32 depth)
{
	const struct epoll_chain *c = set->file->epoll_items;
	const struct epoll_item *i;

	if (!c)
		return true;
	if (depth >= ARRAY_SIZE(paths_max))
		return false;
	list_for_each_entry(i, &c->items, file_node)
	{
		if (++count[depth] > paths_max[depth] || !paths_count_up(i->set, count, depth + 1))
			return false;
	}
	return true;
}

static bool
paths_above(const struct epoll_set *set, u32 *count)
{
	bool ok;

	spin_lock(&chain_lock);
	ok = paths_count_up(set, count, 0);
	spin_unlock(&chain_lock);
	return ok;
}

/* How many sets are stacked above this one. */
static u32
height_above(const struct epoll_set *set)
{
	u32 count[ARRAY_SIZE(paths_max)] = { 0 }, height = 0;

	(void)paths_above(set, count);
	while (height < ARRAY_SIZE(paths_max) && count[height])
		height++;
	return height;
}

/* Has no set from this one down too many ways up? */
static bool
paths_fit(struct epoll_set *set)
{
	u32 count[ARRAY_SIZE(paths_max)] = { 0 };
	bool ok;

	if (set->visit == walk)
		return true;
	set->visit = walk;
	ok = paths_above(set, count);
	mutex_lock_nested(&set->lock);
	for (struct rb_node *n = rb_first(&set->items); n && ok; n = rb_next(n)) {
		struct epoll_set *below = set_of(rb_entry(n, struct epoll_item, node)->file);

		ok = !below || paths_fit(below);
	}
	mutex_unlock(&set->lock);
	return ok;
}

/* ---- epoll_ctl ---- */

static u32 watches_max; /* one more; 0: not yet known */

/* As much as Linux lets one user have: a twenty-fifth of the memory. */
u32
epoll_max_user_watches(void)
{
	struct mem_stats stats;

	if (!READ_ONCE(watches_max)) {
		mem_stats(&stats);
		epoll_set_max_user_watches(
			(u32)MIN(stats.total * PAGE_SIZE / 25 / ITEM_COST, (u64)INT32_MAX));
	}
	return READ_ONCE(watches_max) - 1;
}

void
epoll_set_max_user_watches(u32 n)
{
	WRITE_ONCE(watches_max, n + 1);
}

static int
item_add(struct epoll_set *set, struct file *f, int fd, const struct linux_epoll_event *ev)
{
	struct epoll_item *item;
	struct epoll_chain *fresh;

	if (!user_count_epoll_watches(set->user, 1, epoll_max_user_watches()))
		return -ENOSPC;
	item = kzalloc(sizeof(*item), GFP_KERNEL);
	fresh = kmalloc(sizeof(*fresh), GFP_KERNEL);
	if (!item || !fresh) {
		(void)user_count_epoll_watches(set->user, -1, 0);
		kfree(item);
		kfree(fresh);
		return -ENOMEM;
	}
	item->set = set;
	item->file = f;
	item->fd = fd;
	item->events = ev->events | EPOLLERR | EPOLLHUP;
	item->data = ev->data;
	spin_lock(&chain_lock);
	if (!f->epoll_items) {
		list_init(&fresh->items);
		f->epoll_items = fresh;
		fresh = NULL;
	}
	list_add_tail(&item->file_node, &((struct epoll_chain *)f->epoll_items)->items);
	spin_unlock(&chain_lock);
	kfree(fresh);
	item_insert(set, item);

	struct hook_table ht = { .table = { .queue = item_hook, .events = item->events },
				 .item = item };
	u32 now = item_poll(item, &ht.table);
	if (item->hook_error) {
		item_unchain(item);
		item_remove(item);
		return -ENOMEM;
	}
	if (now)
		item_make_ready(item);
	return 0;
}

static int
item_modify(struct epoll_item *item, const struct linux_epoll_event *ev)
{
	if (item->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	item->data = ev->data;
	WRITE_ONCE(item->events, ev->events | EPOLLERR | EPOLLHUP);
	/* The new interest must be seen by a queue that calls from now on, before the file is
	 * asked. */
	smp_mb();
	if (item_poll(item, NULL))
		item_make_ready(item);
	return 0;
}

static int
ctl_locked(struct epoll_set *set, int op, struct file *f, int fd,
	   const struct linux_epoll_event *ev)
{
	struct epoll_item *item = item_find(set, f, fd);

	switch (op) {
	case EPOLL_CTL_ADD: return item ? -EEXIST : item_add(set, f, fd, ev);
	case EPOLL_CTL_MOD: return item ? item_modify(item, ev) : -ENOENT;
	}
	if (!item)
		return -ENOENT;
	item_unchain(item);
	item_remove(item);
	return 0;
}

static int
ctl_check(struct file *ef, struct file *f, int op, const struct linux_epoll_event *ev)
{
	if (!f->ops->poll)
		return -EPERM;
	if (ef == f || !set_of(ef))
		return -EINVAL;
	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (ev->events & EPOLLEXCLUSIVE)) {
		if (op == EPOLL_CTL_MOD || set_of(f) || (ev->events & ~EPOLL_EXCLUSIVE_OK))
			return -EINVAL;
	}
	return 0;
}

static int
epoll_ctl(struct file *ef, int op, struct file *f, int fd, const struct linux_epoll_event *ev)
{
	int r = ctl_check(ef, f, op, ev);

	if (r)
		return r;
	struct epoll_set *set = set_of(ef), *below = set_of(f);
	bool nest = op == EPOLL_CTL_ADD && below;
	if (nest) {
		mutex_lock(&nest_lock);
		walk++;
		if (height_above(set) + levels_below(below, set) > NESTING_MAX)
			r = -ELOOP;
	}
	if (r == 0) {
		mutex_lock_nested(&set->lock);
		r = ctl_locked(set, op, f, fd, ev);
		mutex_unlock(&set->lock);
	}
	if (nest) {
		walk++;
		if (r == 0 && !paths_fit(below)) {
			mutex_lock_nested(&set->lock);
			(void)ctl_locked(set, EPOLL_CTL_DEL, f, fd, ev);
			mutex_unlock(&set->lock);
			r = -EINVAL;
		}
		mutex_unlock(&nest_lock);
	}
	return r;
}

long
sys_epoll_ctl(int epfd, int op, int fd, user_ptr event)
{
	struct linux_epoll_event ev = { 0 };
	long r = -EBADF;

	if (op != EPOLL_CTL_DEL && copy_from_user(&ev, event, sizeof(ev)))
		return -EFAULT;
	struct fd_ref ef = fd_lookup(epfd);
	if (!ef.file)
		return r;
	struct fd_ref f = fd_lookup(fd);
	if (f.file) {
		r = epoll_ctl(ef.file, op, f.file, fd, &ev);
		fd_release(f);
	}
	fd_release(ef);
	return r;
}

/* ---- epoll_wait ---- */

/* Report up to max events: how many, or -EFAULT. */
static int
set_collect(struct epoll_set *set, user_ptr events, int max)
{
	struct list again = LIST_INIT(again);
	struct list todo = LIST_INIT(todo);
	int count = 0, err = 0;

	mutex_lock_nested(&set->lock);
	unsigned long flags = spin_lock_irqsave(&set->ready_lock);
	list_splice_init(&set->ready, &todo);
	spin_unlock_irqrestore(&set->ready_lock, flags);

	while (count < max && !list_empty(&todo)) {
		struct epoll_item *item = list_first_entry(&todo, struct epoll_item, ready_node);

		/* Off the list before the file is asked: a call from now on puts it back. */
		flags = spin_lock_irqsave(&set->ready_lock);
		list_del(&item->ready_node);
		item->on_ready = false;
		spin_unlock_irqrestore(&set->ready_lock, flags);
		u32 now = item_poll(item, NULL);
		if (!now)
			continue;
		struct linux_epoll_event ev = { .events = now, .data = item->data };
		if (copy_to_user(user_ptr_add(events, (u64)count * sizeof(ev)), &ev, sizeof(ev))) {
			err = -EFAULT;
			item_make_ready(item);
			break;
		}
		count++;
		if (item->events & EPOLLONESHOT) {
			WRITE_ONCE(item->events, item->events & EPOLL_PRIVATE);
		} else if (!(item->events & EPOLLET)) {
			/* Level-triggered: looked at again next time, behind those that wait now.
			 */
			flags = spin_lock_irqsave(&set->ready_lock);
			if (!item->on_ready) {
				item->on_ready = true;
				list_add_tail(&item->ready_node, &again);
			}
			spin_unlock_irqrestore(&set->ready_lock, flags);
		}
	}
	flags = spin_lock_irqsave(&set->ready_lock);
	/* What was not reached stays first, then what came meanwhile, then what was reported. */
	list_splice_tail_init(&set->ready, &todo);
	list_splice_tail_init(&again, &todo);
	list_splice_tail_init(&todo, &set->ready);
	bool more = !list_empty(&set->ready);
	spin_unlock_irqrestore(&set->ready_lock, flags);
	mutex_unlock(&set->lock);
	if (more && wait_queue_active(&set->wait))
		wake_up(&set->wait);
	return count ? count : err;
}

static bool
set_has_ready(struct epoll_set *set)
{
	return !list_empty(&set->ready);
}

static int
epoll_wait(struct epoll_set *set, user_ptr events, int max, u64 deadline)
{
	for (;;) {
		int n = set_has_ready(set) ? set_collect(set, events, max) : 0;

		if (n || !deadline)
			return n;
		if (thread_signal_pending(thread_current()))
			return -EINTR;
		int r = WAIT_EVENT_(&set->wait, set_has_ready(set), THREAD_INTERRUPTIBLE, deadline,
				    WAIT_EXCLUSIVE);
		if (r == -ETIMEDOUT)
			return 0;
		if (r)
			return -EINTR;
	}
}

static long
epoll_wait_fd(int epfd, user_ptr events, int max, u64 deadline)
{
	long r = -EINVAL;

	if (max <= 0 || max > EVENTS_MAX)
		return -EINVAL;
	if (!user_range_ok(events, (size_t)max * sizeof(struct linux_epoll_event)))
		return -EFAULT;
	struct fd_ref f = fd_lookup(epfd);
	if (!f.file)
		return -EBADF;
	struct epoll_set *set = set_of(f.file);
	if (set)
		r = epoll_wait(set, events, max, deadline);
	fd_release(f);
	return r;
}

static u64
deadline_of_ms(int ms)
{
	return ms < 0 ? TIME_NEVER : ms == 0 ? 0 : time_mono_ns() + (u64)ms * NSEC_PER_MSEC;
}

long
sys_epoll_wait(int epfd, user_ptr events, int max, int timeout_ms)
{
	return epoll_wait_fd(epfd, events, max, deadline_of_ms(timeout_ms));
}

static long
epoll_wait_masked(int epfd, user_ptr events, int max, u64 deadline, user_ptr set, size_t set_size)
{
	bool masked = !user_ptr_null(set);
	u64 mask;

	if (masked) {
		int r = signal_mask_from_user(set, set_size, &mask);

		if (r)
			return r;
		signal_use_temporary_mask(mask);
	}
	long r = epoll_wait_fd(epfd, events, max, deadline);
	/* Unlike ppoll, an interrupted epoll_pwait is never restarted. */
	if (masked && r != -EINTR)
		signal_restore_temporary_mask();
	return r;
}

long
sys_epoll_pwait(int epfd, user_ptr events, int max, int timeout_ms, user_ptr set, size_t set_size)
{
	return epoll_wait_masked(epfd, events, max, deadline_of_ms(timeout_ms), set, set_size);
}

long
sys_epoll_pwait2(int epfd, user_ptr events, int max, user_ptr timeout, user_ptr set,
		 size_t set_size)
{
	u64 deadline;
	int r = poll_deadline_read(timeout, &deadline);

	return r ? r : epoll_wait_masked(epfd, events, max, deadline, set, set_size);
}

/* ---- the epoll file ---- */

/* Ready if an item really is: the list may hold some that no longer are. */
static u32
epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll_set *set = f->private;
	struct epoll_item *item, *next;
	u32 mask = 0;

	poll_wait(f, &set->poll_wait, pt);
	if (!set_has_ready(set))
		return 0;
	mutex_lock_nested(&set->lock);
	struct list todo = LIST_INIT(todo);
	unsigned long flags = spin_lock_irqsave(&set->ready_lock);
	list_splice_init(&set->ready, &todo);
	spin_unlock_irqrestore(&set->ready_lock, flags);
	list_for_each_entry_safe(item, next, &todo, ready_node)
	{
		if (item_poll(item, NULL)) {
			mask = EPOLLIN | EPOLLRDNORM;
			break;
		}
		flags = spin_lock_irqsave(&set->ready_lock);
		list_del(&item->ready_node);
		item->on_ready = false;
		spin_unlock_irqrestore(&set->ready_lock, flags);
		/* It may have become ready between the question and now. */
		if (item_poll(item, NULL))
			item_make_ready(item);
	}
	flags = spin_lock_irqsave(&set->ready_lock);
	list_splice_init(&todo, &set->ready);
	spin_unlock_irqrestore(&set->ready_lock, flags);
	mutex_unlock(&set->lock);
	return mask;
}

static void
set_free(struct epoll_set *set)
{
	user_account_put(set->user);
	kfree(set);
}

static void
set_free_rcu(struct rcu_head *head)
{
	set_free(container_of(head, struct epoll_set, rcu));
}

static void
epoll_release(struct file *f)
{
	struct epoll_set *set = f->private;
	struct rb_node *n;

	mutex_lock(&nest_lock);
	mutex_lock_nested(&set->lock);
	while ((n = rb_first(&set->items)) != NULL) {
		struct epoll_item *item = rb_entry(n, struct epoll_item, node);

		item_unchain(item);
		item_remove(item);
	}
	mutex_unlock(&set->lock);
	mutex_unlock(&nest_lock);
	/* A queue that is calling an item may still be about to wake us. */
	rcu_call(&set->rcu, set_free_rcu);
}

static void
epoll_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct epoll_set *set = f->private;

	mutex_lock_nested(&set->lock);
	for (struct rb_node *n = rb_first(&set->items); n; n = rb_next(n)) {
		struct epoll_item *i = rb_entry(n, struct epoll_item, node);

		strbuf_printf(sb, "tfd: %8d events: %8x data: %16lx  pos:%lu ino:%lx sdev:%lx\n",
			      i->fd, i->events, i->data, i->file->pos, i->file->inode->ino,
			      i->file->inode->super->dev);
	}
	mutex_unlock(&set->lock);
}

long
sys_epoll_create1(int flags)
{
	struct epoll_set *set;
	struct file *f;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return -ENOMEM;
	mutex_init(&set->lock, RANK_EPOLL);
	spin_init(&set->ready_lock, RANK_EPOLL_ITEMS);
	list_init(&set->ready);
	wait_queue_init(&set->wait);
	wait_queue_init(&set->poll_wait);
	set->user = user_account_get(current_cred()->user);
	int r = file_create_anon("[eventpoll]", &epoll_file_ops, set, O_RDWR, 0, &f);
	if (r) {
		set_free(set);
		return r;
	}
	set->file = f;
	file_epoll_release = epoll_file_gone;
	return fd_add(f, flags & EPOLL_CLOEXEC);
}

long
sys_epoll_create(int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

static const struct file_ops epoll_file_ops = {
	.release = epoll_release,
	.poll = epoll_poll,
	.show_fdinfo = epoll_show_fdinfo,
};
