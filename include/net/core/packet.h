/* SPDX-License-Identifier: MIT */
/*
 * Packet buffers.
 *
 * A packet is a description (struct packet) of bytes in a buffer (struct packet_buf). The bytes lie
 * in the linear part, [data, data + len - data_len), and behind it in page fragments. Room before
 * data is head room for headers of lower layers. packet_alloc makes description and buffer in one
 * allocation; packet_clone makes a second description of the same buffer.
 *
 *	buf ... head room ... data .... linear ..... tail ... tail room ... end | frag 0 | frag 1
 *...
 *
 * Ownership: a packet has one owner; passing it on passes the ownership. The bytes of a buffer with
 * several descriptions (packet_shared) are read-only, except that whoever pushes headers in front
 * of data first calls packet_cow_head. Fragments may always be shared: nobody writes into them.
 *
 * Checksums (RFC 1071 ones' complement sums; csum_* below):
 *	CSUM_NONE	 nothing is known: the receiver verifies, the sender has filled it in
 *	CSUM_UNNECESSARY receive: the device or the local sender vouches for it
 *	CSUM_COMPLETE	 receive: csum is the sum of all bytes from the network header's end on
 *	CSUM_PARTIAL	 send: the field at csum_start + csum_offset holds the pseudo header's sum;
 *			 the device (or packet_checksum_finish) adds the bytes from csum_start on.
 *			 Such a packet that comes back by loopback counts as verified.
 *
 * Segmentation: gso_size != 0 says that the packet is several segments of that much payload each
 * with one set of headers; a device without the feature gets them cut by packet_segment.
 *
 * Memory accounting: packet_charge_* of net/inet/inet.h set owner and destructor; the destructor
 * runs once, when the packet is freed or orphaned.
 */
#ifndef NET_CORE_PACKET_H
#define NET_CORE_PACKET_H

#include "core/ref.h"
#include "core/spinlock.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "lib/types.h"

struct net_device;
struct page;
struct iov_iter;

#define PACKET_FRAGS 17
/* Head room that every sender leaves: link header, the largest network header with options, and
 * a transport header with options. */
#define PACKET_HEADROOM 192
#define PACKET_LINK_MAX 32 /* of that, for the link layer and virtual devices */

struct packet_frag {
	struct page *page; /* one reference; a compound page may be used as a whole */
	u32 offset, len;
};

struct packet_buf {
	struct ref ref; /* descriptions */
	u32 size;	/* bytes of the linear room */
	u16 nr_frags;
	struct packet_frag frags[PACKET_FRAGS];
	u8 bytes[] __aligned(16);
};

enum packet_csum { CSUM_NONE, CSUM_UNNECESSARY, CSUM_COMPLETE, CSUM_PARTIAL };
enum packet_gso { GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_UDP4, GSO_UDP6 };

struct packet {
	union {
		struct {
			struct packet *next, *prev; /* struct packet_queue */
		};
		struct rb_node rb; /* a tree of the owner's: out-of-order TCP segments */
	};
	struct packet_buf *buf;
	u8 *data;     /* first byte; moves with pull and push */
	u32 len;      /* all bytes from data on */
	u32 data_len; /* of those, in fragments */

	u16 link_header, network_header, transport_header; /* offsets from buf->bytes */
	u16 protocol;					   /* ETH_P_*, host order */
	u8 csum_state;					   /* enum packet_csum */
	u8 pkt_type;	/* PACKET_HOST, PACKET_BROADCAST ... (uapi/packet.h) */
	u8 gso_type;	/* enum packet_gso */
	u8 flags;	/* PACKET_F_* */
	u16 gso_size;	/* payload bytes of each segment; 0: one packet */
	u16 gso_segs;	/* how many, for statistics; 0: not counted */
	u16 csum_start; /* CSUM_PARTIAL: offset from buf->bytes */
	u16 csum_offset;
	u32 csum; /* CSUM_COMPLETE: unfolded sum */

	/* Valid inside a net section (net/core/net.h) only: queues that outlive one use ifindex. */
	struct net_device *dev;
	u32 ifindex; /* that it came in by, or goes out by */
	u32 mark, priority;
	u32 hash;     /* of the flow; 0: not computed */
	u64 tstamp;   /* CLOCK_REALTIME ns of arrival, 0: not taken (packet_stamp) */
	u32 truesize; /* memory it holds, for accounting */

	void *owner; /* struct inet_sock or another, for the destructor */
	void (*destructor)(struct packet *p);

	u8 cb[48] __aligned(8); /* scratch of the layer that owns it now */
};

#define PACKET_F_CLONE	   BIT(0) /* the description was allocated on its own */
#define PACKET_F_LOOPED	   BIT(1) /* a copy of our own multicast or broadcast */
#define PACKET_F_FORWARD   BIT(2) /* being forwarded: ICMP errors go to its source */
#define PACKET_F_IGNORE_DF BIT(3) /* may be fragmented by the sender although DF is set */
#define PACKET_F_DST_SET   BIT(4) /* link header complete: neighbour step skipped (AF_PACKET) */
/* Of a clone: the head room is this description's alone, although the bytes are shared. Its maker
 * never writes before data; further clones do not inherit it. */
#define PACKET_F_HEAD_FREE BIT(5)

/* ---- life ---- */

/* size bytes of room behind PACKET_HEADROOM bytes of head room (already reserved). len is 0.
 * NULL: no memory. gfp: GFP_KERNEL or GFP_ATOMIC. */
struct packet *packet_alloc(u32 size, u32 gfp);
/* The same with head room of the caller's choice. */
struct packet *packet_alloc_headroom(u32 size, u32 headroom, u32 gfp);
/* Drops it: runs the destructor, drops the buffer. NULL allowed. */
void packet_free(struct packet *p);
/* A second description of the same bytes; no owner, no queue. NULL: no memory. */
struct packet *packet_clone(struct packet *p, u32 gfp);
/* All bytes anew, linear, with `headroom` in front. NULL: no memory. */
struct packet *packet_copy(const struct packet *p, u32 headroom, u32 gfp);
/* The linear part anew, fragments shared: for a retransmission whose first sending may still be
 * with the device. NULL: no memory. */
struct packet *packet_copy_head(const struct packet *p, u32 headroom, u32 gfp);
/* Make at least `headroom` bytes before data writable and private. 0 or -ENOMEM (p is unchanged).
 */
int __must_check packet_cow_head(struct packet *p, u32 headroom, u32 gfp);
/* Run the destructor now: the packet leaves its sender's account. */
static inline void
packet_orphan(struct packet *p)
{
	if (p->destructor) {
		p->destructor(p);
		p->destructor = NULL;
		p->owner = NULL;
	}
}

static inline bool
packet_shared(const struct packet *p)
{
	return ref_read(&p->buf->ref) != 1;
}

/* ---- geometry ---- */

static inline u32
packet_headlen(const struct packet *p) /* linear bytes */
{
	return p->len - p->data_len;
}

static inline u8 *
packet_tail(const struct packet *p)
{
	return p->data + packet_headlen(p);
}

static inline u32
packet_headroom(const struct packet *p)
{
	return (u32)(p->data - p->buf->bytes);
}

static inline u32
packet_tailroom(const struct packet *p) /* 0 when there are fragments: put would leave a hole */
{
	return p->data_len ? 0 : (u32)(p->buf->bytes + p->buf->size - packet_tail(p));
}

/* An empty packet gets n bytes of head room more. */
static inline void
packet_reserve(struct packet *p, u32 n)
{
	p->data += n;
}

/* n bytes in front: a header to be filled in. There must be room: packet_cow_head. */
static inline void *
packet_push(struct packet *p, u32 n)
{
	p->data -= n;
	p->len += n;
	return p->data;
}

/* n bytes behind, to be filled in. There must be tail room. */
static inline void *
packet_put(struct packet *p, u32 n)
{
	void *at = packet_tail(p);

	p->len += n;
	return at;
}

/* Take n linear bytes off the front; false (nothing done) when they are not there. Received headers
 * are made linear by packet_may_pull first. */
static inline bool __must_check
packet_pull(struct packet *p, u32 n)
{
	if (packet_headlen(p) < n)
		return false;
	p->data += n;
	p->len -= n;
	return true;
}

/* Slow path of the next: false when the packet is shorter than n or there is no memory. */
bool packet_pull_tail(struct packet *p, u32 n);
/* Make the first n bytes linear, so that a header of n bytes can be read at data. */
static inline bool __must_check
packet_may_pull(struct packet *p, u32 n)
{
	return likely(packet_headlen(p) >= n) || packet_pull_tail(p, n);
}

/* Drop n bytes from the front, fragments included. n <= len. 0, or -ENOMEM (p is unchanged): only
 * when the buffer is shared. */
int __must_check packet_advance(struct packet *p, u32 n);
/* Cut to len bytes (no longer than it is); fixes CSUM_COMPLETE to CSUM_NONE. 0 or -ENOMEM. */
int packet_trim(struct packet *p, u32 len);
/* All bytes into the linear part. 0 or -ENOMEM. */
int __must_check packet_linearize(struct packet *p, u32 gfp);
/* Append a page range; takes over the page reference. Merges with the last fragment where the bytes
 * are adjacent. False: no slot left. The buffer must not be shared. */
bool packet_add_frag(struct packet *p, struct page *page, u32 offset, u32 len);
/* Move the bytes of `from` to the end of `to` (fragments by reference where there is a slot), for
 * queues that join small packets. True: done, `from` was freed. */
bool packet_coalesce(struct packet *to, struct packet *from);

static inline void
packet_set_link(struct packet *p)
{
	p->link_header = (u16)packet_headroom(p);
}
static inline void
packet_set_network(struct packet *p)
{
	p->network_header = (u16)packet_headroom(p);
}
static inline void
packet_set_transport(struct packet *p)
{
	p->transport_header = (u16)packet_headroom(p);
}
static inline void *
packet_link(const struct packet *p)
{
	return p->buf->bytes + p->link_header;
}
static inline void *
packet_network(const struct packet *p)
{
	return p->buf->bytes + p->network_header;
}
static inline void *
packet_transport(const struct packet *p)
{
	return p->buf->bytes + p->transport_header;
}

/* ---- bytes ---- */

/* Copy len bytes from offset on (from data); the range must be inside. */
void packet_copy_bits(const struct packet *p, u32 offset, void *to, u32 len);
/* The same into an iterator. 0 or -EFAULT. May sleep. */
int packet_copy_to_iter(const struct packet *p, u32 offset, struct iov_iter *it, u32 len);
/* A pointer to len bytes at offset: into the packet if they are linear, else copied to `room`.
 * NULL: outside. */
static inline const void *
packet_peek(const struct packet *p, u32 offset, u32 len, void *room)
{
	if (likely(offset + len <= packet_headlen(p)))
		return p->data + offset;
	if (offset + len > p->len || offset + len < offset)
		return NULL;
	packet_copy_bits(p, offset, room, len);
	return room;
}
/*
 * Append bytes [offset, offset + len) of p, which must be inside: the linear ones copied (there
 * must be tail room), those in pages by reference. 0, or -EINVAL: no fragment slot left (s then has
 * grown: free it).
 */
int packet_append_range(struct packet *s, const struct packet *p, u32 offset, u32 len);
/* Append len bytes from user or kernel memory: into the tail room first, then behind the last
 * fragment if its page is ours alone, then into fresh pages.
 * 0, -EFAULT or -ENOMEM (len may then have grown: free the packet). May sleep. */
int packet_append_iter(struct packet *p, struct iov_iter *it, u32 len);
/* tstamp = now, if not yet set. */
void packet_stamp(struct packet *p);

/* ---- checksums: net/core/checksum.c, pure ---- */

/* Sum of bytes in memory order as 16-bit words, added to `sum`; unfolded. An odd length counts the
 * last byte as if a zero followed. */
u32 csum_bytes(const void *data, size_t len, u32 sum);
/* Copy and sum in one pass. */
u32 csum_copy(void *to, const void *from, size_t len, u32 sum);
static inline u32
csum_add(u32 a, u32 b)
{
	u32 s = a + b;

	return s + (s < a);
}
static inline u32
csum_sub(u32 a, u32 b)
{
	return csum_add(a, ~b);
}
/* Sum `b` of bytes that began at an odd or even offset of the whole. */
static inline u32
csum_add_at(u32 a, u32 b, size_t offset)
{
	if (offset & 1)
		b = (b & 0x00ff00ffu) << 8 | (b >> 8 & 0x00ff00ffu);
	return csum_add(a, b);
}
/* The value to store in a header's field, and the value that must be 0 for a valid header. */
static inline u16
csum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return (u16)~sum;
}
/* Pseudo headers: addresses as they are in the header; the result is unfolded and not
 * complemented. For CSUM_PARTIAL store ~csum_fold(...). */
u32 csum_pseudo4(u32 src_be, u32 dst_be, u8 protocol, u32 len);
u32 csum_pseudo6(const void *src, const void *dst, u8 protocol, u32 len);
/* A 16-bit or 32-bit word of a summed header changes: RFC 1624. */
static inline void
csum_replace2(u16 *field, u16 from, u16 to)
{
	*field = csum_fold(csum_add(csum_sub((u16) ~*field, from), to));
}
static inline void
csum_replace4(u16 *field, u32 from, u32 to)
{
	*field = csum_fold(csum_add(csum_sub((u16) ~*field, from), to));
}
/* Over a packet's bytes, fragments included. */
u32 packet_csum(const struct packet *p, u32 offset, u32 len, u32 sum);
/* Receive: is the transport checksum right? data is at the transport header, pseudo = csum_pseudo*
 * of it. Looks at csum_state first and marks the packet CSUM_UNNECESSARY. */
bool packet_csum_valid(struct packet *p, u32 pseudo);
/* Send: CSUM_PARTIAL becomes a filled-in field. 0 or -ENOMEM. */
int packet_checksum_finish(struct packet *p);

/* Cut a GSO packet into a chain by next of packets of one segment each (network and transport
 * headers repeated and corrected, bytes shared where they are in pages). p is consumed. 0, -ENOMEM
 * or -EINVAL. */
int packet_segment(struct packet *p, struct packet **out);

/* ---- queues ---- */

/* Circular and doubly linked through struct packet. The forms without _locked take the lock. */
struct packet_queue {
	struct packet *next, *prev;
	struct spinlock lock; /* RANK_PACKET_QUEUE */
	u32 count;
};

void packet_queue_init(struct packet_queue *q);
static inline bool
packet_queue_empty(const struct packet_queue *q)
{
	return READ_ONCE(q->next) == (const struct packet *)q;
}
static inline struct packet *
packet_queue_peek(const struct packet_queue *q)
{
	return q->next == (const struct packet *)q ? NULL : q->next;
}
static inline struct packet *
packet_queue_peek_tail(const struct packet_queue *q)
{
	return q->prev == (const struct packet *)q ? NULL : q->prev;
}
static inline struct packet *
packet_queue_next(const struct packet_queue *q, const struct packet *p)
{
	return p->next == (const struct packet *)q ? NULL : p->next;
}
#define packet_queue_for_each(p, q) \
	for ((p) = (q)->next; (p) != (struct packet *)(uintptr_t)(q); (p) = (p)->next)

static inline void
packet_queue_insert_locked(struct packet_queue *q, struct packet *p, struct packet *before)
{
	p->next = before;
	p->prev = before->prev;
	before->prev->next = p;
	before->prev = p;
	WRITE_ONCE(q->count, q->count + 1);
}
static inline void
packet_queue_tail_locked(struct packet_queue *q, struct packet *p)
{
	packet_queue_insert_locked(q, p, (struct packet *)q);
}
static inline void
packet_queue_head_locked(struct packet_queue *q, struct packet *p)
{
	packet_queue_insert_locked(q, p, q->next);
}
static inline void
packet_unlink_locked(struct packet_queue *q, struct packet *p)
{
	p->next->prev = p->prev;
	WRITE_ONCE(p->prev->next, p->next);
	p->next = p->prev = NULL;
	WRITE_ONCE(q->count, q->count - 1);
}
static inline struct packet *
packet_queue_take_locked(struct packet_queue *q)
{
	struct packet *p = packet_queue_peek(q);

	if (p)
		packet_unlink_locked(q, p);
	return p;
}
void packet_queue_tail(struct packet_queue *q, struct packet *p);
struct packet *packet_queue_take(struct packet_queue *q);
void packet_queue_purge(struct packet_queue *q); /* takes the lock, frees outside it */

static inline u16
htons(u16 v)
{
	return __builtin_bswap16(v);
}
static inline u32
htonl(u32 v)
{
	return __builtin_bswap32(v);
}
#define ntohs(v) htons(v)
#define ntohl(v) htonl(v)

#endif
