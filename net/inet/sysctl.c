/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys/net: the settings of net/core and IPv4 that something obeys: ip-sysctl's names and
 * ranges. A protocol adds its own to sys/net/ipv4 with pseudo_extend.
 */
#include "fs/proc/proc.h"
#include "fs/vfs/pseudo.h"
#include "inet_internal.h"
#include "lib/format.h"
#include "uapi/errno.h"

#define IN (net_current()->inet)

/* One number, written within bounds. */
static ssize_t
number_store(const char *text, size_t len, s64 min, s64 max, s64 *out)
{
	int r = parse_s64(text, 10, out);

	if (r)
		return -EINVAL;
	return *out < min || *out > max ? -EINVAL : (ssize_t)len;
}

#define NUMBER(name, place, min, max)                                        \
	static int show_##name(struct strbuf *sb, void *ctx)                 \
	{                                                                    \
		strbuf_printf(sb, "%ld\n", (long)(place));                   \
		return 0;                                                    \
	}                                                                    \
	static ssize_t store_##name(void *ctx, const char *text, size_t len) \
	{                                                                    \
		s64 v = 0;                                                   \
		ssize_t r = number_store(text, len, min, max, &v);           \
                                                                             \
		if (r > 0)                                                   \
			(place) = (__typeof__(place))v;                      \
		return r;                                                    \
	}
#define ENTRY(file, id)                                                                      \
	{                                                                                    \
		.name = file, .mode = S_IFREG | 0644, .show = show_##id, .store = store_##id \
	}

/* ---- core ---- */

NUMBER(rmem_default, socket_buffers.rmem_default, 2304, INT32_MAX)
NUMBER(rmem_max, socket_buffers.rmem_max, 2304, INT32_MAX)
NUMBER(wmem_default, socket_buffers.wmem_default, 4608, INT32_MAX)
NUMBER(wmem_max, socket_buffers.wmem_max, 4608, INT32_MAX)
NUMBER(somaxconn, IN->somaxconn, 0, INT32_MAX)
NUMBER(max_backlog, net_max_backlog, 1, INT32_MAX)

static const struct pseudo_entry core_entries[] = {
	ENTRY("rmem_default", rmem_default),
	ENTRY("rmem_max", rmem_max),
	ENTRY("wmem_default", wmem_default),
	ENTRY("wmem_max", wmem_max),
	ENTRY("somaxconn", somaxconn),
	ENTRY("netdev_max_backlog", max_backlog),
	{ .name = NULL },
};

/* ---- ipv4 ---- */

/* Two numbers, low and high. */
static ssize_t
pair_store(const char *text, size_t len, u64 max, u64 *low, u64 *high)
{
	const char *end;

	if (str_to_u64(skip_spaces(text), &end, 10, low) ||
	    str_to_u64(skip_spaces(end), &end, 10, high) || *skip_spaces(end))
		return -EINVAL;
	return *low > max || *high > max ? -EINVAL : (ssize_t)len;
}

static int
show_port_range(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\t%u\n", IN->port_min, IN->port_max);
	return 0;
}

static ssize_t
store_port_range(void *ctx, const char *text, size_t len)
{
	u64 low, high;
	ssize_t r = pair_store(text, len, 65535, &low, &high);

	if (r < 0 || !low || low > high || low < IN->unprivileged_port_start)
		return -EINVAL;
	IN->port_min = (u16)low;
	IN->port_max = (u16)high;
	return r;
}

static int
show_ping_range(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\t%u\n", IN->ping_group_min, IN->ping_group_max);
	return 0;
}

static ssize_t
store_ping_range(void *ctx, const char *text, size_t len)
{
	u64 low, high;
	ssize_t r = pair_store(text, len, INT32_MAX, &low, &high);

	if (r < 0)
		return r;
	/* An empty range is written as 1 0. */
	IN->ping_group_min = low > high ? 1 : (u32)low;
	IN->ping_group_max = low > high ? 0 : (u32)high;
	return r;
}

static int
show_ip_forward(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", IN->forward);
	return 0;
}

static ssize_t
store_ip_forward(void *ctx, const char *text, size_t len)
{
	s64 v = 0;
	ssize_t r = number_store(text, len, 0, 1, &v);

	if (r > 0)
		inet_forward_set(net_current(), v);
	return r;
}

NUMBER(default_ttl, IN->default_ttl, 1, 255)
NUMBER(port_start, IN->unprivileged_port_start, 0, 65535)
NUMBER(no_pmtu, IN->ip_no_pmtu_disc, 0, 1)
NUMBER(nonlocal_bind, IN->ip_nonlocal_bind, 0, 1)
NUMBER(echo_all, IN->icmp_echo_ignore_all, 0, 1)
NUMBER(echo_broadcasts, IN->icmp_echo_ignore_broadcasts, 0, 1)
NUMBER(ratelimit, IN->icmp_ratelimit_ms, 0, INT32_MAX)
NUMBER(ratemask, IN->icmp_ratemask, 0, INT32_MAX)
NUMBER(msgs_per_sec, IN->icmp_msgs_per_sec, 0, INT32_MAX)
NUMBER(msgs_burst, IN->icmp_msgs_burst, 0, INT32_MAX)
NUMBER(frag_high, IN->frag_high, 0, INT32_MAX)
NUMBER(frag_low, IN->frag_low, 0, INT32_MAX)
NUMBER(memberships, IN->igmp_max_memberships, 1, INT32_MAX)

static int
show_frag_time(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%lu\n", IN->frag_time_ns / NSEC_PER_SEC);
	return 0;
}

static ssize_t
store_frag_time(void *ctx, const char *text, size_t len)
{
	s64 v = 0;
	ssize_t r = number_store(text, len, 0, 86400, &v);

	if (r > 0)
		IN->frag_time_ns = (u64)v * NSEC_PER_SEC;
	return r;
}

#define GC (IN->arp.params)
NUMBER(gc_thresh1, GC.gc_thresh1, 0, INT32_MAX)
NUMBER(gc_thresh2, GC.gc_thresh2, 0, INT32_MAX)
NUMBER(gc_thresh3, GC.gc_thresh3, 0, INT32_MAX)
NUMBER(ucast_solicit, GC.ucast_probes, 0, INT32_MAX)
NUMBER(mcast_solicit, GC.mcast_probes, 0, INT32_MAX)
NUMBER(unres_qlen, GC.unres_qlen, 0, INT32_MAX)

static const struct pseudo_entry neigh_default_entries[] = {
	ENTRY("gc_thresh1", gc_thresh1),
	ENTRY("gc_thresh2", gc_thresh2),
	ENTRY("gc_thresh3", gc_thresh3),
	ENTRY("ucast_solicit", ucast_solicit),
	ENTRY("mcast_solicit", mcast_solicit),
	ENTRY("unres_qlen", unres_qlen),
	{ .name = NULL },
};
static const struct pseudo_entry neigh_entries[] = {
	{ .name = "default", .mode = S_IFDIR | 0555, .children = neigh_default_entries },
	{ .name = NULL },
};

static const struct pseudo_entry ipv4_entries[] = {
	ENTRY("ip_forward", ip_forward),
	ENTRY("ip_default_ttl", default_ttl),
	ENTRY("ip_local_port_range", port_range),
	ENTRY("ip_unprivileged_port_start", port_start),
	ENTRY("ip_no_pmtu_disc", no_pmtu),
	ENTRY("ip_nonlocal_bind", nonlocal_bind),
	ENTRY("icmp_echo_ignore_all", echo_all),
	ENTRY("icmp_echo_ignore_broadcasts", echo_broadcasts),
	ENTRY("icmp_ratelimit", ratelimit),
	ENTRY("icmp_ratemask", ratemask),
	ENTRY("icmp_msgs_per_sec", msgs_per_sec),
	ENTRY("icmp_msgs_burst", msgs_burst),
	ENTRY("ipfrag_high_thresh", frag_high),
	ENTRY("ipfrag_low_thresh", frag_low),
	ENTRY("ipfrag_time", frag_time),
	ENTRY("igmp_max_memberships", memberships),
	ENTRY("ping_group_range", ping_range),
	{ .name = "neigh", .mode = S_IFDIR | 0555, .children = neigh_entries },
	{ .name = NULL },
};

static const struct pseudo_entry net_entries[] = {
	{ .name = "core", .mode = S_IFDIR | 0555, .children = core_entries },
	{ .name = "ipv4", .mode = S_IFDIR | 0555, .children = ipv4_entries },
	{ .name = NULL },
};

static const struct pseudo_entry root_entries[] = {
	{ .name = "net", .mode = S_IFDIR | 0555, .children = net_entries },
	{ .name = NULL },
};

void
inet_sysctl_init(void)
{
	(void)pseudo_extend(&proc_fs_type, "sys", root_entries, NULL);
	inet_conf_proc_init();
}
