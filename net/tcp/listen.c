/* SPDX-License-Identifier: MIT */
/*
 * The passive side of connection set-up.
 *
 * A SYN makes a request, a small object in the table of connections, and is answered. The ACK finds
 * the request and makes a child: a sock like the listener, which takes the request's place in the
 * table and waits in the accept queue. Requests are on the listener's lists, one for each number of
 * repetitions, so each list is in order of expiry and one timer serves all.
 *
 * Limits as Linux's: at most `backlog` requests (beyond that, SYN cookies: the request lives in the
 * sequence number), and backlog + 1 children in the accept queue (beyond that SYNs are dropped, and
 * ACKs too, so that the peer repeats; or reset, with tcp_abort_on_overflow).
 *
 * Locking: the listener's lock for requests; children are locked inside it. accept(2) takes
 * accept_lock only, so it does not stand in the way of what arrives.
 */
#include "core/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "tcp_internal.h"

#define SYNACK_TIMEOUT_NS NSEC_PER_SEC
#define OVERFLOW_NS	  (2 * 60ul * NSEC_PER_SEC) /* cookies are believed for so long */

static struct tcp_flow
flow_of(const struct ip_addr *local, u16 local_port, const struct ip_addr *remote, u16 remote_port)
{
	struct tcp_flow f = { .sport = local_port, .dport = remote_port };

	memcpy(f.saddr, local->q, sizeof(f.saddr));
	memcpy(f.daddr, remote->q, sizeof(f.daddr));
	return f;
}

static u32
minutes(const struct tcp_sock *l)
{
	return (u32)(l->now / (60 * NSEC_PER_SEC));
}

/* ---- requests ---- */

static void
request_enqueue(struct tcp_sock *l, struct tcp_request *r)
{
	u32 n = MIN(r->retries, (u32)ARRAY_SIZE(l->requests) - 1);

	r->expires = l->now + MIN(SYNACK_TIMEOUT_NS << n, (u64)TCP_RTO_MAX_US * 1000);
	list_add_tail(&r->node, &l->requests[n]);
	if (!net_timer_pending(&l->keep_timer) || l->keep_timer.deadline > r->expires)
		tcp_keep_timer_set(l, r->expires - l->now);
}

/* Off the list; the table's reference is the caller's business. */
static void
request_dequeue(struct tcp_sock *l, struct tcp_request *r)
{
	list_del_init(&r->node);
	l->request_count--;
	r->mini.dead = true;
}

static void
request_drop(struct tcp_sock *l, struct tcp_request *r)
{
	request_dequeue(l, r);
	(void)tcp_hash_remove_mini(&r->mini);
}

static void
synack_send(struct tcp_sock *l, struct tcp_request *r, const struct tcp_segopt_syn *o)
{
	struct tcp_reply reply = {
		.src = r->mini.local,
		.dst = r->mini.remote,
		.src_port = r->mini.local_port,
		.dst_port = r->mini.remote_port,
		.seq = r->snt_isn,
		.ack = r->rcv_isn + 1,
		.window = (u16)MIN(r->window, 65535u),
		.flags = TCPH_SYN | TCPH_ACK,
		.syn = o,
		.oif = r->mini.ifindex,
		.mark = l->inet.mark,
		.tos = l->inet.tos,
	};

	r->synack_ns = l->now;
	tcp_reply(l->inet.net, &reply);
}

static u16
advertised_mss(struct tcp_sock *l, const struct ip_addr *local, const struct ip_addr *remote,
	       u32 oif)
{
	struct flow f = { .dst = *remote,
			  .src = *local,
			  .oif = oif,
			  .mark = l->inet.mark,
			  .protocol = IPPROTO_TCP };
	struct route rt;
	u32 mtu = 1500, headers = (ip_addr_is4(remote) ? 20 : 40) + TCPH_LEN;

	if (inet_route_output(l->inet.net, &f, &rt) == 0)
		mtu = rt.dev->mtu;
	u32 mss = MIN(MAX(mtu, headers + 88) - headers, 65495u);
	if (l->user_mss)
		mss = MIN(mss, (u32)l->user_mss);
	return (u16)mss;
}

static struct tcp_segopt_syn
synack_options(struct tcp_sock *l, const struct tcp_request *r)
{
	return (struct tcp_segopt_syn){
		.mss = advertised_mss(l, &r->mini.local, &r->mini.remote, r->mini.ifindex),
		.sack_ok = r->sack_on,
		.has_ts = r->ts_on,
		.has_wscale = r->wscale_on,
		.wscale = r->rcv_wscale,
		.ts_val = (u32)(l->now / NSEC_PER_MSEC) + r->ts_offset,
		.ts_ecr = r->ts_recent,
	};
}

static void
request_fill(struct tcp_sock *l, struct tcp_request *r, const struct inet_cb *c, u32 ifindex,
	     const struct tcp_header *th)
{
	*r = (struct tcp_request){
		.mini = { .local = c->dst,
			  .remote = c->src,
			  .local_port = ntohs(th->dst_port),
			  .remote_port = ntohs(th->src_port),
			  .family = l->inet.family,
			  .kind = TCP_MINI_REQUEST,
			  .ifindex = l->inet.bound_ifindex },
		.listener = l,
		.rcv_isn = ntohl(th->seq),
		.peer_window = ntohs(th->window),
	};
	/* A link-local address means nothing without its link. */
	if (!ip_addr_is4(&c->src) && ipv6_is_linklocal(&c->src))
		r->mini.ifindex = ifindex;
	ref_init(&r->mini.ref);
	list_init(&r->node);
}

static void
request_options(struct tcp_sock *l, struct tcp_request *r, const struct tcp_segopt *o)
{
	const struct tcp_net *net = l->inet.net->tcp;

	r->mss = o->mss ? o->mss : 536;
	if (l->user_mss)
		r->mss = MIN(r->mss, l->user_mss);
	r->ts_on = o->has_ts && net->timestamps;
	r->ts_recent = o->ts_val;
	r->sack_on = o->has_sack_ok && net->sack;
	r->wscale_on = o->has_wscale && net->window_scaling;
	r->snd_wscale = o->wscale;
	tcp_initial_window(net, l->rcvbuf, r->mss, r->wscale_on, l->window_clamp, &r->window,
			   &r->rcv_wscale);
}

static bool
accept_full(const struct tcp_sock *l)
{
	return READ_ONCE(l->accept_len) > l->backlog;
}

/* isn: what to begin with, where TIME-WAIT says so; 0: choose. Takes over p. */
static void
syn_receive(struct tcp_sock *l, struct packet *p, u32 isn)
{
	const struct tcp_net *net = l->inet.net->tcp;
	const struct tcp_header *th = tcp_header(p);
	const struct inet_cb *c = inet_cb(p);
	struct tcp_request local, *r = &local;
	struct tcp_segopt opt;
	bool cookie = net->syncookies == 2;

	if (l->request_count >= MAX(l->backlog, 1u) && !isn) {
		if (!net->syncookies)
			goto out_listen_drop;
		cookie = true;
	} else if (!net->syncookies &&
		   l->request_count > net->max_syn_backlog - net->max_syn_backlog / 4) {
		goto out_listen_drop; /* the last quarter is for peers that are known, and nobody is
				       */
	}
	if (accept_full(l)) {
		inet_count(TcpExtListenOverflows);
		goto out_listen_drop;
	}
	/* Without cookies the last quarter is for peers that are known, and nobody is: no metrics
	 * are kept. */
	u32 most = READ_ONCE(net->max_syn_backlog);
	if (!isn && !net->syncookies && l->request_count >= most - most / 4)
		goto out_listen_drop;
	tcp_segopt_parse((const u8 *)(th + 1), (u32)(th->offset >> 4) * 4 - TCPH_LEN, true, &opt);
	if (!cookie) {
		r = kmalloc(sizeof(*r), GFP_ATOMIC);
		if (!r)
			goto out_listen_drop;
	}
	request_fill(l, r, c, p->ifindex, th);
	request_options(l, r, &opt);
	struct tcp_flow f = flow_of(&c->dst, r->mini.local_port, &c->src, r->mini.remote_port);
	r->ts_offset = tcp_secret_ts_offset(&f);
	if (cookie && !r->ts_on) {
		/* No place to remember these in. */
		r->wscale_on = r->sack_on = false;
		r->rcv_wscale = 0;
	}
	struct tcp_segopt_syn o = synack_options(l, r);
	if (cookie) {
		struct tcp_cookie_options co = { .has_wscale = r->wscale_on,
						 .wscale = r->snd_wscale,
						 .sack_ok = r->sack_on };

		r->snt_isn = tcp_cookie_make(&f, r->rcv_isn, r->mss, minutes(l));
		o.ts_val = tcp_cookie_ts_encode(o.ts_val - r->ts_offset, &co) + r->ts_offset;
		l->overflow_ns = l->now;
		inet_count(TcpExtSyncookiesSent);
		synack_send(l, r, &o);
		packet_free(p);
		return;
	}
	r->snt_isn = isn ? isn : tcp_secret_isn(&f, l->now);
	r->mini.hash = inet_flow_hash(l->inet.net, &c->dst, r->mini.local_port, &c->src,
				      r->mini.remote_port);
	l->request_count++;
	request_enqueue(l, r);
	tcp_hash_add_mini(&r->mini);
	synack_send(l, r, &o);
	packet_free(p);
	return;

out_listen_drop:
	inet_count(TcpExtListenDrops);
	packet_free(p);
}

/* ---- children ---- */

/* The child is not yet in the table; nobody knows it. NULL: no memory. */
static struct tcp_sock *
child_make(struct tcp_sock *l, const struct tcp_request *r)
{
	struct tcp_sock *tp = tcp_child_create(l);

	if (!tp)
		return NULL;
	struct inet_sock *sk = &tp->inet;
	sk->local = r->mini.local;
	sk->remote = r->mini.remote;
	sk->local_port = r->mini.local_port;
	sk->remote_port = r->mini.remote_port;
	sk->bound_ifindex = r->mini.ifindex;
	sk->state = TCP_SYN_RECV;
	if (inet_port_inherit(&tcp_ports, sk, &l->inet)) {
		inet_sock_put(sk);
		return NULL;
	}
	tp->now = l->now;
	tp->pseudo_sum = inet_pseudo_sum(&sk->local, &sk->remote, IPPROTO_TCP, 0);
	tp->irs = r->rcv_isn;
	tp->iss = r->snt_isn;
	tp->rcv_nxt = tp->rcv_wup = tp->copied_seq = tp->last_ack_sent = r->rcv_isn + 1;
	tp->snd_una = tp->snd_sml = tp->pushed_seq = r->snt_isn;
	tp->snd_nxt = tp->write_seq = r->snt_isn + 1;
	tp->snd_wl1 = r->rcv_isn;
	tp->ts_on = r->ts_on;
	tp->ts_recent = r->ts_recent;
	tp->ts_recent_ns = l->now;
	tp->ts_offset = r->ts_offset;
	tp->sack_on = r->sack_on;
	tp->wscale_on = r->wscale_on;
	tp->snd_wscale = r->wscale_on ? r->snd_wscale : 0;
	tp->rcv_wscale = r->wscale_on ? r->rcv_wscale : 0;
	tp->rcv_wnd = r->window;
	tp->window_clamp = l->window_clamp ? l->window_clamp : tp->rcvbuf / 2;
	if (!tp->wscale_on)
		tp->window_clamp = MIN(tp->window_clamp, 65535u);
	tp->mss_clamp = r->mss;
	tp->snd_wnd = tp->max_window = r->peer_window;
	u32 mtu = inet_sock_mtu(sk);
	tcp_sync_mss(tp, mtu ? mtu : 1500);
	tp->advmss = advertised_mss(l, &sk->local, &sk->remote, sk->bound_ifindex);
	tp->total_retrans = r->retries;
	if (!r->retries && r->synack_ns)
		tcp_rtt_sample(&tp->rtt, (u32)MIN((l->now - r->synack_ns) / 1000, 10000000ul),
			       l->now);
	tp->cong.srtt_us = tcp_rtt_srtt(&tp->rtt);
	return tp;
}

/* It is in the table: let it handle the ACK (and what comes with it) and offer it to accept(2). */
static void
child_start(struct tcp_sock *l, struct tcp_sock *tp, struct packet *p)
{
	inet_count(TcpPassiveOpens);
	spin_lock(&l->accept_lock);
	tp->listener = l;
	list_add_tail(&tp->accept_node, &l->accept_queue);
	WRITE_ONCE(l->accept_len, l->accept_len + 1);
	spin_unlock(&l->accept_lock);
	tcp_sock_receive(tp, p);
	sock_bh_unlock(&tp->inet);
	inet_sock_readable(&l->inet, 0);
}

static u32
defer_retries(const struct tcp_sock *l)
{
	u32 n = 0;

	for (u64 s = l->defer_accept_s, t = 1; t < s + 1 && n < 7; t = t * 2 + 1)
		n++;
	return n;
}

static void
reset_seq(struct tcp_sock *l, const struct tcp_request *r, u32 seq)
{
	struct tcp_reply reply = { .src = r->mini.local,
				   .dst = r->mini.remote,
				   .src_port = r->mini.local_port,
				   .dst_port = r->mini.remote_port,
				   .seq = seq,
				   .flags = TCPH_RST };

	inet_count(TcpOutRsts);
	tcp_reply(l->inet.net, &reply);
}

/* l's lock held. Takes over p. RFC 9293 3.10.7.4 for SYN-RECEIVED. */
static void
request_receive_locked(struct tcp_sock *l, struct tcp_request *r, struct packet *p)
{
	const struct tcp_header *th = tcp_header(p);
	u32 header = (u32)(th->offset >> 4) * 4, seq = ntohl(th->seq);
	u32 end = seq + p->len - header + !!(th->flags & TCPH_SYN) + !!(th->flags & TCPH_FIN);
	struct tcp_segopt opt;
	bool paws = false;

	tcp_segopt_parse((const u8 *)(th + 1), header - TCPH_LEN, th->flags & TCPH_SYN, &opt);
	if (r->ts_on && opt.has_ts)
		paws = seq_before(opt.ts_val, r->ts_recent);
	if ((th->flags & (TCPH_SYN | TCPH_ACK | TCPH_RST)) == TCPH_SYN && seq == r->rcv_isn &&
	    !paws) {
		/* Our answer was lost. */
		struct tcp_segopt_syn o = synack_options(l, r);

		if (l->now - r->synack_ns >= l->inet.net->tcp->invalid_ratelimit_ms * NSEC_PER_MSEC)
			synack_send(l, r, &o);
		goto out_drop;
	}
	if (paws || seq_after(seq, r->rcv_isn + 1 + r->window) || seq_before(end, r->rcv_isn + 1)) {
		if (!(th->flags & TCPH_RST)) {
			struct tcp_reply ack = {
				.src = r->mini.local,
				.dst = r->mini.remote,
				.src_port = r->mini.local_port,
				.dst_port = r->mini.remote_port,
				.seq = r->snt_isn + 1,
				.ack = r->rcv_isn + 1,
				.window = (u16)MIN(r->window >> r->rcv_wscale, 65535u),
				.flags = TCPH_ACK,
				.ts_on = r->ts_on,
				.ts_val = (u32)(l->now / NSEC_PER_MSEC) + r->ts_offset,
				.ts_ecr = r->ts_recent,
				.oif = r->mini.ifindex
			};

			tcp_reply(l->inet.net, &ack);
		}
		goto out_drop;
	}
	if (th->flags & (TCPH_RST | TCPH_SYN)) {
		if (!(th->flags & TCPH_RST))
			tcp_reply_reset(p);
		inet_count(TcpAttemptFails);
		request_drop(l, r);
		goto out_drop;
	}
	if (!(th->flags & TCPH_ACK))
		goto out_drop;
	if (ntohl(th->ack) != r->snt_isn + 1) {
		reset_seq(l, r, ntohl(th->ack));
		goto out_drop;
	}
	if (r->ts_on && opt.has_ts && !seq_after(seq, r->rcv_isn + 1))
		r->ts_recent = opt.ts_val;
	/* TCP_DEFER_ACCEPT: a bare ACK is not worth waking the program. */
	if (l->defer_accept_s && end == r->rcv_isn + 1 && r->retries < defer_retries(l)) {
		r->acked = true;
		goto out_drop;
	}
	if (accept_full(l)) {
		inet_count(TcpExtListenOverflows);
		if (l->inet.net->tcp->abort_on_overflow) {
			tcp_reply_reset(p);
			request_drop(l, r);
		} else {
			r->acked = true;
		}
		goto out_drop;
	}
	struct tcp_sock *tp = child_make(l, r);
	if (!tp)
		goto out_drop;
	sock_bh_lock_nested(&tp->inet); /* after its listener */
	if (!tcp_hash_request_to_sock(&r->mini, tp)) {
		tp->inet.state = TCP_CLOSE;
		inet_port_release(&tcp_ports, &tp->inet);
		sock_bh_unlock(&tp->inet);
		inet_sock_put(&tp->inet);
		goto out_drop;
	}
	request_dequeue(l, r);
	child_start(l, tp, p);
	return;
out_drop:
	packet_free(p);
}

/* An ACK out of nowhere: does it bring a cookie of ours? Takes over p. */
static void
cookie_receive(struct tcp_sock *l, struct packet *p)
{
	const struct tcp_net *net = l->inet.net->tcp;
	const struct tcp_header *th = tcp_header(p);
	const struct inet_cb *c = inet_cb(p);
	u32 header = (u32)(th->offset >> 4) * 4;
	struct tcp_request r;
	struct tcp_segopt opt;

	if ((th->flags & TCPH_RST) || !net->syncookies || !l->overflow_ns ||
	    l->now - l->overflow_ns > OVERFLOW_NS)
		goto out_reset;
	struct tcp_flow f = flow_of(&c->dst, ntohs(th->dst_port), &c->src, ntohs(th->src_port));
	u16 mss = tcp_cookie_check(&f, ntohl(th->seq) - 1, ntohl(th->ack) - 1, minutes(l));
	if (!mss) {
		inet_count(TcpExtSyncookiesFailed);
		goto out_reset;
	}
	inet_count(TcpExtSyncookiesRecv);
	if (accept_full(l)) {
		inet_count(TcpExtListenOverflows);
		packet_free(p);
		return;
	}
	request_fill(l, &r, c, p->ifindex, th);
	r.rcv_isn = ntohl(th->seq) - 1;
	r.snt_isn = ntohl(th->ack) - 1;
	r.ts_offset = tcp_secret_ts_offset(&f);
	tcp_segopt_parse((const u8 *)(th + 1), header - TCPH_LEN, false, &opt);
	opt.mss = mss;
	if (opt.has_ts) {
		struct tcp_cookie_options co;

		tcp_cookie_ts_decode(opt.ts_ecr - r.ts_offset, &co);
		opt.has_wscale = co.has_wscale;
		opt.wscale = co.wscale;
		opt.has_sack_ok = co.sack_ok;
	}
	request_options(l, &r, &opt);
	struct tcp_sock *tp = child_make(l, &r);
	if (!tp) {
		packet_free(p);
		return;
	}
	sock_bh_lock_nested(&tp->inet); /* after its listener */
	if (!tcp_hash_add(tp)) {
		tp->inet.state = TCP_CLOSE;
		inet_port_release(&tcp_ports, &tp->inet);
		sock_bh_unlock(&tp->inet);
		inet_sock_put(&tp->inet);
		packet_free(p);
		return;
	}
	child_start(l, tp, p);
	return;
out_reset:
	tcp_reply_reset(p);
	packet_free(p);
}

void
tcp_listener_receive(struct tcp_sock *l, struct packet *p)
{
	const struct tcp_header *th = tcp_header(p);
	struct tcp_mini *mini;

	tcp_clock(l);
	/* It may have waited in the backlog, and the request or its child come into being. */
	struct tcp_sock *tp = tcp_hash_peek(l->inet.net, inet_cb(p), ntohs(th->dst_port),
					    ntohs(th->src_port), p->ifindex, &mini);
	if (tp) {
		sock_bh_lock_nested(&tp->inet); /* after its listener */
		if (!tp->inet.owned)
			tcp_sock_receive(tp, p);
		else
			(void)sock_backlog_add(&tp->inet, p);
		sock_bh_unlock(&tp->inet);
		return;
	}
	if (mini) {
		struct tcp_request *r = container_of(mini, struct tcp_request, mini);

		if (mini->kind == TCP_MINI_REQUEST && r->listener == l && !mini->dead)
			request_receive_locked(l, r, p);
		else
			packet_free(p);
		tcp_mini_put(mini);
		return;
	}
	if (th->flags & TCPH_RST) {
		packet_free(p);
	} else if (th->flags & TCPH_ACK) {
		cookie_receive(l, p);
	} else if ((th->flags & (TCPH_SYN | TCPH_FIN)) == TCPH_SYN) {
		syn_receive(l, p, 0);
	} else {
		packet_free(p);
	}
}

void
tcp_listener_syn(struct tcp_sock *l, struct packet *p, u32 isn)
{
	sock_bh_lock(&l->inet);
	if (l->inet.state == TCP_LISTEN && !l->inet.owned) {
		tcp_clock(l);
		syn_receive(l, p, isn);
	} else {
		/* The peer repeats it. */
		packet_free(p);
	}
	sock_bh_unlock(&l->inet);
}

void
tcp_request_receive(struct tcp_request *r, struct packet *p)
{
	struct tcp_sock *l = r->listener;

	sock_bh_lock(&l->inet);
	if (l->inet.owned) {
		if (!sock_backlog_add(&l->inet, p))
			inet_count(TcpExtTCPBacklogDrop);
	} else if (l->inet.state != TCP_LISTEN) {
		tcp_reply_reset(p);
		packet_free(p);
	} else if (r->mini.dead) {
		/* Its child has just taken its place. */
		tcp_listener_receive(l, p);
	} else {
		tcp_clock(l);
		request_receive_locked(l, r, p);
	}
	sock_bh_unlock(&l->inet);
}

/* ---- time ---- */

void
tcp_listen_timer(struct tcp_sock *l)
{
	u32 most = l->syn_count_opt ? l->syn_count_opt : l->inet.net->tcp->synack_retries;
	u64 next = TIME_NEVER;

	for (u32 i = ARRAY_SIZE(l->requests); i-- > 0;) {
		struct tcp_request *r;

		while ((r = list_first_entry_or_null(&l->requests[i], struct tcp_request, node)) &&
		       r->expires <= l->now) {
			if (r->retries >= most && (!r->acked || r->retries >= defer_retries(l))) {
				inet_count(TcpAttemptFails);
				request_drop(l, r);
				continue;
			}
			list_del_init(&r->node);
			r->retries++;
			/* With TCP_DEFER_ACCEPT an acknowledged one is asked again at the end only.
			 */
			if (!r->acked || !l->defer_accept_s || r->retries >= defer_retries(l)) {
				struct tcp_segopt_syn o = synack_options(l, r);

				inet_count(TcpRetransSegs);
				synack_send(l, r, &o);
			}
			request_enqueue(l, r);
		}
		if (r)
			next = MIN(next, r->expires);
	}
	if (next != TIME_NEVER)
		tcp_keep_timer_set(l, next > l->now ? next - l->now : 0);
}

/* ---- listening and not ---- */

/* Owner. */
int
tcp_listen_start(struct tcp_sock *tp, u32 backlog)
{
	WRITE_ONCE(tp->backlog, backlog);
	if (tp->inet.state == TCP_LISTEN)
		return 0;
	if (!tp->inet.local_port || !tp->inet.port_bucket) {
		int r = inet_port_bind(&tcp_ports, &tp->inet, tp->inet.local_port);

		if (r)
			return r;
	} else {
		/* Bound with SO_REUSEADDR beside others: only one may listen. */
		tcp_state_set(tp, TCP_LISTEN);
		int r = inet_port_bind(&tcp_ports, &tp->inet, tp->inet.local_port);
		if (r) {
			tcp_state_set(tp, TCP_CLOSE);
			return r;
		}
	}
	tcp_state_set(tp, TCP_LISTEN);
	tcp_listen_add(tp);
	return 0;
}

/* Owner, in a net section: requests go silently, children are reset. */
void
tcp_listen_stop(struct tcp_sock *l)
{
	struct tcp_sock *tp;

	tcp_listen_remove(l);
	tcp_clock(l);
	tcp_state_set(l, TCP_CLOSE);
	tcp_timers_cancel(l);
	for (u32 i = 0; i < ARRAY_SIZE(l->requests); i++) {
		struct tcp_request *r;

		while ((r = list_first_entry_or_null(&l->requests[i], struct tcp_request, node)))
			request_drop(l, r);
	}
	while ((tp = tcp_accept_take(l))) {
		sock_bh_lock(&tp->inet);
		tp->listener = NULL;
		tcp_clock(tp);
		if (tp->inet.state != TCP_CLOSE) {
			tcp_send_reset(tp);
			tcp_done(tp, 0);
		}
		tcp_receive_purge(tp);
		sock_bh_unlock(&tp->inet);
		if (tp->inet.port_bucket)
			inet_port_release(&tcp_ports, &tp->inet);
		inet_sock_put(&tp->inet);
	}
	if (!l->inet.port_locked)
		inet_port_release(&tcp_ports, &l->inet);
	inet_sock_state_changed(&l->inet);
}

struct tcp_sock *
tcp_accept_take(struct tcp_sock *l)
{
	struct tcp_sock *tp;

	spin_lock(&l->accept_lock);
	tp = list_first_entry_or_null(&l->accept_queue, struct tcp_sock, accept_node);
	if (tp) {
		list_del_init(&tp->accept_node);
		WRITE_ONCE(l->accept_len, l->accept_len - 1);
	}
	spin_unlock(&l->accept_lock);
	return tp;
}
