/* SPDX-License-Identifier: MIT */
/* capget, capset, the bounding and ambient sets, securebits, effects of losing capabilities. */
#include "../compat.h"
#include "../tap.h"
#include <sys/prctl.h>
#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT		 47
#define PR_CAP_AMBIENT_IS_SET	 1
#define PR_CAP_AMBIENT_RAISE	 2
#define PR_CAP_AMBIENT_LOWER	 3
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

static int
get(struct kt_cap_data d[2])
{
	struct kt_cap_header h = { KT_CAP_V3, 0 };

	return syscall(SYS_capget, &h, d);
}

static int
set(struct kt_cap_data d[2])
{
	struct kt_cap_header h = { KT_CAP_V3, 0 };

	return syscall(SYS_capset, &h, d);
}

static int
drop_chown(void)
{
	struct kt_cap_data d[2];

	if (get(d))
		return 1;
	d[0].effective &= ~(1u << KT_CAP_CHOWN);
	if (set(d))
		return 2;
	if (chown("f", 5, 5) == 0 || errno != EPERM)
		return 3;
	d[0].effective |= 1u << KT_CAP_CHOWN;
	if (set(d) || chown("f", 5, 5))
		return 4;
	d[0].effective &= ~(1u << KT_CAP_CHOWN);
	d[0].permitted &= ~(1u << KT_CAP_CHOWN);
	if (set(d))
		return 5;
	d[0].permitted |= 1u << KT_CAP_CHOWN;
	if (set(d) == 0 || errno != EPERM)
		return 6;
	return 0;
}

static int
by_uid(void)
{
	struct kt_cap_data d[2];

	if (seteuid(1000) || get(d) || d[0].effective || !d[0].permitted)
		return 1;
	if (seteuid(0) || get(d) || !d[0].effective)
		return 2;
	if (setuid(1000) || get(d) || d[0].effective || d[0].permitted)
		return 3;
	return 0;
}

static int
keepcaps(void)
{
	struct kt_cap_data d[2];

	if (prctl(PR_SET_KEEPCAPS, 1) || prctl(PR_GET_KEEPCAPS) != 1)
		return 1;
	if (setuid(1000) || get(d) || d[0].effective || !d[0].permitted)
		return 2;
	return 0;
}

static int
bounding(void)
{
	if (prctl(PR_CAPBSET_READ, KT_CAP_CHOWN) != 1)
		return 1;
	if (prctl(PR_CAPBSET_DROP, KT_CAP_CHOWN) || prctl(PR_CAPBSET_READ, KT_CAP_CHOWN) != 0)
		return 2;
	if (prctl(PR_CAPBSET_READ, 63) != -1 || errno != EINVAL)
		return 3;
	execl("/proc/self/exe", "x", "bound", NULL);
	return 4;
}

static int
ambient(void)
{
	struct kt_cap_data d[2];

	if (get(d) || (d[0].inheritable = 1u << KT_CAP_CHOWN, set(d)))
		return 1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KT_CAP_CHOWN, 0, 0))
		return 2;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, KT_CAP_CHOWN, 0, 0) != 1)
		return 3;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KT_CAP_KILL, 0, 0) == 0 || errno != EPERM)
		return 4;
	if (prctl(PR_SET_KEEPCAPS, 1) || setresuid(1000, 1000, 1000))
		return 5;
	/* losing root cleared the ambient set; raise it again and keep it over exec */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KT_CAP_CHOWN, 0, 0))
		return 6;
	execl("/proc/self/exe", "x", "ambient", NULL);
	return 7;
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

int
main(int argc, char **argv)
{
	struct kt_cap_header h = { 0, 0 };
	struct kt_cap_data d[2];
	char *s;
	pid_t pid;

	if (argc > 1) {
		if (get(d))
			return 50;
		if (!strcmp(argv[1], "bound"))
			return d[0].permitted >> KT_CAP_CHOWN & 1;
		return d[0].effective == 1u << KT_CAP_CHOWN && d[0].permitted == 1u << KT_CAP_CHOWN
			       ? 0
			       : 51;
	}
	scratch();
	put_file("f", "", 0);
	sys_err(syscall(SYS_capget, &h, d), EINVAL, "an unknown version");
	is_int(h.version, KT_CAP_V3, "is answered with the kernel's");
	h.version = 0;
	is_int(syscall(SYS_capget, &h, NULL), 0, "a query without data succeeds");
	h = (struct kt_cap_header){ KT_CAP_V3, 0 };
	sys_ok(syscall(SYS_capget, &h, d), "capget");
	is_int(d[0].effective & ~(1u << KT_CAP_SYS_RESOURCE), ~(1u << KT_CAP_SYS_RESOURCE),
	       "root has the low 32");
	is_int(d[0].permitted, d[0].effective, "permitted too");
	is_int(d[0].inheritable, 0, "none is inheritable");
	is_int(d[1].effective & 0x1ff, 0x1ff, "and those up to 40");
	sys_ok(syscall(SYS_capset, &h, d), "capset of the same");
	h.pid = 0x3fffffff;
	sys_err(syscall(SYS_capget, &h, d), ESRCH, "capget of nobody");
	h.pid = -1;
	sys_err(syscall(SYS_capget, &h, d), EINVAL, "capget of a negative pid");
	h.pid = 1;
	sys_ok(syscall(SYS_capget, &h, d), "capget of another process");
	sys_err(syscall(SYS_capset, &h, d), EPERM, "capset of another process");
	sys_err(syscall(SYS_capget, at(8), d), EFAULT, "bad header pointer");
	h.pid = 0;
	sys_err(syscall(SYS_capget, &h, at(8)), EFAULT, "bad data pointer");
	is_int(in_child(drop_chown), 0, "CAP_CHOWN: dropped, regained, lost");
	is_int(in_child(by_uid), 0, "effective ones follow the effective uid");
	is_int(in_child(keepcaps), 0, "PR_SET_KEEPCAPS keeps permitted ones");
	is_int(in_child(bounding), 0, "the bounding set limits exec");
	is_int(in_child(ambient), 0, "ambient ones survive exec by a user");
	s = get_file("/proc/self/status");
	ok(s && strstr(s, "\nCapInh:\t0000000000000000\n"), "status: CapInh");
	ok(s && strstr(s, "\nCapPrm:\t") && strstr(s, "\nCapEff:\t") && strstr(s, "\nCapBnd:\t") &&
		   strstr(s, "\nCapAmb:\t0000000000000000\n"),
	   "status: the other sets");
	if ((pid = fork()) == 0)
		_exit(setuid(1000) || prctl(PR_CAPBSET_DROP, 5) == 0 || errno != EPERM);
	is_exit(pid, 0, "a user cannot drop from the bounding set");
	return done();
}
