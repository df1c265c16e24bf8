/* SPDX-License-Identifier: MIT */
/* Keyboard signals to the foreground group, their echo and flushing, window size. */
#include "pty.h"
#include <sys/ioctl.h>

static int *m;

static void
on(int s)
{
	m[s]++;
}

static int
wait_hit(int sig, int n)
{
	for (int i = 0; i < 1500 && m[sig] < n; i++)
		sleep_ms(2);
	return m[sig];
}

int
main(void)
{
	struct winsize ws = { 24, 80, 0, 0 }, w2;
	char buf[20];
	pid_t kid, bg;
	int st;

	m = shared_alloc(4096);
	pty_open();
	/* a session whose leader waits in the foreground, with a member of another group behind */
	if ((kid = fork()) == 0) {
		setsid();
		must(ioctl(ps, TIOCSCTTY, 0));
		handle(SIGINT, on, 0);
		handle(SIGQUIT, on, 0);
		handle(SIGTSTP, on, 0);
		handle(SIGWINCH, on, 0);
		if ((bg = fork()) == 0) {
			setpgid(0, 0);
			handle(SIGINT, SIG_DFL, 0);
			m[101] = 1;
			for (;;)
				pause();
		}
		setpgid(bg, bg);
		m[102] = bg;
		m[100] = 1;
		for (;;)
			pause();
	}
	while (!m[100] || !m[101])
		sleep_ms(1);
	type("\003");
	is_int(wait_hit(SIGINT, 1), 1, "VINTR: SIGINT to the foreground group");
	is_screen("^C", "echoed as ^C");
	type("\034");
	is_int(wait_hit(SIGQUIT, 1), 1, "VQUIT: SIGQUIT");
	is_screen("^\\", "echoed");
	type("\032");
	is_int(wait_hit(SIGTSTP, 1), 1, "VSUSP: SIGTSTP");
	is_screen("^Z", "echoed as ^Z");
	is_int(kill(m[102], 0), 0, "the background group is not hit");
	type("typed");
	is_screen("typed", "some input");
	type("\003");
	wait_hit(SIGINT, 2);
	type("x\n");
	is_screen("^Cx\r\n", "a signal");
	is_str(line(), "x\n", "throws the line away");
	pty_flags(0, 0, 0, 0, ECHO, NOFLSH);
	type("typed\003");
	wait_hit(SIGINT, 3);
	type("x\n");
	is_str(line(), "typedx\n", "NOFLSH keeps it");
	pty_flags(0, 0, 0, 0, ISIG, 0);
	type("\003\n");
	is_str(line(), "\003\n", "without ISIG they are input");
	is_int(m[SIGINT], 3, "and no signal");
	pty_flags(0, 0, 0, 0, ICANON, ISIG);
	type("\003");
	is_int(wait_hit(SIGINT, 4), 4, "signals work without ICANON");
	struct termios t;
	must(tcgetattr(ps, &t));
	t.c_cc[VINTR] = 'q';
	must(tcsetattr(ps, TCSANOW, &t));
	type("q");
	is_int(wait_hit(SIGINT, 5), 5, "a changed VINTR");
	t.c_cc[VINTR] = 0;
	must(tcsetattr(ps, TCSANOW, &t));
	type("q");
	is_int(readable(ps, 1000) ? read(ps, buf, 10) : -1, 1, "switched off, it is input");
	ioctl(pm, TIOCSIG, SIGINT);
	is_int(wait_hit(SIGINT, 6), 6, "TIOCSIG from the master");

	sys_ok(ioctl(ps, TIOCGWINSZ, &w2), "TIOCGWINSZ");
	ok(w2.ws_row == 0 && w2.ws_col == 0, "a new one has no size");
	sys_ok(ioctl(pm, TIOCSWINSZ, &ws), "TIOCSWINSZ at the master");
	is_int(wait_hit(SIGWINCH, 1), 1, "SIGWINCH to the foreground group");
	must(ioctl(ps, TIOCGWINSZ, &w2));
	ok(w2.ws_row == 24 && w2.ws_col == 80, "the slave sees it");
	sys_ok(ioctl(pm, TIOCSWINSZ, &ws), "the same size again");
	ws.ws_row = 50;
	sys_ok(ioctl(ps, TIOCSWINSZ, &ws), "another size, at the slave");
	is_int(wait_hit(SIGWINCH, 2), 2, "one signal for the change, none for the same");
	must(ioctl(pm, TIOCGWINSZ, &w2));
	is_int(w2.ws_row, 50, "the master sees it");

	kill(m[102], SIGKILL);
	kill(kid, SIGKILL);
	waitpid(kid, &st, 0);
	is_int(WTERMSIG(st), SIGKILL, "the session ends");
	return done();
}
