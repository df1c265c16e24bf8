/* SPDX-License-Identifier: MIT */
/* TEST: timeout=40 */
/* Resource limits: reading, changing, rights, and the effect of each one that is enforced. */
#include "../tap.h"

static int
in_child(int (*fn)(void))
{
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(fn());
	return pid;
}

static int
cap(int res, rlim_t soft, rlim_t hard)
{
	struct rlimit rl = { soft, hard };

	return setrlimit(res, &rl);
}

static int
fsize(void)
{
	int fd = open("big", O_CREAT | O_RDWR | O_TRUNC, 0600);
	char buf[1000];

	memset(buf, 1, sizeof(buf));
	signal(SIGXFSZ, SIG_IGN);
	if (cap(RLIMIT_FSIZE, 1500, 1500))
		return 1;
	if (write(fd, buf, 1000) != 1000 || write(fd, buf, 1000) != 500)
		return 2;
	if (write(fd, buf, 1) != -1 || errno != EFBIG)
		return 3;
	if (ftruncate(fd, 1501) != -1 || errno != EFBIG)
		return 4;
	if (ftruncate(fd, 1500) || pwrite(fd, buf, 10, 2000) != -1 || errno != EFBIG)
		return 5;
	return 0;
}

static int
fsize_kill(void)
{
	int fd = open("big", O_CREAT | O_RDWR | O_TRUNC, 0600);

	signal(SIGXFSZ, SIG_DFL);
	cap(RLIMIT_FSIZE, 0, 0);
	return write(fd, "x", 1) == 1;
}

static int
nofile(void)
{
	int n = 0, last = 0, fd;

	if (cap(RLIMIT_NOFILE, 20, 30))
		return 1;
	while ((fd = dup(1)) >= 0)
		last = fd, n++;
	if (errno != EMFILE || last != 19)
		return 2;
	if (open("/dev/null", O_RDONLY) != -1 || errno != EMFILE)
		return 3;
	if (dup2(1, 25) != -1 || errno != EBADF)
		return 4;
	if (fcntl(1, F_DUPFD, 20) != -1 || errno != EINVAL)
		return 5;
	if (cap(RLIMIT_NOFILE, 30, 30) || dup2(1, 25) != 25)
		return 6;
	return 0;
}

/* Nobody else's: others may run this test now, with the same pids. */
static int
own_uid(void)
{
	return 100000 + (int)(now_ns(CLOCK_MONOTONIC) / 1000 % 1000000000);
}

static int
nproc(void)
{
	pid_t pid;

	if (cap(RLIMIT_NPROC, 3, 3) || setgid(4321) || setuid(own_uid()))
		return 1;
	for (int i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			return errno == EAGAIN && i == 2 ? (kill(0, 0), 0) : 2;
		if (i >= 3)
			return 3;
	}
	return 4;
}

/* setuid succeeds over the limit; exec does not. execve(2) */
static int
nproc_exec(void)
{
	char *argv[] = { "/bin/true", NULL };
	int r, user = own_uid();
	pid_t pid = fork();

	if (pid == 0) {
		must(setuid(user));
		kill(getpid(), SIGSTOP);
		pause();
	}
	waitpid(pid, NULL, WUNTRACED);
	if (cap(RLIMIT_NPROC, 0, 0) || setgid(4321) || setuid(user))
		return 1;
	execv("/nowhere", argv);
	r = errno == EAGAIN ? 0 : 2;
	kill(pid, SIGKILL);
	execv("/nowhere", argv); /* we count ourselves */
	return errno == EAGAIN ? r : 3;
}

static int
user(void)
{
	if (cap(RLIMIT_NOFILE, 50, 100) || setgid(1000) || setuid(1000))
		return 1;
	if (cap(RLIMIT_NOFILE, 100, 100) || cap(RLIMIT_NOFILE, 20, 80))
		return 2;
	if (cap(RLIMIT_NOFILE, 20, 90) != -1 || errno != EPERM)
		return 3;
	if (cap(RLIMIT_NOFILE, 90, 80) != -1 || errno != EINVAL)
		return 4;
	return 0;
}

static int
nice_limit(void)
{
	if (cap(RLIMIT_NICE, 0, 0) || setgid(1000) || setuid(1000))
		return 1;
	if (setpriority(PRIO_PROCESS, 0, 5) || setpriority(PRIO_PROCESS, 0, 0) != -1 ||
	    errno != EACCES)
		return 2;
	return 0;
}

static volatile int xcpu;
static void
on(int s)
{
	(void)s;
	xcpu++;
}

static int
cpu(void)
{
	handle(SIGXCPU, on, 0);
	if (cap(RLIMIT_CPU, 1, 2))
		return 1;
	for (;;)
		if (xcpu == 1 && ++xcpu && now_ns(CLOCK_PROCESS_CPUTIME_ID) < 900000000)
			return 2;
}

int
main(void)
{
	struct rlimit rl, r2;
	char *s;
	pid_t pid;

	scratch();
	sys_ok(getrlimit(RLIMIT_NOFILE, &rl), "getrlimit");
	ok(rl.rlim_cur <= rl.rlim_max && rl.rlim_cur > 0, "soft is not above hard");
	sys_ok(prlimit(0, RLIMIT_NOFILE, NULL, &r2), "prlimit");
	ok(rl.rlim_cur == r2.rlim_cur && rl.rlim_max == r2.rlim_max, "agrees with getrlimit");
	for (int i = 0; i < 16; i++)
		if (getrlimit(i, &rl) || rl.rlim_cur > rl.rlim_max)
			ok(0, "limit %d", i);
	ok(1, "all sixteen can be read");
	sys_err(getrlimit(16, &rl), EINVAL, "the seventeenth cannot");
	sys_err(getrlimit(-1, &rl), EINVAL, "nor number -1");
	sys_err(prlimit(0x3fffffff, RLIMIT_CPU, NULL, &rl), ESRCH, "of nobody");
	sys_err(syscall(SYS_getrlimit, RLIMIT_CPU, at(8)), EFAULT, "bad pointer");
	sys_err(syscall(SYS_setrlimit, RLIMIT_CPU, at(8)), EFAULT, "bad pointer of the setter");
	rl = (struct rlimit){ 100, 50 };
	sys_err(setrlimit(RLIMIT_FSIZE, &rl), EINVAL, "soft above hard");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	rl = (struct rlimit){ 77, 88 };
	sys_ok(prlimit(pid, RLIMIT_NOFILE, &rl, &r2), "prlimit of a child");
	sys_ok(prlimit(pid, RLIMIT_NOFILE, NULL, &r2), "read again");
	ok(r2.rlim_cur == 77 && r2.rlim_max == 88, "it has changed");
	getrlimit(RLIMIT_NOFILE, &r2);
	ok(r2.rlim_cur != 77, "the parent's has not");
	kill(pid, SIGKILL), reap(pid);
	is_exit(in_child(fsize), 0, "RLIMIT_FSIZE: short write, then EFBIG");
	is_killed(in_child(fsize_kill), SIGXFSZ, "RLIMIT_FSIZE: SIGXFSZ kills");
	is_exit(in_child(nofile), 0, "RLIMIT_NOFILE: EMFILE, EBADF, EINVAL");
	if ((pid = fork()) == 0) {
		setpgid(0, 0);
		int r = nproc();
		signal(SIGTERM, SIG_IGN);
		kill(0, SIGTERM);
		_exit(r);
	}
	is_exit(pid, 0, "RLIMIT_NPROC: fork gives EAGAIN to a user");
	pid = fork();
	if (pid == 0)
		_exit(nproc_exec());
	is_exit(pid, 0, "RLIMIT_NPROC: exec gives EAGAIN after setuid");
	is_exit(in_child(user), 0, "a user lowers limits, never raises the hard one");
	is_exit(in_child(nice_limit), 0, "RLIMIT_NICE: a user cannot lower its nice value");
	is_killed(in_child(cpu), SIGKILL,
		  "RLIMIT_CPU: SIGXCPU at the soft, SIGKILL at the hard limit");
	if ((pid = fork()) == 0) {
		cap(RLIMIT_CORE, 5, 6);
		if (fork() == 0) {
			getrlimit(RLIMIT_CORE, &rl);
			_exit(rl.rlim_cur == 5 && rl.rlim_max == 6 ? 9 : 1);
		}
		int st;
		wait(&st);
		_exit(WEXITSTATUS(st));
	}
	is_exit(pid, 9, "limits are inherited");
	s = get_file("/proc/self/limits");
	ok(s && strncmp(s,
			"Limit                     Soft Limit           Hard Limit           Units",
			70) == 0,
	   "/proc/self/limits has its heading");
	ok(s && strstr(s, "\nMax open files ") && strstr(s, "\nMax stack size ") &&
		   strstr(s, "\nMax realtime timeout "),
	   "and its lines");
	return done();
}
