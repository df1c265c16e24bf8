/* SPDX-License-Identifier: MIT */
/*
 * The buffer cache: a file system's own blocks in memory.
 *
 * A cache keeps its buffers in an xarray by block number, read under RCU. Each has memory of its
 * own, so a buffer can be held back by the journal without a thought for what else is in its page.
 *
 * Life: refs 0 is a buffer that is only cached; reclaim sets it to -1, under the cache's lock, and
 * from then on nobody gets it. What must not go (dirty, being written, the journal's) is looked at
 * after refs has become -1: whoever makes a buffer so holds a reference.
 *
 * State is one word, changed by compare and exchange, because two transitions race: a writer turns
 * DIRTY into WRITING, a transaction waits until WRITING is over and takes DIRTY away. Mark 0 of the
 * xarray says where to look for dirty ones. It is set after DIRTY, and cleared under the lock by a
 * writer who finds or takes DIRTY there; so a dirty buffer is marked, or its setter is about to
 * mark it. A mark without DIRTY is harmless.
 *
 * The tail of the device that is smaller than a block is out of reach.
 *
 * Locks: cache->lock for changes of the tree. Completions come in interrupts: they touch state and
 * wait queues only.
 */
#include "block/buffer.h"

#include "block/block.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "lib/hash.h"
#include "lib/xarray.h"
#include "mm/mapping.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define WAIT_BITS  4
#define BATCH	   64
#define FLUSH_NS   (5 * NSEC_PER_SEC)
#define FLUSH_AGE  25 /* seconds */
#define MARK_DIRTY XA_MARK_0
#define PINS	   (BUF_DIRTY | BUF_WRITING | BUF_LOCKED | BUF_JOURNALED | BUF_HELD)
#define REFS_DEAD  (-1)

struct buffer_cache {
	struct block_device *dev; /* [I] */
	u32 size;		  /* [I] */
	u32 size_shift;		  /* [I] */
	u64 blocks;		  /* [I] that the device has room for */
	struct spinlock lock;	  /* changes of the tree */
	struct xarray tree;
	u64 count;		     /* [lock] */
	u64 cursor;		     /* [caches_lock] where reclaim goes on */
	struct atomic32 in_flight;   /* completions and syncs that have not ended */
	u32 error;		     /* a write failed since buffers_sync last said so */
	struct delayed_work flush;   /* writes what is old */
	struct mutex sync_lock;	     /* one writer of all at a time */
	struct buffer *batch[BATCH]; /* [sync_lock] */
	struct list node;	     /* [caches_lock] */
	struct wait_queue waits[1 << WAIT_BITS];
};

static struct mutex caches_lock = MUTEX_INIT(caches_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(caches);
static struct kmem_cache *buffer_slab; /* [caches_lock] */
static struct atomic64 bytes_total;

static u64 buffers_shrink(struct shrinker *s, u64 n, u32 gfp);
static struct shrinker buffer_shrinker = { .shrink = buffers_shrink, .name = "buffers" };

static void flush_old(struct work *work);

/* --- memory --- */

static struct buffer *
buffer_create(struct buffer_cache *c, u64 block)
{
	struct buffer *b = kmem_cache_zalloc(buffer_slab, GFP_NOFS);

	if (!b)
		return NULL;
	b->data = c->size == PAGE_SIZE ? pages_alloc(0, GFP_NOFS) : kmalloc(c->size, GFP_NOFS);
	if (!b->data) {
		kmem_cache_free(buffer_slab, b);
		return NULL;
	}
	b->block = block;
	b->cache = c;
	atomic_set(&b->refs, 1);
	list_init(&b->journal_node);
	list_init(&b->checkpoint_node);
	atomic64_add(&bytes_total, c->size);
	return b;
}

static void
buffer_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(buffer_slab, container_of(head, struct buffer, rcu));
}

/* Readers under RCU may look at refs still, never at the data. */
static void
buffer_free(struct buffer *b)
{
	u32 size = b->cache->size;

	if (size == PAGE_SIZE)
		pages_free(b->data, 0);
	else
		kfree(b->data);
	atomic64_sub(&bytes_total, size);
	rcu_call(&b->rcu, buffer_free_rcu);
}

u64
buffers_pages(void)
{
	return (u64)atomic64_read(&bytes_total) >> PAGE_SHIFT;
}

/* --- the cache --- */

int
buffer_cache_create(struct block_device *dev, u32 block_size, struct buffer_cache **out)
{
	struct buffer_cache *c;

	if (block_size < 512 || block_size > PAGE_SIZE || (block_size & (block_size - 1)) ||
	    block_size < block_device_logical_size(dev))
		return -EINVAL;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->dev = dev;
	c->size = block_size;
	c->size_shift = (u32)__builtin_ctz(block_size);
	c->blocks = block_device_bytes(dev) >> c->size_shift;
	spin_init(&c->lock, RANK_FS);
	xa_init(&c->tree);
	delayed_work_init(&c->flush, flush_old);
	mutex_init(&c->sync_lock, RANK_CHECKPOINT);
	for (u32 i = 0; i < ARRAY_SIZE(c->waits); i++)
		wait_queue_init(&c->waits[i]);

	mutex_lock(&caches_lock);
	if (!buffer_slab) {
		buffer_slab = kmem_cache_create("buffer", sizeof(struct buffer), 0,
						SLAB_RECLAIMABLE, NULL);
		shrinker_register(&buffer_shrinker);
	}
	list_add_tail(&c->node, &caches);
	mutex_unlock(&caches_lock);
	*out = c;
	return 0;
}

/* Takes unused buffers out of the tree: up to n, from *index on. All: also recently used ones. */
static u32
cache_evict(struct buffer_cache *c, u64 *index, u32 n, bool all, bool dirty_too)
{
	struct buffer *found[BATCH];
	u32 gone = 0, count;

	n = MIN(n, (u32)BATCH);
	spin_lock(&c->lock);
	count = xa_gather(&c->tree, index, XA_MAX - 1, XA_ANY, (void **)found, NULL, n);
	for (u32 i = 0; i < count; i++) {
		struct buffer *b = found[i];

		if (!all && buffer_state(b) & BUF_REFERENCED) {
			atomic_and(&b->state, ~(int)BUF_REFERENCED);
			continue;
		}
		if (atomic_cmpxchg(&b->refs, 0, REFS_DEAD) != 0)
			continue;
		if (buffer_state(b) & (dirty_too ? PINS & ~BUF_DIRTY : PINS)) {
			atomic_set(&b->refs, 0);
			continue;
		}
		xa_erase(&c->tree, b->block);
		c->count--;
		found[gone++] = b;
	}
	spin_unlock(&c->lock);
	for (u32 i = 0; i < gone; i++)
		buffer_free(found[i]);
	if (!count)
		*index = XA_MAX;
	return gone;
}

void
buffers_invalidate(struct buffer_cache *c)
{
	for (u64 index = 0; index != XA_MAX;)
		cache_evict(c, &index, BATCH, true, false);
}

void
buffer_cache_destroy(struct buffer_cache *c)
{
	u64 index;
	struct buffer *b;

	mutex_lock(&caches_lock);
	list_del(&c->node);
	mutex_unlock(&caches_lock);
	delayed_work_cancel_sync(&c->flush);
	/* Reads ahead may be in flight. Their last word is the count, so they wake nobody for it.
	 */
	while (__atomic_load_n(&c->in_flight.value, __ATOMIC_ACQUIRE))
		sleep_ns(NSEC_PER_MSEC);
	for (index = 0; index != XA_MAX;)
		cache_evict(c, &index, BATCH, true, true);
	index = 0;
	b = xa_find(&c->tree, &index, XA_MAX, XA_ANY);
	if (b)
		log_err("buffer: block %lu of %s is in use after its file system: refs %d, state "
			"%x\n",
			b->block, c->dev->name, atomic_read(&b->refs), buffer_state(b));
	DEBUG_ASSERT(!b);
	if (b)
		return; /* leaked rather than freed under its user */
	xa_destroy(&c->tree);
	kfree(c);
}

struct block_device *
buffer_device(const struct buffer_cache *c)
{
	return c->dev;
}

u32
buffer_size(const struct buffer_cache *c)
{
	return c->size;
}

static u64
buffers_shrink(struct shrinker *s, u64 n, u32 gfp)
{
	struct buffer_cache *c;
	u64 bytes = 0;

	/* Whoever holds the lock may be waiting for this memory. */
	if (!mutex_trylock(&caches_lock))
		return 0;
	for (struct list *node = caches.next; node != &caches && n; node = node->next) {
		u64 looked = 0, limit;

		c = list_entry(node, struct buffer_cache, node);
		limit = MIN(2 * n, READ_ONCE(c->count));
		while (looked < limit && n) {
			u32 gone = cache_evict(c, &c->cursor, BATCH, false, false);

			looked += BATCH;
			bytes += (u64)gone << c->size_shift;
			n -= MIN_T(u64, gone, n);
			if (c->cursor == XA_MAX)
				c->cursor = 0;
		}
	}
	/* The others get their turn: the first goes to the end. */
	if (!list_empty(&caches))
		list_move_tail(caches.next, &caches);
	mutex_unlock(&caches_lock);
	return DIV_ROUND_UP(bytes, PAGE_SIZE);
}

/* --- finding --- */

static bool
buffer_try_ref(struct buffer *b)
{
	if (!atomic_add_unless(&b->refs, 1, REFS_DEAD))
		return false;
	if (!(buffer_state(b) & BUF_REFERENCED))
		atomic_or(&b->state, BUF_REFERENCED);
	return true;
}

struct buffer *
buffer_find(struct buffer_cache *c, u64 block)
{
	struct buffer *b;

	rcu_read_lock();
	b = xa_load(&c->tree, block);
	if (b && !buffer_try_ref(b))
		b = NULL;
	rcu_read_unlock();
	return b;
}

int
buffer_get(struct buffer_cache *c, u64 block, struct buffer **out)
{
	struct buffer *b = buffer_find(c, block), *fresh;
	int err;

	if (b) {
		*out = b;
		return 0;
	}
	if (block == XA_MAX)
		return -EIO;
	fresh = buffer_create(c, block);
	if (!fresh)
		return -ENOMEM;
	spin_lock(&c->lock);
	/* Under the lock nobody is dying: what is in the tree can be had. */
	b = xa_load(&c->tree, block);
	if (b) {
		bool alive = buffer_try_ref(b);

		ASSERT(alive);
		err = 0;
	} else {
		err = xa_insert(&c->tree, block, fresh);
		if (!err) {
			b = fresh;
			fresh = NULL;
			c->count++;
		}
	}
	spin_unlock(&c->lock);
	if (fresh)
		buffer_free(fresh);
	if (!err)
		*out = b;
	return err;
}

void
buffer_ref(struct buffer *b)
{
	int refs = atomic_inc_return(&b->refs);

	DEBUG_ASSERT(refs > 1);
	(void)refs;
}

void
buffer_put(struct buffer *b)
{
	int refs;

	if (!b)
		return;
	refs = atomic_dec_return(&b->refs);
	ASSERT(refs >= 0);
}

/* --- waiting --- */

static struct wait_queue *
buffer_queue(const struct buffer *b)
{
	return &b->cache->waits[hash_ptr(b, WAIT_BITS)];
}

void
buffer_wait(struct buffer *b, u32 flags)
{
	if (__atomic_load_n(&b->state.value, __ATOMIC_ACQUIRE) & (int)flags)
		wait_event(buffer_queue(b),
			   !(__atomic_load_n(&b->state.value, __ATOMIC_ACQUIRE) & (int)flags));
}

void
buffer_clear_wake(struct buffer *b, u32 flags)
{
	struct wait_queue *wq = buffer_queue(b);

	/* A full barrier: who waits is seen, or sees. b may be gone once the flag is. */
	atomic_fetch_and(&b->state, ~(int)flags);
	if (wait_queue_active(wq))
		wake_up_all(wq);
}

bool
buffer_trylock(struct buffer *b)
{
	return !(atomic_fetch_or(&b->state, BUF_LOCKED) & (int)BUF_LOCKED);
}

void
buffer_lock(struct buffer *b)
{
	while (!buffer_trylock(b))
		buffer_wait(b, BUF_LOCKED);
}

void
buffer_unlock(struct buffer *b)
{
	DEBUG_ASSERT(buffer_state(b) & BUF_LOCKED);
	buffer_clear_wake(b, BUF_LOCKED);
}

/* --- reading --- */

static struct bio *
buffer_bio(struct buffer *b, enum bio_op op, void (*done)(struct bio *))
{
	struct buffer_cache *c = b->cache;
	struct bio *bio = bio_alloc(c->dev, op, b->block << (c->size_shift - SECTOR_SHIFT), 1,
				    GFP_NOFS);
	bool added = bio_add_page(bio, virt_to_page(b->data),
				  (u32)((uintptr_t)b->data & (PAGE_SIZE - 1)), c->size);

	ASSERT(added);
	bio->done = done;
	bio->private = b;
	buffer_ref(b);
	atomic_inc(&c->in_flight);
	return bio;
}

static void
io_end(struct buffer *b, u32 flag)
{
	struct buffer_cache *c = b->cache;

	buffer_clear_wake(b, flag);
	buffer_put(b);
	__atomic_fetch_sub(&c->in_flight.value, 1, __ATOMIC_RELEASE);
}

static void
read_done(struct bio *bio)
{
	struct buffer *b = bio->private;

	if (!bio->status)
		buffer_set_uptodate(b);
	bio_put(bio);
	io_end(b, BUF_LOCKED);
}

/* b is locked and not up to date: starts reading, which unlocks it. */
static void
read_start(struct buffer *b)
{
	struct bio *bio;

	if (b->block >= b->cache->blocks) {
		buffer_unlock(b);
		return;
	}
	atomic_and(&b->state, ~(int)BUF_VERIFIED);
	bio = buffer_bio(b, BIO_READ, read_done);
	bio->flags |= BIO_SYNC;
	bio_submit(bio);
}

int
buffer_read(struct buffer_cache *c, u64 block, struct buffer **out)
{
	struct buffer *b;
	int err = buffer_get(c, block, &b);

	if (err)
		return err;
	if (unlikely(!buffer_uptodate(b))) {
		buffer_lock(b);
		if (buffer_uptodate(b)) {
			buffer_unlock(b);
		} else {
			read_start(b);
			buffer_wait(b, BUF_LOCKED);
			if (!buffer_uptodate(b)) {
				buffer_put(b);
				return -EIO;
			}
		}
	}
	*out = b;
	return 0;
}

void
buffer_readahead(struct buffer_cache *c, const u64 *blocks, u32 n)
{
	struct block_plug plug;
	struct buffer *b;

	block_plug_start(&plug);
	for (u32 i = 0; i < n; i++) {
		if (blocks[i] >= c->blocks || buffer_get(c, blocks[i], &b))
			continue;
		if (!buffer_uptodate(b) && buffer_trylock(b)) {
			if (buffer_uptodate(b))
				buffer_unlock(b);
			else
				read_start(b);
		}
		buffer_put(b);
	}
	block_plug_finish(&plug);
}

/* --- writing --- */

void
buffer_release_dirty(struct buffer *b, u32 instead_of)
{
	struct buffer_cache *c = b->cache;
	int state = atomic_read(&b->state);
	bool first;

	while (!atomic_try_cmpxchg(&b->state, &state, (state & ~(int)instead_of) | (int)BUF_DIRTY))
		;
	if (state & (int)BUF_DIRTY)
		return;
	WRITE_ONCE(b->dirtied, (u32)(time_coarse_mono_ns() / NSEC_PER_SEC));
	spin_lock(&c->lock);
	first = !xa_marked(&c->tree, MARK_DIRTY);
	xa_set_mark(&c->tree, b->block, MARK_DIRTY);
	spin_unlock(&c->lock);
	if (first)
		delayed_work_queue(&c->flush, FLUSH_NS);
}

void
buffer_mark_dirty(struct buffer *b)
{
	DEBUG_ASSERT(!(buffer_state(b) & (BUF_JOURNALED | BUF_HELD)));
	buffer_release_dirty(b, 0);
}

bool
buffer_claim(struct buffer *b, u32 instead)
{
	int state = atomic_read(&b->state);

	for (;;) {
		if (state & (int)BUF_WRITING) {
			buffer_wait(b, BUF_WRITING);
			state = atomic_read(&b->state);
			continue;
		}
		if (!(state & (int)BUF_DIRTY))
			return false;
		if (atomic_try_cmpxchg(&b->state, &state, (state & ~(int)BUF_DIRTY) | (int)instead))
			return true;
	}
}

static void
write_done(struct bio *bio)
{
	struct buffer *b = bio->private;

	if (bio->status) {
		atomic_or(&b->state, BUF_WRITE_ERROR);
		WRITE_ONCE(b->cache->error, 1);
		log_err("%s: writing block %lu failed: error %d\n", bio->dev->name, b->block,
			-bio->status);
	}
	bio_put(bio);
	io_end(b, BUF_WRITING);
}

void
buffer_write_start(struct buffer *b)
{
	struct buffer_cache *c = b->cache;
	int state;

	spin_lock(&c->lock);
	state = atomic_read(&b->state);
	do {
		if (state & (int)BUF_WRITING) {
			spin_unlock(&c->lock);
			return;
		}
	} while (state & (int)BUF_DIRTY &&
		 !atomic_try_cmpxchg(&b->state, &state,
				     (state & ~(int)(BUF_DIRTY | BUF_WRITE_ERROR)) |
					     (int)BUF_WRITING));
	xa_clear_mark(&c->tree, b->block, MARK_DIRTY);
	spin_unlock(&c->lock);
	if (state & (int)BUF_DIRTY)
		bio_submit(buffer_bio(b, BIO_WRITE, write_done));
}

void
buffers_drop_node_pages(struct buffer_cache *c, u64 block, u64 n)
{
	struct mapping *m = c->dev->mapping;

	if (m && READ_ONCE(m->nr_pages))
		mapping_invalidate(m, (block << c->size_shift) >> PAGE_SHIFT,
				   (((block + n) << c->size_shift) - 1) >> PAGE_SHIFT);
}

int
buffer_write_wait(struct buffer *b)
{
	buffer_wait(b, BUF_WRITING);
	buffer_write_start(b);
	buffer_wait(b, BUF_WRITING);
	buffers_drop_node_pages(b->cache, b->block, 1);
	return buffer_state(b) & BUF_WRITE_ERROR ? -EIO : 0;
}

void
buffer_forget(struct buffer *b)
{
	buffer_claim(b, 0);
	atomic_and(&b->state, ~(int)(BUF_UPTODATE | BUF_VERIFIED | BUF_WRITE_ERROR));
}

void
buffer_forget_block(struct buffer_cache *c, u64 block)
{
	struct buffer *b = buffer_find(c, block);

	if (b) {
		buffer_forget(b);
		buffer_put(b);
	}
}

/* Up to BATCH dirty buffers from *index on that became dirty before `before`, into c->batch. */
static u32
batch_gather(struct buffer_cache *c, u64 *index, u32 before)
{
	struct buffer *b;
	u32 n = 0;

	spin_lock(&c->lock);
	while (n < BATCH && (b = xa_find_marked(&c->tree, index, XA_MAX, MARK_DIRTY))) {
		u32 state = buffer_state(b);

		++*index;
		if (!(state & BUF_DIRTY))
			xa_clear_mark(&c->tree, b->block, MARK_DIRTY);
		else if ((s32)(READ_ONCE(b->dirtied) - before) < 0 &&
			 atomic_add_unless(&b->refs, 1, REFS_DEAD))
			c->batch[n++] = b;
	}
	spin_unlock(&c->lock);
	return n;
}

/* Writes what became dirty before `before` (seconds since boot), and waits. */
static void
cache_write(struct buffer_cache *c, u32 before)
{
	u64 index = 0;
	u32 n;

	mutex_lock(&c->sync_lock);
	while ((n = batch_gather(c, &index, before))) {
		struct block_plug plug;

		block_plug_start(&plug);
		for (u32 i = 0; i < n; i++) {
			buffer_wait(c->batch[i], BUF_WRITING);
			buffer_write_start(c->batch[i]);
		}
		block_plug_finish(&plug);
		for (u32 i = 0; i < n; i++) {
			buffer_wait(c->batch[i], BUF_WRITING);
			buffers_drop_node_pages(c, c->batch[i]->block, 1);
			buffer_put(c->batch[i]);
		}
	}
	mutex_unlock(&c->sync_lock);
}

static void
flush_old(struct work *work)
{
	struct buffer_cache *c = container_of(container_of(work, struct delayed_work, work),
					      struct buffer_cache, flush);

	cache_write(c, (u32)(time_coarse_mono_ns() / NSEC_PER_SEC) - FLUSH_AGE);
	if (xa_marked(&c->tree, MARK_DIRTY))
		delayed_work_queue(&c->flush, FLUSH_NS);
}

int
buffers_sync(struct buffer_cache *c)
{
	cache_write(c, (u32)(time_coarse_mono_ns() / NSEC_PER_SEC) + 1000);
	return xchg(&c->error, 0) ? -EIO : 0;
}

int
buffers_sync_device(struct block_device *dev)
{
	struct buffer_cache *found = NULL;
	struct list *node;
	int err = 0;

	/* A device is held by one file system, which has one cache but for a moment at mount. */
	mutex_lock(&caches_lock);
	list_for_each(node, &caches)
	{
		struct buffer_cache *c = list_entry(node, struct buffer_cache, node);

		if (c->dev == dev) {
			atomic_inc(&c->in_flight); /* it stays until we have done */
			found = c;
			break;
		}
	}
	mutex_unlock(&caches_lock);
	if (found) {
		err = buffers_sync(found);
		__atomic_fetch_sub(&found->in_flight.value, 1, __ATOMIC_RELEASE);
	}
	return err;
}
