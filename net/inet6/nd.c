/* SPDX-License-Identifier: MIT */
/*
 * Neighbour discovery: RFC 4861. The cache and its timers are net/core/neighbour.c; here are the
 * messages. Redirects are not followed.
 */
#include "core/time.h"
#include "inet6_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

struct nd_message { /* solicitation, advertisement */
	u8 type, code;
	u16 check;
	u32 flags; /* advertisement: router, solicited, override */
	struct ip_addr target;
};
#define NA_ROUTER    0x80000000u
#define NA_SOLICITED 0x40000000u
#define NA_OVERRIDE  0x20000000u

struct ra_message {
	u8 type, code;
	u16 check;
	u8 hop_limit, flags;
	u16 lifetime;
	u32 reachable_ms, retrans_ms;
};
struct prefix_option {
	u8 type, len, prefix_len, flags;
	u32 valid, preferred, reserved;
	struct ip_addr prefix;
};
#define OPT_SOURCE 1
#define OPT_TARGET 2
#define OPT_PREFIX 3
#define OPT_MTU	   5

struct neighbour_table nd_table;

/* ---- sending ---- */

static void
put_link_option(struct packet *p, struct net_device *dev, u8 type)
{
	u8 *o = packet_put(p, 8);

	o[0] = type;
	o[1] = 1;
	memcpy(o + 2, dev->addr, ETH_ALEN);
}

void
nd_solicit(struct net_device *dev, const struct ip_addr *target, const struct ip_addr *src,
	   const struct ip_addr *to)
{
	struct packet *p = packet_alloc(sizeof(struct nd_message) + 8, GFP_ATOMIC);
	struct ip_addr group = solicited_node(target);
	struct nd_message *m;

	if (!p)
		return;
	m = packet_put(p, sizeof(*m));
	*m = (struct nd_message){ .type = ND_SOLICIT, .target = *target };
	if (!ip_addr_is_any(src))
		put_link_option(p, dev, OPT_SOURCE);
	icmp6_emit(dev, p, src, to ? to : &group, 255);
}

static void
advertise(struct net_device *dev, const struct ip_addr *target, const struct ip_addr *to, u32 flags)
{
	struct packet *p = packet_alloc(sizeof(struct nd_message) + 8, GFP_ATOMIC);
	struct nd_message *m;

	if (!p)
		return;
	m = packet_put(p, sizeof(*m));
	if (READ_ONCE(inet6_config.forwarding))
		flags |= NA_ROUTER;
	*m = (struct nd_message){ .type = ND_ADVERT, .flags = htonl(flags), .target = *target };
	put_link_option(p, dev, OPT_TARGET);
	icmp6_emit(dev, p, target, to, 255);
}

void
nd_router_solicit(struct net_device *dev)
{
	struct ip_addr src = ip6_source_select(dev->net, dev, &ip6_all_routers);
	struct packet *p = packet_alloc(16, GFP_ATOMIC);

	if (!p)
		return;
	memset(packet_put(p, 8), 0, 8);
	p->data[0] = ND_ROUTER_SOLICIT;
	if (!ip_addr_is_any(&src))
		put_link_option(p, dev, OPT_SOURCE);
	net_begin();
	icmp6_emit(dev, p, &src, &ip6_all_routers, 255);
	net_end();
}

static void
table_solicit(struct neighbour *n, struct packet *p)
{
	struct ip_addr target, src = IP_ADDR_ANY6, to;

	memcpy(&target, n->key, 16);
	if (p && packet_headlen(p) >= sizeof(struct ipv6_header)) {
		memcpy(&src, ((struct ipv6_header *)packet_network(p))->src, 16);
		if (!inet_address_peek(n->table->net, &src, n->dev))
			src = IP_ADDR_ANY6;
	}
	if (ip_addr_is_any(&src))
		src = ip6_source_select(n->table->net, n->dev, &target);
	to = target;
	nd_solicit(n->dev, &target, &src, n->state == NUD_PROBE ? &to : NULL);
}

static void
table_construct(struct neighbour *n)
{
	if (n->key[0] == 0xff) {
		n->addr[0] = n->addr[1] = 0x33;
		memcpy(n->addr + 2, n->key + 12, 4);
		n->state = NUD_NOARP;
	} else if (n->dev->flags & (IFF_NOARP | IFF_LOOPBACK)) {
		memcpy(n->addr, n->dev->addr, NET_ADDR_LEN);
	}
}

static void
table_error(struct neighbour *n, struct packet *p)
{
	const struct ipv6_header *h = packet_network(p);
	struct inet_cb *cb = inet_cb(p);

	p->dev = n->dev;
	p->pkt_type = PACKET_HOST;
	*cb = (struct inet_cb){ .v6 = true };
	memcpy(&cb->src, h->src, 16);
	memcpy(&cb->dst, h->dst, 16);
	icmp6_error(p, INET_UNREACH_HOST, 0);
	packet_free(p);
}

/* ---- receiving ---- */

/* The option of a type among those from `at` on; NULL: none or malformed. */
static const u8 *
option_find(const struct packet *p, u32 at, u8 type)
{
	while (at + 8 <= p->len) {
		const u8 *o = p->data + at;

		if (!o[1] || at + o[1] * 8u > p->len)
			return NULL;
		if (o[0] == type)
			return o;
		at += o[1] * 8u;
	}
	return NULL;
}

static void
solicited(struct packet *p, const struct nd_message *m)
{
	struct net_device *dev = p->dev;
	const struct ip_addr *src = &inet_cb(p)->src;
	const u8 *o = option_find(p, sizeof(*m), OPT_SOURCE);
	struct inet_addr *a = inet_address_peek(dev->net, &m->target, dev);
	struct neighbour *n;

	if (!a || a->flags & IFA_F_DADFAILED)
		return;
	if (a->flags & IFA_F_TENTATIVE) {
		/* Somebody else is about to take it as well: RFC 4862 5.4.3. */
		if (ip_addr_is_any(src) && !(p->flags & PACKET_F_LOOPED))
			address6_conflict(dev, &m->target);
		return;
	}
	if (ip_addr_is_any(src)) { /* is it free? No: all shall know */
		advertise(dev, &m->target, &ip6_all_nodes, NA_OVERRIDE);
		return;
	}
	n = neighbour_peek_or_create(&nd_table, src, dev);
	if (n && o)
		(void)neighbour_update(n, o + 2, NUD_STALE, NEIGH_UPDATE_OVERRIDE);
	advertise(dev, &m->target, src, NA_SOLICITED | NA_OVERRIDE);
}

static void
advertised(struct packet *p, const struct nd_message *m)
{
	struct net_device *dev = p->dev;
	const u8 *o = option_find(p, sizeof(*m), OPT_TARGET);
	u32 flags = ntohl(m->flags), update = NEIGH_UPDATE_ROUTER;
	struct inet_addr *a = inet_address_peek(dev->net, &m->target, dev);
	struct neighbour *n;

	if (a) {
		if (a->flags & IFA_F_TENTATIVE && !(p->flags & PACKET_F_LOOPED))
			address6_conflict(dev, &m->target);
		return;
	}
	n = neighbour_peek(&nd_table, &m->target, dev);
	if (!n)
		return;
	if (flags & NA_OVERRIDE)
		update |= NEIGH_UPDATE_OVERRIDE;
	if (flags & NA_ROUTER)
		update |= NEIGH_UPDATE_IS_ROUTER;
	(void)neighbour_update(n, o ? o + 2 : NULL,
			       flags & NA_SOLICITED ? NUD_REACHABLE : NUD_STALE, update);
}

static void
router_advertised(struct packet *p)
{
	struct net_device *dev = p->dev;
	struct inet6_device *in = inet6_device_of(dev);
	struct ra_news news = { .dev = dev, .router = inet_cb(p)->src };
	struct neighbour *n;
	struct ra_message m;
	const u8 *o;
	u32 at = sizeof(m), mtu;

	if (!in || !in->accept_ra || inet6_config.forwarding || p->len < sizeof(m) ||
	    !ipv6_is_linklocal(&news.router))
		return;
	memcpy(&m, p->data, sizeof(m));
	in->solicits_left = 0;
	if (m.hop_limit)
		in->hop_limit = m.hop_limit;
	n = neighbour_peek_or_create(&nd_table, &news.router, dev);
	o = option_find(p, at, OPT_SOURCE);
	if (n && o)
		(void)neighbour_update(n, o + 2, NUD_STALE,
				       NEIGH_UPDATE_OVERRIDE | NEIGH_UPDATE_ROUTER |
					       NEIGH_UPDATE_IS_ROUTER);
	o = option_find(p, at, OPT_MTU);
	if (o) {
		memcpy(&mtu, o + 4, 4);
		mtu = ntohl(mtu);
		if (mtu >= IPV6_MIN_MTU && mtu <= dev->mtu && in->ra_mtu != mtu) {
			in->ra_mtu = mtu;
			net_route_changed(dev->net);
		}
	}
	news.router_lifetime = ntohs(m.lifetime);
	address6_advertised(&news);
	while (at + 8 <= p->len) {
		struct prefix_option po;

		o = p->data + at;
		if (!o[1] || at + o[1] * 8u > p->len)
			return;
		at += o[1] * 8u;
		if (o[0] != OPT_PREFIX || o[1] != 4)
			continue;
		memcpy(&po, o, sizeof(po));
		if (ipv6_is_linklocal(&po.prefix) || po.prefix.b[0] == 0xff || po.prefix_len > 128)
			continue;
		news.has_prefix = true;
		news.on_link = po.flags & 0x80;
		news.autonomous = po.flags & 0x40 && in->autoconf;
		news.prefix = po.prefix;
		news.prefix_len = po.prefix_len;
		news.valid = ntohl(po.valid);
		news.preferred = ntohl(po.preferred);
		if (news.preferred <= news.valid)
			address6_advertised(&news);
	}
}

void
nd_receive(struct packet *p)
{
	struct nd_message m;

	/* RFC 4861: what was forwarded is forged. */
	if (inet_cb(p)->ttl != 255 || p->data[1] || p->dev->addr_len != ETH_ALEN)
		return;
	if (p->data[0] == ND_ROUTER_ADVERT) {
		router_advertised(p);
		return;
	}
	if (p->len < sizeof(m) || (p->data[0] != ND_SOLICIT && p->data[0] != ND_ADVERT))
		return;
	memcpy(&m, p->data, sizeof(m));
	if (m.target.b[0] == 0xff)
		return;
	if (m.type == ND_SOLICIT)
		solicited(p, &m);
	else
		advertised(p, &m);
}

void
nd_init(struct net_ns *net)
{
	nd_table.family = AF_INET6;
	nd_table.key_len = 16;
	nd_table.protocol = ETH_P_IPV6;
	nd_table.solicit = table_solicit;
	nd_table.construct = table_construct;
	nd_table.error = table_error;
	neighbour_table_init(&nd_table, net);
}
