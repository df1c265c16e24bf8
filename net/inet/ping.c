/* SPDX-License-Identifier: MIT */
/*
 * Ping sockets: icmp(7), socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP). Echo requests out, their
 * replies in, for groups in net.ipv4.ping_group_range. The local "port" is the identifier of the
 * requests.
 */
#include "inet_internal.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/cred.h"
#include "uapi/errno.h"
#include "uapi/ioctl.h"
#include "uapi/packet.h"

#define ECHO_REQUEST  8
#define ECHO6_REQUEST 128
#define BUCKETS	      64

static struct port_table ids;
static struct {
	struct hlist_head socks;
	struct spinlock lock; /* RANK_INET_HASH */
} table[BUCKETS];

static void
ping_enter(struct inet_sock *sk)
{
	u32 i = sk->local_port % BUCKETS;

	spin_lock(&table[i].lock);
	if (hlist_unhashed(&sk->hash_node))
		hlist_add_head_rcu(&sk->hash_node, &table[i].socks);
	spin_unlock(&table[i].lock);
}

static struct inet_sock *
ping_lookup(const struct ip_addr *local, u16 id, u32 ifindex)
{
	struct inet_sock *sk;

	hlist_for_each_entry_rcu(sk, &table[id % BUCKETS].socks, hash_node)
	{
		if (sk->local_port == id && (sk->family == AF_INET) == ip_addr_is4(local) &&
		    (ip_addr_is_any(&sk->local) || ip_addr_equal(&sk->local, local)) &&
		    (!sk->bound_ifindex || sk->bound_ifindex == ifindex))
			return sk;
	}
	return NULL;
}

/* A reply: 0 when a ping socket took p over. */
int
ping_receive(struct packet *p)
{
	const struct icmp_header *h = (const struct icmp_header *)p->data;
	struct inet_sock *sk = ping_lookup(&inet_cb(p)->dst, ntohs(h->id), p->ifindex);

	if (!sk)
		return -ENOENT;
	(void)inet_queue_receive(sk, p);
	return 0;
}

void
ping_error(struct packet *p, const struct inet_error *e)
{
	const struct icmp_header *h = (const struct icmp_header *)p->data;
	struct inet_cb *cb = inet_cb(p);
	struct inet_sock *sk;

	if (h->type != (cb->v6 ? ECHO6_REQUEST : ECHO_REQUEST))
		return;
	sk = ping_lookup(&cb->src, ntohs(h->id), p->ifindex);
	if (!sk)
		return;
	if (cb->v6 ? sk->recverr6 : sk->recverr)
		inet_queue_error(sk, p, e, 0, 0);
	else if (!e->fatal || sk->state != TCP_ESTABLISHED)
		return;
	inet_sock_error(sk, e->error);
}

/* ping_group_range: may the program have such a socket? */
static bool
group_allowed(const struct inet_net *in)
{
	const struct cred *c = current_cred();
	u32 min = READ_ONCE(in->ping_group_min), max = READ_ONCE(in->ping_group_max);

	if (c->egid >= min && c->egid <= max)
		return true;
	for (u32 i = 0; c->groups && i < c->groups->count; i++)
		if (c->groups->gids[i] >= min && c->groups->gids[i] <= max)
			return true;
	return false;
}

static int
ping_sock_init(struct inet_sock *sk)
{
	return group_allowed(sk->net->inet) ? 0 : -EACCES;
}

static int
ping_bind(struct socket *s, const u8 *addr, u32 len)
{
	struct inet_sock *sk = inet_sock_of(s);
	int r;

	sock_lock(sk);
	r = inet_bind_common(s, addr, len, &ids);
	if (!r)
		ping_enter(sk);
	sock_unlock(sk);
	return r;
}

static int
identify(struct inet_sock *sk)
{
	int r = 0;

	sock_lock(sk);
	if (!sk->local_port) {
		r = inet_port_bind(&ids, sk, 0);
		if (!r)
			ping_enter(sk);
	}
	sock_unlock(sk);
	return r;
}

static ssize_t
ping_sendmsg(struct socket *socket, struct socket_msg *m)
{
	struct inet_sock *sk = inet_sock_of(socket);
	size_t len = iter_count(m->iter);
	struct icmp_header *h;
	struct inet_send s;
	struct packet *p;
	struct route r;
	bool v6 = sk->family == AF_INET6;
	int e;

	if (len > 0xffff)
		return -EMSGSIZE;
	if (len < sizeof(*h))
		return -EINVAL;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	e = inet_send_prepare(sk, m, &s);
	if (e)
		return e;
	s.port = sk->remote_port;
	e = identify(sk);
	if (!e)
		e = inet_send_alloc(sk, (u32)len, m->flags & MSG_DONTWAIT, &p);
	if (e)
		goto out;
	e = packet_append_iter(p, m->iter, (u32)len);
	if (!e)
		e = packet_linearize(p, GFP_KERNEL);
	h = (struct icmp_header *)p->data;
	if (!e && (h->type != (v6 ? ECHO6_REQUEST : ECHO_REQUEST) || h->code))
		e = -EINVAL;
	if (e) {
		packet_free(p);
		goto out;
	}
	packet_set_transport(p);
	h->id = htons(sk->local_port);
	h->check = 0;
	net_begin();
	e = inet_send_route(sk, &s, &r);
	if (!e && r.type == RTN_BROADCAST && !(socket->opts & SOCKOPT_BROADCAST))
		e = -EACCES;
	if (e) {
		packet_free(p);
	} else {
		u32 pseudo = v6 ? inet_pseudo_sum(&s.tx.src, &s.tx.dst, IPPROTO_ICMPV6, p->len) : 0;

		h->check = csum_fold(csum_bytes(h, p->len, pseudo));
		if (!v6)
			inet_count(IcmpOutEchos);
		inet_count(IcmpOutMsgs);
		packet_charge_send(sk, p);
		if (sk->pmtu_discover == IP_PMTUDISC_WANT)
			s.tx.may_fragment = true;
		e = inet_send(sk, p, &s.tx, &r);
	}
	net_end();
out:
	kfree(s.options);
	return e ? e : (ssize_t)len;
}

static ssize_t
ping_recvmsg(struct socket *socket, struct socket_msg *m)
{
	u32 whole;

	return inet_datagram_receive(inet_sock_of(socket), m, &whole);
}

static int
ping_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	int e = inet_datagram_connect(inet_sock_of(s), addr, len);

	return e ? e : identify(inet_sock_of(s));
}

static int
ping_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	struct inet_sock *sk = inet_sock_of(s);

	if (peer && sk->state != TCP_ESTABLISHED)
		return -ENOTCONN;
	*len = inet_addr_format(sk, peer ? &sk->remote : &sk->local, peer ? 0 : sk->local_port,
				sk->bound_ifindex, addr);
	return 0;
}

static void
ping_release(struct socket *s)
{
	struct inet_sock *sk = inet_sock_of(s);
	u32 i = sk->local_port % BUCKETS;

	if (sk->local_port) {
		spin_lock(&table[i].lock);
		hlist_del_init_rcu(&sk->hash_node);
		spin_unlock(&table[i].lock);
		inet_port_release(&ids, sk);
	}
	inet_sock_detach(sk);
	inet_sock_put(sk);
}

/* Identifiers are no ports: any number may be asked for. */
static bool
ping_port_conflict(const struct inet_sock *sk, const struct inet_sock *other)
{
	return inet_bind_overlap(sk, other) &&
	       !(inet_sock_opts(sk) & inet_sock_opts(other) & SOCKOPT_REUSEADDR);
}

static const struct socket_ops ping_ops = {
	.family = AF_INET,
	.bind = ping_bind,
	.connect = ping_connect,
	.getname = ping_getname,
	.sendmsg = ping_sendmsg,
	.recvmsg = ping_recvmsg,
	.shutdown = inet_datagram_shutdown,
	.poll = inet_datagram_poll,
	.ioctl = inet_ioctl,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.release = ping_release,
};

static struct inet_socket_type ping_type = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_ICMP,
	.sock_size = sizeof(struct inet_sock),
	.ops = &ping_ops,
	.init = ping_sock_init,
	.destroy = inet_datagram_destroy,
	.port_conflict = ping_port_conflict,
};
static struct inet_socket_type ping6_type = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_ICMPV6,
	.sock_size = sizeof(struct inet_sock),
	.ops = &ping_ops,
	.init = ping_sock_init,
	.destroy = inet_datagram_destroy,
	.port_conflict = ping_port_conflict,
};

void
ping_init(void)
{
	for (u32 i = 0; i < BUCKETS; i++)
		spin_init(&table[i].lock, RANK_INET_HASH);
	port_table_init(&ids, "ping", 8);
	inet_socket_type_register(&ping_type);
	inet_socket_type_register(&ping6_type);
}
