/* SPDX-License-Identifier: MIT */
/* Priority-inheriting mutexes: exclusion, ownership, timeouts, death of the owner, shared. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static pthread_mutex_t mx;
static int counter, bad;
static volatile int go;

static void *
work(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++) {
		bad += pthread_mutex_lock(&mx) != 0;
		int v = counter;

		if (i % 50 == 0)
			sched_yield();
		counter = v + 1;
		bad += pthread_mutex_unlock(&mx) != 0;
	}
	return NULL;
}

static void *
holder(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mx);
	go = 1;
	while (go != 2)
		sleep_ms(1);
	pthread_mutex_unlock(&mx);
	return NULL;
}

int
main(void)
{
	pthread_mutexattr_t a;
	struct timespec ts;
	pthread_t t[4];
	int i;

	pthread_mutexattr_init(&a);
	is_int(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT), 0,
	       "the kernel supports them");
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	must(pthread_mutex_init(&mx, &a) ? -1 : 0);
	is_int(pthread_mutex_lock(&mx), 0, "lock");
	is_int(pthread_mutex_lock(&mx), EDEADLK, "a second lock by the owner");
	is_int(pthread_mutex_unlock(&mx), 0, "unlock");
	is_int(pthread_mutex_unlock(&mx), EPERM, "unlock of a free one");
	for (i = 0; i < 4; i++)
		must(pthread_create(&t[i], NULL, work, NULL) ? -1 : 0);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ok(counter == 2000 && bad == 0, "four threads exclude each other");
	must(pthread_create(&t[0], NULL, holder, NULL) ? -1 : 0);
	while (go != 1)
		sleep_ms(1);
	is_int(pthread_mutex_trylock(&mx), EBUSY, "trylock of a held one");
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 50000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_sec++, ts.tv_nsec -= 1000000000;
	is_int(pthread_mutex_timedlock(&mx, &ts), ETIMEDOUT, "timedlock of a held one");
	ok(now_ns(CLOCK_REALTIME) >= ts.tv_sec * 1000000000LL + ts.tv_nsec, "not before its time");
	is_int(pthread_mutex_unlock(&mx), EPERM, "unlock by another thread");
	go = 2;
	is_int(pthread_mutex_lock(&mx), 0, "the owner's unlock hands it over");
	pthread_mutex_unlock(&mx);
	pthread_join(t[0], NULL);
	return done();
}
