/* SPDX-License-Identifier: MIT */
/*
 * Reverse map: from the pages of a mapping to the entries that show them.
 *
 * Each mapping keeps its vmas in an interval tree over page indices: ordered by first page, each
 * node knowing the highest last page below it. A walk visits the vmas that overlap a range and
 * finds the entries by address; there is nothing to keep per page.
 *
 * Locking: mapping->rmap_lock for the tree. It also keeps the page tables of the vmas in it from
 * being freed: munmap and exit take a vma out before its tables go.
 */
#include "arch/tlb.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "vma.h"

static inline struct vma *
vma_of(struct rb_node *n)
{
	return rb_entry_safe(n, struct vma, rmap_node);
}

static inline u64
last_index(const struct vma *v)
{
	return v->pgoff + vma_pages(v) - 1;
}

static u64
last_compute(const struct vma *v)
{
	u64 last = last_index(v);

	if (v->rmap_node.left)
		last = MAX(last, vma_of(v->rmap_node.left)->rmap_last);
	if (v->rmap_node.right)
		last = MAX(last, vma_of(v->rmap_node.right)->rmap_last);
	return last;
}

static void
last_propagate(struct rb_node *n, struct rb_node *stop)
{
	for (; n != stop; n = rb_parent(n)) {
		u64 last = last_compute(vma_of(n));

		if (vma_of(n)->rmap_last == last)
			break;
		vma_of(n)->rmap_last = last;
	}
}

static void
last_copy(struct rb_node *old, struct rb_node *new)
{
	vma_of(new)->rmap_last = vma_of(old)->rmap_last;
}

static void
last_rotate(struct rb_node *old, struct rb_node *new)
{
	vma_of(new)->rmap_last = vma_of(old)->rmap_last;
	vma_of(old)->rmap_last = last_compute(vma_of(old));
}

static const struct rb_augment rmap_augment = {
	.propagate = last_propagate,
	.copy = last_copy,
	.rotate = last_rotate,
};

void
rmap_lock(struct mapping *m)
{
	mutex_lock(&m->rmap_lock);
}

void
rmap_unlock(struct mapping *m)
{
	mutex_unlock(&m->rmap_lock);
}

void
rmap_add_locked(struct vma *v)
{
	struct rb_node **link = &v->mapping->vmas.node, *parent = NULL;
	u64 last = last_index(v);

	while (*link) {
		parent = *link;
		if (vma_of(parent)->rmap_last < last)
			vma_of(parent)->rmap_last = last;
		link = v->pgoff < vma_of(parent)->pgoff ? &parent->left : &parent->right;
	}
	v->rmap_last = last;
	rb_link_node(&v->rmap_node, parent, link);
	rb_insert_augmented(&v->rmap_node, &v->mapping->vmas, &rmap_augment);
	if ((v->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE))
		atomic_inc(&v->mapping->writable_maps);
}

void
rmap_remove_locked(struct vma *v)
{
	rb_erase_augmented(&v->rmap_node, &v->mapping->vmas, &rmap_augment);
	if ((v->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE))
		atomic_dec(&v->mapping->writable_maps);
}

/* The first vma in order of the subtree that overlaps [first, last]. */
static struct vma *
overlap_in(struct rb_node *n, u64 first, u64 last)
{
	while (n) {
		struct vma *v = vma_of(n);

		if (n->left && vma_of(n->left)->rmap_last >= first) {
			n = n->left; /* if any overlaps, the leftmost such is there */
			continue;
		}
		if (v->pgoff > last)
			return NULL;
		if (last_index(v) >= first)
			return v;
		n = n->right;
		if (n && vma_of(n)->rmap_last < first)
			return NULL;
	}
	return NULL;
}

static struct vma *
overlap_next(struct vma *v, u64 first, u64 last)
{
	struct rb_node *n = &v->rmap_node, *child;

	if (n->right && vma_of(n->right)->rmap_last >= first) {
		v = overlap_in(n->right, first, last);
		if (v)
			return v;
	}
	for (;;) {
		do {
			child = n;
			n = rb_parent(n);
			if (!n)
				return NULL;
		} while (child == n->right);
		v = vma_of(n);
		if (v->pgoff > last)
			return NULL;
		if (last_index(v) >= first)
			return v;
		if (n->right && vma_of(n->right)->rmap_last >= first) {
			v = overlap_in(n->right, first, last);
			if (v)
				return v;
		}
	}
}

/* Addresses at which v shows [first, last]. */
static void
overlap_addresses(const struct vma *v, u64 first, u64 last, u64 *start, u64 *end)
{
	u64 low = MAX(first, v->pgoff), high = MIN(last, last_index(v));

	*start = v->start + ((low - v->pgoff) << PAGE_SHIFT);
	*end = v->start + ((high - v->pgoff + 1) << PAGE_SHIFT);
}

static void
unmap_locked(struct mapping *m, u64 first, u64 last, enum zap_what what)
{
	struct gather g;
	u64 start, end;

	for (struct vma *v = overlap_in(m->vmas.node, first, last); v;
	     v = overlap_next(v, first, last)) {
		overlap_addresses(v, first, last, &start, &end);
		gather_init(&g, v->mm);
		zap_range(&g, v, start, end, what);
		gather_finish(&g);
	}
}

void
rmap_unmap(struct mapping *m, u64 first, u64 last, enum zap_what what)
{
	/* Orders the removal from the cache before this look: see fault.c. */
	smp_mb();
	if (rb_empty(&m->vmas))
		return;
	mutex_lock(&m->rmap_lock);
	unmap_locked(m, first, last, what);
	mutex_unlock(&m->rmap_lock);
}

/* The entry for page `index` in v, or NULL: there is no leaf table. */
static pte_t *
entry_of(struct vma *v, u64 index, u64 *addr)
{
	pte_t *level1, e;
	u64 end;

	overlap_addresses(v, index, index, addr, &end);
	level1 = mm_level1_find(v->mm, *addr);
	if (!level1)
		return NULL;
	e = pte_get(level1);
	return pte_none(e) || pte_leaf(e) ? NULL : pte_table(e) + pte_index(*addr, 0);
}

bool
rmap_clean(struct mapping *m, u64 index)
{
	bool dirty = false;
	u64 addr;

	if (rb_empty(&m->vmas))
		return false;
	mutex_lock(&m->rmap_lock);
	for (struct vma *v = overlap_in(m->vmas.node, index, index); v;
	     v = overlap_next(v, index, index)) {
		bool changed = false;
		pte_t *pte, e;

		if (!(v->flags & VM_SHARED))
			continue;
		pte = entry_of(v, index, &addr);
		if (!pte)
			continue;
		spin_lock(table_lock_of(pte));
		for (;;) {
			e = pte_get(pte);
			if (!pte_present(e) || (!pte_write(e) && !pte_dirty(e)))
				break;
			if (pte_cmpxchg(pte, e, pte_mkclean(pte_wrprotect(e)))) {
				dirty |= pte_dirty(e);
				changed = true;
				break;
			}
		}
		spin_unlock(table_lock_of(pte));
		if (changed)
			arch_tlb_shootdown(&v->mm->space, addr, addr + PAGE_SIZE, PAGE_SIZE);
	}
	mutex_unlock(&m->rmap_lock);
	return dirty;
}

/*
 * Was the page used through v since the last look? CPUs that remember the translation do not tell
 * again; that costs a wrong guess at most, so nobody is interrupted for it.
 */
static bool
young_in(struct vma *v, u64 index)
{
	bool young = false;
	pte_t *pte, e;
	u64 addr;

	pte = entry_of(v, index, &addr);
	if (!pte || !pte_present(pte_get(pte)) || !pte_young(pte_get(pte)))
		return false;
	spin_lock(table_lock_of(pte));
	do {
		e = pte_get(pte);
		young = pte_present(e) && pte_young(e);
	} while (young && !pte_cmpxchg(pte, e, pte_mkold(e)));
	spin_unlock(table_lock_of(pte));
	return young;
}

enum rmap_verdict
rmap_try_unmap(struct mapping *m, u64 index)
{
	enum rmap_verdict verdict = RMAP_UNMAPPED;

	smp_mb();
	if (rb_empty(&m->vmas))
		return RMAP_UNMAPPED;
	/* Whoever holds it may be the one who needs memory, and we are at work for him. */
	if (!mutex_trylock(&m->rmap_lock))
		return RMAP_BUSY;
	for (struct vma *v = overlap_in(m->vmas.node, index, index); v;
	     v = overlap_next(v, index, index)) {
		if (v->flags & VM_LOCKED) {
			verdict = RMAP_LOCKED;
			break;
		}
		if (young_in(v, index))
			verdict = RMAP_USED;
	}
	if (verdict == RMAP_UNMAPPED)
		unmap_locked(m, index, index, ZAP_FILE_ONLY);
	mutex_unlock(&m->rmap_lock);
	return verdict;
}
