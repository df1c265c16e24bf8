/* SPDX-License-Identifier: MIT */
/*
 * Congestion control: how many segments may be under way. The algorithm is a table; its numbers are
 * in struct tcp_cong, a part of every connection. The rest of TCP decides when something was lost,
 * and whether the window was used at all (RFC 7661).
 */
#ifndef TCP_CONGESTION_H
#define TCP_CONGESTION_H

#include "lib/types.h"

#define TCP_CONG_NAME_MAX 16
#define TCP_INIT_CWND	  10u /* RFC 6928 */
#define TCP_SSTHRESH_MAX  0x7fffffffu

struct congestion_ops;

struct tcp_cong {
	const struct congestion_ops *ops;
	u32 cwnd; /* segments */
	u32 ssthresh;
	u32 cwnd_count; /* acknowledged since cwnd last grew by one */
	u32 cwnd_clamp;
	u32 prior_cwnd, prior_ssthresh; /* before the last reduction, to undo it */
	u32 srtt_us;			/* copied in before each call */
	u64 private[5];
};

/* Called with the connection locked. NULL slots do nothing. */
struct congestion_ops {
	const char *name;
	void (*init)(struct tcp_cong *c);
	/* Something was lost: the new threshold. */
	u32 (*ssthresh)(struct tcp_cong *c);
	/* New data of `acked` segments was acknowledged while the window was in use. */
	void (*acked)(struct tcp_cong *c, u32 acked, u64 now_ns);
	/* A time-out: what was learnt of the path is void. */
	void (*timeout)(struct tcp_cong *c);
	/* Sending again after a pause of idle_ns with nothing under way. */
	void (*resumed)(struct tcp_cong *c, u64 idle_ns);
};

extern const struct congestion_ops tcp_reno_ops, tcp_cubic_ops;

/* By name; NULL: none such. */
const struct congestion_ops *congestion_find(const char *name);
/* Names of all, one blank between: /proc/sys/net/ipv4/tcp_available_congestion_control. */
void congestion_names(char *buf, size_t size);

void congestion_init(struct tcp_cong *c, const struct congestion_ops *ops);
/* Slow start takes what it can of acked; the rest is returned. */
u32 congestion_slow_start(struct tcp_cong *c, u32 acked);
/* One more segment for each `per` acknowledged. */
void congestion_grow(struct tcp_cong *c, u32 per, u32 acked);

static inline bool
congestion_in_slow_start(const struct tcp_cong *c)
{
	return c->cwnd < c->ssthresh;
}

#endif
