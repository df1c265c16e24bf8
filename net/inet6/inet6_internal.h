/* SPDX-License-Identifier: MIT */
/* What the files of net/inet6 share. */
#ifndef INET6_INTERNAL_H
#define INET6_INTERNAL_H

#include "net/inet/family.h"
#include "net/inet6/inet6.h"

/* Kept at dev->inet6; made under config_lock, read under RCU. */
struct inet6_device {
	struct net_device *dev;
	bool disabled, accept_ra, autoconf;
	u8 hop_limit;
	u8 solicits_left; /* router solicitations to send */
	u64 solicit_at;	  /* monotonic ns */
	u32 ra_mtu;	  /* 0: none was advertised */
	struct rcu_head rcu;
};
static inline struct inet6_device *
inet6_device_of(const struct net_device *dev)
{
	return rcu_dereference(dev->inet6);
}
struct inet6_config { /* of devices to come, and of all */
	bool disabled, accept_ra, autoconf, forwarding;
	u8 hop_limit;
	u32 dad_transmits;
};
extern struct inet6_config inet6_config;
extern struct neighbour_table nd_table;

#define ND_ROUTER_SOLICIT 133
#define ND_ROUTER_ADVERT  134
#define ND_SOLICIT	  135
#define ND_ADVERT	  136
#define ND_REDIRECT	  137
#define ICMP6_UNREACH	  1
#define ICMP6_TOO_BIG	  2
#define ICMP6_TIME	  3
#define ICMP6_PARAMETER	  4
#define ICMP6_ECHO	  128
#define ICMP6_ECHO_REPLY  129
#define MLD_QUERY	  130
#define MLD_REPORT	  131
#define MLD_DONE	  132
#define MLD2_REPORT	  143

extern const struct ip_addr ip6_loopback, ip6_all_nodes, ip6_all_routers;
static inline struct ip_addr
solicited_node(const struct ip_addr *a) /* RFC 4291 2.7.1 */
{
	struct ip_addr g = { .b = { 0xff, 2, [11] = 1, [12] = 0xff, a->b[13], a->b[14],
				    a->b[15] } };

	return g;
}
static inline u8
ip6_scope(const struct ip_addr *a) /* RFC 4291 2.7: 1, 2, 5, 14 */
{
	if (a->b[0] == 0xff)
		return a->b[1] & 15;
	if (ip_addr_equal(a, &ip6_loopback))
		return 1;
	return ipv6_is_linklocal(a) ? 2 : 14;
}

/* route.c */
int ip6_route_output(struct net_ns *net, const struct flow *f, struct route *out);
void ip6_route_input(struct net_ns *net, const struct flow *f, struct route *out, int *error);
u8 ip6_addr_type(struct net_ns *net, const struct ip_addr *a, u32 ifindex);
struct ip_addr
ip6_source_select(struct net_ns *net, const struct net_device *dev, const struct ip_addr *dst);
/* output.c */
int
ip6_send(struct inet_sock *sk, struct packet *p, const struct ip_tx *tx, const struct route *route);
int ip6_finish(struct packet *p, const struct route *route, bool may_fragment,
	       const struct inet_sock *sk);
/* input.c */
void ip6_receive(struct packet *p);
/* The upper protocol's header in a quoted packet: its offset from data, or -1. */
int ip6_skip_headers(const struct packet *p, u32 offset, u8 *next, u16 *frag_off);
/* icmp.c */
void icmp6_error(struct packet *p, enum inet_unreach kind, u32 info);
void icmp6_send_error(struct packet *p, u8 type, u8 code, u32 info_be);
/* An ICMPv6 message of our own; data at the ICMP header, checksum to be filled in. Takes over p.
 * src any: unspecified. In a net section. */
void icmp6_emit(struct net_device *dev, struct packet *p, const struct ip_addr *src,
		const struct ip_addr *dst, s16 hops);
void mld_report(struct net_device *dev, const struct ip_addr *group, bool leave);
void icmp6_init(void);
/* nd.c: p's data at the ICMP header, whole message linear; p stays the caller's. */
void nd_receive(struct packet *p);
void nd_solicit(struct net_device *dev, const struct ip_addr *target, const struct ip_addr *src,
		const struct ip_addr *to);
void nd_router_solicit(struct net_device *dev);
void nd_init(struct net_ns *net);
/* address.c */
void address6_init(void);
/* Somebody else has the address that we are about to take. In a net section. */
void address6_conflict(struct net_device *dev, const struct ip_addr *a);
/* What a router advertised. In a net section. */
struct ra_news {
	struct net_device *dev;
	struct ip_addr router;
	u32 router_lifetime; /* seconds; 0: no default router */
	u8 preference;
	bool has_prefix, on_link, autonomous;
	struct ip_addr prefix;
	u8 prefix_len;
	u32 valid, preferred; /* seconds */
};
void address6_advertised(const struct ra_news *news);
void sysctl6_init(void);
void address6_set_disabled(struct net_device *dev, bool disabled); /* config_lock held */

#endif
