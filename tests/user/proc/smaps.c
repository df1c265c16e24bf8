/* SPDX-License-Identifier: MIT */
/* smaps: what mappings have in memory, private, shared with a child, given back. */
#include "../tap.h"

/* A value of the mapping that begins at p, in kB; -1: there is none. */
static long
kb(const void *p, const char *key)
{
	char head[40], line[40], *s = get_file("/proc/self/smaps"), *v, *vma, *end;

	snprintf(head, sizeof(head), "%08lx-", (unsigned long)p);
	snprintf(line, sizeof(line), "\n%s:", key);
	vma = s ? strstr(s, head) : NULL;
	end = vma ? strstr(vma, "\nVmFlags:") : NULL;
	v = vma ? strstr(vma, line) : NULL;
	return v && end && v < end ? atol(v + strlen(line)) : -1;
}

static long
rollup(const char *key)
{
	char line[40], *s = get_file("/proc/self/smaps_rollup"), *v;

	snprintf(line, sizeof(line), "\n%s:", key);
	v = s ? strstr(s, line) : NULL;
	return v ? atol(v + strlen(line)) : -1;
}

int
main(void)
{
	long page = sysconf(_SC_PAGESIZE), k = page / 1024, before;
	int fd, bad;
	pid_t pid;
	char *p;

	p = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(madvise(p, 64 * page, MADV_NOHUGEPAGE));
	must(mprotect(p + 63 * page, page, PROT_NONE));
	is_int(kb(p, "Size"), 63 * k, "the size of a mapping");
	is_int(kb(p, "Rss"), 0, "nothing is there yet");
	before = rollup("Rss");
	for (int i = 0; i < 3; i++)
		p[i * 2 * page] = 1;
	is_int(kb(p, "Rss"), 3 * k, "three pages touched");
	is_int(kb(p, "Pss"), 3 * k, "they are ours alone");
	is_int(kb(p, "Private_Dirty"), 3 * k, "private and dirty");
	is_int(kb(p, "Anonymous"), 3 * k, "and anonymous");
	is_int(kb(p, "AnonHugePages"), 0, "no huge page");
	ok(rollup("Rss") >= before + 3 * k, "the sum grows");
	ok(rollup("Pss") <= rollup("Rss"), "a share is no more than the whole");
	if ((pid = fork()) == 0) {
		bad = kb(p, "Rss") != 3 * k;
		bad |= (kb(p, "Shared_Dirty") != 3 * k) << 1;
		bad |= (kb(p, "Pss") != 3 * k / 2) << 2;
		p[0] = 2;
		bad |= (kb(p, "Shared_Dirty") != 2 * k) << 3;
		bad |= (kb(p, "Private_Dirty") != k) << 4;
		_exit(bad);
	}
	is_exit(pid, 0, "after a fork each has half; a copy is private");
	is_int(kb(p, "Private_Dirty"), 3 * k, "and all is ours again when the child is gone");
	must(madvise(p, 64 * page, MADV_DONTNEED));
	is_int(kb(p, "Rss"), 0, "given back");

	scratch();
	fd = must(open("f", O_RDWR | O_CREAT, 0644));
	must(ftruncate(fd, 4 * page));
	p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[page] = 1;
	ok(kb(p, "Rss") >= k, "a page of a file");
	is_int(kb(p, "Anonymous"), 0, "is not anonymous");
	return done();
}
