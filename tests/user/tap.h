/* SPDX-License-Identifier: MIT */
/*
 * tap.h - the checks of the user-space tests.
 *
 * A test is one small program that prints TAP: a line per check, the plan at the end, exit status
 * 1 if anything failed. The same binary runs on Linux and on Kevlar and must pass on both, so check
 * names carry no address, pid or time, and no check is faster than an upper bound a slow emulator
 * could miss: "not too early" is exact, "not too late" is generous.
 *
 *	ok(cond, name)              cond holds
 *	is_int(got, want, name)     equal integers, both printed when not
 *	is_str, is_mem              equal strings, equal bytes
 *	sys_ok(ret, name)           the call did not return -1
 *	sys_err(ret, err, name)     the call returned -1 with this errno
 *	is_exit(pid, code, name)    the child exits with this code; is_killed: dies by this signal
 *	must(call)                  set-up that has to work: bails out otherwise, returns the value
 *	done()                      prints the plan, removes the scratch directory, returns the
 *status
 *
 * Names are printf formats. Only the process that began the program reports; a child answers by
 * its exit status or through shared memory.
 */
#ifndef TAP_H
#define TAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAP_UNUSED    __attribute__((unused))
#define TAP_FMT(f, a) __attribute__((unused, format(printf, f, a)))
#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))

static int tap_count, tap_failures;
static char tap_dir[64];

static TAP_FMT(1, 2) void diag(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	memcpy(buf, "# ", 2);
	va_start(ap, fmt);
	n = vsnprintf(buf + 2, sizeof(buf) - 4, fmt, ap);
	va_end(ap);
	n = n > (int)sizeof(buf) - 5 ? (int)sizeof(buf) - 5 : n;
	buf[n + 2] = '\n';
	if (write(1, buf, n + 3) < 0)
		_exit(3);
}

static TAP_UNUSED int
tap_report(int pass, const char *fmt, va_list ap)
{
	char buf[512];
	int n = snprintf(buf, sizeof(buf), "%sok %d - ", pass ? "" : "not ", ++tap_count);

	n += vsnprintf(buf + n, sizeof(buf) - n - 2, fmt, ap);
	n = n > (int)sizeof(buf) - 3 ? (int)sizeof(buf) - 3 : n;
	buf[n] = '\n';
	if (write(1, buf, n + 1) < 0)
		_exit(3);
	tap_failures += !pass;
	return pass;
}

static TAP_FMT(2, 3) int ok(int cond, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	tap_report(!!cond, fmt, ap);
	va_end(ap);
	if (!cond)
		diag("errno %d (%s)", err, strerror(err));
	return !!cond;
}

static TAP_FMT(2, 3) void skip(const char *why, const char *fmt, ...)
{
	char name[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	ok(1, "%s # SKIP %s", name, why);
}

static TAP_FMT(3, 4) int is_int(long long got, long long want, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	tap_report(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		diag("got %lld (%#llx), want %lld (%#llx), errno %d (%s)", got, got, want, want,
		     err, strerror(err));
	return got == want;
}

static TAP_FMT(3, 4) int is_str(const char *got, const char *want, const char *fmt, ...)
{
	int same = got && want && strcmp(got, want) == 0;
	va_list ap;

	va_start(ap, fmt);
	tap_report(same, fmt, ap);
	va_end(ap);
	if (!same)
		diag("got \"%.150s\", want \"%.150s\"", got ? got : "(null)",
		     want ? want : "(null)");
	return same;
}

static TAP_FMT(4, 5) int is_mem(const void *got, const void *want, size_t len, const char *fmt, ...)
{
	int same = memcmp(got, want, len) == 0;
	const unsigned char *g = got, *w = want;
	size_t i = 0;
	va_list ap;

	va_start(ap, fmt);
	tap_report(same, fmt, ap);
	va_end(ap);
	if (!same) {
		while (i < len && g[i] == w[i])
			i++;
		diag("first difference at byte %zu: got %#x, want %#x", i, g[i], w[i]);
	}
	return same;
}

static TAP_FMT(2, 3) int sys_ok(long long ret, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	tap_report(ret != -1, fmt, ap);
	va_end(ap);
	if (ret == -1)
		diag("failed with errno %d (%s)", err, strerror(err));
	return ret != -1;
}

static TAP_FMT(3, 4) int sys_err(long long ret, int want, const char *fmt, ...)
{
	int err = errno, pass = ret == -1 && err == want;
	va_list ap;

	va_start(ap, fmt);
	tap_report(pass, fmt, ap);
	va_end(ap);
	if (!pass && ret != -1)
		diag("returned %lld, want -1 with errno %d (%s)", ret, want, strerror(want));
	else if (!pass)
		diag("got errno %d (%s), want %d (%s)", err, strerror(err), want, strerror(want));
	return pass;
}

/* Removes what is below a directory: never through a symlink, never into another file system. */
static TAP_UNUSED void
tap_remove(int dir, const char *name, dev_t dev)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd < 0 || fstat(fd, &st) || (dev && st.st_dev != dev) || (d = fdopendir(fd)) == NULL) {
		if (fd >= 0)
			close(fd);
		unlinkat(dir, name, 0);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			tap_remove(fd, e->d_name, st.st_dev);
	closedir(d);
	unlinkat(dir, name, AT_REMOVEDIR);
}

static TAP_UNUSED int
done(void)
{
	char buf[64];
	int n = snprintf(buf, sizeof(buf), "1..%d\n", tap_count);

	if (tap_dir[0] && chdir("/") == 0)
		tap_remove(AT_FDCWD, tap_dir, 0);
	if (write(1, buf, n) < 0)
		return 3;
	return tap_failures || !tap_count;
}

/* Set-up that has to work; the text of the call is in the message when it does not. */
static TAP_UNUSED long
tap_must(long ret, const char *what, int line)
{
	if (ret != -1)
		return ret;
	diag("line %d: %s: errno %d (%s)", line, what, errno, strerror(errno));
	if (write(1, "Bail out! set-up failed\n", 24) < 0)
		_exit(3);
	if (tap_dir[0] && chdir("/") == 0)
		tap_remove(AT_FDCWD, tap_dir, 0);
	_exit(2);
}
#define must(call) tap_must((long)(call), #call, __LINE__)

/* Make an empty directory of our own, go there; done() removes it. */
static TAP_UNUSED const char *
scratch(void)
{
	strcpy(tap_dir, "/tmp/kt.XXXXXX");
	if (!mkdtemp(tap_dir)) {
		tap_dir[0] = 0;
		must(-1);
	}
	must(chmod(tap_dir, 0755));
	must(chdir(tap_dir));
	return tap_dir;
}

static TAP_UNUSED long long
now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static TAP_UNUSED long long
now_ms(void)
{
	return now_ns(CLOCK_MONOTONIC) / 1000000;
}

static TAP_UNUSED void
sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* The state letter of a task from /proc/TID/stat, 0 if it is gone. */
static TAP_UNUSED char
task_state(pid_t tid)
{
	char path[64], buf[512], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = 0;
	p = strrchr(buf, ')');
	return p && p[1] ? p[2] : 0;
}

/* Wait (5 s at most) until a task is in this state: 'S' asleep, 'T' stopped, 'Z' zombie. */
static TAP_UNUSED int
wait_state(pid_t tid, char state)
{
	long long end = now_ms() + 5000;

	while (now_ms() < end) {
		if (task_state(tid) == state)
			return 1;
		sleep_ms(2);
	}
	diag("task never reached state %c (it is %c)", state, task_state(tid));
	return 0;
}

static TAP_UNUSED int
reap(pid_t pid)
{
	int st = -1;

	while (waitpid(pid, &st, 0) == -1 && errno == EINTR)
		;
	return st;
}

static TAP_FMT(3, 4) int is_exit(pid_t pid, int code, const char *fmt, ...)
{
	int st = pid > 0 ? reap(pid) : -1;
	int pass = st != -1 && WIFEXITED(st) && WEXITSTATUS(st) == code;
	va_list ap;

	va_start(ap, fmt);
	tap_report(pass, fmt, ap);
	va_end(ap);
	if (!pass)
		diag("wait status %#x, want exit code %d", st, code);
	return pass;
}

static TAP_FMT(3, 4) int is_killed(pid_t pid, int sig, const char *fmt, ...)
{
	int st = pid > 0 ? reap(pid) : -1;
	int pass = st != -1 && WIFSIGNALED(st) && WTERMSIG(st) == sig;
	va_list ap;

	va_start(ap, fmt);
	tap_report(pass, fmt, ap);
	va_end(ap);
	if (!pass)
		diag("wait status %#x, want death by signal %d", st, sig);
	return pass;
}

/* An address the compiler may reason nothing about. */
static TAP_UNUSED void *
at(uintptr_t addr)
{
	__asm__ volatile("" : "+r"(addr));
	return (void *)addr;
}

/* Memory shared with children, zeroed. */
static TAP_UNUSED void *
shared_alloc(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p == MAP_FAILED ? -1 : 0);
	return p;
}

/* Write a whole new file; used for set-up. */
static TAP_UNUSED void
put_file(const char *path, const void *data, size_t len)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));

	must(write(fd, data, len) == (ssize_t)len ? 0 : -1);
	close(fd);
}

/* Copy the running program, for tests that need an executable file of their own. */
static TAP_UNUSED void
copy_self(const char *path, mode_t mode)
{
	char buf[65536];
	ssize_t n;
	int in = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	int out = must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700));

	while ((n = read(in, buf, sizeof(buf))) > 0)
		must(write(out, buf, n) == n ? 0 : -1);
	must(n);
	must(fchmod(out, mode));
	close(in);
	close(out);
}

/* Read a file of any kind as a string; NULL if it cannot be opened. The buffer is reused. */
static TAP_UNUSED char *
get_file(const char *path)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	while (len < sizeof(buf) - 1 && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = 0;
	return buf;
}

static TAP_UNUSED void
handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigemptyset(&sa.sa_mask);
	must(sigaction(sig, &sa, NULL));
}

static TAP_UNUSED void
handle_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	must(sigaction(sig, &sa, NULL));
}

static TAP_UNUSED void
block(int sig)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, sig);
	must(sigprocmask(SIG_BLOCK, &s, NULL));
}

static TAP_UNUSED void
unblock(int sig)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, sig);
	must(sigprocmask(SIG_UNBLOCK, &s, NULL));
}

/*
 * Fork a helper that waits until this process sleeps in a call, sends it a signal, waits until it
 * sleeps again (a restarted call does) and then runs after(), which should end the call.
 * unpoke() ends the helper.
 */
static TAP_UNUSED pid_t
poke(int sig, void (*after)(void))
{
	pid_t target = getpid(), pid = fork();

	if (pid)
		return must(pid);
	wait_state(target, 'S');
	sleep_ms(20);
	kill(target, sig);
	if (after) {
		sleep_ms(30);
		if (wait_state(target, 'S'))
			after();
	}
	_exit(0);
}

static TAP_UNUSED void
unpoke(pid_t pid)
{
	kill(pid, SIGKILL);
	reap(pid);
}

#endif
