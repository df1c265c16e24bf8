/* SPDX-License-Identifier: MIT */
/* Rows of signals: setting up, sending, handling. */
#include "bench.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static void
handle(int number)
{
	(void)number;
}

static void
run_sigaction(struct bench *bench)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	BENCH_LOOP(bench)
	sigaction(SIGUSR2, &action, NULL);
}

static void
run_sigprocmask(struct bench *bench)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	BENCH_LOOP(bench)
	{
		sigprocmask(SIG_BLOCK, &set, NULL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
}

static void
run_signal_delivery(struct bench *bench)
{
	signal(SIGUSR1, handle);
	BENCH_LOOP(bench)
	raise(SIGUSR1);
}

/* The same without the C library's blocking around it. */
static void
run_tgkill_self(struct bench *bench)
{
	pid_t pid = getpid();

	signal(SIGUSR1, handle);
	BENCH_LOOP(bench)
	syscall(SYS_tgkill, pid, pid, SIGUSR1);
}

static void
run_kill_ignored(struct bench *bench)
{
	pid_t pid = getpid();

	signal(SIGUSR1, SIG_IGN);
	BENCH_LOOP(bench)
	kill(pid, SIGUSR1);
}

static volatile char *page;

static void
repair(int number)
{
	(void)number;
	mprotect((void *)page, 4096, PROT_READ | PROT_WRITE);
}

/* A fault that the program handles, as garbage collectors do: two mprotect calls, one SIGSEGV. */
static void
run_sigsegv(struct bench *bench)
{
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	signal(SIGSEGV, repair);
	BENCH_LOOP(bench)
	{
		mprotect((void *)page, 4096, PROT_NONE);
		*page = 1;
	}
	munmap((void *)page, 4096);
}

static void
child_answers(void *argument)
{
	sigset_t set;
	int number;
	pid_t parent = *(pid_t *)argument;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (;;) {
		sigwait(&set, &number);
		kill(parent, SIGUSR1);
	}
}

static void
run_signal_pingpong(struct bench *bench)
{
	sigset_t set;
	int number;
	pid_t self = getpid();

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t child = bench_fork(child_answers, &self);
	BENCH_LOOP(bench)
	{
		kill(child, SIGUSR1);
		sigwait(&set, &number);
	}
	kill(child, SIGKILL);
}

const struct row signal_rows[] = {
	{ "sigaction", run_sigaction, 10000 },
	{ "sigprocmask", run_sigprocmask, 10000 },
	{ "signal_delivery", run_signal_delivery, 3000 },
	{ "tgkill_self", run_tgkill_self, 3000 },
	{ "kill_ignored", run_kill_ignored, 5000 },
	{ "sigsegv", run_sigsegv, 2000 },
	{ "signal_pingpong", run_signal_pingpong, 500 },
	{ 0 },
};
