/* SPDX-License-Identifier: MIT */
/*
 * What comes with datagrams: destinations and control messages of sendmsg, control messages for
 * recvmsg, and the queue of errors (IP_RECVERR): ip(7), ipv6(7), cmsg(3).
 */
#include "core/time.h"
#include "inet_internal.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "task/cred.h"
#include "uapi/errno.h"
#include "uapi/packet.h"
#include "uapi/time.h"
#include "uapi/timespec.h"

#define IP_RECVORIGDSTADDR 20
#define IPV6_2292PKTINFO   2
#define IPV6_2292HOPLIMIT  8
#define IPV6_FLOWINFO	   11
#define UDP_SEGMENT	   103

/* ---- sending ---- */

int
inet_options_parse(const void *val, u32 len, struct inet_options **out)
{
	struct inet_options *o;
	const u8 *p = val;

	*out = NULL;
	if (!len)
		return 0;
	if (len > 40)
		return -EINVAL;
	for (u32 i = 0; i < len && p[i];) {
		u32 n = p[i] == 1 ? 1 : i + 1 < len ? p[i + 1] : 0;

		if (!n || i + n > len || (p[i] != 1 && n < 2))
			return -EINVAL;
		/* Source routes send packets astray: RFC 7126 4.3. */
		if (p[i] == 0x83 || p[i] == 0x89)
			return -EPERM;
		i += n;
	}
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		return -ENOMEM;
	memcpy(o->bytes, val, len);
	o->len = (u8)ALIGN_UP(len, 4u);
	*out = o;
	return 0;
}

static int
cmsg_ip(struct inet_sock *sk, struct inet_send *s, int type, const void *data, u32 len)
{
	struct linux_in_pktinfo info;
	int v;

	switch (type) {
	case IP_PKTINFO:
		if (len != sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		if (info.ipi_ifindex)
			s->tx.oif = (u32)info.ipi_ifindex;
		if (info.ipi_spec_dst.s_addr) {
			s->tx.src = ip_addr4(info.ipi_spec_dst.s_addr);
			s->has_source = true;
		}
		return 0;
	case IP_TTL:
		if (len != sizeof(v))
			return -EINVAL;
		memcpy(&v, data, sizeof(v));
		if (v < 1 || v > 255)
			return -EINVAL;
		s->tx.ttl = (s16)v;
		return 0;
	case IP_TOS:
		if (len == 1) {
			s->tx.tos = *(const u8 *)data;
			return 0;
		}
		if (len != sizeof(v))
			return -EINVAL;
		memcpy(&v, data, sizeof(v));
		if (v < 0 || v > 255)
			return -EINVAL;
		s->tx.tos = (u8)v;
		return 0;
	case IP_RETOPTS:
		kfree(s->options);
		s->options = NULL;
		return inet_options_parse(data, len, &s->options);
	}
	return -EINVAL;
}

static int
cmsg_ip6(struct inet_sock *sk, struct inet_send *s, int type, const void *data, u32 len)
{
	struct linux_in6_pktinfo info;
	int v;

	switch (type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		if (len < sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		if (info.ipi6_ifindex)
			s->tx.oif = (u32)info.ipi6_ifindex;
		memcpy(&s->tx.src, &info.ipi6_addr, 16);
		s->has_source = !ip_addr_is_any(&s->tx.src);
		return 0;
	case IPV6_HOPLIMIT:
	case IPV6_TCLASS:
		if (len != sizeof(v))
			return -EINVAL;
		memcpy(&v, data, sizeof(v));
		if (v < -1 || v > 255)
			return -EINVAL;
		if (type == IPV6_HOPLIMIT)
			s->tx.ttl = (s16)v;
		else
			s->tx.tos = v < 0 ? 0 : (u8)v;
		return 0;
	}
	return -EINVAL;
}

int
inet_send_cmsgs(struct inet_sock *sk, struct socket_msg *m, struct inet_send *s)
{
	const u8 *at = m->control;
	size_t left = m->control_len;

	while (left >= sizeof(struct linux_cmsghdr)) {
		struct linux_cmsghdr h;
		const void *data = at + sizeof(h);
		u32 len;
		int r = 0;

		memcpy(&h, at, sizeof(h));
		if (h.cmsg_len < sizeof(h) || h.cmsg_len > left)
			return -EINVAL;
		len = (u32)(h.cmsg_len - sizeof(h));
		if (h.cmsg_level == SOL_SOCKET) {
			if (h.cmsg_type == SO_MARK && len == 4 && capable(CAP_NET_ADMIN))
				memcpy(&s->tx.mark, data, 4);
			else if (h.cmsg_type != SO_TIMESTAMPING_OLD && h.cmsg_type != SCM_RIGHTS &&
				 h.cmsg_type != SCM_CREDENTIALS)
				r = -EINVAL;
		} else if (h.cmsg_level == SOL_IP) {
			r = cmsg_ip(sk, s, h.cmsg_type, data, len);
		} else if (h.cmsg_level == SOL_IPV6 && sk->family == AF_INET6) {
			r = cmsg_ip6(sk, s, h.cmsg_type, data, len);
		} else if (h.cmsg_level == SOL_UDP && h.cmsg_type == UDP_SEGMENT) {
			if (len != 2)
				return -EINVAL;
			memcpy(&s->gso_size, data, 2);
		}
		if (r)
			return r;
		size_t step = MIN(CMSG_ALIGN(h.cmsg_len), left);
		at += step;
		left -= step;
	}
	return 0;
}

int
inet_send_prepare(struct inet_sock *sk, struct socket_msg *m, struct inet_send *s)
{
	struct socket *socket = sk->socket;
	bool v4;
	int r;

	memset(s, 0, sizeof(*s));
	s->tx.protocol = sk->protocol;
	s->tx.src = sk->local;
	s->tx.oif = sk->bound_ifindex;
	s->tx.mark = socket->mark;
	s->tx.priority = socket->priority;
	s->tx.flow_label = sk->flow_label;
	s->tx.options = rcu_dereference(sk->options);
	if (m->addr && m->addr_len) {
		r = inet_addr_parse(sk, m->addr, m->addr_len, &s->tx.dst, &s->port, &s->scope);
		if (r)
			return r;
		if (s->scope && !s->tx.oif)
			s->tx.oif = s->scope;
	} else {
		if (!sk->remote_port && sk->state != TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		s->tx.dst = sk->remote;
		s->port = sk->remote_port;
	}
	v4 = ip_addr_is4(&s->tx.dst);
	if (v4 && sk->family == AF_INET6 && sk->v6only)
		return -ENETUNREACH;
	if (v4) {
		bool group = ipv4_is_multicast(ip_addr_get4(&s->tx.dst));

		s->tx.tos = sk->tos;
		s->tx.ttl = group ? sk->mc_ttl : sk->ttl;
		s->tx.df = sk->pmtu_discover != IP_PMTUDISC_DONT;
		if (group && !s->tx.oif)
			s->tx.oif = sk->mc_ifindex;
		if (group && ip_addr_is_any(&s->tx.src) && ip_addr_get4(&sk->mc_source))
			s->tx.src = sk->mc_source;
	} else {
		bool group = s->tx.dst.b[0] == 0xff;

		s->tx.tos = sk->tclass;
		s->tx.ttl = group ? sk->mc_hops : sk->hops;
		s->tx.df = sk->pmtu_discover6 >= IP_PMTUDISC_DO;
		s->tx.may_fragment = sk->pmtu_discover6 < IP_PMTUDISC_DO;
		if (group && !s->tx.oif)
			s->tx.oif = sk->mc_ifindex;
	}
	s->confirm = m->flags & MSG_CONFIRM;
	s->dontroute = (m->flags & MSG_DONTROUTE) || (socket->opts & SOCKOPT_DONTROUTE);
	if (unlikely(m->control_len)) {
		r = inet_send_cmsgs(sk, m, s);
		if (r) {
			kfree(s->options);
			s->options = NULL;
			return r;
		}
		if (s->options)
			s->tx.options = s->options;
	}
	return 0;
}

int
inet_send_route(struct inet_sock *sk, struct inet_send *s, struct route *r)
{
	struct flow f;
	int e;

	/* A connected sock's way, kept with it. */
	if (sk->remote_port && s->port == sk->remote_port && s->tx.oif == sk->bound_ifindex &&
	    !s->has_source && ip_addr_equal(&s->tx.dst, &sk->remote)) {
		sock_bh_lock(sk);
		e = inet_sock_route(sk);
		if (!e)
			*r = sk->route;
		sock_bh_unlock(sk);
		if (!e)
			s->tx.src = ip_addr_is_any(&sk->local) ? r->source : sk->local;
		return e;
	}
	f = (struct flow){ .dst = s->tx.dst,
			   .src = s->tx.src,
			   .oif = s->tx.oif,
			   .mark = s->tx.mark,
			   .tos = s->tx.tos,
			   .protocol = s->tx.protocol,
			   .src_port = sk->local_port,
			   .dst_port = s->port,
			   .flow_label = s->tx.flow_label,
			   .uid = sk->uid };
	if (ip_addr_is4(&f.dst) && !ip_addr_is4(&f.src))
		f.src = ip_addr4(0);
	if (s->has_source && !sk->freebind && !sk->transparent &&
	    !inet_addr_is_local(sk->net, &f.src))
		return -EINVAL;
	e = inet_route_output(sk->net, &f, r);
	if (e)
		return e;
	if (s->dontroute && r->has_gateway)
		return -ENETUNREACH;
	s->tx.src = r->source;
	/* 0.0.0.0 means this host. */
	if (!ip_addr_get4(&s->tx.dst) && ip_addr_is4(&s->tx.dst))
		s->tx.dst = r->gateway;
	return 0;
}

/* ---- receiving ---- */

static int
put_timestamp(struct inet_sock *sk, struct packet *p, struct socket_msg *m)
{
	u64 t = p->tstamp;
	int r = 0;

	if (!t)
		return 0;
	if (sk->ts_ns) {
		struct linux_timespec ts = { .tv_sec = (s64)(t / NSEC_PER_SEC),
					     .tv_nsec = (s64)(t % NSEC_PER_SEC) };

		r = socket_put_cmsg(m, SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof(ts));
	} else if (sk->socket->opts & SOCKOPT_TIMESTAMP) {
		struct linux_timeval tv = { .tv_sec = (s64)(t / NSEC_PER_SEC),
					    .tv_usec = (s64)(t % NSEC_PER_SEC / 1000) };

		r = socket_put_cmsg(m, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
	}
	if (!r && sk->timestamping && (sk->timestamping_flags & BIT(4))) { /* ..._SOFTWARE */
		struct linux_timespec ts[3] = { { .tv_sec = (s64)(t / NSEC_PER_SEC),
						  .tv_nsec = (s64)(t % NSEC_PER_SEC) } };

		r = socket_put_cmsg(m, SOL_SOCKET, SO_TIMESTAMPING, ts, sizeof(ts));
	}
	return r;
}

int
inet_put_cmsgs(struct inet_sock *sk, struct packet *p, struct socket_msg *m)
{
	struct inet_cb *cb = inet_cb(p);
	u32 flags = sk->cmsg_flags;
	int r = 0, v;

	if (p->tstamp)
		r = put_timestamp(sk, p, m);
	if (likely(!flags) || r) {
		if (!r && sk->rxq_ovfl) {
			u32 drops = (u32)atomic_read(&sk->drops);

			r = socket_put_cmsg(m, SOL_SOCKET, SO_RXQ_OVFL, &drops, sizeof(drops));
		}
		return r;
	}
	if (flags & INET_CMSG_PKTINFO && !cb->v6) {
		struct linux_in_pktinfo info = { .ipi_ifindex = (s32)p->ifindex,
						 .ipi_addr = { ip_addr_get4(&cb->dst) },
						 .ipi_spec_dst = { ip_addr_get4(&cb->dst) } };

		if (p->pkt_type != PACKET_HOST) {
			struct net_device *dev;

			rcu_read_lock();
			dev = net_device_peek_by_index(sk->net, p->ifindex);
			if (dev) {
				struct ip_addr a = inet_address_select(dev, &cb->src,
								       RT_SCOPE_LINK);

				info.ipi_spec_dst.s_addr = ip_addr_get4(&a);
			}
			rcu_read_unlock();
		}
		r = socket_put_cmsg(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (!r && flags & INET_CMSG_TTL && !cb->v6) {
		v = cb->ttl;
		r = socket_put_cmsg(m, SOL_IP, IP_TTL, &v, sizeof(v));
	}
	if (!r && flags & INET_CMSG_TOS && !cb->v6)
		r = socket_put_cmsg(m, SOL_IP, IP_TOS, &cb->tos, 1);
	if (!r && flags & INET_CMSG_OPTS && !cb->v6 && cb->header_len > 20)
		r = socket_put_cmsg(m, SOL_IP, IP_OPTIONS, (u8 *)packet_network(p) + 20,
				    cb->header_len - 20u);
	if (!r && flags & INET_CMSG_ORIGDST && !cb->v6) {
		struct linux_sockaddr_in sin = { .sin_family = AF_INET,
						 .sin_addr = { ip_addr_get4(&cb->dst) } };

		if (sk->protocol == IPPROTO_UDP)
			sin.sin_port = ((struct udp_header *)packet_transport(p))->dst_port;
		r = socket_put_cmsg(m, SOL_IP, IP_RECVORIGDSTADDR, &sin, sizeof(sin));
	}
	if (!r && flags & (INET_CMSG_PKTINFO6 | INET_CMSG_2292PKTINFO)) {
		struct linux_in6_pktinfo info = { .ipi6_ifindex = (s32)p->ifindex };

		memcpy(&info.ipi6_addr, &cb->dst, 16);
		if (flags & INET_CMSG_PKTINFO6)
			r = socket_put_cmsg(m, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
		if (!r && flags & INET_CMSG_2292PKTINFO)
			r = socket_put_cmsg(m, SOL_IPV6, IPV6_2292PKTINFO, &info, sizeof(info));
	}
	v = cb->ttl;
	if (!r && flags & INET_CMSG_HOPLIMIT)
		r = socket_put_cmsg(m, SOL_IPV6, IPV6_HOPLIMIT, &v, sizeof(v));
	if (!r && flags & INET_CMSG_2292HOPLIMIT)
		r = socket_put_cmsg(m, SOL_IPV6, IPV6_2292HOPLIMIT, &v, sizeof(v));
	if (!r && flags & INET_CMSG_TCLASS) {
		v = cb->tos;
		r = socket_put_cmsg(m, SOL_IPV6, IPV6_TCLASS, &v, sizeof(v));
	}
	return r;
}

/* ---- the error queue ---- */

struct error_cb { /* packet->cb of a queued error; packet->hash is the port it was for */
	struct linux_sock_extended_err ee;
	struct ip_addr to; /* that the failed packet was for */
	struct ip_addr offender;
};
STATIC_ASSERT(sizeof(struct error_cb) <= 48);

void
inet_queue_error(struct inet_sock *sk, struct packet *p, const struct inet_error *e, u16 port,
		 u32 payload_offset)
{
	u32 len = p && p->len > payload_offset ? p->len - payload_offset : 0;
	struct packet *q;

	if (sk->error_queue.count >= 256)
		return;
	q = packet_alloc(len, GFP_ATOMIC);
	if (!q)
		return;
	if (len)
		packet_copy_bits(p, payload_offset, packet_put(q, len), len);
	*(struct error_cb *)q->cb = (struct error_cb){
		.ee = { .ee_errno = (u32)e->error,
			.ee_origin = e->origin,
			.ee_type = e->type,
			.ee_code = e->code,
			.ee_info = e->info },
		.to = p ? inet_cb(p)->dst : sk->remote,
		.offender = e->offender,
	};
	q->hash = port;
	packet_charge_receive(sk, q);
	packet_queue_tail(&sk->error_queue, q);
	inet_sock_state_changed(sk);
}

ssize_t
inet_recv_error(struct inet_sock *sk, struct socket_msg *m)
{
	struct packet *p = packet_queue_take(&sk->error_queue), *next;
	struct {
		struct linux_sock_extended_err ee;
		union {
			struct linux_sockaddr_in s4;
			struct linux_sockaddr_in6 s6;
		} offender;
	} msg;
	struct error_cb *cb;
	bool v6;
	size_t n;
	int r;

	if (!p)
		return -EAGAIN;
	cb = (struct error_cb *)p->cb;
	n = MIN((size_t)p->len, iter_count(m->iter));
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;
	r = packet_copy_to_iter(p, 0, m->iter, (u32)n);
	if (!r) {
		if (m->addr)
			m->addr_len = inet_addr_format(sk, &cb->to, (u16)p->hash, 0, m->addr);
		v6 = !ip_addr_is4(&cb->to);
		memset(&msg, 0, sizeof(msg));
		msg.ee = cb->ee;
		if (cb->ee.ee_origin != SO_EE_ORIGIN_LOCAL && v6) {
			msg.offender.s6.sin6_family = AF_INET6;
			memcpy(&msg.offender.s6.sin6_addr, &cb->offender, 16);
		} else if (cb->ee.ee_origin != SO_EE_ORIGIN_LOCAL) {
			msg.offender.s4.sin_family = AF_INET;
			msg.offender.s4.sin_addr.s_addr = ip_addr_get4(&cb->offender);
		}
		r = v6 ? socket_put_cmsg(m, SOL_IPV6, IPV6_RECVERR, &msg,
					 sizeof(msg.ee) + sizeof(msg.offender.s6))
		       : socket_put_cmsg(m, SOL_IP, IP_RECVERR, &msg,
					 sizeof(msg.ee) + sizeof(msg.offender.s4));
	}
	m->out_flags |= MSG_ERRQUEUE;
	packet_free(p);
	/* SO_ERROR shows the next one, or nothing. */
	spin_lock(&sk->error_queue.lock);
	next = packet_queue_peek(&sk->error_queue);
	WRITE_ONCE(sk->socket->error, next ? (int)((struct error_cb *)next->cb)->ee.ee_errno : 0);
	spin_unlock(&sk->error_queue.lock);
	return r ? r : (ssize_t)n;
}
