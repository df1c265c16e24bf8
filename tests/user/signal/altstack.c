/* SPDX-License-Identifier: MIT */
/* sigaltstack: use, nesting, flags and errors. */
#include "../tap.h"
#include <ucontext.h>
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char *stack;
static size_t size = 65536;
static volatile int on_it, flags_inside, change_err, nested_on_it, nest, keep;
static stack_t uc_stack;

static void
on(int sig, siginfo_t *si, void *ucv)
{
	char here;
	stack_t ss = { .ss_sp = stack, .ss_size = size };

	(void)si;
	if (sig == SIGUSR2) {
		nested_on_it = &here >= stack && &here < stack + size;
		return;
	}
	on_it = &here >= stack && &here < stack + size;
	uc_stack = ((ucontext_t *)ucv)->uc_stack;
	if (!keep)
		change_err = sigaltstack(&ss, NULL) ? errno : 0;
	sigaltstack(NULL, &ss);
	flags_inside = ss.ss_flags;
	if (nest)
		raise(SIGUSR2);
}

int
main(void)
{
	stack_t ss = { 0 }, old;
	pid_t pid;

	stack = malloc(size);
	sys_ok(sigaltstack(NULL, &old), "query");
	is_int(old.ss_flags, SS_DISABLE, "none at first: SS_DISABLE");
	ss.ss_sp = stack;
	ss.ss_size = size;
	sys_ok(sigaltstack(&ss, NULL), "set");
	sys_ok(sigaltstack(NULL, &old), "query again");
	ok(old.ss_sp == stack && old.ss_size == size && old.ss_flags == 0, "it is what was set");
	handle_info(SIGUSR1, on, SA_ONSTACK);
	handle_info(SIGUSR2, on, SA_ONSTACK);
	raise(SIGUSR1);
	ok(on_it, "the handler runs on it");
	is_int(flags_inside, SS_ONSTACK, "SS_ONSTACK is reported inside");
	is_int(change_err, EPERM, "it cannot be changed while in use");
	ok(uc_stack.ss_sp == stack && uc_stack.ss_size == size, "uc_stack describes it");
	sigaltstack(NULL, &old);
	is_int(old.ss_flags, 0, "not in use after the return");
	nest = 1;
	raise(SIGUSR1);
	ok(on_it && nested_on_it, "a nested handler stays on it");
	nest = 0;
	handle_info(SIGUSR1, on, 0);
	raise(SIGUSR1);
	ok(!on_it, "without SA_ONSTACK the normal stack is used");
	is_int(change_err, 0, "and the alternate one can be changed");
	handle_info(SIGUSR1, on, SA_ONSTACK);

	if ((pid = fork()) == 0) {
		on_it = 0;
		raise(SIGUSR1);
		_exit(on_it ? 0 : 1);
	}
	is_exit(pid, 0, "a forked child keeps it");
	ss.ss_flags = SS_AUTODISARM;
	sys_ok(sigaltstack(&ss, NULL), "SS_AUTODISARM");
	keep = 1;
	raise(SIGUSR1);
	ok(on_it, "handler on an autodisarmed stack");
	is_int(flags_inside, SS_DISABLE, "it is off inside");
	sigaltstack(NULL, &old);
	ok(old.ss_sp == stack && (old.ss_flags & SS_AUTODISARM),
	   "it is armed again after the return");
	ss.ss_flags = SS_DISABLE;
	ss.ss_sp = NULL, ss.ss_size = 0;
	sys_ok(sigaltstack(&ss, NULL), "disable (size ignored)");
	sigaltstack(NULL, &old);
	is_int(old.ss_flags, SS_DISABLE, "it is off");
	raise(SIGUSR1);
	ok(!on_it, "SA_ONSTACK without a stack uses the normal one");

	ss = (stack_t){ .ss_sp = stack, .ss_size = 1000 };
	sys_err(sigaltstack(&ss, NULL), ENOMEM, "a stack below MINSIGSTKSZ");
	ss = (stack_t){ .ss_sp = stack, .ss_size = size, .ss_flags = 0x40 };
	sys_err(sigaltstack(&ss, NULL), EINVAL, "unknown flag");
	sys_err(syscall(SYS_sigaltstack, at(8), NULL), EFAULT, "bad pointer");
	sys_err(syscall(SYS_sigaltstack, NULL, at(8)), EFAULT, "bad result pointer");
	ss = (stack_t){ .ss_sp = stack, .ss_size = size, .ss_flags = SS_ONSTACK };
	sys_ok(syscall(SYS_sigaltstack, &ss, NULL),
	       "SS_ONSTACK is accepted as 0 for compatibility");
	return done();
}
