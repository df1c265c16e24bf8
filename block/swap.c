/* SPDX-License-Identifier: MIT */
/*
 * swapon(2), swapoff(2): a partition or a file with the header that mkswap(8) writes becomes a swap
 * area (mm/swap.h), whose slots are transferred by bios, past the page cache.
 *
 * A device is opened exclusively. A file is looked up once, at swapon: where each of its pages lies
 * (mapping_ops.swap_map) must not change, so it can have no holes, and as long as it is in use
 * nobody may open it for writing (as for a running program: ETXTBSY) nor unlink it (EPERM).
 *
 * Discarding is done once, for the whole of a device, if asked for and the disk can.
 */
#include "mm/swap.h"
#include "block_internal.h"
#include "core/log.h"
#include "core/panic.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "task/cred.h"
#include "uapi/capability.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/stat.h"
#include "uapi/swap.h"

#define SECTORS_PER_PAGE (PAGE_SIZE >> SECTOR_SHIFT)

struct swap_header { /* behind 1024 bytes for a boot sector; "SWAPSPACE2" ends the page */
	u32 version, last_page, bad_count;
	u8 uuid[16], label[16];
	u32 padding[117];
	u32 bad[];
};
#define HEADER_OFFSET 1024
#define MAGIC	      "SWAPSPACE2"
#define MAGIC_OFFSET  (PAGE_SIZE - 10)
#define BAD_MAX	      637u

struct extent {
	u64 slot, slots, sector;
};

struct swap_file {
	struct file *file;
	struct block_device *dev;
	bool on_file; /* writers of the inode are denied */
	u32 extent_count, extent_max;
	struct extent *extents; /* [I] by slot */
	u32 *skipped;		/* while it is set up: slots that are in several places */
	u32 skipped_count, skipped_max;
	struct list node; /* files_lock */
};

static struct mutex files_lock = MUTEX_INIT(files_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(files);

/* ---- transfers ---- */

static void
transfer_done(struct bio *bio)
{
	for (u32 i = 0; i < bio->nr_vecs; i++) {
		const struct bio_vec *vec = &bio->vecs[i];

		for (u32 at = 0; at < vec->len; at += PAGE_SIZE)
			swap_io_done(vec->page + at / PAGE_SIZE, bio->op == BIO_WRITE, bio->status);
	}
	bio_put(bio);
}

static const struct extent *
extent_of(const struct swap_file *sf, u64 slot)
{
	u32 low = 0, high = sf->extent_count;

	while (high - low > 1) {
		u32 middle = (low + high) / 2;

		if (sf->extents[middle].slot <= slot)
			low = middle;
		else
			high = middle;
	}
	return &sf->extents[low];
}

static void
transfer(void *private, u64 slot, struct page **pages, u32 n, bool write)
{
	struct swap_file *sf = private;
	struct block_plug plug;

	block_plug_start(&plug);
	while (n) {
		const struct extent *e = extent_of(sf, slot);
		u32 run = (u32)MIN(MIN((u64)n, e->slot + e->slots - slot), (u64)BIO_MAX_VECS);
		struct bio *bio = bio_alloc(sf->dev, write ? BIO_WRITE : BIO_READ,
					    e->sector + (slot - e->slot) * SECTORS_PER_PAGE, run,
					    GFP_KERNEL);

		bio->done = transfer_done;
		if (!write)
			bio->flags |= BIO_SYNC;
		for (u32 i = 0; i < run; i++) {
			if (!bio_add_page(bio, pages[i], 0, PAGE_SIZE))
				panic("swap: a bio has less room than it was made with");
		}
		bio_submit(bio);
		slot += run;
		pages += run;
		n -= run;
	}
	block_plug_finish(&plug);
}

static const struct swap_ops swap_file_ops = { .transfer = transfer };

/* ---- where the slots are ---- */

/* Room for one more of `size` bytes in an array that has count of *max. */
static int
array_grow(void **array, u32 count, u32 *max, size_t size)
{
	u32 more = *max ? 2 * *max : 16;
	void *new;

	if (count < *max)
		return 0;
	new = kvmalloc(more * size, GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	if (count)
		memcpy(new, *array, count * size);
	kvfree(*array);
	*array = new;
	*max = more;
	return 0;
}

static int
extent_add(struct swap_file *sf, u64 slot, u64 slots, u64 sector)
{
	struct extent *last = sf->extent_count ? &sf->extents[sf->extent_count - 1] : NULL;
	int err;

	if (last && last->slot + last->slots == slot &&
	    last->sector + last->slots * SECTORS_PER_PAGE == sector) {
		last->slots += slots;
		return 0;
	}
	err = array_grow((void **)&sf->extents, sf->extent_count, &sf->extent_max,
			 sizeof(*sf->extents));
	if (!err)
		sf->extents[sf->extent_count++] = (struct extent){ slot, slots, sector };
	return err;
}

static int
slot_skip(struct swap_file *sf, u64 slot)
{
	int err = array_grow((void **)&sf->skipped, sf->skipped_count, &sf->skipped_max,
			     sizeof(*sf->skipped));

	if (!err)
		sf->skipped[sf->skipped_count++] = (u32)slot;
	return err;
}

static int
map_slots(struct swap_file *sf, u64 slots)
{
	struct mapping *m = sf->file->mapping;
	u64 slot = 0, sector, count;
	int err = 0;

	if (!sf->on_file)
		return extent_add(sf, 0, slots, 0);
	for (; slot < slots && !err; slot += count) {
		err = m->ops->swap_map(m, slot, &sector, &count);
		if (!err)
			err = sector ? extent_add(sf, slot, count, sector) : slot_skip(sf, slot);
	}
	return err ? err : sf->extent_count ? 0 : -EINVAL;
}

/* ---- on ---- */

/* What has the place to itself: a device, or the file's inode without writers. */
static int
claim(struct swap_file *sf)
{
	struct inode *i = sf->file->inode;
	int writers;

	if (S_ISBLK(i->mode))
		return block_device_open_number(i->rdev, BLOCK_READ | BLOCK_WRITE, sf, &sf->dev);
	if (!S_ISREG(i->mode) || !i->super->bdev || !i->mapping.ops->swap_map)
		return -EINVAL;
	writers = atomic_read(&i->writers);
	do {
		if (writers > 0)
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&i->writers, &writers, writers - 1));
	sf->on_file = true;
	sf->dev = i->super->bdev;
	i->flags |= INODE_SWAPFILE;
	return 0;
}

static void
swap_file_destroy(struct swap_file *sf)
{
	if (sf->on_file) {
		struct inode *i = sf->file->inode;

		i->flags &= ~(u32)INODE_SWAPFILE;
		atomic_inc(&i->writers);
	} else if (sf->dev) {
		block_device_close(sf->dev, BLOCK_READ | BLOCK_WRITE, sf);
	}
	if (sf->file)
		file_put(sf->file);
	kvfree(sf->extents);
	kvfree(sf->skipped);
	kfree(sf);
}

/* The header's page says how many slots there are and which are bad. */
static int
header_check(const struct swap_file *sf, const char *page, struct swap_config *config)
{
	const struct swap_header *h = (const void *)(page + HEADER_OFFSET);
	u64 pages = (sf->on_file ? READ_ONCE(sf->file->inode->size)
				 : block_device_bytes(sf->dev)) >>
		    PAGE_SHIFT;

	if (memcmp(page + MAGIC_OFFSET, MAGIC, sizeof(MAGIC) - 1)) {
		log_err("swapon: unable to find the swap header\n");
		return -EINVAL;
	}
	if (h->version != 1 || !h->last_page)
		return -EINVAL;
	if (h->last_page >= pages) {
		log_warn("swapon: the area is shorter than its header says\n");
		return -EINVAL;
	}
	if (h->bad_count > BAD_MAX || (h->bad_count && sf->on_file) || h->bad_count >= h->last_page)
		return -EINVAL;
	for (u32 i = 0; i < h->bad_count; i++) {
		if (!h->bad[i] || h->bad[i] > h->last_page)
			return -EINVAL;
	}
	config->slots = (u64)h->last_page + 1;
	config->bad = h->bad;
	config->bad_count = h->bad_count;
	return 0;
}

static bool
in_use(const struct inode *i)
{
	struct swap_file *sf;
	bool found = false;

	mutex_lock(&files_lock);
	list_for_each_entry(sf, &files, node) found |= sf->file->inode == i;
	mutex_unlock(&files_lock);
	return found;
}

static int
swap_file_start(struct swap_file *sf, int flags)
{
	struct swap_config config = { .ops = &swap_file_ops, .private = sf, .priority = -1 };
	struct mapping *m = sf->file->mapping;
	struct page *page;
	char *text;
	int err;

	if (in_use(sf->file->inode))
		return -EBUSY;
	err = claim(sf);
	if (err)
		return err;
	/* Blocks that are only promised get their places. */
	err = mapping_writeback(m, 0, INT64_MAX, true);
	if (!err)
		err = mapping_read(m, 0, &page);
	if (err)
		return err;
	text = kmalloc(PATH_MAX, GFP_KERNEL);
	err = text ? header_check(sf, page_to_virt(page), &config) : -ENOMEM;
	if (!err)
		err = map_slots(sf, config.slots);
	if (err)
		goto out;
	config.name = path_text(&sf->file->path, NULL, text, PATH_MAX);
	config.file = sf->on_file;
	if (sf->on_file) {
		config.bad = sf->skipped;
		config.bad_count = sf->skipped_count;
	}
	if (flags & SWAP_FLAG_PREFER)
		config.priority = flags & SWAP_FLAG_PRIO_MASK;
	if ((flags & SWAP_FLAG_DISCARD) && !sf->on_file && config.slots > 1)
		(void)block_discard(sf->dev, SECTORS_PER_PAGE,
				    (config.slots - 1) * SECTORS_PER_PAGE);
	mutex_lock(&files_lock);
	list_add_tail(&sf->node, &files);
	mutex_unlock(&files_lock);
	err = swap_add(&config);
	if (err) {
		mutex_lock(&files_lock);
		list_del(&sf->node);
		mutex_unlock(&files_lock);
	} else {
		log_info("Adding %luk swap on %s.  Priority:%d extents:%u\n",
			 (config.slots - 1 - config.bad_count) * (PAGE_SIZE / 1024), config.name,
			 config.priority, sf->extent_count);
	}
out:
	kfree(text);
	page_put(page);
	return err;
}

long
sys_swapon(user_ptr upath, int flags)
{
	struct swap_file *sf;
	char *path;
	int err;

	if (flags & ~SWAP_FLAGS_VALID)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = strdup_user(upath, PATH_MAX, &path);
	if (err)
		return err;
	sf = kzalloc(sizeof(*sf), GFP_KERNEL);
	err = sf ? file_open(AT_FDCWD, path, O_RDONLY | O_LARGEFILE, 0, &sf->file) : -ENOMEM;
	kfree(path);
	if (!err) {
		err = S_ISDIR(sf->file->inode->mode) ? -EISDIR : swap_file_start(sf, flags);
		if (!err)
			return 0;
		swap_file_destroy(sf);
	} else {
		kfree(sf);
	}
	return err;
}

/* ---- off ---- */

long
sys_swapoff(user_ptr upath)
{
	struct swap_file *sf, *found = NULL;
	struct file *f;
	char *path;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = strdup_user(upath, PATH_MAX, &path);
	if (err)
		return err;
	err = file_open(AT_FDCWD, path, O_RDONLY | O_LARGEFILE, 0, &f);
	kfree(path);
	if (err)
		return err;
	/* Two who take the same one off: swap_remove lets one of them. */
	mutex_lock(&files_lock);
	list_for_each_entry(sf, &files, node)
	{
		const struct inode *i = sf->file->inode;

		if (i == f->inode ||
		    (S_ISBLK(i->mode) && S_ISBLK(f->inode->mode) && i->rdev == f->inode->rdev))
			found = sf;
	}
	mutex_unlock(&files_lock);
	file_put(f);
	if (!found)
		return -EINVAL;
	err = swap_remove(found);
	if (err)
		return err;
	mutex_lock(&files_lock);
	list_del(&found->node);
	mutex_unlock(&files_lock);
	swap_file_destroy(found);
	return 0;
}
