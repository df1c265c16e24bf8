/* SPDX-License-Identifier: MIT */
/*
 * IPv4 output: the route, the header, and the way to the device.
 *
 * Sources are chosen by RFC 1122 3.3.4.3: the route's preferred address, else one of the device in
 * the destination's subnet, else its first of sufficient scope. IPv6 goes through inet6_hooks.
 */
#include "core/random.h"
#include "core/time.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

const struct inet6_hooks *inet6_hooks;

/* ---- routes ---- */

u32
inet_route_mtu(struct net_ns *net, const struct ip_addr *dst, const struct route_entry *e,
	       const struct net_device *dev, struct route *out)
{
	u32 mtu = READ_ONCE(dev->mtu), learned;
	u64 expires = 0;

	if (e && e->metrics.mtu)
		mtu = MIN(mtu, e->metrics.mtu);
	learned = route_pmtu_peek(net, dst, &expires);
	if (learned && learned < mtu) {
		mtu = learned;
		out->expires = expires;
	}
	return MIN(mtu, 65535u);
}

/* Who is asked for the link address. NULL without memory: the caller reports ENOBUFS. */
static int
route_neighbour(struct net_ns *net, struct route *out)
{
	if ((out->dev->flags & IFF_LOOPBACK) || (!out->dev->header_len && !out->dev->ops->header))
		return 0;
	out->neigh = neighbour_peek_or_create(&net->inet->arp, &out->gateway.w[3], out->dev);
	return out->neigh ? 0 : -ENOBUFS;
}

static int
source_check(struct net_ns *net, const struct flow *f)
{
	u32 src = ip_addr_get4(&f->src);

	if (ipv4_is_multicast(src) || src == INADDR_BROADCAST)
		return -EINVAL;
	return 0;
}

/* Multicast and limited broadcast leave by the device named, or that of the source address. */
static struct net_device *
group_device(struct net_ns *net, const struct flow *f)
{
	const struct inet_addr *a;

	if (f->oif)
		return net_device_peek_by_index(net, f->oif);
	if (ip_addr_is_any(&f->src))
		return NULL;
	a = inet_address_peek(net, &f->src, NULL);
	return a ? a->dev : NULL;
}

int
inet_route_output(struct net_ns *net, const struct flow *f, struct route *out)
{
	u32 dst = ip_addr_get4(&f->dst);
	const struct route_entry *e = NULL;
	const struct route_hop *hop = NULL;
	bool group = ipv4_is_multicast(dst) || dst == INADDR_BROADCAST;
	struct flow g;
	int r;

	if (unlikely(!ip_addr_is4(&f->dst)))
		return inet6_hooks ? inet6_hooks->route_output(net, f, out) : -ENETUNREACH;
	memset(out, 0, sizeof(*out));
	/* Read before anything is looked up: what changes later makes the result stale. */
	out->generation = smp_load_acquire(&net->route_generation);
	if (!ip_addr_is_any(&f->src)) {
		r = source_check(net, f);
		if (r)
			return r;
	}
	if (unlikely(group)) {
		out->dev = group_device(net, f);
		if (f->oif && !out->dev)
			return -ENODEV;
		if (out->dev) {
			if (!(READ_ONCE(out->dev->flags) & IFF_UP))
				return -ENETUNREACH;
			out->type = ipv4_is_multicast(dst) ? RTN_MULTICAST : RTN_BROADCAST;
			out->gateway = f->dst;
			out->source = f->src;
			if (ip_addr_is_any(&out->source))
				out->source = inet_address_select(out->dev, &f->dst, RT_SCOPE_LINK);
			out->mtu = inet_route_mtu(net, &f->dst, NULL, out->dev, out);
			return route_neighbour(net, out);
		}
	}
	g = *f;
	if (unlikely(!dst)) {
		/* "This host": itself. */
		g.dst = ip_addr4(ip_addr_is_any(&f->src) ? htonl(INADDR_LOOPBACK)
							 : ip_addr_get4(&f->src));
		g.oif = 0;
	}
	r = route_lookup_entry(net, AF_INET, &g, &e, &hop);
	if (r && g.oif && r == -ENETUNREACH) {
		/* A local address is reached by lo whatever device is asked for; another is taken
		 * to be on the link of the device. */
		struct net_device *dev = net_device_peek_by_index(net, g.oif);

		g.oif = 0;
		r = route_lookup_entry(net, AF_INET, &g, &e, &hop);
		if (!r && e->type != RTN_LOCAL)
			r = -ENETUNREACH;
		if (r) {
			if (!dev || !(READ_ONCE(dev->flags) & IFF_UP))
				return dev ? -ENETUNREACH : -ENODEV;
			out->dev = dev;
			out->type = RTN_UNICAST;
			out->gateway = f->dst;
			out->source = f->src;
			if (ip_addr_is_any(&out->source))
				out->source = inet_address_select(dev, &f->dst, RT_SCOPE_LINK);
			out->mtu = inet_route_mtu(net, &f->dst, NULL, dev, out);
			return route_neighbour(net, out);
		}
	}
	if (r) {
		inet_count(IpOutNoRoutes);
		return r;
	}
	out->type = group ? (ipv4_is_multicast(dst) ? RTN_MULTICAST : RTN_BROADCAST) : e->type;
	out->scope = e->scope;
	out->protocol = e->protocol;
	out->metrics = &e->metrics;
	out->source = f->src;
	if (e->type == RTN_LOCAL) {
		out->dev = net->loopback;
		out->gateway = g.dst;
		if (ip_addr_is_any(&out->source))
			out->source = ip_addr_is_any(&e->source) || !dst ? g.dst : e->source;
		/* An address of ours is reached from that address, not from the network's. */
		if (ip_addr_is_any(&f->src) && e->prefix_len == 32)
			out->source = g.dst;
		out->mtu = READ_ONCE(out->dev->mtu);
		return 0;
	}
	out->dev = hop->dev;
	out->has_gateway = hop->has_gateway;
	out->gateway = hop->has_gateway ? hop->gateway : g.dst;
	if (ip_addr_is_any(&out->source))
		out->source = !ip_addr_is_any(&e->source)
				      ? e->source
				      : inet_address_select(out->dev, &out->gateway, e->scope);
	out->mtu = inet_route_mtu(net, &f->dst, e, out->dev, out);
	out->mtu_locked = false;
	return route_neighbour(net, out);
}

/* Where a received packet goes: *error 0 and out->type. In a net section. */
void
inet_route_input(struct net_ns *net, const struct flow *f, struct route *out, int *error)
{
	const struct route_entry *e;
	const struct route_hop *hop;

	memset(out, 0, sizeof(*out));
	out->generation = smp_load_acquire(&net->route_generation);
	*error = route_lookup_entry(net, AF_INET, f, &e, &hop);
	if (*error)
		return;
	out->type = e->type;
	out->scope = e->scope;
	out->dev = hop->dev;
	out->has_gateway = hop->has_gateway;
	out->gateway = hop->has_gateway ? hop->gateway : f->dst;
	if (e->type != RTN_UNICAST)
		return;
	out->mtu = inet_route_mtu(net, &f->dst, e, out->dev, out);
	*error = route_neighbour(net, out);
}

void
inet_sock_flow(const struct inet_sock *sk, struct flow *f)
{
	struct socket *s = rcu_dereference(sk->socket);

	*f = (struct flow){
		.dst = sk->remote,
		.src = sk->local,
		.oif = sk->bound_ifindex,
		.mark = s ? s->mark : sk->mark,
		.tos = sk->tos,
		.protocol = sk->protocol,
		.src_port = sk->local_port,
		.dst_port = sk->remote_port,
		.flow_label = sk->flow_label,
		.uid = sk->uid,
	};
}

int
inet_sock_route(struct inet_sock *sk)
{
	struct flow f;

	if (likely(route_valid(sk->net, &sk->route)) &&
	    (!sk->route.expires || sk->route.expires > time_coarse_mono_ns()))
		return 0;
	inet_sock_flow(sk, &f);
	int r = inet_route_output(sk->net, &f, &sk->route);

	if (r)
		sk->route.dev = NULL;
	return r;
}

u32
inet_sock_mtu(struct inet_sock *sk)
{
	return inet_sock_route(sk) ? 0 : sk->route.mtu;
}

u32
inet_sock_header_len(const struct inet_sock *sk)
{
	const struct inet_options *o = rcu_dereference(sk->options);

	return ip_addr_is4(&sk->remote) ? 20 + (o ? o->len : 0) : 40;
}

u32
inet_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, u8 protocol, u32 len)
{
	if (ip_addr_is4(dst))
		return csum_pseudo4(ip_addr_get4(src), ip_addr_get4(dst), protocol, len);
	return csum_pseudo6(src, dst, protocol, len);
}

/* ---- the header ---- */

static DEFINE_PERCPU(u32, id_counter);

/* Identification matters only for datagrams that may be cut: unpredictable, rarely repeated. */
static u16
id_choose(u32 dst)
{
	this_cpu_add(id_counter, 1);
	return (u16)(hash_mix(net_init_ns.hash_key.word[1] + cpu_id(), dst) +
		     this_cpu_read(id_counter));
}

int
inet_send(struct inet_sock *sk, struct packet *p, const struct ip_tx *tx, const struct route *route)
{
	const struct inet_options *o = tx->options;
	u32 header = 20 + (o ? o->len : 0);
	struct net_ns *net = route->dev->net;
	struct ipv4_header *h;
	s16 ttl = tx->ttl;

	if (unlikely(!ip_addr_is4(&tx->dst)))
		return inet6_hooks->send(sk, p, tx, route);
	if (unlikely(packet_headroom(p) < header + PACKET_LINK_MAX || packet_shared(p)) &&
	    packet_cow_head(p, header + PACKET_LINK_MAX, GFP_ATOMIC)) {
		packet_free(p);
		return -ENOBUFS;
	}
	if (ttl < 0)
		ttl = route->type == RTN_MULTICAST		   ? 1
		      : route->metrics && route->metrics->hoplimit ? (s16)route->metrics->hoplimit
								   : net->inet->default_ttl;
	h = packet_push(p, header);
	packet_set_network(p);
	h->version_ihl = (u8)(0x40 | header / 4);
	h->tos = tx->tos;
	h->total_len = htons((u16)p->len);
	h->frag_off = tx->df && !tx->may_fragment ? htons(IPV4_DF) : 0;
	h->id = tx->id				 ? htons(tx->id)
		: tx->df && p->len <= route->mtu ? 0
						 : htons(id_choose(tx->dst.w[3]));
	if (p->gso_size && !h->id)
		h->id = htons(id_choose(tx->dst.w[3]));
	h->ttl = (u8)ttl;
	h->protocol = tx->protocol;
	h->src = ip_addr_get4(&tx->src);
	h->dst = ip_addr_get4(&tx->dst);
	if (o)
		memcpy(h + 1, o->bytes, o->len);
	h->check = 0;
	h->check = csum_fold(csum_bytes(h, header, 0));
	p->protocol = ETH_P_IP;
	p->priority = tx->priority;
	p->mark = tx->mark;
	inet_count(IpOutRequests);
	return ip_finish(net, p, route, !tx->df || tx->may_fragment, sk);
}

int
inet_send_to(struct net_ns *net, struct inet_sock *sk, struct packet *p, const struct ip_tx *tx)
{
	struct flow f = { .dst = tx->dst,
			  .src = tx->src,
			  .oif = tx->oif,
			  .mark = tx->mark,
			  .tos = tx->tos,
			  .protocol = tx->protocol,
			  .flow_label = tx->flow_label };
	struct ip_tx full = *tx;
	struct route route;
	int r = inet_route_output(net, &f, &route);

	if (r) {
		packet_free(p);
		return r;
	}
	if (ip_addr_is_any(&full.src))
		full.src = route.source;
	return inet_send(sk, p, &full, &route);
}

int
inet_queue_xmit(struct inet_sock *sk, struct packet *p)
{
	struct socket *s;
	struct ip_tx tx;
	int r = inet_sock_route(sk);

	if (unlikely(r)) {
		packet_free(p);
		return r;
	}
	s = rcu_dereference(sk->socket);
	tx = (struct ip_tx){
		.src = sk->local,
		.dst = sk->remote,
		.protocol = sk->protocol,
		.mark = s ? s->mark : sk->mark,
		.priority = s ? s->priority : sk->priority,
		.flow_label = sk->flow_label,
	};
	if (likely(ip_addr_is4(&sk->remote))) {
		tx.tos = sk->tos;
		tx.ttl = sk->ttl;
		tx.df = sk->pmtu_discover != IP_PMTUDISC_DONT;
		/* A path that shrank meanwhile: the transport learns of it, this packet is cut. */
		tx.may_fragment = sk->pmtu_discover < IP_PMTUDISC_DO &&
				  p->len + 20 > sk->route.mtu && !p->gso_size;
		tx.options = rcu_dereference(sk->options);
	} else {
		tx.tos = sk->tclass;
		tx.ttl = sk->hops;
		tx.may_fragment = !p->gso_size;
	}
	return inet_send(sk, p, &tx, &sk->route);
}

/* ---- to the device ---- */

int
inet_link_output(struct packet *p, const struct route *route)
{
	static const u8 no_address[ETH_ALEN];
	struct net_device *dev = route->dev;

	p->dev = dev;
	if (route->neigh)
		return neighbour_output(route->neigh, p);
	if (!dev->header_len) {
		packet_set_link(p);
		return net_transmit(p);
	}
	if (eth_header_push(p, p->protocol, no_address, no_address)) {
		packet_free(p);
		return -ENOBUFS;
	}
	return net_transmit(p);
}

/* A copy of a multicast or broadcast packet comes back to this host's members. */
void
inet_loop_copy(struct packet *p, const struct route *route)
{
	struct packet *c = packet_copy(p, PACKET_HEADROOM, GFP_ATOMIC);

	if (!c)
		return;
	c->flags |= PACKET_F_LOOPED;
	c->dev = route->dev;
	c->pkt_type = PACKET_HOST;
	packet_set_link(c);
	net_receive_later(c);
}

int
ip_finish(struct net_ns *net, struct packet *p, const struct route *route, bool may_fragment,
	  const struct inet_sock *sk)
{
	bool lo = route->dev->flags & IFF_LOOPBACK;

	p->dev = route->dev;
	p->ifindex = route->dev->ifindex;
	if (unlikely(route->type == RTN_MULTICAST)) {
		const struct ipv4_header *h = packet_network(p);
		struct ip_addr group = ip_addr4(h->dst);

		if (!lo && (!sk || sk->mc_loop) && !(p->flags & PACKET_F_FORWARD) &&
		    inet_group_joined(route->dev, &group))
			inet_loop_copy(p, route);
		if (h->ttl == 0) {
			packet_free(p);
			return 0;
		}
	} else if (unlikely(route->type == RTN_BROADCAST) && !lo) {
		inet_loop_copy(p, route);
	}
	if (unlikely(p->len > route->mtu && !p->gso_size)) {
		if (!may_fragment && !(p->flags & PACKET_F_IGNORE_DF)) {
			inet_count(IpFragFails);
			packet_free(p);
			return -EMSGSIZE;
		}
		return ip_fragment(p, route);
	}
	return inet_link_output(p, route);
}
