/* SPDX-License-Identifier: MIT */
/*
 * RACK: a segment is lost when one sent later has been delivered and the reordering window has
 * passed; TLP: a probe where the last segments of a burst may be lost. RFC 8985. The arithmetic
 * only; the walk over what is under way is in recovery.c.
 */
#ifndef TCP_RACK_H
#define TCP_RACK_H

#include "seq.h"

struct tcp_rack {
	u64 xmit_ns; /* the latest sent of the segments delivered; 0: none */
	u32 end_seq;
	u32 rtt_us;
	u32 dsack_round; /* rounds ends when this is acknowledged */
	u8 reo_steps;	 /* the window in quarters of the least round trip */
	u8 reo_persist;	 /* recoveries until it falls back to one quarter */
	bool reordering_seen;
	bool dsack_seen; /* in this round */
};

#define TCP_RACK_PERSIST  16
#define TCP_TLP_MIN_NS	  2000000ul   /* 2 ms: a timer's tick on the way */
#define TCP_DELACK_MAX_NS 200000000ul /* how long a peer may hold back its acknowledgement */

void tcp_rack_init(struct tcp_rack *r);

/* Sent later: by time, then by place. */
static inline bool
tcp_rack_sent_after(u64 t1, u32 seq1, u64 t2, u32 seq2)
{
	return t1 > t2 || (t1 == t2 && seq_after(seq1, seq2));
}

/* A segment has been delivered. ts_proves: the timestamp echo shows that it was the retransmission;
 * without it one that comes back sooner than the least round trip is taken for the original. */
void tcp_rack_delivered(struct tcp_rack *r, u64 xmit_ns, u32 end_seq, bool retransmitted,
			bool ts_proves, u32 min_rtt_us, u64 now_ns);
/* The peer got something twice: a retransmission was needless, the window too narrow. */
void tcp_rack_dsack(struct tcp_rack *r, u32 snd_una, u32 snd_nxt);
/* in_recovery: or three duplicates seen; then, without any reordering so far, no window at all. */
u32 tcp_rack_reo_window_us(const struct tcp_rack *r, u32 min_rtt_us, u32 srtt_us, bool in_recovery);
void tcp_rack_recovery_ended(struct tcp_rack *r);

/* How long a segment sent at xmit_ns may still take, in ns; <= 0: it is lost. */
static inline s64
tcp_rack_remaining_ns(const struct tcp_rack *r, u64 xmit_ns, u32 reo_wnd_us, u64 now_ns)
{
	return (s64)(xmit_ns + ((u64)r->rtt_us + reo_wnd_us) * 1000 - now_ns);
}

/* When to probe after the last transmission: 7.2. srtt_us 0: no sample yet. */
u64 tcp_tlp_timeout_ns(u32 srtt_us, u32 in_flight, u64 rto_ns);

#endif
