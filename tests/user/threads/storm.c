/* SPDX-License-Identifier: MIT */
/* Many short and many living threads; a ping-pong of two threads over pipes. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static int counter, pa[2], pb[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t gate;

static void *
hundred(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *
live(void *arg)
{
	pthread_barrier_wait(&gate);
	__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
	pthread_barrier_wait(&gate);
	return arg;
}

static void *
nothing(void *arg)
{
	return arg;
}

static void *
pong(void *arg)
{
	int v;

	(void)arg;
	for (int i = 0; i < 100; i++) {
		if (read(pa[0], &v, sizeof(v)) != sizeof(v))
			return NULL;
		v++;
		if (write(pb[1], &v, sizeof(v)) != sizeof(v))
			return NULL;
	}
	return (void *)1;
}

static int
threads_now(void)
{
	char *s = get_file("/proc/self/status");

	s = s ? strstr(s, "\nThreads:\t") : NULL;
	return s ? atoi(s + 10) : -1;
}

int
main(void)
{
	pthread_t t[100];
	pthread_attr_t attr;
	void *ret;
	int i, v, bad = 0;

	for (i = 0; i < 16; i++)
		must(pthread_create(&t[i], NULL, hundred, NULL) ? -1 : 0);
	for (i = 0; i < 16; i++)
		pthread_join(t[i], NULL);
	is_int(counter, 1600, "16 threads of 100 locked increments");

	counter = 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_barrier_init(&gate, NULL, 101);
	for (i = 0; i < 100; i++)
		must(pthread_create(&t[i], &attr, live, (void *)(long)i) ? -1 : 0);
	is_int(threads_now(), 101, "100 more threads are alive");
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	for (i = 0; i < 100; i++) {
		pthread_join(t[i], &ret);
		bad += ret != (void *)(long)i;
	}
	ok(counter == 100 && bad == 0, "all of them ran");
	for (i = 0; i < 500 && threads_now() != 1; i++)
		sleep_ms(2);
	is_int(threads_now(), 1, "and are gone");
	for (bad = i = 0; i < 1000; i++) {
		must(pthread_create(&t[0], &attr, nothing, (void *)(long)i) ? -1 : 0);
		pthread_join(t[0], &ret);
		bad += ret != (void *)(long)i;
	}
	is_int(bad, 0, "1000 threads one after another");
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	counter = 0;
	for (i = 0; i < 200; i++) {
		while (pthread_create(&t[0], &attr, hundred, NULL))
			sleep_ms(1);
	}
	for (i = 0; i < 2000; i++) {
		pthread_mutex_lock(&lock);
		v = counter;
		pthread_mutex_unlock(&lock);
		if (v == 20000)
			break;
		sleep_ms(2);
	}
	is_int(v, 20000, "200 detached threads");

	must(pipe(pa));
	must(pipe(pb));
	must(pthread_create(&t[0], NULL, pong, NULL) ? -1 : 0);
	for (bad = i = 0; i < 100; i++) {
		v = i;
		bad += write(pa[1], &v, sizeof(v)) != sizeof(v);
		bad += read(pb[0], &v, sizeof(v)) != sizeof(v) || v != i + 1;
	}
	pthread_join(t[0], &ret);
	ok(bad == 0 && ret, "100 round trips over two pipes");
	return done();
}
