/* SPDX-License-Identifier: MIT */
/* The mask in a handler, its restoration, edits of uc_sigmask, and nesting. */
#include "../tap.h"
#include <setjmp.h>
#include <ucontext.h>

static volatile int depth, max_depth, count, in_mask, edit;
static sigset_t seen, in_uc;
static sigjmp_buf env;

static void
on(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;

	(void)si;
	count++;
	if (++depth > max_depth)
		max_depth = depth;
	sigprocmask(SIG_BLOCK, NULL, &seen);
	in_uc = uc->uc_sigmask;
	in_mask = sigismember(&seen, sig);
	if (edit == 1)
		sigaddset(&uc->uc_sigmask, SIGUSR2);
	if (edit == 2)
		siglongjmp(env, 1);
	if (edit == 3 && count < 4)
		raise(sig);
	if (edit == 4 && sig == SIGUSR1)
		raise(SIGUSR2);
	depth--;
}

static int
masked(int sig)
{
	sigset_t s;

	sigprocmask(SIG_BLOCK, NULL, &s);
	return sigismember(&s, sig);
}

static void
act(int sig, int flags, int also)
{
	struct sigaction sa = { .sa_sigaction = on, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	if (also)
		sigaddset(&sa.sa_mask, also);
	must(sigaction(sig, &sa, NULL));
	count = depth = max_depth = 0;
}

int
main(void)
{
	act(SIGUSR1, 0, SIGHUP);
	block(SIGTERM);
	raise(SIGUSR1);
	ok(in_mask, "the signal itself is blocked in its handler");
	ok(sigismember(&seen, SIGHUP), "so is sa_mask");
	ok(sigismember(&seen, SIGTERM), "and what was blocked before");
	ok(!sigismember(&seen, SIGUSR2), "nothing else is");
	ok(sigismember(&in_uc, SIGTERM) && !sigismember(&in_uc, SIGUSR1) &&
		   !sigismember(&in_uc, SIGHUP),
	   "uc_sigmask is the mask before");
	ok(!masked(SIGUSR1) && !masked(SIGHUP) && masked(SIGTERM), "it is restored on return");
	edit = 1;
	raise(SIGUSR1);
	ok(masked(SIGUSR2), "an edit of uc_sigmask takes effect on return");
	unblock(SIGUSR2);
	edit = 2;
	if (sigsetjmp(env, 1) == 0)
		raise(SIGUSR1);
	ok(!masked(SIGUSR1), "siglongjmp with a saved mask restores it");
	if (sigsetjmp(env, 0) == 0)
		raise(SIGUSR1);
	ok(masked(SIGUSR1), "siglongjmp without does not");
	unblock(SIGUSR1);

	edit = 3;
	act(SIGUSR1, 0, 0);
	raise(SIGUSR1);
	is_int(max_depth, 1, "without SA_NODEFER a handler does not nest");
	is_int(count, 4, "each signal raised meanwhile comes after");
	act(SIGUSR1, SA_NODEFER, 0);
	raise(SIGUSR1);
	is_int(max_depth, 4, "with SA_NODEFER it does");
	is_int(count, 4, "each raise is one delivery");
	act(SIGUSR1, SA_NODEFER, SIGUSR1);
	edit = 0;
	raise(SIGUSR1);
	ok(in_mask, "SA_NODEFER does not override sa_mask");
	edit = 4;
	act(SIGUSR2, 0, 0);
	act(SIGUSR1, 0, 0);
	raise(SIGUSR1);
	is_int(max_depth, 2, "another signal interrupts a handler");
	act(SIGUSR1, 0, SIGUSR2);
	raise(SIGUSR1);
	is_int(max_depth, 1, "unless sa_mask blocks it");
	is_int(count, 2, "then it comes after");
	return done();
}
