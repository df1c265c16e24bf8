/* SPDX-License-Identifier: MIT */
/* epoll: level and edge, one-shot, exclusive, nested, duplicates, close, errors. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int ep;

static int
ctl(int op, int fd, unsigned events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, op, fd, &e);
}

/* The number of events; *events and *data are those of the first. */
static int
wait_(int ms, unsigned *events, uint64_t *data)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, ms);

	if (n > 0 && events)
		*events = e[0].events;
	if (n > 0 && data)
		*data = e[0].data.u64;
	return n;
}

static void
put(int fd, const char *s)
{
	must(write(fd, s, strlen(s)));
}

static void
drain(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static int woken, efd;

static void *
exclusive(void *arg)
{
	struct epoll_event e = { .events = EPOLLIN | KT_EPOLLEXCLUSIVE };
	int own = epoll_create1(0);

	if (epoll_ctl(own, EPOLL_CTL_ADD, efd, &e))
		return NULL;
	*(int *)arg = kt_gettid();
	if (epoll_wait(own, &e, 1, 3000) == 1)
		__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	close(own);
	return NULL;
}

int
main(void)
{
	struct epoll_event e[8];
	int p[2], q[2], s[2], ep2, ep3, d, i;
	unsigned ev = 0;
	uint64_t data = 0, one = 1;
	pthread_t t[3];
	volatile int tid[3] = { 0 };
	sigset_t none;

	ep = must(epoll_create1(EPOLL_CLOEXEC));
	is_int(fcntl(ep, F_GETFD), FD_CLOEXEC, "EPOLL_CLOEXEC");
	must(pipe2(p, O_NONBLOCK));
	must(pipe2(q, O_NONBLOCK));
	sys_ok(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 0x123456789abcdef0), "add");
	is_int(wait_(0, NULL, NULL), 0, "not ready");
	put(p[1], "ab");
	is_int(wait_(1000, &ev, &data), 1, "ready");
	ok(ev == EPOLLIN && data == 0x123456789abcdef0, "events and data");
	is_int(wait_(0, NULL, NULL), 1, "level: again");
	drain(p[0]);
	is_int(wait_(0, NULL, NULL), 0, "until drained");
	sys_ok(ctl(EPOLL_CTL_ADD, q[1], EPOLLOUT, 2), "a writable end");
	is_int(wait_(0, &ev, &data), 1, "is ready at once");
	ok(ev == EPOLLOUT && data == 2, "EPOLLOUT");
	put(p[1], "x");
	is_int(wait_(0, NULL, NULL), 2, "two ready");
	is_int(epoll_wait(ep, e, 1, 0), 1, "one at a time");
	i = e[0].data.u64 == 2;
	epoll_wait(ep, e, 1, 0);
	ok(i != (e[0].data.u64 == 2), "in turn");
	sys_ok(ctl(EPOLL_CTL_MOD, q[1], 0, 2), "modify to nothing");
	is_int(wait_(0, &ev, NULL), 1, "only the other is left");
	sys_ok(ctl(EPOLL_CTL_DEL, q[1], 0, 0), "delete");
	drain(p[0]);

	/* edge-triggered */
	sys_ok(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3), "edge-triggered");
	put(p[1], "abc");
	is_int(wait_(0, NULL, NULL), 1, "one event for new data");
	is_int(wait_(0, NULL, NULL), 0, "not again without more");
	put(p[1], "d");
	is_int(wait_(0, NULL, NULL), 1, "more data: another event, though not drained");
	char c;
	must(read(p[0], &c, 1));
	is_int(wait_(0, NULL, NULL), 0, "a partial read makes none");
	sys_ok(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3), "modify");
	is_int(wait_(0, NULL, NULL), 1, "arms it anew: an event for what is there");
	drain(p[0]);

	/* one-shot */
	sys_ok(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4), "one-shot");
	put(p[1], "x");
	is_int(wait_(0, NULL, NULL), 1, "fires");
	put(p[1], "y");
	is_int(wait_(0, NULL, NULL), 0, "once");
	sys_ok(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4), "modify re-arms");
	is_int(wait_(0, NULL, NULL), 1, "fires again");
	drain(p[0]);
	must(ctl(EPOLL_CTL_MOD, p[0], EPOLLIN, 5));

	/* hang-up and error without being asked for */
	must(ctl(EPOLL_CTL_MOD, p[0], 0, 5));
	close(p[1]);
	is_int(wait_(1000, &ev, NULL), 1, "EPOLLHUP comes unasked");
	is_int(ev, EPOLLHUP, "alone");
	close(p[0]);
	is_int(wait_(0, NULL, NULL), 0, "closing removes it");
	must(ctl(EPOLL_CTL_ADD, q[1], 0, 6));
	close(q[0]);
	is_int(wait_(1000, &ev, NULL), 1, "reader gone");
	is_int(ev, EPOLLERR, "EPOLLERR");
	must(ctl(EPOLL_CTL_DEL, q[1], 0, 0));

	/* a duplicate keeps the registration alive */
	must(pipe2(p, O_NONBLOCK));
	d = must(dup(p[0]));
	must(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 7));
	must(ctl(EPOLL_CTL_ADD, d, EPOLLIN, 8));
	put(p[1], "x");
	is_int(wait_(0, NULL, NULL), 2, "a duplicate is registered of its own");
	close(p[0]);
	is_int(wait_(0, NULL, NULL), 2, "the first stays while the file is open");
	close(d);
	is_int(wait_(0, NULL, NULL), 0, "all gone with the last descriptor");
	close(p[1]);

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(ctl(EPOLL_CTL_ADD, s[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 9));
	is_int(wait_(0, &ev, NULL), 1, "a socket");
	is_int(ev, EPOLLOUT, "writable");
	put(s[1], "hi");
	is_int(wait_(1000, &ev, NULL), 1, "edge: data");
	is_int(ev, EPOLLIN | EPOLLOUT, "tells all that holds");
	shutdown(s[1], SHUT_WR);
	is_int(wait_(1000, &ev, NULL), 1, "edge: shutdown");
	is_int(ev, EPOLLIN | EPOLLOUT | EPOLLRDHUP, "EPOLLRDHUP");
	close(s[1]);
	is_int(wait_(1000, &ev, NULL), 1, "edge: close");
	is_int(ev & EPOLLHUP, EPOLLHUP, "EPOLLHUP");
	close(s[0]);

	/* nested */
	ep2 = must(epoll_create1(0));
	efd = must(eventfd(0, EFD_NONBLOCK));
	e[0] = (struct epoll_event){ .events = EPOLLIN };
	must(epoll_ctl(ep2, EPOLL_CTL_ADD, efd, e));
	sys_ok(ctl(EPOLL_CTL_ADD, ep2, EPOLLIN, 10), "an epoll inside an epoll");
	is_int(wait_(0, NULL, NULL), 0, "not ready");
	must(write(efd, &one, 8));
	is_int(wait_(1000, &ev, &data), 1, "ready through two levels");
	ok(ev == EPOLLIN && data == 10, "EPOLLIN");
	struct pollfd pf = { ep, POLLIN, 0 };
	is_int(poll(&pf, 1, 0), 1, "poll of an epoll");
	drain(efd);
	is_int(wait_(0, NULL, NULL), 0, "not ready again");
	e[0] = (struct epoll_event){ .events = EPOLLIN };
	sys_err(epoll_ctl(ep2, EPOLL_CTL_ADD, ep, e), ELOOP, "a loop");
	sys_err(epoll_ctl(ep, EPOLL_CTL_ADD, ep, e), EINVAL, "itself");
	ep3 = ep2;
	for (i = 0; i < 10; i++) {
		d = must(epoll_create1(0));
		if (epoll_ctl(d, EPOLL_CTL_ADD, ep3, e))
			break;
		ep3 = d;
	}
	ok(i < 10 && (errno == EINVAL || errno == ELOOP), "too many levels");
	must(ctl(EPOLL_CTL_DEL, ep2, 0, 0));

	/* exclusive wake-ups */
	efd = must(eventfd(0, 0));
	for (i = 0; i < 3; i++) {
		must(pthread_create(&t[i], NULL, exclusive, (void *)&tid[i]) ? -1 : 0);
		while (!tid[i])
			sleep_ms(1);
		wait_state(tid[i], 'S');
	}
	must(write(efd, &one, 8));
	for (i = 0; i < 1000 && !__atomic_load_n(&woken, __ATOMIC_SEQ_CST); i++)
		sleep_ms(2);
	sleep_ms(50);
	ok(woken >= 1 && woken < 3, "EPOLLEXCLUSIVE wakes some, not all");
	for (i = 0; i < 3; i++)
		must(write(efd, &one, 8));
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	is_int(woken, 3, "each gets its turn");
	sys_err(ctl(EPOLL_CTL_ADD, efd, EPOLLIN | EPOLLONESHOT | KT_EPOLLEXCLUSIVE, 0), EINVAL,
		"EXCLUSIVE with ONESHOT");
	must(ctl(EPOLL_CTL_ADD, efd, EPOLLIN | KT_EPOLLEXCLUSIVE, 0));
	sys_err(ctl(EPOLL_CTL_MOD, efd, EPOLLIN, 0), EINVAL, "modifying an exclusive one");
	must(ctl(EPOLL_CTL_DEL, efd, 0, 0));

	/* signals and time */
	sigemptyset(&none);
	long long t0 = now_ms();
	is_int(wait_(30, NULL, NULL), 0, "timeout");
	ok(now_ms() - t0 >= 30, "not before its time");
	is_int(syscall(SYS_epoll_pwait, ep, e, 8, 0, &none, 8), 0, "epoll_pwait");
	struct timespec ts = { 0, 20000000 };
	t0 = now_ms();
	is_int(syscall(SYS_epoll_pwait2, ep, e, 8, &ts, NULL, 8), 0, "epoll_pwait2");
	ok(now_ms() - t0 >= 20, "not before its time");

	sys_err(ctl(EPOLL_CTL_ADD, 999, EPOLLIN, 0), EBADF, "bad descriptor");
	must(ctl(EPOLL_CTL_ADD, efd, EPOLLIN, 0));
	sys_err(ctl(EPOLL_CTL_ADD, efd, EPOLLIN, 0), EEXIST, "twice");
	must(ctl(EPOLL_CTL_DEL, efd, 0, 0));
	sys_err(ctl(EPOLL_CTL_DEL, efd, 0, 0), ENOENT, "delete of what is not in it");
	sys_err(ctl(EPOLL_CTL_MOD, efd, 0, 0), ENOENT, "modify of what is not in it");
	sys_err(ctl(99, efd, 0, 0), EINVAL, "unknown operation");
	scratch();
	d = must(open("f", O_CREAT | O_RDWR, 0600));
	sys_err(ctl(EPOLL_CTL_ADD, d, EPOLLIN, 0), EPERM, "a regular file");
	sys_err(epoll_wait(d, e, 8, 0), EINVAL, "wait on a file");
	sys_err(epoll_wait(999, e, 8, 0), EBADF, "wait on a bad descriptor");
	sys_err(epoll_wait(ep, e, 0, 0), EINVAL, "no room for events");
	sys_err(syscall(SYS_epoll_wait, ep, e, -1, 0), EINVAL, "negative room");
	sys_err(epoll_ctl(ep, EPOLL_CTL_ADD, efd, at(8)), EFAULT, "bad event pointer");
	sys_err(epoll_create1(0x1), EINVAL, "unknown flag");
	sys_err(syscall(SYS_epoll_create, 0), EINVAL, "size 0");
	return done();
}
