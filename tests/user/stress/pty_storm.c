/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Pseudo-terminals opened, used, resized, signalled and hung up by several processes at once. */
#include "../compat.h"
#include "../tap.h"
#include <termios.h>

static int
one(unsigned seed)
{
	char name[64], buf[256];
	struct termios t;
	struct winsize ws = { 24, 80, 0, 0 };
	int m, s, n;
	pid_t pid;

	m = posix_openpt(O_RDWR | O_NOCTTY);
	if (m < 0 || grantpt(m) || unlockpt(m) || ptsname_r(m, name, sizeof(name)))
		return 1;
	pid = fork();
	if (pid == 0) {
		close(m);
		setsid();
		signal(SIGHUP, SIG_IGN);
		s = open(name, O_RDWR);
		if (s < 0) /* hung up already */
			_exit(errno == EIO || errno == ENOENT ? 0 : 9);
		tcgetattr(s, &t);
		for (int i = 0; i < 10; i++) {
			n = read(s, buf, sizeof(buf));
			if (n <= 0)
				break;
			if (write(s, buf, n) != n)
				break;
			t.c_lflag ^= ECHO;
			tcsetattr(s, rand_r(&seed) % 2 ? TCSANOW : TCSADRAIN, &t);
		}
		_exit(0);
	}
	for (int i = 0; i < 5; i++) {
		if (write(m, "line\n", 5) != 5)
			return 2;
		ws.ws_row = 20 + rand_r(&seed) % 20;
		ioctl(m, TIOCSWINSZ, &ws);
		struct pollfd pf = { m, POLLIN, 0 };

		if (poll(&pf, 1, 2000) == 1 && read(m, buf, sizeof(buf)) < 0)
			return 3;
	}
	if (rand_r(&seed) % 2)
		kill(pid, SIGKILL);
	close(m);
	return waitpid(pid, &n, 0) == pid && (n == 0 || n == SIGKILL) ? 0 : 4;
}

int
main(void)
{
	pid_t pid[4];
	int bad = 0;

	for (int i = 0; i < 4; i++)
		if ((pid[i] = fork()) == 0) {
			for (int k = 0; k < 25; k++) {
				int r = one(i * 1000 + k);

				if (r)
					_exit(r);
			}
			_exit(0);
		}
	for (int i = 0; i < 4; i++) {
		int st = reap(pid[i]);

		if (st)
			diag("worker %d: status %#x", i, st);
		bad += st != 0;
	}
	is_int(bad, 0, "four times 25 terminals, used and hung up");
	return done();
}
