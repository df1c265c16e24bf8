/* SPDX-License-Identifier: MIT */
/*
 * powercut.c - the init of a guest whose power is cut, and of the one that looks at what is left.
 *
 * POWERCUT=work: mounts /dev/vda and lets WORKERS processes change files in directories of their
 * own, each by a sequence that SEED alone decides, so that tools/kevlar_lib/powercut.py can follow
 * it. When an operation is durable (fsync of the file, and of the directory if a name changed) the
 * process prints "@@ D WORKER NUMBER". One more process makes and removes files and directories
 * without ever syncing them.
 *
 * POWERCUT=check: mounts every /dev/vd? in turn and prints "@@ F PATH SIZE CRC32" for each file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS	   3
#define FILES	   12
#define MAX_SIZE   40000
#define APPEND	   1500
#define MAX_APPEND 60000

static uint32_t random_state;
static int worker, directory;
static unsigned char buffer[MAX_SIZE + 4];

static void
die(const char *what)
{
	printf("@@ error: worker %d: %s: %s\n", worker, what, strerror(errno));
	fflush(stdout);
	for (;;)
		pause();
}

static uint32_t
random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

static void
fill(uint32_t seed, uint32_t size)
{
	for (uint32_t i = 0; i * 4 < size; i++) {
		uint32_t word = seed * 2654435761u + i;

		memcpy(buffer + (size_t)i * 4, &word, 4);
	}
}

static void
write_all(int fd, uint32_t size)
{
	if (write(fd, buffer, size) != (ssize_t)size)
		die("write");
}

static void
durable(uint32_t op)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "@@ D %d %u\n", worker, op);

	if (write(1, line, (size_t)len) != len)
		die("console");
}

static void
sync_directory(void)
{
	if (fsync(directory))
		die("fsync directory");
}

/* A file is absent, or has a size. The same decisions are taken in powercut.py. */
static uint32_t sizes[FILES];
static int present[FILES];

static void
create(const char *name, uint32_t op, int flags, uint32_t size, int how)
{
	int fd = open(name, O_WRONLY | O_CREAT | flags | (how == 1 ? O_SYNC : 0), 0644);

	if (fd < 0)
		die("create");
	fill(op, size);
	write_all(fd, size);
	if (how == 0 && fsync(fd))
		die("fsync");
	if (how == 2)
		sync();
	close(fd);
}

static void
operation(uint32_t op)
{
	uint32_t f = random_below(FILES), what = random_below(8), size = random_below(MAX_SIZE) + 1;
	uint32_t g = random_below(FILES), how = random_below(3);
	char name[32], other[32];
	int fd;

	snprintf(name, sizeof(name), "f%u", f);
	snprintf(other, sizeof(other), "f%u", g);
	if (!present[f] || what == 0) { /* make it anew */
		create(name, op, O_TRUNC, size, (int)how);
		sync_directory();
		present[f] = 1;
		sizes[f] = size;
	} else if (what <= 2) { /* replace it */
		create("tmp", op, O_TRUNC, size, (int)how);
		if (rename("tmp", name))
			die("rename");
		sync_directory();
		sizes[f] = size;
	} else if (what == 3) {
		if (unlink(name))
			die("unlink");
		sync_directory();
		present[f] = 0;
	} else if (what == 4) {
		sizes[f] = sizes[f] ? size % sizes[f] : 0;
		fd = open(name, O_WRONLY);
		if (fd < 0 || ftruncate(fd, sizes[f]) || fsync(fd))
			die("truncate");
		close(fd);
	} else if (what == 5 && f != g) {
		if (rename(name, other))
			die("rename");
		sync_directory();
		present[g] = 1;
		sizes[g] = sizes[f];
		present[f] = 0;
	} else if (sizes[f] + APPEND <= MAX_APPEND) {
		fd = open(name, O_WRONLY | O_APPEND);
		if (fd < 0)
			die("append");
		fill(op, APPEND);
		write_all(fd, APPEND);
		if (how == 0 ? fsync(fd) : fdatasync(fd))
			die("fdatasync");
		close(fd);
		sizes[f] += APPEND;
	}
	durable(op);
}

static void
work(uint32_t seed)
{
	char name[32];

	snprintf(name, sizeof(name), "/mnt/w%d", worker);
	if (mkdir(name, 0755) || chdir(name))
		die("mkdir");
	directory = open(".", O_RDONLY | O_DIRECTORY);
	if (directory < 0)
		die("open");
	random_state = seed * 1000003u + (uint32_t)worker;
	for (uint32_t op = 1;; op++)
		operation(op);
}

static void
noise(uint32_t seed)
{
	char name[64];

	random_state = seed * 7u + 99;
	mkdir("/mnt/noise", 0755);
	for (uint32_t round = 0;; round++) {
		uint32_t d = random_below(4), n = random_below(120);
		int fd;

		snprintf(name, sizeof(name), "/mnt/noise/d%u", d);
		mkdir(name, 0755);
		for (uint32_t i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "/mnt/noise/d%u/a-rather-long-name-%u", d, i);
			fd = open(name, O_WRONLY | O_CREAT, 0644);
			if (fd >= 0 && random_below(4) == 0) {
				uint32_t size = random_below(MAX_SIZE);

				fill(round, size);
				if (write(fd, buffer, size) < 0 && errno != ENOSPC)
					die("noise");
			}
			close(fd);
		}
		d = random_below(4);
		for (uint32_t i = 0; i < 120; i++) {
			snprintf(name, sizeof(name), "/mnt/noise/d%u/a-rather-long-name-%u", d, i);
			unlink(name);
		}
		snprintf(name, sizeof(name), "/mnt/noise/d%u", d);
		rmdir(name);
	}
}

/* --- looking --- */

static uint32_t
crc32_of(const char *path)
{
	uint32_t crc = ~0u;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			crc ^= buffer[i];
			for (int bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
		}
	if (n < 0)
		die(path);
	close(fd);
	return ~crc;
}

static void
list(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		die(path);
	while ((errno = 0, e = readdir(d))) {
		char below[512];
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		if (lstat(below, &st))
			die(below);
		if (S_ISDIR(st.st_mode))
			list(below);
		else
			printf("@@ F %s %lld %08x\n", below + 5, (long long)st.st_size,
			       (unsigned)crc32_of(below));
	}
	if (errno)
		die(path);
	closedir(d);
}

int
main(void)
{
	const char *mode = getenv("POWERCUT"), *seed = getenv("SEED");

	mkdir("/dev", 0755);
	mkdir("/mnt", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (mode && !strcmp(mode, "check")) {
		for (char c = 'a'; c <= 'z'; c++) {
			char device[] = "/dev/vdX";

			device[7] = c;
			if (access(device, F_OK))
				break;
			if (mount(device, "/mnt", "ext4", 0, NULL))
				die(device);
			printf("@@ disk %s\n", device);
			list("/mnt");
			if (umount("/mnt"))
				die("umount");
		}
		printf("@@ done\n");
		fflush(stdout);
	} else {
		if (mount("/dev/vda", "/mnt", "ext4", 0, NULL))
			die("mount");
		printf("@@ ready\n");
		fflush(stdout);
		for (worker = 0; worker <= WORKERS; worker++)
			if (fork() == 0) {
				if (worker == WORKERS)
					noise((uint32_t)atoi(seed ? seed : "1"));
				else
					work((uint32_t)atoi(seed ? seed : "1"));
			}
		while (wait(NULL) > 0)
			;
	}
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
