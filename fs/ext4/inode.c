/* SPDX-License-Identifier: MIT */
/*
 * Inodes: from the inode table into memory and back, and their end.
 *
 * In memory an inode is vfs's struct inode and our struct ext4_node (inode->private). Each change
 * of a field is copied into the block of the inode table at once, inside a handle
 * (ext4_inode_store), so that there are no dirty inodes besides dirty buffers; neighbours in a
 * block write different bytes. The size on the disk (node->disk_size) grows only as blocks are
 * written, while inode->size is what programs see.
 *
 * Times have 34 bits of seconds and 30 of nanoseconds on the disk if the inode is large enough.
 */
#include "core/time.h"
#include "ext4_internal.h"
#include "fs/vfs/device.h"
#include "mm/mapping.h"
#include "uapi/mount.h"

#define SECTORS_MAX_32 0xffffffffull
#define SECTORS_MAX_48 0xffffffffffffull

static struct kmem_cache *node_cache;

void
ext4_inode_cache_init(void)
{
	if (!node_cache)
		node_cache = kmem_cache_create("ext4_inode", sizeof(struct ext4_node), 64,
					       SLAB_RECLAIMABLE, NULL);
}

struct ext4_node *
ext4_node_create(struct inode *i)
{
	struct ext4_node *n = kmem_cache_zalloc(node_cache, GFP_NOFS);

	if (!n)
		return NULL;
	n->inode = i;
	rwsem_init(&n->map_lock, RANK_FS_MAP);
	rwsem_init(&n->xattr_lock, RANK_FS_META);
	spin_init(&n->raw_lock, RANK_FS);
	journal_inode_init(&n->jinode);
	list_init(&n->orphan_node);
	if (i) {
		n->fs = ext4_fs_of(i->super);
		n->ino = (u32)i->ino;
		n->group = (n->ino - 1) / n->fs->inodes_per_group;
		i->private = n;
	}
	return n;
}

void
ext4_node_destroy(struct ext4_node *n)
{
	ext4_acl_free(n);
	kmem_cache_free(node_cache, n);
}

/* --- the table --- */

int
ext4_inode_buffer(struct ext4_fs *fs, u32 ino, bool fresh, struct buffer **out, u32 *offset)
{
	u32 group = (ino - 1) / fs->inodes_per_group, index = (ino - 1) % fs->inodes_per_group;
	u64 block = ext4_inode_table_of(fs, ext4_desc(fs, group, NULL)) +
		    index / fs->inodes_per_block;
	struct buffer *b;
	int err;

	*offset = index % fs->inodes_per_block * fs->inode_size;
	if (!fresh)
		return ext4_read_block(fs, block, out);
	err = buffer_get(fs->cache, block, &b);
	if (err)
		return err;
	if (!buffer_uptodate(b)) {
		buffer_lock(b);
		if (!buffer_uptodate(b)) {
			memset(b->data, 0, fs->block_size);
			buffer_set_uptodate(b);
		}
		buffer_unlock(b);
	}
	*out = b;
	return 0;
}

/* --- fields --- */

static s64
time_decode(u32 seconds, u32 extra, bool has_extra)
{
	s64 sec = (s32)seconds;

	if (!has_extra)
		return inode_time_make(sec, 0);
	return inode_time_make(sec + ((s64)(extra & 3) << 32), extra >> 2);
}

static void
time_encode(s64 t, u32 *seconds, u32 *extra)
{
	u32 nsec;
	s64 sec = inode_time_split(t, &nsec);

	if (!extra) {
		*seconds = (u32)CLAMP(sec, (s64)INT32_MIN, (s64)INT32_MAX);
		return;
	}
	sec = CLAMP(sec, (s64)INT32_MIN, EXT4_TIME_LAST);
	*seconds = (u32)sec;
	*extra = (u32)(((sec - (s32)sec) >> 32) & 3) | nsec << 2;
}

static bool
extra_has(const struct ext4_node *n, size_t end)
{
	return n->fs->inode_size > EXT4_GOOD_OLD_SIZE && EXT4_GOOD_OLD_SIZE + n->extra_isize >= end;
}
#define EXTRA_HAS(n, field)                                              \
	extra_has(n, __builtin_offsetof(struct ext4_disk_inode, field) + \
			     sizeof_field(struct ext4_disk_inode, field))

static u64
blocks_decode(const struct ext4_fs *fs, const struct ext4_node *n,
	      const struct ext4_disk_inode *raw)
{
	u64 blocks = raw->i_blocks_lo;

	if (!ext4_ro_compat(fs, RO_HUGE_FILE))
		return blocks;
	blocks |= (u64)raw->i_blocks_high << 32;
	return n->flags & EXT4_HUGE_FILE_FL ? blocks << (fs->block_bits - SECTOR_SHIFT) : blocks;
}

static void
blocks_encode(const struct ext4_fs *fs, struct ext4_node *n, u64 sectors,
	      struct ext4_disk_inode *raw)
{
	n->flags &= ~EXT4_HUGE_FILE_FL;
	if (sectors > SECTORS_MAX_48 && ext4_ro_compat(fs, RO_HUGE_FILE)) {
		n->flags |= EXT4_HUGE_FILE_FL;
		sectors >>= fs->block_bits - SECTOR_SHIFT;
	}
	raw->i_blocks_lo = (u32)sectors;
	if (ext4_ro_compat(fs, RO_HUGE_FILE))
		raw->i_blocks_high = (u16)(sectors >> 32);
}

void
ext4_add_blocks(struct inode *i, s64 blocks)
{
	s64 sectors = blocks * (1ll << (ext4_fs_of_inode(i)->block_bits - SECTOR_SHIFT));

	__atomic_fetch_add(&i->blocks, (u64)sectors, __ATOMIC_RELAXED);
}

static devnum_t
dev_decode(const u32 block[2])
{
	u32 d = block[0];

	if (d)
		return DEV_MAKE((d >> 8) & 0xff, d & 0xff);
	d = block[1];
	return DEV_MAKE((d & 0xfff00) >> 8, (d & 0xff) | ((d >> 12) & 0xfff00));
}

static void
dev_encode(devnum_t dev, u32 block[2])
{
	u32 major = DEV_MAJOR(dev), minor = DEV_MINOR(dev);

	if (major < 256 && minor < 256) {
		block[0] = major << 8 | minor;
		block[1] = 0;
	} else {
		block[0] = 0;
		block[1] = (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
	}
}

void
ext4_flags_to_inode(struct inode *i)
{
	static const u32 map[][2] = {
		{ EXT4_SYNC_FL, INODE_SYNC },
		{ EXT4_APPEND_FL, INODE_APPEND },
		{ EXT4_IMMUTABLE_FL, INODE_IMMUTABLE },
		{ EXT4_NOATIME_FL, INODE_NOATIME },
	};
	u32 flags = ext4_node_of(i)->flags;

	for (u32 k = 0; k < ARRAY_SIZE(map); k++) {
		if (flags & map[k][0])
			i->flags |= (u32)map[k][1];
		else
			i->flags &= ~(u32)map[k][1];
	}
}

/* --- reading --- */

u64
ext4_max_bytes(const struct ext4_fs *fs, bool extents)
{
	u64 per = fs->block_size / 4, blocks;

	if (extents)
		return ((1ull << 32) - 1) << fs->block_bits;
	blocks = 12 + per + per * per + per * per * per;
	if (!ext4_ro_compat(fs, RO_HUGE_FILE))
		blocks = MIN(blocks, (1ull << 32) - 16);
	return blocks << fs->block_bits;
}

static const char *
raw_problem(const struct ext4_fs *fs, const struct ext4_node *n, const struct ext4_disk_inode *raw,
	    u64 size)
{
	umode_t type = raw->i_mode & S_IFMT;

	if ((s64)size < 0)
		return "negative size";
	if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK && type != S_IFCHR &&
	    type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK)
		return "impossible mode";
	if (n->extra_isize & 3 || EXT4_GOOD_OLD_SIZE + n->extra_isize > fs->inode_size)
		return "impossible i_extra_isize";
	if (type == S_IFDIR && !ext4_has_inline(n) && (size & (fs->block_size - 1)))
		return "directory of a broken block";
	if (type == S_IFLNK && !ext4_has_inline(n) && size >= fs->block_size)
		return "symlink too long";
	if (ext4_has_extents(n) && ext4_has_inline(n))
		return "both extents and inline data";
	if (ext4_has_extents(n) && !ext4_incompat(fs, INCOMPAT_EXTENTS))
		return "extents without the feature";
	if (ext4_has_inline(n) && !ext4_incompat(fs, INCOMPAT_INLINE_DATA))
		return "inline data without the feature";
	if (type == S_IFREG && !ext4_has_inline(n) &&
	    size > ext4_max_bytes(fs, ext4_has_extents(n)))
		return "impossible size";
	if (n->file_acl && !ext4_blocks_valid(fs, n->file_acl, 1))
		return "attributes in an impossible place";
	return NULL;
}

/* Fields that the node has, and a look at them. 0, -EUCLEAN, -EBADMSG. */
static int
node_fill(struct ext4_fs *fs, struct ext4_node *n, u32 ino, const struct ext4_disk_inode *raw,
	  u64 *size)
{
	const char *problem;

	n->fs = fs;
	n->ino = ino;
	n->group = (ino - 1) / fs->inodes_per_group;
	n->generation = raw->i_generation;
	n->csum_seed = ext4_seed_of_inode(fs, ino, n->generation);
	n->flags = raw->i_flags;
	n->dtime = raw->i_dtime;
	n->extra_isize = fs->inode_size > EXT4_GOOD_OLD_SIZE ? raw->i_extra_isize : 0;
	n->file_acl = raw->i_file_acl_lo;
	if (ext4_incompat(fs, INCOMPAT_64BIT))
		n->file_acl |= (u64)raw->i_file_acl_high << 32;
	*size = raw->i_size_lo;
	if (S_ISREG(raw->i_mode) || ext4_incompat(fs, INCOMPAT_LARGEDIR))
		*size |= (u64)raw->i_size_high << 32;
	memcpy(n->block, raw->i_block, sizeof(n->block));
	if (!ext4_inode_csum_ok(n, raw))
		return ext4_badcrc(fs, ino, 0, "checksum of the inode is wrong");
	problem = raw_problem(fs, n, raw, *size);
	if (problem)
		return ext4_corrupt(fs, ino, 0, "%s", problem);
	if (EXTRA_HAS(n, i_projid))
		n->projid = raw->i_projid;
	n->disk_size = *size;
	if (ext4_has_extents(n))
		return ext4_extent_check_root(n);
	return 0;
}

int
ext4_node_read(struct ext4_fs *fs, u32 ino, struct ext4_node **out, u64 *size)
{
	struct ext4_disk_inode *raw;
	struct ext4_node *n;
	struct buffer *b;
	u32 offset;
	int err;

	if (!ino || ino > fs->inodes)
		return -EFSCORRUPTED;
	err = ext4_inode_buffer(fs, ino, false, &b, &offset);
	if (err)
		return err;
	raw = (struct ext4_disk_inode *)(b->data + offset);
	err = -ENOMEM;
	n = ext4_node_create(NULL);
	if (!n)
		goto out_put;
	err = -EFSCORRUPTED;
	if (raw->i_links_count)
		err = node_fill(fs, n, ino, raw, size);
	if (err)
		ext4_node_destroy(n);
	else
		*out = n;
out_put:
	buffer_put(b);
	return err;
}

static bool
fast_symlink(const struct inode *i)
{
	const struct ext4_node *n = ext4_node_of(i);
	u64 acl = n->file_acl ? 1ull << (n->fs->block_bits - SECTOR_SHIFT) : 0;

	return !ext4_has_inline(n) && i->blocks <= acl && i->size < EXT4_FAST_SYMLINK_MAX;
}

/* The text of a symlink is kept with the inode. */
int
ext4_symlink_load(struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct buffer *b;
	int err;

	if (ext4_has_inline(n)) {
		u8 *text;
		size_t len;

		err = ext4_inline_read(i, &text, &len);
		if (!err)
			i->link = (char *)text;
		return err;
	}
	i->link = kmalloc(i->size + 1, GFP_NOFS);
	if (!i->link)
		return -ENOMEM;
	i->link[i->size] = '\0';
	if (fast_symlink(i)) {
		memcpy(i->link, n->block, i->size);
		if (strlen(i->link) == i->size)
			return 0;
		return ext4_corrupt(n->fs, n->ino, 0, "symlink with a zero in it");
	}
	{
		struct ext4_map m = { .lblk = 0, .len = 1 };

		err = ext4_map(NULL, i, &m, 0);
		if (err)
			return err;
		if (m.flags != MAP_MAPPED)
			return ext4_corrupt(n->fs, n->ino, 0, "symlink without a block");
		err = ext4_read_block(n->fs, m.pblk, &b);
	}
	if (err)
		return err;
	memcpy(i->link, b->data, i->size);
	buffer_put(b);
	return 0;
}

void
ext4_set_ops(struct inode *i)
{
	bool acl = ext4_acl_present(i);

	if (S_ISDIR(i->mode)) {
		i->ops = acl ? &ext4_dir_acl_ops : &ext4_dir_ops;
		i->file_ops = &ext4_dir_file_ops;
	} else {
		i->ops = acl ? &ext4_inode_acl_ops : &ext4_inode_ops;
		i->file_ops = S_ISREG(i->mode) ? &ext4_file_ops : NULL;
	}
	if (S_ISREG(i->mode)) {
		i->mapping.ops = &ext4_mapping_ops;
		i->mapping.gfp |= GFP_NOFS;
	}
}

static void
inode_fill(struct inode *i, const struct ext4_disk_inode *raw, u64 size)
{
	struct ext4_node *n = ext4_node_of(i);

	i->mode = raw->i_mode;
	i->uid = raw->i_uid | (u32)raw->i_uid_high << 16;
	i->gid = raw->i_gid | (u32)raw->i_gid_high << 16;
	i->nlink = raw->i_links_count;
	i->size = size;
	i->blocks = blocks_decode(n->fs, n, raw);
	i->times.atime = time_decode(raw->i_atime, raw->i_atime_extra, EXTRA_HAS(n, i_atime_extra));
	i->times.mtime = time_decode(raw->i_mtime, raw->i_mtime_extra, EXTRA_HAS(n, i_mtime_extra));
	i->times.ctime = time_decode(raw->i_ctime, raw->i_ctime_extra, EXTRA_HAS(n, i_ctime_extra));
	i->times.btime = EXTRA_HAS(n, i_crtime) ? time_decode(raw->i_crtime, raw->i_crtime_extra,
							      EXTRA_HAS(n, i_crtime_extra))
						: 0;
	i->version = raw->i_version;
	if (EXTRA_HAS(n, i_version_hi))
		i->version |= (u64)raw->i_version_hi << 32;
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		i->rdev = dev_decode(n->block);
	if (n->fs->inode_size > EXT4_GOOD_OLD_SIZE + n->extra_isize + 4u) {
		const u32 *magic = (const u32 *)((const u8 *)raw + EXT4_GOOD_OLD_SIZE +
						 n->extra_isize);

		n->has_xattr = *magic == EXT4_XATTR_MAGIC;
	}
	ext4_flags_to_inode(i);
}

static int
inode_read(struct inode *i)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	struct ext4_disk_inode *raw;
	struct ext4_node *n;
	struct buffer *b;
	u32 offset;
	u64 size;
	int err;

	err = ext4_inode_buffer(fs, (u32)i->ino, false, &b, &offset);
	if (err)
		return err;
	raw = (struct ext4_disk_inode *)(b->data + offset);
	err = -ESTALE;
	/* Free, or deleted; orphans have no links but a mode. */
	if (!raw->i_links_count && (!raw->i_mode || !(fs->es->s_state & EXT4_ORPHAN_FS)))
		goto out_put;
	err = -ENOMEM;
	n = ext4_node_create(i);
	if (!n)
		goto out_put;
	err = node_fill(fs, n, (u32)i->ino, raw, &size);
	if (err)
		goto out_node;
	inode_fill(i, raw, size);
	if (S_ISLNK(i->mode))
		err = ext4_symlink_load(i);
	if (!err) {
		ext4_set_ops(i);
		goto out_put;
	}
out_node:
	i->private = NULL;
	ext4_node_destroy(n);
out_put:
	buffer_put(b);
	return err;
}

int
ext4_iget_flags(struct super *s, u64 ino, u32 flags, struct inode **out)
{
	struct ext4_fs *fs = ext4_fs_of(s);
	struct inode *i;
	int err;

	if (ino > fs->inodes ||
	    (ino < fs->first_ino && ino != EXT4_ROOT_INO && !(flags & IGET_SPECIAL)) || !ino)
		return ext4_corrupt(fs, (u32)ino, 0, "inode number out of range");
	err = inode_find(s, ino, &i);
	if (err)
		return err;
	if (!(i->flags & INODE_NEW)) {
		*out = i;
		return 0;
	}
	err = inode_read(i);
	if (err) {
		inode_failed(i);
		return err;
	}
	inode_ready(i);
	*out = i;
	return 0;
}

int
ext4_iget(struct super *s, u64 ino, struct inode **out)
{
	int err = ext4_iget_flags(s, ino, 0, out);

	if (err == -ESTALE)
		return ext4_corrupt(ext4_fs_of(s), (u32)ino, 0, "deleted inode referenced");
	return err;
}

/* --- writing --- */

static void
raw_fill(struct inode *i, struct ext4_disk_inode *raw)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	u64 size = S_ISREG(i->mode) ? READ_ONCE(n->disk_size) : i->size;

	raw->i_mode = (u16)i->mode;
	raw->i_uid = (u16)i->uid;
	raw->i_uid_high = (u16)(i->uid >> 16);
	raw->i_gid = (u16)i->gid;
	raw->i_gid_high = (u16)(i->gid >> 16);
	/* A directory of more subdirectories than can be counted has one link (dir_nlink). */
	raw->i_links_count = (u16)i->nlink;
	raw->i_size_lo = (u32)size;
	raw->i_size_high = (u32)(size >> 32);
	raw->i_dtime = n->dtime;
	raw->i_generation = n->generation;
	blocks_encode(fs, n, READ_ONCE(i->blocks), raw);
	raw->i_flags = n->flags;
	raw->i_file_acl_lo = (u32)n->file_acl;
	raw->i_file_acl_high = (u16)(n->file_acl >> 32);
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		dev_encode(i->rdev, n->block);
	memcpy(raw->i_block, n->block, sizeof(n->block));
	time_encode(i->times.atime, &raw->i_atime,
		    EXTRA_HAS(n, i_atime_extra) ? &raw->i_atime_extra : NULL);
	time_encode(i->times.mtime, &raw->i_mtime,
		    EXTRA_HAS(n, i_mtime_extra) ? &raw->i_mtime_extra : NULL);
	time_encode(i->times.ctime, &raw->i_ctime,
		    EXTRA_HAS(n, i_ctime_extra) ? &raw->i_ctime_extra : NULL);
	if (EXTRA_HAS(n, i_crtime))
		time_encode(i->times.btime, &raw->i_crtime,
			    EXTRA_HAS(n, i_crtime_extra) ? &raw->i_crtime_extra : NULL);
	raw->i_version = (u32)i->version;
	if (EXTRA_HAS(n, i_version_hi))
		raw->i_version_hi = (u32)(i->version >> 32);
	if (EXTRA_HAS(n, i_projid))
		raw->i_projid = n->projid;
	if (fs->inode_size > EXT4_GOOD_OLD_SIZE)
		raw->i_extra_isize = n->extra_isize;
	ext4_inode_csum_set(n, raw);
}

int
ext4_inode_store(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct buffer *b;
	u32 offset;
	int err = ext4_inode_buffer(n->fs, n->ino, false, &b, &offset);

	if (err)
		return err;
	err = ext4_access(h, b);
	if (!err) {
		spin_lock(&n->raw_lock);
		raw_fill(i, (struct ext4_disk_inode *)(b->data + offset));
		spin_unlock(&n->raw_lock);
		err = ext4_dirty(h, b);
		ext4_note_tid(h, n, true);
	}
	buffer_put(b);
	return err;
}

int
ext4_inode_dirty(struct inode *i)
{
	struct journal_handle *h;
	int err = ext4_start(ext4_fs_of_inode(i), CREDITS_INODE, &h), end;

	if (err)
		return err;
	err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}

/* super_ops.dirty_inode: fields changed by vfs (times, versions). */
void
ext4_dirty_inode(struct inode *i, u32 flags)
{
	if (i->private)
		(void)ext4_inode_dirty(i);
}

int
ext4_write_inode(struct inode *i, bool sync)
{
	struct ext4_node *n = ext4_node_of(i);
	struct buffer *b;
	u32 offset;
	int err;

	if (!n || !sync)
		return 0;
	if (n->fs->journal)
		return journal_commit_wait(n->fs->journal, READ_ONCE(n->sync_tid));
	err = ext4_inode_buffer(n->fs, n->ino, false, &b, &offset);
	if (err)
		return err;
	err = buffer_write_wait(b);
	buffer_put(b);
	return err;
}

/* --- the end --- */

static void
delete_inode(struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	struct journal_handle *h;
	int err;

	if (ext4_start_internal(fs, CREDITS_FREE, &h))
		goto out_memory;
	if (S_ISREG(i->mode) || S_ISDIR(i->mode) || (S_ISLNK(i->mode) && !fast_symlink(i))) {
		i->size = 0;
		n->disk_size = 0;
		err = ext4_inode_store(h, i);
		if (!err && !ext4_has_inline(n))
			err = ext4_remove_blocks(h, i, 0, UINT32_MAX);
		if (err)
			goto out_stop;
	}
	if (!ext4_ensure(h, CREDITS_XATTR + CREDITS_NEW_INODE) &&
	    ext4_restart(h, CREDITS_XATTR + CREDITS_NEW_INODE))
		goto out_stop;
	if (ext4_xattr_release(h, i))
		goto out_stop;
	if (ext4_orphan_del(h, i))
		goto out_stop;
	n->dtime = (u32)(time_coarse_real_ns() / NSEC_PER_SEC);
	if (!ext4_inode_store(h, i))
		(void)ext4_free_inode(h, i);
	(void)ext4_stop(h);
	return;
out_stop:
	(void)ext4_stop(h);
out_memory:
	/* It stays on the disk's list of orphans: the next mount, or e2fsck, tries again. */
	(void)ext4_orphan_del(NULL, i);
}

void
ext4_evict(struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);

	if (!n)
		return;
	n->evicting = true;
	if (i->nlink == 0) {
		if (S_ISREG(i->mode))
			mapping_truncate(&i->mapping, 0);
		if (n->fs->journal)
			journal_release_inode(n->fs->journal, &n->jinode);
		if (!ext4_readonly(n->fs) && !(i->flags & INODE_NEW))
			delete_inode(i);
		else
			(void)ext4_orphan_del(NULL, i);
	} else {
		if (n->fs->journal)
			journal_release_inode(n->fs->journal, &n->jinode);
		(void)ext4_orphan_del(NULL, i);
	}
	i->private = NULL;
	ext4_node_destroy(n);
}

/* --- attributes --- */

/* The bytes behind the end in the last page, which a mapping may have written, become zero. */
static void
clear_tail(struct inode *i, u64 size)
{
	struct page *page;

	if (!(size & ~PAGE_MASK))
		return;
	page = mapping_find(&i->mapping, size >> PAGE_SHIFT);
	if (!page)
		return;
	page_lock(page);
	if (page->mapping == &i->mapping && page_flag(page, PG_UPTODATE))
		memset((u8 *)page_to_virt(page) + (size & ~PAGE_MASK), 0,
		       PAGE_SIZE - (size & ~PAGE_MASK));
	page_unlock(page);
	page_put(page);
}

static int
set_size(struct inode *i, u64 size)
{
	struct ext4_node *n = ext4_node_of(i);
	struct journal_handle *h;
	int err, end;

	if (size > ext4_max_bytes(n->fs, ext4_has_extents(n) || ext4_has_inline(n)))
		return -EFBIG;
	if (ext4_has_inline(n)) {
		err = ext4_start(n->fs, CREDITS_MAP + CREDITS_XATTR, &h);
		if (err)
			return err;
		err = ext4_inline_convert(h, i);
		end = ext4_stop(h);
		if (err || end)
			return err ? err : end;
	}
	if (size < i->size) {
		if (n->fs->journal) {
			err = journal_truncate_ordered(n->fs->journal, &n->jinode, size);
			if (err)
				return err;
		}
		WRITE_ONCE(i->size, size);
		mapping_truncate(&i->mapping, size);
		return ext4_truncate(i);
	}
	err = ext4_start(n->fs, CREDITS_INODE, &h);
	if (err)
		return err;
	rwsem_write_lock(&n->map_lock);
	WRITE_ONCE(n->disk_size, size);
	rwsem_write_unlock(&n->map_lock);
	err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	if (err || end)
		return err ? err : end;
	clear_tail(i, i->size);
	WRITE_ONCE(i->size, size);
	return 0;
}

int
ext4_setattr(struct inode *i, const struct attr_change *c)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	struct journal_handle *h;
	int err, end;

	if (ext4_readonly(fs))
		return -EROFS;
	if ((c->valid & ATTR_SIZE) && c->size != i->size) {
		err = set_size(i, c->size);
		if (err)
			return err;
	}
	err = ext4_start(fs, CREDITS_INODE + (c->valid & ATTR_MODE ? CREDITS_XATTR : 0), &h);
	if (err)
		return err;
	err = setattr_generic(i, c);
	if (!err && (c->valid & ATTR_MODE))
		err = ext4_acl_chmod(h, i);
	if (!err)
		err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}

int
ext4_getattr(struct inode *i, struct linux_statx *st)
{
	const struct ext4_node *n = ext4_node_of(i);

	/* What delayed allocation has promised counts as used. */
	st->stx_blocks += READ_ONCE(n->reserved) << (n->fs->block_bits - SECTOR_SHIFT);
	if (!EXTRA_HAS(n, i_crtime))
		st->stx_mask &= ~(u32)STATX_BTIME;
	if (n->flags & EXT4_NODUMP_FL)
		st->stx_attributes |= STATX_ATTR_NODUMP;
	st->stx_attributes_mask |= STATX_ATTR_NODUMP;
	return 0;
}
