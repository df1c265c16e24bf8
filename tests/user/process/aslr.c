/* SPDX-License-Identifier: MIT */
/* Addresses differ between runs, unless the personality says otherwise. */
#include "../tap.h"
#include <sys/personality.h>

static void
spawn(int fixed, uintptr_t out[3])
{
	int p[2];
	pid_t pid;

	must(pipe(p));
	pid = must(fork());
	if (pid == 0) {
		dup2(p[1], 3);
		if (fixed)
			personality(ADDR_NO_RANDOMIZE);
		execl("/proc/self/exe", "aslr", "child", NULL);
		_exit(1);
	}
	must(read(p[0], out, 3 * sizeof(uintptr_t)) == 3 * sizeof(uintptr_t) ? 0 : -1);
	reap(pid);
	close(p[0]), close(p[1]);
}

int
main(int argc, char **argv)
{
	uintptr_t a[3], b[3], c[3];
	int same[3] = { 0 };

	(void)argv;
	if (argc > 1) {
		a[0] = (uintptr_t)&a;
		a[1] = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		a[2] = syscall(SYS_brk, 0);
		return write(3, a, sizeof(a)) != sizeof(a);
	}
	spawn(0, a);
	for (int i = 0; i < 3; i++) {
		spawn(0, b);
		for (int k = 0; k < 3; k++)
			same[k] += a[k] == b[k];
	}
	ok(same[0] < 3, "the stack moves");
	ok(same[1] < 3, "mappings move");
	ok(same[2] < 3, "the break moves");
	ok(a[0] > a[1], "the stack lies above the mappings");
	spawn(1, b);
	spawn(1, c);
	ok(b[0] == c[0] && b[1] == c[1] && b[2] == c[2], "ADDR_NO_RANDOMIZE keeps them");
	return done();
}
