/* SPDX-License-Identifier: MIT */
/*
 * ioctl(2) on block devices: sizes, read-only, flushing, discarding, partitions. What is not common
 * goes to the disk's driver.
 */
#include "uapi/ioctl.h"
#include "block_internal.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "mm/mapping.h"
#include "mm/user.h"
#include "task/cred.h"
#include "task/task.h"
#include "uapi/blkpg.h"
#include "uapi/capability.h"
#include "uapi/errno.h"

#define HEADS	      255
#define TRACK_SECTORS 63
#define PARTNO_MAX    255

static long
get_geometry(struct block_device *dev, user_ptr to)
{
	struct linux_hd_geometry g = {
		.heads = HEADS,
		.sectors = TRACK_SECTORS,
		.cylinders = (u16)(dev->whole->sectors / (HEADS * TRACK_SECTORS)),
		.start = dev->start,
	};

	return copy_to_user(to, &g, sizeof(g));
}

static long
set_read_only(struct block_device *dev, user_ptr from)
{
	s32 on;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	err = get_user(&on, from);
	if (err)
		return err;
	if (!on && dev->disk->read_only)
		return -EACCES;
	WRITE_ONCE(dev->read_only, on != 0);
	return 0;
}

static long
set_block_size(struct block_device *dev, user_ptr from)
{
	s32 size;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (user_ptr_null(from))
		return -EINVAL;
	err = get_user(&size, from);
	if (err)
		return err;
	if (size < (s32)block_device_logical_size(dev) || size > (s32)PAGE_SIZE ||
	    (size & (size - 1)))
		return -EINVAL;
	dev->block_size = (u32)size;
	return 0;
}

/* BLKDISCARD, BLKZEROOUT: {start, length} in bytes. */
static long
erase(struct block_device *dev, const struct file *f, u32 cmd, user_ptr from)
{
	u64 range[2], mask = block_device_logical_size(dev) - 1;
	int err;

	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (cmd == BLKDISCARD && !dev->disk->limits.max_discard_sectors)
		return -EOPNOTSUPP;
	err = copy_from_user(range, from, sizeof(range));
	if (err)
		return err;
	if ((range[0] | range[1]) & (cmd == BLKDISCARD ? SECTOR_SIZE - 1 : mask))
		return -EINVAL;
	if (!range[1] || range[0] + range[1] < range[0] ||
	    range[0] + range[1] > block_device_bytes(dev))
		return -EINVAL;
	if (READ_ONCE(dev->read_only))
		return -EPERM;
	if (cmd == BLKZEROOUT)
		return block_zero_range(dev, range[0], range[1], false);
	rwsem_write_lock(&dev->inode->lock);
	mapping_punch(dev->mapping, range[0], range[0] + range[1]);
	err = mapping_writeback(dev->mapping, range[0], range[0] + range[1], true);
	if (!err)
		err = block_discard(dev, range[0] >> SECTOR_SHIFT, range[1] >> SECTOR_SHIFT);
	rwsem_write_unlock(&dev->inode->lock);
	return err;
}

static int
partition_change(struct disk *disk, s32 op, const struct linux_blkpg_partition *bp)
{
	u64 mask = disk->limits.logical_size - 1;
	struct partition p = {
		.number = (u32)bp->pno,
		.start = (u64)bp->start >> SECTOR_SHIFT,
		.sectors = (u64)bp->length >> SECTOR_SHIFT,
	};

	if (bp->pno <= 0 || bp->pno > PARTNO_MAX)
		return -EINVAL;
	if (op == BLKPG_DEL_PARTITION)
		return partition_delete(disk, p.number);
	if (bp->start < 0 || bp->length <= 0 || bp->start > INT64_MAX - bp->length ||
	    (((u64)bp->start | (u64)bp->length) & mask))
		return -EINVAL;
	if (p.start + p.sectors > disk->sectors)
		return -EINVAL;
	if (op == BLKPG_RESIZE_PARTITION)
		return partition_resize(disk, p.number, p.sectors);
	if (op != BLKPG_ADD_PARTITION)
		return -EINVAL;
	if (disk->no_partitions)
		return -EINVAL;
	return partition_overlaps(disk, p.start, p.sectors) ? -EBUSY : partition_add(disk, &p);
}

static long
partition_ioctl(struct block_device *dev, user_ptr from)
{
	struct linux_blkpg_ioctl_arg arg;
	struct linux_blkpg_partition bp;
	int err = copy_from_user(&arg, from, sizeof(arg));

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (!err)
		err = copy_from_user(&bp, user_ptr_of(arg.data), sizeof(bp));
	if (err)
		return err;
	if (dev != dev->whole)
		return -EINVAL;
	mutex_lock(&dev->disk->open_lock);
	err = partition_change(dev->disk, arg.op, &bp);
	mutex_unlock(&dev->disk->open_lock);
	return err;
}

static long
rescan(struct block_device *dev)
{
	if (dev != dev->whole || dev->disk->no_partitions)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	return disk_rescan(dev->disk);
}

static long
flush_buffers(struct block_device *dev)
{
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	err = block_device_sync(dev);
	(void)mapping_invalidate(dev->mapping, 0, UINT64_MAX);
	return err;
}

static long
set_readahead(struct block_device *dev, u64 sectors)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	dev->disk->backing.readahead = (u32)(sectors >> (PAGE_SHIFT - SECTOR_SHIFT));
	return 0;
}

long
block_ioctl(struct block_device *dev, struct file *f, u32 cmd, u64 arg)
{
	const struct disk *disk = dev->disk;
	const struct disk_limits *l = &disk->limits;
	user_ptr p = user_ptr_of(arg);
	u64 sectors = READ_ONCE(dev->sectors);
	s32 read_only = READ_ONCE(dev->read_only);
	u64 readahead = (u64)disk->backing.readahead << (PAGE_SHIFT - SECTOR_SHIFT);
	u32 max_bytes = l->max_bytes ? l->max_bytes : UINT32_MAX;

	switch (cmd) {
	case BLKGETSIZE: return put_user(p, sectors);
	case BLKGETSIZE64: return put_user(p, sectors << SECTOR_SHIFT);
	case BLKSSZGET: return put_user(p, (s32)l->logical_size);
	case BLKPBSZGET: return put_user(p, l->physical_size);
	case BLKIOMIN: return put_user(p, l->io_min);
	case BLKIOOPT: return put_user(p, l->io_opt);
	case BLKALIGNOFF: return put_user(p, (s32)l->alignment_offset);
	case BLKBSZGET: return put_user(p, (s32)dev->block_size);
	case BLKBSZSET: return set_block_size(dev, p);
	case BLKROGET: return put_user(p, read_only);
	case BLKROSET: return set_read_only(dev, p);
	case BLKRAGET: return put_user(p, readahead);
	case BLKRASET: return set_readahead(dev, arg);
	case BLKSECTGET: return put_user(p, (u16)MIN(max_bytes >> SECTOR_SHIFT, (u32)UINT16_MAX));
	case BLKROTATIONAL: return put_user(p, (u16)l->rotational);
	case BLKDISCARDZEROES: return put_user(p, 0u);
	case BLKFLSBUF: return flush_buffers(dev);
	case BLKDISCARD:
	case BLKZEROOUT: return erase(dev, f, cmd, p);
	case BLKRRPART: return rescan(dev);
	case BLKPG: return partition_ioctl(dev, p);
	case HDIO_GETGEO: return get_geometry(dev, p);
	default: return disk->ops->ioctl ? disk->ops->ioctl(dev, f, cmd, arg) : -ENOTTY;
	}
}
