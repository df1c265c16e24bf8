/* SPDX-License-Identifier: MIT */
/*
 * CUBIC: RFC 9438.
 *
 * Between two losses the window follows
 *	W(t) = C (t - K)^3 + W_max,	K = cbrt((W_max - cwnd_epoch) / C)
 * flat around W_max, the window at which something was last lost, and steeper away from it on
 *either side. It depends on time and not on the round trip. Where NewReno (with the same average
 *window) would have more, it is followed instead.
 *
 * All in integers: segments, and milliseconds since the epoch began. C = 0.4, beta = 0.7.
 */
#include "congestion.h"

#include "lib/string.h"

struct cubic {
	u64 epoch_ns;	/* when this growth began; 0: it has not */
	u32 w_max;	/* where something was last lost */
	u32 origin;	/* the flat point of the curve in force */
	u32 k_ms;	/* when it is reached */
	u32 reno_w;	/* what NewReno would have */
	u32 reno_count; /* acknowledged since reno_w last grew */
};
STATIC_ASSERT(sizeof(struct cubic) <= sizeof_field(struct tcp_cong, private));

#define BETA_NUM    7u
#define BETA_DEN    10u
#define TIME_MAX_MS (1u << 19) /* its cube still fits */
/* 1 / C in cubic milliseconds a segment. */
#define PER_C 2500000000ul

static struct cubic *
of(struct tcp_cong *c)
{
	return (struct cubic *)c->private;
}

/* The cube root, rounded down: one bit of the result at a time. */
static u32
cube_root(u64 x)
{
	u64 y = 0;

	for (s32 shift = 63; shift >= 0; shift -= 3) {
		y <<= 1;
		u64 b = 3 * y * (y + 1) + 1;
		if (x >> shift >= b) {
			x -= b << shift;
			y++;
		}
	}
	return (u32)y;
}

static void
cubic_init(struct tcp_cong *c)
{
	memset(of(c), 0, sizeof(struct cubic));
}

static u32
cubic_ssthresh(struct tcp_cong *c)
{
	struct cubic *q = of(c);

	q->epoch_ns = 0;
	/* Fast convergence: a flow that lost before it was back where it had been leaves room for
	 * newer ones. */
	if (c->cwnd < q->w_max)
		q->w_max = c->cwnd * (BETA_DEN + BETA_NUM) / (2 * BETA_DEN);
	else
		q->w_max = c->cwnd;
	return MAX(c->cwnd * BETA_NUM / BETA_DEN, 2u);
}

static void
epoch_start(struct tcp_cong *c, struct cubic *q, u64 now_ns)
{
	q->epoch_ns = now_ns;
	q->reno_w = c->cwnd;
	q->reno_count = 0;
	if (c->cwnd < q->w_max) {
		q->k_ms = cube_root((u64)(q->w_max - c->cwnd) * PER_C);
		q->origin = q->w_max;
	} else {
		q->k_ms = 0;
		q->origin = c->cwnd;
	}
}

/* W a round trip from now, between cwnd and 1.5 cwnd. */
static u32
target(struct tcp_cong *c, struct cubic *q, u64 now_ns)
{
	u64 t = (now_ns - q->epoch_ns) / 1000000 + c->srtt_us / 1000;
	u32 most = c->cwnd + c->cwnd / 2, w;

	t = MIN(t, (u64)TIME_MAX_MS);
	u64 d = t > q->k_ms ? t - q->k_ms : q->k_ms - t;
	d = MIN(d, (u64)TIME_MAX_MS);
	u64 delta = d * d * d / PER_C;
	if (t < q->k_ms)
		w = delta < q->origin ? q->origin - (u32)delta : 0;
	else
		w = (u32)MIN(q->origin + delta, (u64)most);
	return CLAMP(w, c->cwnd, most);
}

static void
cubic_acked(struct tcp_cong *c, u32 acked, u64 now_ns)
{
	struct cubic *q = of(c);
	u32 per;

	if (congestion_in_slow_start(c)) {
		acked = congestion_slow_start(c, acked);
		if (!acked)
			return;
	}
	if (!q->epoch_ns)
		epoch_start(c, q, now_ns);
	u32 w = target(c, q, now_ns);
	per = w > c->cwnd ? c->cwnd / (w - c->cwnd) : 100 * c->cwnd;

	/* alpha = 3 (1 - beta) / (1 + beta) = 9/17 segments a round trip, 1 from W_max on. */
	u32 reno_per = q->reno_w < q->w_max ? c->cwnd * 17 / 9 : c->cwnd;
	q->reno_count += acked;
	if (reno_per && q->reno_count >= reno_per) {
		q->reno_w += q->reno_count / reno_per;
		q->reno_count %= reno_per;
	}
	if (q->reno_w > c->cwnd)
		per = MIN(per, MAX(c->cwnd / (q->reno_w - c->cwnd), 1u));
	/* Never faster than half again each round trip. */
	congestion_grow(c, MAX(per, 2u), acked);
}

static void
cubic_timeout(struct tcp_cong *c)
{
	of(c)->epoch_ns = 0;
}

/* Time in which nothing was sent taught nothing: the epoch moves with it. */
static void
cubic_resumed(struct tcp_cong *c, u64 idle_ns)
{
	struct cubic *q = of(c);

	if (q->epoch_ns)
		q->epoch_ns += idle_ns;
}

const struct congestion_ops tcp_cubic_ops = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.acked = cubic_acked,
	.timeout = cubic_timeout,
	.resumed = cubic_resumed,
};
