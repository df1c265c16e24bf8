/* SPDX-License-Identifier: MIT */
/*
 * What ext4 has that tmpfs has not, or not so: FIEMAP, FITRIM, the limit of links, exchange and
 * whiteouts across directories, flags of files. Runs in the directory that it is given; a second
 * argument is the number of links to try.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FS_IOC_FIEMAP	 0xc020660bu
#define FS_IOC_GETFLAGS	 0x80086601u
#define FS_IOC_SETFLAGS	 0x40086602u
#define FITRIM		 0xc0185879u
#define EXTENT_LAST	 1u
#define EXTENT_UNWRITTEN 0x800u
#define APPEND_FL	 0x20
#define IMMUTABLE_FL	 0x10
#define EXCHANGE	 2
#define WHITEOUT	 4

static int bad;

static void
check(int good, const char *what)
{
	if (good)
		return;
	printf("FAIL %s: %s\n", what, strerror(errno));
	bad = 1;
}

static struct {
	uint64_t start, length;
	uint32_t flags, mapped, count, reserved;
	struct {
		uint64_t logical, physical, length, reserved64[2];
		uint32_t flags, reserved[3];
	} extent[10];
} map;

static void
fiemap(int fd, uint64_t start, uint64_t length, uint32_t count)
{
	memset(&map, 0, sizeof(map));
	map.start = start;
	map.length = length;
	map.flags = 1; /* sync */
	map.count = count;
	check(ioctl(fd, FS_IOC_FIEMAP, &map) == 0, "fiemap");
}

static void
extents(void)
{
	static char buffer[65536];
	int fd = open("mapped", O_CREAT | O_RDWR, 0644);

	memset(buffer, 'x', sizeof(buffer));
	check(pwrite(fd, buffer, 65536, 0) == 65536 && pwrite(fd, buffer, 4096, 1 << 20) == 4096,
	      "write");
	check(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 << 20, 1 << 20) == 0, "fallocate");
	fiemap(fd, 0, ~0ull, 10);
	check(map.mapped == 3, "three extents");
	check(map.extent[0].logical == 0 && map.extent[0].length == 65536 && !map.extent[0].flags,
	      "the first");
	check(map.extent[1].logical == 1 << 20 && map.extent[1].length == 4096 &&
		      !map.extent[1].flags,
	      "the second");
	check(map.extent[2].logical == 4 << 20 && map.extent[2].length == 1 << 20 &&
		      map.extent[2].flags == (EXTENT_UNWRITTEN | EXTENT_LAST),
	      "the third");
	check(map.extent[0].physical && map.extent[1].physical && map.extent[2].physical, "places");
	fiemap(fd, 0, ~0ull, 0);
	check(map.mapped == 3, "their number");
	fiemap(fd, 100000, 1 << 20, 10);
	check(map.mapped == 1 && map.extent[0].logical == 1 << 20, "those of a range");
	check(lseek(fd, 0, SEEK_HOLE) == 65536 && lseek(fd, 65536, SEEK_DATA) == 1 << 20,
	      "hole and data");
	close(fd);
}

static void
flags(void)
{
	int fd = open("flagged", O_CREAT | O_RDWR, 0644), f = 0;

	check(ioctl(fd, FS_IOC_GETFLAGS, &f) == 0 && f == 0x80000,
	      "an extent file has that flag only");
	f |= APPEND_FL;
	check(ioctl(fd, FS_IOC_SETFLAGS, &f) == 0, "append only");
	check(open("flagged", O_WRONLY) == -1 && errno == EPERM, "no other opening for writing");
	check(unlink("flagged") == -1 && errno == EPERM, "no removal");
	f = (f & ~APPEND_FL) | IMMUTABLE_FL;
	check(ioctl(fd, FS_IOC_SETFLAGS, &f) == 0, "immutable");
	check(open("flagged", O_WRONLY | O_APPEND) == -1 && errno == EPERM,
	      "no opening for writing");
	check(chmod("flagged", 0600) == -1 && errno == EPERM, "no chmod");
	check(link("flagged", "flagged2") == -1 && errno == EPERM, "no link");
	f &= ~IMMUTABLE_FL;
	check(ioctl(fd, FS_IOC_SETFLAGS, &f) == 0 && unlink("flagged") == 0, "a file again");
	close(fd);
}

static long
rename2(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int
links_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (int)st.st_nlink;
}

static void
renames(void)
{
	struct stat st;

	mkdir("a", 0755);
	mkdir("b", 0755);
	mkdir("a/sub", 0755);
	mkdir("a/sub/deep", 0755);
	close(open("b/file", O_CREAT | O_RDWR, 0644));
	check(links_of("a") == 3 && links_of("b") == 2, "links of directories");
	check(rename2("a/sub", "b/file", EXCHANGE) == 0, "a directory and a file change places");
	check(links_of("a") == 2 && links_of("b") == 3, "their parents' links follow");
	check(access("b/file/deep/../../../b/file", F_OK) == 0, "so does ..");
	check(!lstat("a/sub", &st) && S_ISREG(st.st_mode), "the file is there");
	check(rename2("a/sub", "b/new", WHITEOUT) == 0, "a whiteout");
	check(!lstat("a/sub", &st) && S_ISCHR(st.st_mode) && st.st_rdev == 0, "is a device 0:0");
	check(!lstat("b/new", &st) && S_ISREG(st.st_mode), "the file has moved");
	check(unlink("a/sub") == 0, "it can be removed");
}

static void
links(int tries)
{
	char name[40];
	int made = 1;

	close(open("linked", O_CREAT | O_RDWR, 0644));
	mkdir("names", 0755);
	while (made <= tries) {
		snprintf(name, sizeof(name), "names/%d", made);
		if (link("linked", name))
			break;
		made++;
	}
	check(made == tries + 1 || (made == 65000 && errno == EMLINK), "65,000 links and no more");
	check(links_of("linked") == made, "their number");
	unlink("names/1");
	check(link("linked", "names/again") == 0, "one for one");
}

static void
subdirectories(int tries)
{
	char name[40];

	mkdir("dirs", 0755);
	for (int i = 0; i < tries; i++) {
		snprintf(name, sizeof(name), "dirs/%d", i);
		if (mkdir(name, 0755)) {
			check(0, name);
			return;
		}
	}
	check(links_of("dirs") == (tries + 2 > 65000 ? 1 : tries + 2),
	      "links of a directory with many");
	check(rmdir("dirs/1") == 0, "one of them goes");
}

static void
trim(void)
{
	struct {
		uint64_t start, length, min;
	} range = { 0, ~0ull, 0 };
	int fd = open(".", O_RDONLY);

	check(ioctl(fd, FITRIM, &range) == 0 && range.length > 1 << 20, "fitrim");
	range.start = 1ull << 60;
	range.length = ~0ull;
	check(ioctl(fd, FITRIM, &range) == -1 && errno == EINVAL, "fitrim behind the end");
}

int
main(int argc, char **argv)
{
	int tries = argc > 2 ? atoi(argv[2]) : 500;

	if (argc < 2 || chdir(argv[1]))
		return 2;
	extents();
	flags();
	renames();
	links(tries);
	subdirectories(tries);
	trim();
	return bad;
}
