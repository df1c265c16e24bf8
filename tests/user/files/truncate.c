/* SPDX-License-Identifier: MIT */
/* truncate, ftruncate, fallocate: sizes, blocks, holes, times, errors. */
#include "../compat.h"
#include "../tap.h"

static struct stat st;

static long
size(const char *p)
{
	return stat(p, &st) ? -1 : (long)st.st_size;
}

int
main(void)
{
	static char buf[65536], zero[65536];
	int fd, rd, p[2];
	struct timespec before;

	scratch();
	put_file("f", "0123456789", 10);
	sys_ok(truncate("f", 5), "shrink");
	is_str(get_file("f"), "01234", "keeps the head");
	sys_ok(truncate("f", 20), "grow");
	is_int(size("f"), 20, "new size");
	fd = must(open("f", O_RDWR));
	must(pread(fd, buf, 20, 0));
	is_mem(buf, "01234\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, "the cut part comes back as zeros");
	must(fstat(fd, &st));
	before = st.st_mtim;
	sleep_ms(20);
	must(ftruncate(fd, 10));
	must(fstat(fd, &st));
	ok(st.st_mtim.tv_sec > before.tv_sec || st.st_mtim.tv_nsec > before.tv_nsec,
	   "mtime changes");
	rd = must(open("f", O_RDONLY));
	sys_err(ftruncate(rd, 0), EINVAL, "ftruncate of a read-only descriptor");
	sys_err(ftruncate(fd, -1), EINVAL, "negative size");
	sys_err(truncate("f", -1), EINVAL, "negative size by path");
	sys_err(truncate("missing", 0), ENOENT, "missing");
	sys_err(truncate(".", 0), EISDIR, "a directory");
	must(pipe(p));
	sys_err(ftruncate(p[1], 0), EINVAL, "a pipe");
	sys_err(ftruncate(999, 0), EBADF, "bad descriptor");

	/* blocks */
	must(ftruncate(fd, 0));
	must(ftruncate(fd, 1 << 20));
	must(fstat(fd, &st));
	ok(st.st_size == 1 << 20 && st.st_blocks == 0, "a hole takes no blocks");
	memset(buf, 7, sizeof(buf));
	must(pwrite(fd, buf, 65536, 65536));
	must(fstat(fd, &st));
	is_int(st.st_blocks, 128, "blocks count what is there, in 512 bytes");

	sys_ok(fallocate(fd, 0, 0, 65536), "fallocate");
	must(fstat(fd, &st));
	is_int(st.st_blocks, 256, "takes blocks");
	sys_ok(fallocate(fd, 0, 1 << 20, 4096), "behind the end");
	is_int(size("f"), (1 << 20) + 4096, "extends the file");
	sys_ok(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 << 20, 8192), "KEEP_SIZE behind the end");
	is_int(size("f"), (1 << 20) + 4096, "does not");
	sys_ok(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 8192),
	       "PUNCH_HOLE");
	must(pread(fd, buf, 16384, 65536));
	ok(memcmp(buf, zero, 8192) == 0 && buf[8192] == 7, "reads zero there, data behind");
	is_int(lseek(fd, 65536, SEEK_HOLE), 65536, "SEEK_HOLE finds it");
	sys_ok(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536 + 8192 + 100, 200),
	       "inside a page");
	must(pread(fd, buf, 400, 65536 + 8192));
	ok(buf[99] == 7 && buf[100] == 0 && buf[299] == 0 && buf[300] == 7,
	   "zeroes just those bytes");
	sys_err(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 100), EOPNOTSUPP,
		"PUNCH_HOLE without KEEP_SIZE");
	sys_err(fallocate(fd, 0, 0, 0), EINVAL, "length 0");
	sys_err(fallocate(fd, 0, -1, 10), EINVAL, "negative offset");
	sys_err(fallocate(fd, 0, 0, -1), EINVAL, "negative length");
	sys_err(fallocate(fd, 0x800, 0, 10), EOPNOTSUPP, "unknown mode");
	sys_err(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), EOPNOTSUPP,
		"COLLAPSE_RANGE on tmpfs");
	sys_err(fallocate(rd, 0, 0, 10), EBADF, "a read-only descriptor");
	sys_err(fallocate(p[1], 0, 0, 10), ESPIPE, "a pipe");
	sys_err(fallocate(open("/dev/null", O_RDWR), 0, 0, 10), ENODEV, "a device");
	sys_err(fallocate(999, 0, 0, 10), EBADF, "bad descriptor");
	sys_ok(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
	is_int(posix_fadvise(999, 0, 0, POSIX_FADV_NORMAL), EBADF, "posix_fadvise bad descriptor");
	is_int(posix_fadvise(fd, 0, 0, 77), EINVAL, "posix_fadvise unknown advice");
	is_int(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE, "posix_fadvise of a pipe");
	sys_ok(fsync(fd), "fsync");
	sys_ok(fdatasync(fd), "fdatasync");
	sys_err(fsync(p[0]), EINVAL, "fsync of a pipe");
	sys_err(fsync(999), EBADF, "fsync bad descriptor");
	sys_ok(syscall(SYS_syncfs, fd), "syncfs");
	sync();
	sys_ok(syscall(SYS_sync_file_range, fd, 0L, 0L, 7), "sync_file_range");
	return done();
}
