/* SPDX-License-Identifier: MIT */
/*
 * The way of IPv6 packets, and the source address by RFC 6724: same scope or better, not
 * deprecated, on the outgoing device, longest common prefix.
 */
#include "core/time.h"
#include "inet6_internal.h"
#include "uapi/errno.h"

const struct ip_addr ip6_loopback = { { .b = { [15] = 1 } } };
const struct ip_addr ip6_all_nodes = { { .b = { 0xff, 2, [15] = 1 } } };
const struct ip_addr ip6_all_routers = { { .b = { 0xff, 2, [15] = 2 } } };

struct selection {
	const struct net_device *dev;
	const struct ip_addr *dst;
	const struct inet_addr *best;
	u32 best_rank;
};

static u32
common_prefix(const struct ip_addr *a, const struct ip_addr *b)
{
	u64 x = __builtin_bswap64(a->q[0] ^ b->q[0]);

	return x ? (u32)__builtin_clzl(x) : 64;
}

static bool
consider(const struct inet_addr *a, void *ctx)
{
	struct selection *s = ctx;
	u8 want = ip6_scope(s->dst), have = ip6_scope(&a->local);
	u32 rank = 0;

	if (a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return false;
	/* An address of smaller scope than the destination only if there is no other. */
	if (have >= want)
		rank |= 1u << 20 | (u32)(15 - have) << 12;
	else
		rank |= (u32)have << 12;
	/* A link-local address is good on its link only. */
	if (have == 2 && a->dev != s->dev)
		return false;
	if (!(a->flags & IFA_F_DEPRECATED) && a->preferred_until > time_coarse_mono_ns())
		rank |= 1u << 10;
	if (a->dev == s->dev)
		rank |= 1u << 9;
	rank |= common_prefix(&a->local, s->dst);
	if (ip_addr_equal(&a->local, s->dst))
		rank |= 1u << 30;
	if (!s->best || rank > s->best_rank) {
		s->best = a;
		s->best_rank = rank;
	}
	return false;
}

struct ip_addr
ip6_source_select(struct net_ns *net, const struct net_device *dev, const struct ip_addr *dst)
{
	struct selection s = { .dev = dev, .dst = dst };

	inet_address_for_each(net, NULL, AF_INET6, consider, &s);
	return s.best ? s.best->local : IP_ADDR_ANY6;
}

static int
neighbour_find(struct route *out)
{
	if ((out->dev->flags & IFF_LOOPBACK) || (!out->dev->header_len && !out->dev->ops->header))
		return 0;
	out->neigh = neighbour_peek_or_create(&nd_table, &out->gateway, out->dev);
	return out->neigh ? 0 : -ENOBUFS;
}

int
ip6_route_output(struct net_ns *net, const struct flow *f, struct route *out)
{
	const struct route_entry *e = NULL;
	const struct route_hop *hop = NULL;
	struct flow g = *f;
	int r;

	memset(out, 0, sizeof(*out));
	out->generation = smp_load_acquire(&net->route_generation);
	if (ip_addr_is_any(&g.dst) && !ip_addr_is4(&g.dst)) {
		g.dst = ip6_loopback;
		g.oif = 0;
	}
	if (!ip_addr_is_any(&f->src) && f->src.b[0] == 0xff)
		return -EINVAL;
	if (ip_addr_is4(&f->src)) { /* a mapped source cannot reach an IPv6 address */
		if (!ip_addr_is_any(&f->src))
			return -EINVAL;
		g.src = IP_ADDR_ANY6;
	}
	out->source = g.src;
	if (g.dst.b[0] == 0xff) {
		out->type = RTN_MULTICAST;
		if (g.oif) {
			out->dev = net_device_peek_by_index(net, g.oif);
			if (!out->dev)
				return -ENODEV;
		}
	}
	if (!out->dev) {
		r = route_lookup_entry(net, AF_INET6, &g, &e, &hop);
		if (r == -ENETUNREACH && g.oif) {
			g.oif = 0;
			r = route_lookup_entry(net, AF_INET6, &g, &e, &hop);
			if (!r && e->type != RTN_LOCAL)
				r = -ENETUNREACH;
		}
		if (r) {
			inet_count(Ip6OutNoRoutes);
			return r;
		}
		out->type = out->type ? out->type : e->type;
		out->scope = e->scope;
		out->protocol = e->protocol;
		out->metrics = &e->metrics;
		out->dev = e->type == RTN_LOCAL ? net->loopback : hop->dev;
		out->has_gateway = hop->has_gateway;
	}
	if (!(READ_ONCE(out->dev->flags) & IFF_UP))
		return -ENETUNREACH;
	out->gateway = out->has_gateway ? hop->gateway : g.dst;
	if (ip_addr_is_any(&out->source)) {
		if (out->type == RTN_LOCAL)
			out->source = g.dst;
		else if (e && !ip_addr_is_any(&e->source))
			out->source = e->source;
		else
			out->source = ip6_source_select(net, out->dev, &g.dst);
		if (ip_addr_is_any(&out->source) && out->type != RTN_MULTICAST)
			return -EADDRNOTAVAIL;
	}
	out->mtu = out->type == RTN_LOCAL ? READ_ONCE(out->dev->mtu)
					  : inet_route_mtu(net, &g.dst, e, out->dev, out);
	if (out->dev->inet6 && inet6_device_of(out->dev)->ra_mtu)
		out->mtu = MIN(out->mtu, inet6_device_of(out->dev)->ra_mtu);
	if (out->type == RTN_LOCAL)
		return 0;
	return neighbour_find(out);
}

void
ip6_route_input(struct net_ns *net, const struct flow *f, struct route *out, int *error)
{
	const struct route_entry *e;
	const struct route_hop *hop;

	memset(out, 0, sizeof(*out));
	out->generation = smp_load_acquire(&net->route_generation);
	*error = route_lookup_entry(net, AF_INET6, f, &e, &hop);
	if (*error)
		return;
	out->type = e->type;
	out->dev = hop->dev;
	out->has_gateway = hop->has_gateway;
	out->gateway = hop->has_gateway ? hop->gateway : f->dst;
	if (e->type != RTN_UNICAST)
		return;
	out->mtu = inet_route_mtu(net, &f->dst, e, out->dev, out);
	*error = neighbour_find(out);
}

u8
ip6_addr_type(struct net_ns *net, const struct ip_addr *a, u32 ifindex)
{
	const struct inet_addr *e;

	if (a->b[0] == 0xff)
		return RTN_MULTICAST;
	if (ifindex && ipv6_is_linklocal(a)) {
		struct net_device *dev = net_device_peek_by_index(net, ifindex);

		e = dev ? inet_address_peek(net, a, dev) : NULL;
	} else {
		e = inet_address_peek(net, a, NULL);
	}
	return e && !(e->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) ? RTN_LOCAL : RTN_UNICAST;
}
