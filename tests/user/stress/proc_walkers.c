/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* smaps, maps and /proc/net/unix are read while what they walk comes and goes. */
#include "../tap.h"
#include <pthread.h>
#include <sys/socket.h>

#define MS 1500

static long long end;

static int
going(void)
{
	return now_ns(CLOCK_MONOTONIC) < end;
}

/* Mappings large enough for huge pages; parts go, rights change, forks share them. */
static void *
mapper(void *arg)
{
	size_t len = 6 << 20;

	while (going()) {
		char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);
		pid_t pid;

		if (p == MAP_FAILED)
			continue;
		for (size_t i = 0; i < len; i += 64 << 10)
			p[i] = 1;
		mprotect(p + (1 << 20), 4096, PROT_READ);
		madvise(p + (3 << 20), 1 << 20, MADV_DONTNEED);
		pid = fork();
		if (pid == 0) {
			p[0] = 2;
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
		munmap(p, len);
	}
	return arg;
}

static void *
connecter(void *arg)
{
	int p[2];

	while (going())
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0) {
			close(p[0]);
			close(p[1]);
		}
	return arg;
}

static int bad, rounds;

/* A file is read to its end; what it begins with is known. */
static void *
reader(void *arg)
{
	const char *const *what = arg;
	char *buf = malloc(1 << 20);

	while (going()) {
		int fd = open(what[0], O_RDONLY);
		ssize_t n, len = 0;

		while (fd >= 0 && (n = read(fd, buf + len, (1 << 20) - 1 - len)) > 0)
			len += n;
		buf[len] = 0;
		if (fd < 0 || !strstr(buf, what[1]))
			__atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
		close(fd);
	}
	free(buf);
	return NULL;
}

int
main(void)
{
	static const char *const files[][2] = {
		{ "/proc/self/smaps", "\nVmFlags:" },
		{ "/proc/self/smaps_rollup", "[rollup]" },
		{ "/proc/net/unix", "RefCount" },
		{ "/proc/self/maps", "-" },
	};
	pthread_t t[8];
	int n = 0;

	end = now_ns(CLOCK_MONOTONIC) + MS * 1000000LL;
	for (int i = 0; i < 4; i++)
		pthread_create(&t[n++], NULL, reader, (void *)files[i]);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[n++], NULL, mapper, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[n++], NULL, connecter, NULL);
	while (n)
		pthread_join(t[--n], NULL);
	is_int(bad, 0, "every reading is whole");
	ok(rounds >= 4, "each was read");
	return done();
}
