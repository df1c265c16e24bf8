/* SPDX-License-Identifier: MIT */
/*
 * Device numbers: which operations an opened node gets. A driver adds a struct device for one
 * number with a name (devtmpfs then has the node), or registers a range of numbers. Both change
 * rarely; opens look them up under RCU.
 */
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "lib/xarray.h"
#include "uapi/major.h"
#include "vfs_internal.h"

struct chrdev_range {
	u32 major, first, count;
	const struct file_ops *ops;
	struct chrdev_range *next;
};

static struct mutex devices_lock = MUTEX_INIT(devices_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(devices);
static struct xarray by_number = XARRAY_INIT; /* character devices only: major << 32 | minor */
static struct chrdev_range *ranges;

void (*device_added)(struct device *d);
void (*device_removed)(struct device *d);
void (*device_event)(struct device *d, enum uevent_action action);
const struct file_ops *blkdev_file_ops;
const struct file_ops *fifo_file_ops;

static void
event(struct device *d, enum uevent_action action)
{
	if (device_event)
		device_event(d, action);
}

u64
dev_to_user(devnum_t d)
{
	return dev_encode(DEV_MAJOR(d), DEV_MINOR(d));
}

devnum_t
dev_from_user(u64 u)
{
	return DEV_MAKE(dev_major(u), dev_minor(u));
}

int
device_add(struct device *d)
{
	int err = 0;

	mutex_lock(&devices_lock);
	if (S_ISCHR(d->mode))
		err = xa_insert(&by_number, d->dev, d);
	if (!err)
		list_add_tail(&d->node, &devices);
	mutex_unlock(&devices_lock);
	if (!err && device_added)
		device_added(d);
	if (!err)
		event(d, UEVENT_ADD);
	return err;
}

void
device_changed(struct device *d)
{
	event(d, UEVENT_CHANGE);
}

void
device_remove(struct device *d)
{
	mutex_lock(&devices_lock);
	if (S_ISCHR(d->mode))
		xa_erase(&by_number, d->dev);
	list_del(&d->node);
	mutex_unlock(&devices_lock);
	if (device_removed)
		device_removed(d);
	event(d, UEVENT_REMOVE);
	rcu_synchronize();
}

int
chrdev_register(u32 major, u32 minor_first, u32 minor_count, const struct file_ops *ops)
{
	struct chrdev_range *r = kzalloc(sizeof(*r), GFP_KERNEL), *other;

	if (!r)
		return -ENOMEM;
	*r = (struct chrdev_range){ major, minor_first, minor_count, ops, NULL };
	mutex_lock(&devices_lock);
	for (other = ranges; other; other = other->next) {
		if (other->major == major && minor_first < other->first + other->count &&
		    other->first < minor_first + minor_count) {
			mutex_unlock(&devices_lock);
			kfree(r);
			return -EBUSY;
		}
	}
	r->next = ranges;
	smp_store_release(&ranges, r);
	mutex_unlock(&devices_lock);
	return 0;
}

const struct file_ops *
chrdev_find(devnum_t dev, struct device **out)
{
	struct device *d;

	rcu_read_lock();
	d = xa_load(&by_number, dev);
	rcu_read_unlock();
	*out = d;
	if (d)
		return d->ops;
	for (struct chrdev_range *r = smp_load_acquire(&ranges); r; r = r->next)
		if (r->major == DEV_MAJOR(dev) && DEV_MINOR(dev) - r->first < r->count)
			return r->ops;
	return NULL;
}

void
device_for_each(bool (*fn)(void *ctx, struct device *d), void *ctx)
{
	struct device *d;

	mutex_lock(&devices_lock);
	list_for_each_entry(d, &devices, node) if (!fn(ctx, d)) break;
	mutex_unlock(&devices_lock);
}

/* The name a major number goes by: the class of its devices. */
static const char *
major_name(u32 major, umode_t type)
{
	struct device *d;

	list_for_each_entry(d, &devices, node) if (DEV_MAJOR(d->dev) == major &&
						   (d->mode & S_IFMT) == type) return d->class_name;
	if (type == S_IFCHR)
		for (struct chrdev_range *r = ranges; r; r = r->next)
			if (r->major == major)
				return major == UNIX98_PTY_SLAVE_MAJOR ? "pts" : "tty";
	return NULL;
}

void
device_list_majors(struct strbuf *sb)
{
	static const umode_t types[] = { S_IFCHR, S_IFBLK };

	mutex_lock(&devices_lock);
	for (u32 t = 0; t < ARRAY_SIZE(types); t++) {
		strbuf_puts(sb, t == 0 ? "Character devices:\n" : "\nBlock devices:\n");
		for (u32 major = 0; major < 512; major++) {
			const char *name = major_name(major, types[t]);

			if (name)
				strbuf_printf(sb, "%3u %s\n", major, name);
		}
	}
	mutex_unlock(&devices_lock);
}
