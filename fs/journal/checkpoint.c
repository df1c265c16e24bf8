/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints: committed blocks are written in place, so that their space in the log is free.
 *
 * A committed transaction keeps a list of its buffers until each has been written, or has been
 * logged anew by a later one, whose list it then joins. The tail of the log is the start of the
 * oldest transaction with a list. It moves in three steps: what was written in place is flushed
 * from the disk's cache; the superblock says the new tail; only then may the space be written. A
 * crash in between replays too much, which is harmless, never too little.
 *
 * Writers of old buffers in the background (block/buffer.c) do most of the work, so that commits
 * find clean buffers here. When the log is short of room all the same, whoever wants to start a
 * handle writes the oldest transaction's.
 *
 * checkpoint_lock: transactions leave the list of checkpoints, and the tail moves, under it.
 */
#include "journal_internal.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "uapi/errno.h"

#define BATCH 64

void
buffer_leave_checkpoint_locked(struct buffer *b)
{
	if (!b->checkpoint)
		return;
	list_del_init(&b->checkpoint_node);
	b->checkpoint = NULL;
}

/* Where the log must begin now. */
static void
tail_wanted_locked(struct journal *j, u32 *tail, u32 *tid, struct list *finished)
{
	struct list *node, *following;

	list_for_each_safe(node, following, &j->checkpoints)
	{
		struct transaction *t = list_entry(node, struct transaction, node);

		if (list_empty(&t->checkpoint))
			list_move_tail(&t->node, finished);
	}
	if (!list_empty(&j->checkpoints)) {
		struct transaction *t = list_first_entry(&j->checkpoints, struct transaction, node);

		*tail = t->log_start;
		*tid = t->tid;
	} else if (j->committing) {
		*tail = j->committing->log_start;
		*tid = j->committing->tid;
	} else {
		*tail = j->head;
		*tid = j->running ? j->running->tid : j->next_tid;
	}
}

int
tail_advance_locked(struct journal *j)
{
	LIST_HEAD(finished);
	u32 tail, tid;
	int err = 0;

	/*
	 * If no commit is under way, one may begin before the superblock is written: at the very
	 * block and with the very tid that it will say.
	 */
	mutex_lock(&j->superblock_lock);
	spin_lock(&j->lock);
	tail_wanted_locked(j, &tail, &tid, &finished);
	spin_unlock(&j->lock);
	while (!list_empty(&finished)) {
		struct transaction *t = list_first_entry(&finished, struct transaction, node);

		list_del(&t->node);
		transaction_free(t);
	}
	if (tail != j->tail && !READ_ONCE(j->error)) {
		err = superblock_write(j, tail, tid, true);
		if (!err) {
			spin_lock(&j->lock);
			j->free += tail > j->tail ? tail - j->tail
						  : tail - j->first + j->last - j->tail;
			j->tail = tail;
			j->tail_tid = tid;
			spin_unlock(&j->lock);
		}
	}
	mutex_unlock(&j->superblock_lock);
	if (err)
		journal_abort(j, err);
	return err;
}

bool
checkpoint_clean(struct journal *j)
{
	bool some = false;

	spin_lock(&j->lock);
	for (struct list *tn = j->checkpoints.next; tn != &j->checkpoints; tn = tn->next) {
		struct transaction *t = list_entry(tn, struct transaction, node);
		struct list *node, *following;

		list_for_each_safe(node, following, &t->checkpoint)
		{
			struct buffer *b = list_entry(node, struct buffer, checkpoint_node);

			if (b->transaction || b->next_transaction ||
			    buffer_state(b) &
				    (BUF_DIRTY | BUF_WRITING | BUF_JOURNALED | BUF_WRITE_ERROR))
				break; /* the rest is likely to be dirty, too */
			buffer_leave_checkpoint_locked(b);
			buffer_unhold_locked(b);
		}
		/* Only a row of finished ones from the oldest on frees anything. */
		if (!list_empty(&t->checkpoint))
			break;
		some = true;
	}
	spin_unlock(&j->lock);
	return some;
}

/*
 * Writes up to BATCH buffers of the oldest transaction and waits. 0; 1: *tid must be committed
 * first; an error. checkpoint_lock held; there is an oldest transaction.
 */
static int
checkpoint_batch_locked(struct journal *j, u32 *tid)
{
	struct buffer *batch[BATCH];
	struct list *node, *following;
	struct block_plug plug;
	struct transaction *t;
	bool wait_tid = false, wait_claim = false, failed = false;
	u32 n = 0;

	spin_lock(&j->lock);
	t = list_first_entry(&j->checkpoints, struct transaction, node);
	list_for_each_safe(node, following, &t->checkpoint)
	{
		struct buffer *b = list_entry(node, struct buffer, checkpoint_node);
		u32 state = buffer_state(b);

		if (b->transaction) {
			wait_tid = true;
			*tid = b->transaction->tid;
		} else if (state & BUF_WRITE_ERROR) {
			failed = true;
		} else if (state & (BUF_DIRTY | BUF_WRITING)) {
			buffer_ref(b);
			batch[n++] = b;
			if (n == BATCH)
				break;
		} else if (state & BUF_JOURNALED) {
			wait_claim = true; /* a handle is about to file it */
		} else {
			buffer_leave_checkpoint_locked(b);
			buffer_unhold_locked(b);
		}
	}
	spin_unlock(&j->lock);
	if (failed)
		journal_abort(j, -EIO);

	block_plug_start(&plug);
	for (u32 i = 0; i < n; i++)
		buffer_write_start(batch[i]);
	block_plug_finish(&plug);
	for (u32 i = 0; i < n; i++) {
		buffer_wait(batch[i], BUF_WRITING);
		buffers_drop_node_pages(j->cache, batch[i]->block, 1);
		buffer_put(batch[i]);
	}
	if (READ_ONCE(j->error))
		return READ_ONCE(j->error);
	if (n)
		return 0;
	if (wait_claim)
		sched_yield();
	return wait_tid && !wait_claim;
}

static void
wait_for_tid(struct journal *j, u32 tid)
{
	mutex_unlock(&j->checkpoint_lock);
	journal_commit_wait(j, tid);
	mutex_lock(&j->checkpoint_lock);
}

void
checkpoint_make_room(struct journal *j, u32 credits)
{
	mutex_lock(&j->checkpoint_lock);
	for (;;) {
		struct transaction *committing;
		bool enough, oldest;
		u32 tid;

		checkpoint_clean(j);
		if (tail_advance_locked(j))
			break;
		spin_lock(&j->lock);
		enough = j->error || log_space((j->running ? j->running->credits : 0) + credits) +
						     j->commit_space <=
					     j->free;
		oldest = !list_empty(&j->checkpoints);
		committing = j->committing;
		tid = committing ? committing->tid : 0;
		spin_unlock(&j->lock);
		if (enough)
			break;
		if (oldest) {
			int err = checkpoint_batch_locked(j, &tid);

			if (err < 0)
				break;
			if (err)
				wait_for_tid(j, tid);
		} else if (committing) {
			wait_for_tid(j, tid);
		} else {
			break; /* the log is empty: the caller sees */
		}
	}
	mutex_unlock(&j->checkpoint_lock);
}

/* After an abort: nothing more is written. */
static void
checkpoints_drop_locked(struct journal *j)
{
	LIST_HEAD(finished);
	u32 tail, tid;

	spin_lock(&j->lock);
	for (struct list *tn = j->checkpoints.next; tn != &j->checkpoints; tn = tn->next) {
		struct transaction *t = list_entry(tn, struct transaction, node);

		while (!list_empty(&t->checkpoint)) {
			struct buffer *b = list_first_entry(&t->checkpoint, struct buffer,
							    checkpoint_node);

			buffer_leave_checkpoint_locked(b);
			buffer_unhold_locked(b);
		}
	}
	tail_wanted_locked(j, &tail, &tid, &finished);
	spin_unlock(&j->lock);
	while (!list_empty(&finished)) {
		struct transaction *t = list_first_entry(&finished, struct transaction, node);

		list_del(&t->node);
		transaction_free(t);
	}
}

int
checkpoint_all(struct journal *j)
{
	int err = 0;
	u32 tid;

	mutex_lock(&j->checkpoint_lock);
	for (;;) {
		bool some;

		err = READ_ONCE(j->error);
		if (err)
			break;
		spin_lock(&j->lock);
		/* Transactions whose list has become empty are no work: the tail passes them. */
		while (!list_empty(&j->checkpoints)) {
			struct transaction *t = list_first_entry(&j->checkpoints,
								 struct transaction, node);

			if (!list_empty(&t->checkpoint))
				break;
			list_del(&t->node);
			spin_unlock(&j->lock);
			transaction_free(t);
			spin_lock(&j->lock);
		}
		some = !list_empty(&j->checkpoints);
		spin_unlock(&j->lock);
		if (!some)
			break;
		err = checkpoint_batch_locked(j, &tid);
		if (err < 0)
			break;
		if (err)
			wait_for_tid(j, tid);
	}
	err = READ_ONCE(j->error);
	if (!err)
		err = tail_advance_locked(j);
	if (err && !j->thread)
		checkpoints_drop_locked(j);
	mutex_unlock(&j->checkpoint_lock);
	return err;
}
