/* SPDX-License-Identifier: MIT */
/*
 * IPv6 output: the header, fragments by the source (RFC 8200 4.5), and to the device.
 */
#include "core/random.h"
#include "inet6_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

struct fragment_header {
	u8 next, reserved;
	u16 offset; /* in units of eight, shifted by three; bit 0: more */
	u32 id;
};

static int
fragment(struct packet *p, const struct route *route)
{
	struct ipv6_header *h;
	u32 payload, room, id = (u32)random_u64();
	int r = 0;

	if (packet_checksum_finish(p) || route->mtu < IPV6_MIN_MTU) {
		packet_free(p);
		return -ENOBUFS;
	}
	h = packet_network(p);
	payload = p->len - (u32)sizeof(*h);
	room = (route->mtu - (u32)(sizeof(*h) + sizeof(struct fragment_header))) & ~7u;
	for (u32 done = 0; done < payload && !r; done += room) {
		u32 n = MIN(room, payload - done);
		struct packet *f = packet_alloc(
			(u32)(sizeof(*h) + sizeof(struct fragment_header)) + n, GFP_ATOMIC);
		struct fragment_header *fh;
		struct ipv6_header *nh;

		if (!f) {
			r = -ENOBUFS;
			break;
		}
		nh = packet_put(f, sizeof(*nh));
		packet_set_network(f);
		*nh = *h;
		fh = packet_put(f, sizeof(*fh));
		*fh = (struct fragment_header){ .next = h->next_header,
						.offset = htons((u16)(done | (done + n < payload))),
						.id = id };
		nh->next_header = IPPROTO_FRAGMENT;
		f->transport_header = (u16)(f->network_header + sizeof(*nh));
		packet_copy_bits(p, (u32)sizeof(*h) + done, packet_put(f, n), n);
		nh->payload_len = htons((u16)(f->len - sizeof(*nh)));
		f->protocol = ETH_P_IPV6;
		f->dev = p->dev;
		f->ifindex = p->ifindex;
		f->mark = p->mark;
		f->priority = p->priority;
		inet_count(IpFragCreates);
		r = inet_link_output(f, route);
	}
	if (r)
		inet_count(IpFragFails);
	else
		inet_count(IpFragOKs);
	packet_free(p);
	return r;
}

int
ip6_finish(struct packet *p, const struct route *route, bool may_fragment,
	   const struct inet_sock *sk)
{
	p->dev = route->dev;
	p->ifindex = route->dev->ifindex;
	if (unlikely(route->type == RTN_MULTICAST)) {
		const struct ipv6_header *h = packet_network(p);
		struct ip_addr group;

		memcpy(&group, h->dst, 16);
		if (!(route->dev->flags & IFF_LOOPBACK) && (!sk || sk->mc_loop) &&
		    inet_group_joined(route->dev, &group))
			inet_loop_copy(p, route);
		if (!h->hop_limit || (group.b[1] & 15) <= 1) {
			if (!(route->dev->flags & IFF_LOOPBACK)) { /* stays on this host */
				packet_free(p);
				return 0;
			}
		}
	}
	if (unlikely(p->len > route->mtu && !p->gso_size)) {
		if (!may_fragment) {
			packet_free(p);
			return -EMSGSIZE;
		}
		return fragment(p, route);
	}
	return inet_link_output(p, route);
}

int
ip6_send(struct inet_sock *sk, struct packet *p, const struct ip_tx *tx, const struct route *route)
{
	struct ipv6_header *h;
	s16 hops = tx->ttl;

	if (unlikely(packet_headroom(p) < sizeof(*h) + PACKET_LINK_MAX || packet_shared(p)) &&
	    packet_cow_head(p, sizeof(*h) + PACKET_LINK_MAX, GFP_ATOMIC)) {
		packet_free(p);
		return -ENOBUFS;
	}
	if (hops < 0) {
		struct inet6_device *in = inet6_device_of(route->dev);

		hops = route->type == RTN_MULTICAST		    ? 1
		       : route->metrics && route->metrics->hoplimit ? (s16)route->metrics->hoplimit
		       : in					    ? in->hop_limit
								    : 64;
	}
	h = packet_push(p, sizeof(*h));
	packet_set_network(p);
	h->version_class_flow = htonl(6u << 28 | (u32)tx->tos << 20 | (tx->flow_label & 0xfffff));
	h->payload_len = p->len - sizeof(*h) > 0xffff ? 0 : htons((u16)(p->len - sizeof(*h)));
	h->next_header = tx->protocol;
	h->hop_limit = (u8)hops;
	memcpy(h->src, &tx->src, 16);
	memcpy(h->dst, ip_addr_is_any(&tx->dst) ? &ip6_loopback : &tx->dst, 16);
	p->protocol = ETH_P_IPV6;
	p->priority = tx->priority;
	p->mark = tx->mark;
	inet_count(Ip6OutRequests);
	return ip6_finish(p, route, tx->may_fragment, sk);
}
