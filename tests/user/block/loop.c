/* SPDX-License-Identifier: MIT */
/* TEST: timeout=30 */
/* Loop devices and, on one, what every block device does: loop(4), and the BLK requests. */
#include "../compat.h"
#include "../tap.h"
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/loop.h>
#include <sys/sysmacros.h>

#define MIB  (1 << 20)
#define SIZE (16 * MIB)

static int control;

static int
loop_open(int n, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/loop%d", n);
	return open(path, flags);
}

static int
sys_number(int n, const char *what)
{
	char path[96], text[64] = "";
	int fd, value = -1;

	snprintf(path, sizeof(path), "/sys/block/loop%d/%s", n, what);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) > 0)
		value = atoi(text);
	close(fd);
	return value;
}

static void
fill(unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
}

static void
sizes(int fd)
{
	unsigned long sectors = 0, range[2];
	unsigned long long bytes = 0;
	struct hd_geometry geometry;
	unsigned int u = 0;
	int i = 0;

	is_int(ioctl(fd, BLKGETSIZE64, &bytes), 0, "BLKGETSIZE64");
	is_int(bytes, SIZE, "says the file's size");
	ok(ioctl(fd, BLKGETSIZE, &sectors) == 0 && sectors == SIZE / 512, "BLKGETSIZE: in sectors");
	ok(ioctl(fd, BLKSSZGET, &i) == 0 && i == 512, "BLKSSZGET");
	ok(ioctl(fd, BLKPBSZGET, &u) == 0 && u >= 512, "BLKPBSZGET");
	ok(ioctl(fd, BLKIOMIN, &u) == 0 && u >= 512, "BLKIOMIN");
	ok(ioctl(fd, BLKIOOPT, &u) == 0, "BLKIOOPT");
	ok(ioctl(fd, BLKALIGNOFF, &i) == 0 && i == 0, "BLKALIGNOFF");
	ok(ioctl(fd, BLKROGET, &i) == 0 && i == 0, "BLKROGET: writable");
	ok(ioctl(fd, BLKRAGET, &sectors) == 0, "BLKRAGET");
	i = 1024;
	is_int(ioctl(fd, BLKBSZSET, &i), 0, "BLKBSZSET");
	i = 0;
	ok(ioctl(fd, BLKBSZGET, &i) == 0 && i == 1024, "BLKBSZGET");
	i = 1000;
	sys_err(ioctl(fd, BLKBSZSET, &i), EINVAL, "no power of two");
	sys_err(ioctl(fd, BLKGETSIZE64, at(8)), EFAULT, "bad pointer");
	sys_err(ioctl(fd, 0x12ff, 0), EINVAL, "unknown request");
	range[0] = SIZE;
	range[1] = 512;
	sys_err(ioctl(fd, BLKZEROOUT, range), EINVAL, "zeroes beyond the end");
	ok(ioctl(fd, HDIO_GETGEO, &geometry) == 0 || errno == ENOTTY, "HDIO_GETGEO");
	is_int(lseek(fd, 0, SEEK_END), SIZE, "SEEK_END is the device's size");
	sys_err(lseek(fd, SIZE + 1, SEEK_SET), EINVAL, "no place beyond it");
}

static void
data(int fd, int file)
{
	static unsigned char out[MIB], in[MIB], zero[MIB];
	unsigned char *map;
	struct stat st;

	fill(out, MIB, 1);
	is_int(pwrite(fd, out, MIB, 3 * MIB + 100), MIB, "write at an odd place");
	is_int(pread(fd, in, MIB, 3 * MIB + 100), MIB, "read it");
	is_mem(in, out, MIB, "as it was written");
	is_int(fsync(fd), 0, "fsync");
	memset(in, 0, MIB);
	is_int(pread(file, in, MIB, 3 * MIB + 100), MIB, "the file");
	is_mem(in, out, MIB, "has the bytes");
	is_int(pwrite(fd, out, 1000, SIZE - 600), 600, "a write is cut at the end");
	sys_err(pwrite(fd, out, 1, SIZE), ENOSPC, "at the end there is no space");
	is_int(pread(fd, in, 1000, SIZE - 600), 600, "a read is cut at the end");
	is_int(pread(fd, in, 1, SIZE), 0, "at the end is the end");
	ok(fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && st.st_size == 0, "fstat: size 0");
	is_int(major(st.st_rdev), 7, "major 7");
	map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 3 * MIB);
	ok(map != MAP_FAILED, "mmap");
	if (map != MAP_FAILED) {
		is_mem(map + 100, out, MIB - 100, "shows the bytes");
		memset(map, 0x5a, 100);
		is_int(msync(map, MIB, MS_SYNC), 0, "msync");
		munmap(map, MIB);
		is_int(pread(file, in, 100, 3 * MIB), 100, "the file");
		ok(in[0] == 0x5a && in[99] == 0x5a, "has what was stored");
	}
	unsigned long range[2] = { 3 * MIB, MIB };
	is_int(ioctl(fd, BLKZEROOUT, range), 0, "BLKZEROOUT");
	is_int(pread(fd, in, MIB, 3 * MIB), MIB, "afterwards");
	is_mem(in, zero, MIB, "there are zeroes");
	is_int(pread(file, in, MIB, 3 * MIB), MIB, "in the file");
	is_mem(in, zero, MIB, "as well");
	is_int(ioctl(fd, BLKFLSBUF, 0), 0, "BLKFLSBUF");
}

static void
direct(int n, int fd)
{
	unsigned char *buf = aligned_alloc(4096, 2 * MIB), *back = aligned_alloc(4096, 2 * MIB);
	int d = loop_open(n, O_RDWR | O_DIRECT);

	ok(d >= 0, "O_DIRECT opens");
	fill(buf, 2 * MIB, 2);
	is_int(pwrite(d, buf, 2 * MIB, 5 * MIB), 2 * MIB, "writes");
	is_int(pread(fd, back, 2 * MIB, 5 * MIB), 2 * MIB, "through the cache");
	is_mem(back, buf, 2 * MIB, "it is seen");
	fill(buf, 4096, 3);
	is_int(pwrite(fd, buf, 4096, 5 * MIB), 4096, "a cached write");
	memset(back, 0, 4096);
	is_int(pread(d, back, 4096, 5 * MIB), 4096, "is there");
	is_mem(back, buf, 4096, "for a direct read");
	is_int(pread(d, back + 512, 512, 5 * MIB + 512), 512, "in sectors too");
	is_mem(back + 512, buf + 512, 512, "the right one");
	sys_err(pread(d, back, 100, 5 * MIB), EINVAL, "no odd lengths");
	sys_err(pread(d, back, 512, 5 * MIB + 1), EINVAL, "no odd places");
	is_int(pread(d, back, 8192, SIZE - 4096), 4096, "a direct read is cut at the end");
	is_int(pread(d, back, 4096, SIZE), 0, "and ends there");
	close(d);
	free(buf);
	free(back);
}

static int
partition(int fd, int op, int number, long long start, long long length)
{
	struct blkpg_partition p = { .start = start, .length = length, .pno = number };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(p), .data = &p };

	return ioctl(fd, BLKPG, &arg);
}

static void
partitions(int n, int fd)
{
	unsigned char sector[512] = { 0 };
	char path[40];
	struct stat st;
	int p;

	/* One primary partition of 4 MiB at 1 MiB, one of 2 MiB behind it. */
	memcpy(sector + 446 + 4, "\x83\0\0\0\x00\x08\0\0\x00\x20\0\0", 12);
	memcpy(sector + 462 + 4, "\x83\0\0\0\x00\x28\0\0\x00\x10\0\0", 12);
	sector[510] = 0x55;
	sector[511] = 0xaa;
	is_int(pwrite(fd, sector, 512, 0), 512, "a partition table");
	sys_err(ioctl(fd, BLKRRPART, 0), EINVAL, "not without partscan");
	struct loop_info64 info;
	must(ioctl(fd, LOOP_GET_STATUS64, &info));
	info.lo_flags |= LO_FLAGS_PARTSCAN;
	is_int(ioctl(fd, LOOP_SET_STATUS64, &info), 0, "partscan");
	is_int(ioctl(fd, BLKRRPART, 0), 0, "BLKRRPART");
	snprintf(path, sizeof(path), "loop%dp1/start", n);
	if (sys_number(n, path) < 0) {
		skip("the kernel does not know this kind of table", "partitions");
		return;
	}
	snprintf(path, sizeof(path), "/dev/loop%dp1", n);
	ok(stat(path, &st) == 0 && S_ISBLK(st.st_mode), "the first partition has a node");
	snprintf(path, sizeof(path), "/dev/loop%dp2", n);
	p = open(path, O_RDWR);
	ok(p >= 0, "so has the second");
	is_int(lseek(p, 0, SEEK_END), 2 * MIB, "of its size");
	is_int(pwrite(p, "here", 4, 0), 4, "a write");
	is_int(fsync(p), 0, "on the partition");
	/* The disk and the partition are cached apart. */
	must(ioctl(fd, BLKFLSBUF, 0));
	memset(sector, 0, 4);
	is_int(pread(fd, sector, 4, 5 * MIB), 4, "is on the disk");
	is_mem(sector, "here", 4, "where it starts");
	sys_err(ioctl(fd, BLKRRPART, 0), EBUSY, "no rescan while it is open");
	sys_err(partition(fd, BLKPG_DEL_PARTITION, 2, 0, 0), EBUSY, "nor deletion");
	close(p);
	is_int(partition(fd, BLKPG_DEL_PARTITION, 2, 0, 0), 0, "BLKPG deletes");
	sys_err(stat(path, &st), ENOENT, "the node is gone");
	sys_err(partition(fd, BLKPG_ADD_PARTITION, 3, 4 * MIB, MIB), EBUSY, "BLKPG: overlap");
	is_int(partition(fd, BLKPG_ADD_PARTITION, 3, 8 * MIB, MIB), 0, "BLKPG adds");
	snprintf(path, sizeof(path), "loop%dp3/start", n);
	is_int(sys_number(n, path), 8 * MIB / 512, "/sys knows its start");
	is_int(partition(fd, BLKPG_DEL_PARTITION, 3, 0, 0), 0, "and away");
	memset(sector, 0, 512);
	must(pwrite(fd, sector, 512, 0));
	is_int(ioctl(fd, BLKRRPART, 0), 0, "an empty table");
	sys_err(partition(fd, BLKPG_DEL_PARTITION, 1, 0, 0), ENXIO, "leaves none");
}

static void
exclusive(int n)
{
	int a = loop_open(n, O_RDWR | O_EXCL), b;

	ok(a >= 0, "O_EXCL");
	b = loop_open(n, O_RDWR | O_EXCL);
	sys_err(b, EBUSY, "one at a time");
	b = loop_open(n, O_RDONLY);
	ok(b >= 0, "others without it may");
	close(b);
	close(a);
	a = loop_open(n, O_RDONLY | O_EXCL);
	ok(a >= 0, "again after it is closed");
	close(a);
}

static void
life(int n, int file)
{
	struct loop_info64 info = { 0 };
	int fd = loop_open(n, O_RDWR), ro;
	unsigned long long bytes;

	sys_err(ioctl(fd, LOOP_GET_STATUS64, &info), ENXIO, "no file: no status");
	sys_err(ioctl(fd, LOOP_CLR_FD, 0), ENXIO, "nothing to clear");
	sys_err(ioctl(fd, LOOP_SET_FD, -1), EBADF, "a bad descriptor");
	sys_err(ioctl(fd, LOOP_SET_FD, control), EINVAL, "no regular file");
	ok(ioctl(fd, BLKGETSIZE64, &bytes) == 0 && bytes == 0, "without a file it is empty");
	is_int(ioctl(fd, LOOP_SET_FD, file), 0, "LOOP_SET_FD");
	sys_err(ioctl(fd, LOOP_SET_FD, file), EBUSY, "has one");
	sys_err(ioctl(fd, LOOP_SET_FD, fd), EBUSY, "even itself");
	info.lo_offset = MIB;
	info.lo_sizelimit = 2 * MIB;
	strcpy((char *)info.lo_file_name, "some name");
	is_int(ioctl(fd, LOOP_SET_STATUS64, &info), 0, "an offset and a limit");
	ok(ioctl(fd, BLKGETSIZE64, &bytes) == 0 && bytes == 2 * MIB, "make it smaller");
	memset(&info, 0, sizeof(info));
	is_int(ioctl(fd, LOOP_GET_STATUS64, &info), 0, "LOOP_GET_STATUS64");
	ok(info.lo_offset == MIB && info.lo_sizelimit == 2 * MIB && info.lo_number == (unsigned)n &&
		   !strcmp((char *)info.lo_file_name, "some name"),
	   "tells what was set");
	is_int(pwrite(fd, "offset", 6, 0), 6, "a write");
	is_int(fsync(fd), 0, "to its start");
	char text[6];
	is_int(pread(file, text, 6, MIB), 6, "is in the file");
	is_mem(text, "offset", 6, "at the offset");
	is_int(sys_number(n, "size"), 2 * MIB / 512, "/sys says the size");
	is_int(sys_number(n, "loop/offset"), MIB, "and the offset");
	sys_err(ioctl(control, LOOP_CTL_REMOVE, n), EBUSY, "no removal while it has a file");
	is_int(ioctl(fd, LOOP_CLR_FD, 0), 0, "LOOP_CLR_FD");
	close(fd);
	fd = loop_open(n, O_RDWR);
	ok(ioctl(fd, BLKGETSIZE64, &bytes) == 0 && bytes == 0, "is empty again");
	ro = must(open("/tmp/image", O_RDONLY));
	is_int(ioctl(fd, LOOP_SET_FD, ro), 0, "a file open for reading only");
	int flag = 0;
	ok(ioctl(fd, BLKROGET, &flag) == 0 && flag, "makes it read-only");
	sys_err(pwrite(fd, "x", 1, 0), EPERM, "no writing");
	memset(&info, 0, sizeof(info));
	must(ioctl(fd, LOOP_GET_STATUS64, &info));
	info.lo_flags |= LO_FLAGS_AUTOCLEAR;
	is_int(ioctl(fd, LOOP_SET_STATUS64, &info), 0, "autoclear");
	close(ro);
	close(fd);
	fd = loop_open(n, O_RDWR);
	sys_err(ioctl(fd, LOOP_GET_STATUS64, &info), ENXIO, "the last close cleared it");
	close(fd);
}

int
main(void)
{
	int n, fd, file;

	control = open("/dev/loop-control", O_RDWR);
	if (control < 0)
		return skip("no /dev/loop-control", "loop devices"), done();
	mkdir("/sys", 0755);
	file = must(open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600));
	must(ftruncate(file, SIZE));
	n = ioctl(control, LOOP_CTL_GET_FREE);
	ok(n >= 0, "LOOP_CTL_GET_FREE");
	life(n, file);
	fd = must(loop_open(n, O_RDWR));
	must(ioctl(fd, LOOP_SET_FD, file));
	sizes(fd);
	data(fd, file);
	direct(n, fd);
	partitions(n, fd);
	exclusive(n);
	is_int(ioctl(fd, LOOP_CLR_FD, 0), 0, "the end");
	close(fd);
	is_int(ioctl(control, LOOP_CTL_REMOVE, n), 0, "LOOP_CTL_REMOVE");
	sys_err(ioctl(control, LOOP_CTL_REMOVE, n), ENODEV, "it is gone");
	sys_err(loop_open(n, O_RDONLY), ENOENT, "with its node");
	return done();
}
