/* SPDX-License-Identifier: MIT */
/*
 * Handles. With a journal they are the journal's; without one (ext2, or made without has_journal)
 * they are one constant that stands for "changes go straight to dirty buffers", so that no caller
 * has to know.
 */
#include "ext4_internal.h"

static struct journal_handle no_journal;

int
ext4_start_internal(struct ext4_fs *fs, u32 credits, struct journal_handle **out)
{
	if (unlikely(fs->aborted))
		return -EROFS;
	if (!fs->journal) {
		*out = &no_journal;
		return 0;
	}
	return journal_start(fs->journal, credits, out);
}

int
ext4_start(struct ext4_fs *fs, u32 credits, struct journal_handle **out)
{
	if (unlikely(ext4_readonly(fs)))
		return -EROFS;
	return ext4_start_internal(fs, credits, out);
}

int
ext4_stop(struct journal_handle *h)
{
	return h == &no_journal ? 0 : journal_stop(h);
}

int
ext4_access(struct journal_handle *h, struct buffer *b)
{
	return h == &no_journal ? 0 : journal_get_write_access(h, b);
}

int
ext4_access_new(struct journal_handle *h, struct buffer *b)
{
	return h == &no_journal ? 0 : journal_get_create_access(h, b);
}

int
ext4_dirty(struct journal_handle *h, struct buffer *b)
{
	int err = 0;

	if (h == &no_journal)
		buffer_mark_dirty(b);
	else
		err = journal_dirty_metadata(h, b);
	/* Not enough credits were asked for: a bug of ours. What has been changed is not undone. */
	if (unlikely(err == -ENOSPC))
		log_err("EXT4-fs: block %lu is one too many for its handle\n",
			(unsigned long)b->block);
	return err;
}

int
ext4_forget(struct ext4_fs *fs, struct journal_handle *h, u64 block)
{
	if (h != &no_journal)
		return journal_revoke(h, block);
	buffer_forget_block(fs->cache, block);
	return 0;
}

bool
ext4_ensure(struct journal_handle *h, u32 credits)
{
	return h == &no_journal || journal_ensure(h, credits);
}

int
ext4_restart(struct journal_handle *h, u32 credits)
{
	return h == &no_journal ? 0 : journal_restart(h, credits);
}

void
ext4_note_tid(struct journal_handle *h, struct ext4_node *n, bool data)
{
	u32 tid;

	if (h == &no_journal)
		return;
	tid = journal_handle_tid(h);
	WRITE_ONCE(n->sync_tid, tid);
	if (data)
		WRITE_ONCE(n->datasync_tid, tid);
}

int
ext4_read_block(struct ext4_fs *fs, u64 block, struct buffer **out)
{
	int err;

	if (block >= fs->blocks)
		return ext4_corrupt(fs, 0, block, "block beyond the end");
	err = buffer_read(fs->cache, block, out);
	if (err == -EIO)
		log_err("EXT4-fs error (device %s): cannot read metadata block %lu\n",
			fs->dev->name, (unsigned long)block);
	return err;
}

int
ext4_new_block(struct ext4_fs *fs, struct journal_handle *h, u64 block, struct buffer **out)
{
	struct buffer *b;
	int err = buffer_get(fs->cache, block, &b);

	if (err)
		return err;
	buffer_lock(b);
	err = ext4_access_new(h, b);
	if (!err) {
		memset(b->data, 0, fs->block_size);
		buffer_set_uptodate(b);
		buffer_set_verified(b);
	}
	buffer_unlock(b);
	if (!err)
		err = ext4_dirty(h, b);
	if (err) {
		buffer_put(b);
		return err;
	}
	*out = b;
	return 0;
}

bool
ext4_wait_for_space(struct ext4_fs *fs, u32 *tries)
{
	if (!fs->journal || (*tries)++ >= 3 || atomic64_read(&fs->pending) <= 0)
		return false;
	return journal_force_commit(fs->journal) == 0;
}
