/* SPDX-License-Identifier: MIT */
/* TEST: timeout=60 */
/* TCP: a lot of data, both ways at once, by several threads: every byte is where it belongs. */
#include "tcp.h"
#include <pthread.h>

#define PAIRS 4
#define SIZE  (4 << 20)

struct job {
	int fd;
	unsigned seed;
	int wrong;
	size_t got;
};

static unsigned char
byte_at(unsigned seed, size_t i)
{
	return (unsigned char)(seed * 31 + i * 7 + (i >> 9));
}

static void *
writer(void *arg)
{
	struct job *j = arg;
	unsigned char buf[30000];
	unsigned r = j->seed;

	for (size_t at = 0; at < SIZE;) {
		size_t n = 1 + (r = r * 1103515245 + 12345) % sizeof(buf);

		n = n < SIZE - at ? n : SIZE - at;
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(j->seed, at + i);
		for (size_t done = 0; done < n;) {
			ssize_t w = write(j->fd, buf + done, n - done);

			if (w <= 0) {
				j->wrong = 1;
				return NULL;
			}
			done += (size_t)w;
		}
		at += n;
	}
	shutdown(j->fd, SHUT_WR);
	return NULL;
}

static void *
reader(void *arg)
{
	struct job *j = arg;
	unsigned char buf[50000];
	unsigned r = j->seed + 7;
	ssize_t n;

	while ((n = read(j->fd, buf, 1 + (r = r * 1103515245 + 12345) % sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			j->wrong |= buf[i] != byte_at(j->seed, j->got + (size_t)i);
		j->got += (size_t)n;
	}
	j->wrong |= n != 0;
	return NULL;
}

int
main(void)
{
	static struct job jobs[PAIRS * 4];
	pthread_t threads[PAIRS * 4];
	int p[2], wrong = 0, n = 0;
	size_t got = 0;

	loopback_up();
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < PAIRS; i++) {
		tcp_pair(p);
		jobs[n++] = (struct job){ p[0], (unsigned)i, 0, 0 };
		jobs[n++] = (struct job){ p[1], (unsigned)i, 0, 0 };
		jobs[n++] = (struct job){ p[1], (unsigned)i + 100, 0, 0 };
		jobs[n++] = (struct job){ p[0], (unsigned)i + 100, 0, 0 };
	}
	for (int i = 0; i < n; i++)
		must(pthread_create(&threads[i], NULL, i & 1 ? reader : writer, &jobs[i]) ? -1 : 0);
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		wrong += jobs[i].wrong;
		got += jobs[i].got;
	}
	is_int(wrong, 0, "no byte is wrong");
	is_int((long long)got, 2LL * PAIRS * SIZE, "none is missing");
	return done();
}
