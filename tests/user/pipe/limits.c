/* SPDX-License-Identifier: MIT */
/* How much pipes may keep for one user without privileges: /proc/sys/fs/pipe-user-pages-soft. */
#include "../tap.h"
#include <sys/prctl.h>

#define PIPES 120

static long
pages_soft(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/fs/pipe-user-pages-soft", O_RDONLY);

	if (fd < 0)
		return -1;
	must(read(fd, text, sizeof(text) - 1));
	close(fd);
	return atol(text);
}

/* As a user that nobody else is: how many bytes all its pipes hold when no more are given. */
static int
child(void)
{
	long pages = 0;
	int refused = 0, fds[2];

	if (setgid(63123) || setuid(63123))
		return 1;
	for (int i = 0; i < PIPES; i++) {
		if (pipe(fds))
			return 2;
		if (fcntl(fds[0], F_SETPIPE_SZ, 1 << 20) < 0) {
			if (errno != EPERM)
				return 3;
			refused++;
		}
		pages += fcntl(fds[0], F_GETPIPE_SZ) / 4096;
	}
	if (!refused)
		return 4;
	/* A page or two for each that comes when there is no more. */
	if (pages > 16384 + 2 * PIPES)
		return 5;
	/* They still work. */
	return write(fds[1], "x", 1) == 1 ? 0 : 6;
}

int
main(void)
{
	pid_t pid;

	is_int(pages_soft(), 16384, "pipe-user-pages-soft");
	if (geteuid()) {
		diag("not root: no user of its own to be");
		return done();
	}
	pid = must(fork());
	if (!pid)
		_exit(child());
	is_exit(pid, 0, "a user's pipes keep 64 MiB at most");
	pid = must(fork());
	if (!pid)
		_exit(child());
	is_exit(pid, 0, "and again when those are gone");
	return done();
}
