/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Futexes under load: time-outs against wakes, requeues, PI, owners that die, unmapped words. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

#define THREADS 6
#define STEPS	400

static unsigned word, other, pi;
static int tickets, taken, bad, inside;
static pthread_mutex_t *robust;

static void *
timeouts(void *arg)
{
	for (int i = 0; i < STEPS; i++) {
		struct timespec ts = { 0, (i % 5) * 20000 };

		if ((long)arg & 1) {
			kt_futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2, NULL, NULL, 0);
		} else {
			long r = kt_futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts, NULL, 0);

			if (r && errno != ETIMEDOUT && errno != EAGAIN && errno != EINTR)
				__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

/* Waiters take tickets; a waker hands them out by requeueing; every ticket is taken. */
static void *
requeues(void *arg)
{
	if ((long)arg == 0) {
		for (int i = 0; i < STEPS; i++) {
			__atomic_fetch_add(&tickets, 1, __ATOMIC_SEQ_CST);
			unsigned v = __atomic_add_fetch(&word, 1, __ATOMIC_SEQ_CST);

			kt_futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)100L,
				 &other, v);
			kt_futex(&other, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 100, NULL, NULL, 0);
		}
		return NULL;
	}
	while (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) < STEPS) {
		unsigned v = __atomic_load_n(&word, __ATOMIC_SEQ_CST);
		int t = __atomic_load_n(&tickets, __ATOMIC_SEQ_CST);
		struct timespec ts = { 0, 5000000 };

		if (t > 0 && __atomic_compare_exchange_n(&tickets, &t, t - 1, 0, __ATOMIC_SEQ_CST,
							 __ATOMIC_SEQ_CST)) {
			__atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
			continue;
		}
		kt_futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, v, &ts, NULL, 0);
	}
	return NULL;
}

static void *
pi_lock(void *arg)
{
	unsigned me = kt_gettid();

	(void)arg;
	for (int i = 0; i < STEPS; i++) {
		unsigned zero = 0;

		if (!__atomic_compare_exchange_n(&pi, &zero, me, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST) &&
		    kt_futex(&pi, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0))
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		if (inside++ != 0 || (pi & FUTEX_TID_MASK) != me)
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
		if (i % 32 == 0)
			sched_yield();
		inside--;
		unsigned want = me;

		if (!__atomic_compare_exchange_n(&pi, &want, 0, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST) &&
		    kt_futex(&pi, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0))
			__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void
run(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	bad = 0;
	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, fn, (void *)i) ? -1 : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

int
main(void)
{
	pthread_mutexattr_t ma;
	int died = 0, st = 0;
	pid_t pid[4];

	run(timeouts);
	is_int(bad, 0, "time-outs against wakes");
	word = 0;
	run(requeues);
	ok(taken == STEPS && tickets == 0, "every ticket handed out over two words is taken");
	run(pi_lock);
	ok(bad == 0 && (pi & FUTEX_TID_MASK) == 0, "a PI lock holds one owner at a time");

	robust = shared_alloc(4096);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	must(pthread_mutex_init(robust, &ma) ? -1 : 0);
	for (int i = 0; i < 4; i++)
		if ((pid[i] = fork()) == 0) {
			for (int k = 0; k < 20; k++) {
				pid_t p = fork();

				if (p == 0) { /* lock, and die with it */
					int r = pthread_mutex_lock(robust);

					if (r == EOWNERDEAD)
						pthread_mutex_consistent(robust);
					else if (r)
						_exit(5);
					if (k % 3 == 0)
						pthread_mutex_unlock(robust);
					_exit(0);
				}
				if (reap(p))
					_exit(1);
			}
			_exit(0);
		}
	for (int i = 0; i < 4; i++)
		st |= reap(pid[i]);
	is_int(st, 0, "80 owners of a robust mutex, most of whom die with it");
	died = pthread_mutex_lock(robust);
	ok(died == 0 || died == EOWNERDEAD, "it can still be had");
	return done();
}
