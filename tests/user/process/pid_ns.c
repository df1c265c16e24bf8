/* SPDX-License-Identifier: MIT */
/* PID namespaces: numbering inside and outside, the inner init's duties, nesting, its end. */
#include "../compat.h"
#include "../tap.h"
#include <sys/mount.h>
#include <sys/prctl.h>

static volatile int *m;

static pid_t
ns_fork(unsigned long flags)
{
	return syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void
hit(int s)
{
	m[s]++;
}

/* The first process of a namespace. */
static int
inner_init(void)
{
	pid_t kid, grand;
	siginfo_t si;
	int st, r = 0;

	r |= getpid() != 1 || kt_gettid() != 1;
	r |= (getppid() != 0) << 1;
	r |= (getpgrp() != 0) << 2; /* its group is outside */
	if ((kid = fork()) == 0)
		_exit(getpid() == 2 && getppid() == 1 ? 7 : 8);
	r |= (kid != 2) << 3;
	r |= (waitid(P_PID, kid, &si, WEXITED) || si.si_pid != 2 || si.si_status != 7) << 4;
	/* orphans come to this init */
	if ((kid = fork()) == 0) {
		if ((grand = fork()) == 0) {
			while (getppid() != 1)
				sleep_ms(1);
			_exit(9);
		}
		_exit(0);
	}
	waitpid(kid, &st, 0);
	r |= (waitpid(-1, &st, 0) <= 0 || WEXITSTATUS(st) != 9) << 5;
	r |= (kill(1, SIGTERM) != 0) << 6; /* default action: ignored for an init */
	r |= (kill(500, 0) != -1 || errno != ESRCH) << 7;
	return r;
}

static int
killed_init(void)
{
	if (fork() == 0)
		for (;;) {
			m[60]++;
			sleep_ms(1);
		}
	while (!m[60])
		sleep_ms(1);
	return 0;
}

static int
with_proc(void)
{
	DIR *d;
	struct dirent *e;
	int pids = 0, r = 0;
	char buf[20];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return 64;
	if (fork() == 0)
		for (;;)
			pause();
	d = opendir("/proc");
	while ((e = readdir(d)) != NULL)
		pids += atoi(e->d_name) > 0;
	closedir(d);
	r |= pids != 2;
	ssize_t n = readlink("/proc/self", buf, sizeof(buf));

	r |= (n != 1 || buf[0] != '1') << 1;
	r |= (!get_file("/proc/2/stat") || atoi(get_file("/proc/2/stat")) != 2) << 2;
	char *s = get_file("/proc/self/status");

	r |= (!s || !strstr(s, "\nPid:\t1\n") || !strstr(s, "\nNSpid:\t1\n")) << 3;
	return r;
}

static int
caught(void)
{
	handle(SIGUSR1, hit, 0);
	m[61] = 1;
	while (m[61])
		pause();
	return 0;
}

int
main(void)
{
	char path[64], *s, want[64];
	pid_t pid, kid;
	int st, ns;

	m = shared_alloc(4096);
	if ((pid = ns_fork(CLONE_NEWPID)) == 0)
		_exit(inner_init());
	ok(pid > 1, "outside it has an ordinary pid");
	is_exit(pid, 0, "inside: pid 1, parent 0, children 2 and up, orphans reaped, signals");
	if ((pid = ns_fork(CLONE_NEWPID)) == 0)
		_exit(killed_init());
	is_exit(pid, 0, "an init that leaves a child behind");
	st = m[60];
	sleep_ms(20);
	is_int(m[60], st, "its end kills all others");
	if ((pid = ns_fork(CLONE_NEWPID | CLONE_NEWNS)) == 0)
		_exit(with_proc());
	is_exit(pid, 0, "proc mounted inside shows that namespace");

	if ((pid = ns_fork(CLONE_NEWPID)) == 0)
		_exit(caught());
	while (!m[61])
		sleep_ms(1);
	kill(pid, SIGTERM);
	kill(pid, SIGUSR1);
	for (int i = 0; i < 1000 && !m[SIGUSR1]; i++)
		sleep_ms(2);
	is_int(m[SIGUSR1], 1, "an inner init gets what it catches");
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	s = get_file(path);
	snprintf(want, sizeof(want), "\nNSpid:\t%d\t1\n", pid);
	ok(s && strstr(s, want), "NSpid shows both numbers");
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	ns = must(open(path, O_RDONLY));
	kill(pid, SIGKILL);
	is_killed(pid, SIGKILL, "SIGKILL from outside ends it");

	/* unshare: for children only, the first is the init */
	if ((pid = fork()) == 0) {
		pid_t me = getpid();

		if (unshare(CLONE_NEWPID) || getpid() != me)
			_exit(1);
		if ((kid = fork()) == 0)
			_exit(getpid() == 1 ? 5 : 6);
		waitpid(kid, &st, 0);
		if (WEXITSTATUS(st) != 5)
			_exit(2);
		_exit(fork() == -1 && errno == ENOMEM ? 0 : 3); /* the namespace is dead */
	}
	is_exit(pid, 0, "unshare: the next child is its init, after which there are no more");
	if ((pid = fork()) == 0)
		_exit(setns(ns, CLONE_NEWPID) == 0 && fork() == -1 && errno == ENOMEM ? 0 : 1);
	is_exit(pid, 0, "setns to a dead one: no fork");
	/* nesting */
	if ((pid = ns_fork(CLONE_NEWPID)) == 0) {
		if ((kid = ns_fork(CLONE_NEWPID)) == 0)
			_exit(getpid() == 1 ? 3 : 4);
		waitpid(kid, &st, 0);
		_exit(kid == 2 && WEXITSTATUS(st) == 3 ? 0 : 1);
	}
	is_exit(pid, 0, "a namespace in a namespace");
	sys_err(syscall(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, NULL,
			NULL, NULL, NULL),
		EINVAL, "not with CLONE_THREAD");
	if ((pid = fork()) == 0)
		_exit(setuid(1000) == 0 && ns_fork(CLONE_NEWPID) == -1 && errno == EPERM ? 0 : 1);
	is_exit(pid, 0, "not for users");
	sys_err(setns(ns, CLONE_NEWUTS), EINVAL, "setns with another kind");
	sys_err(setns(0, 0), EINVAL, "setns of another file");
	return done();
}
