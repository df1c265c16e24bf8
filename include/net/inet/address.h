/* SPDX-License-Identifier: MIT */
/*
 * IPv4 and IPv6 addresses of devices, for ioctls, rtnetlink and source selection.
 *
 * Lists are changed under the namespace's config_lock and read under RCU; every change notifies
 * NET_ADDR_ADD or NET_ADDR_DEL and keeps the local, broadcast and prefix routes in step.
 */
#ifndef NET_INET_ADDRESS_H
#define NET_INET_ADDRESS_H

#include "net/core/route.h"

struct inet_addr {
	struct list node;	     /* of its device */
	struct hlist_node hash_node; /* of its namespace, by address */
	int family;
	struct net_device *dev;
	struct ip_addr local, peer; /* peer == local but on point-to-point links */
	struct ip_addr broadcast;   /* any: none */
	u8 prefix_len, scope;
	u32 flags;   /* IFA_F_* */
	u8 protocol; /* who set it: IFAPROT_* */
	char label[IFNAMSIZ];
	u64 created, updated;		  /* monotonic ns */
	u64 valid_until, preferred_until; /* monotonic ns or TIME_NEVER */
	u32 dad_probes;			  /* IPv6: left */
	struct rcu_head rcu;
};

/* All with config_lock held. `a` is a template. 0, -EEXIST, -EINVAL, -ENOBUFS, -ENODEV. */
int inet_address_add(struct net_device *dev, const struct inet_addr *a, bool replace);
/* Matches local (and prefix_len, label where not 0). 0 or -EADDRNOTAVAIL. */
int inet_address_del(struct net_device *dev, const struct inet_addr *a);
/* fn under config_lock or RCU; true stops. dev NULL: all of the namespace. */
void inet_address_for_each(struct net_ns *net, struct net_device *dev, int family,
			   bool (*fn)(const struct inet_addr *a, void *ctx), void *ctx);
/* The address entry of that very address; in a net section. dev NULL: on any device. */
struct inet_addr *
inet_address_peek(struct net_ns *net, const struct ip_addr *a, const struct net_device *dev);
/* The address to send from by `dev` to `dst` with at most this scope; any if none. Net section. */
struct ip_addr
inet_address_select(const struct net_device *dev, const struct ip_addr *dst, u8 scope);

#endif
