/* SPDX-License-Identifier: MIT */
/* uname, host names in a namespace, sysinfo, syslog, personality. */
#include "../compat.h"
#include "../tap.h"
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int
main(void)
{
	struct utsname u, v;
	struct sysinfo si;
	char buf[100], *s;
	int p[2];
	pid_t pid;

	sys_ok(uname(&u), "uname");
	is_str(u.sysname, "Linux", "sysname");
	is_str(u.machine, "x86_64", "machine");
	ok(u.release[0] && u.version[0] && u.nodename[0] && u.domainname[0],
	   "all fields are filled");
	ok(atoi(u.release) >= 4, "the release begins with a number programs accept");
	sys_err(syscall(SYS_uname, at(8)), EFAULT, "bad pointer");
	s = get_file("/proc/sys/kernel/osrelease");
	ok(s && strncmp(s, u.release, strlen(u.release)) == 0 && s[strlen(u.release)] == '\n',
	   "osrelease agrees");
	s = get_file("/proc/sys/kernel/ostype");
	is_str(s, "Linux\n", "ostype agrees");
	s = get_file("/proc/version");
	ok(s && strncmp(s, "Linux version ", 14) == 0 && strstr(s, u.release),
	   "/proc/version agrees");

	must(pipe(p));
	if ((pid = fork()) == 0) {
		if (unshare(CLONE_NEWUTS))
			_exit(1);
		if (sethostname("inner", 5) || setdomainname("dom", 3) || uname(&v) ||
		    strcmp(v.nodename, "inner") || strcmp(v.domainname, "dom"))
			_exit(2);
		s = get_file("/proc/sys/kernel/hostname");
		if (!s || strcmp(s, "inner\n"))
			_exit(3);
		memset(buf, 'x', 100);
		if (sethostname(buf, 65) != -1 || errno != EINVAL ||
		    syscall(SYS_sethostname, buf, -1) != -1 || errno != EINVAL)
			_exit(4);
		if (sethostname(buf, 64) || uname(&v) || strlen(v.nodename) != 64)
			_exit(5);
		if (fork() == 0)
			_exit(uname(&v) || strlen(v.nodename) != 64 ? 1 : 0);
		int st;
		wait(&st);
		if (st)
			_exit(6);
		if (setuid(1000) || sethostname("no", 2) != -1 || errno != EPERM)
			_exit(7);
		_exit(0);
	}
	is_exit(pid, 0, "host and domain name in a namespace of their own");
	uname(&v);
	is_str(v.nodename, u.nodename, "the outer name is unchanged");
	is_int(unshare(0), 0, "unshare of nothing");
	sys_err(unshare(0x1), EINVAL, "unshare of an unknown flag");

	sys_ok(sysinfo(&si), "sysinfo");
	ok(si.mem_unit >= 1 && si.totalram > 0 && si.freeram > 0 && si.freeram < si.totalram,
	   "memory");
	ok(si.procs > 0 && si.uptime > 0, "processes and uptime");
	ok(si.totalswap >= si.freeswap, "swap");
	sys_err(syscall(SYS_sysinfo, at(8)), EFAULT, "sysinfo bad pointer");
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	ok(labs((long)ts.tv_sec - (long)si.uptime) <= 1, "uptime is CLOCK_BOOTTIME");

	ok(klogctl(10, NULL, 0) > 0, "the log has a size");
	ok(klogctl(3, buf, sizeof(buf)) >= 0, "reading it");
	sys_err(klogctl(99, NULL, 0), EINVAL, "unknown log command");
	sys_err(klogctl(3, NULL, 10), EINVAL, "log without buffer");

	is_int(personality(0xffffffff), 0, "personality is PER_LINUX");
	is_int(personality(ADDR_NO_RANDOMIZE), 0, "setting returns the old one");
	if ((pid = fork()) == 0)
		_exit(personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1);
	is_exit(pid, 0, "a child inherits it");
	is_int(personality(0), ADDR_NO_RANDOMIZE, "and back");
	return done();
}
