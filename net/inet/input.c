/* SPDX-License-Identifier: MIT */
/*
 * IPv4 input: RFC 791, RFC 1122 3.2.1, and forwarding by RFC 1812.
 *
 * A packet is checked, routed, and either put together and delivered (raw sockets first, each a
 * copy, then the transport), or forwarded, or dropped and counted. Everything in a net section.
 */
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

const struct inet_protocol *inet_protocols[256];

void
inet_protocol_register(const struct inet_protocol *p)
{
	rcu_assign_pointer(inet_protocols[p->protocol], p);
}

/* data at the transport header, inet_cb filled. Takes over p. */
void
inet_deliver(struct packet *p, u8 protocol)
{
	const struct inet_protocol *t = rcu_dereference(inet_protocols[protocol]);
	bool raw = raw_receive(p, protocol);

	if (likely(t)) {
		inet_count(IpInDelivers);
		if (t->receive(p) == 0)
			return;
	} else if (!raw) {
		inet_count(IpInUnknownProtos);
		inet_icmp_error(p, INET_UNREACH_PROTOCOL, 0);
	} else {
		inet_count(IpInDelivers);
	}
	packet_free(p);
}

void
ip_deliver(struct packet *p)
{
	const struct ipv4_header *h = packet_network(p);
	struct inet_cb *cb = inet_cb(p);
	u32 header = (h->version_ihl & 15u) * 4;
	u16 frag_max = 0;

	if (unlikely(h->frag_off & htons(IPV4_MF | IPV4_OFFSET))) {
		p = ip_reassemble(p);
		if (!p)
			return;
		h = packet_network(p);
		cb = inet_cb(p);
		frag_max = cb->frag_max;
		header = (h->version_ihl & 15u) * 4;
	}
	cb->src = ip_addr4(h->src);
	cb->dst = ip_addr4(h->dst);
	cb->header_len = (u16)header;
	cb->ttl = h->ttl;
	cb->tos = h->tos;
	cb->protocol = h->protocol;
	cb->v6 = false;
	cb->frag_max = frag_max;
	cb->flow_info = 0;
	if (!packet_pull(p, header)) {
		packet_free(p);
		return;
	}
	packet_set_transport(p);
	inet_deliver(p, h->protocol);
}

/* ---- forwarding ---- */

int
ip_forward(struct packet *p, const struct route *r)
{
	struct ipv4_header *h;
	bool df;

	if (p->pkt_type != PACKET_HOST || !inet_conf(p->dev, INET_CONF_FORWARDING)) {
		packet_free(p);
		return 0;
	}
	if (packet_cow_head(p, PACKET_LINK_MAX, GFP_ATOMIC) || packet_checksum_finish(p)) {
		packet_free(p);
		return -ENOMEM;
	}
	h = (struct ipv4_header *)p->data;
	inet_cb(p)->src = ip_addr4(h->src);
	inet_cb(p)->dst = ip_addr4(h->dst);
	inet_cb(p)->header_len = (u16)((h->version_ihl & 15) * 4);
	inet_cb(p)->v6 = false;
	if (h->ttl <= 1) {
		inet_icmp_error(p, INET_TTL_EXCEEDED, 0);
		packet_free(p);
		return 0;
	}
	df = h->frag_off & htons(IPV4_DF);
	if (df && p->len > r->mtu && !p->gso_size) {
		inet_count(IpFragFails);
		inet_icmp_error(p, INET_TOO_BIG, r->mtu);
		packet_free(p);
		return 0;
	}
	h->ttl--;
	/* The word of ttl and protocol changed by one in its first byte. */
	csum_replace2(&h->check, htons((u16)((h->ttl + 1) << 8 | h->protocol)),
		      htons((u16)(h->ttl << 8 | h->protocol)));
	inet_count(IpForwDatagrams);
	p->flags |= PACKET_F_FORWARD;
	p->protocol = ETH_P_IP;
	return ip_finish(p->dev->net, p, r, !df, NULL);
}

/* ---- arrival ---- */

static bool
source_is_martian(const struct packet *p, u32 src, u32 dst)
{
	if (ipv4_is_multicast(src) || src == INADDR_BROADCAST)
		return true;
	if (p->dev->flags & IFF_LOOPBACK || p->flags & PACKET_F_LOOPED)
		return false;
	return (ipv4_is_loopback(src) || ipv4_is_loopback(dst)) &&
	       !inet_conf(p->dev, INET_CONF_ROUTE_LOCALNET);
}

/* Options that name the way, loosely or strictly: RFC 7126 4.3 and 4.4 want such packets dropped.
 */
static bool
is_source_routed(const u8 *option, u32 left)
{
	while (left && option[0]) {
		u32 len = option[0] == 1 ? 1 : left > 1 ? option[1] : 0;

		if (option[0] == 131 || option[0] == 137)
			return true;
		if (!len || len > left)
			return false;
		option += len;
		left -= len;
	}
	return false;
}

/* May a packet from src come by this device? Not from ourselves; and with rp_filter only where a
 * packet to src could go: by this device (1), or anywhere (2). */
static bool
source_is_valid(const struct packet *p, const struct flow *in)
{
	const struct net_device *dev = p->dev;
	const struct route_entry *e;
	const struct route_hop *hop;
	struct flow back = { .dst = in->src, .src = in->dst, .mark = in->mark, .tos = in->tos };
	u32 mode = inet_conf(dev, INET_CONF_RP_FILTER);

	if ((dev->flags & IFF_LOOPBACK) || (p->flags & PACKET_F_LOOPED) || !ip_addr_get4(&in->src))
		return true;
	if (inet_address_peek(dev->net, &in->src, NULL))
		return inet_conf(dev, INET_CONF_ACCEPT_LOCAL);
	if (!mode)
		return true;
	if (route_lookup_entry(dev->net, AF_INET, &back, &e, &hop) || e->type != RTN_UNICAST)
		return false;
	for (u32 i = 0; i < e->nr_hops && mode == 1; i++) {
		if (e->hops[i].dev == dev)
			return true;
	}
	return mode == 2;
}

/* A group that somebody here has joined, or that every host is in. */
static bool
group_wanted(const struct packet *p, u32 dst)
{
	struct ip_addr a = ip_addr4(dst);

	return (p->dev->flags & IFF_LOOPBACK) || dst == htonl(0xe0000001) ||
	       inet_group_joined(p->dev, &a);
}

/*
 * What this CPU last received for ourselves. Packets come in trains, and for the rest of one the
 * answer is the same, until a route, an address or a setting changes.
 */
struct train {
	const struct net_ns *net;
	u32 generation; /* net->route_generation before the answer was looked for */
	u32 src, dst, iif, mark;
	u8 tos;
	bool looped;
};

static DEFINE_PERCPU(struct train, last_train);

static bool
train_equal(const struct train *a, const struct train *b)
{
	return a->dst == b->dst && a->src == b->src && a->net == b->net &&
	       a->generation == b->generation && a->iif == b->iif && a->mark == b->mark &&
	       a->tos == b->tos && a->looped == b->looped;
}

void
ip_receive(struct packet *p)
{
	struct net_ns *net = p->dev->net;
	const struct ipv4_header *h;
	u32 header, total;
	struct route r;
	int error;

	inet_count(IpInReceives);
	if (unlikely(p->pkt_type == PACKET_OTHERHOST))
		goto drop;
	if (unlikely(!packet_may_pull(p, sizeof(*h))))
		goto bad_header;
	h = (const struct ipv4_header *)p->data;
	header = (h->version_ihl & 15u) * 4;
	if (unlikely((h->version_ihl >> 4) != 4 || header < 20))
		goto bad_header;
	if (unlikely(header > 20)) {
		if (!packet_may_pull(p, header))
			goto bad_header;
		h = (const struct ipv4_header *)p->data;
		if (is_source_routed((const u8 *)(h + 1), header - 20))
			goto drop;
	}
	/* What the sender of this same machine has just made needs no proof. */
	if (!(p->dev->flags & IFF_LOOPBACK) && csum_fold(csum_bytes(h, header, 0)))
		goto bad_header;
	total = ntohs(h->total_len);
	if (unlikely(p->gso_size && p->len > 65535))
		total = p->len;
	if (unlikely(total > p->len || total < header))
		goto bad_header;
	if (unlikely(total < p->len)) { /* Ethernet's padding */
		if (packet_trim(p, total))
			goto drop;
		h = (const struct ipv4_header *)p->data;
	}
	if (p->csum_state == CSUM_COMPLETE)
		p->csum = csum_sub(p->csum, csum_bytes(h, header, 0));
	packet_set_network(p);
	if (unlikely(source_is_martian(p, h->src, h->dst))) {
		inet_count(IpInAddrErrors);
		goto drop;
	}
	if (unlikely(ipv4_is_multicast(h->dst) || h->dst == INADDR_BROADCAST)) {
		if (h->dst != INADDR_BROADCAST && !group_wanted(p, h->dst))
			goto drop;
		if (p->pkt_type == PACKET_HOST)
			p->pkt_type = h->dst == INADDR_BROADCAST ? PACKET_BROADCAST
								 : PACKET_MULTICAST;
		ip_deliver(p);
		return;
	}
	struct train train = { .net = net,
			       .generation = smp_load_acquire(&net->route_generation),
			       .src = h->src,
			       .dst = h->dst,
			       .iif = p->dev->ifindex,
			       .mark = p->mark,
			       .tos = h->tos,
			       .looped = p->flags & PACKET_F_LOOPED };
	if (likely(train_equal(&train, this_cpu_ptr(last_train)))) {
		ip_deliver(p);
		return;
	}
	struct flow f = { .dst = ip_addr4(h->dst),
			  .src = ip_addr4(h->src),
			  .iif = p->dev->ifindex,
			  .mark = p->mark,
			  .tos = h->tos };
	inet_route_input(net, &f, &r, &error);
	if (unlikely(error)) {
		inet_count(IpInAddrErrors);
		if (inet_conf(p->dev, INET_CONF_FORWARDING) && p->pkt_type == PACKET_HOST &&
		    (error == -ENETUNREACH || error == -EHOSTUNREACH || error == -EACCES)) {
			inet_cb(p)->src = f.src;
			inet_cb(p)->dst = f.dst;
			inet_cb(p)->v6 = false;
			inet_cb(p)->header_len = (u16)header;
			inet_icmp_error(p,
					error == -ENETUNREACH	 ? INET_UNREACH_NET
					: error == -EHOSTUNREACH ? INET_UNREACH_HOST
								 : INET_UNREACH_PROHIBITED,
					0);
		}
		goto drop;
	}
	if (unlikely(!source_is_valid(p, &f))) {
		inet_count(IpInAddrErrors);
		goto drop;
	}
	if (likely(r.type == RTN_LOCAL)) {
		*this_cpu_ptr(last_train) = train;
		ip_deliver(p);
	} else if (r.type == RTN_BROADCAST) {
		p->pkt_type = PACKET_BROADCAST;
		ip_deliver(p);
	} else if (r.type == RTN_UNICAST) {
		(void)ip_forward(p, &r);
	} else {
		goto drop;
	}
	return;

bad_header:
	inet_count(IpInHdrErrors);
drop:
	packet_free(p);
}

/* ---- addresses ---- */

u8
inet_addr_type(struct net_ns *net, const struct ip_addr *a, u32 ifindex)
{
	const struct route_entry *e;
	const struct route_hop *hop;
	struct flow f = { .dst = *a };
	u32 v4 = ip_addr_get4(a);

	if (!ip_addr_is4(a))
		return inet6_hooks ? inet6_hooks->addr_type(net, a, ifindex) : RTN_UNICAST;
	if (ipv4_is_multicast(v4))
		return RTN_MULTICAST;
	if (v4 == INADDR_BROADCAST || !v4)
		return RTN_BROADCAST;
	if (route_lookup_entry(net, AF_INET, &f, &e, &hop))
		return RTN_UNICAST;
	if (ifindex && hop->dev && hop->dev->ifindex != ifindex)
		return RTN_UNICAST;
	return e->type == RTN_LOCAL || e->type == RTN_BROADCAST ? e->type : RTN_UNICAST;
}

bool
inet_addr_is_local(struct net_ns *net, const struct ip_addr *a)
{
	return inet_addr_type(net, a, 0) == RTN_LOCAL;
}
