/* SPDX-License-Identifier: MIT */
/* SOURCES: net/tcp/congestion.c net/tcp/cubic.c lib/string.c lib/format.c */
/* Congestion control: slow start, NewReno's line, CUBIC's curve against the same in floating point.
 */
#include "../../net/tcp/congestion.h"
#include "test.h"
#include <string.h>

#define MS 1000000ul

static struct tcp_cong
fresh(const struct congestion_ops *ops)
{
	struct tcp_cong c = { .cwnd = TCP_INIT_CWND,
			      .ssthresh = TCP_SSTHRESH_MAX,
			      .cwnd_clamp = UINT32_MAX,
			      .srtt_us = 100000 };

	congestion_init(&c, ops);
	return c;
}

/* A round trip in which the whole window is acknowledged, two segments at a time. */
static void
round_trip(struct tcp_cong *c, u64 now)
{
	for (u32 left = c->cwnd; left;) {
		u32 n = left > 2 ? 2 : left;

		c->ops->acked(c, n, now);
		left -= n;
	}
}

static void
slow_start_doubles_each_round_trip(void)
{
	const struct congestion_ops *all[] = { &tcp_reno_ops, &tcp_cubic_ops };

	for (u32 i = 0; i < 2; i++) {
		struct tcp_cong c = fresh(all[i]);

		round_trip(&c, MS);
		EXPECT(c.cwnd == 20);
		round_trip(&c, 100 * MS);
		EXPECT(c.cwnd == 40);
	}
}

static void
slow_start_stops_at_the_threshold(void)
{
	struct tcp_cong c = fresh(&tcp_reno_ops);

	c.ssthresh = 15;
	round_trip(&c, MS);
	EXPECT(c.cwnd == 15);
	EXPECT(c.cwnd_count == 5);
}

static void
reno_adds_one_a_round_trip_and_halves(void)
{
	struct tcp_cong c = fresh(&tcp_reno_ops);

	c.ssthresh = c.cwnd = 100;
	for (u32 i = 0; i < 10; i++)
		round_trip(&c, i * 100 * MS);
	EXPECT(c.cwnd >= 109 && c.cwnd <= 110);
	EXPECT(c.ops->ssthresh(&c) == c.cwnd / 2);
	c.cwnd = 2;
	EXPECT(c.ops->ssthresh(&c) == 2);
}

static void
the_clamp_holds(void)
{
	struct tcp_cong c = fresh(&tcp_cubic_ops);

	c.cwnd_clamp = 50;
	for (u32 i = 1; i < 20; i++)
		round_trip(&c, i * 100 * MS);
	EXPECT(c.cwnd == 50);
}

static double
cube_root_of(double x)
{
	double r = x > 1 ? x : 1;

	for (int i = 0; i < 200; i++)
		r = (2 * r + x / (r * r)) / 3;
	return r;
}

/* Beyond the reach of NewReno's line: a large window and a long round trip. */
static void
cubic_follows_its_curve(void)
{
	struct tcp_cong c = fresh(&tcp_cubic_ops);
	double w_max = 10000, k = cube_root_of(w_max * 0.3 / 0.4);

	c.cwnd = 10000;
	c.ssthresh = c.ops->ssthresh(&c);
	EXPECT(c.ssthresh == 7000);
	c.cwnd = c.ssthresh;
	for (u32 i = 0; i < 300; i++) {
		double t = i * 0.1 + 0.2 /* the curve is aimed at a round trip ahead */;
		double want = 0.4 * (t - k) * (t - k) * (t - k) + w_max;

		round_trip(&c, 1000 * MS + i * 100 * MS);
		if (i > 5 && want < 14000) {
			double off = (c.cwnd - want) / want;

			EXPECT(off > -0.03 && off < 0.03);
		}
	}
	EXPECT(c.cwnd > 10100);
}

static void
cubic_is_as_good_as_reno_on_short_paths(void)
{
	struct tcp_cong c = fresh(&tcp_cubic_ops);

	c.srtt_us = 1000;
	c.cwnd = 40;
	c.ssthresh = c.cwnd = c.ops->ssthresh(&c);
	EXPECT(c.cwnd == 28);
	for (u32 i = 0; i < 200; i++)
		round_trip(&c, MS + i * MS);
	/* 9/17 a round trip. */
	EXPECT(c.cwnd > 28 + 80);
}

static void
cubic_converges_fast(void)
{
	struct tcp_cong c = fresh(&tcp_cubic_ops);

	c.cwnd = 1000;
	c.cwnd = c.ssthresh = c.ops->ssthresh(&c);
	(void)c.ops->ssthresh(&c); /* again before it was back: W_max below cwnd */
	round_trip(&c, MS);
	EXPECT(*(u32 *)((u8 *)c.private + 8) == 700 * 17 / 20);
}

static void
names_are_found(void)
{
	char buf[64];

	EXPECT(congestion_find("reno") == &tcp_reno_ops);
	EXPECT(congestion_find("cubic") == &tcp_cubic_ops);
	EXPECT(!congestion_find("vegas"));
	congestion_names(buf, sizeof(buf));
	EXPECT(strcmp(buf, "cubic reno") == 0);
}

int
main(void)
{
	TEST(slow_start_doubles_each_round_trip);
	TEST(slow_start_stops_at_the_threshold);
	TEST(reno_adds_one_a_round_trip_and_halves);
	TEST(the_clamp_holds);
	TEST(cubic_follows_its_curve);
	TEST(cubic_is_as_good_as_reno_on_short_paths);
	TEST(cubic_converges_fast);
	TEST(names_are_found);
	return test_done();
}
