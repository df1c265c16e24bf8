/* SPDX-License-Identifier: MIT */
/*
 * Data for the program: in order it is appended to the receive queue (joined with its tail where it
 * fits, so that a stream of small segments does not cost a packet each), out of order it waits in a
 * tree by sequence number and is reported by SACK, the most recent block first.
 *
 * The window offered is half of what the receive buffer has room for, as packets cost more memory
 * than they carry bytes. It is never taken back, grows with what the program reads in a round trip,
 * and follows the rules against silly windows (RFC 9293 3.8.6.2).
 *
 * Acknowledgements: every second full segment at once, others after 40 ms at least, or by the data
 * that the program answers with; all at once while the sender is in slow start (tp->quick), when
 * something is out of order, or when the program has read all.
 */
#include "fs/vfs/file.h"
#include "lib/string.h"
#include "tcp_internal.h"

#define ATO_MIN_US  40000u
#define QUICK_START 16u

u32
tcp_readable(const struct tcp_sock *tp)
{
	u32 n = tp->rcv_nxt - tp->copied_seq;

	/* A FIN counts in rcv_nxt. */
	if (n && tp->fin_received)
		n--;
	/* An urgent byte that was or will be read on its own. */
	if (tp->urg_state != TCP_URG_NONE && !tp->oob_inline &&
	    seq_between(tp->urg_seq, tp->copied_seq, tp->copied_seq + n - 1) && n)
		n--;
	return n;
}

/* ---- the window ---- */

static u32
space_of(u32 bytes)
{
	return bytes / 2;
}

u32
tcp_window_left(const struct tcp_sock *tp)
{
	s32 left = (s32)(tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt);

	return left < 0 ? 0 : (u32)left;
}

void
tcp_initial_window(const struct tcp_net *net, u32 rcvbuf, u32 mss, bool scaling, u32 clamp,
		   u32 *window, u8 *wscale)
{
	u32 space = space_of(rcvbuf), most = MAX(space, net->rmem[2]);

	if (clamp)
		space = MIN(space, clamp);
	if (space > mss && mss)
		space -= space % mss;
	*window = MIN(space, 65535u);
	*wscale = 0;
	if (scaling) {
		if (clamp)
			most = MIN(most, clamp);
		while (*wscale < TCP_WSCALE_MAX && most > 65535u) {
			most >>= 1;
			(*wscale)++;
		}
	}
}

static u32
free_space(const struct tcp_sock *tp)
{
	return tp->rcvbuf > tp->rmem ? space_of(tp->rcvbuf - tp->rmem) : 0;
}

static u32
window_wanted(struct tcp_sock *tp)
{
	u32 allowed = space_of(tp->rcvbuf), full = MIN(tp->window_clamp, allowed);
	u32 free = free_space(tp), mss = MIN(tp->rcv_mss, full);

	if (!mss)
		return 0;
	if (free < full / 2) {
		tp->quick = 0;
		if (tp->rcv_wscale)
			free = ALIGN_DOWN(free, 1u << tp->rcv_wscale);
		if (free < allowed / 16 || free < mss)
			return 0;
	}
	free = MIN(free, tp->rcv_ssthresh);
	if (tp->rcv_wscale)
		return ALIGN_UP(free, 1u << tp->rcv_wscale);
	/* Unscaled: whole segments, unless little changes. */
	u32 window = tp->rcv_wnd;
	if (window + mss <= free || window > free)
		window = free - free % mss;
	else if (mss == full && free > window + full / 2)
		window = free;
	return window;
}

u32
tcp_select_window(struct tcp_sock *tp)
{
	u32 now = tcp_window_left(tp), window = window_wanted(tp);

	/* Never take back what was offered. */
	if (window < now)
		window = ALIGN_UP(now, 1u << tp->rcv_wscale);
	if (!tp->rcv_wscale)
		window = MIN(window, 65535u);
	else
		window = MIN(window, 65535u << tp->rcv_wscale);
	tp->rcv_wnd = window;
	tp->rcv_wup = tp->rcv_nxt;
	return window;
}

static void
window_grow(struct tcp_sock *tp, const struct packet *p)
{
	u32 room = MIN(tp->window_clamp, free_space(tp));

	if (tp->rcv_ssthresh >= room)
		return;
	/* Segments that waste memory do not earn a larger window. */
	if (p->len >= p->truesize / 4)
		tp->rcv_ssthresh = MIN(room, tp->rcv_ssthresh + 2 * MAX((u32)tp->advmss, p->len));
}

/* ---- acknowledgements ---- */

void
tcp_quickack(struct tcp_sock *tp, u32 max)
{
	u32 n = tp->rcv_wnd / (2 * MAX(tp->rcv_mss, 1u));

	n = MIN(MAX(n, 2u), max);
	if (n > tp->quick)
		tp->quick = (u8)n;
}

void
tcp_measure_rcv_mss(struct tcp_sock *tp, const struct packet *p)
{
	u32 len = p->gso_size ? p->gso_size : p->len;

	if (len >= tp->rcv_mss)
		tp->rcv_mss = MIN(len, MAX((u32)tp->advmss, 536u));
}

static void
data_received(struct tcp_sock *tp, const struct packet *p)
{
	u32 rto_us = tp->rtt.rto_us;

	tp->ack_pending = true;
	tcp_measure_rcv_mss(tp, p);
	if (!tp->ato_us) {
		tcp_quickack(tp, QUICK_START);
		tp->ato_us = ATO_MIN_US;
	} else {
		u64 gap = (tp->now - tp->last_recv_ns) / 1000;

		if (gap <= ATO_MIN_US / 2) {
			tp->ato_us = tp->ato_us / 2 + ATO_MIN_US / 2;
		} else if (gap < tp->ato_us) {
			tp->ato_us = MIN(tp->ato_us / 2 + (u32)gap, rto_us);
		} else if (gap > rto_us) {
			/* A long pause: the sender may be in slow start again. */
			tcp_quickack(tp, QUICK_START);
		}
	}
	tp->last_recv_ns = tp->now;
	if (p->len >= 128)
		window_grow(tp, p);
}

void
tcp_ack_check(struct tcp_sock *tp)
{
	if (!tp->ack_pending && !tp->ack_now)
		return;
	if (tp->ack_now || (tp->quick && !tp->pingpong) || tp->ooo.node ||
	    (tp->rcv_nxt - tp->rcv_wup > tp->rcv_mss && window_wanted(tp) >= tcp_window_left(tp))) {
		tcp_send_ack(tp);
		return;
	}
	u32 delay_us = MIN(MAX(tp->ato_us, ATO_MIN_US), (u32)(TCP_DELACK_MAX_NS / 1000));
	/* Not longer than a round trip, if that is known and longer than the least. */
	if (tp->rtt.srtt8_us)
		delay_us = MIN(delay_us, MAX(tcp_rtt_srtt(&tp->rtt), ATO_MIN_US));
	if (!net_timer_pending(&tp->ack_timer))
		tcp_ack_timer_set(tp, (u64)delay_us * 1000);
}

/* ---- SACK blocks to report: sacks[1..nr_sacks], the latest first; sacks[0] is D-SACK's ---- */

void
tcp_dsack_set(struct tcp_sock *tp, u32 start, u32 end)
{
	if (!tp->sack_on || !tp->inet.net->tcp->dsack)
		return;
	if (tp->dsack && !seq_after(start, tp->sacks[0].end) &&
	    !seq_before(end, tp->sacks[0].start)) {
		tp->sacks[0].start = seq_min(start, tp->sacks[0].start);
		tp->sacks[0].end = seq_max(end, tp->sacks[0].end);
		return;
	}
	tp->dsack = true;
	tp->sacks[0] = (struct tcp_sack_range){ start, end };
}

void
tcp_sacks_trim(struct tcp_sock *tp)
{
	u32 n = 0;

	if (!tp->ooo.node) {
		tp->nr_sacks = 0;
		return;
	}
	for (u32 i = 1; i <= tp->nr_sacks; i++) {
		if (seq_after(tp->sacks[i].end, tp->rcv_nxt))
			tp->sacks[++n] = tp->sacks[i];
	}
	tp->nr_sacks = (u8)n;
}

static void
sacks_add(struct tcp_sock *tp, u32 start, u32 end)
{
	struct tcp_sack_range fresh = { start, end };
	u32 n = 0;

	if (!tp->sack_on)
		return;
	/* Whatever touches it is joined with it. */
	for (u32 i = 1; i <= tp->nr_sacks; i++) {
		struct tcp_sack_range r = tp->sacks[i];

		if (!seq_after(r.start, fresh.end) && !seq_before(r.end, fresh.start)) {
			fresh.start = seq_min(fresh.start, r.start);
			fresh.end = seq_max(fresh.end, r.end);
		} else {
			tp->sacks[++n] = r;
		}
	}
	n = MIN(n, TCP_SACK_MAX - 1u);
	memmove(&tp->sacks[2], &tp->sacks[1], n * sizeof(fresh));
	tp->sacks[1] = fresh;
	tp->nr_sacks = (u8)(n + 1);
}

/* ---- queues ---- */

static void
receive_free(struct tcp_sock *tp, struct packet *p)
{
	tp->rmem -= p->truesize;
	packet_free(p);
}

static struct packet *
ooo_first(const struct tcp_sock *tp)
{
	return rb_entry_safe(rb_first(&tp->ooo), struct packet, rb);
}

static void
ooo_erase(struct tcp_sock *tp, struct packet *p)
{
	if (tp->ooo_last == p)
		tp->ooo_last = rb_entry_safe(rb_prev(&p->rb), struct packet, rb);
	rb_erase(&p->rb, &tp->ooo);
	p->next = p->prev = NULL;
}

void
tcp_receive_purge(struct tcp_sock *tp)
{
	struct packet *p;

	while ((p = packet_queue_take_locked(&tp->inet.receive_queue)))
		receive_free(tp, p);
	while ((p = ooo_first(tp))) {
		ooo_erase(tp, p);
		receive_free(tp, p);
	}
	tp->nr_sacks = 0;
}

/* Join p with what it follows. True: p is gone. */
static bool
join(struct tcp_sock *tp, struct packet *tail, struct packet *p)
{
	u32 before = tail->truesize, end = tcp_cb(p)->end_seq;
	u8 flags = tcp_cb(p)->flags;

	if (tcp_cb(tail)->end_seq != tcp_cb(p)->seq || p->len > 16384 ||
	    (tcp_cb(tail)->flags & TCPH_FIN))
		return false;
	if (!packet_coalesce(tail, p))
		return false;
	tcp_cb(tail)->end_seq = end;
	tcp_cb(tail)->flags |= flags & TCPH_FIN;
	tp->rmem += tail->truesize - before;
	return true;
}

static void
append(struct tcp_sock *tp, struct packet *p)
{
	struct packet *tail = packet_queue_peek_tail(&tp->inet.receive_queue);
	u32 end = tcp_cb(p)->end_seq;

	tp->bytes_received += end - tp->rcv_nxt;
	tp->rcv_nxt = end;
	if (p->len == 0) {
		packet_free(p);
		return;
	}
	if (tail && join(tp, tail, p))
		return;
	tp->rmem += p->truesize;
	packet_queue_tail_locked(&tp->inet.receive_queue, p);
}

/* Memory is short: what is out of order goes, the farthest first; then the queue is packed. */
static bool
make_room(struct tcp_sock *tp, u32 size)
{
	while (tp->ooo_last && tp->rmem + size > tp->rcvbuf) {
		struct packet *p = tp->ooo_last;

		ooo_erase(tp, p);
		receive_free(tp, p);
		tp->nr_sacks = 0;
	}
	struct packet *p = packet_queue_peek(&tp->inet.receive_queue), *next;
	while (p && tp->rmem + size > tp->rcvbuf &&
	       (next = packet_queue_next(&tp->inet.receive_queue, p))) {
		/* Pairs of small packets become one: half of the memory is descriptions. */
		if (p->len + next->len <= 4096) {
			struct packet *q = packet_alloc(4096, GFP_ATOMIC);

			if (!q)
				break;
			*tcp_cb(q) = *tcp_cb(p);
			packet_queue_insert_locked(&tp->inet.receive_queue, q, p);
			tp->rmem += q->truesize;
			while (p && q->len + p->len <= 4096 &&
			       (q->len == 0 || tcp_cb(q)->end_seq == tcp_cb(p)->seq)) {
				next = packet_queue_next(&tp->inet.receive_queue, p);
				packet_copy_bits(p, 0, packet_put(q, p->len), p->len);
				tcp_cb(q)->end_seq = tcp_cb(p)->end_seq;
				packet_unlink_locked(&tp->inet.receive_queue, p);
				receive_free(tp, p);
				p = next;
			}
			continue;
		}
		p = next;
	}
	/* The window promised that much; a little more than the buffer is all right. */
	return tp->rmem < tp->rcvbuf;
}

static bool
room_for(struct tcp_sock *tp, u32 size)
{
	return likely(tp->rmem + size <= tp->rcvbuf) || tp->rmem == 0 || make_room(tp, size);
}

/* What waited out of order and now follows. True: a FIN was among it. */
static bool
ooo_drain(struct tcp_sock *tp)
{
	struct packet *p;
	bool fin = false;

	while ((p = ooo_first(tp)) && !seq_after(tcp_cb(p)->seq, tp->rcv_nxt)) {
		struct tcp_cb *cb = tcp_cb(p);

		ooo_erase(tp, p);
		tp->rmem -= p->truesize;
		if (!seq_after(cb->end_seq, tp->rcv_nxt)) {
			packet_free(p);
			continue;
		}
		if (seq_before(cb->seq, tp->rcv_nxt)) {
			if (packet_advance(p, MIN(tp->rcv_nxt - cb->seq, p->len))) {
				packet_free(p); /* it will come again */
				continue;
			}
			cb->seq = tp->rcv_nxt;
		}
		bool last = cb->flags & TCPH_FIN;
		append(tp, p);
		if (last) {
			fin = true;
			break;
		}
	}
	return fin;
}

static void
ooo_insert(struct tcp_sock *tp, struct packet *p)
{
	struct rb_node **link = &tp->ooo.node, *parent = NULL;
	struct tcp_cb *cb = tcp_cb(p);
	u32 seq = cb->seq, end = cb->end_seq;

	tp->ack_now = true;
	tp->ooo_packets++;
	inet_count(TcpExtTCPOFOQueue);
	if (!room_for(tp, p->truesize)) {
		inet_count(TcpExtTCPRcvQDrop);
		packet_free(p);
		return;
	}
	/* The usual case: behind what came last. */
	if (tp->ooo_last && seq_after_eq(seq, tcp_cb(tp->ooo_last)->end_seq)) {
		if (join(tp, tp->ooo_last, p)) {
			sacks_add(tp, seq, end);
			return;
		}
		parent = &tp->ooo_last->rb;
		link = &parent->right;
	}
	while (*link) {
		struct packet *at = rb_entry(*link, struct packet, rb);

		parent = *link;
		if (seq_before(seq, tcp_cb(at)->seq)) {
			link = &parent->left;
			continue;
		}
		if (seq_before(seq, tcp_cb(at)->end_seq)) {
			if (!seq_after(end, tcp_cb(at)->end_seq)) {
				/* All of it is there. */
				tcp_dsack_set(tp, seq, end);
				packet_free(p);
				return;
			}
			if (seq_after(seq, tcp_cb(at)->seq)) {
				tcp_dsack_set(tp, seq, tcp_cb(at)->end_seq);
			} else {
				/* It covers that one: takes its place. */
				tcp_dsack_set(tp, tcp_cb(at)->seq, tcp_cb(at)->end_seq);
				rb_replace_node(&at->rb, &p->rb, &tp->ooo);
				if (tp->ooo_last == at)
					tp->ooo_last = p;
				receive_free(tp, at);
				goto linked;
			}
		}
		link = &parent->right;
	}
	rb_link_node(&p->rb, parent, link);
	rb_insert_color(&p->rb, &tp->ooo);
linked:
	tp->rmem += p->truesize;
	/* Later ones that it covers go. */
	for (struct rb_node *n; (n = rb_next(&p->rb));) {
		struct packet *q = rb_entry(n, struct packet, rb);

		if (!seq_after(end, tcp_cb(q)->seq))
			break;
		if (seq_before(end, tcp_cb(q)->end_seq)) {
			tcp_dsack_set(tp, tcp_cb(q)->seq, end);
			break;
		}
		tcp_dsack_set(tp, tcp_cb(q)->seq, tcp_cb(q)->end_seq);
		ooo_erase(tp, q);
		receive_free(tp, q);
	}
	if (!rb_next(&p->rb))
		tp->ooo_last = p;
	sacks_add(tp, seq, end);
}

/* ---- arrival ---- */

static void
rtt_by_window(struct tcp_sock *tp)
{
	/* A window's worth of data takes a round trip, at least if the sender is not idle. */
	if (tp->rcv_rtt_ns && seq_before(tp->rcv_nxt, tp->rcv_rtt_seq))
		return;
	if (tp->rcv_rtt_ns) {
		u32 us = (u32)MIN((tp->now - tp->rcv_rtt_ns) / 1000, 10000000ul);

		if (!tp->rcv_rtt_us || us < tp->rcv_rtt_us)
			tp->rcv_rtt_us = MAX(us, 1u);
	}
	tp->rcv_rtt_seq = tp->rcv_nxt + tp->rcv_wnd;
	tp->rcv_rtt_ns = tp->now;
}

void
tcp_data(struct tcp_sock *tp, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (cb->seq == cb->end_seq) {
		packet_free(p);
		return;
	}
	tp->data_segs_in += MAX(p->gso_segs, 1);
	if (unlikely(!seq_after(cb->end_seq, tp->rcv_nxt))) {
		/* A duplicate: our acknowledgement was lost. */
		tcp_dsack_set(tp, cb->seq, cb->end_seq);
		tcp_quickack(tp, QUICK_START);
		tp->ack_now = true;
		packet_free(p);
		return;
	}
	if (unlikely(!seq_before(cb->seq, tp->rcv_nxt + tcp_window_left(tp)))) {
		/* Beyond the window, or a probe of a closed one. */
		tcp_quickack(tp, QUICK_START);
		tp->ack_now = true;
		packet_free(p);
		return;
	}
	if (unlikely(seq_after(cb->seq, tp->rcv_nxt))) {
		ooo_insert(tp, p);
		return;
	}
	if (unlikely(cb->seq != tp->rcv_nxt)) {
		tcp_dsack_set(tp, cb->seq, tp->rcv_nxt);
		if (packet_advance(p, MIN(tp->rcv_nxt - cb->seq, p->len))) {
			packet_free(p); /* it will come again */
			return;
		}
		cb->seq = tp->rcv_nxt;
	}
	if (unlikely(!room_for(tp, p->truesize))) {
		inet_count(TcpExtTCPRcvQDrop);
		tp->ack_now = true;
		inet_sock_readable(&tp->inet, 0);
		packet_free(p);
		return;
	}
	bool fin = cb->flags & TCPH_FIN, data = p->len;
	if (likely(data)) {
		data_received(tp, p);
		rtt_by_window(tp);
	}
	append(tp, p);
	if (unlikely(tp->ooo.node)) {
		if (!fin)
			fin = ooo_drain(tp);
		/* RFC 5681 4.2: a filled gap is acknowledged at once. */
		tp->ack_now = true;
		tcp_sacks_trim(tp);
	}
	if (unlikely(fin))
		tcp_fin(tp);
	else if (data && (tcp_readable(tp) >= tp->rcvlowat || tp->rmem >= tp->rcvbuf / 2))
		inet_sock_readable(&tp->inet, 0);
}

void
tcp_fin(struct tcp_sock *tp)
{
	struct packet *p;

	tp->fin_received = true;
	tp->inet.shutdown |= INET_SHUT_RD;
	tp->ack_now = true;
	while ((p = ooo_first(tp))) {
		ooo_erase(tp, p);
		receive_free(tp, p);
	}
	tp->nr_sacks = 0;
	switch (tp->inet.state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		tcp_state_set(tp, TCP_CLOSE_WAIT);
		/* The program will close soon: the acknowledgement may go with our FIN. */
		tp->pingpong = true;
		break;
	case TCP_FIN_WAIT1: tcp_state_set(tp, TCP_CLOSING); break;
	case TCP_FIN_WAIT2:
		tcp_send_ack(tp);
		inet_sock_readable(&tp->inet, EPOLLRDHUP | EPOLLHUP);
		tcp_time_wait(tp, TCP_TIME_WAIT, 0);
		return;
	default: return;
	}
	inet_sock_readable(&tp->inet, EPOLLRDHUP);
}

/* ---- the program has taken bytes ---- */

static void
buffer_adjust(struct tcp_sock *tp)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	struct socket *s = tp->inet.socket;
	u32 rtt_us = tp->rcv_rtt_us;

	if (!rtt_us || (tp->now - tp->space_ns) / 1000 < rtt_us)
		return;
	u32 copied = tp->copied_seq - tp->space_seq;
	if (copied > tp->space_bytes) {
		if (net->moderate_rcvbuf && !tp->rcvbuf_locked) {
			/* Twice what was taken: the sender may double in the next round trip. */
			u64 window = 2ul * copied + 16ul * tp->advmss;
			u64 want = MIN(window * 2 * 2, (u64)net->rmem[2]);

			if (want > tp->rcvbuf) {
				tp->rcvbuf = (u32)want;
				tp->window_clamp = MAX(tp->window_clamp, space_of(tp->rcvbuf));
				if (s)
					s->rcvbuf = tp->rcvbuf_seen = tp->rcvbuf;
			}
		}
		tp->space_bytes = copied;
	}
	tp->space_seq = tp->copied_seq;
	tp->space_ns = tp->now;
}

void
tcp_space_taken(struct tcp_sock *tp, u32 copied)
{
	bool now = false;

	buffer_adjust(tp);
	if (tp->ack_pending) {
		/* More than one full segment waits, or all has been read and nobody answers. */
		if (tp->rcv_nxt - tp->rcv_wup > tp->rcv_mss ||
		    (copied && !tp->rmem && !tp->pingpong && net_timer_pending(&tp->ack_timer)))
			now = true;
	}
	if (!now && copied && !(tp->inet.shutdown & INET_SHUT_RD)) {
		u32 left = tcp_window_left(tp);

		/* Tell of a window that has opened a lot. */
		if (2 * left <= tp->window_clamp) {
			u32 window = window_wanted(tp);

			now = window && window >= 2 * left;
		}
	}
	if (now) {
		net_begin();
		tcp_clock(tp);
		tcp_send_ack(tp);
		net_end();
	}
}

/* ---- urgent data: RFC 6093; programs see the last urgent byte only ---- */

static void
urgent_signal(struct tcp_sock *tp)
{
	struct socket *s = rcu_dereference(tp->inet.socket);

	if (s && s->file)
		file_signal_urgent(s->file);
}

void
tcp_urgent_receive(struct tcp_sock *tp, const struct packet *p, const struct tcp_header *th)
{
	u32 seq = tcp_cb(p)->seq, at = ntohs(th->urgent);

	if (th->flags & TCPH_URG) {
		/* The pointer is behind the byte, in spite of RFC 1122 (tcp_stdurg: at it). */
		if (at && !tp->inet.net->tcp->stdurg)
			at--;
		at += seq;
		bool news = !seq_after(tp->copied_seq, at) && !seq_before(at, tp->rcv_nxt) &&
			    !(tp->urg_state != TCP_URG_NONE && !seq_after(at, tp->urg_seq));
		if (news) {
			urgent_signal(tp);
			/* An older byte that nobody took stays in the stream as if it were inline,
			 * but the mark leaves it. */
			if (tp->urg_state == TCP_URG_VALID && tp->urg_seq == tp->copied_seq &&
			    !tp->oob_inline && tp->copied_seq != tp->rcv_nxt) {
				struct packet *q = packet_queue_peek(&tp->inet.receive_queue);

				tp->copied_seq++;
				if (q && !seq_before(tp->copied_seq, tcp_cb(q)->end_seq)) {
					packet_unlink_locked(&tp->inet.receive_queue, q);
					receive_free(tp, q);
				}
			}
			tp->urg_state = TCP_URG_NOTYET;
			tp->urg_seq = at;
		}
	}
	if (tp->urg_state == TCP_URG_NOTYET) {
		u32 offset = tp->urg_seq - seq;

		if (offset < p->len) {
			packet_copy_bits(p, offset, &tp->urg_data, 1);
			tp->urg_state = TCP_URG_VALID;
			inet_sock_readable(&tp->inet, EPOLLPRI);
		}
	}
}
