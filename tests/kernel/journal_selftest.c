/* SPDX-License-Identifier: MIT */
/*
 * The journal and the buffer cache exercised on all CPUs at once: selftest=journal of a debug
 * build, with a disk vda that nobody needs. A wrong result panics.
 *
 * Threads move amounts between blocks, two blocks a handle, so that the sum stays what it was; they
 * free and take blocks of their own, wait for commits, and drop buffers from memory meanwhile. Then
 * the journal is stopped as by a power cut, replayed, and the sum looked at.
 */
#include "block/block.h"
#include "block/buffer.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/random.h"
#include "core/time.h"
#include "fs/journal/journal.h"
#include "lib/string.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "tests/selftest.h"
#include "uapi/errno.h"

#define BLOCK_SIZE 1024u
#define LOG_AT	   8u
#define LOG_BLOCKS 1024u
#define SHARED_AT  (LOG_AT + LOG_BLOCKS)
#define SHARED	   64u
#define OWN_AT	   (SHARED_AT + SHARED)
#define THREADS	   8u
#define OWN	   16u /* blocks of each thread */
#define BLOCKS	   (OWN_AT + THREADS * OWN)
#define ROUNDS	   1500u

static struct block_device *dev;
static struct buffer_cache *cache;
static struct journal *journal;
static struct mutex locks[SHARED];
static struct completion all_done;
static struct atomic32 still_running;

static int
log_at(void *ctx, u32 logical, u64 *disk, u32 *run)
{
	*disk = LOG_AT + logical;
	*run = LOG_BLOCKS - logical;
	return 0;
}

static void
open(void)
{
	struct journal_config config = { .fs_blocks = BLOCKS,
					 .log_blocks = LOG_BLOCKS,
					 .commit_seconds = 1,
					 .want_checksums = true,
					 .map = log_at };
	int err = buffer_cache_create(dev, BLOCK_SIZE, &cache);

	config.cache = cache;
	if (!err)
		err = journal_open(&config, &journal);
	if (!err)
		err = journal_replay(journal);
	if (err)
		panic("selftest: opening the journal: %d", err);
}

static void
format(void)
{
	static const u32 head[] = { 0xc03b3998u, 4, 0, BLOCK_SIZE, LOG_BLOCKS, 1, 1 };
	struct buffer *b;

	ASSERT(!buffer_cache_create(dev, BLOCK_SIZE, &cache));
	for (u32 i = 0; i < BLOCKS; i++) {
		ASSERT(!buffer_get(cache, i, &b));
		memset(b->data, 0, BLOCK_SIZE);
		for (u32 w = 0; i == LOG_AT && w < ARRAY_SIZE(head); w++)
			((u32 *)b->data)[w] = __builtin_bswap32(head[w]);
		buffer_set_uptodate(b);
		buffer_mark_dirty(b);
		buffer_put(b);
	}
	ASSERT(!buffers_sync(cache));
	buffer_cache_destroy(cache);
}

/* Every word of a block is the same amount: half a change shows. */
static void
change(struct journal_handle *h, u64 block, s64 by)
{
	struct buffer *b;
	s64 *words;

	ASSERT(!buffer_read(cache, block, &b));
	ASSERT(!journal_get_write_access(h, b));
	words = (s64 *)b->data;
	for (u32 i = 0; i < BLOCK_SIZE / 8; i++)
		words[i] += by;
	ASSERT(!journal_dirty_metadata(h, b));
	buffer_put(b);
}

static void
move(u32 *tid)
{
	u32 x = (u32)random_u64() % SHARED, y = (u32)random_u64() % SHARED;
	s64 amount = (s64)(random_u64() % 1000);
	struct journal_handle *h;

	if (x == y)
		y = (x + 1) % SHARED;
	ASSERT(!journal_start(journal, 4, &h));
	mutex_lock(&locks[MIN(x, y)]);
	mutex_lock_nested(&locks[MAX(x, y)]); /* the lower block first */
	change(h, SHARED_AT + x, amount);
	change(h, SHARED_AT + y, -amount);
	mutex_unlock(&locks[MAX(x, y)]);
	mutex_unlock(&locks[MIN(x, y)]);
	*tid = journal_handle_tid(h);
	h->sync = random_u64() % 50 == 0;
	ASSERT(!journal_stop(h));
}

static void
renew(u32 thread)
{
	u64 block = OWN_AT + thread * OWN + random_u64() % OWN;
	struct journal_handle *h;
	struct buffer *b;

	ASSERT(!journal_start(journal, 4, &h));
	if (random_u64() % 2)
		ASSERT(!journal_revoke(h, block));
	ASSERT(!buffer_get(cache, block, &b));
	ASSERT(!journal_get_create_access(h, b));
	memset(b->data, (int)thread, BLOCK_SIZE);
	buffer_set_uptodate(b);
	ASSERT(!journal_dirty_metadata(h, b));
	buffer_put(b);
	ASSERT(!journal_stop(h));
}

static void
read_some_ahead(void)
{
	u64 blocks[4];

	for (u32 i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = SHARED_AT + random_u64() % SHARED;
	buffer_readahead(cache, blocks, ARRAY_SIZE(blocks));
}

static void
worker(void *arg)
{
	u32 thread = (u32)(uintptr_t)arg, tid = 0;

	for (u32 round = 0; round < ROUNDS; round++) {
		move(&tid);
		renew(thread);
		switch (random_u64() % 40) {
		case 0:
			ASSERT(!journal_commit_wait(journal, tid));
			ASSERT(journal_tid_committed(journal, tid));
			break;
		case 1: buffers_invalidate(cache); break;
		case 2: ASSERT(!buffers_sync(cache)); break;
		case 3: read_some_ahead(); break;
		case 4:
			if (random_u64() % 20 == 0)
				ASSERT(!journal_flush(journal));
			break;
		}
	}
	if (atomic_dec_and_test(&still_running))
		complete(&all_done);
}

static void
check(void)
{
	s64 sum = 0;
	struct buffer *b;

	for (u32 i = 0; i < SHARED; i++) {
		s64 *words;

		ASSERT(!buffer_read(cache, SHARED_AT + i, &b));
		words = (s64 *)b->data;
		for (u32 w = 1; w < BLOCK_SIZE / 8; w++)
			ASSERT(words[w] == words[0]);
		sum += words[0];
		buffer_put(b);
	}
	ASSERT(sum == 0);
}

void
selftest_journal(void)
{
	u64 start = time_mono_ns();

	ASSERT(!block_device_find("vda", &dev));
	ASSERT(!block_device_open(dev, BLOCK_READ | BLOCK_WRITE, &dev));
	for (u32 i = 0; i < SHARED; i++)
		mutex_init(&locks[i], RANK_FS_MAP);
	format();
	for (u32 life = 0; life < 3; life++) {
		open();
		check();
		ASSERT(!journal_run(journal));
		completion_init(&all_done);
		atomic_set(&still_running, THREADS);
		for (u32 i = 0; i < THREADS; i++) {
			struct thread *t = thread_create(worker, (void *)(uintptr_t)i, "journal/%u",
							 i);

			ASSERT(t);
			thread_wake(t);
		}
		completion_wait(&all_done);
		check();
		if (life == 1)
			ASSERT(!journal_close(journal));
		else
			journal_discard(journal);
		buffer_cache_destroy(cache);
	}
	open();
	check();
	journal_discard(journal);
	buffer_cache_destroy(cache);
	block_device_close(dev, BLOCK_READ | BLOCK_WRITE, &dev);
	block_device_put(dev);
	log_info("selftest: journal: %lu ms\n", (time_mono_ns() - start) / NSEC_PER_MSEC);
}
