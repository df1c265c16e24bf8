/* SPDX-License-Identifier: MIT */
/*
 * Routes: the forwarding tables (longest prefix match, RCU readers) and the answer to "which way".
 *
 * A struct route is a plain value, on a stack or cached in a socket, without references: it may be
 * used only in a net section, and a cached one only after route_valid. Whatever takes a device,
 * an address, a table entry or a neighbour away bumps net->route_generation before it waits for
 * readers, so a valid route's pointers are alive to the section's end.
 *
 * IPv4 and IPv6 have tables of their own with the same code: keys of 32 and 128 bits. Rules of
 * policy routing (ip rule): three fixed ones, local, main, default, and whatever is added.
 */
#ifndef NET_CORE_ROUTE_H
#define NET_CORE_ROUTE_H

#include "net/core/neighbour.h"

/* An address of either family. IPv4 is mapped: ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct ip_addr {
	union {
		u8 b[16];
		u32 w[4]; /* network byte order */
		u64 q[2];
	};
};

#define IP_ADDR_ANY6 ((struct ip_addr){ { .q = { 0, 0 } } })

static inline struct ip_addr
ip_addr4(u32 be)
{
	struct ip_addr a;

	a.q[0] = 0;
	a.w[2] = htonl(0xffff);
	a.w[3] = be;
	return a;
}
static inline bool
ip_addr_is4(const struct ip_addr *a)
{
	return a->q[0] == 0 && a->w[2] == htonl(0xffff);
}
static inline u32
ip_addr_get4(const struct ip_addr *a) /* network byte order */
{
	return a->w[3];
}
static inline bool
ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ((a->q[0] ^ b->q[0]) | (a->q[1] ^ b->q[1])) == 0;
}
static inline bool
ip_addr_is_any(const struct ip_addr *a) /* 0.0.0.0 or :: */
{
	return a->q[0] == 0 && a->w[3] == 0 && (a->w[2] == 0 || a->w[2] == htonl(0xffff));
}
static inline bool
ipv4_is_multicast(u32 be)
{
	return (be & htonl(0xf0000000)) == htonl(0xe0000000);
}
static inline bool
ipv4_is_loopback(u32 be)
{
	return (be & htonl(0xff000000)) == htonl(0x7f000000);
}
static inline bool
ipv6_is_linklocal(const struct ip_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}
static inline bool
ip_addr_is_multicast(const struct ip_addr *a)
{
	return ip_addr_is4(a) ? ipv4_is_multicast(a->w[3]) : a->b[0] == 0xff;
}

/* RTN_*, RT_TABLE_*, RTPROT_*, RT_SCOPE_* are uapi/rtnetlink.h's. */
struct route_metrics {
	u32 mtu, window, rtt, rttvar, ssthresh, cwnd, advmss, initcwnd, initrwnd, hoplimit, rto_min,
		quickack, reordering, features;
};

struct route {
	u32 generation; /* of net->route_generation when it was looked up */
	u8 type;	/* RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST */
	u8 scope, table_id, protocol;
	bool has_gateway;
	u32 mtu; /* of the path: device, route or what ICMP said; for IP, header included */
	bool mtu_locked;
	struct net_device *dev;
	struct ip_addr gateway;		     /* next hop: the gateway, or the destination itself */
	struct ip_addr source;		     /* preferred source address for it */
	struct neighbour *neigh;	     /* of the next hop; NULL on devices without */
	u64 expires;			     /* monotonic ns; a learned path MTU's age */
	const struct route_metrics *metrics; /* NULL: none */
};

static inline bool
route_valid(const struct net_ns *net, const struct route *r)
{
	return r->dev && r->generation == smp_load_acquire(&net->route_generation);
}

/* What is asked. */
struct flow {
	struct ip_addr dst, src; /* src any: to be chosen */
	u32 oif;		 /* bound device, 0: any */
	u32 iif;		 /* input: device it came by; 0: a local sender */
	u32 mark;
	u8 tos, protocol;
	u16 src_port, dst_port;
	u32 flow_label;
	u32 uid;
};

/* One next hop of an entry. */
struct route_hop {
	struct net_device *dev; /* referenced; NULL for blackhole and the like */
	struct ip_addr gateway;
	bool has_gateway, onlink, dead;
	u8 weight;
};

/* An entry, immutable once published; freed after a grace period. */
struct route_entry {
	struct hlist_node hash_node; /* of its prefix */
	struct ip_addr dst;	     /* masked */
	u8 prefix_len;		     /* 0..32 or 0..128 */
	u8 type, scope, protocol, tos, table;
	u32 table_id;
	u32 priority; /* metric: lower first */
	u32 flags;
	struct ip_addr source; /* preferred; any: not given */
	struct route_metrics metrics;
	u64 expires; /* IPv6 RA routes: monotonic ns, 0: never */
	u8 nr_hops;
	struct route_hop hops[8];
	struct ref ref;
	struct rcu_head rcu;
};

/* For NET_ROUTE_ADD and NET_ROUTE_DEL. */
struct route_change {
	int family;
	const struct route_entry *entry;
	bool replaced;
};

/* ---- tables: config_lock held ---- */

#define ROUTE_CREATE  BIT(0)
#define ROUTE_EXCL    BIT(1) /* -EEXIST when there is one of the same prefix, tos and priority */
#define ROUTE_REPLACE BIT(2)
#define ROUTE_APPEND  BIT(3)
/* `e` is a template: copied. 0, -EEXIST, -ENOENT (replace without create), -ENETUNREACH (gateway),
 * -EINVAL, -ENOMEM, -ENODEV, -ENETDOWN. */
int route_add(struct net_ns *net, int family, const struct route_entry *e, u32 flags);
/* The first that matches all fields that are given (type 0, scope RT_SCOPE_NOWHERE, priority 0,
 * protocol 0, no hop: any). 0 or -ESRCH. */
int route_del(struct net_ns *net, int family, const struct route_entry *e);
/* Entries through a device that goes down (keep_local: but those of its addresses), or away. */
void route_flush_device(struct net_ns *net, struct net_device *dev, bool keep_local);
/* Entries whose time is over go; when the next one's is. config_lock. */
u64 route_expire(struct net_ns *net, int family, u64 now);
/* Entries with this preferred source: an address went. */
void
route_flush_source(struct net_ns *net, int family, const struct ip_addr *a, struct net_device *dev);
/* In ascending order of table and prefix; fn under config_lock or RCU. True stops. */
void route_for_each(struct net_ns *net, int family, u32 table_id,
		    bool (*fn)(const struct route_entry *e, void *ctx), void *ctx);

/* ---- rules ---- */

struct route_rule {
	struct list node;
	u32 priority, table_id;
	u8 action; /* FR_ACT_*: 1 to table, 6 blackhole, 7 unreachable, 8 prohibit */
	u8 src_len, dst_len, tos;
	struct ip_addr src, dst;
	u32 mark, mark_mask;
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	u8 protocol;
	bool invert;
	struct rcu_head rcu;
};
int route_rule_add(struct net_ns *net, int family, const struct route_rule *r);
int route_rule_del(struct net_ns *net, int family, const struct route_rule *r);
void route_rule_for_each(struct net_ns *net, int family,
			 bool (*fn)(const struct route_rule *r, void *ctx), void *ctx);

/* ---- lookups: in a net section ---- */

/* The matching entry and hop by the rules. 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES (prohibit),
 * -EINVAL (blackhole). */
int route_lookup_entry(struct net_ns *net, int family, const struct flow *f,
		       const struct route_entry **entry, const struct route_hop **hop);

/* A path MTU learned from ICMP: kept ten minutes. */
void route_pmtu_learn(struct net_ns *net, const struct ip_addr *dst, u32 mtu);
/* 0: none known. */
u32 route_pmtu_peek(struct net_ns *net, const struct ip_addr *dst, u64 *expires);

#endif
