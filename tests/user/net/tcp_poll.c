/* SPDX-License-Identifier: MIT */
/* TCP: what poll and epoll report, and when. */
#include "tcp.h"
#include <sys/epoll.h>

#define ALL (POLLIN | POLLOUT | POLLPRI | POLLRDHUP)

static void
levels(void)
{
	static char big[1 << 16];
	char buf[10];
	int p[2];

	tcp_pair(p);
	is_int(poll_now(p[0], ALL), POLLOUT, "connected: writable");
	must(write(p[1], "x", 1));
	is_int(poll_for(p[0], ALL, POLLIN), POLLIN | POLLOUT, "data: readable");
	must(read(p[0], buf, 10));
	is_int(poll_now(p[0], ALL), POLLOUT, "read: no longer");
	set_int(p[0], SOL_SOCKET, SO_RCVLOWAT, 3);
	must(write(p[1], "ab", 2));
	sleep_ms(50);
	is_int(poll_now(p[0], ALL), POLLOUT, "less than SO_RCVLOWAT is not readable");
	must(write(p[1], "c", 1));
	is_int(poll_for(p[0], ALL, POLLIN), POLLIN | POLLOUT, "as much is");
	must(read(p[0], buf, 10));
	set_int(p[0], SOL_SOCKET, SO_RCVLOWAT, 1);
	nonblocking(p[0]);
	while (write(p[0], big, sizeof(big)) > 0)
		;
	is_int(errno, EAGAIN, "full");
	is_int(poll_now(p[0], ALL), 0, "not writable");
	long long got = 0;
	nonblocking(p[1]);
	long long end = now_ms() + 5000;
	while (!(poll_now(p[0], POLLOUT) & POLLOUT) && now_ms() < end) {
		ssize_t n = read(p[1], big, sizeof(big));

		if (n > 0)
			got += n;
	}
	ok(got > 0 && (poll_now(p[0], POLLOUT) & POLLOUT), "writable again when enough is read");
	close(p[1]);
	close(p[0]);
	tcp_pair(p);
	must(shutdown(p[1], SHUT_WR));
	is_int(poll_for(p[0], ALL, POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP,
	       "the peer's end: readable, RDHUP");
	must(shutdown(p[0], SHUT_WR));
	is_int(poll_for(p[0], ALL, POLLHUP), POLLIN | POLLOUT | POLLRDHUP | POLLHUP, "both: HUP");
	close(p[0]);
	close(p[1]);
	tcp_pair(p);
	must(shutdown(p[0], SHUT_RD));
	is_int(poll_now(p[0], ALL), POLLIN | POLLOUT | POLLRDHUP, "SHUT_RD by ourselves");
	is_int(read(p[0], buf, 10), 0, "reads as the end");
	reset_on_close(p[1]);
	is_int(poll_for(p[0], ALL, POLLERR), POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR,
	       "a reset: all of it");
	close(p[0]);
}

static int
next_event(int ep, int ms)
{
	struct epoll_event e;
	int n = must(epoll_wait(ep, &e, 1, ms));

	return n ? (int)e.events : 0;
}

static void
edges(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET | EPOLLRDHUP };
	int ep = must(epoll_create1(0)), p[2];
	char buf[10];

	tcp_pair(p);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	is_int(next_event(ep, 0), 0, "no edge yet");
	must(write(p[1], "a", 1));
	is_int(next_event(ep, 2000), EPOLLIN, "an edge for data");
	is_int(next_event(ep, 0), 0, "once");
	must(write(p[1], "b", 1));
	is_int(next_event(ep, 2000), EPOLLIN, "another for more");
	must(read(p[0], buf, 10));
	is_int(next_event(ep, 20), 0, "none for reading");
	must(shutdown(p[1], SHUT_WR));
	is_int(next_event(ep, 2000), EPOLLIN | EPOLLRDHUP, "one for the end");
	close(p[0]);
	close(p[1]);
	int l = tcp_listener(0, 5);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e));
	int c = tcp_connect_to(port_of(l));
	is_int(next_event(ep, 2000), EPOLLIN, "one for a connection to accept");
	close(c);
	close(l);
	/* Connecting: writable is the edge. */
	l = tcp_listener(0, 5);
	c = tcp_socket();
	nonblocking(c);
	e.events = EPOLLOUT | EPOLLIN | EPOLLET;
	must(epoll_ctl(ep, EPOLL_CTL_ADD, c, &e));
	while (next_event(ep, 0))
		;
	struct sockaddr_in a = loopback(port_of(l));
	sys_err(connect(c, (void *)&a, sizeof(a)), EINPROGRESS, "connecting");
	is_int(next_event(ep, 2000) & ~EPOLLHUP, EPOLLOUT, "connected: an edge");
	close(c);
	close(l);
	close(ep);
}

int
main(void)
{
	loopback_up();
	signal(SIGPIPE, SIG_IGN);
	levels();
	edges();
	return done();
}
