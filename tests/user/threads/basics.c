/* SPDX-License-Identifier: MIT */
/* Threads: identity, shared memory, return values, TLS, mutexes, conditions, barriers, keys. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <semaphore.h>

#define N 4

static volatile int shared, flag;
static int counter, atomic_counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static __thread int tls = 7;
static pthread_barrier_t barrier;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t sem;
static int tids[N], pids[N], serial, destroyed, once_ran, bad;

static void *
identity(void *arg)
{
	long i = (long)arg;

	tids[i] = kt_gettid();
	pids[i] = getpid();
	shared = 5;
	pthread_barrier_wait(&barrier);
	return (void *)(i + 100);
}

static void *
count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		__atomic_fetch_add(&atomic_counter, 1, __ATOMIC_SEQ_CST);
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *
use_tls(void *arg)
{
	int first = tls;

	tls = (int)(long)arg;
	pthread_barrier_wait(&barrier);
	return (void *)(long)(first == 7 && tls == (int)(long)arg);
}

static void *
signaller(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	flag = 1;
	pthread_cond_signal(&cond);
	while (flag != 2)
		pthread_cond_wait(&cond, &lock);
	flag = 3;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *
sleeper(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	counter++;
	pthread_cond_broadcast(&cond);
	while (flag != 9)
		pthread_cond_wait(&cond, &lock);
	counter--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void
run_once(void)
{
	once_ran++;
}

static void *
rounds(void *arg)
{
	(void)arg;
	pthread_once(&once, run_once);
	for (int i = 0; i < 50; i++) {
		int r = pthread_barrier_wait(&barrier);

		if (r == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED);
		else if (r)
			bad++;
	}
	return NULL;
}

static void *
reader_writer(void *arg)
{
	for (int i = 0; i < 200; i++) {
		if ((long)arg & 1) {
			pthread_rwlock_wrlock(&rw);
			int v = ++counter;

			sched_yield();
			if (counter != v)
				bad++;
			pthread_rwlock_unlock(&rw);
		} else {
			pthread_rwlock_rdlock(&rw);
			int v = counter;

			sched_yield();
			if (counter != v)
				bad++;
			pthread_rwlock_unlock(&rw);
		}
	}
	return NULL;
}

static void
destroy(void *p)
{
	__atomic_fetch_add(&destroyed, (int)(long)p, __ATOMIC_RELAXED);
}

static void *
keyed(void *arg)
{
	if (pthread_getspecific(key) != NULL)
		bad++;
	pthread_setspecific(key, arg);
	sem_post(&sem);
	return (void *)(long)(pthread_getspecific(key) == arg);
}

static int
all(void *(*fn)(void *), void *ret[N])
{
	pthread_t t[N];
	int i;

	for (i = 0; i < N; i++)
		must(pthread_create(&t[i], NULL, fn, (void *)(long)i) ? -1 : 0);
	for (i = 0; i < N; i++)
		must(pthread_join(t[i], ret ? &ret[i] : NULL) ? -1 : 0);
	return 0;
}

int
main(void)
{
	void *ret[N];
	pthread_t t;
	int i, k, same = 0;

	pthread_barrier_init(&barrier, NULL, N);
	all(identity, ret);
	is_int(shared, 5, "a thread's store is seen after join");
	ok(ret[0] == (void *)100 && ret[3] == (void *)103, "return values arrive");
	for (i = 0; i < N; i++)
		for (k = 0; k < N; k++)
			same += i != k && tids[i] == tids[k];
	ok(same == 0 && tids[0] != kt_gettid(), "thread ids are unique");
	ok(pids[0] == getpid() && pids[3] == getpid(), "getpid is the same in all");
	is_int(kt_gettid(), getpid(), "the first thread's id is the pid");
	all(count, NULL);
	is_int(atomic_counter, 4000, "atomic increments are exact");
	is_int(counter, 4000, "increments under a mutex are exact");
	all(use_tls, ret);
	ok(ret[0] && ret[1] && ret[2] && ret[3], "thread-local storage is per thread");
	is_int(tls, 7, "the first thread's is untouched");

	must(pthread_create(&t, NULL, signaller, NULL) ? -1 : 0);
	pthread_mutex_lock(&lock);
	while (flag != 1)
		pthread_cond_wait(&cond, &lock);
	flag = 2;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
	pthread_join(t, NULL);
	is_int(flag, 3, "condition variables signal both ways");

	pthread_t w[N];
	counter = 0;
	for (i = 0; i < N; i++)
		pthread_create(&w[i], NULL, sleeper, NULL);
	pthread_mutex_lock(&lock);
	while (counter != N)
		pthread_cond_wait(&cond, &lock);
	flag = 9;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < N; i++)
		pthread_join(w[i], NULL);
	is_int(counter, 0, "a broadcast wakes all");

	all(rounds, NULL);
	ok(serial == 50 && bad == 0, "50 rounds of a barrier, one serial thread each");
	is_int(once_ran, 1, "pthread_once runs once");
	counter = 0;
	all(reader_writer, NULL);
	ok(bad == 0 && counter == 400, "readers and writers exclude each other");
	must(sem_init(&sem, 0, 0));
	must(pthread_key_create(&key, destroy) ? -1 : 0);
	all(keyed, ret);
	ok(ret[1] && ret[2] && ret[3] && bad == 0, "keys are per thread");
	is_int(destroyed, 0 + 1 + 2 + 3, "key destructors run with the value");
	for (i = 0; i < N; i++)
		must(sem_wait(&sem));
	sys_err(sem_trywait(&sem), EAGAIN, "a semaphore counts");
	return done();
}
