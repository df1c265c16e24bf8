/* SPDX-License-Identifier: MIT */
/*
 * The program's bytes on their way out: copied once, into packets of the send queue that grow to
 * the size in which they are sent. The sock is owned meanwhile, and preemption is on.
 */
#include "mm/page.h"
#include "tcp_internal.h"
#include "uapi/errno.h"

/* Up to here bytes go behind the packet's description; more go into pages. */
#define LINEAR_MAX 3072u

static struct packet *
packet_begin(struct tcp_sock *tp, u32 linear)
{
	struct packet *p = packet_alloc(linear, GFP_KERNEL);

	if (!p)
		return NULL;
	*tcp_cb(p) = (struct tcp_cb){ .seq = tp->write_seq,
				      .end_seq = tp->write_seq,
				      .flags = TCPH_ACK };
	list_init(&tcp_cb(p)->sent);
	tp->wmem += p->truesize;
	packet_queue_tail_locked(&tp->send, p);
	return p;
}

static bool
room(const struct tcp_sock *tp)
{
	u32 lowat = tp->notsent_lowat ? tp->notsent_lowat : tp->inet.net->tcp->notsent_lowat;

	return tp->wmem < tp->sndbuf && tp->write_seq - tp->snd_nxt < lowat;
}

static void
push(struct tcp_sock *tp, u8 nagle, bool psh)
{
	struct packet *p = packet_queue_peek_tail(&tp->send);

	if (!p)
		return;
	if (psh) {
		tcp_cb(p)->flags |= TCPH_PSH;
		tp->pushed_seq = tp->write_seq;
	}
	net_begin();
	tcp_clock(tp);
	tcp_push_nagle(tp, nagle);
	net_end();
}

static bool
may_send(const struct tcp_sock *tp)
{
	return !(tp->inet.shutdown & INET_SHUT_WR) &&
	       !inet_sock_peek_error((struct inet_sock *)(uintptr_t)&tp->inet);
}

static int
stream_error(struct tcp_sock *tp)
{
	int err = inet_sock_take_error(&tp->inet);

	return err ? -err : -EPIPE;
}

static bool
open_for_data(const struct tcp_sock *tp)
{
	return tp->inet.state == TCP_ESTABLISHED || tp->inet.state == TCP_CLOSE_WAIT;
}

static int
wait_connected(struct tcp_sock *tp, u64 deadline)
{
	struct inet_sock *sk = &tp->inet;

	if (inet_sock_peek_error(sk))
		return stream_error(tp);
	if (sk->state != TCP_SYN_SENT && sk->state != TCP_SYN_RECV)
		return -EPIPE;
	int r = sock_wait_event(sk, sk->state != TCP_SYN_SENT && sk->state != TCP_SYN_RECV,
				deadline);
	if (r)
		return r;
	return open_for_data(tp) ? 0 : stream_error(tp);
}

static int
wait_room(struct tcp_sock *tp, u64 deadline)
{
	int r;

	tp->nospace = true;
	r = sock_wait_event(&tp->inet,
			    tcp_write_room(tp) || !may_send(tp) || tp->inet.state == TCP_CLOSE ||
				    (tp->nospace = true, false),
			    deadline);
	if (!r)
		tp->nospace = false;
	return r;
}

/* n bytes behind packet p; on a fault p is as before. */
static int
append(struct tcp_sock *tp, struct packet *p, struct iov_iter *it, u32 n)
{
	u32 before = p->len, truesize = p->truesize;
	size_t count = iter_count(it);
	int r = packet_append_iter(p, it, n);

	tp->wmem += p->truesize - truesize;
	if (unlikely(r)) {
		/* What was copied is taken back, to be copied again or not at all. */
		(void)packet_trim(p, before);
		iter_revert(it, count - iter_count(it));
		return r;
	}
	tp->write_seq += n;
	tcp_cb(p)->end_seq += n;
	return 0;
}

static void
mark_urgent(struct tcp_sock *tp)
{
	tp->snd_up = tp->write_seq;
	tp->snd_urgent = true;
}

static bool
takes_more(const struct packet *p, u32 goal)
{
	return p && p->len < goal && !tcp_cb(p)->eor && !(tcp_cb(p)->flags & TCPH_FIN);
}

ssize_t
tcp_sendmsg(struct socket *s, struct socket_msg *m)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	struct inet_sock *sk = &tp->inet;
	u64 deadline = socket_deadline(s, true, m->flags & MSG_DONTWAIT);
	ssize_t copied = 0;
	u8 nagle = m->flags & MSG_MORE ? TCP_NAGLE_CORK : 0;
	int r = 0;

	sock_lock(sk);
	tcp_sync_options(tp);
	if (m->flags & MSG_FASTOPEN) {
		r = -EOPNOTSUPP;
		goto out_unlock;
	}
	if (unlikely(!open_for_data(tp))) {
		r = wait_connected(tp, deadline);
		if (r)
			goto out_unlock;
	}
	if (unlikely(!may_send(tp))) {
		r = stream_error(tp);
		goto out_unlock;
	}
	while (iter_count(m->iter)) {
		struct packet *p = packet_queue_peek_tail(&tp->send);
		u32 goal = tcp_gso_max(tp), left = (u32)MIN(iter_count(m->iter), (size_t)goal);

		if (!takes_more(p, goal)) {
			if (unlikely(!room(tp))) {
				if (copied)
					push(tp, 0, true);
				r = wait_room(tp, deadline);
				if (!r && !may_send(tp))
					r = stream_error(tp);
				if (r)
					goto out_push;
				continue;
			}
			p = packet_begin(tp, left <= LINEAR_MAX ? left : 0);
			if (!p) {
				r = -ENOMEM;
				goto out_push;
			}
		}
		u32 n = MIN(left, goal - p->len);
		r = append(tp, p, m->iter, n);
		if (unlikely(r)) {
			if (r == -EMSGSIZE && p->len) {
				/* No slot left in this one: the next. */
				tcp_cb(p)->eor = true;
				continue;
			}
			if (!p->len) {
				packet_unlink_locked(&tp->send, p);
				tcp_packet_free(tp, p);
			}
			goto out_push;
		}
		copied += n;
		if (!iter_count(m->iter)) {
			if (m->flags & MSG_EOR)
				tcp_cb(p)->eor = true;
			break;
		}
		if (p->len >= goal) {
			/* Full: let it go while the next is copied. */
			push(tp, TCP_NAGLE_CORK,
			     seq_after(tp->write_seq, tp->pushed_seq + tp->max_window / 2));
			sock_unlock_lock(sk);
			if (!may_send(tp) || !open_for_data(tp)) {
				r = stream_error(tp);
				goto out_push;
			}
		}
	}
out_push:
	if (copied) {
		if (m->flags & MSG_OOB)
			mark_urgent(tp);
		push(tp, nagle, !(m->flags & MSG_MORE));
	}
out_unlock:
	sock_unlock(sk);
	return copied ? copied : r;
}
