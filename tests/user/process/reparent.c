/* SPDX-License-Identifier: MIT */
/* Orphans: subreapers, getppid, PR_SET_PDEATHSIG. */
#include "../tap.h"
#include <sys/prctl.h>

static volatile int got;

static void
on(int s)
{
	got = s;
}

int
main(void)
{
	volatile int *m = shared_alloc(4096);
	int v = -1, sig = -1, st;
	pid_t a, b;

	sys_ok(prctl(PR_GET_CHILD_SUBREAPER, &v), "get subreaper");
	is_int(v, 0, "off at first");
	sys_ok(prctl(PR_SET_CHILD_SUBREAPER, 1), "set subreaper");
	prctl(PR_GET_CHILD_SUBREAPER, &v);
	is_int(v, 1, "reads back");
	if ((a = fork()) == 0) {
		prctl(PR_GET_CHILD_SUBREAPER, &v);
		m[3] = v;
		if ((b = fork()) == 0) {
			pid_t p = getppid();

			m[0] = getpid();
			for (int i = 0; i < 2000 && getppid() == p; i++)
				sleep_ms(2);
			m[1] = getppid();
			_exit(33);
		}
		while (!m[0])
			sleep_ms(1);
		_exit(1);
	}
	is_exit(a, 1, "the middle process exits");
	is_exit(m[0], 33, "the grandchild is ours to reap");
	is_int(m[1], getpid(), "its getppid is the subreaper");
	is_int(m[3], 0, "the attribute is not inherited");

	/* a zombie whose parent dies goes to the reaper too */
	if ((a = fork()) == 0) {
		if ((b = fork()) == 0)
			_exit(44);
		m[0] = b;
		wait_state(b, 'Z');
		_exit(0);
	}
	is_exit(a, 0, "a parent dies without reaping");
	is_exit(m[0], 44, "the zombie is ours");

	/* the nearest living subreaper is chosen */
	m[0] = m[1] = 0;
	if ((a = fork()) == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if ((b = fork()) == 0) {
			if (fork() == 0) {
				pid_t p = getppid();

				m[0] = 1;
				while (getppid() == p)
					sleep_ms(1);
				m[1] = getppid();
				_exit(0);
			}
			while (!m[0])
				sleep_ms(1);
			_exit(0);
		}
		while (wait(NULL) > 0)
			;
		_exit(m[1] == getpid() ? 0 : 1);
	}
	is_exit(a, 0, "the nearest subreaper is chosen");
	must(prctl(PR_SET_CHILD_SUBREAPER, 0));

	/* death signal of the parent */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	m[0] = m[1] = m[2] = 0;
	if ((a = fork()) == 0) {
		if (fork() == 0) {
			handle(SIGUSR1, on, 0);
			block(SIGUSR1);
			if (prctl(PR_SET_PDEATHSIG, SIGUSR1))
				_exit(1);
			prctl(PR_GET_PDEATHSIG, &sig);
			m[2] = sig;
			m[0] = 1;
			sigset_t s;
			siginfo_t si;
			sigemptyset(&s);
			sigaddset(&s, SIGUSR1);
			struct timespec t = { 5, 0 };
			_exit(sigtimedwait(&s, &si, &t) == SIGUSR1 ? 55 : 56);
		}
		while (!m[0])
			sleep_ms(1);
		_exit(0);
	}
	is_exit(a, 0, "a parent dies");
	is_int(m[2], SIGUSR1, "PR_GET_PDEATHSIG reads back");
	wait(&st);
	is_int(WEXITSTATUS(st), 55, "the child got its PR_SET_PDEATHSIG");
	must(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	if ((a = fork()) == 0) {
		prctl(PR_GET_PDEATHSIG, &sig);
		_exit(sig);
	}
	is_exit(a, 0, "it is cleared in a child");
	must(prctl(PR_SET_PDEATHSIG, 0));
	sys_err(prctl(PR_SET_PDEATHSIG, 65), EINVAL, "a bad signal");
	return done();
}
