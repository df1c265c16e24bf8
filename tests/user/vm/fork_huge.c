/* SPDX-License-Identifier: MIT */
/* TEST: timeout=40 */
/*
 * Fork of memory in 2 MiB pages: each side keeps its contents whatever the other does to the whole
 * or to parts, and all memory comes back.
 */
#include "../probe.h"
#include <pthread.h>

#define HUGE  (2UL << 20)
#define COUNT 4
#define SIZE  (COUNT * HUGE)

/* COUNT aligned 2 MiB; each byte tells the page and the generation. */
static unsigned char *
area_new(unsigned char generation)
{
	unsigned char *raw = mmap(NULL, SIZE + HUGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *p = (unsigned char *)(((uintptr_t)raw + HUGE - 1) & ~(HUGE - 1));

	must(raw == MAP_FAILED ? -1 : 0);
	must(munmap(raw, p - raw) == 0 || p == raw ? 0 : -1);
	must(munmap(p + SIZE, raw + HUGE - p));
	madvise(p, SIZE, MADV_HUGEPAGE);
	for (size_t i = 0; i < SIZE; i += PAGE)
		memset(p + i, (unsigned char)(i / PAGE * 7 + generation), PAGE);
	return p;
}

/* Pages [first, last) of area p as area_new made them? */
static int
intact(const unsigned char *p, size_t first, size_t last, unsigned char generation)
{
	for (size_t i = first; i < last; i++)
		if (!all_bytes(p + i * PAGE, (unsigned char)(i * 7 + generation), PAGE))
			return 0;
	return 1;
}

#define PAGES  (SIZE / PAGE)
#define HPAGES (HUGE / PAGE)

/* What a child may do to the area; 0: all as expected. */
static int
act_read(unsigned char *p)
{
	return !intact(p, 0, PAGES, 1);
}

static int
act_write_all(unsigned char *p)
{
	memset(p, 0xee, SIZE);
	return !all_bytes(p, 0xee, SIZE);
}

static int
act_write_one(unsigned char *p)
{
	p[HUGE + 5 * PAGE] ^= 0xff;
	p[HUGE + 5 * PAGE] ^= 0xff;
	p[3 * HUGE - 1] ^= 0xff;
	p[3 * HUGE - 1] ^= 0xff;
	return !intact(p, 0, PAGES, 1);
}

static int
act_unmap_parts(unsigned char *p)
{
	if (munmap(p + HUGE / 2, HUGE) || munmap(p + 3 * HUGE, PAGE) ||
	    munmap(p + SIZE - PAGE, PAGE))
		return 1;
	if (probe_read(p + HUGE) != SIGSEGV || probe_read(p + 3 * HUGE) != SIGSEGV)
		return 2;
	return !intact(p, 0, HPAGES / 2, 1) || !intact(p, HPAGES * 3 / 2, 3 * HPAGES, 1) ||
	       !intact(p, 3 * HPAGES + 1, PAGES - 1, 1);
}

static int
act_protect_parts(unsigned char *p)
{
	if (mprotect(p, HUGE, PROT_READ) || mprotect(p + HUGE + PAGE, PAGE, PROT_READ) ||
	    mprotect(p + 2 * HUGE, HUGE, PROT_NONE))
		return 1;
	if (probe_write(p, 1) != SIGSEGV || probe_write(p + HUGE + PAGE, 1) != SIGSEGV ||
	    probe_read(p + 2 * HUGE) != SIGSEGV || probe_write(p + HUGE, p[HUGE]))
		return 2;
	if (mprotect(p, SIZE, PROT_READ | PROT_WRITE) || !intact(p, 0, PAGES, 1))
		return 3;
	for (size_t i = 0; i < SIZE; i += PAGE)
		p[i + 9]++;
	for (size_t i = 0; i < SIZE; i += PAGE)
		p[i + 9]--;
	return !intact(p, 0, PAGES, 1);
}

static int
act_discard(unsigned char *p)
{
	if (madvise(p, HUGE, MADV_DONTNEED) ||
	    madvise(p + HUGE + 3 * PAGE, 2 * PAGE, MADV_DONTNEED))
		return 1;
	return !all_bytes(p, 0, HUGE) || !intact(p, HPAGES, HPAGES + 3, 1) ||
	       !all_bytes(p + HUGE + 3 * PAGE, 0, 2 * PAGE) || !intact(p, HPAGES + 5, PAGES, 1);
}

static int
act_move(unsigned char *p)
{
	unsigned char *room = mmap(NULL, SIZE + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);
	unsigned char *to = (unsigned char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));

	/* Whole pages to an aligned place, then parts to a crooked one. */
	if (mremap(p, 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		return 1;
	if (!intact(to, 0, 2 * HPAGES, 1))
		return 2;
	to[0] ^= 1;
	to[0] ^= 1;
	if (mremap(p + 2 * HUGE + PAGE, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 2 * HUGE) !=
	    to + 2 * HUGE)
		return 3;
	for (size_t i = 0; i < HPAGES; i++)
		if (to[2 * HUGE + i * PAGE] != (unsigned char)((2 * HPAGES + 1 + i) * 7 + 1))
			return 4;
	return 0;
}

static int
act_grandchild(unsigned char *p)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(act_unmap_parts(p));
	p[0] = p[2 * HUGE] = 1;
	return reap(pid) != 0 || act_write_all(p);
}

static int
act_into_kernel(unsigned char *p)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], "kernel", 6) != 6 || read(ends[0], p + HUGE + 100, 6) != 6)
		return 1;
	return memcmp(p + HUGE + 100, "kernel", 6) != 0 || !intact(p, 0, HPAGES, 1);
}

static const struct {
	const char *name;
	int (*act)(unsigned char *p);
} acts[] = {
	{ "reads", act_read },
	{ "writes everything", act_write_all },
	{ "writes single bytes", act_write_one },
	{ "unmaps parts", act_unmap_parts },
	{ "protects parts", act_protect_parts },
	{ "discards parts", act_discard },
	{ "moves them", act_move },
	{ "forks itself", act_grandchild },
	{ "reads a pipe into them", act_into_kernel },
};

static void
check_sides(void)
{
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		unsigned char *p = area_new(1);
		pid_t pid = fork();

		if (pid == 0)
			_exit(acts[i].act(p));
		is_exit(pid, 0, "a child that %s sees what it should", acts[i].name);
		ok(intact(p, 0, PAGES, 1), "a child that %s: the parent keeps its own",
		   acts[i].name);
		p[HUGE + 1] ^= 1;
		p[HUGE + 1] ^= 1;
		ok(intact(p, 0, PAGES, 1), "and can write");
		munmap(p, SIZE);
	}
	/* The other way round: the parent acts while the child looks. */
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		unsigned char *p = area_new(1);
		int go[2], bad, status;
		char c = 0;
		pid_t pid, actor;

		actor = fork(); /* act_* may end the process's own areas */
		if (actor == 0) {
			must(pipe(go));
			if ((pid = fork()) == 0) {
				if (read(go[0], &c, 1) != 1)
					_exit(9);
				_exit(!intact(p, 0, PAGES, 1));
			}
			bad = acts[i].act(p);
			if (write(go[1], &c, 1) != 1)
				_exit(8);
			status = reap(pid);
			_exit(bad ? 2 : WIFEXITED(status) ? WEXITSTATUS(status) : 3);
		}
		is_exit(actor, 0, "a parent that %s: the child keeps its own", acts[i].name);
		munmap(p, SIZE);
	}
}

/* ---- many at once ---- */

static int storm_bad;

static void *
storm_thread(void *arg)
{
	unsigned char id = (unsigned char)(uintptr_t)arg;
	unsigned char *p = area_new(id);
	int bad = 0;

	for (int round = 0; round < 10; round++) {
		pid_t pids[3];

		for (int i = 0; i < 3; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				p[i * HUGE + 7 * PAGE + 1] = 0;
				if (i == 1)
					munmap(p + HUGE / 2, HUGE);
				_exit(!intact(p, 3 * HPAGES, PAGES, id) ||
				      (i != 0 && !intact(p, 0, HPAGES / 2, id)));
			}
		}
		/* Write meanwhile. */
		for (size_t i = 0; i < SIZE; i += 64 * PAGE)
			p[i + 3] ^= 0x55;
		for (size_t i = 0; i < SIZE; i += 64 * PAGE)
			p[i + 3] ^= 0x55;
		for (int i = 0; i < 3; i++)
			bad += pids[i] < 0;
		for (int i = 0; i < 3; i++)
			if (pids[i] > 0)
				reap(pids[i]);
		bad += !intact(p, 0, PAGES, id);
		madvise(p, HUGE, MADV_DONTNEED);
		for (size_t i = 0; i < HUGE; i += PAGE)
			memset(p + i, (unsigned char)(i / PAGE * 7 + id), PAGE);
	}
	munmap(p, SIZE);
	__atomic_fetch_add(&storm_bad, bad, __ATOMIC_RELAXED);
	return NULL;
}

static long
status_kb(const char *field)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			kb = strtol(line + strlen(field) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

int
main(void)
{
	pthread_t threads[4];
	long before = status_kb("RssAnon"), after;
	int bad = 0;

	check_sides();
	after = status_kb("RssAnon");
	ok(after - before < 512, "all of it has left the process");
	for (uintptr_t i = 0; i < 4; i++)
		must(pthread_create(&threads[i], NULL, storm_thread, (void *)i) ? -1 : 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	is_int(storm_bad, 0, "four threads that fork and write at once");
	/* Gigabytes in all: more than there is, if anything stayed behind. */
	for (int round = 0; round < 100; round++) {
		unsigned char *p = area_new(2);
		pid_t pid = fork();

		if (pid == 0) {
			p[HUGE] = 1;
			munmap(p + HUGE + PAGE, HUGE);
			_exit(0);
		}
		bad += pid < 0 || reap(pid) != 0;
		p[2 * HUGE + PAGE] = 1;
		bad += munmap(p, SIZE) != 0;
	}
	is_int(bad, 0, "a hundred times 8 MiB, shared and torn");
	after = status_kb("RssAnon");
	ok(after - before < 1024, "and nothing stayed");
	return done();
}
