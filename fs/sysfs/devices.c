/* SPDX-License-Identifier: MIT */
/*
 * Devices in /sys, from the registry of fs/vfs/device.h.
 *
 * A device is the directory devices/virtual/CLASS/NAME; class/CLASS/NAME and dev/char/MAJOR:MINOR
 * are links to it, and block/NAME for disks, whose partitions are directories in the disk's. The
 * context below a device is its number (struct device may go at any time, so
 * nothing here holds one), below a class it is the class's name, which is constant text.
 *
 * Names are taken one at a time and in the order of the numbers, so that the registry's lock is not
 * held while a program's memory is written, and a reader misses no device that stays.
 */
#include "block/block.h"
#include "core/log.h"
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sysfs_internal.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"
#include "uapi/major.h"

/* Inode numbers: where the name is, and the device's key. */
enum place { IN_VIRTUAL = 1, IN_CLASS, IN_DEV, VIRTUAL_CLASS, PLAIN_CLASS, IN_BLOCK };
#define INO(place, key) ((u64)(place) << 40 | (key))

/* What one needs to know of a device, copied. */
struct found {
	u64 key;
	devnum_t dev;
	umode_t mode;
	const char *class_name;
	char name[64];	/* with '/' as "!" */
	char whole[32]; /* a partition's disk; "" */
};

/* The device with the lowest key, not below min_key, that fits what is not NULL or 0. */
struct search {
	u64 min_key, key;
	umode_t type;
	const char *class_name, *name;
	size_t class_len, name_len;
	bool top;	   /* no partitions */
	const char *whole; /* partitions of this disk only */
	bool hit;
	struct found *out;
};

static u64
key_of(const struct device *d)
{
	u64 number = (u64)DEV_MAJOR(d->dev) << 20 | DEV_MINOR(d->dev);

	return (number << 1 | (S_ISBLK(d->mode) ? 1 : 0)) + 1;
}

static void
copy_name(char *to, size_t size, const char *from)
{
	strscpy(to, from, size);
	for (; *to; to++)
		if (*to == '/')
			*to = '!';
}

/* The disk of a partition; NULL for others. The registry is locked, so it is there. */
static const char *
whole_of(const struct device *d)
{
	const struct block_device *dev = d->private;

	return S_ISBLK(d->mode) && dev != dev->whole ? dev->whole->name : NULL;
}

static bool
text_is(const char *s, const char *want, size_t len)
{
	return strlen(s) == len && !memcmp(s, want, len);
}

static bool
consider(void *ctx, struct device *d)
{
	struct search *s = ctx;
	u64 key = key_of(d);
	char name[sizeof(s->out->name)];
	const char *whole;

	if (key < s->min_key || (s->key && key != s->key) || (s->hit && key >= s->out->key))
		return true;
	if ((s->type && (d->mode & S_IFMT) != s->type) ||
	    (s->class_name && !text_is(d->class_name, s->class_name, s->class_len)))
		return true;
	whole = whole_of(d);
	if ((s->top && whole) || (s->whole && (!whole || strcmp(s->whole, whole))))
		return true;
	copy_name(name, sizeof(name), d->name);
	if (s->name && !text_is(name, s->name, s->name_len))
		return true;
	s->hit = true;
	*s->out = (struct found){ .key = key, .dev = d->dev, .mode = d->mode };
	s->out->class_name = d->class_name;
	strscpy(s->out->whole, whole ? whole : "", sizeof(s->out->whole));
	strscpy(s->out->name, name, sizeof(s->out->name));
	return true;
}

static bool
find(struct search *s)
{
	device_for_each(consider, s);
	return s->hit;
}

static int
find_ctx(void *ctx, struct found *out)
{
	struct search s = { .key = (u64)(uintptr_t)ctx, .out = out };

	return find(&s) ? 0 : -ENODEV;
}

devnum_t
device_key_number(const void *ctx)
{
	u64 number = ((u64)(uintptr_t)ctx - 1) >> 1;

	return DEV_MAKE((u32)(number >> 20), (u32)(number & 0xfffff));
}

/* Where its directory is, below /sys/devices/virtual. */
static int
place_of(const struct found *d, char *buf, size_t size, const char *up)
{
	return (int)scnprintf(buf, size, "%sdevices/virtual/%s/%s%s%s", up, d->class_name, d->whole,
			      d->whole[0] ? "/" : "", d->name);
}

/* ---- one device ---- */

int
device_show_dev(struct strbuf *sb, void *ctx)
{
	struct found d = { 0 };
	int err = find_ctx(ctx, &d);

	if (!err)
		strbuf_printf(sb, "%u:%u\n", DEV_MAJOR(d.dev), DEV_MINOR(d.dev));
	return err;
}

/* ---- events ---- */

static void
properties(struct strbuf *sb, const char *name, devnum_t dev, umode_t mode)
{
	strbuf_printf(sb, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVMODE=0%o\n", DEV_MAJOR(dev),
		      DEV_MINOR(dev), name, mode & 0777);
}

/* Texts of an event, and where they are. */
struct event_text {
	struct uevent e;
	char path[160], properties[256];
};

static void
event_fill(struct event_text *t, const struct device *d)
{
	struct found f = { .class_name = d->class_name };
	const char *whole = whole_of(d);
	struct strbuf sb;

	copy_name(f.name, sizeof(f.name), d->name);
	strscpy(f.whole, whole ? whole : "", sizeof(f.whole));
	place_of(&f, t->path, sizeof(t->path), "/");
	strbuf_init(&sb, t->properties, sizeof(t->properties));
	if (S_ISBLK(d->mode))
		block_properties(&sb, d->private);
	else
		properties(&sb, d->name, d->dev, d->mode);
	t->e = (struct uevent){ t->path, d->class_name, t->properties };
}

static void
send_event(struct device *d, enum uevent_action action)
{
	struct event_text t;

	event_fill(&t, d);
	uevent_send(action, &t.e);
}

int
device_store_uevent(const char *text, size_t len, const struct device *d)
{
	struct event_text t;

	event_fill(&t, d);
	return uevent_synthesize(text, len, &t.e);
}

void
device_event_init(void)
{
	device_event = send_event;
}

static int
show_uevent(struct strbuf *sb, void *ctx)
{
	struct found d = { 0 };
	int err = find_ctx(ctx, &d);

	if (err)
		return err;
	for (char *p = d.name; *p; p++)
		if (*p == '!')
			*p = '/';
	properties(sb, d.name, d.dev, d.mode);
	return 0;
}

static ssize_t
store_uevent(void *ctx, const char *text, size_t len)
{
	struct found d = { 0 };
	int err = find_ctx(ctx, &d);

	if (err)
		return err;
	for (char *p = d.name; *p; p++)
		if (*p == '!')
			*p = '/';
	struct device copy = {
		.name = d.name, .class_name = d.class_name, .dev = d.dev, .mode = d.mode
	};
	err = device_store_uevent(text, len, &copy);
	return err ? err : (ssize_t)len;
}

/* ---- attributes ---- */

int
device_subsystem_link(char *buf, size_t size, void *ctx)
{
	struct found d = { 0 };
	int err = find_ctx(ctx, &d);

	return err ? err
		   : (int)scnprintf(buf, size, "%s../../../../class/%s", d.whole[0] ? "../" : "",
				    d.class_name);
}

/* The consoles that the kernel's messages go to. */
static int
show_active(struct strbuf *sb, void *ctx)
{
	const char *name;

	for (u32 n = 0; (name = log_console_name(n)) != NULL; n++)
		strbuf_printf(sb, "%s%s", n ? " " : "", name);
	strbuf_putc(sb, '\n');
	return 0;
}

#define DEVICE_ENTRIES                                                                          \
	SYS_FILE("dev", 0444, device_show_dev), SYS_STORE("uevent", show_uevent, store_uevent), \
	{                                                                                       \
		.name = "subsystem", .mode = S_IFLNK | 0777, .link = device_subsystem_link      \
	}

static const struct pseudo_entry device_entries[] = {
	DEVICE_ENTRIES,
	{ .name = NULL },
};

static const struct pseudo_entry console_entries[] = {
	DEVICE_ENTRIES,
	SYS_FILE("active", 0444, show_active),
	{ .name = NULL },
};

static const struct pseudo_entry device_dir = SYS_DIR("device", device_entries);
static const struct pseudo_entry console_dir = SYS_DIR("console", console_entries);

/* ---- the names of devices: of a class, or all of a type ---- */

static void
fill(struct pseudo_node *out, const struct pseudo_entry *e, const struct found *d, enum place place)
{
	out->entry = e;
	out->ino = INO(place, d->key);
	out->ctx = (void *)(uintptr_t)d->key;
	out->volatile_name = true;
}

static int
find_in_class(void *ctx, const char *name, size_t len, struct found *d)
{
	struct search s = {
		.class_name = ctx, .class_len = strlen(ctx), .name = name, .name_len = len, .out = d
	};

	return find(&s) ? 0 : -ENOENT;
}

static int
device_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	struct found d = { 0 };
	int err = find_in_class(ctx, name, len, &d);

	if (err || d.whole[0])
		return -ENOENT;
	if (S_ISBLK(d.mode))
		fill(out, DEV_MAJOR(d.dev) == LOOP_MAJOR ? &loop_dir : &disk_dir, &d, IN_VIRTUAL);
	else
		fill(out, text_is(d.name, "console", 7) ? &console_dir : &device_dir, &d,
		     IN_VIRTUAL);
	return 0;
}

/* Emits devices from dc->pos on: position first + key. */
static int
emit_devices(struct dir_context *dc, u64 first, struct search s, enum place place)
{
	bool numbers = place == IN_DEV;
	u32 type = place == IN_VIRTUAL ? DT_DIR : DT_LNK;
	struct found d = { 0 };

	s.out = &d;
	for (;;) {
		char text[24];
		size_t len;

		s.min_key = dc->pos - first;
		s.hit = false;
		if (!find(&s))
			return 0;
		len = numbers ? (size_t)scnprintf(text, sizeof(text), "%u:%u", DEV_MAJOR(d.dev),
						  DEV_MINOR(d.dev))
			      : strlen(d.name);
		if (!dc->emit(dc, numbers ? text : d.name, len, INO(place, d.key), type,
			      first + d.key + 1))
			return 0;
		dc->pos = first + d.key + 1;
	}
}

static int
device_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct search s = { .class_name = ctx, .class_len = strlen(ctx), .top = true };

	return emit_devices(dc, first, s, IN_VIRTUAL);
}

static int
class_member_link(char *buf, size_t size, void *ctx)
{
	struct found d = { 0 };
	int err = find_ctx(ctx, &d);

	return err ? err : place_of(&d, buf, size, "../../");
}

static const struct pseudo_entry member_link = {
	.name = "link",
	.mode = S_IFLNK | 0777,
	.link = class_member_link,
};

static int
member_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	struct found d = { 0 };
	int err = find_in_class(ctx, name, len, &d);

	if (!err)
		fill(out, &member_link, &d, IN_CLASS);
	return err;
}

static int
member_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct search s = { .class_name = ctx, .class_len = strlen(ctx) };

	return emit_devices(dc, first, s, IN_CLASS);
}

/* ---- disks in /sys/block, partitions in their disk ---- */

static int
disk_link(char *buf, size_t size, void *ctx)
{
	struct found d = { 0 };
	int err = find_ctx(ctx, &d);

	return err ? err : place_of(&d, buf, size, "../");
}

static const struct pseudo_entry disk_link_entry = {
	.name = "link",
	.mode = S_IFLNK | 0777,
	.link = disk_link,
};

int
disk_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	struct found d = { 0 };
	struct search s = {
		.type = S_IFBLK, .top = true, .name = name, .name_len = len, .out = &d
	};

	if (!find(&s))
		return -ENOENT;
	fill(out, &disk_link_entry, &d, IN_BLOCK);
	return 0;
}

int
disk_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct search s = { .type = S_IFBLK, .top = true };

	return emit_devices(dc, first, s, IN_BLOCK);
}

int
partition_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	struct found disk = { 0 }, d = { 0 };
	struct search s = { .whole = disk.name, .name = name, .name_len = len, .out = &d };

	if (find_ctx(ctx, &disk) || !find(&s))
		return -ENOENT;
	fill(out, &partition_dir, &d, IN_VIRTUAL);
	return 0;
}

int
partition_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct found disk = { 0 };
	struct search s = { .whole = disk.name };

	return find_ctx(ctx, &disk) ? 0 : emit_devices(dc, first, s, IN_VIRTUAL);
}

/* ---- the names of classes ---- */

static const struct pseudo_entry virtual_class = {
	.name = "class",
	.mode = S_IFDIR | 0755,
	.lookup_dynamic = device_lookup,
	.readdir_dynamic = device_readdir,
};

static const struct pseudo_entry plain_class = {
	.name = "class",
	.mode = S_IFDIR | 0755,
	.lookup_dynamic = member_lookup,
	.readdir_dynamic = member_readdir,
};

static int
find_class(const char *name, size_t len, enum place place, struct pseudo_node *out)
{
	struct found d = { 0 };
	struct search s = { .class_name = name, .class_len = len, .out = &d };

	if (!find(&s))
		return -ENOENT;
	out->entry = place == VIRTUAL_CLASS ? &virtual_class : &plain_class;
	out->ino = INO(place, d.key);
	out->ctx = (void *)(uintptr_t)d.class_name;
	out->volatile_name = true;
	return 0;
}

int
virtual_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return find_class(name, len, VIRTUAL_CLASS, out);
}

int
class_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return find_class(name, len, PLAIN_CLASS, out);
}

/* A class is named where its lowest device is. */
static int
emit_classes(struct dir_context *dc, u64 first, enum place place)
{
	for (;;) {
		struct found d = { 0 }, lowest = { 0 };
		struct search next = { .min_key = dc->pos - first, .out = &d };

		if (!find(&next))
			return 0;
		struct search head = { .class_name = d.class_name,
				       .class_len = strlen(d.class_name),
				       .out = &lowest };
		if (find(&head) && lowest.key == d.key &&
		    !dc->emit(dc, d.class_name, strlen(d.class_name), INO(place, d.key), DT_DIR,
			      first + d.key + 1))
			return 0;
		dc->pos = first + d.key + 1;
	}
}

int
virtual_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	return emit_classes(dc, first, VIRTUAL_CLASS);
}

int
class_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	return emit_classes(dc, first, PLAIN_CLASS);
}

/* ---- /sys/dev: by number ---- */

static int
number_lookup(const char *name, size_t len, umode_t type, struct pseudo_node *out)
{
	struct found d = { 0 };
	struct search s = { .type = type, .out = &d };
	char text[24];

	for (; s.hit = false, find(&s); s.min_key = d.key + 1) {
		scnprintf(text, sizeof(text), "%u:%u", DEV_MAJOR(d.dev), DEV_MINOR(d.dev));
		if (text_is(text, name, len)) {
			fill(out, &member_link, &d, IN_DEV);
			return 0;
		}
	}
	return -ENOENT;
}

int
char_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return number_lookup(name, len, S_IFCHR, out);
}

int
block_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return number_lookup(name, len, S_IFBLK, out);
}

int
char_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct search s = { .type = S_IFCHR };

	return emit_devices(dc, first, s, IN_DEV);
}

int
block_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct search s = { .type = S_IFBLK };

	return emit_devices(dc, first, s, IN_DEV);
}
