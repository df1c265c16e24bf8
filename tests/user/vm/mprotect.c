/* SPDX-License-Identifier: MIT */
/* mprotect: every transition, splits, and its errors. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	unsigned char *p = anon(8, RW);
	int fd;

	scratch();
	memset(p, 0x11, 8 * PAGE);
	sys_ok(mprotect(p, PAGE, PROT_NONE), "to PROT_NONE");
	is_int(probe_read(p), SIGSEGV, "read faults");
	is_int(probe_code, SEGV_ACCERR, "with SEGV_ACCERR");
	ok(probe_addr == p, "at the address");
	sys_ok(mprotect(p, PAGE, PROT_READ), "to PROT_READ");
	ok(probe_read(p) == 0 && p[0] == 0x11, "data is back");
	is_int(probe_write(p + 5, 1), SIGSEGV, "write faults");
	is_int(probe_code, SEGV_ACCERR, "with SEGV_ACCERR");
	ok(probe_addr == p + 5, "at the exact byte");
	sys_ok(mprotect(p, PAGE, RW), "to read and write");
	ok(probe_write(p, 0x22) == 0 && p[0] == 0x22, "write works");

	sys_ok(mprotect(p + 3 * PAGE, 2 * PAGE, PROT_READ), "split in the middle");
	ok(probe_write(p + 2 * PAGE, 1) == 0 && probe_write(p + 5 * PAGE, 1) == 0,
	   "outside is writable");
	ok(probe_write(p + 3 * PAGE, 1) == SIGSEGV && probe_write(p + 5 * PAGE - 1, 1) == SIGSEGV,
	   "inside is not");
	sys_ok(mprotect(p, 8 * PAGE, RW), "one call over three mappings");
	ok(probe_write(p + 3 * PAGE, 1) == 0 && probe_write(p + 4 * PAGE, 1) == 0,
	   "all is writable again");
	sys_ok(mprotect(p, 1, PROT_READ), "length is rounded up");
	is_int(probe_write(p + PAGE - 1, 1), SIGSEGV, "to the page");
	sys_ok(mprotect(p, 0, PROT_NONE), "length 0 does nothing");
	is_int(probe_read(p), 0, "indeed");

	p[7 * PAGE] = 0xc3; /* ret */
	is_int(probe_exec(p + 7 * PAGE), SIGSEGV, "data is not executable");
	is_int(probe_code, SEGV_ACCERR, "with SEGV_ACCERR");
	ok(probe_addr == p + 7 * PAGE, "at the target");
	sys_ok(mprotect(p + 7 * PAGE, PAGE, PROT_READ | PROT_EXEC), "to PROT_EXEC");
	is_int(probe_exec(p + 7 * PAGE), 0, "runs");

	sys_err(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL, "unaligned address");
	sys_err(mprotect(p, PAGE, 0x1000), EINVAL, "unknown protection bit");
	sys_err(mprotect(p, -PAGE, PROT_READ), ENOMEM, "length that wraps");
	sys_err(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL,
		"PROT_GROWSDOWN on a plain mapping");
	must(munmap(p + 4 * PAGE, PAGE));
	sys_err(mprotect(p + 2 * PAGE, 4 * PAGE, PROT_READ), ENOMEM, "range with a hole");
	is_int(probe_write(p + 2 * PAGE, 1), SIGSEGV, "the part before the hole changed");
	is_int(probe_write(p + 5 * PAGE, 1), 0, "the part behind did not");
	sys_err(mprotect(p + 4 * PAGE, PAGE, PROT_READ), ENOMEM, "nothing mapped");

	put_file("f", "x", 1);
	fd = must(open("f", O_RDONLY));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	sys_err(mprotect(p, PAGE, RW), EACCES, "shared map of a read-only descriptor to writable");
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	sys_ok(mprotect(p, PAGE, RW), "private map of it may be");
	ok(probe_write(p, 'y') == 0 && get_file("f")[0] == 'x', "and the file does not change");
	return done();
}
