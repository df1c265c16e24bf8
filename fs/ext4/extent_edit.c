/* SPDX-License-Identifier: MIT */
/*
 * Extent trees: changes.
 *
 * Every function leaves a tree that is right by itself, in one handle; whoever has more to do calls
 * again, from the top. Room is made one step at a time, and after each step the way is looked up
 * anew:
 *
 *	the leaf is full	some node above has room: the node below that one is split in two
 *				all are full: the root moves into a block and gets a level below
 *
 * A split for an entry behind the last one moves only the last: files that grow have full nodes.
 * If the first entry of a node changes, so do the keys above it.
 *
 * The caller holds map_lock for writing, and stores the inode afterwards (the root is in it).
 */
#include "ext4_internal.h"

#define ENTRY_SIZE sizeof(struct ext4_extent)
STATIC_ASSERT(sizeof(struct ext4_extent) == sizeof(struct ext4_extent_index));

static int
level_access(struct journal_handle *h, struct ext4_level *l)
{
	return l->buffer ? ext4_access(h, l->buffer) : 0;
}

static int
level_dirty(struct journal_handle *h, struct ext4_node *n, struct ext4_level *l)
{
	if (!l->buffer)
		return 0;
	ext4_extent_seal(n, l->buffer);
	return ext4_dirty(h, l->buffer);
}

/* The first entry of the node at `level` has changed: the keys above follow. */
static int
fix_keys(struct journal_handle *h, struct ext4_node *n, struct ext4_path *p, u32 level)
{
	u32 key = ext4_extents(p->level[level].header)[0].ee_block;

	while (level-- > 0) {
		struct ext4_level *l = &p->level[level];
		int err = level_access(h, l);

		if (err)
			return err;
		ext4_indices(l->header)[l->pos].ei_block = key;
		err = level_dirty(h, n, l);
		if (err)
			return err;
		if (l->pos)
			break;
	}
	return 0;
}

static void
entry_open(struct ext4_extent_header *hdr, u32 at)
{
	struct ext4_extent *e = ext4_extents(hdr);

	memmove(e + at + 1, e + at, (hdr->eh_entries - at) * ENTRY_SIZE);
	hdr->eh_entries++;
}

static void
entry_close(struct ext4_extent_header *hdr, u32 at)
{
	struct ext4_extent *e = ext4_extents(hdr);

	hdr->eh_entries--;
	memmove(e + at, e + at + 1, (hdr->eh_entries - at) * ENTRY_SIZE);
}

static void
set_start(struct ext4_extent *e, u64 block)
{
	e->ee_start_lo = (u32)block;
	e->ee_start_hi = (u16)(block >> 32);
}

static void
set_leaf(struct ext4_extent_index *x, u64 block)
{
	x->ei_leaf_lo = (u32)block;
	x->ei_leaf_hi = (u16)(block >> 32);
	x->ei_unused = 0;
}

static u16
raw_len(u32 len, bool unwritten)
{
	return (u16)(unwritten ? len + EXT4_EXTENT_MAX_LEN : len);
}

static u32
max_len(bool unwritten)
{
	return unwritten ? EXT4_UNWRITTEN_MAX : EXT4_EXTENT_MAX_LEN;
}

/* --- making room --- */

/* An empty node next to where the file's blocks are. */
static int
create_node(struct journal_handle *h, struct ext4_node *n, u64 goal, u32 depth, struct buffer **out)
{
	struct ext4_extent_header *hdr;
	u32 len = 1;
	u64 block;
	int err = ext4_alloc_blocks(h, n, goal, &len, CLAIM_METADATA, &block);

	if (err)
		return err;
	err = ext4_new_block(n->fs, h, block, out);
	if (err) {
		(void)ext4_free_blocks(h, n, block, 1, 0);
		return err;
	}
	hdr = (struct ext4_extent_header *)(*out)->data;
	*hdr = (struct ext4_extent_header){
		.eh_magic = EXT4_EXTENT_MAGIC,
		.eh_max = (u16)ext4_extent_capacity(n->fs),
		.eh_depth = (u16)depth,
	};
	return 0;
}

/* The root moves down; above it there is a new one with one entry. */
static int
grow(struct journal_handle *h, struct ext4_node *n, u64 goal)
{
	struct ext4_extent_header *root = (struct ext4_extent_header *)n->block, *hdr;
	struct ext4_extent_index *x = ext4_indices(root);
	struct ext4_level level;
	struct buffer *b;
	int err;

	if (root->eh_depth >= EXT4_EXTENT_MAX_DEPTH)
		return -EFBIG;
	err = create_node(h, n, goal, root->eh_depth, &b);
	if (err)
		return err;
	hdr = (struct ext4_extent_header *)b->data;
	memcpy(ext4_extents(hdr), ext4_extents(root), root->eh_entries * ENTRY_SIZE);
	hdr->eh_entries = root->eh_entries;
	level.buffer = b;
	err = level_dirty(h, n, &level);
	if (!err) {
		x->ei_block = hdr->eh_entries ? ext4_extents(hdr)[0].ee_block : 0;
		set_leaf(x, b->block);
		root->eh_entries = 1;
		root->eh_depth++;
	}
	buffer_put(b);
	return err;
}

/* The node at `level`, whose parent has room, gives part of its entries to a new neighbour. */
static int
split(struct journal_handle *h, struct ext4_node *n, struct ext4_path *p, u32 level, u64 goal)
{
	struct ext4_level *from = &p->level[level], *parent = &p->level[level - 1], to;
	u32 count = from->header->eh_entries, at = from->pos == count - 1 ? count - 1 : count / 2,
	    room = parent->pos + 1;
	struct ext4_extent_header *hdr;
	struct ext4_extent_index *x;
	int err;

	if (count < 2)
		return ext4_corrupt(n->fs, n->ino, from->buffer->block, "extent node without room");
	err = create_node(h, n, goal, p->depth - level, &to.buffer);
	if (err)
		return err;
	err = level_access(h, from);
	if (!err)
		err = level_access(h, parent);
	if (err)
		goto out;
	hdr = (struct ext4_extent_header *)to.buffer->data;
	memcpy(ext4_extents(hdr), ext4_extents(from->header) + at, (count - at) * ENTRY_SIZE);
	hdr->eh_entries = (u16)(count - at);
	from->header->eh_entries = (u16)at;
	entry_open(parent->header, room);
	x = &ext4_indices(parent->header)[room];
	x->ei_block = ext4_extents(hdr)[0].ee_block;
	set_leaf(x, to.buffer->block);
	err = level_dirty(h, n, &to);
	if (!err)
		err = level_dirty(h, n, from);
	if (!err)
		err = level_dirty(h, n, parent);
out:
	buffer_put(to.buffer);
	return err;
}

static int
make_room(struct journal_handle *h, struct ext4_node *n, struct ext4_path *p, u64 goal)
{
	u32 level = p->depth;

	while (level > 0) {
		const struct ext4_extent_header *parent = p->level[level - 1].header;

		if (parent->eh_entries < parent->eh_max)
			return split(h, n, p, level, goal);
		level--;
	}
	return grow(h, n, goal);
}

/* --- inserting --- */

static bool
can_join(const struct ext4_extent *left, const struct ext4_extent *right)
{
	bool unwritten = ext4_extent_unwritten(left);
	u32 len = ext4_extent_len(left);

	return unwritten == ext4_extent_unwritten(right) &&
	       left->ee_block + len == right->ee_block &&
	       ext4_extent_start(left) + len == ext4_extent_start(right) &&
	       len + ext4_extent_len(right) <= max_len(unwritten);
}

/* Entries at and at + 1 become one if they can. */
static void
join(struct ext4_extent_header *hdr, u32 at)
{
	struct ext4_extent *e = ext4_extents(hdr) + at;

	if (at + 1 >= hdr->eh_entries || !can_join(&e[0], &e[1]))
		return;
	e->ee_len = raw_len(ext4_extent_len(&e[0]) + ext4_extent_len(&e[1]),
			    ext4_extent_unwritten(&e[0]));
	entry_close(hdr, at + 1);
}

/* 1: there is no room in the leaf. */
static int
insert_in_leaf(struct journal_handle *h, struct ext4_node *n, struct ext4_path *p,
	       const struct ext4_extent *new, bool merge)
{
	struct ext4_level *leaf = &p->level[p->depth];
	struct ext4_extent *e = ext4_extents(leaf->header);
	u32 at = leaf->pos + 1, end = new->ee_block + ext4_extent_len(new);
	int err;

	if ((at > 0 && e[at - 1].ee_block + ext4_extent_len(&e[at - 1]) > new->ee_block) ||
	    (at < leaf->header->eh_entries && e[at].ee_block < end))
		return ext4_corrupt(n->fs, n->ino, 0, "block %u is mapped already", new->ee_block);
	err = level_access(h, leaf);
	if (err)
		return err;
	if (merge && at > 0 && can_join(&e[at - 1], new)) {
		at--;
		e[at].ee_len = raw_len(ext4_extent_len(&e[at]) + ext4_extent_len(new),
				       ext4_extent_unwritten(new));
		join(leaf->header, at);
		return level_dirty(h, n, leaf);
	}
	if (merge && at < leaf->header->eh_entries && can_join(new, &e[at])) {
		e[at].ee_len = raw_len(ext4_extent_len(&e[at]) + ext4_extent_len(new),
				       ext4_extent_unwritten(new));
		e[at].ee_block = new->ee_block;
		set_start(&e[at], ext4_extent_start(new));
	} else {
		if (leaf->header->eh_entries >= leaf->header->eh_max)
			return 1;
		entry_open(leaf->header, at);
		e[at] = *new;
	}
	err = level_dirty(h, n, leaf);
	return err || at ? err : fix_keys(h, n, p, p->depth);
}

static int
insert(struct journal_handle *h, struct ext4_node *n, const struct ext4_extent *new, bool merge)
{
	for (;;) {
		struct ext4_path p;
		int err = ext4_extent_find(n, new->ee_block, &p);

		if (err)
			return err;
		err = insert_in_leaf(h, n, &p, new, merge);
		if (err == 1) {
			err = make_room(h, n, &p, ext4_extent_start(new));
			if (!err)
				err = 1;
		}
		ext4_path_put(&p);
		if (err != 1)
			return err;
	}
}

int
ext4_extent_insert(struct journal_handle *h, struct ext4_node *n, u32 lblk, u64 pblk, u32 len,
		   bool unwritten)
{
	struct ext4_extent e = { .ee_block = lblk, .ee_len = raw_len(len, unwritten) };

	set_start(&e, pblk);
	return insert(h, n, &e, true);
}

/* --- splitting and converting --- */

static int
set_extent_len(struct journal_handle *h, struct ext4_node *n, u32 lblk, u16 len)
{
	struct ext4_level *leaf;
	struct ext4_path p;
	int err = ext4_extent_find(n, lblk, &p);

	if (err)
		return err;
	leaf = &p.level[p.depth];
	err = level_access(h, leaf);
	if (!err && leaf->pos != (u32)-1) {
		ext4_extents(leaf->header)[leaf->pos].ee_len = len;
		err = level_dirty(h, n, leaf);
	}
	ext4_path_put(&p);
	return err;
}

/* The extent across `at` becomes two. Nothing to do if there is none. */
int
ext4_extent_split(struct journal_handle *h, struct ext4_node *n, u32 at)
{
	struct ext4_extent e, right;
	struct ext4_level *leaf;
	struct ext4_path p;
	bool unwritten;
	u32 skip;
	int err = ext4_extent_find(n, at, &p);

	if (err)
		return err;
	leaf = &p.level[p.depth];
	if (leaf->pos == (u32)-1)
		goto out_put;
	e = ext4_extents(leaf->header)[leaf->pos];
	skip = at - e.ee_block;
	if (!skip || skip >= ext4_extent_len(&e))
		goto out_put;
	unwritten = ext4_extent_unwritten(&e);
	right.ee_block = at;
	right.ee_len = raw_len(ext4_extent_len(&e) - skip, unwritten);
	set_start(&right, ext4_extent_start(&e) + skip);
	ext4_path_put(&p);
	err = set_extent_len(h, n, e.ee_block, raw_len(skip, unwritten));
	if (err)
		return err;
	err = insert(h, n, &right, false);
	if (err)
		(void)set_extent_len(h, n, e.ee_block, e.ee_len); /* as it was */
	return err;
out_put:
	ext4_path_put(&p);
	return 0;
}

/* [lblk, lblk + len) lies in one unwritten extent: it becomes written. */
int
ext4_extent_convert(struct journal_handle *h, struct ext4_node *n, u32 lblk, u32 len)
{
	struct ext4_level *leaf;
	struct ext4_extent *e;
	struct ext4_path p;
	int err = ext4_extent_split(h, n, lblk);

	if (!err && (u64)lblk + len <= UINT32_MAX)
		err = ext4_extent_split(h, n, lblk + len);
	if (err)
		return err;
	err = ext4_extent_find(n, lblk, &p);
	if (err)
		return err;
	leaf = &p.level[p.depth];
	err = level_access(h, leaf);
	if (err)
		goto out_put;
	e = &ext4_extents(leaf->header)[leaf->pos];
	if (leaf->pos == (u32)-1 || e->ee_block != lblk || ext4_extent_len(e) != len) {
		err = ext4_corrupt(n->fs, n->ino, 0, "extent at %u is not what it was", lblk);
		goto out_put;
	}
	e->ee_len = (u16)len;
	join(leaf->header, leaf->pos);
	if (leaf->pos)
		join(leaf->header, leaf->pos - 1);
	err = level_dirty(h, n, leaf);
out_put:
	ext4_path_put(&p);
	return err;
}

/* --- removing --- */

/* Empty nodes from the leaf upwards go. */
static int
drop_empty(struct journal_handle *h, struct ext4_node *n, struct ext4_path *p)
{
	struct ext4_extent_header *root = (struct ext4_extent_header *)n->block;
	u32 level = p->depth;
	int err;

	while (level > 0 && !p->level[level].header->eh_entries) {
		struct ext4_level *parent = &p->level[level - 1];
		u64 block = p->level[level].buffer->block;

		err = level_access(h, parent);
		if (err)
			return err;
		entry_close(parent->header, parent->pos);
		err = level_dirty(h, n, parent);
		if (!err)
			err = ext4_free_blocks(h, n, block, 1, FREE_METADATA);
		if (err)
			return err;
		level--;
	}
	if (!root->eh_entries) {
		ext4_extent_init_root(n);
		return 0;
	}
	return level < p->depth && level > 0 && !p->level[level].pos ? fix_keys(h, n, p, level) : 0;
}

int
ext4_extent_remove_step(struct journal_handle *h, struct ext4_node *n, u32 first, u32 last)
{
	u32 flags = S_ISREG(n->inode->mode) ? 0 : FREE_METADATA, from, to, len;
	struct ext4_level *leaf;
	struct ext4_extent *e;
	struct ext4_path p;
	bool unwritten;
	u64 pblk;
	int err = ext4_extent_find(n, last, &p);

	if (err)
		return err;
	leaf = &p.level[p.depth];
	if (leaf->pos == (u32)-1)
		goto out_put;
	e = &ext4_extents(leaf->header)[leaf->pos];
	len = ext4_extent_len(e);
	unwritten = ext4_extent_unwritten(e);
	if (e->ee_block + (len - 1) < first)
		goto out_put;
	from = MAX(e->ee_block, first);
	to = MIN(e->ee_block + (len - 1), last);
	if (from > e->ee_block && to < e->ee_block + (len - 1)) {
		/* Out of the middle: the part behind becomes an extent of its own first. */
		ext4_path_put(&p);
		err = ext4_extent_split(h, n, to + 1);
		return err ? err : 1;
	}
	err = level_access(h, leaf);
	if (err)
		goto out_put;
	pblk = ext4_extent_start(e) + (from - e->ee_block);
	if (from > e->ee_block) {
		e->ee_len = raw_len(from - e->ee_block, unwritten);
	} else if (to < e->ee_block + (len - 1)) {
		u32 cut = to + 1 - e->ee_block;

		e->ee_block += cut;
		e->ee_len = raw_len(len - cut, unwritten);
		set_start(e, pblk + cut);
	} else {
		entry_close(leaf->header, leaf->pos);
	}
	err = level_dirty(h, n, leaf);
	if (!err && !leaf->header->eh_entries)
		err = drop_empty(h, n, &p);
	else if (!err && !leaf->pos)
		err = fix_keys(h, n, &p, p.depth);
	if (!err)
		err = ext4_free_blocks(h, n, pblk, to - from + 1, flags);
	ext4_path_put(&p);
	return err ? err : 1;
out_put:
	ext4_path_put(&p);
	return 0;
}

/* --- moving --- */

/*
 * Extents that start at or behind `first` move by delta. Towards the front they are taken in
 * order, towards the end in reverse, so that none overtakes another. *at: where this step begins
 * (front: a file block to be reached upwards; end: one to be reached downwards).
 */
int
ext4_extent_shift(struct journal_handle *h, struct ext4_node *n, u32 first, s64 delta, u32 *at)
{
	struct ext4_extent *e;
	struct ext4_level *leaf;
	struct ext4_path p;
	u32 low, high;
	int err;

	if (delta < 0) {
		struct ext4_map m;

		err = ext4_extent_next(n, *at, &m);
		if (err <= 0)
			return err;
		*at = m.lblk;
	}
	err = ext4_extent_find(n, *at, &p);
	if (err)
		return err;
	leaf = &p.level[p.depth];
	e = ext4_extents(leaf->header);
	err = 0;
	if (leaf->pos == (u32)-1)
		goto out_put;
	low = delta < 0 ? leaf->pos : 0;
	high = delta < 0 ? leaf->header->eh_entries : leaf->pos + 1;
	while (low < high && e[low].ee_block < first)
		low++;
	if (low >= high)
		goto out_put;
	err = level_access(h, leaf);
	if (err)
		goto out_put;
	/* Where the next step goes on. */
	if (delta < 0)
		*at = e[high - 1].ee_block + ext4_extent_len(&e[high - 1]);
	else
		*at = e[low].ee_block;
	for (u32 i = low; i < high; i++)
		e[i].ee_block = (u32)((s64)e[i].ee_block + delta);
	err = level_dirty(h, n, leaf);
	if (!err && !low)
		err = fix_keys(h, n, &p, p.depth);
	if (!err && delta > 0) {
		err = *at > first && *at > 0;
		*at -= err;
	} else if (!err) {
		err = *at != 0;
	}
out_put:
	ext4_path_put(&p);
	return err;
}
