/* SPDX-License-Identifier: MIT */
/* Job control stops: reports, SIGCONT rules, pending stops, kill of a stopped task. */
#include "../tap.h"

static volatile int *seen;

static void
on(int sig)
{
	seen[sig]++;
}

static pid_t
child(int catch, int blocked)
{
	pid_t pid = must(fork());

	if (pid)
		return wait_state(pid, 'S'), pid;
	if (blocked)
		block(blocked);
	if (catch)
		handle(catch, on, 0);
	for (;;)
		pause();
}

static int
event(pid_t pid, int flags)
{
	int st = 0;

	return waitpid(pid, &st, flags | WNOHANG) == pid ? st : -1;
}

static int
wait_event(pid_t pid, int flags)
{
	int st = 0;

	return waitpid(pid, &st, flags) == pid ? st : -1;
}

int
main(void)
{
	int st;
	pid_t pid;

	seen = shared_alloc(4096);
	pid = child(0, 0);
	is_int(event(pid, WUNTRACED | WCONTINUED), -1, "nothing to report at first");
	kill(pid, SIGSTOP);
	st = wait_event(pid, WUNTRACED);
	ok(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP, "stopped");
	is_int(task_state(pid), 'T', "its state is T");
	is_int(event(pid, WUNTRACED), -1, "a stop is reported once");
	kill(pid, SIGUSR1);
	sleep_ms(30);
	is_int(event(pid, 0), -1, "a fatal signal waits while stopped");
	kill(pid, SIGCONT);
	is_killed(pid, SIGUSR1, "and acts after SIGCONT");

	pid = child(0, 0);
	kill(pid, SIGSTOP);
	wait_event(pid, WUNTRACED);
	kill(pid, SIGCONT);
	st = wait_event(pid, WCONTINUED);
	ok(st == 0xffff && WIFCONTINUED(st), "the continue is reported");
	is_int(event(pid, WCONTINUED), -1, "once");
	kill(pid, SIGSTOP);
	wait_event(pid, WUNTRACED);
	kill(pid, SIGKILL);
	is_killed(pid, SIGKILL, "SIGKILL ends a stopped task");

	pid = child(SIGCONT, 0);
	kill(pid, SIGSTOP);
	wait_event(pid, WUNTRACED);
	kill(pid, SIGCONT);
	for (int i = 0; i < 2000 && !seen[SIGCONT]; i++)
		sleep_ms(2);
	is_int(seen[SIGCONT], 1, "a SIGCONT handler runs after the continue");
	kill(pid, SIGCONT);
	for (int i = 0; i < 2000 && seen[SIGCONT] < 2; i++)
		sleep_ms(2);
	is_int(seen[SIGCONT], 2, "also when it was not stopped");
	kill(pid, SIGKILL);
	reap(pid);

	pid = child(0, SIGCONT);
	kill(pid, SIGSTOP);
	wait_event(pid, WUNTRACED);
	kill(pid, SIGCONT);
	ok(WIFCONTINUED(wait_event(pid, WCONTINUED)), "a blocked SIGCONT continues too");
	kill(pid, SIGKILL);
	reap(pid);

	pid = child(SIGTSTP, 0);
	kill(pid, SIGTSTP);
	for (int i = 0; i < 2000 && !seen[SIGTSTP]; i++)
		sleep_ms(2);
	is_int(seen[SIGTSTP], 1, "SIGTSTP can be caught");
	is_int(event(pid, WUNTRACED), -1, "and then does not stop");
	kill(pid, SIGKILL);
	reap(pid);

	/* a pending stop is thrown away by SIGCONT, and the other way round */
	pid = child(0, SIGTSTP);
	kill(pid, SIGTSTP);
	kill(pid, SIGCONT);
	kill(pid, SIGTERM);
	is_killed(pid, SIGTERM, "SIGCONT discards a pending SIGTSTP");
	if ((pid = fork()) == 0) {
		sigset_t s;

		block(SIGCONT);
		handle(SIGCONT, on, 0);
		raise(SIGCONT);
		sigpending(&s);
		if (!sigismember(&s, SIGCONT))
			_exit(1);
		block(SIGTSTP);
		raise(SIGTSTP);
		sigpending(&s);
		_exit(sigismember(&s, SIGCONT) || !sigismember(&s, SIGTSTP) ? 2 : 0);
	}
	is_exit(pid, 0, "a stop signal discards a pending SIGCONT");

	/* the child of a stopped parent is not reported to the grandparent */
	pid = child(0, 0);
	kill(pid, SIGSTOP);
	kill(pid, SIGCONT);
	kill(pid, SIGSTOP);
	st = wait_event(pid, WUNTRACED);
	ok(WIFSTOPPED(st), "stop, continue, stop ends stopped");
	kill(pid, SIGCONT);
	kill(pid, SIGTERM);
	is_killed(pid, SIGTERM, "and can be ended");
	return done();
}
