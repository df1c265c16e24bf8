/* SPDX-License-Identifier: MIT */
/*
 * A journal's life, its superblock and its checksums.
 *
 * Open reads and checks the superblock and learns where the log lies; nothing on the disk may be
 * believed. Run fixes the features, empties the log's superblock state into memory and starts the
 * thread. The superblock says where the log begins only while the log has something: an empty log
 * has start 0, and the first commit afterwards sets it.
 *
 * Tids after a replay begin far behind those that are in the log, so that leftovers of it are never
 * taken for what comes next.
 */
#include "core/log.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "core/time.h"
#include "journal_internal.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define MIN_LOG_BLOCKS 1024u

/* --- where the log is --- */

static int
log_map_read(struct journal *j)
{
	u32 room = 0, logical = 0;

	while (logical < j->config.log_blocks) {
		struct log_run run = { .logical = logical };
		int err = j->config.map(j->config.ctx, logical, &run.disk, &run.count);

		if (err)
			return err;
		run.count = MIN(run.count, j->config.log_blocks - logical);
		if (!run.count || run.disk >= j->config.fs_blocks ||
		    run.count > j->config.fs_blocks - run.disk)
			return -EUCLEAN;
		if (j->nr_runs == room) {
			struct log_run *more;

			room = MAX(8u, room * 2);
			more = krealloc(j->runs, room * sizeof(*more), GFP_KERNEL);
			if (!more)
				return -ENOMEM;
			j->runs = more;
		}
		logical += run.count;
		j->runs[j->nr_runs++] = run;
	}
	return 0;
}

bool
log_map(const struct journal *j, u32 logical, u64 *disk, u32 *run)
{
	u32 low = 0, high = j->nr_runs;

	/* The last run that begins at or before it. */
	while (high - low > 1) {
		u32 middle = (low + high) / 2;

		if (j->runs[middle].logical <= logical)
			low = middle;
		else
			high = middle;
	}
	if (!j->nr_runs || logical - j->runs[low].logical >= j->runs[low].count)
		return false;
	*disk = j->runs[low].disk + (logical - j->runs[low].logical);
	*run = j->runs[low].count - (logical - j->runs[low].logical);
	return true;
}

int
log_read_blocks(struct journal *j, u32 logical, u32 count, void *buf)
{
	u8 *to = buf;

	while (count) {
		u32 run;
		u64 disk;
		int err;

		if (!log_map(j, logical, &disk, &run))
			return -EUCLEAN;
		run = MIN(run, count);
		err = block_rw(j->dev, BIO_READ, disk * (j->block_size >> SECTOR_SHIFT), to,
			       run * j->block_size);
		if (err)
			return err;
		logical += run;
		count -= run;
		to += (size_t)run * j->block_size;
	}
	return 0;
}

/* --- checksums --- */

/* Of a descriptor or revoke block, whose last four bytes are the checksum, taken as zero. */
u32
block_tail_checksum(const struct journal *j, const void *block)
{
	static const u32 zero;

	return crc32c(crc32c(j->checksum_seed, block, j->block_size - 4), &zero, 4);
}

u32
data_checksum(const struct journal *j, u32 tid, const void *data)
{
	u32 sequence = be32(tid);

	return crc32c(crc32c(j->checksum_seed, &sequence, 4), data, j->block_size);
}

u32
commit_checksum(const struct journal *j, const struct log_commit *commit)
{
	static const u32 zero;
	const u8 *block = (const u8 *)commit;
	size_t at = offsetof(struct log_commit, checksum);
	u32 c = crc32c(crc32c(j->checksum_seed, block, at), &zero, 4);

	return crc32c(c, block + at + 4, j->block_size - at - 4);
}

static u32
superblock_checksum(const struct log_superblock *sb)
{
	static const u32 zero;
	const u8 *bytes = (const u8 *)sb;
	size_t at = offsetof(struct log_superblock, checksum);
	u32 c = crc32c(crc32c(~0u, bytes, at), &zero, 4);

	return crc32c(c, bytes + at + 4, sizeof(*sb) - at - 4);
}

/* --- the superblock --- */

void
journal_set_features(struct journal *j, u32 incompat)
{
	j->incompat = incompat;
	j->wide = incompat & LOG_INCOMPAT_64BIT;
	j->checksums = incompat & (LOG_INCOMPAT_CSUM_V2 | LOG_INCOMPAT_CSUM_V3);
	if (incompat & LOG_INCOMPAT_CSUM_V3)
		j->tag_bytes = 16;
	else
		j->tag_bytes = 8 + (incompat & LOG_INCOMPAT_CSUM_V2 ? 2 : 0) + (j->wide ? 4 : 0);
	if (j->checksums)
		j->checksum_seed = crc32c(~0u, j->sb->uuid, sizeof(j->sb->uuid));
}

int
superblock_write(struct journal *j, u32 start, u32 sequence, bool flush_first)
{
	struct bio bio;
	u32 run;
	u64 disk;
	bool ok = log_map(j, 0, &disk, &run);
	int err;

	ASSERT(ok);
	j->sb->start = be32(start);
	j->sb->sequence = be32(sequence);
	if (j->checksums)
		j->sb->checksum = be32(superblock_checksum(j->sb));
	bio_init(&bio, j->dev, BIO_WRITE, disk * (j->block_size >> SECTOR_SHIFT), NULL, 0);
	ok = bio_add_page(&bio, virt_to_page(j->superblock),
			  (u32)((uintptr_t)j->superblock & (PAGE_SIZE - 1)), j->block_size);
	ASSERT(ok);
	if (!j->config.no_barrier)
		bio.flags = (u16)(BIO_FUA | (flush_first ? BIO_PREFLUSH : 0));
	err = bio_submit_wait(&bio);
	if (!err)
		j->empty_on_disk = start == 0;
	return err;
}

static int
superblock_check_features(struct journal *j)
{
	struct log_superblock *sb = j->sb;
	u32 unknown = be32(sb->incompat) & ~LOG_INCOMPAT_KNOWN;

	if (unknown) {
		log_err("journal: %s: unknown feature: incompat %x\n", j->dev->name, unknown);
		return -EOPNOTSUPP;
	}
	if (be32(sb->ro_compat)) {
		log_err("journal: %s: unknown feature: ro_compat %x\n", j->dev->name,
			be32(sb->ro_compat));
		return -EOPNOTSUPP;
	}
	if (be32(sb->nr_users) > 1) {
		log_err("journal: %s: an external journal shared by file systems is not "
			"supported\n",
			j->dev->name);
		return -EOPNOTSUPP;
	}
	journal_set_features(j, be32(sb->incompat));
	if ((j->incompat & (LOG_INCOMPAT_CSUM_V2 | LOG_INCOMPAT_CSUM_V3)) ==
	    (LOG_INCOMPAT_CSUM_V2 | LOG_INCOMPAT_CSUM_V3)) {
		log_err("journal: %s: both csum_v2 and csum_v3\n", j->dev->name);
		return -EUCLEAN;
	}
	if (j->checksums) {
		if (sb->checksum_type != LOG_CHECKSUM_CRC32C) {
			log_err("journal: %s: unknown checksum type %u\n", j->dev->name,
				sb->checksum_type);
			return -EOPNOTSUPP;
		}
		if (be32(sb->checksum) != superblock_checksum(sb)) {
			log_err("journal: %s: the superblock's checksum is wrong\n", j->dev->name);
			return -EBADMSG;
		}
	}
	return 0;
}

static int
superblock_check(struct journal *j)
{
	struct log_superblock *sb = j->sb;
	u32 type = be32(sb->header.type), max_len = be32(sb->max_len), fast = 0;
	int err;

	if (be32(sb->header.magic) != JOURNAL_MAGIC || be32(sb->block_size) != j->block_size ||
	    (type != LOG_SUPERBLOCK_V1 && type != LOG_SUPERBLOCK_V2)) {
		log_err("journal: %s: no superblock of a journal of %u-byte blocks\n", j->dev->name,
			j->block_size);
		return -EUCLEAN;
	}
	if (type == LOG_SUPERBLOCK_V1) { /* what follows is not defined there */
		memset((u8 *)sb + offsetof(struct log_superblock, compat), 0,
		       sizeof(*sb) - offsetof(struct log_superblock, compat));
	}
	err = superblock_check_features(j);
	if (err)
		return err;
	if (j->incompat & LOG_INCOMPAT_FAST_COMMIT) {
		fast = be32(sb->fast_commit_blocks);
		if (!fast)
			fast = 256;
	}
	if (max_len > j->config.log_blocks || max_len < MIN_LOG_BLOCKS || fast > max_len ||
	    max_len - fast < MIN_LOG_BLOCKS / 2) {
		log_err("journal: %s: impossible length %u\n", j->dev->name, max_len);
		return -EUCLEAN;
	}
	j->first = be32(sb->first);
	j->last = max_len - fast;
	if (!j->first || j->first >= j->last || j->last - j->first < MIN_LOG_BLOCKS / 2 ||
	    (sb->start && (be32(sb->start) < j->first || be32(sb->start) >= j->last))) {
		log_err("journal: %s: impossible first %u or start %u\n", j->dev->name, j->first,
			be32(sb->start));
		return -EUCLEAN;
	}
	return 0;
}

/* --- life --- */

static void
journal_free(struct journal *j)
{
	kfree(j->runs);
	kvfree(j->group);
	pages_free(j->superblock, 0);
	rcu_synchronize(); /* see log_write_done */
	kfree(j);
}

int
journal_open(const struct journal_config *config, struct journal **out)
{
	struct journal *j = kzalloc(sizeof(*j), GFP_KERNEL);
	int err = -ENOMEM;

	if (!j)
		return -ENOMEM;
	j->config = *config;
	j->cache = config->cache;
	j->dev = buffer_device(j->cache);
	j->block_size = buffer_size(j->cache);
	j->superblock = pages_alloc(0, GFP_KERNEL | GFP_ZERO);
	if (!j->superblock) {
		kfree(j);
		return -ENOMEM;
	}
	j->sb = (struct log_superblock *)j->superblock;
	spin_init(&j->lock, RANK_JOURNAL_SPIN);
	mutex_init(&j->checkpoint_lock, RANK_CHECKPOINT);
	mutex_init(&j->superblock_lock, RANK_SLEEP_LEAF);
	list_init(&j->checkpoints);
	wait_queue_init(&j->thread_wait);
	wait_queue_init(&j->updates_wait);
	wait_queue_init(&j->start_wait);
	wait_queue_init(&j->commit_wait);
	wait_queue_init(&j->inode_wait);
	wait_queue_init(&j->io_wait);
	journal_set_commit_interval(j, config->commit_seconds);

	err = j->block_size < sizeof(struct log_superblock) ? -EUCLEAN : log_map_read(j);
	if (!err)
		err = log_read_blocks(j, 0, 1, j->superblock);
	if (!err)
		err = superblock_check(j);
	if (err) {
		journal_free(j);
		return err;
	}
	j->next_tid = be32(j->sb->sequence);
	j->empty_on_disk = !j->sb->start;
	*out = j;
	return 0;
}

bool
journal_needs_replay(const struct journal *j)
{
	return j->sb->start != 0;
}

void
journal_set_commit_interval(struct journal *j, u32 seconds)
{
	j->interval_ns = (seconds ? seconds : 5) * NSEC_PER_SEC;
}

int
journal_run(struct journal *j)
{
	u32 incompat;
	int err;

	if (journal_needs_replay(j))
		return -EUCLEAN;
	/*
	 * What this kernel writes: never the one checksum of the whole transaction, nor a commit
	 * block that does not wait for the rest.
	 */
	incompat = (j->incompat | LOG_INCOMPAT_REVOKE) & ~LOG_INCOMPAT_ASYNC_COMMIT;
	if (j->config.want_64bit)
		incompat |= LOG_INCOMPAT_64BIT;
	if (j->config.want_checksums)
		incompat = (incompat | LOG_INCOMPAT_CSUM_V3) & ~LOG_INCOMPAT_CSUM_V2;
	if (incompat != j->incompat || be32(j->sb->compat) & LOG_COMPAT_CHECKSUM) {
		j->sb->header.type = be32(LOG_SUPERBLOCK_V2);
		if (incompat & (LOG_INCOMPAT_CSUM_V2 | LOG_INCOMPAT_CSUM_V3))
			j->sb->checksum_type = LOG_CHECKSUM_CRC32C;
		j->sb->compat &= ~be32(LOG_COMPAT_CHECKSUM);
		j->sb->incompat = be32(incompat);
		journal_set_features(j, incompat);
		err = superblock_write(j, 0, j->next_tid, false);
		if (err)
			return err;
	}
	j->group = kvmalloc(2 * (j->block_size / j->tag_bytes) * sizeof(void *), GFP_KERNEL);
	if (!j->group)
		return -ENOMEM;
	j->head = j->tail = j->first;
	j->tail_tid = j->next_tid;
	j->free = j->last - j->first;
	j->max_credits = j->free / 4;
	j->thread = thread_create(commit_thread, j, "jbd2/%s", j->dev->name);
	if (!j->thread)
		return -ENOMEM;
	thread_wake(j->thread);
	return 0;
}

/* The thread commits what is running, then ends. */
static void
journal_stop_thread(struct journal *j)
{
	if (!j->thread)
		return;
	spin_lock(&j->lock);
	j->stopping = true;
	spin_unlock(&j->lock);
	wake_up_all(&j->thread_wait);
	wait_event(&j->commit_wait, READ_ONCE(j->thread_done));
	/* It set thread_done under the lock: once the lock is free, it needs the journal no more.
	 */
	spin_lock(&j->lock);
	spin_unlock(&j->lock);
	j->thread = NULL;
}

int
journal_close(struct journal *j)
{
	bool ran = j->thread;
	int err = 0;

	journal_stop_thread(j);
	if (ran) {
		err = checkpoint_all(j);
		if (!err && !j->empty_on_disk)
			err = superblock_write(j, 0, j->next_tid, true);
	}
	journal_free(j);
	return err;
}

void
journal_discard(struct journal *j)
{
	if (j->thread) {
		journal_abort(j, -EROFS); /* which is not worth a note in the superblock */
		journal_stop_thread(j);
		checkpoint_all(j);
	}
	journal_free(j);
}

int
journal_flush(struct journal *j)
{
	int err = journal_force_commit(j);

	if (!err)
		err = checkpoint_all(j);
	mutex_lock(&j->superblock_lock);
	/* Somebody may have begun anew meanwhile: then it stays. */
	if (!err && !j->empty_on_disk) {
		bool idle;

		spin_lock(&j->lock);
		idle = !j->running && !j->committing && list_empty(&j->checkpoints);
		spin_unlock(&j->lock);
		if (idle)
			err = superblock_write(j, 0, j->next_tid, true);
	}
	mutex_unlock(&j->superblock_lock);
	return err;
}

/* --- errors --- */

int
journal_old_error(const struct journal *j)
{
	s32 error = (s32)be32((u32)j->sb->error);

	return error > 0 ? -error : error;
}

int
journal_clear_error(struct journal *j)
{
	if (!j->sb->error)
		return 0;
	j->sb->error = 0;
	return superblock_write(j, be32(j->sb->start), be32(j->sb->sequence), false);
}

int
journal_error(const struct journal *j)
{
	return READ_ONCE(j->error);
}

void
journal_abort(struct journal *j, int error)
{
	bool first;

	spin_lock(&j->lock);
	first = !j->error;
	if (first)
		j->error = error;
	spin_unlock(&j->lock);
	if (!first)
		return;
	log_err("journal: %s: aborted: error %d\n", j->dev->name, -error);
	if (j->config.aborted)
		j->config.aborted(j->config.ctx, error);
	/* The thread writes the error into the superblock. */
	wake_up_all(&j->thread_wait);
	wake_up_all(&j->start_wait);
	wake_up_all(&j->commit_wait);
}
