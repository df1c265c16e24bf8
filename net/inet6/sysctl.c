/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys/net/ipv6: conf/{all,default,DEVICE}. "all" and "default" act as on Linux where
 * something obeys them: disable_ipv6 of all changes every device, the others only devices to come.
 */
#include "fs/proc/proc.h"
#include "fs/vfs/pseudo.h"
#include "inet6_internal.h"
#include "lib/format.h"
#include "uapi/errno.h"

/* ACCEPT_NOTHING: redirects are not believed and routing headers not followed, so 0 is all that
 * those settings can be. */
enum setting { DISABLED, ACCEPT_RA, AUTOCONF, FORWARDING, HOP_LIMIT, ACCEPT_NOTHING };

static u32
config_get(enum setting s)
{
	switch (s) {
	case DISABLED: return inet6_config.disabled;
	case ACCEPT_RA: return inet6_config.accept_ra;
	case AUTOCONF: return inet6_config.autoconf;
	case FORWARDING: return inet6_config.forwarding;
	case HOP_LIMIT: return inet6_config.hop_limit;
	case ACCEPT_NOTHING: return 0;
	}
	return 0;
}

static int
show(struct strbuf *sb, void *ctx, enum setting s)
{
	bool of_device = ctx != INET_CONF_ALL && ctx != INET_CONF_DEFAULT;
	u32 v = config_get(s);

	if (of_device && s != FORWARDING && s != ACCEPT_NOTHING) {
		struct net_device *dev;
		struct inet6_device *in;

		rcu_read_lock();
		dev = net_device_peek_by_index(net_current(), INET_CONF_IFINDEX(ctx));
		in = dev ? inet6_device_of(dev) : NULL;
		if (in)
			v = s == DISABLED    ? in->disabled
			    : s == ACCEPT_RA ? in->accept_ra
			    : s == AUTOCONF  ? in->autoconf
					     : in->hop_limit;
		rcu_read_unlock();
		if (!in)
			return -ENOENT;
	}
	strbuf_printf(sb, "%u\n", v);
	return 0;
}

static void
device_set(struct net_device *dev, enum setting s, u32 v)
{
	struct inet6_device *in = dev->inet6;

	if (!in)
		return;
	switch (s) {
	case DISABLED: address6_set_disabled(dev, v); break;
	case ACCEPT_RA: in->accept_ra = v; break;
	case AUTOCONF: in->autoconf = v; break;
	case HOP_LIMIT: in->hop_limit = (u8)v; break;
	case FORWARDING:
	case ACCEPT_NOTHING: break;
	}
}

static ssize_t
store(void *ctx, const char *text, size_t len, enum setting s)
{
	struct net_ns *net = net_current();
	bool of_device = ctx != INET_CONF_ALL && ctx != INET_CONF_DEFAULT;
	struct net_device *dev;
	s64 v;

	if (parse_s64(text, 10, &v) || v < 0 ||
	    v > (s == HOP_LIMIT	       ? 255
		 : s == ACCEPT_NOTHING ? 0
				       : 2))
		return -EINVAL;
	net_config_lock(net);
	if (!of_device || s == FORWARDING) {
		switch (s) {
		case DISABLED: inet6_config.disabled = v; break;
		case ACCEPT_RA: inet6_config.accept_ra = v; break;
		case AUTOCONF: inet6_config.autoconf = v; break;
		case FORWARDING: inet6_config.forwarding = v; break;
		case HOP_LIMIT: inet6_config.hop_limit = (u8)v; break;
		case ACCEPT_NOTHING: break;
		}
	}
	list_for_each_entry(dev, &net->devices, node)
	{
		if (of_device ? ctx == INET_CONF_DEVICE(dev->ifindex)
			      : ctx == INET_CONF_ALL && s == DISABLED)
			device_set(dev, s, (u32)v);
	}
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
SETTING(disable_ipv6, DISABLED)
SETTING(accept_ra, ACCEPT_RA)
SETTING(autoconf, AUTOCONF)
SETTING(forwarding, FORWARDING)
SETTING(hop_limit, HOP_LIMIT)
SETTING(accept_redirects, ACCEPT_NOTHING)
SETTING(accept_source_route, ACCEPT_NOTHING)

#define ENTRY(id)                                                                           \
	{                                                                                   \
		.name = #id, .mode = S_IFREG | 0644, .show = show_##id, .store = store_##id \
	}
static const struct pseudo_entry settings[] = {
	ENTRY(disable_ipv6),	    ENTRY(accept_ra), ENTRY(autoconf),
	ENTRY(forwarding),	    ENTRY(hop_limit), ENTRY(accept_redirects),
	ENTRY(accept_source_route), { .name = NULL },
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

static const struct pseudo_entry ipv6_entries[] = {
	{ .name = "conf",
	  .mode = S_IFDIR | 0555,
	  .lookup_dynamic = conf_lookup,
	  .readdir_dynamic = inet_conf_readdir },
	{ .name = NULL },
};
static const struct pseudo_entry net_entries[] = {
	{ .name = "ipv6", .mode = S_IFDIR | 0555, .children = ipv6_entries },
	{ .name = NULL },
};

void
sysctl6_init(void)
{
	(void)pseudo_extend(&proc_fs_type, "sys/net", net_entries, NULL);
}
