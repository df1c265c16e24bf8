/* SPDX-License-Identifier: MIT */
/* MAP_FIXED replaces, MAP_FIXED_NOREPLACE refuses, hints are honoured when free. */
#include "../compat.h"
#include "../probe.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

int
main(void)
{
	unsigned char *p = anon(8, RW), *q;

	memset(p, 0x5a, 8 * PAGE);
	q = mmap(p + 2 * PAGE, 3 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	ok(q == p + 2 * PAGE, "MAP_FIXED gives the exact address");
	ok(all_bytes(q, 0, 3 * PAGE), "old data under MAP_FIXED is gone");
	ok(all_bytes(p, 0x5a, 2 * PAGE) && all_bytes(p + 5 * PAGE, 0x5a, 3 * PAGE),
	   "neighbours keep theirs");
	q = mmap(p, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0);
	ok(q == p && probe_write(p, 1) == SIGSEGV, "MAP_FIXED sets the new protection");

	errno = 0;
	q = mmap(p + 7 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	ok(q == MAP_FAILED && errno == EEXIST, "MAP_FIXED_NOREPLACE over a mapping gives EEXIST");
	ok(all_bytes(p + 7 * PAGE, 0x5a, PAGE), "and leaves it alone");
	must(munmap(p + 3 * PAGE, 2 * PAGE));
	q = mmap(p + 3 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	ok(q == p + 3 * PAGE, "MAP_FIXED_NOREPLACE fills a free hole");
	must(munmap(p + 3 * PAGE, 2 * PAGE));
	q = mmap(p + 3 * PAGE, 2 * PAGE, RW, ANON, -1, 0);
	ok(q == p + 3 * PAGE, "a free hint is taken");
	q = mmap(p + 3 * PAGE, 2 * PAGE, RW, ANON, -1, 0);
	ok(q != MAP_FAILED && q != p + 3 * PAGE, "a taken hint is not");
	ok(all_bytes(p + 3 * PAGE, 0, 2 * PAGE) && all_bytes(p + 5 * PAGE, 0x5a, PAGE),
	   "hints never replace");

	q = mmap(p + PAGE, 6 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	ok(q == p + PAGE && all_bytes(q, 0, 6 * PAGE), "MAP_FIXED over several mappings at once");
	ok(all_bytes(p + 7 * PAGE, 0x5a, PAGE), "the page behind survives");
	q = mmap(NULL, PAGE, RW, ANON, -1, 0);
	ok(q != NULL && q != MAP_FAILED, "NULL hint never maps page 0");
	errno = 0;
	q = mmap((void *)(1UL << 46), 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	ok(q == (void *)(1UL << 46) && probe_write(q + PAGE, 1) == 0, "MAP_FIXED far away");
	return done();
}
