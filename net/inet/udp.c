/* SPDX-License-Identifier: MIT */
/*
 * UDP for IPv4 and IPv6: RFC 768, RFC 8085, udp(7).
 *
 * A bound socket hangs in a hash by its local port from bind to close; the best match by address,
 * peer and device wins, and a reuse-port group shares by the flow's hash. A socket that connects
 * for the first time is entered in a second hash by its whole 4-tuple, looked at first, so many
 * connected sockets on one port cost nothing. Both are read under RCU.
 *
 * Receiving takes no socket lock but the queue's. Sending builds the datagram before any lock; only
 * UDP_CORK and MSG_MORE gather in the sock, under sock_lock.
 */
#include "core/random.h"
#include "core/time.h"
#include "inet_internal.h"
#include "lib/format.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "net/inet/diag.h"
#include "uapi/errno.h"
#include "uapi/ioctl.h"
#include "uapi/packet.h"

#define HASH_BITS	 10
#define PAYLOAD_MAX	 65507
#define UDP_SEGMENT	 103
#define UDP_GRO		 104
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102

struct udp_sock {
	struct inet_sock sk;
	struct hlist_node tuple_node;
	bool tuple_used; /* has ever been in the 4-tuple hash: never enters it again */
	bool cork;
	u16 gso_size;
	struct packet *pending; /* UDP_CORK, MSG_MORE: under sock_lock */
	struct inet_send pending_send;
};

struct udp_bucket {
	struct hlist_head socks;
	struct spinlock lock; /* RANK_INET_HASH */
};

struct port_table udp_ports;
static struct udp_bucket by_port[1 << HASH_BITS], by_tuple[1 << HASH_BITS];

static struct udp_sock *
udp_of(struct inet_sock *sk)
{
	return container_of(sk, struct udp_sock, sk);
}

static struct udp_bucket *
port_bucket_of(u16 port)
{
	return &by_port[port & ((1u << HASH_BITS) - 1)];
}

static struct udp_bucket *
tuple_bucket_of(u32 hash)
{
	return &by_tuple[hash & ((1u << HASH_BITS) - 1)];
}

/* ---- tables ---- */

static void
port_enter(struct inet_sock *sk)
{
	struct udp_bucket *b = port_bucket_of(sk->local_port);

	spin_lock(&b->lock);
	hlist_add_head_rcu(&sk->hash_node, &b->socks);
	spin_unlock(&b->lock);
}

static void
port_leave(struct inet_sock *sk)
{
	struct udp_bucket *b = port_bucket_of(sk->local_port);

	if (hlist_unhashed(&sk->hash_node))
		return;
	spin_lock(&b->lock);
	hlist_del_init_rcu(&sk->hash_node);
	spin_unlock(&b->lock);
}

static void
tuple_enter(struct udp_sock *u)
{
	struct inet_sock *sk = &u->sk;
	struct udp_bucket *b;

	/* A reader may still stand on a node that has left: it must not appear elsewhere. */
	if (u->tuple_used)
		return;
	u->tuple_used = true;
	sk->hash = inet_flow_hash(sk->net, &sk->local, sk->local_port, &sk->remote,
				  sk->remote_port);
	b = tuple_bucket_of(sk->hash);
	spin_lock(&b->lock);
	hlist_add_head_rcu(&u->tuple_node, &b->socks);
	spin_unlock(&b->lock);
}

static void
tuple_leave(struct udp_sock *u)
{
	struct udp_bucket *b = tuple_bucket_of(u->sk.hash);

	if (hlist_unhashed(&u->tuple_node))
		return;
	spin_lock(&b->lock);
	hlist_del_init_rcu(&u->tuple_node);
	spin_unlock(&b->lock);
}

static struct inet_sock *
udp_lookup(struct net_ns *net, const struct ip_addr *src, u16 src_port, const struct ip_addr *dst,
	   u16 dst_port, u32 ifindex)
{
	u32 hash = inet_flow_hash(net, dst, dst_port, src, src_port);
	struct inet_sock *sk, *best = NULL;
	struct udp_sock *u;
	u32 equals = 0, pick = hash;
	int best_score = -1;

	hlist_for_each_entry_rcu(u, &tuple_bucket_of(hash)->socks, tuple_node)
	{
		sk = &u->sk;
		if (sk->hash == hash && sk->local_port == dst_port && sk->remote_port == src_port &&
		    ip_addr_equal(&sk->remote, src) && ip_addr_equal(&sk->local, dst) &&
		    (!sk->bound_ifindex || sk->bound_ifindex == ifindex))
			return sk;
	}
	hlist_for_each_entry_rcu(sk, &port_bucket_of(dst_port)->socks, hash_node)
	{
		int score;

		if (sk->local_port != dst_port || sk->net != net)
			continue;
		score = inet_match_score(sk, src, src_port, dst, ifindex);
		if (score > best_score) {
			best_score = score;
			best = sk;
			equals = 1;
		} else if (score == best_score && best && !sk->remote_port &&
			   (inet_sock_opts(sk) & SOCKOPT_REUSEPORT)) {
			/* The nth of equals is taken with probability 1/n, the same for a flow. */
			equals++;
			if (((u64)pick * equals) >> 32 == 0)
				best = sk;
			pick = pick * HASH_GOLDEN_32 + 1;
		}
	}
	return best;
}

/* ---- receiving ---- */

/* Multicast and broadcast: to each that wants it. Takes over p. */
static void
deliver_group(struct packet *p, u16 src_port, u16 dst_port)
{
	struct inet_cb *cb = inet_cb(p);
	struct inet_sock *sk, *last = NULL;

	hlist_for_each_entry_rcu(sk, &port_bucket_of(dst_port)->socks, hash_node)
	{
		struct packet *c;

		if (sk->local_port != dst_port ||
		    (sk->bound_ifindex && sk->bound_ifindex != p->ifindex) ||
		    (!ip_addr_is_any(&sk->local) && !ip_addr_equal(&sk->local, &cb->dst)) ||
		    (ip_addr_is4(&cb->dst) && sk->family == AF_INET6 &&
		     (sk->v6only || (!ip_addr_is4(&sk->local) && !ip_addr_is_any(&sk->local)))) ||
		    (!ip_addr_is4(&cb->dst) && sk->family == AF_INET))
			continue;
		if (sk->remote_port &&
		    (sk->remote_port != src_port || !ip_addr_equal(&sk->remote, &cb->src)))
			continue;
		if (ip_addr_is_multicast(&cb->dst) &&
		    !inet_mc_wanted(sk, &cb->dst, &cb->src, p->ifindex))
			continue;
		if (last) {
			c = packet_clone(p, GFP_ATOMIC);
			if (c && inet_queue_receive(last, c))
				inet_count(UdpInDatagrams);
		}
		last = sk;
	}
	if (!last) {
		inet_count(UdpIgnoredMulti);
		packet_free(p);
	} else if (inet_queue_receive(last, p)) {
		inet_count(UdpInDatagrams);
	}
}

static int
udp_receive(struct packet *p)
{
	struct inet_cb *cb = inet_cb(p);
	const struct udp_header *h;
	struct inet_sock *sk;
	u32 len;
	u16 src_port, dst_port;

	if (!packet_may_pull(p, sizeof(*h)))
		goto error;
	h = (const struct udp_header *)p->data;
	len = ntohs(h->len);
	src_port = ntohs(h->src_port);
	dst_port = ntohs(h->dst_port);
	if (unlikely(len != p->len)) {
		if (!len && cb->v6)
			len = p->len; /* a jumbogram's; as Linux */
		if (len > p->len || len < sizeof(*h) || packet_trim(p, len))
			goto error;
		h = (const struct udp_header *)p->data;
	}
	if (h->check) {
		if (p->csum_state == CSUM_NONE || p->csum_state == CSUM_COMPLETE) {
			if (!packet_csum_valid(
				    p, inet_pseudo_sum(&cb->src, &cb->dst, IPPROTO_UDP, len)))
				goto csum_error;
		}
	} else if (cb->v6) {
		goto csum_error;
	}
	if (unlikely(p->pkt_type != PACKET_HOST)) {
		deliver_group(p, src_port, dst_port);
		return 0;
	}
	sk = udp_lookup(p->dev->net, &cb->src, src_port, &cb->dst, dst_port, p->ifindex);
	if (unlikely(!sk)) {
		inet_count(UdpNoPorts);
		inet_icmp_error(p, INET_UNREACH_PORT, 0);
		packet_free(p);
		return 0;
	}
	if (likely(inet_queue_receive(sk, p)))
		inet_count(UdpInDatagrams);
	else
		inet_count(UdpInErrors);
	return 0;

csum_error:
	inet_count(UdpInCsumErrors);
error:
	inet_count(UdpInErrors);
	packet_free(p);
	return 0;
}

static void
udp_error(struct packet *p, const struct inet_error *e)
{
	const struct udp_header *h = (const struct udp_header *)p->data;
	struct inet_cb *cb = inet_cb(p);
	struct inet_sock *sk = udp_lookup(p->dev->net, &cb->dst, ntohs(h->dst_port), &cb->src,
					  ntohs(h->src_port), p->ifindex);
	bool want, harden = e->fatal;

	if (!sk)
		return;
	want = cb->v6 ? sk->recverr6 : sk->recverr;
	if (e->error == EMSGSIZE)
		harden = (cb->v6 ? sk->pmtu_discover6 : sk->pmtu_discover) != IP_PMTUDISC_DONT;
	if (want)
		inet_queue_error(sk, p, e, ntohs(h->dst_port), sizeof(*h));
	else if (!harden || !sk->remote_port)
		return;
	inet_sock_error(sk, e->error);
}

/* ---- sending ---- */

/* p holds the payload. In process context. Takes over p. */
static int
udp_emit(struct inet_sock *sk, struct inet_send *s, struct packet *p)
{
	u32 len = p->len + sizeof(struct udp_header);
	struct udp_header *h;
	struct route r;
	bool v4 = ip_addr_is4(&s->tx.dst);
	u8 discover = v4 ? sk->pmtu_discover : sk->pmtu_discover6;
	int e;

	net_begin();
	e = inet_send_route(sk, s, &r);
	if (unlikely(e)) {
		packet_free(p);
		goto out;
	}
	if (unlikely(r.type == RTN_BROADCAST) && !(inet_sock_opts(sk) & SOCKOPT_BROADCAST)) {
		packet_free(p);
		e = -EACCES;
		goto out;
	}
	h = packet_push(p, sizeof(*h));
	packet_set_transport(p);
	*h = (struct udp_header){ htons(sk->local_port), htons(s->port), htons((u16)len), 0 };
	if (likely(!sk->no_check || !v4)) {
		p->csum_state = CSUM_PARTIAL;
		p->csum_start = p->transport_header;
		p->csum_offset = offsetof(struct udp_header, check);
		h->check = (u16)~csum_fold(
			inet_pseudo_sum(&s->tx.src, &s->tx.dst, IPPROTO_UDP, len));
	}
	if (unlikely(s->gso_size) && len - sizeof(*h) > s->gso_size) {
		if (s->gso_size + 28u > r.mtu || !p->csum_state) {
			packet_free(p);
			e = -EINVAL;
			goto out;
		}
		p->gso_size = s->gso_size;
		p->gso_type = v4 ? GSO_UDP4 : GSO_UDP6;
		p->gso_segs = (u16)DIV_ROUND_UP(len - (u32)sizeof(*h), s->gso_size);
	} else if (discover == IP_PMTUDISC_WANT && len + (v4 ? 20 : 40) > r.mtu) {
		s->tx.may_fragment = true;
	}
	if (!(r.dev->flags & IFF_LOOPBACK))
		packet_charge_send(sk, p);
	if (unlikely(s->confirm) && r.neigh)
		neighbour_confirm(r.neigh, time_mono_ns());
	e = inet_send(sk, p, &s->tx, &r);
	if (likely(!e)) {
		inet_count(UdpOutDatagrams);
	} else if (e == -ENOBUFS) {
		/* udp(7): a full device queue is the network's loss, unless one wants to know. */
		inet_count(UdpSndbufErrors);
		if (!(v4 ? sk->recverr : sk->recverr6))
			e = 0;
	} else if (e == -EMSGSIZE && (v4 ? sk->recverr : sk->recverr6)) {
		struct inet_error le = { .error = EMSGSIZE,
					 .origin = SO_EE_ORIGIN_LOCAL,
					 .info = r.mtu };
		inet_queue_error(sk, NULL, &le, s->port, 0);
	}
out:
	net_end();
	return e;
}

/* A port, if there is none yet. */
static int
autobind(struct inet_sock *sk)
{
	int r = 0;

	if (likely(sk->local_port))
		return 0;
	sock_lock(sk);
	if (!sk->local_port) {
		r = inet_port_bind(&udp_ports, sk, 0);
		if (!r)
			port_enter(sk);
		else if (r == -EADDRINUSE)
			r = -EAGAIN;
	}
	sock_unlock(sk);
	return r;
}

static void
pending_drop(struct udp_sock *u)
{
	packet_free(u->pending);
	kfree(u->pending_send.options);
	u->pending = NULL;
	u->pending_send.options = NULL;
}

/* Add to the datagram that is being gathered, and send it unless more is to come. sock_lock held.
 */
static ssize_t
send_corked(struct udp_sock *u, struct socket_msg *m, struct inet_send *s, bool more)
{
	size_t len = iter_count(m->iter);
	int r;

	if (!u->pending) {
		u->pending = packet_alloc(2048, GFP_KERNEL);
		if (!u->pending)
			return -ENOBUFS;
		u->pending_send = *s;
		s->options = NULL;
	}
	if (u->pending->len + len > PAYLOAD_MAX)
		return -EMSGSIZE;
	r = packet_append_iter(u->pending, m->iter, (u32)len);
	if (r) {
		pending_drop(u);
		return r;
	}
	if (!more) {
		struct packet *p = u->pending;

		u->pending = NULL;
		r = udp_emit(&u->sk, &u->pending_send, p);
		kfree(u->pending_send.options);
		u->pending_send.options = NULL;
	}
	return r ? r : (ssize_t)len;
}

static ssize_t
udp_sendmsg(struct socket *socket, struct socket_msg *m)
{
	struct inet_sock *sk = inet_sock_of(socket);
	struct udp_sock *u = udp_of(sk);
	size_t len = iter_count(m->iter);
	struct inet_send s;
	struct packet *p;
	ssize_t r;

	if (len > 0xffff)
		return -EMSGSIZE;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	r = inet_send_prepare(sk, m, &s);
	if (r)
		return r;
	if (!s.gso_size)
		s.gso_size = u->gso_size;
	if (!s.port) {
		r = -EINVAL;
		goto out;
	}
	r = autobind(sk);
	if (r)
		goto out;
	if (unlikely(u->cork || (m->flags & MSG_MORE) || u->pending)) {
		sock_lock(sk);
		r = send_corked(u, m, &s, u->cork || (m->flags & MSG_MORE));
		sock_unlock(sk);
		goto out;
	}
	if (len > PAYLOAD_MAX) {
		r = -EMSGSIZE;
		goto out;
	}
	/* Up to a few pages in one piece: less to walk for everybody behind. */
	r = inet_send_alloc(sk, (u32)MIN(len, (size_t)16384), m->flags & MSG_DONTWAIT, &p);
	if (r)
		goto out;
	r = packet_append_iter(p, m->iter, (u32)len);
	if (r)
		packet_free(p);
	else
		r = udp_emit(sk, &s, p);
	if (!r)
		r = (ssize_t)len;
out:
	kfree(s.options);
	return r;
}

static ssize_t
udp_recvmsg(struct socket *socket, struct socket_msg *m)
{
	struct inet_sock *sk = inet_sock_of(socket);
	size_t room = iter_count(m->iter), n;
	struct packet *p;
	struct inet_cb *cb;
	const struct udp_header *h;
	u32 skip, len;
	bool peeked;
	int r;

	if (unlikely(m->flags & MSG_ERRQUEUE))
		return inet_recv_error(sk, m);
again:
	r = inet_recv_packet(sk, m->flags, &p, &peeked, &skip);
	if (r)
		return r > 0 ? 0 : r;
	cb = inet_cb(p);
	h = packet_transport(p);
	if (!packet_pull(p, sizeof(*h))) { /* a filter has cut into the header */
		packet_free(p);
		goto again;
	}
	len = p->len - MIN(skip, p->len);
	n = MIN((size_t)len, room);
	r = packet_copy_to_iter(p, skip, m->iter, (u32)n);
	if (r) {
		packet_free(p);
		return r;
	}
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (m->addr)
		m->addr_len = inet_addr_format(sk, &cb->src, ntohs(h->src_port), p->ifindex,
					       m->addr);
	r = inet_put_cmsgs(sk, p, m);
	if (sk->peek_off >= 0) {
		if (peeked)
			sk->peek_off += (s32)n;
		else
			sk->peek_off = MAX(0, sk->peek_off - (s32)len);
	}
	packet_free(p);
	if (r)
		return r;
	return m->flags & MSG_TRUNC ? (ssize_t)len : (ssize_t)n;
}

/* ---- names ---- */

static int
udp_bind(struct socket *s, const u8 *addr, u32 len)
{
	struct inet_sock *sk = inet_sock_of(s);
	int r;

	sock_lock(sk);
	r = inet_bind_common(s, addr, len, &udp_ports);
	if (!r)
		port_enter(sk);
	sock_unlock(sk);
	return r;
}

static int
udp_disconnect(struct inet_sock *sk)
{
	tuple_leave(udp_of(sk));
	sk->remote_port = 0;
	sk->remote = sk->family == AF_INET6 ? IP_ADDR_ANY6 : ip_addr4(0);
	sk->state = TCP_CLOSE;
	sk->route.dev = NULL;
	if (!sk->addr_locked)
		sk->local = sk->family == AF_INET6 ? IP_ADDR_ANY6 : ip_addr4(0);
	if (!sk->port_locked && sk->local_port) {
		port_leave(sk);
		inet_port_release(&udp_ports, sk);
		/* The node enters another chain: readers on it must have left. */
		rcu_synchronize();
		sk->local_port = 0;
	}
	return 0;
}

static int
udp_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	struct inet_sock *sk = inet_sock_of(s);
	struct ip_addr to;
	u32 scope = 0;
	u16 port, family;
	struct route r;
	struct flow f;
	int e;

	if (len < sizeof(family))
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (family == AF_UNSPEC) {
		sock_lock(sk);
		e = udp_disconnect(sk);
		sock_unlock(sk);
		return e;
	}
	e = inet_addr_parse(sk, addr, len, &to, &port, &scope);
	if (e)
		return e;
	e = autobind(sk);
	if (e)
		return e;
	sock_lock(sk);
	net_begin();
	if (ip_addr_is_any(&to)) /* "this host" */
		to = ip_addr_is4(&to) || sk->family == AF_INET
			     ? ip_addr4(htonl(INADDR_LOOPBACK))
			     : (struct ip_addr){ { .b = { [15] = 1 } } };
	inet_sock_flow(sk, &f);
	f.dst = to;
	f.dst_port = port;
	if (!f.oif)
		f.oif = scope ? scope : ip_addr_is_multicast(&to) ? sk->mc_ifindex : 0;
	if (!sk->addr_locked)
		f.src = ip_addr_is4(&to) ? ip_addr4(0) : IP_ADDR_ANY6;
	e = ip_addr_is4(&to) && sk->family == AF_INET6 && sk->v6only
		    ? -ENETUNREACH
		    : inet_route_output(sk->net, &f, &r);
	if (!e && r.type == RTN_BROADCAST && !(s->opts & SOCKOPT_BROADCAST))
		e = -EACCES;
	if (!e) {
		tuple_leave(udp_of(sk));
		if (ip_addr_is_any(&sk->local) || !sk->addr_locked)
			sk->local = r.source;
		sk->remote = to;
		sk->route = r;
		sk->state = TCP_ESTABLISHED;
		WRITE_ONCE(sk->remote_port, port);
		if (scope && !sk->bound_ifindex && !ip_addr_is4(&to) && ipv6_is_linklocal(&to))
			sk->bound_ifindex = scope;
		tuple_enter(udp_of(sk));
	}
	net_end();
	sock_unlock(sk);
	return e;
}

static int
udp_shutdown(struct socket *s, int how)
{
	(void)inet_datagram_shutdown(s, how);
	return inet_sock_of(s)->remote_port ? 0 : -ENOTCONN;
}

static long
udp_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	return inet_datagram_ioctl(s, cmd, arg, sizeof(struct udp_header));
}

static int
udp_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct inet_sock *sk = inet_sock_of(s);
	struct udp_sock *u = udp_of(sk);
	int v;

	if (level != SOL_UDP)
		return inet_setsockopt(s, level, name, val, len);
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case UDP_CORK:
		sock_lock(sk);
		u->cork = v;
		if (!v && u->pending) {
			struct packet *p = u->pending;

			u->pending = NULL;
			(void)udp_emit(sk, &u->pending_send, p);
			kfree(u->pending_send.options);
			u->pending_send.options = NULL;
		}
		sock_unlock(sk);
		return 0;
	case UDP_SEGMENT:
		if (v < 0 || v > 0xffff)
			return -EINVAL;
		u->gso_size = (u16)v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int
udp_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct udp_sock *u = udp_of(inet_sock_of(s));
	int v;

	if (level != SOL_UDP)
		return inet_getsockopt(s, level, name, val, len);
	switch (name) {
	case UDP_CORK: v = u->cork; break;
	case UDP_SEGMENT: v = u->gso_size; break;
	default: return -ENOPROTOOPT;
	}
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

static void
udp_release(struct socket *s)
{
	struct inet_sock *sk = inet_sock_of(s);

	pending_drop(udp_of(sk));
	tuple_leave(udp_of(sk));
	port_leave(sk);
	inet_port_release(&udp_ports, sk);
	inet_sock_detach(sk);
	/* A net section that found sk before may still add a packet: the last one of those who hold
	 * it, or the grace period, comes after. */
	rcu_read_lock();
	packet_queue_purge(&sk->receive_queue);
	rcu_read_unlock();
	inet_sock_put(sk);
}

static int
udp_sock_init(struct inet_sock *sk)
{
	hlist_node_init(&udp_of(sk)->tuple_node);
	return 0;
}

/* Two sockets with SO_REUSEADDR share a port freely: what listens does not matter to UDP. */
static bool
udp_port_conflict(const struct inet_sock *sk, const struct inet_sock *other)
{
	u32 both = inet_sock_opts(sk) & inet_sock_opts(other);

	if (!inet_bind_overlap(sk, other) || (both & SOCKOPT_REUSEADDR))
		return false;
	return !(both & SOCKOPT_REUSEPORT) || sk->uid != other->uid;
}

/* ---- what /proc/net/udp and NETLINK_SOCK_DIAG tell ---- */

void
udp_diag_for_each(inet_diag_visit *visit, void *ctx)
{
	bool enough = false;

	for (u32 i = 0; i < 1u << HASH_BITS && !enough; i++) {
		struct inet_sock *sk;

		rcu_read_lock();
		hlist_for_each_entry_rcu(sk, &by_port[i].socks, hash_node)
		{
			struct inet_diag d;

			inet_diag_fill(&d, sk);
			enough = visit(&d, ctx);
			if (enough)
				break;
		}
		rcu_read_unlock();
	}
}

static const struct socket_ops udp_ops = {
	.family = AF_INET,
	.bind = udp_bind,
	.connect = udp_connect,
	.getname = inet_getname,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.shutdown = udp_shutdown,
	.poll = inet_datagram_poll,
	.ioctl = udp_ioctl,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.release = udp_release,
};

static struct inet_socket_type udp_type = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_UDP,
	.is_default = true,
	.sock_size = sizeof(struct udp_sock),
	.ops = &udp_ops,
	.init = udp_sock_init,
	.destroy = inet_datagram_destroy,
	.port_conflict = udp_port_conflict,
};

static const struct inet_protocol udp_protocol = {
	.protocol = IPPROTO_UDP,
	.receive = udp_receive,
	.error = udp_error,
};

void
udp_init(void)
{
	for (u32 i = 0; i < 1u << HASH_BITS; i++) {
		spin_init(&by_port[i].lock, RANK_INET_HASH);
		spin_init(&by_tuple[i].lock, RANK_INET_HASH);
	}
	port_table_init(&udp_ports, "udp", HASH_BITS);
	inet_socket_type_register(&udp_type);
	inet_protocol_register(&udp_protocol);
}
