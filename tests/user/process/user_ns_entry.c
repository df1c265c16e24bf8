/* SPDX-License-Identifier: MIT */
/* Who enters a user namespace from outside does not fall to those who rule there: ptrace(2). */
#include "../tap.h"
#include <sched.h>
#include <sys/ptrace.h>

static int
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), r;

	if (fd < 0)
		return -1;
	r = (int)write(fd, text, strlen(text));
	close(fd);
	return r == (int)strlen(text) ? 0 : -1;
}

/* Rules a namespace of its own, as user 1000; tells so, and attaches to who is named then. */
static int
ruler(int ready, int go)
{
	char path[64];
	pid_t target;
	int err;

	if (setgid(1000) || setuid(1000) || unshare(CLONE_NEWUSER))
		return 1;
	if (write_file("/proc/self/setgroups", "deny") ||
	    write_file("/proc/self/uid_map", "0 1000 1\n") ||
	    write_file("/proc/self/gid_map", "0 1000 1\n"))
		return 2;
	if (write(ready, "r", 1) != 1 || read(go, &target, sizeof(target)) != sizeof(target))
		return 3;
	if (ptrace(PTRACE_SEIZE, target, 0, 0) == 0)
		return 4;
	err = errno;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)target);
	if (open(path, O_RDWR) >= 0)
		return 5;
	return err == EPERM ? 0 : 6;
}

int
main(void)
{
	int ready[2], go[2], entered[2], ns;
	char path[64], byte;
	pid_t pid, guest;

	if (geteuid()) {
		diag("not root");
		ok(1, "nothing to try");
		return done();
	}
	must(pipe(ready));
	must(pipe(go));
	must(pipe(entered));
	pid = must(fork());
	if (!pid)
		_exit(ruler(ready[1], go[0]));
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		int st = reap(pid);

		diag("no user namespaces for users here: %x", st);
		ok(1, "nothing to try");
		return done();
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	ns = must(open(path, O_RDONLY));
	guest = must(fork());
	if (!guest) {
		if (setns(ns, CLONE_NEWUSER) || setgid(0) || setuid(0))
			_exit(1);
		if (write(entered[1], "e", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(entered[1]);
	is_int(read(entered[0], &byte, 1), 1, "root enters the namespace and becomes its root");
	must(write(go[1], &guest, sizeof(guest)));
	is_exit(pid, 0, "its ruler cannot trace that process");
	kill(guest, SIGKILL);
	is_killed(guest, SIGKILL, "which goes on until it is killed");
	return done();
}
