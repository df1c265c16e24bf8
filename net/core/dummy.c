/* SPDX-License-Identifier: MIT */
/* dummy: a device that sends into the void, to hold addresses and routes. */
#include "lib/string.h"
#include "mm/slab.h"
#include "net/core/kind.h"
#include "net_core_internal.h"
#include "uapi/errno.h"

static int
dummy_transmit(struct net_device *dev, u32 q, struct packet *p, bool more)
{
	packet_free(p);
	return 0;
}

static void
dummy_release(struct net_device *dev)
{
	kfree(dev);
}

static const struct net_device_ops dummy_ops = {
	.transmit = dummy_transmit,
	.set_mac = net_device_ether_set_mac,
	.release = dummy_release,
};

static int
dummy_create(struct net_ns *net, const struct net_device_wish *wish, struct net_device **out)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int r;

	if (!dev)
		return -ENOMEM;
	net_device_ether_init(dev, &dummy_kind, wish->name[0] ? wish->name : "dummy%d");
	dev->min_mtu = dev->max_mtu = 0;
	dev->flags = IFF_BROADCAST | IFF_NOARP;
	dev->features = NETIF_SG | NETIF_CSUM | NETIF_TSO4 | NETIF_TSO6 | NETIF_USO |
			NETIF_LOCKLESS;
	dev->carrier = true;
	dev->ifindex = wish->ifindex;
	dev->ops = &dummy_ops;
	r = net_device_register_locked(dev, net);
	if (r)
		kfree(dev);
	else
		*out = dev;
	return r;
}

const struct net_device_kind dummy_kind = {
	.name = "dummy",
	.create = dummy_create,
	.destroy = net_device_unregister_locked,
};
