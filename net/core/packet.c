/* SPDX-License-Identifier: MIT */
/*
 * Packet buffers: see net/core/packet.h.
 *
 * One allocation, a "home", holds a description and, behind it, a buffer. The buffer's count keeps
 * the home: the description that lives there holds one of its own even after it has moved to
 * another buffer (PACKET_F_MOVED), so that its memory stays. Homes of the two common sizes come
 * from caches.
 */
#include "net/core/packet.h"

#include "core/panic.h"
#include "core/time.h"
#include "mm/iter.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net_core_internal.h"
#include "uapi/errno.h"

#define PACKET_F_MOVED BIT(7)

#define SMALL_SIZE 896u	 /* a request, an acknowledgement */
#define MTU_SIZE   2304u /* an Ethernet frame */

struct packet_home {
	struct packet packet;
	struct packet_buf buf;
};

static struct kmem_cache *small_cache, *mtu_cache, *clone_cache;

void
packet_init(void)
{
	small_cache = kmem_cache_create("packet_small", SMALL_SIZE, 64, 0, NULL);
	mtu_cache = kmem_cache_create("packet_mtu", MTU_SIZE, 64, 0, NULL);
	clone_cache = kmem_cache_create("packet_clone", sizeof(struct packet), 64, 0, NULL);
}

static struct packet_home *
home_alloc(u32 room, u32 gfp)
{
	size_t size = sizeof(struct packet_home) + room;
	struct packet_home *h;

	if (size <= SMALL_SIZE) {
		size = SMALL_SIZE;
		h = kmem_cache_alloc(small_cache, gfp | GFP_NOWARN);
	} else if (size <= MTU_SIZE) {
		size = MTU_SIZE;
		h = kmem_cache_alloc(mtu_cache, gfp | GFP_NOWARN);
	} else {
		size = ALIGN_UP(size, 64ul);
		h = kmalloc(size, gfp | GFP_NOWARN);
	}
	if (!h)
		return NULL;
	ref_init(&h->buf.ref);
	h->buf.size = (u32)(size - sizeof(*h));
	h->buf.nr_frags = 0;
	return h;
}

static void
buf_put(struct packet_buf *b)
{
	struct packet_home *h = container_of(b, struct packet_home, buf);
	size_t size = sizeof(*h) + b->size;

	/* The sole holder needs no atomic operation: nobody else can take a reference. */
	if (ref_read(&b->ref) != 1 && !ref_put(&b->ref))
		return;
	for (u32 i = 0; i < b->nr_frags; i++)
		page_put(b->frags[i].page);
	if (size == SMALL_SIZE)
		kmem_cache_free(small_cache, h);
	else if (size == MTU_SIZE)
		kmem_cache_free(mtu_cache, h);
	else
		kfree(h);
}

struct packet *
packet_alloc_headroom(u32 size, u32 headroom, u32 gfp)
{
	struct packet_home *h = home_alloc(size + headroom, gfp);
	struct packet *p;

	if (!h)
		return NULL;
	p = &h->packet;
	memset(p, 0, offsetof(struct packet, cb));
	p->buf = &h->buf;
	p->data = h->buf.bytes + headroom;
	p->truesize = (u32)sizeof(*h) + h->buf.size;
	return p;
}

struct packet *
packet_alloc(u32 size, u32 gfp)
{
	return packet_alloc_headroom(size, PACKET_HEADROOM, gfp);
}

void
packet_free(struct packet *p)
{
	if (!p)
		return;
	packet_orphan(p);
	if (p->flags & PACKET_F_CLONE) {
		buf_put(p->buf);
		kmem_cache_free(clone_cache, p);
		return;
	}
	if (p->flags & PACKET_F_MOVED)
		buf_put(p->buf);
	buf_put(&container_of(p, struct packet_home, packet)->buf);
}

struct packet *
packet_clone(struct packet *p, u32 gfp)
{
	struct packet *c = kmem_cache_alloc(clone_cache, gfp | GFP_NOWARN);

	if (!c)
		return NULL;
	memcpy(c, p, sizeof(*c));
	c->next = c->prev = NULL;
	c->flags = (u8)((p->flags & ~(PACKET_F_MOVED | PACKET_F_HEAD_FREE)) | PACKET_F_CLONE);
	c->owner = NULL;
	c->destructor = NULL;
	ref_get(&c->buf->ref);
	return c;
}

/* The description's fields but where its bytes are. */
static void
fields_copy(struct packet *to, const struct packet *from, int shift)
{
	to->protocol = from->protocol;
	to->csum_state = from->csum_state;
	to->pkt_type = from->pkt_type;
	to->gso_type = from->gso_type;
	to->gso_size = from->gso_size;
	to->gso_segs = from->gso_segs;
	to->csum_offset = from->csum_offset;
	to->csum = from->csum;
	to->dev = from->dev;
	to->ifindex = from->ifindex;
	to->mark = from->mark;
	to->priority = from->priority;
	to->hash = from->hash;
	to->tstamp = from->tstamp;
	to->flags |= from->flags & ~(PACKET_F_CLONE | PACKET_F_MOVED | PACKET_F_HEAD_FREE);
	to->link_header = (u16)(from->link_header + shift);
	to->network_header = (u16)(from->network_header + shift);
	to->transport_header = (u16)(from->transport_header + shift);
	to->csum_start = (u16)(from->csum_start + shift);
	memcpy(to->cb, from->cb, sizeof(to->cb));
}

/* Headers in front of data that offsets point to are copied as well: `kept` bytes of them. */
static u32
headers_kept(const struct packet *p)
{
	u32 at = packet_headroom(p), first = at;

	if (p->network_header && p->network_header < first)
		first = p->network_header;
	if (p->transport_header && p->transport_header < first)
		first = p->transport_header;
	if (p->link_header && p->link_header < first && at - p->link_header <= PACKET_HEADROOM)
		first = p->link_header;
	return at - first;
}

struct packet *
packet_copy(const struct packet *p, u32 headroom, u32 gfp)
{
	u32 kept = headers_kept(p);
	struct packet *c;

	headroom = MAX(headroom, kept);
	c = packet_alloc_headroom(p->len, headroom, gfp);
	if (!c)
		return NULL;
	memcpy(c->data - kept, p->data - kept, kept);
	packet_copy_bits(p, 0, packet_put(c, p->len), p->len);
	fields_copy(c, p, (int)headroom - (int)packet_headroom(p));
	return c;
}

/* A home with p's linear bytes and references to its fragments. */
static struct packet_home *
home_copy_head(const struct packet *p, u32 headroom, u32 room, u32 gfp)
{
	u32 linear = packet_headlen(p), kept = headers_kept(p);
	struct packet_home *h = home_alloc(headroom + MAX(linear, room), gfp);

	if (!h)
		return NULL;
	memcpy(h->buf.bytes + headroom - kept, p->data - kept, kept + linear);
	if (p->data_len) {
		h->buf.nr_frags = p->buf->nr_frags;
		memcpy(h->buf.frags, p->buf->frags, sizeof(h->buf.frags[0]) * h->buf.nr_frags);
		for (u32 i = 0; i < h->buf.nr_frags; i++)
			page_get(h->buf.frags[i].page);
	}
	return h;
}

struct packet *
packet_copy_head(const struct packet *p, u32 headroom, u32 gfp)
{
	struct packet_home *h;
	struct packet *c;

	headroom = MAX(headroom, headers_kept(p));
	h = home_copy_head(p, headroom, 0, gfp);
	if (!h)
		return NULL;
	c = &h->packet;
	memset(c, 0, offsetof(struct packet, cb));
	c->buf = &h->buf;
	c->data = h->buf.bytes + headroom;
	c->len = p->len;
	c->data_len = p->data_len;
	c->truesize = (u32)sizeof(*h) + h->buf.size + p->data_len;
	fields_copy(c, p, (int)headroom - (int)packet_headroom(p));
	return c;
}

/* p leaves its buffer for a private one with `headroom`, and linear room for `room` bytes at least.
 */
static int
packet_move(struct packet *p, u32 headroom, u32 room, u32 gfp)
{
	struct packet_home *h;
	int shift;

	headroom = MAX(headroom, headers_kept(p));
	shift = (int)headroom - (int)packet_headroom(p);
	h = home_copy_head(p, headroom, room, gfp);
	if (!h)
		return -ENOMEM;
	p->link_header = (u16)(p->link_header + shift);
	p->network_header = (u16)(p->network_header + shift);
	p->transport_header = (u16)(p->transport_header + shift);
	p->csum_start = (u16)(p->csum_start + shift);
	if (p->flags & (PACKET_F_CLONE | PACKET_F_MOVED))
		buf_put(p->buf);
	if (!(p->flags & PACKET_F_CLONE))
		p->flags |= PACKET_F_MOVED;
	p->buf = &h->buf;
	p->data = h->buf.bytes + headroom;
	return 0;
}

int
packet_cow_head(struct packet *p, u32 headroom, u32 gfp)
{
	if (likely((!packet_shared(p) || (p->flags & PACKET_F_HEAD_FREE)) &&
		   packet_headroom(p) >= headroom))
		return 0;
	return packet_move(p, MAX(headroom, (u32)PACKET_HEADROOM), 0, gfp);
}

/* Drop n bytes from the front of the fragments. The buffer is private. */
static void
frags_drop_front(struct packet *p, u32 n)
{
	struct packet_buf *b = p->buf;
	u32 gone = 0;

	p->data_len -= n;
	while (n && gone < b->nr_frags) {
		struct packet_frag *f = &b->frags[gone];

		if (n < f->len) {
			f->offset += n;
			f->len -= n;
			break;
		}
		n -= f->len;
		page_put(f->page);
		gone++;
	}
	b->nr_frags = (u16)(b->nr_frags - gone);
	memmove(b->frags, b->frags + gone, sizeof(b->frags[0]) * b->nr_frags);
}

bool
packet_pull_tail(struct packet *p, u32 n)
{
	u32 linear = packet_headlen(p), more;

	if (n > p->len)
		return false;
	more = n - linear;
	if (packet_shared(p) || p->data + n > p->buf->bytes + p->buf->size) {
		if (packet_move(p, packet_headroom(p), n + 64, GFP_ATOMIC))
			return false;
	}
	packet_copy_bits(p, linear, p->data + linear, more);
	frags_drop_front(p, more);
	return true;
}

int
packet_advance(struct packet *p, u32 n)
{
	u32 linear = packet_headlen(p);

	if (n <= linear) {
		p->data += n;
		p->len -= n;
		return 0;
	}
	/* The list of fragments is changed: it must be our own. */
	if (packet_shared(p) && packet_move(p, packet_headroom(p), 0, GFP_ATOMIC))
		return -ENOMEM;
	p->data += linear;
	p->len -= linear;
	frags_drop_front(p, n - linear);
	p->len -= n - linear;
	return 0;
}

int
packet_trim(struct packet *p, u32 len)
{
	u32 linear = packet_headlen(p), left;
	struct packet_buf *b;

	if (len >= p->len)
		return 0;
	if (p->csum_state == CSUM_COMPLETE)
		p->csum_state = CSUM_NONE;
	if (!p->data_len) {
		p->len = len;
		return 0;
	}
	if (packet_shared(p)) {
		int r = packet_move(p, packet_headroom(p), 0, GFP_ATOMIC);

		if (r)
			return r;
	}
	b = p->buf;
	left = len > linear ? len - linear : 0;
	p->data_len = left;
	p->len = len;
	for (u32 i = 0; i < b->nr_frags; i++) {
		if (left) {
			b->frags[i].len = MIN(b->frags[i].len, left);
			left -= b->frags[i].len;
			if (left)
				continue;
			for (u32 j = i + 1; j < b->nr_frags; j++)
				page_put(b->frags[j].page);
			b->nr_frags = (u16)(i + 1);
			return 0;
		}
		page_put(b->frags[i].page);
	}
	b->nr_frags = 0;
	return 0;
}

int
packet_linearize(struct packet *p, u32 gfp)
{
	if (!p->data_len)
		return 0;
	if (packet_shared(p) || p->data + p->len > p->buf->bytes + p->buf->size) {
		int r = packet_move(p, packet_headroom(p), p->len, gfp);

		if (r)
			return r;
	}
	return packet_pull_tail(p, p->len) ? 0 : -ENOMEM;
}

bool
packet_add_frag(struct packet *p, struct page *page, u32 offset, u32 len)
{
	struct packet_buf *b = p->buf;

	if (b->nr_frags) {
		struct packet_frag *last = &b->frags[b->nr_frags - 1];

		if (last->page == page && last->offset + last->len == offset) {
			last->len += len;
			page_put(page);
			goto done;
		}
		if (b->nr_frags == PACKET_FRAGS)
			return false;
	}
	b->frags[b->nr_frags++] = (struct packet_frag){ page, offset, len };
done:
	p->len += len;
	p->data_len += len;
	return true;
}

bool
packet_coalesce(struct packet *to, struct packet *from)
{
	struct packet_buf *b = to->buf, *f = from->buf;

	if (packet_shared(to))
		return false;
	if (from->len <= packet_tailroom(to)) {
		packet_copy_bits(from, 0, packet_put(to, from->len), from->len);
		packet_free(from);
		return true;
	}
	if (packet_headlen(from) || b->nr_frags + f->nr_frags > PACKET_FRAGS)
		return false;
	for (u32 i = 0; i < f->nr_frags; i++) {
		page_get(f->frags[i].page);
		b->frags[b->nr_frags++] = f->frags[i];
	}
	to->len += from->len;
	to->data_len += from->len;
	to->truesize += from->data_len;
	packet_free(from);
	return true;
}

/* ---- bytes ---- */

int
packet_append_range(struct packet *s, const struct packet *p, u32 offset, u32 len)
{
	u32 linear = packet_headlen(p);

	if (offset < linear) {
		u32 n = MIN(len, linear - offset);

		memcpy(packet_put(s, n), p->data + offset, n);
		offset += n;
		len -= n;
	}
	offset -= linear;
	for (u32 i = 0; len && i < p->buf->nr_frags; i++) {
		const struct packet_frag *f = &p->buf->frags[i];

		if (offset >= f->len) {
			offset -= f->len;
			continue;
		}
		u32 n = MIN(len, f->len - offset);
		page_get(f->page);
		if (!packet_add_frag(s, f->page, f->offset + offset, n)) {
			page_put(f->page);
			return -EINVAL;
		}
		len -= n;
		offset = 0;
	}
	return 0;
}

void
packet_copy_bits(const struct packet *p, u32 offset, void *to, u32 len)
{
	u32 linear = packet_headlen(p);
	u8 *out = to;

	if (offset < linear) {
		u32 n = MIN(len, linear - offset);

		memcpy(out, p->data + offset, n);
		out += n;
		len -= n;
		offset += n;
	}
	offset -= linear;
	for (u32 i = 0; len && i < p->buf->nr_frags; i++) {
		const struct packet_frag *f = &p->buf->frags[i];

		if (offset >= f->len) {
			offset -= f->len;
			continue;
		}
		u32 n = MIN(len, f->len - offset);
		memcpy(out, (u8 *)page_to_virt(f->page) + f->offset + offset, n);
		out += n;
		len -= n;
		offset = 0;
	}
}

int
packet_copy_to_iter(const struct packet *p, u32 offset, struct iov_iter *it, u32 len)
{
	u32 linear = packet_headlen(p);

	if (offset < linear) {
		u32 n = MIN(len, linear - offset);

		if (iter_copy_to(it, p->data + offset, n) != n)
			return -EFAULT;
		len -= n;
		offset += n;
	}
	offset -= linear;
	for (u32 i = 0; len && i < p->buf->nr_frags; i++) {
		const struct packet_frag *f = &p->buf->frags[i];

		if (offset >= f->len) {
			offset -= f->len;
			continue;
		}
		u32 n = MIN(len, f->len - offset);
		if (iter_copy_to(it, (u8 *)page_to_virt(f->page) + f->offset + offset, n) != n)
			return -EFAULT;
		len -= n;
		offset = 0;
	}
	return 0;
}

/* Bytes free behind the last fragment in its page, if nobody else has that page or the list. */
static u32
last_page_room(const struct packet *p)
{
	const struct packet_frag *f;

	if (!p->data_len || packet_shared(p))
		return 0;
	f = &p->buf->frags[p->buf->nr_frags - 1];
	if (ref_read(&f->page->ref) != 1 || f->page->mapping || page_flag(f->page, PG_TAIL))
		return 0;
	u32 order = page_flag(f->page, PG_COMPOUND) ? f->page->order : 0;
	return (u32)(PAGE_SIZE << order) - (f->offset + f->len);
}

int
packet_append_iter(struct packet *p, struct iov_iter *it, u32 len)
{
	u32 n = MIN(len, packet_tailroom(p));

	if (n) {
		if (iter_copy_from(it, packet_tail(p), n) != n)
			return -EFAULT;
		p->len += n;
		len -= n;
	}
	n = MIN(len, last_page_room(p));
	if (n) {
		struct packet_frag *f = &p->buf->frags[p->buf->nr_frags - 1];

		if (iter_copy_from(it, (u8 *)page_to_virt(f->page) + f->offset + f->len, n) != n)
			return -EFAULT;
		f->len += n;
		p->len += n;
		p->data_len += n;
		len -= n;
	}
	while (len) {
		u32 order = len > 4 * PAGE_SIZE ? 3 : len > PAGE_SIZE ? 2 : 0;
		struct page *page = order ? page_alloc(order, GFP_ATOMIC | GFP_NOWARN) : NULL;

		if (!page) {
			order = 0;
			page = page_alloc(0, GFP_KERNEL);
		}
		if (!page)
			return -ENOMEM;
		n = MIN(len, (u32)PAGE_SIZE << order);
		if (iter_copy_from(it, page_to_virt(page), n) != n) {
			page_put(page);
			return -EFAULT;
		}
		if (!packet_add_frag(p, page, 0, n)) {
			page_put(page);
			return -EMSGSIZE;
		}
		p->truesize += (u32)PAGE_SIZE << order;
		len -= n;
	}
	return 0;
}

void
packet_stamp(struct packet *p)
{
	if (!p->tstamp)
		p->tstamp = time_real_ns();
}

/* ---- checksums of packets ---- */

u32
packet_csum(const struct packet *p, u32 offset, u32 len, u32 sum)
{
	u32 linear = packet_headlen(p);
	size_t done = 0;

	if (offset < linear) {
		u32 n = MIN(len, linear - offset);

		sum = csum_bytes(p->data + offset, n, sum);
		done = n;
		len -= n;
		offset += n;
	}
	offset -= linear;
	for (u32 i = 0; len && i < p->buf->nr_frags; i++) {
		const struct packet_frag *f = &p->buf->frags[i];

		if (offset >= f->len) {
			offset -= f->len;
			continue;
		}
		u32 n = MIN(len, f->len - offset);
		sum = csum_add_at(
			sum, csum_bytes((u8 *)page_to_virt(f->page) + f->offset + offset, n, 0),
			done);
		done += n;
		len -= n;
		offset = 0;
	}
	return sum;
}

bool
packet_csum_valid(struct packet *p, u32 pseudo)
{
	if (p->csum_state == CSUM_UNNECESSARY || p->csum_state == CSUM_PARTIAL)
		return true;
	if (p->csum_state == CSUM_COMPLETE && !csum_fold(csum_add(pseudo, p->csum))) {
		p->csum_state = CSUM_UNNECESSARY;
		return true;
	}
	if (csum_fold(packet_csum(p, 0, p->len, pseudo)))
		return false;
	p->csum_state = CSUM_UNNECESSARY;
	return true;
}

int
packet_checksum_finish(struct packet *p)
{
	u32 start, at;
	u16 sum;

	if (p->csum_state != CSUM_PARTIAL)
		return 0;
	start = p->csum_start - packet_headroom(p);
	at = start + p->csum_offset;
	if (packet_cow_head(p, 0, GFP_ATOMIC) || !packet_may_pull(p, at + 2))
		return -ENOMEM;
	sum = csum_fold(packet_csum(p, start, p->len - start, 0));
	/* A computed zero is sent as all ones: zero means "no checksum" in UDP (RFC 768). */
	if (!sum)
		sum = 0xffff;
	memcpy(p->data + at, &sum, sizeof(sum));
	p->csum_state = CSUM_NONE;
	return 0;
}

/* ---- queues ---- */

void
packet_queue_init(struct packet_queue *q)
{
	q->next = q->prev = (struct packet *)q;
	spin_init(&q->lock, RANK_PACKET_QUEUE);
	q->count = 0;
}

void
packet_queue_tail(struct packet_queue *q, struct packet *p)
{
	spin_lock(&q->lock);
	packet_queue_tail_locked(q, p);
	spin_unlock(&q->lock);
}

struct packet *
packet_queue_take(struct packet_queue *q)
{
	struct packet *p;

	if (packet_queue_empty(q))
		return NULL;
	spin_lock(&q->lock);
	p = packet_queue_take_locked(q);
	spin_unlock(&q->lock);
	return p;
}

void
packet_queue_purge(struct packet_queue *q)
{
	struct packet *p;

	while ((p = packet_queue_take(q)))
		packet_free(p);
}
