/* SPDX-License-Identifier: MIT */
/* Permissions as a user: owner, group, other classes, directories, sticky, setgid, suid. */
#include "../compat.h"
#include "../tap.h"
#include <grp.h>

#define DENIED(call)  ((call) == -1 && errno == EACCES)
#define EPERMED(call) ((call) == -1 && errno == EPERM)

static int
as(uid_t uid, gid_t gid, gid_t extra, int (*fn)(void))
{
	pid_t pid = must(fork());
	int st;

	if (pid == 0) {
		if (setgroups(extra != 0, &extra) || setgid(gid) || setuid(uid))
			_exit(100);
		_exit(fn());
	}
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static int
rwx(void)
{
	return (access("f", R_OK) == 0) << 2 | (access("f", W_OK) == 0) << 1 |
	       (access("f", X_OK) == 0);
}

static int
rw_open(void)
{
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);

	return (r >= 0) << 2 | (w >= 0) << 1;
}

static int
no_x_dir(void)
{
	return !(DENIED(open("dir/in", O_RDONLY)) && opendir("dir") && DENIED(chdir("dir")));
}
static int
no_r_dir(void)
{
	return !(!opendir("dir") && errno == EACCES && open("dir/in", O_RDONLY) >= 0 &&
		 chdir("dir") == 0);
}
static int
no_w_dir(void)
{
	return !(DENIED(open("dir/new", O_CREAT | O_WRONLY, 0600)) && DENIED(unlink("dir/in")) &&
		 DENIED(mkdir("dir/n", 0700)) && DENIED(rename("dir/in", "dir/x")) &&
		 DENIED(symlink("a", "dir/z")) && DENIED(open("dir", O_TMPFILE | O_RDWR, 0600)));
}
static int
sticky_other(void)
{
	return !(EPERMED(unlink("sticky/theirs")) && EPERMED(rename("sticky/theirs", "sticky/x")) &&
		 open("sticky/mine", O_CREAT | O_RDWR, 0600) >= 0 && unlink("sticky/mine") == 0 &&
		 EPERMED(rmdir("sticky/theird")));
}
static int
sticky_own(void)
{
	return !(rename("sticky/theirs", "sticky/ren") == 0 && unlink("sticky/ren") == 0);
}
static int
not_owner(void)
{
	return !(EPERMED(chmod("f", 0777)) && EPERMED(chown("f", 1000, -1)) &&
		 EPERMED(chown("f", -1, 1000)));
}
static int
owner(void)
{
	return !(chmod("mine", 0600) == 0 && EPERMED(chown("mine", 2000, -1)) &&
		 EPERMED(chown("mine", -1, 3000)) && chown("mine", -1, 1001) == 0 &&
		 chown("mine", 1000, -1) == 0);
}
static int
sgid_strip(void)
{
	struct stat st;

	/* not a member of the file's group: chmod drops S_ISGID silently */
	return !(chmod("sg", 02755) == 0 && stat("sg", &st) == 0 && (st.st_mode & 07777) == 0755);
}
static int
sgid_dir(void)
{
	struct stat st;
	int fd = open("sgd/new", O_CREAT | O_RDWR, 0644);

	if (fd < 0 || fstat(fd, &st) || st.st_gid != 5000 || st.st_uid != 1000)
		return 1;
	if (mkdir("sgd/sub", 0755) || stat("sgd/sub", &st) || st.st_gid != 5000 ||
	    !(st.st_mode & S_ISGID))
		return 2;
	return 0;
}
static int
suid_write(void)
{
	struct stat st;
	int fd = open("su", O_WRONLY);

	if (fd < 0 || write(fd, "x", 1) != 1 || fstat(fd, &st))
		return 1;
	return (st.st_mode & 07777) == 0777 ? 0 : 2;
}
static int
suid_truncate(void)
{
	struct stat st;

	return !(truncate("su", 0) == 0 && stat("su", &st) == 0 && (st.st_mode & 07777) == 0777);
}
int
main(void)
{
	struct stat st;
	static const struct {
		int mode, owner, group, other;
	} m[] = {
		{ 0700, 7, 0, 0 }, { 0070, 0, 7, 0 }, { 0007, 0, 0, 7 },
		{ 0640, 6, 4, 0 }, { 0153, 1, 5, 3 }, { 0426, 4, 2, 6 },
	};
	pid_t pid;

	scratch();
	must(chmod(".", 0777));
	umask(0);
	put_file("f", "x", 1);
	must(chown("f", 1000, 1001));
	for (unsigned i = 0; i < ARRAY_LEN(m); i++) {
		must(chmod("f", m[i].mode));
		is_int(as(1000, 1, 0, rwx), m[i].owner, "mode %04o: the owner", m[i].mode);
		is_int(as(1000, 1001, 0, rwx), m[i].owner, "mode %04o: the owner in the group",
		       m[i].mode);
		is_int(as(2000, 1001, 0, rwx), m[i].group, "mode %04o: the group", m[i].mode);
		is_int(as(2000, 1, 1001, rwx), m[i].group, "mode %04o: a supplementary group",
		       m[i].mode);
		is_int(as(2000, 1, 0, rwx), m[i].other, "mode %04o: others", m[i].mode);
		is_int(as(2000, 1, 0, rw_open), m[i].other & 6, "mode %04o: open agrees",
		       m[i].mode);
	}
	must(chmod("f", 0));
	is_int(rwx(), 6, "root reads and writes anything, executes only what has an x");
	must(mkdir("dir", 0755));
	put_file("dir/in", "x", 1);
	must(chmod("dir", 0744));
	is_int(as(2000, 1, 0, no_x_dir), 0, "a directory without x can be listed, not entered");
	must(chmod("dir", 0711));
	is_int(as(2000, 1, 0, no_r_dir), 0, "without r it can be entered, not listed");
	must(chmod("dir", 0755));
	is_int(as(2000, 1, 0, no_w_dir), 0, "without w nothing is made, removed or renamed");
	must(mkdir("sticky", 01777));
	put_file("sticky/theirs", "x", 1);
	must(chown("sticky/theirs", 3000, 1));
	must(mkdir("sticky/theird", 0777));
	is_int(as(2000, 1, 0, sticky_other), 0, "sticky: others' files stay");
	is_int(as(3000, 1, 0, sticky_own), 0, "sticky: one's own go");
	is_int(as(2000, 1, 0, not_owner), 0, "chmod and chown are the owner's");
	put_file("mine", "x", 1);
	must(chown("mine", 1000, 1));
	is_int(as(1000, 1, 1001, owner), 0, "the owner gives the file to its own groups only");
	put_file("sg", "x", 1);
	must(chown("sg", 1000, 7777));
	is_int(as(1000, 1, 0, sgid_strip), 0, "chmod drops setgid for a foreign group");
	must(mkdir("sgd", 0755));
	must(chown("sgd", 1000, 5000));
	must(chmod("sgd", 02775));
	is_int(as(1000, 1, 0, sgid_dir), 0,
	       "a setgid directory passes its group on, and the bit to directories");
	put_file("su", "x", 1);
	must(chown("su", 0, 0));
	must(chmod("su", 06777));
	is_int(as(1000, 1, 0, suid_write), 0, "a write by a user clears suid and sgid");
	must(chmod("su", 06777));
	is_int(as(1000, 1, 0, suid_truncate), 0, "so does a truncate");
	must(chmod("su", 06777));
	must(chown("su", 5, 5));
	must(stat("su", &st));
	is_int(st.st_mode & 07777, 0777, "and chown, even by root");
	must(chmod("su", 02766));
	must(chown("su", 6, 6));
	must(stat("su", &st));
	is_int(st.st_mode & 07777, 02766, "sgid without group x is left alone");
	must(chmod("su", 04644));
	int fd = must(open("su", O_WRONLY));
	must(write(fd, "r", 1));
	must(fstat(fd, &st));
	is_int(st.st_mode & 07777, 04644, "a write by root keeps suid");

	must(chmod("f", 0600));
	must(chown("f", 1000, 1));
	if ((pid = fork()) == 0) {
		int bad;

		if (setresuid(2000, 1000, 0))
			_exit(100);
		bad = access("f", R_OK) != -1 || errno != EACCES;
		bad |= (syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS) != 0) << 1;
		bad |= (open("f", O_RDONLY) < 0) << 2;
		_exit(bad);
	}
	is_exit(pid, 0, "access uses real ids, AT_EACCESS and open the effective ones");
	sys_err(access("f", 8), EINVAL, "access bad mode");
	sys_err(access("missing", F_OK), ENOENT, "access of nothing");
	sys_err(chmod("missing", 0), ENOENT, "chmod of nothing");
	sys_err(fchmod(999, 0), EBADF, "fchmod bad descriptor");
	sys_ok(chown("f", -1, -1), "chown of nothing changes nothing");
	must(stat("f", &st));
	ok(st.st_uid == 1000 && st.st_gid == 1, "indeed");
	return done();
}
