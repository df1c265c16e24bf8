/* SPDX-License-Identifier: MIT */
/*
 * The mappings of an address space: a red-black tree by address.
 *
 * Each node knows the hole below it and the largest hole in its subtree, so that finding room for a
 * new mapping is one walk down. The hole of a stack does not count its guard gap: nothing is placed
 * there. Searching goes downwards from the top, as Linux does: the highest hole that is large
 * enough wins.
 *
 * Adjacent mappings that differ in nothing but their place are merged, so that the tree stays as
 * small as what the program meant; a change to a part splits. The tree alone is this file's
 * business: page tables and accounting are the callers'. ops->open and ->close are called for what
 * splits and merges make and unmake.
 *
 * Locking: mmap_lock, for writing to change, for reading to look; and vma_lock.c for faults, which
 * hold neither.
 */
#include "vma.h"

/* ---- holes ---- */

/* Nothing may be placed at or above this address, below v. */
static u64
vma_floor(const struct vma *v)
{
	if (!(v->flags & VM_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD_GAP ? v->start - STACK_GUARD_GAP : 0;
}

static inline struct vma *
vma_of(struct rb_node *n)
{
	return rb_entry_safe(n, struct vma, node);
}

static inline u64
gap_of(const struct rb_node *n)
{
	return n ? rb_entry(n, struct vma, node)->gap : 0;
}

static inline u64
gap_compute(const struct vma *v)
{
	u64 gap = v->hole;

	gap = MAX(gap, gap_of(v->node.left));
	return MAX(gap, gap_of(v->node.right));
}

static void
gap_propagate(struct rb_node *n, struct rb_node *stop)
{
	while (n != stop) {
		struct vma *v = vma_of(n);
		u64 gap = gap_compute(v);

		if (gap == v->gap)
			break;
		v->gap = gap;
		n = rb_parent(n);
	}
}

static void
gap_copy(struct rb_node *old, struct rb_node *new)
{
	vma_of(new)->gap = vma_of(old)->gap;
}

static void
gap_rotate(struct rb_node *old, struct rb_node *new)
{
	vma_of(new)->gap = vma_of(old)->gap;
	vma_of(old)->gap = gap_compute(vma_of(old));
}

static const struct rb_augment vma_augment = {
	.propagate = gap_propagate,
	.copy = gap_copy,
	.rotate = gap_rotate,
};

static u64
hole_between(const struct vma *prev, const struct vma *v)
{
	u64 floor = vma_floor(v), bottom = prev ? prev->end : 0;

	return floor > bottom ? floor - bottom : 0;
}

/* v is on the tree, and it or what lies below it has changed. */
static void
hole_update(struct vma *v)
{
	if (!v)
		return;
	v->hole = hole_between(vma_prev(v), v);
	gap_propagate(&v->node, NULL);
}

/* ---- the tree ---- */

struct vma *
vma_find_rcu(struct mm *mm, u64 addr)
{
	struct rb_node *n = READ_ONCE(mm->vmas.node);

	while (n) {
		struct vma *v = rb_entry(n, struct vma, node);

		if (addr >= READ_ONCE(v->end))
			n = READ_ONCE(n->right);
		else if (addr < READ_ONCE(v->start))
			n = READ_ONCE(n->left);
		else
			return v;
	}
	return NULL;
}

struct vma *
vma_next_rcu(struct mm *mm, u64 addr)
{
	struct vma *best = NULL;

	for (struct rb_node *n = READ_ONCE(mm->vmas.node); n;) {
		struct vma *v = rb_entry(n, struct vma, node);

		if (addr < READ_ONCE(v->end)) {
			best = v;
			n = READ_ONCE(n->left);
		} else {
			n = READ_ONCE(n->right);
		}
	}
	return best;
}

struct vma *
vma_find(struct mm *mm, u64 addr)
{
	struct vma *best = NULL;

	for (struct rb_node *n = mm->vmas.node; n;) {
		struct vma *v = vma_of(n);

		if (v->end > addr) {
			best = v;
			if (v->start <= addr)
				break;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct vma *
vma_first(struct mm *mm)
{
	return vma_of(rb_first(&mm->vmas));
}

struct vma *
vma_last(struct mm *mm)
{
	return vma_of(rb_last(&mm->vmas));
}

struct vma *
vma_next(struct vma *v)
{
	return vma_of(rb_next(&v->node));
}

struct vma *
vma_prev(struct vma *v)
{
	return vma_of(rb_prev(&v->node));
}

void
vma_tree_insert(struct mm *mm, struct vma *v)
{
	struct rb_node **link = &mm->vmas.node, *parent = NULL;
	struct vma *prev = NULL, *next = NULL;

	while (*link) {
		struct vma *at = vma_of(*link);

		parent = *link;
		if (v->start < at->start) {
			next = at;
			link = &parent->left;
		} else {
			prev = at;
			link = &parent->right;
		}
	}
	DEBUG_ASSERT(!prev || prev->end <= v->start);
	DEBUG_ASSERT(!next || v->end <= next->start);
	rb_link_node(&v->node, parent, link);
	v->hole = v->gap = hole_between(prev, v);
	/* The next one is an ancestor: a new leaf's successor always is. */
	if (next)
		next->hole = hole_between(v, next);
	gap_propagate(parent, NULL);
	if (next)
		gap_propagate(&next->node, NULL);
	rb_insert_augmented(&v->node, &mm->vmas, &vma_augment);
	DEBUG_ASSERT(v->write_seq == mm->write_seq);
	smp_store_release(&v->attached, true);
	mm->vma_count++;
}

void
vma_tree_erase(struct mm *mm, struct vma *v)
{
	struct vma *next = vma_next(v);

	vma_write_begin(v);
	rb_erase_augmented(&v->node, &mm->vmas, &vma_augment);
	hole_update(next);
	mm->vma_count--;
	WRITE_ONCE(v->attached, false);
}

/* The highest hole part of `len` bytes in [low, high) below nodes of this subtree; 0: none. */
static u64
gap_search(struct rb_node *n, u64 len, u64 low, u64 high)
{
	while (n && gap_of(n) >= len) {
		struct vma *v = vma_of(n);
		u64 top = vma_floor(v), bottom = top - v->hole, found;

		if (v->start < high) {
			found = gap_search(n->right, len, low, high);
			if (found)
				return found;
		}
		if (v->hole >= len) {
			u64 hole_low = MAX(bottom, low), hole_high = MIN(top, high);

			if (hole_high > hole_low && hole_high - hole_low >= len)
				return hole_high - len;
		}
		if (bottom <= low)
			return 0;
		n = n->left;
	}
	return 0;
}

u64
vma_find_gap(struct mm *mm, u64 len, u64 low, u64 high)
{
	struct vma *last;
	u64 bottom;

	if (high < low || high - low < len)
		return 0;
	last = vma_last(mm);
	bottom = last ? MAX(last->end, low) : low;
	if (bottom < high && high - bottom >= len)
		return high - len;
	return gap_search(mm->vmas.node, len, low, high);
}

/* ---- changing bounds ---- */

void
vma_set_bounds(struct mm *mm, struct vma *v, u64 start, u64 end)
{
	vma_write_begin(v);
	if (v->mapping) {
		rmap_lock(v->mapping);
		rmap_remove_locked(v);
	}
	v->pgoff += (s64)(start - v->start) >> PAGE_SHIFT;
	v->start = start;
	v->end = end;
	if (v->mapping) {
		rmap_add_locked(v);
		rmap_unlock(v->mapping);
	}
	hole_update(v);
	hole_update(vma_next(v));
}

int
vma_split(struct mm *mm, struct vma *v, u64 addr, struct vma **upper_out)
{
	struct vma *upper;

	DEBUG_ASSERT(addr > v->start && addr < v->end);
	if (mm->vma_count >= MAX_MAP_COUNT)
		return -ENOMEM;
	upper = vma_alloc(mm);
	if (!upper)
		return -ENOMEM;
	upper->flags = v->flags;
	upper->has_anon = v->has_anon;
	upper->mapping = v->mapping;
	upper->owner = v->owner;
	upper->ops = v->ops;
	upper->start = addr;
	upper->end = v->end;
	upper->pgoff = v->pgoff + ((addr - v->start) >> PAGE_SHIFT);
	vma_write_begin(v);
	/*
	 * Both halves enter the reverse map in one step: a walk finds every page below one of them.
	 */
	if (v->mapping) {
		rmap_lock(v->mapping);
		rmap_remove_locked(v);
	}
	v->end = addr;
	if (v->mapping) {
		rmap_add_locked(v);
		rmap_add_locked(upper);
		rmap_unlock(v->mapping);
	}
	vma_tree_insert(mm, upper);
	if (v->ops && v->ops->open)
		v->ops->open(upper);
	if (upper_out)
		*upper_out = upper;
	return 0;
}

bool
vma_mergeable(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->flags == b->flags && !(a->flags & (VM_SPECIAL | VM_IO)) &&
	       a->mapping == b->mapping && a->owner == b->owner && a->ops == b->ops &&
	       a->pgoff + vma_pages(a) == b->pgoff;
}

/* b, directly above a, becomes part of it. */
static void
vma_absorb(struct mm *mm, struct vma *a, struct vma *b)
{
	u64 end = b->end;

	vma_write_begin(a);
	vma_write_begin(b);
	a->has_anon |= b->has_anon;
	if (a->mapping) {
		/* As in a split: no walk may miss what b covered. */
		rmap_lock(a->mapping);
		rmap_remove_locked(a);
		rmap_remove_locked(b);
	}
	vma_tree_erase(mm, b);
	a->end = end;
	if (a->mapping) {
		rmap_add_locked(a);
		rmap_unlock(a->mapping);
	}
	hole_update(vma_next(a));
	if (b->ops && b->ops->close)
		b->ops->close(b);
	vma_free(b);
}

struct vma *
vma_merge(struct mm *mm, struct vma *v)
{
	struct vma *prev = vma_prev(v), *next = vma_next(v);

	if (prev && vma_mergeable(prev, v)) {
		vma_absorb(mm, prev, v);
		v = prev;
	}
	if (next && vma_mergeable(v, next))
		vma_absorb(mm, v, next);
	return v;
}
