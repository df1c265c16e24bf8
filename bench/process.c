/* SPDX-License-Identifier: MIT */
/* Rows of processes: the plain calls, and birth and death of processes, programs and threads. */
#include "bench.h"

#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void
run_getpid(struct bench *bench)
{
	BENCH_LOOP(bench)
	syscall(SYS_getpid);
}

static void
run_gettid(struct bench *bench)
{
	BENCH_LOOP(bench)
	bench_use(gettid());
}

static void
run_getuid(struct bench *bench)
{
	BENCH_LOOP(bench)
	getuid();
}

static void
run_getsid(struct bench *bench)
{
	BENCH_LOOP(bench)
	getsid(0);
}

static void
run_getpriority(struct bench *bench)
{
	BENCH_LOOP(bench)
	getpriority(PRIO_PROCESS, 0);
}

static void
run_getrlimit(struct bench *bench)
{
	struct rlimit limit;

	BENCH_LOOP(bench)
	syscall(SYS_getrlimit, RLIMIT_NOFILE, &limit);
}

static void
run_prlimit64(struct bench *bench)
{
	uint64_t limit[2];

	BENCH_LOOP(bench)
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, limit);
}

static void
run_setrlimit(struct bench *bench)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	BENCH_LOOP(bench)
	syscall(SYS_setrlimit, RLIMIT_NOFILE, &limit);
}

static void
run_uname(struct bench *bench)
{
	struct utsname names;

	BENCH_LOOP(bench)
	uname(&names);
}

static void
run_clock_gettime(struct bench *bench)
{
	struct timespec now;

	BENCH_LOOP(bench)
	clock_gettime(CLOCK_MONOTONIC, &now);
}

static void
run_waitid(struct bench *bench)
{
	siginfo_t info;

	BENCH_LOOP(bench)
	waitid(P_ALL, 0, &info, WNOHANG | WEXITED);
}

static void
fork_and_wait(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		bench_wait(pid);
	}
}

static void
run_fork_exit(struct bench *bench)
{
	fork_and_wait(bench);
}

/* A process with 64 MiB of touched memory in small pages, as a shell or a server has it. */
static void
run_fork_64m(struct bench *bench)
{
	size_t size = 64 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("mmap");
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	fork_and_wait(bench);
	munmap(memory, size);
}

static void
run_fork_64m_huge(struct bench *bench)
{
	size_t size = 64 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("mmap");
	memset(memory, 1, size);
	fork_and_wait(bench);
	munmap(memory, size);
}

/* The child writes to one page in each of 64: what a fork costs when it is used. */
static void
run_fork_write(struct bench *bench)
{
	size_t size = 16 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("mmap");
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	BENCH_LOOP(bench)
	{
		pid_t pid = fork();
		if (pid == 0) {
			for (size_t at = 0; at < size; at += 64 * 4096)
				memory[at] = 2;
			_exit(0);
		}
		bench_wait(pid);
	}
	munmap(memory, size);
}

static void
run_vfork_exit(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		pid_t pid = vfork();
		if (pid == 0)
			_exit(0);
		bench_wait(pid);
	}
}

static void
execute(struct bench *bench, char *const arguments[])
{
	BENCH_LOOP(bench)
	{
		pid_t pid = fork();
		if (pid == 0) {
			execv(arguments[0], arguments);
			_exit(127);
		}
		bench_wait(pid);
	}
}

static void
run_exec_true(struct bench *bench)
{
	if (access("/bin/true", X_OK) < 0)
		bench_absent("/bin/true");
	execute(bench, (char *[]){ "/bin/true", NULL });
}

static void
run_shell_noop(struct bench *bench)
{
	if (access("/bin/sh", X_OK) < 0)
		bench_absent("/bin/sh");
	execute(bench, (char *[]){ "/bin/sh", "-c", "true", NULL });
}

/* This very program, statically linked, under another name. */
static void
run_exec_static(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		pid_t pid = fork();
		if (pid == 0) {
			execl("/proc/self/exe", "true", NULL);
			_exit(127);
		}
		bench_wait(pid);
	}
}

static void
run_posix_spawn(struct bench *bench)
{
	char *arguments[] = { "true", NULL };

	BENCH_LOOP(bench)
	{
		pid_t pid;
		if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ) != 0)
			bench_fail("posix_spawn");
		bench_wait(pid);
	}
}

static void *
thread_main(void *argument)
{
	return argument;
}

static void
run_pthread_create(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		pthread_t thread;
		if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
			bench_fail("pthread_create");
		pthread_join(thread, NULL);
	}
}

const struct row process_rows[] = {
	{ "getpid", run_getpid, 20000 },
	{ "gettid", run_gettid, 2000000 },
	{ "getuid", run_getuid, 20000 },
	{ "getsid", run_getsid, 20000 },
	{ "getpriority", run_getpriority, 20000 },
	{ "getrlimit", run_getrlimit, 20000 },
	{ "prlimit64", run_prlimit64, 20000 },
	{ "setrlimit", run_setrlimit, 20000 },
	{ "uname", run_uname, 20000 },
	{ "clock_gettime", run_clock_gettime, 50000 },
	{ "waitid", run_waitid, 10000 },
	{ "fork_exit", run_fork_exit, 100 },
	{ "fork_64m", run_fork_64m, 10 },
	{ "fork_64m_huge", run_fork_64m_huge, 40 },
	{ "fork_write", run_fork_write, 20 },
	{ "vfork_exit", run_vfork_exit, 100 },
	{ "exec_true", run_exec_true, 40 },
	{ "exec_static", run_exec_static, 50 },
	{ "posix_spawn", run_posix_spawn, 50 },
	{ "shell_noop", run_shell_noop, 30 },
	{ "pthread_create", run_pthread_create, 200 },
	{ 0 },
};
