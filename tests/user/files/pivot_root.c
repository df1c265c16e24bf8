/* SPDX-License-Identifier: MIT */
/* pivot_root and chroot. */
#include "../compat.h"
#include "../tap.h"
#include <sys/mount.h>

static long
pivot(const char *a, const char *b)
{
	return syscall(SYS_pivot_root, a, b);
}

/* A root that is not the initial one, which cannot be pivoted: as switch_root does it. */
static int
base(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 1;
	if (mount("base", "base", "tmpfs", 0, NULL) || chdir("base") || mkdir("root", 0755) ||
	    mkdir("d", 0755) || mkdir("proc", 0755) || mount("proc", "proc", "proc", 0, NULL))
		return 2;
	return mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/");
}

static int
pivoted(void)
{
	struct stat st;

	if (base())
		return 1;
	if (mount("new", "root", "tmpfs", 0, NULL) || mkdir("root/old", 0755) ||
	    mkdir("root/bin", 0755))
		return 2;
	put_file("root/marker", "new root", 8);
	if (pivot("root/bin", "root/bin") != -1 || errno != EINVAL)
		return 3; /* not a mount point */
	if (pivot("root", "d") != -1 || errno != EBUSY)
		return 4; /* put_old on the current root */
	if (pivot("root/marker", "root/old") != -1 || errno != ENOTDIR)
		return 5;
	if (pivot("missing", "root/old") != -1 || errno != ENOENT)
		return 6;
	if (pivot("root", "root/old"))
		return 7;
	if (chdir("/") || stat("/marker", &st) || stat("/old/proc/version", &st))
		return 8;
	if (umount2("/old", MNT_DETACH) || rmdir("/old"))
		return 9;
	if (stat("/..", &st) || stat("/../marker", &st))
		return 10;
	char *s = NULL;

	if (mkdir("/proc", 0755) || mount("proc", "/proc", "proc", 0, NULL))
		return 11;
	s = get_file("/proc/self/mountinfo");
	return s && strstr(s, " / / ") && !strstr(s, "/old") ? 0 : 12;
}

/* The usual way without a directory for the old root: pivot_root(".", "."). */
static int
dotted(void)
{
	struct stat st;

	if (base())
		return 1;
	if (mount("new", "root", "tmpfs", 0, NULL) || chdir("root"))
		return 2;
	put_file("marker", "new root", 8);
	if (pivot(".", ".") || umount2(".", MNT_DETACH))
		return 3;
	return stat("/marker", &st) == 0 && chdir("/") == 0 && stat("marker", &st) == 0 ? 0 : 4;
}

static int
rooted(void)
{
	struct stat st, s2;
	char buf[100];
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	if (chroot("jail") || chdir("/") || stat("/inside", &st) ||
	    stat("/proc/version", &st) != -1)
		return 1;
	if (stat("/..", &st) || stat("/", &s2) || st.st_ino != s2.st_ino)
		return 2;
	if (stat("abs", &st) || stat("../../inside", &st))
		return 3;
	if (!getcwd(buf, sizeof(buf)) || strcmp(buf, "/"))
		return 4;
	if (fchdir(fd) || stat("proc/version", &st))
		return 5;
	if (syscall(SYS_getcwd, buf, sizeof(buf)) < 0 || strncmp(buf, "(unreachable)", 13))
		return 6;
	if (chroot(".") || stat("/proc/version", &st))
		return 7;
	return 0;
}

static int
denied(void)
{
	if (setgid(1000) || setuid(1000))
		return 9;
	return chroot("jail") == -1 && errno == EPERM && pivot("root", "root") == -1 &&
			       errno == EPERM
		       ? 0
		       : 1;
}

static int
in_child(int (*fn)(void))
{
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(fn());
	return pid;
}

int
main(void)
{
	struct stat st;

	scratch();
	must(mkdir("base", 0755));
	must(mkdir("root", 0755));
	must(mkdir("d", 0755));
	must(mkdir("jail", 0755));
	put_file("jail/inside", "x", 1);
	must(symlink("/inside", "jail/abs"));
	is_exit(in_child(pivoted), 0, "pivot_root, the old root umounted, errors");
	is_exit(in_child(dotted), 0, "pivot_root of dot onto dot");
	sys_ok(stat("/proc/version", &st), "the parent's root is as it was");
	is_exit(in_child(rooted), 0, "chroot: the root, .., links, getcwd outside");
	is_exit(in_child(denied), 0, "neither is for users");
	sys_err(chroot("jail/inside"), ENOTDIR, "chroot to a file");
	sys_err(chroot("missing"), ENOENT, "chroot to nothing");
	sys_err(chroot(at(8)), EFAULT, "chroot bad pointer");
	return done();
}
