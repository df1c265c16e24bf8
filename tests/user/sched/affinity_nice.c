/* SPDX-License-Identifier: MIT */
/* Affinity of threads, getcpu, nice values of threads, groups and users. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static long
get_mask(int pid, unsigned long *mask, unsigned size)
{
	return syscall(SYS_sched_getaffinity, pid, size, mask);
}

static long
set_mask(int pid, unsigned long mask)
{
	return syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask);
}

static void
affinity(void)
{
	unsigned long all[16] = { 0 }, now[16] = { 0 };
	unsigned cpu = 99, node = 99, moved = 0, usable = 0;
	long size = get_mask(0, all, sizeof(all));

	ok(size >= 8 && size % 8 == 0, "the mask is whole words");
	ok(all[0] & ~0ul, "some CPU is ours");
	sys_err(get_mask(0, now, 7), EINVAL, "not whole words");
	sys_err(get_mask(0, now, 0), EINVAL, "no room");
	sys_err(get_mask(0x3fffffff, now, sizeof(now)), ESRCH, "mask of nobody");
	sys_err(get_mask(0, (void *)8, 8), EFAULT, "bad address");
	sys_err(set_mask(0, 0), EINVAL, "no CPU");
	sys_err(syscall(SYS_sched_setaffinity, 0, 8, 8), EFAULT, "bad mask");
	sys_err(set_mask(0x3fffffff, 1), ESRCH, "for nobody");
	for (unsigned i = 0; i < 8 && size == 8; i++) {
		if (!(all[0] >> i & 1))
			continue;
		usable++;
		must(set_mask(0, 1ul << i));
		must(syscall(SYS_getcpu, &cpu, &node, NULL));
		must(get_mask(0, now, sizeof(now)));
		moved += cpu == i && now[0] == 1ul << i;
	}
	is_int(moved, usable, "each CPU in turn");
	sys_ok(set_mask(0, ~0ul), "more than there are");
	must(get_mask(0, now, sizeof(now)));
	is_int(now[0], all[0], "only the existing ones remain");
	sys_ok(syscall(SYS_getcpu, NULL, NULL, NULL), "getcpu for nothing");
}

static volatile int thread_tid, go;

static void *
thread(void *arg)
{
	unsigned cpu;

	(void)arg;
	thread_tid = kt_gettid();
	while (!go)
		;
	must(syscall(SYS_getcpu, &cpu, NULL, NULL));
	return (void *)(long)cpu;
}

/* A thread that runs is moved before the call returns. */
static void
move_other(void)
{
	unsigned long all = 0;
	unsigned last;
	pthread_t t;
	void *cpu;

	must(get_mask(0, &all, sizeof(all)));
	last = 63 - __builtin_clzl(all);
	must(pthread_create(&t, NULL, thread, NULL));
	while (!thread_tid)
		usleep(1000);
	sys_ok(set_mask(thread_tid, 1ul << last), "move a running thread");
	go = 1;
	pthread_join(t, &cpu);
	is_int((long)cpu, last, "it runs there");
}

static int
nice_of(int which, int who)
{
	errno = 0;
	return getpriority(which, who);
}

static void
nice_values(void)
{
	int status;
	pid_t pid;

	is_int(nice_of(PRIO_PROCESS, 0), 0, "starts with 0");
	is_int(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20, "which the call tells as 20");
	sys_err(nice_of(3, 0), EINVAL, "no such kind");
	sys_err(nice_of(-1, 0), EINVAL, "negative kind");
	sys_err(nice_of(PRIO_PROCESS, 0x3fffffff), ESRCH, "nobody");
	sys_err(nice_of(PRIO_PGRP, 0x3fffffff), ESRCH, "no group");
	sys_err(nice_of(PRIO_USER, 987654), ESRCH, "no user");
	sys_err(setpriority(PRIO_PROCESS, 0x3fffffff, 0), ESRCH, "set for nobody");
	pid = must(fork());
	if (!pid) {
		int bad = 0;

		setpgid(0, 0);
		bad |= setpriority(PRIO_PROCESS, 0, 5) != 0;
		bad |= (nice_of(PRIO_PROCESS, 0) != 5) << 1;
		bad |= (setpriority(PRIO_PGRP, 0, 7) != 0) << 2;
		bad |= (nice_of(PRIO_PGRP, 0) != 7) << 3;
		bad |= (setpriority(PRIO_PROCESS, 0, 100) != 0) << 4;
		bad |= (nice_of(PRIO_PROCESS, 0) != 19) << 5;
		bad |= (nice_of(PRIO_USER, 0) > 19) << 6;
		_exit(bad);
	}
	must(waitpid(pid, &status, 0));
	is_int(status, 0, "5, 7 for the group, at most 19");
	pid = must(fork());
	if (!pid) {
		must(setpriority(PRIO_PROCESS, 0, 4));
		if (!fork())
			_exit(nice_of(PRIO_PROCESS, 0) != 4);
		wait(&status);
		_exit(status != 0);
	}
	must(waitpid(pid, &status, 0));
	is_int(status, 0, "children inherit it");
}

int
main(void)
{
	nice_values();
	affinity();
	move_other();
	return done();
}
