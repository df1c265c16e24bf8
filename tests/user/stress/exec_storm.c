/* SPDX-License-Identifier: MIT */
/* TEST: timeout=60 */
/* Threads execute programs, exit and fork at once while signals kill and stop them: every process
 * ends with a status that one of its threads meant, its pid stays through exec, and none is left.
 */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/syscall.h>

#define PROCESSES 24
#define THREADS	  6

static char pid_text[16];
static int self; /* a zombie leader has no /proc/self/exe */

static void *
thread(void *arg)
{
	long n = (long)arg;
	char *argv[] = { "exec_storm", "child", pid_text, NULL };
	unsigned seed = (unsigned)(getpid() * 31 + n);

	for (int i = rand_r(&seed) % 2000; i > 0; i--)
		__asm__ volatile("pause");
	switch (n % 3) {
	case 0:
	case 1: syscall(SYS_execveat, self, "", argv, environ, AT_EMPTY_PATH); _exit(9);
	default:
		if (fork() == 0)
			_exit(0);
		for (;;)
			pause();
	}
}

static int
run(int with_exit)
{
	pthread_t t;

	snprintf(pid_text, sizeof(pid_text), "%d", getpid());
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&t, NULL, thread, (void *)i))
			break; /* another one is executing already */
	if (with_exit)
		_exit(7);
	if (getpid() % 2)
		syscall(SYS_exit, 0); /* the leader alone */
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	pid_t pid[PROCESSES];
	int executed = 0, exited = 0, killed = 0, other = 0, st;

	if (argc > 2)
		return atoi(argv[2]) == getpid() && getpid() == syscall(SYS_gettid) ? 5 : 6;
	self = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < PROCESSES; i++)
			if ((pid[i] = must(fork())) == 0)
				run(i % 4 == 0);
		for (int i = 0; i < PROCESSES; i++) {
			if (i % 8 == 1)
				kill(pid[i], SIGKILL);
			if (i % 8 == 5)
				kill(pid[i], SIGSTOP), kill(pid[i], SIGCONT);
		}
		for (int i = 0; i < PROCESSES; i++) {
			if (waitpid(pid[i], &st, 0) != pid[i])
				other++;
			else if (WIFEXITED(st) && WEXITSTATUS(st) == 5)
				executed++;
			else if (WIFEXITED(st) && WEXITSTATUS(st) == 7)
				exited++;
			else if (WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL)
				killed++;
			else
				printf("# process %d: status %#x\n", i, st), other++;
		}
	}
	is_int(other, 0, "every status is one that was meant");
	ok(executed > 0, "threads executed programs under the pid of the process");
	is_int(executed + exited + killed, 8 * PROCESSES, "each process was waited for once");
	is_int(waitpid(-1, &st, 0), -1, "none is left");
	return done();
}
