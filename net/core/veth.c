/* SPDX-License-Identifier: MIT */
/*
 * veth: a pair of Ethernet devices with a wire between them. What one sends the other receives,
 * the same buffer as it is, like on lo: through the backlog of the sender's CPU, with its checksum
 * still open and however long, since no wire can harm it.
 *
 * Lifetime: both ends go together. An end points to the other until then; a sender in a net
 * section may still follow the pointer, and unregistration waits for it.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "net/core/kind.h"
#include "net_core_internal.h"
#include "uapi/errno.h"

struct veth {
	struct net_device dev;
	struct veth *peer; /* RCU; written under config_lock; NULL: about to go */
};

static struct veth *
veth_of(struct net_device *dev)
{
	return container_of(dev, struct veth, dev);
}

static int
veth_transmit(struct net_device *dev, u32 q, struct packet *p, bool more)
{
	struct veth *peer = rcu_dereference(veth_of(dev)->peer);

	packet_orphan(p);
	if (!peer || !(READ_ONCE(peer->dev.flags) & IFF_UP)) {
		net_stat_inc(dev, tx_dropped);
		packet_free(p);
		return 0;
	}
	p->dev = &peer->dev;
	p->mark = 0;
	p->flags &= (u8) ~(PACKET_F_LOOPED | PACKET_F_FORWARD | PACKET_F_IGNORE_DF |
			   PACKET_F_DST_SET);
	if (!eth_header_parse(p)) {
		net_stat_inc(&peer->dev, rx_errors);
		packet_free(p);
		return 0;
	}
	if (p->csum_state != CSUM_PARTIAL)
		p->csum_state = CSUM_NONE;
	net_receive_later(p);
	return 0;
}

/* There is a link while both are up. */
static int
veth_open(struct net_device *dev)
{
	struct veth *peer = veth_of(dev)->peer;

	if (peer && (peer->dev.flags & IFF_UP)) {
		net_device_carrier(dev, true);
		net_device_carrier(&peer->dev, true);
	}
	return 0;
}

static void
veth_stop(struct net_device *dev)
{
	struct veth *peer = veth_of(dev)->peer;

	net_device_carrier(dev, false);
	if (peer)
		net_device_carrier(&peer->dev, false);
}

static void
veth_release(struct net_device *dev)
{
	kfree(veth_of(dev));
}

static const struct net_device_ops veth_ops = {
	.open = veth_open,
	.stop = veth_stop,
	.transmit = veth_transmit,
	.set_mac = net_device_ether_set_mac,
	.release = veth_release,
};

static struct veth *
end_new(const char *name)
{
	struct veth *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return NULL;
	net_device_ether_init(&v->dev, &veth_kind, name[0] ? name : "veth%d");
	v->dev.flags = IFF_BROADCAST | IFF_MULTICAST;
	v->dev.features = NETIF_SG | NETIF_CSUM | NETIF_TSO4 | NETIF_TSO6 | NETIF_USO |
			  NETIF_RXCSUM | NETIF_LOCKLESS;
	v->dev.ops = &veth_ops;
	return v;
}

static int
veth_create(struct net_ns *net, const struct net_device_wish *wish, struct net_device **out)
{
	struct veth *v = end_new(wish->name), *peer = end_new(wish->peer_name);
	int r = -ENOMEM;

	if (!v || !peer)
		goto out_free;
	v->dev.ifindex = wish->ifindex;
	if (wish->peer_addr) {
		r = net_device_ether_set_mac(&peer->dev, wish->peer_addr);
		if (r)
			goto out_free;
		memcpy(peer->dev.addr, wish->peer_addr, ETH_ALEN);
	}
	r = -EINVAL;
	if (wish->peer_mtu) {
		if (wish->peer_mtu < peer->dev.min_mtu || wish->peer_mtu > peer->dev.max_mtu)
			goto out_free;
		peer->dev.mtu = wish->peer_mtu;
	}
	r = net_device_register_locked(&peer->dev, net);
	if (r)
		goto out_free;
	r = net_device_register_locked(&v->dev, net);
	if (r) {
		net_device_unregister_locked(&peer->dev);
		kfree(v);
		return r;
	}
	v->dev.link = peer->dev.ifindex;
	peer->dev.link = v->dev.ifindex;
	rcu_assign_pointer(v->peer, peer);
	rcu_assign_pointer(peer->peer, v);
	*out = &v->dev;
	return 0;

out_free:
	kfree(v);
	kfree(peer);
	return r;
}

static void
veth_destroy(struct net_device *dev)
{
	struct veth *v = veth_of(dev), *peer = v->peer;

	rcu_assign_pointer(v->peer, NULL);
	rcu_assign_pointer(peer->peer, NULL);
	net_device_unregister_locked(&v->dev);
	net_device_unregister_locked(&peer->dev);
}

const struct net_device_kind veth_kind = {
	.name = "veth",
	.create = veth_create,
	.destroy = veth_destroy,
};
