/* SPDX-License-Identifier: MIT */
/* The setuid family: transitions for root and for users, groups, errors. */
#include "../tap.h"
#include <grp.h>
#include <sys/fsuid.h>

static int
ids(uid_t r, uid_t e, uid_t s)
{
	uid_t a, b, c;

	return getresuid(&a, &b, &c) == 0 && a == r && b == e && c == s;
}

static int
gids(gid_t r, gid_t e, gid_t s)
{
	gid_t a, b, c;

	return getresgid(&a, &b, &c) == 0 && a == r && b == e && c == s;
}

static int
in_child(int (*fn)(void))
{
	pid_t pid = must(fork());
	int st;

	if (pid == 0)
		_exit(fn());
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

#define EPERM_OF(call) ((call) == -1 && errno == EPERM)

static int
root_setuid(void)
{
	return !(setuid(1000) == 0 && ids(1000, 1000, 1000) && EPERM_OF(setuid(0)) &&
		 EPERM_OF(seteuid(0)));
}
static int
root_seteuid(void)
{
	return !(seteuid(1000) == 0 && ids(0, 1000, 0) && EPERM_OF(setuid(2000)) &&
		 setuid(0) == 0 && ids(0, 0, 0));
}
static int
saved(void)
{
	return !(setresuid(1000, 1000, 2000) == 0 && seteuid(2000) == 0 && ids(1000, 2000, 2000) &&
		 seteuid(1000) == 0 && ids(1000, 1000, 2000) && EPERM_OF(seteuid(3000)) &&
		 EPERM_OF(setresuid(3000, -1, -1)));
}
static int
swap(void)
{
	return !(setresuid(1000, 2000, 2000) == 0 && setreuid(2000, 1000) == 0 &&
		 ids(2000, 1000, 1000));
}
static int
setreuid_saved(void)
{
	return !(setreuid(1000, -1) == 0 && ids(1000, 0, 0) && setreuid(-1, 2000) == 0 &&
		 ids(1000, 2000, 2000));
}
static int
user_setuid(void)
{
	return !(setresuid(1000, 2000, 3000) == 0 && setuid(3000) == 0 && ids(1000, 3000, 3000) &&
		 setuid(1000) == 0 && ids(1000, 1000, 3000));
}
static int
nochange(void)
{
	return !(setresuid(-1, -1, -1) == 0 && ids(0, 0, 0) && setresgid(-1, -1, -1) == 0);
}
static int
groups_of_user(void)
{
	gid_t g[4] = { 5, 6, 7, 0 };

	return !(setgroups(3, g) == 0 && setgid(1000) == 0 && gids(1000, 1000, 1000) &&
		 setuid(1000) == 0 && getgroups(0, NULL) == 3 && EPERM_OF(setgroups(1, g)) &&
		 EPERM_OF(setgid(0)) && EPERM_OF(setegid(5)));
}
static int
setgid_user(void)
{
	return !(setresgid(1000, 2000, 3000) == 0 && setuid(1000) == 0 && setgid(3000) == 0 &&
		 gids(1000, 3000, 3000) && setregid(-1, 1000) == 0 && gids(1000, 1000, 3000));
}
static int
fsids(void)
{
	if (setfsuid(1000) != 0 || setfsuid(-1) != 1000)
		return 1;
	int fd = open("/tmp/kt-fsuid", O_CREAT | O_WRONLY | O_EXCL, 0600);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || st.st_uid != 1000)
		return 2;
	setfsuid(0);
	unlink("/tmp/kt-fsuid");
	if (seteuid(2000) || setfsuid(-1) != 2000)
		return 3;
	return 0;
}
static int
dumpable(void)
{
	char *s;

	if (setuid(1000))
		return 1;
	s = get_file("/proc/self/status");
	return !(s && strstr(s, "\nUid:\t1000\t1000\t1000\t1000\n"));
}
static int
big(void)
{
	return !(setresuid(-2, -2, -2) == 0 && getuid() == (uid_t)-2);
}

int
main(void)
{
	gid_t g[70000 / sizeof(gid_t)], few[3] = { 30, 10, 20 };

	ok(ids(0, 0, 0) && gids(0, 0, 0), "the tests run as root");
	is_int(in_child(root_setuid), 0, "setuid by root sets all three, for good");
	is_int(in_child(root_seteuid), 0, "seteuid by root is temporary");
	is_int(in_child(saved), 0, "a user may switch to its saved id, to no other");
	is_int(in_child(swap), 0, "setreuid swaps real and effective");
	is_int(in_child(setreuid_saved), 0, "setreuid sets the saved id by its rule");
	is_int(in_child(user_setuid), 0, "setuid by a user sets only the effective id");
	is_int(in_child(nochange), 0, "-1 changes nothing");
	is_int(in_child(groups_of_user), 0, "setgroups and setgid, refused to users");
	is_int(in_child(setgid_user), 0, "setgid and setregid by a user");
	is_int(in_child(fsids), 0, "setfsuid decides the owner of new files");
	is_int(in_child(dumpable), 0, "/proc/self/status shows the new ids");
	is_int(in_child(big), 0, "ids up to 2^32-2");
	sys_err(setuid(-1), EINVAL, "setuid(-1)");
	sys_err(setgid(-1), EINVAL, "setgid(-1)");
	sys_ok(setgroups(3, few), "setgroups");
	is_int(getgroups(0, NULL), 3, "getgroups gives the count");
	is_int(getgroups(10, g), 3, "and the list");
	ok((g[0] == 10 && g[1] == 20 && g[2] == 30) || (g[0] == 30 && g[1] == 10 && g[2] == 20),
	   "with all members");
	sys_err(getgroups(2, g), EINVAL, "a short list");
	sys_err(syscall(SYS_getgroups, -1, g), EINVAL, "a negative length");
	sys_err(syscall(SYS_setgroups, 65537, g), EINVAL, "too many groups");
	sys_err(syscall(SYS_setgroups, 3, at(8)), EFAULT, "bad pointer");
	sys_ok(setgroups(0, NULL), "no groups");
	is_int(getgroups(0, NULL), 0, "none left");
	return done();
}
