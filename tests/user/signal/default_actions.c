/* SPDX-License-Identifier: MIT */
/* The default action of all 64 signals, as wait status. */
#include "../tap.h"
#include <sys/prctl.h>

int
main(void)
{
	static const int ignored[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	struct rlimit none = { 0, 0 };

	must(setrlimit(RLIMIT_CORE, &none));
	for (int sig = 1; sig <= 64; sig++) {
		int kind = 0, st = 0;
		pid_t pid;

		for (int i = 0; i < 4; i++)
			kind = sig == ignored[i] ? 1 : sig == stops[i] ? 2 : kind;
		if ((pid = fork()) == 0) {
			struct {
				void *handler;
				unsigned long flags;
				void *restorer;
				unsigned long mask;
			} dfl = { 0 };
			sigset_t none_set;

			/* the library hides some numbers from its users: ask the kernel itself */
			if (sig != SIGKILL && sig != SIGSTOP)
				syscall(SYS_rt_sigaction, sig, &dfl, NULL, 8);
			sigemptyset(&none_set);
			sigprocmask(SIG_SETMASK, &none_set, NULL);
			setpgid(0, 0);
			prctl(PR_SET_DUMPABLE, 0);
			syscall(SYS_kill, getpid(), sig);
			_exit(33);
		}
		if (kind == 2) {
			is_int(waitpid(pid, &st, WUNTRACED), pid, "signal %d is reported", sig);
			ok(WIFSTOPPED(st) && WSTOPSIG(st) == sig, "signal %d stops", sig);
			kill(pid, SIGCONT);
			is_exit(pid, 33, "signal %d: goes on after SIGCONT", sig);
		} else if (kind == 1) {
			is_exit(pid, 33, "signal %d is ignored", sig);
		} else {
			waitpid(pid, &st, 0);
			is_int(st, sig, "signal %d kills, without a core", sig);
		}
	}
	return done();
}
