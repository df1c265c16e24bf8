/* SPDX-License-Identifier: MIT */
/*
 * TCP inside: RFC 9293 and what has grown around it.
 *
 * The files, in reading order:
 *	input.c		a segment arrives: demultiplexing, checks, the states' changes
 *	ack.c		what an acknowledgement says: queue cleaned, round trips, windows, timers
 *	recovery.c	what is lost and what follows: SACK marks, RACK, fast recovery, time-outs,
 *undo receive.c	data for the program: in order, out of order, the window offered, delayed
 *ACKs output.c	segments are made, cut, sent and sent again
 *	timer.c		retransmission, probes, delayed ACKs, keep-alive
 *	listen.c	the passive side: requests, cookies, children, the accept queue
 *	timewait.c	what remains of a closed connection
 *	hash.c		who is connected, who listens
 *	socket.c	connect, listen, accept, shutdown, close, poll, ioctl
 *	send.c, recv.c	the program's bytes
 *	option.c	setsockopt, getsockopt, TCP_INFO
 *	proc.c		/proc/net/tcp, sysctls
 *	segopt.c rtt.c rack.c congestion.c cubic.c secret.c	pure parts
 *
 * Locking. Letters: [L] the sock's lock (net/inet/inet.h): its owner, or slock in a net section
 *while nobody owns it. All that sends, all that handles segments and timers runs in a net section;
 *a process in sendmsg or close opens one around it, so that what loopback brings in answer is
 *handled when it ends (our own sock is owned then, and its segments wait in the backlog).
 *
 * Lifetime. References of a sock: its struct socket (or, before accept, the listener's queue), the
 * connection table, each armed timer.
 */
#ifndef TCP_INTERNAL_H
#define TCP_INTERNAL_H

#include "congestion.h"
#include "core/time.h"
#include "net/inet/inet.h"
#include "rack.h"
#include "rtt.h"
#include "secret.h"
#include "segopt.h"
#include "seq.h"

struct tcp_header {
	u16 src_port, dst_port;
	u32 seq, ack;
	u8 offset; /* words, in the high half */
	u8 flags;  /* TCPH_* */
	u16 window, check, urgent;
};
#define TCPH_FIN    0x01
#define TCPH_SYN    0x02
#define TCPH_RST    0x04
#define TCPH_PSH    0x08
#define TCPH_ACK    0x10
#define TCPH_URG    0x20
#define TCPH_ECE    0x40
#define TCPH_CWR    0x80
#define TCPH_LEN    20
#define TCPH_LENMAX 60

static inline struct tcp_header *
tcp_header(const struct packet *p)
{
	return packet_transport(p);
}

/* packet->cb of segments that are ours: sent ones in the queues, received ones once their sock is
 * known (before that it is the network layer's struct inet_cb). */
struct tcp_cb {
	u32 seq, end_seq; /* SYN and FIN count */
	u64 sent_ns;	  /* last sent */
	struct list sent; /* tp->sent_order; sending */
	u8 flags;	  /* TCPH_* */
	u8 marks;	  /* SEG_* */
	bool eor;	  /* MSG_EOR: nothing is appended */
};
#define SEG_SACKED   BIT(0)
#define SEG_RETRANS  BIT(1) /* a retransmission is under way */
#define SEG_LOST     BIT(2)
#define SEG_RETRANSD BIT(3) /* was ever retransmitted */
STATIC_ASSERT(sizeof(struct tcp_cb) <= 48);

static inline struct tcp_cb *
tcp_cb(const struct packet *p)
{
	return (struct tcp_cb *)(uintptr_t)p->cb;
}

/* Segments that a queued packet is, at the size when it was sent; at least 1. */
static inline u32
tcp_segs(const struct packet *p)
{
	return p->gso_segs;
}

/* What the retransmission timer is armed for. */
enum tcp_timer_mode {
	TCP_TIMER_NONE,
	TCP_TIMER_RTO,
	TCP_TIMER_REO, /* RACK: reordering window of a segment ends */
	TCP_TIMER_TLP,
	TCP_TIMER_PROBE, /* zero window */
};

/* sk->deferred: timers that fired while somebody owned the sock. */
#define TCP_DEFERRED_RTX  BIT(0)
#define TCP_DEFERRED_ACK  BIT(1)
#define TCP_DEFERRED_KEEP BIT(2)
#define TCP_DEFERRED_MTU  BIT(3) /* ICMP told a path MTU: tp->mtu_info */

/* RFC 5681, 6582, 6675 and PRR; the numbers are those of TCP_INFO. */
enum tcp_ca_state { TCP_CA_OPEN, TCP_CA_DISORDER, TCP_CA_CWR, TCP_CA_RECOVERY, TCP_CA_LOSS };

#define TCP_NAGLE_OFF  BIT(0)
#define TCP_NAGLE_CORK BIT(1)
#define TCP_NAGLE_PUSH BIT(2) /* once: what is queued goes out */

struct tcp_sock {
	struct inet_sock inet;

	/* Receiving [L]. */
	u32 rcv_nxt;	/* next byte expected */
	u32 copied_seq; /* next byte for the program */
	u32 rcv_wup;	/* rcv_nxt when the window was last told */
	u32 rcv_wnd;	/* the window told then */
	u32 ts_recent;	/* RFC 7323: to be echoed */
	u32 last_ack_sent;
	u64 ts_recent_ns;
	u64 last_recv_ns; /* data */
	u32 rcvlowat;	  /* SO_RCVLOWAT, copied */
	u32 rcv_mss;	  /* estimate of the peer's segments */
	u32 rcv_ssthresh; /* bound of the window, growing with what comes */
	u32 window_clamp;
	u8 quick;	  /* ACKs still to be sent at once */
	bool pingpong;	  /* the program answers: ACKs ride on data */
	bool ack_pending; /* data not acknowledged yet */
	bool ack_now;
	u32 ato_us;	      /* delayed ACK: interval estimate */
	u32 rcv_unacked_segs; /* full ones since the last ACK */
	bool ts_on, sack_on, wscale_on;
	u8 snd_wscale, rcv_wscale;

	/* Sending [L]. */
	u32 snd_una, snd_nxt, write_seq;
	u32 snd_wnd, snd_wl1, max_window;
	u32 pushed_seq;	 /* up to here PSH was set */
	u32 snd_sml;	 /* end of the last small segment sent: Minshall's Nagle */
	u32 snd_up;	 /* urgent pointer, if snd_urgent */
	u32 packets_out; /* segments under way or lost: the rtx queue's */
	u32 sacked_out, lost_out, retrans_out;
	u32 mss_cache;	/* payload without options, by path MTU and peer */
	u32 pseudo_sum; /* of the pseudo header without length */
	u32 wmem;	/* truesize of both queues */
	u8 nagle;	/* TCP_NAGLE_* */
	u8 timer_mode;	/* enum tcp_timer_mode */
	u8 ca_state;	/* enum tcp_ca_state */
	bool nospace;	/* a writer waits or polls */
	bool cwnd_limited;
	bool snd_urgent;
	u64 now;		       /* monotonic ns, as of this segment, call or timer */
	u64 last_send_ns;	       /* data */
	struct packet_queue send, rtx; /* unsent; sent and not acknowledged */
	struct list sent_order;	       /* rtx, not SACKed and not lost, by time of sending */
	struct net_timer rtx_timer, ack_timer, keep_timer;

	struct tcp_cong cong;
	struct tcp_rtt rtt;
	struct tcp_rack rack;

	/* Loss recovery [L]: recovery.c. */
	u32 high_seq;	  /* snd_nxt when recovery began */
	u32 undo_marker;  /* snd_una then; 0: nothing to undo */
	s32 undo_retrans; /* retransmissions not yet reported as needless */
	u32 retrans_ts;	  /* our timestamp of the first retransmission; 0: none */
	u32 tlp_seq;	  /* end of a probe under way; 0: none */
	bool tlp_retrans;
	u32 prr_delivered, prr_out;
	u32 delivered; /* segments ever */
	u32 reordering;
	u32 dup_acks;				       /* without SACK */
	u32 rtt_seq;				       /* without timestamps: */
	struct packet *sack_high;		       /* highest SACKed packet of rtx, or NULL */
	struct tcp_sack_range sack_seen[TCP_SACK_MAX]; /* blocks of the last ACK */
	u8 retransmits;				       /* time-outs in a row */
	u8 probes_out;
	u8 syn_retries;
	u64 timeouts_from_ns; /* the first time-out of those, or start of probing */

	/* Receiving: queues and out of order. Data in order is in inet.receive_queue. */
	struct rb_root ooo;
	struct packet *ooo_last;
	u32 rmem; /* truesize of receive_queue and ooo */
	u8 nr_sacks;
	bool dsack;				       /* sacks[0] is a duplicate to be reported */
	struct tcp_sack_range sacks[TCP_SACK_MAX + 1]; /* most recent first */
	u32 rcvbuf, rcvbuf_seen, sndbuf, sndbuf_seen;
	bool rcvbuf_locked, sndbuf_locked; /* the program chose */
	/* dynamic right-sizing: bytes the program took in a round trip */
	u32 space_seq, space_bytes;
	u64 space_ns;
	u32 rcv_rtt_us, rcv_rtt_seq;
	u64 rcv_rtt_ns;

	/* Urgent data: the mark is after urg_seq - 1; the byte itself is at urg_seq. */
	u32 urg_seq;
	u8 urg_data;	 /* the byte, if urg_state is VALID */
	u8 urg_state;	 /* enum tcp_urgent */
	bool oob_inline; /* SO_OOBINLINE, copied at each call */

	/* Connection set-up and options. */
	u16 mss_clamp; /* what the peer said, bounded by TCP_MAXSEG */
	u16 advmss, user_mss;
	u32 pmtu; /* IP MTU that mss_cache was made for */
	u32 mtu_info;
	u32 ts_offset;
	u32 iss, irs;
	u64 connected_ns;
	u32 keep_idle_s, keep_intvl_s, user_timeout_ms;
	u8 keep_count, keep_probes;
	bool keepalive; /* SO_KEEPALIVE, copied */
	bool synack_due, fin_queued, fin_received, was_reset;
	u8 syn_count_opt;  /* TCP_SYNCNT; 0: the sysctl */
	s32 linger2_s;	   /* TCP_LINGER2; -1: no FIN-WAIT-2 at all, 0: the sysctl */
	u32 notsent_lowat; /* 0: the sysctl */
	u32 defer_accept_s;
	u8 connect_state; /* enum tcp_connect */
	bool orphan;	  /* counted in tcp_net.orphans */
	bool inq_wanted;  /* TCP_INQ */
	u64 last_ack_recv_ns, last_oow_ack_ns;

	/* Statistics for TCP_INFO. */
	u64 bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	u32 segs_in, segs_out, data_segs_in, data_segs_out, total_retrans, dsack_dups, ooo_packets,
		reord_seen;

	/* Listening: [Q] under accept_lock, inside the sock's lock. */
	struct spinlock accept_lock;
	struct list accept_queue;      /* Q: struct tcp_sock.accept_node */
	struct list accept_node;       /* Q of the listener */
	struct tcp_sock *listener;     /* L: of a child that was not accepted yet; no reference */
	u32 accept_len, backlog;       /* Q, L */
	struct list requests[8];       /* L: struct tcp_request by number of SYN-ACKs sent again */
	u32 request_count;	       /* L */
	struct hlist_node listen_node; /* RCU: hash.c */
	u64 overflow_ns;	       /* when cookies were last sent */
};

/* What connect(2) is told about an earlier one. */
enum tcp_connect { TCP_CONNECT_NONE, TCP_CONNECT_PENDING, TCP_CONNECT_DONE };

enum tcp_urgent { TCP_URG_NONE, TCP_URG_NOTYET, TCP_URG_VALID, TCP_URG_READ };

static inline struct tcp_sock *
tcp_sock(struct inet_sock *sk)
{
	return container_of(sk, struct tcp_sock, inet);
}

static inline struct tcp_sock *
tcp_sock_of(const struct socket *s)
{
	return tcp_sock(inet_sock_of(s));
}

/* ---- small connections: requests of a listener and TIME-WAIT ---- */

enum tcp_mini_kind { TCP_MINI_REQUEST, TCP_MINI_TIMEWAIT };

struct tcp_mini {
	struct hlist_node node;
	struct ip_addr local, remote;
	u16 local_port, remote_port;
	u16 family;
	u8 kind;   /* enum tcp_mini_kind */
	bool dead; /* its lock: no longer in the table */
	u32 ifindex;
	u32 hash;
	struct ref ref;
	struct rcu_head rcu;
};

struct tcp_request {
	struct tcp_mini mini;
	struct tcp_sock *listener; /* no reference: it outlives its requests in the table */
	struct list node;	   /* listener->requests[] */
	u64 expires;
	u64 synack_ns;
	u32 rcv_isn, snt_isn;
	u32 ts_recent, ts_offset;
	u32 window; /* offered in the SYN-ACK */
	u16 mss;
	u16 peer_window;
	u8 snd_wscale, rcv_wscale;
	u8 retries;
	bool ts_on, sack_on, wscale_on;
	bool acked; /* the handshake's ACK came, but nobody could take it (or data is waited for) */
};

struct tcp_timewait {
	struct tcp_mini mini;
	struct list node; /* of its CPU's list, by expiry */
	u32 cpu;
	u8 state; /* TCP_FIN_WAIT2 or TCP_TIME_WAIT */
	u8 rcv_wscale;
	bool ts_on;
	u32 rcv_nxt, snd_nxt, rcv_wnd;
	u32 ts_recent, ts_offset;
	u64 ts_recent_ns, expires, last_oow_ack_ns;
	u32 bound_ifindex, mark;
	u8 tos;
	u16 port_held;
};

/* ---- settings: /proc/sys/net/ipv4/tcp_* ---- */

struct tcp_net {
	u32 rmem[3], wmem[3];
	u32 syn_retries, synack_retries, retries1, retries2, orphan_retries;
	u32 keepalive_time_s, keepalive_intvl_s, keepalive_probes;
	u32 fin_timeout_s, max_syn_backlog, max_tw_buckets, max_orphans;
	u32 notsent_lowat, challenge_ack_limit, invalid_ratelimit_ms;
	u32 syncookies, tw_reuse;
	bool timestamps, sack, window_scaling, abort_on_overflow, moderate_rcvbuf,
		slow_start_after_idle, rfc1337, dsack, stdurg;
	const struct congestion_ops *congestion;
	struct atomic32 orphans;
};
extern struct tcp_net tcp_init_net;
extern struct port_table tcp_ports;

/* ---- hash.c ---- */

void tcp_hash_init(void);
/* In a net section. Exactly one is set, or none: *mini with a reference. */
struct tcp_sock *tcp_hash_peek(struct net_ns *net, const struct inet_cb *c, u16 local_port,
			       u16 remote_port, u32 ifindex, struct tcp_mini **mini);
/* Takes a reference. False: another one has these addresses and ports. */
bool tcp_hash_add(struct tcp_sock *tp);
/* Drops the table's reference, if it was in. */
void tcp_hash_remove(struct tcp_sock *tp);
/* The caller's reference becomes the table's. */
void tcp_hash_add_mini(struct tcp_mini *m);
bool tcp_hash_remove_mini(struct tcp_mini *m); /* false: was not in; drops the table's reference */
/* One goes, the other comes, and no reader misses both. False: another one was there already. */
bool tcp_hash_request_to_sock(struct tcp_mini *m, struct tcp_sock *tp);
void tcp_hash_sock_to_mini(struct tcp_sock *tp, struct tcp_mini *m);
void tcp_mini_put(struct tcp_mini *m);
/* For inet_port_connect: no connection with sk's addresses, its remote port and this local port. A
 * TIME-WAIT that may be reused (tw_reuse) is removed and its sequence numbers taken up. */
bool tcp_hash_unique(struct inet_sock *sk, u16 port);
/* Walks, for /proc: fn under RCU; true stops. */
void tcp_hash_for_each(bool (*sock)(struct tcp_sock *tp, void *ctx),
		       bool (*mini)(struct tcp_mini *m, void *ctx), void *ctx);
void tcp_listen_add(struct tcp_sock *tp);
void tcp_listen_remove(struct tcp_sock *tp);
struct tcp_sock *tcp_listen_peek(struct net_ns *net, const struct inet_cb *c, u16 local_port,
				 u16 remote_port, u32 ifindex);
void tcp_listen_for_each(bool (*fn)(struct tcp_sock *tp, void *ctx), void *ctx);

/* ---- input.c ---- */

int tcp_receive(struct packet *p);
void tcp_error(struct packet *p, const struct inet_error *e);
void tcp_deferred(struct inet_sock *sk, u32 bits);
/* [L] p is for tp, whatever its state; takes over p. */
void tcp_sock_receive(struct tcp_sock *tp, struct packet *p);
void tcp_state_set(struct tcp_sock *tp, u8 state);
/* The connection is over: timers, table, queues of what was not sent. err: SO_ERROR, or 0. */
void tcp_done(struct tcp_sock *tp, int err);
/* A connection is made: sizes, congestion control, state; wakes the program. */
void tcp_established(struct tcp_sock *tp);
void tcp_challenge_ack(struct tcp_sock *tp);

/* ---- ack.c ---- */

/* False: p is to be dropped (its acknowledgement is for nothing we sent, or too old). */
bool tcp_ack(struct tcp_sock *tp, struct packet *p, const struct tcp_segopt *opt);
void tcp_rearm_rto(struct tcp_sock *tp);
void tcp_window_clamp_init(struct tcp_sock *tp);

/* What an acknowledgement brought, for recovery.c. */
struct tcp_ack_info {
	u32 ack, prior_una, prior_delivered;
	u32 acked_segs;	  /* cumulatively */
	u32 newly_sacked; /* segments */
	u32 sack_rtt_us;
	u32 ts_ecr;
	bool has_ts, advanced, data, window_update, dsack, retrans_acked, reordered;
	u64 first_sent_ns, last_sent_ns; /* of segments acknowledged and never retransmitted */
};

/* ---- recovery.c ---- */

static inline u32
tcp_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - tp->sacked_out - tp->lost_out + tp->retrans_out;
}
void tcp_sack_receive(struct tcp_sock *tp, const struct tcp_segopt *opt, struct tcp_ack_info *a);
/* p leaves the rtx queue or becomes SACKed: the counters and RACK. */
void tcp_delivered(struct tcp_sock *tp, struct packet *p, struct tcp_ack_info *a);
void tcp_recover(struct tcp_sock *tp, struct tcp_ack_info *a);
void tcp_enter_loss(struct tcp_sock *tp);
void tcp_enter_cwr(struct tcp_sock *tp);
void tcp_retransmit_lost(struct tcp_sock *tp);
void tcp_rack_timeout(struct tcp_sock *tp);
void tcp_mark_lost(struct tcp_sock *tp, struct packet *p);
bool tcp_tlp_schedule(struct tcp_sock *tp);
void tcp_tlp_send(struct tcp_sock *tp);
void tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_info *a);
void tcp_recovery_reset(struct tcp_sock *tp);
/* cwnd after a pause, or when it was not used. */
void tcp_cwnd_idle(struct tcp_sock *tp);

/* ---- receive.c ---- */

/* A segment with data or FIN, within the window. Takes over p. */
void tcp_data(struct tcp_sock *tp, struct packet *p);
void tcp_fin(struct tcp_sock *tp);
void tcp_urgent_receive(struct tcp_sock *tp, const struct packet *p, const struct tcp_header *th);
u32 tcp_select_window(struct tcp_sock *tp); /* and remember it as told */
u32 tcp_window_left(const struct tcp_sock *tp);
void tcp_ack_check(struct tcp_sock *tp); /* an ACK now, later, or none due */
void tcp_quickack(struct tcp_sock *tp, u32 max);
void tcp_dsack_set(struct tcp_sock *tp, u32 start, u32 end);
void tcp_sacks_trim(struct tcp_sock *tp);
/* The program took bytes: buffers may grow, the window may have opened. */
void tcp_space_taken(struct tcp_sock *tp, u32 copied);
void tcp_receive_purge(struct tcp_sock *tp);
void tcp_initial_window(const struct tcp_net *net, u32 rcvbuf, u32 mss, bool scaling, u32 clamp,
			u32 *window, u8 *wscale);
void tcp_measure_rcv_mss(struct tcp_sock *tp, const struct packet *p);
u32 tcp_readable(const struct tcp_sock *tp); /* bytes */

/* ---- output.c ---- */

u32 tcp_current_mss(struct tcp_sock *tp);
void tcp_sync_mss(struct tcp_sock *tp, u32 pmtu);
/* Send what may be sent. */
void tcp_push(struct tcp_sock *tp);
/* As tcp_push with Nagle as it would be with these bits more. */
void tcp_push_nagle(struct tcp_sock *tp, u8 bits);
bool tcp_write_xmit(struct tcp_sock *tp, u32 mss, u8 nagle, u32 max_segs, bool probe);
int tcp_retransmit(struct tcp_sock *tp, struct packet *p, u32 max_segs);
void tcp_send_syn(struct tcp_sock *tp);
int tcp_resend_syn(struct tcp_sock *tp);
void tcp_send_ack(struct tcp_sock *tp);
void tcp_send_fin(struct tcp_sock *tp);
void tcp_send_reset(struct tcp_sock *tp);
/* Keep-alive or window probe: a segment below the window, or new data if it fits. 0: sent new data
 * or a probe; negative: could not. */
int tcp_write_wakeup(struct tcp_sock *tp);
void tcp_probe_bare(struct tcp_sock *tp, bool urgent);
/* Cut: p keeps len bytes, the rest is a packet behind it in q. 0 or -ENOMEM; p may be replaced. */
int tcp_fragment(struct tcp_sock *tp, struct packet_queue *q, struct packet **p, u32 len, u32 mss);
/* Drop n acknowledged bytes from the front of a packet of rtx. */
int tcp_trim_head(struct tcp_sock *tp, struct packet **p, u32 n);
void tcp_queue_purge(struct tcp_sock *tp, struct packet_queue *q);
void tcp_packet_free(struct tcp_sock *tp, struct packet *p);
u32 tcp_gso_max(const struct tcp_sock *tp);
/* Answer a segment that no connection is for. */
void tcp_reply_reset(struct packet *p);
struct tcp_reply {
	struct ip_addr src, dst;
	u16 src_port, dst_port;
	u32 seq, ack;
	u16 window;
	u8 flags;
	bool ts_on;
	u32 ts_val, ts_ecr;
	u32 oif, mark;
	u8 tos;
	const struct tcp_segopt_syn *syn;
};
void tcp_reply(struct net_ns *net, const struct tcp_reply *r);
static inline u32
tcp_ts_now(const struct tcp_sock *tp)
{
	return (u32)(tp->now / 1000000) + tp->ts_offset;
}
static inline void
tcp_clock(struct tcp_sock *tp)
{
	tp->now = time_mono_ns();
}

/* ---- timer.c ---- */

void tcp_timers_init(struct tcp_sock *tp);
void tcp_timers_cancel(struct tcp_sock *tp);
void tcp_timer_set(struct tcp_sock *tp, enum tcp_timer_mode mode, u64 delay_ns);
void tcp_ack_timer_set(struct tcp_sock *tp, u64 delay_ns);
void tcp_keep_timer_set(struct tcp_sock *tp, u64 delay_ns);
void tcp_keepalive_start(struct tcp_sock *tp);
void tcp_timers_deferred(struct tcp_sock *tp, u32 bits);
/* Probing of a closed window begins if something waits and nothing is under way. */
void tcp_probe_check(struct tcp_sock *tp);

/* ---- listen.c ---- */

/* A segment to a listener: its slock held, or owned in the backlog. Takes over p. */
void tcp_listener_receive(struct tcp_sock *l, struct packet *p);
/* A SYN that TIME-WAIT let through: begin with isn. Takes no lock held; takes over p. */
void tcp_listener_syn(struct tcp_sock *l, struct packet *p, u32 isn);
/* The same to a request of it. */
void tcp_request_receive(struct tcp_request *r, struct packet *p);
int tcp_listen_start(struct tcp_sock *tp, u32 backlog);
void tcp_listen_stop(struct tcp_sock *tp);
void tcp_listen_timer(struct tcp_sock *l);
/* The oldest connection that waits, or NULL; the queue's reference is the caller's. */
struct tcp_sock *tcp_accept_take(struct tcp_sock *l);

/* ---- timewait.c ---- */

void tcp_timewait_init(void);
/* tp becomes a small object, or is just gone where there is no memory. */
void tcp_time_wait(struct tcp_sock *tp, u8 state, u64 timeout_ns);
enum tcp_tw_result { TCP_TW_DONE, TCP_TW_SYN };
/* p: data at the TCP header. SYN: a new connection may take its place: *isn is to be used; p stays
 * the caller's. Otherwise takes over p. */
enum tcp_tw_result tcp_timewait_receive(struct tcp_timewait *tw, struct packet *p, u32 *isn);
void tcp_timewait_kill(struct tcp_timewait *tw);
u32 tcp_timewait_count(void);

/* ---- socket.c ---- */

int tcp_init_sock(struct inet_sock *sk);
void tcp_sock_setup(struct tcp_sock *tp);
void tcp_destroy_sock(struct inet_sock *sk);
void tcp_backlog(struct inet_sock *sk, struct packet *p);
/* Options that live in struct socket, copied: at the beginning of calls. Owner. */
void tcp_sync_options(struct tcp_sock *tp);
bool tcp_write_room(const struct tcp_sock *tp);
extern const struct socket_ops tcp_socket_ops;
struct tcp_sock *tcp_child_create(struct tcp_sock *l);

/* ---- send.c, recv.c, option.c, proc.c ---- */

ssize_t tcp_sendmsg(struct socket *s, struct socket_msg *m);
ssize_t tcp_recvmsg(struct socket *s, struct socket_msg *m);
int tcp_setsockopt(struct socket *s, int level, int name, const void *val, u32 len);
int tcp_getsockopt(struct socket *s, int level, int name, void *val, u32 *len);
void tcp_proc_init(void);

#endif
