/* SPDX-License-Identifier: MIT */
/*
 * TCP sockets as programs see them: connect, listen, accept, shutdown, close, poll, ioctl. tcp(7).
 *
 * close(2) lets go of the sock; if its dialogue is not over it goes on as an orphan, with the table
 * of connections and its timers as holders. Unread data, or SO_LINGER with no time, makes it a
 * reset.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "tcp_internal.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"
#include "uapi/rtnetlink.h"

struct port_table tcp_ports;

/* ---- making ---- */

/* Everything behind struct inet_sock, for a new sock and for one that was disconnected. */
static void
connection_reset_fields(struct tcp_sock *tp)
{
	tcp_rtt_init(&tp->rtt);
	tcp_rack_init(&tp->rack);
	tcp_recovery_reset(tp);
	tp->snd_wscale = tp->rcv_wscale = 0;
	tp->ts_on = tp->sack_on = tp->wscale_on = false;
	tp->mss_cache = tp->rcv_mss = 536;
	tp->mss_clamp = 536;
	tp->pmtu = 576;
	tp->max_window = tp->snd_wnd = 0;
	tp->ts_recent = 0;
	tp->ts_recent_ns = 0;
	tp->fin_queued = tp->fin_received = tp->was_reset = false;
	tp->urg_state = TCP_URG_NONE;
	tp->snd_urgent = false;
	tp->quick = 0;
	tp->ato_us = 0;
	tp->pingpong = tp->ack_pending = tp->ack_now = tp->dsack = false;
	tp->retransmits = tp->probes_out = tp->keep_probes = 0;
	tp->timeouts_from_ns = 0;
	tp->cong.cwnd = TCP_INIT_CWND;
	tp->cong.ssthresh = TCP_SSTHRESH_MAX;
	tp->cong.cwnd_clamp = UINT32_MAX;
	tp->reordering = 3;
	tp->rcv_rtt_us = 0;
	tp->rcv_rtt_ns = 0;
}

void
tcp_sock_setup(struct tcp_sock *tp)
{
	packet_queue_init(&tp->send);
	packet_queue_init(&tp->rtx);
	list_init(&tp->accept_queue);
	list_init(&tp->accept_node);
	for (u32 i = 0; i < ARRAY_SIZE(tp->requests); i++)
		list_init(&tp->requests[i]);
	hlist_node_init(&tp->listen_node);
	spin_init(&tp->accept_lock, RANK_INET_HASH);
	tcp_timers_init(tp);
	connection_reset_fields(tp);
}

int
tcp_init_sock(struct inet_sock *sk)
{
	struct tcp_sock *tp = tcp_sock(sk);
	const struct tcp_net *net = sk->net->tcp;

	tcp_sock_setup(tp);
	tp->cong.ops = net->congestion;
	tp->rcvbuf = tp->rcvbuf_seen = net->rmem[1];
	tp->sndbuf = tp->sndbuf_seen = net->wmem[1];
	tp->rcvlowat = 1;
	if (sk->socket) {
		sk->socket->rcvbuf = tp->rcvbuf;
		sk->socket->sndbuf = tp->sndbuf;
	}
	return 0;
}

/* A sock that a listener's handshake makes, with the listener's options; in no table. */
struct tcp_sock *
tcp_child_create(struct tcp_sock *l)
{
	struct inet_sock *sk = inet_sock_clone(&l->inet);

	if (!sk)
		return NULL;
	struct tcp_sock *tp = tcp_sock(sk);
	tcp_sock_setup(tp);
	tp->cong.ops = l->cong.ops;
	tp->rcvbuf = tp->rcvbuf_seen = l->rcvbuf;
	tp->sndbuf = tp->sndbuf_seen = l->sndbuf;
	tp->rcvbuf_locked = l->rcvbuf_locked;
	tp->sndbuf_locked = l->sndbuf_locked;
	tp->rcvlowat = l->rcvlowat;
	tp->nagle = l->nagle;
	tp->user_mss = l->user_mss;
	tp->keepalive = l->keepalive;
	tp->keep_idle_s = l->keep_idle_s;
	tp->keep_intvl_s = l->keep_intvl_s;
	tp->keep_count = l->keep_count;
	tp->user_timeout_ms = l->user_timeout_ms;
	tp->linger2_s = l->linger2_s;
	tp->notsent_lowat = l->notsent_lowat;
	tp->oob_inline = l->oob_inline;
	tp->syn_count_opt = l->syn_count_opt;
	tp->inq_wanted = l->inq_wanted;
	tp->connect_state = TCP_CONNECT_DONE;
	return tp;
}

void
tcp_destroy_sock(struct inet_sock *sk)
{
	struct tcp_sock *tp = tcp_sock(sk);

	tcp_queue_purge(tp, &tp->send);
	tcp_queue_purge(tp, &tp->rtx);
	tcp_receive_purge(tp);
}

void
tcp_sync_options(struct tcp_sock *tp)
{
	struct socket *s = tp->inet.socket;
	bool keepalive = s->opts & SOCKOPT_KEEPALIVE;

	tp->oob_inline = s->opts & SOCKOPT_OOBINLINE;
	if (unlikely(s->rcvlowat != tp->rcvlowat))
		tp->rcvlowat = s->rcvlowat;
	if (unlikely(s->rcvbuf != tp->rcvbuf_seen)) {
		tp->rcvbuf = tp->rcvbuf_seen = s->rcvbuf;
		tp->rcvbuf_locked = true;
		tp->window_clamp = tp->window_clamp ? MAX(tp->window_clamp, tp->rcvbuf / 2) : 0;
	}
	if (unlikely(s->sndbuf != tp->sndbuf_seen)) {
		tp->sndbuf = tp->sndbuf_seen = s->sndbuf;
		tp->sndbuf_locked = true;
	}
	if (unlikely(keepalive != tp->keepalive)) {
		tp->keepalive = keepalive;
		if (tp->inet.state == TCP_CLOSE || tp->inet.state == TCP_LISTEN)
			return;
		net_begin();
		tcp_clock(tp);
		if (keepalive)
			tcp_keepalive_start(tp);
		else
			net_timer_stop(&tp->keep_timer);
		net_end();
	}
}

bool
tcp_write_room(const struct tcp_sock *tp)
{
	u32 wmem = READ_ONCE(tp->wmem), sndbuf = READ_ONCE(tp->sndbuf);
	u32 lowat = tp->notsent_lowat ? tp->notsent_lowat : tp->inet.net->tcp->notsent_lowat;

	return sndbuf > wmem && sndbuf - wmem >= wmem / 2 &&
	       READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt) < lowat;
}

/* ---- connect ---- */

static bool
connecting(const struct tcp_sock *tp)
{
	u8 state = READ_ONCE(tp->inet.state);

	return state == TCP_SYN_SENT || state == TCP_SYN_RECV;
}

/* RFC 9293 3.10.6, for what a connect or a disconnect leaves behind. */
static bool
needs_reset(const struct tcp_sock *tp)
{
	switch (tp->inet.state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_SYN_RECV: return true;
	}
	return false;
}

/* Owner. The sock is as new, but for its options and, if bound, its port. */
static void
disconnect(struct tcp_sock *tp)
{
	struct inet_sock *sk = &tp->inet;

	net_begin();
	tcp_clock(tp);
	if (sk->state == TCP_LISTEN) {
		tcp_listen_stop(tp);
	} else if (sk->state != TCP_CLOSE) {
		if (needs_reset(tp))
			tcp_send_reset(tp);
		tcp_done(tp, sk->state == TCP_SYN_SENT ? 0 : ECONNRESET);
	}
	net_end();
	tcp_receive_purge(tp);
	if (!sk->port_locked && sk->port_bucket)
		inet_port_release(&tcp_ports, sk);
	sk->remote = inet_sock_v6(sk) ? IP_ADDR_ANY6 : ip_addr4(0);
	sk->remote_port = 0;
	if (!sk->addr_locked)
		sk->local = sk->remote;
	if (!sk->port_locked)
		sk->local_port = 0;
	sk->shutdown = 0;
	sk->soft_error = 0;
	sk->route.dev = NULL;
	u32 next = tp->write_seq + tp->max_window + 2;
	connection_reset_fields(tp);
	tp->write_seq = next ? next : 1;
	tp->rcv_nxt = tp->copied_seq = 0;
	tp->connect_state = TCP_CONNECT_NONE;
}

/* The way there, and which of our addresses is used: sk->local and the route. */
static int
route_to(struct inet_sock *sk)
{
	struct flow f;
	int r;

	net_begin();
	inet_sock_flow(sk, &f);
	r = inet_route_output(sk->net, &f, &sk->route);
	if (!r && (sk->route.type == RTN_BROADCAST || sk->route.type == RTN_MULTICAST))
		r = -ENETUNREACH;
	if (!r && ip_addr_is_any(&sk->local))
		sk->local = sk->route.source;
	net_end();
	return r;
}

static int
connect_start(struct tcp_sock *tp, const u8 *addr, u32 len)
{
	struct inet_sock *sk = &tp->inet;
	const struct tcp_net *net = sk->net->tcp;
	struct ip_addr to, local_before = sk->local;
	u16 port;
	u32 scope;
	int r = inet_addr_parse(sk, addr, len, &to, &port, &scope);

	if (r)
		return r;
	if (ip_addr_is_any(&to)) {
		/* The unspecified address stands for this machine. */
		to = ip_addr_is4(&to) ? ip_addr4(htonl(INADDR_LOOPBACK)) : IP_ADDR_ANY6;
		if (!ip_addr_is4(&to))
			to.b[15] = 1;
	}
	if (ip_addr_is_multicast(&to))
		return -ENETUNREACH;
	if (!ip_addr_is4(&to) && ipv6_is_linklocal(&to)) {
		if (!sk->bound_ifindex && !scope)
			return -EINVAL;
		if (scope)
			sk->bound_ifindex = scope;
	}
	sk->remote = to;
	sk->remote_port = port;
	r = route_to(sk);
	if (r)
		goto out_forget;
	tp->ts_recent = 0;
	tp->write_seq = 0;
	tcp_state_set(tp, TCP_SYN_SENT);
	if (!sk->local_port)
		r = inet_port_connect(&tcp_ports, sk, tcp_hash_unique);
	else if (!tcp_hash_unique(sk, sk->local_port))
		r = -EADDRNOTAVAIL;
	if (r) {
		tcp_state_set(tp, TCP_CLOSE);
		goto out_forget;
	}
	net_begin();
	tcp_clock(tp);
	struct tcp_flow f = { .sport = sk->local_port, .dport = sk->remote_port };
	memcpy(f.saddr, sk->local.q, sizeof(f.saddr));
	memcpy(f.daddr, sk->remote.q, sizeof(f.daddr));
	if (!tp->write_seq)
		tp->write_seq = tcp_secret_isn(&f, tp->now);
	tp->ts_offset = tcp_secret_ts_offset(&f);
	tp->iss = tp->snd_una = tp->snd_nxt = tp->snd_sml = tp->pushed_seq = tp->write_seq;
	tp->pseudo_sum = inet_pseudo_sum(&sk->local, &sk->remote, IPPROTO_TCP, 0);
	tp->mss_clamp = tp->user_mss ? tp->user_mss : 65535;
	u32 mtu = inet_sock_mtu(sk);
	tcp_sync_mss(tp, mtu ? mtu : 1500);
	tp->advmss = (u16)MIN((sk->route.dev ? sk->route.dev->mtu : mtu) -
				      inet_sock_header_len(sk) - TCPH_LEN,
			      65495u);
	if (tp->user_mss)
		tp->advmss = MIN(tp->advmss, tp->user_mss);
	tp->rcv_mss = tp->mss_cache;
	tcp_initial_window(net, tp->rcvbuf, tp->advmss, net->window_scaling, tp->window_clamp,
			   &tp->rcv_wnd, &tp->rcv_wscale);
	if (!tp->window_clamp)
		tp->window_clamp = tp->rcvbuf / 2;
	tp->rcv_ssthresh = tp->rcv_wnd;
	tp->rcv_wup = tp->rcv_nxt = tp->copied_seq = 0;
	tcp_send_syn(tp);
	net_end();
	return 0;

out_forget:
	sk->remote = inet_sock_v6(sk) ? IP_ADDR_ANY6 : ip_addr4(0);
	sk->remote_port = 0;
	sk->local = local_before;
	return r;
}

static int
tcp_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	struct inet_sock *sk = &tp->inet;
	u16 family;
	int r;

	if (len < sizeof(family))
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	sock_lock(sk);
	tcp_sync_options(tp);
	if (family == AF_UNSPEC) {
		disconnect(tp);
		sock_unlock(sk);
		return 0;
	}
	switch (tp->connect_state) {
	case TCP_CONNECT_DONE: r = -EISCONN; goto out_unlock;
	case TCP_CONNECT_PENDING: r = -EALREADY; break;
	default:
		if (sk->state != TCP_CLOSE) {
			r = -EISCONN;
			goto out_unlock;
		}
		r = connect_start(tp, addr, len);
		if (r)
			goto out_unlock;
		tp->connect_state = TCP_CONNECT_PENDING;
		r = -EINPROGRESS;
	}
	if (connecting(tp)) {
		u64 deadline = socket_deadline(s, true, file_flags & O_NONBLOCK);

		/* The answer may be in the backlog already; Linux does not look either. */
		if (!deadline)
			goto out_unlock;
		sock_unlock_lock(sk);
		int w = sock_wait_event(sk, !connecting(tp), deadline);
		if (w) {
			if (w != -EAGAIN)
				r = w;
			goto out_unlock;
		}
	}
	if (sk->state == TCP_CLOSE) {
		int err = inet_sock_take_error(sk);

		r = err ? -err : -ECONNABORTED;
		disconnect(tp);
	} else {
		tp->connect_state = TCP_CONNECT_DONE;
		r = 0;
	}
out_unlock:
	sock_unlock(sk);
	return r;
}

/* ---- listen and accept ---- */

static int
tcp_bind(struct socket *s, const u8 *addr, u32 len)
{
	return inet_bind_common(s, addr, len, &tcp_ports);
}

static int
tcp_listen(struct socket *s, int backlog)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	u32 most = tp->inet.net->inet->somaxconn, n = (u32)backlog > most ? most : (u32)backlog;
	int r = -EINVAL;

	sock_lock(&tp->inet);
	tcp_sync_options(tp);
	if (tp->connect_state == TCP_CONNECT_NONE &&
	    (tp->inet.state == TCP_CLOSE || tp->inet.state == TCP_LISTEN))
		r = tcp_listen_start(tp, n);
	sock_unlock(&tp->inet);
	return r;
}

static int
tcp_accept(struct socket *s, struct socket **out, u32 file_flags)
{
	struct tcp_sock *l = tcp_sock_of(s), *tp;
	int r;

	if (READ_ONCE(l->inet.state) != TCP_LISTEN)
		return -EINVAL;
	tp = tcp_accept_take(l);
	if (!tp) {
		u64 deadline = socket_deadline(s, false, file_flags & O_NONBLOCK);

		if (!deadline)
			return -EAGAIN;
		r = WAIT_EVENT_(&l->inet.wait,
				(tp = tcp_accept_take(l)) || READ_ONCE(l->inet.state) != TCP_LISTEN,
				THREAD_INTERRUPTIBLE, deadline, WAIT_EXCLUSIVE);
		if (r)
			return r == -ETIMEDOUT				     ? -EAGAIN
			       : r == -ERESTARTSYS && deadline != TIME_NEVER ? -EINTR
									     : r;
		if (!tp)
			return -EINVAL;
	}
	sock_lock(&tp->inet);
	r = inet_sock_graft(&tp->inet, s, out);
	tp->listener = NULL;
	if (r) {
		net_begin();
		tcp_clock(tp);
		if (tp->inet.state != TCP_CLOSE) {
			tcp_send_reset(tp);
			tcp_done(tp, 0);
		}
		net_end();
	} else {
		(*out)->rcvbuf = tp->rcvbuf_seen = tp->rcvbuf;
		(*out)->sndbuf = tp->sndbuf_seen = tp->sndbuf;
	}
	sock_unlock(&tp->inet);
	if (r)
		inet_sock_put(&tp->inet);
	return r;
}

/* ---- shutdown and close ---- */

/* Our side has said all: the next state. True: a FIN is due. RFC 9293 3.10.4. */
static bool
close_state(struct tcp_sock *tp)
{
	switch (tp->inet.state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED: tcp_state_set(tp, TCP_FIN_WAIT1); return true;
	case TCP_CLOSE_WAIT: tcp_state_set(tp, TCP_LAST_ACK); return true;
	}
	return false;
}

static int
tcp_shutdown(struct socket *s, int how)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	struct inet_sock *sk = &tp->inet;
	u8 bits = (u8)(how + 1); /* SHUT_RD, SHUT_WR, SHUT_RDWR as bits */
	int r = 0;

	sock_lock(sk);
	switch (sk->state) {
	case TCP_CLOSE:
		r = -ENOTCONN;
		sk->shutdown |= bits;
		break;
	case TCP_LISTEN:
		if (!(bits & INET_SHUT_RD))
			break;
		__fallthrough;
	case TCP_SYN_SENT: disconnect(tp); break;
	default:
		sk->shutdown |= bits;
		if (!(bits & INET_SHUT_WR))
			break;
		net_begin();
		tcp_clock(tp);
		if (close_state(tp))
			tcp_send_fin(tp);
		net_end();
	}
	inet_sock_state_changed(sk);
	sock_unlock(sk);
	return r;
}

static bool
closing(const struct tcp_sock *tp)
{
	u8 state = READ_ONCE(tp->inet.state);

	return state == TCP_FIN_WAIT1 || state == TCP_CLOSING || state == TCP_LAST_ACK;
}

static bool
too_many_orphans(const struct tcp_net *net)
{
	return (u32)atomic_read(&net->orphans) > net->max_orphans;
}

static void
abort_now(struct tcp_sock *tp)
{
	tcp_send_reset(tp);
	tcp_done(tp, 0);
}

static void
tcp_release(struct socket *s)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	struct inet_sock *sk = &tp->inet;
	struct tcp_net *net = sk->net->tcp;
	bool linger = s->opts & SOCKOPT_LINGER;

	sock_lock(sk);
	bool unread = tcp_readable(tp) != 0 && sk->state != TCP_LISTEN;
	sk->shutdown = INET_SHUT_RDWR;
	net_begin();
	tcp_clock(tp);
	if (sk->state == TCP_LISTEN) {
		tcp_listen_stop(tp);
	} else if (sk->state == TCP_SYN_SENT) {
		tcp_done(tp, 0);
	} else if (sk->state != TCP_CLOSE) {
		if (unread && needs_reset(tp)) {
			/* RFC 2525 2.17: the peer must learn that its data was lost. */
			inet_count(TcpExtTCPAbortOnClose);
			abort_now(tp);
		} else if (linger && !s->linger_s) {
			abort_now(tp);
		} else if (close_state(tp)) {
			tcp_send_fin(tp);
		}
	}
	net_end();
	tcp_receive_purge(tp);
	if (linger && s->linger_s && closing(tp)) {
		u64 now = time_mono_ns();

		(void)sock_wait_event(sk, !closing(tp), now + s->linger_s * NSEC_PER_SEC);
	}
	/* From here on nobody looks any more. */
	net_begin();
	tcp_clock(tp);
	inet_sock_detach(sk);
	if (sk->state == TCP_FIN_WAIT2) {
		if (tp->linger2_s < 0)
			abort_now(tp);
		else
			tcp_time_wait(
				tp, TCP_FIN_WAIT2,
				(u64)(tp->linger2_s ? (u32)tp->linger2_s : net->fin_timeout_s) *
					NSEC_PER_SEC);
	}
	if (sk->state != TCP_CLOSE) {
		if (too_many_orphans(net)) {
			abort_now(tp);
		} else {
			tp->orphan = true;
			atomic_inc(&net->orphans);
		}
	}
	if (sk->state == TCP_CLOSE && sk->port_bucket)
		inet_port_release(&tcp_ports, sk);
	net_end();
	sock_unlock(sk);
	inet_sock_put(sk);
}

/* ---- names, readiness, ioctls ---- */

static int
tcp_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	u8 state = READ_ONCE(inet_sock_of(s)->state);

	if (peer && (state == TCP_CLOSE || state == TCP_SYN_SENT || state == TCP_LISTEN))
		return -ENOTCONN;
	return inet_getname(s, addr, len, peer);
}

/* What lies in struct socket counts at once: keep-alive, buffers, the low-water mark. */
static void
tcp_option_changed(struct socket *s)
{
	struct tcp_sock *tp = tcp_sock_of(s);

	sock_lock(&tp->inet);
	tcp_sync_options(tp);
	if (tp->inet.state != TCP_LISTEN && tcp_readable(tp) >= tp->rcvlowat && tcp_readable(tp))
		inet_sock_readable(&tp->inet, 0);
	sock_unlock(&tp->inet);
}

static u32
tcp_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	struct inet_sock *sk = &tp->inet;
	u32 mask = 0;

	poll_wait(f, &sk->wait, pt);
	u8 state = smp_load_acquire(&sk->state);
	if (state == TCP_LISTEN)
		return READ_ONCE(tp->accept_len) ? EPOLLIN | EPOLLRDNORM : 0;
	u8 shut = READ_ONCE(sk->shutdown);
	if (shut == INET_SHUT_RDWR || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shut & INET_SHUT_RD)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV) {
		u32 readable = tcp_readable(tp);

		if (readable && (readable >= s->rcvlowat || tp->rmem >= tp->rcvbuf / 2))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (shut & INET_SHUT_WR) {
			mask |= EPOLLOUT | EPOLLWRNORM;
		} else if (tcp_write_room(tp)) {
			mask |= EPOLLOUT | EPOLLWRNORM;
		} else {
			WRITE_ONCE(tp->nospace, true);
			/* Against ack.c: room, then nospace; here nospace, then room. */
			smp_mb();
			if (tcp_write_room(tp))
				mask |= EPOLLOUT | EPOLLWRNORM;
		}
		if (READ_ONCE(tp->urg_state) == TCP_URG_VALID)
			mask |= EPOLLPRI;
	}
	if (inet_sock_peek_error(sk) || !packet_queue_empty(&sk->error_queue))
		mask |= EPOLLERR;
	return mask;
}

static long
tcp_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	bool setup = connecting(tp);
	s32 v;

	switch (cmd) {
	case SIOCINQ:
		if (tp->inet.state == TCP_LISTEN)
			return -EINVAL;
		sock_lock(&tp->inet);
		tcp_sync_options(tp);
		v = setup ? 0 : (s32)tcp_readable(tp);
		/* Up to the urgent mark only. */
		if (tp->urg_state != TCP_URG_NONE && !tp->oob_inline &&
		    seq_after(tp->urg_seq, tp->copied_seq) && seq_before(tp->urg_seq, tp->rcv_nxt))
			v = (s32)(tp->urg_seq - tp->copied_seq);
		sock_unlock(&tp->inet);
		break;
	case SIOCATMARK:
		v = tp->urg_state != TCP_URG_NONE && tp->urg_seq == READ_ONCE(tp->copied_seq);
		break;
	case SIOCOUTQ:
		if (tp->inet.state == TCP_LISTEN)
			return -EINVAL;
		v = setup ? 0 : (s32)(READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_una));
		break;
	case SIOCOUTQNSD:
		if (tp->inet.state == TCP_LISTEN)
			return -EINVAL;
		v = setup ? 0 : (s32)(READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt));
		break;
	default: return inet_ioctl(s, cmd, arg);
	}
	return put_user(user_ptr_of(arg), v);
}

const struct socket_ops tcp_socket_ops = {
	.family = AF_INET,
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.getname = tcp_getname,
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_recvmsg,
	.shutdown = tcp_shutdown,
	.poll = tcp_poll,
	.ioctl = tcp_ioctl,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.option_changed = tcp_option_changed,
	.release = tcp_release,
};
