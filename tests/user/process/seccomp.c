/* SPDX-License-Identifier: MIT */
/* seccomp(2): strict mode, filters and their results, inheritance, threads. */
#include "../tap.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#define LOAD_NR		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define IF_NR(nr, what) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET, (what))
#define ALLOW		BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW)
#define VICTIM		SYS_getppid

static int
install(struct sock_filter *code, size_t len, unsigned flags)
{
	struct sock_fprog prog = { .len = (unsigned short)len, .filter = code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* getppid ends with `what` from now on. */
static int
refuse(unsigned what, unsigned flags)
{
	struct sock_filter code[] = { LOAD_NR, IF_NR(VICTIM, what), ALLOW };

	return install(code, ARRAY_LEN(code), flags);
}

static void
child_begin(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(99);
}

static int
status_of(void (*body)(void))
{
	pid_t pid = must(fork());
	int status;

	if (!pid) {
		child_begin();
		body();
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	return status;
}

static int
exit_of(void (*body)(void))
{
	int s = status_of(body);

	return WIFEXITED(s) ? WEXITSTATUS(s) : 1000 + (WIFSIGNALED(s) ? WTERMSIG(s) : 0);
}

static void
strict(void)
{
	char c = 'x';
	int p[2];

	if (pipe(p) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		_exit(98);
	if (write(p[1], &c, 1) != 1 || read(p[0], &c, 1) != 1)
		syscall(SYS_exit, 97);
	syscall(SYS_exit, 5);
}

static void
strict_other(void)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		_exit(98);
	syscall(VICTIM);
	syscall(SYS_exit, 97);
}

static void
gives_errno(void)
{
	if (refuse(SECCOMP_RET_ERRNO | EBUSY, 0))
		_exit(98);
	_exit(syscall(VICTIM) == -1 && errno == EBUSY && prctl(PR_GET_SECCOMP) == 2 ? 7 : 97);
}

static void
errno_zero(void)
{
	if (refuse(SECCOMP_RET_ERRNO | 0, 0))
		_exit(98);
	_exit(syscall(VICTIM) == 0 ? 7 : 97);
}

static void
kills_process(void)
{
	if (refuse(SECCOMP_RET_KILL_PROCESS, 0))
		_exit(98);
	syscall(VICTIM);
}

static void
kills_single(void)
{
	if (refuse(SECCOMP_RET_KILL_THREAD, 0))
		_exit(98);
	syscall(VICTIM);
}

static void *
dying_thread(void *arg)
{
	syscall(VICTIM);
	*(volatile int *)arg = 1;
	return NULL;
}

static void
kills_thread(void)
{
	volatile int came_back = 0;
	pthread_t t;

	if (refuse(SECCOMP_RET_KILL_THREAD, 0) ||
	    pthread_create(&t, NULL, dying_thread, (void *)&came_back))
		_exit(98);
	usleep(200000);
	_exit(came_back ? 97 : 7);
}

static siginfo_t caught;
static void
on_sigsys(int sig TAP_UNUSED, siginfo_t *si, void *context TAP_UNUSED)
{
	caught = *si;
}

static void
traps(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	if (refuse(SECCOMP_RET_TRAP | 0x1234, 0))
		_exit(98);
	long r = syscall(VICTIM);
	if (caught.si_signo != SIGSYS || caught.si_code != 1 || caught.si_errno != 0x1234)
		_exit(1);
	if (caught.si_syscall != VICTIM || caught.si_arch != AUDIT_ARCH_X86_64 ||
	    !caught.si_call_addr)
		_exit(2);
	/* The number is put back where the result would be. */
	_exit(r == VICTIM ? 7 : 3);
}

static void
traps_uncaught(void)
{
	if (refuse(SECCOMP_RET_TRAP, 0))
		_exit(98);
	syscall(VICTIM);
}

static void
strictest_wins(void)
{
	if (refuse(SECCOMP_RET_ERRNO | EBUSY, 0) || refuse(SECCOMP_RET_ALLOW, 0) ||
	    refuse(SECCOMP_RET_ERRNO | EXDEV, 0))
		_exit(98);
	/* Of equals the newest. */
	_exit(syscall(VICTIM) == -1 && errno == EXDEV ? 7 : 97);
}

static void
inherited(void)
{
	int status;

	if (refuse(SECCOMP_RET_ERRNO | EBUSY, 0))
		_exit(98);
	pid_t pid = fork();
	if (!pid)
		_exit(syscall(VICTIM) == -1 && errno == EBUSY ? 3 : 4);
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 7 : 97);
}

static void
by_argument(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET, SECCOMP_RET_KILL_PROCESS),
		LOAD_NR,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1234, 0, 1),
		BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | ENOTTY),
		ALLOW,
	};

	if (install(code, ARRAY_LEN(code), 0))
		_exit(98);
	if (dup(1234) != -1 || errno != ENOTTY)
		_exit(1);
	_exit(dup(5678) == -1 && errno == EBADF ? 7 : 2);
}

static pthread_barrier_t barrier;
static void *
synced_thread(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	*(int *)arg = syscall(VICTIM) == -1 && errno == EBUSY;
	return NULL;
}

static void
tsync(void)
{
	pthread_t t;
	int seen = 0;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&t, NULL, synced_thread, &seen))
		_exit(98);
	pthread_barrier_wait(&barrier);
	int r = refuse(SECCOMP_RET_ERRNO | EBUSY, SECCOMP_FILTER_FLAG_TSYNC);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	_exit(r == 0 && seen ? 7 : 97);
}

static void *
odd_thread(void *arg)
{
	if (refuse(SECCOMP_RET_ALLOW, 0))
		_exit(98);
	*(int *)arg = (int)syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void
tsync_refused(void)
{
	pthread_t t;
	int tid = 0;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&t, NULL, odd_thread, &tid))
		_exit(98);
	pthread_barrier_wait(&barrier);
	int r = refuse(SECCOMP_RET_ERRNO | EBUSY, SECCOMP_FILTER_FLAG_TSYNC);
	int s = refuse(SECCOMP_RET_ERRNO | EBUSY,
		       SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
	int e = errno;
	pthread_barrier_wait(&barrier);
	_exit(r == tid && s == -1 && e == ESRCH && syscall(VICTIM) > 0 ? 7 : 97);
}

static void
trace_without_tracer(void)
{
	if (refuse(SECCOMP_RET_TRACE, 0))
		_exit(98);
	_exit(syscall(VICTIM) == -1 && errno == ENOSYS ? 7 : 97);
}

static void
no_going_back(void)
{
	if (refuse(SECCOMP_RET_ALLOW, 0))
		_exit(98);
	_exit(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == -1 && errno == EINVAL ? 7 : 97);
}

static void
check_traced(void)
{
	pid_t pid = must(fork());
	unsigned long data = 0;
	int status;

	if (!pid) {
		child_begin();
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(96);
		raise(SIGSTOP);
		if (refuse(SECCOMP_RET_TRACE | 77, 0))
			_exit(98);
		_exit(syscall(VICTIM) > 0 ? 7 : 97);
	}
	must(waitpid(pid, &status, 0));
	must(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL));
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	must(waitpid(pid, &status, 0));
	ok(WIFSTOPPED(status) && status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8),
	   "a tracer is told");
	must(ptrace(PTRACE_GETEVENTMSG, pid, 0, &data));
	is_int((long)data, 77, "with the filter's number");
	must(ptrace(PTRACE_CONT, pid, 0, 0));
	is_exit(pid, 7, "and lets it pass");
}

static void
check_bad_programs(void)
{
	struct sock_filter no_return[] = { LOAD_NR };
	struct sock_filter past[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW };
	struct sock_filter odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW };
	struct sock_filter half[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW };
	struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), ALLOW };
	unsigned action = SECCOMP_RET_ERRNO;

	sys_err(install(no_return, 1, 0), EINVAL, "a program that does not return");
	sys_err(install(past, 2, 0), EINVAL, "a load beyond the data");
	sys_err(install(odd, 2, 0), EINVAL, "one that is not aligned");
	sys_err(install(half, 2, 0), EINVAL, "half a word");
	sys_err(install(far, 2, 0), EINVAL, "a jump out of the program");
	sys_err(install(far, 0, 0), EINVAL, "an empty program");
	sys_err(install((void *)8, 2, 0), EFAULT, "a bad address");
	sys_err(install(past, 2, 1u << 30), EINVAL, "an unknown flag");
	sys_err(syscall(SYS_seccomp, 77, 0, NULL), EINVAL, "an unknown operation");
	sys_ok(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action), "an action is there");
	action = 0x12340000;
	sys_err(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action), EOPNOTSUPP,
		"another is not");
	is_int(prctl(PR_GET_SECCOMP), 0, "none of it left a filter");
}

static void
check_privilege(void)
{
	pid_t pid = must(fork());

	if (!pid)
		_exit(setuid(1000) == 0 && refuse(SECCOMP_RET_ALLOW, 0) == -1 && errno == EACCES
			      ? 7
			      : 1);
	is_exit(pid, 7, "without privilege and no_new_privs: EACCES");
}

int
main(void)
{
	is_int(exit_of(strict), 5, "strict: read, write and exit");
	is_int(exit_of(strict_other), 1000 + SIGKILL, "strict: nothing else");
	is_int(exit_of(gives_errno), 7, "RET_ERRNO");
	is_int(exit_of(errno_zero), 7, "RET_ERRNO of 0 is success");
	is_int(exit_of(kills_process), 1000 + SIGSYS, "RET_KILL_PROCESS");
	is_int(exit_of(kills_single), 1000 + SIGSYS, "RET_KILL_THREAD of the only thread");
	is_int(exit_of(kills_thread), 7, "RET_KILL_THREAD of one of two");
	is_int(exit_of(traps), 7, "RET_TRAP");
	is_int(exit_of(traps_uncaught), 1000 + SIGSYS, "RET_TRAP without a handler");
	is_int(exit_of(strictest_wins), 7, "the strictest of several filters");
	is_int(exit_of(inherited), 7, "children have them, too");
	is_int(exit_of(by_argument), 7, "arguments and architecture");
	is_int(exit_of(tsync), 7, "TSYNC");
	is_int(exit_of(tsync_refused), 7, "TSYNC with a thread of its own mind");
	is_int(exit_of(trace_without_tracer), 7, "RET_TRACE without tracer: ENOSYS");
	is_int(exit_of(no_going_back), 7, "no strict mode after filters");
	check_traced();
	check_bad_programs();
	if (geteuid() == 0)
		check_privilege();
	return done();
}
