/* SPDX-License-Identifier: MIT */
/* link, unlink, symlink, readlink, mkdir, rmdir, mknod: counts and errors. */
#include "../tap.h"
#include <sys/sysmacros.h>

static struct stat st;

static long
nlinks(const char *p)
{
	return lstat(p, &st) ? -1 : (long)st.st_nlink;
}

int
main(void)
{
	char buf[64];
	int fd, i, bad = 0;

	scratch();
	put_file("f", "data", 4);
	must(mkdir("d", 0755));
	sys_ok(link("f", "g"), "link");
	ok(nlinks("f") == 2 && nlinks("g") == 2, "two links");
	must(stat("f", &st));
	ino_t ino = st.st_ino;
	must(stat("g", &st));
	is_int(st.st_ino, ino, "of one inode");
	sys_ok(unlink("f"), "unlink");
	is_int(nlinks("g"), 1, "one is left");
	is_str(get_file("g"), "data", "with the data");
	sys_err(link("g", "d"), EEXIST, "link onto something");
	sys_err(link("missing", "x"), ENOENT, "link of nothing");
	sys_err(link("d", "x"), EPERM, "link of a directory");
	sys_err(link("g", "missing/x"), ENOENT, "link into nowhere");
	sys_err(link("g", "/dev/kt-link"), EXDEV, "link to another file system");
	sys_err(link("g/", "x"), ENOTDIR, "link of a file with a slash");
	sys_err(link("g", "x/"), ENOENT, "link to a name with a slash");

	fd = must(open("g", O_RDWR));
	must(unlink("g"));
	is_int(write(fd, "DATA!", 5), 5, "an unlinked open file can be written");
	is_int(pread(fd, buf, 5, 0), 5, "and read");
	must(fstat(fd, &st));
	ok(st.st_nlink == 0 && st.st_size == 5, "it has no link");
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	sys_err(linkat(AT_FDCWD, buf, AT_FDCWD, "back", AT_SYMLINK_FOLLOW), ENOENT,
		"and cannot get one back");
	put_file("g", "other", 5);
	is_str(get_file("g"), "other", "the name is free for another");
	close(fd);

	sys_err(unlink("missing"), ENOENT, "unlink of nothing");
	sys_err(unlink("d"), EISDIR, "unlink of a directory");
	sys_err(unlink("g/"), ENOTDIR, "unlink of a file with a slash");
	sys_err(unlink("d/"), EISDIR, "unlink of a directory with a slash");
	sys_err(unlink(""), ENOENT, "unlink of the empty path");
	sys_err(unlink("."), EISDIR, "unlink of dot");

	sys_ok(symlink("some/text", "s"), "symlink");
	memset(buf, 'x', sizeof(buf));
	is_int(readlink("s", buf, sizeof(buf)), 9, "readlink gives the length");
	ok(memcmp(buf, "some/textx", 10) == 0, "and no NUL");
	is_int(readlink("s", buf, 4), 4, "a short buffer is filled");
	sys_err(syscall(SYS_readlink, "s", buf, 0), EINVAL, "an empty buffer");
	sys_err(readlink("g", buf, 10), EINVAL, "readlink of a file");
	sys_err(readlink("missing", buf, 10), ENOENT, "readlink of nothing");
	sys_err(symlink("x", "g"), EEXIST, "symlink onto something");
	sys_err(symlink("", "x"), ENOENT, "symlink of nothing");
	sys_err(symlink("x", "y/"), ENOENT, "symlink to a name with a slash");
	sys_ok(unlink("s"), "unlink of a dangling link");

	is_int(nlinks("d"), 2, "an empty directory has two links");
	sys_ok(mkdir("d/a", 0700), "mkdir");
	sys_ok(mkdir("d/b/", 0700), "mkdir with a trailing slash");
	is_int(nlinks("d"), 4, "each subdirectory adds one");
	sys_err(mkdir("d", 0700), EEXIST, "mkdir of a directory");
	sys_err(mkdir("g", 0700), EEXIST, "mkdir of a file");
	sys_err(mkdir("missing/x", 0700), ENOENT, "mkdir in nowhere");
	sys_err(mkdir("g/x", 0700), ENOTDIR, "mkdir below a file");
	sys_err(mkdir(".", 0700), EEXIST, "mkdir of dot");
	sys_err(mkdir("", 0700), ENOENT, "mkdir of nothing");
	sys_err(rmdir("d"), ENOTEMPTY, "rmdir of a full directory");
	sys_err(rmdir("g"), ENOTDIR, "rmdir of a file");
	sys_err(rmdir("missing"), ENOENT, "rmdir of nothing");
	sys_err(rmdir("d/a/."), EINVAL, "rmdir of dot");
	sys_err(rmdir("d/a/.."), ENOTEMPTY, "rmdir of dot dot");
	sys_err(rmdir("/"), EBUSY, "rmdir of the root");
	sys_ok(rmdir("d/a"), "rmdir");
	sys_ok(rmdir("d/b/"), "rmdir with a slash");
	is_int(nlinks("d"), 2, "two links again");
	fd = must(open("d", O_RDONLY));
	must(rmdir("d"));
	must(fstat(fd, &st));
	is_int(st.st_nlink, 0, "a removed open directory has no link");
	sys_err(openat(fd, "x", O_CREAT | O_RDWR, 0600), ENOENT, "nothing can be made in it");
	sys_err(mkdirat(fd, "x", 0700), ENOENT, "no directory either");

	sys_ok(mknod("n", S_IFCHR | 0600, makedev(1, 3)), "mknod of a device");
	must(stat("n", &st));
	ok(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3), "has its number");
	fd = must(open("n", O_RDWR));
	is_int(write(fd, "x", 1), 1, "and is /dev/null");
	is_int(read(fd, buf, 1), 0, "indeed");
	sys_ok(mknod("r", 0600, 0), "mknod without a type");
	must(stat("r", &st));
	ok(S_ISREG(st.st_mode), "makes a file");
	sys_ok(mknod("so", S_IFSOCK | 0600, 0), "mknod of a socket");
	sys_err(open("so", O_RDONLY), ENXIO, "which cannot be opened");
	sys_err(mknod("n", S_IFREG | 0600, 0), EEXIST, "mknod onto something");
	sys_err(mknod("x", S_IFDIR | 0600, 0), EPERM, "mknod of a directory");
	sys_err(mknod("x", 0170000 | 0600, 0), EINVAL, "mknod of a strange type");
	sys_ok(mknod("nodev", S_IFCHR | 0600, makedev(250, 77)), "mknod of a device nobody has");
	sys_err(open("nodev", O_RDONLY), ENXIO, "which cannot be opened");

	put_file("many", "", 0);
	for (i = 0; i < 500; i++) {
		sprintf(buf, "many%d", i);
		bad += link("many", buf) != 0;
	}
	ok(bad == 0 && nlinks("many") == 501, "501 links");
	return done();
}
