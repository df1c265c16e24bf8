/* SPDX-License-Identifier: MIT */
/*
 * lo: what is sent is received. The same buffer goes on, whole however long, with its checksum
 * taken as right, through the backlog of the CPU, which the sender's net_end empties: no copy, no
 * queue of another CPU, no thread.
 */
#include "mm/slab.h"
#include "net_core_internal.h"
#include "uapi/packet.h"

#include "core/panic.h"

static int
loopback_transmit(struct net_device *dev, u32 q, struct packet *p, bool more)
{
	/* The sender's buffer space is free again: the receiver's account takes over. */
	packet_orphan(p);
	p->pkt_type = PACKET_HOST;
	p->flags &= (u8)~PACKET_F_FORWARD;
	packet_set_link(p);
	if (!packet_may_pull(p, ETH_HLEN)) {
		packet_free(p);
		return 0;
	}
	p->protocol = ntohs(((const struct eth_header *)p->data)->protocol);
	(void)!packet_pull(p, ETH_HLEN);
	/* What was left open is right; what was filled in by a program may not be. */
	if (p->csum_state != CSUM_PARTIAL)
		p->csum_state = CSUM_NONE;
	net_receive_later(p);
	return 0;
}

static const struct net_device_ops loopback_ops = {
	.transmit = loopback_transmit,
};

void
loopback_init(struct net_ns *net)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		panic("net: no memory for lo");
	strscpy(dev->name, "lo", sizeof(dev->name));
	dev->type = ARPHRD_LOOPBACK;
	dev->addr_len = ETH_ALEN;
	dev->header_len = ETH_HLEN;
	dev->mtu = 65536;
	dev->flags = IFF_LOOPBACK;
	dev->features = NETIF_SG | NETIF_CSUM | NETIF_TSO4 | NETIF_TSO6 | NETIF_USO | NETIF_RXCSUM |
			NETIF_LOCKLESS | NETIF_LOOPBACK | NETIF_LRO_HOST;
	dev->ops = &loopback_ops;
	dev->carrier = true;
	dev->ifindex = 1;
	if (net_device_register(dev, net))
		panic("net: lo cannot be registered");
	net->loopback = dev;
}
