/* SPDX-License-Identifier: MIT */
/* TCP: options are kept, inherited and bounded; TCP_INFO tells the truth. */
#include "tcp.h"

#ifndef TCP_INQ
#define TCP_INQ 36
#endif

static void
kept(void)
{
	static const struct {
		int name, first, set, low, high;
		const char *what;
	} all[] = {
		{ TCP_KEEPIDLE, 7200, 11, 0, 32768, "TCP_KEEPIDLE" },
		{ TCP_KEEPINTVL, 75, 12, 0, 32768, "TCP_KEEPINTVL" },
		{ TCP_KEEPCNT, 9, 13, 0, 128, "TCP_KEEPCNT" },
		{ TCP_SYNCNT, 6, 3, 0, 128, "TCP_SYNCNT" },
		{ TCP_MAXSEG, 536, 1000, 10, 40000, "TCP_MAXSEG" },
	};
	int s = tcp_socket(), v;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		is_int(get_int(s, IPPROTO_TCP, all[i].name), all[i].first, "%s at first",
		       all[i].what);
		set_int(s, IPPROTO_TCP, all[i].name, all[i].set);
		is_int(get_int(s, IPPROTO_TCP, all[i].name), all[i].set, "%s is kept", all[i].what);
		v = all[i].low;
		sys_err(setsockopt(s, IPPROTO_TCP, all[i].name, &v, sizeof(v)), EINVAL,
			"%s too small", all[i].what);
		v = all[i].high;
		sys_err(setsockopt(s, IPPROTO_TCP, all[i].name, &v, sizeof(v)), EINVAL,
			"%s too large", all[i].what);
	}
	is_int(get_int(s, IPPROTO_TCP, TCP_NODELAY), 0, "TCP_NODELAY at first");
	set_int(s, IPPROTO_TCP, TCP_NODELAY, 5);
	is_int(get_int(s, IPPROTO_TCP, TCP_NODELAY), 1, "TCP_NODELAY is a switch");
	set_int(s, IPPROTO_TCP, TCP_CORK, 1);
	is_int(get_int(s, IPPROTO_TCP, TCP_CORK), 1, "TCP_CORK");
	is_int(get_int(s, IPPROTO_TCP, TCP_LINGER2), 60, "TCP_LINGER2 at first");
	set_int(s, IPPROTO_TCP, TCP_LINGER2, 7);
	is_int(get_int(s, IPPROTO_TCP, TCP_LINGER2), 7, "TCP_LINGER2 is kept");
	set_int(s, IPPROTO_TCP, TCP_LINGER2, -5);
	is_int(get_int(s, IPPROTO_TCP, TCP_LINGER2), -1, "TCP_LINGER2 below zero");
	set_int(s, IPPROTO_TCP, TCP_USER_TIMEOUT, 1234);
	is_int(get_int(s, IPPROTO_TCP, TCP_USER_TIMEOUT), 1234, "TCP_USER_TIMEOUT");
	v = -1;
	sys_err(setsockopt(s, IPPROTO_TCP, TCP_USER_TIMEOUT, &v, sizeof(v)), EINVAL,
		"TCP_USER_TIMEOUT below zero");
	v = 1;
	sys_err(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &v, 2), EINVAL, "a short value");
	sys_err(setsockopt(s, IPPROTO_TCP, 9999, &v, sizeof(v)), ENOPROTOOPT, "an unknown option");
	socklen_t len = sizeof(v);
	sys_err(getsockopt(s, IPPROTO_TCP, 9999, &v, &len), ENOPROTOOPT, "which is not got either");
	close(s);
}

static void
congestion(void)
{
	char name[32] = { 0 };
	socklen_t len = sizeof(name);
	int s = tcp_socket();

	must(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	is_int(len, 16, "TCP_CONGESTION is 16 bytes");
	sys_ok(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), "reno");
	len = sizeof(name);
	must(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	is_str(name, "reno", "is kept");
	sys_err(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6), ENOENT, "an unknown one");
	close(s);
}

static void
inherited(void)
{
	int l = tcp_socket(), c, s, n;
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(n);

	set_int(l, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(l, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(l, IPPROTO_TCP, TCP_KEEPIDLE, 33);
	set_int(l, SOL_SOCKET, SO_RCVBUF, 20000);
	must(bind(l, (void *)&a, sizeof(a)));
	must(listen(l, 1));
	c = tcp_connect_to(port_of(l));
	s = must(accept(l, NULL, NULL));
	is_int(get_int(s, IPPROTO_TCP, TCP_NODELAY), 1, "an accepted socket has TCP_NODELAY");
	is_int(get_int(s, SOL_SOCKET, SO_KEEPALIVE), 1, "SO_KEEPALIVE");
	is_int(get_int(s, IPPROTO_TCP, TCP_KEEPIDLE), 33, "TCP_KEEPIDLE");
	is_int(get_int(s, SOL_SOCKET, SO_RCVBUF), 40000, "and SO_RCVBUF of the listener");
	ok((fcntl(s, F_GETFL) & O_NONBLOCK) == 0, "but not O_NONBLOCK");
	must(getsockopt(s, SOL_SOCKET, SO_RCVBUF, &n, &len));
	ok(get_int(c, IPPROTO_TCP, TCP_MAXSEG) > 1000, "TCP_MAXSEG of a connection by loopback");
	close(c);
	close(s);
	close(l);
}

static void
information(void)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);
	char buf[1000];
	int p[2];

	tcp_pair(p);
	must(write(p[0], buf, 1000));
	is_int(recv(p[1], buf, 1000, MSG_WAITALL), 1000, "1000 bytes");
	must(write(p[1], buf, 10));
	is_int(recv(p[0], buf, 10, MSG_WAITALL), 10, "and 10 back");
	memset(&i, 0xff, sizeof(i));
	must(getsockopt(p[0], IPPROTO_TCP, TCP_INFO, &i, &len));
	is_int(i.tcpi_state, TCP_ESTABLISHED, "tcpi_state");
	is_int(i.tcpi_ca_state, 0, "tcpi_ca_state");
	is_int(i.tcpi_retransmits, 0, "tcpi_retransmits");
	is_int(i.tcpi_total_retrans, 0, "tcpi_total_retrans");
	ok(i.tcpi_options & TCPI_OPT_TIMESTAMPS, "timestamps");
	ok(i.tcpi_options & TCPI_OPT_SACK, "SACK");
	ok(i.tcpi_options & TCPI_OPT_WSCALE, "window scaling");
	ok(i.tcpi_snd_wscale > 0 && i.tcpi_rcv_wscale > 0, "is used");
	is_int(i.tcpi_unacked, 0, "nothing under way");
	ok(i.tcpi_snd_cwnd >= 10 && i.tcpi_snd_cwnd <= 14, "the initial window");
	ok(i.tcpi_snd_mss > 1000 && i.tcpi_pmtu > 1000, "sizes");
	ok(i.tcpi_rto >= 200000 && i.tcpi_rto < 1000000, "the time-out");
	ok(i.tcpi_rtt > 0 && i.tcpi_rtt < 500000, "the round trip");
	len = 8;
	must(getsockopt(p[0], IPPROTO_TCP, TCP_INFO, &i, &len));
	is_int(len, 8, "a short buffer gets a part");
	close(p[0]);
	close(p[1]);
}

static void
buffers(void)
{
	int s = tcp_socket();

	set_int(s, SOL_SOCKET, SO_SNDBUF, 10000);
	is_int(get_int(s, SOL_SOCKET, SO_SNDBUF), 20000, "SO_SNDBUF is doubled");
	set_int(s, SOL_SOCKET, SO_RCVBUF, 100);
	is_int(get_int(s, SOL_SOCKET, SO_RCVBUF), 2304, "SO_RCVBUF has a least size");
	set_int(s, SOL_SOCKET, SO_RCVLOWAT, 10);
	is_int(get_int(s, SOL_SOCKET, SO_RCVLOWAT), 10, "SO_RCVLOWAT");
	close(s);
}

int
main(void)
{
	loopback_up();
	kept();
	congestion();
	inherited();
	information();
	buffers();
	return done();
}
