/* SPDX-License-Identifier: MIT */
/* Robust mutexes: an owner that dies, in a thread and in another process. */
#include "../tap.h"
#include <pthread.h>

static pthread_mutex_t *mx;

static void *
lock_and_leave(void *arg)
{
	pthread_mutex_lock(mx);
	return arg;
}

static void
init(void)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	must(pthread_mutex_init(mx, &a) ? -1 : 0);
}

int
main(int argc, char **argv)
{
	volatile int *m = shared_alloc(4096);
	pthread_t t;
	pid_t pid;

	(void)argv;
	if (argc > 1)
		return 0;
	mx = shared_alloc(4096);
	init();
	pthread_create(&t, NULL, lock_and_leave, NULL);
	pthread_join(t, NULL);
	is_int(pthread_mutex_lock(mx), EOWNERDEAD, "the owner thread has ended");
	is_int(pthread_mutex_consistent(mx), 0, "made consistent");
	is_int(pthread_mutex_unlock(mx), 0, "unlocked");
	is_int(pthread_mutex_lock(mx), 0, "it works again");
	pthread_mutex_unlock(mx);

	if ((pid = fork()) == 0) {
		pthread_mutex_lock(mx);
		_exit(0);
	}
	is_exit(pid, 0, "a process exits as owner");
	is_int(pthread_mutex_trylock(mx), EOWNERDEAD, "trylock says so");
	pthread_mutex_consistent(mx);
	pthread_mutex_unlock(mx);

	if ((pid = fork()) == 0) {
		pthread_mutex_lock(mx);
		m[0] = 1;
		for (;;)
			pause();
	}
	while (!m[0])
		sleep_ms(1);
	is_int(pthread_mutex_trylock(mx), EBUSY, "it is busy");
	pid_t killer = fork();
	if (killer == 0) {
		wait_state(getppid(), 'S');
		kill(pid, SIGKILL);
		_exit(0);
	}
	is_int(pthread_mutex_lock(mx), EOWNERDEAD,
	       "a sleeping waiter is woken by the owner's death");
	is_killed(pid, SIGKILL, "the owner was killed");
	is_exit(killer, 0, "while the waiter slept");
	is_int(pthread_mutex_unlock(mx), 0, "unlocked without making it consistent");
	is_int(pthread_mutex_lock(mx), ENOTRECOVERABLE, "it is lost then");
	init();
	m[0] = 0;
	if ((pid = fork()) == 0) {
		pthread_mutex_lock(mx);
		execl("/bin/nonexistent", "x", NULL);
		execl("/proc/self/exe", "x", "child", NULL);
		_exit(1);
	}
	reap(pid);
	is_int(pthread_mutex_trylock(mx), EOWNERDEAD, "exec of the owner counts as its death");
	return done();
}
