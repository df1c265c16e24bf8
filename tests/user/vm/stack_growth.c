/* SPDX-License-Identifier: MIT */
/* The main stack grows on demand to RLIMIT_STACK; MAP_GROWSDOWN grows too. */
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)
#define KB 1024UL

static __attribute__((noinline)) int
deep(size_t bytes)
{
	volatile unsigned char *p = __builtin_alloca(bytes);

	for (size_t i = bytes; i > 0; i -= 1024)
		p[i - 1] = 1;
	return p[bytes - 1];
}

static void
overflow(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	_exit(sig == SIGSEGV && si->si_code == SEGV_MAPERR ? 7 : 8);
}

int
main(void)
{
	static unsigned char alt[65536];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	struct rlimit rl = { 8192 * KB, RLIM_INFINITY };
	unsigned char *p;
	pid_t pid;

	must(getrlimit(RLIMIT_STACK, &rl));
	ok(rl.rlim_cur >= 8192 * KB, "RLIMIT_STACK is 8 MiB or more");
	rl.rlim_cur = 8192 * KB;
	must(setrlimit(RLIMIT_STACK, &rl));
	if ((pid = fork()) == 0)
		_exit(deep(7000 * KB) == 1 ? 0 : 1);
	is_exit(pid, 0, "7000 KiB of stack can be used");
	if ((pid = fork()) == 0) {
		volatile unsigned char *far = __builtin_alloca(4096 * KB);

		far[0] = 3; /* one jump, no touching on the way */
		_exit(far[0] == 3 ? 0 : 1);
	}
	is_exit(pid, 0, "the stack grows over a gap in one step");
	if ((pid = fork()) == 0) {
		signal(SIGSEGV, SIG_DFL);
		deep(9000 * KB);
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "beyond RLIMIT_STACK it dies by SIGSEGV");
	if ((pid = fork()) == 0) {
		sigaltstack(&ss, NULL);
		handle_info(SIGSEGV, overflow, SA_ONSTACK);
		deep(9000 * KB);
		_exit(0);
	}
	is_exit(pid, 7, "an alternate stack can handle the overflow, MAPERR");
	if ((pid = fork()) == 0) {
		handle_info(SIGSEGV, overflow, 0);
		deep(9000 * KB);
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "without one the handler cannot run");
	rl.rlim_cur = 1024 * KB;
	if ((pid = fork()) == 0) {
		setrlimit(RLIMIT_STACK, &rl);
		deep(2048 * KB);
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "a lowered limit acts at once");

	/* room above and below, the growing mapping in the middle */
	p = anon(1024, PROT_NONE);
	must(munmap(p, 1024 * PAGE));
	p = mmap(p + 1020 * PAGE, 2 * PAGE, RW,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	ok(p != MAP_FAILED, "MAP_GROWSDOWN");
	is_int(probe_write(p, 1), 0, "its page is usable");
	is_int(probe_write(p - 1, 2), 0, "the page below appears");
	is_int(probe_write(p - 3 * PAGE, 3), 0, "and further ones");
	is_int(p[-1], 2, "data is kept");
	is_int(probe_read(p + 2 * PAGE), SIGSEGV, "it does not grow upwards");
	return done();
}
