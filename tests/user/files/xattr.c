/* SPDX-License-Identifier: MIT */
/* Extended attributes on tmpfs: trusted and security names, flags, sizes, links, errors. */
#include "../tap.h"
#include <sys/xattr.h>
#ifndef ENODATA
#define ENODATA 61
#endif

int
main(void)
{
	char buf[100], *big = calloc(1, 70000);
	struct stat a, b;
	int fd, user;
	ssize_t n;
	pid_t pid;

	scratch();
	put_file("f", "", 0);
	must(mkdir("d", 0755));
	must(symlink("f", "l"));
	fd = must(open("f", O_RDWR));
	is_int(listxattr("f", buf, sizeof(buf)), 0, "none at first");
	sys_ok(setxattr("f", "trusted.one", "value", 5, 0), "set");
	is_int(getxattr("f", "trusted.one", buf, sizeof(buf)), 5, "get");
	is_mem(buf, "value", 5, "the value");
	is_int(getxattr("f", "trusted.one", NULL, 0), 5, "its size");
	sys_err(getxattr("f", "trusted.one", buf, 3), ERANGE, "a short buffer");
	sys_ok(setxattr("f", "trusted.one", "new!", 4, 0), "replace");
	is_int(getxattr("f", "trusted.one", buf, sizeof(buf)), 4, "new size");
	sys_err(setxattr("f", "trusted.one", "x", 1, XATTR_CREATE), EEXIST,
		"XATTR_CREATE of an existing one");
	sys_err(setxattr("f", "trusted.two", "x", 1, XATTR_REPLACE), ENODATA,
		"XATTR_REPLACE of a missing one");
	sys_ok(setxattr("f", "trusted.two", "x", 1, XATTR_CREATE), "XATTR_CREATE");
	sys_ok(setxattr("f", "trusted.empty", "", 0, 0), "an empty value");
	is_int(getxattr("f", "trusted.empty", buf, sizeof(buf)), 0, "has size 0");
	n = listxattr("f", buf, sizeof(buf));
	is_int(n, 12 + 12 + 14, "list: the names with NULs");
	ok(memmem(buf, n, "trusted.one", 12) && memmem(buf, n, "trusted.two", 12) &&
		   memmem(buf, n, "trusted.empty", 14),
	   "all three");
	is_int(listxattr("f", NULL, 0), n, "its size");
	sys_err(listxattr("f", buf, 5), ERANGE, "a short list");
	is_int(fgetxattr(fd, "trusted.one", buf, sizeof(buf)), 4, "by descriptor");
	sys_ok(fsetxattr(fd, "trusted.three", "y", 1, 0), "fsetxattr");
	is_int(getxattr("l", "trusted.three", buf, sizeof(buf)), 1, "through a symlink");
	sys_err(lgetxattr("l", "trusted.three", buf, sizeof(buf)), ENODATA,
		"lgetxattr of the link itself");
	sys_ok(lsetxattr("l", "trusted.link", "z", 1, 0), "lsetxattr of the link");
	is_int(lgetxattr("l", "trusted.link", buf, sizeof(buf)), 1, "is kept there");
	sys_ok(removexattr("f", "trusted.two"), "remove");
	sys_err(getxattr("f", "trusted.two", buf, sizeof(buf)), ENODATA, "it is gone");
	sys_err(removexattr("f", "trusted.two"), ENODATA, "remove again");
	sys_ok(setxattr("d", "trusted.dir", "1", 1, 0), "on a directory");
	must(stat("f", &a));
	sleep_ms(20);
	must(setxattr("f", "trusted.one", "1", 1, 0));
	must(stat("f", &b));
	ok(a.st_ctim.tv_sec != b.st_ctim.tv_sec || a.st_ctim.tv_nsec != b.st_ctim.tv_nsec,
	   "ctime changes");
	ok(a.st_mtim.tv_nsec == b.st_mtim.tv_nsec, "mtime does not");
	must(link("f", "hard"));
	is_int(getxattr("hard", "trusted.one", buf, sizeof(buf)), 1, "they belong to the inode");

	sys_err(setxattr("f", "unknown.name", "x", 1, 0), EOPNOTSUPP, "an unknown class");
	sys_err(setxattr("f", "noclass", "x", 1, 0), EOPNOTSUPP, "no class");
	sys_err(setxattr("f", "trusted.", "x", 1, 0), EINVAL, "no name behind the class");
	sys_err(setxattr("f", "", "x", 1, 0), ERANGE, "an empty name");
	memset(big, 'n', 300);
	memcpy(big, "trusted.", 8);
	big[256] = 0;
	sys_err(setxattr("f", big, "x", 1, 0), ERANGE, "a name of 256 bytes");
	big[255] = 0;
	sys_ok(setxattr("f", big, "x", 1, 0), "of 255 bytes");
	sys_err(setxattr("f", "trusted.big", big, 65537, 0), E2BIG, "a value beyond 64 KiB");
	sys_ok(setxattr("f", "trusted.big", big, 65536, 0), "of 64 KiB");
	is_int(getxattr("f", "trusted.big", NULL, 0), 65536, "its size");
	sys_err(setxattr("f", "trusted.x", "x", 1, 77), EINVAL, "unknown flag");
	sys_err(setxattr("missing", "trusted.x", "x", 1, 0), ENOENT, "missing file");
	sys_err(fsetxattr(999, "trusted.x", "x", 1, 0), EBADF, "bad descriptor");
	sys_err(setxattr("f", "trusted.x", at(8), 10, 0), EFAULT, "bad value pointer");
	sys_err(setxattr("f", at(8), "x", 1, 0), EFAULT, "bad name pointer");

	/* user.* on tmpfs came with Linux 6.6; before, and here if not supported, EOPNOTSUPP */
	user = setxattr("f", "user.a", "x", 1, 0);
	ok(user == 0 || errno == EOPNOTSUPP, "user.*: kept or not supported");
	must(chmod("f", 0644));
	if ((pid = fork()) == 0) {
		int bad;

		if (setgid(1000) || setuid(1000))
			_exit(100);
		bad = getxattr("f", "trusted.one", buf, sizeof(buf)) != -1 || errno != ENODATA;
		bad |= (setxattr("f", "trusted.one", "x", 1, 0) != -1 || errno != EPERM) << 1;
		n = listxattr("f", big, 70000);
		bad |= (n < 0 || memmem(big, n, "trusted.", 8) != NULL) << 2;
		_exit(bad);
	}
	is_exit(pid, 0, "trusted.* is hidden from users");
	return done();
}
