/* SPDX-License-Identifier: MIT */
/*
 * xarray: a sparse array of pointers indexed by u64, as a radix tree with 64 slots a node.
 *
 * The tree is only as tall as its highest index needs, and a lone entry at index 0 needs no node.
 * An entry is a pointer aligned to 4 bytes, or a small integer (xa_mk_value); NULL is absence.
 * Each entry carries three marks, summarised in every node above it, so that finding the next
 * marked entry skips what holds none. Nodes also know which of their slots are full all the way
 * down, which makes the array an id allocator (xa_alloc).
 *
 * Locking: writers are serialised by the caller's lock. xa_load, xa_find, xa_get_mark and the
 * loops may run under RCU alone; they then see each entry as it was at some moment of the call.
 * Nodes come from and go to the memory room, freed after a grace period.
 */
#ifndef LIB_XARRAY_H
#define LIB_XARRAY_H

#include "lib/types.h"

#define XA_SHIFT 6
#define XA_SLOTS 64
#define XA_MARKS 3

enum xa_mark {
	XA_MARK_0,
	XA_MARK_1,
	XA_MARK_2,
	XA_ANY, /* xa_find: every entry counts */
};

#define XA_MAX UINT64_MAX

struct xa_node {
	u8 shift;		/* slot i covers indices with i in bits [shift, shift + 6) */
	u8 offset;		/* our slot in the parent */
	struct xa_node *parent; /* NULL for the root */
	void *rcu[2];		/* for xa_node_free_rcu: the tree does not touch it */
	u64 present;		/* slots that are not NULL */
	u64 full;		/* slots with no free index below */
	u64 marks[XA_MARKS];	/* slots with a marked entry below */
	void *slots[XA_SLOTS];	/* entries in a leaf (shift 0), nodes above */
};

struct xarray {
	void *head; /* NULL, a tagged root node, or the entry at index 0 */
	u8 marks;   /* bit m: some entry has mark m */
};

#define XARRAY_INIT     \
	{               \
		NULL, 0 \
	}

/* Provided by the memory room; alloc returns uninitialised memory or NULL. */
struct xa_node *xa_node_alloc(void);
bool xa_node_prepare(void); /* may sleep; true: the next xa_node_alloc here is likely to succeed */
void xa_node_free_rcu(struct xa_node *node);

static inline void *
xa_mk_value(unsigned long value)
{
	return (void *)(value << 1 | 1);
}

static inline unsigned long
xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool
xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

static inline void
xa_init(struct xarray *xa)
{
	xa->head = NULL;
	xa->marks = 0;
}

static inline bool
xa_empty(const struct xarray *xa)
{
	return !READ_ONCE(xa->head);
}

static inline bool
xa_marked(const struct xarray *xa, enum xa_mark mark)
{
	return READ_ONCE(xa->marks) >> mark & 1;
}

void *xa_load(const struct xarray *xa, u64 index);

/*
 * Stores entry (NULL erases). What was there goes to *old, if old is not NULL; a replaced entry
 * leaves its marks to the new one. Returns 0, -ENOMEM, or -EINVAL for a misaligned pointer; on
 * failure nothing has changed. Replacing and erasing never fail.
 */
int __must_check xa_store(struct xarray *xa, u64 index, void *entry, void **old);

/* Stores only where nothing is: -EBUSY if something is. */
int __must_check xa_insert(struct xarray *xa, u64 index, void *entry);

/* Returns what was there. */
void *xa_erase(struct xarray *xa, u64 index);

/* Frees the nodes. The entries are the caller's business. */
void xa_destroy(struct xarray *xa);

/* Marking an absent entry does nothing. */
void xa_set_mark(struct xarray *xa, u64 index, enum xa_mark mark);
void xa_clear_mark(struct xarray *xa, u64 index, enum xa_mark mark);
bool xa_get_mark(const struct xarray *xa, u64 index, enum xa_mark mark);

/* The first entry in [*index, max] with the mark (XA_ANY: any); *index becomes its index. */
void *xa_find(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark);

/* The same in [*index + 1, max]. */
void *xa_find_after(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark);

static inline void *
xa_find_marked(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark)
{
	return xa_find(xa, index, max, mark);
}

/*
 * Up to count entries from [*index, max] into entries (and their indices, if indices is not NULL).
 * Returns how many; *index becomes one past the last one, or stays. One walk serves a whole leaf:
 * this is the way to go through many entries. max is below XA_MAX.
 */
unsigned int xa_gather(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark,
		       void **entries, u64 *indices, unsigned int count);

/*
 * Stores entry at the lowest free index in [min, max] and says which. -EBUSY if none is free,
 * -ENOMEM, -EINVAL (NULL or misaligned entry).
 */
int __must_check xa_alloc(struct xarray *xa, u64 *id, void *entry, u64 min, u64 max);

/* The same, searching from *next up and then from min; *next becomes the one after. */
int __must_check xa_alloc_cyclic(struct xarray *xa, u64 *id, void *entry, u64 min, u64 max,
				 u64 *next);

/* The lowest free index in [*index, max]; false if there is none. */
bool xa_find_free(const struct xarray *xa, u64 *index, u64 max);

#define xa_for_each_range_marked(xa, index, entry, start, last, mark)                 \
	for ((index) = (start), (entry) = xa_find(xa, &(index), last, mark); (entry); \
	     (entry) = xa_find_after(xa, &(index), last, mark))
#define xa_for_each_range(xa, index, entry, start, last) \
	xa_for_each_range_marked(xa, index, entry, start, last, XA_ANY)
#define xa_for_each_marked(xa, index, entry, mark) \
	xa_for_each_range_marked(xa, index, entry, 0, XA_MAX, mark)
#define xa_for_each(xa, index, entry) xa_for_each_range(xa, index, entry, 0, XA_MAX)

#endif
