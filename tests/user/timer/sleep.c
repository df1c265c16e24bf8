/* SPDX-License-Identifier: MIT */
/* nanosleep and clock_nanosleep: never short, absolute times, clocks, errors. */
#include "../compat.h"
#include "../tap.h"

static long
cns(clockid_t c, int flags, const void *t, void *rem)
{
	return syscall(SYS_clock_nanosleep, c, flags, t, rem);
}

int
main(void)
{
	static const struct {
		clockid_t id;
		const char *name;
	} clocks[] = {
		{ CLOCK_REALTIME, "CLOCK_REALTIME" },
		{ CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
		{ CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
	};
	static const long lengths[] = { 1, 1000, 100000, 1000000, 15000000, 60000000 };
	struct timespec t, now;
	long long t0, t1;

	for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
		t = (struct timespec){ 0, lengths[i] };
		t0 = now_ns(CLOCK_MONOTONIC);
		is_int(nanosleep(&t, NULL), 0, "sleep of %ld ns", lengths[i]);
		t1 = now_ns(CLOCK_MONOTONIC);
		ok(t1 - t0 >= lengths[i], "is not short");
	}
	t = (struct timespec){ 0, 0 };
	is_int(nanosleep(&t, NULL), 0, "sleep of nothing");
	for (unsigned i = 0; i < ARRAY_LEN(clocks); i++) {
		clock_gettime(clocks[i].id, &now);
		now.tv_nsec += 20000000;
		if (now.tv_nsec >= 1000000000)
			now.tv_sec++, now.tv_nsec -= 1000000000;
		is_int(cns(clocks[i].id, TIMER_ABSTIME, &now, NULL), 0, "%s absolute",
		       clocks[i].name);
		ok(now_ns(clocks[i].id) >= now.tv_sec * 1000000000LL + now.tv_nsec, "is not short");
		t = (struct timespec){ 0, 10000000 };
		t0 = now_ns(clocks[i].id);
		is_int(cns(clocks[i].id, 0, &t, NULL), 0, "%s relative", clocks[i].name);
		ok(now_ns(clocks[i].id) - t0 >= 10000000, "is not short");
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	is_int(cns(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL), 0,
	       "an absolute time in the past returns at once");
	t = (struct timespec){ 0, 1000000000 };
	sys_err(nanosleep(&t, NULL), EINVAL, "bad nanoseconds");
	t = (struct timespec){ 0, -1 };
	sys_err(nanosleep(&t, NULL), EINVAL, "negative nanoseconds");
	t = (struct timespec){ -1, 0 };
	sys_err(nanosleep(&t, NULL), EINVAL, "negative seconds");
	sys_err(syscall(SYS_nanosleep, at(8), NULL), EFAULT, "bad pointer");
	t = (struct timespec){ 0, 1 };
	sys_err(cns(99, 0, &t, NULL), EINVAL, "unknown clock");
	sys_err(cns(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP, "the thread's CPU clock");
	sys_err(cns(CLOCK_MONOTONIC_RAW, 0, &t, NULL), EOPNOTSUPP, "a clock without timers");
	sys_err(cns(CLOCK_MONOTONIC, 0, at(8), NULL), EFAULT, "bad pointer of clock_nanosleep");
	return done();
}
