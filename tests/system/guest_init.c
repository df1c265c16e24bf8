/* SPDX-License-Identifier: MIT */
/*
 * guest_init.c - the init of a guest that runs the user tests.
 *
 * Reads /tests/list, a line "SECONDS NAME" per test, and runs /tests/NAME one after the other, each
 * as the leader of its own session, with standard input from /dev/null, its output on the console,
 * and a fresh tmpfs on /tmp as its directory; with TMPDISK=/dev/vda in the environment it is a new
 * directory of the ext4 on that disk. A test that outlives its seconds is killed, and so is
 * everything that it leaves behind. The environment variable FIRST=N, which the kernel takes over
 * from its command line, skips tests, so that the host can go on after a test that brought the
 * kernel down.
 *
 * What the host reads: "@@ begin NAME", "@@ end NAME exit N | signal N | timeout", "@@ done".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *disk;

static void
mount_at(const char *type, const char *path, const char *options)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, options) < 0)
		printf("@@ warning: mount %s: %s\n", path, strerror(errno));
}

static void
mount_directory(void)
{
	static int count;
	char path[32];

	snprintf(path, sizeof(path), "/disk/%d", count++);
	mkdir(path, 0755);
	chmod(path, 01777);
	if (mount(path, "/tmp", NULL, MS_BIND, NULL) < 0)
		printf("@@ warning: mount %s: %s\n", path, strerror(errno));
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
run_child(const char *name)
{
	char path[300];
	char *argv[] = { path, NULL };
	int null = open("/dev/null", O_RDONLY);

	snprintf(path, sizeof(path), "/tests/%s", name);
	if (null > 0) {
		dup2(null, 0);
		close(null);
	}
	setsid();
	if (chdir("/tmp") == 0)
		execv(path, argv);
	printf("@@ warning: %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Waits for pid until the deadline, reaping orphans as they come; returns whether it ended. */
static int
wait_until(pid_t pid, double deadline, int *status)
{
	struct timespec pause = { 0, 1000000 };
	pid_t got;

	while ((got = waitpid(-1, status, WNOHANG)) != pid) {
		if (got > 0)
			continue;
		if (now() > deadline)
			return 0;
		nanosleep(&pause, NULL);
	}
	return 1;
}

static void
run(const char *name, int seconds)
{
	int status, ended;
	pid_t pid;

	if (disk)
		mount_directory();
	else
		mount_at("tmpfs", "/tmp", "mode=1777");
	printf("@@ begin %s\n", name);
	pid = fork();
	if (pid == 0)
		run_child(name);
	ended = pid > 0 && wait_until(pid, now() + seconds, &status);
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (!ended)
		printf("@@ end %s timeout\n", name);
	else if (WIFSIGNALED(status))
		printf("@@ end %s signal %d\n", name, WTERMSIG(status));
	else
		printf("@@ end %s exit %d\n", name, WEXITSTATUS(status));
	if (umount2("/tmp", MNT_DETACH) < 0)
		printf("@@ warning: umount /tmp: %s\n", strerror(errno));
}

int
main(void)
{
	const char *first = getenv("FIRST");
	int skip = first ? atoi(first) : 0, seconds;
	char name[256];
	FILE *list;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_at("devtmpfs", "/dev", NULL);
	mount_at("proc", "/proc", NULL);
	mount_at("sysfs", "/sys", NULL);
	mount_at("devpts", "/dev/pts", "mode=620,ptmxmode=666");
	mount_at("tmpfs", "/dev/shm", "mode=1777");
	if (symlink("/proc/self/fd", "/dev/fd") < 0)
		printf("@@ warning: /dev/fd: %s\n", strerror(errno));
	mkdir("/tmp", 01777);
	disk = getenv("TMPDISK");
	if (disk && (mkdir("/disk", 0755) < 0 || mount(disk, "/disk", "ext4", 0, NULL) < 0))
		printf("@@ warning: mount %s: %s\n", disk, strerror(errno));
	list = fopen("/tests/list", "re");
	if (!list)
		printf("@@ warning: /tests/list: %s\n", strerror(errno));
	while (list && fscanf(list, "%d %255s", &seconds, name) == 2) {
		if (skip > 0)
			skip--;
		else
			run(name, seconds);
	}
	if (disk && umount("/disk") < 0)
		printf("@@ warning: umount /disk: %s\n", strerror(errno));
	printf("@@ done\n");
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
