/* SPDX-License-Identifier: MIT */
/* The raw brk call: query, grow, shrink, refusal, RLIMIT_DATA. */
#include "../probe.h"

static uintptr_t
rawbrk(uintptr_t a)
{
	return syscall(SYS_brk, a);
}

int
main(void)
{
	uintptr_t b = rawbrk(0), top;
	struct rlimit rl = { 64 * PAGE, RLIM_INFINITY }, old;
	unsigned char *p;
	pid_t pid;

	ok(b != 0, "brk(0) says where the break is");
	ok(rawbrk(0) == b, "and does not move it");
	ok(rawbrk(1) == b, "a break below the start is refused");
	top = ((b + PAGE - 1) & -PAGE) + 2 * PAGE;
	ok(rawbrk(top) == top, "grow by two pages");
	p = (unsigned char *)top - 2 * PAGE;
	ok(all_bytes(p, 0, 2 * PAGE), "the new pages are zero");
	memset(p, 0x42, 2 * PAGE);
	ok(rawbrk(top - PAGE) == top - PAGE, "shrink by one page");
	is_int(probe_read((void *)(top - PAGE)), SIGSEGV, "the page is gone");
	is_int(p[0], 0x42, "the other one stays");
	ok(rawbrk(top) == top, "grow again");
	ok(all_bytes(p + PAGE, 0, PAGE), "fresh zeros");
	ok(rawbrk(top + 100) == top + 100, "a break inside a page is kept exactly");
	is_int(probe_write((void *)(top + 4000), 1), 0, "the whole last page is usable");
	ok(rawbrk(1UL << 47) == top + 100, "an absurd break is refused and nothing changes");
	ok(rawbrk(top) == top, "back");
	if ((pid = fork()) == 0) {
		rawbrk(top + 16 * PAGE);
		_exit(rawbrk(0) == top + 16 * PAGE ? 0 : 1);
	}
	is_exit(pid, 0, "a child moves its own break");
	ok(rawbrk(0) == top, "the parent's stays");
	must(getrlimit(RLIMIT_DATA, &old));
	must(setrlimit(RLIMIT_DATA, &rl));
	ok(rawbrk(top + 1024 * PAGE) == top, "RLIMIT_DATA stops the break");
	rl.rlim_cur = old.rlim_cur;
	must(setrlimit(RLIMIT_DATA, &rl));
	p = mmap((void *)(top + 4 * PAGE), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0);
	ok(rawbrk(top + 8 * PAGE) == top, "the break does not run over a mapping");
	return done();
}
