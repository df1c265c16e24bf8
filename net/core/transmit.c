/* SPDX-License-Identifier: MIT */
/*
 * The way of a packet from the protocols to a driver, and back up to the protocols and taps.
 *
 * Sending: taps, then what the device cannot do itself (segment, checksum, gather), then
 * ops->transmit under the lock of one of its queues. A packet for which the ring has no room waits
 * in the queue; the driver's net_queue_wake has the rest sent from a net section.
 *
 * Receiving: taps, then the protocol by its number. Both lists are read under RCU.
 */
#include "core/time.h"
#include "mm/slab.h"
#include "net_core_internal.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

static struct net_protocol *protocols; /* only grows, at boot */
static LIST_HEAD(taps);		       /* of all devices */
static u32 tap_count;		       /* 0: nobody listens anywhere */
static struct mutex tap_lock = MUTEX_INIT(tap_lock, RANK_SLEEP_LEAF);

void
net_protocol_register(struct net_protocol *np)
{
	np->next = protocols;
	rcu_assign_pointer(protocols, np);
}

void
net_tap_add(struct net_ns *net, struct net_tap *t)
{
	mutex_lock(&tap_lock);
	list_add_tail_rcu(&t->node, t->dev ? &t->dev->taps : &taps);
	WRITE_ONCE(tap_count, tap_count + 1);
	mutex_unlock(&tap_lock);
}

void
net_taps_detach(struct net_device *dev)
{
	struct net_tap *t, *next;

	mutex_lock(&tap_lock);
	list_for_each_entry_safe(t, next, &dev->taps, node)
	{
		list_del_rcu(&t->node);
		t->dev = NULL;
		t->detached = true;
		if (t->gone)
			t->gone(t);
	}
	mutex_unlock(&tap_lock);
}

void
net_tap_remove(struct net_tap *t)
{
	mutex_lock(&tap_lock);
	if (!t->detached)
		list_del_rcu(&t->node);
	WRITE_ONCE(tap_count, tap_count - 1);
	mutex_unlock(&tap_lock);
	rcu_synchronize();
}

static void
taps_show(struct list *head, struct packet *p, bool outgoing)
{
	struct net_tap *t;

	list_for_each_entry_rcu(t, head, node)
	{
		if (t->protocol == ETH_P_ALL || (t->protocol == p->protocol && !outgoing))
			t->packet(t, p, outgoing);
	}
}

/* Taps see the link header: data moves there and back. */
static void
packet_show(struct packet *p, bool outgoing)
{
	u32 n = outgoing ? 0 : packet_headroom(p) - p->link_header;

	packet_push(p, n);
	taps_show(&taps, p, outgoing);
	taps_show(&p->dev->taps, p, outgoing);
	if (!packet_pull(p, n))
		p->len = 0; /* cannot be: the bytes were linear */
}

void
net_receive(struct packet *p)
{
	struct net_device *dev = p->dev;
	struct net_protocol *np;

	if (unlikely(!(READ_ONCE(dev->flags) & IFF_UP) || !READ_ONCE(dev->registered))) {
		net_stat_inc(dev, rx_dropped);
		packet_free(p);
		return;
	}
	net_stat_inc(dev, rx_packets);
	net_stat_add(dev, rx_bytes, p->len);
	p->ifindex = dev->ifindex;
	packet_set_network(p);
	if (unlikely(READ_ONCE(tap_count)))
		packet_show(p, false);
	for (np = smp_load_acquire(&protocols); np; np = np->next)
		if (np->protocol == p->protocol) {
			np->receive(p);
			return;
		}
	if (p->pkt_type != PACKET_OTHERHOST)
		net_stat_inc(dev, rx_dropped);
	packet_free(p);
}

/* ---- Ethernet ---- */

bool
eth_header_parse(struct packet *p)
{
	const struct eth_header *h;

	packet_set_link(p);
	if (!packet_may_pull(p, ETH_HLEN))
		return false;
	h = (const struct eth_header *)p->data;
	p->protocol = ntohs(h->protocol);
	if (!memcmp(h->to, p->dev->addr, ETH_ALEN))
		p->pkt_type = PACKET_HOST;
	else if (h->to[0] & 1)
		p->pkt_type = memcmp(h->to, p->dev->broadcast, ETH_ALEN) ? PACKET_MULTICAST
									 : PACKET_BROADCAST;
	else
		p->pkt_type = PACKET_OTHERHOST;
	if (p->pkt_type == PACKET_MULTICAST)
		net_stat_inc(p->dev, multicast);
	return packet_pull(p, ETH_HLEN);
}

int
eth_header_push(struct packet *p, u16 protocol, const u8 *to, const u8 *from)
{
	struct eth_header *h;
	int r = packet_cow_head(p, ETH_HLEN, GFP_ATOMIC);

	if (r)
		return r;
	h = packet_push(p, ETH_HLEN);
	memcpy(h->to, to, ETH_ALEN);
	memcpy(h->from, from, ETH_ALEN);
	h->protocol = htons(protocol);
	packet_set_link(p);
	p->protocol = protocol;
	return 0;
}

/* ---- sending ---- */

/* Hand to the driver or to the waiting queue. q->lock is held. */
static int
queue_send(struct net_device *dev, u32 index, struct packet *p, bool more)
{
	struct net_queue *q = &dev->queues[index];
	u32 len = p->len, segs = p->gso_size && p->gso_segs ? p->gso_segs : 1;

	if (likely(packet_queue_empty(&q->waiting) && !q->stopped)) {
		if (likely(dev->ops->transmit(dev, index, p, more) == 0)) {
			net_stat_add(dev, tx_packets, segs);
			net_stat_add(dev, tx_bytes, len);
			return 0;
		}
		q->stopped = true;
	}
	if (q->waiting.count >= dev->queue_limit) {
		net_stat_inc(dev, tx_dropped);
		packet_free(p);
		return -ENOBUFS;
	}
	packet_queue_tail_locked(&q->waiting, p);
	return 0;
}

static bool
gso_supported(const struct net_device *dev, const struct packet *p)
{
	static const u32 feature[] = {
		[GSO_NONE] = 0,		[GSO_TCP4] = NETIF_TSO4, [GSO_TCP6] = NETIF_TSO6,
		[GSO_UDP4] = NETIF_USO, [GSO_UDP6] = NETIF_USO,
	};

	return (dev->features & feature[p->gso_type]) && p->len <= dev->gso_max;
}

/* What the device cannot do is done here. 0 or -errno, p freed. */
static int
packet_prepare(struct net_device *dev, struct packet *p)
{
	int r = 0;

	if (p->csum_state == CSUM_PARTIAL && !(dev->features & NETIF_CSUM))
		r = packet_checksum_finish(p);
	if (!r && p->data_len && !(dev->features & NETIF_SG))
		r = packet_linearize(p, GFP_ATOMIC);
	if (r) {
		net_stat_inc(dev, tx_dropped);
		packet_free(p);
	}
	return r;
}

static int
transmit_chain(struct net_device *dev, struct packet *p)
{
	u32 index = dev->nr_queues == 1 ? 0 : cpu_id() % dev->nr_queues;
	struct net_queue *q = &dev->queues[index];
	int r = 0;

	while (p) {
		struct packet *next = p->next;

		p->next = NULL;
		if (!packet_prepare(dev, p)) {
			int e;

			spin_lock(&q->lock);
			e = queue_send(dev, index, p, next != NULL);
			spin_unlock(&q->lock);
			if (e)
				r = e;
		}
		p = next;
	}
	return r;
}

int
net_transmit(struct packet *p)
{
	struct net_device *dev = p->dev;
	int r = -ENETDOWN;

	net_begin();
	if (unlikely(!(READ_ONCE(dev->flags) & IFF_UP))) {
		packet_free(p);
		goto out;
	}
	if (unlikely(READ_ONCE(tap_count))) {
		u8 type = p->pkt_type;

		p->pkt_type = PACKET_OUTGOING;
		packet_show(p, true);
		p->pkt_type = type;
	}
	if (dev->features & NETIF_LOCKLESS) {
		net_stat_inc(dev, tx_packets);
		net_stat_add(dev, tx_bytes, p->len);
		r = dev->ops->transmit(dev, 0, p, false);
		goto out;
	}
	if (unlikely(p->gso_size && !gso_supported(dev, p))) {
		r = packet_segment(p, &p);
		if (r) {
			net_stat_inc(dev, tx_dropped);
			goto out;
		}
	}
	p->ifindex = dev->ifindex;
	r = transmit_chain(dev, p);
out:
	net_end();
	return r;
}

/* ---- a driver has room again ---- */

static void
queue_restart(struct net_device *dev, u32 index)
{
	struct net_queue *q = &dev->queues[index];
	struct packet *p;

	spin_lock(&q->lock);
	q->stopped = false;
	while (!q->stopped && (p = packet_queue_take_locked(&q->waiting))) {
		u32 len = p->len, segs = p->gso_size && p->gso_segs ? p->gso_segs : 1;

		if (dev->ops->transmit(dev, index, p, !packet_queue_empty(&q->waiting))) {
			packet_queue_head_locked(&q->waiting, p);
			q->stopped = true;
			break;
		}
		net_stat_add(dev, tx_packets, segs);
		net_stat_add(dev, tx_bytes, len);
	}
	spin_unlock(&q->lock);
}

void
net_queue_wake(struct net_device *dev, u32 index)
{
	/* No lock needed to look: the driver's own ring lock or its poll orders this against the
	 * transmit that answered -EBUSY. */
	if (!READ_ONCE(dev->queues[index].stopped))
		return;
	net_begin();
	queue_restart(dev, index);
	net_end();
}

void
net_queue_drain(struct net_device *dev)
{
	for (u32 i = 0; i < dev->nr_queues; i++) {
		dev->queues[i].stopped = false;
		packet_queue_purge(&dev->queues[i].waiting);
	}
}
