/* SPDX-License-Identifier: MIT */
/*
 * Device numbers to drivers, and the registry that devtmpfs and sysfs show. A driver registers a
 * device with a name; devtmpfs then has the node.
 */
#ifndef FS_VFS_DEVICE_H
#define FS_VFS_DEVICE_H

#include "fs/vfs/uevent.h"
#include "lib/list.h"
#include "lib/types.h"

struct file_ops;

#define DEV_MAKE(major, minor) (((devnum_t)(major) << 32) | (u32)(minor))
#define DEV_MAJOR(d)	       ((u32)((d) >> 32))
#define DEV_MINOR(d)	       ((u32)(d))
/* Encodings of user space: st_dev / mknod (glibc's 64-bit form), and the 16/32-bit kernel form. */
u64 dev_to_user(devnum_t d);
devnum_t dev_from_user(u64 u);

struct device {
	const char *name;	/* "tty", "pts/0", "vda1": path below /dev */
	const char *class_name; /* "mem", "tty", "misc", "block": /sys/class/NAME */
	devnum_t dev;
	umode_t mode; /* S_IFCHR | 0666 */
	const struct file_ops *ops;
	void *private;
	struct list node;
};

/* Character devices: ops for a number range. 0 or -EBUSY. The struct device must live until
 * removed. */
int device_add(struct device *d);
void device_remove(struct device *d);
/* Handles opens of numbers without an own struct device (major-wide: ptmx slaves, ttys). */
int chrdev_register(u32 major, u32 minor_first, u32 minor_count, const struct file_ops *ops);
const struct file_ops *chrdev_find(devnum_t dev, struct device **out);
/* Opens of block device nodes, set by the block room; NULL: -ENXIO. */
extern const struct file_ops *blkdev_file_ops;
/* What mounts ask of the block room, which sets it; NULL: there are no block devices. */
struct backing;
struct block_device;
struct blkdev_mount_ops {
	/*
	 * Open for one holder alone, to write too unless `read_only`. -ENXIO, -EBUSY (another
	 * holder), -EACCES (a read-only device), -ENOMEDIUM. What its cache has is current.
	 */
	int (*claim)(devnum_t dev, bool read_only, void *holder, struct block_device **out);
	void (*release)(struct block_device *b, void *holder);
	struct backing *(*backing)(struct block_device *b);
	void (*name)(struct block_device *b, char *buf, size_t size); /* "vda1" */
};
extern const struct blkdev_mount_ops *blkdev_mount_ops;
/* Opens of FIFOs, set by ipc/pipe.c; open gives the file its operations. NULL: -ENXIO. */
extern const struct file_ops *fifo_file_ops;
/* Iterate for sysfs/devtmpfs: fn returns false to stop. */
void device_for_each(bool (*fn)(void *ctx, struct device *d), void *ctx);
/* /proc/devices */
struct strbuf;
void device_list_majors(struct strbuf *sb);
/* What it stands for is another now: a loop device got its file. Only an event. */
void device_changed(struct device *d);
/* sysfs's hook, which knows what to tell. */
extern void (*device_event)(struct device *d, enum uevent_action action);
/* devtmpfs hook: called for each device added and removed. */
extern void (*device_added)(struct device *d);
extern void (*device_removed)(struct device *d);
#endif
