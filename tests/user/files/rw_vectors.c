/* SPDX-License-Identifier: MIT */
/* read, write, their p and v forms, preadv2 and pwritev2 flags, and the limits. */
#include "../compat.h"
#include "../tap.h"
#include <sys/uio.h>

int
main(void)
{
	static struct iovec many[1025];
	struct iovec w[3] = { { "abc", 3 }, { "", 0 }, { "defgh", 5 } }, r[2], big[2];
	static char buf[64]; /* far below the top of user space */
	char a[8], b[8];
	int fd, p[2], i;

	scratch();
	fd = must(open("f", O_RDWR | O_CREAT, 0600));
	is_int(writev(fd, w, 3), 8, "writev");
	is_str(get_file("f"), "abcdefgh", "in order");
	must(lseek(fd, 0, SEEK_SET));
	r[0] = (struct iovec){ a, 5 };
	r[1] = (struct iovec){ b, 8 };
	is_int(readv(fd, r, 2), 8, "readv is short at the end of the file");
	ok(memcmp(a, "abcde", 5) == 0 && memcmp(b, "fgh", 3) == 0, "split over the buffers");
	is_int(readv(fd, r, 2), 0, "then end of file");
	is_int(lseek(fd, 0, SEEK_CUR), 8, "the offset moved");
	is_int(pread(fd, buf, 3, 2), 3, "pread");
	is_mem(buf, "cde", 3, "at its offset");
	is_int(pwrite(fd, "XY", 2, 1), 2, "pwrite");
	is_str(get_file("f"), "aXYdefgh", "at its offset");
	is_int(lseek(fd, 0, SEEK_CUR), 8, "neither moves the file's");
	is_int(preadv(fd, r, 2, 4), 4, "preadv");
	is_mem(a, "efgh", 4, "at its offset");
	is_int(pwritev(fd, w, 3, 20), 8, "pwritev behind the end");
	is_int(pread(fd, buf, 30, 0), 28, "extends the file");
	ok(memcmp(buf + 8, "\0\0\0\0\0\0\0\0\0\0\0\0abc", 15) == 0, "with zeros between");
	is_int(pread(fd, buf, 10, 100), 0, "pread behind the end");
	is_int(read(fd, buf, 0), 0, "a read of nothing");
	is_int(write(fd, buf, 0), 0, "a write of nothing");

	must(lseek(fd, 2, SEEK_SET));
	is_int(syscall(SYS_preadv2, fd, r, 1, -1L, 0L, 0), 5, "preadv2 with offset -1");
	is_int(lseek(fd, 0, SEEK_CUR), 7, "uses and moves the file's");
	is_int(syscall(SYS_pwritev2, fd, w, 1, 0L, 0L, RWF_APPEND), 3, "pwritev2 RWF_APPEND");
	is_int(lseek(fd, 0, SEEK_END), 31, "goes to the end");
	is_int(syscall(SYS_pwritev2, fd, w, 1, 0L, 0L, RWF_DSYNC), 3, "RWF_DSYNC");
	sys_err(syscall(SYS_preadv2, fd, r, 1, 0L, 0L, 0x1000), EOPNOTSUPP, "unknown flag");
	sys_err(preadv(fd, r, 1, -5), EINVAL, "preadv negative offset");
	sys_err(pread(fd, buf, 1, -1), EINVAL, "pread negative offset");
	sys_err(pwrite(fd, buf, 1, -1), EINVAL, "pwrite negative offset");
	sys_err(syscall(SYS_readv, fd, r, -1), EINVAL, "a negative count");
	for (i = 0; i < 1025; i++)
		many[i] = (struct iovec){ buf, 0 };
	is_int(readv(fd, many, 1024), 0, "1024 vectors");
	sys_err(readv(fd, many, 1025), EINVAL, "1025 vectors");
	sys_err(writev(fd, many, 1025), EINVAL, "1025 vectors to write");
	is_int(readv(fd, at(8), 0), 0, "no vector, no access to the array");
	big[0] = (struct iovec){ buf, (size_t)-1 };
	sys_err(readv(fd, big, 1), EINVAL, "a negative length");
	big[0] = (struct iovec){ buf, 1UL << 31 };
	big[1] = (struct iovec){ buf, 1UL << 31 };
	must(lseek(fd, 0, SEEK_END));
	is_int(readv(fd, big, 2), 0, "a total beyond 2 GiB is cut");
	must(pipe(p));
	sys_err(pread(p[0], buf, 1, 0), ESPIPE, "pread of a pipe");
	sys_err(pwrite(p[1], buf, 1, 0), ESPIPE, "pwrite to a pipe");
	sys_err(preadv(p[0], r, 1, 0), ESPIPE, "preadv of a pipe");
	sys_err(syscall(SYS_preadv2, p[0], r, 1, -1L, 0L, RWF_NOWAIT), EAGAIN,
		"RWF_NOWAIT of an empty pipe");
	sys_err(read(999, buf, 1), EBADF, "bad descriptor");
	sys_err(writev(999, w, 1), EBADF, "bad descriptor of writev");
	return done();
}
