/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses: bind(2), getsockname(2), and between struct sockaddr_in, sockaddr_in6 and
 * struct ip_addr.
 */
#include "inet_internal.h"
#include "task/cred.h"
#include "uapi/errno.h"

int
inet_addr_parse(const struct inet_sock *sk, const u8 *addr, u32 len, struct ip_addr *a, u16 *port,
		u32 *scope)
{
	u16 family;

	*scope = 0;
	if (len < (sk->family == AF_INET ? sizeof(struct linux_sockaddr_in) : sizeof(family)))
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (family == AF_INET6 && sk->family == AF_INET6) {
		struct linux_sockaddr_in6 s6;

		if (len < 24) /* without the scope: RFC 2133 */
			return -EINVAL;
		memset(&s6, 0, sizeof(s6));
		memcpy(&s6, addr, MIN(len, (u32)sizeof(s6)));
		memcpy(a, &s6.sin6_addr, 16);
		*port = ntohs(s6.sin6_port);
		if (!ip_addr_is4(a) && (ipv6_is_linklocal(a) || a->b[0] == 0xff))
			*scope = s6.sin6_scope_id;
		return 0;
	}
	if (family == AF_INET || (family == AF_UNSPEC && sk->family == AF_INET)) {
		struct linux_sockaddr_in s4;

		if (len < sizeof(s4))
			return -EINVAL;
		if (sk->family == AF_INET6 && sk->v6only)
			return -EAFNOSUPPORT;
		memcpy(&s4, addr, sizeof(s4));
		*a = ip_addr4(s4.sin_addr.s_addr);
		*port = ntohs(s4.sin_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

u32
inet_addr_format(const struct inet_sock *sk, const struct ip_addr *a, u16 port, u32 scope, u8 *addr)
{
	if (sk->family == AF_INET6) {
		struct linux_sockaddr_in6 s6 = { .sin6_family = AF_INET6,
						 .sin6_port = htons(port) };

		memcpy(&s6.sin6_addr, a, 16);
		if (!ip_addr_is4(a) &&
		    (ipv6_is_linklocal(a) || (a->b[0] == 0xff && (a->b[1] & 15) <= 2)))
			s6.sin6_scope_id = scope;
		memcpy(addr, &s6, sizeof(s6));
		return sizeof(s6);
	}
	struct linux_sockaddr_in s4 = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr = { ip_addr_get4(a) } };

	memcpy(addr, &s4, sizeof(s4));
	return sizeof(s4);
}

int
inet_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	struct inet_sock *sk = inet_sock_of(s);
	const struct ip_addr *a = &sk->local;
	struct ip_addr any = ip_addr4(0);
	u16 port = sk->local_port;

	if (peer) {
		if (!sk->remote_port || (sk->type == SOCK_STREAM &&
					 (sk->state == TCP_CLOSE || sk->state == TCP_SYN_SENT)))
			return -ENOTCONN;
		a = &sk->remote;
		port = sk->remote_port;
	}
	if (sk->family == AF_INET6 && ip_addr_equal(a, &any) && !peer && !sk->addr_locked)
		any = IP_ADDR_ANY6, a = &any;
	*len = inet_addr_format(sk, a, port, sk->bound_ifindex, addr);
	return 0;
}

/* May a socket be bound to a? */
static int
address_check(const struct inet_sock *sk, const struct ip_addr *a, u32 scope)
{
	u8 type;

	if (ip_addr_is_any(a))
		return 0;
	net_begin();
	type = inet_addr_type(sk->net, a, ip_addr_is4(a) ? 0 : scope);
	net_end();
	if (type == RTN_LOCAL || type == RTN_MULTICAST || type == RTN_BROADCAST)
		return type == RTN_LOCAL || sk->type != SOCK_STREAM ? 0 : -EADDRNOTAVAIL;
	return sk->freebind || sk->transparent || READ_ONCE(sk->net->inet->ip_nonlocal_bind)
		       ? 0
		       : -EADDRNOTAVAIL;
}

int
inet_bind_common(struct socket *s, const u8 *addr, u32 len, struct port_table *t)
{
	struct inet_sock *sk = inet_sock_of(s);
	struct ip_addr a;
	u32 scope;
	u16 port, family;
	int r;

	if (len < sizeof(family) || len < (sk->family == AF_INET6 ? 24u : 16u))
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (sk->family == AF_INET6 && family != AF_INET6)
		return -EAFNOSUPPORT;
	if (sk->family == AF_INET && family == AF_UNSPEC) {
		struct linux_sockaddr_in s4;

		/* As Linux: an address that is all zero does without the family. */
		memcpy(&s4, addr, sizeof(s4));
		if (s4.sin_addr.s_addr)
			return -EAFNOSUPPORT;
	}
	r = inet_addr_parse(sk, addr, len, &a, &port, &scope);
	if (r)
		return r;
	if (sk->family == AF_INET6 && sk->v6only && ip_addr_is4(&a))
		return -EINVAL;
	if (!ip_addr_is4(&a) && ipv6_is_linklocal(&a)) {
		if (scope && !sk->bound_ifindex)
			sk->bound_ifindex = scope;
		if (!sk->bound_ifindex)
			return -EINVAL;
		scope = sk->bound_ifindex;
	}
	r = address_check(sk, &a, scope);
	if (r)
		return r;
	if (t && port && port < READ_ONCE(sk->net->inet->unprivileged_port_start) &&
	    !capable(CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (sk->local_port && t)
		return -EINVAL;
	if (sk->state != TCP_CLOSE)
		return -EINVAL;
	sk->local = a;
	if (t && (port || !sk->bind_no_port)) {
		r = inet_port_bind(t, sk, port);
		if (r) {
			sk->local = sk->family == AF_INET6 ? IP_ADDR_ANY6 : ip_addr4(0);
			return r;
		}
	}
	sk->addr_locked = !ip_addr_is_any(&a);
	sk->port_locked = port != 0;
	sk->route.dev = NULL;
	return 0;
}
