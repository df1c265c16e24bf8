/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Threads open, duplicate, pass and close descriptors of one table at once. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define THREADS 6
#define STEPS	500

static int bad;

static void *
worker(void *arg)
{
	unsigned seed = 99 + (unsigned)(long)arg;
	int mine[16], n = 0, errs = 0, p[2];
	char c = 'a' + (char)(long)arg, d;

	for (int i = 0; i < STEPS; i++) {
		int fd = -1;

		switch (rand_r(&seed) % 6) {
		case 0: fd = open("/dev/null", O_RDWR | O_CLOEXEC); break;
		case 1: fd = dup(1); break;
		case 2: fd = eventfd(0, EFD_CLOEXEC); break;
		case 3:
			errs += pipe(p) != 0;
			errs += write(p[1], &c, 1) != 1 || read(p[0], &d, 1) != 1 || c != d;
			errs += close(p[0]) != 0;
			fd = p[1];
			break;
		case 4:
			errs += socketpair(AF_UNIX, SOCK_STREAM, 0, p) != 0;
			errs += write(p[1], &c, 1) != 1 || read(p[0], &d, 1) != 1 || c != d;
			errs += close(p[1]) != 0;
			fd = p[0];
			break;
		case 5: fd = fcntl(1, F_DUPFD_CLOEXEC, 100 + (long)arg * 50); break;
		}
		errs += fd < 0;
		mine[n++] = fd;
		if (n == 16)
			while (n > 0)
				errs += close(mine[--n]) != 0;
	}
	while (n > 0)
		errs += close(mine[--n]) != 0;
	__atomic_fetch_add(&bad, errs, __ATOMIC_RELAXED);
	return NULL;
}

/* One thread reads from a descriptor that another closes: the read ends or goes on, nothing breaks.
 */
static void *
reader(void *arg)
{
	char c;

	while (read(*(int *)arg, &c, 1) == 1)
		;
	return NULL;
}

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int
main(void)
{
	pthread_t t[THREADS];
	int before = count_fds(), p[2];

	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, worker, (void *)i) ? -1 : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	is_int(bad, 0, "six threads open and close: every descriptor is one's own");
	is_int(count_fds(), before, "all are closed");
	for (int i = 0; i < 50; i++) {
		must(pipe(p));
		must(pthread_create(&t[0], NULL, reader, &p[0]) ? -1 : 0);
		must(write(p[1], "xx", 2));
		if (i % 2)
			sched_yield();
		close(p[1]);
		pthread_join(t[0], NULL);
		close(p[0]);
	}
	is_int(count_fds(), before, "readers end when the writing end is closed");
	return done();
}
