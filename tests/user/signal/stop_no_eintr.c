/* SPDX-License-Identifier: MIT */
/* Stop and continue without a handler: sleeping calls go on as if nothing had happened. */
#include "../compat.h"
#include "../tap.h"
#include <sys/select.h>

static void
run(int which)
{
	struct timespec ts = { 0, 400000000 }, abs;
	struct timeval tv = { 0, 400000 };
	struct pollfd none = { .fd = -1 };
	long long t0 = now_ms(), took;
	unsigned w = 0;
	long r = -1;
	int want = 0;

	switch (which) {
	case 0: r = nanosleep(&ts, NULL); break;
	case 1: r = poll(&none, 1, 400); break;
	case 2:
		r = kt_futex(&w, FUTEX_WAIT, 0, &ts, NULL, 0);
		want = ETIMEDOUT;
		break;
	case 3:
		clock_gettime(CLOCK_MONOTONIC, &abs);
		abs.tv_nsec += 400000000;
		if (abs.tv_nsec >= 1000000000) {
			abs.tv_nsec -= 1000000000;
			abs.tv_sec++;
		}
		r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &abs, NULL);
		break;
	case 4: r = select(0, NULL, NULL, NULL, &tv); break;
	case 5: r = syscall(SYS_ppoll, &none, 1, &ts, NULL, 8); break;
	}
	took = now_ms() - t0;
	if (want ? !(r == -1 && errno == want) : r != 0)
		_exit(1);
	_exit(took >= 399 ? 0 : 2);
}

int
main(void)
{
	static const char *const names[] = { "nanosleep",  "poll",
					     "futex wait", "absolute clock_nanosleep",
					     "select",	   "ppoll" };

	for (int i = 0; i < (int)ARRAY_LEN(names); i++) {
		pid_t pid = fork();

		if (pid == 0)
			run(i);
		for (int k = 0; k < 3; k++) {
			wait_state(pid, 'S');
			kill(pid, SIGSTOP);
			wait_state(pid, 'T');
			kill(pid, SIGCONT);
		}
		is_exit(pid, 0, "%s goes on for its whole time", names[i]);
	}
	return done();
}
