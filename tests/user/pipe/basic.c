/* SPDX-License-Identifier: MIT */
/* Pipes: data, end of file, non-blocking, poll states, sizes, errors. */
#include "../compat.h"
#include "../tap.h"

static int
state(int fd)
{
	struct pollfd pf = { fd, POLLIN | POLLOUT, 0 };

	return poll(&pf, 1, 0) < 0 ? -1 : pf.revents;
}

int
main(void)
{
	static char buf[200000], big[200000];
	int p[2], q[2], n, total;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	sys_ok(pipe(p), "pipe");
	ok(fcntl(p[0], F_GETFD) == 0 && (fcntl(p[0], F_GETFL) & O_ACCMODE) == O_RDONLY &&
		   (fcntl(p[1], F_GETFL) & O_ACCMODE) == O_WRONLY,
	   "a reading and a writing end");
	is_int(state(p[0]), 0, "empty: not readable");
	is_int(state(p[1]), POLLOUT, "empty: writable");
	is_int(write(p[1], "hello", 5), 5, "write");
	is_int(state(p[0]), POLLIN, "readable now");
	ok(ioctl(p[0], FIONREAD, &n) == 0 && n == 5, "FIONREAD");
	is_int(read(p[0], buf, 2), 2, "a short read");
	is_int(read(p[0], buf + 2, 100), 3, "the rest");
	is_mem(buf, "hello", 5, "the data");
	sys_err(read(p[1], buf, 1), EBADF, "reading the writing end");
	sys_err(write(p[0], buf, 1), EBADF, "writing the reading end");
	sys_err(lseek(p[0], 0, SEEK_CUR), ESPIPE, "no offset");
	write(p[1], "x", 1) == 1 ? close(p[1]) : 0;
	is_int(state(p[0]), POLLIN | POLLHUP, "writer gone, data left: POLLIN and POLLHUP");
	is_int(read(p[0], buf, 10), 1, "the data can be read");
	is_int(read(p[0], buf, 10), 0, "then end of file");
	is_int(state(p[0]), POLLHUP, "POLLHUP alone");
	close(p[0]);

	must(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	ok(fcntl(p[0], F_GETFD) == FD_CLOEXEC && (fcntl(p[1], F_GETFL) & O_NONBLOCK),
	   "pipe2 flags");
	sys_err(read(p[0], buf, 1), EAGAIN, "empty: EAGAIN");
	is_int(read(p[0], buf, 0), 0, "a read of nothing never blocks");
	is_int(fcntl(p[1], F_GETPIPE_SZ), 65536, "capacity is 64 KiB");
	is_int(write(p[1], big, 65536), 65536, "it takes that much");
	sys_err(write(p[1], big, 1), EAGAIN, "full: EAGAIN");
	is_int(state(p[1]), 0, "full: not writable");
	must(read(p[0], buf, 4095));
	is_int(state(p[1]), 0, "4095 bytes read: still not writable");
	must(read(p[0], buf, 1));
	is_int(state(p[1]), POLLOUT, "a whole page read: writable");
	is_int(write(p[1], big, 10000), 4096, "a large write is partial");
	must(read(p[0], buf, 4000));
	sys_err(write(p[1], big, 4096), EAGAIN, "a write of PIPE_BUF is all or nothing");
	while (read(p[0], buf, sizeof(buf)) > 0)
		;
	for (n = 0; write(p[1], "1", 1) == 1; n++)
		;
	ok(n == 65536, "single bytes share pages");
	while (read(p[0], buf, sizeof(buf)) > 0)
		;
	is_int(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096, "F_SETPIPE_SZ to a page");
	is_int(write(p[1], big, 65536), 4096, "holds one page");
	is_int(fcntl(p[1], F_SETPIPE_SZ, 100000), 131072, "rounded up to a power of two");
	is_int(write(p[1], big, 200000), 131072 - 4096, "holds more now");
	sys_err(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY, "not below what is in it");
	sys_err(fcntl(p[1], F_SETPIPE_SZ, (1U << 31) + 1), EINVAL, "absurd size");
	close(p[0]);
	ok(state(p[1]) & POLLERR, "reader gone: POLLERR");
	sys_err(write(p[1], "x", 1), EPIPE, "EPIPE");
	close(p[1]);

	/* blocking both ways, through a child */
	must(pipe(p));
	must(pipe(q));
	for (n = 0; n < 200000; n++)
		big[n] = n * 7;
	if ((pid = fork()) == 0) {
		close(p[1]), close(q[0]);
		while ((n = read(p[0], buf, 777)) > 0)
			for (int off = 0, w; off < n; off += w)
				if ((w = write(q[1], buf + off, n - off)) <= 0)
					_exit(1);
		_exit(0);
	}
	close(p[0]), close(q[1]);
	pid_t w = fork();
	if (w == 0) {
		close(q[0]);
		_exit(write(p[1], big, 200000) == 200000 ? 0 : 1);
	}
	close(p[1]);
	for (total = 0; (n = read(q[0], buf + total, sizeof(buf) - total)) > 0;)
		total += n;
	is_int(total, 200000, "200000 bytes there and back");
	is_mem(buf, big, 200000, "unchanged");
	is_exit(w, 0, "a blocking write is whole");
	is_exit(pid, 0, "the echo saw the end");
	sys_err(syscall(SYS_pipe2, p, 0x1), EINVAL, "unknown flag");
	sys_err(syscall(SYS_pipe2, at(8), 0), EFAULT, "bad pointer");
	return done();
}
