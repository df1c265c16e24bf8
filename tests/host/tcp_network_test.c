/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* SOURCES: tests/host/tcp_shim.c net/tcp/input.c net/tcp/ack.c net/tcp/recovery.c
   net/tcp/receive.c net/tcp/output.c net/tcp/timer.c net/tcp/listen.c net/tcp/timewait.c
   net/tcp/hash.c net/tcp/socket.c net/tcp/send.c net/tcp/recv.c net/tcp/option.c net/tcp/proc.c
   net/tcp/segopt.c net/tcp/rtt.c net/tcp/rack.c net/tcp/congestion.c net/tcp/cubic.c
   net/tcp/secret.c lib/rbtree.c lib/hash.c lib/format.c lib/string.c lib/math.c */
/* clang-format on */
/*
 * Two TCPs and a network between them that loses, repeats, delays and reorders: whatever it does,
 * the bytes arrive whole and in order, both ends come to their end, and nothing is left over.
 */
#include "tcp_shim.h"
#include "test.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include <string.h>

#define MS 1000000ul

static u32 loss, duplicates, jitter_us, delay_us = 10000; /* per mille */

static u32
policy(const struct shim_segment *s, u64 *delay)
{
	*delay = delay_us * 1000ul + (jitter_us ? test_random_below(jitter_us) * 1000 : 0);
	if (test_random_below(1000) < loss)
		return 0;
	return test_random_below(1000) < duplicates ? 2 : 1;
}

static struct socket *listener, *client, *server;
static u16 next_port = 1000;

static void
network(u32 l, u32 d, u32 j)
{
	loss = l;
	duplicates = d;
	jitter_us = j;
	shim_policy = policy;
	shim_capture = false;
}

static bool
accepted(void)
{
	return server || listener->ops->accept(listener, &server, O_NONBLOCK) == 0;
}

static bool
connected(void)
{
	return accepted() && inet_sock_of(client)->state == TCP_ESTABLISHED;
}

static bool
open_pair(void)
{
	u16 port = next_port++;

	server = NULL;
	listener = shim_socket(SHIM_B, port);
	if (listener->ops->listen(listener, 5))
		return false;
	client = shim_socket(SHIM_A, 0);
	if (shim_connect(client, SHIM_B, port) != -EINPROGRESS)
		return false;
	shim_run(shim_now + 200000 * MS, connected);
	return connected();
}

static void
close_pair(void)
{
	shim_close(client);
	shim_close(server);
	shim_close(listener);
	shim_settle();
}

/* ---- streams: byte i is a function of i ---- */

static u8
byte_at(u64 i)
{
	return (u8)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

struct stream {
	struct socket *from, *to;
	u64 size, sent, got;
	u32 chunk_max;
	bool bad, shut, ended;
};
static struct stream streams[2];
static u32 nr_streams;

static void
stream_step(struct stream *t)
{
	static u8 buf[70000];
	ssize_t n;

	while (t->sent < t->size) {
		size_t len = 1 + test_random_below(t->chunk_max);

		len = MIN(len, t->size - t->sent);
		for (size_t i = 0; i < len; i++)
			buf[i] = byte_at(t->sent + i);
		n = shim_send(t->from, buf, len, 0);
		if (n <= 0)
			break;
		t->sent += (u64)n;
	}
	if (t->sent == t->size && !t->shut) {
		t->from->ops->shutdown(t->from, SHUT_WR);
		t->shut = true;
	}
	while ((n = shim_recv(t->to, buf, 1 + test_random_below(sizeof(buf)), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != byte_at(t->got + (u64)i))
				t->bad = true;
		}
		t->got += (u64)n;
	}
	if (n == 0)
		t->ended = true;
}

static bool
streams_done(void)
{
	bool done = true;

	for (u32 i = 0; i < nr_streams; i++) {
		stream_step(&streams[i]);
		done &= streams[i].ended || streams[i].bad;
	}
	return done;
}

static bool
transfer(u64 forth, u64 back, u32 chunk)
{
	streams[0] = (struct stream){
		.from = client, .to = server, .size = forth, .chunk_max = chunk
	};
	streams[1] = (struct stream){
		.from = server, .to = client, .size = back, .chunk_max = chunk
	};
	nr_streams = 2;
	streams_done();
	shim_run(shim_now + 100000000 * MS, streams_done);
	for (u32 i = 0; i < 2; i++) {
		struct stream *t = &streams[i];

		if (t->bad || !t->ended || t->got != t->size) {
			printf("# stream %u: sent %lu got %lu of %lu%s%s at %lu ms\n", i, t->sent,
			       t->got, t->size, t->bad ? " wrong" : "", t->ended ? "" : " no end",
			       shim_now / MS);
			return false;
		}
	}
	return true;
}

static void
a_clean_network_carries_it_at_once(void)
{
	network(0, 0, 0);
	EXPECT(open_pair());
	u64 begin = shim_now;
	EXPECT(transfer(2000000, 1000, 20000));
	EXPECT(shim_now - begin < 2000 * MS);
	EXPECT(tcp_sock_of(client)->total_retrans == 0);
	close_pair();
	EXPECT(shim_packets == 0);
}

static void
both_ways_at_once(void)
{
	network(0, 0, 0);
	EXPECT(open_pair());
	EXPECT(transfer(1000000, 1000000, 5000));
	close_pair();
	EXPECT(shim_packets == 0);
}

static void
one_in_a_hundred_is_lost(void)
{
	network(10, 0, 0);
	for (u32 i = 0; i < 5; i++) {
		EXPECT(open_pair());
		EXPECT(transfer(1000000, 1000, 20000));
		close_pair();
		EXPECT(shim_packets == 0);
	}
}

static void
one_in_five_is_lost(void)
{
	network(200, 0, 0);
	for (u32 i = 0; i < 5; i++) {
		EXPECT(open_pair());
		EXPECT(transfer(100000, 100000, 9000));
		close_pair();
		EXPECT(shim_packets == 0);
	}
}

static void
everything_is_reordered(void)
{
	network(0, 0, 8000);
	EXPECT(open_pair());
	u64 begin = shim_now;
	EXPECT(transfer(1000000, 1000, 20000));
	EXPECT(shim_now - begin < 20000 * MS);
	close_pair();
	EXPECT(shim_packets == 0);
}

static void
everything_at_once(void)
{
	for (u32 i = 0; i < 10; i++) {
		network(20 * i, 50, 5000 * (i & 3));
		EXPECT(open_pair());
		EXPECT(transfer(200000, 200000, 1 + (u32)test_random_below(20000)));
		close_pair();
		EXPECT(shim_packets == 0);
	}
}

static void
without_options(void)
{
	struct tcp_net before = tcp_init_net;

	for (u32 i = 0; i < 8; i++) {
		tcp_init_net.sack = i & 1;
		tcp_init_net.timestamps = i & 2;
		tcp_init_net.window_scaling = i & 4;
		network(30, 10, 3000);
		EXPECT(open_pair());
		EXPECT(transfer(300000, 1000, 20000));
		close_pair();
		EXPECT(shim_packets == 0);
	}
	tcp_init_net = before;
}

static void
with_reno(void)
{
	tcp_init_net.congestion = &tcp_reno_ops;
	network(10, 0, 1000);
	EXPECT(open_pair());
	EXPECT(transfer(500000, 1000, 20000));
	close_pair();
	tcp_init_net.congestion = &tcp_cubic_ops;
	EXPECT(shim_packets == 0);
}

static void
large_segments_by_loopback(void)
{
	shim_mtu = SHIM_MTU_MAX;
	delay_us = 10;
	network(0, 0, 0);
	EXPECT(open_pair());
	u64 before = shim_segments;
	EXPECT(transfer(20000000, 0, 60000));
	EXPECT(shim_segments - before < 2500);
	close_pair();
	shim_mtu = 1500;
	delay_us = 10000;
	EXPECT(shim_packets == 0);
}

static void
a_reader_that_pauses_closes_and_opens_the_window(void)
{
	static u8 buf[100000];
	u64 sent = 0, got = 0;
	ssize_t n;

	network(0, 0, 0);
	EXPECT(open_pair());
	for (;;) {
		n = shim_send(client, buf, sizeof(buf), 0);
		if (n > 0)
			sent += (u64)n;
		u64 before = shim_now;
		shim_run(shim_now + 1000 * MS, NULL);
		if (n <= 0 || shim_now == before)
			break;
	}
	/* Full at both ends; minutes pass with probes. */
	EXPECT(sent > 50000);
	shim_run(shim_now + 300000 * MS, NULL);
	EXPECT(inet_sock_of(client)->state == TCP_ESTABLISHED);
	EXPECT(tcp_sock_of(client)->timer_mode == TCP_TIMER_PROBE);
	while (got < sent) {
		while ((n = shim_recv(server, buf, sizeof(buf), 0)) > 0)
			got += (u64)n;
		EXPECT(n == -EAGAIN);
		u64 had = got;
		shim_run(shim_now + 130000 * MS, NULL);
		n = shim_recv(server, buf, 1, MSG_PEEK);
		EXPECT(n == 1 || had == sent);
	}
	close_pair();
	EXPECT(shim_packets == 0);
}

static void
a_dead_network_times_out(void)
{
	network(0, 0, 0);
	EXPECT(open_pair());
	network(1000, 0, 0);
	EXPECT(shim_send(client, "x", 1, 0) == 1);
	u64 begin = shim_now;
	shim_run(shim_now + 3000000 * MS, NULL);
	EXPECT(inet_sock_of(client)->state == TCP_CLOSE);
	EXPECT(client->error == ETIMEDOUT);
	EXPECT(shim_now > begin);
	network(0, 0, 0);
	close_pair();
	EXPECT(shim_packets == 0);
}

static void
nobody_listens(void)
{
	network(0, 0, 0);
	struct socket *s = shim_socket(SHIM_A, 0);
	EXPECT(shim_connect(s, SHIM_B, 9) == -EINPROGRESS);
	shim_run(shim_now + 100 * MS, NULL);
	EXPECT(s->error == ECONNREFUSED);
	EXPECT(shim_connect(s, SHIM_B, 9) == -ECONNREFUSED);
	/* And again. */
	EXPECT(shim_connect(s, SHIM_B, 9) == -EINPROGRESS);
	shim_run(shim_now + 100 * MS, NULL);
	EXPECT(shim_connect(s, SHIM_B, 9) == -ECONNREFUSED);
	shim_close(s);
	shim_settle();
	EXPECT(shim_packets == 0);
}

static void
simultaneous_open_and_close(void)
{
	network(0, 0, 0);
	struct socket *a = shim_socket(SHIM_A, 7001), *b = shim_socket(SHIM_B, 7002);
	char buf[10];

	EXPECT(shim_connect(a, SHIM_B, 7002) == -EINPROGRESS);
	EXPECT(shim_connect(b, SHIM_A, 7001) == -EINPROGRESS);
	shim_run(shim_now + 1000 * MS, NULL);
	EXPECT(inet_sock_of(a)->state == TCP_ESTABLISHED);
	EXPECT(inet_sock_of(b)->state == TCP_ESTABLISHED);
	EXPECT(shim_connect(a, SHIM_B, 7002) == 0);
	EXPECT(shim_send(a, "hello", 5, 0) == 5);
	EXPECT(shim_send(b, "there", 5, 0) == 5);
	shim_run(shim_now + 1000 * MS, NULL);
	EXPECT(shim_recv(b, buf, 10, 0) == 5 && memcmp(buf, "hello", 5) == 0);
	EXPECT(shim_recv(a, buf, 10, 0) == 5 && memcmp(buf, "there", 5) == 0);
	a->ops->shutdown(a, SHUT_WR);
	b->ops->shutdown(b, SHUT_WR);
	shim_run(shim_now + 1000 * MS, NULL);
	EXPECT(inet_sock_of(a)->state == TCP_CLOSE && inet_sock_of(b)->state == TCP_CLOSE);
	EXPECT(tcp_timewait_count() == 2);
	EXPECT(shim_recv(a, buf, 10, 0) == 0);
	shim_close(a);
	shim_close(b);
	shim_settle();
	EXPECT(tcp_timewait_count() == 0);
	EXPECT(shim_packets == 0);
}

static void
unread_data_at_close_resets(void)
{
	char buf[10];

	network(0, 0, 0);
	EXPECT(open_pair());
	EXPECT(shim_send(client, "unread", 6, 0) == 6);
	shim_run(shim_now + 100 * MS, NULL);
	struct socket *c = client;
	shim_close(server);
	shim_run(shim_now + 100 * MS, NULL);
	EXPECT(shim_recv(c, buf, 10, 0) == -ECONNRESET);
	EXPECT(shim_recv(c, buf, 10, 0) == 0);
	EXPECT(shim_send(c, "x", 1, 0) == -EPIPE);
	shim_close(c);
	shim_close(listener);
	shim_settle();
	EXPECT(shim_packets == 0);
}

static void
half_close(void)
{
	char buf[10];

	network(0, 0, 0);
	EXPECT(open_pair());
	client->ops->shutdown(client, SHUT_WR);
	shim_run(shim_now + 100 * MS, NULL);
	EXPECT(inet_sock_of(client)->state == TCP_FIN_WAIT2);
	EXPECT(inet_sock_of(server)->state == TCP_CLOSE_WAIT);
	EXPECT(shim_recv(server, buf, 10, 0) == 0);
	EXPECT(shim_send(server, "still", 5, 0) == 5);
	shim_run(shim_now + 100000 * MS, NULL);
	EXPECT(shim_recv(client, buf, 10, 0) == 5);
	EXPECT(shim_send(client, "x", 1, 0) == -EPIPE);
	close_pair();
	EXPECT(shim_packets == 0);
}

static void
a_thousand_connections(void)
{
	network(20, 10, 2000);
	for (u32 i = 0; i < 300; i++) {
		EXPECT(open_pair());
		EXPECT(transfer(test_random_below(5000), test_random_below(5000), 2000));
		shim_close(client);
		shim_close(server);
		shim_close(listener);
	}
	shim_settle();
	EXPECT(tcp_timewait_count() == 0);
	EXPECT(shim_packets == 0);
}

int
main(void)
{
	shim_init();
	TEST(a_clean_network_carries_it_at_once);
	TEST(both_ways_at_once);
	TEST(one_in_a_hundred_is_lost);
	TEST(one_in_five_is_lost);
	TEST(everything_is_reordered);
	TEST(everything_at_once);
	TEST(without_options);
	TEST(with_reno);
	TEST(large_segments_by_loopback);
	TEST(a_reader_that_pauses_closes_and_opens_the_window);
	TEST(a_dead_network_times_out);
	TEST(nobody_listens);
	TEST(simultaneous_open_and_close);
	TEST(unread_data_at_close_resets);
	TEST(half_close);
	TEST(a_thousand_connections);
	return test_done();
}
