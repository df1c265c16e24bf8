/* SPDX-License-Identifier: MIT */
/* futex_waitv, where the kernel has it: several words at a time. */
#include "../compat.h"
#include "../tap.h"

struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};
#define F32 2

int
main(void)
{
	unsigned *w = shared_alloc(4096);
	struct waitv v[3] = { { 0, (uintptr_t)&w[0], F32, 0 },
			      { 0, (uintptr_t)&w[1], F32, 0 },
			      { 0, (uintptr_t)&w[2], F32, 0 } };
	struct timespec ts;
	pid_t pid;
	long r = syscall(SYS_futex_waitv, v, 0, 0, NULL, CLOCK_MONOTONIC);

	if (r == -1 && errno == ENOSYS) {
		ok(1, "not built in: ENOSYS");
		return done();
	}
	sys_err(r, EINVAL, "no words");
	ok(1, "built in");
	sys_err(syscall(SYS_futex_waitv, v, 200, 0, NULL, CLOCK_MONOTONIC), EINVAL,
		"too many words");
	sys_err(syscall(SYS_futex_waitv, v, 3, 1, NULL, CLOCK_MONOTONIC), EINVAL, "a flag");
	v[1].val = 1;
	sys_err(syscall(SYS_futex_waitv, v, 3, 0, NULL, CLOCK_MONOTONIC), EAGAIN,
		"one value differs");
	v[1].val = 0;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	sys_err(syscall(SYS_futex_waitv, v, 3, 0, &ts, CLOCK_MONOTONIC), ETIMEDOUT, "timeout");
	if ((pid = fork()) == 0) {
		wait_state(getppid(), 'S');
		kt_futex(&w[2], FUTEX_WAKE, 1, NULL, NULL, 0);
		_exit(0);
	}
	is_int(syscall(SYS_futex_waitv, v, 3, 0, NULL, CLOCK_MONOTONIC), 2,
	       "the index of the woken word");
	reap(pid);
	return done();
}
