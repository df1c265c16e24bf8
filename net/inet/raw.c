/* SPDX-License-Identifier: MIT */
/*
 * Raw sockets: raw(7). A packet for us goes, as a copy with its network header, to each raw socket
 * of its protocol that its addresses and device fit; ICMP_FILTER may refuse it. With IP_HDRINCL
 * (and for IPPROTO_RAW always) the program writes the IPv4 header; total length and checksum are
 * filled in, source and identification when they are zero.
 *
 * Sockets hang in a hash by protocol, read under RCU.
 */
#include "inet_internal.h"
#include "lib/format.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "net/inet/diag.h"
#include "uapi/errno.h"
#include "uapi/ioctl.h"
#include "uapi/packet.h"

#define ICMP_FILTER 1

struct raw_sock {
	struct inet_sock sk;
	u32 icmp_filter;     /* bit n: type n is refused */
	u32 icmp6_filter[8]; /* ICMP6_FILTER: bit set = refused */
	s32 checksum_offset; /* IPV6_CHECKSUM; -1: none */
};

static struct hlist_head socks[256];
static struct spinlock lock = SPINLOCK_INIT(RANK_INET_HASH);

static struct raw_sock *
raw_of(struct inet_sock *sk)
{
	return container_of(sk, struct raw_sock, sk);
}

/* ---- receiving ---- */

static bool
raw_matches(const struct inet_sock *sk, const struct inet_cb *cb, u32 ifindex)
{
	if (cb->v6 != (sk->family == AF_INET6) ||
	    (sk->bound_ifindex && sk->bound_ifindex != ifindex))
		return false;
	if (!ip_addr_is_any(&sk->local) && !ip_addr_equal(&sk->local, &cb->dst))
		return false;
	return ip_addr_is_any(&sk->remote) || ip_addr_equal(&sk->remote, &cb->src);
}

static bool
icmp_refused(const struct raw_sock *r, const struct packet *p, u8 protocol)
{
	u8 room, type;
	const u8 *at;

	if (protocol == IPPROTO_ICMP && !r->icmp_filter)
		return false;
	if (protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6)
		return false;
	at = packet_peek(p, 0, 1, &room);
	if (!at)
		return true;
	type = *at;
	if (protocol == IPPROTO_ICMP)
		return type < 32 && (r->icmp_filter >> type & 1);
	return r->icmp6_filter[type / 32] >> (type % 32) & 1;
}

static bool
checksum_wrong(const struct raw_sock *r, struct packet *p, const struct inet_cb *cb)
{
	return cb->v6 && r->checksum_offset >= 0 &&
	       !packet_csum_valid(p, inet_pseudo_sum(&cb->src, &cb->dst, cb->protocol, p->len));
}

bool
raw_receive(struct packet *p, u8 protocol)
{
	struct inet_cb *cb = inet_cb(p);
	struct inet_sock *sk;
	bool any = false;

	if (likely(hlist_empty(&socks[protocol])))
		return false;
	hlist_for_each_entry_rcu(sk, &socks[protocol], hash_node)
	{
		struct packet *c;

		if (!raw_matches(sk, cb, p->ifindex))
			continue;
		any = true;
		if (icmp_refused(raw_of(sk), p, protocol) || checksum_wrong(raw_of(sk), p, cb))
			continue;
		if (ip_addr_is_multicast(&cb->dst) &&
		    !inet_mc_wanted(sk, &cb->dst, &cb->src, p->ifindex))
			continue;
		/* A sender by loopback leaves the checksum open: programs want it filled in. */
		if (p->csum_state == CSUM_PARTIAL) {
			c = packet_copy(p, PACKET_HEADROOM, GFP_ATOMIC);
			if (c && packet_checksum_finish(c)) {
				packet_free(c);
				c = NULL;
			}
		} else {
			c = packet_clone(p, GFP_ATOMIC);
		}
		if (!c)
			continue;
		if (!cb->v6) /* IPv4 raw sockets see the header */
			packet_push(c, cb->header_len);
		(void)inet_queue_receive(sk, c);
	}
	return any;
}

void
raw_error(struct packet *p, u8 protocol, const struct inet_error *e)
{
	struct inet_cb *cb = inet_cb(p), back = *cb;
	struct inet_sock *sk;

	back.src = cb->dst;
	back.dst = cb->src;
	hlist_for_each_entry_rcu(sk, &socks[protocol], hash_node)
	{
		bool want = cb->v6 ? sk->recverr6 : sk->recverr;

		if (!raw_matches(sk, &back, p->ifindex))
			continue;
		if (want)
			inet_queue_error(sk, p, e, 0, 0);
		else if (!e->fatal || ip_addr_is_any(&sk->remote))
			continue;
		inet_sock_error(sk, e->error);
	}
}

static ssize_t
raw_recvmsg(struct socket *socket, struct socket_msg *m)
{
	u32 whole;
	ssize_t n = inet_datagram_receive(inet_sock_of(socket), m, &whole);

	return n >= 0 && whole && (m->flags & MSG_TRUNC) ? (ssize_t)whole : n;
}

/* ---- sending ---- */

/* The program's own header: p starts with it. In a net section. Takes over p. */
static int
send_with_header(struct inet_sock *sk, struct inet_send *s, struct packet *p, struct route *r)
{
	struct ipv4_header *h;
	u32 header;

	if (p->len < 20 || packet_headlen(p) < 20 || p->len > r->mtu) {
		int e = p->len > r->mtu ? -EMSGSIZE : -EINVAL;

		packet_free(p);
		return e;
	}
	h = (struct ipv4_header *)p->data;
	header = (h->version_ihl & 15u) * 4;
	if (header > p->len || header < 20 || packet_headlen(p) < header) {
		packet_free(p);
		return -EINVAL;
	}
	packet_set_network(p);
	p->transport_header = (u16)(p->network_header + header);
	if (!h->src)
		h->src = ip_addr_get4(&s->tx.src);
	h->total_len = htons((u16)p->len);
	if (!h->id)
		h->id = htons((u16)hash_mix(sk->net->hash_key.word[0], (u64)(uintptr_t)p));
	h->check = 0;
	h->check = csum_fold(csum_bytes(h, header, 0));
	p->protocol = ETH_P_IP;
	inet_count(IpOutRequests);
	return ip_finish(sk->net, p, r, false, sk);
}

static int
checksum_fill(struct raw_sock *raw, struct inet_send *s, struct packet *p)
{
	u32 at = (u32)raw->checksum_offset;
	u16 sum = 0;

	if (raw->checksum_offset < 0 || ip_addr_is4(&s->tx.dst))
		return 0;
	if (at + 2 > p->len)
		return -EINVAL;
	if (packet_linearize(p, GFP_ATOMIC))
		return -ENOBUFS;
	memcpy(p->data + at, &sum, 2);
	sum = csum_fold(packet_csum(
		p, 0, p->len, inet_pseudo_sum(&s->tx.src, &s->tx.dst, s->tx.protocol, p->len)));
	if (!sum && s->tx.protocol == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(p->data + at, &sum, 2);
	return 0;
}

static ssize_t
raw_sendmsg(struct socket *socket, struct socket_msg *m)
{
	struct inet_sock *sk = inet_sock_of(socket);
	size_t len = iter_count(m->iter);
	struct inet_send s;
	struct packet *p;
	struct route r;
	int e;

	if (len > 0xffff)
		return -EMSGSIZE;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	e = inet_send_prepare(sk, m, &s);
	if (e)
		return e;
	/* raw(7): the port names the protocol for IPv6's IPPROTO_RAW only; ignored. */
	s.port = sk->remote_port;
	e = inet_send_alloc(sk, (u32)MIN(len, (size_t)16384), m->flags & MSG_DONTWAIT, &p);
	if (e)
		goto out;
	e = packet_append_iter(p, m->iter, (u32)len);
	if (e) {
		packet_free(p);
		goto out;
	}
	net_begin();
	e = inet_send_route(sk, &s, &r);
	if (!e && r.type == RTN_BROADCAST && !(socket->opts & SOCKOPT_BROADCAST))
		e = -EACCES;
	if (!e)
		e = checksum_fill(raw_of(sk), &s, p);
	if (e) {
		packet_free(p);
	} else {
		packet_charge_send(sk, p);
		if (sk->hdrincl && ip_addr_is4(&s.tx.dst)) {
			e = send_with_header(sk, &s, p, &r);
		} else {
			packet_set_transport(p);
			if (sk->pmtu_discover == IP_PMTUDISC_WANT && len + 20 > r.mtu)
				s.tx.may_fragment = true;
			e = inet_send(sk, p, &s.tx, &r);
		}
		if (e == -ENOBUFS && !sk->recverr)
			e = 0;
	}
	net_end();
out:
	kfree(s.options);
	return e ? e : (ssize_t)len;
}

/* ---- names ---- */

static int
raw_bind(struct socket *s, const u8 *addr, u32 len)
{
	struct inet_sock *sk = inet_sock_of(s);
	u8 state = sk->state;
	int r;

	sock_lock(sk);
	sk->state = TCP_CLOSE;
	r = inet_bind_common(s, addr, len, NULL);
	sk->state = state;
	sk->port_locked = false;
	sock_unlock(sk);
	return r;
}

static int
raw_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	return inet_datagram_connect(inet_sock_of(s), addr, len);
}

static int
raw_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	struct inet_sock *sk = inet_sock_of(s);

	if (peer && sk->state != TCP_ESTABLISHED)
		return -ENOTCONN;
	*len = inet_addr_format(sk, peer ? &sk->remote : &sk->local, peer ? 0 : sk->protocol,
				sk->bound_ifindex, addr);
	return 0;
}

static long
raw_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	return inet_datagram_ioctl(s, cmd, arg, 0);
}

static int
raw_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct inet_sock *sk = inet_sock_of(s);
	struct raw_sock *r = raw_of(sk);

	if (level == SOL_RAW && name == ICMP_FILTER) {
		if (sk->protocol != IPPROTO_ICMP)
			return -EOPNOTSUPP;
		memcpy(&r->icmp_filter, val, MIN(len, (u32)sizeof(r->icmp_filter)));
		return 0;
	}
	if (level == SOL_ICMPV6 && name == ICMPV6_FILTER && sk->protocol == IPPROTO_ICMPV6) {
		memcpy(r->icmp6_filter, val, MIN(len, (u32)sizeof(r->icmp6_filter)));
		return 0;
	}
	if ((level == SOL_RAW || level == SOL_IPV6) && name == IPV6_CHECKSUM &&
	    sk->family == AF_INET6) {
		s32 v;

		if (len < sizeof(v))
			return -EINVAL;
		memcpy(&v, val, sizeof(v));
		if (sk->protocol == IPPROTO_ICMPV6 && level == SOL_IPV6)
			return -EINVAL;
		if (v > 0 && v & 1)
			return -EINVAL;
		r->checksum_offset = v < 0 ? -1 : v;
		return 0;
	}
	return inet_setsockopt(s, level, name, val, len);
}

static int
raw_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct raw_sock *r = raw_of(inet_sock_of(s));

	if (level == SOL_RAW && name == ICMP_FILTER) {
		if (r->sk.protocol != IPPROTO_ICMP)
			return -EOPNOTSUPP;
		memcpy(val, &r->icmp_filter, sizeof(r->icmp_filter));
		*len = sizeof(r->icmp_filter);
		return 0;
	}
	if (level == SOL_ICMPV6 && name == ICMPV6_FILTER) {
		memcpy(val, r->icmp6_filter, sizeof(r->icmp6_filter));
		*len = sizeof(r->icmp6_filter);
		return 0;
	}
	return inet_getsockopt(s, level, name, val, len);
}

static int
raw_sock_init(struct inet_sock *sk)
{
	struct raw_sock *r = raw_of(sk);

	sk->hdrincl = sk->protocol == IPPROTO_RAW && sk->family == AF_INET;
	r->checksum_offset = sk->protocol == IPPROTO_ICMPV6 ? 2 : -1;
	spin_lock(&lock);
	hlist_add_head_rcu(&sk->hash_node, &socks[sk->protocol]);
	spin_unlock(&lock);
	return 0;
}

static void
raw_release(struct socket *s)
{
	struct inet_sock *sk = inet_sock_of(s);

	spin_lock(&lock);
	hlist_del_init_rcu(&sk->hash_node);
	spin_unlock(&lock);
	inet_sock_detach(sk);
	inet_sock_put(sk);
}

void
raw_diag_for_each(inet_diag_visit *visit, void *ctx)
{
	bool enough = false;

	for (u32 i = 0; i < ARRAY_SIZE(socks) && !enough; i++) {
		struct inet_sock *sk;

		rcu_read_lock();
		hlist_for_each_entry_rcu(sk, &socks[i], hash_node)
		{
			struct inet_diag d;

			inet_diag_fill(&d, sk);
			d.local_port = sk->protocol; /* Linux's, for want of ports */
			enough = visit(&d, ctx);
			if (enough)
				break;
		}
		rcu_read_unlock();
	}
}

static const struct socket_ops raw_ops = {
	.family = AF_INET,
	.bind = raw_bind,
	.connect = raw_connect,
	.getname = raw_getname,
	.sendmsg = raw_sendmsg,
	.recvmsg = raw_recvmsg,
	.shutdown = inet_datagram_shutdown,
	.poll = inet_datagram_poll,
	.ioctl = raw_ioctl,
	.setsockopt = raw_setsockopt,
	.getsockopt = raw_getsockopt,
	.release = raw_release,
};

static struct inet_socket_type raw_type = {
	.type = SOCK_RAW,
	.protocol = 0,
	.sock_size = sizeof(struct raw_sock),
	.ops = &raw_ops,
	.init = raw_sock_init,
	.destroy = inet_datagram_destroy,
};

void
raw_init(void)
{
	inet_socket_type_register(&raw_type);
}
