/* SPDX-License-Identifier: MIT */
/* msync flags and errors; shared stores are visible to read(2) at once. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	unsigned char *p;
	char buf[16];
	int fd;

	scratch();
	put_file("f", "0123456789", 10);
	fd = must(open("f", O_RDWR));
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	must(p == MAP_FAILED ? -1 : 0);
	p[3] = 'X';
	is_int(pread(fd, buf, 10, 0), 10, "read back");
	is_mem(buf, "012X456789", 10, "a shared store is visible to read before msync");
	must(pwrite(fd, "Y", 1, 4));
	is_int(p[4], 'Y', "a write is visible through the mapping");
	sys_ok(msync(p, PAGE, MS_SYNC), "MS_SYNC");
	sys_ok(msync(p, PAGE, MS_ASYNC), "MS_ASYNC");
	sys_ok(msync(p, PAGE, MS_INVALIDATE), "MS_INVALIDATE");
	sys_ok(msync(p, PAGE, 0), "no flag");
	sys_ok(msync(p, 0, MS_SYNC), "length 0");
	p[9] = 'Z', p[10] = '!';
	is_int(lseek(fd, 0, SEEK_END), 10, "stores behind the end do not grow the file");
	must(munmap(p, 2 * PAGE));
	is_mem(get_file("f"), "012XY5678Z", 11, "stores inside survive munmap");

	p = anon(3, RW);
	sys_err(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL, "MS_SYNC and MS_ASYNC together");
	sys_err(msync(p, PAGE, 0x100), EINVAL, "unknown flag");
	sys_err(msync(p + 1, PAGE, MS_SYNC), EINVAL, "unaligned address");
	must(munmap(p + PAGE, PAGE));
	sys_err(msync(p, 3 * PAGE, MS_SYNC), ENOMEM, "range with a hole");
	sys_err(msync(p + PAGE, PAGE, MS_ASYNC), ENOMEM, "nothing mapped");
	sys_ok(msync(p, PAGE, MS_SYNC), "anonymous memory");
	must(mlock(p, PAGE));
	sys_err(msync(p, PAGE, MS_INVALIDATE), EBUSY, "MS_INVALIDATE of a locked page");
	return done();
}
