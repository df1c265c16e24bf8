/* SPDX-License-Identifier: MIT */
/*
 * struct disk: what a driver registers, and the partitions on it.
 *
 * Partitions are found when the disk is registered, by BLKRRPART, or made one by one (BLKPG). Their
 * numbers follow the disk's own as far as it has minors for them, then come from the extended major
 * number, as Linux gives them.
 *
 * Locking: disk->open_lock is held while the table changes, so that nobody opens a partition that
 * is on its way out.
 */
#include "block/loop.h"
#include "block_internal.h"
#include "core/log.h"
#include "fs/vfs/inode.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define EXTENDED_MAJOR 259

static struct atomic32 next_extended = ATOMIC_INIT(0);

void
block_init(void)
{
	bio_init_pools();
	devices_init();
	blkdev_file_ops = &block_file_ops;
	loop_init();
}

struct disk *
disk_create(u32 nr_queues, u32 depth, u32 payload)
{
	struct disk *disk = kzalloc(sizeof(*disk), GFP_KERNEL);

	if (!disk)
		return NULL;
	ref_init(&disk->ref);
	mutex_init(&disk->open_lock, RANK_DISK);
	list_init(&disk->parts);
	disk->limits = (struct disk_limits){
		.logical_size = SECTOR_SIZE,
		.physical_size = SECTOR_SIZE,
		.io_min = SECTOR_SIZE,
		.max_segments = 128,
	};
	if (queues_create(disk, nr_queues, depth, payload))
		goto out_free;
	if (flush_create(disk))
		goto out_queues;
	return disk;
out_queues:
	queues_destroy(disk);
out_free:
	kfree(disk);
	return NULL;
}

void
disk_get(struct disk *disk)
{
	ref_get(&disk->ref);
}

void
disk_put(struct disk *disk)
{
	if (!ref_put(&disk->ref))
		return;
	if (disk->device)
		device_destroy(disk->device);
	if (disk->super)
		super_put(disk->super);
	if (disk->ops->release)
		disk->ops->release(disk);
	flush_destroy(disk);
	queues_destroy(disk);
	kfree(disk);
}

void
disk_name(char *buf, size_t size, const char *prefix, u32 index)
{
	char letters[8];
	u32 n = sizeof(letters);

	letters[--n] = '\0';
	do {
		letters[--n] = (char)('a' + index % 26);
		index = index / 26;
	} while (index-- && n);
	snprintf(buf, size, "%s%s", prefix, letters + n);
}

/* ---- partitions: open_lock held ---- */

static struct block_device *
partition_peek(struct disk *disk, u32 number)
{
	struct block_device *dev;

	list_for_each_entry(dev, &disk->parts, sibling)
	{
		if (dev->part_number == number)
			return dev;
	}
	return NULL;
}

static bool
overlaps(struct disk *disk, u64 start, u64 sectors, u32 except)
{
	struct block_device *dev;

	list_for_each_entry(dev, &disk->parts, sibling)
	{
		if (dev->part_number != except && start < dev->start + dev->sectors &&
		    dev->start < start + sectors)
			return true;
	}
	return false;
}

int
partition_add(struct disk *disk, const struct partition *p)
{
	struct block_device *dev;
	size_t len = strlen(disk->name);
	int err;

	dev = device_create(disk, p->number, p->start, p->sectors);
	if (!dev)
		return -ENOMEM;
	/* "vda1", but "loop0p1". */
	snprintf(dev->name, sizeof(dev->name), "%s%s%u", disk->name,
		 disk->name[len - 1] >= '0' && disk->name[len - 1] <= '9' ? "p" : "", p->number);
	dev->devnum = p->number < disk->minors
			      ? DEV_MAKE(disk->major, disk->first_minor + p->number)
			      : DEV_MAKE(EXTENDED_MAJOR, (u32)atomic_fetch_add(&next_extended, 1));
	strscpy(dev->part_uuid, p->uuid, sizeof(dev->part_uuid));
	strscpy(dev->part_label, p->label, sizeof(dev->part_label));
	err = device_publish(dev);
	if (err) {
		block_device_put(dev);
		return err;
	}
	list_add_tail(&dev->sibling, &disk->parts);
	return 0;
}

static void
partition_remove(struct block_device *dev)
{
	list_del(&dev->sibling);
	device_withdraw(dev);
	block_device_put(dev);
}

int
partition_delete(struct disk *disk, u32 number)
{
	struct block_device *dev = partition_peek(disk, number);

	if (!dev)
		return -ENXIO;
	if (dev->opens)
		return -EBUSY;
	partition_remove(dev);
	return 0;
}

int
partition_resize(struct disk *disk, u32 number, u64 sectors)
{
	struct block_device *dev = partition_peek(disk, number);

	if (!dev)
		return -ENXIO;
	if (overlaps(disk, dev->start, sectors, number))
		return -EBUSY;
	WRITE_ONCE(dev->sectors, sectors);
	WRITE_ONCE(dev->inode->size, sectors << SECTOR_SHIFT);
	return 0;
}

bool
partition_overlaps(struct disk *disk, u64 start, u64 sectors)
{
	return overlaps(disk, start, sectors, 0);
}

static void
partitions_drop(struct disk *disk)
{
	struct block_device *dev, *next;

	list_for_each_entry_safe(dev, next, &disk->parts, sibling) partition_remove(dev);
}

int
disk_rescan_locked(struct disk *disk)
{
	struct partition *found;
	struct block_device *dev;
	int n;

	if (!disk->live)
		return -ENXIO;
	list_for_each_entry(dev, &disk->parts, sibling)
	{
		if (dev->opens)
			return -EBUSY;
	}
	(void)block_device_sync(disk->device);
	if (!disk->device->opens)
		mapping_truncate(disk->device->mapping, 0);
	partitions_drop(disk);
	if (disk->no_partitions)
		return 0;
	found = kvmalloc(PARTITIONS_MAX * sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	n = partitions_read(disk->device, found, PARTITIONS_MAX);
	for (int i = 0; i < n; i++) {
		int err = partition_add(disk, &found[i]);

		if (err)
			log_warn("%s: partition %u: error %d\n", disk->name, found[i].number, -err);
	}
	kvfree(found);
	/* Nobody may want the disk's pages again. */
	if (!disk->device->opens)
		mapping_truncate(disk->device->mapping, 0);
	return n < 0 ? n : 0;
}

int
disk_rescan(struct disk *disk)
{
	int err;

	mutex_lock(&disk->open_lock);
	err = disk_rescan_locked(disk);
	mutex_unlock(&disk->open_lock);
	return err;
}

/* ---- registration ---- */

static bool
limits_valid(const struct disk_limits *l)
{
	return l->logical_size >= SECTOR_SIZE && l->logical_size <= PAGE_SIZE &&
	       !(l->logical_size & (l->logical_size - 1)) &&
	       l->max_segments * SECTOR_SIZE >= l->logical_size &&
	       (!l->max_bytes || l->max_bytes >= l->logical_size);
}

int
disk_register(struct disk *disk)
{
	struct block_device *dev;
	int err;

	if (!limits_valid(&disk->limits))
		return -EINVAL;
	if (disk->limits.physical_size < disk->limits.logical_size)
		disk->limits.physical_size = disk->limits.logical_size;
	if (disk->limits.io_min < disk->limits.physical_size)
		disk->limits.io_min = disk->limits.physical_size;
	if (!disk->major) {
		disk->major = EXTENDED_MAJOR;
		disk->first_minor = (u32)atomic_fetch_add(&next_extended, 1);
		disk->minors = 1;
	}
	snprintf(disk->backing_name, sizeof(disk->backing_name), "%u:%u", disk->major,
		 disk->first_minor);
	err = backing_init(&disk->backing, disk->backing_name);
	if (err)
		return err;
	err = device_super_create(disk);
	dev = err ? NULL : device_create(disk, 0, 0, disk->sectors);
	if (!dev) {
		backing_fini(&disk->backing);
		return -ENOMEM;
	}
	disk->device = dev;
	strscpy(dev->name, disk->name, sizeof(dev->name));
	dev->devnum = DEV_MAKE(disk->major, disk->first_minor);
	mutex_lock(&disk->open_lock);
	err = device_publish(dev);
	if (!err) {
		disk->live = true;
		(void)disk_rescan_locked(disk);
	}
	mutex_unlock(&disk->open_lock);
	return err;
}

void
disk_unregister(struct disk *disk)
{
	mutex_lock(&disk->open_lock);
	disk->live = false;
	partitions_drop(disk);
	device_withdraw(disk->device);
	mutex_unlock(&disk->open_lock);
	disk_kill(disk);
	backing_fini(&disk->backing);
}

void
disk_set_capacity(struct disk *disk, u64 sectors)
{
	struct block_device *dev = disk->device;

	WRITE_ONCE(disk->sectors, sectors);
	if (!dev)
		return;
	WRITE_ONCE(dev->sectors, sectors);
	WRITE_ONCE(dev->inode->size, sectors << SECTOR_SHIFT);
}
