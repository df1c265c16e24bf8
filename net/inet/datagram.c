/* SPDX-License-Identifier: MIT */
/* What sockets of datagrams (UDP, raw, ping) do alike: poll, shutdown, connect to an address
 * without ports, the questions of ioctl, their end. */
#include "fs/vfs/poll.h"
#include "inet_internal.h"
#include "mm/user.h"
#include "uapi/ioctl.h"

u32
inet_datagram_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct inet_sock *sk = inet_sock_of(s);
	u32 mask;

	poll_wait(f, &sk->wait, pt);
	mask = inet_poll_common(sk);
	if (!packet_queue_empty(&sk->receive_queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (inet_sock_has_room(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

int
inet_datagram_shutdown(struct socket *s, int how)
{
	struct inet_sock *sk = inet_sock_of(s);

	/* shutdown(2): an unconnected socket is told so, but it works as far as the waiters go. */
	sk->shutdown |= how == SHUT_RD	 ? INET_SHUT_RD
			: how == SHUT_WR ? INET_SHUT_WR
					 : INET_SHUT_RDWR;
	inet_sock_state_changed(sk);
	return sk->state == TCP_ESTABLISHED ? 0 : -ENOTCONN;
}

static void
disconnect(struct inet_sock *sk)
{
	sock_lock(sk);
	sk->remote = sk->family == AF_INET6 ? IP_ADDR_ANY6 : ip_addr4(0);
	sk->state = TCP_CLOSE;
	sk->route.dev = NULL;
	if (!sk->addr_locked)
		sk->local = sk->remote;
	sock_unlock(sk);
}

int
inet_datagram_connect(struct inet_sock *sk, const u8 *addr, u32 len)
{
	struct ip_addr to;
	struct route r;
	struct flow f;
	u32 scope = 0;
	u16 port, family;
	int e;

	if (len < sizeof(family))
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (family == AF_UNSPEC) {
		disconnect(sk);
		return 0;
	}
	e = inet_addr_parse(sk, addr, len, &to, &port, &scope);
	if (e)
		return e;
	sock_lock(sk);
	net_begin();
	inet_sock_flow(sk, &f);
	f.dst = to;
	if (scope && !f.oif)
		f.oif = scope;
	e = inet_route_output(sk->net, &f, &r);
	if (!e) {
		if (ip_addr_is_any(&sk->local))
			sk->local = r.source;
		sk->remote = to;
		sk->state = TCP_ESTABLISHED;
		sk->route = r;
	}
	net_end();
	sock_unlock(sk);
	return e;
}

ssize_t
inet_datagram_receive(struct inet_sock *sk, struct socket_msg *m, u32 *whole)
{
	struct packet *p;
	u32 skip;
	size_t n;
	bool peeked;
	int r;

	*whole = 0;
	if (unlikely(m->flags & MSG_ERRQUEUE))
		return inet_recv_error(sk, m);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	r = inet_recv_packet(sk, m->flags, &p, &peeked, &skip);
	if (r)
		return r > 0 ? 0 : r;
	*whole = p->len;
	n = MIN((size_t)p->len, iter_count(m->iter));
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;
	r = packet_copy_to_iter(p, 0, m->iter, (u32)n);
	if (!r) {
		if (m->addr)
			m->addr_len = inet_addr_format(sk, &inet_cb(p)->src, 0, p->ifindex,
						       m->addr);
		r = inet_put_cmsgs(sk, p, m);
	}
	packet_free(p);
	return r ? r : (ssize_t)n;
}

long
inet_datagram_ioctl(struct socket *s, u32 cmd, u64 arg, u32 header)
{
	struct inet_sock *sk = inet_sock_of(s);
	struct packet *p;
	s32 n = 0;

	switch (cmd) {
	case FIONREAD: /* SIOCINQ: the next datagram's size */
		spin_lock(&sk->receive_queue.lock);
		p = packet_queue_peek(&sk->receive_queue);
		if (p)
			n = (s32)p->len - (s32)header;
		spin_unlock(&sk->receive_queue.lock);
		return put_user(user_ptr_of(arg), n);
	case TIOCOUTQ: /* SIOCOUTQ */
		n = atomic_read(&sk->wmem);
		return put_user(user_ptr_of(arg), n);
	}
	return inet_ioctl(s, cmd, arg);
}

void
inet_datagram_destroy(struct inet_sock *sk)
{
	packet_queue_purge(&sk->receive_queue);
	packet_queue_purge(&sk->error_queue);
}
