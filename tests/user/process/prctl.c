/* SPDX-License-Identifier: MIT */
/* prctl options that programs use, and what unknown ones give. */
#include "../tap.h"
#include <sys/prctl.h>

int
main(void)
{
	char name[20], path[64], *s;
	int v;
	pid_t pid;

	sys_ok(prctl(PR_SET_NAME, "kevlar-test-name-too-long"), "PR_SET_NAME");
	memset(name, 'x', sizeof(name));
	sys_ok(prctl(PR_GET_NAME, name), "PR_GET_NAME");
	is_str(name, "kevlar-test-nam", "cut to 15 bytes");
	s = get_file("/proc/self/comm");
	is_str(s, "kevlar-test-nam\n", "/proc/self/comm shows it");
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
	put_file(path, "by proc", 7);
	prctl(PR_GET_NAME, name);
	is_str(name, "by proc", "writing comm sets it");
	if ((pid = fork()) == 0) {
		prctl(PR_GET_NAME, name);
		_exit(strcmp(name, "by proc") != 0);
	}
	is_exit(pid, 0, "a child inherits it");
	sys_err(prctl(PR_SET_NAME, at(8)), EFAULT, "PR_SET_NAME bad pointer");
	sys_err(prctl(PR_GET_NAME, at(8)), EFAULT, "PR_GET_NAME bad pointer");

	is_int(prctl(PR_GET_DUMPABLE), 1, "dumpable at first");
	sys_ok(prctl(PR_SET_DUMPABLE, 0), "PR_SET_DUMPABLE");
	is_int(prctl(PR_GET_DUMPABLE), 0, "reads back");
	sys_err(prctl(PR_SET_DUMPABLE, 2), EINVAL, "2 cannot be set");
	sys_ok(prctl(PR_SET_DUMPABLE, 1), "back to 1");

	is_int(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0, "no_new_privs is off");
	if ((pid = fork()) == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
			_exit(1);
		if (prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 || errno != EINVAL)
			_exit(2);
		if (fork() == 0)
			_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		wait(&v);
		_exit(WEXITSTATUS(v) == 1 ? 0 : 3);
	}
	is_exit(pid, 0, "it can be set, inherited, not unset");
	sys_err(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL, "unused arguments must be 0");

	is_int(prctl(PR_GET_TIMERSLACK), 50000, "timer slack is 50 us");
	sys_ok(prctl(PR_SET_TIMERSLACK, 1000), "PR_SET_TIMERSLACK");
	is_int(prctl(PR_GET_TIMERSLACK), 1000, "reads back");
	sys_ok(prctl(PR_SET_TIMERSLACK, 0), "0 restores the default");
	is_int(prctl(PR_GET_TIMERSLACK), 50000, "it is back");
	is_int(prctl(PR_GET_SECUREBITS), 0, "securebits are 0");
	is_int(prctl(PR_GET_KEEPCAPS), 0, "keepcaps is 0");
	sys_err(prctl(PR_SET_KEEPCAPS, 2), EINVAL, "keepcaps 2");
	is_int(prctl(PR_GET_TSC, &v), 0, "PR_GET_TSC");
	is_int(v, PR_TSC_ENABLE, "the counter is readable");
	sys_err(prctl(123456), EINVAL, "an unknown option");
	sys_err(prctl(-1), EINVAL, "option -1");
	ok(prctl(PR_GET_SECCOMP) == 0 || errno == EINVAL, "no seccomp filter, or none built in");
	sys_err(prctl(PR_GET_PDEATHSIG, at(8)), EFAULT, "PR_GET_PDEATHSIG bad pointer");
	sys_err(prctl(PR_GET_CHILD_SUBREAPER, at(8)), EFAULT, "PR_GET_CHILD_SUBREAPER bad pointer");
	return done();
}
