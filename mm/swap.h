/* SPDX-License-Identifier: MIT */
/* Swapping, within the room: slots, the swap cache, the way out and back. Theory in swap.c. */
#ifndef MM_SWAP_INTERNAL_H
#define MM_SWAP_INTERNAL_H

#include "mm/swap.h"
#include "mm_internal.h"

/*
 * Where a page is: the value of a page-table entry (pte_make_swap) and of an entry in the tree of a
 * mapping in memory. 0 is none, for slot 0 is an area's header.
 */
#define SWAP_SLOT_BITS 48
static inline u64
swap_value(u32 area, u64 slot)
{
	return (u64)area << SWAP_SLOT_BITS | slot;
}
static inline u32
swap_value_area(u64 value)
{
	return (u32)(value >> SWAP_SLOT_BITS);
}

/* Is there an area at all? Somewhere to go to? */
bool swap_enabled(void);
bool swap_has_room(void);
u64 swap_total(void); /* pages */
u64 swap_free(void);

/* Another reference to the slot, or one less. Table locks may be held. */
void swap_get(u64 value);
void swap_put(u64 value);
u32 swap_count(u64 value);

/* ---- the swap cache: pages with a slot (page->private) ---- */

/* A locked page gets a slot and enters the cache. 0: no slot or no memory. Any locks up to T. */
u64 swap_cache_add(struct page *page);
/* The page, which is in the cache and locked: its slot. */
u64 swap_cache_value(const struct page *page);
/* With a reference, or NULL. */
struct page *swap_cache_find(u64 value);
/* Does anybody but the cache refer to the slot of the locked page? */
bool swap_cache_used(struct page *page);
/*
 * A locked page, not under writeback, leaves the cache and is an ordinary page again; the caller
 * has a reference. Only if nobody refers to its slot, or its contents are in the slot.
 */
void swap_cache_remove(struct page *page);
/*
 * What an entry showed is going; if nobody refers to its slot the page leaves the cache. The caller
 * has a reference. Does not sleep.
 */
void swap_cache_try_drop(struct page *page);
/* Free up to `want` pages of the cache that nobody uses. */
u64 swap_cache_shrink(u64 want);
/*
 * The slot's page out of the cache or, with some neighbours, from the disk (*read is set): up to
 * date, locked, with a reference. -EAGAIN: look again, it was taken or the slot is not in use (any
 * more); -EIO; -ENOMEM.
 */
int swap_get_locked(u64 value, bool *read, struct page **out);
/* Locked pages with fresh slots, in this order: written, unlocked. */
void swap_write(struct page **pages, u32 n);
/* Is the area on its way out, or short of slots? Then pages do not keep them. */
bool swap_scarce(u64 value);

/* ---- swap_out.c ---- */

/* Clear about `want` entries: the number; *looked grows by those that were looked at. */
u64 swap_out(u64 want, u64 *looked);
void mm_scan_add(struct mm *mm);
void mm_scan_remove(struct mm *mm); /* waits until the hand is out of it */
/* The next address space after prev (NULL: the first) with a user reference; drops prev's. */
struct mm *mm_scan_next(struct mm *prev);

/* ---- swap_in.c ---- */

/* The entry e at pte says where the page of addr is. As fault_page. */
int fault_swap(struct vma *v, pte_t *pte, pte_t e, u64 addr, enum fault_access access, bool *major);
/*
 * A store to a page that one entry shows: out of the cache with it, unless the slot is referred to.
 * The caller has a reference. True: look at the entry again.
 */
bool swap_take_back(struct page *page);
/* Bring back what the area holds of address spaces. One pass: 0 or -errno. */
int swap_in_all(u32 area);

/* ---- swap_shmem.c ---- */

/* Mappings with MAPPING_SHMEM that have, or had, pages. */
void shmem_scan_add(struct mapping *m);
void shmem_scan_remove(struct mapping *m);
/* As swap_out, for pages of mappings. */
u64 shmem_out(u64 want, u64 *looked);
/* The page at index, locked and with a reference, if it is out. -ENOENT: it is not. */
int shmem_swap_in(struct mapping *m, u64 index, struct page **out);
/* Truncation: the value at index goes, if it is still `entry`. */
bool shmem_drop_value(struct mapping *m, u64 index, void *entry);
int shmem_in_all(u32 area); /* as swap_in_all */

#endif
