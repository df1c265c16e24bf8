/* SPDX-License-Identifier: MIT */
/* A disk that a test may do with as it likes: the guest's /dev/vda, else a loop device on a file.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "../compat.h"
#include <linux/fs.h>
#include <linux/loop.h>

#define SCRATCH_SIZE (64 << 20)

static char scratch_path[32];
static int scratch_loop = -1, scratch_control = -1;

static TAP_UNUSED int
scratch_is_disk(const char *path)
{
	unsigned long long size = 0;
	char mark[16] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return 0;
	if (ioctl(fd, BLKGETSIZE64, &size) == 0 && pread(fd, mark, 16, 0) == 16)
		strcpy(scratch_path, path);
	close(fd);
	return size == SCRATCH_SIZE && memcmp(mark, "kevlar scratch", 14) == 0;
}

/* Opens a loop device on a new file. -1: there is none. */
static TAP_UNUSED int
scratch_make_loop(int flags)
{
	int n, file, fd;

	scratch_control = open("/dev/loop-control", O_RDWR);
	if (scratch_control < 0)
		return -1;
	n = must(ioctl(scratch_control, LOOP_CTL_GET_FREE));
	file = must(open("/tmp/scratch", O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(ftruncate(file, SCRATCH_SIZE));
	snprintf(scratch_path, sizeof(scratch_path), "/dev/loop%d", n);
	fd = must(open(scratch_path, O_RDWR | flags));
	must(ioctl(fd, LOOP_SET_FD, file));
	close(file);
	scratch_loop = n;
	return fd;
}

/* The guest's disk is used without its first MiB, where its mark is. */
static TAP_UNUSED int
scratch_open(int flags)
{
	return scratch_is_disk("/dev/vda") ? open("/dev/vda", O_RDWR | flags)
					   : scratch_make_loop(flags);
}

static TAP_UNUSED void
scratch_close(int fd)
{
	if (scratch_loop >= 0)
		ioctl(fd, LOOP_CLR_FD, 0);
	close(fd);
	if (scratch_loop >= 0)
		ioctl(scratch_control, LOOP_CTL_REMOVE, scratch_loop);
}

#endif
