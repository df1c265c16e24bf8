/* SPDX-License-Identifier: MIT */
/*
 * /proc/net: proc(5) and proc_net's layouts, as ifconfig, route, arp, netstat and ss read them.
 */
#include "fs/proc/proc.h"
#include "core/cpumask.h"
#include "core/time.h"
#include "fs/vfs/pseudo.h"
#include "inet_internal.h"
#include "lib/format.h"
#include "mm/page.h"
#include "net/inet/diag.h"

u64
inet_counter(enum inet_counter c)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		sum += READ_ONCE((*percpu_ptr(inet_counters, cpu))[c]);
	return sum;
}

/* ---- devices ---- */

static int
show_dev(struct strbuf *sb, void *ctx)
{
	struct net_device *dev;

	strbuf_puts(sb, "Inter-|   Receive                                                |  "
			"Transmit\n face |bytes    packets errs drop fifo frame compressed "
			"multicast|bytes    packets errs drop fifo colls carrier compressed\n");
	rcu_read_lock();
	net_device_for_each(dev, net_current())
	{
		struct net_stats s;

		net_device_stats(dev, &s);
		strbuf_printf(sb,
			      "%6s: %7lu %7lu %4lu %4lu %4lu %5lu %10u %9lu %8lu %7lu %4lu %4lu "
			      "%4lu %5lu %7lu %10u\n",
			      dev->name, s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped,
			      s.rx_fifo_errors,
			      s.rx_length_errors + s.rx_crc_errors + s.rx_frame_errors, 0u,
			      s.multicast, s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped,
			      s.tx_fifo_errors, s.collisions, s.tx_carrier_errors, 0u);
	}
	rcu_read_unlock();
	return 0;
}

static int
show_dev_mcast(struct strbuf *sb, void *ctx)
{
	struct net_device *dev;

	rcu_read_lock();
	net_device_for_each(dev, net_current())
	{
		struct net_mc_addr *m;

		spin_lock(&dev->mc_lock);
		list_for_each_entry(m, &dev->multicast, node)
		{
			strbuf_printf(sb, "%-4u %-15s %-5u %-5u ", dev->ifindex, dev->name,
				      m->users, 0u);
			for (u32 i = 0; i < dev->addr_len; i++)
				strbuf_printf(sb, "%02x", m->addr[i]);
			strbuf_putc(sb, '\n');
		}
		spin_unlock(&dev->mc_lock);
	}
	rcu_read_unlock();
	return 0;
}

static int
show_igmp(struct strbuf *sb, void *ctx)
{
	struct net_device *dev;

	strbuf_puts(sb, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	rcu_read_lock();
	net_device_for_each(dev, net_current())
	{
		struct inet_device *in = inet_device_of(dev);
		struct inet_group *g;
		u32 count = 0;

		if (!in)
			continue;
		list_for_each_entry_rcu(g, &in->groups, node) count += ip_addr_is4(&g->addr);
		strbuf_printf(sb, "%u\t%-10s: %5u      V3\n", dev->ifindex, dev->name, count);
		list_for_each_entry_rcu(g, &in->groups, node)
		{
			if (ip_addr_is4(&g->addr))
				strbuf_printf(sb, "\t\t\t\t%08X %5u 0:00000000\t\t0\n",
					      ip_addr_get4(&g->addr), g->users);
		}
	}
	rcu_read_unlock();
	return 0;
}

/* ---- routes and neighbours ---- */

static bool
show_route_one(const struct route_entry *e, void *ctx)
{
	struct strbuf *sb = ctx;
	u32 mask = e->prefix_len ? htonl(~0u << (32 - e->prefix_len)) : 0;
	u32 flags = RTF_UP;
	const struct route_hop *h = &e->hops[0];

	if (e->type == RTN_LOCAL || e->type == RTN_BROADCAST || e->type == RTN_MULTICAST)
		return false;
	if (e->type != RTN_UNICAST)
		flags |= RTF_REJECT;
	if (e->nr_hops && h->has_gateway)
		flags |= RTF_GATEWAY;
	if (e->prefix_len == 32)
		flags |= RTF_HOST;
	strbuf_printf(sb, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%d\t%08X\t%d\t%u\t%u\n",
		      e->nr_hops && h->dev ? h->dev->name : "*", ip_addr_get4(&e->dst),
		      e->nr_hops && h->has_gateway ? ip_addr_get4(&h->gateway) : 0, flags, 0, 0u,
		      (int)e->priority, mask, e->metrics.advmss ? (int)e->metrics.advmss + 40 : 0,
		      e->metrics.window, e->metrics.rtt >> 3);
	return false;
}

static int
show_route(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t"
			"Window\tIRTT\n");
	rcu_read_lock();
	route_for_each(net_current(), AF_INET, RT_TABLE_MAIN, show_route_one, sb);
	rcu_read_unlock();
	return 0;
}

static void
put_ip(struct strbuf *sb, const u8 *b, int width)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	strbuf_printf(sb, "%-*s", width, text);
}

static bool
show_arp_one(struct neighbour *n, void *ctx)
{
	struct strbuf *sb = ctx;

	if (n->state & NUD_NOARP)
		return false;
	put_ip(sb, n->key, 16);
	strbuf_printf(sb, " 0x%-10x0x%-10x", n->dev->type,
		      (n->state & NUD_VALID ? ATF_COM : 0) |
			      (n->state & NUD_PERMANENT ? ATF_PERM : 0));
	for (u32 i = 0; i < n->dev->addr_len; i++)
		strbuf_printf(sb, i ? ":%02x" : "%02x", n->addr[i]);
	strbuf_printf(sb, "     *        %s\n", n->dev->name);
	return false;
}

static int
show_arp(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "IP address       HW type     Flags       HW address            Mask     "
			"Device\n");
	neighbour_for_each(&net_current()->inet->arp, show_arp_one, sb);
	return 0;
}

static bool
show_inet6_one(const struct inet_addr *a, void *ctx)
{
	struct strbuf *sb = ctx;

	for (u32 i = 0; i < 16; i++)
		strbuf_printf(sb, "%02x", a->local.b[i]);
	strbuf_printf(sb, " %02x %02x %02x %02x %8s\n", a->dev->ifindex, a->prefix_len,
		      a->scope == RT_SCOPE_HOST	  ? 0x10u
		      : a->scope == RT_SCOPE_LINK ? 0x20u
						  : 0u,
		      a->flags & 0xff, a->dev->name);
	return false;
}

static int
show_if_inet6(struct strbuf *sb, void *ctx)
{
	rcu_read_lock();
	inet_address_for_each(net_current(), NULL, AF_INET6, show_inet6_one, sb);
	rcu_read_unlock();
	return 0;
}

static void
put_addr6(struct strbuf *sb, const struct ip_addr *a)
{
	for (u32 i = 0; i < 16; i++)
		strbuf_printf(sb, "%02x", a->b[i]);
}

static bool
show_route6_one(const struct route_entry *e, void *ctx)
{
	static const struct ip_addr zero;
	struct strbuf *sb = ctx;
	const struct route_hop *h = &e->hops[0];
	u32 flags = RTF_UP | (e->prefix_len == 128 ? RTF_HOST : 0);

	if (e->nr_hops && h->has_gateway)
		flags |= RTF_GATEWAY;
	if (e->type == RTN_LOCAL)
		flags |= 0x80000000u;
	if (e->type == RTN_UNREACHABLE || e->type == RTN_BLACKHOLE || e->type == RTN_PROHIBIT)
		flags |= RTF_REJECT;
	put_addr6(sb, &e->dst);
	strbuf_printf(sb, " %02x ", e->prefix_len);
	put_addr6(sb, &zero);
	strbuf_puts(sb, " 00 ");
	put_addr6(sb, e->nr_hops && h->has_gateway ? &h->gateway : &zero);
	strbuf_printf(sb, " %08x %08x %08x %08x %8s\n", e->priority, 1u, 0u, flags,
		      e->nr_hops && h->dev ? h->dev->name : "lo");
	return false;
}

static int
show_route6(struct strbuf *sb, void *ctx)
{
	rcu_read_lock();
	route_for_each(net_current(), AF_INET6, 0, show_route6_one, sb);
	rcu_read_unlock();
	return 0;
}

/* ---- counters ---- */

/* The names in the order of Linux's files; those that nothing counts are 0. */
struct counter_group {
	const char *prefix, *names;
};

static const struct counter_group snmp_groups[] = {
	{ "Ip", "Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		"InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		"ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates" },
	{ "Icmp", "InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "
		  "InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "
		  "InAddrMasks InAddrMaskReps OutMsgs OutErrors OutDestUnreachs OutTimeExcds "
		  "OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps "
		  "OutTimestampReps OutAddrMasks OutAddrMaskReps" },
	{ "Tcp", "RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		 "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors" },
	{ "Udp", "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		 "InCsumErrors IgnoredMulti MemErrors" },
	{ "UdpLite", "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		     "InCsumErrors IgnoredMulti MemErrors" },
	{ NULL, NULL },
};
static const struct counter_group netstat_groups[] = {
	{ "TcpExt", "SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TW "
		    "DelayedACKs TCPTimeouts TCPLossProbes TCPSackRecovery TCPFastRetrans "
		    "TCPRetransFail TCPBacklogDrop TCPChallengeACK TCPAbortOnData TCPAbortOnClose "
		    "TCPAbortOnTimeout TCPOFOQueue TCPRcvQDrop PAWSEstab TCPKeepAlive "
		    "TCPSpuriousRTOs" },
	{ "IpExt", "InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts" },
	{ NULL, NULL },
};

static const char *const counter_names[] = {
#define X(name) #name,
	INET_COUNTERS(X)
#undef X
};

static u64
counter_by_name(const char *prefix, const char *name, size_t len)
{
	const struct inet_net *in = net_current()->inet;
	size_t n = strlen(prefix);

	if (!strcmp(prefix, "Ip") && !strncmp(name, "Forwarding", len))
		return in->forward ? 1 : 2;
	if (!strcmp(prefix, "Ip") && !strncmp(name, "DefaultTTL", len))
		return in->default_ttl;
	if (!strcmp(prefix, "Tcp")) {
		if (!strncmp(name, "RtoAlgorithm", len))
			return 1;
		if (!strncmp(name, "RtoMin", len))
			return 200;
		if (!strncmp(name, "RtoMax", len))
			return 120000;
		if (!strncmp(name, "MaxConn", len))
			return (u64)-1;
	}
	for (u32 i = 0; i < INET_COUNTER_COUNT; i++)
		if (!strncmp(counter_names[i], prefix, n) &&
		    !strncmp(counter_names[i] + n, name, len) && !counter_names[i][n + len])
			return inet_counter(i);
	return 0;
}

static void
show_groups(struct strbuf *sb, const struct counter_group *g)
{
	for (; g->prefix; g++) {
		const char *at = g->names;

		strbuf_printf(sb, "%s: %s\n%s:", g->prefix, g->names, g->prefix);
		while (*at) {
			size_t len = strcspn(at, " ");

			strbuf_putc(sb, ' ');
			strbuf_put_s64(sb, (s64)counter_by_name(g->prefix, at, len));
			at += len + (at[len] == ' ');
		}
		strbuf_putc(sb, '\n');
	}
}

static int
show_snmp(struct strbuf *sb, void *ctx)
{
	show_groups(sb, snmp_groups);
	return 0;
}

static int
show_netstat(struct strbuf *sb, void *ctx)
{
	show_groups(sb, netstat_groups);
	return 0;
}

static int
show_snmp6(struct strbuf *sb, void *ctx)
{
	for (u32 i = 0; i < INET_COUNTER_COUNT; i++)
		if (!strncmp(counter_names[i], "Ip6", 3) || !strncmp(counter_names[i], "Udp6", 4))
			strbuf_printf(sb, "%-32s\t%lu\n", counter_names[i], inet_counter(i));
	return 0;
}

/* ---- sockets ---- */

u64
inet_sock_cookie(const struct net_ns *net, const void *sk)
{
	return (u64)(uintptr_t)sk * HASH_GOLDEN_64 ^ net->hash_key.word[0];
}

void
inet_diag_fill(struct inet_diag *d, const struct inet_sock *sk)
{
	struct socket *s = rcu_dereference(sk->socket);

	*d = (struct inet_diag){
		.sk = sk,
		.cookie = inet_sock_cookie(sk->net, sk),
		.family = sk->family,
		.protocol = sk->protocol,
		.state = READ_ONCE(sk->state),
		.local = sk->local,
		.remote = sk->remote,
		.local_port = sk->local_port,
		.remote_port = sk->remote_port,
		.ifindex = sk->bound_ifindex,
		.rqueue = (u32)atomic_read(&sk->rmem),
		.wqueue = (u32)atomic_read(&sk->wmem),
		.uid = sk->uid,
		.inum = s ? socket_inum(s) : 0,
		.refs = ref_read(&sk->ref),
	};
}

static void
put_address(struct strbuf *sb, int family, const struct ip_addr *a, u16 port)
{
	static const u32 none[4];

	if (family == AF_INET6) {
		const u32 *w = ip_addr_is_any(a) ? none : a->w;

		strbuf_printf(sb, "%08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3], port);
	} else {
		strbuf_printf(sb, "%08X:%04X", ip_addr_get4(a), port);
	}
}

void
inet_diag_line(struct strbuf *sb, u32 slot, const struct inet_diag *d)
{
	strbuf_printf(sb, "%4u: ", slot);
	put_address(sb, d->family, &d->local, d->local_port);
	strbuf_putc(sb, ' ');
	put_address(sb, d->family, &d->remote, d->remote_port);
	strbuf_printf(sb, " %02X %08X:%08X %02X:%08lX %08X %5u %8u %lu %d %016x", d->state,
		      d->wqueue, d->rqueue, d->timer, d->timer_ns * USER_HZ / NSEC_PER_SEC,
		      d->retransmits, d->uid, d->probes, d->inum, d->refs, 0);
}

struct datagram_lines {
	struct strbuf *sb;
	int family;
	u32 slot;
};

static bool
show_datagram_sock(const struct inet_diag *d, void *ctx)
{
	struct datagram_lines *l = ctx;

	if (d->family != l->family)
		return false;
	inet_diag_line(l->sb, l->slot++, d);
	strbuf_printf(l->sb, " %u\n", (u32)atomic_read(&d->sk->drops));
	return l->sb->overflow;
}

#define HEADER4                                                                               \
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid " \
	" timeout inode ref pointer drops\n"
#define HEADER6                                                                              \
	"  sl  local_address                         remote_address                        " \
	"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"

static int
show_udp(struct strbuf *sb, void *ctx)
{
	struct datagram_lines l = { .sb = sb, .family = AF_INET };

	strbuf_puts(sb, HEADER4);
	udp_diag_for_each(show_datagram_sock, &l);
	return 0;
}

static int
show_udp6(struct strbuf *sb, void *ctx)
{
	struct datagram_lines l = { .sb = sb, .family = AF_INET6 };

	strbuf_puts(sb, HEADER6);
	udp_diag_for_each(show_datagram_sock, &l);
	return 0;
}

static int
show_raw(struct strbuf *sb, void *ctx)
{
	struct datagram_lines l = { .sb = sb, .family = AF_INET };

	strbuf_puts(sb, HEADER4);
	raw_diag_for_each(show_datagram_sock, &l);
	return 0;
}

static int
show_raw6(struct strbuf *sb, void *ctx)
{
	struct datagram_lines l = { .sb = sb, .family = AF_INET6 };

	strbuf_puts(sb, HEADER6);
	raw_diag_for_each(show_datagram_sock, &l);
	return 0;
}

void (*inet_tcp_counts)(const struct net_ns *net, u32 *orphans, u32 *timewaits);

static int
show_sockstat(struct strbuf *sb, void *ctx)
{
	u32 orphans = 0, timewaits = 0;

	if (inet_tcp_counts)
		inet_tcp_counts(net_current(), &orphans, &timewaits);
	strbuf_printf(sb, "sockets: used %d\nTCP: inuse %d orphan %u tw %u alloc %d mem 0\n",
		      atomic_read(&inet_sock_count[IPPROTO_TCP]) +
			      atomic_read(&inet_sock_count[IPPROTO_UDP]),
		      atomic_read(&inet_sock_count[IPPROTO_TCP]), orphans, timewaits,
		      atomic_read(&inet_sock_count[IPPROTO_TCP]));
	strbuf_printf(sb, "UDP: inuse %d mem 0\nUDPLITE: inuse 0\nRAW: inuse %d\n",
		      atomic_read(&inet_sock_count[IPPROTO_UDP]),
		      atomic_read(&inet_sock_count[IPPROTO_RAW]));
	strbuf_printf(sb, "FRAG: inuse %u memory %d\n", fragment_count,
		      atomic_read(&fragment_memory));
	return 0;
}

static const struct pseudo_entry entries[] = {
	{ .name = "dev", .mode = S_IFREG | 0444, .show = show_dev },
	{ .name = "dev_mcast", .mode = S_IFREG | 0444, .show = show_dev_mcast },
	{ .name = "igmp", .mode = S_IFREG | 0444, .show = show_igmp },
	{ .name = "route", .mode = S_IFREG | 0444, .show = show_route },
	{ .name = "arp", .mode = S_IFREG | 0444, .show = show_arp },
	{ .name = "if_inet6", .mode = S_IFREG | 0444, .show = show_if_inet6 },
	{ .name = "ipv6_route", .mode = S_IFREG | 0444, .show = show_route6 },
	{ .name = "snmp", .mode = S_IFREG | 0444, .show = show_snmp },
	{ .name = "snmp6", .mode = S_IFREG | 0444, .show = show_snmp6 },
	{ .name = "netstat", .mode = S_IFREG | 0444, .show = show_netstat },
	{ .name = "sockstat", .mode = S_IFREG | 0444, .show = show_sockstat },
	{ .name = "udp", .mode = S_IFREG | 0444, .show = show_udp },
	{ .name = "udp6", .mode = S_IFREG | 0444, .show = show_udp6 },
	{ .name = "raw", .mode = S_IFREG | 0444, .show = show_raw },
	{ .name = "raw6", .mode = S_IFREG | 0444, .show = show_raw6 },
};

void
inet_proc_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		proc_net_add(&entries[i]);
}
