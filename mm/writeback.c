/* SPDX-License-Identifier: MIT */
/*
 * Writeback, the half that knows pages: from dirty to clean, and who must wait when too many are
 * dirty. Which inodes are written when is fs/vfs/writeback.c's business.
 *
 * A page goes dirty -> writeback -> clean. It is locked while it changes from the first to the
 * second: entries of address spaces lose their write access before PG_DIRTY goes, so that a later
 * store faults and makes it dirty again. A page may be dirty and under writeback at once.
 *
 *	store through a mapping			writeback
 *	lock page, PG_DIRTY
 *	entry writable, unlock page		lock page
 *						entries read-only, PG_DIRTY off, PG_WRITEBACK
 *						unlock page, write
 *	store faults: as above
 *
 * Limits, in parts of what could be cache (free memory and files): from `background` on the writer
 * threads work until it is less; from `limit` on those who make pages dirty wait for them. The sums
 * over all CPUs are made a few times a second, not for each page.
 *
 * Locking: page lock, then tree_lock for the marks. Completions come from interrupts.
 */
#include "core/time.h"
#include "lib/string.h"
#include "mm/backing.h"
#include "mm/mapping.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "vma.h"

#define BATCH	    16u /* pages locked at once, of mappings that write page by page */
#define THROTTLE_NS (100 * NSEC_PER_MSEC)

u32 vm_dirty_background_ratio = 10, vm_dirty_ratio = 20;

void (*mapping_dirtied)(struct mapping *m);
void (*mapping_write_failed)(struct mapping *m, int err);
void (*backing_run)(void *b);
void (*backing_wake)(struct backing *b, u32 want);

static struct wait_queue throttled = WAIT_QUEUE_INIT(throttled);
DEFINE_PERCPU(u32, dirtied_here);

/* ---- devices ---- */

static struct spinlock backings_lock = SPINLOCK_INIT(RANK_LRU);
static LIST_HEAD(backings);

int
backing_init(struct backing *b, const char *name)
{
	struct thread *t;

	memset(b, 0, sizeof(*b));
	b->name = name;
	b->readahead = READAHEAD_DEFAULT;
	spin_init(&b->lock, RANK_BACKING);
	list_init(&b->inodes);
	wait_queue_init(&b->wait);
	t = thread_create(backing_run, b, "flush-%s", b->name);
	if (!t)
		return -ENOMEM;
	b->writer = t;
	spin_lock(&backings_lock);
	list_add_tail(&b->node, &backings);
	spin_unlock(&backings_lock);
	thread_wake(t);
	return 0;
}

void
backing_fini(struct backing *b)
{
	backing_wake(b, BACKING_STOP);
	wait_event(&b->wait, !READ_ONCE(b->writer));
	spin_lock(&backings_lock);
	list_del(&b->node);
	spin_unlock(&backings_lock);
}

void
writeback_wake_all(u32 want)
{
	struct backing *b;

	spin_lock(&backings_lock);
	list_for_each_entry(b, &backings, node)
	{
		if (atomic64_read(&b->dirty) > 0)
			backing_wake(b, want);
	}
	spin_unlock(&backings_lock);
}

/* ---- becoming dirty ---- */

void
mapping_mark_dirty(struct mapping *m, struct page *page)
{
	bool dirtied = false;
	unsigned long flags;

	if (!mapping_writes(m))
		return;
	if (atomic_fetch_or(&page->flags, PG_DIRTY) & PG_DIRTY)
		return;
	flags = spin_lock_irqsave(&m->tree_lock);
	if (page->mapping == m) {
		xa_set_mark(&m->pages, page->index, MARK_DIRTY);
		mem_count(MC_DIRTY, 1);
		mem_count(MC_DIRTIED, 1);
		this_cpu_inc(dirtied_here);
		if (m->backing)
			atomic64_inc(&m->backing->dirty);
		dirtied = true;
	} else {
		page_clear_flag(page, PG_DIRTY);
	}
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (dirtied && mapping_dirtied)
		mapping_dirtied(m);
}

/* PG_DIRTY was taken off. tree_lock held, or the page has left the tree. */
void
dirty_uncount(struct mapping *m)
{
	mem_count(MC_DIRTY, -1);
	if (m->backing)
		atomic64_dec(&m->backing->dirty);
}

bool
mapping_has_dirty(const struct mapping *m)
{
	return xa_marked(&m->pages, MARK_DIRTY);
}

bool
mapping_in_writeback(const struct mapping *m)
{
	return xa_marked(&m->pages, MARK_WRITEBACK);
}

/* ---- limits ---- */

void
dirty_limits(u64 *background, u64 *limit)
{
	u64 cache = page_count_free() + (u64)mem_counter_sum(MC_LRU_ACTIVE) +
		    (u64)mem_counter_sum(MC_LRU_INACTIVE);

	*limit = MAX(cache * vm_dirty_ratio / 100, 64ul);
	*background = MIN(cache * vm_dirty_background_ratio / 100, *limit / 2);
}

static u64
dirty_now(void)
{
	return (u64)mem_counter_sum(MC_DIRTY) + (u64)mem_counter_sum(MC_WRITEBACK);
}

bool
dirty_over_background(void)
{
	u64 background, limit;

	dirty_limits(&background, &limit);
	return (u64)mem_counter_sum(MC_DIRTY) > background;
}

static bool
dirty_under_limit(void)
{
	u64 background, limit;

	dirty_limits(&background, &limit);
	return dirty_now() <= limit;
}

void
dirty_balance_slow(void)
{
	struct thread *t = thread_current();
	u64 background, limit;

	this_cpu_write(dirtied_here, 0);
	dirty_limits(&background, &limit);
	if (dirty_now() <= background)
		return;
	writeback_wake_all(BACKING_BACKGROUND);
	/* The writers themselves, and those who free memory, must get on. */
	if (t->is_kernel || t->reclaiming)
		return;
	while (!dirty_under_limit() && !(thread_fatal_pending && thread_fatal_pending(t))) {
		mem_count(MC_THROTTLED, 1);
		(void)wait_event_timeout(&throttled, dirty_under_limit(),
					 time_mono_ns() + THROTTLE_NS);
		writeback_wake_all(BACKING_BACKGROUND);
	}
}

/* Reclaim waits a moment for pages to become clean. */
void
writeback_wait_some(u64 ns)
{
	u64 before = (u64)mem_counter_sum(MC_WRITTEN);

	(void)wait_event_timeout(&throttled, (u64)mem_counter_sum(MC_WRITTEN) >= before + BATCH,
				 time_mono_ns() + ns);
}

/* ---- from dirty to clean ---- */

bool
page_writeback_begin(struct mapping *m, struct page *page, struct writeback *wb)
{
	unsigned long flags;
	u64 size;

	if (page->mapping != m)
		return false;
	if (rmap_clean(m, page->index))
		mapping_mark_dirty(m, page);
	flags = spin_lock_irqsave(&m->tree_lock);
	if (!(atomic_fetch_and(&page->flags, ~PG_DIRTY) & PG_DIRTY)) {
		spin_unlock_irqrestore(&m->tree_lock, flags);
		return false;
	}
	page_set_flag(page, PG_WRITEBACK);
	xa_clear_mark(&m->pages, page->index, MARK_DIRTY);
	xa_set_mark(&m->pages, page->index, MARK_WRITEBACK);
	dirty_uncount(m);
	spin_unlock_irqrestore(&m->tree_lock, flags);
	mem_count(MC_WRITEBACK, 1);
	if (m->backing)
		atomic64_inc(&m->backing->writeback);
	page_get(page); /* until mapping_write_done */
	/* What a mapping stored behind the end of the file does not reach the disk. */
	size = m->size ? READ_ONCE(*m->size) : UINT64_MAX;
	if (unlikely(page->index == size >> PAGE_SHIFT) && (size & ~PAGE_MASK))
		memset((char *)page_to_virt(page) + (size & ~PAGE_MASK), 0,
		       PAGE_SIZE - (size & ~PAGE_MASK));
	if (wb)
		wb->budget--;
	return true;
}

void
writeback_count_written(void)
{
	mem_count(MC_WRITTEN, 1);
	if (wait_queue_active(&throttled))
		wake_up_all(&throttled);
}

void
mapping_write_done(struct mapping *m, struct page *page, int err)
{
	unsigned long flags;

	if (err) {
		page_set_flag(page, PG_ERROR);
		errseq_set(&m->wb_error, err);
		if (mapping_write_failed)
			mapping_write_failed(m, err);
	}
	flags = spin_lock_irqsave(&m->tree_lock);
	xa_clear_mark(&m->pages, page->index, MARK_WRITEBACK);
	spin_unlock_irqrestore(&m->tree_lock, flags);
	mem_count(MC_WRITEBACK, -1);
	if (m->backing)
		atomic64_dec(&m->backing->writeback);
	page_end_writeback(page);
	page_put(page);
	writeback_count_written();
}

static bool
page_write_wanted(struct mapping *m, struct page *page, struct writeback *wb)
{
	if (page->mapping != m || page->index < wb->first || page->index > wb->last)
		return false;
	if (page_flag(page, PG_WRITEBACK)) {
		if (!wb->sync)
			return false;
		page_wait_writeback(page);
	}
	return page_flag(page, PG_DIRTY);
}

u32
mapping_lock_dirty(struct mapping *m, struct writeback *wb, u64 *index, struct page **pages,
		   u32 max)
{
	u32 n = 0;

	while (n < max && *index <= wb->last) {
		struct page *page;
		u64 at = *index;
		void *found;

		rcu_read_lock();
		found = xa_find(&m->pages, &at, wb->last, MARK_DIRTY);
		rcu_read_unlock();
		if (!found)
			break;
		if (n && at != pages[n - 1]->index + 1)
			break;
		*index = at + 1;
		page = mapping_find(m, at);
		if (!page)
			continue;
		/* In ascending order everybody may wait; but not for the device with locks held. */
		if (n && (!page_trylock(page) || page_flag(page, PG_WRITEBACK))) {
			if (page_flag(page, PG_WRITEBACK))
				page_unlock(page);
			page_put(page);
			*index = at;
			break;
		}
		if (!n)
			page_lock(page);
		if (page_write_wanted(m, page, wb)) {
			pages[n++] = page;
			continue;
		}
		page_unlock(page);
		page_put(page);
		if (n)
			break;
		sched_cond_resched();
	}
	return n;
}

/* For mappings that write page by page. */
static int
write_each(struct mapping *m, struct writeback *wb)
{
	struct page *pages[BATCH];
	u64 index = wb->first;
	int err = 0;
	u32 n;

	while (wb->budget > 0 && (n = mapping_lock_dirty(m, wb, &index, pages, BATCH))) {
		for (u32 i = 0; i < n; i++) {
			if (!err && page_writeback_begin(m, pages[i], wb))
				err = m->ops->write_page(m, pages[i]); /* unlocks */
			else
				page_unlock(pages[i]);
			page_put(pages[i]);
		}
		if (err)
			break;
		sched_cond_resched();
	}
	return err;
}

int
mapping_write(struct mapping *m, struct writeback *wb)
{
	if (!mapping_writes(m) || !mapping_has_dirty(m))
		return 0;
	return m->ops->write_pages ? m->ops->write_pages(m, wb) : write_each(m, wb);
}

void
mapping_wait_writeback(struct mapping *m, u64 start, u64 end)
{
	u64 last = end ? (end - 1) >> PAGE_SHIFT : 0;

	if (start >= end)
		return;
	for (u64 index = start >> PAGE_SHIFT; index <= last; index++) {
		struct page *page;
		void *found;

		if (!xa_marked(&m->pages, MARK_WRITEBACK))
			return;
		rcu_read_lock();
		found = xa_find(&m->pages, &index, last, MARK_WRITEBACK);
		rcu_read_unlock();
		if (!found)
			return;
		page = mapping_find(m, index);
		if (page) {
			page_wait_writeback(page);
			page_put(page);
		}
	}
}

int
mapping_writeback(struct mapping *m, u64 start, u64 end, bool wait)
{
	u64 last = end ? (end - 1) >> PAGE_SHIFT : 0;
	u32 since = READ_ONCE(m->wb_error);
	struct writeback wb = {
		.first = start >> PAGE_SHIFT,
		.last = last,
		.budget = INT64_MAX,
		.sync = wait,
		.reason = WRITEBACK_SYNC,
	};
	int err;

	if (!mapping_writes(m) || start >= end)
		return 0;
	/* What others append meanwhile is not ours: they would keep us here. */
	if (m->size)
		wb.last = MIN(wb.last, READ_ONCE(*m->size) >> PAGE_SHIFT);
	err = mapping_write(m, &wb);
	if (!wait)
		return err;
	mapping_wait_writeback(m, start, end);
	if (!err && READ_ONCE(m->wb_error) != since)
		err = -(int)(READ_ONCE(m->wb_error) & ERRSEQ_ERRNO);
	return err;
}
