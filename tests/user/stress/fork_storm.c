/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Many processes: in a row, in parallel, in trees, with exec; none is lost, none stays. */
#include "../tap.h"

static int
tree(int depth)
{
	pid_t a, b;
	int n = 1;

	if (depth == 0)
		return 1;
	if ((a = fork()) == 0)
		_exit(tree(depth - 1));
	if ((b = fork()) == 0)
		_exit(tree(depth - 1));
	n += a > 0 ? WEXITSTATUS(reap(a)) : 0;
	n += b > 0 ? WEXITSTATUS(reap(b)) : 0;
	return n;
}

int
main(int argc, char **argv)
{
	pid_t pid[100];
	int bad = 0, i, st, n;

	if (argc > 1)
		return atoi(argv[1]);
	for (i = 0; i < 300; i++) {
		if ((pid[0] = fork()) == 0)
			_exit(i & 127);
		bad += WEXITSTATUS(reap(pid[0])) != (i & 127);
	}
	is_int(bad, 0, "300 children one after another");
	for (i = 0; i < 100; i++)
		if ((pid[i] = fork()) == 0) {
			sleep_ms(i % 7);
			_exit(i);
		}
	for (i = 0; i < 100; i++)
		bad += pid[i] < 0 || WEXITSTATUS(reap(pid[i])) != i;
	is_int(bad, 0, "100 at once, waited for one by one");
	for (i = 0; i < 100; i++)
		if ((pid[i] = fork()) == 0)
			_exit(0);
	for (n = 0; waitpid(-1, &st, 0) > 0; n++)
		bad += st != 0;
	ok(n == 100 && bad == 0, "100 at once, waited for together");
	is_int(tree(6), 127, "a tree of 127 processes");
	for (i = 0; i < 40; i++)
		if ((pid[i] = fork()) == 0) {
			char num[8];

			sprintf(num, "%d", i);
			execl(i % 2 ? "/proc/self/exe" : argv[0], "fork_storm", num, NULL);
			execl("/proc/self/exe", "fork_storm", num, NULL);
			_exit(255);
		}
	for (i = 0; i < 40; i++)
		bad += WEXITSTATUS(reap(pid[i])) != i;
	is_int(bad, 0, "40 programs at once");
	for (i = 0; i < 100; i++)
		if ((pid[i] = fork()) == 0)
			for (;;)
				pause();
	for (i = 0; i < 100; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < 100; i++)
		bad += WTERMSIG(reap(pid[i])) != SIGKILL;
	is_int(bad, 0, "100 killed");
	is_int(waitpid(-1, &st, WNOHANG) == -1 && errno == ECHILD, 1, "nobody is left");
	return done();
}
