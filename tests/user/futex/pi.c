/* SPDX-License-Identifier: MIT */
/* Priority-inheritance futexes by the raw operations. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static unsigned w;
static volatile int tid, state;

static long
op(int o, const struct timespec *ts)
{
	return kt_futex(&w, o, 0, ts, NULL, 0);
}

static void *
holder(void *arg)
{
	(void)arg;
	if (op(FUTEX_LOCK_PI, NULL))
		return NULL;
	tid = kt_gettid();
	state = 1;
	while (state != 2)
		sleep_ms(1);
	op(FUTEX_UNLOCK_PI, NULL);
	return (void *)1;
}

static void *
taker(void *arg)
{
	(void)arg;
	tid = kt_gettid();
	if (op(FUTEX_LOCK_PI, NULL))
		return NULL;
	return (void *)(long)(w & FUTEX_TID_MASK);
}

static void *
locker(void *arg)
{
	op(FUTEX_LOCK_PI, NULL);
	return arg;
}

int
main(void)
{
	struct timespec ts;
	pthread_t t;
	void *ret;
	int me = kt_gettid();

	is_int(op(FUTEX_LOCK_PI, NULL), 0, "LOCK_PI of a free word");
	is_int(w, me, "the word holds the owner's tid");
	sys_err(op(FUTEX_LOCK_PI, NULL), EDEADLK, "a second LOCK_PI by the owner");
	sys_err(op(FUTEX_TRYLOCK_PI, NULL), EDEADLK, "a TRYLOCK_PI by the owner");
	is_int(op(FUTEX_UNLOCK_PI, NULL), 0, "UNLOCK_PI");
	is_int(w, 0, "the word is free");
	sys_err(op(FUTEX_UNLOCK_PI, NULL), EPERM, "UNLOCK_PI of a free word");
	is_int(op(FUTEX_TRYLOCK_PI, NULL), 0, "TRYLOCK_PI");
	op(FUTEX_UNLOCK_PI, NULL);

	must(pthread_create(&t, NULL, holder, NULL) ? -1 : 0);
	while (state != 1)
		sleep_ms(1);
	sys_err(op(FUTEX_TRYLOCK_PI, NULL), EAGAIN, "TRYLOCK_PI of a held word");
	sys_err(op(FUTEX_UNLOCK_PI, NULL), EPERM, "UNLOCK_PI by another");
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 40000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_sec++, ts.tv_nsec -= 1000000000;
	sys_err(op(FUTEX_LOCK_PI, &ts), ETIMEDOUT, "LOCK_PI with an absolute real time");
	ok(now_ns(CLOCK_REALTIME) >= ts.tv_sec * 1000000000LL + ts.tv_nsec, "not before its time");
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 40000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_sec++, ts.tv_nsec -= 1000000000;
	sys_err(op(FUTEX_LOCK_PI2, &ts), ETIMEDOUT, "LOCK_PI2 uses the monotonic clock");
	ok(now_ns(CLOCK_MONOTONIC) >= ts.tv_sec * 1000000000LL + ts.tv_nsec, "not before its time");
	is_int(w & FUTEX_TID_MASK, tid, "the owner is still in the word");
	state = 2;
	is_int(op(FUTEX_LOCK_PI, NULL), 0, "LOCK_PI waits for the owner");
	is_int(w & FUTEX_TID_MASK, me, "and takes over");
	pthread_join(t, &ret);
	ok(ret != NULL, "the former owner has unlocked");

	tid = 0;
	must(pthread_create(&t, NULL, taker, NULL) ? -1 : 0);
	while (!tid)
		sleep_ms(1);
	wait_state(tid, 'S');
	ok(w & FUTEX_WAITERS, "a waiter sets FUTEX_WAITERS");
	is_int(op(FUTEX_UNLOCK_PI, NULL), 0, "UNLOCK_PI hands over");
	pthread_join(t, &ret);
	is_int((long)ret, tid, "the waiter was the owner");

	w = 0;
	must(pthread_create(&t, NULL, locker, NULL) ? -1 : 0);
	pthread_join(t, NULL);
	sys_err(op(FUTEX_LOCK_PI, NULL), ESRCH, "an owner that is gone without a robust list");
	w = 0x3ffffff;
	sys_err(op(FUTEX_LOCK_PI, NULL), ESRCH, "an owner that never was");
	sys_err(kt_futex((char *)&w + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EINVAL,
		"unaligned word");
	sys_err(kt_futex(at(8), FUTEX_LOCK_PI, 0, NULL, NULL, 0), EFAULT, "bad address");
	return done();
}
