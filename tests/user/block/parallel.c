/* SPDX-License-Identifier: MIT */
/* TEST: timeout=60 */
/* Threads on one disk: cached, direct, synchronous, scattered; what each wrote is what it reads. */
#include "scratch.h"
#include <pthread.h>
#include <sys/uio.h>

#define THREADS 8
#define ROUNDS	40
#define AREA	(4 << 20)
#define FIRST	(1 << 20)
#define CHUNK	(64 << 10)

static int bad_reads, bad_calls;

static unsigned int
next(unsigned int *seed)
{
	return (*seed = *seed * 1103515245 + 12345) >> 8;
}

static void
fill(unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i += 4) {
		unsigned int v = next(&seed);

		memcpy(p + i, &v, 4);
	}
}

/* Writes a chunk somewhere in the thread's own area, by a way that depends on the round. */
static void *
worker(void *arg)
{
	long id = (long)arg;
	unsigned int seed = 17 * id + 3;
	unsigned char *out = aligned_alloc(4096, CHUNK), *in = aligned_alloc(4096, CHUNK);
	int cached = open(scratch_path, O_RDWR), direct = open(scratch_path, O_RDWR | O_DIRECT);
	int sync = open(scratch_path, O_RDWR | O_DSYNC);

	if (cached < 0 || direct < 0 || sync < 0) {
		__atomic_fetch_add(&bad_calls, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	for (int round = 0; round < ROUNDS; round++) {
		off_t at = FIRST + id * AREA + (next(&seed) % (AREA / CHUNK)) * (off_t)CHUNK;
		struct iovec iov[2] = { { out, 4096 }, { out + 4096, CHUNK - 4096 } };
		int way = round % 4;
		ssize_t n;

		fill(out, CHUNK, seed);
		if (way == 0)
			n = pwrite(cached, out, CHUNK, at);
		else if (way == 1)
			n = pwrite(direct, out, CHUNK, at);
		else if (way == 2)
			n = pwritev(direct, iov, 2, at);
		else
			n = pwrite(sync, out, CHUNK, at);
		if (n != CHUNK || (way == 0 && round % 8 == 0 && fdatasync(cached)))
			__atomic_fetch_add(&bad_calls, 1, __ATOMIC_RELAXED);
		memset(in, 0, CHUNK);
		n = pread(round & 4 ? direct : cached, in, CHUNK, at);
		if (n != CHUNK || memcmp(in, out, CHUNK))
			__atomic_fetch_add(&bad_reads, 1, __ATOMIC_RELAXED);
	}
	close(cached);
	close(direct);
	close(sync);
	free(out);
	free(in);
	return NULL;
}

/* Drops the cache under the others. */
static void *
dropper(void *arg)
{
	int fd = open(scratch_path, O_RDONLY);

	for (int i = 0; i < 50; i++) {
		ioctl(fd, BLKFLSBUF, 0);
		usleep(2000);
	}
	close(fd);
	return arg;
}

int
main(void)
{
	pthread_t threads[THREADS + 1];
	int fd = scratch_open(0);

	if (fd < 0)
		return skip("no /dev/loop-control", "a scratch disk"), done();
	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], NULL, worker, (void *)i));
	must(pthread_create(&threads[THREADS], NULL, dropper, NULL));
	for (int i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	is_int(bad_calls, 0, "every write succeeded whole");
	is_int(bad_reads, 0, "every read saw what was written");
	is_int(fsync(fd), 0, "fsync");
	scratch_close(fd);
	return done();
}
