/* SPDX-License-Identifier: MIT */
/* epoll under load: threads add, wait, drain and close at the same time; no event is lost. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define FDS    16
#define ROUNDS 500

static int ep, fds[FDS];
static long received, sent;
static volatile int stop;

static void *
waiter(void *arg)
{
	struct epoll_event e[4];
	uint64_t v;

	(void)arg;
	while (!stop) {
		int n = epoll_wait(ep, e, 4, 20);

		for (int i = 0; i < n; i++)
			if (read(fds[e[i].data.u32], &v, 8) == 8)
				__atomic_fetch_add(&received, (long)v, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *
sender(void *arg)
{
	uint64_t one = 1;

	for (int i = 0; i < ROUNDS; i++) {
		if (write(fds[(i * 7 + (long)arg) % FDS], &one, 8) == 8)
			__atomic_fetch_add(&sent, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *
churn(void *arg)
{
	struct epoll_event e = { .events = EPOLLIN };

	(void)arg;
	while (!stop) {
		int fd = eventfd(1, EFD_NONBLOCK);

		e.data.u32 = 0;
		if (fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e))
			return (void *)1;
		close(fd);
	}
	return NULL;
}

int
main(void)
{
	pthread_t w[2], s[2], c;
	struct epoll_event e;
	void *ret;

	ep = must(epoll_create1(0));
	for (int i = 0; i < FDS; i++) {
		fds[i] = must(eventfd(0, EFD_NONBLOCK));
		e.events = EPOLLIN | (i % 2 ? EPOLLET : 0);
		e.data.u32 = i;
		must(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e));
	}
	for (long i = 0; i < 2; i++) {
		must(pthread_create(&w[i], NULL, waiter, NULL) ? -1 : 0);
		must(pthread_create(&s[i], NULL, sender, (void *)i) ? -1 : 0);
	}
	must(pthread_create(&c, NULL, churn, NULL) ? -1 : 0);
	for (int i = 0; i < 2; i++)
		pthread_join(s[i], NULL);
	for (int i = 0; i < 2000 && __atomic_load_n(&received, __ATOMIC_RELAXED) < sent; i++)
		sleep_ms(2);
	stop = 1;
	pthread_join(w[0], NULL);
	pthread_join(w[1], NULL);
	pthread_join(c, &ret);
	is_int(sent, 2 * ROUNDS, "all were sent");
	is_int(received, sent, "all were received");
	ok(ret == NULL, "adding and closing meanwhile goes well");
	return done();
}
