/* SPDX-License-Identifier: MIT */
/*
 * Runs benchmark rows, as process 1 of a machine or as a plain program.
 *
 * As process 1 it mounts /proc, /dev and a tmpfs on /tmp, brings up the network, takes its orders
 * from the kernel's command line, and powers off at the end. A disk /dev/vda is mounted on /mnt;
 * what Linux needs for that are the modules in /modules, loaded in the order of their names.
 *
 *     bench.rows=REGEX          rows to run (all)
 *     bench.mode=icount|wall    fixed counts, or as many turns as fill BENCH_SLICE, three times;
 *                               or trace: fixed counts, and idle where the row is idle
 *     bench.turns=COUNT         replaces the fixed counts
 *     bench.host=PORT           where the host answers
 *     bench.disk=yes            there is a disk
 *
 * As a plain program: bench [MODE [REGEX]]. Called by the name `true` it is the smallest program to
 * execute.
 *
 * A row prints one line:
 *     BENCH name operations total unit [waits]        unit ns: the time of all operations
 *     ABSENT name what
 *     FAIL name what: error
 */
#include "bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BENCH_SLICE   20000000ull /* nanoseconds of one measurement of wall time */
#define BENCH_REPEATS 3
#define BENCH_LIMIT   120 /* seconds until a row is given up */
#define SOAK_LENGTH   64  /* instructions of a turn of soak_main */

extern char **environ;

static const struct row *const topics[] = {
	state_rows,    process_rows, file_rows,	   memory_rows, signal_rows,
	ipc_rows,      poll_rows,    socket_rows,  sched_rows,	scaling_rows,
	workload_rows, disk_rows,    program_rows, host_rows,
};

bool bench_has_disk;
int bench_host_port;

static const char *current;	  /* name of the row that this process runs */
static unsigned long turns;	  /* bench.turns= */
static volatile uint64_t *soaked; /* turns of the process that soaks up what is idle, or NULL */

uint64_t
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t
clock_without_idle(void)
{
	return bench_now() - (soaked ? *soaked * SOAK_LENGTH : 0);
}

void
bench_start(struct bench *bench)
{
	bench->left = bench->count;
	bench->took = bench->paused = 0;
	bench->began = clock_without_idle();
}

void
bench_stop(struct bench *bench)
{
	if (bench->took == 0)
		bench->took = clock_without_idle() - bench->began - bench->paused;
}

void
bench_pause(struct bench *bench)
{
	bench->paused -= clock_without_idle();
}

void
bench_resume(struct bench *bench)
{
	bench->paused += clock_without_idle();
}

/* Runs whenever nobody else does: SOAK_LENGTH instructions, of which the first counts. */
static void
soak_main(void *argument)
{
	struct sched_param none = { 0 };

	if (syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none) < 0)
		bench_fail("SCHED_IDLE");
	__asm__ volatile("1: addq $1, (%0)\n"
			 ".fill %c1, 1, 0x90\n"
			 "jmp 1b"
			 :
			 : "r"(argument), "i"(SOAK_LENGTH - 2)
			 : "memory");
}

static void
start_soaking(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		bench_fail("mmap");
	soaked = page;
	bench_fork(soak_main, page);
}

/* One write a line, so that lines of a dying child and its parent do not mix. */
static void
say(const char *format, ...)
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 1)
		length = sizeof(line) - 1;
	if (write(STDOUT_FILENO, line, length) != length)
		_exit(3);
}

void
bench_absent(const char *what)
{
	say("ABSENT %s %s\n", current, what);
	_exit(0);
}

void
bench_fail(const char *what)
{
	say("FAIL %s %s: %s\n", current, what, strerror(errno));
	_exit(1);
}

long
must(long result, const char *what)
{
	if (result < 0)
		bench_fail(what);
	return result;
}

pid_t
bench_fork(void (*function)(void *argument), void *argument)
{
	pid_t pid = must(fork(), "fork");

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function(argument);
		_exit(0);
	}
	return pid;
}

void
bench_wait(pid_t pid)
{
	int status = 0;

	must(waitpid(pid, &status, 0), "waitpid");
	if (status != 0) {
		errno = ECHILD;
		bench_fail("a child ended badly");
	}
}

void
bench_command(char *const arguments[])
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
	if (errno == ENOENT)
		bench_absent(arguments[0]);
	if (errno != 0)
		bench_fail(arguments[0]);
	posix_spawn_file_actions_destroy(&actions);
	bench_wait(pid);
}

void
bench_shell(const char *script)
{
	char *arguments[] = { "/bin/sh", "-c", (char *)script, NULL };

	bench_command(arguments);
}

void
bench_write_file(const char *path, const void *data, size_t size)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), path);

	if (write(fd, data, size) != (ssize_t)size)
		bench_fail(path);
	close(fd);
}

void
bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static int
compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Finds how many turns fill BENCH_SLICE, and takes the median of the measurements; one is enough
 * of what takes long. */
static void
measure_wall(const struct row *row, struct bench *bench)
{
	uint64_t times[BENCH_REPEATS];

	bench->count = row->count / 16 + 1;
	for (;;) {
		row->run(bench);
		if (bench->took >= BENCH_SLICE * 4)
			return; /* long enough to be taken once; others take the turns */
		if (bench->took >= BENCH_SLICE / 4 || strcmp(bench->unit, "ns") != 0)
			break;
		bench->count *= bench->took < BENCH_SLICE / 16 ? 4 : 2;
	}
	bench->count = bench->count * BENCH_SLICE / (bench->took + 1) + 1;
	for (int i = 0; i < BENCH_REPEATS; i++) {
		row->run(bench);
		times[i] = bench->took;
	}
	qsort(times, BENCH_REPEATS, sizeof(times[0]), compare_times);
	bench->took = times[BENCH_REPEATS / 2];
}

static void
measure_counts(const struct row *row, struct bench *bench)
{
	unsigned long count = turns ? turns : row->count;

	bench->count = count / 4 + 1;
	row->run(bench);
	bench->count = count;
	row->run(bench);
}

static void
run_row(const struct row *row, const char *mode)
{
	struct bench bench = { .per = 1, .unit = "ns", .cpus = sysconf(_SC_NPROCESSORS_ONLN) };

	current = row->name;
	setpgid(0, 0);
	if (row->waits && strcmp(mode, "icount") == 0)
		start_soaking();
	(strcmp(mode, "wall") == 0 ? measure_wall : measure_counts)(row, &bench);
	if (strcmp(bench.unit, "ns") == 0)
		bench.amount = bench.took;
	say("BENCH %s %lu %llu %s%s\n", row->name, bench.count * bench.per,
	    (unsigned long long)bench.amount, bench.unit, row->waits ? " waits" : "");
	_exit(0);
}

static void
run_rows(const char *pattern, const char *mode)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		say("FAIL bench.rows %s: not a regular expression\n", pattern);
		return;
	}
	for (size_t topic = 0; topic < sizeof(topics) / sizeof(topics[0]); topic++) {
		for (const struct row *row = topics[topic]; row->name != NULL; row++) {
			if (regexec(&regex, row->name, 0, NULL, 0) != 0)
				continue;

			pid_t pid = fork();
			if (pid == 0)
				run_row(row, mode);
			/* Whoever is late is killed; the signal is our own clock's. */
			pid_t clock = fork();
			if (clock == 0) {
				sleep(BENCH_LIMIT);
				kill(-pid, SIGKILL);
				_exit(0);
			}
			int status = 0;
			waitpid(pid, &status, 0);
			kill(clock, SIGKILL);
			waitpid(clock, NULL, 0);
			kill(-pid, SIGKILL);
			if (WIFSIGNALED(status))
				say("FAIL %s ended by signal %d\n", row->name, WTERMSIG(status));
			if (getpid() == 1)
				while (waitpid(-1, NULL, 0) > 0)
					;
		}
	}
	regfree(&regex);
}

static void
set_address(int fd, struct ifreq *request, unsigned long what, const char *address)
{
	struct sockaddr_in value = { .sin_family = AF_INET };

	inet_pton(AF_INET, address, &value.sin_addr);
	memcpy(&request->ifr_addr, &value, sizeof(value));
	ioctl(fd, what, request);
}

/* The loopback device, and a card in QEMU's own network, if there is one. */
static void
network_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &request);
	strcpy(request.ifr_name, "eth0");
	set_address(fd, &request, SIOCSIFADDR, "10.0.2.15");
	set_address(fd, &request, SIOCSIFNETMASK, "255.255.255.0");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

/* A kernel that has all built in refuses them. */
static void
load_modules(void)
{
	struct dirent **entries;
	int count = scandir("/modules", &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[300];
		snprintf(path, sizeof(path), "/modules/%s", entries[i]->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	}
}

static void
mount_disk(void)
{
	mkdir("/mnt", 0755);
	for (int patience = 100; mount("/dev/vda", "/mnt", "ext4", 0, NULL) < 0; patience--) {
		if (patience == 0 || errno != ENOENT) {
			say("FAIL init mounting /dev/vda: %s\n", strerror(errno));
			return;
		}
		usleep(20000); /* a module's devices appear in their own time */
	}
	mount("/dev", "/mnt/dev", NULL, MS_BIND, NULL);
	mount("proc", "/mnt/proc", "proc", 0, NULL);
	mount("tmp", "/mnt/tmp", "tmpfs", 0, NULL);
	bench_has_disk = true;
}

/* Copies the value of "key=" on the kernel's command line. */
static void
command_line_value(const char *key, char *value, size_t size)
{
	static char line[4096];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);

	close(fd);
	line[length > 0 ? length : 0] = '\0';
	for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n"))
		if (strncmp(word, key, strlen(key)) == 0)
			snprintf(value, size, "%s", word + strlen(key));
}

static void
become_init(void)
{
	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 0777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
		int console = open("/dev/console", O_RDWR);
		for (int fd = 0; fd < 3; fd++)
			dup2(console, fd);
	}
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	load_modules();
	network_up();
	if (chdir("/tmp") < 0)
		say("FAIL init: /tmp: %s\n", strerror(errno));
}

int
main(int argc, char **argv)
{
	char mode[16] = "wall", rows[1024] = "", count[16] = "0", host[16] = "0", disk[16] = "";

	if (argc > 0 && strcmp(argv[0], "true") == 0)
		return 0;
	if (argc > 1)
		snprintf(mode, sizeof(mode), "%s", argv[1]);
	if (argc > 2)
		snprintf(rows, sizeof(rows), "%s", argv[2]);
	if (getpid() == 1) {
		become_init();
		command_line_value("bench.mode=", mode, sizeof(mode));
		command_line_value("bench.rows=", rows, sizeof(rows));
		command_line_value("bench.turns=", count, sizeof(count));
		command_line_value("bench.host=", host, sizeof(host));
		command_line_value("bench.disk=", disk, sizeof(disk));
		turns = strtoul(count, NULL, 10);
		bench_host_port = atoi(host);
		if (disk[0] != '\0')
			mount_disk();
	}
	say("\nBENCH-BEGIN %s\n", mode);
	run_rows(rows, mode);
	say("BENCH-END\n");
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
