/* SPDX-License-Identifier: MIT */
/* clone3: sizes, flags, stacks, set_tid, CLEAR_SIGHAND. */
#include "../compat.h"
#include "../tap.h"

static long
clone3(struct kt_clone_args *a, size_t size)
{
	return syscall(SYS_clone3, a, size);
}

static void
noop(int s)
{
	(void)s;
}

int
main(void)
{
	struct kt_clone_args a = { .exit_signal = SIGCHLD };
	char big[256] = { 0 };
	struct sigaction sa;
	int pidfd = -1, ptid = 0;
	pid_t pid;

	pid = clone3(&a, 64);
	if (pid == 0)
		_exit(5);
	is_exit(pid, 5, "the first version's size, 64 bytes");
	pid = clone3(&a, sizeof(a));
	if (pid == 0)
		_exit(6);
	is_exit(pid, 6, "88 bytes");
	memcpy(big, &a, sizeof(a));
	pid = clone3((void *)big, 200);
	if (pid == 0)
		_exit(7);
	is_exit(pid, 7, "a larger structure with zeros behind");
	big[199] = 1;
	sys_err(clone3((void *)big, 200), E2BIG, "a larger one with something behind");
	sys_err(clone3(&a, 16), EINVAL, "too small");
	sys_err(clone3(&a, 0), EINVAL, "size 0");
	sys_err(clone3(&a, 8192), E2BIG, "larger than a page");
	sys_err(clone3(NULL, 64), EFAULT, "NULL");

	a.flags = CLONE_PIDFD | CLONE_PARENT_SETTID;
	a.pidfd = (uintptr_t)&pidfd;
	a.parent_tid = (uintptr_t)&ptid;
	pid = clone3(&a, sizeof(a));
	if (pid == 0)
		_exit(8);
	ok(pidfd >= 0 && ptid == pid, "PIDFD and PARENT_SETTID together");
	is_exit(pid, 8, "child");
	close(pidfd);

	handle(SIGUSR1, noop, 0);
	signal(SIGUSR2, SIG_IGN);
	a = (struct kt_clone_args){ .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	pid = clone3(&a, sizeof(a));
	if (pid == 0) {
		sigaction(SIGUSR1, NULL, &sa);
		if (sa.sa_handler != SIG_DFL)
			_exit(1);
		sigaction(SIGUSR2, NULL, &sa);
		_exit(sa.sa_handler == SIG_IGN ? 0 : 2);
	}
	is_exit(pid, 0, "CLEAR_SIGHAND resets caught signals, not ignored ones");
	a.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM;
	sys_err(clone3(&a, sizeof(a)), EINVAL, "CLEAR_SIGHAND with SIGHAND");
	a = (struct kt_clone_args){ .exit_signal = 100 };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "bad exit signal");
	a = (struct kt_clone_args){ .flags = SIGCHLD };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "a signal among the flags");
	a = (struct kt_clone_args){ .flags = 1UL << 40, .exit_signal = SIGCHLD };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "unknown flag");
	a = (struct kt_clone_args){ .flags = CLONE_DETACHED, .exit_signal = SIGCHLD };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "DETACHED");
	a = (struct kt_clone_args){ .exit_signal = SIGCHLD, .stack = (uintptr_t)big };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "a stack without size");
	a = (struct kt_clone_args){ .exit_signal = SIGCHLD, .stack_size = 4096 };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "a size without stack");
	a = (struct kt_clone_args){ .exit_signal = SIGCHLD,
				    .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "THREAD with an exit signal");
	a = (struct kt_clone_args){ .exit_signal = SIGCHLD,
				    .set_tid_size = 100,
				    .set_tid = (uintptr_t)big };
	sys_err(clone3(&a, sizeof(a)), EINVAL, "too many set_tid");
	pid_t want = 30123;
	a = (struct kt_clone_args){ .exit_signal = SIGCHLD,
				    .set_tid_size = 1,
				    .set_tid = (uintptr_t)&want };
	pid = clone3(&a, sizeof(a));
	if (pid == 0)
		_exit(getpid() == want ? 0 : 1);
	is_int(pid, want, "set_tid chooses the pid");
	sys_err(clone3(&a, sizeof(a)), EEXIST, "a pid in use");
	is_exit(pid, 0, "the child has it");
	return done();
}
