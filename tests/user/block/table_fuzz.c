/* SPDX-License-Identifier: MIT */
/* TEST: timeout=60 */
/* Damaged partition tables: reading them ends, with partitions that lie on the disk or none. */
#include "scratch.h"

#define TABLES 300
#define SECTOR 512

static unsigned int seed = 20240601;

static unsigned int
next(void)
{
	return (seed = seed * 1103515245 + 12345) >> 8;
}

static void
put32(unsigned char *p, unsigned int v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static void
entry(unsigned char *p, int kind, unsigned int start, unsigned int sectors)
{
	memset(p, 0, 16);
	p[4] = (unsigned char)kind;
	put32(p + 8, start);
	put32(p + 12, sectors);
}

/* A chain of extended partitions that may be a loop, with whatever numbers come. */
static void
make_table(unsigned char *disk, int table)
{
	static const unsigned char kinds[] = { 0x83, 0x05, 0x0f, 0x85, 0xee, 0x82, 0 };

	memset(disk, 0, 64 * SECTOR);
	for (int s = 0; s < 64; s += s ? 1 + next() % 8 : 1) {
		unsigned char *sector = disk + s * SECTOR;

		for (int i = 0; i < 4; i++)
			entry(sector + 446 + 16 * i, kinds[next() % sizeof(kinds)],
			      next() % 4 ? next() % 64 : next() << 8,
			      next() % 4 ? next() % 4096 : next() << 8);
		sector[510] = 0x55;
		sector[511] = 0xaa;
	}
	if (table % 3 == 0) {
		memcpy(disk + SECTOR, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
		for (int i = 16; i < 92; i++)
			disk[SECTOR + i] = (unsigned char)(next() % 3 ? 0 : next());
	}
	for (unsigned int i = next() % 20; i > 0; i--)
		disk[next() % (64 * SECTOR)] = (unsigned char)next();
}

int
main(void)
{
	static unsigned char disk[64 * SECTOR];
	struct loop_info64 info;
	int fd = scratch_make_loop(0), failed = 0, outside = 0;
	char line[128], name[40], loop[24];
	unsigned long blocks;

	if (fd < 0)
		return skip("no /dev/loop-control", "a scratch disk"), done();
	snprintf(loop, sizeof(loop), "loop%dp", scratch_loop);
	must(ioctl(fd, LOOP_GET_STATUS64, &info));
	info.lo_flags |= LO_FLAGS_PARTSCAN;
	is_int(ioctl(fd, LOOP_SET_STATUS64, &info), 0, "partscan");
	for (int table = 0; table < TABLES; table++) {
		FILE *list;

		make_table(disk, table);
		must(pwrite(fd, disk, sizeof(disk), 0));
		failed += ioctl(fd, BLKRRPART, 0) != 0;
		list = fopen("/proc/partitions", "r");
		while (list && fgets(line, sizeof(line), list))
			if (sscanf(line, "%*u %*u %lu %39s", &blocks, name) == 2 &&
			    !strncmp(name, loop, strlen(loop)))
				outside += blocks > SCRATCH_SIZE / 1024;
		if (list)
			fclose(list);
	}
	is_int(failed, 0, "each was read to its end");
	is_int(outside, 0, "no partition is larger than the disk");
	memset(disk, 0, sizeof(disk));
	must(pwrite(fd, disk, sizeof(disk), 0));
	is_int(ioctl(fd, BLKRRPART, 0), 0, "an empty table");
	scratch_close(fd);
	return done();
}
