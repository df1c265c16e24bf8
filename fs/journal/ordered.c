/* SPDX-License-Identifier: MIT */
/*
 * Ordered mode: the data that a transaction's metadata points to is on the disk before its commit
 * block.
 *
 * The file system names inode and range with each handle that gives a file blocks for dirty pages.
 * A commit first starts the writes of all of them, then logs metadata, then waits. While the commit
 * thread is at an inode (JI_BUSY), that does not go away.
 */
#include "journal_internal.h"

#define JI_BUSY 1u

void
journal_inode_init(struct journal_inode *ji)
{
	*ji = (struct journal_inode){ 0 };
	list_init(&ji->node);
}

void
journal_add_ordered(struct journal_handle *h, struct journal_inode *ji, u64 start, u64 end)
{
	struct transaction *t = h->transaction;
	struct journal *j = h->journal;

	if (!t)
		return;
	/* Mostly the same file goes on growing: then nothing changes but `end`, seen under the
	 * lock. */
	spin_lock(&j->lock);
	if (!ji->transaction) {
		ji->transaction = t;
		ji->start = start;
		ji->end = end;
		list_add_tail(&ji->node, &t->inodes);
	} else if (ji->transaction == t) {
		ji->start = MIN(ji->start, start);
		ji->end = MAX(ji->end, end);
	} else if (!ji->next) {
		ji->next = t;
		ji->next_start = start;
		ji->next_end = end;
	} else {
		ji->next_start = MIN(ji->next_start, start);
		ji->next_end = MAX(ji->next_end, end);
	}
	spin_unlock(&j->lock);
}

void
journal_release_inode(struct journal *j, struct journal_inode *ji)
{
	for (;;) {
		bool busy;

		spin_lock(&j->lock);
		busy = ji->flags & JI_BUSY;
		if (!busy) {
			if (ji->transaction)
				list_del_init(&ji->node);
			ji->transaction = ji->next = NULL;
		}
		spin_unlock(&j->lock);
		if (!busy)
			return;
		wait_event(&j->inode_wait, !(READ_ONCE(ji->flags) & JI_BUSY));
	}
}

int
journal_truncate_ordered(struct journal *j, struct journal_inode *ji, u64 size)
{
	bool needed;
	int err;

	spin_lock(&j->lock);
	needed = ji->transaction && ji->transaction == j->committing && size <= ji->end;
	spin_unlock(&j->lock);
	if (!needed || !j->config.write_data)
		return 0;
	err = j->config.write_data(j->config.ctx, ji, size, UINT64_MAX);
	return err ? err : j->config.wait_data(j->config.ctx, ji, size, UINT64_MAX);
}

int
ordered_start(struct journal *j, struct transaction *t)
{
	int err = 0;

	if (!j->config.write_data)
		return 0;
	spin_lock(&j->lock);
	while (!list_empty(&t->inodes)) {
		struct journal_inode *ji = list_first_entry(&t->inodes, struct journal_inode, node);
		u64 start = ji->start, end = ji->end;

		ji->flags |= JI_BUSY;
		list_move_tail(&ji->node, &t->inodes_started);
		spin_unlock(&j->lock);
		if (!err)
			err = j->config.write_data(j->config.ctx, ji, start, end);
		spin_lock(&j->lock);
		ji->flags &= ~JI_BUSY;
		wake_up_all(&j->inode_wait);
	}
	spin_unlock(&j->lock);
	return err;
}

/* Waits for the data, and lets the inodes go to the next transaction. */
int
ordered_wait(struct journal *j, struct transaction *t)
{
	int err = 0;

	spin_lock(&j->lock);
	list_splice_tail_init(&t->inodes, &t->inodes_started);
	while (!list_empty(&t->inodes_started)) {
		struct journal_inode *ji = list_first_entry(&t->inodes_started,
							    struct journal_inode, node);
		u64 start = ji->start, end = ji->end;

		ji->flags |= JI_BUSY;
		spin_unlock(&j->lock);
		if (!err && j->config.wait_data)
			err = j->config.wait_data(j->config.ctx, ji, start, end);
		spin_lock(&j->lock);
		ji->transaction = ji->next;
		ji->start = ji->next_start;
		ji->end = ji->next_end;
		ji->next = NULL;
		if (ji->transaction)
			list_move_tail(&ji->node, &ji->transaction->inodes);
		else
			list_del_init(&ji->node);
		ji->flags &= ~JI_BUSY;
		wake_up_all(&j->inode_wait);
	}
	spin_unlock(&j->lock);
	return err;
}
