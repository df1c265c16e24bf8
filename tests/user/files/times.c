/* SPDX-License-Identifier: MIT */
/* File times: who changes which, utimensat to the nanosecond, rights. */
#include "../compat.h"
#include "../tap.h"
#include <utime.h>

static struct stat st;

static struct timespec
mt(const char *p)
{
	must(lstat(p, &st));
	return st.st_mtim;
}

static int
later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static int
same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void
tick(void)
{
	sleep_ms(20);
}

int
main(void)
{
	struct timespec t[2] = { { 1000000000, 123456789 }, { 1700000000, 987654321 } }, m, c;
	struct timeval tv[2] = { { 1500000000, 123456 }, { 1600000000, 654321 } };
	struct utimbuf ub = { 111, 222 };
	char buf[4];
	int fd;
	pid_t pid;

	scratch();
	must(mkdir("d", 0755));
	put_file("d/f", "abcd", 4);
	must(symlink("f", "d/l"));
	fd = must(open("d/f", O_RDWR));
	sys_ok(utimensat(AT_FDCWD, "d/f", t, 0), "utimensat");
	must(stat("d/f", &st));
	ok(same(st.st_atim, t[0]) && same(st.st_mtim, t[1]), "to the nanosecond");
	ok(later(st.st_ctim, t[1]), "ctime is now");
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_sec = 42;
	t[1].tv_nsec = 7;
	sys_ok(utimensat(AT_FDCWD, "d/f", t, 0), "UTIME_OMIT");
	must(stat("d/f", &st));
	ok(st.st_atim.tv_sec == 1000000000 && st.st_atim.tv_nsec == 123456789,
	   "leaves atime alone");
	ok(same(st.st_mtim, t[1]), "sets mtime");
	t[0].tv_nsec = UTIME_NOW;
	t[1].tv_nsec = UTIME_OMIT;
	sys_ok(utimensat(AT_FDCWD, "d/f", t, 0), "UTIME_NOW");
	must(stat("d/f", &st));
	ok(st.st_atim.tv_sec > 1600000000 && st.st_mtim.tv_sec == 42, "sets atime to now");
	c = st.st_ctim;
	t[0].tv_nsec = t[1].tv_nsec = UTIME_OMIT;
	tick();
	sys_ok(utimensat(AT_FDCWD, "d/f", t, 0), "both omitted");
	must(stat("d/f", &st));
	ok(same(st.st_ctim, c), "changes nothing");
	sys_ok(futimens(fd, NULL), "futimens NULL");
	must(stat("d/f", &st));
	ok(st.st_mtim.tv_sec > 1600000000 && same(st.st_mtim, st.st_atim), "sets both to now");
	t[0] = (struct timespec){ -5, 0 };
	t[1] = (struct timespec){ 5000000000, 1 };
	sys_ok(utimensat(AT_FDCWD, "d/l", t, AT_SYMLINK_NOFOLLOW), "of a symlink");
	must(lstat("d/l", &st));
	ok(st.st_atim.tv_sec == -5 && st.st_mtim.tv_sec == 5000000000,
	   "before 1970 and after 2106");
	t[0] = (struct timespec){ -2147483648ll, 0 };
	t[1] = (struct timespec){ 15032385535ll, 0 };
	sys_ok(utimensat(AT_FDCWD, "d/l", t, AT_SYMLINK_NOFOLLOW), "ext4's first and last second");
	must(lstat("d/l", &st));
	ok(same(st.st_atim, t[0]) && same(st.st_mtim, t[1]), "in 1901 and 2446");
	t[1] = (struct timespec){ 9223372037ll, 987654321 };
	must(utimensat(AT_FDCWD, "d/l", t, AT_SYMLINK_NOFOLLOW));
	ok(same(mt("d/l"), t[1]), "2262, to the nanosecond");
	ok(mt("d/f").tv_sec != 5000000000, "not of its target");
	t[0].tv_nsec = 1000000000;
	sys_err(utimensat(AT_FDCWD, "d/f", t, 0), EINVAL, "bad nanoseconds");
	t[0].tv_nsec = -1;
	sys_err(utimensat(AT_FDCWD, "d/f", t, 0), EINVAL, "negative nanoseconds");
	sys_err(utimensat(AT_FDCWD, "missing", NULL, 0), ENOENT, "missing");
	sys_err(utimensat(AT_FDCWD, "d/f", NULL, 0x8000), EINVAL, "unknown flag");
	sys_err(syscall(SYS_utimensat, 999, NULL, NULL, 0), EBADF, "bad descriptor");
	sys_err(syscall(SYS_utimensat, AT_FDCWD, "d/f", at(8), 0), EFAULT, "bad pointer");
	sys_ok(syscall(SYS_utimes, "d/f", tv), "utimes");
	must(stat("d/f", &st));
	ok(st.st_atim.tv_nsec == 123456000 && st.st_mtim.tv_sec == 1600000000, "microseconds");
	tv[0].tv_usec = 1000000;
	sys_err(syscall(SYS_utimes, "d/f", tv), EINVAL, "bad microseconds");
	sys_ok(syscall(SYS_utime, "d/f", &ub), "utime");
	ok(mt("d/f").tv_sec == 222 && st.st_atim.tv_sec == 111, "seconds");

	/* what the calls change */
	m = mt("d/f"), c = st.st_ctim;
	tick();
	must(write(fd, "x", 1));
	ok(later(mt("d/f"), m) && later(st.st_ctim, c), "write: mtime and ctime");
	m = mt("d/f"), c = st.st_ctim;
	tick();
	must(chmod("d/f", 0600));
	ok(same(mt("d/f"), m) && later(st.st_ctim, c), "chmod: ctime only");
	m = mt("d");
	c = (mt("d/f"), st.st_ctim);
	tick();
	must(link("d/f", "d/g"));
	ok(later(mt("d"), m), "link: mtime of the directory");
	ok((mt("d/f"), later(st.st_ctim, c)), "and ctime of the file");
	m = mt("d");
	tick();
	must(rename("d/g", "d/h"));
	ok(later(mt("d"), m), "rename: mtime of the directory");
	m = mt("d");
	tick();
	must(unlink("d/h"));
	ok(later(mt("d"), m), "unlink: mtime of the directory");
	m = mt("d");
	tick();
	must(write(fd, "y", 1));
	ok(same(mt("d"), m), "a write does not touch the directory");
	t[0] = (struct timespec){ 100, 0 };
	t[1] = (struct timespec){ 200, 0 };
	must(utimensat(AT_FDCWD, "d/f", t, 0));
	must(pread(fd, buf, 1, 0));
	must(fstat(fd, &st));
	ok(st.st_atim.tv_sec > 200, "relatime: a read sets an atime older than mtime or ctime");
	fd = must(open("d/f", O_RDONLY | O_NOATIME));
	must(utimensat(AT_FDCWD, "d/f", t, 0));
	must(pread(fd, buf, 1, 0));
	must(fstat(fd, &st));
	is_int(st.st_atim.tv_sec, 100, "O_NOATIME: it does not");

	must(chmod("d/f", 0666));
	if ((pid = fork()) == 0) {
		int bad;

		if (setgid(1000) || setuid(1000))
			_exit(100);
		bad = utimensat(AT_FDCWD, "d/f", NULL, 0) != 0;
		bad |= (utimensat(AT_FDCWD, "d/f", t, 0) != -1 || errno != EPERM) << 1;
		bad |= (open("d/f", O_RDONLY | O_NOATIME) != -1 || errno != EPERM) << 2;
		_exit(bad);
	}
	is_exit(pid, 0, "a writer may set now, not other times, nor use O_NOATIME");
	must(chmod("d/f", 0644));
	if ((pid = fork()) == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(100);
		_exit(utimensat(AT_FDCWD, "d/f", NULL, 0) == -1 && errno == EACCES ? 0 : 1);
	}
	is_exit(pid, 0, "others may not even that");
	return done();
}
