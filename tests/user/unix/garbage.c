/* SPDX-License-Identifier: MIT */
/* TEST: timeout=30 */
/* Sockets that nobody can reach any more are closed, whatever holds them; those that somebody can
 * reach are not, whatever others do at the time; how many files may be under way. unix(7). */
#include "../compat.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DEPTH  4000
#define ROUNDS 3000

union control {
	char buf[CMSG_SPACE(4)];
	struct cmsghdr align;
};

static int
send_fd(int s, int fd, char byte)
{
	union control c = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = sizeof(c.buf) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(4);
	memcpy(CMSG_DATA(h), &fd, 4);
	return sendmsg(s, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int
recv_fd(int s, int flags, char *byte)
{
	union control c = { 0 };
	struct iovec iov = { byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = sizeof(c.buf) };
	int fd = -1;

	if (recvmsg(s, &m, flags | MSG_DONTWAIT) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), 4);
	return fd;
}

/* A socket closed gives the collector its chance. */
static void
close_one(void)
{
	close(must(socket(AF_UNIX, SOCK_DGRAM, 0)));
}

/* The end of a pipe whose other end went into what shall be collected: is it closed? */
static int
gone(int read_end)
{
	struct pollfd p = { read_end, POLLIN, 0 };

	for (int i = 0; i < 500; i++) {
		close_one();
		if (poll(&p, 1, 10) == 1)
			return (p.revents & POLLHUP) != 0;
	}
	return 0;
}

static int
stays(int read_end)
{
	struct pollfd p = { read_end, POLLIN, 0 };

	for (int i = 0; i < 10; i++) {
		close_one();
		if (poll(&p, 1, 5))
			return 0;
	}
	return 1;
}

static void
test_shapes(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0kt-garbage" };
	struct epoll_event ev = { .events = EPOLLIN };
	int s[2], t[2], p[2], l, c, e;
	char b;

	must(pipe(p));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	send_fd(s[0], s[1], 'x');
	send_fd(s[0], p[1], 'x');
	close(s[0]), close(s[1]), close(p[1]);
	ok(gone(p[0]), "a socket in its own queue");
	close(p[0]);

	must(pipe(p));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, t));
	send_fd(s[0], t[1], 'x');
	send_fd(s[0], t[1], 'x');
	send_fd(t[0], p[1], 'x');
	send_fd(t[0], s[1], 'x');
	close(t[0]), close(t[1]), close(p[1]), close(s[0]);
	ok(stays(p[0]), "two in each other's queues, one still open");
	c = recv_fd(s[1], MSG_PEEK, &b);
	close(s[1]);
	ok(stays(p[0]), "one had by a peek");
	close(c);
	ok(gone(p[0]), "nobody has either");
	close(p[0]);

	/* an end that waits to be accepted has the listener in its queue */
	must(pipe(p));
	l = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(l, (void *)&name, sizeof(name)));
	must(listen(l, 4));
	c = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(c, (void *)&name, sizeof(name)));
	send_fd(c, l, 'x');
	send_fd(c, p[1], 'x');
	close(l), close(p[1]);
	ok(gone(p[0]), "a listener in the queue of an end nobody accepts");
	is_int(read(c, &b, 1), -1, "whose other end hears of it");
	is_int(errno, ECONNRESET, "as of unread data");
	close(c), close(p[0]);

	/* an epoll set that watches it is no holder, nor are sets in each other */
	must(pipe(p));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	e = must(epoll_create1(0));
	must(epoll_ctl(e, EPOLL_CTL_ADD, s[1], &ev));
	send_fd(s[0], e, 'x');
	send_fd(s[0], s[1], 'x');
	send_fd(s[0], p[1], 'x');
	close(s[0]), close(s[1]), close(p[1]), close(e);
	ok(gone(p[0]), "a socket, and the epoll set that watches it, in its queue");
	close(p[0]);
}

/* Each in the queue of the next, and the last is closed. */
static void
test_chain(void)
{
	int s[2], p[2], carried;

	must(pipe(p));
	carried = p[1];
	for (int i = 0; i < DEPTH; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		if (send_fd(s[0], carried, 'x') != 1) {
			/* before 6.10, Linux follows only so many */
			is_int(errno, ETOOMANYREFS, "a chain of sockets ends");
			close(s[0]), close(s[1]), close(carried), close(p[0]);
			return;
		}
		close(carried), close(s[0]);
		carried = s[1];
	}
	close(carried);
	ok(gone(p[0]), "a chain of sockets");
	close(p[0]);
}

/* Sockets handed round by threads that send, receive, peek, copy and close, while garbage is made.
 * A token that is written into a socket's pair must come out of it. */
static int ring[4][2];
static int stop, lost;

static void *
hand_on(void *arg)
{
	int me = (int)(long)arg;

	for (int i = 0; i < ROUNDS && !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		char b, token = (char)i;
		int s[2], fd;

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
			break;
		if (write(s[0], &token, 1) != 1 || send_fd(ring[me][0], s[1], token) != 1) {
			close(s[0]), close(s[1]);
			goto receive;
		}
		if (i % 3 == 0) {
			int copy = dup(s[1]);

			send_fd(s[0], copy, 'g'); /* into its own queue: garbage in the end */
			close(copy);
		}
		close(s[1]), close(s[0]);
receive:
		fd = recv_fd(ring[(me + 1) % 4][1], i % 5 == 0 ? MSG_PEEK : 0, &token);
		if (fd < 0)
			continue;
		/* A peeked one may have been read by who received it. */
		if (i % 5 && read(fd, &b, 1) == 1 && b != token && b != 'g')
			__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
		close(fd);
	}
	return NULL;
}

/* Alive all the time, although only a queue has it. */
static void *
keep_alive(void *arg TAP_UNUSED)
{
	int s[2], outer[2], fd;
	char b;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, outer));
	for (int i = 0; i < ROUNDS && !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		send_fd(s[0], outer[1], 'a'); /* outer[1] waits in s[1], s[1] in outer[1] */
		send_fd(outer[0], s[1], 'b');
		send_fd(outer[0], s[1], 'c');
		close(outer[1]);
		close_one();
		fd = recv_fd(s[1], 0, &b);
		if (fd < 0 || b != 'a') {
			__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
			break;
		}
		close(s[1]);
		outer[1] = fd;
		close_one();
		s[1] = recv_fd(outer[1], 0, &b);
		fd = recv_fd(outer[1], 0, &b);
		if (s[1] < 0 || fd < 0 || b != 'c') {
			__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
			break;
		}
		close(fd);
	}
	close(s[0]), close(s[1]), close(outer[0]), close(outer[1]);
	return NULL;
}

static void
test_threads(void)
{
	pthread_t t[6];

	for (int i = 0; i < 4; i++)
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ring[i]));
	for (long i = 0; i < 6; i++)
		must(pthread_create(&t[i], NULL, i < 4 ? hand_on : keep_alive, (void *)i));
	sleep_ms(3000);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	is_int(lost, 0, "no socket that somebody can reach is emptied");
	for (int i = 0; i < 4; i++)
		close(ring[i][0]), close(ring[i][1]);
}

static void
test_limit(void)
{
	struct rlimit r = { 64, 64 };
	int s[2], n = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (getuid() == 0 && (setgid(4322) || setuid(4322)))
			_exit(99);
		setrlimit(RLIMIT_NOFILE, &r);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
			_exit(98);
		while (n < 200 && send_fd(s[0], s[0], 'x') == 1)
			n++;
		if (errno != ETOOMANYREFS)
			_exit(97);
		close(s[1]); /* and what was under way is free again */
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || send_fd(s[0], 0, 'x') != 1)
			_exit(96);
		_exit(n);
	}
	is_exit(pid, 65, "files under way: RLIMIT_NOFILE may not be exceeded before");
}

int
main(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	test_shapes();
	test_chain();
	test_threads();
	test_limit();
	return done();
}
