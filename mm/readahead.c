/* SPDX-License-Identifier: MIT */
/*
 * Read-ahead: having pages before they are asked for.
 *
 * Whoever reads on from where he read before gets a window of pages at once, twice as long each
 * time, up to what the device likes. A page in the window carries PG_READAHEAD: when the reader
 * comes to it, the next window is started, so that a stream never waits.
 *
 *	|  window that is read  . . . . .M. . .|  next window . . . . . . |
 *	                                 ^ marker: `async` pages from the end
 *
 * Whoever jumps about gets what he asks for and no more. A fault of a mapping reads the aligned run
 * of pages around it, because programs jump about in what they map, but not far; marker pages are
 * not mapped before they are touched, so that faults notice streams too.
 *
 * Locking: invalidate_lock, shared, where pages are created; read_ahead_async tries it, since its
 * caller has what he wants.
 */
#include "lib/math.h"
#include "mm/backing.h"
#include "mm/mapping.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "vma.h"

#define RUN_MAX	   64u /* pages in one call of the file system */
#define WINDOW_MIN 4u

static void
submit_run(struct mapping *m, struct page **pages, u32 n)
{
	if (!n)
		return;
	mem_count(MC_PGPGIN, n);
	if (m->ops->read_pages) {
		/* They stay in the cache while they are locked: our references are not needed. */
		for (u32 i = 0; i < n; i++)
			page_put(pages[i]);
		m->ops->read_pages(m, pages, n);
		return;
	}
	for (u32 i = 0; i < n; i++) {
		(void)m->ops->read_page(m, pages[i]);
		page_put(pages[i]);
	}
}

/* Pages [first, first + count), as far as they are missing; `marker` gets PG_READAHEAD. */
static void
read_range(struct mapping *m, u64 first, u64 count, u64 marker)
{
	struct page *run[RUN_MAX];
	u64 size = m->size ? READ_ONCE(*m->size) : UINT64_MAX, past;
	u32 n = 0;

	past = MIN(add_u64_sat(first, count), size >> PAGE_SHIFT);
	if (past == size >> PAGE_SHIFT && (size & ~PAGE_MASK) && first + count > past)
		past++;
	for (u64 index = first; index < past; index++) {
		struct page *page = page_create_ahead(m, index);

		if (!page || n == RUN_MAX) {
			submit_run(m, run, n);
			n = 0;
		}
		if (!page)
			continue;
		if (index == marker)
			page_set_flag(page, PG_READAHEAD);
		run[n++] = page;
	}
	submit_run(m, run, n);
}

void
mapping_read_ahead(struct mapping *m, u64 first, u64 count)
{
	if (!m->ops || !m->ops->read_page)
		return;
	rwsem_read_lock(&m->invalidate_lock);
	read_range(m, first, count, UINT64_MAX);
	rwsem_read_unlock(&m->invalidate_lock);
}

u64
mapping_read_ahead_limit(void)
{
	return page_count_free() / 2;
}

static u32
window_max(const struct mapping *m, const struct file_readahead *ra)
{
	u32 max = m->backing ? READ_ONCE(m->backing->readahead) : READAHEAD_DEFAULT;

	return ra->mode == READAHEAD_SEQUENTIAL ? max * 2 : max;
}

static void
window_read(struct mapping *m, struct file_readahead *ra)
{
	u64 marker = ra->async ? ra->start + ra->size - ra->async : UINT64_MAX;

	read_range(m, ra->start, ra->size, marker);
}

/* The first window of a stream: twice what is wanted, or four times if that is little. */
static u32
window_first(u64 count, u32 max)
{
	u32 size = WINDOW_MIN;

	while (size < count && size < max)
		size *= 2;
	if (size <= max / 32)
		size *= 4;
	else if (size <= max / 4)
		size *= 2;
	return MIN(size, max);
}

static u32
window_next(u32 size, u32 max)
{
	if (size < max / 16)
		return size * 4;
	return size <= max / 2 ? size * 2 : max;
}

void
read_ahead_sync(struct mapping *m, struct file_readahead *ra, u64 index, u64 count)
{
	u32 max = window_max(m, ra);
	u64 prev = READ_ONCE(ra->prev);

	if (!max || ra->mode == READAHEAD_RANDOM) {
		read_range(m, index, count, UINT64_MAX);
		return;
	}
	if (ra->size && index == ra->start + ra->size) {
		/* On with the stream, whose marker was missed. */
		ra->start += ra->size;
		ra->size = MAX(window_next(ra->size, max), (u32)MIN(count, (u64)max));
		ra->async = ra->size;
	} else if (!index || index == prev || index == prev + 1 || count > max) {
		ra->start = index;
		ra->size = window_first(count, max);
		ra->async = ra->size > count ? ra->size - (u32)count : ra->size;
	} else {
		read_range(m, index, count, UINT64_MAX);
		return;
	}
	window_read(m, ra);
}

void
read_ahead_async(struct mapping *m, struct file_readahead *ra, struct page *page)
{
	u64 index = page->index;
	u32 max;

	page_clear_flag(page, PG_READAHEAD);
	if (!ra || ra->mode == READAHEAD_RANDOM || !m->ops->read_page)
		return;
	max = window_max(m, ra);
	if (!max || !rwsem_try_read_lock(&m->invalidate_lock))
		return;
	if (ra->size && index == ra->start + ra->size - ra->async) {
		ra->start += ra->size;
		ra->size = window_next(ra->size, max);
	} else {
		/* Another reader of the file, or a state that was lost: on from what is missing. */
		u64 missing = mapping_next_hole(m, index, index + max);

		if (missing >= index + max) {
			rwsem_read_unlock(&m->invalidate_lock);
			return;
		}
		ra->start = missing;
		ra->size = window_next(MAX((u32)(missing - index), WINDOW_MIN), max);
	}
	ra->async = ra->size;
	window_read(m, ra);
	rwsem_read_unlock(&m->invalidate_lock);
}

void
read_ahead_fault(struct vma *v, u64 index)
{
	struct mapping *m = v->mapping;
	u32 max = m->backing ? READ_ONCE(m->backing->readahead) : READAHEAD_DEFAULT;
	u64 first, count = MIN(max, 32u);

	if (!max || (v->flags & VM_RAND_READ))
		return;
	if (v->flags & VM_SEQ_READ)
		count = max;
	/* A power of two, so that the runs of different faults do not overlap. */
	count = 1ul << (63 - __builtin_clzl(count));
	first = ALIGN_DOWN(index, count);
	read_range(m, first, count, first + count - count / 4);
}
