/* SPDX-License-Identifier: MIT */
/* Descriptors: dup family, fcntl, close_range, sharing of offsets and flags, limits. */
#include "../compat.h"
#include "../tap.h"

static long
close_range_(unsigned a, unsigned b, unsigned flags)
{
	return syscall(SYS_close_range, a, b, flags);
}

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

int
main(void)
{
	char buf[8];
	int fd, d, i, n, base;
	pid_t pid;

	scratch();
	put_file("f", "0123456789", 10);
	fd = must(open("f", O_RDWR));
	is_int(d = dup(fd), fd + 1, "dup gives the lowest free number");
	must(read(fd, buf, 3));
	is_int(lseek(d, 0, SEEK_CUR), 3, "the offset is shared");
	must(fcntl(d, F_SETFL, O_APPEND | O_NONBLOCK));
	is_int(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK,
	       "status flags are shared");
	must(fcntl(d, F_SETFD, FD_CLOEXEC));
	is_int(fcntl(fd, F_GETFD), 0, "close-on-exec is not");
	is_int(dup2(fd, 50), 50, "dup2");
	is_int(dup2(fd, 50), 50, "onto an open one");
	is_int(dup2(fd, fd), fd, "onto itself");
	is_int(fcntl(50, F_GETFD), 0, "dup2 clears close-on-exec");
	is_int(dup3(fd, 51, O_CLOEXEC), 51, "dup3");
	is_int(fcntl(51, F_GETFD), FD_CLOEXEC, "with O_CLOEXEC");
	sys_err(dup3(fd, fd, 0), EINVAL, "dup3 onto itself");
	sys_err(syscall(SYS_dup3, fd, 52, O_APPEND), EINVAL, "dup3 unknown flag");
	sys_err(dup(999), EBADF, "dup of a bad one");
	sys_err(dup2(999, 50), EBADF, "dup2 of a bad one");
	ok(is_open(50), "leaves the target open");
	sys_err(dup2(999, 999), EBADF, "dup2 of a bad one onto itself");
	sys_err(dup2(fd, -1), EBADF, "dup2 to -1");
	sys_err(syscall(SYS_dup2, fd, 1 << 30), EBADF, "dup2 beyond the limit");
	is_int(fcntl(fd, F_DUPFD, 60), 60, "F_DUPFD");
	is_int(fcntl(fd, F_DUPFD, 60), 61, "the next free one");
	is_int(fcntl(fd, F_DUPFD_CLOEXEC, 60), 62, "F_DUPFD_CLOEXEC");
	is_int(fcntl(62, F_GETFD), FD_CLOEXEC, "sets it");
	sys_err(fcntl(fd, F_DUPFD, -1), EINVAL, "F_DUPFD below 0");
	sys_err(fcntl(fd, F_DUPFD, 1 << 30), EINVAL, "F_DUPFD beyond the limit");
	sys_err(fcntl(fd, 7777), EINVAL, "unknown command");
	sys_err(fcntl(999, F_GETFD), EBADF, "of a bad descriptor");
	sys_err(close(999), EBADF, "close of a bad one");
	sys_ok(close(50), "close");
	sys_err(close(50), EBADF, "twice");
	is_int(fcntl(fd, F_SETFL, O_RDONLY | O_CREAT | O_TRUNC), 0,
	       "F_SETFL ignores what cannot change");
	is_int(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR, "indeed");
	is_int(ioctl(fd, FIOCLEX), 0, "FIOCLEX");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "sets close-on-exec");
	is_int(ioctl(fd, FIONCLEX), 0, "FIONCLEX");
	is_int(fcntl(fd, F_GETFD), 0, "clears it");
	i = 1;
	is_int(ioctl(fd, FIONBIO, &i), 0, "FIONBIO");
	is_int(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK, "sets O_NONBLOCK");
	is_int(ioctl(fd, FIONREAD, &n) == 0 ? n : -1, 10 - 3, "FIONREAD of a file: what is left");
	sys_err(ioctl(fd, 0x12345678, &n), ENOTTY, "unknown ioctl");
	sys_err(ioctl(999, FIONBIO, &i), EBADF, "ioctl of a bad descriptor");

	for (i = 70; i < 80; i++)
		must(dup2(fd, i));
	sys_ok(close_range_(72, 74, 0), "close_range");
	ok(is_open(71) && !is_open(72) && !is_open(73) && !is_open(74) && is_open(75),
	   "closes just those");
	sys_ok(close_range_(72, 74, 0), "of nothing");
	sys_ok(close_range_(75, 76, CLOSE_RANGE_CLOEXEC), "CLOSE_RANGE_CLOEXEC");
	ok(is_open(75) && fcntl(75, F_GETFD) == FD_CLOEXEC && fcntl(77, F_GETFD) == 0,
	   "marks them");
	if ((pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0)) == 0) {
		if (close_range_(70, ~0U, CLOSE_RANGE_UNSHARE) || is_open(78))
			_exit(1);
		_exit(0);
	}
	is_exit(pid, 0, "CLOSE_RANGE_UNSHARE in a child that shares the table");
	ok(is_open(78), "leaves the parent's alone");
	sys_ok(close_range_(70, ~0U, 0), "to the end");
	ok(!is_open(70) && !is_open(79), "closes all");
	sys_err(close_range_(80, 79, 0), EINVAL, "a range backwards");
	sys_err(close_range_(80, 90, 0x80), EINVAL, "unknown flag");
	if ((pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0)) == 0)
		_exit(unshare(CLONE_FILES) || close(fd) ? 1 : 0);
	is_exit(pid, 0, "unshare(CLONE_FILES)");
	ok(is_open(fd), "gives a table of its own");

	/* many */
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	base = rl.rlim_max > 3000 ? 3000 : (int)rl.rlim_max;
	rl.rlim_cur = base;
	must(setrlimit(RLIMIT_NOFILE, &rl));
	for (n = 0; (i = dup(fd)) >= 0; n++)
		d = i;
	ok(errno == EMFILE && d == base - 1, "EMFILE at the limit, after all numbers are used");
	must(close(1000));
	is_int(dup(fd), 1000, "a hole is found again");
	sys_err(open("f", O_RDONLY), EMFILE, "open: EMFILE");
	sys_err(pipe((int *)buf), EMFILE, "pipe: EMFILE");
	must(close(2000));
	sys_err(pipe((int *)buf), EMFILE, "pipe with room for one: EMFILE");
	is_int(dup(fd), 2000, "which leaves that one free");
	must(close_range_(70, ~0U, 0));
	return done();
}
