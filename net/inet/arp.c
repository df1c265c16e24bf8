/* SPDX-License-Identifier: MIT */
/*
 * ARP: RFC 826, RFC 5227 2.4 (defence), arp(7). The cache and its timers are net/core/neighbour.c.
 */
#include "core/time.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"
#include "uapi/socket.h"

struct arp_packet {
	u16 hw_type, protocol;
	u8 hw_len, protocol_len;
	u16 operation;
	u8 sender_hw[ETH_ALEN];
	u8 sender_ip[4];
	u8 target_hw[ETH_ALEN];
	u8 target_ip[4];
} __packed;
#define ARP_REQUEST 1
#define ARP_REPLY   2

static const u8 broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void
arp_send(struct net_device *dev, u16 operation, const u8 *to, u32 sender_ip, u32 target_ip,
	 const u8 *target_hw)
{
	struct packet *p;
	struct arp_packet *a;

	if (dev->flags & IFF_NOARP)
		return;
	p = packet_alloc(sizeof(*a) + 18, GFP_ATOMIC);
	if (!p)
		return;
	a = packet_put(p, sizeof(*a));
	packet_set_network(p);
	*a = (struct arp_packet){ .hw_type = htons(ARPHRD_ETHER),
				  .protocol = htons(ETH_P_IP),
				  .hw_len = ETH_ALEN,
				  .protocol_len = 4,
				  .operation = htons(operation) };
	memcpy(a->sender_hw, dev->addr, ETH_ALEN);
	memcpy(a->sender_ip, &sender_ip, 4);
	memcpy(a->target_ip, &target_ip, 4);
	if (target_hw)
		memcpy(a->target_hw, target_hw, ETH_ALEN);
	p->dev = dev;
	if (eth_header_push(p, ETH_P_ARP, to, dev->addr)) {
		packet_free(p);
		return;
	}
	(void)net_transmit(p);
}

static bool
in_network(const struct inet_addr *a, u32 ip)
{
	u32 mask = a->prefix_len ? htonl(~0u << (32 - a->prefix_len)) : 0;

	return !((ip_addr_get4(&a->local) ^ ip) & mask);
}

/* arp_ignore: is `target`, which is ours, to be told on this device? */
static bool
answers(const struct net_device *dev, u32 target, u32 sender)
{
	u32 mode = inet_conf(dev, INET_CONF_ARP_IGNORE);
	struct ip_addr a = ip_addr4(target);
	const struct inet_addr *own = mode ? inet_address_peek(dev->net, &a, mode < 3 ? dev : NULL)
					   : NULL;

	switch (mode) {
	case 1: return own;
	case 2: return own && in_network(own, sender);
	case 3: return !own || own->scope != RT_SCOPE_HOST;
	case 8: return false;
	}
	return true;
}

/* Ask with the source of the packet that waits, if it is ours, else an address of the device. */
static void
arp_solicit(struct neighbour *n, struct packet *p)
{
	u32 target, sender = 0;
	u8 to[ETH_ALEN];
	struct ip_addr a;
	bool unicast;

	memcpy(&target, n->key, 4);
	u32 announce = inet_conf(n->dev, INET_CONF_ARP_ANNOUNCE);
	if (p && announce < 2 && p->len >= 20 && packet_headlen(p) >= 20) {
		sender = ((const struct ipv4_header *)packet_network(p))->src;
		a = ip_addr4(sender);
		/* 1: only what the target's network may know */
		const struct inet_addr *own = inet_address_peek(n->table->net, &a, NULL);
		if (!own || (announce && !in_network(own, target)))
			sender = 0;
	}
	if (!sender) {
		a = ip_addr4(target);
		a = inet_address_select(n->dev, &a, RT_SCOPE_LINK);
		sender = ip_addr_get4(&a);
	}
	unicast = n->state == NUD_PROBE;
	memcpy(to, unicast ? n->addr : broadcast, ETH_ALEN);
	arp_send(n->dev, ARP_REQUEST, to, sender, target, NULL);
}

/* Broadcast and multicast addresses have link addresses by rule: RFC 1112 6.4. */
static void
arp_construct(struct neighbour *n)
{
	struct net_device *dev = n->dev;
	struct ip_addr a;
	u32 ip;

	memcpy(&ip, n->key, 4);
	a = ip_addr4(ip);
	if (ipv4_is_multicast(ip)) {
		u8 mac[6] = { 0x01, 0x00, 0x5e, n->key[1] & 0x7f, n->key[2], n->key[3] };

		memcpy(n->addr, mac, sizeof(mac));
		n->state = NUD_NOARP;
	} else if (ip == INADDR_BROADCAST ||
		   inet_addr_type(dev->net, &a, dev->ifindex) == RTN_BROADCAST) {
		memcpy(n->addr, dev->broadcast, NET_ADDR_LEN);
		n->state = NUD_NOARP;
	} else if (dev->flags & (IFF_NOARP | IFF_LOOPBACK)) {
		memcpy(n->addr, dev->addr, NET_ADDR_LEN);
	}
}

/* Nobody answered: the sender hears EHOSTUNREACH. */
static void
arp_error(struct neighbour *n, struct packet *p)
{
	const struct ipv4_header *h = packet_network(p);

	p->dev = n->dev;
	inet_cb(p)->src = ip_addr4(h->src);
	inet_cb(p)->dst = ip_addr4(h->dst);
	inet_cb(p)->v6 = false;
	inet_icmp_error(p, INET_UNREACH_HOST, 0);
	packet_free(p);
}

static void
arp_receive(struct packet *p)
{
	struct net_device *dev = p->dev;
	struct net_ns *net = dev->net;
	struct neighbour_table *t = &net->inet->arp;
	struct arp_packet a;
	u32 sender, target;
	struct ip_addr addr;
	struct neighbour *n;
	bool ours, request;

	if (p->pkt_type == PACKET_OTHERHOST || (dev->flags & (IFF_NOARP | IFF_LOOPBACK)) ||
	    dev->addr_len != ETH_ALEN || !packet_may_pull(p, sizeof(a)))
		goto out;
	memcpy(&a, p->data, sizeof(a));
	if (a.hw_type != htons(ARPHRD_ETHER) || a.protocol != htons(ETH_P_IP) ||
	    a.hw_len != ETH_ALEN || a.protocol_len != 4)
		goto out;
	request = a.operation == htons(ARP_REQUEST);
	if (!request && a.operation != htons(ARP_REPLY))
		goto out;
	memcpy(&sender, a.sender_ip, 4);
	memcpy(&target, a.target_ip, 4);
	if (ipv4_is_multicast(target) || ipv4_is_loopback(target) || ipv4_is_multicast(sender))
		goto out;
	addr = ip_addr4(target);
	ours = inet_addr_type(net, &addr, 0) == RTN_LOCAL && answers(dev, target, sender);
	if (!sender) {
		/* RFC 5227: a probe for an address that somebody wants to use. */
		if (request && ours)
			arp_send(dev, ARP_REPLY, a.sender_hw, target, sender, a.sender_hw);
		goto out;
	}
	addr = ip_addr4(sender);
	if (inet_addr_type(net, &addr, 0) == RTN_LOCAL)
		goto out;
	if (request && ours) {
		n = neighbour_peek_or_create(t, &sender, dev);
		if (n)
			(void)neighbour_update(n, a.sender_hw, NUD_STALE, NEIGH_UPDATE_OVERRIDE);
		arp_send(dev, ARP_REPLY, a.sender_hw, target, sender, a.sender_hw);
		goto out;
	}
	n = neighbour_peek(t, &sender, dev);
	if (n) {
		/* A reply to us is proof; a broadcast or a request to others only news. */
		bool proof = !request && p->pkt_type == PACKET_HOST;
		/* Two answers at once: the first one holds for a second. */
		bool override = time_mono_ns() - n->updated > NSEC_PER_SEC ||
				!(n->state & NUD_VALID);

		(void)neighbour_update(n, a.sender_hw, proof ? NUD_REACHABLE : NUD_STALE,
				       override ? NEIGH_UPDATE_OVERRIDE : 0);
	}
out:
	packet_free(p);
}

static struct net_protocol arp_protocol = { .protocol = ETH_P_ARP, .receive = arp_receive };
static struct net_protocol ip_protocol = { .protocol = ETH_P_IP, .receive = ip_receive };

void
arp_init(struct net_ns *net)
{
	struct neighbour_table *t = &net->inet->arp;

	t->family = AF_INET;
	t->key_len = 4;
	t->protocol = ETH_P_IP;
	t->solicit = arp_solicit;
	t->construct = arp_construct;
	t->error = arp_error;
	neighbour_table_init(t, net);
	net_protocol_register(&arp_protocol);
	net_protocol_register(&ip_protocol);
}
