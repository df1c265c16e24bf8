/* SPDX-License-Identifier: MIT */
/*
 * Page allocation: per-CPU lists of single pages in front of the buddy.
 *
 * A single page comes from and goes to this CPU's list in a few instructions with interrupts off;
 * the buddy's lock is taken once for a batch. Larger orders go to the buddy and come back compound:
 * the head knows the order, tails know the head.
 *
 * Watermark: callers that may sleep leave `page_reserve` pages alone, so that interrupts and
 * reclaim itself can go on. Below it the slow path returns what other CPUs hoard, reclaims cached
 * pages and, as the last resort, has a process killed (mm_oom_kill).
 *
 * Locking: page_buddy.lock, always with interrupts off; per-CPU lists by interrupts off.
 */
#include "arch/cpu.h"
#include "arch/smp.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "lib/math.h"
#include "lib/string.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "swap.h"

#define BATCH 32u

#define ZEROED_MAX 32u

/*
 * How often reclaim is tried in vain, in vain while pages are on their way to a disk (each a wait
 * of reclaim's WAIT_NS: a disk that is silent for longer than this is taken for dead), or to the
 * benefit of others, before somebody is killed.
 */
#define STALLS_MAX 4u
#define WAITS_MAX  100u
#define ROUNDS_MAX 64u

struct page_cpu {
	struct page *head;   /* chained through lru.next */
	struct page *zeroed; /* the same, contents all zero: page tables come back so */
	u32 count, zeroed_count;
};

static DEFINE_PERCPU(struct page_cpu, page_cpus);
DEFINE_PERCPU(s64, mem_counters[MC_COUNT]);

struct buddy page_buddy;
u64 page_total;
static u64 page_reserve;
u64 page_low, page_high;
static u32 cpu_high = 3 * BATCH; /* a list longer than this gives BATCH pages back */

bool (*mm_oom_kill)(const char *why);

void
page_alloc_init(u64 total)
{
	page_total = total;
	/* 1/256 of memory, 512 KiB to 16 MiB. */
	page_reserve = CLAMP(total >> 8, 128ul, 4096ul);
	page_low = page_reserve * 2;
	page_high = page_reserve * 3;
	/* All lists together hold at most 1/32 of memory even with many CPUs. */
	cpu_high = CLAMP(total / 32 / MAX(cpu_count, 1u), (u64)BATCH, 6ul * BATCH);
}

void
page_add_range(u64 pfn, u64 count)
{
	unsigned long flags = spin_lock_irqsave(&page_buddy.lock);

	buddy_add_range(&page_buddy, pfn, count);
	page_total += count;
	spin_unlock_irqrestore(&page_buddy.lock, flags);
}

s64
mem_counter_sum(enum mem_counter which)
{
	s64 sum = 0;
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online)
		sum += READ_ONCE(percpu_ptr(mem_counters, cpu)[0][which]);
	/* Deltas live on the CPU that made them: a reader may catch a move half-way. */
	return MAX(sum, 0l);
}

void
page_count_free_blocks(u64 out[PAGE_ORDERS])
{
	unsigned long flags = spin_lock_irqsave(&page_buddy.lock);

	for (u32 order = 0; order < PAGE_ORDERS; order++)
		out[order] = page_buddy.area[order].count;
	spin_unlock_irqrestore(&page_buddy.lock, flags);
}

u64
page_count_free(void)
{
	u64 sum = READ_ONCE(page_buddy.free);
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online)
	{
		const struct page_cpu *pc = percpu_ptr(page_cpus, cpu);

		sum += READ_ONCE(pc->count) + READ_ONCE(pc->zeroed_count);
	}
	return sum;
}

bool
page_huge_allowed(void)
{
	return page_total >= (96ul << 20 >> PAGE_SHIFT) &&
	       READ_ONCE(page_buddy.free) > page_total / 4;
}

/* Interrupts off. Free the first n pages of the list to the buddy. */
static void
cpu_list_drain(struct page_cpu *pc, u32 n)
{
	spin_lock(&page_buddy.lock);
	while (n-- && pc->head) {
		struct page *page = pc->head;

		pc->head = (struct page *)page->lru.next;
		pc->count--;
		buddy_free_locked(&page_buddy, page, 0);
	}
	spin_unlock(&page_buddy.lock);
}

void
page_drain_cpu(void)
{
	unsigned long flags = arch_irq_save();
	struct page_cpu *pc = this_cpu_ptr(page_cpus);

	while (pc->zeroed) {
		struct page *page = pc->zeroed;

		pc->zeroed = (struct page *)page->lru.next;
		page->lru.next = (struct list *)pc->head;
		pc->head = page;
		pc->count++;
	}
	pc->zeroed_count = 0;
	cpu_list_drain(pc, UINT32_MAX);
	arch_irq_restore(flags);
}

/* Interrupts off. True if the list has a page now. */
static __noinline bool
cpu_list_refill(struct page_cpu *pc, u64 reserve)
{
	u32 want = MIN(BATCH, cpu_high);
	struct page *chain = NULL;
	bool low;

	spin_lock(&page_buddy.lock);
	if (page_buddy.free > reserve)
		pc->count += buddy_take_batch_locked(
			&page_buddy, (u32)MIN((u64)want, page_buddy.free - reserve), &chain);
	low = page_buddy.free < page_low;
	spin_unlock(&page_buddy.lock);
	/* With a lock held it would be one lock too many; there will be another refill. */
	if (unlikely(low) && !in_atomic())
		kswapd_wake();
	pc->head = chain;
	return chain;
}

static __noinline struct page *
take_large(u32 order, u64 reserve)
{
	unsigned long flags = spin_lock_irqsave(&page_buddy.lock);
	struct page *page = NULL;

	if (page_buddy.free > reserve + (1ul << order))
		page = buddy_take_locked(&page_buddy, order);
	spin_unlock_irqrestore(&page_buddy.lock, flags);
	if (!page)
		return NULL;
	page->order = (u8)order;
	atomic_set(&page->flags, PG_COMPOUND);
	for (u32 i = 1; i < 1u << order; i++) {
		atomic_set(&page[i].flags, PG_TAIL);
		page[i].head = page;
	}
	return page;
}

static __always_inline struct page *
take(u32 order, u64 reserve)
{
	struct page_cpu *pc;
	struct page *page;
	unsigned long flags;

	if (unlikely(order))
		return take_large(order, reserve);
	flags = arch_irq_save();
	pc = this_cpu_ptr(page_cpus);
	if (unlikely(!pc->head) && !cpu_list_refill(pc, reserve)) {
		arch_irq_restore(flags);
		return NULL;
	}
	page = pc->head;
	pc->head = (struct page *)page->lru.next;
	pc->count--;
	arch_irq_restore(flags);
	return page;
}

static void
drain_here(void *arg)
{
	page_drain_cpu();
}

static bool
dying(void)
{
	struct thread *t = thread_current();

	return t && thread_fatal_pending && thread_fatal_pending(t);
}

/* May this context sleep, reclaim and kill? */
static bool
may_block(u32 gfp)
{
	struct thread *t = thread_current();

	return !(gfp & GFP_ATOMIC) && !in_atomic() && arch_irqs_enabled() && t && !t->is_idle &&
	       !t->reclaiming;
}

static __noinline struct page *
take_slow(u32 order, u32 gfp)
{
	struct page *page;
	u32 stalled = 0, waited = 0;

	if (!may_block(gfp)) {
		/* Interrupts and the like may use up the reserve. */
		page = take(order, 0);
		if (!page && !(gfp & GFP_NOWARN))
			WARN_ONCE(!page);
		return page;
	}
	for (u32 round = 0;; round++) {
		/* What other CPUs hold back counts as free: fetch it before hurting anybody. */
		page_drain_cpu();
		arch_ipi_call(&cpu_online, drain_here, NULL, true);
		page = take(order, page_reserve);
		if (page)
			return page;
		if (order > 3 && (gfp & (GFP_NOWARN | GFP_NOFAIL)) == GFP_NOWARN)
			return NULL;
		if (reclaim_pages(MAX(1ul << order, (u64)BATCH), gfp)) {
			page = take(order, page_reserve);
			if (page)
				return page;
			if (round < ROUNDS_MAX || (swap_has_room() && !dying()))
				continue;
		} else if (reclaim_awaits_disk(gfp) && ++waited < WAITS_MAX) {
			continue;
		} else if (++stalled < STALLS_MAX) {
			continue; /* pages were in use, locked, being looked at by others */
		}
		/* Large blocks: memory may be there, but in pieces. Nobody is killed for that. */
		if (order > 3 && !(gfp & GFP_NOFAIL))
			return NULL;
		if (dying()) {
			/* On its way out it frees more than it takes. */
			return take(order, 0);
		}
		if (!mm_oom_kill || !mm_oom_kill("page allocation")) {
			page = take(order, 0);
			if (page || !(gfp & GFP_NOFAIL))
				return page;
		}
		if (round >= 16 && !(gfp & GFP_NOFAIL))
			return take(order, 0);
		/* The victim needs time to leave. */
		oom_wait();
	}
}

static inline struct page *
take_zeroed(void)
{
	unsigned long flags;
	struct page_cpu *pc;
	struct page *page;

	if (!this_cpu_read(page_cpus.zeroed))
		return NULL;
	flags = arch_irq_save();
	pc = this_cpu_ptr(page_cpus);
	page = pc->zeroed;
	if (page) {
		pc->zeroed = (struct page *)page->lru.next;
		pc->zeroed_count--;
	}
	arch_irq_restore(flags);
	return page;
}

struct page *
page_alloc(u32 order, u32 gfp)
{
	struct page *page;

	if ((gfp & GFP_ZERO) && order == 0) {
		page = take_zeroed();
		if (page) {
			atomic64_set(&page->ref_and_map, 1);
			this_cpu_inc(mem_counters[MC_PGALLOC]);
			return page;
		}
	}
	page = take(order, page_reserve);
	if (unlikely(!page)) {
		page = take_slow(order, gfp);
		if (!page)
			return NULL;
	}
	atomic64_set(&page->ref_and_map, 1);
	this_cpu_add(mem_counters[MC_PGALLOC], 1l << order);
	if (gfp & GFP_ZERO) {
		for (u32 i = 0; i < 1u << order; i++)
			page_clear(page_to_virt(page + i));
	}
	return page;
}

/* Back to the state of a free page. */
static inline void
page_wipe(struct page *page)
{
	DEBUG_ASSERT(!(atomic_read(&page->flags) &
		       (PG_BUDDY | PG_RESERVED | PG_LRU | PG_LOCKED | PG_TAIL)));
	atomic_set(&page->flags, 0);
	atomic64_set(&page->ref_and_map, 0);
	page->mapping = NULL;
}

void
page_free(struct page *page, u32 order)
{
	struct page_cpu *pc;
	unsigned long flags;

	DEBUG_ASSERT(atomic_read(&page->mapcount) == 0);
	this_cpu_add(mem_counters[MC_PGFREE], 1l << order);
	if (unlikely(order)) {
		DEBUG_ASSERT(page->order == order);
		for (u32 i = 1; i < 1u << order; i++) {
			atomic_set(&page[i].flags, 0);
			page_wipe(&page[i]);
		}
		page_wipe(page);
		page->order = 0;
		flags = spin_lock_irqsave(&page_buddy.lock);
		buddy_free_locked(&page_buddy, page, order);
		spin_unlock_irqrestore(&page_buddy.lock, flags);
		return;
	}
	page_wipe(page);
	flags = arch_irq_save();
	pc = this_cpu_ptr(page_cpus);
	page->lru.next = (struct list *)pc->head;
	pc->head = page;
	if (unlikely(++pc->count > cpu_high))
		cpu_list_drain(pc, BATCH);
	arch_irq_restore(flags);
}

void
page_free_zeroed(struct page *page)
{
	struct page_cpu *pc;
	unsigned long flags;

	DEBUG_ASSERT(!memchr_inv(page_to_virt(page), 0, PAGE_SIZE));
	if (this_cpu_read(page_cpus.zeroed_count) >= ZEROED_MAX) {
		page_free(page, 0);
		return;
	}
	this_cpu_inc(mem_counters[MC_PGFREE]);
	page_wipe(page);
	flags = arch_irq_save();
	pc = this_cpu_ptr(page_cpus);
	page->lru.next = (struct list *)pc->zeroed;
	pc->zeroed = page;
	pc->zeroed_count++;
	arch_irq_restore(flags);
}

void
page_free_chain(struct page *chain)
{
	struct page_cpu *pc;
	struct page *last = NULL;
	unsigned long flags;
	u32 n = 0;

	for (struct page *page = chain; page; page = (struct page *)page->lru.next) {
		page_wipe(page);
		last = page;
		n++;
	}
	if (!n)
		return;
	this_cpu_add(mem_counters[MC_PGFREE], n);
	flags = arch_irq_save();
	pc = this_cpu_ptr(page_cpus);
	last->lru.next = (struct list *)pc->head;
	pc->head = chain;
	pc->count += n;
	if (unlikely(pc->count > cpu_high))
		cpu_list_drain(pc, pc->count - cpu_high + BATCH - 1);
	arch_irq_restore(flags);
}

void *
pages_alloc(u32 order, u32 gfp)
{
	struct page *page = page_alloc(order, gfp);

	return page ? page_to_virt(page) : NULL;
}

void
pages_free(void *va, u32 order)
{
	page_free(virt_to_page(va), order);
}

/* ---- waiting for a killed process to give its memory back ---- */

static struct wait_queue oom_queue = WAIT_QUEUE_INIT(oom_queue);

void
oom_wait(void)
{
	u64 before = page_count_free();

	wait_event_timeout(&oom_queue, page_count_free() > before + BATCH,
			   time_mono_ns() + 20 * NSEC_PER_MSEC);
}

void
oom_memory_freed(void)
{
	smp_mb();
	if (wait_queue_active(&oom_queue))
		wake_up_all(&oom_queue);
}
