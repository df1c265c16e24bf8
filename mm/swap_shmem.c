/* SPDX-License-Identifier: MIT */
/*
 * Swapping of mappings that live in memory alone: tmpfs, memfd, shared anonymous and System V
 * memory.
 *
 * Out: a page that no entry has used since the last look is unmapped through the reverse map and
 * moves from its mapping's tree to the swap cache; its value takes its place in the tree, and is
 * that slot's one reference. In: whoever finds a value brings the page, which moves back. So such a
 * page is in its mapping or in the swap cache, never in both, and the mapping's page count covers
 * what is out: it is charged all the same.
 *
 * A page moves out with its count frozen, as in reclaim.c: readers and writers of the mapping, who
 * have a reference and no lock, are either seen or see that it is gone.
 *
 * Against truncation: both ways hold invalidate_lock shared, or the mapping is not in the list any
 * more; a read that brings a page in holds nothing, and truncation looks again where a value
 * changed under its hands (truncate.c).
 *
 * Locking: list_lock for the list of mappings; mapping_fini waits until nobody is in it. All locks
 * on the way out are tried.
 */
#include "sched/sched.h"
#include "sched/wait.h"
#include "swap.h"
#include "vma.h"

#define BATCH	 16u
#define LOOK_MAX 512u /* pages of one mapping before it is the next one's turn */

static struct spinlock list_lock = SPINLOCK_INIT(RANK_LRU);
static LIST_HEAD(mappings); /* [list_lock] */
static u32 mapping_count;   /* [list_lock] */
static struct wait_queue mapping_left = WAIT_QUEUE_INIT(mapping_left);

/* ---- which mapping ---- */

void
shmem_scan_add(struct mapping *m)
{
	spin_lock(&list_lock);
	if (!m->scanned) {
		m->scanned = true;
		list_add(&m->scan_node, &mappings);
		mapping_count++;
	}
	spin_unlock(&list_lock);
}

static bool
scans_over(struct mapping *m)
{
	bool over;

	spin_lock(&list_lock);
	over = !m->scans;
	spin_unlock(&list_lock);
	return over;
}

void
shmem_scan_remove(struct mapping *m)
{
	spin_lock(&list_lock);
	list_del(&m->scan_node);
	m->scanned = false;
	mapping_count--;
	spin_unlock(&list_lock);
	wait_event(&mapping_left, scans_over(m));
}

/* The first in the list goes to its end, held. */
static struct mapping *
scan_enter(void)
{
	struct mapping *m = NULL;

	spin_lock(&list_lock);
	if (!list_empty(&mappings)) {
		m = list_first_entry(&mappings, struct mapping, scan_node);
		list_del(&m->scan_node);
		list_add_tail(&m->scan_node, &mappings);
		m->scans++;
	}
	spin_unlock(&list_lock);
	return m;
}

static void
scan_leave(struct mapping *m)
{
	bool awaited;

	spin_lock(&list_lock);
	awaited = !--m->scans && !m->scanned;
	spin_unlock(&list_lock);
	/* From here on m may be gone. */
	if (awaited)
		wake_up_all(&mapping_left);
}

/* ---- out ---- */

/* The locked page, of which we have a reference, moves to the swap cache. */
static bool
page_move_out(struct mapping *m, struct page *page)
{
	unsigned long flags;
	bool moved;
	u64 value;

	if (page->mapping != m || !page_flag(page, PG_UPTODATE))
		return false;
	if (page_flag(page, PG_REFERENCED)) {
		page_clear_flag(page, PG_REFERENCED);
		return false;
	}
	if (atomic_read(&page->mapcount) && rmap_try_unmap(m, page->index) != RMAP_UNMAPPED)
		return false;
	value = swap_cache_add(page);
	if (!value)
		return false;
	swap_get(value);
	flags = spin_lock_irqsave(&m->tree_lock);
	/* The tree's, the cache's, ours. */
	moved = atomic64_cmpxchg(&page->ref_and_map, 3, 0) == 3;
	if (moved) {
		int err = xa_store(&m->pages, page->index, xa_mk_value(value), NULL);

		ASSERT(!err); /* replacing never fails */
		WRITE_ONCE(page->mapping, NULL);
	}
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (!moved) {
		swap_put(value);
		swap_cache_remove(page);
		return false;
	}
	atomic64_set(&page->ref_and_map, 2);
	mem_count(MC_FILE, -1);
	mem_count(MC_SHMEM, -1);
	return true;
}

/* Up to BATCH pages from where the hand stood. Returns how many; *looked grows. */
static u32
mapping_evict(struct mapping *m, u64 *looked)
{
	u64 index = READ_ONCE(m->scan_at), seen = 0;
	struct page *out[BATCH];
	void *entries[BATCH];
	u32 count = 0;

	if (!rwsem_try_read_lock(&m->invalidate_lock))
		return 0;
	while (count < BATCH && seen < LOOK_MAX) {
		struct page *pages[BATCH];
		u32 n, held = 0;

		rcu_read_lock();
		n = xa_gather(&m->pages, &index, XA_MAX - 1, XA_ANY, entries, NULL, BATCH - count);
		for (u32 i = 0; i < n; i++) {
			if (!xa_is_value(entries[i]) && page_try_get(entries[i]))
				pages[held++] = entries[i];
		}
		rcu_read_unlock();
		for (u32 i = 0; i < held; i++) {
			if (page_trylock(pages[i])) {
				if (page_move_out(m, pages[i])) {
					out[count++] = pages[i];
					continue;
				}
				page_unlock(pages[i]);
			}
			page_put(pages[i]);
		}
		seen += n;
		if (!n) {
			index = 0; /* the next time from the beginning */
			break;
		}
	}
	WRITE_ONCE(m->scan_at, index);
	rwsem_read_unlock(&m->invalidate_lock);
	*looked += seen;
	swap_write(out, count);
	for (u32 i = 0; i < count; i++)
		page_put(out[i]);
	return count;
}

u64
shmem_out(u64 want, u64 *looked)
{
	u64 out = 0, budget = 2 * (u64)mem_counter_sum(MC_SHMEM) + LOOK_MAX;
	u32 turns = 2 * READ_ONCE(mapping_count) + 2, idle = 0;

	while (out < want && budget && idle < turns && swap_has_room()) {
		struct mapping *m = scan_enter();
		u64 seen = 0;
		u32 n;

		if (!m)
			break;
		n = mapping_evict(m, &seen);
		scan_leave(m);
		out += n;
		*looked += seen;
		budget -= MIN(budget, MAX(seen, 1ul));
		idle = seen ? 0 : idle + 1;
		sched_cond_resched();
	}
	return out;
}

/* ---- in ---- */

/* The page of `value` moves back to m, locked, with a reference. -EAGAIN: look again. */
static int
page_move_in(struct mapping *m, u64 index, u64 value, struct page **out)
{
	bool moved, major = false;
	struct page *page;
	unsigned long flags;
	int err = swap_get_locked(value, &major, &page);

	if (err)
		return err;
	page_wait_writeback(page);
	page_clear_flag(page, PG_ANON);
	page_set_flag(page, PG_SWAPBACKED);
	page->index = index;
	flags = spin_lock_irqsave(&m->tree_lock);
	moved = xa_load(&m->pages, index) == xa_mk_value(value);
	if (moved) {
		int replaced;

		page_get(page);
		WRITE_ONCE(page->mapping, m);
		replaced = xa_store(&m->pages, index, page, NULL);
		ASSERT(!replaced);
	}
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (!moved) {
		page_unlock(page);
		page_put(page);
		return -EAGAIN;
	}
	mem_count(MC_FILE, 1);
	mem_count(MC_SHMEM, 1);
	swap_put(value);
	swap_cache_remove(page);
	*out = page;
	return 0;
}

int
shmem_swap_in(struct mapping *m, u64 index, struct page **out)
{
	for (;;) {
		void *entry;
		int err;

		rcu_read_lock();
		entry = xa_load(&m->pages, index);
		rcu_read_unlock();
		if (!xa_is_value(entry))
			return -ENOENT;
		err = page_move_in(m, index, xa_to_value(entry), out);
		if (err != -EAGAIN)
			return err;
	}
}

bool
shmem_drop_value(struct mapping *m, u64 index, void *entry)
{
	unsigned long flags = spin_lock_irqsave(&m->tree_lock);
	bool dropped = xa_load(&m->pages, index) == entry;

	if (dropped) {
		xa_erase(&m->pages, index);
		m->nr_pages--;
	}
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (dropped) {
		swap_put(xa_to_value(entry));
		if (m->ops->page_removed)
			m->ops->page_removed(m, NULL);
	}
	return dropped;
}

static int
mapping_in(struct mapping *m, u32 area)
{
	u64 index = 0;
	int err = 0;

	while (!err) {
		struct page *page;
		void *entry;

		rcu_read_lock();
		entry = xa_find(&m->pages, &index, XA_MAX - 1, XA_ANY);
		rcu_read_unlock();
		if (!entry)
			break;
		if (xa_is_value(entry) && swap_value_area(xa_to_value(entry)) == area) {
			rwsem_read_lock(&m->invalidate_lock);
			err = shmem_swap_in(m, index, &page);
			rwsem_read_unlock(&m->invalidate_lock);
			if (!err) {
				page_unlock(page);
				page_put(page);
			}
			err = err == -ENOENT ? 0 : err;
			if (thread_fatal_pending && thread_fatal_pending(thread_current()))
				err = -EINTR;
		}
		index++;
		sched_cond_resched();
	}
	return err;
}

int
shmem_in_all(u32 area)
{
	u32 count = READ_ONCE(mapping_count);
	int err = 0;

	/* New ones, and those that are passed over because of them, have their turn the next time.
	 */
	for (u32 i = 0; i < count && !err; i++) {
		struct mapping *m = scan_enter();

		if (!m)
			break;
		err = mapping_in(m, area);
		scan_leave(m);
	}
	return err;
}
