/* SPDX-License-Identifier: MIT */
/*
 * The way out: a clock hand that goes through all address spaces, by address.
 *
 * Private pages have no list and no reverse map; nothing is kept for them while memory is
 * plentiful. When it is not, the hand reads page tables. An entry that was used since the last time
 * loses its accessed bit; one that was not gives its page up: the page gets a slot, the entry
 * becomes that slot's value. A batch of pages (they are neighbours, so their slots are) costs one
 * shoot-down and a few requests to the disk. A page that several entries show is written once, and
 * free when the hand has come to the last of them.
 *
 * The hand moves like a fault: it holds a vma by the vma's own lock and entries by the table's. It
 * takes neither mmap_lock nor anything else that its caller, who wants memory in the middle of
 * something, may hold; it passes over vmas that are being changed, unless its caller is the one who
 * does it and it is fork (mm->forker), which needs memory for each table. It never waits while it
 * is in an address space (mm->scans), so that exit, which waits for it, is not held up.
 *
 * Not taken: locked and special mappings; pages with a reference that no entry accounts for
 * (pinned for a transfer: the device writes to them).
 *
 * Pages of mappings in memory are the other half: their mappings have a list of their own, and a
 * reverse map (rmap.c). A page that no entry has used goes from its mapping's tree to the swap
 * cache, and its value takes its place in the tree.
 *
 * Locking: scan_lock for the list of address spaces; vma lock, table lock, page locks (tried).
 */
#include "arch/tlb.h"
#include "pagetable.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "swap.h"
#include "vma.h"

#define BATCH	  64u
#define LOOK_MAX  2048u /* entries of one address space before it is the next one's turn */
#define IN_FLIGHT 1024	/* pages under writeback, then the hand waits */
#define WAIT_NS	  (100 * NSEC_PER_MSEC)
#define FRESH	  1ul /* tag of a page in a batch: it must be written */

static struct spinlock scan_lock = SPINLOCK_INIT(RANK_LRU);
static LIST_HEAD(scan_list);					 /* [scan_lock] */
static u32 scan_count;						 /* [scan_lock] */
static struct wait_queue scan_left = WAIT_QUEUE_INIT(scan_left); /* an mm has been left */

struct batch {
	struct page *pages[BATCH];
	u32 count;
	u32 looked;
	bool full; /* no slots */
};

/* ---- which address space ---- */

void
mm_scan_add(struct mm *mm)
{
	spin_lock(&scan_lock);
	list_add(&mm->scan_node, &scan_list);
	mm->scanned = true;
	scan_count++;
	spin_unlock(&scan_lock);
}

static bool
mm_scans_over(struct mm *mm)
{
	bool over;

	spin_lock(&scan_lock);
	over = !mm->scans;
	spin_unlock(&scan_lock);
	return over;
}

void
mm_scan_remove(struct mm *mm)
{
	spin_lock(&scan_lock);
	list_del(&mm->scan_node);
	mm->scanned = false;
	scan_count--;
	spin_unlock(&scan_lock);
	wait_event(&scan_left, mm_scans_over(mm));
}

static struct mm *
scan_enter(void)
{
	struct mm *mm = NULL;

	spin_lock(&scan_lock);
	if (!list_empty(&scan_list)) {
		mm = list_first_entry(&scan_list, struct mm, scan_node);
		list_del(&mm->scan_node);
		list_add_tail(&mm->scan_node, &scan_list);
		mm->scans++;
	}
	spin_unlock(&scan_lock);
	return mm;
}

static void
scan_leave(struct mm *mm)
{
	bool awaited;

	spin_lock(&scan_lock);
	awaited = !--mm->scans && !mm->scanned;
	spin_unlock(&scan_lock);
	/* From here on mm may be gone. */
	if (awaited)
		wake_up_all(&scan_left);
}

struct mm *
mm_scan_next(struct mm *prev)
{
	struct list *at = &scan_list;
	struct mm *next = NULL;

	spin_lock(&scan_lock);
	if (prev && prev->scanned)
		at = &prev->scan_node;
	for (at = at->next; at != &scan_list; at = at->next) {
		next = list_entry(at, struct mm, scan_node);
		if (mm_users_try_get(next))
			break;
		next = NULL;
	}
	spin_unlock(&scan_lock);
	if (prev)
		mm_users_put(prev);
	return next;
}

/* ---- entries ---- */

/* The page of entry e goes out. Table lock held. False: it does not. */
static bool
evict_entry(pte_t *pte, pte_t e, struct batch *b)
{
	struct page *page = phys_to_page(pte_paddr(e));
	u64 both = (u64)atomic64_read(&page->ref_and_map);
	bool cached = page_flag(page, PG_SWAPCACHE);
	u64 value;

	/* All references are entries, and the cache's. */
	if ((u32)both != (both >> 32) + cached || !page_trylock(page))
		return false;
	cached = page_flag(page, PG_SWAPCACHE);
	value = cached ? swap_cache_value(page) : swap_cache_add(page);
	if (!value) {
		page_unlock(page);
		b->full = true;
		return false;
	}
	swap_get(value);
	/* Sole owners' entries are writable: what is stored until the shoot-down is written. */
	(void)pte_xchg(pte, pte_make_swap(value));
	if (cached)
		page_unlock(page);
	b->pages[b->count++] = cached ? page : (struct page *)((uintptr_t)page | FRESH);
	return true;
}

/* Entries [addr, end) of one leaf table. Returns where it stopped. */
static u64
evict_leaf(struct vma *v, pte_t *pte, u64 addr, u64 end, struct batch *b)
{
	struct spinlock *lock = table_lock_of(pte);
	u64 first = 0, last = 0;

	spin_lock(lock);
	for (; addr < end && b->count < BATCH && b->looked < LOOK_MAX && !b->full;
	     addr += PAGE_SIZE, pte++) {
		pte_t e = pte_get(pte);

		if (pte_none(e) || !pte_present(e) || pte_soft(e, PTE_SOFT_SPECIAL) ||
		    !page_flag(phys_to_page(pte_paddr(e)), PG_ANON))
			continue;
		b->looked++;
		if (pte_young(e)) {
			if (!pte_cmpxchg(pte, e, pte_mkold(e)))
				continue;
		} else if (!evict_entry(pte, e, b)) {
			continue;
		}
		last = addr + PAGE_SIZE;
		first = first ? first : addr;
	}
	spin_unlock(lock);
	/* Also for the accessed bits: a CPU that remembers the entry would not set them again. */
	if (last)
		arch_tlb_shootdown(&v->mm->space, first, last, PAGE_SIZE);
	return addr;
}

/* From addr on, in v. Returns where it stopped. */
static u64
evict_vma(struct vma *v, u64 addr, struct batch *b)
{
	pte_t *level1;

	while (b->count < BATCH && b->looked < LOOK_MAX && !b->full &&
	       (level1 = mm_level1_next(v->mm, &addr, v->end))) {
		u64 stop = MIN(v->end, ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE);
		pte_t e = pte_get(level1);

		if (!pte_none(e) && pte_leaf(e)) {
			if (pte_young(e)) {
				spin_lock(table_lock_of(level1));
				e = pte_get(level1);
				if (!pte_none(e) && pte_leaf(e))
					(void)pte_cmpxchg(level1, e, pte_mkold(e));
				spin_unlock(table_lock_of(level1));
				arch_tlb_shootdown(&v->mm->space, ALIGN_DOWN(addr, HUGE_SIZE),
						   ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE,
						   HUGE_SIZE);
				b->looked += PTE_PER_TABLE;
				addr = stop;
				continue;
			}
			huge_split(v, level1, addr);
			e = pte_get(level1);
		}
		if (pte_none(e))
			addr = stop;
		else
			addr = evict_leaf(v, pte_table(e) + pte_index(addr, 0), addr, stop, b);
	}
	return MIN(addr, v->end);
}

static bool
evictable(const struct vma *v)
{
	return v->has_anon && !(v->flags & (VM_LOCKED | VM_SPECIAL | VM_IO | VM_SHARED));
}

/* From where the hand stood in mm, once around at most. */
static void
evict_mm(struct mm *mm, struct batch *b)
{
	u64 addr = READ_ONCE(mm->scan_at);
	bool wrapped = false, own = READ_ONCE(mm->forker) == thread_current();

	while (b->count < BATCH && b->looked < LOOK_MAX && !b->full) {
		u64 past;
		struct vma *v;

		rcu_read_lock();
		v = vma_next_rcu(mm, addr);
		/* A hint: what counts is what vma_read_begin says. */
		past = v ? READ_ONCE(v->end) : 0;
		if (v)
			addr = MAX(addr, READ_ONCE(v->start));
		rcu_read_unlock();
		if (!v || addr >= USER_END) {
			if (wrapped)
				break;
			wrapped = true;
			addr = 0;
			continue;
		}
		past = MAX(past, addr + PAGE_SIZE);
		v = own ? vma_find(mm, addr) : vma_read_begin(mm, addr);
		if (!v) {
			addr = past;
			continue;
		}
		addr = evictable(v) ? evict_vma(v, MAX(addr, v->start), b) : v->end;
		if (!own)
			vma_read_end(v);
	}
	WRITE_ONCE(mm->scan_at, addr);
	if (b->count) {
		mm_hiwater_update(mm);
		atomic64_sub(&mm->rss_anon, b->count);
		atomic64_add(&mm->swap, b->count);
	}
}

/* All CPUs have forgotten the entries: the pages are written, the entries' references go. */
static void
batch_finish(struct batch *b)
{
	struct page *fresh[BATCH];
	u32 n = 0;

	for (u32 i = 0; i < b->count; i++) {
		if ((uintptr_t)b->pages[i] & FRESH) {
			b->pages[i] = (struct page *)((uintptr_t)b->pages[i] & ~FRESH);
			fresh[n++] = b->pages[i];
		}
	}
	swap_write(fresh, n);
	for (u32 i = 0; i < b->count; i++)
		(void)page_drop_entry(b->pages[i]);
}

/* Entries that the hand may come to. */
static u64
scan_entries(void)
{
	struct mm *mm;
	s64 sum = 0;

	spin_lock(&scan_lock);
	list_for_each_entry(mm, &scan_list, scan_node) sum += atomic64_read(&mm->rss_anon);
	spin_unlock(&scan_lock);
	return (u64)MAX(sum, 0l);
}

u64
swap_out(u64 want, u64 *looked)
{
	/* Twice around: once for the accessed bits, once for the pages. */
	u64 budget = 2 * scan_entries() + LOOK_MAX, out = 0;
	u32 idle = 0;

	while (out < want && budget && idle < 2 * READ_ONCE(scan_count) + 2) {
		struct batch b;
		struct mm *mm = scan_enter();

		if (!mm)
			break;
		b.count = b.looked = 0;
		b.full = false;
		evict_mm(mm, &b);
		scan_leave(mm);
		batch_finish(&b);
		out += b.count;
		*looked += b.looked;
		budget -= MIN(budget, (u64)b.looked);
		idle = b.looked ? 0 : idle + 1;
		if (b.full && !b.count)
			break;
		if (mem_counter_sum(MC_WRITEBACK) > IN_FLIGHT)
			writeback_wait_some(WAIT_NS);
		sched_cond_resched();
	}
	return out;
}
