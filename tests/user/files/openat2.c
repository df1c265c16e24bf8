/* SPDX-License-Identifier: MIT */
/* openat2: the RESOLVE flags, and its strict checks. */
#include "../compat.h"
#include "../tap.h"

static long
how(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct kt_open_how h = { flags, mode, resolve };
	int fd = syscall(SYS_openat2, dir, path, &h, sizeof(h));

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

#define RES(path, r) how(dir, path, O_RDONLY, 0, r)

int
main(void)
{
	struct {
		struct kt_open_how h;
		uint64_t more[2];
	} big = { { O_RDONLY, 0, 0 }, { 0, 0 } };
	char abs[100];
	int dir;

	scratch();
	must(mkdir("top", 0755));
	must(mkdir("top/sub", 0755));
	put_file("top/f", "x", 1);
	put_file("outside", "y", 1);
	must(symlink("f", "top/rel"));
	must(symlink("../outside", "top/esc"));
	must(symlink("/f", "top/abs"));
	must(symlink("sub", "top/dirlink"));
	must(symlink("../f", "top/sub/up"));
	put_file("top/sub/g", "z", 1);
	dir = must(open("top", O_PATH | O_DIRECTORY));
	snprintf(abs, sizeof(abs), "%s/top/f", tap_dir);

	sys_ok(RES("f", 0), "no flag");
	sys_ok(RES("../outside", 0), "upwards without a flag");
	sys_ok(RES("rel", KT_RESOLVE_BENEATH), "BENEATH: a link inside");
	sys_ok(RES("sub/../f", KT_RESOLVE_BENEATH), "BENEATH: .. inside");
	sys_ok(RES("sub/up", KT_RESOLVE_BENEATH), "BENEATH: a link upwards but inside");
	sys_err(RES("../outside", KT_RESOLVE_BENEATH), EXDEV, "BENEATH: .. to the outside");
	sys_err(RES("esc", KT_RESOLVE_BENEATH), EXDEV, "BENEATH: a link to the outside");
	sys_err(RES("abs", KT_RESOLVE_BENEATH), EXDEV, "BENEATH: an absolute link");
	sys_err(RES(abs, KT_RESOLVE_BENEATH), EXDEV, "BENEATH: an absolute path");
	sys_ok(RES("abs", KT_RESOLVE_IN_ROOT), "IN_ROOT: an absolute link starts at the directory");
	sys_ok(RES("/f", KT_RESOLVE_IN_ROOT), "IN_ROOT: so does an absolute path");
	sys_ok(RES("../../f", KT_RESOLVE_IN_ROOT), "IN_ROOT: .. stops there");
	sys_err(RES("esc", KT_RESOLVE_IN_ROOT), ENOENT, "IN_ROOT: a link upwards stays inside");
	sys_err(RES("rel", KT_RESOLVE_NO_SYMLINKS), ELOOP, "NO_SYMLINKS: a final link");
	sys_err(RES("dirlink/g", KT_RESOLVE_NO_SYMLINKS), ELOOP, "NO_SYMLINKS: an inner link");
	sys_ok(RES("sub/g", KT_RESOLVE_NO_SYMLINKS), "NO_SYMLINKS: none");
	sys_ok(how(dir, "rel", O_PATH | O_NOFOLLOW, 0, KT_RESOLVE_NO_SYMLINKS),
	       "NO_SYMLINKS: O_PATH|O_NOFOLLOW of a link");
	sys_ok(RES("rel", KT_RESOLVE_NO_MAGICLINKS), "NO_MAGICLINKS: an ordinary link");
	sys_err(RES("/proc/self/exe", KT_RESOLVE_NO_MAGICLINKS), ELOOP,
		"NO_MAGICLINKS: one of /proc");
	sys_err(RES("/proc/self/fd/0/x", KT_RESOLVE_NO_MAGICLINKS), ELOOP,
		"NO_MAGICLINKS: inside a path");
	sys_err(RES("/proc/version", KT_RESOLVE_NO_XDEV), EXDEV, "NO_XDEV: into another mount");
	sys_ok(RES("sub/g", KT_RESOLVE_NO_XDEV), "NO_XDEV: on one mount");
	sys_err(RES("f", KT_RESOLVE_BENEATH | KT_RESOLVE_IN_ROOT), EINVAL, "BENEATH with IN_ROOT");
	sys_err(RES("f", 0x1000), EINVAL, "unknown resolve flag");
	sys_err(how(dir, "f", 1UL << 40, 0, 0), EINVAL, "unknown open flag");
	sys_err(how(dir, "f", O_RDONLY, 0644, 0), EINVAL, "a mode without O_CREAT");
	sys_err(how(dir, "n", O_CREAT | O_RDWR, 0100644, 0), EINVAL, "a bad mode");
	sys_ok(how(dir, "n", O_CREAT | O_RDWR, 0644, KT_RESOLVE_BENEATH), "O_CREAT");
	sys_err(how(dir, "../n", O_CREAT | O_RDWR, 0644, KT_RESOLVE_BENEATH), EXDEV,
		"O_CREAT outside");
	sys_err(how(dir, "f", O_PATH | O_RDWR, 0, 0), EINVAL, "O_PATH with an access mode");
	sys_err(syscall(SYS_openat2, dir, "f", &big, 16), EINVAL, "size too small");
	int fd = syscall(SYS_openat2, dir, "f", &big, sizeof(big));
	sys_ok(fd, "a larger structure of zeros");
	big.more[1] = 1;
	sys_err(syscall(SYS_openat2, dir, "f", &big, sizeof(big)), E2BIG,
		"with something unknown in it");
	sys_err(syscall(SYS_openat2, dir, "f", at(8), sizeof(struct kt_open_how)), EFAULT,
		"bad pointer");
	return done();
}
