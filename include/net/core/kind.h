/* SPDX-License-Identifier: MIT */
/*
 * Devices that programs make and end: `ip link add NAME type KIND`, `ip link delete NAME`.
 */
#ifndef NET_CORE_KIND_H
#define NET_CORE_KIND_H

#include "net/core/device.h"

/* What is asked for. Names may contain %d; "" is the kind's own, like "dummy%d". */
struct net_device_wish {
	char name[IFNAMSIZ];
	u32 ifindex;		  /* 0: the next one */
	char peer_name[IFNAMSIZ]; /* of the other end, where there is one */
	const u8 *peer_addr;	  /* ETH_ALEN bytes; NULL: random */
	u32 peer_mtu;		  /* 0: the default */
};

struct net_device_kind {
	const char *name;
	/* Makes and registers it; *out has no reference of its own. config_lock held. 0, -EEXIST,
	 * -EINVAL, -ENOMEM. */
	int (*create)(struct net_ns *net, const struct net_device_wish *wish,
		      struct net_device **out);
	/* Unregisters it and what belongs to it. config_lock held. */
	void (*destroy)(struct net_device *dev);
};

const struct net_device_kind *net_device_kind_find(const char *name); /* NULL: unknown */
/* An Ethernet device as kinds begin with: 1500 bytes, a random address. */
void
net_device_ether_init(struct net_device *dev, const struct net_device_kind *kind, const char *name);
/* ops->set_mac of devices that keep no copy. */
int net_device_ether_set_mac(struct net_device *dev, const u8 *addr);

#endif
