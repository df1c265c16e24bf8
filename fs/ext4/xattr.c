/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: in the inode's table slot behind its fields, and in one block that inodes
 * with the same attributes share.
 *
 * Both are a region: entries from the front (name, and where the value is), values from the end.
 * The block's are sorted. A change is made in copies of both regions, which then replace the
 * originals: a value goes into the inode if there is room, else into the block. A block that others
 * share is left to them. Who needs a block with the same contents as one of late takes that.
 *
 * Locking: node->xattr_lock; a block's count of users changes under the buffer's lock.
 */
#include "uapi/xattr.h"
#include "ext4_internal.h"
#include "fs/vfs/posix_acl.h"
#include "task/cred.h"

struct region {
	u8 *data;
	u32 size;
	u32 first; /* offset of the first entry */
	u32 base;  /* values' offsets count from here */
	bool sorted;
};

#define SHARED_SLOTS 64
/* Blocks of late by the hash of their contents: hints, checked when used. */
static struct {
	struct ext4_fs *fs;
	u64 block;
	u32 hash;
} shared[SHARED_SLOTS];
static struct spinlock shared_lock = SPINLOCK_INIT(RANK_FS);

static struct ext4_xattr_entry *
entry_at(const struct region *r, u32 offset)
{
	return (struct ext4_xattr_entry *)(r->data + offset);
}

static bool
is_last(const struct region *r, u32 offset)
{
	u32 word;

	memcpy(&word, r->data + offset, sizeof(word));
	return !word;
}

static u32
next_of(const struct region *r, u32 offset)
{
	return offset + EXT4_XATTR_ENTRY_SIZE(entry_at(r, offset)->e_name_len);
}

static bool
region_ok(const struct region *r)
{
	u32 offset = r->first, end;

	/* The entries, to the four zeroes behind them. */
	for (;;) {
		if (offset + sizeof(u32) > r->size)
			return false;
		if (is_last(r, offset))
			break;
		if (offset + sizeof(struct ext4_xattr_entry) > r->size ||
		    next_of(r, offset) + sizeof(u32) > r->size)
			return false;
		offset = next_of(r, offset);
	}
	end = offset + (u32)sizeof(u32);
	for (offset = r->first; !is_last(r, offset); offset = next_of(r, offset)) {
		const struct ext4_xattr_entry *e = entry_at(r, offset);
		u64 at = (u64)r->base + e->e_value_offs;

		if (e->e_value_inum || e->e_value_size > r->size)
			return false;
		if (e->e_value_size && (at < end || at + e->e_value_size > r->size))
			return false;
	}
	return true;
}

/* By (class, length, name), as blocks are sorted. */
static int
compare(const struct ext4_xattr_entry *e, u8 index, const char *name, size_t len)
{
	if (e->e_name_index != index)
		return index < e->e_name_index ? -1 : 1;
	if (e->e_name_len != len)
		return len < e->e_name_len ? -1 : 1;
	return memcmp(name, e->e_name, len);
}

static struct ext4_xattr_entry *
find(const struct region *r, u8 index, const char *name, size_t len)
{
	for (u32 offset = r->first; !is_last(r, offset); offset = next_of(r, offset)) {
		if (!compare(entry_at(r, offset), index, name, len))
			return entry_at(r, offset);
	}
	return NULL;
}

/* --- regions: changes --- */

/* Where the entries end (the zeroes), and where the values begin. */
static void
bounds(const struct region *r, u32 *end, u32 *values)
{
	u32 offset = r->first;

	*values = r->size;
	for (; !is_last(r, offset); offset = next_of(r, offset)) {
		const struct ext4_xattr_entry *e = entry_at(r, offset);

		if (e->e_value_size)
			*values = MIN(*values, r->base + e->e_value_offs);
	}
	*end = offset;
}

static void
region_remove(struct region *r, struct ext4_xattr_entry *e)
{
	u32 at = (u32)((u8 *)e - r->data), size = EXT4_XATTR_ENTRY_SIZE(e->e_name_len), end, values,
	    hole = ALIGN_UP(e->e_value_size, 4u), from = r->base + e->e_value_offs;

	bounds(r, &end, &values);
	if (hole) {
		memmove(r->data + values + hole, r->data + values, from - values);
		memset(r->data + values, 0, hole);
		for (u32 offset = r->first; offset < end; offset = next_of(r, offset)) {
			struct ext4_xattr_entry *other = entry_at(r, offset);

			if (other->e_value_size && r->base + other->e_value_offs < from)
				other->e_value_offs = (u16)(other->e_value_offs + hole);
		}
	}
	memmove(r->data + at, r->data + at + size, end + sizeof(u32) - at - size);
	memset(r->data + end + sizeof(u32) - size, 0, size);
}

static u32
entry_hash(const char *name, size_t len, const u8 *value, size_t size)
{
	u32 hash = 0;

	for (size_t i = 0; i < len; i++)
		hash = (hash << 5) ^ (hash >> 27) ^ (u32)(s32)(s8)name[i];
	for (size_t i = 0; i < size; i += 4) {
		u32 word = 0;

		memcpy(&word, value + i, MIN(size - i, (size_t)4));
		hash = (hash << 16) ^ (hash >> 16) ^ word;
	}
	return hash;
}

static int
region_insert(struct region *r, u8 index, const char *name, size_t len, const void *value,
	      size_t size)
{
	u32 need = EXT4_XATTR_ENTRY_SIZE(len), room = ALIGN_UP((u32)size, 4u), end, values,
	    at = r->first;
	struct ext4_xattr_entry *e;

	if (size > r->size || r->size < r->first + sizeof(u32))
		return -ENOSPC;
	bounds(r, &end, &values);
	if (end + need + sizeof(u32) + room > values)
		return -ENOSPC;
	if (r->sorted) {
		while (at < end && compare(entry_at(r, at), index, name, len) > 0)
			at = next_of(r, at);
	} else {
		at = end;
	}
	memmove(r->data + at + need, r->data + at, end + sizeof(u32) - at);
	e = entry_at(r, at);
	memset(e, 0, need);
	e->e_name_len = (u8)len;
	e->e_name_index = index;
	e->e_value_size = (u32)size;
	memcpy(e->e_name, name, len);
	if (size) {
		values -= room;
		e->e_value_offs = (u16)(values - r->base);
		memset(r->data + values, 0, room);
		memcpy(r->data + values, value, size);
	}
	e->e_hash = entry_hash(name, len, value, size);
	return 0;
}

/* --- the region in the inode --- */

/* Inside the buffer of the inode table. False: the inode has no room for any. */
static bool
inode_region(struct ext4_node *n, struct buffer *b, u32 offset, struct region *r)
{
	u32 skip = EXT4_GOOD_OLD_SIZE + n->extra_isize;

	if (n->fs->inode_size <= EXT4_GOOD_OLD_SIZE || !n->extra_isize ||
	    skip + 8 > n->fs->inode_size)
		return false;
	*r = (struct region){ b->data + offset + skip, n->fs->inode_size - skip, 4, 4, false };
	return true;
}

static u32 *
magic_of(const struct region *r)
{
	return (u32 *)r->data;
}

static int
bad_region(struct ext4_node *n, u64 block)
{
	return ext4_corrupt(n->fs, n->ino, block, "damaged extended attributes");
}

/* --- the block --- */

static struct ext4_xattr_header *
header_of(const u8 *data)
{
	return (struct ext4_xattr_header *)data;
}

static struct region
block_region(const struct ext4_fs *fs, u8 *data)
{
	return (struct region){ data, fs->block_size, sizeof(struct ext4_xattr_header), 0, true };
}

static u32
block_csum(const struct ext4_fs *fs, u64 block, const u8 *data)
{
	u32 at = __builtin_offsetof(struct ext4_xattr_header, h_checksum), zero = 0, crc;

	crc = ext4_csum(fs, fs->csum_seed, &block, sizeof(block));
	crc = ext4_csum(fs, crc, data, at);
	crc = ext4_csum(fs, crc, &zero, sizeof(zero));
	return ext4_csum(fs, crc, data + at + 4, fs->block_size - at - 4);
}

static u32
block_hash(const struct region *r)
{
	u32 hash = 0;

	for (u32 offset = r->first; !is_last(r, offset); offset = next_of(r, offset)) {
		u32 one = entry_at(r, offset)->e_hash;

		if (!one)
			return 0;
		hash = (hash << 16) ^ (hash >> 16) ^ one;
	}
	return hash;
}

static int
read_block(struct ext4_node *n, struct buffer **out)
{
	struct ext4_fs *fs = n->fs;
	struct ext4_xattr_header *h;
	struct region r;
	struct buffer *b;
	int err = ext4_read_block(fs, n->file_acl, &b);

	if (err)
		return err;
	h = header_of(b->data);
	r = block_region(fs, b->data);
	if (!buffer_verified(b)) {
		if (h->h_magic != EXT4_XATTR_MAGIC || h->h_blocks != 1 || !region_ok(&r))
			err = bad_region(n, b->block);
		else if (fs->has_csum && h->h_checksum != block_csum(fs, b->block, b->data))
			err = ext4_badcrc(fs, n->ino, b->block, "checksum of attributes is wrong");
		else
			buffer_set_verified(b);
	} else if (h->h_magic != EXT4_XATTR_MAGIC || !region_ok(&r)) {
		err = bad_region(n, b->block); /* verified as something else */
	}
	if (err) {
		buffer_put(b);
		return err;
	}
	*out = b;
	return 0;
}

static void
remember(struct ext4_fs *fs, u32 hash, u64 block)
{
	if (!hash)
		return;
	spin_lock(&shared_lock);
	shared[hash % SHARED_SLOTS].fs = fs;
	shared[hash % SHARED_SLOTS].block = block;
	shared[hash % SHARED_SLOTS].hash = hash;
	spin_unlock(&shared_lock);
}

static void
forget(struct ext4_fs *fs, u64 block)
{
	spin_lock(&shared_lock);
	for (u32 i = 0; i < SHARED_SLOTS; i++)
		if (shared[i].fs == fs && shared[i].block == block)
			shared[i].fs = NULL;
	spin_unlock(&shared_lock);
}

void
ext4_xattr_forget_all(struct ext4_fs *fs)
{
	spin_lock(&shared_lock);
	for (u32 i = 0; i < SHARED_SLOTS; i++)
		if (shared[i].fs == fs)
			shared[i].fs = NULL;
	spin_unlock(&shared_lock);
}

/* Buffer locked, write access had. */
static int
block_dirty(struct journal_handle *h, struct ext4_fs *fs, struct buffer *b)
{
	if (fs->has_csum)
		header_of(b->data)->h_checksum = block_csum(fs, b->block, b->data);
	return ext4_dirty(h, b);
}

/* n does not use its block any more. */
static int
drop_block(struct journal_handle *h, struct ext4_node *n)
{
	struct ext4_fs *fs = n->fs;
	struct ext4_xattr_header *hdr;
	struct buffer *b;
	bool last;
	int err = read_block(n, &b);

	if (err)
		return err;
	err = ext4_access(h, b);
	if (err)
		goto out;
	buffer_lock(b);
	hdr = header_of(b->data);
	last = hdr->h_refcount <= 1;
	if (last)
		forget(fs, b->block);
	hdr->h_refcount = last ? 0 : hdr->h_refcount - 1;
	if (!last)
		err = block_dirty(h, fs, b);
	buffer_unlock(b);
	if (last)
		err = ext4_free_blocks(h, n, b->block, 1, FREE_METADATA);
	else
		ext4_add_blocks(n->inode, -1);
	n->file_acl = 0;
out:
	buffer_put(b);
	return err;
}

/* A block of late with these contents gets one user more: true. */
static bool
share_block(struct journal_handle *h, struct ext4_node *n, const u8 *image, u32 hash)
{
	struct ext4_fs *fs = n->fs;
	u32 skip = sizeof(struct ext4_xattr_header);
	struct buffer *b;
	bool done = false;
	u64 block = 0;

	spin_lock(&shared_lock);
	if (hash && shared[hash % SHARED_SLOTS].fs == fs &&
	    shared[hash % SHARED_SLOTS].hash == hash)
		block = shared[hash % SHARED_SLOTS].block;
	spin_unlock(&shared_lock);
	if (!block || ext4_read_block(fs, block, &b))
		return false;
	if (!ext4_access(h, b)) {
		struct ext4_xattr_header *hdr = header_of(b->data);

		buffer_lock(b);
		if (hdr->h_magic == EXT4_XATTR_MAGIC && hdr->h_refcount &&
		    hdr->h_refcount < EXT4_XATTR_REFCOUNT_MAX && hdr->h_hash == hash &&
		    !memcmp(b->data + skip, image + skip, fs->block_size - skip)) {
			hdr->h_refcount++;
			done = !block_dirty(h, fs, b);
		}
		buffer_unlock(b);
	}
	if (done) {
		n->file_acl = block;
		ext4_add_blocks(n->inode, 1);
	}
	buffer_put(b);
	return done;
}

static int
create_block(struct journal_handle *h, struct ext4_node *n, const u8 *image)
{
	struct ext4_fs *fs = n->fs;
	struct ext4_xattr_header *hdr;
	struct buffer *b;
	u32 len = 1;
	u64 block;
	int err = ext4_alloc_blocks(h, n, ext4_group_first(fs, n->group), &len,
				    ext4_claim_level(fs), &block);

	if (err)
		return err;
	err = ext4_new_block(fs, h, block, &b);
	if (err) {
		(void)ext4_free_blocks(h, n, block, 1, 0);
		return err;
	}
	memcpy(b->data, image, fs->block_size);
	hdr = header_of(b->data);
	hdr->h_refcount = 1;
	err = block_dirty(h, fs, b);
	n->file_acl = block;
	remember(fs, hdr->h_hash, block);
	buffer_put(b);
	return err;
}

/* The block has these contents from now on; NULL: there is none. */
static int
replace_block(struct journal_handle *h, struct ext4_node *n, u8 *image)
{
	struct ext4_fs *fs = n->fs;
	struct ext4_xattr_header *hdr;
	struct region r;
	struct buffer *b;
	u32 hash;
	int err;

	if (!image)
		return n->file_acl ? drop_block(h, n) : 0;
	r = block_region(fs, image);
	hash = block_hash(&r);
	hdr = header_of(image);
	hdr->h_magic = EXT4_XATTR_MAGIC;
	hdr->h_blocks = 1;
	hdr->h_hash = hash;
	if (n->file_acl) {
		bool mine;

		err = read_block(n, &b);
		if (err)
			return err;
		err = ext4_access(h, b);
		if (err) {
			buffer_put(b);
			return err;
		}
		buffer_lock(b);
		mine = header_of(b->data)->h_refcount <= 1;
		if (mine) {
			forget(fs, b->block);
			hdr->h_refcount = 1;
			memcpy(b->data, image, fs->block_size);
			err = block_dirty(h, fs, b);
			remember(fs, hash, b->block);
		}
		buffer_unlock(b);
		buffer_put(b);
		if (mine)
			return err;
		err = drop_block(h, n);
		if (err)
			return err;
	}
	return share_block(h, n, image, hash) ? 0 : create_block(h, n, image);
}

/* --- reading --- */

static ssize_t
value_of(const struct region *r, const struct ext4_xattr_entry *e, void *value, size_t size)
{
	if (size && size < e->e_value_size)
		return -ERANGE;
	if (size && e->e_value_size)
		memcpy(value, r->data + r->base + e->e_value_offs, e->e_value_size);
	return (ssize_t)e->e_value_size;
}

/* Calls fn with each region that is there, until it returns other than `again`. */
static ssize_t
each_region(struct inode *i, ssize_t again, ssize_t (*fn)(const struct region *r, void *ctx),
	    void *ctx)
{
	struct ext4_node *n = ext4_node_of(i);
	ssize_t ret = again;
	struct region r;
	struct buffer *b;
	u32 offset;
	int err;

	rwsem_read_lock(&n->xattr_lock);
	if (n->has_xattr) {
		ret = err = ext4_inode_buffer(n->fs, n->ino, false, &b, &offset);
		if (err)
			goto out;
		ret = again;
		if (inode_region(n, b, offset, &r) && *magic_of(&r) == EXT4_XATTR_MAGIC)
			ret = region_ok(&r) ? fn(&r, ctx) : bad_region(n, b->block);
		buffer_put(b);
	}
	if (ret == again && n->file_acl) {
		ret = err = read_block(n, &b);
		if (err)
			goto out;
		r = block_region(n->fs, b->data);
		ret = fn(&r, ctx);
		buffer_put(b);
	}
out:
	rwsem_read_unlock(&n->xattr_lock);
	return ret;
}

struct get_request {
	const char *name;
	void *value;
	size_t len, size;
	u8 index;
};

static ssize_t
get_from(const struct region *r, void *ctx)
{
	const struct get_request *g = ctx;
	const struct ext4_xattr_entry *e = find(r, g->index, g->name, g->len);

	return e ? value_of(r, e, g->value, g->size) : -ENODATA;
}

ssize_t
ext4_xattr_get(struct inode *i, u8 index, const char *name, void *value, size_t size)
{
	struct get_request g = { name, value, strlen(name), size, index };

	if (g.len > XATTR_NAME_MAX)
		return -ERANGE;
	return each_region(i, -ENODATA, get_from, &g);
}

/* --- changing --- */

/* XATTR_CREATE and XATTR_REPLACE. */
static int
check_flags(bool there, const void *value, int flags)
{
	if (there && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!there && ((flags & XATTR_REPLACE) || !value))
		return -ENODATA;
	return 0;
}

static int
set_locked(struct journal_handle *h, struct inode *i, u8 index, const char *name, const void *value,
	   size_t size, int flags)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	struct region in = { 0 }, here = { 0 }, block = { 0 };
	struct ext4_xattr_entry *e, *f = NULL;
	size_t len = strlen(name);
	struct buffer *b, *old;
	bool has_inode, in_changed = false, block_changed = false;
	u32 offset;
	int err = ext4_inode_buffer(fs, n->ino, false, &b, &offset);

	if (err)
		return err;
	err = -ENOMEM;
	has_inode = inode_region(n, b, offset, &in);
	here = in;
	if (has_inode) {
		here.data = kzalloc(in.size, GFP_NOFS);
		if (!here.data)
			goto out;
		if (*magic_of(&in) == EXT4_XATTR_MAGIC) {
			memcpy(here.data, in.data, in.size);
			err = region_ok(&here) ? 0 : bad_region(n, b->block);
			if (err)
				goto out;
		}
		*magic_of(&here) = EXT4_XATTR_MAGIC;
	}
	err = -ENOMEM;
	block = block_region(fs, kzalloc(fs->block_size, GFP_NOFS));
	if (!block.data)
		goto out;
	if (n->file_acl) {
		err = read_block(n, &old);
		if (err)
			goto out;
		memcpy(block.data, old->data, fs->block_size);
		memset(block.data, 0, sizeof(struct ext4_xattr_header));
		buffer_put(old);
	}
	e = has_inode ? find(&here, index, name, len) : NULL;
	if (!e)
		f = find(&block, index, name, len);
	err = check_flags(e || f, value, flags);
	if (err)
		goto out;
	if (e) {
		region_remove(&here, e);
		in_changed = true;
	} else if (f) {
		region_remove(&block, f);
		block_changed = true;
	}
	if (value) {
		err = has_inode ? region_insert(&here, index, name, len, value, size) : -ENOSPC;
		if (!err) {
			in_changed = true;
		} else {
			err = region_insert(&block, index, name, len, value, size);
			block_changed = true;
		}
		if (err)
			goto out;
	}
	if (block_changed) {
		err = replace_block(h, n, is_last(&block, block.first) ? NULL : block.data);
		if (err)
			goto out;
	}
	if (in_changed) {
		err = ext4_access(h, b);
		if (err)
			goto out;
		spin_lock(&n->raw_lock);
		memcpy(in.data, here.data, in.size);
		if (is_last(&here, here.first))
			*magic_of(&in) = 0;
		spin_unlock(&n->raw_lock);
		n->has_xattr = *magic_of(&in) != 0;
	}
	/* Also the checksum over what was copied. */
	err = ext4_inode_store(h, i);
out:
	kfree(here.data);
	kfree(block.data);
	buffer_put(b);
	return err;
}

int
ext4_xattr_set(struct journal_handle *h, struct inode *i, u8 index, const char *name,
	       const void *value, size_t size, int flags)
{
	struct ext4_node *n = ext4_node_of(i);
	int err;

	if (strlen(name) > XATTR_NAME_MAX)
		return -ERANGE;
	rwsem_write_lock(&n->xattr_lock);
	err = set_locked(h, i, index, name, value, size, flags);
	rwsem_write_unlock(&n->xattr_lock);
	return err;
}

int
ext4_xattr_release(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	int err = 0;

	rwsem_write_lock(&n->xattr_lock);
	if (n->file_acl)
		err = drop_block(h, n);
	rwsem_write_unlock(&n->xattr_lock);
	return err;
}

/* --- inode_ops --- */

static const struct {
	u8 index;
	const char *prefix;
} classes[] = {
	{ EXT4_XATTR_USER, XATTR_USER_PREFIX },
	{ EXT4_XATTR_TRUSTED, XATTR_TRUSTED_PREFIX },
	{ EXT4_XATTR_SECURITY, XATTR_SECURITY_PREFIX },
};

/* 0 and the class and the rest of the name; -EOPNOTSUPP, -EINVAL. */
static int
classify(struct inode *i, const char *name, u8 *index, const char **rest)
{
	for (u32 k = 0; k < ARRAY_SIZE(classes); k++) {
		if (!str_starts_with(name, classes[k].prefix))
			continue;
		if (classes[k].index == EXT4_XATTR_USER &&
		    !(ext4_fs_of_inode(i)->options.flags & OPT_XATTR_USER))
			return -EOPNOTSUPP;
		*index = classes[k].index;
		*rest = name + strlen(classes[k].prefix);
		return **rest ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

ssize_t
ext4_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	const char *rest;
	bool is_default;
	u8 index;
	int err;

	if (posix_acl_is_name(name, &is_default))
		return ext4_acl_get(i, is_default, value, size);
	err = classify(i, name, &index, &rest);
	return err ? err : ext4_xattr_get(i, index, rest, value, size);
}

static int
set_named(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	struct journal_handle *h;
	const char *rest;
	u32 tries = 0;
	u8 index;
	int err, end = 0;

	err = classify(i, name, &index, &rest);
	if (err)
		return err;
	do {
		err = ext4_start(fs, CREDITS_XATTR, &h);
		if (err)
			return err;
		err = ext4_xattr_set(h, i, index, rest, value, size, flags);
		if (!err) {
			WRITE_ONCE(i->times.ctime, inode_now(i));
			i->version++;
			err = ext4_inode_store(h, i);
		}
		end = ext4_stop(h);
	} while (err == -ENOSPC && ext4_wait_for_space(fs, &tries));
	return err ? err : end;
}

int
ext4_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	bool is_default;

	if (posix_acl_is_name(name, &is_default))
		return ext4_acl_set(i, is_default, value, size);
	return set_named(i, name, value ? value : "", size, flags);
}

int
ext4_removexattr(struct inode *i, const char *name)
{
	bool is_default;

	if (posix_acl_is_name(name, &is_default))
		return ext4_acl_set(i, is_default, NULL, 0);
	return set_named(i, name, NULL, 0, 0);
}

struct list_request {
	char *list;
	size_t size, used;
	bool user, trusted, acl;
};

static const char *
prefix_of(const struct list_request *l, u8 index)
{
	switch (index) {
	case EXT4_XATTR_USER: return l->user ? XATTR_USER_PREFIX : NULL;
	case EXT4_XATTR_TRUSTED: return l->trusted ? XATTR_TRUSTED_PREFIX : NULL;
	case EXT4_XATTR_SECURITY: return XATTR_SECURITY_PREFIX;
	case EXT4_XATTR_ACL_ACCESS: return l->acl ? XATTR_NAME_POSIX_ACL_ACCESS : NULL;
	case EXT4_XATTR_ACL_DEFAULT: return l->acl ? XATTR_NAME_POSIX_ACL_DEFAULT : NULL;
	default: return NULL;
	}
}

static ssize_t
list_from(const struct region *r, void *ctx)
{
	struct list_request *l = ctx;

	for (u32 offset = r->first; !is_last(r, offset); offset = next_of(r, offset)) {
		const struct ext4_xattr_entry *e = entry_at(r, offset);
		const char *prefix = prefix_of(l, e->e_name_index);
		size_t len;

		if (!prefix)
			continue;
		len = strlen(prefix);
		if (l->size) {
			if (l->used + len + e->e_name_len + 1 > l->size)
				return -ERANGE;
			memcpy(l->list + l->used, prefix, len);
			memcpy(l->list + l->used + len, e->e_name, e->e_name_len);
			l->list[l->used + len + e->e_name_len] = '\0';
		}
		l->used += len + e->e_name_len + 1;
	}
	return 0;
}

ssize_t
ext4_listxattr(struct inode *i, char *list, size_t size)
{
	u32 options = ext4_fs_of_inode(i)->options.flags;
	struct list_request l = {
		list, size, 0, options & OPT_XATTR_USER, capable(CAP_SYS_ADMIN), options & OPT_ACL,
	};
	ssize_t err = each_region(i, 0, list_from, &l);

	return err ? err : (ssize_t)l.used;
}
