/* SPDX-License-Identifier: MIT */
/* Rows of waiting for many: poll, select and epoll with few and with many files. */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MANY 1000

static int fds[MANY];

static void
open_eventfds(int count)
{
	struct rlimit limit = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < count; i++)
		fds[i] = must(eventfd(0, EFD_NONBLOCK), "eventfd");
}

static void
close_eventfds(int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

static void
run_poll(struct bench *bench)
{
	struct pollfd entry = { must(open("/dev/null", O_RDWR), "open"), POLLIN, 0 };

	BENCH_LOOP(bench)
	poll(&entry, 1, 0);
	close(entry.fd);
}

static void
run_poll_100(struct bench *bench)
{
	struct pollfd entries[100];

	open_eventfds(100);
	for (int i = 0; i < 100; i++)
		entries[i] = (struct pollfd){ fds[i], POLLIN, 0 };
	BENCH_LOOP(bench)
	poll(entries, 100, 0);
	close_eventfds(100);
}

static void
run_select_100(struct bench *bench)
{
	struct timeval none = { 0, 0 };
	fd_set set;

	open_eventfds(100);
	BENCH_LOOP(bench)
	{
		FD_ZERO(&set);
		for (int i = 0; i < 100; i++)
			FD_SET(fds[i], &set);
		select(fds[99] + 1, &set, NULL, NULL, &none);
	}
	close_eventfds(100);
}

static int
make_epoll(int count)
{
	int epoll = must(epoll_create1(0), "epoll_create1");

	open_eventfds(count);
	for (int i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event), "epoll_ctl");
	}
	return epoll;
}

static void
run_epoll_wait(struct bench *bench)
{
	struct epoll_event event;
	int epoll = make_epoll(1);

	BENCH_LOOP(bench)
	epoll_wait(epoll, &event, 1, 0);
	close_eventfds(1);
	close(epoll);
}

/* One of 1,000 becomes ready, is found, and is emptied. */
static void
run_epoll_1000(struct bench *bench)
{
	struct epoll_event event;
	uint64_t value = 1;
	int epoll = make_epoll(MANY);

	BENCH_LOOP(bench)
	{
		must(write(fds[bench->left % MANY], &value, 8), "write");
		must(epoll_wait(epoll, &event, 1, 0), "epoll_wait");
		must(read(fds[event.data.u32], &value, 8), "read");
	}
	close_eventfds(MANY);
	close(epoll);
}

static void
run_epoll_ctl(struct bench *bench)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = make_epoll(1);
	int fd = must(eventfd(0, 0), "eventfd");

	BENCH_LOOP(bench)
	{
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
		must(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), "epoll_ctl");
	}
	close(fd);
	close_eventfds(1);
	close(epoll);
}

static void
run_timerfd_settime(struct bench *bench)
{
	struct itimerspec far = { .it_value.tv_sec = 1000 };
	int fd = must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");

	BENCH_LOOP(bench)
	must(timerfd_settime(fd, 0, &far, NULL), "timerfd_settime");
	close(fd);
}

const struct row poll_rows[] = {
	{ "poll", run_poll, 10000 },
	{ "poll_100", run_poll_100, 500 },
	{ "select_100", run_select_100, 500 },
	{ "epoll_wait", run_epoll_wait, 10000 },
	{ "epoll_1000", run_epoll_1000, 2000 },
	{ "epoll_ctl", run_epoll_ctl, 2000 },
	{ "timerfd_settime", run_timerfd_settime, 3000 },
	{ 0 },
};
