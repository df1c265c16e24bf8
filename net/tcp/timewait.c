/* SPDX-License-Identifier: MIT */
/*
 * What remains of a connection that was closed here first: TIME-WAIT, and FIN-WAIT-2 once nobody
 * holds the socket. A small object in the table of connections instead of a sock.
 *
 * They wait in a list of the CPU that made them, in order of expiry (nearly all wait equally long,
 * so that the place is at the end), with one timer a list. List: its lock. What is on a list is in
 * the table as well; who takes it off the list (expiry, reuse, reset) takes it out of the table.
 */
#include "core/cpumask.h"
#include "mm/slab.h"
#include "tcp_internal.h"
#include "uapi/rtnetlink.h"

#define TIMEWAIT_NS (60ul * NSEC_PER_SEC)

static struct tw_list {
	struct spinlock lock; /* RANK_PACKET_QUEUE */
	struct list items;
	struct net_timer timer;
} tw_lists[MAX_CPUS];

static struct atomic32 tw_count;

u32
tcp_timewait_count(void)
{
	return (u32)atomic_read(&tw_count);
}

static void
list_enqueue(struct tcp_timewait *tw, u64 timeout_ns)
{
	struct tw_list *l = &tw_lists[cpu_id()];
	struct list *at;

	tw->expires = time_mono_ns() + timeout_ns;
	tw->cpu = cpu_id();
	spin_lock(&l->lock);
	for (at = l->items.prev; at != &l->items; at = at->prev) {
		if (list_entry(at, struct tcp_timewait, node)->expires <= tw->expires)
			break;
	}
	list_add(&tw->node, at);
	(void)net_timer_start(&l->timer,
			      list_first_entry(&l->items, struct tcp_timewait, node)->expires);
	spin_unlock(&l->lock);
}

/* True: it was on its list, and the caller now answers for it. */
static bool
list_dequeue(struct tcp_timewait *tw)
{
	struct tw_list *l = &tw_lists[READ_ONCE(tw->cpu)];

	spin_lock(&l->lock);
	bool was_in = !list_empty(&tw->node);
	if (was_in)
		list_del_init(&tw->node);
	spin_unlock(&l->lock);
	return was_in;
}

static void
bury(struct tcp_timewait *tw)
{
	atomic_dec(&tw_count);
	(void)tcp_hash_remove_mini(&tw->mini);
}

void
tcp_timewait_kill(struct tcp_timewait *tw)
{
	if (list_dequeue(tw))
		bury(tw);
}

static void
expire(struct net_timer *t)
{
	struct tw_list *l = container_of(t, struct tw_list, timer);
	u64 now = time_mono_ns();
	struct tcp_timewait *tw;

	spin_lock(&l->lock);
	if (net_timer_fired(t) != NET_TIMER_DUE) {
		spin_unlock(&l->lock);
		return;
	}
	while ((tw = list_first_entry_or_null(&l->items, struct tcp_timewait, node)) &&
	       tw->expires <= now) {
		list_del_init(&tw->node);
		spin_unlock(&l->lock);
		bury(tw);
		spin_lock(&l->lock);
	}
	if (tw)
		(void)net_timer_start(t, tw->expires);
	spin_unlock(&l->lock);
}

void
tcp_timewait_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(tw_lists); i++) {
		spin_init(&tw_lists[i].lock, RANK_PACKET_QUEUE);
		list_init(&tw_lists[i].items);
		net_timer_init(&tw_lists[i].timer, expire);
	}
}

void
tcp_time_wait(struct tcp_sock *tp, u8 state, u64 timeout_ns)
{
	const struct inet_sock *sk = &tp->inet;
	struct tcp_timewait *tw = NULL;

	if (tcp_timewait_count() < sk->net->tcp->max_tw_buckets)
		tw = kzalloc(sizeof(*tw), GFP_ATOMIC);
	if (tw) {
		tw->mini.local = sk->local;
		tw->mini.remote = sk->remote;
		tw->mini.local_port = sk->local_port;
		tw->mini.remote_port = sk->remote_port;
		tw->mini.family = sk->family;
		tw->mini.ifindex = sk->bound_ifindex;
		tw->mini.kind = TCP_MINI_TIMEWAIT;
		ref_init(&tw->mini.ref); /* the table's */
		list_init(&tw->node);
		tw->state = state;
		tw->rcv_wscale = tp->rcv_wscale;
		tw->ts_on = tp->ts_on;
		tw->rcv_nxt = tp->rcv_nxt;
		tw->snd_nxt = tp->snd_nxt;
		tw->rcv_wnd = tcp_window_left(tp);
		tw->ts_recent = tp->ts_recent;
		tw->ts_recent_ns = tp->ts_recent_ns;
		tw->ts_offset = tp->ts_offset;
		tw->mark = sk->mark;
		tw->tos = sk->tos;
		atomic_inc(&tw_count);
		inet_count(TcpExtTW);
		/* In the table before it is on a list, so that expiry finds it there. */
		tcp_hash_sock_to_mini(tp, &tw->mini);
		list_enqueue(tw, timeout_ns ? timeout_ns : TIMEWAIT_NS);
	}
	tcp_done(tp, 0);
}

/* ---- segments ---- */

static void
acknowledge(struct tcp_timewait *tw, struct packet *p)
{
	u64 now = time_mono_ns();
	struct tcp_reply r = {
		.src = tw->mini.local,
		.dst = tw->mini.remote,
		.src_port = tw->mini.local_port,
		.dst_port = tw->mini.remote_port,
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.window = (u16)MIN(tw->rcv_wnd >> tw->rcv_wscale, 65535u),
		.flags = TCPH_ACK,
		.ts_on = tw->ts_on,
		.ts_val = (u32)(now / NSEC_PER_MSEC) + tw->ts_offset,
		.ts_ecr = tw->ts_recent,
		.oif = tw->mini.ifindex,
		.mark = tw->mark,
		.tos = tw->tos,
	};

	tcp_reply(p->dev->net, &r);
}

static bool
ack_limited(struct tcp_timewait *tw)
{
	u64 now = time_mono_ns();

	if (tw->last_oow_ack_ns &&
	    now - tw->last_oow_ack_ns < tcp_init_net.invalid_ratelimit_ms * NSEC_PER_MSEC)
		return true;
	tw->last_oow_ack_ns = now;
	return false;
}

static void
again(struct tcp_timewait *tw, const struct tcp_segopt *opt)
{
	if (opt->has_ts && tw->ts_on) {
		tw->ts_recent = opt->ts_val;
		tw->ts_recent_ns = time_mono_ns();
	}
	if (list_dequeue(tw))
		list_enqueue(tw, TIMEWAIT_NS);
}

struct segment {
	u32 seq, end;
	u8 flags;
	bool paws;
};

static void
fin_wait2(struct tcp_timewait *tw, struct packet *p, const struct segment *s,
	  const struct tcp_segopt *opt)
{
	if (s->paws || seq_before(s->end, tw->rcv_nxt) ||
	    seq_after(s->seq, tw->rcv_nxt + tw->rcv_wnd)) {
		if (!(s->flags & TCPH_RST) && !ack_limited(tw))
			acknowledge(tw, p);
		return;
	}
	if (s->flags & TCPH_RST) {
		tcp_timewait_kill(tw);
		return;
	}
	if ((s->flags & TCPH_SYN) && !seq_before(s->seq, tw->rcv_nxt)) {
		tcp_reply_reset(p);
		tcp_timewait_kill(tw);
		return;
	}
	if (!(s->flags & TCPH_ACK) || !seq_after(s->end, tw->rcv_nxt) || s->end == s->seq)
		return;
	if (!(s->flags & TCPH_FIN) || s->end != tw->rcv_nxt + 1) {
		/* Data that nobody will read. */
		tcp_reply_reset(p);
		tcp_timewait_kill(tw);
		return;
	}
	tw->state = TCP_TIME_WAIT;
	tw->rcv_nxt = s->end;
	again(tw, opt);
	acknowledge(tw, p);
}

enum tcp_tw_result
tcp_timewait_receive(struct tcp_timewait *tw, struct packet *p, u32 *isn)
{
	const struct tcp_header *th = tcp_header(p);
	u32 header = (u32)(th->offset >> 4) * 4;
	struct tcp_segopt opt;

	tcp_segopt_parse((const u8 *)(th + 1), header - TCPH_LEN, th->flags & TCPH_SYN, &opt);
	struct segment s = { .seq = ntohl(th->seq), .flags = th->flags };
	s.end = s.seq + p->len - header + !!(s.flags & TCPH_SYN) + !!(s.flags & TCPH_FIN);
	s.paws = tw->ts_on && opt.has_ts && seq_before(opt.ts_val, tw->ts_recent) &&
		 !(s.flags & TCPH_RST);
	if (tw->state == TCP_FIN_WAIT2) {
		fin_wait2(tw, p, &s, &opt);
		packet_free(p);
		return TCP_TW_DONE;
	}
	if (!s.paws && s.seq == tw->rcv_nxt && (s.seq == s.end || (s.flags & TCPH_RST))) {
		/* RFC 1337: a reset may be an old one; Linux lets it end the wait nevertheless. */
		if ((s.flags & TCPH_RST) && !tcp_init_net.rfc1337)
			tcp_timewait_kill(tw);
		else
			again(tw, &opt);
		packet_free(p);
		return TCP_TW_DONE;
	}
	/* RFC 9293 3.6.1, RFC 6191: a new connection, clearly later than the old one. */
	if ((s.flags & (TCPH_SYN | TCPH_RST | TCPH_ACK)) == TCPH_SYN && !s.paws &&
	    (seq_after(s.seq, tw->rcv_nxt) ||
	     (tw->ts_on && opt.has_ts && seq_before(tw->ts_recent, opt.ts_val)))) {
		*isn = tw->snd_nxt + 65535 + 2;
		if (!*isn)
			*isn = 1;
		return TCP_TW_SYN;
	}
	if (!(s.flags & TCPH_RST)) {
		if (s.paws || (s.flags & TCPH_ACK)) {
			if (list_dequeue(tw))
				list_enqueue(tw, TIMEWAIT_NS);
		}
		if (!ack_limited(tw))
			acknowledge(tw, p);
	}
	packet_free(p);
	return TCP_TW_DONE;
}
