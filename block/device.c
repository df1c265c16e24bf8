/* SPDX-License-Identifier: MIT */
/*
 * struct block_device: whole disks and partitions, by number and by name; who has them open.
 *
 * Its bytes as pages are those of an inode in a file system that nobody sees (bdev, one a disk).
 * They are read and written by whatever opens the node, and dropped when the last opener goes. A
 * mounted file system keeps its own cache of its blocks (buffer.h) and its files' pages.
 *
 * Objects: the registry holds a reference while a device is published; so does each opener. The
 * disk is held by its partitions; the whole disk's device is part of the disk.
 *
 * Locking: registry_lock guards the list and the numbers. disk->open_lock guards opens, holders and
 * sizes; it is taken before registry_lock.
 */
#include "block/buffer.h"
#include "block_internal.h"
#include "core/log.h"
#include "core/panic.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/xarray.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/magic.h"
#include "uapi/mount.h"
#include "uapi/stat.h"

static struct mutex registry_lock = MUTEX_INIT(registry_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(devices);
static struct xarray by_number = XARRAY_INIT;

static const struct inode_ops bdev_inode_ops;
static const struct mapping_ops bdev_mapping_ops;

/* ---- pages ---- */

static void
page_read(struct bio *bio)
{
	struct page *page = bio->private;

	mapping_read_done(page, bio->status);
	bio_put(bio);
}

/* The page's bytes that the device has; the rest of the last one reads as zero. */
static u32
page_bytes(const struct block_device *dev, const struct page *page)
{
	u64 at = page->index << PAGE_SHIFT, size = block_device_bytes(dev);

	return at < size ? (u32)MIN(size - at, (u64)PAGE_SIZE) : 0;
}

static struct block_device *
device_of(const struct mapping *m)
{
	const struct inode *i = m->host;

	return i->private;
}

static void
submit_read(struct block_device *dev, struct page *page, u32 bytes)
{
	struct bio *bio = bio_alloc(dev, BIO_READ, page->index << (PAGE_SHIFT - SECTOR_SHIFT), 1,
				    GFP_KERNEL);

	(void)!bio_add_page(bio, page, 0, bytes);
	bio->done = page_read;
	bio->private = page;
	bio_submit(bio);
}

static int
bdev_read_page(struct mapping *m, struct page *page)
{
	struct block_device *dev = device_of(m);
	u32 bytes = page_bytes(dev, page);

	if (bytes < PAGE_SIZE)
		memset((char *)page_to_virt(page) + bytes, 0, PAGE_SIZE - bytes);
	if (bytes)
		submit_read(dev, page, bytes);
	else
		mapping_read_done(page, 0);
	return 0;
}

/* One request for many pages: the bio's pieces are they, in order. */
static void
pages_read(struct bio *bio)
{
	for (u32 i = 0; i < bio->nr_vecs; i++) {
		struct bio_vec *v = &bio->vecs[i];
		u64 pages = v->len >> PAGE_SHIFT;

		for (u64 n = 0; n < pages; n++)
			mapping_read_done(v->page + n, bio->status);
	}
	bio_put(bio);
}

static void
bdev_read_pages(struct mapping *m, struct page **pages, u32 n)
{
	struct block_device *dev = device_of(m);
	struct bio *bio = NULL;
	struct block_plug plug;

	block_plug_start(&plug);
	for (u32 i = 0; i < n; i++) {
		u64 sector = pages[i]->index << (PAGE_SHIFT - SECTOR_SHIFT);

		if (page_bytes(dev, pages[i]) < PAGE_SIZE) {
			(void)bdev_read_page(m, pages[i]);
			continue;
		}
		if (bio &&
		    (bio_end_sector(bio) != sector || !bio_add_page(bio, pages[i], 0, PAGE_SIZE))) {
			bio_submit(bio);
			bio = NULL;
		} else if (bio) {
			continue;
		}
		bio = bio_alloc(dev, BIO_READ, sector, MIN(n - i, (u32)BIO_MAX_VECS), GFP_KERNEL);
		(void)!bio_add_page(bio, pages[i], 0, PAGE_SIZE);
		bio->done = pages_read;
	}
	if (bio)
		bio_submit(bio);
	block_plug_finish(&plug);
}

static void
page_written(struct bio *bio)
{
	struct page *page = bio->vecs[0].page;

	mapping_write_done(bio->private, page, bio->status);
	bio_put(bio);
}

static int
bdev_write_page(struct mapping *m, struct page *page)
{
	struct block_device *dev = device_of(m);
	u32 bytes = page_bytes(dev, page);
	struct bio *bio;

	page_unlock(page);
	if (!bytes) { /* the device shrank */
		mapping_write_done(m, page, -EIO);
		return 0;
	}
	bio = bio_alloc(dev, BIO_WRITE, page->index << (PAGE_SHIFT - SECTOR_SHIFT), 1, GFP_NOFS);
	(void)!bio_add_page(bio, page, 0, bytes);
	bio->done = page_written;
	bio->private = m;
	bio_submit(bio);
	return 0;
}

static int
bdev_page_mkwrite(struct mapping *m, struct page *page)
{
	return READ_ONCE(device_of(m)->read_only) ? -EROFS : 0;
}

int
block_device_sync(struct block_device *dev)
{
	struct block_plug plug;
	int err, buffers_err, flush_err;

	block_plug_start(&plug);
	err = mapping_writeback(dev->mapping, 0, UINT64_MAX, true);
	block_plug_finish(&plug);
	buffers_err = buffers_sync_device(dev);
	flush_err = block_flush(dev);
	return err ? err : buffers_err ? buffers_err : flush_err;
}

/* ---- the registry ---- */

/* The whole disk's device lives as long as the disk: they are counted together. */
void
block_device_get(struct block_device *dev)
{
	if (dev == dev->whole)
		disk_get(dev->disk);
	else
		ref_get(&dev->ref);
}

void
device_destroy(struct block_device *dev)
{
	if (dev->inode)
		inode_put(dev->inode);
	kfree(dev->stats);
	kfree(dev);
}

void
block_device_put(struct block_device *dev)
{
	struct disk *disk = dev->disk;

	if (dev == dev->whole) {
		disk_put(disk);
	} else if (ref_put(&dev->ref)) {
		device_destroy(dev);
		disk_put(disk);
	}
}

struct block_device *
device_create(struct disk *disk, u32 part_number, u64 start, u64 sectors)
{
	struct block_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	ref_init(&dev->ref);
	dev->disk = disk;
	dev->whole = part_number ? disk->device : dev;
	dev->part_number = part_number;
	dev->start = start;
	dev->sectors = sectors;
	dev->read_only = disk->read_only;
	dev->block_size = PAGE_SIZE;
	list_init(&dev->node);
	dev->stats = stats_create(disk);
	dev->inode = inode_create(disk->super, &bdev_inode_ops, NULL, S_IFBLK | 0600,
				  inode_next_number(disk->super));
	if (!dev->stats || !dev->inode) {
		device_destroy(dev);
		return NULL;
	}
	if (part_number)
		disk_get(disk);
	dev->inode->private = dev;
	dev->inode->size = sectors << SECTOR_SHIFT;
	dev->inode->mapping.ops = &bdev_mapping_ops;
	dev->inode->mapping.backing = &disk->backing;
	dev->mapping = &dev->inode->mapping;
	return dev;
}

/* Makes it known by number and name. The registry's reference is a new one. */
int
device_publish(struct block_device *dev)
{
	int err;

	dev->inode->rdev = dev->devnum;
	dev->entry = (struct device){
		.name = dev->name,
		.class_name = "block",
		.dev = dev->devnum,
		.mode = S_IFBLK | 0660,
		.private = dev,
	};
	mutex_lock(&registry_lock);
	err = xa_insert(&by_number, dev->devnum, dev);
	if (!err) {
		block_device_get(dev);
		list_add_tail(&dev->node, &devices);
	}
	mutex_unlock(&registry_lock);
	if (!err)
		err = device_add(&dev->entry);
	return err;
}

void
device_withdraw(struct block_device *dev)
{
	WRITE_ONCE(dev->gone, true);
	device_remove(&dev->entry);
	mutex_lock(&registry_lock);
	xa_erase(&by_number, dev->devnum);
	list_del_init(&dev->node);
	mutex_unlock(&registry_lock);
	mapping_truncate(dev->mapping, 0);
	block_device_put(dev);
}

struct block_device *
block_device_find_number(devnum_t number)
{
	struct block_device *dev;

	mutex_lock(&registry_lock);
	dev = xa_load(&by_number, number);
	if (dev)
		block_device_get(dev);
	mutex_unlock(&registry_lock);
	return dev;
}

void
block_device_for_each(bool (*fn)(void *ctx, struct block_device *dev), void *ctx)
{
	struct block_device *dev, *done = NULL;
	bool more = true;

	mutex_lock(&registry_lock);
	dev = list_empty(&devices) ? NULL : list_first_entry(&devices, struct block_device, node);
	while (dev && more) {
		block_device_get(dev);
		mutex_unlock(&registry_lock);
		if (done)
			block_device_put(done);
		more = fn(ctx, dev);
		done = dev;
		mutex_lock(&registry_lock);
		/* Withdrawn meanwhile: its place in the list is lost, and so is the rest. */
		if (list_empty(&dev->node) || dev->node.next == &devices)
			dev = NULL;
		else
			dev = list_entry(dev->node.next, struct block_device, node);
	}
	mutex_unlock(&registry_lock);
	if (done)
		block_device_put(done);
}

/* ---- opening ---- */

/* disk->open_lock held. May `holder` have dev for itself? */
static bool
may_claim(const struct block_device *dev, const void *holder)
{
	if (dev->holder)
		return dev->holder == holder;
	if (dev == dev->whole)
		return !dev->part_claims;
	return !dev->whole->holder;
}

int
block_device_open(struct block_device *dev, u32 mode, void *holder)
{
	struct disk *disk = dev->disk;
	int err = 0;

	mutex_lock(&disk->open_lock);
	if (dev->gone || !disk->live) {
		err = -ENXIO;
		goto out_unlock;
	}
	if (holder && !may_claim(dev, holder)) {
		err = -EBUSY;
		goto out_unlock;
	}
	if (disk->ops->open && !disk->open_count)
		err = disk->ops->open(disk, mode);
	if (err)
		goto out_unlock;
	disk->open_count++;
	dev->opens++;
	if (holder) {
		dev->holder = holder;
		if (!dev->holders++ && dev != dev->whole)
			dev->whole->part_claims++;
	}
	block_device_get(dev);
out_unlock:
	mutex_unlock(&disk->open_lock);
	return err;
}

void
block_device_close(struct block_device *dev, u32 mode, void *holder)
{
	struct disk *disk = dev->disk;
	bool last;

	mutex_lock(&disk->open_lock);
	if (holder && !--dev->holders) {
		dev->holder = NULL;
		if (dev != dev->whole)
			dev->whole->part_claims--;
	}
	if (!--dev->opens) {
		if (!dev->gone)
			(void)block_device_sync(dev);
		mapping_truncate(dev->mapping, 0);
	}
	last = !--disk->open_count;
	if (last && disk->ops->close)
		disk->ops->close(disk);
	mutex_unlock(&disk->open_lock);
	block_device_put(dev);
}

int
block_device_open_number(devnum_t number, u32 mode, void *holder, struct block_device **out)
{
	struct block_device *dev = block_device_find_number(number);
	int err;

	if (!dev)
		return -ENXIO;
	err = block_device_open(dev, mode, holder);
	block_device_put(dev);
	*out = dev;
	return err;
}

u32
block_device_logical_size(const struct block_device *dev)
{
	return dev->disk->limits.logical_size;
}

/* ---- by what root= says ---- */

struct search {
	const char *key, *value;
	struct block_device *hit;
};

static bool
matches(void *ctx, struct block_device *dev)
{
	struct search *s = ctx;
	struct block_ident ident;
	const char *have = "";

	if (!strcmp(s->key, "NAME"))
		have = dev->name;
	else if (!strcmp(s->key, "PARTUUID"))
		have = dev->part_uuid;
	else if (!strcmp(s->key, "PARTLABEL"))
		have = dev->part_label;
	else if (READ_ONCE(dev->sectors) && block_identify(dev, &ident) == 0)
		have = !strcmp(s->key, "UUID") ? ident.uuid : ident.label;
	if (!*have ||
	    (!strcmp(s->key, "NAME") || strstr(s->key, "LABEL") ? strcmp(have, s->value)
								: strcasecmp(have, s->value)))
		return true;
	block_device_get(dev);
	s->hit = dev;
	return false;
}

static struct block_device *
find_numbers(const char *spec)
{
	const char *end;
	u64 major, minor;

	if (str_to_u64(spec, &end, 10, &major) == 0 && *end == ':' &&
	    str_to_u64(end + 1, &end, 10, &minor) == 0 && !*end)
		return block_device_find_number(DEV_MAKE((u32)major, (u32)minor));
	if (str_to_u64(spec, &end, 16, &major) == 0 && !*end)
		return block_device_find_number(dev_from_user(major));
	return NULL;
}

int
block_device_find(const char *spec, struct block_device **out)
{
	static const char *const keys[] = { "PARTUUID", "PARTLABEL", "UUID", "LABEL" };
	struct search s = { .key = "NAME", .value = spec };

	if (str_starts_with(spec, "/dev/"))
		s.value = spec + 5;
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i]);

		if (!strncmp(spec, keys[i], len) && spec[len] == '=') {
			s.key = keys[i];
			s.value = spec + len + 1;
			break;
		}
	}
	block_device_for_each(matches, &s);
	if (!s.hit && s.value == spec)
		s.hit = find_numbers(spec);
	*out = s.hit;
	return s.hit ? 0 : -ENODEV;
}

/* ---- for mounts: fs/vfs/device.h ---- */

static int
claim(devnum_t number, bool read_only, void *holder, struct block_device **out)
{
	u32 mode = BLOCK_READ | (read_only ? 0 : BLOCK_WRITE);
	struct block_device *dev;
	int err = block_device_open_number(number, mode, holder, &dev);

	if (err)
		return err;
	if (!read_only && READ_ONCE(dev->read_only)) {
		block_device_close(dev, mode, holder);
		return -EACCES;
	}
	/* What was written through the node is on the disk when the file system looks. */
	err = block_device_sync(dev);
	if (err) {
		block_device_close(dev, mode, holder);
		return err;
	}
	*out = dev;
	return 0;
}

static void
release(struct block_device *b, void *holder)
{
	block_device_close(b, BLOCK_READ, holder);
}

static struct backing *
backing(struct block_device *b)
{
	return &(b)->disk->backing;
}

static void
name(struct block_device *b, char *buf, size_t size)
{
	strscpy(buf, b->name, size);
}

static int
no_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	 struct super **out)
{
	return -EINVAL;
}

static const struct fs_type bdev_fs_type = {
	.name = "bdev",
	.magic = BDEVFS_MAGIC,
	.mount = no_mount,
};

static const struct mapping_ops bdev_mapping_ops = {
	.read_page = bdev_read_page,
	.read_pages = bdev_read_pages,
	.write_page = bdev_write_page,
	.page_mkwrite = bdev_page_mkwrite,
	.direct_io = block_direct_io,
};

static const struct blkdev_mount_ops mount_ops = {
	.claim = claim,
	.release = release,
	.backing = backing,
	.name = name,
};

void
devices_init(void)
{
	blkdev_mount_ops = &mount_ops;
}

/* The super block of a disk's devices: what is written back of their pages goes by it. */
int
device_super_create(struct disk *disk)
{
	struct super *s = super_create(&bdev_fs_type, NULL, BDEVFS_MAGIC);

	if (!s)
		return -ENOMEM;
	s->backing = &disk->backing;
	disk->super = s;
	return 0;
}
