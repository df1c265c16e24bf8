/* SPDX-License-Identifier: MIT */
/*
 * A protection change or unmap by one thread must bind all others when the call returns.
 * Threads write a page without pause; after mprotect(PROT_READ) its value may not change any more.
 */
#include "../probe.h"
#include <pthread.h>

#define THREADS 3
#define ROUNDS	60

static volatile unsigned char *page;
static volatile int quit;
static volatile unsigned long hits, faults;

static void
retry(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)si, (void)uc;
	__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
	sched_yield(); /* return and try the store again */
}

static void *
writer(void *arg)
{
	volatile unsigned long *slot = (volatile unsigned long *)(page + 64 * (long)arg);

	while (!quit) {
		++*slot;
		__atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int
main(void)
{
	pthread_t t[THREADS];
	unsigned char copy[PAGE];
	int i, bad = 0, lost = 0;
	unsigned long h, f;
	long long end;

	page = anon(1, PROT_READ | PROT_WRITE);
	handle_info(SIGSEGV, retry, 0);
	for (i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, writer, (void *)(long)i) ? -1 : 0);
	for (i = 0; i < ROUNDS; i++) {
		h = hits;
		end = now_ms() + 3000;
		while (hits == h && now_ms() < end)
			sched_yield();
		lost += hits == h;
		f = faults;
		must(mprotect((void *)page, PAGE, PROT_READ));
		memcpy(copy, (void *)page, PAGE);
		end = now_ms() + 3000;
		while (faults == f && now_ms() < end)
			sched_yield();
		lost += faults == f;
		bad += memcmp(copy, (void *)page, PAGE) != 0;
		must(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
	}
	is_int(bad, 0, "no store reaches a page after mprotect(PROT_READ) returned");
	is_int(lost, 0, "threads fault while it is read-only and go on after");
	/* drop the page under the writers: each must find the new zero page */
	for (bad = i = 0; i < ROUNDS; i++) {
		must(madvise((void *)page, PAGE, MADV_DONTNEED));
		sched_yield();
	}
	quit = 1;
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	must(madvise((void *)page, PAGE, MADV_DONTNEED));
	ok(all_bytes((void *)page, 0, PAGE), "after MADV_DONTNEED the page is zero");
	return done();
}
