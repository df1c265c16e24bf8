/* SPDX-License-Identifier: MIT */
/*
 * What can be done with a page one has: references, the page lock, waiting for its writeback,
 * clearing and copying; and the statistics of them all.
 *
 * The page lock is a bit; who must wait marks the page (PG_WAITERS) and sleeps on one of a few
 * hashed queues. The unlocker clears both bits at once and wakes everyone there: those still
 * interested mark again. So an uncontended lock and unlock is one atomic operation each.
 */
#include "core/log.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm_internal.h"
#include "sched/wait.h"
#include "swap.h"

#define QUEUE_BITS 6

static struct wait_queue page_queues[1 << QUEUE_BITS];

void
page_queues_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(page_queues); i++)
		wait_queue_init(&page_queues[i]);
}

static struct wait_queue *
page_queue(const struct page *page)
{
	return &page_queues[hash_ptr(page, QUEUE_BITS)];
}

static inline struct page *
page_head(struct page *page)
{
	return unlikely(page_flag(page, PG_TAIL)) ? page->head : page;
}

void
page_get(struct page *page)
{
	ref_get(&page_head(page)->ref);
}

void
page_put(struct page *page)
{
	page = page_head(page);
	if (ref_put(&page->ref))
		page_release(page);
}

void
page_release(struct page *page)
{
	DEBUG_ASSERT(!page_flag(page, PG_LOCKED | PG_LRU));
	if (page_flag(page, PG_RESERVED))
		return; /* part of the kernel image: the zero page, the vDSO */
	page_free(page, page_flag(page, PG_COMPOUND) ? page->order : 0);
}

bool
page_trylock(struct page *page)
{
	return !(atomic_fetch_or(&page->flags, PG_LOCKED) & PG_LOCKED);
}

static bool
page_trylock_or_mark(struct page *page)
{
	return !(atomic_fetch_or(&page->flags, PG_LOCKED | PG_WAITERS) & PG_LOCKED);
}

void
page_lock(struct page *page)
{
	if (likely(page_trylock(page)))
		return;
	wait_event(page_queue(page), page_trylock_or_mark(page));
}

void
page_unlock(struct page *page)
{
	if (unlikely(atomic_fetch_and(&page->flags, ~(PG_LOCKED | PG_WAITERS)) & PG_WAITERS))
		wake_up_all(page_queue(page));
}

static bool
page_idle_or_mark(struct page *page, u32 flag)
{
	return !(atomic_fetch_or(&page->flags, PG_WAITERS) & flag);
}

void
page_wait_writeback(struct page *page)
{
	if (page_flag(page, PG_WRITEBACK))
		wait_event(page_queue(page), page_idle_or_mark(page, PG_WRITEBACK));
}

void
page_wait_unlocked(struct page *page)
{
	if (page_flag(page, PG_LOCKED))
		wait_event(page_queue(page), page_idle_or_mark(page, PG_LOCKED));
}

void
page_end_writeback(struct page *page)
{
	/*
	 * The mark may belong to someone who waits for the lock: he finds it held and marks again.
	 */
	if (atomic_fetch_and(&page->flags, ~(PG_WRITEBACK | PG_WAITERS)) & PG_WAITERS)
		wake_up_all(page_queue(page));
}

/*
 * Plain stores in an unrolled loop: as fast as the memory on every processor for a size this small,
 * and without the start-up cost of string instructions.
 */
void
page_clear(void *va)
{
	volatile u64 *p = va;

	for (volatile u64 *end = p + PAGE_SIZE / 8; p < end; p += 32) {
#define CLEAR4(i) (p[i] = 0, p[(i) + 1] = 0, p[(i) + 2] = 0, p[(i) + 3] = 0)
		CLEAR4(0), CLEAR4(4), CLEAR4(8), CLEAR4(12);
		CLEAR4(16), CLEAR4(20), CLEAR4(24), CLEAR4(28);
#undef CLEAR4
	}
}

void
page_copy(void *dst, const void *src)
{
	memcpy(dst, src, PAGE_SIZE);
}

void
mem_stats(struct mem_stats *out)
{
	s64 file = mem_counter_sum(MC_FILE), shmem = mem_counter_sum(MC_SHMEM);

	memset(out, 0, sizeof(*out));
	out->total = page_total;
	out->free = page_count_free();
	out->cached = (u64)file;
	out->shmem = (u64)shmem;
	out->anon = (u64)mem_counter_sum(MC_ANON);
	out->swap_total = swap_total();
	out->swap_free = swap_free();
	out->swap_cached = (u64)mem_counter_sum(MC_SWAP_CACHED);
	out->pswpin = (u64)mem_counter_sum(MC_PSWPIN);
	out->pswpout = (u64)mem_counter_sum(MC_PSWPOUT);
	out->huge_anon = (u64)mem_counter_sum(MC_HUGE_ANON);
	out->mapped = (u64)mem_counter_sum(MC_MAPPED);
	out->slab_reclaimable = (u64)mem_counter_sum(MC_SLAB_RECLAIMABLE);
	out->slab_unreclaimable = (u64)mem_counter_sum(MC_SLAB_UNRECLAIMABLE);
	out->kernel_stack = (u64)mem_counter_sum(MC_KSTACK);
	out->page_tables = (u64)mem_counter_sum(MC_PAGE_TABLES);
	out->vmalloc_used = (u64)mem_counter_sum(MC_VMALLOC);
	out->mlocked = (u64)mem_counter_sum(MC_MLOCKED);
	out->dirty = (u64)mem_counter_sum(MC_DIRTY);
	out->writeback = (u64)mem_counter_sum(MC_WRITEBACK);
	/*
	 * Memory without a backing store is never aged: new anonymous pages count as active, as on
	 * a Linux without swap.
	 */
	out->active_anon = out->anon;
	out->inactive_anon = out->shmem;
	out->active_file = (u64)mem_counter_sum(MC_LRU_ACTIVE);
	out->inactive_file = (u64)mem_counter_sum(MC_LRU_INACTIVE);
	out->committed = (u64)mem_counter_sum(MC_COMMITTED);
	out->commit_limit = mm_commit_limit();
	out->pgfault = (u64)mem_counter_sum(MC_PGFAULT);
	out->pgmajfault = (u64)mem_counter_sum(MC_PGMAJFAULT);
	out->dirtied = (u64)mem_counter_sum(MC_DIRTIED);
	out->written = (u64)mem_counter_sum(MC_WRITTEN);
	out->throttled = (u64)mem_counter_sum(MC_THROTTLED);
	out->pgpgin = (u64)mem_counter_sum(MC_PGPGIN);
	out->pgsteal = (u64)mem_counter_sum(MC_PGSTEAL);
	out->pgscan = (u64)mem_counter_sum(MC_PGSCAN);
	out->pgsteal_background = (u64)mem_counter_sum(MC_PGSTEAL_BACKGROUND);
	out->pgscan_background = (u64)mem_counter_sum(MC_PGSCAN_BACKGROUND);
	dirty_limits(&out->dirty_background, &out->dirty_limit);
	out->pgalloc = (u64)mem_counter_sum(MC_PGALLOC);
	out->pgfree = (u64)mem_counter_sum(MC_PGFREE);
	/*
	 * What a new program could have without anybody being killed: half of what is cheap to drop
	 * is left in peace.
	 */
	out->available = out->free + (out->active_file + out->inactive_file) / 2 +
			 out->slab_reclaimable / 2;
}
