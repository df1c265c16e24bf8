/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* SOURCES: tests/host/tcp_shim.c net/tcp/input.c net/tcp/ack.c net/tcp/recovery.c
   net/tcp/receive.c net/tcp/output.c net/tcp/timer.c net/tcp/listen.c net/tcp/timewait.c
   net/tcp/hash.c net/tcp/socket.c net/tcp/send.c net/tcp/recv.c net/tcp/option.c net/tcp/proc.c
   net/tcp/segopt.c net/tcp/rtt.c net/tcp/rack.c net/tcp/congestion.c net/tcp/cubic.c
   net/tcp/secret.c lib/rbtree.c lib/hash.c lib/format.c lib/string.c lib/math.c */
/* clang-format on */
/*
 * TCP against a script: exact segments in, exact segments out.
 */
#include "tcp_shim.h"
#include "test.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include <string.h>

#define MS   1000000ul
#define PEER (SHIM_A + 100)

static struct socket *listener, *server;
static u16 port = 5000;
static u32 isn; /* ours, as the peer has seen it */

static struct shim_segment
from_peer(u8 flags, u32 seq, u32 ack, u32 len)
{
	struct shim_segment s = { .src = PEER,
				  .dst = SHIM_B,
				  .src_port = 999,
				  .dst_port = port,
				  .seq = seq,
				  .ack = ack,
				  .window = 1000,
				  .len = len,
				  .flags = flags };

	memset(s.data, 'p', sizeof(s.data));
	s.opt.has_sack_ok = true;
	return s;
}

static void
inject(u8 flags, u32 seq, u32 ack, u32 len)
{
	struct shim_segment s = from_peer(flags, seq, ack, len);

	shim_sent_count = 0;
	shim_inject(&s);
}

/* The peer begins at 1000, knows SACK, neither timestamps nor scaling. */
static bool
open_connection(void)
{
	shim_capture = true;
	port++;
	server = NULL;
	listener = shim_socket(SHIM_B, port);
	if (listener->ops->listen(listener, 5))
		return false;
	inject(TCPH_SYN, 1000, 0, 0);
	if (shim_sent_count != 1 || shim_sent[0].flags != (TCPH_SYN | TCPH_ACK) ||
	    shim_sent[0].ack != 1001 || !shim_sent[0].opt.has_sack_ok || shim_sent[0].opt.has_ts)
		return false;
	isn = shim_sent[0].seq;
	inject(TCPH_ACK, 1001, isn + 1, 0);
	return listener->ops->accept(listener, &server, O_NONBLOCK) == 0;
}

static void
close_all(void)
{
	if (server)
		shim_close(server);
	shim_close(listener);
	shim_settle();
}

static void
resets_must_be_exact(void)
{
	EXPECT(open_connection());
	shim_now += 1000 * MS;
	inject(TCPH_RST, 1500, 0, 0);
	EXPECT(shim_sent_count == 1 && shim_sent[0].flags == TCPH_ACK); /* a challenge */
	EXPECT(shim_sent[0].ack == 1001);
	EXPECT(inet_sock_of(server)->state == TCP_ESTABLISHED);
	inject(TCPH_RST, 900000, 0, 0);
	EXPECT(shim_sent_count == 0 && inet_sock_of(server)->state == TCP_ESTABLISHED);
	inject(TCPH_RST, 1001, 0, 0);
	EXPECT(inet_sock_of(server)->state == TCP_CLOSE && server->error == ECONNRESET);
	close_all();
	EXPECT(shim_packets == 0);
}

static void
a_syn_in_the_window_is_challenged(void)
{
	EXPECT(open_connection());
	shim_now += 1000 * MS;
	inject(TCPH_SYN, 1100, 0, 0);
	EXPECT(shim_sent_count == 1 && shim_sent[0].flags == TCPH_ACK);
	inject(TCPH_SYN, 1100, 0, 0);
	EXPECT(shim_sent_count == 0); /* at most every half second */
	EXPECT(inet_sock_of(server)->state == TCP_ESTABLISHED);
	close_all();
	EXPECT(shim_packets == 0);
}

static void
acks_of_what_was_not_sent_are_dropped(void)
{
	char buf[200];

	EXPECT(open_connection());
	shim_now += 1000 * MS;
	inject(TCPH_ACK, 1001, isn + 5000, 100);
	EXPECT(shim_recv(server, buf, 200, 0) == -EAGAIN);
	inject(TCPH_ACK, 1001, isn + 1, 100);
	EXPECT(shim_recv(server, buf, 200, 0) == 100);
	close_all();
	EXPECT(shim_packets == 0);
}

static void
holes_are_reported_latest_first(void)
{
	EXPECT(open_connection());
	inject(TCPH_ACK, 1201, isn + 1, 100);
	EXPECT(shim_sent_count == 1 && shim_sent[0].ack == 1001 && shim_sent[0].opt.nr_sacks == 1);
	EXPECT(shim_sent[0].opt.sacks[0].start == 1201 && shim_sent[0].opt.sacks[0].end == 1301);
	inject(TCPH_ACK, 1401, isn + 1, 100);
	EXPECT(shim_sent_count == 1 && shim_sent[0].opt.nr_sacks == 2);
	EXPECT(shim_sent[0].opt.sacks[0].start == 1401 && shim_sent[0].opt.sacks[1].start == 1201);
	inject(TCPH_ACK, 1001, isn + 1, 200);
	EXPECT(shim_sent_count == 1 && shim_sent[0].ack == 1301);
	EXPECT(shim_sent[0].opt.nr_sacks == 1 && shim_sent[0].opt.sacks[0].start == 1401);
	/* Again what is there: a D-SACK. */
	inject(TCPH_ACK, 1001, isn + 1, 100);
	EXPECT(shim_sent_count == 1 && shim_sent[0].opt.nr_sacks == 2);
	EXPECT(shim_sent[0].opt.sacks[0].start == 1001 && shim_sent[0].opt.sacks[0].end == 1101);
	close_all();
	EXPECT(shim_packets == 0);
}

static void
time_outs_double(void)
{
	u64 last, gap = 0;

	EXPECT(open_connection());
	shim_sent_count = 0;
	EXPECT(shim_send(server, "x", 1, 0) == 1);
	EXPECT(shim_sent_count == 1 && shim_sent[0].seq == isn + 1);
	shim_run(shim_now + 5000 * MS, NULL); /* the probe and the first */
	for (u32 i = 0; i < 3; i++) {
		u32 n = shim_sent_count;

		last = shim_now;
		while (shim_sent_count == n)
			shim_run(shim_now + 10 * MS, NULL);
		EXPECT(shim_sent[n].seq == isn + 1 && shim_sent[n].len == 1);
		if (i > 1)
			EXPECT(shim_now - last > gap * 19 / 10 && shim_now - last < gap * 21 / 10);
		gap = shim_now - last;
	}
	inject(TCPH_ACK, 1001, isn + 2, 0);
	EXPECT(tcp_sock_of(server)->packets_out == 0);
	close_all();
	EXPECT(shim_packets == 0);
}

static void
three_duplicates_without_sack_bring_it_back(void)
{
	static char data[900];

	tcp_init_net.sack = false;
	shim_capture = true;
	port++;
	listener = shim_socket(SHIM_B, port);
	EXPECT(listener->ops->listen(listener, 5) == 0);
	inject(TCPH_SYN, 1000, 0, 0);
	isn = shim_sent[0].seq;
	struct shim_segment s = from_peer(TCPH_ACK, 1001, isn + 1, 0);
	s.window = 60000;
	shim_inject(&s);
	server = NULL;
	EXPECT(listener->ops->accept(listener, &server, O_NONBLOCK) == 0);
	int on = 1;
	EXPECT(server->ops->setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	for (u32 i = 0; i < 6; i++)
		EXPECT(shim_send(server, data, sizeof(data), 0) == sizeof(data));
	for (u32 i = 0; i < 3; i++) {
		shim_sent_count = 0;
		shim_inject(&s);
		EXPECT(shim_sent_count == (i == 2));
	}
	EXPECT(shim_sent[0].seq == isn + 1 && shim_sent[0].len == 900);
	EXPECT(tcp_sock_of(server)->ca_state == TCP_CA_RECOVERY);
	tcp_init_net.sack = true;
	close_all();
	EXPECT(shim_packets == 0);
}

static void
a_flood_of_syns_leaves_the_listener_answering(void)
{
	shim_capture = true;
	port++;
	listener = shim_socket(SHIM_B, port);
	EXPECT(listener->ops->listen(listener, 8) == 0);
	for (u32 i = 0; i < 1000; i++) {
		struct shim_segment s = from_peer(TCPH_SYN, i, 0, 0);

		s.src = PEER + 1 + i;
		shim_sent_count = 0;
		shim_inject(&s);
		EXPECT(shim_sent_count == 1); /* by a request, then by a cookie */
	}
	EXPECT(tcp_sock_of(listener)->request_count == 8);
	inject(TCPH_SYN, 7777, 0, 0);
	EXPECT(shim_sent_count == 1);
	isn = shim_sent[0].seq;
	inject(TCPH_ACK, 7778, isn + 1, 5);
	server = NULL;
	EXPECT(listener->ops->accept(listener, &server, O_NONBLOCK) == 0);
	char buf[10];
	EXPECT(shim_recv(server, buf, 10, 0) == 5);
	/* A wrong one is refused. */
	struct shim_segment s = from_peer(TCPH_ACK, 7778, isn + 99, 0);
	s.src_port = 998;
	shim_sent_count = 0;
	shim_inject(&s);
	EXPECT(shim_sent_count == 1 && shim_sent[0].flags == TCPH_RST);
	close_all();
	EXPECT(shim_packets == 0);
}

int
main(void)
{
	shim_init();
	TEST(resets_must_be_exact);
	TEST(a_syn_in_the_window_is_challenged);
	TEST(acks_of_what_was_not_sent_are_dropped);
	TEST(holes_are_reported_latest_first);
	TEST(time_outs_double);
	TEST(three_duplicates_without_sack_bring_it_back);
	TEST(a_flood_of_syns_leaves_the_listener_answering);
	return test_done();
}
