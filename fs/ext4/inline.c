/* SPDX-License-Identifier: MIT */
/*
 * Inline data: small files and directories in the inode itself: the 60 bytes of the block map, then
 * the value of the attribute system.data. It is read as it is; what is changed moves to blocks
 * first, and nothing new is made this way.
 *
 * A directory has the number of its parent in the first four bytes, then entries in the rest of the
 * 60 bytes and, as a chain of their own, in the attribute. Positions of readdir: 0 and 1 for the
 * dots, then 4 + the offset in that.
 */
#include "ext4_internal.h"
#include "mm/mapping.h"
#include "uapi/dirent.h"
#include "uapi/xattr.h"

#define IN_MAP sizeof(((struct ext4_node *)0)->block)

int
ext4_inline_read(struct inode *i, u8 **out, size_t *len)
{
	struct ext4_node *n = ext4_node_of(i);
	size_t size = MIN(i->size, (u64)n->fs->inode_size);
	ssize_t rest = 0;
	u8 *data;

	if (!S_ISREG(i->mode) && i->size > size)
		return ext4_corrupt(n->fs, n->ino, 0, "inline data beyond the inode");
	data = kzalloc(MAX(size, IN_MAP) + 1, GFP_NOFS);
	if (!data)
		return -ENOMEM;
	memcpy(data, n->block, MIN(size, IN_MAP));
	/* What is not there of a file is zeroes, as in a hole. */
	if (size > IN_MAP) {
		rest = ext4_xattr_get(i, EXT4_XATTR_SYSTEM, "data", data + IN_MAP, size - IN_MAP);
		if (rest == -ENODATA && S_ISREG(i->mode))
			rest = 0;
		if (rest == -ENODATA || rest == -ERANGE)
			rest = ext4_corrupt(n->fs, n->ino, 0, "inline data is not there");
	}
	if (rest < 0) {
		kfree(data);
		return (int)rest;
	}
	*out = data;
	*len = size;
	return 0;
}

/* The inode has an empty map in place of data. */
static int
clear(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	int err = ext4_xattr_set(h, i, EXT4_XATTR_SYSTEM, "data", NULL, 0, 0);

	if (err && err != -ENODATA)
		return err;
	rwsem_write_lock(&n->map_lock);
	n->flags &= ~EXT4_INLINE_DATA_FL;
	if (ext4_incompat(n->fs, INCOMPAT_EXTENTS)) {
		n->flags |= EXT4_EXTENTS_FL;
		ext4_extent_init_root(n);
	} else {
		memset(n->block, 0, sizeof(n->block));
	}
	ext4_map_forget(n);
	rwsem_write_unlock(&n->map_lock);
	return ext4_inode_store(h, i);
}

/* The first block of the file, with these contents, as ordered data would be: on the disk first. */
int
ext4_inline_convert(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_map m = { .lblk = 0, .len = 1 };
	size_t len;
	u8 *data, *block;
	int err = ext4_inline_read(i, &data, &len);

	if (err)
		return err;
	err = clear(h, i);
	if (err || !len)
		goto out;
	block = kzalloc(n->fs->block_size, GFP_NOFS);
	err = -ENOMEM;
	if (!block)
		goto out;
	memcpy(block, data, MIN(len, (size_t)n->fs->block_size));
	err = ext4_map(h, i, &m, MAP_CREATE);
	if (!err)
		err = block_rw(n->fs->dev, BIO_WRITE, m.pblk << (n->fs->block_bits - SECTOR_SHIFT),
			       block, n->fs->block_size);
	kfree(block);
out:
	kfree(data);
	return err;
}

/* --- directories --- */

struct part {
	u32 offset, end;
};

/* The two chains of entries. */
static u32
parts_of(size_t len, struct part parts[2])
{
	parts[0] = (struct part){ 4, (u32)MIN(len, IN_MAP) };
	parts[1] = (struct part){ IN_MAP, (u32)len };
	return len > IN_MAP ? 2 : 1;
}

static int
check(struct inode *dir, const u8 *data, u32 offset, u32 end)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	const char *problem = ext4_dirent_problem(fs, data, offset, end);

	return problem ? ext4_corrupt(fs, (u32)dir->ino, 0, "%s", problem) : 0;
}

int
ext4_inline_dir_find(struct inode *dir, const char *name, size_t name_len, u32 *ino)
{
	struct part parts[2];
	size_t len;
	u8 *data;
	u32 n;
	int err = ext4_inline_read(dir, &data, &len);

	if (err)
		return err;
	err = -ENOENT;
	if (name_len == 2 && !memcmp(name, "..", 2)) {
		memcpy(ino, data, 4);
		err = 0;
	}
	n = parts_of(len, parts);
	for (u32 p = 0; err == -ENOENT && p < n; p++) {
		for (u32 offset = parts[p].offset; offset < parts[p].end;) {
			const struct ext4_dirent *e = ext4_dirent_at(data, offset);

			if (check(dir, data, offset, parts[p].end)) {
				err = -EFSCORRUPTED;
				break;
			}
			if (e->inode && e->name_len == name_len &&
			    !memcmp(e->name, name, name_len)) {
				*ino = e->inode;
				err = 0;
				break;
			}
			offset += e->rec_len;
		}
	}
	kfree(data);
	return err;
}

int
ext4_inline_readdir(struct inode *dir, struct dir_context *ctx)
{
	struct part parts[2];
	size_t len;
	u8 *data;
	u32 n, parent;
	int err = ext4_inline_read(dir, &data, &len);

	if (err)
		return err;
	memcpy(&parent, data, 4);
	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, dir->ino, DT_DIR, 1))
			goto out;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, parent, DT_DIR, 4))
			goto out;
		ctx->pos = 4;
	}
	n = parts_of(len, parts);
	for (u32 p = 0; p < n; p++) {
		for (u32 offset = parts[p].offset; offset < parts[p].end;) {
			const struct ext4_dirent *e = ext4_dirent_at(data, offset);

			err = check(dir, data, offset, parts[p].end);
			if (err)
				goto out;
			if (offset >= ctx->pos) {
				if (e->inode && !ext4_dirent_emit(ctx, e, offset + e->rec_len))
					goto out;
				ctx->pos = offset + e->rec_len;
			}
			offset += e->rec_len;
		}
	}
out:
	kfree(data);
	return err;
}

int
ext4_inline_dir_convert(struct journal_handle *h, struct inode *dir)
{
	struct ext4_node *node = ext4_node_of(dir);
	struct part parts[2];
	struct buffer *b = NULL;
	size_t len;
	u8 *data;
	u32 n, parent;
	int err = ext4_inline_read(dir, &data, &len);

	if (err)
		return err;
	memcpy(&parent, data, 4);
	err = clear(h, dir);
	if (err)
		goto out;
	dir->size = 0;
	err = ext4_dir_make_empty(h, dir, parent);
	if (!err)
		err = ext4_dir_block(dir, 0, &b, NULL);
	if (err)
		goto out;
	err = ext4_access(h, b);
	n = parts_of(len, parts);
	for (u32 p = 0; !err && p < n; p++) {
		for (u32 offset = parts[p].offset; !err && offset < parts[p].end;) {
			const struct ext4_dirent *e = ext4_dirent_at(data, offset);

			err = check(dir, data, offset, parts[p].end);
			if (!err && e->inode)
				err = ext4_leaf_add(dir, b, e->name, e->name_len, e->inode,
						    e->file_type);
			offset += e->rec_len;
		}
	}
	if (!err)
		err = ext4_leaf_dirty(h, dir, b);
	buffer_put(b);
out:
	if (err)
		log_err("EXT4-fs (%s): inode #%u: inline directory could not be moved: %d\n",
			node->fs->dev->name, node->ino, err);
	kfree(data);
	return err;
}
