/* SPDX-License-Identifier: MIT */
/* SOURCES: net/tcp/rtt.c net/tcp/rack.c */
/* Estimates of the round trip, time-outs, RACK's window and TLP's timer. */
#include "../../net/tcp/rack.h"
#include "../../net/tcp/rtt.h"
#include "test.h"

#define MS 1000000ul

static void
first_sample_sets_mean_and_deviation(void)
{
	struct tcp_rtt r;

	tcp_rtt_init(&r);
	EXPECT(tcp_rtt_rto_ns(&r) == 1000 * MS);
	EXPECT(tcp_rtt_min(&r) == TCP_RTT_NONE);
	tcp_rtt_sample(&r, 300000, 1);
	EXPECT(tcp_rtt_srtt(&r) == 300000);
	/* srtt + 4 * srtt / 2 */
	EXPECT(r.rto_us == 900000);
	EXPECT(tcp_rtt_min(&r) == 300000);
}

static void
a_steady_path_comes_to_its_round_trip_and_the_least_margin(void)
{
	struct tcp_rtt r;

	tcp_rtt_init(&r);
	for (u32 i = 0; i < 200; i++)
		tcp_rtt_sample(&r, 50000, i * 50 * MS);
	EXPECT(tcp_rtt_srtt(&r) == 50000);
	EXPECT(r.rto_us == 250000);
}

static void
a_faster_path_does_not_raise_the_time_out_much(void)
{
	struct tcp_rtt r;

	tcp_rtt_init(&r);
	for (u32 i = 0; i < 200; i++)
		tcp_rtt_sample(&r, 800000, i * MS);
	u32 before = r.rto_us;
	tcp_rtt_sample(&r, 100000, 201 * MS);
	EXPECT(r.rto_us <= before);
}

static void
back_off_doubles_up_to_two_minutes(void)
{
	struct tcp_rtt r;

	tcp_rtt_init(&r);
	for (u32 i = 0; i <= TCP_BACKOFF_MAX; i++) {
		u64 want = 1000 * MS << i;

		r.backoff = (u8)i;
		EXPECT(tcp_rtt_rto_ns(&r) == (want < 120000 * MS ? want : 120000 * MS));
	}
}

static void
absurd_samples_are_bounded(void)
{
	struct tcp_rtt r;

	tcp_rtt_init(&r);
	tcp_rtt_sample(&r, UINT32_MAX, 1);
	EXPECT(r.rto_us == TCP_RTO_MAX_US);
	for (u32 i = 0; i < 100000; i++) {
		tcp_rtt_sample(&r, (u32)test_random(), i);
		EXPECT(r.rto_us >= TCP_RTO_MIN_US && r.rto_us <= TCP_RTO_MAX_US);
	}
	tcp_rtt_sample(&r, 0, 1);
	EXPECT(tcp_rtt_min(&r) == 1);
}

static void
the_least_round_trip_is_forgotten_in_the_end(void)
{
	struct tcp_rtt r;

	tcp_rtt_init(&r);
	tcp_rtt_sample(&r, 10, 0);
	tcp_rtt_sample(&r, 5000, 400000 * MS);
	EXPECT(tcp_rtt_min(&r) == 10);
	tcp_rtt_sample(&r, 5000, 800000 * MS);
	EXPECT(tcp_rtt_min(&r) == 5000);
}

static void
rack_orders_by_time_then_sequence(void)
{
	EXPECT(tcp_rack_sent_after(2, 1, 1, 100));
	EXPECT(tcp_rack_sent_after(1, 101, 1, 100));
	EXPECT(!tcp_rack_sent_after(1, 100, 1, 100));
	EXPECT(tcp_rack_sent_after(1, 5, 1, 0xfffffff0));
}

static void
rack_ignores_what_may_be_the_original(void)
{
	struct tcp_rack r;

	tcp_rack_init(&r);
	tcp_rack_delivered(&r, 100 * MS, 1000, true, false, 50000, 110 * MS);
	EXPECT(r.xmit_ns == 0);
	tcp_rack_delivered(&r, 100 * MS, 1000, true, true, 50000, 110 * MS);
	EXPECT(r.xmit_ns == 100 * MS && r.rtt_us == 10000);
	tcp_rack_delivered(&r, 90 * MS, 900, false, true, 50000, 150 * MS);
	EXPECT(r.xmit_ns == 100 * MS && r.end_seq == 1000);
}

static void
rack_window_grows_with_needless_retransmissions(void)
{
	struct tcp_rack r;

	tcp_rack_init(&r);
	EXPECT(tcp_rack_reo_window_us(&r, 40000, 50000, true) == 0);
	EXPECT(tcp_rack_reo_window_us(&r, 40000, 50000, false) == 10000);
	tcp_rack_dsack(&r, 100, 200);
	EXPECT(tcp_rack_reo_window_us(&r, 40000, 50000, true) == 20000);
	tcp_rack_dsack(&r, 150, 300); /* the same round */
	EXPECT(tcp_rack_reo_window_us(&r, 40000, 50000, true) == 20000);
	for (u32 i = 0; i < 10; i++)
		tcp_rack_dsack(&r, 1000 * (i + 1), 1000 * (i + 2));
	EXPECT(tcp_rack_reo_window_us(&r, 40000, 50000, true) == 50000);
	for (u32 i = 0; i < TCP_RACK_PERSIST; i++)
		tcp_rack_recovery_ended(&r);
	EXPECT(tcp_rack_reo_window_us(&r, 40000, 50000, true) == 10000);
}

static void
probe_timers(void)
{
	EXPECT(tcp_tlp_timeout_ns(0, 5, 3000 * MS) == 1002 * MS);
	EXPECT(tcp_tlp_timeout_ns(10000, 5, 3000 * MS) == 22 * MS);
	EXPECT(tcp_tlp_timeout_ns(10000, 1, 3000 * MS) == 222 * MS);
	EXPECT(tcp_tlp_timeout_ns(10000, 1, 200 * MS) == 200 * MS);
}

int
main(void)
{
	TEST(first_sample_sets_mean_and_deviation);
	TEST(a_steady_path_comes_to_its_round_trip_and_the_least_margin);
	TEST(a_faster_path_does_not_raise_the_time_out_much);
	TEST(back_off_doubles_up_to_two_minutes);
	TEST(absurd_samples_are_bounded);
	TEST(the_least_round_trip_is_forgotten_in_the_end);
	TEST(rack_orders_by_time_then_sequence);
	TEST(rack_ignores_what_may_be_the_original);
	TEST(rack_window_grows_with_needless_retransmissions);
	TEST(probe_timers);
	return test_done();
}
