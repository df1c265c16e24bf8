/* SPDX-License-Identifier: MIT */
/* Rows of scheduling: yielding, a token that goes round a ring of tasks, short sleeps, crowds. */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
run_sched_yield(struct bench *bench)
{
	BENCH_LOOP(bench)
	sched_yield();
}

static void
yield_main(void *argument)
{
	(void)argument;
	bench_pin(0);
	for (;;)
		sched_yield();
}

/* Two tasks of one CPU yield to each other. */
static void
run_sched_yield_2(struct bench *bench)
{
	pid_t child = bench_fork(yield_main, NULL);

	bench_pin(0);
	BENCH_LOOP(bench)
	sched_yield();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

struct hop {
	int in, out;
};

static void
hop_main(void *argument)
{
	struct hop *hop = argument;
	char token;

	while (read(hop->in, &token, 1) == 1)
		if (write(hop->out, &token, 1) != 1)
			break;
}

/* A hop of a token round a ring of that many processes: a context switch each. */
static void
ring(struct bench *bench, int count)
{
	int pipes[16][2];
	pid_t children[16];
	char token = 1;

	for (int i = 0; i < count; i++)
		must(pipe(pipes[i]), "pipe");
	for (int i = 1; i < count; i++)
		children[i] = bench_fork(hop_main, &(struct hop){ pipes[i - 1][0], pipes[i][1] });
	bench->per = count;
	BENCH_LOOP(bench)
	{
		must(write(pipes[0][1], &token, 1), "write");
		must(read(pipes[count - 1][0], &token, 1), "read");
	}
	for (int i = 1; i < count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	for (int i = 0; i < count; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void
run_ring_2(struct bench *bench)
{
	ring(bench, 2);
}

static void
run_ring_4(struct bench *bench)
{
	ring(bench, 4);
}

static void
run_ring_8(struct bench *bench)
{
	ring(bench, 8);
}

static void
run_ring_16(struct bench *bench)
{
	ring(bench, 16);
}

static void
run_nanosleep_0(struct bench *bench)
{
	struct timespec none = { 0, 0 };

	BENCH_LOOP(bench)
	syscall(SYS_nanosleep, &none, NULL);
}

/* ---- crowds: groups in which every sender writes to every receiver, as hackbench has made usual
 * ---- */

#define GROUP  5 /* senders, and receivers, of a group */
#define GROUPS 2
#define SIZE   100

struct member {
	int *fds;
	unsigned long turns;
};

static void
sender_main(void *argument)
{
	struct member *member = argument;
	char message[SIZE] = "";

	for (unsigned long turn = 0; turn < member->turns; turn++)
		for (int i = 0; i < GROUP; i++)
			if (write(member->fds[i], message, SIZE) != SIZE)
				_exit(1);
}

static void
receiver_main(void *argument)
{
	struct member *member = argument;
	char message[SIZE];

	for (unsigned long left = member->turns * GROUP * SIZE; left > 0;) {
		ssize_t got = read(member->fds[0], message, SIZE);
		if (got <= 0)
			_exit(1);
		left -= got;
	}
}

static void *
sender_thread(void *argument)
{
	sender_main(argument);
	return NULL;
}

static void *
receiver_thread(void *argument)
{
	receiver_main(argument);
	return NULL;
}

static void
crowd(struct bench *bench, bool threads)
{
	unsigned long turns = bench->count;
	int out[GROUPS][GROUP], in[GROUPS][GROUP];
	struct member receivers[GROUPS][GROUP], senders[GROUPS];
	pthread_t ids[GROUPS * GROUP * 2];
	pid_t pids[GROUPS * GROUP * 2];
	int count = 0;

	bench->per = GROUPS * GROUP * GROUP;
	bench_start(bench);
	for (int group = 0; group < GROUPS; group++) {
		senders[group] = (struct member){ out[group], turns };
		for (int i = 0; i < GROUP; i++) {
			int ends[2];
			must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
			out[group][i] = ends[0];
			in[group][i] = ends[1];
			receivers[group][i] = (struct member){ &in[group][i], turns };
			if (threads)
				pthread_create(&ids[count++], NULL, receiver_thread,
					       &receivers[group][i]);
			else
				pids[count++] = bench_fork(receiver_main, &receivers[group][i]);
		}
		for (int i = 0; i < GROUP; i++) {
			if (threads)
				pthread_create(&ids[count++], NULL, sender_thread, &senders[group]);
			else
				pids[count++] = bench_fork(sender_main, &senders[group]);
		}
	}
	for (int i = 0; i < count; i++) {
		if (threads)
			pthread_join(ids[i], NULL);
		else
			bench_wait(pids[i]);
	}
	bench_stop(bench);
	for (int group = 0; group < GROUPS; group++)
		for (int i = 0; i < GROUP; i++) {
			close(in[group][i]);
			close(out[group][i]);
		}
}

static void
run_crowd_processes(struct bench *bench)
{
	crowd(bench, false);
}

static void
run_crowd_threads(struct bench *bench)
{
	crowd(bench, true);
}

const struct row sched_rows[] = {
	{ "sched_yield", run_sched_yield, 10000 },
	{ "sched_yield_2", run_sched_yield_2, 5000 },
	{ "nanosleep_0", run_nanosleep_0, 500 },
	{ "ring_2", run_ring_2, 1000 },
	{ "ring_4", run_ring_4, 500 },
	{ "ring_8", run_ring_8, 250 },
	{ "ring_16", run_ring_16, 120 },
	{ "crowd_processes", run_crowd_processes, 50 },
	{ "crowd_threads", run_crowd_threads, 50 },
	{ 0 },
};
