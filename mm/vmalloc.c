/* SPDX-License-Identifier: MIT */
/*
 * Kernel virtual areas: memory that is contiguous for the kernel only, and device registers.
 *
 * Areas are kept in a tree by address, each followed by an unmapped guard page. Freeing an area
 * clears its entries but tells no CPU: its addresses are not given out again before the next flush.
 * New areas are searched from a cursor upwards; when enough address space has been freed behind it,
 * one flush of all CPUs makes it reusable and the cursor returns to the start. So a flush is paid
 * once for 16 MiB of freed areas.
 *
 * Locking: area_lock guards the tree; entries of an area belong to its owner.
 */
#include "mm/vmalloc.h"
#include "arch/tlb.h"
#include "core/log.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm_internal.h"
#include "pagetable.h"

#define FLUSH_AFTER (16ul << 20)
#define KERNEL_RW   (PTE_P_READ | PTE_P_WRITE | PTE_P_GLOBAL | PTE_P_DIRTY | PTE_P_YOUNG)

enum area_state {
	AREA_LIVE,
	AREA_DEAD,     /* freed, some CPU may remember it */
	AREA_FLUSHING, /* died before the flush that is under way */
};

struct area {
	struct rb_node node;
	uintptr_t start;
	u64 pages;   /* without the guard */
	bool device; /* no page references behind it */
	u8 state;    /* enum area_state */
};

static struct spinlock area_lock = SPINLOCK_INIT(RANK_VMALLOC);
static struct rb_root areas = RB_ROOT;
static uintptr_t cursor = VMALLOC_START;
static u64 dead_bytes;

static u64
area_span(const struct area *a)
{
	return (a->pages + 1) << PAGE_SHIFT;
}

static struct area *
area_find_locked(uintptr_t addr)
{
	struct rb_node *n = areas.node;

	while (n) {
		struct area *a = rb_entry(n, struct area, node);

		if (addr < a->start)
			n = n->left;
		else if (addr >= a->start + area_span(a))
			n = n->right;
		else
			return a;
	}
	return NULL;
}

static bool
area_before(const struct rb_node *x, const struct rb_node *y)
{
	return rb_entry(x, struct area, node)->start < rb_entry(y, struct area, node)->start;
}

/* The first hole of `span` bytes at or above `from`, or 0. */
static uintptr_t
hole_find_locked(uintptr_t from, u64 span)
{
	struct rb_node *n = areas.node, *next = NULL;

	while (n) {
		struct area *a = rb_entry(n, struct area, node);

		if (a->start + area_span(a) > from) {
			next = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	for (; next; next = rb_next(next)) {
		struct area *a = rb_entry(next, struct area, node);

		if (a->start >= from && a->start - from >= span)
			break;
		from = MAX(from, a->start + area_span(a));
	}
	return VMALLOC_END - from >= span ? from : 0;
}

/* All CPUs forget freed areas; their addresses are free from then on. */
static void
flush_dead(void)
{
	struct rb_node *n, *next;
	struct rb_root gone = RB_ROOT;
	unsigned long flags = spin_lock_irqsave(&area_lock);

	for (n = rb_first(&areas); n; n = rb_next(n)) {
		struct area *a = rb_entry(n, struct area, node);

		if (a->state == AREA_DEAD)
			a->state = AREA_FLUSHING;
	}
	dead_bytes = 0;
	spin_unlock_irqrestore(&area_lock, flags);

	arch_tlb_flush_kernel(VMALLOC_START, VMALLOC_END);

	flags = spin_lock_irqsave(&area_lock);
	for (n = rb_first(&areas); n; n = next) {
		next = rb_next(n);
		if (rb_entry(n, struct area, node)->state == AREA_FLUSHING) {
			rb_erase(n, &areas);
			rb_add(n, &gone, area_before);
		}
	}
	cursor = VMALLOC_START;
	spin_unlock_irqrestore(&area_lock, flags);
	while ((n = rb_first(&gone))) {
		rb_erase(n, &gone);
		kfree(rb_entry(n, struct area, node));
	}
}

static struct area *
area_create(u64 pages, bool device, u32 gfp)
{
	struct area *a = kmalloc(sizeof(*a), gfp);
	u64 span = (pages + 1) << PAGE_SHIFT;
	unsigned long flags;

	if (!a)
		return NULL;
	if (READ_ONCE(dead_bytes) >= FLUSH_AFTER)
		flush_dead();
	*a = (struct area){ .pages = pages, .device = device };
	flags = spin_lock_irqsave(&area_lock);
	a->start = hole_find_locked(cursor, span);
	if (a->start) {
		rb_add(&a->node, &areas, area_before);
		cursor = a->start + span;
	}
	spin_unlock_irqrestore(&area_lock, flags);
	if (!a->start) {
		kfree(a);
		return NULL;
	}
	return a;
}

static void *
table_alloc(void)
{
	return pages_alloc(0, GFP_KERNEL | GFP_ZERO);
}

/* Clear the entries, give the pages back, leave the addresses to the next flush. */
static void
area_unmap(struct area *a)
{
	unsigned long flags;

	for (u64 i = 0; i < a->pages; i++) {
		pte_t *p = kernel_pte_find(a->start + (i << PAGE_SHIFT));
		pte_t e = p ? pte_xchg(p, (pte_t){ 0 }) : (pte_t){ 0 };

		if (!pte_none(e) && !a->device) {
			page_put(phys_to_page(pte_paddr(e)));
			mem_count(MC_VMALLOC, -1);
		}
	}
	flags = spin_lock_irqsave(&area_lock);
	a->state = AREA_DEAD;
	dead_bytes += area_span(a);
	spin_unlock_irqrestore(&area_lock, flags);
}

void *
vmalloc(size_t size, u32 gfp)
{
	u64 pages = DIV_ROUND_UP(size, PAGE_SIZE);
	struct area *a;

	if (!size || pages > page_total)
		return NULL;
	a = area_create(pages, false, gfp & ~GFP_ZERO);
	if (!a)
		return NULL;
	for (u64 i = 0; i < pages; i++) {
		pte_t *p = kernel_pte_create(a->start + (i << PAGE_SHIFT), 0, table_alloc);
		struct page *page = p ? page_alloc(0, gfp) : NULL;

		if (!page) {
			area_unmap(a);
			return NULL;
		}
		pte_set(p, pte_make(page_to_phys(page), KERNEL_RW));
		mem_count(MC_VMALLOC, 1);
	}
	return (void *)a->start;
}

bool
is_vmalloc(const void *p)
{
	return (uintptr_t)p >= VMALLOC_START && (uintptr_t)p < VMALLOC_END;
}

void
vfree(const void *p)
{
	unsigned long flags;
	struct area *a;

	if (!p)
		return;
	flags = spin_lock_irqsave(&area_lock);
	a = area_find_locked((uintptr_t)p & PAGE_MASK);
	spin_unlock_irqrestore(&area_lock, flags);
	ASSERT(a && a->state == AREA_LIVE && a->start == ((uintptr_t)p & PAGE_MASK));
	area_unmap(a);
}

void *
ioremap(paddr_t pa, size_t len)
{
	u64 offset = pa & ~PAGE_MASK, pages = DIV_ROUND_UP(offset + len, PAGE_SIZE);
	struct area *a;

	if (!len || pa + len < pa)
		return NULL;
	a = area_create(pages, true, GFP_KERNEL);
	if (!a)
		return NULL;
	for (u64 i = 0; i < pages; i++) {
		pte_t *p = kernel_pte_create(a->start + (i << PAGE_SHIFT), 0, table_alloc);

		if (!p) {
			area_unmap(a);
			return NULL;
		}
		pte_set(p,
			pte_make((pa & PAGE_MASK) + (i << PAGE_SHIFT), KERNEL_RW | PTE_P_UNCACHED));
	}
	return (void *)(a->start + offset);
}

void
iounmap(void *p)
{
	vfree(p);
}

void *
kvmalloc(size_t size, u32 gfp)
{
	void *p = kmalloc(size, size > PAGE_SIZE ? gfp | GFP_NOWARN : gfp);

	if (!p && size > PAGE_SIZE)
		p = vmalloc(size, gfp);
	return p;
}

void
kvfree(const void *p)
{
	if (is_vmalloc(p))
		vfree(p);
	else
		kfree(p);
}
