/* SPDX-License-Identifier: MIT */
/* signalfd: records, order, masks, poll, several signals in one read. */
#include "../compat.h"
#include "../tap.h"
#include <sys/signalfd.h>

int
main(void)
{
	struct signalfd_siginfo si[4];
	struct pollfd pf;
	sigset_t s;
	int fd;
	pid_t pid;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGCHLD);
	sigaddset(&s, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = must(signalfd(-1, &s, SFD_NONBLOCK | SFD_CLOEXEC));
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK), "flags");
	sys_err(read(fd, si, sizeof(si)), EAGAIN, "nothing pending");
	pf = (struct pollfd){ fd, POLLIN, 0 };
	is_int(poll(&pf, 1, 0), 0, "poll: not ready");
	kill(getpid(), SIGUSR1);
	is_int(poll(&pf, 1, 0), 1, "poll: ready");
	is_int(read(fd, si, sizeof(si)), 128, "one record of 128 bytes");
	ok(si[0].ssi_signo == SIGUSR1 && si[0].ssi_code == SI_USER, "signal and code");
	ok(si[0].ssi_pid == (uint32_t)getpid() && si[0].ssi_uid == getuid(), "sender");
	sigpending(&s);
	ok(!sigismember(&s, SIGUSR1), "it is consumed");
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 77 });
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 78 });
	kill(getpid(), SIGUSR1);
	is_int(read(fd, si, sizeof(si)), 3 * 128, "three records in one read");
	ok(si[0].ssi_signo == SIGUSR1, "lowest number first");
	ok(si[1].ssi_int == 77 && si[2].ssi_int == 78 && si[1].ssi_code == SI_QUEUE,
	   "queued values in order");
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 1 });
	sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 2 });
	is_int(read(fd, si, 128 + 50), 128, "a buffer for one gets one");
	sys_err(read(fd, si, 100), EINVAL, "a buffer too small");
	is_int(read(fd, si, sizeof(si)), 128, "the other is still there");
	if ((pid = fork()) == 0)
		_exit(6);
	is_int(poll(&pf, 1, 5000), 1, "SIGCHLD wakes poll");
	is_int(read(fd, si, sizeof(si)), 128, "read");
	ok(si[0].ssi_signo == SIGCHLD && si[0].ssi_pid == (uint32_t)pid && si[0].ssi_status == 6 &&
		   si[0].ssi_code == CLD_EXITED,
	   "pid, status and code of the child");
	reap(pid);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, NULL);
	is_int(signalfd(fd, &s, 0), fd, "change the set");
	kill(getpid(), SIGUSR1);
	sys_err(read(fd, si, sizeof(si)), EAGAIN, "the old one is not read any more");
	kill(getpid(), SIGUSR2);
	is_int(read(fd, si, sizeof(si)), 128, "the new one is");
	must(fcntl(fd, F_SETFL, 0));
	if ((pid = fork()) == 0) {
		wait_state(getppid(), 'S');
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	is_int(read(fd, si, sizeof(si)), 128, "a blocking read waits");
	is_int(si[0].ssi_pid, pid, "for the sender");
	reap(pid);
	if ((pid = fork()) == 0) {
		must(fcntl(fd, F_SETFL, O_NONBLOCK));
		kill(getpid(), SIGUSR2);
		_exit(read(fd, si, sizeof(si)) == 128 && si[0].ssi_pid == (uint32_t)getpid() ? 0
											     : 1);
	}
	is_exit(pid, 0, "in a child it reads the child's own signals");
	sys_err(signalfd(-1, &s, 0x1), EINVAL, "unknown flag");
	sys_err(signalfd(999, &s, 0), EBADF, "bad descriptor");
	sys_err(signalfd(0, &s, 0), EINVAL, "not a signalfd");
	sys_err(syscall(SYS_signalfd4, -1, &s, 4, 0), EINVAL, "wrong set size");
	return done();
}
