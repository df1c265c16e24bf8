/* SPDX-License-Identifier: MIT */
/*
 * Orphans: inodes that a crash would leave half done: deleted but open, or being cut short. The
 * superblock has the first, each has the next in its i_dtime. At mount those without a name are
 * deleted, the others are truncated to their size. In memory the same list in the same order.
 *
 * The feature orphan_file keeps them in a file instead. We finish what an earlier user left there,
 * then use the list, which every implementation understands.
 */
#include "ext4_internal.h"
#include "uapi/mount.h"

static int
super_dirty(struct journal_handle *h, struct ext4_fs *fs)
{
	if (fs->has_csum)
		fs->es->s_checksum = ext4_super_csum(fs->es);
	return ext4_dirty(h, fs->super_buffer);
}

int
ext4_orphan_add(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	int err = 0;

	if (!list_empty(&n->orphan_node))
		return 0;
	mutex_lock(&fs->orphan_lock);
	if (!list_empty(&n->orphan_node))
		goto out;
	err = ext4_access(h, fs->super_buffer);
	if (err)
		goto out;
	n->dtime = fs->es->s_last_orphan;
	fs->es->s_last_orphan = n->ino;
	err = super_dirty(h, fs);
	if (!err)
		err = ext4_inode_store(h, i);
	list_add(&n->orphan_node, &fs->orphans);
out:
	mutex_unlock(&fs->orphan_lock);
	return err;
}

int
ext4_orphan_del(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	u32 next;
	int err = 0;

	if (list_empty(&n->orphan_node))
		return 0;
	mutex_lock(&fs->orphan_lock);
	if (!h) {
		list_del_init(&n->orphan_node);
		goto out;
	}
	next = n->dtime;
	if (n->orphan_node.prev == &fs->orphans) {
		err = ext4_access(h, fs->super_buffer);
		if (err)
			goto out;
		fs->es->s_last_orphan = next;
		err = super_dirty(h, fs);
	} else {
		struct ext4_node *before = list_entry(n->orphan_node.prev, struct ext4_node,
						      orphan_node);

		before->dtime = next;
		err = ext4_inode_store(h, before->inode);
	}
	list_del_init(&n->orphan_node);
	n->dtime = 0;
	if (!err)
		err = ext4_inode_store(h, i);
out:
	mutex_unlock(&fs->orphan_lock);
	return err;
}

/* --- at mount --- */

/* Takes over the reference; on_list: the disk's list begins with it. */
static void
finish(struct ext4_fs *fs, struct inode *i, bool on_list, u32 *deleted, u32 *cut)
{
	if (on_list) {
		mutex_lock(&fs->orphan_lock);
		list_add(&ext4_node_of(i)->orphan_node, &fs->orphans);
		mutex_unlock(&fs->orphan_lock);
	}
	if (i->nlink) {
		rwsem_write_lock(&i->lock);
		if (S_ISREG(i->mode))
			mapping_truncate(&i->mapping, i->size);
		(void)ext4_truncate(i);
		rwsem_write_unlock(&i->lock);
		(*cut)++;
	} else {
		(*deleted)++;
	}
	inode_put(i); /* deletes it if it has no name */
}

static void
process_list(struct ext4_fs *fs, u32 *deleted, u32 *cut)
{
	u32 ino, seen = 0;

	while ((ino = fs->es->s_last_orphan) && seen++ < fs->inodes) {
		struct inode *i;
		int err = ino < fs->first_ino ? -EFSCORRUPTED
					      : ext4_iget_flags(fs->super, ino, 0, &i);
		struct journal_handle *h;

		if (!err) {
			finish(fs, i, true, deleted, cut);
			if (fs->es->s_last_orphan != ino)
				continue;
		}
		ext4_corrupt(fs, ino, 0, "bad orphan inode");
		if (!ext4_start_internal(fs, 1, &h)) {
			if (!ext4_access(h, fs->super_buffer)) {
				fs->es->s_last_orphan = 0;
				(void)super_dirty(h, fs);
			}
			(void)ext4_stop(h);
		}
		return;
	}
}

static bool
orphan_block_ok(struct ext4_node *n, const struct buffer *b)
{
	struct ext4_fs *fs = n->fs;
	const struct ext4_orphan_tail *tail = (const void *)(b->data + fs->block_size -
							     sizeof(*tail));
	u64 block = b->block;
	u32 crc;

	if (tail->ob_magic != EXT4_ORPHAN_MAGIC)
		return false;
	if (!fs->has_csum)
		return true;
	crc = ext4_csum(fs, n->csum_seed, &block, sizeof(block));
	crc = ext4_csum(fs, crc, b->data, fs->block_size - sizeof(*tail));
	return crc == tail->ob_checksum;
}

static int
process_orphan_block(struct ext4_fs *fs, struct ext4_node *n, struct buffer *b, u32 *deleted,
		     u32 *cut)
{
	u32 *entry = (u32 *)b->data, slots = (fs->block_size - sizeof(struct ext4_orphan_tail)) / 4;
	struct ext4_orphan_tail *tail = (void *)(b->data + fs->block_size - sizeof(*tail));
	struct journal_handle *h;
	u64 block = b->block;
	int err;

	for (u32 k = 0; k < slots; k++) {
		struct inode *i;

		if (entry[k] && !ext4_iget_flags(fs->super, entry[k], 0, &i))
			finish(fs, i, false, deleted, cut);
	}
	err = ext4_start_internal(fs, 1, &h);
	if (err)
		return err;
	err = ext4_access(h, b);
	if (!err) {
		u32 crc;

		memset(entry, 0, slots * sizeof(*entry));
		crc = ext4_csum(fs, n->csum_seed, &block, sizeof(block));
		if (fs->has_csum)
			tail->ob_checksum = ext4_csum(fs, crc, b->data,
						      fs->block_size - sizeof(*tail));
		err = ext4_dirty(h, b);
	}
	(void)ext4_stop(h);
	return err;
}

static void
process_file(struct ext4_fs *fs, u32 *deleted, u32 *cut)
{
	struct journal_handle *h;
	struct ext4_node *n;
	u64 size;
	int err = ext4_node_read(fs, fs->es->s_orphan_file_inum, &n, &size);

	if (err) {
		ext4_corrupt(fs, fs->es->s_orphan_file_inum, 0, "orphan file is not readable");
		return;
	}
	for (u64 at = 0; !err && at < size >> fs->block_bits && at < 4096; at++) {
		struct ext4_map m = { .lblk = (u32)at, .len = 1 };
		struct buffer *b;

		rwsem_read_lock(&n->map_lock);
		err = ext4_map_lookup(n, &m);
		rwsem_read_unlock(&n->map_lock);
		if (err || m.flags != MAP_MAPPED)
			continue;
		err = ext4_read_block(fs, m.pblk, &b);
		if (err)
			break;
		if (orphan_block_ok(n, b))
			err = process_orphan_block(fs, n, b, deleted, cut);
		else
			err = ext4_badcrc(fs, n->ino, m.pblk, "orphan file block is damaged");
		buffer_put(b);
	}
	ext4_node_destroy(n);
	if (err || ext4_start_internal(fs, 1, &h))
		return;
	if (!ext4_access(h, fs->super_buffer)) {
		fs->es->s_feature_ro_compat &= ~(u32)RO_ORPHAN_PRESENT;
		(void)super_dirty(h, fs);
	}
	(void)ext4_stop(h);
}

void
ext4_orphans_process(struct ext4_fs *fs)
{
	u32 deleted = 0, cut = 0;
	bool in_file = ext4_compat(fs, COMPAT_ORPHAN_FILE) && ext4_ro_compat(fs, RO_ORPHAN_PRESENT);

	if ((!fs->es->s_last_orphan && !in_file) || ext4_readonly(fs))
		return;
	if (fs->es->s_state & EXT4_ERROR_FS) {
		/* What is damaged is not the place to start deleting: e2fsck does it. */
		log_info("EXT4-fs (%s): errors on filesystem, leaving the orphan list\n",
			 fs->dev->name);
		return;
	}
	fs->es->s_state |= EXT4_ORPHAN_FS;
	process_list(fs, &deleted, &cut);
	if (in_file)
		process_file(fs, &deleted, &cut);
	fs->es->s_state &= (u16)~EXT4_ORPHAN_FS;
	if (deleted)
		log_info("EXT4-fs (%s): %u orphan inode%s deleted\n", fs->dev->name, deleted,
			 deleted == 1 ? "" : "s");
	if (cut)
		log_info("EXT4-fs (%s): %u truncate%s cleaned up\n", fs->dev->name, cut,
			 cut == 1 ? "" : "s");
}
