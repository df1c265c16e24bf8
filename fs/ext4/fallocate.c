/* SPDX-License-Identifier: MIT */
/*
 * fallocate(2): room in advance, holes, ranges of zeroes, ranges cut out and pushed in.
 *
 * All but the first hold the mapping's invalidate_lock from before the pages go until the blocks
 * are gone too, so that no fault or read brings a page back in between.
 */
#include "ext4_internal.h"
#include "mm/mapping.h"
#include "sched/sched.h"
#include "uapi/fcntl.h"

static int
store_size(struct inode *i, u64 size)
{
	struct ext4_node *n = ext4_node_of(i);
	struct journal_handle *h;
	int err = ext4_start(n->fs, CREDITS_INODE, &h), end;

	if (err)
		return err;
	rwsem_write_lock(&n->map_lock);
	WRITE_ONCE(i->size, size);
	n->disk_size = size;
	rwsem_write_unlock(&n->map_lock);
	WRITE_ONCE(i->times.ctime, inode_now(i));
	WRITE_ONCE(i->times.mtime, i->times.ctime);
	i->version++;
	err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}

/* Unwritten blocks where there are none. */
static int
reserve_range(struct inode *i, u64 first, u64 end)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u32 tries = 0;

	while (first < end) {
		struct ext4_map m = {
			.lblk = (u32)first,
			.len = (u32)MIN(end - first, (u64)EXT4_UNWRITTEN_MAX),
		};
		struct journal_handle *h;
		int err, stop;

		if (thread_signal_pending(thread_current()))
			return -EINTR;
		err = ext4_start(fs, CREDITS_MAP + CREDITS_INODE, &h);
		if (err)
			return err;
		err = ext4_map(h, i, &m, MAP_CREATE | MAP_AS_UNWRITTEN);
		stop = ext4_stop(h);
		if (err == -ENOSPC && ext4_wait_for_space(fs, &tries))
			continue;
		if (err || stop)
			return err ? err : stop;
		first += m.len;
		sched_cond_resched();
	}
	return 0;
}

static int
allocate(struct inode *i, u64 offset, u64 len, bool keep_size)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u64 end = offset + len;
	int err = reserve_range(i, offset >> fs->block_bits,
				(end + fs->block_size - 1) >> fs->block_bits);

	if (err)
		return err;
	return store_size(i, keep_size ? i->size : MAX(end, i->size));
}

/* Whole blocks [first, end) lose their places. */
static int
remove_range(struct inode *i, u64 first, u64 end)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	struct journal_handle *h;
	int err, stop;

	if (first >= end)
		return 0;
	err = ext4_start(fs, CREDITS_FREE + CREDITS_MAP, &h);
	if (err)
		return err;
	err = ext4_remove_blocks(h, i, (u32)first, (u32)MIN(end - 1, (u64)UINT32_MAX));
	stop = ext4_stop(h);
	return err ? err : stop;
}

/* [offset, end) reads as zeroes; whole blocks in it are holes. */
static int
punch(struct inode *i, u64 offset, u64 end)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u64 first = (offset + fs->block_size - 1) >> fs->block_bits, past = end >> fs->block_bits;
	u64 last_page = ALIGN_UP(i->size, PAGE_SIZE);
	int err;

	if (offset >= ALIGN_UP(i->size, (u64)fs->block_size))
		return remove_range(i, first, past); /* what KEEP_SIZE has put there */
	rwsem_write_lock(&i->mapping.invalidate_lock);
	mapping_punch_locked(&i->mapping, offset, MIN(end, last_page));
	err = remove_range(i, first, past);
	rwsem_write_unlock(&i->mapping.invalidate_lock);
	return err;
}

static int
zero_range(struct inode *i, u64 offset, u64 len, bool keep_size)
{
	int err = punch(i, offset, offset + len);

	return err ? err : allocate(i, offset, len, keep_size);
}

/* Pages from offset on are on the disk and out of the cache. invalidate_lock held. */
static int
push_out(struct inode *i, u64 offset)
{
	u64 start = offset & PAGE_MASK;
	int err = mapping_writeback(&i->mapping, start, UINT64_MAX, true);

	if (!err)
		mapping_punch_locked(&i->mapping, start, ALIGN_UP(i->size, PAGE_SIZE));
	return err;
}

/* Everything from block `first` on moves. */
static int
shift(struct inode *i, u32 first, s64 delta)
{
	struct ext4_node *n = ext4_node_of(i);
	u32 at = delta < 0 ? first : UINT32_MAX;
	int err, more, stop;

	do {
		struct journal_handle *h;

		err = ext4_start(n->fs, CREDITS_MAP + CREDITS_INODE, &h);
		if (err)
			return err;
		rwsem_write_lock(&n->map_lock);
		ext4_map_forget(n);
		n->goal_pblk = 0;
		more = ext4_extent_shift(h, n, first, delta, &at);
		err = ext4_inode_store(h, i);
		rwsem_write_unlock(&n->map_lock);
		stop = ext4_stop(h);
		err = more < 0 ? more : err ? err : stop;
	} while (!err && more);
	return err;
}

static int
collapse(struct inode *i, u64 offset, u64 len)
{
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	u32 first = (u32)(offset >> fs->block_bits), count = (u32)(len >> fs->block_bits);
	int err;

	if ((offset | len) & (fs->block_size - 1) || offset + len >= i->size)
		return -EINVAL;
	rwsem_write_lock(&i->mapping.invalidate_lock);
	err = push_out(i, offset);
	if (!err)
		err = remove_range(i, first, (u64)first + count);
	if (!err)
		err = shift(i, first + count, -(s64)count);
	if (!err)
		err = store_size(i, i->size - len);
	rwsem_write_unlock(&i->mapping.invalidate_lock);
	return err;
}

static int
insert(struct inode *i, u64 offset, u64 len)
{
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_fs *fs = n->fs;
	u32 first = (u32)(offset >> fs->block_bits), count = (u32)(len >> fs->block_bits);
	struct journal_handle *h;
	int err, stop;

	if ((offset | len) & (fs->block_size - 1) || offset >= i->size)
		return -EINVAL;
	if (len > i->super->max_bytes - i->size)
		return -EFBIG;
	rwsem_write_lock(&i->mapping.invalidate_lock);
	err = push_out(i, offset);
	/* Blocks behind the end would be pushed out of what a file can have. */
	if (!err)
		err = remove_range(i, ALIGN_UP(i->size, (u64)fs->block_size) >> fs->block_bits,
				   1ull << 32);
	if (!err)
		err = store_size(i, i->size + len);
	if (!err)
		err = ext4_start(fs, CREDITS_MAP + CREDITS_INODE, &h);
	if (err)
		goto out;
	rwsem_write_lock(&n->map_lock);
	ext4_map_forget(n);
	err = ext4_extent_split(h, n, first);
	stop = ext4_inode_store(h, i);
	rwsem_write_unlock(&n->map_lock);
	err = err ? err : stop;
	stop = ext4_stop(h);
	err = err ? err : stop;
	if (!err)
		err = shift(i, first, count);
out:
	rwsem_write_unlock(&i->mapping.invalidate_lock);
	return err;
}

int
ext4_fallocate(struct file *f, int mode, u64 offset, u64 len)
{
	struct inode *i = f->inode;
	struct ext4_node *n = ext4_node_of(i);
	bool keep_size = mode & FALLOC_FL_KEEP_SIZE;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
		     FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE))
		return -EOPNOTSUPP;
	rwsem_write_lock(&i->lock);
	if (ext4_has_inline(n)) {
		struct journal_handle *h;

		err = ext4_start(n->fs, CREDITS_MAP + CREDITS_XATTR, &h);
		if (!err) {
			err = ext4_inline_convert(h, i);
			(void)ext4_stop(h);
		}
	}
	if (!err && !ext4_has_extents(n) && !(mode & FALLOC_FL_PUNCH_HOLE))
		err = -EOPNOTSUPP;
	if (err)
		goto out;
	if (n->fs->journal && (mode & ~FALLOC_FL_KEEP_SIZE)) {
		err = journal_truncate_ordered(n->fs->journal, &n->jinode, offset);
		if (err)
			goto out;
	}
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		err = punch(i, offset, offset + len);
		if (!err)
			err = store_size(i, i->size);
	} else if (mode & FALLOC_FL_COLLAPSE_RANGE) {
		err = collapse(i, offset, len);
	} else if (mode & FALLOC_FL_INSERT_RANGE) {
		err = insert(i, offset, len);
	} else if (mode & FALLOC_FL_ZERO_RANGE) {
		err = zero_range(i, offset, len, keep_size);
	} else {
		err = allocate(i, offset, len, keep_size);
	}
out:
	rwsem_write_unlock(&i->lock);
	return err;
}
