/* SPDX-License-Identifier: MIT */
/* TEST: timeout=30 */
/* User namespaces: maps and who may write them, ids seen from both sides, capabilities inside and
 * none outside, what may be mounted, other namespaces that belong to one. */
#include "../compat.h"
#include "../tap.h"
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#define UID 54321
#define GID 54322

static int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return r;
}

static unsigned long long
effective(void)
{
	char *s = get_file("/proc/self/status"), *p = s ? strstr(s, "CapEff:") : NULL;

	return p ? strtoull(p + 7, NULL, 16) : 1;
}

/* As an ordinary user: `unshare -U` and then -r, by hand. */
static int
inside(void)
{
	struct stat st;
	char text[64];
	gid_t none[1] = { 0 };
	struct utsname u;

	if (unshare(CLONE_NEWUSER))
		return 1;
	if (getuid() != 65534 || getgid() != 65534)
		return 2;
	if ((effective() & 0xffffffff) != 0xffffffff)
		return 3;
	/* the map of gids wants setgroups to be off */
	snprintf(text, sizeof(text), "0 %d 1", GID);
	if (put("/proc/self/gid_map", text) != -1 || errno != EPERM)
		return 4;
	if (strcmp(get_file("/proc/self/setgroups"), "allow\n"))
		return 5;
	if (put("/proc/self/setgroups", "deny") ||
	    strcmp(get_file("/proc/self/setgroups"), "deny\n"))
		return 6;
	if (put("/proc/self/setgroups", "allow") != -1 || errno != EPERM)
		return 7;
	if (put("/proc/self/gid_map", text))
		return 8;
	/* only one's own uid, in a proper form, once */
	if (put("/proc/self/uid_map", "0 0 1") != -1 || errno != EPERM)
		return 9;
	snprintf(text, sizeof(text), "0 %d 2", UID);
	if (put("/proc/self/uid_map", text) != -1 || errno != EPERM)
		return 10;
	if (put("/proc/self/uid_map", "0 x 1") != -1 || errno != EINVAL)
		return 11;
	snprintf(text, sizeof(text), "0 %d 1\n", UID);
	if (put("/proc/self/uid_map", text))
		return 12;
	if (put("/proc/self/uid_map", text) != -1 || errno != EPERM)
		return 13;
	if (getuid() || geteuid() || getgid() || getegid())
		return 14;
	snprintf(text, sizeof(text), "         0 %10d          1\n", UID);
	if (strcmp(get_file("/proc/self/uid_map"), text))
		return 15;
	/* what is outside of the map */
	if (stat("/", &st) || st.st_uid != 65534 || st.st_gid != 65534)
		return 16;
	if (setuid(1) != -1 || errno != EINVAL)
		return 17;
	if (setgroups(1, none) != -1 || errno != EPERM)
		return 18;
	if (chown("mine", 1, -1) != -1 || errno != EINVAL)
		return 19;
	if (stat("mine", &st) || st.st_uid != 0 || st.st_gid != 0)
		return 20;
	if (open("roots", O_RDONLY) != -1 || errno != EACCES)
		return 21;
	/* no power over what belongs outside */
	if (sethostname("x", 1) != -1 || errno != EPERM)
		return 22;
	if (mount("none", "dir", "tmpfs", 0, NULL) != -1 || errno != EPERM)
		return 23;
	if (mknod("dev", S_IFCHR | 0600, makedev(1, 3)) != -1 || errno != EPERM)
		return 24;
	if (kill(getppid(), 0) != -1 || errno != EPERM)
		return 25;
	/* but over what belongs here */
	if (unshare(CLONE_NEWUTS) || sethostname("inner", 5) || uname(&u) ||
	    strcmp(u.nodename, "inner"))
		return 26;
	if (chroot("."))
		return 27;
	return 0;
}

static int
mounts(void)
{
	char text[64];
	struct stat st;
	pid_t pid;
	int st2;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC))
		return 1;
	snprintf(text, sizeof(text), "0 %d 1", UID);
	if (put("/proc/self/uid_map", text) || put("/proc/self/setgroups", "deny"))
		return 2;
	snprintf(text, sizeof(text), "0 %d 1", GID);
	if (put("/proc/self/gid_map", text))
		return 2;
	if (mount("none", "dir", "tmpfs", 0, "mode=755,size=1m"))
		return 3;
	if (stat("dir", &st) || st.st_uid != 0)
		return 4;
	if (mkdir("dir/sub", 0700) || mount("dir/sub", "dir/sub", NULL, MS_BIND, NULL))
		return 5;
	if (mount(NULL, "dir/sub", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		return 6;
	if (mkdir("dir/sub/x", 0700) != -1 || errno != EROFS)
		return 7;
	if (umount("dir/sub"))
		return 8;
	/* what came from outside stays, and what it forbids too */
	if (umount("locked") != -1 || errno != EINVAL)
		return 9;
	if (mount(NULL, "locked", NULL, MS_REMOUNT | MS_BIND, NULL) != -1 || errno != EPERM)
		return 10;
	if (mount("locked", "dir/sub", NULL, MS_BIND, NULL))
		return 11;
	if (mount(NULL, "dir/sub", NULL, MS_REMOUNT | MS_BIND, NULL) != -1 || errno != EPERM)
		return 12;
	if (umount("dir/sub"))
		return 13;
	if (mount("/dev/null", "dir/sub", "ext4", 0, NULL) != -1 || errno != EPERM)
		return 14;
	pid = fork();
	if (pid == 0) {
		if (getpid() != 1)
			_exit(100);
		if (mount("none", "/proc", "proc", 0, NULL) && errno != EPERM)
			_exit(101);
		/* a root that is not the first one, which cannot be pivoted */
		if (mkdir("dir/root", 0700) || chdir("dir") ||
		    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
			_exit(102);
		if (mount("none", "root", "tmpfs", 0, NULL) || mkdir("root/old", 0700) ||
		    syscall(SYS_pivot_root, "root", "root/old") || chdir("/") ||
		    access("/old/sub", F_OK) || umount2("/old", MNT_DETACH) ||
		    access("/old/sub", F_OK) != -1)
			_exit(103);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &st2, 0) != pid)
		return 15;
	return WIFEXITED(st2) ? WEXITSTATUS(st2) : 16;
}

static void
become_user(void)
{
	must(setgroups(0, NULL));
	must(setresgid(GID, GID, GID));
	must(setresuid(UID, UID, UID));
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* Root maps a range into its child, and sees the child's ids from outside. */
static void
test_range(void)
{
	int to[2], from[2];
	char path[64], b;
	struct stat st;
	pid_t pid;

	must(pipe(to));
	must(pipe(from));
	pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		gid_t g[2] = { 5, 7 }, got[4];

		must(write(from[1], "x", 1));
		must(read(to[0], &b, 1));
		if (setgroups(2, g) || getgroups(4, got) != 2 || got[1] != 7)
			_exit(1);
		if (setresgid(10, 10, 10) || setresuid(0, 0, 0) || setresuid(20, 20, 20) ||
		    getuid() != 20)
			_exit(2);
		if (setuid(0) != -1 || errno != EPERM)
			_exit(3);
		close(must(open("made", O_CREAT | O_WRONLY, 0600)));
		if (stat("made", &st) || st.st_uid != 20 || st.st_gid != 10)
			_exit(4);
		_exit(0);
	}
	must(pid);
	must(read(from[0], &b, 1));
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	is_int(put(path, "0 100000 1000\n1000 200000 10\n"), 0, "root writes a map of two ranges");
	is_str(get_file(path),
	       "         0     100000       1000\n      1000     200000         10\n",
	       "and reads it");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	is_int(put(path, "0 100000 10\n5 200000 10\n"), -1, "ranges that overlap");
	is_int(put(path, "0 100000 1000"), 0, "the other map");
	must(write(to[1], "x", 1));
	is_exit(pid, 0, "ids inside");
	must(stat("made", &st));
	is_int(st.st_uid, 100020, "a file's owner outside");
	is_int(st.st_gid, 100010, "and its group");
}

static void
test_setns(void)
{
	int to[2], fd;
	char path[64], b;
	pid_t pid, other;

	must(pipe(to));
	pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		must(read(to[0], &b, 1));
		_exit(0);
	}
	must(pid);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	must(put(path, "0 0 1000"));
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if ((other = fork()) == 0) {
		char mine[64] = "", theirs[64] = "";

		int out = must(open("/proc/self/ns/user", O_RDONLY));

		fd = must(open(path, O_RDONLY));
		if (setns(fd, CLONE_NEWUTS) != -1 || errno != EINVAL)
			_exit(1);
		if (setns(fd, CLONE_NEWUSER))
			_exit(2);
		must(readlink("/proc/self/ns/user", mine, 63));
		must(readlink(path, theirs, 63));
		if (strcmp(mine, theirs))
			_exit(3);
		if (setns(fd, CLONE_NEWUSER) != -1 || errno != EINVAL)
			_exit(4);
		if (sethostname("y", 1) != -1 || errno != EPERM)
			_exit(5);
		snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
		if (setns(must(open(path, O_RDONLY)), 0) || sethostname("y", 1))
			_exit(6);
		_exit(setns(out, 0) == -1 && errno == EPERM ? 0 : 7);
	}
	is_exit(other, 0, "setns: into it, not out again");
	must(write(to[1], "x", 1));
	reap(pid);
}

int
main(void)
{
	pid_t pid;

	scratch();
	if (geteuid() || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		skip("needs root", "user namespaces");
		return done();
	}
	must(chmod(".", 0777));
	close(must(open("mine", O_CREAT | O_WRONLY, 0600)));
	must(chown("mine", UID, GID));
	close(must(open("roots", O_CREAT | O_WRONLY, 0600)));
	must(mkdir("dir", 0777));
	must(mkdir("locked", 0777));
	must(mount("none", "locked", "tmpfs", MS_RDONLY | MS_NOSUID, NULL));
	if ((pid = fork()) == 0) {
		become_user();
		_exit(inside());
	}
	is_exit(pid, 0, "a user's own namespace");
	if ((pid = fork()) == 0) {
		become_user();
		_exit(mounts());
	}
	is_exit(pid, 0, "mounts in it");
	test_range();
	test_setns();
	if ((pid = fork()) == 0) {
		int n = 0;

		while (n < 100 && !unshare(CLONE_NEWUSER) && !put("/proc/self/setgroups", "deny") &&
		       !put("/proc/self/uid_map", "0 0 1") && !put("/proc/self/gid_map", "0 0 1"))
			n++;
		_exit(n);
	}
	is_exit(pid, 33, "so many inside each other");
	if ((pid = fork()) == 0)
		_exit(chroot("dir") || chdir("/") || unshare(CLONE_NEWUSER) != -1 ||
		      errno != EPERM);
	is_exit(pid, 0, "not from a chroot");
	must(umount("locked"));
	return done();
}
