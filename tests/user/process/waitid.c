/* SPDX-License-Identifier: MIT */
/* waitid: id types, the siginfo, WNOWAIT, option checks, pidfd. */
#include "../compat.h"
#include "../tap.h"

static pid_t
spawn(int code)
{
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(code);
	return pid;
}

int
main(void)
{
	siginfo_t si;
	struct rusage ru;
	pid_t a, b;
	int fd;

	memset(&si, 0xff, sizeof(si));
	sys_err(waitid(P_ALL, 0, &si, WEXITED), ECHILD, "no child");
	a = spawn(42);
	is_int(waitid(P_PID, a, &si, WEXITED | WNOWAIT), 0, "WNOWAIT");
	is_int(si.si_signo, SIGCHLD, "si_signo");
	is_int(si.si_code, CLD_EXITED, "si_code");
	is_int(si.si_pid, a, "si_pid");
	is_int(si.si_uid, getuid(), "si_uid");
	is_int(si.si_status, 42, "si_status");
	is_int(si.si_errno, 0, "si_errno");
	memset(&si, 0, sizeof(si));
	is_int(waitid(P_PID, a, &si, WEXITED | WNOWAIT | WNOHANG), 0, "WNOWAIT again");
	is_int(si.si_pid, a, "the child is still there");
	is_int(waitid(P_PID, a, &si, WEXITED), 0, "now for good");
	sys_err(waitid(P_PID, a, &si, WEXITED), ECHILD, "it is gone");

	if ((a = fork()) == 0)
		for (;;)
			pause();
	memset(&si, 0xff, sizeof(si));
	is_int(waitid(P_PID, a, &si, WEXITED | WNOHANG), 0, "WNOHANG while it runs");
	ok(si.si_pid == 0 && si.si_signo == 0, "si_pid and si_signo are 0");
	kill(a, SIGSTOP);
	is_int(waitid(P_PID, a, &si, WSTOPPED), 0, "WSTOPPED");
	ok(si.si_code == CLD_STOPPED && si.si_status == SIGSTOP, "stopped, by SIGSTOP");
	is_int(waitid(P_PID, a, &si, WSTOPPED | WNOHANG), 0, "again");
	is_int(si.si_pid, 0, "a stop is reported once");
	kill(a, SIGCONT);
	is_int(waitid(P_PID, a, &si, WCONTINUED | WNOWAIT), 0, "WCONTINUED and WNOWAIT");
	ok(si.si_code == CLD_CONTINUED && si.si_status == SIGCONT, "continued, by SIGCONT");
	is_int(waitid(P_PID, a, &si, WCONTINUED), 0, "WCONTINUED");
	ok(si.si_code == CLD_CONTINUED, "still there after WNOWAIT");
	kill(a, SIGTERM);
	is_int(waitid(P_ALL, 12345, &si, WEXITED), 0, "P_ALL ignores the id");
	ok(si.si_pid == a && si.si_code == CLD_KILLED && si.si_status == SIGTERM,
	   "killed, by SIGTERM");

	a = spawn(1);
	setpgid(a, a);
	b = fork();
	if (b == 0) {
		setpgid(0, 0);
		_exit(2);
	}
	setpgid(b, b);
	is_int(waitid(P_PGID, b, &si, WEXITED), 0, "P_PGID");
	is_int(si.si_pid, b, "of that group");
	reap(a);
	a = spawn(3);
	is_int(waitid(P_PGID, 0, &si, WEXITED), 0, "P_PGID 0 is the own group");
	is_int(si.si_pid, a, "its child");

	memset(&ru, 0xff, sizeof(ru));
	a = spawn(5);
	fd = must(syscall(SYS_pidfd_open, a, 0));
	is_int(waitid(P_PIDFD, fd, &si, WEXITED | WNOWAIT), 0, "P_PIDFD");
	ok(si.si_pid == a && si.si_status == 5, "of that child");
	is_int(syscall(SYS_waitid, P_PIDFD, fd, &si, WEXITED, &ru), 0, "P_PIDFD with rusage");
	ok(ru.ru_maxrss >= 0 && ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 10,
	   "rusage is filled");
	sys_err(waitid(P_PIDFD, fd, &si, WEXITED), ECHILD, "it is gone");
	sys_err(waitid(P_PIDFD, 999, &si, WEXITED), EBADF, "bad descriptor");
	sys_err(waitid(P_PIDFD, 1, &si, WEXITED), EBADF, "not a pidfd");

	a = spawn(0);
	is_int(syscall(SYS_waitid, P_PID, a, NULL, WEXITED, NULL), 0, "NULL siginfo");
	sys_err(waitid(P_PID, 1, &si, 0), EINVAL, "no kind of event");
	sys_err(waitid(P_PID, 1, &si, WNOHANG), EINVAL, "WNOHANG alone");
	sys_err(waitid(P_PID, 1, &si, WEXITED | 0x8000), EINVAL, "unknown option");
	sys_err(waitid(77, 1, &si, WEXITED), EINVAL, "unknown id type");
	sys_err(waitid(P_PID, 0, &si, WEXITED), EINVAL, "P_PID 0");
	sys_err(waitid(P_PGID, -5, &si, WEXITED), EINVAL, "negative group");
	a = spawn(0);
	sys_err(syscall(SYS_waitid, P_PID, a, at(8), WEXITED, NULL), EFAULT, "bad siginfo pointer");
	return done();
}
