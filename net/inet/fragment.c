/* SPDX-License-Identifier: MIT */
/*
 * Fragmentation of IPv4 datagrams, and reassembly for IPv4 and IPv6: RFC 791, RFC 815, RFC
 * 8200 4.5.
 *
 * A datagram in parts is a queue of its fragments in the order of their offsets, found by
 * addresses, identification and protocol in a small hash. Overlapping fragments condemn the whole
 * (RFC 5722; exact duplicates are ignored). A queue lives 30 seconds; then the sender is told, if
 * the first fragment is there. All queues together hold ipfrag_high_thresh bytes at most; what
 * comes beyond that is dropped. A queue holds 128 fragments at most.
 *
 * Locking: the bucket's lock guards its queues. An armed timer holds a reference, the hash another.
 */
#include "core/random.h"
#include "core/time.h"
#include "inet_internal.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

#define BUCKET_BITS   7
#define FRAGMENTS_MAX 128

struct fragment_cb { /* packet->cb while it waits */
	u32 start, end;
};

struct fragment_queue {
	struct hlist_node node;
	struct fragment_key key;
	struct net_ns *net;
	struct ref ref;
	struct packet *first; /* by offset, linked by next */
	u32 count, bytes, memory;
	u32 end; /* of the datagram, once the last fragment is there */
	u32 max; /* largest fragment */
	bool have_end, dead;
	struct net_timer timer;
	struct rcu_head rcu;
};

struct bucket {
	struct spinlock lock; /* RANK_ROUTE */
	struct hlist_head queues;
};

static struct bucket buckets[1 << BUCKET_BITS];
struct atomic32 fragment_memory;
u32 fragment_count;

/* ---- cutting ---- */

static int
bytes_append(struct packet *to, const struct packet *from, u32 offset, u32 len)
{
	u32 n = MIN(len, packet_tailroom(to));

	packet_copy_bits(from, offset, packet_put(to, n), n);
	for (offset += n, len -= n; len; offset += n, len -= n) {
		struct page *page = page_alloc(0, GFP_ATOMIC | GFP_NOWARN);

		n = MIN(len, (u32)PAGE_SIZE);
		if (!page)
			return -ENOMEM;
		packet_copy_bits(from, offset, page_to_virt(page), n);
		if (!packet_add_frag(to, page, 0, n)) {
			page_put(page);
			return -ENOMEM;
		}
		to->truesize += PAGE_SIZE;
	}
	return 0;
}

/* Options that only the first fragment carries become no-ops. */
static void
options_strip(u8 *o, u32 len)
{
	while (len && *o) {
		u32 n = *o == 1 ? 1 : len > 1 ? o[1] : 0;

		if (!n || n > len || (*o != 1 && n < 2))
			return;
		if (*o != 1 && !(*o & 0x80))
			memset(o, 1, n);
		o += n;
		len -= n;
	}
}

int
ip_fragment(struct packet *p, const struct route *route)
{
	const struct ipv4_header *h = packet_network(p);
	u32 header = (h->version_ihl & 15u) * 4, payload = p->len - header;
	u32 room = (route->mtu - header) & ~7u;
	u16 off = ntohs(h->frag_off);
	int r = 0;

	if (packet_checksum_finish(p) || route->mtu < header + 8) {
		packet_free(p);
		return -ENOBUFS;
	}
	h = packet_network(p);
	for (u32 done = 0; done < payload && !r; done += room) {
		u32 n = MIN(room, payload - done);
		bool last = done + n == payload;
		struct packet *f = packet_alloc(header + n, GFP_ATOMIC);
		struct ipv4_header *fh;

		if (!f) {
			r = -ENOBUFS;
			break;
		}
		fh = packet_put(f, header);
		memcpy(fh, h, header);
		if (done && header > 20)
			options_strip((u8 *)(fh + 1), header - 20);
		packet_set_network(f);
		f->transport_header = (u16)(f->network_header + header);
		packet_copy_bits(p, header + done, packet_put(f, n), n);
		fh->total_len = htons((u16)f->len);
		fh->frag_off = htons((u16)((off & ~IPV4_OFFSET & 0xffff & ~IPV4_DF) |
					   ((off & IPV4_OFFSET) + done / 8) |
					   (last ? off & IPV4_MF : IPV4_MF)));
		fh->check = 0;
		fh->check = csum_fold(csum_bytes(fh, header, 0));
		f->protocol = ETH_P_IP;
		f->dev = p->dev;
		f->ifindex = p->ifindex;
		f->mark = p->mark;
		f->priority = p->priority;
		f->flags |= p->flags & PACKET_F_FORWARD;
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

/* ---- putting together ---- */

static struct bucket *
bucket_of(const struct fragment_key *k)
{
	u64 h = hash_mix(net_init_ns.hash_key.word[0], k->src.q[1]);

	h = hash_mix(hash_mix(h, k->dst.q[1] ^ k->src.q[0]), (u64)k->id << 8 | k->protocol);
	return &buckets[h >> (64 - BUCKET_BITS)];
}

static bool
key_equal(const struct fragment_key *a, const struct fragment_key *b)
{
	return a->id == b->id && a->protocol == b->protocol && a->v6 == b->v6 &&
	       a->ifindex == b->ifindex && ip_addr_equal(&a->src, &b->src) &&
	       ip_addr_equal(&a->dst, &b->dst);
}

static void
queue_put(struct fragment_queue *q)
{
	if (ref_put(&q->ref))
		kfree_rcu(q, rcu);
}

/* Off the hash, its packets in *chain. The bucket's lock is held. True: the timer's reference is
 * the caller's to put, besides the hash's. */
static bool
queue_remove(struct fragment_queue *q, struct packet **chain)
{
	hlist_del_init(&q->node);
	q->dead = true;
	*chain = q->first;
	q->first = NULL;
	fragment_count--;
	atomic_sub(&fragment_memory, (int)q->memory);
	return net_timer_cancel(&q->timer);
}

static void
chain_free(struct packet *p)
{
	while (p) {
		struct packet *next = p->next;

		packet_free(p);
		p = next;
	}
}

static void
queue_expire(struct net_timer *t)
{
	struct fragment_queue *q = container_of(t, struct fragment_queue, timer);
	struct bucket *b = bucket_of(&q->key);
	enum net_timer_result what;
	struct packet *chain = NULL;
	bool gone = false;

	spin_lock(&b->lock);
	what = net_timer_fired(t);
	if (what == NET_TIMER_DUE && !q->dead) {
		(void)!queue_remove(q, &chain);
		gone = true;
	}
	spin_unlock(&b->lock);
	if (gone) {
		inet_count(IpReasmTimeout);
		inet_count(IpReasmFails);
		if (chain && ((struct fragment_cb *)chain->cb)->start == 0) {
			struct net_device *dev = net_device_peek_by_index(q->net, q->key.ifindex);
			struct packet *p = chain;

			chain = p->next;
			p->next = NULL;
			p->dev = dev;
			*inet_cb(p) = (struct inet_cb){ .src = q->key.src,
							.dst = q->key.dst,
							.v6 = q->key.v6 };
			if (dev)
				inet_icmp_error(p, INET_FRAG_TIME_EXCEEDED, 0);
			packet_free(p);
		}
		chain_free(chain);
		queue_put(q);
	}
	if (what != NET_TIMER_REARMED)
		queue_put(q);
}

static struct fragment_queue *
queue_create(struct net_ns *net, struct bucket *b, const struct fragment_key *key)
{
	struct fragment_queue *q = kzalloc(sizeof(*q), GFP_ATOMIC | GFP_NOWARN);

	if (!q)
		return NULL;
	q->key = *key;
	q->net = net;
	ref_init(&q->ref);
	q->memory = sizeof(*q);
	atomic_add(&fragment_memory, (int)q->memory);
	net_timer_init(&q->timer, queue_expire);
	ref_get(&q->ref);
	(void)net_timer_start(&q->timer, time_mono_ns() + net->inet->frag_time_ns);
	hlist_add_head(&q->node, &b->queues);
	fragment_count++;
	return q;
}

enum insert_result { INSERT_OK, INSERT_DUPLICATE, INSERT_BAD };

static enum insert_result
queue_insert(struct fragment_queue *q, struct packet *p, u32 start, u32 end, bool more)
{
	struct packet **link = &q->first, *prev = NULL;

	if (!more) {
		if ((q->have_end && q->end != end) || q->count == FRAGMENTS_MAX)
			return INSERT_BAD;
	} else if (q->have_end && end > q->end) {
		return INSERT_BAD;
	}
	for (; *link; prev = *link, link = &(*link)->next)
		if (((struct fragment_cb *)(*link)->cb)->start >= start)
			break;
	if (*link) {
		struct fragment_cb *n = (struct fragment_cb *)(*link)->cb;

		if (n->start == start && n->end == end)
			return INSERT_DUPLICATE;
		if (end > n->start)
			return INSERT_BAD;
	}
	if (prev && ((struct fragment_cb *)prev->cb)->end > start)
		return INSERT_BAD;
	if (!more) {
		struct packet *l = *link;

		if (l)
			return INSERT_BAD; /* something lies behind the end */
		q->have_end = true;
		q->end = end;
	}
	*(struct fragment_cb *)p->cb = (struct fragment_cb){ start, end };
	p->next = *link;
	*link = p;
	q->count++;
	q->bytes += end - start;
	q->memory += p->truesize;
	q->max = MAX(q->max, p->len + (packet_headroom(p) - p->network_header));
	atomic_add(&fragment_memory, (int)p->truesize);
	return q->count > FRAGMENTS_MAX ? INSERT_BAD : INSERT_OK;
}

/* Header of the first, payload of all. Takes over the chain. */
static struct packet *
chain_join(struct packet *chain, u32 total)
{
	u32 header = packet_headroom(chain) - chain->network_header;
	struct packet *w = packet_alloc(header + MIN(total, 2048u), GFP_ATOMIC);

	if (!w)
		goto out;
	memcpy(packet_put(w, header), packet_network(chain), header);
	for (struct packet *p = chain; p; p = p->next)
		if (bytes_append(w, p, 0, p->len)) {
			packet_free(w);
			w = NULL;
			break;
		}
	if (w) {
		packet_set_network(w);
		w->protocol = chain->protocol;
		w->pkt_type = chain->pkt_type;
		w->dev = chain->dev;
		w->ifindex = chain->ifindex;
		w->mark = chain->mark;
		w->tstamp = chain->tstamp;
		w->flags |= chain->flags & PACKET_F_LOOPED;
	}
out:
	chain_free(chain);
	return w;
}

struct packet *
fragment_add(struct net_ns *net, const struct fragment_key *key, struct packet *p, u32 offset,
	     bool more)
{
	struct bucket *b = bucket_of(key);
	struct net_device *dev = p->dev;
	struct packet *chain = NULL;
	struct fragment_queue *q;
	enum insert_result what;
	u32 total, max;
	bool timer = false;

	inet_count(IpReasmReqds);
	if (packet_checksum_finish(p) || p->len > 65535 - offset || (more && p->len % 8) || !p->len)
		goto bad;
	if ((u32)atomic_read(&fragment_memory) > READ_ONCE(net->inet->frag_high))
		goto bad;
	packet_orphan(p);
	p->dev = NULL;
	spin_lock(&b->lock);
	hlist_for_each_entry(q, &b->queues, node)
	{
		if (key_equal(&q->key, key))
			break;
	}
	if (!q)
		q = queue_create(net, b, key);
	if (!q) {
		spin_unlock(&b->lock);
		goto bad;
	}
	what = queue_insert(q, p, offset, offset + p->len, more);
	if (what == INSERT_BAD) {
		bool linked = false;

		for (struct packet *o = q->first; o; o = o->next)
			linked |= o == p;
		timer = queue_remove(q, &chain);
		spin_unlock(&b->lock);
		if (!linked)
			packet_free(p);
		chain_free(chain);
		if (timer)
			queue_put(q);
		queue_put(q);
		inet_count(IpReasmFails);
		return NULL;
	}
	if (!q->have_end || q->bytes < q->end) {
		spin_unlock(&b->lock);
		if (what == INSERT_DUPLICATE)
			packet_free(p);
		return NULL;
	}
	total = q->end;
	max = q->max;
	timer = queue_remove(q, &chain);
	spin_unlock(&b->lock);
	if (timer)
		queue_put(q);
	queue_put(q);
	p = chain_join(chain, total);
	if (!p) {
		inet_count(IpReasmFails);
		return NULL;
	}
	p->dev = dev;
	inet_cb(p)->frag_max = (u16)max;
	inet_count(IpReasmOKs);
	return p;

bad:
	inet_count(IpReasmFails);
	packet_free(p);
	return NULL;
}

struct packet *
ip_reassemble(struct packet *p)
{
	struct ipv4_header *h = packet_network(p);
	u32 header = (h->version_ihl & 15u) * 4;
	u16 off = ntohs(h->frag_off);
	struct fragment_key key = { .src = ip_addr4(h->src),
				    .dst = ip_addr4(h->dst),
				    .id = h->id,
				    .protocol = h->protocol,
				    .ifindex = p->dev->ifindex };
	u16 max;

	if (!packet_pull(p, header)) {
		packet_free(p);
		return NULL;
	}
	p = fragment_add(p->dev->net, &key, p, (off & IPV4_OFFSET) * 8u, off & IPV4_MF);
	if (!p)
		return NULL;
	max = inet_cb(p)->frag_max;
	h = packet_network(p);
	header = (h->version_ihl & 15u) * 4;
	h->total_len = htons((u16)p->len);
	h->frag_off = 0;
	h->check = 0;
	h->check = csum_fold(csum_bytes(h, header, 0));
	if (p->len > 65535) {
		packet_free(p);
		return NULL;
	}
	inet_cb(p)->frag_max = max;
	return p;
}

void
fragment_init(void)
{
	for (u32 i = 0; i < 1u << BUCKET_BITS; i++) {
		spin_init(&buckets[i].lock, RANK_ROUTE);
		hlist_init(&buckets[i].queues);
	}
}
