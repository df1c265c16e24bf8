/* SPDX-License-Identifier: MIT */
/*
 * IPv6 input: RFC 8200. Extension headers are walked up to the transport: hop-by-hop and
 * destination options are skipped or refused by their highest bits, routing headers accepted only
 * when nothing is left of them (RFC 5095), fragments put together. Forwarding needs
 * net.ipv6.conf.all.forwarding.
 */
#include "inet6_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

#define HEADERS_MAX 8

/* ---- extension headers ---- */

/* Options: RFC 8200 4.2. 0: go on; -1: drop; -2: drop and tell (parameter problem at *where). */
static int
options_check(const u8 *o, u32 len, u32 *where)
{
	u32 i = 2;

	while (i < len) {
		if (o[i] == 0) { /* Pad1 */
			i++;
			continue;
		}
		if (i + 1 >= len || i + 2 + o[i + 1] > len)
			return -1;
		if (o[i] != 1 && o[i] != 5) { /* PadN, router alert */
			switch (o[i] >> 6) {
			case 0: break;
			case 1: return -1;
			default: *where = i; return -2;
			}
		}
		i += 2u + o[i + 1];
	}
	return 0;
}

int
ip6_skip_headers(const struct packet *p, u32 offset, u8 *next, u16 *frag_off)
{
	*frag_off = 0;
	for (u32 i = 0; i < HEADERS_MAX; i++) {
		u8 room[8];
		const u8 *h;

		if (*next != IPPROTO_HOPOPTS && *next != IPPROTO_ROUTING &&
		    *next != IPPROTO_DSTOPTS && *next != IPPROTO_FRAGMENT)
			return (int)offset;
		h = packet_peek(p, offset, 8, room);
		if (!h)
			return -1;
		if (*next == IPPROTO_FRAGMENT) {
			*frag_off = (u16)((h[2] << 8 | h[3]) & ~7);
			*next = h[0];
			if (*frag_off)
				return (int)(offset + 8);
			offset += 8;
		} else {
			*next = h[0];
			offset += (h[1] + 1u) * 8;
		}
	}
	return -1;
}

static void
problem(struct packet *p, u8 code, u32 where)
{
	icmp6_send_error(p, ICMP6_PARAMETER, code, htonl(where));
}

/* data at the first header behind the fixed one. Takes over p. */
static void
deliver(struct packet *p, u8 next)
{
	struct inet_cb *cb = inet_cb(p);

	for (u32 i = 0;; i++) {
		u32 at = packet_headroom(p) - p->network_header, len, where = 0;
		const u8 *h;
		int r;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_FRAGMENT)
			break;
		if (i == HEADERS_MAX || !packet_may_pull(p, 8))
			goto drop;
		h = p->data;
		if (next == IPPROTO_FRAGMENT) {
			struct fragment_key key = { .src = cb->src,
						    .dst = cb->dst,
						    .protocol = h[0],
						    .v6 = true,
						    .ifindex = p->dev->ifindex };
			u16 off = (u16)(h[2] << 8 | h[3]);
			u8 upper = h[0];
			struct inet_cb saved = *cb;

			memcpy(&key.id, h + 4, 4);
			(void)!packet_pull(p, 8);
			/* RFC 8200 4.5: all but the last are multiples of eight, and none ends too
			 * far out. */
			if (off & 1 && p->len & 7) {
				problem(p, 0, offsetof(struct ipv6_header, payload_len));
				goto drop;
			}
			if ((off & ~7u) + p->len > 65535) {
				problem(p, 0, at + 2);
				goto drop;
			}
			if (off & 0xfff9) {
				/* The unfragmentable part loses the fragment header. */
				p = fragment_add(p->dev->net, &key, p, off & ~7u, off & 1);
				if (!p)
					return;
				saved.frag_max = inet_cb(p)->frag_max;
				cb = inet_cb(p);
				*cb = saved;
				if (!packet_may_pull(p, at + 8) || !packet_pull(p, at + 8))
					goto drop;
			}
			next = upper;
			continue;
		}
		if (next == IPPROTO_HOPOPTS && i)
			goto drop;
		len = (h[1] + 1u) * 8;
		if (!packet_may_pull(p, len))
			goto drop;
		h = p->data;
		if (next == IPPROTO_ROUTING) {
			if (h[3]) { /* segments left */
				problem(p, 0, at + 2);
				goto drop;
			}
		} else {
			r = options_check(h, len, &where);
			if (r == -2)
				problem(p, 2, at + where);
			if (r)
				goto drop;
		}
		next = h[0];
		(void)!packet_pull(p, len);
	}
	if (next == IPPROTO_NONE)
		goto drop;
	cb->header_len = (u16)(packet_headroom(p) - p->network_header);
	cb->protocol = next;
	packet_set_transport(p);
	inet_count(Ip6InDelivers);
	inet_deliver(p, next);
	return;
drop:
	packet_free(p);
}

/* ---- forwarding ---- */

static void
forward(struct packet *p, const struct route *r)
{
	struct ipv6_header *h;
	u8 scope = ip6_scope(&inet_cb(p)->src);

	if (!READ_ONCE(inet6_config.forwarding) || p->pkt_type != PACKET_HOST || scope <= 2)
		goto drop;
	if (packet_cow_head(p, PACKET_LINK_MAX, GFP_ATOMIC) || packet_checksum_finish(p))
		goto drop;
	h = (struct ipv6_header *)p->data;
	if (h->hop_limit <= 1) {
		icmp6_error(p, INET_TTL_EXCEEDED, 0);
		goto drop;
	}
	if (p->len > r->mtu && !p->gso_size) {
		icmp6_error(p, INET_TOO_BIG, r->mtu);
		goto drop;
	}
	h->hop_limit--;
	p->flags |= PACKET_F_FORWARD;
	(void)ip6_finish(p, r, false, NULL);
	return;
drop:
	packet_free(p);
}

/* ---- arrival ---- */

void
ip6_receive(struct packet *p)
{
	struct net_device *dev = p->dev;
	struct inet6_device *in = inet6_device_of(dev);
	const struct ipv6_header *h;
	struct inet_cb *cb = inet_cb(p);
	u32 len, word;
	struct route r;
	struct flow f;
	int error;

	inet_count(Ip6InReceives);
	if (p->pkt_type == PACKET_OTHERHOST || !in || in->disabled)
		goto drop;
	if (!packet_may_pull(p, sizeof(*h)))
		goto bad;
	h = (const struct ipv6_header *)p->data;
	word = ntohl(h->version_class_flow);
	if (word >> 28 != 6)
		goto bad;
	len = ntohs(h->payload_len);
	if (!len && p->gso_size)
		len = p->len - (u32)sizeof(*h);
	if (len + sizeof(*h) > p->len)
		goto bad;
	if (len + sizeof(*h) < p->len) {
		if (packet_trim(p, len + (u32)sizeof(*h)))
			goto drop;
		h = (const struct ipv6_header *)p->data;
	}
	packet_set_network(p);
	memcpy(&cb->src, h->src, 16);
	memcpy(&cb->dst, h->dst, 16);
	cb->ttl = h->hop_limit;
	cb->tos = (u8)(word >> 20);
	cb->flow_info = h->version_class_flow & htonl(0x0fffffff);
	cb->v6 = true;
	cb->frag_max = 0;
	cb->header_len = sizeof(*h);
	cb->protocol = h->next_header;
	/* RFC 4291: what must not be on a wire. */
	if (cb->src.b[0] == 0xff || ip_addr_is4(&cb->src) || ip_addr_is4(&cb->dst))
		goto bad;
	if (!(dev->flags & IFF_LOOPBACK) && !(p->flags & PACKET_F_LOOPED) &&
	    (ip_addr_equal(&cb->src, &ip6_loopback) || ip_addr_equal(&cb->dst, &ip6_loopback)))
		goto bad;
	if (p->csum_state == CSUM_COMPLETE)
		p->csum = csum_sub(p->csum, csum_bytes(h, sizeof(*h), 0));
	if (cb->dst.b[0] == 0xff) {
		if (!(dev->flags & IFF_LOOPBACK) && !ip_addr_equal(&cb->dst, &ip6_all_nodes) &&
		    !inet_group_joined(dev, &cb->dst))
			goto drop;
		p->pkt_type = PACKET_MULTICAST;
		(void)!packet_pull(p, sizeof(*h));
		deliver(p, cb->protocol);
		return;
	}
	f = (struct flow){
		.dst = cb->dst, .src = cb->src, .iif = dev->ifindex, .mark = p->mark, .tos = cb->tos
	};
	ip6_route_input(dev->net, &f, &r, &error);
	if (error) {
		if (READ_ONCE(inet6_config.forwarding) && error != -EINVAL)
			icmp6_error(p, INET_UNREACH_NET, 0);
		goto drop;
	}
	if (r.type == RTN_LOCAL) {
		(void)!packet_pull(p, sizeof(*h));
		deliver(p, cb->protocol);
	} else if (r.type == RTN_UNICAST) {
		forward(p, &r);
	} else {
		goto drop;
	}
	return;
bad:
	inet_count(Ip6InHdrErrors);
drop:
	packet_free(p);
}
