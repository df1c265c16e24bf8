/* SPDX-License-Identifier: MIT */
/* Path walk: dots, slashes, symlinks, limits, and the errno of every way to fail. */
#include "../tap.h"

static struct stat st;

static int
same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

int
main(void)
{
	char longname[300], path[8192], *p;
	int i, fd;

	scratch();
	must(mkdir("d", 0755));
	must(mkdir("d/e", 0755));
	put_file("f", "data", 4);
	put_file("d/e/g", "deep", 4);
	must(symlink("f", "lf"));
	must(symlink("d", "ld"));
	must(symlink("d/", "lds"));
	must(symlink("missing", "dangling"));
	must(symlink("loop2", "loop1"));
	must(symlink("loop1", "loop2"));
	must(symlink("../f", "d/up"));
	must(symlink("/", "root"));

	ok(same("d/e/g", "./d/./e/../e//g"), "dots and double slashes");
	ok(same("d/e/..", "d"), ".. of a directory");
	ok(same("/..", "/") && same("/../../..", "/"), ".. of the root is the root");
	ok(same("lf", "f"), "a symlink to a file");
	ok(same("ld/e/g", "d/e/g"), "through a symlink to a directory");
	ok(same("lds/e", "d/e"), "a link text with a trailing slash");
	ok(same("d/up", "f"), "a relative link starts at its own directory");
	ok(same("ld/..", "."), ".. after a symlink is the target's parent");
	ok(same("root/tmp", "/tmp"), "an absolute link");
	ok(same("d/", "d") && same("ld/", "d"),
	   "a trailing slash on a directory and a link to one");
	sys_err(stat("f/", &st), ENOTDIR, "a trailing slash on a file");
	sys_err(stat("lf/", &st), ENOTDIR, "on a link to a file");
	sys_err(stat("f/.", &st), ENOTDIR, "a dot behind a file");
	sys_err(stat("f/..", &st), ENOTDIR, "two dots behind a file");
	sys_err(stat("f/x", &st), ENOTDIR, "a name behind a file");
	sys_err(stat("d/missing", &st), ENOENT, "a missing name");
	sys_err(stat("missing/x", &st), ENOENT, "a missing directory");
	sys_err(stat("missing/..", &st), ENOENT, ".. does not cancel a missing name");
	sys_err(stat("", &st), ENOENT, "the empty path");
	sys_err(stat("dangling", &st), ENOENT, "a dangling link");
	sys_err(stat("loop1", &st), ELOOP, "a loop");
	sys_err(stat("loop1/x", &st), ELOOP, "a loop inside a path");
	is_int(lstat("loop1", &st), 0, "lstat of a loop is fine");
	sys_ok(lstat("ld", &st), "lstat of a link");
	ok(S_ISLNK(st.st_mode) && st.st_size == 1, "sees the link, size is its text's");
	sys_ok(lstat("ld/", &st), "lstat with a trailing slash");
	ok(S_ISDIR(st.st_mode), "follows it");

	for (i = 0; i < 42; i++) {
		char from[16], to[16];

		sprintf(from, "c%d", i + 1);
		sprintf(to, "c%d", i);
		if (i == 0)
			must(symlink("f", "c0"));
		must(symlink(to, from));
	}
	ok(same("c39", "f"), "a chain of 40 links");
	sys_err(stat("c40", &st), ELOOP, "a chain of 41");
	must(symlink(".", "dot"));
	for (p = path, i = 0; i < 40; i++)
		p += sprintf(p, "dot/");
	strcpy(p, "f");
	ok(same(path, "f"), "40 links in one path");
	strcpy(p, "dot/f");
	sys_err(stat(path, &st), ELOOP, "41 links in one path");

	memset(longname, 'n', 255);
	longname[255] = 0;
	sys_ok(fd = open(longname, O_CREAT | O_RDWR, 0600), "a name of 255 bytes");
	ok(same(longname, longname), "is found");
	longname[255] = 'n';
	longname[256] = 0;
	sys_err(stat(longname, &st), ENAMETOOLONG, "256 bytes are too long to look up");
	sys_err(open(longname, O_CREAT | O_RDWR, 0600), ENAMETOOLONG, "and to create");
	sys_err(mkdir(longname, 0700), ENAMETOOLONG, "as a directory");
	sys_err(symlink("x", longname), ENAMETOOLONG, "as a link");
	sys_err(rename("f", longname), ENAMETOOLONG, "as a rename target");
	for (p = path; p < path + 4090;)
		p += sprintf(p, "./");
	sprintf(p, "%.*s", (int)(4095 - (p - path)), "//////f" + 7 - (4095 - (p - path)));
	is_int(strlen(path), 4095, "a path of 4095 bytes");
	ok(same(path, "f"), "is walked");
	strcat(path, "f");
	sys_err(stat(path, &st), ENAMETOOLONG, "4096 bytes are too long");
	memset(path, 'x', 4096);
	path[4096] = 0;
	sys_err(symlink(path, "toolong"), ENAMETOOLONG, "a link text of 4096 bytes");
	path[4095] = 0;
	sys_ok(symlink(path, "maxlink"), "a link text of 4095 bytes");
	sys_err(stat("maxlink", &st), ENAMETOOLONG, "which names something too long");

	/* a deep tree, by steps */
	for (i = 0; i < 200; i++) {
		must(mkdir("deep-directory-name", 0755));
		must(chdir("deep-directory-name"));
	}
	put_file("bottom", "b", 1);
	fd = must(open(".", O_RDONLY | O_DIRECTORY));
	p = getcwd(path, sizeof(path));
	ok(p && strlen(p) > 3900, "getcwd 200 levels down");
	must(chdir(tap_dir));
	sys_ok(fstatat(fd, "bottom", &st, 0), "by descriptor");
	must(fchdir(fd));
	for (i = 0; i < 200; i++)
		must(chdir(".."));
	ok(same(".", tap_dir), "200 times .. is back");
	sys_err(stat(at(8), &st), EFAULT, "bad path pointer");
	return done();
}
