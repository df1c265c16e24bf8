/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of fs/ext4: what a mounted file system and an inode are in memory, and who
 * does what. docs/ext4.md tells the whole.
 *
 * Letters: [I] fixed after mount (after reading the inode), [A] atomic, [L] inode->lock,
 * [M] node->map_lock, [X] node->xattr_lock, [G] the group's lock, [O] fs->orphan_lock,
 * [R] node->raw_lock, [P] the page's lock.
 */
#ifndef EXT4_INTERNAL_H
#define EXT4_INTERNAL_H

#include "block/block.h"
#include "block/buffer.h"
#include "core/log.h"
#include "format.h"
#include "fs/journal/journal.h"
#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "lib/crc.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define EFSCORRUPTED EUCLEAN
#ifndef EFSBADCRC
#define EFSBADCRC EBADMSG
#endif

/* ---- a mounted file system ---- */

struct ext4_group {
	struct spinlock lock; /* G: this group's bitmaps and descriptor */
	u32 flags;	      /* [G] GROUP_* */
	/* [G] No run of free blocks is longer; all ones: not known. Makes full groups cheap. */
	u32 longest;
	/* [G] Blocks that are free once the transaction that freed them has committed: set here and
	 * clear in the bitmap. NULL: none. */
	unsigned long *pending;
	u32 pending_count; /* [G] */
};
#define GROUP_BLOCKS_BAD     BIT(0) /* the bitmap is damaged: nothing is allocated here */
#define GROUP_INODES_BAD     BIT(1)
#define GROUP_BLOCKS_CHECKED BIT(2)

/* One line a CPU: only sums mean something. */
struct ext4_cpu {
	struct atomic64 stash; /* [A] free blocks that this CPU may give away: balloc.c */
	struct atomic64 free_inodes, dirs;
} __aligned(64);

enum ext4_errors { ERRORS_CONTINUE = 1, ERRORS_RO = 2, ERRORS_PANIC = 3 };

struct ext4_options {
	u32 flags; /* OPT_* */
	u32 errors;
	u32 resuid, resgid;
	u64 sb_block; /* sb=, in KiB; 1 */
	u32 commit, stripe, journal_data;
	u32 max_batch, min_batch, inode_readahead;
};
#define OPT_NOLOAD     BIT(0)
#define OPT_DISCARD    BIT(1)
#define OPT_NOBARRIER  BIT(2)
#define OPT_XATTR_USER BIT(3)
#define OPT_ACL	       BIT(4)
#define OPT_NODELALLOC BIT(5)
#define OPT_GRPID      BIT(6)
#define OPT_MINIXDF    BIT(7)
#define OPT_COMMIT_SET BIT(8)
#define OPT_ERRORS_SET BIT(9)
#define OPT_LAZYTIME   BIT(10)
#define OPT_IVERSION   BIT(11)
#define OPT_WRITEBACK  BIT(12)

struct ext4_fs {
	struct super *super;
	struct block_device *dev;
	struct buffer_cache *cache;
	struct ext4_node *log;	     /* the journal's inode, while the mount goes on */
	struct journal *journal;     /* [I] NULL: none, or not loaded */
	struct buffer *super_buffer; /* [I] */
	struct ext4_super_block *es; /* in it */
	u32 block_size, block_bits, inode_size, inodes_per_group, blocks_per_group;
	u32 desc_size, descs_per_block, groups, gdt_blocks, first_data_block, first_ino;
	u32 inodes_per_block, table_blocks, flex_groups, inodes;
	u64 blocks, overhead;
	u32 csum_seed;
	bool has_csum, has_group_csum; /* metadata_csum; that or uninit_bg */
	bool unsigned_hash;
	u32 hash_seed[4];
	struct buffer **gdt;	  /* [I] gdt_blocks of them */
	struct ext4_group *group; /* [I] groups of them */

	/* free blocks: balloc.c */
	struct ext4_cpu *cpu;	   /* [I] one a CPU */
	struct atomic64 available; /* free, not promised to anybody, not in a stash */
	struct atomic64 pending;   /* freed, free after the commit */
	struct spinlock stash_lock;
	u64 metadata_reserve; /* [I] blocks kept for extent trees of data that was promised room */

	struct mutex orphan_lock; /* O */
	struct list orphans;	  /* [O] nodes on the list that the disk has */

	struct ext4_options options;
	u32 generation; /* [A] of new inodes */
	u32 spread;	/* [A] where the next top directory goes */
	bool aborted;	/* an error made it read-only */
	bool running;	/* the journal takes handles */
	struct spinlock error_lock;
	struct ext4_error {
		u32 count, ino, errno_value, line, first_time;
		u64 block;
		char func[32];
	} error; /* [error_lock] the last one, for the superblock */
	struct work error_work;
	u64 log_window, log_count; /* [error_lock] not too many messages */
};

static inline struct ext4_fs *
ext4_fs_of(const struct super *s)
{
	return s->private;
}

static inline bool
ext4_incompat(const struct ext4_fs *fs, u32 f)
{
	return fs->es->s_feature_incompat & f;
}
static inline bool
ext4_compat(const struct ext4_fs *fs, u32 f)
{
	return fs->es->s_feature_compat & f;
}
static inline bool
ext4_ro_compat(const struct ext4_fs *fs, u32 f)
{
	return fs->es->s_feature_ro_compat & f;
}
static inline bool
ext4_readonly(const struct ext4_fs *fs)
{
	return READ_ONCE(fs->super->flags) & 1; /* MS_RDONLY */
}

/* ---- an inode in memory: inode->private ---- */

struct ext4_node {
	struct inode *inode; /* [I] */
	struct ext4_fs *fs;  /* [I] */
	u32 ino;	     /* [I] */
	u32 csum_seed;	     /* [I] */
	u32 generation;	     /* [I] */
	u32 group;	     /* [I] the inode's */
	/* [M] The root of the extent tree, or block numbers, or a short symlink, or inline data. */
	u32 block[EXT4_NR_BLOCK_SLOTS];
	u32 flags;     /* [L] EXT4_*_FL */
	u64 disk_size; /* [M] the size on the disk: grows when blocks are written */
	u64 file_acl;  /* [X] block of attributes, 0: none */
	u32 projid;
	u16 extra_isize; /* [X] */
	u32 dtime;
	bool has_xattr; /* [X] something is behind i_extra_isize */
	bool evicting;

	struct rwsem map_lock;	  /* M: RANK_FS_MAP */
	struct rwsem xattr_lock;  /* X: RANK_FS_META */
	struct spinlock raw_lock; /* R: the copy in the inode table; the cache below */
	/* [R] the piece of the map that was looked up last */
	u32 cache_lblk, cache_len;
	u64 cache_pblk;
	u32 cache_flags;

	u32 goal_lblk; /* [M] where the last allocation ended */
	u64 goal_pblk;
	u64 reserved; /* [A] blocks promised by delayed allocation */

	u32 sync_tid, datasync_tid; /* [A] transactions that fsync must wait for; 0: none */
	struct journal_inode jinode;

	struct list orphan_node;	     /* [O] on fs->orphans; empty: not an orphan */
	struct posix_acl *acl, *default_acl; /* [X] acl.c */
	u8 acl_state;			     /* [X] ACL_* */
	/* directories: readdir's place in a hashed one is in the file */
	u64 dir_version;
};

static inline struct ext4_node *
ext4_node_of(const struct inode *i)
{
	return i->private;
}
static inline struct ext4_fs *
ext4_fs_of_inode(const struct inode *i)
{
	return i->super->private;
}
static inline bool
ext4_has_extents(const struct ext4_node *n)
{
	return n->flags & EXT4_EXTENTS_FL;
}
static inline bool
ext4_has_inline(const struct ext4_node *n)
{
	return n->flags & EXT4_INLINE_DATA_FL;
}

/* ---- super.c, options.c ---- */
struct strbuf;
u64 ext4_super_blocks(const struct ext4_super_block *es);
u32 ext4_super_csum(const struct ext4_super_block *es);
/* Brings counts and times into the superblock's buffer, under a handle. */
int ext4_super_update(struct ext4_fs *fs, bool clean);
int ext4_options_parse(struct ext4_options *o, const char *text, bool remount);
void ext4_options_show(struct super *s, struct strbuf *sb);

/* ---- error.c ---- */
/*
 * The file system is damaged: says so, once for many, notes it in the superblock and does what
 * errors= says. Returns -EUCLEAN. May be called under handles and sleeping locks, not spinlocks.
 * node, block: 0 if unknown.
 */
#define ext4_corrupt(fs, ino, block, ...) \
	ext4_report(fs, -EFSCORRUPTED, ino, block, __func__, __LINE__, __VA_ARGS__)
#define ext4_badcrc(fs, ino, block, ...) \
	ext4_report(fs, -EFSBADCRC, ino, block, __func__, __LINE__, __VA_ARGS__)
int ext4_report(struct ext4_fs *fs, int err, u32 ino, u64 block, const char *func, int line,
		const char *fmt, ...) __printf(7, 8) __cold;
void ext4_error_init(struct ext4_fs *fs);
void ext4_errors_flush(struct ext4_fs *fs);
/* The journal has given up. */
void ext4_journal_aborted(void *ctx, int error);
void ext4_make_readonly(struct ext4_fs *fs);

/* ---- transaction.c: handles, with and without a journal ---- */
/* Blocks that one change of a kind touches at most. */
#define CREDITS_INODE	  2u		   /* an inode and the superblock's orphan list */
#define CREDITS_ALLOC(fs) (2u * 5 + 2 + 4) /* bitmaps and descriptors, tree nodes on the way */
#define CREDITS_MAP	  32u /* one run of blocks: a split at each level, bitmaps, descriptors */
#define CREDITS_XATTR	  12u
#define CREDITS_DIRENT	  24u /* an entry: splits of leaf and index blocks, a new block */
#define CREDITS_NEW_INODE 10u
#define CREDITS_FREE	  24u /* a step of freeing: see truncate.c */

int ext4_start(struct ext4_fs *fs, u32 credits, struct journal_handle **out);
int ext4_stop(struct journal_handle *h);
/* Also for what must be done on a file system that takes no changes of users: eviction, sync. */
int ext4_start_internal(struct ext4_fs *fs, u32 credits, struct journal_handle **out);
int ext4_access(struct journal_handle *h, struct buffer *b);
int ext4_access_new(struct journal_handle *h, struct buffer *b);
int ext4_dirty(struct journal_handle *h, struct buffer *b);
/* A block of metadata is free. */
int ext4_forget(struct ext4_fs *fs, struct journal_handle *h, u64 block);
bool ext4_ensure(struct journal_handle *h, u32 credits);
int ext4_restart(struct journal_handle *h, u32 credits);
/* fsync of n must wait for this handle; data: fdatasync as well. */
void ext4_note_tid(struct journal_handle *h, struct ext4_node *n, bool data);
/* A new block of metadata: buffer locked out of nobody's way, zeroed, in the transaction. */
int ext4_new_block(struct ext4_fs *fs, struct journal_handle *h, u64 block, struct buffer **out);
int ext4_read_block(struct ext4_fs *fs, u64 block, struct buffer **out);
/* ENOSPC, but blocks come free with the next commit: waits for it. True: try again. */
bool ext4_wait_for_space(struct ext4_fs *fs, u32 *tries);

/* ---- log.c ---- */
/* Opens the journal and brings the file system up to date. Before anything else is read. */
int ext4_log_load(struct ext4_fs *fs);
/* Handles may be started. */
int ext4_log_run(struct ext4_fs *fs);
/* Commits all, empties the log. */
int ext4_log_close(struct ext4_fs *fs);

/* ---- checksum.c ---- */
u32 ext4_csum(const struct ext4_fs *fs, u32 seed, const void *data, size_t len);
u16 ext4_desc_csum(const struct ext4_fs *fs, u32 group, const struct ext4_group_desc *gd);
u32 ext4_inode_csum(const struct ext4_node *n, const struct ext4_disk_inode *raw);
void ext4_inode_csum_set(const struct ext4_node *n, struct ext4_disk_inode *raw);
bool ext4_inode_csum_ok(const struct ext4_node *n, const struct ext4_disk_inode *raw);
u32 ext4_seed_of_inode(const struct ext4_fs *fs, u32 ino, u32 generation);

/* ---- group.c ---- */
int ext4_groups_load(struct ext4_fs *fs);
void ext4_groups_free(struct ext4_fs *fs);
struct ext4_group_desc *ext4_desc(const struct ext4_fs *fs, u32 group, struct buffer **b);
u64 ext4_block_bitmap_of(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
u64 ext4_inode_bitmap_of(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
u64 ext4_inode_table_of(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
u32 ext4_desc_free_blocks(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
u32 ext4_desc_free_inodes(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
u32 ext4_desc_dirs(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
u32 ext4_desc_unused(const struct ext4_fs *fs, const struct ext4_group_desc *gd);
void ext4_desc_set_free_blocks(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n);
void ext4_desc_set_free_inodes(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n);
void ext4_desc_set_dirs(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n);
void ext4_desc_set_unused(const struct ext4_fs *fs, struct ext4_group_desc *gd, u32 n);
/* After a change, group locked. */
void ext4_desc_seal(const struct ext4_fs *fs, u32 group, struct ext4_group_desc *gd);
/* Group locked: the checksum of a bitmap that has changed goes into the descriptor. */
void ext4_block_bitmap_seal(struct ext4_fs *fs, struct ext4_group_desc *gd, struct buffer *b);
void ext4_inode_bitmap_seal(struct ext4_fs *fs, struct ext4_group_desc *gd, struct buffer *b);
/* Read and checked; a group that was never used gets its bitmap made up. -EUCLEAN: not usable. */
int ext4_block_bitmap(struct ext4_fs *fs, u32 group, struct buffer **out);
int ext4_inode_bitmap(struct ext4_fs *fs, u32 group, struct buffer **out);
bool ext4_group_has_super(const struct ext4_fs *fs, u32 group);
u32 ext4_group_blocks(const struct ext4_fs *fs, u32 group);
u64 ext4_group_first(const struct ext4_fs *fs, u32 group);
/* [block, block + n) are data blocks of the file system: not metadata that has a fixed place. */
bool ext4_blocks_valid(const struct ext4_fs *fs, u64 block, u32 n);

/* ---- balloc.c ---- */
#define CLAIM_USER     0 /* leaves the superuser's part */
#define CLAIM_ROOT     1 /* may have it */
#define CLAIM_METADATA 2 /* may have the reserve of extent trees, too */
#define CLAIM_DONE     3 /* for ext4_alloc_blocks: they were promised before */
int ext4_claim(struct ext4_fs *fs, u64 n, u32 how); /* promise n blocks: 0 or -ENOSPC */
void ext4_unclaim(struct ext4_fs *fs, u64 n);
u32 ext4_claim_level(const struct ext4_fs *fs);
/*
 * Up to *len adjacent blocks near goal; counted in the inode's blocks. how: CLAIM_*. 0, -ENOSPC,
 * -EIO...
 */
int ext4_alloc_blocks(struct journal_handle *h, struct ext4_node *n, u64 goal, u32 *len, u32 how,
		      u64 *out);
#define FREE_METADATA BIT(0)
int ext4_free_blocks(struct journal_handle *h, struct ext4_node *n, u64 block, u32 len, u32 flags);
u64 ext4_free_count(struct ext4_fs *fs);
int ext4_balloc_init(struct ext4_fs *fs);
void ext4_balloc_fini(struct ext4_fs *fs);
long ext4_trim(struct ext4_fs *fs, u64 start, u64 len, u64 min_len, u64 *trimmed);

/* ---- ialloc.c ---- */
/* A new inode in memory and on the disk, not in any directory: INODE_NEW until inode_ready. */
int ext4_new_inode(struct journal_handle *h, struct inode *dir, umode_t mode, devnum_t rdev,
		   const char *name, size_t name_len, struct inode **out);
int ext4_free_inode(struct journal_handle *h, struct inode *i);
u64 ext4_free_inodes(struct ext4_fs *fs);

/* ---- inode.c ---- */
int ext4_iget(struct super *s, u64 ino, struct inode **out);
#define IGET_SPECIAL BIT(0) /* reserved numbers are allowed, too */
int ext4_iget_flags(struct super *s, u64 ino, u32 flags, struct inode **out);
/* The buffer of the inode table with n's inode. fresh: its contents do not matter. */
int ext4_inode_buffer(struct ext4_fs *fs, u32 ino, bool fresh, struct buffer **out, u32 *offset);
/* The inode in memory goes into its table block. */
int ext4_inode_store(struct journal_handle *h, struct inode *i);
int ext4_inode_dirty(struct inode *i); /* the same under a handle of its own */
void ext4_dirty_inode(struct inode *i, u32 flags);
int ext4_write_inode(struct inode *i, bool sync);
void ext4_evict(struct inode *i);
void ext4_set_ops(struct inode *i);
void ext4_flags_to_inode(struct inode *i);
struct ext4_node *ext4_node_create(struct inode *i);
void ext4_node_destroy(struct ext4_node *n);
/* For the kernel's own files (the log): a node without an inode. 0, -EUCLEAN... */
int ext4_node_read(struct ext4_fs *fs, u32 ino, struct ext4_node **out, u64 *size);
void ext4_inode_cache_init(void);
int ext4_symlink_load(struct inode *i);
u64 ext4_max_bytes(const struct ext4_fs *fs, bool extents);
/* blocks (512 bytes each) of the inode change by that many blocks of the file system. */
void ext4_add_blocks(struct inode *i, s64 blocks);
int ext4_setattr(struct inode *i, const struct attr_change *c);
int ext4_getattr(struct inode *i, struct linux_statx *st);

/* ---- map.c ---- */
#define MAP_MAPPED    BIT(0)
#define MAP_UNWRITTEN BIT(1)
#define MAP_NEW	      BIT(2)
struct ext4_map {
	u32 lblk, len; /* what is asked; what the answer is good for */
	u64 pblk;
	u32 flags; /* MAP_*; 0: a hole of len blocks */
};
#define MAP_CREATE	 BIT(8)
#define MAP_AS_UNWRITTEN BIT(9)	 /* new blocks are unwritten */
#define MAP_CONVERT	 BIT(10) /* unwritten ones become written */
#define MAP_CLAIMED	 BIT(11) /* delayed allocation has promised the blocks */
#define MAP_METADATA	 BIT(12) /* directories: may use the reserve */
int ext4_map_lookup(struct ext4_node *n, struct ext4_map *m); /* map_lock held */
/* h NULL: without MAP_CREATE and MAP_CONVERT. 0 or -errno. */
int ext4_map(struct journal_handle *h, struct inode *i, struct ext4_map *m, u32 flags);
/* The next mapped block at or after lblk: false if there is none. *m is the extent from there. */
int ext4_map_next(struct inode *i, u32 lblk, struct ext4_map *m);
void ext4_map_forget(struct ext4_node *n); /* map_lock held: the cached piece is stale */
/*
 * Frees the blocks [first, last]. In steps, each in a handle of enough credits: h is restarted
 * between them, with no lock of ours held but the caller's inode lock.
 */
int ext4_remove_blocks(struct journal_handle *h, struct inode *i, u32 first, u32 last);
/* The inode's size has been set: what lies behind goes. Starts its own handles. */
int ext4_truncate(struct inode *i);
u64 ext4_goal(struct ext4_node *n, u32 lblk);

/* ---- extent.c, extent_edit.c; map_lock held ---- */
struct ext4_level {
	struct buffer *buffer; /* NULL: the root in the inode */
	struct ext4_extent_header *header;
	u32 pos; /* entry that was chosen; (u32)-1: before the first */
};
struct ext4_path {
	u32 depth;
	struct ext4_level level[EXT4_EXTENT_MAX_DEPTH + 1];
};
void ext4_extent_init_root(struct ext4_node *n);
int ext4_extent_check_root(struct ext4_node *n);
int ext4_extent_find(struct ext4_node *n, u32 lblk, struct ext4_path *p);
void ext4_path_put(struct ext4_path *p);
int ext4_extent_lookup(struct ext4_node *n, struct ext4_map *m);
int ext4_extent_next(struct ext4_node *n, u32 lblk, struct ext4_map *m);
int ext4_extent_insert(struct journal_handle *h, struct ext4_node *n, u32 lblk, u64 pblk, u32 len,
		       bool unwritten);
int ext4_extent_convert(struct journal_handle *h, struct ext4_node *n, u32 lblk, u32 len);
int ext4_extent_split(struct journal_handle *h, struct ext4_node *n, u32 at);
/* One extent's worth of [first, last], from its end: 1 more to do, 0 done. */
int ext4_extent_remove_step(struct journal_handle *h, struct ext4_node *n, u32 first, u32 last);
/* All extents from `first` on move by `delta` blocks. One leaf's worth: 1 more to do; *at. */
int ext4_extent_shift(struct journal_handle *h, struct ext4_node *n, u32 first, s64 delta, u32 *at);
static inline struct ext4_extent *
ext4_extents(struct ext4_extent_header *h)
{
	return (struct ext4_extent *)(h + 1);
}
static inline struct ext4_extent_index *
ext4_indices(struct ext4_extent_header *h)
{
	return (struct ext4_extent_index *)(h + 1);
}
static inline bool
ext4_extent_unwritten(const struct ext4_extent *e)
{
	return e->ee_len > EXT4_EXTENT_MAX_LEN;
}
static inline u32
ext4_extent_len(const struct ext4_extent *e)
{
	return ext4_extent_unwritten(e) ? e->ee_len - EXT4_EXTENT_MAX_LEN : e->ee_len;
}
static inline u64
ext4_extent_start(const struct ext4_extent *e)
{
	return (u64)e->ee_start_hi << 32 | e->ee_start_lo;
}
static inline u64
ext4_index_leaf(const struct ext4_extent_index *x)
{
	return (u64)x->ei_leaf_hi << 32 | x->ei_leaf_lo;
}
/* For extent_edit.c. */
void ext4_extent_seal(struct ext4_node *n, struct buffer *b);
u32 ext4_extent_capacity(const struct ext4_fs *fs);

/* ---- indirect.c; map_lock held ---- */
int ext4_indirect_lookup(struct ext4_node *n, struct ext4_map *m);
int ext4_indirect_next(struct ext4_node *n, u32 lblk, struct ext4_map *m);
int
ext4_indirect_alloc(struct journal_handle *h, struct ext4_node *n, struct ext4_map *m, u32 flags);
/* 1: credits ran out, more to do. */
int ext4_indirect_remove(struct journal_handle *h, struct ext4_node *n, u32 first, u32 last);

/* ---- pages.c, file.c, fallocate.c, ioctl.c ---- */
extern const struct mapping_ops ext4_mapping_ops;
extern const struct file_ops ext4_file_ops;
int ext4_fsync(struct file *f, u64 start, u64 end, bool datasync);
int ext4_fallocate(struct file *f, int mode, u64 offset, u64 len);
long ext4_ioctl(struct file *f, u32 cmd, u64 arg);
int ext4_ordered_write(void *ctx, struct journal_inode *ji, u64 start, u64 end);
int ext4_ordered_wait(void *ctx, struct journal_inode *ji, u64 start, u64 end);

/* ---- hash.c ---- */
struct ext4_hash {
	u32 version; /* DX_HASH_* */
	u32 hash, minor;
	const u32 *seed; /* zeroes: the default one */
};
int ext4_dirhash(const char *name, size_t len, struct ext4_hash *h);
#define HASH_EOF 0xfffffffeu /* no name has this hash */

/* ---- dir.c: directories as blocks of entries ---- */
struct ext4_slot {	       /* where an entry is */
	struct buffer *buffer; /* referenced */
	u32 offset, previous;  /* previous == offset: the first of its block */
};
static inline struct ext4_dirent *
ext4_dirent_at(const u8 *block, u32 offset)
{
	return (struct ext4_dirent *)(block + offset);
}
static inline struct ext4_dirent *
ext4_slot_entry(const struct ext4_slot *s)
{
	return ext4_dirent_at(s->buffer->data, s->offset);
}
u8 ext4_file_type(const struct ext4_fs *fs, umode_t mode);
u32 ext4_dir_blocks(const struct inode *dir);
/* NULL if the entry at offset is well-formed within end bytes, else what is wrong with it. */
const char *ext4_dirent_problem(const struct ext4_fs *fs, const u8 *block, u32 offset, u32 end);
/* Block lblk, its checksum looked at. *index (may be NULL): it belongs to the hash tree. */
int ext4_dir_block(struct inode *dir, u32 lblk, struct buffer **out, bool *index);
/* A new block at the end: zeroes, in the transaction. */
int ext4_dir_append(struct journal_handle *h, struct inode *dir, struct buffer **out, u32 *lblk);
u32 ext4_leaf_size(const struct ext4_fs *fs); /* without the checksum's entry */
void ext4_leaf_init(const struct ext4_fs *fs, struct buffer *b);
/* After a change: checksum, and into the transaction. */
int ext4_leaf_dirty(struct journal_handle *h, struct inode *dir, struct buffer *b);
/* Looks for a name: 1 and *slot without buffer, 0, -EUCLEAN. */
int ext4_leaf_find(struct inode *dir, struct buffer *b, const char *name, size_t len,
		   struct ext4_slot *slot);
/* Adds in the block if there is room. Write access is had. 0, -ENOSPC, -EUCLEAN. */
int
ext4_leaf_add(struct inode *dir, struct buffer *b, const char *name, size_t len, u32 ino, u8 type);
/* 0 and *slot, -ENOENT, or an error. */
int ext4_dir_find(struct inode *dir, const char *name, size_t len, struct ext4_slot *slot);
int ext4_dir_add(struct journal_handle *h, struct inode *dir, const char *name, size_t len, u32 ino,
		 umode_t mode);
int ext4_dir_delete(struct journal_handle *h, struct inode *dir, struct ext4_slot *slot);
int ext4_dir_set_entry(struct journal_handle *h, struct inode *dir, struct ext4_slot *slot, u32 ino,
		       umode_t mode);
int ext4_dir_is_empty(struct inode *dir, bool *empty);
int ext4_dir_make_empty(struct journal_handle *h, struct inode *dir, u32 parent);
int ext4_dir_parent(struct inode *dir, struct ext4_slot *slot); /* the entry .. */
int ext4_dir_lookup(struct inode *dir, const char *name, size_t len, u32 *ino);
bool ext4_dirent_emit(struct dir_context *ctx, const struct ext4_dirent *e, u64 next);
extern const struct file_ops ext4_dir_file_ops;

/* ---- htree.c ---- */
bool ext4_dir_indexed(const struct inode *dir);
int ext4_dx_find(struct inode *dir, const char *name, size_t len, struct ext4_slot *slot);
int ext4_dx_add(struct journal_handle *h, struct inode *dir, const char *name, size_t len, u32 ino,
		u8 type);
/* A directory of one block gets an index. */
int ext4_dx_create(struct journal_handle *h, struct inode *dir);
bool ext4_dx_csum_ok(struct inode *dir, struct buffer *b, u32 lblk);
int ext4_dx_readdir(struct inode *dir, struct dir_context *ctx);
/* The block with . and .. and the root of the tree has been changed. */
int ext4_dx_root_dirty(struct journal_handle *h, struct inode *dir, struct buffer *b);

/* ---- namei.c ---- */
extern const struct inode_ops ext4_dir_ops, ext4_dir_acl_ops;
extern const struct inode_ops ext4_inode_ops, ext4_inode_acl_ops; /* files, specials, links */

/* ---- orphan.c ---- */
int ext4_orphan_add(struct journal_handle *h, struct inode *i);
int ext4_orphan_del(struct journal_handle *h, struct inode *i); /* h NULL: memory only */
void ext4_orphans_process(struct ext4_fs *fs);
/* The list says who follows in i_dtime. */

/* ---- inline.c ---- */
/* Contents in the inode, kmalloc'ed in *out (a zero behind). */
int ext4_inline_read(struct inode *i, u8 **out, size_t *len);
/* They move to blocks. Inode locked. */
int ext4_inline_convert(struct journal_handle *h, struct inode *i);
int ext4_inline_dir_convert(struct journal_handle *h, struct inode *dir);
int ext4_inline_dir_find(struct inode *dir, const char *name, size_t len, u32 *ino);
int ext4_inline_readdir(struct inode *dir, struct dir_context *ctx);

/* ---- xattr.c ---- */
ssize_t ext4_xattr_get(struct inode *i, u8 index, const char *name, void *value, size_t size);
int ext4_xattr_set(struct journal_handle *h, struct inode *i, u8 index, const char *name,
		   const void *value, size_t size, int flags); /* value NULL: remove */
ssize_t ext4_getxattr(struct inode *i, const char *name, void *value, size_t size);
int ext4_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t ext4_listxattr(struct inode *i, char *list, size_t size);
int ext4_removexattr(struct inode *i, const char *name);
void ext4_xattr_forget_all(struct ext4_fs *fs);			   /* unmounting */
int ext4_xattr_release(struct journal_handle *h, struct inode *i); /* the inode is deleted */

/* ---- acl.c ---- */
int ext4_permission(struct inode *i, int mask);
/* A new inode in dir: its ACLs, and *mode as they and the umask have it. */
int ext4_acl_inherit(struct journal_handle *h, struct inode *dir, struct inode *i);
int ext4_acl_chmod(struct journal_handle *h, struct inode *i);
ssize_t ext4_acl_get(struct inode *i, bool is_default, void *value, size_t size);
int ext4_acl_set(struct inode *i, bool is_default, const void *value, size_t size);
void ext4_acl_free(struct ext4_node *n);
bool ext4_acl_present(struct inode *i);

#endif
