/* SPDX-License-Identifier: MIT */
/*
 * Mounting ext2, ext3 and ext4.
 *
 * In order: the superblock is read and believed only after its numbers have been checked against
 * each other and the device; features are looked at by name; the journal is replayed; descriptors
 * are read; the root directory; then, if writable, orphans are finished and the superblock says
 * that it is in use. Unmounting goes the other way round, and the superblock says "clean".
 *
 * Free counts in the superblock are written at sync and unmounting only; in between, the groups'
 * descriptors are what counts, and everybody sums them up.
 */
#include "core/random.h"
#include "core/time.h"
#include "ext4_internal.h"
#include "fs/ext4/ext4.h"
#include "lib/format.h"
#include "lib/math.h"
#include "uapi/magic.h"
#include "uapi/mount.h"
#include "uapi/statfs.h"

#define SUPPORTED_INCOMPAT                                                            \
	(INCOMPAT_FILETYPE | INCOMPAT_RECOVER | INCOMPAT_META_BG | INCOMPAT_EXTENTS | \
	 INCOMPAT_64BIT | INCOMPAT_FLEX_BG | INCOMPAT_CSUM_SEED | INCOMPAT_LARGEDIR | \
	 INCOMPAT_INLINE_DATA)
#define SUPPORTED_RO                                                                   \
	(RO_SPARSE_SUPER | RO_LARGE_FILE | RO_HUGE_FILE | RO_GDT_CSUM | RO_DIR_NLINK | \
	 RO_EXTRA_ISIZE | RO_METADATA_CSUM | RO_PROJECT | RO_ORPHAN_PRESENT)

static const struct super_ops ext4_super_ops;

/* --- features --- */

static const struct feature_name {
	u32 bit;
	const char *name;
} incompat_names[] = {
	{ INCOMPAT_COMPRESSION, "compression" }, { INCOMPAT_FILETYPE, "filetype" },
	{ INCOMPAT_RECOVER, "needs_recovery" },	 { INCOMPAT_JOURNAL_DEV, "journal_dev" },
	{ INCOMPAT_META_BG, "meta_bg" },	 { INCOMPAT_EXTENTS, "extents" },
	{ INCOMPAT_64BIT, "64bit" },		 { INCOMPAT_MMP, "mmp" },
	{ INCOMPAT_FLEX_BG, "flex_bg" },	 { INCOMPAT_EA_INODE, "ea_inode" },
	{ INCOMPAT_DIRDATA, "dirdata" },	 { INCOMPAT_CSUM_SEED, "metadata_csum_seed" },
	{ INCOMPAT_LARGEDIR, "large_dir" },	 { INCOMPAT_INLINE_DATA, "inline_data" },
	{ INCOMPAT_ENCRYPT, "encrypt" },	 { INCOMPAT_CASEFOLD, "casefold" },
}, ro_names[] = {
	{ RO_BTREE_DIR, "btree_dir" },	     { RO_QUOTA, "quota" },
	{ RO_BIGALLOC, "bigalloc" },	     { RO_READONLY, "read-only" },
	{ RO_SHARED_BLOCKS, "shared_blocks" }, { RO_VERITY, "verity" },
};

static void
log_features(const char *dev, const char *what, u32 bits, const struct feature_name *names, u32 n)
{
	for (u32 bit = 0; bit < 32; bit++) {
		char unknown[32];
		const char *name = unknown;

		if (!(bits & (1u << bit)))
			continue;
		snprintf(unknown, sizeof(unknown), "0x%x", 1u << bit);
		for (u32 i = 0; i < n; i++)
			if (names[i].bit == 1u << bit)
				name = names[i].name;
		log_err("EXT4-fs (%s): %s: %s\n", dev, what, name);
	}
}

static struct fs_type ext2_type, ext3_type, ext4_type;

/* 0 or -EINVAL; -EROFS: not for writing. */
static int
check_features(const struct ext4_super_block *es, const char *dev, bool readonly)
{
	u32 incompat = es->s_feature_incompat & ~SUPPORTED_INCOMPAT,
	    ro = es->s_feature_ro_compat & ~SUPPORTED_RO;

	if (!es->s_rev_level)
		return 0;
	if (incompat) {
		log_features(dev, "couldn't mount because of unsupported optional feature",
			     incompat, incompat_names, ARRAY_SIZE(incompat_names));
		return -EINVAL;
	}
	if (ro && !readonly) {
		log_features(dev, "couldn't mount RDWR because of unsupported optional feature", ro,
			     ro_names, ARRAY_SIZE(ro_names));
		return -EROFS;
	}
	return 0;
}

/*
 * As "ext2" or "ext3" only what those know may be there: whoever tries one type after the other
 * (root=, mount without -t) comes to the one that it is. Linux's sets.
 */
static bool
type_fits(const struct fs_type *type, const struct ext4_super_block *es, bool readonly)
{
	u32 incompat = INCOMPAT_FILETYPE | INCOMPAT_META_BG, ro = RO_SPARSE_SUPER | RO_LARGE_FILE;

	if (type == &ext4_type)
		return true;
	if (type == &ext3_type) {
		if (!(es->s_feature_compat & COMPAT_HAS_JOURNAL))
			return false;
		incompat |= INCOMPAT_RECOVER;
	}
	return !(es->s_feature_incompat & ~incompat) &&
	       (readonly || !(es->s_feature_ro_compat & ~ro));
}

/* --- numbers --- */

u64
ext4_super_blocks(const struct ext4_super_block *es)
{
	u64 n = es->s_blocks_count_lo;

	return es->s_feature_incompat & INCOMPAT_64BIT ? n | (u64)es->s_blocks_count_hi << 32 : n;
}

static const char *
check_numbers(struct ext4_fs *fs, const struct ext4_super_block *es)
{
	u64 groups;

	if (es->s_log_block_size > 6)
		return "bad block size";
	fs->block_bits = 10 + es->s_log_block_size;
	fs->block_size = 1u << fs->block_bits;
	if (fs->block_size > PAGE_SIZE)
		return "block size larger than a page";
	if (es->s_log_cluster_size != es->s_log_block_size &&
	    !(es->s_feature_ro_compat & RO_BIGALLOC))
		return "bad cluster size";
	fs->blocks = ext4_super_blocks(es);
	fs->first_data_block = es->s_first_data_block;
	fs->blocks_per_group = es->s_blocks_per_group;
	fs->inodes_per_group = es->s_inodes_per_group;
	fs->inodes = es->s_inodes_count;
	fs->inode_size = es->s_rev_level ? es->s_inode_size : EXT4_GOOD_OLD_SIZE;
	fs->first_ino = es->s_rev_level ? es->s_first_ino : EXT4_GOOD_OLD_FIRST;
	fs->desc_size = EXT4_DESC_SIZE_32;
	if (es->s_feature_incompat & INCOMPAT_64BIT)
		fs->desc_size = es->s_desc_size;
	if (fs->inode_size < EXT4_GOOD_OLD_SIZE || fs->inode_size > fs->block_size ||
	    (fs->inode_size & (fs->inode_size - 1)))
		return "bad inode size";
	if (fs->first_ino < EXT4_GOOD_OLD_FIRST)
		return "bad first inode";
	if (fs->desc_size < EXT4_DESC_SIZE_32 || fs->desc_size > fs->block_size ||
	    (fs->desc_size & (fs->desc_size - 1)) ||
	    ((es->s_feature_incompat & INCOMPAT_64BIT) &&
	     fs->desc_size < sizeof(struct ext4_group_desc)))
		return "bad descriptor size";
	if (!fs->blocks_per_group || fs->blocks_per_group > fs->block_size * 8 ||
	    fs->blocks_per_group % 8)
		return "bad blocks per group";
	fs->inodes_per_block = fs->block_size / fs->inode_size;
	if (!fs->inodes_per_group || fs->inodes_per_group > fs->block_size * 8 ||
	    fs->inodes_per_group % 8 || fs->inodes_per_group < fs->inodes_per_block)
		return "bad inodes per group";
	if (fs->first_data_block >= fs->blocks || fs->first_data_block > 1)
		return "bad first data block";
	if (fs->blocks > block_device_bytes(fs->dev) >> fs->block_bits)
		return "file system larger than its device";
	groups = (fs->blocks - fs->first_data_block + fs->blocks_per_group - 1) /
		 fs->blocks_per_group;
	if (groups > UINT32_MAX / fs->inodes_per_group ||
	    groups * fs->inodes_per_group != fs->inodes)
		return "inodes do not match groups";
	fs->groups = (u32)groups;
	fs->table_blocks = (fs->inodes_per_group + fs->inodes_per_block - 1) / fs->inodes_per_block;
	fs->descs_per_block = fs->block_size / fs->desc_size;
	fs->gdt_blocks = (fs->groups + fs->descs_per_block - 1) / fs->descs_per_block;
	if ((es->s_feature_incompat & INCOMPAT_META_BG) && es->s_first_meta_bg > fs->gdt_blocks)
		return "bad first meta block group";
	if (es->s_reserved_gdt_blocks > fs->block_size / 4)
		return "too many reserved descriptor blocks";
	return NULL;
}

/* Field values that many places want. */
static void
derive(struct ext4_fs *fs)
{
	const struct ext4_super_block *es = fs->es;

	fs->has_csum = es->s_feature_ro_compat & RO_METADATA_CSUM;
	fs->has_group_csum = es->s_feature_ro_compat & (RO_METADATA_CSUM | RO_GDT_CSUM);
	fs->csum_seed = es->s_feature_incompat & INCOMPAT_CSUM_SEED
				? es->s_checksum_seed
				: crc32c(~0u, es->s_uuid, sizeof(es->s_uuid));
	memcpy(fs->hash_seed, es->s_hash_seed, sizeof(fs->hash_seed));
	/* Without a note plain char was signed, as on x86. */
	fs->unsigned_hash = es->s_flags & EXT4_FLAG_UNSIGNED_HASH;
	fs->flex_groups = 1u << MIN(es->s_log_groups_per_flex, 31);
}

/* The superblock, before there is a buffer cache: *es kmalloc'ed. */
static int
read_super(struct ext4_fs *fs, struct ext4_super_block **out)
{
	struct ext4_super_block *es = kmalloc(sizeof(*es), GFP_KERNEL);
	const char *problem;
	int err;

	if (!es)
		return -ENOMEM;
	err = block_rw(fs->dev, BIO_READ, fs->options.sb_block * 2, es, sizeof(*es));
	if (err) {
		log_err("EXT4-fs (%s): unable to read superblock\n", fs->dev->name);
		goto out_free;
	}
	err = -EINVAL;
	if (es->s_magic != EXT4_MAGIC) {
		if (!(fs->super->flags & MS_SILENT))
			log_err("EXT4-fs (%s): VFS: Can't find ext4 filesystem\n", fs->dev->name);
		goto out_free;
	}
	if ((es->s_feature_ro_compat & RO_METADATA_CSUM) &&
	    (es->s_checksum_type != 1 || es->s_checksum != ext4_super_csum(es))) {
		log_err("EXT4-fs (%s): VFS: Found ext4 filesystem with invalid superblock "
			"checksum.  Run e2fsck?\n",
			fs->dev->name);
		err = es->s_checksum_type != 1 ? -EINVAL : -EFSBADCRC;
		goto out_free;
	}
	if (!type_fits(fs->super->type, es, fs->super->flags & MS_RDONLY)) {
		err = -EINVAL;
		goto out_free;
	}
	err = check_features(es, fs->dev->name, fs->super->flags & MS_RDONLY);
	if (err)
		goto out_free;
	problem = check_numbers(fs, es);
	if (problem) {
		log_err("EXT4-fs (%s): %s\n", fs->dev->name, problem);
		err = -EFSCORRUPTED;
		goto out_free;
	}
	*out = es;
	return 0;
out_free:
	kfree(es);
	return err;
}

/* The buffer with the superblock, in which it lives from now on. */
static int
get_super_buffer(struct ext4_fs *fs)
{
	u64 byte = fs->options.sb_block * 1024;
	int err = buffer_read(fs->cache, byte >> fs->block_bits, &fs->super_buffer);

	if (err)
		return err;
	fs->es = (struct ext4_super_block *)(fs->super_buffer->data +
					     (byte & (fs->block_size - 1)));
	return fs->es->s_magic == EXT4_MAGIC ? 0 : -EFSCORRUPTED;
}

/* --- the superblock while mounted --- */

static void
put_count(u32 *low, u32 *high, u64 n, const struct ext4_fs *fs)
{
	*low = (u32)n;
	if (ext4_incompat(fs, INCOMPAT_64BIT))
		*high = (u32)(n >> 32);
}

int
ext4_super_update(struct ext4_fs *fs, bool clean)
{
	struct ext4_super_block *es = fs->es;
	u64 now = time_coarse_real_ns() / NSEC_PER_SEC, free = 0, inodes = 0;
	struct journal_handle *h;
	int err, end;

	err = ext4_start_internal(fs, 1, &h);
	if (err)
		return err;
	err = ext4_access(h, fs->super_buffer);
	if (err)
		goto out;
	for (u32 g = 0; g < fs->groups; g++) {
		const struct ext4_group_desc *gd = ext4_desc(fs, g, NULL);

		free += ext4_desc_free_blocks(fs, gd);
		inodes += ext4_desc_free_inodes(fs, gd);
	}
	put_count(&es->s_free_blocks_count_lo, &es->s_free_blocks_count_hi, free, fs);
	es->s_free_inodes_count = (u32)inodes;
	es->s_wtime = (u32)now;
	es->s_wtime_hi = (u8)(now >> 32);
	if (clean) {
		es->s_feature_incompat &= ~(u32)INCOMPAT_RECOVER;
		if (!(es->s_state & EXT4_ERROR_FS))
			es->s_state |= EXT4_VALID_FS;
	}
	if (fs->has_csum)
		es->s_checksum = ext4_super_csum(es);
	err = ext4_dirty(h, fs->super_buffer);
out:
	end = ext4_stop(h);
	return err ? err : end;
}

/* In use for writing: a crash from now on is noticed. */
static int
mark_in_use(struct ext4_fs *fs)
{
	struct ext4_super_block *es = fs->es;
	u64 now = time_coarse_real_ns() / NSEC_PER_SEC;
	int err;

	if (!fs->journal)
		es->s_state &= (u16)~EXT4_VALID_FS;
	es->s_mnt_count++;
	es->s_mtime = (u32)now;
	es->s_mtime_hi = (u8)(now >> 32);
	if (fs->journal)
		es->s_feature_incompat |= INCOMPAT_RECOVER;
	if (ext4_ro_compat(fs, RO_GDT_CSUM | RO_METADATA_CSUM) || es->s_rev_level)
		es->s_state &= (u16)~EXT4_ORPHAN_FS;
	err = ext4_super_update(fs, false);
	/* On the disk before anything else is: the log's first commit may come to be lost. */
	if (!err && fs->journal)
		err = journal_flush(fs->journal);
	else if (!err)
		err = buffers_sync(fs->cache);
	return err;
}

static void
warn_state(struct ext4_fs *fs)
{
	const struct ext4_super_block *es = fs->es;

	if (es->s_state & EXT4_ERROR_FS)
		log_warn("EXT4-fs (%s): warning: mounting fs with errors, running e2fsck is "
			 "recommended\n",
			 fs->dev->name);
	else if (!fs->journal && !(es->s_state & EXT4_VALID_FS))
		log_warn("EXT4-fs (%s): warning: mounting unchecked fs, running e2fsck is "
			 "recommended\n",
			 fs->dev->name);
}

/* Journal, orphans, marks: what being writable takes. */
static int
become_writable(struct ext4_fs *fs)
{
	int err;

	warn_state(fs);
	err = ext4_log_run(fs);
	fs->running = !err;
	if (!err)
		err = mark_in_use(fs);
	if (!err)
		ext4_orphans_process(fs);
	return err;
}

/* The reverse. */
static int
leave_writable(struct ext4_fs *fs)
{
	int err = 0, err2;

	if (!fs->aborted)
		err = ext4_super_update(fs, true);
	if (fs->journal) {
		/* The mark "clean" goes with the rest; it is true once the log is empty. */
		err2 = journal_flush(fs->journal);
	} else {
		err2 = buffers_sync(fs->cache);
		if (!err2)
			err2 = block_flush(fs->dev);
	}
	return err ? err : err2;
}

/* --- mounting --- */

static void
default_options(struct ext4_fs *fs, const struct ext4_super_block *es)
{
	u32 d = es->s_default_mount_opts;

	fs->options.flags |= OPT_XATTR_USER | OPT_ACL;
	if (d & DEFM_NOBARRIER)
		fs->options.flags |= OPT_NOBARRIER;
	if (d & DEFM_DISCARD)
		fs->options.flags |= OPT_DISCARD;
	fs->options.resuid = es->s_def_resuid;
	fs->options.resgid = es->s_def_resgid;
	fs->options.errors = es->s_errors == EXT4_ERRORS_RO || es->s_errors == EXT4_ERRORS_PANIC
				     ? es->s_errors
				     : ERRORS_CONTINUE;
}

static u64
count_overhead(const struct ext4_fs *fs)
{
	u64 n = fs->first_data_block;

	if (fs->es->s_overhead_clusters)
		return fs->es->s_overhead_clusters;
	for (u32 g = 0; g < fs->groups; g++) {
		n += 2 + fs->table_blocks;
		if (ext4_group_has_super(fs, g))
			n += 1 + fs->gdt_blocks + fs->es->s_reserved_gdt_blocks;
	}
	return MIN(n, fs->blocks);
}

static int
open_root(struct ext4_fs *fs)
{
	struct super *s = fs->super;
	struct inode *root;
	int err = ext4_iget(s, EXT4_ROOT_INO, &root);

	if (err) {
		log_err("EXT4-fs (%s): get root inode failed: %d\n", fs->dev->name, err);
		return err;
	}
	if (!S_ISDIR(root->mode) || !root->size) {
		inode_put(root);
		log_err("EXT4-fs (%s): corrupt root inode, run e2fsck\n", fs->dev->name);
		return -EFSCORRUPTED;
	}
	s->root = dentry_create_root(s, root);
	if (!s->root) {
		inode_put(root);
		return -ENOMEM;
	}
	return 0;
}

/* Everything but what vfs has made. */
static void
fs_destroy(struct ext4_fs *fs)
{
	ext4_errors_flush(fs);
	if (fs->journal)
		journal_discard(fs->journal);
	if (fs->cpu)
		ext4_balloc_fini(fs);
	ext4_groups_free(fs);
	ext4_xattr_forget_all(fs);
	buffer_put(fs->super_buffer);
	if (fs->cache)
		buffer_cache_destroy(fs->cache);
	kfree(fs);
}

static int
load(struct ext4_fs *fs, const char *data)
{
	struct super *s = fs->super;
	struct ext4_super_block *es;
	int err;

	err = read_super(fs, &es);
	if (err)
		return err;
	default_options(fs, es);
	kfree(es);
	err = ext4_options_parse(&fs->options, data, false);
	if (!err)
		err = buffer_cache_create(fs->dev, fs->block_size, &fs->cache);
	if (!err)
		err = get_super_buffer(fs);
	if (err)
		return err;
	derive(fs);
	err = ext4_log_load(fs);
	if (err)
		return err;
	/* Replay may have changed it. */
	buffer_put(fs->super_buffer);
	fs->super_buffer = NULL;
	err = get_super_buffer(fs);
	if (err)
		return err;
	derive(fs);
	err = ext4_groups_load(fs);
	if (!err)
		err = ext4_balloc_init(fs);
	if (err)
		return err;
	fs->overhead = count_overhead(fs);
	s->ops = &ext4_super_ops;
	s->magic = EXT4_SUPER_MAGIC;
	s->block_size = fs->block_size;
	s->max_bytes = MIN(ext4_max_bytes(fs, ext4_incompat(fs, INCOMPAT_EXTENTS)), (u64)INT64_MAX);
	s->time_gran_ns = fs->inode_size > EXT4_GOOD_OLD_SIZE ? 1 : (u32)NSEC_PER_SEC;
	s->time_first = INT32_MIN;
	s->time_last = fs->inode_size > EXT4_GOOD_OLD_SIZE ? EXT4_TIME_LAST : INT32_MAX;
	return 0;
}

static int
fill(struct super *s, const char *data)
{
	struct ext4_fs *fs = kzalloc(sizeof(*fs), GFP_KERNEL);
	int err;

	if (!fs)
		return -ENOMEM;
	fs->super = s;
	fs->dev = s->bdev;
	fs->options.sb_block = 1;
	list_init(&fs->orphans);
	mutex_init(&fs->orphan_lock, RANK_FS_META);
	ext4_error_init(fs);
	fs->generation = (u32)random_u64();
	s->private = fs;
	err = load(fs, data);
	if (!err)
		err = open_root(fs);
	if (err)
		goto out;
	if (!(s->flags & MS_RDONLY))
		err = become_writable(fs);
	if (err) {
		struct dentry *root = s->root;

		s->root = NULL;
		s->dying = true;
		dentry_unhash(root);
		dentry_put(root);
		goto out;
	}
	log_info("EXT4-fs (%s): mounted filesystem %s %s\n", fs->dev->name,
		 s->flags & MS_RDONLY ? "ro" : "r/w",
		 fs->journal ? "with ordered data mode" : "without journal");
	return 0;
out:
	s->ops = NULL;
	s->private = NULL;
	fs_destroy(fs);
	return err;
}

static int
ext4_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	   struct super **out)
{
	return mount_bdev(type, source, flags, data, fill, out);
}

/* --- super_ops --- */

static void
ext4_put(struct super *s)
{
	struct ext4_fs *fs = ext4_fs_of(s);
	int err = 0;

	ext4_errors_flush(fs);
	if (!(s->flags & MS_RDONLY) && !fs->aborted)
		err = leave_writable(fs);
	if (!fs->aborted)
		err = err ? err : ext4_log_close(fs);
	if (err)
		log_err("EXT4-fs (%s): unmounting: error %d\n", fs->dev->name, err);
	fs_destroy(fs);
	s->private = NULL;
}

static int
ext4_sync(struct super *s, bool wait)
{
	struct ext4_fs *fs = ext4_fs_of(s);
	int err;

	if ((s->flags & MS_RDONLY) || fs->aborted)
		return 0;
	if (!wait) {
		if (fs->journal) {
			struct journal_handle *h;

			if (!ext4_start_internal(fs, 1, &h)) {
				u32 tid = journal_handle_tid(h);

				(void)ext4_stop(h);
				journal_commit_start(fs->journal, tid);
			}
		}
		return 0;
	}
	if (fs->journal)
		return journal_force_commit(fs->journal);
	err = ext4_super_update(fs, false);
	if (!err)
		err = buffers_sync(fs->cache);
	if (!err && !(fs->options.flags & OPT_NOBARRIER))
		err = block_flush(fs->dev);
	return err;
}

static int
ext4_statfs(struct super *s, struct linux_statfs *st)
{
	struct ext4_fs *fs = ext4_fs_of(s);
	const struct ext4_super_block *es = fs->es;
	u64 reserved = es->s_r_blocks_count_lo | (u64)es->s_r_blocks_count_hi << 32,
	    keep = reserved + fs->metadata_reserve;
	u32 id[4];

	st->f_type = EXT4_SUPER_MAGIC;
	st->f_bsize = fs->block_size;
	st->f_blocks = fs->blocks - (fs->options.flags & OPT_MINIXDF ? 0 : fs->overhead);
	st->f_bfree = ext4_free_count(fs);
	st->f_bavail = st->f_bfree > keep ? st->f_bfree - keep : 0;
	st->f_files = fs->inodes;
	st->f_ffree = ext4_free_inodes(fs);
	st->f_namelen = EXT4_NAME_LEN;
	st->f_frsize = fs->block_size;
	memcpy(id, es->s_uuid, sizeof(id));
	st->f_fsid.val[0] = (int)(id[0] ^ id[2]);
	st->f_fsid.val[1] = (int)(id[1] ^ id[3]);
	return 0;
}

static int
ext4_remount(struct super *s, u32 flags, const char *data)
{
	struct ext4_fs *fs = ext4_fs_of(s);
	struct ext4_options new = fs->options;
	bool was_ro = s->flags & MS_RDONLY, ro = flags & MS_RDONLY;
	int err = ext4_options_parse(&new, data, true);

	if (err)
		return err;
	if ((new.flags ^ fs->options.flags) & (OPT_NOLOAD | OPT_WRITEBACK))
		return -EINVAL;
	if (!ro && fs->aborted)
		return -EROFS;
	if (was_ro && !ro) {
		err = check_features(fs->es, fs->dev->name, false);
		if (!err && fs->dev->read_only)
			err = -EROFS;
		if (!err && (fs->options.flags & OPT_NOLOAD) && ext4_compat(fs, COMPAT_HAS_JOURNAL))
			err = -EINVAL;
		if (err)
			return err;
		s->flags &= ~(u32)MS_RDONLY;
		err = fs->running ? mark_in_use(fs) : become_writable(fs);
		if (err) {
			s->flags |= MS_RDONLY;
			return err;
		}
	} else if (!was_ro && ro) {
		err = super_sync(s, true);
		if (!err)
			err = leave_writable(fs);
		if (err)
			return err;
		s->flags |= MS_RDONLY;
	}
	fs->options = new;
	if (fs->journal && (new.flags &OPT_COMMIT_SET))
		journal_set_commit_interval(fs->journal, new.commit ? new.commit : 5);
	return 0;
}

static const struct super_ops ext4_super_ops = {
	.evict = ext4_evict,
	.dirty_inode = ext4_dirty_inode,
	.write_inode = ext4_write_inode,
	.sync = ext4_sync,
	.statfs = ext4_statfs,
	.remount = ext4_remount,
	.show_options = ext4_options_show,
	.put = ext4_put,
};

static struct fs_type ext2_type = {
	.name = "ext2",
	.flags = FS_NEEDS_DEVICE,
	.magic = EXT4_SUPER_MAGIC,
	.mount = ext4_mount,
};

static struct fs_type ext3_type = {
	.name = "ext3",
	.flags = FS_NEEDS_DEVICE,
	.magic = EXT4_SUPER_MAGIC,
	.mount = ext4_mount,
};

static struct fs_type ext4_type = {
	.name = "ext4",
	.flags = FS_NEEDS_DEVICE,
	.magic = EXT4_SUPER_MAGIC,
	.mount = ext4_mount,
};

void
ext4_register(void)
{
	ext4_inode_cache_init();
	fs_register(&ext3_type);
	fs_register(&ext2_type);
	fs_register(&ext4_type);
}
