/* SPDX-License-Identifier: MIT */
/* The tree of mappings. Theory in vma.c. mmap_lock held for writing, unless said otherwise. */
#ifndef MM_VMA_H
#define MM_VMA_H

#include "core/panic.h"
#include "mm/mm.h"

#define MAX_MAP_COUNT	65530u /* vm.max_map_count */
#define STACK_GUARD_GAP (256ul << PAGE_SHIFT)

struct vma *vma_last(struct mm *mm); /* mmap_lock held */
void vma_tree_insert(struct mm *mm, struct vma *v);
void vma_tree_erase(struct mm *mm, struct vma *v);
/* The highest address in [low, high) with `len` free bytes, or 0. */
u64 vma_find_gap(struct mm *mm, u64 len, u64 low, u64 high);
/* Grow or shrink in place; pgoff follows start. */
void vma_set_bounds(struct mm *mm, struct vma *v, u64 start, u64 end);
/*
 * v keeps what lies below addr; the rest becomes a vma of its own. -ENOMEM (memory or map count).
 */
int __must_check vma_split(struct mm *mm, struct vma *v, u64 addr, struct vma **upper_out);
bool vma_mergeable(const struct vma *a, const struct vma *b);
/* Merge with the neighbours where they match; returns the vma that covers v now. */
struct vma *vma_merge(struct mm *mm, struct vma *v);

/* mm.c: the memory of a vma: zeroed, with mm set. NULL: none. */
struct vma *vma_alloc(struct mm *mm);
void vma_free(struct vma *v);

/* vma_lock.c: the vma at addr, held against change, or NULL: use mmap_lock. */
void vma_locks_init(void);
struct vma *vma_read_begin(struct mm *mm, u64 addr);
void vma_read_end(struct vma *v);
/*
 * Before anything in v, which is on the tree, changes: waits for faults in it. Sleeps; undone by
 * mm_write_unlock.
 */
void vma_write_begin(struct vma *v);
void mm_write_unlock(struct mm *mm);
void mm_write_downgrade(struct mm *mm);

/* As vma_find, but only the vma that covers addr; RCU reader, so it may miss one or show a dead
 * one. */
struct vma *vma_find_rcu(struct mm *mm, u64 addr);
/* The first with end > addr, likewise. */
struct vma *vma_next_rcu(struct mm *mm, u64 addr);

/* rmap.c: which mappings show a page. */
void rmap_lock(struct mapping *m);
void rmap_unlock(struct mapping *m);
void rmap_add_locked(struct vma *v);
void rmap_remove_locked(struct vma *v);

#endif
