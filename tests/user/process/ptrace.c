/* SPDX-License-Identifier: MIT */
/* ptrace: stops and their status, registers and memory, system calls, events, attach, seize. */
#include "../compat.h"
#include "../tap.h"
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define EVENT(e) ((SIGTRAP | (e) << 8) << 8 | 0x7f)

static volatile long word = 0x1122334455667788;

static int
wait_for(pid_t pid)
{
	int st = -1;

	waitpid(pid, &st, __WALL);
	return st;
}

static pid_t
traced(void (*body)(void), long options)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		body();
		_exit(0);
	}
	is_int(wait_for(pid), SIGSTOP << 8 | 0x7f, "the child stops for its tracer");
	must(ptrace(PTRACE_SETOPTIONS, pid, 0, options | PTRACE_O_EXITKILL));
	return pid;
}

static void
exit_with_word(void)
{
	_exit(word & 0xff);
}

static void
forks(void)
{
	pid_t p = fork();

	if (p == 0)
		_exit(5);
	waitpid(p, NULL, 0);
}

static void
spins(void)
{
	for (;;)
		__asm__ volatile("pause");
}

static void
calls(void)
{
	syscall(SYS_getppid);
}

static void
executes(void)
{
	execl("/proc/self/exe", "ptrace", "child", NULL);
}

static void
usr1(int sig)
{
	(void)sig;
	word = 7;
}

static void
signals(void)
{
	signal(SIGUSR1, usr1);
	word = 1;
	raise(SIGUSR1);
	_exit(word);
}

int
main(int argc, char **argv)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	siginfo_t info;
	unsigned long message;
	pid_t pid, child;
	int st;
	struct rusage ru;

	(void)argv;
	if (argc > 1)
		return 9;

	pid = traced(exit_with_word, 0);
	errno = 0;
	is_int(ptrace(PTRACE_PEEKDATA, pid, &word, 0), word, "PEEKDATA");
	must(ptrace(PTRACE_POKEDATA, pid, &word, 42));
	is_int(word, 0x1122334455667788, "POKEDATA changes the tracee's copy");
	sys_err(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO, "a bad address");
	must(ptrace(PTRACE_GETREGS, pid, 0, &regs));
	is_int(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), 0), regs.rip,
	       "GETREGS and PEEKUSER agree");
	is_int(ptrace(PTRACE_GETREGSET, pid, 1, &iov), 0, "GETREGSET");
	is_int(iov.iov_len, sizeof(regs), "its length");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), 42 << 8, "it saw what was poked");
	sys_err(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH, "it is gone");

	pid = traced(calls, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		must(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		st = wait_for(pid);
		if (st != ((SIGTRAP | 0x80) << 8 | 0x7f))
			break;
		must(ptrace(PTRACE_GETREGS, pid, 0, &regs));
		if (regs.orig_rax == SYS_getppid)
			break;
	}
	is_int(st, (SIGTRAP | 0x80) << 8 | 0x7f, "a stop at the entry of a system call");
	is_int(regs.rax, -ENOSYS, "its result is ENOSYS until it has run");
	must(ptrace(PTRACE_SYSCALL, pid, 0, 0));
	wait_for(pid);
	must(ptrace(PTRACE_GETREGS, pid, 0, &regs));
	is_int(regs.rax, getpid(), "and at its exit, with the result");
	is_int(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0, "SINGLESTEP");
	is_int(wait_for(pid), SIGTRAP << 8 | 0x7f, "it stops with SIGTRAP");
	must(ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	ok(info.si_signo == SIGTRAP && info.si_code > 0, "GETSIGINFO tells why");
	must(ptrace(PTRACE_KILL, pid, 0, 0));
	is_int(wait_for(pid), SIGKILL, "KILL");

	pid = traced(signals, 0);
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), SIGUSR1 << 8 | 0x7f, "a signal stops before delivery");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), 1 << 8, "the tracer may drop it");
	pid = traced(signals, 0);
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	wait_for(pid);
	must(ptrace(PTRACE_CONT, pid, 0, SIGUSR1));
	is_int(wait_for(pid), 7 << 8, "or pass it on");

	pid = traced(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT);
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), EVENT(PTRACE_EVENT_FORK), "the event of a fork");
	must(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
	child = (pid_t)message;
	is_int(wait_for(child), SIGSTOP << 8 | 0x7f, "the child is traced and stops");
	must(ptrace(PTRACE_CONT, child, 0, 0));
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(child), EVENT(PTRACE_EVENT_EXIT), "the event of its exit");
	must(ptrace(PTRACE_GETEVENTMSG, child, 0, &message));
	is_int(message, 5 << 8, "with the status");
	must(ptrace(PTRACE_CONT, child, 0, 0));
	is_int(wait_for(child), 5 << 8, "the tracer waits for it first");
	is_int(wait_for(pid), SIGCHLD << 8 | 0x7f, "then its parent is told");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), EVENT(PTRACE_EVENT_EXIT), "which then exits");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), 0, "with its own status");

	pid = traced(executes, PTRACE_O_TRACEEXEC);
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), EVENT(PTRACE_EVENT_EXEC), "the event of an exec");
	must(ptrace(PTRACE_DETACH, pid, 0, 0));
	is_int(wait_for(pid), 9 << 8, "a detached tracee goes on");

	if ((pid = must(fork())) == 0)
		spins();
	must(ptrace(PTRACE_ATTACH, pid, 0, 0));
	is_int(wait_for(pid), SIGSTOP << 8 | 0x7f, "an attached tracee stops");
	sys_err(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM, "once only");
	must(ptrace(PTRACE_DETACH, pid, 0, 0));
	sys_err(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH, "no longer ours");
	must(ptrace(PTRACE_SEIZE, pid, 0, 0));
	is_int(waitpid(pid, &st, WNOHANG), 0, "a seized tracee runs on");
	must(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	is_int(wait_for(pid), EVENT(PTRACE_EVENT_STOP), "until it is interrupted");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	kill(pid, SIGSTOP);
	is_int(wait_for(pid), SIGSTOP << 8 | 0x7f, "a signal on its way");
	must(ptrace(PTRACE_CONT, pid, 0, SIGSTOP));
	is_int(wait_for(pid), (SIGSTOP | PTRACE_EVENT_STOP << 8) << 8 | 0x7f,
	       "then the group stop");
	must(ptrace(PTRACE_LISTEN, pid, 0, 0));
	kill(pid, SIGCONT);
	is_int(wait_for(pid), EVENT(PTRACE_EVENT_STOP), "LISTEN hears of the continuation");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_int(wait_for(pid), SIGCONT << 8 | 0x7f, "and of SIGCONT itself");
	kill(pid, SIGKILL);
	is_int(wait_for(pid), SIGKILL, "SIGKILL ends a stopped tracee");

	if ((pid = must(fork())) == 0) {
		must(ptrace(PTRACE_TRACEME, 0, 0, 0));
		for (volatile int i = 0; i < 100000000 && clock() < CLOCKS_PER_SEC / 10; i++)
			;
		raise(SIGUSR1);
		_exit(0);
	}
	must(wait4(pid, &st, 0, &ru));
	ok(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 20000 || ru.ru_utime.tv_sec,
	   "wait4 says how much time a stopped tracee has used");
	kill(pid, SIGKILL);
	wait_for(pid);

	sys_err(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM, "not oneself");
	sys_err(ptrace(PTRACE_PEEKDATA, getppid(), 0, 0), ESRCH, "not a tracee");
	return done();
}
