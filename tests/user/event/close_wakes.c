/* SPDX-License-Identifier: MIT */
/* Closing one end wakes whoever waits at the other: in read, write, poll and epoll. */
#include "../compat.h"
#include "../tap.h"
#include <sys/epoll.h>
#include <sys/socket.h>

static int a, b; /* the waiter's end and the one that is closed */

static int
do_read(void)
{
	char c;
	return read(a, &c, 1) == 0 ? 0 : 1;
}
static int
do_poll(void)
{
	struct pollfd pf = { a, POLLIN, 0 };

	return poll(&pf, 1, 8000) == 1 && (pf.revents & POLLHUP) ? 0 : 1;
}
static int
do_poll_nothing(void)
{
	struct pollfd pf = { a, 0, 0 };

	return poll(&pf, 1, 8000) == 1 && (pf.revents & (POLLHUP | POLLERR)) ? 0 : 1;
}
static int
epoll_for(unsigned events)
{
	struct epoll_event e = { .events = events };
	int ep = epoll_create1(0);

	if (epoll_ctl(ep, EPOLL_CTL_ADD, a, &e))
		return 2;
	if (events & EPOLLET) /* take the event for what holds already */
		epoll_wait(ep, &e, 1, 0);
	return epoll_wait(ep, &e, 1, 8000) == 1 && (e.events & (EPOLLHUP | EPOLLERR)) ? 0 : 1;
}
static int
do_epoll(void)
{
	return epoll_for(EPOLLIN);
}
static int
do_epoll_et(void)
{
	return epoll_for(EPOLLIN | EPOLLOUT | EPOLLET);
}
static int
do_write(void)
{
	static char buf[65536];

	signal(SIGPIPE, SIG_IGN);
	for (;;)
		if (write(a, buf, sizeof(buf)) < 0)
			return errno == EPIPE ? 0 : 1;
}

static void
check(int (*fn)(void), const char *name)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		close(b);
		_exit(fn());
	}
	close(a);
	ok(wait_state(pid, 'S'), "%s: waits", name);
	close(b);
	is_exit(pid, 0, "%s: the close wakes it", name);
}

static void
pipe_reader(void)
{
	int p[2];

	must(pipe(p));
	a = p[0], b = p[1];
}

static void
pipe_writer(void)
{
	pipe_reader();
	int t = a;

	a = b, b = t;
}

static void
pair(int type)
{
	int s[2];

	must(socketpair(AF_UNIX, type, 0, s));
	a = s[0], b = s[1];
}

static void
fill(void)
{
	static char buf[4096];

	must(fcntl(a, F_SETFL, O_NONBLOCK));
	while (write(a, buf, sizeof(buf)) > 0)
		;
	must(fcntl(a, F_SETFL, 0));
}

int
main(void)
{
	pipe_reader();
	check(do_read, "pipe, read");
	pipe_reader();
	check(do_poll, "pipe, poll");
	pipe_reader();
	check(do_poll_nothing, "pipe, poll for nothing");
	pipe_reader();
	check(do_epoll, "pipe, epoll");
	pipe_reader();
	check(do_epoll_et, "pipe, edge-triggered epoll");
	pipe_writer();
	check(do_write, "full pipe, write");
	pipe_writer();
	fill();
	check(do_poll_nothing, "full pipe, poll for nothing");
	pipe_writer();
	fill();
	check(do_epoll_et, "full pipe, edge-triggered epoll");
	pair(SOCK_STREAM);
	check(do_read, "stream, read");
	pair(SOCK_STREAM);
	check(do_poll, "stream, poll");
	pair(SOCK_STREAM);
	check(do_epoll, "stream, epoll");
	pair(SOCK_STREAM);
	check(do_epoll_et, "stream, edge-triggered epoll");
	pair(SOCK_STREAM);
	check(do_write, "full stream, write");
	pair(SOCK_SEQPACKET);
	check(do_read, "packets, read");
	pair(SOCK_SEQPACKET);
	check(do_poll, "packets, poll");
	return done();
}
