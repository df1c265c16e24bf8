/* SPDX-License-Identifier: MIT */
/*
 * Block groups: where their descriptors are, what is in them, bitmaps.
 *
 * The descriptors follow the superblock, all together; with meta_bg each block of them lies in the
 * first group that it describes. They are kept in memory for the time of the mount. A group that
 * was never used (BLOCK_UNINIT, INODE_UNINIT) has no bitmap on the disk: it is made up from what
 * has fixed places in the group.
 *
 * Nothing that comes from the disk is believed: places of bitmaps and tables are checked at mount,
 * a bitmap's checksum when it is read.
 */
#include "ext4_internal.h"
#include "lib/bitmap.h"
#include "mm/vmalloc.h"

static bool
wide(const struct ext4_fs *fs)
{
	return fs->desc_size >= sizeof(struct ext4_group_desc);
}

/* A field of 32 or 16 bits and its upper half, which small descriptors do not have. */
#define PAIR(fs, gd, field, shift) \
	((gd)->field##_lo | (wide(fs) ? (u64)(gd)->field##_hi << (shift) : 0))
#define SET_PAIR(fs, gd, field, n)                           \
	do {                                                 \
		(gd)->field##_lo = (u16)(n);                 \
		if (wide(fs))                                \
			(gd)->field##_hi = (u16)((n) >> 16); \
	} while (0)

u64
ext4_block_bitmap_of(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return PAIR(fs, gd, bg_block_bitmap, 32);
}

u64
ext4_inode_bitmap_of(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return PAIR(fs, gd, bg_inode_bitmap, 32);
}

u64
ext4_inode_table_of(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return PAIR(fs, gd, bg_inode_table, 32);
}

u32
ext4_desc_free_blocks(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return (u32)PAIR(fs, gd, bg_free_blocks_count, 16);
}

u32
ext4_desc_free_inodes(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return (u32)PAIR(fs, gd, bg_free_inodes_count, 16);
}

u32
ext4_desc_dirs(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return (u32)PAIR(fs, gd, bg_used_dirs_count, 16);
}

u32
ext4_desc_unused(const struct ext4_fs *fs, const struct ext4_group_desc *gd)
{
	return fs->has_group_csum ? (u32)PAIR(fs, gd, bg_itable_unused, 16) : 0;
}

void
ext4_desc_set_free_blocks(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n)
{
	SET_PAIR(fs, gd, bg_free_blocks_count, n);
}

void
ext4_desc_set_free_inodes(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n)
{
	SET_PAIR(fs, gd, bg_free_inodes_count, n);
}

void
ext4_desc_set_dirs(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n)
{
	SET_PAIR(fs, gd, bg_used_dirs_count, n);
}

void
ext4_desc_set_unused(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n)
{
	SET_PAIR(fs, gd, bg_itable_unused, n);
}

void
ext4_desc_seal(const struct ext4_fs *fs, u32 group, struct ext4_group_desc *gd)
{
	gd->bg_checksum = ext4_desc_csum(fs, group, gd);
}

void
ext4_block_bitmap_seal(struct ext4_fs *fs, struct ext4_group_desc *gd, struct buffer *b)
{
	u32 crc;

	if (!fs->has_csum)
		return;
	crc = ext4_csum(fs, fs->csum_seed, b->data, fs->blocks_per_group / 8);
	gd->bg_block_bitmap_csum_lo = (u16)crc;
	if (wide(fs))
		gd->bg_block_bitmap_csum_hi = (u16)(crc >> 16);
}

void
ext4_inode_bitmap_seal(struct ext4_fs *fs, struct ext4_group_desc *gd, struct buffer *b)
{
	u32 crc;

	if (!fs->has_csum)
		return;
	crc = ext4_csum(fs, fs->csum_seed, b->data, fs->inodes_per_group / 8);
	gd->bg_inode_bitmap_csum_lo = (u16)crc;
	if (wide(fs))
		gd->bg_inode_bitmap_csum_hi = (u16)(crc >> 16);
}

struct ext4_group_desc *
ext4_desc(const struct ext4_fs *fs, u32 group, struct buffer **b)
{
	struct buffer *buffer = fs->gdt[group / fs->descs_per_block];

	if (b)
		*b = buffer;
	return (struct ext4_group_desc *)(buffer->data +
					  (size_t)(group % fs->descs_per_block) * fs->desc_size);
}

u64
ext4_group_first(const struct ext4_fs *fs, u32 group)
{
	return fs->first_data_block + (u64)group * fs->blocks_per_group;
}

u32
ext4_group_blocks(const struct ext4_fs *fs, u32 group)
{
	u64 left = fs->blocks - ext4_group_first(fs, group);

	return (u32)MIN(left, (u64)fs->blocks_per_group);
}

/* --- where copies of the superblock are --- */

static bool
is_power_of(u32 n, u32 base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

bool
ext4_group_has_super(const struct ext4_fs *fs, u32 group)
{
	if (group == 0)
		return true;
	if (ext4_compat(fs, COMPAT_SPARSE_SUPER2))
		return group == fs->es->s_backup_bgs[0] || group == fs->es->s_backup_bgs[1];
	if (group == 1 || !ext4_ro_compat(fs, RO_SPARSE_SUPER))
		return true;
	return (group & 1) &&
	       (is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7));
}

/* Blocks at the start of a group for the superblock, descriptors and room for more of these. */
static u32
base_blocks(const struct ext4_fs *fs, u32 group)
{
	u32 n = ext4_group_has_super(fs, group), meta = group / fs->descs_per_block;

	if (!ext4_incompat(fs, INCOMPAT_META_BG) || meta < fs->es->s_first_meta_bg) {
		if (n) {
			n += ext4_incompat(fs, INCOMPAT_META_BG) ? fs->es->s_first_meta_bg
								 : fs->gdt_blocks;
			n += fs->es->s_reserved_gdt_blocks;
		}
	} else {
		u32 first = meta * fs->descs_per_block;

		if (group == first || group == first + 1 ||
		    group == first + fs->descs_per_block - 1)
			n++;
	}
	return n;
}

static u64
desc_block(const struct ext4_fs *fs, u32 nr)
{
	u32 group;

	if (!ext4_incompat(fs, INCOMPAT_META_BG) || nr < fs->es->s_first_meta_bg)
		return fs->first_data_block + (fs->block_size == 1024 && !fs->first_data_block) +
		       1 + nr;
	group = nr * fs->descs_per_block;
	return ext4_group_first(fs, group) + ext4_group_has_super(fs, group) +
	       (group == 0 && fs->block_size == 1024 && !fs->first_data_block);
}

/* --- loading --- */

static bool
place_valid(const struct ext4_fs *fs, u32 group, u64 block, u32 n)
{
	u64 first = fs->first_data_block, end = fs->blocks;

	if (!ext4_incompat(fs, INCOMPAT_FLEX_BG)) {
		first = ext4_group_first(fs, group);
		end = first + ext4_group_blocks(fs, group);
	}
	return block > fs->first_data_block && block >= first && block < end && n <= end - block;
}

static int
check_group(struct ext4_fs *fs, u32 group)
{
	struct ext4_group_desc *gd = ext4_desc(fs, group, NULL);

	if (!place_valid(fs, group, ext4_block_bitmap_of(fs, gd), 1) ||
	    !place_valid(fs, group, ext4_inode_bitmap_of(fs, gd), 1) ||
	    !place_valid(fs, group, ext4_inode_table_of(fs, gd), fs->table_blocks)) {
		log_err("EXT4-fs (%s): group %u: bitmaps or inode table in an impossible place\n",
			fs->dev->name, group);
		return -EFSCORRUPTED;
	}
	if (fs->has_group_csum && gd->bg_checksum != ext4_desc_csum(fs, group, gd)) {
		log_err("EXT4-fs (%s): group %u: checksum of the descriptor is wrong\n",
			fs->dev->name, group);
		return -EFSBADCRC;
	}
	if (ext4_desc_free_blocks(fs, gd) > ext4_group_blocks(fs, group) ||
	    ext4_desc_free_inodes(fs, gd) > fs->inodes_per_group ||
	    ext4_desc_unused(fs, gd) > fs->inodes_per_group) {
		log_err("EXT4-fs (%s): group %u: impossible counts\n", fs->dev->name, group);
		return -EFSCORRUPTED;
	}
	return 0;
}

int
ext4_groups_load(struct ext4_fs *fs)
{
	int err = -ENOMEM;

	fs->gdt = kvmalloc(fs->gdt_blocks * sizeof(*fs->gdt), GFP_KERNEL);
	fs->group = kvmalloc(fs->groups * sizeof(*fs->group), GFP_KERNEL);
	if (!fs->gdt || !fs->group)
		goto out_free;
	memset(fs->gdt, 0, fs->gdt_blocks * sizeof(*fs->gdt));
	memset(fs->group, 0, fs->groups * sizeof(*fs->group));
	for (u32 i = 0; i < fs->gdt_blocks; i++) {
		err = ext4_read_block(fs, desc_block(fs, i), &fs->gdt[i]);
		if (err) {
			log_err("EXT4-fs (%s): cannot read group descriptors\n", fs->dev->name);
			goto out_free;
		}
	}
	for (u32 group = 0; group < fs->groups; group++) {
		spin_init(&fs->group[group].lock, RANK_FS);
		fs->group[group].longest = UINT32_MAX;
		err = check_group(fs, group);
		if (err)
			goto out_free;
	}
	return 0;
out_free:
	ext4_groups_free(fs);
	return err;
}

void
ext4_groups_free(struct ext4_fs *fs)
{
	for (u32 i = 0; fs->gdt && i < fs->gdt_blocks; i++)
		buffer_put(fs->gdt[i]);
	for (u32 i = 0; fs->group && i < fs->groups; i++)
		kvfree(fs->group[i].pending);
	kvfree(fs->gdt);
	kvfree(fs->group);
	fs->gdt = NULL;
	fs->group = NULL;
}

/* --- bitmaps --- */

static void
mark_if_inside(unsigned long *map, u64 first, u32 size, u64 block, u64 n)
{
	u64 end = block + n;

	if (block < first)
		block = first;
	if (end > first + size)
		end = first + size;
	if (block < end)
		bitmap_set(map, block - first, end - block);
}

static void
pad_bitmap(struct ext4_fs *fs, struct buffer *b, u32 bits)
{
	if (bits < fs->block_size * 8)
		bitmap_set((unsigned long *)b->data, bits, fs->block_size * 8 - bits);
}

/* Of a group that was never used. */
static void
make_block_bitmap(struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd, struct buffer *b)
{
	unsigned long *map = (unsigned long *)b->data;
	u64 first = ext4_group_first(fs, group);
	u32 size = ext4_group_blocks(fs, group);

	memset(b->data, 0, fs->block_size);
	mark_if_inside(map, first, size, first, base_blocks(fs, group));
	mark_if_inside(map, first, size, ext4_block_bitmap_of(fs, gd), 1);
	mark_if_inside(map, first, size, ext4_inode_bitmap_of(fs, gd), 1);
	mark_if_inside(map, first, size, ext4_inode_table_of(fs, gd), fs->table_blocks);
	pad_bitmap(fs, b, size);
}

static bool
bitmap_csum_ok(const struct ext4_fs *fs, const struct buffer *b, u32 bytes, u16 low, u16 high)
{
	u32 crc, have = low;

	if (!fs->has_csum)
		return true;
	crc = ext4_csum(fs, fs->csum_seed, b->data, bytes);
	if (wide(fs))
		have |= (u32)high << 16;
	else
		crc &= 0xffff;
	return crc == have;
}

/* What the group itself consists of is not free. */
static bool
block_bitmap_plausible(struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd,
		       const struct buffer *b)
{
	const unsigned long *map = (const unsigned long *)b->data;
	u64 first = ext4_group_first(fs, group), table = ext4_inode_table_of(fs, gd);

	if (ext4_incompat(fs, INCOMPAT_FLEX_BG))
		return true;
	return test_bit(ext4_block_bitmap_of(fs, gd) - first, map) &&
	       test_bit(ext4_inode_bitmap_of(fs, gd) - first, map) &&
	       find_next_zero_bit(map, table - first + fs->table_blocks, table - first) >=
		       table - first + fs->table_blocks;
}

static bool
block_bitmap_csum_ok(struct ext4_fs *fs, const struct ext4_group_desc *gd, const struct buffer *b)
{
	return bitmap_csum_ok(fs, b, fs->blocks_per_group / 8, gd->bg_block_bitmap_csum_lo,
			      gd->bg_block_bitmap_csum_hi);
}

/* Of a group whose inodes were never used. */
static void
make_inode_bitmap(struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd, struct buffer *b)
{
	memset(b->data, 0, fs->block_size);
	pad_bitmap(fs, b, fs->inodes_per_group);
}

static bool
inode_bitmap_csum_ok(struct ext4_fs *fs, const struct ext4_group_desc *gd, const struct buffer *b)
{
	return bitmap_csum_ok(fs, b, fs->inodes_per_group / 8, gd->bg_inode_bitmap_csum_lo,
			      gd->bg_inode_bitmap_csum_hi);
}

/* What the two bitmaps of a group do differently. */
struct bitmap_kind {
	const char *name;
	u32 bad;    /* of struct ext4_group's flags */
	u16 uninit; /* of bg_flags */
	void (*make)(struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd,
		     struct buffer *b);
	bool (*csum_ok)(struct ext4_fs *fs, const struct ext4_group_desc *gd,
			const struct buffer *b);
	bool (*plausible)(struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd,
			  const struct buffer *b); /* NULL: any is */
};

static const struct bitmap_kind block_bitmap_kind = {
	.name = "block",
	.bad = GROUP_BLOCKS_BAD,
	.uninit = BG_BLOCK_UNINIT,
	.make = make_block_bitmap,
	.csum_ok = block_bitmap_csum_ok,
	.plausible = block_bitmap_plausible,
};
static const struct bitmap_kind inode_bitmap_kind = {
	.name = "inode",
	.bad = GROUP_INODES_BAD,
	.uninit = BG_INODE_UNINIT,
	.make = make_inode_bitmap,
	.csum_ok = inode_bitmap_csum_ok,
};

/* The bitmap at `block`, read or made, and found good: referenced. */
static int
bitmap_load(struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd, u64 block,
	    const struct bitmap_kind *kind, struct buffer **out)
{
	struct ext4_group *g = &fs->group[group];
	struct buffer *b;
	int err;

	if (READ_ONCE(g->flags) & kind->bad)
		return -EFSCORRUPTED;
	err = buffer_get(fs->cache, block, &b);
	if (err)
		return err;
	if (buffer_uptodate(b) && buffer_verified(b)) {
		*out = b;
		return 0;
	}
	/* The descriptor's flag changes under the buffer's lock and the group's. */
	buffer_lock(b);
	if ((!buffer_verified(b) || !buffer_uptodate(b)) && fs->has_group_csum &&
	    (gd->bg_flags & kind->uninit)) {
		kind->make(fs, group, gd, b);
		buffer_set_uptodate(b);
		buffer_set_verified(b);
	}
	buffer_unlock(b);
	if (!buffer_uptodate(b)) {
		buffer_put(b);
		err = ext4_read_block(fs, block, &b);
		if (err)
			return err;
	}
	if (!buffer_verified(b)) {
		bool good;

		spin_lock(&g->lock);
		good = kind->csum_ok(fs, gd, b);
		spin_unlock(&g->lock);
		if (!good)
			err = ext4_badcrc(fs, 0, block, "group %u: bad %s bitmap checksum", group,
					  kind->name);
		else if (kind->plausible && !kind->plausible(fs, group, gd, b))
			err = ext4_corrupt(fs, 0, block, "group %u: invalid %s bitmap", group,
					   kind->name);
		if (err) {
			spin_lock(&g->lock);
			g->flags |= kind->bad;
			spin_unlock(&g->lock);
			buffer_put(b);
			return err;
		}
		buffer_set_verified(b);
	}
	*out = b;
	return 0;
}

int
ext4_block_bitmap(struct ext4_fs *fs, u32 group, struct buffer **out)
{
	struct ext4_group_desc *gd = ext4_desc(fs, group, NULL);

	return bitmap_load(fs, group, gd, ext4_block_bitmap_of(fs, gd), &block_bitmap_kind, out);
}

int
ext4_inode_bitmap(struct ext4_fs *fs, u32 group, struct buffer **out)
{
	struct ext4_group_desc *gd = ext4_desc(fs, group, NULL);

	return bitmap_load(fs, group, gd, ext4_inode_bitmap_of(fs, gd), &inode_bitmap_kind, out);
}

bool
ext4_blocks_valid(const struct ext4_fs *fs, u64 block, u32 n)
{
	return block > fs->first_data_block && n && block < fs->blocks && n <= fs->blocks - block;
}
