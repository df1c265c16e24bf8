/* SPDX-License-Identifier: MIT */
/*
 * Extent trees: finding blocks.
 *
 * An extent says that up to 32768 file blocks lie next to each other on the disk; a length above
 * that means 32768 less, and not written yet: reads as zeroes. Nodes of the tree are sorted by file
 * block: leaves hold extents, those above an index of (first file block, node). The root is in the
 * inode, with four entries; other nodes are blocks with a checksum behind the last possible entry.
 * All leaves are at the same depth, at most five below the root.
 *
 * A node is checked when it is read: order, overlap, places within the file system. Its depth is
 * checked each time it is reached from above, so a tree that bites its tail comes to an end.
 */
#include "ext4_internal.h"

u32
ext4_extent_capacity(const struct ext4_fs *fs)
{
	return (fs->block_size - sizeof(struct ext4_extent_header)) / sizeof(struct ext4_extent);
}

static struct ext4_extent_header *
root_of(struct ext4_node *n)
{
	return (struct ext4_extent_header *)n->block;
}

void
ext4_extent_init_root(struct ext4_node *n)
{
	memset(n->block, 0, sizeof(n->block));
	*root_of(n) = (struct ext4_extent_header){
		.eh_magic = EXT4_EXTENT_MAGIC,
		.eh_max = (sizeof(n->block) - sizeof(struct ext4_extent_header)) /
			  sizeof(struct ext4_extent),
	};
}

/* --- checks --- */

static const char *
leaf_problem(const struct ext4_fs *fs, struct ext4_extent_header *h)
{
	const struct ext4_extent *e = ext4_extents(h);
	u64 next = 0;

	for (u32 i = 0; i < h->eh_entries; i++, e++) {
		u32 len = ext4_extent_len(e);

		if (!len || e->ee_block < next || (u64)e->ee_block + len > 1ull << 32)
			return "extents out of order";
		if (!ext4_blocks_valid(fs, ext4_extent_start(e), len))
			return "extent beyond the file system";
		next = (u64)e->ee_block + len;
	}
	return NULL;
}

static const char *
index_problem(const struct ext4_fs *fs, struct ext4_extent_header *h)
{
	const struct ext4_extent_index *x = ext4_indices(h);
	u64 next = 0;

	if (!h->eh_entries)
		return "empty index";
	for (u32 i = 0; i < h->eh_entries; i++, x++) {
		if (x->ei_block < next)
			return "index out of order";
		if (!ext4_blocks_valid(fs, ext4_index_leaf(x), 1))
			return "node beyond the file system";
		next = (u64)x->ei_block + 1;
	}
	return NULL;
}

static const char *
node_problem(const struct ext4_fs *fs, struct ext4_extent_header *h, u32 depth, u32 capacity)
{
	if (h->eh_magic != EXT4_EXTENT_MAGIC)
		return "not an extent node";
	if (h->eh_depth != depth)
		return "extent node of the wrong depth";
	if (!h->eh_max || h->eh_max > capacity || h->eh_entries > h->eh_max)
		return "impossible number of extents";
	return depth ? index_problem(fs, h) : leaf_problem(fs, h);
}

int
ext4_extent_check_root(struct ext4_node *n)
{
	struct ext4_extent_header *h = root_of(n);
	const char *problem = h->eh_depth > EXT4_EXTENT_MAX_DEPTH
				      ? "extent tree too deep"
				      : node_problem(n->fs, h, h->eh_depth, 4);

	return problem ? ext4_corrupt(n->fs, n->ino, 0, "%s", problem) : 0;
}

static u32 *
tail_of(struct buffer *b)
{
	struct ext4_extent_header *h = (struct ext4_extent_header *)b->data;

	return (u32 *)(ext4_extents(h) + h->eh_max);
}

static u32
node_csum(struct ext4_node *n, struct buffer *b)
{
	return ext4_csum(n->fs, n->csum_seed, b->data, (u8 *)tail_of(b) - b->data);
}

void
ext4_extent_seal(struct ext4_node *n, struct buffer *b)
{
	if (n->fs->has_csum)
		*tail_of(b) = node_csum(n, b);
}

static int
read_node(struct ext4_node *n, u64 block, u32 depth, struct buffer **out)
{
	struct ext4_extent_header *h;
	const char *problem = NULL;
	struct buffer *b;
	int err = ext4_read_block(n->fs, block, &b);

	if (err)
		return err;
	h = (struct ext4_extent_header *)b->data;
	if (!buffer_verified(b)) {
		problem = node_problem(n->fs, h, depth, ext4_extent_capacity(n->fs));
		if (!problem && n->fs->has_csum && *tail_of(b) != node_csum(n, b)) {
			buffer_put(b);
			return ext4_badcrc(n->fs, n->ino, block,
					   "checksum of an extent node is wrong");
		}
		if (!problem)
			buffer_set_verified(b);
	} else if (h->eh_magic != EXT4_EXTENT_MAGIC || h->eh_depth != depth ||
		   h->eh_max > ext4_extent_capacity(n->fs) || h->eh_entries > h->eh_max) {
		problem = "block is used twice";
	}
	if (problem) {
		buffer_put(b);
		return ext4_corrupt(n->fs, n->ino, block, "%s", problem);
	}
	*out = b;
	return 0;
}

/* --- finding --- */

void
ext4_path_put(struct ext4_path *p)
{
	for (u32 i = 1; i <= p->depth; i++) {
		if (p->level[i].buffer)
			buffer_put(p->level[i].buffer);
		p->level[i].buffer = NULL;
	}
}

/* The last entry that starts at or before lblk, or -1. Both kinds start with the file block. */
static u32
search(struct ext4_extent_header *h, u32 lblk)
{
	const struct ext4_extent *e = ext4_extents(h);
	u32 low = 0, high = h->eh_entries;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (e[middle].ee_block <= lblk)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/* The way from the root to the leaf where lblk is or belongs. */
int
ext4_extent_find(struct ext4_node *n, u32 lblk, struct ext4_path *p)
{
	struct ext4_extent_header *h = root_of(n);
	u32 depth = h->eh_depth;

	memset(p, 0, sizeof(*p));
	p->depth = depth;
	for (u32 i = 0;; i++) {
		struct ext4_level *level = &p->level[i];
		int err;

		level->header = h;
		level->pos = search(h, lblk);
		if (i == depth)
			return 0;
		if (level->pos == (u32)-1)
			level->pos = 0; /* before all there is: the first leaf */
		err = read_node(n, ext4_index_leaf(&ext4_indices(h)[level->pos]), depth - i - 1,
				&p->level[i + 1].buffer);
		if (err) {
			ext4_path_put(p);
			return err;
		}
		h = (struct ext4_extent_header *)p->level[i + 1].buffer->data;
	}
}

/* Where the entry behind the path's position starts, at any level; 1 << 32: there is none. */
static u64
next_start(const struct ext4_path *p)
{
	for (u32 i = p->depth + 1; i-- > 0;) {
		const struct ext4_level *l = &p->level[i];

		if (l->pos + 1 < l->header->eh_entries)
			return ext4_extents(l->header)[l->pos + 1].ee_block;
	}
	return 1ull << 32;
}

static void
fill_map(const struct ext4_extent *e, u32 lblk, struct ext4_map *m)
{
	u32 skip = lblk - e->ee_block;

	m->lblk = lblk;
	m->pblk = ext4_extent_start(e) + skip;
	m->len = MIN(m->len, ext4_extent_len(e) - skip);
	m->flags = ext4_extent_unwritten(e) ? MAP_UNWRITTEN : MAP_MAPPED;
}

static const struct ext4_extent *
extent_at(const struct ext4_path *p)
{
	const struct ext4_level *l = &p->level[p->depth];

	return l->pos == (u32)-1 ? NULL : &ext4_extents(l->header)[l->pos];
}

int
ext4_extent_lookup(struct ext4_node *n, struct ext4_map *m)
{
	const struct ext4_extent *e;
	struct ext4_path p;
	int err = ext4_extent_find(n, m->lblk, &p);

	if (err)
		return err;
	e = extent_at(&p);
	if (e && m->lblk - e->ee_block < ext4_extent_len(e)) {
		fill_map(e, m->lblk, m);
	} else {
		u64 next = next_start(&p);

		m->flags = 0;
		m->pblk = 0;
		if (next > m->lblk)
			m->len = (u32)MIN((u64)m->len, next - m->lblk);
	}
	ext4_path_put(&p);
	return 0;
}

int
ext4_extent_next(struct ext4_node *n, u32 lblk, struct ext4_map *m)
{
	const struct ext4_extent *e;
	struct ext4_path p;
	u64 next;
	int err = ext4_extent_find(n, lblk, &p);

	if (err)
		return err;
	e = extent_at(&p);
	if (e && lblk - e->ee_block < ext4_extent_len(e)) {
		m->len = UINT32_MAX;
		fill_map(e, lblk, m);
		ext4_path_put(&p);
		return 1;
	}
	next = next_start(&p);
	ext4_path_put(&p);
	if (next >> 32)
		return 0;
	err = ext4_extent_find(n, (u32)next, &p);
	if (err)
		return err;
	e = extent_at(&p);
	if (e && e->ee_block >= lblk) {
		m->len = UINT32_MAX;
		fill_map(e, e->ee_block, m);
		err = 1;
	} else {
		err = ext4_corrupt(n->fs, n->ino, 0, "an index does not match its leaf");
	}
	ext4_path_put(&p);
	return err;
}
