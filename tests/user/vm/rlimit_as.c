/* SPDX-License-Identifier: MIT */
/* RLIMIT_AS, RLIMIT_DATA and overcommit refuse with ENOMEM. */
#include "../compat.h"
#include "../probe.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MB   (1UL << 20)

static size_t
vm_size(void)
{
	char *s = get_file("/proc/self/statm");

	return s ? strtoul(s, NULL, 10) * PAGE : 0;
}

static void
limit(int which, rlim_t v)
{
	struct rlimit rl = { v, RLIM_INFINITY };

	must(setrlimit(which, &rl));
}

int
main(void)
{
	size_t size = vm_size();
	void *p, *q;
	pid_t pid;

	ok(size > 0, "statm gives the size of the address space");
	limit(RLIMIT_AS, size + 64 * MB);
	p = mmap(NULL, 32 * MB, RW, ANON, -1, 0);
	ok(p != MAP_FAILED, "within RLIMIT_AS");
	q = mmap(NULL, 48 * MB, RW, ANON, -1, 0);
	ok(q == MAP_FAILED && errno == ENOMEM, "mmap beyond RLIMIT_AS gives ENOMEM");
	q = mmap(NULL, 48 * MB, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	ok(q == MAP_FAILED && errno == ENOMEM, "PROT_NONE counts too");
	q = mremap(p, 32 * MB, 80 * MB, MREMAP_MAYMOVE);
	ok(q == MAP_FAILED && errno == ENOMEM, "mremap beyond it gives ENOMEM");
	is_int(probe_write(p, 1), 0, "the old mapping stays after a refused mremap");
	q = mmap(p, 32 * MB, RW, ANON | MAP_FIXED, -1, 0);
	ok(q == p, "replacing a mapping needs no room");
	must(munmap(p, 32 * MB));
	p = mmap(NULL, 48 * MB, RW, ANON, -1, 0);
	ok(p != MAP_FAILED, "munmap gives room back");
	if ((pid = fork()) == 0) {
		q = mmap(NULL, 48 * MB, RW, ANON, -1, 0);
		_exit(q == MAP_FAILED && errno == ENOMEM ? 0 : 1);
	}
	is_exit(pid, 0, "the limit and the size are inherited by fork");
	munmap(p, 48 * MB);
	limit(RLIMIT_AS, RLIM_INFINITY);

	limit(RLIMIT_DATA, 16 * MB);
	p = mmap(NULL, 32 * MB, RW, ANON, -1, 0);
	ok(p == MAP_FAILED && errno == ENOMEM, "RLIMIT_DATA counts private writable memory");
	p = mmap(NULL, 32 * MB, PROT_READ, ANON, -1, 0);
	ok(p != MAP_FAILED, "but not read-only memory");
	p = mmap(NULL, 32 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok(p != MAP_FAILED, "nor shared memory");
	limit(RLIMIT_DATA, RLIM_INFINITY);

	p = mmap(NULL, 1UL << 46, RW, ANON, -1, 0);
	ok(p == MAP_FAILED && errno == ENOMEM,
	   "a map far beyond memory is refused (overcommit heuristic)");
	p = mmap(NULL, 1UL << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	ok(p != MAP_FAILED, "1 TiB of PROT_NONE is only address space");
	sys_ok(munmap(p, 1UL << 40), "and can go");
	return done();
}
