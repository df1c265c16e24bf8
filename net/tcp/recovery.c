/* SPDX-License-Identifier: MIT */
/*
 * What is lost, and what follows.
 *
 * Marks. Each packet of the rtx queue is SACKED (the peer has it out of order), LOST, RETRANS (sent
 * again, on its way). The counters are in segments, and
 *	in flight = packets_out - sacked_out - lost_out + retrans_out
 * Packets neither SACKED nor LOST, or sent again, are also in sent_order, by time of sending, which
 * is what RACK (RFC 8985) walks: a packet is lost when one sent later was delivered a reordering
 * window ago. Without SACK three duplicate acknowledgements mean that the first is lost (RFC 6582);
 * sacked_out then counts the duplicates.
 *
 * States, as in TCP_INFO: OPEN; DISORDER (something came out of order); RECOVERY (fast retransmit:
 * cwnd falls to ssthresh by proportional rate reduction, RFC 6937); LOSS (the timer ran out: all is
 * lost, slow start); CWR (reduction without loss). They end when high_seq, what was sent when they
 * began, is acknowledged.
 *
 * Undo. If the retransmissions turn out needless (D-SACKs for each of them, RFC 3708; or an
 * acknowledgement that echoes a time before the first of them, RFC 3522), cwnd and ssthresh return.
 */
#include "lib/string.h"
#include "tcp_internal.h"

#define DUP_THRESHOLD 3u

void
tcp_recovery_reset(struct tcp_sock *tp)
{
	tp->sacked_out = tp->lost_out = tp->retrans_out = tp->packets_out = 0;
	tp->sack_high = NULL;
	tp->undo_marker = 0;
	tp->tlp_seq = 0;
	tp->dup_acks = 0;
	tp->ca_state = TCP_CA_OPEN;
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
	list_init(&tp->sent_order);
}

/* ---- marks ---- */

void
tcp_delivered(struct tcp_sock *tp, struct packet *p, struct tcp_ack_info *a)
{
	struct tcp_cb *cb = tcp_cb(p);
	u32 segs = tcp_segs(p);

	if (unlikely(cb->marks & SEG_LOST))
		tp->lost_out -= segs;
	if (unlikely(cb->marks & SEG_RETRANS))
		tp->retrans_out -= segs;
	if (!list_empty(&cb->sent))
		list_del_init(&cb->sent);
	tp->delivered += segs;
	/* The echo is not before this sending: it answers the retransmission. */
	bool proves = a->has_ts &&
		      !seq_before(a->ts_ecr, (u32)(cb->sent_ns / 1000000) + tp->ts_offset);
	tcp_rack_delivered(&tp->rack, cb->sent_ns, cb->end_seq, cb->marks & SEG_RETRANSD, proves,
			   tcp_rtt_min(&tp->rtt), tp->now);
}

void
tcp_mark_lost(struct tcp_sock *tp, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (cb->marks & SEG_SACKED)
		return;
	if (cb->marks & SEG_RETRANS) {
		/* The retransmission was lost as well. */
		cb->marks &= (u8)~SEG_RETRANS;
		tp->retrans_out -= tcp_segs(p);
	}
	if (!(cb->marks & SEG_LOST)) {
		cb->marks |= SEG_LOST;
		tp->lost_out += tcp_segs(p);
	}
	if (!list_empty(&cb->sent))
		list_del_init(&cb->sent);
}

static void
mark_sacked(struct tcp_sock *tp, struct packet *p, struct tcp_ack_info *a)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (!(cb->marks & SEG_RETRANSD)) {
		/* Delivered behind something SACKed before: the network reorders. */
		if (tp->sack_high && seq_before(cb->seq, tcp_cb(tp->sack_high)->seq)) {
			a->reordered = true;
			tp->rack.reordering_seen = true;
		}
		a->sack_rtt_us = (u32)((tp->now - cb->sent_ns) / 1000);
	}
	tcp_delivered(tp, p, a);
	cb->marks &= (u8) ~(SEG_LOST | SEG_RETRANS);
	cb->marks |= SEG_SACKED;
	tp->sacked_out += tcp_segs(p);
	a->newly_sacked += tcp_segs(p);
	if (!tp->sack_high || seq_after(cb->seq, tcp_cb(tp->sack_high)->seq))
		tp->sack_high = p;
}

/* Mark what a block covers; packets that it covers in part are cut where a segment ends. */
static void
sack_block(struct tcp_sock *tp, u32 start, u32 end, struct tcp_ack_info *a)
{
	struct packet *p = packet_queue_peek(&tp->rtx);
	u32 mss = tp->mss_cache - (tp->ts_on ? TCP_TS_OPT_SPACE : 0);

	if (tp->sack_high && seq_after_eq(start, tcp_cb(tp->sack_high)->seq))
		p = tp->sack_high;
	for (; p; p = packet_queue_next(&tp->rtx, p)) {
		struct tcp_cb *cb = tcp_cb(p);

		if (!seq_before(cb->seq, end))
			break;
		if (!seq_after(cb->end_seq, start))
			continue;
		if (cb->marks & SEG_SACKED)
			continue;
		if (seq_before(cb->seq, start)) {
			/* The front is not covered. */
			u32 n = start - cb->seq;

			if (tcp_segs(p) < 2 || n >= p->len ||
			    tcp_fragment(tp, &tp->rtx, &p, n, mss))
				continue;
			continue;
		}
		if (seq_after(cb->end_seq, end)) {
			u32 n = end - cb->seq;

			if (tcp_segs(p) > 1 && n < mss)
				break;
			n -= n % mss;
			if (!n || n >= p->len || tcp_fragment(tp, &tp->rtx, &p, n, mss))
				break;
		}
		mark_sacked(tp, p, a);
	}
}

static bool
block_seen(const struct tcp_sock *tp, const struct tcp_sack_range *r)
{
	for (u32 i = 0; i < TCP_SACK_MAX; i++) {
		if (tp->sack_seen[i].start == r->start && tp->sack_seen[i].end == r->end)
			return true;
	}
	return false;
}

/* RFC 2883: the first block tells of a duplicate if it is acknowledged, or lies in the second. */
static bool
is_dsack(const struct tcp_segopt *opt, u32 ack)
{
	const struct tcp_sack_range *r = opt->sacks;

	if (seq_before(r[0].start, ack))
		return true;
	return opt->nr_sacks > 1 && seq_after_eq(r[0].start, r[1].start) &&
	       seq_before_eq(r[0].end, r[1].end);
}

void
tcp_sack_receive(struct tcp_sock *tp, const struct tcp_segopt *opt, struct tcp_ack_info *a)
{
	u32 first = 0;

	if (is_dsack(opt, a->ack)) {
		a->dsack = true;
		tp->dsack_dups++;
		if (tp->undo_marker && tp->undo_retrans > 0 &&
		    !seq_before(opt->sacks[0].start, tp->undo_marker))
			tp->undo_retrans--;
		tcp_rack_dsack(&tp->rack, tp->snd_una, tp->snd_nxt);
		first = 1;
	}
	for (u32 i = first; i < opt->nr_sacks; i++) {
		const struct tcp_sack_range *r = &opt->sacks[i];

		/* Only what was sent, is not acknowledged and makes sense. */
		if (!seq_before(r->start, r->end) || seq_after(r->end, tp->snd_nxt) ||
		    seq_before(r->start, a->ack) || seq_before(r->start, tp->snd_una))
			continue;
		if (!block_seen(tp, r))
			sack_block(tp, r->start, r->end, a);
	}
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
	for (u32 i = first; i < opt->nr_sacks; i++)
		tp->sack_seen[i] = opt->sacks[i];
}

/* ---- detection ---- */

static u32
reo_window_us(const struct tcp_sock *tp)
{
	return tcp_rack_reo_window_us(&tp->rack, tcp_rtt_min(&tp->rtt), tcp_rtt_srtt(&tp->rtt),
				      tp->ca_state >= TCP_CA_RECOVERY ||
					      tp->sacked_out >= DUP_THRESHOLD);
}

/* Marks what is lost by now; the time until the next one may be, in ns (0: none). */
static u64
rack_detect(struct tcp_sock *tp)
{
	u32 window = reo_window_us(tp);
	struct tcp_cb *cb, *next;
	s64 timeout = 0;

	if (!tp->rack.xmit_ns)
		return 0;
	list_for_each_entry_safe(cb, next, &tp->sent_order, sent)
	{
		if (!tcp_rack_sent_after(tp->rack.xmit_ns, tp->rack.end_seq, cb->sent_ns,
					 cb->end_seq))
			break;
		s64 left = tcp_rack_remaining_ns(&tp->rack, cb->sent_ns, window, tp->now);
		if (left <= 0)
			tcp_mark_lost(tp, container_of((void *)cb, struct packet, cb));
		else
			timeout = MAX(timeout, left);
	}
	return (u64)timeout;
}

static void
detect(struct tcp_sock *tp)
{
	if (tp->sack_on) {
		u64 timeout = rack_detect(tp);

		if (timeout)
			tcp_timer_set(tp, TCP_TIMER_REO, timeout + TCP_TLP_MIN_NS);
		else if (tp->timer_mode == TCP_TIMER_REO)
			tcp_rearm_rto(tp);
	} else if (tp->sacked_out >= DUP_THRESHOLD && tp->ca_state < TCP_CA_RECOVERY) {
		tcp_mark_lost(tp, packet_queue_peek(&tp->rtx));
	}
}

/* ---- the states ---- */

static void
undo_init(struct tcp_sock *tp)
{
	tp->undo_marker = tp->snd_una;
	tp->undo_retrans = tp->retrans_out ? (s32)tp->retrans_out : -1;
	if (!tp->retrans_out)
		tp->retrans_ts = 0;
}

static bool
may_undo(const struct tcp_sock *tp, const struct tcp_ack_info *a)
{
	if (!tp->undo_marker)
		return false;
	return tp->undo_retrans == 0 ||
	       (tp->retrans_ts && a->has_ts && a->ts_ecr && seq_before(a->ts_ecr, tp->retrans_ts));
}

static void
undo(struct tcp_sock *tp, bool unmark)
{
	if (unmark) {
		struct packet *p;

		packet_queue_for_each(p, &tp->rtx)
		{
			struct tcp_cb *cb = tcp_cb(p);

			if (!(cb->marks & SEG_LOST))
				continue;
			cb->marks &= (u8)~SEG_LOST;
			if (list_empty(&cb->sent))
				list_add_tail(&cb->sent, &tp->sent_order);
		}
		tp->lost_out = 0;
	}
	tp->cong.cwnd = MAX(tp->cong.cwnd, tp->cong.prior_cwnd);
	if (tp->cong.prior_ssthresh > tp->cong.ssthresh)
		tp->cong.ssthresh = tp->cong.prior_ssthresh;
	tp->undo_marker = 0;
	tp->rack.reo_steps = MAX(tp->rack.reo_steps, 1);
}

static void
reduction_begin(struct tcp_sock *tp)
{
	tp->high_seq = tp->snd_nxt;
	tp->cong.prior_cwnd = tp->cong.cwnd;
	tp->cong.prior_ssthresh = tp->cong.ssthresh;
	tp->prr_delivered = tp->prr_out = 0;
	tp->cong.cwnd_count = 0;
	tp->tlp_seq = 0;
	tp->cong.ssthresh = tp->cong.ops->ssthresh(&tp->cong);
}

void
tcp_enter_cwr(struct tcp_sock *tp)
{
	tp->cong.prior_ssthresh = 0;
	if (tp->ca_state < TCP_CA_CWR) {
		tp->undo_marker = 0;
		reduction_begin(tp);
		tp->ca_state = TCP_CA_CWR;
	}
}

static void
enter_recovery(struct tcp_sock *tp)
{
	if (tp->sack_on)
		inet_count(TcpExtTCPSackRecovery);
	undo_init(tp);
	if (tp->ca_state < TCP_CA_CWR)
		reduction_begin(tp);
	else
		tp->high_seq = tp->snd_nxt;
	tp->ca_state = TCP_CA_RECOVERY;
}

static void
prr(struct tcp_sock *tp, u32 newly, bool advanced)
{
	s32 delta = (s32)(tp->cong.ssthresh - tcp_in_flight(tp));
	s32 count;

	if (!newly || !tp->cong.prior_cwnd)
		return;
	tp->prr_delivered += newly;
	if (delta < 0) {
		u64 quotient = ((u64)tp->cong.ssthresh * tp->prr_delivered + tp->cong.prior_cwnd -
				1) /
			       tp->cong.prior_cwnd;

		count = (s32)((u32)quotient - tp->prr_out);
	} else {
		count = MAX((s32)(tp->prr_delivered - tp->prr_out), (s32)newly);
		if (advanced)
			count++;
		count = MIN(delta, count);
	}
	count = MAX(count, tp->prr_out ? 0 : 1);
	tp->cong.cwnd = tcp_in_flight(tp) + (u32)count;
}

static void
leave(struct tcp_sock *tp, const struct tcp_ack_info *a)
{
	bool lost = tp->ca_state == TCP_CA_LOSS, undone = false;

	if (tp->ca_state >= TCP_CA_RECOVERY && may_undo(tp, a)) {
		if (lost)
			inet_count(TcpExtTCPSpuriousRTOs);
		undo(tp, lost);
		undone = true;
	} else if (!lost && tp->cong.ssthresh < TCP_SSTHRESH_MAX &&
		   tp->ca_state != TCP_CA_DISORDER) {
		tp->cong.cwnd = MIN(tp->cong.cwnd, tp->cong.ssthresh);
		tp->cong.cwnd = MAX(tp->cong.cwnd, tp->cong.ssthresh);
	}
	if (tp->ca_state == TCP_CA_RECOVERY && !undone)
		tcp_rack_recovery_ended(&tp->rack);
	if (!tp->sack_on)
		tp->sacked_out = 0;
	tp->undo_marker = 0;
	tp->retrans_ts = 0;
	tp->ca_state = tp->sacked_out ? TCP_CA_DISORDER : TCP_CA_OPEN;
}

/* Without SACK each duplicate says that one more segment has left the network. */
static void
count_duplicates(struct tcp_sock *tp, const struct tcp_ack_info *a)
{
	if (a->advanced) {
		u32 gone = a->acked_segs > 1 ? a->acked_segs - 1 : 0;

		tp->sacked_out -= MIN(gone, tp->sacked_out);
		if (tp->ca_state <= TCP_CA_DISORDER)
			tp->sacked_out = 0;
	} else if (!a->data && !a->window_update && tp->packets_out &&
		   tp->sacked_out + tp->lost_out < tp->packets_out) {
		tp->sacked_out++;
		tp->delivered++;
	}
	/* Never more than there are. */
	if (tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out - MIN(tp->lost_out, tp->packets_out);
}

void
tcp_recover(struct tcp_sock *tp, struct tcp_ack_info *a)
{
	struct packet *head;

	if (!tp->sack_on)
		count_duplicates(tp, a);
	if (tp->ca_state != TCP_CA_OPEN && !seq_before(tp->snd_una, tp->high_seq) &&
	    (a->advanced || !tp->packets_out))
		leave(tp, a);
	head = packet_queue_peek(&tp->rtx);
	if (tp->ca_state >= TCP_CA_RECOVERY && may_undo(tp, a)) {
		/* The original came through after all. */
		if (tp->ca_state == TCP_CA_LOSS)
			inet_count(TcpExtTCPSpuriousRTOs);
		undo(tp, true);
		tp->ca_state = tp->sacked_out ? TCP_CA_DISORDER : TCP_CA_OPEN;
	} else if (tp->ca_state >= TCP_CA_RECOVERY && !tp->sack_on && a->advanced && head) {
		/* RFC 6582: a partial acknowledgement tells of the next hole. */
		tcp_mark_lost(tp, head);
	}
	if (head)
		detect(tp);
	if (tp->ca_state < TCP_CA_RECOVERY) {
		if (tp->lost_out)
			enter_recovery(tp);
		else if (tp->ca_state <= TCP_CA_DISORDER)
			tp->ca_state = tp->sacked_out ? TCP_CA_DISORDER : TCP_CA_OPEN;
		if (tp->ca_state == TCP_CA_DISORDER)
			tp->high_seq = tp->snd_nxt;
	}
	if (tp->ca_state == TCP_CA_CWR || tp->ca_state == TCP_CA_RECOVERY)
		prr(tp, tp->delivered - a->prior_delivered, a->advanced);
	tcp_retransmit_lost(tp);
}

void
tcp_enter_loss(struct tcp_sock *tp)
{
	struct packet *p = packet_queue_peek(&tp->rtx);

	if (!p)
		return;
	if (tp->ca_state <= TCP_CA_DISORDER || !seq_after(tp->high_seq, tp->snd_una) ||
	    (tp->ca_state == TCP_CA_LOSS && !tp->retransmits)) {
		reduction_begin(tp);
		if (tp->cong.ops->timeout)
			tp->cong.ops->timeout(&tp->cong);
		undo_init(tp);
	}
	if (tcp_cb(p)->marks & SEG_SACKED) {
		/* The first is SACKed and still not acknowledged: the peer has thrown away what it
		 * had out of order (it may, RFC 2018 8). */
		packet_queue_for_each(p, &tp->rtx) tcp_cb(p)->marks &= (u8)~SEG_SACKED;
		tp->sacked_out = 0;
		tp->sack_high = NULL;
	}
	if (!tp->sack_on)
		tp->sacked_out = 0;
	packet_queue_for_each(p, &tp->rtx) tcp_mark_lost(tp, p);
	tp->cong.cwnd = tcp_in_flight(tp) + 1;
	tp->cong.cwnd_count = 0;
	tp->ca_state = TCP_CA_LOSS;
	tp->high_seq = tp->snd_nxt;
	tp->tlp_seq = 0;
	memset(tp->sack_seen, 0, sizeof(tp->sack_seen));
}

void
tcp_retransmit_lost(struct tcp_sock *tp)
{
	struct packet *p, *next;
	u32 left = tp->lost_out - MIN(tp->retrans_out, tp->lost_out);

	if (!tp->lost_out)
		return;
	for (p = packet_queue_peek(&tp->rtx); p && left; p = next) {
		u32 flight = tcp_in_flight(tp);

		if (flight >= tp->cong.cwnd)
			break;
		if ((tcp_cb(p)->marks & (SEG_LOST | SEG_RETRANS | SEG_SACKED)) != SEG_LOST) {
			next = packet_queue_next(&tp->rtx, p);
			continue;
		}
		u32 seq = tcp_cb(p)->seq;
		struct packet *prev = p->prev == (struct packet *)&tp->rtx ? NULL : p->prev;
		if (tcp_retransmit(tp, p, tp->cong.cwnd - flight))
			break;
		inet_count(TcpExtTCPFastRetrans);
		/* p may have been replaced or cut. */
		p = prev ? packet_queue_next(&tp->rtx, prev) : packet_queue_peek(&tp->rtx);
		if (!p || tcp_cb(p)->seq != seq)
			break;
		left -= MIN(left, tcp_segs(p));
		next = packet_queue_next(&tp->rtx, p);
		if (tp->timer_mode != TCP_TIMER_RTO && tp->timer_mode != TCP_TIMER_REO)
			tcp_rearm_rto(tp);
	}
}

/* The reordering window of something has passed. */
void
tcp_rack_timeout(struct tcp_sock *tp)
{
	u32 before = tp->lost_out;

	(void)rack_detect(tp);
	if (tp->lost_out > before) {
		if (tp->ca_state < TCP_CA_RECOVERY) {
			enter_recovery(tp);
			prr(tp, 1, false);
		}
		tcp_retransmit_lost(tp);
	}
	if (tp->timer_mode != TCP_TIMER_RTO)
		tcp_rearm_rto(tp);
}

/* ---- tail loss probe ---- */

bool
tcp_tlp_schedule(struct tcp_sock *tp)
{
	if (!tp->packets_out || !tp->sack_on || tp->ca_state > TCP_CA_DISORDER || tp->tlp_seq ||
	    tp->sacked_out || tp->retransmits || tp->inet.state == TCP_SYN_SENT ||
	    tp->timer_mode == TCP_TIMER_REO)
		return false;
	tcp_timer_set(tp, TCP_TIMER_TLP,
		      tcp_tlp_timeout_ns(tcp_rtt_srtt(&tp->rtt), tp->packets_out,
					 tcp_rtt_rto_ns(&tp->rtt)));
	return true;
}

void
tcp_tlp_send(struct tcp_sock *tp)
{
	u32 mss = tcp_current_mss(tp), out = tp->packets_out;
	struct packet *p = packet_queue_peek(&tp->send);

	if (!out || tp->tlp_seq) {
		tcp_rearm_rto(tp);
		return;
	}
	tp->tlp_retrans = false;
	if (p)
		tcp_write_xmit(tp, mss, TCP_NAGLE_OFF, 1, true);
	if (tp->packets_out == out) {
		/* Nothing new: the last segment again. */
		p = packet_queue_peek_tail(&tp->rtx);
		if (tcp_segs(p) > 1 && p->len > mss) {
			u32 n = (tcp_segs(p) - 1) * mss;

			if (n < p->len && tcp_fragment(tp, &tp->rtx, &p, n, mss)) {
				tcp_rearm_rto(tp);
				return;
			}
			p = packet_queue_peek_tail(&tp->rtx);
		}
		if (tcp_retransmit(tp, p, 1)) {
			tcp_rearm_rto(tp);
			return;
		}
		tp->tlp_retrans = true;
	}
	inet_count(TcpExtTCPLossProbes);
	tp->tlp_seq = tp->snd_nxt;
	tcp_rearm_rto(tp);
}

void
tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_info *a)
{
	if (seq_before(a->ack, tp->tlp_seq))
		return;
	if (!tp->tlp_retrans || a->dsack) {
		/* New data was the probe, or the original had come through. */
		tp->tlp_seq = 0;
	} else if (seq_after(a->ack, tp->tlp_seq)) {
		/* No word of a duplicate: the probe repaired a loss that nobody would have told of.
		 */
		tp->tlp_seq = 0;
		tcp_enter_cwr(tp);
		if (tp->ca_state == TCP_CA_CWR) {
			tp->cong.cwnd = MAX(tp->cong.ssthresh, 1u);
			tp->ca_state = TCP_CA_OPEN;
		}
	} else if (!a->advanced && !a->newly_sacked) {
		tp->tlp_seq = 0;
	}
}

/* Nothing was under way for longer than a time-out: RFC 5681 4.1. */
void
tcp_cwnd_idle(struct tcp_sock *tp)
{
	u64 idle = tp->now - tp->last_send_ns, rto = tcp_rtt_rto_ns(&tp->rtt);
	u32 restart = MIN(TCP_INIT_CWND, tp->cong.cwnd), cwnd = tp->cong.cwnd;

	if (tp->last_send_ns && tp->cong.ops->resumed)
		tp->cong.ops->resumed(&tp->cong, idle);
	if (!tp->inet.net->tcp->slow_start_after_idle || !tp->last_send_ns)
		return;
	tp->cong.ssthresh = MAX(tp->cong.ssthresh, cwnd / 2 + cwnd / 4);
	for (; idle > rto && cwnd > restart; idle -= rto)
		cwnd /= 2;
	tp->cong.cwnd = MAX(cwnd, restart);
	tp->cwnd_limited = false;
}
