/* SPDX-License-Identifier: MIT */
/*
 * Buddy allocator: free memory as blocks of 2^order pages, aligned to their size.
 *
 * A block's buddy is the block whose page frame number differs in bit `order` only. Freeing merges
 * as long as the buddy is free and whole; taking splits the smallest block that is large enough.
 * The page array is mapped for whole 4 MiB regions, so looking at a buddy never leaves it; what is
 * no RAM in such a region is PG_RESERVED and never free.
 *
 * Invariant of a free block: its head has PG_BUDDY and the order; all its pages otherwise have no
 * flags, no references and no map count, so handing out needs no cleaning.
 *
 * Locking: the caller holds b->lock with interrupts off.
 */
#include "mm_internal.h"

void
buddy_init(struct buddy *b)
{
	spin_init(&b->lock, RANK_BUDDY);
	b->free = 0;
	for (u32 i = 0; i < BUDDY_ORDERS; i++) {
		list_init(&b->area[i].list);
		b->area[i].count = 0;
	}
}

static void
block_add(struct buddy *b, struct page *page, u32 order)
{
	atomic_set(&page->flags, PG_BUDDY);
	page->order = order;
	list_add(&page->lru, &b->area[order].list);
	b->area[order].count++;
}

static void
block_remove(struct buddy *b, struct page *page, u32 order)
{
	list_unlink(&page->lru);
	b->area[order].count--;
	atomic_set(&page->flags, 0);
	page->order = 0;
}

void
buddy_free_locked(struct buddy *b, struct page *page, u32 order)
{
	u64 pfn = page_to_pfn(page);

	b->free += 1ul << order;
	while (order < BUDDY_ORDERS - 1) {
		struct page *other = pfn_to_page(pfn ^ (1ul << order));

		if (!page_flag(other, PG_BUDDY) || other->order != order)
			break;
		block_remove(b, other, order);
		pfn &= ~(1ul << order);
		order++;
	}
	block_add(b, pfn_to_page(pfn), order);
}

void
buddy_add_range(struct buddy *b, u64 pfn, u64 count)
{
	while (count) {
		u32 order = BUDDY_ORDERS - 1;

		while ((pfn & ((1ul << order) - 1)) || (1ul << order) > count)
			order--;
		buddy_free_locked(b, pfn_to_page(pfn), order);
		pfn += 1ul << order;
		count -= 1ul << order;
	}
}

struct page *
buddy_take_locked(struct buddy *b, u32 order)
{
	for (u32 o = order; o < BUDDY_ORDERS; o++) {
		struct page *page;

		if (list_empty(&b->area[o].list))
			continue;
		page = list_first_entry(&b->area[o].list, struct page, lru);
		block_remove(b, page, o);
		/* The upper halves go back, largest first. */
		while (o > order) {
			o--;
			block_add(b, page + (1ul << o), o);
		}
		b->free -= 1ul << order;
		return page;
	}
	return NULL;
}

u32
buddy_take_batch_locked(struct buddy *b, u32 want, struct page **chain)
{
	struct page *head = NULL;
	u32 got = 0, order = 5;

	/*
	 * Whole blocks of 32 pages where possible: one list operation for many pages, and
	 * neighbours stay together.
	 */
	while (got < want) {
		struct page *page;

		while (order && (1u << order) > want - got)
			order--;
		page = buddy_take_locked(b, order);
		if (!page) {
			if (!order)
				break;
			order--;
			continue;
		}
		for (u32 i = 1u << order; i-- > 0;) {
			page[i].lru.next = (struct list *)head;
			head = &page[i];
		}
		got += 1u << order;
	}
	*chain = head;
	return got;
}
