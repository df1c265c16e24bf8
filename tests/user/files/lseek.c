/* SPDX-License-Identifier: MIT */
/* lseek: all whences, limits, SEEK_DATA and SEEK_HOLE. */
#include "../compat.h"
#include "../tap.h"

#define K 4096L

int
main(void)
{
	char page[4096];
	int fd, p[2], dir, null;

	scratch();
	memset(page, 1, sizeof(page));
	put_file("f", "0123456789", 10);
	fd = must(open("f", O_RDWR));
	is_int(lseek(fd, 4, SEEK_SET), 4, "SEEK_SET");
	is_int(lseek(fd, 3, SEEK_CUR), 7, "SEEK_CUR");
	is_int(lseek(fd, -2, SEEK_CUR), 5, "SEEK_CUR backwards");
	is_int(lseek(fd, -1, SEEK_END), 9, "SEEK_END");
	is_int(lseek(fd, 100, SEEK_END), 110, "beyond the end");
	is_int(read(fd, page, 1), 0, "reads nothing there");
	sys_err(lseek(fd, -1, SEEK_SET), EINVAL, "negative");
	sys_err(lseek(fd, -200, SEEK_CUR), EINVAL, "before the start");
	is_int(lseek(fd, 0, SEEK_CUR), 110, "a failed seek does not move");
	sys_err(lseek(fd, 0, 99), EINVAL, "unknown whence");
	sys_err(lseek(fd, LONG_MAX, SEEK_CUR), EINVAL, "overflow");
	is_int(lseek(fd, 0, SEEK_DATA), 0, "SEEK_DATA at the start");
	is_int(lseek(fd, 0, SEEK_HOLE), 10, "SEEK_HOLE is the end of a full file");
	sys_err(lseek(fd, 10, SEEK_DATA), ENXIO, "SEEK_DATA at the end");
	sys_err(lseek(fd, 10, SEEK_HOLE), ENXIO, "SEEK_HOLE at the end");
	sys_err(lseek(fd, -1, SEEK_DATA), ENXIO, "SEEK_DATA negative");

	must(ftruncate(fd, 0));
	memset(page, 1, sizeof(page));
	must(pwrite(fd, page, K, 4 * K));
	must(pwrite(fd, page, K, 8 * K));
	must(ftruncate(fd, 12 * K));
	is_int(lseek(fd, 0, SEEK_DATA), 4 * K, "a hole at the start");
	is_int(lseek(fd, 0, SEEK_HOLE), 0, "is a hole");
	is_int(lseek(fd, 4 * K + 5, SEEK_DATA), 4 * K + 5, "inside data");
	is_int(lseek(fd, 4 * K, SEEK_HOLE), 5 * K, "the hole behind it");
	is_int(lseek(fd, 5 * K + 1, SEEK_DATA), 8 * K, "the next data");
	is_int(lseek(fd, 8 * K, SEEK_HOLE), 9 * K, "the last hole");
	sys_err(lseek(fd, 9 * K, SEEK_DATA), ENXIO, "no data behind it");
	must(pipe(p));
	sys_err(lseek(p[0], 0, SEEK_CUR), ESPIPE, "a pipe");
	dir = must(open(".", O_RDONLY));
	is_int(lseek(dir, 0, SEEK_SET), 0, "a directory");
	null = must(open("/dev/null", O_RDWR));
	is_int(lseek(null, 100, SEEK_SET), 0, "/dev/null stays at 0");
	sys_err(lseek(999, 0, SEEK_SET), EBADF, "bad descriptor");
	return done();
}
