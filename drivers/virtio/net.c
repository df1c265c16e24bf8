/* SPDX-License-Identifier: MIT */
/*
 * virtio-net: the network card of virtual machines (virtio 1.2, section 5.1).
 *
 * 1. Queues. One pair of a receive and a transmit queue for each CPU, as far as the device has
 * them; a control queue for addresses and modes. Each packet in a ring has a virtio_net_header in
 * front: what is left to do with the checksum, and segmentation.
 *
 * 2. Sending. A private packet gets its header pushed into its head room and goes out as one piece
 * and its fragments; a shared one (TCP keeps a clone to send again) takes a header of the slot's.
 * Finished packets are freed by the next sender or by the queue's poll, whichever comes first.
 *
 * 3. Receiving. The ring is full of single pages. A small packet is copied and its page goes back
 * into the ring; a large one keeps its pages as fragments, its headers being copied to the linear
 * part. With mergeable buffers a packet may take several pages, up to 64 KiB of joined segments.
 * Without, it is one page, and no segments are joined.
 *
 * Locking: a transmit queue under its net_queue's lock. A receive queue belongs to its poll, which
 * runs on one CPU at a time. Commands under `control_lock`. Interrupt handlers only silence their
 * queue and schedule a poll.
 *
 * The device is not trusted: lengths, counts and offsets are checked before use.
 */
#include "core/log.h"
#include "core/percpu.h"
#include "core/random.h"
#include "drivers/virtio/drivers.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net/core/device.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define F_CSUM	       0
#define F_GUEST_CSUM   1
#define F_MTU	       3
#define F_MAC	       5
#define F_GUEST_TSO4   7
#define F_GUEST_TSO6   8
#define F_HOST_TSO4    11
#define F_HOST_TSO6    12
#define F_MRG_RXBUF    15
#define F_STATUS       16
#define F_CTRL_VQ      17
#define F_CTRL_RX      18
#define F_MQ	       22
#define F_CTRL_MAC     23
#define F_SPEED_DUPLEX 63

/* the configuration space */
#define CONFIG_MAC    0
#define CONFIG_STATUS 6
#define CONFIG_PAIRS  8
#define CONFIG_MTU    10
#define CONFIG_SPEED  12
#define CONFIG_DUPLEX 16
#define STATUS_LINK   BIT(0)

struct virtio_net_header {
	u8 flags, gso_type;
	u16 header_len, gso_size, csum_start, csum_offset, buffers;
} __packed;
STATIC_ASSERT(sizeof(struct virtio_net_header) == 12);
#define HEADER_NEEDS_CSUM BIT(0)
#define HEADER_DATA_VALID BIT(1)
#define GSO_TYPE_NONE	  0
#define GSO_TYPE_TCP4	  1
#define GSO_TYPE_TCP6	  4
#define GSO_TYPE_ECN	  0x80

#define COMMAND_RX	  0
#define RX_PROMISC	  0
#define RX_ALLMULTI	  1
#define COMMAND_MAC	  1
#define MAC_TABLE	  0
#define MAC_ADDR	  1
#define COMMAND_MQ	  4
#define MQ_PAIRS	  0
#define COMMAND_MAX	  1024
#define COMMAND_LIMIT_NS  (5 * NSEC_PER_SEC)
#define MULTICAST_MAX	  64
#define PAIRS_MAX	  64
#define COPY_MAX	  512 /* packets up to here are copied whole */
#define LINEAR_HEAD	  128 /* of larger ones this much: all headers that are common */
#define REFILL_RETRY_NS	  (20 * NSEC_PER_MSEC)
#define TX_PIECES	  (PACKET_FRAGS + 2)
#define STAT_RX_BAD(card) net_stat_inc(&(card)->dev, rx_errors)

struct tx_slot { /* what a shared packet's header is kept in; the cookie of its packet */
	struct virtio_net_header header;
	struct packet *packet;
	struct tx_slot *next;
};

struct card;

struct pair {
	struct card *card;
	u32 index;
	struct virtqueue *rx, *tx;
	struct net_poll rx_poll, tx_poll;
	struct delayed_work refill; /* when there was no memory */
	struct tx_slot *slots, *free_slots;
} __aligned(64);

struct card {
	struct net_device dev;
	struct virtio_device *virtio;
	struct pair *pairs;
	u32 nr_pairs; /* in use */
	struct virtqueue *control;
	struct mutex control_lock;
	struct wait_queue control_wait;
	struct work rx_mode;
	bool mergeable;
};

static struct card *
card_of(struct net_device *dev)
{
	return container_of(dev, struct card, dev);
}

/* ---- commands ---- */

static void
control_done(struct virtqueue *vq)
{
	struct card *card = virtqueue_private(vq);

	wake_up_all(&card->control_wait);
}

/* data: len bytes. 0, -EOPNOTSUPP, -EIO (refused), -ENOMEM, -ETIMEDOUT. Sleeps. */
static int
command(struct card *card, u8 class, u8 what, const void *data, u32 len)
{
	struct {
		u8 class, command;
		u8 data[COMMAND_MAX];
		u8 ack;
	} * c;
	u32 got;
	int r;

	if (!card->control)
		return -EOPNOTSUPP;
	c = kmalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->class = class;
	c->command = what;
	memcpy(c->data, data, len);
	c->ack = 0xff;
	struct virtq_piece pieces[] = { { virt_to_phys(c), 2 + len },
					{ virt_to_phys(&c->ack), 1 } };
	mutex_lock(&card->control_lock);
	r = virtqueue_add(card->control, pieces, 1, 1, c);
	if (!r) {
		(void)virtqueue_enable_cb(card->control); /* for this answer, not only the first */
		virtqueue_kick(card->control);
		r = wait_event_timeout(&card->control_wait, virtqueue_get(card->control, &got),
				       time_mono_ns() + COMMAND_LIMIT_NS);
		if (r) {
			/* The device may still write to the answer: its memory stays its own. */
			log_warn("%s: a command got no answer, no more are sent\n", card->dev.name);
			card->control = NULL;
			c = NULL;
		} else if (READ_ONCE(c->ack)) {
			r = -EIO;
		}
	}
	mutex_unlock(&card->control_lock);
	kfree(c);
	return r;
}

/* The modes and the multicast list as they now are. */
static void
rx_mode_work(struct work *w)
{
	struct card *card = container_of(w, struct card, rx_mode);
	struct net_device *dev = &card->dev;
	u8 table[8 + MULTICAST_MAX * ETH_ALEN] = { 0 };
	struct net_mc_addr *m;
	u8 promisc = dev->promisc != 0, all = dev->allmulti != 0;
	u32 count = 0;

	spin_lock(&dev->mc_lock);
	list_for_each_entry(m, &dev->multicast, node)
	{
		if (count == MULTICAST_MAX) {
			all = 1;
			count = 0;
			break;
		}
		memcpy(table + 8 + count++ * ETH_ALEN, m->addr, ETH_ALEN);
	}
	spin_unlock(&dev->mc_lock);
	/* Two tables: no unicast addresses, `count` multicast ones. */
	memcpy(table + 4, &count, 4);
	int r = command(card, COMMAND_RX, RX_PROMISC, &promisc, 1);
	if (!r)
		r = command(card, COMMAND_RX, RX_ALLMULTI, &all, 1);
	if (!r)
		r = command(card, COMMAND_MAC, MAC_TABLE, table, 8 + count * ETH_ALEN);
	if (r && r != -EOPNOTSUPP)
		log_warn("%s: the device refuses its receive mode (%d)\n", dev->name, r);
}

/* ---- sending ---- */

static void
header_fill(struct virtio_net_header *h, const struct packet *p)
{
	memset(h, 0, sizeof(*h));
	if (p->csum_state == CSUM_PARTIAL) {
		h->flags = HEADER_NEEDS_CSUM;
		h->csum_start = (u16)(p->csum_start - packet_headroom(p));
		h->csum_offset = p->csum_offset;
	}
	if (p->gso_size) {
		h->gso_type = p->gso_type == GSO_TCP6 ? GSO_TYPE_TCP6 : GSO_TYPE_TCP4;
		h->gso_size = p->gso_size;
		h->header_len = (u16)packet_headlen(p);
	}
}

/* Frees what has been sent; the queue's lock is held. True: there was something. */
static bool
tx_reap(struct pair *pair)
{
	bool any = false;
	void *cookie;
	u32 len;

	while ((cookie = virtqueue_get(pair->tx, &len)) != NULL) {
		struct tx_slot *slot = cookie;
		struct packet *p = cookie;

		if (slot >= pair->slots && slot < pair->slots + virtqueue_size(pair->tx)) {
			p = slot->packet;
			slot->next = pair->free_slots;
			pair->free_slots = slot;
		}
		packet_free(p);
		any = true;
	}
	return any;
}

/* 0, -ENOSPC, -EIO. */
static int
tx_add(struct pair *pair, struct packet *p)
{
	struct virtq_piece pieces[TX_PIECES];
	struct tx_slot *slot = NULL;
	struct virtio_net_header header;
	void *cookie = p;
	u32 n = 0, linear = packet_headlen(p);
	u8 *start = p->data;

	header_fill(&header, p);
	if (!packet_shared(p) && packet_headroom(p) >= sizeof(header)) {
		start -= sizeof(header);
		linear += sizeof(header);
		memcpy(start, &header, sizeof(header));
	} else {
		slot = pair->free_slots;
		if (!slot)
			return -ENOSPC;
		slot->header = header;
		slot->packet = p;
		cookie = slot;
		pieces[n++] = (struct virtq_piece){ virt_to_phys(&slot->header), sizeof(header) };
	}
	if (linear)
		pieces[n++] = (struct virtq_piece){ virt_to_phys(start), linear };
	if (p->data_len) {
		for (u32 i = 0; i < p->buf->nr_frags; i++) {
			const struct packet_frag *f = &p->buf->frags[i];

			pieces[n++] = (struct virtq_piece){ page_to_phys(f->page) + f->offset,
							    f->len };
		}
	}
	int r = virtqueue_add(pair->tx, pieces, n, 0, cookie);
	if (!r && slot)
		pair->free_slots = slot->next;
	return r;
}

static int
card_transmit(struct net_device *dev, u32 q, struct packet *p, bool more)
{
	struct pair *pair = &card_of(dev)->pairs[q];
	int r;

	(void)tx_reap(pair);
	r = tx_add(pair, p);
	while (r == -ENOSPC) {
		/* Full: tell the device what waits, then sleep till it has room, unless it has. */
		virtqueue_kick(pair->tx);
		if (virtqueue_enable_cb(pair->tx))
			return -EBUSY;
		if (tx_reap(pair))
			r = tx_add(pair, p);
	}
	if (r) {
		net_stat_inc(dev, tx_errors);
		packet_free(p);
		return 0;
	}
	if (!more)
		virtqueue_kick(pair->tx);
	return 0;
}

static void
tx_interrupt(struct virtqueue *vq)
{
	struct pair *pair = virtqueue_private(vq);

	virtqueue_disable_cb(vq);
	net_poll_schedule(&pair->tx_poll);
}

static int
tx_poll(struct net_poll *np, int budget)
{
	struct pair *pair = container_of(np, struct pair, tx_poll);
	struct net_device *dev = &pair->card->dev;
	struct net_queue *q = &dev->queues[pair->index];
	bool any = false, idle;

	/*
	 * Complete first: an interrupt that comes before the callbacks are on again then schedules
	 * another poll.
	 */
	net_poll_complete(np);
	do {
		spin_lock(&q->lock);
		any |= tx_reap(pair);
		idle = virtqueue_enable_cb(pair->tx);
		spin_unlock(&q->lock);
	} while (!idle && !virtqueue_broken(pair->tx));
	if (any && READ_ONCE(q->stopped))
		net_queue_wake(dev, pair->index);
	return 0;
}

/* ---- receiving ---- */

/* Fills the ring with pages. False: there was no memory, and too little is in it. */
static bool
rx_fill(struct pair *pair, u32 gfp)
{
	while (virtqueue_free(pair->rx)) {
		struct page *page = page_alloc(0, gfp);
		struct virtq_piece piece;

		if (!page)
			break;
		piece = (struct virtq_piece){ page_to_phys(page), PAGE_SIZE };
		if (virtqueue_add(pair->rx, &piece, 0, 1, page)) {
			page_put(page);
			break;
		}
	}
	/* Also for pages that went back by rx_recycle: a device without buffers waits to be told.
	 */
	virtqueue_kick(pair->rx);
	return virtqueue_free(pair->rx) < virtqueue_size(pair->rx) / 2 ||
	       virtqueue_broken(pair->rx);
}

static void
refill_work(struct work *w)
{
	struct pair *pair = container_of(w, struct pair, refill.work);

	/* The poll fills the ring before it ends. */
	net_poll_schedule(&pair->rx_poll);
}

/* The page of a packet that was copied, or dropped, goes back at once. */
static void
rx_recycle(struct pair *pair, struct page *page)
{
	struct virtq_piece piece = { page_to_phys(page), PAGE_SIZE };

	if (virtqueue_add(pair->rx, &piece, 0, 1, page))
		page_put(page);
}

/* What the header says of checksum and segments. False: nonsense. */
static bool
rx_header(struct packet *p, const struct virtio_net_header *h)
{
	if (h->flags & HEADER_NEEDS_CSUM) {
		if ((u32)h->csum_start + h->csum_offset + 2 > packet_headlen(p))
			return false;
		p->csum_state = CSUM_PARTIAL;
		p->csum_start = (u16)(packet_headroom(p) + h->csum_start);
		p->csum_offset = h->csum_offset;
	} else if (h->flags & HEADER_DATA_VALID) {
		p->csum_state = CSUM_UNNECESSARY;
	}
	u8 type = h->gso_type & (u8)~GSO_TYPE_ECN;
	if (type == GSO_TYPE_NONE)
		return true;
	if ((type != GSO_TYPE_TCP4 && type != GSO_TYPE_TCP6) || !h->gso_size)
		return false;
	p->gso_type = type == GSO_TYPE_TCP6 ? GSO_TCP6 : GSO_TCP4;
	p->gso_size = h->gso_size;
	return true;
}

/* The first page of a packet, len bytes with the header: a packet or NULL; takes the page. */
static struct packet *
rx_first(struct pair *pair, struct page *page, u32 len, u32 pages)
{
	const u8 *data = (u8 *)page_to_virt(page) + sizeof(struct virtio_net_header);
	u32 bytes = len - sizeof(struct virtio_net_header);
	bool whole = pages == 1 && bytes <= COPY_MAX;
	u32 head = whole ? bytes : MIN(bytes, (u32)LINEAR_HEAD);
	struct packet *p = packet_alloc(whole ? COPY_MAX : LINEAR_HEAD, GFP_ATOMIC);

	if (!p) {
		rx_recycle(pair, page);
		return NULL;
	}
	memcpy(packet_put(p, head), data, head);
	if (head == bytes) {
		rx_recycle(pair, page);
	} else {
		(void)packet_add_frag(p, page, sizeof(struct virtio_net_header) + head,
				      bytes - head);
		p->truesize += PAGE_SIZE;
	}
	return p;
}

/* The next packet of the ring to the protocols. False: the ring is empty. */
static bool
rx_one(struct pair *pair)
{
	struct card *card = pair->card;
	struct virtio_net_header h;
	struct packet *p;
	struct page *page;
	u32 len, pages = 1;
	bool good;

	page = virtqueue_get(pair->rx, &len);
	if (!page)
		return false;
	if (len <= sizeof(h) + ETH_HLEN) {
		STAT_RX_BAD(card);
		rx_recycle(pair, page);
		return true;
	}
	memcpy(&h, page_to_virt(page), sizeof(h));
	if (card->mergeable)
		pages = h.buffers ? h.buffers : 1;
	p = rx_first(pair, page, len, pages);
	good = p;
	while (--pages && (page = virtqueue_get(pair->rx, &len)) != NULL) {
		if (good && len && packet_add_frag(p, page, 0, len)) {
			p->truesize += PAGE_SIZE;
			continue;
		}
		good = false;
		rx_recycle(pair, page);
	}
	if (pages || !good || !rx_header(p, &h)) {
		if (p)
			STAT_RX_BAD(card);
		else
			net_stat_inc(&card->dev, rx_dropped);
		packet_free(p);
		return true;
	}
	p->dev = &card->dev;
	p->ifindex = card->dev.ifindex;
	if (!eth_header_parse(p)) {
		STAT_RX_BAD(card);
		packet_free(p);
		return true;
	}
	net_receive(p);
	return true;
}

static void
rx_interrupt(struct virtqueue *vq)
{
	struct pair *pair = virtqueue_private(vq);

	virtqueue_disable_cb(vq);
	net_poll_schedule(&pair->rx_poll);
}

static int
rx_poll(struct net_poll *np, int budget)
{
	struct pair *pair = container_of(np, struct pair, rx_poll);
	int done = 0;

	while (done < budget && rx_one(pair))
		done++;
	if (!rx_fill(pair, GFP_ATOMIC | GFP_NOWARN))
		delayed_work_queue(&pair->refill, REFILL_RETRY_NS);
	if (done == budget)
		return done;
	if (net_poll_complete(np) && !virtqueue_enable_cb(pair->rx)) {
		virtqueue_disable_cb(pair->rx);
		net_poll_schedule(np);
	}
	return done;
}

/* ---- the device ---- */

static int
card_open(struct net_device *dev)
{
	struct card *card = card_of(dev);

	for (u32 i = 0; i < card->nr_pairs; i++) {
		struct pair *pair = &card->pairs[i];

		net_poll_init(&pair->rx_poll, dev, rx_poll);
		net_poll_init(&pair->tx_poll, dev, tx_poll);
		if (!rx_fill(pair, GFP_KERNEL))
			return -ENOMEM;
		/* What came while it was down, or between the callbacks. */
		net_poll_schedule(&pair->rx_poll);
		net_poll_schedule(&pair->tx_poll);
	}
	return 0;
}

static void
card_stop(struct net_device *dev)
{
	struct card *card = card_of(dev);

	for (u32 i = 0; i < card->nr_pairs; i++) {
		delayed_work_cancel_sync(&card->pairs[i].refill);
		net_poll_disable(&card->pairs[i].rx_poll);
		net_poll_disable(&card->pairs[i].tx_poll);
	}
}

static int
card_set_mac(struct net_device *dev, const u8 *addr)
{
	struct card *card = card_of(dev);

	if (virtio_has(card->virtio, F_CTRL_MAC))
		return command(card, COMMAND_MAC, MAC_ADDR, addr, ETH_ALEN);
	return -EOPNOTSUPP;
}

static void
card_set_rx_mode(struct net_device *dev)
{
	struct card *card = card_of(dev);

	if (virtio_has(card->virtio, F_CTRL_RX))
		work_queue(&card->rx_mode);
}

static int
card_link_settings(struct net_device *dev, u32 *speed_mbit, bool *full_duplex)
{
	struct virtio_device *v = card_of(dev)->virtio;

	if (!virtio_has(v, F_SPEED_DUPLEX))
		return -EOPNOTSUPP;
	*speed_mbit = virtio_config_read32(v, CONFIG_SPEED);
	*full_duplex = virtio_config_read8(v, CONFIG_DUPLEX) == 1;
	return 0;
}

static void
config_changed(struct virtio_device *v)
{
	struct card *card = v->private;

	if (card && virtio_has(v, F_STATUS))
		net_device_carrier(&card->dev,
				   virtio_config_read16(v, CONFIG_STATUS) & STATUS_LINK);
}

static const struct net_device_ops card_ops = {
	.open = card_open,
	.stop = card_stop,
	.transmit = card_transmit,
	.set_mac = card_set_mac,
	.set_rx_mode = card_set_rx_mode,
	.link_settings = card_link_settings,
};

/* ---- finding one ---- */

static int
queues_setup(struct card *card, u32 device_pairs)
{
	bool control = virtio_has(card->virtio, F_CTRL_VQ);
	u32 count = device_pairs * 2 + control;
	struct virtqueue_setup *setup = kzalloc(count * sizeof(*setup), GFP_KERNEL);
	struct virtqueue **vqs = kzalloc(count * sizeof(*vqs), GFP_KERNEL);
	int r = -ENOMEM;

	if (!setup || !vqs)
		goto out_free;
	for (u32 i = 0; i < device_pairs; i++) {
		/* Pairs that no CPU uses must exist all the same: the control queue is the last. */
		struct pair *pair = i < card->nr_pairs ? &card->pairs[i] : NULL;

		setup[2 * i] = (struct virtqueue_setup){ "virtio-net-rx",
							 pair ? rx_interrupt : NULL, i % cpu_count,
							 256, pair };
		setup[2 * i + 1] = (struct virtqueue_setup){ "virtio-net-tx",
							     pair ? tx_interrupt : NULL,
							     i % cpu_count, 256, pair };
	}
	if (control)
		setup[count - 1] = (struct virtqueue_setup){ "virtio-net-control", control_done, 0,
							     16, card };
	r = virtio_find_vqs(card->virtio, count, setup, vqs);
	if (r)
		goto out_free;
	card->control = control ? vqs[count - 1] : NULL;
	for (u32 i = 0; i < card->nr_pairs && !r; i++) {
		struct pair *pair = &card->pairs[i];
		u32 size;

		pair->rx = vqs[2 * i];
		pair->tx = vqs[2 * i + 1];
		size = virtqueue_size(pair->tx);
		pair->slots = kzalloc(size * sizeof(*pair->slots), GFP_KERNEL);
		if (!pair->slots)
			r = -ENOMEM;
		for (u32 k = 0; k < size && !r; k++) {
			pair->slots[k].next = pair->free_slots;
			pair->free_slots = &pair->slots[k];
		}
	}
out_free:
	kfree(setup);
	kfree(vqs);
	return r;
}

static void
address_setup(struct card *card)
{
	struct net_device *dev = &card->dev;

	if (virtio_has(card->virtio, F_MAC)) {
		virtio_config_read(card->virtio, CONFIG_MAC, dev->addr, ETH_ALEN);
	} else {
		random_bytes(dev->addr, ETH_ALEN);
		dev->addr[0] = (dev->addr[0] & 0xfe) | 0x02; /* one's own, not a group's */
	}
	memcpy(dev->perm_addr, dev->addr, ETH_ALEN);
	memset(dev->broadcast, 0xff, ETH_ALEN);
}

static void
features_setup(struct card *card)
{
	struct virtio_device *v = card->virtio;
	struct net_device *dev = &card->dev;

	dev->features = NETIF_SG;
	if (virtio_has(v, F_CSUM)) {
		dev->features |= NETIF_CSUM;
		if (virtio_has(v, F_HOST_TSO4))
			dev->features |= NETIF_TSO4;
		if (virtio_has(v, F_HOST_TSO6))
			dev->features |= NETIF_TSO6;
	}
	if (virtio_has(v, F_GUEST_CSUM))
		dev->features |= NETIF_RXCSUM;
	if (virtio_has(v, F_GUEST_TSO4) || virtio_has(v, F_GUEST_TSO6))
		dev->features |= NETIF_LRO_HOST;
	card->mergeable = virtio_has(v, F_MRG_RXBUF);
}

static void
card_destroy(struct card *card)
{
	for (u32 i = 0; card->pairs && i < card->nr_pairs; i++)
		kfree(card->pairs[i].slots);
	kfree(card->pairs);
	kfree(card);
}

/* Joined segments need buffers that can be joined as well. */
static u64
choose_features(u64 offered)
{
	if (!(offered >> F_MRG_RXBUF & 1))
		offered &= ~(1ull << F_GUEST_TSO4 | 1ull << F_GUEST_TSO6);
	if (!(offered >> F_CTRL_VQ & 1))
		offered &= ~(1ull << F_MQ | 1ull << F_CTRL_RX | 1ull << F_CTRL_MAC);
	return offered;
}

static int
probe(struct virtio_device *v)
{
	struct card *card = kzalloc(sizeof(*card), GFP_KERNEL);
	u32 device_pairs = 1;
	int r = -ENOMEM;

	if (!card)
		return -ENOMEM;
	card->virtio = v;
	mutex_init(&card->control_lock, RANK_SLEEP_LEAF);
	wait_queue_init(&card->control_wait);
	work_init(&card->rx_mode, rx_mode_work);
	if (virtio_has(v, F_MQ))
		device_pairs = virtio_config_read16(v, CONFIG_PAIRS);
	if (!device_pairs || device_pairs > 0x8000)
		device_pairs = 1;
	card->nr_pairs = MIN(MIN(device_pairs, cpu_count), (u32)PAIRS_MAX);
	card->pairs = kzalloc(card->nr_pairs * sizeof(*card->pairs), GFP_KERNEL);
	if (!card->pairs)
		goto out_destroy;
	for (u32 i = 0; i < card->nr_pairs; i++) {
		card->pairs[i].card = card;
		card->pairs[i].index = i;
		delayed_work_init(&card->pairs[i].refill, refill_work);
	}
	features_setup(card);
	address_setup(card);
	r = queues_setup(card, device_pairs);
	if (r)
		goto out_destroy;

	struct net_device *dev = &card->dev;
	strscpy(dev->name, "eth%d", sizeof(dev->name));
	dev->type = ARPHRD_ETHER;
	dev->addr_len = ETH_ALEN;
	dev->header_len = ETH_HLEN;
	dev->flags = IFF_BROADCAST | IFF_MULTICAST;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = 68;
	/* A receive buffer is one page unless they can be joined. */
	dev->max_mtu = card->mergeable ? 65535
				       : PAGE_SIZE - sizeof(struct virtio_net_header) - ETH_HLEN;
	if (virtio_has(v, F_MTU)) {
		u32 mtu = virtio_config_read16(v, CONFIG_MTU);

		if (mtu >= dev->min_mtu)
			dev->mtu = dev->max_mtu = MIN(mtu, dev->max_mtu);
	}
	dev->nr_queues = card->nr_pairs;
	dev->queue_limit = 1000;
	dev->gso_max = 65536;
	dev->ops = &card_ops;
	dev->driver = card;
	dev->parent_path = v->bus_path;
	v->private = card;
	virtio_ready(v);
	if (card->nr_pairs > 1) {
		u16 pairs = (u16)card->nr_pairs;

		r = command(card, COMMAND_MQ, MQ_PAIRS, &pairs, sizeof(pairs));
		if (r)
			goto out_reset;
	}
	r = net_device_register(dev, &net_init_ns);
	if (r)
		goto out_reset;
	net_device_carrier(dev, !virtio_has(v, F_STATUS) ||
					(virtio_config_read16(v, CONFIG_STATUS) & STATUS_LINK));
	log_info("%s: virtio-net, %u queues, %02x:%02x:%02x:%02x:%02x:%02x\n", dev->name,
		 card->nr_pairs, dev->addr[0], dev->addr[1], dev->addr[2], dev->addr[3],
		 dev->addr[4], dev->addr[5]);
	return 0;
out_reset:
	v->private = NULL;
	virtio_reset(v);
	virtio_del_vqs(v);
out_destroy:
	card_destroy(card);
	return r;
}

#define FEATURE(n) (1ull << (n))

const struct virtio_driver virtio_net_driver = {
	.name = "virtio_net",
	.id = VIRTIO_ID_NET,
	.features = FEATURE(F_CSUM) | FEATURE(F_GUEST_CSUM) | FEATURE(F_MTU) | FEATURE(F_MAC) |
		    FEATURE(F_GUEST_TSO4) | FEATURE(F_GUEST_TSO6) | FEATURE(F_HOST_TSO4) |
		    FEATURE(F_HOST_TSO6) | FEATURE(F_MRG_RXBUF) | FEATURE(F_STATUS) |
		    FEATURE(F_CTRL_VQ) | FEATURE(F_CTRL_RX) | FEATURE(F_MQ) | FEATURE(F_CTRL_MAC) |
		    FEATURE(F_SPEED_DUPLEX),
	.choose = choose_features,
	.probe = probe,
	.config_changed = config_changed,
};
