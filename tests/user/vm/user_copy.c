/* SPDX-License-Identifier: MIT */
/* Kernel copies at the edge of a mapping: exact fits succeed, what runs over is short or EFAULT. */
#include "../compat.h"
#include "../probe.h"
#include <sys/uio.h>

static unsigned char *edge; /* the first byte that is not mapped */

int
main(void)
{
	unsigned char *p = anon(4, PROT_READ | PROT_WRITE);
	static char big[3 * 4096 + 100];
	struct iovec iov[2];
	struct timespec *ts;
	int fd, pp[2], *fds;
	char *s;

	scratch();
	must(munmap(p + 3 * PAGE, PAGE));
	edge = p + 3 * PAGE;
	memset(p, 'p', 3 * PAGE);
	memset(big, 'b', sizeof(big));
	put_file("f", big, sizeof(big));
	fd = must(open("f", O_RDWR));
	must(pipe(pp));

	is_int(pread(fd, edge - 100, 100, 0), 100, "read that ends at the edge");
	is_int(pread(fd, edge - 100, 101, 0), 100, "one byte more is short");
	is_int(pread(fd, p, 3 * PAGE + 100, 0), 3 * PAGE, "read of three pages and a bit");
	ok(all_bytes(p, 'b', 3 * PAGE), "the pages are filled");
	sys_err(pread(fd, edge, 1, 0), EFAULT, "read wholly behind it");
	is_int(pwrite(fd, edge - 10, 20, 0), 10, "write that runs over is short");
	sys_err(pwrite(fd, edge, 20, 0), EFAULT, "write from behind it");
	is_int(write(pp[1], edge - 5, 5), 5, "pipe write that ends at the edge");
	sys_err(write(pp[1], edge, 5), EFAULT, "pipe write from behind it");
	sys_err(read(pp[0], edge, 5), EFAULT, "pipe read behind it");
	is_int(read(pp[0], edge - 5, 5), 5, "the data is still in the pipe");
	iov[0] = (struct iovec){ edge - 3, 3 };
	iov[1] = (struct iovec){ edge, 3 };
	is_int(preadv(fd, iov, 2, 0), 3, "a vector behind the edge ends the read");
	is_int(pwritev(fd, iov, 2, 0), 3, "and the write");
	struct iovec *v = (void *)(edge - sizeof(*v));
	*v = (struct iovec){ big, 10 };
	is_int(preadv(fd, v, 1, 0), 10, "a vector array that ends at the edge");
	sys_err(preadv(fd, v, 2, 0), EFAULT, "one that runs over");

	s = (char *)edge - 2;
	memcpy(s, "f", 2);
	sys_ok(access(s, F_OK), "a path that ends at the edge");
	s = (char *)edge - 1;
	*s = 'f';
	sys_err(access(s, F_OK), EFAULT, "one without its NUL");
	for (int off = 1; off < 9; off++) {
		s = (char *)edge - off;
		memset(s, '/', off - 1);
		s[off - 1] = 0;
		if (off > 1 ? access(s, F_OK) : access(s, F_OK) != -1 || errno != ENOENT)
			ok(0, "path of %d bytes before the edge", off);
	}
	ok(1, "paths of 1 to 8 bytes before the edge");
	sys_ok(fstat(fd, (void *)(edge - sizeof(struct stat))), "stat to the edge");
	sys_err(syscall(SYS_fstat, fd, edge - sizeof(struct stat) + 8), EFAULT, "stat over it");
	ts = (void *)(edge - sizeof(*ts));
	is_int(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, ts), 0, "time to the edge");
	sys_err(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (char *)ts + 8), EFAULT,
		"time over it");
	fds = (void *)(edge - 8);
	sys_ok(syscall(SYS_pipe2, fds, 0), "pipe to the edge");
	close(fds[0]), close(fds[1]);
	int before = dup(0);
	close(before);
	sys_err(syscall(SYS_pipe2, edge - 4, 0), EFAULT, "pipe over it");
	is_int(dup(0), before, "leaves no descriptor behind");
	struct pollfd *pf = (void *)(edge - sizeof(*pf));
	*pf = (struct pollfd){ fd, POLLIN, 0 };
	is_int(poll(pf, 1, 0), 1, "poll array at the edge");
	sys_err(syscall(SYS_poll, pf, 2, 0), EFAULT, "poll array over it");
	sys_err(syscall(SYS_getcwd, edge - 2, 100), EFAULT, "getcwd over it");
	sys_err(syscall(SYS_getrandom, edge, 10, 0), EFAULT, "getrandom behind it");
	is_int(syscall(SYS_getrandom, edge - 10, 10, 0), 10, "getrandom to it");
	/* read-only memory */
	must(mprotect(p, PAGE, PROT_READ));
	sys_err(pread(fd, p, 10, 0), EFAULT, "read into read-only memory");
	is_int(pwrite(fd, p, 10, 0), 10, "write from it");
	is_int(pread(fd, p + PAGE - 10, 20, 0) == -1 && errno == EFAULT, 1,
	       "read that begins in it");
	must(mprotect(p, PAGE, PROT_WRITE));
	is_int(pread(fd, p, 10, 0), 10, "read into write-only memory");
	/* copies into a private file page and the zero page copy it first */
	unsigned char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(pwrite(fd, "FILE", 4, 0));
	int zero = must(open("/dev/zero", O_RDONLY));
	is_int(read(zero, m, 2), 2, "read into a private file page");
	ok(m[0] == 0 && m[2] == 'L', "changes the copy");
	must(pread(fd, big, 4, 0));
	is_mem(big, "FILE", 4, "not the file");
	m = anon(1, PROT_READ | PROT_WRITE);
	ok(m[0] == 0, "a page only read so far");
	is_int(pread(fd, m, 4, 0), 4, "is read into");
	is_mem(m, "FILE", 4, "and filled");
	return done();
}
