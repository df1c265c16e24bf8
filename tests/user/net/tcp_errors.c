/* SPDX-License-Identifier: MIT */
/* TCP: what the calls say when they cannot, and connecting without waiting. */
#include "tcp.h"

static int
dead_port(void)
{
	int l = tcp_listener(0, 1), port = port_of(l);

	close(l);
	return port;
}

static void
refused(void)
{
	struct sockaddr_in a = loopback(dead_port());
	char buf[4];
	int s = tcp_socket();

	sys_err(connect(s, (void *)&a, sizeof(a)), ECONNREFUSED, "nobody listens");
	sys_err(connect(s, (void *)&a, sizeof(a)), ECONNREFUSED, "nor the second time");
	sys_err(read(s, buf, 1), ENOTCONN, "reading then");
	sys_err(send(s, "x", 1, MSG_NOSIGNAL), EPIPE, "writing then");
	is_int(get_int(s, SOL_SOCKET, SO_ERROR), 0, "connect has told the error");
	close(s);
	s = tcp_socket();
	nonblocking(s);
	int r = connect(s, (void *)&a, sizeof(a));
	ok(r == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED), "without waiting");
	if (errno == EINPROGRESS) {
		int got = poll_for(s, POLLOUT, POLLERR);

		is_int(got & (POLLERR | POLLHUP | POLLOUT), POLLERR | POLLHUP | POLLOUT,
		       "poll: error, hang-up, writable");
		is_int(get_int(s, SOL_SOCKET, SO_ERROR), ECONNREFUSED, "SO_ERROR");
	}
	close(s);
}

static void
unconnected(void)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int s = tcp_socket();
	char buf[4];

	is_int(poll_now(s, POLLIN | POLLOUT), POLLOUT | POLLHUP, "poll: writable and hung up");
	sys_err(read(s, buf, 1), ENOTCONN, "read");
	sys_err(send(s, "x", 1, MSG_NOSIGNAL), EPIPE, "send");
	sys_err(getpeername(s, (void *)&a, &len), ENOTCONN, "getpeername");
	sys_err(shutdown(s, SHUT_RDWR), ENOTCONN, "shutdown");
	sys_err(accept(s, NULL, NULL), EINVAL, "accept");
	sys_err(shutdown(s, 7), EINVAL, "shutdown of no direction");
	sys_err(connect(s, (void *)&a, 1), EINVAL, "connect with half an address");
	sys_err(bind(s, (void *)&a, 3), EINVAL, "bind with half an address");
	a = loopback(0);
	a.sin_addr.s_addr = htonl(0x01020304);
	sys_err(bind(s, (void *)&a, sizeof(a)), EADDRNOTAVAIL, "bind to somebody else's address");
	a = loopback(0);
	must(bind(s, (void *)&a, sizeof(a)));
	sys_err(bind(s, (void *)&a, sizeof(a)), EINVAL, "bind twice");
	close(s);
}

static void
connecting(void)
{
	int l = tcp_listener(0, 5), s = tcp_socket(), e;
	struct sockaddr_in a = loopback(port_of(l));
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	nonblocking(s);
	sys_err(connect(s, (void *)&a, sizeof(a)), EINPROGRESS, "connect without waiting");
	must(poll_for(s, POLLOUT, POLLOUT));
	sys_ok(connect(s, (void *)&a, sizeof(a)), "connect again tells that it is done");
	sys_err(connect(s, (void *)&a, sizeof(a)), EISCONN, "and then that it is connected");
	e = must(accept(l, NULL, NULL));
	sys_err(listen(s, 5), EINVAL, "a connected socket does not listen");
	sys_ok(connect(s, &none, sizeof(none)), "AF_UNSPEC disconnects");
	char buf[4];
	sys_err(read(e, buf, 1), ECONNRESET, "by a reset");
	close(e);
	sys_ok(connect(s, (void *)&a, sizeof(a)) == 0 || errno == EINPROGRESS ? 0 : -1,
	       "it can be connected again");
	must(poll_for(s, POLLOUT, POLLOUT));
	close(must(accept(l, NULL, NULL)));
	close(s);
	sys_err(connect(l, (void *)&a, sizeof(a)), EISCONN, "a listener does not connect");
	close(l);
}

static void
address_in_use(void)
{
	int l = tcp_listener(0, 5), s = tcp_socket();
	struct sockaddr_in a = loopback(port_of(l));

	sys_err(bind(s, (void *)&a, sizeof(a)), EADDRINUSE, "bind to a port that is in use");
	set_int(s, SOL_SOCKET, SO_REUSEADDR, 1);
	sys_err(bind(s, (void *)&a, sizeof(a)), EADDRINUSE,
		"SO_REUSEADDR does not help beside a listener");
	close(s);
	int x = tcp_socket(), y = tcp_socket();
	set_int(x, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(y, SOL_SOCKET, SO_REUSEADDR, 1);
	a = loopback(0);
	must(bind(x, (void *)&a, sizeof(a)));
	a = loopback(port_of(x));
	sys_ok(bind(y, (void *)&a, sizeof(a)), "two bound with SO_REUSEADDR");
	must(listen(x, 1));
	sys_err(listen(y, 1), EADDRINUSE, "but only one listens");
	close(x);
	sys_ok(listen(y, 1), "until it is closed");
	close(y);
	close(l);
}

static void
listener(void)
{
	int l = tcp_listener(0, 5);
	char buf[4];

	sys_err(read(l, buf, 1), ENOTCONN, "read of a listener");
	sys_err(send(l, "x", 1, MSG_NOSIGNAL), EPIPE, "write to a listener");
	nonblocking(l);
	sys_err(accept(l, NULL, NULL), EAGAIN, "accept without waiting");
	is_int(poll_now(l, POLLIN | POLLOUT), 0, "nothing to accept");
	int c = tcp_connect_to(port_of(l));
	is_int(poll_for(l, POLLIN | POLLOUT, POLLIN), POLLIN, "something to accept");
	close(c);
	close(l);
	l = tcp_listener(0, 5);
	c = tcp_connect_to(port_of(l));
	close(l);
	sys_err(read(c, buf, 1), ECONNRESET, "a listener that closes resets those that wait");
	close(c);
	l = tcp_listener(0, 5);
	pid_t pid = fork();
	if (pid == 0) {
		int r = accept(l, NULL, NULL);

		_exit(r == -1 && errno == EINVAL ? 0 : 1);
	}
	wait_state(pid, 'S');
	sys_ok(shutdown(l, SHUT_RD), "shutdown of a listener");
	is_exit(pid, 0, "wakes who accepts");
	sys_ok(listen(l, 5), "and it can listen again");
	close(l);
}

static void
timeouts(void)
{
	struct timeval tv = { 0, 50000 };
	char buf[4];
	int p[2];

	tcp_pair(p);
	must(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	long long begin = now_ms();
	sys_err(read(p[0], buf, 1), EAGAIN, "SO_RCVTIMEO");
	ok(now_ms() - begin >= 49, "waits as long");
	must(setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	static char big[1 << 20];
	ssize_t n;
	for (int i = 0; i < 100 && (n = write(p[0], big, sizeof(big))) == sizeof(big); i++)
		;
	ok(n > 0 || (n == -1 && errno == EAGAIN), "SO_SNDTIMEO ends a write");
	reset_on_close(p[0]);
	close(p[1]);
}

static void
nothing(int sig)
{
	(void)sig;
}

static void
signals(void)
{
	char buf[4];
	int p[2];

	handle(SIGUSR1, nothing, 0);
	tcp_pair(p);
	pid_t pid = poke(SIGUSR1, NULL);
	sys_err(read(p[0], buf, 1), EINTR, "a signal ends a read");
	unpoke(pid);
	int l = tcp_listener(0, 1);
	pid = poke(SIGUSR1, NULL);
	sys_err(accept(l, NULL, NULL), EINTR, "and an accept");
	unpoke(pid);
	close(l);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	loopback_up();
	signal(SIGPIPE, SIG_IGN);
	refused();
	unconnected();
	connecting();
	address_in_use();
	listener();
	timeouts();
	signals();
	return done();
}
