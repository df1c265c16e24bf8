/* SPDX-License-Identifier: MIT */
/* Pages wholly behind the end of a file: SIGBUS; truncation takes pages away. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	unsigned char *s, *p;
	char buf[16];
	int fd, zero;

	scratch();
	put_file("f", "abc", 3);
	fd = must(open("f", O_RDWR));
	s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	is_int(probe_read(s + PAGE - 1), 0, "the last page of the file is readable to its end");
	is_int(probe_read(s + PAGE), SIGBUS, "shared read behind the end");
	is_int(probe_code, BUS_ADRERR, "si_code is BUS_ADRERR");
	ok(probe_addr == s + PAGE, "si_addr is the address");
	is_int(probe_write(s + 2 * PAGE + 9, 1), SIGBUS, "shared write behind the end");
	ok(probe_addr == s + 2 * PAGE + 9, "si_addr is the byte");
	is_int(probe_read(p + PAGE), SIGBUS, "private read behind the end");
	is_int(probe_write(p + PAGE, 1), SIGBUS, "private write behind the end");
	zero = must(open("/dev/zero", O_RDONLY));
	sys_err(read(zero, s + PAGE, 1), EFAULT, "read(2) into it gives EFAULT");

	must(ftruncate(fd, 3 * PAGE));
	is_int(probe_write(s + 2 * PAGE, 7), 0, "after growing it is writable");
	is_int(probe_write(p + PAGE, 8), 0, "privately too");
	must(ftruncate(fd, PAGE + 10));
	is_int(probe_read(s + 2 * PAGE), SIGBUS, "truncation removes a shared page");
	is_int(probe_read(s + PAGE), 0, "the partial page stays");
	must(ftruncate(fd, PAGE));
	is_int(probe_read(p + PAGE), SIGBUS, "truncation removes even a privately copied page");
	must(ftruncate(fd, 3 * PAGE));
	ok(probe_read(s + 2 * PAGE) == 0 && s[2 * PAGE] == 0, "grown again it reads zero");
	memset(s, 'x', 2 * PAGE);
	must(ftruncate(fd, 10));
	must(ftruncate(fd, PAGE));
	is_int(pread(fd, buf, 10, 8), 10, "read across the cut");
	is_mem(buf, "xx\0\0\0\0\0\0\0\0", 10, "the cut-off part of a page is zero when it returns");
	is_int(s[11], 0, "also through the mapping");
	must(ftruncate(fd, 0));
	is_int(probe_read(s), SIGBUS, "an empty file has no page");
	return done();
}
