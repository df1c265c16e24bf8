/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Threads that lock, sleep, fork, map and do file work at once. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

#define THREADS 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter, tickets;
static int bad;

static void *
mixed(void *arg)
{
	char name[32], buf[64];
	int errs = 0;

	sprintf(name, "f%ld", (long)arg);
	for (int i = 0; i < 60; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
		int fd = open(name, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);

		errs += fd < 0 || write(fd, name, strlen(name)) != (ssize_t)strlen(name);
		errs += pread(fd, buf, sizeof(buf), 0) != (ssize_t)strlen(name) ||
			memcmp(buf, name, strlen(name));
		close(fd);
		void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		memset(p, i, 65536);
		errs += munmap(p, 65536) != 0;
		if (i % 10 == 0) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(7);
			int st = 0;

			errs += waitpid(pid, &st, 0) != pid || WEXITSTATUS(st) != 7;
		}
		if (i % 7 == 0)
			usleep(100);
		errs += unlink(name) != 0;
	}
	__atomic_fetch_add(&bad, errs, __ATOMIC_RELAXED);
	return NULL;
}

static void *
producer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&lock);
		tickets++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *
consumer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&lock);
		while (!tickets)
			pthread_cond_wait(&cond, &lock);
		tickets--;
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int
main(void)
{
	pthread_t t[THREADS];

	scratch();
	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, mixed, (void *)i) ? -1 : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	is_int(bad, 0, "eight threads of files, mappings and forks: no error");
	is_int(counter, THREADS * 60, "and no lost count");
	counter = 0;
	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, i % 2 ? producer : consumer, NULL) ? -1 : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	is_int(counter, THREADS / 2 * 500, "every ticket is taken once");
	is_int(tickets, 0, "none is left");
	return done();
}
