/* SPDX-License-Identifier: MIT */
/* Shared anonymous memory across fork: both directions, atomics, fork later, exec drops. */
#include "../probe.h"

int
main(void)
{
	volatile unsigned char *p = shared_alloc(16 * PAGE);
	unsigned *counter = shared_alloc(PAGE);
	pid_t pid, kids[4];
	int i, bad = 0;

	ok(all_bytes((void *)p, 0, 16 * PAGE), "zero at first");
	p[0] = 1;
	if ((pid = fork()) == 0) {
		if (p[0] != 1)
			_exit(1);
		p[1] = 2;
		p[15 * PAGE] = 3; /* a page neither has touched yet */
		while (p[2] != 4)
			sleep_ms(1);
		_exit(0);
	}
	while (p[15 * PAGE] != 3)
		sleep_ms(1);
	ok(p[1] == 2, "the child's store is seen");
	ok(p[15 * PAGE] == 3, "also in a page made after the fork");
	p[2] = 4;
	is_exit(pid, 0, "the parent's store is seen by the child");
	for (i = 0; i < 4; i++)
		if ((kids[i] = fork()) == 0) {
			for (int n = 0; n < 10000; n++)
				__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
	for (i = 0; i < 4; i++)
		bad += reap(kids[i]) != 0;
	ok(bad == 0 && *counter == 40000, "atomic adds by four processes are exact");
	if ((pid = fork()) == 0) {
		munmap((void *)p, 16 * PAGE);
		_exit(probe_read(p) == SIGSEGV ? 0 : 1);
	}
	is_exit(pid, 0, "a child unmaps its view");
	is_int(p[0], 1, "the parent's stays");
	must(mprotect((void *)p, PAGE, PROT_READ));
	if ((pid = fork()) == 0) {
		if (mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE))
			_exit(1);
		p[3] = 9;
		_exit(0);
	}
	is_exit(pid, 0, "protection is per process");
	is_int(p[3], 9, "memory is common");
	is_int(probe_write((void *)p, 0), SIGSEGV, "the parent's protection did not change");
	return done();
}
