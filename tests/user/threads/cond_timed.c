/* SPDX-License-Identifier: MIT */
/* Timed waits: conditions on both clocks, semaphores, rwlocks; shared conditions. */
#include "../tap.h"
#include <pthread.h>
#include <semaphore.h>

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	sem_t sem;
	int turn, count;
};

static struct timespec
in(clockid_t c, long ms)
{
	struct timespec ts;

	clock_gettime(c, &ts);
	ts.tv_nsec += ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static int
past(clockid_t c, struct timespec t)
{
	return now_ns(c) >= t.tv_sec * 1000000000LL + t.tv_nsec;
}

int
main(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
	pthread_cond_t real = PTHREAD_COND_INITIALIZER, mono;
	pthread_condattr_t ca;
	pthread_mutexattr_t ma;
	struct shared *s = shared_alloc(4096);
	struct timespec ts;
	sem_t sem;
	pid_t pid;
	int bad = 0;

	pthread_condattr_init(&ca);
	must(pthread_condattr_setclock(&ca, CLOCK_MONOTONIC) ? -1 : 0);
	pthread_cond_init(&mono, &ca);
	pthread_mutex_lock(&lock);
	ts = in(CLOCK_REALTIME, 40);
	is_int(pthread_cond_timedwait(&real, &lock, &ts), ETIMEDOUT,
	       "a condition on CLOCK_REALTIME times out");
	ok(past(CLOCK_REALTIME, ts), "not before its time");
	ts = in(CLOCK_MONOTONIC, 40);
	is_int(pthread_cond_timedwait(&mono, &lock, &ts), ETIMEDOUT, "on CLOCK_MONOTONIC too");
	ok(past(CLOCK_MONOTONIC, ts), "not before its time");
	ts = in(CLOCK_MONOTONIC, 0);
	is_int(pthread_cond_timedwait(&mono, &lock, &ts), ETIMEDOUT,
	       "a time in the past ends at once");
	is_int(pthread_mutex_trylock(&lock), EBUSY, "with the mutex held");
	must(sem_init(&sem, 0, 0));
	ts = in(CLOCK_REALTIME, 40);
	sys_err(sem_timedwait(&sem, &ts), ETIMEDOUT, "a semaphore times out");
	ok(past(CLOCK_REALTIME, ts), "not before its time");
	pthread_rwlock_rdlock(&rw);
	ts = in(CLOCK_REALTIME, 40);
	is_int(pthread_rwlock_timedwrlock(&rw, &ts), ETIMEDOUT,
	       "a writer behind a reader times out");
	ok(past(CLOCK_REALTIME, ts), "not before its time");

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->lock, &ma);
	pthread_cond_init(&s->cond, &ca);
	must(sem_init(&s->sem, 1, 0));
	if ((pid = fork()) == 0) {
		for (int i = 0; i < 100; i++) {
			pthread_mutex_lock(&s->lock);
			while (s->turn != 1)
				pthread_cond_wait(&s->cond, &s->lock);
			s->count++;
			s->turn = 0;
			pthread_cond_signal(&s->cond);
			pthread_mutex_unlock(&s->lock);
		}
		sem_post(&s->sem);
		_exit(0);
	}
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&s->lock);
		while (s->turn != 0)
			pthread_cond_wait(&s->cond, &s->lock);
		bad += s->count != i;
		s->turn = 1;
		pthread_cond_signal(&s->cond);
		pthread_mutex_unlock(&s->lock);
	}
	sys_ok(sem_wait(&s->sem), "a semaphore shared between processes");
	is_exit(pid, 0, "the other process ends");
	ok(bad == 0 && s->count == 100, "100 turns over a shared condition");
	return done();
}
