/* SPDX-License-Identifier: MIT */
/*
 * Replay: after a crash, what the log has of whole transactions goes to its place.
 *
 * Three passes over the log from where the superblock says that it starts, each transaction having
 * the number after its predecessor's:
 *
 *	scan	 finds the last transaction with a commit block
 *	revoke	 learns from whole transactions which blocks were freed, and when
 *	replay	 copies blocks, in order, unless freed in the same transaction or later
 *
 * The log ends at the first block that is not the next thing: another magic, another number, a
 * wrong checksum of a control block. A wrong checksum of a data block in a transaction that has its
 * commit block means a bad medium: that block is left out, and the file system must be checked
 * (-EBADMSG). Unless commits were asynchronous: there the commit block proves nothing without the
 * data, so it is a reason for the log to end.
 *
 * Nothing in the log is believed: every block number and length is checked, and a pass reads no
 * more blocks than the log has.
 */
#include "core/log.h"
#include "journal_internal.h"
#include "lib/string.h"
#include "lib/xarray.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define WINDOW_BLOCKS 32u
#define SYNC_EVERY    2048u /* blocks: bounds the memory that replay pins */

enum replay_pass { PASS_SCAN, PASS_REVOKE, PASS_REPLAY };

struct replay {
	struct journal *j;
	u8 *window; /* WINDOW_BLOCKS of the log */
	u32 window_first, window_count;
	u8 *copy;	       /* one block: a descriptor outlives the window */
	u32 end_tid;	       /* scan: the first transaction that is not whole */
	u32 budget;	       /* blocks that this pass may still read */
	struct xarray revoked; /* block -> tid + 1, as a value */
	u32 replayed, revokes, skipped, unsynced;
	bool damaged;
	u32 crc; /* scan: of all blocks of a transaction, for the oldest kind of checksum */
};

struct tag {
	u64 block;
	u32 flags, checksum;
};

/* --- reading --- */

static int
replay_block(struct replay *r, u32 block, u8 **out)
{
	struct journal *j = r->j;

	if (block - r->window_first >= r->window_count) {
		u32 count = MIN(WINDOW_BLOCKS, j->last - block);
		int err = log_read_blocks(j, block, count, r->window);

		r->window_count = 0;
		if (err && count > 1) { /* one bad block is not to hide its neighbours */
			count = 1;
			err = log_read_blocks(j, block, 1, r->window);
		}
		if (err)
			return err;
		r->window_first = block;
		r->window_count = count;
	}
	*out = r->window + (size_t)(block - r->window_first) * j->block_size;
	return 0;
}

/* CRC-32 as the first format had it: most significant bit first, no inversion. */
static u32
crc32_be(u32 crc, const u8 *data, size_t size)
{
	while (size--) {
		crc ^= (u32)*data++ << 24;
		for (u32 i = 0; i < 8; i++)
			crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7u : 0);
	}
	return crc;
}

static bool
control_checksum_good(struct journal *j, u8 *block)
{
	return !j->checksums || be32(*block_tail(j, block)) == block_tail_checksum(j, block);
}

static bool
commit_good(struct replay *r, const u8 *block)
{
	const struct log_commit *c = (const struct log_commit *)block;
	struct journal *j = r->j;

	if (j->checksums)
		return be32(c->checksum[0]) == commit_checksum(j, c);
	if (be32(j->sb->compat) & LOG_COMPAT_CHECKSUM && c->checksum_type == LOG_CHECKSUM_CRC32 &&
	    c->checksum_size == 4)
		return be32(c->checksum[0]) == r->crc;
	return true;
}

/* The tag at *at of a descriptor; false: there is none. */
static bool
tag_next(const struct journal *j, const u8 *descriptor, u32 *at, struct tag *tag)
{
	u32 limit = j->block_size - (j->checksums ? 4 : 0), v[4];
	u16 half[2];

	if (*at + j->tag_bytes > limit)
		return false;
	memcpy(v, descriptor + *at, MIN(j->tag_bytes, 16u));
	tag->block = be32(v[0]);
	if (j->incompat & LOG_INCOMPAT_CSUM_V3) {
		tag->flags = be32(v[1]);
		tag->checksum = be32(v[3]);
	} else {
		memcpy(half, &v[1], sizeof(half));
		tag->checksum = be16(half[0]);
		tag->flags = be16(half[1]);
	}
	if (j->wide)
		tag->block |= (u64)be32(v[2]) << 32;
	*at += j->tag_bytes + (tag->flags & TAG_SAME_UUID ? 0 : 16);
	return true;
}

static bool
data_good(const struct journal *j, u32 tid, const struct tag *tag, const u8 *data)
{
	u32 checksum;

	if (!j->checksums)
		return true;
	checksum = data_checksum(j, tid, data);
	if (j->incompat & LOG_INCOMPAT_CSUM_V3)
		return checksum == tag->checksum;
	return (u16)checksum == tag->checksum;
}

/* --- revokes --- */

static int
revoke_note(struct replay *r, u64 block, u32 tid)
{
	void *old = xa_load(&r->revoked, block);

	if (old && !tid_after(tid, (u32)xa_to_value(old) - 1))
		return 0;
	r->revokes += !old;
	return xa_store(&r->revoked, block, xa_mk_value((unsigned long)(u32)(tid + 1)), NULL);
}

static bool
is_revoked(struct replay *r, u64 block, u32 tid)
{
	void *entry = xa_load(&r->revoked, block);

	return entry && !tid_after(tid, (u32)xa_to_value(entry) - 1);
}

static int
revokes_read(struct replay *r, u8 *block, u32 tid)
{
	struct journal *j = r->j;
	u32 bytes = be32(((struct log_revoke *)block)->bytes), size = j->wide ? 8 : 4;

	if (!control_checksum_good(j, block))
		return -EBADMSG;
	if (bytes > j->block_size - (j->checksums ? 4 : 0))
		return -EUCLEAN;
	for (u32 at = sizeof(struct log_revoke); at + size <= bytes; at += size) {
		u64 nr;
		int err;

		if (size == 8) {
			memcpy(&nr, block + at, 8);
			nr = be64(nr);
		} else {
			u32 v;

			memcpy(&v, block + at, 4);
			nr = be32(v);
		}
		if (nr >= j->config.fs_blocks)
			continue; /* no block of ours: nothing would be replayed there */
		err = revoke_note(r, nr, tid);
		if (err)
			return err;
	}
	return 0;
}

/* --- copying --- */

static int
block_restore(struct replay *r, const struct tag *tag, u32 tid, const u8 *data)
{
	struct journal *j = r->j;
	struct buffer *b;
	int err;

	if (is_revoked(r, tag->block, tid)) {
		r->skipped++;
		return 0;
	}
	if (tag->block >= j->config.fs_blocks) {
		log_err("journal: %s: block %lu in the log is beyond the file system\n",
			j->dev->name, tag->block);
		return -EUCLEAN;
	}
	if (!data_good(j, tid, tag, data)) {
		log_err("journal: %s: block %lu in the log has a wrong checksum\n", j->dev->name,
			tag->block);
		r->damaged = true;
		return 0;
	}
	err = buffer_get(j->cache, tag->block, &b);
	if (err)
		return err;
	buffer_lock(b);
	memcpy(b->data, data, j->block_size);
	if (tag->flags & TAG_ESCAPE) {
		u32 magic = be32(JOURNAL_MAGIC);

		memcpy(b->data, &magic, 4);
	}
	atomic_and(&b->state, ~(int)BUF_VERIFIED);
	buffer_set_uptodate(b);
	buffer_unlock(b);
	buffer_mark_dirty(b);
	buffer_put(b);
	r->replayed++;
	if (++r->unsynced >= SYNC_EVERY) {
		r->unsynced = 0;
		return buffers_sync(j->cache);
	}
	return 0;
}

static u32
log_skip(const struct journal *j, u32 block, u32 count)
{
	u32 size = j->last - j->first;

	return j->first + (u32)(((u64)(block - j->first) + count) % size);
}

/*
 * The data blocks of the descriptor in r->copy, which begin at *at. 0; 1: the log ends here (scan);
 * an error.
 */
static int
descriptor_walk(struct replay *r, enum replay_pass pass, u32 tid, u32 *at)
{
	struct journal *j = r->j;
	bool look = pass == PASS_REPLAY ||
		    (pass == PASS_SCAN &&
		     (j->incompat & LOG_INCOMPAT_ASYNC_COMMIT ||
		      (!j->checksums && be32(j->sb->compat) & LOG_COMPAT_CHECKSUM)));
	u32 offset = sizeof(struct log_header), count = 0;
	struct tag tag;

	while (tag_next(j, r->copy, &offset, &tag)) {
		if (!r->budget--) {
			r->budget = 0;
			return 1;
		}
		if (look) {
			u8 *data;
			int err = replay_block(r, *at, &data);

			if (err && pass == PASS_SCAN)
				return err == -EIO ? 1 : err;
			if (!err && pass == PASS_SCAN && !j->checksums)
				r->crc = crc32_be(r->crc, data, j->block_size);
			else if (!err && pass == PASS_SCAN && !data_good(j, tid, &tag, data))
				return 1;
			else if (!err && pass == PASS_REPLAY)
				err = block_restore(r, &tag, tid, data);
			else if (err == -EIO) {
				r->damaged = true;
				err = 0;
			}
			if (err)
				return err;
			*at = log_next(j, *at);
		} else {
			count++;
		}
		if (tag.flags & TAG_LAST)
			break;
	}
	*at = log_skip(j, *at, count);
	return 0;
}

/* One pass. Scan: 0 at the end of the log, wherever that is. */
static int
replay_pass(struct replay *r, enum replay_pass pass)
{
	struct journal *j = r->j;
	u32 tid = be32(j->sb->sequence), at = be32(j->sb->start);
	int err = 0;

	r->budget = j->last - j->first;
	r->crc = ~0u;
	r->window_count = 0;
	while (pass == PASS_SCAN || tid != r->end_tid) {
		struct log_header *header;
		u8 *block;
		u32 type;

		if (!r->budget) /* all of the log, and no end: it cannot be */
			break;
		r->budget--;
		err = replay_block(r, at, &block);
		if (err) {
			if (err == -EIO && pass == PASS_SCAN)
				err = 0;
			break;
		}
		header = (struct log_header *)block;
		type = be32(header->type);
		if (be32(header->magic) != JOURNAL_MAGIC || be32(header->sequence) != tid)
			break;
		at = log_next(j, at);
		if (type == LOG_DESCRIPTOR) {
			if (!control_checksum_good(j, block))
				break;
			if (pass == PASS_SCAN && !j->checksums &&
			    be32(j->sb->compat) & LOG_COMPAT_CHECKSUM)
				r->crc = crc32_be(r->crc, block, j->block_size);
			memcpy(r->copy, block, j->block_size);
			err = descriptor_walk(r, pass, tid, &at);
			if (err)
				break;
		} else if (type == LOG_COMMIT) {
			if (pass == PASS_SCAN && !commit_good(r, block))
				break;
			r->crc = ~0u;
			tid++;
		} else if (type == LOG_REVOKE) {
			if (pass == PASS_SCAN && !control_checksum_good(j, block))
				break;
			if (pass == PASS_REVOKE) {
				err = revokes_read(r, block, tid);
				if (err)
					break;
			}
		} else {
			break;
		}
	}
	if (pass == PASS_SCAN) {
		r->end_tid = tid;
		return err > 0 ? 0 : err;
	}
	if (!err && tid != r->end_tid) {
		log_err("journal: %s: the log changed while it was read\n", j->dev->name);
		return -EIO;
	}
	return err > 0 ? -EUCLEAN : err;
}

/*
 * Fast commits lie behind the log and amend its last transaction. This kernel neither writes nor
 * reads them, so there must be none. They begin with a tag of type 9 with the tid that they amend.
 */
static int
fast_commits_check(struct replay *r)
{
	struct {
		u16 tag, length;
		u32 features, tid;
	} head;
	struct journal *j = r->j;
	int err;

	if (!(j->incompat & LOG_INCOMPAT_FAST_COMMIT))
		return 0;
	r->window_count = 0;
	err = log_read_blocks(j, j->last, 1, r->window);
	if (err)
		return err;
	memcpy(&head, r->window, sizeof(head)); /* little-endian, unlike all else */
	if (head.tag == 9 && head.length == 8 && head.tid == r->end_tid) {
		log_err("journal: %s: fast commits to be replayed are not supported\n",
			j->dev->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

int
journal_replay(struct journal *j)
{
	struct replay r = { .j = j, .revoked = XARRAY_INIT };
	u32 size = j->last - j->first;
	int err = -ENOMEM, err2;

	if (!journal_needs_replay(j))
		return 0;
	r.window = kvmalloc((size_t)WINDOW_BLOCKS * j->block_size, GFP_KERNEL);
	r.copy = pages_alloc(0, GFP_KERNEL);
	if (!r.window || !r.copy)
		goto out;
	err = replay_pass(&r, PASS_SCAN);
	if (!err)
		err = fast_commits_check(&r);
	if (!err)
		err = replay_pass(&r, PASS_REVOKE);
	if (!err)
		err = replay_pass(&r, PASS_REPLAY);
	err2 = buffers_sync(j->cache);
	if (!err)
		err = err2;
	if (!err && r.damaged)
		err = -EBADMSG;
	log_info("journal: %s: replayed %u blocks of transactions %u to %u, %u revoked%s\n",
		 j->dev->name, r.replayed, be32(j->sb->sequence), r.end_tid - 1, r.skipped,
		 err ? "; with errors" : "");
	if (err)
		goto out;
	/*
	 * A transaction without its commit block may be followed by whole ones of an earlier round,
	 * so the numbers go on where none in the log can be.
	 */
	j->next_tid = r.end_tid + size;
	err = superblock_write(j, 0, j->next_tid, true);
	buffers_invalidate(j->cache);
out:
	xa_destroy(&r.revoked);
	kvfree(r.window);
	if (r.copy)
		pages_free(r.copy, 0);
	return err;
}
