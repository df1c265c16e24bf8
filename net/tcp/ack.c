/* SPDX-License-Identifier: MIT */
/*
 * What an acknowledgement says: the rtx queue is cleaned up to it, round trips are measured, the
 * window is taken over, cwnd grows, the timers follow. What it says about losses is recovery.c's.
 */
#include "tcp_internal.h"

void
tcp_rearm_rto(struct tcp_sock *tp)
{
	if (tp->packets_out)
		tcp_timer_set(tp, TCP_TIMER_RTO, tcp_rtt_rto_ns(&tp->rtt));
	else
		tcp_timer_set(tp, TCP_TIMER_NONE, 0);
}

/*
 * RFC 9293 3.10.7.4, "SND.WL1": the window of the latest segment. Of two with the same numbers,
 * which the network may have swapped, the larger window counts, as in Linux; but one that closes it
 * is believed.
 */
static bool
window_update(struct tcp_sock *tp, u32 seq, u32 ack, const struct tcp_header *th)
{
	u32 window = ntohs(th->window);

	if (likely(!(th->flags & TCPH_SYN)))
		window <<= tp->snd_wscale;
	if (!seq_after(ack, tp->snd_una) && !seq_after(seq, tp->snd_wl1) &&
	    !(seq == tp->snd_wl1 && (window > tp->snd_wnd || !window)))
		return false;
	tp->snd_wl1 = seq;
	if (tp->snd_wnd == window)
		return false;
	tp->snd_wnd = window;
	if (window > tp->max_window) {
		tp->max_window = window;
		tcp_sync_mss(tp, tp->pmtu);
	}
	return true;
}

/* Whole packets that are acknowledged go; of the next one the acknowledged front. */
static void
clean(struct tcp_sock *tp, struct tcp_ack_info *a)
{
	struct packet *p;

	while ((p = packet_queue_peek(&tp->rtx))) {
		struct tcp_cb *cb = tcp_cb(p);
		u32 segs = tcp_segs(p);

		if (seq_after(cb->end_seq, a->ack)) {
			if (seq_after(a->ack, cb->seq) && a->ack - cb->seq < p->len)
				(void)tcp_trim_head(tp, &p, a->ack - cb->seq);
			if (tcp_segs(p) < segs)
				a->acked_segs += segs - tcp_segs(p);
			break;
		}
		if (cb->marks & SEG_SACKED) {
			tp->sacked_out -= segs;
		} else {
			if (likely(!(cb->marks & SEG_RETRANSD))) {
				if (!a->first_sent_ns)
					a->first_sent_ns = cb->sent_ns;
				a->last_sent_ns = cb->sent_ns;
			} else {
				a->retrans_acked = true;
			}
			tcp_delivered(tp, p, a);
		}
		if (cb->flags & TCPH_SYN)
			tp->retrans_ts = 0;
		tp->packets_out -= segs;
		a->acked_segs += segs;
		if (tp->sack_high == p)
			tp->sack_high = NULL;
		packet_unlink_locked(&tp->rtx, p);
		tcp_packet_free(tp, p);
	}
}

static void
measure(struct tcp_sock *tp, const struct tcp_ack_info *a)
{
	u64 rtt_us;

	if (likely(a->first_sent_ns)) {
		/* The first, so that a delayed acknowledgement's wait is part of it. */
		rtt_us = (tp->now - a->first_sent_ns) / 1000;
	} else if (a->has_ts && a->ts_ecr && a->acked_segs) {
		/* Karn's algorithm needs no exception where the echo tells which one it was. */
		rtt_us = (u64)(tcp_ts_now(tp) - a->ts_ecr) * 1000;
	} else if (a->sack_rtt_us) {
		rtt_us = a->sack_rtt_us;
	} else {
		return;
	}
	tcp_rtt_sample(&tp->rtt, (u32)MIN(rtt_us, (u64)TCP_RTO_MAX_US), tp->now);
	tp->rtt.backoff = 0;
	tp->cong.srtt_us = tcp_rtt_srtt(&tp->rtt);
}

static void
send_buffer_grow(struct tcp_sock *tp)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	struct socket *s = rcu_dereference(tp->inet.socket);
	u64 want;

	if (tp->sndbuf_locked)
		return;
	/* Two windows of data with what describes it. */
	want = 2ul * (tp->mss_cache + PACKET_HEADROOM + sizeof(struct packet)) *
	       MAX(tp->cong.cwnd, TCP_INIT_CWND);
	if (want <= tp->sndbuf || tp->sndbuf >= net->wmem[2])
		return;
	tp->sndbuf = (u32)MIN(want, (u64)net->wmem[2]);
	if (s)
		s->sndbuf = tp->sndbuf_seen = tp->sndbuf;
}

bool
tcp_ack(struct tcp_sock *tp, struct packet *p, const struct tcp_segopt *opt)
{
	const struct tcp_header *th = tcp_header(p);
	u32 seq = tcp_cb(p)->seq;
	struct tcp_ack_info a = {
		.ack = ntohl(th->ack),
		.prior_una = tp->snd_una,
		.prior_delivered = tp->delivered,
		.has_ts = opt->has_ts && tp->ts_on,
		.ts_ecr = opt->ts_ecr,
		.data = tcp_cb(p)->end_seq != seq,
	};

	if (unlikely(seq_before(a.ack, tp->snd_una))) {
		/* RFC 5961 5.2: too old to be a straggler. */
		if (seq_before(a.ack, tp->snd_una - tp->max_window)) {
			tcp_challenge_ack(tp);
			return false;
		}
		if (opt->nr_sacks && tp->packets_out) {
			tcp_sack_receive(tp, opt, &a);
			tcp_recover(tp, &a);
		}
		return true;
	}
	if (unlikely(seq_after(a.ack, tp->snd_nxt))) {
		tcp_challenge_ack(tp);
		return false;
	}
	tp->last_ack_recv_ns = tp->now;
	a.advanced = a.ack != tp->snd_una;
	if (a.advanced)
		tp->retransmits = 0;
	a.window_update = window_update(tp, seq, a.ack, th);
	tp->bytes_acked += a.ack - tp->snd_una;
	tp->snd_una = a.ack;
	tp->probes_out = 0;
	if (unlikely(tp->timer_mode == TCP_TIMER_PROBE && !tp->packets_out)) {
		struct packet *next = packet_queue_peek(&tp->send);

		/* The window has opened, or not: the timer goes on, as slowly as it has become. */
		if (!next || !seq_after(tcp_cb(next)->end_seq, a.ack + tp->snd_wnd)) {
			tp->rtt.backoff = 0;
			tcp_timer_set(tp, TCP_TIMER_NONE, 0);
		} else {
			tcp_timer_set(tp, TCP_TIMER_PROBE, tcp_rtt_rto_ns(&tp->rtt));
		}
	}
	if (unlikely(tp->snd_urgent) && !seq_before(a.ack, tp->snd_up))
		tp->snd_urgent = false;
	if (!tp->packets_out) {
		if (tp->tlp_seq)
			tcp_tlp_ack(tp, &a);
		return true;
	}
	if (unlikely(opt->nr_sacks && tp->sack_on))
		tcp_sack_receive(tp, opt, &a);
	if (a.advanced) {
		clean(tp, &a);
		measure(tp, &a);
		send_buffer_grow(tp);
	}
	if (unlikely(tp->tlp_seq))
		tcp_tlp_ack(tp, &a);
	bool dup = !a.advanced && !a.data && !a.window_update;
	if (unlikely(tp->ca_state != TCP_CA_OPEN || a.newly_sacked || a.dsack ||
		     (dup && !tp->sack_on) || tp->sacked_out || tp->lost_out))
		tcp_recover(tp, &a);
	u32 newly = tp->delivered - a.prior_delivered;
	if (a.advanced && tp->ca_state < TCP_CA_CWR && newly && tp->cwnd_limited)
		tp->cong.ops->acked(&tp->cong, newly, tp->now);
	else if (a.advanced && tp->ca_state == TCP_CA_LOSS && newly)
		tp->cong.ops->acked(&tp->cong, newly, tp->now);
	/* RACK has armed the timer for itself, or it runs from now. */
	if (a.advanced && !(tp->timer_mode == TCP_TIMER_REO && tp->packets_out)) {
		if (!tcp_tlp_schedule(tp))
			tcp_rearm_rto(tp);
	}
	return true;
}
