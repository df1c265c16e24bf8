/* SPDX-License-Identifier: MIT */
/* Threads fault the same fresh pages at the same time, map and unmap side by side. */
#include "../probe.h"
#include <pthread.h>

#define THREADS 4
#define PAGES	512

static unsigned char *area;
static pthread_barrier_t gate;
static int bad;

static void *
toucher(void *arg)
{
	long id = (long)arg;

	for (int round = 0; round < 4; round++) {
		pthread_barrier_wait(&gate);
		for (int i = 0; i < PAGES; i++)
			__atomic_fetch_add((unsigned *)(area + i * PAGE), 1, __ATOMIC_RELAXED);
		for (int i = 0; i < PAGES; i++)
			area[i * PAGE + 16 + id] = id + 1;
		pthread_barrier_wait(&gate);
		if (id == 0) {
			for (int i = 0; i < PAGES; i++) {
				bad += *(unsigned *)(area + i * PAGE) != THREADS;
				for (int k = 0; k < THREADS; k++)
					bad += area[i * PAGE + 16 + k] != k + 1;
			}
			bad += madvise(area, PAGES * PAGE, MADV_DONTNEED) != 0;
		}
	}
	return NULL;
}

static void *
mapper(void *arg)
{
	int errs = 0;

	for (int i = 0; i < 300; i++) {
		unsigned char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			errs++;
			continue;
		}
		for (int k = 0; k < 8; k++) {
			errs += p[k * PAGE] != 0;
			p[k * PAGE] = (long)arg + 1;
		}
		for (int k = 0; k < 8; k++)
			errs += p[k * PAGE] != (long)arg + 1;
		errs += munmap(p, 8 * PAGE) != 0;
	}
	__atomic_fetch_add(&bad, errs, __ATOMIC_RELAXED);
	return NULL;
}

static void
run(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, fn, (void *)i) ? -1 : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

int
main(void)
{
	area = anon(PAGES, PROT_READ | PROT_WRITE);
	pthread_barrier_init(&gate, NULL, THREADS);
	run(toucher);
	is_int(bad, 0, "no store is lost when threads fault the same pages");
	bad = 0;
	run(mapper);
	is_int(bad, 0, "threads map, fill and unmap side by side");
	return done();
}
