/* SPDX-License-Identifier: MIT */
/* eventfd: counter, semaphore mode, overflow, blocking, poll. */
#include "../tap.h"
#include <sys/eventfd.h>

static int
state(int fd)
{
	struct pollfd pf = { fd, POLLIN | POLLOUT, 0 };

	poll(&pf, 1, 0);
	return pf.revents;
}

int
main(void)
{
	uint64_t v = 7, max = ~0ULL - 1;
	char small[4];
	int fd;
	pid_t pid;

	fd = must(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK), "flags");
	is_int(state(fd), POLLIN | POLLOUT, "an initial value is readable");
	is_int(read(fd, &v, 8), 8, "read");
	is_int(v, 3, "gives it");
	sys_err(read(fd, &v, 8), EAGAIN, "and resets to 0");
	is_int(state(fd), POLLOUT, "not readable");
	v = 5;
	is_int(write(fd, &v, 8), 8, "write 5");
	v = 6;
	must(write(fd, &v, 8));
	must(read(fd, &v, 8));
	is_int(v, 11, "writes add up");
	sys_err(read(fd, small, 4), EINVAL, "a short read");
	sys_err(write(fd, small, 4), EINVAL, "a short write");
	v = ~0ULL;
	sys_err(write(fd, &v, 8), EINVAL, "the all-ones value");
	is_int(write(fd, &max, 8), 8, "the largest value");
	is_int(state(fd), POLLIN, "full: not writable");
	v = 1;
	sys_err(write(fd, &v, 8), EAGAIN, "full: EAGAIN");
	v = 0;
	is_int(write(fd, &v, 8), 8, "adding 0 goes");
	must(read(fd, &v, 8));
	ok(v == max, "nothing was lost");
	close(fd);
	fd = must(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	must(read(fd, &v, 8));
	is_int(v, 1, "EFD_SEMAPHORE: a read takes 1");
	must(read(fd, &v, 8));
	sys_err(read(fd, &v, 8), EAGAIN, "twice");
	close(fd);
	fd = must(eventfd(0, 0));
	if ((pid = fork()) == 0) {
		must(read(fd, &v, 8));
		_exit(v == 42 ? 0 : 1);
	}
	wait_state(pid, 'S');
	v = 42;
	must(write(fd, &v, 8));
	is_exit(pid, 0, "a write wakes a sleeping reader");
	must(write(fd, &max, 8));
	if ((pid = fork()) == 0) {
		v = 9;
		_exit(write(fd, &v, 8) == 8 ? 0 : 1);
	}
	wait_state(pid, 'S');
	must(read(fd, &v, 8));
	is_exit(pid, 0, "a read wakes a sleeping writer");
	must(read(fd, &v, 8));
	is_int(v, 9, "whose value is there");
	sys_err(eventfd(0, 0x1000), EINVAL, "unknown flag");
	sys_err(pread(fd, &v, 8, 0), ESPIPE, "no pread");
	return done();
}
