/* SPDX-License-Identifier: MIT */
/* The *at calls relative to a descriptor, with their flags. */
#include "../compat.h"
#include "../tap.h"

int
main(void)
{
	struct stat st, s2;
	char buf[64], abs[100];
	int dir, file;

	scratch();
	must(mkdir("d", 0755));
	dir = must(open("d", O_RDONLY | O_DIRECTORY));
	sys_ok(file = openat(dir, "f", O_CREAT | O_RDWR, 0644), "openat");
	sys_ok(mkdirat(dir, "sub", 0755), "mkdirat");
	sys_ok(symlinkat("f", dir, "l"), "symlinkat");
	sys_ok(mknodat(dir, "p", S_IFIFO | 0600, 0), "mknodat");
	sys_ok(linkat(dir, "f", dir, "f2", 0), "linkat");
	is_int(readlinkat(dir, "l", buf, sizeof(buf)), 1, "readlinkat");
	sys_ok(fstatat(dir, "l", &st, AT_SYMLINK_NOFOLLOW), "fstatat of a link");
	ok(S_ISLNK(st.st_mode), "AT_SYMLINK_NOFOLLOW");
	must(fstatat(dir, "l", &st, 0));
	ok(S_ISREG(st.st_mode), "followed by default");
	sys_ok(linkat(dir, "l", dir, "l2", 0), "linkat of a link");
	must(fstatat(dir, "l2", &st, AT_SYMLINK_NOFOLLOW));
	ok(S_ISLNK(st.st_mode), "links the link");
	sys_ok(linkat(dir, "l", dir, "l3", AT_SYMLINK_FOLLOW), "with AT_SYMLINK_FOLLOW");
	must(fstatat(dir, "l3", &st, AT_SYMLINK_NOFOLLOW));
	ok(S_ISREG(st.st_mode) && st.st_nlink == 3, "links the file");
	sys_ok(fchmodat(dir, "f", 0600, 0), "fchmodat");
	sys_ok(fchownat(dir, "f", 12, 34, 0), "fchownat");
	must(fstatat(dir, "f", &st, 0));
	ok((st.st_mode & 0777) == 0600 && st.st_uid == 12 && st.st_gid == 34, "both took effect");
	sys_ok(fchownat(dir, "l", 56, 78, AT_SYMLINK_NOFOLLOW), "fchownat of a link");
	must(fstatat(dir, "l", &st, AT_SYMLINK_NOFOLLOW));
	must(fstatat(dir, "f", &s2, 0));
	ok(st.st_uid == 56 && s2.st_uid == 12, "changes the link only");
	sys_ok(fchownat(file, "", 90, 91, AT_EMPTY_PATH), "fchownat with AT_EMPTY_PATH");
	must(fstat(file, &st));
	is_int(st.st_uid, 90, "changes the descriptor's file");
	sys_ok(faccessat(dir, "f", R_OK, 0), "faccessat");
	sys_ok(syscall(SYS_faccessat2, dir, "l", F_OK, AT_SYMLINK_NOFOLLOW), "faccessat2");
	sys_err(syscall(SYS_faccessat2, dir, "f", F_OK, 0x8000), EINVAL, "faccessat2 unknown flag");
	sys_err(syscall(SYS_faccessat2, dir, "f", 8, 0), EINVAL, "faccessat2 bad mode");
	sys_ok(renameat(dir, "f2", AT_FDCWD, "moved"), "renameat");
	sys_ok(stat("moved", &st), "across two bases");
	sys_ok(unlinkat(dir, "l2", 0), "unlinkat");
	sys_err(unlinkat(dir, "sub", 0), EISDIR, "unlinkat of a directory");
	sys_err(unlinkat(dir, "f", AT_REMOVEDIR), ENOTDIR, "AT_REMOVEDIR of a file");
	sys_ok(unlinkat(dir, "sub", AT_REMOVEDIR), "AT_REMOVEDIR of a directory");
	sys_err(unlinkat(dir, "f", 0x8000), EINVAL, "unlinkat unknown flag");
	sys_err(fstatat(dir, "f", &st, 0x8000), EINVAL, "fstatat unknown flag");
	sys_err(linkat(dir, "f", dir, "x", 0x8000), EINVAL, "linkat unknown flag");
	sys_err(fchownat(dir, "f", 0, 0, 0x8000), EINVAL, "fchownat unknown flag");
	sys_err(fstatat(999, "f", &st, 0), EBADF, "bad descriptor");
	sys_err(mkdirat(file, "x", 0755), ENOTDIR, "a file as base");
	sys_err(fstatat(dir, "", &st, 0), ENOENT, "empty path without AT_EMPTY_PATH");
	sys_ok(fstatat(file, "", &st, AT_EMPTY_PATH), "with it");
	sys_ok(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH), "of the current directory");
	snprintf(abs, sizeof(abs), "%s/moved", tap_dir);
	sys_ok(fstatat(999, abs, &st, 0), "an absolute path needs no base");
	must(rename("d", "e"));
	sys_ok(fstatat(dir, "f", &st, 0), "the base follows a rename");
	return done();
}
