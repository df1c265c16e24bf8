/* SPDX-License-Identifier: MIT */
/* munmap of the head, middle, tail and across mappings. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	unsigned char *p = anon(10, RW);
	int i, bad = 0;

	for (i = 0; i < 10; i++)
		p[i * PAGE] = i + 1;
	sys_ok(munmap(p + 4 * PAGE, PAGE), "unmap a middle page");
	is_int(probe_read(p + 4 * PAGE), SIGSEGV, "the middle page faults");
	ok(probe_addr == p + 4 * PAGE, "si_addr is the page");
	is_int(probe_code, SEGV_MAPERR, "si_code is SEGV_MAPERR");
	is_int(probe_read(p + 5 * PAGE - 1), SIGSEGV, "its last byte faults");
	ok(p[3 * PAGE] == 4 && p[5 * PAGE] == 6, "neighbours keep data");
	sys_ok(munmap(p, PAGE), "unmap the head");
	is_int(probe_read(p), SIGSEGV, "the head faults");
	sys_ok(munmap(p + 9 * PAGE, PAGE), "unmap the tail");
	is_int(probe_read(p + 9 * PAGE), SIGSEGV, "the tail faults");
	sys_ok(munmap(p + 2 * PAGE, 4 * PAGE), "unmap across the hole");
	ok(p[PAGE] == 2 && p[6 * PAGE] == 7, "both remains keep data");
	for (i = 2; i < 6; i++)
		bad += probe_read(p + i * PAGE) != SIGSEGV;
	is_int(bad, 0, "all four pages are gone");
	sys_ok(munmap(p, 10 * PAGE), "unmap the range with holes");
	for (bad = i = 0; i < 10; i++)
		bad += probe_read(p + i * PAGE) != SIGSEGV;
	is_int(bad, 0, "nothing is left");

	/* every second page: many small mappings made and removed */
	p = anon(512, RW);
	memset(p, 3, 512 * PAGE);
	for (i = 0; i < 512; i += 2)
		bad += munmap(p + i * PAGE, PAGE) != 0;
	is_int(bad, 0, "every second page unmapped");
	for (i = 0; i < 512; i++)
		bad += i & 1 ? p[i * PAGE] != 3 : probe_read(p + i * PAGE) != SIGSEGV;
	is_int(bad, 0, "odd pages live, even pages fault");
	sys_ok(munmap(p, 512 * PAGE), "one munmap removes 256 mappings");
	for (i = 0; i < 512; i += 17)
		bad += probe_read(p + i * PAGE) != SIGSEGV;
	is_int(bad, 0, "they are gone");
	return done();
}
