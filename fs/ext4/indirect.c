/* SPDX-License-Identifier: MIT */
/*
 * Block maps of ext2 and ext3: twelve numbers of blocks in the inode, then one of a block of
 * numbers, one of a block of such blocks, and one with a level more. Zero is a hole.
 */
#include "ext4_internal.h"

#define DIRECT 12u

struct position {
	u32 depth;     /* levels of blocks of numbers above the data: 0 to 3 */
	u32 offset[4]; /* in the inode, then in each block */
	u64 relative;  /* within what the slot in the inode covers */
};

static u64
covered(const struct ext4_fs *fs, u32 depth)
{
	return 1ull << (depth * (fs->block_bits - 2));
}

static int
locate(const struct ext4_fs *fs, u64 lblk, struct position *pos)
{
	u32 per = fs->block_size / 4;
	u64 rest = lblk;

	if (lblk < DIRECT) {
		*pos = (struct position){ .offset = { (u32)lblk } };
		return 0;
	}
	rest -= DIRECT;
	for (u32 depth = 1; depth <= 3; depth++) {
		if (rest < covered(fs, depth)) {
			pos->depth = depth;
			pos->offset[0] = DIRECT + depth - 1;
			pos->relative = rest;
			for (u32 i = 1; i <= depth; i++)
				pos->offset[i] = (u32)(rest / covered(fs, depth - i)) % per;
			return 0;
		}
		rest -= covered(fs, depth);
	}
	return -EFBIG;
}

static int
read_numbers(struct ext4_node *n, u32 block, struct buffer **out)
{
	if (!ext4_blocks_valid(n->fs, block, 1))
		return ext4_corrupt(n->fs, n->ino, block, "indirect block beyond the file system");
	return ext4_read_block(n->fs, block, out);
}

/* Adjacent blocks, or holes, from slot on. */
static u32
run_length(const u32 *slot, u32 slots, u32 limit)
{
	u32 n = 1, first = slot[0];

	while (n < slots && n < limit && slot[n] == (first ? first + n : 0))
		n++;
	return n;
}

int
ext4_indirect_lookup(struct ext4_node *n, struct ext4_map *m)
{
	u32 per = n->fs->block_size / 4, *slot, slots, number;
	struct buffer *b = NULL;
	struct position pos;
	int err = locate(n->fs, m->lblk, &pos);

	m->flags = 0;
	m->pblk = 0;
	if (err)
		return m->lblk ? 0 : err; /* behind the last possible block there is a hole */
	slot = &n->block[pos.offset[0]];
	slots = pos.depth ? 1 : DIRECT - pos.offset[0];
	for (u32 level = 0; level < pos.depth; level++) {
		number = *slot;
		if (b)
			buffer_put(b);
		if (!number) {
			u64 cover = covered(n->fs, pos.depth - level);

			m->len = (u32)MIN((u64)m->len, cover - pos.relative % cover);
			return 0;
		}
		err = read_numbers(n, number, &b);
		if (err)
			return err;
		slot = (u32 *)b->data + pos.offset[level + 1];
		slots = per - pos.offset[level + 1];
	}
	m->len = run_length(slot, slots, m->len);
	if (*slot) {
		m->pblk = *slot;
		m->flags = MAP_MAPPED;
		if (!ext4_blocks_valid(n->fs, m->pblk, m->len))
			err = ext4_corrupt(n->fs, n->ino, m->pblk, "block beyond the file system");
	}
	if (b)
		buffer_put(b);
	return err;
}

int
ext4_indirect_next(struct ext4_node *n, u32 lblk, struct ext4_map *m)
{
	u64 at = lblk, end = DIRECT;

	for (u32 depth = 1; depth <= 3; depth++)
		end += covered(n->fs, depth);
	end = MIN(end, 1ull << 32);
	while (at < end) {
		int err;

		*m = (struct ext4_map){ .lblk = (u32)at,
					.len = (u32)MIN(end - at, (u64)UINT32_MAX) };
		err = ext4_indirect_lookup(n, m);
		if (err)
			return err;
		if (m->flags)
			return 1;
		at += m->len;
	}
	return 0;
}

/* --- allocating --- */

/* The holder of a slot: a block of numbers, or the inode (which the caller stores). */
static int
slot_access(struct journal_handle *h, struct buffer *holder)
{
	return holder ? ext4_access(h, holder) : 0;
}

static int
slot_dirty(struct journal_handle *h, struct buffer *holder)
{
	return holder ? ext4_dirty(h, holder) : 0;
}

static int
alloc_numbers(struct journal_handle *h, struct ext4_node *n, u64 goal, u32 *slot,
	      struct buffer *holder, struct buffer **out)
{
	u32 len = 1;
	u64 block;
	int err = slot_access(h, holder);

	if (!err)
		err = ext4_alloc_blocks(h, n, goal, &len, CLAIM_METADATA, &block);
	if (err)
		return err;
	err = block >> 32 ? -ENOSPC : ext4_new_block(n->fs, h, block, out);
	if (err) {
		(void)ext4_free_blocks(h, n, block, 1, 0);
		return err;
	}
	*slot = (u32)block;
	return slot_dirty(h, holder);
}

int
ext4_indirect_alloc(struct journal_handle *h, struct ext4_node *n, struct ext4_map *m, u32 flags)
{
	u32 per = n->fs->block_size / 4, *slot, slots, len,
	    how = flags & MAP_CLAIMED	 ? CLAIM_DONE
		  : flags & MAP_METADATA ? CLAIM_METADATA
					 : ext4_claim_level(n->fs);
	u64 goal = ext4_goal(n, m->lblk), block;
	struct buffer *holder = NULL, *b;
	struct position pos;
	int err = locate(n->fs, m->lblk, &pos);

	if (err)
		return err;
	slot = &n->block[pos.offset[0]];
	slots = pos.depth ? 1 : DIRECT - pos.offset[0];
	for (u32 level = 0; level < pos.depth; level++) {
		if (*slot)
			err = read_numbers(n, *slot, &b);
		else
			err = alloc_numbers(h, n, goal, slot, holder, &b);
		if (holder)
			buffer_put(holder);
		if (err)
			return err;
		holder = b;
		slot = (u32 *)b->data + pos.offset[level + 1];
		slots = per - pos.offset[level + 1];
	}
	err = slot_access(h, holder);
	if (err)
		goto out;
	len = run_length(slot, slots, m->len);
	err = ext4_alloc_blocks(h, n, goal, &len, how, &block);
	if (err)
		goto out;
	if ((block + len) >> 32) {
		(void)ext4_free_blocks(h, n, block, len, 0);
		err = -ENOSPC;
		goto out;
	}
	for (u32 i = 0; i < len; i++)
		slot[i] = (u32)block + i;
	err = slot_dirty(h, holder);
	m->pblk = block;
	m->len = len;
	m->flags = MAP_MAPPED | MAP_NEW;
out:
	if (holder)
		buffer_put(holder);
	return err;
}

/* --- removing --- */

struct removal {
	struct journal_handle *h;
	struct ext4_node *n;
	u64 first, last;
	u32 flags; /* FREE_* of data */
};

/* Data blocks of the slots [from, to]. 1: no credits left. */
static int
remove_data(struct removal *r, u32 *array, struct buffer *holder, u32 from, u32 to)
{
	while (from <= to) {
		u32 len, block = array[from];
		int err;

		if (!block) {
			from++;
			continue;
		}
		len = run_length(&array[from], to - from + 1, EXT4_EXTENT_MAX_LEN);
		if (!ext4_ensure(r->h, CREDITS_FREE))
			return 1;
		err = slot_access(r->h, holder);
		if (err)
			return err;
		memset(&array[from], 0, len * sizeof(*array));
		err = slot_dirty(r->h, holder);
		if (!err)
			err = ext4_free_blocks(r->h, r->n, block, len, r->flags);
		if (err)
			return err;
		from += len;
	}
	return 0;
}

static int
remove_slots(struct removal *r, u32 *array, u32 count, struct buffer *holder, u32 depth, u64 base);

/* What hangs below a slot; and the block of numbers itself if nothing is left in it. */
static int
remove_below(struct removal *r, u32 *slot, struct buffer *holder, u32 depth, u64 base)
{
	u32 per = r->n->fs->block_size / 4, block = *slot;
	struct buffer *b;
	int err;

	if (!block)
		return 0;
	err = read_numbers(r->n, block, &b);
	if (err)
		return err;
	err = remove_slots(r, (u32 *)b->data, per, b, depth - 1, base);
	if (!err && !memchr_inv(b->data, 0, r->n->fs->block_size)) {
		if (!ext4_ensure(r->h, CREDITS_FREE)) {
			err = 1;
			goto out;
		}
		err = slot_access(r->h, holder);
		if (err)
			goto out;
		*slot = 0;
		err = slot_dirty(r->h, holder);
		if (!err)
			err = ext4_free_blocks(r->h, r->n, block, 1, FREE_METADATA);
	}
out:
	buffer_put(b);
	return err;
}

/* Slots that each cover covered(depth) blocks, the first one from `base` on. */
static int
remove_slots(struct removal *r, u32 *array, u32 count, struct buffer *holder, u32 depth, u64 base)
{
	u64 cover = covered(r->n->fs, depth), end = base + cover * count;
	u32 from, to;

	if (r->first >= end || r->last < base)
		return 0;
	from = r->first > base ? (u32)((r->first - base) / cover) : 0;
	to = r->last < end ? (u32)((r->last - base) / cover) : count - 1;
	if (!depth)
		return remove_data(r, array, holder, from, to);
	for (; from <= to; from++) {
		int err = remove_below(r, &array[from], holder, depth, base + from * cover);

		if (err)
			return err;
	}
	return 0;
}

int
ext4_indirect_remove(struct journal_handle *h, struct ext4_node *n, u32 first, u32 last)
{
	struct removal r = { h, n, first, last, S_ISREG(n->inode->mode) ? 0 : FREE_METADATA };
	u64 base = DIRECT;
	int err = remove_slots(&r, n->block, DIRECT, NULL, 0, 0);

	for (u32 depth = 1; !err && depth <= 3; depth++) {
		err = remove_slots(&r, &n->block[DIRECT + depth - 1], 1, NULL, depth, base);
		base += covered(n->fs, depth);
	}
	return err;
}
