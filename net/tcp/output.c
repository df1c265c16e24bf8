/* SPDX-License-Identifier: MIT */
/*
 * Segments are made, cut, sent and sent again.
 *
 * What the program writes lies in the send queue in packets of up to tcp_gso_max bytes, without
 * headers. To send one, a second description of its bytes is made, headers are pushed in front of
 * that (the queued one never uses its head room, so the clone may have it: PACKET_F_HEAD_FREE), and
 * the packet itself moves to the rtx queue, where it waits for its acknowledgement. A packet of
 * several segments goes down as one, and the device, or the last step before it, cuts it.
 */
#include "core/random.h"
#include "lib/string.h"
#include "mm/page.h"
#include "tcp_internal.h"

/* Payload of one segment by path MTU and what the peer takes, options not counted. */
void
tcp_sync_mss(struct tcp_sock *tp, u32 pmtu)
{
	u32 mss = pmtu - MIN(pmtu, inet_sock_header_len(&tp->inet) + TCPH_LEN);

	mss = MIN(mss, (u32)tp->mss_clamp);
	/* Never more than half of the largest window: two segments in flight keep a peer's delayed
	 * ACKs going. */
	if (tp->max_window > 536)
		mss = MIN(mss, MAX(tp->max_window / 2, 68u));
	tp->mss_cache = MAX(mss, 48u);
	tp->pmtu = pmtu;
}

static u32
options_len(const struct tcp_sock *tp)
{
	u32 n = tp->ts_on ? TCP_TS_OPT_SPACE : 0;

	if (unlikely(tp->nr_sacks || tp->dsack)) {
		u32 blocks = MIN((TCP_SEGOPT_MAX - n - TCP_SACK_HEAD) / TCP_SACK_BLOCK,
				 (u32)tp->nr_sacks + tp->dsack);

		n += TCP_SACK_HEAD + blocks * TCP_SACK_BLOCK;
	}
	return n;
}

u32
tcp_current_mss(struct tcp_sock *tp)
{
	u32 mtu = inet_sock_mtu(&tp->inet);

	if (unlikely(mtu && mtu != tp->pmtu))
		tcp_sync_mss(tp, mtu);
	return tp->mss_cache - options_len(tp);
}

/* Bytes that one packet of the send queue may have. */
u32
tcp_gso_max(const struct tcp_sock *tp)
{
	u32 mss = tp->mss_cache - (tp->ts_on ? TCP_TS_OPT_SPACE : 0);
	u32 max = 65535 - 40 - TCPH_LENMAX;

	/* Half of the window at most, so that the peer is never starved by one large packet. */
	if (tp->max_window)
		max = MIN(max, MAX(tp->max_window / 2, mss));
	return mss >= max ? mss : max - max % mss;
}

void
tcp_packet_free(struct tcp_sock *tp, struct packet *p)
{
	tp->wmem -= p->truesize;
	packet_free(p);
}

void
tcp_queue_purge(struct tcp_sock *tp, struct packet_queue *q)
{
	struct packet *p;

	while ((p = packet_queue_take_locked(q)))
		tcp_packet_free(tp, p);
}

/* ---- headers ---- */

static u16
window_field(struct tcp_sock *tp, u8 flags)
{
	u32 window = tcp_select_window(tp);

	/* RFC 7323 2.2: a SYN's window is not scaled. */
	if (flags & TCPH_SYN)
		return (u16)MIN(window, 65535u);
	return (u16)(window >> tp->rcv_wscale);
}

static u32
syn_options(struct tcp_sock *tp, u8 *to, u8 flags)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	bool reply = flags & TCPH_ACK;
	struct tcp_segopt_syn o = {
		.mss = tp->advmss,
		.sack_ok = reply ? tp->sack_on : net->sack,
		.has_ts = reply ? tp->ts_on : net->timestamps,
		.has_wscale = reply ? tp->wscale_on : net->window_scaling,
		.wscale = tp->rcv_wscale,
		.ts_val = tcp_ts_now(tp),
		.ts_ecr = tp->ts_recent,
	};

	return tcp_segopt_build_syn(to, &o);
}

static u32
data_options(struct tcp_sock *tp, u8 *to)
{
	u32 n = 0;

	if (likely(tp->ts_on))
		n = tcp_segopt_build_ts(to, tcp_ts_now(tp), tp->ts_recent);
	if (unlikely(tp->nr_sacks || tp->dsack)) {
		u32 room = (TCP_SEGOPT_MAX - n - TCP_SACK_HEAD) / TCP_SACK_BLOCK;
		u32 count = MIN(room, (u32)tp->nr_sacks + tp->dsack);

		/* sacks[0] is the duplicate's place. */
		n += tcp_segopt_build_sacks(to + n, tp->dsack ? tp->sacks : tp->sacks + 1, count);
		tp->dsack = false;
	}
	return n;
}

static void
data_sent(struct tcp_sock *tp)
{
	/* RFC 5681 4.1: after a pause the window is not to be trusted. */
	if (!tp->packets_out && tp->now - tp->last_send_ns > tcp_rtt_rto_ns(&tp->rtt))
		tcp_cwnd_idle(tp);
	tp->last_send_ns = tp->now;
	/* An answer soon after a question: this is a conversation. */
	if (tp->now - tp->last_recv_ns < (u64)tp->ato_us * 1000)
		tp->pingpong = true;
}

static void
ack_sent(struct tcp_sock *tp)
{
	if (tp->quick)
		tp->quick--;
	tp->ack_pending = tp->ack_now = false;
	tp->rcv_unacked_segs = 0;
	tp->last_ack_sent = tp->rcv_nxt;
	net_timer_stop(&tp->ack_timer);
}

/* Put a header before q and send it. Takes over q. */
static int
transmit(struct tcp_sock *tp, struct packet *q, u32 seq, u8 flags)
{
	u8 options[TCP_SEGOPT_MAX];
	u32 n = unlikely(flags & TCPH_SYN) ? syn_options(tp, options, flags)
					   : data_options(tp, options);
	u32 payload = q->len;
	struct tcp_header *th = packet_push(q, TCPH_LEN + n);

	packet_set_transport(q);
	memcpy(th + 1, options, n);
	th->src_port = htons(tp->inet.local_port);
	th->dst_port = htons(tp->inet.remote_port);
	th->seq = htonl(seq);
	th->ack = flags & TCPH_ACK ? htonl(tp->rcv_nxt) : 0;
	th->offset = (u8)((TCPH_LEN + n) << 2);
	th->window = htons(window_field(tp, flags));
	th->urgent = 0;
	if (unlikely(tp->snd_urgent)) {
		/* RFC 6093: the pointer is behind the urgent byte. */
		if (seq_before(seq, tp->snd_up) && tp->snd_up - seq <= 0xffff) {
			th->urgent = htons((u16)(tp->snd_up - seq));
			flags |= TCPH_URG;
		} else if (seq_before(seq, tp->snd_up) && seq_after(seq + 0xffff, tp->snd_nxt)) {
			th->urgent = htons(0xffff);
			flags |= TCPH_URG;
		}
	}
	th->flags = flags;
	th->check = (u16)~csum_fold(csum_add(tp->pseudo_sum, htonl(q->len)));
	q->csum_state = CSUM_PARTIAL;
	q->csum_start = q->transport_header;
	q->csum_offset = offsetof(struct tcp_header, check);
	if (flags & TCPH_ACK)
		ack_sent(tp);
	tp->segs_out += MAX(q->gso_segs, 1);
	inet_count_add(TcpOutSegs, MAX(q->gso_segs, 1));
	if (payload) {
		tp->data_segs_out += MAX(q->gso_segs, 1);
		tp->bytes_sent += payload;
	}
	return inet_queue_xmit(&tp->inet, q);
}

/* Send a packet of the queues, which stays ours. */
static int
transmit_queued(struct tcp_sock *tp, struct packet *p, u32 mss)
{
	struct tcp_cb *cb = tcp_cb(p);
	struct packet *q;

	/* An earlier sending may still be with the device, or with a receiver on this machine: its
	 * headers are there. */
	if (unlikely(packet_shared(p))) {
		q = packet_copy_head(p, PACKET_HEADROOM, GFP_ATOMIC);
	} else {
		q = packet_clone(p, GFP_ATOMIC);
		if (q)
			q->flags |= PACKET_F_HEAD_FREE;
	}
	cb->sent_ns = tp->now;
	if (unlikely(!q))
		return -ENOBUFS;
	q->gso_segs = p->gso_segs;
	if (q->len > mss) {
		q->gso_size = (u16)mss;
		q->gso_type = ip_addr_is4(&tp->inet.remote) ? GSO_TCP4 : GSO_TCP6;
	} else {
		q->gso_size = 0;
		q->gso_type = GSO_NONE;
	}
	if (q->len)
		data_sent(tp);
	return transmit(tp, q, cb->seq, cb->flags);
}

static void
segs_set(struct packet *p, u32 mss)
{
	p->gso_segs = (u16)(p->len <= mss ? 1 : DIV_ROUND_UP(p->len, mss));
}

/* ---- cutting ---- */

/* Bytes [offset, offset + len) of p as a packet of their own, whole pages by reference. */
static struct packet *
slice(const struct packet *p, u32 offset, u32 len)
{
	u32 head = packet_headlen(p);
	u32 linear = offset < head ? MIN(len, head - offset) : 0;
	struct packet *q = packet_alloc(linear, GFP_ATOMIC);

	if (!q)
		return NULL;
	if (packet_append_range(q, p, offset, len)) {
		packet_free(q);
		return NULL;
	}
	return q;
}

/* q takes p's place in its queue. */
static void
replace(struct tcp_sock *tp, struct packet_queue *queue, struct packet *p, struct packet *q)
{
	struct tcp_cb *cb = tcp_cb(p), *qcb = tcp_cb(q);

	*qcb = *cb;
	if (list_empty(&cb->sent))
		list_init(&qcb->sent);
	else
		list_replace(&cb->sent, &qcb->sent);
	q->gso_segs = p->gso_segs;
	packet_queue_insert_locked(queue, q, p);
	packet_unlink_locked(queue, p);
	if (tp->sack_high == p)
		tp->sack_high = q;
	tp->wmem += q->truesize;
	tcp_packet_free(tp, p);
}

/* The counters of a packet of rtx whose number of segments changed. */
static void
segs_adjust(struct tcp_sock *tp, u8 marks, u32 before, u32 after)
{
	s32 delta = (s32)(after - before);

	tp->packets_out += (u32)delta;
	if (marks & SEG_SACKED)
		tp->sacked_out += (u32)delta;
	if (marks & SEG_LOST)
		tp->lost_out += (u32)delta;
	if (marks & SEG_RETRANS)
		tp->retrans_out += (u32)delta;
}

int
tcp_fragment(struct tcp_sock *tp, struct packet_queue *queue, struct packet **pp, u32 len, u32 mss)
{
	struct packet *p = *pp, *rest = slice(p, len, p->len - len);
	u32 before = p->gso_segs, truesize = p->truesize;

	if (!rest)
		return -ENOMEM;
	if (packet_shared(p)) {
		struct packet *front = slice(p, 0, len);

		if (!front) {
			packet_free(rest);
			return -ENOMEM;
		}
		replace(tp, queue, p, front);
		*pp = p = front;
	} else {
		if (packet_trim(p, len)) {
			packet_free(rest);
			return -ENOMEM;
		}
		tp->wmem += p->truesize - truesize;
	}
	struct tcp_cb *cb = tcp_cb(p), *rcb = tcp_cb(rest);
	*rcb = *cb;
	rcb->seq = cb->end_seq = cb->seq + len;
	cb->flags &= (u8) ~(TCPH_FIN | TCPH_PSH);
	cb->eor = false;
	list_init(&rcb->sent);
	if (!list_empty(&cb->sent))
		list_add(&rcb->sent, &cb->sent);
	segs_set(p, mss);
	segs_set(rest, mss);
	tp->wmem += rest->truesize;
	packet_queue_insert_locked(queue, rest, p->next ? p->next : (struct packet *)queue);
	if (queue == &tp->rtx) {
		segs_adjust(tp, cb->marks, before, (u32)p->gso_segs + rest->gso_segs);
		if (tp->sack_high == p)
			tp->sack_high = rest;
	}
	return 0;
}

int
tcp_trim_head(struct tcp_sock *tp, struct packet **pp, u32 n)
{
	struct packet *p = *pp;
	u32 truesize = p->truesize;

	if (packet_shared(p)) {
		struct packet *q = slice(p, n, p->len - n);

		if (!q)
			return -ENOMEM;
		replace(tp, &tp->rtx, p, q);
		*pp = p = q;
	} else {
		(void)!packet_advance(p, n); /* cannot fail: the buffer is our own */
		tp->wmem += p->truesize - truesize;
	}
	u32 before = p->gso_segs;
	tcp_cb(p)->seq += n;
	segs_set(p, tcp_current_mss(tp));
	segs_adjust(tp, tcp_cb(p)->marks, before, p->gso_segs);
	return 0;
}

/* ---- what may go now ---- */

/*
 * Nagle, in Minshall's form: a small segment waits while another small one is under way, unless the
 * program said NODELAY or this is its last word (FIN). CORK: it waits in any case.
 */
static bool
nagle_lets_go(const struct tcp_sock *tp, const struct packet *p, u32 mss, u8 nagle)
{
	if (p->len >= mss || (nagle & TCP_NAGLE_PUSH) || (tcp_cb(p)->flags & TCPH_FIN))
		return true;
	if (tp->snd_urgent && seq_before(tcp_cb(p)->seq, tp->snd_up))
		return true;
	if (nagle & TCP_NAGLE_CORK)
		return false;
	return (nagle & TCP_NAGLE_OFF) || !tp->packets_out || !seq_after(tp->snd_sml, tp->snd_una);
}

static u32
wnd_end(const struct tcp_sock *tp)
{
	return tp->snd_una + tp->snd_wnd;
}

/* The next packet has been sent (or at least tried): it belongs to the rtx queue. */
static void
sent_new(struct tcp_sock *tp, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);
	bool first = !tp->packets_out;

	packet_unlink_locked(&tp->send, p);
	packet_queue_tail_locked(&tp->rtx, p);
	list_add_tail(&cb->sent, &tp->sent_order);
	tp->snd_nxt = cb->end_seq;
	tp->packets_out += tcp_segs(p);
	if (first || tp->timer_mode == TCP_TIMER_PROBE)
		tcp_rearm_rto(tp);
}

/*
 * Send from the send queue what cwnd, the window and Nagle let go, at most max_segs segments;
 * probe: one beyond cwnd (TLP). True: something could be sent if anything was acknowledged or
 * nothing was left, false: data waits and nothing is under way that would bring an ACK.
 */
bool
tcp_write_xmit(struct tcp_sock *tp, u32 mss, u8 nagle, u32 max_segs, bool probe)
{
	struct packet *p;
	u32 sent = 0;
	bool limited = false;

	while ((p = packet_queue_peek(&tp->send)) && sent < max_segs) {
		struct tcp_cb *cb = tcp_cb(p);
		u32 flight = tcp_in_flight(tp), quota;

		if (flight < tp->cong.cwnd) {
			quota = tp->cong.cwnd - flight;
		} else if (probe) {
			quota = 1;
		} else {
			limited = true;
			break;
		}
		quota = MIN(quota, max_segs - sent);
		s32 room = (s32)(wnd_end(tp) - cb->seq);
		u32 first = MIN(p->len, mss);
		if (room < (s32)first || (!p->len && room < 0))
			break;
		/* One packet is at most one description's worth of segments. */
		u32 limit = (u32)MIN((u64)quota * mss, (u64)(u32)room);
		limit = MIN(limit, tcp_gso_max(tp));
		if (p->len <= mss) {
			if (!nagle_lets_go(tp, p, mss,
					   packet_queue_next(&tp->send, p) ? nagle | TCP_NAGLE_PUSH
									   : nagle))
				break;
		} else {
			u32 n = MIN(p->len, limit);
			/* A small tail waits for company, unless it may go by itself. */
			u32 tail = n % mss;

			if (n < p->len) {
				n -= tail;
			} else if (tail && !packet_queue_next(&tp->send, p) &&
				   !(cb->flags & TCPH_FIN) &&
				   ((nagle & TCP_NAGLE_CORK) ||
				    (!(nagle & (TCP_NAGLE_OFF | TCP_NAGLE_PUSH)) &&
				     tp->packets_out && seq_after(tp->snd_sml, tp->snd_una)))) {
				n -= tail;
			}
			if (n < p->len && tcp_fragment(tp, &tp->send, &p, n, mss))
				break;
		}
		cb = tcp_cb(p);
		segs_set(p, mss);
		/* What the device drops is as lost as what the network drops. */
		int r = transmit_queued(tp, p, mss);
		if (r == -ENOBUFS && packet_shared(p))
			r = 0;
		if (r && !tp->packets_out && r == -ENOBUFS) {
			/* No memory and no ACK to wait for: the timer tries again. */
			sent_new(tp, p);
			break;
		}
		if (p->len < mss)
			tp->snd_sml = cb->end_seq;
		sent_new(tp, p);
		sent += tcp_segs(p);
		tp->prr_out += tcp_segs(p);
	}
	if (sent) {
		tp->cwnd_limited = limited;
		if (!probe)
			tcp_tlp_schedule(tp);
		return true;
	}
	tp->cwnd_limited |= limited;
	return tp->packets_out || packet_queue_empty(&tp->send);
}

void
tcp_push_nagle(struct tcp_sock *tp, u8 bits)
{
	if (packet_queue_empty(&tp->send))
		return;
	if (!tcp_write_xmit(tp, tcp_current_mss(tp), tp->nagle | bits, UINT32_MAX, false))
		tcp_probe_check(tp);
}

void
tcp_push(struct tcp_sock *tp)
{
	tcp_push_nagle(tp, 0);
}

/* ---- sending again ---- */

int
tcp_retransmit(struct tcp_sock *tp, struct packet *p, u32 max_segs)
{
	u32 mss = tcp_current_mss(tp);
	struct tcp_cb *cb = tcp_cb(p);

	if (seq_before(cb->seq, tp->snd_una) && !(cb->flags & TCPH_SYN)) {
		u32 n = tp->snd_una - cb->seq;

		if (n < p->len && tcp_trim_head(tp, &p, n))
			return -ENOMEM;
		cb = tcp_cb(p);
	}
	/* The peer shrank its window: wait, but for the first segment, which is a probe then. */
	if (!seq_before(cb->seq, wnd_end(tp)) && cb->seq != tp->snd_una)
		return -EAGAIN;
	u32 most = mss * max_segs;
	if (p->len > most && tcp_fragment(tp, &tp->rtx, &p, most, mss))
		return -ENOMEM;
	cb = tcp_cb(p);
	u32 before = p->gso_segs;
	segs_set(p, mss);
	segs_adjust(tp, cb->marks, before, p->gso_segs);
	int r = transmit_queued(tp, p, mss);
	inet_count_add(TcpRetransSegs, tcp_segs(p));
	if (r)
		inet_count(TcpExtTCPRetransFail);
	tp->total_retrans += tcp_segs(p);
	tp->bytes_retrans += p->len;
	if (!tp->retrans_ts)
		tp->retrans_ts = tcp_ts_now(tp) ? tcp_ts_now(tp) : 1;
	if (tp->undo_retrans < 0)
		tp->undo_retrans = 0;
	tp->undo_retrans += (s32)tcp_segs(p);
	if (!(cb->marks & SEG_RETRANS)) {
		cb->marks |= SEG_RETRANS | SEG_RETRANSD;
		tp->retrans_out += tcp_segs(p);
	}
	tp->prr_out += tcp_segs(p);
	/* The latest sent is the last of the order. */
	if (!(cb->marks & SEG_SACKED)) {
		if (list_empty(&cb->sent))
			list_add_tail(&cb->sent, &tp->sent_order);
		else
			list_move_tail(&cb->sent, &tp->sent_order);
	}
	return r;
}

/* ---- segments without data ---- */

static struct packet *
bare(void)
{
	struct packet *p = packet_alloc(0, GFP_ATOMIC);

	if (p)
		p->gso_segs = 1;
	return p;
}

void
tcp_send_ack(struct tcp_sock *tp)
{
	if (tp->inet.state == TCP_CLOSE)
		return;
	struct packet *p = bare();
	if (!p) {
		/* Later, then. */
		tp->ack_pending = true;
		tcp_ack_timer_set(tp, TCP_DELACK_MAX_NS);
		return;
	}
	transmit(tp, p, tp->snd_nxt, TCPH_ACK);
}

/* A byte below the window, which asks for an ACK; urgent: with the urgent pointer's segment. */
void
tcp_probe_bare(struct tcp_sock *tp, bool urgent)
{
	struct packet *p = bare();

	if (p)
		transmit(tp, p, tp->snd_una - !urgent, TCPH_ACK);
}

int
tcp_write_wakeup(struct tcp_sock *tp)
{
	struct packet *p = packet_queue_peek(&tp->send);

	if (tp->inet.state == TCP_CLOSE)
		return -EPIPE;
	if (p && seq_before(tcp_cb(p)->seq, wnd_end(tp))) {
		u32 mss = tcp_current_mss(tp), room = wnd_end(tp) - tcp_cb(p)->seq;
		u32 n = MIN(MIN(room, mss), p->len);

		if (n && n < p->len && tcp_fragment(tp, &tp->send, &p, n, mss))
			return -ENOMEM;
		tcp_cb(p)->flags |= TCPH_PSH;
		segs_set(p, mss);
		int r = transmit_queued(tp, p, mss);
		sent_new(tp, p);
		return r;
	}
	if (tp->snd_urgent && seq_between(tp->snd_up, tp->snd_una + 1, tp->snd_una + 0xffff))
		tcp_probe_bare(tp, true);
	tcp_probe_bare(tp, false);
	return 0;
}

/* A packet of the send queue that only carries a flag: SYN, FIN. */
static struct packet *
flag_packet(struct tcp_sock *tp, u8 flags)
{
	struct packet *p = packet_alloc(0, GFP_ATOMIC);

	if (!p)
		return NULL;
	*tcp_cb(p) = (struct tcp_cb){ .seq = tp->write_seq,
				      .end_seq = tp->write_seq + 1,
				      .flags = flags };
	list_init(&tcp_cb(p)->sent);
	p->gso_segs = 1;
	tp->wmem += p->truesize;
	tp->write_seq++;
	packet_queue_tail_locked(&tp->send, p);
	return p;
}

void
tcp_send_fin(struct tcp_sock *tp)
{
	struct packet *p = packet_queue_peek_tail(&tp->send);

	tp->fin_queued = true;
	if (p) {
		tcp_cb(p)->flags |= TCPH_FIN;
		tcp_cb(p)->end_seq++;
		tp->write_seq++;
	} else if (!flag_packet(tp, TCPH_ACK | TCPH_FIN)) {
		/* What is under way can carry it: it goes with the next retransmission. */
		p = packet_queue_peek_tail(&tp->rtx);
		if (!p)
			return;
		tcp_cb(p)->flags |= TCPH_FIN;
		tcp_cb(p)->end_seq++;
		tp->write_seq++;
		tp->snd_nxt++;
		return;
	}
	tcp_push_nagle(tp, TCP_NAGLE_OFF);
}

void
tcp_send_syn(struct tcp_sock *tp)
{
	struct packet *p = flag_packet(tp, TCPH_SYN);

	tp->snd_nxt = tp->write_seq;
	if (p) {
		transmit_queued(tp, p, tp->mss_cache);
		packet_unlink_locked(&tp->send, p);
		packet_queue_tail_locked(&tp->rtx, p);
		list_add_tail(&tcp_cb(p)->sent, &tp->sent_order);
		tp->packets_out = 1;
	}
	inet_count(TcpActiveOpens);
	tcp_timer_set(tp, TCP_TIMER_RTO, tcp_rtt_rto_ns(&tp->rtt));
}

/* The SYN, or in simultaneous open the SYN-ACK, again. */
int
tcp_resend_syn(struct tcp_sock *tp)
{
	struct packet *p = packet_queue_peek(&tp->rtx);

	if (!p)
		return -ENOBUFS;
	struct tcp_cb *cb = tcp_cb(p);
	if (tp->inet.state == TCP_SYN_RECV)
		cb->flags |= TCPH_ACK;
	int r = transmit_queued(tp, p, tp->mss_cache);
	cb->marks |= SEG_RETRANSD;
	inet_count(TcpRetransSegs);
	tp->total_retrans++;
	return r;
}

void
tcp_send_reset(struct tcp_sock *tp)
{
	struct packet *p = bare();

	inet_count(TcpOutRsts);
	if (p)
		transmit(tp, p, tp->snd_nxt, TCPH_ACK | TCPH_RST);
}

/* ---- answers of nobody ---- */

void
tcp_reply(struct net_ns *net, const struct tcp_reply *r)
{
	struct packet *p = bare();
	u8 options[TCP_SEGOPT_MAX];
	u32 n = 0;

	if (!p)
		return;
	if (r->syn)
		n = tcp_segopt_build_syn(options, r->syn);
	else if (r->ts_on)
		n = tcp_segopt_build_ts(options, r->ts_val, r->ts_ecr);
	struct tcp_header *th = packet_push(p, TCPH_LEN + n);
	packet_set_transport(p);
	memcpy(th + 1, options, n);
	*th = (struct tcp_header){ .src_port = htons(r->src_port),
				   .dst_port = htons(r->dst_port),
				   .seq = htonl(r->seq),
				   .ack = htonl(r->ack),
				   .offset = (u8)((TCPH_LEN + n) << 2),
				   .flags = r->flags,
				   .window = htons(r->window) };
	th->check = (u16)~csum_fold(inet_pseudo_sum(&r->src, &r->dst, IPPROTO_TCP, p->len));
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = p->transport_header;
	p->csum_offset = offsetof(struct tcp_header, check);
	struct ip_tx tx = { .src = r->src,
			    .dst = r->dst,
			    .protocol = IPPROTO_TCP,
			    .tos = r->tos,
			    .ttl = -1,
			    .df = true,
			    .oif = r->oif,
			    .mark = r->mark };
	inet_count(TcpOutSegs);
	inet_send_to(net, NULL, p, &tx);
}

/* RFC 9293 3.10.7.1. p: data at the TCP header. */
void
tcp_reply_reset(struct packet *p)
{
	const struct tcp_header *th = tcp_header(p);
	const struct inet_cb *c = inet_cb(p);
	struct tcp_reply r = { .src = c->dst,
			       .dst = c->src,
			       .src_port = ntohs(th->dst_port),
			       .dst_port = ntohs(th->src_port),
			       .flags = TCPH_RST };

	if (th->flags & TCPH_RST)
		return;
	if (inet_addr_type(p->dev->net, &c->dst, p->ifindex) != RTN_LOCAL)
		return;
	if (!ip_addr_is4(&c->dst) && ipv6_is_linklocal(&c->dst))
		r.oif = p->ifindex;
	if (th->flags & TCPH_ACK) {
		r.seq = ntohl(th->ack);
	} else {
		r.flags |= TCPH_ACK;
		r.ack = ntohl(th->seq) + p->len - (u32)(th->offset >> 4) * 4 +
			!!(th->flags & TCPH_SYN) + !!(th->flags & TCPH_FIN);
	}
	inet_count(TcpOutRsts);
	tcp_reply(p->dev->net, &r);
}
