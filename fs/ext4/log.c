/* SPDX-License-Identifier: MIT */
/*
 * The file system's side of its journal: where the log lies, replay at mount, ordered data.
 *
 * Replay comes before anything but the superblock and the log's own inode is read, and afterwards
 * those are read again. The incompat feature "needs_recovery" in the superblock is set as long as
 * the log may have something that is not in its place.
 */
#include "ext4_internal.h"
#include "uapi/mount.h"

static int
map_log(void *ctx, u32 logical, u64 *disk, u32 *run)
{
	struct ext4_fs *fs = ctx;
	struct ext4_map m = { .lblk = logical, .len = EXT4_EXTENT_MAX_LEN };
	int err;

	rwsem_read_lock(&fs->log->map_lock);
	err = ext4_map_lookup(fs->log, &m);
	rwsem_read_unlock(&fs->log->map_lock);
	if (err)
		return err;
	if (m.flags != MAP_MAPPED)
		return -EUCLEAN;
	*disk = m.pblk;
	*run = m.len;
	return 0;
}

static int
open_log(struct ext4_fs *fs)
{
	struct journal_config config = {
		.cache = fs->cache,
		.fs_blocks = fs->blocks,
		.commit_seconds = fs->options.commit,
		.no_barrier = fs->options.flags & OPT_NOBARRIER,
		.want_checksums = fs->has_csum,
		.want_64bit = ext4_incompat(fs, INCOMPAT_64BIT),
		.map = map_log,
		.aborted = ext4_journal_aborted,
		.write_data = ext4_ordered_write,
		.wait_data = ext4_ordered_wait,
		.ctx = fs,
	};
	u64 size;
	int err;

	if (fs->es->s_journal_dev && !fs->es->s_journal_inum) {
		log_err("EXT4-fs (%s): external journals are not supported\n", fs->dev->name);
		return -EINVAL;
	}
	err = ext4_node_read(fs, fs->es->s_journal_inum, &fs->log, &size);
	if (err) {
		log_err("EXT4-fs (%s): no journal found\n", fs->dev->name);
		return -EINVAL;
	}
	config.log_blocks = (u32)MIN(size >> fs->block_bits, (u64)INT32_MAX);
	err = journal_open(&config, &fs->journal);
	ext4_node_destroy(fs->log);
	fs->log = NULL;
	if (err)
		log_err("EXT4-fs (%s): error loading journal: %d\n", fs->dev->name, err);
	return err;
}

int
ext4_log_load(struct ext4_fs *fs)
{
	bool readonly = ext4_readonly(fs), replay;
	int err;

	if (!ext4_compat(fs, COMPAT_HAS_JOURNAL))
		return 0;
	if (fs->options.flags & OPT_NOLOAD) {
		if (!readonly && ext4_incompat(fs, INCOMPAT_RECOVER)) {
			log_err("EXT4-fs (%s): required journal recovery suppressed and not "
				"mounted read-only\n",
				fs->dev->name);
			return -EINVAL;
		}
		return 0;
	}
	err = ext4_groups_load(fs);
	if (err)
		return err;
	err = open_log(fs);
	ext4_groups_free(fs);
	if (err)
		return err;
	replay = ext4_incompat(fs, INCOMPAT_RECOVER) || journal_needs_replay(fs->journal);
	if (replay && fs->dev->read_only) {
		log_err("EXT4-fs (%s): write access unavailable, cannot proceed (try mounting with "
			"noload)\n",
			fs->dev->name);
		err = -EROFS;
		goto out_discard;
	}
	if (replay && readonly)
		log_info("EXT4-fs (%s): INFO: recovery required on readonly filesystem\n",
			 fs->dev->name);
	if (journal_needs_replay(fs->journal)) {
		err = journal_replay(fs->journal);
		if (err) {
			log_err("EXT4-fs (%s): journal replay failed: %d\n", fs->dev->name, err);
			goto out_discard;
		}
		log_info("EXT4-fs (%s): recovery complete\n", fs->dev->name);
	}
	return 0;
out_discard:
	journal_discard(fs->journal);
	fs->journal = NULL;
	return err;
}

int
ext4_log_run(struct ext4_fs *fs)
{
	int err, old;

	if (!fs->journal)
		return 0;
	old = journal_old_error(fs->journal);
	if (old) {
		log_warn("EXT4-fs (%s): the journal stopped with error %d in an earlier mount\n",
			 fs->dev->name, old);
		fs->es->s_state |= EXT4_ERROR_FS;
		err = journal_clear_error(fs->journal);
		if (err)
			return err;
	}
	return journal_run(fs->journal);
}

int
ext4_log_close(struct ext4_fs *fs)
{
	int err = 0;

	if (fs->journal)
		err = journal_close(fs->journal);
	fs->journal = NULL;
	return err;
}
