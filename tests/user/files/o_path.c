/* SPDX-License-Identifier: MIT */
/* O_PATH descriptors: a place in the tree, not an open file. */
#include "../compat.h"
#include "../tap.h"
#include <sys/statfs.h>

int
main(void)
{
	struct stat a, b;
	struct statfs sf;
	char buf[64], path[64];
	int fd, dir, lnk, r;
	pid_t pid;

	scratch();
	put_file("f", "data", 4);
	must(mkdir("d", 0755));
	put_file("d/x", "in d", 4);
	must(symlink("f", "l"));
	fd = must(open("f", O_PATH));
	sys_err(read(fd, buf, 1), EBADF, "read");
	sys_err(write(fd, buf, 1), EBADF, "write");
	sys_err(lseek(fd, 0, SEEK_SET), EBADF, "lseek");
	sys_err(syscall(SYS_fchmod, fd, 0600), EBADF, "fchmod");
	sys_err(syscall(SYS_fchown, fd, 0, 0), EBADF, "fchown");
	sys_err(ftruncate(fd, 0), EBADF, "ftruncate");
	sys_err(ioctl(fd, FIONREAD, &r), EBADF, "ioctl");
	sys_err(fsync(fd), EBADF, "fsync");
	sys_err(fcntl(fd, F_SETFL, O_APPEND), EBADF, "F_SETFL");
	is_int(fcntl(fd, F_GETFL) & O_PATH, O_PATH, "F_GETFL shows O_PATH");
	sys_ok(fstat(fd, &a), "fstat");
	must(stat("f", &b));
	ok(a.st_ino == b.st_ino && a.st_size == 4, "of that file");
	sys_ok(fstatfs(fd, &sf), "fstatfs");
	sys_ok(r = dup(fd), "dup");
	close(r);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = must(open(path, O_RDONLY));
	is_int(read(r, buf, 4), 4, "it can be opened for real through /proc");
	close(r);
	sys_ok(linkat(AT_FDCWD, path, AT_FDCWD, "hard", AT_SYMLINK_FOLLOW), "and linked");
	sys_ok(chmod(path, 0604), "chmod through /proc");
	must(fstat(fd, &a));
	is_int(a.st_mode & 0777, 0604, "works");

	dir = must(open("d", O_PATH | O_DIRECTORY));
	r = must(openat(dir, "x", O_RDONLY));
	is_int(read(r, buf, 4), 4, "a base for openat");
	close(r);
	sys_ok(fstatat(dir, "x", &a, 0), "and fstatat");
	sys_ok(fchdir(dir), "and fchdir");
	must(chdir(".."));
	sys_err(syscall(SYS_getdents64, dir, buf, sizeof(buf)), EBADF,
		"no reading of the directory");
	lnk = must(open("l", O_PATH | O_NOFOLLOW));
	must(fstat(lnk, &a));
	ok(S_ISLNK(a.st_mode), "O_NOFOLLOW opens the link itself");
	is_int(readlinkat(lnk, "", buf, sizeof(buf)), 1, "readlinkat with an empty path reads it");
	is_int(buf[0], 'f', "its text");
	sys_ok(fstatat(fd, "", &a, AT_EMPTY_PATH), "fstatat with AT_EMPTY_PATH");
	sys_err(open("missing", O_PATH | O_CREAT, 0600), ENOENT, "O_CREAT is ignored with O_PATH");
	sys_err(open("f", O_PATH | O_DIRECTORY), ENOTDIR, "O_DIRECTORY is not");
	must(chmod("f", 0));
	if ((pid = fork()) == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(100);
		_exit(open("f", O_RDONLY) == -1 && errno == EACCES && open("f", O_PATH) >= 0 ? 0
											     : 1);
	}
	is_exit(pid, 0, "no permission on the file itself is needed");
	return done();
}
