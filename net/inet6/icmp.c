/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6: RFC 4443, and multicast listener reports: RFC 2710 and RFC 3810.
 */
#include "core/time.h"
#include "inet6_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

/* ---- sending ---- */

/* alert: behind a hop-by-hop header with the router alert of RFC 2711. */
static void
emit(struct net_device *dev, struct packet *p, const struct ip_addr *src, const struct ip_addr *dst,
     s16 hops, bool alert)
{
	static const u8 alert_header[8] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };
	struct flow f = {
		.dst = *dst, .src = *src, .oif = dev->ifindex, .protocol = IPPROTO_ICMPV6
	};
	struct ip_tx tx = { .src = *src,
			    .dst = *dst,
			    .protocol = IPPROTO_ICMPV6,
			    .ttl = hops,
			    .may_fragment = true };
	struct icmp_header *h = (struct icmp_header *)p->data;
	struct route r;

	if (ip6_route_output(dev->net, &f, &r)) {
		packet_free(p);
		return;
	}
	if (ip_addr_is_any(src) && dst->b[0] != 0xff)
		tx.src = r.source;
	packet_set_transport(p);
	h->check = 0;
	h->check = csum_fold(
		packet_csum(p, 0, p->len, inet_pseudo_sum(&tx.src, dst, IPPROTO_ICMPV6, p->len)));
	if (alert) {
		memcpy(packet_push(p, sizeof(alert_header)), alert_header, sizeof(alert_header));
		tx.protocol = IPPROTO_HOPOPTS;
	}
	inet_count(IcmpOutMsgs);
	(void)ip6_send(NULL, p, &tx, &r);
}

void
icmp6_emit(struct net_device *dev, struct packet *p, const struct ip_addr *src,
	   const struct ip_addr *dst, s16 hops)
{
	emit(dev, p, src, dst, hops, false);
}

void
icmp6_send_error(struct packet *in, u8 type, u8 code, u32 info_be)
{
	struct inet_cb *cb = inet_cb(in);
	u32 at = in->network_header, before, whole, quote;
	struct ip_addr src = IP_ADDR_ANY6, dst = cb->src;
	struct icmp_header *h;
	struct flow f = { .protocol = IPPROTO_ICMPV6 };
	struct ip_tx tx = { .protocol = IPPROTO_ICMPV6, .ttl = -1, .may_fragment = true };
	struct packet *p;
	struct route r;
	u16 frag;
	u8 next;
	int offset;

	if (packet_headroom(in) < at)
		return;
	before = packet_headroom(in) - at;
	whole = in->len + before;
	if (whole < sizeof(struct ipv6_header))
		return;
	/* RFC 4443 2.4 (e): about no error, no unspecified or multicast source; about multicast
	 * only "too big" and unknown options. */
	if (ip_addr_is_any(&dst) || dst.b[0] == 0xff)
		return;
	if ((cb->dst.b[0] == 0xff || in->pkt_type != PACKET_HOST) && type != ICMP6_TOO_BIG &&
	    !(type == ICMP6_PARAMETER && code == 2))
		return;
	next = ((struct ipv6_header *)packet_network(in))->next_header;
	packet_push(in, before);
	offset = ip6_skip_headers(in, sizeof(struct ipv6_header), &next, &frag);
	if (offset >= 0 && next == IPPROTO_ICMPV6) {
		u8 room;
		const u8 *t = packet_peek(in, (u32)offset, 1, &room);

		if (!t || *t < 128 || *t == ND_REDIRECT)
			offset = -2;
	}
	(void)!packet_pull(in, before);
	if (offset == -2 || (frag && type != ICMP6_PARAMETER))
		return;
	if (!(in->dev->flags & IFF_LOOPBACK) && !icmp_ratelimit_global())
		return;
	quote = MIN(whole, (u32)(IPV6_MIN_MTU - 40 - sizeof(*h)));
	p = packet_alloc((u32)sizeof(*h) + quote, GFP_ATOMIC);
	if (!p)
		return;
	h = packet_put(p, sizeof(*h));
	*h = (struct icmp_header){ .type = type, .code = code };
	h->info = info_be;
	before = MIN(before, quote);
	memcpy(packet_put(p, before), in->buf->bytes + at, before);
	packet_copy_bits(in, 0, packet_put(p, quote - before), quote - before);
	if (ip6_addr_type(in->dev->net, &cb->dst, 0) == RTN_LOCAL)
		src = cb->dst;
	f.dst = dst;
	f.src = src;
	if (ipv6_is_linklocal(&dst))
		f.oif = in->dev->ifindex;
	if (ip6_route_output(in->dev->net, &f, &r)) {
		packet_free(p);
		return;
	}
	tx.src = ip_addr_is_any(&src) ? r.source : src;
	tx.dst = dst;
	packet_set_transport(p);
	h->check = csum_fold(
		csum_bytes(h, p->len, inet_pseudo_sum(&tx.src, &tx.dst, IPPROTO_ICMPV6, p->len)));
	inet_count(IcmpOutMsgs);
	(void)ip6_send(NULL, p, &tx, &r);
}

void
icmp6_error(struct packet *p, enum inet_unreach kind, u32 info)
{
	switch (kind) {
	case INET_UNREACH_PORT: icmp6_send_error(p, ICMP6_UNREACH, 4, 0); break;
	case INET_UNREACH_PROTOCOL:
		icmp6_send_error(p, ICMP6_PARAMETER, 1,
				 htonl(offsetof(struct ipv6_header, next_header)));
		break;
	case INET_UNREACH_HOST: icmp6_send_error(p, ICMP6_UNREACH, 3, 0); break;
	case INET_UNREACH_NET: icmp6_send_error(p, ICMP6_UNREACH, 0, 0); break;
	case INET_UNREACH_PROHIBITED: icmp6_send_error(p, ICMP6_UNREACH, 1, 0); break;
	case INET_TTL_EXCEEDED: icmp6_send_error(p, ICMP6_TIME, 0, 0); break;
	case INET_FRAG_TIME_EXCEEDED: icmp6_send_error(p, ICMP6_TIME, 1, 0); break;
	case INET_TOO_BIG: icmp6_send_error(p, ICMP6_TOO_BIG, 0, htonl(info)); break;
	}
}

/* ---- multicast listeners ---- */

/* MLDv2 with one record: change to exclude or to include nothing. */
void
mld_report(struct net_device *dev, const struct ip_addr *group, bool leave)
{
	static const struct ip_addr all_mld_routers = { { .b = { 0xff, 2, [15] = 0x16 } } };
	struct mld2 {
		struct icmp_header h; /* reserved, number of records */
		u8 type, aux_len;
		u16 sources;
		u8 group[16];
	} * m;
	struct ip_addr src;
	struct packet *p;

	if ((group->b[1] & 15) <= 1 || ip_addr_equal(group, &ip6_all_nodes) ||
	    !(dev->flags & IFF_UP) || dev->flags & IFF_LOOPBACK)
		return;
	p = packet_alloc(sizeof(*m), GFP_ATOMIC);
	if (!p)
		return;
	m = packet_put(p, sizeof(*m));
	memset(m, 0, sizeof(*m));
	m->h.type = MLD2_REPORT;
	m->h.mtu = htons(1); /* the second half word: one record */
	m->type = leave ? 3 : 4;
	memcpy(m->group, group, 16);
	net_begin();
	src = ip6_source_select(dev->net, dev, &all_mld_routers);
	emit(dev, p, &src, &all_mld_routers, 1, true);
	net_end();
}

static void
mld_query(struct packet *p)
{
	struct inet_device *in = inet_device_of(p->dev);
	struct inet_group *g;
	struct ip_addr group;

	if (!in || p->len < 24 || packet_headlen(p) < 24)
		return;
	memcpy(&group, p->data + 8, 16);
	list_for_each_entry_rcu(g, &in->groups, node)
	{
		if (!ip_addr_is4(&g->addr) &&
		    (ip_addr_is_any(&group) || ip_addr_equal(&group, &g->addr)))
			mld_report(p->dev, &g->addr, false);
	}
}

/* ---- receiving ---- */

static void
echo_reply(struct packet *p)
{
	struct inet_cb cb = *inet_cb(p);
	struct net_device *dev = p->dev;
	struct ip_addr src = cb.dst.b[0] == 0xff ? IP_ADDR_ANY6 : cb.dst;
	struct ip_tx tx = {
		.protocol = IPPROTO_ICMPV6, .ttl = -1, .tos = cb.tos, .may_fragment = true
	};
	struct flow f = { .dst = cb.src, .src = src, .protocol = IPPROTO_ICMPV6 };
	struct packet *c = packet_copy(p, PACKET_HEADROOM, GFP_ATOMIC);
	struct icmp_header *h;
	struct route r;

	packet_free(p);
	if (!c)
		return;
	if (ipv6_is_linklocal(&cb.src))
		f.oif = dev->ifindex;
	if (ip6_route_output(dev->net, &f, &r)) {
		packet_free(c);
		return;
	}
	tx.src = ip_addr_is_any(&src) ? r.source : src;
	tx.dst = cb.src;
	c->csum_state = CSUM_NONE;
	c->flags &= (u8)~PACKET_F_LOOPED;
	h = (struct icmp_header *)c->data;
	h->type = ICMP6_ECHO_REPLY;
	h->check = 0;
	packet_set_transport(c);
	h->check = csum_fold(packet_csum(
		c, 0, c->len, inet_pseudo_sum(&tx.src, &tx.dst, IPPROTO_ICMPV6, c->len)));
	inet_count(IcmpOutEchoReps);
	inet_count(IcmpOutMsgs);
	(void)ip6_send(NULL, c, &tx, &r);
}

static const struct {
	int error;
	bool fatal;
} unreach[] = {
	{ ENETUNREACH, false }, { EACCES, true }, { EHOSTUNREACH, false }, { EHOSTUNREACH, false },
	{ ECONNREFUSED, true }, { EACCES, true }, { EACCES, true },
};

static void
error_deliver(struct packet *p, const struct icmp_header *ic)
{
	struct inet_error e = { .origin = SO_EE_ORIGIN_ICMP6,
				.type = ic->type,
				.code = ic->code,
				.offender = inet_cb(p)->src };
	const struct inet_protocol *t;
	const struct ipv6_header *h;
	struct inet_cb *cb = inet_cb(p);
	u16 frag;
	u8 next;
	int offset;

	if (ic->type == ICMP6_UNREACH) {
		if (ic->code >= ARRAY_SIZE(unreach))
			return;
		e.error = unreach[ic->code].error;
		e.fatal = unreach[ic->code].fatal;
	} else if (ic->type == ICMP6_TOO_BIG) {
		e.error = EMSGSIZE;
		e.info = MAX(ntohl(ic->info), (u32)IPV6_MIN_MTU);
	} else if (ic->type == ICMP6_TIME) {
		e.error = EHOSTUNREACH;
	} else {
		e.error = EPROTO;
		e.fatal = true;
	}
	if (!packet_pull(p, sizeof(*ic)) || !packet_may_pull(p, sizeof(*h)))
		return;
	h = (const struct ipv6_header *)p->data;
	next = h->next_header;
	offset = ip6_skip_headers(p, sizeof(*h), &next, &frag);
	if (offset < 0 || frag || !packet_may_pull(p, (u32)offset + 8))
		return;
	h = (const struct ipv6_header *)p->data;
	*cb = (struct inet_cb){
		.header_len = (u16)offset, .ttl = h->hop_limit, .protocol = next, .v6 = true
	};
	memcpy(&cb->src, h->src, 16);
	memcpy(&cb->dst, h->dst, 16);
	if (ip6_addr_type(p->dev->net, &cb->src, 0) != RTN_LOCAL)
		return; /* about a packet that was not ours */
	if (e.error == EMSGSIZE)
		route_pmtu_learn(p->dev->net, &cb->dst, e.info);
	packet_set_network(p);
	(void)!packet_pull(p, (u32)offset);
	packet_set_transport(p);
	raw_error(p, next, &e);
	if (next == IPPROTO_ICMPV6) {
		ping_error(p, &e);
		return;
	}
	t = rcu_dereference(inet_protocols[next]);
	if (t && t->error)
		t->error(p, &e);
}

static int
icmp6_receive(struct packet *p)
{
	struct inet_cb *cb = inet_cb(p);
	struct icmp_header ic;

	if (!cb->v6)
		return -ENOPROTOOPT;
	inet_count(IcmpInMsgs);
	if (!packet_csum_valid(p, inet_pseudo_sum(&cb->src, &cb->dst, IPPROTO_ICMPV6, p->len)) ||
	    !packet_may_pull(p, sizeof(ic))) {
		inet_count(IcmpInErrors);
		packet_free(p);
		return 0;
	}
	memcpy(&ic, p->data, sizeof(ic));
	switch (ic.type) {
	case ICMP6_ECHO: echo_reply(p); return 0;
	case ICMP6_ECHO_REPLY:
		if (!ping_receive(p))
			return 0;
		break;
	case ICMP6_UNREACH:
	case ICMP6_TOO_BIG:
	case ICMP6_TIME:
	case ICMP6_PARAMETER: error_deliver(p, &ic); break;
	case MLD_QUERY: mld_query(p); break;
	case ND_ROUTER_SOLICIT:
	case ND_ROUTER_ADVERT:
	case ND_SOLICIT:
	case ND_ADVERT:
		if (!packet_linearize(p, GFP_ATOMIC))
			nd_receive(p);
		break;
	}
	packet_free(p);
	return 0;
}

static const struct inet_protocol icmp6_protocol = {
	.protocol = IPPROTO_ICMPV6,
	.receive = icmp6_receive,
};

void
icmp6_init(void)
{
	inet_protocol_register(&icmp6_protocol);
}
