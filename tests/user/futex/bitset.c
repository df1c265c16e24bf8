/* SPDX-License-Identifier: MIT */
/* FUTEX_WAIT_BITSET and WAKE_BITSET; absolute timeouts on both clocks; FUTEX_CLOCK_REALTIME. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static unsigned w;
static volatile int tid[3], got[3];

static void *
waiter(void *arg)
{
	long i = (long)arg;

	tid[i] = kt_gettid();
	if (kt_futex(&w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1u << i) == 0)
		got[i] = 1;
	return NULL;
}

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
	struct timespec ts;
	pthread_t t[3];
	long i;

	sys_err(kt_futex(&w, FUTEX_WAIT_BITSET, 1, NULL, NULL, 1), EAGAIN, "a value that differs");
	sys_err(kt_futex(&w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL,
		"wait with an empty set");
	sys_err(kt_futex(&w, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL,
		"wake with an empty set");
	ts = in(CLOCK_MONOTONIC, 40);
	sys_err(kt_futex(&w, FUTEX_WAIT_BITSET, 0, &ts, NULL, ~0u), ETIMEDOUT,
		"absolute monotonic timeout");
	ok(past(CLOCK_MONOTONIC, ts), "not before its time");
	ts = in(CLOCK_REALTIME, 40);
	sys_err(kt_futex(&w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &ts, NULL, ~0u),
		ETIMEDOUT, "absolute real-time timeout");
	ok(past(CLOCK_REALTIME, ts), "not before its time");
	ts = in(CLOCK_MONOTONIC, 0);
	sys_err(kt_futex(&w, FUTEX_WAIT_BITSET, 0, &ts, NULL, ~0u), ETIMEDOUT,
		"a time in the past");
	for (i = 0; i < 3; i++) {
		must(pthread_create(&t[i], NULL, waiter, (void *)i) ? -1 : 0);
		while (!tid[i])
			sleep_ms(1);
		wait_state(tid[i], 'S');
	}
	is_int(kt_futex(&w, FUTEX_WAKE_BITSET, 10, NULL, NULL, 8), 0, "a set that nobody has");
	is_int(kt_futex(&w, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2), 1, "the second one's bit");
	pthread_join(t[1], NULL);
	ok(!got[0] && got[1] && !got[2], "wakes just that one");
	is_int(kt_futex(&w, FUTEX_WAKE_BITSET, 1, NULL, NULL, 5), 1, "two match, one is asked for");
	pthread_join(t[0], NULL);
	ok(got[0] && !got[2], "the one that waited longer");
	is_int(kt_futex(&w, FUTEX_WAKE, 10, NULL, NULL, 0), 1, "a plain wake matches any set");
	pthread_join(t[2], NULL);
	return done();
}
