/* SPDX-License-Identifier: MIT */
/* SOURCES: net/tcp/secret.c lib/hash.c */
/* Initial sequence numbers and SYN cookies. */
#include "../../net/tcp/secret.h"
#include "core/random.h"
#include "test.h"

void
random_bytes(void *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)out)[i] = (u8)test_random();
}

static struct tcp_flow
flow(void)
{
	return (struct tcp_flow){ .saddr = { test_random(), test_random() },
				  .daddr = { test_random(), test_random() },
				  .sport = (u16)test_random(),
				  .dport = (u16)test_random() };
}

static void
sequence_numbers_tick_and_differ_by_flow(void)
{
	struct tcp_flow a = flow(), b = a;

	b.sport ^= 1;
	EXPECT(tcp_secret_isn(&a, 4000000) - tcp_secret_isn(&a, 0) == 1000);
	EXPECT(tcp_secret_isn(&a, 0) != tcp_secret_isn(&b, 0));
	EXPECT(tcp_secret_ts_offset(&a) == tcp_secret_ts_offset(&b));
}

static void
cookies_hold_for_two_minutes(void)
{
	for (u32 i = 0; i < 2000; i++) {
		struct tcp_flow f = flow();
		u32 isn = (u32)test_random(), now = (u32)test_random();
		u32 cookie = tcp_cookie_make(&f, isn, 1460, now);

		EXPECT(tcp_cookie_check(&f, isn, cookie, now) == 1460);
		EXPECT(tcp_cookie_check(&f, isn, cookie, now + 1) == 1460);
		EXPECT(tcp_cookie_check(&f, isn, cookie, now + 2) == 0);
		EXPECT(tcp_cookie_check(&f, isn, cookie, now - 1) == 0);
	}
}

static void
mss_is_rounded_down_to_a_class(void)
{
	static const u16 in[] = { 100, 536, 1000, 1459, 1460, 1461, 65495 };
	static const u16 want[] = { 536, 536, 536, 1440, 1460, 1460, 8960 };
	struct tcp_flow f = flow();

	for (u32 i = 0; i < ARRAY_SIZE(in); i++)
		EXPECT(tcp_cookie_check(&f, 1, tcp_cookie_make(&f, 1, in[i], 9), 9) == want[i]);
}

static void
guesses_fail(void)
{
	struct tcp_flow f = flow();
	u32 hits = 0;

	for (u32 i = 0; i < 200000; i++)
		hits += tcp_cookie_check(&f, 7, (u32)test_random(), 100) != 0;
	EXPECT(hits <= 2);
}

static void
options_travel_in_the_timestamp(void)
{
	for (u32 i = 0; i < 1000; i++) {
		struct tcp_cookie_options in = { .has_wscale = i & 1,
						 .wscale = i & 1 ? (u8)(i % 15) : 0,
						 .sack_ok = i & 2 },
					  out;
		u32 now = (u32)test_random(), ts = tcp_cookie_ts_encode(now, &in);

		EXPECT((s32)(ts - now) <= 0 && (s32)(now - ts) < 128);
		tcp_cookie_ts_decode(ts, &out);
		EXPECT(out.has_wscale == in.has_wscale && out.wscale == in.wscale &&
		       out.sack_ok == in.sack_ok);
	}
}

int
main(void)
{
	tcp_secret_init();
	TEST(sequence_numbers_tick_and_differ_by_flow);
	TEST(cookies_hold_for_two_minutes);
	TEST(mss_is_rounded_down_to_a_class);
	TEST(guesses_fail);
	TEST(options_travel_in_the_timestamp);
	return test_done();
}
