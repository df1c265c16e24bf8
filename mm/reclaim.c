/* SPDX-License-Identifier: MIT */
/*
 * Reclaim: getting memory back from caches.
 *
 * Pages of files that can be read in again are on one of two lists. New ones start on the inactive
 * list; a page that was used again when it comes to its end moves to the active list, the others
 * leave the cache, after their mappings were taken down (if no entry says that it was used). The
 * active list is refilled into the
 * inactive one when it is the longer of the two. So what is read once does not push out what is
 * used all the time.
 *
 * Dirty pages are not written from here: whoever needs memory may be deep in a file system, and one
 * page at a time is the slowest way. The writers are woken, the page is marked PG_RECLAIM, goes
 * round the list, and is taken once it is clean; an allocation that frees nothing waits for them a
 * moment.
 *
 * With swap, private pages and those of tmpfs give their part too (vm.swappiness): swap_out.c.
 *
 * Before that: spare kernel stacks, and what registered shrinkers (dentries, inodes, buffers) can
 * give. Shrinkers may enter file systems, so an allocation inside one (GFP_NOFS, or a thread within
 * memory_nofs_begin) gets clean pages only.
 *
 * A thread, kswapd, does the same as soon as free memory falls below `page_low`, until it is above
 * `page_high`, so that allocations rarely have to. It and the writers may use the reserve.
 *
 * Locking: lru_lock for lists and PG_LRU/PG_ACTIVE. A page taken off a list for inspection carries
 * a reference.
 */
#include "mm/reclaim.h"

#include "mm/backing.h"
#include "mm/mapping.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "swap.h"
#include "vma.h"

#define SCAN_BATCH   16
#define KSWAPD_BATCH 128
#define SWAP_ROUNDS  64 /* of sending out and waiting, before the caller looks elsewhere */
#define WAIT_NS	     (50 * NSEC_PER_MSEC)

static struct spinlock lru_lock = SPINLOCK_INIT(RANK_LRU);
static struct list inactive = LIST_INIT(inactive), active = LIST_INIT(active);
static u64 inactive_count, active_count; /* [lru_lock] */
static struct shrinker *shrinkers;
static struct thread *kswapd;
static struct wait_queue kswapd_wait = WAIT_QUEUE_INIT(kswapd_wait);

void
shrinker_register(struct shrinker *s)
{
	s->next = shrinkers;
	smp_store_release(&shrinkers, s);
}

static void
lru_insert_locked(struct page *page, bool to_active)
{
	if (to_active) {
		list_add(&page->lru, &active);
		page_set_flag(page, PG_LRU | PG_ACTIVE);
		active_count++;
		mem_count(MC_LRU_ACTIVE, 1);
	} else {
		list_add(&page->lru, &inactive);
		page_set_flag(page, PG_LRU);
		inactive_count++;
		mem_count(MC_LRU_INACTIVE, 1);
	}
}

static void
lru_delete_locked(struct page *page)
{
	list_unlink(&page->lru);
	if (page_flag(page, PG_ACTIVE)) {
		active_count--;
		mem_count(MC_LRU_ACTIVE, -1);
	} else {
		inactive_count--;
		mem_count(MC_LRU_INACTIVE, -1);
	}
	page_clear_flag(page, PG_LRU | PG_ACTIVE);
}

void
lru_add(struct page *page)
{
	spin_lock(&lru_lock);
	lru_insert_locked(page, false);
	spin_unlock(&lru_lock);
}

void
lru_remove(struct page *page)
{
	spin_lock(&lru_lock);
	if (page_flag(page, PG_LRU))
		lru_delete_locked(page);
	spin_unlock(&lru_lock);
}

static void
lru_putback(struct page *page, bool to_active)
{
	spin_lock(&lru_lock);
	/* Unless it left the cache meanwhile: then nobody would take it off the list again. */
	if (READ_ONCE(page->mapping) && !page_flag(page, PG_LRU))
		lru_insert_locked(page, to_active);
	spin_unlock(&lru_lock);
	page_put(page);
}

static void
lru_balance(void)
{
	spin_lock(&lru_lock);
	for (u32 i = 0; i < SCAN_BATCH && active_count > inactive_count; i++) {
		struct page *page = list_last_entry(&active, struct page, lru);

		lru_delete_locked(page);
		page_clear_flag(page, PG_REFERENCED);
		lru_insert_locked(page, false);
	}
	spin_unlock(&lru_lock);
}

static u32
lru_take(struct page **pages, u32 want)
{
	u32 n = 0;

	spin_lock(&lru_lock);
	while (n < want && !list_empty(&inactive)) {
		struct page *page = list_last_entry(&inactive, struct page, lru);

		lru_delete_locked(page);
		if (page_try_get(page))
			pages[n++] = page;
	}
	spin_unlock(&lru_lock);
	return n;
}

/* Reference and, if this succeeds, the page are consumed. */
static bool
page_reclaim(struct page *page)
{
	struct mapping *m;
	bool freed = false, dirty;
	unsigned long flags;

	if (!page_trylock(page)) {
		lru_putback(page, true);
		return false;
	}
	m = page->mapping;
	if (!m || page_flag(page, PG_WRITEBACK) || !page_flag(page, PG_UPTODATE))
		goto out_unlock;
	if (page_flag(page, PG_REFERENCED)) {
		page_clear_flag(page, PG_REFERENCED);
		page_unlock(page);
		lru_putback(page, true);
		return false;
	}
	if (atomic_read(&page->mapcount)) {
		enum rmap_verdict verdict = rmap_try_unmap(m, page->index);

		if (verdict != RMAP_UNMAPPED) {
			page_unlock(page);
			lru_putback(page, verdict == RMAP_USED);
			return false;
		}
	}
	if (page_flag(page, PG_DIRTY)) {
		page_set_flag(page, PG_RECLAIM);
		goto out_unlock;
	}
	/*
	 * The last moment: nobody finds it any more once it is out of the tree, and only we and the
	 * tree have it.
	 */
	flags = spin_lock_irqsave(&m->tree_lock);
	dirty = page_flag(page, PG_DIRTY);
	if (!dirty && atomic64_cmpxchg(&page->ref_and_map, 2, 0) == 2) {
		xa_erase(&m->pages, page->index);
		m->nr_pages--;
		WRITE_ONCE(page->mapping, NULL);
		freed = true;
	}
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (freed) {
		atomic64_set(&page->ref_and_map, 1);
		if (m->ops->page_removed)
			m->ops->page_removed(m, page);
		mem_count(MC_FILE, -1);
		page_unlock(page);
		page_put(page);
		return true;
	}
out_unlock:
	page_unlock(page);
	lru_putback(page, false);
	return false;
}

static void
count_scan(u64 looked, u64 freed)
{
	bool background = thread_current() == kswapd;

	mem_count(background ? MC_PGSCAN_BACKGROUND : MC_PGSCAN, (s64)looked);
	mem_count(background ? MC_PGSTEAL_BACKGROUND : MC_PGSTEAL, (s64)freed);
}

static u64
lru_reclaim(u64 want)
{
	struct page *pages[SCAN_BATCH];
	u64 freed = 0, scan = READ_ONCE(inactive_count) + READ_ONCE(active_count), scanned = 0;

	while (freed < want && scan) {
		u32 n;

		lru_balance();
		n = lru_take(pages, SCAN_BATCH);
		if (!n)
			break;
		for (u32 i = 0; i < n; i++)
			freed += page_reclaim(pages[i]);
		scanned += n;
		scan -= MIN(scan, (u64)n);
		sched_cond_resched();
	}
	count_scan(scanned, freed);
	return freed;
}

static u64
shrink_caches(u64 want, u32 gfp)
{
	u64 freed = 0;

	for (struct shrinker *s = smp_load_acquire(&shrinkers); s && freed < want; s = s->next)
		freed += s->shrink(s, want * 8, gfp);
	return freed;
}

static u64
stolen(void)
{
	return (u64)mem_counter_sum(MC_PGSTEAL) + (u64)mem_counter_sum(MC_PGSTEAL_BACKGROUND);
}

/* Not within a file system: what it holds, the writers may want. */
static bool
may_wait(u32 gfp)
{
	struct thread *t = thread_current();

	return t != kswapd && !t->nofs && !(gfp & GFP_NOFS);
}

bool
reclaim_awaits_disk(u32 gfp)
{
	return may_wait(gfp) && mem_counter_sum(MC_DIRTY) + mem_counter_sum(MC_WRITEBACK) > 0;
}

/* How many of `want` pages files are to give, while swap could as well: vm.swappiness. */
static u64
share_of_files(u64 want)
{
	return swap_has_room() ? want - want * MIN(vm_swappiness, 200u) / 200 : want;
}

/*
 * Send private pages out and wait for them. That an entry is gone frees nothing yet: other entries
 * may show the page. Pages freed, or 1: there will be some.
 */
static u64
swap_reclaim(u64 want)
{
	u64 anon = (u64)mem_counter_sum(MC_ANON), shmem = (u64)mem_counter_sum(MC_SHMEM);
	u64 freed = 0, sent = 0, looked = 0;

	for (u32 round = 0; swap_enabled() && freed < want && round < SWAP_ROUNDS; round++) {
		u64 left = MAX(want - freed, (u64)SCAN_BATCH), n;

		/* Both kinds by how much there is of each. */
		n = shmem_out(left * shmem / (shmem + anon + 1), &looked);
		n += swap_out(left - MIN(n, left - 1), &looked);
		if (n < left)
			n += shmem_out(left - n, &looked);

		sent += n;
		freed += swap_cache_shrink(want - freed);
		if (freed >= want)
			break;
		if (!n && !mem_counter_sum(MC_WRITEBACK))
			break;
		/* Writes to a swap area wait for no file system: so may everybody for them. */
		writeback_wait_some(WAIT_NS);
		freed += swap_cache_shrink(want - freed);
	}
	count_scan(looked, freed);
	return freed ? freed : sent > 0;
}

u64
reclaim_pages(u64 want, u32 gfp)
{
	struct thread *t = thread_current();
	u64 freed = kstack_reclaim(), before;

	if (t->reclaiming)
		return freed;
	before = stolen();
	if (t->nofs)
		gfp |= GFP_NOFS;
	t->reclaiming = true;
	freed += swap_cache_shrink(want);
	if (freed < want)
		freed += lru_reclaim(share_of_files(want - freed));
	if (freed < want)
		freed += swap_reclaim(want - freed);
	if (freed < want)
		freed += lru_reclaim(want - freed);
	if (freed < want && !(gfp & GFP_NOFS))
		freed += shrink_caches(want, gfp);
	if (freed < want && mem_counter_sum(MC_DIRTY) + mem_counter_sum(MC_WRITEBACK)) {
		writeback_wake_all(BACKING_ALL);
		if (!freed && may_wait(gfp)) {
			writeback_wait_some(WAIT_NS);
			freed += lru_reclaim(want);
		}
	}
	t->reclaiming = false;
	/*
	 * Several at once are in each other's way, at page locks and rmap_lock: what others have
	 * freed meanwhile is progress as well, if somebody took it there will be more.
	 */
	return freed ? freed : stolen() != before;
}

/* ---- in the background ---- */

static void
kswapd_run(void *unused)
{
	u32 idle = 0;

	for (;;) {
		u64 freed;

		/* Nothing to be had: try again when more has been allocated, not at once. */
		if (idle)
			sleep_ns(WAIT_NS << MIN(idle, 4u));
		wait_event(&kswapd_wait, READ_ONCE(page_buddy.free) < page_low);
		freed = reclaim_pages(KSWAPD_BATCH, GFP_KERNEL);
		while (freed && READ_ONCE(page_buddy.free) < page_high)
			freed = reclaim_pages(KSWAPD_BATCH, GFP_KERNEL);
		idle = freed ? 0 : idle + 1;
	}
}

void
kswapd_wake(void)
{
	if (wait_queue_active(&kswapd_wait))
		wake_up(&kswapd_wait);
}

void
reclaim_start(void)
{
	struct thread *t = thread_create(kswapd_run, NULL, "kswapd0");

	if (!t)
		panic("reclaim: no memory for kswapd");
	kswapd = t;
	thread_wake(t);
}

/* ---- on request ---- */

u64
reclaim_drop_pages(void)
{
	u64 freed = 0, n;

	/* Pages in use, dirty ones, those just read come round again: two rounds are enough. */
	for (u32 round = 0; round < 2; round++) {
		spin_lock(&lru_lock);
		while (!list_empty(&active)) {
			struct page *page = list_last_entry(&active, struct page, lru);

			lru_delete_locked(page);
			lru_insert_locked(page, false);
		}
		spin_unlock(&lru_lock);
		thread_current()->reclaiming = true;
		n = lru_reclaim(UINT64_MAX);
		thread_current()->reclaiming = false;
		freed += n;
	}
	return freed;
}

u64
reclaim_drop_objects(void)
{
	u64 freed = 0, n;

	do {
		n = shrink_caches(4096, GFP_KERNEL);
		freed += n;
	} while (n > 16 && !(thread_fatal_pending && thread_fatal_pending(thread_current())));
	return freed;
}
