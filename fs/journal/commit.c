/* SPDX-License-Identifier: MIT */
/*
 * Commits: one thread a journal turns the running transaction into a row of blocks in the log.
 *
 *	1. take no new handles, wait for the open ones; a new transaction may begin
 *	2. start writing ordered data
 *	3. write revokes, descriptors and blocks to the log; wait for data and log
 *	4. flush the disk's cache and write the commit block through it: now it has happened
 *	5. buffers may be written in place: they go to the transaction's checkpoint
 *
 * Many an fsync is served by one commit: those that come during step 3 and 4 have their handles in
 * the next transaction, which is committed at once when this one is done.
 *
 * After an abort the same steps are taken without writing: whoever waits is woken, buffers are let
 * go, and none of them becomes dirty.
 */
#include "core/log.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "core/time.h"
#include "journal_internal.h"
#include "lib/string.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define RELAX_EVERY 64 /* buffers under one hold of the lock */

/* What is being written to the log. */
struct log_writer {
	struct journal *j;
	struct transaction *t;
	struct bio *bio;       /* gathers blocks that lie in a row */
	u64 next_sector;       /* behind it */
	u32 expected;	       /* blocks to come that may go into one bio */
	struct list pages;     /* descriptors and copies, freed when the log is written */
	struct buffer **group; /* one descriptor's */
	void **data;
	u32 group_max;
	int error;
};

/* --- writing blocks --- */

static void
log_write_done(struct bio *bio)
{
	struct journal *j = bio->private;

	if (bio->status)
		WRITE_ONCE(j->io_error, bio->status);
	bio_put(bio);
	/* The journal may be freed when the count is zero, but not before this section is over. */
	rcu_read_lock();
	if (atomic_dec_and_test(&j->io_count))
		wake_up_all(&j->io_wait);
	rcu_read_unlock();
}

static void
log_submit(struct log_writer *w)
{
	if (!w->bio)
		return;
	atomic_inc(&w->j->io_count);
	bio_submit(w->bio);
	w->bio = NULL;
}

static bool
log_block_take(struct log_writer *w, u64 *sector)
{
	struct journal *j = w->j;
	u32 run;
	u64 disk;

	spin_lock(&j->lock);
	if (!j->free) {
		spin_unlock(&j->lock);
		return false;
	}
	if (!log_map(j, j->head, &disk, &run)) {
		spin_unlock(&j->lock);
		return false;
	}
	j->head = log_next(j, j->head);
	j->free--;
	if (j->commit_space)
		j->commit_space--;
	spin_unlock(&j->lock);
	*sector = disk * (j->block_size >> SECTOR_SHIFT);
	return true;
}

/* The next block of the log. The data stays as it is until the log is written. */
static void
log_append(struct log_writer *w, void *data)
{
	struct journal *j = w->j;
	struct page *page = virt_to_page(data);
	u32 offset = (u32)((uintptr_t)data & (PAGE_SIZE - 1));
	u64 sector;
	bool added;

	if (w->error)
		return;
	if (!log_block_take(w, &sector)) {
		/* Credits were promised room: a file system changed more than it said. */
		log_err("journal: %s: the log is full\n", j->dev->name);
		w->error = -EIO;
		return;
	}
	if (w->bio &&
	    (sector != w->next_sector || !bio_add_page(w->bio, page, offset, j->block_size)))
		log_submit(w);
	else if (w->bio)
		goto out;
	w->bio = bio_alloc(j->dev, BIO_WRITE, sector, MIN(MAX(w->expected, 1u), BIO_MAX_VECS + 0u),
			   GFP_NOFS);
	w->bio->done = log_write_done;
	w->bio->private = j;
	added = bio_add_page(w->bio, page, offset, j->block_size);
	ASSERT(added);
out:
	w->next_sector = sector + (j->block_size >> SECTOR_SHIFT);
}

static void *
log_page(struct log_writer *w)
{
	struct page *page = page_alloc(0, GFP_NOFS | GFP_NOFAIL);
	void *va = page_to_virt(page);

	list_add(&page->lru, &w->pages);
	return va;
}

static struct log_header *
log_control(struct log_writer *w, enum log_block_type type)
{
	struct log_header *h = log_page(w);

	memset(h, 0, w->j->block_size);
	h->magic = be32(JOURNAL_MAGIC);
	h->type = be32(type);
	h->sequence = be32(w->t->tid);
	return h;
}

static void
log_control_append(struct log_writer *w, void *block)
{
	if (w->j->checksums)
		*block_tail(w->j, block) = be32(block_tail_checksum(w->j, block));
	log_append(w, block);
}

/* --- revokes --- */

static void
write_revokes(struct log_writer *w)
{
	struct journal *j = w->j;
	u32 size = j->wide ? 8 : 4, limit = j->block_size - (j->checksums ? 4 : 0), at = 0;
	struct log_revoke *block = NULL;

	for (u32 i = 0; i < REVOKE_BUCKETS; i++) {
		struct hlist_node *n = w->t->revokes[i].first;

		for (; n; n = n->next) {
			u64 nr = hlist_entry(n, struct revoke, node)->block;

			if (block && at + size > limit) {
				block->bytes = be32(at);
				log_control_append(w, block);
				block = NULL;
			}
			if (!block) {
				block = (struct log_revoke *)log_control(w, LOG_REVOKE);
				at = sizeof(*block);
			}
			if (j->wide) {
				u64 v = be64(nr);

				memcpy((u8 *)block + at, &v, 8);
			} else {
				u32 v = be32((u32)nr);

				memcpy((u8 *)block + at, &v, 4);
			}
			at += size;
		}
	}
	if (block) {
		block->bytes = be32(at);
		log_control_append(w, block);
	}
}

/* --- blocks --- */

/* Takes buffers off the metadata list: what is to be logged of each stays as it is from here on. */
static u32
group_take(struct log_writer *w)
{
	struct journal *j = w->j;
	struct transaction *t = w->t;
	u32 n = 0;

	spin_lock(&j->lock);
	while (n < w->group_max && !list_empty(&t->metadata)) {
		struct buffer *b = list_first_entry(&t->metadata, struct buffer, journal_node);

		buffer_file_locked(b, t, J_LOGGED);
		if (!b->frozen)
			atomic_or(&b->state, BUF_LOGGING);
		w->group[n] = b;
		w->data[n++] = b->frozen ? b->frozen : b->data;
	}
	spin_unlock(&j->lock);
	return n;
}

/* Writes the tag of a block; returns what to write of it. */
static void *
tag_fill(struct log_writer *w, u8 *tag, struct buffer *b, void *data, u32 flags)
{
	struct journal *j = w->j;
	u32 v, checksum = 0;

	memcpy(&v, data, 4);
	if (v == be32(JOURNAL_MAGIC)) {
		void *copy = log_page(w);

		memcpy(copy, data, j->block_size);
		memset(copy, 0, 4);
		data = copy;
		flags |= TAG_ESCAPE;
	}
	if (j->checksums)
		checksum = data_checksum(j, w->t->tid, data);
	v = be32((u32)b->block);
	memcpy(tag, &v, 4);
	if (j->incompat & LOG_INCOMPAT_CSUM_V3) {
		u32 rest[3] = { be32(flags), be32((u32)(b->block >> 32)), be32(checksum) };

		memcpy(tag + 4, rest, sizeof(rest));
	} else {
		u16 half[2] = { be16((u16)checksum), be16((u16)flags) };

		memcpy(tag + 4, half, sizeof(half));
		v = be32((u32)(b->block >> 32));
		if (j->wide)
			memcpy(tag + 8, &v, 4);
	}
	return data;
}

static void
write_blocks(struct log_writer *w)
{
	struct journal *j = w->j;
	u32 n;

	while ((n = group_take(w))) {
		u8 *descriptor = (u8 *)log_control(w, LOG_DESCRIPTOR), *tag;

		tag = descriptor + sizeof(struct log_header);
		for (u32 i = 0; i < n; i++) {
			u32 flags = (i ? TAG_SAME_UUID : 0) | (i == n - 1 ? TAG_LAST : 0);

			w->data[i] = tag_fill(w, tag, w->group[i], w->data[i], flags);
			tag += j->tag_bytes;
			if (!i) {
				memcpy(tag, j->sb->uuid, 16);
				tag += 16;
			}
		}
		w->expected = n + 1;
		log_control_append(w, descriptor);
		for (u32 i = 0; i < n; i++)
			log_append(w, w->data[i]);
	}
}

static int
log_wait(struct log_writer *w)
{
	struct journal *j = w->j;

	log_submit(w);
	if (!atomic_dec_and_test(&j->io_count))
		wait_event(&j->io_wait, !atomic_read_acquire(&j->io_count));
	while (!list_empty(&w->pages)) {
		struct page *page = list_first_entry(&w->pages, struct page, lru);

		list_del(&page->lru);
		page_free(page, 0);
	}
	return w->error ? w->error : READ_ONCE(j->io_error);
}

/* The log has them: those who wanted to change them may. Nobody else takes them off this list. */
static void
logged_let_go(struct transaction *t)
{
	struct list *node;

	list_for_each(node, &t->logged)
	{
		struct buffer *b = list_entry(node, struct buffer, journal_node);

		kfree(b->frozen);
		b->frozen = NULL;
		if (buffer_state(b) & BUF_LOGGING)
			buffer_clear_wake(b, BUF_LOGGING);
	}
}

static int
write_commit_block(struct log_writer *w)
{
	struct journal *j = w->j;
	struct log_commit *c = (struct log_commit *)log_control(w, LOG_COMMIT);
	u64 now = time_real_ns(), sector;
	struct bio bio;
	bool ok;
	int err;

	c->seconds = be64(now / NSEC_PER_SEC);
	c->nanoseconds = be32((u32)(now % NSEC_PER_SEC));
	if (j->checksums)
		c->checksum[0] = be32(commit_checksum(j, c));
	if (!log_block_take(w, &sector))
		return -EIO;
	bio_init(&bio, j->dev, BIO_WRITE, sector, NULL, 0);
	ok = bio_add_page(&bio, virt_to_page(c), (u32)((uintptr_t)c & (PAGE_SIZE - 1)),
			  j->block_size);
	ASSERT(ok);
	bio.flags = BIO_SYNC;
	if (!j->config.no_barrier)
		bio.flags |= BIO_PREFLUSH | BIO_FUA;
	spin_lock(&j->lock);
	w->t->state = T_FLUSHING;
	spin_unlock(&j->lock);
	err = bio_submit_wait(&bio);
	list_del(&virt_to_page(c)->lru);
	page_free(virt_to_page(c), 0);
	return err;
}

/* The first transaction in an empty log: the superblock must say that there is something. */
static int
superblock_begin(struct journal *j)
{
	int err = 0;

	mutex_lock(&j->superblock_lock);
	if (j->empty_on_disk)
		err = superblock_write(j, j->tail, j->tail_tid, false);
	mutex_unlock(&j->superblock_lock);
	return err;
}

static int
transaction_write(struct journal *j, struct transaction *t)
{
	struct log_writer w = { .j = j, .t = t };
	u32 room = j->block_size - (u32)sizeof(struct log_header) - 16 - (j->checksums ? 4 : 0);
	struct block_plug plug;
	int err, err2;

	w.group_max = room / j->tag_bytes;
	w.group = j->group;
	w.data = (void **)(j->group + w.group_max);
	list_init(&w.pages);
	atomic_set(&j->io_count, 1);
	j->io_error = 0;

	err = ordered_start(j, t);
	if (!err)
		err = superblock_begin(j);
	block_plug_start(&plug);
	if (!err) {
		write_revokes(&w);
		write_blocks(&w);
	}
	log_submit(&w);
	block_plug_finish(&plug);
	err2 = log_wait(&w);
	err = err ? err : err2;
	/* Before the data: who holds one of its pages may wait for such a buffer. */
	logged_let_go(t);
	err2 = ordered_wait(j, t);
	err = err ? err : err2;
	if (!err)
		err = write_commit_block(&w);
	return err;
}

/* --- what happens to buffers --- */

/* Buffers that a handle had access to and did not change. */
static void
reserved_release_locked(struct transaction *t)
{
	while (!list_empty(&t->reserved)) {
		struct buffer *b = list_first_entry(&t->reserved, struct buffer, journal_node);

		buffer_unfile_locked(b);
		if (t->journal->error)
			atomic_and(&b->state, ~(int)BUF_JOURNALED);
		else if (buffer_state(b) & BUF_JOURNALED) /* it was dirty before */
			buffer_release_dirty(b, BUF_JOURNALED);
		buffer_unhold_locked(b);
	}
}

/* b has left its transaction: on to the one that wants it next, if there is one. */
static bool
buffer_refile_locked(struct buffer *b)
{
	struct transaction *next = b->next_transaction;
	u32 flags = b->jflags;

	if (!next)
		return false;
	b->jflags &= ~(J_NEXT_DIRTY | J_NEXT_FORGET);
	buffer_file_locked(b, next,
			   flags & J_NEXT_FORGET  ? J_FORGET
			   : flags & J_NEXT_DIRTY ? J_METADATA
						  : J_RESERVED);
	/* After transaction, so that a reader without the lock finds one of them. */
	smp_store_release(&b->next_transaction, NULL);
	if (flags & J_NEXT_FORGET)
		atomic_and(&b->state, ~(int)BUF_JOURNALED);
	return true;
}

static void
logged_finish_locked(struct transaction *t, struct buffer *b)
{
	buffer_leave_checkpoint_locked(b);
	buffer_unfile_locked(b);
	if (t->journal->error) {
		kfree(b->frozen);
		b->frozen = NULL;
		atomic_and(&b->state, ~(int)BUF_LOGGING);
		if (!buffer_refile_locked(b)) {
			atomic_and(&b->state, ~(int)BUF_JOURNALED);
			buffer_unhold_locked(b);
		}
		return;
	}
	b->checkpoint = t;
	list_add_tail(&b->checkpoint_node, &t->checkpoint);
	if (!buffer_refile_locked(b))
		buffer_release_dirty(b, BUF_JOURNALED);
}

static void
forget_finish_locked(struct buffer *b)
{
	buffer_leave_checkpoint_locked(b);
	buffer_unfile_locked(b);
	if (buffer_refile_locked(b)) /* it is metadata again already */
		return;
	atomic_and(&b->state, ~(int)(BUF_JOURNALED | BUF_UPTODATE | BUF_VERIFIED));
	buffer_unhold_locked(b);
}

static void
transaction_finish_buffers(struct journal *j, struct transaction *t)
{
	u32 n = 0;

	spin_lock(&j->lock);
	/* After an abort some never came to be logged. */
	list_splice_tail_init(&t->metadata, &t->logged);
	while (!list_empty(&t->logged) || !list_empty(&t->forget)) {
		if (!list_empty(&t->forget))
			forget_finish_locked(
				list_first_entry(&t->forget, struct buffer, journal_node));
		else
			logged_finish_locked(
				t, list_first_entry(&t->logged, struct buffer, journal_node));
		if (++n % RELAX_EVERY == 0) {
			spin_unlock(&j->lock);
			spin_lock(&j->lock);
		}
	}
	spin_unlock(&j->lock);
}

static void
callbacks_run(struct journal *j, struct transaction *t)
{
	while (!list_empty(&t->callbacks)) {
		struct journal_callback *cb = list_first_entry(&t->callbacks,
							       struct journal_callback, node);

		list_del(&cb->node);
		cb->fn(cb, READ_ONCE(j->error));
	}
}

/* --- one commit --- */

static void
transaction_commit(struct journal *j, struct transaction *t)
{
	bool keep;
	int err;

	spin_lock(&j->lock);
	t->state = T_LOCKED;
	spin_unlock(&j->lock);
	wait_event(&j->updates_wait, !READ_ONCE(t->updates));

	spin_lock(&j->lock);
	reserved_release_locked(t);
	t->state = T_WRITING;
	t->log_start = j->head;
	j->commit_space = log_space(t->credits);
	j->committing = t;
	WRITE_ONCE(j->running, NULL);
	j->want_commit = false;
	err = j->error;
	spin_unlock(&j->lock);
	wake_up_all(&j->start_wait);

	if (!err)
		err = transaction_write(j, t);
	if (err) {
		journal_abort(j, err);
		ordered_wait(j, t);
		logged_let_go(t);
	}
	transaction_finish_buffers(j, t);
	callbacks_run(j, t);

	spin_lock(&j->lock);
	j->commit_space = 0;
	WRITE_ONCE(j->committing, NULL);
	keep = !list_empty(&t->checkpoint);
	if (keep)
		list_add_tail(&t->node, &j->checkpoints);
	spin_unlock(&j->lock);
	if (!keep)
		transaction_free(t);
	wake_up_all(&j->commit_wait);
}

/* Half of the log is in use: what has been written in place by now makes room without waiting. */
static void
tail_advance_early(struct journal *j)
{
	if (j->free > (j->last - j->first) / 2 || !mutex_trylock(&j->checkpoint_lock))
		return;
	if (checkpoint_clean(j))
		tail_advance_locked(j);
	mutex_unlock(&j->checkpoint_lock);
}

static void
error_note(struct journal *j)
{
	j->error_noted = true;
	mutex_lock(&j->superblock_lock);
	if (j->error != -EROFS) {
		j->sb->error = (s32)be32((u32)j->error);
		/* If that fails too, the next mount has to find out by itself. */
		if (superblock_write(j, be32(j->sb->start), be32(j->sb->sequence), false))
			log_err("journal: %s: cannot note the error\n", j->dev->name);
	}
	mutex_unlock(&j->superblock_lock);
}

static bool
thread_has_work(const struct journal *j)
{
	return READ_ONCE(j->stopping) || READ_ONCE(j->want_commit) ||
	       (READ_ONCE(j->error) && !j->error_noted);
}

void
commit_thread(void *arg)
{
	struct journal *j = arg;

	memory_nofs_begin();
	for (;;) {
		struct transaction *t;
		u64 due;

		if (READ_ONCE(j->error) && !j->error_noted)
			error_note(j);
		spin_lock(&j->lock);
		t = j->running;
		if (j->stopping && !t)
			break;
		due = t ? t->expires : TIME_NEVER;
		spin_unlock(&j->lock);
		if (t && (j->stopping || READ_ONCE(j->want_commit) || time_mono_ns() >= due)) {
			transaction_commit(j, t);
			tail_advance_early(j);
		} else {
			wait_event_timeout(&j->thread_wait,
					   thread_has_work(j) || READ_ONCE(j->running) != t, due);
		}
	}
	/* Under the lock: who stops us frees the journal once he has had the lock. */
	j->thread_done = true;
	wake_up_all(&j->commit_wait);
	spin_unlock(&j->lock);
}

/* --- asking for commits --- */

void
journal_commit_start(struct journal *j, u32 tid)
{
	bool wake = false;

	spin_lock(&j->lock);
	if (j->running && j->running->tid == tid && !j->want_commit)
		wake = j->want_commit = true;
	spin_unlock(&j->lock);
	if (wake)
		wake_up(&j->thread_wait);
}

bool
journal_tid_committed(struct journal *j, u32 tid)
{
	bool pending;

	spin_lock(&j->lock);
	pending = (j->running && j->running->tid == tid) ||
		  (j->committing && j->committing->tid == tid);
	spin_unlock(&j->lock);
	return !pending;
}

int
journal_commit_wait(struct journal *j, u32 tid)
{
	DEBUG_ASSERT(!journal_current(j));
	if (!journal_tid_committed(j, tid)) {
		journal_commit_start(j, tid);
		wait_event(&j->commit_wait, journal_tid_committed(j, tid));
	}
	return READ_ONCE(j->error);
}

bool
journal_commit_will_flush(struct journal *j, u32 tid)
{
	bool will;

	if (j->config.no_barrier)
		return false;
	spin_lock(&j->lock);
	will = (j->running && j->running->tid == tid) ||
	       (j->committing && j->committing->tid == tid && j->committing->state < T_FLUSHING);
	spin_unlock(&j->lock);
	return will;
}

int
journal_force_commit(struct journal *j)
{
	struct transaction *t;
	int err, flush_err;
	bool flush;
	u32 tid = 0;

	spin_lock(&j->lock);
	t = j->running ? j->running : j->committing;
	if (t)
		tid = t->tid;
	/* Data without a transaction, or written after the last one's flush, needs one of its own.
	 */
	flush = !j->config.no_barrier && (!t || t->state >= T_FLUSHING);
	spin_unlock(&j->lock);
	err = t ? journal_commit_wait(j, tid) : READ_ONCE(j->error);
	flush_err = flush ? block_flush(j->dev) : 0;
	return err ? err : flush_err;
}
