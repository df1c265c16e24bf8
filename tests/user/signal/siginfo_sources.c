/* SPDX-License-Identifier: MIT */
/* What siginfo says for each way to send a signal. */
#include "../compat.h"
#include "../tap.h"

static volatile siginfo_t got;
static volatile int count;

static void
on(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	*(siginfo_t *)&got = *si;
	count++;
}

static void
expect(int sig, int code, const char *what)
{
	is_int(count, 1, "%s: handler ran once", what);
	is_int(got.si_signo, sig, "%s: si_signo", what);
	is_int(got.si_errno, 0, "%s: si_errno", what);
	is_int(got.si_code, code, "%s: si_code", what);
	count = 0;
}

int
main(void)
{
	union sigval v = { .sival_ptr = (void *)0x123456789abcUL };
	struct itimerval it = { { 0, 0 }, { 0, 1000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3 };
	struct itimerspec its = { { 0, 0 }, { 0, 1000000 } };
	int p[2];
	timer_t t;
	pid_t pid;

	handle_info(SIGUSR1, on, 0);
	handle_info(SIGRTMIN + 3, on, 0);
	handle_info(SIGALRM, on, 0);
	handle_info(SIGPIPE, on, 0);
	handle_info(SIGCHLD, on, 0);

	kill(getpid(), SIGUSR1);
	expect(SIGUSR1, SI_USER, "kill");
	ok(got.si_pid == getpid() && got.si_uid == getuid(),
	   "kill: si_pid and si_uid are the sender's");
	syscall(SYS_tgkill, getpid(), kt_gettid(), SIGUSR1);
	expect(SIGUSR1, SI_TKILL, "tgkill");
	ok(got.si_pid == getpid() && got.si_uid == getuid(),
	   "tgkill: si_pid and si_uid are the sender's");
	syscall(SYS_tkill, kt_gettid(), SIGUSR1);
	expect(SIGUSR1, SI_TKILL, "tkill");
	sigqueue(getpid(), SIGRTMIN + 3, v);
	expect(SIGRTMIN + 3, SI_QUEUE, "sigqueue");
	ok(got.si_pid == getpid() && got.si_uid == getuid(),
	   "sigqueue: si_pid and si_uid are the sender's");
	ok(got.si_value.sival_ptr == v.sival_ptr, "sigqueue: the value arrives whole");
	sigqueue(getpid(), SIGUSR1, v);
	expect(SIGUSR1, SI_QUEUE, "sigqueue of a standard signal");
	ok(got.si_value.sival_ptr == v.sival_ptr, "sigqueue of a standard signal: value");

	setitimer(ITIMER_REAL, &it, NULL);
	while (!count)
		pause();
	expect(SIGALRM, SI_KERNEL, "itimer");
	ev.sigev_value = v;
	must(timer_create(CLOCK_MONOTONIC, &ev, &t));
	must(timer_settime(t, 0, &its, NULL));
	while (!count)
		sleep_ms(1);
	expect(SIGRTMIN + 3, SI_TIMER, "POSIX timer");
	ok(got.si_value.sival_ptr == v.sival_ptr, "POSIX timer: the value of sigevent");
	is_int(got.si_overrun, 0, "POSIX timer: no overrun");
	timer_delete(t);

	must(pipe(p));
	close(p[0]);
	sys_err(write(p[1], "x", 1), EPIPE, "write to a pipe without reader");
	expect(SIGPIPE, SI_USER, "SIGPIPE");
	is_int(got.si_pid, getpid(), "SIGPIPE: si_pid is the writer");

	if ((pid = fork()) == 0)
		_exit(5);
	while (!count)
		sleep_ms(1);
	expect(SIGCHLD, CLD_EXITED, "child exits");
	ok(got.si_pid == pid && got.si_status == 5 && got.si_uid == getuid(),
	   "child exits: pid, uid and status");
	is_exit(pid, 5, "child exits: wait agrees");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	wait_state(pid, 'S');
	kill(pid, SIGSTOP);
	while (!count)
		sleep_ms(1);
	expect(SIGCHLD, CLD_STOPPED, "child stops");
	ok(got.si_pid == pid && got.si_status == SIGSTOP, "child stops: pid and signal");
	kill(pid, SIGCONT);
	while (!count)
		sleep_ms(1);
	expect(SIGCHLD, CLD_CONTINUED, "child continues");
	ok(got.si_pid == pid && got.si_status == SIGCONT, "child continues: pid and signal");
	kill(pid, SIGTERM);
	while (!count)
		sleep_ms(1);
	expect(SIGCHLD, CLD_KILLED, "child is killed");
	ok(got.si_pid == pid && got.si_status == SIGTERM, "child is killed: pid and signal");
	is_killed(pid, SIGTERM, "child is killed: wait agrees");
	if ((pid = fork()) == 0) {
		handle(SIGUSR1, SIG_DFL, 0);
		kill(getppid(), SIGUSR1);
		for (;;)
			pause();
	}
	while (!count)
		sleep_ms(1);
	expect(SIGUSR1, SI_USER, "kill by a child");
	is_int(got.si_pid, pid, "kill by a child: si_pid is the child");
	kill(pid, SIGKILL);
	reap(pid);
	return done();
}
