/* SPDX-License-Identifier: MIT */
/*
 * Disks and partitions in /sys: Linux's Documentation/ABI/stable/sysfs-block. The context is the
 * device's key (devices.c), by which the device is found at each reading.
 */
#include "block/block.h"
#include "block/loop.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sysfs_internal.h"
#include "uapi/errno.h"

static struct block_device *
device_find(void *ctx)
{
	return block_device_find_number(device_key_number(ctx));
}

/* A file with one number, an expression of `dev` (a device) and `l` (its disk's limits). */
#define NUMBER(name, expression)                               \
	static int show_##name(struct strbuf *sb, void *ctx)   \
	{                                                      \
		struct block_device *dev = device_find(ctx);   \
		const struct disk_limits *l;                   \
                                                               \
		if (!dev)                                      \
			return -ENODEV;                        \
		l = &dev->disk->limits;                        \
		(void)l;                                       \
		strbuf_printf(sb, "%lu\n", (u64)(expression)); \
		block_device_put(dev);                         \
		return 0;                                      \
	}

NUMBER(size, READ_ONCE(dev->sectors))
NUMBER(start, dev->start)
NUMBER(partition, dev->part_number)
NUMBER(read_only, READ_ONCE(dev->read_only))
NUMBER(removable, dev->disk->removable)
NUMBER(range, MAX(dev->disk->minors, 1u))
NUMBER(ext_range, dev->disk->no_partitions ? 1 : 256)
NUMBER(alignment_offset, l->alignment_offset)
NUMBER(zero, 0)
NUMBER(one, 1)
NUMBER(logical_size, l->logical_size)
NUMBER(physical_size, l->physical_size)
NUMBER(io_min, l->io_min)
NUMBER(io_opt, l->io_opt)
NUMBER(discard_granularity, l->discard_granularity)
NUMBER(discard_max, (u64)l->max_discard_sectors << SECTOR_SHIFT)
NUMBER(zeroes_max, (u64)l->max_zeroes_sectors << SECTOR_SHIFT)
NUMBER(max_kb, (l->max_bytes ? l->max_bytes : (u32)INT32_MAX) >> 10)
NUMBER(max_segments, l->max_segments)
NUMBER(max_segment_size, l->max_segment_size ? l->max_segment_size : UINT32_MAX)
NUMBER(depth, dev->disk->depth)
NUMBER(rotational, l->rotational)
NUMBER(fua, l->fua)
NUMBER(readahead, (u64)dev->disk->backing.readahead << (PAGE_SHIFT - 10))

static ssize_t
store_readahead(void *ctx, const char *text, size_t len)
{
	struct block_device *dev;
	u64 kb;
	int err = parse_u64(text, 10, &kb);

	if (err || kb > UINT32_MAX)
		return -EINVAL;
	dev = device_find(ctx);
	if (!dev)
		return -ENODEV;
	WRITE_ONCE(dev->disk->backing.readahead, (u32)(kb >> (PAGE_SHIFT - 10)));
	block_device_put(dev);
	return (ssize_t)len;
}

static int
show_write_cache(struct strbuf *sb, void *ctx)
{
	struct block_device *dev = device_find(ctx);

	if (!dev)
		return -ENODEV;
	strbuf_puts(sb, dev->disk->limits.write_cache ? "write back\n" : "write through\n");
	block_device_put(dev);
	return 0;
}

static int
show_scheduler(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "[none]\n");
	return 0;
}

static int
show_zoned(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "none\n");
	return 0;
}

static int
show_serial(struct strbuf *sb, void *ctx)
{
	struct block_device *dev = device_find(ctx);

	if (!dev)
		return -ENODEV;
	strbuf_printf(sb, "%s\n", dev->disk->serial);
	block_device_put(dev);
	return 0;
}

static int
show_stat(struct strbuf *sb, void *ctx)
{
	struct block_device *dev = device_find(ctx);

	if (!dev)
		return -ENODEV;
	block_device_show_stats(dev, sb, "");
	block_device_put(dev);
	return 0;
}

void
block_properties(struct strbuf *sb, const struct block_device *dev)
{
	strbuf_printf(sb, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n", DEV_MAJOR(dev->devnum),
		      DEV_MINOR(dev->devnum), dev->name, dev->part_number ? "partition" : "disk");
	if (dev->part_number)
		strbuf_printf(sb, "PARTN=%u\n", dev->part_number);
	if (dev->part_label[0])
		strbuf_printf(sb, "PARTNAME=%s\n", dev->part_label);
}

static int
show_uevent(struct strbuf *sb, void *ctx)
{
	struct block_device *dev = device_find(ctx);

	if (!dev)
		return -ENODEV;
	block_properties(sb, dev);
	block_device_put(dev);
	return 0;
}

static ssize_t
store_uevent(void *ctx, const char *text, size_t len)
{
	struct block_device *dev = device_find(ctx);
	int err;

	if (!dev)
		return -ENODEV;
	err = device_store_uevent(text, len, &dev->entry);
	block_device_put(dev);
	return err ? err : (ssize_t)len;
}

/* ---- loop: only while a file is behind it ---- */

#define LOOP_TEXT(name)                                           \
	static int show_loop_##name(struct strbuf *sb, void *ctx) \
	{                                                         \
		struct block_device *dev = device_find(ctx);      \
		int err;                                          \
                                                                  \
		if (!dev)                                         \
			return -ENODEV;                           \
		err = loop_show(dev, #name, sb);                  \
		block_device_put(dev);                            \
		return err;                                       \
	}

LOOP_TEXT(backing_file)
LOOP_TEXT(offset)
LOOP_TEXT(sizelimit)
LOOP_TEXT(autoclear)
LOOP_TEXT(partscan)
LOOP_TEXT(dio)

static const struct pseudo_entry loop_file_entries[] = {
	SYS_FILE("backing_file", 0444, show_loop_backing_file),
	SYS_FILE("offset", 0444, show_loop_offset),
	SYS_FILE("sizelimit", 0444, show_loop_sizelimit),
	SYS_FILE("autoclear", 0444, show_loop_autoclear),
	SYS_FILE("partscan", 0444, show_loop_partscan),
	SYS_FILE("dio", 0444, show_loop_dio),
	{ .name = NULL },
};

static const struct pseudo_entry loop_files = SYS_DIR("loop", loop_file_entries);

/* "loop" is there while the device has a file; losetup looks for it. */
static int
loop_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	struct block_device *dev;
	bool bound;

	if (len != 4 || memcmp(name, "loop", 4))
		return partition_lookup(ctx, name, len, out);
	dev = device_find(ctx);
	if (!dev)
		return -ENOENT;
	bound = loop_is_bound(dev);
	block_device_put(dev);
	if (!bound)
		return -ENOENT;
	out->entry = &loop_files;
	out->ctx = ctx;
	out->volatile_name = true;
	return 0;
}

static int
loop_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct block_device *dev = dc->pos == first ? device_find(ctx) : NULL;
	bool bound = dev && loop_is_bound(dev);

	if (dev)
		block_device_put(dev);
	if (bound && !dc->emit(dc, "loop", 4, (u64)(uintptr_t)ctx, 4, first + 1))
		return 0;
	dc->pos = MAX(dc->pos, first + 1);
	return partition_readdir(ctx, dc, first);
}

/* ---- the directories ---- */

static const struct pseudo_entry empty[] = { { .name = NULL } };

static const struct pseudo_entry queue_entries[] = {
	SYS_FILE("add_random", 0444, show_zero),
	SYS_FILE("dax", 0444, show_zero),
	SYS_FILE("discard_granularity", 0444, show_discard_granularity),
	SYS_FILE("discard_max_bytes", 0444, show_discard_max),
	SYS_FILE("discard_max_hw_bytes", 0444, show_discard_max),
	SYS_FILE("discard_zeroes_data", 0444, show_zero),
	SYS_FILE("fua", 0444, show_fua),
	SYS_FILE("hw_sector_size", 0444, show_logical_size),
	SYS_FILE("io_poll", 0444, show_zero),
	SYS_FILE("iostats", 0444, show_one),
	SYS_FILE("logical_block_size", 0444, show_logical_size),
	SYS_FILE("max_hw_sectors_kb", 0444, show_max_kb),
	SYS_FILE("max_sectors_kb", 0444, show_max_kb),
	SYS_FILE("max_segment_size", 0444, show_max_segment_size),
	SYS_FILE("max_segments", 0444, show_max_segments),
	SYS_FILE("minimum_io_size", 0444, show_io_min),
	SYS_FILE("nomerges", 0444, show_zero),
	SYS_FILE("nr_requests", 0444, show_depth),
	SYS_FILE("optimal_io_size", 0444, show_io_opt),
	SYS_FILE("physical_block_size", 0444, show_physical_size),
	{ .name = "read_ahead_kb",
	  .mode = S_IFREG | 0644,
	  .show = show_readahead,
	  .store = store_readahead },
	SYS_FILE("rotational", 0444, show_rotational),
	SYS_FILE("scheduler", 0444, show_scheduler),
	SYS_FILE("write_cache", 0444, show_write_cache),
	SYS_FILE("write_zeroes_max_bytes", 0444, show_zeroes_max),
	SYS_FILE("zoned", 0444, show_zoned),
	{ .name = NULL },
};

#define COMMON_ENTRIES                                                                             \
	SYS_FILE("alignment_offset", 0444, show_alignment_offset),                                 \
		SYS_FILE("dev", 0444, device_show_dev),                                            \
		SYS_FILE("discard_alignment", 0444, show_zero), SYS_DIR("holders", empty),         \
		SYS_FILE("ro", 0444, show_read_only), SYS_FILE("size", 0444, show_size),           \
		SYS_FILE("stat", 0444, show_stat), SYS_STORE("uevent", show_uevent, store_uevent), \
	{                                                                                          \
		.name = "subsystem", .mode = S_IFLNK | 0777, .link = device_subsystem_link         \
	}

static const struct pseudo_entry disk_entries[] = {
	COMMON_ENTRIES,
	SYS_FILE("capability", 0444, show_zero),
	SYS_FILE("ext_range", 0444, show_ext_range),
	SYS_FILE("hidden", 0444, show_zero),
	SYS_DIR("queue", queue_entries),
	SYS_FILE("range", 0444, show_range),
	SYS_FILE("removable", 0444, show_removable),
	SYS_FILE("serial", 0444, show_serial),
	SYS_DIR("slaves", empty),
	{ .name = NULL },
};

static const struct pseudo_entry partition_entries[] = {
	COMMON_ENTRIES,
	SYS_FILE("partition", 0444, show_partition),
	SYS_FILE("start", 0444, show_start),
	{ .name = NULL },
};

const struct pseudo_entry partition_dir = SYS_DIR("partition", partition_entries);

const struct pseudo_entry disk_dir = {
	.name = "disk",
	.mode = S_IFDIR | 0755,
	.children = disk_entries,
	.lookup_dynamic = partition_lookup,
	.readdir_dynamic = partition_readdir,
};

const struct pseudo_entry loop_dir = {
	.name = "loop",
	.mode = S_IFDIR | 0755,
	.children = disk_entries,
	.lookup_dynamic = loop_lookup,
	.readdir_dynamic = loop_readdir,
};
