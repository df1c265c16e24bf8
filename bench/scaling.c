/* SPDX-License-Identifier: MIT */
/*
 * Rows of scaling: the same work by one task (_x1) and by four at once (_x4), each on its own CPU
 * with its own files, memory and pipes. The result is the time of a turn of all; on a machine whose
 * emulated CPUs share one host CPU under icount, it is the instructions of an operation, and
 * _x4 above _x1 is what sharing costs.
 */
#include "bench.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4

struct worker {
	void (*turn)(struct worker *worker);
	unsigned long turns;
	int cpu;
	char path[32];
	int ends[2];
};

/* Where workers and measurer meet; in shared memory. */
struct gate {
	unsigned int ready, open;
};

static struct gate *gate;

static void
worker_main(void *argument)
{
	struct worker *worker = argument;

	bench_pin(worker->cpu);
	worker->turn(worker); /* warm */
	__atomic_add_fetch(&gate->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&gate->open, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &gate->open, FUTEX_WAIT, 0, NULL, NULL, 0);
	for (unsigned long turn = 0; turn < worker->turns; turn++)
		worker->turn(worker);
}

static void *
worker_thread(void *argument)
{
	worker_main(argument);
	return NULL;
}

static void
scale(struct bench *bench, int count, bool threads, void (*turn)(struct worker *worker))
{
	struct worker workers[WORKERS];
	pid_t pids[WORKERS];
	pthread_t ids[WORKERS];

	if (bench->cpus < count)
		bench_absent("4 CPUs");
	gate = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < count; i++) {
		struct worker *worker = &workers[i];
		*worker = (struct worker){ .turn = turn, .turns = bench->count, .cpu = i };
		snprintf(worker->path, sizeof(worker->path), "/tmp/scale%d", i);
		bench_write_file(worker->path, worker, sizeof(*worker));
		must(pipe(worker->ends), "pipe");
		if (threads)
			pthread_create(&ids[i], NULL, worker_thread, worker);
		else
			pids[i] = bench_fork(worker_main, worker);
	}
	while (__atomic_load_n(&gate->ready, __ATOMIC_ACQUIRE) < (unsigned int)count)
		usleep(1000);
	bench->per = count;
	bench_start(bench);
	__atomic_store_n(&gate->open, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &gate->open, FUTEX_WAKE, WORKERS, NULL, NULL, 0);
	for (int i = 0; i < count; i++) {
		if (threads)
			pthread_join(ids[i], NULL);
		else
			bench_wait(pids[i]);
	}
	bench_stop(bench);
	for (int i = 0; i < count; i++) {
		close(workers[i].ends[0]);
		close(workers[i].ends[1]);
	}
	munmap(gate, 4096);
}

static void
turn_open(struct worker *worker)
{
	char data[64];
	int fd = open(worker->path, O_RDONLY);

	bench_use(read(fd, data, sizeof(data)));
	close(fd);
}

static void
turn_fault(struct worker *worker)
{
	size_t size = 16 * 4096;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)worker;
	for (size_t at = 0; at < size; at += 4096)
		((volatile char *)memory)[at] = 1;
	munmap(memory, size);
}

static void
turn_fork(struct worker *worker)
{
	pid_t pid = fork();

	(void)worker;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void
turn_pipe(struct worker *worker)
{
	char data[512] = "";

	bench_use(write(worker->ends[1], data, sizeof(data)));
	bench_use(read(worker->ends[0], data, sizeof(data)));
}

static void
turn_futex(struct worker *worker)
{
	syscall(SYS_futex, &worker->cpu, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void
turn_getpid(struct worker *worker)
{
	(void)worker;
	syscall(SYS_getppid);
}

#define SCALE(name, threads, turn)                       \
	static void run_##name##_x1(struct bench *bench) \
	{                                                \
		scale(bench, 1, threads, turn);          \
	}                                                \
	static void run_##name##_x4(struct bench *bench) \
	{                                                \
		scale(bench, 4, threads, turn);          \
	}

SCALE(scale_open, false, turn_open)
SCALE(scale_open_threads, true, turn_open)
SCALE(scale_fault, false, turn_fault)
SCALE(scale_fault_threads, true, turn_fault)
SCALE(scale_fork, false, turn_fork)
SCALE(scale_pipe, false, turn_pipe)
SCALE(scale_futex, true, turn_futex)
SCALE(scale_getppid, false, turn_getpid)

#define BOTH(name, count)                           \
	{ #name "_x1", run_##name##_x1, count },    \
	{                                           \
#name "_x4", run_##name##_x4, count \
	}

const struct row scaling_rows[] = {
	BOTH(scale_getppid, 10000), BOTH(scale_open, 2000),	    BOTH(scale_open_threads, 2000),
	BOTH(scale_fault, 300),	    BOTH(scale_fault_threads, 300), BOTH(scale_fork, 50),
	BOTH(scale_pipe, 4000),	    BOTH(scale_futex, 10000),	    { 0 },
};
