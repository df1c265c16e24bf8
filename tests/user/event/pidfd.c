/* SPDX-License-Identifier: MIT */
/* pidfd: open, poll, signal, getfd, fdinfo. */
#include "../compat.h"
#include "../tap.h"

static int
pidfd_open_(pid_t pid, unsigned flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

int
main(void)
{
	struct pollfd pf;
	siginfo_t si;
	char buf[16], path[64], *s;
	int fd, p[2], got;
	pid_t pid;

	must(pipe(p));
	if ((pid = fork()) == 0) {
		dup2(p[1], 77);
		close(p[1]);
		must(write(77, "k", 1));
		for (;;)
			pause();
	}
	must(read(p[0], buf, 1));
	sys_ok(fd = pidfd_open_(pid, 0), "pidfd_open");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec by itself");
	pf = (struct pollfd){ fd, POLLIN, 0 };
	is_int(poll(&pf, 1, 0), 0, "a living process: not ready");
	sys_ok(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), "signal 0 probes");
	sys_ok(got = syscall(SYS_pidfd_getfd, fd, 77, 0), "pidfd_getfd");
	ok(got >= 0 && fcntl(got, F_GETFD) == FD_CLOEXEC, "close-on-exec too");
	is_int(write(got, "via", 3), 3, "is the child's pipe");
	is_int(read(p[0], buf, 3), 3, "indeed");
	sys_err(syscall(SYS_pidfd_getfd, fd, 500, 0), EBADF,
		"a descriptor that the child does not have");
	sys_err(syscall(SYS_pidfd_getfd, fd, 77, 1), EINVAL, "a flag");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	s = get_file(path);
	s = s ? strstr(s, "\nPid:\t") : NULL;
	is_int(s ? atoi(s + 6) : -1, pid, "fdinfo names the process");
	memset(&si, 0, sizeof(si));
	si.si_signo = SIGTERM;
	si.si_code = SI_USER;
	sys_err(syscall(SYS_pidfd_send_signal, fd, SIGTERM, &si, 0), EPERM, "a forged siginfo");
	si.si_code = SI_QUEUE;
	sys_err(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &si, 0), EINVAL,
		"a siginfo of another signal");
	sys_err(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0x100), EINVAL,
		"an unknown flag");
	sys_ok(syscall(SYS_pidfd_send_signal, fd, SIGTERM, &si, 0), "SIGTERM");
	is_int(poll(&pf, 1, 5000), 1, "poll wakes at the end");
	is_int(pf.revents & POLLIN, POLLIN, "POLLIN");
	is_killed(pid, SIGTERM, "the child died of it");
	is_int(poll(&pf, 1, 0), 1, "still ready after the wait");
	sys_err(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH,
		"a signal to a reaped process");
	sys_err(syscall(SYS_pidfd_getfd, fd, 1, 0), ESRCH, "getfd of a reaped process");
	sys_err(pidfd_open_(pid, 0), ESRCH, "pidfd_open of a reaped process");
	sys_err(pidfd_open_(0x3fffffff, 0), ESRCH, "of nobody");
	sys_err(pidfd_open_(-1, 0), EINVAL, "of -1");
	sys_err(pidfd_open_(0, 0), EINVAL, "of 0");
	sys_err(pidfd_open_(getpid(), 0x10), EINVAL, "unknown flag");
	sys_ok(fd = pidfd_open_(getpid(), O_NONBLOCK), "PIDFD_NONBLOCK, of oneself");
	ok(fcntl(fd, F_GETFL) & O_NONBLOCK, "is set");
	sys_err(syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0), EBADF, "not a pidfd");
	int self = open("/proc/self", O_DIRECTORY);
	sys_ok(syscall(SYS_pidfd_send_signal, self, 0, NULL, 0),
	       "a directory of /proc does as well");
	close(self);
	self = open("/proc/self/fd", O_DIRECTORY);
	sys_err(syscall(SYS_pidfd_send_signal, self, 0, NULL, 0), EBADF, "but none below it");
	close(self);
	if ((pid = fork()) == 0)
		_exit(setuid(1000) || syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) != -1 ||
		      errno != EPERM);
	is_exit(pid, 0, "a user may not signal root through it");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	fd = must(pidfd_open_(pid, O_NONBLOCK));
	sys_err(waitid(P_PIDFD, fd, &si, WEXITED), EAGAIN, "waitid of a non-blocking pidfd");
	kill(pid, SIGKILL);
	reap(pid);
	return done();
}
