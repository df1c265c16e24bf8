/* SPDX-License-Identifier: MIT */
/* A fault that cannot be handled kills: bad stack, bad handler, a fault inside the handler. */
#include "../tap.h"
#include <ucontext.h>

static volatile int depth;

static void
again(int sig)
{
	(void)sig;
	depth++;
	*(volatile int *)at(16) = 1;
}

static void
bad_return(int sig, siginfo_t *si, void *ucv)
{
	(void)sig, (void)si;
	((ucontext_t *)ucv)->uc_mcontext.gregs[REG_RIP] = 0x800000000000;
}

static void
kernel_cs(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;

	(void)sig, (void)si;
	/* selectors live in one word: cs, gs, fs, ss; ask for ring 0 */
	uc->uc_mcontext.gregs[REG_CSGSFS] = (uc->uc_mcontext.gregs[REG_CSGSFS] & ~0xffffUL) | 0x10;
}

static void
eflags(int sig, siginfo_t *si, void *ucv)
{
	(void)sig, (void)si;
	/* IOPL 3 and interrupts off must not get through */
	((ucontext_t *)ucv)->uc_mcontext.gregs[REG_EFL] = 0x3000;
}

int
main(void)
{
	struct rlimit none = { 0, 0 };
	unsigned long fl;
	pid_t pid;

	must(setrlimit(RLIMIT_CORE, &none));
	if ((pid = fork()) == 0) {
		handle(SIGSEGV, again, 0);
		*(volatile int *)at(8) = 1;
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "a fault in its own handler kills");
	if ((pid = fork()) == 0) {
		handle(SIGUSR1, (void (*)(int))at(0x1000), 0);
		raise(SIGUSR1);
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "a handler at an unmapped address kills");
	if ((pid = fork()) == 0) {
		handle(SIGUSR1, again, 0);
		__asm__ volatile("movq $0x2000,%%rsp; syscall" ::"a"(SYS_kill), "D"((long)getpid()),
				 "S"((long)SIGUSR1)
				 : "rcx", "r11", "memory");
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "no room for the frame kills");
	if ((pid = fork()) == 0) {
		handle_info(SIGUSR1, bad_return, 0);
		raise(SIGUSR1);
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "a return to a non-canonical address kills");
	if ((pid = fork()) == 0) {
		handle_info(SIGUSR1, kernel_cs, 0);
		raise(SIGUSR1);
		__asm__ volatile("" ::: "memory");
		unsigned short cs;
		__asm__("mov %%cs,%0" : "=r"(cs));
		_exit((cs & 3) == 3 ? 0 : 1);
	}
	int st = reap(pid);
	ok(st == 0 || (WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV),
	   "ring 0 cannot be had through the frame");
	handle_info(SIGUSR1, eflags, 0);
	raise(SIGUSR1);
	__asm__ volatile("pushfq; popq %0" : "=r"(fl));
	is_int(fl & 0x3200, 0x200, "privileged flags of the frame are ignored");
	if ((pid = fork()) == 0) {
		__asm__ volatile("movq $15,%%rax; movq $0x3000,%%rsp; syscall" ::
					 : "rax", "rcx", "r11", "memory");
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "sigreturn without a frame kills");
	if ((pid = fork()) == 0) {
		long junk[200];

		memset(junk, 0x41, sizeof(junk));
		__asm__ volatile("movq $15,%%rax; movq %0,%%rsp; syscall" ::"r"(junk)
				 : "rax", "rcx", "r11", "memory");
		_exit(0);
	}
	st = reap(pid);
	ok(WIFSIGNALED(st), "sigreturn to a junk frame kills");
	return done();
}
