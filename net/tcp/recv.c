/* SPDX-License-Identifier: MIT */
/*
 * The program's bytes on their way in: copied once, out of the receive queue, with the sock owned.
 * The urgent byte is not part of the stream (unless SO_OOBINLINE), and no read goes across it.
 */
#include "net/socket/socket.h"
#include "sched/sched.h"
#include "tcp_internal.h"
#include "uapi/errno.h"
#include "uapi/tcp.h"

/* The packet that has byte seq, and where in it. */
static struct packet *
find(struct tcp_sock *tp, u32 seq, u32 *offset)
{
	struct packet *p;

	for (p = packet_queue_peek(&tp->inet.receive_queue); p;
	     p = packet_queue_next(&tp->inet.receive_queue, p)) {
		*offset = seq - tcp_cb(p)->seq;
		if (*offset < p->len)
			return p;
	}
	return NULL;
}

static ssize_t
receive_urgent(struct tcp_sock *tp, struct socket_msg *m)
{
	if (tp->oob_inline || tp->urg_state == TCP_URG_NONE || tp->urg_state == TCP_URG_READ)
		return -EINVAL;
	if (tp->inet.state == TCP_CLOSE && !tp->fin_received)
		return -ENOTCONN;
	if (tp->urg_state == TCP_URG_VALID) {
		u8 byte = tp->urg_data;

		if (!(m->flags & MSG_PEEK))
			tp->urg_state = TCP_URG_READ;
		m->out_flags |= MSG_OOB;
		if (!iter_count(m->iter)) {
			m->out_flags |= MSG_TRUNC;
			return 0;
		}
		if (!(m->flags & MSG_TRUNC) && iter_copy_to(m->iter, &byte, 1) != 1)
			return -EFAULT;
		return 1;
	}
	if (tp->inet.state == TCP_CLOSE || (tp->inet.shutdown & INET_SHUT_RD))
		return 0;
	/* Announced, but not here yet. */
	return -EAGAIN;
}

/* Bytes that may be copied from seq on before the urgent mark stops it; *skip: seq is the urgent
 * byte itself, and is left out. */
static u32
until_mark(const struct tcp_sock *tp, u32 seq, u32 n, bool *skip)
{
	*skip = false;
	if (likely(tp->urg_state == TCP_URG_NONE))
		return n;
	u32 ahead = tp->urg_seq - seq;
	if (ahead >= n)
		return n;
	if (ahead)
		return ahead;
	if (!tp->oob_inline)
		*skip = true;
	return n;
}

static bool
may_end_wait(struct tcp_sock *tp, u32 seq)
{
	return tp->rcv_nxt - tp->fin_received != seq || (tp->inet.shutdown & INET_SHUT_RD) ||
	       tp->inet.state == TCP_CLOSE || inet_sock_peek_error(&tp->inet) ||
	       (tp->urg_state == TCP_URG_VALID && tp->urg_seq == seq);
}

/* Nothing is queued at seq. 1: look again; 0: end of stream; or an error. */
static int
wait_data(struct tcp_sock *tp, u32 seq, u64 deadline)
{
	struct inet_sock *sk = &tp->inet;

	/* What came meanwhile first. */
	if (sk->backlog_head) {
		sock_unlock_lock(sk);
		return 1;
	}
	if (inet_sock_peek_error(sk))
		return -inet_sock_take_error(sk);
	if (sk->shutdown & INET_SHUT_RD)
		return 0;
	if (sk->state == TCP_CLOSE)
		return -ENOTCONN;
	int r = sock_wait_event(sk, may_end_wait(tp, seq), deadline);
	return r ? r : 1;
}

ssize_t
tcp_recvmsg(struct socket *s, struct socket_msg *m)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	struct inet_sock *sk = &tp->inet;
	u64 deadline;
	bool peek = m->flags & MSG_PEEK;
	size_t want = iter_count(m->iter), target;
	ssize_t copied = 0;
	u32 peeked, *seq = &tp->copied_seq;
	int r = 0;

	if (unlikely(m->flags & MSG_ERRQUEUE))
		return inet_recv_error(sk, m);
	deadline = socket_deadline(s, false, m->flags & MSG_DONTWAIT);
	sock_lock(sk);
	tcp_sync_options(tp);
	if (sk->state == TCP_LISTEN) {
		r = -ENOTCONN;
		goto out_unlock;
	}
	if (unlikely(m->flags & MSG_OOB)) {
		r = (int)receive_urgent(tp, m);
		goto out_unlock;
	}
	if (peek) {
		peeked = tp->copied_seq;
		seq = &peeked;
	}
	target = m->flags & MSG_WAITALL ? want : MIN(want, (size_t)tp->rcvlowat);
	target = MAX(target, 1ul);
	/* Even a read of nothing waits for something. */
	do {
		u32 offset, n;
		bool skip;

		/* The mark ends a read; the next begins behind it. */
		if (unlikely(tp->urg_state != TCP_URG_NONE) && tp->urg_seq == *seq && copied)
			break;
		struct packet *p = find(tp, *seq, &offset);
		if (!p) {
			if ((size_t)copied >= target && !sk->backlog_head)
				break;
			if (copied &&
			    (inet_sock_peek_error(sk) || sk->state == TCP_CLOSE ||
			     (sk->shutdown & INET_SHUT_RD)) &&
			    !sk->backlog_head)
				break;
			if (!peek && copied)
				tcp_space_taken(tp, (u32)copied);
			r = wait_data(tp, *seq, (size_t)copied >= target ? 0 : deadline);
			if (r <= 0)
				break;
			if (peek && seq == &peeked && !copied && peeked != tp->copied_seq)
				peeked = tp->copied_seq; /* another reader was faster */
			continue;
		}
		n = (u32)MIN((size_t)(p->len - offset), want);
		n = until_mark(tp, *seq, n, &skip);
		if (unlikely(skip)) {
			(*seq)++;
			offset++;
			n--;
		}
		if (n && !(m->flags & MSG_TRUNC)) {
			if (packet_copy_to_iter(p, offset, m->iter, n)) {
				if (!copied)
					r = -EFAULT;
				break;
			}
		}
		*seq += n;
		copied += n;
		want -= n;
		if (unlikely(tp->urg_state != TCP_URG_NONE) &&
		    seq_after(tp->copied_seq, tp->urg_seq))
			tp->urg_state = TCP_URG_NONE;
		if (offset + n < p->len)
			continue;
		if (!peek) {
			packet_unlink_locked(&sk->receive_queue, p);
			tp->rmem -= p->truesize;
			packet_free(p);
		}
	} while (want);
	if (!peek && copied)
		tcp_clock(tp);
	if (!peek)
		tcp_space_taken(tp, (u32)copied);
	if (unlikely(tp->inq_wanted) && copied) {
		s32 left = (s32)tcp_readable(tp);

		(void)socket_put_cmsg(m, IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left));
	}
out_unlock:
	sock_unlock(sk);
	return copied ? copied : r;
}
