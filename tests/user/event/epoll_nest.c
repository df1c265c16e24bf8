/* SPDX-License-Identifier: MIT */
/*
 * What epoll sets that watch epoll sets may cost: few ways up from one, walks that do not multiply,
 * and changes of a set while others look through it.
 */
#include "../tap.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define WIDTH 60

static int
set_new(void)
{
	return must(epoll_create1(EPOLL_CLOEXEC));
}

static int
watch(int set, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

/* Sets in levels, each watching all of the level below: the ways multiply until they are refused.
 */
static void
test_ways(void)
{
	int sets[4][WIDTH], word = must(eventfd(0, EFD_NONBLOCK)), refused = 0, other = 0;
	struct epoll_event ev;
	uint64_t one = 1;

	for (int level = 0; level < 4; level++)
		for (int i = 0; i < WIDTH; i++)
			sets[level][i] = set_new();
	for (int i = 0; i < WIDTH; i++)
		must(watch(sets[0][i], word));
	for (int level = 1; level < 4; level++) {
		for (int i = 0; i < WIDTH; i++) {
			for (int j = 0; j < WIDTH; j++) {
				if (watch(sets[level][i], sets[level - 1][j]) == 0)
					continue;
				if (errno == EINVAL)
					refused++;
				else
					other++;
			}
		}
	}
	ok(refused > 0, "too many ways up are refused with EINVAL");
	is_int(other, 0, "and with nothing else");
	must(write(word, &one, sizeof(one)));
	is_int(epoll_wait(sets[1][0], &ev, 1, 1000), 1, "an event goes up the ways that are there");
	for (int level = 0; level < 4; level++)
		for (int i = 0; i < WIDTH; i++)
			close(sets[level][i]);
	close(word);
}

static int busy, spare;
static volatile int stop;

static void *
change(void *arg TAP_UNUSED)
{
	while (!stop) {
		watch(busy, spare);
		epoll_ctl(busy, EPOLL_CTL_DEL, spare, NULL);
	}
	return NULL;
}

/* Adding a set looks through what is below, where items come and go. */
static void
test_changes(void)
{
	pthread_t t;
	int bad = 0, words[16];

	busy = set_new();
	spare = must(eventfd(0, 0));
	for (int i = 0; i < 16; i++)
		must(watch(busy, words[i] = must(eventfd(0, 0))));
	pthread_create(&t, NULL, change, NULL);
	for (int i = 0; i < 500; i++) {
		int up = set_new();

		bad += watch(up, busy) != 0;
		close(up);
	}
	stop = 1;
	pthread_join(t, NULL);
	is_int(bad, 0, "a set can be watched while it changes");
}

static void
test_cycle(void)
{
	int a = set_new(), b = set_new(), c = set_new();

	must(watch(a, b));
	must(watch(b, c));
	sys_err(watch(c, a), ELOOP, "a cycle of three");
	sys_err(watch(b, a), ELOOP, "a cycle of two");
	sys_ok(watch(a, c), "two ways to one set");
}

int
main(void)
{
	struct rlimit files = { 1024, 1024 };

	setrlimit(RLIMIT_NOFILE, &files);
	test_ways();
	test_changes();
	test_cycle();
	return done();
}
