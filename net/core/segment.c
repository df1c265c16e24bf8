/* SPDX-License-Identifier: MIT */
/*
 * Segmentation in software: a GSO packet becomes packets of gso_size bytes of payload for a device
 * that cannot do it itself. TCP: sequence numbers advance, FIN and PSH stay with the last, CWR with
 * the first. UDP: lengths are per datagram. Payload in pages is shared, not copied.
 */
#include "mm/page.h"
#include "mm/slab.h"
#include "net_core_internal.h"
#include "uapi/errno.h"

#define TCP_FLAGS_AT 13
#define TCP_FIN	     0x01
#define TCP_PSH	     0x08
#define TCP_CWR	     0x80

static inline u16
be16_at(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline void
be16_put(u8 *p, u16 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static inline u32
be32_at(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline void
be32_put(u8 *p, u32 v)
{
	be16_put(p, (u16)(v >> 16));
	be16_put(p + 2, (u16)v);
}

static struct packet *
segment_make(const struct packet *p, u32 headers, u32 offset, u32 len)
{
	u32 linear = packet_headlen(p);
	u32 copied = offset < linear ? MIN(len, linear - offset) : 0;
	struct packet *s = packet_alloc(headers + copied, GFP_ATOMIC);
	u32 from = packet_headroom(p), to;

	if (!s)
		return NULL;
	to = packet_headroom(s);
	memcpy(packet_put(s, headers), p->data, headers);
	s->protocol = p->protocol;
	s->pkt_type = p->pkt_type;
	s->dev = p->dev;
	s->ifindex = p->ifindex;
	s->mark = p->mark;
	s->priority = p->priority;
	s->hash = p->hash;
	s->link_header = (u16)(p->link_header - from + to);
	s->network_header = (u16)(p->network_header - from + to);
	s->transport_header = (u16)(p->transport_header - from + to);
	s->csum_state = CSUM_PARTIAL;
	s->csum_start = s->transport_header;
	s->csum_offset = p->csum_offset;
	if (packet_append_range(s, p, offset, len)) {
		packet_free(s);
		return NULL;
	}
	return s;
}

/* The pseudo header's sum is in the field: correct it for the shorter length. */
static void
check_adjust(u8 *field, u32 old_len, u32 new_len)
{
	u16 v;
	u32 sum;

	memcpy(&v, field, 2);
	sum = csum_sub(csum_add(v, htons((u16)new_len)), htons((u16)old_len));
	v = (u16)~csum_fold(sum);
	memcpy(field, &v, 2);
}

static void
network_adjust(struct packet *s, bool v6, u16 id)
{
	u8 *ip = packet_network(s);
	u32 network = s->transport_header - s->network_header;
	u32 total = s->len - (s->network_header - packet_headroom(s));

	if (v6) {
		be16_put(ip + 4, (u16)(total - 40));
		return;
	}
	be16_put(ip + 2, (u16)total);
	be16_put(ip + 4, id);
	ip[10] = ip[11] = 0;
	u16 check = csum_fold(csum_bytes(ip, network, 0));
	memcpy(ip + 10, &check, 2);
}

int
packet_segment(struct packet *p, struct packet **out)
{
	bool tcp = p->gso_type == GSO_TCP4 || p->gso_type == GSO_TCP6;
	bool v6 = p->gso_type == GSO_TCP6 || p->gso_type == GSO_UDP6;
	u32 transport = p->transport_header - packet_headroom(p), headers, payload, seq = 0;
	struct packet *first = NULL, **link = &first;
	u8 flags = 0;
	u16 id;
	int r = -EINVAL;

	if (!p->gso_size || p->csum_state != CSUM_PARTIAL || !packet_may_pull(p, transport + 8))
		goto out_free;
	headers = transport + 8;
	if (tcp) {
		if (!packet_may_pull(p, transport + 20))
			goto out_free;
		headers = transport + (p->data[transport + 12] >> 4) * 4u;
		if (headers < transport + 20 || !packet_may_pull(p, headers))
			goto out_free;
		seq = be32_at(p->data + transport + 4);
		flags = p->data[transport + TCP_FLAGS_AT];
	}
	payload = p->len - headers;
	id = v6 ? 0 : be16_at((u8 *)packet_network(p) + 4);
	for (u32 done = 0; done < payload; done += p->gso_size) {
		u32 n = MIN(payload - done, (u32)p->gso_size);
		struct packet *s = segment_make(p, headers, headers + done, n);
		u8 *t;

		if (!s) {
			r = -ENOMEM;
			goto out_free;
		}
		t = packet_transport(s);
		if (tcp) {
			u8 f = flags;

			if (done)
				f &= (u8)~TCP_CWR;
			if (done + n < payload)
				f &= (u8) ~(TCP_FIN | TCP_PSH);
			t[TCP_FLAGS_AT] = f;
			be32_put(t + 4, seq + done);
		} else {
			be16_put(t + 4, (u16)(n + 8));
		}
		check_adjust(t + s->csum_offset, p->len - transport, headers - transport + n);
		network_adjust(s, v6, id++);
		/* The sender's account shrinks by parts as the segments go. */
		*link = s;
		link = &s->next;
	}
	if (first) {
		/* The whole's charge moves to the last segment: it is free when all are. */
		struct packet *last = container_of(link, struct packet, next);

		last->owner = p->owner;
		last->destructor = p->destructor;
		SWAP(last->truesize, p->truesize);
		p->owner = NULL;
		p->destructor = NULL;
	}
	packet_free(p);
	*out = first;
	return first ? 0 : -EINVAL;

out_free:
	while (first) {
		struct packet *next = first->next;

		packet_free(first);
		first = next;
	}
	packet_free(p);
	return r;
}
