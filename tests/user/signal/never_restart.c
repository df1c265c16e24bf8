/* SPDX-License-Identifier: MIT */
/* Calls that give EINTR even with SA_RESTART, and what they report about the time left. */
#include "../compat.h"
#include "../tap.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile int ran;
static int p[2], ep, sock[2];

static void
on(int s)
{
	(void)s;
	ran++;
}

static long
call_pause(void)
{
	return pause();
}
static long
call_poll(void)
{
	struct pollfd f = { p[0], POLLIN, 0 };
	return poll(&f, 1, 8000);
}
static long
call_ppoll(void)
{
	struct pollfd f = { p[0], POLLIN, 0 };
	struct timespec ts = { 8, 0 };

	return ppoll(&f, 1, &ts, NULL);
}
static long
call_select(void)
{
	struct timeval tv = { 8, 0 };
	fd_set r;
	long ret;

	FD_ZERO(&r);
	FD_SET(p[0], &r);
	ret = syscall(SYS_select, p[0] + 1, &r, NULL, NULL, &tv);
	if (ret == -1 && (tv.tv_sec >= 8 || tv.tv_sec < 0))
		errno = ERANGE; /* Linux writes the time left */
	return ret;
}
static long
call_pselect(void)
{
	struct timespec ts = { 8, 0 };
	fd_set r;

	FD_ZERO(&r);
	FD_SET(p[0], &r);
	return pselect(p[0] + 1, &r, NULL, NULL, &ts, NULL);
}
static long
call_epoll(void)
{
	struct epoll_event e;
	return epoll_wait(ep, &e, 1, 8000);
}
static long
call_nanosleep(void)
{
	struct timespec ts = { 8, 0 }, left = { 0, 0 };
	long r = nanosleep(&ts, &left);

	if (r == -1 && errno == EINTR && (left.tv_sec > 7 || left.tv_sec < 1))
		errno = ERANGE;
	return r;
}
static long
clock_sleep(int flags)
{
	struct timespec ts = { 8, 0 }, left = { -1, -1 };
	int r;

	if (flags) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_sec += 8;
	}
	r = clock_nanosleep(CLOCK_MONOTONIC, flags, &ts, &left);
	errno = r;
	if (r == EINTR && !flags && (left.tv_sec > 7 || left.tv_sec < 1))
		errno = ERANGE;
	if (r == EINTR && flags && left.tv_sec != -1)
		errno = ERANGE; /* an absolute sleep leaves it alone */
	return r ? -1 : 0;
}
static long
call_clock_rel(void)
{
	return clock_sleep(0);
}
static long
call_clock_abs(void)
{
	return clock_sleep(TIMER_ABSTIME);
}
static long
call_sigsuspend(void)
{
	sigset_t s;
	sigemptyset(&s);
	return sigsuspend(&s);
}
static long
call_sigtimedwait(void)
{
	struct timespec ts = { 8, 0 };
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	return syscall(SYS_rt_sigtimedwait, &s, NULL, &ts, 8);
}
static long
call_sigwaitinfo(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	return syscall(SYS_rt_sigtimedwait, &s, NULL, NULL, 8);
}
static long
call_recv_timeout(void)
{
	char c;
	return recv(sock[0], &c, 1, 0);
}
static long
call_futex_timeout(void)
{
	unsigned w = 0;
	struct timespec ts = { 3, 0 };
	long long t0 = now_ms();
	long r = kt_futex(&w, FUTEX_WAIT, 0, &ts, NULL, 0);

	/* restarted with the old deadline: a relative timeout does not start anew */
	if (r == -1 && errno == ETIMEDOUT)
		errno = now_ms() - t0 >= 3000 ? ETIMEDOUT : ERANGE;
	return r;
}

static void
check(const char *name, long (*call)(void), int want)
{
	pid_t pid;

	ran = 0;
	pid = poke(SIGUSR1, NULL);
	sys_err(call(), want, "%s", name);
	is_int(ran, 1, "%s: the handler ran", name);
	unpoke(pid);
}

int
main(void)
{
	struct timeval tv = { 8, 0 };
	struct epoll_event e = { .events = EPOLLIN };

	must(pipe(p));
	ep = must(epoll_create1(0));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	must(setsockopt(sock[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	block(SIGUSR2);
	handle(SIGUSR1, on, SA_RESTART);
	check("pause", call_pause, EINTR);
	check("poll", call_poll, EINTR);
	check("ppoll", call_ppoll, EINTR);
	check("select writes the time left", call_select, EINTR);
	check("pselect", call_pselect, EINTR);
	check("epoll_wait", call_epoll, EINTR);
	check("nanosleep tells the time left", call_nanosleep, EINTR);
	check("clock_nanosleep tells the time left", call_clock_rel, EINTR);
	check("absolute clock_nanosleep", call_clock_abs, EINTR);
	check("sigsuspend", call_sigsuspend, EINTR);
	check("sigtimedwait", call_sigtimedwait, EINTR);
	check("sigwaitinfo", call_sigwaitinfo, EINTR);
	check("recv with SO_RCVTIMEO", call_recv_timeout, EINTR);
	check("futex wait with a timeout", call_futex_timeout, EINTR);
	return done();
}
