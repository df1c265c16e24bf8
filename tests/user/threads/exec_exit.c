/* SPDX-License-Identifier: MIT */
/* exec and exit with several threads: who survives, which pid, which status. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static int *m;

static void *
spin(void *arg)
{
	(void)arg;
	for (;;)
		__atomic_fetch_add(&m[0], 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *
block_forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *
do_exec(void *arg)
{
	char num[16];

	(void)arg;
	sprintf(num, "%d", getpid());
	execl("/proc/self/exe", "exec_exit", num, NULL);
	_exit(99);
}

static void *
do_exit_group(void *arg)
{
	_exit((int)(long)arg);
}

static void *
leave(void *arg)
{
	syscall(SYS_exit, 77);
	return arg;
}

static void *
late(void *arg)
{
	(void)arg;
	sleep_ms(100);
	m[1] = 1;
	_exit(13);
}

static void *
do_fork(void *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (pid == 0)
		_exit(kt_gettid() == getpid() && getppid() == m[2] ? 21 : 22);
	return (void *)(long)(WEXITSTATUS(reap(pid)));
}

static pthread_t
start(void *(*fn)(void *), long arg)
{
	pthread_t t;

	must(pthread_create(&t, NULL, fn, (void *)arg) ? -1 : 0);
	return t;
}

static int
entries(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

int
main(int argc, char **argv)
{
	void *ret;
	pid_t pid;
	int v;

	if (argc > 1)
		return getpid() == atoi(argv[1]) && kt_gettid() == getpid() && entries() == 1 ? 55
											      : 56;
	m = shared_alloc(4096);
	if ((pid = fork()) == 0) {
		start(spin, 0);
		start(block_forever, 0);
		do_exec(NULL);
	}
	is_exit(pid, 55, "exec from the first thread ends the others");
	if ((pid = fork()) == 0) {
		start(spin, 0);
		start(block_forever, 0);
		start(do_exec, 0);
		for (;;)
			pause();
	}
	is_exit(pid, 55, "exec from another thread takes the pid over");
	if ((pid = fork()) == 0) {
		start(do_exec, 0);
		start(do_exec, 0);
		start(do_exec, 0);
		for (;;)
			pause();
	}
	is_exit(pid, 55, "three threads exec at once: one wins");
	v = m[0];
	sleep_ms(20);
	is_int(m[0], v, "no thread of the old programs runs");

	if ((pid = fork()) == 0) {
		start(spin, 0);
		start(do_exit_group, 31);
		for (;;)
			pause();
	}
	is_exit(pid, 31, "exit_group from a thread ends the process with its code");
	if ((pid = fork()) == 0) {
		start(late, 0);
		pthread_exit(NULL);
	}
	wait_state(pid, 'Z');
	is_int(waitpid(pid, NULL, WNOHANG), 0,
	       "the first thread has left, the process is no zombie to wait for");
	is_exit(pid, 13, "it ends with the last thread's exit_group");
	is_int(m[1], 1, "the other thread went on meanwhile");
	if ((pid = fork()) == 0) {
		start(leave, 0);
		while (entries() != 1)
			sleep_ms(1);
		syscall(SYS_exit, 14);
	}
	is_exit(pid, 14, "exit of the last thread ends the process with that thread's code");
	m[2] = getpid();
	pthread_join(start(do_fork, 0), &ret);
	is_int((long)ret, 21, "fork from a thread: one thread, whose parent is the process");
	for (int i = v = 0; i < 10; i++) {
		if ((pid = fork()) == 0) {
			start(do_exit_group, 1);
			start(do_exit_group, 1);
			_exit(1);
		}
		v += WEXITSTATUS(reap(pid)) != 1;
	}
	is_int(v, 0, "several threads call exit_group at once");
	if ((pid = fork()) == 0) {
		start(block_forever, 0);
		start(spin, 0);
		sleep_ms(5);
		*(volatile int *)at(8) = 1;
	}
	is_killed(pid, SIGSEGV, "a fault in one thread ends all");
	return done();
}
