/* SPDX-License-Identifier: MIT */
/*
 * Timers: one for everything that concerns what we sent (time-out, reordering, tail loss probe,
 * window probe: only one of them makes sense at a time), one for delayed acknowledgements, one for
 * keep-alive, FIN-WAIT-2 and listeners' requests.
 *
 * They fire in a net section. While a process owns the sock the firing is left to it: sock_unlock
 * calls tcp_deferred.
 */
#include "tcp_internal.h"

#define PROBE_MIN_NS 200000000ul

static u32
deferred_bit(const struct tcp_sock *tp, const struct net_timer *t)
{
	return t == &tp->rtx_timer   ? TCP_DEFERRED_RTX
	       : t == &tp->ack_timer ? TCP_DEFERRED_ACK
				     : TCP_DEFERRED_KEEP;
}

static void
arm(struct tcp_sock *tp, struct net_timer *t, u64 deadline)
{
	if (net_timer_start(t, deadline))
		inet_sock_get(&tp->inet);
}

void
tcp_timer_set(struct tcp_sock *tp, enum tcp_timer_mode mode, u64 delay_ns)
{
	tp->timer_mode = (u8)mode;
	if (mode == TCP_TIMER_NONE)
		net_timer_stop(&tp->rtx_timer);
	else
		arm(tp, &tp->rtx_timer, tp->now + delay_ns);
}

void
tcp_ack_timer_set(struct tcp_sock *tp, u64 delay_ns)
{
	arm(tp, &tp->ack_timer, tp->now + delay_ns);
}

void
tcp_keep_timer_set(struct tcp_sock *tp, u64 delay_ns)
{
	arm(tp, &tp->keep_timer, tp->now + delay_ns);
}

void
tcp_timers_cancel(struct tcp_sock *tp)
{
	struct net_timer *all[] = { &tp->rtx_timer, &tp->ack_timer, &tp->keep_timer };

	tp->timer_mode = TCP_TIMER_NONE;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		net_timer_stop(all[i]);
		if (net_timer_cancel(all[i]))
			inet_sock_put(&tp->inet);
	}
}

/* ---- giving up ---- */

static void
give_up(struct tcp_sock *tp)
{
	int err = tp->inet.soft_error ? tp->inet.soft_error : ETIMEDOUT;

	inet_count(TcpExtTCPAbortOnTimeout);
	tcp_done(tp, err);
}

/* Has nothing been acknowledged for as long as `retries` time-outs take? (RFC 1122 4.2.3.5 R2.) */
static bool
timed_out(const struct tcp_sock *tp, u32 retries)
{
	u64 waited, limit;

	if (!tp->timeouts_from_ns)
		return false;
	waited = tp->now - tp->timeouts_from_ns;
	if (tp->user_timeout_ms) {
		limit = (u64)tp->user_timeout_ms * 1000000;
	} else {
		u32 doublings = 0;

		while (doublings < 30 && ((u64)TCP_RTO_MIN_US << doublings) < TCP_RTO_MAX_US)
			doublings++;
		if (retries < doublings)
			limit = ((2ul << retries) - 1) * TCP_RTO_MIN_US * 1000;
		else
			limit = (((2ul << (doublings - 1)) - 1) * TCP_RTO_MIN_US +
				 (retries - doublings + 1ul) * TCP_RTO_MAX_US) *
				1000;
	}
	return waited >= limit;
}

static u32
orphan_retries(const struct tcp_sock *tp)
{
	u32 n = tp->inet.net->tcp->orphan_retries;

	return n ? n : 8;
}

/* ---- the retransmission timer ---- */

static void
timeout_syn(struct tcp_sock *tp)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	u32 most = tp->syn_count_opt		    ? tp->syn_count_opt
		   : tp->inet.state == TCP_SYN_SENT ? net->syn_retries
						    : net->synack_retries;

	if (tp->retransmits >= most || (tp->user_timeout_ms && timed_out(tp, 0))) {
		give_up(tp);
		return;
	}
	if (!tp->timeouts_from_ns)
		tp->timeouts_from_ns = tp->now;
	tp->retransmits++;
	tcp_resend_syn(tp);
	if (tp->rtt.backoff < TCP_BACKOFF_MAX)
		tp->rtt.backoff++;
	tcp_timer_set(tp, TCP_TIMER_RTO, tcp_rtt_rto_ns(&tp->rtt));
}

static void
timeout(struct tcp_sock *tp)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	struct packet *p = packet_queue_peek(&tp->rtx);

	if (!p) {
		tcp_rearm_rto(tp);
		return;
	}
	if (tp->inet.state == TCP_SYN_SENT || tp->inet.state == TCP_SYN_RECV) {
		timeout_syn(tp);
		return;
	}
	if (!tp->retransmits)
		tp->timeouts_from_ns = tcp_cb(p)->sent_ns;
	u32 retries = net->retries2;
	bool orphan = !tp->inet.socket && !tp->listener;
	if (orphan)
		retries = MIN(retries, orphan_retries(tp));
	if (timed_out(tp, retries)) {
		give_up(tp);
		return;
	}
	inet_count(TcpExtTCPTimeouts);
	if (tp->retransmits >= net->retries1) /* R1 of RFC 1122: perhaps there is another way */
		tp->inet.route.dev = NULL;
	tcp_enter_loss(tp);
	tp->retransmits = (u8)MIN(tp->retransmits + 1, 255);
	(void)tcp_retransmit(tp, packet_queue_peek(&tp->rtx), 1);
	if (tp->rtt.backoff < TCP_BACKOFF_MAX)
		tp->rtt.backoff++;
	tcp_timer_set(tp, TCP_TIMER_RTO, tcp_rtt_rto_ns(&tp->rtt));
}

void
tcp_probe_check(struct tcp_sock *tp)
{
	if (tp->packets_out || tp->timer_mode != TCP_TIMER_NONE || packet_queue_empty(&tp->send))
		return;
	tcp_timer_set(tp, TCP_TIMER_PROBE, MAX(tcp_rtt_rto_ns(&tp->rtt), PROBE_MIN_NS));
}

/* RFC 9293 3.8.6.1: for as long as the peer answers, for ever. */
static void
probe(struct tcp_sock *tp)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	bool orphan = !tp->inet.socket && !tp->listener;

	if (tp->packets_out || packet_queue_empty(&tp->send)) {
		tp->probes_out = 0;
		tcp_rearm_rto(tp);
		return;
	}
	if (!tp->probes_out)
		tp->timeouts_from_ns = tp->now;
	u32 most = orphan ? MIN(net->retries2, orphan_retries(tp)) : net->retries2;
	if (tp->probes_out >= most ||
	    (tp->user_timeout_ms && tp->probes_out &&
	     tp->now - tp->timeouts_from_ns >= (u64)tp->user_timeout_ms * 1000000)) {
		give_up(tp);
		return;
	}
	(void)tcp_write_wakeup(tp);
	if (tp->packets_out || packet_queue_empty(&tp->send)) {
		tcp_rearm_rto(tp);
		return;
	}
	if (tp->rtt.backoff < TCP_BACKOFF_MAX)
		tp->rtt.backoff++;
	tp->probes_out++;
	tcp_timer_set(tp, TCP_TIMER_PROBE, MAX(tcp_rtt_rto_ns(&tp->rtt), PROBE_MIN_NS));
}

static void
rtx_due(struct tcp_sock *tp)
{
	u8 mode = tp->timer_mode;

	tp->timer_mode = TCP_TIMER_NONE;
	switch (mode) {
	case TCP_TIMER_RTO: timeout(tp); break;
	case TCP_TIMER_REO: tcp_rack_timeout(tp); break;
	case TCP_TIMER_TLP: tcp_tlp_send(tp); break;
	case TCP_TIMER_PROBE: probe(tp); break;
	}
}

/* ---- delayed acknowledgements ---- */

static void
ack_due(struct tcp_sock *tp)
{
	if (!tp->ack_pending)
		return;
	if (tp->pingpong) {
		/* The program took its time: this is no conversation. */
		tp->pingpong = false;
		tp->ato_us = 40000;
	} else {
		tp->ato_us = MIN(tp->ato_us * 2, tp->rtt.rto_us);
	}
	inet_count(TcpExtDelayedACKs);
	tcp_send_ack(tp);
}

/* ---- keep-alive ---- */

static u64
keep_idle_ns(const struct tcp_sock *tp)
{
	u32 s = tp->keep_idle_s ? tp->keep_idle_s : tp->inet.net->tcp->keepalive_time_s;

	return (u64)s * NSEC_PER_SEC;
}

void
tcp_keepalive_start(struct tcp_sock *tp)
{
	tcp_keep_timer_set(tp, keep_idle_ns(tp));
}

static void
keep_due(struct tcp_sock *tp)
{
	const struct tcp_net *net = tp->inet.net->tcp;

	if (tp->inet.state == TCP_LISTEN) {
		tcp_listen_timer(tp);
		return;
	}
	if (tp->inet.state == TCP_FIN_WAIT2 && !tp->inet.socket) {
		tcp_done(tp, 0);
		return;
	}
	if (!tp->keepalive || tp->inet.state == TCP_SYN_SENT)
		return;
	u64 idle_limit = keep_idle_ns(tp), heard = MAX(tp->last_recv_ns, tp->last_ack_recv_ns);
	if (tp->packets_out || !packet_queue_empty(&tp->send)) {
		/* The retransmission timer watches over it. */
		tcp_keep_timer_set(tp, idle_limit);
		return;
	}
	u64 idle = tp->now - heard;
	if (idle < idle_limit) {
		tp->keep_probes = 0;
		tcp_keep_timer_set(tp, idle_limit - idle);
		return;
	}
	u32 most = tp->keep_count ? tp->keep_count : net->keepalive_probes;
	if (tp->user_timeout_ms ? idle >= (u64)tp->user_timeout_ms * 1000000 && tp->keep_probes
				: tp->keep_probes >= most) {
		tcp_send_reset(tp);
		give_up(tp);
		return;
	}
	tcp_probe_bare(tp, false);
	tp->keep_probes++;
	inet_count(TcpExtTCPKeepAlive);
	tcp_keep_timer_set(tp, (u64)(tp->keep_intvl_s ? tp->keep_intvl_s : net->keepalive_intvl_s) *
				       NSEC_PER_SEC);
}

/* ---- firing ---- */

static void
due(struct tcp_sock *tp, struct net_timer *t)
{
	tcp_clock(tp);
	if (tp->inet.state == TCP_CLOSE)
		return;
	if (t == &tp->rtx_timer)
		rtx_due(tp);
	else if (t == &tp->ack_timer)
		ack_due(tp);
	else
		keep_due(tp);
	/* What is dead has no timers: tcp_done has cancelled them. */
	if (tp->inet.state != TCP_CLOSE && tp->inet.state != TCP_LISTEN && tp->nospace &&
	    tcp_write_room(tp)) {
		tp->nospace = false;
		inet_sock_writable(&tp->inet);
	}
}

/* Under the lock; true: the timer's reference is to be dropped. */
static bool
fired(struct tcp_sock *tp, struct net_timer *t)
{
	enum net_timer_result r = net_timer_fired(t);

	if (r == NET_TIMER_DUE)
		due(tp, t);
	return r != NET_TIMER_REARMED;
}

static void
fire(struct tcp_sock *tp, struct net_timer *t)
{
	struct inet_sock *sk = &tp->inet;
	bool put = false;

	sock_bh_lock(sk);
	if (sk->owned)
		sk->deferred |= deferred_bit(tp, t);
	else
		put = fired(tp, t);
	sock_bh_unlock(sk);
	if (put)
		inet_sock_put(sk);
}

void
tcp_timers_deferred(struct tcp_sock *tp, u32 bits)
{
	struct net_timer *all[] = { &tp->rtx_timer, &tp->ack_timer, &tp->keep_timer };

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		if ((bits & deferred_bit(tp, all[i])) && fired(tp, all[i]))
			inet_sock_put(&tp->inet);
	}
}

static void
rtx_fire(struct net_timer *t)
{
	fire(container_of(t, struct tcp_sock, rtx_timer), t);
}

static void
ack_fire(struct net_timer *t)
{
	fire(container_of(t, struct tcp_sock, ack_timer), t);
}

static void
keep_fire(struct net_timer *t)
{
	fire(container_of(t, struct tcp_sock, keep_timer), t);
}

void
tcp_timers_init(struct tcp_sock *tp)
{
	net_timer_init(&tp->rtx_timer, rtx_fire);
	net_timer_init(&tp->ack_timer, ack_fire);
	net_timer_init(&tp->keep_timer, keep_fire);
}
