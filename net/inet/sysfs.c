/* SPDX-License-Identifier: MIT */
/*
 * /sys/class/net: a link per device to devices/virtual/net/NAME, with the attributes that udev,
 * ifupdown and DHCP clients read. The context below a device is its index.
 */
#include "fs/sysfs/sysfs.h"

#include "fs/vfs/pseudo.h"
#include "fs/vfs/uevent.h"
#include "inet_internal.h"
#include "lib/format.h"
#include "task/cred.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"

static struct net_device *
device_of(void *ctx)
{
	return net_device_find_by_index(net_current(), (u32)(uintptr_t)ctx);
}

#define SHOW(name, format, ...)                              \
	static int show_##name(struct strbuf *sb, void *ctx) \
	{                                                    \
		struct net_device *dev = device_of(ctx);     \
                                                             \
		if (!dev)                                    \
			return -ENODEV;                      \
		strbuf_printf(sb, format "\n", __VA_ARGS__); \
		net_device_put(dev);                         \
		return 0;                                    \
	}

SHOW(addr_len, "%u", dev->addr_len)
SHOW(type, "%u", dev->type)
SHOW(mtu, "%u", dev->mtu)
SHOW(flags, "0x%x", net_device_user_flags(dev) & 0xffff)
SHOW(ifindex, "%u", dev->ifindex)
SHOW(iflink, "%u", dev->link ? dev->link : dev->ifindex)
SHOW(tx_queue_len, "%u", dev->queue_limit)
SHOW(dormant, "%u", 0u)
SHOW(group, "%u", dev->group)
SHOW(dev_id, "0x%x", 0u)
SHOW(assign_type, "%u", 0u)
SHOW(link_mode, "%u", 0u)
SHOW(carrier_changes, "%u", 0u)

static int
show_bytes(struct strbuf *sb, void *ctx, bool broadcast)
{
	struct net_device *dev = device_of(ctx);

	if (!dev)
		return -ENODEV;
	for (u32 i = 0; i < dev->addr_len; i++)
		strbuf_printf(sb, i ? ":%02x" : "%02x",
			      broadcast ? dev->broadcast[i] : dev->addr[i]);
	strbuf_putc(sb, '\n');
	net_device_put(dev);
	return 0;
}

static int
show_address(struct strbuf *sb, void *ctx)
{
	return show_bytes(sb, ctx, false);
}

static int
show_broadcast(struct strbuf *sb, void *ctx)
{
	return show_bytes(sb, ctx, true);
}

static int
show_carrier(struct strbuf *sb, void *ctx)
{
	struct net_device *dev = device_of(ctx);
	bool up = dev && dev->flags & IFF_UP, carrier = dev && dev->carrier;

	net_device_put(dev);
	if (!up) /* as Linux: unknown while it is down */
		return -EINVAL;
	strbuf_printf(sb, "%u\n", carrier);
	return 0;
}

static int
show_operstate(struct strbuf *sb, void *ctx)
{
	static const char *const names[] = { "unknown", "notpresent", "down", "lowerlayerdown",
					     "testing", "dormant",    "up" };
	struct net_device *dev = device_of(ctx);

	if (!dev)
		return -ENODEV;
	strbuf_printf(sb, "%s\n", names[dev->operstate]);
	net_device_put(dev);
	return 0;
}

static int
link_settings(void *ctx, u32 *speed, bool *duplex)
{
	struct net_device *dev = device_of(ctx);
	int r = -EINVAL;

	if (dev && dev->ops->link_settings && dev->flags & IFF_UP) {
		net_config_lock(dev->net);
		r = dev->ops->link_settings(dev, speed, duplex);
		net_config_unlock(dev->net);
	}
	net_device_put(dev);
	return r;
}

static int
show_speed(struct strbuf *sb, void *ctx)
{
	u32 speed;
	bool duplex;
	int r = link_settings(ctx, &speed, &duplex);

	if (!r)
		strbuf_printf(sb, "%u\n", speed);
	return r;
}

static int
show_duplex(struct strbuf *sb, void *ctx)
{
	u32 speed;
	bool duplex;
	int r = link_settings(ctx, &speed, &duplex);

	if (!r)
		strbuf_printf(sb, "%s\n", duplex ? "full" : "half");
	return r;
}

static ssize_t
store_mtu(void *ctx, const char *text, size_t len)
{
	struct net_device *dev;
	u64 v;
	int r;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (parse_u64(text, 0, &v) || v > INT32_MAX)
		return -EINVAL;
	dev = device_of(ctx);
	if (!dev)
		return -ENODEV;
	net_config_lock(dev->net);
	r = dev->registered ? net_device_set_mtu(dev, (u32)v) : -ENODEV;
	net_config_unlock(dev->net);
	net_device_put(dev);
	return r ? r : (ssize_t)len;
}

#define STATISTIC(name)                                           \
	static int show_stat_##name(struct strbuf *sb, void *ctx) \
	{                                                         \
		struct net_device *dev = device_of(ctx);          \
		struct net_stats s;                               \
                                                                  \
		if (!dev)                                         \
			return -ENODEV;                           \
		net_device_stats(dev, &s);                        \
		net_device_put(dev);                              \
		strbuf_printf(sb, "%lu\n", s.name);               \
		return 0;                                         \
	}
STATISTIC(rx_packets)
STATISTIC(rx_bytes)
STATISTIC(tx_packets)
STATISTIC(tx_bytes)
STATISTIC(rx_errors)
STATISTIC(tx_errors)
STATISTIC(rx_dropped)
STATISTIC(tx_dropped)
STATISTIC(multicast)
STATISTIC(collisions)
STATISTIC(rx_length_errors)
STATISTIC(rx_crc_errors)
STATISTIC(rx_frame_errors)
STATISTIC(rx_fifo_errors)
STATISTIC(tx_carrier_errors)
STATISTIC(tx_fifo_errors)

#define FILE_ENTRY(n)                                                \
	{                                                            \
		.name = #n, .mode = S_IFREG | 0444, .show = show_##n \
	}
#define FILE_ENTRY_STAT(n)                                                \
	{                                                                 \
		.name = #n, .mode = S_IFREG | 0444, .show = show_stat_##n \
	}
/* ---- events ---- */

struct event_text {
	struct uevent e;
	char path[64], properties[64];
};

static void
event_fill(struct event_text *t, const struct net_device *dev)
{
	scnprintf(t->path, sizeof(t->path), "/devices/virtual/net/%s", dev->name);
	scnprintf(t->properties, sizeof(t->properties), "INTERFACE=%s\nIFINDEX=%u\n", dev->name,
		  dev->ifindex);
	t->e = (struct uevent){ t->path, "net", t->properties };
}

static int
show_uevent(struct strbuf *sb, void *ctx)
{
	struct net_device *dev = device_of(ctx);
	struct event_text t;

	if (!dev)
		return -ENODEV;
	event_fill(&t, dev);
	strbuf_puts(sb, t.properties);
	net_device_put(dev);
	return 0;
}

static ssize_t
store_uevent(void *ctx, const char *text, size_t len)
{
	struct net_device *dev = device_of(ctx);
	struct event_text t;
	int err;

	if (!dev)
		return -ENODEV;
	event_fill(&t, dev);
	net_device_put(dev);
	err = uevent_synthesize(text, len, &t.e);
	return err ? err : (ssize_t)len;
}

static void
network_event(struct net_listener *l, struct net_ns *net, enum net_event ev, void *arg)
{
	struct event_text t;

	if (ev != NET_DEV_REGISTER && ev != NET_DEV_UNREGISTER)
		return;
	event_fill(&t, arg);
	uevent_send(ev == NET_DEV_REGISTER ? UEVENT_ADD : UEVENT_REMOVE, &t.e);
}

static struct net_listener listener = { .event = network_event };

static const struct pseudo_entry statistics_entries[] = {
	FILE_ENTRY_STAT(rx_packets),
	FILE_ENTRY_STAT(rx_bytes),
	FILE_ENTRY_STAT(tx_packets),
	FILE_ENTRY_STAT(tx_bytes),
	FILE_ENTRY_STAT(rx_errors),
	FILE_ENTRY_STAT(tx_errors),
	FILE_ENTRY_STAT(rx_dropped),
	FILE_ENTRY_STAT(tx_dropped),
	FILE_ENTRY_STAT(multicast),
	FILE_ENTRY_STAT(collisions),
	FILE_ENTRY_STAT(rx_length_errors),
	FILE_ENTRY_STAT(rx_crc_errors),
	FILE_ENTRY_STAT(rx_frame_errors),
	FILE_ENTRY_STAT(rx_fifo_errors),
	FILE_ENTRY_STAT(tx_carrier_errors),
	FILE_ENTRY_STAT(tx_fifo_errors),
	{ .name = NULL },
};

static int
subsystem_link(char *buf, size_t size, void *ctx)
{
	return (int)scnprintf(buf, size, "../../../../class/net");
}

static const struct pseudo_entry device_entries[] = {
	FILE_ENTRY(addr_len),
	FILE_ENTRY(type),
	{ .name = "mtu", .mode = S_IFREG | 0644, .show = show_mtu, .store = store_mtu },
	FILE_ENTRY(flags),
	FILE_ENTRY(ifindex),
	FILE_ENTRY(iflink),
	FILE_ENTRY(tx_queue_len),
	FILE_ENTRY(dormant),
	{ .name = "netdev_group", .mode = S_IFREG | 0444, .show = show_group },
	FILE_ENTRY(dev_id),
	{ .name = "addr_assign_type", .mode = S_IFREG | 0444, .show = show_assign_type },
	FILE_ENTRY(link_mode),
	FILE_ENTRY(carrier_changes),
	{ .name = "uevent", .mode = S_IFREG | 0644, .show = show_uevent, .store = store_uevent },
	FILE_ENTRY(address),
	FILE_ENTRY(broadcast),
	FILE_ENTRY(carrier),
	FILE_ENTRY(operstate),
	FILE_ENTRY(speed),
	FILE_ENTRY(duplex),
	{ .name = "statistics", .mode = S_IFDIR | 0755, .children = statistics_entries },
	{ .name = "subsystem", .mode = S_IFLNK | 0777, .link = subsystem_link },
	{ .name = NULL },
};

static const struct pseudo_entry device_dir = {
	.name = "",
	.mode = S_IFDIR | 0755,
	.children = device_entries,
};

static int
class_link(char *buf, size_t size, void *ctx)
{
	struct net_device *dev = device_of(ctx);
	int n;

	if (!dev)
		return -ENODEV;
	n = (int)scnprintf(buf, size, "../../devices/virtual/net/%s", dev->name);
	net_device_put(dev);
	return n;
}

static const struct pseudo_entry class_entry = {
	.name = "",
	.mode = S_IFLNK | 0777,
	.link = class_link,
};

static int
name_lookup(const char *name, size_t len, const struct pseudo_entry *entry, struct pseudo_node *out)
{
	char text[IFNAMSIZ] = "";
	struct net_device *dev;

	if (len >= sizeof(text))
		return -ENOENT;
	memcpy(text, name, len);
	dev = net_device_find_by_name(net_current(), text);
	if (!dev)
		return -ENOENT;
	*out = (struct pseudo_node){ .entry = entry,
				     .ctx = (void *)(uintptr_t)dev->ifindex,
				     .volatile_name = true };
	net_device_put(dev);
	return 0;
}

static int
names_emit(struct dir_context *dc, u64 first, u8 type)
{
	for (;;) {
		struct net_device *dev, *next = NULL;
		u32 ifindex = 0;
		char name[IFNAMSIZ];

		rcu_read_lock();
		net_device_for_each(dev, net_current())
		{
			if (dev->ifindex > dc->pos - first) {
				next = dev;
				ifindex = dev->ifindex;
				memcpy(name, dev->name, sizeof(name));
				break;
			}
		}
		rcu_read_unlock();
		if (!next)
			return 0;
		if (!dc->emit(dc, name, strnlen(name, sizeof(name)), 0x40000 + ifindex, type,
			      first + ifindex))
			return 0;
		dc->pos = first + ifindex;
	}
}

static int
class_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return name_lookup(name, len, &class_entry, out);
}

static int
class_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	return names_emit(dc, first, DT_LNK);
}

static int
virtual_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return name_lookup(name, len, &device_dir, out);
}

static int
virtual_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	return names_emit(dc, first, DT_DIR);
}

static const struct pseudo_entry class_entries[] = {
	{ .name = "net",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = class_lookup,
	  .readdir_dynamic = class_readdir },
	{ .name = NULL },
};
static const struct pseudo_entry virtual_entries[] = {
	{ .name = "net",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = virtual_lookup,
	  .readdir_dynamic = virtual_readdir },
	{ .name = NULL },
};

void
inet_sysfs_init(void)
{
	net_listener_add(&listener);
	(void)pseudo_extend(&sysfs_fs_type, "class", class_entries, NULL);
	(void)pseudo_extend(&sysfs_fs_type, "devices/virtual", virtual_entries, NULL);
}
