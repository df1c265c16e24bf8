/* SPDX-License-Identifier: MIT */
/*
 * root=: the file system that init starts from, when the initramfs has no program for it.
 *
 * The device gets a node in the rootfs, is mounted there as /root with the first type that knows
 * it, and moved onto "/". What needs no device (9p, tmpfs) is mounted by the text of root=, if
 * rootfstype= names it. As on Linux the node is /dev/root, which is what /proc/mounts then shows,
 * and devtmpfs appears on the new root's /dev, if it has one.
 */
#include "root.h"
#include "block/block.h"
#include "boot/options.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "fs/vfs/device.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sched/wait.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/mount.h"

#define NODE	"/dev/root"
#define PLACE	"/root"
#define POLL_NS (50 * NSEC_PER_MSEC)

static bool
list_device(void *ctx, struct block_device *dev)
{
	log_notice("%02x%02x %12lu %s%s%s\n", DEV_MAJOR(dev->devnum), DEV_MINOR(dev->devnum),
		   block_device_bytes(dev) / 1024, dev->name, dev->part_uuid[0] ? " " : "",
		   dev->part_uuid);
	*(u32 *)ctx += 1;
	return true;
}

/* A wrong root= is the user's to correct: say what there would be. */
static __noreturn void
give_up(const char *device, devnum_t number, int err)
{
	u32 count = 0;

	log_err("VFS: Cannot open root device \"%s\" or unknown-block(%u,%u): error %d\n", device,
		DEV_MAJOR(number), DEV_MINOR(number), err);
	log_notice("Please append a correct \"root=\" boot option; here are the available "
		   "partitions:\n");
	block_device_for_each(list_device, &count);
	if (!count)
		log_notice("(none: no block device was found)\n");
	panic("VFS: Unable to mount root fs on unknown-block(%u,%u)", DEV_MAJOR(number),
	      DEV_MINOR(number));
}

static devnum_t
find_device(const char *device)
{
	struct block_device *dev;
	devnum_t number;
	int err;

	if (boot_options.root_delay) {
		log_info("Waiting %u sec before mounting root device...\n",
			 boot_options.root_delay);
		sleep_ns(boot_options.root_delay * NSEC_PER_SEC);
	}
	err = block_device_find(device, &dev);
	if (err && boot_options.root_wait) {
		log_info("Waiting for root device %s...\n", device);
		do
			sleep_ns(POLL_NS);
		while ((err = block_device_find(device, &dev)));
	}
	if (err)
		give_up(device, 0, err);
	number = dev->devnum;
	block_device_put(dev);
	return number;
}

static void
make_node(devnum_t number)
{
	struct path_create pc;
	int err;

	(void)vfs_remove_kernel(NODE);
	err = path_create_begin(AT_FDCWD, NODE, false, &pc);
	if (!err) {
		err = vfs_mknod(&pc, S_IFBLK | 0600, number);
		path_create_done(&pc);
	}
	if (err)
		panic("VFS: cannot make %s: error %d", NODE, err);
}

/* One type: a device that cannot be written is mounted read-only. */
static int
try_type(const char *name, u32 *flags)
{
	int err = vfs_mount_kernel(NODE, PLACE, name, *flags, boot_options.rootflags);

	if ((err == -EACCES || err == -EROFS) && !(*flags & MS_RDONLY)) {
		*flags |= MS_RDONLY;
		err = vfs_mount_kernel(NODE, PLACE, name, *flags, boot_options.rootflags);
	}
	return err;
}

struct type_search {
	u32 flags;
	int err;
	char name[32], tried[128];
};

/* True: it is mounted, or there is no use in trying others. */
static bool
type_done(struct type_search *search, const char *name)
{
	size_t used = strlen(search->tried);

	if (used + strlen(name) + 2 < sizeof(search->tried))
		snprintf(search->tried + used, sizeof(search->tried) - used, " %s", name);
	strscpy(search->name, name, sizeof(search->name));
	search->err = try_type(name, &search->flags);
	return search->err != -EINVAL && search->err != -ENODEV;
}

static bool
try_registered(void *ctx, const struct fs_type *type)
{
	return !(type->flags & FS_NEEDS_DEVICE) || !type_done(ctx, type->name);
}

/* rootfstype= is a list; without it everything that lives on devices is tried. */
static void
find_type(struct type_search *search)
{
	const char *types = boot_options.rootfstype;
	char name[32];

	if (!types) {
		fs_for_each(try_registered, search);
		return;
	}
	while (*types) {
		size_t len = strcspn(types, ",");

		strscpy(name, types, MIN(len + 1, sizeof(name)));
		if (len && type_done(search, name))
			return;
		types += len + (types[len] == ',');
	}
}

static void
mount_from_device(const char *device)
{
	devnum_t number = find_device(device);
	struct type_search search = {
		.flags = boot_options.read_write ? 0 : MS_RDONLY,
		.err = -ENODEV,
	};

	make_node(number);
	find_type(&search);
	if (search.err) {
		log_err("VFS: no file system could mount root, tried:%s\n",
			search.tried[0] ? search.tried : " none");
		give_up(device, number, search.err);
	}
	log_info("VFS: Mounted root (%s filesystem)%s on device %u:%u.\n", search.name,
		 search.flags & MS_RDONLY ? " readonly" : "", DEV_MAJOR(number), DEV_MINOR(number));
}

static bool
needs_no_device(const char *name)
{
	const struct fs_type *type = name ? fs_find(name) : NULL;

	return type && !(type->flags & FS_NEEDS_DEVICE);
}

static void
mount_without_device(const char *source, const char *type)
{
	u32 flags = boot_options.read_write ? 0 : MS_RDONLY;
	int err = vfs_mount_kernel(source, PLACE, type, flags, boot_options.rootflags);

	if (err)
		panic("VFS: Unable to mount root fs \"%s\" of type %s: error %d", source, type,
		      err);
	log_info("VFS: Mounted root (%s filesystem)%s.\n", type, flags ? " readonly" : "");
}

void
root_mount(const char *device)
{
	int err;

	if (needs_no_device(boot_options.rootfstype))
		mount_without_device(device, boot_options.rootfstype);
	else
		mount_from_device(device);
	err = vfs_mount_kernel("devtmpfs", PLACE "/dev", "devtmpfs", 0, NULL);
	if (err)
		log_warn("devtmpfs: error mounting %d\n", err);
	err = vfs_root_switch(PLACE);
	if (err)
		panic("VFS: cannot make the mounted device the root: error %d", err);
}
