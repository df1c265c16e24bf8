/* SPDX-License-Identifier: MIT */
/* Anonymous mappings: zero-filled on demand, independent, released. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	unsigned char *p = anon(256, RW), *q;

	ok(((uintptr_t)p & (PAGE - 1)) == 0, "mapping is page aligned");
	ok(all_bytes(p, 0, 256 * PAGE), "1 MiB reads as zero");
	p[0] = 1, p[128 * PAGE] = 2, p[256 * PAGE - 1] = 3;
	ok(p[0] == 1 && p[128 * PAGE] == 2 && p[256 * PAGE - 1] == 3, "stores are kept");
	ok(all_bytes(p + 1, 0, PAGE) && p[128 * PAGE + 1] == 0, "neighbouring bytes stay zero");
	q = anon(1, RW);
	ok(q + PAGE <= p || q >= p + 256 * PAGE, "second mapping does not overlap");
	sys_ok(munmap(q, PAGE), "munmap");
	is_int(probe_read(q), SIGSEGV, "unmapped page faults");
	is_int(probe_code, SEGV_MAPERR, "with SEGV_MAPERR");
	sys_ok(munmap(q, PAGE), "munmap of nothing succeeds");
	sys_ok(munmap(p, 256 * PAGE), "munmap of all");

	q = mmap(NULL, 100, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ok(q != MAP_FAILED, "length is rounded up to a page");
	is_int(probe_write(q + PAGE - 1, 7), 0, "last byte of the rounded page is usable");
	munmap(q, 100);
	is_int(probe_read(q), SIGSEGV, "munmap rounds up too");

	q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_int(probe_read(q), 0, "read-only page reads");
	is_int(probe_write(q, 1), SIGSEGV, "read-only page faults on write");
	is_int(probe_code, SEGV_ACCERR, "with SEGV_ACCERR");
	q = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_int(probe_read(q), SIGSEGV, "PROT_NONE faults on read");
	is_int(probe_code, SEGV_ACCERR, "with SEGV_ACCERR");
	q = mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_int(probe_write(q, 9), 0, "PROT_WRITE alone writes");
	is_int(probe_read(q), 0, "and reads on x86");
	q = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	ok(q != MAP_FAILED && probe_write(q, 1) == 0, "MAP_STACK and MAP_NORESERVE are accepted");
	q = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ok(q != MAP_FAILED && all_bytes(q, 0, 4 * PAGE), "MAP_POPULATE gives zeroed pages");
	q = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, 12345, 0);
	ok(q != MAP_FAILED, "the descriptor is ignored for anonymous maps");
	q = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 8 * PAGE);
	ok(q != MAP_FAILED, "an aligned offset is accepted for anonymous maps");
	return done();
}
