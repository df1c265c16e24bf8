/* SPDX-License-Identifier: MIT */
/* exec: argv and envp arrive exactly; sizes up to the limits, E2BIG beyond. */
#include "../tap.h"

extern char **environ;

static int
child(int argc, char **argv)
{
	const char *mode = getenv("MODE");
	int n = 0;

	if (argc > 0 && !strcmp(argv[0], "echo"))
		return !(argc == 4 && !strcmp(argv[1], "a b") && !strcmp(argv[2], "") &&
			 !strcmp(argv[3], "\xff\n") && !argv[4] && !strcmp(environ[0], "X=1") &&
			 !strcmp(environ[1], "MODE=") && !environ[2]);
	if (argc > 0 && !strcmp(argv[0], "many")) {
		for (int i = 1; i < argc; i++)
			n += !strcmp(argv[i], "0123456789");
		return !(n == 5000 && argc == 5001);
	}
	if (argc > 0 && !strcmp(argv[0], "long"))
		return !(argc == 2 && strlen(argv[1]) == 131071);
	if (argc > 0 && !strcmp(argv[0], "noenv"))
		return environ && environ[0] != NULL;
	if (mode && !strcmp(mode, "noargv"))
		return !(argc == 1 && argv[0][0] == 0 && !argv[1]);
	return 99;
}

static pid_t
run(char **argv, char **envp)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(errno);
	}
	return pid;
}

int
main(int argc, char **argv)
{
	char *envp[] = { "X=1", "MODE=", NULL }, *none[] = { NULL },
	     *noargv[] = { "MODE=noargv", NULL };
	char *echo[] = { "echo", "a b", "", "\xff\n", NULL };
	char *many[5002], *lng[3] = { "long" }, **lots;
	struct rlimit rl = { 8 << 20, RLIM_INFINITY };
	int i;
	pid_t pid;

	if (argc == 0 || strstr(argv[0], "exec_args") == NULL)
		return child(argc, argv);
	must(getrlimit(RLIMIT_STACK, &rl));
	rl.rlim_cur = 8 << 20;
	must(setrlimit(RLIMIT_STACK, &rl));
	is_exit(run(echo, envp), 0, "arguments and environment arrive byte for byte");
	many[0] = "many";
	for (i = 1; i <= 5000; i++)
		many[i] = "0123456789";
	many[i] = NULL;
	is_exit(run(many, none), 0, "5000 arguments");
	lng[1] = malloc(131073);
	memset(lng[1], 'x', 131072);
	lng[1][131071] = 0;
	is_exit(run(lng, none), 0, "an argument of 128 KiB with its NUL");
	lng[1][131071] = 'x';
	lng[1][131072] = 0;
	is_exit(run(lng, none), E2BIG, "one byte more gives E2BIG");
	lng[1][131070] = 0;
	lots = malloc(sizeof(char *) * 64);
	for (i = 0; i < 30; i++)
		lots[i] = lng[1];
	lots[i] = NULL;
	is_exit(run(lots, none), E2BIG, "more than a quarter of the stack limit gives E2BIG");
	char *noe[] = { "noenv", NULL };
	is_exit(run(noe, none), 0, "an empty environment");
	is_exit(run(noe, NULL), 0, "a NULL environment");
	is_exit(run(none, noargv), 0, "an empty argv becomes one empty string");
	if ((pid = fork()) == 0) {
		rl.rlim_cur = 512 << 10;
		setrlimit(RLIMIT_STACK, &rl);
		for (i = 0; i < 2; i++)
			lots[i] = lng[1];
		lots[2] = NULL;
		execve("/proc/self/exe", lots, none);
		_exit(errno);
	}
	is_exit(pid, E2BIG, "a small stack limit lowers the bound");
	if ((pid = fork()) == 0) {
		execve("/proc/self/exe", at(8), none);
		_exit(errno);
	}
	is_exit(pid, EFAULT, "bad argv pointer");
	if ((pid = fork()) == 0) {
		char *bad[] = { "x", at(8), NULL };

		execve("/proc/self/exe", bad, none);
		_exit(errno);
	}
	is_exit(pid, EFAULT, "bad pointer inside argv");
	return done();
}
