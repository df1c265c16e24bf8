/* SPDX-License-Identifier: MIT */
/* setsockopt(2) and getsockopt(2) at IPPROTO_TCP: tcp(7). Other levels are net/inet's. */
#include "lib/string.h"
#include "net/tcp/tcp.h"
#include "task/task.h"
#include "tcp_internal.h"
#include "uapi/errno.h"
#include "uapi/tcp.h"

#define KEEP_IDLE_MAX 32767
#define KEEP_CNT_MAX  127
#define SYN_CNT_MAX   127
#define LINGER2_MAX_S 120
#define MSS_MIN	      88
#define WINDOW_MAX    32767

static int
congestion_set(struct tcp_sock *tp, const void *val, u32 len)
{
	const struct congestion_ops *ops;
	char name[TCP_CONG_NAME_MAX];

	if (len < 1)
		return -EINVAL;
	len = MIN(len, (u32)sizeof(name) - 1);
	memcpy(name, val, len);
	name[len] = 0;
	ops = congestion_find(name);
	if (!ops)
		return -ENOENT;
	if (ops != tp->cong.ops)
		congestion_init(&tp->cong, ops);
	return 0;
}

static void
nagle_set(struct tcp_sock *tp, u8 bit, bool on)
{
	tp->nagle = on ? tp->nagle | bit : tp->nagle & (u8)~bit;
	/* What was held back goes: NODELAY at once, CORK when the cork is drawn. */
	if (on == (bit == TCP_NAGLE_OFF) && tp->inet.state != TCP_CLOSE &&
	    tp->inet.state != TCP_LISTEN) {
		net_begin();
		tcp_clock(tp);
		tcp_push_nagle(tp, TCP_NAGLE_PUSH);
		net_end();
	}
}

static int
keep_idle_set(struct tcp_sock *tp, int v)
{
	if (v < 1 || v > KEEP_IDLE_MAX)
		return -EINVAL;
	tp->keep_idle_s = (u32)v;
	if (tp->keepalive && tp->inet.state != TCP_CLOSE && tp->inet.state != TCP_LISTEN) {
		u64 idle, limit = (u64)v * NSEC_PER_SEC;

		net_begin();
		tcp_clock(tp);
		idle = tp->now - MAX(tp->last_recv_ns, tp->last_ack_recv_ns);
		tcp_keep_timer_set(tp, limit > idle ? limit - idle : 0);
		net_end();
	}
	return 0;
}

static void
quickack_set(struct tcp_sock *tp, int v)
{
	if (!v) {
		tp->pingpong = true;
		return;
	}
	tp->pingpong = false;
	if (tp->ack_pending &&
	    (tp->inet.state == TCP_ESTABLISHED || tp->inet.state == TCP_CLOSE_WAIT)) {
		net_begin();
		tcp_clock(tp);
		tcp_send_ack(tp);
		net_end();
		if (!(v & 1))
			tp->pingpong = true;
	}
}

static int
option_set(struct tcp_sock *tp, int name, int v)
{
	switch (name) {
	case TCP_NODELAY: nagle_set(tp, TCP_NAGLE_OFF, v); return 0;
	case TCP_CORK: nagle_set(tp, TCP_NAGLE_CORK, v); return 0;
	case TCP_MAXSEG:
		if (v && (v < MSS_MIN || v > WINDOW_MAX))
			return -EINVAL;
		tp->user_mss = (u16)v;
		return 0;
	case TCP_KEEPIDLE: return keep_idle_set(tp, v);
	case TCP_KEEPINTVL:
		if (v < 1 || v > KEEP_IDLE_MAX)
			return -EINVAL;
		tp->keep_intvl_s = (u32)v;
		return 0;
	case TCP_KEEPCNT:
		if (v < 1 || v > KEEP_CNT_MAX)
			return -EINVAL;
		tp->keep_count = (u8)v;
		return 0;
	case TCP_SYNCNT:
		if (v < 1 || v > SYN_CNT_MAX)
			return -EINVAL;
		tp->syn_count_opt = (u8)v;
		return 0;
	case TCP_LINGER2:
		tp->linger2_s = v < 0 ? -1 : v > LINGER2_MAX_S ? LINGER2_MAX_S : v;
		return 0;
	case TCP_DEFER_ACCEPT: tp->defer_accept_s = v < 0 ? 0 : (u32)v; return 0;
	case TCP_WINDOW_CLAMP:
		if (!v) {
			if (tp->inet.state != TCP_CLOSE)
				return -EINVAL;
			tp->window_clamp = 0;
		} else {
			tp->window_clamp = (u32)MAX(v, 1152);
			tp->rcv_ssthresh = MIN(tp->rcv_wnd, tp->window_clamp);
		}
		return 0;
	case TCP_QUICKACK: quickack_set(tp, v); return 0;
	case TCP_USER_TIMEOUT:
		if (v < 0)
			return -EINVAL;
		tp->user_timeout_ms = (u32)v;
		return 0;
	case TCP_NOTSENT_LOWAT:
		tp->notsent_lowat = (u32)v;
		if (tp->nospace && tcp_write_room(tp))
			inet_sock_writable(&tp->inet);
		return 0;
	case TCP_INQ:
		if (v < 0 || v > 1)
			return -EINVAL;
		tp->inq_wanted = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

int
tcp_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	int v = 0, r;

	if (level != IPPROTO_TCP)
		return inet_setsockopt(s, level, name, val, len);
	if (name != TCP_CONGESTION) {
		if (len < sizeof(v))
			return -EINVAL;
		memcpy(&v, val, sizeof(v));
	}
	sock_lock(&tp->inet);
	tcp_sync_options(tp);
	r = name == TCP_CONGESTION ? congestion_set(tp, val, len) : option_set(tp, name, v);
	sock_unlock(&tp->inet);
	return r;
}

static u32
ms_since(u64 now, u64 then)
{
	return then && now > then ? (u32)((now - then) / NSEC_PER_MSEC) : 0;
}

static void
info(const struct tcp_sock *tp, u64 now, struct linux_tcp_info *i)
{
	*i = (struct linux_tcp_info){ .tcpi_state = tp->inet.state };
	if (tp->inet.state == TCP_LISTEN) {
		i->tcpi_unacked = tp->accept_len;
		i->tcpi_sacked = tp->backlog;
		return;
	}
	i->tcpi_ca_state = tp->ca_state;
	i->tcpi_retransmits = tp->retransmits;
	i->tcpi_probes = tp->probes_out;
	i->tcpi_backoff = tp->rtt.backoff;
	i->tcpi_options = (u8)((tp->ts_on ? TCPI_OPT_TIMESTAMPS : 0) |
			       (tp->sack_on ? TCPI_OPT_SACK : 0) |
			       (tp->wscale_on ? TCPI_OPT_WSCALE : 0));
	i->pad_wscales = (u8)(tp->snd_wscale | tp->rcv_wscale << 4);
	i->tcpi_rto = tp->rtt.rto_us;
	i->tcpi_ato = tp->ato_us;
	i->tcpi_snd_mss = tp->mss_cache - (tp->ts_on ? TCP_TS_OPT_SPACE : 0);
	i->tcpi_rcv_mss = tp->rcv_mss;
	i->tcpi_unacked = tp->packets_out;
	i->tcpi_sacked = tp->sacked_out;
	i->tcpi_lost = tp->lost_out;
	i->tcpi_retrans = tp->retrans_out;
	i->tcpi_last_data_sent = ms_since(now, tp->last_send_ns);
	i->tcpi_last_data_recv = ms_since(now, tp->last_recv_ns);
	i->tcpi_last_ack_recv = ms_since(now, tp->last_ack_recv_ns);
	i->tcpi_pmtu = tp->pmtu;
	i->tcpi_rcv_ssthresh = tp->rcv_ssthresh;
	i->tcpi_rtt = tcp_rtt_srtt(&tp->rtt);
	i->tcpi_rttvar = tp->rtt.var4_us >> 2;
	i->tcpi_snd_ssthresh = tp->cong.ssthresh;
	i->tcpi_snd_cwnd = tp->cong.cwnd;
	i->tcpi_advmss = tp->advmss;
	i->tcpi_reordering = tp->reordering;
	i->tcpi_rcv_rtt = tp->rcv_rtt_us;
	i->tcpi_rcv_space = tp->space_bytes;
	i->tcpi_total_retrans = tp->total_retrans;
	i->tcpi_pacing_rate = i->tcpi_max_pacing_rate = UINT64_MAX;
	i->tcpi_bytes_acked = tp->bytes_acked;
	i->tcpi_bytes_received = tp->bytes_received;
	i->tcpi_segs_out = tp->segs_out;
	i->tcpi_segs_in = tp->segs_in;
	i->tcpi_notsent_bytes = tp->write_seq - tp->snd_nxt;
	i->tcpi_min_rtt = tcp_rtt_min(&tp->rtt);
	i->tcpi_data_segs_in = tp->data_segs_in;
	i->tcpi_data_segs_out = tp->data_segs_out;
	i->tcpi_delivered = tp->delivered;
	i->tcpi_bytes_sent = tp->bytes_sent;
	i->tcpi_bytes_retrans = tp->bytes_retrans;
	i->tcpi_dsack_dups = tp->dsack_dups;
	i->tcpi_reord_seen = tp->reord_seen;
	i->tcpi_rcv_ooopack = tp->ooo_packets;
	i->tcpi_snd_wnd = tp->snd_wnd;
}

/* Fields as they are at this moment, without the sock's lock: as good as a lock and a moment later.
 */
void
tcp_diag_info(const struct inet_sock *sk, struct linux_tcp_info *i)
{
	info(container_of(sk, const struct tcp_sock, inet), time_mono_ns(), i);
}

const char *
tcp_diag_congestion(const struct inet_sock *sk)
{
	return container_of(sk, const struct tcp_sock, inet)->cong.ops->name;
}

static int
option_get(struct tcp_sock *tp, int name, int *v)
{
	const struct tcp_net *net = tp->inet.net->tcp;

	switch (name) {
	case TCP_NODELAY: *v = !!(tp->nagle & TCP_NAGLE_OFF); return 0;
	case TCP_CORK: *v = !!(tp->nagle & TCP_NAGLE_CORK); return 0;
	case TCP_MAXSEG:
		*v = (int)(tp->mss_cache - (tp->ts_on ? TCP_TS_OPT_SPACE : 0));
		if (tp->user_mss && (tp->inet.state == TCP_CLOSE || tp->inet.state == TCP_LISTEN))
			*v = tp->user_mss;
		return 0;
	case TCP_KEEPIDLE:
		*v = (int)(tp->keep_idle_s ? tp->keep_idle_s : net->keepalive_time_s);
		return 0;
	case TCP_KEEPINTVL:
		*v = (int)(tp->keep_intvl_s ? tp->keep_intvl_s : net->keepalive_intvl_s);
		return 0;
	case TCP_KEEPCNT:
		*v = (int)(tp->keep_count ? tp->keep_count : net->keepalive_probes);
		return 0;
	case TCP_SYNCNT:
		*v = (int)(tp->syn_count_opt ? tp->syn_count_opt : net->syn_retries);
		return 0;
	case TCP_LINGER2:
		*v = tp->linger2_s < 0 ? -1
		     : tp->linger2_s   ? tp->linger2_s
				       : (int)net->fin_timeout_s;
		return 0;
	case TCP_DEFER_ACCEPT: *v = (int)tp->defer_accept_s; return 0;
	case TCP_WINDOW_CLAMP: *v = (int)tp->window_clamp; return 0;
	case TCP_QUICKACK: *v = !tp->pingpong; return 0;
	case TCP_USER_TIMEOUT: *v = (int)tp->user_timeout_ms; return 0;
	case TCP_TIMESTAMP:
		tcp_clock(tp);
		*v = (int)tcp_ts_now(tp);
		return 0;
	case TCP_NOTSENT_LOWAT: *v = (int)tp->notsent_lowat; return 0;
	case TCP_INQ: *v = tp->inq_wanted; return 0;
	}
	return -ENOPROTOOPT;
}

int
tcp_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct tcp_sock *tp = tcp_sock_of(s);
	int v, r = 0;

	if (level == SOL_SOCKET && name == SO_ACCEPTCONN) {
		v = READ_ONCE(tp->inet.state) == TCP_LISTEN;
		memcpy(val, &v, sizeof(v));
		*len = sizeof(v);
		return 0;
	}
	if (level != IPPROTO_TCP)
		return inet_getsockopt(s, level, name, val, len);
	sock_lock(&tp->inet);
	tcp_sync_options(tp);
	if (name == TCP_INFO) {
		struct linux_tcp_info i;

		tcp_clock(tp);
		info(tp, tp->now, &i);
		*len = MIN(*len, (u32)sizeof(i));
		memcpy(val, &i, *len);
	} else if (name == TCP_CONGESTION) {
		char text[TCP_CONG_NAME_MAX] = { 0 };

		(void)strscpy(text, tp->cong.ops->name, sizeof(text));
		*len = MIN(*len, (u32)sizeof(text));
		memcpy(val, text, *len);
	} else {
		r = option_get(tp, name, &v);
		if (!r) {
			*len = MIN(*len, (u32)sizeof(v));
			memcpy(val, &v, *len);
		}
	}
	sock_unlock(&tp->inet);
	return r;
}
