/* SPDX-License-Identifier: MIT */
/* poll and epoll answer for every type of file; which ones epoll refuses. */
#include "../compat.h"
#include "../tap.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static int ep;

static void
is_state(int fd, short want, const char *name)
{
	struct pollfd pf = { fd, POLLIN | POLLOUT | POLLPRI | POLLERR | POLLHUP, 0 };

	is_int(poll(&pf, 1, 0), want != 0, "%s: poll", name);
	is_int(pf.revents, want, "%s: what it says", name);
}

static void
epolls(int fd, int err, const char *name)
{
	struct epoll_event e = { .events = EPOLLIN };
	long r = epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);

	if (err)
		sys_err(r, err, "%s: not for epoll", name);
	else
		sys_ok(r, "%s: epoll takes it", name);
}

int
main(void)
{
	int p[2], s[2], d[2], fd;
	sigset_t set;

	scratch();
	ep = must(epoll_create1(0));
	put_file("f", "x", 1);
	fd = must(open("f", O_RDWR));
	is_state(fd, POLLIN | POLLOUT, "a file");
	epolls(fd, EPERM, "a file");
	fd = must(open("f", O_RDONLY));
	is_state(fd, POLLIN | POLLOUT, "a read-only file");
	fd = must(open(".", O_RDONLY | O_DIRECTORY));
	is_state(fd, POLLIN | POLLOUT, "a directory");
	epolls(fd, EPERM, "a directory");
	fd = must(open("/dev/null", O_RDWR));
	is_state(fd, POLLIN | POLLOUT, "/dev/null");
	epolls(fd, EPERM, "/dev/null");
	fd = must(open("/dev/zero", O_RDWR));
	is_state(fd, POLLIN | POLLOUT, "/dev/zero");
	epolls(fd, EPERM, "/dev/zero");
	fd = must(open("/proc/version", O_RDONLY));
	is_state(fd, POLLIN | POLLOUT, "a file of /proc");
	epolls(fd, 0, "a file of /proc");
	fd = must(open("/proc/self/mounts", O_RDONLY));
	epolls(fd, 0, "/proc/self/mounts");
	fd = must(syscall(SYS_memfd_create, "m", 0));
	is_state(fd, POLLIN | POLLOUT, "a memfd");
	epolls(fd, EPERM, "a memfd");
	fd = must(open("f", O_PATH));
	is_state(fd, POLLNVAL, "an O_PATH descriptor");
	epolls(fd, EBADF, "an O_PATH descriptor");
	must(pipe(p));
	is_state(p[0], 0, "an empty pipe");
	is_state(p[1], POLLOUT, "its writing end");
	epolls(p[0], 0, "a pipe");
	must(mkfifo("p", 0600));
	fd = must(open("p", O_RDWR));
	is_state(fd, POLLOUT, "a fifo open both ways");
	epolls(fd, 0, "a fifo");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	is_state(s[0], POLLOUT, "a stream socket");
	epolls(s[0], 0, "a stream socket");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
	is_state(d[0], POLLOUT, "a datagram socket");
	fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
	is_state(fd, POLLOUT | POLLHUP, "an unconnected socket");
	epolls(fd, 0, "an unconnected socket");
	fd = must(eventfd(0, 0));
	is_state(fd, POLLOUT, "an eventfd");
	epolls(fd, 0, "an eventfd");
	fd = must(timerfd_create(CLOCK_MONOTONIC, 0));
	is_state(fd, 0, "a timerfd");
	epolls(fd, 0, "a timerfd");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = must(signalfd(-1, &set, 0));
	is_state(fd, 0, "a signalfd");
	epolls(fd, 0, "a signalfd");
	fd = must(inotify_init1(0));
	is_state(fd, 0, "an inotify descriptor");
	epolls(fd, 0, "an inotify descriptor");
	fd = must(syscall(SYS_pidfd_open, getpid(), 0));
	is_state(fd, 0, "a pidfd");
	epolls(fd, 0, "a pidfd");
	fd = must(epoll_create1(0));
	is_state(fd, 0, "an epoll descriptor");
	epolls(fd, 0, "an epoll descriptor");
	fd = must(posix_openpt(O_RDWR | O_NOCTTY));
	is_state(fd, POLLOUT, "a terminal's master");
	epolls(fd, 0, "a terminal's master");
	fd = must(open("/dev/urandom", O_RDONLY));
	is_state(fd, POLLIN | POLLOUT, "/dev/urandom");
	return done();
}
