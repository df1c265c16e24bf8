/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys/net/ipv4/conf: the settings of each device, of "all" and of "default".
 *
 * A device begins with what "default" says, and follows its changes until it has been set itself or
 * has an address.
 * "all" is combined with the device's own: the greater one counts (inet_conf); only forwarding is
 * copied to every device, and is ip_forward.
 */
#include "fs/proc/proc.h"
#include "fs/vfs/pseudo.h"
#include "inet_internal.h"
#include "lib/format.h"
#include "lib/string.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"

/* No redirects are sent or believed, and no source routes followed: 0 is all that those can be. */
static const u32 maximum[INET_CONF_COUNT] = {
	[INET_CONF_FORWARDING] = 1,	[INET_CONF_RP_FILTER] = 2,  [INET_CONF_ACCEPT_LOCAL] = 1,
	[INET_CONF_ROUTE_LOCALNET] = 1, [INET_CONF_ARP_IGNORE] = 8, [INET_CONF_ARP_ANNOUNCE] = 2,
};

void
inet_conf_init(struct inet_device *in)
{
	memcpy(in->conf, in->dev->net->inet->conf_default, sizeof(in->conf));
}

/* ---- directories: the context is CONF_ALL, CONF_DEFAULT, or a device's ---- */

int
inet_conf_lookup(const struct pseudo_entry *dir, const char *name, size_t len,
		 struct pseudo_node *out)
{
	char text[IFNAMSIZ] = "";
	struct net_device *dev;

	*out = (struct pseudo_node){ .entry = dir, .volatile_name = true, .static_ctx = true };
	if (len == 7 && !memcmp(name, "default", 7)) {
		out->ctx = INET_CONF_DEFAULT;
		return 0;
	}
	if (len == 3 && !memcmp(name, "all", 3)) {
		out->ctx = INET_CONF_ALL;
		return 0;
	}
	if (len >= sizeof(text))
		return -ENOENT;
	memcpy(text, name, len);
	dev = net_device_find_by_name(net_current(), text);
	if (!dev)
		return -ENOENT;
	out->ctx = INET_CONF_DEVICE(dev->ifindex);
	net_device_put(dev);
	return 0;
}

int
inet_conf_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	static const char *const fixed[] = { "all", "default" };

	for (u64 at = dc->pos - first; at < 2; at++, dc->pos++)
		if (!dc->emit(dc, fixed[at], strlen(fixed[at]), 0x50000 + at, DT_DIR,
			      first + at + 1))
			return 0;
	for (;;) {
		struct net_device *dev;
		char name[IFNAMSIZ];
		u32 ifindex = 0;

		rcu_read_lock();
		net_device_for_each(dev, net_current())
		{
			if (dev->ifindex + 2 > dc->pos - first) {
				ifindex = dev->ifindex;
				memcpy(name, dev->name, sizeof(name));
				break;
			}
		}
		rcu_read_unlock();
		if (!ifindex || !dc->emit(dc, name, strnlen(name, sizeof(name)), 0x50002 + ifindex,
					  DT_DIR, first + ifindex + 2))
			return 0;
		dc->pos = first + ifindex + 2;
	}
}

/* ---- settings ---- */

static int
show(struct strbuf *sb, void *ctx, enum inet_setting s)
{
	const struct inet_net *net = net_current()->inet;
	const struct net_device *dev;
	const struct inet_device *in;
	int r = 0;
	u32 v = 0;

	rcu_read_lock();
	if (ctx == INET_CONF_ALL) {
		v = s == INET_CONF_FORWARDING ? net->forward : net->conf_all[s];
	} else if (ctx == INET_CONF_DEFAULT) {
		v = net->conf_default[s];
	} else {
		dev = net_device_peek_by_index(net_current(), INET_CONF_IFINDEX(ctx));
		in = dev ? inet_device_of(dev) : NULL;
		v = in ? in->conf[s] : net->conf_default[s];
		r = dev ? 0 : -ENOENT;
	}
	rcu_read_unlock();
	if (!r)
		strbuf_printf(sb, "%u\n", v);
	return r;
}

/* config_lock held. */
static void
device_set(struct net_device *dev, enum inet_setting s, u32 v)
{
	struct inet_device *in = dev->inet;

	if (in)
		WRITE_ONCE(in->conf[s], v);
}

void
inet_forward_set(struct net_ns *net, bool on)
{
	struct net_device *dev;

	net_config_lock(net);
	WRITE_ONCE(net->inet->forward, on);
	net->inet->conf_default[INET_CONF_FORWARDING] = on;
	list_for_each_entry(dev, &net->devices, node) device_set(dev, INET_CONF_FORWARDING, on);
	net_route_changed(net);
	net_config_unlock(net);
}

static ssize_t
store(void *ctx, const char *text, size_t len, enum inet_setting s)
{
	struct net_ns *net = net_current();
	struct net_device *dev;
	s64 v;

	if (parse_s64(text, 10, &v) || v < 0 || v > maximum[s])
		return -EINVAL;
	if (ctx == INET_CONF_ALL && s == INET_CONF_FORWARDING) {
		inet_forward_set(net, v);
		return (ssize_t)len;
	}
	net_config_lock(net);
	if (ctx == INET_CONF_ALL)
		WRITE_ONCE(net->inet->conf_all[s], (u32)v);
	if (ctx == INET_CONF_DEFAULT)
		net->inet->conf_default[s] = (u32)v;
	list_for_each_entry(dev, &net->devices, node)
	{
		struct inet_device *in = dev->inet;

		if (!in)
			continue;
		if (ctx == INET_CONF_DEVICE(dev->ifindex))
			in->conf_own |= BIT(s);
		else if (ctx != INET_CONF_DEFAULT || (in->conf_own & BIT(s)))
			continue;
		device_set(dev, s, (u32)v);
	}
	net_route_changed(net);
	net_config_unlock(net);
	return (ssize_t)len;
}

#define SETTING(id, s)                                                     \
	static int show_##id(struct strbuf *sb, void *ctx)                 \
	{                                                                  \
		return show(sb, ctx, s);                                   \
	}                                                                  \
	static ssize_t store_##id(void *ctx, const char *text, size_t len) \
	{                                                                  \
		return store(ctx, text, len, s);                           \
	}
SETTING(forwarding, INET_CONF_FORWARDING)
SETTING(rp_filter, INET_CONF_RP_FILTER)
SETTING(accept_local, INET_CONF_ACCEPT_LOCAL)
SETTING(route_localnet, INET_CONF_ROUTE_LOCALNET)
SETTING(arp_ignore, INET_CONF_ARP_IGNORE)
SETTING(arp_announce, INET_CONF_ARP_ANNOUNCE)
SETTING(accept_redirects, INET_CONF_ACCEPT_REDIRECTS)
SETTING(send_redirects, INET_CONF_SEND_REDIRECTS)
SETTING(accept_source_route, INET_CONF_ACCEPT_SOURCE_ROUTE)

#define ENTRY(id)                                                                           \
	{                                                                                   \
		.name = #id, .mode = S_IFREG | 0644, .show = show_##id, .store = store_##id \
	}
static const struct pseudo_entry settings[] = {
	ENTRY(forwarding),	 ENTRY(rp_filter),	ENTRY(accept_local),
	ENTRY(route_localnet),	 ENTRY(arp_ignore),	ENTRY(arp_announce),
	ENTRY(accept_redirects), ENTRY(send_redirects), ENTRY(accept_source_route),
	{ .name = NULL },
};

static const struct pseudo_entry settings_dir = {
	.name = "",
	.mode = S_IFDIR | 0555,
	.children = settings,
};

static int
conf_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	return inet_conf_lookup(&settings_dir, name, len, out);
}

static const struct pseudo_entry conf_entries[] = {
	{ .name = "conf",
	  .mode = S_IFDIR | 0555,
	  .lookup_dynamic = conf_lookup,
	  .readdir_dynamic = inet_conf_readdir },
	{ .name = NULL },
};

void
inet_conf_proc_init(void)
{
	(void)pseudo_extend(&proc_fs_type, "sys/net/ipv4", conf_entries, NULL);
}
