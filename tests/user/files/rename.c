/* SPDX-License-Identifier: MIT */
/* rename and renameat2: replacement rules, loops, flags, errors. */
#include "../compat.h"
#include "../tap.h"

static long
ren2(const char *a, const char *b, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

static ino_t
ino(const char *p)
{
	struct stat st;

	return lstat(p, &st) ? 0 : st.st_ino;
}

int
main(void)
{
	struct stat st;
	ino_t a, b;
	int fd;
	char buf[8];

	scratch();
	put_file("f", "one", 3);
	put_file("g", "two", 3);
	must(mkdir("d", 0755));
	must(mkdir("e", 0755));
	must(mkdir("full", 0755));
	put_file("full/x", "", 0);
	must(symlink("f", "l"));
	a = ino("f");
	sys_ok(rename("f", "f2"), "rename");
	ok(ino("f") == 0 && ino("f2") == a, "moves the name");
	fd = must(open("g", O_RDONLY));
	sys_ok(rename("f2", "g"), "onto a file");
	is_int(ino("g"), a, "replaces it");
	is_int(read(fd, buf, 3), 3, "the replaced file lives while open");
	must(fstat(fd, &st));
	is_int(st.st_nlink, 0, "without a link");
	sys_ok(rename("g", "g"), "onto itself");
	must(link("g", "h"));
	sys_ok(rename("g", "h"), "onto another link of the same file");
	ok(ino("g") == a && ino("h") == a, "does nothing");
	sys_ok(rename("l", "l2"), "of a symlink");
	must(lstat("l2", &st));
	ok(S_ISLNK(st.st_mode), "moves the link");
	sys_ok(rename("g", "l2"), "onto a symlink");
	is_int(ino("l2"), a, "replaces the link");
	must(rename("l2", "g"));

	sys_ok(rename("d", "d2"), "a directory");
	sys_ok(rename("d2", "e"), "onto an empty directory");
	sys_err(rename("e", "full"), ENOTEMPTY, "onto a full one");
	sys_err(rename("g", "e"), EISDIR, "a file onto a directory");
	sys_err(rename("e", "g"), ENOTDIR, "a directory onto a file");
	sys_err(rename("missing", "x"), ENOENT, "missing source");
	sys_err(rename("g", "missing/x"), ENOENT, "missing target directory");
	sys_err(rename("g", "h/x"), ENOTDIR, "target below a file");
	sys_err(rename("g/", "x"), ENOTDIR, "a file with a trailing slash");
	sys_err(rename("g", "x/"), ENOTDIR, "to a name with a trailing slash");
	sys_ok(rename("e/", "e2/"), "a directory with trailing slashes");
	must(mkdir("e2/sub", 0755));
	must(mkdir("e2/sub/sub2", 0755));
	sys_err(rename("e2", "e2/sub/x"), EINVAL, "into its own subtree");
	sys_err(rename("e2", "e2/x"), EINVAL, "below itself");
	sys_err(rename("e2/sub/sub2", "e2"), ENOTEMPTY, "onto its own ancestor");
	sys_err(rename(".", "x"), EBUSY, "dot as source");
	sys_err(rename("e2", "."), EBUSY, "dot as target");
	sys_err(rename("e2/..", "x"), EBUSY, "dot dot as source");
	sys_err(rename("", "x"), ENOENT, "empty source");
	sys_err(rename("g", ""), ENOENT, "empty target");
	sys_err(rename("g", "/proc/x"), EXDEV, "to another file system");
	must(stat("e2", &st));
	is_int(st.st_nlink, 3, "links of a directory with one subdirectory");
	must(rename("e2/sub", "moved"));
	must(stat("e2", &st));
	is_int(st.st_nlink, 2, "one less after the subdirectory moved out");
	sys_ok(stat("moved/sub2/../../g", &st), ".. of a moved directory is the new parent");

	a = ino("g");
	put_file("k", "k", 1);
	b = ino("k");
	sys_err(ren2("g", "k", RENAME_NOREPLACE), EEXIST, "NOREPLACE onto a file");
	sys_ok(ren2("g", "g3", RENAME_NOREPLACE), "NOREPLACE to a free name");
	sys_ok(ren2("g3", "k", RENAME_EXCHANGE), "EXCHANGE of two files");
	ok(ino("k") == a && ino("g3") == b, "swapped");
	sys_ok(ren2("k", "moved", RENAME_EXCHANGE), "EXCHANGE of a file and a directory");
	ok(ino("moved") == a && stat("k/sub2", &st) == 0, "swapped too");
	sys_err(ren2("k", "missing", RENAME_EXCHANGE), ENOENT, "EXCHANGE with nothing");
	sys_err(ren2("k", "k/sub2", RENAME_EXCHANGE), EINVAL, "EXCHANGE with a descendant");
	sys_err(ren2("k", "moved", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL,
		"EXCHANGE with NOREPLACE");
	sys_err(ren2("k", "moved", 0x80), EINVAL, "unknown flag");
	return done();
}
