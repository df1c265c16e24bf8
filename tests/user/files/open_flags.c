/* SPDX-License-Identifier: MIT */
/* open: what each flag does, and its refusals. */
#include "../tap.h"

static long
opens(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

int
main(void)
{
	struct stat st;
	char buf[16];
	int fd;

	scratch();
	put_file("f", "0123456789", 10);
	must(mkdir("d", 0755));
	must(symlink("f", "l"));
	must(symlink("new", "dang"));
	must(symlink("d", "ld"));
	must(mkfifo("p", 0600));

	fd = must(open("f", O_RDONLY));
	sys_err(write(fd, "x", 1), EBADF, "write to O_RDONLY");
	is_int(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL access mode");
	is_int(fcntl(fd, F_GETFD), 0, "not close-on-exec");
	close(fd);
	fd = must(open("f", O_WRONLY | O_CLOEXEC));
	sys_err(read(fd, buf, 1), EBADF, "read of O_WRONLY");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "O_CLOEXEC");
	close(fd);
	fd = must(open("f", O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC | O_NOATIME));
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC | O_NOATIME,
	       "F_GETFL shows status flags");
	close(fd);

	sys_err(opens("missing", O_RDONLY), ENOENT, "missing");
	sys_ok(opens("new1", O_RDWR | O_CREAT), "O_CREAT makes it");
	sys_ok(opens("new1", O_RDWR | O_CREAT), "or opens it");
	sys_err(opens("new1", O_RDWR | O_CREAT | O_EXCL), EEXIST,
		"O_EXCL refuses an existing file");
	sys_err(opens("l", O_RDWR | O_CREAT | O_EXCL), EEXIST, "and a link to one");
	sys_err(opens("dang", O_RDWR | O_CREAT | O_EXCL), EEXIST, "and a dangling link");
	sys_ok(opens("dang", O_RDWR | O_CREAT), "O_CREAT through a dangling link");
	sys_ok(stat("new", &st), "makes the target");
	sys_err(opens("d", O_RDWR | O_CREAT), EISDIR, "O_CREAT of a directory");
	sys_err(opens("d", O_RDONLY | O_CREAT), EISDIR, "even read-only");
	sys_err(opens("d", O_WRONLY), EISDIR, "writing a directory");
	sys_err(opens("d", O_RDWR), EISDIR, "reading and writing one");
	sys_err(opens("d", O_RDONLY | O_TRUNC), EISDIR, "truncating one");
	sys_err(opens("x/", O_RDWR | O_CREAT), EISDIR, "O_CREAT with a trailing slash");
	sys_err(opens("f/", O_RDONLY), ENOTDIR, "a file with a trailing slash");
	sys_err(opens("missing/x", O_RDWR | O_CREAT), ENOENT, "O_CREAT in a missing directory");
	sys_err(opens("f/x", O_RDWR | O_CREAT), ENOTDIR, "O_CREAT below a file");
	fd = must(open("d", O_RDONLY));
	sys_err(read(fd, buf, 1), EISDIR, "read of a directory");
	close(fd);

	sys_err(opens("f", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY of a file");
	sys_ok(opens("d", O_RDONLY | O_DIRECTORY), "of a directory");
	sys_ok(opens("ld", O_RDONLY | O_DIRECTORY), "of a link to one");
	sys_err(opens("l", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW of a link");
	sys_err(opens("ld", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR, "with O_DIRECTORY");
	sys_ok(opens("ld/", O_RDONLY | O_NOFOLLOW), "a trailing slash follows all the same");
	sys_ok(opens("f", O_RDONLY | O_NOFOLLOW), "of a file");

	fd = must(open("f", O_RDWR | O_TRUNC));
	must(fstat(fd, &st));
	is_int(st.st_size, 0, "O_TRUNC empties");
	is_int(write(fd, "abc", 3), 3, "write");
	close(fd);
	sys_ok(opens("f", O_RDONLY | O_TRUNC), "O_TRUNC with O_RDONLY");
	must(stat("f", &st));
	is_int(st.st_size, 0, "empties too");
	put_file("f", "abc", 3);
	fd = must(open("f", O_WRONLY | O_APPEND));
	is_int(write(fd, "def", 3), 3, "append");
	must(lseek(fd, 0, SEEK_SET));
	is_int(write(fd, "ghi", 3), 3, "after a seek");
	is_str(get_file("f"), "abcdefghi", "goes to the end all the same");
	is_int(pwrite(fd, "jkl", 3, 0), 3, "pwrite with O_APPEND");
	is_str(get_file("f"), "abcdefghijkl", "appends too on Linux");
	must(fcntl(fd, F_SETFL, 0));
	must(lseek(fd, 0, SEEK_SET));
	must(write(fd, "A", 1));
	is_str(get_file("f"), "Abcdefghijkl", "F_SETFL takes O_APPEND away");
	close(fd);
	sys_err(opens("p", O_WRONLY | O_NONBLOCK), ENXIO,
		"a fifo without reader, O_WRONLY|O_NONBLOCK");
	sys_ok(opens("p", O_RDONLY | O_NONBLOCK), "O_RDONLY|O_NONBLOCK");
	sys_ok(opens("p", O_RDWR), "O_RDWR never blocks");
	fd = must(open("f", 3));
	sys_err(read(fd, buf, 1), EBADF, "access mode 3: no reading");
	sys_err(write(fd, buf, 1), EBADF, "no writing");
	close(fd);
	is_int(open("mode0", O_CREAT | O_EXCL | O_RDWR, 0) >= 0, 1,
	       "a new file of mode 0 is open for writing");
	fd = must(creat("c", 0600));
	is_int(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY, "creat opens for writing");
	is_int(fd, must(dup(fd)) - 1, "the lowest free number is used");
	sys_err(open(at(8), O_RDONLY), EFAULT, "bad pointer");
	sys_err(openat(999, "f", O_RDONLY), EBADF, "bad directory descriptor");
	sys_err(openat(fd, "f", O_RDONLY), ENOTDIR, "a file as directory descriptor");
	return done();
}
