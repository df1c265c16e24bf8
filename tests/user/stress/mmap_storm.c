/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Random mapping calls checked against a model, by several threads in areas of their own and by
 * forks. */
#include "../compat.h"
#include "../probe.h"
#include <pthread.h>

#define PAGES	64
#define STEPS	2000
#define THREADS 3

static int bad;

/* model: 0 unmapped, else protection+1; value: what every byte of the page is */
static void *
worker(void *arg)
{
	unsigned seed = 1234 + (unsigned)(long)arg, errs = 0;
	unsigned char value[PAGES] = { 0 };
	int prot[PAGES] = { 0 };
	unsigned char *base = mmap(NULL, PAGES * PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return (void *)1;
	for (int i = 0; i < STEPS; i++) {
		int op = rand_r(&seed) % 8, at_ = rand_r(&seed) % PAGES, n = 1 + rand_r(&seed) % 8,
		    p;

		n = at_ + n > PAGES ? PAGES - at_ : n;
		unsigned char *a = base + at_ * PAGE;

		switch (op) {
		case 0:
			errs += mmap(a, n * PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != a;
			for (int k = 0; k < n; k++)
				prot[at_ + k] = 3, value[at_ + k] = 0;
			break;
		case 1: /* back to reserved */
			errs += mmap(a, n * PAGE, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
				     0) != a;
			for (int k = 0; k < n; k++)
				prot[at_ + k] = 0, value[at_ + k] = 0;
			break;
		case 2:
			p = rand_r(&seed) % 2 ? PROT_READ : PROT_READ | PROT_WRITE;
			errs += mprotect(a, n * PAGE, p) != 0;
			for (int k = 0; k < n; k++)
				prot[at_ + k] = p;
			break;
		case 3:
			errs += madvise(a, n * PAGE, MADV_DONTNEED) != 0;
			for (int k = 0; k < n; k++)
				value[at_ + k] = 0;
			break;
		default:
			for (int k = 0; k < n; k++)
				if (prot[at_ + k] == 3) {
					value[at_ + k] = rand_r(&seed);
					memset(a + k * PAGE, value[at_ + k], PAGE);
				}
			break;
		}
		for (int k = 0; k < PAGES; k += 5)
			if (prot[k] & PROT_READ)
				errs += base[k * PAGE] != value[k] ||
					base[k * PAGE + PAGE - 1] != value[k];
	}
	for (int k = 0; k < PAGES; k++)
		if (prot[k] & PROT_READ)
			errs += !all_bytes(base + k * PAGE, value[k], PAGE);
	errs += munmap(base, PAGES * PAGE) != 0;
	__atomic_fetch_add(&bad, errs, __ATOMIC_RELAXED);
	return NULL;
}

int
main(void)
{
	pthread_t t[THREADS];
	void *ret;
	pid_t pid[3];
	int st = 0;

	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, worker, (void *)i) ? -1 : 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &ret);
		bad += ret != NULL;
	}
	is_int(bad, 0, "random mapping calls by threads agree with the model");
	for (int i = 0; i < 3; i++)
		if ((pid[i] = fork()) == 0) {
			bad = 0;
			_exit(worker((void *)(long)(i + 10)) || bad ? 1 : 0);
		}
	for (int i = 0; i < 3; i++)
		st |= reap(pid[i]);
	is_int(st, 0, "and by processes");

	/* memory is given back: 64 MiB sixteen times in a row */
	for (int i = 0; i < 16; i++) {
		unsigned char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			st = 1;
			break;
		}
		for (size_t k = 0; k < 64UL << 20; k += PAGE)
			p[k] = 1;
		munmap(p, 64 << 20);
	}
	is_int(st, 0, "a gigabyte in all, 64 MiB at a time");
	return done();
}
