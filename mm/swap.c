/* SPDX-License-Identifier: MIT */
/*
 * Swap: areas, their slots, and the swap cache.
 *
 * A page that is out is known by a value, area and slot, that stands in its place: in the
 * page-table entries that showed it, or in the tree of its mapping (tmpfs, shared anonymous
 * memory). A slot counts these references; fork adds one, a fault takes one away, and with the last
 * the slot is free.
 *
 * Between memory and disk a page is in the swap cache: the slot knows the page, the page its slot
 * (page->private). There it is while it is written, while it is read, and while some entries show
 * it and others still say where it was. So nobody reads what is on its way out, and what several
 * share comes back once. A slot is in use while it is referred to or has a page.
 *
 *	out	locked, slot, cache; entries become values; one shoot-down; PG_WRITEBACK, written;
 *		dropped when nobody has a reference (swap_cache_shrink)
 *	in	cache or read; entry shows it, read-only; with the last value gone it leaves the
 *		cache at the first store, or when slots are scarce. Until then it need not be
 *		written again.
 *
 * A page does not leave the cache under writeback: its slot would be given to another page while
 * the old contents are still on their way.
 *
 * Slots are given out in ascending order, so that neighbours in memory are neighbours on the disk:
 * written in one request, and read again together (swap_read takes the aligned eight).
 *
 * PG_DIRTY on a page in the cache: the slot does not have its contents (yet); a failed write leaves
 * it, and the page stays in memory.
 *
 * Nothing is allocated on the way out: a slot is eight bytes in a table as large as the area.
 *
 * Locking: page lock for entering and leaving; area->lock for slots, under table locks. Whoever
 * looks a page up holds it, so a page whose references are the cache's and his own is nobody
 * else's. Areas live in a table for ever: a stale value finds an area that says no, not freed
 * memory. area_mutex: one at a time adds or removes.
 */
#include "swap.h"

#include "core/log.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/mapping.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sched/wait.h"

#define SLOT_BAD     BIT(31)
#define READ_CLUSTER 8u /* slots, aligned: vm.page-cluster of 3 */
#define SHRINK_BATCH 16u
#define TURN	     256u /* slots of an area before one of equal priority has its turn */

struct slot {
	u32 count; /* references; SLOT_BAD */
	u32 pfn;   /* its page in the cache, or 0 */
};

struct swap_area {
	struct spinlock lock;
	struct slot *table;  /* [lock] NULL: not in use */
	unsigned long *used; /* [lock] slots that are not all zero */
	u64 slots, free;     /* [lock] free: without bad ones and the header */
	u64 usable;	     /* [I] free when it was new */
	u64 next;	     /* [lock] where to look for a free slot */
	bool closing;	     /* [lock] gives out no slots */
	s32 priority;
	bool file;
	char *name;
	const struct swap_ops *ops;
	void *private;
};

static struct swap_area areas[SWAP_AREAS];
/* By priority; within one, whose turn it is comes first. */
static struct spinlock order_lock = SPINLOCK_INIT(RANK_SWAP_ORDER);
static struct swap_area *order[SWAP_AREAS]; /* [order_lock] */
static u32 order_count;			    /* [order_lock] */
static struct mutex area_mutex = MUTEX_INIT(area_mutex, RANK_SLEEP_LEAF);

static struct spinlock lru_lock = SPINLOCK_INIT(RANK_LRU);
static LIST_HEAD(lru); /* [lru_lock] pages in the cache, the oldest last */
static u64 lru_count;  /* [lru_lock] */

u32 vm_swappiness = 60;

static struct swap_area *
area_of(u64 value)
{
	return &areas[swap_value_area(value)];
}

static inline u64
slot_of(u64 value)
{
	return value & (BIT(SWAP_SLOT_BITS) - 1);
}

bool
swap_enabled(void)
{
	return READ_ONCE(order_count);
}

u64
swap_free(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < SWAP_AREAS; i++)
		sum += READ_ONCE(areas[i].table) ? READ_ONCE(areas[i].free) : 0;
	return sum;
}

u64
swap_total(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < SWAP_AREAS; i++)
		sum += READ_ONCE(areas[i].table) ? READ_ONCE(areas[i].usable) : 0;
	return sum;
}

bool
swap_has_room(void)
{
	return swap_enabled() && swap_free();
}

bool
swap_scarce(u64 value)
{
	struct swap_area *a = area_of(value);

	return READ_ONCE(a->closing) || READ_ONCE(a->free) < READ_ONCE(a->usable) / 2;
}

/* ---- slots ---- */

static void
slot_free_locked(struct swap_area *a, u64 slot)
{
	bitmap_clear_bit(slot, a->used);
	a->free++;
}

/* A slot of a for the page; 0: none. */
static u64
slot_take(struct swap_area *a, const struct page *page)
{
	u64 slot = 0;

	spin_lock(&a->lock);
	if (a->table && !a->closing && a->free) {
		slot = find_next_zero_bit(a->used, a->slots, a->next);
		if (slot >= a->slots)
			slot = find_next_zero_bit(a->used, a->slots, 1);
		bitmap_set_bit(slot, a->used);
		a->table[slot].pfn = (u32)page_to_pfn(page);
		a->free--;
		a->next = slot + 1;
	}
	spin_unlock(&a->lock);
	return slot;
}

/* Order lock held. The one at i has had its turn: behind those of equal priority. */
static void
order_rotate(u32 i)
{
	for (; i + 1 < order_count && order[i + 1]->priority == order[i]->priority; i++)
		SWAP(order[i], order[i + 1]);
}

static u64
slot_alloc(const struct page *page)
{
	u64 slot, value = 0;

	spin_lock(&order_lock);
	for (u32 i = 0; i < order_count && !value; i++) {
		slot = slot_take(order[i], page);
		if (!slot)
			continue;
		value = swap_value((u32)(order[i] - areas), slot);
		if (slot % TURN == TURN - 1)
			order_rotate(i);
	}
	spin_unlock(&order_lock);
	return value;
}

/* Does a page that is read for the slot have a place? */
static bool
slot_wanted_locked(struct swap_area *a, u64 slot)
{
	return a->table && slot && slot < a->slots && a->table[slot].count &&
	       !(a->table[slot].count & SLOT_BAD);
}

static bool
slot_wanted(struct swap_area *a, u64 slot)
{
	bool wanted;

	spin_lock(&a->lock);
	wanted = slot_wanted_locked(a, slot) && !a->table[slot].pfn;
	spin_unlock(&a->lock);
	return wanted;
}

/* The page takes its place in a slot that somebody refers to. 0, -EEXIST, -ENOENT. */
static int
slot_hold(struct swap_area *a, u64 slot, const struct page *page)
{
	int err = -ENOENT;

	spin_lock(&a->lock);
	if (slot_wanted_locked(a, slot)) {
		err = a->table[slot].pfn ? -EEXIST : 0;
		if (!err)
			a->table[slot].pfn = (u32)page_to_pfn(page);
	}
	spin_unlock(&a->lock);
	return err;
}

/* The slot's page with a reference, or NULL. */
static struct page *
slot_page_locked(struct swap_area *a, u64 slot)
{
	struct page *page = NULL;

	if (a->table && slot < a->slots && a->table[slot].pfn) {
		page = pfn_to_page(a->table[slot].pfn);
		/* A page of a mapping that is just moving out is nobody's yet: swap_shmem.c. */
		if (!page_try_get(page))
			page = NULL;
	}
	return page;
}

void
swap_get(u64 value)
{
	struct swap_area *a = area_of(value);

	spin_lock(&a->lock);
	a->table[slot_of(value)].count++;
	spin_unlock(&a->lock);
}

u32
swap_count(u64 value)
{
	struct swap_area *a = area_of(value);
	u32 count;

	spin_lock(&a->lock);
	count = a->table ? a->table[slot_of(value)].count : 0;
	spin_unlock(&a->lock);
	return count;
}

void
swap_put(u64 value)
{
	struct swap_area *a = area_of(value);
	u64 slot = slot_of(value);
	struct page *page = NULL;

	spin_lock(&a->lock);
	if (!--a->table[slot].count) {
		if (a->table[slot].pfn)
			page = slot_page_locked(a, slot);
		else
			slot_free_locked(a, slot);
	}
	spin_unlock(&a->lock);
	if (page) {
		swap_cache_try_drop(page);
		page_put(page);
	}
}

/* ---- the cache ---- */

u64
swap_cache_value(const struct page *page)
{
	return page->private;
}

struct page *
swap_cache_find(u64 value)
{
	struct swap_area *a = area_of(value);
	struct page *page;

	spin_lock(&a->lock);
	page = slot_page_locked(a, slot_of(value));
	spin_unlock(&a->lock);
	return page;
}

/* The slot has the page, which is locked: what else belongs to it. */
static void
cache_enter(struct page *page)
{
	spin_lock(&lru_lock);
	list_add(&page->lru, &lru);
	lru_count++;
	spin_unlock(&lru_lock);
	mem_count(MC_SWAP_CACHED, 1);
}

static void
cache_leave(struct page *page)
{
	spin_lock(&lru_lock);
	list_del(&page->lru);
	lru_count--;
	spin_unlock(&lru_lock);
	page->private = 0;
	page_clear_flag(page, PG_SWAPCACHE | PG_DIRTY | PG_ERROR);
	mem_count(MC_SWAP_CACHED, -1);
}

u64
swap_cache_add(struct page *page)
{
	u64 value = slot_alloc(page);

	if (!value)
		return 0;
	page_get(page);
	page->private = value;
	page_set_flag(page, PG_SWAPCACHE | PG_DIRTY);
	cache_enter(page);
	return value;
}

bool
swap_cache_used(struct page *page)
{
	return swap_count(page->private);
}

void
swap_cache_remove(struct page *page)
{
	struct swap_area *a = area_of(page->private);
	u64 slot = slot_of(page->private);

	DEBUG_ASSERT(!page_flag(page, PG_WRITEBACK));
	spin_lock(&a->lock);
	a->table[slot].pfn = 0;
	if (!a->table[slot].count)
		slot_free_locked(a, slot);
	spin_unlock(&a->lock);
	cache_leave(page);
	page_put(page);
}

void
swap_cache_try_drop(struct page *page)
{
	if (!page_trylock(page))
		return; /* whoever has it will see, or swap_cache_shrink */
	if (page_flag(page, PG_SWAPCACHE) && !page_flag(page, PG_WRITEBACK) &&
	    !swap_cache_used(page))
		swap_cache_remove(page);
	page_unlock(page);
}

/* The caller's reference is consumed. True: it is free. */
static bool
shrink_page(struct page *page)
{
	struct swap_area *a;
	struct slot *slot;
	bool out = false;

	if (!page_trylock(page)) {
		page_put(page);
		return false;
	}
	if (page_flag(page, PG_SWAPCACHE) && !page_flag(page, PG_WRITEBACK)) {
		a = area_of(page->private);
		spin_lock(&a->lock);
		slot = &a->table[slot_of(page->private)];
		/* Nobody wants it by its slot, or it can be read again and all it has is us. */
		out = !slot->count ||
		      (!page_flag(page, PG_DIRTY) && atomic64_read(&page->ref_and_map) == 2);
		if (out) {
			slot->pfn = 0;
			if (!slot->count)
				slot_free_locked(a, slot_of(page->private));
		}
		spin_unlock(&a->lock);
	}
	if (out) {
		cache_leave(page);
		page_put(page);
		out = atomic64_read(&page->ref_and_map) == 1;
	}
	page_unlock(page);
	page_put(page);
	return out;
}

u64
swap_cache_shrink(u64 want)
{
	struct page *pages[SHRINK_BATCH];
	u64 freed = 0, left = READ_ONCE(lru_count);

	while (freed < want && left) {
		u32 n = 0, looked = 0;

		spin_lock(&lru_lock);
		while (n < SHRINK_BATCH && looked < 4 * SHRINK_BATCH && left && !list_empty(&lru)) {
			struct page *page = list_last_entry(&lru, struct page, lru);

			list_del(&page->lru);
			list_add(&page->lru, &lru);
			left--;
			looked++;
			/* Mapped, or on its way: no need to touch it. */
			if (!page_flag(page, PG_WRITEBACK | PG_LOCKED) &&
			    !atomic_read(&page->mapcount) && page_try_get(page))
				pages[n++] = page;
		}
		spin_unlock(&lru_lock);
		if (!looked)
			break;
		for (u32 i = 0; i < n; i++)
			freed += shrink_page(pages[i]);
	}
	return freed;
}

/* ---- transfers ---- */

void
swap_io_done(struct page *page, bool write, int err)
{
	if (!write) {
		if (!err)
			mem_count(MC_PSWPIN, 1);
		mapping_read_done(page, err);
		return;
	}
	if (err) {
		page_set_flag(page, PG_ERROR);
		log_err("swap: writing a page failed (%d): it stays in memory\n", err);
	} else {
		page_clear_flag(page, PG_DIRTY);
		mem_count(MC_PSWPOUT, 1);
	}
	mem_count(MC_WRITEBACK, -1);
	page_end_writeback(page);
	page_put(page);
	writeback_count_written();
}

void
swap_write(struct page **pages, u32 n)
{
	u32 first = 0;

	for (u32 i = 0; i < n; i++) {
		page_get(pages[i]); /* until it is written */
		page_set_flag(pages[i], PG_WRITEBACK);
		mem_count(MC_WRITEBACK, 1);
	}
	/* From here on they may be found and waited for. */
	while (first < n) {
		u64 value = pages[first]->private;
		struct swap_area *a = area_of(value);
		u32 past = first + 1;

		while (past < n && pages[past]->private == value + (past - first))
			past++;
		for (u32 i = first; i < past; i++)
			page_unlock(pages[i]);
		a->ops->transfer(a->private, slot_of(value), pages + first, past - first, true);
		first = past;
	}
}

/* A new page for the slot, locked, in the cache. 0, -EEXIST, -ENOENT, -ENOMEM. */
static int
read_begin(struct swap_area *a, u64 slot, u32 gfp, struct page **out)
{
	struct page *page;
	int err;

	if (!slot_wanted(a, slot))
		return -ENOENT;
	page = page_alloc(0, gfp);
	if (!page)
		return -ENOMEM;
	atomic_set(&page->flags, PG_LOCKED | PG_ANON | PG_SWAPCACHE);
	page->private = swap_value((u32)(a - areas), slot);
	page_get(page);
	err = slot_hold(a, slot, page);
	if (err) {
		atomic_set(&page->flags, 0);
		page->private = 0;
		page_put(page);
		page_put(page);
		return err;
	}
	cache_enter(page);
	*out = page;
	return 0;
}

/*
 * Bring the page in, with some neighbours. 0: look in the cache, it may still be on its way;
 * -ENOENT: the slot is not in use (any more); -ENOMEM.
 */
static int
swap_read(u64 value)
{
	struct swap_area *a = area_of(value);
	u64 want = slot_of(value), slot = ALIGN_DOWN(want, (u64)READ_CLUSTER);
	u64 past = slot + READ_CLUSTER;
	struct page *pages[READ_CLUSTER];
	u32 n = 0, reserve = READ_CLUSTER;
	int err = 0, wanted = -ENOENT;

	/* Neighbours only while there is memory to spare: they must not push others out. */
	if (page_count_free() < page_low + reserve) {
		slot = want;
		past = want + 1;
	}
	for (; slot <= past; slot++) {
		struct page *page = NULL;

		err = slot == past   ? -ENOENT
		      : slot == want ? read_begin(a, slot, GFP_USER, &page)
				     : read_begin(a, slot, GFP_ATOMIC | GFP_NOWARN, &page);
		if (slot == want)
			wanted = err;
		if (page) {
			pages[n++] = page;
			continue;
		}
		if (n) {
			a->ops->transfer(a->private, slot - n, pages, n, false);
			for (u32 i = 0; i < n; i++)
				page_put(pages[i]);
			n = 0;
		}
	}
	return wanted == -EEXIST ? 0 : wanted;
}

int
swap_get_locked(u64 value, bool *read, struct page **out)
{
	struct page *page = swap_cache_find(value);
	int err;

	if (!page) {
		err = swap_read(value);
		if (err)
			return err == -ENOENT ? -EAGAIN : err;
		*read = true;
		page = swap_cache_find(value);
		if (!page) {
			sched_cond_resched();
			return -EAGAIN;
		}
	}
	page_lock(page);
	err = 0;
	if (!page_flag(page, PG_SWAPCACHE) || swap_cache_value(page) != value) {
		err = -EAGAIN;
	} else if (!page_flag(page, PG_UPTODATE)) {
		/* The next one may have more luck. */
		swap_cache_remove(page);
		err = -EIO;
	}
	if (err) {
		page_unlock(page);
		page_put(page);
		return err;
	}
	*out = page;
	return 0;
}

/* ---- areas ---- */

static void
order_insert(struct swap_area *a)
{
	u32 i;

	spin_lock(&order_lock);
	if (a->priority < 0) {
		s32 lowest = -1;

		for (i = 0; i < order_count; i++)
			lowest = MIN(lowest, order[i]->priority);
		a->priority = lowest - 1;
	}
	for (i = order_count++; i && order[i - 1]->priority < a->priority; i--)
		order[i] = order[i - 1];
	order[i] = a;
	spin_unlock(&order_lock);
}

static void
order_remove(struct swap_area *a)
{
	u32 kept = 0;

	spin_lock(&order_lock);
	for (u32 i = 0; i < order_count; i++) {
		if (order[i] != a)
			order[kept++] = order[i];
	}
	order_count = kept;
	spin_unlock(&order_lock);
}

int
swap_add(const struct swap_config *c)
{
	struct swap_area *a = NULL;
	unsigned long *used;
	struct slot *table;
	char *name;
	int err = -ENOMEM;

	table = kvmalloc(c->slots * sizeof(*table), GFP_KERNEL | GFP_ZERO);
	used = kvmalloc(BITMAP_WORDS(c->slots) * sizeof(*used), GFP_KERNEL | GFP_ZERO);
	name = kstrdup(c->name, GFP_KERNEL);
	if (!table || !used || !name)
		goto out_free;
	mutex_lock(&area_mutex);
	for (u32 i = 0; i < SWAP_AREAS && !a; i++) {
		if (!areas[i].table)
			a = &areas[i];
	}
	err = -EPERM;
	if (!a)
		goto out_unlock;
	if (!a->lock.rank)
		spin_init(&a->lock, RANK_SWAP);
	table[0].count = SLOT_BAD;
	for (u32 i = 0; i < c->bad_count; i++)
		table[c->bad[i]].count = SLOT_BAD;
	a->free = 0;
	for (u64 i = 0; i < c->slots; i++) {
		if (table[i].count)
			bitmap_set_bit(i, used);
		else
			a->free++;
	}
	a->usable = a->free;
	a->slots = c->slots;
	a->next = 1;
	a->closing = false;
	a->priority = c->priority;
	a->file = c->file;
	a->name = name;
	a->ops = c->ops;
	a->private = c->private;
	a->used = used;
	spin_lock(&a->lock);
	a->table = table;
	spin_unlock(&a->lock);
	order_insert(a);
	mutex_unlock(&area_mutex);
	return 0;
out_unlock:
	mutex_unlock(&area_mutex);
out_free:
	kvfree(table);
	kvfree(used);
	kfree(name);
	return err;
}

/* Pages that nobody refers to by the slot leave the cache; a write under way is waited for. */
static void
cache_drain(struct swap_area *a)
{
	for (u64 slot = 1; slot < a->slots; slot++) {
		struct page *page;

		if (!READ_ONCE(a->table[slot].pfn))
			continue;
		page = swap_cache_find(swap_value((u32)(a - areas), slot));
		if (!page)
			continue;
		page_lock(page);
		page_wait_writeback(page);
		if (page_flag(page, PG_SWAPCACHE) && area_of(page->private) == a &&
		    !swap_cache_used(page))
			swap_cache_remove(page);
		page_unlock(page);
		page_put(page);
		sched_cond_resched();
	}
}

static bool
dying(void)
{
	struct thread *t = thread_current();

	return thread_fatal_pending && thread_fatal_pending(t);
}

/* Does what is out fit into memory, and into the other areas? */
static bool
fits(struct swap_area *a)
{
	struct mem_stats m;

	mem_stats(&m);
	return a->usable - a->free <= m.available + swap_free() - (a->closing ? 0 : a->free);
}

static int
area_empty(struct swap_area *a)
{
	while (READ_ONCE(a->free) < a->usable) {
		u64 before = READ_ONCE(a->free);
		int err = swap_in_all((u32)(a - areas));

		if (!err)
			err = shmem_in_all((u32)(a - areas));
		if (err)
			return err;
		cache_drain(a);
		if (dying())
			return -EINTR;
		/* Entries on the move (fork, exit) are met the next time. */
		if (READ_ONCE(a->free) == before)
			sleep_ns(NSEC_PER_MSEC);
	}
	return 0;
}

int
swap_remove(const void *private)
{
	struct swap_area *a = NULL;
	unsigned long *used;
	struct slot *table;
	char *name;
	int err;

	mutex_lock(&area_mutex);
	for (u32 i = 0; i < SWAP_AREAS && !a; i++) {
		if (areas[i].table && areas[i].private == private)
			a = &areas[i];
	}
	err = !a ? -EINVAL : a->closing ? -EBUSY : !fits(a) ? -ENOMEM : 0;
	if (!err) {
		order_remove(a);
		spin_lock(&a->lock);
		a->closing = true;
		spin_unlock(&a->lock);
	}
	mutex_unlock(&area_mutex);
	if (err)
		return err;
	err = area_empty(a);
	mutex_lock(&area_mutex);
	if (err) {
		spin_lock(&a->lock);
		a->closing = false;
		spin_unlock(&a->lock);
		order_insert(a);
		mutex_unlock(&area_mutex);
		return err;
	}
	spin_lock(&a->lock);
	table = a->table;
	used = a->used;
	name = a->name;
	a->table = NULL;
	a->used = NULL;
	a->name = NULL;
	a->private = NULL;
	spin_unlock(&a->lock);
	mutex_unlock(&area_mutex);
	kvfree(table);
	kvfree(used);
	kfree(name);
	return 0;
}

bool
swap_info(u32 index, struct swap_info *out)
{
	bool found = false;

	mutex_lock(&area_mutex);
	for (u32 i = 0; i < SWAP_AREAS && !found; i++) {
		const struct swap_area *a = &areas[i];

		if (!a->table || index--)
			continue;
		strscpy(out->name, a->name, sizeof(out->name));
		out->file = a->file;
		out->pages = a->usable;
		out->used = a->usable - a->free;
		out->priority = a->priority;
		found = true;
	}
	mutex_unlock(&area_mutex);
	return found;
}
