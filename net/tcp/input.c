/* SPDX-License-Identifier: MIT */
/*
 * A segment arrives: RFC 9293 3.10.7, with RFC 5961 (blind attacks) and RFC 7323 (PAWS).
 *
 * tcp_receive finds whom it is for: a connection, a request or TIME-WAIT (small objects), a
 * listener, or nobody (reset). A connection's segment is handled under its lock, or waits in the
 * backlog while a process owns the sock. The order of the checks in synchronized() is the RFC's:
 * timestamp, sequence number, RST, SYN, ACK, urgent pointer, data, FIN.
 */
#include "lib/string.h"
#include "tcp_internal.h"
#include "uapi/packet.h"
#include "uapi/rtnetlink.h"

#define PAWS_IDLE_NS (24ul * 24 * 3600 * NSEC_PER_SEC)

static void
drop(struct packet *p)
{
	packet_free(p);
}

/* ---- states ---- */

void
tcp_state_set(struct tcp_sock *tp, u8 state)
{
	u8 old = tp->inet.state;

	if (state == TCP_CLOSE && (old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT))
		inet_count(TcpEstabResets);
	smp_store_release(&tp->inet.state, state);
}

void
tcp_done(struct tcp_sock *tp, int err)
{
	struct inet_sock *sk = &tp->inet;

	if (sk->state == TCP_CLOSE)
		return;
	if (sk->state == TCP_SYN_SENT || sk->state == TCP_SYN_RECV)
		inet_count(TcpAttemptFails);
	tcp_state_set(tp, TCP_CLOSE);
	tcp_timers_cancel(tp);
	tcp_queue_purge(tp, &tp->send);
	tcp_queue_purge(tp, &tp->rtx);
	tcp_recovery_reset(tp);
	sk->shutdown = INET_SHUT_RDWR;
	if (sk->port_bucket && (!sk->port_locked || !sk->socket))
		inet_port_release(&tcp_ports, sk);
	if (!sk->socket && !tp->listener)
		tcp_receive_purge(tp);
	if (tp->orphan) {
		tp->orphan = false;
		atomic_dec(&sk->net->tcp->orphans);
	}
	if (err)
		inet_sock_error(sk, err);
	inet_sock_state_changed(sk);
	/* Perhaps the last reference: what follows in this net section may still look at it. */
	tcp_hash_remove(tp);
}

void
tcp_established(struct tcp_sock *tp)
{
	u32 mtu = inet_sock_mtu(&tp->inet);

	tcp_state_set(tp, TCP_ESTABLISHED);
	tcp_sync_mss(tp, mtu ? mtu : tp->pmtu);
	tp->cong.cwnd = TCP_INIT_CWND;
	tp->cong.ssthresh = TCP_SSTHRESH_MAX;
	tp->cong.cwnd_clamp = UINT32_MAX;
	/* RFC 5681 3.1: a lost SYN means that the path is narrow. */
	if (tp->total_retrans > 1)
		tp->cong.cwnd = 1;
	congestion_init(&tp->cong, tp->cong.ops);
	tp->rcv_mss = MIN(MIN((u32)tp->advmss, tp->mss_cache), MAX(tp->rcv_wnd / 2, 88u));
	tp->rcv_mss = MAX(tp->rcv_mss, 88u);
	tp->rcv_ssthresh = tp->rcv_wnd;
	tp->space_seq = tp->copied_seq;
	tp->space_bytes = MIN(tp->rcv_wnd, TCP_INIT_CWND * (u32)tp->advmss);
	tp->space_ns = tp->connected_ns = tp->now;
	tp->last_recv_ns = tp->last_send_ns = tp->last_ack_recv_ns = tp->now;
	tp->retransmits = 0;
	tp->rtt.backoff = 0;
	if (tp->keepalive)
		tcp_keepalive_start(tp);
}

/* RFC 5961: so that a blind attacker learns nothing, and a peer that has lost its state resets. */
static bool
oow_limited(struct tcp_sock *tp)
{
	u64 gap = (u64)tp->inet.net->tcp->invalid_ratelimit_ms * 1000000;

	if (tp->last_oow_ack_ns && tp->now - tp->last_oow_ack_ns < gap)
		return true;
	tp->last_oow_ack_ns = tp->now;
	return false;
}

void
tcp_challenge_ack(struct tcp_sock *tp)
{
	static u64 second;
	static struct atomic32 left;
	u64 now = tp->now / NSEC_PER_SEC;

	if (oow_limited(tp))
		return;
	if (READ_ONCE(second) != now) {
		WRITE_ONCE(second, now);
		atomic_set(&left, (int)tp->inet.net->tcp->challenge_ack_limit);
	}
	if (atomic_sub_return(&left, 1) < 0)
		return;
	inet_count(TcpExtTCPChallengeACK);
	tcp_send_ack(tp);
}

static void
reset_received(struct tcp_sock *tp)
{
	int err = tp->inet.state == TCP_SYN_SENT     ? ECONNREFUSED
		  : tp->inet.state == TCP_CLOSE_WAIT ? EPIPE
						     : ECONNRESET;

	tp->was_reset = true;
	tcp_done(tp, err);
}

/* ---- SYN-SENT: 3.10.7.3 ---- */

static void
options_of_syn(struct tcp_sock *tp, const struct tcp_segopt *opt)
{
	const struct tcp_net *net = tp->inet.net->tcp;

	if (opt->has_wscale && net->window_scaling) {
		tp->wscale_on = true;
		tp->snd_wscale = opt->wscale;
	} else {
		tp->wscale_on = false;
		tp->snd_wscale = tp->rcv_wscale = 0;
		tp->window_clamp = MIN(tp->window_clamp, 65535u);
		tp->rcv_wnd = MIN(tp->rcv_wnd, 65535u);
	}
	tp->ts_on = opt->has_ts && net->timestamps;
	if (tp->ts_on) {
		tp->ts_recent = opt->ts_val;
		tp->ts_recent_ns = tp->now;
	}
	tp->sack_on = opt->has_sack_ok && net->sack;
	u16 mss = opt->mss ? opt->mss : 536;
	tp->mss_clamp = MIN(mss, tp->user_mss ? tp->user_mss : (u16)65535);
}

static void
syn_sent(struct tcp_sock *tp, struct packet *p, const struct tcp_header *th,
	 const struct tcp_segopt *opt)
{
	struct tcp_cb *cb = tcp_cb(p);
	u32 ack = ntohl(th->ack);

	if (th->flags & TCPH_ACK) {
		if (!seq_after(ack, tp->snd_una) || seq_after(ack, tp->snd_nxt)) {
			/* A half-open connection of before: <SEQ=SEG.ACK><CTL=RST>. */
			if (!(th->flags & TCPH_RST)) {
				struct tcp_reply r = { .src = tp->inet.local,
						       .dst = tp->inet.remote,
						       .src_port = tp->inet.local_port,
						       .dst_port = tp->inet.remote_port,
						       .seq = ack,
						       .flags = TCPH_RST,
						       .oif = tp->inet.bound_ifindex };

				inet_count(TcpOutRsts);
				tcp_reply(tp->inet.net, &r);
			}
			drop(p);
			return;
		}
		if (th->flags & TCPH_RST) {
			reset_received(tp);
			drop(p);
			return;
		}
	}
	if ((th->flags & TCPH_RST) || !(th->flags & TCPH_SYN)) {
		drop(p);
		return;
	}
	options_of_syn(tp, opt);
	tp->irs = cb->seq;
	tp->rcv_nxt = tp->rcv_wup = tp->copied_seq = tp->last_ack_sent = cb->seq + 1;
	tp->snd_wl1 = cb->seq;
	tp->snd_wnd = tp->max_window = ntohs(th->window);
	if (th->flags & TCPH_ACK) {
		(void)tcp_ack(tp, p, opt);
		tcp_established(tp);
		inet_sock_state_changed(&tp->inet);
		/* The program has something to say at once: the ACK goes with it. */
		if (tp->defer_accept_s || !packet_queue_empty(&tp->send)) {
			tp->ack_pending = true;
			tcp_ack_timer_set(tp, TCP_DELACK_MAX_NS);
			tcp_push(tp);
		} else {
			tcp_send_ack(tp);
		}
	} else {
		/* Simultaneous open. */
		tcp_state_set(tp, TCP_SYN_RECV);
		tcp_resend_syn(tp);
	}
	drop(p);
}

/* ---- the synchronized states: 3.10.7.4 ---- */

/* RFC 7323 5: older than what has been seen, unless the peer was silent for very long. */
static bool
paws_rejects(const struct tcp_sock *tp, const struct tcp_segopt *opt)
{
	return tp->ts_on && opt->has_ts && seq_before(opt->ts_val, tp->ts_recent) &&
	       tp->now - tp->ts_recent_ns < PAWS_IDLE_NS;
}

static void
unacceptable(struct tcp_sock *tp, const struct packet *p)
{
	const struct tcp_cb *cb = tcp_cb(p);

	if (cb->end_seq != cb->seq && seq_before(cb->seq, tp->rcv_nxt)) {
		u32 end = seq_min(cb->end_seq, tp->rcv_nxt);

		tcp_quickack(tp, 16);
		tcp_dsack_set(tp, cb->seq, end);
	} else if (cb->end_seq == cb->seq && oow_limited(tp)) {
		return;
	}
	tcp_send_ack(tp);
}

/* Checks before the ACK: true if the segment may go on. */
static bool
acceptable(struct tcp_sock *tp, struct packet *p, const struct tcp_header *th,
	   const struct tcp_segopt *opt)
{
	const struct tcp_cb *cb = tcp_cb(p);

	if (unlikely(paws_rejects(tp, opt)) && !(th->flags & TCPH_RST)) {
		inet_count(TcpExtPAWSEstab);
		unacceptable(tp, p);
		return false;
	}
	if (unlikely(seq_before(cb->end_seq, tp->rcv_wup) ||
		     seq_after(cb->seq, tp->rcv_nxt + tcp_window_left(tp)))) {
		if (th->flags & TCPH_RST)
			return false;
		if (th->flags & TCPH_SYN)
			tcp_challenge_ack(tp);
		else
			unacceptable(tp, p);
		return false;
	}
	if (unlikely(th->flags & TCPH_RST)) {
		/* RFC 5961 3.2: exactly the next one, or it must be proven. */
		if (cb->seq == tp->rcv_nxt)
			reset_received(tp);
		else
			tcp_challenge_ack(tp);
		return false;
	}
	if (unlikely(th->flags & TCPH_SYN)) {
		/* The other half of a simultaneous open: its ACK is what counts. */
		if (tp->inet.state == TCP_SYN_RECV && (th->flags & TCPH_ACK) &&
		    cb->seq + 1 == tp->rcv_nxt && ntohl(th->ack) == tp->snd_nxt)
			return true;
		tcp_challenge_ack(tp);
		return false;
	}
	return th->flags & TCPH_ACK;
}

static bool
fin_acked(const struct tcp_sock *tp)
{
	return tp->fin_queued && tp->snd_una == tp->write_seq;
}

static u64
fin_timeout_ns(const struct tcp_sock *tp)
{
	u32 s = tp->linger2_s > 0 ? (u32)tp->linger2_s : tp->inet.net->tcp->fin_timeout_s;

	return (u64)s * NSEC_PER_SEC;
}

static bool
has_new_data(const struct tcp_sock *tp, const struct packet *p)
{
	const struct tcp_cb *cb = tcp_cb(p);

	return p->len && seq_after(cb->end_seq - !!(cb->flags & TCPH_FIN), tp->rcv_nxt);
}

/* Our FIN's acknowledgement moves the state on. False: the connection is over, p is dropped. */
static bool
states_by_ack(struct tcp_sock *tp, struct packet *p)
{
	switch (tp->inet.state) {
	case TCP_FIN_WAIT1:
		if (!fin_acked(tp))
			break;
		tcp_state_set(tp, TCP_FIN_WAIT2);
		tp->inet.shutdown |= INET_SHUT_WR;
		if (tp->inet.socket) {
			/* shutdown(2): the program may wait for this in close with SO_LINGER. */
			inet_sock_state_changed(&tp->inet);
			break;
		}
		if (tp->linger2_s < 0 || has_new_data(tp, p)) {
			/* Nobody will read it. */
			inet_count(TcpExtTCPAbortOnData);
			tcp_send_reset(tp);
			tcp_done(tp, 0);
			return false;
		}
		if (tcp_cb(p)->flags & TCPH_FIN)
			tcp_keep_timer_set(tp, fin_timeout_ns(tp));
		else
			tcp_time_wait(tp, TCP_FIN_WAIT2, fin_timeout_ns(tp));
		return tp->inet.state == TCP_FIN_WAIT2;
	case TCP_CLOSING:
		if (fin_acked(tp)) {
			tcp_time_wait(tp, TCP_TIME_WAIT, 0);
			return false;
		}
		break;
	case TCP_LAST_ACK:
		if (fin_acked(tp)) {
			tcp_done(tp, 0);
			return false;
		}
		break;
	}
	return true;
}

static void
ts_update(struct tcp_sock *tp, const struct tcp_cb *cb, const struct tcp_segopt *opt)
{
	/* RFC 7323 4.3: of segments at the left edge only, so that delayed ACKs are measured. */
	if (opt->has_ts && !seq_after(cb->seq, tp->last_ack_sent) &&
	    !seq_before(opt->ts_val, tp->ts_recent)) {
		tp->ts_recent = opt->ts_val;
		tp->ts_recent_ns = tp->now;
	}
}

static void
synchronized(struct tcp_sock *tp, struct packet *p, const struct tcp_header *th,
	     const struct tcp_segopt *opt)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (unlikely(!acceptable(tp, p, th, opt))) {
		drop(p);
		return;
	}
	if (likely(tp->ts_on))
		ts_update(tp, cb, opt);
	if (unlikely(tp->inet.state == TCP_SYN_RECV)) {
		u32 ack = ntohl(th->ack);

		if (!seq_after(ack, tp->snd_una) || seq_after(ack, tp->snd_nxt)) {
			struct tcp_reply r = { .src = tp->inet.local,
					       .dst = tp->inet.remote,
					       .src_port = tp->inet.local_port,
					       .dst_port = tp->inet.remote_port,
					       .seq = ack,
					       .flags = TCPH_RST };

			inet_count(TcpOutRsts);
			tcp_reply(tp->inet.net, &r);
			drop(p);
			return;
		}
		(void)tcp_ack(tp, p, opt);
		tp->snd_wnd = (u32)ntohs(th->window) << (th->flags & TCPH_SYN ? 0 : tp->snd_wscale);
		tp->snd_wl1 = cb->seq;
		tp->max_window = MAX(tp->max_window, tp->snd_wnd);
		tcp_established(tp);
		inet_sock_state_changed(&tp->inet);
		if (th->flags & TCPH_SYN)
			cb->seq++;
	} else if (unlikely(!tcp_ack(tp, p, opt))) {
		drop(p);
		return;
	}
	if (unlikely(tp->inet.state != TCP_ESTABLISHED) && !states_by_ack(tp, p)) {
		drop(p);
		return;
	}
	if (unlikely((th->flags & TCPH_URG) || tp->urg_state == TCP_URG_NOTYET))
		tcp_urgent_receive(tp, p, th);
	switch (tp->inet.state) {
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		/* The peer has said its last word; this is an old one. */
		if (cb->end_seq != cb->seq)
			tp->ack_now = true;
		drop(p);
		break;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		if ((tp->inet.shutdown & INET_SHUT_RD) && has_new_data(tp, p)) {
			inet_count(TcpExtTCPAbortOnData);
			tcp_send_reset(tp);
			reset_received(tp);
			drop(p);
			return;
		}
		__fallthrough;
	default: tcp_data(tp, p); break;
	}
	if (unlikely(tp->inet.state == TCP_CLOSE))
		return;
	if (!packet_queue_empty(&tp->send))
		tcp_push(tp);
	if (unlikely(tp->nospace) && tcp_write_room(tp)) {
		tp->nospace = false;
		inet_sock_writable(&tp->inet);
	}
	tcp_ack_check(tp);
}

void
tcp_sock_receive(struct tcp_sock *tp, struct packet *p)
{
	const struct tcp_header *th = tcp_header(p);
	u32 header = (u32)(th->offset >> 4) * 4;
	struct tcp_segopt opt = { .has_ts = false };

	if (unlikely(tp->inet.state == TCP_LISTEN)) {
		tcp_listener_receive(tp, p);
		return;
	}
	if (unlikely(tp->inet.state == TCP_CLOSE)) {
		tcp_reply_reset(p);
		drop(p);
		return;
	}
	if (unlikely(tp->inet.filter) && !inet_sock_filter(&tp->inet, p)) {
		drop(p);
		return;
	}
	u8 flags = th->flags;
	u32 seq = ntohl(th->seq);
	struct tcp_cb *cb = tcp_cb(p);

	tcp_clock(tp);
	tp->segs_in += MAX(p->gso_segs, 1);
	if (!likely(header == TCPH_LEN + TCP_TS_OPT_SPACE && tp->ts_on &&
		    tcp_segopt_parse_fast((const u8 *)(th + 1), TCP_TS_OPT_SPACE, &opt)) &&
	    header > TCPH_LEN)
		tcp_segopt_parse((const u8 *)(th + 1), header - TCPH_LEN, flags & TCPH_SYN, &opt);
	if (unlikely(!packet_pull(p, header))) {
		drop(p);
		return;
	}
	*cb = (struct tcp_cb){ .seq = seq, .end_seq = seq + p->len, .flags = flags };
	if (unlikely(flags & (TCPH_SYN | TCPH_FIN)))
		cb->end_seq += !!(flags & TCPH_SYN) + !!(flags & TCPH_FIN);
	/* Whoever sent this takes it back from its account: ours is charged now. */
	packet_orphan(p);
	if (unlikely(tp->inet.state == TCP_SYN_SENT))
		syn_sent(tp, p, th, &opt);
	else
		synchronized(tp, p, th, &opt);
}

void
tcp_backlog(struct inet_sock *sk, struct packet *p)
{
	tcp_sock_receive(tcp_sock(sk), p);
}

/* ---- demultiplexing ---- */

static void
deliver(struct tcp_sock *tp, struct packet *p)
{
	struct inet_sock *sk = &tp->inet;

	sock_bh_lock(sk);
	if (likely(!sk->owned))
		tcp_sock_receive(tp, p);
	else if (!sock_backlog_add(sk, p))
		inet_count(TcpExtTCPBacklogDrop);
	sock_bh_unlock(sk);
}

/* A new SYN for a connection in TIME-WAIT goes to the listener, and the old one makes room. */
static void
timewait_receive(struct tcp_timewait *tw, struct packet *p, u16 local_port, u16 remote_port)
{
	u32 isn;

	if (tcp_timewait_receive(tw, p, &isn) == TCP_TW_DONE)
		return;
	struct tcp_sock *l = tcp_listen_peek(p->dev->net, inet_cb(p), local_port, remote_port,
					     p->ifindex);
	if (!l) {
		tcp_reply_reset(p);
		drop(p);
		return;
	}
	tcp_timewait_kill(tw);
	tcp_listener_syn(l, p, isn);
}

int
tcp_receive(struct packet *p)
{
	const struct inet_cb *c = inet_cb(p);
	struct net_ns *net = p->dev->net;
	struct tcp_mini *mini;

	if (unlikely(p->pkt_type != PACKET_HOST))
		goto out_drop;
	inet_count_add(TcpInSegs, MAX(p->gso_segs, 1));
	if (unlikely(!packet_may_pull(p, TCPH_LEN)))
		goto out_error;
	u32 header = (u32)(tcp_header(p)->offset >> 4) * 4;
	if (unlikely(header < TCPH_LEN || header > p->len || !packet_may_pull(p, header)))
		goto out_error;
	if (unlikely(p->csum_state != CSUM_UNNECESSARY) &&
	    !packet_csum_valid(p, inet_pseudo_sum(&c->src, &c->dst, IPPROTO_TCP, p->len))) {
		inet_count(TcpInCsumErrors);
		goto out_error;
	}
	const struct tcp_header *th = tcp_header(p);
	u16 local_port = ntohs(th->dst_port), remote_port = ntohs(th->src_port);
	struct tcp_sock *tp = tcp_hash_peek(net, c, local_port, remote_port, p->ifindex, &mini);
	if (likely(tp)) {
		deliver(tp, p);
		return 0;
	}
	if (mini) {
		if (mini->kind == TCP_MINI_REQUEST)
			tcp_request_receive(container_of(mini, struct tcp_request, mini), p);
		else
			timewait_receive(container_of(mini, struct tcp_timewait, mini), p,
					 local_port, remote_port);
		tcp_mini_put(mini);
		return 0;
	}
	tp = tcp_listen_peek(net, c, local_port, remote_port, p->ifindex);
	if (tp) {
		deliver(tp, p);
		return 0;
	}
	tcp_reply_reset(p);
	goto out_drop;

out_error:
	inet_count(TcpInErrs);
out_drop:
	drop(p);
	return 0;
}

/* ---- ICMP ---- */

static void
mtu_reduced(struct tcp_sock *tp)
{
	u32 mtu = tp->mtu_info;

	if (tp->inet.state == TCP_CLOSE || !mtu)
		return;
	/* The path's table has learnt it already; what is under way is too long for it. */
	u32 now = inet_sock_mtu(&tp->inet);
	mtu = now ? MIN(mtu, now) : mtu;
	if (mtu >= tp->pmtu)
		return;
	tcp_clock(tp);
	tcp_sync_mss(tp, mtu);
	struct packet *p;
	packet_queue_for_each(p, &tp->rtx)
	{
		if (p->len > tp->mss_cache && !(tcp_cb(p)->marks & SEG_SACKED))
			tcp_mark_lost(tp, p);
	}
	tcp_retransmit_lost(tp);
}

/*
 * RFC 1122 4.2.3.9, RFC 5461: hard errors end a connection that is being made; later they only tell
 * why, when it ends. The sequence number must be of something under way (RFC 5927).
 */
void
tcp_error(struct packet *p, const struct inet_error *e)
{
	const struct inet_cb *c = inet_cb(p);
	struct tcp_header th;
	const u8 *bytes = packet_peek(p, 0, 8, &th);
	struct inet_cb back = { .src = c->dst, .dst = c->src };
	struct tcp_mini *mini;

	if (!bytes || !p->dev)
		return;
	memcpy(&th, bytes, 8);
	struct tcp_sock *tp = tcp_hash_peek(p->dev->net, &back, ntohs(th.src_port),
					    ntohs(th.dst_port), 0, &mini);
	if (mini)
		tcp_mini_put(mini);
	if (!tp)
		return;
	struct inet_sock *sk = &tp->inet;
	sock_bh_lock(sk);
	u32 seq = ntohl(th.seq);
	if (sk->state == TCP_CLOSE || sk->state == TCP_LISTEN ||
	    !seq_between(seq, tp->snd_una, tp->snd_nxt))
		goto out_unlock;
	if (e->error == EMSGSIZE) {
		tp->mtu_info = e->info;
		if (!sk->owned)
			mtu_reduced(tp);
		else
			sk->deferred |= TCP_DEFERRED_MTU;
		goto out_unlock;
	}
	bool setup = sk->state == TCP_SYN_SENT || sk->state == TCP_SYN_RECV;
	if (setup && !sk->owned)
		tcp_done(tp, e->error);
	else if (!sk->owned && (sk->recverr || sk->recverr6))
		inet_sock_error(sk, e->error);
	else
		sk->soft_error = e->error;
out_unlock:
	sock_bh_unlock(sk);
}

void
tcp_deferred(struct inet_sock *sk, u32 bits)
{
	struct tcp_sock *tp = tcp_sock(sk);

	if (bits & TCP_DEFERRED_MTU)
		mtu_reduced(tp);
	tcp_timers_deferred(tp, bits);
}
