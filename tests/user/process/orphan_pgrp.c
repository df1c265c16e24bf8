/* SPDX-License-Identifier: MIT */
/* Orphaned process groups: SIGHUP and SIGCONT to stopped members, no stops by SIGTSTP. */
#include "../tap.h"
#include <sys/prctl.h>

static volatile int *m;

static void
on(int s)
{
	m[s]++;
}

int
main(void)
{
	pid_t mid, kid;
	int st;

	m = shared_alloc(4096);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	/* mid is the only link of kid's group to the session: its death orphans the group */
	if ((mid = fork()) == 0) {
		setsid();
		if ((kid = fork()) == 0) {
			setpgid(0, 0);
			handle(SIGHUP, on, 0);
			handle(SIGCONT, on, 0);
			m[100] = getpid();
			raise(SIGSTOP);
			for (int i = 0; i < 2000 && !m[SIGHUP]; i++)
				sleep_ms(2);
			_exit(m[SIGHUP] == 1 && m[SIGCONT] == 1 ? 21 : 22);
		}
		setpgid(kid, kid);
		waitpid(kid, &st, WUNTRACED);
		_exit(WIFSTOPPED(st) ? 0 : 1);
	}
	is_exit(mid, 0, "the link to the session dies");
	is_exit(m[100], 21, "the stopped group got SIGHUP and SIGCONT");

	/* not stopped: no SIGHUP */
	m[SIGHUP] = m[SIGCONT] = m[100] = 0;
	if ((mid = fork()) == 0) {
		setsid();
		if ((kid = fork()) == 0) {
			setpgid(0, 0);
			handle(SIGHUP, on, 0);
			pid_t p = getppid();

			m[100] = getpid();
			while (getppid() == p)
				sleep_ms(1);
			sleep_ms(30);
			_exit(m[SIGHUP] == 0 ? 23 : 24);
		}
		while (!m[100])
			sleep_ms(1);
		_exit(0);
	}
	is_exit(mid, 0, "again, nobody stopped");
	is_exit(m[100], 23, "no SIGHUP then");

	/* in an orphaned group SIGTSTP, SIGTTIN and SIGTTOU do not stop, SIGSTOP does */
	if ((mid = fork()) == 0) {
		setsid();
		if (fork() == 0) {
			raise(SIGTSTP);
			raise(SIGTTIN);
			raise(SIGTTOU);
			_exit(25);
		}
		waitpid(-1, &st, WUNTRACED);
		_exit(WIFEXITED(st) ? WEXITSTATUS(st) : 26);
	}
	is_exit(mid, 25, "keyboard stops have no effect in an orphaned group");
	if ((mid = fork()) == 0) {
		setsid();
		if ((kid = fork()) == 0) {
			raise(SIGSTOP);
			_exit(0);
		}
		waitpid(kid, &st, WUNTRACED);
		kill(kid, SIGKILL);
		_exit(WIFSTOPPED(st) ? 27 : 28);
	}
	is_exit(mid, 27, "SIGSTOP stops");
	while (wait(NULL) > 0)
		;
	return done();
}
