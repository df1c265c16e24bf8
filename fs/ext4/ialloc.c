/* SPDX-License-Identifier: MIT */
/*
 * Inodes of the disk: which is free, and where a new one goes.
 *
 * A file goes into its directory's group, so that both are read together. A directory at the top
 * goes into some group of more than average space, far from others; one further down stays near its
 * parent, as long as there is room. Inode tables are not zeroed when the file system is made: the
 * descriptor says how many inodes at the end of a table have never been used, and these are not
 * read.
 */
#include "core/cpumask.h"
#include "core/percpu.h"
#include "core/random.h"
#include "core/time.h"
#include "ext4_internal.h"
#include "fs/vfs/device.h"
#include "lib/bitmap.h"
#include "lib/hash.h"
#include "task/cred.h"

u64
ext4_free_inodes(struct ext4_fs *fs)
{
	s64 n = 0;

	for (u32 i = 0; i < cpu_count; i++)
		n += atomic64_read(&fs->cpu[i].free_inodes);
	return n > 0 ? (u64)n : 0;
}

static void
count(struct ext4_fs *fs, s64 inodes, s64 dirs)
{
	struct ext4_cpu *cpu = &fs->cpu[cpu_id()];

	atomic64_add(&cpu->free_inodes, inodes);
	if (dirs)
		atomic64_add(&cpu->dirs, dirs);
}

/* --- which group --- */

static bool
group_usable(const struct ext4_fs *fs, u32 group, u32 min_inodes, u32 min_blocks)
{
	const struct ext4_group_desc *gd = ext4_desc(fs, group, NULL);

	return !(READ_ONCE(fs->group[group].flags) & (GROUP_INODES_BAD | GROUP_BLOCKS_BAD)) &&
	       ext4_desc_free_inodes(fs, gd) >= min_inodes &&
	       ext4_desc_free_blocks(fs, gd) >= min_blocks;
}

/* The group to begin at for a directory. */
static u32
group_for_dir(struct ext4_fs *fs, const struct ext4_node *parent, const char *name, size_t len)
{
	u32 average_inodes = (u32)(ext4_free_inodes(fs) / fs->groups),
	    average_blocks = (u32)(ext4_free_count(fs) / fs->groups), start = parent->group;
	u32 min_inodes = average_inodes, min_blocks = average_blocks;

	if (parent->ino == EXT4_ROOT_INO || (parent->flags & EXT4_TOPDIR_FL)) {
		/* By name, so that the same tree lies in the same places. */
		start = (u32)(hash_bytes(name, len, fs->hash_seed[0]) % fs->groups);
	} else {
		/* Not far away for little: near the parent a quarter of the average will do. */
		min_inodes /= 4;
		min_blocks /= 4;
	}
	for (u32 i = 0; i < fs->groups; i++) {
		u32 group = (start + i) % fs->groups;

		if (group_usable(fs, group, MAX(min_inodes, 1u), MAX(min_blocks, 1u)))
			return group;
	}
	return parent->group;
}

/* --- taking one --- */

struct taken {
	u32 ino;
	bool fresh; /* no inode of its table block was ever used */
};

/* 1: none free here. */
static int
take_inode(struct journal_handle *h, struct ext4_fs *fs, u32 group, bool dir, struct taken *out)
{
	struct ext4_group *g = &fs->group[group];
	struct buffer *gdb, *map, *blocks = NULL;
	struct ext4_group_desc *gd = ext4_desc(fs, group, &gdb);
	u32 bit, used_before, first = group ? 0 : fs->first_ino - 1;
	int err = ext4_inode_bitmap(fs, group, &map);

	if (err)
		return err == -EFSCORRUPTED || err == -EFSBADCRC ? 1 : err;
	err = 1;
	if (find_next_zero_bit((unsigned long *)map->data, fs->inodes_per_group, first) >=
	    fs->inodes_per_group)
		goto out;
	err = ext4_access(h, map);
	if (!err)
		err = ext4_access(h, gdb);
	/* A block bitmap that was made up is written along, as one of a group in use. */
	if (!err && fs->has_group_csum && (gd->bg_flags & BG_BLOCK_UNINIT) &&
	    !ext4_block_bitmap(fs, group, &blocks))
		err = ext4_access(h, blocks);
	if (err)
		goto out;
	spin_lock(&g->lock);
	bit = (u32)find_next_zero_bit((unsigned long *)map->data, fs->inodes_per_group, first);
	if (bit >= fs->inodes_per_group || !ext4_desc_free_inodes(fs, gd)) {
		if (bit < fs->inodes_per_group)
			g->flags |= GROUP_INODES_BAD;
		spin_unlock(&g->lock);
		err = 1;
		goto out;
	}
	bitmap_set_bit(bit, (unsigned long *)map->data);
	used_before = gd->bg_flags & BG_INODE_UNINIT
			      ? 0
			      : fs->inodes_per_group - ext4_desc_unused(fs, gd);
	if (fs->has_group_csum) {
		gd->bg_flags &= (u16)~BG_INODE_UNINIT;
		if (bit + 1 > used_before)
			ext4_desc_set_unused(fs, gd, fs->inodes_per_group - bit - 1);
		if (blocks && (gd->bg_flags & BG_BLOCK_UNINIT)) {
			gd->bg_flags &= (u16)~BG_BLOCK_UNINIT;
			ext4_block_bitmap_seal(fs, gd, blocks);
		}
	}
	ext4_desc_set_free_inodes(fs, gd, ext4_desc_free_inodes(fs, gd) - 1);
	if (dir)
		ext4_desc_set_dirs(fs, gd, ext4_desc_dirs(fs, gd) + 1);
	ext4_inode_bitmap_seal(fs, gd, map);
	ext4_desc_seal(fs, group, gd);
	spin_unlock(&g->lock);
	out->ino = group * fs->inodes_per_group + bit + 1;
	out->fresh = fs->has_group_csum && ALIGN_DOWN(bit, fs->inodes_per_block) >= used_before;
	count(fs, -1, dir);
	err = ext4_dirty(h, map);
	if (!err)
		err = ext4_dirty(h, gdb);
	if (!err && blocks)
		err = ext4_dirty(h, blocks);
out:
	buffer_put(blocks);
	buffer_put(map);
	return err;
}

static int
find_inode(struct journal_handle *h, struct ext4_fs *fs, u32 start, bool dir, struct taken *out)
{
	for (u32 i = 0; i < fs->groups; i++) {
		u32 group = (start + i) % fs->groups;
		int err;

		if (!ext4_desc_free_inodes(fs, ext4_desc(fs, group, NULL)) ||
		    (READ_ONCE(fs->group[group].flags) & GROUP_INODES_BAD))
			continue;
		err = take_inode(h, fs, group, dir, out);
		if (err != 1)
			return err;
	}
	return -ENOSPC;
}

static int
give_back(struct journal_handle *h, struct ext4_fs *fs, u32 ino, bool dir)
{
	u32 group = (ino - 1) / fs->inodes_per_group, bit = (ino - 1) % fs->inodes_per_group;
	struct ext4_group *g = &fs->group[group];
	struct buffer *gdb, *map;
	struct ext4_group_desc *gd = ext4_desc(fs, group, &gdb);
	bool was_used;
	int err = ext4_inode_bitmap(fs, group, &map);

	if (err)
		return err;
	err = ext4_access(h, map);
	if (!err)
		err = ext4_access(h, gdb);
	if (err)
		goto out;
	spin_lock(&g->lock);
	was_used = test_bit(bit, (unsigned long *)map->data);
	if (was_used) {
		bitmap_clear_bit(bit, (unsigned long *)map->data);
		ext4_desc_set_free_inodes(fs, gd, ext4_desc_free_inodes(fs, gd) + 1);
		if (dir && ext4_desc_dirs(fs, gd))
			ext4_desc_set_dirs(fs, gd, ext4_desc_dirs(fs, gd) - 1);
		ext4_inode_bitmap_seal(fs, gd, map);
		ext4_desc_seal(fs, group, gd);
	}
	spin_unlock(&g->lock);
	if (!was_used) {
		err = ext4_corrupt(fs, ino, map->block, "inode is free already");
		goto out;
	}
	count(fs, 1, dir ? -1 : 0);
	err = ext4_dirty(h, map);
	if (!err)
		err = ext4_dirty(h, gdb);
out:
	buffer_put(map);
	return err;
}

int
ext4_free_inode(struct journal_handle *h, struct inode *i)
{
	return give_back(h, ext4_fs_of_inode(i), (u32)i->ino, S_ISDIR(i->mode));
}

/* --- a new one in memory --- */

static u32
inherited_flags(const struct ext4_node *dir, umode_t mode)
{
	u32 flags = dir->flags & (0x7003c0ebu & ~EXT4_INLINE_DATA_FL & ~EXT4_EXTENTS_FL);

	if (S_ISDIR(mode))
		return flags & ~EXT4_TOPDIR_FL;
	return flags & (S_ISREG(mode) ? EXT4_REG_FLMASK : EXT4_OTHER_FLMASK);
}

static u16
wanted_extra_size(const struct ext4_fs *fs)
{
	u32 want = sizeof(struct ext4_disk_inode) - EXT4_GOOD_OLD_SIZE;

	if (fs->inode_size <= EXT4_GOOD_OLD_SIZE)
		return 0;
	want = MAX(want, (u32)fs->es->s_want_extra_isize);
	want = ALIGN_UP(want, 4u);
	return (u16)MIN(want, fs->inode_size - EXT4_GOOD_OLD_SIZE);
}

static void
init_node(struct inode *i, struct inode *dir, devnum_t rdev)
{
	struct ext4_node *n = ext4_node_of(i), *parent = ext4_node_of(dir);
	struct ext4_fs *fs = n->fs;

	n->generation = __atomic_add_fetch(&fs->generation, 1, __ATOMIC_RELAXED) * 2654435761u;
	n->csum_seed = ext4_seed_of_inode(fs, n->ino, n->generation);
	n->flags = inherited_flags(parent, i->mode);
	n->extra_isize = wanted_extra_size(fs);
	if (parent->flags & EXT4_PROJINHERIT_FL)
		n->projid = parent->projid;
	if (ext4_incompat(fs, INCOMPAT_EXTENTS) &&
	    (S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode))) {
		n->flags |= EXT4_EXTENTS_FL;
		ext4_extent_init_root(n);
	}
	i->rdev = rdev;
	ext4_flags_to_inode(i);
}

/* Its place in the table: all zeroes before it is stored. */
static int
clear_slot(struct journal_handle *h, struct ext4_fs *fs, const struct taken *t)
{
	struct buffer *b;
	u32 offset;
	int err = ext4_inode_buffer(fs, t->ino, t->fresh, &b, &offset);

	if (err)
		return err;
	err = ext4_access(h, b);
	if (!err) {
		memset(b->data + offset, 0, fs->inode_size);
		err = ext4_dirty(h, b);
	}
	buffer_put(b);
	return err;
}

int
ext4_new_inode(struct journal_handle *h, struct inode *dir, umode_t mode, devnum_t rdev,
	       const char *name, size_t name_len, struct inode **out)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct taken t = { 0 };
	struct inode *i;
	s64 now;
	int err;

	if (dir->nlink == 0)
		return -ENOENT;
	err = find_inode(h, fs,
			 S_ISDIR(mode) ? group_for_dir(fs, ext4_node_of(dir), name, name_len)
				       : ext4_node_of(dir)->group,
			 S_ISDIR(mode), &t);
	if (err)
		return err;
	err = clear_slot(h, fs, &t);
	if (!err)
		err = inode_find(fs->super, t.ino, &i);
	if (err)
		goto out_give_back;
	if (!(i->flags & INODE_NEW)) {
		inode_put(i);
		err = ext4_corrupt(fs, t.ino, 0, "a free inode is in use");
		goto out_give_back;
	}
	inode_init_owner(i, dir, mode);
	if (fs->options.flags & OPT_GRPID)
		i->gid = dir->gid;
	i->nlink = 1;
	now = inode_now(i);
	i->times = (struct inode_times){ now, now, now, now };
	err = -ENOMEM;
	if (!ext4_node_create(i))
		goto out_inode;
	init_node(i, dir, rdev);
	err = ext4_acl_inherit(h, dir, i);
	if (!err)
		err = ext4_inode_store(h, i);
	if (err) {
		i->nlink = 0;
		ext4_set_ops(i);
		inode_failed(i); /* evicts it: gives it back */
		return err;
	}
	ext4_set_ops(i);
	*out = i;
	return 0;
out_inode:
	inode_failed(i);
out_give_back:
	(void)give_back(h, fs, t.ino, S_ISDIR(mode));
	return err;
}
