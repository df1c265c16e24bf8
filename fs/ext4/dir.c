/* SPDX-License-Identifier: MIT */
/*
 * Directories: blocks of entries.
 *
 * A block is a chain of entries that fills it exactly; a free entry has inode 0, or is slack behind
 * another. With metadata_csum the last 12 bytes look like a free entry and hold the checksum.
 * Larger directories have a hash tree over the blocks (htree.c), whose own blocks look like one
 * free entry each, so that going through all blocks in order always works.
 *
 * The caller holds the directory's lock. Every entry that is looked at is checked.
 */
#include "ext4_internal.h"
#include "uapi/dirent.h"

u8
ext4_file_type(const struct ext4_fs *fs, umode_t mode)
{
	if (!ext4_incompat(fs, INCOMPAT_FILETYPE))
		return EXT4_FT_UNKNOWN;
	switch (mode & S_IFMT) {
	case S_IFREG: return EXT4_FT_REG;
	case S_IFDIR: return EXT4_FT_DIR;
	case S_IFCHR: return EXT4_FT_CHR;
	case S_IFBLK: return EXT4_FT_BLK;
	case S_IFIFO: return EXT4_FT_FIFO;
	case S_IFSOCK: return EXT4_FT_SOCK;
	case S_IFLNK: return EXT4_FT_LINK;
	default: return EXT4_FT_UNKNOWN;
	}
}

u32
ext4_dir_blocks(const struct inode *dir)
{
	return (u32)(dir->size >> ext4_fs_of_inode(dir)->block_bits);
}

u32
ext4_leaf_size(const struct ext4_fs *fs)
{
	return fs->block_size - (fs->has_csum ? sizeof(struct ext4_dirent_tail) : 0);
}

const char *
ext4_dirent_problem(const struct ext4_fs *fs, const u8 *block, u32 offset, u32 end)
{
	const struct ext4_dirent *e = ext4_dirent_at(block, offset);

	if (end - offset < EXT4_DIRENT_SIZE(1) || e->rec_len < EXT4_DIRENT_SIZE(1))
		return "directory entry too short";
	if (e->rec_len & 3)
		return "directory entry of a broken length";
	if (e->rec_len < EXT4_DIRENT_SIZE(e->name_len))
		return "directory entry too short for its name";
	if (e->rec_len > end - offset)
		return "directory entry across the end of a block";
	if (end - offset - e->rec_len && end - offset - e->rec_len < EXT4_DIRENT_SIZE(1))
		return "directory entry too close to the end of a block";
	if (e->inode > fs->inodes)
		return "directory entry of an impossible inode";
	return NULL;
}

/* --- blocks --- */

static struct ext4_dirent_tail *
tail_of(const struct ext4_fs *fs, const struct buffer *b)
{
	return (struct ext4_dirent_tail *)(b->data + ext4_leaf_size(fs));
}

static void
tail_init(const struct ext4_fs *fs, struct buffer *b)
{
	if (fs->has_csum)
		*tail_of(fs, b) = (struct ext4_dirent_tail){
			.det_rec_len = sizeof(struct ext4_dirent_tail),
			.det_ft = EXT4_TAIL_FT,
		};
}

static u32
leaf_csum(const struct ext4_node *n, const struct buffer *b)
{
	return ext4_csum(n->fs, n->csum_seed, b->data, ext4_leaf_size(n->fs));
}

static bool
leaf_csum_ok(const struct ext4_node *n, const struct buffer *b)
{
	const struct ext4_dirent_tail *tail = tail_of(n->fs, b);

	return !n->fs->has_csum ||
	       (!tail->det_zero1 && tail->det_rec_len == sizeof(*tail) && !tail->det_zero2 &&
		tail->det_ft == EXT4_TAIL_FT && tail->det_checksum == leaf_csum(n, b));
}

int
ext4_leaf_dirty(struct journal_handle *h, struct inode *dir, struct buffer *b)
{
	struct ext4_node *n = ext4_node_of(dir);

	if (n->fs->has_csum)
		tail_of(n->fs, b)->det_checksum = leaf_csum(n, b);
	ext4_note_tid(h, n, true);
	return ext4_dirty(h, b);
}

void
ext4_leaf_init(const struct ext4_fs *fs, struct buffer *b)
{
	struct ext4_dirent *e = ext4_dirent_at(b->data, 0);

	e->inode = 0;
	e->rec_len = (u16)ext4_leaf_size(fs);
	e->name_len = 0;
	e->file_type = 0;
	tail_init(fs, b);
}

int
ext4_dir_block(struct inode *dir, u32 lblk, struct buffer **out, bool *index)
{
	struct ext4_node *n = ext4_node_of(dir);
	struct ext4_map m = { .lblk = lblk, .len = 1 };
	const struct ext4_dirent *e;
	struct buffer *b;
	bool in_tree;
	int err = ext4_map(NULL, dir, &m, 0);

	if (err)
		return err;
	if (m.flags != MAP_MAPPED)
		return ext4_corrupt(n->fs, n->ino, lblk, "directory with a hole");
	err = ext4_read_block(n->fs, m.pblk, &b);
	if (err)
		return err;
	e = ext4_dirent_at(b->data, 0);
	in_tree = ext4_dir_indexed(dir) &&
		  (!lblk || (!e->inode && e->rec_len == n->fs->block_size));
	if (!buffer_verified(b)) {
		if (!(in_tree ? ext4_dx_csum_ok(dir, b, lblk) : leaf_csum_ok(n, b))) {
			buffer_put(b);
			return ext4_badcrc(n->fs, n->ino, m.pblk,
					   "checksum of a directory block is wrong");
		}
		buffer_set_verified(b);
	}
	if (index)
		*index = in_tree;
	*out = b;
	return 0;
}

int
ext4_dir_append(struct journal_handle *h, struct inode *dir, struct buffer **out, u32 *lblk)
{
	struct ext4_node *n = ext4_node_of(dir);
	struct ext4_map m = { .lblk = ext4_dir_blocks(dir), .len = 1 };
	int err;

	if (dir->size >> n->fs->block_bits >= UINT32_MAX - 1 ||
	    (!ext4_incompat(n->fs, INCOMPAT_LARGEDIR) && dir->size >= INT32_MAX))
		return -ENOSPC;
	err = ext4_map(h, dir, &m, MAP_CREATE);
	if (err)
		return err;
	err = ext4_new_block(n->fs, h, m.pblk, out);
	if (err)
		return err;
	*lblk = m.lblk;
	dir->size += n->fs->block_size;
	n->disk_size = dir->size;
	return ext4_inode_store(h, dir);
}

/* --- one block --- */

int
ext4_leaf_find(struct inode *dir, struct buffer *b, const char *name, size_t len,
	       struct ext4_slot *slot)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	u32 offset = 0, previous = 0;

	while (offset < fs->block_size) {
		const struct ext4_dirent *e = ext4_dirent_at(b->data, offset);
		const char *problem = ext4_dirent_problem(fs, b->data, offset, fs->block_size);

		if (problem)
			return ext4_corrupt(fs, (u32)dir->ino, b->block, "%s", problem);
		if (e->inode && e->name_len == len && !memcmp(e->name, name, len)) {
			slot->offset = offset;
			slot->previous = previous;
			return 1;
		}
		previous = offset;
		offset += e->rec_len;
	}
	return 0;
}

int
ext4_leaf_add(struct inode *dir, struct buffer *b, const char *name, size_t len, u32 ino, u8 type)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	u32 need = EXT4_DIRENT_SIZE(len), end = ext4_leaf_size(fs), offset = 0;

	while (offset < end) {
		struct ext4_dirent *e = ext4_dirent_at(b->data, offset);
		const char *problem = ext4_dirent_problem(fs, b->data, offset, end);
		u32 used;

		if (problem)
			return ext4_corrupt(fs, (u32)dir->ino, b->block, "%s", problem);
		used = e->inode ? EXT4_DIRENT_SIZE(e->name_len) : 0;
		if (e->rec_len - used < need) {
			offset += e->rec_len;
			continue;
		}
		if (used) {
			struct ext4_dirent *fresh = ext4_dirent_at(b->data, offset + used);

			fresh->rec_len = (u16)(e->rec_len - used);
			e->rec_len = (u16)used;
			e = fresh;
		}
		e->inode = ino;
		e->name_len = (u8)len;
		e->file_type = type;
		memcpy(e->name, name, len);
		return 0;
	}
	return -ENOSPC;
}

/* --- the whole directory --- */

int
ext4_dir_find(struct inode *dir, const char *name, size_t len, struct ext4_slot *slot)
{
	u32 blocks = ext4_dir_blocks(dir);

	if (len > EXT4_NAME_LEN)
		return -ENAMETOOLONG;
	if (ext4_dir_indexed(dir) && !(len == 2 && name[0] == '.' && name[1] == '.') &&
	    !(len == 1 && name[0] == '.'))
		return ext4_dx_find(dir, name, len, slot);
	for (u32 lblk = 0; lblk < blocks; lblk++) {
		struct buffer *b;
		int err = ext4_dir_block(dir, lblk, &b, NULL);

		if (err)
			return err;
		err = ext4_leaf_find(dir, b, name, len, slot);
		if (err > 0) {
			slot->buffer = b;
			return 0;
		}
		buffer_put(b);
		if (err)
			return err;
	}
	return -ENOENT;
}

int
ext4_dir_lookup(struct inode *dir, const char *name, size_t len, u32 *ino)
{
	struct ext4_slot slot;
	int err;

	if (ext4_has_inline(ext4_node_of(dir)))
		return ext4_inline_dir_find(dir, name, len, ino);
	err = ext4_dir_find(dir, name, len, &slot);
	if (err)
		return err;
	*ino = ext4_slot_entry(&slot)->inode;
	buffer_put(slot.buffer);
	return 0;
}

int
ext4_dir_add(struct journal_handle *h, struct inode *dir, const char *name, size_t len, u32 ino,
	     umode_t mode)
{
	struct ext4_node *n = ext4_node_of(dir);
	u8 type = ext4_file_type(n->fs, mode);
	u32 blocks, lblk;
	struct buffer *b;
	int err;

	if (ext4_has_inline(n)) {
		err = ext4_inline_dir_convert(h, dir);
		if (err)
			return err;
	}
	if (ext4_dir_indexed(dir))
		return ext4_dx_add(h, dir, name, len, ino, type);
	/* Somebody without dir_index changes it: the index is right no more. */
	n->flags &= ~EXT4_INDEX_FL;
	blocks = ext4_dir_blocks(dir);
	for (lblk = 0; lblk < blocks; lblk++) {
		err = ext4_dir_block(dir, lblk, &b, NULL);
		if (err)
			return err;
		err = ext4_access(h, b);
		if (!err)
			err = ext4_leaf_add(dir, b, name, len, ino, type);
		if (!err)
			err = ext4_leaf_dirty(h, dir, b);
		buffer_put(b);
		if (err != -ENOSPC)
			return err;
	}
	if (blocks == 1 && ext4_compat(n->fs, COMPAT_DIR_INDEX)) {
		err = ext4_dx_create(h, dir);
		return err ? err : ext4_dx_add(h, dir, name, len, ino, type);
	}
	err = ext4_dir_append(h, dir, &b, &lblk);
	if (err)
		return err;
	ext4_leaf_init(n->fs, b);
	err = ext4_leaf_add(dir, b, name, len, ino, type);
	if (!err)
		err = ext4_leaf_dirty(h, dir, b);
	buffer_put(b);
	return err;
}

int
ext4_dir_delete(struct journal_handle *h, struct inode *dir, struct ext4_slot *slot)
{
	struct ext4_dirent *e = ext4_slot_entry(slot);
	int err = ext4_access(h, slot->buffer);

	if (err)
		return err;
	if (slot->previous != slot->offset) {
		struct ext4_dirent *before = ext4_dirent_at(slot->buffer->data, slot->previous);
		u16 len = e->rec_len;

		memset(e, 0, len);
		before->rec_len = (u16)(before->rec_len + len);
	} else {
		e->inode = 0;
	}
	return ext4_leaf_dirty(h, dir, slot->buffer);
}

/* The block with . and .. of an indexed directory has its checksum elsewhere. */
static int
entry_dirty(struct journal_handle *h, struct inode *dir, struct ext4_slot *slot)
{
	if (ext4_dir_indexed(dir) && slot->offset == EXT4_DIRENT_SIZE(1) &&
	    ext4_slot_entry(slot)->name_len == 2 && !memcmp(ext4_slot_entry(slot)->name, "..", 2))
		return ext4_dx_root_dirty(h, dir, slot->buffer);
	return ext4_leaf_dirty(h, dir, slot->buffer);
}

int
ext4_dir_set_entry(struct journal_handle *h, struct inode *dir, struct ext4_slot *slot, u32 ino,
		   umode_t mode)
{
	struct ext4_dirent *e = ext4_slot_entry(slot);
	int err = ext4_access(h, slot->buffer);

	if (err)
		return err;
	e->inode = ino;
	e->file_type = ext4_file_type(ext4_fs_of_inode(dir), mode);
	return entry_dirty(h, dir, slot);
}

int
ext4_dir_parent(struct inode *dir, struct ext4_slot *slot)
{
	int err = ext4_dir_block(dir, 0, &slot->buffer, NULL);

	if (err)
		return err;
	err = ext4_leaf_find(dir, slot->buffer, "..", 2, slot);
	if (err > 0)
		return 0;
	buffer_put(slot->buffer);
	return err ? err : ext4_corrupt(ext4_fs_of_inode(dir), (u32)dir->ino, 0, "no ..");
}

static bool
is_dot(const struct ext4_dirent *e)
{
	return (e->name_len == 1 && e->name[0] == '.') ||
	       (e->name_len == 2 && e->name[0] == '.' && e->name[1] == '.');
}

int
ext4_dir_is_empty(struct inode *dir, bool *empty)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	u32 blocks = ext4_dir_blocks(dir);

	*empty = false;
	for (u32 lblk = 0; lblk < blocks; lblk++) {
		struct buffer *b;
		int err = ext4_dir_block(dir, lblk, &b, NULL);

		if (err)
			return err;
		for (u32 offset = 0; offset < fs->block_size;) {
			const struct ext4_dirent *e = ext4_dirent_at(b->data, offset);
			const char *problem = ext4_dirent_problem(fs, b->data, offset,
								  fs->block_size);

			if (problem) {
				err = ext4_corrupt(fs, (u32)dir->ino, b->block, "%s", problem);
				buffer_put(b);
				return err;
			}
			if (e->inode && !is_dot(e)) {
				buffer_put(b);
				return 0;
			}
			offset += e->rec_len;
		}
		buffer_put(b);
	}
	*empty = true;
	return 0;
}

/* A new directory's first block. */
int
ext4_dir_make_empty(struct journal_handle *h, struct inode *dir, u32 parent)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	u8 type = ext4_file_type(fs, S_IFDIR);
	struct ext4_dirent *e;
	struct buffer *b;
	u32 lblk;
	int err = ext4_dir_append(h, dir, &b, &lblk);

	if (err)
		return err;
	e = ext4_dirent_at(b->data, 0);
	*e = (struct ext4_dirent){ (u32)dir->ino, EXT4_DIRENT_SIZE(1), 1, type };
	e->name[0] = '.';
	e = ext4_dirent_at(b->data, EXT4_DIRENT_SIZE(1));
	*e = (struct ext4_dirent){ parent, (u16)(ext4_leaf_size(fs) - EXT4_DIRENT_SIZE(1)), 2,
				   type };
	memcpy(e->name, "..", 2);
	tail_init(fs, b);
	err = ext4_leaf_dirty(h, dir, b);
	buffer_put(b);
	return err;
}

/* --- reading --- */

static u8
dirent_type(u8 type)
{
	static const u8 types[] = { DT_UNKNOWN, DT_REG,	 DT_DIR,  DT_CHR,
				    DT_BLK,	DT_FIFO, DT_SOCK, DT_LNK };

	return type < ARRAY_SIZE(types) ? types[type] : DT_UNKNOWN;
}

bool
ext4_dirent_emit(struct dir_context *ctx, const struct ext4_dirent *e, u64 next)
{
	return ctx->emit(ctx, e->name, e->name_len, e->inode, dirent_type(e->file_type), next);
}

/* In the order of blocks; a position is a byte. A place inside of an entry means the next one. */
static int
readdir_linear(struct inode *dir, struct dir_context *ctx)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);

	while (ctx->pos < dir->size) {
		u32 lblk = (u32)(ctx->pos >> fs->block_bits), offset = 0;
		u64 base = (u64)lblk << fs->block_bits;
		struct buffer *b;
		int err = ext4_dir_block(dir, lblk, &b, NULL);

		if (err)
			return err;
		while (offset < fs->block_size) {
			const struct ext4_dirent *e = ext4_dirent_at(b->data, offset);
			const char *problem = ext4_dirent_problem(fs, b->data, offset,
								  fs->block_size);

			if (problem) {
				err = ext4_corrupt(fs, (u32)dir->ino, b->block, "%s", problem);
				buffer_put(b);
				return err;
			}
			if (base + offset >= ctx->pos) {
				u64 next = base + offset + e->rec_len;

				if (e->inode && !ext4_dirent_emit(ctx, e, next)) {
					buffer_put(b);
					return 0;
				}
				ctx->pos = next;
			}
			offset += e->rec_len;
		}
		buffer_put(b);
		ctx->pos = base + fs->block_size;
	}
	return 0;
}

static int
ext4_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode;

	if (ext4_has_inline(ext4_node_of(dir)))
		return ext4_inline_readdir(dir, ctx);
	return ext4_dir_indexed(dir) ? ext4_dx_readdir(dir, ctx) : readdir_linear(dir, ctx);
}

const struct file_ops ext4_dir_file_ops = {
	.readdir = ext4_readdir,
	.seek = file_seek_pos,
	.fsync = ext4_fsync,
	.ioctl = ext4_ioctl,
};
