/* SPDX-License-Identifier: MIT */
/* Scheduling calls: policies, priorities, nice, affinity, intervals, rights, errors. */
#include "../compat.h"
#include "../tap.h"

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static long
setp(pid_t pid, int policy, int prio)
{
	struct sched_param sp = { .sched_priority = prio };

	return syscall(SYS_sched_setscheduler, pid, policy, &sp);
}

static int
prio(pid_t pid)
{
	struct sched_param sp = { .sched_priority = -1 };

	return syscall(SYS_sched_getparam, pid, &sp) ? -1 : sp.sched_priority;
}

int
main(void)
{
	struct sched_param sp = { .sched_priority = 3 };
	struct attr a = { .size = sizeof(a) };
	struct timespec ts;
	cpu_set_t set, one, none;
	int n, cpus, cpu;
	pid_t pid;

	is_int(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER, "SCHED_OTHER at first");
	is_int(prio(0), 0, "priority 0");
	is_int(sched_get_priority_max(SCHED_FIFO), 99, "FIFO up to 99");
	is_int(sched_get_priority_min(SCHED_FIFO), 1, "from 1");
	is_int(sched_get_priority_max(SCHED_RR), 99, "RR up to 99");
	is_int(sched_get_priority_max(SCHED_OTHER), 0, "OTHER has 0");
	is_int(sched_get_priority_max(SCHED_BATCH), 0, "BATCH has 0");
	sys_err(sched_get_priority_max(77), EINVAL, "unknown policy");
	sys_ok(setp(0, SCHED_FIFO, 10), "to SCHED_FIFO");
	is_int(syscall(SYS_sched_getscheduler, 0), SCHED_FIFO, "reads back");
	is_int(prio(0), 10, "with its priority");
	if ((pid = fork()) == 0)
		_exit(syscall(SYS_sched_getscheduler, 0) == SCHED_FIFO && prio(0) == 10 ? 0 : 1);
	is_exit(pid, 0, "a child inherits it");
	sys_ok(syscall(SYS_sched_setparam, 0, &sp), "sched_setparam");
	is_int(prio(0), 3, "reads back");
	sys_ok(setp(0, SCHED_RR, 5), "to SCHED_RR");
	sys_ok(sched_rr_get_interval(0, &ts), "sched_rr_get_interval");
	is_int(ts.tv_sec * 1000 + ts.tv_nsec / 1000000, 100, "100 ms");
	sys_ok(setp(0, SCHED_RR | SCHED_RESET_ON_FORK, 5), "SCHED_RESET_ON_FORK");
	is_int(syscall(SYS_sched_getscheduler, 0), SCHED_RR | SCHED_RESET_ON_FORK, "reads back");
	if ((pid = fork()) == 0)
		_exit(syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER ? 0 : 1);
	is_exit(pid, 0, "a child starts as SCHED_OTHER");
	sys_err(setp(0, SCHED_FIFO, 0), EINVAL, "FIFO with 0");
	sys_err(setp(0, SCHED_FIFO, 100), EINVAL, "FIFO with 100");
	sys_err(setp(0, SCHED_OTHER, 1), EINVAL, "OTHER with 1");
	sys_err(setp(0, 77, 0), EINVAL, "unknown policy to set");
	sys_err(setp(-1, SCHED_OTHER, 0), EINVAL, "negative pid");
	sys_err(setp(0x3fffffff, SCHED_OTHER, 0), ESRCH, "nobody");
	sys_err(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL, "no parameter");
	sys_err(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, at(8)), EFAULT, "bad pointer");
	sys_ok(setp(0, SCHED_BATCH, 0), "SCHED_BATCH");
	sys_ok(setp(0, SCHED_IDLE, 0), "SCHED_IDLE");
	sys_ok(setp(0, SCHED_OTHER, 0), "back to SCHED_OTHER");

	sys_ok(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0), "sched_getattr");
	ok(a.size >= 48 && a.policy == SCHED_OTHER && a.nice == 0 && a.priority == 0, "its fields");
	a = (struct attr){ .size = 48, .policy = SCHED_FIFO, .priority = 7 };
	sys_ok(syscall(SYS_sched_setattr, 0, &a, 0), "sched_setattr");
	is_int(prio(0), 7, "took effect");
	a = (struct attr){ .size = 48, .policy = SCHED_OTHER, .nice = 4 };
	sys_ok(syscall(SYS_sched_setattr, 0, &a, 0), "back, with nice");
	errno = 0;
	is_int(getpriority(PRIO_PROCESS, 0), 4, "nice 4");
	a.size = 500;
	sys_err(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL, "a flag");

	is_int(setpriority(PRIO_PROCESS, 0, 10), 0, "setpriority");
	is_int(getpriority(PRIO_PROCESS, 0), 10, "getpriority");
	is_int(syscall(SYS_getpriority, PRIO_PROCESS, 0), 10, "the call itself says 20 minus nice");
	must(setpriority(PRIO_PROCESS, 0, 100));
	is_int(getpriority(PRIO_PROCESS, 0), 19, "cut to 19");
	must(setpriority(PRIO_PROCESS, 0, -100));
	is_int(getpriority(PRIO_PROCESS, 0), -20, "and -20");
	must(setpriority(PRIO_PROCESS, 0, 0));
	errno = 0;
	is_int(nice(3), 3, "nice adds");
	is_int(getpriority(PRIO_PROCESS, 0), 3, "it is 3");
	if ((pid = fork()) == 0)
		_exit(getpriority(PRIO_PROCESS, 0));
	is_exit(pid, 3, "a child inherits it");
	must(setpriority(PRIO_PGRP, 0, 0));
	is_int(getpriority(PRIO_PGRP, 0), 0, "of a group");
	sys_ok(setpriority(PRIO_USER, 12345, 0) == -1 && errno == ESRCH ? 0 : -1,
	       "of a user without processes: ESRCH");
	sys_err(getpriority(9, 0), EINVAL, "unknown whom");
	sys_err(setpriority(PRIO_PROCESS, 0x3fffffff, 0), ESRCH, "nobody");
	if ((pid = fork()) == 0) {
		int bad = 0;

		if (setgid(1000) || setuid(1000))
			_exit(100);
		bad |= setpriority(PRIO_PROCESS, 0, 5) != 0;
		bad |= (setpriority(PRIO_PROCESS, 0, -5) != -1 || errno != EACCES) << 1;
		bad |= (setpriority(PRIO_PROCESS, getppid(), 5) != -1 || errno != EPERM) << 2;
		bad |= (setp(0, SCHED_FIFO, 1) != -1 || errno != EPERM) << 3;
		bad |= (setp(0, SCHED_BATCH, 0) != 0) << 4;
		_exit(bad);
	}
	is_exit(pid, 0, "a user only lowers itself");

	cpus = sysconf(_SC_NPROCESSORS_CONF);
	memset(&set, 0, sizeof(set));
	n = syscall(SYS_sched_getaffinity, 0, sizeof(set), &set);
	ok(n >= 8 && n % 8 == 0, "sched_getaffinity returns the size of the kernel's mask");
	ok(CPU_COUNT(&set) >= 1 && CPU_COUNT(&set) <= cpus, "some CPUs");
	for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sys_ok(sched_setaffinity(0, sizeof(one), &one), "bind to one CPU");
	is_int(sched_getcpu(), cpu, "the call returns on it");
	CPU_ZERO(&none);
	sched_getaffinity(0, sizeof(none), &none);
	ok(CPU_EQUAL(&none, &one), "reads back");
	if ((pid = fork()) == 0) {
		sched_getaffinity(0, sizeof(none), &none);
		_exit(CPU_EQUAL(&none, &one) && sched_getcpu() == cpu ? 0 : 1);
	}
	is_exit(pid, 0, "a child inherits it");
	CPU_ZERO(&none);
	sys_err(sched_setaffinity(0, sizeof(none), &none), EINVAL, "no CPU");
	CPU_SET(1000, &none);
	sys_err(sched_setaffinity(0, sizeof(none), &none), EINVAL, "only CPUs that do not exist");
	CPU_SET(cpu, &none);
	sys_ok(sched_setaffinity(0, sizeof(none), &none), "some that exist among them");
	sys_err(syscall(SYS_sched_getaffinity, 0, 4, &set), EINVAL,
		"a size that is no multiple of 8");
	sys_err(sched_getaffinity(0x3fffffff, sizeof(set), &none), ESRCH, "affinity of nobody");
	sys_err(syscall(SYS_sched_setaffinity, 0, 8, at(8)), EFAULT, "bad mask pointer");
	sys_ok(sched_setaffinity(0, sizeof(set), &set), "all again");
	is_int(sched_yield(), 0, "sched_yield");
	return done();
}
