/* SPDX-License-Identifier: MIT */
/* TEST: timeout=60 */
/*
 * Private memory keeps its contents however often it goes out and comes back: read, written,
 * forked, moved, protected, discarded. SIZE_MB says how much; tests/system/test_swap.py gives more
 * than the machine has, and a place to swap to.
 */
#include "../probe.h"
#include <pthread.h>

static size_t pages;

static uint64_t
word(size_t page, unsigned generation)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull + generation * 0x1000193ull;
}

static void
fill(unsigned char *p, size_t first, size_t last, unsigned generation)
{
	for (size_t i = first; i < last; i++) {
		uint64_t *w = (uint64_t *)(p + i * PAGE), v = word(i, generation);

		for (size_t k = 0; k < PAGE / 8; k++)
			w[k] = v + k;
	}
}

/* Pages that differ. */
static size_t
wrong(const unsigned char *p, size_t first, size_t last, unsigned generation)
{
	size_t bad = 0;

	for (size_t i = first; i < last; i++) {
		const uint64_t *w = (const uint64_t *)(p + i * PAGE);
		uint64_t v = word(i, generation);
		int differs = 0;

		for (size_t k = 0; k < PAGE / 8; k++)
			differs |= w[k] != v + k;
		bad += differs;
	}
	return bad;
}

static unsigned char *area;

static void *
random_worker(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg * 7919 + 1;
	size_t quarter = pages / 4, base = (uintptr_t)arg * quarter, bad = 0;

	/* Each has a quarter of its own to write to and looks at all. */
	for (size_t n = 0; n < quarter; n++) {
		size_t i = base + rand_r(&seed) % quarter, k = rand_r(&seed) % (PAGE / 8);
		uint64_t *w = (uint64_t *)(area + i * PAGE);

		bad += __atomic_load_n(&w[k], __ATOMIC_RELAXED) != word(i, 2) + k;
		__atomic_store_n(&w[k], word(i, 2) + k, __ATOMIC_RELAXED);
		i = rand_r(&seed) % pages;
		w = (uint64_t *)(area + i * PAGE);
		bad += __atomic_load_n(&w[k], __ATOMIC_RELAXED) != word(i, 2) + k;
	}
	return (void *)bad;
}

int
main(void)
{
	size_t mb = getenv("SIZE_MB") ? strtoul(getenv("SIZE_MB"), NULL, 10) : 12, bad = 0;
	pthread_t threads[4];
	unsigned char *moved;
	pid_t pid;
	void *r;

	pages = (mb << 20) / PAGE;
	area = anon(pages, PROT_READ | PROT_WRITE);
	fill(area, 0, pages, 1);
	is_int(wrong(area, 0, pages, 1), 0, "what was written is there");
	is_int(wrong(area, 0, pages, 1), 0, "and again, only read meanwhile");
	fill(area, 0, pages, 2);
	is_int(wrong(area, 0, pages, 2), 0, "and after it was written anew");

	for (uintptr_t i = 0; i < 4; i++)
		must(pthread_create(&threads[i], NULL, random_worker, (void *)i) ? -1 : 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &r);
		bad += (size_t)r;
	}
	is_int(bad, 0, "four threads, here and there");

	/* A third each: kept by both, written by the child, written by the parent. */
	pid = fork();
	if (pid == 0) {
		size_t differs;

		fill(area, pages / 3, pages * 2 / 3, 3);
		differs = wrong(area, 0, pages / 3, 2) + wrong(area, pages / 3, pages * 2 / 3, 3) +
			  wrong(area, pages * 2 / 3, pages, 2);
		_exit(differs != 0);
	}
	fill(area, pages * 2 / 3, pages, 4);
	is_int(wrong(area, 0, pages * 2 / 3, 2) + wrong(area, pages * 2 / 3, pages, 4), 0,
	       "a parent keeps its own");
	is_exit(pid, 0, "and so does its child");
	is_int(wrong(area, 0, pages * 2 / 3, 2), 0, "also when it is gone");

	must(mprotect(area, pages / 2 * PAGE, PROT_READ));
	is_int(wrong(area, 0, pages / 2, 2), 0, "read-only");
	is_int(probe_write(area, 1), SIGSEGV, "a store to it is refused");
	must(mprotect(area, pages / 2 * PAGE, PROT_READ | PROT_WRITE));
	area[0] ^= 1;
	area[0] ^= 1;
	is_int(wrong(area, 0, pages / 2, 2), 0, "writable again");

	moved = mremap(area, pages * PAGE, (pages + 16) * PAGE, MREMAP_MAYMOVE);
	must(moved == MAP_FAILED ? -1 : 0);
	is_int(wrong(moved, 0, pages * 2 / 3, 2) + wrong(moved, pages * 2 / 3, pages, 4), 0,
	       "moved to another place");
	must(madvise(moved + pages / 4 * PAGE, pages / 4 * PAGE, MADV_DONTNEED));
	ok(all_bytes(moved + pages / 4 * PAGE, 0, pages / 4 * PAGE), "what was discarded is zero");
	is_int(wrong(moved, 0, pages / 4, 2) + wrong(moved, pages / 2, pages * 2 / 3, 2), 0,
	       "and the rest is not");
	must(munmap(moved, pages / 2 * PAGE));
	is_int(wrong(moved, pages * 2 / 3, pages, 4), 0, "half of it unmapped, the other is there");
	return done();
}
