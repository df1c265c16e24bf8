/* SPDX-License-Identifier: MIT */
/* File mappings: shared and private views, offsets, several maps, life after close and unlink. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	static unsigned char data[5 * PAGE];
	unsigned char *s, *p, *q, *r;
	char buf[32];
	struct stat st;
	int fd, fd2;
	pid_t pid;

	scratch();
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (i * 7 + (i >> 12)) & 0xff;
	put_file("f", data, sizeof(data));
	fd = must(open("f", O_RDWR));
	p = mmap(NULL, sizeof(data), RW, MAP_PRIVATE, fd, 0);
	s = mmap(NULL, sizeof(data), RW, MAP_SHARED, fd, 0);
	r = mmap(NULL, sizeof(data), PROT_READ, MAP_PRIVATE, fd, 0);
	is_mem(p, data, sizeof(data), "a private map equals the file");
	is_mem(s, data, sizeof(data), "a shared map equals the file");
	p[10] = 0xEE;
	is_int(s[10], data[10], "a private store is not seen by the shared map");
	must(pread(fd, buf, 1, 10));
	is_int((unsigned char)buf[0], data[10], "nor by read");
	is_int(r[10], data[10], "nor by another private map");
	s[PAGE + 1] = 0xDD;
	is_int(r[PAGE + 1], 0xDD, "a shared store shows in an untouched private page");
	s[11] = 0xCC;
	is_int(p[11], data[11], "but not in a private page already copied");
	must(pread(fd, buf, 1, PAGE + 1));
	is_int((unsigned char)buf[0], 0xDD, "and shows in read");
	q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
	is_mem(q, data + 2 * PAGE, PAGE, "an offset starts in the middle");
	s[2 * PAGE + 5] = 0xBB;
	is_int(q[5], 0xBB, "two shared maps of a page are the same memory");
	if ((pid = fork()) == 0) {
		s[3 * PAGE] = 0xAA;
		p[3 * PAGE] = 0x99;
		_exit(0);
	}
	is_exit(pid, 0, "a child stores through both maps");
	is_int(s[3 * PAGE], 0xAA, "the shared store is seen");
	is_int(p[3 * PAGE], 0xAA, "the private one is not: the page shows the file");

	fd2 = must(open("f", O_RDONLY));
	must(close(fd));
	s[0] = 0x77;
	must(pread(fd2, buf, 1, 0));
	is_int(buf[0], 0x77, "the map outlives its descriptor");
	must(unlink("f"));
	s[1] = 0x78;
	must(pread(fd2, buf, 2, 0));
	is_int(buf[1], 0x78, "and the name");
	must(close(fd2));
	is_int(s[1], 0x78, "and the last descriptor");

	put_file("g", "tail", 4);
	fd = must(open("g", O_RDWR));
	s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	ok(all_bytes(s + 4, 0, PAGE - 4), "behind the end of the file the page is zero");
	must(ftruncate(fd, 8192));
	q = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	ok(probe_read(q + PAGE) == 0 && q[PAGE] == 0, "a grown file has a readable second page");
	q[2 * PAGE - 1] = 5;
	must(fstat(fd, &st));
	is_int(st.st_size, 8192, "the size is that of the truncate");
	must(pread(fd, buf, 1, 8191));
	is_int(buf[0], 5, "the last byte went to the file");
	fd2 = must(open("/dev/zero", O_RDWR));
	s = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd2, 0);
	ok(s != MAP_FAILED && all_bytes(s, 0, PAGE), "private map of /dev/zero");
	s[0] = 1;
	s = mmap(NULL, PAGE, RW, MAP_SHARED, fd2, 0);
	ok(s != MAP_FAILED && s[0] == 0, "shared map of /dev/zero is fresh memory");
	if ((pid = fork()) == 0) {
		s[0] = 42;
		_exit(0);
	}
	is_exit(pid, 0, "child stores into it");
	is_int(s[0], 42, "shared with the child");
	return done();
}
