/* SPDX-License-Identifier: MIT */
/*
 * The init of a guest with damaged disks: mounts each, uses all that is in it and changes much of
 * it, unmounts, and does so again read-only. That calls fail is expected; that the kernel lives on,
 * and that each disk is done with in time, is what is tested.
 *
 * What the host reads: "@@ begin vdX", "@@ end vdX: MOUNTS", "@@ hang vdX", "@@ done".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#ifndef FALLOC_FL_COLLAPSE_RANGE /* of <linux/falloc.h> */
#define FALLOC_FL_COLLAPSE_RANGE 0x08
#define FALLOC_FL_ZERO_RANGE	 0x10
#define FALLOC_FL_INSERT_RANGE	 0x20
#endif
#define FS_IOC_FIEMAP	0xc020660bu
#define FS_IOC_GETFLAGS 0x80086601u

#define MAX_DEPTH   10
#define MAX_ENTRIES 80 /* a disk, a walk */
#define MAX_READ    (128 * 1024)
#define MAX_SECONDS 100

static char buffer[65536];
static sigjmp_buf on_sigbus;
static int entries, changing;

static void
sigbus(int signal)
{
	(void)signal;
	siglongjmp(on_sigbus, 1);
}

static void
use_mapped(int fd, off_t size)
{
	size_t len = size > 1 << 17 ? 1 << 17 : (size_t)size;
	volatile char *p;

	if (!len)
		return;
	p = mmap(NULL, len, changing ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return;
	if (!sigsetjmp(on_sigbus, 1)) {
		for (size_t at = 0; at < len; at += 4096) {
			char c = p[at];

			if (changing && at / 4096 % 3 == 0)
				p[at] = (char)(c + 1);
		}
	}
	munmap((void *)p, len);
}

static void
read_file(int fd, off_t size)
{
	struct {
		uint64_t start, length;
		uint32_t flags, mapped, count, reserved;
		char extents[20][56];
	} map = { .length = ~0ull, .count = 20 };
	ssize_t n;
	size_t total = 0;

	while (total < MAX_READ && (n = read(fd, buffer, sizeof(buffer))) > 0)
		total += (size_t)n;
	if (size > MAX_READ && pread(fd, buffer, 4096, size - 4096) < 0)
		errno = 0;
	for (off_t at = 0, i = 0; i < 20; i++) {
		at = lseek(fd, at, SEEK_DATA);
		if (at < 0 || (at = lseek(fd, at, SEEK_HOLE)) < 0)
			break;
	}
	ioctl(fd, FS_IOC_FIEMAP, &map);
}

static void
change_file(int fd, off_t size)
{
	off_t middle = size > 1 << 20 ? 1 << 19 : size / 2;

	if (pwrite(fd, buffer, 5000, middle) < 0 || pwrite(fd, buffer, 9000, size) < 0)
		errno = 0;
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, middle, 8192);
	fallocate(fd, 0, size, 70000);
	fallocate(fd, FALLOC_FL_ZERO_RANGE, middle, 20000);
	fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096);
	fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096, 8192);
	fsetxattr(fd, "user.small", buffer, 20, 0);
	fsetxattr(fd, "user.large", buffer, 700, 0);
	fremovexattr(fd, "user.small");
	fchmod(fd, 0640);
	if (entries % 4 == 0)
		fsync(fd);
	if (entries % 3 == 0 && ftruncate(fd, middle) < 0)
		errno = 0;
}

static void
use_attributes(const char *path)
{
	static char list[4096], value[4096];
	ssize_t n = llistxattr(path, list, sizeof(list));

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(list + at) + 1)
		lgetxattr(path, list + at, value, sizeof(value));
}

static void
use(const char *path)
{
	struct stat st;
	int flags, fd;

	if (lstat(path, &st))
		return;
	use_attributes(path);
	if (S_ISLNK(st.st_mode) && readlink(path, buffer, sizeof(buffer)) < 0)
		return;
	if (!S_ISREG(st.st_mode))
		return;
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		ioctl(fd, FS_IOC_GETFLAGS, &flags);
		read_file(fd, st.st_size);
		close(fd);
	}
	fd = open(path, changing ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return;
	use_mapped(fd, st.st_size);
	if (changing)
		change_file(fd, st.st_size);
	close(fd);
}

static void
change_names(const char *path, const char *dir)
{
	char other[PATH_MAX];

	snprintf(other, sizeof(other), "%s/a_new_name_%d", dir, entries);
	switch (entries % 5) {
	case 0: rename(path, other); break;
	case 1: link(path, other); break;
	case 2: unlink(path); break;
	case 3: rename(path, "/mnt/moved"); break;
	}
}

static void
make_some(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "%s/made_%d_%d", dir, entries, i);
		switch (i % 4) {
		case 0: mkdir(path, 0755); break;
		case 1: symlink(i > 4 ? buffer : "short", path); break;
		case 2: mknod(path, S_IFIFO | 0600, 0); break;
		case 3:
			fd = open(path, O_CREAT | O_RDWR, 0600);
			if (fd < 0)
				break;
			change_file(fd, 0);
			close(fd);
			break;
		}
	}
}

static void
walk(const char *dir, int depth)
{
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);

	if (!d)
		return;
	while (entries < MAX_ENTRIES && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path))
			continue;
		entries++;
		use(path);
		if (depth < MAX_DEPTH && !lstat(path, &st) && S_ISDIR(st.st_mode))
			walk(path, depth + 1);
		if (changing)
			change_names(path, dir);
	}
	closedir(d);
	if (changing && entries < MAX_ENTRIES) {
		make_some(dir);
		rmdir(dir);
	}
}

/* One mount from beginning to end; returns whether there was one. */
static int
visit(const char *disk, unsigned long flags, const char *options)
{
	struct statfs fs;

	if (mount(disk, "/mnt", "ext4", flags, options))
		return 0;
	entries = 0;
	changing = !(flags & MS_RDONLY);
	walk("/mnt", 0);
	statfs("/mnt", &fs);
	sync();
	if (umount("/mnt"))
		umount2("/mnt", MNT_DETACH);
	return 1;
}

static void
all_ways(const char *disk, const char *name)
{
	int before = visit(disk, MS_RDONLY, "noload"), rw, after;

	memset(buffer, 'x', 300);
	buffer[300] = 0;
	rw = visit(disk, 0, "errors=continue");
	after = visit(disk, MS_RDONLY, "errors=remount-ro");
	printf("@@ end %s: %d%d%d\n", name, before, rw, after);
	exit(0);
}

/* A child works on the disk, so that one which never comes back is seen. */
static int
guarded(const char *disk, const char *name)
{
	struct timespec pause = { 0, 20000000 };
	pid_t pid;
	int status;

	printf("@@ begin %s\n", name);
	pid = fork();
	if (!pid)
		all_ways(disk, name);
	for (int i = 0; i < MAX_SECONDS * 50; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (status)
				printf("@@ end %s: status %x\n", name, status);
			return 1;
		}
		nanosleep(&pause, NULL);
	}
	printf("@@ hang %s\n", name);
	return 0;
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGBUS, sigbus);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	for (char c = 'a'; c <= 'z'; c++) {
		char disk[] = "/dev/vdX";

		disk[7] = c;
		if (!access(disk, F_OK) && !guarded(disk, disk + 5))
			break;
	}
	printf("@@ done\n");
	reboot(RB_POWER_OFF);
	return 1;
}
