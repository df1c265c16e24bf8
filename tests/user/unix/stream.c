/* SPDX-License-Identifier: MIT */
/* AF_UNIX streams: bind, listen, connect, accept, names, shutdown, peer loss, errors. */
#include "../compat.h"
#include "../tap.h"
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static struct sockaddr_un
addr(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return a;
}

static long
bind_to(int fd, const char *path)
{
	struct sockaddr_un a = addr(path);

	return bind(fd, (void *)&a, sizeof(a));
}

static long
connect_to(int fd, const char *path)
{
	struct sockaddr_un a = addr(path);

	return connect(fd, (void *)&a, sizeof(a));
}

static int
state(int fd)
{
	struct pollfd pf = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };

	poll(&pf, 1, 0);
	return pf.revents;
}

#define STREAM() must(socket(AF_UNIX, SOCK_STREAM, 0))

int
main(void)
{
	struct sockaddr_un a;
	socklen_t len;
	struct stat st;
	static char buf[300000];
	char abs[20];
	int l, c, s, x, i, n, v, p[2];
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	scratch();
	l = STREAM();
	sys_err(listen(l, 5), EINVAL, "listen before bind");
	sys_err(accept(l, NULL, NULL), EINVAL, "accept before listen");
	len = sizeof(a);
	sys_ok(getsockname(l, (void *)&a, &len), "getsockname of a new socket");
	ok(len == 2 && a.sun_family == AF_UNIX, "is the family alone");
	sys_ok(bind_to(l, "s"), "bind");
	must(stat("s", &st));
	ok(S_ISSOCK(st.st_mode), "makes a socket file");
	sys_err(bind_to(l, "s2"), EINVAL, "bind twice");
	sys_err(bind_to(STREAM(), "s"), EADDRINUSE, "bind to a used name");
	sys_err(connect_to(STREAM(), "s"), ECONNREFUSED, "connect before listen");
	sys_ok(listen(l, 2), "listen");
	is_int(state(l), 0, "nobody waits");
	c = STREAM();
	sys_err(getpeername(c, (void *)&a, &len), ENOTCONN, "getpeername unconnected");
	sys_err(send(c, "x", 1, 0), ENOTCONN, "send unconnected");
	sys_err(recv(c, buf, 1, 0), EINVAL, "recv unconnected");
	sys_ok(connect_to(c, "s"), "connect");
	is_int(state(l), POLLIN, "the listener is readable");
	is_int(write(c, "early", 5), 5, "data before accept");
	len = sizeof(a);
	s = must(accept4(l, (void *)&a, &len, SOCK_CLOEXEC | SOCK_NONBLOCK));
	ok(len == 2, "the peer's name is empty");
	ok(fcntl(s, F_GETFD) == FD_CLOEXEC && (fcntl(s, F_GETFL) & O_NONBLOCK), "accept4 flags");
	is_int(read(s, buf, 10), 5, "the early data");
	sys_err(read(s, buf, 10), EAGAIN, "then EAGAIN");
	len = sizeof(a);
	must(getsockname(s, (void *)&a, &len));
	ok(len == 2 + 2 && strcmp(a.sun_path, "s") == 0,
	   "the accepted one has the listener's name");
	len = sizeof(a);
	must(getpeername(c, (void *)&a, &len));
	is_str(a.sun_path, "s", "getpeername");
	len = 4;
	memset(&a, 0, sizeof(a));
	must(getpeername(c, (void *)&a, &len));
	ok(len == 4 && a.sun_path[0] == 's', "a short buffer is cut, the length is the true one");
	sys_err(connect_to(c, "s"), EISCONN, "connect twice");
	is_int(write(s, "back", 4), 4, "the other way");
	is_int(read(c, buf, 10), 4, "arrives");
	must(write(c, "ab", 2));
	must(write(c, "cd", 2));
	is_int(read(s, buf, 10), 4, "a stream has no boundaries");
	ok(ioctl(s, FIONREAD, &n) == 0 && n == 0, "FIONREAD: 0");
	must(write(c, "abc", 3));
	ok(ioctl(s, FIONREAD, &n) == 0 && n == 3, "FIONREAD: 3");
	is_int(recv(s, buf, 10, MSG_PEEK), 3, "MSG_PEEK");
	is_int(recv(s, buf, 10, 0), 3, "leaves it there");
	is_int(recv(s, buf, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, 1, "MSG_DONTWAIT");
	is_int(state(s), POLLOUT, "connected: writable");

	sys_ok(shutdown(c, SHUT_WR), "SHUT_WR");
	is_int(read(s, buf, 1), 0, "the peer reads the end");
	is_int(state(s), POLLIN | POLLOUT | POLLRDHUP, "POLLRDHUP");
	sys_err(write(c, "x", 1), EPIPE, "own write: EPIPE");
	is_int(write(s, "still", 5), 5, "the other way is open");
	is_int(read(c, buf, 10), 5, "and read");
	sys_ok(shutdown(c, SHUT_RD), "SHUT_RD");
	sys_err(write(s, "x", 1), EPIPE, "the peer's write: EPIPE");
	is_int(state(c) & POLLHUP, POLLHUP, "both ways: POLLHUP");
	sys_err(shutdown(c, 7), EINVAL, "unknown way");
	sys_ok(shutdown(STREAM(), SHUT_RD), "shutdown unconnected");
	close(s), close(c);

	c = STREAM();
	must(connect_to(c, "s"));
	close(c);
	len = sizeof(a);
	s = accept(l, (void *)&a, &len);
	sys_ok(s, "a client that has gone is accepted");
	is_int(len, 2, "by the name that it had");
	is_int(read(s, buf, 1), 0, "and reads as the end");
	len = sizeof(a);
	sys_ok(getpeername(s, (void *)&a, &len), "getpeername after the peer has gone");
	close(s);

	c = STREAM();
	must(connect_to(c, "s"));
	s = must(accept(l, NULL, NULL));
	must(write(s, "unread", 6));
	must(write(c, "lost", 4));
	close(s);
	is_int(state(c) & (POLLIN | POLLHUP), POLLIN | POLLHUP, "peer closed: POLLIN and POLLHUP");
	is_int(read(c, buf, 10), 6, "what it had sent can be read");
	sys_err(read(c, buf, 10), ECONNRESET, "then ECONNRESET: it had left data unread");
	is_int(read(c, buf, 10), 0, "then the end");
	sys_err(write(c, "x", 1), EPIPE, "EPIPE");
	close(c);

	/* the backlog */
	for (i = 0; i < 10; i++) {
		c = must(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
		if (connect_to(c, "s"))
			break;
	}
	ok(i == 3 && errno == EAGAIN, "backlog 2 holds three, then EAGAIN");
	if ((pid = fork()) == 0) {
		x = STREAM();
		_exit(connect_to(x, "s") ? 1 : 0);
	}
	wait_state(pid, 'S');
	must(accept(l, NULL, NULL));
	is_exit(pid, 0, "a blocking connect waits for room");
	x = STREAM();
	must(fcntl(l, F_SETFL, O_NONBLOCK));
	while (accept(l, NULL, NULL) >= 0)
		;
	is_int(errno, EAGAIN, "accept non-blocking: EAGAIN");
	close(l);
	sys_err(connect_to(x, "s"), ECONNREFUSED, "a name without its listener");
	must(unlink("s"));
	sys_err(connect_to(x, "s"), ENOENT, "no name");
	put_file("file", "x", 1);
	sys_err(connect_to(x, "file"), ECONNREFUSED, "a file that is no socket");
	sys_err(bind_to(x, "missing/s"), ENOENT, "bind in nowhere");

	/* abstract names */
	l = STREAM();
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	memcpy(a.sun_path, "\0kt\0x", 5);
	sys_ok(bind(l, (void *)&a, 2 + 5), "an abstract name with a NUL inside");
	must(listen(l, 5));
	c = STREAM();
	sys_ok(connect(c, (void *)&a, 2 + 5), "connect to it");
	sys_err(connect(STREAM(), (void *)&a, 2 + 4), ECONNREFUSED,
		"another length is another name");
	sys_err(bind(STREAM(), (void *)&a, 2 + 5), EADDRINUSE, "in use");
	close(c), close(l);
	l = STREAM();
	sys_ok(bind(l, (void *)&a, 2 + 5), "free after close");
	close(l);
	l = STREAM();
	sys_ok(bind(l, (void *)&a, 2), "autobind");
	len = sizeof(a);
	must(getsockname(l, (void *)&a, &len));
	ok(len == 2 + 6 && a.sun_path[0] == 0, "gives an abstract name of five digits");
	memcpy(abs, a.sun_path + 1, 5);
	for (i = 0; i < 5; i++)
		n = strchr("0123456789abcdef", abs[i]) != NULL;
	ok(n, "in hexadecimal");

	/* errors of addresses and types */
	x = STREAM();
	a = addr("y");
	sys_err(bind(x, (void *)&a, 1), EINVAL, "an address too short");
	sys_err(bind(x, (void *)&a, 200), EINVAL, "an address too long");
	a.sun_family = AF_INET;
	sys_err(bind(x, (void *)&a, sizeof(a)), EINVAL, "a wrong family");
	sys_err(connect(x, at(8), sizeof(a)), EFAULT, "bad pointer");
	sys_err(bind_to(0, "y"), ENOTSOCK, "not a socket");
	sys_err(bind_to(999, "y"), EBADF, "bad descriptor");
	sys_err(socket(9999, SOCK_STREAM, 0), EAFNOSUPPORT, "unknown family");
	sys_err(socket(AF_UNIX, 99, 0), EINVAL, "unknown type");
	sys_err(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT, "unsupported type");
	sys_err(socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT, "unknown protocol");
	sys_err(socketpair(AF_UNIX, SOCK_STREAM, 0, at(8)), EFAULT, "socketpair bad pointer");
	v = 0;
	sys_err(lseek(x, 0, SEEK_CUR), ESPIPE, "no offset");

	/* a large transfer both ways at once */
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	if ((pid = fork()) == 0) {
		close(p[0]);
		for (v = 0; (n = read(p[1], buf, 5000)) > 0; v += n)
			for (i = 0; i < n; i += x)
				if ((x = write(p[1], buf + i, n - i)) <= 0)
					_exit(1);
		_exit(v == 200000 ? 0 : 2);
	}
	close(p[1]);
	if ((x = fork()) == 0) {
		for (i = 0; i < 200000; i++)
			buf[i] = i * 11;
		_exit(write(p[0], buf, 200000) == 200000 && shutdown(p[0], SHUT_WR) == 0 ? 0 : 1);
	}
	for (v = n = 0; (i = read(p[0], buf, sizeof(buf))) > 0; v += i)
		for (int k = 0; k < i; k++)
			n += buf[k] != (char)((v + k) * 11);
	ok(v == 200000 && n == 0, "200000 bytes echoed unchanged");
	is_exit(x, 0, "the sender");
	is_exit(pid, 0, "the echo");
	return done();
}
