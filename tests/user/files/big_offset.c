/* SPDX-License-Identifier: MIT */
/* Files at large offsets: sparse terabytes, the largest size, what lies beyond. */
#include "../compat.h"
#include "../tap.h"

#define TB (1L << 40)

int
main(void)
{
	struct stat st;
	char buf[16];
	int fd;
	char *p;

	scratch();
	fd = must(open("f", O_CREAT | O_RDWR, 0600));
	is_int(pwrite(fd, "far", 3, 5 * TB), 3, "write at 5 TiB");
	must(fstat(fd, &st));
	is_int(st.st_size, 5 * TB + 3, "the size");
	ok(st.st_blocks <= 16, "takes a page");
	is_int(pread(fd, buf, 3, 5 * TB), 3, "read there");
	is_mem(buf, "far", 3, "the data");
	is_int(pread(fd, buf, 8, 3 * TB), 8, "read in the hole");
	is_mem(buf, "\0\0\0\0\0\0\0\0", 8, "zeros");
	is_int(lseek(fd, 0, SEEK_DATA), 5 * TB, "SEEK_DATA crosses the hole");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 5 * TB);
	ok(p != MAP_FAILED && memcmp(p, "far", 3) == 0, "mmap there");
	p[1] = 'A';
	must(pread(fd, buf, 3, 5 * TB));
	is_mem(buf, "fAr", 3, "shares the page");
	sys_ok(ftruncate(fd, 1), "truncate to 1");
	must(fstat(fd, &st));
	is_int(st.st_blocks, 0, "gives it back");
	is_int(pwrite(fd, "x", 1, LONG_MAX - 4096), 1, "a page below the largest size");
	is_int(lseek(fd, 0, SEEK_END), LONG_MAX - 4095, "the size");
	sys_err(pwrite(fd, "xy", 2, LONG_MAX), EINVAL, "at the largest size");
	sys_err(lseek(fd, 4097, SEEK_END), EINVAL, "a seek that overflows");
	sys_err(pread(fd, buf, 1, LONG_MAX), EINVAL, "a read that would cross it");
	sys_err(fallocate(fd, 0, LONG_MAX - 10, 100), EFBIG, "fallocate beyond it");
	must(ftruncate(fd, 0));
	return done();
}
