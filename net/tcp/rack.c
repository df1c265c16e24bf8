/* SPDX-License-Identifier: MIT */
/* RACK and TLP: the arithmetic. See rack.h. */
#include "rack.h"

void
tcp_rack_init(struct tcp_rack *r)
{
	*r = (struct tcp_rack){ .reo_steps = 1 };
}

void
tcp_rack_delivered(struct tcp_rack *r, u64 xmit_ns, u32 end_seq, bool retransmitted, bool ts_proves,
		   u32 min_rtt_us, u64 now_ns)
{
	u64 rtt_us = (now_ns - xmit_ns) / 1000;

	if (retransmitted && !ts_proves && rtt_us < min_rtt_us)
		return;
	r->rtt_us = (u32)MIN(rtt_us, (u64)UINT32_MAX);
	if (tcp_rack_sent_after(xmit_ns, end_seq, r->xmit_ns, r->end_seq)) {
		r->xmit_ns = xmit_ns;
		r->end_seq = end_seq;
	}
}

void
tcp_rack_dsack(struct tcp_rack *r, u32 snd_una, u32 snd_nxt)
{
	/* Once a round trip. */
	if (r->dsack_seen && seq_before(snd_una, r->dsack_round))
		return;
	r->dsack_seen = true;
	r->dsack_round = snd_nxt;
	r->reordering_seen = true;
	if (r->reo_steps < UINT8_MAX)
		r->reo_steps++;
	r->reo_persist = TCP_RACK_PERSIST;
}

u32
tcp_rack_reo_window_us(const struct tcp_rack *r, u32 min_rtt_us, u32 srtt_us, bool in_recovery)
{
	if (!r->reordering_seen && in_recovery)
		return 0;
	if (min_rtt_us == UINT32_MAX)
		return 0;
	u64 window = (u64)min_rtt_us / 4 * r->reo_steps;
	return (u32)MIN(window, (u64)srtt_us);
}

void
tcp_rack_recovery_ended(struct tcp_rack *r)
{
	if (r->reo_persist && --r->reo_persist == 0)
		r->reo_steps = 1;
}

u64
tcp_tlp_timeout_ns(u32 srtt_us, u32 in_flight, u64 rto_ns)
{
	u64 timeout = srtt_us ? 2ul * srtt_us * 1000 : 1000000000ul;

	/* A single segment may be waiting for the peer's delayed acknowledgement. */
	if (srtt_us && in_flight == 1)
		timeout += TCP_DELACK_MAX_NS;
	timeout += TCP_TLP_MIN_NS;
	return MIN(timeout, rto_ns);
}
