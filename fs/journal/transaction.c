/* SPDX-License-Identifier: MIT */
/*
 * Handles, and what they do with buffers.
 *
 * A buffer that a handle has write access to is on one list of its transaction (jflags): reserved
 * until it is changed, then metadata. While a transaction is being committed, its buffers may be
 * taken by the next one as well (next_transaction): what the commit must log is copied first, if it
 * has not been logged yet (frozen), or the taker waits until the log has it (BUF_LOGGING, short).
 * When the commit is over, the buffer moves to the next one's list.
 *
 * The flag BUF_JOURNALED takes the place of BUF_DIRTY from write access to the end of the commit,
 * so that no writer brings half a transaction to its place.
 *
 * Fast path: a buffer that is in the handle's transaction already stays there as long as the handle
 * is open, so it needs no lock to see that.
 *
 * Room: a transaction promises `credits` blocks, those changed and those that open handles may
 * still change. journal_start waits until the log has room for all that was promised, so a handle
 * that is open never waits for room, and closing it is all that a commit waits for. A handle that
 * needs more than it asked for can try extend, which does not wait, and then restart, which counts
 * as closing.
 */
#include "core/log.h"
#include "core/panic.h"
#include "journal_internal.h"
#include "lib/string.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "uapi/errno.h"

/* --- buffers on lists --- */

void
buffer_hold_locked(struct buffer *b)
{
	if (buffer_state(b) & BUF_HELD)
		return;
	buffer_ref(b);
	atomic_or(&b->state, BUF_HELD);
}

void
buffer_unhold_locked(struct buffer *b)
{
	if (b->transaction || b->next_transaction || b->checkpoint)
		return;
	DEBUG_ASSERT(!b->frozen);
	b->jflags = 0;
	atomic_and(&b->state, ~(int)(BUF_HELD | BUF_FREED));
	buffer_put(b);
}

void
buffer_file_locked(struct buffer *b, struct transaction *t, u32 list)
{
	struct list *lists[] = { [J_RESERVED] = &t->reserved,
				 [J_METADATA] = &t->metadata,
				 [J_LOGGED] = &t->logged,
				 [J_FORGET] = &t->forget };

	DEBUG_ASSERT(!b->transaction || b->transaction == t);
	if ((b->jflags & J_LIST_MASK) == J_METADATA)
		t->nr_metadata--;
	if (list == J_METADATA)
		t->nr_metadata++;
	if (b->transaction)
		list_move_tail(&b->journal_node, lists[list]);
	else
		list_add_tail(&b->journal_node, lists[list]);
	WRITE_ONCE(b->jflags, (b->jflags & ~J_LIST_MASK) | list);
	/* Release: who sees the transaction without the lock sees the list as well. */
	smp_store_release(&b->transaction, t);
	buffer_hold_locked(b);
}

void
buffer_unfile_locked(struct buffer *b)
{
	if ((b->jflags & J_LIST_MASK) == J_METADATA)
		b->transaction->nr_metadata--;
	list_del_init(&b->journal_node);
	WRITE_ONCE(b->jflags, b->jflags & ~J_LIST_MASK);
	WRITE_ONCE(b->transaction, NULL);
}

/* --- transactions --- */

static struct transaction *
transaction_create(struct journal *j)
{
	struct transaction *t = kzalloc(sizeof(*t), GFP_NOFS);

	if (!t)
		return NULL;
	t->journal = j;
	list_init(&t->reserved);
	list_init(&t->metadata);
	list_init(&t->logged);
	list_init(&t->forget);
	list_init(&t->checkpoint);
	list_init(&t->inodes);
	list_init(&t->inodes_started);
	list_init(&t->callbacks);
	list_init(&t->node);
	return t;
}

void
transaction_free(struct transaction *t)
{
	revokes_free(t);
	kfree(t);
}

/* --- starting and stopping --- */

static u32
space_promised_locked(const struct journal *j, u32 credits)
{
	u32 promised = log_space((j->running ? j->running->credits : 0) + credits);

	return promised + j->commit_space;
}

/*
 * Joins the running transaction, or makes one. Waits until there is room.
 */
static int
handle_join(struct journal_handle *h, u32 credits)
{
	struct journal *j = h->journal;
	struct transaction *fresh = NULL, *t;
	int err = 0;

	if (credits > j->max_credits)
		return -ENOSPC;
	for (;;) {
		if (!fresh && !READ_ONCE(j->running)) {
			fresh = transaction_create(j);
			if (!fresh)
				return -ENOMEM;
		}
		spin_lock(&j->lock);
		if (j->error || j->stopping) {
			err = -EROFS;
			break;
		}
		t = j->running;
		if (t && t->state == T_LOCKED) {
			spin_unlock(&j->lock);
			wait_event(&j->start_wait,
				   READ_ONCE(j->running) != t || READ_ONCE(j->error));
			continue;
		}
		if (t && t->credits + credits > j->max_credits) {
			u32 tid = t->tid;

			spin_unlock(&j->lock);
			journal_commit_start(j, tid);
			wait_event(&j->start_wait,
				   READ_ONCE(j->running) != t || READ_ONCE(j->error));
			continue;
		}
		if (space_promised_locked(j, credits) > j->free) {
			spin_unlock(&j->lock);
			checkpoint_make_room(j, credits);
			continue;
		}
		if (!t) {
			if (!fresh) { /* it has just gone */
				spin_unlock(&j->lock);
				continue;
			}
			t = fresh;
			fresh = NULL;
			t->tid = j->next_tid++;
			t->expires = time_mono_ns() + j->interval_ns;
			WRITE_ONCE(j->running, t);
			/* The thread learns when it is due. */
			wake_up(&j->thread_wait);
		}
		t->updates++;
		t->credits += credits;
		h->transaction = t;
		h->credits = credits;
		break;
	}
	spin_unlock(&j->lock);
	kfree(fresh);
	return err;
}

/* Leaves its transaction. */
static void
handle_leave(struct journal_handle *h)
{
	struct transaction *t = h->transaction;
	struct journal *j = h->journal;

	if (!t)
		return;
	spin_lock(&j->lock);
	t->credits -= h->credits;
	if (--t->updates == 0 && t->state == T_LOCKED)
		wake_up(&j->updates_wait);
	spin_unlock(&j->lock);
	h->transaction = NULL;
	h->credits = 0;
}

int
journal_start(struct journal *j, u32 credits, struct journal_handle **out)
{
	struct journal_handle *h = thread_current()->journal;
	int err;

	if (h) {
		ASSERT(h->journal == j);
		if (!h->transaction || READ_ONCE(j->error))
			return -EROFS;
		h->nesting++;
		*out = h;
		return 0;
	}
	h = kzalloc(sizeof(*h), GFP_NOFS);
	if (!h)
		return -ENOMEM;
	h->journal = j;
	h->nesting = 1;
	/* What may not be held over a handle may not be held while waiting for one. */
	sleep_lock_acquire(RANK_JOURNAL, false, false);
	sleep_lock_release(RANK_JOURNAL);
	err = handle_join(h, credits);
	if (err) {
		kfree(h);
		return err;
	}
	sleep_lock_acquire(RANK_JOURNAL, false, false);
	thread_current()->journal = h;
	memory_nofs_begin();
	*out = h;
	return 0;
}

int
journal_stop(struct journal_handle *h)
{
	struct journal *j = h->journal;
	bool sync = h->sync;
	u32 tid = h->transaction ? h->transaction->tid : 0;
	int err;

	DEBUG_ASSERT(thread_current()->journal == h);
	if (--h->nesting)
		return READ_ONCE(j->error) ? -EROFS : 0;
	sync &= h->transaction != NULL;
	handle_leave(h);
	thread_current()->journal = NULL;
	memory_nofs_end();
	sleep_lock_release(RANK_JOURNAL);
	kfree(h);
	err = READ_ONCE(j->error);
	if (sync && !err)
		err = journal_commit_wait(j, tid);
	return err;
}

struct journal_handle *
journal_current(struct journal *j)
{
	struct journal_handle *h = thread_current()->journal;

	return h && h->journal == j ? h : NULL;
}

int
journal_extend(struct journal_handle *h, u32 credits)
{
	struct journal *j = h->journal;
	struct transaction *t = h->transaction;
	int err = 0;

	spin_lock(&j->lock);
	if (!t || j->error) {
		err = -EROFS;
	} else if (t->state != T_RUNNING || t->credits + credits > j->max_credits ||
		   space_promised_locked(j, credits) > j->free) {
		err = -ENOSPC;
	} else {
		t->credits += credits;
		h->credits += credits;
	}
	spin_unlock(&j->lock);
	return err;
}

bool
journal_ensure(struct journal_handle *h, u32 credits)
{
	return h->credits >= credits || !journal_extend(h, credits - h->credits);
}

int
journal_restart(struct journal_handle *h, u32 credits)
{
	u32 tid;
	int err;

	if (!h->transaction || READ_ONCE(h->journal->error))
		return -EROFS;
	tid = h->transaction->tid;
	handle_leave(h);
	sleep_lock_release(RANK_JOURNAL);
	/* A long operation that goes on in the same transaction would fill the log without end. */
	journal_commit_start(h->journal, tid);
	err = handle_join(h, credits);
	sleep_lock_acquire(RANK_JOURNAL, false, false);
	return err;
}

u32
journal_handle_tid(const struct journal_handle *h)
{
	return h->transaction ? h->transaction->tid : 0;
}

u32
journal_max_credits(const struct journal *j)
{
	return j->max_credits;
}

void
journal_add_callback(struct journal_handle *h, struct journal_callback *cb,
		     void (*fn)(struct journal_callback *cb, int error))
{
	struct transaction *t = h->transaction;

	cb->fn = fn;
	cb->tid = t->tid;
	spin_lock(&h->journal->lock);
	list_add_tail(&cb->node, &t->callbacks);
	spin_unlock(&h->journal->lock);
}

/* --- buffers in handles --- */

static bool
handle_dead(const struct journal_handle *h)
{
	return unlikely(!h->transaction || READ_ONCE(h->journal->error));
}

static int
get_access(struct journal_handle *h, struct buffer *b)
{
	struct journal *j = h->journal;
	struct transaction *t = h->transaction;
	void *spare = NULL;

	for (;;) {
		/*
		 * Nothing is on its way to the place of b, and nothing will be: no CPU finds it
		 * dirty until a commit makes it so again.
		 */
		buffer_claim(b, BUF_JOURNALED);
		spin_lock(&j->lock);
		if (b->transaction == t || b->next_transaction == t)
			break;
		if (buffer_state(b) & (BUF_DIRTY | BUF_WRITING)) { /* a commit has just ended */
			spin_unlock(&j->lock);
			continue;
		}
		if (!b->transaction) {
			buffer_file_locked(b, t, J_RESERVED);
			break;
		}
		/* It belongs to the committing transaction. */
		if (buffer_state(b) & BUF_LOGGING) {
			spin_unlock(&j->lock);
			buffer_wait(b, BUF_LOGGING);
			continue;
		}
		if (buffer_list(b) == J_METADATA && !b->frozen) {
			if (!spare) {
				spin_unlock(&j->lock);
				spare = kmalloc(j->block_size, GFP_NOFS);
				if (!spare)
					return -ENOMEM;
				continue;
			}
			memcpy(spare, b->data, j->block_size);
			b->frozen = spare;
			spare = NULL;
		}
		b->jflags &= ~(J_NEXT_DIRTY | J_NEXT_FORGET);
		smp_store_release(&b->next_transaction, t);
		break;
	}
	/* Freed earlier in this transaction, and taken again. */
	if (buffer_state(b) & BUF_FREED) {
		if (b->transaction == t && buffer_list(b) == J_FORGET) {
			buffer_file_locked(b, t, J_RESERVED);
			atomic_or(&b->state, BUF_JOURNALED); /* its checkpoint wants it written */
		}
		b->jflags &= ~J_NEXT_FORGET;
		atomic_and(&b->state, ~(int)BUF_FREED);
	}
	revoke_cancel_locked(t, b->block);
	spin_unlock(&j->lock);
	kfree(spare);
	return 0;
}

static bool
in_transaction(const struct buffer *b, const struct transaction *t)
{
	return (smp_load_acquire(&b->transaction) == t ||
		smp_load_acquire(&b->next_transaction) == t) &&
	       !(buffer_state(b) & BUF_FREED);
}

int
journal_get_write_access(struct journal_handle *h, struct buffer *b)
{
	if (handle_dead(h))
		return -EROFS;
	if (likely(in_transaction(b, h->transaction)))
		return 0;
	return get_access(h, b);
}

int
journal_get_create_access(struct journal_handle *h, struct buffer *b)
{
	return journal_get_write_access(h, b);
}

int
journal_dirty_metadata(struct journal_handle *h, struct buffer *b)
{
	struct journal *j = h->journal;
	struct transaction *t = h->transaction;
	int err = 0;

	if (handle_dead(h))
		return -EROFS;
	if (smp_load_acquire(&b->transaction) == t && buffer_list(b) == J_METADATA)
		return 0;
	spin_lock(&j->lock);
	if (b->transaction == t ? buffer_list(b) == J_METADATA : b->jflags & J_NEXT_DIRTY) {
		spin_unlock(&j->lock);
		return 0;
	}
	if (WARN_ONCE(b->transaction != t && b->next_transaction != t)) {
		err = -EINVAL; /* without write access */
	} else if (WARN_ONCE(!h->credits)) {
		err = -ENOSPC;
	} else {
		h->credits--;
		atomic_or(&b->state, BUF_JOURNALED);
		if (b->transaction == t)
			buffer_file_locked(b, t, J_METADATA);
		else
			b->jflags |= J_NEXT_DIRTY;
	}
	spin_unlock(&j->lock);
	return err;
}

int
journal_forget(struct journal_handle *h, struct buffer *b)
{
	struct journal *j = h->journal;
	struct transaction *t = h->transaction;

	if (handle_dead(h))
		return -EROFS;
	for (;;) {
		buffer_claim(b, BUF_JOURNALED);
		spin_lock(&j->lock);
		if (!b->transaction && buffer_state(b) & (BUF_DIRTY | BUF_WRITING)) {
			spin_unlock(&j->lock);
			continue;
		}
		break;
	}
	if (b->transaction && b->transaction != t) {
		/* Being committed: it leaves with the next transaction. */
		b->jflags = (b->jflags & ~J_NEXT_DIRTY) | J_NEXT_FORGET;
		WRITE_ONCE(b->next_transaction, t);
		atomic_or(&b->state, BUF_FREED);
	} else {
		atomic_and(&b->state, ~(int)BUF_JOURNALED);
		if (b->checkpoint) {
			/*
			 * If this transaction does not make it, the block is in use and what an
			 * earlier one put into it must get there. So the log keeps that until then.
			 */
			buffer_file_locked(b, t, J_FORGET);
			atomic_or(&b->state, BUF_FREED);
		} else {
			if (b->transaction)
				buffer_unfile_locked(b);
			atomic_and(&b->state, ~(int)(BUF_UPTODATE | BUF_VERIFIED));
			if (buffer_state(b) & BUF_HELD)
				buffer_unhold_locked(b);
		}
	}
	spin_unlock(&j->lock);
	return 0;
}
