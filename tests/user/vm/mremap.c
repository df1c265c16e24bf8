/* SPDX-License-Identifier: MIT */
/* mremap: grow, shrink, move, fixed, dontunmap, and its errors. */
#include "../compat.h"
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

static unsigned char *
remap(void *old, size_t from, size_t to, int flags, void *at)
{
	return (unsigned char *)syscall(SYS_mremap, old, from, to, flags, at);
}

#define failed(p, err, name) sys_err((long)(p), err, name)

int
main(void)
{
	unsigned char *p = anon(16, RW), *q, *r;
	int fd;

	memset(p, 0x33, 16 * PAGE);
	q = remap(p, 16 * PAGE, 4 * PAGE, 0, NULL);
	ok(q == p, "shrink stays in place");
	ok(all_bytes(p, 0x33, 4 * PAGE), "shrink keeps data");
	is_int(probe_read(p + 4 * PAGE), SIGSEGV, "the tail is unmapped");
	q = remap(p, 4 * PAGE, 8 * PAGE, 0, NULL);
	ok(q == p, "grow into the free tail stays in place");
	ok(all_bytes(p, 0x33, 4 * PAGE) && all_bytes(p + 4 * PAGE, 0, 4 * PAGE),
	   "the grown part is zero");
	r = mmap(p + 8 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	must(mprotect(r, PAGE, PROT_READ));
	failed(remap(p, 8 * PAGE, 12 * PAGE, 0, NULL), ENOMEM,
	       "grow against a neighbour without MAYMOVE");
	q = remap(p, 8 * PAGE, 64 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(q != MAP_FAILED && q != p, "MAYMOVE moves it");
	ok(all_bytes(q, 0x33, 4 * PAGE) && all_bytes(q + 4 * PAGE, 0, 60 * PAGE),
	   "data moved, tail zero");
	is_int(probe_read(p), SIGSEGV, "the old place is unmapped");

	p = anon(8, RW);
	memset(p, 0x44, 8 * PAGE);
	r = remap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * PAGE);
	ok(r == p + 3 * PAGE, "FIXED gives the exact address");
	ok(all_bytes(r, 0x33, 2 * PAGE), "with the moved data");
	ok(all_bytes(p, 0x44, 3 * PAGE) && all_bytes(p + 5 * PAGE, 0x44, 3 * PAGE),
	   "around it nothing changed");
	is_int(probe_read(q), SIGSEGV, "source head is unmapped");
	ok(all_bytes(q + 2 * PAGE, 0x33, 2 * PAGE), "rest of the source stays");

	r = remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ok(r != MAP_FAILED && r != p && all_bytes(r, 0x44, 2 * PAGE), "DONTUNMAP moves the pages");
	ok(probe_read(p) == 0 && all_bytes(p, 0, 2 * PAGE), "and leaves an empty mapping behind");
	p[0] = 9;
	is_int(r[0], 0x44, "the two are independent");

	p = shared_alloc(2 * PAGE);
	p[0] = 5;
	q = remap(p, 0, 2 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(q != MAP_FAILED && q != p && q[0] == 5, "old size 0 duplicates a shared mapping");
	q[1] = 6;
	is_int(p[1], 6, "both see the same page");

	scratch();
	p = malloc(3 * PAGE);
	for (unsigned i = 0; i < 3 * PAGE; i++)
		p[i] = i >> 12;
	put_file("f", p, 3 * PAGE);
	fd = must(open("f", O_RDONLY));
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	q = remap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(q != MAP_FAILED && q[0] == 0 && q[PAGE] == 1 && q[2 * PAGE] == 2,
	   "a grown file map shows more of the file");

	p = anon(4, RW);
	failed(remap(p + 1, PAGE, PAGE, 0, NULL), EINVAL, "unaligned address");
	failed(remap(p, PAGE, 0, 0, NULL), EINVAL, "new size 0");
	failed(remap(p, PAGE, PAGE, 0x80, NULL), EINVAL, "unknown flag");
	failed(remap(p, PAGE, PAGE, MREMAP_FIXED, q), EINVAL, "FIXED without MAYMOVE");
	failed(remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL,
	       "overlapping FIXED");
	failed(remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 100), EINVAL,
	       "unaligned FIXED target");
	failed(remap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), EINVAL,
	       "DONTUNMAP with a new size");
	failed(remap(p, 0, PAGE, MREMAP_MAYMOVE, NULL), EINVAL, "old size 0 of a private mapping");
	must(munmap(p + PAGE, PAGE));
	failed(remap(p + PAGE, PAGE, PAGE * 2, MREMAP_MAYMOVE, NULL), EFAULT, "nothing mapped");
	failed(remap(p, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT, "grow across mappings");
	return done();
}
