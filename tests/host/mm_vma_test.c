/* SPDX-License-Identifier: MIT */
/* SOURCES: mm/vma.c mm/rmap.c lib/rbtree.c tests/host/core_shim.c tests/host/mm_shim.c */
/*
 * The tree of mappings and the reverse map against plain arrays of pages: random insertions,
 * splits, merges, moves of bounds and removals; after each the gaps are right and searches agree
 * with a scan.
 */
#include "../../mm/mm_internal.h"
#include "../../mm/pagetable.h"
#include "../../mm/vma.h"
#include "arch/tlb.h"
#include "mm_shim.h"
#include "test.h"

#define SPACE 1024u /* pages of the address space under test */
#define BASE  (1ul << 30)

static struct mm mm;
static struct mapping mapping;
static struct vma *shown[SPACE]; /* by address: the model */
static u32 opened, closed, zapped[SPACE];

struct vma *
vma_alloc(struct mm *m)
{
	struct vma *v = calloc(1, sizeof(*v));

	v->mm = m;
	return v;
}

void
vma_free(struct vma *v)
{
	free(v);
}

/* What the reverse map would clear: noted by address. */
void
zap_range(struct gather *g, struct vma *v, u64 start, u64 end, enum zap_what what)
{
	for (u64 a = start; a < end; a += PAGE_SIZE)
		zapped[(a - BASE) >> PAGE_SHIFT]++;
}

void
gather_init(struct gather *g, struct mm *m)
{
}

void
gather_finish(struct gather *g)
{
}

pte_t *
mm_level1_find(struct mm *m, u64 addr)
{
	return NULL;
}

void
arch_tlb_shootdown(struct arch_space *space, uintptr_t start, uintptr_t end, size_t stride)
{
}

void
vma_write_begin(struct vma *v)
{
}

static void
count_open(struct vma *v)
{
	opened++;
}

static void
count_close(struct vma *v)
{
	closed++;
}

static const struct vma_ops counting_ops = { .open = count_open, .close = count_close };

static u64
page_addr(u32 page)
{
	return BASE + ((u64)page << PAGE_SHIFT);
}

static void
model_set(struct vma *v)
{
	for (u64 a = v->start; a < v->end; a += PAGE_SIZE)
		shown[(a - BASE) >> PAGE_SHIFT] = v;
}

static void
model_rebuild(void)
{
	for (u32 i = 0; i < SPACE; i++)
		shown[i] = NULL;
	for (struct vma *v = vma_first(&mm); v; v = vma_next(v))
		model_set(v);
}

static u64
check_gaps(struct rb_node *n, bool *ok)
{
	struct vma *v = rb_entry_safe(n, struct vma, node), *prev;
	u64 gap, floor;

	if (!v)
		return 0;
	prev = vma_prev(v);
	floor = v->flags & VM_GROWSDOWN ? v->start - STACK_GUARD_GAP : v->start;
	gap = floor > (prev ? prev->end : 0) ? floor - (prev ? prev->end : 0) : 0;
	*ok &= v->hole == gap;
	gap = MAX(gap, check_gaps(n->left, ok));
	gap = MAX(gap, check_gaps(n->right, ok));
	*ok &= v->gap == gap;
	return v->gap;
}

static bool
tree_right(void)
{
	bool ok = true;
	u32 count = 0;
	u64 end = 0;

	check_gaps(mm.vmas.node, &ok);
	for (struct vma *v = vma_first(&mm); v; v = vma_next(v)) {
		ok &= v->start >= end && v->end > v->start;
		end = v->end;
		count++;
	}
	return ok && count == mm.vma_count;
}

/* The highest run of `pages` free pages in [low, high), by scan; 0: none. */
static u64
scan_gap(u32 pages, u32 low, u32 high)
{
	u32 run = 0;

	for (u32 i = high; i-- > low;) {
		run = shown[i] ? 0 : run + 1;
		if (run == pages)
			return page_addr(i);
	}
	return 0;
}

static struct vma *
insert(u32 page, u32 pages, u32 flags, u64 pgoff)
{
	struct vma *v = vma_alloc(&mm);

	v->start = page_addr(page);
	v->end = page_addr(page + pages);
	v->flags = flags;
	v->mapping = &mapping;
	v->ops = &counting_ops;
	v->pgoff = pgoff;
	vma_tree_insert(&mm, v);
	rmap_lock(&mapping);
	rmap_add_locked(v);
	rmap_unlock(&mapping);
	opened++;
	return v;
}

static void
drop(struct vma *v)
{
	vma_tree_erase(&mm, v);
	rmap_lock(&mapping);
	rmap_remove_locked(v);
	rmap_unlock(&mapping);
	closed++;
	vma_free(v);
}

static bool
rmap_right(void)
{
	u64 first = test_random() % SPACE, last = first + test_random() % 40;

	for (u32 i = 0; i < SPACE; i++)
		zapped[i] = 0;
	rmap_unmap(&mapping, first, last, ZAP_ALL);
	for (u32 i = 0; i < SPACE; i++) {
		u64 index = shown[i] ? shown[i]->pgoff +
					       ((page_addr(i) - shown[i]->start) >> PAGE_SHIFT)
				     : 0;
		u32 expect = shown[i] && index >= first && index <= last;

		if (zapped[i] != expect)
			return false;
	}
	return true;
}

static void
random_changes_keep_everything_right(void)
{
	for (u32 step = 0; step < 60000; step++) {
		u32 page = test_random() % SPACE, pages = test_random() % 12 + 1;
		struct vma *v = shown[page];

		switch (test_random() % 5) {
		case 0:
		case 1: {
			u32 low = test_random() % 200, high = SPACE - test_random() % 200;
			u64 at = vma_find_gap(&mm, (u64)pages << PAGE_SHIFT, page_addr(low),
					      page_addr(high));

			EXPECT(at == scan_gap(pages, low, high));
			if (at) {
				u32 where = (u32)((at - BASE) >> PAGE_SHIFT);
				/* Half of them continue their neighbours, so that merges happen. */
				u64 pgoff = test_random() % 2 ? where : test_random() % SPACE;

				model_set(
					vma_merge(&mm, insert(where, pages,
							      VM_READ | test_random() % 2, pgoff)));
			}
			break;
		}
		case 2:
			if (v && vma_pages(v) > 1) {
				u64 at = v->start +
					 (test_random() % (vma_pages(v) - 1) + 1) * PAGE_SIZE;
				struct vma *upper;

				EXPECT(vma_split(&mm, v, at, &upper) == 0);
				EXPECT(v->end == at && upper->start == at);
				EXPECT(vma_mergeable(v, upper));
				if (test_random() % 2)
					EXPECT(vma_merge(&mm, v)->end >= at);
			}
			break;
		case 3:
			if (v)
				drop(v);
			break;
		case 4:
			if (v && vma_pages(v) > 2)
				vma_set_bounds(&mm, v, v->start + PAGE_SIZE * (test_random() % 2),
					       v->end - PAGE_SIZE * (test_random() % 2));
			break;
		}
		model_rebuild();
		EXPECT(tree_right());
		EXPECT(vma_find(&mm, page_addr(page)) == shown[page] || !shown[page]);
		if (step % 16 == 0)
			EXPECT(rmap_right());
		EXPECT(opened - closed == mm.vma_count);
	}
	while (vma_first(&mm))
		drop(vma_first(&mm));
	EXPECT(rb_empty(&mapping.vmas));
	model_rebuild();
}

static void
nothing_is_placed_in_a_stack_guard(void)
{
	struct vma *stack = insert(800, 20, VM_GROWSDOWN, 0);
	u64 at = vma_find_gap(&mm, PAGE_SIZE, BASE, page_addr(800));

	EXPECT(tree_right());
	EXPECT(at == page_addr(800) - STACK_GUARD_GAP - PAGE_SIZE);
	vma_set_bounds(&mm, stack, page_addr(790), stack->end);
	EXPECT(tree_right());
	at = vma_find_gap(&mm, PAGE_SIZE, BASE, page_addr(800));
	EXPECT(at == page_addr(790) - STACK_GUARD_GAP - PAGE_SIZE);
	drop(stack);
}

int
main(void)
{
	TEST(random_changes_keep_everything_right);
	TEST(nothing_is_placed_in_a_stack_guard);
	return test_done();
}
