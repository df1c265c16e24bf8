/* SPDX-License-Identifier: MIT */
/*
 * Packet sockets: packet(7). SOCK_RAW frames have their link header, SOCK_DGRAM ones lost it.
 *
 * A socket is a tap (net/core/device.h) while it has a protocol to listen for. The tap clones what
 * it sees, filters it, and queues the clone, whose scratch keeps where it came from.
 *
 * Locking: `config` (sleeping) for bind, options and memberships; the receive queue's lock for the
 * queue and its byte count. Taps come and go by net_tap_add and net_tap_remove, which wait for
 * running ones.
 *
 * Limits: no rings in shared memory (PACKET_RX_RING): -ENOPROTOOPT.
 */
#include "net/packet/packet_socket.h"

#include "core/time.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "net/core/device.h"
#include "net/core/filter.h"
#include "net/socket/socket.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "task/cred.h"
#include "uapi/capability.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"
#include "uapi/packet.h"
#include "uapi/time.h"

#define LL_ADDR_MIN	       offsetof(struct linux_sockaddr_ll, sll_addr)
#define TP_STATUS_CSUMNOTREADY 8
#define TP_STATUS_CSUM_VALID   128
#define TP_STATUS_USER	       1

struct membership {
	struct list node;
	u32 ifindex, users;
	struct linux_packet_mreq what;
};

struct packet_socket {
	struct socket *socket;
	struct net_ns *net;
	struct wait_queue wait;
	struct mutex config;
	struct net_tap tap;
	bool tapped;  /* config */
	u16 protocol; /* host order; config */
	u32 ifindex;  /* bound to: 0 any; config */
	bool raw, auxdata, ignore_outgoing;
	bool filter_locked; /* config */
	struct packet_queue queue;
	u32 queued; /* truesize bytes: queue.lock */
	u32 received, dropped;
	struct socket_filter *filter; /* RCU; config */
	struct list memberships;      /* config */
};

/* What a queued packet remembers, in its scratch. */
struct packet_cb {
	u32 whole; /* its length before the filter cut it */
	u16 hatype;
	u8 pkttype, halen;
	u8 addr[8];
};
STATIC_ASSERT(sizeof(struct packet_cb) <= sizeof(((struct packet *)0)->cb));

static const struct socket_ops packet_ops;

static struct packet_socket *
of(const struct socket *s)
{
	return s->private;
}

static struct packet_cb *
cb_of(struct packet *p)
{
	return (struct packet_cb *)p->cb;
}

/* ---- the tap ---- */

/* Taps see data at the link header: SOCK_DGRAM leaves that. False: it is not linear. */
static bool
position(const struct packet_socket *ps, struct packet *p)
{
	return ps->raw || packet_pull(p, p->network_header - packet_headroom(p));
}

static void
tap_packet(struct net_tap *t, struct packet *p, bool outgoing)
{
	struct packet_socket *ps = t->owner;
	struct net_device *dev = p->dev;
	bool queued = false;

	/* Loopback shows a packet both ways: once is enough. */
	if (outgoing && ((dev->features & NETIF_LOOPBACK) || READ_ONCE(ps->ignore_outgoing)))
		return;
	struct packet *c = packet_clone(p, GFP_ATOMIC);
	if (!c)
		goto out_count;
	if (!position(ps, c)) {
		packet_free(c);
		return;
	}
	struct packet_cb cb = { .whole = c->len,
				.hatype = dev->type,
				.pkttype = outgoing ? PACKET_OUTGOING : p->pkt_type };
	if (dev->type == ARPHRD_ETHER || dev->type == ARPHRD_LOOPBACK) {
		const struct eth_header *h = packet_link(p);

		cb.halen = ETH_ALEN;
		memcpy(cb.addr, h->from, ETH_ALEN);
	}
	struct socket_filter *f = rcu_dereference(ps->filter);
	if (f) {
		u32 keep = filter_run(f, c);

		if (!keep) {
			packet_free(c);
			return;
		}
		if (keep < c->len && packet_trim(c, keep)) {
			packet_free(c);
			goto out_count;
		}
	}
	memcpy(c->cb, &cb, sizeof(cb));
	c->ifindex = dev->ifindex;
	c->dev = NULL;
	packet_stamp(c);
	spin_lock(&ps->queue.lock);
	if (ps->queued + c->truesize <= READ_ONCE(ps->socket->rcvbuf)) {
		ps->queued += c->truesize;
		packet_queue_tail_locked(&ps->queue, c);
		queued = true;
	}
	spin_unlock(&ps->queue.lock);
	if (!queued)
		packet_free(c);
out_count:
	if (queued) {
		WRITE_ONCE(ps->received, ps->received + 1);
		wake_up_poll(&ps->wait, EPOLLIN | EPOLLRDNORM);
	} else {
		WRITE_ONCE(ps->dropped, ps->dropped + 1);
	}
}

static void
tap_gone(struct net_tap *t)
{
	struct packet_socket *ps = t->owner;

	WRITE_ONCE(ps->ifindex, (u32)-1);
	WRITE_ONCE(ps->socket->error, ENETDOWN);
	wake_up_poll(&ps->wait, EPOLLERR);
}

static void
untap(struct packet_socket *ps)
{
	if (ps->tapped)
		net_tap_remove(&ps->tap);
	ps->tapped = false;
}

/* Listen for what protocol and ifindex now say. 0, -ENODEV. config held. */
static int
retap(struct packet_socket *ps)
{
	struct net_device *dev = NULL;
	int r = 0;

	untap(ps);
	if (!ps->protocol)
		return 0;
	net_config_lock(ps->net);
	if (ps->ifindex) {
		dev = net_device_peek_by_index(ps->net, ps->ifindex);
		if (!dev)
			r = -ENODEV;
	}
	if (!r) {
		ps->tap = (struct net_tap){ .dev = dev,
					    .protocol = ps->protocol,
					    .packet = tap_packet,
					    .gone = tap_gone,
					    .owner = ps };
		net_tap_add(ps->net, &ps->tap);
		ps->tapped = true;
	}
	net_config_unlock(ps->net);
	return r;
}

static int
packet_create(struct socket *s, int type, int protocol)
{
	if (!capable(CAP_NET_RAW))
		return -EPERM;
	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	struct packet_socket *ps = kzalloc(sizeof(*ps), GFP_KERNEL);
	if (!ps)
		return -ENOMEM;
	ps->socket = s;
	ps->net = net_current();
	ps->raw = type == SOCK_RAW;
	ps->protocol = ntohs((u16)protocol);
	wait_queue_init(&ps->wait);
	mutex_init(&ps->config, RANK_SOCKET);
	packet_queue_init(&ps->queue);
	list_init(&ps->memberships);
	s->ops = &packet_ops;
	s->private = ps;
	mutex_lock(&ps->config);
	(void)retap(ps);
	mutex_unlock(&ps->config);
	return 0;
}

static int
packet_bind(struct socket *s, const u8 *addr, u32 len)
{
	struct packet_socket *ps = of(s);
	struct linux_sockaddr_ll a = { 0 };

	if (len < LL_ADDR_MIN)
		return -EINVAL;
	memcpy(&a, addr, MIN((size_t)len, sizeof(a)));
	if (a.sll_family != AF_PACKET)
		return -EINVAL;
	mutex_lock(&ps->config);
	if (a.sll_protocol)
		ps->protocol = ntohs(a.sll_protocol);
	u32 before = ps->ifindex;
	ps->ifindex = (u32)a.sll_ifindex;
	int r = retap(ps);
	if (r) {
		ps->ifindex = before;
		(void)retap(ps);
	}
	mutex_unlock(&ps->config);
	return r;
}

static int
packet_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	struct packet_socket *ps = of(s);
	struct linux_sockaddr_ll a = { .sll_family = AF_PACKET };

	if (peer)
		return -EOPNOTSUPP;
	a.sll_protocol = htons(ps->protocol);
	a.sll_ifindex = (s32)ps->ifindex;
	struct net_device *dev = ps->ifindex ? net_device_find_by_index(ps->net, ps->ifindex)
					     : NULL;
	if (dev) {
		a.sll_hatype = dev->type;
		a.sll_halen = dev->addr_len;
		memcpy(a.sll_addr, dev->addr, MIN((size_t)dev->addr_len, sizeof(a.sll_addr)));
		net_device_put(dev);
	}
	memcpy(addr, &a, sizeof(a));
	*len = LL_ADDR_MIN + MAX((u32)a.sll_halen, 8u);
	return 0;
}

/* ---- sending ---- */

/* The frame of a message, its header in place. 0 or -errno. */
static int
frame_build(struct packet_socket *ps, struct net_device *dev, struct socket_msg *m,
	    const struct linux_sockaddr_ll *to, u16 protocol, struct packet **out)
{
	u32 len = (u32)iter_count(m->iter);
	struct packet *p = packet_alloc(len, GFP_KERNEL);
	int r = -ENOBUFS;

	if (!p)
		return r;
	if (ps->raw) {
		r = iter_copy_from(m->iter, packet_put(p, len), len) == len ? 0 : -EFAULT;
		packet_set_link(p);
		p->network_header = (u16)(packet_headroom(p) + dev->header_len);
		if (!r && !protocol && dev->header_len == ETH_HLEN)
			protocol = ntohs(((const struct eth_header *)p->data)->protocol);
	} else {
		packet_set_network(p);
		r = iter_copy_from(m->iter, packet_put(p, len), len) == len ? 0 : -EFAULT;
		if (!r && dev->ops->header)
			r = dev->ops->header(dev, p, protocol, to ? to->sll_addr : NULL, dev->addr);
		else if (!r && dev->header_len == ETH_HLEN)
			r = eth_header_push(p, protocol, to ? to->sll_addr : dev->broadcast,
					    dev->addr);
		packet_set_link(p);
	}
	if (r) {
		packet_free(p);
		return r;
	}
	p->protocol = protocol;
	p->flags |= PACKET_F_DST_SET;
	p->dev = dev;
	p->ifindex = dev->ifindex;
	p->priority = ps->socket->priority;
	p->mark = ps->socket->mark;
	*out = p;
	return 0;
}

static ssize_t
packet_sendmsg(struct socket *s, struct socket_msg *m)
{
	struct packet_socket *ps = of(s);
	struct linux_sockaddr_ll a = { 0 };
	bool named = m->addr && m->addr_len;
	u16 protocol = ps->protocol;
	u32 ifindex = ps->ifindex;
	size_t len = iter_count(m->iter);
	struct packet *p = NULL;
	ssize_t r;

	if (named) {
		if (m->addr_len < LL_ADDR_MIN)
			return -EINVAL;
		memcpy(&a, m->addr, MIN((size_t)m->addr_len, sizeof(a)));
		if (a.sll_family != AF_PACKET || m->addr_len < LL_ADDR_MIN + a.sll_halen)
			return -EINVAL;
		ifindex = (u32)a.sll_ifindex;
		protocol = ntohs(a.sll_protocol);
	}
	struct net_device *dev = net_device_find_by_index(ps->net, ifindex);
	if (!dev)
		return -ENXIO;
	r = -ENETDOWN;
	if (!(READ_ONCE(dev->flags) & IFF_UP))
		goto out_put;
	r = -EINVAL;
	if (ps->raw ? len < dev->header_len : named && !ps->raw && a.sll_halen < dev->addr_len)
		goto out_put;
	r = -EMSGSIZE;
	if (len > dev->mtu + (ps->raw ? dev->header_len : 0u))
		goto out_put;
	r = frame_build(ps, dev, m, named ? &a : NULL, protocol, &p);
	if (!r) {
		r = net_transmit(p);
		r = r ? r : (ssize_t)len;
	}
out_put:
	net_device_put(dev);
	return r;
}

/* ---- receiving ---- */

static struct packet *
take(struct packet_socket *ps, bool peek)
{
	struct packet *p, *c = NULL;

	spin_lock(&ps->queue.lock);
	p = packet_queue_peek(&ps->queue);
	if (p && peek) {
		c = packet_clone(p, GFP_ATOMIC);
		if (c) {
			memcpy(c->cb, p->cb, sizeof(c->cb));
			c->ifindex = p->ifindex;
			c->tstamp = p->tstamp;
		}
		p = c;
	} else if (p) {
		packet_unlink_locked(&ps->queue, p);
		ps->queued -= p->truesize;
	}
	spin_unlock(&ps->queue.lock);
	return p;
}

static int
put_cmsgs(struct packet_socket *ps, struct packet *p, struct socket_msg *m)
{
	struct packet_cb *cb = cb_of(p);
	int r = 0;

	if (ps->socket->opts & SOCKOPT_TIMESTAMP) {
		struct linux_timeval tv = { (s64)(p->tstamp / NSEC_PER_SEC),
					    (s64)(p->tstamp % NSEC_PER_SEC / 1000) };

		r = socket_put_cmsg(m, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
	}
	if (!r && ps->auxdata) {
		struct linux_tpacket_auxdata aux = {
			.tp_status = TP_STATUS_USER |
				     (p->csum_state == CSUM_PARTIAL ? TP_STATUS_CSUMNOTREADY
				      : p->csum_state != CSUM_NONE  ? TP_STATUS_CSUM_VALID
								    : 0),
			.tp_len = cb->whole,
			.tp_snaplen = p->len,
			.tp_net = (u16)(p->network_header - p->link_header),
		};

		r = socket_put_cmsg(m, SOL_PACKET, PACKET_AUXDATA, &aux, sizeof(aux));
	}
	return r;
}

static ssize_t
packet_recvmsg(struct socket *s, struct socket_msg *m)
{
	struct packet_socket *ps = of(s);
	u64 deadline = socket_deadline(s, false, m->flags & MSG_DONTWAIT);
	struct packet *p;
	ssize_t r = socket_take_error(s);

	if (r)
		return -r;
	while (!(p = take(ps, m->flags & MSG_PEEK))) {
		if (!deadline)
			return -EAGAIN;
		r = wait_event_interruptible_timeout(
			&ps->wait, !packet_queue_empty(&ps->queue) || s->error, deadline);
		if (r == -ETIMEDOUT)
			return -EAGAIN;
		if (r)
			return deadline != TIME_NEVER ? -EINTR : r;
		r = socket_take_error(s);
		if (r)
			return -r;
	}
	u32 n = (u32)MIN((size_t)p->len, iter_count(m->iter));
	r = m->flags & MSG_TRUNC ? (ssize_t)p->len : (ssize_t)n;
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;
	int e = packet_copy_to_iter(p, 0, m->iter, n);
	if (m->addr) {
		struct packet_cb *cb = cb_of(p);
		struct linux_sockaddr_ll a = { .sll_family = AF_PACKET,
					       .sll_protocol = htons(p->protocol),
					       .sll_ifindex = (s32)p->ifindex,
					       .sll_hatype = cb->hatype,
					       .sll_pkttype = cb->pkttype,
					       .sll_halen = cb->halen };

		memcpy(a.sll_addr, cb->addr, sizeof(a.sll_addr));
		memcpy(m->addr, &a, sizeof(a));
		m->addr_len = LL_ADDR_MIN + MAX((u32)a.sll_halen, 8u);
	}
	if (!e)
		e = put_cmsgs(ps, p, m);
	packet_free(p);
	return e ? e : r;
}

static u32
packet_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct packet_socket *ps = of(s);
	u32 mask = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

	poll_wait(f, &ps->wait, pt);
	if (!packet_queue_empty(&ps->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(s->error))
		mask |= EPOLLERR;
	return mask;
}

/* ---- options ---- */

/* Switch a mode of the device on or off. config_lock held. */
static int
membership_apply(struct net_device *dev, const struct linux_packet_mreq *mr, int delta)
{
	switch (mr->mr_type) {
	case PACKET_MR_PROMISC: net_device_promisc(dev, delta); return 0;
	case PACKET_MR_ALLMULTI: net_device_allmulti(dev, delta); return 0;
	case PACKET_MR_MULTICAST:
		if (mr->mr_alen != dev->addr_len)
			return -EINVAL;
		if (delta > 0)
			return net_device_mc_add(dev, mr->mr_address);
		net_device_mc_del(dev, mr->mr_address);
		return 0;
	}
	return -EINVAL;
}

static struct membership *
membership_find(struct packet_socket *ps, const struct linux_packet_mreq *mr)
{
	struct membership *m;

	list_for_each_entry(m, &ps->memberships, node)
	{
		if (memcmp(&m->what, mr, sizeof(*mr)) == 0)
			return m;
	}
	return NULL;
}

/* config and config_lock held. */
static int
membership_change(struct packet_socket *ps, const struct linux_packet_mreq *mr, bool add)
{
	struct net_device *dev = net_device_peek_by_index(ps->net, (u32)mr->mr_ifindex);
	struct membership *m = membership_find(ps, mr);

	if (!add) {
		if (!m)
			return -EADDRNOTAVAIL;
		if (--m->users)
			return 0;
		if (dev)
			(void)membership_apply(dev, mr, -1);
		list_del(&m->node);
		kfree(m);
		return 0;
	}
	if (!dev)
		return -ENODEV;
	if (m) {
		m->users++;
		return 0;
	}
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOBUFS;
	int r = membership_apply(dev, mr, 1);
	if (r) {
		kfree(m);
		return r;
	}
	m->what = *mr;
	m->users = 1;
	list_add_tail(&m->node, &ps->memberships);
	return 0;
}

/* Takes f over. 0, -EPERM: SO_LOCK_FILTER. */
static int
filter_set(struct packet_socket *ps, struct socket_filter *f)
{
	mutex_lock(&ps->config);
	bool locked = ps->filter_locked;
	struct socket_filter *old = locked ? f : ps->filter;
	if (!locked)
		rcu_assign_pointer(ps->filter, f);
	mutex_unlock(&ps->config);
	filter_free(old);
	return locked ? -EPERM : 0;
}

static int
packet_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct packet_socket *ps = of(s);
	struct linux_packet_mreq mr = { 0 };
	struct socket_filter *f;
	u32 v;
	int r;

	if (level == SOL_SOCKET) {
		switch (name) {
		case SO_ATTACH_FILTER:
			r = filter_create(val, len, &f);
			return r ? r : filter_set(ps, f);
		case SO_DETACH_FILTER:
			if (!ps->filter)
				return -ENOENT;
			return filter_set(ps, NULL);
		case SO_LOCK_FILTER:
			if (len < sizeof(v))
				return -EINVAL;
			memcpy(&v, val, sizeof(v));
			/* It only ever closes. */
			if (ps->filter_locked && !v)
				return -EPERM;
			ps->filter_locked = v;
			return 0;
		}
		return -ENOPROTOOPT;
	}
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (name) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		if (len < offsetof(struct linux_packet_mreq, mr_address))
			return -EINVAL;
		memcpy(&mr, val, MIN((size_t)len, sizeof(mr)));
		mutex_lock(&ps->config);
		net_config_lock(ps->net);
		r = membership_change(ps, &mr, name == PACKET_ADD_MEMBERSHIP);
		net_config_unlock(ps->net);
		mutex_unlock(&ps->config);
		return r;
	case PACKET_AUXDATA:
		if (len < sizeof(v))
			return -EINVAL;
		memcpy(&v, val, sizeof(v));
		ps->auxdata = v;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (len != sizeof(v))
			return -EINVAL;
		memcpy(&v, val, sizeof(v));
		if (v > 1)
			return -EINVAL;
		ps->ignore_outgoing = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int
packet_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct packet_socket *ps = of(s);

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (name == PACKET_STATISTICS) {
		struct {
			u32 packets, drops;
		} st;

		st.drops = xchg(&ps->dropped, 0);
		st.packets = xchg(&ps->received, 0) + st.drops;
		memcpy(val, &st, sizeof(st));
		*len = sizeof(st);
		return 0;
	}
	if (name == PACKET_AUXDATA) {
		s32 v = ps->auxdata;

		memcpy(val, &v, sizeof(v));
		*len = sizeof(v);
		return 0;
	}
	return -ENOPROTOOPT;
}

static long
packet_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct packet_socket *ps = of(s);
	s32 n = 0;

	switch (cmd) {
	case FIONREAD: {
		spin_lock(&ps->queue.lock);
		struct packet *p = packet_queue_peek(&ps->queue);
		if (p)
			n = (s32)p->len;
		spin_unlock(&ps->queue.lock);
		return put_user(user_ptr_of(arg), n);
	}
	case SIOCOUTQ: return put_user(user_ptr_of(arg), n);
	}
	return -ENOTTY;
}

static void
packet_release(struct socket *s)
{
	struct packet_socket *ps = of(s);
	struct membership *m, *next;

	mutex_lock(&ps->config);
	untap(ps);
	net_config_lock(ps->net);
	list_for_each_entry_safe(m, next, &ps->memberships, node)
	{
		m->users = 1;
		(void)membership_change(ps, &m->what, false);
	}
	net_config_unlock(ps->net);
	mutex_unlock(&ps->config);
	packet_queue_purge(&ps->queue);
	filter_free(ps->filter);
	kfree(ps);
}

static struct socket_family packet_family = { .family = AF_PACKET, .create = packet_create };

void
packet_socket_init(void)
{
	socket_family_register(&packet_family);
}

static const struct socket_ops packet_ops = {
	.family = AF_PACKET,
	.bind = packet_bind,
	.getname = packet_getname,
	.sendmsg = packet_sendmsg,
	.recvmsg = packet_recvmsg,
	.poll = packet_poll,
	.ioctl = packet_ioctl,
	.setsockopt = packet_setsockopt,
	.getsockopt = packet_getsockopt,
	.release = packet_release,
};
