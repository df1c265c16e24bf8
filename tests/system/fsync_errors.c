/* SPDX-License-Identifier: MIT */
/*
 * FILE OFFSET: a block that cannot be written. Each open file hears of that once, from the next
 * fsync(2) or from the one that wrote; who opens it later does not. Status 0: so it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int bad;

static void
expect(const char *what, int result, int error)
{
	int got = result < 0 ? errno : 0;

	if (got == error)
		return;
	printf("%s: %s, not %s\n", what, strerror(got), strerror(error));
	bad = 1;
}

int
main(int argc, char **argv)
{
	off_t at = argc > 2 ? atoll(argv[2]) : 0;
	int writer = open(argv[1], O_RDWR), other = open(argv[1], O_RDONLY), later;
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer, at);

	if (writer < 0 || other < 0 || map == MAP_FAILED || pwrite(writer, "x", 1, at) != 1)
		return 2;
	expect("fsync of the writer", fsync(writer), EIO);
	expect("again", fsync(writer), 0);
	expect("fdatasync of another", fdatasync(other), EIO);
	expect("again", fdatasync(other), 0);
	later = open(argv[1], O_RDWR);
	expect("fsync of one opened later", fsync(later), 0);
	*map = 'y';
	expect("msync", msync(map, 4096, MS_SYNC), EIO);
	expect("fsync of the other", fsync(other), EIO);
	expect("fsync of the later one", fsync(later), EIO);
	/* The bytes are in memory still, and other blocks can be written. */
	expect("read", pread(other, map, 0, at) == 0 && *map == 'y' ? 0 : -1, 0);
	expect("write elsewhere", pwrite(writer, "z", 1, at + 65536) == 1 ? 0 : -1, 0);
	expect("fsync of that", fsync(writer), 0);
	return bad;
}
