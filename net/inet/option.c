/* SPDX-License-Identifier: MIT */
/*
 * setsockopt(2) and getsockopt(2) at SOL_IP and SOL_IPV6, and what net/socket leaves of SOL_SOCKET:
 * ip(7), ipv6(7), socket(7).
 */
#include "inet_internal.h"
#include "mm/slab.h"
#include "net/inet/diag.h"
#include "task/cred.h"
#include "uapi/errno.h"

#define IP_PASSSEC	     18
#define IP_MINTTL	     21
#define IP_NODEFRAG	     22
#define IP_CHECKSUM	     23
#define IP_RECVFRAGSIZE	     25
#define IP_RECVERR_RFC4884   26
#define IP_RECVORIGDSTADDR   20
#define IPV6_ADDRFORM	     1
#define IPV6_2292PKTINFO     2
#define IPV6_2292HOPLIMIT    8
#define IPV6_UNICAST_IF	     76
#define IP_UNICAST_IF	     50
#define IPV6_RECVERR_RFC4884 31
#define IPV6_FREEBIND	     78
#define IPV6_TRANSPARENT     75
#define IPV6_AUTOFLOWLABEL   70
#define IPV6_MULTICAST_ALL   29
#define IPV6_DONTFRAG	     62

/* ---- SOL_SOCKET ---- */

static int
bind_device(struct inet_sock *sk, const void *val, u32 len)
{
	char name[IFNAMSIZ] = "";
	u32 ifindex = 0;

	if (sk->bound_ifindex && !capable(CAP_NET_RAW))
		return -EPERM;
	memcpy(name, val, MIN(len, (u32)IFNAMSIZ - 1));
	if (name[0]) {
		struct net_device *dev = net_device_find_by_name(sk->net, name);

		if (!dev)
			return -ENODEV;
		ifindex = dev->ifindex;
		net_device_put(dev);
	}
	sock_lock(sk);
	sk->bound_ifindex = ifindex;
	sk->route.dev = NULL;
	sock_unlock(sk);
	return 0;
}

static int
filter_set(struct inet_sock *sk, struct socket_filter *f)
{
	struct socket_filter *old;

	sock_lock(sk);
	if (sk->filter_locked) {
		sock_unlock(sk);
		filter_free(f);
		return -EPERM;
	}
	old = sk->filter;
	rcu_assign_pointer(sk->filter, f);
	sock_unlock(sk);
	filter_free(old);
	return old || f ? 0 : -ENOENT;
}

static int
set_socket(struct inet_sock *sk, int name, const void *val, u32 len)
{
	struct socket_filter *f;
	int v = 0, r;

	switch (name) {
	case SO_BINDTODEVICE: return bind_device(sk, val, len);
	case SO_ATTACH_FILTER: r = filter_create(val, len, &f); return r ? r : filter_set(sk, f);
	case SO_DETACH_FILTER: return filter_set(sk, NULL);
	}
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case SO_NO_CHECK: sk->no_check = v; return 0;
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW: sk->ts_ns = v; return 0;
	case SO_TIMESTAMP_NEW:
		sk->socket->opts = v ? sk->socket->opts | SOCKOPT_TIMESTAMP
				     : sk->socket->opts & ~(u32)SOCKOPT_TIMESTAMP;
		return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		if (v & ~0x1ffff)
			return -EINVAL;
		sk->timestamping_flags = (u32)v;
		sk->timestamping = v & BIT(3); /* ..._RX_SOFTWARE */
		return 0;
	case SO_RXQ_OVFL: sk->rxq_ovfl = v; return 0;
	case SO_PEEK_OFF:
		if (sk->type != SOCK_DGRAM)
			return -EOPNOTSUPP;
		sk->peek_off = v;
		return 0;
	case SO_LOCK_FILTER:
		if (sk->filter_locked && !v)
			return -EPERM;
		sk->filter_locked = v;
		return 0;
	case SO_DEBUG: return capable(CAP_NET_ADMIN) || !v ? 0 : -EACCES;
	}
	return -ENOPROTOOPT;
}

static int
get_socket(struct inet_sock *sk, int name, void *val, u32 *len)
{
	int v;

	switch (name) {
	case SO_BINDTODEVICE: {
		struct net_device *dev;

		*len = 0;
		if (!sk->bound_ifindex)
			return 0;
		dev = net_device_find_by_index(sk->net, sk->bound_ifindex);
		if (!dev)
			return -ENODEV;
		memset(val, 0, IFNAMSIZ);
		strscpy(val, dev->name, IFNAMSIZ);
		net_device_put(dev);
		*len = IFNAMSIZ;
		return 0;
	}
	case SO_NO_CHECK: v = sk->no_check; break;
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW: v = sk->ts_ns; break;
	case SO_TIMESTAMP_NEW: v = !!(sk->socket->opts & SOCKOPT_TIMESTAMP); break;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW: v = (int)sk->timestamping_flags; break;
	case SO_RXQ_OVFL: v = sk->rxq_ovfl; break;
	case SO_PEEK_OFF: v = sk->peek_off; break;
	case SO_LOCK_FILTER: v = sk->filter_locked; break;
	case SO_ACCEPTCONN: v = sk->state == TCP_LISTEN; break;
	case SO_BSDCOMPAT:
	case SO_DEBUG: v = 0; break;
	case SO_INCOMING_CPU: v = -1; break;
	case SO_COOKIE: {
		u64 cookie = inet_sock_cookie(sk->net, sk);

		memcpy(val, &cookie, sizeof(cookie));
		*len = sizeof(cookie);
		return 0;
	}
	case SO_MEMINFO: {
		u32 info[9] = { (u32)atomic_read(&sk->rmem), sk->socket->rcvbuf,
				(u32)atomic_read(&sk->wmem), sk->socket->sndbuf };

		info[8] = (u32)atomic_read(&sk->drops);
		memcpy(val, info, sizeof(info));
		*len = sizeof(info);
		return 0;
	}
	default: return -ENOPROTOOPT;
	}
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

/* ---- SOL_IP ---- */

static int
set_flag(struct inet_sock *sk, u32 flag, int v)
{
	sk->cmsg_flags = v ? sk->cmsg_flags | flag : sk->cmsg_flags & ~flag;
	return 0;
}

static int
multicast_if(struct inet_sock *sk, const void *val, u32 len)
{
	struct linux_ip_mreqn m = { 0 };
	struct ip_addr source = ip_addr4(0);
	u32 ifindex = 0;
	int r = 0;

	if (len >= sizeof(m))
		memcpy(&m, val, sizeof(m));
	else if (len >= 8)
		memcpy(&m, val, 8);
	else if (len >= 4)
		memcpy(&m.imr_address, val, 4);
	else
		return -EINVAL;
	rcu_read_lock();
	if (m.imr_ifindex) {
		struct net_device *dev = net_device_peek_by_index(sk->net, (u32)m.imr_ifindex);

		if (dev)
			ifindex = dev->ifindex;
		else
			r = -EADDRNOTAVAIL;
	} else if (m.imr_address.s_addr) {
		struct ip_addr a = ip_addr4(m.imr_address.s_addr);
		const struct inet_addr *e = inet_address_peek(sk->net, &a, NULL);

		if (e) {
			ifindex = e->dev->ifindex;
			source = a;
		} else {
			r = -EADDRNOTAVAIL;
		}
	}
	rcu_read_unlock();
	if (r)
		return r;
	if (m.imr_ifindex && m.imr_address.s_addr)
		source = ip_addr4(m.imr_address.s_addr);
	sk->mc_ifindex = ifindex;
	sk->mc_source = source;
	return 0;
}

static int
options_set(struct inet_sock *sk, const void *val, u32 len)
{
	struct inet_options *o, *old;
	int r = inet_options_parse(val, len, &o);

	if (r)
		return r;
	sock_lock(sk);
	old = sk->options;
	rcu_assign_pointer(sk->options, o);
	sock_unlock(sk);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static int
set_ip(struct inet_sock *sk, int name, const void *val, u32 len)
{
	int v = 0, r;

	switch (name) {
	case IP_OPTIONS: return options_set(sk, val, len);
	case IP_MULTICAST_IF: return multicast_if(sk, val, len);
	}
	r = inet_mc_option(sk, SOL_IP, name, val, len);
	if (r != -ENOPROTOOPT)
		return r;
	/* Many are given as a byte as well as an int. */
	if (len >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	else if (len >= 1)
		v = *(const u8 *)val;
	switch (name) {
	case IP_TOS:
		if (sk->type == SOCK_STREAM)
			v = (v & ~3) | (sk->tos & 3); /* ECN is TCP's */
		sk->tos = (u8)v;
		sk->route.dev = NULL;
		return 0;
	case IP_TTL:
		if (len < 1 || (v != -1 && (v < 1 || v > 255)))
			return -EINVAL;
		sk->ttl = (s16)v;
		return 0;
	case IP_HDRINCL:
		if (sk->type != SOCK_RAW)
			return -ENOPROTOOPT;
		sk->hdrincl = v;
		return 0;
	case IP_NODEFRAG:
		if (sk->type != SOCK_RAW)
			return -ENOPROTOOPT;
		sk->nodefrag = v;
		return 0;
	case IP_PKTINFO: return set_flag(sk, INET_CMSG_PKTINFO, v);
	case IP_RECVTTL: return set_flag(sk, INET_CMSG_TTL, v);
	case IP_RECVTOS: return set_flag(sk, INET_CMSG_TOS, v);
	case IP_RECVOPTS: return set_flag(sk, INET_CMSG_OPTS, v);
	case IP_RECVORIGDSTADDR: return set_flag(sk, INET_CMSG_ORIGDST, v);
	case IP_MTU_DISCOVER:
		if (v < IP_PMTUDISC_DONT || v > 5)
			return -EINVAL;
		sk->pmtu_discover = (u8)v;
		return 0;
	case IP_RECVERR:
		sk->recverr = v;
		if (!v)
			packet_queue_purge(&sk->error_queue);
		return 0;
	case IP_MULTICAST_TTL:
		if (sk->type == SOCK_STREAM || len < 1)
			return -EINVAL;
		if (v == -1)
			v = 1;
		if (v < 0 || v > 255)
			return -EINVAL;
		sk->mc_ttl = (u8)v;
		return 0;
	case IP_MULTICAST_LOOP:
		if (len < 1)
			return -EINVAL;
		sk->mc_loop = v;
		return 0;
	case IP_MULTICAST_ALL:
		if (len < 1 || (v != 0 && v != 1))
			return -EINVAL;
		sk->mc_all = v;
		return 0;
	case IP_FREEBIND:
		if (len < 1)
			return -EINVAL;
		sk->freebind = v;
		return 0;
	case IP_TRANSPARENT:
		if (v && !capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		sk->transparent = v;
		return 0;
	case IP_BIND_ADDRESS_NO_PORT: sk->bind_no_port = v; return 0;
	}
	return -ENOPROTOOPT;
}

static int
get_ip(struct inet_sock *sk, int name, void *val, u32 *len)
{
	int v;

	switch (name) {
	case IP_OPTIONS: {
		const struct inet_options *o;

		rcu_read_lock();
		o = rcu_dereference(sk->options);
		*len = o ? o->len : 0;
		if (o)
			memcpy(val, o->bytes, o->len);
		rcu_read_unlock();
		return 0;
	}
	case IP_MULTICAST_IF: {
		u32 a = ip_addr_get4(&sk->mc_source);

		memcpy(val, &a, sizeof(a));
		*len = sizeof(a);
		return 0;
	}
	case IP_TOS: v = sk->tos; break;
	case IP_TTL: v = sk->ttl < 0 ? sk->net->inet->default_ttl : sk->ttl; break;
	case IP_HDRINCL: v = sk->hdrincl; break;
	case IP_NODEFRAG: v = sk->nodefrag; break;
	case IP_PKTINFO: v = !!(sk->cmsg_flags & INET_CMSG_PKTINFO); break;
	case IP_RECVTTL: v = !!(sk->cmsg_flags & INET_CMSG_TTL); break;
	case IP_RECVTOS: v = !!(sk->cmsg_flags & INET_CMSG_TOS); break;
	case IP_RECVOPTS: v = !!(sk->cmsg_flags & INET_CMSG_OPTS); break;
	case IP_RECVORIGDSTADDR: v = !!(sk->cmsg_flags & INET_CMSG_ORIGDST); break;
	case IP_MTU_DISCOVER: v = sk->pmtu_discover; break;
	case IP_MTU:
		if (!sk->remote_port)
			return -ENOTCONN;
		net_begin();
		sock_bh_lock(sk);
		v = (int)inet_sock_mtu(sk);
		sock_bh_unlock(sk);
		net_end();
		if (!v)
			return -ENOTCONN;
		break;
	case IP_RECVERR: v = sk->recverr; break;
	case IP_MULTICAST_TTL: v = sk->mc_ttl; break;
	case IP_MULTICAST_LOOP: v = sk->mc_loop; break;
	case IP_MULTICAST_ALL: v = sk->mc_all; break;
	case IP_FREEBIND: v = sk->freebind; break;
	case IP_TRANSPARENT: v = sk->transparent; break;
	case IP_BIND_ADDRESS_NO_PORT: v = sk->bind_no_port; break;
	default: return -ENOPROTOOPT;
	}
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

/* ---- SOL_IPV6 ---- */

static int
set_ip6(struct inet_sock *sk, int name, const void *val, u32 len)
{
	int v, r = inet_mc_option(sk, SOL_IPV6, name, val, len);

	if (r != -ENOPROTOOPT)
		return r;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case IPV6_V6ONLY:
		if (sk->local_port || sk->port_bucket)
			return -EINVAL;
		sk->v6only = v;
		return 0;
	case IPV6_UNICAST_HOPS:
		if (v < -1 || v > 255)
			return -EINVAL;
		sk->hops = (s16)v;
		return 0;
	case IPV6_MULTICAST_HOPS:
		if (sk->type == SOCK_STREAM)
			return -ENOPROTOOPT;
		if (v < -1 || v > 255)
			return -EINVAL;
		sk->mc_hops = v == -1 ? 1 : (s16)v;
		return 0;
	case IPV6_MULTICAST_LOOP:
		if (v != 0 && v != 1)
			return -EINVAL;
		sk->mc_loop = v;
		return 0;
	case IPV6_MULTICAST_ALL: sk->mc_all = v; return 0;
	case IPV6_MULTICAST_IF:
		if (sk->type == SOCK_STREAM)
			return -ENOPROTOOPT;
		if (v) {
			struct net_device *dev = net_device_find_by_index(sk->net, (u32)v);

			if (!dev)
				return -ENODEV;
			net_device_put(dev);
			if (sk->bound_ifindex && sk->bound_ifindex != (u32)v)
				return -EINVAL;
		}
		sk->mc_ifindex = (u32)v;
		return 0;
	case IPV6_TCLASS:
		if (v < -1 || v > 255)
			return -EINVAL;
		sk->tclass = v < 0 ? 0 : (u8)v;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v < 0 || v > 5)
			return -EINVAL;
		sk->pmtu_discover6 = (u8)v;
		return 0;
	case IPV6_RECVERR:
		sk->recverr6 = v;
		if (!v)
			packet_queue_purge(&sk->error_queue);
		return 0;
	case IPV6_RECVPKTINFO: return set_flag(sk, INET_CMSG_PKTINFO6, v);
	case IPV6_2292PKTINFO: return set_flag(sk, INET_CMSG_2292PKTINFO, v);
	case IPV6_RECVHOPLIMIT: return set_flag(sk, INET_CMSG_HOPLIMIT, v);
	case IPV6_2292HOPLIMIT: return set_flag(sk, INET_CMSG_2292HOPLIMIT, v);
	case IPV6_RECVTCLASS: return set_flag(sk, INET_CMSG_TCLASS, v);
	case IPV6_FREEBIND: sk->freebind = v; return 0;
	case IPV6_TRANSPARENT:
		if (v && !capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		sk->transparent = v;
		return 0;
	case IPV6_DONTFRAG: sk->pmtu_discover6 = v ? IP_PMTUDISC_DO : IP_PMTUDISC_WANT; return 0;
	}
	return -ENOPROTOOPT;
}

static int
get_ip6(struct inet_sock *sk, int name, void *val, u32 *len)
{
	int v;

	switch (name) {
	case IPV6_V6ONLY: v = sk->v6only; break;
	case IPV6_UNICAST_HOPS: v = sk->hops < 0 ? 64 : sk->hops; break;
	case IPV6_MULTICAST_HOPS: v = sk->mc_hops < 0 ? 1 : sk->mc_hops; break;
	case IPV6_MULTICAST_LOOP: v = sk->mc_loop; break;
	case IPV6_MULTICAST_ALL: v = sk->mc_all; break;
	case IPV6_MULTICAST_IF: v = (int)sk->mc_ifindex; break;
	case IPV6_TCLASS: v = sk->tclass; break;
	case IPV6_MTU_DISCOVER: v = sk->pmtu_discover6; break;
	case IPV6_MTU: return get_ip(sk, IP_MTU, val, len);
	case IPV6_RECVERR: v = sk->recverr6; break;
	case IPV6_RECVPKTINFO: v = !!(sk->cmsg_flags & INET_CMSG_PKTINFO6); break;
	case IPV6_RECVHOPLIMIT: v = !!(sk->cmsg_flags & INET_CMSG_HOPLIMIT); break;
	case IPV6_2292PKTINFO: v = !!(sk->cmsg_flags & INET_CMSG_2292PKTINFO); break;
	case IPV6_2292HOPLIMIT: v = !!(sk->cmsg_flags & INET_CMSG_2292HOPLIMIT); break;
	case IPV6_RECVTCLASS: v = !!(sk->cmsg_flags & INET_CMSG_TCLASS); break;
	case IPV6_FREEBIND: v = sk->freebind; break;
	case IPV6_TRANSPARENT: v = sk->transparent; break;
	case IPV6_DONTFRAG: v = sk->pmtu_discover6 >= IP_PMTUDISC_DO; break;
	default: return -ENOPROTOOPT;
	}
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

int
inet_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct inet_sock *sk = inet_sock_of(s);

	switch (level) {
	case SOL_SOCKET: return set_socket(sk, name, val, len);
	case SOL_IP: return set_ip(sk, name, val, len);
	case SOL_IPV6: return sk->family == AF_INET6 ? set_ip6(sk, name, val, len) : -ENOPROTOOPT;
	}
	return -ENOPROTOOPT;
}

int
inet_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct inet_sock *sk = inet_sock_of(s);

	switch (level) {
	case SOL_SOCKET: return get_socket(sk, name, val, len);
	case SOL_IP: return get_ip(sk, name, val, len);
	case SOL_IPV6: return sk->family == AF_INET6 ? get_ip6(sk, name, val, len) : -ENOPROTOOPT;
	}
	return -EOPNOTSUPP;
}
