/* SPDX-License-Identifier: MIT */
/*
 * The on-disk format of ext2, ext3 and ext4. Numbers are little-endian, as on every machine that
 * this kernel runs on; a field in two halves (_lo, _hi) has an accessor.
 */
#ifndef EXT4_FORMAT_H
#define EXT4_FORMAT_H

#include "lib/types.h"

#define EXT4_MAGIC	      0xef53
#define EXT4_SUPER_OFFSET     1024u
#define EXT4_ROOT_INO	      2u
#define EXT4_RESIZE_INO	      7u
#define EXT4_JOURNAL_INO      8u
#define EXT4_GOOD_OLD_FIRST   11u
#define EXT4_GOOD_OLD_SIZE    128u /* bytes of an inode that every revision has */
#define EXT4_TIME_LAST	      (INT32_MIN + (1ll << 34) - 1) /* seconds since 1970, in 34 bits: 2446 */
#define EXT4_NAME_LEN	      255u
#define EXT4_LINK_MAX	      65000u
#define EXT4_NR_BLOCK_SLOTS   15u
#define EXT4_FAST_SYMLINK_MAX 60u

/* s_state */
#define EXT4_VALID_FS  0x1
#define EXT4_ERROR_FS  0x2
#define EXT4_ORPHAN_FS 0x4

/* s_errors */
#define EXT4_ERRORS_CONTINUE 1
#define EXT4_ERRORS_RO	     2
#define EXT4_ERRORS_PANIC    3

/* s_flags */
#define EXT4_FLAG_SIGNED_HASH	0x1
#define EXT4_FLAG_UNSIGNED_HASH 0x2

/* s_feature_compat */
#define COMPAT_DIR_PREALLOC  0x0001
#define COMPAT_HAS_JOURNAL   0x0004
#define COMPAT_EXT_ATTR	     0x0008
#define COMPAT_RESIZE_INODE  0x0010
#define COMPAT_DIR_INDEX     0x0020
#define COMPAT_SPARSE_SUPER2 0x0200
#define COMPAT_ORPHAN_FILE   0x1000

/* s_feature_incompat */
#define INCOMPAT_COMPRESSION 0x00001
#define INCOMPAT_FILETYPE    0x00002
#define INCOMPAT_RECOVER     0x00004
#define INCOMPAT_JOURNAL_DEV 0x00008
#define INCOMPAT_META_BG     0x00010
#define INCOMPAT_EXTENTS     0x00040
#define INCOMPAT_64BIT	     0x00080
#define INCOMPAT_MMP	     0x00100
#define INCOMPAT_FLEX_BG     0x00200
#define INCOMPAT_EA_INODE    0x00400
#define INCOMPAT_DIRDATA     0x01000
#define INCOMPAT_CSUM_SEED   0x02000
#define INCOMPAT_LARGEDIR    0x04000
#define INCOMPAT_INLINE_DATA 0x08000
#define INCOMPAT_ENCRYPT     0x10000
#define INCOMPAT_CASEFOLD    0x20000

/* s_feature_ro_compat */
#define RO_SPARSE_SUPER	  0x00001
#define RO_LARGE_FILE	  0x00002
#define RO_BTREE_DIR	  0x00004
#define RO_HUGE_FILE	  0x00008
#define RO_GDT_CSUM	  0x00010
#define RO_DIR_NLINK	  0x00020
#define RO_EXTRA_ISIZE	  0x00040
#define RO_QUOTA	  0x00100
#define RO_BIGALLOC	  0x00200
#define RO_METADATA_CSUM  0x00400
#define RO_READONLY	  0x01000
#define RO_PROJECT	  0x02000
#define RO_SHARED_BLOCKS  0x04000
#define RO_VERITY	  0x08000
#define RO_ORPHAN_PRESENT 0x10000

struct ext4_super_block {
	u32 s_inodes_count, s_blocks_count_lo, s_r_blocks_count_lo, s_free_blocks_count_lo;
	u32 s_free_inodes_count, s_first_data_block, s_log_block_size, s_log_cluster_size;
	u32 s_blocks_per_group, s_clusters_per_group, s_inodes_per_group, s_mtime;
	u32 s_wtime;
	u16 s_mnt_count, s_max_mnt_count;
	u16 s_magic, s_state, s_errors, s_minor_rev_level;
	u32 s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
	u16 s_def_resuid, s_def_resgid;
	u32 s_first_ino;
	u16 s_inode_size, s_block_group_nr;
	u32 s_feature_compat, s_feature_incompat, s_feature_ro_compat;
	u8 s_uuid[16];
	char s_volume_name[16];
	char s_last_mounted[64];
	u32 s_algorithm_usage_bitmap;
	u8 s_prealloc_blocks, s_prealloc_dir_blocks;
	u16 s_reserved_gdt_blocks;
	u8 s_journal_uuid[16];
	u32 s_journal_inum, s_journal_dev, s_last_orphan;
	u32 s_hash_seed[4];
	u8 s_def_hash_version, s_jnl_backup_type;
	u16 s_desc_size;
	u32 s_default_mount_opts, s_first_meta_bg, s_mkfs_time;
	u32 s_jnl_blocks[17];
	u32 s_blocks_count_hi, s_r_blocks_count_hi, s_free_blocks_count_hi;
	u16 s_min_extra_isize, s_want_extra_isize;
	u32 s_flags;
	u16 s_raid_stride, s_mmp_update_interval;
	u64 s_mmp_block;
	u32 s_raid_stripe_width;
	u8 s_log_groups_per_flex, s_checksum_type, s_encryption_level, s_reserved_pad;
	u64 s_kbytes_written;
	u32 s_snapshot_inum, s_snapshot_id;
	u64 s_snapshot_r_blocks_count;
	u32 s_snapshot_list, s_error_count, s_first_error_time, s_first_error_ino;
	u64 s_first_error_block;
	char s_first_error_func[32];
	u32 s_first_error_line, s_last_error_time, s_last_error_ino, s_last_error_line;
	u64 s_last_error_block;
	char s_last_error_func[32];
	char s_mount_opts[64];
	u32 s_usr_quota_inum, s_grp_quota_inum, s_overhead_clusters;
	u32 s_backup_bgs[2];
	u8 s_encrypt_algos[4], s_encrypt_pw_salt[16];
	u32 s_lpf_ino, s_prj_quota_inum, s_checksum_seed;
	u8 s_wtime_hi, s_mtime_hi, s_mkfs_time_hi, s_lastcheck_hi, s_first_error_time_hi,
		s_last_error_time_hi, s_first_error_errcode, s_last_error_errcode;
	u16 s_encoding, s_encoding_flags;
	u32 s_orphan_file_inum, s_reserved[94], s_checksum;
};
STATIC_ASSERT(sizeof(struct ext4_super_block) == 1024);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_feature_compat) == 0x5c);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_hash_seed) == 0xec);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_blocks_count_hi) == 0x150);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_error_count) == 0x194);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_mount_opts) == 0x200);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_checksum_seed) == 0x270);
STATIC_ASSERT(__builtin_offsetof(struct ext4_super_block, s_orphan_file_inum) == 0x280);

/* s_default_mount_opts */
#define DEFM_XATTR_USER 0x0004
#define DEFM_ACL	0x0008
#define DEFM_NOBARRIER	0x0100
#define DEFM_DISCARD	0x0400

/* A group descriptor; 32 bytes without INCOMPAT_64BIT. */
struct ext4_group_desc {
	u32 bg_block_bitmap_lo, bg_inode_bitmap_lo, bg_inode_table_lo;
	u16 bg_free_blocks_count_lo, bg_free_inodes_count_lo, bg_used_dirs_count_lo, bg_flags;
	u32 bg_exclude_bitmap_lo;
	u16 bg_block_bitmap_csum_lo, bg_inode_bitmap_csum_lo, bg_itable_unused_lo, bg_checksum;
	u32 bg_block_bitmap_hi, bg_inode_bitmap_hi, bg_inode_table_hi;
	u16 bg_free_blocks_count_hi, bg_free_inodes_count_hi, bg_used_dirs_count_hi,
		bg_itable_unused_hi;
	u32 bg_exclude_bitmap_hi;
	u16 bg_block_bitmap_csum_hi, bg_inode_bitmap_csum_hi;
	u32 bg_reserved;
};
STATIC_ASSERT(sizeof(struct ext4_group_desc) == 64);
#define EXT4_DESC_SIZE_32 32u
#define BG_INODE_UNINIT	  0x1
#define BG_BLOCK_UNINIT	  0x2
#define BG_INODE_ZEROED	  0x4

struct ext4_disk_inode {
	u16 i_mode, i_uid;
	u32 i_size_lo, i_atime, i_ctime, i_mtime, i_dtime;
	u16 i_gid, i_links_count;
	u32 i_blocks_lo, i_flags, i_version;
	u32 i_block[EXT4_NR_BLOCK_SLOTS];
	u32 i_generation, i_file_acl_lo, i_size_high, i_obso_faddr;
	u16 i_blocks_high, i_file_acl_high, i_uid_high, i_gid_high, i_checksum_lo, i_reserved;
	/* from here on as far as i_extra_isize says */
	u16 i_extra_isize, i_checksum_hi;
	u32 i_ctime_extra, i_mtime_extra, i_atime_extra, i_crtime, i_crtime_extra, i_version_hi,
		i_projid;
};
STATIC_ASSERT(sizeof(struct ext4_disk_inode) == 160);
STATIC_ASSERT(__builtin_offsetof(struct ext4_disk_inode, i_block) == 40);
STATIC_ASSERT(__builtin_offsetof(struct ext4_disk_inode, i_extra_isize) == 128);

/* i_flags */
#define EXT4_SYNC_FL	     0x00000008u
#define EXT4_IMMUTABLE_FL    0x00000010u
#define EXT4_APPEND_FL	     0x00000020u
#define EXT4_NODUMP_FL	     0x00000040u
#define EXT4_NOATIME_FL	     0x00000080u
#define EXT4_ENCRYPT_FL	     0x00000800u
#define EXT4_INDEX_FL	     0x00001000u
#define EXT4_JOURNAL_DATA_FL 0x00004000u
#define EXT4_DIRSYNC_FL	     0x00010000u
#define EXT4_TOPDIR_FL	     0x00020000u
#define EXT4_HUGE_FILE_FL    0x00040000u
#define EXT4_EXTENTS_FL	     0x00080000u
#define EXT4_VERITY_FL	     0x00100000u
#define EXT4_EA_INODE_FL     0x00200000u
#define EXT4_INLINE_DATA_FL  0x10000000u
#define EXT4_PROJINHERIT_FL  0x20000000u
#define EXT4_CASEFOLD_FL     0x40000000u
#define EXT4_USER_VISIBLE    0x705bdfffu
#define EXT4_USER_MODIFIABLE 0x604bc0ffu
/* What a new inode takes over from its directory; of that, what a file and what others keep. */
#define EXT4_INHERITED	  0x7003c0ebu & ~EXT4_INLINE_DATA_FL
#define EXT4_REG_FLMASK	  (~(EXT4_DIRSYNC_FL | EXT4_TOPDIR_FL))
#define EXT4_OTHER_FLMASK (EXT4_NODUMP_FL | EXT4_NOATIME_FL)

/* --- extents: a node is a header, then entries; the root is in i_block --- */
#define EXT4_EXTENT_MAGIC     0xf30a
#define EXT4_EXTENT_MAX_DEPTH 5u
#define EXT4_EXTENT_MAX_LEN   32768u /* written; longer lengths mean unwritten, less this */
#define EXT4_UNWRITTEN_MAX    32767u

struct ext4_extent_header {
	u16 eh_magic, eh_entries, eh_max, eh_depth;
	u32 eh_generation;
};
struct ext4_extent {
	u32 ee_block;
	u16 ee_len, ee_start_hi;
	u32 ee_start_lo;
};
struct ext4_extent_index {
	u32 ei_block, ei_leaf_lo;
	u16 ei_leaf_hi, ei_unused;
};
STATIC_ASSERT(sizeof(struct ext4_extent_header) == 12 && sizeof(struct ext4_extent) == 12 &&
	      sizeof(struct ext4_extent_index) == 12);

/* --- directories --- */
struct ext4_dirent {
	u32 inode;
	u16 rec_len;
	u8 name_len, file_type;
	char name[];
};
#define EXT4_DIRENT_SIZE(name_len) ALIGN_UP(8u + (u32)(name_len), 4u)
/* With metadata_csum the end of a leaf is an entry that names nothing. */
struct ext4_dirent_tail {
	u32 det_zero1;
	u16 det_rec_len;
	u8 det_zero2, det_ft;
	u32 det_checksum;
};
#define EXT4_TAIL_FT 0xde
STATIC_ASSERT(sizeof(struct ext4_dirent_tail) == 12);

#define EXT4_FT_UNKNOWN 0
#define EXT4_FT_REG	1
#define EXT4_FT_DIR	2
#define EXT4_FT_CHR	3
#define EXT4_FT_BLK	4
#define EXT4_FT_FIFO	5
#define EXT4_FT_SOCK	6
#define EXT4_FT_LINK	7

#define DX_HASH_LEGACY		  0
#define DX_HASH_HALF_MD4	  1
#define DX_HASH_TEA		  2
#define DX_HASH_LEGACY_UNSIGNED	  3
#define DX_HASH_HALF_MD4_UNSIGNED 4
#define DX_HASH_TEA_UNSIGNED	  5

/* An index: the first entry has the count in place of a hash (0). */
struct ext4_dx_entry {
	u32 hash, block;
};
struct ext4_dx_countlimit {
	u16 limit, count;
	u32 block;
};
/* In the root behind the entries of . and .. (24 bytes). */
struct ext4_dx_root_info {
	u32 reserved_zero;
	u8 hash_version, info_length, indirect_levels, unused_flags;
};
struct ext4_dx_tail {
	u32 dt_reserved, dt_checksum;
};
#define EXT4_DX_ROOT_INFO  24u /* offset in the first block */
#define EXT4_DX_ROOT_ENTRY 32u
#define EXT4_DX_NODE_ENTRY 8u
STATIC_ASSERT(sizeof(struct ext4_dx_root_info) == 8 && sizeof(struct ext4_dx_tail) == 8);

/* --- extended attributes --- */
#define EXT4_XATTR_MAGIC	0xea020000u
#define EXT4_XATTR_REFCOUNT_MAX 1024u

struct ext4_xattr_header {
	u32 h_magic, h_refcount, h_blocks, h_hash, h_checksum, h_reserved[3];
};
struct ext4_xattr_entry {
	u8 e_name_len, e_name_index;
	u16 e_value_offs;
	u32 e_value_inum, e_value_size, e_hash;
	char e_name[];
};
STATIC_ASSERT(sizeof(struct ext4_xattr_header) == 32 && sizeof(struct ext4_xattr_entry) == 16);
#define EXT4_XATTR_ENTRY_SIZE(name_len) ALIGN_UP((u32)(name_len) + 16u, 4u)

#define EXT4_XATTR_USER	       1
#define EXT4_XATTR_ACL_ACCESS  2
#define EXT4_XATTR_ACL_DEFAULT 3
#define EXT4_XATTR_TRUSTED     4
#define EXT4_XATTR_SECURITY    6
#define EXT4_XATTR_SYSTEM      7

/* ACLs in an attribute: a version, then entries; only named ones have an id. */
#define EXT4_ACL_VERSION 1
struct ext4_acl_entry {
	u16 e_tag, e_perm;
	u32 e_id;
};
#define EXT4_ACL_SHORT 4u

/* --- the orphan file --- */
#define EXT4_ORPHAN_MAGIC 0x0b10ca04u
struct ext4_orphan_tail {
	u32 ob_magic, ob_checksum;
};

#endif
