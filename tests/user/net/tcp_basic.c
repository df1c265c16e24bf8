/* SPDX-License-Identifier: MIT */
/* TCP: connect, accept, names, data both ways, half-close, the end of a stream, broken pipes. */
#include "tcp.h"

static void
names(void)
{
	int l = tcp_listener(0, 5), port = port_of(l), c = tcp_connect_to(port), s;
	struct sockaddr_in a, b;
	socklen_t len = sizeof(a);

	ok(port > 0, "bind to port 0 chooses one");
	s = must(accept(l, (void *)&a, &len));
	is_int(len, sizeof(a), "accept tells the length of the address");
	is_int(a.sin_family, AF_INET, "and the family");
	is_int(a.sin_addr.s_addr, htonl(INADDR_LOOPBACK), "and the peer's address");
	is_int(ntohs(a.sin_port), port_of(c), "and its port");
	len = sizeof(b);
	must(getpeername(c, (void *)&b, &len));
	is_int(ntohs(b.sin_port), port, "getpeername of the client is the listener's port");
	len = sizeof(b);
	must(getsockname(s, (void *)&b, &len));
	is_int(ntohs(b.sin_port), port, "getsockname of the accepted one as well");
	len = 4;
	must(getpeername(c, (void *)&b, &len));
	is_int(len, sizeof(b), "a short buffer gets the true length");
	len = sizeof(b);
	sys_err(getpeername(l, (void *)&b, &len), ENOTCONN, "a listener has no peer");
	is_int(get_int(l, SOL_SOCKET, SO_ACCEPTCONN), 1, "SO_ACCEPTCONN of a listener");
	is_int(get_int(c, SOL_SOCKET, SO_ACCEPTCONN), 0, "and of a connection");
	is_int(get_int(c, SOL_SOCKET, SO_TYPE), SOCK_STREAM, "SO_TYPE");
	is_int(get_int(c, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP, "SO_PROTOCOL");
	is_int(get_int(c, SOL_SOCKET, SO_ERROR), 0, "SO_ERROR");
	close(c);
	close(s);
	close(l);
}

static void
data(void)
{
	char buf[100];
	int p[2], n;

	tcp_pair(p);
	is_int(write(p[0], "hello", 5), 5, "write");
	is_int(read(p[1], buf, 3), 3, "a short read takes a part");
	is_int(read(p[1], buf + 3, 100 - 3), 2, "the next takes the rest");
	is_mem(buf, "hello", 5, "the bytes are right");
	must(write(p[1], "a", 1));
	must(write(p[1], "b", 1));
	is_int(recv(p[0], buf, 2, MSG_WAITALL), 2, "a stream has no boundaries");
	sys_err(recv(p[0], buf, 1, MSG_DONTWAIT), EAGAIN, "nothing: EAGAIN");
	is_int(send(p[0], buf, 0, 0), 0, "sending nothing");
	sys_err(recv(p[1], buf, 0, MSG_DONTWAIT), EAGAIN, "receiving into nothing waits");
	must(write(p[0], "xyz", 3));
	must(poll_for(p[1], POLLIN, POLLIN));
	must(ioctl(p[1], FIONREAD, &n));
	is_int(n, 3, "FIONREAD");
	must(shutdown(p[0], SHUT_WR));
	is_int(read(p[1], buf, 100), 3, "data before the end");
	is_int(read(p[1], buf, 100), 0, "the end");
	is_int(read(p[1], buf, 100), 0, "and again");
	is_int(write(p[1], "back", 4), 4, "the other direction still works");
	is_int(read(p[0], buf, 100), 4, "and arrives");
	sys_err(send(p[0], "x", 1, MSG_NOSIGNAL), EPIPE, "writing after shutdown");
	close(p[1]);
	is_int(read(p[0], buf, 100), 0, "the end at the other side");
	close(p[0]);
}

static volatile int pipes;
static void
on_pipe(int sig)
{
	(void)sig;
	pipes++;
}

static void
broken(void)
{
	char buf[10];
	int p[2];

	handle(SIGPIPE, on_pipe, 0);
	tcp_pair(p);
	close(p[1]);
	must(poll_for(p[0], POLLIN | POLLRDHUP, POLLRDHUP));
	is_int(write(p[0], "x", 1), 1, "the first write after the peer closed succeeds");
	must(poll_for(p[0], POLLHUP, POLLHUP));
	is_int(pipes, 0, "no signal so far");
	sys_err(write(p[0], "x", 1), EPIPE, "the next finds the pipe broken");
	is_int(pipes, 1, "SIGPIPE");
	sys_err(send(p[0], "x", 1, MSG_NOSIGNAL), EPIPE, "MSG_NOSIGNAL");
	is_int(pipes, 1, "no signal with it");
	close(p[0]);
	/* Unread data at close: a reset. */
	tcp_pair(p);
	must(write(p[0], "unread", 6));
	must(poll_for(p[1], POLLIN, POLLIN));
	close(p[1]);
	must(poll_for(p[0], POLLHUP, POLLHUP));
	sys_err(read(p[0], buf, 10), ECONNRESET, "close with unread data resets");
	is_int(read(p[0], buf, 10), 0, "the error is told once");
	close(p[0]);
	/* SO_LINGER with zero time. */
	tcp_pair(p);
	reset_on_close(p[1]);
	must(poll_for(p[0], POLLHUP, POLLHUP | POLLERR));
	is_int(get_int(p[0], SOL_SOCKET, SO_ERROR), ECONNRESET, "linger 0 resets: SO_ERROR");
	is_int(get_int(p[0], SOL_SOCKET, SO_ERROR), 0, "which is told once");
	close(p[0]);
}

static void
states(void)
{
	int p[2];

	tcp_pair(p);
	is_int(tcp_state(p[0]), TCP_ESTABLISHED, "ESTABLISHED");
	must(shutdown(p[0], SHUT_WR));
	ok(wait_tcp_state(p[0], TCP_FIN_WAIT2), "shutdown: FIN_WAIT2");
	ok(wait_tcp_state(p[1], TCP_CLOSE_WAIT), "the peer: CLOSE_WAIT");
	must(shutdown(p[1], SHUT_WR));
	ok(wait_tcp_state(p[1], TCP_CLOSE), "closed there");
	ok(wait_tcp_state(p[0], TCP_CLOSE), "and here (TIME_WAIT is no longer the socket's)");
	sys_err(shutdown(p[0], SHUT_WR), ENOTCONN, "shutdown of a closed one");
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	loopback_up();
	names();
	data();
	broken();
	states();
	return done();
}
