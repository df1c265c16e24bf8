/* SPDX-License-Identifier: MIT */
/* FIFOs: who waits for whom at open, reopening, unlinking, sharing. */
#include "../tap.h"

static int
child_open(int flags)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		int fd = open("p", flags);
		char c;

		if (fd < 0)
			_exit(1);
		if ((flags & O_ACCMODE) == O_WRONLY)
			_exit(write(fd, "w", 1) == 1 ? 0 : 2);
		_exit(read(fd, &c, 1) == 1 && c == 'r' ? 0 : 3);
	}
	return pid;
}

int
main(void)
{
	struct pollfd pf;
	char buf[16];
	int r, w, rw, r2;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	scratch();
	must(mkfifo("p", 0600));
	pid = child_open(O_WRONLY);
	ok(wait_state(pid, 'S'), "a writer waits for a reader");
	r = must(open("p", O_RDONLY));
	is_exit(pid, 0, "and goes on");
	is_int(read(r, buf, 10), 1, "its data is there");
	is_int(read(r, buf, 10), 0, "then end of file");
	close(r);
	pid = child_open(O_RDONLY);
	ok(wait_state(pid, 'S'), "a reader waits for a writer");
	w = must(open("p", O_WRONLY));
	must(write(w, "r", 1));
	is_exit(pid, 0, "and goes on");
	sys_err(write(w, "x", 1), EPIPE, "EPIPE when the reader has gone");
	close(w);

	r = must(open("p", O_RDONLY | O_NONBLOCK));
	is_int(read(r, buf, 10), 0, "no writer yet: end of file, not EAGAIN");
	pf = (struct pollfd){ r, POLLIN, 0 };
	is_int(poll(&pf, 1, 0), 0, "and no POLLHUP before there was one");
	sys_ok(w = open("p", O_WRONLY | O_NONBLOCK), "a writer opens without waiting");
	sys_err(read(r, buf, 10), EAGAIN, "now EAGAIN");
	must(write(w, "abc", 3));
	is_int(read(r, buf, 10), 3, "data");
	close(w);
	is_int(poll(&pf, 1, 0), 1, "the writer leaves: ready");
	is_int(pf.revents, POLLHUP, "POLLHUP");
	is_int(read(r, buf, 10), 0, "end of file");
	w = must(open("p", O_WRONLY | O_NONBLOCK));
	sys_err(read(r, buf, 10), EAGAIN, "a new writer ends the end");
	r2 = must(open("p", O_RDONLY | O_NONBLOCK));
	must(write(w, "12345678", 8));
	is_int(read(r, buf, 4), 4, "two readers share one stream");
	is_int(read(r2, buf, 8), 4, "the other gets the rest");
	close(r), close(r2);
	sys_err(write(w, "x", 1), EPIPE, "all readers gone: EPIPE");
	close(w);
	sys_err(open("p", O_WRONLY | O_NONBLOCK), ENXIO, "no reader: ENXIO");
	rw = must(open("p", O_RDWR));
	must(write(rw, "kept", 4));
	must(unlink("p"));
	is_int(read(rw, buf, 10), 4, "it works without its name");
	struct stat st;
	must(fstat(rw, &st));
	ok(S_ISFIFO(st.st_mode) && st.st_nlink == 0, "fstat");
	return done();
}
