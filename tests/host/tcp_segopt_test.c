/* SPDX-License-Identifier: MIT */
/* SOURCES: net/tcp/segopt.c lib/string.c */
/* The options of TCP headers: what is built parses back, and nothing malformed is read beyond. */
#include "../../net/tcp/segopt.h"
#include "test.h"
#include <string.h>

static void
syn_options_come_back(void)
{
	for (u32 i = 0; i < 8; i++) {
		struct tcp_segopt_syn in = { .mss = 1460,
					     .sack_ok = i & 1,
					     .has_ts = i & 2,
					     .has_wscale = i & 4,
					     .wscale = 7,
					     .ts_val = 0x01020304,
					     .ts_ecr = 0xa0b0c0d0 };
		struct tcp_segopt out;
		u8 buf[TCP_SEGOPT_MAX];
		u32 n = tcp_segopt_build_syn(buf, &in);

		EXPECT(n % 4 == 0 && n <= TCP_SEGOPT_MAX);
		tcp_segopt_parse(buf, n, true, &out);
		EXPECT(out.mss == 1460);
		EXPECT(out.has_sack_ok == in.sack_ok);
		EXPECT(out.has_ts == in.has_ts);
		EXPECT(!in.has_ts || (out.ts_val == in.ts_val && out.ts_ecr == in.ts_ecr));
		EXPECT(out.has_wscale == in.has_wscale);
		EXPECT(!in.has_wscale || out.wscale == 7);
		tcp_segopt_parse(buf, n, false, &out);
		EXPECT(!out.mss && !out.has_wscale && !out.has_sack_ok);
	}
}

static void
timestamps_and_sacks_come_back(void)
{
	struct tcp_sack_range r[3] = { { 10, 20 }, { 30, 40 }, { 0xfffffff0, 5 } };
	struct tcp_segopt out = { 0 };
	u8 buf[TCP_SEGOPT_MAX];
	u32 n = tcp_segopt_build_ts(buf, 7, 9);

	EXPECT(n == TCP_TS_OPT_SPACE);
	EXPECT(tcp_segopt_parse_fast(buf, n, &out));
	EXPECT(out.ts_val == 7 && out.ts_ecr == 9);
	n += tcp_segopt_build_sacks(buf + n, r, 3);
	EXPECT(n == TCP_TS_OPT_SPACE + TCP_SACK_HEAD + 3 * TCP_SACK_BLOCK);
	EXPECT(!tcp_segopt_parse_fast(buf, n, &out));
	tcp_segopt_parse(buf, n, false, &out);
	EXPECT(out.has_ts && out.ts_val == 7);
	EXPECT(out.nr_sacks == 3);
	EXPECT(memcmp(out.sacks, r, sizeof(r)) == 0);
}

static void
a_large_window_scale_counts_as_14(void)
{
	const u8 buf[] = { 3, 3, 200, 0 };
	struct tcp_segopt out;

	tcp_segopt_parse(buf, sizeof(buf), true, &out);
	EXPECT(out.has_wscale && out.wscale == 14);
}

static void
malformed_options_end_the_parse(void)
{
	static const u8 bad[][4] = {
		{ 2, 0, 1, 1 }, { 2, 1, 1, 1 }, { 2, 5, 1, 1 }, { 1, 1, 1, 8 }
	};
	struct tcp_segopt out;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		tcp_segopt_parse(bad[i], 4, true, &out);
		EXPECT(!out.mss && !out.has_ts);
	}
}

static void
random_bytes_do_no_harm(void)
{
	for (u32 i = 0; i < 200000; i++) {
		u32 n = (u32)test_random_below(TCP_SEGOPT_MAX + 1);
		u8 *buf = malloc(n ? n : 1);
		struct tcp_segopt out;

		for (u32 j = 0; j < n; j++)
			buf[j] = (u8)test_random_below(i & 1 ? 256 : 12);
		tcp_segopt_parse(buf, n, i & 2, &out);
		EXPECT(out.nr_sacks <= TCP_SACK_MAX && out.wscale <= 14);
		free(buf);
	}
}

int
main(void)
{
	TEST(syn_options_come_back);
	TEST(timestamps_and_sacks_come_back);
	TEST(a_large_window_scale_counts_as_14);
	TEST(malformed_options_end_the_parse);
	TEST(random_bytes_do_no_harm);
	return test_done();
}
