/* SPDX-License-Identifier: MIT */
/*
 * Rows of pipes, futexes and eventfds. A ping-pong is there and back between two tasks: where the
 * scheduler puts them, both on CPU 0 (_1cpu), and on CPUs 0 and 1 (_2cpu).
 */
#include "bench.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[1 << 16];

static void
run_pipe(struct bench *bench)
{
	int ends[2];

	must(pipe(ends), "pipe");
	BENCH_LOOP(bench)
	{
		must(write(ends[1], buffer, 4096), "write");
		must(read(ends[0], buffer, 4096), "read");
	}
	close(ends[0]);
	close(ends[1]);
}

static void
run_pipe_create(struct bench *bench)
{
	int ends[2];

	BENCH_LOOP(bench)
	{
		must(pipe(ends), "pipe");
		close(ends[0]);
		close(ends[1]);
	}
}

static void
run_eventfd(struct bench *bench)
{
	uint64_t value = 1;
	int fd = must(eventfd(0, 0), "eventfd");

	BENCH_LOOP(bench)
	{
		must(write(fd, &value, 8), "write");
		must(read(fd, &value, 8), "read");
	}
	close(fd);
}

struct echo {
	int in, out;
	int cpu; /* -1: anywhere */
};

static void
echo_main(void *argument)
{
	struct echo *echo = argument;
	char byte;

	if (echo->cpu >= 0)
		bench_pin(echo->cpu);
	while (read(echo->in, &byte, 1) == 1)
		if (write(echo->out, &byte, 1) != 1)
			break;
}

static void
pingpong(struct bench *bench, int in, int out, struct echo *echo)
{
	char byte = 1;
	pid_t child = bench_fork(echo_main, echo);

	if (echo->cpu >= 0)
		bench_pin(0);
	BENCH_LOOP(bench)
	{
		must(write(out, &byte, 1), "write");
		must(read(in, &byte, 1), "read");
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void
pipe_pingpong(struct bench *bench, int cpu)
{
	int there[2], back[2];

	must(pipe(there), "pipe");
	must(pipe(back), "pipe");
	pingpong(bench, back[0], there[1], &(struct echo){ there[0], back[1], cpu });
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
}

static void
run_pipe_pingpong(struct bench *bench)
{
	pipe_pingpong(bench, -1);
}

static void
run_pipe_pingpong_1cpu(struct bench *bench)
{
	pipe_pingpong(bench, 0);
}

static void
run_pipe_pingpong_2cpu(struct bench *bench)
{
	if (bench->cpus < 2)
		bench_absent("a second CPU");
	pipe_pingpong(bench, 1);
}

static void
run_unix_pingpong(struct bench *bench)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	pingpong(bench, ends[0], ends[0], &(struct echo){ ends[1], ends[1], -1 });
	close(ends[0]);
	close(ends[1]);
}

static void
run_socketpair(struct bench *bench)
{
	int ends[2];

	BENCH_LOOP(bench)
	{
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
		close(ends[0]);
		close(ends[1]);
	}
}

struct flow {
	int fd;
	size_t block;
};

static void
flow_main(void *argument)
{
	struct flow *flow = argument;

	while (write(flow->fd, buffer, flow->block) > 0)
		;
}

/* Takes 64 KiB a turn from a child that writes as fast as it can. */
static void
take(struct bench *bench, int fd, struct flow *flow)
{
	pid_t child = bench_fork(flow_main, flow);

	BENCH_LOOP(bench)
	{
		size_t got = 0;
		while (got < sizeof(buffer))
			got += must(read(fd, buffer, sizeof(buffer) - got), "read");
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(fd);
	close(flow->fd);
}

static void
run_pipe_64k(struct bench *bench)
{
	int ends[2];

	must(pipe(ends), "pipe");
	take(bench, ends[0], &(struct flow){ ends[1], sizeof(buffer) });
}

static void
run_unix_64k(struct bench *bench)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	take(bench, ends[0], &(struct flow){ ends[1], sizeof(buffer) });
}

static void
run_unix_message(struct bench *bench)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	BENCH_LOOP(bench)
	{
		must(send(ends[0], buffer, 100, 0), "send");
		must(recv(ends[1], buffer, 100, 0), "recv");
	}
	close(ends[0]);
	close(ends[1]);
}

/* ---- futexes --------------------------------------------------------------------------------- */

static uint32_t word;

static void
run_futex_wake_none(struct bench *bench)
{
	BENCH_LOOP(bench)
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void
run_futex_wait_changed(struct bench *bench)
{
	word = 0;
	BENCH_LOOP(bench)
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}

/* The word is the number of the player whose turn it is; 2 ends the game. */
struct player {
	int cpu;
};

static void
turn_wait(uint32_t mine)
{
	uint32_t now;

	while ((now = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) != mine && now != 2)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
}

static void
turn_pass(uint32_t to)
{
	__atomic_store_n(&word, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *
player_main(void *argument)
{
	struct player *player = argument;

	if (player->cpu >= 0)
		bench_pin(player->cpu);
	for (;;) {
		turn_wait(1);
		if (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 2)
			return NULL;
		turn_pass(0);
	}
}

static void
futex_pingpong(struct bench *bench, int cpu)
{
	struct player player = { cpu };
	pthread_t thread;

	word = 0;
	if (pthread_create(&thread, NULL, player_main, &player) != 0)
		bench_fail("pthread_create");
	if (cpu >= 0)
		bench_pin(0);
	BENCH_LOOP(bench)
	{
		turn_pass(1);
		turn_wait(0);
	}
	turn_pass(2);
	pthread_join(thread, NULL);
}

static void
run_futex_pingpong(struct bench *bench)
{
	futex_pingpong(bench, -1);
}

static void
run_futex_pingpong_1cpu(struct bench *bench)
{
	futex_pingpong(bench, 0);
}

static void
run_futex_pingpong_2cpu(struct bench *bench)
{
	if (bench->cpus < 2)
		bench_absent("a second CPU");
	futex_pingpong(bench, 1);
}

const struct row ipc_rows[] = {
	{ "pipe", run_pipe, 2000 },
	{ "pipe_create", run_pipe_create, 1000 },
	{ "pipe_pingpong", run_pipe_pingpong, 1000 },
	{ "pipe_pingpong_1cpu", run_pipe_pingpong_1cpu, 1000 },
	{ "pipe_pingpong_2cpu", run_pipe_pingpong_2cpu, 1000 },
	{ "pipe_64k", run_pipe_64k, 100 },
	{ "eventfd", run_eventfd, 5000 },
	{ "futex_wake_none", run_futex_wake_none, 10000 },
	{ "futex_wait_changed", run_futex_wait_changed, 10000 },
	{ "futex_pingpong", run_futex_pingpong, 1000 },
	{ "futex_pingpong_1cpu", run_futex_pingpong_1cpu, 1000 },
	{ "futex_pingpong_2cpu", run_futex_pingpong_2cpu, 1000 },
	{ "socketpair", run_socketpair, 1000 },
	{ "unix_pingpong", run_unix_pingpong, 1000 },
	{ "unix_message", run_unix_message, 2000 },
	{ "unix_64k", run_unix_64k, 100 },
	{ 0 },
};
