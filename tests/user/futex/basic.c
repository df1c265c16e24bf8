/* SPDX-License-Identifier: MIT */
/* FUTEX_WAIT and FUTEX_WAKE: values, counts, timeouts, errors. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static unsigned w;
static int woken;

static void *
waiter(void *arg)
{
	*(int *)arg = kt_gettid();
	if (kt_futex(&w, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0) == 0)
		__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int
main(void)
{
	struct timespec t = { 0, 40000000 }, zero = { 0, 0 }, bad = { 0, 1000000000 },
			neg = { -1, 0 };
	pthread_t th[4];
	volatile int tid[4] = { 0 };
	long long t0;
	int i;

	sys_err(kt_futex(&w, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN, "a value that differs");
	is_int(kt_futex(&w, FUTEX_WAKE, 1, NULL, NULL, 0), 0, "wake of nobody");
	t0 = now_ms();
	sys_err(kt_futex(&w, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT, "timeout");
	ok(now_ms() - t0 >= 40, "not before its time");
	sys_err(kt_futex(&w, FUTEX_WAIT, 0, &zero, NULL, 0), ETIMEDOUT, "no time at all");
	sys_err(kt_futex(&w, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL, "bad nanoseconds");
	sys_err(kt_futex(&w, FUTEX_WAIT, 0, &neg, NULL, 0), EINVAL, "negative time");
	sys_err(kt_futex(&w, FUTEX_WAIT, 0, at(8), NULL, 0), EFAULT, "bad time pointer");
	sys_err(kt_futex((char *)&w + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL, "unaligned word");
	sys_err(kt_futex((char *)&w + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL, "unaligned wake");
	sys_err(kt_futex(at(8), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT, "word at a bad address");
	sys_err(kt_futex(at(8), FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT,
		"shared wake at a bad address");
	is_int(kt_futex(at(8), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0,
	       "private wake at a bad address");
	sys_err(kt_futex((void *)(1UL << 63), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0),
		EFAULT, "private wake outside user space");
	sys_err(kt_futex(&w, 77, 0, NULL, NULL, 0), ENOSYS, "unknown operation");
	sys_err(kt_futex(&w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS,
		"CLOCK_REALTIME with an operation that has no time");
	for (i = 0; i < 4; i++) {
		must(pthread_create(&th[i], NULL, waiter, (void *)&tid[i]) ? -1 : 0);
		while (!tid[i])
			sleep_ms(1);
		wait_state(tid[i], 'S');
	}
	is_int(kt_futex(&w, FUTEX_WAKE, 4, NULL, NULL, 0), 0,
	       "a shared wake does not reach private waiters");
	is_int(kt_futex(&w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 1, "wake one");
	pthread_join(th[0], NULL);
	is_int(woken, 1, "the first that waited");
	is_int(kt_futex(&w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2, NULL, NULL, 0), 2, "wake two");
	pthread_join(th[1], NULL);
	pthread_join(th[2], NULL);
	is_int(woken, 3, "the next two");
	is_int(kt_futex(&w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0), 1,
	       "wake all");
	pthread_join(th[3], NULL);
	is_int(woken, 4, "the last one");
	return done();
}
