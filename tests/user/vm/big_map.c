/* SPDX-License-Identifier: MIT */
/* Big and 2 MiB-aligned mappings: correct under partial unmap, protect, fork and discard. */
#include "../probe.h"

#define MB	    (1UL << 20)
#define RW	    (PROT_READ | PROT_WRITE)
#define MADV_HUGE   14
#define MADV_NOHUGE 15

int
main(void)
{
	unsigned char *base = anon(16 * MB / PAGE, RW), *p;
	size_t i;
	int bad = 0, r;
	pid_t pid;

	p = (unsigned char *)(((uintptr_t)base + 2 * MB - 1) & -(2 * MB));
	r = madvise(p, 8 * MB, MADV_HUGE);
	ok(r == 0 || errno == EINVAL, "MADV_HUGEPAGE is accepted or not built in");
	for (i = 0; i < 8 * MB; i += PAGE)
		*(size_t *)(p + i) = i;
	for (i = 0; i < 8 * MB; i += PAGE)
		bad += *(size_t *)(p + i) != i || p[i + 8] != 0;
	is_int(bad, 0, "8 MiB hold what was stored");
	sys_ok(mprotect(p + 3 * PAGE, PAGE, PROT_READ), "protect one small page");
	is_int(probe_write(p + 3 * PAGE, 1), SIGSEGV, "just that page faults");
	ok(probe_write(p + 2 * PAGE + 8, 1) == 0 && probe_write(p + 4 * PAGE + 8, 1) == 0,
	   "its neighbours do not");
	is_int(*(size_t *)(p + 3 * PAGE), 3 * PAGE, "its data is intact");
	sys_ok(munmap(p + 2 * MB + 7 * PAGE, PAGE), "unmap one small page");
	is_int(probe_read(p + 2 * MB + 7 * PAGE), SIGSEGV, "just that page is gone");
	ok(*(size_t *)(p + 2 * MB + 6 * PAGE) == 2 * MB + 6 * PAGE &&
		   *(size_t *)(p + 2 * MB + 8 * PAGE) == 2 * MB + 8 * PAGE,
	   "its neighbours are intact");
	sys_ok(madvise(p + 4 * MB + 5 * PAGE, 2 * PAGE, MADV_DONTNEED), "discard two small pages");
	ok(all_bytes(p + 4 * MB + 5 * PAGE, 0, 2 * PAGE), "they read zero");
	ok(*(size_t *)(p + 4 * MB + 4 * PAGE) == 4 * MB + 4 * PAGE &&
		   *(size_t *)(p + 4 * MB + 7 * PAGE) == 4 * MB + 7 * PAGE,
	   "the rest does not");
	if ((pid = fork()) == 0) {
		*(size_t *)(p + 6 * MB) = 1;
		*(size_t *)(p + 7 * MB) = 2;
		_exit(*(size_t *)(p + 6 * MB + PAGE) == 6 * MB + PAGE ? 0 : 1);
	}
	is_exit(pid, 0, "a child writes into a shared big page");
	ok(*(size_t *)(p + 6 * MB) == 6 * MB && *(size_t *)(p + 7 * MB) == 7 * MB,
	   "the parent sees its own");
	*(size_t *)(p + 6 * MB) = 77;
	ok(*(size_t *)(p + 6 * MB) == 77 && *(size_t *)(p + 6 * MB + PAGE) == 6 * MB + PAGE,
	   "and can still write");
	r = madvise(p, 8 * MB, MADV_NOHUGE);
	ok(r == 0 || errno == EINVAL || errno == ENOMEM, "MADV_NOHUGEPAGE");
	sys_ok(munmap(base, 16 * MB), "unmap all of it");
	is_int(probe_read(p + 6 * MB), SIGSEGV, "it is gone");

	base = mmap(NULL, 4096 * MB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ok(base != MAP_FAILED, "4 GiB reserved");
	for (bad = 0, i = 0; i < 4096 * MB; i += 512 * MB)
		base[i] = i / MB / 512 + 1;
	for (i = 0; i < 4096 * MB; i += 512 * MB)
		bad += base[i] != i / MB / 512 + 1;
	is_int(bad, 0, "sparse stores are kept");
	sys_ok(munmap(base, 4096 * MB), "4 GiB released");
	return done();
}
