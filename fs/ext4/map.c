/* SPDX-License-Identifier: MIT */
/*
 * From blocks of a file to blocks of the disk, whichever kind of map the inode has; and the other
 * way, truncation.
 *
 * Reading takes map_lock shared, changing it exclusively: both inside handles and page locks. The
 * piece that was found last is kept in the node, under a spinlock, because the next question is
 * mostly about the same piece.
 *
 * A file that shrinks is put on the list of orphans before its blocks go, and taken off afterwards:
 * freeing takes as many transactions as it needs, and a crash in between is finished at the next
 * mount.
 */
#include "ext4_internal.h"

int
ext4_map_lookup(struct ext4_node *n, struct ext4_map *m)
{
	if (ext4_has_inline(n)) {
		m->flags = 0;
		return 0;
	}
	return ext4_has_extents(n) ? ext4_extent_lookup(n, m) : ext4_indirect_lookup(n, m);
}

static bool
cache_find(struct ext4_node *n, struct ext4_map *m)
{
	bool found;
	u32 skip;

	spin_lock(&n->raw_lock);
	skip = m->lblk - n->cache_lblk;
	found = m->lblk >= n->cache_lblk && skip < n->cache_len;
	if (found) {
		m->pblk = n->cache_pblk + skip;
		m->len = MIN(m->len, n->cache_len - skip);
		m->flags = n->cache_flags;
	}
	spin_unlock(&n->raw_lock);
	return found;
}

/* map_lock held: nothing changes between the look-up and this. */
static void
cache_store(struct ext4_node *n, const struct ext4_map *m)
{
	if (!(m->flags & (MAP_MAPPED | MAP_UNWRITTEN)))
		return;
	spin_lock(&n->raw_lock);
	n->cache_lblk = m->lblk;
	n->cache_len = m->len;
	n->cache_pblk = m->pblk;
	n->cache_flags = m->flags & (MAP_MAPPED | MAP_UNWRITTEN);
	spin_unlock(&n->raw_lock);
}

void
ext4_map_forget(struct ext4_node *n)
{
	spin_lock(&n->raw_lock);
	n->cache_len = 0;
	spin_unlock(&n->raw_lock);
}

/* Where block lblk had best be: behind the one before it, else in the inode's group. */
u64
ext4_goal(struct ext4_node *n, u32 lblk)
{
	struct ext4_fs *fs = n->fs;
	struct ext4_map m = { .lblk = lblk - 1, .len = 1 };
	u64 first = ext4_group_first(fs, n->group);

	if (n->goal_pblk && n->goal_lblk == lblk)
		return n->goal_pblk;
	if (lblk && !ext4_map_lookup(n, &m) && m.pblk)
		return m.pblk + 1;
	if (S_ISDIR(n->inode->mode))
		return first;
	/* Files of a directory start at different places of its group, so that they can grow. */
	return first + n->ino % 16 * (fs->blocks_per_group / 16);
}

static int
map_create(struct journal_handle *h, struct ext4_node *n, struct ext4_map *m, u32 flags)
{
	u32 how = flags & MAP_CLAIMED	 ? CLAIM_DONE
		  : flags & MAP_METADATA ? CLAIM_METADATA
					 : ext4_claim_level(n->fs),
	    len = m->len;
	bool unwritten = flags & MAP_AS_UNWRITTEN;
	u64 pblk;
	int err;

	if (!ext4_has_extents(n))
		return ext4_indirect_alloc(h, n, m, flags);
	len = MIN(len, unwritten ? EXT4_UNWRITTEN_MAX : EXT4_EXTENT_MAX_LEN);
	err = ext4_alloc_blocks(h, n, ext4_goal(n, m->lblk), &len, how, &pblk);
	if (err)
		return err;
	err = ext4_extent_insert(h, n, m->lblk, pblk, len, unwritten);
	if (err) {
		(void)ext4_free_blocks(h, n, pblk, len, 0);
		return err;
	}
	m->pblk = pblk;
	m->len = len;
	m->flags = MAP_NEW | (unwritten ? MAP_UNWRITTEN : MAP_MAPPED);
	return 0;
}

int
ext4_map(struct journal_handle *h, struct inode *i, struct ext4_map *m, u32 flags)
{
	struct ext4_node *n = ext4_node_of(i);
	u32 want = m->len;
	bool changed = false;
	int err;

	if (cache_find(n, m) && ((m->flags & MAP_MAPPED) || !(flags & MAP_CONVERT)))
		return 0;
	m->len = want;
	rwsem_read_lock(&n->map_lock);
	err = ext4_map_lookup(n, m);
	if (!err)
		cache_store(n, m);
	rwsem_read_unlock(&n->map_lock);
	if (err || (m->flags & MAP_MAPPED))
		return err;
	if (!(flags & (m->flags & MAP_UNWRITTEN ? MAP_CONVERT : MAP_CREATE)))
		return 0;
	m->len = want;
	rwsem_write_lock(&n->map_lock);
	err = ext4_map_lookup(n, m);
	if (!err && !m->flags && (flags & MAP_CREATE)) {
		err = map_create(h, n, m, flags);
		changed = true;
		if (!err) {
			n->goal_lblk = m->lblk + m->len;
			n->goal_pblk = m->pblk + m->len;
		}
	} else if (!err && (m->flags & MAP_UNWRITTEN) && (flags & MAP_CONVERT)) {
		err = ext4_extent_convert(h, n, m->lblk, m->len);
		m->flags = MAP_MAPPED;
		changed = true;
	}
	ext4_map_forget(n);
	if (!err)
		cache_store(n, m);
	if (changed) {
		int stored = ext4_inode_store(h, i); /* the root may have changed before an error */

		err = err ? err : stored;
	}
	rwsem_write_unlock(&n->map_lock);
	return err;
}

int
ext4_map_next(struct inode *i, u32 lblk, struct ext4_map *m)
{
	struct ext4_node *n = ext4_node_of(i);
	int found;

	if (ext4_has_inline(n))
		return 0;
	rwsem_read_lock(&n->map_lock);
	found = ext4_has_extents(n) ? ext4_extent_next(n, lblk, m) : ext4_indirect_next(n, lblk, m);
	rwsem_read_unlock(&n->map_lock);
	return found;
}

/* --- removing --- */

int
ext4_remove_blocks(struct journal_handle *h, struct inode *i, u32 first, u32 last)
{
	struct ext4_node *n = ext4_node_of(i);
	int err, more;

	do {
		if (!ext4_ensure(h, CREDITS_FREE + CREDITS_MAP)) {
			err = ext4_inode_store(h, i);
			if (!err)
				err = ext4_restart(h, CREDITS_FREE + CREDITS_MAP);
			if (err)
				return err;
		}
		rwsem_write_lock(&n->map_lock);
		ext4_map_forget(n);
		n->goal_pblk = 0;
		more = ext4_has_extents(n) ? ext4_extent_remove_step(h, n, first, last)
					   : ext4_indirect_remove(h, n, first, last);
		err = ext4_inode_store(h, i);
		rwsem_write_unlock(&n->map_lock);
	} while (more == 1 && !err);
	return more < 0 ? more : err;
}

int
ext4_truncate(struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	u64 first = (i->size + fs->block_size - 1) >> fs->block_bits;
	struct journal_handle *h;
	int err, end;

	err = ext4_start(fs, CREDITS_INODE + CREDITS_FREE + CREDITS_MAP, &h);
	if (err)
		return err;
	err = ext4_orphan_add(h, i);
	rwsem_write_lock(&n->map_lock);
	n->disk_size = i->size;
	if (!err)
		err = ext4_inode_store(h, i);
	rwsem_write_unlock(&n->map_lock);
	/* What was cut off in the last block is zero before the new size is on the disk. */
	if (!err && fs->journal && (i->size & (fs->block_size - 1)))
		journal_add_ordered(h, &n->jinode, i->size & ~(u64)(fs->block_size - 1), i->size);
	if (!err && first <= UINT32_MAX)
		err = ext4_remove_blocks(h, i, (u32)first, UINT32_MAX);
	if (i->nlink) {
		if (!ext4_ensure(h, CREDITS_INODE))
			(void)ext4_restart(h, CREDITS_INODE);
		end = ext4_orphan_del(h, i);
		if (!err)
			err = end;
	}
	if (!err)
		err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}
