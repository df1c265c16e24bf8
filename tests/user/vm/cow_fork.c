/* SPDX-License-Identifier: MIT */
/* Copy on write after fork: both directions, grandchildren, kernel writes, sole owner. */
#include "../probe.h"

#define N 64

static int
check(unsigned char *p, unsigned char v)
{
	return all_bytes(p, v, N * PAGE);
}

int
main(void)
{
	unsigned char *p = anon(N, PROT_READ | PROT_WRITE);
	volatile int *step = shared_alloc(PAGE);
	int pp[2], i, bad;
	pid_t pid, kids[8];

	must(pipe(pp));
	memset(p, 1, N * PAGE);
	if ((pid = fork()) == 0) {
		if (!check(p, 1))
			_exit(1);
		memset(p, 2, N * PAGE);
		step[0] = 1;
		while (!step[1])
			sleep_ms(1);
		_exit(check(p, 2) ? 0 : 2);
	}
	while (!step[0])
		sleep_ms(1);
	ok(check(p, 1), "the child's stores are invisible to the parent");
	memset(p, 3, N * PAGE);
	step[1] = 1;
	is_exit(pid, 0, "the parent's stores are invisible to the child");
	ok(check(p, 3), "the parent keeps its own");

	/* parent writes first, child reads later */
	step[0] = step[1] = 0;
	if ((pid = fork()) == 0) {
		while (!step[0])
			sleep_ms(1);
		_exit(check(p, 3) ? 0 : 1);
	}
	memset(p, 4, N * PAGE);
	step[0] = 1;
	is_exit(pid, 0, "the child sees memory as of the fork");

	/* a read(2) into a shared page must copy it too */
	if ((pid = fork()) == 0) {
		if (write(pp[1], "kernel", 6) != 6 || read(pp[0], p + 100, 6) != 6)
			_exit(1);
		_exit(memcmp(p + 100, "kernel", 6) ? 2 : 0);
	}
	is_exit(pid, 0, "the kernel writes into the child's copy");
	ok(check(p, 4), "and not into the parent's page");

	/* three generations */
	if ((pid = fork()) == 0) {
		memset(p, 5, N / 2 * PAGE);
		pid = fork();
		if (pid == 0) {
			memset(p, 6, PAGE);
			_exit(p[0] == 6 && p[PAGE] == 5 && p[N / 2 * PAGE] == 4 ? 0 : 1);
		}
		i = reap(pid);
		_exit(i == 0 && p[0] == 5 ? 0 : 1);
	}
	is_exit(pid, 0, "three generations are independent");
	ok(check(p, 4), "the first is untouched");

	/* many sharers, each writes its own value everywhere */
	for (i = 0; i < 8; i++) {
		if ((kids[i] = fork()) == 0) {
			for (int r = 0; r < 20; r++) {
				memset(p, 10 + i, N * PAGE);
				if (!check(p, 10 + i))
					_exit(1);
			}
			_exit(0);
		}
	}
	for (bad = i = 0; i < 8; i++)
		bad += reap(kids[i]) != 0;
	is_int(bad, 0, "eight sharers each see only their own stores");
	ok(check(p, 4), "the parent sees none");

	/* read-only page shared by fork stays read-only after the child is gone */
	must(mprotect(p, PAGE, PROT_READ));
	if ((pid = fork()) == 0)
		_exit(probe_write(p, 1) == SIGSEGV ? 0 : 1);
	is_exit(pid, 0, "a read-only page is not made writable by fork");
	is_int(probe_write(p, 1), SIGSEGV, "nor in the parent");
	/* the zero page */
	p = anon(1, PROT_READ | PROT_WRITE);
	bad = p[0];
	if ((pid = fork()) == 0) {
		p[0] = 1;
		_exit(p[0] == 1 && p[1] == 0 ? 0 : 1);
	}
	is_exit(pid, 0, "a page only read so far is copied on write");
	is_int(p[0], 0, "and stays zero in the parent");
	return done();
}
