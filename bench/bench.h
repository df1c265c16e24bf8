/* SPDX-License-Identifier: MIT */
/*
 * The frame of the benchmark.
 *
 * A row is a function: it prepares, runs its operation in BENCH_LOOP, and cleans up. Every row runs
 * in a process (and process group) of its own, so that it may leave files open, memory mapped and
 * children behind, and so that one that crashes or hangs takes nobody with it.
 *
 * A row counts one operation per turn of its loop unless it sets bench->per. The clock runs from
 * the first turn to the end of the last; bench_stop() ends it sooner, where cleaning up follows in
 * the loop, and bench_pause() and bench_resume() leave something out.
 *
 * A row that waits for a device is measured under icount beside a process of the lowest priority
 * that counts its own instructions: so the processor is never idle, whose time would depend on the
 * host, and what is left without these is what the operation took, interrupts included.
 */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bench {
	unsigned long count; /* turns of the loop to be done */
	unsigned long left;
	unsigned long per;	      /* operations per turn */
	const char *unit;	      /* "ns" for time; else amount is the result */
	uint64_t began, took, paused; /* nanoseconds */
	uint64_t amount;
	int cpus;
};

struct row {
	const char *name;
	void (*run)(struct bench *bench);
	/* Turns under icount, where every run must repeat to the digit; elsewhere calibrated. */
	unsigned long count;
	bool waits; /* for a device: see above */
};

/* Whether ext4 on virtio-blk is mounted on /mnt, with Debian's programs. */
extern bool bench_has_disk;
/* The port at which the host, 10.0.2.2, answers (tools/kevlar_lib/bench.py), or 0. */
extern int bench_host_port;

uint64_t bench_now(void);
void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);
void bench_pause(struct bench *bench);
void bench_resume(struct bench *bench);

static inline bool
bench_next(struct bench *bench)
{
	if (__builtin_expect(bench->left != 0, 1)) {
		bench->left--;
		return true;
	}
	bench_stop(bench);
	return false;
}

#define BENCH_LOOP(bench) for (bench_start(bench); bench_next(bench);)

/* Ends the row: the kernel lacks what it needs. */
__attribute__((noreturn)) void bench_absent(const char *what);
/* Ends the row with an error and errno. */
__attribute__((noreturn)) void bench_fail(const char *what);
/* Returns result unless it is negative, which ends the row. */
long must(long result, const char *what);

/* ---- what several topics need --------------------------------------------------------------- */

/* Forks a process that runs function(argument) and exits; it dies with the row. */
pid_t bench_fork(void (*function)(void *argument), void *argument);
/* Waits for a child that must have ended well. */
void bench_wait(pid_t pid);
/* Starts program arguments[0] with its output to /dev/null, and waits for it. */
void bench_command(char *const arguments[]);
void bench_shell(const char *script);
void bench_write_file(const char *path, const void *data, size_t size);
/* Keeps the calling thread on one CPU. */
void bench_pin(int cpu);
/* Keeps the compiler from dropping what leads to value. */
#define bench_use(value) __asm__ volatile("" : : "g"(value) : "memory")

/* The topics; each table ends with a row without a name. */
extern const struct row process_rows[], memory_rows[], file_rows[], ipc_rows[], signal_rows[],
	poll_rows[], socket_rows[], sched_rows[], scaling_rows[], workload_rows[], state_rows[],
	disk_rows[], program_rows[], host_rows[];
