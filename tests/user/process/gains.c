/* SPDX-License-Identifier: MIT */
/*
 * What a program may not get hold of that it executes: privileges under a tracer that has none of
 * its own to give, memory through a descriptor from before, registers of a tracee that dies.
 */
#include "../tap.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static char self[512], suid[512];
static volatile char secret[16] = "untouched";

static int
copy_file(const char *from, const char *to, mode_t mode)
{
	char buf[65536];
	int in = must(open(from, O_RDONLY)), out = must(open(to, O_WRONLY | O_CREAT, 0700));
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		must(write(out, buf, n));
	close(in);
	close(out);
	return chmod(to, mode);
}

/* Traced by root, but by a wish of its own, as a user: set-id bits do not count. The tracer could
 * drop its privileges and keep the tracee. */
static void
test_traceme(void)
{
	pid_t pid = must(fork());
	int st;

	if (!pid) {
		if (setgid(1000) || setuid(1000) || ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(99);
		execl(suid, suid, "euid", NULL);
		_exit(98);
	}
	must(waitpid(pid, &st, 0));
	ok(WIFSTOPPED(st) && WSTOPSIG(st) == SIGTRAP, "the program stops for its tracer");
	ptrace(PTRACE_CONT, pid, 0, 0);
	must(waitpid(pid, &st, 0));
	ok(WIFEXITED(st) && WEXITSTATUS(st) == 1000 % 256, "and is not set-id");
	pid = must(fork());
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(99);
		execl(suid, suid, "euid", NULL);
		_exit(98);
	}
	is_exit(pid, 0, "untraced it is");
}

/* /proc/PID/mem is the address space of its opening. */
static void
test_mem(void)
{
	pid_t pid = must(fork());
	char number[32], where[32];
	int fd;

	if (!pid) {
		fd = open("/proc/self/mem", O_RDWR);
		if (fd < 0)
			_exit(99);
		snprintf(number, sizeof(number), "%d", fd);
		snprintf(where, sizeof(where), "%d", getpid());
		execl(self, self, "mem", number, NULL);
		_exit(98);
	}
	is_exit(pid, 0, "another program's memory is not in a descriptor from before");
	fd = must(open("/proc/self/mem", O_RDWR));
	is_int(pwrite(fd, "touched", 8, (off_t)(uintptr_t)secret), 8, "one's own is");
	is_str((const char *)secret, "touched", "and was written");
	close(fd);
}

static int
mem_main(int fd)
{
	char buf[16];

	if (pwrite(fd, "stolen", 7, (off_t)(uintptr_t)secret) > 0 ||
	    strcmp((char *)secret, "untouched"))
		return 1;
	return pread(fd, buf, sizeof(buf), (off_t)(uintptr_t)secret) > 0 ? 2 : 0;
}

/* The tracer works on a tracee that a third process kills. */
static void
test_killed(void)
{
	struct user_regs_struct regs;
	int st, odd = 0;

	for (int i = 0; i < 300; i++) {
		pid_t pid = must(fork()), killer;

		if (!pid) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
			_exit(0);
		}
		must(waitpid(pid, &st, 0));
		killer = must(fork());
		if (!killer) {
			kill(pid, SIGKILL);
			_exit(0);
		}
		while (ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0 &&
		       ptrace(PTRACE_SETREGS, pid, 0, &regs) == 0)
			;
		odd += errno != ESRCH;
		must(waitpid(killer, &st, 0));
		must(waitpid(pid, &st, 0));
		odd += !WIFSIGNALED(st) || WTERMSIG(st) != SIGKILL;
	}
	is_int(odd, 0, "a tracee may be killed between and during requests");
}

int
main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "euid"))
		return (int)geteuid() % 256;
	if (argc == 3 && !strcmp(argv[1], "mem"))
		return mem_main(atoi(argv[2]));
	must(readlink("/proc/self/exe", self, sizeof(self) - 1));
	test_mem();
	test_killed();
	if (geteuid()) {
		diag("not root: no set-id program");
		return done();
	}
	scratch();
	must(chmod(tap_dir, 0755));
	snprintf(suid, sizeof(suid), "%s/suid", tap_dir);
	must(copy_file(self, suid, 04755));
	test_traceme();
	return done();
}
