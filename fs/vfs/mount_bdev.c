/* SPDX-License-Identifier: MIT */
/*
 * Mounting file systems on block devices: one super block a device, however often it is mounted.
 *
 * The device is found by its node, as mount(2) names it, and held exclusively by the super block.
 * What the block room has to do for that is behind blkdev_mount_ops.
 *
 * Locking: mounting_lock around finding and making, so that two mounts of a device do not both make
 * one. Unmounting does not take it; super_find_dev waits for what is leaving.
 */
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

static struct mutex mounting_lock = MUTEX_INIT(mounting_lock, RANK_MOUNTING);

const struct blkdev_mount_ops *blkdev_mount_ops;

static int
device_of(const char *source, devnum_t *out)
{
	struct path p;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, source, WALK_FOLLOW, &p);
	if (err)
		return err;
	*out = p.dentry->inode->rdev;
	if (!S_ISBLK(p.dentry->inode->mode))
		err = -ENOTBLK;
	else if (p.mnt->flags & MS_NODEV)
		err = -EACCES;
	path_put(&p);
	return err;
}

static void
release_device(struct super *s)
{
	blkdev_mount_ops->release(s->bdev, s);
}

static int
make_super(const struct fs_type *type, devnum_t dev, u32 flags, const char *data,
	   int (*fill)(struct super *s, const char *data), struct super **out)
{
	struct super *s = super_create(type, NULL, type->magic);
	struct block_device *bdev;
	int err;

	if (!s)
		return -ENOMEM;
	err = blkdev_mount_ops->claim(dev, flags & MS_RDONLY, s, &bdev);
	if (err) {
		super_put(s);
		return err;
	}
	s->dev = dev;
	s->flags = flags;
	s->backing = blkdev_mount_ops->backing(bdev);
	s->release = release_device;
	s->bdev = bdev;
	blkdev_mount_ops->name(bdev, s->id, sizeof(s->id));
	err = fill(s, data);
	if (err) {
		s->ops = NULL; /* put is for what has been mounted */
		super_put(s);
		return err;
	}
	*out = s;
	return 0;
}

int
mount_bdev(const struct fs_type *type, const char *source, u32 flags, const char *data,
	   int (*fill)(struct super *s, const char *data), struct super **out)
{
	struct super *s;
	devnum_t dev;
	int err;

	if (!blkdev_mount_ops)
		return -ENXIO;
	err = device_of(source, &dev);
	if (err)
		return err;
	mutex_lock(&mounting_lock);
	s = super_find_dev(dev);
	if (!s) {
		err = make_super(type, dev, flags, data, fill, out);
	} else if (s->type != type || ((s->flags ^ flags) & MS_RDONLY)) {
		mutex_unlock(&mounting_lock);
		super_put(s);
		return -EBUSY;
	} else {
		*out = s;
	}
	mutex_unlock(&mounting_lock);
	return err;
}
