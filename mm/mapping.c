/* SPDX-License-Identifier: MIT */
/*
 * The page cache: the pages of an object by index.
 *
 * Reading finds a page under RCU, takes a reference and copies: no lock. A page found may have left
 * the cache in the same moment; who needs it to be still there checks page->mapping with the page
 * locked.
 *
 * The tree holds one reference to each page. Pages enter locked, under tree_lock, and leave locked
 * (truncate.c, reclaim.c), with page->mapping cleared.
 *
 * Locking: page lock, then tree_lock; see docs/page-cache.md for the operation pairs.
 */
#include "mm/mapping.h"

#include "lib/string.h"
#include "mm/iter.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "swap.h"
#include "vma.h"

void
mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host)
{
	memset(m, 0, sizeof(*m));
	m->ops = ops;
	m->host = host;
	xa_init(&m->pages);
	spin_init(&m->tree_lock, RANK_PAGE_CACHE);
	rwsem_init(&m->invalidate_lock, RANK_INVALIDATE);
	mutex_init(&m->rmap_lock, RANK_MAPPING);
}

struct page *
mapping_find(struct mapping *m, u64 index)
{
	struct page *page;

	rcu_read_lock();
	while ((page = xa_load(&m->pages, index))) {
		if (unlikely(xa_is_value(page))) {
			page = NULL; /* in swap */
			break;
		}
		if (unlikely(!page_try_get(page)))
			continue; /* being freed: the tree will say so in a moment */
		if (likely(READ_ONCE(page->mapping) == m && page->index == index))
			break;
		/* It left, perhaps to become another page. */
		page_put(page);
	}
	rcu_read_unlock();
	return page;
}

static struct page *
page_create(struct mapping *m, u64 index, bool fill)
{
	bool zero = !m->ops->read_page && !fill;
	struct page *page = page_alloc(0, zero ? GFP_USER | GFP_ZERO : GFP_USER);
	u32 flags = PG_LOCKED;

	if (!page)
		return NULL;
	if (zero)
		flags |= PG_UPTODATE;
	if (m->flags & MAPPING_SHMEM)
		flags |= PG_SWAPBACKED;
	atomic_set(&page->flags, (int)flags);
	page->mapping = m;
	page->index = index;
	return page;
}

/* A page that never became, or is no longer, part of the cache; locked. */
static void
page_discard(struct mapping *m, struct page *page, bool prepared)
{
	if (prepared && m->ops->page_removed)
		m->ops->page_removed(m, page);
	page->mapping = NULL;
	page_unlock(page);
	page_put(page);
}

/* A new, locked page enters the cache; the caller keeps a reference. -EBUSY, -ENOMEM. */
static int
page_insert(struct mapping *m, struct page *page)
{
	unsigned long flags;
	int err;

	page_get(page);
	flags = spin_lock_irqsave(&m->tree_lock);
	err = xa_insert(&m->pages, page->index, page);
	if (!err)
		m->nr_pages++;
	spin_unlock_irqrestore(&m->tree_lock, flags);
	if (unlikely(err)) {
		if (ref_put(&page->ref))
			panic("page cache: a new page lost its reference");
		return err;
	}
	mem_count(MC_FILE, 1);
	if (m->flags & MAPPING_SHMEM) {
		mem_count(MC_SHMEM, 1);
		if (unlikely(!READ_ONCE(m->scanned)))
			shmem_scan_add(m);
	}
	if (m->ops->read_page)
		lru_add(page);
	return 0;
}

/* fill: a new page's contents are the caller's business, also where they would be zeroes. */
static int
get_locked(struct mapping *m, u64 index, bool fill, struct page **out)
{
	bool prepares = !m->ops->read_page && m->ops->prepare_dirty;
	struct page *page;
	int err;

	for (;;) {
		page = mapping_find(m, index);
		if (page) {
			page_lock(page);
			if (likely(page->mapping == m))
				break;
			page_unlock(page);
			page_put(page);
			continue;
		}
		if (m->flags & MAPPING_SHMEM) {
			err = shmem_swap_in(m, index, &page);
			if (!err)
				break;
			if (err != -ENOENT)
				return err;
		}
		page = page_create(m, index, fill);
		if (!page)
			return -ENOMEM;
		if (prepares) {
			err = m->ops->prepare_dirty(m, page, 0, PAGE_SIZE);
			if (err) {
				page_discard(m, page, false);
				return err;
			}
		}
		err = page_insert(m, page);
		if (likely(!err))
			break;
		page_discard(m, page, prepares);
		/* The tree takes its nodes without waiting: wait for one here, and try again. */
		if (err == -ENOMEM && !xa_node_prepare())
			return -ENOMEM;
	}
	*out = page;
	return 0;
}

int
mapping_get_locked(struct mapping *m, u64 index, struct page **out)
{
	return get_locked(m, index, false, out);
}

struct page *
page_create_ahead(struct mapping *m, u64 index)
{
	struct page *page;

	if (xa_load(&m->pages, index))
		return NULL;
	page = page_create(m, index, false);
	if (page && page_insert(m, page)) {
		page_discard(m, page, false);
		page = NULL;
	}
	return page;
}

int
mapping_read(struct mapping *m, u64 index, struct page **out)
{
	struct page *page;
	int err;

	for (;;) {
		page = mapping_find(m, index);
		if (likely(page && page_flag(page, PG_UPTODATE)))
			break;
		if (page)
			page_put(page);
		err = mapping_get_locked(m, index, &page);
		if (err)
			return err;
		/* In memory, what is not up to date was being filled, and has been waited for. */
		if (page_flag(page, PG_UPTODATE) || !m->ops->read_page) {
			page_unlock(page);
			break;
		}
		page_clear_flag(page, PG_ERROR);
		err = m->ops->read_page(m, page); /* unlocks */
		if (!err)
			page_wait_unlocked(page);
		if (!err && page_flag(page, PG_UPTODATE))
			break;
		if (!err && !page_flag(page, PG_ERROR)) {
			page_put(page); /* truncated meanwhile: look again */
			continue;
		}
		page_put(page);
		return err ? err : -EIO;
	}
	*out = page;
	return 0;
}

void
mapping_read_done(struct page *page, int err)
{
	page_set_flag(page, err ? PG_ERROR : PG_UPTODATE);
	page_unlock(page);
}

/* ---- read and write ---- */

int
mapping_find_memory(struct mapping *m, u64 index, struct page **out)
{
	for (;;) {
		void *entry;
		int err;

		*out = mapping_find(m, index);
		if (*out && page_flag(*out, PG_UPTODATE))
			return 0;
		if (*out) {
			/* It was never there before: until it is filled a reader sees the hole. */
			page_put(*out);
			*out = NULL;
			return 0;
		}
		rcu_read_lock();
		entry = xa_load(&m->pages, index);
		rcu_read_unlock();
		if (!entry)
			return 0;
		err = shmem_swap_in(m, index, out);
		if (!err)
			page_unlock(*out);
		if (err != -ENOENT)
			return err;
	}
}

static inline void
page_touch(struct page *page)
{
	if (!page_flag(page, PG_REFERENCED) && page_flag(page, PG_LRU | PG_SWAPBACKED))
		page_set_flag(page, PG_REFERENCED);
}

/*
 * The page at pos for a reader who wants `count` bytes: NULL is a hole of a mapping in memory. The
 * slow part: it is missing, being read, or the place from where to read on.
 */
static __noinline int
read_slow(struct mapping *m, struct file_readahead *ra, u64 pos, size_t count, struct page **out)
{
	u64 index = pos >> PAGE_SHIFT;
	struct page *page = *out;
	int err;

	if (page && page_flag(page, PG_READAHEAD))
		read_ahead_async(m, ra, page);
	if (page && page_flag(page, PG_UPTODATE))
		return 0;
	*out = NULL;
	if (!m->ops->read_page) {
		if (page)
			page_put(page);
		return mapping_find_memory(m, index, out);
	}
	rwsem_read_lock(&m->invalidate_lock);
	if (page)
		page_put(page);
	else if (ra)
		read_ahead_sync(m, ra, index, DIV_ROUND_UP((pos & ~PAGE_MASK) + count, PAGE_SIZE));
	err = mapping_read(m, index, out);
	rwsem_read_unlock(&m->invalidate_lock);
	if (!err && page_flag(*out, PG_READAHEAD))
		read_ahead_async(m, ra, *out);
	return err;
}

ssize_t
mapping_read_iter(struct mapping *m, u64 pos, u64 size, struct file_readahead *ra,
		  struct iov_iter *it)
{
	ssize_t done = 0;
	int err = 0;

	while (iter_count(it) && pos < size) {
		u32 offset = pos & ~PAGE_MASK;
		size_t n = MIN_T(size_t, PAGE_SIZE - offset, size - pos), got;
		struct page *page = mapping_find(m, pos >> PAGE_SHIFT);

		n = MIN(n, iter_count(it));
		if (unlikely(!page || (atomic_read(&page->flags) & (PG_UPTODATE | PG_READAHEAD)) !=
					      PG_UPTODATE)) {
			err = read_slow(m, ra, pos, MIN(iter_count(it), size - pos), &page);
			if (err)
				break;
		}
		if (likely(page)) {
			got = iter_copy_to(it, (char *)page_to_virt(page) + offset, n);
			page_touch(page);
			page_put(page);
		} else {
			got = iter_zero(it, n);
		}
		done += (ssize_t)got;
		pos += got;
		if (unlikely(got < n)) {
			err = -EFAULT;
			break;
		}
	}
	if (ra && done)
		ra->prev = (pos - 1) >> PAGE_SHIFT;
	return done ? done : err;
}

/*
 * A whole new page of a mapping in memory: not zeroed first. Until it is up to date, readers take
 * it for the hole that it was. Bytes copied or -errno.
 */
static ssize_t
write_new(struct mapping *m, u64 index, struct iov_iter *it)
{
	struct page *page;
	size_t got;
	int err = get_locked(m, index, true, &page);

	if (err)
		return err;
	/* With the page locked: a source that is this very page must not be waited for. */
	user_fault_disable();
	got = iter_copy_from(it, page_to_virt(page), PAGE_SIZE);
	user_fault_enable();
	if (!page_flag(page, PG_UPTODATE)) {
		memset((char *)page_to_virt(page) + got, 0, PAGE_SIZE - got);
		page_set_flag(page, PG_UPTODATE);
	}
	page_unlock(page);
	page_put(page);
	return (ssize_t)got;
}

/*
 * Pages that live in memory alone: no page lock is needed, since the caller's inode lock keeps
 * truncation out.
 */
static ssize_t
write_memory(struct mapping *m, u64 pos, struct iov_iter *it)
{
	ssize_t done = 0;
	int err = 0;

	while (iter_count(it)) {
		u32 offset = pos & ~PAGE_MASK;
		size_t n = MIN_T(size_t, PAGE_SIZE - offset, iter_count(it)), got;
		struct page *page = mapping_find(m, pos >> PAGE_SHIFT);

		if (unlikely(!page)) {
			/*
			 * A bad source address must not leave a page behind that was never there.
			 */
			err = iter_fault_in(it, n);
			if (err)
				break;
			if (n == PAGE_SIZE) {
				ssize_t filled = write_new(m, pos >> PAGE_SHIFT, it);

				if (filled < 0) {
					err = (int)filled;
					break;
				}
				done += filled;
				pos += (u64)filled;
				continue;
			}
			err = mapping_get_locked(m, pos >> PAGE_SHIFT, &page);
			if (err)
				break;
			page_unlock(page);
		}
		got = iter_copy_from(it, (char *)page_to_virt(page) + offset, n);
		page_put(page);
		done += (ssize_t)got;
		pos += got;
		if (unlikely(got < n)) {
			err = -EFAULT;
			break;
		}
	}
	return done ? done : err;
}

/*
 * The locked page for a write of n bytes at offset: up to date, unless all of it that is within the
 * file will be overwritten; the rest is zeroed then, and *fresh set.
 */
static int
write_page_get(struct mapping *m, u64 index, u32 offset, size_t n, bool *fresh, struct page **out)
{
	u64 size = m->size ? READ_ONCE(*m->size) : UINT64_MAX, start = index << PAGE_SHIFT;
	bool covers = n == PAGE_SIZE || start >= size || (!offset && start + n >= size);
	int err;

	for (;;) {
		err = mapping_get_locked(m, index, out);
		if (err)
			return err;
		*fresh = !page_flag(*out, PG_UPTODATE);
		if (!*fresh)
			return 0;
		if (covers) {
			char *data = page_to_virt(*out);

			memset(data, 0, offset);
			memset(data + offset + n, 0, PAGE_SIZE - offset - n);
			return 0;
		}
		page_unlock(*out);
		page_put(*out);
		err = mapping_read(m, index, out);
		if (err)
			return err;
		page_put(*out);
	}
}

/* One page: bytes copied (0: the source must be faulted in) or -errno. */
static ssize_t
write_one(struct mapping *m, u64 pos, struct iov_iter *it, u32 offset, size_t n)
{
	struct page *page;
	bool fresh;
	size_t got;
	int err = write_page_get(m, pos >> PAGE_SHIFT, offset, n, &fresh, &page);

	if (err)
		return err;
	if (m->ops->stable_pages)
		page_wait_writeback(page);
	if (m->ops->prepare_dirty) {
		err = m->ops->prepare_dirty(m, page, offset, (u32)n);
		if (err)
			goto out_unlock;
	}
	/* With the page locked: a source that is this very page must not be waited for. */
	user_fault_disable();
	got = iter_copy_from(it, (char *)page_to_virt(page) + offset, n);
	user_fault_enable();
	if (fresh && got < n) {
		iter_revert(it, got);
		got = 0;
	}
	if (got) {
		if (fresh) {
			page_clear_flag(page, PG_ERROR);
			page_set_flag(page, PG_UPTODATE);
		}
		mapping_mark_dirty(m, page);
		page_touch(page);
		/* With the page locked: writeback cuts off what is behind the end. */
		if (m->size && pos + got > *m->size)
			smp_store_release(m->size, pos + got);
	}
	err = 0;
out_unlock:
	page_unlock(page);
	page_put(page);
	return err ? err : (ssize_t)got;
}

ssize_t
mapping_write_iter(struct mapping *m, u64 pos, struct iov_iter *it)
{
	ssize_t done = 0, got = 0;

	if (!m->ops->read_page)
		return write_memory(m, pos, it);
	while (iter_count(it)) {
		u32 offset = pos & ~PAGE_MASK;
		size_t n = MIN_T(size_t, PAGE_SIZE - offset, iter_count(it));

		if (iter_fault_in(it, n)) {
			got = -EFAULT;
			break;
		}
		got = write_one(m, pos, it, offset, n);
		if (got < 0)
			break;
		done += got;
		pos += (u64)got;
		dirty_balance();
		sched_cond_resched();
		if (unlikely(thread_fatal_pending && thread_fatal_pending(thread_current()))) {
			got = -EINTR;
			break;
		}
	}
	return done ? done : got;
}

/* ---- holes and data ---- */

bool
mapping_next_data(struct mapping *m, u64 index, u64 end, u64 *out)
{
	bool found;

	if (index >= end)
		return false;
	rcu_read_lock();
	found = xa_find(&m->pages, &index, end - 1, XA_ANY);
	rcu_read_unlock();
	*out = index;
	return found;
}

u64
mapping_next_hole(struct mapping *m, u64 index, u64 end)
{
	void *entries[32];
	u64 indices[32];

	while (index < end) {
		u64 from = index;
		u32 n;

		rcu_read_lock();
		n = xa_gather(&m->pages, &from, end - 1, XA_ANY, entries, indices,
			      ARRAY_SIZE(entries));
		rcu_read_unlock();
		for (u32 i = 0; i < n; i++, index++) {
			if (indices[i] != index)
				return index;
		}
		if (n < ARRAY_SIZE(entries))
			return MIN(index, end);
		sched_cond_resched();
	}
	return end;
}
