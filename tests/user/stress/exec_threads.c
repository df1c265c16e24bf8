/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Processes full of busy threads that exec, exit, fault and are killed at any moment. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static void *
busy(void *arg)
{
	for (;;) {
		void *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		memset(p, 1, 16384);
		munmap(p, 16384);
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (write(fd, "x", 1) != 1)
			_exit(9);
		close(fd);
		if ((long)arg & 1)
			usleep(10);
	}
	return NULL;
}

static void *
ender(void *arg)
{
	usleep((long)arg % 5 * 300);
	switch ((long)arg % 4) {
	case 0: execl("/proc/self/exe", "exec_threads", "3", NULL); _exit(99);
	case 1: _exit(4);
	case 2: *(volatile int *)at(8) = 1; break;
	case 3: kill(getpid(), SIGKILL); break;
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "exec", "exit", "fault", "kill" };
	struct rlimit none = { 0, 0 };
	int wrong[4] = { 0 };

	if (argc > 1)
		return atoi(argv[1]);
	must(setrlimit(RLIMIT_CORE, &none));
	for (long i = 0; i < 120; i++) {
		pid_t pid = must(fork());
		int st;

		if (pid == 0) {
			pthread_t t;

			for (long k = 0; k < 4; k++)
				pthread_create(&t, NULL, busy, (void *)k);
			pthread_create(&t, NULL, ender, (void *)i);
			for (;;)
				pause();
		}
		st = reap(pid);
		switch (i % 4) {
		case 0: wrong[0] += !WIFEXITED(st) || WEXITSTATUS(st) != 3; break;
		case 1: wrong[1] += !WIFEXITED(st) || WEXITSTATUS(st) != 4; break;
		case 2: wrong[2] += !WIFSIGNALED(st) || WTERMSIG(st) != SIGSEGV; break;
		case 3: wrong[3] += !WIFSIGNALED(st) || WTERMSIG(st) != SIGKILL; break;
		}
	}
	for (int i = 0; i < 4; i++)
		is_int(wrong[i], 0, "30 times %s beside four busy threads", names[i]);
	/* killed from outside while they are being made */
	int bad = 0;

	for (int i = 0; i < 40; i++) {
		pid_t pid = must(fork());

		if (pid == 0) {
			pthread_t t;

			for (;;) {
				if (pthread_create(&t, NULL, busy, NULL))
					usleep(100);
				usleep(50);
			}
		}
		usleep(i * 50);
		kill(pid, SIGKILL);
		bad += WTERMSIG(reap(pid)) != SIGKILL;
	}
	is_int(bad, 0, "40 killed from outside while making threads");
	return done();
}
