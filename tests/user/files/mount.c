/* SPDX-License-Identifier: MIT */
/* Mounts in a namespace of one's own: tmpfs, bind, remount, move, detach, propagation, errors. */
#include "../compat.h"
#include "../tap.h"
#include <sys/mount.h>
#include <sys/statfs.h>

#define umount2_(p, f) syscall(SYS_umount2, p, f)

static struct stat st;

static int
listed(const char *dir, const char *option)
{
	char want[200], *s = get_file("/proc/self/mounts"), *e;

	snprintf(want, sizeof(want), " %s/%s ", tap_dir, dir);
	s = s ? strstr(s, want) : NULL;
	if (!s)
		return 0;
	e = strchr(s + 1, '\n');
	if (e)
		*e = 0;
	return !option || strstr(s, option) != NULL;
}

int
main(void)
{
	struct statfs sf;
	char buf[64], *s;
	int fd, ns;
	pid_t pid;

	scratch();
	sys_ok(unshare(CLONE_NEWNS), "a mount namespace of our own");
	sys_ok(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "made private");
	must(mkdir("m", 0755));
	must(mkdir("b", 0755));
	must(mkdir("n", 0755));
	put_file("m/under", "hidden", 6);
	sys_ok(mount("kt", "m", "tmpfs", 0, "size=1m,mode=0750"), "mount tmpfs");
	sys_err(stat("m/under", &st), ENOENT, "what was there is hidden");
	must(stat("m", &st));
	is_int(st.st_mode & 07777, 0750, "option mode");
	must(statfs("m", &sf));
	is_int(sf.f_blocks, 256, "option size");
	ok(listed("m", "tmpfs"), "it is in /proc/self/mounts");
	must(stat("m", &st));
	dev_t dev = st.st_dev;
	must(stat("m/..", &st));
	ok(st.st_dev != dev, ".. of a mount's root leaves it");
	put_file("m/f", "data", 4);
	fd = must(open("m/big", O_CREAT | O_RDWR, 0600));
	sys_err(fallocate(fd, 0, 0, 2 << 20), ENOSPC, "no more than its size");
	close(fd);

	sys_ok(mount("m", "b", NULL, MS_BIND, NULL), "bind");
	is_str(get_file("b/f"), "data", "shows the same files");
	must(stat("b", &st));
	is_int(st.st_dev, dev, "on the same device");
	sys_err(rename("m/f", "b/g"), EXDEV, "rename between two mounts of one file system");
	sys_err(link("m/f", "b/g"), EXDEV, "link too");
	sys_ok(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
	       "remount the bind read-only");
	sys_err(open("b/f", O_WRONLY), EROFS, "writing through it");
	sys_err(open("b/new", O_CREAT | O_WRONLY, 0600), EROFS, "creating");
	sys_err(unlink("b/f"), EROFS, "unlinking");
	sys_err(mkdir("b/d", 0700), EROFS, "mkdir");
	sys_err(mkdir("b/f", 0700), EEXIST, "mkdir of something that exists");
	sys_err(chmod("b/f", 0600), EROFS, "chmod");
	sys_err(access("b/f", W_OK), EROFS, "access");
	sys_err(utimensat(AT_FDCWD, "b/f", NULL, 0), EROFS, "utimensat");
	sys_err(truncate("b/f", 0), EROFS, "truncate");
	sys_err(rename("b/f", "b/g"), EROFS, "rename");
	sys_ok(open("m/f", O_WRONLY), "the other mount is still writable");
	ok(listed("b", " ro,") && !listed("m", " ro,"), "/proc/self/mounts agrees");
	must(close(open("m/f", O_RDONLY)));
	sys_ok(umount2_("b", 0), "umount");
	sys_err(umount2_("b", 0), EINVAL, "umount of what is not mounted");

	put_file("file", "on file", 7);
	sys_ok(mount("m/f", "file", NULL, MS_BIND, NULL), "bind of a file on a file");
	is_str(get_file("file"), "data", "shows the other file");
	sys_err(unlink("file"), EBUSY, "a mount point cannot be unlinked");
	sys_err(rename("file", "file2"), EBUSY, "nor renamed");
	sys_err(mount("m", "file", NULL, MS_BIND, NULL), ENOTDIR, "a directory on a file");
	sys_err(mount("m/f", "b", NULL, MS_BIND, NULL), ENOTDIR, "a file on a directory");
	must(umount2_("file", 0));
	is_str(get_file("file"), "on file", "umounted");

	fd = must(open("m/f", O_RDONLY));
	sys_err(umount2_("m", 0), EBUSY, "umount with an open file");
	sys_err(rmdir("m"), EBUSY, "rmdir of a mount point");
	must(mkdir("b/x", 0755));
	sys_ok(mount("m", "n", NULL, MS_MOVE, NULL), "move");
	is_str(get_file("n/f"), "data", "it is at the new place");
	is_str(get_file("m/under"), "hidden", "the old one is uncovered");
	sys_err(mount("m", "b", NULL, MS_MOVE, NULL), EINVAL, "move of what is no mount");
	must(mkdir("n/sub", 0755));
	must(mount("kt2", "n/sub", "tmpfs", 0, NULL));
	sys_err(umount2_("n", 0), EBUSY, "umount with a mount inside");
	sys_err(mount("n", "n/sub", NULL, MS_MOVE, NULL), ELOOP, "move into itself");
	must(mount("n", "b", NULL, MS_BIND, NULL));
	put_file("n/sub/in", "x", 1);
	sys_err(stat("b/sub/in", &st), ENOENT, "a plain bind leaves inner mounts out");
	must(umount2_("b", 0));
	must(mount("n", "b", NULL, MS_BIND | MS_REC, NULL));
	sys_ok(stat("b/sub/in", &st), "a recursive bind takes them along");
	sys_ok(umount2_("b", MNT_DETACH), "MNT_DETACH of a tree");
	sys_ok(umount2_("n/sub", 0), "umount");
	sys_ok(umount2_("n", MNT_DETACH), "MNT_DETACH with an open file");
	is_int(read(fd, buf, 4), 4, "the file still works");
	sys_err(stat("n/f", &st), ENOENT, "the tree is gone");
	close(fd);

	must(mount("kt", "m", "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME, NULL));
	ok(listed("m", "rw,nosuid,nodev,noexec,noatime"), "mount flags are listed");
	must(mknod("m/null", S_IFCHR | 0666, 0x103));
	sys_err(open("m/null", O_RDWR), EACCES, "nodev");
	sys_ok(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), "remount read-only");
	sys_err(open("m/x", O_CREAT | O_WRONLY, 0600), EROFS, "EROFS");
	sys_ok(mount(NULL, "m", NULL, MS_REMOUNT, NULL), "remount writable");
	fd = must(open("m/x", O_CREAT | O_WRONLY, 0600));
	sys_err(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY,
		"read-only with a file open for writing");
	close(fd);
	must(mount("over", "m", "tmpfs", 0, NULL));
	sys_err(stat("m/x", &st), ENOENT, "a second mount covers the first");
	must(umount2_("m", 0));
	sys_ok(stat("m/x", &st), "and uncovers it");
	sys_err(umount2_("m", MNT_EXPIRE), EAGAIN, "MNT_EXPIRE marks at first");
	sys_ok(umount2_("m", MNT_EXPIRE), "and umounts the second time");

	sys_err(mount("x", "m", "nosuchfs", 0, NULL), ENODEV, "unknown type");
	sys_err(mount("x", "missing", "tmpfs", 0, NULL), ENOENT, "missing target");
	sys_err(mount("x", "file", "tmpfs", 0, NULL), ENOTDIR, "a file as target");
	sys_err(mount("x", "m", "tmpfs", 0, "nosuchoption=1"), EINVAL, "unknown option");
	sys_err(mount("missing", "m", NULL, MS_BIND, NULL), ENOENT, "bind of nothing");
	sys_err(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EINVAL, "remount of what is not mounted");
	sys_err(umount2_("m", 0x100), EINVAL, "unknown umount flag");
	sys_err(mount("x", at(8), "tmpfs", 0, NULL), EFAULT, "bad pointer");
	must(symlink("m", "lm"));
	must(mount("kt", "m", "tmpfs", 0, NULL));
	sys_err(umount2_("lm", 8), EINVAL, "UMOUNT_NOFOLLOW of a link");
	sys_ok(umount2_("lm", 0), "a link is followed without");
	if ((pid = fork()) == 0) {
		if (setuid(1000))
			_exit(9);
		_exit(mount("x", "m", "tmpfs", 0, NULL) == -1 && errno == EPERM &&
				      umount2_("m", 0) == -1 && errno == EPERM
			      ? 0
			      : 1);
	}
	is_exit(pid, 0, "a user may neither mount nor umount");

	/* namespaces are separate; a shared mount passes events on */
	if ((pid = fork()) == 0) {
		if (unshare(CLONE_NEWNS) || mount("kt", "m", "tmpfs", 0, NULL))
			_exit(1);
		put_file("m/inner", "x", 1);
		_exit(0);
	}
	is_exit(pid, 0, "a child mounts in its own namespace");
	sys_err(stat("m/inner", &st), ENOENT, "which is not seen here");
	must(mount("kt", "m", "tmpfs", 0, NULL));
	must(mount(NULL, "m", NULL, MS_SHARED, NULL));
	must(mkdir("m/p", 0755));
	if ((pid = fork()) == 0) {
		if (unshare(CLONE_NEWNS) || mount("kt", "m/p", "tmpfs", 0, NULL))
			_exit(1);
		put_file("m/p/shared", "x", 1);
		_exit(0);
	}
	is_exit(pid, 0, "a child mounts below a shared mount");
	sys_ok(stat("m/p/shared", &st), "which is seen here");
	must(umount2_("m/p", 0));
	must(umount2_("m", 0));
	ns = must(open("/proc/self/ns/mnt", O_RDONLY));
	must(unshare(CLONE_NEWNS));
	must(mount("kt", "m", "tmpfs", 0, NULL));
	sys_ok(setns(ns, CLONE_NEWNS), "setns back");
	must(chdir(tap_dir));
	must(stat("m", &st));
	ok(st.st_dev != dev && stat("m/under", &st) == 0, "to a namespace without the last mount");
	s = get_file("/proc/self/mountinfo");
	ok(s && strstr(s, " / / ") && strstr(s, " - "), "mountinfo has a root line and separators");
	return done();
}
