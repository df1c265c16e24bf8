/* SPDX-License-Identifier: MIT */
/*
 * The index of a large directory: a tree of (hash, block) over its blocks of entries.
 *
 * Block 0 holds . and .. (whose entry covers the rest, so that who does not know the index sees
 * nothing else), the description of the hash, and the root. Entry i of a node leads to the names
 * whose hash is from hash i up to below hash i + 1; the first has no hash and means "from 0". There
 * are two levels of nodes at most, three with largedir. If names with one hash had to be split over
 * two blocks, bit 0 of the second one's hash is set: who looks for that hash goes on there.
 *
 * Room is made from the top in steps that each leave a right tree, as in extent_edit.c:
 *
 *	the leaf is full		it is split by hash, if its node has room
 *	its node is full		split likewise, if the one above has room
 *	all are full			the root's entries move into a new node: a level more
 *
 * readdir goes in the order of hashes, because entries move between blocks while somebody reads:
 * a position is the hash of the next name, with 32 bits of the second hash.
 */
#include "ext4_internal.h"
#include "lib/sort.h"
#include "uapi/dirent.h"

#define MAX_LEVELS 3u
#define POS_EOF	   ((u64)INT64_MAX)

struct frame {
	struct buffer *b;
	struct ext4_dx_entry *entries; /* entries[0] is the count and the limit */
	u32 at;
};

struct way {
	struct frame frame[MAX_LEVELS];
	u32 levels; /* used: the last one's entries lead to leaves */
	struct ext4_hash hash;
};

bool
ext4_dir_indexed(const struct inode *dir)
{
	const struct ext4_node *n = ext4_node_of(dir);

	return (n->flags & EXT4_INDEX_FL) && ext4_compat(n->fs, COMPAT_DIR_INDEX);
}

static struct ext4_dx_countlimit *
counts(struct ext4_dx_entry *entries)
{
	return (struct ext4_dx_countlimit *)entries;
}

static u32
count_of(struct ext4_dx_entry *entries)
{
	return counts(entries)->count;
}

static u32
block_of(const struct ext4_dx_entry *e)
{
	return e->block & 0x0fffffff;
}

static u32
limit_for(const struct ext4_fs *fs, u32 offset)
{
	return (fs->block_size - offset - (fs->has_csum ? sizeof(struct ext4_dx_tail) : 0)) /
	       sizeof(struct ext4_dx_entry);
}

static u32
max_levels(const struct ext4_fs *fs)
{
	return ext4_incompat(fs, INCOMPAT_LARGEDIR) ? 3 : 2;
}

/* --- checksums --- */

static struct ext4_dx_tail *
tail_of(struct ext4_dx_entry *entries)
{
	return (struct ext4_dx_tail *)(entries + counts(entries)->limit);
}

static u32
dx_csum(struct ext4_node *n, struct buffer *b, struct ext4_dx_entry *entries)
{
	u32 zero = 0, crc, size = (u32)((u8 *)(entries + count_of(entries)) - b->data);

	crc = ext4_csum(n->fs, n->csum_seed, b->data, size);
	crc = ext4_csum(n->fs, crc, &tail_of(entries)->dt_reserved, 4);
	return ext4_csum(n->fs, crc, &zero, 4);
}

static u32
entries_offset(u32 lblk)
{
	return lblk ? EXT4_DX_NODE_ENTRY : EXT4_DX_ROOT_ENTRY;
}

/* The numbers in the head of a node are possible. */
static bool
counts_ok(const struct ext4_fs *fs, struct ext4_dx_entry *entries, u32 offset)
{
	const struct ext4_dx_countlimit *c = counts(entries);

	return c->limit == limit_for(fs, offset) && c->count && c->count <= c->limit;
}

bool
ext4_dx_csum_ok(struct inode *dir, struct buffer *b, u32 lblk)
{
	struct ext4_node *n = ext4_node_of(dir);
	u32 offset = entries_offset(lblk);
	struct ext4_dx_entry *entries = (struct ext4_dx_entry *)(b->data + offset);

	return !n->fs->has_csum || (counts_ok(n->fs, entries, offset) &&
				    tail_of(entries)->dt_checksum == dx_csum(n, b, entries));
}

static int
dx_dirty(struct journal_handle *h, struct inode *dir, struct buffer *b,
	 struct ext4_dx_entry *entries)
{
	struct ext4_node *n = ext4_node_of(dir);

	if (n->fs->has_csum) {
		tail_of(entries)->dt_reserved = 0;
		tail_of(entries)->dt_checksum = dx_csum(n, b, entries);
	}
	ext4_note_tid(h, n, true);
	return ext4_dirty(h, b);
}

static struct ext4_dx_root_info *
root_info(struct buffer *b)
{
	return (struct ext4_dx_root_info *)(b->data + EXT4_DX_ROOT_INFO);
}

int
ext4_dx_root_dirty(struct journal_handle *h, struct inode *dir, struct buffer *b)
{
	return dx_dirty(h, dir, b, (struct ext4_dx_entry *)(b->data + EXT4_DX_ROOT_ENTRY));
}

/* --- the way down --- */

static void
way_put(struct way *w)
{
	for (u32 i = 0; i < w->levels; i++)
		buffer_put(w->frame[i].b);
	w->levels = 0;
}

static int
damaged(struct inode *dir, struct buffer *b, const char *what)
{
	return ext4_corrupt(ext4_fs_of_inode(dir), (u32)dir->ino, b->block, "%s", what);
}

static const char *
root_problem(const struct ext4_fs *fs, struct buffer *b)
{
	const struct ext4_dx_root_info *info = root_info(b);
	const struct ext4_dirent *dot = ext4_dirent_at(b->data, 0),
				 *dotdot = ext4_dirent_at(b->data, EXT4_DIRENT_SIZE(1));

	if (dot->rec_len != EXT4_DIRENT_SIZE(1) || dotdot->name_len != 2 ||
	    dotdot->rec_len != fs->block_size - EXT4_DIRENT_SIZE(1))
		return "index without . and ..";
	if (info->reserved_zero || info->info_length != sizeof(*info) || (info->unused_flags & 1) ||
	    info->hash_version > DX_HASH_TEA)
		return "index of an unknown kind";
	if (info->indirect_levels >= max_levels(fs))
		return "index too deep";
	return NULL;
}

/* The last entry whose hash is not above. */
static u32
search(struct ext4_dx_entry *entries, u32 hash)
{
	u32 low = 1, high = count_of(entries);

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (entries[middle].hash > hash)
			high = middle;
		else
			low = middle + 1;
	}
	return low - 1;
}

/* The frame of a node; takes over b. */
static int
push(struct inode *dir, struct way *w, struct buffer *b, u32 offset)
{
	struct frame *f = &w->frame[w->levels];

	f->b = b;
	f->entries = (struct ext4_dx_entry *)(b->data + offset);
	w->levels++;
	if (!counts_ok(ext4_fs_of_inode(dir), f->entries, offset))
		return damaged(dir, b, "impossible number of index entries");
	f->at = search(f->entries, w->hash.hash);
	return 0;
}

/*
 * name NULL: to w->hash.hash, which the caller has set.
 */
static int
descend(struct inode *dir, const char *name, size_t len, struct way *w)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	const char *problem;
	struct buffer *b;
	u32 levels;
	int err = ext4_dir_block(dir, 0, &b, NULL);

	w->levels = 0;
	if (err)
		return err;
	problem = root_problem(fs, b);
	if (problem) {
		err = damaged(dir, b, problem);
		buffer_put(b);
		return err;
	}
	w->hash.version = root_info(b)->hash_version + (fs->unsigned_hash ? 3 : 0);
	w->hash.seed = fs->hash_seed;
	levels = root_info(b)->indirect_levels + 1u;
	if (name)
		(void)ext4_dirhash(name, len, &w->hash);
	err = push(dir, w, b, EXT4_DX_ROOT_ENTRY);
	while (!err && w->levels < levels) {
		struct frame *f = &w->frame[w->levels - 1];
		bool index;

		err = ext4_dir_block(dir, block_of(&f->entries[f->at]), &b, &index);
		if (err)
			break;
		if (!index || !block_of(&f->entries[f->at])) {
			err = damaged(dir, b, "index leads to a block of entries");
			buffer_put(b);
			break;
		}
		err = push(dir, w, b, EXT4_DX_NODE_ENTRY);
	}
	if (err)
		way_put(w);
	return err;
}

static int
read_leaf(struct inode *dir, const struct frame *f, struct buffer **out)
{
	bool index;
	int err = ext4_dir_block(dir, block_of(&f->entries[f->at]), out, &index);

	/* Without a checksum's tail an empty leaf looks like a node of the index. */
	if (!err && index && ext4_fs_of_inode(dir)->has_csum) {
		err = damaged(dir, *out, "index leads to an index");
		buffer_put(*out);
	}
	return err;
}

/*
 * To the next leaf, if there is one. *hash: where it begins. 1, 0 at the end, or an error.
 */
static int
advance(struct inode *dir, struct way *w, u32 *hash)
{
	u32 level = w->levels, levels = w->levels;

	do {
		if (!level)
			return 0;
		level--;
	} while (w->frame[level].at + 1 >= count_of(w->frame[level].entries));
	*hash = w->frame[level].entries[++w->frame[level].at].hash;
	/* Down along the first entries. */
	while (level + 1 < levels) {
		struct frame *f = &w->frame[level], *below = &w->frame[level + 1];
		struct buffer *b;
		bool index;
		int err = ext4_dir_block(dir, block_of(&f->entries[f->at]), &b, &index);

		if (err)
			return err;
		if (!index || !counts_ok(ext4_fs_of_inode(dir),
					 (struct ext4_dx_entry *)(b->data + EXT4_DX_NODE_ENTRY),
					 EXT4_DX_NODE_ENTRY)) {
			err = damaged(dir, b, "bad index node");
			buffer_put(b);
			return err;
		}
		buffer_put(below->b);
		*below = (struct frame){ b, (struct ext4_dx_entry *)(b->data + EXT4_DX_NODE_ENTRY),
					 0 };
		level++;
	}
	return 1;
}

int
ext4_dx_find(struct inode *dir, const char *name, size_t len, struct ext4_slot *slot)
{
	u32 steps = ext4_dir_blocks(dir);
	struct way w;
	int err = descend(dir, name, len, &w);

	if (err)
		return err;
	for (;;) {
		struct buffer *b;
		u32 hash;

		err = read_leaf(dir, &w.frame[w.levels - 1], &b);
		if (err)
			break;
		err = ext4_leaf_find(dir, b, name, len, slot);
		if (err > 0) {
			slot->buffer = b;
			err = 0;
			break;
		}
		buffer_put(b);
		if (err)
			break;
		/* The same hash may go on in the next block. */
		err = advance(dir, &w, &hash);
		if (err < 0)
			break;
		if (!err || hash != (w.hash.hash | 1) || !steps--) {
			err = -ENOENT;
			break;
		}
	}
	way_put(&w);
	return err;
}

/* --- leaves sorted by hash --- */

struct item {
	u32 hash, minor;
	u16 offset, size;
};

static int
compare_items(const void *a, const void *b, void *context)
{
	const struct item *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->minor < y->minor ? -1 : x->minor > y->minor;
}

/* The entries in use of a leaf, in an array for `max`: number, or -EUCLEAN. */
static int
collect(struct inode *dir, const u8 *block, u64 where, struct ext4_hash *h, struct item *items,
	u32 max)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	u32 n = 0;

	for (u32 offset = 0; offset < fs->block_size;) {
		const struct ext4_dirent *e = ext4_dirent_at(block, offset);
		const char *problem = ext4_dirent_problem(fs, block, offset, fs->block_size);

		if (problem)
			return ext4_corrupt(fs, (u32)dir->ino, where, "%s", problem);
		if (e->inode && e->name_len && n < max) {
			(void)ext4_dirhash(e->name, e->name_len, h);
			items[n++] = (struct item){ h->hash, h->minor, (u16)offset,
						    (u16)EXT4_DIRENT_SIZE(e->name_len) };
		}
		offset += e->rec_len;
	}
	sort(items, n, sizeof(*items), compare_items, NULL);
	return (int)n;
}

static u32
max_items(const struct ext4_fs *fs)
{
	return fs->block_size / EXT4_DIRENT_SIZE(1);
}

/* The leaf b consists of these entries of `from`, and then nothing. */
static void
fill_leaf(const struct ext4_fs *fs, struct buffer *b, const u8 *from, const struct item *items,
	  u32 n)
{
	u32 offset = 0, end = ext4_leaf_size(fs);

	memset(b->data, 0, fs->block_size);
	ext4_leaf_init(fs, b);
	for (u32 i = 0; i < n; i++) {
		struct ext4_dirent *e = ext4_dirent_at(b->data, offset);

		memcpy(e, from + items[i].offset, items[i].size);
		e->rec_len = i + 1 < n ? items[i].size : (u16)(end - offset);
		offset += items[i].size;
	}
}

/* --- growing --- */

static void
insert_entry(struct frame *f, u32 hash, u32 block)
{
	u32 at = f->at + 1, n = count_of(f->entries);

	memmove(&f->entries[at + 1], &f->entries[at], (n - at) * sizeof(*f->entries));
	f->entries[at] = (struct ext4_dx_entry){ hash, block };
	counts(f->entries)->count = (u16)(n + 1);
}

/* A node without entries of its own yet: a free entry over the whole block, then the head. */
static struct ext4_dx_entry *
init_node(const struct ext4_fs *fs, struct buffer *b)
{
	struct ext4_dx_entry *entries = (struct ext4_dx_entry *)(b->data + EXT4_DX_NODE_ENTRY);

	ext4_dirent_at(b->data, 0)->rec_len = (u16)fs->block_size;
	counts(entries)->limit = (u16)limit_for(fs, EXT4_DX_NODE_ENTRY);
	return entries;
}

static int
add_level(struct journal_handle *h, struct inode *dir, struct way *w)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct frame *root = &w->frame[0];
	struct ext4_dx_entry *entries;
	struct buffer *b;
	u32 lblk, n = count_of(root->entries);
	int err;

	if (w->levels >= max_levels(fs)) {
		log_warn("EXT4-fs (%s): directory #%lu: index full, reach max htree level\n",
			 fs->dev->name, (unsigned long)dir->ino);
		return -ENOSPC;
	}
	err = ext4_access(h, root->b);
	if (!err)
		err = ext4_dir_append(h, dir, &b, &lblk);
	if (err)
		return err;
	entries = init_node(fs, b);
	memcpy(&entries[1], &root->entries[1], (n - 1) * sizeof(*entries));
	counts(entries)->count = (u16)n;
	counts(entries)->block = counts(root->entries)->block;
	counts(root->entries)->count = 1;
	counts(root->entries)->block = lblk;
	root_info(root->b)->indirect_levels++;
	err = dx_dirty(h, dir, b, entries);
	if (!err)
		err = dx_dirty(h, dir, root->b, root->entries);
	buffer_put(b);
	return err;
}

/* The node at `level`, whose parent has room, gives its upper half to a new one. */
static int
split_node(struct journal_handle *h, struct inode *dir, struct way *w, u32 level)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct frame *f = &w->frame[level], *parent = &w->frame[level - 1];
	u32 lblk, n = count_of(f->entries), keep = n / 2, hash = f->entries[keep].hash;
	struct ext4_dx_entry *entries;
	struct buffer *b;
	int err = ext4_access(h, f->b);

	if (!err)
		err = ext4_access(h, parent->b);
	if (!err)
		err = ext4_dir_append(h, dir, &b, &lblk);
	if (err)
		return err;
	entries = init_node(fs, b);
	memcpy(&entries[1], &f->entries[keep + 1], (n - keep - 1) * sizeof(*entries));
	counts(entries)->count = (u16)(n - keep);
	counts(entries)->block = f->entries[keep].block;
	counts(f->entries)->count = (u16)keep;
	insert_entry(parent, hash, lblk);
	err = dx_dirty(h, dir, b, entries);
	if (!err)
		err = dx_dirty(h, dir, f->b, f->entries);
	if (!err)
		err = dx_dirty(h, dir, parent->b, parent->entries);
	buffer_put(b);
	return err;
}

/* How many of the sorted entries stay: about half of the bytes. */
static u32
split_point(const struct ext4_fs *fs, const struct item *items, u32 n)
{
	u32 size = 0, move = 0;

	for (u32 i = n; i-- > 0;) {
		if (size + items[i].size / 2 > fs->block_size / 2)
			break;
		size += items[i].size;
		move++;
	}
	return move < n ? n - move : n / 2;
}

/* The leaf, whose node has room, is split in two. */
static int
split_leaf(struct journal_handle *h, struct inode *dir, struct way *w, struct buffer *leaf)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct frame *f = &w->frame[w->levels - 1];
	struct ext4_hash hash = w->hash;
	struct item *items = kmalloc_array(max_items(fs), sizeof(*items), GFP_NOFS);
	u8 *copy = kmemdup(leaf->data, fs->block_size, GFP_NOFS);
	struct buffer *b;
	u32 lblk, keep, border;
	int n, err = -ENOMEM;

	if (!items || !copy)
		goto out;
	n = err = collect(dir, copy, leaf->block, &hash, items, max_items(fs));
	if (err < 0)
		goto out;
	err = -ENOSPC;
	if (n < 2)
		goto out;
	err = ext4_access(h, f->b);
	if (!err)
		err = ext4_access(h, leaf);
	if (!err)
		err = ext4_dir_append(h, dir, &b, &lblk);
	if (err)
		goto out;
	keep = split_point(fs, items, (u32)n);
	border = items[keep].hash;
	if (border == items[keep - 1].hash)
		border |= 1; /* goes on */
	fill_leaf(fs, leaf, copy, items, keep);
	fill_leaf(fs, b, copy, items + keep, (u32)n - keep);
	insert_entry(f, border, lblk);
	err = ext4_leaf_dirty(h, dir, b);
	if (!err)
		err = ext4_leaf_dirty(h, dir, leaf);
	if (!err)
		err = dx_dirty(h, dir, f->b, f->entries);
	buffer_put(b);
out:
	kfree(copy);
	kfree(items);
	return err;
}

static int
make_room(struct journal_handle *h, struct inode *dir, struct way *w, struct buffer *leaf)
{
	u32 level = w->levels;

	while (level > 0) {
		struct ext4_dx_entry *entries = w->frame[level - 1].entries;

		if (count_of(entries) < counts(entries)->limit)
			break;
		level--;
	}
	if (!level)
		return add_level(h, dir, w);
	return level == w->levels ? split_leaf(h, dir, w, leaf) : split_node(h, dir, w, level);
}

int
ext4_dx_add(struct journal_handle *h, struct inode *dir, const char *name, size_t len, u32 ino,
	    u8 type)
{
	/* Each step makes room somewhere; more than these are not needed. */
	for (u32 steps = 0; steps < 2 * MAX_LEVELS + 4; steps++) {
		struct buffer *leaf;
		struct way w;
		int err = descend(dir, name, len, &w);

		if (err)
			return err;
		err = read_leaf(dir, &w.frame[w.levels - 1], &leaf);
		if (err) {
			way_put(&w);
			return err;
		}
		err = ext4_access(h, leaf);
		if (!err)
			err = ext4_leaf_add(dir, leaf, name, len, ino, type);
		if (!err)
			err = ext4_leaf_dirty(h, dir, leaf);
		else if (err == -ENOSPC) {
			err = make_room(h, dir, &w, leaf);
			if (!err)
				err = 1;
		}
		buffer_put(leaf);
		way_put(&w);
		if (err != 1)
			return err;
	}
	return -ENOSPC;
}

/* The only block's entries move to a second one; the first becomes the root. */
int
ext4_dx_create(struct journal_handle *h, struct inode *dir)
{
	struct ext4_node *n = ext4_node_of(dir);
	struct ext4_fs *fs = n->fs;
	struct ext4_hash hash = { .version = fs->es->s_def_hash_version, .seed = fs->hash_seed };
	struct item *items = kmalloc_array(max_items(fs), sizeof(*items), GFP_NOFS);
	struct ext4_dx_entry *entries;
	struct ext4_dirent *dotdot;
	struct buffer *root, *b;
	u32 lblk, used = 0;
	int count, err;

	if (!items)
		return -ENOMEM;
	if (hash.version > DX_HASH_TEA)
		hash.version = DX_HASH_HALF_MD4;
	err = ext4_dir_block(dir, 0, &root, NULL);
	if (err)
		goto out_items;
	count = err = collect(dir, root->data, root->block, &hash, items, max_items(fs));
	if (err < 0)
		goto out_root;
	/* All but . and .. */
	for (u32 i = 0; i < (u32)count; i++) {
		if (items[i].offset >= EXT4_DIRENT_SIZE(1) + EXT4_DIRENT_SIZE(2))
			items[used++] = items[i];
	}
	dotdot = ext4_dirent_at(root->data, EXT4_DIRENT_SIZE(1));
	if ((u32)count != used + 2 || dotdot->name_len != 2) {
		err = damaged(dir, root, "directory without . and ..");
		goto out_root;
	}
	err = ext4_access(h, root);
	if (!err)
		err = ext4_dir_append(h, dir, &b, &lblk);
	if (err)
		goto out_root;
	fill_leaf(fs, b, root->data, items, used);
	err = ext4_leaf_dirty(h, dir, b);
	buffer_put(b);
	if (err)
		goto out_root;
	n->flags |= EXT4_INDEX_FL;
	dotdot->rec_len = (u16)(fs->block_size - EXT4_DIRENT_SIZE(1));
	memset(root->data + EXT4_DX_ROOT_INFO, 0, fs->block_size - EXT4_DX_ROOT_INFO);
	*root_info(root) = (struct ext4_dx_root_info){
		.hash_version = (u8)hash.version,
		.info_length = sizeof(struct ext4_dx_root_info),
	};
	entries = (struct ext4_dx_entry *)(root->data + EXT4_DX_ROOT_ENTRY);
	*counts(entries) = (struct ext4_dx_countlimit){
		(u16)limit_for(fs, EXT4_DX_ROOT_ENTRY),
		1,
		lblk,
	};
	err = dx_dirty(h, dir, root, entries);
	if (!err)
		err = ext4_inode_store(h, dir);
out_root:
	buffer_put(root);
out_items:
	kfree(items);
	return err;
}

/* --- reading --- */

static u64
position_of(const struct item *i)
{
	return (u64)(i->hash >> 1) << 32 | i->minor;
}

/* Names of one leaf, and of those that go on with its last hash. The position moves past them. */
static int
emit_leaf(struct inode *dir, struct dir_context *ctx, struct ext4_hash *hash, struct buffer *b,
	  struct item *items, bool *full)
{
	int n = collect(dir, b->data, b->block, hash, items, max_items(ext4_fs_of_inode(dir)));

	for (int i = 0; i < n; i++) {
		const struct ext4_dirent *e = ext4_dirent_at(b->data, items[i].offset);
		u64 pos = position_of(&items[i]),
		    next = i + 1 < n ? position_of(&items[i + 1]) : pos + 1;

		if (pos < ctx->pos)
			continue;
		if (!ext4_dirent_emit(ctx, e, next)) {
			ctx->pos = pos;
			*full = true;
			return 0;
		}
	}
	return n < 0 ? n : 0;
}

static int
emit_dots(struct inode *dir, struct dir_context *ctx, bool *full)
{
	struct ext4_slot parent;
	u32 ino;
	int err;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, dir->ino, DT_DIR, 1)) {
			*full = true;
			return 0;
		}
		ctx->pos = 1;
	}
	err = ext4_dir_parent(dir, &parent);
	if (err)
		return err;
	ino = ext4_slot_entry(&parent)->inode;
	buffer_put(parent.buffer);
	if (!ctx->emit(ctx, "..", 2, ino, DT_DIR, 2))
		*full = true;
	else
		ctx->pos = 2;
	return 0;
}

int
ext4_dx_readdir(struct inode *dir, struct dir_context *ctx)
{
	u32 hash, steps = ext4_dir_blocks(dir);
	struct item *items;
	bool full = false;
	struct way w;
	int err = 0;

	if (ctx->pos < 2)
		err = emit_dots(dir, ctx, &full);
	if (err || full || ctx->pos >= POS_EOF)
		return err;
	items = kmalloc_array(max_items(ext4_fs_of_inode(dir)), sizeof(*items), GFP_KERNEL);
	if (!items)
		return -ENOMEM;
	w.hash.hash = ctx->pos == 2 ? 0 : (u32)(ctx->pos >> 32) << 1;
	err = descend(dir, NULL, 0, &w);
	while (!err && !full) {
		struct ext4_hash h = w.hash;
		struct buffer *b;

		err = read_leaf(dir, &w.frame[w.levels - 1], &b);
		if (err)
			break;
		err = emit_leaf(dir, ctx, &h, b, items, &full);
		buffer_put(b);
		if (err || full)
			break;
		err = advance(dir, &w, &hash);
		if (err <= 0 || !steps--) {
			if (!err || !steps)
				ctx->pos = POS_EOF;
			break;
		}
		err = 0;
		/* Also names of the hash that goes on here are at or behind the position. */
		if (!(hash & 1))
			ctx->pos = MAX(ctx->pos, (u64)(hash >> 1) << 32);
	}
	way_put(&w);
	kfree(items);
	return MIN(err, 0);
}
