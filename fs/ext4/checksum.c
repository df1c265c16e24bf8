/* SPDX-License-Identifier: MIT */
/*
 * Checksums of metadata_csum: crc32c, seeded with the file system's UUID, then with what the
 * block belongs to, so that a block in the wrong place does not match. uninit_bg's descriptors have
 * crc16.
 */
#include "ext4_internal.h"

u32
ext4_csum(const struct ext4_fs *fs, u32 seed, const void *data, size_t len)
{
	return crc32c(seed, data, len);
}

u32
ext4_super_csum(const struct ext4_super_block *es)
{
	return crc32c(~0u, es, __builtin_offsetof(struct ext4_super_block, s_checksum));
}

u16
ext4_desc_csum(const struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd)
{
	const u8 *raw = (const u8 *)gd;
	u32 at = __builtin_offsetof(struct ext4_group_desc, bg_checksum), rest = at + 2;

	if (fs->has_csum) {
		u16 zero = 0;
		u32 crc = crc32c(fs->csum_seed, &group, sizeof(group));

		crc = crc32c(crc, raw, at);
		crc = crc32c(crc, &zero, sizeof(zero));
		if (fs->desc_size > rest)
			crc = crc32c(crc, raw + rest, fs->desc_size - rest);
		return (u16)crc;
	}
	if (fs->has_group_csum) {
		u16 crc = crc16(0xffff, fs->es->s_uuid, sizeof(fs->es->s_uuid));

		crc = crc16(crc, &group, sizeof(group));
		crc = crc16(crc, raw, at);
		if (fs->desc_size > rest)
			crc = crc16(crc, raw + rest, fs->desc_size - rest);
		return crc;
	}
	return 0;
}

u32
ext4_seed_of_inode(const struct ext4_fs *fs, u32 ino, u32 generation)
{
	return crc32c(crc32c(fs->csum_seed, &ino, sizeof(ino)), &generation, sizeof(generation));
}

/* Whether the inode has the upper half of its checksum. */
static bool
has_high(const struct ext4_fs *fs, const struct ext4_disk_inode *raw)
{
	return fs->inode_size > EXT4_GOOD_OLD_SIZE &&
	       raw->i_extra_isize >= __builtin_offsetof(struct ext4_disk_inode, i_checksum_hi) + 2 -
					     EXT4_GOOD_OLD_SIZE;
}

u32
ext4_inode_csum(const struct ext4_node *n, const struct ext4_disk_inode *raw)
{
	const u8 *bytes = (const u8 *)raw;
	u32 low = __builtin_offsetof(struct ext4_disk_inode, i_checksum_lo);
	u32 high = __builtin_offsetof(struct ext4_disk_inode, i_checksum_hi);
	u32 size = n->fs->inode_size, crc;
	u16 zero = 0;

	crc = crc32c(n->csum_seed, bytes, low);
	crc = crc32c(crc, &zero, sizeof(zero));
	crc = crc32c(crc, bytes + low + 2, EXT4_GOOD_OLD_SIZE - low - 2);
	if (size > EXT4_GOOD_OLD_SIZE) {
		crc = crc32c(crc, bytes + EXT4_GOOD_OLD_SIZE, high - EXT4_GOOD_OLD_SIZE);
		if (has_high(n->fs, raw)) {
			crc = crc32c(crc, &zero, sizeof(zero));
			high += 2;
		}
		crc = crc32c(crc, bytes + high, size - high);
	}
	return has_high(n->fs, raw) ? crc : (u16)crc;
}

void
ext4_inode_csum_set(const struct ext4_node *n, struct ext4_disk_inode *raw)
{
	u32 crc;

	if (!n->fs->has_csum)
		return;
	crc = ext4_inode_csum(n, raw);
	raw->i_checksum_lo = (u16)crc;
	if (has_high(n->fs, raw))
		raw->i_checksum_hi = (u16)(crc >> 16);
}

bool
ext4_inode_csum_ok(const struct ext4_node *n, const struct ext4_disk_inode *raw)
{
	u32 have = raw->i_checksum_lo;

	if (!n->fs->has_csum)
		return true;
	if (has_high(n->fs, raw))
		have |= (u32)raw->i_checksum_hi << 16;
	return have == ext4_inode_csum(n, raw);
}
