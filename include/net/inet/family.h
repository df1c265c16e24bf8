/* SPDX-License-Identifier: MIT */
/*
 * What a second network layer, IPv6, needs of net/inet, and what it gives: the hooks.
 */
#ifndef NET_INET_FAMILY_H
#define NET_INET_FAMILY_H

#include "net/inet/address.h"
#include "net/inet/inet.h"

/* ---- configuration of a device, both families ---- */

struct inet_device {
	struct net_device *dev;
	struct list addrs;	    /* struct inet_addr; config_lock, RCU */
	struct list groups;	    /* struct inet_group; group_lock, RCU */
	struct spinlock group_lock; /* RANK_ROUTE */
	u32 conf[INET_CONF_COUNT];  /* config_lock; read anywhere: inet_conf */
	u32 conf_own;		    /* bits of those that were set for this device */
	u64 igmp_v2_until;	    /* a router of the older version is there */
	struct rcu_head rcu;
};
struct inet_group { /* a group that sockets of this host have joined on a device */
	struct list node;
	struct ip_addr addr;
	u32 users;
	struct rcu_head rcu;
};
static inline struct inet_device *
inet_device_of(const struct net_device *dev)
{
	return rcu_dereference(dev->inet);
}
/* What holds for a device: "all" and its own together. Under RCU. */
static inline u32
inet_conf(const struct net_device *dev, enum inet_setting s)
{
	const struct inet_device *in = inet_device_of(dev);
	u32 own = in ? READ_ONCE(in->conf[s]) : 0;

	return MAX(own, READ_ONCE(dev->net->inet->conf_all[s]));
}
/* Directories of such settings, in /proc/sys/net/ipv4/conf and ipv6/conf: the context of `dir` is
 * one of these. */
#define INET_CONF_DEFAULT	  NULL
#define INET_CONF_ALL		  ((void *)1)
#define INET_CONF_DEVICE(ifindex) ((void *)((uintptr_t)(ifindex) + 1))
#define INET_CONF_IFINDEX(ctx)	  ((u32)(uintptr_t)(ctx)-1)
struct pseudo_entry;
struct pseudo_node;
struct dir_context;
int inet_conf_lookup(const struct pseudo_entry *dir, const char *name, size_t len,
		     struct pseudo_node *out);
int inet_conf_readdir(void *ctx, struct dir_context *dc, u64 first);
bool inet_group_joined(const struct net_device *dev, const struct ip_addr *group);
int inet_group_join(struct net_device *dev, const struct ip_addr *group);
void inet_group_leave(struct net_device *dev, const struct ip_addr *group);

/* ---- input ---- */

/* To raw sockets and the transport of `protocol`: data at the transport header, inet_cb filled.
 * Takes over p. */
void inet_deliver(struct packet *p, u8 protocol);
extern const struct inet_protocol *inet_protocols[256];

struct fragment_key {
	struct ip_addr src, dst;
	u32 id, ifindex;
	u8 protocol;
	bool v6;
};
/* A fragment whose payload, from data on, belongs at `offset`; header bytes stay in front of data
 * from network_header on. Takes over p. The whole datagram once it is complete: the first
 * fragment's header, then all payload, data at the network header; NULL: not yet, or dropped. */
struct packet *fragment_add(struct net_ns *net, const struct fragment_key *key, struct packet *p,
			    u32 offset, bool more);

/* Echo replies and errors for ping sockets; errors for raw ones. As in struct inet_protocol. */
int ping_receive(struct packet *p); /* 0 when a ping socket took it */
void ping_error(struct packet *p, const struct inet_error *e);
void raw_error(struct packet *p, u8 protocol, const struct inet_error *e);
bool icmp_ratelimit_global(void);

/* Add the link header (or leave it to the neighbour) and send. Takes over p. */
int inet_link_output(struct packet *p, const struct route *route);
/* A copy of a multicast or broadcast packet comes back to this host. */
void inet_loop_copy(struct packet *p, const struct route *route);
/* The device's MTU, or what the route or ICMP knows better. */
u32 inet_route_mtu(struct net_ns *net, const struct ip_addr *dst, const struct route_entry *e,
		   const struct net_device *dev, struct route *out);

/* ---- what net/inet6 gives ---- */

struct inet6_hooks {
	int (*route_output)(struct net_ns *net, const struct flow *f, struct route *out);
	int (*send)(struct inet_sock *sk, struct packet *p, const struct ip_tx *tx,
		    const struct route *route);
	void (*icmp_error)(struct packet *p, enum inet_unreach kind, u32 info);
	u8 (*addr_type)(struct net_ns *net, const struct ip_addr *a, u32 ifindex);
	/* This host joined or left a group. */
	void (*group_report)(struct net_device *dev, const struct ip_addr *group, bool leave);
};
extern const struct inet6_hooks *inet6_hooks; /* NULL: no IPv6 */

#endif
