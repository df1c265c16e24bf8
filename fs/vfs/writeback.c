/* SPDX-License-Identifier: MIT */
/*
 * Writeback, the half that knows inodes: what is dirty, since when, and the threads that write it.
 *
 * A dirty inode is on the list of its device, ordered by the moment when it became dirty. One
 * thread a device writes those that have been so for half a minute, and from the oldest on while
 * too much memory is dirty (mm/writeback.c). It has nothing to do, and no timer, while the list is
 * empty. sync and the like do the same work in their own thread.
 *
 * An inode that is being written (INODE_WRITING) is off the list, with a reference; what becomes
 * dirty meanwhile only sets bits, and is seen at the end, when it goes back if need be:
 *
 *	writer				store
 *	dirty bits off
 *	pages clean			page dirty
 *					bits on (WRITING: the list is not touched)
 *	bits or dirty pages? list
 *
 * Pages are written before the inode, because writing them may change it (blocks, size).
 *
 * Locking: backing->lock for dirty, dirtied_ns, dirty_node.
 */
#include "core/panic.h"
#include "lib/format.h"
#include "mm/backing.h"
#include "sched/sched.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

#define PERIOD_NS (5 * NSEC_PER_SEC)
#define EXPIRE_NS (30 * NSEC_PER_SEC)
#define SLICE	  1024 /* pages of one inode before others have their turn */

u32 vm_dirty_writeback_centisecs = PERIOD_NS / (NSEC_PER_SEC / 100);
u32 vm_dirty_expire_centisecs = EXPIRE_NS / (NSEC_PER_SEC / 100);

static struct wait_queue writing_wait = WAIT_QUEUE_INIT(writing_wait);

/* ---- becoming dirty ---- */

static void
wake_writer(struct backing *b, u32 want)
{
	u32 old = __atomic_fetch_or(&b->want, want, __ATOMIC_SEQ_CST);

	if ((old & want) != want && wait_queue_active(&b->wait))
		wake_up_all(&b->wait);
}

/* Flags into i->dirty, and onto the list. backing->lock held. */
static bool
mark_locked(struct backing *b, struct inode *i, u32 flags)
{
	bool first = false;

	if (!(i->dirty & INODE_DIRTY))
		i->dirtied_ns = time_mono_ns();
	i->dirty |= flags;
	if (!(i->dirty & INODE_WRITING) && list_empty(&i->dirty_node)) {
		first = list_empty(&b->inodes);
		list_add_tail(&i->dirty_node, &b->inodes);
	}
	return first;
}

static void
mark(struct inode *i, u32 flags)
{
	struct backing *b = i->mapping.backing;
	bool first;

	smp_mb(); /* what is dirty, before the look at the bits: see the head */
	if (!b || (READ_ONCE(i->dirty) & flags) == flags)
		return;
	spin_lock(&b->lock);
	first = mark_locked(b, i, flags);
	spin_unlock(&b->lock);
	if (first && wait_queue_active(&b->wait))
		wake_up_all(&b->wait); /* it had no timer */
}

void
inode_mark_dirty(struct inode *i, u32 flags)
{
	struct super *s = i->super;
	u32 fields = flags & (INODE_DIRTY_SYNC | INODE_DIRTY_DATASYNC);

	if (fields && s->ops && s->ops->dirty_inode)
		s->ops->dirty_inode(i, fields);
	mark(i, flags);
}

static void
pages_dirtied(struct mapping *m)
{
	struct inode *i = m->host;

	mark(i, INODE_DIRTY_PAGES);
}

static void
write_failed(struct mapping *m, int err)
{
	struct inode *i = m->host;

	errseq_set(&i->super->wb_error, err);
}

/* ---- writing one inode ---- */

static bool
not_writing(struct inode *i)
{
	return !(READ_ONCE(i->dirty) & INODE_WRITING);
}

/* The caller becomes the one who writes it. Returns what was dirty. */
static u32
claim(struct inode *i)
{
	struct backing *b = i->mapping.backing;
	u32 dirty;

	for (;;) {
		spin_lock(&b->lock);
		if (!(i->dirty & INODE_WRITING))
			break;
		spin_unlock(&b->lock);
		wait_event(&writing_wait, not_writing(i));
	}
	dirty = i->dirty & INODE_DIRTY;
	i->dirty = INODE_WRITING;
	list_del_init(&i->dirty_node);
	spin_unlock(&b->lock);
	smp_mb();
	return dirty;
}

/* `left`: what could not be written, and since when it is dirty (0: it gets another half minute).
 */
static void
release(struct inode *i, u32 left, u64 since)
{
	struct backing *b = i->mapping.backing;

	spin_lock(&b->lock);
	i->dirty &= ~INODE_WRITING;
	if (mapping_has_dirty(&i->mapping))
		left |= INODE_DIRTY_PAGES;
	if (i->dirty & INODE_DIRTY || left) {
		(void)mark_locked(b, i, left);
		if (since)
			i->dirtied_ns = since;
		else
			i->dirtied_ns = time_mono_ns();
	}
	spin_unlock(&b->lock);
	smp_mb();
	if (wait_queue_active(&writing_wait))
		wake_up_all(&writing_wait);
}

/* With a reference. */
static int
write_inode_claimed(struct inode *i, u32 dirty, u64 since, struct writeback *wb)
{
	const struct super_ops *ops = i->super->ops;
	u32 left = 0, fields;
	int err = 0, err2;

	/* What is appended from now on is not this sync's: whoever writes on would keep it here. */
	if (wb->reason == WRITEBACK_SYNC)
		wb->last = MIN(wb->last, READ_ONCE(*i->mapping.size) >> PAGE_SHIFT);
	if (mapping_has_dirty(&i->mapping))
		err = mapping_write(&i->mapping, wb);
	/* Writing pages may have changed the inode. */
	fields = (dirty | READ_ONCE(i->dirty)) & (INODE_DIRTY_SYNC | INODE_DIRTY_DATASYNC);
	if (fields && ops->write_inode) {
		spin_lock(&i->mapping.backing->lock);
		i->dirty &= ~(INODE_DIRTY_SYNC | INODE_DIRTY_DATASYNC);
		spin_unlock(&i->mapping.backing->lock);
		err2 = ops->write_inode(i, wb->sync);
		if (err2) {
			err = err ? err : err2;
			errseq_set(&i->mapping.wb_error, err2);
			errseq_set(&i->super->wb_error, err2);
		}
	}
	release(i, left, wb->budget <= 0 ? since : 0);
	return err;
}

int
inode_write_now(struct inode *i, bool sync)
{
	struct writeback wb = {
		.last = XA_MAX - 1,
		.budget = INT64_MAX,
		.sync = sync,
		.reason = WRITEBACK_SYNC,
	};
	int err;

	if (!i->mapping.backing)
		return 0;
	err = write_inode_claimed(i, claim(i), 0, &wb);
	if (sync)
		mapping_wait_writeback(&i->mapping, 0, UINT64_MAX);
	return err;
}

/* Evicting: nobody else has it. Clean, or not to be written any more. */
void
inode_forget_dirty(struct inode *i)
{
	struct backing *b = i->mapping.backing;

	if (!b)
		return;
	spin_lock(&b->lock);
	list_del_init(&i->dirty_node);
	i->dirty = 0;
	spin_unlock(&b->lock);
}

/* ---- many of them ---- */

/*
 * The oldest dirty inode that became so before `before`, claimed and with a reference; of s only,
 * if that is given. NULL: none.
 */
static struct inode *
take_dirty(struct backing *b, struct super *s, u64 before, u32 *dirty, u64 *since)
{
	struct inode *i;

	spin_lock(&b->lock);
	list_for_each_entry(i, &b->inodes, dirty_node)
	{
		if (!s && i->dirtied_ns > before)
			break;
		if ((s && i->super != s) || i->dirtied_ns > before)
			continue;
		/* Without references it is leaving, and written by who makes it leave. */
		if (!ref_try_get(&i->ref))
			continue;
		*dirty = i->dirty & INODE_DIRTY;
		*since = i->dirtied_ns;
		i->dirty = INODE_WRITING;
		list_del_init(&i->dirty_node);
		spin_unlock(&b->lock);
		smp_mb();
		return i;
	}
	spin_unlock(&b->lock);
	return NULL;
}

/* What became dirty before `before`. The number of pages started. */
static u64
write_before(struct backing *b, struct super *s, u64 before, enum writeback_reason reason,
	     bool sync, bool (*enough)(void), int *err)
{
	u64 pages = 0, since;
	struct inode *i;
	u32 dirty;

	while ((i = take_dirty(b, s, before, &dirty, &since))) {
		struct writeback wb = {
			.last = XA_MAX - 1,
			.budget = reason == WRITEBACK_SYNC ? INT64_MAX : SLICE,
			.sync = sync,
			.reason = reason,
		};
		s64 budget = wb.budget;
		int e = write_inode_claimed(i, dirty, since, &wb);

		if (e && err && !*err)
			*err = e;
		pages += (u64)(budget - wb.budget);
		inode_put(i);
		sched_cond_resched();
		if (enough && enough())
			break;
		/* Nothing could be started: it is on the list again, but with a new date. */
	}
	return pages;
}

/* ---- the writer of a device ---- */

static bool
enough_background(void)
{
	return !dirty_over_background();
}

static u64
writer_deadline(struct backing *b)
{
	u64 expire = vm_dirty_expire_centisecs * (NSEC_PER_SEC / 100), at = TIME_NEVER;
	struct inode *i;

	spin_lock(&b->lock);
	i = list_first_entry_or_null(&b->inodes, struct inode, dirty_node);
	if (i && vm_dirty_writeback_centisecs)
		at = MAX(i->dirtied_ns + expire,
			 time_mono_ns() + vm_dirty_writeback_centisecs * (NSEC_PER_SEC / 100));
	spin_unlock(&b->lock);
	return at;
}

static void
writer_run(void *arg)
{
	struct backing *b = arg;

	for (;;) {
		u64 expire = vm_dirty_expire_centisecs * (NSEC_PER_SEC / 100), now;
		bool empty = list_empty(&b->inodes);
		u32 want;

		/* With an empty list there is no time to wake up at: the first dirty inode wakes.
		 */
		(void)wait_event_timeout(&b->wait,
					 READ_ONCE(b->want) || list_empty(&b->inodes) != empty,
					 writer_deadline(b));
		want = __atomic_exchange_n(&b->want, READ_ONCE(b->want) & BACKING_STOP,
					   __ATOMIC_SEQ_CST);
		if (want & BACKING_STOP)
			break;
		now = time_mono_ns();
		if (want & BACKING_ALL)
			(void)write_before(b, NULL, now, WRITEBACK_RECLAIM, false, NULL, NULL);
		else if (want & BACKING_BACKGROUND)
			(void)write_before(b, NULL, now, WRITEBACK_BACKGROUND, false,
					   enough_background, NULL);
		if (now > expire)
			(void)write_before(b, NULL, now - expire, WRITEBACK_PERIODIC, false, NULL,
					   NULL);
	}
	spin_lock(&b->lock);
	b->writer = NULL;
	spin_unlock(&b->lock);
	wake_up_all(&b->wait);
}

/* ---- sync ---- */

/* Inodes that others are writing, and pages of those that are clean by now but still on their way.
 */
static void
wait_all(struct super *s)
{
	struct inode *i, *done = NULL;

	spin_lock(&s->lock);
	list_for_each_entry(i, &s->inodes, super_node)
	{
		if ((!mapping_in_writeback(&i->mapping) && not_writing(i)) || !ref_try_get(&i->ref))
			continue;
		spin_unlock(&s->lock);
		if (done)
			inode_put(done);
		done = i;
		wait_event(&writing_wait, not_writing(i));
		mapping_wait_writeback(&i->mapping, 0, UINT64_MAX);
		spin_lock(&s->lock);
	}
	spin_unlock(&s->lock);
	if (done)
		inode_put(done);
}

/* The same, of a super block that may be read-only already. */
int
super_sync_all(struct super *s, bool wait)
{
	int err = 0, err2;

	if (s->backing) {
		(void)write_before(s->backing, s, time_mono_ns(), WRITEBACK_SYNC, wait, NULL, &err);
		if (wait)
			wait_all(s);
	}
	err2 = s->ops && s->ops->sync ? s->ops->sync(s, wait) : 0;
	return err ? err : err2;
}

int
super_sync(struct super *s, bool wait)
{
	return s->flags & MS_RDONLY ? 0 : super_sync_all(s, wait);
}

void
writeback_init(void)
{
	mapping_dirtied = pages_dirtied;
	mapping_write_failed = write_failed;
	backing_wake = wake_writer;
	backing_run = writer_run;
}
