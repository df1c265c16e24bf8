/* SPDX-License-Identifier: MIT */
/* The round trip, estimated, and the retransmission time-out made of it: rtt.c. RFC 6298. */
#ifndef TCP_RTT_H
#define TCP_RTT_H

#include "lib/types.h"

#define TCP_RTO_INIT_US 1000000u /* RFC 6298 2.1 */
#define TCP_RTO_MIN_US	200000u	 /* as Linux; the RFC's second is long ago */
#define TCP_RTO_MAX_US	120000000u
#define TCP_RTT_NONE	(~0u)
#define TCP_BACKOFF_MAX 15

struct tcp_rtt {
	u32 srtt8_us;	 /* smoothed, times 8; 0: no sample yet */
	u32 var4_us;	 /* mean deviation, times 4 */
	u32 rto_us;	 /* without back-off */
	u32 latest_us;	 /* of the latest sample */
	u32 min_us[2];	 /* least of this window and of the one before; TCP_RTT_NONE: none */
	u64 min_from_ns; /* when this window began */
	u8 backoff;	 /* doublings since the last acknowledgement of new data */
};

void tcp_rtt_init(struct tcp_rtt *r);
void tcp_rtt_sample(struct tcp_rtt *r, u32 rtt_us, u64 now_ns);

static inline u32
tcp_rtt_srtt(const struct tcp_rtt *r)
{
	return r->srtt8_us >> 3;
}

/* TCP_RTT_NONE before the first sample. */
static inline u32
tcp_rtt_min(const struct tcp_rtt *r)
{
	return r->min_us[0] < r->min_us[1] ? r->min_us[0] : r->min_us[1];
}

/* The time-out in force, with its back-off. */
static inline u64
tcp_rtt_rto_ns(const struct tcp_rtt *r)
{
	u64 us = (u64)r->rto_us << r->backoff;

	return (us < TCP_RTO_MAX_US ? us : TCP_RTO_MAX_US) * 1000;
}

#endif
