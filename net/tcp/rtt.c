/* SPDX-License-Identifier: MIT */
/*
 * The round trip, estimated: RFC 6298 with the fixed-point weights of Jacobson and Karels (1/8 for
 * the mean, 1/4 for the deviation) in microseconds.
 *
 * Where a sample falls below the mean by more than the deviation, the deviation learns slowly
 * (1/32): a path that has become faster is no reason to expect a wait.
 *
 * The least round trip of the last five to ten minutes is kept in two windows.
 */
#include "rtt.h"

#define MIN_WINDOW_NS (300ul * 1000000000ul)

void
tcp_rtt_init(struct tcp_rtt *r)
{
	*r = (struct tcp_rtt){
		.rto_us = TCP_RTO_INIT_US,
		.min_us = { TCP_RTT_NONE, TCP_RTT_NONE },
	};
}

static void
note_min(struct tcp_rtt *r, u32 rtt_us, u64 now_ns)
{
	if (unlikely(now_ns - r->min_from_ns > MIN_WINDOW_NS)) {
		r->min_us[1] = r->min_us[0];
		r->min_us[0] = TCP_RTT_NONE;
		r->min_from_ns = now_ns;
	}
	if (rtt_us < r->min_us[0])
		r->min_us[0] = rtt_us;
}

void
tcp_rtt_sample(struct tcp_rtt *r, u32 rtt_us, u64 now_ns)
{
	/* Zero would mean "no sample yet"; beyond the greatest time-out it tells nothing. */
	rtt_us = CLAMP(rtt_us, 1u, TCP_RTO_MAX_US);
	r->latest_us = rtt_us;
	note_min(r, rtt_us, now_ns);
	if (unlikely(!r->srtt8_us)) {
		r->srtt8_us = rtt_us << 3;
		r->var4_us = rtt_us << 1;
	} else {
		s32 error = (s32)(rtt_us - (r->srtt8_us >> 3));

		r->srtt8_us = (u32)((s32)r->srtt8_us + error);
		if (!r->srtt8_us)
			r->srtt8_us = 1;
		if (error < 0) {
			error = -error - (s32)(r->var4_us >> 2);
			if (error > 0)
				error >>= 3;
		} else {
			error -= (s32)(r->var4_us >> 2);
		}
		r->var4_us = (u32)((s32)r->var4_us + error);
	}
	r->rto_us = MIN((r->srtt8_us >> 3) + MAX(r->var4_us, TCP_RTO_MIN_US), TCP_RTO_MAX_US);
}
